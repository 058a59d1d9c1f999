//! What of a character is seen, as far as tags are concerned: letters and digits by their look, and square brackets.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;

/// What comes first, the look of a letter or its case. They differ for capital letters: the Greek capital nu looks like N,
/// its small letter like v. A reader may be deceived by either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// First the prototype (UTS 39 section 4), then case.
    Prototype,
    /// First case, then the prototype.
    Case,
    /// As the first, with the look of a letter before its compatible form: the long s looks like f.
    Look,
}

/// How often prototype and case are applied: a second time settles all that the first one leaves.
const ROUNDS: usize = 2;

/// The letters that are seen of a character; none for what is not seen, for accents, blanks and other signs.
pub fn fold(c: char, order: Order) -> Folded {
    if c.is_ascii() {
        return Folded::of_ascii(c);
    }
    if let Some(bracket) = bracket(c) {
        return Folded::One(Some(bracket));
    }
    if let Some(letter) = boxed(c).or_else(|| small_capital(c)) {
        return Folded::of_ascii(letter);
    }
    let mut text = first_form(c, order);
    for _ in 0..ROUNDS {
        text = match order {
            Order::Prototype | Order::Look => skeleton(&text).collect::<String>().to_lowercase(),
            Order::Case => skeleton(&text.to_lowercase()).collect(),
        };
    }
    let letters = text.to_lowercase();
    let letters = letters.nfkd().filter(|c| !is_combining_mark(*c));
    let seen: Vec<char> = letters.flat_map(class).collect();
    Folded::Several(seen.into_iter())
}

/// What the folding of a character begins with: its compatible form, or what it looks like by itself where only that leads to
/// ASCII, or where looks come first: the lunate sigma looks like c, but is compatible with the sigma.
fn first_form(c: char, order: Order) -> String {
    let compatible: String = c.nfkd().collect();
    let look: String = skeleton(c.encode_utf8(&mut [0; 4])).collect();
    let leads_away = || !skeleton(&compatible).all(|c| c.is_ascii());
    if look.is_ascii() && (order == Order::Look || leads_away()) {
        look
    } else {
        compatible
    }
}

/// The letters of one character.
pub enum Folded {
    /// One at most.
    One(Option<char>),
    /// Two.
    Two([char; 2], usize),
    /// Any number.
    Several(std::vec::IntoIter<char>),
}

impl Folded {
    /// What the general way finds for ASCII, without going it.
    fn of_ascii(c: char) -> Self {
        match c.to_ascii_lowercase() {
            'm' => Self::Two(['r', 'n'], 0),
            '|' | '1' | 'i' => Self::One(Some('l')),
            '0' => Self::One(Some('o')),
            c if c.is_ascii_alphanumeric() || c == '[' || c == ']' => Self::One(Some(c)),
            _ => Self::One(None),
        }
    }
}

impl Iterator for Folded {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self {
            Self::One(letter) => letter.take(),
            Self::Two(letters, next) => {
                let letter = letters.get(*next).copied();
                *next = next.saturating_add(1);
                letter
            }
            Self::Several(letters) => letters.next(),
        }
    }
}

/// One letter for all that look alike in some typeface: a capital I is a small l.
fn class(c: char) -> Vec<char> {
    match c {
        'ß' => vec!['s', 's'],
        c if c.is_ascii() => Folded::of_ascii(c).collect(),
        c if c.is_alphanumeric() => vec![c],
        c => bracket(c).into_iter().collect(),
    }
}

/// Brackets that look like square ones.
fn bracket(c: char) -> Option<char> {
    match c {
        '［' | '【' | '〔' | '〖' | '〘' | '〚' | '⟦' | '❲' | '⁅' | '⦋' | '⦍' | '⦏' | '﹝'
        | '「' | '｢' | '⌈' | '⌊' => Some('['),
        '］' | '】' | '〕' | '〗' | '〙' | '〛' | '⟧' | '❳' | '⁆' | '⦌' | '⦎' | '⦐' | '﹞'
        | '」' | '｣' | '⌉' | '⌋' => Some(']'),
        _ => None,
    }
}

/// Letters in boxes and discs that Unicode does not call compatible with the letters they show, and flags.
fn boxed(c: char) -> Option<char> {
    let first = match c {
        '\u{1f150}'..='\u{1f169}' => 0x1f150,
        '\u{1f170}'..='\u{1f189}' => 0x1f170,
        '\u{1f1e6}'..='\u{1f1ff}' => 0x1f1e6,
        _ => return None,
    };
    let place = u8::try_from(u32::from(c).saturating_sub(first)).ok()?;
    Some(char::from(b'a'.saturating_add(place)))
}

/// Small capitals, which UTS 39 keeps apart from the capitals they show.
fn small_capital(c: char) -> Option<char> {
    const SMALL: &str = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ";
    const LARGE: &str = "abcdefghijklmnopqrstuvwyz";
    let place = SMALL.chars().position(|small| small == c)?;
    LARGE.chars().nth(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_of_a_character() {
        let table = [
            ('a', "a"),
            ('S', "s"),
            ('I', "l"),
            ('m', "rn"),
            ('[', "["),
            ('(', ""),
            (' ', ""),
            ('\u{ad}', ""),
            ('\u{200b}', ""),
            ('\u{202e}', ""),
            ('\u{e0041}', ""),
            ('\u{301}', ""),
            ('\u{2800}', ""),
            ('\u{fffd}', ""),
            ('ü', "u"),
            ('ß', "ss"),
            ('ſ', "s"),
            ('ϲ', "c"),
            ('Ϲ', "c"),
            ('ѕ', "s"),
            ('Ѕ', "s"),
            ('е', "e"),
            ('𝐬', "s"),
            ('𝕊', "s"),
            ('ⓢ', "s"),
            ('🅢', "s"),
            ('ɴ', "n"),
            ('ᴢ', "z"),
            ('﹈', "]"),
            ('🇸', "s"),
            ('［', "["),
            ('】', "]"),
            ('ﬁ', "fl"),
            ('Ĳ', "lj"),
            ('漢', "漢"),
        ];
        for (c, letters) in table {
            let seen: String = fold(c, Order::Prototype).collect();
            assert_eq!(seen, letters, "{c:?}");
        }
        let nu = |order| fold('Ν', order).collect::<String>();
        assert_eq!(nu(Order::Prototype), "n");
        assert_eq!(nu(Order::Case), "v");
        let long_s = |order| fold('\u{17f}', order).collect::<String>();
        assert_eq!(long_s(Order::Look), "f");
        assert_eq!(long_s(Order::Prototype), "s");
    }

    #[test]
    fn ascii_looks_as_unicode_says() {
        for c in (0..128u8).map(char::from) {
            let prototype: String = skeleton(&c.to_ascii_lowercase().to_string()).collect();
            let expected: String = prototype.to_lowercase().chars().flat_map(class).collect();
            let seen: String = fold(c, Order::Case).collect();
            let other = !c.is_ascii_alphanumeric() && !"[]|".contains(c);
            assert_eq!(seen, if other { "" } else { &expected }, "{c:?}");
        }
    }
}
