//! Who refers to a content: counted by the transactions themselves, so that content goes with its last reference.

use std::sync::Arc;

use sealgate_core::ports::{ContentId, StoredContent};
use sqlx::SqliteConnection;

use super::reading::Whole;
use super::{ChunkName, seal_chunk, seconds};
use crate::error::StoreError;
use crate::rows::column;
use crate::store::Inner;

/// What a transaction does to refer to contents once more: how often each, and the octets of those in memory.
#[derive(Debug, Default)]
pub(crate) struct References(Vec<Reference>);

#[derive(Debug)]
struct Reference {
    id: i64,
    octets: u64,
    count: i64,
    sealed: Option<Vec<u8>>,
    /// A handle that is dropped takes its content along if nothing refers to it yet, so it is kept until then.
    _content: Arc<dyn StoredContent>,
}

impl References {
    /// One more reference to `content`. Sealing happens here, outside the writer.
    pub fn add(
        &mut self,
        inner: &Inner,
        content: &Arc<dyn StoredContent>,
    ) -> Result<i64, StoreError> {
        let ContentId(id) = content.id();
        if let Some(known) = self.0.iter_mut().find(|known| known.id == id) {
            known.count = known.count.saturating_add(1);
            return Ok(id);
        }
        let seal = |whole: Arc<Whole>| {
            seal_chunk(
                &inner.sealer,
                ChunkName {
                    id,
                    number: 0,
                    last: true,
                },
                whole.bytes.clone(),
            )
        };
        let sealed = inner.pending.get(id).map(seal).transpose()?;
        let (octets, _content) = (content.len(), Arc::clone(content));
        self.0.push(Reference {
            id,
            octets,
            count: 1,
            sealed,
            _content,
        });
        Ok(id)
    }

    /// Octets the transaction will write for it.
    pub fn octets(&self) -> usize {
        self.0
            .iter()
            .filter_map(|one| one.sealed.as_ref())
            .map(Vec::len)
            .sum()
    }

    /// Writes what is in memory only, and counts the references.
    pub async fn write(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        for one in self.0 {
            let done = match one.sealed {
                Some(sealed) => {
                    sqlx::query(
                        "INSERT INTO contents (id, octets, refs, created, whole) VALUES ($1, $2, $3, $4, $5)
                         ON CONFLICT (id) DO UPDATE SET refs = contents.refs + excluded.refs",
                    )
                    .bind(one.id)
                    .bind(column(one.octets))
                    .bind(one.count)
                    .bind(seconds())
                    .bind(sealed)
                    .execute(&mut *connection)
                    .await?
                }
                None => {
                    sqlx::query("UPDATE contents SET refs = refs + $1 WHERE id = $2 AND octets = $3")
                        .bind(one.count)
                        .bind(one.id)
                        .bind(column(one.octets))
                        .execute(&mut *connection)
                        .await?
                }
            };
            if done.rows_affected() != 1 {
                return Err(StoreError::ContentGone);
            }
        }
        Ok(())
    }
}

/// One reference less; content that nothing refers to any more goes at once.
pub(crate) async fn release(connection: &mut SqliteConnection, id: i64) -> Result<(), StoreError> {
    let gone = sqlx::query("DELETE FROM contents WHERE id = $1 AND refs <= 1")
        .bind(id)
        .execute(&mut *connection)
        .await?;
    if gone.rows_affected() == 0 {
        sqlx::query("UPDATE contents SET refs = refs - 1 WHERE id = $1")
            .bind(id)
            .execute(connection)
            .await?;
    }
    Ok(())
}
