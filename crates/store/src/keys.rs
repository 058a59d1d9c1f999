//! Private keys, sealed: the key rings of mailboxes, and the built-in CA with what it issued.
//!
//! A sealed key is bound to its number, its organisation and its mailbox: moved to another row it does not open.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use sealgate_core::change::KeyOrigin;
use sealgate_core::tenant::{KeyId, OrganisationId, RingEntry};
use sealgate_mail::{Address, Timestamp};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::PrivateKey;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use zeroize::Zeroizing;

use crate::configuration::next_number;
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

/// The built-in CA.
#[derive(Clone, Debug)]
pub struct BuiltInCa {
    /// The root certificate, which correspondents may trust.
    pub root: Certificate,
    /// Its key.
    pub root_key: PrivateKey,
    /// The issuing certificate, signed by the root.
    pub issuing: Certificate,
    /// Its key.
    pub issuing_key: PrivateKey,
}

/// A certificate that the built-in CA issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Serial number in hexadecimal.
    pub serial: String,
    /// For whom.
    pub mailbox: Address,
    /// When.
    pub issued: Timestamp,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
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

    /// The built-in CA, if there is one yet.
    pub async fn built_in_ca(&self) -> Result<Option<BuiltInCa>, StoreError> {
        let row = sqlx::query("SELECT * FROM authority WHERE id = 1")
            .fetch_optional(&self.0.readers)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let key = |column: &str, name: &str| {
            let sealed: &[u8] = row.field(column)?;
            private_key(self.0.sealer.open(Purpose::Authority, name, sealed)?)
        };
        Ok(Some(BuiltInCa {
            root: certificate(row.field("root")?)?,
            root_key: key("sealed_root", "root")?,
            issuing: certificate(row.field("issuing")?)?,
            issuing_key: key("sealed_issuing", "issuing")?,
        }))
    }

    /// What the built-in CA issued for an organisation, oldest first.
    pub async fn issued(&self, organisation: OrganisationId) -> Result<Vec<Issued>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM issued WHERE organisation = $1 ORDER BY issued, serial")
                .bind(organisation.0)
                .fetch_all(&self.0.readers)
                .await?;
        let issued = |row: &SqliteRow| {
            Ok(Issued {
                serial: row.field("serial")?,
                mailbox: row.address("mailbox")?,
                issued: row.time("issued")?,
                revoked: row.field::<Option<i64>>("revoked")?.map(Timestamp),
            })
        };
        rows.iter().map(issued).collect()
    }
}

/// Stores the built-in CA; refused if there is one by now.
pub(crate) async fn insert_authority(
    connection: &mut SqliteConnection,
    sealer: &Sealer,
    ca: &BuiltInCa,
    now: Timestamp,
) -> Result<(), StoreError> {
    let seal = |name: &str, key: &PrivateKey| sealer.seal(Purpose::Authority, name, pkcs8(key)?);
    let done = sqlx::query(
        "INSERT INTO authority (id, root, issuing, sealed_root, sealed_issuing, created)
         VALUES (1, $1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
    )
    .bind(ca.root.der())
    .bind(ca.issuing.der())
    .bind(seal("root", &ca.root_key)?)
    .bind(seal("issuing", &ca.issuing_key)?)
    .bind(now.0)
    .execute(connection)
    .await?;
    match done.rows_affected() {
        0 => Err(StoreError::Refused(
            "another command made the built-in CA at the same moment: run this one again".into(),
        )),
        _ => Ok(()),
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
    pub now: Timestamp,
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
        return Err(StoreError::Refused(format!(
            "the certificate for {} has the issuer and serial number of another one with another key: ask its issuer for a new certificate",
            new.mailbox
        )));
    }
    let id = next_number(connection, "key").await?;
    let sealed = inner.sealer.seal(
        Purpose::MailboxKey,
        &record(id, new.organisation, &mailbox),
        pkcs8(new.key)?,
    )?;
    let chain: String = new.chain.iter().map(Certificate::pem).collect();
    sqlx::query(
        "INSERT INTO keys (id, organisation, mailbox, fingerprint, certificate, chain, sealed, origin, not_before,
                           not_after, added, serial)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
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
    .execute(&mut *connection)
    .await?;
    if new.origin == KeyOrigin::BuiltIn {
        record_issued(connection, &new).await?;
    }
    Ok(id)
}

async fn record_issued(
    connection: &mut SqliteConnection,
    new: &NewKey<'_>,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO issued (serial, organisation, mailbox, fingerprint, issued) VALUES ($1, $2, $3, $4, $5)")
        .bind(new.certificate.serial_hex())
        .bind(new.organisation)
        .bind(new.mailbox.key())
        .bind(new.certificate.fingerprint().as_slice())
        .bind(new.now.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Marks what the built-in CA issued for a mailbox as revoked.
pub(crate) async fn revoke_issued(
    connection: &mut SqliteConnection,
    organisation: i64,
    mailbox: &Address,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE issued SET revoked = $1 WHERE organisation = $2 AND mailbox = $3 AND revoked IS NULL")
        .bind(now.0)
        .bind(organisation)
        .bind(mailbox.key())
        .execute(connection)
        .await?;
    Ok(())
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
    let key = private_key(sealer.open(Purpose::MailboxKey, &record, row.field("sealed")?)?)?;
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

fn chain(text: &str) -> Result<Vec<Certificate>, StoreError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    Certificate::read_all(text.as_bytes()).map_err(|error| StoreError::damaged(error.to_string()))
}

fn pkcs8(key: &PrivateKey) -> Result<Vec<u8>, StoreError> {
    let clear = key
        .to_pkcs8()
        .map_err(|error| StoreError::damaged(error.to_string()))?;
    // Sealing happens in this very buffer.
    Ok(clear.to_vec())
}

fn private_key(pkcs8: Vec<u8>) -> Result<PrivateKey, StoreError> {
    let pkcs8 = Zeroizing::new(pkcs8);
    PrivateKey::from_pkcs8(&pkcs8).map_err(|error| StoreError::damaged(error.to_string()))
}
