//! Which algorithms there are, how they are named on the wire, and whether we make or accept them.
//!
//! Each enum has one table, its `row` function: object identifier, name, strength in bits (NIST SP 800-57 part 1 table 2)
//! and one standing per direction. A new algorithm is a new variant and a new row.

use const_oid::ObjectIdentifier;
use sealgate_mail::Timestamp;
use serde::{Deserialize, Serialize};

mod management;
mod signature;

pub use management::{KeyAgreement, KeyDerivation, KeyTransport, KeyWrap, TransportParameters};
pub use signature::SignatureAlgorithm;

use crate::asn1::{self, Asn1Error, Reader, tag};

/// How an algorithm stands in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Used without remark.
    Accept,
    /// Only where the organisation allows legacy algorithms; the verdict says so.
    Weak,
    /// Like `Weak` before this moment, and not at all from then on.
    WeakUntil(Timestamp),
    /// Only where the organisation allows Brainpool curves.
    Brainpool,
    /// Not used at all.
    Refuse,
}

impl Standing {
    /// Whether it is a legacy algorithm, whatever its end.
    pub const fn is_legacy(self) -> bool {
        matches!(self, Self::Weak | Self::WeakUntil(_))
    }
}

/// What an organisation lets in beyond [`Standing::Accept`]; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches {
    /// [`Standing::Weak`] algorithms, those with an end before it: Triple DES and SHA-1. Never silently, see [`crate::verify::Note`].
    pub legacy: bool,
    /// Keys on Brainpool curves (RFC 5639): to verify and to decrypt.
    pub brainpool: bool,
    /// When: an algorithm that is let in until then is no longer.
    pub at: Timestamp,
}

impl Switches {
    /// Whether an algorithm that stands so is read.
    pub fn allow(self, standing: Standing) -> bool {
        match standing {
            Standing::Accept => true,
            Standing::Weak => self.legacy,
            Standing::WeakUntil(end) => self.legacy && self.at < end,
            Standing::Brainpool => self.brainpool,
            Standing::Refuse => false,
        }
    }
}

/// One row of the algorithm table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Object identifier on the wire.
    pub oid: ObjectIdentifier,
    /// Name for people and for `micalg` (RFC 8551 section 3.5.3.2).
    pub name: &'static str,
    /// Security strength in bits.
    pub strength: u16,
    /// When we make mail.
    pub making: Standing,
    /// When we read mail.
    pub reading: Standing,
}

const fn row(
    oid: &str,
    name: &'static str,
    strength: u16,
    making: Standing,
    reading: Standing,
) -> Row {
    Row {
        oid: ObjectIdentifier::new_unwrap(oid),
        name,
        strength,
        making,
        reading,
    }
}

use Standing::{Accept, Refuse, Weak, WeakUntil};

/// SHA-1 is to be out of use by 31 December 2030 (NIST, "NIST Transitioning Away from SHA-1 for All Applications", 2022).
const END_OF_SHA1: Timestamp = Timestamp(1_924_992_000);

/// Why an AlgorithmIdentifier was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlgorithmError {
    /// We do not know it, or not for this purpose.
    #[error("unsupported algorithm {0}")]
    Unsupported(String),
    /// We know it and it is broken.
    #[error("the algorithm {0} is broken")]
    Weak(&'static str),
    /// Its parameters are absent, malformed or outside what the standard allows.
    #[error("wrong parameters for {0}")]
    Parameters(&'static str),
}

impl From<Asn1Error> for AlgorithmError {
    fn from(_: Asn1Error) -> Self {
        Self::Parameters("an algorithm identifier")
    }
}

fn unsupported(oid: &ObjectIdentifier) -> AlgorithmError {
    AlgorithmError::Unsupported(oid.to_string())
}

/// AlgorithmIdentifier as it stood (RFC 5280 section 4.1.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlgorithmIdentifier {
    /// The algorithm.
    pub oid: ObjectIdentifier,
    /// The parameters element, tag included, if there is one.
    pub parameters: Option<Vec<u8>>,
}

impl AlgorithmIdentifier {
    /// Reads one from a whole SEQUENCE element.
    pub fn from_der(der: &[u8]) -> Result<Self, Asn1Error> {
        let mut reader = Reader::new(der);
        let found = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(found)
    }

    /// Reads the next element.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, Asn1Error> {
        Self::read_content(reader.expect(tag::SEQUENCE)?.inside())
    }

    /// Reads the content of the SEQUENCE, under whatever tag it stood.
    pub fn read_content(mut inside: Reader<'_>) -> Result<Self, Asn1Error> {
        let oid = inside.expect(tag::OID)?.oid()?;
        let parameters = if inside.is_empty() {
            None
        } else {
            Some(inside.any()?.raw.to_vec())
        };
        inside.finish()?;
        Ok(Self { oid, parameters })
    }

    /// Whether both say the same: absent parameters and NULL do (RFC 5754 section 2).
    pub fn is_same(&self, other: &Self) -> bool {
        let said = |one: &Self| {
            one.parameters
                .clone()
                .filter(|octets| *octets != asn1::null())
        };
        self.oid == other.oid && said(self) == said(other)
    }

    /// The SEQUENCE element.
    pub fn to_der(&self) -> Vec<u8> {
        asn1::sequence(&[
            &asn1::oid(&self.oid),
            self.parameters.as_deref().unwrap_or_default(),
        ])
    }

    fn plain(oid: ObjectIdentifier) -> Self {
        Self {
            oid,
            parameters: None,
        }
    }

    fn with_null(oid: ObjectIdentifier) -> Self {
        Self {
            oid,
            parameters: Some(asn1::null()),
        }
    }
}

/// Absent or NULL: both occur and mean the same (RFC 5754 section 2).
fn absent_or_null(parameters: Option<&[u8]>, name: &'static str) -> Result<(), AlgorithmError> {
    match parameters {
        None | Some([tag::NULL, 0]) => Ok(()),
        Some(_) => Err(AlgorithmError::Parameters(name)),
    }
}

fn absent(parameters: Option<&[u8]>, name: &'static str) -> Result<(), AlgorithmError> {
    if parameters.is_none() {
        Ok(())
    } else {
        Err(AlgorithmError::Parameters(name))
    }
}

/// A message digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DigestAlgorithm {
    /// SHA-1: read as weak, never made.
    Sha1,
    /// SHA-224: read, never made.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// Known and broken (row C15).
const BROKEN_DIGESTS: [(ObjectIdentifier, &str); 3] = [
    (ObjectIdentifier::new_unwrap("1.2.840.113549.2.2"), "md2"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.2.4"), "md4"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.2.5"), "md5"),
];

impl DigestAlgorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Sha1,
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
    ];

    /// The table of digests (RFC 5754 section 2).
    pub const fn row(self) -> Row {
        match self {
            Self::Sha1 => row("1.3.14.3.2.26", "sha-1", 60, Refuse, WeakUntil(END_OF_SHA1)),
            Self::Sha224 => row("2.16.840.1.101.3.4.2.4", "sha-224", 112, Refuse, Accept),
            Self::Sha256 => row("2.16.840.1.101.3.4.2.1", "sha-256", 128, Accept, Accept),
            Self::Sha384 => row("2.16.840.1.101.3.4.2.2", "sha-384", 192, Accept, Accept),
            Self::Sha512 => row("2.16.840.1.101.3.4.2.3", "sha-512", 256, Accept, Accept),
        }
    }

    /// Length of the digest in octets.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Reads the parts of an AlgorithmIdentifier; parameters are absent or NULL.
    pub fn from_algorithm_identifier(
        oid: &ObjectIdentifier,
        parameters: Option<&[u8]>,
    ) -> Result<Self, AlgorithmError> {
        if let Some((_, name)) = BROKEN_DIGESTS.iter().find(|(broken, _)| broken == oid) {
            return Err(AlgorithmError::Weak(name));
        }
        let found = Self::ALL
            .into_iter()
            .find(|d| d.row().oid == *oid)
            .ok_or_else(|| unsupported(oid))?;
        absent_or_null(parameters, found.row().name)?;
        Ok(found)
    }

    /// The AlgorithmIdentifier element; parameters absent (RFC 5754 section 2).
    pub fn identifier(self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::plain(self.row().oid)
    }
}

/// A cipher for message content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContentEncryption {
    /// AES-128 in CBC mode.
    Aes128Cbc,
    /// AES-192 in CBC mode.
    Aes192Cbc,
    /// AES-256 in CBC mode: what every client reads, so the default.
    #[default]
    Aes256Cbc,
    /// AES-128 in GCM mode.
    Aes128Gcm,
    /// AES-192 in GCM mode.
    Aes192Gcm,
    /// AES-256 in GCM mode.
    Aes256Gcm,
    /// Triple DES in CBC mode: read as weak, never made.
    TripleDesCbc,
}

/// A content cipher with the parameters of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentParameters {
    /// The cipher.
    pub algorithm: ContentEncryption,
    /// Initialisation vector of one block, or the 12 octets of a GCM nonce.
    pub iv: Vec<u8>,
    /// Length of the authentication tag in octets; 0 for CBC.
    pub tag_length: usize,
}

/// Nonce of AES-GCM in octets: the recommended length, the only one we accept (RFC 5084 section 3.2; row C12).
pub const GCM_NONCE_OCTETS: usize = 12;
/// Tag we make, in octets: the longest (RFC 5084 section 3.2).
pub const GCM_TAG_OCTETS: usize = 16;

impl ContentEncryption {
    /// All of them, the preferred first within a mode.
    pub const ALL: [Self; 7] = [
        Self::Aes256Gcm,
        Self::Aes192Gcm,
        Self::Aes128Gcm,
        Self::Aes256Cbc,
        Self::Aes192Cbc,
        Self::Aes128Cbc,
        Self::TripleDesCbc,
    ];

    /// The table of content ciphers (RFC 3565, RFC 5084, RFC 8551 section 2.7).
    pub const fn row(self) -> Row {
        match self {
            Self::Aes128Cbc => row("2.16.840.1.101.3.4.1.2", "aes128-cbc", 128, Accept, Accept),
            Self::Aes192Cbc => row("2.16.840.1.101.3.4.1.22", "aes192-cbc", 192, Accept, Accept),
            Self::Aes256Cbc => row("2.16.840.1.101.3.4.1.42", "aes256-cbc", 256, Accept, Accept),
            Self::Aes128Gcm => row("2.16.840.1.101.3.4.1.6", "aes128-gcm", 128, Accept, Accept),
            Self::Aes192Gcm => row("2.16.840.1.101.3.4.1.26", "aes192-gcm", 192, Accept, Accept),
            Self::Aes256Gcm => row("2.16.840.1.101.3.4.1.46", "aes256-gcm", 256, Accept, Accept),
            Self::TripleDesCbc => row("1.2.840.113549.3.7", "des-ede3-cbc", 112, Refuse, Weak),
        }
    }

    /// Length of the key in octets.
    pub const fn key_length(self) -> usize {
        match self {
            Self::Aes128Cbc | Self::Aes128Gcm => 16,
            Self::Aes192Cbc | Self::Aes192Gcm | Self::TripleDesCbc => 24,
            Self::Aes256Cbc | Self::Aes256Gcm => 32,
        }
    }

    /// Whether a tag protects the content (the only ones allowed in AuthEnvelopedData).
    pub const fn authenticated(self) -> bool {
        matches!(self, Self::Aes128Gcm | Self::Aes192Gcm | Self::Aes256Gcm)
    }

    /// Length of the initialisation vector or nonce in octets.
    pub const fn iv_length(self) -> usize {
        match self {
            Self::TripleDesCbc => 8,
            _ if self.authenticated() => GCM_NONCE_OCTETS,
            _ => 16,
        }
    }

    /// Reads the parts of a contentEncryptionAlgorithm.
    pub fn from_algorithm_identifier(
        oid: &ObjectIdentifier,
        parameters: Option<&[u8]>,
    ) -> Result<ContentParameters, AlgorithmError> {
        let found = Self::ALL
            .into_iter()
            .find(|c| c.row().oid == *oid)
            .ok_or_else(|| unsupported(oid))?;
        let wrong = || AlgorithmError::Parameters(found.row().name);
        let parameters = parameters.ok_or_else(wrong)?;
        if found.authenticated() {
            return read_gcm(found, parameters).ok_or_else(wrong);
        }
        let iv = asn1::read_only(parameters, tag::OCTET_STRING)
            .map_err(|_| wrong())?
            .content;
        if iv.len() != found.iv_length() {
            return Err(wrong());
        }
        Ok(ContentParameters {
            algorithm: found,
            iv: iv.to_vec(),
            tag_length: 0,
        })
    }
}

/// GCMParameters (RFC 5084 section 3.2): nonce of 12 octets, tag of 12 to 16, 12 where it is not said.
fn read_gcm(algorithm: ContentEncryption, parameters: &[u8]) -> Option<ContentParameters> {
    let mut inside = asn1::read_only(parameters, tag::SEQUENCE).ok()?.inside();
    let iv = inside.expect(tag::OCTET_STRING).ok()?.content;
    let tag_length = match inside.optional(tag::INTEGER).ok()? {
        None => 12,
        Some(element) => element.small().ok()?,
    };
    inside.finish().ok()?;
    if iv.len() != GCM_NONCE_OCTETS || !(12..=16).contains(&tag_length) {
        return None;
    }
    Some(ContentParameters {
        algorithm,
        iv: iv.to_vec(),
        tag_length: tag_length as usize,
    })
}

impl ContentParameters {
    /// The contentEncryptionAlgorithm.
    pub fn identifier(&self) -> AlgorithmIdentifier {
        let iv = asn1::octet_string(&self.iv);
        let parameters = if self.algorithm.authenticated() {
            asn1::sequence(&[&iv, &asn1::small(self.tag_length as u32)])
        } else {
            iv
        };
        AlgorithmIdentifier {
            oid: self.algorithm.row().oid,
            parameters: Some(parameters),
        }
    }
}

/// A named elliptic curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// brainpoolP256r1.
    BrainpoolP256,
    /// brainpoolP384r1.
    BrainpoolP384,
}

impl Curve {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::P256,
        Self::P384,
        Self::P521,
        Self::BrainpoolP256,
        Self::BrainpoolP384,
    ];

    /// The table of curves (RFC 5480 section 2.1.1.1, RFC 5639 section 4.1).
    pub const fn row(self) -> Row {
        match self {
            Self::P256 => row("1.2.840.10045.3.1.7", "P-256", 128, Accept, Accept),
            Self::P384 => row("1.3.132.0.34", "P-384", 192, Accept, Accept),
            Self::P521 => row("1.3.132.0.35", "P-521", 256, Accept, Accept),
            Self::BrainpoolP256 => row(
                "1.3.36.3.3.2.8.1.1.7",
                "brainpoolP256r1",
                128,
                Refuse,
                Standing::Brainpool,
            ),
            Self::BrainpoolP384 => row(
                "1.3.36.3.3.2.8.1.1.11",
                "brainpoolP384r1",
                192,
                Refuse,
                Standing::Brainpool,
            ),
        }
    }
}

/// What a public key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PublicKeyKind {
    /// RSA with so many bits.
    Rsa(u32),
    /// RSA with so many bits that its owner restricts to RSASSA-PSS (RFC 4055 section 1.2): it never encrypts.
    RsaPss(u32),
    /// A point on a named curve.
    Ec(Curve),
    /// Ed25519.
    Ed25519,
    /// X25519.
    X25519,
}

impl PublicKeyKind {
    /// Length of the modulus in bits, for RSA keys.
    pub const fn rsa_bits(self) -> Option<u32> {
        match self {
            Self::Rsa(bits) | Self::RsaPss(bits) => Some(bits),
            Self::Ec(_) | Self::Ed25519 | Self::X25519 => None,
        }
    }

    /// How keys of this kind stand when mail is made with them or to them.
    pub const fn making(self) -> Standing {
        match self {
            Self::Ec(curve) => curve.row().making,
            _ => Standing::Accept,
        }
    }

    /// How keys of this kind stand when mail is read.
    pub const fn reading(self) -> Standing {
        match self {
            Self::Ec(curve) => curve.row().reading,
            _ => Standing::Accept,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legacy_algorithms_are_let_in_by_switch_and_until_their_end() {
        let let_in = |row: Row, legacy, at| {
            let switches = Switches {
                legacy,
                at,
                ..Switches::default()
            };
            switches.allow(row.reading)
        };
        let sha1 = [
            DigestAlgorithm::Sha1.row(),
            SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha1).row(),
            SignatureAlgorithm::pss(DigestAlgorithm::Sha1).row(),
            SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha1).row(),
        ];
        for row in sha1 {
            assert!(let_in(row, true, END_OF_SHA1.plus(-1)), "{}", row.name);
            assert!(!let_in(row, true, END_OF_SHA1), "{}", row.name);
            assert!(!let_in(row, false, END_OF_SHA1.plus(-1)), "{}", row.name);
        }
        let without_end = ContentEncryption::TripleDesCbc.row();
        assert!(let_in(without_end, true, END_OF_SHA1));
        assert!(!let_in(without_end, false, Timestamp::default()));
        assert!(let_in(DigestAlgorithm::Sha256.row(), false, END_OF_SHA1));
    }

    fn unlabelled(algorithm: KeyTransport) -> TransportParameters {
        TransportParameters {
            algorithm,
            label: Vec::new(),
        }
    }

    /// An identifier read back by `read` gives what it was written from.
    #[test]
    fn identifiers_go_both_ways() {
        for digest in DigestAlgorithm::ALL {
            let id = digest.identifier();
            assert_eq!(AlgorithmIdentifier::from_der(&id.to_der()).unwrap(), id);
            assert_eq!(
                DigestAlgorithm::from_algorithm_identifier(&id.oid, id.parameters.as_deref()),
                Ok(digest)
            );
            for signature in [
                SignatureAlgorithm::RsaPkcs1(digest),
                SignatureAlgorithm::Ecdsa(digest),
                SignatureAlgorithm::RsaPss {
                    digest,
                    mgf: digest,
                    salt: 32,
                },
                // What OpenSSL 3.0 writes by itself with RSA-4096.
                SignatureAlgorithm::RsaPss {
                    digest,
                    mgf: digest,
                    salt: 478,
                },
                SignatureAlgorithm::Ed25519,
            ] {
                let id = signature.identifier();
                let read = SignatureAlgorithm::from_algorithm_identifier(
                    &id.oid,
                    id.parameters.as_deref(),
                );
                assert_eq!(read, Ok(signature));
            }
            let transport = KeyTransport::RsaOaep {
                digest,
                mgf: DigestAlgorithm::Sha1,
            };
            let id = transport.identifier();
            assert_eq!(
                KeyTransport::from_algorithm_identifier(&id.oid, id.parameters.as_deref()),
                Ok(unlabelled(transport))
            );
        }
        for (derivation, wrap) in KeyDerivation::ALL
            .into_iter()
            .flat_map(|derivation| KeyWrap::ALL.map(|wrap| (derivation, wrap)))
        {
            let agreement = KeyAgreement::new(derivation, wrap);
            let id = agreement.identifier();
            assert_eq!(
                KeyAgreement::from_algorithm_identifier(&id.oid, id.parameters.as_deref()),
                Ok(agreement)
            );
        }
        for algorithm in ContentEncryption::ALL {
            let tag_length = if algorithm.authenticated() { 16 } else { 0 };
            let content = ContentParameters {
                algorithm,
                iv: vec![7; algorithm.iv_length()],
                tag_length,
            };
            let id = content.identifier();
            assert_eq!(
                ContentEncryption::from_algorithm_identifier(&id.oid, id.parameters.as_deref()),
                Ok(content)
            );
        }
    }

    fn gcm(nonce: usize, tag: Option<u32>) -> bool {
        let tag = tag.map(asn1::small).unwrap_or_default();
        let parameters = asn1::sequence(&[&asn1::octet_string(&vec![1; nonce]), &tag]);
        let oid = ContentEncryption::Aes128Gcm.row().oid;
        ContentEncryption::from_algorithm_identifier(&oid, Some(&parameters)).is_ok()
    }

    #[test]
    fn c12_nonces_and_tags() {
        for tag in [None, Some(12), Some(13), Some(16)] {
            assert!(gcm(12, tag));
        }
        for (nonce, tag) in [
            (12, 0),
            (12, 1),
            (12, 4),
            (12, 8),
            (12, 11),
            (12, 17),
            (0, 16),
            (11, 16),
            (13, 16),
            (1 << 16, 16),
        ] {
            assert!(!gcm(nonce, Some(tag)), "{nonce} {tag}");
        }
    }

    #[test]
    fn c13_parameters_are_never_guessed() {
        let oaep = KeyTransport::RsaOaep {
            digest: DigestAlgorithm::Sha256,
            mgf: DigestAlgorithm::Sha256,
        };
        let good = oaep.identifier();
        let parameters = good.parameters.clone().unwrap();
        let read = |parameters: Option<&[u8]>| {
            KeyTransport::from_algorithm_identifier(&good.oid, parameters)
        };
        assert_eq!(read(Some(&parameters)), Ok(unlabelled(oaep)));
        // RFC 4055 section 4.1: all defaults are SHA-1.
        let sha1 = DigestAlgorithm::Sha1;
        assert_eq!(
            read(Some(&[tag::SEQUENCE, 0])),
            Ok(unlabelled(KeyTransport::RsaOaep {
                digest: sha1,
                mgf: sha1
            }))
        );
        assert!(
            read(None).is_err() && read(Some(&[tag::NULL, 0])).is_err() && read(Some(&[])).is_err()
        );
        for length in 0..parameters.len() {
            assert!(read(parameters.get(..length)).is_err(), "{length}");
        }
        // Nothing may stand behind an identifier inside.
        let digest = DigestAlgorithm::Sha256.identifier().to_der();
        let digest = asn1::tlv(
            tag::context_constructed(0),
            &[&digest[..], &asn1::null()].concat(),
        );
        assert!(read(Some(&asn1::sequence(&[&digest]))).is_err());
        // A label is used as it came, within a limit.
        let label = |octets: usize| {
            let source = AlgorithmIdentifier {
                oid: ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.9"),
                parameters: Some(asn1::octet_string(&vec![5; octets])),
            };
            let source = asn1::tlv(tag::context_constructed(2), &source.to_der());
            read(Some(&asn1::sequence(&[&source]))).map(|found| found.label.len())
        };
        let most = crate::limits::OAEP_LABEL_OCTETS;
        assert_eq!((label(0), label(3), label(most)), (Ok(0), Ok(3), Ok(most)));
        assert!(label(most + 1).is_err());
        let agreement = KeyAgreement::new(KeyDerivation::X963(sha1), KeyWrap::Aes128).identifier();
        assert!(KeyAgreement::from_algorithm_identifier(&agreement.oid, None).is_err());
        assert!(
            KeyAgreement::from_algorithm_identifier(&agreement.oid, Some(&[tag::NULL, 0])).is_err()
        );
    }

    #[test]
    fn signers_may_name_the_key_type_only() {
        let sha256 = DigestAlgorithm::Sha256;
        let read = |oid: &ObjectIdentifier| SignatureAlgorithm::from_signer(oid, None, sha256);
        let rsa = KeyTransport::RsaPkcs1.row().oid;
        assert_eq!(read(&rsa), Ok(SignatureAlgorithm::RsaPkcs1(sha256)));
        let other = SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha512)
            .row()
            .oid;
        assert!(read(&other).is_err(), "another digest than digestAlgorithm");
        let md5: ObjectIdentifier = "1.2.840.113549.1.1.4".parse().unwrap();
        assert_eq!(read(&md5), Err(AlgorithmError::Weak("rsa-md5")));
    }
}
