//! Correspondents' keys as administrators look at them: the list, and one with where it came from.

use sealgate_core::queue::MailId;
use sealgate_core::saying::Saying;
use sealgate_core::tenant::{CorrespondentKey, CorrespondentState, OrganisationId, Origin};
use sealgate_mail::{Address, Timestamp};
use sqlx::QueryBuilder;
use sqlx::sqlite::{Sqlite, SqliteRow};

use super::{ChainLink, key};
use crate::error::StoreError;
use crate::limits::{KEY_EVENTS_LOOKED_AT, KEY_EVENTS_SHOWN, PAGE_ROWS};
use crate::rows::{Columns, size, word};
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

/// Which correspondents' keys a page shows, in the order of addresses; every field narrows it.
#[derive(Clone, Debug, Default)]
pub struct CorrespondentQuery {
    /// Whose address holds this text, in any case.
    pub search: Option<String>,
    /// Only those in this state.
    pub state: Option<CorrespondentState>,
    /// Only those from there.
    pub origin: Option<Origin>,
    /// Only those that end before this time.
    pub ends_before: Option<Timestamp>,
    /// Only those that end at this time or later.
    pub ends_from: Option<Timestamp>,
    /// Only pinned ones.
    pub pinned: bool,
    /// Keys behind this one: [`CorrespondentKey::address`] and fingerprint of the last one of the page before.
    pub after: Option<(Address, [u8; 32])>,
    /// Most keys.
    pub limit: u32,
}

/// A correspondent key as a list shows it.
#[derive(Clone, Debug)]
pub struct ListedCorrespondent {
    /// The key.
    pub key: CorrespondentKey,
    /// The mail it was learned from, if it was, as far as the journal knows it.
    pub mail: Option<LearnedFrom>,
    /// The directory or DNS that has it.
    pub source: Option<String>,
}

/// Counts of correspondents' keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CorrespondentCounts {
    /// All.
    pub all: u64,
    /// Those that wait for an administrator.
    pub new: u64,
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

    /// One page of an organisation's correspondent keys, in the order of addresses.
    pub async fn correspondent_page(
        &self,
        organisation: OrganisationId,
        query: &CorrespondentQuery,
    ) -> Result<Vec<ListedCorrespondent>, StoreError> {
        // Everything that narrows the list stands in this index, so that certificates are read of what is shown only.
        let mut sql = QueryBuilder::<Sqlite>::new(
            "SELECT c.*, mails.header_from, mails.message_id, mails.at, source_keys.source FROM
             (SELECT id, mailbox, fingerprint FROM correspondents INDEXED BY correspondents_list WHERE organisation = ",
        );
        sql.push_bind(organisation.0);
        narrow(&mut sql, query)?;
        sql.push(" ORDER BY mailbox, fingerprint LIMIT ")
            .push_bind(i64::from(query.limit.min(PAGE_ROWS)))
            .push(
                ") AS found JOIN correspondents c ON c.id = found.id LEFT JOIN mails ON mails.id = c.mail
                 LEFT JOIN source_keys ON source_keys.correspondent = c.id ORDER BY found.mailbox, found.fingerprint",
            );
        let rows = sql.build().fetch_all(&self.0.readers).await?;
        let listed = |row: &SqliteRow| {
            Ok(ListedCorrespondent {
                key: key(row)?,
                mail: learned_from(row)?,
                source: row.field("source")?,
            })
        };
        rows.iter().map(listed).collect()
    }

    /// The last events about keys of an address, newest first; only lately enough to be shown beside a key.
    pub async fn key_events(
        &self,
        organisation: OrganisationId,
        address: &Address,
    ) -> Result<Vec<(Timestamp, Saying)>, StoreError> {
        let rows = sqlx::query(
            "SELECT at, text, said FROM (SELECT id, at, kind, text, said FROM events WHERE organisation = $1 ORDER BY id DESC LIMIT $2)
             WHERE kind LIKE 'key-%' AND instr(text, $3) > 0 ORDER BY id DESC",
        )
        .bind(organisation.0)
        .bind(KEY_EVENTS_LOOKED_AT)
        .bind(format!(" {address}"))
        .fetch_all(&self.0.readers)
        .await?;
        let mut found = Vec::new();
        for row in &rows {
            let text: String = row.field("text")?;
            let is_meant = text.split([' ', ':', ',', ';']).any(|word| {
                Address::parse(word.trim_end_matches('.')).is_ok_and(|named| named == *address)
            });
            if is_meant && found.len() < KEY_EVENTS_SHOWN {
                found.push((row.time("at")?, row.said()?));
            }
        }
        Ok(found)
    }

    /// How many correspondents' keys an organisation has.
    pub async fn correspondent_counts(
        &self,
        organisation: OrganisationId,
    ) -> Result<CorrespondentCounts, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS keys, COUNT(*) FILTER (WHERE state = 'new') AS new
             FROM correspondents INDEXED BY correspondents_list WHERE organisation = $1",
        )
        .bind(organisation.0)
        .fetch_one(&self.0.readers)
        .await?;
        Ok(CorrespondentCounts {
            all: size(row.field("keys")?),
            new: size(row.field("new")?),
        })
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
            ask_at: row.optional_time("ask_at")?,
        })
    }
}

fn narrow(sql: &mut QueryBuilder<Sqlite>, query: &CorrespondentQuery) -> Result<(), StoreError> {
    if let Some(search) = &query.search {
        sql.push(" AND instr(mailbox, ")
            .push_bind(search.trim().to_lowercase())
            .push(") > 0");
    }
    if let Some(state) = &query.state {
        sql.push(" AND state = ").push_bind(word(state)?);
    }
    if let Some(origin) = &query.origin {
        sql.push(" AND origin = ").push_bind(word(origin)?);
    }
    if let Some(end) = query.ends_before {
        sql.push(" AND not_after < ").push_bind(end.0);
    }
    if let Some(end) = query.ends_from {
        sql.push(" AND not_after >= ").push_bind(end.0);
    }
    if query.pinned {
        sql.push(" AND pinned = 1");
    }
    if let Some((address, fingerprint)) = &query.after {
        sql.push(" AND (mailbox, fingerprint) > (")
            .push_bind(address.key())
            .push(", ")
            .push_bind(fingerprint.to_vec())
            .push(")");
    }
    Ok(())
}

fn learned_from(row: &SqliteRow) -> Result<Option<LearnedFrom>, StoreError> {
    let Some(mail) = row.field::<Option<i64>>("mail")? else {
        return Ok(None);
    };
    Ok(Some(LearnedFrom {
        mail: MailId(mail),
        header_from: row.optional_address("header_from")?,
        message_id: row.field("message_id")?,
        at: row.optional_time("at")?,
    }))
}

/// What is said where a number names no key of the organisation.
pub(super) fn not_found(id: i64) -> StoreError {
    StoreError::NotFound(format!(
        "there is no public key {id}; see the numbers with: sealgate correspondent list"
    ))
}
