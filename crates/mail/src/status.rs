//! SMTP reply codes and enhanced status codes (RFC 5321 section 4.2, RFC 3463).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::REPLY_TEXT_CHARS;
use crate::visible::visible;

/// `class.subject.detail` (RFC 3463 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EnhancedStatus(pub u8, pub u16, pub u16);

impl EnhancedStatus {
    /// Reads `text` that is exactly a status code (RFC 3463 section 2: classes 2, 4, 5; up to three digits each).
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let class = number(parts.next()?)?;
        let (subject, detail) = (number(parts.next()?)?, number(parts.next()?)?);
        let class = u8::try_from(class)
            .ok()
            .filter(|class| matches!(class, 2 | 4 | 5))?;
        parts
            .next()
            .is_none()
            .then_some(Self(class, subject, detail))
    }

    /// Splits a status code off the front of a reply's text, if there is one (RFC 2034 section 4).
    pub fn split(text: &str) -> (Option<Self>, &str) {
        let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
        match Self::parse(first) {
            Some(status) => (Some(status), rest.trim_start()),
            None => (None, text),
        }
    }
}

/// One to three digits.
fn number(text: &str) -> Option<u16> {
    let sound = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if sound { text.parse().ok() } else { None }
}

/// A reply of an SMTP server: ours, or one that a next hop gave us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Three digits, 200 to 599.
    pub code: u16,
    /// The enhanced status, where the reply carries one.
    pub status: Option<EnhancedStatus>,
    /// Text without CR or LF, one line.
    pub text: String,
}

impl Reply {
    /// A reply with enhanced status; control characters in `text` become blanks.
    pub fn new(code: u16, status: EnhancedStatus, text: &str) -> Self {
        Self {
            code,
            status: Some(status),
            text: one_line(text),
        }
    }

    /// A reply as received: `text` may begin with an enhanced status, which counts if its class agrees with the code
    /// (RFC 2034 section 4). Control characters become blanks and the text is cut to a stated length.
    pub fn received(code: u16, text: &str) -> Self {
        let text = one_line(text);
        let (status, rest) = EnhancedStatus::split(&text);
        match status.filter(|status| u16::from(status.0) == code / 100) {
            Some(status) => Self {
                code,
                status: Some(status),
                text: rest.to_owned(),
            },
            None => Self {
                code,
                status: None,
                text,
            },
        }
    }

    /// 2xx.
    pub fn is_success(&self) -> bool {
        self.code / 100 == 2
    }

    /// 4xx: try again later.
    pub fn is_transient(&self) -> bool {
        self.code / 100 == 4
    }

    /// 5xx: will not work.
    pub fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }

    /// The enhanced status, or the general one of the reply's class (RFC 3463 section 3.1: `x.0.0`).
    pub fn status_or_general(&self) -> EnhancedStatus {
        self.status.unwrap_or(match self.code / 100 {
            2 => EnhancedStatus(2, 0, 0),
            4 => EnhancedStatus(4, 0, 0),
            _ => EnhancedStatus(5, 0, 0),
        })
    }
}

fn one_line(text: &str) -> String {
    visible(text, REPLY_TEXT_CHARS)
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// On one line, as in `550 5.1.1 no such mailbox`.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(status) = self.status {
            write!(f, " {status}")?;
        }
        if self.text.is_empty() {
            Ok(())
        } else {
            write!(f, " {}", self.text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_of_received_replies() {
        let table = [
            (
                550,
                "5.1.1 no such mailbox",
                Some(EnhancedStatus(5, 1, 1)),
                "550 5.1.1 no such mailbox",
            ),
            (250, "2.0.0", Some(EnhancedStatus(2, 0, 0)), "250 2.0.0"),
            (
                451,
                "5.1.1 classes differ",
                None,
                "451 5.1.1 classes differ",
            ),
            (550, "no status", None, "550 no status"),
            (550, "5.1 short", None, "550 5.1 short"),
            (550, "5.1.1.1 long", None, "550 5.1.1.1 long"),
            (550, "5.1.1000 long", None, "550 5.1.1000 long"),
            (550, "", None, "550"),
            (
                550,
                "5.1.1 a\r\n250 b",
                Some(EnhancedStatus(5, 1, 1)),
                "550 5.1.1 a  250 b",
            ),
        ];
        for (code, text, status, line) in table {
            let reply = Reply::received(code, text);
            assert_eq!(reply.status, status, "{text}");
            assert_eq!(reply.to_string(), line);
        }
        assert_eq!(
            Reply::received(451, "x").status_or_general(),
            EnhancedStatus(4, 0, 0)
        );
    }
}
