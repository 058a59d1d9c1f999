//! Whether a certificate may be trusted: paths from it to a trust anchor, judged by RFC 5280 section 6 at a given time.

use std::collections::HashMap;

use sealgate_mail::Timestamp;

use crate::algorithms::{SignatureAlgorithm, Standing};
use crate::aws::Signed;
use crate::certificate::{Certificate, UsageRefusal};
use crate::extensions::key_usage;
use crate::limits;

mod constraints;
mod policy;

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

/// The roots somebody trusts.
#[derive(Clone, Debug, Default)]
pub struct TrustAnchors {
    by_subject: HashMap<Vec<Vec<u8>>, Vec<Certificate>>,
}

/// The proof that a certificate was judged good for a purpose at a time; made by [`judge`] only.
#[derive(Clone, Debug)]
pub struct VerifiedPath {
    chain: Vec<Certificate>,
    leaf: Certificate,
    purpose: Purpose,
    revocation: Revocation,
}

impl TrustAnchors {
    /// Anchors from these certificates.
    pub fn new(certificates: Vec<Certificate>) -> Self {
        let mut by_subject: HashMap<_, Vec<Certificate>> = HashMap::new();
        for certificate in certificates {
            let same_name = by_subject
                .entry(certificate.subject().normal())
                .or_default();
            if !same_name.contains(&certificate) {
                same_name.push(certificate);
            }
        }
        Self { by_subject }
    }

    /// All of them, in no order.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.by_subject.values().flatten()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_subject.is_empty()
    }

    fn named(&self, name: &[Vec<u8>]) -> &[Certificate] {
        self.by_subject
            .get(name)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
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
}

/// Looks for a good path from `leaf` through certificates of `bag` to one of `anchors`, for `purpose`, at the time `at`.
/// Of several failures the one closest to a good path is told.
pub fn judge(
    leaf: &Certificate,
    bag: &[Certificate],
    anchors: &TrustAnchors,
    purpose: Purpose,
    at: Timestamp,
) -> Result<VerifiedPath, PathFailure> {
    let usage = match purpose {
        Purpose::Sign => leaf.may_sign(),
        Purpose::Encrypt => leaf.may_encrypt(),
    };
    let chain = search(leaf, bag, anchors, &Terms { at, mail: true })?;
    // Usage last: "cannot be used for this" helps only where the certificate is trusted at all.
    usage.map_err(|refusal| match refusal {
        UsageRefusal::Weak => PathFailure::Weak,
        other => PathFailure::WrongUsage(other),
    })?;
    let names_revocation = chain
        .iter()
        .rev()
        .skip(1)
        .any(Certificate::names_revocation);
    let revocation = if names_revocation {
        Revocation::Unknown
    } else {
        Revocation::NotNamed
    };
    Ok(VerifiedPath {
        leaf: leaf.clone(),
        chain,
        purpose,
        revocation,
    })
}

/// What a path is judged under.
struct Terms {
    at: Timestamp,
    /// Whether authorities must be allowed to vouch for mail certificates.
    mail: bool,
}

fn search(
    leaf: &Certificate,
    bag: &[Certificate],
    anchors: &TrustAnchors,
    terms: &Terms,
) -> Result<Vec<Certificate>, PathFailure> {
    let pool = bag
        .iter()
        .map(|certificate| (certificate.subject().normal(), certificate))
        .collect();
    let mut search = Search {
        anchors,
        terms,
        pool,
        chain: vec![leaf],
        checked: HashMap::new(),
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

/// A depth-first search upwards from the leaf. Only true signatures extend a chain; each pair is checked once.
struct Search<'a> {
    anchors: &'a TrustAnchors,
    terms: &'a Terms,
    pool: Vec<(Vec<Vec<u8>>, &'a Certificate)>,
    chain: Vec<&'a Certificate>,
    checked: HashMap<(*const u8, *const u8), bool>,
    steps: usize,
    spent: bool,
    closest: PathFailure,
}

impl<'a> Search<'a> {
    fn extend(&mut self) -> Option<Vec<&'a Certificate>> {
        let child = *self.chain.last()?;
        let issuer = child.issuer().normal();
        let anchors = self.anchors;
        for anchor in by_key_id(child, anchors.named(&issuer).iter().collect()) {
            if self.signed(child, anchor) {
                let mut chain = self.chain.clone();
                chain.push(anchor);
                match judge_chain(&chain, self.terms) {
                    Ok(()) => return Some(chain),
                    Err(failure) => self.closest = closer(self.closest, failure),
                }
            }
        }
        if self.chain.len() > limits::PATH_INTERMEDIATES {
            return None;
        }
        let candidates = self
            .pool
            .iter()
            .filter(|(subject, _)| *subject == issuer)
            .map(|(_, one)| *one)
            .collect();
        for candidate in by_key_id(child, candidates) {
            if !self.stands_in_chain(candidate) && self.signed(child, candidate) {
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

    /// The same name with the same key again leads nowhere new (RFC 4158 section 2.4.2).
    fn stands_in_chain(&self, candidate: &Certificate) -> bool {
        self.chain.iter().any(|one| {
            one.subject_der() == candidate.subject_der() && one.spki_der() == candidate.spki_der()
        })
    }

    fn signed(&mut self, child: &Certificate, issuer: &Certificate) -> bool {
        self.steps = self.steps.saturating_add(1);
        if self.steps > limits::PATH_STEPS {
            self.spent = true;
            return false;
        }
        let pair = (child.der().as_ptr(), issuer.der().as_ptr());
        if let Some(known) = self.checked.get(&pair) {
            return *known;
        }
        if self.checked.len() >= limits::PATH_SIGNATURE_CHECKS {
            self.spent = true;
            return false;
        }
        let good = verify_signature(child, issuer);
        self.checked.insert(pair, good);
        good
    }
}

/// Those first whose subject key identifier is the one the child names.
fn by_key_id<'a>(child: &Certificate, mut issuers: Vec<&'a Certificate>) -> Vec<&'a Certificate> {
    if let Some(wanted) = child.extensions().authority_key_id.as_deref() {
        issuers.sort_by_key(|issuer| issuer.subject_key_id() != Some(wanted));
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

/// RFC 5280 section 6.1, from the anchor down. `chain` begins with the leaf and ends with the anchor.
fn judge_chain(chain: &[&Certificate], terms: &Terms) -> Result<(), PathFailure> {
    let mut names = constraints::Checker::default();
    let mut policies = policy::State::new(chain.len());
    let mut path_length: Option<u32> = None;
    for (below, certificate) in chain.iter().enumerate().rev() {
        let is_anchor = below.saturating_add(1) == chain.len();
        let (is_leaf, self_issued) = (below == 0, certificate.self_issued());
        if !is_anchor {
            judge_strength(certificate)?;
            if !self_issued || is_leaf {
                names.check(certificate).map_err(PathFailure::Rule)?;
            }
            policies
                .take(certificate, is_leaf)
                .map_err(PathFailure::Rule)?;
        }
        judge_form(certificate)?;
        if is_leaf {
            continue;
        }
        judge_authority(certificate, terms)?;
        if !is_anchor && !self_issued {
            // RFC 5280 section 6.1.4 (l)
            path_length = match path_length {
                Some(0) => {
                    return Err(PathFailure::Rule(
                        "the path is longer than an authority allows",
                    ));
                }
                Some(left) => left.checked_sub(1),
                None => None,
            };
        }
        let own = certificate
            .extensions()
            .basic
            .and_then(|basic| basic.path_length);
        path_length = [path_length, own].into_iter().flatten().min();
        if let Some(constraints) = &certificate.extensions().name_constraints {
            names.add(constraints);
        }
        if !is_anchor {
            policies
                .prepare_next(certificate)
                .map_err(PathFailure::Rule)?;
        }
    }
    policies
        .wrap_up(chain.first().copied())
        .map_err(PathFailure::Rule)?;
    // Time last: an expired chain is one that was good.
    judge_time(chain, terms.at)
}

fn judge_time(chain: &[&Certificate], at: Timestamp) -> Result<(), PathFailure> {
    if chain
        .iter()
        .any(|certificate| at < certificate.not_before())
    {
        return Err(PathFailure::NotYetValid);
    }
    if chain.iter().any(|certificate| at > certificate.not_after()) {
        return Err(PathFailure::Expired);
    }
    Ok(())
}

fn judge_strength(certificate: &Certificate) -> Result<(), PathFailure> {
    let (_, algorithm, _) = certificate.signed_parts();
    let found = SignatureAlgorithm::from_algorithm_identifier(
        &algorithm.oid,
        algorithm.parameters.as_deref(),
    );
    match found {
        Ok(algorithm) if algorithm.row().reading == Standing::Accept => Ok(()),
        Ok(_) | Err(_) => Err(PathFailure::Weak),
    }
}

/// The rules for single certificates whose breach makes a certificate suspect (RFC 5280 sections 4.1.2 and 4.2).
fn judge_form(certificate: &Certificate) -> Result<(), PathFailure> {
    let extensions = certificate.extensions();
    let authority = certificate.is_authority();
    let signs = extensions
        .key_usage
        .is_some_and(|bits| bits & key_usage::CERT_SIGN != 0);
    let nameless = certificate.subject().is_empty();
    let broken = [
        (
            !extensions.unknown_critical.is_empty(),
            "a critical extension is not known",
        ),
        (
            extensions.wrongly_marked,
            "an extension is wrongly marked critical or not critical",
        ),
        (
            !authority && extensions.name_constraints.is_some(),
            "name constraints outside an authority's certificate",
        ),
        (
            !authority && signs,
            "a certificate that is no authority's may sign certificates",
        ),
        (
            certificate.issuer().is_empty() || authority && nameless,
            "an authority without a name",
        ),
        (
            nameless && !extensions.critical_alt_names,
            "no subject, and subjectAltName is not critical",
        ),
        (
            certificate.serial().len() > limits::SERIAL_OCTETS,
            "the serial number is too long",
        ),
    ];
    match broken.into_iter().find(|(breaks, _)| *breaks) {
        Some((_, rule)) => Err(PathFailure::Rule(rule)),
        None => Ok(()),
    }
}

/// RFC 5280 section 6.1.4 (k) and (n), and that the authority may vouch for mail at all.
fn judge_authority(certificate: &Certificate, terms: &Terms) -> Result<(), PathFailure> {
    let extensions = certificate.extensions();
    if !certificate.is_authority() {
        return Err(PathFailure::Rule(
            "a certificate of the chain is no authority's",
        ));
    }
    if extensions
        .key_usage
        .is_some_and(|bits| bits & key_usage::CERT_SIGN == 0)
    {
        return Err(PathFailure::Rule("an authority may not sign certificates"));
    }
    if terms.mail && !certificate.allows_mail() {
        return Err(PathFailure::Rule("an authority may not vouch for mail"));
    }
    if certificate.has_weak_key() {
        Err(PathFailure::Weak)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::{DigestAlgorithm, KeyTransport, PublicKeyKind};
    use crate::asn1;
    use crate::corpus;
    use crate::key::PrivateKey;
    use crate::maker::{self, NOW, Wanted};

    /// Cases of x509-limbo whose verdict is not ours, each with the reason.
    const SKIPPED: &[(&str, &str)] = &[
        ("crl::revoked-certificate-with-crl", CRL),
        ("crl::crlnumber-missing", CRL),
        ("crl::crlnumber-critical", CRL),
        ("crl::issuer-missing-crlsign", CRL),
        (
            "pathlen::max-chain-depth-0-exhausted",
            "a caller's own depth limit is not offered",
        ),
        (
            "pathlen::max-chain-depth-1-exhausted",
            "a caller's own depth limit is not offered",
        ),
        ("rfc5280::aki::leaf-missing-aki", KEY_ID),
        ("rfc5280::aki::intermediate-missing-aki", KEY_ID),
        ("rfc5280::aki::cross-signed-root-missing-aki", KEY_ID),
        ("rfc5280::ski::root-missing-ski", KEY_ID),
        ("rfc5280::ski::intermediate-missing-ski", KEY_ID),
        (
            "rfc5280::eku::ee-wrong-eku",
            "the cases run with any extended key usage",
        ),
        (
            "rfc5280::nc::permitted-dns-match-noncritical",
            "public authorities leave name constraints non-critical",
        ),
        ("rfc5280::san::underscore-dns", TLS_NAME),
        ("rfc5280::san::ip-in-dns", TLS_NAME),
        ("rfc5280::ca-as-leaf-wrong-san", TLS_NAME),
        (
            "rfc5280::serial::zero",
            "RFC 5280 section 4.1.2.2 asks users to handle such serial numbers gracefully",
        ),
        (
            "rfc5280::root-non-critical-basic-constraints",
            "an anchor is trusted for its name and key",
        ),
    ];
    const CRL: &str = "revocation lists are not read here";
    const KEY_ID: &str =
        "key identifiers only order the search; company authorities often leave them out";
    const TLS_NAME: &str = "its only point is the TLS name";

    fn certificates(list: &serde_json::Value) -> Option<Vec<Certificate>> {
        let texts = list
            .as_array()
            .unwrap()
            .iter()
            .map(|pem| pem.as_str().unwrap());
        texts
            .map(|text| Certificate::read_all(text.as_bytes()).ok()?.pop())
            .collect()
    }

    fn limbo_result(case: &serde_json::Value) -> Result<(), String> {
        let readable = |list| certificates(list).ok_or("unreadable".to_owned());
        let anchors = TrustAnchors::new(readable(&case["trusted_certs"])?);
        let bag = readable(&case["untrusted_intermediates"])?;
        let leaf = readable(&serde_json::json!([case["peer_certificate"]]))?.remove(0);
        let at = case["validation_time"]
            .as_str()
            .map(|text| text.replace("+00:00", "Z"));
        let at = at.map_or(Timestamp(1_795_320_000), |text| {
            Timestamp::parse_rfc3339(&text).unwrap()
        });
        search(&leaf, &bag, &anchors, &Terms { at, mail: false })
            .map(|_| ())
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn x1_x2_limbo() {
        let Some(limbo) = corpus::json("x509-limbo", "limbo-path.json") else {
            return;
        };
        let mut wrong = Vec::new();
        for case in limbo["testcases"].as_array().unwrap() {
            let id = case["id"].as_str().unwrap();
            if SKIPPED.iter().any(|(skipped, _)| *skipped == id) {
                continue;
            }
            let start = std::time::Instant::now();
            let result = limbo_result(case);
            if start.elapsed().as_secs() >= 1 {
                wrong.push(format!("{id}: took {:?}", start.elapsed()));
            }
            if result.is_ok() != (case["expected_result"] == "SUCCESS") {
                wrong.push(format!("{id}: {result:?} {}", case["features"]));
            }
        }
        assert!(
            wrong.is_empty(),
            "{} differ:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }

    /// A root, an issuing authority by it, and a leaf by that.
    struct Chain {
        root: Certificate,
        issuing: Certificate,
        issuing_key: PrivateKey,
        leaf_key: PrivateKey,
    }

    fn chain() -> Chain {
        let (root_key, issuing_key, leaf_key) = (maker::key(), maker::key(), maker::key());
        let root = Wanted::new("Root", "Root", &root_key)
            .with(maker::authority())
            .by(&root_key);
        let issuing = Wanted::new("Issuing", "Root", &issuing_key)
            .with(maker::authority())
            .by(&root_key);
        Chain {
            root,
            issuing,
            issuing_key,
            leaf_key,
        }
    }

    impl Chain {
        fn leaf(&self, change: impl FnOnce(&mut Wanted<'_>)) -> Certificate {
            let mut wanted = Wanted::new("Leaf", "Issuing", &self.leaf_key)
                .with(maker::addresses(&["a@x.example"]));
            change(&mut wanted);
            wanted.by(&self.issuing_key)
        }

        fn judge(&self, leaf: &Certificate, at: Timestamp) -> Result<VerifiedPath, PathFailure> {
            let anchors = TrustAnchors::new(vec![self.root.clone()]);
            judge(
                leaf,
                std::slice::from_ref(&self.issuing),
                &anchors,
                Purpose::Sign,
                at,
            )
        }
    }

    #[test]
    fn paths_and_their_failures() {
        let chain = chain();
        let good = chain.leaf(|_| {});
        let path = chain.judge(&good, NOW).unwrap();
        assert_eq!(
            path.chain(),
            [good.clone(), chain.issuing.clone(), chain.root.clone()]
        );
        assert_eq!(path.revocation(), Revocation::NotNamed);
        let names_crl = chain.leaf(|wanted| wanted.extensions.push(maker::revocation_list()));
        assert_eq!(
            chain.judge(&names_crl, NOW).unwrap().revocation(),
            Revocation::Unknown
        );
        let fails = |leaf: &Certificate, at| chain.judge(leaf, at).unwrap_err();
        let decade = 10 * 365 * 86_400;
        assert_eq!(fails(&good, NOW.plus(decade)), PathFailure::Expired);
        assert_eq!(fails(&good, NOW.plus(-decade)), PathFailure::NotYetValid);
        let server =
            chain.leaf(|wanted| wanted.extensions.push(maker::purpose("1.3.6.1.5.5.7.3.1")));
        assert_eq!(
            fails(&server, NOW),
            PathFailure::WrongUsage(UsageRefusal::Purpose)
        );
        let critical = chain.leaf(|wanted| {
            wanted
                .extensions
                .push(maker::extension("1.2.3", true, &[5, 0]))
        });
        assert!(matches!(fails(&critical, NOW), PathFailure::Rule(_)));
        assert_eq!(
            fails(&self::chain().leaf(|_| {}), NOW),
            PathFailure::Untrusted
        );
        // A leaf that signs another certificate is no authority.
        let other = Wanted::new("Other", "Leaf", &chain.leaf_key).by(&chain.leaf_key);
        let anchors = TrustAnchors::new(vec![chain.root.clone()]);
        let bag = [good, chain.issuing.clone()];
        assert!(matches!(
            judge(&other, &bag, &anchors, Purpose::Sign, NOW),
            Err(PathFailure::Rule(_))
        ));
    }

    #[test]
    fn x3_weak_keys_and_digests() {
        let chain = chain();
        let sha1 = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha1);
        let by_sha1 = chain.leaf(|wanted| wanted.algorithm = Some(sha1));
        assert_eq!(chain.judge(&by_sha1, NOW).unwrap_err(), PathFailure::Weak);
        // A key of 1,024 bits: a modulus nobody has to be able to factor.
        let modulus = asn1::unsigned(&[&[0xc1; 127][..], &[1]].concat());
        let rsa = asn1::sequence(&[&modulus, &asn1::unsigned(&[1, 0, 1])]);
        let identifier = KeyTransport::RsaPkcs1.identifier().to_der();
        let short = asn1::sequence(&[&identifier, &asn1::bit_string(&rsa)]);
        let mut wanted = Wanted::new("Leaf", "Issuing", &chain.leaf_key);
        wanted.spki = &short;
        let leaf = wanted.by(&chain.issuing_key);
        assert_eq!(leaf.key_kind(), Some(PublicKeyKind::Rsa(1024)));
        assert_eq!(chain.judge(&leaf, NOW).unwrap_err(), PathFailure::Weak);
    }

    #[test]
    fn path_lengths_count_down() {
        let keys = [maker::key(), maker::key(), maker::key(), maker::key()];
        let leaf = Wanted::new("Leaf", "CA 2", &keys[3]).by(&keys[2]);
        for (path_length, good) in [(2, true), (1, false), (0, false)] {
            let root = Wanted::new("CA 0", "CA 0", &keys[0])
                .with(maker::authority_above(path_length))
                .by(&keys[0]);
            let first = Wanted::new("CA 1", "CA 0", &keys[1])
                .with(maker::authority())
                .by(&keys[0]);
            let second = Wanted::new("CA 2", "CA 1", &keys[2])
                .with(maker::authority())
                .by(&keys[1]);
            let anchors = TrustAnchors::new(vec![root]);
            let result = judge(&leaf, &[second, first], &anchors, Purpose::Encrypt, NOW);
            assert_eq!(result.is_ok(), good, "{path_length}");
        }
    }

    #[test]
    fn x2_cross_signed_authorities_stay_within_the_budget() {
        let keys: Vec<PrivateKey> = (0..14).map(|_| maker::key()).collect();
        let named = |n: usize| format!("CA {n}");
        let cross = |from: usize, to: usize| {
            Wanted::new(&named(to), &named(from), &keys[to])
                .with(maker::authority())
                .by(&keys[from])
        };
        let pairs = (0..14).flat_map(|from| {
            (0..14)
                .filter(move |to| *to != from)
                .map(move |to| (from, to))
        });
        let bag: Vec<Certificate> = pairs.map(|(from, to)| cross(from, to)).collect();
        let leaf_key = maker::key();
        let leaf = Wanted::new("Leaf", "CA 0", &leaf_key).by(&keys[0]);
        let anchors = TrustAnchors::new(vec![chain().root]);
        let start = std::time::Instant::now();
        assert_eq!(
            judge(&leaf, &bag, &anchors, Purpose::Sign, NOW).unwrap_err(),
            PathFailure::Budget
        );
        assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
    }
}
