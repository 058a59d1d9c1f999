//! Correspondents' keys as administrators look at them: the list, and one with where it came from.

use sealgate_core::queue::MailId;
use sealgate_core::tenant::{CorrespondentKey, CorrespondentState, OrganisationId, Origin};
use sealgate_mail::{Address, Timestamp};
use sqlx::QueryBuilder;
use sqlx::sqlite::{Sqlite, SqliteRow};

use super::{ChainLink, key};
use crate::error::StoreError;
use crate::limits::PAGE_ROWS;
use crate::rows::{Columns, word};
use crate::store::Store;

/// Which correspondent keys are listed.
#[derive(Clone, Debug, Default)]
pub struct CorrespondentFilter {
    /// Keys after this one: the `id` of the last of the page before.
    pub after: Option<i64>,
    /// Most keys.
    pub limit: u32,
    /// Only those in this state.
    pub state: Option<CorrespondentState>,
    /// Only those from there.
    pub origin: Option<Origin>,
    /// Only those of this address.
    pub address: Option<Address>,
    /// Only those that expire between these two times.
    pub expires: Option<(Timestamp, Timestamp)>,
}

/// A correspondent key with where it came from.
#[derive(Clone, Debug)]
pub struct CorrespondentDetail {
    /// The key.
    pub key: CorrespondentKey,
    /// The mail it was learned from.
    pub mail: Option<LearnedFrom>,
    /// Its issuers up to the trust root, as they were judged when it was learned.
    pub chain: Vec<ChainLink>,
    /// When it is asked about again; none if nothing can be asked.
    pub ask_at: Option<Timestamp>,
}

/// The mail that a key was learned from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearnedFrom {
    /// The mail.
    pub mail: MailId,
    /// Its From, if the journal still knows it.
    pub header_from: Option<Address>,
    /// Its Message-ID, if the journal still knows it.
    pub message_id: Option<String>,
    /// When it came, if the journal still knows it.
    pub at: Option<Timestamp>,
}

impl Store {
    /// One page of an organisation's correspondent keys, oldest first.
    pub async fn list_correspondents(
        &self,
        organisation: OrganisationId,
        filter: CorrespondentFilter,
    ) -> Result<Vec<CorrespondentKey>, StoreError> {
        let mut query =
            QueryBuilder::<Sqlite>::new("SELECT * FROM correspondents WHERE organisation = ");
        query
            .push_bind(organisation.0)
            .push(" AND id > ")
            .push_bind(filter.after.unwrap_or(0));
        if let Some(state) = &filter.state {
            query.push(" AND state = ").push_bind(word(state)?);
        }
        if let Some(origin) = &filter.origin {
            query.push(" AND origin = ").push_bind(word(origin)?);
        }
        if let Some(address) = &filter.address {
            query.push(" AND mailbox = ").push_bind(address.key());
        }
        if let Some((from, until)) = filter.expires {
            query
                .push(" AND not_after BETWEEN ")
                .push_bind(from.0)
                .push(" AND ")
                .push_bind(until.0);
        }
        query
            .push(" ORDER BY id LIMIT ")
            .push_bind(i64::from(filter.limit.min(PAGE_ROWS)));
        let rows = query.build().fetch_all(&self.0.readers).await?;
        rows.iter().map(key).collect()
    }

    /// One correspondent key with where it came from.
    pub async fn correspondent(
        &self,
        organisation: OrganisationId,
        id: i64,
    ) -> Result<CorrespondentDetail, StoreError> {
        let row = sqlx::query(
            "SELECT correspondents.*, mails.header_from, mails.message_id, mails.at FROM correspondents
             LEFT JOIN mails ON mails.id = correspondents.mail
             WHERE correspondents.id = $1 AND correspondents.organisation = $2",
        )
        .bind(id)
        .bind(organisation.0)
        .fetch_optional(&self.0.readers)
        .await?;
        let row = row.ok_or_else(|| not_found(id))?;
        Ok(CorrespondentDetail {
            key: key(&row)?,
            mail: learned_from(&row)?,
            chain: row.json("chain")?,
            ask_at: row.field::<Option<i64>>("ask_at")?.map(Timestamp),
        })
    }
}

fn learned_from(row: &SqliteRow) -> Result<Option<LearnedFrom>, StoreError> {
    let Some(mail) = row.field::<Option<i64>>("mail")? else {
        return Ok(None);
    };
    Ok(Some(LearnedFrom {
        mail: MailId(mail),
        header_from: row.optional_address("header_from")?,
        message_id: row.field("message_id")?,
        at: row.field::<Option<i64>>("at")?.map(Timestamp),
    }))
}

/// What is said where a number names no key of the organisation.
pub(super) fn not_found(id: i64) -> StoreError {
    StoreError::NotFound(format!(
        "there is no public key {id}; see the numbers with: sealgate correspondent list"
    ))
}
