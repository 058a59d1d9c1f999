//! The server's own replies: their codes and texts as one table, and their form on the wire
//! (RFC 5321 section 4.2, RFC 2034, RFC 3463).

use crate::limits::REPLY_LINE_OCTETS;
use crate::{EnhancedStatus, Reply};

/// Everything the server says of itself. What depends on the mail comes from the driver as a [`Reply`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Quit,
    Noop,
    Help,
    Vrfy,
    Authenticated,
    SenderOk,
    RecipientOk,
    StartTls,
    ShuttingDown,
    TimedOut,
    TooManyErrors,
    TooManyIdle,
    TooManyTries,
    TooManyRefused,
    TooManyRecipients,
    LocalError,
    NoRoom,
    Syntax,
    Unknown,
    LineEnds,
    LongCommand,
    Helo,
    Argument,
    Parameter,
    UnknownParameter,
    NotOffered,
    Sequence,
    HelloFirst,
    MailFirst,
    RcptFirst,
    Twice,
    SenderSyntax,
    RecipientSyntax,
    SourceRoute,
    SenderUtf8,
    RecipientUtf8,
    ProofNeeded,
    TlsNeeded,
    Mechanism,
    Base64,
    Cancelled,
    TooLarge,
    BareLineEnd,
    Nul,
    LongLine,
}

impl From<Text> for Reply {
    fn from(text: Text) -> Self {
        let (code, (class, subject, detail), text) = text.entry();
        Reply::new(code, EnhancedStatus(class, subject, detail), text)
    }
}

impl Text {
    /// The table of replies: code (RFC 5321 section 4.2.3), enhanced status (RFC 3463 section 3), text.
    fn entry(self) -> (u16, (u8, u16, u16), &'static str) {
        match self {
            Self::Quit => (221, (2, 0, 0), "closing the connection"),
            Self::Noop => (250, (2, 0, 0), "OK"),
            Self::Help => (214, (2, 0, 0), "see RFC 5321; write to postmaster for help"),
            Self::Vrfy => (252, (2, 0, 0), "send mail and it will be tried"),
            Self::Authenticated => (235, (2, 7, 0), "authenticated"),
            Self::SenderOk => (250, (2, 1, 0), "sender OK"),
            Self::RecipientOk => (250, (2, 1, 5), "recipient OK"),
            Self::StartTls => (220, (2, 0, 0), "ready to start TLS"),
            Self::ShuttingDown => (421, (4, 3, 2), "shutting down, try again later"),
            Self::TimedOut => (421, (4, 4, 2), "waited too long"),
            Self::TooManyErrors => (421, (4, 7, 0), "too many errors"),
            Self::TooManyIdle => (421, (4, 7, 0), "too many commands without a mail"),
            Self::TooManyTries => (421, (4, 7, 0), "too many failed authentications"),
            Self::TooManyRefused => (421, (4, 7, 0), "too many refused recipients"),
            Self::TooManyRecipients => (452, (4, 5, 3), "too many recipients"),
            Self::LocalError => (451, (4, 3, 0), "local error, try again later"),
            Self::NoRoom => (452, (4, 3, 1), "cannot store the message now"),
            Self::Syntax => (500, (5, 5, 2), "syntax error"),
            Self::Unknown => (500, (5, 5, 1), "unknown command"),
            Self::LineEnds => (500, (5, 5, 2), "lines must end in CRLF and nothing else"),
            Self::LongCommand => (500, (5, 5, 2), "line too long"),
            Self::Helo => (501, (5, 5, 4), "a host name or address literal is needed"),
            Self::Argument => (501, (5, 5, 4), "no argument is allowed here"),
            Self::Parameter => (501, (5, 5, 4), "wrong value of a parameter"),
            Self::UnknownParameter => (555, (5, 5, 4), "parameter not known here"),
            Self::NotOffered => (502, (5, 5, 1), "command not offered"),
            Self::Sequence => (503, (5, 5, 1), "command not allowed now"),
            Self::HelloFirst => (503, (5, 5, 1), "send EHLO first"),
            Self::MailFirst => (503, (5, 5, 1), "send MAIL first"),
            Self::RcptFirst => (503, (5, 5, 1), "no valid recipients"),
            Self::Twice => (503, (5, 5, 1), "sender already given"),
            Self::SenderSyntax => (501, (5, 1, 7), "sender address not understood"),
            Self::RecipientSyntax => (501, (5, 1, 3), "recipient address not understood"),
            Self::SourceRoute => (553, (5, 1, 3), "source routes are not accepted"),
            // RFC 6531 section 3.5: 550 for MAIL, 553 for RCPT.
            Self::SenderUtf8 => (550, (5, 6, 7), "a non-ASCII address needs SMTPUTF8"),
            Self::RecipientUtf8 => (553, (5, 6, 7), "a non-ASCII address needs SMTPUTF8"),
            Self::ProofNeeded => (530, (5, 7, 0), "only for proven sending clients"),
            Self::TlsNeeded => (538, (5, 7, 11), "send STARTTLS first"),
            Self::Mechanism => (504, (5, 5, 4), "mechanism not known here"),
            Self::Base64 => (501, (5, 5, 2), "not a base64 response"),
            Self::Cancelled => (501, (5, 7, 0), "authentication cancelled"),
            Self::TooLarge => (552, (5, 3, 4), "the message is larger than the limit"),
            Self::BareLineEnd => (550, (5, 6, 0), "the message has a bare CR or LF"),
            Self::Nul => (550, (5, 6, 0), "the message has a NUL octet"),
            Self::LongLine => (550, (5, 6, 0), "the message has a line over 998 octets"),
        }
    }
}

/// Writes `reply` as one line.
pub(super) fn write(reply: &Reply, out: &mut Vec<u8>) {
    let status = reply
        .status
        .map(|status| format!("{status} "))
        .unwrap_or_default();
    line(reply.code, " ", &format!("{status}{}", reply.text), out);
}

/// Writes a reply of several lines without enhanced status (RFC 5321 section 4.2.1): EHLO.
pub(super) fn write_lines(code: u16, lines: &[String], out: &mut Vec<u8>) {
    let last = lines.len().saturating_sub(1);
    for (number, text) in lines.iter().enumerate() {
        line(code, if number == last { " " } else { "-" }, text, out);
    }
}

/// One line, never longer than allowed and in printable ASCII only (RFC 5321 section 4.2: textstring).
fn line(code: u16, separator: &str, text: &str, out: &mut Vec<u8>) {
    // "250", the separator and CRLF.
    let room = REPLY_LINE_OCTETS.saturating_sub(6);
    let printable = |c: char| {
        if c == ' ' || c.is_ascii_graphic() {
            c
        } else {
            '?'
        }
    };
    out.extend_from_slice(code.to_string().as_bytes());
    out.extend_from_slice(separator.as_bytes());
    out.extend(text.chars().take(room).map(printable).map(|c| c as u8));
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_stay_one_short_ascii_line() {
        let long = "x".repeat(2000);
        let table = [
            ("plain", "550 5.1.1 plain\r\n"),
            ("a\r\n250 b", "550 5.1.1 a  250 b\r\n"),
            ("gr\u{fc}n", "550 5.1.1 gr?n\r\n"),
        ];
        for (text, expected) in table {
            let mut out = Vec::new();
            write(&Reply::new(550, EnhancedStatus(5, 1, 1), text), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
        let mut out = Vec::new();
        // Fields are public, so a line break may come in past `Reply::new`.
        write(
            &Reply {
                code: 550,
                status: None,
                text: format!("a\r\n{long}"),
            },
            &mut out,
        );
        assert_eq!(out.len(), REPLY_LINE_OCTETS);
        assert_eq!(out.iter().filter(|&&b| b == b'\n').count(), 1);
    }

    #[test]
    fn class_of_status_agrees_with_code() {
        for text in [
            Text::Quit,
            Text::LocalError,
            Text::Vrfy,
            Text::TooLarge,
            Text::SenderUtf8,
        ] {
            let reply = Reply::from(text);
            assert_eq!(u16::from(reply.status.unwrap().0), reply.code / 100);
        }
    }
}
