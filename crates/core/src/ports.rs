//! What the decisions need from outside to make outgoing copies: a place to write content to and read it from again.
//! The gateway gives sealed storage, tests and the command line give memory.

use std::io::{self, Write};
use std::sync::Arc;

use sealgate_mail::Content;
use serde::{Deserialize, Serialize};

/// Number of a stored content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentId(pub i64);

/// Content that has a number and lasts as long as something refers to it.
pub trait StoredContent: Content + std::fmt::Debug {
    /// Its number.
    fn id(&self) -> ContentId;
}

/// A place for new contents.
pub trait Shelf: Send + Sync {
    /// Starts one. What is not finished is forgotten.
    fn create(&self) -> io::Result<Box<dyn Draft>>;
}

/// A content being written.
pub trait Draft: Write + Send {
    /// Ends it; from here on it can be read.
    fn finish(self: Box<Self>) -> io::Result<Arc<dyn StoredContent>>;
}

/// A shelf in memory, for tests and for the command line.
#[derive(Debug, Default)]
pub struct MemoryShelf(Arc<std::sync::atomic::AtomicI64>);

struct MemoryDraft {
    id: ContentId,
    bytes: Vec<u8>,
}

#[derive(Debug)]
struct MemoryContent {
    id: ContentId,
    bytes: Vec<u8>,
}

impl Shelf for MemoryShelf {
    fn create(&self) -> io::Result<Box<dyn Draft>> {
        let id = ContentId(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        Ok(Box::new(MemoryDraft {
            id,
            bytes: Vec::new(),
        }))
    }
}

impl Write for MemoryDraft {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(data);
        Ok(data.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Draft for MemoryDraft {
    fn finish(self: Box<Self>) -> io::Result<Arc<dyn StoredContent>> {
        Ok(Arc::new(MemoryContent {
            id: self.id,
            bytes: self.bytes,
        }))
    }
}

impl Content for MemoryContent {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
    fn reader(&self, from: u64) -> io::Result<Box<dyn io::Read + Send + '_>> {
        self.bytes.reader(from)
    }
}

impl StoredContent for MemoryContent {
    fn id(&self) -> ContentId {
        self.id
    }
}
