//! The administrator's side of the queue: retry, hold, release, delete; and the expiry of held mail.
//!
//! Every change leaves a line in the audit log, in the same transaction.

use sealgate_core::failure::HeldReason;
use sealgate_core::journal::MailStatus;
use sealgate_core::limits::HELD_LIFETIME;
use sealgate_core::queue::MailId;
use sealgate_core::saying::Operation as Said;
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::Timestamp;
use sealgate_mail::smtp::Envelope;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::audit;
use crate::configuration::next_number;
use crate::content::release;
use crate::error::StoreError;
use crate::events::{self, EventKind};
use crate::journal::{Delivery, Moved, moved};
use crate::limits::SWEEP_ROWS;
use crate::queue::{drop_parked, finish_if_done};
use crate::rows::{Columns, size, word};
use crate::store::Store;
use crate::tx::queue_id;
use crate::writer::{Weight, job};

mod list;
mod look;

pub use list::{QueueFilter, QueueRow};
pub use look::{Look, QueuedContent};

/// What an administrator does to the recipients of one mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Try what waits now; decide held mail again where that is possible, else release it.
    Retry,
    /// Hold what waits.
    Hold,
    /// Send what is held.
    Release,
    /// Take it out of the queue; nobody is told.
    Delete,
}

impl Verb {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retried",
            Self::Hold => "held",
            Self::Release => "released",
            Self::Delete => "deleted",
        }
    }

    fn said(self, mail: MailId, count: u64) -> Said {
        let (mail, count) = (
            queue_id(mail).to_string(),
            i64::try_from(count).unwrap_or(i64::MAX),
        );
        match self {
            Self::Retry => Said::Retried { mail, count },
            Self::Hold => Said::Held { mail, count },
            Self::Release => Said::Released { mail, count },
            Self::Delete => Said::Deleted { mail, count },
        }
    }
}

/// The counter of verbs done.
const DESK: &str = "desk";

impl Store {
    /// Does `verb` to every recipient of `mail` it applies to; returns how many those were.
    /// With `organisation`, a mail of another one is not found.
    pub async fn act(
        &self,
        verb: Verb,
        mail: MailId,
        organisation: Option<OrganisationId>,
        who: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let who = who.to_owned();
        let work = job(move |connection| {
            Box::pin(async move {
                let name = owner(connection, mail, organisation).await?;
                // First those to be opened: a held copy that is retried becomes one of them.
                let mut count = act_on_to_open(connection, verb, mail, now).await?;
                for copy in copies_of(connection, mail).await? {
                    count = count.saturating_add(act_on_copy(connection, verb, &copy, now).await?);
                }
                if count == 0 {
                    let id = queue_id(mail);
                    return Err(StoreError::NotFound(format!(
                        "nothing of mail {id} can be {}",
                        verb.as_str()
                    )));
                }
                let said = verb.said(mail, count);
                audit::insert(
                    connection,
                    audit::Entry {
                        at: now,
                        who: &who,
                        organisation: &name,
                        said: said.into(),
                    },
                )
                .await?;
                next_number(connection, DESK).await?;
                Ok(count)
            })
        });
        self.0.writer.write(Weight::WAKES, work).await
    }

    /// Grows with every verb, so that the process that serves can see what another one did to its queue.
    pub async fn verbs_done(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT value FROM counters WHERE name = $1")
            .bind(DESK)
            .fetch_optional(&self.0.readers)
            .await?;
        row.map_or(Ok(0), |row| Ok(size(row.field("value")?)))
    }

    /// Deletes mail that was held too long, with an event; returns how many recipients that were.
    pub async fn expire_held(&self, now: Timestamp) -> Result<u64, StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "SELECT id, copy, mailbox FROM recipients WHERE held_until <= $1 LIMIT $2",
                )
                .bind(now.0)
                .bind(SWEEP_ROWS)
                .fetch_all(&mut *connection)
                .await?;
                for row in &rows {
                    expire(connection, row, now).await?;
                }
                Ok(rows.len() as u64)
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }
}

/// The name of the organisation the mail belongs to.
async fn owner(
    connection: &mut SqliteConnection,
    mail: MailId,
    organisation: Option<OrganisationId>,
) -> Result<String, StoreError> {
    let row = sqlx::query(
        "SELECT o.id, o.name FROM mails m JOIN organisations o ON o.id = m.organisation WHERE m.id = $1",
    )
    .bind(mail.0)
    .fetch_optional(connection)
    .await?;
    match row {
        Some(row) if organisation.is_none_or(|id| row.field("id") == Ok(id.0)) => row.field("name"),
        _ => Err(StoreError::NotFound(format!(
            "there is no mail {}",
            queue_id(mail)
        ))),
    }
}

/// A copy as the verbs need it.
struct Copy {
    id: i64,
    mail: i64,
    status: String,
    report: bool,
}

async fn copies_of(
    connection: &mut SqliteConnection,
    mail: MailId,
) -> Result<Vec<Copy>, StoreError> {
    let rows =
        sqlx::query("SELECT id, mail, status, report FROM copies WHERE mail = $1 ORDER BY id")
            .bind(mail.0)
            .fetch_all(connection)
            .await?;
    let copy = |row: &SqliteRow| {
        Ok(Copy {
            id: row.field("id")?,
            mail: row.field("mail")?,
            status: row.field("status")?,
            report: row.field("report")?,
        })
    };
    rows.iter().map(copy).collect()
}

async fn act_on_copy(
    connection: &mut SqliteConnection,
    verb: Verb,
    copy: &Copy,
    now: Timestamp,
) -> Result<u64, StoreError> {
    match verb {
        Verb::Retry => {
            let waiting = set_due(connection, copy, now).await?;
            let held = match unpark(connection, copy, now).await? {
                0 => release_held(connection, copy, now).await?,
                again => again,
            };
            Ok(waiting.saturating_add(held))
        }
        Verb::Hold => hold(connection, copy, now).await,
        Verb::Release => release_held(connection, copy, now).await,
        Verb::Delete => delete(connection, copy, now).await,
    }
}

async fn act_on_to_open(
    connection: &mut SqliteConnection,
    verb: Verb,
    mail: MailId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    match verb {
        Verb::Retry => {
            let done = sqlx::query(
                "UPDATE to_open SET due = $1, next_attempt = $1 WHERE mail = $2 AND copy IS NULL AND lease IS NULL",
            )
            .bind(now.0)
            .bind(mail.0)
            .execute(connection)
            .await?;
            Ok(done.rows_affected())
        }
        Verb::Delete => delete_to_open(connection, mail, now).await,
        Verb::Hold | Verb::Release => Ok(0),
    }
}

/// A mail that was never opened is forgotten; whoever opens it at this moment finds its lease gone.
async fn delete_to_open(
    connection: &mut SqliteConnection,
    mail: MailId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let rows = sqlx::query(
        "DELETE FROM to_open WHERE mail = $1 AND copy IS NULL RETURNING envelope, content",
    )
    .bind(mail.0)
    .fetch_all(&mut *connection)
    .await?;
    let mut count = 0_u64;
    let status = Some(word(&MailStatus::Failed)?);
    for row in &rows {
        release(connection, row.field("content")?).await?;
        let envelope: Envelope = row.json("envelope")?;
        for recipient in envelope.recipients {
            let (mailbox, status) = (recipient.address.key(), status.clone());
            let (mail, delivery, text) = (mail.0, Delivery::Deleted, None);
            moved(
                connection,
                Moved {
                    mail,
                    mailbox: &mailbox,
                    delivery,
                    at: now,
                    text,
                    status,
                },
            )
            .await?;
            count = count.saturating_add(1);
        }
    }
    Ok(count)
}

async fn set_due(
    connection: &mut SqliteConnection,
    copy: &Copy,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE recipients SET due = $1, next_attempt = $1 WHERE copy = $2 AND state = 'waiting' AND lease IS NULL",
    )
    .bind(now.0)
    .bind(copy.id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Gives the held recipients of a copy back to the worker as a mail to be opened, if it was kept for that.
async fn unpark(
    connection: &mut SqliteConnection,
    copy: &Copy,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let parked = sqlx::query(
        "UPDATE to_open SET copy = NULL, due = $1, next_attempt = $1, attempts = 0 WHERE copy = $2",
    )
    .bind(now.0)
    .bind(copy.id)
    .execute(&mut *connection)
    .await?;
    if parked.rows_affected() == 0 {
        return Ok(0);
    }
    let rows = sqlx::query("UPDATE recipients SET state = 'deleted', held_until = NULL WHERE copy = $1 AND state = 'held' RETURNING mailbox")
        .bind(copy.id)
        .fetch_all(&mut *connection)
        .await?;
    let status = word(&MailStatus::Waiting)?;
    for row in &rows {
        tell(
            connection,
            copy,
            row,
            (Delivery::ToOpen, now, Some(status.clone())),
        )
        .await?;
    }
    finish_if_done(connection, copy.id).await?;
    Ok(rows.len() as u64)
}

async fn hold(
    connection: &mut SqliteConnection,
    copy: &Copy,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let rows = sqlx::query(
        "UPDATE recipients SET state = 'held', due = NULL, lease = NULL, note = $1, held_until = $2
         WHERE copy = $3 AND state = 'waiting' RETURNING mailbox",
    )
    .bind(HeldReason::Administrator.as_str())
    .bind(now.plus(HELD_LIFETIME).0)
    .bind(copy.id)
    .fetch_all(&mut *connection)
    .await?;
    for row in &rows {
        tell(connection, copy, row, (Delivery::Held, now, None)).await?;
    }
    Ok(rows.len() as u64)
}

async fn release_held(
    connection: &mut SqliteConnection,
    copy: &Copy,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let rows = sqlx::query(
        "UPDATE recipients SET state = 'waiting', due = $1, next_attempt = $1, attempts = 0, note = NULL, held_until = NULL
         WHERE copy = $2 AND state = 'held' RETURNING mailbox",
    )
    .bind(now.0)
    .bind(copy.id)
    .fetch_all(&mut *connection)
    .await?;
    if rows.is_empty() {
        return Ok(0);
    }
    // Its lifetime in the queue begins now; while it was held, nothing could be tried.
    sqlx::query("UPDATE copies SET accepted = $1 WHERE id = $2")
        .bind(now.0)
        .bind(copy.id)
        .execute(&mut *connection)
        .await?;
    drop_parked(connection, copy.id).await?;
    for row in &rows {
        tell(
            connection,
            copy,
            row,
            (Delivery::Waiting, now, Some(copy.status.clone())),
        )
        .await?;
    }
    Ok(rows.len() as u64)
}

async fn delete(
    connection: &mut SqliteConnection,
    copy: &Copy,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let rows = sqlx::query(
        "UPDATE recipients SET state = 'deleted', due = NULL, lease = NULL, held_until = NULL
         WHERE copy = $1 AND state IN ('waiting', 'held') RETURNING mailbox",
    )
    .bind(copy.id)
    .fetch_all(&mut *connection)
    .await?;
    let status = word(&MailStatus::Failed)?;
    for row in &rows {
        tell(
            connection,
            copy,
            row,
            (Delivery::Deleted, now, Some(status.clone())),
        )
        .await?;
    }
    finish_if_done(connection, copy.id).await?;
    Ok(rows.len() as u64)
}

async fn tell(
    connection: &mut SqliteConnection,
    copy: &Copy,
    row: &SqliteRow,
    (delivery, at, status): (Delivery, Timestamp, Option<String>),
) -> Result<(), StoreError> {
    if copy.report {
        return Ok(());
    }
    let mailbox: &str = row.field("mailbox")?;
    moved(
        connection,
        Moved {
            mail: copy.mail,
            mailbox,
            delivery,
            at,
            text: None,
            status,
        },
    )
    .await
}

async fn expire(
    connection: &mut SqliteConnection,
    recipient: &SqliteRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let copy: i64 = recipient.field("copy")?;
    let row =
        sqlx::query("SELECT id, mail, organisation, status, report FROM copies WHERE id = $1")
            .bind(copy)
            .fetch_one(&mut *connection)
            .await?;
    let (mail, organisation): (i64, i64) = (row.field("mail")?, row.field("organisation")?);
    sqlx::query("UPDATE recipients SET state = 'deleted', held_until = NULL WHERE id = $1")
        .bind(recipient.field::<i64>("id")?)
        .execute(&mut *connection)
        .await?;
    let copy = Copy {
        id: copy,
        mail,
        status: row.field("status")?,
        report: row.field("report")?,
    };
    tell(
        connection,
        &copy,
        recipient,
        (Delivery::Deleted, now, Some(word(&MailStatus::Failed)?)),
    )
    .await?;
    let said = Said::HeldTooLong {
        mail: queue_id(MailId(mail)).to_string(),
    };
    events::insert(
        connection,
        organisation,
        now,
        (EventKind::HeldMailExpired, said),
    )
    .await?;
    finish_if_done(connection, copy.id).await
}
