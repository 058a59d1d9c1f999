//! Resellers, and whose organisations are.

use sealgate_core::permission::{ResellerId, Whose};
use sealgate_core::saying::{Accounts as Said, Refusals};
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::Timestamp;
use serde::Serialize;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::{By, tell};
use crate::configuration::{self, next_number};
use crate::error::StoreError;
use crate::rows::{Columns, size};
use crate::store::Store;
use crate::writer::{Weight, job};

/// A reseller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reseller {
    /// Its number.
    pub id: ResellerId,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// How many users work for it.
    pub users: u64,
    /// How many organisations are its.
    pub organisations: u64,
}

/// An organisation, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WhoseOrganisation {
    /// Its number.
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
    /// Who books its licences.
    pub reseller: Option<ResellerId>,
}

impl Store {
    /// The organisation of that name, and who books its licences.
    pub async fn whose(&self, name: &str) -> Result<Option<Whose>, StoreError> {
        let row = sqlx::query("SELECT id, reseller FROM organisations WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.0.readers)
            .await?;
        let whose = |row: SqliteRow| {
            Ok(Whose {
                organisation: row.organisation("id")?,
                reseller: row.field::<Option<i64>>("reseller")?.map(ResellerId),
            })
        };
        row.map(whose).transpose()
    }

    /// All organisations by name; only those of one reseller if `of` names one.
    pub async fn whose_organisations(
        &self,
        of: Option<ResellerId>,
    ) -> Result<Vec<WhoseOrganisation>, StoreError> {
        let query = match of {
            Some(_) => "SELECT * FROM organisations WHERE reseller = $1 ORDER BY name",
            None => "SELECT * FROM organisations WHERE $1 IS NULL ORDER BY name",
        };
        let rows = sqlx::query(query)
            .bind(of.map(|reseller| reseller.0))
            .fetch_all(&self.0.readers)
            .await?;
        let one = |row: &SqliteRow| {
            Ok(WhoseOrganisation {
                id: row.organisation("id")?,
                name: row.field("name")?,
                reseller: row.field::<Option<i64>>("reseller")?.map(ResellerId),
            })
        };
        rows.iter().map(one).collect()
    }

    /// All resellers by name.
    pub async fn resellers(&self) -> Result<Vec<Reseller>, StoreError> {
        let rows = sqlx::query(
            "SELECT *, (SELECT COUNT(*) FROM users WHERE reseller = resellers.id) AS users,
                    (SELECT COUNT(*) FROM organisations WHERE reseller = resellers.id) AS organisations
             FROM resellers ORDER BY name",
        )
        .fetch_all(&self.0.readers)
        .await?;
        let one = |row: &SqliteRow| {
            Ok(Reseller {
                id: ResellerId(row.field("id")?),
                name: row.field("name")?,
                created: row.time("created")?,
                users: size(row.field("users")?),
                organisations: size(row.field("organisations")?),
            })
        };
        rows.iter().map(one).collect()
    }

    /// Makes a reseller; refused if there is one of that name.
    pub async fn create_reseller(&self, name: String, by: By) -> Result<ResellerId, StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let id = next_number(connection, "reseller").await?;
                let made = sqlx::query(
                    "INSERT INTO resellers (id, name, created) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
                )
                .bind(id)
                .bind(&name)
                .bind(by.at.0)
                .execute(&mut *connection)
                .await?;
                if made.rows_affected() == 0 {
                    return Err(StoreError::refused(Refusals::ResellerTaken { name }));
                }
                tell(connection, &by, "", Said::ResellerMade { name }).await?;
                Ok(ResellerId(id))
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Removes a reseller; refused while users or organisations are its.
    pub async fn remove_reseller(&self, id: ResellerId, by: By) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let name = name_of(connection, id).await?;
                let row = sqlx::query(
                    "SELECT EXISTS (SELECT 1 FROM users WHERE reseller = $1)
                         OR EXISTS (SELECT 1 FROM organisations WHERE reseller = $1) AS needed",
                )
                .bind(id.0)
                .fetch_one(&mut *connection)
                .await?;
                if row.field::<bool>("needed")? {
                    return Err(StoreError::refused(Refusals::ResellerNeeded { name }));
                }
                sqlx::query("DELETE FROM resellers WHERE id = $1")
                    .bind(id.0)
                    .execute(&mut *connection)
                    .await?;
                tell(connection, &by, "", Said::ResellerRemoved { name }).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Gives an organisation to a reseller, or to none.
    pub async fn assign_organisation(
        &self,
        organisation: OrganisationId,
        reseller: Option<ResellerId>,
        by: By,
    ) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let words = match reseller {
                    Some(id) => Said::ResellerBooks {
                        name: name_of(connection, id).await?,
                    },
                    None => Said::NoResellerBooks {},
                };
                let name = configuration::name_of(connection, organisation).await?;
                sqlx::query("UPDATE organisations SET reseller = $1 WHERE id = $2")
                    .bind(reseller.map(|id| id.0))
                    .bind(organisation.0)
                    .execute(&mut *connection)
                    .await?;
                tell(connection, &by, &name, words).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }
}

/// The name of a reseller.
pub(super) async fn name_of(
    connection: &mut SqliteConnection,
    id: ResellerId,
) -> Result<String, StoreError> {
    let row = sqlx::query("SELECT name FROM resellers WHERE id = $1")
        .bind(id.0)
        .fetch_optional(connection)
        .await?;
    row.ok_or_else(|| StoreError::NotFound(format!("there is no reseller {}", id.0)))?
        .field("name")
}
