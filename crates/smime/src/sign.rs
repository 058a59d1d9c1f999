//! Signing: a MIME entity becomes a signed MIME entity, clear-signed or opaque (RFC 8551 sections 3.5 and 3.6).
//!
//! The entity is read once to hash it and once more for each time the result is written; it is never held. The CMS
//! object is DER with definite lengths, its signed attributes those of RFC 8551 section 2.5.

use std::io::{self, Write};

use const_oid::ObjectIdentifier;
use rand_core::CryptoRng;
use sealgate_mail::encoding::{Base64Writer, base64_length};
use sealgate_mail::{Source, Timestamp};

use crate::algorithms::{DigestAlgorithm, SignatureAlgorithm, Standing};
use crate::asn1::{self, tag};
use crate::aws::Digest;
use crate::certificate::Certificate;
use crate::entity::{self, Counted};
use crate::key::{KeyError, PrivateKey};
use crate::profile::{self, RsaSignature};

/// Who signs.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The private key of `certificate`.
    pub key: &'a PrivateKey,
    /// The signing certificate.
    pub certificate: &'a Certificate,
    /// What is sent along: the issuers (a root is left out), and the sender's encryption certificate if it is another one.
    pub chain: &'a [Certificate],
    /// How an RSA key signs; other keys have one way.
    pub rsa_signature: RsaSignature,
}

/// The two forms of a signed message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// multipart/signed: readable without S/MIME.
    Clear,
    /// application/pkcs7-mime: survives whatever re-encodes text.
    Opaque,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The private key belongs to another certificate.
    #[error("the private key does not belong to the certificate")]
    OtherKey,
    /// The key cannot sign.
    #[error("a key of this kind cannot sign")]
    KeyKind,
    /// The key failed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The entity could not be read.
    #[error("the message could not be read: {0}")]
    Io(#[from] io::Error),
}

/// A signed MIME entity. As a [`Source`] it writes all of it: header fields, blank line, body.
pub struct Signed<'a> {
    fields: String,
    body: Body<'a>,
}

enum Body<'a> {
    Clear {
        entity: Counted<'a>,
        boundary: String,
        signature: Vec<u8>,
    },
    Opaque {
        entity: Counted<'a>,
        before: Vec<u8>,
        after: Vec<u8>,
    },
}

impl Signed<'_> {
    /// The Content fields of the entity, each ended by CRLF, without the blank line.
    pub fn fields(&self) -> &str {
        &self.fields
    }

    /// The body alone.
    pub fn body(&self) -> &dyn Source {
        &self.body
    }
}

impl Source for Signed<'_> {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{}\r\n", self.fields)?;
        self.body.write_to(out)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self
            .body
            .length()?
            .saturating_add(self.fields.len() as u64)
            .saturating_add(2))
    }
}

impl Source for Body<'_> {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Clear {
                entity,
                boundary,
                signature,
            } => {
                write!(out, "--{boundary}\r\n")?;
                entity.write_to(out)?;
                out.write_all(head_of_signature(boundary).as_bytes())?;
                let mut base64 = Base64Writer::new(&mut *out);
                base64.write_all(signature)?;
                base64.finish()?;
                write!(out, "{}", end_of_clear(boundary))
            }
            Self::Opaque {
                entity,
                before,
                after,
            } => {
                let mut base64 = Base64Writer::new(out);
                base64.write_all(before)?;
                entity.write_to(&mut base64)?;
                base64.write_all(after)?;
                base64.finish().map(|_| ())
            }
        }
    }

    fn length(&self) -> io::Result<u64> {
        let parts = |lengths: &[usize]| {
            lengths
                .iter()
                .fold(0u64, |sum, length| sum.saturating_add(*length as u64))
        };
        Ok(match self {
            Self::Clear {
                entity,
                boundary,
                signature,
            } => {
                let around = [
                    boundary.len(),
                    4,
                    head_of_signature(boundary).len(),
                    end_of_clear(boundary).len(),
                ];
                let base64 = base64_length(signature.len() as u64);
                parts(&around)
                    .saturating_add(entity.octets())
                    .saturating_add(base64)
            }
            Self::Opaque {
                entity,
                before,
                after,
            } => base64_length(parts(&[before.len(), after.len()]).saturating_add(entity.octets())),
        })
    }
}

/// The boundary behind the entity (its CRLF belongs to it, RFC 2046 section 5.1.1) and the header of the signature part.
fn head_of_signature(boundary: &str) -> String {
    format!(
        "\r\n--{boundary}\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=smime.p7s\r\n\r\n"
    )
}

fn end_of_clear(boundary: &str) -> String {
    format!("--{boundary}--\r\n")
}

/// Signs `entity`, which must be in canonical form (RFC 8551 section 3.1). `rng` makes the boundary.
pub fn sign<'a>(
    entity: &'a dyn Source,
    form: Form,
    signer: Signer<'_>,
    signing_time: Timestamp,
    rng: &mut dyn CryptoRng,
) -> Result<Signed<'a>, SignError> {
    let algorithm = signature_algorithm(&signer).ok_or(SignError::KeyKind)?;
    if !signer.key.matches(signer.certificate) {
        return Err(SignError::OtherKey);
    }
    let mut digest = Digest::new(algorithm.digest());
    let entity = Counted::writing(entity, &mut digest)?;
    let info = signer_info(&signer, algorithm, &digest.finish(), signing_time)?;
    let around = SignedData::new(&signer, algorithm, &info);
    Ok(match form {
        Form::Clear => {
            let boundary = entity::boundary(rng);
            let micalg = algorithm.digest().row().name;
            let fields = format!(
                "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n \
                 micalg={micalg}; boundary=\"{boundary}\"\r\n"
            );
            Signed {
                fields,
                body: Body::Clear {
                    entity,
                    boundary,
                    signature: around.detached(),
                },
            }
        }
        Form::Opaque => {
            let (before, after) = around.around(entity.octets());
            Signed {
                fields: entity::pkcs7_fields("signed-data"),
                body: Body::Opaque {
                    entity,
                    before,
                    after,
                },
            }
        }
    })
}

/// What the certificate asks for (RFC 4055 section 3.1), else what the key does.
fn signature_algorithm(signer: &Signer<'_>) -> Option<SignatureAlgorithm> {
    let public = signer.certificate.public_key();
    let required = public.and_then(|key| key.required_signature(signer.rsa_signature));
    match required {
        Some(required) => Some(required).filter(|one| one.row().making == Standing::Accept),
        None => signer.key.signature_algorithm(signer.rsa_signature),
    }
}

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");

/// The parts of SignedData (RFC 5652 section 5.1) before and behind encapContentInfo.
struct SignedData {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl SignedData {
    fn new(signer: &Signer<'_>, algorithm: SignatureAlgorithm, info: &[u8]) -> Self {
        let digests = asn1::set_of(vec![algorithm.digest().identifier().to_der()]);
        let mut certificates = vec![signer.certificate.der().to_vec()];
        for certificate in signer
            .chain
            .iter()
            .filter(|one| !one.self_issued() || !one.is_authority())
        {
            if !certificates.iter().any(|known| known == certificate.der()) {
                certificates.push(certificate.der().to_vec());
            }
        }
        let bag = asn1::tlv(
            tag::context_constructed(0),
            &asn1::set_of_content(certificates),
        );
        Self {
            before: [asn1::small(1), digests].concat(),
            after: [bag, asn1::set_of(vec![info.to_vec()])].concat(),
        }
    }

    /// The whole ContentInfo without content.
    fn detached(&self) -> Vec<u8> {
        let content = asn1::sequence(&[&asn1::oid(&DATA)]);
        let data = asn1::sequence(&[&self.before, &content, &self.after]);
        asn1::sequence(&[
            &asn1::oid(&SIGNED_DATA),
            &asn1::tlv(tag::context_constructed(0), &data),
        ])
    }

    /// What stands around a content of so many octets.
    fn around(self, octets: u64) -> (Vec<u8>, Vec<u8>) {
        let mut head = asn1::header(tag::OCTET_STRING, octets);
        entity::wrap(&mut head, octets, 0, tag::context_constructed(0), &[]);
        entity::wrap(&mut head, octets, 0, tag::SEQUENCE, &asn1::oid(&DATA));
        let behind = self.after.len() as u64;
        entity::wrap(&mut head, octets, behind, tag::SEQUENCE, &self.before);
        entity::wrap(&mut head, octets, behind, tag::context_constructed(0), &[]);
        entity::wrap(
            &mut head,
            octets,
            behind,
            tag::SEQUENCE,
            &asn1::oid(&SIGNED_DATA),
        );
        (head, self.after)
    }
}

/// SignerInfo (RFC 5652 section 5.3), version 1.
fn signer_info(
    signer: &Signer<'_>,
    algorithm: SignatureAlgorithm,
    digest: &[u8],
    signing_time: Timestamp,
) -> Result<Vec<u8>, SignError> {
    let attributes = asn1::set_of_content(signed_attributes(signer, digest, signing_time));
    // RFC 5652 section 5.4: signed as SET OF, sent as [0].
    let signature = signer
        .key
        .sign(algorithm, &asn1::tlv(tag::SET, &attributes))?;
    Ok(asn1::sequence(&[
        &asn1::small(1),
        &entity::issuer_and_serial(signer.certificate),
        &algorithm.digest().identifier().to_der(),
        &asn1::tlv(tag::context_constructed(0), &attributes),
        &algorithm.identifier().to_der(),
        &asn1::octet_string(&signature),
    ]))
}

fn attribute(oid: &str, value: Vec<u8>) -> Vec<u8> {
    let oid = asn1::oid(&ObjectIdentifier::new_unwrap(oid));
    asn1::sequence(&[&oid, &asn1::set_of(vec![value])])
}

fn signed_attributes(signer: &Signer<'_>, digest: &[u8], signing_time: Timestamp) -> Vec<Vec<u8>> {
    let preferred = encryption_certificate(signer);
    let own = || Some(signer.certificate).filter(|own| own.may_encrypt().is_ok());
    let encryption_key = preferred.or_else(own).and_then(Certificate::key_kind);
    let mut attributes = vec![
        attribute("1.2.840.113549.1.9.3", asn1::oid(&DATA)),
        attribute("1.2.840.113549.1.9.4", asn1::octet_string(digest)),
        attribute("1.2.840.113549.1.9.5", asn1::time(signing_time)),
        attribute(
            "1.2.840.113549.1.9.15",
            profile::announced_capabilities(encryption_key),
        ),
        attribute(
            "1.2.840.113549.1.9.16.2.47",
            signing_certificate(signer.certificate),
        ),
    ];
    if let Some(other) = preferred {
        // RFC 8551 section 2.5.3: [0] IMPLICIT IssuerAndSerialNumber.
        let mut preference = entity::issuer_and_serial(other);
        if let Some(first) = preference.first_mut() {
            *first = tag::context_constructed(0);
        }
        attributes.push(attribute("1.2.840.113549.1.9.16.2.11", preference));
    }
    attributes
}

/// The sender's encryption certificate, where it is another one than the signing certificate.
fn encryption_certificate<'s>(signer: &Signer<'s>) -> Option<&'s Certificate> {
    let others = signer
        .chain
        .iter()
        .filter(|one| *one != signer.certificate && one.may_encrypt().is_ok());
    let mut same_owner = others.filter(|one| {
        one.addresses()
            .iter()
            .any(|address| signer.certificate.addresses().contains(address))
    });
    same_owner.next()
}

/// SigningCertificateV2 with one ESSCertIDv2; SHA-256 is the default and left out (RFC 5035 section 4).
fn signing_certificate(certificate: &Certificate) -> Vec<u8> {
    let hash = asn1::octet_string(&Digest::of(DigestAlgorithm::Sha256, certificate.der()));
    let names = asn1::sequence(&[&asn1::tlv(
        tag::context_constructed(4),
        certificate.issuer_der(),
    )]);
    let issuer_serial = asn1::sequence(&[&names, &asn1::tlv(tag::INTEGER, certificate.serial())]);
    let id = asn1::sequence(&[&hash, &issuer_serial]);
    asn1::sequence(&[&asn1::sequence(&[&id])])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::Curve;
    use crate::aws::Generate;
    use crate::maker::{self, NOW, TestRandom, Wanted, octets};
    use crate::path::TrustAnchors;
    use crate::verdict::SignatureVerdict;
    use crate::verify::{VerifyInput, signed_content, verify};
    use sealgate_mail::Address;
    use sealgate_mail::message::Message;

    const ENTITY: &[u8] = b"Content-Type: text/plain\r\n\r\nHello\r\nworld\r\n";

    fn judge(mail: &[u8], root: &Certificate) -> crate::verify::SignatureReport {
        let from = Address::parse("a@x.example").unwrap();
        let anchors = TrustAnchors::new(vec![root.clone()]);
        let input = VerifyInput {
            anchors: &anchors,
            at: NOW,
            from: Some(&from),
            date: None,
            known: &[],
            switches: crate::algorithms::Switches::default(),
            exact_local_parts: false,
        };
        verify(&Message::read(&mail).unwrap(), &input).unwrap()
    }

    /// Every kind of key, and every way it can sign.
    fn signers() -> Vec<(PrivateKey, RsaSignature)> {
        let (rsa, default) = (PrivateKey::of(Generate::Rsa(2048)), RsaSignature::default());
        let mut all: Vec<_> = [
            Generate::Ec(Curve::P256),
            Generate::Ec(Curve::P384),
            Generate::Ec(Curve::P521),
            Generate::Ed25519,
        ]
        .map(|kind| (PrivateKey::of(kind), default))
        .into();
        for digest in [
            DigestAlgorithm::Sha256,
            DigestAlgorithm::Sha384,
            DigestAlgorithm::Sha512,
        ] {
            all.push((rsa.clone(), RsaSignature::Pkcs1(digest)));
            all.push((rsa.clone(), RsaSignature::Pss(digest)));
            all.push((rsa.pss(Some(SignatureAlgorithm::pss(digest))), default));
        }
        all.push((rsa.pss(None), default));
        all
    }

    #[test]
    fn both_forms_verify_and_a_changed_octet_breaks_them() {
        let root_key = maker::key();
        let root = Wanted::new("Root", "Root", &root_key)
            .with(maker::authority())
            .by(&root_key);
        for (key, rsa_signature) in signers() {
            let kind = (key.kind(), rsa_signature);
            let certificate = Wanted::new("A", "Root", &key)
                .with(maker::addresses(&["a@x.example"]))
                .by(&root_key);
            let signer = Signer {
                key: &key,
                certificate: &certificate,
                chain: std::slice::from_ref(&root),
                rsa_signature,
            };
            for form in [Form::Clear, Form::Opaque] {
                let entity = ENTITY.to_vec();
                let signed = sign(&entity, form, signer, NOW, &mut TestRandom).unwrap();
                let mail = octets(&signed);
                assert!(
                    mail.is_ascii()
                        && mail
                            .split(|octet| *octet == b'\n')
                            .all(|line| line.len() <= 79)
                );
                let report = judge(&mail, &root);
                assert_eq!(
                    report.verdict,
                    SignatureVerdict::Valid,
                    "{kind:?} {form:?} {report:?}"
                );
                assert_eq!(report.signers[0].signing_time, Some(NOW));
                assert!(
                    !report.certificates.contains(&root),
                    "a root is not sent along"
                );
                if form == Form::Opaque {
                    let mut content = Vec::new();
                    signed_content(&Message::read(&mail).unwrap(), &mut content)
                        .unwrap()
                        .unwrap();
                    assert_eq!(content, ENTITY);
                } else {
                    let changed = String::from_utf8(mail).unwrap().replace("Hello", "Hallo");
                    assert_eq!(
                        judge(changed.as_bytes(), &root).verdict,
                        SignatureVerdict::Broken
                    );
                }
            }
        }
    }

    #[test]
    fn x10_the_encryption_certificate_is_announced() {
        let (key, other) = (maker::key(), maker::key());
        let names = || maker::addresses(&["a@x.example"]);
        let certificate = Wanted::new("A", "Root", &key)
            .with(names())
            .with(maker::key_usage(0b1000_0000))
            .by(&key);
        let encryption = Wanted::new("A", "Root", &other)
            .with(names())
            .with(maker::key_usage(0b0000_1000))
            .by(&key);
        let stranger = Wanted::new("B", "Root", &other)
            .with(maker::addresses(&["b@x.example"]))
            .by(&key);
        let chain = [stranger, encryption.clone()];
        let signer = Signer {
            key: &key,
            certificate: &certificate,
            chain: &chain,
            rsa_signature: Default::default(),
        };
        assert_eq!(encryption_certificate(&signer), Some(&encryption));
        // RFC 8551 section 2.5.2: what the encryption key reads, and that is no RSA key.
        let announced = profile::announced_capabilities(Some(other.kind()));
        let entity = ENTITY.to_vec();
        let mail = octets(&sign(&entity, Form::Clear, signer, NOW, &mut TestRandom).unwrap());
        let report = judge(&mail, &certificate);
        assert_eq!(report.signers[0].capabilities, Some(announced));
        assert!(
            report.signers[0]
                .encryption_preference
                .as_ref()
                .unwrap()
                .names(&encryption)
        );
    }

    /// PKCS#12 files hold such a key as a plain RSA key, but peers go by the certificate.
    #[test]
    fn the_certificate_says_that_only_pss_counts() {
        let root_key = maker::key();
        let root = Wanted::new("Root", "Root", &root_key)
            .with(maker::authority())
            .by(&root_key);
        let key = PrivateKey::of(Generate::Rsa(2048));
        let bound = SignatureAlgorithm::pss(DigestAlgorithm::Sha384);
        let certificate = Wanted::new("A", "Root", &key.pss(Some(bound)))
            .with(maker::addresses(&["a@x.example"]))
            .by(&root_key);
        let signer = Signer {
            key: &key,
            certificate: &certificate,
            chain: &[],
            rsa_signature: Default::default(),
        };
        let entity = ENTITY.to_vec();
        let mail = octets(&sign(&entity, Form::Clear, signer, NOW, &mut TestRandom).unwrap());
        let report = judge(&mail, &root);
        assert_eq!(report.verdict, SignatureVerdict::Valid, "{report:?}");
        assert_eq!(report.signers[0].algorithm, Some(bound));
        // What it asks for and we do not make is not replaced by what nobody will accept.
        let old = SignatureAlgorithm::pss(DigestAlgorithm::Sha1);
        let certificate = Wanted::new("A", "Root", &key.pss(Some(old))).by(&root_key);
        let signer = Signer {
            certificate: &certificate,
            ..signer
        };
        let refused = sign(&entity, Form::Clear, signer, NOW, &mut TestRandom);
        assert!(matches!(refused.err(), Some(SignError::KeyKind)));
    }

    #[test]
    fn the_wrong_key_does_not_sign() {
        let key = maker::key();
        let certificate = Wanted::new("A", "Root", &key).by(&key);
        let other = maker::key();
        let signer = Signer {
            key: &other,
            certificate: &certificate,
            chain: &[],
            rsa_signature: Default::default(),
        };
        let entity = ENTITY.to_vec();
        assert!(matches!(
            sign(&entity, Form::Clear, signer, NOW, &mut TestRandom),
            Err(SignError::OtherKey)
        ));
    }
}
