//! Whom somebody trusts: roots, and what is never trusted whatever a root says.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sealgate_mail::Timestamp;

use crate::certificate::Certificate;

/// A root somebody trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustAnchor {
    /// Its certificate.
    pub certificate: Certificate,
    /// End entity certificates that begin to be valid after this moment are not trusted through it.
    pub distrust_after: Option<Timestamp>,
}

impl From<Certificate> for TrustAnchor {
    fn from(certificate: Certificate) -> Self {
        Self {
            certificate,
            distrust_after: None,
        }
    }
}

/// A name in its comparable form.
pub(super) type Name = Vec<Vec<u8>>;

/// The roots somebody trusts, and the certificates he never trusts. Cloning and joining share the roots.
#[derive(Clone, Debug, Default)]
pub struct TrustAnchors {
    sets: Vec<Arc<HashMap<Name, Vec<TrustAnchor>>>>,
    blocked: HashSet<[u8; 32]>,
}

impl TrustAnchors {
    /// Anchors from these certificates.
    pub fn new(certificates: Vec<Certificate>) -> Self {
        certificates.into_iter().map(TrustAnchor::from).collect()
    }

    /// Those of `other` too; what either blocks is blocked.
    pub fn with(mut self, other: &Self) -> Self {
        self.sets.extend(other.sets.iter().cloned());
        self.blocked.extend(&other.blocked);
        self
    }

    /// Never trusts what bears one of these SHA-256 fingerprints, of a certificate's DER or of its SubjectPublicKeyInfo: no path
    /// goes through it, be it root, authority or end entity.
    pub fn blocking(mut self, fingerprints: impl IntoIterator<Item = [u8; 32]>) -> Self {
        self.blocked.extend(fingerprints);
        self
    }

    /// All certificates of anchors, in no order, the blocked ones too.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        let all = self.sets.iter().flat_map(|set| set.values().flatten());
        all.map(|anchor| &anchor.certificate)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sets.iter().all(|set| set.is_empty())
    }

    /// Whether `certificate` or its key is blocked.
    pub fn blocks(&self, certificate: &Certificate) -> bool {
        !self.blocked.is_empty()
            && (self.blocked.contains(&certificate.fingerprint())
                || self.blocked.contains(&certificate.key_fingerprint()))
    }

    /// The anchors of this name.
    pub(super) fn named(&self, name: &[Vec<u8>]) -> Vec<&TrustAnchor> {
        let same_name = self.sets.iter().filter_map(|set| set.get(name));
        same_name.flatten().collect()
    }
}

impl FromIterator<TrustAnchor> for TrustAnchors {
    fn from_iter<I: IntoIterator<Item = TrustAnchor>>(anchors: I) -> Self {
        let mut set: HashMap<Name, Vec<TrustAnchor>> = HashMap::new();
        for anchor in anchors {
            let same_name = set
                .entry(anchor.certificate.subject().normal())
                .or_default();
            if !same_name.contains(&anchor) {
                same_name.push(anchor);
            }
        }
        Self {
            sets: vec![Arc::new(set)],
            blocked: HashSet::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maker::{self, NOW, Wanted};
    use crate::path::{PathFailure, Purpose, judge};

    /// A root, an authority by it, and a leaf by that.
    fn chain() -> [Certificate; 3] {
        let (root, issuing, leaf) = (maker::key(), maker::key(), maker::key());
        [
            Wanted::new("Root", "Root", &root)
                .with(maker::authority())
                .by(&root),
            Wanted::new("Issuing", "Root", &issuing)
                .with(maker::authority())
                .by(&root),
            Wanted::new("Leaf", "Issuing", &leaf).by(&issuing),
        ]
    }

    fn judged(chain: &[Certificate; 3], anchors: &TrustAnchors) -> Result<(), PathFailure> {
        judge(&chain[2], &chain[1..2], anchors, Purpose::Sign, NOW).map(|_| ())
    }

    #[test]
    fn what_is_blocked_is_trusted_in_no_place_of_a_path() {
        let chain = chain();
        let own = TrustAnchors::new(vec![chain[0].clone()]);
        assert_eq!(judged(&chain, &own), Ok(()));
        for certificate in &chain {
            for fingerprint in [certificate.fingerprint(), certificate.key_fingerprint()] {
                let anchors = own.clone().blocking([fingerprint]);
                assert_eq!(
                    judged(&chain, &anchors),
                    Err(PathFailure::Rule(super::super::BLOCKED))
                );
                // A block outlives joining, on either side.
                let joined = TrustAnchors::default().with(&anchors).with(&own);
                assert!(judged(&chain, &joined).is_err());
            }
        }
    }

    #[test]
    fn joined_anchors_are_all_of_them() {
        let (one, other) = (chain(), chain());
        let joined = TrustAnchors::new(vec![one[0].clone()])
            .with(&TrustAnchors::new(vec![other[0].clone()]));
        assert_eq!(
            (judged(&one, &joined), judged(&other, &joined)),
            (Ok(()), Ok(()))
        );
        assert_eq!(joined.certificates().count(), 2);
        assert!(TrustAnchors::new(Vec::new()).is_empty() && !joined.is_empty());
    }

    #[test]
    fn a_date_of_distrust_counts_for_what_was_issued_later() {
        let chain = chain();
        let begins = chain[2].not_before();
        for (distrust_after, good) in [
            (None, true),
            (Some(begins), true),
            (Some(begins.plus(-1)), false),
        ] {
            let anchor = TrustAnchor {
                certificate: chain[0].clone(),
                distrust_after,
            };
            let anchors = TrustAnchors::from_iter([anchor]);
            assert_eq!(judged(&chain, &anchors).is_ok(), good, "{distrust_after:?}");
        }
    }

    #[test]
    fn a_root_of_version_1_is_an_anchor_and_nothing_else() {
        let (root, issuing, leaf) = (maker::key(), maker::key(), maker::key());
        let mut old = Wanted::new("Old", "Old", &root);
        old.version = 1;
        let mut between = Wanted::new("Issuing", "Old", &issuing);
        between.version = 1;
        let chain = [
            old.by(&root),
            Wanted::new("Issuing", "Old", &issuing)
                .with(maker::authority())
                .by(&root),
            Wanted::new("Leaf", "Issuing", &leaf).by(&issuing),
        ];
        let anchors = TrustAnchors::new(vec![chain[0].clone()]);
        assert_eq!(judged(&chain, &anchors), Ok(()));
        let [old, _, leaf] = chain;
        assert!(judged(&[old, between.by(&root), leaf], &anchors).is_err());
    }
}
