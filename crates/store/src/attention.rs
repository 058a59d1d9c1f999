//! What the overview of an organisation draws attention to, as counts that cost the same however much there is.

use sealgate_core::queue::MailId;
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::Timestamp;
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::events::Event;
use crate::limits::{ATTENTION_ROWS, EVENTS_OF_A_MAIL};
use crate::rows::{Columns, size};
use crate::store::Store;
use crate::tx::queue_id;

/// Active mailboxes whose certificate ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// How many.
    pub mailboxes: u64,
    /// When the first one ends.
    pub first: Option<Timestamp>,
}

impl Store {
    /// How many recipients of an organisation's mail wait for what is held; counted up to [`ATTENTION_ROWS`].
    pub async fn held_count(&self, organisation: OrganisationId) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS held FROM (
                 SELECT 1 FROM recipients r JOIN copies c ON c.id = r.copy
                 WHERE r.held_until IS NOT NULL AND c.organisation = $1 LIMIT $2)",
        )
        .bind(organisation.0)
        .bind(ATTENTION_ROWS)
        .fetch_one(&self.0.readers)
        .await?;
        Ok(size(row.field("held")?))
    }

    /// The active mailboxes whose certificate ends before `before`, and no other one is ordered.
    pub async fn ending_unordered(
        &self,
        organisation: OrganisationId,
        before: Timestamp,
    ) -> Result<Ending, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(DISTINCT k.mailbox) AS mailboxes, MIN(k.not_after) AS first FROM keys k
             WHERE k.organisation = $1 AND k.current = 1 AND k.not_after < $2
               AND NOT EXISTS (SELECT 1 FROM orders o
                               WHERE o.organisation = k.organisation AND o.mailbox = k.mailbox AND o.ended IS NULL)",
        )
        .bind(organisation.0)
        .bind(before.0)
        .fetch_one(&self.0.readers)
        .await?;
        Ok(Ending {
            mailboxes: size(row.field("mailboxes")?),
            first: row.field::<Option<i64>>("first")?.map(Timestamp),
        })
    }

    /// How many orders failed since `since` for mailboxes for which none was opened afterwards; counted up to [`ATTENTION_ROWS`].
    pub async fn orders_failed_since(
        &self,
        organisation: OrganisationId,
        since: Timestamp,
    ) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS failed FROM (
                 SELECT 1 FROM orders o
                 WHERE o.organisation = $1 AND o.state = 'failed' AND o.ended >= $2
                   AND NOT EXISTS (SELECT 1 FROM orders l
                                   WHERE l.organisation = o.organisation AND l.mailbox = o.mailbox AND l.id > o.id)
                 LIMIT $3)",
        )
        .bind(organisation.0)
        .bind(since.0)
        .bind(ATTENTION_ROWS)
        .fetch_one(&self.0.readers)
        .await?;
        Ok(size(row.field("failed")?))
    }

    /// The events that name a mail, among the first [`EVENTS_OF_A_MAIL`] from `since` on, oldest first.
    pub async fn events_about(
        &self,
        organisation: OrganisationId,
        mail: MailId,
        since: Timestamp,
    ) -> Result<Vec<Event>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM (SELECT * FROM events WHERE organisation = $1 AND at >= $2 ORDER BY at, id LIMIT $3)
             WHERE instr(text, $4) > 0 ORDER BY id",
        )
        .bind(organisation.0)
        .bind(since.0)
        .bind(EVENTS_OF_A_MAIL)
        .bind(queue_id(mail))
        .fetch_all(&self.0.readers)
        .await?;
        let event = |row: &SqliteRow| {
            Ok(Event {
                id: row.field("id")?,
                at: row.time("at")?,
                kind: row.word("kind")?,
                text: row.field("text")?,
            })
        };
        rows.iter().map(event).collect()
    }
}
