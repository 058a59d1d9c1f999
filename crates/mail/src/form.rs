//! What text must be like to survive relays, judged in one streaming pass (RFC 8551 section 3.1.3, RFC 2045 section 2).

use std::io::{self, Read};

use crate::content::{Content, Slice, buffer_for};
use crate::limits::{BUFFER_OCTETS, TEXT_LINE_OCTETS};

/// What was seen in a run of lines.
#[derive(Debug, Default)]
pub(crate) struct Form {
    eight_bit: bool,
    nul: bool,
    /// A CR or LF that is not part of a CRLF.
    stray_break: bool,
    /// Octets of the longest line without its line end.
    longest: usize,
    /// A blank stands before a line end or at the end.
    blank_at_end: bool,
    /// A line begins with `From `, which mail stores change.
    from_line: bool,
    line: Open,
}

/// The line being read.
#[derive(Debug, Default)]
struct Open {
    octets: usize,
    /// The last two octets, the later one second.
    tail: [u8; 2],
    /// Octets of `From ` matched so far, while all before matched.
    from: usize,
}

const FROM: &[u8] = b"From ";

impl Form {
    /// Judges the octets `range` of `content`.
    pub fn of(content: &dyn Content, range: (u64, u64)) -> io::Result<Self> {
        let slice = Slice::new(content, range.0, range.1);
        let mut reader = slice.reader(0)?;
        let mut buffer = buffer_for(&slice);
        let mut form = Self::default();
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => form.feed(buffer.get(..count).unwrap_or_default()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        form.end();
        Ok(form)
    }

    /// Judges octets in memory.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut form = Self::default();
        form.feed(bytes);
        form.end();
        form
    }

    /// Seven-bit lines that end with CRLF and have at most `columns` octets.
    pub fn is_lines(&self, columns: usize) -> bool {
        !self.stray_break && self.is_seven_bit(columns)
    }

    /// Like `is_lines`, whatever the line ends.
    pub fn is_seven_bit(&self, columns: usize) -> bool {
        !self.eight_bit && !self.nul && self.longest <= columns
    }

    /// Whether relays leave it as it is: `is_lines`, no blank at a line's end, no line that begins with `From `.
    pub fn survives(&self, columns: usize) -> bool {
        self.is_lines(columns) && !self.blank_at_end && !self.from_line
    }

    /// Whether it holds octets above 127.
    pub fn has_eight_bit(&self) -> bool {
        self.eight_bit
    }

    fn feed(&mut self, chunk: &[u8]) {
        let mut start = 0usize;
        for at in memchr::memchr_iter(b'\n', chunk) {
            self.text(chunk.get(start..at).unwrap_or_default());
            self.line_end();
            start = at.saturating_add(1);
        }
        self.text(chunk.get(start..).unwrap_or_default());
    }

    /// More of the current line, no LF in it.
    fn text(&mut self, text: &[u8]) {
        let Some(last) = text.last() else { return };
        let line = &mut self.line;
        if line.octets > 0 && line.tail[1] == b'\r' {
            self.stray_break = true;
        }
        self.eight_bit |= !text.is_ascii();
        for at in memchr::memchr2_iter(b'\r', 0, text) {
            match text.get(at) {
                Some(0) => self.nul = true,
                _ => self.stray_break |= at.saturating_add(1) < text.len(),
            }
        }
        if line.from == line.octets {
            let rest = FROM.get(line.from..).unwrap_or_default();
            line.from += rest.iter().zip(text).take_while(|(a, b)| a == b).count();
        }
        let before = text.len().checked_sub(2).and_then(|at| text.get(at));
        line.tail = [before.copied().unwrap_or(line.tail[1]), *last];
        line.octets = line.octets.saturating_add(text.len());
    }

    fn line_end(&mut self) {
        if self.line.octets > 0 && self.line.tail[1] == b'\r' {
            self.line.octets = self.line.octets.saturating_sub(1);
            self.line.tail[1] = self.line.tail[0];
        } else {
            self.stray_break = true;
        }
        self.judge_line();
    }

    fn judge_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.longest = self.longest.max(line.octets);
        self.blank_at_end |= line.octets > 0 && matches!(line.tail[1], b' ' | b'\t');
        self.from_line |= line.from == FROM.len();
    }

    /// The end without a line end.
    fn end(&mut self) {
        self.stray_break |= self.line.octets > 0 && self.line.tail[1] == b'\r';
        self.judge_line();
    }
}

/// What the decoded octets of a text would cost, to choose between the two encodings.
#[derive(Debug, Default)]
pub(crate) struct Cost {
    octets: u64,
    escapes: u64,
}

impl Cost {
    /// Counts what `reader` gives.
    pub fn of(mut reader: impl Read) -> io::Result<Self> {
        let mut buffer = vec![0; BUFFER_OCTETS];
        let mut cost = Self::default();
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(cost),
                Ok(count) => {
                    let chunk = buffer.get(..count).unwrap_or_default();
                    let plain =
                        |b: &&u8| matches!(b, b' '..=b'<' | b'>'..=b'~' | b'\t' | b'\r' | b'\n');
                    let plain = chunk.iter().filter(plain).count();
                    cost.octets = cost.octets.saturating_add(count as u64);
                    cost.escapes = cost
                        .escapes
                        .saturating_add(count.saturating_sub(plain) as u64);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Whether quoted-printable (three octets an escape) is no longer than base64 (four for three).
    pub fn prefers_quoted(&self) -> bool {
        self.escapes.saturating_mul(6) <= self.octets
    }
}

/// Whether the octets `range` of `content` are UTF-8.
pub(crate) fn is_utf8(content: &dyn Content, range: (u64, u64)) -> io::Result<bool> {
    let slice = Slice::new(content, range.0, range.1);
    let mut reader = slice.reader(0)?;
    let mut buffer = buffer_for(&slice);
    let mut kept: Vec<u8> = Vec::new();
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => return Ok(kept.is_empty()),
            Ok(count) => count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        kept.extend_from_slice(buffer.get(..count).unwrap_or_default());
        match std::str::from_utf8(&kept) {
            Ok(_) => kept.clear(),
            Err(e) if e.error_len().is_some() => return Ok(false),
            Err(e) => drop(kept.drain(..e.valid_up_to())),
        }
    }
}

/// `lines` with every line end made CRLF; for headers, which are in memory.
pub(crate) fn with_crlf(lines: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(lines.len().saturating_add(2));
    for line in lines.split_inclusive(|b| *b == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        out.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Whether header lines can stand in an S/MIME entity: seven-bit and no longer than a line of mail.
pub(crate) fn header_survives(lines: &[u8]) -> bool {
    Form::of_bytes(lines).is_seven_bit(TEXT_LINE_OCTETS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_at_every_seam() {
        let long = "x".repeat(77) + "\r\n";
        // Lines of at most 76 octets, survives relays.
        let table: [(&[u8], bool, bool); 20] = [
            (b"", true, true),
            (b"a\r\nb\r\n", true, true),
            (b"a", true, true),
            (b"\r\n\r\n", true, true),
            (b"a \r\nb", true, false),
            (b"a\t\r\n", true, false),
            (b"a\r\n \r\n", true, false),
            (b"a ", true, false),
            (b"From me\r\n", true, false),
            (b"a\r\nFrom ", true, false),
            (b"From:\r\n", true, true),
            (b">From \x41\r\n", true, true),
            (b"a From b\r\n", true, true),
            (b"a\nb", false, false),
            (b"a\rb\r\n", false, false),
            (b"a\r\r\n", false, false),
            (b"a\r", false, false),
            (b"\xfc\r\n", false, false),
            (b"a\0b\r\n", false, false),
            (long.as_bytes(), false, false),
        ];
        for (bytes, lines, survives) in table {
            for size in 1..6 {
                let mut form = Form::default();
                bytes.chunks(size).for_each(|chunk| form.feed(chunk));
                form.end();
                assert_eq!(form.is_lines(76), lines, "{bytes:?} by {size}");
                assert_eq!(form.survives(76), survives, "{bytes:?} by {size}");
            }
        }
    }

    #[test]
    fn utf8_across_seams() {
        let text = "ü€😀".repeat(20_000);
        assert!(is_utf8(&text.as_bytes(), (0, u64::MAX)).unwrap());
        assert!(!is_utf8(&text.as_bytes(), (0, 1)).unwrap());
        assert!(!is_utf8(&b"a\xfcb".to_vec(), (0, 3)).unwrap());
    }
}
