//! What changes correspondents' keys beside harvesting: administrators' choices, and time.

use sealgate_core::harvest::{self, Changed, Choice, Expired, Expiry};
use sealgate_core::saying::{Keys as Said, Refusals, Saying};
use sealgate_core::tenant::{CorrespondentKey, OrganisationId};
use sealgate_mail::{Address, Timestamp};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::key;
use super::list::not_found;
use crate::audit::tell;
use crate::error::StoreError;
use crate::events::{self, EventKind};
use crate::limits::EXPIRIES_AT_ONCE;
use crate::rows::{Columns, word};
use crate::store::Store;
use crate::writer::{Weight, job};

impl Store {
    /// An administrator's choice for one key, with a line in the audit log and an event; gives what changed, in words.
    pub async fn choose_correspondent(
        &self,
        (organisation, id): (OrganisationId, i64),
        choice: Choice,
        who: &str,
        now: Timestamp,
    ) -> Result<Saying, StoreError> {
        let who = who.to_owned();
        let work = job(move |connection| {
            Box::pin(async move {
                let by = (choice, who.as_str(), now);
                choose_and_tell(connection, (organisation, id), by).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// The same choice for several keys in one transaction: those that it is refused for are named with the reason, for the
    /// others it is made.
    pub async fn choose_correspondents(
        &self,
        (organisation, keys): (OrganisationId, &[i64]),
        choice: Choice,
        who: &str,
        now: Timestamp,
    ) -> Result<Vec<(i64, Saying)>, StoreError> {
        let (who, keys) = (who.to_owned(), keys.to_vec());
        let work = job(move |connection| {
            Box::pin(async move {
                let mut refused = Vec::new();
                for id in keys {
                    let by = (choice, who.as_str(), now);
                    // What is refused was refused before anything was written.
                    match choose_and_tell(connection, (organisation, id), by).await {
                        Ok(_) => {}
                        Err(StoreError::Refused(why)) => refused.push((id, why)),
                        Err(StoreError::NotFound(_)) => {
                            refused.push((id, Refusals::KeyGone { id }.into()))
                        }
                        Err(failure) => return Err(failure),
                    }
                }
                Ok(refused)
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Does what is due because certificates of correspondents expire; `true` if more may be due.
    pub async fn expire_correspondents(&self, now: Timestamp) -> Result<bool, StoreError> {
        let due = sqlx::query("SELECT id FROM correspondents WHERE look_at <= $1 LIMIT 1")
            .bind(now.0)
            .fetch_optional(&self.0.readers)
            .await?;
        if due.is_none() {
            return Ok(false);
        }
        let work = job(move |connection| Box::pin(expire(connection, now)));
        let done = self.0.writer.write(Weight::default(), work).await?;
        Ok(done >= EXPIRIES_AT_ONCE)
    }
}

async fn choose_and_tell(
    connection: &mut SqliteConnection,
    (organisation, id): (OrganisationId, i64),
    (choice, who, now): (Choice, &str, Timestamp),
) -> Result<Saying, StoreError> {
    let said = choose(connection, (organisation.0, id), choice, now).await?;
    tell(connection, organisation, (who, now), said.clone()).await?;
    Ok(said)
}

async fn choose(
    connection: &mut SqliteConnection,
    (organisation, id): (i64, i64),
    choice: Choice,
    now: Timestamp,
) -> Result<Saying, StoreError> {
    let row = sqlx::query("SELECT * FROM correspondents WHERE id = $1 AND organisation = $2")
        .bind(id)
        .bind(organisation)
        .fetch_optional(&mut *connection)
        .await?;
    let chosen = key(&row.ok_or_else(|| not_found(id))?)?;
    let mut others = keys_of(connection, organisation, &chosen.address).await?;
    others.retain(|other| other.id != id);
    let changes = harvest::choose(&chosen, &others, choice, now).map_err(|refusal| {
        StoreError::refused(Refusals::Chosen {
            id,
            address: chosen.address.to_string(),
            why: Refusals::from(refusal).into(),
        })
    })?;
    let mut words = Vec::new();
    for change in &changes {
        write(connection, change, now).await?;
        words.push(in_words(change));
    }
    let said = Saying::from(Said::Chosen {
        choice,
        id,
        address: chosen.address.to_string(),
        changes: words,
    });
    let event = (EventKind::KeyChosen, said.clone());
    events::insert(connection, organisation, now, event).await?;
    take_over(connection, (organisation, &chosen.address), now).await?;
    Ok(said)
}

async fn write(
    connection: &mut SqliteConnection,
    change: &Changed,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE correspondents SET state = $1, pinned = $2, ask_at = CASE WHEN $3 THEN $4 ELSE ask_at END,
            ask_failures = CASE WHEN $3 THEN 0 ELSE ask_failures END
         WHERE id = $5",
    )
    .bind(word(&change.state)?)
    .bind(change.pinned)
    .bind(change.ask)
    .bind(now.0)
    .bind(change.id)
    .execute(connection)
    .await?;
    Ok(())
}

fn in_words(change: &Changed) -> Saying {
    let Changed {
        id, state, pinned, ..
    } = *change;
    match pinned {
        true => Said::IsPinned { id, state },
        false => Said::Is { id, state },
    }
    .into()
}

/// All keys of an address.
pub(super) async fn keys_of(
    connection: &mut SqliteConnection,
    organisation: i64,
    address: &Address,
) -> Result<Vec<CorrespondentKey>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM correspondents WHERE organisation = $1 AND mailbox = $2 ORDER BY id",
    )
    .bind(organisation)
    .bind(address.key())
    .fetch_all(connection)
    .await?;
    rows.iter().map(key).collect()
}

/// Where no preferred key of an address can be used any more, the best of the others is preferred, with an event.
pub(crate) async fn take_over(
    connection: &mut SqliteConnection,
    (organisation, address): (i64, &Address),
    now: Timestamp,
) -> Result<(), StoreError> {
    let keys = keys_of(connection, organisation, address).await?;
    match harvest::take_over(&keys, now) {
        Some(next) => replace(connection, (organisation, address), next, now).await,
        None => Ok(()),
    }
}

async fn replace(
    connection: &mut SqliteConnection,
    (organisation, address): (i64, &Address),
    next: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE correspondents SET state = 'preferred' WHERE id = $1")
        .bind(next)
        .execute(&mut *connection)
        .await?;
    let said = Said::Replaced {
        id: next,
        address: address.to_string(),
    };
    let event = (EventKind::KeyReplaced, said);
    events::insert(connection, organisation, now, event).await
}

/// Looks at the keys whose end is due to be looked at; gives how many.
async fn expire(connection: &mut SqliteConnection, now: Timestamp) -> Result<i64, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM correspondents WHERE look_at <= $1 ORDER BY look_at, id LIMIT $2",
    )
    .bind(now.0)
    .bind(EXPIRIES_AT_ONCE)
    .fetch_all(&mut *connection)
    .await?;
    let mut done = 0;
    for row in &rows {
        let id: i64 = row.field("id")?;
        let look_at = match look_at_one(connection, row, now).await {
            Err(StoreError::Damaged(problem)) => {
                tracing::error!(problem, key = id, "a correspondent's key cannot be read");
                None
            }
            other => other?,
        };
        sqlx::query("UPDATE correspondents SET look_at = $1 WHERE id = $2")
            .bind(look_at.map(|at| at.0))
            .bind(id)
            .execute(&mut *connection)
            .await?;
        done += 1;
    }
    Ok(done)
}

async fn look_at_one(
    connection: &mut SqliteConnection,
    row: &SqliteRow,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let organisation: i64 = row.field("organisation")?;
    let key = key(row)?;
    let keys = keys_of(connection, organisation, &key.address).await?;
    let expiry = Expiry::decide(&key, &keys, now);
    let (id, address) = (key.id, key.address.to_string());
    let end = key.certificate.not_after();
    let event = match expiry.verdict {
        Expired::Nothing => None,
        Expired::Soon => Some((EventKind::KeyExpiring, Said::Expires { id, address, end })),
        Expired::Last => Some((EventKind::KeyExpired, Said::Expired { id, address, end })),
        Expired::Replaced(next) => {
            replace(connection, (organisation, &key.address), next, now).await?;
            None
        }
    };
    if let Some(event) = event {
        events::insert(connection, organisation, now, event).await?;
    }
    Ok(expiry.look_at)
}
