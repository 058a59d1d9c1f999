//! RecipientInfos (RFC 5652 section 6.2): whom a content key is for, and how it is protected.

use super::{CertificateId, Result};
use crate::algorithms::AlgorithmIdentifier;
use crate::asn1::{Reader, tag};
use crate::error::ReadError;

/// A RecipientInfo (RFC 5652 section 6.2).
#[derive(Clone, Debug)]
pub enum RecipientInfo {
    /// The content key is encrypted to a public key.
    KeyTransport(KeyTransport),
    /// The content key is wrapped by an agreed key.
    KeyAgreement(KeyAgreement),
    /// Passwords, shared keys, later forms.
    Other,
}

/// KeyTransRecipientInfo (RFC 5652 section 6.2.1).
#[derive(Clone, Debug)]
pub struct KeyTransport {
    /// Whose certificate.
    pub recipient: CertificateId,
    /// How the content key is encrypted.
    pub algorithm: AlgorithmIdentifier,
    /// The encrypted content key.
    pub encrypted_key: Vec<u8>,
}

/// KeyAgreeRecipientInfo (RFC 5652 section 6.2.2).
#[derive(Clone, Debug)]
pub struct KeyAgreement {
    /// The sender's ephemeral public key; `None` if a certificate of the sender is named instead.
    pub originator: Option<OriginatorKey>,
    /// User keying material.
    pub ukm: Option<Vec<u8>>,
    /// The key agreement; its parameters are the key wrap algorithm.
    pub algorithm: AlgorithmIdentifier,
    /// Whose certificates, each with the wrapped content key.
    pub keys: Vec<(CertificateId, Vec<u8>)>,
}

/// OriginatorPublicKey (RFC 5652 section 6.2.2).
#[derive(Clone, Debug)]
pub struct OriginatorKey {
    /// The kind of key; its parameters may name the curve or be absent (RFC 5753 section 3.1.1).
    pub algorithm: AlgorithmIdentifier,
    /// The public key octets.
    pub public_key: Vec<u8>,
}

impl RecipientInfo {
    /// From the normalised encoding of one RecipientInfo.
    pub fn parse(der: &[u8]) -> Result<Self> {
        let whole = Reader::new(der).any()?;
        match whole.tag {
            tag::SEQUENCE => Ok(Self::KeyTransport(KeyTransport::parse(whole.inside())?)),
            found if found == tag::context_constructed(1) => {
                Ok(Self::KeyAgreement(KeyAgreement::parse(whole.inside())?))
            }
            found
                if (tag::context_constructed(2)..=tag::context_constructed(4)).contains(&found) =>
            {
                Ok(Self::Other)
            }
            _ => Err(ReadError::malformed("a RecipientInfo")),
        }
    }

    /// The recipients named in it.
    pub fn recipients(&self) -> Vec<CertificateId> {
        match self {
            Self::KeyTransport(transport) => vec![transport.recipient.clone()],
            Self::KeyAgreement(agreement) => {
                agreement.keys.iter().map(|(id, _)| id.clone()).collect()
            }
            Self::Other => vec![CertificateId::Other],
        }
    }
}

impl KeyTransport {
    fn parse(mut inside: Reader<'_>) -> Result<Self> {
        inside.expect(tag::INTEGER)?;
        let recipient = CertificateId::parse(&mut inside)?;
        let algorithm = AlgorithmIdentifier::read(&mut inside)?;
        let encrypted_key = inside.expect(tag::OCTET_STRING)?.content.to_vec();
        inside.finish()?;
        Ok(Self {
            recipient,
            algorithm,
            encrypted_key,
        })
    }
}

impl KeyAgreement {
    fn parse(mut inside: Reader<'_>) -> Result<Self> {
        inside.expect(tag::INTEGER)?;
        let originator =
            OriginatorKey::parse(inside.expect(tag::context_constructed(0))?.inside())?;
        let ukm = match inside.optional(tag::context_constructed(1))? {
            Some(ukm) => Some(ukm.inside().expect(tag::OCTET_STRING)?.content.to_vec()),
            None => None,
        };
        let algorithm = AlgorithmIdentifier::read(&mut inside)?;
        let mut list = inside.expect(tag::SEQUENCE)?.inside();
        inside.finish()?;
        let mut keys = Vec::new();
        while !list.is_empty() {
            keys.push(Self::encrypted_key(list.expect(tag::SEQUENCE)?.inside())?);
        }
        Ok(Self {
            originator,
            ukm,
            algorithm,
            keys,
        })
    }

    /// RecipientEncryptedKey; its identifier is `IssuerAndSerialNumber` or `[0] IMPLICIT RecipientKeyIdentifier`.
    fn encrypted_key(mut inside: Reader<'_>) -> Result<(CertificateId, Vec<u8>)> {
        let id = match inside.optional(tag::context_constructed(0))? {
            Some(id) => {
                CertificateId::KeyId(id.inside().expect(tag::OCTET_STRING)?.content.to_vec())
            }
            None => CertificateId::issuer_serial(inside.expect(tag::SEQUENCE)?.inside())?,
        };
        let key = inside.expect(tag::OCTET_STRING)?.content.to_vec();
        inside.finish()?;
        Ok((id, key))
    }
}

impl OriginatorKey {
    /// OriginatorIdentifierOrKey.
    fn parse(mut inside: Reader<'_>) -> Result<Option<Self>> {
        let Some(key) = inside.optional(tag::context_constructed(1))? else {
            return Ok(None);
        };
        let mut key = key.inside();
        let algorithm = AlgorithmIdentifier::read(&mut key)?;
        let bits = key.expect(tag::BIT_STRING)?;
        match bits.content.split_first() {
            Some((0, public_key)) => Ok(Some(Self {
                algorithm,
                public_key: public_key.to_vec(),
            })),
            _ => Err(ReadError::malformed("an originator's public key")),
        }
    }
}
