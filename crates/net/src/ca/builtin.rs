//! The built-in authority: what a root, an issuing CA and a mailbox certificate of ours look like
//! (RFC 5280 section 4, RFC 8550 section 4.4). It stores nothing; the caller does.
//!
//! Root and issuing CA have RSA keys of 3,072 bits signing with SHA-256: every S/MIME client in use verifies these,
//! while elliptic curves in the chain still fail in some. The two keys are made once for an installation, which takes
//! about a second. A mailbox key may be of any kind that signs.

use const_oid::ObjectIdentifier;
use rand_core::CryptoRng;
use sealgate_mail::{Address, Timestamp};
use sealgate_smime::algorithms::{DigestAlgorithm, PublicKeyKind};
use sealgate_smime::asn1::{self, Asn1Error, tag};
use sealgate_smime::aws::Digest;
use sealgate_smime::certificate::{Certificate, CertificateError};
use sealgate_smime::key::{KeyError, KeyKind, PrivateKey, PublicKey};

use crate::limits::{
    CERTIFICATE_BACKDATING, COMMON_NAME_CHARS, ISSUING_VALIDITY, MAILBOX_RSA_BITS,
    MAILBOX_VALIDITY, ROOT_VALIDITY, SERIAL_OCTETS,
};

/// A root and the issuing CA below it, with their keys.
#[derive(Clone, Debug)]
pub struct Authority {
    /// What correspondents are asked to trust.
    pub root_certificate: Certificate,
    /// Signs issuing CAs only.
    pub root_key: PrivateKey,
    /// Goes along with every signature of a mailbox.
    pub issuing_certificate: Certificate,
    /// Signs mailbox certificates.
    pub issuing_key: PrivateKey,
}

/// Why nothing was issued.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// The key to certify is none, too short, or cannot sign.
    #[error(
        "the mailbox key cannot be certified: it must be RSA of at least 2,048 bits, an NIST curve or Ed25519"
    )]
    MailboxKey,
    /// Readers of certificates would not take the address from one.
    #[error("the address cannot be certified: its local part needs quotes")]
    Address,
    /// The issuing CA is not valid now.
    #[error("the built-in CA is not valid now; check the clock, or make a new one")]
    NotValid,
    /// A key could not be made or used.
    #[error("the built-in CA's key cannot be used: {0}")]
    Key(#[from] KeyError),
    /// The public key's DER does not hold what it should.
    #[error("the mailbox key cannot be read: {0}")]
    PublicKey(#[from] Asn1Error),
    /// What was made does not read back.
    #[error("the certificate made is not sound: {0}")]
    Unsound(#[from] CertificateError),
}

/// Makes a root and an issuing CA for `organisation`, valid from `now`. Takes about a second.
pub fn make_authority(
    organisation: &str,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> Result<Authority, CaError> {
    let root_key = PrivateKey::generate(KeyKind::Rsa3072)?;
    let root_name = authority_name(organisation, "S/MIME Root CA");
    let root = Contents {
        issuer: root_name.clone(),
        subject: root_name,
        validity: validity(now, now.plus(ROOT_VALIDITY)),
        spki: root_key.spki_der(),
        extensions: authority_extensions(root_key.spki_der(), None, 1)?,
    };
    let root_certificate = root.sign(&root_key, rng)?;
    let issuing_key = PrivateKey::generate(KeyKind::Rsa3072)?;
    let issuing = Contents {
        issuer: root_certificate.subject_der().to_vec(),
        subject: authority_name(organisation, "S/MIME Issuing CA"),
        validity: validity(now, now.plus(ISSUING_VALIDITY)),
        spki: issuing_key.spki_der(),
        extensions: authority_extensions(issuing_key.spki_der(), Some(root_key.spki_der()), 0)?,
    };
    let issuing_certificate = issuing.sign(&root_key, rng)?;
    Ok(Authority {
        root_certificate,
        root_key,
        issuing_certificate,
        issuing_key,
    })
}

/// Certifies that `spki`, a SubjectPublicKeyInfo in DER, belongs to `address`: for a year, or as long as the issuing CA
/// lasts. That the mailbox holds the private key, and is the organisation's, is for the caller to know.
pub fn issue(
    authority: &Authority,
    address: &Address,
    spki: &[u8],
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> Result<Certificate, CaError> {
    let issuer = &authority.issuing_certificate;
    if !issuer.valid_at(now) {
        return Err(CaError::NotValid);
    }
    let kind = PublicKey::from_spki(spki).ok().and_then(|key| key.kind());
    let usage = mailbox_usage(kind.ok_or(CaError::MailboxKey)?)?;
    let subject = mailbox_name(address);
    let contents = Contents {
        issuer: issuer.subject_der().to_vec(),
        validity: validity(now, now.plus(MAILBOX_VALIDITY).min(issuer.not_after())),
        spki,
        extensions: vec![
            key_id(spki)?,
            authority_key_id(authority.issuing_key.spki_der())?,
            extension(KEY_USAGE, true, &usage),
            extension(BASIC_CONSTRAINTS, true, &asn1::sequence(&[])),
            mail_purpose(),
            // RFC 5280 section 4.1.2.6: critical where the subject is empty.
            extension(
                SUBJECT_ALT_NAME,
                subject == asn1::sequence(&[]),
                &asn1::sequence(&[&general_name(address)]),
            ),
        ],
        subject,
    };
    let certificate = contents.sign(&authority.issuing_key, rng)?;
    // Nobody would find a mailbox in it that we do not find ourselves, as with a quoted local part.
    if certificate.addresses() == [address.clone()] {
        Ok(certificate)
    } else {
        Err(CaError::Address)
    }
}

const SUBJECT_KEY_ID: &str = "2.5.29.14";
const KEY_USAGE: &str = "2.5.29.15";
const SUBJECT_ALT_NAME: &str = "2.5.29.17";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const AUTHORITY_KEY_ID: &str = "2.5.29.35";
const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
const EMAIL_PROTECTION: &str = "1.3.6.1.5.5.7.3.4";
const SMTP_UTF8_MAILBOX: &str = "1.3.6.1.5.5.7.8.9";
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
    fn sign(&self, key: &PrivateKey, rng: &mut dyn CryptoRng) -> Result<Certificate, CaError> {
        let algorithm = key
            .signature_algorithm(Default::default())
            .ok_or(KeyError::WrongKind)?;
        let identifier = algorithm.identifier().to_der();
        let extensions: Vec<&[u8]> = self.extensions.iter().map(Vec::as_slice).collect();
        let to_be_signed = asn1::sequence(&[
            &asn1::tlv(tag::context_constructed(0), &asn1::small(2)),
            &serial(rng),
            &identifier,
            &self.issuer,
            &self.validity,
            &self.subject,
            self.spki,
            &asn1::tlv(tag::context_constructed(3), &asn1::sequence(&extensions)),
        ]);
        let signature = key.sign(algorithm, &to_be_signed)?;
        let der = asn1::sequence(&[&to_be_signed, &identifier, &asn1::bit_string(&signature)]);
        Ok(Certificate::from_der(&der)?)
    }
}

/// RFC 5280 section 4.1.2.2: positive, at most 20 octets, here of one length.
fn serial(rng: &mut dyn CryptoRng) -> Vec<u8> {
    let mut octets = [0; SERIAL_OCTETS];
    rng.fill_bytes(&mut octets);
    let [first, ..] = &mut octets;
    *first = *first & 0x7f | 0x40;
    asn1::unsigned(&octets)
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

/// `O=organisation, CN=organisation S/MIME ... CA`, each within 64 characters (RFC 5280 appendix A.1: ub-common-name).
fn authority_name(organisation: &str, role: &str) -> Vec<u8> {
    let clean: String = organisation
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let room = COMMON_NAME_CHARS.saturating_sub(role.len().saturating_add(1));
    let short: String = clean.trim().chars().take(room).collect();
    let short = short.trim();
    if short.is_empty() {
        return asn1::sequence(&[&attribute(COMMON_NAME, role)]);
    }
    asn1::sequence(&[
        &attribute(ORGANISATION, short),
        &attribute(COMMON_NAME, &format!("{short} {role}")),
    ])
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

/// A CA certificate's extensions; `path_length` CAs may follow below it (RFC 5280 section 4.2.1.9).
fn authority_extensions(
    spki: &[u8],
    issuer: Option<&[u8]>,
    path_length: u32,
) -> Result<Vec<Vec<u8>>, CaError> {
    let is_authority = asn1::tlv(tag::BOOLEAN, &[0xff]);
    let mut extensions = vec![
        key_id(spki)?,
        // keyCertSign (5) and cRLSign (6).
        extension(KEY_USAGE, true, &named_bits(0b0000_0110)),
        extension(
            BASIC_CONSTRAINTS,
            true,
            &asn1::sequence(&[&is_authority, &asn1::small(path_length)]),
        ),
    ];
    if let Some(issuer) = issuer {
        extensions.push(authority_key_id(issuer)?);
        extensions.push(mail_purpose());
    }
    Ok(extensions)
}

/// RFC 7093 section 2 method 1: the first 160 bits of the SHA-256 of the public key.
fn key_hash(spki: &[u8]) -> Result<Vec<u8>, CaError> {
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

fn authority_key_id(issuer_spki: &[u8]) -> Result<Vec<u8>, CaError> {
    let id = asn1::tlv(tag::context(0), &key_hash(issuer_spki)?);
    Ok(extension(AUTHORITY_KEY_ID, false, &asn1::sequence(&[&id])))
}

/// RFC 8550 section 4.4.4.
fn mail_purpose() -> Vec<u8> {
    extension(
        EXTENDED_KEY_USAGE,
        false,
        &asn1::sequence(&[&oid(EMAIL_PROTECTION)]),
    )
}

/// `Extension` (RFC 5280 section 4.1.2.9); DER leaves out a default FALSE.
fn extension(kind: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let is_critical = if critical {
        asn1::tlv(tag::BOOLEAN, &[0xff])
    } else {
        Vec::new()
    };
    asn1::sequence(&[&oid(kind), &is_critical, &asn1::octet_string(value)])
}

/// Only the constants above are given.
fn oid(kind: &str) -> Vec<u8> {
    asn1::oid(&ObjectIdentifier::new_unwrap(kind))
}

#[cfg(test)]
mod tests;
