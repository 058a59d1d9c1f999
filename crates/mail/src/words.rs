//! Text of header fields: encoded words read and written, folding (RFC 2047, RFC 5322 section 2.2.3).

mod lenient;

use std::borrow::Cow;

use encoding_rs::Encoding;

use crate::address::{Mailbox, is_atext, quoted};
use crate::limits::{ENCODED_WORD_INPUT, FOLD_COLUMNS, UNFOLDABLE_OCTETS};

pub use lenient::{Leniency, Lenient, Reach, decode_leniently};

/// The text of an unstructured value: encoded words decoded and joined, raw octets read as UTF-8 or else windows-1252.
///
/// As readers do, a word is decoded wherever it stands, not only between blanks, and blanks between two words vanish
/// (RFC 2047 section 6.2). A word in an unknown charset stays as it is written.
pub fn decode(value: &[u8]) -> String {
    let value = match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252
            .decode_without_bom_handling(value)
            .0
            .into_owned(),
    };
    let mut out = String::with_capacity(value.len());
    let mut rest = value.as_str();
    let mut pending = Pending::default();
    while let Some(at) = rest.find("=?") {
        let (before, tail) = rest.split_at(at);
        match encoded_word(tail) {
            Some((word, after)) => {
                // Only blanks between two encoded words vanish.
                if !pending.is_open() || !before.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
                    pending.flush(&mut out);
                    out.push_str(before);
                }
                pending.push(word, &mut out);
                rest = after;
            }
            None => {
                let (marker, after) = tail.split_at(2);
                pending.flush(&mut out);
                out.push_str(before);
                out.push_str(marker);
                rest = after;
            }
        }
    }
    pending.flush(&mut out);
    out.push_str(rest);
    out
}

/// Octets of encoded words of one charset that follow each other: a character may be split between them.
#[derive(Default)]
struct Pending {
    charset: Option<&'static Encoding>,
    octets: Vec<u8>,
}

impl Pending {
    fn is_open(&self) -> bool {
        self.charset.is_some()
    }

    fn push(&mut self, word: Word, out: &mut String) {
        if self.charset != Some(word.charset) {
            self.flush(out);
            self.charset = Some(word.charset);
        }
        self.octets.extend_from_slice(&word.octets);
    }

    fn flush(&mut self, out: &mut String) {
        if let Some(charset) = self.charset.take() {
            out.push_str(&text_of(charset, &self.octets));
            self.octets.clear();
        }
    }
}

/// The text of a word. A byte order mark counts in UTF-16 only, where it is part of the charset (RFC 2781 section 3.2).
fn text_of<'o>(charset: &'static Encoding, octets: &'o [u8]) -> Cow<'o, str> {
    match is_utf_16(charset) {
        true => charset.decode(octets).0,
        false => charset.decode_without_bom_handling(octets).0,
    }
}

fn is_utf_16(charset: &'static Encoding) -> bool {
    charset == encoding_rs::UTF_16BE || charset == encoding_rs::UTF_16LE
}

struct Word {
    charset: &'static Encoding,
    octets: Vec<u8>,
}

/// `encoded-word = "=?" charset "?" encoding "?" encoded-text "?="` at the start of `text` (RFC 2047 section 2),
/// the charset with an optional language (RFC 2231 section 5). Gives the word and what follows it.
fn encoded_word(text: &str) -> Option<(Word, &str)> {
    let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (encoded, after) = rest.split_once('?')?;
    let after = after.strip_prefix('=')?;
    let charset = Encoding::for_label(charset.split('*').next()?.as_bytes())?;
    let octets = match encoding {
        "B" | "b" => base64_simd::forgiving_decode_to_vec(encoded.as_bytes()).ok()?,
        "Q" | "q" => q_decoded(encoded.as_bytes()),
        _ => return None,
    };
    Some((Word { charset, octets }, after))
}

/// The Q encoding (RFC 2047 section 4.2); a `=` without two hexadecimal digits stays as it is.
fn q_decoded(encoded: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = match (first, tail) {
            (b'=', [high, low, ..]) => hex_octet(*high, *low),
            _ => None,
        };
        out.push(escaped.unwrap_or(if first == b'_' { b' ' } else { first }));
        rest = if escaped.is_some() {
            tail.get(2..).unwrap_or_default()
        } else {
            tail
        };
    }
    out
}

/// The octet two hexadecimal digits stand for.
pub(crate) fn hex_octet(high: u8, low: u8) -> Option<u8> {
    let digit = |b: u8| {
        char::from(b)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    Some(digit(high)? << 4 | digit(low)?)
}

/// A whole field `name: text` with CRLF, folded, as encoded words where the text is not plain ASCII.
/// Control characters become blanks, so no text can begin another field (row M11).
pub fn encode_unstructured(name: &str, text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let long_word = || text.split(' ').any(|word| word.len() > UNFOLDABLE_OCTETS);
    if text.is_ascii() && !text.contains("=?") && !long_word() {
        return fold(&format!("{name}: {text}"));
    }
    fold(&format!("{name}: {}", encoded_words(&text)))
}

/// `text` as encoded words of at most 75 characters, separated by blanks (RFC 2047 section 2).
pub fn encoded_words(text: &str) -> String {
    let mut words = Vec::new();
    let mut chunk = String::new();
    for c in text.chars() {
        if chunk.len().saturating_add(c.len_utf8()) > ENCODED_WORD_INPUT {
            words.push(one_word(&chunk));
            chunk.clear();
        }
        chunk.push(c);
    }
    if !chunk.is_empty() {
        words.push(one_word(&chunk));
    }
    words.join(" ")
}

fn one_word(text: &str) -> String {
    format!(
        "=?utf-8?B?{}?=",
        base64_simd::STANDARD.encode_to_string(text.as_bytes())
    )
}

/// A mailbox as it stands in a header field: the display name quoted or encoded, the address in angle brackets.
/// An address that is not ASCII stays UTF-8 (RFC 6532).
pub fn encode_mailbox(mailbox: &Mailbox) -> String {
    let name: String = mailbox
        .name
        .iter()
        .flat_map(|n| n.chars())
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let is_phrase = |text: &str| {
        text.split(' ')
            .all(|word| !word.is_empty() && word.chars().all(is_atext))
            && !text.contains("=?")
    };
    match name.trim() {
        "" => mailbox.address.to_string(),
        name if !name.is_ascii() || name.contains("=?") => {
            format!("{} <{}>", encoded_words(name), mailbox.address)
        }
        name if is_phrase(name) => format!("{name} <{}>", mailbox.address),
        name => format!("{} <{}>", quoted(name), mailbox.address),
    }
}

/// Folds a field that stands on one line (without CRLF) before blanks so that lines keep to 78 columns where that can be,
/// and ends it with CRLF (RFC 5322 sections 2.1.1 and 2.2.3). Unfolding gives the same text back.
pub fn fold(field: &str) -> String {
    let mut out = String::with_capacity(field.len().saturating_add(8));
    let mut column = 0usize;
    let mut rest = field;
    let mut seen_text = false;
    while !rest.is_empty() {
        let blanks = rest
            .len()
            .saturating_sub(rest.trim_start_matches([' ', '\t']).len());
        let (gap, tail) = rest.split_at(blanks);
        let (word, tail) = tail.split_at(tail.find([' ', '\t']).unwrap_or(tail.len()));
        let width = gap.len().saturating_add(word.len());
        // A line of blanks alone would be an obsolete form, and no field begins with a fold.
        if seen_text
            && blanks > 0
            && !word.is_empty()
            && column.saturating_add(width) > FOLD_COLUMNS
        {
            out.push_str("\r\n");
            column = 0;
        }
        out.push_str(gap);
        out.push_str(word);
        column = column.saturating_add(width);
        seen_text |= !word.is_empty() && !word.ends_with(':');
        rest = tail;
    }
    out.push_str("\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Address;

    #[test]
    fn encoded_words_are_decoded_as_readers_do() {
        let table: [(&[u8], &str); 20] = [
            (b"plain", "plain"),
            (b"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
            (b"=?UTF-8?b?R3LDvMOfZQ==?=", "Grüße"),
            (b"=?utf-8?B?R3LDvMOfZQ?=", "Grüße"),
            (b"=?iso-8859-1?Q?a_b=FC?= c", "a bü c"),
            (b"=?windows-1252?Q?=80?=", "\u{20ac}"),
            (b"=?us-ascii*en?Q?x?=", "x"),
            (b"=?koi8-r?B?1MXT1A==?=", "тест"),
            (b"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"),
            (b"=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=", "ab"),
            (b"=?utf-8?Q?a?= x =?utf-8?Q?b?=", "a x b"),
            (b"x=?utf-8?Q?a?=y", "xay"),
            (b"=?utf-8?Q?=C3?= =?utf-8?Q?=BC?=", "ü"),
            (b"=?utf-8?Q?a?==?utf-8?Q?b?=", "ab"),
            (b"=?nonsense?Q?a?=", "=?nonsense?Q?a?="),
            (b"=?utf-8?X?a?=", "=?utf-8?X?a?="),
            (b"=?utf-8?Q?=zz?=", "=zz"),
            (b"=?=?utf-8?Q?a?=", "=?a"),
            (b"Gr\xc3\xbc\xc3\x9fe", "Grüße"),
            (b"Gr\xfc\xdfe", "Grüße"),
        ];
        for (raw, text) in table {
            assert_eq!(decode(raw), text, "{}", String::from_utf8_lossy(raw));
        }
    }

    #[test]
    fn m11_text_never_begins_another_field() {
        let field = encode_unstructured("X-Name", "a\r\nBcc: victim@x.example\r\n\r\nbody");
        assert_eq!(field.matches('\n').count(), 1);
        assert!(field.ends_with("\r\n"));
    }

    #[test]
    fn what_is_encoded_comes_back() {
        let long = "wörter und noch mehr Wörter ".repeat(30);
        let texts = [
            "short",
            "two  blanks",
            " leading",
            "Grüße aus Köln",
            "=?utf-8?Q?not a word?=",
            &"word ".repeat(60),
            &"x".repeat(3000),
            &long,
            "",
        ];
        for text in texts {
            let field = encode_unstructured("Subject", text);
            assert!(field.is_ascii());
            assert!(field.split("\r\n").all(|line| line.len() <= 998));
            let unfolded = field.replace("\r\n", "");
            let value = unfolded.strip_prefix("Subject: ").unwrap();
            assert_eq!(decode(value.as_bytes()), text);
            let short_words = text.split(' ').all(|w| w.len() < 60);
            assert!(
                !short_words || field.split("\r\n").all(|line| line.len() <= 78),
                "{field}"
            );
        }
    }

    #[test]
    fn mailboxes_are_written_so_that_they_are_read_again() {
        let table = [
            (None, "a@x.example"),
            (Some("Alice"), "Alice <a@x.example>"),
            (Some("Doe, Alice"), "\"Doe, Alice\" <a@x.example>"),
            (Some("Älice"), "=?utf-8?B?w4RsaWNl?= <a@x.example>"),
            (Some("a\r\nBcc: b"), "\"a  Bcc: b\" <a@x.example>"),
        ];
        for (name, text) in table {
            let address = Address::parse("a@x.example").unwrap();
            assert_eq!(
                encode_mailbox(&Mailbox {
                    name: name.map(str::to_owned),
                    address
                }),
                text
            );
        }
    }
}
