//! What a message's top entity is (decision A28 of the requirements): by media type and by the content type inside the
//! CMS object, never by the `smime-type` parameter.

use crate::algorithms::{AlgorithmIdentifier, ContentEncryption};
use crate::ber::{BerReader, Ours};
use crate::cms::{self, ContentType};
use crate::error::{Fault, ReadError};
use crate::limits;
use sealgate_mail::encoding::Base64Reader;
use sealgate_mail::media;
use sealgate_mail::{Content, HeaderBlock, Message, MessageError, Part, Slice, TransferEncoding};
use std::io::{self, Read};

/// What the whole body of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No S/MIME, or S/MIME only in parts beside others.
    Plain,
    /// multipart/signed with a CMS signature.
    ClearSigned,
    /// A SignedData that holds its content, or whose signers have none to sign.
    Signed,
    /// EnvelopedData.
    Enveloped,
    /// AuthEnvelopedData.
    AuthEnveloped,
    /// A SignedData without signers, and without content or with an empty one: a bag of certificates.
    CertsOnly,
    /// CompressedData.
    Compressed,
    /// Declared as S/MIME and not readable as such.
    Malformed(Fault),
}

impl Kind {
    /// Whether the message counts as encrypted.
    pub const fn is_encrypted(self) -> bool {
        matches!(self, Self::Enveloped | Self::AuthEnveloped)
    }

    /// Whether a signature covers the whole body.
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::ClearSigned | Self::Signed)
    }
}

/// What the top entity of `message` is. Outer signatures are not unwrapped, see [`crate::verify::kind_under_signatures`].
///
/// # Errors
/// Only a failure to read the content; what is wrong with the message is a [`Kind::Malformed`].
pub fn kind(message: &Message<'_>) -> io::Result<Kind> {
    let entity = Entity::of_message(message);
    match entity.media() {
        Media::Other => Ok(Kind::Plain),
        Media::Signed => Ok(Kind::ClearSigned),
        Media::SignedSomehow => Ok(if has_signature_part(message)? {
            Kind::ClearSigned
        } else {
            Kind::Plain
        }),
        Media::Cms | Media::NamedCms => entity.cms_kind(),
    }
}

/// Reads the top entity to its end and sees whether it is what it claims to be and nothing else, as mail must be that passes
/// as encrypted by the client (A29): a CMS object with nothing in or behind its encoding, a known content cipher where it
/// is encrypted, and around a multipart/signed no text but the remark that some clients write.
///
/// # Errors
/// Only a failure to read the content.
pub fn check(message: &Message<'_>) -> io::Result<Result<(), Fault>> {
    let entity = Entity::of_message(message);
    let outcome = match entity.media() {
        _ if message.is_ambiguous() => Err(ReadError::malformed("a header that reads in two ways")),
        Media::Signed | Media::SignedSomehow => check_clear_signed(message),
        Media::Cms | Media::NamedCms | Media::Other => check_cms(entity.cms_only()?),
    };
    match outcome {
        Ok(()) => Ok(Ok(())),
        Err(error) => error.blame_sender().map(Err),
    }
}

/// What clients write before the first part of a multipart/signed, in lower case and without the full stop.
const PREAMBLES: [&str; 4] = [
    "",
    "this is an s/mime signed message",
    "this is a cryptographically signed message in mime format",
    "this is a multi-part message in mime format",
];

/// A multipart/signed whose octets are its two parts, and whose second part is a signature.
fn check_clear_signed(message: &Message<'_>) -> Result<(), ReadError> {
    let whole = read_structure(message)?;
    let [content, signature] = whole.children.as_slice() else {
        return Err(ReadError::malformed(
            "a multipart/signed that does not have two parts",
        ));
    };
    // Each with the boundary line it ends or begins with.
    let before = read_remark(message, whole.body.0, content.range.0)?;
    let behind = read_remark(message, signature.range.1, whole.body.1)?;
    let (preamble, _) = before.trim_end().rsplit_once('\n').unwrap_or_default();
    let (_, epilogue) = behind.trim_start().split_once('\n').unwrap_or_default();
    let preamble = preamble.trim().trim_end_matches('.');
    let is_usual = PREAMBLES.contains(&preamble.to_ascii_lowercase().as_str());
    if !is_usual || !epilogue.trim().is_empty() || whole.is_ambiguous() {
        return Err(ReadError::malformed("text around a multipart/signed"));
    }
    check_cms(Entity::of_part(message.content(), signature).cms_only()?)
}

/// What stands beside the parts of a multipart, as text.
fn read_remark(message: &Message<'_>, from: u64, to: u64) -> Result<String, ReadError> {
    let mut octets = Vec::new();
    if to.saturating_sub(from) > limits::REMARK_OCTETS {
        return Err(ReadError::malformed("text around a multipart/signed"));
    }
    let slice = Slice::new(message.content(), from, to);
    sealgate_mail::content::copy(&slice, &mut octets).map_err(ReadError::Io)?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// What the header says about a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    /// multipart/signed for CMS.
    Signed,
    /// multipart/signed that does not say for what; its second part decides.
    SignedSomehow,
    /// Declared as CMS.
    Cms,
    /// Octets whose file name is one of CMS.
    NamedCms,
    Other,
}

/// A body that may be CMS, with what is needed to read it.
pub(crate) struct Entity<'c> {
    content_type: media::ContentType,
    file_name: Option<String>,
    encoding: TransferEncoding,
    body: Slice<'c>,
}

impl<'c> Entity<'c> {
    pub(crate) fn of_message(message: &Message<'c>) -> Self {
        Self::new(message.header(), message.content_type(), message.body())
    }

    pub(crate) fn of_part(content: &'c dyn Content, part: &Part) -> Self {
        Self::new(
            &part.header,
            part.content_type.clone(),
            part.body_slice(content),
        )
    }

    fn new(header: &HeaderBlock, content_type: media::ContentType, body: Slice<'c>) -> Self {
        let disposition = header.first("Content-Disposition");
        let file_name = disposition.and_then(|field| media::disposition(&field.value()).1);
        let file_name = file_name.or_else(|| content_type.parameter("name").map(str::to_owned));
        Self {
            content_type,
            file_name,
            encoding: TransferEncoding::of(header),
            body,
        }
    }

    /// The decoded body.
    pub(crate) fn cms(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        let body = self.body.reader(0).map_err(io::Error::other)?;
        Ok(self.encoding.decoded(Box::new(Ours(body))))
    }

    /// The decoded body, whose encoding must hold nothing else.
    fn cms_only(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        if self.encoding != TransferEncoding::Base64 {
            return self.cms();
        }
        let body = self.body.reader(0).map_err(io::Error::other)?;
        Ok(Box::new(Base64Reader::strict(Ours(body))))
    }

    pub(crate) fn media(&self) -> Media {
        let media = &self.content_type;
        match (media.kind(), media.subtype()) {
            ("multipart", "signed") => match media.parameter("protocol") {
                Some("application/pkcs7-signature" | "application/x-pkcs7-signature") => {
                    Media::Signed
                }
                Some(_) => Media::Other,
                None => Media::SignedSomehow,
            },
            ("application", "pkcs7-mime" | "x-pkcs7-mime") => Media::Cms,
            // RFC 8551 section 3.2.1 names the endings.
            ("application", "octet-stream")
                if self.has_name_ending(".p7m") || self.has_name_ending(".p7z") =>
            {
                Media::NamedCms
            }
            _ => Media::Other,
        }
    }

    /// Whether it is declared, or named, as the signature of a multipart/signed (RFC 8551 section 3.9).
    pub(crate) fn is_signature(&self) -> bool {
        let media = &self.content_type;
        media.is("application", "pkcs7-signature")
            || media.is("application", "x-pkcs7-signature")
            || media.is("application", "octet-stream") && self.has_name_ending(".p7s")
    }

    fn has_name_ending(&self, suffix: &str) -> bool {
        self.file_name
            .as_deref()
            .is_some_and(|name| name.trim_ascii().to_ascii_lowercase().ends_with(suffix))
    }

    /// The kind of a body that is declared or named as CMS. One that is only named so counts as plain if it is none.
    pub(crate) fn cms_kind(&self) -> io::Result<Kind> {
        match read_kind(self.cms()?) {
            Ok(kind) => Ok(kind),
            Err(error) => {
                let fault = error.blame_sender()?;
                Ok(if self.media() == Media::NamedCms {
                    Kind::Plain
                } else {
                    Kind::Malformed(fault)
                })
            }
        }
    }
}

/// Whether the second part is a CMS signature; a structure that cannot be read has none.
fn has_signature_part(message: &Message<'_>) -> io::Result<bool> {
    match read_structure(message) {
        Ok(structure) => {
            let second = structure.children.get(1);
            Ok(second.is_some_and(|part| Entity::of_part(message.content(), part).is_signature()))
        }
        Err(error) => error.blame_sender().map(|_| false),
    }
}

/// The tree of parts of `message`.
pub(crate) fn read_structure(message: &Message<'_>) -> Result<Part, ReadError> {
    message.structure().map_err(message_error)
}

/// The header of the entity in `content`.
pub(crate) fn read_message(content: &dyn Content) -> Result<Message<'_>, ReadError> {
    Message::read(content).map_err(message_error)
}

fn message_error(error: MessageError) -> ReadError {
    match error {
        MessageError::Io(error) => ReadError::Io(error),
        MessageError::HeaderTooLarge => ReadError::limit("a MIME header"),
        MessageError::TooDeep => ReadError::limit("MIME nesting"),
        MessageError::TooMany => ReadError::limit("MIME parts"),
    }
}

fn read_kind(input: impl Read) -> Result<Kind, ReadError> {
    let (mut reader, content_type) = cms::open(input)?;
    match content_type {
        ContentType::SignedData => read_signed_kind(&mut reader),
        ContentType::EnvelopedData => Ok(Kind::Enveloped),
        ContentType::AuthEnvelopedData => Ok(Kind::AuthEnveloped),
        ContentType::CompressedData => Ok(Kind::Compressed),
        ContentType::Data | ContentType::Other => {
            Err(ReadError::malformed("a CMS content type that no mail has"))
        }
    }
}

fn read_signed_kind<R: Read>(reader: &mut BerReader<R>) -> Result<Kind, ReadError> {
    let has_content = cms::signed_head(reader)?.has_content;
    if has_content && reader.read_string(&mut [0])? > 0 {
        return Ok(Kind::Signed);
    }
    let tail = cms::signed_tail(reader, has_content)?;
    // RFC 8551 section 3.8; some programs write empty content there.
    Ok(if tail.signers.is_empty() {
        Kind::CertsOnly
    } else {
        Kind::Signed
    })
}

fn check_cms(input: impl Read) -> Result<(), ReadError> {
    let (mut reader, content_type) = cms::open(input)?;
    match content_type {
        ContentType::SignedData => {
            let head = cms::signed_head(&mut reader)?;
            reader.string_to(&mut |_| Ok(()))?;
            cms::signed_tail(&mut reader, head.has_content)?;
        }
        ContentType::EnvelopedData => {
            check_encrypted(&mut reader, false)?;
            cms::enveloped_tail(&mut reader)?;
        }
        ContentType::AuthEnvelopedData => {
            check_encrypted(&mut reader, true)?;
            cms::auth_enveloped_tail(&mut reader)?;
        }
        ContentType::CompressedData => {
            cms::compressed_head(&mut reader)?;
            reader.string_to(&mut |_| Ok(()))?;
            cms::compressed_tail(&mut reader)?;
        }
        ContentType::Data | ContentType::Other => {
            return Err(ReadError::malformed("a CMS content type that no mail has"));
        }
    }
    reader.expect_blank_end()
}

/// RFC 5083 section 2.1: a cipher that authenticates stands in AuthEnvelopedData and only there.
fn check_encrypted<R: Read>(
    reader: &mut BerReader<R>,
    authenticated: bool,
) -> Result<(), ReadError> {
    cms::recipient_infos(reader, &mut |_| ())?;
    let AlgorithmIdentifier { oid, parameters } = cms::encrypted_head(reader)?;
    let cipher = ContentEncryption::from_algorithm_identifier(&oid, parameters.as_deref());
    if !cipher.is_ok_and(|found| found.algorithm.authenticated() == authenticated) {
        return Err(ReadError::malformed("a content cipher that is not known"));
    }
    reader.string_to(&mut |_| Ok(())).map(|_| ())
}
