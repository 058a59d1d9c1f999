//! OCSP (RFC 6960): the request for one certificate, and one answer as it came.

use const_oid::ObjectIdentifier;
use sealgate_mail::Timestamp;

use super::crl::{algorithm, may_prove};
use super::{Freshness, RevocationError};
use crate::algorithms::{AlgorithmIdentifier, DigestAlgorithm, SignatureAlgorithm, Switches};
use crate::asn1::{self, Asn1Error, Element, Reader, tag};
use crate::aws::{Digest, Signed};
use crate::certificate::Certificate;
use crate::extensions::key_usage;
use crate::limits;
use crate::name::DistinguishedName;
use crate::path::verify_signature;

const BASIC_RESPONSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
const OCSP_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9");

/// The request about `certificate`, which `issuer` made. Names are hashed with SHA-1, as responders expect it (RFC 5019 section
/// 2.1.1); the hash finds a certificate and protects nothing. No nonce: most responders sign beforehand, and the times in the answer
/// limit what can be replayed.
pub(super) fn request(certificate: &Certificate, issuer: &Certificate) -> Option<Vec<u8>> {
    let sha1 = DigestAlgorithm::Sha1;
    let algorithm = AlgorithmIdentifier {
        oid: sha1.row().oid,
        parameters: Some(asn1::null()),
    };
    let id = asn1::sequence(&[
        &algorithm.to_der(),
        &asn1::octet_string(&Digest::of(sha1, certificate.issuer_der())),
        &asn1::octet_string(&Digest::of(sha1, issuer.key_octets()?)),
        &asn1::tlv(tag::INTEGER, certificate.serial()),
    ]);
    let list = asn1::sequence(&[&asn1::sequence(&[&id])]);
    Some(asn1::sequence(&[&asn1::sequence(&[&list])]))
}

/// CertStatus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Good,
    Revoked(Timestamp),
    Unknown,
}

/// ResponderID.
#[derive(Debug)]
enum Responder {
    Name(Vec<Vec<u8>>),
    Key(Vec<u8>),
}

/// SingleResponse.
#[derive(Debug)]
pub(super) struct Single {
    digest: DigestAlgorithm,
    issuer_name: Vec<u8>,
    issuer_key: Vec<u8>,
    serial: Vec<u8>,
    pub(super) state: State,
    pub(super) freshness: Freshness,
}

/// A signed answer.
#[derive(Debug)]
pub(super) struct Answer {
    tbs: Vec<u8>,
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
    responder: Responder,
    produced: Timestamp,
    singles: Vec<Single>,
    certificates: Vec<Certificate>,
}

impl Answer {
    /// Reads an OCSPResponse (RFC 6960 section 4.2.1).
    pub(super) fn read(octets: &[u8]) -> Result<Self, RevocationError> {
        if octets.len() > limits::OCSP_OCTETS {
            return Err(RevocationError::TooLarge);
        }
        let mut outer = asn1::read_only(octets, tag::SEQUENCE)?.inside();
        let status = outer.expect(tag::ENUMERATED)?.content;
        if status != [0] {
            return Err(RevocationError::NoAnswer(status_name(status)));
        }
        let wrapped = outer.expect(tag::context_constructed(0))?;
        outer.finish()?;
        let mut response = asn1::read_only(wrapped.content, tag::SEQUENCE)?.inside();
        if response.expect(tag::OID)?.oid()? != BASIC_RESPONSE {
            return Err(RevocationError::Unsupported("another kind of answer"));
        }
        let basic = response.expect(tag::OCTET_STRING)?.content;
        response.finish()?;
        Self::read_basic(basic)
    }

    /// BasicOCSPResponse.
    fn read_basic(der: &[u8]) -> Result<Self, RevocationError> {
        let mut basic = asn1::read_only(der, tag::SEQUENCE)?.inside();
        let tbs = basic.expect(tag::SEQUENCE)?;
        let algorithm = algorithm(&AlgorithmIdentifier::read(&mut basic)?)?;
        let signature = basic.expect(tag::BIT_STRING)?.bit_string()?.to_vec();
        let certificates = match basic.optional(tag::context_constructed(0))? {
            Some(element) => read_certificates(&element)?,
            None => Vec::new(),
        };
        basic.finish()?;
        let mut data = tbs.inside();
        if let Some(version) = data.optional(tag::context_constructed(0))?
            && asn1::read_only(version.content, tag::INTEGER)?.small()? != 0
        {
            return Err(RevocationError::Unsupported("another version"));
        }
        let responder = read_responder(&data.any()?)?;
        let produced = data.expect(tag::GENERALIZED_TIME)?.time()?;
        let singles = data.expect(tag::SEQUENCE)?.inside().all()?;
        if singles.is_empty() || singles.len() > limits::OCSP_ANSWERS {
            return Err(RevocationError::Malformed("number of answers"));
        }
        let singles = singles.iter().map(read_single).collect::<Result<_, _>>()?;
        check_extensions(&mut data)?;
        data.finish()?;
        Ok(Self {
            tbs: tbs.raw.to_vec(),
            algorithm,
            signature,
            responder,
            produced,
            singles,
            certificates,
        })
    }

    /// When all it says counts.
    pub(super) fn freshness(&self) -> Freshness {
        let narrow = |so_far: Freshness, next: Freshness| Freshness {
            from: so_far.from.max(next.from),
            until: so_far.until.min(next.until),
        };
        let widest = Freshness {
            from: self.produced,
            until: Timestamp(i64::MAX),
        };
        self.singles
            .iter()
            .map(|single| single.freshness)
            .fold(widest, narrow)
    }

    /// When it was signed.
    pub(super) fn produced(&self) -> Timestamp {
        self.produced
    }

    /// What it says about `certificate`, which `issuer` made, as long as none of it is dated ahead of `at`. The signature is not
    /// judged here.
    pub(super) fn about(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        at: Timestamp,
    ) -> Vec<&Single> {
        let begun = |from: Timestamp| from.since(at) <= limits::CLOCK_TOLERANCE;
        let about = |single: &&Single| {
            begun(self.produced)
                && begun(single.freshness.from)
                && single.is_about(certificate, issuer)
        };
        self.singles.iter().filter(about).collect()
    }

    /// Who signed it, if it is `issuer` itself or a responder that `issuer` has put in charge (RFC 6960 section 4.2.2.2), good
    /// at `at` and by the algorithms that `switches` let in.
    pub(super) fn signer<'a>(
        &'a self,
        issuer: &'a Certificate,
        at: Timestamp,
        switches: Switches,
    ) -> Option<&'a Certificate> {
        let delegated = self
            .certificates
            .iter()
            .filter(|responder| self.is_from(responder))
            .filter(|responder| is_in_charge(responder, issuer, at, switches));
        let own = std::iter::once(issuer).filter(|issuer| self.is_from(issuer));
        own.chain(delegated).find(|signer| {
            may_prove(signer, self.algorithm, switches)
                && signer.public_key().is_some_and(|key| {
                    key.verify(self.algorithm, Signed::Message(&self.tbs), &self.signature)
                        .is_ok()
                })
        })
    }

    fn is_from(&self, certificate: &Certificate) -> bool {
        match &self.responder {
            Responder::Name(name) => *name == certificate.subject().normal(),
            Responder::Key(hash) => certificate
                .key_octets()
                .is_some_and(|key| *hash == Digest::of(DigestAlgorithm::Sha1, key)),
        }
    }
}

impl Single {
    fn is_about(&self, certificate: &Certificate, issuer: &Certificate) -> bool {
        self.serial == certificate.serial()
            && self.issuer_name == Digest::of(self.digest, certificate.issuer_der())
            && issuer
                .key_octets()
                .is_some_and(|key| self.issuer_key == Digest::of(self.digest, key))
    }
}

/// A certificate for signing answers, made by the same authority and good at `at`.
fn is_in_charge(
    responder: &Certificate,
    issuer: &Certificate,
    at: Timestamp,
    switches: Switches,
) -> bool {
    let extensions = responder.extensions();
    let named = extensions
        .purposes
        .as_ref()
        .is_some_and(|all| all.contains(&OCSP_SIGNING));
    let usage = extensions
        .key_usage
        .is_none_or(|bits| bits & key_usage::DIGITAL_SIGNATURE != 0);
    let (_, identifier, _) = responder.signed_parts();
    named
        && usage
        && extensions.unknown_critical.is_empty()
        && responder.valid_at(at)
        && algorithm(identifier).is_ok_and(|algorithm| may_prove(issuer, algorithm, switches))
        && responder.issuer().normal() == issuer.subject().normal()
        && verify_signature(responder, issuer)
}

fn status_name(status: &[u8]) -> &'static str {
    match status {
        [1] => "the request is malformed",
        [2] => "an internal error",
        [3] => "try later",
        [5] => "a signature is required",
        [6] => "not authorised",
        _ => "an unknown status",
    }
}

/// Certificates that cannot be read are of no use and do no harm.
fn read_certificates(element: &Element<'_>) -> Result<Vec<Certificate>, RevocationError> {
    let all = asn1::read_only(element.content, tag::SEQUENCE)?
        .inside()
        .all()?;
    if all.len() > limits::OCSP_CERTIFICATES {
        return Err(RevocationError::Malformed("number of certificates"));
    }
    Ok(all
        .iter()
        .filter_map(|one| Certificate::from_der(one.raw).ok())
        .collect())
}

fn read_responder(element: &Element<'_>) -> Result<Responder, Asn1Error> {
    if element.tag == tag::context_constructed(1) {
        let name = DistinguishedName::from_der(element.content)?;
        return Ok(Responder::Name(name.normal()));
    }
    if element.tag == tag::context_constructed(2) {
        let hash = asn1::read_only(element.content, tag::OCTET_STRING)?;
        return Ok(Responder::Key(hash.content.to_vec()));
    }
    Err(Asn1Error("a responder"))
}

fn read_single(element: &Element<'_>) -> Result<Single, RevocationError> {
    let mut fields = element.inside();
    let mut id = fields.expect(tag::SEQUENCE)?.inside();
    let digest = AlgorithmIdentifier::read(&mut id)?;
    let digest =
        DigestAlgorithm::from_algorithm_identifier(&digest.oid, digest.parameters.as_deref())
            .map_err(|_| RevocationError::Unsupported("a digest"))?;
    let issuer_name = id.expect(tag::OCTET_STRING)?.content.to_vec();
    let issuer_key = id.expect(tag::OCTET_STRING)?.content.to_vec();
    let serial = id.expect(tag::INTEGER)?.content.to_vec();
    id.finish()?;
    let state = read_state(&fields.any()?)?;
    let from = fields.expect(tag::GENERALIZED_TIME)?.time()?;
    let until = match fields.optional(tag::context_constructed(0))? {
        Some(next) => asn1::read_only(next.content, tag::GENERALIZED_TIME)?.time()?,
        // RFC 6960 section 4.2.2.1: newer information is available all the time.
        None => from.plus(limits::OCSP_WITHOUT_END),
    };
    check_extensions(&mut fields)?;
    fields.finish()?;
    Ok(Single {
        digest,
        issuer_name,
        issuer_key,
        serial,
        state,
        freshness: Freshness { from, until },
    })
}

fn read_state(element: &Element<'_>) -> Result<State, Asn1Error> {
    if element.tag == tag::context(0) {
        Ok(State::Good)
    } else if element.tag == tag::context_constructed(1) {
        let time = element.inside().expect(tag::GENERALIZED_TIME)?.time()?;
        Ok(State::Revoked(time))
    } else if element.tag == tag::context(2) {
        Ok(State::Unknown)
    } else {
        Err(Asn1Error("a certificate status"))
    }
}

/// Extensions of an answer: none that is critical is known, and none that is not needs to be.
fn check_extensions(fields: &mut Reader<'_>) -> Result<(), RevocationError> {
    let Some(element) = fields.optional(tag::context_constructed(1))? else {
        return Ok(());
    };
    for extension in asn1::read_only(element.content, tag::SEQUENCE)?
        .inside()
        .all()?
    {
        let mut inside = extension.inside();
        inside.expect(tag::OID)?;
        let critical = inside.optional(tag::BOOLEAN)?;
        if critical.is_some_and(|e| e.boolean() != Ok(false)) {
            return Err(RevocationError::Unsupported("a critical extension"));
        }
    }
    Ok(())
}
