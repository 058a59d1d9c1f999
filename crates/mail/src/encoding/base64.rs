//! Base64 as streams (RFC 2045 section 6.8).

use std::io::{self, Read, Write};

use super::{hand_out, read_some};
use crate::limits::{BUFFER_OCTETS, ENCODED_COLUMNS};

/// Octets of one full base64 line.
const LINE_INPUT: usize = ENCODED_COLUMNS / 4 * 3;

/// How many octets `Base64Writer` makes of `octets` with `finish`.
pub const fn base64_length(octets: u64) -> u64 {
    let characters = octets.div_ceil(3).saturating_mul(4);
    characters.saturating_add(octets.div_ceil(LINE_INPUT as u64).saturating_mul(2))
}

/// Writes base64 in lines of 76 characters that each end with CRLF (RFC 2045 section 6.8).
/// Nothing is complete before `finish` or `finish_open`.
pub struct Base64Writer<W: Write> {
    target: W,
    /// Octets of a line that is not full yet.
    open: Vec<u8>,
    characters: Vec<u8>,
    /// Lines not yet written to the target.
    lines: Vec<u8>,
    /// There was a line whose CRLF is still owed.
    owed: bool,
}

impl<W: Write> Base64Writer<W> {
    /// A writer onto `target`.
    pub fn new(target: W) -> Self {
        Self {
            target,
            open: Vec::with_capacity(LINE_INPUT),
            characters: Vec::new(),
            lines: Vec::new(),
            owed: false,
        }
    }

    /// Writes what is left, ends the last line, and gives the target back.
    pub fn finish(mut self) -> io::Result<W> {
        self.close_line();
        if self.owed {
            self.lines.extend_from_slice(b"\r\n");
        }
        self.write_lines()?;
        Ok(self.target)
    }

    /// Like `finish`, but without a CRLF after the last line: before a boundary, whose own CRLF ends it.
    pub fn finish_open(mut self) -> io::Result<W> {
        self.close_line();
        self.write_lines()?;
        Ok(self.target)
    }

    /// Makes a line of the octets that wait for more.
    fn close_line(&mut self) {
        let open = std::mem::take(&mut self.open);
        self.encode(&open);
        self.open = open;
        self.open.clear();
    }

    /// Encodes `octets` in one go, then cuts lines; only the last call may bring a number not divisible by a line's.
    fn encode(&mut self, octets: &[u8]) {
        self.characters.clear();
        base64_simd::STANDARD.encode_append(octets, &mut self.characters);
        let (full, last) = self.characters.as_chunks::<ENCODED_COLUMNS>();
        for line in full {
            self.lines
                .extend_from_slice(if self.owed { b"\r\n" } else { b"" });
            self.lines.extend_from_slice(line);
            self.owed = true;
        }
        if !last.is_empty() {
            self.lines
                .extend_from_slice(if self.owed { b"\r\n" } else { b"" });
            self.lines.extend_from_slice(last);
            self.owed = true;
        }
    }

    fn write_lines(&mut self) -> io::Result<()> {
        self.target.write_all(&self.lines)?;
        self.lines.clear();
        Ok(())
    }
}

impl<W: Write> Write for Base64Writer<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let data = data.get(..BUFFER_OCTETS).unwrap_or(data);
        let missing = LINE_INPUT.saturating_sub(self.open.len());
        let Some((first, rest)) = data.split_at_checked(missing) else {
            self.open.extend_from_slice(data);
            return Ok(data.len());
        };
        self.open.extend_from_slice(first);
        self.close_line();
        let (lines, open) = rest.as_chunks::<LINE_INPUT>();
        self.encode(lines.as_flattened());
        self.open.extend_from_slice(open);
        if self.lines.len() >= BUFFER_OCTETS {
            self.write_lines()?;
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads base64 (RFC 2045 section 6.8). Padding ends the data.
pub struct Base64Reader<R: Read> {
    source: R,
    strict: bool,
    /// Characters read and not yet decoded, without line ends.
    text: Vec<u8>,
    raw: Vec<u8>,
    decoded: Vec<u8>,
    position: usize,
    state: Base64State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Base64State {
    Reading,
    /// After padding: only blanks may follow where that matters.
    Padded,
    Ended,
}

impl<R: Read> Base64Reader<R> {
    /// Passes over every character outside the alphabet, ends at padding, and drops an incomplete last character.
    pub fn lenient(source: R) -> Self {
        Self::new(source, false)
    }

    /// Allows line ends and blanks only; junk, text after padding, missing padding and stray bits are `InvalidData`.
    pub fn strict(source: R) -> Self {
        Self::new(source, true)
    }

    fn new(source: R, strict: bool) -> Self {
        let raw = vec![0; BUFFER_OCTETS];
        let state = Base64State::Reading;
        Self {
            source,
            strict,
            text: Vec::new(),
            raw,
            decoded: Vec::new(),
            position: 0,
            state,
        }
    }

    /// Reads to the end and hands nothing out: an error says that it could not be read, or is not base64.
    pub fn check(mut self) -> io::Result<()> {
        loop {
            self.refill()?;
            if self.decoded.is_empty() {
                return Ok(());
            }
        }
    }

    /// Decodes the next piece into `decoded`, which stays empty only at the end.
    fn refill(&mut self) -> io::Result<()> {
        self.decoded.clear();
        self.position = 0;
        while self.decoded.is_empty() && self.state != Base64State::Ended {
            let count = read_some(&mut self.source, &mut self.raw)?;
            push_lines(self.raw.get(..count).unwrap_or_default(), &mut self.text);
            match self.state {
                Base64State::Padded => self.check_tail()?,
                _ => self.decode(count == 0)?,
            }
            if count == 0 {
                self.state = Base64State::Ended;
            }
        }
        Ok(())
    }

    fn decode(&mut self, last: bool) -> io::Result<()> {
        let keep = if last { 0 } else { self.text.len() % 4 };
        let whole = self.text.len().saturating_sub(keep);
        let head = self.text.get(..whole).unwrap_or_default();
        if base64_simd::STANDARD
            .decode_append(head, &mut self.decoded)
            .is_ok()
        {
            if head.ends_with(b"=") {
                self.state = Base64State::Padded;
            }
            self.text.drain(..whole);
            if self.state == Base64State::Padded {
                self.check_tail()
            } else {
                Ok(())
            }
        } else {
            self.decoded.clear();
            self.decode_slowly(last)
        }
    }

    /// After padding: what is left over must be blanks if strict.
    fn check_tail(&mut self) -> io::Result<()> {
        let clean = self.text.iter().all(u8::is_ascii_whitespace);
        self.text.clear();
        if self.strict && !clean {
            Err(bad("text after the end of base64"))
        } else {
            Ok(())
        }
    }

    /// Character by character: for text with blanks, junk, padding in the middle or a wrong end.
    fn decode_slowly(&mut self, last: bool) -> io::Result<()> {
        let text = std::mem::take(&mut self.text);
        let mut quantum: Vec<u8> = Vec::with_capacity(4);
        let mut rest = text.iter();
        for b in rest.by_ref() {
            match b {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => quantum.push(*b),
                b'=' if quantum.len() >= 2 => {
                    self.state = Base64State::Padded;
                    break;
                }
                b if self.strict && !b.is_ascii_whitespace() => {
                    return Err(bad("a character that is not base64"));
                }
                _ => {}
            }
            if quantum.len() == 4 {
                self.push_quantum(&quantum);
                quantum.clear();
            }
        }
        if self.state == Base64State::Padded {
            let after = rest.as_slice();
            let missing = 3usize.saturating_sub(quantum.len());
            if last || missing == 0 || !after.iter().all(u8::is_ascii_whitespace) {
                return self.end_quantum(&quantum, after);
            }
            // The other one is still to be read.
            self.state = Base64State::Reading;
            quantum.push(b'=');
            self.text = quantum;
            return Ok(());
        }
        if last {
            if self.strict && !quantum.is_empty() {
                return Err(bad("base64 without its end"));
            }
            self.push_quantum(&quantum);
        } else {
            self.text = quantum;
        }
        Ok(())
    }

    /// The quantum before padding, and what follows the first `=`.
    fn end_quantum(&mut self, quantum: &[u8], after: &[u8]) -> io::Result<()> {
        let complete = self.push_quantum(quantum);
        let pads = after
            .iter()
            .filter(|b| **b == b'=')
            .count()
            .saturating_add(1);
        if self.strict && !(complete && pads.saturating_add(quantum.len()) == 4) {
            return Err(bad("wrong padding of base64"));
        }
        self.text = after.iter().copied().filter(|b| *b != b'=').collect();
        self.check_tail()
    }

    /// Decodes two to four characters; false if bits are left over that are not zero.
    fn push_quantum(&mut self, quantum: &[u8]) -> bool {
        let bits = quantum
            .iter()
            .fold(0u32, |sum, c| sum << 6 | u32::from(sextet(*c)));
        let missing = 4usize.saturating_sub(quantum.len());
        let octets = (bits << (6 * missing.min(4))).to_be_bytes();
        let count = quantum.len().saturating_sub(1);
        let [_, octets @ ..] = octets;
        self.decoded.extend(octets.iter().take(count));
        octets.iter().skip(count).all(|b| *b == 0)
    }
}

/// Appends the lines of `raw` to `text`, without their ends.
fn push_lines(raw: &[u8], text: &mut Vec<u8>) {
    let mut push = |line: &[u8]| text.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
    let mut start = 0usize;
    for at in memchr::memchr_iter(b'\n', raw) {
        push(raw.get(start..at).unwrap_or_default());
        start = at.saturating_add(1);
    }
    push(raw.get(start..).unwrap_or_default());
}

/// The six bits of a character of the alphabet.
fn sextet(c: u8) -> u8 {
    match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl<R: Read> Read for Base64Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.decoded.len() && !buffer.is_empty() {
            self.refill()?;
        }
        Ok(hand_out(&self.decoded, &mut self.position, buffer))
    }
}
