//! How long the journal, events and statistics are kept, and how they are forgotten in steps.

use sealgate_core::journal::MailRecord;
use sealgate_core::tenant::Settings;
use sealgate_mail::{Address, Timestamp};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::ids::first_of;
use crate::journal::{mail_record, words};
use crate::limits::{EVENT_MEMORY, STATISTICS_MEMORY, SWEEP_ROWS};
use crate::rows::{Columns, json};
use crate::store::Store;
use crate::writer::{Weight, job};

/// A line that is kept no longer.
struct Old {
    line: i64,
    mail: i64,
    recipient: Address,
    record: MailRecord,
}

impl Store {
    /// Forgets what was kept for its time: each organisation's journal as its switches say, events and statistics. Lines of mail that
    /// is still queued or held stay.
    pub(crate) async fn forget_old(&self, now: Timestamp) -> Result<(), StoreError> {
        let rows = sqlx::query("SELECT id, settings FROM organisations ORDER BY id")
            .fetch_all(&self.0.readers)
            .await?;
        for row in &rows {
            let organisation: i64 = row.field("id")?;
            let settings: Settings = row.json("settings")?;
            let before = now.plus(-settings.journal_days.seconds());
            self.forget_lines(organisation, first_of(before)).await?;
            self.forget_counts(organisation, now.plus(-STATISTICS_MEMORY))
                .await?;
        }
        while self.forget_events(now.plus(-EVENT_MEMORY)).await? >= SWEEP_ROWS.unsigned_abs() {}
        Ok(())
    }

    async fn forget_lines(&self, organisation: i64, before: i64) -> Result<(), StoreError> {
        let mut after = 0;
        loop {
            // Found by a reader: the writer only takes away.
            let rows = sqlx::query(
                "SELECT l.id AS line, l.recipient, l.mail, m.* FROM lines l JOIN mails m ON m.id = l.mail
                 WHERE l.organisation = $1 AND l.id > $2 AND l.id < $3
                   AND NOT EXISTS (SELECT 1 FROM copies c WHERE c.mail = l.mail)
                   AND NOT EXISTS (SELECT 1 FROM to_open o WHERE o.mail = l.mail)
                 ORDER BY l.id LIMIT $4",
            )
            .bind(organisation)
            .bind(after)
            .bind(before)
            .bind(SWEEP_ROWS)
            .fetch_all(&self.0.readers)
            .await?;
            let old = rows.iter().map(old).collect::<Result<Vec<_>, _>>()?;
            let Some(last) = old.last() else {
                return Ok(());
            };
            after = last.line;
            let work = job(move |connection| {
                Box::pin(async move { forget(connection, organisation, old).await })
            });
            self.0.writer.write(Weight::default(), work).await?;
        }
    }

    async fn forget_counts(&self, organisation: i64, before: Timestamp) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query("DELETE FROM statistics WHERE organisation = $1 AND hour < $2")
                    .bind(organisation)
                    .bind(before.0)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    async fn forget_events(&self, before: Timestamp) -> Result<u64, StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                // Numbers grow with time: only those before the first one that stays are looked at.
                let done = sqlx::query(
                    "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id < COALESCE(
                        (SELECT id FROM events WHERE at >= $1 ORDER BY id LIMIT 1), $3) ORDER BY id LIMIT $2)",
                )
                .bind(before.0)
                .bind(SWEEP_ROWS)
                .bind(i64::MAX)
                .execute(connection)
                .await?;
                Ok(done.rows_affected())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }
}

fn old(row: &SqliteRow) -> Result<Old, StoreError> {
    Ok(Old {
        line: row.field("line")?,
        mail: row.field("mail")?,
        recipient: row.address("recipient")?,
        record: mail_record(row)?,
    })
}

/// Takes lines away with what they are found by, and mails that have no line left. One that came back to the queue meanwhile
/// stays.
async fn forget(
    connection: &mut SqliteConnection,
    organisation: i64,
    old: Vec<Old>,
) -> Result<(), StoreError> {
    for one in &old {
        let gone = sqlx::query(
            "DELETE FROM lines WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM copies WHERE mail = $2)
                AND NOT EXISTS (SELECT 1 FROM to_open WHERE mail = $2)",
        )
        .bind(one.line)
        .bind(one.mail)
        .execute(&mut *connection)
        .await?;
        if gone.rows_affected() > 0 {
            sqlx::query(
                "DELETE FROM line_words WHERE organisation = $1 AND line = $2
                    AND word IN (SELECT value FROM json_each($3))",
            )
            .bind(organisation)
            .bind(one.line)
            .bind(json(&words::of(Some(&one.record), &one.recipient))?)
            .execute(&mut *connection)
            .await?;
        }
        sqlx::query(
            "DELETE FROM mails WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM lines WHERE mail = $1)",
        )
        .bind(one.mail)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
