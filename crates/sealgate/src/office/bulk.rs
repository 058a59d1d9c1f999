//! Bulk work: a piece at once while somebody waits, the others by the running gateway, which goes on after a restart.

use std::sync::Arc;

use sealgate_core::change::{Change, describe};
use sealgate_core::saying::{Changes, Inputs, Saying};
use sealgate_mail::Address;
use sealgate_portal::auth::{Permitted, Read, Write};
use sealgate_portal::office::mailboxes::{self, BulkDone, BulkWork};
use sealgate_portal::office::{Asked, At, Page, Paging, RefusedPart};
use sealgate_portal::problem::Problem;
use sealgate_store::limits::TOGETHER;
use sealgate_store::{
    self as store, BulkAction, BulkEnding, BulkKind, CarriedOut, Instruction, StoreError, Together,
};
use tokio::sync::watch;
use tokio::time::sleep;

use super::{PortalOffice, number, one_page, problem};
use crate::gateway::{Gateway, now};
use crate::limits::{BULK_AGAIN, BULK_PAUSE, BULK_POLL, BULK_TOLD, BULK_TOLD_AT_ONCE};

/// Does bulk work, piece by piece, until `stop` becomes true; mail gets the database in between.
pub async fn run(gateway: Arc<Gateway>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let (pause, can_be_woken) = match piece(&gateway).await {
            Ok(true) => (BULK_PAUSE, false),
            Ok(false) => (BULK_POLL, true),
            Err(error) => {
                tracing::warn!(%error, "bulk work waits");
                (BULK_AGAIN, false)
            }
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = gateway.bulk.notified(), if can_be_woken => {}
            () = sleep(pause) => {}
        }
    }
}

/// The next piece; `false` if there is none. Work that cannot go on now does not hold up that of others.
async fn piece(gateway: &Gateway) -> Result<bool, StoreError> {
    let mut waits = None;
    for id in gateway.store.next_bulk_work().await? {
        match gateway.store.bulk_work_piece(id, now()).await {
            Ok(()) => return Ok(true),
            Err(error) if error.is_temporary() => waits = Some(error),
            Err(error) => {
                tracing::error!(%error, id, "bulk work broke off");
                gateway.store.break_off_bulk_work(id, now()).await?;
                return Ok(true);
            }
        }
    }
    waits.map_or(Ok(false), Err)
}

impl PortalOffice {
    /// Does one thing with many mailboxes: those that it is refused for are named, for the others it is done (A14). What is more
    /// than a piece is bulk work.
    pub(super) async fn bulk(
        &self,
        who: &Permitted<Write>,
        action: BulkAction,
        mailboxes: Vec<Address>,
    ) -> Asked<BulkDone> {
        let is_more = mailboxes.len() > TOGETHER || matches!(action, BulkAction::Removal(_));
        if is_more {
            return self.begin_bulk_work(who, action, mailboxes).await;
        }
        let one = |mailbox: Address| (mailbox.to_string(), action.change(mailbox));
        let changes: Vec<(String, Change)> = mailboxes.into_iter().map(one).collect();
        let all = changes.len();
        let (done, refused) = self.together(who, action.per_minute(), changes).await?;
        Ok(BulkDone {
            done: all.saturating_sub(refused.len()) as u64,
            applied: self.applied(done.version, refused).await?,
            goes_on: None,
            batch: done.batch,
        })
    }

    async fn begin_bulk_work(
        &self,
        who: &Permitted<Write>,
        action: BulkAction,
        mailboxes: Vec<Address>,
    ) -> Asked<BulkDone> {
        let changes = mailboxes.iter().take(1).cloned();
        let first = changes.map(|mailbox| action.change(mailbox)).next();
        let text = called(first.as_ref(), mailboxes.len());
        let (store, organisation) = (&self.0.store, who.organisation());
        let begun =
            store.begin_bulk_work(organisation, (action, text), mailboxes, who.who(), now());
        let begun = begun.await.map_err(problem)?;
        let begun = begun.ok_or_else(|| Problem::new("bulk-goes-on"))?;
        self.0.bulk.notify_one();
        let work = shown(begun.work);
        let refused = work.reasons.clone();
        Ok(BulkDone {
            done: work.done.saturating_sub(work.refused),
            batch: work.batch,
            applied: self.applied(begun.first.version, refused).await?,
            goes_on: work.ended.is_none().then_some(work),
        })
    }

    /// Carries out changes of one kind that somebody waits for, in one transaction: those that are refused are named, the others
    /// are done.
    pub(super) async fn together<P>(
        &self,
        who: &Permitted<P>,
        per_minute: Option<u32>,
        changes: Vec<(String, Change)>,
    ) -> Asked<(CarriedOut, Vec<RefusedPart>)> {
        if changes.is_empty() {
            return Err(Problem::new("nothing-chosen"));
        }
        if changes.len() > TOGETHER {
            return Err(Problem::wrong(
                "mailboxes",
                Inputs::AtOnce { most: TOGETHER },
            ));
        }
        let first = changes.first().map(|(_, first)| first);
        let text = called(first, changes.len());
        let (what, changes): (Vec<String>, Vec<Change>) = changes.into_iter().unzip();
        let instruction = Instruction {
            changes,
            together: Some(Together {
                text,
                per_minute,
                already: 0,
                batch: None,
            }),
            ..Instruction::default()
        };
        let (store, name) = (&self.0.store, who.organisation_name());
        let done = store.carry_out(name, instruction, who.who(), now()).await;
        let done = done.map_err(problem)?;
        let refused = done.refused.iter().filter_map(|(place, why)| {
            Some(RefusedPart::new(what.get(*place)?.clone(), why.clone()))
        });
        let refused = refused.collect();
        Ok((done, refused))
    }

    /// What goes on, and what ended lately.
    pub(super) async fn bulk_news(&self, who: &Permitted<Read>) -> Asked<Vec<BulkWork>> {
        let store = &self.0.store;
        let rows = store.bulk_work_page(who.organisation(), None, BULK_TOLD_AT_ONCE);
        let rows = rows.await.map_err(problem)?.into_iter();
        Ok(rows.filter(is_news).map(shown).collect())
    }

    /// All that is kept, the newest first.
    pub(super) async fn bulk_page(
        &self,
        who: &Permitted<Read>,
        paging: &Paging,
    ) -> Asked<Page<BulkWork>> {
        let (store, before) = (&self.0.store, number(paging)?);
        let rows = store.bulk_work_page(who.organisation(), before, paging.rows());
        let rows = rows.await.map_err(problem)?;
        let place = |row: &store::BulkWork| row.id.to_string();
        Ok(one_page(rows, paging, (place, shown)))
    }

    pub(super) async fn bulk_stopped(&self, who: &Permitted<Write>, id: i64) -> Asked<BulkWork> {
        let store = &self.0.store;
        let stopped = store.stop_bulk_work(who.organisation(), id, who.who(), now());
        Ok(shown(stopped.await.map_err(problem)?))
    }
}

/// Many changes in words: the first of them, and how many more.
pub fn called(first: Option<&Change>, all: usize) -> Saying {
    let first = first.map_or_else(|| Saying::Words(String::new()), describe);
    match all {
        0 | 1 => first,
        all => Changes::AndMore {
            first: first.into(),
            count: i64::try_from(all.saturating_sub(1)).unwrap_or(i64::MAX),
        }
        .into(),
    }
}

fn is_news(row: &store::BulkWork) -> bool {
    row.ended.is_none_or(|(at, _)| now().since(at) < BULK_TOLD)
}

fn shown(row: store::BulkWork) -> BulkWork {
    let part = |(what, why): (String, Saying)| RefusedPart::new(what, why);
    let ending = row.ended.map(|(_, ending)| ending);
    BulkWork {
        id: row.id,
        kind: match row.kind {
            BulkKind::Activation => mailboxes::BulkKind::Activation,
            BulkKind::Renewal => mailboxes::BulkKind::Renewal,
            BulkKind::Deactivation => mailboxes::BulkKind::Deactivation,
            BulkKind::Removal => mailboxes::BulkKind::Removal,
        },
        who: row.who,
        all: row.total,
        done: row.done,
        refused: row.refused,
        reasons: row.reasons.into_iter().map(part).collect(),
        began: At(row.made),
        ended: row.ended.map(|(at, _)| At(at)),
        broken_off: ending == Some(BulkEnding::BrokenOff),
        stopped_by: row.stopped_by,
        batch: row.batch,
    }
}
