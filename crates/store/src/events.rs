//! Events that administrators are told of: mail held, held mail expired, keys learned.

use sealgate_core::tenant::OrganisationId;
use sealgate_mail::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use crate::error::StoreError;
use crate::limits::PAGE_ROWS;
use crate::rows::{Columns, word};
use crate::store::Store;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// Mail is held.
    MailHeld,
    /// Held mail was kept for its time and is deleted.
    HeldMailExpired,
    /// A correspondent's key was learned, or is used now that its answer about revocation has come.
    KeyLearned,
    /// A correspondent's key is not used any more: it was revoked.
    KeyRevoked,
    /// A correspondent's key waits, because an answer about revocation is required and missing.
    KeyUnanswered,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// In words.
    pub text: String,
}

pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    organisation: i64,
    at: Timestamp,
    (kind, text): (EventKind, String),
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO events (organisation, at, kind, text) VALUES ($1, $2, $3, $4)")
        .bind(organisation)
        .bind(at.0)
        .bind(word(&kind)?)
        .bind(text)
        .execute(connection)
        .await?;
    Ok(())
}

impl Store {
    /// An organisation's events after the one numbered `after` (0: from the start), oldest first.
    pub async fn events(
        &self,
        organisation: OrganisationId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM events WHERE organisation = $1 AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(organisation.0)
        .bind(after)
        .bind(i64::from(limit.min(PAGE_ROWS)))
        .fetch_all(&self.0.readers)
        .await?;
        let event = |row: &sqlx::sqlite::SqliteRow| {
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
