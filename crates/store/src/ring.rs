//! Key rings as administrators look at them, and purging: the only way in which a private key goes (A9).

use sealgate_core::change::KeyOrigin;
use sealgate_core::saying::{Keys as Said, Refusals};
use sealgate_core::tenant::{KeyId, MailboxState, OrganisationId};
use sealgate_mail::{Address, Timestamp};
use sealgate_smime::certificate::Certificate;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::audit::tell;
use crate::configuration::{changed, current_version};
use crate::correspondents::certificate;
use crate::error::StoreError;
use crate::rows::{Columns, size, word};
use crate::store::Store;
use crate::writer::{Weight, job};

/// A key of a mailbox's ring; never the private key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingKey {
    /// Its number.
    pub id: KeyId,
    /// Its certificate.
    pub certificate: Certificate,
    /// Where it came from.
    pub origin: KeyOrigin,
    /// The name of the authority that issued it; none of an uploaded one.
    pub authority: Option<String>,
    /// The PKCS #11 token that the key itself is on; none of a key in the store.
    pub token: Option<String>,
    /// When it was stored.
    pub added: Timestamp,
    /// Whether the mailbox signs with it.
    pub signing: bool,
    /// Whether it is the one that others encrypt to.
    pub encryption: bool,
    /// Whether its certificate is still to be revoked.
    pub to_be_revoked: bool,
}

impl RingKey {
    /// Why it cannot be purged; nothing if it can.
    fn keeps(&self) -> Option<Refusals> {
        if self.signing || self.encryption {
            return Some(Refusals::KeyIsCurrent {});
        }
        self.to_be_revoked.then_some(Refusals::KeyToBeRevoked {})
    }
}

/// Which keys of a ring are purged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purge {
    /// These, or none at all.
    These(Vec<KeyId>),
    /// All that may be.
    AllOld,
}

/// What was purged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purged {
    /// The keys.
    pub keys: Vec<KeyId>,
    /// Those of [`Purge::AllOld`] that stay, although they are not current, and why.
    pub kept: Vec<(KeyId, Refusals)>,
    /// Those of the purged ones that are on tokens: used no more, but to be destroyed there.
    pub on_tokens: Vec<(KeyId, String)>,
    /// The version of the configuration under which no process knows them any more.
    pub version: u64,
}

impl Store {
    /// The key ring of a mailbox, also of one that was removed; the newest first.
    pub async fn key_ring(
        &self,
        organisation: OrganisationId,
        mailbox: &Address,
    ) -> Result<Vec<RingKey>, StoreError> {
        let mut connection = self.0.readers.acquire().await?;
        keys_of(&mut connection, organisation, mailbox).await
    }

    /// Removes private keys for good, with a line in the audit log. Mail that only they open stays closed.
    pub async fn purge_keys(
        &self,
        (organisation, mailbox): (OrganisationId, &Address),
        which: Purge,
        who: &str,
        now: Timestamp,
    ) -> Result<Purged, StoreError> {
        let (mailbox, who) = (mailbox.clone(), who.to_owned());
        let work = job(move |connection| {
            Box::pin(async move {
                let ring = keys_of(connection, organisation, &mailbox).await?;
                let (keys, kept) = choose(&ring, which, &mailbox)?;
                let on_token = |key: RingKey| Some((key.id, key.token?));
                let gone = ring.into_iter().filter(|key| keys.contains(&key.id));
                let on_tokens = gone.filter_map(on_token).collect();
                let version = if keys.is_empty() {
                    current_version(connection).await?
                } else {
                    remove(connection, (organisation, &mailbox), &keys).await?;
                    changed(connection, organisation).await?
                };
                for key in &keys {
                    let (id, mailbox) = (key.0, mailbox.to_string());
                    let said = Said::Purged { id, mailbox };
                    tell(connection, organisation, (&who, now), said).await?;
                }
                Ok(Purged {
                    keys,
                    kept,
                    on_tokens,
                    version: size(version),
                })
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Forgets the keys kept in memory. Called where the configuration has changed, so that what was purged is gone.
    pub fn forget_keys(&self) {
        self.0.keys.clear();
    }
}

async fn keys_of(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    mailbox: &Address,
) -> Result<Vec<RingKey>, StoreError> {
    let rows = sqlx::query(
        "SELECT keys.id, keys.certificate, keys.origin, keys.token, keys.added, authorities.name AS authority,
            (mailboxes.signing = keys.id AND mailboxes.state <> $3) AS signing,
            (mailboxes.encryption = keys.id AND mailboxes.state <> $3) AS encryption,
            EXISTS (SELECT 1 FROM revocations WHERE revocations.key = keys.id AND confirmed IS NULL) AS to_be_revoked
         FROM keys
         LEFT JOIN authorities ON authorities.id = keys.authority
         LEFT JOIN mailboxes ON mailboxes.organisation = keys.organisation AND mailboxes.mailbox = keys.mailbox
         WHERE keys.organisation = $1 AND keys.mailbox = $2 ORDER BY keys.id DESC",
    )
    .bind(organisation.0)
    .bind(mailbox.key())
    .bind(word(&MailboxState::Inactive)?)
    .fetch_all(connection)
    .await?;
    rows.iter().map(ring_key).collect()
}

fn ring_key(row: &SqliteRow) -> Result<RingKey, StoreError> {
    let is = |name: &str| Ok::<_, StoreError>(row.field::<Option<bool>>(name)?.unwrap_or(false));
    Ok(RingKey {
        id: KeyId(row.field("id")?),
        certificate: certificate(row.field("certificate")?)?,
        origin: row.word("origin")?,
        authority: row.field("authority")?,
        token: row.field("token")?,
        added: row.time("added")?,
        signing: is("signing")?,
        encryption: is("encryption")?,
        to_be_revoked: is("to_be_revoked")?,
    })
}

type Chosen = (Vec<KeyId>, Vec<(KeyId, Refusals)>);

fn choose(ring: &[RingKey], which: Purge, mailbox: &Address) -> Result<Chosen, StoreError> {
    let refused = |id: i64, why: Refusals| {
        let mailbox = mailbox.to_string();
        StoreError::refused(Refusals::NotPurged {
            id,
            mailbox,
            why: why.into(),
        })
    };
    let Purge::These(wanted) = which else {
        let old = ring.iter().filter(|key| !key.signing && !key.encryption);
        let (kept, gone): (Vec<_>, Vec<_>) = old.partition(|key| key.keeps().is_some());
        let why = |key: &&RingKey| Some((key.id, key.keeps()?));
        return Ok((
            gone.iter().map(|key| key.id).collect(),
            kept.iter().filter_map(why).collect(),
        ));
    };
    for id in &wanted {
        let key = ring.iter().find(|key| key.id == *id).ok_or_else(|| {
            StoreError::NotFound(format!(
                "{mailbox} has no key {}; see its keys with: sealgate key list {mailbox}",
                id.0
            ))
        })?;
        if let Some(why) = key.keeps() {
            return Err(refused(id.0, why));
        }
    }
    Ok((wanted, Vec::new()))
}

/// Overwrites and removes the sealed keys, and what refers to them: an inactive mailbox, revocations that are confirmed.
async fn remove(
    connection: &mut SqliteConnection,
    (organisation, mailbox): (OrganisationId, &Address),
    keys: &[KeyId],
) -> Result<(), StoreError> {
    // What is freed in the file is overwritten with zeros.
    sqlx::query("PRAGMA secure_delete = ON")
        .execute(&mut *connection)
        .await?;
    for key in keys {
        for statement in [
            "UPDATE mailboxes SET signing = NULL WHERE signing = $1",
            "UPDATE mailboxes SET encryption = NULL WHERE encryption = $1",
            "DELETE FROM revocations WHERE key = $1",
            "UPDATE keys SET sealed = zeroblob(length(sealed)) WHERE id = $1",
            "DELETE FROM keys WHERE id = $1",
        ] {
            sqlx::query(statement)
                .bind(key.0)
                .execute(&mut *connection)
                .await?;
        }
    }
    // An order that has ended has no use for its key either.
    sqlx::query("UPDATE orders SET sealed = NULL WHERE organisation = $1 AND mailbox = $2 AND ended IS NOT NULL")
        .bind(organisation.0)
        .bind(mailbox.key())
        .execute(&mut *connection)
        .await?;
    sqlx::query("PRAGMA secure_delete = OFF")
        .execute(connection)
        .await?;
    Ok(())
}
