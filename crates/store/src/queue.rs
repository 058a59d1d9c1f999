//! The queue at work: leases of what is due, and the transaction that settles an attempt.
//!
//! A lease moves `due` to its own end, so that a crash gives the work back by itself; `next_attempt` keeps the true
//! time. Starting to serve drops every lease at once.

use std::sync::Arc;

use sealgate_core::failure::HeldReason;
use sealgate_core::journal::{MailRecord, MailStatus};
use sealgate_core::ports::StoredContent;
use sealgate_core::queue::{CopyId, MailId, Outgoing, Problem, RecipientState};
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::smtp::{Envelope, EnvelopeRecipient, MailParams};
use sealgate_mail::{ReversePath, Timestamp};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::content::CopyContent;
use crate::error::StoreError;
use crate::journal::mail_record;
use crate::revocations;
use crate::rows::{Columns, size};
use crate::seal::Purpose;
use crate::store::{Inner, Store};
use crate::tx::Parts;
use crate::writer::{Weight, job};

mod attempt;

use attempt::{NewState, give_back, settle_recipient};
pub(crate) use attempt::{drop_parked, finish_if_done, noted};

/// The right to work on recipients of a copy until it ends.
#[derive(Clone, Copy, Debug)]
pub struct CopyLease {
    copy: i64,
    mail: MailId,
    organisation: i64,
    report: bool,
    token: i64,
}

/// The right to open a mail until it ends.
#[derive(Clone, Copy, Debug)]
pub struct ToOpenLease {
    pub(crate) id: i64,
    pub(crate) mail: MailId,
    pub(crate) organisation: i64,
    pub(crate) token: i64,
}

/// Number of a recipient of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecipientId(i64);

/// A copy to be handed over now, to the recipients that are due.
#[derive(Debug)]
pub struct LeasedCopy {
    /// To be given back with the results.
    pub lease: CopyLease,
    /// The copy.
    pub copy: CopyId,
    /// The mail it was made of.
    pub mail: MailId,
    /// The mail's record.
    pub record: MailRecord,
    /// Whose.
    pub organisation: OrganisationId,
    /// When it was accepted: its lifetime counts from here.
    pub accepted: Timestamp,
    /// MAIL FROM.
    pub from: ReversePath,
    /// Parameters of MAIL FROM.
    pub params: MailParams,
    /// What was done to it.
    pub status: MailStatus,
    /// Whether it is a report of ours.
    pub report: bool,
    /// Whether it was decrypted by an encryptedKey that came with another mail before (row C10).
    pub repeated_key: bool,
    /// Who is due.
    pub recipients: Vec<LeasedRecipient>,
    /// The header block, for reports.
    pub head: Vec<u8>,
    /// Head and body as they are sent.
    pub content: Arc<CopyContent>,
}

/// A recipient of a leased copy.
#[derive(Clone, Debug)]
pub struct LeasedRecipient {
    /// Its number.
    pub id: RecipientId,
    /// RCPT TO.
    pub envelope: EnvelopeRecipient,
    /// How it stands.
    pub state: RecipientState,
}

/// An inbound S/MIME mail to be opened now.
#[derive(Debug)]
pub struct LeasedToOpen {
    /// To be given back with the results.
    pub lease: ToOpenLease,
    /// The mail.
    pub mail: MailId,
    /// Its record.
    pub record: MailRecord,
    /// Its envelope, with the recipients to settle.
    pub envelope: Envelope,
    /// Fields to put before it.
    pub head: Vec<u8>,
    /// The mail as received.
    pub content: Arc<dyn StoredContent>,
    /// How often it was leased before; a mail that kills its worker shows here.
    pub attempts: u32,
}

/// The results of an attempt, all in one transaction.
#[derive(Debug)]
pub struct Attempted {
    /// The lease the attempt was made under.
    pub lease: CopyLease,
    /// When.
    pub now: Timestamp,
    /// What becomes of each recipient; those left out are given back as they were.
    pub results: Vec<(RecipientId, RecipientUpdate)>,
    /// Reports to the sender.
    pub reports: Vec<Outgoing>,
}

/// What becomes of one recipient.
#[derive(Clone, Debug)]
pub enum RecipientUpdate {
    /// Handed over; who took it, and with what words.
    Delivered(String),
    /// Tried again.
    Retry {
        /// When.
        at: Timestamp,
        /// Whether the sender is told, or was told before.
        delay_told: bool,
        /// What went wrong.
        problem: Problem,
    },
    /// Given up.
    Failed(Problem),
    /// Given up, and nobody may be told: held.
    Held(HeldReason, Problem),
}

impl Store {
    /// Leases up to `limit` recipients that are due, each copy with all of its due recipients, until `now` + `seconds`.
    pub async fn lease_due(
        &self,
        now: Timestamp,
        limit: u32,
        seconds: i64,
    ) -> Result<Vec<LeasedCopy>, StoreError> {
        let due = sqlx::query("SELECT copy FROM recipients WHERE due <= $1 ORDER BY due LIMIT $2")
            .bind(now.0)
            .bind(i64::from(limit))
            .fetch_all(&self.0.readers)
            .await?;
        let mut copies = due
            .iter()
            .map(|row| row.field("copy"))
            .collect::<Result<Vec<i64>, _>>()?;
        copies.sort_unstable();
        copies.dedup();
        if copies.is_empty() {
            return Ok(Vec::new());
        }
        let token = self.0.ids.next()?;
        let until = now.plus(seconds);
        let work = job(move |connection| {
            Box::pin(async move {
                let mut leased = Vec::new();
                for copy in copies {
                    leased.extend(lease_copy(connection, copy, (now, until, token)).await?);
                }
                Ok(leased)
            })
        });
        let leased = self.0.writer.write(Weight::default(), work).await?;
        let leased = leased
            .iter()
            .map(|(copy, recipients)| leased_copy(self, copy, recipients, token));
        readable(leased)
    }

    /// Leases up to `limit` mails to be opened until `now` + `seconds`.
    pub async fn lease_to_open(
        &self,
        now: Timestamp,
        limit: u32,
        seconds: i64,
    ) -> Result<Vec<LeasedToOpen>, StoreError> {
        let due = sqlx::query("SELECT id FROM to_open WHERE due <= $1 ORDER BY due LIMIT $2")
            .bind(now.0)
            .bind(i64::from(limit))
            .fetch_all(&self.0.readers)
            .await?;
        let ids = due
            .iter()
            .map(|row| row.field("id"))
            .collect::<Result<Vec<i64>, _>>()?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let token = self.0.ids.next()?;
        let until = now.plus(seconds);
        let work = job(move |connection| {
            Box::pin(async move {
                let mut leased = Vec::new();
                for id in ids {
                    leased.extend(lease_mail(connection, id, (now, until, token)).await?);
                }
                Ok(leased)
            })
        });
        let leased = self.0.writer.write(Weight::default(), work).await?;
        readable(leased.iter().map(|row| leased_to_open(self, row, token)))
    }

    /// When the next recipient or mail is due, or a lease ends.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query(
            "SELECT MIN(due) AS due FROM (SELECT MIN(due) AS due FROM recipients WHERE due IS NOT NULL
                                          UNION ALL SELECT MIN(due) AS due FROM to_open WHERE due IS NOT NULL) AS next",
        )
        .fetch_one(&self.0.readers)
        .await?;
        row.optional_time("due")
    }

    /// Settles an attempt. What an administrator did meanwhile stays, unless the mail is delivered.
    pub async fn attempted(&self, attempted: Attempted) -> Result<(), StoreError> {
        let Attempted {
            lease,
            now,
            results,
            reports,
        } = attempted;
        let mut parts = Parts::new(lease.mail, lease.organisation, now);
        parts.add_reports(&self.0, &reports)?;
        let results = results
            .into_iter()
            .map(|(RecipientId(id), update)| Ok((id, NewState::of(update, now)?)));
        let results = results.collect::<Result<Vec<_>, StoreError>>()?;
        let weight = Weight {
            octets: parts.octets(),
            wakes: true,
        };
        let work = job(move |connection| {
            Box::pin(async move {
                for (id, state) in results {
                    settle_recipient(connection, lease, (id, now), state).await?;
                }
                give_back(connection, lease).await?;
                parts.write(connection).await?;
                finish_if_done(connection, lease.copy).await
            })
        });
        self.0.writer.write(weight, work).await
    }

    /// Gives the leased recipients of a copy back to the queue untried; they are leased again at `at`.
    pub async fn postpone_copy(&self, lease: CopyLease, at: Timestamp) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE recipients SET lease = NULL, due = $1 WHERE copy = $2 AND lease = $3",
                )
                .bind(at.0)
                .bind(lease.copy)
                .bind(lease.token)
                .execute(connection)
                .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Gives a mail that could not be opened now back to the queue, to be tried at `at`.
    pub async fn postpone(&self, lease: ToOpenLease, at: Timestamp) -> Result<(), StoreError> {
        self.give_back(lease, at, 0).await
    }

    /// The same for a mail that cannot be opened as long as something is away: this attempt does not count.
    pub async fn postpone_untried(
        &self,
        lease: ToOpenLease,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.give_back(lease, at, 1).await
    }

    async fn give_back(
        &self,
        lease: ToOpenLease,
        at: Timestamp,
        uncounted: i64,
    ) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE to_open SET lease = NULL, due = $1, next_attempt = $1, attempts = attempts - $2
                     WHERE id = $3 AND lease = $4",
                )
                .bind(at.0)
                .bind(uncounted)
                .bind(lease.id)
                .bind(lease.token)
                .execute(connection)
                .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::WAKES, work).await
    }

    /// Whether `hash` of an encryptedKey was seen in another mail less than a year ago; remembers it for `mail`.
    pub async fn encrypted_key_seen(
        &self,
        hash: [u8; 32],
        mail: MailId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let oldest = now.plus(-sealgate_core::limits::ENCRYPTED_KEY_MEMORY).0;
        let work = job(move |connection| {
            Box::pin(async move {
                let row = sqlx::query(
                    "INSERT INTO encrypted_keys (hash, mail, at) VALUES ($1, $2, $3)
                     ON CONFLICT (hash) DO UPDATE
                     SET mail = CASE WHEN encrypted_keys.at < $4 THEN excluded.mail ELSE encrypted_keys.mail END,
                         at = CASE WHEN encrypted_keys.at < $4 THEN excluded.at ELSE encrypted_keys.at END
                     RETURNING mail",
                )
                .bind(hash.as_slice())
                .bind(mail.0)
                .bind(now.0)
                .bind(oldest)
                .fetch_one(connection)
                .await?;
                Ok(row.field::<i64>("mail")? != mail.0)
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Drops every lease: nobody works on anything when serving starts.
    pub(crate) async fn drop_leases(&self) -> Result<(), StoreError> {
        let work = job(|connection| {
            Box::pin(async move {
                sqlx::query("UPDATE recipients SET due = next_attempt, lease = NULL WHERE lease IS NOT NULL")
                    .execute(&mut *connection)
                    .await?;
                sqlx::query(
                    "UPDATE to_open SET due = next_attempt, lease = NULL WHERE lease IS NOT NULL",
                )
                .execute(&mut *connection)
                .await?;
                revocations::drop_leases(connection).await
            })
        });
        self.0.writer.write(Weight::WAKES, work).await
    }
}

type LeaseTerms = (Timestamp, Timestamp, i64);

async fn lease_copy(
    connection: &mut SqliteConnection,
    copy: i64,
    (now, until, token): LeaseTerms,
) -> Result<Option<(SqliteRow, Vec<SqliteRow>)>, StoreError> {
    let recipients = sqlx::query(
        "UPDATE recipients SET due = $1, lease = $2 WHERE copy = $3 AND due <= $4
         RETURNING id, envelope, attempts, delay_told",
    )
    .bind(until.0)
    .bind(token)
    .bind(copy)
    .bind(now.0)
    .fetch_all(&mut *connection)
    .await?;
    if recipients.is_empty() {
        return Ok(None);
    }
    let row = sqlx::query(
        "SELECT c.id AS copy, c.mail, c.accepted AS copy_accepted, c.envelope_from AS copy_from, c.params, c.status,
                c.report, c.head, c.content, c.body_from, t.octets, m.*,
                c.status = 'decrypted' AND NOT EXISTS (SELECT 1 FROM encrypted_keys k WHERE k.mail = c.mail) AS repeated_key
         FROM copies c JOIN mails m ON m.id = c.mail JOIN contents t ON t.id = c.content WHERE c.id = $1",
    )
    .bind(copy)
    .fetch_one(connection)
    .await?;
    Ok(Some((row, recipients)))
}

fn leased_copy(
    store: &Store,
    row: &SqliteRow,
    recipients: &[SqliteRow],
    token: i64,
) -> Result<LeasedCopy, StoreError> {
    let copy: i64 = row.field("copy")?;
    let mail = MailId(row.field("mail")?);
    let record = mail_record(row)?;
    let accepted = row.time("copy_accepted")?;
    let report = row.field("report")?;
    let head = store
        .0
        .sealer
        .open(Purpose::Head, &copy.to_string(), row.field("head")?)?;
    let body = store.stored(row.field("content")?, size(row.field("octets")?));
    let content = CopyContent {
        head: head.clone(),
        body,
        from: size(row.field("body_from")?),
    };
    Ok(LeasedCopy {
        lease: CopyLease {
            copy,
            mail,
            organisation: record.organisation.0,
            report,
            token,
        },
        copy: CopyId(copy),
        mail,
        organisation: record.organisation,
        record,
        accepted,
        from: row.reverse_path("copy_from")?,
        params: row.json("params")?,
        status: row.word("status")?,
        report,
        repeated_key: row.field("repeated_key")?,
        recipients: recipients
            .iter()
            .map(|row| leased_recipient(row, accepted))
            .collect::<Result<_, _>>()?,
        head,
        content: Arc::new(content),
    })
}

fn leased_recipient(row: &SqliteRow, accepted: Timestamp) -> Result<LeasedRecipient, StoreError> {
    let attempts = u32::try_from(row.field::<i64>("attempts")?).unwrap_or(u32::MAX);
    let state = RecipientState {
        accepted,
        attempts,
        delay_told: row.field("delay_told")?,
    };
    Ok(LeasedRecipient {
        id: RecipientId(row.field("id")?),
        envelope: row.json("envelope")?,
        state,
    })
}

async fn lease_mail(
    connection: &mut SqliteConnection,
    id: i64,
    (now, until, token): LeaseTerms,
) -> Result<Option<SqliteRow>, StoreError> {
    let done = sqlx::query("UPDATE to_open SET due = $1, lease = $2, attempts = attempts + 1 WHERE id = $3 AND due <= $4")
        .bind(until.0)
        .bind(token)
        .bind(id)
        .bind(now.0)
        .execute(&mut *connection)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(None);
    }
    let row = sqlx::query(
        "SELECT o.id AS to_open, o.mail, o.envelope, o.head, o.content, o.attempts, t.octets, m.*
         FROM to_open o JOIN mails m ON m.id = o.mail JOIN contents t ON t.id = o.content WHERE o.id = $1",
    )
    .bind(id)
    .fetch_one(connection)
    .await?;
    Ok(Some(row))
}

fn leased_to_open(store: &Store, row: &SqliteRow, token: i64) -> Result<LeasedToOpen, StoreError> {
    let id: i64 = row.field("to_open")?;
    let mail = MailId(row.field("mail")?);
    let record = mail_record(row)?;
    let before = row.field::<i64>("attempts")?.saturating_sub(1);
    Ok(LeasedToOpen {
        lease: ToOpenLease {
            id,
            mail,
            organisation: record.organisation.0,
            token,
        },
        mail,
        record,
        envelope: row.json("envelope")?,
        head: open_to_open_head(&store.0, id, row)?,
        content: store.stored(row.field("content")?, size(row.field("octets")?)),
        attempts: u32::try_from(before).unwrap_or(u32::MAX),
    })
}

/// Those that can be read. One that is damaged does not keep the others waiting: it is tried again when its lease ends.
fn readable<T>(leased: impl Iterator<Item = Result<T, StoreError>>) -> Result<Vec<T>, StoreError> {
    let (mut good, mut failure) = (Vec::new(), None);
    for one in leased {
        match one {
            Ok(one) => good.push(one),
            Err(error) => {
                tracing::error!(%error, "a mail in the queue cannot be read");
                failure = Some(error);
            }
        }
    }
    match failure {
        Some(error) if good.is_empty() => Err(error),
        _ => Ok(good),
    }
}

fn open_to_open_head(inner: &Inner, id: i64, row: &SqliteRow) -> Result<Vec<u8>, StoreError> {
    inner
        .sealer
        .open(Purpose::ToOpen, &id.to_string(), row.field("head")?)
}
