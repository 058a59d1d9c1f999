//! One certificate: what it says, whose address it binds, and what its key may be used for.
//!
//! Whether anybody vouches for it is decided in `path.rs`.

use std::sync::{Arc, OnceLock};

use const_oid::ObjectIdentifier;
use sealgate_mail::{Address, Timestamp};

use crate::algorithms::{AlgorithmIdentifier, Curve, DigestAlgorithm, PublicKeyKind, Standing};
use crate::asn1::{self, Asn1Error, Reader, tag};
use crate::aws::Digest;
use crate::extensions::{Extensions, GeneralName, key_usage};
use crate::key::PublicKey;
use crate::name::DistinguishedName;
use crate::{limits, pem, roca};

#[cfg(test)]
mod tests;

/// Why octets are no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The DER is damaged or breaks RFC 5280.
    #[error("not a valid X.509 certificate: {0}")]
    Malformed(#[from] Asn1Error),
    /// Larger than `limits::CERTIFICATE_OCTETS`.
    #[error("the certificate is too large")]
    TooLarge,
    /// The file holds no certificate at all.
    #[error("no certificate found; PEM or DER is expected")]
    None,
    /// The PEM text is damaged.
    #[error(transparent)]
    Pem(#[from] pem::PemError),
}

/// Why a certificate may not be used for something (rows X3 and X4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsageRefusal {
    /// It belongs to an authority.
    #[error("it is the certificate of a certification authority")]
    Authority,
    /// Its key usage extension does not allow it.
    #[error("its key usage does not allow that")]
    KeyUsage,
    /// Its extended key usage names other purposes only.
    #[error("it is not meant for e-mail protection")]
    Purpose,
    /// A key of this kind cannot do it, or is not supported.
    #[error("its key is of a kind that cannot be used for that")]
    KeyKind,
    /// The RSA key is too short or too long, or was made by a library known to be faulty.
    #[error(
        "its RSA key is shorter than 2048 or longer than 8192 bits, or bears the mark of CVE-2017-15361 (ROCA)"
    )]
    Weak,
}

/// Why a correspondent's certificate is not imported (decision A20).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportRefusal {
    /// It names no address.
    #[error("the certificate names no e-mail address")]
    NoAddress,
    /// It names a whole domain.
    #[error("the certificate is made for a domain, not for a mailbox")]
    Domain,
    /// Its key cannot be used to encrypt to its owner.
    #[error("the certificate cannot be used to encrypt: {0}")]
    Usage(UsageRefusal),
}

/// An X.509 certificate. Cloning shares it; two are equal if their octets are.
#[derive(Clone)]
pub struct Certificate(Arc<Parsed>);

struct Parsed {
    der: Vec<u8>,
    version: u32,
    tbs: Vec<u8>,
    serial: Vec<u8>,
    algorithm: AlgorithmIdentifier,
    signature: Vec<u8>,
    issuer_der: Vec<u8>,
    issuer: DistinguishedName,
    subject_der: Vec<u8>,
    subject: DistinguishedName,
    not_before: Timestamp,
    not_after: Timestamp,
    spki: Vec<u8>,
    kind: Option<PublicKeyKind>,
    extensions: Extensions,
    addresses: Vec<Address>,
    key: OnceLock<Option<PublicKey>>,
    weak_key: OnceLock<bool>,
    fingerprint: OnceLock<[u8; 32]>,
}

pub(crate) const EMAIL_PROTECTION: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.4");
const ANY_PURPOSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

impl Certificate {
    /// Reads a whole certificate in DER. The octets are kept as they are.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > limits::CERTIFICATE_OCTETS {
            return Err(CertificateError::TooLarge);
        }
        Ok(Self(Arc::new(parse(der)?)))
    }

    /// Reads all certificates of a file: PEM blocks of any number, or one in DER.
    pub fn read_all(octets: &[u8]) -> Result<Vec<Self>, CertificateError> {
        if !pem::looks_like(octets) {
            return if octets.is_empty() {
                Err(CertificateError::None)
            } else {
                Ok(vec![Self::from_der(octets)?])
            };
        }
        let blocks = pem::read(octets)?;
        let labels = ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];
        let wanted = blocks
            .iter()
            .filter(|block| labels.contains(&block.label.as_str()));
        let found: Vec<Self> = wanted
            .map(|block| Self::from_der(&block.der))
            .collect::<Result<_, _>>()?;
        if found.is_empty() {
            Err(CertificateError::None)
        } else {
            Ok(found)
        }
    }

    /// The octets it was read from.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// PEM text.
    pub fn pem(&self) -> String {
        pem::write("CERTIFICATE", self.der())
    }

    /// The issuer's Name element.
    pub fn issuer_der(&self) -> &[u8] {
        &self.0.issuer_der
    }

    /// The issuer's name.
    pub fn issuer(&self) -> &DistinguishedName {
        &self.0.issuer
    }

    /// The issuer's name for people.
    pub fn issuer_name(&self) -> String {
        self.0.issuer.to_string()
    }

    /// The subject's Name element.
    pub fn subject_der(&self) -> &[u8] {
        &self.0.subject_der
    }

    /// The subject's name.
    pub fn subject(&self) -> &DistinguishedName {
        &self.0.subject
    }

    /// The subject's name for people.
    pub fn subject_name(&self) -> String {
        self.0.subject.to_string()
    }

    /// Its version, 1 to 3.
    pub fn version(&self) -> u32 {
        self.0.version
    }

    /// Content octets of the serial number.
    pub fn serial(&self) -> &[u8] {
        &self.0.serial
    }

    /// The serial number in lower-case hexadecimal.
    pub fn serial_hex(&self) -> String {
        hex(self.serial())
    }

    /// SHA-256 of the certificate.
    pub fn fingerprint(&self) -> [u8; 32] {
        *self.0.fingerprint.get_or_init(|| {
            let digest = Digest::of(DigestAlgorithm::Sha256, self.der());
            digest.try_into().unwrap_or_default()
        })
    }

    /// SHA-256 of the SubjectPublicKeyInfo.
    pub fn key_fingerprint(&self) -> [u8; 32] {
        let digest = Digest::of(DigestAlgorithm::Sha256, self.spki_der());
        digest.try_into().unwrap_or_default()
    }

    /// SHA-256 of the certificate in lower-case hexadecimal.
    pub fn fingerprint_hex(&self) -> String {
        hex(&self.fingerprint())
    }

    /// First moment of its validity.
    pub fn not_before(&self) -> Timestamp {
        self.0.not_before
    }

    /// Last moment of its validity.
    pub fn not_after(&self) -> Timestamp {
        self.0.not_after
    }

    /// Whether `at` lies in its validity, both ends included.
    pub fn valid_at(&self, at: Timestamp) -> bool {
        (self.not_before()..=self.not_after()).contains(&at)
    }

    /// The SubjectPublicKeyInfo element.
    pub fn spki_der(&self) -> &[u8] {
        &self.0.spki
    }

    /// The octets of the public key itself, which key identifiers and OCSP hash (RFC 5280 section 4.2.1.2).
    pub fn key_octets(&self) -> Option<&[u8]> {
        key_octets(self.spki_der()).ok()
    }

    /// What its key is; `None` for kinds we do not use.
    pub fn key_kind(&self) -> Option<PublicKeyKind> {
        self.0.kind
    }

    /// Its public key, parsed once; `None` if the crypto library refuses it.
    pub fn public_key(&self) -> Option<&PublicKey> {
        let parse = || PublicKey::from_spki(self.spki_der()).ok();
        self.0.key.get_or_init(parse).as_ref()
    }

    /// The signed octets, their algorithm and signature.
    pub fn signed_parts(&self) -> (&[u8], &AlgorithmIdentifier, &[u8]) {
        (&self.0.tbs, &self.0.algorithm, &self.0.signature)
    }

    /// Its extensions.
    pub fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// Content octets of the subject key identifier extension.
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.0.extensions.subject_key_id.as_deref()
    }

    /// The addresses it binds (RFC 8550 section 3, RFC 9598): rfc822Name and SmtpUTF8Mailbox, else the emailAddress of the
    /// subject. The common name never counts, and a string that is not exactly one plain address binds nothing (row G6).
    pub fn addresses(&self) -> &[Address] {
        &self.0.addresses
    }

    /// Whether it binds `address`; `exact` says that the local part counts in its case (row X5).
    pub fn names(&self, address: &Address, exact: bool) -> bool {
        let spelled = |one: &Address| !exact || one.local() == address.local();
        let mut bound = self.addresses().iter();
        bound.any(|one| one == address && spelled(one))
    }

    /// Whether issuer and subject are the same name.
    pub fn self_issued(&self) -> bool {
        self.0.issuer_der == self.0.subject_der || self.0.issuer.normal() == self.0.subject.normal()
    }

    /// Whether it belongs to an authority (basicConstraints).
    pub fn is_authority(&self) -> bool {
        self.0.extensions.basic.is_some_and(|basic| basic.ca)
    }

    /// Whether it names a CRL or an OCSP responder, so that there is somebody to ask.
    pub fn names_revocation(&self) -> bool {
        self.0.extensions.names_revocation
    }

    /// Whether it may verify signatures on mail (RFC 8550 section 4.4.2).
    pub fn may_sign(&self) -> Result<(), UsageRefusal> {
        let can = matches!(
            self.key_kind(),
            Some(
                PublicKeyKind::Rsa(_)
                    | PublicKeyKind::RsaPss(_)
                    | PublicKeyKind::Ec(_)
                    | PublicKeyKind::Ed25519
            )
        );
        self.may(
            can,
            key_usage::DIGITAL_SIGNATURE | key_usage::CONTENT_COMMITMENT,
        )
    }

    /// Whether content keys may be encrypted to it (RFC 8550 section 4.4.2).
    pub fn may_encrypt(&self) -> Result<(), UsageRefusal> {
        match self.key_kind() {
            Some(PublicKeyKind::Rsa(_)) => self.may(true, key_usage::KEY_ENCIPHERMENT),
            Some(kind @ (PublicKeyKind::Ec(_) | PublicKeyKind::X25519)) => {
                let made = kind.making() == Standing::Accept;
                self.may(made, key_usage::KEY_AGREEMENT)
            }
            Some(PublicKeyKind::RsaPss(_) | PublicKeyKind::Ed25519) | None => self.may(false, 0),
        }
    }

    fn may(&self, key_can: bool, usage: u16) -> Result<(), UsageRefusal> {
        let extensions = self.extensions();
        if self.is_authority() {
            return Err(UsageRefusal::Authority);
        }
        if !self.allows_mail() {
            return Err(UsageRefusal::Purpose);
        }
        if !key_can {
            return Err(UsageRefusal::KeyKind);
        }
        if extensions.key_usage.is_some_and(|bits| bits & usage == 0) {
            return Err(UsageRefusal::KeyUsage);
        }
        if self.has_weak_key() {
            Err(UsageRefusal::Weak)
        } else {
            Ok(())
        }
    }

    /// Whether its extended key usage allows mail: absent, emailProtection or any (RFC 8550 section 4.4.4).
    pub fn allows_mail(&self) -> bool {
        self.allows(&EMAIL_PROTECTION)
    }

    /// Whether its extended key usage allows `purpose`: absent, or naming it or any.
    pub(crate) fn allows(&self, purpose: &ObjectIdentifier) -> bool {
        let purposes = self.0.extensions.purposes.as_ref();
        purposes.is_none_or(|all| all.iter().any(|one| one == purpose || *one == ANY_PURPOSE))
    }

    /// Whether its RSA key lies outside the lengths we use, or can be found from its modulus (row X3).
    pub fn has_weak_key(&self) -> bool {
        // The search for a path asks again and again, and a marked modulus takes the longest.
        *self.0.weak_key.get_or_init(|| match self.key_kind() {
            Some(PublicKeyKind::Rsa(bits) | PublicKeyKind::RsaPss(bits)) => {
                !(limits::RSA_BITS_LEAST..=limits::RSA_BITS_MOST).contains(&bits)
                    || rsa_modulus_of(self.spki_der()).is_ok_and(roca::is_marked)
            }
            _ => false,
        })
    }

    /// Why it is not taken as a correspondent's key, if there is a reason (decision A20).
    pub fn import_refusal(&self) -> Option<ImportRefusal> {
        let named = named_addresses(&self.0.extensions, &self.0.subject);
        if named.iter().any(|text| names_domain(text)) {
            return Some(ImportRefusal::Domain);
        }
        if let Err(refusal) = self.may_encrypt() {
            return Some(ImportRefusal::Usage(refusal));
        }
        self.addresses()
            .is_empty()
            .then_some(ImportRefusal::NoAddress)
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.der() == other.der()
    }
}

impl Eq for Certificate {}

impl std::hash::Hash for Certificate {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        // The search for a path looks certificates up again and again, and one may have 64 KiB.
        self.fingerprint().hash(state);
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Certificate({}, serial {})",
            self.subject_name(),
            self.serial_hex()
        )
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Certificate and TBSCertificate (RFC 5280 section 4.1).
fn parse(der: &[u8]) -> Result<Parsed, Asn1Error> {
    let mut outer = asn1::read_only(der, tag::SEQUENCE)?.inside();
    let tbs = outer.expect(tag::SEQUENCE)?;
    let algorithm = AlgorithmIdentifier::read(&mut outer)?;
    let signature = outer.expect(tag::BIT_STRING)?.bit_string()?.to_vec();
    outer.finish()?;
    let mut fields = tbs.inside();
    let version = match fields.optional(tag::context_constructed(0))? {
        Some(element) => asn1::read_only(element.content, tag::INTEGER)?.small()?,
        None => 0,
    };
    let serial = fields.expect(tag::INTEGER)?.content.to_vec();
    // RFC 5280 section 4.1.1.2: both must be the same.
    if AlgorithmIdentifier::read(&mut fields)? != algorithm || serial.is_empty() {
        return Err(Asn1Error(
            "signature algorithms differ, or no serial number",
        ));
    }
    let issuer_der = fields.expect(tag::SEQUENCE)?.raw.to_vec();
    let mut validity = fields.expect(tag::SEQUENCE)?.inside();
    let (not_before, not_after) = (validity.any()?.time()?, validity.any()?.time()?);
    let subject_der = fields.expect(tag::SEQUENCE)?.raw.to_vec();
    let spki = fields.expect(tag::SEQUENCE)?.raw.to_vec();
    fields.optional(tag::context(1))?;
    fields.optional(tag::context(2))?;
    let extensions = read_extensions(&mut fields, version)?;
    fields.finish()?;
    let subject = DistinguishedName::from_der(&subject_der)?;
    Ok(Parsed {
        der: der.to_vec(),
        version: version.saturating_add(1),
        tbs: tbs.raw.to_vec(),
        issuer: DistinguishedName::from_der(&issuer_der)?,
        addresses: bound_addresses(&extensions, &subject),
        kind: key_kind(&spki)?,
        key: OnceLock::new(),
        weak_key: OnceLock::new(),
        fingerprint: OnceLock::new(),
        serial,
        algorithm,
        signature,
        issuer_der,
        subject_der,
        subject,
        not_before,
        not_after,
        spki,
        extensions,
    })
}

/// Extensions belong to version 3 only (RFC 5280 section 4.1.2.1).
fn read_extensions(fields: &mut Reader<'_>, version: u32) -> Result<Extensions, Asn1Error> {
    match fields.optional(tag::context_constructed(3))? {
        None => Ok(Extensions::default()),
        Some(element) if version == 2 => Extensions::from_der(element.content),
        Some(_) => Err(Asn1Error("extensions without version 3")),
    }
}

/// The kind of key by its SubjectPublicKeyInfo, without computing with it.
fn key_kind(spki: &[u8]) -> Result<Option<PublicKeyKind>, Asn1Error> {
    let mut inside = asn1::read_only(spki, tag::SEQUENCE)?.inside();
    let algorithm = AlgorithmIdentifier::read(&mut inside)?;
    let key = inside.expect(tag::BIT_STRING)?;
    inside.finish()?;
    Ok(match algorithm.oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" => Some(PublicKeyKind::Rsa(rsa_bits(key.bit_string()?)?)),
        "1.2.840.113549.1.1.10" => Some(PublicKeyKind::RsaPss(rsa_bits(key.bit_string()?)?)),
        "1.2.840.10045.2.1" => curve(algorithm.parameters.as_deref(), spki).map(PublicKeyKind::Ec),
        "1.3.101.112" => Some(PublicKeyKind::Ed25519),
        "1.3.101.110" => Some(PublicKeyKind::X25519),
        _ => None,
    })
}

/// The curve by its name. Some programs write a curve's parameters out instead: the crypto library then tells the name, if
/// all of them, the generator too, are those of a curve it knows.
fn curve(parameters: Option<&[u8]>, spki: &[u8]) -> Option<Curve> {
    let parameters = parameters?;
    if let Ok(named) = asn1::read_only(parameters, tag::OID).and_then(|element| element.oid()) {
        return Curve::ALL
            .into_iter()
            .find(|curve| curve.row().oid == named);
    }
    match PublicKey::from_spki(spki).ok()?.kind() {
        Some(PublicKeyKind::Ec(curve)) => Some(curve),
        _ => None,
    }
}

/// The octets of the modulus in an RSAPublicKey (RFC 8017 appendix A.1.1).
fn rsa_modulus(key: &[u8]) -> Result<&[u8], Asn1Error> {
    let mut inside = asn1::read_only(key, tag::SEQUENCE)?.inside();
    Ok(inside.expect(tag::INTEGER)?.content)
}

/// subjectPublicKey of a SubjectPublicKeyInfo.
fn key_octets(spki: &[u8]) -> Result<&[u8], Asn1Error> {
    let mut inside = asn1::read_only(spki, tag::SEQUENCE)?.inside();
    inside.expect(tag::SEQUENCE)?;
    inside.expect(tag::BIT_STRING)?.bit_string()
}

fn rsa_modulus_of(spki: &[u8]) -> Result<&[u8], Asn1Error> {
    rsa_modulus(key_octets(spki)?)
}

fn rsa_bits(key: &[u8]) -> Result<u32, Asn1Error> {
    let modulus = rsa_modulus(key)?;
    let skip = modulus.iter().take_while(|octet| **octet == 0).count();
    let digits = modulus.get(skip..).unwrap_or_default();
    let unused = digits.first().map_or(0, |octet| octet.leading_zeros());
    Ok((digits.len() as u32)
        .saturating_mul(8)
        .saturating_sub(unused))
}

/// All address strings it names: those of subjectAltName, or where it has none, those of the subject.
fn named_addresses(extensions: &Extensions, subject: &DistinguishedName) -> Vec<String> {
    let names = extensions.subject_alt_names.iter().flatten();
    let found: Vec<String> = names
        .filter_map(|name| match name {
            GeneralName::Mailbox(text) | GeneralName::SmtpUtf8(text) => Some(text.clone()),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        subject.email_addresses()
    } else {
        found
    }
}

fn bound_addresses(extensions: &Extensions, subject: &DistinguishedName) -> Vec<Address> {
    let names = extensions.subject_alt_names.iter().flatten();
    let mut in_alternative = false;
    let mut bound = Vec::new();
    for name in names {
        let (text, ascii) = match name {
            GeneralName::Mailbox(text) => (text, true),
            GeneralName::SmtpUtf8(text) => (text, false),
            _ => continue,
        };
        in_alternative = true;
        // RFC 9598 section 3: the UTF-8 form is for local parts that need it, and for no others.
        bound.extend(plain_address(text).filter(|address| address.local().is_ascii() == ascii));
    }
    if !in_alternative && let [only] = subject.email_addresses().as_slice() {
        bound.extend(plain_address(only));
    }
    bound
}

/// The address, if the string is exactly one without quotes, blanks, separators or control characters (row G6).
fn plain_address(text: &str) -> Option<Address> {
    let strange = |c: char| c.is_control() || c.is_whitespace() || "\",;:<>()[]\\*".contains(c);
    if text.contains(strange) || text.matches('@').count() != 1 {
        return None;
    }
    Address::parse(text).ok()
}

/// A wildcard, a bare domain or the address that stands for a domain (RFC 3183 section 4.1).
fn names_domain(text: &str) -> bool {
    match text.split_once('@') {
        None => text.contains('.'),
        Some((local, _)) => {
            local.is_empty()
                || text.contains('*')
                || local.eq_ignore_ascii_case("domain-confidentiality-authority")
        }
    }
}
