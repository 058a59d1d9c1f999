//! The forms in which keys are written: PKCS#8, SEC 1, SubjectPublicKeyInfo, and which part of this crate computes with them.

use zeroize::Zeroizing;

use super::{KeyError, Restriction};
use crate::algorithms::{AlgorithmIdentifier, Curve, SignatureAlgorithm, Standing};
use crate::asn1::{self, Reader, tag};

/// id-ecPublicKey as an element (RFC 5480 section 2.1.1).
pub(super) const EC_PUBLIC_KEY_OID: [u8; 9] = [tag::OID, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
/// AlgorithmIdentifier of X25519 (RFC 8410 section 3).
pub(super) const X25519_IDENTIFIER: [u8; 7] = [tag::SEQUENCE, 5, tag::OID, 3, 0x2b, 0x65, 0x6e];
/// AlgorithmIdentifier of rsaEncryption with NULL (RFC 3279 section 2.3.1).
pub(super) const RSA_IDENTIFIER: [u8; 15] = [
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
/// id-RSASSA-PSS (RFC 4055 section 1.2).
const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";
const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";

/// Who computes with a key.
pub(super) enum Home {
    /// The crypto library, as it stands.
    Library,
    /// The crypto library, as a plain RSA key; what the owner restricts is kept here.
    Pss(Restriction),
    /// `brainpool.rs`.
    Brainpool(Curve),
}

impl Home {
    /// By the algorithm of the key.
    pub(super) fn of(algorithm: &AlgorithmIdentifier) -> Result<Self, KeyError> {
        match algorithm.oid.to_string().as_str() {
            RSASSA_PSS => Ok(Self::Pss(restriction(algorithm)?)),
            EC_PUBLIC_KEY => {
                check_written_out(algorithm.parameters.as_deref())?;
                Ok(brainpool(algorithm).map_or(Self::Library, Self::Brainpool))
            }
            _ => Ok(Self::Library),
        }
    }
}

/// RFC 4055 section 3.1: parameters in a key bind its signatures; a key without them is not bound.
fn restriction(algorithm: &AlgorithmIdentifier) -> Result<Restriction, KeyError> {
    let parameters = algorithm.parameters.as_deref();
    let bound = match parameters {
        None => None,
        Some(_) => Some(
            SignatureAlgorithm::from_algorithm_identifier(&algorithm.oid, parameters)
                .map_err(|_| KeyError::Unreadable)?,
        ),
    };
    Ok(Restriction {
        identifier: algorithm.to_der(),
        bound,
    })
}

/// RFC 5480 section 2.2: the point of a key on a named curve is compressed or not, never hybrid.
pub(super) fn check_point(algorithm: &AlgorithmIdentifier, key: &[u8]) -> Result<(), KeyError> {
    let on_curve = algorithm.oid.to_string() == EC_PUBLIC_KEY;
    match key.first() {
        Some(2..=4) => Ok(()),
        _ if on_curve => Err(KeyError::Unreadable),
        _ => Ok(()),
    }
}

/// A curve whose parameters are written out (ECParameters, SEC 1 appendix C.2) must say its cofactor too: the library compares
/// only what is there.
fn check_written_out(parameters: Option<&[u8]>) -> Result<(), KeyError> {
    let Ok(written) = asn1::read_only(parameters.unwrap_or_default(), tag::SEQUENCE) else {
        return Ok(());
    };
    let fields = written.inside().all().map_err(|_| KeyError::Unreadable)?;
    // Version, field, curve, base, order, cofactor.
    let cofactor = fields.get(5).filter(|field| field.tag == tag::INTEGER);
    cofactor.map(|_| ()).ok_or(KeyError::Unreadable)
}

fn brainpool(algorithm: &AlgorithmIdentifier) -> Option<Curve> {
    let named = asn1::read_only(algorithm.parameters.as_deref()?, tag::OID).ok()?;
    let named = named.oid().ok()?;
    let mut curves = Curve::ALL.into_iter();
    curves.find(|curve| curve.row().oid == named && curve.row().reading == Standing::Brainpool)
}

/// Algorithm and key of a PrivateKeyInfo (RFC 5208 section 5, RFC 5958 section 2); attributes and public key behind them do
/// not matter.
pub(super) fn read_pkcs8(der: &[u8]) -> Result<(AlgorithmIdentifier, &[u8]), KeyError> {
    let read = || {
        let mut inside = asn1::read_only(der, tag::SEQUENCE)?.inside();
        inside.expect(tag::INTEGER)?;
        let algorithm = AlgorithmIdentifier::read(&mut inside)?;
        Ok((algorithm, inside.expect(tag::OCTET_STRING)?.content))
    };
    read().map_err(|_: asn1::Asn1Error| KeyError::Unreadable)
}

/// Algorithm and key of a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
pub(super) fn read_spki(der: &[u8]) -> Result<(AlgorithmIdentifier, &[u8]), KeyError> {
    let read = || {
        let mut inside = asn1::read_only(der, tag::SEQUENCE)?.inside();
        let algorithm = AlgorithmIdentifier::read(&mut inside)?;
        let key = inside.expect(tag::BIT_STRING)?.bit_string()?;
        inside.finish()?;
        Ok((algorithm, key))
    };
    read().map_err(|_: asn1::Asn1Error| KeyError::Unreadable)
}

/// A SubjectPublicKeyInfo.
pub(super) fn spki(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    asn1::sequence(&[algorithm, &asn1::bit_string(key)])
}

/// AlgorithmIdentifier of a key on a named curve.
pub(super) fn on_curve(curve: Curve) -> Vec<u8> {
    asn1::sequence(&[&EC_PUBLIC_KEY_OID, &asn1::oid(&curve.row().oid)])
}

/// PrivateKeyInfo (RFC 5208 section 5) around a key in its own form.
pub(super) fn pkcs8(algorithm: &[u8], key: &[u8]) -> Zeroizing<Vec<u8>> {
    let body = Zeroizing::new(asn1::octet_string(key));
    Zeroizing::new(asn1::sequence(&[&asn1::small(0), algorithm, &body]))
}

fn sec1(der: &[u8]) -> Result<(Reader<'_>, &[u8]), KeyError> {
    let read = || {
        let mut inside = asn1::read_only(der, tag::SEQUENCE)?.inside();
        inside.expect(tag::INTEGER)?;
        let scalar = inside.expect(tag::OCTET_STRING)?.content;
        Ok((inside, scalar))
    };
    read().map_err(|_: asn1::Asn1Error| KeyError::Unreadable)
}

/// The private octets of an ECPrivateKey (RFC 5915 section 3).
pub(super) fn sec1_scalar(der: &[u8]) -> Result<&[u8], KeyError> {
    sec1(der).map(|(_, scalar)| scalar)
}

/// SEC 1 names its curve inside (RFC 5915 section 3); PKCS#8 wants it outside.
pub(super) fn sec1_identifier(der: &[u8]) -> Result<Vec<u8>, KeyError> {
    let (mut inside, _) = sec1(der)?;
    let named = inside.expect(tag::context_constructed(0));
    let curve = named.and_then(|named| asn1::read_only(named.content, tag::OID));
    let curve = curve.map_err(|_| KeyError::Unreadable)?;
    Ok(asn1::sequence(&[&EC_PUBLIC_KEY_OID, curve.raw]))
}
