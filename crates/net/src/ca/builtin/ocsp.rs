//! OCSP as a responder speaks it (RFC 6960 section 4): requests read, answers written.

use const_oid::ObjectIdentifier;
use sealgate_core::authority::RevocationReason;
use sealgate_mail::Timestamp;
use sealgate_smime::algorithms::{AlgorithmIdentifier, DigestAlgorithm};
use sealgate_smime::asn1::{self, Asn1Error, Element, Reader, tag};
use sealgate_smime::aws::Digest;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::{KeyError, PrivateKey};

use super::profile::{extension, oid, signed};
use crate::limits::{NONCE_OCTETS, OCSP_SERIAL_OCTETS, OCSP_SINGLE_REQUESTS};

const BASIC_RESPONSE: &str = "1.3.6.1.5.5.7.48.1.1";
const NONCE: &str = "1.3.6.1.5.5.7.48.1.2";

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// About which certificates, in their order; at least one.
    pub asked: Vec<Asked>,
    /// The value of the nonce extension, to be given back (RFC 9654).
    pub nonce: Option<Vec<u8>>,
}

/// One certificate that is asked about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// CertID as it came.
    id: Vec<u8>,
    digest: Option<DigestAlgorithm>,
    issuer_name: Vec<u8>,
    issuer_key: Vec<u8>,
    /// Content octets of the serial number.
    pub serial: Vec<u8>,
}

impl Request {
    /// Reads an OCSPRequest (RFC 6960 section 4.1.1). A signature on it is not asked for, and not looked at.
    pub fn read(octets: &[u8]) -> Result<Self, Asn1Error> {
        let mut outer = asn1::read_only(octets, tag::SEQUENCE)?.inside();
        let mut inside = outer.expect(tag::SEQUENCE)?.inside();
        outer.optional(tag::context_constructed(0))?;
        outer.finish()?;
        if let Some(version) = inside.optional(tag::context_constructed(0))?
            && asn1::read_only(version.content, tag::INTEGER)?.small()? != 0
        {
            return Err(Asn1Error("another version"));
        }
        inside.optional(tag::context_constructed(1))?;
        let list = inside.expect(tag::SEQUENCE)?.inside().all()?;
        if list.is_empty() || list.len() > OCSP_SINGLE_REQUESTS {
            return Err(Asn1Error("number of requests"));
        }
        let asked = list.iter().map(Asked::read).collect::<Result<_, _>>()?;
        let nonce = read_nonce(&mut inside)?;
        inside.finish()?;
        Ok(Self { asked, nonce })
    }
}

impl Asked {
    /// Request and CertID; its own extensions are of no use here.
    fn read(element: &Element<'_>) -> Result<Self, Asn1Error> {
        let mut fields = element.inside();
        let id = fields.expect(tag::SEQUENCE)?;
        read_extensions(&mut fields, 0, |_, _| Ok(()))?;
        fields.finish()?;
        let mut inside = id.inside();
        let digest = AlgorithmIdentifier::read(&mut inside)?;
        let digest =
            DigestAlgorithm::from_algorithm_identifier(&digest.oid, digest.parameters.as_deref());
        let issuer_name = inside.expect(tag::OCTET_STRING)?.content.to_vec();
        let issuer_key = inside.expect(tag::OCTET_STRING)?.content.to_vec();
        let serial = inside.expect(tag::INTEGER)?.content.to_vec();
        inside.finish()?;
        if !(1..=OCSP_SERIAL_OCTETS).contains(&serial.len()) {
            return Err(Asn1Error("length of a serial number"));
        }
        Ok(Self {
            id: id.raw.to_vec(),
            digest: digest.ok(),
            issuer_name,
            issuer_key,
            serial,
        })
    }

    /// Whether it is about a certificate that `issuer` made.
    pub fn is_of(&self, issuer: &Certificate) -> bool {
        let Some(digest @ (DigestAlgorithm::Sha1 | DigestAlgorithm::Sha256)) = self.digest else {
            return false;
        };
        let hashed = |octets: &[u8]| Digest::of(digest, octets);
        self.issuer_name == hashed(issuer.subject_der())
            && issuer
                .key_octets()
                .is_some_and(|key| self.issuer_key == hashed(key))
    }
}

/// The nonce among the extensions of a request: 1 to 128 octets, and only one (RFC 9654 section 2.1, RFC 5280 section 4.2).
fn read_nonce(fields: &mut Reader<'_>) -> Result<Option<Vec<u8>>, Asn1Error> {
    let mut nonce = None;
    read_extensions(fields, 2, |kind, value| {
        if kind == ObjectIdentifier::new_unwrap(NONCE) {
            let octets = asn1::read_only(value, tag::OCTET_STRING)?.content;
            if !(1..=NONCE_OCTETS).contains(&octets.len()) {
                return Err(Asn1Error("length of a nonce"));
            }
            if nonce.replace(value.to_vec()).is_some() {
                return Err(Asn1Error("two nonces"));
            }
        }
        Ok(())
    })?;
    Ok(nonce)
}

/// Goes through optional extensions under a context tag. None may be critical but the nonce: we would not know what it asks for.
fn read_extensions(
    fields: &mut Reader<'_>,
    number: u8,
    mut each: impl FnMut(ObjectIdentifier, &[u8]) -> Result<(), Asn1Error>,
) -> Result<(), Asn1Error> {
    let Some(element) = fields.optional(tag::context_constructed(number))? else {
        return Ok(());
    };
    let all = asn1::read_only(element.content, tag::SEQUENCE)?.inside();
    for one in all.all()? {
        let mut inside = one.inside();
        let kind = inside.expect(tag::OID)?.oid()?;
        let critical = inside.optional(tag::BOOLEAN)?;
        let critical = critical.is_some_and(|flag| flag.boolean() != Ok(false));
        if critical && kind != ObjectIdentifier::new_unwrap(NONCE) {
            return Err(Asn1Error("an unknown critical extension"));
        }
        let value = inside.expect(tag::OCTET_STRING)?.content;
        inside.finish()?;
        each(kind, value)?;
    }
    Ok(())
}

/// CertStatus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Good,
    Revoked(Timestamp, RevocationReason),
    Unknown,
}

/// Why there is no answer (RFC 6960 section 4.2.1: OCSPResponseStatus).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// The request cannot be read.
    Malformed = 1,
    /// The register cannot be read now.
    TryLater = 3,
    /// It is about other issuers only.
    Unauthorized = 6,
}

impl NoAnswer {
    /// OCSPResponse without responseBytes.
    pub fn to_der(self) -> Vec<u8> {
        asn1::sequence(&[&asn1::tlv(tag::ENUMERATED, &[self as u8])])
    }
}

/// When an answer was made, and until when it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub from: Timestamp,
    pub until: Timestamp,
}

/// A responder with its certificate.
pub(super) struct Signer {
    pub certificate: Certificate,
    pub key: PrivateKey,
}

/// The OCSPResponse to `request`; `statuses` in the order of what is asked.
pub(super) fn answer(
    request: &Request,
    statuses: &[Status],
    window: Window,
    signer: &Signer,
) -> Result<Vec<u8>, KeyError> {
    let key = signer.certificate.key_octets().unwrap_or_default();
    // ResponderID by key: SHA-1 of it (RFC 6960 section 4.2.1).
    let responder = asn1::octet_string(&Digest::of(DigestAlgorithm::Sha1, key));
    let singles: Vec<Vec<u8>> = request
        .asked
        .iter()
        .zip(statuses)
        .map(|(asked, status)| single(asked, *status, window))
        .collect();
    let extensions = request.nonce.as_ref().map_or_else(Vec::new, |nonce| {
        let list = asn1::sequence(&[&extension(NONCE, false, nonce)]);
        asn1::tlv(tag::context_constructed(1), &list)
    });
    let data = asn1::sequence(&[
        &asn1::tlv(tag::context_constructed(2), &responder),
        &asn1::generalized_time(window.from),
        &asn1::tlv(tag::SEQUENCE, &singles.concat()),
        &extensions,
    ]);
    let certificates = asn1::sequence(&[signer.certificate.der()]);
    let basic = asn1::sequence(&[
        &signed(&signer.key, |_| data)?,
        &asn1::tlv(tag::context_constructed(0), &certificates),
    ]);
    let bytes = asn1::sequence(&[&oid(BASIC_RESPONSE), &asn1::octet_string(&basic)]);
    Ok(asn1::sequence(&[
        &asn1::tlv(tag::ENUMERATED, &[0]),
        &asn1::tlv(tag::context_constructed(0), &bytes),
    ]))
}

/// SingleResponse.
fn single(asked: &Asked, status: Status, window: Window) -> Vec<u8> {
    let status = match status {
        Status::Good => asn1::tlv(tag::context(0), &[]),
        // A later time is of a clock that was wrong: nobody may take it as not revoked yet.
        Status::Revoked(at, reason) => revoked(at.min(window.from), reason),
        Status::Unknown => asn1::tlv(tag::context(2), &[]),
    };
    let until = asn1::generalized_time(window.until);
    asn1::sequence(&[
        &asked.id,
        &status,
        &asn1::generalized_time(window.from),
        &asn1::tlv(tag::context_constructed(0), &until),
    ])
}

/// RevokedInfo.
fn revoked(at: Timestamp, reason: RevocationReason) -> Vec<u8> {
    let reason = match reason {
        RevocationReason::Unspecified => Vec::new(),
        reason => {
            let code = asn1::tlv(tag::ENUMERATED, &[reason.code()]);
            asn1::tlv(tag::context_constructed(0), &code)
        }
    };
    asn1::constructed(
        tag::context_constructed(1),
        &[&asn1::generalized_time(at), &reason],
    )
}
