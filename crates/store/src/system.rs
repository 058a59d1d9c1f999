//! What the operator looks at: who serves, what waits, how large the database is.

use sealgate_mail::Timestamp;

use crate::error::StoreError;
use crate::limits::NODE_SILENT_SECONDS;
use crate::rows::{Columns, size};
use crate::store::Store;

/// A process that serves, or served until lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// The version of the configuration by which it decides.
    pub version: u64,
    /// Its last sign of life.
    pub seen: Timestamp,
    /// Whether that is so short ago that it counts as alive.
    pub alive: bool,
}

/// What is in the queue of all organisations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Recipients that wait for delivery.
    pub waiting: u64,
    /// Held ones.
    pub held: u64,
    /// Mails to be opened.
    pub to_open: u64,
    /// When the delivery or opening that is due longest became due.
    pub oldest_due: Option<Timestamp>,
}

impl Store {
    /// The processes that serve, by name.
    pub async fn nodes(&self, now: Timestamp) -> Result<Vec<Node>, StoreError> {
        let rows = sqlx::query("SELECT * FROM nodes ORDER BY name")
            .fetch_all(&self.0.readers)
            .await?;
        let node = |row: &sqlx::sqlite::SqliteRow| {
            let seen = row.time("seen")?;
            Ok(Node {
                name: row.field("name")?,
                version: size(row.field("version")?),
                seen,
                alive: seen > now.plus(-NODE_SILENT_SECONDS),
            })
        };
        rows.iter().map(node).collect()
    }

    /// Counts of the queue of all organisations.
    pub async fn queue_counts(&self) -> Result<QueueCounts, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM recipients WHERE due IS NOT NULL) AS waiting,
                    (SELECT COUNT(*) FROM recipients WHERE held_until IS NOT NULL) AS held,
                    (SELECT COUNT(*) FROM to_open WHERE due IS NOT NULL) AS to_open,
                    (SELECT MIN(due) FROM (SELECT MIN(due) AS due FROM recipients WHERE due IS NOT NULL
                     UNION ALL SELECT MIN(due) FROM to_open WHERE due IS NOT NULL)) AS oldest",
        )
        .fetch_one(&self.0.readers)
        .await?;
        Ok(QueueCounts {
            waiting: size(row.field("waiting")?),
            held: size(row.field("held")?),
            to_open: size(row.field("to_open")?),
            oldest_due: row.optional_time("oldest")?,
        })
    }

    /// Octets of the database, without its log.
    pub async fn octets(&self) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT page_count * page_size AS octets FROM pragma_page_count(), pragma_page_size()",
        )
        .fetch_one(&self.0.readers)
        .await?;
        Ok(size(row.field("octets")?))
    }

    /// Octets that are free on the disk of the data directory.
    pub fn free_octets(&self) -> Result<u64, StoreError> {
        let stat = rustix::fs::statvfs(&self.0.directory)
            .map_err(|error| StoreError::Database(error.to_string()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}
