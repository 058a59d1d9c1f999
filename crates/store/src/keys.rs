//! Private keys of mailboxes, sealed: their key rings.
//!
//! A sealed key is bound to its number, its organisation and its mailbox: moved to another row it does not open.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use sealgate_core::change::KeyOrigin;
use sealgate_core::saying::Refusals;
use sealgate_core::tenant::{KeyId, OrganisationId, RingEntry};
use sealgate_mail::{Address, Timestamp};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::PrivateKey;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use zeroize::Zeroizing;

use crate::configuration::{key_kind, next_number};
use crate::correspondents::{Certificates, certificate, has_namesake};
use crate::error::StoreError;
use crate::limits::KEYS_IN_MEMORY;
use crate::rows::{Columns, word};
use crate::seal::{Purpose, Sealer};
use crate::store::{Inner, Store};

/// A key pair, unsealed for use.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// The certificate.
    pub certificate: Certificate,
    /// Its private key.
    pub key: PrivateKey,
    /// Issuers' certificates to send along, without the root.
    pub chain: Vec<Certificate>,
}

/// Unsealed key pairs for the next mail.
#[derive(Default)]
pub(crate) struct KeyCache(Mutex<HashMap<KeyId, Arc<KeyPair>>>);

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyCache(...)")
    }
}

impl KeyCache {
    fn get(&self, id: KeyId) -> Option<Arc<KeyPair>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    fn put(&self, id: KeyId, pair: &Arc<KeyPair>) {
        let mut pairs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pairs.len() >= KEYS_IN_MEMORY {
            pairs.clear();
        }
        pairs.insert(id, Arc::clone(pair));
    }

    /// Forgets all of them.
    pub(crate) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl Store {
    /// The key ring of `mailbox`, and of the mailboxes an administrator declared to be its aliases (A10).
    pub async fn ring(
        &self,
        organisation: OrganisationId,
        mailbox: &Address,
    ) -> Result<Vec<RingEntry>, StoreError> {
        let row =
            sqlx::query("SELECT aliases FROM mailboxes WHERE organisation = $1 AND mailbox = $2")
                .bind(organisation.0)
                .bind(mailbox.key())
                .fetch_optional(&self.0.readers)
                .await?;
        let aliases: Vec<Address> = row.map_or(Ok(Vec::new()), |row| row.json("aliases"))?;
        let mut ring = Vec::new();
        for owner in std::iter::once(mailbox).chain(&aliases) {
            let rows = sqlx::query("SELECT id, certificate FROM keys WHERE organisation = $1 AND mailbox = $2 ORDER BY id DESC")
                .bind(organisation.0)
                .bind(owner.key())
                .fetch_all(&self.0.readers)
                .await?;
            for row in &rows {
                let certificate = certificate(row.field("certificate")?)?;
                ring.push(RingEntry {
                    key: KeyId(row.field("id")?),
                    certificate,
                });
            }
        }
        Ok(ring)
    }

    /// The certificate of that number.
    pub async fn certificate(&self, id: KeyId) -> Result<Certificate, StoreError> {
        let row = sqlx::query("SELECT certificate FROM keys WHERE id = $1")
            .bind(id.0)
            .fetch_optional(&self.0.readers)
            .await?
            .ok_or_else(|| StoreError::NotFound(format!("there is no key {}", id.0)))?;
        certificate(row.field("certificate")?)
    }

    /// The pair of that number, unsealed; kept in memory for the next mail.
    pub async fn key_pair(&self, id: KeyId) -> Result<Arc<KeyPair>, StoreError> {
        if let Some(pair) = self.0.keys.get(id) {
            return Ok(pair);
        }
        let row = sqlx::query("SELECT * FROM keys WHERE id = $1")
            .bind(id.0)
            .fetch_optional(&self.0.readers)
            .await?;
        let row = row.ok_or_else(|| StoreError::NotFound(format!("there is no key {}", id.0)))?;
        let pair = Arc::new(unseal(&self.0.sealer, &row)?);
        self.0.keys.put(id, &pair);
        Ok(pair)
    }
}

/// A pair to be added to a mailbox's ring.
pub(crate) struct NewKey<'a> {
    pub organisation: i64,
    pub mailbox: &'a Address,
    pub certificate: &'a Certificate,
    pub key: &'a PrivateKey,
    pub chain: &'a [Certificate],
    pub origin: KeyOrigin,
    /// Where it came from, unless it was uploaded.
    pub issuer: Option<Issuer<'a>>,
    pub now: Timestamp,
}

/// The authority that issued a certificate, the connector's notes of the order, and the token its key is on.
#[derive(Clone, Copy)]
pub(crate) struct Issuer<'a> {
    pub authority: i64,
    pub handle: Option<&'a str>,
    pub token: Option<&'a str>,
}

/// Adds a pair to the ring, or finds it there.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    inner: &Inner,
    new: NewKey<'_>,
) -> Result<i64, StoreError> {
    let mailbox = new.mailbox.key();
    let fingerprint = new.certificate.fingerprint();
    let known = sqlx::query(
        "SELECT id FROM keys WHERE organisation = $1 AND mailbox = $2 AND fingerprint = $3",
    )
    .bind(new.organisation)
    .bind(&mailbox)
    .bind(fingerprint.as_slice())
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(row) = known {
        return row.field("id");
    }
    if has_namesake(
        connection,
        Certificates::Keys,
        new.organisation,
        new.certificate,
    )
    .await?
    {
        return Err(StoreError::refused(Refusals::SameIssuerAndSerial {
            address: new.mailbox.to_string(),
        }));
    }
    let id = next_number(connection, "key").await?;
    let sealed = inner.sealer.seal_key(
        Purpose::MailboxKey,
        &record(id, new.organisation, &mailbox),
        new.key,
    )?;
    let chain: String = new.chain.iter().map(Certificate::pem).collect();
    sqlx::query(
        "INSERT INTO keys (id, organisation, mailbox, fingerprint, certificate, chain, sealed, origin, not_before,
                           not_after, added, serial, authority, handle, token, issuer, kind)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(id)
    .bind(new.organisation)
    .bind(&mailbox)
    .bind(fingerprint.as_slice())
    .bind(new.certificate.der())
    .bind(chain)
    .bind(sealed)
    .bind(word(&new.origin)?)
    .bind(new.certificate.not_before().0)
    .bind(new.certificate.not_after().0)
    .bind(new.now.0)
    .bind(new.certificate.serial())
    .bind(new.issuer.map(|issuer| issuer.authority))
    .bind(new.issuer.and_then(|issuer| issuer.handle))
    .bind(new.issuer.and_then(|issuer| issuer.token))
    .bind(new.certificate.issuer_name())
    .bind(word(&key_kind(new.certificate))?)
    .execute(&mut *connection)
    .await?;
    Ok(id)
}

fn record(id: i64, organisation: i64, mailbox: &str) -> String {
    format!("{id} {organisation} {mailbox}")
}

fn unseal(sealer: &Sealer, row: &SqliteRow) -> Result<KeyPair, StoreError> {
    let record = record(
        row.field("id")?,
        row.field("organisation")?,
        row.field("mailbox")?,
    );
    let certificate = certificate(row.field("certificate")?)?;
    let key = sealer.open_key(Purpose::MailboxKey, &record, row.field("sealed")?)?;
    if !key.matches(&certificate) {
        return Err(StoreError::damaged(
            "a private key does not belong to its certificate",
        ));
    }
    Ok(KeyPair {
        certificate,
        key,
        chain: chain(row.field("chain")?)?,
    })
}

pub(crate) fn chain(text: &str) -> Result<Vec<Certificate>, StoreError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    Certificate::read_all(text.as_bytes()).map_err(|error| StoreError::damaged(error.to_string()))
}

pub(crate) fn pkcs8(key: &PrivateKey) -> Result<Vec<u8>, StoreError> {
    let clear = key
        .to_pkcs8()
        .map_err(|error| StoreError::damaged(error.to_string()))?;
    // Sealing happens in this very buffer.
    Ok(clear.to_vec())
}

pub(crate) fn private_key(pkcs8: Vec<u8>) -> Result<PrivateKey, StoreError> {
    let pkcs8 = Zeroizing::new(pkcs8);
    PrivateKey::from_pkcs8(&pkcs8).map_err(|error| StoreError::damaged(error.to_string()))
}
