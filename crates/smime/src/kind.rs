//! What a message's top entity is (decision A28 of the requirements): by media type and by the content type inside the
//! CMS object, never by the `smime-type` parameter.

use crate::ber::{BerReader, Ours};
use crate::cms::{self, ContentType};
use crate::error::{Fault, ReadError};
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
    /// A SignedData without content and signers: a bag of certificates.
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

/// Reads a CMS object to its end, so that a later reader will not find it cut short or malformed (A29).
///
/// # Errors
/// Only a failure to read the content.
pub fn check(message: &Message<'_>) -> io::Result<Result<(), Fault>> {
    let entity = Entity::of_message(message);
    match check_cms(entity.cms()?) {
        Ok(()) => Ok(Ok(())),
        Err(error) => error.blame_sender().map(Err),
    }
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
            ("application", "octet-stream") if self.has_name_ending(".p7m") => Media::NamedCms,
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
    if cms::signed_head(reader)?.has_content {
        return Ok(Kind::Signed);
    }
    let tail = cms::signed_tail(reader, false)?;
    // RFC 8551 section 3.8.
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
            cms::signed_tail(&mut reader, head.has_content).map(|_| ())
        }
        ContentType::EnvelopedData => {
            cms::recipient_infos(&mut reader, &mut |_| ())?;
            cms::encrypted_head(&mut reader)?;
            reader.string_to(&mut |_| Ok(()))?;
            cms::enveloped_tail(&mut reader)
        }
        ContentType::AuthEnvelopedData => {
            cms::recipient_infos(&mut reader, &mut |_| ())?;
            cms::encrypted_head(&mut reader)?;
            reader.string_to(&mut |_| Ok(()))?;
            cms::auth_enveloped_tail(&mut reader).map(|_| ())
        }
        ContentType::CompressedData => reader.skip(),
        ContentType::Data | ContentType::Other => {
            Err(ReadError::malformed("a CMS content type that no mail has"))
        }
    }
}
