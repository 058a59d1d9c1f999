//! Importing PKCS#12 files (RFC 7292), and PEM files that hold the same: private keys with their certificates, and the rest of
//! the chain.
//!
//! Nothing is computed before the limits are known to hold: the size of the file, the number of bags, and the sum of all
//! iterations a password is put through (row W5). Files by old programs use RC2 and triple DES: they are read, here only.

mod kdf;
mod protection;
#[cfg(test)]
mod tests;

use std::cell::Cell;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::algorithms::{AlgorithmIdentifier, DigestAlgorithm};
use crate::asn1::{self, Asn1Error, Element, Reader, tag};
use crate::certificate::Certificate;
use crate::key::{KeyError, PrivateKey};
use crate::{ber, limits, pem};

/// Why a PKCS#12 file was not imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Pkcs12Error {
    /// The file is neither PKCS#12 nor PEM, or damaged.
    #[error("neither a PKCS#12 nor a PEM file, or damaged")]
    Malformed,
    /// The password does not open it.
    #[error("the password is wrong")]
    WrongPassword,
    /// It is larger than `limits::PKCS12_OCTETS`.
    #[error("the file is larger than a PKCS#12 file for mail should be")]
    TooLarge,
    /// It holds more than `limits::PKCS12_BAGS` keys and certificates.
    #[error("the file holds too many keys and certificates")]
    TooManyBags,
    /// Its password protection asks for more than `limits::PKCS12_ITERATIONS`.
    #[error(
        "the file's password protection asks for too much work; export it again with fewer iterations"
    )]
    TooMuchWork,
    /// It uses a protection that is not supported.
    #[error(
        "the file is protected in a way that is not supported ({0}); export it again with AES-256"
    )]
    Unsupported(String),
    /// There is no private key with its certificate.
    #[error("the file holds no private key together with its certificate")]
    NoKeyPair,
    /// There is a private key we cannot use.
    #[error("the file holds a private key of a kind that is not supported")]
    KeyKind,
}

impl From<Asn1Error> for Pkcs12Error {
    fn from(_: Asn1Error) -> Self {
        Self::Malformed
    }
}

type Result<T> = std::result::Result<T, Pkcs12Error>;

/// What a file holds.
#[derive(Debug)]
pub struct Contents {
    /// Key pairs: separate ones for signing and encryption are common (decision A26).
    pub pairs: Vec<(Certificate, PrivateKey)>,
    /// The other certificates.
    pub chain: Vec<Certificate>,
}

/// Reads a PKCS#12 file in BER or DER, or a PEM file: of a PKCS#12 file, or of private keys (PKCS#8 with or without a
/// password, PKCS#1, SEC 1) and certificates.
pub fn import(octets: &[u8], password: &str) -> Result<Contents> {
    if octets.len() > limits::PKCS12_OCTETS {
        return Err(Pkcs12Error::TooLarge);
    }
    if !pem::looks_like(octets) {
        return import_der(octets, password);
    }
    let blocks = pem::read(octets).map_err(|_| Pkcs12Error::Malformed)?;
    match blocks.iter().find(|block| block.label == "PKCS12") {
        Some(block) => import_der(&block.der, password),
        None => import_pem(&blocks, password),
    }
}

/// RFC 7468 sections 5, 10 and 11, and what programs wrote before it.
fn import_pem(blocks: &[pem::Block], password: &str) -> Result<Contents> {
    let secret = Secret::new(password);
    let mut found = Found::default();
    for block in blocks {
        found.count()?;
        match block.label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => found.certificate(&block.der)?,
            "ENCRYPTED PRIVATE KEY" => found.read_key(&shrouded_key(&block.der, &secret)?),
            label if label.ends_with("PRIVATE KEY") => found.keep(PrivateKey::from_block(block)),
            _ => {}
        }
    }
    found.pair()
}

fn import_der(octets: &[u8], password: &str) -> Result<Contents> {
    let file = Zeroizing::new(ber::normalise(octets).map_err(|_| Pkcs12Error::Malformed)?);
    let mut pfx = asn1::read_only(&file, tag::SEQUENCE)?.inside();
    if pfx.expect(tag::INTEGER)?.small()? != 3 {
        return Err(Pkcs12Error::Malformed);
    }
    let safe = data_content(&pfx.expect(tag::SEQUENCE)?)?;
    let secret = Secret::new(password);
    if let Some(mac) = pfx.optional(tag::SEQUENCE)? {
        check_mac(&mac, &safe, &secret)?;
    }
    let mut found = Found::default();
    found.read_safe(&safe, &secret)?;
    found.pair()
}

/// The password, and how many iterations may still be spent on it.
struct Secret<'p> {
    password: &'p str,
    left: Cell<u64>,
    empty: Cell<EmptyForm>,
}

/// An empty password is no octets for some programs, and a lone terminator for others (RFC 7292 appendix B.1).
#[derive(Clone, Copy, PartialEq, Eq)]
enum EmptyForm {
    Absent,
    Terminator,
}

impl<'p> Secret<'p> {
    fn new(password: &'p str) -> Self {
        Self {
            password,
            left: Cell::new(limits::PKCS12_ITERATIONS),
            empty: Cell::new(EmptyForm::Absent),
        }
    }

    /// Takes `iterations`, so many times over, from what is allowed.
    fn spend(&self, iterations: u32, times: usize) -> Result<()> {
        let cost = u64::from(iterations).saturating_mul(times as u64);
        let left = self
            .left
            .get()
            .checked_sub(cost)
            .ok_or(Pkcs12Error::TooMuchWork)?;
        self.left.set(left);
        Ok(())
    }

    /// The password as PKCS#12's own derivation takes it: a BMPString with its terminator (RFC 7292 appendix B.1).
    fn bmp(&self) -> Zeroizing<Vec<u8>> {
        if self.password.is_empty() && self.empty.get() == EmptyForm::Absent {
            return Zeroizing::new(Vec::new());
        }
        let units = self.password.encode_utf16().chain([0]);
        Zeroizing::new(units.flat_map(u16::to_be_bytes).collect())
    }
}

/// The octets of a ContentInfo of type data.
fn data_content(info: &Element<'_>) -> Result<Vec<u8>> {
    let mut inside = info.inside();
    if inside.expect(tag::OID)?.oid()?.to_string() != DATA {
        return Err(Pkcs12Error::Unsupported(
            "signed or encrypted as a whole".into(),
        ));
    }
    let content = inside.expect(tag::context_constructed(0))?;
    Ok(asn1::read_only(content.content, tag::OCTET_STRING)?
        .content
        .to_vec())
}

const DATA: &str = "1.2.840.113549.1.7.1";
const ENCRYPTED_DATA: &str = "1.2.840.113549.1.7.6";

/// MacData (RFC 7292 section 4): a wrong MAC is a wrong password.
fn check_mac(mac: &Element<'_>, safe: &[u8], secret: &Secret<'_>) -> Result<()> {
    let mut inside = mac.inside();
    let mut digest_info = inside.expect(tag::SEQUENCE)?.inside();
    let algorithm = AlgorithmIdentifier::read(&mut digest_info)?;
    let expected = digest_info.expect(tag::OCTET_STRING)?.content;
    let salt = inside.expect(tag::OCTET_STRING)?.content;
    let iterations = inside
        .optional(tag::INTEGER)?
        .map_or(Ok(1), |element| element.small())?;
    let matches = |found: Vec<u8>| bool::from(found.ct_eq(expected));
    if algorithm.oid.to_string() == protection::PBMAC1 {
        let found = protection::pbmac1(&algorithm, safe, secret)?;
        return if matches(found) {
            Ok(())
        } else {
            Err(Pkcs12Error::WrongPassword)
        };
    }
    let digest =
        DigestAlgorithm::from_algorithm_identifier(&algorithm.oid, algorithm.parameters.as_deref())
            .map_err(|_| Pkcs12Error::Unsupported(algorithm.oid.to_string()))?;
    let try_once = || -> Result<bool> {
        let key = kdf::derive(
            digest,
            secret,
            &kdf::Use {
                id: kdf::MAC_KEY,
                salt,
                iterations,
            },
            digest.length(),
        )?;
        crate::aws::hmac(digest, &key, safe)
            .map(matches)
            .map_err(|_| Pkcs12Error::Malformed)
    };
    if try_once()? {
        return Ok(());
    }
    secret.empty.set(EmptyForm::Terminator);
    if secret.password.is_empty() && try_once()? {
        Ok(())
    } else {
        Err(Pkcs12Error::WrongPassword)
    }
}

#[derive(Default)]
struct Found {
    keys: Vec<PrivateKey>,
    unusable_keys: usize,
    certificates: Vec<Certificate>,
    bags: usize,
}

impl Found {
    /// AuthenticatedSafe (RFC 7292 section 4.1).
    fn read_safe(&mut self, safe: &[u8], secret: &Secret<'_>) -> Result<()> {
        let safe = ber::normalise(safe).map_err(|_| Pkcs12Error::Malformed)?;
        for info in asn1::read_only(&safe, tag::SEQUENCE)?.inside().all()? {
            let kind = info.inside().expect(tag::OID)?.oid()?.to_string();
            let bags = match kind.as_str() {
                DATA => Zeroizing::new(data_content(&info)?),
                ENCRYPTED_DATA => decrypt_data(&info, secret)?,
                _ => return Err(Pkcs12Error::Unsupported(kind)),
            };
            let bags =
                Zeroizing::new(ber::normalise(&bags).map_err(|_| Pkcs12Error::WrongPassword)?);
            self.read_bags(asn1::read_only(&bags, tag::SEQUENCE)?.inside(), secret, 0)?;
        }
        Ok(())
    }

    /// SafeContents (RFC 7292 section 4.2); bags may hold bags.
    fn read_bags(&mut self, bags: Reader<'_>, secret: &Secret<'_>, depth: usize) -> Result<()> {
        if depth > limits::PKCS12_DEPTH {
            return Err(Pkcs12Error::TooManyBags);
        }
        for bag in bags.all()? {
            self.count()?;
            let mut inside = bag.inside();
            let kind = inside.expect(tag::OID)?.oid()?.to_string();
            let value = inside.expect(tag::context_constructed(0))?.content;
            match kind.as_str() {
                "1.2.840.113549.1.12.10.1.1" => self.read_key(value),
                "1.2.840.113549.1.12.10.1.2" => self.read_key(&shrouded_key(value, secret)?),
                "1.2.840.113549.1.12.10.1.3" => self.read_certificate(value)?,
                "1.2.840.113549.1.12.10.1.6" => {
                    let nested = asn1::read_only(value, tag::SEQUENCE)?.inside();
                    self.read_bags(nested, secret, depth.saturating_add(1))?;
                }
                // CRLs and secrets are nothing for us.
                _ => {}
            }
        }
        Ok(())
    }

    fn count(&mut self) -> Result<()> {
        self.bags = self.bags.saturating_add(1);
        match self.bags > limits::PKCS12_BAGS {
            true => Err(Pkcs12Error::TooManyBags),
            false => Ok(()),
        }
    }

    fn read_key(&mut self, pkcs8: &[u8]) {
        self.keep(PrivateKey::from_pkcs8(pkcs8));
    }

    fn keep(&mut self, key: std::result::Result<PrivateKey, KeyError>) {
        match key {
            Ok(key) => self.keys.push(key),
            Err(_) => self.unusable_keys = self.unusable_keys.saturating_add(1),
        }
    }

    /// CertBag (RFC 7292 section 4.2.3).
    fn read_certificate(&mut self, value: &[u8]) -> Result<()> {
        let mut bag = asn1::read_only(value, tag::SEQUENCE)?.inside();
        if bag.expect(tag::OID)?.oid()?.to_string() != "1.2.840.113549.1.9.22.1" {
            return Ok(());
        }
        let der = asn1::read_only(
            bag.expect(tag::context_constructed(0))?.content,
            tag::OCTET_STRING,
        )?
        .content;
        self.certificate(der)
    }

    fn certificate(&mut self, der: &[u8]) -> Result<()> {
        let certificate = Certificate::from_der(der).map_err(|_| Pkcs12Error::Malformed)?;
        if !self.certificates.contains(&certificate) {
            self.certificates.push(certificate);
        }
        Ok(())
    }

    fn pair(self) -> Result<Contents> {
        let key_of = |certificate: &Certificate| {
            self.keys
                .iter()
                .find(|key| key.matches(certificate))
                .cloned()
        };
        let mut contents = Contents {
            pairs: Vec::new(),
            chain: Vec::new(),
        };
        for certificate in self.certificates {
            match key_of(&certificate) {
                Some(key) => contents.pairs.push((certificate, key)),
                None => contents.chain.push(certificate),
            }
        }
        if !contents.pairs.is_empty() {
            return Ok(contents);
        }
        Err(if self.unusable_keys > 0 {
            Pkcs12Error::KeyKind
        } else {
            Pkcs12Error::NoKeyPair
        })
    }
}

/// PKCS8ShroudedKeyBag: EncryptedPrivateKeyInfo (RFC 5208 section 6).
fn shrouded_key(value: &[u8], secret: &Secret<'_>) -> Result<Zeroizing<Vec<u8>>> {
    let mut info = asn1::read_only(value, tag::SEQUENCE)?.inside();
    let algorithm = AlgorithmIdentifier::read(&mut info)?;
    let encrypted = info.expect(tag::OCTET_STRING)?.content;
    let key = protection::decrypt(&algorithm, encrypted, secret)?;
    Ok(Zeroizing::new(
        ber::normalise(&key).map_err(|_| Pkcs12Error::WrongPassword)?,
    ))
}

/// EncryptedData (RFC 5652 section 8).
fn decrypt_data(info: &Element<'_>, secret: &Secret<'_>) -> Result<Zeroizing<Vec<u8>>> {
    let mut outer = info.inside();
    outer.expect(tag::OID)?;
    let content = outer.expect(tag::context_constructed(0))?;
    let mut data = asn1::read_only(content.content, tag::SEQUENCE)?.inside();
    data.expect(tag::INTEGER)?;
    let mut content_info = data.expect(tag::SEQUENCE)?.inside();
    content_info.expect(tag::OID)?;
    let algorithm = AlgorithmIdentifier::read(&mut content_info)?;
    let encrypted = content_info.any()?;
    let octets = match encrypted.tag {
        0x80 => encrypted.content.to_vec(),
        // Sent in segments: the normalised form of an implicitly tagged string keeps them.
        0xa0 => encrypted
            .inside()
            .all()?
            .iter()
            .flat_map(|segment| segment.content)
            .copied()
            .collect(),
        _ => return Err(Pkcs12Error::Malformed),
    };
    protection::decrypt(&algorithm, &octets, secret)
}
