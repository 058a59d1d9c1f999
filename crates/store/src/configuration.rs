//! The configuration of organisations: read whole into the snapshot that mail is decided under, or described for `apply`.

use std::collections::HashMap;
use std::sync::Arc;

use sealgate_core::change::{Described, DescribedKeys, DescribedMailbox, KeyOrigin};
use sealgate_core::queue::{Destination, NextHop};
use sealgate_core::rules::{Entry, Rule};
use sealgate_core::tenant::{
    Blocked, CurrentKey, InboundRoute, KeyId, Mailbox, MailboxState, Organisation, OrganisationId,
    Partner, Proof, SendingClient, Settings,
};
use sealgate_mail::{Address, Domain};
use sealgate_smime::algorithms::{Curve, PublicKeyKind};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::KeyKind;
use sealgate_smime::path::TrustAnchors;
use sealgate_smime::roots::mozilla_email;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::correspondents::certificate;
use crate::error::StoreError;
use crate::rows::{Columns, json, of_json, size};
use crate::seal::{Purpose, Sealer};
use crate::snapshot::Former;
use crate::store::{Inner, Store};

/// An organisation in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrganisationName {
    /// Its number.
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
}

/// The sealed part of a sending client.
#[derive(serde::Serialize, serde::Deserialize)]
struct SealedClient {
    proof: Proof,
    may_send_as: Vec<Entry>,
    mail_server: bool,
}

/// Seals a setting that may hold a password, bound to `record`.
pub(crate) fn seal_setting<T: Serialize>(
    sealer: &Sealer,
    record: &str,
    value: &T,
) -> Result<Vec<u8>, StoreError> {
    sealer.seal(Purpose::Setting, record, json(value)?.into_bytes())
}

pub(crate) fn open_setting<T: DeserializeOwned>(
    sealer: &Sealer,
    record: &str,
    sealed: &[u8],
) -> Result<T, StoreError> {
    of_json(&sealer.open(Purpose::Setting, record, sealed)?)
}

pub(crate) fn route_record(id: i64) -> String {
    format!("route {id}")
}

pub(crate) fn smarthost_record(organisation: i64) -> String {
    format!("smarthost {organisation}")
}

pub(crate) fn destination_record(organisation: i64, domain: &Domain) -> String {
    format!("destination {organisation} {}", domain.as_str())
}

pub(crate) fn client_record(organisation: i64, name: &str) -> String {
    format!("client {organisation} {name}")
}

/// The sealed part of a client's row.
pub(crate) fn seal_client(
    sealer: &Sealer,
    organisation: i64,
    client: &SendingClient,
) -> Result<Vec<u8>, StoreError> {
    let sealed = SealedClient {
        proof: client.proof.clone(),
        may_send_as: client.may_send_as.clone(),
        mail_server: client.mail_server,
    };
    seal_setting(sealer, &client_record(organisation, &client.name), &sealed)
}

/// The client of a row, by its sealed part.
pub(crate) fn open_client(
    sealer: &Sealer,
    organisation: i64,
    name: &str,
    sealed: &[u8],
) -> Result<SendingClient, StoreError> {
    let sealed: SealedClient = open_setting(sealer, &client_record(organisation, name), sealed)?;
    let SealedClient {
        proof,
        may_send_as,
        mail_server,
    } = sealed;
    Ok(SendingClient {
        name: name.to_owned(),
        proof,
        may_send_as,
        mail_server,
    })
}

/// The next number of a kind; never given twice, also not after a deletion.
pub(crate) async fn next_number(
    connection: &mut SqliteConnection,
    kind: &str,
) -> Result<i64, StoreError> {
    let row = sqlx::query("UPDATE counters SET value = value + 1 WHERE name = $1 RETURNING value")
        .bind(kind)
        .fetch_one(connection)
        .await?;
    row.field("value")
}

/// The configuration of an organisation changed: a new version of the whole, and a new count of its own changes. Whoever changes
/// what mail is decided under calls this in the same transaction, after the change.
pub(crate) async fn changed(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
) -> Result<i64, StoreError> {
    sqlx::query("UPDATE organisations SET changes = changes + 1 WHERE id = $1")
        .bind(organisation.0)
        .execute(&mut *connection)
        .await?;
    next_number(connection, CONFIGURATION).await
}

/// The version of the configuration, for whoever changes nothing after all.
pub(crate) async fn current_version(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    let row = sqlx::query("SELECT value FROM counters WHERE name = $1")
        .bind(CONFIGURATION)
        .fetch_one(connection)
        .await?;
    row.field("value")
}

/// The counter of the version of the configuration.
const CONFIGURATION: &str = "configuration";

/// The name of an organisation.
pub(crate) async fn name_of(
    connection: &mut SqliteConnection,
    id: OrganisationId,
) -> Result<String, StoreError> {
    let row = sqlx::query("SELECT name FROM organisations WHERE id = $1")
        .bind(id.0)
        .fetch_optional(connection)
        .await?;
    let row =
        row.ok_or_else(|| StoreError::NotFound(format!("there is no organisation {}", id.0)))?;
    row.field("name")
}

impl Store {
    /// All organisations by name.
    pub async fn organisations(&self) -> Result<Vec<OrganisationName>, StoreError> {
        let rows = sqlx::query("SELECT id, name FROM organisations ORDER BY name")
            .fetch_all(&self.0.readers)
            .await?;
        let name = |row: &SqliteRow| {
            Ok(OrganisationName {
                id: row.organisation("id")?,
                name: row.field("name")?,
            })
        };
        rows.iter().map(name).collect()
    }

    /// The number of the organisation of that name.
    pub async fn organisation(&self, name: &str) -> Result<OrganisationId, StoreError> {
        let row = sqlx::query("SELECT id FROM organisations WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.0.readers)
            .await?;
        row.ok_or_else(|| StoreError::NotFound(format!("there is no organisation {name}")))?
            .organisation("id")
    }

    /// The version of the configuration; grows with every change.
    pub async fn version(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT value FROM counters WHERE name = 'configuration'")
            .fetch_one(&self.0.readers)
            .await?;
        Ok(size(row.field("value")?))
    }

    /// What the store holds of an organisation, in the words of `apply`.
    pub async fn described(&self, name: &str) -> Result<Described, StoreError> {
        let mut reading = self.0.readers.begin().await?;
        let row = sqlx::query("SELECT * FROM organisations WHERE name = $1")
            .bind(name)
            .fetch_optional(&mut *reading)
            .await?
            .ok_or_else(|| StoreError::NotFound(format!("there is no organisation {name}")))?;
        let id = row.field("id")?;
        let loaded = organisation(&mut reading, &self.0, &row, None).await?;
        let keys = current_certificates(&mut reading, id).await?;
        let pending = pending_activations(&mut reading, id).await?;
        let mut mailboxes: Vec<&Mailbox> = loaded.mailboxes.values().collect();
        mailboxes.sort_by_key(|mailbox| mailbox.address.key());
        let mailboxes = mailboxes
            .into_iter()
            .map(|mailbox| describe_mailbox(mailbox, &keys, &pending))
            .collect();
        let mut destinations: Vec<_> = loaded.destinations.into_iter().collect();
        destinations.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Described {
            settings: loaded.settings,
            routes: loaded.routes,
            mailboxes,
            rules: loaded.rules,
            correspondents: manual_certificates(&mut reading, id).await?,
            trust_roots: trust_roots(&mut reading, id).await?,
            blocked: blocked(&mut reading, id).await?,
            partners: loaded.partners,
            destinations,
            smarthost: loaded.smarthost,
            clients: loaded.clients,
        })
    }
}

/// An organisation as it is now; mailboxes that have not changed since `former` was read are taken from there.
pub(crate) async fn organisation(
    reading: &mut SqliteConnection,
    inner: &Inner,
    row: &SqliteRow,
    former: Option<&Former>,
) -> Result<Organisation, StoreError> {
    let (id, sealer): (i64, _) = (row.field("id")?, &inner.sealer);
    let former = former.filter(|former| {
        row.field("removed")
            .is_ok_and(|removed| former.is_after(removed))
    });
    let settings: Settings = row.json("settings")?;
    let smarthost: Option<&[u8]> = row.field("smarthost")?;
    Ok(Organisation {
        id: OrganisationId(id),
        name: row.field("name")?,
        settings,
        routes: routes(reading, sealer, id).await?,
        mailboxes: mailboxes(reading, id, former).await?,
        rules: rules(reading, id).await?,
        clients: clients(reading, sealer, id).await?,
        destinations: destinations(reading, sealer, id).await?,
        smarthost: smarthost
            .map(|sealed| open_setting(sealer, &smarthost_record(id), sealed))
            .transpose()?,
        anchors: Arc::new(anchors(reading, inner, id, settings.public_roots).await?),
        partners: partners(reading, id).await?,
    })
}

pub(crate) async fn routes(
    reading: &mut SqliteConnection,
    sealer: &Sealer,
    id: i64,
) -> Result<Vec<InboundRoute>, StoreError> {
    let rows = sqlx::query("SELECT * FROM routes WHERE organisation = $1 ORDER BY id")
        .bind(id)
        .fetch_all(&mut *reading)
        .await?;
    let mut routes = Vec::with_capacity(rows.len());
    for row in &rows {
        let route: i64 = row.field("id")?;
        let domains =
            sqlx::query("SELECT domain FROM route_domains WHERE route = $1 ORDER BY position")
                .bind(route)
                .fetch_all(&mut *reading)
                .await?;
        let target: NextHop = open_setting(sealer, &route_record(route), row.field("target")?)?;
        routes.push(InboundRoute {
            name: row.field("name")?,
            domains: domains
                .iter()
                .map(|row| domain(row, "domain"))
                .collect::<Result<_, _>>()?,
            target,
            wildcard: row.field("wildcard")?,
        });
    }
    Ok(routes)
}

fn domain(row: &SqliteRow, column: &str) -> Result<Domain, StoreError> {
    Domain::parse(row.field(column)?).map_err(|error| StoreError::damaged(error.to_string()))
}

async fn mailboxes(
    reading: &mut SqliteConnection,
    id: i64,
    former: Option<&Former>,
) -> Result<HashMap<Address, Mailbox>, StoreError> {
    let rows = sqlx::query(
        "SELECT m.address, m.state, m.known, m.aliases, m.signing, s.not_before AS signing_from, s.not_after AS signing_to,
                m.encryption, e.not_before AS encryption_from, e.not_after AS encryption_to
         FROM mailboxes m LEFT JOIN keys s ON s.id = m.signing LEFT JOIN keys e ON e.id = m.encryption
         WHERE m.organisation = $1 AND m.changed >= $2",
    )
    .bind(id)
    .bind(former.map_or(0, Former::changes))
    .fetch_all(reading)
    .await?;
    let mut mailboxes = former.map_or_else(HashMap::new, Former::mailboxes);
    mailboxes.reserve(rows.len());
    for row in &rows {
        let address = row.address("address")?;
        if !row.field::<bool>("known")? {
            mailboxes.remove(&address);
            continue;
        }
        let mailbox = Mailbox {
            address: address.clone(),
            state: row.word("state")?,
            signing: current_key(row, ["signing", "signing_from", "signing_to"])?,
            encryption: current_key(row, ["encryption", "encryption_from", "encryption_to"])?,
            aliases: row.json("aliases")?,
        };
        mailboxes.insert(address, mailbox);
    }
    Ok(mailboxes)
}

fn current_key(
    row: &SqliteRow,
    [key, from, to]: [&str; 3],
) -> Result<Option<CurrentKey>, StoreError> {
    let Some(key) = row.field::<Option<i64>>(key)? else {
        return Ok(None);
    };
    Ok(Some(CurrentKey {
        key: KeyId(key),
        not_before: row.time(from)?,
        not_after: row.time(to)?,
    }))
}

async fn rules(reading: &mut SqliteConnection, id: i64) -> Result<Vec<Rule>, StoreError> {
    let rows = sqlx::query("SELECT * FROM rules WHERE organisation = $1 ORDER BY priority")
        .bind(id)
        .fetch_all(reading)
        .await?;
    rows.iter().map(crate::rules::rule).collect()
}

async fn clients(
    reading: &mut SqliteConnection,
    sealer: &Sealer,
    id: i64,
) -> Result<Vec<SendingClient>, StoreError> {
    let rows = sqlx::query("SELECT * FROM clients WHERE organisation = $1 ORDER BY name")
        .bind(id)
        .fetch_all(reading)
        .await?;
    let client = |row: &SqliteRow| {
        let name: String = row.field("name")?;
        open_client(sealer, id, &name, row.field("sealed")?)
    };
    rows.iter().map(client).collect()
}

async fn destinations(
    reading: &mut SqliteConnection,
    sealer: &Sealer,
    id: i64,
) -> Result<HashMap<Domain, Destination>, StoreError> {
    let rows = sqlx::query("SELECT * FROM destinations WHERE organisation = $1")
        .bind(id)
        .fetch_all(reading)
        .await?;
    let destination = |row: &SqliteRow| {
        let domain = domain(row, "domain")?;
        let opened = open_setting(
            sealer,
            &destination_record(id, &domain),
            row.field("sealed")?,
        )?;
        Ok((domain, opened))
    };
    rows.iter().map(destination).collect()
}

pub(crate) async fn trust_roots(
    reading: &mut SqliteConnection,
    id: i64,
) -> Result<Vec<Certificate>, StoreError> {
    let rows = sqlx::query(
        "SELECT certificate FROM trust_roots WHERE organisation = $1 ORDER BY fingerprint",
    )
    .bind(id)
    .fetch_all(reading)
    .await?;
    rows.iter()
        .map(|row| certificate(row.field("certificate")?))
        .collect()
}

/// Whom the organisation trusts: its own roots, the public ones if it wants them, never what it blocks.
async fn anchors(
    reading: &mut SqliteConnection,
    inner: &Inner,
    id: i64,
    public: bool,
) -> Result<TrustAnchors, StoreError> {
    let own = TrustAnchors::new(trust_roots(reading, id).await?);
    let blocked = blocked(reading, id).await?;
    let all = if public {
        own.with(inner.public_roots.get_or_init(mozilla_email))
    } else {
        own
    };
    Ok(all.blocking(blocked.iter().map(|one| one.sha256)))
}

pub(crate) async fn blocked(
    reading: &mut SqliteConnection,
    id: i64,
) -> Result<Vec<Blocked>, StoreError> {
    let rows = sqlx::query("SELECT * FROM blocked WHERE organisation = $1 ORDER BY fingerprint")
        .bind(id)
        .fetch_all(reading)
        .await?;
    let one = |row: &SqliteRow| {
        let fingerprint: &[u8] = row.field("fingerprint")?;
        let damaged = |_| StoreError::damaged("a fingerprint that is no SHA-256");
        Ok(Blocked {
            sha256: fingerprint.try_into().map_err(damaged)?,
            subject: row.field("subject")?,
            reason: row.field("reason")?,
        })
    };
    rows.iter().map(one).collect()
}

async fn partners(reading: &mut SqliteConnection, id: i64) -> Result<Vec<Partner>, StoreError> {
    let rows = sqlx::query("SELECT * FROM partners WHERE organisation = $1 ORDER BY external")
        .bind(id)
        .fetch_all(reading)
        .await?;
    let one = |row: &SqliteRow| {
        let external: &str = row.field("external")?;
        let damaged = |error| StoreError::damaged(format!("partner: {error}"));
        Ok(Partner {
            external: external.parse().map_err(damaged)?,
            profile: row.word("profile")?,
        })
    };
    rows.iter().map(one).collect()
}

/// Each certificate once, however many addresses it was imported for.
async fn manual_certificates(
    reading: &mut SqliteConnection,
    id: i64,
) -> Result<Vec<Certificate>, StoreError> {
    let rows = sqlx::query(
        "SELECT MIN(id) AS first, certificate FROM correspondents WHERE organisation = $1 AND origin = 'manual'
         GROUP BY fingerprint, certificate ORDER BY first",
    )
    .bind(id)
    .fetch_all(reading)
    .await?;
    rows.iter()
        .map(|row| certificate(row.field("certificate")?))
        .collect()
}

/// A certificate of a ring, with where it came from.
struct RingCertificate {
    certificate: Certificate,
    origin: KeyOrigin,
    authority: Option<String>,
}

type CurrentCertificates = HashMap<KeyId, RingCertificate>;

async fn current_certificates(
    reading: &mut SqliteConnection,
    id: i64,
) -> Result<CurrentCertificates, StoreError> {
    let rows = sqlx::query(
        "SELECT k.id, k.certificate, k.origin, a.name AS authority FROM keys k
         JOIN mailboxes m ON k.id = m.signing OR k.id = m.encryption LEFT JOIN authorities a ON a.id = k.authority
         WHERE m.organisation = $1",
    )
    .bind(id)
    .fetch_all(reading)
    .await?;
    let one = |row: &SqliteRow| {
        let found = RingCertificate {
            certificate: certificate(row.field("certificate")?)?,
            origin: row.word("origin")?,
            authority: row.field("authority")?,
        };
        Ok((KeyId(row.field("id")?), found))
    };
    rows.iter().map(one).collect()
}

/// The open first orders: mailbox to kind of key and name of the authority.
type PendingActivations = HashMap<Address, (KeyKind, String)>;

async fn pending_activations(
    reading: &mut SqliteConnection,
    id: i64,
) -> Result<PendingActivations, StoreError> {
    let rows = sqlx::query(
        "SELECT o.address, o.key_kind, a.name FROM orders o JOIN authorities a ON a.id = o.authority
         WHERE o.organisation = $1 AND o.ended IS NULL AND o.purpose = 'activation'",
    )
    .bind(id)
    .fetch_all(reading)
    .await?;
    let one = |row: &SqliteRow| {
        let order = (row.word("key_kind")?, row.field("name")?);
        Ok((row.address("address")?, order))
    };
    rows.iter().map(one).collect()
}

fn describe_mailbox(
    mailbox: &Mailbox,
    keys: &CurrentCertificates,
    pending: &PendingActivations,
) -> DescribedMailbox {
    let mut current: Vec<KeyId> = [mailbox.signing, mailbox.encryption]
        .into_iter()
        .flatten()
        .map(|key| key.key)
        .collect();
    current.dedup();
    let known: Vec<&RingCertificate> = current.iter().filter_map(|id| keys.get(id)).collect();
    let described = match (mailbox.state, known.first()) {
        (MailboxState::Active, Some(first)) if first.origin == KeyOrigin::Issued => {
            DescribedKeys::Issued {
                key: key_kind(&first.certificate),
                authority: first.authority.clone(),
                pending: false,
            }
        }
        (MailboxState::Active, _) => DescribedKeys::Uploaded {
            certificates: known.iter().map(|one| one.certificate.clone()).collect(),
            import: None,
        },
        (MailboxState::ActivationPending, _) => {
            let order = pending.get(&mailbox.address);
            DescribedKeys::Issued {
                key: order.map_or(KeyKind::Rsa3072, |(key, _)| *key),
                authority: order.map(|(_, authority)| authority.clone()),
                pending: true,
            }
        }
        (MailboxState::RevokePending, _) => DescribedKeys::RevokePending,
        (MailboxState::Inactive, _) => DescribedKeys::Inactive,
    };
    DescribedMailbox {
        address: mailbox.address.clone(),
        aliases: mailbox.aliases.clone(),
        keys: described,
    }
}

/// The kind of key that a certificate is for, or the one to make in its place.
pub fn key_kind(certificate: &Certificate) -> KeyKind {
    match certificate.key_kind() {
        Some(PublicKeyKind::Ec(Curve::P384)) => KeyKind::P384,
        Some(PublicKeyKind::Rsa(bits)) if bits >= 4096 => KeyKind::Rsa4096,
        Some(PublicKeyKind::Rsa(bits)) if bits >= 3072 => KeyKind::Rsa3072,
        Some(PublicKeyKind::Rsa(_)) => KeyKind::Rsa2048,
        _ => KeyKind::P256,
    }
}
