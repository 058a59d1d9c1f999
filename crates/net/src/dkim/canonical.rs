//! The relaxed canonical forms of DKIM: of a field (RFC 6376 section 3.4.2) and, as a stream, of a body (section 3.4.4).

use std::io::{self, Write};

use crate::limits::CONTENT_CHUNK_OCTETS;

/// A whole field in canonical form, ended by CRLF.
pub(super) fn field(raw: &[u8]) -> Vec<u8> {
    let colon = memchr::memchr(b':', raw).unwrap_or(raw.len());
    let (name, value) = raw.split_at(colon);
    let mut out = name.trim_ascii_end().to_ascii_lowercase();
    out.push(b':');
    let words = value
        .strip_prefix(b":")
        .unwrap_or(value)
        .split(|octet| matches!(octet, b' ' | b'\t' | b'\r' | b'\n'))
        .filter(|word| !word.is_empty());
    for (number, word) in words.enumerate() {
        if number > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// Brings a body into canonical form while it is written: blanks at the end of a line and empty lines at the end of the body
/// go, other runs of blanks become one, and a last line is ended.
pub(super) struct Body<W: Write> {
    target: W,
    block: Vec<u8>,
    /// A CR whose LF may come next.
    cr: bool,
    /// Blanks that count if something follows in their line.
    blank: bool,
    /// Line ends that count if something follows.
    lines: u64,
    /// Something was written.
    any: bool,
}

impl<W: Write> Body<W> {
    /// Writes to `target`.
    pub(super) fn new(target: W) -> Self {
        Self {
            target,
            block: Vec::with_capacity(CONTENT_CHUNK_OCTETS),
            cr: false,
            blank: false,
            lines: 0,
            any: false,
        }
    }

    /// Takes more of the body.
    pub(super) fn write(&mut self, mut octets: &[u8]) -> io::Result<()> {
        while let Some(&first) = octets.first() {
            if std::mem::take(&mut self.cr) {
                if first == b'\n' {
                    self.blank = false;
                    self.lines = self.lines.saturating_add(1);
                    octets = octets.get(1..).unwrap_or_default();
                    continue;
                }
                // A CR alone is an octet like others.
                self.text(b"\r")?;
            }
            let run = memchr::memchr3(b' ', b'\t', b'\r', octets).unwrap_or(octets.len());
            let (text, rest) = octets.split_at(run);
            if !text.is_empty() {
                self.text(text)?;
            }
            match rest.first() {
                Some(b'\r') => self.cr = true,
                Some(_) => self.blank = true,
                None => {}
            }
            octets = rest.get(1..).unwrap_or_default();
        }
        Ok(())
    }

    /// Writes what was kept back, then `text`.
    fn text(&mut self, text: &[u8]) -> io::Result<()> {
        for _ in 0..std::mem::take(&mut self.lines) {
            self.put(b"\r\n")?;
        }
        if std::mem::take(&mut self.blank) {
            self.put(b" ")?;
        }
        self.any = true;
        self.put(text)
    }

    fn put(&mut self, octets: &[u8]) -> io::Result<()> {
        if self.block.len().saturating_add(octets.len()) > CONTENT_CHUNK_OCTETS {
            self.target.write_all(&self.block)?;
            self.block.clear();
        }
        self.block.extend_from_slice(octets);
        Ok(())
    }

    /// Ends the body and gives the target back.
    pub(super) fn finish(mut self) -> io::Result<W> {
        if std::mem::take(&mut self.cr) {
            self.text(b"\r")?;
        }
        if self.any {
            self.put(b"\r\n")?;
        }
        self.target.write_all(&self.block)?;
        Ok(self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6376 section 3.4.5.
    #[test]
    fn the_example() {
        assert_eq!(field(b"A: X\r\n"), b"a:X\r\n");
        assert_eq!(field(b"B : Y\t\r\n\tZ  \r\n"), b"b:Y Z\r\n");
        let whole = canonical(b" C \r\nD \t E\r\n\r\n\r\n", 1000);
        assert_eq!(whole, b" C\r\nD E\r\n");
    }

    fn canonical(body: &[u8], size: usize) -> Vec<u8> {
        let mut writer = Body::new(Vec::new());
        body.chunks(size)
            .for_each(|part| writer.write(part).unwrap());
        writer.finish().unwrap()
    }

    #[test]
    fn bodies_in_any_pieces() {
        let table: [(&[u8], &[u8]); 16] = [
            (b"", b""),
            (b"\r\n", b""),
            (b"\r\n\r\n", b""),
            (b" \t \r\n \r\n", b""),
            (b"   ", b""),
            (b"a", b"a\r\n"),
            (b"a\r\n", b"a\r\n"),
            (b"a\r\n\r\n\r\n", b"a\r\n"),
            (b"\r\n\r\na", b"\r\n\r\na\r\n"),
            (b"a \t b\t\r\n", b"a b\r\n"),
            (b"a\r\n \r\nb", b"a\r\n\r\nb\r\n"),
            (b" a", b" a\r\n"),
            // CR and LF alone are octets like others.
            (b"a\rb\nc\r\n", b"a\rb\nc\r\n"),
            (b"a\r\r\nb\r", b"a\r\r\nb\r\r\n"),
            (b"a \r b", b"a \r b\r\n"),
            (b"\xff\x00 \xfe\r\n", b"\xff\x00 \xfe\r\n"),
        ];
        for (body, expected) in table {
            for size in [1, 2, 3, 1000] {
                let found = canonical(body, size);
                let shown = String::from_utf8_lossy(body);
                assert_eq!(found, expected, "{shown:?} by {size}");
            }
        }
    }

    #[test]
    fn more_than_one_block() {
        let body = b"0123456789 abcdef\r\n".repeat(20_000);
        for size in [7, 65_536, body.len()] {
            assert!(canonical(&body, size) == body, "by {size}");
        }
    }

    #[test]
    fn fields() {
        let table: [(&[u8], &[u8]); 5] = [
            (b"Subject:\r\n", b"subject:\r\n"),
            (b"Subject: a:b\r\n", b"subject:a:b\r\n"),
            (b"SUBJECT:a\r\n b\r\n", b"subject:a b\r\n"),
            (b"Subject:\r\n a\t\r\n\t b", b"subject:a b\r\n"),
            (
                b"Subject: \xc3\xa4 \xc3\xb6\r\n",
                b"subject:\xc3\xa4 \xc3\xb6\r\n",
            ),
        ];
        for (raw, expected) in table {
            assert_eq!(field(raw), expected, "{:?}", String::from_utf8_lossy(raw));
        }
    }
}
