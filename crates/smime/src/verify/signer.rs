//! The judgement on signers: digest, attributes, signature, path, address, in this order.

use super::attributes::{
    check_algorithm_protection, check_attributes, check_signing_certificate, read_attributes,
};
use super::{Note, SignatureReport, SignerReport, VerifyInput, combine};
use crate::algorithms::{
    AlgorithmError, AlgorithmIdentifier, DigestAlgorithm, PublicKeyKind, SignatureAlgorithm,
    Switches,
};
use crate::asn1::{Asn1Error, tag};
use crate::aws::{Digest, Signed};
use crate::certificate::Certificate;
use crate::cms::{ContentType, SignedHead, SignedTail, SignerInfo};
use crate::error::{Fault, ReadError};
use crate::key::PublicKey;
use crate::limits;
use crate::path::{Budget, PathFailure, PathFinder, Purpose, VerifiedPath};
use crate::revocation::{self, Evidence, Status};
use crate::verdict::SignatureVerdict;
use sealgate_mail::{Address, Timestamp};
use std::io::{self, Write};

/// Signed content while it is being read, hashed in every way the signers announce.
pub(super) struct Hashing {
    content_type: ContentType,
    content_type_oid: Vec<u8>,
    digests: Vec<(DigestAlgorithm, Digest)>,
    first: Option<u8>,
}

/// Signed content once it was read.
pub(super) struct Covered {
    content_type: ContentType,
    pub(super) content_type_oid: Vec<u8>,
    digests: Vec<(DigestAlgorithm, Vec<u8>)>,
    first: Option<u8>,
}

impl Hashing {
    pub(super) fn new(head: &SignedHead) -> Self {
        let listed = |wanted: &DigestAlgorithm| {
            head.digests
                .iter()
                .any(|listed| listed.oid == wanted.row().oid)
        };
        let digests = DigestAlgorithm::ALL.into_iter().filter(listed);
        Self {
            content_type: head.content_type,
            content_type_oid: head.content_type_oid.clone(),
            digests: digests
                .map(|algorithm| (algorithm, Digest::new(algorithm)))
                .collect(),
            first: None,
        }
    }

    pub(super) fn update(&mut self, octets: &[u8]) {
        self.first = self.first.or(octets.first().copied());
        for (_, digest) in &mut self.digests {
            digest.update(octets);
        }
    }

    pub(super) fn finish(self) -> Covered {
        let digests = self.digests.into_iter();
        Covered {
            content_type: self.content_type,
            content_type_oid: self.content_type_oid,
            digests: digests
                .map(|(algorithm, digest)| (algorithm, digest.finish()))
                .collect(),
            first: self.first,
        }
    }
}

impl Write for Hashing {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.update(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Covered {
    /// Whether there was no content, or an empty one.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// RFC 5652 section 5.1: a digest that is not listed beforehand need not be found (row C15: an empty list).
    fn digest(&self, algorithm: DigestAlgorithm) -> Result<&[u8], Rejected> {
        let found = self.digests.iter().find(|(have, _)| *have == algorithm);
        found
            .map(|(_, digest)| digest.as_slice())
            .ok_or(Rejected::broken("the signer's digest is not announced"))
    }

    /// RFC 5652 section 5.3: only plain content may be signed without attributes. Row C16: content that begins like a
    /// SET of attributes may be one that was signed elsewhere; no MIME entity begins so.
    fn may_lack_attributes(&self) -> Result<(), Rejected> {
        if self.content_type != ContentType::Data {
            return Err(Rejected::broken("signed attributes are missing"));
        }
        if self.first == Some(tag::SET) {
            return Err(Rejected::broken("signed content that may be attributes"));
        }
        Ok(())
    }
}

/// A verdict that ends the judgement, and why.
pub(super) struct Rejected(SignatureVerdict, &'static str);

impl Rejected {
    pub(super) const fn broken(reason: &'static str) -> Self {
        Self(SignatureVerdict::Broken, reason)
    }

    const fn unsupported(reason: &'static str) -> Self {
        Self(SignatureVerdict::Unsupported, reason)
    }
}

impl From<AlgorithmError> for Rejected {
    fn from(error: AlgorithmError) -> Self {
        match error {
            AlgorithmError::Unsupported(_) => Self(
                SignatureVerdict::Unsupported,
                "an algorithm that is not supported",
            ),
            AlgorithmError::Weak(_) => Self(SignatureVerdict::Weak, "a broken algorithm"),
            AlgorithmError::Parameters(_) => Self::broken("an algorithm with wrong parameters"),
        }
    }
}

impl From<ReadError> for Rejected {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Malformed(what) => Self::broken(what.0),
            ReadError::Limit(what) => Self(SignatureVerdict::Unsupported, what.0),
            ReadError::Io(_) => Self::broken("an attribute"),
        }
    }
}

impl From<Asn1Error> for Rejected {
    fn from(error: Asn1Error) -> Self {
        Self::broken(error.0)
    }
}

/// What can be read of the certificates sent along.
pub(super) fn read_certificates(certificates: &[Vec<u8>]) -> Vec<Certificate> {
    certificates
        .iter()
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect()
}

/// What can be read of the revocation lists sent along.
fn sent_lists(tail: &SignedTail) -> Evidence {
    let mut sent = Evidence::default();
    for list in &tail.lists {
        // One that cannot be read shows nothing.
        let _ = sent.add_crl(list);
    }
    sent
}

/// Row C5: all signers must verify and the sender must be among them. Row C6: no signer is `broken`.
pub(super) fn judge_signers(
    tail: SignedTail,
    covered: &Covered,
    input: &VerifyInput<'_>,
    budget: &Budget,
) -> SignatureReport {
    let certificates = read_certificates(&tail.certificates);
    let bag = [certificates.as_slice(), input.known].concat();
    let judge = Judge {
        covered,
        bag: &bag,
        input,
        budget,
        paths: PathFinder::new(&bag, input.anchors, input.at)
            .within(budget)
            .allowing(input.switches)
            .with_sent(sent_lists(&tail)),
    };
    let signers: Vec<SignerReport> = tail.signers.iter().map(|one| judge.signer(one)).collect();
    if signers.is_empty() {
        return SignatureReport {
            certificates,
            ..SignatureReport::broken("a signature without signers")
        };
    }
    SignatureReport {
        verdict: combine(&signers),
        notes: notes(&signers, input),
        signers,
        certificates,
        fault: None::<Fault>,
    }
}

/// Remarks: a signing time far from the Date field (row C9), and legacy algorithms that were let in.
fn notes(signers: &[SignerReport], input: &VerifyInput<'_>) -> Vec<Note> {
    let far = |time: Timestamp| {
        let date = input.date;
        date.is_some_and(|date| time.since(date).unsigned_abs() > limits::SIGNING_TIME_WINDOW)
    };
    let mut notes = Vec::new();
    if signers.iter().filter_map(|one| one.signing_time).any(far) {
        notes.push(Note::SigningTimeFarFromDate);
    }
    if !input.switches.legacy {
        return notes;
    }
    for weak in signers.iter().flat_map(weak_algorithms).map(Note::Legacy) {
        if !notes.contains(&weak) {
            notes.push(weak);
        }
    }
    notes
}

/// The names of the weak algorithms that a signer and its path use.
fn weak_algorithms(report: &SignerReport) -> Vec<&'static str> {
    let digest = report.digest.map(DigestAlgorithm::row);
    let own = [digest, report.algorithm.map(SignatureAlgorithm::row)];
    let chain = report.path.as_ref().map(VerifiedPath::chain);
    let chain = chain.unwrap_or_default().split_last();
    let above = chain.into_iter().flat_map(|(_anchor, below)| below);
    let above = above.filter_map(|certificate| {
        let (_, AlgorithmIdentifier { oid, parameters }, _) = certificate.signed_parts();
        SignatureAlgorithm::from_algorithm_identifier(oid, parameters.as_deref()).ok()
    });
    let rows = own
        .into_iter()
        .flatten()
        .chain(above.map(SignatureAlgorithm::row));
    rows.filter(|row| row.reading.is_legacy())
        .map(|row| row.name)
        .collect()
}

/// What the signers of one message are judged with.
struct Judge<'a> {
    covered: &'a Covered,
    bag: &'a [Certificate],
    input: &'a VerifyInput<'a>,
    budget: &'a Budget,
    paths: PathFinder<'a>,
}

impl Judge<'_> {
    /// One signer. Several certificates may bear the name it gives, such as a renewed one with the same key: the best
    /// verdict counts, since each is the named one.
    fn signer(&self, info: &SignerInfo) -> SignerReport {
        let mut named: Vec<&Certificate> = Vec::new();
        for certificate in self.bag.iter().filter(|one| info.signer.names(one)) {
            if named.len() < limits::SIGNER_CANDIDATES && !named.contains(&certificate) {
                named.push(certificate);
            }
        }
        let reports = named.into_iter().map(|one| self.candidate(info, Some(one)));
        // What is not asked yet about revocation must not hide the one that fits.
        let badness = |report: &SignerReport| {
            let (unrevoked, _) = report.unrevoked;
            (unrevoked.badness(), report.verdict.badness())
        };
        let best = reports.min_by_key(badness);
        best.unwrap_or_else(|| self.candidate(info, None))
    }

    /// One signer, as if this certificate was meant.
    fn candidate(&self, info: &SignerInfo, certificate: Option<&Certificate>) -> SignerReport {
        let mut report = SignerReport {
            verdict: SignatureVerdict::Broken,
            reason: "",
            unrevoked: (SignatureVerdict::Broken, ""),
            unanswered: false,
            signer: info.signer.clone(),
            certificate: certificate.cloned(),
            path: None,
            signing_time: None,
            capabilities: None,
            encryption_preference: None,
            digest: None,
            algorithm: None,
        };
        let switches = self.input.switches;
        let outcome = check_signer(&mut report, info, self.covered, switches, self.budget)
            .and_then(|certificate| self.path(&mut report, &certificate));
        report.unrevoked = match outcome {
            Ok(()) => (SignatureVerdict::Valid, ""),
            Err(Rejected(verdict, reason)) => (verdict, reason),
        };
        // Of revocation is known what the sender sent along, and nothing else yet.
        (report.verdict, report.reason) = match &report.path {
            Some(path) => {
                let status = revocation::judge(path, &Evidence::default(), self.input.at);
                report.unanswered = status == Status::Unknown;
                with_revocation(report.unrevoked, status, false)
            }
            None => report.unrevoked,
        };
        report
    }

    /// Trust, time, purpose and whose address; whether the path was revoked is judged after this.
    fn path(&self, report: &mut SignerReport, certificate: &Certificate) -> Result<(), Rejected> {
        let path = self.paths.judge(certificate, Purpose::Sign);
        report.path = Some(path.map_err(|failure| reject_path(&failure))?);
        let addresses = certificate.addresses();
        if addresses.is_empty() {
            return Err(Rejected(
                SignatureVerdict::ValidNoAddress,
                "the certificate carries no address",
            ));
        }
        // Row C8: without exactly one From address nothing can fit.
        let exact = self.input.exact_local_parts;
        let names = |from: &Address| certificate.names(from, exact);
        if !self.input.from.is_some_and(names) {
            return Err(Rejected(
                SignatureVerdict::ValidOtherAddress,
                "the certificate does not name the From address",
            ));
        }
        Ok(())
    }
}

/// The cryptography: gives the certificate whose key made the signature.
fn check_signer(
    report: &mut SignerReport,
    info: &SignerInfo,
    covered: &Covered,
    switches: Switches,
    budget: &Budget,
) -> Result<Certificate, Rejected> {
    let (digest, algorithm) = read_algorithms(report, info)?;
    let content_digest = covered.digest(digest)?;
    let signed: Vec<Signed<'_>> = match &info.signed_attributes {
        Some(attributes) => {
            check_attributes(attributes, covered, content_digest)?;
            check_algorithm_protection(attributes, info)?;
            read_attributes(report, attributes)?;
            attributes.signed_octets().map(Signed::Message).collect()
        }
        None => {
            covered.may_lack_attributes()?;
            vec![Signed::Digest(content_digest)]
        }
    };
    // RFC 8550 section 2.3: a receiver copes with certificates that are not sent along. Nothing is wrong with the message
    // then, but nobody vouches for its signer.
    let certificate = report.certificate.clone().ok_or(Rejected(
        SignatureVerdict::Untrusted,
        "the signer's certificate is missing",
    ))?;
    if let Some(attributes) = &info.signed_attributes {
        check_signing_certificate(attributes, &certificate)?;
    }
    if algorithm == SignatureAlgorithm::Ed25519 && info.signed_attributes.is_none() {
        return Err(Rejected::unsupported("Ed25519 without signed attributes"));
    }
    let key = check_key(&certificate, switches)?;
    let fits = |signed| key.verify(algorithm, signed, &info.signature).is_ok();
    if !checked_within(budget, signed, fits)? {
        return Err(Rejected::broken("the signature does not fit"));
    }
    let rows = [algorithm.row(), digest.row()];
    if !rows.iter().all(|row| switches.allow(row.reading)) {
        return Err(Rejected(SignatureVerdict::Weak, "a weak algorithm"));
    }
    if covered.content_type != ContentType::Data {
        return Err(Rejected::unsupported(
            "signed content that is no MIME entity",
        ));
    }
    Ok(certificate)
}

/// Whether one of the forms that may have been signed fits; each costs one signature check.
fn checked_within<T>(
    budget: &Budget,
    forms: Vec<T>,
    fits: impl Fn(T) -> bool,
) -> Result<bool, Rejected> {
    for form in forms {
        if !budget.take_check() {
            return Err(Rejected::unsupported("too many signatures to check"));
        }
        if fits(form) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn read_algorithms(
    report: &mut SignerReport,
    info: &SignerInfo,
) -> Result<(DigestAlgorithm, SignatureAlgorithm), Rejected> {
    let AlgorithmIdentifier { oid, parameters } = &info.digest;
    let digest = DigestAlgorithm::from_algorithm_identifier(oid, parameters.as_deref())?;
    report.digest = Some(digest);
    let AlgorithmIdentifier { oid, parameters } = &info.signature_algorithm;
    let algorithm = SignatureAlgorithm::from_signer(oid, parameters.as_deref(), digest)?;
    report.algorithm = Some(algorithm);
    Ok((digest, algorithm))
}

/// The signer's key, if it is of a kind that is read.
fn check_key(certificate: &Certificate, switches: Switches) -> Result<&PublicKey, Rejected> {
    let allowed = |kind: PublicKeyKind| switches.allow(kind.reading());
    let bits = certificate.key_kind().and_then(PublicKeyKind::rsa_bits);
    // Row X3: what is too long is not computed with, be the signature true or not.
    if bits.is_some_and(|bits| bits > limits::RSA_BITS_MOST) {
        return Err(Rejected(SignatureVerdict::Weak, "a key that is too long"));
    }
    let key = certificate.public_key();
    key.filter(|_| certificate.key_kind().is_some_and(allowed))
        .ok_or(Rejected::unsupported("a key that is not supported"))
}

/// The verdict on a signer with a good path. An address that does not fit goes before a revocation answer that is missing,
/// so that `revocation-unknown` means: all else is as for `valid`.
pub(super) fn with_revocation(
    unrevoked: (SignatureVerdict, &'static str),
    status: Status,
    hard: bool,
) -> (SignatureVerdict, &'static str) {
    match status {
        Status::Revoked(_) => (
            SignatureVerdict::Revoked,
            "a certificate of the path is revoked",
        ),
        Status::Unknown if hard => (
            SignatureVerdict::Untrusted,
            "revocation could not be asked, and an answer is required",
        ),
        Status::Unknown if unrevoked.0 == SignatureVerdict::Valid => (
            SignatureVerdict::RevocationUnknown,
            "revocation could not be asked",
        ),
        _ => unrevoked,
    }
}

fn reject_path(failure: &PathFailure) -> Rejected {
    match failure {
        PathFailure::Expired => Rejected(SignatureVerdict::Expired, "the certificate has expired"),
        PathFailure::NotYetValid => Rejected(
            SignatureVerdict::Expired,
            "the certificate is not valid yet",
        ),
        PathFailure::Weak => Rejected(SignatureVerdict::Weak, "a weak key or digest in the path"),
        PathFailure::WrongUsage(_) => Rejected(
            SignatureVerdict::Untrusted,
            "the certificate is not for signing mail",
        ),
        PathFailure::Budget => {
            Rejected(SignatureVerdict::Untrusted, "too much work to find a path")
        }
        PathFailure::Rule(_) => Rejected(
            SignatureVerdict::Untrusted,
            "a rule of the certification path is broken",
        ),
        PathFailure::Untrusted => {
            Rejected(SignatureVerdict::Untrusted, "no path to a trusted root")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cms::CertificateId;
    use crate::key::PrivateKey;
    use crate::kind::Entity;
    use crate::maker::{self, NOW, TestRandom, Wanted, octets};
    use crate::path::TrustAnchors;
    use crate::sign::{Form, Signer, sign};
    use crate::verify::{clear_parts, verify, verify_within};
    use crate::{asn1, cms};
    use const_oid::ObjectIdentifier;
    use sealgate_mail::Message;

    #[test]
    fn revocation_and_the_address() {
        use SignatureVerdict as V;
        let (before, after) = (Status::Revoked(NOW.plus(-1)), Status::Revoked(NOW.plus(1)));
        for (unrevoked, status, hard, expected) in [
            (V::Valid, Status::Good, false, V::Valid),
            (V::Valid, Status::NotNamed, true, V::Valid),
            (V::Valid, Status::Unknown, false, V::RevocationUnknown),
            (V::Valid, Status::Unknown, true, V::Untrusted),
            (V::Valid, before, false, V::Revoked),
            (V::Valid, after, false, V::Revoked),
            (
                V::ValidOtherAddress,
                Status::Good,
                true,
                V::ValidOtherAddress,
            ),
            (
                V::ValidOtherAddress,
                Status::Unknown,
                false,
                V::ValidOtherAddress,
            ),
            (V::ValidOtherAddress, Status::Unknown, true, V::Untrusted),
            (V::ValidNoAddress, before, false, V::Revoked),
        ] {
            let (found, _) = with_revocation((unrevoked, ""), status, hard);
            assert_eq!(found, expected, "{unrevoked} {status:?} {hard}");
        }
    }

    struct World {
        root_key: PrivateKey,
        root: Certificate,
    }

    impl World {
        fn new() -> Self {
            let root_key = maker::key();
            let root = Wanted::new("Root", "Root", &root_key).with(maker::authority());
            let root = root.by(&root_key);
            Self { root_key, root }
        }

        /// A certificate of this serial number and key.
        fn certificate(&self, key: &PrivateKey, serial: u8, address: &str) -> Certificate {
            let mut wanted = Wanted::new("A", "Root", key).with(maker::addresses(&[address]));
            wanted.serial = Some(vec![serial]);
            wanted.by(&self.root_key)
        }

        fn input<'i>(&self, anchors: &'i TrustAnchors, from: &'i Address) -> VerifyInput<'i> {
            VerifyInput {
                anchors,
                at: NOW,
                from: Some(from),
                date: None,
                known: &[],
                switches: Switches::default(),
                exact_local_parts: false,
            }
        }

        fn judge(&self, mail: &[u8]) -> SignatureReport {
            let from = Address::parse("a@x.example").unwrap();
            let anchors = TrustAnchors::new(vec![self.root.clone()]);
            let input = self.input(&anchors, &from);
            verify(&Message::read(&mail).unwrap(), &input).unwrap()
        }
    }

    fn signed(key: &PrivateKey, certificate: &Certificate, chain: &[Certificate]) -> Vec<u8> {
        let signer = Signer {
            key,
            certificate,
            chain,
            rsa_signature: Default::default(),
        };
        let entity = b"Content-Type: text/plain\r\n\r\nHello\r\n".to_vec();
        octets(&sign(&entity, Form::Clear, signer, NOW, &mut TestRandom).unwrap())
    }

    /// Row X6: another certificate of the same issuer and number hides nobody's signature, and lends nobody its address.
    #[test]
    fn x6_certificates_of_one_name_are_all_tried() {
        let world = World::new();
        let (key, other_key) = (maker::key(), maker::key());
        let own = world.certificate(&key, 7, "a@x.example");
        let twin = world.certificate(&other_key, 7, "b@x.example");
        let (early, late) = (std::slice::from_ref(&twin), [twin.clone(), own.clone()]);
        for chain in [early, &late] {
            let report = world.judge(&signed(&key, &own, chain));
            assert_eq!(report.verdict, SignatureVerdict::Valid);
            assert_eq!(report.signers[0].certificate.as_ref(), Some(&own));
        }
        // The twin's key with the right address beside it: the key decides.
        let report = world.judge(&signed(&other_key, &twin, std::slice::from_ref(&own)));
        assert_ne!(report.verdict, SignatureVerdict::Valid);
        assert_eq!(report.signers[0].certificate.as_ref(), Some(&twin));
    }

    /// Row X2: a signature that is not checked any more is not called valid, nor broken.
    #[test]
    fn x2_signatures_of_messages_count_too() {
        let world = World::new();
        let key = maker::key();
        let own = world.certificate(&key, 7, "a@x.example");
        let mail = signed(&key, &own, &[]);
        let message = Message::read(&mail).unwrap();
        let from = Address::parse("a@x.example").unwrap();
        let anchors = TrustAnchors::new(vec![world.root.clone()]);
        let input = world.input(&anchors, &from);
        let budget = Budget::default();
        let verdict = || verify_within(&message, &input, &budget).unwrap().verdict;
        assert_eq!(verdict(), SignatureVerdict::Valid);
        assert_eq!(budget.checks(), 2);
        while budget.take_check() {}
        assert_eq!(verdict(), SignatureVerdict::Unsupported);
    }

    /// Row X5: From in another case than the certificate's, and an address in the subject only.
    #[test]
    fn x5_whose_signature_it_is_in_any_case_and_in_its_case() {
        use SignatureVerdict::{Valid, ValidOtherAddress as Other};
        let world = World::new();
        let key = maker::key();
        let san = |names: &[&str], utf8: &[&str]| {
            Wanted::new("A", "Root", &key).with(maker::both_forms(names, utf8))
        };
        let in_subject = || Wanted {
            subject: maker::name(&[("1.2.840.113549.1.9.1", "alice@x.example")]),
            ..Wanted::new("", "Root", &key)
        };
        for (wanted, from, in_any_case, in_its_case) in [
            (
                san(&["alice@x.example"], &[]),
                "alice@X.example",
                Valid,
                Valid,
            ),
            (
                san(&["alice@x.example"], &[]),
                "Alice@x.example",
                Valid,
                Other,
            ),
            (
                san(&["b@x.example", "Alice@x.example"], &[]),
                "Alice@x.example",
                Valid,
                Valid,
            ),
            (
                san(&["Alice@x.example", "alice@x.example"], &[]),
                "alice@x.example",
                Valid,
                Valid,
            ),
            (
                san(&["a@xn--bcher-kva.example"], &[]),
                "a@b\u{fc}cher.example",
                Valid,
                Valid,
            ),
            (
                san(&[], &["j\u{e4}ger@x.example"]),
                "J\u{e4}ger@x.example",
                Valid,
                Other,
            ),
            (in_subject(), "alice@x.example", Valid, Valid),
            (in_subject(), "ALICE@x.example", Valid, Other),
            (in_subject(), "bob@x.example", Other, Other),
        ] {
            let mail = signed(&key, &wanted.by(&world.root_key), &[]);
            let address = Address::parse(from).unwrap();
            let anchors = TrustAnchors::new(vec![world.root.clone()]);
            for (exact_local_parts, expected) in [(false, in_any_case), (true, in_its_case)] {
                let input = VerifyInput {
                    exact_local_parts,
                    ..world.input(&anchors, &address)
                };
                let report = verify(&Message::read(&mail).unwrap(), &input).unwrap();
                assert_eq!(report.verdict, expected, "{from} {exact_local_parts}");
            }
        }
    }

    /// Row X1: the path is found among whatever lies in the message, in whatever order, and signers need neither an address nor a
    /// purpose (RFC 8550 sections 2.3, 4.4.2 and 4.4.4).
    #[test]
    fn x1_paths_out_of_the_message_alone() {
        use SignatureVerdict as V;
        let world = World::new();
        let keys = [maker::key(), maker::key(), maker::key(), maker::key()];
        let authority =
            |name: &str, issuer: &str, key| Wanted::new(name, issuer, key).with(maker::authority());
        let upper = authority("Upper", "Root", &keys[0]).by(&world.root_key);
        let lower = authority("Lower", "Upper", &keys[1]).by(&keys[0]);
        // Of the same name with another key, of another authority, expired, and of nobody's concern.
        let namesake = authority("Lower", "Upper", &keys[3]).by(&keys[0]);
        let other = authority("Upper", "Other", &keys[3]).by(&keys[3]);
        let mut expired = authority("Lower", "Upper", &keys[1]);
        (expired.not_after, expired.serial) = (NOW.plus(-1), Some(vec![9]));
        let expired = expired.by(&keys[0]);
        let mut bag = vec![namesake, expired, other, lower, upper, world.root.clone()];
        let usage = |octet: u8| vec![maker::key_usage(octet)];
        for (extensions, expected) in [
            (vec![], V::ValidNoAddress),
            (vec![maker::addresses(&["a@x.example"])], V::Valid),
            (
                vec![maker::addresses(&["b@x.example"])],
                V::ValidOtherAddress,
            ),
            (usage(0b1000_0000), V::ValidNoAddress),
            (usage(0b0100_0000), V::ValidNoAddress),
            (usage(0b1100_0000), V::ValidNoAddress),
            (usage(0b0010_0000), V::Untrusted),
            (vec![maker::purpose("2.5.29.37.0")], V::ValidNoAddress),
            (vec![maker::purpose("1.3.6.1.5.5.7.3.1")], V::Untrusted),
        ] {
            let mut wanted = Wanted::new("A", "Lower", &keys[2]);
            wanted.extensions = extensions;
            let own = wanted.by(&keys[1]);
            for _ in 0..bag.len() {
                bag.rotate_left(1);
                let report = world.judge(&signed(&keys[2], &own, &bag));
                assert_eq!(report.verdict, expected, "{:?}", own.extensions());
            }
            // What cannot be read, and lists of others, change nothing.
            let (mut tail, covered) = read(&signed(&keys[2], &own, &bag));
            tail.certificates.insert(0, b"no certificate".to_vec());
            tail.lists = vec![b"no list".to_vec(), revoking(&World::new(), &own)];
            let from = Address::parse("a@x.example").unwrap();
            let anchors = TrustAnchors::new(vec![world.root.clone()]);
            let input = world.input(&anchors, &from);
            let report = judge_signers(tail, &covered, &input, &Budget::default());
            assert_eq!(report.verdict, expected);
        }
    }

    /// A certificate of the root around an RSA modulus of so many octets that nobody has to be able to factor.
    fn with_modulus(world: &World, octets: usize) -> Certificate {
        let modulus = [&vec![0xc1; octets - 1][..], &[1]].concat();
        let key = asn1::sequence(&[&asn1::unsigned(&modulus), &asn1::unsigned(&[1, 0, 1])]);
        let identifier = SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256).identifier();
        let identifier = AlgorithmIdentifier {
            oid: ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1"),
            ..identifier
        };
        let spki = asn1::sequence(&[&identifier.to_der(), &asn1::bit_string(&key)]);
        let any = maker::key();
        let mut wanted = Wanted::new("A", "Root", &any).with(maker::addresses(&["a@x.example"]));
        (wanted.spki, wanted.serial) = (&spki, Some(vec![7]));
        wanted.by(&world.root_key)
    }

    /// Row X3: the signature by a key that is too long is not computed at all, so that nobody says it does not fit.
    #[test]
    fn x3_a_signature_by_an_overlong_key_is_weak() {
        let world = World::new();
        let key = maker::key();
        let mail = signed(&key, &world.certificate(&key, 7, "a@x.example"), &[]);
        let from = Address::parse("a@x.example").unwrap();
        let anchors = TrustAnchors::new(vec![world.root.clone()]);
        let input = world.input(&anchors, &from);
        for (octets, expected) in [
            (256, SignatureVerdict::Broken),
            (1025, SignatureVerdict::Weak),
            (2048, SignatureVerdict::Weak),
            (4096, SignatureVerdict::Weak),
        ] {
            let (mut tail, covered) = read(&mail);
            // The signer named its certificate among the attributes; here another one stands in its place.
            tail.signers[0].signed_attributes = None;
            tail.certificates = vec![with_modulus(&world, octets).der().to_vec()];
            let start = std::time::Instant::now();
            let report = judge_signers(tail, &covered, &input, &Budget::default());
            assert_eq!(report.verdict, expected, "{octets}");
            assert!(start.elapsed().as_millis() < 500, "{octets}");
        }
    }

    /// A list of the root that revokes `certificate`.
    fn revoking(world: &World, certificate: &Certificate) -> Vec<u8> {
        let algorithm = world.root_key.signature_algorithm(Default::default());
        let identifier = algorithm.unwrap().identifier().to_der();
        let (before, after) = (asn1::time(NOW.plus(-60)), asn1::time(NOW.plus(60)));
        let serial = asn1::tlv(tag::INTEGER, certificate.serial());
        let entries = asn1::sequence(&[&asn1::sequence(&[&serial, &before])]);
        let tbs = [
            &identifier,
            certificate.issuer_der(),
            &before,
            &after,
            &entries,
        ];
        let tbs = asn1::sequence(&tbs);
        let signature = world.root_key.sign(algorithm.unwrap(), &tbs).unwrap();
        asn1::sequence(&[&tbs, &identifier, &asn1::bit_string(&signature)])
    }

    /// A list that came along counts before anybody is asked, also where a certificate names nobody to ask.
    #[test]
    fn x8_what_was_sent_along_revokes_at_once() {
        let world = World::new();
        let key = maker::key();
        let own = world.certificate(&key, 7, "a@x.example");
        let other = world.certificate(&key, 8, "a@x.example");
        let mail = signed(&key, &own, &[]);
        let from = Address::parse("a@x.example").unwrap();
        let anchors = TrustAnchors::new(vec![world.root.clone()]);
        let input = world.input(&anchors, &from);
        for (revoked, expected) in [
            (&own, SignatureVerdict::Revoked),
            (&other, SignatureVerdict::Valid),
        ] {
            let (mut tail, covered) = read(&mail);
            tail.lists.push(revoking(&world, revoked));
            let report = judge_signers(tail, &covered, &input, &Budget::default());
            assert_eq!(report.verdict, expected);
        }
    }

    /// Row C5: all signers must verify, those of other addresses too.
    #[test]
    fn c5_an_answer_that_is_missing_for_a_second_signer_counts() {
        let world = World::new();
        let (key, other_key) = (maker::key(), maker::key());
        let own = world.certificate(&key, 7, "a@x.example");
        let other = |extensions: &[Vec<u8>]| {
            let mut wanted = Wanted::new("B", "Root", &other_key);
            wanted = wanted.with(maker::addresses(&["b@x.example"]));
            wanted.extensions.extend_from_slice(extensions);
            wanted.by(&world.root_key)
        };
        let mail = signed(&key, &own, &[]);
        let (from, anchors) = (
            Address::parse("a@x.example").unwrap(),
            TrustAnchors::new(vec![world.root.clone()]),
        );
        let input = world.input(&anchors, &from);
        for (second, soft, hard) in [
            (other(&[]), SignatureVerdict::Valid, SignatureVerdict::Valid),
            (
                other(&[maker::revocation_list()]),
                SignatureVerdict::RevocationUnknown,
                SignatureVerdict::Untrusted,
            ),
        ] {
            let (mut tail, covered) = read(&mail);
            let (added, _) = read(&signed(&other_key, &second, &[]));
            tail.signers.extend(added.signers);
            tail.certificates.extend(added.certificates);
            let mut report = judge_signers(tail, &covered, &input, &Budget::default());
            assert_eq!(report.verdict, soft);
            report.judge_revocation(&Evidence::default(), NOW, false);
            assert_eq!(report.verdict, soft);
            assert_eq!(SignatureReport::combine(&[report.clone()]), soft);
            report.judge_revocation(&Evidence::default(), NOW, true);
            assert_eq!(report.verdict, hard);
        }
        // The same in two layers: what says `valid-other-address` alone does not let the other one be `valid`.
        let lone = signed(&other_key, &other(&[maker::revocation_list()]), &[]);
        let layers = [world.judge(&mail), world.judge(&lone)];
        let verdicts = layers.each_ref().map(|report| report.verdict);
        let expected = [SignatureVerdict::Valid, SignatureVerdict::ValidOtherAddress];
        assert_eq!(verdicts, expected);
        let combined = |layers: &[SignatureReport]| SignatureReport::combine(layers);
        assert_eq!(combined(&layers), SignatureVerdict::RevocationUnknown);
        // Row C24: where all are good, the outermost signer's word counts.
        let [mail, lone] = layers;
        assert_eq!(combined(&[lone, mail]), SignatureVerdict::ValidOtherAddress);
    }

    /// What a clear-signed mail holds: its signature, and its content hashed.
    fn read(mail: &[u8]) -> (SignedTail, Covered) {
        let message = Message::read(&mail).unwrap();
        let (content, part) = clear_parts(&message).unwrap();
        let part = Entity::of_part(message.content(), &part);
        let (mut reader, _) = cms::open(part.cms().unwrap()).unwrap();
        let head = cms::signed_head(&mut reader).unwrap();
        let tail = cms::signed_tail(&mut reader, false).unwrap();
        let mut hashing = Hashing::new(&head);
        sealgate_mail::content::copy(&content, &mut hashing).unwrap();
        (tail, hashing.finish())
    }

    /// A certificate of the same key for another address, which names nobody to ask, does not stand before the one that fits.
    #[test]
    fn x6_what_is_not_asked_yet_hides_no_signature() {
        let world = World::new();
        let key = maker::key();
        let made = |address: &str, extensions: &[Vec<u8>]| {
            let mut wanted = Wanted::new("A", "Root", &key).with(maker::addresses(&[address]));
            wanted.serial = Some(vec![7]);
            wanted.extensions.extend_from_slice(extensions);
            wanted.by(&world.root_key)
        };
        let own = made("a@x.example", &[maker::revocation_list()]);
        let other = made("b@x.example", &[]);
        let report = world.judge(&signed(&key, &own, std::slice::from_ref(&other)));
        assert_eq!(report.verdict, SignatureVerdict::RevocationUnknown);
        assert_eq!(report.signers[0].certificate.as_ref(), Some(&own));
    }

    #[test]
    fn a_certificate_without_key_identifier_is_named_by_its_hash() {
        let world = World::new();
        let key = maker::key();
        let certificate = world.certificate(&key, 9, "a@x.example");
        assert!(certificate.subject_key_id().is_none());
        // The BIT STRING of a P-256 key holds the last 65 octets.
        let spki = certificate.spki_der();
        let hash = Digest::of(DigestAlgorithm::Sha1, &spki[spki.len() - 65..]);
        assert!(CertificateId::KeyId(hash.clone()).names(&certificate));
        assert!(!CertificateId::KeyId(hash[1..].to_vec()).names(&certificate));
        assert!(!CertificateId::KeyId(Vec::new()).names(&certificate));
    }
}
