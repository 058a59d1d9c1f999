//! The transaction that settles an attempt: recipients, journal lines, and copies that leave the queue.

use sealgate_core::failure::HeldReason;
use sealgate_core::journal::MailStatus;
use sealgate_core::limits::HELD_LIFETIME;
use sealgate_core::queue::Problem;
use sealgate_core::saying::{Operation as Said, Saying};
use sealgate_mail::Timestamp;
use sqlx::{Row, SqliteConnection};

use super::{CopyLease, RecipientUpdate};
use crate::content::release;
use crate::error::StoreError;
use crate::events::{self, EventKind};
use crate::journal::{Delivery, Moved, moved};
use crate::rows::{Columns, json, of_json, word};
use crate::tx::queue_id;

/// A recipient's state after an attempt, as columns.
pub(super) struct NewState {
    state: &'static str,
    delivery: Delivery,
    due: Option<i64>,
    delay_told: bool,
    note: Option<String>,
    held_until: Option<i64>,
    text: Option<Saying>,
}

impl NewState {
    pub fn of(update: RecipientUpdate, now: Timestamp) -> Result<Self, StoreError> {
        let base = Self {
            state: "delivered",
            delivery: Delivery::Delivered,
            due: None,
            delay_told: false,
            note: None,
            held_until: None,
            text: None,
        };
        Ok(match update {
            RecipientUpdate::Delivered(by) => Self {
                text: Some(Saying::Words(by)),
                ..base
            },
            RecipientUpdate::Retry {
                at,
                delay_told,
                problem,
            } => Self {
                state: "waiting",
                delivery: Delivery::Waiting,
                due: Some(at.0),
                delay_told,
                note: Some(json(&problem)?),
                text: Some(*problem.said),
                ..base
            },
            RecipientUpdate::Failed(problem) => Self {
                state: "failed",
                delivery: Delivery::Failed,
                text: Some(*problem.said),
                ..base
            },
            RecipientUpdate::Held(reason, problem) => Self {
                state: "held",
                delivery: Delivery::Held,
                note: Some(reason.as_str().to_owned()),
                held_until: Some(now.plus(HELD_LIFETIME).0),
                text: Some(*problem.said),
                ..base
            },
        })
    }

    /// The word for the mail overview where the copy's own is not true any more.
    fn status(&self) -> Result<Option<String>, StoreError> {
        match self.delivery {
            Delivery::Failed | Delivery::Held => word(&MailStatus::Failed).map(Some),
            _ => Ok(None),
        }
    }
}

pub(super) async fn settle_recipient(
    connection: &mut SqliteConnection,
    lease: CopyLease,
    (id, now): (i64, Timestamp),
    state: NewState,
) -> Result<(), StoreError> {
    // What the peer took is delivered whatever happened here meanwhile; all else needs the lease.
    let row = sqlx::query(
        "UPDATE recipients SET state = $1, due = $2, next_attempt = COALESCE($2, next_attempt), lease = NULL,
                               attempts = attempts + 1, delay_told = $3, note = $4, held_until = $5
         WHERE id = $6 AND copy = $7 AND (lease = $8 OR $1 = 'delivered')
         RETURNING mailbox",
    )
    .bind(state.state)
    .bind(state.due)
    .bind(state.delay_told)
    .bind(&state.note)
    .bind(state.held_until)
    .bind(id)
    .bind(lease.copy)
    .bind(lease.token)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(()) };
    if state.delivery == Delivery::Held {
        let said = Said::MailHeld {
            mail: queue_id(lease.mail).to_string(),
            why: Box::new(HeldReason::told(state.note.as_deref().unwrap_or_default())),
        };
        events::insert(
            connection,
            lease.organisation,
            now,
            (EventKind::MailHeld, said),
        )
        .await?;
    }
    if lease.report {
        return Ok(());
    }
    let status = state.status()?;
    let mailbox: &str = row.field("mailbox")?;
    let (mail, delivery, text) = (lease.mail.0, state.delivery, state.text);
    moved(
        connection,
        Moved {
            mail,
            mailbox,
            delivery,
            at: now,
            text,
            status,
        },
    )
    .await
}

/// Recipients that the attempt said nothing about are due as before.
pub(super) async fn give_back(
    connection: &mut SqliteConnection,
    lease: CopyLease,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE recipients SET due = next_attempt, lease = NULL WHERE copy = $1 AND lease = $2",
    )
    .bind(lease.copy)
    .bind(lease.token)
    .execute(connection)
    .await?;
    Ok(())
}

/// A copy whose recipients are all settled leaves the queue; its content goes with the last reference. The journal stays.
pub(crate) async fn finish_if_done(
    connection: &mut SqliteConnection,
    copy: i64,
) -> Result<(), StoreError> {
    let open = sqlx::query(
        "SELECT 1 FROM recipients WHERE copy = $1 AND state IN ('waiting', 'held') LIMIT 1",
    )
    .bind(copy)
    .fetch_optional(&mut *connection)
    .await?;
    if open.is_some() {
        return Ok(());
    }
    drop_parked(connection, copy).await?;
    sqlx::query("DELETE FROM recipients WHERE copy = $1")
        .bind(copy)
        .execute(&mut *connection)
        .await?;
    let content = sqlx::query("DELETE FROM copies WHERE id = $1 RETURNING content")
        .bind(copy)
        .fetch_optional(&mut *connection)
        .await?;
    match content {
        Some(row) => release(connection, row.try_get(0)?).await,
        None => Ok(()),
    }
}

/// Forgets the mail that was kept for trying a held copy again.
pub(crate) async fn drop_parked(
    connection: &mut SqliteConnection,
    copy: i64,
) -> Result<(), StoreError> {
    let parked = sqlx::query("DELETE FROM to_open WHERE copy = $1 RETURNING content")
        .bind(copy)
        .fetch_all(&mut *connection)
        .await?;
    for row in parked {
        release(connection, row.try_get(0)?).await?;
    }
    Ok(())
}

/// What the note of a recipient says: why it is held, as a word; or what went wrong last.
pub(crate) fn noted(note: &str) -> (String, Saying) {
    match of_json::<Problem>(note.as_bytes()) {
        Ok(problem) => (problem.said.to_string(), *problem.said),
        Err(_) => (note.to_owned(), HeldReason::told(note)),
    }
}
