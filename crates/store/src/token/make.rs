//! New keys, made on the token.

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass};
use cryptoki::session::Session;
use sealgate_smime::algorithms::Curve;
use sealgate_smime::asn1::{self, tag};
use sealgate_smime::key::KeyKind;
use sealgate_smime::key::token::{curve_parameters, curve_public, rsa_public};

use super::session::{Answer, Desk, Refusal};
use super::{TokenError, hex, octets, secret_key};

/// Octets of the CKA_ID of a key made here: enough that chance never gives one twice.
const ID_OCTETS: usize = 16;
/// What keys made here are called on the token.
const LABEL: &[u8] = b"sealgate";
/// 65537 (RFC 8017 section 3.1 leaves it open; everybody takes this one).
const EXPONENT: [u8; 3] = [1, 0, 1];
/// Octets of an AES-256 key.
const SECRET_OCTETS: u64 = 32;

/// What is asked of the token.
enum What {
    Rsa(u64),
    Curve(Curve),
}

impl What {
    const fn of(kind: KeyKind) -> Self {
        match kind {
            KeyKind::Rsa2048 => Self::Rsa(2048),
            KeyKind::Rsa3072 => Self::Rsa(3072),
            KeyKind::Rsa4096 => Self::Rsa(4096),
            KeyKind::P256 => Self::Curve(Curve::P256),
            KeyKind::P384 => Self::Curve(Curve::P384),
        }
    }
}

/// Makes a key pair; gives its CKA_ID in hexadecimal and its SubjectPublicKeyInfo.
pub(super) fn key_pair(desk: &Desk, kind: KeyKind) -> Result<(String, Vec<u8>), TokenError> {
    let mut id = [0; ID_OCTETS];
    aws_lc_rs::rand::fill(&mut id).map_err(|_| TokenError::Refused {
        token: desk.settings.name.clone(),
        reason: "no random numbers".into(),
    })?;
    let spki = desk.writing(|session| match What::of(kind) {
        What::Rsa(bits) => rsa(session, &id, bits),
        What::Curve(curve) => on_curve(session, &id, curve),
    })?;
    Ok((hex(&id), spki))
}

fn rsa(session: &Session, id: &[u8], bits: u64) -> Answer<Vec<u8>> {
    let mut public = of_public(id);
    public.extend([
        Attribute::Encrypt(true),
        Attribute::ModulusBits(bits.into()),
        Attribute::PublicExponent(EXPONENT.to_vec()),
    ]);
    let mut private = of_private(id);
    private.push(Attribute::Decrypt(true));
    let mechanism = Mechanism::RsaPkcsKeyPairGen;
    let (made, _) = session.generate_key_pair(&mechanism, &public, &private)?;
    let modulus = octets(session, made, AttributeType::Modulus)?;
    let exponent = octets(session, made, AttributeType::PublicExponent)?;
    Ok(rsa_public(&modulus, &exponent))
}

fn on_curve(session: &Session, id: &[u8], curve: Curve) -> Answer<Vec<u8>> {
    let mut public = of_public(id);
    public.push(Attribute::EcParams(curve_parameters(curve)));
    let mut private = of_private(id);
    private.push(Attribute::Derive(true));
    let mechanism = Mechanism::EccKeyPairGen;
    let (made, _) = session.generate_key_pair(&mechanism, &public, &private)?;
    let written = octets(session, made, AttributeType::EcPoint)?;
    // PKCS #11 section 2.3.3: the DER of an OCTET STRING around the point.
    let point = asn1::read_only(&written, tag::OCTET_STRING).map_err(|_| Refusal::Missing)?;
    Ok(curve_public(curve, point.content))
}

fn of_public(id: &[u8]) -> Vec<Attribute> {
    vec![
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Verify(true),
        Attribute::Id(id.to_vec()),
        Attribute::Label(LABEL.to_vec()),
    ]
}

fn of_private(id: &[u8]) -> Vec<Attribute> {
    vec![
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Id(id.to_vec()),
        Attribute::Label(LABEL.to_vec()),
    ]
}

/// Makes an AES-256 key that wraps data keys; refused if there is one of that label.
pub(super) fn secret(desk: &Desk, label: &str) -> Result<(), TokenError> {
    desk.writing(|session| {
        if !session.find_objects(&secret_key(label))?.is_empty() {
            return Err(Refusal::Several);
        }
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(SECRET_OCTETS.into()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Label(label.as_bytes().to_vec()),
        ];
        session.generate_key(&Mechanism::AesKeyGen, &template)?;
        Ok(())
    })
}
