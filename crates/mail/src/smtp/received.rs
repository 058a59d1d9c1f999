//! The `Received:` trace field this server puts before a mail (RFC 5321 section 4.4, RFC 3848, RFC 6531 section 4.3).

use std::net::IpAddr;

use super::EnvelopeRecipient;
use super::server::TlsFacts;
use crate::{Domain, Timestamp};

/// What the field tells about the session and the mail.
#[derive(Clone, Debug)]
pub struct ReceivedFacts<'a> {
    /// What the client called itself in EHLO or HELO.
    pub helo: &'a str,
    /// The client's network address.
    pub peer: IpAddr,
    /// Whether it said EHLO.
    pub esmtp: bool,
    /// The TLS in use, if any.
    pub tls: Option<&'a TlsFacts>,
    /// Whether the client authenticated by AUTH.
    pub authenticated: bool,
    /// Whether MAIL had SMTPUTF8.
    pub smtputf8: bool,
    /// Our own name.
    pub by: &'a Domain,
    /// Our id of the mail.
    pub id: &'a str,
    /// The recipients; one alone is named, several never are (RFC 5321 section 7.2).
    pub recipients: &'a [EnvelopeRecipient],
}

/// The whole field with its folding and final CRLF; `now` is the time of receipt.
pub fn received(facts: &ReceivedFacts<'_>, now: Timestamp) -> String {
    let peer = match facts.peer.to_canonical() {
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[IPv6:{address}]"),
    };
    let tls = facts
        .tls
        .map(|tls| format!(" ({} {})", word(&tls.version), word(&tls.cipher)));
    let recipient = match facts.recipients {
        [one] => format!("\r\n\tfor <{}>", one.address),
        _ => String::new(),
    };
    format!(
        "Received: from {} ({peer})\r\n\tby {} with {}{}\r\n\tid {}{recipient};\r\n\t{}\r\n",
        word(facts.helo),
        facts.by,
        protocol(facts),
        tls.unwrap_or_default(),
        word(facts.id),
        now.rfc5322(),
    )
}

/// The registered name of the protocol (RFC 3848; RFC 6531 section 4.3).
fn protocol(facts: &ReceivedFacts<'_>) -> String {
    if !facts.esmtp {
        return "SMTP".to_owned();
    }
    let base = if facts.smtputf8 { "UTF8SMTP" } else { "ESMTP" };
    let tls = if facts.tls.is_some() { "S" } else { "" };
    let auth = if facts.authenticated { "A" } else { "" };
    format!("{base}{tls}{auth}")
}

/// `text` without what could end the field or open a comment; one word.
fn word(text: &str) -> String {
    let allowed = |c: &char| c.is_ascii_alphanumeric() || "-._:[]".contains(*c);
    let word: String = text.chars().filter(allowed).collect();
    if word.is_empty() {
        "unknown".to_owned()
    } else {
        word
    }
}
