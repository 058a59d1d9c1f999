//! The algorithms that can be asked for on the command line, by name.

use clap::{Args, ValueEnum};
use sealgate_smime::algorithms::{ContentEncryption, DigestAlgorithm, KeyTransport, PublicKeyKind};
use sealgate_smime::key::PrivateKey;
use sealgate_smime::profile::{Profile, RsaSignature, Suite, suite};

use crate::cmd::Failure;

/// How a message is signed.
#[derive(Debug, Args)]
pub struct SignChoice {
    /// Algorithms agreed with a partner: default, modern, edi-energy or legacy.
    #[arg(long, default_value_t)]
    profile: Profile,
    /// Scheme of an RSA key, instead of the profile's.
    #[arg(long)]
    signature: Option<Scheme>,
    /// Digest of an RSA key; a curve has its own.
    #[arg(long)]
    digest: Option<DigestName>,
}

/// How a message is encrypted.
#[derive(Debug, Args)]
pub struct EncryptChoice {
    /// Algorithms agreed with a partner: default, modern, edi-energy or legacy.
    #[arg(long, default_value_t)]
    profile: Profile,
    /// Content cipher, instead of the profile's.
    #[arg(long)]
    content: Option<ContentName>,
    /// How the content key reaches RSA keys, instead of the profile's way.
    #[arg(long)]
    transport: Option<TransportName>,
    /// Digest of the key derivation for keys on curves, instead of the one that fits the curve.
    #[arg(long)]
    agreement: Option<DigestName>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scheme {
    Pkcs1,
    Pss,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DigestName {
    #[value(name = "sha-256")]
    Sha256,
    #[value(name = "sha-384")]
    Sha384,
    #[value(name = "sha-512")]
    Sha512,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ContentName {
    #[value(name = "aes-128-cbc")]
    Aes128Cbc,
    #[value(name = "aes-192-cbc")]
    Aes192Cbc,
    #[value(name = "aes-256-cbc")]
    Aes256Cbc,
    #[value(name = "aes-128-gcm")]
    Aes128Gcm,
    #[value(name = "aes-192-gcm")]
    Aes192Gcm,
    #[value(name = "aes-256-gcm")]
    Aes256Gcm,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TransportName {
    Pkcs1,
    #[value(name = "oaep-sha1")]
    OaepSha1,
    #[value(name = "oaep-sha256")]
    OaepSha256,
    #[value(name = "oaep-sha384")]
    OaepSha384,
    #[value(name = "oaep-sha512")]
    OaepSha512,
}

impl From<DigestName> for DigestAlgorithm {
    fn from(name: DigestName) -> Self {
        match name {
            DigestName::Sha256 => Self::Sha256,
            DigestName::Sha384 => Self::Sha384,
            DigestName::Sha512 => Self::Sha512,
        }
    }
}

impl From<ContentName> for ContentEncryption {
    fn from(name: ContentName) -> Self {
        match name {
            ContentName::Aes128Cbc => Self::Aes128Cbc,
            ContentName::Aes192Cbc => Self::Aes192Cbc,
            ContentName::Aes256Cbc => Self::Aes256Cbc,
            ContentName::Aes128Gcm => Self::Aes128Gcm,
            ContentName::Aes192Gcm => Self::Aes192Gcm,
            ContentName::Aes256Gcm => Self::Aes256Gcm,
        }
    }
}

impl From<TransportName> for KeyTransport {
    fn from(name: TransportName) -> Self {
        let oaep = |digest| Self::RsaOaep {
            digest,
            mgf: digest,
        };
        match name {
            TransportName::Pkcs1 => Self::RsaPkcs1,
            TransportName::OaepSha1 => oaep(DigestAlgorithm::Sha1),
            TransportName::OaepSha256 => oaep(DigestAlgorithm::Sha256),
            TransportName::OaepSha384 => oaep(DigestAlgorithm::Sha384),
            TransportName::OaepSha512 => oaep(DigestAlgorithm::Sha512),
        }
    }
}

impl SignChoice {
    /// How `key` signs. What the key cannot do is an error, never passed over.
    pub fn rsa_signature(&self, key: &PrivateKey) -> Result<RsaSignature, Failure> {
        let (mut pss, mut digest) = match suite(self.profile, &[]).rsa_signature {
            RsaSignature::Pkcs1(digest) => (false, digest),
            RsaSignature::Pss(digest) => (true, digest),
        };
        if let Some(scheme) = self.signature {
            pss = matches!(scheme, Scheme::Pss);
        }
        digest = self.digest.map_or(digest, DigestAlgorithm::from);
        let chosen = if pss {
            RsaSignature::Pss(digest)
        } else {
            RsaSignature::Pkcs1(digest)
        };
        let Some(algorithm) = key.signature_algorithm(chosen) else {
            return Ok(chosen);
        };
        if self.digest.is_some() && algorithm.digest() != digest {
            return Err(Failure::new(format_args!(
                "this key signs with {} only",
                algorithm.digest().row().name
            )));
        }
        if self.signature.is_some() && !matches!(key.kind(), PublicKeyKind::Rsa(_)) {
            return Err(Failure::new(
                "--signature is for RSA keys that may use both schemes",
            ));
        }
        Ok(chosen)
    }
}

impl EncryptChoice {
    /// The algorithms to encrypt with.
    pub fn suite(&self) -> Suite {
        let profile = suite(self.profile, &[]);
        Suite {
            content: self.content.map_or(profile.content, Into::into),
            transport: self.transport.map_or(profile.transport, Into::into),
            agreement: self.agreement.map(Into::into),
            ..profile
        }
    }
}
