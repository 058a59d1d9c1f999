//! Certificates made for tests, with whatever fields a test asks for.

use const_oid::ObjectIdentifier;
use sealgate_mail::Timestamp;

use crate::algorithms::SignatureAlgorithm;
use crate::asn1::{self, tag};
use crate::certificate::{Certificate, CertificateError};
use crate::key::{KeyKind, PrivateKey};

/// When test certificates are valid: a year around this moment.
pub(crate) const NOW: Timestamp = Timestamp(1_795_320_000);
const YEAR: i64 = 365 * 86_400;

/// What a certificate is to say.
pub(crate) struct Wanted<'a> {
    pub subject: Vec<u8>,
    pub issuer: Vec<u8>,
    pub spki: &'a [u8],
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub extensions: Vec<Vec<u8>>,
    /// Instead of the issuer key's usual one.
    pub algorithm: Option<SignatureAlgorithm>,
    /// 3, or 1 without extensions.
    pub version: u32,
    /// Content octets of the serial number, instead of ones made from subject and key.
    pub serial: Option<Vec<u8>>,
    /// The two elements of the validity, instead of the two moments.
    pub validity: Option<Vec<u8>>,
    /// The elements between the key and the extensions.
    pub unique_ids: Vec<u8>,
}

impl<'a> Wanted<'a> {
    pub fn new(subject: &str, issuer: &str, key: &'a PrivateKey) -> Self {
        Self {
            subject: name(&[("2.5.4.3", subject)]),
            issuer: name(&[("2.5.4.3", issuer)]),
            spki: key.spki_der(),
            not_before: NOW.plus(-YEAR),
            not_after: NOW.plus(YEAR),
            extensions: Vec::new(),
            algorithm: None,
            version: 3,
            serial: None,
            validity: None,
            unique_ids: Vec::new(),
        }
    }

    pub fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    pub fn by(&self, issuer: &PrivateKey) -> Certificate {
        self.try_by(issuer).unwrap()
    }

    pub fn try_by(&self, issuer: &PrivateKey) -> Result<Certificate, CertificateError> {
        let algorithm = self
            .algorithm
            .or(issuer.signature_algorithm(Default::default()))
            .unwrap();
        let identifier = algorithm.identifier().to_der();
        let moments = [asn1::time(self.not_before), asn1::time(self.not_after)].concat();
        let validity = asn1::sequence(&[self.validity.as_ref().unwrap_or(&moments)]);
        let extensions = asn1::tlv(tag::SEQUENCE, &self.extensions.concat());
        let extensions = if self.extensions.is_empty() {
            Vec::new()
        } else {
            asn1::tlv(tag::context_constructed(3), &extensions)
        };
        let version = match self.version {
            1 => Vec::new(),
            other => asn1::tlv(tag::context_constructed(0), &asn1::small(other - 1)),
        };
        let serial = match &self.serial {
            Some(octets) => asn1::tlv(tag::INTEGER, octets),
            None => asn1::unsigned(&self.usual_serial()),
        };
        let parts: [&[u8]; 9] = [
            &version,
            &serial,
            &identifier,
            &self.issuer,
            &validity,
            &self.subject,
            self.spki,
            &self.unique_ids,
            &extensions,
        ];
        let tbs = asn1::sequence(&parts);
        let signature = issuer.sign(algorithm, &tbs).unwrap();
        Certificate::from_der(&asn1::sequence(&[
            &tbs,
            &identifier,
            &asn1::bit_string(&signature),
        ]))
    }

    fn usual_serial(&self) -> Vec<u8> {
        let sha256 = crate::algorithms::DigestAlgorithm::Sha256;
        crate::aws::Digest::of(sha256, &[&self.subject, self.spki].concat())[..8].to_vec()
    }
}

pub(crate) fn key() -> PrivateKey {
    PrivateKey::generate(KeyKind::P256).unwrap()
}

pub(crate) fn name(parts: &[(&str, &str)]) -> Vec<u8> {
    let rdns: Vec<Vec<u8>> = parts
        .iter()
        .map(|(kind, value)| {
            let kind = asn1::oid(&ObjectIdentifier::new_unwrap(kind));
            asn1::set_of(vec![asn1::sequence(&[
                &kind,
                &asn1::tlv(tag::UTF8_STRING, value.as_bytes()),
            ])])
        })
        .collect();
    asn1::tlv(tag::SEQUENCE, &rdns.concat())
}

pub(crate) fn extension(oid: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let marked = if critical {
        asn1::tlv(tag::BOOLEAN, &[0xff])
    } else {
        Vec::new()
    };
    asn1::sequence(&[
        &asn1::oid(&ObjectIdentifier::new_unwrap(oid)),
        &marked,
        &asn1::octet_string(value),
    ])
}

/// subjectAltName with these rfc822Names.
pub(crate) fn addresses(texts: &[&str]) -> Vec<u8> {
    let names: Vec<Vec<u8>> = texts
        .iter()
        .map(|text| asn1::tlv(tag::context(1), text.as_bytes()))
        .collect();
    extension(
        "2.5.29.17",
        false,
        &asn1::tlv(tag::SEQUENCE, &names.concat()),
    )
}

/// subjectAltName with these rfc822Names and SmtpUTF8Mailboxes.
pub(crate) fn both_forms(names: &[&str], utf8: &[&str]) -> Vec<u8> {
    let oid = asn1::oid(&ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.8.9"));
    let utf8 = utf8.iter().map(|text| {
        let value = asn1::tlv(tag::UTF8_STRING, text.as_bytes());
        let value = asn1::tlv(tag::context_constructed(0), &value);
        asn1::constructed(tag::context_constructed(0), &[&oid, &value])
    });
    let plain = names
        .iter()
        .map(|text| asn1::tlv(tag::context(1), text.as_bytes()));
    let all: Vec<Vec<u8>> = plain.chain(utf8).collect();
    extension("2.5.29.17", false, &asn1::tlv(tag::SEQUENCE, &all.concat()))
}

/// extKeyUsage with one purpose.
pub(crate) fn purpose(oid: &str) -> Vec<u8> {
    extension(
        "2.5.29.37",
        false,
        &asn1::sequence(&[&asn1::oid(&ObjectIdentifier::new_unwrap(oid))]),
    )
}

/// keyUsage with the first eight bits as they stand in the octet.
pub(crate) fn key_usage(octet: u8) -> Vec<u8> {
    extension("2.5.29.15", true, &asn1::tlv(tag::BIT_STRING, &[0, octet]))
}

/// basicConstraints of an authority.
pub(crate) fn authority() -> Vec<u8> {
    extension(
        "2.5.29.19",
        true,
        &asn1::sequence(&[&asn1::tlv(tag::BOOLEAN, &[0xff])]),
    )
}

/// basicConstraints of an authority with so many others below it.
pub(crate) fn authority_above(path_length: u32) -> Vec<u8> {
    let ca = asn1::tlv(tag::BOOLEAN, &[0xff]);
    extension(
        "2.5.29.19",
        true,
        &asn1::sequence(&[&ca, &asn1::small(path_length)]),
    )
}

/// cRLDistributionPoints naming one.
pub(crate) fn revocation_list() -> Vec<u8> {
    let uri = asn1::tlv(tag::context(6), b"http://crl.example/a.crl");
    let point = asn1::tlv(
        tag::context_constructed(0),
        &asn1::tlv(tag::context_constructed(0), &uri),
    );
    extension(
        "2.5.29.31",
        false,
        &asn1::sequence(&[&asn1::sequence(&[&point])]),
    )
}

/// Randomness for tests, by the crypto library.
pub(crate) struct TestRandom;

impl rand_core::RngCore for TestRandom {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }
    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }
    fn fill_bytes(&mut self, out: &mut [u8]) {
        crate::aws::random(out).unwrap();
    }
}

impl rand_core::CryptoRng for TestRandom {}

/// All octets a source writes; its length must be what it says.
pub(crate) fn octets(source: &dyn sealgate_mail::Source) -> Vec<u8> {
    let mut out = Vec::new();
    source.write_to(&mut out).unwrap();
    assert_eq!(source.length().unwrap(), out.len() as u64);
    let mut again = Vec::new();
    source.write_to(&mut again).unwrap();
    assert_eq!(out, again);
    out
}
