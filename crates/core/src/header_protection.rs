//! Header protection (RFC 9788): which fields inside what was signed or encrypted count, and how our mail carries them.
//!
//! Inbound, few fields are taken from inside: those that the baseline policy hides (section 3.2.1) and that decide nothing.
//! From, recipients, Date and Message-ID stay those of the outer header, which rules, signatures and the journal went by.
//! Outbound, copies of the fields a person writes or reads stand in the signed payload; encryption hides Subject, Keywords
//! and Comments.

use std::io::{self, Write};

use sealgate_mail::content::Slice;
use sealgate_mail::edit::HeaderEdit;
use sealgate_mail::header::{encode_unstructured, fold};
use sealgate_mail::words;
use sealgate_mail::{
    Content, ContentType, Field, HeaderBlock, Message, MessageError, Part, Source,
};

use crate::limits::{LEGACY_DISPLAY_OCTETS, PROTECTED_FIELD_OCTETS};

/// How the payload is protected (RFC 9788 section 2.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Signed: its fields are those of the outer header.
    Clear,
    /// Encrypted: some fields were hidden from the outer header.
    Cipher,
}

impl Mode {
    /// The value of the parameter `hp`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Cipher => "cipher",
        }
    }

    fn of(media: &ContentType) -> Option<Self> {
        let value = media.parameter("hp")?.to_ascii_lowercase();
        let all = [Self::Clear, Self::Cipher];
        all.into_iter().find(|mode| mode.as_str() == value)
    }
}

/// Fields taken from inside. Each is text for people and decides nothing.
const HONOURED: [&str; 3] = ["Subject", "Keywords", "Comments"];

/// The fields that a payload protects: those of its own header (RFC 9788 section 4.1, and the form before it, which Thunderbird,
/// KMail and mutt write), or those of the message it wraps in the older form (section 4.10.1, RFC 8551 section 3.1). None if
/// it protects none.
///
/// # Errors
/// Only a failure to read the content.
pub fn protected_fields(payload: &Message<'_>) -> io::Result<Option<HeaderBlock>> {
    let media = payload.content_type();
    let before = media.parameter("protected-headers") == Some("v1");
    if before || Mode::of(&media).is_some() {
        return Ok(Some(payload.header().clone()));
    }
    let wraps = media.is("message", "rfc822")
        && payload.transfer_encoding().is_identity()
        && media
            .parameter("forwarded")
            .is_some_and(|value| value.eq_ignore_ascii_case("no"));
    if !wraps {
        return Ok(None);
    }
    let body: Slice<'_> = payload.body();
    match Message::read(&body) {
        Ok(wrapped) => Ok(Some(wrapped.header().clone())),
        Err(MessageError::Io(error)) => Err(error),
        Err(_) => Ok(None),
    }
}

/// The outer header with the fields that count from inside in the place of its own. A field that stands outside as it
/// stands inside is not touched; one that stands inside more than once, with controls, or too long, does not count.
pub fn honoured(outer: &HeaderBlock, protected: &HeaderBlock) -> Vec<u8> {
    let mut edit = HeaderEdit::new(outer);
    for name in HONOURED {
        let Some(text) = only_text(protected, name) else {
            continue;
        };
        let same = only_text(outer, name).is_some_and(|outside| outside == text);
        if !same {
            edit = edit.replace(name, &encode_unstructured(name, &text));
        }
    }
    edit.finish()
}

/// Whether the Subject counts from inside.
pub fn protects_subject(protected: &HeaderBlock) -> bool {
    only_text(protected, "Subject").is_some()
}

/// The text of the only field of that name.
fn only_text(header: &HeaderBlock, name: &str) -> Option<String> {
    let mut fields = header.all(name);
    let only = fields.next().filter(|_| fields.next().is_none())?;
    let value = only.value();
    let sound = value.iter().all(|b| !b.is_ascii_control() || *b == b'\t');
    (sound && <[u8]>::len(&value) <= PROTECTED_FIELD_OCTETS).then(|| words::decode(&value))
}

/// Where legacy display elements lie in the text parts of a payload: lines that repeat the hidden fields for readers that
/// do not know header protection, up to a blank line (RFC 9788 sections 2.1.2 and 4.5.3.2). In order.
///
/// # Errors
/// Only a failure to read the content.
pub fn legacy_display(content: &dyn Content, payload: &Part) -> io::Result<Vec<(u64, u64)>> {
    if Mode::of(&payload.content_type) != Some(Mode::Cipher) {
        return Ok(Vec::new());
    }
    let shows = |part: &&Part| {
        part.content_type.is("text", "plain")
            && part.content_type.parameter("hp-legacy-display") == Some("1")
            && part.encoding.is_identity()
    };
    let mut found = Vec::new();
    for part in payload.all().into_iter().filter(shows) {
        let (start, end) = part.body;
        if let Some(length) = block_length(&Slice::new(content, start, end))? {
            found.push((start, start.saturating_add(length)));
        }
    }
    Ok(found)
}

/// The octets up to and with the first blank line, if all lines before it are fields that count or continue one.
fn block_length(body: &dyn Content) -> io::Result<Option<u64>> {
    let mut head = Vec::new();
    let limited = body.reader(0)?;
    io::Read::read_to_end(
        &mut io::Read::take(limited, LEGACY_DISPLAY_OCTETS),
        &mut head,
    )?;
    let mut length = 0usize;
    for line in head.split_inclusive(|b| *b == b'\n') {
        length = length.saturating_add(line.len());
        let text = String::from_utf8_lossy(line);
        let field = |name: &str| {
            let start = text.get(..str::len(name)).unwrap_or_default();
            start.eq_ignore_ascii_case(name)
                && text
                    .get(str::len(name)..)
                    .is_some_and(|t| t.starts_with(':'))
        };
        if text.trim().is_empty() {
            return Ok((length > line.len()).then_some(length as u64));
        }
        let continues = text.starts_with([' ', '\t']) && length > line.len();
        if !continues && !HONOURED.iter().any(|name| field(name)) {
            return Ok(None);
        }
    }
    Ok(None)
}

/// Fields that a payload carries copies of: what RFC 5322 section 3.6 lists, without trace fields and Bcc (row C22).
const COPIED: [&str; 12] = [
    "Date",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Keywords",
    "Comments",
];

/// Fields that encryption hides, and what stands outside instead: the baseline policy (RFC 9788 section 3.2.1), and the
/// field in which Outlook repeats the Subject.
const HIDDEN: [(&str, Option<&str>); 4] = [
    ("Subject", Some("[...]")),
    ("Keywords", None),
    ("Comments", None),
    ("Thread-Topic", None),
];

/// What stands outside in the place of a field that encryption hides; `None` for a field that is not hidden.
fn hidden(field: &Field<'_>) -> Option<Option<&'static str>> {
    let row = HIDDEN.iter().find(|(name, _)| field.is(name));
    row.map(|(_, instead)| *instead)
}

/// The outer header of an encrypted mail whose fields are protected, made of the fields of the mail.
pub fn outer_fields(header: &HeaderBlock) -> Vec<u8> {
    HeaderEdit::new(header)
        .remove(|field| hidden(field) == Some(None))
        .rewrite(|field| {
            hidden(field)
                .flatten()
                .map(|instead| format!("{}: {instead}", field.name()))
        })
        .finish()
}

/// Whether we can protect the fields of this mail: not where its Content-Type says already that somebody did. Then nothing is
/// hidden either, since nobody would find it inside.
pub fn can_be_protected(message: &Message<'_>) -> bool {
    message.content_type().parameter("hp").is_none()
}

/// An entity with copies of the mail's fields in its header: the payload to sign (RFC 9788 section 5.2.1).
pub struct Protected<'e> {
    entity: &'e dyn Source,
    /// Its new header with the blank line.
    head: Vec<u8>,
    /// How many octets of the entity the new header stands for.
    replaced: u64,
}

impl<'e> Protected<'e> {
    /// `entity` begins with its own header and a blank line; `header` is that of the mail, which [`can_be_protected`].
    ///
    /// # Errors
    /// Only a failure to read the entity.
    pub fn new(entity: &'e dyn Source, header: &HeaderBlock, mode: Mode) -> io::Result<Self> {
        let mut head = Head::default();
        match entity.write_to(&mut head) {
            Err(error) if head.end.is_none() => return Err(error),
            _ => {}
        }
        let end = head.end.unwrap_or(head.octets.len());
        let own = HeaderBlock::parse(head.octets.get(..end).unwrap_or_default());
        let mut new = with_mode(&own, mode);
        new.extend_from_slice(&copies(header, mode));
        new.extend_from_slice(b"\r\n");
        Ok(Self {
            entity,
            head: new,
            replaced: head.octets.len() as u64,
        })
    }
}

impl Source for Protected<'_> {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.head)?;
        let mut rest = Rest {
            out,
            skip: self.replaced,
        };
        self.entity.write_to(&mut rest)
    }

    fn length(&self) -> io::Result<u64> {
        let rest = self.entity.length()?.saturating_sub(self.replaced);
        Ok(rest.saturating_add(self.head.len() as u64))
    }
}

/// The entity's own fields, its Content-Type with the parameter `hp`.
fn with_mode(own: &HeaderBlock, mode: Mode) -> Vec<u8> {
    let parameter = format!("hp=\"{}\"\r\n", mode.as_str());
    let mut out = Vec::new();
    let mut marked = false;
    for field in own.fields() {
        let raw = field.raw().trim_ascii_end();
        out.extend_from_slice(raw);
        if field.is("Content-Type") && !marked {
            marked = true;
            out.extend_from_slice(if raw.ends_with(b";") {
                b"\r\n "
            } else {
                b";\r\n "
            });
            out.extend_from_slice(parameter.as_bytes());
        } else {
            out.extend_from_slice(b"\r\n");
        }
    }
    if !marked {
        // RFC 2045 section 5.2: what a missing field means.
        out.extend_from_slice(b"Content-Type: text/plain; charset=us-ascii; ");
        out.extend_from_slice(parameter.as_bytes());
    }
    out
}

/// The copied fields; for an encrypted payload also HP-Outer, which tells what stands outside (RFC 9788 section 2.2).
fn copies(header: &HeaderBlock, mode: Mode) -> Vec<u8> {
    let mut inside = String::new();
    let mut outside = String::new();
    for field in header.fields() {
        let Some(name) = COPIED.iter().find(|name| field.is(name)) else {
            continue;
        };
        let Some(value) = copied_value(&field, name) else {
            continue;
        };
        inside.push_str(&fold(&format!("{name}: {value}")));
        let shown = hidden(&field).unwrap_or(Some(&value));
        if let (Mode::Cipher, Some(shown)) = (mode, shown) {
            outside.push_str(&fold(&format!("HP-Outer: {name}: {shown}")));
        }
    }
    inside.push_str(&outside);
    inside.into_bytes()
}

/// The value in a form that no relay changes: ASCII on lines that are not too long. None for a structured field that has
/// no such form; it stands outside only.
fn copied_value(field: &Field<'_>, name: &str) -> Option<String> {
    let value = field.value();
    let visible = |b: &u8| b.is_ascii_graphic() || matches!(b, b' ' | b'\t');
    let short = value
        .split(|b| *b == b' ')
        .all(|word| word.len() <= FOLDABLE);
    if value.iter().all(visible) && short && !value.is_empty() {
        return String::from_utf8(value.into_owned()).ok();
    }
    let text = words::decode(&value);
    let is_text = HONOURED.contains(&name) && !text.trim().is_empty();
    let encoded = is_text.then(|| encode_unstructured(name, &text))?;
    let unfolded = encoded.replace("\r\n", "");
    Some(unfolded.split_once(':')?.1.trim().to_owned())
}

/// Longest word of a copied field, in octets: with its name it stays on one line of RFC 5322 section 2.1.1.
const FOLDABLE: usize = sealgate_mail::limits::UNFOLDABLE_OCTETS;

/// Takes octets up to and with the first blank line, then no more.
#[derive(Default)]
struct Head {
    octets: Vec<u8>,
    /// Where the fields end, once the blank line was seen.
    end: Option<usize>,
}

impl Write for Head {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        for (taken, byte) in data.iter().enumerate() {
            if self.end.is_some() {
                return Ok(taken);
            }
            self.octets.push(*byte);
            let before = self.octets.strip_suffix(b"\r\n");
            let blank = |before: &&[u8]| before.is_empty() || before.ends_with(b"\n");
            self.end = before.filter(blank).map(<[u8]>::len);
        }
        Ok(data.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Passes on what comes after the first `skip` octets.
struct Rest<'o> {
    out: &'o mut dyn Write,
    skip: u64,
}

impl Write for Rest<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let skipped = usize::try_from(self.skip)
            .unwrap_or(usize::MAX)
            .min(data.len());
        self.skip = self.skip.saturating_sub(skipped as u64);
        let rest = data.get(skipped..).unwrap_or_default();
        if !rest.is_empty() {
            self.out.write_all(rest)?;
        }
        Ok(data.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(raw: &str) -> HeaderBlock {
        HeaderBlock::parse(raw.replace('\n', "\r\n").as_bytes())
    }

    fn text(octets: Vec<u8>) -> String {
        String::from_utf8(octets).unwrap().replace("\r\n", "\n")
    }

    fn written(source: &dyn Source) -> String {
        let mut out = Vec::new();
        source.write_to(&mut out).unwrap();
        assert_eq!(source.length().unwrap(), out.len() as u64);
        text(out)
    }

    #[test]
    fn which_payloads_protect_fields() {
        let table = [
            (
                "Content-Type: text/plain; hp=\"clear\"\nSubject: in\n\nx",
                Some("in"),
            ),
            (
                "Content-Type: multipart/mixed; boundary=b;\n protected-headers=\"v1\"\nSubject: in\n\nx",
                Some("in"),
            ),
            (
                "Content-Type: text/plain; protected-headers=\"v2\"\nSubject: in\n\nx",
                None,
            ),
            (
                "Content-Type: text/plain; HP=Cipher\nSubject: in\n\nx",
                Some("in"),
            ),
            ("Content-Type: text/plain; hp=other\nSubject: in\n\nx", None),
            ("Content-Type: text/plain\nSubject: in\n\nx", None),
            ("Subject: in\n\nx", None),
            (
                "Content-Type: message/rfc822; forwarded=no\n\nSubject: in\n\nx",
                Some("in"),
            ),
            ("Content-Type: message/rfc822\n\nSubject: in\n\nx", None),
            (
                "Content-Type: message/rfc822; forwarded=yes\n\nSubject: in\n\nx",
                None,
            ),
        ];
        for (raw, subject) in table {
            let raw = raw.replace('\n', "\r\n").into_bytes();
            let message = Message::read(&raw).unwrap();
            let found = protected_fields(&message).unwrap();
            let found = found.and_then(|header| Some(header.first("Subject")?.decoded()));
            assert_eq!(found.as_deref(), subject);
        }
    }

    #[test]
    fn g3_few_fields_count_from_inside() {
        let outer = header(
            "From: a@x.example\nSubject: [...]\nTo: us@we.example\nDate: 1\nMessage-ID: <1@x>\nKeywords: old\n",
        );
        let inner = header(
            "From: boss@we.example\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\nTo: x\nCc: x\nBcc: x\nDate: 2\nMessage-ID: <2@x>\n\
             Received: x\nReturn-Path: x\nDKIM-Signature: x\nAuthentication-Results: x\nX-Sealgate-Result: x\nReply-To: x\n\
             HP-Outer: Subject: [...]\nComments: yes\nKeywords: one\nKeywords: two\n",
        );
        assert_eq!(
            text(honoured(&outer, &inner)),
            "From: a@x.example\nSubject: =?utf-8?B?R3LDvMOfZQ==?=\nTo: us@we.example\nDate: 1\nMessage-ID: <1@x>\nKeywords: old\n\
             Comments: yes\n"
        );
        let long = format!("Subject: {}\n", "x".repeat(70_000));
        for odd in [
            "Subject: a\rBcc: b\n",
            "Subject: a\0b\n",
            "Subject: a\nSubject: b\n",
            &long,
        ] {
            let untouched = honoured(&outer, &header(odd));
            assert_eq!(untouched, outer.raw(), "{odd:.20}");
        }
        // The same text stays as it is written outside.
        let outer = header("Subject:  =?iso-8859-1?q?Gr=FC=DFe?=\n");
        assert_eq!(
            honoured(&outer, &inner).split(|b| *b == b'\n').next(),
            outer.raw().split(|b| *b == b'\n').next()
        );
    }

    const MAIL: &str = "Received: x\nFrom: a@x.example\nTo: b@x.example,\n c@x.example\nBcc: d@x.example\nSubject: Gr\u{fc}\u{df}e\n\
                        Date: today\nComments: note\nMessage-ID: <1@x>\nReply-To: \u{fc}@x.example\nX-Sealgate-Connector: secret\n\
                        Thread-Topic: Gr\u{fc}\u{df}e\n";

    #[test]
    fn signed_payloads_carry_the_fields() {
        let entity =
            b"Content-Type: text/plain\r\nContent-X: y\r\n\r\nbody\r\n\r\nmore\r\n".to_vec();
        let protected = Protected::new(&entity, &header(MAIL), Mode::Clear).unwrap();
        assert_eq!(
            written(&protected),
            "Content-Type: text/plain;\n hp=\"clear\"\nContent-X: y\nFrom: a@x.example\nTo: b@x.example, c@x.example\n\
             Subject: =?utf-8?B?R3LDvMOfZQ==?=\nDate: today\nComments: note\nMessage-ID: <1@x>\n\nbody\n\nmore\n"
        );
    }

    #[test]
    fn encrypted_payloads_tell_what_stands_outside() {
        let entity = b"\r\nbody\r\n".to_vec();
        let protected = Protected::new(&entity, &header(MAIL), Mode::Cipher).unwrap();
        assert_eq!(
            written(&protected),
            "Content-Type: text/plain; charset=us-ascii; hp=\"cipher\"\nFrom: a@x.example\nTo: b@x.example, c@x.example\n\
             Subject: =?utf-8?B?R3LDvMOfZQ==?=\nDate: today\nComments: note\nMessage-ID: <1@x>\nHP-Outer: From: a@x.example\n\
             HP-Outer: To: b@x.example, c@x.example\nHP-Outer: Subject: [...]\nHP-Outer: Date: today\n\
             HP-Outer: Message-ID: <1@x>\n\nbody\n"
        );
        assert_eq!(
            text(outer_fields(&header(MAIL))),
            MAIL.replace("Subject: Gr\u{fc}\u{df}e", "Subject: [...]")
                .replace("Comments: note\n", "")
                .replace("Thread-Topic: Gr\u{fc}\u{df}e\n", "")
        );
    }

    #[test]
    fn copies_survive_relays() {
        let long = format!(
            "Subject: {}\nReferences: {}\n",
            "w\u{f6}rd ".repeat(400),
            "<a@x> ".repeat(400)
        );
        let entity = b"Content-Type: text/plain;\r\n\r\nbody".to_vec();
        let protected = Protected::new(&entity, &header(&long), Mode::Cipher).unwrap();
        let text = written(&protected);
        assert!(
            text.starts_with("Content-Type: text/plain;\n hp=\"cipher\"\nSubject: "),
            "{text}"
        );
        assert!(
            text.is_ascii()
                && text
                    .lines()
                    .all(|line| line.len() <= 78 && line.trim_end() == line)
        );
        let huge = format!("References: {}\n", "x".repeat(2000));
        let protected = Protected::new(&entity, &header(&huge), Mode::Clear).unwrap();
        assert!(!written(&protected).contains("References"));
    }

    #[test]
    fn legacy_display_is_found() {
        let table = [
            ("Subject: x\n\nbody", 14),
            ("Subject: x\n y\nKeywords: z\n\nbody", 31),
            ("Subject: x\nbody", 0),
            ("body\n\nSubject: x", 0),
            ("\nbody", 0),
            ("Subjective: x\n\nbody", 0),
        ];
        for (body, length) in table {
            for (mode, length) in [("cipher", length), ("clear", 0)] {
                let raw = format!(
                    "Content-Type: text/plain; hp={mode}; hp-legacy-display=\"1\"\n\n{body}"
                );
                let raw = raw.replace('\n', "\r\n").into_bytes();
                let message = Message::read(&raw).unwrap();
                let found = legacy_display(&raw, &message.structure().unwrap()).unwrap();
                let start = message.body_start();
                let expected = (length > 0).then_some((start, start + length));
                assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{body:?}");
            }
        }
    }
}
