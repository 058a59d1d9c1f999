//! Private and public keys: made, read, used. Secrets are wiped when dropped and are never printed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::algorithms::{
    Curve, DigestAlgorithm, KeyAgreement, KeyTransport, PublicKeyKind, SignatureAlgorithm,
    Standing, TransportParameters,
};
use crate::aws::{self, CryptoError, Digest, Generate, Pkey, Signed};
use crate::certificate::Certificate;
use crate::profile::RsaSignature;
use crate::{brainpool, limits, pem};
use form::Home;
use token::OnToken;

mod agreement;
mod form;
pub mod token;

pub use token::{TokenKey, TokenReference};

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
    /// The token that holds the key cannot be asked now; later the same call may succeed.
    #[error("the token {0}, which holds the key, is away")]
    TokenAway(String),
    /// The token holds another key in its place, or does not do with it what it must; an administrator can mend that.
    #[error("the token {0} holds another key in its place, or refuses to use it for that")]
    TokenRefuses(String),
}

impl KeyError {
    /// Whether it is a fact about the token alone, whatever a mail holds: then the mail waits.
    pub const fn is_of_token(&self) -> bool {
        matches!(self, Self::TokenAway(_) | Self::TokenRefuses(_))
    }
}

/// A private key with its public half. Cloning shares it.
#[derive(Clone)]
pub struct PrivateKey(Arc<Held>);

struct Held {
    secret: Secret,
    kind: PublicKeyKind,
    spki: Vec<u8>,
}

enum Secret {
    Library(Pkey),
    /// An RSA key that signs with RSASSA-PSS only.
    Pss(Pkey, Restriction),
    /// With its PrivateKeyInfo.
    Brainpool(brainpool::Scalar, Zeroizing<Vec<u8>>),
    /// It never leaves a token.
    Token(OnToken),
}

/// What an id-RSASSA-PSS key says of its signatures (RFC 4055 section 3.1).
#[derive(Clone)]
struct Restriction {
    /// Its AlgorithmIdentifier as it stands.
    identifier: Vec<u8>,
    /// Digest, mask and least salt, where it names them.
    bound: Option<SignatureAlgorithm>,
}

impl Restriction {
    /// What such a key signs with.
    fn algorithm(&self, rsa: RsaSignature) -> SignatureAlgorithm {
        let (RsaSignature::Pkcs1(digest) | RsaSignature::Pss(digest)) = rsa;
        self.bound.unwrap_or(SignatureAlgorithm::pss(digest))
    }

    fn allows(&self, algorithm: SignatureAlgorithm) -> bool {
        use SignatureAlgorithm::RsaPss;
        match (self.bound, algorithm) {
            (None, RsaPss { .. }) => true,
            (
                Some(RsaPss {
                    digest: d,
                    mgf: m,
                    salt: least,
                }),
                RsaPss { digest, mgf, salt },
            ) => (d, m) == (digest, mgf) && salt >= least,
            _ => false,
        }
    }
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
        let secret = Secret::Library(pkey);
        Ok(Self(Arc::new(Held { secret, kind, spki })))
    }

    /// The key that `key` stands for.
    ///
    /// # Errors
    /// Its public half cannot be read, or is of a kind that tokens do not compute with here.
    pub fn on_token(key: Arc<dyn TokenKey>) -> Result<Self, KeyError> {
        let (on_token, spki) = OnToken::new(key)?;
        Ok(Self(Arc::new(Held {
            kind: on_token.kind(),
            spki,
            secret: Secret::Token(on_token),
        })))
    }

    /// Where the key lies, if that is a token.
    pub fn token(&self) -> Option<&TokenReference> {
        match &self.0.secret {
            Secret::Token(key) => Some(key.reference()),
            Secret::Library(_) | Secret::Pss(..) | Secret::Brainpool(..) => None,
        }
    }

    /// Reads a whole unencrypted PKCS#8 PrivateKeyInfo (RFC 5208) in DER.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let (algorithm, key) = form::read_pkcs8(der)?;
        match Home::of(&algorithm)? {
            Home::Library => Self::hold(Pkey::from_pkcs8(der).map_err(|_| KeyError::Unreadable)?),
            Home::Pss(restriction) => Self::restricted(restriction, key),
            Home::Brainpool(curve) => Self::on_brainpool(curve, form::sec1_scalar(key)?, der),
        }
    }

    fn restricted(restriction: Restriction, key: &[u8]) -> Result<Self, KeyError> {
        let pkey = Pkey::from_pkcs8(&form::pkcs8(&form::RSA_IDENTIFIER, key))
            .map_err(|_| KeyError::Unreadable)?;
        let bits = pkey.kind().and_then(PublicKeyKind::rsa_bits);
        let plain = pkey.to_spki()?;
        let (_, public) = form::read_spki(&plain)?;
        Ok(Self(Arc::new(Held {
            kind: PublicKeyKind::RsaPss(bits.ok_or(KeyError::WrongKind)?),
            spki: form::spki(&restriction.identifier, public),
            secret: Secret::Pss(pkey, restriction),
        })))
    }

    fn on_brainpool(curve: Curve, scalar: &[u8], der: &[u8]) -> Result<Self, KeyError> {
        let scalar = brainpool::Scalar::read(curve, scalar).ok_or(KeyError::Unreadable)?;
        Ok(Self(Arc::new(Held {
            kind: PublicKeyKind::Ec(curve),
            spki: form::spki(&form::on_curve(curve), &scalar.point().octets()),
            secret: Secret::Brainpool(scalar, Zeroizing::new(der.to_vec())),
        })))
    }

    /// Reads an unencrypted private key: PEM (PKCS#8, PKCS#1 or SEC 1) or PKCS#8 in DER.
    pub fn read(octets: &[u8]) -> Result<Self, KeyError> {
        if !pem::looks_like(octets) {
            return Self::from_pkcs8(octets);
        }
        let blocks = pem::read(octets).map_err(|_| KeyError::Unreadable)?;
        let key = blocks
            .iter()
            .find(|block| Self::LABELS.contains(&block.label.as_str()));
        Self::from_block(key.ok_or(KeyError::Unreadable)?)
    }

    /// What PEM calls an unencrypted private key.
    const LABELS: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];

    /// Reads one block of PEM text (RFC 7468 section 10).
    pub(crate) fn from_block(block: &pem::Block) -> Result<Self, KeyError> {
        match block.label.as_str() {
            "PRIVATE KEY" => Self::from_pkcs8(&block.der),
            "RSA PRIVATE KEY" => Self::from_pkcs8(&form::pkcs8(&form::RSA_IDENTIFIER, &block.der)),
            "EC PRIVATE KEY" => {
                let identifier = form::sec1_identifier(&block.der)?;
                Self::from_pkcs8(&form::pkcs8(&identifier, &block.der))
            }
            _ => Err(KeyError::Unreadable),
        }
    }

    /// The PKCS#8 PrivateKeyInfo, for the store to seal and for nothing else. A key on a token has none to give.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match &self.0.secret {
            Secret::Library(pkey) => Ok(pkey.to_pkcs8()?),
            Secret::Pss(pkey, restriction) => {
                let plain = pkey.to_pkcs8()?;
                let (_, key) = form::read_pkcs8(&plain)?;
                Ok(form::pkcs8(&restriction.identifier, key))
            }
            Secret::Brainpool(_, pkcs8) => Ok(pkcs8.clone()),
            Secret::Token(_) => Err(KeyError::WrongKind),
        }
    }

    /// The key, where the crypto library computes with it.
    fn library(&self) -> Result<&Pkey, KeyError> {
        match &self.0.secret {
            Secret::Library(pkey) | Secret::Pss(pkey, _) => Ok(pkey),
            Secret::Brainpool(..) | Secret::Token(_) => Err(KeyError::WrongKind),
        }
    }

    /// The public half, where the crypto library computes with it.
    fn public(&self) -> Option<&Pkey> {
        match &self.0.secret {
            Secret::Library(pkey) | Secret::Pss(pkey, _) => Some(pkey),
            Secret::Token(key) => Some(key.public()),
            Secret::Brainpool(..) => None,
        }
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
        let same = |public: &PublicKey| match (&*public.0, self.public()) {
            (Half::Library(public, _), Some(own)) => public.same_public(own),
            _ => false,
        };
        certificate.spki_der() == self.spki_der() || certificate.public_key().is_some_and(same)
    }

    /// The signature algorithm we use with this key; `None` if it cannot sign. `rsa` is for RSA keys; curves have one way: P-384
    /// signs with SHA-384 and P-521 with SHA-512, since peers refuse other pairs.
    pub fn signature_algorithm(&self, rsa: RsaSignature) -> Option<SignatureAlgorithm> {
        use DigestAlgorithm::{Sha256, Sha384, Sha512};
        let found = match (self.kind(), &self.0.secret) {
            (_, Secret::Pss(_, restriction)) => restriction.algorithm(rsa),
            (PublicKeyKind::Rsa(_), _) => match rsa {
                RsaSignature::Pkcs1(digest) => SignatureAlgorithm::RsaPkcs1(digest),
                RsaSignature::Pss(digest) => SignatureAlgorithm::pss(digest),
            },
            (PublicKeyKind::Ec(Curve::P256), _) => SignatureAlgorithm::Ecdsa(Sha256),
            (PublicKeyKind::Ec(Curve::P384), _) => SignatureAlgorithm::Ecdsa(Sha384),
            (PublicKeyKind::Ec(Curve::P521), _) => SignatureAlgorithm::Ecdsa(Sha512),
            (PublicKeyKind::Ed25519, _) => SignatureAlgorithm::Ed25519,
            (PublicKeyKind::Ec(_) | PublicKeyKind::X25519 | PublicKeyKind::RsaPss(_), _) => {
                return None;
            }
        };
        Some(found).filter(|found| found.row().making == Standing::Accept)
    }

    /// Signs `message`, which is hashed here.
    pub fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        if let Secret::Pss(_, restriction) = &self.0.secret
            && !restriction.allows(algorithm)
        {
            return Err(KeyError::WrongKind);
        }
        if let Secret::Token(key) = &self.0.secret {
            return key.sign(algorithm, message);
        }
        Ok(self.library()?.sign(algorithm, message)?)
    }

    /// Decrypts a content key of `expected` octets. Where padding or length are wrong, a random key of that length is
    /// given back, so that the content fails instead (RFC 3218 section 2.3.2, rows C10 and C11). `Err` says that the key
    /// is no RSA key, the expected length impossible or the token away: nothing that depends on the ciphertext.
    pub fn decrypt_rsa(
        &self,
        transport: TransportParameters,
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
        if let Secret::Token(own) = &self.0.secret {
            own.decrypt_rsa(&transport, encrypted, &mut key)?;
            return Ok(key);
        }
        let pkey = self.library()?;
        match transport.algorithm {
            KeyTransport::RsaPkcs1 => {
                // Fails only for a ciphertext that is no number below the modulus, which everybody can see.
                if let Ok(block) = pkey.rsa_private(encrypted) {
                    take_if_padded(&block, &mut key);
                }
            }
            KeyTransport::RsaOaep { .. } => {
                if let Ok(found) = pkey.decrypt_oaep(&transport, encrypted)
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
        scheme: &KeyAgreement,
        originator: &[u8],
        ukm: Option<&[u8]>,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let secret = self.agree(originator)?;
        let wrapping = agreement::derive(scheme, &secret, ukm)?;
        let unwrapped = agreement::unwrap(scheme.wrap, &wrapping, wrapped);
        if let (Err(_), Secret::Token(own)) = (&unwrapped, &self.0.secret) {
            // Either the mail is broken, or the token holds another key.
            own.prove_agreement()?;
        }
        Ok(unwrapped?)
    }

    /// Diffie-Hellman. The originator's curve is ours, or its point is refused.
    fn agree(&self, originator: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match (&self.0.secret, self.kind()) {
            (Secret::Library(own), PublicKeyKind::Ec(curve)) => {
                let peer = Pkey::from_spki(&form::spki(&form::on_curve(curve), originator))?;
                Ok(own.agree(&peer)?)
            }
            (Secret::Library(own), PublicKeyKind::X25519) => {
                let peer = Pkey::from_spki(&form::spki(&form::X25519_IDENTIFIER, originator))?;
                Ok(own.agree(&peer)?)
            }
            (Secret::Brainpool(own, _), PublicKeyKind::Ec(curve)) => {
                let peer = brainpool::Point::read(curve, originator);
                Ok(own.agree(&peer.ok_or(CryptoError("key agreement"))?)?)
            }
            (Secret::Token(own), _) => own.agree(originator),
            _ => Err(KeyError::WrongKind),
        }
    }
}

/// Replaces `key` by the end of `block` if the block is `00 02 (non-zero octets) 00 key` (RFC 8017 section 7.2.2) with a
/// key of just that length. No branch and no index depends on secret octets.
pub(crate) fn take_if_padded(block: &[u8], key: &mut [u8]) {
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
    take_marked(found, good, key);
}

/// Replaces `key` by `found` if `good`, in the same time if not.
fn take_marked(found: &[u8], good: Choice, key: &mut [u8]) {
    for (to, from) in key.iter_mut().zip(found) {
        to.conditional_assign(from, good);
    }
}

/// A public key, parsed. Cloning shares it.
#[derive(Clone)]
pub struct PublicKey(Arc<Half>);

enum Half {
    Library(Pkey, Option<Restriction>),
    Brainpool(brainpool::Point),
}

impl PublicKey {
    /// Reads a whole SubjectPublicKeyInfo.
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        let (algorithm, key) = form::read_spki(der)?;
        form::check_point(&algorithm, key)?;
        Ok(Self(Arc::new(match Home::of(&algorithm)? {
            Home::Library => Half::Library(Pkey::from_spki(der)?, None),
            Home::Pss(restriction) => {
                let plain = Pkey::from_spki(&form::spki(&form::RSA_IDENTIFIER, key))?;
                Half::Library(plain, Some(restriction))
            }
            Home::Brainpool(curve) => {
                Half::Brainpool(brainpool::Point::read(curve, key).ok_or(KeyError::Unreadable)?)
            }
        })))
    }

    /// What key it is; `None` for kinds we do not use.
    pub fn kind(&self) -> Option<PublicKeyKind> {
        match &*self.0 {
            Half::Library(pkey, None) => pkey.kind(),
            Half::Library(pkey, Some(_)) => {
                let bits = pkey.kind().and_then(PublicKeyKind::rsa_bits);
                bits.map(PublicKeyKind::RsaPss)
            }
            Half::Brainpool(point) => Some(PublicKeyKind::Ec(point.curve())),
        }
    }

    /// What a signature must be made with for this key to verify it, where its owner restricts it to RSASSA-PSS; the private key
    /// at hand may not say so.
    pub fn required_signature(&self, rsa: RsaSignature) -> Option<SignatureAlgorithm> {
        match &*self.0 {
            Half::Library(_, Some(restriction)) => Some(restriction.algorithm(rsa)),
            _ => None,
        }
    }

    /// Checks a signature. What a key restricts (RFC 4055 section 3.1) holds.
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        signed: Signed<'_>,
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        match &*self.0 {
            Half::Library(_, Some(restriction)) if !restriction.allows(algorithm) => {
                Err(CryptoError("signature outside what the key allows"))
            }
            Half::Library(pkey, _) => pkey.verify(algorithm, signed, signature),
            Half::Brainpool(point) => match (algorithm, signed) {
                (SignatureAlgorithm::Ecdsa(digest), Signed::Message(message)) => {
                    point.verify(&Digest::of(digest, message), signature)
                }
                (SignatureAlgorithm::Ecdsa(_), Signed::Digest(digest)) => {
                    point.verify(digest, signature)
                }
                _ => Err(CryptoError("key of another kind")),
            },
        }
    }

    /// Encrypts a content key to this RSA key.
    pub fn encrypt(
        &self,
        transport: KeyTransport,
        content_key: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        match &*self.0 {
            Half::Library(pkey, None) => Ok(pkey.encrypt(transport, content_key)?),
            _ => Err(KeyError::WrongKind),
        }
    }

    /// Wraps a content key to this key with a fresh key pair of the same curve.
    pub fn wrap_agreed(
        &self,
        scheme: &KeyAgreement,
        content_key: &[u8],
    ) -> Result<Agreed, KeyError> {
        let Half::Library(pkey, None) = &*self.0 else {
            return Err(KeyError::WrongKind);
        };
        let ephemeral = Pkey::generate(match pkey.kind() {
            Some(PublicKeyKind::Ec(curve)) => Generate::Ec(curve),
            Some(PublicKeyKind::X25519) => Generate::X25519,
            _ => return Err(KeyError::WrongKind),
        })?;
        let wrapping = agreement::derive(scheme, &ephemeral.agree(pkey)?, None)?;
        Ok(Agreed {
            originator_spki: ephemeral.to_spki()?,
            wrapped: agreement::wrap(scheme.wrap, &wrapping, content_key)?,
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

#[cfg(test)]
impl PrivateKey {
    /// A key of a kind that mailboxes do not get.
    pub(crate) fn of(what: Generate) -> Self {
        Self::hold(Pkey::generate(what).unwrap()).unwrap()
    }

    /// This RSA key as one that its owner restricts to RSASSA-PSS.
    pub(crate) fn pss(&self, parameters: Option<SignatureAlgorithm>) -> Self {
        let identifier = match parameters {
            Some(bound) => bound.identifier(),
            None => crate::algorithms::AlgorithmIdentifier {
                parameters: None,
                ..SignatureAlgorithm::pss(DigestAlgorithm::Sha256).identifier()
            },
        };
        let plain = self.to_pkcs8().unwrap();
        let (_, key) = form::read_pkcs8(&plain).unwrap();
        Self::from_pkcs8(&form::pkcs8(&identifier.to_der(), key)).unwrap()
    }

    /// A key on a Brainpool curve.
    pub(crate) fn brainpool(curve: Curve, scalar: &[u8]) -> Self {
        use crate::asn1;
        let sec1 = asn1::sequence(&[&asn1::small(1), &asn1::octet_string(scalar)]);
        Self::from_pkcs8(&form::pkcs8(&form::on_curve(curve), &sec1)).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::{KeyDerivation, KeyWrap};

    const DIGESTS: [DigestAlgorithm; 3] = [
        DigestAlgorithm::Sha256,
        DigestAlgorithm::Sha384,
        DigestAlgorithm::Sha512,
    ];

    fn public(key: &PrivateKey) -> PublicKey {
        PublicKey::from_spki(key.spki_der()).unwrap()
    }

    fn check(key: &PrivateKey, algorithm: SignatureAlgorithm) {
        let signature = key.sign(algorithm, b"text").unwrap();
        let verify = |message: &[u8], signature: &[u8]| {
            public(key).verify(algorithm, Signed::Message(message), signature)
        };
        assert!(verify(b"text", &signature).is_ok(), "{algorithm:?}");
        assert!(verify(b"other", &signature).is_err());
        assert!(verify(b"text", &signature[1..]).is_err() && verify(b"text", &[]).is_err());
    }

    /// RFC 5480 section 2.2: compressed and uncompressed points are read, hybrid ones are not.
    #[test]
    fn hybrid_points_are_refused() {
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        let (_, point) = form::read_spki(key.spki_der()).unwrap();
        let parity = 2 + (point[64] & 1);
        let hybrid = [&[parity + 4][..], &point[1..]].concat();
        let compressed = [&[parity][..], &point[1..33]].concat();
        let read = |point: &[u8]| {
            let algorithm = form::on_curve(Curve::P256);
            PublicKey::from_spki(&form::spki(&algorithm, point)).is_ok()
        };
        assert!(read(point) && read(&compressed));
        assert!(!read(&hybrid));
    }

    #[test]
    fn every_key_signs_its_way() {
        let rsa = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
        for digest in DIGESTS {
            for scheme in [RsaSignature::Pkcs1(digest), RsaSignature::Pss(digest)] {
                let algorithm = rsa.signature_algorithm(scheme).unwrap();
                assert_eq!(algorithm.digest(), digest);
                check(&rsa, algorithm);
            }
        }
        for (key, expected) in [
            (Generate::Ec(Curve::P256), Some(DigestAlgorithm::Sha256)),
            (Generate::Ec(Curve::P384), Some(DigestAlgorithm::Sha384)),
            (Generate::Ec(Curve::P521), Some(DigestAlgorithm::Sha512)),
            (Generate::Ed25519, Some(DigestAlgorithm::Sha512)),
            (Generate::X25519, None),
        ] {
            let key = PrivateKey::of(key);
            let found = key.signature_algorithm(RsaSignature::default());
            assert_eq!(found.map(SignatureAlgorithm::digest), expected);
            found.into_iter().for_each(|found| check(&key, found));
        }
    }

    #[test]
    fn pss_keys_stay_within_their_parameters() {
        let rsa = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
        let bound = SignatureAlgorithm::pss(DigestAlgorithm::Sha384);
        let (free, tied) = (rsa.pss(None), rsa.pss(Some(bound)));
        for key in [&free, &tied] {
            assert_eq!(key.kind(), PublicKeyKind::RsaPss(2048));
            assert_eq!(public(key).kind(), Some(PublicKeyKind::RsaPss(2048)));
            let again = PrivateKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap();
            assert_eq!(
                (again.spki_der(), again.kind()),
                (key.spki_der(), key.kind())
            );
            let pkcs1 = SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256);
            assert!(key.sign(pkcs1, b"text").is_err());
            let signature = rsa.sign(pkcs1, b"text").unwrap();
            let verified = public(key).verify(pkcs1, Signed::Message(b"text"), &signature);
            assert!(verified.is_err());
            assert!(
                public(key)
                    .encrypt(KeyTransport::RsaPkcs1, &[1; 16])
                    .is_err()
            );
        }
        assert_eq!(
            tied.signature_algorithm(RsaSignature::default()),
            Some(bound)
        );
        check(&tied, bound);
        check(&free, SignatureAlgorithm::pss(DigestAlgorithm::Sha512));
        for (digest, salt, good) in [
            (DigestAlgorithm::Sha384, 48, true),
            (DigestAlgorithm::Sha384, 60, true),
            (DigestAlgorithm::Sha384, 47, false),
            (DigestAlgorithm::Sha256, 48, false),
        ] {
            let algorithm = SignatureAlgorithm::RsaPss {
                digest,
                mgf: digest,
                salt,
            };
            let signature = rsa.sign(algorithm, b"text").unwrap();
            let verified = public(&tied).verify(algorithm, Signed::Message(b"text"), &signature);
            assert_eq!(verified.is_ok(), good, "{algorithm:?}");
        }
        let weak = rsa.pss(Some(SignatureAlgorithm::pss(DigestAlgorithm::Sha1)));
        assert_eq!(weak.signature_algorithm(RsaSignature::default()), None);
    }

    fn originator(agreed: &Agreed) -> &[u8] {
        form::read_spki(&agreed.originator_spki).unwrap().1
    }

    #[test]
    fn every_agreement_gives_the_content_key() {
        for generate in [
            Generate::Ec(Curve::P256),
            Generate::Ec(Curve::P384),
            Generate::Ec(Curve::P521),
            Generate::X25519,
        ] {
            let key = PrivateKey::of(generate);
            for (derivation, wrap) in KeyDerivation::ALL.into_iter().flat_map(|one| {
                [KeyWrap::Aes128, KeyWrap::Aes192, KeyWrap::Aes256].map(|w| (one, w))
            }) {
                let scheme = KeyAgreement::new(derivation, wrap);
                let agreed = public(&key).wrap_agreed(&scheme, &[7; 24]).unwrap();
                let open = |scheme, wrapped: &[u8]| {
                    key.unwrap_agreed(scheme, originator(&agreed), None, wrapped)
                };
                assert_eq!(*open(&scheme, &agreed.wrapped).unwrap(), [7; 24]);
                let cut = agreed.wrapped.len() - 8;
                assert!(open(&scheme, &agreed.wrapped[..cut]).is_err());
                assert!(open(&scheme, &[]).is_err());
                let other = match derivation {
                    KeyDerivation::HkdfSha256 => KeyDerivation::HkdfSha384,
                    _ => KeyDerivation::HkdfSha256,
                };
                assert!(open(&KeyAgreement::new(other, wrap), &agreed.wrapped).is_err());
                let with_ukm =
                    key.unwrap_agreed(&scheme, originator(&agreed), Some(&[1]), &agreed.wrapped);
                assert!(with_ukm.is_err());
            }
        }
    }

    #[test]
    fn c14_bad_points_are_refused() {
        let scheme = KeyAgreement::new(KeyDerivation::HkdfSha256, KeyWrap::Aes128);
        let ec = PrivateKey::of(Generate::Ec(Curve::P256));
        let good = public(&ec).wrap_agreed(&scheme, &[7; 16]).unwrap();
        let mut off = originator(&good).to_vec();
        *off.last_mut().unwrap() ^= 1;
        let other_curve = PrivateKey::of(Generate::Ec(Curve::P384));
        let (_, other_curve) = form::read_spki(other_curve.spki_der()).unwrap();
        for bad in [&off[..], &[0], &[], other_curve, &originator(&good)[1..]] {
            assert!(ec.unwrap_agreed(&scheme, bad, None, &good.wrapped).is_err());
        }
        let x25519 = PrivateKey::of(Generate::X25519);
        let good = public(&x25519).wrap_agreed(&scheme, &[7; 16]).unwrap();
        for bad in [&[0; 32][..], &[0; 31], &[1; 33], &[]] {
            assert!(
                x25519
                    .unwrap_agreed(&scheme, bad, None, &good.wrapped)
                    .is_err()
            );
        }
    }

    #[test]
    fn brainpool_keys_decrypt_and_make_nothing() {
        for (curve, length) in [(Curve::BrainpoolP256, 32), (Curve::BrainpoolP384, 48)] {
            let (own, peer) = (
                PrivateKey::brainpool(curve, &vec![3; length]),
                PrivateKey::brainpool(curve, &vec![5; length]),
            );
            assert_eq!(public(&own).kind(), Some(PublicKeyKind::Ec(curve)));
            assert_eq!(own.kind().making(), Standing::Refuse);
            assert_eq!(own.kind().reading(), Standing::Brainpool);
            let again = PrivateKey::from_pkcs8(&own.to_pkcs8().unwrap()).unwrap();
            assert_eq!(again.spki_der(), own.spki_der());
            let scheme = KeyAgreement::new(
                KeyDerivation::X963(DigestAlgorithm::Sha256),
                KeyWrap::Aes256,
            );
            let (_, point) = form::read_spki(own.spki_der()).unwrap();
            let wrapping = agreement::derive(&scheme, &peer.agree(point).unwrap(), None).unwrap();
            let wrapped = agreement::wrap(scheme.wrap, &wrapping, &[9; 32]).unwrap();
            let (_, originator) = form::read_spki(peer.spki_der()).unwrap();
            let opened = own
                .unwrap_agreed(&scheme, originator, None, &wrapped)
                .unwrap();
            assert_eq!(*opened, [9; 32]);
            assert!(public(&own).wrap_agreed(&scheme, &[9; 32]).is_err());
            assert_eq!(own.signature_algorithm(RsaSignature::default()), None);
            assert!(
                own.sign(SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256), b"text")
                    .is_err()
            );
        }
    }

    #[test]
    fn oaep_with_every_digest() {
        let rsa = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
        for (digest, mgf) in DigestAlgorithm::ALL
            .into_iter()
            .flat_map(|digest| DigestAlgorithm::ALL.map(|mgf| (digest, mgf)))
        {
            let algorithm = KeyTransport::RsaOaep { digest, mgf };
            let encrypted = public(&rsa).encrypt(algorithm, &[7; 32]).unwrap();
            let open = |label: &[u8]| {
                let label = label.to_vec();
                let transport = TransportParameters { algorithm, label };
                rsa.decrypt_rsa(transport, &encrypted, 32).unwrap()
            };
            assert_eq!(*open(&[]), [7; 32]);
            assert_ne!(*open(b"another label"), [7; 32]);
            // Row C13: what was made with OAEP never opens as v1.5, and the failure is another key.
            let v15 = TransportParameters {
                algorithm: KeyTransport::RsaPkcs1,
                label: Vec::new(),
            };
            assert_ne!(*rsa.decrypt_rsa(v15, &encrypted, 32).unwrap(), [7; 32]);
        }
    }
}
