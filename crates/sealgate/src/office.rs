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
use std::sync::Arc;

use sealgate_core::change::Change;
use sealgate_core::saying::Inputs;
use sealgate_portal::auth::Permitted;
use sealgate_portal::office::{Applied, Asked, Page, Paging, RefusedPart};
use sealgate_portal::problem::Problem;
use sealgate_store::{Liveness, Store, StoreError};
use tokio::time::{Instant, sleep};

use self::chain::Chain;
use crate::gateway::{Gateway, now};
use crate::limits::{LIVE_WAIT, VERSION_POLL};

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
        away if away.is_temporary() => {
            tracing::warn!(error = %away, "a request of the portal was put off");
            Problem::new("unavailable")
        }
        ours => Problem::internal(ours),
    }
}

/// Whether there is room for one more beside `others`.
fn room(others: usize, most: usize) -> Asked<()> {
    match others < most {
        true => Ok(()),
        false => Err(Problem {
            detail: Some(most.to_string().into()),
            ..Problem::new("too-many")
        }),
    }
}

/// Whether a text may be so long.
fn short(field: &'static str, text: &str, most: usize) -> Asked<()> {
    match text.chars().count() <= most {
        true => Ok(()),
        false => Err(Problem {
            field: Some(field),
            detail: Some(most.to_string().into()),
            ..Problem::new("too-long-text")
        }),
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
fn older(paging: &Paging) -> Asked<Option<i64>> {
    let number = paging.after.as_deref().map(str::parse).transpose();
    number.map_err(|_| Problem::wrong("after", Inputs::After {}))
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
