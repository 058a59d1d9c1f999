//! Rotation of the master key: a new data key, all data keys wrapped anew, and everything small sealed anew.
//!
//! 1. In one transaction, every data key is wrapped by the new master key, beside its former wrap, and a new data key
//!    becomes current. From here on the store opens with either master key.
//! 2. Keys and settings are sealed anew under the new data key, some rows in each transaction.
//! 3. In one transaction, the former wraps go: from here on only the new master key opens the store.
//!
//! A kill at any moment leaves one of these states, and the same rotation started again goes on where it was. Mail keeps
//! its data key, under the new master key, until it has left; then [`Store::maintain`] drops that data key.

use std::path::Path;

use sealgate_core::saying::{Operation as Said, Refusals};
use sealgate_core::tenant::KeyId;
use sealgate_mail::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use crate::accounts::{By, tell};
use crate::database;
use crate::directory;
use crate::error::StoreError;
use crate::limits::{FORMER_DATA_KEY_SECONDS, ROTATION_ROWS};
use crate::rows::{Columns, size};
use crate::seal::{MasterKey, MasterKeySource, Purpose, Sealer, WrappedKey};
use crate::store::Store;
use crate::writer::{Weight, job};

/// A column of sealed blobs that a rotation seals anew.
struct Place {
    table: &'static str,
    column: &'static str,
    purpose: Purpose,
    /// The name of the record, as SQL.
    record: &'static str,
}

const fn place(
    table: &'static str,
    column: &'static str,
    purpose: Purpose,
    record: &'static str,
) -> Place {
    Place {
        table,
        column,
        purpose,
        record,
    }
}

/// All sealed blobs but mail. A test looks for every column of blobs of the schema here, in [`MAIL`] or among the public ones.
const SMALL: &[Place] = &[
    place(
        "organisations",
        "smarthost",
        Purpose::Setting,
        "'smarthost ' || id",
    ),
    place("routes", "target", Purpose::Setting, "'route ' || id"),
    place(
        "authorities",
        "sealed",
        Purpose::Setting,
        "'authority ' || id",
    ),
    place(
        "keys",
        "sealed",
        Purpose::MailboxKey,
        "id || ' ' || organisation || ' ' || mailbox",
    ),
    place(
        "clients",
        "sealed",
        Purpose::Setting,
        "'client ' || organisation || ' ' || name",
    ),
    place(
        "destinations",
        "sealed",
        Purpose::Setting,
        "'destination ' || organisation || ' ' || domain",
    ),
    place("orders", "sealed", Purpose::MailboxKey, "'order ' || id"),
    place(
        "bulk_work",
        "settings",
        Purpose::Setting,
        "'bulk work ' || id",
    ),
    place("webhooks", "sealed", Purpose::Setting, "'webhook ' || id"),
    place(
        "dkim_keys",
        "sealed",
        Purpose::DkimKey,
        "id || ' ' || organisation || ' ' || selector || '._domainkey.' || domain",
    ),
    place(
        "directories",
        "sealed",
        Purpose::Setting,
        "'directory ' || organisation || ' ' || name",
    ),
    place("users", "totp", Purpose::SecondFactor, "'current ' || id"),
    place("users", "totp_new", Purpose::SecondFactor, "'new ' || id"),
    place("authority", "sealed_root", Purpose::Authority, "'root'"),
    place(
        "authority",
        "sealed_issuing",
        Purpose::Authority,
        "'issuing'",
    ),
];

/// The sealed blobs of mail, which are never sealed anew: they may be many, and are gone soon. Rows grow with time, so that
/// what is oldest is found first.
const MAIL: &[(&str, &str)] = &[
    ("contents", "whole"),
    ("chunks", "sealed"),
    ("copies", "head"),
    ("to_open", "head"),
];

/// How far a rotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Keys and settings sealed anew.
    pub done: u64,
    /// Those there were to seal.
    pub total: u64,
}

/// What a rotation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rotated {
    /// Nothing: the data is sealed with that master key already.
    Already,
    /// The whole of it, or the rest of one that was begun before.
    Done {
        /// Keys and settings sealed anew.
        sealed: u64,
        /// Whether it had been begun before.
        resumed: bool,
    },
}

/// What came of opening all keys and settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Opening {
    /// Those that open and are whole.
    pub good: u64,
    /// Those of them that are sealed by a former data key.
    pub former: u64,
    /// Those that do not open, or do not belong where they stand.
    pub broken: Vec<String>,
}

/// The data keys with what is known of the rotation.
pub(crate) struct DataKeys {
    pub keys: Vec<WrappedKey>,
    /// Where the master key of the last rotation comes from, and when it began.
    last: Option<(String, Timestamp)>,
}

impl DataKeys {
    /// Reads them, lowest number first.
    pub async fn read(connection: &mut SqliteConnection) -> Result<Self, StoreError> {
        let rows = sqlx::query("SELECT * FROM data_keys ORDER BY number")
            .fetch_all(connection)
            .await?;
        let mut all = Self {
            keys: Vec::with_capacity(rows.len()),
            last: None,
        };
        for row in &rows {
            all.keys.push(WrappedKey {
                number: row.field("number")?,
                wrapped: row.field("wrapped")?,
                former: row.field("former")?,
            });
            all.last = row
                .field::<Option<String>>("source")?
                .zip(row.optional_time("since")?);
        }
        Ok(all)
    }

    /// What a rotation under way goes to.
    pub fn under_way(&self) -> Option<&str> {
        let begun = self.keys.iter().any(|key| key.former.is_some());
        self.last
            .as_ref()
            .filter(|_| begun)
            .map(|(source, _)| source.as_str())
    }

    /// All of them wrapped by `to` too, and a new one that is current; `None` if `from` is not the master key.
    fn rewrapped(
        &self,
        from: &MasterKey,
        to: &MasterKey,
    ) -> Result<Option<Vec<WrappedKey>>, StoreError> {
        let again = self.keys.iter().map(|key| key.rewrapped(from, to));
        let Some(mut after) = again.collect::<Result<Option<Vec<_>>, _>>()? else {
            return Ok(None);
        };
        let highest = after.last().map_or(0, |key| key.number);
        after.push(WrappedKey::new(highest.saturating_add(1), to, Some(from))?);
        Ok(Some(after))
    }

    /// A rotation under way goes back, such as when its new master key was lost; `None` if `to` is not the former one.
    fn turned_back(&self, to: &MasterKey) -> Result<Option<Vec<WrappedKey>>, StoreError> {
        let back = self.keys.iter().map(|key| key.turned_back(to));
        back.collect()
    }

    /// What to do where the master key opens nothing.
    pub fn hint(&self) -> String {
        match (&self.last, self.under_way()) {
            (_, Some(source)) => format!(
                "a rotation to {source} is under way: give that one or the one before, and run `sealgate master-key rotate` again"
            ),
            (Some((source, _)), None) => {
                format!("its master key was rotated to {source}: set master-key to that one")
            }
            (None, None) => "give the master key this data directory was made with".to_owned(),
        }
    }
}

/// The first data key of a new store.
pub(crate) async fn insert_first(
    connection: &mut SqliteConnection,
    master: &MasterKey,
) -> Result<(), StoreError> {
    let first = WrappedKey::new(1, master, None)?;
    // Another process may have been faster: then its key is the one.
    sqlx::query(
        "INSERT INTO data_keys (number, wrapped) VALUES (1, $1) ON CONFLICT (number) DO NOTHING",
    )
    .bind(first.wrapped)
    .execute(connection)
    .await?;
    Ok(())
}

/// From which master key to which.
#[derive(Clone, Copy)]
pub struct Rotation<'a> {
    /// The one the store was opened with.
    pub from: &'a MasterKey,
    /// The one that is to open it from now on.
    pub to: &'a MasterKey,
    /// Where that comes from.
    pub source: &'a MasterKeySource,
    /// Who asked for it.
    pub who: &'a str,
    /// When.
    pub now: Timestamp,
}

impl Store {
    /// Where the master key comes from that a rotation, begun and not finished, goes to.
    pub async fn rotation_under_way(&self) -> Result<Option<String>, StoreError> {
        let mut connection = self.0.readers.acquire().await?;
        let keys = DataKeys::read(&mut connection).await?;
        Ok(keys.under_way().map(str::to_owned))
    }

    /// Rotates the master key, or finishes a rotation to that one. `told` hears how far it is.
    ///
    /// # Errors
    /// A gateway serves this data directory; a rotation from and to other master keys is under way; the store failed. After any error
    /// the same call goes on where this one was.
    pub async fn rotate(
        self,
        rotation: Rotation<'_>,
        mut told: impl FnMut(Progress),
    ) -> Result<Rotated, StoreError> {
        let _lock = directory::lock(self.directory())?;
        let Some(resumed) = self.begin(rotation).await? else {
            return Ok(Rotated::Already);
        };
        let keys = {
            let mut connection = self.0.readers.acquire().await?;
            DataKeys::read(&mut connection).await?.keys
        };
        let opened = Sealer::load(&keys, rotation.to, self.0.sealer.tokens().clone())?;
        let sealer = opened.ok_or_else(|| other_rotation("another master key"))?;
        let mut progress = Progress {
            done: 0,
            total: self.outdated(&sealer).await?,
        };
        told(progress);
        for place in SMALL {
            let mut last = 0;
            while let Some(at) = self.seal_anew(&sealer, place, last, &mut progress).await? {
                last = at;
                told(progress);
            }
        }
        self.end(rotation).await?;
        Ok(Rotated::Done {
            sealed: progress.done,
            resumed,
        })
    }

    /// Opens every key and setting, and says which do not open. A private key must belong to its certificate.
    pub async fn try_all_sealed(&self) -> Result<Opening, StoreError> {
        let mut found = Opening::default();
        for place in SMALL {
            let mut last = 0;
            while let Some(at) = self.try_sealed(place, last, &mut found).await? {
                last = at;
            }
        }
        Ok(found)
    }

    /// The same for some rows of one place behind the row `after`; gives the last of them.
    async fn try_sealed(
        &self,
        place: &Place,
        after: i64,
        found: &mut Opening,
    ) -> Result<Option<i64>, StoreError> {
        let Place {
            table,
            column,
            purpose,
            record,
        } = *place;
        let query = format!(
            "SELECT rowid AS place, {record} AS record, {column} AS sealed FROM {table}
             WHERE rowid > $1 AND {column} IS NOT NULL ORDER BY rowid LIMIT $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(after)
            .bind(ROTATION_ROWS)
            .fetch_all(&self.0.readers)
            .await?;
        let current = self.0.sealer.current().to_be_bytes();
        for row in &rows {
            let (record, sealed): (&str, &[u8]) = (row.field("record")?, row.field("sealed")?);
            let mut opened = self.0.sealer.open(purpose, record, sealed).map(drop);
            if opened.is_ok() && table == "keys" {
                opened = self.key_pair(KeyId(row.field("place")?)).await.map(drop);
            }
            match opened {
                Ok(()) => {
                    found.good += 1;
                    found.former += u64::from(!sealed.starts_with(&current));
                }
                Err(error) => found.broken.push(format!("{table} {record}: {error}")),
            }
        }
        rows.last().map(|row| row.field("place")).transpose()
    }

    /// Step 1. `None` if the store is sealed with that master key already; true if this step was done before.
    async fn begin(&self, rotation: Rotation<'_>) -> Result<Option<bool>, StoreError> {
        let before = {
            let mut connection = self.0.readers.acquire().await?;
            DataKeys::read(&mut connection).await?
        };
        let mut is_new = true;
        for key in &before.keys {
            is_new &= key.is_of(rotation.to)?;
        }
        let after = match (before.under_way(), is_new) {
            (Some(_), true) => return Ok(Some(true)),
            (None, true) => return Ok(None),
            (Some(source), false) => before
                .turned_back(rotation.to)?
                .ok_or_else(|| other_rotation(source))?,
            // Another rotation may have ended since the store was opened.
            (None, false) => before
                .rewrapped(rotation.from, rotation.to)?
                .ok_or_else(|| wrong_master_key(self.directory(), &before))?,
        };
        let resumed = before.under_way().is_some();
        let source = rotation.source.to_string();
        let said = Said::RotationBegun { source };
        let (source, now) = (rotation.source.to_string(), rotation.now);
        let who = rotation.who.to_owned();
        let work = job(move |connection| {
            Box::pin(async move {
                for key in after {
                    put(connection, key, (&source, now)).await?;
                }
                tell(connection, &By { who, at: now }, "", said).await
            })
        });
        self.0.writer.write(Weight::default(), work).await?;
        Ok(Some(resumed))
    }

    /// How many small blobs are sealed by another data key than the current one.
    async fn outdated(&self, sealer: &Sealer) -> Result<u64, StoreError> {
        let mut count = 0;
        for Place { table, column, .. } in SMALL {
            let query = format!(
                "SELECT COUNT(*) AS count FROM {table} WHERE {column} IS NOT NULL AND substr({column}, 1, 4) <> $1"
            );
            let row = sqlx::query(sqlx::AssertSqlSafe(query))
                .bind(sealer.current().to_be_bytes().to_vec())
                .fetch_one(&self.0.readers)
                .await?;
            count += size(row.field("count")?);
        }
        Ok(count)
    }

    /// Step 2 for some rows of one place behind the row `after`; gives the last of them, or nothing where there were none.
    async fn seal_anew(
        &self,
        sealer: &Sealer,
        place: &Place,
        after: i64,
        progress: &mut Progress,
    ) -> Result<Option<i64>, StoreError> {
        let Place {
            table,
            column,
            purpose,
            record,
        } = *place;
        let query = format!(
            "SELECT rowid AS place, {record} AS record, {column} AS sealed FROM {table}
             WHERE rowid > $1 AND {column} IS NOT NULL AND substr({column}, 1, 4) <> $2 ORDER BY rowid LIMIT $3"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(after)
            .bind(sealer.current().to_be_bytes().to_vec())
            .bind(ROTATION_ROWS)
            .fetch_all(&self.0.readers)
            .await?;
        let mut again = Vec::with_capacity(rows.len());
        for row in &rows {
            again.push(Anew::of(sealer, purpose, row)?);
        }
        let Some(last) = again.last().map(|one| one.place) else {
            return Ok(None);
        };
        progress.done += again.len() as u64;
        // Whoever changed a row meanwhile has sealed it with a data key of its own time: the next run finds it.
        let update = format!("UPDATE {table} SET {column} = $1 WHERE rowid = $2 AND {column} = $3");
        let work = job(move |connection| {
            Box::pin(async move {
                for one in again {
                    sqlx::query(sqlx::AssertSqlSafe(update.clone()))
                        .bind(one.sealed)
                        .bind(one.place)
                        .bind(one.before)
                        .execute(&mut *connection)
                        .await?;
                }
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await?;
        Ok(Some(last))
    }

    /// Step 3. What is given up is overwritten in the file, so that no trace of the former wraps stays.
    async fn end(&self, rotation: Rotation<'_>) -> Result<(), StoreError> {
        let source = rotation.source.to_string();
        let said = Said::RotationDone { source };
        let (now, who) = (rotation.now, rotation.who.to_owned());
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::raw_sql("PRAGMA secure_delete = ON")
                    .execute(&mut *connection)
                    .await?;
                sqlx::query("UPDATE data_keys SET former = NULL")
                    .execute(&mut *connection)
                    .await?;
                tell(connection, &By { who, at: now }, "", said).await
            })
        });
        self.0.writer.write(Weight::default(), work).await?;
        let file = self.directory().join(directory::DATABASE);
        let mut connection = database::writing(&file).connect().await?;
        // Where another process reads just now, the last one to close the database does it.
        sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut connection)
            .await?;
        Ok(connection.close().await?)
    }

    /// Drops former data keys that nothing refers to any more, unless a rotation is under way or was a short while ago.
    pub(crate) async fn drop_data_keys(&self, now: Timestamp) -> Result<(), StoreError> {
        let all = {
            let mut connection = self.0.readers.acquire().await?;
            DataKeys::read(&mut connection).await?
        };
        let is_recent =
            |(_, since): &(String, Timestamp)| now < since.plus(FORMER_DATA_KEY_SECONDS);
        if all.under_way().is_some() || all.last.as_ref().is_some_and(is_recent) {
            return Ok(());
        }
        for WrappedKey { number, .. } in all.keys {
            if number < self.0.sealer.current() && !self.is_used(number).await? {
                self.drop_data_key(number).await?;
            }
        }
        Ok(())
    }

    async fn drop_data_key(&self, number: u32) -> Result<(), StoreError> {
        tracing::info!(
            number,
            "a former data key is dropped: nothing is sealed by it any more"
        );
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query("DELETE FROM data_keys WHERE number = $1 AND former IS NULL")
                    .bind(number)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    async fn is_used(&self, number: u32) -> Result<bool, StoreError> {
        let small = SMALL.iter().map(|place| (place.table, place.column));
        for (table, column) in small.chain(MAIL.iter().copied()) {
            let query = format!("SELECT 1 FROM {table} WHERE substr({column}, 1, 4) = $1 LIMIT 1");
            let found = sqlx::query(sqlx::AssertSqlSafe(query))
                .bind(number.to_be_bytes().to_vec())
                .fetch_optional(&self.0.readers)
                .await?;
            if found.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// One row sealed anew.
struct Anew {
    place: i64,
    before: Vec<u8>,
    sealed: Vec<u8>,
}

impl Anew {
    fn of(sealer: &Sealer, purpose: Purpose, row: &SqliteRow) -> Result<Self, StoreError> {
        let record: &str = row.field("record")?;
        let before: Vec<u8> = row.field("sealed")?;
        let clear = sealer.open(purpose, record, &before)?;
        Ok(Self {
            place: row.field("place")?,
            sealed: sealer.seal(purpose, record, clear)?,
            before,
        })
    }
}

async fn put(
    connection: &mut SqliteConnection,
    key: WrappedKey,
    (source, now): (&str, Timestamp),
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO data_keys (number, wrapped, former, source, since) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (number) DO UPDATE SET wrapped = excluded.wrapped, former = excluded.former,
             source = excluded.source, since = excluded.since",
    )
    .bind(key.number)
    .bind(key.wrapped)
    .bind(key.former)
    .bind(source)
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(())
}

fn other_rotation(source: &str) -> StoreError {
    let source = source.to_owned();
    StoreError::refused(Refusals::OtherRotation { source })
}

/// The error of a master key that opens nothing.
pub(crate) fn wrong_master_key(directory: &Path, keys: &DataKeys) -> StoreError {
    StoreError::WrongMasterKey {
        directory: directory.to_owned(),
        hint: keys.hint(),
    }
}

#[cfg(test)]
mod tests;
