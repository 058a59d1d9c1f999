//! Tags in the Subject: which verdict gives which, and how forged ones are taken out first (rows G1 and G2).
//!
//! A tag is forged if some reader could take what is shown for one of ours: however the field is encoded, in whatever
//! letters that look alike, with whatever is not seen in between. What is looked for are the letters and square brackets
//! that remain of a text, each as its prototype of UTS 39 section 4.

mod fold;

use std::cell::Cell;

use sealgate_mail::header::{Field, HeaderBlock, encode_unstructured};
use sealgate_mail::words::{self, Leniency, decode_leniently};
use sealgate_smime::verdict::{EncryptionVerdict, SignatureVerdict};

use crate::limits::{SUBJECT_COST, SUBJECT_OCTETS, SUBJECTS_OCTETS, TAG_PASSES};
use crate::own_header::{self, Verdicts};
use crate::tenant::Language;
use fold::{Order, fold};

/// What a tag says, in English and German.
const SIGNED: [&str; 2] = ["signed", "signiert"];
const ENCRYPTED: [&str; 2] = ["encrypted", "verschlüsselt"];
const UNVERIFIED: [&str; 2] = ["signature not verified", "Signatur nicht geprüft"];
const INVALID: [&str; 2] = ["signature invalid", "Signatur ungültig"];

/// Words in brackets that are taken out beside ours: our own without umlauts, and those known from other gateways.
const ALSO_FORGED: [&str; 4] = [
    "verschluesselt",
    "Signatur nicht geprueft",
    "Signatur ungueltig",
    "signed ok",
];

/// Fields that readers show as the subject; Thread-Topic is what Outlook shows above a conversation.
const SUBJECTS: [&str; 2] = ["subject", "thread-topic"];

/// The word for a signature; only `valid` has the good one. A mail that is not signed as a whole has none.
const fn signature_words(verdict: SignatureVerdict) -> Option<[&'static str; 2]> {
    use SignatureVerdict as V;
    match verdict {
        V::None | V::Partial => None,
        V::Valid => Some(SIGNED),
        V::Untrusted | V::Unsupported | V::RevocationUnknown | V::ValidNoAddress => {
            Some(UNVERIFIED)
        }
        V::ValidOtherAddress | V::Expired | V::Revoked | V::Weak | V::Broken => Some(INVALID),
    }
}

/// The word for encryption: mail that stays encrypted shows that itself.
const fn encryption_words(verdict: EncryptionVerdict) -> Option<[&'static str; 2]> {
    use EncryptionVerdict as V;
    match verdict {
        V::Decrypted | V::DecryptedAuthenticated => Some(ENCRYPTED),
        V::None | V::NoKey | V::Failed | V::Refused => None,
    }
}

/// The tags for these verdicts, each followed by a blank, such as `[signed] [encrypted] `; empty if there are none.
pub fn tags(verdicts: &Verdicts, language: Language) -> String {
    let words = [
        signature_words(verdicts.signature),
        encryption_words(verdicts.encryption),
    ];
    let tag = |[english, german]: [&str; 2]| match language {
        Language::En => format!("[{english}] "),
        Language::De => format!("[{german}] "),
    };
    words.into_iter().flatten().map(tag).collect()
}

/// Takes forged tags out of subjects and writes ours; one for each copy of a mail, since what may be looked at is limited.
#[derive(Debug)]
pub struct Cleaner {
    /// What is looked for, as it looks folded; one list for each order of folding.
    patterns: [(Order, Vec<Vec<char>>); 3],
    /// Octets that may still be looked at.
    left: Cell<usize>,
}

impl Default for Cleaner {
    fn default() -> Self {
        Self {
            patterns: [Order::Prototype, Order::Case, Order::Look]
                .map(|order| (order, patterns(order))),
            left: Cell::new(SUBJECTS_OCTETS),
        }
    }
}

/// The tags of all languages as they look folded: as they are, and as they must be written to look so from right to left.
fn patterns(order: Order) -> Vec<Vec<char>> {
    let ours = [SIGNED, ENCRYPTED, UNVERIFIED, INVALID];
    let words = ours.iter().flatten().chain(&ALSO_FORGED);
    let mut patterns = Vec::new();
    for word in words {
        let folded: Vec<char> = word.chars().flat_map(|c| fold(c, order)).collect();
        let turned: Vec<char> = folded.iter().rev().copied().collect();
        patterns.push([&['['], folded.as_slice(), &[']']].concat());
        patterns.push([&['['], turned.as_slice(), &[']']].concat());
        patterns.push([&[']'], turned.as_slice(), &['[']].concat());
    }
    patterns
}

impl Cleaner {
    /// The field to write in the place of one that is shown as the subject and holds a forged tag, with line end.
    /// None for any other field: it stays as it is.
    pub fn cleaned_field(&self, field: &Field<'_>) -> Option<String> {
        let name = subject_name(field)?;
        let text = self.cleaned_value(own_header::value_of(field).trim_ascii())?;
        Some(encode_unstructured(name, &text))
    }

    /// The header with `tags` in front of every Subject and forged ones taken out of all fields shown as one; a header
    /// without a Subject gets one if there are tags.
    pub fn tagged(&self, header: &HeaderBlock, tags: &str) -> Vec<u8> {
        use sealgate_mail::edit::HeaderEdit;
        let is_subject = |field: &Field<'_>| subject_name(field) == Some("Subject");
        let edit = HeaderEdit::new(header).rewrite(|field| {
            let cleaned = self.cleaned_field(field);
            if tags.is_empty() || !is_subject(field) {
                return cleaned;
            }
            let value = own_header::value_of(field);
            let value = value.trim_ascii();
            let text = self.cleaned_value(value);
            let text = text.unwrap_or_else(|| words::decode(value));
            Some(encode_unstructured(
                "Subject",
                &format!("{tags}{}", text.trim()),
            ))
        });
        let missing = !header.fields().any(|field| is_subject(&field));
        match missing && !tags.is_empty() {
            true => edit.append(&encode_unstructured("Subject", tags.trim())),
            false => edit,
        }
        .finish()
    }

    /// The text without forged tags; none if no reader sees one in this value, which is unfolded. A value that readers take
    /// differently, that has words nobody here can read, or that is too long, is given anew, so that all take it alike.
    /// Nothing is left of one that comes after more than may be looked at.
    pub fn cleaned_value(&self, value: &[u8]) -> Option<String> {
        let mut unclear = value.len() > SUBJECT_OCTETS;
        if !unclear && shows_as_written(value) {
            return None;
        }
        let value = if unclear { cut(value) } else { value };
        let cost = value.len().max(SUBJECT_COST);
        let left = self.left.get().checked_sub(cost);
        self.left.set(left.unwrap_or_default());
        if left.is_none() {
            return Some(String::new());
        }
        let mut readings = Vec::new();
        for text in raw_texts(value) {
            let ways = Leniency::ALL.map(|leniency| decode_leniently(&text, leniency));
            let joined = || ways.iter().step_by(2);
            unclear |= joined()
                .zip(joined().skip(1))
                .any(|(one, next)| one != next);
            unclear |= ways.iter().any(|read| read.foreign);
            ways.into_iter()
                .for_each(|read| push_new(&mut readings, read.text));
            push_new(&mut readings, text);
        }
        push_new(&mut readings, words::decode(value));
        if !unclear
            && !readings
                .iter()
                .any(|text| self.cleaned_text(text).is_some())
        {
            return None;
        }
        let shown = readings.into_iter().next().unwrap_or_default();
        Some(self.cleaned_text(&shown).unwrap_or(shown))
    }

    /// The text without forged tags; none if it holds none.
    pub fn cleaned_text(&self, text: &str) -> Option<String> {
        let mut cleaned: Option<String> = None;
        for _ in 0..TAG_PASSES {
            let mut found = false;
            for (order, patterns) in &self.patterns {
                if let Some(next) = pass(cleaned.as_deref().unwrap_or(text), *order, patterns) {
                    cleaned = Some(next);
                    found = true;
                }
            }
            if !found {
                return cleaned;
            }
        }
        // Made to outlast the passes: nothing of it is worth showing.
        Some(String::new())
    }
}

/// Whether every reader shows the value as it is written, and no bracket in it.
fn shows_as_written(value: &[u8]) -> bool {
    let plain = |b: &u8| b.is_ascii() && !matches!(b, b'[' | b']');
    value.iter().all(plain) && !value.windows(2).any(|two| two == b"=?")
}

/// The beginning of a value that is too long, up to a whole character.
fn cut(value: &[u8]) -> &[u8] {
    let most = value.get(..SUBJECT_OCTETS).unwrap_or(value);
    match std::str::from_utf8(most) {
        Err(error) if error.error_len().is_none() => {
            most.get(..error.valid_up_to()).unwrap_or(most)
        }
        _ => most,
    }
}

fn push_new(readings: &mut Vec<String>, text: String) {
    if !readings.contains(&text) {
        readings.push(text);
    }
}

/// The raw value as readers may see it: octets that are no UTF-8 as letters of Windows, or left out.
fn raw_texts(value: &[u8]) -> Vec<String> {
    match std::str::from_utf8(value) {
        Ok(text) => vec![text.to_owned()],
        Err(_) => vec![
            value.iter().map(|b| char::from(*b)).collect(),
            String::from_utf8_lossy(value).into_owned(),
        ],
    }
}

/// The name under which a field is written anew, if readers show it as the subject: however its name is spelled.
fn subject_name(field: &Field<'_>) -> Option<&'static str> {
    match SUBJECTS
        .iter()
        .position(|name| field.loose_name() == *name)?
    {
        0 => Some("Subject"),
        _ => Some("Thread-Topic"),
    }
}

/// A letter that is seen, and the place of the character it comes from.
struct Seen {
    letter: char,
    place: usize,
}

/// Takes out every tag, also those that appear where another was taken out; none if there is none. One pass: what was
/// seen so far never holds a tag, because each ends with a bracket and is taken off there.
fn pass(text: &str, order: Order, patterns: &[Vec<char>]) -> Option<String> {
    let mut seen: Vec<Seen> = Vec::new();
    let mut cuts: Vec<(usize, usize)> = Vec::new();
    for (place, c) in text.chars().enumerate() {
        for letter in fold(c, order) {
            seen.push(Seen { letter, place });
            if !matches!(letter, '[' | ']') {
                continue;
            }
            if let Some(length) = longest_end(&seen, patterns) {
                let start = take_off(&mut seen, length);
                while cuts.last().is_some_and(|(earlier, _)| *earlier >= start) {
                    cuts.pop();
                }
                cuts.push((start, place));
                // What else this character looks like goes with it.
                break;
            }
        }
    }
    (!cuts.is_empty()).then(|| without(text, &cuts))
}

/// The length of the longest pattern that `seen` ends with.
fn longest_end(seen: &[Seen], patterns: &[Vec<char>]) -> Option<usize> {
    let ends = |pattern: &&Vec<char>| {
        let mut letters = seen.iter().rev().map(|seen| seen.letter);
        seen.len() >= pattern.len() && pattern.iter().rev().all(|c| letters.next() == Some(*c))
    };
    patterns.iter().filter(ends).map(Vec::len).max()
}

/// Takes `length` letters off, and those before them that come from the same character; gives its place.
fn take_off(seen: &mut Vec<Seen>, length: usize) -> usize {
    let keep = seen.len().saturating_sub(length);
    let start = seen.get(keep).map_or(0, |first| first.place);
    seen.truncate(keep);
    while seen.last().is_some_and(|last| last.place == start) {
        seen.pop();
    }
    start
}

/// The text without the characters of these ranges and without the blanks that follow a cut where none are needed.
fn without(text: &str, cuts: &[(usize, usize)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut cuts = cuts.iter().peekable();
    let mut after_cut = false;
    for (place, c) in text.chars().enumerate() {
        while cuts.next_if(|(_, end)| *end < place).is_some() {}
        if cuts.peek().is_some_and(|(start, _)| *start <= place) {
            after_cut = true;
            continue;
        }
        let spare = after_cut
            && c.is_whitespace()
            && (out.is_empty() || out.ends_with(char::is_whitespace));
        if !spare {
            after_cut = false;
            out.push(c);
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests;
