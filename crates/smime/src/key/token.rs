//! Private keys that never leave a token: the token computes, everything is judged here.
//!
//! What the token is asked for depends on what everybody can see (key, length, range of a number), never on what a
//! padding holds: it is asked for the bare RSA operation, and padding is judged here without a branch on secrets.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{KeyError, PrivateKey, PublicKey, form, take_if_padded, take_marked};
use crate::algorithms::{
    Curve, DigestAlgorithm, KeyAgreement, KeyDerivation, KeyTransport, KeyWrap, PublicKeyKind,
    SignatureAlgorithm, TransportParameters,
};
use crate::asn1::{self, tag};
use crate::aws::{Digest, Generate, Pkey, Signed};
use crate::certificate::Certificate;
use crate::profile::RsaSignature;

/// Where a key lies, as the store remembers it. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenReference {
    /// The name that the configuration gives the token.
    pub token: String,
    /// CKA_ID of the key pair, in hexadecimal.
    pub id: String,
    /// The public half, a SubjectPublicKeyInfo in PEM.
    pub public: String,
}

/// SubjectPublicKeyInfo of an RSA key whose modulus and exponent a token tells (RFC 3279 section 2.3.1).
pub fn rsa_public(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = asn1::sequence(&[&asn1::unsigned(modulus), &asn1::unsigned(exponent)]);
    form::spki(&form::RSA_IDENTIFIER, &key)
}

/// SubjectPublicKeyInfo of a point on `curve` (RFC 5480 section 2).
pub fn curve_public(curve: Curve, point: &[u8]) -> Vec<u8> {
    form::spki(&form::on_curve(curve), point)
}

/// The name of `curve` as PKCS #11 wants it (CKA_EC_PARAMS): its object identifier in DER.
pub fn curve_parameters(curve: Curve) -> Vec<u8> {
    asn1::oid(&curve.row().oid)
}

/// What a key is tried out on.
const TRIAL: &[u8] = &[7; 32];

/// Finds out whether `key` belongs to `certificate` and does what that is for: it signs, it decrypts, or both.
///
/// # Errors
/// It does not; the token is away.
pub fn prove(key: &PrivateKey, certificate: &Certificate) -> Result<(), KeyError> {
    let public = certificate.public_key().ok_or(KeyError::WrongKind)?;
    if certificate.may_sign().is_ok() {
        let algorithm = key.signature_algorithm(RsaSignature::default());
        let algorithm = algorithm.ok_or(KeyError::WrongKind)?;
        let signature = key.sign(algorithm, TRIAL)?;
        public.verify(algorithm, Signed::Message(TRIAL), &signature)?;
    }
    if certificate.may_encrypt().is_ok() && *decrypted_trial(key, public)? != TRIAL {
        return Err(KeyError::WrongKind);
    }
    Ok(())
}

/// What the key makes of a trial encrypted to `public`.
fn decrypted_trial(key: &PrivateKey, public: &PublicKey) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    if let Some(PublicKeyKind::Rsa(_)) = public.kind() {
        let transport = TransportParameters {
            algorithm: KeyTransport::RsaPkcs1,
            label: Vec::new(),
        };
        let encrypted = public.encrypt(transport.algorithm, TRIAL)?;
        return key.decrypt_rsa(transport, &encrypted, TRIAL.len());
    }
    let scheme = KeyAgreement::new(KeyDerivation::HkdfSha256, KeyWrap::Aes256);
    let agreed = public.wrap_agreed(&scheme, TRIAL)?;
    let (_, point) = form::read_spki(&agreed.originator_spki)?;
    key.unwrap_agreed(&scheme, point, None, &agreed.wrapped)
}

/// One private key on a token, given by whoever opens the token. Calls may take long: never on a thread that others wait for.
///
/// # Errors
/// [`KeyError::TokenAway`] where the same call may succeed later; [`KeyError::TokenRefuses`] where somebody must mend the token
/// first. Which one must not depend on what is decrypted.
pub trait TokenKey: Send + Sync {
    /// Where it lies.
    fn reference(&self) -> &TokenReference;

    /// Signs. `input` is the DigestInfo (RFC 8017 section 9.2) for RSASSA-PKCS1-v1_5, else the digest. An RSA signature comes
    /// back as one block, one of ECDSA as r and s, equally long, one behind the other (PKCS #11 section 2.3.1).
    fn sign(&self, algorithm: SignatureAlgorithm, input: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// The bare RSA private operation on one block, which is above one and below the modulus.
    fn rsa_private(&self, block: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError>;

    /// The x coordinate of the shared point, as long as the field (SEC 1 section 3.3.1). `point` is a point of the key's own
    /// curve, uncompressed.
    fn agree(&self, point: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError>;
}

/// A key on a token with its public half.
pub(super) struct OnToken {
    key: Arc<dyn TokenKey>,
    public: Pkey,
    kind: PublicKeyKind,
    /// The modulus of an RSA key, without leading zeros.
    modulus: Vec<u8>,
}

impl OnToken {
    /// The key, and its SubjectPublicKeyInfo.
    pub fn new(key: Arc<dyn TokenKey>) -> Result<(Self, Vec<u8>), KeyError> {
        let blocks = crate::pem::read(key.reference().public.as_bytes());
        let blocks = blocks.map_err(|_| KeyError::Unreadable)?;
        let spki = blocks.into_iter().next().ok_or(KeyError::Unreadable)?.der;
        let public = Pkey::from_spki(&spki)?;
        let kind = public.kind().ok_or(KeyError::WrongKind)?;
        let modulus = match kind {
            PublicKeyKind::Rsa(_) => modulus(&spki)?,
            PublicKeyKind::Ec(Curve::P256 | Curve::P384 | Curve::P521) => Vec::new(),
            _ => return Err(KeyError::WrongKind),
        };
        let on_token = Self {
            key,
            public,
            kind,
            modulus,
        };
        Ok((on_token, spki.to_vec()))
    }

    pub const fn kind(&self) -> PublicKeyKind {
        self.kind
    }

    pub const fn public(&self) -> &Pkey {
        &self.public
    }

    pub fn reference(&self) -> &TokenReference {
        self.key.reference()
    }

    /// Signs `message`. The signature is checked before anybody sees it: a token that fails, or holds another key, must not
    /// put a bad one under a mail.
    pub fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let digest = Digest::of(algorithm.digest(), message);
        let signature = match (self.kind, algorithm) {
            (PublicKeyKind::Rsa(_), SignatureAlgorithm::RsaPkcs1(hash)) => {
                self.key.sign(algorithm, &digest_info(hash, &digest))?
            }
            (PublicKeyKind::Rsa(_), SignatureAlgorithm::RsaPss { .. }) => {
                self.key.sign(algorithm, &digest)?
            }
            (PublicKeyKind::Ec(_), SignatureAlgorithm::Ecdsa(_)) => {
                ecdsa_value(&self.key.sign(algorithm, &digest)?)
            }
            _ => return Err(KeyError::WrongKind),
        };
        self.public
            .verify(algorithm, Signed::Digest(&digest), &signature)
            .map_err(|_| self.refuses())?;
        Ok(signature)
    }

    /// Replaces `content_key` by what `encrypted` holds, if its padding is good and its length just that.
    pub fn decrypt_rsa(
        &self,
        transport: &TransportParameters,
        encrypted: &[u8],
        content_key: &mut [u8],
    ) -> Result<(), KeyError> {
        // Everybody can see this. Some tokens refuse such blocks in a way that looks like a failure of theirs.
        if !self.is_in_range(encrypted) {
            return Ok(());
        }
        let block = self.key.rsa_private(encrypted)?;
        // Only the key itself gives this; nothing of the padding is known from it.
        if !matches!(self.public.rsa_public(&block), Ok(again) if again == encrypted) {
            return Err(self.refuses());
        }
        match transport.algorithm {
            KeyTransport::RsaPkcs1 => take_if_padded(&block, content_key),
            KeyTransport::RsaOaep { digest, mgf } => {
                let label = Digest::of(digest, &transport.label);
                take_oaep(&block, &label, mgf, content_key);
            }
        }
        Ok(())
    }

    /// Sees whether the token still holds the private half: an agreement with a key made for that must come out alike.
    pub fn prove_agreement(&self) -> Result<(), KeyError> {
        let PublicKeyKind::Ec(curve) = self.kind else {
            return Err(KeyError::WrongKind);
        };
        let other = Pkey::generate(Generate::Ec(curve))?;
        let spki = other.to_spki()?;
        let (_, point) = form::read_spki(&spki)?;
        if *self.key.agree(point)? == *other.agree(&self.public)? {
            Ok(())
        } else {
            Err(self.refuses())
        }
    }

    fn refuses(&self) -> KeyError {
        KeyError::TokenRefuses(self.reference().token.clone())
    }

    /// RFC 8017 section 5.1.2: a number below the modulus; zero and one are their own roots and no ciphertext.
    fn is_in_range(&self, block: &[u8]) -> bool {
        let is_large = block
            .split_last()
            .is_some_and(|(last, before)| *last > 1 || before.iter().any(|octet| *octet != 0));
        block.len() == self.modulus.len() && block < self.modulus.as_slice() && is_large
    }

    /// Diffie-Hellman. A point that is not on our curve never reaches the token (row C14).
    pub fn agree(&self, originator: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let PublicKeyKind::Ec(curve) = self.kind else {
            return Err(KeyError::WrongKind);
        };
        let peer = Pkey::from_spki(&form::spki(&form::on_curve(curve), originator))?;
        let spki = peer.to_spki()?;
        let (_, point) = form::read_spki(&spki)?;
        self.key.agree(point)
    }
}

/// The modulus in a SubjectPublicKeyInfo of an RSA key (RFC 8017 appendix A.1.1).
fn modulus(spki: &[u8]) -> Result<Vec<u8>, KeyError> {
    let (_, key) = form::read_spki(spki)?;
    let read = || {
        let mut inside = asn1::read_only(key, tag::SEQUENCE)?.inside();
        Ok(inside.expect(tag::INTEGER)?.content)
    };
    let digits: &[u8] = read().map_err(|_: asn1::Asn1Error| KeyError::Unreadable)?;
    Ok(digits.strip_prefix(&[0]).unwrap_or(digits).to_vec())
}

/// DigestInfo with NULL (RFC 8017 section 9.2, notes 1 and 2).
fn digest_info(hash: DigestAlgorithm, digest: &[u8]) -> Vec<u8> {
    let algorithm = asn1::sequence(&[&asn1::oid(&hash.identifier().oid), &asn1::null()]);
    asn1::sequence(&[&algorithm, &asn1::octet_string(digest)])
}

/// Ecdsa-Sig-Value (RFC 5480 appendix A) of r and s.
fn ecdsa_value(halves: &[u8]) -> Vec<u8> {
    let (r, s) = halves
        .split_at_checked(halves.len() / 2)
        .unwrap_or_default();
    asn1::sequence(&[&asn1::unsigned(r), &asn1::unsigned(s)])
}

/// EME-OAEP decoding (RFC 8017 section 7.1.2, step 3) for a key of known length: where it lies is known before anything is
/// looked at, so that no branch and no index depends on secret octets.
fn take_oaep(block: &[u8], label: &[u8], mgf: DigestAlgorithm, key: &mut [u8]) {
    let Some((first, rest)) = block.split_first() else {
        return;
    };
    let Some((masked_seed, masked_data)) = rest.split_at_checked(label.len()) else {
        return;
    };
    let seed = unmasked(masked_seed, masked_data, mgf);
    let data = unmasked(masked_data, &seed, mgf);
    let Some((found_label, padded)) = data.split_at_checked(label.len()) else {
        return;
    };
    let Some((filler, found)) = padded
        .len()
        .checked_sub(key.len())
        .and_then(|split| padded.split_at_checked(split))
    else {
        return;
    };
    let Some((mark, zeros)) = filler.split_last() else {
        return;
    };
    let mut good = first.ct_eq(&0) & found_label.ct_eq(label) & mark.ct_eq(&1);
    for zero in zeros {
        good &= zero.ct_eq(&0);
    }
    take_marked(found, good, key);
}

/// `masked` with MGF1 of `seed` taken off (RFC 8017 appendix B.2.1).
fn unmasked(masked: &[u8], seed: &[u8], mgf: DigestAlgorithm) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(masked.to_vec());
    for (counter, chunk) in (0_u32..).zip(out.chunks_mut(mgf.length())) {
        let mut state = Digest::new(mgf);
        state.update(seed);
        state.update(&counter.to_be_bytes());
        let mask = Zeroizing::new(state.finish());
        chunk
            .iter_mut()
            .zip(mask.iter())
            .for_each(|(octet, mask)| *octet ^= mask);
    }
    out
}

#[cfg(test)]
mod tests;
