//! Delivery status notifications: how they are written (RFC 3464, RFC 6522, RFC 6533, RFC 3834).
//!
//! A report returns headers only, never content (row M8). No text given here can begin a field or a part of its own.

use std::io::Write;

use rand_core::CryptoRng;

use crate::address::{Address, Domain, Mailbox};
use crate::date::Timestamp;
use crate::encoding::{CrlfWriter, QuotedWriter};
use crate::form::{Form, with_crlf};
use crate::header::HeaderBlock;
use crate::id::new_boundary;
use crate::limits::{ENCODED_COLUMNS, RETURNED_HEADER_OCTETS, TEXT_LINE_OCTETS, UNFOLDABLE_OCTETS};
use crate::message::message_id;
use crate::status::{EnhancedStatus, Reply};
use crate::words::{encode_mailbox, encode_unstructured, fold};

/// What happened to a recipient (RFC 3464 section 2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It will not be delivered.
    Failed,
    /// Not yet delivered; it is still being tried.
    Delayed,
    /// Handed to a system that gives no reports of success.
    Relayed,
    /// Delivered.
    Delivered,
    /// Delivered to several addresses behind this one.
    Expanded,
}

impl Action {
    /// The word in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Relayed => "relayed",
            Self::Delivered => "delivered",
            Self::Expanded => "expanded",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Failed,
            Self::Delayed,
            Self::Relayed,
            Self::Delivered,
            Self::Expanded,
        ];
        all.into_iter()
            .find(|action| action.as_str().eq_ignore_ascii_case(text))
    }
}

/// A report on one mail to its sender.
#[derive(Clone, Debug)]
pub struct Report<'r> {
    /// Who reports, e.g. `Mail Delivery System <postmaster@gate.example>`.
    pub from: Mailbox,
    /// The envelope sender of the mail.
    pub to: Address,
    /// The subject, any text.
    pub subject: &'r str,
    /// Now.
    pub date: Timestamp,
    /// The report's own Message-ID with angle brackets, e.g. of `id::new_message_id`.
    pub message_id: &'r str,
    /// What people read; any text, lines ended by LF or CRLF.
    pub text: &'r str,
    /// The language of the text, e.g. `de`.
    pub language: Option<&'r str>,
    /// ENVID of the mail, xtext decoded.
    pub envelope_id: Option<&'r str>,
    /// Our host name.
    pub reporting_mta: &'r Domain,
    /// When the mail arrived.
    pub arrival: Option<Timestamp>,
    /// One entry for each recipient reported on.
    pub recipients: &'r [ReportRecipient],
    /// The header of the mail as it came, to be returned.
    pub returned: &'r HeaderBlock,
}

/// What a report says of one recipient.
#[derive(Clone, Debug)]
pub struct ReportRecipient {
    /// ORCPT as `addr-type;address`, xtext decoded.
    pub original: Option<String>,
    /// The address the mail was to be delivered to.
    pub address: Address,
    /// What happened.
    pub action: Action,
    /// The status code.
    pub status: EnhancedStatus,
    /// The host that gave the reply, if it was not us.
    pub remote_mta: Option<String>,
    /// The reply that decided it.
    pub diagnostic: Option<Reply>,
    /// When delivery was last tried.
    pub last_attempt: Option<Timestamp>,
    /// Until when delivery will be tried, if it is delayed.
    pub retry_until: Option<Timestamp>,
}

impl Report<'_> {
    /// The whole message. It is seven-bit, unless the address it goes to is not ASCII; then it needs SMTPUTF8
    /// and uses the types of RFC 6533.
    pub fn write(&self, rng: &mut dyn CryptoRng) -> Vec<u8> {
        let boundary = new_boundary(rng);
        let mut out = self.head(&boundary).into_bytes();
        let parts = [self.text_part(), self.status_part(), self.returned_part()];
        for part in parts {
            out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            out.extend(part);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        out
    }

    /// Whether the report needs SMTPUTF8.
    pub fn is_global(&self) -> bool {
        !self.to.is_ascii()
    }

    fn head(&self, boundary: &str) -> String {
        let mut out = String::new();
        out.push_str(&fold(&format!("From: {}", encode_mailbox(&self.from))));
        out.push_str(&fold(&format!("To: {}", self.to)));
        out.push_str(&encode_unstructured("Subject", self.subject));
        out.push_str(&format!("Date: {}\r\n", self.date.rfc5322()));
        out.push_str(&structured("Message-ID", self.message_id, false));
        if let Some(id) = self
            .returned
            .first("Message-ID")
            .and_then(|field| message_id(&field.value()))
            && id.is_ascii()
        {
            out.push_str(&structured("In-Reply-To", &id, false));
            out.push_str(&structured("References", &id, false));
        }
        // RFC 3834 section 5.2.
        out.push_str("Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n");
        // RFC 6522 section 3: `report-type` names the subtype of the second part.
        let kind = if self.is_global() {
            "global-delivery-status"
        } else {
            "delivery-status"
        };
        out.push_str(&format!(
            "Content-Type: multipart/report; report-type={kind};\r\n boundary=\"{boundary}\"\r\n\r\n"
        ));
        out
    }

    fn text_part(&self) -> Vec<u8> {
        let plain: String = self
            .text
            .chars()
            .map(|c| {
                if c.is_control() && !matches!(c, '\r' | '\n' | '\t') {
                    ' '
                } else {
                    c
                }
            })
            .collect();
        let mut lines = CrlfWriter::new(Vec::new());
        // Writing into memory does not fail.
        let _ = lines.write_all(plain.as_bytes());
        let text = lines.finish().unwrap_or_default();
        let language = self
            .language
            .filter(|l| l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
        let language = language
            .map(|l| format!("Content-Language: {l}\r\n"))
            .unwrap_or_default();
        let head = format!(
            "Content-Type: text/plain; charset=utf-8\r\n{language}Content-Description: Notification\r\n"
        );
        if Form::of_bytes(&text).survives(ENCODED_COLUMNS) {
            return [
                head.as_bytes(),
                b"Content-Transfer-Encoding: 7bit\r\n\r\n",
                &text,
            ]
            .concat();
        }
        let mut quoted = QuotedWriter::new(Vec::new());
        let _ = quoted.write_all(&text);
        let quoted = quoted.finish().unwrap_or_default();
        [
            head.as_bytes(),
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
            &quoted,
        ]
        .concat()
    }

    /// RFC 3464 section 2: per-message fields, then a block for each recipient.
    fn status_part(&self) -> Vec<u8> {
        let wide = self.is_global();
        let mut out = match wide {
            true => "Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n".to_owned(),
            false => "Content-Type: message/delivery-status\r\n".to_owned(),
        };
        out.push_str("Content-Description: Delivery report\r\n\r\n");
        if let Some(id) = self.envelope_id {
            out.push_str(&structured("Original-Envelope-Id", id, wide));
        }
        out.push_str(&structured(
            "Reporting-MTA",
            &format!("dns; {}", self.reporting_mta),
            wide,
        ));
        if let Some(arrival) = self.arrival {
            out.push_str(&format!("Arrival-Date: {}\r\n", arrival.rfc5322()));
        }
        for recipient in self.recipients {
            out.push_str("\r\n");
            recipient.write(wide, &mut out);
        }
        out.into_bytes()
    }

    fn returned_part(&self) -> Vec<u8> {
        returned_part(self.returned, self.is_global())
    }
}

impl ReportRecipient {
    /// RFC 3464 section 2.3.
    fn write(&self, wide: bool, out: &mut String) {
        if let Some(original) = &self.original {
            out.push_str(&structured("Original-Recipient", original, wide));
        }
        out.push_str(&structured(
            "Final-Recipient",
            &typed_address(&self.address, wide),
            wide,
        ));
        out.push_str(&format!(
            "Action: {}\r\nStatus: {}\r\n",
            self.action.as_str(),
            self.status
        ));
        if let Some(host) = &self.remote_mta {
            out.push_str(&structured("Remote-MTA", &format!("dns; {host}"), wide));
        }
        if let Some(reply) = &self.diagnostic {
            out.push_str(&structured(
                "Diagnostic-Code",
                &format!("smtp; {reply}"),
                wide,
            ));
        }
        if let Some(at) = self.last_attempt {
            out.push_str(&format!("Last-Attempt-Date: {}\r\n", at.rfc5322()));
        }
        if let Some(at) = self.retry_until.filter(|_| self.action == Action::Delayed) {
            out.push_str(&format!("Will-Retry-Until: {}\r\n", at.rfc5322()));
        }
    }
}

/// `rfc822; address`, or `utf-8; address`, escaped where the report is seven-bit (RFC 6533 section 3: utf-8-addr-xtext).
fn typed_address(address: &Address, wide: bool) -> String {
    let text = address.to_string();
    match (address.is_ascii(), wide) {
        (true, _) => format!("rfc822; {text}"),
        (false, true) => format!("utf-8; {text}"),
        (false, false) => format!("utf-8; {}", escaped(&text)),
    }
}

/// `QCHAR` as it is, everything else as `\x{HEX}` (RFC 6533 section 3).
fn escaped(text: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '+' | '=' | '\\');
    let one = |c: char| {
        if plain(c) {
            String::from(c)
        } else {
            format!("\\x{{{:02X}}}", u32::from(c))
        }
    };
    text.chars().map(one).collect()
}

/// A field of the machine-readable part: on one line but for folds, seven-bit unless `wide`, no word too long for a line.
fn structured(name: &str, value: &str, wide: bool) -> String {
    let one = |c: char| match c {
        c if c.is_control() => ' ',
        c if wide || c.is_ascii() => c,
        _ => '?',
    };
    let value: String = value.chars().map(one).collect();
    let cut = |word: &str| word.chars().take(UNFOLDABLE_OCTETS / 4).collect::<String>();
    let words: Vec<String> = value
        .split(' ')
        .map(|word| {
            if word.len() > UNFOLDABLE_OCTETS {
                cut(word)
            } else {
                word.to_owned()
            }
        })
        .collect();
    fold(&format!("{name}: {}", words.join(" ").trim()))
}

/// The third part of a report: the header of the mail and nothing else. Fields that could not pass every relay are
/// written anew; lines that are no field and Bcc are left out; what exceeds the limit is left out.
pub(crate) fn returned_part(header: &HeaderBlock, wide: bool) -> Vec<u8> {
    let mut fields: Vec<u8> = Vec::new();
    for field in header
        .fields()
        .filter(|field| !field.name().is_empty() && !field.is("Bcc"))
    {
        let form = Form::of_bytes(field.raw());
        let bytes = match form.is_seven_bit(TEXT_LINE_OCTETS) {
            true => with_crlf(field.raw()),
            false => encode_unstructured(field.name(), &field.decoded()).into_bytes(),
        };
        if fields.len().saturating_add(bytes.len()) > RETURNED_HEADER_OCTETS {
            break;
        }
        fields.extend(bytes);
    }
    let kind = if wide {
        "message/global-headers"
    } else {
        "text/rfc822-headers"
    };
    let head =
        format!("Content-Type: {kind}\r\nContent-Description: Header of the message\r\n\r\n");
    [head.as_bytes(), &fields].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use crate::report::read_report;
    use crate::testing::Counting;

    fn recipient(address: &str, action: Action) -> ReportRecipient {
        ReportRecipient {
            original: Some("rfc822;Bob@y.example".to_owned()),
            address: Address::parse(address).unwrap(),
            action,
            status: EnhancedStatus(5, 1, 1),
            remote_mta: Some("mx.y.example\r\nX: y".to_owned()),
            diagnostic: Some(Reply::received(550, "5.1.1 no such mailbox")),
            last_attempt: Some(Timestamp(0)),
            retry_until: Some(Timestamp(0)),
        }
    }

    fn report(to: &str, text: &str, recipients: &[ReportRecipient], header: &[u8]) -> Vec<u8> {
        let report = Report {
            from: Mailbox {
                name: Some("Gate".to_owned()),
                address: Address::parse("postmaster@g.example").unwrap(),
            },
            to: Address::parse(to).unwrap(),
            subject: "Nicht zugestellt: Grüße\r\nBcc: x@y.example",
            date: Timestamp(0),
            message_id: "<r@g.example>",
            text,
            language: Some("de"),
            envelope_id: Some("id\r\nX: y"),
            reporting_mta: &Domain::parse("g.example").unwrap(),
            arrival: Some(Timestamp(0)),
            recipients,
            returned: &HeaderBlock::parse(header),
        };
        report.write(&mut Counting(0))
    }

    #[test]
    fn m8_a_report_has_three_parts_and_only_headers() {
        let header = b"From: a@x.example\r\nSubject: \xc3\xbc\r\nBcc: c@z.example\r\nno field\r\nMessage-ID: <m@x.example>\r\nX: "
            .iter().copied().chain(vec![b'y'; 2000]).chain(*b"\r\n").collect::<Vec<u8>>();
        let raw = report(
            "a@x.example",
            "Grüße \n.\nFrom\n",
            &[recipient("bob@y.example", Action::Failed)],
            &header,
        );
        assert!(raw.is_ascii());
        assert!(Form::of_bytes(&raw).is_lines(998));
        let message = Message::read(&raw).unwrap();
        assert!(!message.header().has_malformed());
        assert_eq!(message.header().count("Bcc"), 0);
        assert_eq!(message.header().count("Auto-Submitted"), 1);
        assert_eq!(
            &*message.header().first("In-Reply-To").unwrap().value(),
            b"<m@x.example>"
        );
        let tree = message.structure().unwrap();
        let kinds: Vec<String> = tree
            .children
            .iter()
            .map(|part| part.content_type.to_string())
            .collect();
        assert_eq!(
            kinds,
            [
                "text/plain",
                "message/delivery-status",
                "text/rfc822-headers"
            ]
        );
        assert_eq!(
            tree.content_type.parameter("report-type"),
            Some("delivery-status")
        );
        let returned = tree.children[2].body;
        let returned =
            String::from_utf8_lossy(&raw[returned.0 as usize..returned.1 as usize]).into_owned();
        assert!(returned.starts_with(
            "From: a@x.example\r\nSubject: =?utf-8?B?w7w=?=\r\nMessage-ID: <m@x.example>\r\nX:"
        ));
        let status = tree.children[1].body;
        let status =
            String::from_utf8_lossy(&raw[status.0 as usize..status.1 as usize]).into_owned();
        assert_eq!(
            status,
            "Original-Envelope-Id: id  X: y\r\nReporting-MTA: dns; g.example\r\nArrival-Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n\r\n\
             Original-Recipient: rfc822;Bob@y.example\r\nFinal-Recipient: rfc822; bob@y.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\
             Remote-MTA: dns; mx.y.example  X: y\r\nDiagnostic-Code: smtp; 550 5.1.1 no such mailbox\r\n\
             Last-Attempt-Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"
        );
    }

    #[test]
    fn addresses_that_are_not_ascii() {
        let recipients = [recipient("jürgen+x@y.example", Action::Delayed)];
        let raw = report("a@x.example", "x", &recipients, b"A: b\r\n");
        assert!(raw.is_ascii());
        let text = String::from_utf8(raw).unwrap();
        assert!(
            text.contains("Final-Recipient: utf-8; j\\x{FC}rgen\\x{2B}x@y.example\r\n"),
            "{text}"
        );
        assert!(text.contains("Will-Retry-Until:"));
        let text = String::from_utf8(report("ä@x.example", "x", &recipients, b"A: b\r\n")).unwrap();
        for part in [
            "Final-Recipient: utf-8; jürgen+x@y.example",
            "message/global-headers",
            "report-type=global-delivery-status",
        ] {
            assert!(text.contains(part), "{part}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let recipients = [
            recipient("bob@y.example", Action::Failed),
            recipient("jürgen@y.example", Action::Failed),
        ];
        for to in ["a@x.example", "ä@x.example"] {
            let raw = report(to, "x", &recipients, b"Message-ID: <m@x.example>\r\n");
            let read = read_report(&Message::read(&raw).unwrap()).unwrap().unwrap();
            assert_eq!(read.message_id.as_deref(), Some("<m@x.example>"));
            assert_eq!(read.envelope_id.as_deref(), Some("id  X: y"));
            let addresses: Vec<String> = read
                .recipients
                .iter()
                .flat_map(|r| &r.final_recipient)
                .map(Address::to_string)
                .collect();
            assert_eq!(addresses, ["bob@y.example", "jürgen@y.example"]);
            assert!(
                read.recipients
                    .iter()
                    .all(|r| r.action == Some(Action::Failed))
            );
            assert_eq!(
                read.recipients[0].original_recipient,
                Address::parse("bob@y.example").ok()
            );
        }
    }
}
