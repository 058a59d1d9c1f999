//! What SMTP can carry, made of what it cannot: an entity that was encrypted may hold binary parts (RFC 8551 section 3.1.2), bare
//! line ends, and lines of any length.
//!
//! Every line ends with CRLF. A leaf that SMTP cannot carry is written in base64 and decodes to the same octets. What lies
//! under a clear signature keeps its form, since another one would break the signature.

use std::io::{self, Write};

use encoding_rs::Encoding;

use crate::content::{Content, Slice, Source, copy};
use crate::encoding::{Base64Writer, CrlfWriter, TransferEncoding};
use crate::form::Form;
use crate::message::{Message, MessageError};
use crate::part::Part;

/// What octets are like for SMTP, judged while they pass.
#[derive(Debug, Default)]
pub struct Carriage {
    form: Form,
}

impl Carriage {
    /// Judges more octets.
    pub fn feed(&mut self, octets: &[u8]) {
        self.form.feed(octets);
    }

    /// The octets end here.
    pub fn end(&mut self) {
        self.form.end();
    }

    /// Whether there are octets beyond 7-bit ASCII.
    pub fn eight_bit(&self) -> bool {
        self.form.has_eight_bit()
    }

    /// Whether SMTP carries them as they are: lines of at most 998 octets that end with CRLF, no NUL. To be asked after `end`.
    pub fn is_carried(&self) -> bool {
        self.form.is_carried()
    }
}

/// An entity, or a message, in a form that SMTP carries.
pub struct Carried<'c> {
    content: &'c dyn Content,
    pieces: Vec<Piece>,
}

enum Piece {
    Bytes(Vec<u8>),
    /// Octets whose lines get CRLF.
    Lines(u64, u64),
    /// A body that is written in base64.
    Encode {
        body: (u64, u64),
        from: TransferEncoding,
        /// Whether its own line ends become CRLF: those of text (RFC 2046 section 4.1.1).
        text: bool,
        /// Whether the last line gets its CRLF: not before a boundary, which brings its own.
        closed: bool,
    },
}

impl<'c> Carried<'c> {
    /// Reads `content` and plans what is written. What is no message, or has more parts than are looked into, only gets
    /// its line ends.
    ///
    /// # Errors
    /// Only a failure to read the content.
    pub fn new(content: &'c dyn Content) -> io::Result<Self> {
        let mut plan = Plan {
            content,
            pieces: Vec::new(),
            at: 0,
            protected: 0,
        };
        match Message::read(content).and_then(|message| message.structure()) {
            Ok(root) => root
                .all()
                .into_iter()
                .try_for_each(|part| plan.part(part))?,
            Err(MessageError::Io(error)) => return Err(error),
            Err(_) => {}
        }
        plan.lines_to(content.len());
        Ok(Self {
            content,
            pieces: plan.pieces,
        })
    }
}

impl Source for Carried<'_> {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        let slice = |range: (u64, u64)| Slice::new(self.content, range.0, range.1);
        for piece in &self.pieces {
            match piece {
                Piece::Bytes(bytes) => out.write_all(bytes)?,
                Piece::Lines(start, end) => write_lines(&slice((*start, *end)), &mut *out)?,
                Piece::Encode {
                    body,
                    from,
                    text,
                    closed,
                } => {
                    let mut base64 = Base64Writer::new(&mut *out);
                    if *text {
                        write_lines(&slice(*body), &mut base64)?;
                    } else {
                        let body = slice(*body);
                        io::copy(&mut from.decoded(body.reader(0)?), &mut base64)?;
                    }
                    match closed {
                        true => drop(base64.finish()?),
                        false => drop(base64.finish_open()?),
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether the octets 13 and 10 are line ends in this part: in text, unless an octet may be half of a letter there.
fn has_lines(part: &Part) -> bool {
    let media = &part.content_type;
    let plain = |label: &str| {
        Encoding::for_label(label.as_bytes()).is_some_and(Encoding::is_ascii_compatible)
    };
    media.kind() == "text" && media.parameter("charset").is_none_or(plain)
}

fn write_lines(content: &dyn Content, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = CrlfWriter::new(out);
    copy(content, &mut lines)?;
    lines.finish().map(drop)
}

struct Plan<'c> {
    content: &'c dyn Content,
    pieces: Vec<Piece>,
    /// What comes before is planned.
    at: u64,
    /// What comes before lies under a clear signature, or is somebody else's encryption.
    protected: u64,
}

impl Plan<'_> {
    /// One part; they come in the order in which they stand.
    fn part(&mut self, part: &Part) -> io::Result<()> {
        if part.content_type.is("multipart", "signed") {
            // The signature itself may be written anew, what it covers may not.
            let covered = part
                .children
                .first()
                .map_or(part.range.1, |first| first.range.1);
            self.protected = self.protected.max(covered);
        }
        if part.content_type.is("multipart", "encrypted") {
            self.protected = self.protected.max(part.range.1);
        }
        // RFC 2045 section 6.4: what holds parts is as wide as its widest part, which is no longer binary.
        if !part.is_leaf() {
            if part.encoding == TransferEncoding::Binary && !self.is_protected(part) {
                self.head(part, TransferEncoding::EightBit)?;
            }
            return Ok(());
        }
        if self.is_protected(part) || !self.must_be_encoded(part)? {
            return Ok(());
        }
        self.head(part, TransferEncoding::Base64)?;
        self.at = part.body.1;
        self.pieces.push(Piece::Encode {
            body: part.body,
            from: part.encoding,
            text: has_lines(part) && part.encoding.is_identity(),
            closed: part.range.0 == 0,
        });
        Ok(())
    }

    fn is_protected(&self, part: &Part) -> bool {
        part.range.0 < self.protected
    }

    fn must_be_encoded(&self, part: &Part) -> io::Result<bool> {
        // Neither a multipart without boundary nor a message has an encoding (RFC 2045 section 6.4).
        let composite = matches!(part.content_type.kind(), "multipart" | "message");
        if composite && part.encoding.is_identity() || part.encoding == TransferEncoding::Unknown {
            return Ok(false);
        }
        let form = Form::of(self.content, part.body)?;
        Ok(match part.encoding {
            TransferEncoding::Binary => !form.is_carried(),
            _ => !form.has_text_lines(),
        })
    }

    /// The header of a part, naming another encoding.
    fn head(&mut self, part: &Part, encoding: TransferEncoding) -> io::Result<()> {
        self.lines_to(part.range.0);
        let mut head = CrlfWriter::new(Vec::new());
        for field in part.header.fields() {
            if !field.is("Content-Transfer-Encoding") {
                head.write_all(field.raw())?;
            }
        }
        let mut head = head.finish()?;
        if !head.is_empty() && !head.ends_with(b"\r\n") {
            head.extend_from_slice(b"\r\n");
        }
        let name = encoding.as_str();
        head.extend(format!("Content-Transfer-Encoding: {name}\r\n\r\n").into_bytes());
        self.pieces.push(Piece::Bytes(head));
        self.at = part.body.0;
        Ok(())
    }

    fn lines_to(&mut self, end: u64) {
        if self.at < end {
            self.pieces.push(Piece::Lines(self.at, end));
            self.at = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carried(raw: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Carried::new(&raw).unwrap().write_to(&mut out).unwrap();
        out
    }

    fn is_carried(raw: &[u8]) -> bool {
        let mut carriage = Carriage::default();
        raw.chunks(7).for_each(|chunk| carriage.feed(chunk));
        carriage.end();
        carriage.is_carried()
    }

    /// The decoded bodies of all leaves.
    fn leaves(raw: &[u8]) -> Vec<Vec<u8>> {
        let message = Message::read(&raw).unwrap();
        let root = message.structure().unwrap();
        let leaves = root.all().into_iter().filter(|part| part.is_leaf());
        let decoded = leaves.map(|part| {
            let mut out = Vec::new();
            part.decoded(&raw).unwrap().read_to_end(&mut out).unwrap();
            out
        });
        decoded.collect()
    }

    const BINARY: &[u8] = b"\0\n\r\r\n\n\x80\xff  \n";

    /// `BINARY` between boundaries, under the given fields.
    fn mixed(fields: &str, outer: &str) -> Vec<u8> {
        let head = format!("Content-Type: {outer}; boundary=b\r\n\r\n--b\r\n{fields}\r\n");
        [head.as_bytes(), BINARY, b"\r\n--b--\r\n"].concat()
    }

    #[test]
    fn what_smtp_carries() {
        let table: [(&[u8], bool); 7] = [
            (b"", true),
            (b"a: b\r\n\r\nx", true),
            (b"a: b\r\n\r\n\xc3\xbc\r\n", true),
            (b"a: b\n\nx\n", false),
            (b"a: b\r\n\r\nx\ry\r\n", false),
            (b"a: b\r\n\r\n\0\r\n", false),
            (&[b'x'; 999], false),
        ];
        for (raw, expected) in table {
            assert_eq!(is_carried(raw), expected, "{}", raw.escape_ascii());
        }
    }

    #[test]
    fn a_binary_body_is_written_in_base64() {
        let head = b"Content-Type: application/pkcs7-mime;\n name=smime.p7m\nContent-Transfer-Encoding: binary\nContent-Description: x\n\n";
        let raw = [head.as_slice(), BINARY].concat();
        let expected = "Content-Type: application/pkcs7-mime;\r\n name=smime.p7m\r\nContent-Description: x\r\n\
                        Content-Transfer-Encoding: base64\r\n\r\nAAoNDQoKgP8gIAo=\r\n";
        assert_eq!(carried(&raw), expected.as_bytes());
        assert!(is_carried(expected.as_bytes()));
    }

    #[test]
    fn binary_leaves_keep_their_octets() {
        let binary = "Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n";
        let nul = "Content-Type: image/png\r\n";
        for fields in [binary, nul] {
            let raw = mixed(fields, "multipart/mixed");
            let out = carried(&raw);
            assert!(is_carried(&out), "{}", out.escape_ascii());
            assert_eq!(leaves(&out), [BINARY]);
        }
    }

    #[test]
    fn long_lines_of_text_are_encoded_whatever_they_are_written_in() {
        let long = "ü".repeat(600);
        let base64 = "QUJD".repeat(300);
        let quoted = "=41".repeat(400);
        let table = [
            ("8bit", &long, long.clone().into_bytes()),
            ("base64", &base64, b"ABC".repeat(300)),
            ("quoted-printable", &quoted, vec![b'A'; 400]),
        ];
        for (encoding, body, decoded) in table {
            let raw = format!(
                "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}"
            );
            let out = carried(raw.as_bytes());
            assert!(is_carried(&out), "{encoding}");
            assert_eq!(leaves(&out), [decoded], "{encoding}");
        }
    }

    #[test]
    fn lines_of_text_end_with_crlf_inside_base64_too() {
        let raw = "Content-Type: text/plain\n\na\0\nb\n";
        assert_eq!(leaves(&carried(raw.as_bytes())), [b"a\0\r\nb\r\n"]);
    }

    /// In UTF-16 and UTF-32 an octet 10 or 13 is no line end, and may be half of a letter.
    #[test]
    fn text_of_wide_characters_keeps_its_octets() {
        let body = b"\x0d\x0a\x0a\0\x0d\x0d\0\x0a";
        for charset in [
            "utf-16le",
            "UTF-16",
            "utf-32be",
            "ucs-2",
            "iso-10646-ucs-2",
            "unicode",
        ] {
            for encoding in ["binary", "8bit"] {
                let head = format!(
                    "Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
                );
                let raw = [head.as_bytes(), body].concat();
                assert_eq!(leaves(&carried(&raw)), [body], "{charset} {encoding}");
            }
        }
    }

    #[test]
    fn what_is_only_short_of_crlf_is_not_encoded() {
        let raw = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: 8bit\n\nü\n--b--\n";
        assert_eq!(
            carried(raw.as_bytes()),
            raw.replace('\n', "\r\n").as_bytes()
        );
        let none = "no header\n\nat all\n";
        assert_eq!(
            carried(none.as_bytes()),
            none.replace('\n', "\r\n").as_bytes()
        );
    }

    #[test]
    fn what_a_clear_signature_covers_keeps_its_form_and_the_signature_does_not() {
        let part = "Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\r\n";
        let signature = "Content-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: binary\r\n\r\n";
        let head = "Content-Type: multipart/signed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n--b\r\n";
        let raw = [
            format!("{head}{part}--b\r\n{signature}").as_bytes(),
            BINARY,
            b"\r\n--b--\r\n",
        ]
        .concat();
        let out = carried(&raw);
        let shown = out.escape_ascii().to_string();
        assert!(
            shown.contains(&part.escape_default().to_string().replace("\\u{0}", "\\x00")),
            "{shown}"
        );
        assert_eq!(leaves(&out)[1], BINARY);
    }

    /// Any mail made of such pieces is carried, and its leaves hold what they held.
    #[test]
    fn whatever_lies_in_a_part_is_carried_and_keeps_its_octets() {
        let mut state = 1u32;
        let mut chance = |most: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as usize % most
        };
        let long = [b'x'; 1200];
        let words: [&[u8]; 10] = [
            b"\r\n",
            b"\n",
            b"\r",
            b"\0",
            b"x",
            b" ",
            b"\xc3\xbc",
            &long,
            b"-",
            b"QUJD",
        ];
        let kinds = [
            "image/png",
            "text/plain",
            "application/pkcs7-mime",
            "text/html; charset=utf-16",
        ];
        let encodings = ["binary", "8bit", "base64"];
        for _ in 0..500 {
            let mut body = |most| -> Vec<u8> {
                let count = chance(most);
                (0..count)
                    .flat_map(|_| words[chance(10)])
                    .copied()
                    .collect()
            };
            let bodies = [body(6), body(6), body(6)];
            let mut kind = || (kinds[chance(4)], encodings[chance(3)]);
            let types = [kind(), kind(), kind()];
            let leaf = |n: usize| {
                let (kind, encoding) = types[n];
                let head = format!(
                    "Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
                );
                [head.as_bytes(), &bodies[n]].concat()
            };
            let raw = match chance(3) {
                0 => leaf(0),
                1 => [
                    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n".as_slice(), &leaf(0),
                    b"\r\n--b\r\n", &leaf(1), b"\r\n--b--\r\n",
                ].concat(),
                _ => [
                    b"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n--b\r\n".as_slice(),
                    b"Content-Type: multipart/related; boundary=c\r\n\r\n--c\r\n", &leaf(0),
                    b"\r\n--c--\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n", &leaf(1), b"\r\n--b--\r\n",
                ].concat(),
            };
            let out = carried(&raw);
            let shown = raw.escape_ascii();
            assert!(is_carried(&out), "{shown}\n{}", out.escape_ascii());
            let (before, after) = (leaves(&raw), leaves(&out));
            assert_eq!(before.len(), after.len(), "{shown}");
            for (n, (before, after)) in before.iter().zip(&after).enumerate() {
                let (kind, encoding) = types[n];
                let mut lines = CrlfWriter::new(Vec::new());
                lines.write_all(before).unwrap();
                let lines = lines.finish().unwrap();
                let mut whole = vec![before.clone()];
                if kind == "text/plain" || encoding == "8bit" {
                    whole.push(lines);
                }
                assert!(
                    whole.contains(after),
                    "{kind} {encoding} {shown}\n{}",
                    out.escape_ascii()
                );
            }
            assert_eq!(carried(&out), out, "{shown}");
        }
    }

    /// Row M2.
    #[test]
    fn no_bare_line_end_is_left_in_a_header() {
        let raw = b"Content-Type: image/png;\r name=x\nX-A: b\rX-B: c\nContent-Transfer-Encoding: binary\n\n\0\n";
        let out = carried(raw);
        assert!(is_carried(&out), "{}", out.escape_ascii());
        assert!(out.ends_with(b"\r\n\r\nAAo=\r\n"));
    }

    #[test]
    fn what_holds_parts_is_no_longer_called_binary() {
        let raw = mixed(
            "",
            "multipart/mixed; x=y\r\nContent-Transfer-Encoding: BINARY\r\nX-A: b",
        );
        let out = carried(&raw);
        let head = out
            .split(|b| *b == b'-')
            .next()
            .unwrap()
            .escape_ascii()
            .to_string();
        assert!(!head.to_lowercase().contains("binary"), "{head}");
    }
}
