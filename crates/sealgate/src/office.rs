//! What the portal asks of the gateway. One file for each topic, as in the portal.

mod account;
mod accounts;
mod authorities;
pub mod bulk;
mod certificates;
mod chain;
mod clients;
mod directories;
mod domains;
mod inbound;
mod keys;
mod mailboxes;
mod mails;
mod organisations;
mod overview;
mod partners;
mod people;
mod queue;
mod records;
pub mod rules;
mod settings;
mod sign_in;
mod simulator;
mod start;
mod system;
mod trust;
mod upload;
mod users;
mod webhooks;

use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use sealgate_core::change::Change;
use sealgate_core::permission::Permission;
use sealgate_core::saying::{Inputs, Saying};
use sealgate_mail::visible::is_hidden;
use sealgate_portal::auth::Permitted;
use sealgate_portal::office::{Applied, Asked, Page, Paging, RefusedPart};
use sealgate_portal::problem::Problem;
use sealgate_store::{Instruction, Liveness, Store, StoreError};
use tokio::time::{Instant, sleep};

use self::chain::Chain;
use crate::gateway::{Gateway, now};
use crate::limits::{LIVE_WAIT, VERSION_POLL};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Answers the portal.
pub struct PortalOffice(pub Answering);

impl PortalOffice {
    /// For a gateway.
    pub fn new(gateway: &Arc<Gateway>) -> Self {
        Self(Answering {
            store: gateway.store.for_questions(),
            chain: Arc::default(),
            gateway: Arc::clone(gateway),
        })
    }
}

/// A gateway as it answers people: what is read for them takes no connection that mail reads with, and ends in time.
pub struct Answering {
    /// Its store, for questions.
    pub store: Store,
    /// The check of the audit log.
    pub chain: Arc<Chain>,
    gateway: Arc<Gateway>,
}

impl Deref for Answering {
    type Target = Arc<Gateway>;

    fn deref(&self) -> &Arc<Gateway> {
        &self.gateway
    }
}

impl sealgate_portal::office::Office for PortalOffice {}

/// What a failure of the store is to whoever asks.
pub fn problem(error: StoreError) -> Problem {
    match error {
        StoreError::NotFound(_) => Problem::not_found(),
        StoreError::Refused(why) => Problem::refused(why),
        StoreError::TooLong => Problem::new("too-long"),
        StoreError::ChangedMeanwhile => Problem::new("changed-meanwhile"),
        StoreError::TooMany { most } => Problem {
            detail: Some(Saying::words(most.to_string())),
            ..Problem::new("too-many")
        },
        away if away.is_temporary() => {
            tracing::warn!(error = %away, "a request of the portal was put off");
            Problem::new("unavailable")
        }
        ours => Problem::internal(ours),
    }
}

/// Whether a text can be a name: it shows what it is, and is no step of a path. Letters that nobody sees, or that turn the way of
/// writing, would have one name look like another one in lists and in the audit log.
fn is_plain(name: &str) -> bool {
    !matches!(name, "." | "..") && !name.chars().any(is_hidden)
}

/// Whether there may be so many of something in one field.
fn few(field: &'static str, count: usize, most: usize) -> Asked<()> {
    match count <= most {
        true => Ok(()),
        false => Err(Problem::wrong(field, Inputs::Entries { most })),
    }
}

/// Whether a text may be so long.
fn short(field: &'static str, text: &str, most: usize) -> Asked<()> {
    match text.chars().count() <= most {
        true => Ok(()),
        false => Err(Problem {
            field: Some(field),
            detail: Some(Saying::words(most.to_string())),
            ..Problem::new("too-long-text")
        }),
    }
}

impl PortalOffice {
    /// Whether nobody else loses by what whoever asks names: there is no other organisation, or the operator asks.
    fn is_free<P>(&self, who: &Permitted<P>) -> bool {
        let is_alone = self.0.installation().organisations().len() < 2;
        is_alone || who.may(Permission::Operate)
    }

    /// Carries out changes of the organisation that `who` is permitted for, all or none.
    pub async fn change<P>(&self, who: &Permitted<P>, changes: Vec<Change>) -> Asked<Applied> {
        let instruction = Instruction {
            changes,
            bounded: true,
            ..Instruction::default()
        };
        let (store, name) = (&self.0.store, who.organisation_name());
        let done = store.carry_out(name, instruction, who.who(), now()).await;
        self.applied(done.map_err(problem)?.version, Vec::new())
            .await
    }

    /// Carries out changes of one kind in one transaction: those that are refused are named, the others are done (A14).
    pub async fn change_many<P>(
        &self,
        who: &Permitted<P>,
        changes: Vec<(String, Change)>,
    ) -> Asked<Applied> {
        let (done, refused) = self.together(who, None, changes).await?;
        self.applied(done.version, refused).await
    }

    /// Waits until mails are decided by `version`, for as long as is promised.
    async fn applied(&self, version: u64, refused: Vec<RefusedPart>) -> Asked<Applied> {
        let deadline = Instant::now() + LIVE_WAIT;
        loop {
            let liveness = self.0.store.liveness(version, now()).await;
            let live = liveness.map_err(problem)? == Liveness::Live;
            if live || Instant::now() >= deadline {
                return Ok(Applied {
                    version,
                    live,
                    refused,
                });
            }
            sleep(VERSION_POLL / 4).await;
        }
    }
}

/// The number that a page of a list goes on after.
fn number<T: FromStr>(paging: &Paging) -> Asked<Option<T>> {
    let number = paging.after.as_deref().map(str::parse).transpose();
    number.map_err(|_| Problem::wrong("after", Inputs::After {}))
}

/// The last row of a page that is full: others may come after it.
fn last_of_full<'r, R>(rows: &'r [R], paging: &Paging) -> Option<&'r R> {
    let is_full = rows.len() >= usize::try_from(paging.rows()).unwrap_or(usize::MAX);
    rows.last().filter(|_| is_full)
}

/// The rows of a page as they are shown; `place` is what the page after them begins behind.
fn one_page<R, T>(
    rows: Vec<R>,
    paging: &Paging,
    (place, show): (impl Fn(&R) -> String, impl Fn(R) -> T),
) -> Page<T> {
    Page {
        next: last_of_full(&rows, paging).map(place),
        items: rows.into_iter().map(show).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_show_what_they_are() {
        for name in [
            "office", "Büro 2", "a..b", "...", "日本", "a%2fb", "=x", "<b>",
        ] {
            assert!(is_plain(name), "{name:?}");
        }
        let hidden = [
            "\u{202e}gnp",
            "a\u{200b}b",
            "a\u{feff}",
            "\u{2066}x",
            "a\u{ad}b",
            "\u{e0041}",
            "a\u{3164}",
            "\u{2800}",
        ];
        for name in [".", "..", "a\nb", "a\0", "\u{85}"].iter().chain(&hidden) {
            assert!(!is_plain(name), "{name:?}");
        }
    }
}
