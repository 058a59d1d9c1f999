//! Organisations: create, list, show and change switches.

use clap::Subcommand;
use sealgate_core::change::Change;
use sealgate_core::tenant::{Language, Settings};

use super::{Admin, language};
use crate::cmd::{Cli, Done, Failure, OrganisationArg, Output, table};
use crate::switches;

/// Verbs for organisations.
#[derive(Debug, Subcommand)]
pub enum OrganisationCommand {
    /// Create an organisation.
    Create {
        /// Short name, unique in this installation.
        name: String,
        /// Language of reports: de or en.
        #[arg(long, value_parser = language, default_value = "en")]
        language: Language,
        /// A switch and its value, as `settings` shows them; may be given several times.
        #[arg(long = "set", value_name = "SWITCH=VALUE")]
        switches: Vec<String>,
    },
    /// List the organisations.
    List,
    /// Show the switches of an organisation, or change some.
    Settings {
        /// A switch and its new value, such as subject-tags=on; may be given several times.
        #[arg(long = "set", value_name = "SWITCH=VALUE")]
        switches: Vec<String>,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
}

/// Carries out a verb for organisations.
pub async fn organisation(cli: &Cli, command: &OrganisationCommand, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    match command {
        OrganisationCommand::Create {
            name,
            language,
            switches,
        } => {
            let language = Settings {
                language: *language,
                ..Settings::default()
            };
            let settings = with(language, switches)?;
            admin
                .store
                .create_organisation(name, settings, "command line", crate::gateway::now())
                .await?;
            output.show(&serde_json::json!({ "organisation": name }), |_| {
                format!("organisation {name} created\n")
            })
        }
        OrganisationCommand::List => {
            let names = admin.organisation_names().await?;
            output.show(&names, |names| {
                names.iter().map(|name| format!("{name}\n")).collect()
            })
        }
        OrganisationCommand::Settings {
            switches,
            organisation,
        } => settings(&admin, organisation, switches, output).await,
    }
}

/// Shows the switches if none is given; else changes those that are given.
async fn settings(
    admin: &Admin,
    organisation: &OrganisationArg,
    switches: &[String],
    output: Output,
) -> Done {
    let name = admin.organisation(organisation).await?;
    let before = admin.described(&name).await?.described.settings;
    if switches.is_empty() {
        return output.show(&before, switch_table);
    }
    let after = with(before, switches)?;
    if after == before {
        let done = serde_json::json!({ "organisation": name, "changes": [], "live": "nothing was changed" });
        return output.show(&done, |_| format!("{name} is already as described\n"));
    }
    admin
        .report(&name, vec![Change::Settings { before, after }], output)
        .await
}

fn switch_table(settings: &Settings) -> String {
    let rows: Vec<_> = settings
        .words()
        .iter()
        .map(|(name, value)| vec![(*name).to_owned(), (*value).to_owned()])
        .collect();
    table(&["SWITCH", "VALUE"], &rows)
}

/// `settings` with each `name=value` carried out.
fn with(settings: Settings, switches: &[String]) -> Result<Settings, Failure> {
    let mut changed = settings;
    for switch in switches {
        let (name, value) = switch.split_once('=').ok_or_else(|| {
            Failure::new(format_args!(
                "\"{switch}\" gives no value: write it as SWITCH=VALUE"
            ))
        })?;
        changed = switches::set(changed, name, value).map_err(Failure::new)?;
    }
    Ok(changed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_can_be_set_and_refuses_other_values() {
        let before = Settings::default();
        for (name, value) in before.words() {
            let same = with(before, &[format!("{name}={value}")]);
            assert_eq!(same.unwrap(), before, "{name}");
            let other = match value {
                "on" => "off",
                "off" if name == "smimea" => "with-path",
                "off" => "on",
                "en" => "de",
                "soft" => "hard",
                "90" => "30",
                _ => "leave",
            };
            let after = with(before, &[format!("{name}={other}")]).unwrap();
            assert_eq!(after.changed_since(&before), format!("{name} {other}"));
            let wrong = with(before, &[format!("{name}=perhaps")]).unwrap_err();
            assert!(wrong.message.starts_with(name), "{}", wrong.message);
        }
        let unknown = with(before, &["colour=red".to_owned()]).unwrap_err();
        assert!(unknown.message.contains("subject-tags, header-protection"));
        let nothing = with(before, &["legacy".to_owned()]).unwrap_err();
        assert!(nothing.message.contains("SWITCH=VALUE"));
    }

    #[test]
    fn settings_stored_before_a_switch_existed_have_its_default() {
        let old = r#"{"all-or-nothing":true,"language":"de"}"#;
        let read: Settings = serde_json::from_str(old).unwrap();
        let expected = Settings {
            all_or_nothing: true,
            language: Language::De,
            ..Settings::default()
        };
        assert_eq!(read, expected);
        assert!(serde_json::from_str::<Settings>(r#"{"colour":true}"#).is_err());
    }
}
