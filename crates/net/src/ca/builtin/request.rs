//! What a certificate request proves: that whoever made it holds the private key (RFC 2986 section 4.2).

use sealgate_smime::algorithms::{AlgorithmIdentifier, SignatureAlgorithm};
use sealgate_smime::asn1::{self, Asn1Error, tag};
use sealgate_smime::aws::Signed;
use sealgate_smime::key::PublicKey;

/// The SubjectPublicKeyInfo of a CertificationRequest, if its signature is by that very key. Nothing else of the request counts:
/// the profile decides what a certificate says.
pub(super) fn proven_key(csr: &[u8]) -> Option<&[u8]> {
    let (info, algorithm, signature) = parts(csr).ok()?;
    let spki = key_of(info).ok()?;
    let algorithm = SignatureAlgorithm::from_algorithm_identifier(
        &algorithm.oid,
        algorithm.parameters.as_deref(),
    );
    let key = PublicKey::from_spki(spki).ok()?;
    let verified = key.verify(algorithm.ok()?, Signed::Message(info), signature);
    verified.is_ok().then_some(spki)
}

fn parts(csr: &[u8]) -> Result<(&[u8], AlgorithmIdentifier, &[u8]), Asn1Error> {
    let mut outer = asn1::read_only(csr, tag::SEQUENCE)?.inside();
    let info = outer.expect(tag::SEQUENCE)?.raw;
    let algorithm = AlgorithmIdentifier::read(&mut outer)?;
    let signature = outer.expect(tag::BIT_STRING)?.bit_string()?;
    outer.finish()?;
    Ok((info, algorithm, signature))
}

/// CertificationRequestInfo: version, subject, key, attributes (RFC 2986 section 4.1).
fn key_of(info: &[u8]) -> Result<&[u8], Asn1Error> {
    let mut inside = asn1::read_only(info, tag::SEQUENCE)?.inside();
    inside.expect(tag::INTEGER)?;
    inside.expect(tag::SEQUENCE)?;
    Ok(inside.expect(tag::SEQUENCE)?.raw)
}

#[cfg(test)]
mod tests {
    use sealgate_mail::Address;
    use sealgate_smime::csr::request;
    use sealgate_smime::key::{KeyKind, PrivateKey};

    use super::*;

    #[test]
    fn only_the_holder_of_the_key_can_ask() {
        let address = Address::parse("alice@example.com").unwrap();
        for kind in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::P384] {
            let key = PrivateKey::generate(kind).unwrap();
            let csr = request(&key, &address).unwrap();
            assert_eq!(proven_key(&csr), Some(key.spki_der()));
            let at = csr.len() - 3;
            let mut bent = csr.clone();
            bent[at] ^= 1;
            assert_eq!(proven_key(&bent), None, "the signature");
            let at = csr.windows(5).position(|five| five == b"alice").unwrap();
            let mut bent = csr.clone();
            bent[at] = b'm';
            assert_eq!(proven_key(&bent), None, "what is signed");
            assert_eq!(proven_key(&csr[..csr.len() - 1]), None);
        }
    }

    #[test]
    fn somebody_else_s_key_is_not_certified() {
        let address = Address::parse("alice@example.com").unwrap();
        let (own, other) = (
            PrivateKey::generate(KeyKind::P256).unwrap(),
            PrivateKey::generate(KeyKind::P256).unwrap(),
        );
        let mut csr = request(&own, &address).unwrap();
        let (from, to) = (own.spki_der(), other.spki_der());
        let at = csr.windows(from.len()).position(|part| part == from);
        let at = at.unwrap();
        csr[at..at + to.len()].copy_from_slice(to);
        assert_eq!(proven_key(&csr), None);
    }
}
