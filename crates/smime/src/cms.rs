//! The CMS skeleton (RFC 5652, RFC 5083) read from a stream: small structures are captured and parsed, content is left
//! to be streamed by the caller. Nothing here judges; that is done in `verify` and `decrypt`.

use crate::algorithms::{AlgorithmIdentifier, DigestAlgorithm};
use crate::asn1::{self, Reader, tag};
use crate::aws::Digest;
use crate::ber::BerReader;
use crate::certificate::Certificate;
use crate::error::ReadError;
use crate::limits;
use crate::name::DistinguishedName;
use const_oid::ObjectIdentifier;
use std::io::Read;

mod recipient;

pub use recipient::{KeyAgreement, KeyTransport, OriginatorKey, RecipientInfo};

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
            // RFC 5280 section 4.2.1.2: a certificate without the extension is named by the hash of its key.
            Self::KeyId(id) => match certificate.subject_key_id() {
                Some(own) => own == id.as_slice(),
                None => key_hash(certificate).is_some_and(|own| own == *id),
            },
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
        if let Some(id) = from.optional(tag::context(0))? {
            return Ok(Self::KeyId(id.content.to_vec()));
        }
        match from.optional(tag::context_constructed(0))? {
            Some(id) => Ok(Self::KeyId(joined(id.inside())?)),
            None => Self::issuer_serial(from.expect(tag::SEQUENCE)?.inside()),
        }
    }
}

/// The octets of an implicitly tagged OCTET STRING that was sent in segments (X.690 section 8.7.3).
fn joined(mut segments: Reader<'_>) -> Result<Vec<u8>> {
    let mut octets = Vec::new();
    while !segments.is_empty() {
        octets.extend_from_slice(segments.expect(tag::OCTET_STRING)?.content);
    }
    Ok(octets)
}

/// The SHA-1 of the public key's octets (RFC 5280 section 4.2.1.2, method 1).
fn key_hash(certificate: &Certificate) -> Option<Vec<u8>> {
    let mut spki = asn1::read_only(certificate.spki_der(), tag::SEQUENCE)
        .ok()?
        .inside();
    spki.expect(tag::SEQUENCE).ok()?;
    let key = spki.expect(tag::BIT_STRING).ok()?.bit_string().ok()?;
    Some(Digest::of(DigestAlgorithm::Sha1, key))
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

/// Signed or authenticated attributes.
#[derive(Clone, Debug)]
pub struct Attributes {
    /// In the order in which they were sent.
    sent: Vec<u8>,
    /// In the order of DER.
    der: Vec<u8>,
    list: Vec<Attribute>,
}

#[derive(Clone, Debug)]
struct Attribute {
    oid: ObjectIdentifier,
    values: Vec<Vec<u8>>,
    der: Vec<u8>,
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
        let der = list.iter().map(|attribute| attribute.der.clone());
        Ok(Self {
            sent: asn1::tlv(tag::SET, content),
            der: asn1::set_of(der.collect()),
            list,
        })
    }

    /// The octets a signature over these attributes may cover: their DER (RFC 5652 section 5.4), and where they were sent in
    /// another order, what was sent, since some programs sign that.
    pub fn signed_octets(&self) -> impl Iterator<Item = &[u8]> {
        let sent = (self.sent != self.der).then_some(self.sent.as_slice());
        std::iter::once(self.der.as_slice()).chain(sent)
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
        let name = inside.expect(tag::OID)?;
        let mut set = inside.expect(tag::SET)?.inside();
        inside.finish()?;
        let mut values = Vec::new();
        while !set.is_empty() {
            values.push(set.any()?.raw.to_vec());
        }
        Ok(Self {
            oid: name.oid()?,
            der: asn1::sequence(&[name.raw, &asn1::set_of(values.clone())]),
            values,
        })
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
        check_version(&mut inside)?;
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
    let der = reader.capture(limits::SMALL_OCTETS)?;
    check_version(&mut Reader::new(&der))
}

/// A version may be any: programs write others than the standard asks for.
fn check_version(from: &mut Reader<'_>) -> Result<()> {
    match from.expect(tag::INTEGER)?.content {
        [] => Err(ReadError::malformed("a version without a number")),
        _ => Ok(()),
    }
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
    /// Revocation lists sent along, as received.
    pub lists: Vec<Vec<u8>>,
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

/// Reads the rest of a SignedData once its content was read.
pub fn signed_tail<R: Read>(reader: &mut BerReader<R>, has_content: bool) -> Result<SignedTail> {
    if has_content {
        leave_at_end(reader)?;
    }
    leave_at_end(reader)?;
    let certificates = read_certificates(reader)?;
    let lists = read_lists(reader)?;
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
        lists,
        signers,
    })
}

/// RFC 5652 section 10.2.1: X.509 lists of a size that is sent along. Others are skipped, since nothing depends on them.
fn read_lists<R: Read>(reader: &mut BerReader<R>) -> Result<Vec<Vec<u8>>> {
    let mut lists: Vec<Vec<u8>> = Vec::new();
    if !reader.is_next(tag::context_constructed(1))? {
        return Ok(lists);
    }
    reader.enter(tag::context_constructed(1), "revocation lists")?;
    while let Some(header) = reader.peek()? {
        let small = header
            .length()
            .is_some_and(|length| length <= limits::SENT_LIST_OCTETS);
        if header.tag() == tag::SEQUENCE && small && lists.len() < limits::SENT_LISTS {
            lists.push(reader.capture_raw(limits::CERTIFICATES_OCTETS)?);
        } else {
            reader.skip()?;
        }
    }
    reader.leave()?;
    Ok(lists)
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
    /// The authenticated attributes as they are authenticated (RFC 5083 section 2.2), in DER: empty if there are none.
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
        attributes = Attributes::parse(Reader::new(&der).any()?.content)?.der;
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

/// id-alg-zlibCompress (RFC 3274 section 2).
const ZLIB: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.3.8");

/// Reads a CompressedData (RFC 3274 section 1.1) up to its content, in whose string the reader then stands. The content is
/// compressed by zlib and plain octets inside; anything else is refused.
pub fn compressed_head<R: Read>(reader: &mut BerReader<R>) -> Result<()> {
    reader.enter(tag::SEQUENCE, "a CompressedData")?;
    skip_version(reader)?;
    if read_algorithm(reader)?.oid != ZLIB {
        return Err(ReadError::malformed("an unknown compression"));
    }
    reader.enter(tag::SEQUENCE, "compressed content")?;
    if ContentType::from_oid(&read_oid(reader)?) != ContentType::Data {
        return Err(ReadError::malformed(
            "compressed content that is no MIME entity",
        ));
    }
    reader.enter(tag::context_constructed(0), "compressed content")?;
    reader.begin_string(tag::OCTET_STRING, "compressed content")
}

/// Reads the rest of a CompressedData once its content was read.
pub fn compressed_tail<R: Read>(reader: &mut BerReader<R>) -> Result<()> {
    leave_at_end(reader)?;
    leave_at_end(reader)?;
    close(reader)
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

    /// RFC 5083 section 2.2: the DER of the attributes is authenticated, in whatever order they were sent.
    #[test]
    fn authenticated_attributes_are_in_the_order_of_der() {
        let attribute = |last: u8| {
            let oid = asn1::tlv(tag::OID, &[0x2A, last]);
            asn1::sequence(&[&oid, &asn1::tlv(tag::SET, &asn1::small(u32::from(last)))])
        };
        let (one, two) = (attribute(1), attribute(2));
        let oid = |octets: &[u8]| asn1::tlv(tag::OID, octets);
        let explicit = |n: u8, inside: &[u8]| asn1::tlv(tag::context_constructed(n), inside);
        let recipient = explicit(4, &[oid(&[0x2A, 3]), asn1::null()].concat());
        let content = asn1::sequence(&[
            &oid(&[0x2A, 4]),
            &asn1::sequence(&[&oid(&[0x2A, 5])]),
            &asn1::tlv(tag::context(0), b"content"),
        ]);
        for sent in [[&one, &two], [&two, &one]] {
            let whole = asn1::sequence(&[
                &asn1::small(0),
                &asn1::tlv(tag::SET, &recipient),
                &content,
                &explicit(1, &sent.map(Vec::as_slice).concat()),
                &asn1::octet_string(b"tag"),
            ]);
            let content_info = asn1::sequence(&[&oid(&[0x2A, 6]), &explicit(0, &whole)]);
            let (mut reader, _) = open(content_info.as_slice()).unwrap();
            recipient_infos(&mut reader, &mut |_| ()).unwrap();
            encrypted_head(&mut reader).unwrap();
            reader.string_to(&mut |_| Ok(())).unwrap();
            let authentication = auth_enveloped_tail(&mut reader).unwrap();
            let expected = asn1::tlv(tag::SET, &[one.clone(), two.clone()].concat());
            assert_eq!(authentication.attributes, expected);
            assert_eq!(authentication.tag, b"tag");
        }
    }

    #[test]
    fn a_version_is_a_number() {
        let signed = asn1::tlv(tag::OID, &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2]);
        let data = asn1::tlv(tag::OID, &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1]);
        let empty = asn1::tlv(tag::SET, &[]);
        for (version, expected) in [
            (&[1][..], true),
            (&[0, 1], true),
            (&[0xff], true),
            (&[], false),
        ] {
            let version = asn1::tlv(tag::INTEGER, version);
            let whole = asn1::sequence(&[&version, &empty, &asn1::sequence(&[&data]), &empty]);
            let explicit = asn1::tlv(tag::context_constructed(0), &whole);
            let content_info = asn1::sequence(&[&signed, &explicit]);
            assert_eq!(read(&content_info).is_ok(), expected, "{version:02x?}");
        }
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
