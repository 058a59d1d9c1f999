//! Certificates, orders, batches and revocations as the portal lists them: a page at a time, each from an index.

use sealgate_core::authority::{OrderId, RevocationReason};
use sealgate_core::change::KeyOrigin;
use sealgate_core::order::{OrderState, Purpose};
use sealgate_core::saying::Saying;
use sealgate_core::tenant::{Blocked, KeyId, OrganisationId, Settings};
use sealgate_mail::{Address, Timestamp};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::KeyKind;
use sqlx::QueryBuilder;
use sqlx::sqlite::{Sqlite, SqliteRow};

use crate::configuration::{blocked, trust_roots};
use crate::error::StoreError;
use crate::limits::{ISSUER_ROWS, PAGE_ROWS};
use crate::rows::{Columns, size};
use crate::store::Store;

#[cfg(test)]
mod tests;

/// A current certificate of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRow {
    /// Its number.
    pub id: KeyId,
    /// Whose.
    pub address: Address,
    /// The name of its issuer.
    pub issuer: String,
    /// What key it is for.
    pub kind: KeyKind,
    /// Start of its validity.
    pub not_before: Timestamp,
    /// End of its validity.
    pub not_after: Timestamp,
    /// Where it came from.
    pub origin: KeyOrigin,
    /// The name of the authority that issued it; none of an uploaded one.
    pub authority: Option<String>,
    /// Whether the mailbox signs with it.
    pub signing: bool,
    /// Whether others encrypt to it.
    pub encryption: bool,
    /// Whether the next one is on order.
    pub ordered: bool,
}

/// Which current certificates; every field narrows it.
#[derive(Clone, Debug, Default)]
pub struct CertificateQuery {
    /// Ending before.
    pub ends_before: Option<Timestamp>,
    /// Ending at that time or later.
    pub ends_from: Option<Timestamp>,
    /// Of exactly this issuer.
    pub issuer: Option<String>,
    /// For a key of this kind.
    pub kind: Option<KeyKind>,
    /// Whose mailbox holds this text, in any case.
    pub search: Option<String>,
    /// Of these mailboxes, if any are named.
    pub mailboxes: Vec<Address>,
    /// Only those that mailboxes sign with, where no next one is on order: what a new one may be ordered for.
    pub to_reissue: bool,
    /// Only those that an authority of the organisation issued.
    pub issued: bool,
    /// After the one with this end and number.
    pub after: Option<(Timestamp, i64)>,
    /// Most rows.
    pub limit: u32,
}

/// An order with all that pages show of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderDetail {
    /// Its number.
    pub id: OrderId,
    /// For which mailbox.
    pub address: Address,
    /// Name of its authority.
    pub authority: String,
    /// Whether an administrator carries it to its authority.
    pub by_hand: bool,
    /// What it is for.
    pub purpose: Purpose,
    /// How far it is.
    pub state: OrderState,
    /// What key is made for it.
    pub kind: KeyKind,
    /// The batch it was opened in.
    pub batch: Option<i64>,
    /// When it was opened.
    pub created: Timestamp,
    /// When the authority is asked next.
    pub due: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// What went wrong the last time.
    pub error: Option<Saying>,
}

/// Which orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrdersOf {
    /// Those that have not ended.
    #[default]
    Open,
    /// Those that ended without a certificate, but for those taken back.
    Failed,
    /// All.
    All,
    /// Those of a batch.
    Batch(i64),
    /// Those of a batch that failed.
    FailedInBatch(i64),
}

/// How far the orders of a batch are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchDetail {
    /// Its number.
    pub id: i64,
    /// What it is.
    pub said: Saying,
    /// Who opened it.
    pub who: String,
    /// When it was opened.
    pub created: Timestamp,
    /// At most so many orders become due in a minute.
    pub per_minute: Option<u32>,
    /// Orders in it.
    pub total: u32,
    /// Those whose certificate is there.
    pub issued: u32,
    /// Those that failed.
    pub failed: u32,
    /// Those that were taken back.
    pub withdrawn: u32,
}

/// Which revocations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RevocationsOf {
    /// Those that are not confirmed.
    #[default]
    Open,
    /// All.
    All,
}

/// A revocation with all that pages show of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationDetail {
    /// Its number.
    pub id: i64,
    /// Of which mailbox, as it is compared.
    pub mailbox: String,
    /// The certificate's number.
    pub key: KeyId,
    /// The name of the certificate's issuer.
    pub issuer: String,
    /// The certificate's serial number, in hexadecimal digits.
    pub serial: String,
    /// The name of the authority that is asked; none if an administrator has to see to it.
    pub authority: Option<String>,
    /// Why.
    pub reason: RevocationReason,
    /// When it was asked for.
    pub asked: Timestamp,
    /// When its authority is asked next.
    pub due: Option<Timestamp>,
    /// When it was confirmed.
    pub confirmed: Option<Timestamp>,
    /// What went wrong the last time.
    pub error: Option<Saying>,
}

/// Whom an organisation trusts.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Its switches, of which two are about trust.
    pub settings: Settings,
    /// Its own roots.
    pub roots: Vec<Certificate>,
    /// What it never trusts.
    pub blocked: Vec<Blocked>,
}

impl Store {
    /// One page of an organisation's current certificates, those that end first before the others.
    pub async fn certificate_page(
        &self,
        organisation: OrganisationId,
        query: &CertificateQuery,
    ) -> Result<Vec<CertificateRow>, StoreError> {
        let mut sql = certificates_sql(organisation, query, COLUMNS);
        sql.push(" ORDER BY k.not_after, k.id LIMIT ")
            .push_bind(i64::from(query.limit.min(PAGE_ROWS)));
        let rows = sql.build().fetch_all(&self.0.readers).await?;
        rows.iter().map(certificate_row).collect()
    }

    /// How many current certificates there are.
    pub async fn certificate_count(
        &self,
        organisation: OrganisationId,
        query: &CertificateQuery,
    ) -> Result<u64, StoreError> {
        let mut sql = certificates_sql(organisation, query, COUNT);
        let row = sql.build().fetch_one(&self.0.readers).await?;
        Ok(size(row.field("count")?))
    }

    /// The issuers of an organisation's current certificates and how many each has, the busiest first.
    pub async fn certificate_issuers(
        &self,
        organisation: OrganisationId,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT issuer, COUNT(*) AS count FROM keys INDEXED BY keys_issuer
             WHERE organisation = $1 AND current = 1 GROUP BY issuer ORDER BY 2 DESC, 1 LIMIT $2",
        )
        .bind(organisation.0)
        .bind(ISSUER_ROWS)
        .fetch_all(&self.0.readers)
        .await?;
        let one = |row: &SqliteRow| Ok((row.field("issuer")?, size(row.field("count")?)));
        rows.iter().map(one).collect()
    }

    /// One page of an organisation's orders before the one numbered `before`, the newest first.
    pub async fn order_page(
        &self,
        organisation: OrganisationId,
        which: OrdersOf,
        (before, limit): (Option<i64>, u32),
    ) -> Result<Vec<OrderDetail>, StoreError> {
        let (index, end) = match which {
            OrdersOf::Open => ("orders_open_list", " AND o.ended IS NULL"),
            OrdersOf::Failed => ("orders_failed_list", " AND o.state = 'failed'"),
            OrdersOf::All => ("orders_organisation", ""),
            OrdersOf::Batch(_) => ("orders_batch", ""),
            OrdersOf::FailedInBatch(_) => ("orders_batch", " AND o.state = 'failed'"),
        };
        let mut sql = QueryBuilder::<Sqlite>::new(format!(
            "{ORDERS} INDEXED BY {index} CROSS JOIN authorities a ON a.id = o.authority WHERE o.organisation = "
        ));
        sql.push_bind(organisation.0).push(end);
        if let OrdersOf::Batch(batch) | OrdersOf::FailedInBatch(batch) = which {
            sql.push(" AND o.batch = ").push_bind(batch);
        }
        if let Some(before) = before {
            sql.push(" AND o.id < ").push_bind(before);
        }
        sql.push(" ORDER BY o.id DESC LIMIT ")
            .push_bind(i64::from(limit.min(PAGE_ROWS)));
        let rows = sql.build().fetch_all(&self.0.readers).await?;
        rows.iter().map(order_detail).collect()
    }

    /// The order of that number.
    pub async fn order_detail(
        &self,
        organisation: OrganisationId,
        id: OrderId,
    ) -> Result<OrderDetail, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new(format!(
            "{ORDERS} JOIN authorities a ON a.id = o.authority WHERE o.organisation = "
        ));
        sql.push_bind(organisation.0)
            .push(" AND o.id = ")
            .push_bind(id.0);
        let row = sql.build().fetch_optional(&self.0.readers).await?;
        let missing = || StoreError::NotFound(format!("there is no order {}", id.0));
        order_detail(&row.ok_or_else(missing)?)
    }

    /// One page of an organisation's batches before the one numbered `before`, the newest first.
    pub async fn batch_page(
        &self,
        organisation: OrganisationId,
        (before, limit): (Option<i64>, u32),
    ) -> Result<Vec<BatchDetail>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM batches WHERE organisation = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        )
        .bind(organisation.0)
        .bind(before.unwrap_or(i64::MAX))
        .bind(i64::from(limit.min(PAGE_ROWS)))
        .fetch_all(&self.0.readers)
        .await?;
        let mut batches = Vec::with_capacity(rows.len());
        for row in &rows {
            batches.push(self.with_progress(row).await?);
        }
        Ok(batches)
    }

    /// The batch of that number.
    pub async fn batch(
        &self,
        organisation: OrganisationId,
        id: i64,
    ) -> Result<BatchDetail, StoreError> {
        let row = sqlx::query("SELECT * FROM batches WHERE organisation = $1 AND id = $2")
            .bind(organisation.0)
            .bind(id)
            .fetch_optional(&self.0.readers)
            .await?;
        let missing = || StoreError::NotFound(format!("there is no batch {id}"));
        self.with_progress(&row.ok_or_else(missing)?).await
    }

    async fn with_progress(&self, row: &SqliteRow) -> Result<BatchDetail, StoreError> {
        let mut batch = BatchDetail {
            id: row.field("id")?,
            said: row.said()?,
            who: row.field("who")?,
            created: row.time("created")?,
            per_minute: row.field("per_minute")?,
            total: row.field("total")?,
            issued: 0,
            failed: 0,
            withdrawn: 0,
        };
        let states = sqlx::query(
            "SELECT state, COUNT(*) AS count FROM orders INDEXED BY orders_batch WHERE batch = $1 GROUP BY state",
        )
        .bind(batch.id)
        .fetch_all(&self.0.readers)
        .await?;
        for row in &states {
            let count = row.field("count")?;
            match row.word("state")? {
                OrderState::Issued => batch.issued = count,
                OrderState::Failed => batch.failed = count,
                OrderState::Withdrawn => batch.withdrawn = count,
                OrderState::New | OrderState::Asking | OrderState::Waiting => {}
            }
        }
        Ok(batch)
    }

    /// One page of an organisation's revocations before the one numbered `before`, the newest first.
    pub async fn revocation_page(
        &self,
        organisation: OrganisationId,
        which: RevocationsOf,
        (before, limit): (Option<i64>, u32),
    ) -> Result<Vec<RevocationDetail>, StoreError> {
        let (index, open) = match which {
            RevocationsOf::Open => ("revocations_open_list", " AND r.confirmed IS NULL"),
            RevocationsOf::All => ("revocations_organisation", ""),
        };
        let mut sql = QueryBuilder::<Sqlite>::new(format!(
            "SELECT r.*, k.issuer, lower(hex(k.serial)) AS serial, a.name AS authority_name
             FROM revocations r INDEXED BY {index} CROSS JOIN keys k ON k.id = r.key
             LEFT JOIN authorities a ON a.id = r.authority WHERE r.organisation = "
        ));
        sql.push_bind(organisation.0).push(open);
        if let Some(before) = before {
            sql.push(" AND r.id < ").push_bind(before);
        }
        sql.push(" ORDER BY r.id DESC LIMIT ")
            .push_bind(i64::from(limit.min(PAGE_ROWS)));
        let rows = sql.build().fetch_all(&self.0.readers).await?;
        rows.iter().map(revocation_detail).collect()
    }

    /// Whom an organisation trusts.
    pub async fn trust(&self, organisation: OrganisationId) -> Result<Trust, StoreError> {
        let mut reading = self.0.readers.begin().await?;
        let row = sqlx::query("SELECT settings FROM organisations WHERE id = $1")
            .bind(organisation.0)
            .fetch_optional(&mut *reading)
            .await?;
        let gone = || StoreError::NotFound("there is no such organisation".to_owned());
        Ok(Trust {
            settings: row.ok_or_else(gone)?.json("settings")?,
            roots: trust_roots(&mut reading, organisation.0).await?,
            blocked: blocked(&mut reading, organisation.0).await?,
        })
    }
}

/// Counting alone.
const COUNT: &str = "COUNT(*) AS count";

/// Columns of a [`CertificateRow`].
const COLUMNS: &str = "k.id, m.address, k.issuer, k.kind, k.not_before, k.not_after, k.origin, a.name AS authority_name,
    m.signing = k.id AS signing, m.encryption = k.id AS encryption,
    EXISTS (SELECT 1 FROM orders o WHERE o.organisation = k.organisation AND o.mailbox = k.mailbox AND o.ended IS NULL)
        AS ordered";

/// Orders `o` with their authorities `a`.
const ORDERS: &str = "SELECT o.id, o.address, o.purpose, o.state, o.key_kind, o.batch, o.created, o.due, o.ended, o.error,
    a.name AS authority_name, a.kind = 'by-hand' AS by_hand FROM orders o";

fn certificates_sql(
    organisation: OrganisationId,
    query: &CertificateQuery,
    columns: &str,
) -> QueryBuilder<Sqlite> {
    let index = match query.issuer {
        _ if !query.mailboxes.is_empty() => "",
        Some(_) => "INDEXED BY keys_issuer",
        None => "INDEXED BY keys_current",
    };
    // A current certificate is one of a mailbox: where only the number is wanted, the index of certificates has it.
    let others = match columns == COUNT && !query.to_reissue {
        true => "",
        false => {
            "CROSS JOIN mailboxes m ON m.organisation = k.organisation AND m.mailbox = k.mailbox
             LEFT JOIN authorities a ON a.id = k.authority"
        }
    };
    let mut sql = QueryBuilder::new(format!(
        "SELECT {columns} FROM keys k {index} {others} WHERE k.current = 1 AND k.organisation = "
    ));
    sql.push_bind(organisation.0);
    if let Some(issuer) = &query.issuer {
        sql.push(" AND k.issuer = ").push_bind(issuer.clone());
    }
    if let Some(before) = query.ends_before {
        sql.push(" AND k.not_after < ").push_bind(before.0);
    }
    if let Some(from) = query.ends_from {
        sql.push(" AND k.not_after >= ").push_bind(from.0);
    }
    if !query.mailboxes.is_empty() {
        sql.push(" AND k.mailbox IN (");
        let mut keys = sql.separated(", ");
        for mailbox in &query.mailboxes {
            keys.push_bind(mailbox.key());
        }
        sql.push(")");
    }
    if let Some(search) = &query.search {
        sql.push(" AND instr(k.mailbox, ")
            .push_bind(search.to_lowercase())
            .push(") > 0");
    }
    if let Some((end, id)) = query.after {
        sql.push(" AND (k.not_after, k.id) > (")
            .push_bind(end.0)
            .push(", ")
            .push_bind(id)
            .push(")");
    }
    if let Some(kind) = query.kind {
        let word = crate::rows::word(&kind).unwrap_or_default();
        sql.push(" AND k.kind = ").push_bind(word);
    }
    if query.issued {
        sql.push(" AND k.authority IS NOT NULL");
    }
    if query.to_reissue {
        sql.push(
            " AND m.signing = k.id AND NOT EXISTS (SELECT 1 FROM orders o
              WHERE o.organisation = k.organisation AND o.mailbox = k.mailbox AND o.ended IS NULL)",
        );
    }
    sql
}

fn certificate_row(row: &SqliteRow) -> Result<CertificateRow, StoreError> {
    let is = |name: &str| Ok::<_, StoreError>(row.field::<Option<bool>>(name)?.unwrap_or(false));
    Ok(CertificateRow {
        id: KeyId(row.field("id")?),
        address: row.address("address")?,
        issuer: row.field("issuer")?,
        kind: row.word("kind")?,
        not_before: row.time("not_before")?,
        not_after: row.time("not_after")?,
        origin: row.word("origin")?,
        authority: row.field("authority_name")?,
        signing: is("signing")?,
        encryption: is("encryption")?,
        ordered: is("ordered")?,
    })
}

fn order_detail(row: &SqliteRow) -> Result<OrderDetail, StoreError> {
    Ok(OrderDetail {
        id: OrderId(row.field("id")?),
        address: row.address("address")?,
        authority: row.field("authority_name")?,
        by_hand: row.field("by_hand")?,
        purpose: row.word("purpose")?,
        state: row.word("state")?,
        kind: row.word("key_kind")?,
        batch: row.field("batch")?,
        created: row.time("created")?,
        due: row.optional_time("due")?,
        ended: row.optional_time("ended")?,
        error: row.told("error")?,
    })
}

fn revocation_detail(row: &SqliteRow) -> Result<RevocationDetail, StoreError> {
    Ok(RevocationDetail {
        id: row.field("id")?,
        mailbox: row.field("mailbox")?,
        key: KeyId(row.field("key")?),
        issuer: row.field("issuer")?,
        serial: row.field("serial")?,
        authority: row.field("authority_name")?,
        reason: row.word("reason")?,
        asked: row.time("asked")?,
        due: row.optional_time("due")?,
        confirmed: row.optional_time("confirmed")?,
        error: row.told("error")?,
    })
}
