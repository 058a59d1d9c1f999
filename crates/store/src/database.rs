//! The database file: how it is opened, and how its schema is brought up to date.

use std::path::Path;
use std::time::Instant;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Row, SqliteConnection};

use crate::error::StoreError;
use crate::limits::{BUSY_WAIT, QUESTION_STEPS, QUESTION_WAIT, QUESTIONERS, READER_WAIT, READERS};

/// The schema, one step after the other; a step that was released never changes.
const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_first.sql")];

/// How the writer connects. WAL and FULL: a commit returns after its fsync. Temporary tables stay in memory, so that
/// nothing decrypted or sorted gets into a file.
pub(crate) fn writing(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous())
        .foreign_keys(true)
        .busy_timeout(BUSY_WAIT)
        .pragma("temp_store", "MEMORY")
        .thread_name(|id| format!("store-{id}"))
}

/// FULL. A debug build obeys `SEALGATE_TEST_SYNCHRONOUS=off`, which exists for one test: the one that says whether a
/// missing fsync would be noticed. A release build has no such switch.
fn synchronous() -> SqliteSynchronous {
    #[cfg(debug_assertions)]
    if std::env::var_os("SEALGATE_TEST_SYNCHRONOUS").is_some_and(|value| value == "off") {
        return SqliteSynchronous::Off;
    }
    SqliteSynchronous::Full
}

/// The connections that read; they cannot write.
pub(crate) fn readers(file: &Path) -> SqlitePool {
    let options = writing(file).pragma("query_only", "ON");
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(READER_WAIT)
        .connect_lazy_with(options)
}

/// The connections of people's questions. Whoever takes one has it for so long; then what it reads is broken off.
pub(crate) fn questions(file: &Path) -> SqlitePool {
    let options = writing(file).pragma("query_only", "ON");
    SqlitePoolOptions::new()
        .max_connections(QUESTIONERS)
        .acquire_timeout(READER_WAIT)
        .after_connect(|connection, _| Box::pin(begin(connection)))
        .before_acquire(|connection, _| {
            Box::pin(async move {
                begin(connection).await?;
                Ok(true)
            })
        })
        .connect_lazy_with(options)
}

/// Begins the time of one question.
async fn begin(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let end = Instant::now() + QUESTION_WAIT;
    let mut handle = connection.lock_handle().await?;
    handle.set_progress_handler(QUESTION_STEPS, move || Instant::now() < end);
    Ok(())
}

/// Brings the schema up to date in one transaction; a newer one is refused untouched.
pub(crate) async fn migrate(
    connection: &mut SqliteConnection,
    file: &Path,
) -> Result<(), StoreError> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let found = schema_version(connection).await?;
    if found > known {
        return Err(StoreError::NewerSchema {
            path: file.to_owned(),
            found,
            known,
        });
    }
    if found == known {
        return Ok(());
    }
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut *connection)
        .await?;
    let outcome = run_missing(connection).await;
    let end = if outcome.is_ok() {
        "COMMIT"
    } else {
        "ROLLBACK"
    };
    sqlx::query(end).execute(connection).await?;
    outcome
}

async fn run_missing(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY NOT NULL)",
    )
    .execute(&mut *connection)
    .await?;
    // Asked again under the lock: another process may have been faster.
    let found = schema_version(connection).await?;
    for (version, step) in (1_i64..)
        .zip(MIGRATIONS)
        .filter(|(version, _)| *version > found)
    {
        sqlx::raw_sql(*step).execute(&mut *connection).await?;
        sqlx::query("INSERT INTO schema_versions (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn schema_version(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    let there = sqlx::query("SELECT 1 FROM sqlite_schema WHERE name = 'schema_versions'")
        .fetch_optional(&mut *connection)
        .await?;
    if there.is_none() {
        return Ok(0);
    }
    let row = sqlx::query("SELECT COALESCE(MAX(version), 0) FROM schema_versions")
        .fetch_one(connection)
        .await?;
    Ok(row.try_get(0)?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::world;

    /// It would count for hours.
    const ENDLESS: &str =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000)
                           SELECT COUNT(*) FROM n";

    /// However many questions are asked, each ends, and mail reads meanwhile.
    #[tokio::test]
    async fn a_question_ends_and_mail_never_waits_for_it() {
        let world = world().await;
        let questions = world.store.for_questions();
        let begun = Instant::now();
        let asked: Vec<_> = (0..QUESTIONERS)
            .map(|_| {
                let questions = questions.clone();
                tokio::spawn(async move {
                    let counted = sqlx::query(ENDLESS).fetch_one(&questions.0.readers).await;
                    StoreError::from(counted.unwrap_err())
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(200)).await;
        let read = world.store.organisations();
        let read = tokio::time::timeout(QUESTION_WAIT / 2, read).await;
        assert_eq!(read.unwrap().unwrap().len(), 1);
        for question in asked {
            assert_eq!(question.await.unwrap(), StoreError::TooLong);
        }
        assert!(begun.elapsed() < QUESTION_WAIT * 3);
        // The connection has its whole time again.
        assert_eq!(questions.organisations().await.unwrap().len(), 1);
    }
}
