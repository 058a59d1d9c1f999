//! What text must be like to survive relays, judged in one streaming pass (RFC 8551 section 3.1.3, RFC 2045 section 2).

use std::io::{self, Read};

use crate::content::{Content, Slice, buffer_for};
use crate::encoding::read_some;
use crate::limits::{BUFFER_OCTETS, TEXT_LINE_OCTETS};

/// What was seen in a run of lines.
#[derive(Debug, Default)]
pub(crate) struct Form {
    eight_bit: bool,
    nul: bool,
    /// An LF without a CR before it.
    bare_lf: bool,
    /// Every CR.
    returns: u64,
    /// Lines that end with CRLF.
    ended: u64,
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
        let mut judged = Judged::new(slice.reader(0)?);
        let mut buffer = buffer_for(&slice);
        while read_some(&mut judged, &mut buffer)? > 0 {}
        Ok(judged.end())
    }

    /// Judges octets in memory.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut form = Self::default();
        form.feed(bytes);
        form.judge_open_line();
        form
    }

    /// Seven-bit lines that end with CRLF and have at most `columns` octets.
    pub fn is_lines(&self, columns: usize) -> bool {
        !self.has_stray_break() && self.is_seven_bit(columns)
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

    /// Whether SMTP carries it, with 8BITMIME (RFC 5321 sections 2.3.8 and 4.5.3.1.6, RFC 6152).
    pub fn is_carried(&self) -> bool {
        !self.has_stray_break() && self.has_text_lines()
    }

    /// Like `is_carried`, whatever the line ends.
    pub fn has_text_lines(&self) -> bool {
        !self.nul && self.longest <= TEXT_LINE_OCTETS
    }

    /// The octets that were fed end here.
    pub fn end(&mut self) {
        self.judge_open_line();
    }

    /// A CR or LF that is not part of a CRLF.
    fn has_stray_break(&self) -> bool {
        self.bare_lf || self.returns != self.ended
    }

    /// Judges more octets; `end` ends them.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.eight_bit |= !chunk.is_ascii();
        self.nul |= memchr::memchr(0, chunk).is_some();
        let returns = memchr::memchr_iter(b'\r', chunk).count();
        self.returns = self.returns.saturating_add(returns as u64);
        let mut start = 0usize;
        for at in memchr::memchr_iter(b'\n', chunk) {
            let line = chunk.get(start..at).unwrap_or_default();
            if self.line.octets == 0 {
                self.whole_line(line);
            } else {
                self.line.push(line);
                self.line_end();
            }
            start = at.saturating_add(1);
        }
        self.line.push(chunk.get(start..).unwrap_or_default());
    }

    /// A line that lies in one chunk, without its LF.
    fn whole_line(&mut self, line: &[u8]) {
        let text = line.strip_suffix(b"\r");
        self.count_line_end(text.is_some());
        let text = text.unwrap_or(line);
        self.longest = self.longest.max(text.len());
        self.blank_at_end |= matches!(text.last(), Some(b' ' | b'\t'));
        self.from_line |= text.starts_with(FROM);
    }

    /// The LF after an open line.
    fn line_end(&mut self) {
        let after_cr = self.line.tail[1] == b'\r';
        self.count_line_end(after_cr);
        if after_cr {
            self.line.octets = self.line.octets.saturating_sub(1);
            self.line.tail[1] = self.line.tail[0];
        }
        self.judge_open_line();
    }

    fn count_line_end(&mut self, after_cr: bool) {
        self.ended = self.ended.saturating_add(u64::from(after_cr));
        self.bare_lf |= !after_cr;
    }

    fn judge_open_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.longest = self.longest.max(line.octets);
        self.blank_at_end |= line.octets > 0 && matches!(line.tail[1], b' ' | b'\t');
        self.from_line |= line.from == FROM.len();
    }
}

impl Open {
    /// More of the line, no LF in it.
    fn push(&mut self, text: &[u8]) {
        let Some(last) = text.last() else { return };
        if self.from == self.octets {
            let rest = FROM.get(self.from..).unwrap_or_default();
            self.from += rest.iter().zip(text).take_while(|(a, b)| a == b).count();
        }
        let before = text.len().checked_sub(2).and_then(|at| text.get(at));
        self.tail = [before.copied().unwrap_or(self.tail[1]), *last];
        self.octets = self.octets.saturating_add(text.len());
    }
}

/// Judges what is read through it.
pub(crate) struct Judged<R: Read> {
    source: R,
    form: Form,
}

impl<R: Read> Judged<R> {
    /// A reader of `source`.
    pub fn new(source: R) -> Self {
        Self {
            source,
            form: Form::default(),
        }
    }

    /// What was read so far, as if nothing followed.
    pub fn end(mut self) -> Form {
        self.form.judge_open_line();
        self.form
    }
}

impl<R: Read> Read for Judged<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.form.feed(buffer.get(..count).unwrap_or_default());
        Ok(count)
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
                form.judge_open_line();
                assert_eq!(form.is_lines(76), lines, "{bytes:?} by {size}");
                assert_eq!(form.survives(76), survives, "{bytes:?} by {size}");
            }
        }
    }

    /// The same read off the whole text, plainly.
    fn plainly(bytes: &[u8], columns: usize) -> (bool, bool) {
        let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n\n");
        let lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').collect();
        let (last, ended) = lines.split_last().unwrap();
        let ended = ended.iter().map(|line| line.strip_suffix(b"\r"));
        let lines: Option<Vec<&[u8]>> = ended.chain([Some(*last)]).collect();
        let Some(lines) = lines else {
            return (false, false);
        };
        let is_lines = bytes.is_ascii()
            && !text.contains(['\r', '\0'])
            && lines.iter().all(|line| <[u8]>::len(line) <= columns);
        let changed = |line: &&[u8]| {
            line.ends_with(b" ") || line.ends_with(b"\t") || line.starts_with(b"From ")
        };
        (is_lines, is_lines && !lines.iter().any(changed))
    }

    #[test]
    fn any_text_is_judged_as_if_read_plainly() {
        let words: [&[u8]; 12] = [
            b"\r\n", b"\r\n", b"\r\n", b"From ", b"Fro", b"m ", b"x", b"xxxx", b" ", b"\t", b"\r",
            b"\n",
        ];
        let (mut state, mut seen) = (1u32, [0; 3]);
        let mut chance = |most: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as usize % most
        };
        for round in 0..20_000 {
            // Every other text has no bare line end, every tenth one octet that mail does not carry.
            let known = if round % 2 == 0 { 12 } else { 8 };
            let mut bytes: Vec<u8> = (0..chance(12))
                .flat_map(|_| words[chance(known)])
                .copied()
                .collect();
            if round % 10 == 0 {
                bytes.push([0, 0xfc][chance(2)]);
            }
            let mut form = Form::default();
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let (chunk, after) = rest.split_at(1 + chance(rest.len()));
                form.feed(chunk);
                rest = after;
            }
            form.judge_open_line();
            let expected = plainly(&bytes, 6);
            let found = (form.is_lines(6), form.survives(6));
            assert_eq!(found, expected, "{:?}", bytes.escape_ascii().to_string());
            seen[usize::from(expected.0) + usize::from(expected.1)] += 1;
        }
        assert!(seen.iter().all(|count| *count > 500), "{seen:?}");
    }

    #[test]
    fn utf8_across_seams() {
        let text = "ü€😀".repeat(20_000);
        assert!(is_utf8(&text.as_bytes(), (0, u64::MAX)).unwrap());
        assert!(!is_utf8(&text.as_bytes(), (0, 1)).unwrap());
        assert!(!is_utf8(&b"a\xfcb".to_vec(), (0, 3)).unwrap());
    }
}
