//! Signature algorithms, in certificates and in SignerInfos.

use const_oid::ObjectIdentifier;
use serde::{Deserialize, Serialize};

use super::Standing::{Accept, Refuse, WeakUntil};
use super::{
    AlgorithmError, AlgorithmIdentifier, DigestAlgorithm, END_OF_SHA1, Row, absent, absent_or_null,
    row, unsupported,
};
use crate::asn1::{self, Reader, tag};

/// A signature algorithm with its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(DigestAlgorithm),
    /// RSASSA-PSS with MGF1.
    RsaPss {
        /// Digest of the message.
        digest: DigestAlgorithm,
        /// Digest of MGF1.
        mgf: DigestAlgorithm,
        /// Salt length in octets; some programs take all the room the key leaves, which is more than 255.
        salt: u16,
    },
    /// ECDSA.
    Ecdsa(DigestAlgorithm),
    /// Ed25519 (RFC 8419).
    Ed25519,
}

pub(super) const RSA_ENCRYPTION: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const MD5_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.4");
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");

impl SignatureAlgorithm {
    /// The table of signature algorithms (RFC 5754 section 3, RFC 4056, RFC 8419).
    pub const fn row(self) -> Row {
        use DigestAlgorithm::{Sha1, Sha224, Sha256, Sha384, Sha512};
        match self {
            Self::RsaPkcs1(Sha1) => row(
                "1.2.840.113549.1.1.5",
                "rsa-sha1",
                60,
                Refuse,
                WeakUntil(END_OF_SHA1),
            ),
            Self::RsaPkcs1(Sha224) => {
                row("1.2.840.113549.1.1.14", "rsa-sha224", 112, Refuse, Accept)
            }
            Self::RsaPkcs1(Sha256) => {
                row("1.2.840.113549.1.1.11", "rsa-sha256", 112, Accept, Accept)
            }
            Self::RsaPkcs1(Sha384) => {
                row("1.2.840.113549.1.1.12", "rsa-sha384", 112, Accept, Accept)
            }
            Self::RsaPkcs1(Sha512) => {
                row("1.2.840.113549.1.1.13", "rsa-sha512", 112, Accept, Accept)
            }
            Self::RsaPss { digest: Sha1, .. } => row(
                "1.2.840.113549.1.1.10",
                "rsa-pss-sha1",
                60,
                Refuse,
                WeakUntil(END_OF_SHA1),
            ),
            Self::RsaPss { digest: Sha224, .. } => row(
                "1.2.840.113549.1.1.10",
                "rsa-pss-sha224",
                112,
                Refuse,
                Accept,
            ),
            Self::RsaPss { .. } => row("1.2.840.113549.1.1.10", "rsa-pss", 112, Accept, Accept),
            Self::Ecdsa(Sha1) => row(
                "1.2.840.10045.4.1",
                "ecdsa-sha1",
                60,
                Refuse,
                WeakUntil(END_OF_SHA1),
            ),
            Self::Ecdsa(Sha224) => row("1.2.840.10045.4.3.1", "ecdsa-sha224", 112, Refuse, Accept),
            Self::Ecdsa(Sha256) => row("1.2.840.10045.4.3.2", "ecdsa-sha256", 128, Accept, Accept),
            Self::Ecdsa(Sha384) => row("1.2.840.10045.4.3.3", "ecdsa-sha384", 128, Accept, Accept),
            Self::Ecdsa(Sha512) => row("1.2.840.10045.4.3.4", "ecdsa-sha512", 128, Accept, Accept),
            Self::Ed25519 => row("1.3.101.112", "ed25519", 128, Accept, Accept),
        }
    }

    /// RSASSA-PSS as we make it: one digest for all, and a salt of its length (RFC 4055 section 3.1).
    pub const fn pss(digest: DigestAlgorithm) -> Self {
        Self::RsaPss {
            digest,
            mgf: digest,
            salt: digest.length() as u16,
        }
    }

    /// The digest the message goes through; Ed25519 signers use SHA-512 (RFC 8419 section 3.1).
    pub const fn digest(self) -> DigestAlgorithm {
        match self {
            Self::RsaPkcs1(digest) | Self::Ecdsa(digest) | Self::RsaPss { digest, .. } => digest,
            Self::Ed25519 => DigestAlgorithm::Sha512,
        }
    }

    /// Reads the signatureAlgorithm of a certificate, where the identifier names the digest too.
    pub fn from_algorithm_identifier(
        oid: &ObjectIdentifier,
        parameters: Option<&[u8]>,
    ) -> Result<Self, AlgorithmError> {
        if *oid == MD5_WITH_RSA {
            return Err(AlgorithmError::Weak("rsa-md5"));
        }
        if *oid == Self::Ed25519.row().oid {
            absent(parameters, "ed25519")?;
            return Ok(Self::Ed25519);
        }
        for digest in DigestAlgorithm::ALL {
            if *oid == Self::RsaPkcs1(digest).row().oid {
                absent_or_null(parameters, "rsa")?;
                return Ok(Self::RsaPkcs1(digest));
            }
            if *oid == Self::Ecdsa(digest).row().oid {
                absent_or_null(parameters, "ecdsa")?;
                return Ok(Self::Ecdsa(digest));
            }
        }
        let pss = Self::RsaPss {
            digest: DigestAlgorithm::Sha256,
            mgf: DigestAlgorithm::Sha256,
            salt: 32,
        };
        if *oid == pss.row().oid {
            return read_pss(parameters.ok_or(AlgorithmError::Parameters("rsa-pss"))?);
        }
        Err(unsupported(oid))
    }

    /// Reads the signatureAlgorithm of a SignerInfo: besides the names of certificates it may be the bare key type,
    /// with the digest given by digestAlgorithm (RFC 5754 section 3.2). Both must agree where both speak.
    pub fn from_signer(
        oid: &ObjectIdentifier,
        parameters: Option<&[u8]>,
        digest: DigestAlgorithm,
    ) -> Result<Self, AlgorithmError> {
        if *oid == RSA_ENCRYPTION {
            absent_or_null(parameters, "rsa")?;
            return Ok(Self::RsaPkcs1(digest));
        }
        if *oid == EC_PUBLIC_KEY {
            return Ok(Self::Ecdsa(digest));
        }
        let found = Self::from_algorithm_identifier(oid, parameters)?;
        if found.digest() != digest && found != Self::Ed25519 {
            return Err(AlgorithmError::Parameters(
                "a signature: another digest than digestAlgorithm",
            ));
        }
        Ok(found)
    }

    /// The AlgorithmIdentifier as it stands in certificates, requests and SignerInfos.
    pub fn identifier(self) -> AlgorithmIdentifier {
        match self {
            // RFC 4055 section 5: NULL for RSA; RFC 5758 section 3.2: absent for ECDSA.
            Self::RsaPkcs1(_) => AlgorithmIdentifier::with_null(self.row().oid),
            Self::Ecdsa(_) | Self::Ed25519 => AlgorithmIdentifier::plain(self.row().oid),
            Self::RsaPss { digest, mgf, salt } => AlgorithmIdentifier {
                oid: self.row().oid,
                parameters: Some(write_pss(digest, mgf, salt)),
            },
        }
    }
}

/// `[n]` EXPLICIT hash algorithm, SHA-1 where absent.
pub(super) fn tagged_digest(
    reader: &mut Reader<'_>,
    n: u8,
) -> Result<DigestAlgorithm, AlgorithmError> {
    match reader.optional(tag::context_constructed(n))? {
        None => Ok(DigestAlgorithm::Sha1),
        Some(element) => {
            let id = AlgorithmIdentifier::from_der(element.content)?;
            DigestAlgorithm::from_algorithm_identifier(&id.oid, id.parameters.as_deref())
        }
    }
}

/// `[1]` EXPLICIT mask generation function, MGF1 with SHA-1 where absent.
pub(super) fn tagged_mgf(reader: &mut Reader<'_>) -> Result<DigestAlgorithm, AlgorithmError> {
    let Some(element) = reader.optional(tag::context_constructed(1))? else {
        return Ok(DigestAlgorithm::Sha1);
    };
    let id = AlgorithmIdentifier::from_der(element.content)?;
    if id.oid != MGF1 {
        return Err(unsupported(&id.oid));
    }
    let inner = AlgorithmIdentifier::from_der(id.parameters.as_deref().unwrap_or_default())?;
    DigestAlgorithm::from_algorithm_identifier(&inner.oid, inner.parameters.as_deref())
}

/// RSASSA-PSS-params (RFC 4055 section 3.1).
fn read_pss(parameters: &[u8]) -> Result<SignatureAlgorithm, AlgorithmError> {
    let wrong = || AlgorithmError::Parameters("rsa-pss");
    let mut inside = asn1::read_only(parameters, tag::SEQUENCE)
        .map_err(|_| wrong())?
        .inside();
    let digest = tagged_digest(&mut inside, 0)?;
    let mgf = tagged_mgf(&mut inside)?;
    let salt = match inside.optional(tag::context_constructed(2))? {
        None => 20,
        Some(element) => asn1::read_only(element.content, tag::INTEGER)?.small()?,
    };
    if let Some(element) = inside.optional(tag::context_constructed(3))?
        && asn1::read_only(element.content, tag::INTEGER)?.small()? != 1
    {
        return Err(wrong());
    }
    inside.finish().map_err(|_| wrong())?;
    let salt = u16::try_from(salt).map_err(|_| wrong())?;
    Ok(SignatureAlgorithm::RsaPss { digest, mgf, salt })
}

pub(super) fn hash_parts(digest: DigestAlgorithm, mgf: DigestAlgorithm) -> (Vec<u8>, Vec<u8>) {
    let digest = AlgorithmIdentifier::with_null(digest.row().oid).to_der();
    let inner = AlgorithmIdentifier::with_null(mgf.row().oid).to_der();
    let mgf = AlgorithmIdentifier {
        oid: MGF1,
        parameters: Some(inner),
    }
    .to_der();
    (
        asn1::tlv(tag::context_constructed(0), &digest),
        asn1::tlv(tag::context_constructed(1), &mgf),
    )
}

fn write_pss(digest: DigestAlgorithm, mgf: DigestAlgorithm, salt: u16) -> Vec<u8> {
    let (digest, mgf) = hash_parts(digest, mgf);
    let salt = asn1::tlv(tag::context_constructed(2), &asn1::small(u32::from(salt)));
    asn1::sequence(&[&digest, &mgf, &salt])
}
