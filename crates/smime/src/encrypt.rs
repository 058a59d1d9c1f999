//! Encryption: a MIME entity becomes an application/pkcs7-mime entity (RFC 8551 sections 3.3 and 3.4).
//!
//! EnvelopedData for the CBC ciphers, AuthEnvelopedData (RFC 5083) for GCM. The content key and the initialisation vector are
//! made once, the entity is encrypted anew each time the result is written, and never held. DER with definite lengths.

use std::io::{self, Write};

use const_oid::ObjectIdentifier;
use rand_core::CryptoRng;
use sealgate_mail::Source;
use sealgate_mail::encoding::{Base64Writer, base64_length};
use zeroize::Zeroizing;

use crate::algorithms::{
    AlgorithmIdentifier, ContentEncryption, ContentParameters, Curve, DigestAlgorithm,
    GCM_TAG_OCTETS, KeyAgreement, KeyDerivation, KeyTransport, KeyWrap, PublicKeyKind, Standing,
};
use crate::asn1::{self, tag};
use crate::aws::{CbcEncryptor, CryptoError, GcmEncryptor};
use crate::certificate::{Certificate, UsageRefusal};
use crate::entity::{self, Counted};
use crate::key::{KeyError, PublicKey};
use crate::limits;
use crate::path::VerifiedPath;
use crate::profile::Suite;

/// A certificate somebody vouches for, to encrypt to.
#[derive(Clone, Debug)]
pub struct EncryptTo(Certificate);

impl EncryptTo {
    /// A certificate with a good path.
    pub fn verified(path: &VerifiedPath) -> Self {
        Self(path.leaf().clone())
    }

    /// A certificate the caller vouches for: an administrator imported it, or it is our own.
    pub fn new(certificate: &Certificate) -> Self {
        Self(certificate.clone())
    }

    /// The certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.0
    }
}

/// Why nothing was encrypted.
#[derive(Debug, thiserror::Error)]
pub enum EncryptError {
    /// There is nobody to encrypt to, or more than we ourselves would read.
    #[error("no recipients, or too many")]
    Recipients,
    /// The cipher is one we do not make.
    #[error("{0} is not used to encrypt")]
    Cipher(&'static str),
    /// A certificate may not be used to encrypt.
    #[error("the certificate of {subject} cannot be used to encrypt: {refusal}")]
    Usage {
        /// Its subject.
        subject: String,
        /// The reason.
        refusal: UsageRefusal,
    },
    /// A key failed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The entity could not be read.
    #[error("the message could not be read: {0}")]
    Io(#[from] io::Error),
}

/// An encrypted MIME entity. As a [`Source`] it writes all of it: header fields, blank line, body.
pub struct Enveloped<'a> {
    fields: String,
    body: Body<'a>,
}

struct Body<'a> {
    entity: Counted<'a>,
    content: ContentParameters,
    key: Zeroizing<Vec<u8>>,
    before: Vec<u8>,
}

impl Enveloped<'_> {
    /// The Content fields of the entity, each ended by CRLF, without the blank line.
    pub fn fields(&self) -> &str {
        &self.fields
    }

    /// The body alone.
    pub fn body(&self) -> &dyn Source {
        &self.body
    }
}

impl Source for Enveloped<'_> {
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
        let mut base64 = Base64Writer::new(out);
        base64.write_all(&self.before)?;
        let cipher = Cipher::new(&self.content, &self.key).map_err(io::Error::other)?;
        let mut sealing = Sealing {
            cipher,
            sealed: Vec::new(),
            out: &mut base64,
        };
        self.entity.write_to(&mut sealing)?;
        sealing.finish()?;
        base64.finish().map(|_| ())
    }

    fn length(&self) -> io::Result<u64> {
        let content = sealed_length(self.content.algorithm, self.entity.octets());
        let der = (self.before.len() as u64).saturating_add(content);
        Ok(base64_length(
            der.saturating_add(behind(self.content.algorithm)),
        ))
    }
}

/// Octets of ciphertext for so many octets.
fn sealed_length(algorithm: ContentEncryption, octets: u64) -> u64 {
    if algorithm.authenticated() {
        return octets;
    }
    let block = algorithm.iv_length() as u64;
    (octets / block).saturating_add(1).saturating_mul(block)
}

/// Octets behind the ciphertext: the tag as an OCTET STRING.
fn behind(algorithm: ContentEncryption) -> u64 {
    if algorithm.authenticated() {
        GCM_TAG_OCTETS as u64 + 2
    } else {
        0
    }
}

enum Cipher {
    Cbc(CbcEncryptor),
    Gcm(GcmEncryptor),
}

impl Cipher {
    fn new(content: &ContentParameters, key: &[u8]) -> Result<Self, CryptoError> {
        if content.algorithm.authenticated() {
            return GcmEncryptor::new(content.algorithm, key, &content.iv, &[]).map(Self::Gcm);
        }
        CbcEncryptor::new(content.algorithm, key, &content.iv).map(Self::Cbc)
    }
}

/// Encrypts what is written to it.
struct Sealing<'o, W: Write> {
    cipher: Cipher,
    sealed: Vec<u8>,
    out: &'o mut W,
}

impl<W: Write> Write for Sealing<'_, W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let taken = data.get(..limits::BUFFER_OCTETS).unwrap_or(data);
        match &mut self.cipher {
            Cipher::Cbc(cipher) => cipher.update(taken, &mut self.sealed),
            Cipher::Gcm(cipher) => cipher.update(taken, &mut self.sealed),
        }
        .map_err(io::Error::other)?;
        self.out.write_all(&self.sealed)?;
        self.sealed.clear();
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Sealing<'_, W> {
    fn finish(mut self) -> io::Result<()> {
        match self.cipher {
            Cipher::Cbc(cipher) => cipher.finish(&mut self.sealed).map_err(io::Error::other)?,
            Cipher::Gcm(cipher) => {
                let tag = cipher.finish(&mut self.sealed).map_err(io::Error::other)?;
                self.sealed.extend(asn1::octet_string(&tag));
            }
        }
        self.out.write_all(&self.sealed)
    }
}

/// Encrypts `entity` to all of `recipients`. `rng` makes the content key and the initialisation vector.
pub fn encrypt<'a>(
    entity: &'a dyn Source,
    recipients: &[EncryptTo],
    suite: Suite,
    rng: &mut dyn CryptoRng,
) -> Result<Enveloped<'a>, EncryptError> {
    let content = suite.content;
    if content.row().making != Standing::Accept {
        return Err(EncryptError::Cipher(content.row().name));
    }
    if recipients.is_empty() || recipients.len() > limits::RECIPIENT_INFOS {
        return Err(EncryptError::Recipients);
    }
    let mut key = Zeroizing::new(vec![0; content.key_length()]);
    rng.fill_bytes(&mut key);
    let mut iv = vec![0; content.iv_length()];
    rng.fill_bytes(&mut iv);
    let infos = recipients
        .iter()
        .map(|to| recipient_info(&to.0, suite, &key))
        .collect::<Result<Vec<_>, _>>()?;
    let tag_length = if content.authenticated() {
        GCM_TAG_OCTETS
    } else {
        0
    };
    let content = ContentParameters {
        algorithm: content,
        iv,
        tag_length,
    };
    let entity = Counted::measuring(entity)?;
    let before = envelope(infos, &content, entity.octets());
    let smime_type = if content.algorithm.authenticated() {
        "authEnveloped-data"
    } else {
        "enveloped-data"
    };
    Ok(Enveloped {
        fields: entity::pkcs7_fields(smime_type),
        body: Body {
            entity,
            content,
            key,
            before,
        },
    })
}

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENVELOPED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.3");
const AUTH_ENVELOPED_DATA: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.23");

/// All DER before the ciphertext (RFC 5652 section 6.1, RFC 5083 section 2.1).
fn envelope(infos: Vec<RecipientInfo>, content: &ContentParameters, octets: u64) -> Vec<u8> {
    let sealed = sealed_length(content.algorithm, octets);
    let (kind, version, tail) = if content.algorithm.authenticated() {
        (AUTH_ENVELOPED_DATA, 0, behind(content.algorithm))
    } else if infos.iter().all(|info| info.version == 0) {
        (ENVELOPED_DATA, 0, 0)
    } else {
        (ENVELOPED_DATA, 2, 0)
    };
    let infos = asn1::set_of(infos.into_iter().map(|info| info.der).collect());
    let content_info = [asn1::oid(&DATA), content.identifier().to_der()].concat();
    let mut head = asn1::header(tag::context(0), sealed);
    entity::wrap(&mut head, sealed, 0, tag::SEQUENCE, &content_info);
    entity::wrap(
        &mut head,
        sealed,
        tail,
        tag::SEQUENCE,
        &[asn1::small(version), infos].concat(),
    );
    entity::wrap(&mut head, sealed, tail, tag::context_constructed(0), &[]);
    entity::wrap(&mut head, sealed, tail, tag::SEQUENCE, &asn1::oid(&kind));
    head
}

struct RecipientInfo {
    version: u32,
    der: Vec<u8>,
}

fn recipient_info(
    certificate: &Certificate,
    suite: Suite,
    content_key: &[u8],
) -> Result<RecipientInfo, EncryptError> {
    certificate
        .may_encrypt()
        .map_err(|refusal| EncryptError::Usage {
            subject: certificate.subject_name(),
            refusal,
        })?;
    let public = certificate.public_key().ok_or(KeyError::WrongKind)?;
    match certificate.key_kind() {
        Some(PublicKeyKind::Rsa(_)) => {
            key_transport(certificate, suite.transport, public, content_key)
        }
        kind => {
            let derivation = derivation(kind, suite.agreement)?;
            key_agreement(certificate, derivation, public, content_key)
        }
    }
}

/// KeyTransRecipientInfo, version 0 (RFC 5652 section 6.2.1).
fn key_transport(
    certificate: &Certificate,
    transport: KeyTransport,
    public: &PublicKey,
    content_key: &[u8],
) -> Result<RecipientInfo, EncryptError> {
    let der = asn1::sequence(&[
        &asn1::small(0),
        &entity::issuer_and_serial(certificate),
        &transport.identifier().to_der(),
        &asn1::octet_string(&public.encrypt(transport, content_key)?),
    ]);
    Ok(RecipientInfo { version: 0, der })
}

/// KeyAgreeRecipientInfo, version 3 (RFC 5652 section 6.2.2, RFC 5753 section 3.1.1).
fn key_agreement(
    certificate: &Certificate,
    derivation: KeyDerivation,
    public: &PublicKey,
    content_key: &[u8],
) -> Result<RecipientInfo, EncryptError> {
    let agreement = KeyAgreement::new(derivation, KeyWrap::Aes256);
    let agreed = public.wrap_agreed(&agreement, content_key)?;
    let originator = originator_key(&agreed.originator_spki).map_err(|_| KeyError::Unreadable)?;
    let encrypted_key = asn1::sequence(&[
        &entity::issuer_and_serial(certificate),
        &asn1::octet_string(&agreed.wrapped),
    ]);
    let der = asn1::constructed(
        tag::context_constructed(1),
        &[
            &asn1::small(3),
            &asn1::tlv(tag::context_constructed(0), &originator),
            &agreement.identifier().to_der(),
            &asn1::sequence(&[&encrypted_key]),
        ],
    );
    Ok(RecipientInfo { version: 3, der })
}

/// The derivation with the digest asked for, else with the one that fits the curve (RFC 5753 section 8). X25519 goes with
/// HKDF (RFC 8551 section 2.3).
fn derivation(
    kind: Option<PublicKeyKind>,
    digest: Option<DigestAlgorithm>,
) -> Result<KeyDerivation, EncryptError> {
    let fitting = match kind {
        Some(PublicKeyKind::Ec(Curve::P384)) => DigestAlgorithm::Sha384,
        Some(PublicKeyKind::Ec(Curve::P521)) => DigestAlgorithm::Sha512,
        _ => DigestAlgorithm::Sha256,
    };
    let found = match (kind, digest.unwrap_or(fitting)) {
        (Some(PublicKeyKind::X25519), DigestAlgorithm::Sha256) => KeyDerivation::HkdfSha256,
        (Some(PublicKeyKind::X25519), DigestAlgorithm::Sha384) => KeyDerivation::HkdfSha384,
        (Some(PublicKeyKind::X25519), DigestAlgorithm::Sha512) => KeyDerivation::HkdfSha512,
        (_, digest) => KeyDerivation::X963(digest),
    };
    match found.row().making {
        Standing::Accept => Ok(found),
        _ => Err(EncryptError::Cipher(found.row().name)),
    }
}

/// OriginatorPublicKey as `[1]`: the algorithm without parameters, since the curve is the recipient's.
fn originator_key(spki: &[u8]) -> Result<Vec<u8>, asn1::Asn1Error> {
    let mut inside = asn1::read_only(spki, tag::SEQUENCE)?.inside();
    let oid = AlgorithmIdentifier::read(&mut inside)?.oid;
    let algorithm = AlgorithmIdentifier {
        oid,
        parameters: None,
    }
    .to_der();
    let key = inside.expect(tag::BIT_STRING)?.raw;
    Ok(asn1::constructed(
        tag::context_constructed(1),
        &[&algorithm, key],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Generate;
    use crate::decrypt::{Decryption, KeyPair, decrypt, recipients};
    use crate::key::{KeyKind, PrivateKey};
    use crate::maker::{self, TestRandom, Wanted, octets};
    use sealgate_mail::message::Message;

    fn pair(kind: KeyKind) -> KeyPair {
        let key = PrivateKey::generate(kind).unwrap();
        let certificate = Wanted::new(&format!("{kind:?}"), "CA", &key).by(&key);
        KeyPair { certificate, key }
    }

    fn of(content: ContentEncryption) -> Suite {
        Suite {
            content,
            ..Suite::default()
        }
    }

    #[test]
    fn every_recipient_opens_it_and_nobody_else() {
        let pairs = [KeyKind::Rsa2048, KeyKind::P256, KeyKind::P384].map(pair);
        let to: Vec<EncryptTo> = pairs
            .iter()
            .map(|pair| EncryptTo::new(&pair.certificate))
            .collect();
        let stranger = pair(KeyKind::P256);
        for length in [0, 1, 15, 16, 17, 100_000] {
            let entity = [
                b"Content-Type: text/plain\r\n\r\n".to_vec(),
                vec![b'x'; length],
            ]
            .concat();
            for content in ContentEncryption::ALL
                .into_iter()
                .filter(|c| c.row().making == Standing::Accept)
            {
                let mail = octets(&encrypt(&entity, &to, of(content), &mut TestRandom).unwrap());
                let message = Message::read(&mail).unwrap();
                assert_eq!(recipients(&message).unwrap().unwrap().len(), 3);
                for pair in &pairs {
                    let mut opened = Vec::new();
                    let result = decrypt(
                        &message,
                        &[&stranger, pair],
                        crate::algorithms::Switches::default(),
                        &mut opened,
                    )
                    .unwrap();
                    assert!(
                        matches!(result, Decryption::Opened(_)),
                        "{content:?} {result:?}"
                    );
                    assert_eq!(opened, entity);
                }
                assert_eq!(
                    decrypt(
                        &message,
                        &[&stranger],
                        crate::algorithms::Switches::default(),
                        &mut Vec::new()
                    )
                    .unwrap(),
                    Decryption::NoKey
                );
            }
        }
    }

    /// Every key and every way a content key can take to it.
    #[test]
    fn every_suite_reaches_every_key() {
        use DigestAlgorithm::{Sha1, Sha256, Sha384, Sha512};
        let oaep = |digest| KeyTransport::RsaOaep {
            digest,
            mgf: digest,
        };
        let transports = [Sha1, Sha256, Sha384, Sha512].map(oaep);
        let suites = transports.into_iter().chain([KeyTransport::RsaPkcs1]);
        let suites = suites.flat_map(|transport| {
            [None, Some(Sha256), Some(Sha384), Some(Sha512)].map(|agreement| Suite {
                transport,
                agreement,
                ..Suite::default()
            })
        });
        let keys = [
            Generate::Rsa(2048),
            Generate::Ec(Curve::P256),
            Generate::Ec(Curve::P384),
            Generate::Ec(Curve::P521),
            Generate::X25519,
        ];
        let issuer = maker::key();
        let pairs = keys.map(|kind| {
            let key = PrivateKey::of(kind);
            let certificate = Wanted::new(&format!("{kind:?}"), "CA", &key).by(&issuer);
            KeyPair { certificate, key }
        });
        let to: Vec<EncryptTo> = pairs
            .iter()
            .map(|pair| EncryptTo::new(&pair.certificate))
            .collect();
        let entity = b"Content-Type: text/plain\r\n\r\nhello\r\n".to_vec();
        for suite in suites {
            let mail = octets(&encrypt(&entity, &to, suite, &mut TestRandom).unwrap());
            let message = Message::read(&mail).unwrap();
            for pair in &pairs {
                let mut opened = Vec::new();
                let switches = crate::algorithms::Switches::default();
                let result = decrypt(&message, &[pair], switches, &mut opened).unwrap();
                assert!(
                    matches!(result, Decryption::Opened(_)),
                    "{suite:?} {pair:?}"
                );
                assert_eq!(opened, entity);
            }
        }
    }

    #[test]
    fn keys_that_only_sign_and_brainpool_get_nothing() {
        let rsa = PrivateKey::of(Generate::Rsa(2048));
        let (issuer, entity) = (maker::key(), b"\r\n".to_vec());
        for key in [
            rsa.pss(None),
            PrivateKey::of(Generate::Ed25519),
            PrivateKey::brainpool(Curve::BrainpoolP256, &[3; 32]),
        ] {
            let certificate = Wanted::new("S", "CA", &key).by(&issuer);
            let to = [EncryptTo::new(&certificate)];
            let refused = encrypt(&entity, &to, Suite::default(), &mut TestRandom);
            let refused = refused.err().unwrap();
            assert!(
                matches!(
                    refused,
                    EncryptError::Usage {
                        refusal: UsageRefusal::KeyKind,
                        ..
                    }
                ),
                "{refused}"
            );
        }
        let pair = pair(KeyKind::P256);
        let old = Suite {
            agreement: Some(DigestAlgorithm::Sha1),
            ..Suite::default()
        };
        let to = [EncryptTo::new(&pair.certificate)];
        let refused = encrypt(&entity, &to, old, &mut TestRandom);
        assert!(matches!(refused.err().unwrap(), EncryptError::Cipher(_)));
    }

    /// A certificate may say that its key only signs where the private key at hand does not.
    #[test]
    fn a_key_restricted_to_pss_decrypts_nothing() {
        let (issuer, key) = (maker::key(), PrivateKey::of(Generate::Rsa(2048)));
        let made = |key: &PrivateKey| {
            let mut wanted = Wanted::new("R", "CA", key);
            wanted.serial = Some(vec![7]);
            wanted.by(&issuer)
        };
        let (plain, restricted) = (made(&key), made(&key.pss(None)));
        let to = [EncryptTo::new(&plain)];
        let entity = b"\r\nhello\r\n".to_vec();
        let mail = encrypt(&entity, &to, Suite::default(), &mut TestRandom).unwrap();
        let mail = octets(&mail);
        let message = Message::read(&mail).unwrap();
        for (certificate, opens) in [(plain, true), (restricted, false)] {
            let key = key.clone();
            let pair = KeyPair { certificate, key };
            let switches = crate::algorithms::Switches::default();
            let result = decrypt(&message, &[&pair], switches, &mut Vec::new()).unwrap();
            assert_eq!(matches!(result, Decryption::Opened(_)), opens, "{result:?}");
            assert!(opens || matches!(result, Decryption::Failed(Some(_))));
        }
    }

    #[test]
    fn refused_recipients_and_ciphers() {
        let pair = pair(KeyKind::P256);
        let entity = b"\r\n".to_vec();
        let refused = |to: &[EncryptTo], content| {
            encrypt(&entity, to, of(content), &mut TestRandom)
                .err()
                .unwrap()
        };
        let good = EncryptTo::new(&pair.certificate);
        assert!(matches!(
            refused(&[], ContentEncryption::default()),
            EncryptError::Recipients
        ));
        assert!(matches!(
            refused(&[good], ContentEncryption::TripleDesCbc),
            EncryptError::Cipher(_)
        ));
        let signing = Wanted::new("S", "CA", &pair.key)
            .with(maker::key_usage(0b1000_0000))
            .by(&pair.key);
        let refusal = refused(&[EncryptTo::new(&signing)], ContentEncryption::default());
        assert!(matches!(
            refusal,
            EncryptError::Usage {
                refusal: UsageRefusal::KeyUsage,
                ..
            }
        ));
    }

    #[test]
    fn a_message_that_changes_its_length_is_not_written() {
        struct Growing(std::cell::Cell<usize>);
        impl Source for Growing {
            fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
                self.0.set(self.0.get() + 1);
                out.write_all(&vec![b'x'; self.0.get()])
            }
        }
        let growing = Growing(std::cell::Cell::new(0));
        let to = [EncryptTo::new(&pair(KeyKind::P256).certificate)];
        let enveloped = encrypt(&growing, &to, Suite::default(), &mut TestRandom).unwrap();
        assert!(enveloped.write_to(&mut Vec::new()).is_err());
    }
}
