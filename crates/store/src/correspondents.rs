//! External addresses' certificates: looked up when a mail is decided, added by harvest and by hand, never overwritten.

use std::collections::HashMap;

use sealgate_core::harvest::{self, Harvested};
use sealgate_core::queue::MailId;
use sealgate_core::saying::{Keys as Said, Saying};
use sealgate_core::tenant::{
    Announced, CorrespondentKey, CorrespondentState, OrganisationId, Origin,
};
use sealgate_mail::{Address, Timestamp};
use sealgate_smime::certificate::Certificate;
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::configuration::next_number;
use crate::error::StoreError;
use crate::events::{self, EventKind};
use crate::rows::{Columns, json, word};
use crate::store::Store;

mod choice;
mod list;

pub(crate) use choice::take_over;
pub use list::{
    CorrespondentCounts, CorrespondentDetail, CorrespondentFilter, CorrespondentQuery, LearnedFrom,
    ListedCorrespondent,
};

/// An issuer of a learned certificate, as it was judged then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainLink {
    /// Its name.
    pub subject: String,
    /// SHA-256 of its certificate, in hexadecimal digits.
    pub sha256: String,
}

fn link(issuer: &Certificate) -> ChainLink {
    ChainLink {
        subject: issuer.subject_name(),
        sha256: issuer.fingerprint_hex(),
    }
}

/// A key to store, as a row.
pub(crate) struct CorrespondentRow {
    mailbox: String,
    address: String,
    certificate: Certificate,
    origin: String,
    state: String,
    superseded: Vec<i64>,
    chain: Vec<ChainLink>,
    announced: Option<Announced>,
    known: Option<i64>,
}

pub(crate) fn rows(harvested: &[Harvested]) -> Result<Vec<CorrespondentRow>, StoreError> {
    let row = |harvested: &Harvested| row_of(harvested, Origin::Harvested);
    harvested.iter().map(row).collect()
}

/// A key that was learned, or found in a directory or DNS.
pub(crate) fn row_of(
    harvested: &Harvested,
    origin: Origin,
) -> Result<CorrespondentRow, StoreError> {
    Ok(CorrespondentRow {
        superseded: harvested.superseded.clone(),
        chain: harvested.chain.iter().map(link).collect(),
        announced: harvested.announced.clone(),
        known: harvested.known,
        ..row(
            &harvested.address,
            &harvested.certificate,
            (origin, harvested.state),
        )?
    })
}

impl CorrespondentRow {
    /// Its certificate.
    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The keys that make room for it.
    pub(crate) fn superseded(&self) -> &[i64] {
        &self.superseded
    }
}

/// A key of `certificate` for one address.
pub(crate) fn row(
    address: &Address,
    certificate: &Certificate,
    (origin, state): (Origin, CorrespondentState),
) -> Result<CorrespondentRow, StoreError> {
    Ok(CorrespondentRow {
        mailbox: address.key(),
        address: address.to_string(),
        certificate: certificate.clone(),
        origin: word(&origin)?,
        state: word(&state)?,
        superseded: Vec::new(),
        chain: Vec::new(),
        announced: None,
        known: None,
    })
}

/// Stores what was learned from `mail`, each with an event.
pub(crate) async fn learn(
    connection: &mut SqliteConnection,
    (mail, organisation, at): (MailId, i64, Timestamp),
    rows: Vec<CorrespondentRow>,
) -> Result<(), StoreError> {
    for row in rows {
        if let (Some(known), Some(announced)) = (row.known, &row.announced) {
            renew(connection, organisation, known, announced).await?;
            continue;
        }
        if has_namesake(
            connection,
            Certificates::Correspondents,
            organisation,
            &row.certificate,
        )
        .await?
        {
            continue;
        }
        let row = as_keys_stand(connection, organisation, row, at).await?;
        supersede(connection, organisation, &row.superseded).await?;
        let said = learned(&row)?;
        if insert(connection, organisation, Some(mail), (row, at)).await? {
            events::insert(connection, organisation, at, (EventKind::KeyLearned, said)).await?;
        }
    }
    Ok(())
}

/// Since it was decided that a key is preferred, another mail or an administrator may have changed the keys of its address.
async fn as_keys_stand(
    connection: &mut SqliteConnection,
    organisation: i64,
    row: CorrespondentRow,
    at: Timestamp,
) -> Result<CorrespondentRow, StoreError> {
    if row.state != word(&CorrespondentState::Preferred)? {
        return Ok(row);
    }
    let address = Address::parse(&row.address);
    let address = address.map_err(|error| StoreError::damaged(error.to_string()))?;
    let existing = choice::keys_of(connection, organisation, &address).await?;
    match harvest::looked_up(&row.certificate, &address, &existing, (false, at)) {
        // It is there already, and stays as it is.
        None => Ok(row),
        Some(placed) => Ok(CorrespondentRow {
            state: word(&placed.state)?,
            superseded: placed.superseded,
            ..row
        }),
    }
}

/// The words of the event about a key that was learned.
pub(crate) fn learned(row: &CorrespondentRow) -> Result<Saying, StoreError> {
    let state = crate::rows::of_word(row.state.clone())?;
    let (address, sha256) = (row.address.clone(), row.certificate.fingerprint_hex());
    let numbers: Vec<_> = row.superseded.iter().map(i64::to_string).collect();
    Ok(match numbers.is_empty() {
        true => Said::Learned {
            state,
            address,
            sha256,
        },
        false => Said::LearnedInstead {
            state,
            address,
            sha256,
            former: numbers.join(", "),
        },
    }
    .into())
}

/// Keeps what the owner of a key announced, unless something later is known.
async fn renew(
    connection: &mut SqliteConnection,
    organisation: i64,
    id: i64,
    announced: &Announced,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE correspondents SET capabilities = $1, announced = $2
         WHERE id = $3 AND organisation = $4 AND (announced IS NULL OR announced < $2)",
    )
    .bind(&announced.capabilities)
    .bind(announced.at.0)
    .bind(id)
    .bind(organisation)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whose certificates are looked through.
#[derive(Clone, Copy)]
pub(crate) enum Certificates {
    /// Those of correspondents.
    Correspondents,
    /// Those of the organisation's own mailboxes.
    Keys,
}

/// Whether another certificate of the organisation names the same issuer and serial number, for another key (row X6): a
/// RecipientInfo would name both.
pub(crate) async fn has_namesake(
    connection: &mut SqliteConnection,
    among: Certificates,
    organisation: i64,
    certificate: &Certificate,
) -> Result<bool, StoreError> {
    let query = match among {
        Certificates::Correspondents => {
            "SELECT DISTINCT certificate FROM correspondents WHERE organisation = $1 AND serial = $2"
        }
        Certificates::Keys => {
            "SELECT DISTINCT certificate FROM keys WHERE organisation = $1 AND serial = $2"
        }
    };
    let rows = sqlx::query(query)
        .bind(organisation)
        .bind(certificate.serial())
        .fetch_all(connection)
        .await?;
    for row in &rows {
        let other = self::certificate(row.field("certificate")?)?;
        let same_issuer = other.issuer().normal() == certificate.issuer().normal();
        if same_issuer && other.spki_der() != certificate.spki_der() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Keys that make room for a preferred one. A key that an administrator imported, pinned or blocked meanwhile stays as it is.
pub(crate) async fn supersede(
    connection: &mut SqliteConnection,
    organisation: i64,
    superseded: &[i64],
) -> Result<(), StoreError> {
    for id in superseded {
        sqlx::query(
            "UPDATE correspondents SET state = 'additional'
             WHERE id = $1 AND organisation = $2 AND origin <> 'manual' AND pinned = 0 AND state = 'preferred'",
        )
        .bind(id)
        .bind(organisation)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Adds a key unless it is there; an import by hand takes over a harvested one. `true` if it was added.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    organisation: i64,
    mail: Option<MailId>,
    (row, at): (CorrespondentRow, Timestamp),
) -> Result<bool, StoreError> {
    let id = next_number(connection, "correspondent").await?;
    let done = sqlx::query(
        "INSERT INTO correspondents (id, organisation, mailbox, address, fingerprint, certificate, origin, state, mail,
                                     added, ask_at, serial, capabilities, announced, chain, not_after, look_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $13, $14, $15, $16)
         ON CONFLICT (organisation, mailbox, fingerprint) DO UPDATE SET origin = excluded.origin, state = excluded.state
         WHERE excluded.origin = 'manual' AND correspondents.origin <> 'manual'",
    )
    .bind(id)
    .bind(organisation)
    .bind(row.mailbox)
    .bind(row.address)
    .bind(row.certificate.fingerprint().as_slice())
    .bind(row.certificate.der())
    .bind(row.origin)
    .bind(row.state)
    .bind(mail.map(|mail| mail.0))
    .bind(at.0)
    .bind(row.certificate.serial())
    .bind(row.announced.as_ref().map(|announced| announced.capabilities.as_slice()))
    .bind(row.announced.as_ref().map(|announced| announced.at.0))
    .bind(json(&row.chain)?)
    .bind(row.certificate.not_after().0)
    .bind(harvest::look_at(&row.certificate).0)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

impl Store {
    /// The keys of each of `addresses`; addresses without a key are left out.
    pub async fn correspondents(
        &self,
        organisation: OrganisationId,
        addresses: &[Address],
    ) -> Result<HashMap<Address, Vec<CorrespondentKey>>, StoreError> {
        let mut found = HashMap::new();
        for address in addresses {
            let rows = sqlx::query(
                "SELECT * FROM correspondents WHERE organisation = $1 AND mailbox = $2 ORDER BY id",
            )
            .bind(organisation.0)
            .bind(address.key())
            .fetch_all(&self.0.readers)
            .await?;
            if !rows.is_empty() {
                found.insert(
                    address.clone(),
                    rows.iter().map(key).collect::<Result<_, _>>()?,
                );
            }
        }
        Ok(found)
    }
}

/// A key of a row.
pub(crate) fn key(row: &SqliteRow) -> Result<CorrespondentKey, StoreError> {
    Ok(CorrespondentKey {
        id: row.field("id")?,
        address: row.address("address")?,
        certificate: certificate(row.field("certificate")?)?,
        origin: row.word("origin")?,
        state: row.word("state")?,
        pinned: row.field("pinned")?,
        added: row.time("added")?,
        announced: announced(row)?,
    })
}

fn announced(row: &SqliteRow) -> Result<Option<Announced>, StoreError> {
    let capabilities: Option<Vec<u8>> = row.field("capabilities")?;
    let at: Option<i64> = row.field("announced")?;
    Ok(capabilities.zip(at).map(|(capabilities, at)| Announced {
        capabilities,
        at: Timestamp(at),
    }))
}

/// A certificate of a column.
pub(crate) fn certificate(der: &[u8]) -> Result<Certificate, StoreError> {
    Certificate::from_der(der).map_err(|error| StoreError::damaged(error.to_string()))
}
