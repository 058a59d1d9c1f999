//! The built-in CA: its keys, sealed, and the register of what it issued and revoked.
//!
//! A certificate exists once for an order, and what is revoked stays so. The list of revoked certificates and the answers
//! about single ones are made from here.

use sealgate_core::authority::{OrderId, RevocationReason};
use sealgate_core::ports::{Register, RegisterFailure, Registered, Registering, RevokedEntry};
use sealgate_core::saying::Certificates as Said;
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::{Address, Timestamp};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::PrivateKey;
use serde::Serialize;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::audit;
use crate::configuration::next_number;
use crate::correspondents::certificate;
use crate::error::StoreError;
use crate::keys::{pkcs8, private_key};
use crate::rows::{Columns, size, word};
use crate::seal::{Purpose, Sealer};
use crate::store::Store;
use crate::writer::{Weight, job};

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

/// How much the built-in CA has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct IssuedCounts {
    /// Certificates issued.
    pub issued: u64,
    /// Of these, revoked.
    pub revoked: u64,
}

impl Store {
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

    /// Keeps `ca` as the built-in CA unless there is one by now; gives the one that is kept.
    pub async fn keep_built_in_ca(
        &self,
        ca: &BuiltInCa,
        who: &str,
        now: Timestamp,
    ) -> Result<BuiltInCa, StoreError> {
        let row = CaRow::seal(&self.0.sealer, ca)?;
        let who = who.to_owned();
        let work = job(move |connection| Box::pin(insert_ca(connection, row, who, now)));
        self.0.writer.write(Weight::default(), work).await?;
        let kept = self.built_in_ca().await?;
        kept.ok_or_else(|| StoreError::damaged("the built-in CA is not there after it was kept"))
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
                revoked: row.optional_time("revoked")?,
            })
        };
        rows.iter().map(issued).collect()
    }

    /// How much the built-in CA has done for all organisations.
    pub async fn issued_counts(&self) -> Result<IssuedCounts, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS issued, COUNT(revoked) AS revoked FROM issued")
            .fetch_one(&self.0.readers)
            .await?;
        Ok(IssuedCounts {
            issued: size(row.field("issued")?),
            revoked: size(row.field("revoked")?),
        })
    }

    async fn certificate_for(&self, order: OrderId) -> Result<Option<Certificate>, StoreError> {
        let row = sqlx::query("SELECT certificate FROM issued WHERE for_order = $1")
            .bind(order.0)
            .fetch_optional(&self.0.readers)
            .await?;
        row.map(|row| certificate(row.field("certificate")?))
            .transpose()
    }

    async fn record_issued(
        &self,
        order: OrderId,
        issued: Certificate,
        now: Timestamp,
    ) -> Result<Certificate, StoreError> {
        let work = job(move |connection| Box::pin(insert(connection, order, issued, now)));
        self.0.writer.write(Weight::default(), work).await
    }

    async fn registered(&self, serial: &[u8]) -> Result<Option<Registered>, StoreError> {
        let row = sqlx::query("SELECT fingerprint, revoked, reason FROM issued WHERE serial = $1")
            .bind(hex(serial))
            .fetch_optional(&self.0.readers)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let fingerprint: &[u8] = row.field("fingerprint")?;
        let revoked = row.optional_time("revoked")?;
        Ok(Some(Registered {
            fingerprint: fingerprint
                .try_into()
                .map_err(|_| StoreError::damaged("a fingerprint of another length"))?,
            revoked: revoked
                .map(|at| Ok::<_, StoreError>((at, row.word("reason")?)))
                .transpose()?,
        }))
    }

    async fn revoke_issued(
        &self,
        serial: &[u8],
        reason: RevocationReason,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (serial, reason) = (hex(serial), word(&reason)?);
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query("UPDATE issued SET revoked = $1, reason = $2 WHERE serial = $3 AND revoked IS NULL")
                    .bind(now.0)
                    .bind(reason)
                    .bind(serial)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    async fn count_revoked(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS revoked FROM issued WHERE revoked IS NOT NULL")
            .fetch_one(&self.0.readers)
            .await?;
        Ok(size(row.field("revoked")?))
    }

    async fn new_list(
        &self,
        after: Timestamp,
        now: Timestamp,
    ) -> Result<(u64, Vec<RevokedEntry>), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let number = next_number(connection, "revocation-list").await?;
                let entries = entries(connection, after).await?;
                sqlx::query("UPDATE counters SET value = $1 WHERE name = 'revocation-list-made'")
                    .bind(now.0)
                    .execute(connection)
                    .await?;
                Ok((size(number), entries))
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    async fn next_list(&self) -> Result<u64, StoreError> {
        let work = job(|connection| Box::pin(next_number(connection, "revocation-list")));
        let number = self.0.writer.write(Weight::default(), work).await?;
        Ok(size(number))
    }
}

/// What the built-in CA asks and tells.
impl Register for Store {
    fn issued_for(&self, order: OrderId) -> Registering<'_, Option<Certificate>> {
        Box::pin(async move { self.certificate_for(order).await.map_err(failure) })
    }

    fn record<'a>(
        &'a self,
        order: OrderId,
        certificate: &'a Certificate,
        now: Timestamp,
    ) -> Registering<'a, Certificate> {
        let issued = certificate.clone();
        Box::pin(async move {
            self.record_issued(order, issued, now)
                .await
                .map_err(failure)
        })
    }

    fn find<'a>(&'a self, serial: &'a [u8]) -> Registering<'a, Option<Registered>> {
        Box::pin(async move { self.registered(serial).await.map_err(failure) })
    }

    fn revoke<'a>(
        &'a self,
        serial: &'a [u8],
        reason: RevocationReason,
        now: Timestamp,
    ) -> Registering<'a, ()> {
        Box::pin(async move {
            self.revoke_issued(serial, reason, now)
                .await
                .map_err(failure)
        })
    }

    fn revocation_count(&self) -> Registering<'_, u64> {
        Box::pin(async move { self.count_revoked().await.map_err(failure) })
    }

    fn begin_list(
        &self,
        after: Timestamp,
        now: Timestamp,
    ) -> Registering<'_, (u64, Vec<RevokedEntry>)> {
        Box::pin(async move { self.new_list(after, now).await.map_err(failure) })
    }

    fn next_list_number(&self) -> Registering<'_, u64> {
        Box::pin(async move { self.next_list().await.map_err(failure) })
    }
}

fn failure(error: StoreError) -> RegisterFailure {
    RegisterFailure(error.to_string())
}

/// The built-in CA with its keys sealed.
struct CaRow {
    root: Certificate,
    issuing: Certificate,
    sealed_root: Vec<u8>,
    sealed_issuing: Vec<u8>,
}

impl CaRow {
    fn seal(sealer: &Sealer, ca: &BuiltInCa) -> Result<Self, StoreError> {
        let seal =
            |name: &str, key: &PrivateKey| sealer.seal(Purpose::Authority, name, pkcs8(key)?);
        Ok(Self {
            root: ca.root.clone(),
            issuing: ca.issuing.clone(),
            sealed_root: seal("root", &ca.root_key)?,
            sealed_issuing: seal("issuing", &ca.issuing_key)?,
        })
    }
}

/// Stores the built-in CA, with its line in the audit log; does nothing if there is one.
async fn insert_ca(
    connection: &mut SqliteConnection,
    row: CaRow,
    who: String,
    now: Timestamp,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "INSERT INTO authority (id, root, issuing, sealed_root, sealed_issuing, created)
         VALUES (1, $1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
    )
    .bind(row.root.der())
    .bind(row.issuing.der())
    .bind(row.sealed_root)
    .bind(row.sealed_issuing)
    .bind(now.0)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(());
    }
    let name = row.root.subject_name();
    let entry = audit::Entry {
        at: now,
        who: &who,
        organisation: "",
        said: Said::BuiltInMade { name }.into(),
    };
    audit::insert(connection, entry).await
}

/// Records a certificate for an order and gives the first one recorded for it.
async fn insert(
    connection: &mut SqliteConnection,
    order: OrderId,
    issued: Certificate,
    now: Timestamp,
) -> Result<Certificate, StoreError> {
    let done = sqlx::query(
        "INSERT INTO issued (serial, for_order, organisation, mailbox, fingerprint, certificate, not_after, issued)
         SELECT $1, id, organisation, mailbox, $2, $3, $4, $5 FROM orders WHERE id = $6
         ON CONFLICT (for_order) DO NOTHING",
    )
    .bind(issued.serial_hex())
    .bind(issued.fingerprint().as_slice())
    .bind(issued.der())
    .bind(issued.not_after().0)
    .bind(now.0)
    .bind(order.0)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() > 0 {
        return Ok(issued);
    }
    let row = sqlx::query("SELECT certificate FROM issued WHERE for_order = $1")
        .bind(order.0)
        .fetch_optional(connection)
        .await?;
    let missing = || StoreError::NotFound(format!("there is no order {}", order.0));
    certificate(row.ok_or_else(missing)?.field("certificate")?)
}

/// What stands on a new list.
async fn entries(
    connection: &mut SqliteConnection,
    after: Timestamp,
) -> Result<Vec<RevokedEntry>, StoreError> {
    let rows = sqlx::query(
        "SELECT serial, revoked, reason FROM issued WHERE revoked IS NOT NULL AND
         (not_after > $1 OR not_after >= (SELECT value FROM counters WHERE name = 'revocation-list-made'))
         ORDER BY revoked, serial",
    )
    .bind(after.0)
    .fetch_all(connection)
    .await?;
    let entry = |row: &SqliteRow| {
        let serial: &str = row.field("serial")?;
        Ok(RevokedEntry {
            serial: octets(serial).ok_or_else(|| StoreError::damaged("a serial number"))?,
            at: row.time("revoked")?,
            reason: row.word("reason")?,
        })
    };
    rows.iter().map(entry).collect()
}

/// As [`Certificate::serial_hex`] has it.
fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn octets(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
