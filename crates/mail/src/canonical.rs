//! The form in which content is signed: it survives relays, so the signature does (RFC 8551 sections 3.1 and 3.1.3).
//!
//! Seven-bit lines that end with CRLF, at most 76 columns where encoded and 998 where not, no blank at a line's end, no
//! line that begins with `From `. What is in that form stays octet for octet; other leaves are encoded anew and decode to
//! the same octets. The input has CRLF lines, as mail from SMTP has; `encoding::CrlfWriter` makes them.

use std::io::{self, Write};

use crate::content::{Content, Slice, Source, copy};
use crate::encoding::{Base64Reader, Base64Writer, QuotedWriter, TransferEncoding};
use crate::form::{Cost, Form, Judged, header_survives, is_utf8, with_crlf};
use crate::header::HeaderBlock;
use crate::limits::{ENCODED_COLUMNS, TEXT_LINE_OCTETS};
use crate::media::is_ambiguous;
use crate::message::{Message, MessageError};
use crate::part::Part;

/// The content of a message as an entity in canonical form: entity fields, blank line, body.
pub struct Canonical<'c> {
    content: &'c dyn Content,
    pieces: Vec<Piece>,
    finding: Finding,
}

/// What bringing a message into form would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Finding {
    /// Something is written differently.
    changes: bool,
    /// Something inside a part that must stay as it is (see `Plan::within`) is written differently.
    breaks_fixed: bool,
    /// Something cannot be brought into form: a header with eight-bit octets, an unknown encoding.
    stuck: bool,
}

enum Piece {
    Bytes(Vec<u8>),
    Copy(u64, u64),
    Encode(Encode),
}

/// A body that is decoded and encoded anew.
struct Encode {
    body: (u64, u64),
    from: TransferEncoding,
    to: TransferEncoding,
    /// Whether a last base64 line gets its CRLF: not before a boundary, which brings its own.
    closed: bool,
}

/// Whether `message` is already in form: then `Canonical` keeps its body octet for octet.
pub fn is_canonical(message: &Message<'_>) -> Result<bool, MessageError> {
    let finding = Canonical::new(message)?.finding;
    Ok(!finding.changes && !finding.stuck)
}

/// Whether `message` must be signed opaquely and untouched (`Message::entity`): bringing it into form would change a
/// part that is signed or encrypted already or that readers read differently, or something in it cannot be brought into
/// form at all.
pub fn reencoding_breaks_signature(message: &Message<'_>) -> Result<bool, MessageError> {
    Ok(Canonical::new(message)?.must_be_opaque())
}

impl<'c> Canonical<'c> {
    /// Reads `message` through once or twice and plans what is written.
    pub fn new(message: &Message<'c>) -> Result<Self, MessageError> {
        let part = message.structure()?;
        let mut plan = Plan {
            content: message.content(),
            pieces: Vec::new(),
            finding: Finding::default(),
            inside_fixed: 0,
            inside_multipart: 0,
        };
        plan.top(message, &part)?;
        Ok(Self {
            content: message.content(),
            pieces: plan.pieces,
            finding: plan.finding,
        })
    }

    /// See `reencoding_breaks_signature`.
    pub fn must_be_opaque(&self) -> bool {
        self.finding.breaks_fixed || self.finding.stuck
    }
}

impl Source for Canonical<'_> {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        for piece in &self.pieces {
            match piece {
                Piece::Bytes(bytes) => out.write_all(bytes)?,
                Piece::Copy(start, end) => copy(&Slice::new(self.content, *start, *end), out)?,
                Piece::Encode(encode) => encode.write_to(self.content, out)?,
            }
        }
        Ok(())
    }
}

impl Encode {
    fn write_to(&self, content: &dyn Content, out: &mut dyn Write) -> io::Result<()> {
        let slice = Slice::new(content, self.body.0, self.body.1);
        let mut reader = self.from.decoded(slice.reader(0)?);
        if self.to == TransferEncoding::QuotedPrintable {
            let mut writer = QuotedWriter::new(out);
            io::copy(&mut reader, &mut writer)?;
            return writer.finish().map(drop);
        }
        let mut writer = Base64Writer::new(out);
        io::copy(&mut reader, &mut writer)?;
        if self.closed {
            writer.finish().map(drop)
        } else {
            writer.finish_open().map(drop)
        }
    }
}

/// What is to be done with the body of a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaf {
    Keep,
    /// Keep, but call it `7bit`.
    Relabel,
    Encode(TransferEncoding),
    Stuck,
}

struct Plan<'c> {
    content: &'c dyn Content,
    pieces: Vec<Piece>,
    finding: Finding,
    inside_fixed: usize,
    inside_multipart: usize,
}

impl Plan<'_> {
    /// The message itself: only its entity fields, which always stand before the body.
    fn top(&mut self, message: &Message<'_>, part: &Part) -> Result<(), MessageError> {
        let fields = HeaderBlock::parse(&message.entity_fields());
        self.within(is_ambiguous(&fields), |plan| {
            let leaf = plan.judge(part)?;
            let mut head = plan.head(&fields, label(part, leaf));
            if fields.count("Content-Type") == 0 {
                head = [plan.default_type(part)?, head].concat();
            }
            if !header_survives(&head) {
                plan.finding.stuck = true;
            }
            head.extend_from_slice(b"\r\n");
            plan.pieces.push(Piece::Bytes(head));
            plan.within(is_protected(part), |plan| plan.body(part, leaf))
        })
    }

    /// A Content-Type field for mail that has none, so that every reader finds one.
    fn default_type(&self, part: &Part) -> io::Result<Vec<u8>> {
        let charset = if !Form::of(self.content, part.body)?.has_eight_bit() {
            "us-ascii"
        } else if is_utf8(self.content, part.body)? {
            "utf-8"
        } else {
            "unknown-8bit"
        };
        Ok(format!("Content-Type: text/plain; charset={charset}\r\n").into_bytes())
    }

    /// A part with its header.
    fn entity(&mut self, part: &Part) -> Result<(), MessageError> {
        self.within(is_protected(part) || part.is_ambiguous(), |plan| {
            let leaf = plan.judge(part)?;
            let label = label(part, leaf);
            let raw = part.header.raw();
            if !header_survives(raw) {
                plan.finding.stuck = true;
            }
            if label.is_none() && Form::of_bytes(raw).is_lines(TEXT_LINE_OCTETS) {
                plan.copy(part.range.0, part.body.0);
            } else {
                let mut head = plan.head(&part.header, label);
                head.extend_from_slice(b"\r\n");
                plan.change(Piece::Bytes(head));
            }
            plan.body(part, leaf)
        })
    }

    /// Runs `inner`; if `fixed`, with the mark that what it changes must stay as it is: it is signed or encrypted already, or
    /// readers differ in what they make of it (row M12), and would differ in what they make of the new form.
    fn within(
        &mut self,
        fixed: bool,
        inner: impl FnOnce(&mut Self) -> Result<(), MessageError>,
    ) -> Result<(), MessageError> {
        let step = usize::from(fixed);
        self.inside_fixed = self.inside_fixed.saturating_add(step);
        let result = inner(self);
        self.inside_fixed = self.inside_fixed.saturating_sub(step);
        result
    }

    fn body(&mut self, part: &Part, leaf: Leaf) -> Result<(), MessageError> {
        if part.is_multipart() {
            self.inside_multipart = self.inside_multipart.saturating_add(1);
            let result = self.multipart(part);
            self.inside_multipart = self.inside_multipart.saturating_sub(1);
            return result;
        }
        if part.is_message() {
            // Depth is bounded by the depth of the tree.
            return part
                .children
                .iter()
                .try_for_each(|child| self.entity(child));
        }
        match leaf {
            Leaf::Encode(to) => {
                let closed = self.inside_multipart == 0;
                self.change(Piece::Encode(Encode {
                    body: part.body,
                    from: part.encoding,
                    to,
                    closed,
                }));
            }
            Leaf::Stuck => {
                self.finding.stuck = true;
                self.copy(part.body.0, part.body.1);
            }
            Leaf::Keep | Leaf::Relabel => self.copy(part.body.0, part.body.1),
        }
        Ok(())
    }

    /// The parts of a multipart and what stands between them.
    fn multipart(&mut self, part: &Part) -> Result<(), MessageError> {
        let boundary = part.content_type.boundary().unwrap_or_default();
        let mut at = part.body.0;
        for (index, child) in part.children.iter().enumerate() {
            let before = if index == 0 { "" } else { "\r\n" };
            self.between((at, child.range.0), &format!("{before}--{boundary}\r\n"))?;
            self.entity(child)?;
            at = child.range.1;
        }
        if part.children.is_empty() {
            let survives = Form::of(self.content, part.body)?.survives(TEXT_LINE_OCTETS);
            self.finding.stuck |= !survives;
            self.copy(part.body.0, part.body.1);
            return Ok(());
        }
        // Nothing left means that the last part ends with the content: there is no closing boundary line.
        if at < part.body.1 {
            self.between((at, part.body.1), &format!("\r\n--{boundary}--\r\n"))?;
        }
        Ok(())
    }

    /// Preamble, boundary lines and epilogue: kept if in form, else only the boundary line is written.
    fn between(&mut self, range: (u64, u64), line: &str) -> Result<(), MessageError> {
        if Form::of(self.content, range)?.survives(TEXT_LINE_OCTETS) {
            self.copy(range.0, range.1);
        } else {
            self.change(Piece::Bytes(line.as_bytes().to_vec()));
        }
        Ok(())
    }

    fn judge(&self, part: &Part) -> io::Result<Leaf> {
        if !part.is_leaf() || part.body.0 == part.body.1 {
            return Ok(Leaf::Keep);
        }
        let survives =
            |columns| Form::of(self.content, part.body).map(|form| form.survives(columns));
        Ok(match part.encoding {
            // What holds parts or a mail, but could not be looked into, cannot be encoded (RFC 2045 section 6.4), nor can what
            // is not understood.
            encoding
                if encoding == TransferEncoding::Unknown
                    || part.content_type.kind() == "multipart"
                    || part.content_type.kind() == "message" && encoding.is_identity() =>
            {
                if survives(TEXT_LINE_OCTETS)? {
                    Leaf::Keep
                } else {
                    Leaf::Stuck
                }
            }
            TransferEncoding::Base64 if self.is_sound_base64(part)? => Leaf::Keep,
            TransferEncoding::Base64 => Leaf::Encode(TransferEncoding::Base64),
            TransferEncoding::QuotedPrintable if survives(ENCODED_COLUMNS)? => Leaf::Keep,
            TransferEncoding::SevenBit if survives(TEXT_LINE_OCTETS)? => Leaf::Keep,
            TransferEncoding::EightBit | TransferEncoding::Binary
                if survives(TEXT_LINE_OCTETS)? =>
            {
                Leaf::Relabel
            }
            _ => Leaf::Encode(self.encoding_for(part)?),
        })
    }

    /// Quoted-printable for text that mostly reads as it is, else base64.
    fn encoding_for(&self, part: &Part) -> io::Result<TransferEncoding> {
        let is_text = matches!(part.content_type.kind(), "text" | "message");
        if is_text && Cost::of(part.decoded(self.content)?)?.prefers_quoted() {
            return Ok(TransferEncoding::QuotedPrintable);
        }
        Ok(TransferEncoding::Base64)
    }

    /// Base64 without junk in lines that survive, seen in one pass.
    fn is_sound_base64(&self, part: &Part) -> io::Result<bool> {
        let body = part.body_slice(self.content);
        let mut judged = Judged::new(body.reader(0)?);
        match Base64Reader::strict(&mut judged).check() {
            Ok(()) => Ok(judged.end().survives(ENCODED_COLUMNS)),
            Err(e) if e.kind() == io::ErrorKind::InvalidData => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// The fields with CRLF, the transfer encoding replaced if it is named anew.
    fn head(&mut self, header: &HeaderBlock, label: Option<TransferEncoding>) -> Vec<u8> {
        let Some(label) = label else {
            return with_crlf(header.raw());
        };
        self.mark_change();
        let mut out = Vec::new();
        for field in header
            .fields()
            .filter(|field| !field.is("Content-Transfer-Encoding"))
        {
            out.extend(with_crlf(field.raw()));
        }
        out.extend_from_slice(
            format!("Content-Transfer-Encoding: {}\r\n", label.as_str()).as_bytes(),
        );
        out
    }

    fn mark_change(&mut self) {
        self.finding.changes = true;
        self.finding.breaks_fixed |= self.inside_fixed > 0;
    }

    fn change(&mut self, piece: Piece) {
        self.mark_change();
        self.pieces.push(piece);
    }

    /// Copies a range; neighbours become one piece.
    fn copy(&mut self, start: u64, end: u64) {
        match self.pieces.last_mut() {
            Some(Piece::Copy(_, last)) if *last == start => *last = end,
            _ if start < end => self.pieces.push(Piece::Copy(start, end)),
            _ => {}
        }
    }
}

/// The new transfer encoding to be named, if it changes.
fn label(part: &Part, leaf: Leaf) -> Option<TransferEncoding> {
    match leaf {
        Leaf::Encode(to) => Some(to).filter(|to| *to != part.encoding),
        Leaf::Relabel => Some(TransferEncoding::SevenBit),
        // RFC 2045 section 6.4: what holds parts is as wide as its widest part, and those are now all seven-bit.
        Leaf::Keep if !part.is_leaf() => Some(TransferEncoding::SevenBit).filter(|_| {
            matches!(
                part.encoding,
                TransferEncoding::EightBit | TransferEncoding::Binary
            )
        }),
        _ => None,
    }
}

/// Whether the part is signed or encrypted by somebody.
fn is_protected(part: &Part) -> bool {
    let media = &part.content_type;
    match media.kind() {
        "multipart" => matches!(media.subtype(), "signed" | "encrypted"),
        "application" => matches!(
            media.subtype(),
            "pkcs7-mime" | "x-pkcs7-mime" | "pgp" | "pgp-encrypted"
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(raw: &[u8]) -> (String, bool, bool) {
        let message = Message::read(&raw).unwrap();
        let canonical = Canonical::new(&message).unwrap();
        let mut out = Vec::new();
        canonical.write_to(&mut out).unwrap();
        assert_eq!(canonical.length().unwrap(), out.len() as u64);
        let text = String::from_utf8_lossy(&out).into_owned();
        (
            text,
            is_canonical(&message).unwrap(),
            canonical.must_be_opaque(),
        )
    }

    #[test]
    fn mail_in_form_keeps_its_body() {
        let table = [
            "Content-Type: text/plain\r\n\r\nHello\r\n",
            "Content-Type: text/plain\r\n\r\n",
            "Content-Type: text/plain\r\n\r\n\r\n\r\nno line end",
            "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC\r\n",
            "Content-Type: x/y\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\nYWI=\r\n",
            "Content-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b\r\nX: \r\n\r\na\r\n--b\r\n\r\nb\r\n--b--\r\nepi\r\n",
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b\r\nA: b\r\n--b--",
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nnot closed\r\n",
            "Content-Type: message/rfc822\r\n\r\nSubject: \r\n\r\nx\r\n",
        ];
        for raw in table {
            assert_eq!(
                canonical(raw.as_bytes()),
                (raw.to_owned(), true, false),
                "{raw}"
            );
        }
        let (text, same, _) = canonical(b"Subject: s\r\nFrom: a@x.example\r\n\r\nHello\r\n");
        assert_eq!(
            (text.as_str(), same),
            (
                "Content-Type: text/plain; charset=us-ascii\r\n\r\nHello\r\n",
                true
            )
        );
    }

    #[test]
    fn leaves_are_encoded_where_they_must() {
        let table: [(&str, &str); 9] = [
            (
                "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße und noch mehr Text\r\n",
                "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe und noch mehr Text\r\n",
            ),
            (
                "Content-Type: text/plain; charset=utf-8\r\n\r\nпривет\r\n",
                "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n0L/RgNC40LLQtdGCDQo=\r\n",
            ),
            (
                "Subject: s\r\n\r\nGrüße und noch viel mehr Text\r\n",
                "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe und noch viel mehr Text\r\n",
            ),
            (
                "Content-Type: text/plain\r\nContent-Transfer-Encoding: 8bit\r\n\r\nplain\r\n",
                "Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\n\r\nplain\r\n",
            ),
            (
                "Content-Type: text/plain\r\n\r\n-- \r\nFrom me\r\n",
                "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=2D-=20\r\n=46rom me\r\n",
            ),
            (
                "Content-Type: x/y\r\nContent-Transfer-Encoding: binary\r\n\r\na\0b",
                "Content-Type: x/y\r\nContent-Transfer-Encoding: base64\r\n\r\nYQBi\r\n",
            ),
            (
                "Content-Type: x/y\r\nContent-Transfer-Encoding: base64\r\n\r\nYW Jj \r\n",
                "Content-Type: x/y\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n",
            ),
            (
                "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\nPräambel\r\n--b\r\nContent-Type: x/y\r\n\r\n\u{fc}\r\n--b \r\n\r\nkept\r\n--b--\r\n",
                "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 7bit\r\n\r\n--b\r\nContent-Type: x/y\r\nContent-Transfer-Encoding: base64\r\n\r\nw7w=\r\n--b\r\n\r\nkept\r\n--b--\r\n",
            ),
            (
                "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nÜber alles andere hinaus\r\n",
                "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\nSubject: s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=9Cber alles andere hinaus\r\n",
            ),
        ];
        for (raw, expected) in table {
            let (text, same, opaque) = canonical(raw.as_bytes());
            assert_eq!(text, expected, "{raw}");
            assert!(!same && !opaque, "{raw}");
            let (again, same, _) = canonical(expected.as_bytes());
            assert_eq!(
                (again.as_str(), same),
                (expected, true),
                "what is in form stays so"
            );
        }
    }

    #[test]
    fn what_reencoding_would_break_is_told() {
        let signed = |text: &str| {
            format!(
                "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n{text}\r\n--b\r\n\r\nsig\r\n--b--\r\n\r\n--m\r\n\r\n{{}}\r\n--m--\r\n"
            )
        };
        let part = |text: &str| {
            format!("Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n{text}\r\n--m--\r\n")
        };
        let table = [
            (signed("in form"), false),
            (signed("not in form "), true),
            (signed("in form").replace("{}", "beside it "), false),
            ("Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n".to_owned(), false),
            ("Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj \r\n".to_owned(), true),
            ("Content-Type: text/plain\r\nContent-Description: \u{fc}\r\n\r\nx\r\n".to_owned(), true),
            ("Content-Type: message/rfc822\r\n\r\nSubject: \u{fc}\r\n\r\nx\r\n".to_owned(), true),
            ("Content-Type: text/plain\r\nContent-Transfer-Encoding: x-uu\r\n\r\nx \r\n".to_owned(), true),
            ("Content-Type: text/plain\r\nContent-Transfer-Encoding: x-uu\r\n\r\nx\r\n".to_owned(), false),
            ("Content-Type: text/plain\r\n\r\ntrailing \r\n".to_owned(), false),
            // What readers read differently: a part whose header may end before a line that is no field, two encodings.
            (part("X: y\r\nno field\r\n\r\ntrailing "), true),
            (part("X: y\r\nno field\r\n\r\nin form"), false),
            (part("Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\u{fc}"), true),
            (part("Content-Type: multipart/mixed; boundary=n; boundary=b\r\n\r\n--n\r\n\r\ntrailing \r\n--n--"), true),
            (
                "Content-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n".to_owned(),
                true,
            ),
            (
                "Content-Type: multipart/mixed; boundary=b\r\n\r\nno part \r\n".to_owned(),
                true,
            ),
            (
                "Content-Type: multipart/mixed\r\n\r\nno boundary \r\n".to_owned(),
                true,
            ),
            (
                "Content-Type: message/delivery-status\r\n\r\nAction: failed \r\n".to_owned(),
                true,
            ),
            (
                "Content-Type: message/delivery-status\r\n\r\nAction: failed\r\n".to_owned(),
                false,
            ),
        ];
        for (raw, opaque) in table {
            let bytes = raw.as_bytes();
            let message = Message::read(&bytes).unwrap();
            assert_eq!(
                reencoding_breaks_signature(&message).unwrap(),
                opaque,
                "{raw}"
            );
        }
    }
}
