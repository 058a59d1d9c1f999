//! The tree of parts of a message: offsets and headers, found in one streaming pass (RFC 2046 section 5.1).
//!
//! Decisions where readers differ: a boundary line may carry trailing blanks and nothing else; a line that closes or
//! separates an outer multipart ends all inner ones, also when both use the same boundary; what follows a closing
//! boundary line is epilogue; the line end before a boundary line belongs to the boundary.

use std::io::{self, Read};

use crate::content::{Content, Slice};
use crate::encoding::TransferEncoding;
use crate::header::HeaderBlock;
use crate::limits::{DELIMITER_OCTETS, HEADER_OCTETS, MIME_DEPTH, MIME_PARTS, PART_HEADERS_OCTETS};
use crate::lines::Lines;
use crate::media::{ContentType, is_ambiguous};
use crate::message::MessageError;

/// One entity of a message: the message itself or a part of it. Offsets are octets of the message's content.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its header.
    pub header: HeaderBlock,
    /// The whole entity, header included: first octet and the one after the last.
    pub range: (u64, u64),
    /// The body.
    pub body: (u64, u64),
    /// The media type; the default of its place where none is given.
    pub content_type: ContentType,
    /// How the body is written.
    pub encoding: TransferEncoding,
    /// The parts of a multipart, or the message inside a `message/rfc822`.
    pub children: Vec<Part>,
    /// A boundary line follows directly on another one: between them lies nothing, an empty part, or, for readers that
    /// take both for one, not even the end (RFC 2046 section 5.1.1 has no place for it).
    doubled: bool,
}

impl Part {
    /// Whether it is a multipart that could be taken apart.
    pub fn is_multipart(&self) -> bool {
        self.content_type.boundary().is_some()
    }

    /// Whether it is a message inside the message, looked into.
    pub fn is_message(&self) -> bool {
        is_open_message(&self.content_type, self.encoding)
    }

    /// Whether it holds content and no parts.
    pub fn is_leaf(&self) -> bool {
        !self.is_multipart() && !self.is_message()
    }

    /// Whether readers differ in what they make of it (row M12): its header is ambiguous (`media::is_ambiguous`), or two
    /// boundary lines stand directly one after the other.
    pub fn is_ambiguous(&self) -> bool {
        self.doubled || is_ambiguous(&self.header)
    }

    /// The whole entity.
    pub fn slice<'c>(&self, content: &'c dyn Content) -> Slice<'c> {
        Slice::new(content, self.range.0, self.range.1)
    }

    /// The body as it is written.
    pub fn body_slice<'c>(&self, content: &'c dyn Content) -> Slice<'c> {
        Slice::new(content, self.body.0, self.body.1)
    }

    /// A reader of the decoded body.
    pub fn decoded<'c>(&self, content: &'c dyn Content) -> io::Result<Box<dyn Read + Send + 'c>> {
        let length = self.body.1.saturating_sub(self.body.0);
        Ok(self
            .encoding
            .decoded(Box::new(content.reader(self.body.0)?.take(length))))
    }

    /// This part and all parts below it, each before its children.
    pub fn all(&self) -> Vec<&Part> {
        let mut found = Vec::new();
        let mut waiting = vec![self];
        while let Some(part) = waiting.pop() {
            found.push(part);
            waiting.extend(part.children.iter().rev());
        }
        found
    }
}

fn is_open_message(content_type: &ContentType, encoding: TransferEncoding) -> bool {
    let is_message = content_type.is("message", "rfc822") || content_type.is("message", "global");
    is_message && encoding.is_identity()
}

/// The tree of the entity whose header is `header` and whose body begins at `body_start` of `content`.
pub(crate) fn structure(
    content: &dyn Content,
    header: &HeaderBlock,
    body_start: u64,
) -> Result<Part, MessageError> {
    let mut walk = Walk {
        lines: Lines::new(content, body_start)?,
        length: content.len(),
        frames: Vec::new(),
        parts: 0,
        header_octets: 0,
    };
    walk.open(header.clone(), 0, body_start)?;
    walk.run()
}

/// An entity whose end is not yet seen.
struct Frame {
    part: Part,
    /// The boundary, until its closing line is seen.
    boundary: Option<Vec<u8>>,
}

struct Walk<'c> {
    lines: Lines<'c>,
    length: u64,
    /// From the outermost entity to the innermost.
    frames: Vec<Frame>,
    parts: usize,
    header_octets: usize,
}

/// What a boundary line means.
struct Delimiter {
    /// The frame it belongs to.
    frame: usize,
    closes: bool,
}

impl Walk<'_> {
    fn run(mut self) -> Result<Part, MessageError> {
        while self.frames.iter().any(|frame| frame.boundary.is_some())
            && self.lines.seek_dashes()?
        {
            let before = self.lines.last_break();
            let Some(line) = self.lines.peek(DELIMITER_OCTETS)? else {
                break;
            };
            let start = line.start;
            let end = start.saturating_sub(before);
            let found = if line.whole {
                delimiter(&self.frames, line.text)
            } else {
                None
            };
            self.lines.pass_line()?;
            let Some(found) = found else { continue };
            self.mark_doubled(&found, start);
            self.close_down_to(found.frame.saturating_add(1), end);
            if found.closes {
                if let Some(frame) = self.frames.last_mut() {
                    frame.boundary = None;
                }
            } else {
                self.enter()?;
            }
        }
        self.close_down_to(1, self.length);
        let top = self.frames.pop().ok_or(MessageError::TooMany)?;
        Ok(ended(top, self.length))
    }

    /// Notes a boundary line at `start` that follows directly on the one before it.
    fn mark_doubled(&mut self, found: &Delimiter, start: u64) {
        let inner = self.frames.get(found.frame.saturating_add(1));
        let is_empty = inner.is_some_and(|frame| frame.part.range.0 == start);
        if let Some(frame) = self.frames.get_mut(found.frame) {
            frame.part.doubled |= is_empty;
        }
    }

    /// Reads the header at the current place and opens its entity.
    fn enter(&mut self) -> Result<(), MessageError> {
        let start = self.lines.offset();
        let mut raw = Vec::new();
        loop {
            let room = HEADER_OCTETS.saturating_sub(raw.len());
            let Some(line) = self.lines.peek(room)? else {
                break;
            };
            if !line.whole {
                return Err(MessageError::HeaderTooLarge);
            }
            let is_blank = line.text.is_empty();
            if line.text.starts_with(b"--") && delimiter(&self.frames, line.text).is_some() {
                break;
            }
            raw.extend_from_slice(line.text);
            self.lines.pass_line()?;
            if is_blank {
                break;
            }
            let line_end: &[u8] = match self.lines.last_break() {
                0 => b"",
                1 => b"\n",
                _ => b"\r\n",
            };
            raw.extend_from_slice(line_end);
        }
        self.header_octets = self.header_octets.saturating_add(raw.len());
        if self.header_octets > PART_HEADERS_OCTETS {
            return Err(MessageError::HeaderTooLarge);
        }
        self.open(HeaderBlock::parse(&raw), start, self.lines.offset())
    }

    fn open(
        &mut self,
        header: HeaderBlock,
        start: u64,
        body_start: u64,
    ) -> Result<(), MessageError> {
        self.parts = self.parts.saturating_add(1);
        if self.parts > MIME_PARTS {
            return Err(MessageError::TooMany);
        }
        if self.frames.len() >= MIME_DEPTH {
            return Err(MessageError::TooDeep);
        }
        let in_digest = self
            .frames
            .last()
            .is_some_and(|f| f.part.content_type.is("multipart", "digest"));
        let default = if in_digest {
            ContentType::message()
        } else {
            ContentType::default()
        };
        let content_type = ContentType::of(&header, &default);
        let encoding = TransferEncoding::of(&header);
        let boundary = content_type.boundary().map(|text| text.as_bytes().to_vec());
        let holds_message = is_open_message(&content_type, encoding);
        let (range, body) = ((start, start), (body_start, body_start));
        let part = Part {
            header,
            range,
            body,
            content_type,
            encoding,
            children: Vec::new(),
            doubled: false,
        };
        self.frames.push(Frame { part, boundary });
        // Depth is bounded by the check above.
        if holds_message { self.enter() } else { Ok(()) }
    }

    /// Ends every entity from frame `first` inwards at offset `end`.
    fn close_down_to(&mut self, first: usize, end: u64) {
        // Nothing ends before the boundary line it follows.
        let outermost = self.frames.get(first);
        let end = outermost.map_or(end, |outermost| end.max(outermost.part.range.0));
        while self.frames.len() > first {
            let Some(frame) = self.frames.pop() else {
                return;
            };
            let part = ended(frame, end);
            if let Some(parent) = self.frames.last_mut() {
                parent.part.children.push(part);
            }
        }
    }
}

/// The part of `frame`, ending at `end`. An empty part may end before its own blank line, which then is the boundary's; what
/// lies in it is empty and ends there too.
fn ended(frame: Frame, end: u64) -> Part {
    let mut part = frame.part;
    part.range = (part.range.0.min(end), end);
    part.body = (part.body.0.min(end), end);
    part
}

/// `delimiter := "--" boundary`, `close-delimiter := delimiter "--"`, then only blanks (RFC 2046 section 5.1.1).
fn delimiter(frames: &[Frame], line: &[u8]) -> Option<Delimiter> {
    let text = line.strip_prefix(b"--")?.trim_ascii_end();
    let matches = |frame: &Frame| {
        let rest = text.strip_prefix(frame.boundary.as_deref()?)?;
        (rest.is_empty() || rest == b"--").then_some(!rest.is_empty())
    };
    // The outermost goes first: its lines end everything inside.
    frames.iter().enumerate().find_map(|(frame, open)| {
        Some(Delimiter {
            frame,
            closes: matches(open)?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    fn tree(raw: &[u8]) -> Result<Part, MessageError> {
        Message::read(&raw)?.structure()
    }

    /// The tree in one line: type, body text, children.
    fn shown(part: &Part, raw: &[u8]) -> String {
        let inner: Vec<String> = part
            .children
            .iter()
            .map(|child| shown(child, raw))
            .collect();
        let body = &raw[part.body.0 as usize..part.body.1 as usize];
        if part.is_leaf() {
            format!("{:?}", String::from_utf8_lossy(body))
        } else {
            format!("{}({})", part.content_type.subtype(), inner.join(" "))
        }
    }

    #[test]
    fn an_empty_part_holds_all_that_lies_in_it() {
        fn nested(part: &Part) -> bool {
            let ends = (part.body.0, part.body.1);
            part.children
                .iter()
                .all(|child| ends.0 <= child.range.0 && child.range.1 <= ends.1 && nested(child))
        }
        for inside in [
            "Content-Type: message/rfc822\n\n",
            "Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\n",
            "Content-Type: multipart/mixed; boundary=B\n\n",
            "Content-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: message/rfc822\n\n",
            "",
        ] {
            for line_end in ["\n", "\r\n"] {
                let raw = format!(
                    "Content-Type: multipart/mixed; boundary=A\n\n--A\n{inside}--A\n\nx\n--A--\n"
                );
                let part = tree(raw.replace('\n', line_end).as_bytes()).unwrap();
                assert!(nested(&part), "{inside:?}: {part:?}");
            }
        }
    }

    #[test]
    fn trees() {
        let table = [
            ("a: b\r\n\r\ntext\r\n", "\"text\\r\\n\""),
            (
                "C: mixed; b\r\n\r\npre\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\nepi",
                "mixed(\"one\" \"two\")",
            ),
            (
                "C: mixed; b\r\n\r\n--b\r\n\r\none\r\n\r\n--b--\r\n",
                "mixed(\"one\\r\\n\")",
            ),
            (
                "C: mixed; b\r\n\r\n--b \t\r\n\r\none\r\n--b-- \r\n",
                "mixed(\"one\")",
            ),
            (
                "C: mixed; b\r\n\r\n--b\r\n\r\n--bx\r\n-- b\r\n--b--x\r\n --b\r\n--b--",
                "mixed(\"--bx\\r\\n-- b\\r\\n--b--x\\r\\n --b\")",
            ),
            ("C: mixed; b\n\n--b\n\none\n--b--\n", "mixed(\"one\")"),
            ("C: mixed; b\r\n\r\n--b\r\n\r\none", "mixed(\"one\")"),
            ("C: mixed; b\r\n\r\n--b\r\nX: y\r\n--b--", "mixed(\"\")"),
            (
                "C: mixed; b\r\n\r\n--b\r\n--b\r\n\r\n--b--",
                "mixed(\"\" \"\")",
            ),
            (
                "C: mixed; b\r\n\r\n--b--\r\n--b\r\n\r\nx\r\n--b--",
                "mixed()",
            ),
            ("C: mixed; b\r\n\r\nno boundary at all\r\n", "mixed()"),
            (
                "C: mixed; b\r\n\r\n--b\r\nC: mixed; c\r\n\r\n--c\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--\r\n",
                "mixed(mixed(\"x\") \"y\")",
            ),
            (
                "C: mixed; b\r\n\r\n--b\r\nC: mixed; b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
                "mixed(mixed() \"x\")",
            ),
            (
                "C: digest; b\r\n\r\n--b\r\n\r\nSubject: s\r\n\r\nx\r\n--b--\r\n",
                "digest(rfc822(\"x\"))",
            ),
            (
                "Content-Type: message/rfc822\r\n\r\nC: mixed; b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
                "rfc822(mixed(\"x\"))",
            ),
            (
                "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogeA==",
                "\"U3ViamVjdDogeA==\"",
            ),
        ];
        for (short, expected) in table {
            let raw = short.replace("C: mixed; ", "Content-Type: multipart/mixed; boundary=");
            let raw = raw.replace("C: digest; ", "Content-Type: multipart/digest; boundary=");
            assert_eq!(
                shown(&tree(raw.as_bytes()).unwrap(), raw.as_bytes()),
                expected,
                "{raw}"
            );
        }
    }

    #[test]
    fn m12_boundary_lines_one_after_the_other_are_ambiguous() {
        let table = [
            ("--b\r\n\r\nx\r\n--b--\r\n", false),
            ("--b\r\n\r\n--b--\r\n", false),
            ("--b\r\n--b--\r\n", true),
        ];
        for (body, ambiguous) in table {
            let raw = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{body}");
            assert_eq!(
                tree(raw.as_bytes()).unwrap().is_ambiguous(),
                ambiguous,
                "{body}"
            );
        }
    }

    #[test]
    fn the_first_part_of_a_signed_message_is_exact_to_the_octet() {
        let raw = b"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\ntext\r\n\r\n--b\r\n\r\nsig\r\n--b--\r\n";
        let part = &tree(raw).unwrap().children[0];
        let (start, end) = part.range;
        assert_eq!(
            &raw[start as usize..end as usize],
            b"Content-Type: text/plain\r\n\r\ntext\r\n"
        );
    }

    #[test]
    fn c18_depth_and_count_are_limited() {
        let nested: String = (0..10_000)
            .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"))
            .collect();
        assert!(matches!(
            tree(nested.as_bytes()),
            Err(MessageError::TooDeep)
        ));
        let messages = "Content-Type: message/rfc822\r\n\r\n".repeat(10_000);
        assert!(matches!(
            tree(messages.as_bytes()),
            Err(MessageError::TooDeep)
        ));
        let many = format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
            "--b\r\n\r\n".repeat(1_000_000)
        );
        assert!(matches!(tree(many.as_bytes()), Err(MessageError::TooMany)));
        let header = format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX: {}",
            "y".repeat(2_000_000)
        );
        assert!(matches!(
            tree(header.as_bytes()),
            Err(MessageError::HeaderTooLarge)
        ));
    }

    #[test]
    fn boundaries_are_found_across_buffer_seams() {
        for padding in (65_536 - 80)..(65_536 + 20) {
            let text = "x".repeat(padding);
            let raw = format!(
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n{text}\r\n--b\r\n\r\ny\r\n--b--\r\n"
            );
            let part = tree(raw.as_bytes()).unwrap();
            assert_eq!(part.children.len(), 2, "{padding}");
            assert_eq!(
                part.children[0].body.1 - part.children[0].body.0,
                padding as u64
            );
        }
    }
}
