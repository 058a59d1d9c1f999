//! Sessions: who is signed in. The secret of a session is known to its browser only; here is its SHA-256.

use sealgate_core::permission::{Grants, UserId};
use sealgate_core::saying::Accounts as Said;
use sealgate_core::sign_in::{NewSession, Proven};
use sealgate_mail::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::{By, User, grants_of, name_of, tell, user};
use crate::configuration::next_number;
use crate::error::StoreError;
use crate::rows::Columns;
use crate::store::Store;
use crate::writer::{Weight, job};

/// When sessions end by themselves, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct SessionEnds {
    /// After they were last used.
    pub idle: i64,
    /// After they began.
    pub whole: i64,
    /// After they began, if the second factor is still owed.
    pub incomplete: i64,
}

/// A session that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub user: User,
    /// What the user may do.
    pub grants: Grants,
    /// Whether both factors were given.
    pub complete: bool,
    /// When it was last used, as far as that was written.
    pub seen: Timestamp,
}

/// A session in the list of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionLine {
    /// Its number.
    pub id: i64,
    /// SHA-256 of its secret.
    pub sha256: [u8; 32],
    /// When it began.
    pub created: Timestamp,
    /// When it was last used.
    pub seen: Timestamp,
    /// What the browser calls itself.
    pub agent: String,
    /// Where it is.
    pub address: String,
}

impl Store {
    /// The session with that secret, complete or not, if it is not over and its user may sign in.
    pub async fn session(
        &self,
        sha256: &[u8; 32],
        ends: SessionEnds,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let mut reading = self.0.readers.begin().await?;
        let Some(row) = find(&mut reading, sha256, (ends, now)).await? else {
            return Ok(None);
        };
        let user = user(&row)?;
        Ok(Some(Session {
            grants: grants_of(&mut reading, &user).await?,
            user,
            complete: row.field("complete")?,
            seen: row.time("seen")?,
        }))
    }

    /// Says that a session is in use.
    pub async fn session_seen(&self, sha256: [u8; 32], now: Timestamp) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query("UPDATE sessions SET seen = $1 WHERE sha256 = $2 AND seen < $1")
                    .bind(now.0)
                    .bind(sha256.as_slice())
                    .execute(connection)
                    .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Opens a session; those that are over by themselves go. False, and nothing is opened, if what was proven does not hold any
    /// more: the password was changed meanwhile, the account disabled, a second factor set up, or the former session ended.
    pub async fn open_session(
        &self,
        new: NewSession,
        ends: SessionEnds,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                sweep(connection, ends, now).await?;
                if !still_holds(connection, &new, (ends, now)).await? {
                    return Ok(false);
                }
                if let Some(former) = new.replaces {
                    delete(connection, &former).await?;
                }
                let name = name_of(connection, new.user).await?;
                insert(connection, &new, now).await?;
                if new.complete {
                    let said = Said::SignedIn {
                        address: new.address.clone(),
                    };
                    let by = By { who: name, at: now };
                    tell(connection, &by, "", said).await?;
                }
                Ok(true)
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Ends the session with that secret.
    pub async fn end_session(&self, sha256: [u8; 32]) -> Result<(), StoreError> {
        let work =
            job(move |connection| Box::pin(async move { delete(connection, &sha256).await }));
        self.0.writer.write(Weight::default(), work).await
    }

    /// Ends one session of a user by its number.
    pub async fn end_session_of(&self, user: UserId, id: i64, by: By) -> Result<(), StoreError> {
        self.change_user(user, by, move |connection, name| {
            Box::pin(async move {
                let ended = sqlx::query("DELETE FROM sessions WHERE user = $1 AND id = $2")
                    .bind(user.0)
                    .bind(id)
                    .execute(connection)
                    .await?;
                match ended.rows_affected() {
                    0 => Err(StoreError::NotFound(format!("there is no session {id}"))),
                    _ => Ok(Some(Said::SessionEnded { name })),
                }
            })
        })
        .await
    }

    /// Ends all sessions of a user but `kept`.
    pub async fn end_other_sessions(
        &self,
        user: UserId,
        kept: Option<[u8; 32]>,
        by: By,
    ) -> Result<(), StoreError> {
        self.change_user(user, by, move |connection, name| {
            Box::pin(async move {
                end_others(connection, user, kept).await?;
                Ok(Some(Said::OtherSessionsEnded { name }))
            })
        })
        .await
    }

    /// The sessions of a user that are not over, the one used last first.
    pub async fn sessions(
        &self,
        user: UserId,
        ends: SessionEnds,
        now: Timestamp,
    ) -> Result<Vec<SessionLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM sessions WHERE user = $1 AND complete = 1 AND seen > $2 AND created > $3
             ORDER BY seen DESC, id DESC",
        )
        .bind(user.0)
        .bind(now.0.saturating_sub(ends.idle))
        .bind(now.0.saturating_sub(ends.whole))
        .fetch_all(&self.0.readers)
        .await?;
        let line = |row: &SqliteRow| {
            let sha256: &[u8] = row.field("sha256")?;
            Ok(SessionLine {
                id: row.field("id")?,
                sha256: sha256
                    .try_into()
                    .map_err(|_| StoreError::damaged("the hash of a session"))?,
                created: row.time("created")?,
                seen: row.time("seen")?,
                agent: row.field("agent")?,
                address: row.field("address")?,
            })
        };
        rows.iter().map(line).collect()
    }

    /// Keeps what the page at `path` tells in a session the next time; what was not told yet is forgotten.
    pub async fn leave_notice(
        &self,
        sha256: [u8; 32],
        path: String,
        notice: String,
    ) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let query = "UPDATE sessions SET notice = $1, notice_path = $2 WHERE sha256 = $3";
                sqlx::query(query)
                    .bind(notice)
                    .bind(path)
                    .bind(sha256.as_slice())
                    .execute(connection)
                    .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// What the page at `path` is to tell, once. Writes only if there is something.
    pub async fn take_notice(
        &self,
        sha256: [u8; 32],
        path: String,
    ) -> Result<Option<String>, StoreError> {
        let query = "SELECT notice FROM sessions WHERE sha256 = $1 AND notice_path = $2";
        let there = sqlx::query(query)
            .bind(sha256.as_slice())
            .bind(&path)
            .fetch_optional(&self.0.readers)
            .await?;
        if there.is_none() {
            return Ok(None);
        }
        let work = job(move |connection| {
            Box::pin(async move {
                // Asked again: the same page in another window may have told it meanwhile.
                let row = sqlx::query(query)
                    .bind(sha256.as_slice())
                    .bind(&path)
                    .fetch_optional(&mut *connection)
                    .await?;
                let forget = "UPDATE sessions SET notice = NULL, notice_path = NULL
                     WHERE sha256 = $1 AND notice_path = $2";
                sqlx::query(forget)
                    .bind(sha256.as_slice())
                    .bind(&path)
                    .execute(connection)
                    .await?;
                Ok(row.map(|row| row.field("notice")).transpose()?.flatten())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }
}

/// A session that is not over, with its user.
async fn find(
    connection: &mut SqliteConnection,
    sha256: &[u8; 32],
    (ends, now): (SessionEnds, Timestamp),
) -> Result<Option<SqliteRow>, StoreError> {
    let row = sqlx::query(
        "SELECT users.*, complete, seen FROM sessions JOIN users ON users.id = user
         WHERE sha256 = $1 AND disabled = 0 AND seen > $2
           AND sessions.created > CASE complete WHEN 1 THEN $3 ELSE $4 END",
    )
    .bind(sha256.as_slice())
    .bind(now.0.saturating_sub(ends.idle))
    .bind(now.0.saturating_sub(ends.whole))
    .bind(now.0.saturating_sub(ends.incomplete))
    .fetch_optional(connection)
    .await?;
    Ok(row)
}

/// Whether what was proven holds still.
async fn still_holds(
    connection: &mut SqliteConnection,
    new: &NewSession,
    when: (SessionEnds, Timestamp),
) -> Result<bool, StoreError> {
    if let Proven::Session(former) = &new.proven {
        let former = find(connection, former, when).await?;
        let whose = former.map(|row| row.field::<i64>("id")).transpose()?;
        return Ok(whose == Some(new.user.0));
    }
    let row = sqlx::query(
        "SELECT password, totp IS NOT NULL AS owes FROM users WHERE id = $1 AND disabled = 0",
    )
    .bind(new.user.0)
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else {
        return Ok(false);
    };
    let is_enough = !new.complete || !row.field::<bool>("owes")?;
    let password = row.field::<Option<String>>("password")?;
    Ok(is_enough
        && match &new.proven {
            Proven::Password(hash) => password.as_ref() == Some(hash),
            Proven::Vouched | Proven::Session(_) => true,
        })
}

async fn insert(
    connection: &mut SqliteConnection,
    new: &NewSession,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = next_number(connection, "session").await?;
    sqlx::query(
        "INSERT INTO sessions (id, sha256, user, created, seen, complete, agent, address)
         VALUES ($1, $2, $3, $4, $4, $5, $6, $7)",
    )
    .bind(id)
    .bind(new.sha256.as_slice())
    .bind(new.user.0)
    .bind(now.0)
    .bind(new.complete)
    .bind(&new.agent)
    .bind(&new.address)
    .execute(connection)
    .await?;
    Ok(())
}

async fn delete(connection: &mut SqliteConnection, sha256: &[u8; 32]) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sessions WHERE sha256 = $1")
        .bind(sha256.as_slice())
        .execute(connection)
        .await?;
    Ok(())
}

/// Sessions that began too long ago. Those that were idle for too long go with them later.
async fn sweep(
    connection: &mut SqliteConnection,
    ends: SessionEnds,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sessions WHERE created <= $1")
        .bind(now.0.saturating_sub(ends.whole))
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends the sessions of a user but `kept`.
pub(super) async fn end_others(
    connection: &mut SqliteConnection,
    user: UserId,
    kept: Option<[u8; 32]>,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sessions WHERE user = $1 AND sha256 IS NOT $2")
        .bind(user.0)
        .bind(kept.map(|kept| kept.to_vec()))
        .execute(connection)
        .await?;
    Ok(())
}
