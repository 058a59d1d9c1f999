//! Whether the certificates of a path were revoked: which questions a path leaves open, and what CRLs (RFC 5280 section 6.3) and
//! OCSP answers (RFC 6960) say to them at a given time. Nothing is fetched here.

use sealgate_mail::Timestamp;

use crate::path::{Revocation, VerifiedPath};

/// One question that somebody else can answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// The list at this address.
    Crl {
        /// Where it lies.
        url: String,
    },
    /// This request, to the responder at this address.
    Ocsp {
        /// The responder.
        url: String,
        /// OCSPRequest, DER (RFC 6960 section 4.1.1).
        request: Vec<u8>,
    },
}

/// The state of a whole path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// No certificate of the path names a list or a responder: there is nothing to ask.
    NotNamed,
    /// Every certificate that names one is answered for, and none is revoked.
    Good,
    /// A certificate was revoked at this time.
    Revoked(Timestamp),
    /// At least one answer is missing.
    Unknown,
}

/// Lists and answers at hand, parsed. What cannot be read is no evidence.
#[derive(Clone, Debug, Default)]
pub struct Evidence {}

/// The questions of `path`, the leaf's first; for each certificate OCSP before CRL.
pub fn questions(path: &VerifiedPath) -> Vec<Question> {
    let _ = path;
    Vec::new()
}

/// What `evidence` says of `path` at `at`.
pub fn judge(path: &VerifiedPath, evidence: &Evidence, at: Timestamp) -> Status {
    let _ = (evidence, at);
    match path.revocation() {
        Revocation::NotNamed => Status::NotNamed,
        Revocation::Unknown => Status::Unknown,
    }
}
