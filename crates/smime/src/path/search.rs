//! The search for a path, and the work it may cost: depth first, upwards from the leaf, true signatures only.

use std::cell::RefCell;
use std::collections::HashMap;

use super::anchors::{Name, TrustAnchor, TrustAnchors};
use super::rules::{Terms, judge_chain};
use super::{BLOCKED, PathFailure, closer};
use crate::algorithms::{AlgorithmError, SignatureAlgorithm};
use crate::aws::Signed;
use crate::certificate::Certificate;
use crate::limits;

/// Certificates that may stand in the middle of a path, by their subject.
pub(super) struct Pool<'a>(HashMap<Name, Vec<&'a Certificate>>);

impl<'a> Pool<'a> {
    pub(super) fn new(bag: &'a [Certificate]) -> Self {
        let mut pool: HashMap<Name, Vec<&Certificate>> = HashMap::new();
        for certificate in bag {
            let same_name = pool.entry(certificate.subject().normal()).or_default();
            if !same_name.contains(&certificate) {
                same_name.push(certificate);
            }
        }
        Self(pool)
    }

    pub(super) fn named(&self, name: &Name) -> &[&'a Certificate] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The work done for one message so far: signature checks with their results, and comparisons of names with constraints.
#[derive(Default)]
pub(super) struct Work {
    checked: HashMap<(Certificate, Certificate), bool>,
    /// Signatures of messages checked so far.
    others: usize,
    comparisons: usize,
}

impl Work {
    /// Signatures checked so far.
    pub(super) fn checks(&self) -> usize {
        self.checked.len().saturating_add(self.others)
    }

    /// One more signature is checked, of a message; false if it has had its share.
    pub(super) fn take_check(&mut self) -> bool {
        let left = self.checks() < limits::SIGNATURE_CHECKS;
        self.others = self.others.saturating_add(usize::from(left));
        left
    }

    /// Whether `issuer`'s key made the signature on `child`; `None` if the message has had its share. Each pair is checked once.
    fn signed(&mut self, child: &Certificate, issuer: &Certificate) -> Option<bool> {
        let pair = (child.clone(), issuer.clone());
        if let Some(known) = self.checked.get(&pair) {
            return Some(*known);
        }
        if self.checks() >= limits::SIGNATURE_CHECKS {
            return None;
        }
        let good = verify_signature(child, issuer);
        self.checked.insert(pair, good);
        Some(good)
    }
}

/// Looks for a good path from `leaf`; the chain ends with its anchor.
pub(super) fn search<'a>(
    leaf: &'a Certificate,
    pool: &'a Pool<'a>,
    anchors: &'a TrustAnchors,
    terms: &'a Terms,
    work: &'a RefCell<Work>,
) -> Result<Vec<Certificate>, PathFailure> {
    if anchors.blocks(leaf) {
        return Err(PathFailure::Rule(BLOCKED));
    }
    let mut search = Search {
        anchors,
        terms,
        pool,
        chain: vec![leaf],
        work,
        steps: 0,
        spent: false,
        closest: PathFailure::Untrusted,
    };
    match search.extend() {
        Some(chain) => Ok(chain.into_iter().cloned().collect()),
        None if search.spent => Err(closer(search.closest, PathFailure::Budget)),
        None => Err(search.closest),
    }
}

struct Search<'a> {
    anchors: &'a TrustAnchors,
    terms: &'a Terms,
    pool: &'a Pool<'a>,
    chain: Vec<&'a Certificate>,
    work: &'a RefCell<Work>,
    steps: usize,
    spent: bool,
    closest: PathFailure,
}

impl<'a> Search<'a> {
    fn extend(&mut self) -> Option<Vec<&'a Certificate>> {
        let child = *self.chain.last()?;
        let issuer = child.issuer().normal();
        let anchors = self.anchors;
        let candidates = anchors.named(&issuer);
        for anchor in by_key_id(child, candidates, |anchor| &anchor.certificate) {
            if self.may_stand_above(child, &anchor.certificate) && self.judge(anchor).is_ok() {
                let mut chain = self.chain.clone();
                chain.push(&anchor.certificate);
                return Some(chain);
            }
        }
        if self.chain.len() > limits::PATH_INTERMEDIATES {
            return None;
        }
        let candidates = self.pool.named(&issuer).to_vec();
        for candidate in by_key_id(child, candidates, |candidate| candidate) {
            if !self.stands_in_chain(candidate) && self.may_stand_above(child, candidate) {
                self.chain.push(candidate);
                let found = self.extend();
                self.chain.pop();
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// Judges the chain so far under this anchor.
    fn judge(&mut self, anchor: &'a TrustAnchor) -> Result<(), PathFailure> {
        let mut chain = self.chain.clone();
        chain.push(&anchor.certificate);
        let comparisons = &mut self.work.borrow_mut().comparisons;
        let judged = judge_chain(&chain, self.terms, comparisons)
            .and_then(|()| judge_date_of_issue(chain.first().copied(), anchor));
        if let Err(failure) = judged {
            self.closest = closer(self.closest, failure);
        }
        judged
    }

    /// The same name with the same key again leads nowhere new (RFC 4158 section 2.4.2).
    fn stands_in_chain(&self, candidate: &Certificate) -> bool {
        self.chain.iter().any(|one| {
            one.subject_der() == candidate.subject_der() && one.spki_der() == candidate.spki_der()
        })
    }

    /// Whether `issuer` is not blocked and signed `child`. What is too weak to prove anything is not even computed (row X3).
    fn may_stand_above(&mut self, child: &Certificate, issuer: &Certificate) -> bool {
        self.steps = self.steps.saturating_add(1);
        if self.steps > limits::PATH_STEPS {
            self.spent = true;
            return false;
        }
        if issuer.has_weak_key() || is_signed_weakly(child) {
            self.closest = closer(self.closest, PathFailure::Weak);
            return false;
        }
        let signed = self.work.borrow_mut().signed(child, issuer);
        self.spent |= signed.is_none();
        if signed != Some(true) {
            return false;
        }
        if self.anchors.blocks(issuer) {
            self.closest = closer(self.closest, PathFailure::Rule(BLOCKED));
            return false;
        }
        true
    }
}

/// DSA, with SHA-1 and with SHA-2 (RFC 5758 section 3.1).
const DSA: [&str; 3] = [
    "1.2.840.10040.4.3",
    "2.16.840.1.101.3.4.3.1",
    "2.16.840.1.101.3.4.3.2",
];

/// Whether a certificate is signed in a way that no switch lets in: MD5, or DSA.
fn is_signed_weakly(certificate: &Certificate) -> bool {
    let (_, algorithm, _) = certificate.signed_parts();
    let found = SignatureAlgorithm::from_algorithm_identifier(
        &algorithm.oid,
        algorithm.parameters.as_deref(),
    );
    match found {
        Ok(_) => false,
        Err(AlgorithmError::Weak(_)) => true,
        Err(_) => DSA.contains(&algorithm.oid.to_string().as_str()),
    }
}

/// The date after which an anchor is not trusted any more counts for what it issued later, not for what it had issued before.
fn judge_date_of_issue(
    leaf: Option<&Certificate>,
    anchor: &TrustAnchor,
) -> Result<(), PathFailure> {
    let too_late = match (leaf, anchor.distrust_after) {
        (Some(leaf), Some(last)) => leaf.not_before() > last,
        _ => false,
    };
    if too_late {
        return Err(PathFailure::Rule(
            "issued after the root ceased to be trusted",
        ));
    }
    Ok(())
}

/// Those first whose subject key identifier is the one the child names.
fn by_key_id<'a, T>(
    child: &Certificate,
    mut issuers: Vec<T>,
    certificate: impl Fn(&T) -> &'a Certificate,
) -> Vec<T> {
    if let Some(wanted) = child.extensions().authority_key_id.as_deref() {
        issuers.sort_by_key(|issuer| certificate(issuer).subject_key_id() != Some(wanted));
    }
    issuers
}

/// Whether `issuer`'s key made the signature on `child`.
pub fn verify_signature(child: &Certificate, issuer: &Certificate) -> bool {
    let (tbs, algorithm, signature) = child.signed_parts();
    let Ok(algorithm) = SignatureAlgorithm::from_algorithm_identifier(
        &algorithm.oid,
        algorithm.parameters.as_deref(),
    ) else {
        return false;
    };
    issuer.public_key().is_some_and(|key| {
        key.verify(algorithm, Signed::Message(tbs), signature)
            .is_ok()
    })
}
