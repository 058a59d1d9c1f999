//! What the certificates of the built-in CA say (RFC 5280 section 4, RFC 8550 section 4.4): root, issuing CA, mailbox, and
//! responder for OCSP. Mailbox certificates follow the profile "mailbox-validated, strict" of the CA/Browser Forum's S/MIME
//! Baseline Requirements as far as a private CA can.
//!
//! Root and issuing CA have RSA keys of 3,072 bits signing with SHA-256: every S/MIME client in use verifies these,
//! while elliptic curves in the chain still fail in some. The two keys are made once for an installation, which takes
//! about a second. A mailbox key may be of any kind that signs.

use const_oid::ObjectIdentifier;
use sealgate_mail::{Address, Timestamp};
use sealgate_smime::algorithms::{DigestAlgorithm, PublicKeyKind};
use sealgate_smime::asn1::{self, Asn1Error, tag};
use sealgate_smime::aws::{self, Digest};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::{KeyError, KeyKind, PrivateKey, PublicKey};

use super::addresses::{Addresses, Resource};
use super::{Ca, CaError};
use crate::limits::{
    CERTIFICATE_BACKDATING, CERTIFIED_LOCAL_PART, COMMON_NAME_CHARS, ISSUING_VALIDITY,
    MAILBOX_RSA_BITS, MAILBOX_VALIDITY, RESPONDER_VALIDITY, ROOT_VALIDITY, SERIAL_OCTETS,
};

/// Makes a root and an issuing CA that bear `name`, valid from `now`. Takes about a second.
pub fn make_ca(name: &str, addresses: Option<&Addresses>, now: Timestamp) -> Result<Ca, CaError> {
    let root_key = PrivateKey::generate(KeyKind::Rsa3072)?;
    let root_name = authority_name(name, "S/MIME Root CA");
    let root = Contents {
        issuer: root_name.clone(),
        subject: root_name,
        validity: validity(now, now.plus(ROOT_VALIDITY)),
        spki: root_key.spki_der(),
        extensions: authority_extensions(root_key.spki_der(), 1)?,
    };
    let root_certificate = root.sign(&root_key)?;
    let issuing_key = PrivateKey::generate(KeyKind::Rsa3072)?;
    let mut extensions = authority_extensions(issuing_key.spki_der(), 0)?;
    extensions.extend([
        authority_key_id(root_key.spki_der())?,
        policies(ANY_POLICY),
        purpose(EMAIL_PROTECTION),
    ]);
    if let Some(addresses) = addresses {
        let issuers = (CA_ISSUERS, Resource::RootCertificate);
        extensions.push(access(addresses, &[issuers]));
        extensions.push(list_at(&addresses.of(Resource::RootList)));
    }
    let issuing = Contents {
        issuer: root_certificate.subject_der().to_vec(),
        subject: authority_name(name, "S/MIME Issuing CA"),
        validity: validity(now, now.plus(ISSUING_VALIDITY)),
        spki: issuing_key.spki_der(),
        extensions,
    };
    let issuing_certificate = issuing.sign(&root_key)?;
    Ok(Ca {
        root_certificate,
        root_key,
        issuing_certificate,
        issuing_key,
    })
}

/// Certifies that `spki`, a SubjectPublicKeyInfo in DER, belongs to `address`: for a year, or as long as the issuing CA
/// lasts. That the mailbox holds the private key, and is the organisation's, is for the caller to know.
pub fn issue(
    ca: &Ca,
    addresses: Option<&Addresses>,
    address: &Address,
    spki: &[u8],
    now: Timestamp,
) -> Result<Certificate, CaError> {
    let issuer = &ca.issuing_certificate;
    if !issuer.valid_at(now) {
        return Err(CaError::NotValid);
    }
    let kind = PublicKey::from_spki(spki).ok().and_then(|key| key.kind());
    let usage = mailbox_usage(kind.ok_or(CaError::MailboxKey)?)?;
    let subject = mailbox_name(address);
    let mut extensions = vec![
        key_id(spki)?,
        authority_key_id(ca.issuing_key.spki_der())?,
        extension(KEY_USAGE, true, &usage),
        extension(BASIC_CONSTRAINTS, true, &asn1::sequence(&[])),
        policies(MAILBOX_STRICT),
        purpose(EMAIL_PROTECTION),
        // RFC 5280 section 4.1.2.6: critical where the subject is empty.
        extension(
            SUBJECT_ALT_NAME,
            subject == asn1::sequence(&[]),
            &asn1::sequence(&[&general_name(address)]),
        ),
    ];
    if let Some(addresses) = addresses {
        let issuers = (CA_ISSUERS, Resource::IssuingCertificate);
        extensions.push(access(addresses, &[(OCSP, Resource::Ocsp), issuers]));
        extensions.push(list_at(&addresses.of(Resource::IssuingList)));
    }
    let contents = Contents {
        issuer: issuer.subject_der().to_vec(),
        validity: validity(now, now.plus(MAILBOX_VALIDITY).min(issuer.not_after())),
        spki,
        extensions,
        subject,
    };
    let certificate = contents.sign(&ca.issuing_key)?;
    if certificate.may_sign().is_err() {
        return Err(CaError::MailboxKey);
    }
    // Nobody would find a mailbox in it that we do not find ourselves, as with a quoted local part.
    let short = address.local().len() <= CERTIFIED_LOCAL_PART;
    if short && certificate.addresses() == [address.clone()] {
        Ok(certificate)
    } else {
        Err(CaError::Address)
    }
}

/// Puts `spki` in charge of answers about the issuing CA's certificates for a few days (RFC 6960 section 4.2.2.2).
pub fn responder(ca: &Ca, spki: &[u8], now: Timestamp) -> Result<Certificate, CaError> {
    let issuer = &ca.issuing_certificate;
    if !issuer.valid_at(now) {
        return Err(CaError::NotValid);
    }
    let name = issuer.subject().common_name().unwrap_or_default();
    let name = shortened(&format!("OCSP for {name}"), COMMON_NAME_CHARS);
    let contents = Contents {
        issuer: issuer.subject_der().to_vec(),
        subject: asn1::sequence(&[&attribute(COMMON_NAME, &name)]),
        validity: validity(now, now.plus(RESPONDER_VALIDITY).min(issuer.not_after())),
        spki,
        extensions: vec![
            key_id(spki)?,
            authority_key_id(ca.issuing_key.spki_der())?,
            // digitalSignature (0).
            extension(KEY_USAGE, true, &named_bits(0b1000_0000)),
            extension(BASIC_CONSTRAINTS, true, &asn1::sequence(&[])),
            purpose(OCSP_SIGNING),
            // RFC 6960 section 4.2.2.2.1: it lives shorter than anybody would ask about it.
            extension(OCSP_NO_CHECK, false, &asn1::null()),
        ],
    };
    contents.sign(&ca.issuing_key)
}

const SUBJECT_KEY_ID: &str = "2.5.29.14";
const KEY_USAGE: &str = "2.5.29.15";
const SUBJECT_ALT_NAME: &str = "2.5.29.17";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const DISTRIBUTION_POINTS: &str = "2.5.29.31";
const POLICIES: &str = "2.5.29.32";
const ANY_POLICY: &str = "2.5.29.32.0";
const AUTHORITY_KEY_ID: &str = "2.5.29.35";
const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
const INFORMATION_ACCESS: &str = "1.3.6.1.5.5.7.1.1";
const EMAIL_PROTECTION: &str = "1.3.6.1.5.5.7.3.4";
const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";
const SMTP_UTF8_MAILBOX: &str = "1.3.6.1.5.5.7.8.9";
const OCSP: &str = "1.3.6.1.5.5.7.48.1";
const OCSP_NO_CHECK: &str = "1.3.6.1.5.5.7.48.1.5";
const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";
/// S/MIME Baseline Requirements section 7.1.6.1: mailbox-validated, strict.
const MAILBOX_STRICT: &str = "2.23.140.1.5.1.3";
const ORGANISATION: &str = "2.5.4.10";
const COMMON_NAME: &str = "2.5.4.3";

/// What a certificate says, each part as DER.
struct Contents<'k> {
    issuer: Vec<u8>,
    subject: Vec<u8>,
    validity: Vec<u8>,
    spki: &'k [u8],
    extensions: Vec<Vec<u8>>,
}

impl Contents<'_> {
    /// `Certificate` (RFC 5280 section 4.1), read back before it is given away.
    fn sign(&self, key: &PrivateKey) -> Result<Certificate, CaError> {
        let extensions: Vec<&[u8]> = self.extensions.iter().map(Vec::as_slice).collect();
        let (version, serial) = (asn1::small(2), serial()?);
        let signed = signed(key, |identifier| {
            asn1::sequence(&[
                &asn1::tlv(tag::context_constructed(0), &version),
                &serial,
                identifier,
                &self.issuer,
                &self.validity,
                &self.subject,
                self.spki,
                &asn1::tlv(tag::context_constructed(3), &asn1::sequence(&extensions)),
            ])
        })?;
        Ok(Certificate::from_der(&asn1::sequence(&[&signed]))?)
    }
}

/// What X.509 and OCSP sign: `to_be_signed`, which may hold the algorithm's identifier, that identifier, and the signature, one
/// after the other.
pub(super) fn signed(
    key: &PrivateKey,
    to_be_signed: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Result<Vec<u8>, KeyError> {
    let algorithm = key
        .signature_algorithm(Default::default())
        .ok_or(KeyError::WrongKind)?;
    let identifier = algorithm.identifier().to_der();
    let to_be_signed = to_be_signed(&identifier);
    let signature = key.sign(algorithm, &to_be_signed)?;
    Ok([to_be_signed, identifier, asn1::bit_string(&signature)].concat())
}

/// RFC 5280 section 4.1.2.2: positive, at most 20 octets, here of one length.
fn serial() -> Result<Vec<u8>, CaError> {
    let mut octets = [0; SERIAL_OCTETS];
    aws::random(&mut octets).map_err(KeyError::from)?;
    let [first, ..] = &mut octets;
    *first = *first & 0x7f | 0x40;
    Ok(asn1::unsigned(&octets))
}

fn validity(now: Timestamp, until: Timestamp) -> Vec<u8> {
    asn1::sequence(&[
        &asn1::time(now.plus(-CERTIFICATE_BACKDATING)),
        &asn1::time(until),
    ])
}

/// One RDN with one attribute (RFC 5280 section 4.1.2.4: UTF8String).
fn attribute(kind: &str, text: &str) -> Vec<u8> {
    let attribute = asn1::sequence(&[&oid(kind), &asn1::tlv(tag::UTF8_STRING, text.as_bytes())]);
    asn1::set_of(vec![attribute])
}

/// `O=name, CN=name S/MIME ... CA`, each within 64 characters (RFC 5280 appendix A.1: ub-common-name).
pub(super) fn authority_name(name: &str, role: &str) -> Vec<u8> {
    let room = COMMON_NAME_CHARS.saturating_sub(role.len().saturating_add(1));
    let short = shortened(name, room);
    if short.is_empty() {
        return asn1::sequence(&[&attribute(COMMON_NAME, role)]);
    }
    asn1::sequence(&[
        &attribute(ORGANISATION, &short),
        &attribute(COMMON_NAME, &format!("{short} {role}")),
    ])
}

/// At most so many characters of `text`, none of which controls.
fn shortened(text: &str, most: usize) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let short: String = clean.trim().chars().take(most).collect();
    short.trim().to_owned()
}

/// `CN=address`, or empty where it is too long for a common name.
fn mailbox_name(address: &Address) -> Vec<u8> {
    let text = address.to_string();
    if text.chars().count() > COMMON_NAME_CHARS {
        return asn1::sequence(&[]);
    }
    asn1::sequence(&[&attribute(COMMON_NAME, &text)])
}

/// rfc822Name (RFC 5280 section 4.2.1.6), or SmtpUTF8Mailbox where the local part is not ASCII (RFC 9598 section 3).
fn general_name(address: &Address) -> Vec<u8> {
    let text = address.to_string();
    if address.is_ascii() {
        return asn1::tlv(tag::context(1), text.as_bytes());
    }
    let mailbox = asn1::tlv(
        tag::context_constructed(0),
        &asn1::tlv(tag::UTF8_STRING, text.as_bytes()),
    );
    asn1::constructed(
        tag::context_constructed(0),
        &[&oid(SMTP_UTF8_MAILBOX), &mailbox],
    )
}

/// The key usage of a mailbox that signs and, where its key can, is encrypted to (RFC 8550 section 4.4.2).
fn mailbox_usage(kind: PublicKeyKind) -> Result<Vec<u8>, CaError> {
    match kind {
        // digitalSignature (0) and keyEncipherment (2).
        PublicKeyKind::Rsa(bits) if bits >= MAILBOX_RSA_BITS => Ok(named_bits(0b1010_0000)),
        // digitalSignature (0) and keyAgreement (4).
        PublicKeyKind::Ec(_) => Ok(named_bits(0b1000_1000)),
        PublicKeyKind::Ed25519 => Ok(named_bits(0b1000_0000)),
        PublicKeyKind::Rsa(_) | PublicKeyKind::RsaPss(_) | PublicKeyKind::X25519 => {
            Err(CaError::MailboxKey)
        }
    }
}

/// A BIT STRING of named bits, bit 0 first, without trailing zeros (X.690 section 11.2.2).
fn named_bits(octet: u8) -> Vec<u8> {
    let unused = u8::try_from(octet.trailing_zeros()).unwrap_or(0);
    asn1::tlv(tag::BIT_STRING, &[unused, octet])
}

/// What root and issuing CA have in common; `path_length` CAs may follow below it (RFC 5280 section 4.2.1.9).
fn authority_extensions(spki: &[u8], path_length: u32) -> Result<Vec<Vec<u8>>, CaError> {
    let is_authority = asn1::tlv(tag::BOOLEAN, &[0xff]);
    Ok(vec![
        key_id(spki)?,
        // keyCertSign (5) and cRLSign (6).
        extension(KEY_USAGE, true, &named_bits(0b0000_0110)),
        extension(
            BASIC_CONSTRAINTS,
            true,
            &asn1::sequence(&[&is_authority, &asn1::small(path_length)]),
        ),
    ])
}

/// RFC 7093 section 2 method 1: the first 160 bits of the SHA-256 of the public key.
fn key_hash(spki: &[u8]) -> Result<Vec<u8>, Asn1Error> {
    let mut inside = asn1::read_only(spki, tag::SEQUENCE)?.inside();
    inside.expect(tag::SEQUENCE)?;
    let key = inside.expect(tag::BIT_STRING)?.bit_string()?;
    let mut hash = Digest::of(DigestAlgorithm::Sha256, key);
    hash.truncate(20);
    Ok(hash)
}

fn key_id(spki: &[u8]) -> Result<Vec<u8>, CaError> {
    Ok(extension(
        SUBJECT_KEY_ID,
        false,
        &asn1::octet_string(&key_hash(spki)?),
    ))
}

/// Which key of the issuer signs, in certificates and in lists (RFC 5280 sections 4.2.1.1 and 5.2.1).
pub(super) fn authority_key_id(issuer_spki: &[u8]) -> Result<Vec<u8>, CaError> {
    let id = asn1::tlv(tag::context(0), &key_hash(issuer_spki)?);
    Ok(extension(AUTHORITY_KEY_ID, false, &asn1::sequence(&[&id])))
}

/// extKeyUsage with one purpose (RFC 8550 section 4.4.4). The issuing CA must not have the one for OCSP: it would then be in charge
/// of answers about the root's certificates.
fn purpose(kind: &str) -> Vec<u8> {
    extension(EXTENDED_KEY_USAGE, false, &asn1::sequence(&[&oid(kind)]))
}

/// certificatePolicies with one policy (RFC 5280 section 4.2.1.4).
fn policies(policy: &str) -> Vec<u8> {
    let information = asn1::sequence(&[&oid(policy)]);
    extension(POLICIES, false, &asn1::sequence(&[&information]))
}

/// authorityInfoAccess (RFC 5280 section 4.2.2.1).
fn access(addresses: &Addresses, ways: &[(&str, Resource)]) -> Vec<u8> {
    let descriptions: Vec<Vec<u8>> = ways
        .iter()
        .map(|(method, resource)| asn1::sequence(&[&oid(method), &uri(&addresses.of(*resource))]))
        .collect();
    let descriptions = asn1::tlv(tag::SEQUENCE, &descriptions.concat());
    extension(INFORMATION_ACCESS, false, &descriptions)
}

/// cRLDistributionPoints with one full name (RFC 5280 section 4.2.1.13).
fn list_at(url: &str) -> Vec<u8> {
    let full_name = asn1::tlv(tag::context_constructed(0), &uri(url));
    let point = asn1::tlv(tag::context_constructed(0), &full_name);
    let points = asn1::sequence(&[&asn1::sequence(&[&point])]);
    extension(DISTRIBUTION_POINTS, false, &points)
}

fn uri(url: &str) -> Vec<u8> {
    asn1::tlv(tag::context(6), url.as_bytes())
}

/// `Extension` (RFC 5280 section 4.1.2.9); DER leaves out a default FALSE.
pub(super) fn extension(kind: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let is_critical = if critical {
        asn1::tlv(tag::BOOLEAN, &[0xff])
    } else {
        Vec::new()
    };
    asn1::sequence(&[&oid(kind), &is_critical, &asn1::octet_string(value)])
}

/// Only constants are given.
pub(super) fn oid(kind: &str) -> Vec<u8> {
    asn1::oid(&ObjectIdentifier::new_unwrap(kind))
}
