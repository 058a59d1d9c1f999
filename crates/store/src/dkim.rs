//! DKIM keys of domains: made, activated, retired and removed, each with a line in the audit log.
//!
//! A private key is sealed for its number, organisation, domain and selector, and leaves the store only to sign.

use sealgate_core::dkim::{DkimKey, DkimKeyEvent, DkimKeyId, DkimKeyKind, DkimKeyState, Selector};
use sealgate_core::saying::{Operation as Said, Refusals, Saying};
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::{Domain, Timestamp};
use sealgate_smime::key::PrivateKey;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use zeroize::Zeroizing;

use crate::audit::tell;
use crate::configuration::next_number;
use crate::error::StoreError;
use crate::events::{self, EventKind};
use crate::rows::{Columns, of_word, word};
use crate::seal::Purpose;
use crate::store::Store;
use crate::writer::{Weight, job};

/// A key to be kept.
#[derive(Clone, Debug)]
pub struct NewDkimKey {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Whose mail it signs.
    pub domain: Domain,
    /// Its name; the next free one if absent.
    pub selector: Option<Selector>,
    /// What key it is.
    pub kind: DkimKeyKind,
    /// The key.
    pub key: PrivateKey,
}

impl Store {
    /// The DKIM keys of an organisation, by domain and in the order in which they were made.
    pub async fn dkim_keys(
        &self,
        organisation: OrganisationId,
    ) -> Result<Vec<DkimKey>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM dkim_keys WHERE organisation = $1 ORDER BY domain, id")
                .bind(organisation.0)
                .fetch_all(&self.0.readers)
                .await?;
        rows.iter().map(key).collect()
    }

    /// Those of one domain that sign now, RSA first.
    pub async fn active_dkim_keys(
        &self,
        organisation: OrganisationId,
        domain: &Domain,
    ) -> Result<Vec<DkimKey>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM dkim_keys WHERE organisation = $1 AND domain = $2 AND state = 'active' ORDER BY kind DESC",
        )
        .bind(organisation.0)
        .bind(domain.as_str())
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter().map(key).collect()
    }

    /// Keys of all organisations whose records have not been seen yet.
    pub async fn new_dkim_keys(&self) -> Result<Vec<(OrganisationId, DkimKey)>, StoreError> {
        let rows = sqlx::query("SELECT * FROM dkim_keys WHERE state = 'new' ORDER BY id")
            .fetch_all(&self.0.readers)
            .await?;
        let own = |row: &SqliteRow| Ok((row.organisation("organisation")?, key(row)?));
        rows.iter().map(own).collect()
    }

    /// The private key of that number, unsealed.
    pub async fn dkim_private_key(&self, id: DkimKeyId) -> Result<PrivateKey, StoreError> {
        let row = sqlx::query("SELECT * FROM dkim_keys WHERE id = $1")
            .bind(id.0)
            .fetch_optional(&self.0.readers)
            .await?;
        let row = row.ok_or_else(|| unknown(id))?;
        let public = key(&row)?;
        let record = record(id, row.organisation("organisation")?, &public);
        let sealed: &[u8] = row.field("sealed")?;
        let clear = Zeroizing::new(self.0.sealer.open(Purpose::DkimKey, &record, sealed)?);
        let private = PrivateKey::from_pkcs8(&clear)
            .map_err(|error| StoreError::damaged(error.to_string()))?;
        // A record that was changed would publish another key than the one that signs.
        if public.kind.public(private.spki_der()) != public.public {
            return Err(StoreError::damaged(record));
        }
        Ok(private)
    }

    /// Keeps a new key. Refused if the domain stands in no inbound route of the organisation, if a key of this kind waits
    /// there already, or if the selector is taken.
    pub async fn create_dkim_key(
        &self,
        new: NewDkimKey,
        who: &str,
        now: Timestamp,
    ) -> Result<DkimKey, StoreError> {
        let (who, inner) = (who.to_owned(), std::sync::Arc::clone(&self.0));
        let work = job(move |connection| {
            Box::pin(async move {
                let public = admit(connection, &new, now).await?;
                let clear = new.key.to_pkcs8();
                let clear = clear.map_err(|error| StoreError::damaged(error.to_string()))?;
                let record = record(public.id, new.organisation, &public);
                // Sealing happens in this very buffer.
                let sealed = inner
                    .sealer
                    .seal(Purpose::DkimKey, &record, clear.to_vec())?;
                insert(connection, new.organisation, &public, sealed).await?;
                let said = Said::DkimMade {
                    name: public.record_name(),
                    kind: public.kind.to_string(),
                };
                tell(connection, new.organisation, (&who, now), said).await?;
                Ok(public)
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Says that the record of a key is in DNS: a new key signs from now on, the one of its kind that signed before is
    /// retired. `true` if something changed.
    pub async fn activate_dkim_key(
        &self,
        (organisation, id): (OrganisationId, DkimKeyId),
        who: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let who = who.to_owned();
        let work = job(move |connection| {
            Box::pin(async move {
                let found = find(connection, organisation, id).await?;
                let changes = found.state == DkimKeyState::New;
                if changes {
                    succeed(connection, organisation, &found, (&who, now)).await?;
                    happen(connection, &found, DkimKeyEvent::Seen, now).await?;
                    let name = found.record_name();
                    let said = Said::DkimSigns { name };
                    tell(connection, organisation, (&who, now), said).await?;
                    let said = Saying::words(found.record_name());
                    let event = (EventKind::DkimKeyActive, said);
                    events::insert(connection, organisation.0, now, event).await?;
                }
                Ok(changes)
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Removes a key, whatever its state.
    pub async fn remove_dkim_key(
        &self,
        (organisation, id): (OrganisationId, DkimKeyId),
        who: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let who = who.to_owned();
        let work = job(move |connection| {
            Box::pin(async move {
                let found = find(connection, organisation, id).await?;
                delete(connection, id).await?;
                let name = found.record_name();
                let said = Said::DkimRemoved { name };
                tell(connection, organisation, (&who, now), said).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Removes retired keys whose time is over.
    pub async fn sweep_dkim_keys(&self, now: Timestamp) -> Result<(), StoreError> {
        let rows = sqlx::query("SELECT * FROM dkim_keys WHERE state = 'retired'")
            .fetch_all(&self.0.readers)
            .await?;
        for row in &rows {
            let (organisation, found) = (row.organisation("organisation")?, key(row)?);
            let is_over = found.gone_at().is_some_and(|gone| gone <= now);
            if is_over && found.state.after(DkimKeyEvent::Aged).is_none() {
                self.remove_dkim_key((organisation, found.id), "gateway", now)
                    .await?;
            }
        }
        Ok(())
    }
}

fn unknown(id: DkimKeyId) -> StoreError {
    StoreError::NotFound(format!("there is no DKIM key {}", id.0))
}

fn record(id: DkimKeyId, organisation: OrganisationId, key: &DkimKey) -> String {
    format!("{} {} {}", id.0, organisation.0, key.record_name())
}

fn key(row: &SqliteRow) -> Result<DkimKey, StoreError> {
    let domain: &str = row.field("domain")?;
    Ok(DkimKey {
        id: DkimKeyId(row.field("id")?),
        domain: Domain::parse(domain).map_err(|error| StoreError::damaged(error.to_string()))?,
        selector: of_word(row.field("selector")?)?,
        kind: row.word("kind")?,
        state: row.word("state")?,
        since: row.time("since")?,
        public: row.field("public")?,
    })
}

/// The public side of a new key, if there may be one.
async fn admit(
    connection: &mut SqliteConnection,
    new: &NewDkimKey,
    now: Timestamp,
) -> Result<DkimKey, StoreError> {
    let domain = &new.domain;
    let routed = sqlx::query(
        "SELECT 1 FROM route_domains JOIN routes ON routes.id = route_domains.route
         WHERE routes.organisation = $1 AND route_domains.domain = $2",
    )
    .bind(new.organisation.0)
    .bind(domain.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    if routed.is_none() {
        return Err(StoreError::refused(Refusals::DkimDomain {
            domain: domain.to_string(),
        }));
    }
    let rows = sqlx::query("SELECT * FROM dkim_keys WHERE organisation = $1 AND domain = $2")
        .bind(new.organisation.0)
        .bind(domain.as_str())
        .fetch_all(&mut *connection)
        .await?;
    let known: Vec<DkimKey> = rows.iter().map(key).collect::<Result<_, _>>()?;
    let waits = |one: &&DkimKey| one.kind == new.kind && one.state == DkimKeyState::New;
    if let Some(waiting) = known.iter().find(waits) {
        return Err(StoreError::refused(Refusals::DkimWaits {
            selector: waiting.selector.to_string(),
            domain: domain.to_string(),
        }));
    }
    let taken = known.iter().map(|one| &one.selector);
    let selector = match &new.selector {
        Some(selector) if known.iter().any(|one| one.selector == *selector) => {
            return Err(StoreError::refused(Refusals::DkimSelectorTaken {
                domain: domain.to_string(),
                selector: selector.to_string(),
            }));
        }
        Some(selector) => selector.clone(),
        None => Selector::next(taken),
    };
    Ok(DkimKey {
        id: DkimKeyId(next_number(connection, "dkim-key").await?),
        domain: domain.clone(),
        selector,
        kind: new.kind,
        state: DkimKeyState::New,
        since: now,
        public: new.kind.public(new.key.spki_der()),
    })
}

async fn insert(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    key: &DkimKey,
    sealed: Vec<u8>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO dkim_keys (id, organisation, domain, selector, kind, state, since, public, sealed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(key.id.0)
    .bind(organisation.0)
    .bind(key.domain.as_str())
    .bind(key.selector.as_str())
    .bind(word(&key.kind)?)
    .bind(word(&key.state)?)
    .bind(key.since.0)
    .bind(&key.public)
    .bind(sealed)
    .execute(connection)
    .await?;
    Ok(())
}

async fn find(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    id: DkimKeyId,
) -> Result<DkimKey, StoreError> {
    let row = sqlx::query("SELECT * FROM dkim_keys WHERE id = $1 AND organisation = $2")
        .bind(id.0)
        .bind(organisation.0)
        .fetch_optional(connection)
        .await?;
    key(&row.ok_or_else(|| unknown(id))?)
}

/// The keys of this kind that sign make room for `next`.
async fn succeed(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    next: &DkimKey,
    (who, now): (&str, Timestamp),
) -> Result<(), StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM dkim_keys
         WHERE organisation = $1 AND domain = $2 AND kind = $3 AND id <> $4 AND state = 'active'",
    )
    .bind(organisation.0)
    .bind(next.domain.as_str())
    .bind(word(&next.kind)?)
    .bind(next.id.0)
    .fetch_all(&mut *connection)
    .await?;
    for row in &rows {
        let former = key(row)?;
        happen(connection, &former, DkimKeyEvent::Succeeded, now).await?;
        let name = former.record_name();
        let said = Said::DkimSignsNoMore { name };
        tell(connection, organisation, (who, now), said).await?;
    }
    Ok(())
}

/// Brings a key into its next state.
async fn happen(
    connection: &mut SqliteConnection,
    key: &DkimKey,
    event: DkimKeyEvent,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(state) = key.state.after(event) else {
        return delete(connection, key.id).await;
    };
    sqlx::query("UPDATE dkim_keys SET state = $1, since = $2 WHERE id = $3")
        .bind(word(&state)?)
        .bind(now.0)
        .bind(key.id.0)
        .execute(connection)
        .await?;
    Ok(())
}

async fn delete(connection: &mut SqliteConnection, id: DkimKeyId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM dkim_keys WHERE id = $1")
        .bind(id.0)
        .execute(connection)
        .await?;
    Ok(())
}
