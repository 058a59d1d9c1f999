//! Content-Transfer-Encoding as streams: base64, quoted-printable, and line ends (RFC 2045 section 6).

use std::io::{self, Read, Write};

use crate::header::HeaderBlock;
use crate::media::first_token;

mod base64;
mod quoted;

pub use base64::{Base64Reader, Base64Writer, base64_length};
pub use quoted::{QuotedReader, QuotedWriter};

/// How the octets of a body are written (RFC 2045 section 6.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransferEncoding {
    /// `7bit`, the default.
    #[default]
    SevenBit,
    /// `8bit`.
    EightBit,
    /// `binary`.
    Binary,
    /// `quoted-printable`.
    QuotedPrintable,
    /// `base64`.
    Base64,
    /// Anything else: the content cannot be read (RFC 2045 section 6.4).
    Unknown,
}

impl TransferEncoding {
    /// Reads the value of the field.
    pub fn parse(value: &[u8]) -> Self {
        match first_token(value).as_str() {
            "" | "7bit" => Self::SevenBit,
            "8bit" => Self::EightBit,
            "binary" => Self::Binary,
            "quoted-printable" => Self::QuotedPrintable,
            "base64" => Self::Base64,
            _ => Self::Unknown,
        }
    }

    /// What the first field of `header` says.
    pub fn of(header: &HeaderBlock) -> Self {
        header
            .first("Content-Transfer-Encoding")
            .map_or(Self::SevenBit, |field| Self::parse(&field.value()))
    }

    /// Whether the octets stand in the body as they are.
    pub fn is_identity(self) -> bool {
        matches!(self, Self::SevenBit | Self::EightBit | Self::Binary)
    }

    /// The name in the field; an unknown one has none and counts as `binary`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SevenBit => "7bit",
            Self::EightBit => "8bit",
            Self::Binary | Self::Unknown => "binary",
            Self::QuotedPrintable => "quoted-printable",
            Self::Base64 => "base64",
        }
    }

    /// A reader of the decoded octets of a body; leniently, as RFC 2045 sections 6.7 and 6.8 say.
    pub fn decoded<'r>(self, body: Box<dyn Read + Send + 'r>) -> Box<dyn Read + Send + 'r> {
        match self {
            Self::Base64 => Box::new(Base64Reader::lenient(body)),
            Self::QuotedPrintable => Box::new(QuotedReader::new(body)),
            _ => body,
        }
    }
}

/// Makes every line end CRLF: a bare CR or a bare LF becomes one (RFC 8551 section 3.1.1).
pub struct CrlfWriter<W: Write> {
    target: W,
    after_cr: bool,
}

impl<W: Write> CrlfWriter<W> {
    /// A writer onto `target`.
    pub fn new(target: W) -> Self {
        Self {
            target,
            after_cr: false,
        }
    }

    /// Ends an open line end and gives the target back.
    pub fn finish(mut self) -> io::Result<W> {
        if self.after_cr {
            self.target.write_all(b"\n")?;
        }
        Ok(self.target)
    }
}

impl<W: Write> Write for CrlfWriter<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let mut rest = data;
        while !rest.is_empty() {
            if self.after_cr {
                self.after_cr = false;
                self.target.write_all(b"\n")?;
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
                continue;
            }
            let (text, tail) = rest
                .split_at_checked(sound_lines(rest))
                .unwrap_or((rest, &[]));
            self.target.write_all(text)?;
            rest = match tail.split_first() {
                Some((b'\r', tail)) => {
                    self.after_cr = true;
                    self.target.write_all(b"\r")?;
                    tail
                }
                Some((_, tail)) => {
                    self.target.write_all(b"\r\n")?;
                    tail
                }
                None => tail,
            };
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.target.flush()
    }
}

/// Octets before the first line end that is not CRLF, or may not be one: a CR at the end.
fn sound_lines(text: &[u8]) -> usize {
    let mut ends = memchr::memchr2_iter(b'\r', b'\n', text);
    while let Some(at) = ends.next() {
        if text.get(at..at.saturating_add(2)) != Some(b"\r\n") {
            return at;
        }
        ends.next();
    }
    text.len()
}

/// Reads once, waiting out interruptions.
pub(crate) fn read_some(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Hands out `decoded` from `position`.
pub(crate) fn hand_out(decoded: &[u8], position: &mut usize, buffer: &mut [u8]) -> usize {
    let rest = decoded.get(*position..).unwrap_or_default();
    let count = rest.len().min(buffer.len());
    if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
        to.copy_from_slice(from);
    }
    *position = position.saturating_add(count);
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its octets a few at a time, so that every seam is met.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(self.0.len()).min(buffer.len());
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn all(mut reader: impl Read) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        reader.read_to_end(&mut out)?;
        Ok(out)
    }

    fn base64(data: &[u8]) -> Vec<u8> {
        let mut writer = Base64Writer::new(Vec::new());
        writer.write_all(data).unwrap();
        writer.finish().unwrap()
    }

    fn quoted(data: &[u8]) -> Vec<u8> {
        let mut writer = QuotedWriter::new(Vec::new());
        writer.write_all(data).unwrap();
        writer.finish().unwrap()
    }

    /// Octets of every value in no order.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1u32;
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect()
    }

    #[test]
    fn base64_comes_back_at_every_length_and_seam() {
        for length in (0..200).chain([57 * 512, 57 * 512 + 1, 200_000]) {
            let data = noise(length);
            let text = base64(&data);
            assert_eq!(text.len() as u64, base64_length(length as u64));
            assert!(text.split(|b| *b == b'\n').all(|line| line.len() <= 77));
            let step = if length < 200 { 1 } else { 4093 };
            for size in (1..9).map(|n| n * step) {
                assert_eq!(
                    all(Base64Reader::strict(Trickle(&text, size))).unwrap(),
                    data
                );
                assert_eq!(
                    all(Base64Reader::lenient(Trickle(&text, size))).unwrap(),
                    data
                );
            }
        }
        let mut open = Base64Writer::new(Vec::new());
        open.write_all(b"abc").unwrap();
        assert_eq!(open.finish_open().unwrap(), b"YWJj");
    }

    /// Whatever is written at once, the text is what single lines give.
    #[test]
    fn base64_lines_do_not_depend_on_what_is_written_at_once() {
        let data = noise(300_000);
        for length in [
            0, 1, 56, 57, 58, 113, 114, 115, 4000, 65_535, 65_536, 65_537, 300_000,
        ] {
            let data = &data[..length];
            let lines = data
                .chunks(57)
                .map(|line| base64_simd::STANDARD.encode_to_string(line));
            let lines: Vec<String> = lines.collect();
            let open = lines.join("\r\n");
            let closed = lines
                .iter()
                .map(|line| format!("{line}\r\n"))
                .collect::<String>();
            for size in [1, 7, 56, 57, 58, 171, 8192, 65_536, 100_000, 300_000] {
                let written = || {
                    let mut writer = Base64Writer::new(Vec::new());
                    data.chunks(size)
                        .for_each(|chunk| writer.write_all(chunk).unwrap());
                    writer
                };
                assert!(
                    written().finish().unwrap() == closed.as_bytes(),
                    "{length} by {size}"
                );
                assert!(
                    written().finish_open().unwrap() == open.as_bytes(),
                    "{length} by {size}"
                );
            }
        }
    }

    /// Any text is read alike however it is cut, and leniently as if octet after octet.
    #[test]
    fn base64_does_not_depend_on_what_is_read_at_once() {
        let words: [&[u8]; 14] = [
            b"QUJD",
            b"QUJD",
            b"QUJDREVG",
            b"Q",
            b"QU",
            b"A",
            b"+/",
            b"=",
            b"==",
            b"\r\n",
            b"\n",
            b"\r",
            b" ",
            b"-",
        ];
        let plainly = |text: &[u8]| {
            let (mut out, mut quantum) = (Vec::new(), Vec::new());
            let flush = |quantum: &[u8], out: &mut Vec<u8>| {
                let whole = [quantum, &b"AAAA"[..4 - quantum.len()]].concat();
                let octets = base64_simd::STANDARD.decode_to_vec(whole).unwrap();
                out.extend_from_slice(&octets[..quantum.len().saturating_sub(1)]);
            };
            for octet in text {
                match octet {
                    b'=' if quantum.len() > 1 => break,
                    octet if octet.is_ascii_alphanumeric() || b"+/".contains(octet) => {
                        quantum.push(*octet);
                    }
                    _ => {}
                }
                if quantum.len() == 4 {
                    flush(&quantum, &mut out);
                    quantum.clear();
                }
            }
            flush(&quantum, &mut out);
            out
        };
        let mut state = 1u32;
        let mut chance = |most: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as usize % most
        };
        for round in 0..3_000 {
            let known = [4, 10, 14][round % 3];
            let text: Vec<u8> = (0..chance(8))
                .flat_map(|_| words[chance(known)])
                .copied()
                .collect();
            let shown = text.escape_ascii().to_string();
            let strictly = all(Base64Reader::strict(&text[..]));
            for size in 1..=text.len() {
                let read = all(Base64Reader::lenient(Trickle(&text, size)));
                assert_eq!(read.unwrap(), plainly(&text), "{shown} by {size}");
                let read = all(Base64Reader::strict(Trickle(&text, size)));
                assert_eq!(read.is_ok(), strictly.is_ok(), "{shown} by {size}");
                assert!(read.is_err() || read.ok() == strictly.as_ref().ok().cloned());
            }
        }
    }

    #[test]
    fn base64_that_is_not_quite_base64() {
        let table: [(&str, &str, bool); 14] = [
            ("YWJj", "abc", true),
            ("Y W\tJ\r\nj\n", "abc", true),
            ("YWI=", "ab", true),
            ("YQ==\r\n\r\n", "a", true),
            ("YWJjYQ==YWJj", "abca", false),
            ("YWI", "ab", false),
            ("YQ", "a", false),
            ("Y", "", false),
            ("YWJ-j", "abc", false),
            ("=YWJj", "abc", false),
            ("YR==", "a", false),
            ("YQ=", "a", false),
            ("YQ===", "a", false),
            ("YWJj!\r\nYWJj\r\n", "abcabc", false),
        ];
        for (text, decoded, strict) in table {
            for size in 1..text.len() + 1 {
                let lenient = all(Base64Reader::lenient(Trickle(text.as_bytes(), size))).unwrap();
                assert_eq!(lenient, decoded.as_bytes(), "{text} by {size}");
                let checked = Base64Reader::strict(Trickle(text.as_bytes(), size)).check();
                assert_eq!(checked.is_ok(), strict, "{text} by {size}");
                let result = all(Base64Reader::strict(Trickle(text.as_bytes(), size)));
                assert_eq!(result.is_ok(), strict, "{text} by {size}");
            }
        }
    }

    #[test]
    fn quoted_printable_comes_back_and_survives_relays() {
        let long = "x".repeat(500) + "\r\n" + &"From ".repeat(100) + "\r\n" + &".-".repeat(200);
        let noise = noise(5000);
        let table: [&[u8]; 12] = [
            b"",
            b"plain\r\n",
            "Grüße\r\n".as_bytes(),
            b"trailing \r\nand\t\r\nend ",
            b"From me\r\n.\r\n--b\r\n-- \r\n",
            b"bare\nand\rand\r\r\n",
            b"\r",
            b"=41 =\r\n",
            b"\0\x7f\x0b",
            b" \t \r\n",
            long.as_bytes(),
            &noise,
        ];
        for data in table {
            let text = quoted(data);
            assert!(
                text.iter()
                    .all(|b| matches!(b, b'\t' | b'\r' | b'\n' | b' '..=b'~'))
            );
            for line in text.split(|b| *b == b'\n') {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                assert!(line.len() <= 76 && !line.contains(&b'\r'));
                assert!(!line.ends_with(b" ") && !line.ends_with(b"\t"));
                assert!(
                    !line.starts_with(b"From ")
                        && !line.starts_with(b".")
                        && !line.starts_with(b"--")
                );
            }
            for size in 1..8 {
                assert_eq!(all(QuotedReader::new(Trickle(&text, size))).unwrap(), data);
            }
        }
    }

    #[test]
    fn quoted_printable_as_others_write_it() {
        let table: [(&str, &str); 13] = [
            ("a=3Db", "a=b"),
            ("a=3db", "a=b"),
            ("a=\r\nb", "ab"),
            ("a= \t\r\nb", "ab"),
            ("a=\nb", "ab"),
            ("a  \r\nb \n", "a\r\nb\n"),
            ("a  b", "a  b"),
            ("a  ", "a"),
            ("a=", "a"),
            ("a=zz", "a=zz"),
            ("a=4", "a=4"),
            ("a==41", "a=A"),
            ("a \rb", "a \rb"),
        ];
        for (text, decoded) in table {
            for size in 1..8 {
                let read = all(QuotedReader::new(Trickle(text.as_bytes(), size))).unwrap();
                assert_eq!(
                    String::from_utf8(read).unwrap(),
                    decoded,
                    "{text:?} by {size}"
                );
            }
        }
    }

    #[test]
    fn c20_a_line_of_blanks_takes_linear_time_and_bounded_memory() {
        let text = vec![b' '; 3_000_000];
        assert!(all(QuotedReader::new(&text[..])).unwrap().len() <= text.len());
        let text = [b"=".to_vec(), text].concat();
        all(QuotedReader::new(&text[..])).unwrap();
    }

    #[test]
    fn m2_every_line_end_becomes_crlf() {
        let table: [(&[u8], &[u8]); 8] = [
            (b"a\nb", b"a\r\nb"),
            (b"a\rb", b"a\r\nb"),
            (b"a\r\nb", b"a\r\nb"),
            (b"\r\r\n.\r\r\n", b"\r\n\r\n.\r\n\r\n"),
            (b"\n.\n", b"\r\n.\r\n"),
            (b"\r.\r", b"\r\n.\r\n"),
            (b"\n\r", b"\r\n\r\n"),
            (b"", b""),
        ];
        for (raw, lines) in table {
            for size in 1..4 {
                let mut writer = CrlfWriter::new(Vec::new());
                raw.chunks(size)
                    .for_each(|chunk| writer.write_all(chunk).unwrap());
                assert_eq!(writer.finish().unwrap(), lines, "{raw:?} by {size}");
            }
        }
    }

    /// Every text of up to seven of these octets, cut in two at every place.
    #[test]
    fn m2_line_ends_are_those_of_octet_after_octet() {
        let plainly = |raw: &[u8]| {
            let mut out = Vec::new();
            for (at, octet) in raw.iter().enumerate() {
                match octet {
                    b'\n' if at > 0 && raw[at - 1] == b'\r' => {}
                    b'\r' | b'\n' => out.extend_from_slice(b"\r\n"),
                    octet => out.push(*octet),
                }
            }
            out
        };
        for length in 0..8 {
            for number in 0..3usize.pow(length) {
                let octet = |at| b"\r\nx"[number / 3usize.pow(at) % 3];
                let raw: Vec<u8> = (0..length).map(octet).collect();
                for cut in 0..=raw.len() {
                    let mut writer = CrlfWriter::new(Vec::new());
                    writer.write_all(&raw[..cut]).unwrap();
                    writer.write_all(&raw[cut..]).unwrap();
                    assert_eq!(writer.finish().unwrap(), plainly(&raw), "{raw:?} at {cut}");
                }
            }
        }
    }
}
