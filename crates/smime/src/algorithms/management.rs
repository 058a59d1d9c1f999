//! How a content key reaches a recipient: key transport, key agreement, key wrap.

use const_oid::ObjectIdentifier;
use serde::{Deserialize, Serialize};

use super::Standing::{Accept, Refuse, Weak};
use super::signature::{RSA_ENCRYPTION, hash_parts, tagged_digest, tagged_mgf};
use super::{
    AlgorithmError, AlgorithmIdentifier, DigestAlgorithm, Row, absent_or_null, row, unsupported,
};
use crate::asn1::{self, tag};
use crate::limits;

const P_SPECIFIED: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.9");

/// How a content key is encrypted to an RSA key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyTransport {
    /// RSAES-PKCS1-v1_5 (RFC 3370 section 4.2.1).
    RsaPkcs1,
    /// RSAES-OAEP (RFC 3560); we make it with an empty label.
    RsaOaep {
        /// Digest of the label.
        digest: DigestAlgorithm,
        /// Digest of MGF1.
        mgf: DigestAlgorithm,
    },
}

/// A key transport algorithm with the parameters of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportParameters {
    /// The algorithm.
    pub algorithm: KeyTransport,
    /// The label of OAEP as it came (RFC 8017 section 7.1), nearly always empty; empty for PKCS#1 v1.5.
    pub label: Vec<u8>,
}

impl KeyTransport {
    /// The table of key transport algorithms. SHA-1 inside OAEP is not a weakness.
    pub const fn row(self) -> Row {
        match self {
            Self::RsaPkcs1 => row("1.2.840.113549.1.1.1", "rsa-pkcs1", 112, Accept, Accept),
            Self::RsaOaep { .. } => row("1.2.840.113549.1.1.7", "rsa-oaep", 112, Accept, Accept),
        }
    }

    /// Reads the parts of a keyEncryptionAlgorithm. OAEP without parameters or with wrong ones is an error, never v1.5 (row C13).
    pub fn from_algorithm_identifier(
        oid: &ObjectIdentifier,
        parameters: Option<&[u8]>,
    ) -> Result<TransportParameters, AlgorithmError> {
        if *oid == RSA_ENCRYPTION {
            absent_or_null(parameters, "rsa-pkcs1")?;
            return Ok(TransportParameters {
                algorithm: Self::RsaPkcs1,
                label: Vec::new(),
            });
        }
        let oaep = Self::RsaOaep {
            digest: DigestAlgorithm::Sha256,
            mgf: DigestAlgorithm::Sha256,
        };
        if *oid == oaep.row().oid {
            return read_oaep(parameters.ok_or(AlgorithmError::Parameters("rsa-oaep"))?);
        }
        Err(unsupported(oid))
    }

    /// The keyEncryptionAlgorithm.
    pub fn identifier(self) -> AlgorithmIdentifier {
        match self {
            Self::RsaPkcs1 => AlgorithmIdentifier::with_null(self.row().oid),
            Self::RsaOaep { digest, mgf } => {
                let (digest, mgf) = hash_parts(digest, mgf);
                AlgorithmIdentifier {
                    oid: self.row().oid,
                    parameters: Some(asn1::sequence(&[&digest, &mgf])),
                }
            }
        }
    }
}

/// RSAES-OAEP-params (RFC 4055 section 4.1).
fn read_oaep(parameters: &[u8]) -> Result<TransportParameters, AlgorithmError> {
    let wrong = || AlgorithmError::Parameters("rsa-oaep");
    let mut inside = asn1::read_only(parameters, tag::SEQUENCE)
        .map_err(|_| wrong())?
        .inside();
    let digest = tagged_digest(&mut inside, 0)?;
    let mgf = tagged_mgf(&mut inside)?;
    let mut label = Vec::new();
    if let Some(element) = inside
        .optional(tag::context_constructed(2))
        .map_err(|_| wrong())?
    {
        label = read_label(element.content).ok_or_else(wrong)?;
    }
    inside.finish().map_err(|_| wrong())?;
    Ok(TransportParameters {
        algorithm: KeyTransport::RsaOaep { digest, mgf },
        label,
    })
}

/// pSourceFunc: a label of at most `limits::OAEP_LABEL_OCTETS`.
fn read_label(source: &[u8]) -> Option<Vec<u8>> {
    let source = AlgorithmIdentifier::from_der(source).ok()?;
    let label = asn1::read_only(source.parameters.as_deref()?, tag::OCTET_STRING).ok()?;
    let fits = source.oid == P_SPECIFIED && label.content.len() <= limits::OAEP_LABEL_OCTETS;
    fits.then(|| label.content.to_vec())
}

/// How a content key is wrapped in another key: AES key wrap (RFC 3394, identifiers of RFC 3565), or that of Triple DES.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyWrap {
    /// With AES-128.
    Aes128,
    /// With AES-192.
    Aes192,
    /// With AES-256.
    Aes256,
    /// With Triple DES (RFC 3217 section 3): read as weak, never made.
    TripleDes,
}

impl KeyWrap {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Aes128, Self::Aes192, Self::Aes256, Self::TripleDes];

    /// The table of key wraps (RFC 3565 section 2.3.2, RFC 3370 section 4.3.1).
    pub const fn row(self) -> Row {
        match self {
            Self::Aes128 => row("2.16.840.1.101.3.4.1.5", "aes128-wrap", 128, Accept, Accept),
            Self::Aes192 => row(
                "2.16.840.1.101.3.4.1.25",
                "aes192-wrap",
                192,
                Accept,
                Accept,
            ),
            Self::Aes256 => row(
                "2.16.840.1.101.3.4.1.45",
                "aes256-wrap",
                256,
                Accept,
                Accept,
            ),
            Self::TripleDes => row("1.2.840.113549.1.9.16.3.6", "3des-wrap", 112, Refuse, Weak),
        }
    }

    /// Length of the wrapping key in octets.
    pub const fn key_length(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 => 32,
        }
    }

    /// Reads the parts of a key wrap identifier: absent by RFC 3565, NULL by RFC 3370 and from some.
    pub fn from_algorithm_identifier(
        oid: &ObjectIdentifier,
        parameters: Option<&[u8]>,
    ) -> Result<Self, AlgorithmError> {
        let found = Self::ALL
            .into_iter()
            .find(|w| w.row().oid == *oid)
            .ok_or_else(|| unsupported(oid))?;
        absent_or_null(parameters, found.row().name)?;
        Ok(found)
    }
}

/// How the wrapping key comes out of the shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyDerivation {
    /// One-pass standard Diffie-Hellman, the KDF of ANSI X9.63 (RFC 5753 section 7.2).
    X963(DigestAlgorithm),
    /// The same with cofactor Diffie-Hellman; all curves here have the cofactor 1, so that the secret is the same.
    Cofactor(DigestAlgorithm),
    /// One-pass standard Diffie-Hellman, HKDF with SHA-256 (RFC 8418 section 2.2).
    HkdfSha256,
    /// The same with SHA-384.
    HkdfSha384,
    /// The same with SHA-512.
    HkdfSha512,
}

impl KeyDerivation {
    /// All of them.
    pub const ALL: [Self; 13] = {
        use DigestAlgorithm::{Sha1, Sha224, Sha256, Sha384, Sha512};
        [
            Self::X963(Sha256),
            Self::X963(Sha384),
            Self::X963(Sha512),
            Self::X963(Sha224),
            Self::X963(Sha1),
            Self::Cofactor(Sha256),
            Self::Cofactor(Sha384),
            Self::Cofactor(Sha512),
            Self::Cofactor(Sha224),
            Self::Cofactor(Sha1),
            Self::HkdfSha256,
            Self::HkdfSha384,
            Self::HkdfSha512,
        ]
    };

    /// The table of key agreement schemes (RFC 5753 section 7.1.4, RFC 8418 section 2).
    pub const fn row(self) -> Row {
        use DigestAlgorithm::{Sha1, Sha224, Sha256, Sha384, Sha512};
        match self {
            // SHA-1 in a KDF is not a weakness, and old clients send nothing else.
            Self::X963(Sha1) => row(
                "1.3.133.16.840.63.0.2",
                "dh-std-sha1kdf",
                112,
                Refuse,
                Accept,
            ),
            Self::X963(Sha224) => row("1.3.132.1.11.0", "dh-std-sha224kdf", 112, Refuse, Accept),
            Self::X963(Sha256) => row("1.3.132.1.11.1", "dh-std-sha256kdf", 128, Accept, Accept),
            Self::X963(Sha384) => row("1.3.132.1.11.2", "dh-std-sha384kdf", 192, Accept, Accept),
            Self::X963(Sha512) => row("1.3.132.1.11.3", "dh-std-sha512kdf", 256, Accept, Accept),
            Self::Cofactor(Sha1) => row(
                "1.3.133.16.840.63.0.3",
                "dh-cof-sha1kdf",
                112,
                Refuse,
                Accept,
            ),
            Self::Cofactor(Sha224) => {
                row("1.3.132.1.14.0", "dh-cof-sha224kdf", 112, Refuse, Accept)
            }
            Self::Cofactor(Sha256) => {
                row("1.3.132.1.14.1", "dh-cof-sha256kdf", 128, Refuse, Accept)
            }
            Self::Cofactor(Sha384) => {
                row("1.3.132.1.14.2", "dh-cof-sha384kdf", 192, Refuse, Accept)
            }
            Self::Cofactor(Sha512) => {
                row("1.3.132.1.14.3", "dh-cof-sha512kdf", 256, Refuse, Accept)
            }
            Self::HkdfSha256 => row(
                "1.2.840.113549.1.9.16.3.19",
                "dh-std-hkdf-sha256",
                128,
                Accept,
                Accept,
            ),
            Self::HkdfSha384 => row(
                "1.2.840.113549.1.9.16.3.20",
                "dh-std-hkdf-sha384",
                192,
                Accept,
                Accept,
            ),
            Self::HkdfSha512 => row(
                "1.2.840.113549.1.9.16.3.21",
                "dh-std-hkdf-sha512",
                256,
                Accept,
                Accept,
            ),
        }
    }
}

/// A key agreement scheme with its key wrap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAgreement {
    /// The key derivation.
    pub derivation: KeyDerivation,
    /// The key wrap.
    pub wrap: KeyWrap,
    /// The key wrap's AlgorithmIdentifier as it stood: it goes into the derivation.
    pub wrap_identifier: Vec<u8>,
}

impl KeyAgreement {
    /// Reads the parts of a keyEncryptionAlgorithm; its parameters are the key wrap (RFC 5753 section 7.1.4). Absent is an error (row C13).
    pub fn from_algorithm_identifier(
        oid: &ObjectIdentifier,
        parameters: Option<&[u8]>,
    ) -> Result<Self, AlgorithmError> {
        let derivation = KeyDerivation::ALL
            .into_iter()
            .find(|d| d.row().oid == *oid)
            .ok_or_else(|| unsupported(oid))?;
        let wrap_identifier =
            parameters.ok_or(AlgorithmError::Parameters(derivation.row().name))?;
        let id = AlgorithmIdentifier::from_der(wrap_identifier)?;
        let wrap = KeyWrap::from_algorithm_identifier(&id.oid, id.parameters.as_deref())?;
        Ok(Self {
            derivation,
            wrap,
            wrap_identifier: wrap_identifier.to_vec(),
        })
    }

    /// The scheme with this derivation and wrap, as we send it.
    pub fn new(derivation: KeyDerivation, wrap: KeyWrap) -> Self {
        let wrap_identifier = AlgorithmIdentifier::plain(wrap.row().oid).to_der();
        Self {
            derivation,
            wrap,
            wrap_identifier,
        }
    }

    /// The keyEncryptionAlgorithm.
    pub fn identifier(&self) -> AlgorithmIdentifier {
        AlgorithmIdentifier {
            oid: self.derivation.row().oid,
            parameters: Some(self.wrap_identifier.clone()),
        }
    }
}
