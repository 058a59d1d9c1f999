//! The text of an HTML part: which encoding it is in, and a reader that gives it as UTF-8.

use std::cell::Cell;
use std::io::{self, Read};

use encoding_rs::{Decoder, Encoding, REPLACEMENT, UTF_8, WINDOWS_1252};

use crate::content::{Content, Slice};
use crate::encoding::{Base64Reader, TransferEncoding, hand_out, read_some};
use crate::limits::{BUFFER_OCTETS, CHARSET_OCTETS, HTML_OCTETS};
use crate::part::Part;

/// Where text lies and how it is to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    body: (u64, u64),
    transfer: TransferEncoding,
    encoding: &'static Encoding,
    /// Nothing names the encoding.
    guessed: bool,
    /// Every reader finds the same encoding, and in it an octet below 128 is always what it is in ASCII.
    pub certain: bool,
}

/// What was met while reading.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Met {
    /// Octets without the transfer encoding.
    pub octets: u64,
    /// Something does not belong to the encoding.
    pub errors: bool,
}

impl Text {
    /// Looks at the label and the beginning of a part.
    pub fn of(content: &dyn Content, part: &Part) -> io::Result<Self> {
        let mut start = Vec::new();
        part.decoded(content)?
            .take(CHARSET_OCTETS)
            .read_to_end(&mut start)?;
        let marked = Encoding::for_bom(&start).map(|(encoding, _)| encoding);
        let label = part.content_type.parameter("charset");
        let labelled = label.and_then(known);
        let named = marked.or(labelled).or_else(|| named_in_meta(&start));
        let guessed = named.is_none();
        let encoding = named.unwrap_or_else(|| guess(&start));
        let agreed = label.is_none() || labelled == Some(encoding);
        // Without a name, a reader of another country guesses another one.
        let sure = !guessed || encoding == UTF_8;
        let certain = agreed && sure && (encoding == UTF_8 || encoding.is_single_byte());
        Ok(Self {
            body: part.body,
            transfer: part.encoding,
            encoding,
            guessed,
            certain,
        })
    }

    /// The same text read in the other encoding that may be meant, where nothing names one and the guess was wrong.
    pub fn second_guess(self) -> Option<Self> {
        (self.guessed && self.encoding == UTF_8).then_some(Self {
            encoding: WINDOWS_1252,
            certain: false,
            ..self
        })
    }

    /// Whether `label`, found in a `meta` element, names the encoding that was found without it.
    pub fn is_called(&self, label: &str) -> bool {
        let label = label.trim_matches(['"', '\'', ' ', ';']);
        known(label) == Some(self.encoding)
    }

    /// Whether every reader undoes the transfer encoding alike (RFC 2045 sections 6.7 and 6.8).
    pub fn is_strictly_encoded(&self, content: &dyn Content) -> io::Result<bool> {
        let slice = Slice::new(content, self.body.0, self.body.1);
        let body = slice.reader(0)?;
        match self.transfer {
            TransferEncoding::Base64 => {
                Ok(io::copy(&mut Base64Reader::strict(body), &mut io::sink()).is_ok())
            }
            TransferEncoding::QuotedPrintable => is_strictly_quoted(body),
            TransferEncoding::Unknown => Ok(false),
            _ => Ok(true),
        }
    }

    /// A reader of the text as UTF-8, at most `HTML_OCTETS` and one octet of it, that keeps account in `met`.
    pub fn utf8<'c>(&self, content: &'c dyn Content, met: &'c Cell<Met>) -> io::Result<Utf8<'c>> {
        let length = self.body.1.saturating_sub(self.body.0);
        let body = content.reader(self.body.0)?.take(length);
        let source = self.transfer.decoded(Box::new(body));
        Ok(Utf8 {
            source: source.take(HTML_OCTETS.saturating_add(1)),
            decoder: self.encoding.new_decoder(),
            decoded: Vec::new(),
            position: 0,
            ended: false,
            met,
        })
    }
}

/// The encoding of a label, if it is one that shows text.
fn known(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label(label.as_bytes()).filter(|encoding| *encoding != REPLACEMENT)
}

/// UTF-8 where the beginning can be that, else the usual one of the west.
fn guess(start: &[u8]) -> &'static Encoding {
    match std::str::from_utf8(start) {
        Ok(_) => UTF_8,
        // The last character may be cut.
        Err(error) if error.error_len().is_none() => UTF_8,
        Err(_) => WINDOWS_1252,
    }
}

/// What stands behind the first `charset=`, as a reader without a label takes it.
fn named_in_meta(start: &[u8]) -> Option<&'static Encoding> {
    let lower = start.to_ascii_lowercase();
    let at = memchr::memmem::find(&lower, b"charset=")?.saturating_add(8);
    let rest = lower.get(at..)?;
    let rest = rest.trim_ascii_start();
    let rest = rest
        .strip_prefix(b"\"")
        .or(rest.strip_prefix(b"'"))
        .unwrap_or(rest);
    let end = rest
        .iter()
        .position(|b| !b.is_ascii_alphanumeric() && !b"-_:.".contains(b));
    let label = rest.get(..end.unwrap_or(rest.len()))?;
    // WHATWG: a label that could be read cannot stand in UTF-16.
    known(std::str::from_utf8(label).ok()?)
        .filter(|encoding| encoding.is_ascii_compatible() || *encoding == encoding_rs::ISO_2022_JP)
}

/// Whether each `=` is followed by two hexadecimal digits or a line end.
fn is_strictly_quoted(mut body: impl Read) -> io::Result<bool> {
    let mut buffer = vec![0; BUFFER_OCTETS];
    // Octets behind the last `=`: digits still due, or a CR that LF must follow.
    let mut due: &[u8] = b"";
    loop {
        let count = read_some(&mut body, &mut buffer)?;
        if count == 0 {
            return Ok(due.is_empty());
        }
        for &b in buffer.get(..count).unwrap_or_default() {
            due = match (due, b) {
                (b"", b'=') => b"=",
                (b"", _) => b"",
                (b"=", b'\r') => b"\r",
                (b"\r", b'\n') | (b"=", b'\n') => b"",
                (b"=", _) if b.is_ascii_hexdigit() => b"=0",
                (b"=0", _) if b.is_ascii_hexdigit() => b"",
                _ => return Ok(false),
            };
        }
    }
}

/// A reader that gives text as UTF-8.
pub(super) struct Utf8<'c> {
    source: io::Take<Box<dyn Read + Send + 'c>>,
    decoder: Decoder,
    decoded: Vec<u8>,
    /// Octets of `decoded` already handed out.
    position: usize,
    ended: bool,
    met: &'c Cell<Met>,
}

impl Utf8<'_> {
    fn fill(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER_OCTETS];
        let count = read_some(&mut self.source, &mut buffer)?;
        buffer.truncate(count);
        self.ended = count == 0;
        let room = self.decoder.max_utf8_buffer_length(count);
        self.decoded.resize(room.unwrap_or(BUFFER_OCTETS), 0);
        let (_, _, written, errors) =
            self.decoder
                .decode_to_utf8(&buffer, &mut self.decoded, self.ended);
        self.decoded.truncate(written);
        self.position = 0;
        let met = self.met.get();
        self.met.set(Met {
            octets: met.octets.saturating_add(count as u64),
            errors: met.errors || errors,
        });
        Ok(())
    }
}

impl Read for Utf8<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position >= self.decoded.len() && !self.ended {
            self.fill()?;
        }
        Ok(hand_out(&self.decoded, &mut self.position, buffer))
    }
}
