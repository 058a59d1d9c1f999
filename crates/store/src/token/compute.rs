//! What keys on a token compute: signatures, the bare RSA operation, a shared point, and the wrapping of data keys.

use cryptoki::mechanism::aead::GcmParams;
use cryptoki::mechanism::elliptic_curve::{EcKdf, Ecdh1DeriveParams};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use sealgate_smime::algorithms::{DigestAlgorithm, SignatureAlgorithm};
use sealgate_smime::key::{KeyError, TokenKey, TokenReference};
use zeroize::Zeroizing;

use super::session::Answer;
use super::{OnToken, TokenError, TokenSecret, octets, only, secret_key};
use crate::error::StoreError;

/// Octets of a nonce of AES-GCM.
const NONCE: usize = 12;
/// Bits of its tag.
const TAG_BITS: u64 = 128;

impl OnToken {
    fn ask<T>(&self, work: impl Fn(&Session, ObjectHandle) -> Answer<T>) -> Result<T, KeyError> {
        let name = &self.reference.token;
        let desk = self
            .desk
            .as_ref()
            .ok_or_else(|| TokenError::Unknown(name.clone()).of_key(name))?;
        desk.with_key(&self.id, work)
            .map_err(|error| error.of_key(name))
    }
}

impl TokenKey for OnToken {
    fn reference(&self) -> &TokenReference {
        &self.reference
    }

    fn sign(&self, algorithm: SignatureAlgorithm, input: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mechanism = match algorithm {
            SignatureAlgorithm::RsaPkcs1(_) => Mechanism::RsaPkcs,
            SignatureAlgorithm::RsaPss { digest, mgf, salt } => {
                Mechanism::RsaPkcsPss(PkcsPssParams {
                    hash_alg: hash(digest),
                    mgf: mask(mgf),
                    s_len: u64::from(salt).into(),
                })
            }
            SignatureAlgorithm::Ecdsa(_) => Mechanism::Ecdsa,
            SignatureAlgorithm::Ed25519 => return Err(KeyError::WrongKind),
        };
        self.ask(|session, key| Ok(session.sign(&mechanism, key, input)?))
    }

    fn rsa_private(&self, block: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.ask(|session, key| {
            let opened = session.decrypt(&Mechanism::RsaX509, key, block)?;
            Ok(whole(&Zeroizing::new(opened), block.len()))
        })
    }

    fn agree(&self, point: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        // An uncompressed point is one octet and two coordinates (SEC 1 section 2.3.3).
        let length = point.len().saturating_sub(1) / 2;
        self.ask(|session, key| {
            let mechanism = Mechanism::Ecdh1Derive(Ecdh1DeriveParams::new(EcKdf::null(), point));
            let template = [
                Attribute::Class(ObjectClass::SECRET_KEY),
                Attribute::KeyType(KeyType::GENERIC_SECRET),
                Attribute::Token(false),
                Attribute::Sensitive(false),
                Attribute::Extractable(true),
                Attribute::ValueLen((length as u64).into()),
            ];
            let secret = session.derive_key(&mechanism, key, &template)?;
            let value = octets(session, secret, AttributeType::Value);
            session.destroy_object(secret)?;
            Ok(whole(&Zeroizing::new(value?), length))
        })
    }
}

/// Some tokens leave leading zeros out.
fn whole(number: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(vec![0; length]);
    let zeros = length.saturating_sub(number.len());
    for (to, from) in out.iter_mut().skip(zeros).zip(number) {
        *to = *from;
    }
    out
}

const fn hash(digest: DigestAlgorithm) -> MechanismType {
    match digest {
        DigestAlgorithm::Sha1 => MechanismType::SHA1,
        DigestAlgorithm::Sha224 => MechanismType::SHA224,
        DigestAlgorithm::Sha256 => MechanismType::SHA256,
        DigestAlgorithm::Sha384 => MechanismType::SHA384,
        DigestAlgorithm::Sha512 => MechanismType::SHA512,
    }
}

const fn mask(digest: DigestAlgorithm) -> PkcsMgfType {
    match digest {
        DigestAlgorithm::Sha1 => PkcsMgfType::MGF1_SHA1,
        DigestAlgorithm::Sha224 => PkcsMgfType::MGF1_SHA224,
        DigestAlgorithm::Sha256 => PkcsMgfType::MGF1_SHA256,
        DigestAlgorithm::Sha384 => PkcsMgfType::MGF1_SHA384,
        DigestAlgorithm::Sha512 => PkcsMgfType::MGF1_SHA512,
    }
}

impl TokenSecret {
    /// Sees that the key is there and does what it must.
    pub(super) fn try_out(&self) -> Result<(), TokenError> {
        let refused = |reason: &str| TokenError::Refused {
            token: self.desk.settings.name.clone(),
            reason: reason.to_owned(),
        };
        let sealed = self.encrypt(b"trial", &[7; 32])?;
        match self.decrypt(b"trial", &sealed) {
            Ok(opened) if opened.as_slice() == [7; 32] => Ok(()),
            Ok(_) => Err(refused("it does not give back what it encrypted")),
            Err(error) => Err(error),
        }
    }

    /// Nonce, sealed octets, tag; made on the token.
    pub(crate) fn seal(&self, associated: &[u8], clear: &[u8]) -> Result<Vec<u8>, StoreError> {
        Ok(self.encrypt(associated, clear)?)
    }

    /// What was sealed; `None` if not by this key or for something else.
    pub(crate) fn open(
        &self,
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        match self.decrypt(associated, sealed) {
            Ok(clear) => Ok(Some(clear)),
            // Tokens answer in many ways to a wrong tag. One that still does its trial is not away.
            Err(_) => self.try_out().map(|()| None).map_err(StoreError::from),
        }
    }

    fn encrypt(&self, associated: &[u8], clear: &[u8]) -> Result<Vec<u8>, TokenError> {
        let mut nonce = [0; NONCE];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| TokenError::Away {
            token: self.desk.settings.name.clone(),
            reason: "no random numbers".into(),
        })?;
        let sealed = self.desk.with(|session| {
            let key = only(session, &secret_key(&self.label))?;
            let mut own = nonce;
            let parameters = GcmParams::new(&mut own, associated, TAG_BITS.into())?;
            Answer::Ok(session.encrypt(&Mechanism::AesGcm(parameters), key, clear)?)
        })?;
        Ok([&nonce[..], &sealed].concat())
    }

    fn decrypt(&self, associated: &[u8], sealed: &[u8]) -> Result<Vec<u8>, TokenError> {
        let (nonce, rest) =
            sealed
                .split_first_chunk::<NONCE>()
                .ok_or_else(|| TokenError::Refused {
                    token: self.desk.settings.name.clone(),
                    reason: "too short".into(),
                })?;
        self.desk.with(|session| {
            let key = only(session, &secret_key(&self.label))?;
            let mut own = *nonce;
            let parameters = GcmParams::new(&mut own, associated, TAG_BITS.into())?;
            Answer::Ok(session.decrypt(&Mechanism::AesGcm(parameters), key, rest)?)
        })
    }
}
