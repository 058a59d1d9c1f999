//! Mail content: sealed chunks of 256 KiB, written ahead in short transactions under a number nobody refers to yet.
//!
//! Content of at most one chunk stays in memory and is written by the transaction that refers to it. What no
//! transaction came to refer to is taken away when its handle is dropped, at start, and hourly.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{SystemTime, UNIX_EPOCH};

use sealgate_core::ports::{ContentId, Draft, Shelf, StoredContent};
use sealgate_mail::Content;
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::limits::{CHUNK_OCTETS, CHUNKS_IN_FLIGHT};
use crate::rows::{Columns, column};
use crate::seal::{Purpose, Sealer};
use crate::store::{Inner, Store};
use crate::writer::{Weight, job};

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
        Ok(ContentWriter { draft: Chunks::new(&self.0)?, in_flight: VecDeque::new() })
    }

    /// The content of that number and length, to be read.
    pub(crate) fn stored(&self, id: i64, octets: u64) -> Arc<dyn StoredContent> {
        Arc::new(Stored { inner: Arc::clone(&self.0), id, octets, fresh: false })
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
        Ok(Box::new(ShelfDraft { draft: Chunks::new(&self.0.0)?, in_flight: VecDeque::new() }))
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
        Ok(Self { inner: Arc::clone(inner), id, buffer: Vec::new(), number: 0, octets: 0, finished: false })
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
        let next = if last { Vec::new() } else { Vec::with_capacity(CHUNK_OCTETS) };
        let clear = std::mem::replace(&mut self.buffer, next);
        let (id, number) = (self.id, self.number);
        let sealed = seal_chunk(&self.inner.sealer, ChunkName { id, number, last }, clear)?;
        let octets = last.then_some(self.octets);
        self.number = self.number.saturating_add(1);
        let weight = Weight { octets: sealed.len(), wakes: false };
        let work = job(move |connection| {
            Box::pin(insert_chunk(connection, id, number, sealed, octets))
        });
        self.inner.writer.submit(weight, work, answer);
        Ok(())
    }

    fn keep_whole(mut self) -> Arc<dyn StoredContent> {
        self.finished = true;
        let bytes = std::mem::take(&mut self.buffer);
        let whole = Arc::new(Whole { id: self.id, bytes, pending: self.inner.pending.clone() });
        self.inner.pending.insert(&whole);
        whole
    }

    fn written(mut self) -> Arc<dyn StoredContent> {
        self.finished = true;
        Arc::new(Stored { inner: Arc::clone(&self.inner), id: self.id, octets: self.octets, fresh: true })
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
            sqlx::query("DELETE FROM contents WHERE id = $1 AND refs = 0").bind(id).execute(connection).await?;
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
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
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
        format!("{} {} {}", self.id, self.number, if self.last { "last" } else { "more" })
    }
}

fn seal_chunk(sealer: &Sealer, name: ChunkName, clear: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    sealer.seal(Purpose::Content, &name.record(), clear)
}

/// Small contents that are in memory only: how the accepting transaction finds their octets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pending(Arc<Mutex<HashMap<i64, Weak<Whole>>>>);

impl Pending {
    fn insert(&self, whole: &Arc<Whole>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(whole.id, Arc::downgrade(whole));
    }

    fn remove(&self, id: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    fn get(&self, id: i64) -> Option<Arc<Whole>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).and_then(Weak::upgrade)
    }
}

/// A content of at most one chunk, in memory.
pub(crate) struct Whole {
    id: i64,
    bytes: Vec<u8>,
    pending: Pending,
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
struct Stored {
    inner: Arc<Inner>,
    id: i64,
    octets: u64,
    /// Written here and perhaps never referred to.
    fresh: bool,
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
        Ok(Box::new(ChunkReader::new(Arc::clone(&self.inner), self.id, self.octets, from)))
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
        let mut reader = Self { inner, id, chunks, next, ahead: None, current: Vec::new(), position: 0, skip };
        reader.fetch_ahead();
        reader
    }

    fn fetch_ahead(&mut self) {
        if self.next >= self.chunks {
            return;
        }
        let (answer, answered) = sync_channel(1);
        let number = i64::try_from(self.next).unwrap_or(i64::MAX);
        let name = ChunkName { id: self.id, number, last: self.next.saturating_add(1) == self.chunks };
        let inner = Arc::clone(&self.inner);
        self.inner.runtime.spawn(async move {
            let _ = answer.send(fetch(&inner, name).await);
        });
        self.next = self.next.saturating_add(1);
        self.ahead = Some(answered);
    }

    /// Makes the next chunk the current one; `false` at the end.
    fn advance(&mut self) -> io::Result<bool> {
        let Some(ahead) = self.ahead.take() else { return Ok(false) };
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
    inner.sealer.open(Purpose::Content, &name.record(), row.field("sealed")?)
}

/// What a transaction does to refer to contents once more: how often each, and the octets of those in memory.
#[derive(Debug, Default)]
pub(crate) struct References(Vec<Reference>);

#[derive(Debug)]
struct Reference {
    id: i64,
    octets: u64,
    count: i64,
    sealed: Option<Vec<u8>>,
}

impl References {
    /// One more reference to `content`. Sealing happens here, outside the writer.
    pub fn add(&mut self, inner: &Inner, content: &dyn StoredContent) -> Result<i64, StoreError> {
        let ContentId(id) = content.id();
        if let Some(known) = self.0.iter_mut().find(|known| known.id == id) {
            known.count = known.count.saturating_add(1);
            return Ok(id);
        }
        let seal = |whole: Arc<Whole>| {
            seal_chunk(&inner.sealer, ChunkName { id, number: 0, last: true }, whole.bytes.clone())
        };
        let sealed = inner.pending.get(id).map(seal).transpose()?;
        self.0.push(Reference { id, octets: content.len(), count: 1, sealed });
        Ok(id)
    }

    /// Octets the transaction will write for it.
    pub fn octets(&self) -> usize {
        self.0.iter().filter_map(|one| one.sealed.as_ref()).map(Vec::len).sum()
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
    let gone = sqlx::query("DELETE FROM contents WHERE id = $1 AND refs <= 1").bind(id).execute(&mut *connection).await?;
    if gone.rows_affected() == 0 {
        sqlx::query("UPDATE contents SET refs = refs - 1 WHERE id = $1").bind(id).execute(connection).await?;
    }
    Ok(())
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
        let body = self.body.reader(self.from.saturating_add(from.saturating_sub(head)))?;
        Ok(Box::new(self.head.reader(from)?.chain(body)))
    }
}
