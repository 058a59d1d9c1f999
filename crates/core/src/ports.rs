//! What the decisions need from outside to make outgoing copies: a place to write content to and read it from again.
//! The gateway gives sealed storage, tests and the command line give memory. And what the built-in CA has to remember.

use std::future::Future;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;

use sealgate_mail::{Content, Timestamp};
use sealgate_smime::certificate::Certificate;
use serde::{Deserialize, Serialize};

use crate::authority::{OrderId, RevocationReason};

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

/// Why the register could not be read or written, in words. Asking again later may help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RegisterFailure(pub String);

/// What the register gives when it has been asked.
pub type Registering<'a, T> = Pin<Box<dyn Future<Output = Result<T, RegisterFailure>> + Send + 'a>>;

/// A certificate of the built-in CA, as the register knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
    /// When it was revoked, and why.
    pub revoked: Option<(Timestamp, RevocationReason)>,
}

/// An entry of the list of revoked certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedEntry {
    /// Content octets of the serial number.
    pub serial: Vec<u8>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: RevocationReason,
}

/// What the built-in CA issued and revoked. Serial numbers are the content octets of the INTEGER.
pub trait Register: Send + Sync {
    /// The certificate that was issued for an order.
    fn issued_for(&self, order: OrderId) -> Registering<'_, Option<Certificate>>;

    /// Records a certificate for an order, and gives the one that counts: the first one recorded for it, whatever comes later.
    fn record<'a>(
        &'a self,
        order: OrderId,
        certificate: &'a Certificate,
        now: Timestamp,
    ) -> Registering<'a, Certificate>;

    /// What is known of a serial number.
    fn find<'a>(&'a self, serial: &'a [u8]) -> Registering<'a, Option<Registered>>;

    /// Marks a serial number as revoked; the first time and reason stay.
    fn revoke<'a>(
        &'a self,
        serial: &'a [u8],
        reason: RevocationReason,
        now: Timestamp,
    ) -> Registering<'a, ()>;

    /// How many certificates were ever revoked: it only grows, and whenever it does, the list is out of date.
    fn revocation_count(&self) -> Registering<'_, u64>;

    /// What stands on a new list that is made `now`, with its number: the revoked certificates that are valid beyond `after`,
    /// and those that had not ended when the list before was made, since each must stand on a list made after its end
    /// (RFC 5280 section 3.3). Read in one step with the number: of two lists the one with the higher number knows more.
    fn begin_list(
        &self,
        after: Timestamp,
        now: Timestamp,
    ) -> Registering<'_, (u64, Vec<RevokedEntry>)>;

    /// A number for a new list: durable before it is given, and greater than all before (RFC 5280 section 5.2.3).
    fn next_list_number(&self) -> Registering<'_, u64>;
}
