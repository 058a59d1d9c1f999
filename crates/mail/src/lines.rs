//! Lines of a content, one streaming pass, nothing kept: what the header reader and the part splitter stand on.

use std::io::{self, Read};

use crate::content::Content;
use crate::limits::BUFFER_OCTETS;

/// The next line of a content; offsets are those of the content.
pub(crate) struct Line<'l> {
    /// Where it begins.
    pub start: u64,
    /// Its text without the line end, or its first octets if it is longer than asked for.
    pub text: &'l [u8],
    /// Whether `text` is all of it.
    pub whole: bool,
}

/// A reader of lines that end with CRLF or LF.
pub(crate) struct Lines<'c> {
    reader: Box<dyn Read + Send + 'c>,
    buffer: Vec<u8>,
    /// Octets of `buffer` already passed.
    passed: usize,
    /// Offset in the content of the first octet of `buffer`.
    base: u64,
    ended: bool,
    /// Octets of the line end just before the current place: 0 at the start, 1 for LF, 2 for CRLF.
    last_break: u64,
}

impl<'c> Lines<'c> {
    /// Lines from offset `from`, which is the start of a line.
    pub fn new(content: &'c dyn Content, from: u64) -> io::Result<Self> {
        let reader = content.reader(from)?;
        Ok(Self {
            reader,
            buffer: Vec::new(),
            passed: 0,
            base: from,
            ended: false,
            last_break: 0,
        })
    }

    /// The offset of the next octet.
    pub fn offset(&self) -> u64 {
        self.base.saturating_add(self.passed as u64)
    }

    /// Octets of the line end before the current place.
    pub fn last_break(&self) -> u64 {
        self.last_break
    }

    fn ahead(&self) -> &[u8] {
        self.buffer.get(self.passed..).unwrap_or_default()
    }

    /// Reads one more piece; false at the end.
    fn more(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.passed);
        self.base = self.offset();
        self.passed = 0;
        let filled = self.buffer.len();
        self.buffer.resize(filled.saturating_add(BUFFER_OCTETS), 0);
        let room = self.buffer.get_mut(filled..).unwrap_or_default();
        let count = loop {
            match self.reader.read(room) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer
            .truncate(filled.saturating_add(*count.as_ref().unwrap_or(&0)));
        self.ended = count? == 0;
        Ok(!self.ended)
    }

    /// The line at the current place, without passing over it; at most `most` octets of it. `None` at the end.
    pub fn peek(&mut self, most: usize) -> io::Result<Option<Line<'_>>> {
        let mut seen = 0usize;
        let end = loop {
            let ahead = self.ahead();
            let found = memchr::memchr(b'\n', ahead.get(seen..).unwrap_or_default());
            if let Some(at) = found {
                break Some(seen.saturating_add(at));
            }
            seen = ahead.len();
            if seen > most.saturating_add(2) || self.ended || !self.more()? {
                break None;
            }
        };
        let start = self.offset();
        let ahead = self.ahead();
        if ahead.is_empty() {
            return Ok(None);
        }
        let text = ahead.get(..end.unwrap_or(ahead.len())).unwrap_or_default();
        let text = if end.is_some() {
            text.strip_suffix(b"\r").unwrap_or(text)
        } else {
            text
        };
        let whole = text.len() <= most && (end.is_some() || self.ended);
        Ok(Some(Line {
            start,
            text: text.get(..most).unwrap_or(text),
            whole,
        }))
    }

    /// Passes over the rest of the current line and its line end.
    pub fn pass_line(&mut self) -> io::Result<()> {
        let mut before = None;
        loop {
            let ahead = self.ahead();
            if let Some(at) = memchr::memchr(b'\n', ahead) {
                let previous = at
                    .checked_sub(1)
                    .and_then(|i| ahead.get(i))
                    .copied()
                    .or(before);
                self.last_break = if previous == Some(b'\r') { 2 } else { 1 };
                self.passed = self.passed.saturating_add(at).saturating_add(1);
                return Ok(());
            }
            before = ahead.last().copied().or(before);
            self.passed = self.buffer.len();
            if self.ended || !self.more()? {
                self.last_break = 0;
                return Ok(());
            }
        }
    }

    /// From the start of a line, goes to the next line that begins with `--`, the current one included.
    /// False if there is none: then everything is passed.
    pub fn seek_dashes(&mut self) -> io::Result<bool> {
        while self.ahead().len() < 2 && !self.ended && self.more()? {}
        if self.ahead().starts_with(b"--") {
            return Ok(true);
        }
        let finder = memchr::memmem::Finder::new(b"\n--");
        loop {
            let ahead = self.ahead();
            if let Some(at) = finder.find(ahead) {
                let before = at.checked_sub(1).and_then(|i| ahead.get(i));
                self.last_break = if before == Some(&b'\r') { 2 } else { 1 };
                self.passed = self.passed.saturating_add(at).saturating_add(1);
                return Ok(true);
            }
            // The last octets may be `\r\n-`, to be seen whole next time.
            let keep = if self.ended { 0 } else { ahead.len().min(3) };
            self.passed = self.buffer.len().saturating_sub(keep);
            if self.ended || !self.more()? && self.ahead().is_empty() {
                return Ok(false);
            }
        }
    }
}
