//! Changes to headers: what is not touched stays octet for octet (row M13).

use std::io::{self, Write};

use crate::content::{Content, Slice, Source, copy};
use crate::header::{Field, HeaderBlock};

/// A header with fields taken out, replaced and added. New fields are whole ones, as `encode_unstructured` and `fold`
/// make them; a line break in one that is no fold becomes a blank, so none can bring another field with it (row M11).
pub struct HeaderEdit<'h> {
    header: &'h HeaderBlock,
    /// What stands in the place of each field; `None` as long as it is kept.
    changes: Vec<Option<Vec<u8>>>,
    before: Vec<Vec<u8>>,
    after: Vec<u8>,
}

impl<'h> HeaderEdit<'h> {
    /// No change yet.
    pub fn new(header: &'h HeaderBlock) -> Self {
        let changes = vec![None; header.fields().count()];
        Self {
            header,
            changes,
            before: Vec::new(),
            after: Vec::new(),
        }
    }

    /// Takes out the fields for which `remove` is true.
    pub fn remove(mut self, remove: impl Fn(&Field<'_>) -> bool) -> Self {
        for (field, change) in self.header.fields().zip(&mut self.changes) {
            if remove(&field) {
                *change = Some(Vec::new());
            }
        }
        self
    }

    /// Takes out the fields called `name`.
    pub fn remove_named(self, name: &str) -> Self {
        self.remove(|field| field.is(name))
    }

    /// Puts what `new` gives in the place of each field that is still as it was; fields it gives nothing for stay.
    pub fn rewrite(mut self, new: impl Fn(&Field<'_>) -> Option<String>) -> Self {
        for (field, change) in self.header.fields().zip(&mut self.changes) {
            if change.is_none() {
                *change = new(&field).map(|field| one_field(&field));
            }
        }
        self
    }

    /// Puts `field` above everything, also above what was put there before.
    pub fn prepend(mut self, field: &str) -> Self {
        self.before.push(one_field(field));
        self
    }

    /// Puts `field` below everything.
    pub fn append(mut self, field: &str) -> Self {
        self.after.extend(one_field(field));
        self
    }

    /// Puts `field` in the place of the first field called `name` that is still there and takes out the others;
    /// below everything if there is none.
    pub fn replace(mut self, name: &str, field: &str) -> Self {
        let mut new = Some(one_field(field));
        for (old, change) in self.header.fields().zip(&mut self.changes) {
            if old.is(name) && change.is_none() {
                *change = Some(new.take().unwrap_or_default());
            }
        }
        self.after.extend(new.unwrap_or_default());
        self
    }

    /// The new header without the blank line; its last field ends with a line end.
    pub fn finish(self) -> Vec<u8> {
        let mut out: Vec<u8> = self.before.into_iter().rev().flatten().collect();
        for (field, change) in self.header.fields().zip(&self.changes) {
            out.extend_from_slice(change.as_deref().unwrap_or(field.raw()));
        }
        if !out.is_empty() && !out.ends_with(b"\n") {
            out.extend_from_slice(b"\r\n");
        }
        out.extend(self.after);
        out
    }
}

/// `field` with one CRLF at its end and no line break inside that is not a fold.
fn one_field(field: &str) -> Vec<u8> {
    let text = field.strip_suffix("\r\n").unwrap_or(field).as_bytes();
    let mut out = Vec::with_capacity(text.len().saturating_add(2));
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        match (first, tail) {
            (b'\r', [b'\n', blank @ (b' ' | b'\t'), after @ ..]) => {
                out.extend_from_slice(&[b'\r', b'\n', *blank]);
                rest = after;
            }
            (b'\r' | b'\n' | 0, _) => {
                out.push(b' ');
                rest = tail;
            }
            _ => {
                out.push(first);
                rest = tail;
            }
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

enum Piece {
    Bytes(Vec<u8>),
    Copy(u64, u64),
}

/// A content with pieces of it replaced; the rest is copied as it is.
pub struct Edited<'c> {
    content: &'c dyn Content,
    pieces: Vec<Piece>,
    /// Where the next copied piece begins.
    at: u64,
}

impl<'c> Edited<'c> {
    /// No change yet.
    pub fn new(content: &'c dyn Content) -> Self {
        Self {
            content,
            pieces: Vec::new(),
            at: 0,
        }
    }

    /// `bytes` in the place of the octets `start..end`. Replacements are given in order and do not overlap;
    /// what lies before an earlier one is not touched any more.
    pub fn replace(&mut self, start: u64, end: u64, bytes: Vec<u8>) {
        if self.at < start {
            self.pieces.push(Piece::Copy(self.at, start));
        }
        self.pieces.push(Piece::Bytes(bytes));
        self.at = end.max(self.at);
    }
}

impl Source for Edited<'_> {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        for piece in &self.pieces {
            match piece {
                Piece::Bytes(bytes) => out.write_all(bytes)?,
                Piece::Copy(start, end) => copy(&Slice::new(self.content, *start, *end), out)?,
            }
        }
        copy(&Slice::new(self.content, self.at, self.content.len()), out)
    }

    fn length(&self) -> io::Result<u64> {
        let piece = |piece: &Piece| match piece {
            Piece::Bytes(bytes) => bytes.len() as u64,
            Piece::Copy(start, end) => end.saturating_sub(*start),
        };
        let rest = self.content.len().saturating_sub(self.at);
        Ok(self
            .pieces
            .iter()
            .map(piece)
            .fold(rest, u64::saturating_add))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::encode_unstructured;
    use crate::message::Message;

    const RAW: &[u8] = b"Received: x\r\nSubject : old\r\n two\r\nX-Gate: forged\r\nx-gate\t: again\r\nno field\r\nsubject: older\r\nTo: y\r\n\r\nbody \xff\n";

    fn written(source: &dyn Source) -> Vec<u8> {
        let mut out = Vec::new();
        source.write_to(&mut out).unwrap();
        assert_eq!(source.length().unwrap(), out.len() as u64);
        out
    }

    /// `message` with this header in the place of its own, the body untouched.
    fn with_header<'c>(message: &Message<'c>, mut head: Vec<u8>) -> Edited<'c> {
        head.extend_from_slice(b"\r\n");
        let mut edited = Edited::new(message.content());
        edited.replace(0, message.body_start(), head);
        edited
    }

    #[test]
    fn m13_untouched_fields_and_body_stay_octet_for_octet() {
        let message = Message::read(&RAW).unwrap();
        let same = HeaderEdit::new(message.header()).finish();
        assert_eq!(written(&with_header(&message, same)), RAW);
        let head = HeaderEdit::new(message.header())
            .remove_named("X-Gate")
            .rewrite(|field| field.is("X-Gate").then(|| "X-Gate: too late".to_owned()))
            .rewrite(|field| field.is("To").then(|| format!("To: <{}>", field.decoded())))
            .prepend("B: second\r\n")
            .prepend("A: first")
            .replace("Subject", &encode_unstructured("Subject", "new"))
            .replace("X-Gate", "X-Gate: ours")
            .append("Z: last")
            .finish();
        let expected = b"A: first\r\nB: second\r\nReceived: x\r\nSubject: new\r\nno field\r\nTo: <y>\r\nX-Gate: ours\r\nZ: last\r\n\r\nbody \xff\n";
        assert_eq!(written(&with_header(&message, head)), expected);
    }

    #[test]
    fn m11_a_new_field_brings_no_other_with_it() {
        let header = HeaderBlock::parse(b"");
        for bad in [
            "A: x\r\nB: y",
            "A: x\nB: y\r\n",
            "A: x\rB: y",
            "A: x\r\n\r\nB: y",
            "A: x\r\n",
        ] {
            let head = HeaderEdit::new(&header).prepend(bad).finish();
            assert_eq!(HeaderBlock::parse(&head).fields().count(), 1, "{bad:?}");
            assert!(
                head.ends_with(b"\r\n") && !head.ends_with(b"\r\n\r\n"),
                "{bad:?}"
            );
        }
        let folded = HeaderEdit::new(&header).append("A: x\r\n y\r\n").finish();
        assert_eq!(folded, b"A: x\r\n y\r\n");
    }
}
