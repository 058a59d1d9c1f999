//! What a signature covers, read from where it lies, and what lies under all outer signatures.

use crate::ber::BerReader;
use crate::cms;
use crate::error::{Fault, LimitReached, ReadError};
use crate::kind::{Entity, Kind, kind, read_message, read_structure};
use crate::limits;
use sealgate_mail::{Content, Message, Part, Slice, Source};
use std::io::{self, Read, Write};

/// The MIME entity a signature covers, read from where it lies in the message. It can be read as a message itself.
pub struct SignedEntity<'c>(Inside<'c>);

enum Inside<'c> {
    Clear(Slice<'c>),
    Opaque {
        entity: Entity<'c>,
        length: u64,
    },
    /// Small opaque content, decoded.
    Kept(Vec<u8>),
}

/// What the outermost signature of `message` covers, whatever the signature is worth.
///
/// # Errors
/// The outer error is a failure to read; the inner one says what keeps the message from holding signed content.
pub fn signed_entity<'c>(message: &Message<'c>) -> io::Result<Result<SignedEntity<'c>, Fault>> {
    let found = match kind(message)? {
        Kind::ClearSigned => clear_parts(message).map(|(content, _)| Inside::Clear(content)),
        Kind::Signed => opaque_entity(message),
        _ => Err(ReadError::malformed("nothing signed")),
    };
    match found {
        Ok(inside) => Ok(Ok(SignedEntity(inside))),
        Err(error) => error.blame_sender().map(Err),
    }
}

/// Writes what the outermost signature of `message` covers to `out`.
///
/// # Errors
/// As [`signed_entity`].
pub fn signed_content(message: &Message<'_>, out: &mut dyn Write) -> io::Result<Result<(), Fault>> {
    match signed_entity(message)? {
        Ok(entity) => entity.write_to(out).map(Ok),
        Err(fault) => Ok(Err(fault)),
    }
}

/// What a message is once its outer signatures are taken away (A28); never [`Kind::ClearSigned`] or [`Kind::Signed`].
///
/// # Errors
/// Only a failure to read the content.
pub fn kind_under_signatures(message: &Message<'_>) -> io::Result<Kind> {
    unwrap_signatures(message, limits::LAYERS)
}

fn unwrap_signatures(message: &Message<'_>, layers: usize) -> io::Result<Kind> {
    let kind = kind(message)?;
    if !kind.is_signed() {
        return Ok(kind);
    }
    let Some(layers) = layers.checked_sub(1) else {
        return Ok(Kind::Malformed(Fault::Limit(LimitReached("S/MIME layers"))));
    };
    match signed_entity(message)? {
        Ok(entity) => match read_message(&entity) {
            Ok(inner) => unwrap_signatures(&inner, layers),
            Err(error) => error.blame_sender().map(Kind::Malformed),
        },
        Err(fault) => Ok(Kind::Malformed(fault)),
    }
}

impl Content for SignedEntity<'_> {
    fn len(&self) -> u64 {
        match &self.0 {
            Inside::Clear(slice) => slice.len(),
            Inside::Opaque { length, .. } => *length,
            Inside::Kept(octets) => octets.len() as u64,
        }
    }

    fn reader(&self, from: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        match &self.0 {
            Inside::Clear(slice) => slice.reader(from),
            Inside::Kept(octets) => octets.reader(from),
            Inside::Opaque { entity, .. } => {
                let mut reader = OpaqueReader(open_opaque(entity)?);
                io::copy(&mut (&mut reader).take(from), &mut io::sink())?;
                Ok(Box::new(reader))
            }
        }
    }
}

impl Source for SignedEntity<'_> {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        sealgate_mail::content::copy(self, out)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.len())
    }
}

type CmsReader<'r> = BerReader<Box<dyn Read + Send + 'r>>;

/// Reads the string a SignedData holds. Its structure was checked to the end of the string when the entity was found.
struct OpaqueReader<'r>(CmsReader<'r>);

impl Read for OpaqueReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read_string(out).map_err(into_io)
    }
}

fn into_io(error: ReadError) -> io::Error {
    match error {
        ReadError::Io(error) => error,
        fault => io::Error::new(io::ErrorKind::InvalidData, fault),
    }
}

fn open_opaque<'r>(entity: &'r Entity<'_>) -> io::Result<CmsReader<'r>> {
    let (mut reader, _) = cms::open(entity.cms()?).map_err(into_io)?;
    cms::signed_head(&mut reader).map_err(into_io)?;
    Ok(reader)
}

fn opaque_entity<'c>(message: &Message<'c>) -> Result<Inside<'c>, ReadError> {
    let entity = Entity::of_message(message);
    let (mut reader, _) = cms::open(entity.cms()?)?;
    if !cms::signed_head(&mut reader)?.has_content {
        return Err(ReadError::malformed("a SignedData without its content"));
    }
    let mut kept = Vec::new();
    let length = reader.string_to(&mut |octets| {
        if kept.len() <= limits::KEPT_OCTETS {
            kept.extend_from_slice(octets);
        }
        Ok(())
    })?;
    drop(reader);
    Ok(if length <= limits::KEPT_OCTETS as u64 {
        Inside::Kept(kept)
    } else {
        Inside::Opaque { entity, length }
    })
}

/// The octets of the first part and the signature part of a multipart/signed (RFC 1847 section 2.1: exactly two).
pub(super) fn clear_parts<'c>(message: &Message<'c>) -> Result<(Slice<'c>, Part), ReadError> {
    let mut structure = read_structure(message)?;
    let signature = structure.children.pop();
    let content = structure.children.pop();
    match (content, signature) {
        (Some(content), Some(signature)) if structure.children.is_empty() => {
            let slice = content.slice(message.content());
            Ok((slice, signature))
        }
        _ => Err(ReadError::malformed(
            "a multipart/signed that does not have two parts",
        )),
    }
}
