//! Strict, bounded reading of BER and DER (X.690).
//!
//! [`BerReader`] pulls elements from a stream: nothing is read ahead of need, content streams through, and only small
//! elements are captured, with a cap; what is captured has definite lengths and whole strings, so that `asn1` can read
//! it. There is no recursion on input without a counter, and every octet is looked at a bounded number of times.

use crate::asn1::tag;
use crate::error::ReadError;
use crate::limits::{ASN1_DEPTH, ASN1_ELEMENTS, BUFFER_OCTETS};
use std::io::{self, BufRead, BufReader, Read};

type Result<T> = std::result::Result<T, ReadError>;

/// The bit that marks a constructed encoding (X.690 section 8.1.2.5).
const CONSTRUCTED: u8 = 0x20;

/// Longest element header: identifier of up to five octets, length of up to nine.
const HEADER_OCTETS: usize = 14;
/// Octets of the end-of-contents mark.
const END_OF_CONTENTS: [u8; 2] = [0, 0];

/// Identifier and length of one element as they stand in the input.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    tag: u8,
    length: Option<u64>,
    raw: [u8; HEADER_OCTETS],
    raw_length: usize,
}

impl Header {
    /// The first identifier octet: class, constructed bit and, below 31, the tag number.
    pub fn tag(&self) -> u8 {
        self.tag
    }

    /// The content length in octets; `None` is the indefinite form.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Whether the content consists of elements.
    pub fn is_constructed(&self) -> bool {
        self.tag & CONSTRUCTED != 0
    }

    /// Takes one more header octet from `next`.
    fn take(&mut self, next: &mut dyn FnMut() -> Result<u8>) -> Result<u8> {
        let octet = next()?;
        let place = self
            .raw
            .get_mut(self.raw_length)
            .ok_or(ReadError::malformed("an ASN.1 header"))?;
        *place = octet;
        self.raw_length = self.raw_length.saturating_add(1);
        Ok(octet)
    }

    fn raw(&self) -> &[u8] {
        self.raw.get(..self.raw_length).unwrap_or_default()
    }
}

/// One constructed element that is being read.
#[derive(Clone, Copy)]
struct Frame {
    /// Where it ends, once that is known.
    end: Option<u64>,
    /// Where the nearest element of definite length around it ends.
    limit: u64,
    indefinite: bool,
}

/// A pull reader over a stream of BER elements.
pub struct BerReader<R> {
    input: BufReader<R>,
    position: u64,
    frames: Vec<Frame>,
    peeked: Option<Header>,
    elements: u64,
    /// Octets left in the current segment of the string being streamed.
    segment: u64,
    /// Depth of `frames` below which the string being streamed began.
    string_depth: usize,
}

impl<R: Read> BerReader<R> {
    /// A reader at the start of `input`.
    pub fn new(input: R) -> Self {
        let whole = Frame {
            end: None,
            limit: u64::MAX,
            indefinite: false,
        };
        Self {
            input: BufReader::with_capacity(BUFFER_OCTETS, input),
            position: 0,
            frames: vec![whole],
            peeked: None,
            elements: 0,
            segment: 0,
            string_depth: usize::MAX,
        }
    }

    /// The next element of the constructed element we are in; `None` at its end.
    pub fn peek(&mut self) -> Result<Option<Header>> {
        if self.peeked.is_some() {
            return Ok(self.peeked);
        }
        let frame = self.frame();
        if frame.end == Some(self.position) {
            return Ok(None);
        }
        if self.frames.len() == 1 && self.fill()?.is_empty() {
            return Ok(None);
        }
        let header = self.read_header(frame.limit)?;
        if header.raw() == END_OF_CONTENTS {
            return self.end_of_contents(frame);
        }
        self.elements = self.elements.saturating_add(1);
        if self.elements > ASN1_ELEMENTS {
            return Err(ReadError::limit("ASN.1 elements"));
        }
        self.peeked = Some(header);
        Ok(self.peeked)
    }

    /// The next element, which must have identifier `tag`.
    pub fn expect(&mut self, tag: u8, what: &'static str) -> Result<Header> {
        match self.peek()? {
            Some(header) if header.tag == tag => Ok(header),
            _ => Err(ReadError::malformed(what)),
        }
    }

    /// Whether the next element has identifier `tag`.
    pub fn is_next(&mut self, tag: u8) -> Result<bool> {
        Ok(self.peek()?.is_some_and(|header| header.tag == tag))
    }

    /// Goes into the next element, which must be constructed and have identifier `tag`.
    pub fn enter(&mut self, tag: u8, what: &'static str) -> Result<()> {
        let header = self.expect(tag, what)?;
        self.enter_peeked(header)
    }

    /// Leaves the constructed element we are in; what was not read of it is skipped.
    pub fn leave(&mut self) -> Result<()> {
        let outside = self.frames.len().saturating_sub(1).max(1);
        self.finish_to(outside, &mut |_| Ok(()))
    }

    /// Skips the next element.
    pub fn skip(&mut self) -> Result<()> {
        self.copy_element(&mut |_| Ok(()))
    }

    /// The next element as received, header and content, at most `cap` octets.
    pub fn capture_raw(&mut self, cap: usize) -> Result<Vec<u8>> {
        let mut raw = Vec::new();
        self.copy_element(&mut |octets| {
            if raw.len().saturating_add(octets.len()) > cap {
                return Err(ReadError::limit("an ASN.1 element that is kept in memory"));
            }
            raw.extend_from_slice(octets);
            Ok(())
        })?;
        Ok(raw)
    }

    /// The next element with definite, minimal lengths and whole strings, at most `cap` octets as received.
    pub fn capture(&mut self, cap: usize) -> Result<Vec<u8>> {
        normalise(&self.capture_raw(cap)?)
    }

    /// Begins to stream the next element, which must be an OCTET STRING or, implicitly tagged, one with the primitive
    /// identifier `tag`. Go on with [`Self::string_to`] or [`Self::read_string`] to its end before anything else.
    pub fn begin_string(&mut self, tag: u8, what: &'static str) -> Result<()> {
        self.string_depth = self.frames.len();
        let header = self.peek()?.ok_or(ReadError::malformed(what))?;
        if header.tag & !CONSTRUCTED != tag {
            return Err(ReadError::malformed(what));
        }
        self.begin_segment(header)
    }

    /// Streams the rest of the string to `sink` without copying it; gives the number of octets.
    pub fn string_to(&mut self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<u64> {
        let mut total = 0u64;
        while self.next_segment()? {
            let length = self.segment;
            self.segment = 0;
            self.copy_octets(length, sink)?;
            total = total.saturating_add(length);
        }
        Ok(total)
    }

    /// Reads some octets of the string; 0 is its end.
    pub fn read_string(&mut self, out: &mut [u8]) -> Result<usize> {
        if out.is_empty() || !self.next_segment()? {
            return Ok(0);
        }
        let want = usize::try_from(self.segment)
            .unwrap_or(usize::MAX)
            .min(out.len());
        let got = self.input.read(out.get_mut(..want).unwrap_or_default())?;
        if got == 0 {
            return Err(ReadError::malformed("cut short"));
        }
        self.segment = self.segment.saturating_sub(got as u64);
        self.position = self.position.saturating_add(got as u64);
        Ok(got)
    }

    /// Reads to the end of the input, where nothing but blanks and line ends may follow.
    pub fn expect_blank_end(&mut self) -> Result<()> {
        loop {
            let buffer = self.fill()?;
            if buffer.is_empty() {
                return Ok(());
            }
            if !buffer.iter().all(u8::is_ascii_whitespace) {
                return Err(ReadError::malformed("octets behind a CMS object"));
            }
            let length = buffer.len();
            self.input.consume(length);
        }
    }

    /// What is buffered, at least one octet unless the input is at its end.
    fn fill(&mut self) -> Result<&[u8]> {
        while let Err(error) = self.input.fill_buf() {
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error.into());
            }
        }
        Ok(self.input.buffer())
    }

    fn frame(&self) -> Frame {
        self.frames.last().copied().unwrap_or(Frame {
            end: Some(0),
            limit: 0,
            indefinite: false,
        })
    }

    fn end_of_contents(&mut self, frame: Frame) -> Result<Option<Header>> {
        match self.frames.last_mut() {
            Some(top) if frame.indefinite => {
                top.end = Some(self.position);
                Ok(None)
            }
            _ => Err(ReadError::malformed("end-of-contents out of place")),
        }
    }

    fn read_header(&mut self, limit: u64) -> Result<Header> {
        let header = parse_header(&mut || self.header_octet(limit))?;
        let end = self.position.checked_add(header.length.unwrap_or(0));
        if end.is_none_or(|end| end > limit) {
            return Err(ReadError::malformed(
                "an element longer than the one around it",
            ));
        }
        Ok(header)
    }

    fn header_octet(&mut self, limit: u64) -> Result<u8> {
        if self.position >= limit {
            return Err(ReadError::malformed(
                "an element longer than the one around it",
            ));
        }
        let octet = self
            .fill()?
            .first()
            .copied()
            .ok_or(ReadError::malformed("cut short"))?;
        self.input.consume(1);
        self.position = self.position.saturating_add(1);
        Ok(octet)
    }

    fn enter_peeked(&mut self, header: Header) -> Result<()> {
        if !header.is_constructed() {
            return Err(ReadError::malformed(
                "a primitive element where elements are due",
            ));
        }
        if self.frames.len() > ASN1_DEPTH {
            return Err(ReadError::limit("ASN.1 nesting"));
        }
        let end = header
            .length
            .map(|length| self.position.saturating_add(length));
        let limit = end.unwrap_or(self.frame().limit);
        self.peeked = None;
        self.frames.push(Frame {
            end,
            limit,
            indefinite: end.is_none(),
        });
        Ok(())
    }

    /// Passes the next element as received to `sink`.
    fn copy_element(&mut self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let outside = self.frames.len();
        let header = self
            .peek()?
            .ok_or(ReadError::malformed("an element is missing"))?;
        self.copy_peeked(header, sink)?;
        self.finish_to(outside, sink)
    }

    /// Passes what is left of the elements we are in to `sink`, until only `depth` of them are open.
    fn finish_to(&mut self, depth: usize, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        while self.frames.len() > depth {
            let frame = self.frame();
            if let (false, None, Some(end)) = (frame.indefinite, self.peeked, frame.end) {
                self.copy_octets(end.saturating_sub(self.position), sink)?;
            }
            match self.peek()? {
                Some(header) => self.copy_peeked(header, sink)?,
                None => {
                    if frame.indefinite {
                        sink(&END_OF_CONTENTS)?;
                    }
                    self.frames.pop();
                }
            }
        }
        Ok(())
    }

    fn copy_peeked(
        &mut self,
        header: Header,
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        sink(header.raw())?;
        match header.length {
            Some(length) => {
                self.peeked = None;
                self.copy_octets(length, sink)
            }
            None => self.enter_peeked(header),
        }
    }

    fn copy_octets(
        &mut self,
        mut left: u64,
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        while left > 0 {
            let buffer = self.fill()?;
            let take = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            if take == 0 {
                return Err(ReadError::malformed("cut short"));
            }
            sink(buffer.get(..take).unwrap_or_default())?;
            self.input.consume(take);
            self.position = self.position.saturating_add(take as u64);
            left = left.saturating_sub(take as u64);
        }
        Ok(())
    }

    fn begin_segment(&mut self, header: Header) -> Result<()> {
        match header.length {
            Some(length) if !header.is_constructed() => {
                self.peeked = None;
                self.segment = length;
                Ok(())
            }
            _ => self.enter_peeked(header),
        }
    }

    /// Goes to the next octet of the string being streamed; false at its end.
    fn next_segment(&mut self) -> Result<bool> {
        while self.segment == 0 {
            if self.frames.len() <= self.string_depth {
                return Ok(false);
            }
            match self.peek()? {
                None => {
                    self.frames.pop();
                }
                // X.690 section 8.7.3: the segments are OCTET STRINGs whatever tag the whole has.
                Some(header) if header.tag & !CONSTRUCTED == tag::OCTET_STRING => {
                    self.begin_segment(header)?
                }
                Some(_) => return Err(ReadError::malformed("a string with foreign segments")),
            }
        }
        Ok(true)
    }
}

/// Rewrites one captured element: definite lengths in the shortest form, constructed strings made whole. The order of
/// elements stays as received. Octets after the element are dropped.
pub fn normalise(raw: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(raw.len());
    let mut input = raw;
    normalise_element(&mut input, 0, &mut out)?;
    Ok(out)
}

/// Reads one element header from the octets that `next` gives.
fn parse_header(next: &mut dyn FnMut() -> Result<u8>) -> Result<Header> {
    let mut header = Header {
        tag: 0,
        length: None,
        raw: [0; HEADER_OCTETS],
        raw_length: 0,
    };
    header.tag = header.take(next)?;
    // X.690 section 8.1.2.4: tag numbers from 31 on follow in octets of seven bits.
    if header.tag & 0x1F == 0x1F {
        let mut octets = 0;
        while header.take(next)? & 0x80 != 0 {
            octets += 1;
            if octets > 3 {
                return Err(ReadError::limit("ASN.1 tag number"));
            }
        }
    }
    // X.690 section 8.1.3: short, long and indefinite form.
    header.length = match header.take(next)? {
        0x80 if header.is_constructed() => None,
        0x80 | 0x89.. => return Err(ReadError::malformed("an ASN.1 length")),
        short @ 0..0x80 => Some(u64::from(short)),
        long => {
            let octets = 0..long & 0x7F;
            Some(octets.into_iter().try_fold(0u64, |length, _| {
                Ok::<_, ReadError>((length << 8) | u64::from(header.take(next)?))
            })?)
        }
    };
    Ok(header)
}

/// Splits the first element header off `input`; the content is known to lie in what is left.
fn split_header(input: &mut &[u8]) -> Result<Header> {
    let header = parse_header(&mut || take_octet(input))?;
    match header.length {
        Some(length) if length > input.len() as u64 => Err(ReadError::malformed("cut short")),
        _ => Ok(header),
    }
}

fn take_octet(input: &mut &[u8]) -> Result<u8> {
    let (octet, rest) = input
        .split_first()
        .ok_or(ReadError::malformed("cut short"))?;
    *input = rest;
    Ok(*octet)
}

/// Splits `length` octets off `input`.
fn split_octets<'a>(input: &mut &'a [u8], length: u64) -> Result<&'a [u8]> {
    let cut = usize::try_from(length)
        .ok()
        .and_then(|length| input.split_at_checked(length));
    let (octets, rest) = cut.ok_or(ReadError::malformed("cut short"))?;
    *input = rest;
    Ok(octets)
}

/// Universal types whose constructed form only joins segments (X.690 sections 8.7 and 8.23). A BIT STRING in segments
/// is refused: nothing we capture needs one.
fn is_segmented_string(tag: u8) -> bool {
    matches!(tag, 0x24 | 0x2C | 0x32..=0x3C | 0x3E)
}

fn normalise_element(input: &mut &[u8], depth: usize, out: &mut Vec<u8>) -> Result<()> {
    if depth > ASN1_DEPTH {
        return Err(ReadError::limit("ASN.1 nesting"));
    }
    let header = split_header(input)?;
    if !header.is_constructed() {
        let content = split_octets(input, header.length.unwrap_or(0))?;
        push_element(out, &header, header.tag, content);
        return Ok(());
    }
    if header.tag == tag::BIT_STRING | CONSTRUCTED {
        return Err(ReadError::malformed("a BIT STRING in segments"));
    }
    let mut content = Vec::new();
    let joined = is_segmented_string(header.tag);
    each_child(input, header.length, &mut |child| {
        if joined {
            join_segments(child, header.tag, depth + 1, &mut content)
        } else {
            normalise_element(child, depth + 1, &mut content)
        }
    })?;
    let tag = if joined {
        header.tag & !CONSTRUCTED
    } else {
        header.tag
    };
    push_element(out, &header, tag, &content);
    Ok(())
}

/// Appends the octets of one segment, itself perhaps constructed, of a string with constructed identifier `tag`.
fn join_segments(input: &mut &[u8], tag: u8, depth: usize, out: &mut Vec<u8>) -> Result<()> {
    if depth > ASN1_DEPTH {
        return Err(ReadError::limit("ASN.1 nesting"));
    }
    let header = split_header(input)?;
    match header.tag {
        found if found == tag => each_child(input, header.length, &mut |child| {
            join_segments(child, tag, depth + 1, out)
        }),
        found if found == tag & !CONSTRUCTED || found == tag::OCTET_STRING => {
            out.extend_from_slice(split_octets(input, header.length.unwrap_or(0))?);
            Ok(())
        }
        _ => Err(ReadError::malformed("a string with foreign segments")),
    }
}

/// Calls `each` for the elements of a constructed element whose header was just split off.
fn each_child(
    input: &mut &[u8],
    length: Option<u64>,
    each: &mut dyn FnMut(&mut &[u8]) -> Result<()>,
) -> Result<()> {
    if let Some(length) = length {
        let mut content = split_octets(input, length)?;
        while !content.is_empty() {
            each(&mut content)?;
        }
        return Ok(());
    }
    while !input.starts_with(&END_OF_CONTENTS) {
        each(input)?;
    }
    split_octets(input, 2).map(|_| ())
}

/// Appends an element with identifier `tag`; of a high tag number the octets after the first come from `header`.
fn push_element(out: &mut Vec<u8>, header: &Header, tag: u8, content: &[u8]) {
    out.push(tag);
    if tag & 0x1F == 0x1F {
        let rest = header.raw().get(1..).unwrap_or_default();
        let octets = rest
            .iter()
            .position(|octet| octet & 0x80 == 0)
            .map_or(0, |last| last.saturating_add(1));
        out.extend_from_slice(rest.get(..octets).unwrap_or_default());
    }
    push_length(out, content.len());
    out.extend_from_slice(content);
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    match u8::try_from(length) {
        Ok(short @ 0..0x80) => out.push(short),
        _ => {
            let octets = length.to_be_bytes();
            let significant: Vec<u8> = octets.into_iter().skip_while(|octet| *octet == 0).collect();
            out.push(0x80 | significant.len() as u8);
            out.extend_from_slice(&significant);
        }
    }
}

/// Takes a failure of a decoder apart from one of the storage below it: every error of `inner` comes out with a kind
/// that [`ReadError`] reads as ours, while decoders above report the sender's junk as `InvalidData`.
pub struct Ours<R>(pub R);

impl<R: Read> Read for Ours<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => io::Error::other(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn normalised_forms() {
        for (name, ber, der) in [
            ("already DER", "30 03 02 01 05", "30 03 02 01 05"),
            ("long length", "30 82 00 03 02 01 05", "30 03 02 01 05"),
            ("indefinite", "30 80 02 01 05 00 00", "30 03 02 01 05"),
            (
                "indefinite in definite",
                "30 07 30 80 02 01 05 00 00",
                "30 05 30 03 02 01 05",
            ),
            (
                "string in segments",
                "24 80 04 01 61 04 02 62 63 00 00",
                "04 03 61 62 63",
            ),
            (
                "segments in segments",
                "24 80 24 04 04 02 61 62 04 01 63 00 00",
                "04 03 61 62 63",
            ),
            ("empty segmented string", "24 80 00 00", "04 00"),
            ("UTF8String in segments", "2C 03 04 01 61", "0C 01 61"),
            (
                "order is kept",
                "31 06 02 01 09 02 01 01",
                "31 06 02 01 09 02 01 01",
            ),
            (
                "high tag number",
                "BF 81 01 80 05 00 00 00",
                "BF 81 01 02 05 00",
            ),
        ] {
            assert_eq!(normalise(&hex(ber)).unwrap(), hex(der), "{name}");
            let mut reader = BerReader::new(hex(ber).leak() as &[u8]);
            assert_eq!(reader.capture(100).unwrap(), hex(der), "{name}");
            assert!(reader.peek().unwrap().is_none(), "{name}");
        }
    }

    #[test]
    fn refused_forms() {
        for (name, ber) in [
            ("reserved length", "30 FF"),
            ("indefinite primitive", "04 80 00 00"),
            ("longer than its parent", "30 03 04 05 61"),
            ("header beyond its parent", "30 04 02 01 05 30 00"),
            ("cut short", "30 05 02 01"),
            (
                "length of nine octets",
                "30 89 00 00 00 00 00 00 00 00 01 05",
            ),
            ("length of 2^64-1", "04 88 FF FF FF FF FF FF FF FF"),
            ("end-of-contents outside", "30 04 00 00 00 00"),
            ("foreign segment", "24 80 02 01 05 00 00"),
            ("no end-of-contents", "30 80 02 01 05"),
            ("bit string in segments", "23 80 03 02 00 61 00 00"),
        ] {
            let octets = hex(ber);
            let mut reader = BerReader::new(octets.as_slice());
            let outcome = reader.capture(1000).and_then(|_| walk(&octets));
            assert!(
                matches!(outcome, Err(ReadError::Malformed(_))),
                "{name}: {outcome:?}"
            );
        }
    }

    /// Goes into everything constructed, skipping nothing.
    fn walk(octets: &[u8]) -> Result<u64> {
        let mut reader = BerReader::new(octets);
        let mut count = 0;
        loop {
            match reader.peek()? {
                Some(header) if header.is_constructed() => reader.enter_peeked(header)?,
                Some(_) => reader.skip()?,
                None if reader.frames.len() == 1 => return Ok(count),
                None => reader.leave()?,
            }
            count += 1;
        }
    }

    #[test]
    fn streamed_string_equals_its_segments() {
        let octets =
            hex("24 80 04 03 61 62 63 04 00 24 80 04 01 64 00 00 04 02 65 66 00 00 02 01 07");
        let mut reader = BerReader::new(octets.as_slice());
        reader.begin_string(tag::OCTET_STRING, "string").unwrap();
        let mut got = Vec::new();
        assert_eq!(
            reader
                .string_to(&mut |part| {
                    got.extend_from_slice(part);
                    Ok(())
                })
                .unwrap(),
            6
        );
        assert_eq!(got, b"abcdef");
        assert_eq!(reader.capture(10).unwrap(), hex("02 01 07"));

        let mut reader = BerReader::new(octets.as_slice());
        reader.begin_string(tag::OCTET_STRING, "string").unwrap();
        let (mut got, mut one) = (Vec::new(), [0; 2]);
        loop {
            match reader.read_string(&mut one).unwrap() {
                0 => break,
                n => got.extend_from_slice(&one[..n]),
            }
        }
        assert_eq!(got, b"abcdef");
        assert_eq!(reader.capture(10).unwrap(), hex("02 01 07"));
    }

    #[test]
    fn implicit_string_has_octet_string_segments() {
        let octets = hex("A0 80 04 02 61 62 04 01 63 00 00");
        let mut reader = BerReader::new(octets.as_slice());
        reader.begin_string(tag::context(0), "content").unwrap();
        let mut got = Vec::new();
        reader
            .string_to(&mut |part| {
                got.extend_from_slice(part);
                Ok(())
            })
            .unwrap();
        assert_eq!(got, b"abc");
    }

    #[test]
    fn leave_skips_what_was_not_read() {
        let octets = hex("30 80 02 01 01 30 80 02 01 02 00 00 02 01 03 00 00 05 00");
        let mut reader = BerReader::new(octets.as_slice());
        reader.enter(tag::SEQUENCE, "outer").unwrap();
        reader.expect(tag::INTEGER, "integer").unwrap();
        reader.leave().unwrap();
        assert_eq!(reader.capture(10).unwrap(), hex("05 00"));
    }

    #[test]
    fn c18_deep_nesting_ends_at_the_limit() {
        let deep = [0x30, 0x80].repeat(100_000);
        for outcome in [
            BerReader::new(deep.as_slice()).skip(),
            normalise(&deep).map(|_| ()),
            walk(&deep).map(|_| ()),
        ] {
            assert!(matches!(outcome, Err(ReadError::Limit(_))), "{outcome:?}");
        }
        let strings = [0x24, 0x80].repeat(100_000);
        let mut reader = BerReader::new(strings.as_slice());
        let outcome = reader
            .begin_string(tag::OCTET_STRING, "s")
            .and_then(|()| reader.string_to(&mut |_| Ok(())));
        assert!(matches!(outcome, Err(ReadError::Limit(_))));
    }

    #[test]
    fn captures_stop_at_their_cap() {
        let octets = [hex("30 82 01 00"), vec![0; 256]].concat();
        assert!(BerReader::new(octets.as_slice()).capture_raw(260).is_ok());
        assert!(matches!(
            BerReader::new(octets.as_slice()).capture_raw(259),
            Err(ReadError::Limit(_))
        ));
    }

    #[test]
    fn every_truncation_is_an_error() {
        let octets =
            hex("30 80 06 01 2A A0 80 24 80 04 03 61 62 63 00 00 00 00 31 03 02 01 05 00 00");
        assert!(normalise(&octets).is_ok());
        for length in 0..octets.len() {
            assert!(normalise(&octets[..length]).is_err(), "{length}");
            assert!(
                BerReader::new(&octets[..length]).skip().is_err(),
                "{length}"
            );
        }
    }
}
