//! What a serving process does from time to time: says that it lives and under which configuration, and sweeps.

use sealgate_core::limits::{ENCRYPTED_KEY_MEMORY, SENT_MEMORY};
use sealgate_mail::Timestamp;

use crate::error::StoreError;
use crate::limits::{BULK_MEMORY, NODE_SILENT_SECONDS, SWEEP_ROWS, UNREFERENCED_SECONDS};
use crate::rows::{Columns, column, size};
use crate::store::Store;
use crate::writer::{Weight, job};

/// How far the serving processes are with a version of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// No process serves.
    NobodyServes,
    /// At least one process still decides under an older version.
    NotYet,
    /// Every serving process decides under it.
    Live,
}

impl Store {
    /// This process serves and decides under `version`. To be said at least every few seconds.
    pub async fn report_version(&self, version: u64, now: Timestamp) -> Result<(), StoreError> {
        let node = self.0.node.clone();
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO nodes (name, version, seen) VALUES ($1, $2, $3)
                     ON CONFLICT (name) DO UPDATE SET version = excluded.version, seen = excluded.seen",
                )
                .bind(node)
                .bind(column(version))
                .bind(now.0)
                .execute(connection)
                .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// This process serves no more.
    pub async fn report_stopped(&self) -> Result<(), StoreError> {
        let node = self.0.node.clone();
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query("DELETE FROM nodes WHERE name = $1")
                    .bind(node)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Whether every serving process decides under `version` or a later one.
    pub async fn liveness(&self, version: u64, now: Timestamp) -> Result<Liveness, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS nodes, MIN(version) AS oldest FROM nodes WHERE seen > $1",
        )
        .bind(now.plus(-NODE_SILENT_SECONDS).0)
        .fetch_one(&self.0.readers)
        .await?;
        let oldest: Option<i64> = row.field("oldest")?;
        Ok(match oldest {
            None => Liveness::NobodyServes,
            Some(oldest) if size(oldest) >= version => Liveness::Live,
            Some(_) => Liveness::NotYet,
        })
    }

    /// Hourly: sweeps content that nothing refers to and what is remembered or kept long enough, and expires held mail.
    pub async fn maintain(&self, now: Timestamp) -> Result<(), StoreError> {
        self.sweep(now, now.plus(-UNREFERENCED_SECONDS)).await?;
        while self.expire_held(now).await? > 0 {}
        self.forget_old(now).await?;
        self.drop_data_keys(now).await
    }

    /// Sweeps; unreferenced content goes if it was made before `made_before`.
    pub(crate) async fn sweep(
        &self,
        now: Timestamp,
        made_before: Timestamp,
    ) -> Result<(), StoreError> {
        let memories: [(&'static str, i64); 5] = [
            (
                "DELETE FROM contents WHERE id IN
                 (SELECT id FROM contents WHERE refs = 0 AND created <= $1 ORDER BY created LIMIT $2)",
                made_before.0,
            ),
            (
                "DELETE FROM sent WHERE (organisation, message_id, mailbox) IN
                 (SELECT organisation, message_id, mailbox FROM sent WHERE at < $1 ORDER BY at LIMIT $2)",
                now.plus(-SENT_MEMORY).0,
            ),
            (
                "DELETE FROM encrypted_keys WHERE hash IN
                 (SELECT hash FROM encrypted_keys WHERE at < $1 ORDER BY at LIMIT $2)",
                now.plus(-ENCRYPTED_KEY_MEMORY).0,
            ),
            (
                "DELETE FROM nodes WHERE name IN (SELECT name FROM nodes WHERE seen < $1 ORDER BY seen LIMIT $2)",
                now.plus(-NODE_SILENT_SECONDS).0,
            ),
            (
                "DELETE FROM bulk_work WHERE id IN (SELECT id FROM bulk_work WHERE ended < $1 ORDER BY ended LIMIT $2)",
                now.plus(-BULK_MEMORY).0,
            ),
        ];
        for (statement, before) in memories {
            while self.sweep_once(statement, before).await? >= SWEEP_ROWS.unsigned_abs() {}
        }
        Ok(())
    }

    async fn sweep_once(&self, statement: &'static str, before: i64) -> Result<u64, StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let done = sqlx::query(statement)
                    .bind(before)
                    .bind(SWEEP_ROWS)
                    .execute(connection)
                    .await?;
                Ok(done.rows_affected())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }
}
