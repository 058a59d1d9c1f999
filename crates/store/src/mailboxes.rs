//! The table of mailboxes as pages show it.

use sealgate_core::tenant::{MailboxState, OrganisationId};
use sealgate_mail::{Address, Timestamp};
use sqlx::QueryBuilder;
use sqlx::sqlite::{Sqlite, SqliteRow};

use crate::error::StoreError;
use crate::limits::PAGE_ROWS;
use crate::rows::{Columns, size, word};
use crate::store::Store;

/// A known mailbox as the table shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxRow {
    /// Its address.
    pub address: Address,
    /// Where it stands.
    pub state: MailboxState,
    /// Since when.
    pub since: Timestamp,
    /// Number and end of the certificate it signs with.
    pub signing: Option<(i64, Timestamp)>,
}

/// Which known mailboxes; every field narrows it.
#[derive(Clone, Debug, Default)]
pub struct MailboxQuery {
    /// In this state.
    pub state: Option<MailboxState>,
    /// Whose address holds this text, in any case.
    pub search: Option<String>,
    /// After this one, in the order of domain and address.
    pub after: Option<Address>,
    /// Most rows.
    pub limit: u32,
}

/// Counts of known mailboxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailboxCounts {
    /// All.
    pub known: u64,
    /// Active ones.
    pub active: u64,
}

impl Store {
    /// One page of an organisation's known mailboxes, in the order of domain and address.
    pub async fn mailbox_page(
        &self,
        organisation: OrganisationId,
        query: &MailboxQuery,
    ) -> Result<Vec<MailboxRow>, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new(
            "SELECT m.address, m.state, m.since, m.signing, k.not_after
             FROM mailboxes m LEFT JOIN keys k ON k.id = m.signing WHERE m.known = 1 AND m.organisation = ",
        );
        sql.push_bind(organisation.0);
        if let Some(state) = &query.state {
            sql.push(" AND m.state = ").push_bind(word(state)?);
        }
        if let Some(search) = &query.search {
            let folded = search.to_lowercase();
            sql.push(" AND instr(m.mailbox, ")
                .push_bind(folded)
                .push(") > 0");
        }
        if let Some(after) = &query.after {
            sql.push(" AND (m.domain, m.mailbox) > (")
                .push_bind(after.domain().as_str().to_owned())
                .push(", ")
                .push_bind(after.key())
                .push(")");
        }
        sql.push(" ORDER BY m.domain, m.mailbox LIMIT ")
            .push_bind(i64::from(query.limit.min(PAGE_ROWS)));
        let rows = sql.build().fetch_all(&self.0.readers).await?;
        rows.iter().map(mailbox_row).collect()
    }

    /// How many known mailboxes an organisation has.
    pub async fn mailbox_counts(
        &self,
        organisation: OrganisationId,
    ) -> Result<MailboxCounts, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS known, COUNT(*) FILTER (WHERE state = 'active') AS active
             FROM mailboxes WHERE known = 1 AND organisation = $1",
        )
        .bind(organisation.0)
        .fetch_one(&self.0.readers)
        .await?;
        Ok(MailboxCounts {
            known: size(row.field("known")?),
            active: size(row.field("active")?),
        })
    }
}

fn mailbox_row(row: &SqliteRow) -> Result<MailboxRow, StoreError> {
    let signing: Option<i64> = row.field("signing")?;
    let not_after: Option<i64> = row.field("not_after")?;
    Ok(MailboxRow {
        address: row.address("address")?,
        state: row.word("state")?,
        since: row.time("since")?,
        signing: signing.zip(not_after.map(Timestamp)),
    })
}
