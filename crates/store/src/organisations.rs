//! Organisations as the operator and resellers see them: counts and terms, nothing of their mail.

use sealgate_core::licence::{Licence, Quota};
use sealgate_core::permission::ResellerId;
use sealgate_core::tenant::{OrganisationId, Settings};
use sealgate_mail::Timestamp;
use sqlx::QueryBuilder;
use sqlx::sqlite::{Sqlite, SqliteRow};

use crate::error::StoreError;
use crate::limits::PAGE_ROWS;
use crate::rows::{Columns, size};
use crate::store::Store;

/// An organisation with its licences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerRow {
    /// Its number.
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Name of the reseller who books its licences.
    pub reseller: Option<String>,
    /// Known mailboxes.
    pub known: u64,
    /// What is booked, and how much of it is used.
    pub quota: Quota,
}

/// Which organisations; every field narrows it.
#[derive(Clone, Debug, Default)]
pub struct CustomerQuery {
    /// Of one reseller.
    pub reseller: Option<ResellerId>,
    /// Whose name holds this text, in any case.
    pub search: Option<String>,
    /// After this name, in their order.
    pub after: Option<String>,
    /// Most rows.
    pub limit: u32,
}

impl Store {
    /// One page of the organisations with their licences, in the order of their names.
    pub async fn customers(&self, query: &CustomerQuery) -> Result<Vec<CustomerRow>, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new(CUSTOMERS);
        sql.push(" WHERE o.name > ")
            .push_bind(query.after.clone().unwrap_or_default());
        if let Some(reseller) = query.reseller {
            sql.push(" AND o.reseller = ").push_bind(reseller.0);
        }
        if let Some(search) = &query.search {
            sql.push(" AND instr(lower(o.name), ")
                .push_bind(search.to_lowercase())
                .push(") > 0");
        }
        sql.push(" ORDER BY o.name LIMIT ")
            .push_bind(i64::from(query.limit.min(PAGE_ROWS)));
        let rows = sql.build().fetch_all(&self.0.readers).await?;
        rows.iter().map(customer).collect()
    }

    /// One organisation with its licences.
    pub async fn customer(&self, organisation: OrganisationId) -> Result<CustomerRow, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new(CUSTOMERS);
        sql.push(" WHERE o.id = ").push_bind(organisation.0);
        let row = sql.build().fetch_optional(&self.0.readers).await?;
        customer(&row.ok_or_else(gone)?)
    }

    /// The switches of an organisation.
    pub async fn settings(&self, organisation: OrganisationId) -> Result<Settings, StoreError> {
        let row = sqlx::query("SELECT settings FROM organisations WHERE id = $1")
            .bind(organisation.0)
            .fetch_optional(&self.0.readers)
            .await?;
        row.ok_or_else(gone)?.json("settings")
    }
}

const CUSTOMERS: &str = "SELECT o.id, o.name, o.created, r.name AS reseller, l.organisation AS counted, l.base, l.smime, l.until,
        (SELECT COUNT(*) FROM mailboxes m WHERE m.organisation = o.id AND m.known = 1) AS known,
        (SELECT COUNT(*) FROM mailboxes m WHERE m.organisation = o.id AND m.state <> 'inactive') AS held
    FROM organisations o LEFT JOIN resellers r ON r.id = o.reseller LEFT JOIN licences l ON l.organisation = o.id";

fn gone() -> StoreError {
    StoreError::NotFound("there is no such organisation".to_owned())
}

fn customer(row: &SqliteRow) -> Result<CustomerRow, StoreError> {
    let counted: Option<i64> = row.field("counted")?;
    let licence = match counted {
        None => None,
        Some(_) => Some(Licence {
            base: row.field("base")?,
            smime: row.field("smime")?,
            until: row.optional_time("until")?,
        }),
    };
    Ok(CustomerRow {
        id: row.organisation("id")?,
        name: row.field("name")?,
        created: row.time("created")?,
        reseller: row.field("reseller")?,
        known: size(row.field("known")?),
        quota: Quota {
            licence,
            held: row.field("held")?,
        },
    })
}
