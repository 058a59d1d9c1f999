//! Second factors: the sealed secret of one-time codes (RFC 6238), the last step that was used, and recovery codes as their SHA-256.

use sealgate_core::permission::UserId;
use sealgate_core::saying::Accounts as Said;
use sqlx::SqliteConnection;
use zeroize::Zeroizing;

use super::{By, sessions};
use crate::error::StoreError;
use crate::rows::Columns;
use crate::seal::Purpose;
use crate::store::Store;
use crate::writer::{Weight, job};

/// A user's second factor.
#[derive(Debug)]
pub struct SecondFactor {
    /// The secret that codes are made of.
    pub secret: Zeroizing<Vec<u8>>,
    /// The last step of which a code was used.
    pub last_step: Option<i64>,
}

fn record(which: &str, user: UserId) -> String {
    format!("{which} {}", user.0)
}

impl Store {
    /// A user's second factor.
    pub async fn second_factor(&self, user: UserId) -> Result<Option<SecondFactor>, StoreError> {
        let row = sqlx::query("SELECT totp, totp_step FROM users WHERE id = $1")
            .bind(user.0)
            .fetch_optional(&self.0.readers)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let Some(sealed) = row.field::<Option<&[u8]>>("totp")? else {
            return Ok(None);
        };
        let record = record("current", user);
        let secret = self.0.sealer.open(Purpose::SecondFactor, &record, sealed)?;
        Ok(Some(SecondFactor {
            secret: Zeroizing::new(secret),
            last_step: row.field("totp_step")?,
        }))
    }

    /// Keeps a secret that waits for its first code.
    pub async fn begin_second_factor(&self, user: UserId, secret: &[u8]) -> Result<(), StoreError> {
        let record = record("new", user);
        let sealed = self
            .0
            .sealer
            .seal(Purpose::SecondFactor, &record, secret.to_vec())?;
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query("UPDATE users SET totp_new = $1 WHERE id = $2")
                    .bind(sealed)
                    .bind(user.0)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// The secret that waits for its first code.
    pub async fn begun_second_factor(
        &self,
        user: UserId,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let row = sqlx::query("SELECT totp_new FROM users WHERE id = $1")
            .bind(user.0)
            .fetch_optional(&self.0.readers)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let sealed = row.field::<Option<&[u8]>>("totp_new")?;
        let open = |sealed| {
            let record = record("new", user);
            self.0.sealer.open(Purpose::SecondFactor, &record, sealed)
        };
        Ok(sealed.map(open).transpose()?.map(Zeroizing::new))
    }

    /// The secret that waited becomes the second factor, its code of `step` used; with new recovery codes. Ends all sessions but
    /// `kept`.
    pub async fn confirm_second_factor(
        &self,
        user: UserId,
        (secret, step): (Zeroizing<Vec<u8>>, i64),
        (codes, kept): (Vec<[u8; 32]>, Option<[u8; 32]>),
        by: By,
    ) -> Result<(), StoreError> {
        let record = record("current", user);
        let sealed = self
            .0
            .sealer
            .seal(Purpose::SecondFactor, &record, secret.to_vec())?;
        self.change_user(user, by, move |connection, name| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE users SET totp = $1, totp_step = $2, totp_new = NULL WHERE id = $3",
                )
                .bind(sealed)
                .bind(step)
                .bind(user.0)
                .execute(&mut *connection)
                .await?;
                replace_codes(connection, user, &codes).await?;
                sessions::end_others(connection, user, kept).await?;
                Ok(Some(Said::SecondFactorSet { name }))
            })
        })
        .await
    }

    /// Counts the code of `step` as used; false if it, or a later one, was used before.
    pub async fn use_step(&self, user: UserId, step: i64) -> Result<bool, StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let used = sqlx::query(
                    "UPDATE users SET totp_step = $1 WHERE id = $2 AND (totp_step IS NULL OR totp_step < $1)",
                )
                .bind(step)
                .bind(user.0)
                .execute(connection)
                .await?;
                Ok(used.rows_affected() == 1)
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Uses up a recovery code; false if there is none such.
    pub async fn use_recovery_code(
        &self,
        user: UserId,
        sha256: [u8; 32],
        by: By,
    ) -> Result<bool, StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let used =
                    sqlx::query("DELETE FROM recovery_codes WHERE user = $1 AND sha256 = $2")
                        .bind(user.0)
                        .bind(sha256.as_slice())
                        .execute(&mut *connection)
                        .await?;
                if used.rows_affected() == 0 {
                    return Ok(false);
                }
                super::tell(connection, &by, "", Said::RecoveryCodeUsed {}).await?;
                Ok(true)
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// How many recovery codes a user has left.
    pub async fn recovery_codes(&self, user: UserId) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS count FROM recovery_codes WHERE user = $1")
            .bind(user.0)
            .fetch_one(&self.0.readers)
            .await?;
        Ok(crate::rows::size(row.field("count")?))
    }

    /// Gives a user new recovery codes in place of the former ones.
    pub async fn replace_recovery_codes(
        &self,
        user: UserId,
        codes: Vec<[u8; 32]>,
        by: By,
    ) -> Result<(), StoreError> {
        self.change_user(user, by, move |connection, name| {
            Box::pin(async move {
                replace_codes(connection, user, &codes).await?;
                Ok(Some(Said::RecoveryCodes { name }))
            })
        })
        .await
    }

    /// Takes a user's second factor away and ends all sessions but `kept`.
    pub async fn remove_second_factor(
        &self,
        user: UserId,
        kept: Option<[u8; 32]>,
        by: By,
    ) -> Result<(), StoreError> {
        self.change_user(user, by, move |connection, name| {
            Box::pin(async move {
                remove(connection, user).await?;
                sessions::end_others(connection, user, kept).await?;
                Ok(Some(Said::SecondFactorRemoved { name }))
            })
        })
        .await
    }
}

/// Takes a user's second factor away.
pub(super) async fn remove(
    connection: &mut SqliteConnection,
    user: UserId,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE users SET totp = NULL, totp_step = NULL, totp_new = NULL WHERE id = $1")
        .bind(user.0)
        .execute(&mut *connection)
        .await?;
    replace_codes(connection, user, &[]).await
}

async fn replace_codes(
    connection: &mut SqliteConnection,
    user: UserId,
    codes: &[[u8; 32]],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM recovery_codes WHERE user = $1")
        .bind(user.0)
        .execute(&mut *connection)
        .await?;
    for code in codes {
        sqlx::query("INSERT INTO recovery_codes (user, sha256) VALUES ($1, $2)")
            .bind(user.0)
            .bind(code.as_slice())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
