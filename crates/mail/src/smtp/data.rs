//! The content after DATA: where it ends, and whether it may be taken (RFC 5321 section 4.5.2, 4.5.3.1.6, RFC 1870).
//!
//! Only `<CRLF>.<CRLF>` ends a mail, and a bare CR or LF anywhere makes it unacceptable. So no sequence that another
//! server might take for the end of a mail can start a second one here (SMTP smuggling, row M1 of the threat table).

use memchr::{memchr, memchr2};

use super::reply::Text;
use crate::limits::{DISCARD_OCTETS, TEXT_LINE_OCTETS};

/// What the reader found next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'i> {
    /// Content without the dots of transparency; may be empty.
    Content(&'i [u8]),
    /// `<CRLF>.<CRLF>`.
    End,
    /// A line of one dot between wrong line ends: the client may mean the end, or hide one. Nothing after it can be
    /// trusted to be a command.
    Ambiguous,
    /// Far more than the size limit; the client does not stop by itself.
    Endless,
}

/// Where in a line the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// After CRLF, or after the DATA line.
    Start,
    /// After CRLF and a dot, which is held back.
    Dot,
    /// After CRLF, a dot and a CR, both held back.
    DotCr,
    /// Within a line.
    Text,
    /// Within a line, after a CR.
    Cr,
}

/// What the present line, between line ends of any kind and without NUL octets, consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Empty,
    Dot,
    Other,
}

/// Reads the content of one mail.
#[derive(Debug)]
pub(super) struct DataReader {
    at: At,
    shape: Shape,
    line: usize,
    total: u64,
    limit: u64,
    eight_bit: bool,
    fault: Option<Text>,
}

impl DataReader {
    /// Starts after the `354`; `limit` is the greatest size in octets.
    pub(super) fn new(limit: u64) -> Self {
        let (at, shape) = (At::Start, Shape::Empty);
        Self {
            at,
            shape,
            line: 0,
            total: 0,
            limit,
            eight_bit: false,
            fault: None,
        }
    }

    /// The reason not to take the mail, if there is one.
    pub(super) fn fault(&self) -> Option<Text> {
        self.fault
    }

    /// The content cannot be kept; the rest of it is read all the same.
    pub(super) fn fail(&mut self) {
        self.blame(Text::NoRoom);
    }

    /// Whether an octet above 127 was seen.
    pub(super) fn eight_bit(&self) -> bool {
        self.eight_bit
    }

    /// Reads on; gives how many octets of `input` are used up, and what they were.
    pub(super) fn next<'i>(&mut self, input: &'i [u8]) -> (usize, Piece<'i>) {
        let (mut used, mut from) = (0_usize, 0_usize);
        while let Some(&byte) = input.get(used) {
            match (self.at, byte) {
                (At::Start, b'.') if used > from => return (used, self.run(input, from, used)),
                (At::Start, b'.') => {
                    (self.at, self.shape) = (At::Dot, Shape::Dot);
                    used = used.saturating_add(1);
                    from = used;
                }
                (At::Dot, b'\r') => {
                    self.at = At::DotCr;
                    used = used.saturating_add(1);
                    from = used;
                }
                (At::DotCr, b'\n') => return (used.saturating_add(1), Piece::End),
                (At::DotCr, _) => return (used, self.ambiguous()),
                (At::Cr, b'\n') if self.shape == Shape::Dot => return (used, self.ambiguous()),
                (At::Cr, b'\n') => {
                    self.new_line(At::Start);
                    used = used.saturating_add(1);
                }
                (At::Cr, _) | (At::Text, b'\n') if self.shape == Shape::Dot => {
                    return (used, self.ambiguous());
                }
                (At::Cr, _) => self.bare_line_end(),
                (At::Text, b'\n') => {
                    self.bare_line_end();
                    used = used.saturating_add(1);
                }
                (At::Text, b'\r') => {
                    self.at = At::Cr;
                    used = used.saturating_add(1);
                }
                (At::Start | At::Dot | At::Text, _) => {
                    self.at = At::Text;
                    used = used.saturating_add(self.text(input.get(used..).unwrap_or_default()));
                }
            }
        }
        (used, self.run(input, from, used))
    }

    /// Octets up to the next CR or LF; gives their number.
    fn text(&mut self, input: &[u8]) -> usize {
        let length = memchr2(b'\r', b'\n', input).unwrap_or(input.len());
        let text = input.get(..length).unwrap_or_default();
        for byte in text {
            self.shape = match (self.shape, byte) {
                (Shape::Other, _) => break,
                (shape, 0) => shape,
                (Shape::Empty, b'.') => Shape::Dot,
                _ => Shape::Other,
            };
        }
        self.eight_bit |= !text.is_ascii();
        self.line = self.line.saturating_add(length);
        if memchr(0, text).is_some() {
            self.blame(Text::Nul);
        }
        if self.line > TEXT_LINE_OCTETS {
            self.blame(Text::LongLine);
        }
        length
    }

    fn run<'i>(&mut self, input: &'i [u8], from: usize, to: usize) -> Piece<'i> {
        let content = input.get(from..to).unwrap_or_default();
        self.total = self.total.saturating_add(content.len() as u64);
        if self.total > self.limit {
            self.blame(Text::TooLarge);
        }
        if self.total > self.limit.saturating_add(DISCARD_OCTETS) {
            return Piece::Endless;
        }
        Piece::Content(content)
    }

    fn new_line(&mut self, at: At) {
        (self.at, self.shape, self.line) = (at, Shape::Empty, 0);
    }

    fn bare_line_end(&mut self) {
        self.blame(Text::BareLineEnd);
        self.new_line(At::Text);
    }

    fn ambiguous(&mut self) -> Piece<'static> {
        self.blame(Text::BareLineEnd);
        Piece::Ambiguous
    }

    /// The first fault counts, but a bare CR or LF above all: it decides how the session goes on.
    fn blame(&mut self, fault: Text) {
        if fault == Text::BareLineEnd {
            self.fault = Some(fault);
        } else {
            self.fault.get_or_insert(fault);
        }
    }
}
