//! What operating system, TLS and name servers report, as sentences of ours where they are known, else as their words.

use std::io::{Error, ErrorKind};

use sealgate_core::saying::Servers;
use sealgate_mail::visible::visible;

use crate::limits::REPORTED_CHARS;

/// A failure of a connection.
pub(crate) fn of_io(error: &Error) -> Servers {
    match error.kind() {
        ErrorKind::ConnectionRefused => Servers::Refused {},
        ErrorKind::TimedOut => Servers::TakesTooLong {},
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Servers::NoWay {},
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => Servers::Broken {},
        _ => reported(error),
    }
}

/// Words of others, without hidden letters, and cut.
pub(crate) fn reported(words: impl std::fmt::Display) -> Servers {
    Servers::Reported {
        words: visible(&words.to_string(), REPORTED_CHARS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_failures_are_told_in_our_words() {
        let table = [
            (ErrorKind::ConnectionRefused, "the connection was refused"),
            (ErrorKind::TimedOut, "it takes too long"),
            (ErrorKind::NetworkUnreachable, "no network leads there"),
            (ErrorKind::ConnectionReset, "the connection broke"),
            (ErrorKind::InvalidData, "\"invalid data\""),
        ];
        for (kind, told) in table {
            assert_eq!(of_io(&kind.into()).to_string(), told, "{kind:?}");
        }
        assert_eq!(reported("a\r\nb").to_string(), "\"a  b\"");
    }
}
