//! Forged tags inside a mail (row G1): in the subjects of its parts, of attached mails, and of what a signature protects.
//!
//! Under a signature that is `valid` all stays as it is: its octets are worth more, and what stands there its signer says. Any
//! other signature vouches for nothing, so that a clean subject is worth more than its octets; the verdict was found before
//! and is told. What cannot be changed in its form, because it is encoded or opaquely signed, is closed where it lies beside
//! other parts, and taken out of its signature where it is the whole.

use std::io::Read;

use sealgate_mail::edit::HeaderEdit;
use sealgate_mail::limits::HEADER_OCTETS;
use sealgate_mail::part::Part;
use sealgate_mail::{Content, Field, HeaderBlock, Message, MessageError, Source};
use sealgate_smime::kind::{Kind, kind};
use sealgate_smime::limits::LAYERS;
use sealgate_smime::verify::signed_entity;

use super::ProcessError;
use super::inbound::{Edit, replaced};
use super::open::{Decrypted, shelve_entity};
use crate::ports::Shelf;
use crate::subject::Cleaner;

/// What is to be done with an opaque signature.
pub(super) enum Unwrapped {
    /// Nothing: it hides no forged tag.
    Harmless,
    /// It hides one, and is to be left out: this is what it covers.
    Inside(Decrypted),
    /// What it covers is beyond the limits: no reader is to open it.
    Closed,
}

/// The parts of an entity; none if they are beyond the limits.
fn structure_of(entity: &dyn Content) -> Result<Option<Part>, ProcessError> {
    match Message::read(entity).and_then(|message| message.structure()) {
        Err(MessageError::Io(error)) => Err(error.into()),
        read => Ok(read.ok()),
    }
}

/// Looks for forged tags in what a mail holds.
pub(super) struct Finder<'f> {
    /// Knows the tags.
    pub(super) cleaner: &'f Cleaner,
    /// For what is larger than is kept in memory.
    pub(super) shelf: &'f dyn Shelf,
}

impl Finder<'_> {
    /// What is changed in the parts below `part` of `content`; as deep as the structure goes, which is limited.
    pub(super) fn edits(
        &self,
        content: &dyn Content,
        part: &Part,
        found: &mut Vec<Edit>,
    ) -> Result<(), ProcessError> {
        for child in &part.children {
            for field in child.header.fields() {
                if let Some(new) = self.cleaner.cleaned_field(&field) {
                    found.push(replaced(child, &field, new.into_bytes()));
                }
            }
            if self.hides(content, child, LAYERS)? {
                found.extend(closed(child));
            }
            self.edits(content, child, found)?;
        }
        Ok(())
    }

    /// Looks into a mail that is opaquely signed as a whole.
    pub(super) fn unwrap(&self, message: &Message<'_>) -> Result<Unwrapped, ProcessError> {
        if !self.shows_opened(message, LAYERS)? {
            return Ok(Unwrapped::Harmless);
        }
        let Ok(entity) = signed_entity(message)? else {
            return Ok(Unwrapped::Closed);
        };
        let ((), inside) = shelve_entity(self.shelf, |out| entity.write_to(out))?;
        let whole = structure_of(inside.content.as_ref())?;
        Ok(whole.map_or(Unwrapped::Closed, |_| Unwrapped::Inside(inside)))
    }

    /// Whether the part is one that some readers open and show a forged tag of: an attached mail that is encoded, against RFC
    /// 2046 section 5.2.1, or an opaque signature.
    fn hides(&self, content: &dyn Content, part: &Part, left: usize) -> Result<bool, ProcessError> {
        let media = &part.content_type;
        let is_mail = media.is("message", "rfc822") || media.is("message", "global");
        if is_mail && !part.is_message() {
            return self.shows_read(part.decoded(content)?, left);
        }
        let subtype = media.subtype();
        let may_be_signed = subtype.contains("pkcs7") || subtype == "octet-stream";
        if media.kind() != "application" || !may_be_signed {
            return Ok(false);
        }
        match Message::read(&part.slice(content)) {
            Err(MessageError::Io(error)) => Err(error.into()),
            Err(_) => Ok(true),
            Ok(message) => self.shows_opened(&message, left),
        }
    }

    /// Whether an opaque signature covers what shows a forged tag.
    fn shows_opened(&self, message: &Message<'_>, left: usize) -> Result<bool, ProcessError> {
        if kind(message)? != Kind::Signed {
            return Ok(false);
        }
        match signed_entity(message)? {
            Ok(entity) => self.shows_read(entity.reader(0)?, left),
            Err(_) => Ok(false),
        }
    }

    /// Whether the entity that is read shows a forged tag. A large one goes to the shelf, so that it can be read at any place.
    fn shows_read(
        &self,
        mut entity: Box<dyn Read + Send + '_>,
        left: usize,
    ) -> Result<bool, ProcessError> {
        let mut start = Vec::new();
        let most = HEADER_OCTETS as u64;
        entity.by_ref().take(most).read_to_end(&mut start)?;
        if start.len() < HEADER_OCTETS {
            return self.shows(&start, left);
        }
        let (_, whole) = shelve_entity(self.shelf, |out| {
            out.write_all(&start)?;
            std::io::copy(&mut entity, out)
        })?;
        self.shows(whole.content.as_ref(), left)
    }

    /// Whether a field of the entity, or of what lies in it, shows a forged tag; what lies too deep, or in a form that nobody
    /// can take apart, is taken to.
    fn shows(&self, entity: &dyn Content, left: usize) -> Result<bool, ProcessError> {
        let Some(left) = left.checked_sub(1) else {
            return Ok(true);
        };
        let Some(structure) = structure_of(entity)? else {
            return Ok(true);
        };
        for part in structure.all() {
            let mut fields = part.header.fields();
            if fields.any(|field| self.cleaner.cleaned_field(&field).is_some())
                || self.hides(entity, part, left)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The fields of a part that no reader shows as a mail (RFC 2045 section 6.4), nor, by its name, as S/MIME (RFC 8551 section
/// 3.2.1).
const CLOSED: &str = "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=unopened.bin\r\n";

/// Whether `CLOSED` stands in the place of this field.
fn says_what_it_is(field: &Field<'_>) -> bool {
    ["content-type", "content-disposition"].contains(&field.loose_name().as_str())
}

/// What makes a part one that no reader opens.
fn closed(part: &Part) -> Vec<Edit> {
    let fields = part.header.fields().filter(says_what_it_is);
    let mut edits: Vec<Edit> = fields
        .map(|field| replaced(part, &field, Vec::new()))
        .collect();
    edits.push((part.range.0, part.range.0, CLOSED.as_bytes().to_vec()));
    edits
}

/// The same of the fields of an entity.
pub(super) fn closed_fields(fields: &HeaderBlock) -> Vec<u8> {
    let rest = HeaderEdit::new(fields).remove(says_what_it_is).finish();
    [CLOSED.as_bytes(), &rest].concat()
}
