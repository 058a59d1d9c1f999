//! Certificate requests (PKCS#10, RFC 2986) for one mailbox.

use const_oid::ObjectIdentifier;
use sealgate_mail::Address;

use crate::algorithms::PublicKeyKind;
use crate::asn1::{self, tag};
use crate::key::{KeyError, PrivateKey};

/// A CertificationRequest in DER: subject CN, subjectAltName, keyUsage and extKeyUsage for mail with `address`.
pub fn request(key: &PrivateKey, address: &Address) -> Result<Vec<u8>, KeyError> {
    let algorithm = key
        .signature_algorithm(Default::default())
        .ok_or(KeyError::WrongKind)?;
    let common_name = asn1::sequence(&[
        &asn1::oid(&ObjectIdentifier::new_unwrap("2.5.4.3")),
        &asn1::tlv(tag::UTF8_STRING, address.to_string().as_bytes()),
    ]);
    let subject = asn1::sequence(&[&asn1::set_of(vec![common_name])]);
    // RFC 2985 section 5.4.2: extensionRequest.
    let wanted = asn1::sequence(&[
        &asn1::oid(&ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14")),
        &asn1::set_of(vec![extensions(key.kind(), address)]),
    ]);
    let info = asn1::sequence(&[
        &asn1::small(0),
        &subject,
        key.spki_der(),
        &asn1::tlv(tag::context_constructed(0), &wanted),
    ]);
    let signature = key.sign(algorithm, &info)?;
    Ok(asn1::sequence(&[
        &info,
        &algorithm.identifier().to_der(),
        &asn1::bit_string(&signature),
    ]))
}

fn extensions(kind: PublicKeyKind, address: &Address) -> Vec<u8> {
    // Bits of keyUsage: digitalSignature, and how a content key reaches this kind of key (RFC 8550 section 4.4.2).
    let usage: [u8; 2] = match kind {
        PublicKeyKind::Rsa(_) => [5, 0b1010_0000],
        PublicKeyKind::Ec(_) => [3, 0b1000_1000],
        PublicKeyKind::RsaPss(_) | PublicKeyKind::Ed25519 => [7, 0b1000_0000],
        PublicKeyKind::X25519 => [3, 0b0000_1000],
    };
    let purpose = asn1::sequence(&[&asn1::oid(&ObjectIdentifier::new_unwrap(
        "1.3.6.1.5.5.7.3.4",
    ))]);
    asn1::sequence(&[
        &extension("2.5.29.15", true, &asn1::tlv(tag::BIT_STRING, &usage)),
        &extension("2.5.29.37", false, &purpose),
        &extension(
            "2.5.29.17",
            false,
            &asn1::sequence(&[&alternative_name(address)]),
        ),
    ])
}

fn extension(oid: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let marked = if critical {
        asn1::tlv(tag::BOOLEAN, &[0xff])
    } else {
        Vec::new()
    };
    asn1::sequence(&[
        &asn1::oid(&ObjectIdentifier::new_unwrap(oid)),
        &marked,
        &asn1::octet_string(value),
    ])
}

/// rfc822Name, or SmtpUTF8Mailbox for a local part beyond ASCII (RFC 9598 section 3).
fn alternative_name(address: &Address) -> Vec<u8> {
    let text = address.to_string();
    if address.is_ascii() {
        return asn1::tlv(tag::context(1), text.as_bytes());
    }
    let value = asn1::tlv(
        tag::context_constructed(0),
        &asn1::tlv(tag::UTF8_STRING, text.as_bytes()),
    );
    let kind = asn1::oid(&ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.8.9"));
    asn1::constructed(tag::context_constructed(0), &[&kind, &value])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::AlgorithmIdentifier;
    use crate::aws::Signed;
    use crate::extensions::{Extensions, GeneralName};
    use crate::key::{KeyKind, PublicKey};

    #[test]
    fn signed_and_naming_the_address() {
        for (address, name) in [
            (
                "alice@example.com",
                GeneralName::Mailbox("alice@example.com".into()),
            ),
            (
                "\u{e4}@example.com",
                GeneralName::SmtpUtf8("\u{e4}@example.com".into()),
            ),
        ] {
            let key = PrivateKey::generate(KeyKind::P256).unwrap();
            let der = request(&key, &Address::parse(address).unwrap()).unwrap();
            let mut outer = asn1::read_only(&der, tag::SEQUENCE).unwrap().inside();
            let info = outer.expect(tag::SEQUENCE).unwrap();
            let algorithm = AlgorithmIdentifier::read(&mut outer).unwrap();
            let signature = outer.expect(tag::BIT_STRING).unwrap().bit_string().unwrap();
            assert_eq!(
                Some(algorithm),
                key.signature_algorithm(Default::default())
                    .map(|a| a.identifier())
            );
            let public = PublicKey::from_spki(key.spki_der()).unwrap();
            public
                .verify(
                    key.signature_algorithm(Default::default()).unwrap(),
                    Signed::Message(info.raw),
                    signature,
                )
                .unwrap();
            let found =
                Extensions::from_der(&extensions(key.kind(), &Address::parse(address).unwrap()))
                    .unwrap();
            assert_eq!(found.subject_alt_names, Some(vec![name]));
        }
    }
}
