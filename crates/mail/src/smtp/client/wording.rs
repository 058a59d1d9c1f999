//! The words of a client: commands as octets, and what an EHLO reply offers.

use std::fmt::Write;

use super::{Credentials, MailFacts};
use crate::smtp::{Envelope, EnvelopeRecipient, Notify, Ret};
use crate::{Domain, ReversePath};

/// What the peer offers in its reply to EHLO (RFC 5321 section 4.1.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// 8BITMIME (RFC 6152).
    pub eight_bit_mime: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// DSN (RFC 3461).
    pub dsn: bool,
    /// STARTTLS (RFC 3207).
    pub starttls: bool,
    /// SIZE (RFC 1870).
    pub size: bool,
    /// The largest mail in octets, where SIZE names one.
    pub size_limit: Option<u64>,
    /// AUTH PLAIN (RFC 4954, RFC 4616).
    pub auth_plain: bool,
    /// AUTH LOGIN.
    pub auth_login: bool,
}

impl Capabilities {
    /// Reads the lines of an EHLO reply; the first one is a greeting.
    pub(super) fn parse(lines: &[String]) -> Self {
        let mut found = Self::default();
        for line in lines.iter().skip(1) {
            let mut words = line.split_ascii_whitespace();
            match words
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase()
                .as_str()
            {
                "PIPELINING" => found.pipelining = true,
                "8BITMIME" => found.eight_bit_mime = true,
                "SMTPUTF8" => found.smtputf8 = true,
                "DSN" => found.dsn = true,
                "STARTTLS" => found.starttls = true,
                "SIZE" => {
                    found.size = true;
                    // RFC 1870 section 4: no number, or 0, sets no limit.
                    found.size_limit = words.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
                }
                "AUTH" => words.for_each(|mechanism| {
                    found.auth_plain |= mechanism.eq_ignore_ascii_case("PLAIN");
                    found.auth_login |= mechanism.eq_ignore_ascii_case("LOGIN");
                }),
                _ => {}
            }
        }
        found
    }
}

/// `EHLO` or `HELO` with our name.
pub(super) fn hello(verb: &str, helo: &Domain) -> Vec<u8> {
    format!("{verb} {helo}\r\n").into_bytes()
}

/// `AUTH PLAIN` with its initial response (RFC 4616 section 2: no authorisation identity).
pub(super) fn auth_plain(credentials: &Credentials) -> Vec<u8> {
    let message = format!("\0{}\0{}", credentials.user, credentials.password);
    format!("AUTH PLAIN {}\r\n", base64(&message)).into_bytes()
}

/// One answer of `AUTH LOGIN`.
pub(super) fn auth_login(word: &str) -> Vec<u8> {
    format!("{}\r\n", base64(word)).into_bytes()
}

fn base64(text: &str) -> String {
    base64_simd::STANDARD.encode_to_string(text)
}

/// `MAIL FROM` with the parameters the peer offers (RFC 5321 section 4.1.1.2).
pub(super) fn mail(envelope: &Envelope, facts: &MailFacts, peer: &Capabilities) -> Vec<u8> {
    let params = &envelope.params;
    let mut line = match &envelope.from {
        ReversePath::Null => "MAIL FROM:<>".to_owned(),
        ReversePath::Address(address) => format!("MAIL FROM:<{address}>"),
    };
    if peer.size && facts.size > 0 {
        // Writing to a String cannot fail.
        let _ = write!(line, " SIZE={}", facts.size);
    }
    if peer.eight_bit_mime && facts.eight_bit {
        line.push_str(" BODY=8BITMIME");
    }
    if peer.smtputf8 && facts.smtputf8 {
        line.push_str(" SMTPUTF8");
    }
    if peer.dsn {
        match params.ret {
            Some(Ret::Full) => line.push_str(" RET=FULL"),
            Some(Ret::Headers) => line.push_str(" RET=HDRS"),
            None => {}
        }
        if let Some(envid) = &params.envid {
            line.push_str(" ENVID=");
            line.push_str(&xtext(envid));
        }
    }
    line.push_str("\r\n");
    line.into_bytes()
}

/// `RCPT TO` with the parameters the peer offers (RFC 5321 section 4.1.1.3, RFC 3461 section 4).
pub(super) fn rcpt(recipient: &EnvelopeRecipient, peer: &Capabilities) -> Vec<u8> {
    let mut line = format!("RCPT TO:<{}>", recipient.address);
    if peer.dsn {
        if recipient.notify.explicit {
            line.push_str(" NOTIFY=");
            line.push_str(&notify(recipient.notify));
        }
        if let Some(orcpt) = recipient.orcpt.as_deref().and_then(original_recipient) {
            line.push_str(" ORCPT=");
            line.push_str(&orcpt);
        }
    }
    line.push_str("\r\n");
    line.into_bytes()
}

/// RFC 3461 section 4.1: NEVER stands alone.
fn notify(notify: Notify) -> String {
    let asked = [
        (notify.success, "SUCCESS"),
        (notify.failure, "FAILURE"),
        (notify.delay, "DELAY"),
    ];
    let words: Vec<&str> = asked
        .iter()
        .filter(|(set, _)| *set)
        .map(|(_, word)| *word)
        .collect();
    if words.is_empty() {
        "NEVER".to_owned()
    } else {
        words.join(",")
    }
}

/// `addr-type;xtext` (RFC 3461 section 4.2), or the `utf-8` type (RFC 6533 section 3);
/// `None` where the form cannot be kept.
fn original_recipient(orcpt: &str) -> Option<String> {
    let (kind, address) = orcpt.split_once(';')?;
    let is_atom = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !is_atom {
        return None;
    }
    if address.is_ascii() {
        return Some(format!("{kind};{}", xtext(address)));
    }
    if !kind.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    let mut text = format!("{kind};");
    for c in address.chars() {
        if c.is_ascii() {
            text.push_str(&xtext(c.encode_utf8(&mut [0; 4])));
        } else {
            let _ = write!(text, "\\x{{{:X}}}", u32::from(c));
        }
    }
    Some(text)
}

/// RFC 3461 section 4: octets outside `!` to `~`, and `+` and `=`, as `+` and two hexadecimal digits.
fn xtext(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'+' | b'=' | 0..=32 | 127..=255 => {
                let _ = write!(out, "+{octet:02X}");
            }
            _ => out.push(char::from(octet)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read() {
        let lines: Vec<String> = [
            "mx.example",
            "pipelining",
            "SIZE 1000",
            "AUTH LOGIN plain",
            "8BITMIME",
            "DSN",
            "SMTPUTF8",
            "STARTTLS",
            "X",
        ]
        .map(String::from)
        .to_vec();
        let all = Capabilities {
            pipelining: true,
            eight_bit_mime: true,
            smtputf8: true,
            dsn: true,
            starttls: true,
            size: true,
            size_limit: Some(1000),
            auth_plain: true,
            auth_login: true,
        };
        assert_eq!(Capabilities::parse(&lines), all);
        assert_eq!(Capabilities::parse(&lines[..1]), Capabilities::default());
        for size in ["SIZE", "SIZE 0", "SIZE x"] {
            let found = Capabilities::parse(&["a".to_owned(), size.to_owned()]);
            assert_eq!((found.size, found.size_limit), (true, None));
        }
    }

    #[test]
    fn xtext_and_original_recipients() {
        let table = [
            (
                "rfc822;a+b=c@example.com",
                Some("rfc822;a+2Bb+3Dc@example.com"),
            ),
            ("rfc822;a b", Some("rfc822;a+20b")),
            ("rfc822;ü@example.com", None),
            ("utf-8;ü+@example.com", Some("utf-8;\\x{FC}+2B@example.com")),
            ("a@example.com", None),
            ("a b;c", None),
        ];
        for (stored, sent) in table {
            assert_eq!(original_recipient(stored).as_deref(), sent, "{stored}");
        }
        assert_eq!(xtext("\r\n\0"), "+0D+0A+00");
    }
}
