//! The database file: how it is opened, and how its schema is brought up to date.

use std::path::Path;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Row, SqliteConnection};

use crate::error::StoreError;
use crate::limits::{BUSY_WAIT, READER_WAIT, READERS};

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
