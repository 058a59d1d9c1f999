//! The switches of an organisation, each with a sentence that says what it does.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::Portal;
use crate::auth::{Admin, Posted};
use crate::lang::key;
use crate::office::settings::{Switch, words};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::view::{Notice, View, Visit, done, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Admin, _, _>("/o/{organisation}/settings", show),
        post::<Admin, _, _>("/o/{organisation}/settings", save),
    ]
}

/// What a switch is: its name, the key of its label and of what it does, and its values with the keys of their words; without
/// values it is on or off.
struct Known {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    values: &'static [(&'static str, &'static str)],
}

const fn flag(name: &'static str, label: &'static str, hint: &'static str) -> Known {
    Known {
        name,
        label,
        hint,
        values: &[],
    }
}

const SPECIAL: &[(&str, &str)] = &[
    ("like-all", key("special-like-all")),
    ("sign-only", key("special-sign-only")),
    ("leave", key("special-leave")),
];

/// Every switch under the heading it is shown under.
const KNOWN: &[(&str, &[Known])] = &[
    (
        key("settings-mail"),
        &[
            Known {
                name: "language",
                label: key("switch-language"),
                hint: key("switch-language-hint"),
                values: &[
                    ("de", key("switch-language-de")),
                    ("en", key("switch-language-en")),
                ],
            },
            flag(
                "all-or-nothing",
                key("switch-all-or-nothing"),
                key("switch-all-or-nothing-hint"),
            ),
            flag(
                "subject-tags",
                key("switch-subject-tags"),
                key("switch-subject-tags-hint"),
            ),
            flag(
                "neutralise",
                key("switch-neutralise"),
                key("switch-neutralise-hint"),
            ),
            flag(
                "header-protection",
                key("switch-header-protection"),
                key("switch-header-protection-hint"),
            ),
            Known {
                name: "calendar",
                label: key("switch-calendar"),
                hint: key("switch-calendar-hint"),
                values: SPECIAL,
            },
            Known {
                name: "tnef",
                label: key("switch-tnef"),
                hint: key("switch-tnef-hint"),
                values: SPECIAL,
            },
            flag("dkim", key("switch-dkim"), key("switch-dkim-hint")),
        ],
    ),
    (
        key("settings-trust"),
        &[
            flag(
                "public-roots",
                key("switch-public-roots"),
                key("switch-public-roots-hint"),
            ),
            Known {
                name: "revocation",
                label: key("switch-revocation"),
                hint: key("switch-revocation-hint"),
                values: &[
                    ("soft", key("switch-revocation-soft")),
                    ("hard", key("switch-revocation-hard")),
                ],
            },
            Known {
                name: "smimea",
                label: key("switch-smimea"),
                hint: key("switch-smimea-hint"),
                values: &[
                    ("off", key("off")),
                    ("with-path", key("switch-smimea-with-path")),
                    ("dnssec-alone", key("switch-smimea-dnssec-alone")),
                ],
            },
            flag("legacy", key("switch-legacy"), key("switch-legacy-hint")),
            flag(
                "brainpool",
                key("switch-brainpool"),
                key("switch-brainpool-hint"),
            ),
            flag(
                "exact-local-parts",
                key("switch-exact-local-parts"),
                key("switch-exact-local-parts-hint"),
            ),
        ],
    ),
    (
        key("settings-keeping"),
        &[
            flag(
                "replace-uploaded",
                key("switch-replace-uploaded"),
                key("switch-replace-uploaded-hint"),
            ),
            Known {
                name: "journal-days",
                label: key("switch-journal-days"),
                hint: key("switch-journal-days-hint"),
                values: &[
                    ("7", "7"),
                    ("14", "14"),
                    ("30", "30"),
                    ("90", "90"),
                    ("180", "180"),
                    ("365", "365"),
                    ("730", "730"),
                ],
            },
        ],
    ),
];

#[derive(Template)]
#[template(path = "settings/show.html")]
struct Show {
    view: View,
    groups: &'static [(&'static str, &'static [Known])],
    values: HashMap<String, String>,
}

impl Show {
    /// The value that the page shows, sent back with what is chosen.
    fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.values.get(name).is_some_and(|own| own == value)
    }

    /// The word of a value: from the catalogue, or a number as it is.
    fn word(&self, word: &str) -> String {
        match word.parse::<u32>() {
            Ok(days) => self.view.t1("days", "count", days),
            Err(_) => self.view.t(word),
        }
    }
}

async fn show(State(portal): State<Portal>, visit: Visit<Admin>) -> Result<Response, Problem> {
    let settings = portal.office.settings(&visit.permitted.reads()).await?;
    let values = words(&settings).into_iter();
    page(&Show {
        view: visit.view,
        groups: KNOWN,
        values: values.map(|switch| (switch.name, switch.value)).collect(),
    })
}

async fn save(
    State(portal): State<Portal>,
    Posted(permitted, form): Posted<Admin, HashMap<String, String>>,
) -> Result<Response, Problem> {
    let switches: Vec<Switch> = KNOWN
        .iter()
        .flat_map(|(_, switches)| switches.iter())
        .map(|known| Switch {
            name: known.name.to_owned(),
            // A box that is not ticked is not sent.
            value: form
                .get(known.name)
                .map_or("off", String::as_str)
                .to_owned(),
        })
        // Another administrator may have changed the others since this page was shown.
        .filter(|switch| form.get(&format!("was-{}", switch.name)) != Some(&switch.value))
        .collect();
    let applied = portal.office.change_settings(&permitted, &switches).await?;
    let notice = match applied.live {
        true => Notice::new("settings-saved"),
        false => Notice::new("settings-stored"),
    };
    let back = format!("/o/{}/settings", permitted.organisation_name());
    done(&portal, &permitted, notice, &back).await
}

#[cfg(test)]
mod tests {
    use sealgate_core::tenant::Settings;

    use super::*;

    #[test]
    fn every_switch_is_shown() {
        let mut shown: Vec<&str> = KNOWN
            .iter()
            .flat_map(|(_, switches)| switches.iter().map(|known| known.name))
            .collect();
        let mut all: Vec<&str> = Settings::default().words().map(|(name, _)| name).into();
        shown.sort_unstable();
        all.sort_unstable();
        assert_eq!(shown, all);
    }

    #[test]
    fn the_default_values_can_be_chosen() {
        for (name, value) in Settings::default().words() {
            let mut known = KNOWN.iter().flat_map(|(_, switches)| switches.iter());
            let known = known.find(|known| known.name == name).unwrap();
            let has = known.values.iter().any(|(own, _)| *own == value);
            assert!(has || known.values.is_empty(), "{name} {value}");
        }
    }
}
