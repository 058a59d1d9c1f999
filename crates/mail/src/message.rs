//! A message: its header read, its body left where it is (RFC 5322).

use std::io::{self, Write};

use crate::address::{Address, Mailbox};
use crate::address_list::{parse_address_list, readable_mailboxes};
use crate::content::{Content, Slice, Source, copy};
use crate::date::Timestamp;
use crate::encoding::TransferEncoding;
use crate::header::{Field, HeaderBlock};
use crate::limits::{HEADER_FIELDS, HEADER_OCTETS};
use crate::lines::Lines;
use crate::media::{ContentType, is_ambiguous};
use crate::part::{Part, structure};

/// Why a message cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The content could not be read.
    #[error("the content cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A header, or all headers of parts together, are larger than the limits of this crate.
    #[error("the header is too large")]
    HeaderTooLarge,
    /// Parts are nested deeper than `limits::MIME_DEPTH`.
    #[error("parts are nested too deep")]
    TooDeep,
    /// More parts than `limits::MIME_PARTS`.
    #[error("there are too many parts")]
    TooMany,
}

/// A message whose header is read and whose body stays in its content.
#[derive(Clone)]
pub struct Message<'c> {
    content: &'c dyn Content,
    header: HeaderBlock,
    body_start: u64,
}

impl<'c> Message<'c> {
    /// Reads the header of `content`. Without a blank line all of it is header and the body is empty.
    pub fn read(content: &'c dyn Content) -> Result<Self, MessageError> {
        let mut lines = Lines::new(content, 0)?;
        let (mut length, mut fields) = (0usize, 0usize);
        loop {
            let room = HEADER_OCTETS.saturating_sub(length);
            let Some(line) = lines.peek(room)? else { break };
            if !line.whole {
                return Err(MessageError::HeaderTooLarge);
            }
            let is_blank = line.text.is_empty();
            let continues = line.text.starts_with(b" ") || line.text.starts_with(b"\t");
            fields = fields.saturating_add(usize::from(!continues));
            if fields > HEADER_FIELDS {
                return Err(MessageError::HeaderTooLarge);
            }
            lines.pass_line()?;
            if is_blank {
                break;
            }
            length = usize::try_from(lines.offset()).unwrap_or(usize::MAX);
        }
        let mut raw = Vec::with_capacity(length);
        copy(&Slice::new(content, 0, length as u64), &mut raw)?;
        Ok(Self {
            content,
            header: HeaderBlock::parse(&raw),
            body_start: lines.offset(),
        })
    }

    /// The header.
    pub fn header(&self) -> &HeaderBlock {
        &self.header
    }

    /// What follows the blank line.
    pub fn body(&self) -> Slice<'c> {
        Slice::new(self.content, self.body_start, self.content.len())
    }

    /// Where the body begins, in octets of the content.
    pub fn body_start(&self) -> u64 {
        self.body_start
    }

    /// The whole message.
    pub fn content(&self) -> &'c dyn Content {
        self.content
    }

    /// The one author: exactly one From field that holds exactly one mailbox and no group (row C8), in a header every
    /// reader reads alike. `None` otherwise: then nobody is the author.
    pub fn single_from(&self) -> Option<Mailbox> {
        let mut fields = self.header.all("From");
        let only = fields.next().filter(|_| fields.next().is_none())?;
        let list = parse_address_list(&only.value())
            .ok()
            .filter(|list| !list.groups)?;
        let mut mailboxes = list.mailboxes.into_iter();
        let mailbox = mailboxes.next()?;
        (mailboxes.next().is_none() && !self.header.has_malformed()).then_some(mailbox)
    }

    /// Every mailbox that can be read in any From field; for showing, never for a decision.
    pub fn froms(&self) -> Vec<Mailbox> {
        self.mailboxes("From")
    }

    /// The addresses that stand in To and Cc, as far as they can be read: the recipients everybody sees.
    /// Bcc is not among them, so that a blind recipient never counts as seen (row C22).
    pub fn header_recipients(&self) -> Vec<Address> {
        let seen = [self.mailboxes("To"), self.mailboxes("Cc")];
        seen.into_iter()
            .flatten()
            .map(|mailbox| mailbox.address)
            .collect()
    }

    /// The addresses that stand in Bcc, as far as they can be read.
    pub fn blind_recipients(&self) -> Vec<Address> {
        self.mailboxes("Bcc")
            .into_iter()
            .map(|mailbox| mailbox.address)
            .collect()
    }

    fn mailboxes(&self, name: &str) -> Vec<Mailbox> {
        self.header
            .all(name)
            .flat_map(|field| readable_mailboxes(&field.value()))
            .collect()
    }

    /// The Message-ID with its angle brackets; `None` if there is none, several, or one with blanks or controls inside.
    pub fn message_id(&self) -> Option<String> {
        let mut fields = self.header.all("Message-ID");
        let only = fields.next().filter(|_| fields.next().is_none())?;
        message_id(&only.value())
    }

    /// The date of the Date field.
    pub fn date(&self) -> Option<Timestamp> {
        self.header
            .first("Date")
            .and_then(|field| Timestamp::parse_rfc5322(&field.value()))
    }

    /// The decoded subject.
    pub fn subject(&self) -> Option<String> {
        self.header.first("Subject").map(|field| field.decoded())
    }

    /// The media type; `text/plain` where none is given.
    pub fn content_type(&self) -> ContentType {
        ContentType::of(&self.header, &ContentType::default())
    }

    /// How the body is written.
    pub fn transfer_encoding(&self) -> TransferEncoding {
        TransferEncoding::of(&self.header)
    }

    /// Whether readers differ in what they make of the header (row M12): see `media::is_ambiguous`.
    pub fn is_ambiguous(&self) -> bool {
        is_ambiguous(&self.header)
    }

    /// The tree of parts, the message itself on top.
    pub fn structure(&self) -> Result<Part, MessageError> {
        structure(self.content, &self.header, self.body_start)
    }

    /// The fields that belong to the message, MIME-Version among them, as they stand. A caller that puts an S/MIME
    /// entity below them adds MIME-Version if it is missing.
    pub fn outer_fields(&self) -> Vec<u8> {
        self.fields_where(|field| !is_entity_field(field))
    }

    /// The fields that belong to the content: all `Content-*` (RFC 2045 section 3), as they stand.
    pub fn entity_fields(&self) -> Vec<u8> {
        self.fields_where(is_entity_field)
    }

    fn fields_where(&self, keep: impl Fn(&Field<'_>) -> bool) -> Vec<u8> {
        let mut out = Vec::new();
        for field in self.header.fields().filter(keep) {
            out.extend_from_slice(field.raw());
            if !field.raw().ends_with(b"\n") {
                out.extend_from_slice(b"\r\n");
            }
        }
        out
    }

    /// The content as an entity of its own, untouched: entity fields, blank line, body.
    pub fn entity(&self) -> Entity<'c> {
        let mut head = self.entity_fields();
        head.extend_from_slice(b"\r\n");
        Entity {
            head,
            body: self.body(),
        }
    }
}

/// Whether a field describes the content and not the message.
pub fn is_entity_field(field: &Field<'_>) -> bool {
    field
        .name()
        .get(..8)
        .is_some_and(|start| start.eq_ignore_ascii_case("Content-"))
}

/// `"<" id-left "@" id-right ">"` as loosely as mail has it: brackets around anything visible (RFC 5322 section 3.6.4).
pub(crate) fn message_id(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?.trim();
    let inner = text.strip_prefix('<')?.strip_suffix('>')?;
    let sound = |c: char| !c.is_control() && !c.is_whitespace() && c != '<' && c != '>';
    (!inner.is_empty() && inner.chars().all(sound)).then(|| text.to_owned())
}

/// A head in memory and a body in a content.
pub struct Entity<'c> {
    head: Vec<u8>,
    body: Slice<'c>,
}

impl Source for Entity<'_> {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.head)?;
        copy(&self.body, out)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.body.len().saturating_add(self.head.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(raw: &str, check: impl FnOnce(Message<'_>)) {
        let bytes = raw.as_bytes();
        check(Message::read(&bytes).unwrap());
    }

    #[test]
    fn where_the_body_begins() {
        let table = [
            ("A: b\r\n\r\nbody", "A: b\r\n", "body"),
            ("A: b\n\nbody", "A: b\n", "body"),
            ("A: b\r\n\nbody", "A: b\r\n", "body"),
            (
                "A: b\r\n \r\nC: d\r\n\r\nbody",
                "A: b\r\n \r\nC: d\r\n",
                "body",
            ),
            ("\r\nbody", "", "body"),
            ("A: b\r\n", "A: b\r\n", ""),
            ("A: b", "A: b", ""),
            ("", "", ""),
            ("A: b\r\n\r\n", "A: b\r\n", ""),
        ];
        for (raw, header, body) in table {
            with(raw, |message| {
                assert_eq!(message.header().raw(), header.as_bytes(), "{raw:?}");
                let mut read = Vec::new();
                message.body().write_to(&mut read).unwrap();
                assert_eq!(read, body.as_bytes(), "{raw:?}");
            });
        }
        let long = [b"A: ".to_vec(), vec![b'x'; HEADER_OCTETS]].concat();
        assert!(matches!(
            Message::read(&long),
            Err(MessageError::HeaderTooLarge)
        ));
        let lines = b"A: b\r\n".repeat(HEADER_OCTETS / 6 + 2);
        assert!(matches!(
            Message::read(&lines),
            Err(MessageError::HeaderTooLarge)
        ));
        let most = b"A: b\r\n".repeat(HEADER_FIELDS);
        assert!(Message::read(&most).is_ok());
        let many = b"A: b\r\n".repeat(HEADER_FIELDS + 1);
        assert!(matches!(
            Message::read(&many),
            Err(MessageError::HeaderTooLarge)
        ));
    }

    #[test]
    fn c8_one_author_or_none() {
        let table = [
            ("From: a@x.example\r\n", Some("a@x.example")),
            ("FROM : Alice <a@x.example>\r\n", Some("a@x.example")),
            (
                "From: \"boss@y.example\" <a@x.example>\r\n",
                Some("a@x.example"),
            ),
            ("From: a@x.example\r\nFrom: a@x.example\r\n", None),
            ("From: a@x.example\r\nfrom : b@x.example\r\n", None),
            ("From: a@x.example, b@x.example\r\n", None),
            ("From: Team: a@x.example;\r\n", None),
            ("From:\r\n", None),
            ("From: <>\r\n", None),
            ("Sender: a@x.example\r\n", None),
            ("From: a@x.example\r\nno field\r\nTo: b@x.example\r\n", None),
            ("From: a@x.example <b@x.example>\r\n", None),
            ("From: a@x.example\r\n\t(c)\r\n", Some("a@x.example")),
        ];
        for (raw, expected) in table {
            with(raw, |message| {
                let from = message
                    .single_from()
                    .map(|mailbox| mailbox.address.to_string());
                assert_eq!(from.as_deref(), expected, "{raw}");
            });
        }
    }

    #[test]
    fn c22_blind_recipients_are_not_seen() {
        with(
            "To: a@x.example, Bob <b@x.example>\r\nCC: broken, c@x.example\r\nBcc: d@x.example\r\n\r\n",
            |message| {
                let seen: Vec<String> = message
                    .header_recipients()
                    .iter()
                    .map(Address::to_string)
                    .collect();
                assert_eq!(seen, ["a@x.example", "b@x.example", "c@x.example"]);
                assert_eq!(message.blind_recipients().len(), 1);
            },
        );
    }

    #[test]
    fn fields_are_split_between_message_and_entity() {
        let raw = "From: a@x.example\r\nContent-Type: text/plain;\r\n charset=utf-8\r\nMIME-Version: 1.0\r\ncontent-x : y\r\nSubject: s\r\n\r\nbody";
        with(raw, |message| {
            assert_eq!(
                message.outer_fields(),
                b"From: a@x.example\r\nMIME-Version: 1.0\r\nSubject: s\r\n"
            );
            let mut entity = Vec::new();
            message.entity().write_to(&mut entity).unwrap();
            assert_eq!(
                entity,
                b"Content-Type: text/plain;\r\n charset=utf-8\r\ncontent-x : y\r\n\r\nbody"
            );
            assert_eq!(message.entity().length().unwrap(), entity.len() as u64);
        });
    }

    #[test]
    fn message_ids() {
        let table = [
            ("<a@b>", Some("<a@b>")),
            (" <a@b> ", Some("<a@b>")),
            ("a@b", None),
            ("<a b@c>", None),
            ("<a@b> <c@d>", None),
            ("<>", None),
        ];
        for (value, expected) in table {
            with(&format!("Message-ID: {value}\r\n"), |message| {
                assert_eq!(message.message_id().as_deref(), expected, "{value}");
            });
        }
        with("Message-Id: <a@b>\r\nMessage-ID: <c@d>\r\n", |message| {
            assert_eq!(message.message_id(), None)
        });
    }
}
