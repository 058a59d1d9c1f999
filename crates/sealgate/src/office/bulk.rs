//! Work on many mailboxes: up to some hundred at once while somebody waits, more in the background, told as it goes on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sealgate_core::change::{Change, describe};
use sealgate_core::tenant::OrganisationId;
use sealgate_portal::auth::{Permitted, Write};
use sealgate_portal::office::mailboxes::{Bulk, BulkProgress, BulkWork};
use sealgate_portal::office::{Applied, Asked, At, RefusedPart};
use sealgate_portal::problem::Problem;
use sealgate_store::{CarriedOut, Instruction, StoreError, Together};
use tokio::time::sleep;

use super::{PortalOffice, problem};
use crate::gateway::{Gateway, now};
use crate::limits::{BULK_PAUSE, BULK_REASONS, BULK_TOLD, TOGETHER};

/// Work that goes on, and work that ended lately: one for each organisation.
#[derive(Debug, Default)]
pub struct Works(Mutex<HashMap<OrganisationId, BulkProgress>>);

impl Works {
    /// Notes that work begins; `false` if other work of the organisation goes on.
    fn begin(&self, organisation: OrganisationId, progress: BulkProgress) -> bool {
        let mut works = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let goes_on = works
            .get(&organisation)
            .is_some_and(|work| work.ended.is_none());
        if !goes_on {
            works.insert(organisation, progress);
        }
        !goes_on
    }

    fn note(&self, organisation: OrganisationId, note: impl FnOnce(&mut BulkProgress)) {
        let mut works = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(progress) = works.get_mut(&organisation) {
            note(progress);
        }
    }

    /// What is told of an organisation's work; what ended long ago is forgotten.
    pub fn told(&self, organisation: OrganisationId) -> Option<BulkProgress> {
        let mut works = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = |progress: &BulkProgress| {
            progress
                .ended
                .is_none_or(|ended| now().since(ended.0) < BULK_TOLD)
        };
        works.retain(|_, progress| is_news(progress));
        works.get(&organisation).cloned()
    }
}

/// Changes of one kind, each with what is meant.
struct Job {
    organisation: OrganisationId,
    name: String,
    who: String,
    text: String,
    changes: Vec<(String, Change)>,
}

impl Job {
    /// Carries out the changes from `from` on, as many as are carried out in one transaction.
    async fn part(
        &self,
        gateway: &Gateway,
        from: usize,
        batch: Option<i64>,
    ) -> Result<(usize, CarriedOut), StoreError> {
        let part = self.changes.iter().skip(from).take(TOGETHER);
        let changes: Vec<Change> = part.map(|(_, change)| change.clone()).collect();
        let count = changes.len();
        let instruction = Instruction {
            changes,
            together: Some(Together {
                text: self.text.clone(),
                per_minute: None,
                already: u32::try_from(from).unwrap_or(u32::MAX),
                batch,
            }),
            ..Instruction::default()
        };
        let store = &gateway.store;
        let done = store
            .carry_out(&self.name, instruction, &self.who, now())
            .await?;
        Ok((count, done))
    }

    fn reasons(&self, from: usize, refused: Vec<(usize, String)>) -> Vec<RefusedPart> {
        let reason = |(place, why): (usize, String)| {
            let (what, _) = self.changes.get(from.saturating_add(place))?;
            Some(RefusedPart {
                what: what.clone(),
                why,
            })
        };
        refused.into_iter().filter_map(reason).collect()
    }

    /// All of it, part by part; mail gets the database in between.
    async fn run(self, gateway: Arc<Gateway>) {
        let (works, organisation) = (&gateway.bulk, self.organisation);
        let (mut from, mut batch, mut broken_off) = (0, None, false);
        while from < self.changes.len() {
            match self.part(&gateway, from, batch).await {
                Ok((count, done)) => {
                    batch = batch.or(done.batch);
                    let reasons = self.reasons(from, done.refused);
                    from = from.saturating_add(count);
                    works.note(organisation, |progress| {
                        progress.done = from as u64;
                        progress.batch = batch;
                        progress.refused = progress.refused.saturating_add(reasons.len() as u64);
                        let room = BULK_REASONS.saturating_sub(progress.reasons.len());
                        progress.reasons.extend(reasons.into_iter().take(room));
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, organisation = self.name, "work on many mailboxes broke off");
                    broken_off = true;
                    break;
                }
            }
            sleep(BULK_PAUSE).await;
        }
        works.note(organisation, |progress| {
            progress.ended = Some(At(now()));
            progress.broken_off = broken_off;
        });
    }
}

impl PortalOffice {
    /// Carries out changes of one kind: those that are refused are named, the others are done (A14). Many of them go on in the
    /// background.
    pub(super) async fn bulk(
        &self,
        who: &Permitted<Write>,
        work: BulkWork,
        changes: Vec<(String, Change)>,
    ) -> Asked<Bulk> {
        let text = match changes.as_slice() {
            [] => return Err(Problem::new("nothing-chosen")),
            [(_, only)] => describe(only),
            [(_, first), rest @ ..] => format!("{} and {} more", describe(first), rest.len()),
        };
        let job = Job {
            organisation: who.organisation(),
            name: who.organisation_name().to_owned(),
            who: who.who().to_owned(),
            text,
            changes,
        };
        if job.changes.len() > TOGETHER {
            return self.in_background(work, job).await;
        }
        let (count, done) = job.part(&self.0, 0, None).await.map_err(problem)?;
        let refused = job.reasons(0, done.refused);
        Ok(Bulk {
            done: count.saturating_sub(refused.len()) as u64,
            applied: self.applied(done.version, refused).await?,
            goes_on: None,
            batch: done.batch,
        })
    }

    async fn in_background(&self, work: BulkWork, job: Job) -> Asked<Bulk> {
        let progress = BulkProgress {
            work,
            all: job.changes.len() as u64,
            done: 0,
            refused: 0,
            reasons: Vec::new(),
            began: At(now()),
            ended: None,
            broken_off: false,
            batch: None,
        };
        // Asked before, so that nothing can come between the note that work begins and the work.
        let version = self.0.store.version().await.map_err(problem)?;
        if !self.0.bulk.begin(job.organisation, progress.clone()) {
            return Err(Problem::new("bulk-goes-on"));
        }
        tokio::spawn(job.run(Arc::clone(&self.0)));
        Ok(Bulk {
            applied: Applied {
                version,
                live: false,
                refused: Vec::new(),
            },
            done: 0,
            goes_on: Some(progress),
            batch: None,
        })
    }
}
