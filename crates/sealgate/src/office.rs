//! What the portal asks of the gateway. One file for each topic, as in the portal.

mod account;
mod accounts;
mod authorities;
pub mod bulk;
mod certificates;
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

use std::sync::Arc;

use sealgate_core::change::{Change, describe};
use sealgate_portal::auth::Permitted;
use sealgate_portal::office::{Applied, Asked, Page, Paging, RefusedPart};
use sealgate_portal::problem::Problem;
use sealgate_store::{Instruction, Liveness, StoreError, Together};
use tokio::time::{Instant, sleep};

use crate::gateway::{Gateway, now};
use crate::limits::{LIVE_WAIT, TOGETHER, VERSION_POLL};

/// Answers the portal.
pub struct PortalOffice(pub Arc<Gateway>);

impl sealgate_portal::office::Office for PortalOffice {}

/// What a failure of the store is to whoever asks.
pub fn problem(error: StoreError) -> Problem {
    match error {
        StoreError::NotFound(_) => Problem::not_found(),
        StoreError::Refused(why) => Problem::refused(why),
        away if away.is_temporary() => {
            tracing::warn!(error = %away, "a request of the portal was put off");
            Problem::new("unavailable")
        }
        ours => Problem::internal(ours),
    }
}

impl PortalOffice {
    /// Carries out changes of the organisation that `who` is permitted for, all or none.
    pub async fn change<P>(&self, who: &Permitted<P>, changes: Vec<Change>) -> Asked<Applied> {
        let version = self
            .0
            .store
            .apply(who.organisation_name(), &changes, who.who(), now())
            .await
            .map_err(problem)?;
        self.applied(version, Vec::new()).await
    }

    /// Carries out many changes of one kind: those that are refused are named, the others are done (A14). Some at a time, so that
    /// mail never waits long for the database.
    pub async fn change_many<P>(
        &self,
        who: &Permitted<P>,
        changes: Vec<(String, Change)>,
    ) -> Asked<Applied> {
        let text = match changes.as_slice() {
            [] => return Err(Problem::new("nothing-chosen")),
            [(_, only)] => describe(only),
            [(_, first), rest @ ..] => format!("{} and {} more", describe(first), rest.len()),
        };
        let (mut refused, mut done, mut version, mut batch) = (Vec::new(), 0_usize, 0, None);
        for chunk in changes.chunks(TOGETHER) {
            let instruction = Instruction {
                changes: chunk.iter().map(|(_, change)| change.clone()).collect(),
                together: Some(Together {
                    text: text.clone(),
                    per_minute: None,
                    already: u32::try_from(done).unwrap_or(u32::MAX),
                    batch,
                }),
                ..Instruction::default()
            };
            let carried_out = self
                .0
                .store
                .carry_out(who.organisation_name(), instruction, who.who(), now())
                .await
                .map_err(problem)?;
            done += chunk.len().saturating_sub(carried_out.refused.len());
            version = carried_out.version;
            batch = batch.or(carried_out.batch);
            refused.extend(carried_out.refused.into_iter().filter_map(|(place, why)| {
                let (what, _) = chunk.get(place)?;
                Some(RefusedPart {
                    what: what.clone(),
                    why,
                })
            }));
        }
        self.applied(version, refused).await
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
fn older(paging: &Paging) -> Asked<Option<i64>> {
    let number = paging.after.as_deref().map(str::parse).transpose();
    number.map_err(|_| Problem::invalid("after", "give `next` of the page before"))
}

/// A page of `items`, each with its number; a full one has a next one.
fn numbered<T>(items: Vec<T>, paging: &Paging, number: impl Fn(&T) -> i64) -> Page<T> {
    let is_full = items.len() >= usize::try_from(paging.rows()).unwrap_or(usize::MAX);
    let next = items.last().filter(|_| is_full);
    Page {
        next: next.map(|item| number(item).to_string()),
        items,
    }
}
