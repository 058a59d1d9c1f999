//! Neutralising: what a decrypted mail that nobody vouches for could fetch or run when it is shown is taken out of it
//! (rows C1 and C3).
//!
//! HTML and calendars are written anew as UTF-8 with what is allowed and nothing else. Other parts that readers show by
//! fetching, or unfold, become files that are not shown, their bodies untouched, under names by which no reader knows what
//! they are. A part whose header reads two ways gets a header that reads one way,
//! so that what was looked at is what is shown. All other octets stay as they are.
//!
//! What lies inside an opaque signature, a compression or an encryption cannot be seen from here. Where that is the whole
//! entity, the caller unwraps it first; a part of one becomes a file.

use std::cell::Cell;
use std::io::{self, BufWriter, Read, Write};

use crate::content::{Content, Slice, Source, copy};
use crate::encoding::{Base64Writer, CrlfWriter};
use crate::limits::HTML_OCTETS;
use crate::message::{Message, MessageError};
use crate::part::Part;

mod allowed;
mod calendar;
mod charset;
mod css;
mod html;
mod leaf;
#[cfg(test)]
mod tests;

use charset::{Met, Text};
use html::{Finding, sanitise};
use leaf::{Form, Treatment};

/// An entity with its active parts neutralised.
pub struct Neutralised<'c> {
    content: &'c dyn Content,
    pieces: Vec<Piece>,
    /// Where the last copied piece begins.
    at: u64,
    removed: usize,
}

impl Neutralised<'_> {
    /// How much was taken out: elements, attributes, CSS declarations, comments, and parts that are shown no more or have
    /// a new header. 0 if HTML only had to be written more clearly.
    pub fn removed(&self) -> usize {
        self.removed
    }
}

enum Piece {
    Bytes(Vec<u8>),
    Copy(u64, u64),
    Text(Rewritten),
}

/// Text that is written anew.
struct Rewritten {
    text: Text,
    form: Form,
    /// Whether the last line gets its CRLF: not before a boundary, which brings its own.
    closed: bool,
}

impl Source for Neutralised<'_> {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        for piece in &self.pieces {
            match piece {
                Piece::Bytes(bytes) => out.write_all(bytes)?,
                Piece::Copy(start, end) => copy(&Slice::new(self.content, *start, *end), out)?,
                Piece::Text(text) => text.write(self.content, out)?,
            }
        }
        copy(&Slice::new(self.content, self.at, self.content.len()), out)
    }
}

impl Rewritten {
    fn write(&self, content: &dyn Content, out: &mut dyn Write) -> io::Result<()> {
        let met = Cell::new(Met::default());
        let mut lines = BufWriter::new(CrlfWriter::new(Base64Writer::new(out)));
        rewrite(self.form, self.text.utf8(content, &met)?, &mut lines)?;
        let writer = lines
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .finish()?;
        if self.closed {
            writer.finish().map(drop)
        } else {
            writer.finish_open().map(drop)
        }
    }
}

/// Reads text of this form and writes what may stay of it.
fn rewrite(form: Form, text: impl Read, out: &mut dyn Write) -> io::Result<Finding> {
    match form {
        Form::Html => sanitise(text, out),
        Form::Calendar => calendar::cleaned(text, out),
    }
}

/// Neutralises the entity `content` (header, blank line, body). `None` if nothing in it has to change: then it is to be
/// delivered as it is.
///
/// # Errors
/// The content cannot be read, or its structure is beyond the limits of this crate: then nobody knows what it shows, and it
/// must not be passed on.
pub fn neutralise(content: &dyn Content) -> Result<Option<Neutralised<'_>>, MessageError> {
    let part = Message::read(content)?.structure()?;
    let mut plan = Neutralised {
        content,
        pieces: Vec::new(),
        at: 0,
        removed: 0,
    };
    plan.entity(&part, true)?;
    Ok(Some(plan).filter(|plan| !plan.pieces.is_empty()))
}

impl Neutralised<'_> {
    /// Copies up to `start`, puts `piece` there and goes on at `end`.
    fn replace(&mut self, start: u64, end: u64, piece: Piece) {
        if self.at < start {
            self.pieces.push(Piece::Copy(self.at, start));
        }
        self.pieces.push(piece);
        self.at = end.max(self.at);
    }

    /// Puts `head` in the place of the header of `part`.
    fn head(&mut self, part: &Part, head: Vec<u8>) {
        self.removed = self.removed.saturating_add(1);
        self.replace(part.range.0, part.body.0, Piece::Bytes(head));
    }

    /// One entity and what lies in it. `closed` if no boundary line follows it. As deep as the structure, which is limited.
    fn entity(&mut self, part: &Part, closed: bool) -> io::Result<()> {
        let whole = leaf::with_stray_text(part);
        let part = whole.as_ref().unwrap_or(part);
        match leaf::treatment(part) {
            Treatment::SetAside => {
                self.head(part, leaf::aside_head(part));
                Ok(())
            }
            Treatment::Text(form) => self.text(part, form, closed),
            Treatment::Settle => {
                self.head(part, leaf::settled_head(part));
                match leaf::clean_boundary(&part.content_type) {
                    Some(boundary) => self.rebuilt(part, boundary),
                    None => self.children(part, closed),
                }
            }
            Treatment::Keep => self.children(part, closed),
        }
    }

    fn children(&mut self, part: &Part, closed: bool) -> io::Result<()> {
        let closed = closed && part.is_message();
        part.children
            .iter()
            .try_for_each(|child| self.child(child, closed))
    }

    fn child(&mut self, part: &Part, closed: bool) -> io::Result<()> {
        if leaf::is_wrapped(part) {
            self.head(part, leaf::aside_head(part));
            return Ok(());
        }
        self.entity(part, closed)
    }

    /// The parts of a multipart that readers may take apart differently, with boundary lines of our own between them and
    /// nothing before or behind.
    fn rebuilt(&mut self, part: &Part, boundary: &str) -> io::Result<()> {
        let mut line = format!("--{boundary}\r\n");
        for child in &part.children {
            self.pieces.push(Piece::Bytes(line.into_bytes()));
            self.at = child.range.0;
            self.child(child, false)?;
            if self.at < child.range.1 {
                self.pieces.push(Piece::Copy(self.at, child.range.1));
            }
            line = format!("\r\n--{boundary}\r\n");
        }
        let end = format!("\r\n--{boundary}--\r\n");
        self.pieces.push(Piece::Bytes(end.into_bytes()));
        self.at = part.range.1;
        Ok(())
    }

    fn text(&mut self, part: &Part, form: Form, closed: bool) -> io::Result<()> {
        let mut text = Text::of(self.content, part)?;
        let (mut finding, mut met) = self.examined(form, &text)?;
        if met.errors
            && let Some(other) = text.second_guess()
        {
            text = other;
            (finding, met) = self.examined(form, &text)?;
        }
        if met.octets > HTML_OCTETS {
            self.head(part, leaf::aside_head(part));
            return Ok(());
        }
        if !met.errors && self.is_harmless(part, form, (&text, &finding))? {
            return Ok(());
        }
        self.removed = self.removed.saturating_add(finding.removed);
        let head = Piece::Bytes(leaf::text_head(part, form));
        self.replace(part.range.0, part.body.0, head);
        let text = Rewritten { text, form, closed };
        self.replace(part.body.0, part.range.1, Piece::Text(text));
        Ok(())
    }

    fn examined(&self, form: Form, text: &Text) -> io::Result<(Finding, Met)> {
        let met = Cell::new(Met::default());
        let finding = rewrite(form, text.utf8(self.content, &met)?, &mut io::sink())?;
        Ok((finding, met.get()))
    }

    /// Whether text can stay as it is: nothing is to be taken out, and every reader reads it as it was read here.
    fn is_harmless(
        &self,
        part: &Part,
        form: Form,
        (text, finding): (&Text, &Finding),
    ) -> io::Result<bool> {
        let label = finding.charset.as_deref();
        let clear = finding.removed == 0
            && !finding.doubtful
            && text.certain
            && label.is_none_or(|label| text.is_called(label))
            && leaf::is_plainly(part, form);
        Ok(clear && text.is_strictly_encoded(self.content)?)
    }
}
