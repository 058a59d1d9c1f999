//! Replies of a peer: what counts as one reply, and how long it may be (RFC 5321 section 4.2).

use memchr::memchr;

use crate::Reply;
use crate::limits::{PEER_REPLY_LINE_OCTETS, PEER_REPLY_LINES, REPLY_TEXT_CHARS};
use crate::visible::visible;

/// One complete reply as the peer sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PeerReply {
    /// 200 to 599.
    pub(super) code: u16,
    /// The text of each line, without code and line end; hidden characters are blanks.
    pub(super) lines: Vec<String>,
}

/// Collects octets until a reply is complete.
#[derive(Debug, Default)]
pub(super) struct ReplyReader {
    pending: Vec<u8>,
    code: Option<u16>,
    lines: Vec<String>,
}

impl ReplyReader {
    /// Takes what the peer sent.
    pub(super) fn feed(&mut self, octets: &[u8]) {
        self.pending.extend_from_slice(octets);
    }

    /// Whether octets are there that belong to no complete reply taken yet.
    pub(super) fn holds_octets(&self) -> bool {
        !self.pending.is_empty() || self.code.is_some()
    }

    /// The next complete reply, `None` if more octets are needed, or what is wrong with it.
    pub(super) fn next_reply(&mut self) -> Result<Option<PeerReply>, &'static str> {
        loop {
            let Some(line) = self.next_line()? else {
                return Ok(None);
            };
            let (code, last, text) = parse_line(&line)?;
            if self.code.is_some_and(|earlier| earlier != code) {
                return Err("the lines of a reply carry different codes");
            }
            self.code = Some(code);
            self.lines.push(text);
            if last {
                self.code = None;
                return Ok(Some(PeerReply {
                    code,
                    lines: std::mem::take(&mut self.lines),
                }));
            }
            if self.lines.len() >= PEER_REPLY_LINES {
                return Err("a reply has too many lines");
            }
        }
    }

    /// Takes one line off the octets; a line ends with LF, a CR before it is not part of the text.
    fn next_line(&mut self) -> Result<Option<Vec<u8>>, &'static str> {
        let end = memchr(b'\n', &self.pending);
        if end.unwrap_or(self.pending.len()) > PEER_REPLY_LINE_OCTETS {
            return Err("a reply line is too long");
        }
        let Some(end) = end else { return Ok(None) };
        let after = self.pending.split_off(end.saturating_add(1));
        let mut line = std::mem::replace(&mut self.pending, after);
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(line))
    }
}

/// `Reply-line = Reply-code [ ( SP / "-" ) textstring ]` (RFC 5321 section 4.2): code, whether it is the last, text.
fn parse_line(line: &[u8]) -> Result<(u16, bool, String), &'static str> {
    const MALFORMED: &str = "a line is no SMTP reply";
    let (digits, rest) = line.split_at_checked(3).ok_or(MALFORMED)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(MALFORMED);
    }
    let code = digits
        .iter()
        .fold(0u16, |n, d| n * 10 + u16::from(d - b'0'));
    let (last, text) = match rest.split_first() {
        None => (true, rest),
        Some((b' ', text)) => (true, text),
        Some((b'-', text)) => (false, text),
        Some(_) => return Err(MALFORMED),
    };
    if !(200..=599).contains(&code) {
        return Err("a reply code is not between 200 and 599");
    }
    let text = String::from_utf8_lossy(text);
    Ok((code, last, visible(&text, usize::MAX)))
}

impl PeerReply {
    /// One line of text, the enhanced status (RFC 2034 section 4: it begins every line) taken out of each.
    pub(super) fn into_reply(self) -> Reply {
        let mut whole = Reply::received(self.code, "");
        for line in &self.lines {
            let part = Reply::received(self.code, line);
            whole.status = whole.status.or(part.status);
            let text = part.text.trim();
            if !text.is_empty() {
                if !whole.text.is_empty() {
                    whole.text.push(' ');
                }
                whole.text.push_str(text);
            }
        }
        whole.text = whole.text.chars().take(REPLY_TEXT_CHARS).collect();
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EnhancedStatus;

    fn read(octets: &[u8]) -> Result<Vec<PeerReply>, &'static str> {
        let mut reader = ReplyReader::default();
        let mut replies = Vec::new();
        for octet in octets {
            reader.feed(&[*octet]);
            replies.extend(reader.next_reply()?);
        }
        Ok(replies)
    }

    #[test]
    fn replies_are_read() {
        let table: &[(&[u8], u16, Option<EnhancedStatus>, &str)] = &[
            (b"250 ok\r\n", 250, None, "ok"),
            (b"250\r\n", 250, None, ""),
            (b"250 \n", 250, None, ""),
            (
                b"550 5.1.1 no such user\r\n",
                550,
                Some(EnhancedStatus(5, 1, 1)),
                "no such user",
            ),
            (
                b"550-5.1.1 no\r\n550 5.1.1 user\r\n",
                550,
                Some(EnhancedStatus(5, 1, 1)),
                "no user",
            ),
            (b"550 2.1.1 odd\r\n", 550, None, "2.1.1 odd"),
            (b"550 5.1.1.9 odd\r\n", 550, None, "5.1.1.9 odd"),
            (b"550 5.7.1\r\n", 550, Some(EnhancedStatus(5, 7, 1)), ""),
            (b"450 a\x07b\rc\r\n", 450, None, "a b c"),
        ];
        for (octets, code, status, text) in table {
            let replies = read(octets).unwrap();
            let reply = replies.into_iter().next().unwrap().into_reply();
            assert_eq!(
                (reply.code, reply.status, reply.text.as_str()),
                (*code, *status, *text)
            );
        }
    }

    #[test]
    fn malformed_replies_are_errors() {
        let long = [b"250 ".to_vec(), vec![b'a'; PEER_REPLY_LINE_OCTETS]].concat();
        let many = b"250-x\r\n".repeat(PEER_REPLY_LINES + 1);
        let table: &[&[u8]] = &[
            b"hello\r\n",
            b"25\r\n",
            b"250_a\r\n",
            b"150 a\r\n",
            b"600 a\r\n",
            b"250-a\r\n251 b\r\n",
            b"\r\n",
            &long,
            &many,
        ];
        for octets in table {
            assert!(
                read(octets).is_err(),
                "{:?}",
                String::from_utf8_lossy(octets)
            );
        }
    }
}
