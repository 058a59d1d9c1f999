//! Whether a certificate may be trusted: paths from it to a trust anchor, judged by RFC 5280 section 6 at a given time.

use std::cell::RefCell;

#[cfg(test)]
use const_oid::ObjectIdentifier;
use sealgate_mail::Timestamp;

use crate::algorithms::Switches;
use crate::certificate::{Certificate, EMAIL_PROTECTION, UsageRefusal};
use crate::extensions::key_usage;
use crate::limits;
use crate::revocation::Evidence;

mod anchors;
mod constraints;
mod policy;
mod rules;
mod search;

#[cfg(test)]
mod limbo;
#[cfg(test)]
mod pkits;
#[cfg(test)]
mod tests;

pub use anchors::{TrustAnchor, TrustAnchors};
pub use search::verify_signature;

use anchors::Name;
use rules::Terms;
use search::{Pool, Work, search};

/// What a certificate is to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To verify a signature on mail.
    Sign,
    /// To encrypt mail to its owner.
    Encrypt,
}

/// Whether revocation has still to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// No certificate of the path names a CRL or an OCSP responder: there is nothing to ask.
    NotNamed,
    /// One is named, and no answer is there.
    Unknown,
}

/// Why a certificate may not be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathFailure {
    /// No chain of certificates leads to a trust anchor.
    #[error("no chain leads to a trusted root")]
    Untrusted,
    /// Too many signatures would have to be checked.
    #[error("the chain is too complicated to check")]
    Budget,
    /// A chain was found, but a rule of RFC 5280 section 6 breaks it.
    #[error("the chain breaks a rule: {0}")]
    Rule(&'static str),
    /// A weak key or digest is used in the chain or by the certificate itself.
    #[error("the chain uses a weak key or digest")]
    Weak,
    /// The certificate may not be used for this.
    #[error("the certificate cannot be used for this: {0}")]
    WrongUsage(#[from] UsageRefusal),
    /// Not valid yet.
    #[error("a certificate of the chain is not valid yet")]
    NotYetValid,
    /// Not valid any more.
    #[error("a certificate of the chain has expired")]
    Expired,
}

/// What is said of a path through a blocked certificate.
const BLOCKED: &str = "a certificate of the chain is blocked";

/// The failure that is closer to a good path.
fn closer(one: PathFailure, other: PathFailure) -> PathFailure {
    let rank = |failure: &PathFailure| match failure {
        PathFailure::Untrusted => 0,
        PathFailure::Budget => 1,
        PathFailure::Rule(_) => 2,
        PathFailure::Weak => 3,
        PathFailure::WrongUsage(_) => 4,
        PathFailure::NotYetValid => 5,
        PathFailure::Expired => 6,
    };
    if rank(&other) > rank(&one) {
        other
    } else {
        one
    }
}

/// The proof that a certificate was judged good for a purpose at a time; made by [`judge`] only.
#[derive(Clone, Debug)]
pub struct VerifiedPath {
    chain: Vec<Certificate>,
    leaf: Certificate,
    purpose: Purpose,
    revocation: Revocation,
    list_signers: Vec<Certificate>,
    sent: Evidence,
    switches: Switches,
}

impl VerifiedPath {
    /// The certificate that was judged.
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// The chain from the leaf (included) to the trust anchor (included).
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// What it was judged for.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Whether revocation has still to be asked.
    pub fn revocation(&self) -> Revocation {
        self.revocation
    }

    /// A path for tests, without any proof.
    #[cfg(test)]
    pub(crate) fn of_chain(chain: Vec<Certificate>, revocation: Revocation) -> Self {
        Self {
            leaf: chain[0].clone(),
            chain,
            purpose: Purpose::Sign,
            revocation,
            list_signers: Vec::new(),
            sent: Evidence::default(),
            switches: Switches::default(),
        }
    }

    /// What it was judged under beyond the accepted algorithms; evidence about it is judged under the same.
    pub(crate) fn switches(&self) -> Switches {
        self.switches
    }

    /// What the sender sent along about revocation; it may revoke, and shows nothing to be good.
    pub(crate) fn sent(&self) -> &Evidence {
        &self.sent
    }

    /// Certificates at hand that may sign revocation lists for the path: they bear the name of one of its authorities, or a name
    /// that it gives for its lists, and another key, and the same anchor vouches for them, through authorities of the path only
    /// (RFC 5280 section 6.3.3 (f)).
    pub(crate) fn list_signers(&self) -> &[Certificate] {
        &self.list_signers
    }
}

/// Looks for a good path from `leaf` through certificates of `bag` to one of `anchors`, for `purpose`, at the time `at`.
/// Of several failures the one closest to a good path is told. For several certificates of one message use a [`PathFinder`].
pub fn judge(
    leaf: &Certificate,
    bag: &[Certificate],
    anchors: &TrustAnchors,
    purpose: Purpose,
    at: Timestamp,
) -> Result<VerifiedPath, PathFailure> {
    PathFinder::new(bag, anchors, at).judge(leaf, purpose)
}

/// The work that one message may cost, all its signatures and certificates together: `limits::SIGNATURE_CHECKS` and
/// `limits::NAME_COMPARISONS` (row X2). What was found out for one is not computed again for the next.
#[derive(Default)]
pub struct Budget(RefCell<Work>);

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Budget({} checks)", self.checks())
    }
}

impl Budget {
    /// Signatures checked so far.
    pub fn checks(&self) -> usize {
        self.0.borrow().checks()
    }

    /// Takes one signature check that is no link of a path; false if the message has had its share.
    pub(crate) fn take_check(&self) -> bool {
        self.0.borrow_mut().take_check()
    }
}

/// Judges certificates of one message. All of them share one bag of authorities and one [`Budget`].
pub struct PathFinder<'a> {
    pool: Pool<'a>,
    anchors: &'a TrustAnchors,
    terms: Terms,
    own: Budget,
    shared: Option<&'a Budget>,
    sent: Evidence,
}

impl<'a> PathFinder<'a> {
    /// Paths through `bag` to one of `anchors`, at the time `at`.
    pub fn new(bag: &'a [Certificate], anchors: &'a TrustAnchors, at: Timestamp) -> Self {
        Self {
            pool: Pool::new(bag),
            anchors,
            terms: Terms {
                at,
                purpose: Some(EMAIL_PROTECTION),
                conforming: false,
                switches: Switches::default(),
            },
            own: Budget::default(),
            shared: None,
            sent: Evidence::default(),
        }
    }

    /// Also refuses paths whose authorities broke what RFC 5280 asks of them in writing certificates, where a user can do without
    /// it: key identifiers, critical marks, serial numbers. Company authorities often do, so mail is judged without it.
    pub fn conforming(mut self) -> Self {
        self.terms.conforming = true;
        self
    }

    /// At the cost of a budget that other signatures of the message share.
    pub fn within(mut self, budget: &'a Budget) -> Self {
        self.shared = Some(budget);
        self
    }

    fn work(&self) -> &RefCell<Work> {
        &self.shared.unwrap_or(&self.own).0
    }

    /// Lets in weak digests or Brainpool keys, as `switches` say.
    pub fn allowing(mut self, switches: Switches) -> Self {
        self.terms.switches = switches;
        self
    }

    /// With the lists that came along with the message (RFC 8550 section 4.1): they may show that a certificate is revoked, but
    /// not that it is good, since a sender may hold back newer ones.
    pub fn with_sent(mut self, sent: Evidence) -> Self {
        self.sent = sent;
        self
    }

    /// Another purpose than mail for authorities to vouch for, or none.
    #[cfg(test)]
    pub(crate) fn vouching_for(mut self, purpose: Option<ObjectIdentifier>) -> Self {
        self.terms.purpose = purpose;
        self
    }

    /// The path of `leaf`, for `purpose`. Of several failures the one closest to a good path is told.
    pub fn judge(&self, leaf: &Certificate, purpose: Purpose) -> Result<VerifiedPath, PathFailure> {
        let usage = match purpose {
            Purpose::Sign => leaf.may_sign(),
            Purpose::Encrypt => leaf.may_encrypt(),
        };
        let chain = self.find(leaf)?;
        // Usage last: "cannot be used for this" helps only where the certificate is trusted at all.
        usage.map_err(|refusal| match refusal {
            UsageRefusal::Weak => PathFailure::Weak,
            other => PathFailure::WrongUsage(other),
        })?;
        let below_anchor = chain.iter().rev().skip(1);
        let revocation = if below_anchor.clone().any(Certificate::names_revocation) {
            Revocation::Unknown
        } else {
            Revocation::NotNamed
        };
        Ok(VerifiedPath {
            leaf: leaf.clone(),
            list_signers: self.list_signers(&chain),
            chain,
            purpose,
            revocation,
            sent: self.sent.clone(),
            switches: self.terms.switches,
        })
    }

    /// A chain from `leaf` to its anchor, both included, whatever the leaf itself may be used for.
    pub(crate) fn find(&self, leaf: &Certificate) -> Result<Vec<Certificate>, PathFailure> {
        search(leaf, &self.pool, self.anchors, &self.terms, self.work())
    }

    /// They are judged here, within the work that one message may cost. Besides the authorities' names those count that a
    /// certificate names for its list (RFC 5280 section 4.2.1.13, cRLIssuer).
    fn list_signers(&self, chain: &[Certificate]) -> Vec<Certificate> {
        let authorities = || chain.iter().skip(1);
        let points = chain
            .iter()
            .flat_map(|one| &one.extensions().distribution_points);
        let named = points.flat_map(|point| point.issuer_names());
        let mut names: Vec<Name> = authorities().map(|one| one.subject().normal()).collect();
        names.extend(named);
        let mut found: Vec<Certificate> = Vec::new();
        for one in names.iter().flat_map(|name| self.pool.named(name)) {
            let usage = one.extensions().key_usage;
            let another = |known: &Certificate| known.spki_der() != one.spki_der();
            if usage.map_or(one.is_authority(), |bits| bits & key_usage::CRL_SIGN != 0)
                && authorities().all(another)
                && !found.contains(one)
                && self.shares_anchor(one, chain)
            {
                found.push((*one).clone());
            }
        }
        found.truncate(limits::LIST_SIGNERS);
        found
    }

    fn shares_anchor(&self, signer: &Certificate, chain: &[Certificate]) -> bool {
        let anchors = TrustAnchors::new(chain.last().cloned().into_iter().collect());
        let terms = Terms {
            purpose: None,
            ..self.terms
        };
        let found = search(signer, &Pool::new(chain), &anchors, &terms, self.work());
        found.is_ok() && !self.anchors.blocks(signer)
    }
}
