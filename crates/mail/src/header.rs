//! The header block of a message or part on raw bytes: fields are found, never rewritten (RFC 5322 section 2.2).

use std::borrow::Cow;
use std::ops::Range;

use crate::words;

pub use crate::words::{encode_mailbox, encode_unstructured, fold};

/// The lines before the blank line, every octet kept, with the places of its fields.
#[derive(Clone, Debug, Default)]
pub struct HeaderBlock {
    raw: Vec<u8>,
    places: Vec<Place>,
}

/// Where a field lies in the raw block.
#[derive(Clone, Debug)]
struct Place {
    whole: Range<usize>,
    /// Empty for a line that is no field.
    name: Range<usize>,
    value_start: usize,
}

impl HeaderBlock {
    /// Finds the fields of `raw`, which ends before the blank line. Lines end with LF, with or without CR.
    /// A line that is no field is kept as a field with an empty name; blanks before the colon do not hide a name.
    pub fn parse(raw: &[u8]) -> Self {
        let mut places: Vec<Place> = Vec::new();
        let mut start = 0usize;
        while start < raw.len() {
            let rest = raw.get(start..).unwrap_or_default();
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at.saturating_add(1));
            let end = start.saturating_add(length);
            let line = raw.get(start..end).unwrap_or_default();
            match places.last_mut() {
                // RFC 5322 section 2.2.3: a line that begins with a blank continues the field before it.
                Some(last) if line.starts_with(b" ") || line.starts_with(b"\t") => {
                    last.whole.end = end
                }
                _ => places.push(place(line, start)),
            }
            start = end;
        }
        Self {
            raw: raw.to_vec(),
            places,
        }
    }

    /// All octets as they came, without the blank line.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The fields in order.
    pub fn fields(&self) -> impl DoubleEndedIterator<Item = Field<'_>> {
        self.places.iter().map(|place| Field {
            block: &self.raw,
            place,
        })
    }

    /// The fields called `name`; case does not count.
    pub fn all<'h>(&'h self, name: &'h str) -> impl DoubleEndedIterator<Item = Field<'h>> {
        self.fields().filter(move |field| field.is(name))
    }

    /// The first field called `name`.
    pub fn first<'h>(&'h self, name: &'h str) -> Option<Field<'h>> {
        self.all(name).next()
    }

    /// How many fields are called `name`.
    pub fn count(&self, name: &str) -> usize {
        self.all(name).count()
    }

    /// Whether a line is no field. Readers differ in what they do then: some take the header to end there.
    /// A first line `From ...`, with which mail stores mark a message, is known to all and does not count.
    pub fn has_malformed(&self) -> bool {
        let mark = usize::from(self.raw.starts_with(b"From "));
        self.places
            .iter()
            .skip(mark)
            .any(|place| place.name.is_empty())
    }

    /// Whether blanks stand before a colon (RFC 5322 section 4.5.8): the same readers take the header to end there too.
    pub fn has_obsolete_name(&self) -> bool {
        let mut named = self.places.iter().filter(|place| !place.name.is_empty());
        named.any(|place| place.name.end.saturating_add(1) < place.value_start)
    }
}

/// The place of the field that begins with `line` at offset `start` of the block.
fn place(line: &[u8], start: usize) -> Place {
    let whole = start..start.saturating_add(line.len());
    let named = memchr::memchr(b':', line).and_then(|colon| {
        let name = line.get(..colon)?.trim_ascii_end();
        // ftext = %d33-57 / %d59-126 (RFC 5322 section 3.6.8), before it obsolete blanks (section 4.5.8).
        let sound = !name.is_empty() && name.iter().all(|b| (33..=126).contains(b));
        sound.then_some((name.len(), colon))
    });
    match named {
        Some((length, colon)) => Place {
            name: start..start.saturating_add(length),
            value_start: start.saturating_add(colon).saturating_add(1),
            whole,
        },
        None => Place {
            name: start..start,
            value_start: start,
            whole,
        },
    }
}

/// One field of a header block.
#[derive(Clone, Copy)]
pub struct Field<'h> {
    block: &'h [u8],
    place: &'h Place,
}

impl<'h> Field<'h> {
    /// The name as written, without blanks; empty if the line is no field.
    pub fn name(&self) -> &'h str {
        let name = self.block.get(self.place.name.clone()).unwrap_or_default();
        std::str::from_utf8(name).unwrap_or_default()
    }

    /// Whether it is called `name`; case does not count. A line that is no field has no name.
    pub fn is(&self, name: &str) -> bool {
        !name.is_empty() && self.name().eq_ignore_ascii_case(name)
    }

    /// The name the most lenient reader could see: everything before the first colon of the whole field without blanks,
    /// line breaks and controls, in lower case. Only for taking fields out that must not come from outside (row M9).
    pub fn loose_name(&self) -> String {
        let raw = self.raw();
        let name = memchr::memchr(b':', raw)
            .and_then(|colon| raw.get(..colon))
            .unwrap_or_default();
        let seen = name.iter().filter(|b| b.is_ascii_graphic());
        seen.map(|b| char::from(b.to_ascii_lowercase())).collect()
    }

    /// Where the whole field lies in the raw block.
    pub fn range(&self) -> Range<usize> {
        self.place.whole.clone()
    }

    /// The whole field with its line ends.
    pub fn raw(&self) -> &'h [u8] {
        self.block.get(self.place.whole.clone()).unwrap_or_default()
    }

    /// The value unfolded: without line breaks and without the blanks around it (RFC 5322 section 2.2.3).
    pub fn value(&self) -> Cow<'h, [u8]> {
        let value = self.block.get(self.place.value_start..self.place.whole.end);
        let value = value.unwrap_or_default().trim_ascii();
        if memchr::memchr(b'\n', value).is_none() {
            return Cow::Borrowed(value);
        }
        let mut out = Vec::with_capacity(value.len());
        for line in value.split_inclusive(|b| *b == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        }
        Cow::Owned(out)
    }

    /// The value as text: unfolded, encoded words decoded (RFC 2047).
    pub fn decoded(&self) -> String {
        words::decode(&self.value())
    }
}

impl std::fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.raw()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &[u8] = b"From: a@x.example\r\nSubject : one\r\n two\r\nX-Y:\r\n\tz\r\nno field\r\nsubject:three\nFrom x: y\r\n\xff: z\r\nEnd:";

    #[test]
    fn every_octet_is_in_exactly_one_field() {
        let header = HeaderBlock::parse(BLOCK);
        let joined: Vec<u8> = header.fields().flat_map(|f| f.raw().to_vec()).collect();
        assert_eq!(joined, BLOCK);
        let names: Vec<&str> = header.fields().map(|f| f.name()).collect();
        assert_eq!(
            names,
            ["From", "Subject", "X-Y", "", "subject", "", "", "End"]
        );
        assert!(header.has_malformed());
        assert_eq!(header.count("SUBJECT"), 2);
        assert_eq!(header.count(""), 0);
        assert_eq!(&*header.first("subject").unwrap().value(), b"one two");
        assert_eq!(&*header.first("x-y").unwrap().value(), b"z");
        assert_eq!(&*header.first("end").unwrap().value(), b"");
    }

    #[test]
    fn m9_names_as_lenient_readers_see_them() {
        let table: [(&[u8], &str); 7] = [
            (b"X-Gate: y\r\n", "x-gate"),
            (b"x-GATE\t : y\r\n", "x-gate"),
            (b"X-Gate\r\n : y\r\n", "x-gate"),
            (b"X-\r\n Gate: y\r\n", "x-gate"),
            (b"X-\0Gate: y\r\n", "x-gate"),
            (b"X-Gate\xff: y\r\n", "x-gate"),
            (b"no field\r\n", ""),
        ];
        for (raw, name) in table {
            assert_eq!(
                HeaderBlock::parse(raw)
                    .fields()
                    .next()
                    .unwrap()
                    .loose_name(),
                name
            );
        }
    }

    #[test]
    fn the_mark_of_a_mail_store_is_not_malformed() {
        assert!(!HeaderBlock::parse(b"From a@x Sun Nov 22\r\nTo: y\r\n").has_malformed());
        assert!(HeaderBlock::parse(b"To: y\r\nFrom a@x Sun Nov 22\r\n").has_malformed());
        assert!(HeaderBlock::parse(b"From a@x\r\nno field\r\n").has_malformed());
    }

    #[test]
    fn a_first_line_with_a_blank_is_no_field() {
        let header = HeaderBlock::parse(b" Subject: x\r\nTo: y\r\n");
        assert_eq!(header.count("Subject"), 0);
        assert_eq!(header.count("To"), 1);
        assert!(HeaderBlock::parse(b"").fields().next().is_none());
    }
}
