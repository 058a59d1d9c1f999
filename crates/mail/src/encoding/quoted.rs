//! Quoted-printable as streams (RFC 2045 section 6.7).

use std::io::{self, Read, Write};

use super::{hand_out, read_some};
use crate::limits::{BUFFER_OCTETS, ENCODED_COLUMNS, QUOTED_BLANKS_OCTETS};
use crate::words::hex_octet;

/// Writes quoted-printable (RFC 2045 section 6.7): CRLF in the input is a line break, every other control is escaped, so
/// any octets come back. Beyond the rules it escapes what relays change: blanks at line ends, `From ` and a dot or hyphen
/// at the start of a line.
pub struct QuotedWriter<W: Write> {
    target: W,
    out: Vec<u8>,
    column: usize,
    /// A blank or CR whose successor decides how it is written.
    held: Option<u8>,
}

impl<W: Write> QuotedWriter<W> {
    /// A writer onto `target`.
    pub fn new(target: W) -> Self {
        Self {
            target,
            out: Vec::new(),
            column: 0,
            held: None,
        }
    }

    /// Writes what is left and gives the target back. No line break is added.
    pub fn finish(mut self) -> io::Result<W> {
        if let Some(held) = self.held.take() {
            self.escaped(held);
        }
        self.target.write_all(&self.out)?;
        Ok(self.target)
    }

    fn push(&mut self, b: u8) {
        if let Some(held) = self.held.take() {
            match (held, b) {
                (b'\r', b'\n') => return self.line_break(),
                (b'\r', _) => self.escaped(held),
                (_, b'\r') => self.escaped(held),
                _ => self.literal(held),
            }
        }
        match b {
            b' ' | b'\t' | b'\r' => self.held = Some(b),
            b'.' | b'-' | b'F' if self.column == 0 => self.escaped(b),
            b'!'..=b'<' | b'>'..=b'~' => self.literal(b),
            _ => self.escaped(b),
        }
    }

    fn line_break(&mut self) {
        self.out.extend_from_slice(b"\r\n");
        self.column = 0;
    }

    fn literal(&mut self, b: u8) {
        self.room(1);
        // What was no line start may have become one by the soft break.
        if self.column == 0 && matches!(b, b'.' | b'-' | b'F') {
            return self.escaped(b);
        }
        self.out.push(b);
        self.column = self.column.saturating_add(1);
    }

    fn escaped(&mut self, b: u8) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        self.room(3);
        let digit = |n: u8| DIGITS.get(usize::from(n)).copied().unwrap_or(b'0');
        self.out
            .extend_from_slice(&[b'=', digit(b >> 4), digit(b & 15)]);
        self.column = self.column.saturating_add(3);
    }

    /// A soft line break if `width` more characters and its own `=` do not fit.
    fn room(&mut self, width: usize) {
        if self.column.saturating_add(width) >= ENCODED_COLUMNS {
            self.out.extend_from_slice(b"=\r\n");
            self.column = 0;
        }
    }
}

impl<W: Write> Write for QuotedWriter<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let taken = data.get(..BUFFER_OCTETS).unwrap_or(data);
        taken.iter().for_each(|b| self.push(*b));
        self.target.write_all(&self.out)?;
        self.out.clear();
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads quoted-printable (RFC 2045 section 6.7): blanks at line ends are dropped, a `=` that begins neither an escape
/// nor a soft line break stays as it is, line ends stay as they are.
pub struct QuotedReader<R: Read> {
    source: R,
    raw: Vec<u8>,
    /// Octets not yet understood: the start of an escape, or blanks that may end a line.
    pending: Vec<u8>,
    decoded: Vec<u8>,
    position: usize,
    ended: bool,
}

impl<R: Read> QuotedReader<R> {
    /// A reader of the decoded octets of `source`.
    pub fn new(source: R) -> Self {
        let raw = vec![0; BUFFER_OCTETS];
        Self {
            source,
            raw,
            pending: Vec::new(),
            decoded: Vec::new(),
            position: 0,
            ended: false,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.decoded.clear();
        self.position = 0;
        while self.decoded.is_empty() && !self.ended {
            let count = read_some(&mut self.source, &mut self.raw)?;
            self.pending
                .extend_from_slice(self.raw.get(..count).unwrap_or_default());
            self.ended = count == 0;
            let pending = std::mem::take(&mut self.pending);
            let mut rest = pending.as_slice();
            while let Some(used) = self.step(rest) {
                rest = rest.get(used..).unwrap_or_default();
            }
            self.pending = rest.to_vec();
        }
        Ok(())
    }

    /// Decodes the start of `rest`; gives how many octets that used, or `None` if more must be read first.
    fn step(&mut self, rest: &[u8]) -> Option<usize> {
        let special = memchr::memchr3(b'=', b' ', b'\t', rest);
        match special {
            None if rest.is_empty() => None,
            Some(0) if rest.starts_with(b"=") => self.equals(rest),
            Some(0) => self.blanks(rest),
            other => {
                let end = other.unwrap_or(rest.len());
                self.decoded
                    .extend_from_slice(rest.get(..end).unwrap_or_default());
                Some(end)
            }
        }
    }

    /// `=XX`, or a soft line break: `=`, blanks, line end.
    fn equals(&mut self, rest: &[u8]) -> Option<usize> {
        if let [_, high, low, ..] = rest
            && let Some(octet) = hex_octet(*high, *low)
        {
            self.decoded.push(octet);
            return Some(3);
        }
        let after = rest.get(1..).unwrap_or_default();
        let blanks = blank_prefix(after);
        match after.get(blanks..).unwrap_or_default() {
            [b'\n', ..] => Some(blanks.saturating_add(2)),
            [b'\r', b'\n', ..] => Some(blanks.saturating_add(3)),
            [] | [b'\r'] | [_] if !self.ended && blanks < QUOTED_BLANKS_OCTETS => None,
            [] if self.ended => Some(rest.len()),
            _ => {
                self.decoded.push(b'=');
                Some(1)
            }
        }
    }

    /// Blanks: dropped before a line end or the end, else kept.
    fn blanks(&mut self, rest: &[u8]) -> Option<usize> {
        let count = blank_prefix(rest);
        match rest.get(count..).unwrap_or_default() {
            [b'\n', ..] | [b'\r', b'\n', ..] => Some(count),
            [] | [b'\r'] if !self.ended && count < QUOTED_BLANKS_OCTETS => None,
            [] if self.ended => Some(count),
            _ => {
                self.decoded
                    .extend_from_slice(rest.get(..count).unwrap_or_default());
                Some(count)
            }
        }
    }
}

fn blank_prefix(text: &[u8]) -> usize {
    text.iter()
        .take_while(|b| matches!(b, b' ' | b'\t'))
        .count()
}

impl<R: Read> Read for QuotedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.decoded.len() && !buffer.is_empty() {
            self.refill()?;
        }
        Ok(hand_out(&self.decoded, &mut self.position, buffer))
    }
}
