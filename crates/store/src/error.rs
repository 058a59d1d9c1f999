//! What can go wrong in the store, by blame, each with one line that says what to do.

use std::path::PathBuf;

use sealgate_core::saying::Saying;

/// Why an operation of the store failed. Nothing of it was written, unless [`StoreError::Unclear`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Operator: the data directory cannot be made or used.
    #[error("cannot use the data directory {path}: {problem}")]
    Directory {
        /// The directory, or the file in it.
        path: PathBuf,
        /// What the system said, and a hint.
        problem: String,
    },
    /// Operator: the master key cannot be had or made.
    #[error("cannot use the master key {named}: {problem}")]
    MasterKey {
        /// Where it should come from.
        named: String,
        /// What is wrong, and a hint.
        problem: String,
    },
    /// Operator: the data directory was sealed with another master key.
    #[error("the master key does not open {directory}: {hint}")]
    WrongMasterKey {
        /// The data directory.
        directory: PathBuf,
        /// Which one would.
        hint: String,
    },
    /// Us, for now: a token cannot be asked.
    #[error("{0}")]
    TokenAway(String),
    /// Operator: a later version of the program wrote here.
    #[error(
        "{path} has schema version {found}, this program knows up to {known}: use the newer program; nothing was changed"
    )]
    NewerSchema {
        /// The database file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Operator: a gateway runs here already.
    #[error("another gateway already serves {0}: stop it first, or give another data directory")]
    AlreadyServed(PathBuf),
    /// Us, for now: no space left.
    #[error("no space left in the data directory")]
    Full,
    /// Us, for now: another process holds the database.
    #[error("the database is busy: another process holds it")]
    Busy,
    /// Whoever asks: the question reads more than one may.
    #[error("this takes too long: ask for less")]
    TooLong,
    /// Us: the database or the disk failed.
    #[error("the database failed: {0}")]
    Database(String),
    /// Us: the commit was sent and its answer never came; the work may or may not be stored.
    #[error("the store stopped before it answered")]
    Unclear,
    /// Us, or an attacker with write access: a sealed row does not open, or does not belong where it stands.
    #[error("a sealed record is damaged or was moved: {0}")]
    Damaged(String),
    /// Us: content to refer to is not there any more.
    #[error("the stored content is gone")]
    ContentGone,
    /// Whoever asks: there is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// Whoever asks: the change contradicts what is there.
    #[error("{0}")]
    Refused(Saying),
    /// Whoever asks: there are as many of these as there may be.
    #[error("there are as many as there may be here: remove one first; at most {most}")]
    TooMany {
        /// So many may be there.
        most: i64,
    },
    /// Whoever asks: it is not as it was when they looked at it.
    #[error("somebody else has changed this meanwhile: nothing was saved")]
    ChangedMeanwhile,
}

impl StoreError {
    /// Whether the same call may succeed later without anybody doing anything (`451`, or `452` for [`Self::Full`]).
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Full | Self::Busy | Self::Database(_) | Self::Unclear | Self::TokenAway(_)
        )
    }

    pub(crate) fn refused(why: impl Into<Saying>) -> Self {
        Self::Refused(why.into())
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    /// The form for the synchronous readers and writers.
    pub(crate) fn into_io(self) -> std::io::Error {
        let kind = match &self {
            Self::Full => std::io::ErrorKind::StorageFull,
            Self::ContentGone => std::io::ErrorKind::NotFound,
            _ => std::io::ErrorKind::Other,
        };
        std::io::Error::new(kind, self)
    }
}

/// SQLite's primary result codes that need an answer of their own.
const SQLITE_BUSY: i64 = 5;
const SQLITE_LOCKED: i64 = 6;
const SQLITE_FULL: i64 = 13;
/// A question of people ran out of its time.
const SQLITE_INTERRUPT: i64 = 9;
/// No room for the index of the write-ahead log.
const SQLITE_IOERR_SHMSIZE: i64 = 4874;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error
            .as_database_error()
            .and_then(|database| database.code())
            .and_then(|code| code.parse::<i64>().ok());
        if code == Some(SQLITE_IOERR_SHMSIZE) {
            return Self::Full;
        }
        match code.map(|code| code & 0xff) {
            Some(SQLITE_FULL) => Self::Full,
            Some(SQLITE_BUSY | SQLITE_LOCKED) => Self::Busy,
            Some(SQLITE_INTERRUPT) => Self::TooLong,
            _ => match error {
                sqlx::Error::PoolTimedOut => Self::Busy,
                other => Self::Database(other.to_string()),
            },
        }
    }
}

impl From<StoreError> for std::io::Error {
    fn from(error: StoreError) -> Self {
        error.into_io()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_errors_are_ours() {
        for (error, temporary) in [
            (StoreError::Full, true),
            (StoreError::Busy, true),
            (StoreError::Database("disk I/O error".into()), true),
            (StoreError::Refused(Saying::words("no")), false),
            (StoreError::TokenAway("x".into()), true),
        ] {
            assert_eq!(error.is_temporary(), temporary, "{error}");
        }
    }
}
