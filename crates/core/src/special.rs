//! Which mail some programs cannot handle once it is signed or encrypted: calendar requests and TNEF (spec.md section 3).
//!
//! Outlook and Exchange act on a calendar request only where they find it in the clear, and take a TNEF body apart before a
//! recipient outside sees it, so that a signature over it does not verify. docs/operation.md says more.

use sealgate_mail::media::{ContentType, disposition};
use sealgate_mail::message::MessageError;
use sealgate_mail::part::Part;
use sealgate_mail::{HeaderBlock, Message};

use crate::outcome::{SpecialKind, SpecialMail};
use crate::tenant::{Settings, Special};

/// Whether `message` is special to an organisation with these switches. The parts are looked at only if a switch and the
/// header make it possible.
pub fn special(
    message: &Message<'_>,
    settings: &Settings,
) -> Result<Option<SpecialMail>, MessageError> {
    let wanted = [
        (SpecialKind::Calendar, settings.calendar),
        (SpecialKind::Tnef, settings.tnef),
    ]
    .map(|(kind, treatment)| SpecialMail { kind, treatment });
    let differs = |one: &SpecialMail| one.treatment != Special::LikeAll;
    if !wanted.iter().any(differs) {
        return Ok(None);
    }
    let content_type = message.content_type();
    if !is_container(&content_type) && kind_of(&content_type, message.header()).is_none() {
        return Ok(None);
    }
    let found = kinds(&message.structure()?);
    let mut special = wanted
        .into_iter()
        .filter(differs)
        .filter(|one| found.contains(&one.kind));
    let first = special.next();
    // Both at once: what asks for less counts.
    Ok(special
        .find(|one| one.treatment == Special::Leave)
        .or(first))
}

/// The kinds of a message whose parts are `root`.
fn kinds(root: &Part) -> Vec<SpecialKind> {
    let mut found = Vec::new();
    let mut waiting = vec![root];
    while let Some(part) = waiting.pop() {
        if is_container(&part.content_type) {
            waiting.extend(&part.children);
        } else {
            found.extend(kind_of(&part.content_type, &part.header));
        }
    }
    found
}

/// The multiparts whose parts make up the message itself; a part of an attached message is none of them.
fn is_container(content_type: &ContentType) -> bool {
    ["mixed", "alternative", "related", "signed"]
        .iter()
        .any(|subtype| content_type.is("multipart", subtype))
}

/// What one part is. A calendar file without method is a file and no request (RFC 6047 section 2.4).
fn kind_of(content_type: &ContentType, header: &HeaderBlock) -> Option<SpecialKind> {
    if content_type.is("text", "calendar") && content_type.parameter("method").is_some() {
        return Some(SpecialKind::Calendar);
    }
    let tnef = content_type.is("application", "ms-tnef")
        || content_type.is("application", "vnd.ms-tnef")
        || is_winmail(content_type, header);
    tnef.then_some(SpecialKind::Tnef)
}

fn is_winmail(content_type: &ContentType, header: &HeaderBlock) -> bool {
    let is = |name: &str| name.eq_ignore_ascii_case("winmail.dat");
    let disposed = header
        .first("Content-Disposition")
        .and_then(|field| disposition(&field.value()).1);
    content_type.parameter("name").is_some_and(is) || disposed.as_deref().is_some_and(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(calendar: Special, tnef: Special) -> Settings {
        Settings {
            calendar,
            tnef,
            ..Settings::default()
        }
    }

    fn found(raw: &str, settings: &Settings) -> Option<SpecialMail> {
        let raw = raw.replace('\n', "\r\n").into_bytes();
        special(&Message::read(&raw).unwrap(), settings).unwrap()
    }

    const REQUEST: &str =
        "Content-Type: text/calendar; charset=utf-8; method=REQUEST\n\nBEGIN:VCALENDAR\n";
    const WINMAIL: &str = "Content-Type: application/ms-tnef\n\nx\n";

    fn within(subtype: &str, part: &str) -> String {
        format!(
            "Content-Type: multipart/{subtype}; boundary={subtype}\n\n--{subtype}\n\ntext\n--{subtype}\n{part}\n--{subtype}--\n"
        )
    }

    #[test]
    fn what_counts_as_calendar_and_tnef() {
        let forwarded = format!("Content-Type: message/rfc822\n\n{REQUEST}");
        let named = "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=WinMail.dat\n\nx\n";
        let octets = "Content-Type: application/octet-stream; name=\"winmail.dat\"\n\nx\n";
        let (calendar, tnef) = (Some(SpecialKind::Calendar), Some(SpecialKind::Tnef));
        let table = [
            (REQUEST.to_owned(), calendar),
            (REQUEST.replace("REQUEST", "reply"), calendar),
            (within("alternative", REQUEST), calendar),
            (within("mixed", &within("alternative", REQUEST)), calendar),
            (within("related", REQUEST), calendar),
            (within("signed", REQUEST), calendar),
            // A file is no request, and an attached message is not this one.
            (REQUEST.replace("; method=REQUEST", ""), None),
            (within("mixed", &forwarded), None),
            (within("report", REQUEST), None),
            (WINMAIL.to_owned(), tnef),
            (WINMAIL.replace("ms-tnef", "vnd.ms-tnef"), tnef),
            (within("mixed", WINMAIL), tnef),
            (within("mixed", named), tnef),
            (within("mixed", octets), tnef),
            (named.to_owned(), tnef),
            (octets.replace("winmail", "other"), None),
            ("Content-Type: text/plain\n\nwinmail.dat\n".to_owned(), None),
        ];
        for (raw, kind) in table {
            let all = settings(Special::SignOnly, Special::Leave);
            assert_eq!(found(&raw, &all).map(|one| one.kind), kind, "{raw}");
            let none = settings(Special::LikeAll, Special::LikeAll);
            assert_eq!(found(&raw, &none), None);
            let only_tnef = settings(Special::LikeAll, Special::SignOnly);
            let expected = kind.filter(|kind| *kind == SpecialKind::Tnef);
            assert_eq!(found(&raw, &only_tnef).map(|one| one.kind), expected);
        }
    }

    #[test]
    fn of_two_kinds_the_one_that_asks_for_less_counts() {
        let both = within("mixed", &format!("{WINMAIL}--mixed\n{REQUEST}"));
        for (calendar, tnef) in [
            (Special::Leave, Special::SignOnly),
            (Special::SignOnly, Special::Leave),
        ] {
            let one = found(&both, &settings(calendar, tnef)).unwrap();
            assert_eq!(one.treatment, Special::Leave);
        }
    }
}
