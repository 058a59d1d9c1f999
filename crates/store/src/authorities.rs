//! Authorities of organisations, their settings sealed. A change makes a new row, so that what the former settings issued can
//! still be revoked with them.

use sealgate_core::authority::{Authority, AuthorityId, BUILT_IN, Connector};
use sealgate_core::change::NewAuthority;
use sealgate_core::limits::RENEW_DAYS;
use sealgate_core::saying::Refusals;
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::configuration::{next_number, open_setting, seal_setting};
use crate::error::StoreError;
use crate::rows::Columns;
use crate::seal::Sealer;
use crate::store::Store;

fn record(id: i64) -> String {
    format!("authority {id}")
}

fn authority(sealer: &Sealer, row: &SqliteRow) -> Result<Authority, StoreError> {
    let id = row.field("id")?;
    Ok(Authority {
        id: AuthorityId(id),
        name: row.field("name")?,
        standard: row.field("standard")?,
        renew_days: row.field("renew_days")?,
        connector: open_setting(sealer, &record(id), row.field("sealed")?)?,
    })
}

impl Store {
    /// The authorities of an organisation that orders may go to, by name.
    pub async fn authorities(
        &self,
        organisation: OrganisationId,
    ) -> Result<Vec<Authority>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM authorities WHERE organisation = $1 AND current = 1 ORDER BY name",
        )
        .bind(organisation.0)
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter()
            .map(|row| authority(&self.0.sealer, row))
            .collect()
    }

    /// The authority of that number, a former one too.
    pub async fn authority(&self, id: AuthorityId) -> Result<Authority, StoreError> {
        let row = sqlx::query("SELECT * FROM authorities WHERE id = $1")
            .bind(id.0)
            .fetch_optional(&self.0.readers)
            .await?
            .ok_or_else(|| StoreError::NotFound(format!("there is no authority {}", id.0)))?;
        authority(&self.0.sealer, &row)
    }
}

/// The authority of that name to order from, or the standard one.
pub(crate) async fn to_order_from(
    connection: &mut SqliteConnection,
    organisation: i64,
    name: Option<&str>,
) -> Result<i64, StoreError> {
    let row = sqlx::query(
        "SELECT id FROM authorities WHERE organisation = $1 AND current = 1
         AND (name = $2 OR ($2 IS NULL AND standard = 1))",
    )
    .bind(organisation)
    .bind(name)
    .fetch_optional(connection)
    .await?;
    match row {
        Some(row) => row.field("id"),
        None => Err(StoreError::refused(match name {
            Some(name) => Refusals::NoAuthority {
                name: name.to_owned(),
            },
            None => Refusals::NoAuthorityToOrderFrom {},
        })),
    }
}

/// Adds or replaces the authority that `was` of that name, unless it is another one by now: each has a number of its own.
pub(crate) async fn edit(
    connection: &mut SqliteConnection,
    sealer: &Sealer,
    (organisation, now): (i64, Timestamp),
    (was, becomes): (Option<AuthorityId>, &NewAuthority),
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT id FROM authorities WHERE organisation = $1 AND name = $2 AND current = 1",
    )
    .bind(organisation)
    .bind(&becomes.name)
    .fetch_optional(&mut *connection)
    .await?;
    let stored: Option<i64> = row.map(|row| row.field("id")).transpose()?;
    match stored == was.map(|id| id.0) {
        true => put(connection, sealer, (organisation, now), becomes).await,
        false => Err(StoreError::ChangedMeanwhile),
    }
}

/// Adds or replaces an authority.
pub(crate) async fn put(
    connection: &mut SqliteConnection,
    sealer: &Sealer,
    (organisation, now): (i64, Timestamp),
    new: &NewAuthority,
) -> Result<(), StoreError> {
    let before = sqlx::query(
        "SELECT * FROM authorities WHERE organisation = $1 AND name = $2 AND current = 1",
    )
    .bind(organisation)
    .bind(&new.name)
    .fetch_optional(&mut *connection)
    .await?;
    let before = before.map(|row| authority(sealer, &row)).transpose()?;
    let connector = match (&new.connector, &before) {
        (Some(connector), _) => connector.clone(),
        (None, Some(before)) => before.connector.clone(),
        (None, None) => {
            return Err(StoreError::refused(Refusals::NoAuthority {
                name: new.name.clone(),
            }));
        }
    };
    if new.standard {
        sqlx::query("UPDATE authorities SET standard = 0 WHERE organisation = $1")
            .bind(organisation)
            .execute(&mut *connection)
            .await?;
    }
    let next = Row {
        name: &new.name,
        standard: new.standard || before.as_ref().is_some_and(|before| before.standard),
        renew_days: new
            .renew_days
            .or(before.as_ref().map(|before| before.renew_days))
            .unwrap_or(RENEW_DAYS),
        connector: &connector,
    };
    if let Some(before) = before
        .as_ref()
        .filter(|before| before.connector != connector)
    {
        retire(connection, before.id).await?;
    }
    match before {
        Some(before) if before.connector == connector => {
            sqlx::query("UPDATE authorities SET standard = $1, renew_days = $2 WHERE id = $3")
                .bind(next.standard)
                .bind(next.renew_days)
                .bind(before.id.0)
                .execute(connection)
                .await?;
            Ok(())
        }
        before => {
            let id = insert(connection, sealer, (organisation, now), next).await?;
            let Some(before) = before else { return Ok(()) };
            // What nobody has heard of yet goes to the new settings, at once: who works on it for the former ones asks nobody.
            sqlx::query(
                "UPDATE orders SET authority = $1, lease = NULL WHERE authority = $2 AND state = 'new'",
            )
            .bind(id)
            .bind(before.id.0)
            .execute(&mut *connection)
            .await?;
            forget(connection, before.id).await
        }
    }
}

struct Row<'r> {
    name: &'r str,
    standard: bool,
    renew_days: u32,
    connector: &'r Connector,
}

async fn insert(
    connection: &mut SqliteConnection,
    sealer: &Sealer,
    (organisation, now): (i64, Timestamp),
    row: Row<'_>,
) -> Result<i64, StoreError> {
    if row.name.is_empty()
        || row
            .name
            .chars()
            .any(|c| c.is_control() || c.is_whitespace())
    {
        return Err(StoreError::refused(Refusals::AuthorityName {}));
    }
    let id = next_number(connection, "authority").await?;
    sqlx::query(
        "INSERT INTO authorities (id, organisation, name, kind, sealed, current, standard, renew_days, created)
         VALUES ($1, $2, $3, $8, $4, 1, $5, $6, $7)",
    )
    .bind(id)
    .bind(organisation)
    .bind(row.name)
    .bind(seal_setting(sealer, &record(id), row.connector)?)
    .bind(row.standard)
    .bind(row.renew_days)
    .bind(now.0)
    .bind(row.connector.as_str())
    .execute(connection)
    .await?;
    Ok(id)
}

/// The built-in CA, which every organisation has from the start.
pub(crate) async fn insert_built_in(
    connection: &mut SqliteConnection,
    sealer: &Sealer,
    (organisation, now): (i64, Timestamp),
) -> Result<(), StoreError> {
    let built_in = Row {
        name: BUILT_IN,
        standard: true,
        renew_days: RENEW_DAYS,
        connector: &Connector::BuiltIn,
    };
    insert(connection, sealer, (organisation, now), built_in).await?;
    Ok(())
}

async fn retire(connection: &mut SqliteConnection, id: AuthorityId) -> Result<(), StoreError> {
    sqlx::query("UPDATE authorities SET current = 0, standard = 0 WHERE id = $1")
        .bind(id.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Settings that nothing was ordered with are not kept: whoever changes them often would fill the store.
async fn forget(connection: &mut SqliteConnection, id: AuthorityId) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM authorities WHERE id = $1 AND current = 0
         AND NOT EXISTS (SELECT 1 FROM orders WHERE authority = $1)
         AND NOT EXISTS (SELECT 1 FROM keys WHERE authority = $1)
         AND NOT EXISTS (SELECT 1 FROM revocations WHERE authority = $1)",
    )
    .bind(id.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Orders nothing from it any more.
pub(crate) async fn remove(
    connection: &mut SqliteConnection,
    organisation: i64,
    name: &str,
) -> Result<(), StoreError> {
    let refused = |why: Refusals| Err(StoreError::refused(why));
    let row = sqlx::query(
        "SELECT id, standard,
                EXISTS (SELECT 1 FROM orders o WHERE o.authority = a.id AND o.ended IS NULL) AS busy
         FROM authorities a WHERE organisation = $1 AND name = $2 AND current = 1",
    )
    .bind(organisation)
    .bind(name)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(()) };
    if row.field("standard")? {
        return refused(Refusals::StandardAuthority {
            name: name.to_owned(),
        });
    }
    if row.field("busy")? {
        return refused(Refusals::AuthorityBusy {
            name: name.to_owned(),
        });
    }
    let id = AuthorityId(row.field("id")?);
    retire(connection, id).await?;
    forget(connection, id).await
}
