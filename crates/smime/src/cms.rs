//! The CMS skeleton (RFC 5652, RFC 5083) read from a stream: small structures are captured and parsed, content is left
//! to be streamed by the caller. Nothing here judges; that is done in `verify` and `decrypt`.

use crate::algorithms::AlgorithmIdentifier;
use crate::asn1::{self, Reader, tag};
use crate::ber::BerReader;
use crate::certificate::Certificate;
use crate::error::ReadError;
use crate::limits;
use crate::name::DistinguishedName;
use const_oid::ObjectIdentifier;
use std::io::Read;

type Result<T> = std::result::Result<T, ReadError>;

/// What a CMS object, or the content inside one, is (RFC 5652 section 3 and following).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType {
    /// Plain octets, in S/MIME a MIME entity.
    Data,
    /// RFC 5652 section 5.
    SignedData,
    /// RFC 5652 section 6.
    EnvelopedData,
    /// RFC 5083.
    AuthEnvelopedData,
    /// RFC 3274.
    CompressedData,
    /// Any other.
    Other,
}

impl ContentType {
    /// By the content octets of its object identifier.
    pub fn from_oid(octets: &[u8]) -> Self {
        match octets {
            // 1.2.840.113549.1.7.x
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1] => Self::Data,
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2] => Self::SignedData,
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 3] => Self::EnvelopedData,
            // 1.2.840.113549.1.9.16.1.x
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 1, 23] => Self::AuthEnvelopedData,
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 1, 9] => Self::CompressedData,
            _ => Self::Other,
        }
    }
}

/// How a SignerInfo or RecipientInfo names a certificate (RFC 5652 sections 5.3 and 6.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CertificateId {
    /// Issuer name as DER and the content octets of the serial number.
    IssuerSerial {
        /// The issuer's Name, DER.
        issuer_der: Vec<u8>,
        /// The serial number's content octets.
        serial: Vec<u8>,
    },
    /// The subject key identifier.
    KeyId(Vec<u8>),
    /// No certificate: a password, a shared key or a form of a later standard.
    Other,
}

impl CertificateId {
    /// Whether `certificate` is the one named.
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerSerial { issuer_der, serial } => {
                trim_zeros(serial) == trim_zeros(certificate.serial())
                    && is_issuer(issuer_der, certificate)
            }
            Self::KeyId(id) => certificate
                .subject_key_id()
                .is_some_and(|own| own == id.as_slice()),
            Self::Other => false,
        }
    }

    /// `IssuerAndSerialNumber` content.
    pub(crate) fn issuer_serial(mut inside: Reader<'_>) -> Result<Self> {
        let issuer = inside.expect(tag::SEQUENCE)?;
        let serial = inside.expect(tag::INTEGER)?;
        inside.finish()?;
        Ok(Self::IssuerSerial {
            issuer_der: issuer.raw.to_vec(),
            serial: serial.content.to_vec(),
        })
    }

    /// `IssuerAndSerialNumber` or `[0] IMPLICIT SubjectKeyIdentifier`.
    fn parse(from: &mut Reader<'_>) -> Result<Self> {
        match from.optional(tag::context(0))? {
            Some(id) => Ok(Self::KeyId(id.content.to_vec())),
            None => Self::issuer_serial(from.expect(tag::SEQUENCE)?.inside()),
        }
    }
}

/// RFC 5280 section 7.1: some programs write a name anew, with other string types.
fn is_issuer(name: &[u8], certificate: &Certificate) -> bool {
    name == certificate.issuer_der()
        || DistinguishedName::from_der(name)
            .is_ok_and(|name| name.normal() == certificate.issuer().normal())
}

/// A serial number's octets without those that only carry the sign or were put in front needlessly.
fn trim_zeros(serial: &[u8]) -> &[u8] {
    let zeros = serial.iter().take_while(|octet| **octet == 0).count();
    serial.get(zeros..).unwrap_or_default()
}

/// Signed attributes of a SignerInfo.
#[derive(Clone, Debug)]
pub struct Attributes {
    der: Vec<u8>,
    list: Vec<Attribute>,
}

#[derive(Clone, Debug)]
struct Attribute {
    oid: ObjectIdentifier,
    values: Vec<Vec<u8>>,
}

impl Attributes {
    /// From the content octets of the `[n] IMPLICIT SET OF Attribute`.
    pub(crate) fn parse(content: &[u8]) -> Result<Self> {
        let mut list = Vec::new();
        let mut inside = Reader::new(content);
        while !inside.is_empty() {
            if list.len() >= limits::ATTRIBUTES {
                return Err(ReadError::limit("attributes of a signer"));
            }
            list.push(Attribute::parse(&mut inside)?);
        }
        // RFC 5652 section 5.4: hashed with the tag of SET OF, not with the implicit one.
        Ok(Self {
            der: asn1::tlv(tag::SET, content),
            list,
        })
    }

    /// The octets a signature over these attributes covers.
    pub fn signed_octets(&self) -> &[u8] {
        &self.der
    }

    /// The single value (as DER) of the attribute with this object identifier; `None` if absent.
    /// Twice the attribute, or not exactly one value, is malformed (RFC 5652 sections 11.1 to 11.3).
    pub fn single(&self, oid: &ObjectIdentifier) -> Result<Option<&[u8]>> {
        let mut found = self.list.iter().filter(|attribute| attribute.oid == *oid);
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some(attribute), None) => match attribute.values.as_slice() {
                [value] => Ok(Some(value)),
                _ => Err(ReadError::malformed(
                    "an attribute that does not have one value",
                )),
            },
            _ => Err(ReadError::malformed("an attribute that stands twice")),
        }
    }
}

impl Attribute {
    fn parse(from: &mut Reader<'_>) -> Result<Self> {
        let mut inside = from.expect(tag::SEQUENCE)?.inside();
        let oid = inside.expect(tag::OID)?.oid()?;
        let mut set = inside.expect(tag::SET)?.inside();
        inside.finish()?;
        let mut values = Vec::new();
        while !set.is_empty() {
            values.push(set.any()?.raw.to_vec());
        }
        Ok(Self { oid, values })
    }
}

/// A SignerInfo (RFC 5652 section 5.3).
#[derive(Clone, Debug)]
pub struct SignerInfo {
    /// The signer's certificate.
    pub signer: CertificateId,
    /// The algorithm of the content's digest.
    pub digest: AlgorithmIdentifier,
    /// The signed attributes.
    pub signed_attributes: Option<Attributes>,
    /// The algorithm of the signature.
    pub signature_algorithm: AlgorithmIdentifier,
    /// The signature.
    pub signature: Vec<u8>,
}

impl SignerInfo {
    fn parse(der: &[u8]) -> Result<Self> {
        let mut inside = Reader::new(der).expect(tag::SEQUENCE)?.inside();
        inside.expect(tag::INTEGER)?;
        let signer = CertificateId::parse(&mut inside)?;
        let digest = AlgorithmIdentifier::read(&mut inside)?;
        let signed = inside.optional(tag::context_constructed(0))?;
        let signed_attributes = signed
            .map(|set| Attributes::parse(set.content))
            .transpose()?;
        let signature_algorithm = AlgorithmIdentifier::read(&mut inside)?;
        let signature = inside.expect(tag::OCTET_STRING)?.content.to_vec();
        inside.optional(tag::context_constructed(1))?;
        inside.finish()?;
        Ok(Self {
            signer,
            digest,
            signed_attributes,
            signature_algorithm,
            signature,
        })
    }
}

/// Opens a ContentInfo (RFC 5652 section 3): the reader stands before the content, whose type is given.
/// Octets after the ContentInfo are not looked at.
pub fn open<R: Read>(input: R) -> Result<(BerReader<R>, ContentType)> {
    let mut reader = BerReader::new(input);
    reader.enter(tag::SEQUENCE, "a ContentInfo")?;
    let content_type = read_oid(&mut reader)?;
    reader.enter(tag::context_constructed(0), "the content of a ContentInfo")?;
    Ok((reader, ContentType::from_oid(&content_type)))
}

fn read_oid<R: Read>(reader: &mut BerReader<R>) -> Result<Vec<u8>> {
    reader.expect(tag::OID, "a content type")?;
    let der = reader.capture(limits::SMALL_OCTETS)?;
    Ok(Reader::new(&der).any()?.content.to_vec())
}

fn read_algorithm<R: Read>(reader: &mut BerReader<R>) -> Result<AlgorithmIdentifier> {
    Ok(AlgorithmIdentifier::from_der(
        &reader.capture(limits::ALGORITHM_OCTETS)?,
    )?)
}

fn skip_version<R: Read>(reader: &mut BerReader<R>) -> Result<()> {
    reader.expect(tag::INTEGER, "the version of a CMS object")?;
    reader.skip()
}

/// Leaves the element we are in, in which nothing more may follow: another reader might take what follows for the content.
fn leave_at_end<R: Read>(reader: &mut BerReader<R>) -> Result<()> {
    if reader.peek()?.is_some() {
        return Err(ReadError::malformed("an unknown element in a CMS object"));
    }
    reader.leave()
}

/// Leaves the content, its `[0]` and the ContentInfo, so that missing ends are noticed.
fn close<R: Read>(reader: &mut BerReader<R>) -> Result<()> {
    (0..3).try_for_each(|_| leave_at_end(reader))
}

/// What stands in a SignedData before its content.
#[derive(Clone, Debug)]
pub struct SignedHead {
    /// The digests that signers use.
    pub digests: Vec<AlgorithmIdentifier>,
    /// The type of the signed content.
    pub content_type: ContentType,
    /// The content octets of its object identifier.
    pub content_type_oid: Vec<u8>,
    /// Whether the content is inside; the reader then stands in its string, which must be read to its end.
    pub has_content: bool,
}

/// What stands in a SignedData after its content.
#[derive(Clone, Debug)]
pub struct SignedTail {
    /// The certificates as received.
    pub certificates: Vec<Vec<u8>>,
    /// The signers.
    pub signers: Vec<SignerInfo>,
}

/// Reads a SignedData up to its content (RFC 5652 section 5.1).
pub fn signed_head<R: Read>(reader: &mut BerReader<R>) -> Result<SignedHead> {
    reader.enter(tag::SEQUENCE, "a SignedData")?;
    skip_version(reader)?;
    reader.enter(tag::SET, "digest algorithms")?;
    let mut digests = Vec::new();
    while reader.peek()?.is_some() {
        if digests.len() >= limits::DIGEST_ALGORITHMS {
            return Err(ReadError::limit("digest algorithms"));
        }
        digests.push(read_algorithm(reader)?);
    }
    reader.leave()?;
    reader.enter(tag::SEQUENCE, "signed content")?;
    let content_type_oid = read_oid(reader)?;
    let has_content = reader.is_next(tag::context_constructed(0))?;
    if has_content {
        reader.enter(tag::context_constructed(0), "signed content")?;
        reader.begin_string(tag::OCTET_STRING, "signed content that is no OCTET STRING")?;
    }
    let content_type = ContentType::from_oid(&content_type_oid);
    Ok(SignedHead {
        digests,
        content_type,
        content_type_oid,
        has_content,
    })
}

/// Reads the rest of a SignedData once its content was read; revocation lists in it are skipped.
pub fn signed_tail<R: Read>(reader: &mut BerReader<R>, has_content: bool) -> Result<SignedTail> {
    if has_content {
        leave_at_end(reader)?;
    }
    leave_at_end(reader)?;
    let certificates = read_certificates(reader)?;
    if reader.is_next(tag::context_constructed(1))? {
        reader.skip()?;
    }
    reader.enter(tag::SET, "signers")?;
    let mut signers = Vec::new();
    while reader.peek()?.is_some() {
        if signers.len() >= limits::SIGNER_INFOS {
            return Err(ReadError::limit("signers"));
        }
        signers.push(SignerInfo::parse(
            &reader.capture(limits::SIGNER_INFO_OCTETS)?,
        )?);
    }
    reader.leave()?;
    close(reader)?;
    Ok(SignedTail {
        certificates,
        signers,
    })
}

/// RFC 5652 section 10.2.2: only X.509 certificates are of use, attribute certificates and others are skipped.
fn read_certificates<R: Read>(reader: &mut BerReader<R>) -> Result<Vec<Vec<u8>>> {
    let mut certificates = Vec::new();
    if !reader.is_next(tag::context_constructed(0))? {
        return Ok(certificates);
    }
    let (mut count, mut octets) = (0usize, 0usize);
    reader.enter(tag::context_constructed(0), "certificates")?;
    while let Some(header) = reader.peek()? {
        count = count.saturating_add(1);
        if header.tag() == tag::SEQUENCE {
            let certificate = reader.capture_raw(limits::CERTIFICATE_OCTETS)?;
            octets = octets.saturating_add(certificate.len());
            certificates.push(certificate);
        } else {
            reader.skip()?;
        }
        if count > limits::CERTIFICATES || octets > limits::CERTIFICATES_OCTETS {
            return Err(ReadError::limit("certificates"));
        }
    }
    reader.leave()?;
    Ok(certificates)
}

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

/// Reads an EnvelopedData or AuthEnvelopedData up to the end of its RecipientInfos (RFC 5652 section 6.1, RFC 5083
/// section 2.1), giving each to `each`.
pub fn recipient_infos<R: Read>(
    reader: &mut BerReader<R>,
    each: &mut dyn FnMut(RecipientInfo),
) -> Result<()> {
    reader.enter(tag::SEQUENCE, "an EnvelopedData")?;
    skip_version(reader)?;
    if reader.is_next(tag::context_constructed(0))? {
        reader.skip()?;
    }
    reader.enter(tag::SET, "recipients")?;
    let (mut count, mut octets) = (0usize, 0usize);
    while reader.peek()?.is_some() {
        let der = reader.capture(limits::RECIPIENT_INFO_OCTETS)?;
        octets = octets.saturating_add(der.len());
        let info = RecipientInfo::parse(&der)?;
        count = count.saturating_add(match &info {
            RecipientInfo::KeyAgreement(agreement) => agreement.keys.len().max(1),
            _ => 1,
        });
        if count > limits::RECIPIENT_INFOS || octets > limits::RECIPIENT_INFOS_OCTETS {
            return Err(ReadError::limit("recipients"));
        }
        each(info);
    }
    if count == 0 {
        return Err(ReadError::malformed("no recipients"));
    }
    reader.leave()
}

/// Reads on to the encrypted content, in whose string the reader then stands; gives the content encryption algorithm.
pub fn encrypted_head<R: Read>(reader: &mut BerReader<R>) -> Result<AlgorithmIdentifier> {
    reader.enter(tag::SEQUENCE, "encrypted content")?;
    read_oid(reader)?;
    let algorithm = read_algorithm(reader)?;
    reader.begin_string(tag::context(0), "encrypted content")?;
    Ok(algorithm)
}

/// What follows the encrypted content of an AuthEnvelopedData.
#[derive(Clone, Debug)]
pub struct Authentication {
    /// The authenticated attributes as they are authenticated (RFC 5083 section 2.2): empty if there are none.
    pub attributes: Vec<u8>,
    /// The authentication tag.
    pub tag: Vec<u8>,
}

/// Reads the rest of an EnvelopedData once its content was read.
pub fn enveloped_tail<R: Read>(reader: &mut BerReader<R>) -> Result<()> {
    leave_at_end(reader)?;
    if reader.is_next(tag::context_constructed(1))? {
        reader.skip()?;
    }
    close(reader)
}

/// Reads the rest of an AuthEnvelopedData once its content was read.
pub fn auth_enveloped_tail<R: Read>(reader: &mut BerReader<R>) -> Result<Authentication> {
    leave_at_end(reader)?;
    let mut attributes = Vec::new();
    if reader.is_next(tag::context_constructed(1))? {
        let der = reader.capture(limits::AUTH_ATTRIBUTES_OCTETS)?;
        attributes = asn1::tlv(tag::SET, Reader::new(&der).any()?.content);
    }
    let der = reader.capture(limits::SMALL_OCTETS)?;
    let tag = Reader::new(&der)
        .expect(tag::OCTET_STRING)?
        .content
        .to_vec();
    if reader.is_next(tag::context_constructed(2))? {
        reader.skip()?;
    }
    close(reader)?;
    Ok(Authentication { attributes, tag })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(content_info: &[u8]) -> Result<bool> {
        let (mut reader, _) = open(content_info)?;
        let head = signed_head(&mut reader)?;
        reader.string_to(&mut |_| Ok(()))?;
        signed_tail(&mut reader, head.has_content).map(|_| head.has_content)
    }

    /// Row C4: readers could differ in which of two contents they take.
    #[test]
    fn c4_nothing_stands_beside_the_content() {
        let data = asn1::tlv(tag::OID, &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1]);
        let signed = asn1::tlv(tag::OID, &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2]);
        let explicit = |inside: &[u8]| asn1::tlv(tag::context_constructed(0), inside);
        let (one, two) = (asn1::octet_string(b"one"), asn1::octet_string(b"two"));
        let primitive = asn1::tlv(tag::context(0), b"one");
        for (contents, expected) in [
            (vec![], Some(false)),
            (vec![explicit(&one)], Some(true)),
            (vec![explicit(&[one.clone(), two.clone()].concat())], None),
            (vec![explicit(&one), explicit(&two)], None),
            (vec![primitive], None),
            (vec![one.clone()], None),
        ] {
            let content = asn1::sequence(&[&data, &contents.concat()]);
            let empty = asn1::tlv(tag::SET, &[]);
            let whole = asn1::sequence(&[&asn1::small(1), &empty, &content, &empty]);
            let content_info = asn1::sequence(&[&signed, &explicit(&whole)]);
            assert_eq!(read(&content_info).ok(), expected, "{contents:02x?}");
        }
    }
}
