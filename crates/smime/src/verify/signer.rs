//! The judgement on signers: digest, attributes, signature, path, address, in this order.

use super::{Note, SignatureReport, SignerReport, VerifyInput};
use crate::algorithms::{
    AlgorithmError, AlgorithmIdentifier, DigestAlgorithm, SignatureAlgorithm, Standing,
};
use crate::asn1::{Asn1Error, Reader, tag};
use crate::aws::{Digest, Signed};
use crate::certificate::Certificate;
use crate::cms::{Attributes, CertificateId, ContentType, SignedHead, SignedTail, SignerInfo};
use crate::error::{Fault, ReadError};
use crate::limits;
use crate::path::{self, PathFailure, Purpose, Revocation};
use crate::verdict::SignatureVerdict;
use const_oid::ObjectIdentifier;
use sealgate_mail::Timestamp;
use std::io::{self, Write};

// RFC 5652 section 11.
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");
// RFC 8551 sections 2.5.2 and 2.5.3.
const SMIME_CAPABILITIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.15");
const ENCRYPTION_KEY_PREFERENCE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.11");
// RFC 5035 sections 5.4.1 and 5.4.
const SIGNING_CERTIFICATE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");

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
    content_type_oid: Vec<u8>,
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
struct Rejected(SignatureVerdict, &'static str);

impl Rejected {
    const fn broken(reason: &'static str) -> Self {
        Self(SignatureVerdict::Broken, reason)
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

/// Row C5: all signers must verify and the sender must be among them. Row C6: no signer is `broken`.
pub(super) fn judge_signers(
    tail: SignedTail,
    covered: &Covered,
    input: &VerifyInput<'_>,
) -> SignatureReport {
    let certificates = read_certificates(&tail.certificates);
    let bag = [certificates.as_slice(), input.known].concat();
    let judge = |info: &SignerInfo| judge_signer(info, covered, &bag, input);
    let signers: Vec<SignerReport> = tail.signers.iter().map(judge).collect();
    if signers.is_empty() {
        return SignatureReport {
            certificates,
            ..SignatureReport::broken("a signature without signers")
        };
    }
    SignatureReport {
        verdict: SignatureVerdict::combine(signers.iter().map(|signer| signer.verdict)),
        notes: notes(&signers, input.date),
        signers,
        certificates,
        fault: None::<Fault>,
    }
}

fn notes(signers: &[SignerReport], date: Option<Timestamp>) -> Vec<Note> {
    let far = |time: Timestamp| {
        date.is_some_and(|date| time.since(date).unsigned_abs() > limits::SIGNING_TIME_WINDOW)
    };
    let any_far = signers
        .iter()
        .filter_map(|signer| signer.signing_time)
        .any(far);
    if any_far {
        vec![Note::SigningTimeFarFromDate]
    } else {
        Vec::new()
    }
}

fn judge_signer(
    info: &SignerInfo,
    covered: &Covered,
    bag: &[Certificate],
    input: &VerifyInput<'_>,
) -> SignerReport {
    let mut report = SignerReport {
        verdict: SignatureVerdict::Broken,
        reason: "",
        signer: info.signer.clone(),
        certificate: bag
            .iter()
            .find(|certificate| info.signer.names(certificate))
            .cloned(),
        path: None,
        signing_time: None,
        capabilities: None,
        encryption_preference: None,
        digest: None,
        algorithm: None,
    };
    let outcome = check_signer(&mut report, info, covered)
        .and_then(|certificate| judge_path(&mut report, certificate, bag, input));
    (report.verdict, report.reason) = match outcome {
        Ok(()) => (SignatureVerdict::Valid, ""),
        Err(Rejected(verdict, reason)) => (verdict, reason),
    };
    report
}

/// The cryptography: gives the certificate whose key made the signature.
fn check_signer(
    report: &mut SignerReport,
    info: &SignerInfo,
    covered: &Covered,
) -> Result<Certificate, Rejected> {
    let digest = DigestAlgorithm::from_algorithm_identifier(
        &info.digest.oid,
        info.digest.parameters.as_deref(),
    )?;
    report.digest = Some(digest);
    let (oid, parameters) = (
        &info.signature_algorithm.oid,
        info.signature_algorithm.parameters.as_deref(),
    );
    let algorithm = SignatureAlgorithm::from_signer(oid, parameters, digest)?;
    report.algorithm = Some(algorithm);
    let certificate = report
        .certificate
        .clone()
        .ok_or(Rejected::broken("the signer's certificate is missing"))?;
    let content_digest = covered.digest(digest)?;
    let signed = match &info.signed_attributes {
        Some(attributes) => {
            check_attributes(attributes, covered, content_digest)?;
            read_attributes(report, attributes)?;
            check_signing_certificate(attributes, &certificate)?;
            Signed::Message(attributes.signed_octets())
        }
        None => {
            covered.may_lack_attributes()?;
            Signed::Digest(content_digest)
        }
    };
    if algorithm == SignatureAlgorithm::Ed25519 && info.signed_attributes.is_none() {
        return Err(Rejected(
            SignatureVerdict::Unsupported,
            "Ed25519 without signed attributes",
        ));
    }
    let key = certificate.public_key().ok_or(Rejected(
        SignatureVerdict::Unsupported,
        "a key that is not supported",
    ))?;
    key.verify(algorithm, signed, &info.signature)
        .map_err(|_| Rejected::broken("the signature does not fit"))?;
    if [algorithm.row().reading, digest.row().reading]
        .iter()
        .any(|standing| *standing != Standing::Accept)
    {
        return Err(Rejected(SignatureVerdict::Weak, "a weak algorithm"));
    }
    if covered.content_type != ContentType::Data {
        return Err(Rejected(
            SignatureVerdict::Unsupported,
            "signed content that is no MIME entity",
        ));
    }
    Ok(certificate)
}

/// RFC 5652 section 5.6: both must be there, once, and fit.
fn check_attributes(
    attributes: &Attributes,
    covered: &Covered,
    content_digest: &[u8],
) -> Result<(), Rejected> {
    let value = attributes
        .single(&CONTENT_TYPE)?
        .ok_or(Rejected::broken("no content-type attribute"))?;
    if Reader::new(value).expect(tag::OID)?.content != covered.content_type_oid {
        return Err(Rejected::broken("another content type than was signed"));
    }
    let value = attributes
        .single(&MESSAGE_DIGEST)?
        .ok_or(Rejected::broken("no message-digest attribute"))?;
    if Reader::new(value).expect(tag::OCTET_STRING)?.content != content_digest {
        return Err(Rejected::broken("the content was changed"));
    }
    Ok(())
}

/// What the signer says besides; a signing time that cannot be read breaks the signature (row C15).
fn read_attributes(report: &mut SignerReport, attributes: &Attributes) -> Result<(), Rejected> {
    report.signing_time = match attributes.single(&SIGNING_TIME)? {
        Some(value) => Some(Reader::new(value).any()?.time()?),
        None => None,
    };
    report.capabilities = attributes.single(&SMIME_CAPABILITIES)?.map(<[u8]>::to_vec);
    let preference = attributes.single(&ENCRYPTION_KEY_PREFERENCE)?;
    report.encryption_preference = preference.and_then(|value| read_preference(value).ok());
    Ok(())
}

/// SMIMEEncryptionKeyPreference (RFC 8551 section 2.5.3; the tags are implicit).
fn read_preference(value: &[u8]) -> Result<CertificateId, ReadError> {
    let preference = Reader::new(value).any()?;
    if preference.tag == tag::context_constructed(0) {
        return CertificateId::issuer_serial(preference.inside());
    }
    if preference.tag == tag::context_constructed(1) {
        return Ok(CertificateId::KeyId(
            preference
                .inside()
                .expect(tag::OCTET_STRING)?
                .content
                .to_vec(),
        ));
    }
    if preference.tag == tag::context(2) {
        return Ok(CertificateId::KeyId(preference.content.to_vec()));
    }
    Err(ReadError::malformed("an encryption key preference"))
}

/// RFC 5035 sections 4 and 5.4: the first certificate named must be the signer's.
fn check_signing_certificate(
    attributes: &Attributes,
    certificate: &Certificate,
) -> Result<(), Rejected> {
    let other = Rejected::broken("another certificate than the signer meant");
    if let Some(value) = attributes.single(&SIGNING_CERTIFICATE_V2)? {
        let mut id = first_certificate_id(value)?;
        let digest = match id.optional(tag::SEQUENCE)? {
            Some(algorithm) => {
                let algorithm = AlgorithmIdentifier::from_der(algorithm.raw)?;
                DigestAlgorithm::from_algorithm_identifier(
                    &algorithm.oid,
                    algorithm.parameters.as_deref(),
                )?
            }
            None => DigestAlgorithm::Sha256,
        };
        if id.expect(tag::OCTET_STRING)?.content != Digest::of(digest, certificate.der()) {
            return Err(other);
        }
    }
    if let Some(value) = attributes.single(&SIGNING_CERTIFICATE)? {
        let hash = first_certificate_id(value)?.expect(tag::OCTET_STRING)?;
        if hash.content != Digest::of(DigestAlgorithm::Sha1, certificate.der()) {
            return Err(other);
        }
    }
    Ok(())
}

fn first_certificate_id(value: &[u8]) -> Result<Reader<'_>, Asn1Error> {
    let mut list = Reader::new(value)
        .expect(tag::SEQUENCE)?
        .inside()
        .expect(tag::SEQUENCE)?
        .inside();
    Ok(list.expect(tag::SEQUENCE)?.inside())
}

/// Trust, time, purpose and whose address. An address that does not fit goes before a revocation answer that is
/// missing, so that `revocation-unknown` means: all else is as for `valid`.
fn judge_path(
    report: &mut SignerReport,
    certificate: Certificate,
    bag: &[Certificate],
    input: &VerifyInput<'_>,
) -> Result<(), Rejected> {
    let path = path::judge(&certificate, bag, input.anchors, Purpose::Sign, input.at)
        .map_err(|failure| reject_path(&failure))?;
    let revocation = path.revocation();
    report.path = Some(path);
    let addresses = certificate.addresses();
    if addresses.is_empty() {
        return Err(Rejected(
            SignatureVerdict::ValidNoAddress,
            "the certificate carries no address",
        ));
    }
    // Row C8: without exactly one From address nothing can fit.
    if !input.from.is_some_and(|from| addresses.contains(from)) {
        return Err(Rejected(
            SignatureVerdict::ValidOtherAddress,
            "the certificate does not name the From address",
        ));
    }
    match revocation {
        Revocation::NotNamed => Ok(()),
        Revocation::Unknown => Err(Rejected(
            SignatureVerdict::RevocationUnknown,
            "revocation could not be asked",
        )),
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
