//! Content to be read: in memory, or chunk after chunk from the database, one ahead.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use sealgate_core::ports::{ContentId, StoredContent};
use sealgate_mail::Content;

use super::{ChunkName, forget};
use crate::error::StoreError;
use crate::limits::CHUNK_OCTETS;
use crate::rows::Columns;
use crate::seal::Purpose;
use crate::store::Inner;

/// Small contents that are in memory only: how the accepting transaction finds their octets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pending(Arc<Mutex<HashMap<i64, Weak<Whole>>>>);

impl Pending {
    pub(super) fn insert(&self, whole: &Arc<Whole>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(whole.id, Arc::downgrade(whole));
    }

    fn remove(&self, id: i64) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
    }

    pub(super) fn get(&self, id: i64) -> Option<Arc<Whole>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .and_then(Weak::upgrade)
    }
}

/// A content of at most one chunk, in memory.
pub(crate) struct Whole {
    pub(super) id: i64,
    pub(super) bytes: Vec<u8>,
    pub(super) pending: Pending,
}

impl fmt::Debug for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Whole({}, {} octets)", self.id, self.bytes.len())
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        self.pending.remove(self.id);
    }
}

impl Content for Whole {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
    fn reader(&self, from: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        self.bytes.reader(from)
    }
}

impl StoredContent for Whole {
    fn id(&self) -> ContentId {
        ContentId(self.id)
    }
}

/// A content in the database.
pub(super) struct Stored {
    pub inner: Arc<Inner>,
    pub id: i64,
    pub octets: u64,
    /// Written here and perhaps never referred to.
    pub fresh: bool,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored({}, {} octets)", self.id, self.octets)
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        if self.fresh {
            forget(&self.inner, self.id);
        }
    }
}

impl Content for Stored {
    fn len(&self) -> u64 {
        self.octets
    }
    fn reader(&self, from: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(ChunkReader::new(
            Arc::clone(&self.inner),
            self.id,
            self.octets,
            from,
        )))
    }
}

impl StoredContent for Stored {
    fn id(&self) -> ContentId {
        ContentId(self.id)
    }
}

/// Reads chunk after chunk, one ahead.
struct ChunkReader {
    inner: Arc<Inner>,
    id: i64,
    chunks: u64,
    next: u64,
    ahead: Option<Receiver<Result<Vec<u8>, StoreError>>>,
    current: Vec<u8>,
    position: usize,
    skip: usize,
}

impl ChunkReader {
    fn new(inner: Arc<Inner>, id: i64, octets: u64, from: u64) -> Self {
        let chunk = CHUNK_OCTETS as u64;
        let chunks = octets.div_ceil(chunk).max(1);
        let next = if from >= octets { chunks } else { from / chunk };
        let skip = usize::try_from(from % chunk).unwrap_or(0);
        let mut reader = Self {
            inner,
            id,
            chunks,
            next,
            ahead: None,
            current: Vec::new(),
            position: 0,
            skip,
        };
        reader.fetch_ahead();
        reader
    }

    fn fetch_ahead(&mut self) {
        if self.next >= self.chunks {
            return;
        }
        let (answer, answered) = sync_channel(1);
        let number = i64::try_from(self.next).unwrap_or(i64::MAX);
        let name = ChunkName {
            id: self.id,
            number,
            last: self.next.saturating_add(1) == self.chunks,
        };
        let inner = Arc::clone(&self.inner);
        self.inner.runtime.spawn(async move {
            let _ = answer.send(fetch(&inner, name).await);
        });
        self.next = self.next.saturating_add(1);
        self.ahead = Some(answered);
    }

    /// Makes the next chunk the current one; `false` at the end.
    fn advance(&mut self) -> io::Result<bool> {
        let Some(ahead) = self.ahead.take() else {
            return Ok(false);
        };
        self.current = ahead.recv().unwrap_or(Err(StoreError::Unclear))?;
        self.position = std::mem::take(&mut self.skip).min(self.current.len());
        self.fetch_ahead();
        Ok(true)
    }
}

impl Read for ChunkReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.position >= self.current.len() {
            if !self.advance()? {
                return Ok(0);
            }
        }
        let mut rest = self.current.get(self.position..).unwrap_or_default();
        let count = rest.read(out)?;
        self.position = self.position.saturating_add(count);
        Ok(count)
    }
}

async fn fetch(inner: &Inner, name: ChunkName) -> Result<Vec<u8>, StoreError> {
    let row = if name.number == 0 && name.last {
        sqlx::query("SELECT whole AS sealed FROM contents WHERE id = $1 AND whole IS NOT NULL")
            .bind(name.id)
            .fetch_optional(&inner.readers)
            .await?
    } else {
        sqlx::query("SELECT sealed FROM chunks WHERE content = $1 AND number = $2")
            .bind(name.id)
            .bind(name.number)
            .fetch_optional(&inner.readers)
            .await?
    };
    let row = row.ok_or(StoreError::ContentGone)?;
    inner
        .sealer
        .open(Purpose::Content, &name.record(), row.field("sealed")?)
}

/// A copy as it is sent: its head, then the content from an offset on.
#[derive(Debug)]
pub struct CopyContent {
    pub(crate) head: Vec<u8>,
    pub(crate) body: Arc<dyn StoredContent>,
    pub(crate) from: u64,
}

impl Content for CopyContent {
    fn len(&self) -> u64 {
        (self.head.len() as u64).saturating_add(self.body.len().saturating_sub(self.from))
    }
    fn reader(&self, from: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        let head = self.head.len() as u64;
        let body = self
            .body
            .reader(self.from.saturating_add(from.saturating_sub(head)))?;
        Ok(Box::new(self.head.reader(from)?.chain(body)))
    }
}
