//! Sources of correspondents' keys beside the own store, each one file behind one trait with one question.

use std::future::Future;
use std::pin::Pin;

use sealgate_mail::Address;

/// What a source gives when it is done.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Result<Found, NoAnswer>> + Send + 'a>>;

/// Something that may have certificates of an address.
pub trait Source: Send + Sync {
    /// The certificates it has for `address`; an empty list says for certain that it has none. Nothing of an answer is
    /// followed anywhere.
    fn find<'a>(&'a self, address: &'a Address) -> Asked<'a>;
}

/// What a source has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Its certificates, unread and unjudged.
    pub certificates: Vec<FoundCertificate>,
    /// How long the answer counts by its own words, in seconds.
    pub keep: Option<i64>,
}

/// A certificate as a source has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundCertificate {
    /// DER, or what claims to be.
    pub der: Vec<u8>,
    /// Whether the owner of the domain vouches for it by a signed record (DANE-EE, RFC 6698 section 2.1.1).
    pub is_vouched_for: bool,
}

/// Why a source gave no answer; it may give one later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NoAnswer {
    /// In plain words.
    pub reason: String,
    /// Whether the source itself is away, whatever it is asked.
    pub is_away: bool,
}

impl NoAnswer {
    /// To this question.
    pub fn new(reason: impl std::fmt::Display) -> Self {
        Self {
            reason: reason.to_string(),
            is_away: false,
        }
    }

    /// To any question.
    pub fn away(reason: impl std::fmt::Display) -> Self {
        Self {
            is_away: true,
            ..Self::new(reason)
        }
    }
}
