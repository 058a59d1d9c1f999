//! Directories of organisations, what directories and DNS said of an address, and which keys came from which: an answer, the
//! keys it brings and the keys it takes away are one transaction.

use std::sync::Arc;

use sealgate_core::directory::{Directory, Judged, Kept, Word};
use sealgate_core::limits::SOURCE_SILENT;
use sealgate_core::saying::{Changes as Said, Keys, Refusals, Saying};
use sealgate_core::tenant::{OrganisationId, Origin};
use sealgate_mail::{Address, Timestamp};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::audit::tell;
use crate::configuration::{open_setting, seal_setting};
use crate::correspondents::{
    Certificates, CorrespondentRow, has_namesake, insert, learned, row_of, supersede, take_over,
};
use crate::error::StoreError;
use crate::events::{self, EventKind};
use crate::limits::{DIRECTORIES, SWEEP_ROWS};
use crate::rows::{Columns, json, word};
use crate::store::{Inner, Store};
use crate::writer::{Weight, job};

/// What a source said of an address, to be kept.
#[derive(Clone, Debug)]
pub struct SourceAnswer {
    /// Its last word.
    pub kept: Kept,
    /// What comes of it; none if it gave no answer: then its keys stay as they are.
    pub judged: Option<Judged>,
    /// What its keys come from.
    pub origin: Origin,
}

/// A key that a source had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceKey {
    /// The number of the key.
    pub key: i64,
    /// The source.
    pub source: String,
}

fn record(organisation: OrganisationId, name: &str) -> String {
    format!("directory {} {name}", organisation.0)
}

impl Store {
    /// Adds a directory, or replaces the one of that name, whose former answers are forgotten.
    pub async fn put_directory(
        &self,
        organisation: OrganisationId,
        directory: &Directory,
        told: (&str, Timestamp),
    ) -> Result<(), StoreError> {
        self.place_directory(organisation, Was::Anything, directory, told)
            .await
    }

    /// The same, refused if there is another one than `was` by now: the password may have been kept from that one.
    pub async fn edit_directory(
        &self,
        organisation: OrganisationId,
        (was, becomes): (Option<&Directory>, &Directory),
        told: (&str, Timestamp),
    ) -> Result<(), StoreError> {
        let was = Was::Just(Box::new(was.cloned()));
        self.place_directory(organisation, was, becomes, told).await
    }

    async fn place_directory(
        &self,
        organisation: OrganisationId,
        was: Was,
        directory: &Directory,
        (who, now): (&str, Timestamp),
    ) -> Result<(), StoreError> {
        let sealed = seal_setting(
            &self.0.sealer,
            &record(organisation, &directory.name),
            directory,
        )?;
        let (who, directory) = (who.to_owned(), directory.clone());
        let inner = Arc::clone(&self.0);
        let work = job(move |connection| {
            Box::pin(async move {
                if let Was::Just(was) = was
                    && stored(connection, &inner, (organisation, &directory.name)).await? != *was
                {
                    return Err(StoreError::ChangedMeanwhile);
                }
                make_room_for(connection, organisation, &directory.name).await?;
                forget(connection, organisation, &directory.label()).await?;
                sqlx::query(
                    "INSERT INTO directories (organisation, name, sealed) VALUES ($1, $2, $3)
                     ON CONFLICT (organisation, name) DO UPDATE SET sealed = excluded.sealed",
                )
                .bind(organisation.0)
                .bind(&directory.name)
                .bind(sealed)
                .execute(&mut *connection)
                .await?;
                let place = &directory.place;
                let said = Said::Directory {
                    name: directory.name.clone(),
                    host: place.host.clone(),
                    port: place.port.into(),
                };
                tell(connection, organisation, (&who, now), said).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Removes a directory, its answers, and the keys that came from it and nobody has pinned or blocked.
    pub async fn remove_directory(
        &self,
        organisation: OrganisationId,
        name: &str,
        (who, now): (&str, Timestamp),
    ) -> Result<(), StoreError> {
        let (who, name) = (who.to_owned(), name.to_owned());
        let work = job(move |connection| {
            Box::pin(async move {
                let done =
                    sqlx::query("DELETE FROM directories WHERE organisation = $1 AND name = $2")
                        .bind(organisation.0)
                        .bind(&name)
                        .execute(&mut *connection)
                        .await?;
                if done.rows_affected() == 0 {
                    let text = format!("there is no directory {name}");
                    return Err(StoreError::NotFound(text));
                }
                let label = format!("directory {name}");
                forget(connection, organisation, &label).await?;
                let said = Said::DirectoryRemoved { name };
                tell(connection, organisation, (&who, now), said).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// The directories of an organisation by name.
    pub async fn directories(
        &self,
        organisation: OrganisationId,
    ) -> Result<Vec<Directory>, StoreError> {
        let rows = sqlx::query(
            "SELECT name, sealed FROM directories WHERE organisation = $1 ORDER BY name",
        )
        .bind(organisation.0)
        .fetch_all(&self.0.readers)
        .await?;
        let directory = |row: &SqliteRow| {
            let record = record(organisation, row.field("name")?);
            open_setting(&self.0.sealer, &record, row.field("sealed")?)
        };
        rows.iter().map(directory).collect()
    }

    /// What sources said of an address, as far as it is remembered.
    pub async fn source_answers(
        &self,
        organisation: OrganisationId,
        address: &Address,
    ) -> Result<Vec<Kept>, StoreError> {
        let rows = sqlx::query(
            "SELECT source, said, ask_at, heard FROM source_answers WHERE organisation = $1 AND mailbox = $2",
        )
        .bind(organisation.0)
        .bind(address.key())
        .fetch_all(&self.0.readers)
        .await?;
        let kept = |row: &SqliteRow| {
            Ok(Kept {
                word: Word {
                    source: row.field("source")?,
                    said: row.json("said")?,
                },
                ask_at: row.time("ask_at")?,
                heard: row.optional_time("heard")?,
            })
        };
        rows.iter().map(kept).collect()
    }

    /// Which keys of an address came from which source.
    pub async fn source_keys(
        &self,
        organisation: OrganisationId,
        address: &Address,
    ) -> Result<Vec<SourceKey>, StoreError> {
        let rows = sqlx::query(
            "SELECT correspondent, source FROM source_keys JOIN correspondents ON id = correspondent
             WHERE organisation = $1 AND mailbox = $2",
        )
        .bind(organisation.0)
        .bind(address.key())
        .fetch_all(&self.0.readers)
        .await?;
        let key = |row: &SqliteRow| {
            Ok(SourceKey {
                key: row.field("correspondent")?,
                source: row.field("source")?,
            })
        };
        rows.iter().map(key).collect()
    }

    /// Keeps what a source said of an address: its new keys are added, each with an event, and those it has no more are
    /// dropped. Keys that an administrator imported, pinned or blocked meanwhile stay.
    pub async fn keep_source_answer(
        &self,
        organisation: OrganisationId,
        address: &Address,
        answer: SourceAnswer,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let SourceAnswer {
            kept,
            judged,
            origin,
        } = answer;
        let Judged { new, has, .. } = judged.clone().unwrap_or_else(|| {
            let said = kept.word.said.clone();
            Judged::empty(said)
        });
        let rows = new.iter().map(|new| row_of(new, origin));
        let rows: Vec<CorrespondentRow> = rows.collect::<Result<_, _>>()?;
        let (address, is_heard, origin) = (address.clone(), judged.is_some(), word(&origin)?);
        let work = job(move |connection| {
            Box::pin(async move {
                let at = (organisation, &address);
                if is_heard {
                    drop_keys(connection, at, (&kept.word.source, &has), now).await?;
                }
                for row in rows {
                    add_key(connection, organisation, &kept.word.source, (row, now)).await?;
                }
                claim(connection, at, (&kept.word.source, &origin), &has).await?;
                put_answer(connection, at, &kept).await?;
                sweep(connection, now).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }
}

/// What there must be before a directory is put.
enum Was {
    /// Whatever it is.
    Anything,
    /// Just this directory, or none of that name.
    Just(Box<Option<Directory>>),
}

/// The directory of that name.
async fn stored(
    connection: &mut SqliteConnection,
    inner: &Inner,
    (organisation, name): (OrganisationId, &str),
) -> Result<Option<Directory>, StoreError> {
    let row = sqlx::query("SELECT sealed FROM directories WHERE organisation = $1 AND name = $2")
        .bind(organisation.0)
        .bind(name)
        .fetch_optional(connection)
        .await?;
    let record = record(organisation, name);
    let open = |row: SqliteRow| open_setting(&inner.sealer, &record, row.field("sealed")?);
    row.map(open).transpose()
}

/// Refuses one more than [`DIRECTORIES`].
async fn make_room_for(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    name: &str,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS others FROM directories WHERE organisation = $1 AND name <> $2",
    )
    .bind(organisation.0)
    .bind(name)
    .fetch_one(connection)
    .await?;
    if row.field::<i64>("others")? < DIRECTORIES {
        return Ok(());
    }
    Err(StoreError::refused(Refusals::ManyDirectories {
        most: DIRECTORIES,
    }))
}

/// Answers of a source are forgotten, and its keys dropped.
async fn forget(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    source: &str,
) -> Result<(), StoreError> {
    for query in [
        "DELETE FROM correspondents WHERE organisation = $1 AND origin IN ('ldap', 'smimea') AND pinned = 0
            AND state <> 'blocked' AND id IN (SELECT correspondent FROM source_keys WHERE source = $2)",
        "DELETE FROM source_answers WHERE organisation = $1 AND source = $2",
    ] {
        sqlx::query(query)
            .bind(organisation.0)
            .bind(source)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Drops the keys of a source that are none of these any more; another key of the address may take over.
async fn drop_keys(
    connection: &mut SqliteConnection,
    (organisation, address): (OrganisationId, &Address),
    (source, has): (&str, &[[u8; 32]]),
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows = sqlx::query(
        "SELECT id, fingerprint FROM correspondents JOIN source_keys ON id = correspondent
         WHERE organisation = $1 AND mailbox = $2 AND source = $3 AND origin IN ('ldap', 'smimea')
            AND pinned = 0 AND state <> 'blocked'",
    )
    .bind(organisation.0)
    .bind(address.key())
    .bind(source)
    .fetch_all(&mut *connection)
    .await?;
    let mut is_dropped = false;
    for row in &rows {
        let (id, fingerprint): (i64, &[u8]) = (row.field("id")?, row.field("fingerprint")?);
        if has.iter().any(|known| known == fingerprint) {
            continue;
        }
        sqlx::query("DELETE FROM correspondents WHERE id = $1")
            .bind(id)
            .execute(&mut *connection)
            .await?;
        let said = Keys::Dropped {
            id,
            address: address.to_string(),
            source: source_words(source),
        };
        let event = (EventKind::KeyDropped, said);
        events::insert(connection, organisation.0, now, event).await?;
        is_dropped = true;
    }
    if is_dropped {
        take_over(connection, (organisation.0, address), now).await?;
    }
    Ok(())
}

/// A source in words: DNS, or a directory by its name.
fn source_words(source: &str) -> Box<Saying> {
    match source.strip_prefix("directory ") {
        Some(name) => Keys::InDirectory {
            name: name.to_owned(),
        }
        .into(),
        None => Box::new(Saying::words(source)),
    }
}

async fn add_key(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    source: &str,
    (row, now): (CorrespondentRow, Timestamp),
) -> Result<(), StoreError> {
    let among = Certificates::Correspondents;
    if has_namesake(connection, among, organisation.0, row.certificate()).await? {
        return Ok(());
    }
    supersede(connection, organisation.0, row.superseded()).await?;
    let what = Box::new(learned(&row)?);
    let said = Keys::FoundIn {
        what,
        source: source_words(source),
    };
    if insert(connection, organisation.0, None, (row, now)).await? {
        events::insert(
            connection,
            organisation.0,
            now,
            (EventKind::KeyLearned, said),
        )
        .await?;
    }
    Ok(())
}

/// The keys with these fingerprints come from this source now, whichever had them before. What was harvested or imported is
/// of no source.
async fn claim(
    connection: &mut SqliteConnection,
    (organisation, address): (OrganisationId, &Address),
    (source, origin): (&str, &str),
    has: &[[u8; 32]],
) -> Result<(), StoreError> {
    for fingerprint in has {
        let row = sqlx::query(
            "UPDATE correspondents SET origin = $1 WHERE organisation = $2 AND mailbox = $3 AND fingerprint = $4
                AND origin IN ('ldap', 'smimea') RETURNING id",
        )
        .bind(origin)
        .bind(organisation.0)
        .bind(address.key())
        .bind(fingerprint.as_slice())
        .fetch_optional(&mut *connection)
        .await?;
        let Some(row) = row else {
            continue;
        };
        sqlx::query(
            "INSERT INTO source_keys (correspondent, source) VALUES ($1, $2)
             ON CONFLICT (correspondent) DO UPDATE SET source = excluded.source",
        )
        .bind(row.field::<i64>("id")?)
        .bind(source)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn put_answer(
    connection: &mut SqliteConnection,
    (organisation, address): (OrganisationId, &Address),
    kept: &Kept,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO source_answers (organisation, mailbox, source, said, ask_at, heard) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (organisation, mailbox, source) DO UPDATE SET said = excluded.said, ask_at = excluded.ask_at,
            heard = COALESCE(excluded.heard, heard)",
    )
    .bind(organisation.0)
    .bind(address.key())
    .bind(&kept.word.source)
    .bind(json(&kept.word.said)?)
    .bind(kept.ask_at.0)
    .bind(kept.heard.map(|heard| heard.0))
    .execute(connection)
    .await?;
    Ok(())
}

/// Answers that say nothing any more go, a few at a time.
async fn sweep(connection: &mut SqliteConnection, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM source_answers WHERE rowid IN
         (SELECT rowid FROM source_answers WHERE ask_at < $1 LIMIT $2)",
    )
    .bind(now.plus(-SOURCE_SILENT).0)
    .bind(SWEEP_ROWS)
    .execute(connection)
    .await?;
    Ok(())
}
