//! The check of the audit log's chain (row W11): a long log is followed in the background, and whoever asks is told how far that is.

use std::sync::{Arc, Mutex, PoisonError};

use sealgate_portal::office::Asked;
use sealgate_portal::office::records::AuditChain;
use sealgate_portal::problem::Problem;
use sealgate_store::{AuditStep, AuditWalk, Store};
use tokio::sync::watch;
use tokio::time::timeout;

use super::problem;
use crate::limits::AUDIT_CHECK_WAIT;

/// The check that is under way, or the one whose end nobody was told.
#[derive(Debug, Default)]
pub struct Chain(Mutex<Option<watch::Receiver<Progress>>>);

type Progress = Result<AuditChain, Problem>;

impl Chain {
    /// Begins a check, or joins the one under way, and waits for its end for a while.
    pub async fn check(self: &Arc<Self>, store: &Store) -> Asked<AuditChain> {
        let mut progress = self.joined(store);
        let done = |progress: &Progress| progress.as_ref().map_or(true, |chain| chain.done);
        let ended = timeout(AUDIT_CHECK_WAIT, progress.wait_for(done)).await;
        let is_ended = ended.is_ok();
        drop(ended);
        if is_ended {
            // The next one who asks wants to know about the lines that came since.
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        progress.borrow().clone()
    }

    fn joined(&self, store: &Store) -> watch::Receiver<Progress> {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        own.get_or_insert_with(|| {
            let begun = AuditChain {
                done: false,
                whole: true,
                broken_at: None,
                checked: 0,
                lines: 0,
            };
            let (told, progress) = watch::channel(Ok(begun));
            tokio::spawn(follow(store.clone(), begun, told));
            progress
        })
        .clone()
    }
}

/// Follows the chain, some lines at a time, and tells how far it is.
async fn follow(store: Store, mut chain: AuditChain, told: watch::Sender<Progress>) {
    let mut walk = AuditWalk::default();
    let newest = store.audit_newest().await;
    chain.lines = newest.unwrap_or_default();
    while !chain.done {
        match store.audit_step(&mut walk).await {
            Ok(AuditStep::On) => {}
            Ok(AuditStep::Whole) => chain.done = true,
            Ok(AuditStep::BrokenAt(line)) => {
                (chain.done, chain.whole) = (true, false);
                chain.broken_at = Some(line);
            }
            Err(error) => {
                let _ = told.send(Err(problem(error)));
                return;
            }
        }
        chain.checked = walk.checked;
        let _ = told.send(Ok(chain));
    }
}
