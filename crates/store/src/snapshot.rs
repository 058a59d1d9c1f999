//! What mail is decided under, read anew only where it changed: an organisation that did not change is taken as it was, and of
//! one that did only the mailboxes that changed are read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sealgate_core::tenant::{Installation, Mailbox, Organisation};
use sealgate_mail::Address;
use sqlx::sqlite::SqliteRow;

use crate::configuration;
use crate::error::StoreError;
use crate::rows::{Columns, size};
use crate::store::Store;

/// An organisation as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Former {
    /// How many changes it had seen.
    changes: i64,
    organisation: Arc<Organisation>,
}

impl Former {
    /// How many changes it had seen. What changed later says this number or a larger one.
    pub fn changes(&self) -> i64 {
        self.changes
    }

    /// Whether it was read after what happened at `changes`.
    pub fn is_after(&self, changes: i64) -> bool {
        changes < self.changes
    }

    /// Its mailboxes.
    pub fn mailboxes(&self) -> HashMap<Address, Mailbox> {
        self.organisation.mailboxes.clone()
    }
}

/// The organisations as they were read last.
#[derive(Debug, Default)]
pub(crate) struct Snapshots(Mutex<HashMap<i64, Former>>);

impl Snapshots {
    fn get(&self, organisation: i64) -> Option<Former> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&organisation).cloned()
    }

    fn keep(&self, read: HashMap<i64, Former>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = read;
    }
}

impl Store {
    /// Everything mail is decided under, of one moment.
    pub async fn installation(&self) -> Result<Installation, StoreError> {
        let mut reading = self.0.readers.begin().await?;
        let row = sqlx::query("SELECT value FROM counters WHERE name = 'configuration'")
            .fetch_one(&mut *reading)
            .await?;
        let version: i64 = row.field("value")?;
        let rows = sqlx::query("SELECT * FROM organisations ORDER BY id")
            .fetch_all(&mut *reading)
            .await?;
        let counted = rows
            .iter()
            .map(|row| row.field::<i64>("changes"))
            .sum::<Result<i64, _>>()?;
        // Every version is a change of one organisation. If one is not, nothing that was read before can be relied on.
        let is_counted = version == counted.saturating_add(FIRST_VERSION);
        let mut read = HashMap::with_capacity(rows.len());
        let mut organisations = Vec::with_capacity(rows.len());
        for row in &rows {
            let id: i64 = row.field("id")?;
            let former = self.0.snapshots.get(id).filter(|_| is_counted);
            let now = self.read_organisation(&mut reading, row, former).await?;
            organisations.push(Arc::clone(&now.organisation));
            read.insert(id, now);
        }
        self.0.snapshots.keep(read);
        Ok(Installation::of(size(version), organisations))
    }

    async fn read_organisation(
        &self,
        reading: &mut sqlx::SqliteConnection,
        row: &SqliteRow,
        former: Option<Former>,
    ) -> Result<Former, StoreError> {
        let changes: i64 = row.field("changes")?;
        if let Some(same) = former.as_ref().filter(|former| former.changes == changes) {
            return Ok(same.clone());
        }
        let inner = &self.0;
        let read = configuration::organisation(reading, inner, row, former.as_ref()).await?;
        Ok(Former {
            changes,
            organisation: Arc::new(read),
        })
    }
}

/// The version of a store in which nothing was ever changed.
const FIRST_VERSION: i64 = 1;
