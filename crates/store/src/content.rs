//! Mail content: sealed chunks of 256 KiB, written ahead in short transactions under a number nobody refers to yet.
//!
//! Content of at most one chunk stays in memory and is written by the transaction that refers to it. What no
//! transaction came to refer to is taken away when its handle is dropped, at start, and hourly.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{SystemTime, UNIX_EPOCH};

use sealgate_core::ports::{Draft, Shelf, StoredContent};
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::limits::{CHUNK_OCTETS, CHUNKS_IN_FLIGHT};
use crate::rows::column;
use crate::seal::{Purpose, Sealer};
use crate::store::{Inner, Store};
use crate::writer::{Weight, job};

mod reading;
mod references;

pub use reading::CopyContent;
pub(crate) use reading::Pending;
use reading::{Stored, Whole};
pub(crate) use references::{References, release};

/// Where the decisions put new content: `core`'s shelf on this store. Its drafts and contents block the thread they
/// are used on, so use them inside `spawn_blocking`.
#[derive(Clone, Debug)]
pub struct StoreShelf(Store);

/// New content from an async source: the DATA of an SMTP session. Dropped without `finish`, it leaves nothing.
#[derive(Debug)]
pub struct ContentWriter {
    draft: Chunks,
    in_flight: VecDeque<oneshot::Receiver<Result<(), StoreError>>>,
}

impl Store {
    /// The shelf of this store.
    pub fn shelf(&self) -> StoreShelf {
        StoreShelf(self.clone())
    }

    /// Starts a content.
    pub fn content_writer(&self) -> Result<ContentWriter, StoreError> {
        Ok(ContentWriter {
            draft: Chunks::new(&self.0)?,
            in_flight: VecDeque::new(),
        })
    }

    /// The content of that number and length, to be read.
    pub(crate) fn stored(&self, id: i64, octets: u64) -> Arc<dyn StoredContent> {
        Arc::new(Stored {
            inner: Arc::clone(&self.0),
            id,
            octets,
            fresh: false,
        })
    }
}

impl ContentWriter {
    /// Adds `data`; waits while too many chunks are on their way to the database.
    pub async fn write(&mut self, mut data: &[u8]) -> Result<(), StoreError> {
        while !data.is_empty() {
            if self.draft.is_full() {
                self.send(false).await?;
            }
            data = self.draft.fill(data);
        }
        Ok(())
    }

    /// Ends the content.
    pub async fn finish(mut self) -> Result<Arc<dyn StoredContent>, StoreError> {
        if self.draft.is_whole() {
            return Ok(self.draft.keep_whole());
        }
        self.send(true).await?;
        while let Some(answer) = self.in_flight.pop_front() {
            answer.await.unwrap_or(Err(StoreError::Unclear))?;
        }
        Ok(self.draft.written())
    }

    async fn send(&mut self, last: bool) -> Result<(), StoreError> {
        if self.in_flight.len() >= CHUNKS_IN_FLIGHT
            && let Some(oldest) = self.in_flight.pop_front()
        {
            oldest.await.unwrap_or(Err(StoreError::Unclear))?;
        }
        let (answer, answered) = oneshot::channel();
        self.draft.send(last, move |outcome| {
            let _ = answer.send(outcome);
        })?;
        self.in_flight.push_back(answered);
        Ok(())
    }
}

impl Shelf for StoreShelf {
    fn create(&self) -> io::Result<Box<dyn Draft>> {
        Ok(Box::new(ShelfDraft {
            draft: Chunks::new(&self.0.0)?,
            in_flight: VecDeque::new(),
        }))
    }
}

/// A draft on a blocking thread.
struct ShelfDraft {
    draft: Chunks,
    in_flight: VecDeque<Receiver<Result<(), StoreError>>>,
}

impl ShelfDraft {
    fn send(&mut self, last: bool) -> Result<(), StoreError> {
        if self.in_flight.len() >= CHUNKS_IN_FLIGHT
            && let Some(oldest) = self.in_flight.pop_front()
        {
            oldest.recv().unwrap_or(Err(StoreError::Unclear))?;
        }
        let (answer, answered) = sync_channel(1);
        self.draft.send(last, move |outcome| {
            let _ = answer.send(outcome);
        })?;
        self.in_flight.push_back(answered);
        Ok(())
    }
}

impl Write for ShelfDraft {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.draft.is_full() {
            self.send(false)?;
        }
        let rest = self.draft.fill(data);
        Ok(data.len().saturating_sub(rest.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Draft for ShelfDraft {
    fn finish(mut self: Box<Self>) -> io::Result<Arc<dyn StoredContent>> {
        if self.draft.is_whole() {
            return Ok(self.draft.keep_whole());
        }
        self.send(true)?;
        while let Some(answer) = self.in_flight.pop_front() {
            answer.recv().unwrap_or(Err(StoreError::Unclear))?;
        }
        Ok(self.draft.written())
    }
}

/// A content being cut into chunks. A full chunk waits until more comes, because the last one is sealed as the last.
struct Chunks {
    inner: Arc<Inner>,
    id: i64,
    buffer: Vec<u8>,
    number: i64,
    octets: u64,
    finished: bool,
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chunks({}, {} octets)", self.id, self.octets)
    }
}

impl Chunks {
    fn new(inner: &Arc<Inner>) -> Result<Self, StoreError> {
        let id = inner.ids.next()?;
        Ok(Self {
            inner: Arc::clone(inner),
            id,
            buffer: Vec::new(),
            number: 0,
            octets: 0,
            finished: false,
        })
    }

    fn is_full(&self) -> bool {
        self.buffer.len() >= CHUNK_OCTETS
    }

    /// Whether nothing was sent to the database yet.
    fn is_whole(&self) -> bool {
        self.number == 0
    }

    /// Takes what fits of `data`, returns the rest.
    fn fill<'d>(&mut self, data: &'d [u8]) -> &'d [u8] {
        let room = CHUNK_OCTETS.saturating_sub(self.buffer.len());
        let (now, later) = data.split_at(room.min(data.len()));
        self.buffer.extend_from_slice(now);
        self.octets = self.octets.saturating_add(now.len() as u64);
        later
    }

    /// Seals the buffer and hands it to the writer.
    fn send(
        &mut self,
        last: bool,
        answer: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        let next = if last {
            Vec::new()
        } else {
            Vec::with_capacity(CHUNK_OCTETS)
        };
        let clear = std::mem::replace(&mut self.buffer, next);
        let (id, number) = (self.id, self.number);
        let sealed = seal_chunk(&self.inner.sealer, ChunkName { id, number, last }, clear)?;
        let octets = last.then_some(self.octets);
        self.number = self.number.saturating_add(1);
        let weight = Weight {
            octets: sealed.len(),
            wakes: false,
        };
        let work =
            job(move |connection| Box::pin(insert_chunk(connection, id, number, sealed, octets)));
        self.inner.writer.submit(weight, work, answer);
        Ok(())
    }

    fn keep_whole(mut self) -> Arc<dyn StoredContent> {
        self.finished = true;
        let bytes = std::mem::take(&mut self.buffer);
        let whole = Arc::new(Whole {
            id: self.id,
            bytes,
            pending: self.inner.pending.clone(),
        });
        self.inner.pending.insert(&whole);
        whole
    }

    fn written(mut self) -> Arc<dyn StoredContent> {
        self.finished = true;
        Arc::new(Stored {
            inner: Arc::clone(&self.inner),
            id: self.id,
            octets: self.octets,
            fresh: true,
        })
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        if !self.finished && self.number > 0 {
            forget(&self.inner, self.id);
        }
    }
}

/// Takes a content away if nothing refers to it; what fails here is swept later.
fn forget(inner: &Inner, id: i64) {
    let work = job(move |connection| {
        Box::pin(async move {
            sqlx::query("DELETE FROM contents WHERE id = $1 AND refs = 0")
                .bind(id)
                .execute(connection)
                .await?;
            Ok(())
        })
    });
    inner.writer.submit(Weight::default(), work, |_| {});
}

async fn insert_chunk(
    connection: &mut SqliteConnection,
    id: i64,
    number: i64,
    sealed: Vec<u8>,
    octets: Option<u64>,
) -> Result<(), StoreError> {
    if number == 0 {
        sqlx::query("INSERT INTO contents (id, refs, created) VALUES ($1, 0, $2)")
            .bind(id)
            .bind(seconds())
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query("INSERT INTO chunks (content, number, sealed) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(number)
        .bind(sealed)
        .execute(&mut *connection)
        .await?;
    if let Some(octets) = octets {
        sqlx::query("UPDATE contents SET octets = $1 WHERE id = $2")
            .bind(column(octets))
            .bind(id)
            .execute(connection)
            .await?;
    }
    Ok(())
}

fn seconds() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}

/// Which chunk of which content, and whether it is the last: all of it is associated data, so that chunks can be
/// neither moved nor cut off.
#[derive(Clone, Copy)]
struct ChunkName {
    id: i64,
    number: i64,
    last: bool,
}

impl ChunkName {
    fn record(self) -> String {
        format!(
            "{} {} {}",
            self.id,
            self.number,
            if self.last { "last" } else { "more" }
        )
    }
}

fn seal_chunk(sealer: &Sealer, name: ChunkName, clear: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    sealer.seal(Purpose::Content, &name.record(), clear)
}
