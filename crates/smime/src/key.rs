//! Private and public keys: made, read, used. Secrets are wiped when dropped and are never printed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use subtle::{ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::algorithms::{
    Curve, DigestAlgorithm, KeyAgreement, KeyDerivation, KeyTransport, PublicKeyKind,
    SignatureAlgorithm,
};
use crate::asn1::{self, tag};
use crate::aws::{self, CryptoError, Digest, Generate, Pkey, Signed};
use crate::certificate::Certificate;
use crate::profile::RsaSignature;
use crate::{limits, pem};

/// A key that can be made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// RSA with 2,048 bits.
    Rsa2048,
    /// RSA with 3,072 bits.
    Rsa3072,
    /// RSA with 4,096 bits.
    Rsa4096,
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
}

/// Why a key could not be read or used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The octets are no key we can use.
    #[error(
        "not a private key in PKCS#8, PKCS#1 or SEC 1 form, or of a kind that is not supported"
    )]
    Unreadable,
    /// The key is too short, too long, or of a kind for another purpose.
    #[error("a key of this kind cannot be used for that")]
    WrongKind,
    /// A primitive failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// A private key with its public half. Cloning shares it.
#[derive(Clone)]
pub struct PrivateKey(Arc<Held>);

struct Held {
    pkey: Pkey,
    kind: PublicKeyKind,
    spki: Vec<u8>,
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey({:?})", self.0.kind)
    }
}

impl PrivateKey {
    /// Makes a new key pair with the crypto library's own generator.
    pub fn generate(kind: KeyKind) -> Result<Self, KeyError> {
        Self::hold(Pkey::generate(match kind {
            KeyKind::Rsa2048 => Generate::Rsa(2048),
            KeyKind::Rsa3072 => Generate::Rsa(3072),
            KeyKind::Rsa4096 => Generate::Rsa(4096),
            KeyKind::P256 => Generate::Ec(Curve::P256),
            KeyKind::P384 => Generate::Ec(Curve::P384),
        })?)
    }

    fn hold(pkey: Pkey) -> Result<Self, KeyError> {
        let kind = pkey.kind().ok_or(KeyError::WrongKind)?;
        let spki = pkey.to_spki()?;
        Ok(Self(Arc::new(Held { pkey, kind, spki })))
    }

    /// Reads a whole unencrypted PKCS#8 PrivateKeyInfo (RFC 5208) in DER.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        Self::hold(Pkey::from_pkcs8(der).map_err(|_| KeyError::Unreadable)?)
    }

    /// Reads an unencrypted private key: PEM (PKCS#8, PKCS#1 or SEC 1) or PKCS#8 in DER.
    pub fn read(octets: &[u8]) -> Result<Self, KeyError> {
        if !pem::looks_like(octets) {
            return Self::from_pkcs8(octets);
        }
        for block in pem::read(octets).map_err(|_| KeyError::Unreadable)? {
            let der = match block.label.as_str() {
                "PRIVATE KEY" => block.der,
                "RSA PRIVATE KEY" => pkcs8(&RSA_IDENTIFIER, &block.der),
                "EC PRIVATE KEY" => pkcs8(&sec1_identifier(&block.der)?, &block.der),
                _ => continue,
            };
            return Self::from_pkcs8(&der);
        }
        Err(KeyError::Unreadable)
    }

    /// The PKCS#8 PrivateKeyInfo, for the store to seal and for nothing else.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        Ok(self.0.pkey.to_pkcs8()?)
    }

    /// What key it is.
    pub fn kind(&self) -> PublicKeyKind {
        self.0.kind
    }

    /// The public half as SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> &[u8] {
        &self.0.spki
    }

    /// Whether the certificate carries this key's public half.
    pub fn matches(&self, certificate: &Certificate) -> bool {
        certificate.spki_der() == self.spki_der()
            || certificate
                .public_key()
                .is_some_and(|public| public.0.same_public(&self.0.pkey))
    }

    /// The signature algorithm we use with this key; `None` if it cannot sign.
    pub fn signature_algorithm(&self, rsa: RsaSignature) -> Option<SignatureAlgorithm> {
        match self.kind() {
            PublicKeyKind::Rsa(_) => Some(match rsa {
                RsaSignature::Pkcs1 => SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256),
                RsaSignature::Pss => SignatureAlgorithm::RsaPss {
                    digest: DigestAlgorithm::Sha256,
                    mgf: DigestAlgorithm::Sha256,
                    // RFC 4055 section 3.1: the length of the digest.
                    salt: 32,
                },
            }),
            PublicKeyKind::Ec(Curve::P256) => {
                Some(SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256))
            }
            PublicKeyKind::Ec(Curve::P384) => {
                Some(SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha384))
            }
            PublicKeyKind::Ec(Curve::P521) => {
                Some(SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha512))
            }
            PublicKeyKind::Ed25519 => Some(SignatureAlgorithm::Ed25519),
            PublicKeyKind::X25519 => None,
        }
    }

    /// Signs `message`, which is hashed here.
    pub fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        Ok(self.0.pkey.sign(algorithm, message)?)
    }

    /// Decrypts a content key of `expected` octets. Where padding or length are wrong, a random key of that length is
    /// given back, so that the content fails instead (RFC 3218 section 2.3.2, rows C10 and C11). `Err` says that the key
    /// is no RSA key or the expected length impossible: nothing that depends on the ciphertext.
    pub fn decrypt_rsa(
        &self,
        transport: KeyTransport,
        encrypted: &[u8],
        expected: usize,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        if !matches!(self.kind(), PublicKeyKind::Rsa(_))
            || !(1..=limits::CONTENT_KEY_OCTETS).contains(&expected)
        {
            return Err(KeyError::WrongKind);
        }
        let mut key = Zeroizing::new(vec![0; expected]);
        aws::random(&mut key)?;
        match transport {
            KeyTransport::RsaPkcs1 => {
                // Fails only for a ciphertext that is no number below the modulus, which everybody can see.
                if let Ok(block) = self.0.pkey.rsa_private(encrypted) {
                    take_if_padded(&block, &mut key);
                }
            }
            KeyTransport::RsaOaep { .. } => {
                if let Ok(found) = self.0.pkey.decrypt_oaep(transport, encrypted)
                    && found.len() == expected
                {
                    key.copy_from_slice(&found);
                }
            }
        }
        Ok(key)
    }

    /// Unwraps a content key that was wrapped to this key by key agreement (RFC 5753 section 3.1). `originator` is the
    /// content of the originator's public key BIT STRING, `ukm` the user keying material if there is one.
    pub fn unwrap_agreed(
        &self,
        agreement: &KeyAgreement,
        originator: &[u8],
        ukm: Option<&[u8]>,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let peer = Pkey::from_spki(&agreement_spki(self.kind(), originator)?)?;
        let secret = self.0.pkey.agree(&peer)?;
        let wrapping = derive(agreement, &secret, ukm);
        Ok(aws::unwrap_key(&wrapping, wrapped)?)
    }
}

/// Replaces `key` by the end of `block` if the block is `00 02 (non-zero octets) 00 key` (RFC 8017 section 7.2.2) with a
/// key of just that length. No branch and no index depends on secret octets.
fn take_if_padded(block: &[u8], key: &mut [u8]) {
    let Some(split) = block.len().checked_sub(key.len()) else {
        return;
    };
    let (padding, found) = block.split_at(split);
    let [first, second, filler @ .., last] = padding else {
        return;
    };
    // RFC 8017 section 7.2.1: at least eight octets of filler.
    if filler.len() < 8 {
        return;
    }
    let mut good = first.ct_eq(&0) & second.ct_eq(&2) & last.ct_eq(&0);
    for octet in filler {
        good &= !octet.ct_eq(&0);
    }
    for (to, from) in key.iter_mut().zip(found) {
        to.conditional_assign(from, good);
    }
}

/// A public key, parsed. Cloning shares it.
#[derive(Clone)]
pub struct PublicKey(Arc<Pkey>);

impl PublicKey {
    /// Reads a whole SubjectPublicKeyInfo.
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        Ok(Self(Arc::new(Pkey::from_spki(der)?)))
    }

    /// What key it is; `None` for kinds we do not use.
    pub fn kind(&self) -> Option<PublicKeyKind> {
        self.0.kind()
    }

    /// Checks a signature.
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        signed: Signed<'_>,
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.0.verify(algorithm, signed, signature)
    }

    /// Encrypts a content key to this RSA key.
    pub fn encrypt(
        &self,
        transport: KeyTransport,
        content_key: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        Ok(self.0.encrypt(transport, content_key)?)
    }

    /// Wraps a content key to this key with a fresh key pair of the same curve.
    pub fn wrap_agreed(
        &self,
        agreement: &KeyAgreement,
        content_key: &[u8],
    ) -> Result<Agreed, KeyError> {
        let kind = self.kind().ok_or(KeyError::WrongKind)?;
        let ephemeral = Pkey::generate(match kind {
            PublicKeyKind::Ec(curve) => Generate::Ec(curve),
            PublicKeyKind::X25519 => Generate::X25519,
            PublicKeyKind::Rsa(_) | PublicKeyKind::Ed25519 => return Err(KeyError::WrongKind),
        })?;
        let wrapping = derive(agreement, &ephemeral.agree(&self.0)?, None);
        let wrapped = aws::wrap_key(&wrapping, content_key)?;
        Ok(Agreed {
            originator_spki: ephemeral.to_spki()?,
            wrapped,
        })
    }
}

/// What key agreement gives the sender.
pub struct Agreed {
    /// The fresh public key as SubjectPublicKeyInfo.
    pub originator_spki: Vec<u8>,
    /// The wrapped content key.
    pub wrapped: Vec<u8>,
}

/// id-ecPublicKey as an element (RFC 5480 section 2.1.1).
const EC_PUBLIC_KEY_OID: [u8; 9] = [tag::OID, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
/// AlgorithmIdentifier of X25519 (RFC 8410 section 3).
const X25519_IDENTIFIER: [u8; 7] = [tag::SEQUENCE, 5, tag::OID, 3, 0x2b, 0x65, 0x6e];
/// AlgorithmIdentifier of rsaEncryption with NULL (RFC 3279 section 2.3.1).
const RSA_IDENTIFIER: [u8; 15] = [
    tag::SEQUENCE,
    13,
    tag::OID,
    9,
    0x2a,
    0x86,
    0x48,
    0x86,
    0xf7,
    0x0d,
    1,
    1,
    1,
    tag::NULL,
    0,
];

/// A SubjectPublicKeyInfo around the originator's public key: its curve is ours, or the library refuses the point.
fn agreement_spki(own: PublicKeyKind, originator: &[u8]) -> Result<Vec<u8>, KeyError> {
    let algorithm = match own {
        PublicKeyKind::Ec(curve) => {
            asn1::sequence(&[&EC_PUBLIC_KEY_OID, &asn1::oid(&curve.row().oid)])
        }
        PublicKeyKind::X25519 => X25519_IDENTIFIER.to_vec(),
        PublicKeyKind::Rsa(_) | PublicKeyKind::Ed25519 => return Err(KeyError::WrongKind),
    };
    Ok(asn1::sequence(&[&algorithm, &asn1::bit_string(originator)]))
}

/// The wrapping key from the shared secret.
fn derive(agreement: &KeyAgreement, secret: &[u8], ukm: Option<&[u8]>) -> Zeroizing<Vec<u8>> {
    let length = agreement.wrap.key_length();
    let info = shared_info(agreement, ukm);
    match agreement.derivation {
        KeyDerivation::X963(digest) => x963(digest, secret, &info, length),
    }
}

/// ECC-CMS-SharedInfo (RFC 5753 section 7.2).
fn shared_info(agreement: &KeyAgreement, ukm: Option<&[u8]>) -> Vec<u8> {
    let bits = (agreement.wrap.key_length() as u32).saturating_mul(8);
    let entity = ukm.map(|ukm| asn1::tlv(tag::context_constructed(0), &asn1::octet_string(ukm)));
    let public = asn1::tlv(
        tag::context_constructed(2),
        &asn1::octet_string(&bits.to_be_bytes()),
    );
    asn1::sequence(&[
        &agreement.wrap_identifier,
        entity.as_deref().unwrap_or_default(),
        &public,
    ])
}

/// The KDF of ANSI X9.63 (SEC 1 section 3.6.1).
fn x963(digest: DigestAlgorithm, secret: &[u8], info: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(length.saturating_add(digest.length())));
    let mut counter: u32 = 1;
    while out.len() < length {
        let mut state = Digest::new(digest);
        state.update(secret);
        state.update(&counter.to_be_bytes());
        state.update(info);
        out.extend_from_slice(&Zeroizing::new(state.finish()));
        counter = counter.saturating_add(1);
    }
    out.truncate(length);
    out
}

/// PrivateKeyInfo (RFC 5208 section 5) around a key in its own form.
fn pkcs8(algorithm: &[u8], key: &[u8]) -> Zeroizing<Vec<u8>> {
    let body = Zeroizing::new(asn1::octet_string(key));
    Zeroizing::new(asn1::sequence(&[&asn1::small(0), algorithm, &body]))
}

/// SEC 1 names its curve inside (RFC 5915 section 3); PKCS#8 wants it outside.
fn sec1_identifier(der: &[u8]) -> Result<Vec<u8>, KeyError> {
    let read = || {
        let mut inside = asn1::read_only(der, tag::SEQUENCE)?.inside();
        inside.expect(tag::INTEGER)?;
        inside.expect(tag::OCTET_STRING)?;
        let named = inside.expect(tag::context_constructed(0))?;
        asn1::read_only(named.content, tag::OID)
    };
    let curve = read().map_err(|_| KeyError::Unreadable)?;
    Ok(asn1::sequence(&[&EC_PUBLIC_KEY_OID, curve.raw]))
}
