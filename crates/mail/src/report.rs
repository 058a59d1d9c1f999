//! Delivery status notifications of others: what they report on, and how their returned content is cut to headers.

use std::io::{self, Read};

use crate::address::Address;
use crate::content::Content;
use crate::dsn::{Action, returned_part};
use crate::edit::Edited;
use crate::header::{Field, HeaderBlock};
use crate::limits::{RETURNED_HEADER_OCTETS, STATUS_PART_OCTETS};
use crate::message::{Message, MessageError, message_id};
use crate::part::Part;
use crate::status::EnhancedStatus;

/// What a notification says. Nothing in it is proven.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadReport {
    /// The Message-ID of the mail it returns, with angle brackets, if it returns content or headers.
    pub message_id: Option<String>,
    /// Original-Envelope-Id.
    pub envelope_id: Option<String>,
    /// One entry for each recipient reported on.
    pub recipients: Vec<ReadRecipient>,
}

/// What a notification says of one recipient (RFC 3464 section 2.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadRecipient {
    /// Original-Recipient, if it is a mail address.
    pub original_recipient: Option<Address>,
    /// Final-Recipient, if it is a mail address.
    pub final_recipient: Option<Address>,
    /// Action.
    pub action: Option<Action>,
    /// Status.
    pub status: Option<EnhancedStatus>,
}

/// Reads `message` as a notification: `multipart/report` with a delivery status in its second place (RFC 6522 section 3).
/// `None` if it is none.
pub fn read_report(message: &Message<'_>) -> Result<Option<ReadReport>, MessageError> {
    if !message.content_type().is("multipart", "report") {
        return Ok(None);
    }
    let part = message.structure()?;
    let [_, status, returned @ ..] = part.children.as_slice() else {
        return Ok(None);
    };
    let is_status =
        ["delivery-status", "global-delivery-status"].contains(&status.content_type.subtype());
    if !is_status || status.content_type.kind() != "message" {
        return Ok(None);
    }
    let mut read = status_of(message.content(), status)?;
    if let Some(returned) = returned.iter().find(|part| returns_mail(part)) {
        let (header, _) = returned_header(message.content(), returned)?;
        read.message_id =
            single(&header, "Message-ID").and_then(|field| message_id(&field.value()));
    }
    Ok(Some(read))
}

fn single<'h>(header: &'h HeaderBlock, name: &'h str) -> Option<Field<'h>> {
    header.first(name).filter(|_| header.count(name) == 1)
}

/// Whether the part returns a mail or its header.
fn returns_mail(part: &Part) -> bool {
    match part.content_type.kind() {
        "message" => matches!(
            part.content_type.subtype(),
            "rfc822" | "global" | "global-headers" | "rfc822-headers"
        ),
        "text" => part.content_type.subtype() == "rfc822-headers",
        _ => false,
    }
}

/// The fields of the status part: a block for the message, then one for each recipient, with blank lines between.
fn status_of(content: &dyn Content, part: &Part) -> io::Result<ReadReport> {
    let mut text = Vec::new();
    part.decoded(content)?
        .take(STATUS_PART_OCTETS)
        .read_to_end(&mut text)?;
    let mut blocks = blocks(&text).into_iter();
    let value = |header: &HeaderBlock, name: &str| {
        header
            .first(name)
            .map(|field| String::from_utf8_lossy(&field.value()).into_owned())
    };
    let mut read = ReadReport::default();
    if let Some(first) = blocks.next() {
        read.envelope_id = value(&first, "Original-Envelope-Id");
    }
    for block in blocks {
        read.recipients.push(ReadRecipient {
            original_recipient: value(&block, "Original-Recipient")
                .and_then(|text| typed_address(&text)),
            final_recipient: value(&block, "Final-Recipient").and_then(|text| typed_address(&text)),
            action: value(&block, "Action").and_then(|text| Action::parse(&text)),
            status: value(&block, "Status").and_then(|text| EnhancedStatus::parse(&text)),
        });
    }
    Ok(read)
}

/// Header blocks with blank lines between them.
fn blocks(text: &[u8]) -> Vec<HeaderBlock> {
    let mut blocks = Vec::new();
    let mut current: Vec<u8> = Vec::new();
    for line in text.split_inclusive(|b| *b == b'\n') {
        if line.trim_ascii().is_empty() {
            if !current.is_empty() {
                blocks.push(HeaderBlock::parse(&current));
                current.clear();
            }
        } else {
            current.extend_from_slice(line);
        }
    }
    if !current.is_empty() {
        blocks.push(HeaderBlock::parse(&current));
    }
    blocks
}

/// `rfc822; address` or `utf-8; address`, the latter perhaps escaped (RFC 3464 section 2.1.2, RFC 6533 section 3).
fn typed_address(value: &str) -> Option<Address> {
    let (kind, address) = value.split_once(';')?;
    let address = address.trim();
    let address = address
        .strip_prefix('<')
        .and_then(|a| a.strip_suffix('>'))
        .unwrap_or(address);
    match kind.trim().to_ascii_lowercase().as_str() {
        "rfc822" => Address::parse(address).ok(),
        "utf-8" => Address::parse(&unescaped(address)?).ok(),
        _ => None,
    }
}

/// Undoes `\x{HEX}`.
fn unescaped(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\x{") {
        let (hex, after) = after.split_once('}')?;
        out.push_str(before);
        out.push(char::from_u32(u32::from_str_radix(hex, 16).ok()?)?);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// The header a returning part returns, and whether more than the header stands there.
fn returned_header(content: &dyn Content, part: &Part) -> io::Result<(HeaderBlock, bool)> {
    let mut text = Vec::new();
    part.decoded(content)?
        .take(RETURNED_HEADER_OCTETS as u64)
        .read_to_end(&mut text)?;
    let mut length = 0usize;
    for line in text.split_inclusive(|b| *b == b'\n') {
        if line.trim_ascii().is_empty() {
            break;
        }
        length = length.saturating_add(line.len());
    }
    let (header, rest) = text.split_at_checked(length).unwrap_or((&text, &[]));
    let more = !rest.trim_ascii().is_empty() || text.len() >= RETURNED_HEADER_OCTETS;
    Ok((HeaderBlock::parse(header), more))
}

/// A notification on its way through, its returned content cut to headers; `None` if nothing has to be cut or it is no
/// notification. Of the parts after the second, those that return a mail become `text/rfc822-headers`, and any other,
/// for which RFC 6522 section 3 has no place, is emptied.
pub fn cut_returned_content<'c>(message: &Message<'c>) -> Result<Option<Edited<'c>>, MessageError> {
    if read_report(message)?.is_none() {
        return Ok(None);
    }
    let part = message.structure()?;
    let content = message.content();
    let mut edited = Edited::new(content);
    let mut cut = false;
    for part in part.children.iter().skip(2) {
        let bytes = if returns_mail(part) {
            let (header, more) = returned_header(content, part)?;
            let only_header = matches!(
                part.content_type.subtype(),
                "rfc822-headers" | "global-headers"
            );
            if only_header && !more {
                continue;
            }
            returned_part(&header, false)
        } else {
            b"Content-Type: text/plain\r\n\r\n".to_vec()
        };
        edited.replace(part.range.0, part.range.1, bytes);
        cut = true;
    }
    Ok(cut.then_some(edited))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Source;

    fn notification(returned: &str) -> String {
        format!(
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nSorry.\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; y\r\n\r\n\
             Final-Recipient: Rfc822;<bob@y.example>\r\nAction: Failed\r\nStatus: 5.0.0\r\n--b\r\n{returned}\r\n--b--\r\n"
        )
    }

    #[test]
    fn m8_returned_content_is_cut_to_headers() {
        let kept = "\r\n--b--\r\n";
        let secret = "Message-ID: <m@x.example>\r\nSubject: s\r\n\r\nsecret\r\n";
        let encoded = base64_simd::STANDARD.encode_to_string(secret);
        let table = [
            format!("Content-Type: message/rfc822\r\n\r\n{secret}"),
            format!("Content-Type: message/global\r\n\r\n{secret}"),
            format!("Content-Type: text/rfc822-headers\r\n\r\n{secret}"),
            format!(
                "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{encoded}\r\n"
            ),
            format!(
                "Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=c\r\n{secret}--c\r\n\r\nsecret\r\n--c--\r\n"
            ),
            format!(
                "Content-Type: message/rfc822\r\n\r\n{secret}\r\n--b\r\nContent-Type: x/y\r\n\r\nsecret"
            ),
        ];
        for returned in table {
            let raw = notification(&returned);
            let bytes = raw.as_bytes();
            let message = Message::read(&bytes).unwrap();
            assert_eq!(
                read_report(&message)
                    .unwrap()
                    .unwrap()
                    .message_id
                    .as_deref(),
                Some("<m@x.example>"),
                "{raw}"
            );
            let mut out = Vec::new();
            cut_returned_content(&message)
                .unwrap()
                .unwrap()
                .write_to(&mut out)
                .unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(
                !text.contains("secret") && !text.contains(&encoded[20..40]),
                "{text}"
            );
            assert!(
                text.contains("Subject: s\r\n") && text.contains("Sorry.") && text.ends_with(kept),
                "{text}"
            );
            let bytes = text.as_bytes();
            let again = Message::read(&bytes).unwrap();
            assert!(read_report(&again).unwrap().unwrap().message_id.is_some());
            assert!(returned.contains("x/y") || cut_returned_content(&again).unwrap().is_none());
        }
    }

    #[test]
    fn what_is_no_notification() {
        let table = [
            "Subject: s\r\n\r\nx",
            "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
            "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\nx\r\n--b--\r\n",
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nx\r\n--b--\r\n",
        ];
        for raw in table {
            let bytes = raw.as_bytes();
            assert_eq!(
                read_report(&Message::read(&bytes).unwrap()).unwrap(),
                None,
                "{raw}"
            );
        }
        let raw =
            notification("Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: <m@x.example>\r\n");
        let bytes = raw.as_bytes();
        let message = Message::read(&bytes).unwrap();
        assert!(cut_returned_content(&message).unwrap().is_none());
        let read = read_report(&message).unwrap().unwrap();
        assert_eq!(
            read.recipients[0].final_recipient,
            Address::parse("bob@y.example").ok()
        );
        assert_eq!(read.recipients[0].status, Some(EnhancedStatus(5, 0, 0)));
    }
}
