//! What the signed attributes must say, and what a signer says in them besides.

use super::SignerReport;
use super::signer::{Covered, Rejected};
use crate::algorithms::{AlgorithmIdentifier, DigestAlgorithm};
use crate::asn1::{self, Asn1Error, Reader, tag};
use crate::aws::Digest;
use crate::certificate::Certificate;
use crate::cms::{Attributes, CertificateId, SignerInfo};
use crate::error::ReadError;
use const_oid::ObjectIdentifier;

// RFC 5652 section 11.
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");
// RFC 8551 sections 2.5.2 and 2.5.3.
const SMIME_CAPABILITIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.15");
const ENCRYPTION_KEY_PREFERENCE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.11");
// RFC 5035 sections 5.4.1 and 5.4.
const SIGNING_CERTIFICATE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
// RFC 6211 section 2.
const ALGORITHM_PROTECTION: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.52");

/// RFC 5652 section 5.6: both must be there, once, and fit.
pub(super) fn check_attributes(
    attributes: &Attributes,
    covered: &Covered,
    content_digest: &[u8],
) -> Result<(), Rejected> {
    let value = attributes
        .single(&CONTENT_TYPE)?
        .ok_or(Rejected::broken("no content-type attribute"))?;
    if Reader::new(value).expect(tag::OID)?.content != covered.content_type_oid {
        return Err(Rejected::broken("another content type than was signed"));
    }
    let value = attributes
        .single(&MESSAGE_DIGEST)?
        .ok_or(Rejected::broken("no message-digest attribute"))?;
    if Reader::new(value).expect(tag::OCTET_STRING)?.content != content_digest {
        return Err(Rejected::broken("the content was changed"));
    }
    Ok(())
}

/// RFC 6211 section 3: where the algorithms are repeated under the signature, they must be the same.
pub(super) fn check_algorithm_protection(
    attributes: &Attributes,
    info: &SignerInfo,
) -> Result<(), Rejected> {
    let Some(value) = attributes.single(&ALGORITHM_PROTECTION)? else {
        return Ok(());
    };
    let mut inside = asn1::read_only(value, tag::SEQUENCE)?.inside();
    let digest = AlgorithmIdentifier::read(&mut inside)?;
    let signature = inside.expect(tag::context_constructed(1))?;
    inside.finish()?;
    let signature = AlgorithmIdentifier::read_content(signature.inside())?;
    if digest.is_same(&info.digest) && signature.is_same(&info.signature_algorithm) {
        return Ok(());
    }
    Err(Rejected::broken("other algorithms than were signed"))
}

/// What the signer says besides; a signing time that cannot be read breaks the signature (row C15).
pub(super) fn read_attributes(
    report: &mut SignerReport,
    attributes: &Attributes,
) -> Result<(), Rejected> {
    report.signing_time = match attributes.single(&SIGNING_TIME)? {
        Some(value) => Some(Reader::new(value).any()?.time()?),
        None => None,
    };
    report.capabilities = attributes.single(&SMIME_CAPABILITIES)?.map(<[u8]>::to_vec);
    let preference = attributes.single(&ENCRYPTION_KEY_PREFERENCE)?;
    report.encryption_preference = preference.and_then(|value| read_preference(value).ok());
    Ok(())
}

/// SMIMEEncryptionKeyPreference (RFC 8551 section 2.5.3; the tags are implicit).
fn read_preference(value: &[u8]) -> Result<CertificateId, ReadError> {
    let preference = Reader::new(value).any()?;
    if preference.tag == tag::context_constructed(0) {
        return CertificateId::issuer_serial(preference.inside());
    }
    if preference.tag == tag::context_constructed(1) {
        return Ok(CertificateId::KeyId(
            preference
                .inside()
                .expect(tag::OCTET_STRING)?
                .content
                .to_vec(),
        ));
    }
    if preference.tag == tag::context(2) {
        return Ok(CertificateId::KeyId(preference.content.to_vec()));
    }
    Err(ReadError::malformed("an encryption key preference"))
}

/// RFC 5035 sections 4 and 5.4: the first certificate named must be the signer's.
pub(super) fn check_signing_certificate(
    attributes: &Attributes,
    certificate: &Certificate,
) -> Result<(), Rejected> {
    let other = Rejected::broken("another certificate than the signer meant");
    if let Some(value) = attributes.single(&SIGNING_CERTIFICATE_V2)? {
        let mut id = first_certificate_id(value)?;
        let digest = match id.optional(tag::SEQUENCE)? {
            Some(algorithm) => {
                let algorithm = AlgorithmIdentifier::from_der(algorithm.raw)?;
                DigestAlgorithm::from_algorithm_identifier(
                    &algorithm.oid,
                    algorithm.parameters.as_deref(),
                )?
            }
            None => DigestAlgorithm::Sha256,
        };
        if id.expect(tag::OCTET_STRING)?.content != Digest::of(digest, certificate.der()) {
            return Err(other);
        }
    }
    if let Some(value) = attributes.single(&SIGNING_CERTIFICATE)? {
        let hash = first_certificate_id(value)?.expect(tag::OCTET_STRING)?;
        if hash.content != Digest::of(DigestAlgorithm::Sha1, certificate.der()) {
            return Err(other);
        }
    }
    Ok(())
}

fn first_certificate_id(value: &[u8]) -> Result<Reader<'_>, Asn1Error> {
    let mut list = Reader::new(value)
        .expect(tag::SEQUENCE)?
        .inside()
        .expect(tag::SEQUENCE)?
        .inside();
    Ok(list.expect(tag::SEQUENCE)?.inside())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::{SignatureAlgorithm, Switches};
    use crate::asn1::{octet_string, oid, sequence, set_of, set_of_content, tlv};
    use crate::key::PrivateKey;
    use crate::maker::{self, NOW, Wanted};
    use crate::path::TrustAnchors;
    use crate::verdict::SignatureVerdict::{self, Broken, Valid, Weak};
    use crate::verify::{VerifyInput, verify};
    use sealgate_mail::{Address, Message};

    const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nHello\r\n";

    struct Maker {
        key: PrivateKey,
        own: Certificate,
        root: Certificate,
    }

    impl Maker {
        fn new() -> Self {
            let (key, root_key) = (maker::key(), maker::key());
            let root = Wanted::new("Root", "Root", &root_key).with(maker::authority());
            let own = Wanted::new("A", "Root", &key).with(maker::addresses(&["a@x.example"]));
            Self {
                own: own.by(&root_key),
                root: root.by(&root_key),
                key,
            }
        }

        fn algorithm(&self) -> AlgorithmIdentifier {
            SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256).identifier()
        }

        /// The verdict on a mail with these attributes, sent as `sent` and signed as `signed`.
        fn judge(
            &self,
            sent: &[u8],
            signed: &[u8],
            digest: &AlgorithmIdentifier,
        ) -> SignatureVerdict {
            let algorithm = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
            let signature = self.key.sign(algorithm, &tlv(tag::SET, signed)).unwrap();
            let serial = tlv(tag::INTEGER, self.own.serial());
            let signer = sequence(&[
                &asn1::small(1),
                &sequence(&[self.own.issuer_der(), &serial]),
                &digest.to_der(),
                &tlv(tag::context_constructed(0), sent),
                &self.algorithm().to_der(),
                &octet_string(&signature),
            ]);
            let data = oid(&ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1"));
            let explicit = |content: &[u8]| tlv(tag::context_constructed(0), content);
            let whole = sequence(&[
                &asn1::small(1),
                &set_of(vec![digest.to_der()]),
                &sequence(&[&data, &explicit(&octet_string(CONTENT))]),
                &explicit(self.own.der()),
                &tlv(tag::SET, &signer),
            ]);
            let signed = oid(&ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2"));
            let mut mail = b"From: a@x.example\r\nContent-Type: application/pkcs7-mime\r\n\
                Content-Transfer-Encoding: binary\r\n\r\n"
                .to_vec();
            mail.extend(sequence(&[&signed, &explicit(&whole)]));
            let from = Address::parse("a@x.example").unwrap();
            let input = VerifyInput {
                anchors: &TrustAnchors::new(vec![self.root.clone()]),
                at: NOW,
                from: Some(&from),
                date: None,
                known: &[],
                switches: Switches::default(),
                exact_local_parts: false,
            };
            let raw = mail.as_slice();
            verify(&Message::read(&raw).unwrap(), &input)
                .unwrap()
                .verdict
        }
    }

    fn attribute(name: ObjectIdentifier, values: &[&[u8]]) -> Vec<u8> {
        sequence(&[&oid(&name), &tlv(tag::SET, &values.concat())])
    }

    fn usual() -> Vec<Vec<u8>> {
        let data = oid(&ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1"));
        let digest = octet_string(&Digest::of(DigestAlgorithm::Sha256, CONTENT));
        vec![
            attribute(CONTENT_TYPE, &[&data]),
            attribute(MESSAGE_DIGEST, &[&digest]),
        ]
    }

    /// RFC 5652 section 5.4: the DER is signed, in whatever order attributes and values were sent. Some sign what they send.
    #[test]
    fn c15_attributes_are_signed_in_the_order_of_der() {
        let maker = Maker::new();
        let sha256 = DigestAlgorithm::Sha256.identifier();
        let (one, two) = (asn1::small(1), asn1::small(2));
        let name = ObjectIdentifier::new_unwrap("1.2.3.4");
        let [in_order, turned] =
            [[&one, &two], [&two, &one]].map(|values| attribute(name, &values.map(Vec::as_slice)));
        let with = |last: &Vec<u8>| [usual(), vec![last.clone()]].concat();
        let der = set_of_content(with(&in_order));
        let mut backwards = with(&turned);
        backwards.sort();
        backwards.reverse();
        let backwards = backwards.concat();
        let values_turned = set_of_content(with(&turned));
        for (sent, signed, expected) in [
            (&der, &der, Valid),
            (&backwards, &der, Valid),
            (&values_turned, &der, Valid),
            (&backwards, &backwards, Valid),
            (&der, &backwards, Broken),
            (&backwards, &values_turned, Broken),
        ] {
            assert_eq!(maker.judge(sent, signed, &sha256), expected);
        }
    }

    #[test]
    fn algorithms_repeated_under_the_signature_are_the_same() {
        let maker = Maker::new();
        let null = |digest: DigestAlgorithm| AlgorithmIdentifier {
            parameters: Some(asn1::null()),
            ..digest.identifier()
        };
        let sha256 = null(DigestAlgorithm::Sha256);
        let plain = DigestAlgorithm::Sha256.identifier();
        let sha512 = DigestAlgorithm::Sha512.identifier();
        let other = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha384).identifier();
        let under = |number: u8, algorithm: &AlgorithmIdentifier| {
            let der = algorithm.to_der();
            let content = asn1::read_only(&der, tag::SEQUENCE).unwrap().content;
            tlv(tag::context_constructed(number), content)
        };
        let own = under(1, &maker.algorithm());
        for (values, expected) in [
            (vec![sequence(&[&sha256.to_der(), &own])], Valid),
            (vec![sequence(&[&plain.to_der(), &own])], Valid),
            (vec![sequence(&[&sha512.to_der(), &own])], Broken),
            (
                vec![sequence(&[&sha256.to_der(), &under(1, &other)])],
                Broken,
            ),
            (
                vec![sequence(&[&sha256.to_der(), &under(2, &other)])],
                Broken,
            ),
            (vec![sequence(&[&sha256.to_der()])], Broken),
            (vec![asn1::small(1)], Broken),
            (vec![], Broken),
            (vec![sequence(&[&sha256.to_der(), &own]); 2], Broken),
        ] {
            let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
            let list = [usual(), vec![attribute(ALGORITHM_PROTECTION, &values)]].concat();
            let der = set_of_content(list);
            assert_eq!(maker.judge(&der, &der, &sha256), expected, "{values:02x?}");
        }
    }

    /// Row C15: MD4 too is broken, not unknown.
    #[test]
    fn c15_md4_is_weak() {
        let maker = Maker::new();
        let der = set_of_content(usual());
        for number in [
            "1.2.840.113549.2.2",
            "1.2.840.113549.2.4",
            "1.2.840.113549.2.5",
        ] {
            let digest = AlgorithmIdentifier {
                oid: ObjectIdentifier::new_unwrap(number),
                parameters: Some(asn1::null()),
            };
            assert_eq!(maker.judge(&der, &der, &digest), Weak, "{number}");
        }
    }
}
