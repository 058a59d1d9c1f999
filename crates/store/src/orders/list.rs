//! Orders and batches as lists show them.

use sealgate_core::authority::OrderId;
use sealgate_core::order::{OrderState, Purpose};
use sealgate_core::saying::Saying;
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::{Address, Timestamp};
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::limits::PAGE_ROWS;
use crate::rows::Columns;
use crate::store::Store;

/// An order as lists show it.
#[derive(Clone, Debug)]
pub struct OrderRow {
    /// Its number.
    pub id: OrderId,
    /// For which mailbox.
    pub address: Address,
    /// Name of its authority.
    pub authority: String,
    /// What it is for.
    pub purpose: Purpose,
    /// How far it is.
    pub state: OrderState,
    /// When it was opened.
    pub created: Timestamp,
    /// When the authority is asked next.
    pub due: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// What went wrong the last time.
    pub error: Option<Saying>,
}

/// Progress of many orders that were opened together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRow {
    /// Its number.
    pub id: i64,
    /// What it is.
    pub said: Saying,
    /// When it was opened.
    pub created: Timestamp,
    /// Orders in it.
    pub total: u32,
    /// Those whose certificate is there.
    pub issued: u32,
    /// Those that ended without one.
    pub failed: u32,
}

impl Store {
    /// Orders of an organisation after the one numbered `after`, oldest first; only open ones if `open`.
    pub async fn orders(
        &self,
        organisation: OrganisationId,
        (after, open): (i64, bool),
        limit: u32,
    ) -> Result<Vec<OrderRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT o.*, a.name AS authority_name FROM orders o JOIN authorities a ON a.id = o.authority
             WHERE o.organisation = $1 AND o.id > $2 AND ($3 = 0 OR o.ended IS NULL) ORDER BY o.id LIMIT $4",
        )
        .bind(organisation.0)
        .bind(after)
        .bind(open)
        .bind(i64::from(limit.min(PAGE_ROWS)))
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter().map(order_row).collect()
    }

    /// How far the orders are that were opened together: the newest first.
    pub async fn batches(
        &self,
        organisation: OrganisationId,
        limit: u32,
    ) -> Result<Vec<BatchRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT b.*, COUNT(CASE WHEN o.state = 'issued' THEN 1 END) AS issued,
                    COUNT(CASE WHEN o.state IN ('failed', 'withdrawn') THEN 1 END) AS failed
             FROM batches b LEFT JOIN orders o ON o.batch = b.id
             WHERE b.organisation = $1 GROUP BY b.id ORDER BY b.id DESC LIMIT $2",
        )
        .bind(organisation.0)
        .bind(i64::from(limit.min(PAGE_ROWS)))
        .fetch_all(&self.0.readers)
        .await?;
        let batch = |row: &SqliteRow| {
            Ok(BatchRow {
                id: row.field("id")?,
                said: row.said()?,
                created: row.time("created")?,
                total: row.field("total")?,
                issued: row.field("issued")?,
                failed: row.field("failed")?,
            })
        };
        rows.iter().map(batch).collect()
    }
}

pub(crate) fn order_row(row: &SqliteRow) -> Result<OrderRow, StoreError> {
    Ok(OrderRow {
        id: OrderId(row.field("id")?),
        address: row.address("address")?,
        authority: row.field("authority_name")?,
        purpose: row.word("purpose")?,
        state: row.word("state")?,
        created: row.time("created")?,
        due: row.optional_time("due")?,
        ended: row.optional_time("ended")?,
        error: row.told("error")?,
    })
}
