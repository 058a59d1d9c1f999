//! API tokens: kept as their SHA-256, for one organisation with a role, for a reseller, or for the operator; each expires.

use sealgate_core::permission::{Grants, ResellerId, Role};
use sealgate_core::saying::{Accounts as Said, Saying};
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::{By, role_word, tell};
use crate::configuration::{self, next_number};
use crate::error::StoreError;
use crate::limits::PAGE_ROWS;
use crate::room::{self, Owner};
use crate::rows::Columns;
use crate::store::Store;
use crate::writer::{Weight, job};

/// Whose tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiTokenScope {
    /// Those of an organisation.
    Organisation(OrganisationId),
    /// Those of the operator and of resellers.
    Installation,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewApiToken {
    /// Its name.
    pub name: String,
    /// SHA-256 of the secret.
    pub sha256: [u8; 32],
    /// What it may do: one role, or a reseller, or all.
    pub grants: Grants,
    /// When it ends.
    pub expires: Timestamp,
    /// SHA-256 of the token that makes it, if one does: it counts among what the maker of that one made.
    pub by_token: Option<[u8; 32]>,
}

/// A token that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub grants: Grants,
    /// When it was last used, as far as that was written.
    pub used: Option<Timestamp>,
}

/// A token in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiTokenLine {
    /// Its number.
    pub id: i64,
    /// The token.
    pub token: ApiToken,
    /// When it was made.
    pub created: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it ends.
    pub expires: Timestamp,
}

impl Store {
    /// The token with that secret, if it is not over and its maker not disabled.
    pub async fn api_token(
        &self,
        sha256: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<ApiToken>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM api_tokens WHERE sha256 = $1 AND expires > $2
             AND NOT EXISTS (SELECT 1 FROM users WHERE name = created_by AND disabled = 1)",
        )
        .bind(sha256.as_slice())
        .bind(now.0)
        .fetch_optional(&self.0.readers)
        .await?;
        row.as_ref().map(token).transpose()
    }

    /// Says that a token is in use.
    pub async fn api_token_used(&self, sha256: [u8; 32], now: Timestamp) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query("UPDATE api_tokens SET used = $1 WHERE sha256 = $2")
                    .bind(now.0)
                    .bind(sha256.as_slice())
                    .execute(connection)
                    .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Makes a token; gives its number.
    pub async fn create_api_token(&self, new: NewApiToken, by: By) -> Result<i64, StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let of = new.grants.roles.first();
                let owner = Owner {
                    organisation: of.map(|(id, _)| id.0),
                    reseller: new.grants.reseller,
                };
                room::for_one_more(connection, owner, room::TOKENS, by.at).await?;
                let id = next_number(connection, "api-token").await?;
                insert(connection, id, &new, &by).await?;
                let words = match (of, new.grants.reseller) {
                    (Some((_, role)), _) => Said::ToRole { role: *role },
                    (None, Some(_)) => Said::TokenOfReseller {},
                    (None, None) => Said::TokenOfInstallation {},
                };
                let said = Said::TokenMade {
                    name: new.name.clone(),
                    what: words.into(),
                    until: new.expires,
                };
                let organisation = of.map(|(id, _)| id.0);
                tell_of(connection, organisation, &by, said).await?;
                Ok(id)
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Tokens by number, behind the one numbered `after`.
    pub async fn api_tokens(
        &self,
        scope: ApiTokenScope,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ApiTokenLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM api_tokens WHERE organisation IS $1 AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(scope.organisation())
        .bind(after)
        .bind(i64::from(limit.min(PAGE_ROWS)))
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter().map(line).collect()
    }

    /// Ends a token.
    pub async fn revoke_api_token(
        &self,
        scope: ApiTokenScope,
        id: i64,
        by: By,
    ) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let row = sqlx::query(
                    "DELETE FROM api_tokens WHERE organisation IS $1 AND id = $2 RETURNING name",
                )
                .bind(scope.organisation())
                .bind(id)
                .fetch_optional(&mut *connection)
                .await?;
                let row =
                    row.ok_or_else(|| StoreError::NotFound(format!("there is no API token {id}")))?;
                let said = Said::TokenRevoked {
                    name: row.field("name")?,
                };
                tell_of(connection, scope.organisation(), &by, said).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }
}

impl ApiTokenScope {
    fn organisation(self) -> Option<i64> {
        match self {
            Self::Organisation(id) => Some(id.0),
            Self::Installation => None,
        }
    }
}

async fn insert(
    connection: &mut SqliteConnection,
    id: i64,
    new: &NewApiToken,
    by: &By,
) -> Result<(), StoreError> {
    let of = new.grants.roles.first();
    let maker = maker(connection, new.by_token, by).await?;
    sqlx::query(
        "INSERT INTO api_tokens (id, sha256, name, organisation, role, reseller, created, created_by, expires)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(id)
    .bind(new.sha256.as_slice())
    .bind(&new.name)
    .bind(of.map(|(organisation, _)| organisation.0))
    .bind(of.map(|(_, role)| role_word(*role)).transpose()?)
    .bind(new.grants.reseller.map(|reseller| reseller.0))
    .bind(by.at.0)
    .bind(maker)
    .bind(new.expires.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whose it counts as: of who makes it, or made the token by which it is made.
pub(super) async fn maker(
    connection: &mut SqliteConnection,
    by_token: Option<[u8; 32]>,
    by: &By,
) -> Result<String, StoreError> {
    let Some(sha256) = by_token else {
        return Ok(by.who.clone());
    };
    let row = sqlx::query("SELECT created_by FROM api_tokens WHERE sha256 = $1")
        .bind(sha256.as_slice())
        .fetch_optional(connection)
        .await?;
    row.ok_or_else(|| StoreError::NotFound("the API token is gone".into()))?
        .field("created_by")
}

/// A line in the audit log of an organisation, or of the installation.
pub(super) async fn tell_of(
    connection: &mut SqliteConnection,
    organisation: Option<i64>,
    by: &By,
    said: impl Into<Saying>,
) -> Result<(), StoreError> {
    let name = match organisation {
        Some(id) => configuration::name_of(connection, OrganisationId(id)).await?,
        None => String::new(),
    };
    tell(connection, by, &name, said).await
}

fn line(row: &SqliteRow) -> Result<ApiTokenLine, StoreError> {
    Ok(ApiTokenLine {
        id: row.field("id")?,
        token: token(row)?,
        created: row.time("created")?,
        created_by: row.field("created_by")?,
        expires: row.time("expires")?,
    })
}

fn token(row: &SqliteRow) -> Result<ApiToken, StoreError> {
    let organisation = row.field::<Option<i64>>("organisation")?;
    let reseller = row.field::<Option<i64>>("reseller")?.map(ResellerId);
    let roles = match organisation {
        Some(id) => vec![(OrganisationId(id), row.word::<Role>("role")?)],
        None => Vec::new(),
    };
    Ok(ApiToken {
        name: row.field("name")?,
        grants: Grants {
            operator: organisation.is_none() && reseller.is_none(),
            reseller,
            roles,
        },
        used: row.optional_time("used")?,
    })
}
