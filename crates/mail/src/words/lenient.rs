//! Encoded words as the most lenient readers take them. Only for finding what a field may show to somebody; what is shown
//! by us is read by [`super::decode`].

use encoding_rs::{Encoding, REPLACEMENT, WINDOWS_1252};

use super::{is_utf_16, q_decoded, text_of};

/// Where readers of encoded words differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leniency {
    /// Octets of words of one charset that follow each other are joined before they are read.
    pub joins: bool,
    /// How far a word reaches.
    pub reach: Reach,
}

/// How far a word reaches that holds what no encoded word may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// With a blank or a `?` in it, it is none (RFC 2047 section 2).
    Short,
    /// To the first `?=`.
    First,
    /// To the first `?=` without two hexadecimal digits behind it; to the next blank if there is none.
    Far,
}

impl Leniency {
    /// All ways; at even places those that join.
    pub const ALL: [Self; 6] = [
        Self::of(true, Reach::First),
        Self::of(false, Reach::First),
        Self::of(true, Reach::Short),
        Self::of(false, Reach::Short),
        Self::of(true, Reach::Far),
        Self::of(false, Reach::Far),
    ];

    const fn of(joins: bool, reach: Reach) -> Self {
        Self { joins, reach }
    }
}

/// What a lenient reader shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lenient {
    /// The text.
    pub text: String,
    /// Whether a word is in a charset that is not known here, so that another reader may show something else.
    pub foreign: bool,
}

/// Reads an unfolded value: everything that any reader may take for an encoded word is taken for one.
pub fn decode_leniently(value: &str, leniency: Leniency) -> Lenient {
    let mut out = Words {
        joins: leniency.joins,
        ..Words::default()
    };
    let mut ends = Ends {
        text: value,
        reach: leniency.reach,
        next: None,
    };
    let mut at = 0usize;
    while let Some(start) = find(value, "=?", at) {
        let before = value.get(at..start).unwrap_or_default();
        match word(value, start, &mut ends) {
            Some((word, end)) => {
                out.plain(before);
                out.word(word);
                at = end;
            }
            None => {
                out.plain(before);
                out.plain("=?");
                at = start.saturating_add(2);
            }
        }
    }
    out.plain(value.get(at..).unwrap_or_default());
    out.flush();
    Lenient {
        text: out.text,
        foreign: out.foreign,
    }
}

fn find(text: &str, wanted: &str, from: usize) -> Option<usize> {
    let found = text.get(from..)?.find(wanted)?;
    Some(from.saturating_add(found))
}

/// Finds where words end, each place once, so that many words without an end cost no more than one.
struct Ends<'t> {
    text: &'t str,
    reach: Reach,
    /// The last answer: the first end at or after it, if there is any.
    next: Option<Option<usize>>,
}

impl Ends<'_> {
    /// Where the first `?=` that ends a word stands at or after `from`.
    fn after(&mut self, from: usize) -> Option<usize> {
        match self.next {
            Some(Some(known)) if known >= from => {}
            Some(None) => {}
            _ => self.next = Some(self.search(from)),
        }
        self.next.flatten()
    }

    fn search(&self, from: usize) -> Option<usize> {
        let mut from = from;
        loop {
            let at = find(self.text, "?=", from)?;
            let after = self.text.as_bytes().get(at.saturating_add(2)..);
            let digits = after.unwrap_or_default().iter().take(2);
            let goes_on = digits.filter(|b| b.is_ascii_hexdigit()).count() == 2;
            if self.reach != Reach::Far || !goes_on {
                return Some(at);
            }
            from = at.saturating_add(2);
        }
    }
}

/// An encoded word as octets and the name of their charset.
struct Word<'t> {
    charset: &'t str,
    octets: Vec<u8>,
}

/// The word that begins at `start` of `text`, and where it ends.
fn word<'t>(text: &'t str, start: usize, ends: &mut Ends<'_>) -> Option<(Word<'t>, usize)> {
    let rest = text.get(start.saturating_add(2)..)?;
    let (charset, rest) = rest.split_once('?')?;
    let binary = match rest.as_bytes() {
        [b'B' | b'b', b'?', ..] => true,
        [b'Q' | b'q', b'?', ..] => false,
        _ => return None,
    };
    let rest = rest.get(2..)?;
    let begin = text.len().saturating_sub(rest.len());
    let (end, after) = match ends.after(begin) {
        Some(end) => (end, end.saturating_add(2)),
        None if ends.reach == Reach::Far => {
            let blank = rest.find([' ', '\t']).unwrap_or(rest.len());
            let end = begin.saturating_add(blank);
            (end, end)
        }
        None => return None,
    };
    let encoded = text.get(begin..end)?;
    if ends.reach == Reach::Short && encoded.contains([' ', '\t', '?']) {
        return None;
    }
    let encoded = encoded.as_bytes();
    let octets = if binary {
        base64(encoded)
    } else {
        q_decoded(encoded)
    };
    let charset = charset.split('*').next().unwrap_or_default().trim();
    Some((Word { charset, octets }, after))
}

/// Base64 with everything outside the alphabet skipped; padding begins anew.
fn base64(encoded: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(encoded.len());
    for run in encoded.split(|b| *b == b'=') {
        let (mut bits, mut count) = (0u32, 0u32);
        for value in run.iter().filter_map(|b| base64_value(*b)) {
            bits = (bits << 6) | value;
            count = count.saturating_add(6);
            if let Some(left) = count.checked_sub(8) {
                out.push((bits >> left) as u8);
                count = left;
            }
        }
    }
    out
}

fn base64_value(letter: u8) -> Option<u32> {
    let place = match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(place))
}

/// Text in the making.
#[derive(Default)]
struct Words<'t> {
    joins: bool,
    text: String,
    foreign: bool,
    charset: &'t str,
    octets: Vec<u8>,
    /// Blanks after a word, which vanish if another follows (RFC 2047 section 6.2).
    blanks: &'t str,
    after_word: bool,
}

impl<'t> Words<'t> {
    fn plain(&mut self, text: &'t str) {
        if self.after_word && text.chars().all(char::is_whitespace) {
            self.blanks = text;
            return;
        }
        self.flush();
        self.text.push_str(text);
    }

    fn word(&mut self, word: Word<'t>) {
        self.blanks = "";
        if !self.joins || !self.charset.eq_ignore_ascii_case(word.charset) {
            self.decode();
            self.charset = word.charset;
        }
        self.octets.extend_from_slice(&word.octets);
        self.after_word = true;
    }

    fn flush(&mut self) {
        self.decode();
        self.text.push_str(self.blanks);
        self.blanks = "";
        self.after_word = false;
    }

    fn decode(&mut self) {
        if self.octets.is_empty() {
            return;
        }
        let known = Encoding::for_label(self.charset.as_bytes()).filter(|e| *e != REPLACEMENT);
        let utf_7 = UTF_7.iter().any(|name| self.is(name));
        if utf_7 {
            self.text.push_str(&utf_7_decoded(&self.octets));
        } else {
            // Readers differ in the order of octets that UTF-16 has without a mark, and in whether the mark counts.
            self.foreign |= known.is_none_or(is_utf_16);
            let encoding = known.unwrap_or(WINDOWS_1252);
            self.text.push_str(&text_of(encoding, &self.octets));
        }
        self.octets.clear();
    }

    fn is(&self, name: &str) -> bool {
        self.charset.eq_ignore_ascii_case(name)
    }
}

/// Names of UTF-7 (RFC 2152).
const UTF_7: [&str; 5] = [
    "utf-7",
    "utf7",
    "unicode-1-1-utf-7",
    "csunicode11utf7",
    "x-unicode-2-0-utf-7",
];

/// RFC 2152: between `+` and the next octet outside the base64 alphabet lies UTF-16 in base64; a `-` there is dropped.
fn utf_7_decoded(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len());
    let mut rest = octets;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'+' {
            out.push(char::from(first));
            continue;
        }
        let shifted = |b: &&u8| base64_value(**b).is_some();
        let length = tail.iter().take_while(shifted).count();
        let (run, after) = tail.split_at_checked(length).unwrap_or((tail, &[]));
        let units = base64(run);
        let text = encoding_rs::UTF_16BE.decode_without_bom_handling(even(&units));
        out.push_str(&text.0);
        if run.is_empty() && after.first() == Some(&b'-') {
            out.push('+');
        }
        rest = after.strip_prefix(b"-").unwrap_or(after);
    }
    out
}

/// Without the odd octet that the last bits of a run may make.
fn even(octets: &[u8]) -> &[u8] {
    octets.get(..octets.len() & !1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODES: [Leniency; 6] = Leniency::ALL;

    #[test]
    fn g1_some_reading_shows_what_any_reader_shows() {
        let table = [
            ("plain =? text ?=", "plain =? text ?="),
            ("=?utf-8?Q?a_b?= =?utf-8?B?Yw==?=", "a bc"),
            ("=?utf-8?Q?a?= x =?utf-8?Q?b?= ", "a x b "),
            ("=?utf-8?Q?=C3?= =?utf-8?Q?=BC?=", "\u{fc}"),
            ("=?iso-2022-jp?B?GyRC?= =?iso-2022-jp?Q?x?=", "x"),
            ("=?nonsense?Q?=5Bx=5D?=", "[x]"),
            ("=?cp037?B?W3hd?=", "[x]"),
            ("=?utf-8?Q?=5Bx=5D?y?=", "[x]?y"),
            ("=?utf-8?Q?y?=5Bx=5D?=", "y?[x]"),
            ("=?utf-8?Q?=5Bx=5D and more", "[x] and more"),
            ("=?utf-8?B?W3*hd?=", "[x]"),
            ("=?utf-8?B?W3g=XQ?=", "[x]"),
            ("=?utf-7?Q?+AFs-x+AF0-?=", "[x]"),
            ("=?utf-7?Q?1+-1?=", "1+1"),
            ("=?us-ascii*en?q?[x]?=", "[x]"),
            ("=?utf-16be?B?AFsAeABd?=", "[x]"),
            ("=?utf-16?B?/v8AWwB4AF0=?=", "[x]"),
            ("=?utf-16?B?//5bAHgAXQA=?=", "[x]"),
            ("=?utf-8?Q??[ =?utf-8?Q??= x]", "=?utf-8?Q??[  x]"),
        ];
        for (value, shown) in table {
            let readings = MODES.map(|mode| decode_leniently(value, mode).text);
            assert!(
                readings.iter().any(|one| one == shown),
                "{value}: {readings:?}"
            );
        }
    }

    #[test]
    fn charsets_not_known_here_are_told() {
        let table = [
            ("=?utf-8?Q?x?=", false),
            ("=?utf-7?Q?x?=", false),
            ("=?utf-16?B?AFsAeABd?=", true),
            ("=?cp850?Q?=81?=", true),
            ("=?cp037?Q?x?=", true),
            ("=?iso-2022-kr?Q?x?=", true),
            ("=?[x]?Q?x?=", true),
            ("=?x", false),
        ];
        for (value, foreign) in table {
            assert_eq!(
                decode_leniently(value, MODES[0]).foreign,
                foreign,
                "{value}"
            );
        }
    }

    #[test]
    fn c20_words_without_an_end_cost_no_more_than_one() {
        // Quadratic, this would take minutes.
        for (repeated, times) in [
            ("=?a?Q?", 150_000),
            ("=?a?Q??=41", 100_000),
            ("=?", 500_000),
        ] {
            let value = repeated.repeat(times);
            for mode in MODES {
                assert!(!decode_leniently(&value, mode).text.is_empty());
            }
        }
    }
}
