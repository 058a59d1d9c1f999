//! The catalogues: every text of the portal in German and English.

use std::cell::RefCell;

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};
use jiff::tz::TimeZone;
use sealgate_core::tenant::Language;
use sealgate_mail::Timestamp;
use unic_langid::LanguageIdentifier;

use crate::view::{Notice, NoticeValue};

const DE: &str = include_str!("../lang/de.ftl");
const EN: &str = include_str!("../lang/en.ftl");

/// Values that stand in a text, by their names.
#[derive(Debug, Default)]
pub struct Values<'a>(FluentArgs<'a>);

impl<'a> Values<'a> {
    /// None.
    pub fn new() -> Self {
        Self(FluentArgs::new())
    }

    /// One more.
    pub fn with(mut self, name: &'static str, value: impl Into<FluentValue<'a>>) -> Self {
        self.0.set(name, value);
        self
    }
}

struct Catalogues {
    de: FluentBundle<FluentResource>,
    en: FluentBundle<FluentResource>,
}

fn bundle(language: Language, source: &str) -> FluentBundle<FluentResource> {
    let identifier: LanguageIdentifier = language.as_str().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new(vec![identifier]);
    // No isolation marks around values: they would be copied with addresses.
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(match language {
        Language::De => |value, _| written(Language::De, value),
        Language::En => |value, _| written(Language::En, value),
    }));
    let resource = FluentResource::try_new(source.to_owned());
    // What does not parse is found by the tests; the rest of the catalogue is there.
    let resource = resource.unwrap_or_else(|(rest, _)| rest);
    bundle.add_resource_overriding(resource);
    bundle
}

/// Numbers in texts have their groups; what else there is, is written as it is.
fn written(language: Language, value: &FluentValue<'_>) -> Option<String> {
    match value {
        FluentValue::Number(own) => Some(number(language, &own.as_string())),
        _ => None,
    }
}

thread_local! {
    static CATALOGUES: RefCell<Catalogues> = RefCell::new(Catalogues {
        de: bundle(Language::De, DE),
        en: bundle(Language::En, EN),
    });
}

/// The text of `key`. A key that is missing is written as it is; the build refuses such keys.
pub fn text(language: Language, key: &str, values: &Values<'_>) -> String {
    CATALOGUES.with_borrow(|catalogues| {
        let bundle = match language {
            Language::De => &catalogues.de,
            Language::En => &catalogues.en,
        };
        let pattern = bundle.get_message(key).and_then(|message| message.value());
        let Some(pattern) = pattern else {
            return key.to_owned();
        };
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&values.0), &mut errors);
        text.into_owned()
    })
}

/// The text of a notice.
pub fn notice(language: Language, notice: &Notice) -> String {
    let mut values = Values::new();
    for (name, value) in &notice.values {
        match value {
            NoticeValue::Number(number) => values.0.set(name.clone(), *number),
            NoticeValue::Text(text) => values.0.set(name.clone(), text.clone()),
        }
    }
    text(language, &notice.key, &values)
}

/// Marks a key of the catalogues that stands in a table, so that the build sees that it is used.
pub const fn key(key: &'static str) -> &'static str {
    key
}

fn zoned(at: Timestamp, zone: &TimeZone) -> jiff::Zoned {
    let at = jiff::Timestamp::from_second(at.0).unwrap_or_default();
    at.to_zoned(zone.clone())
}

/// A date and time: `22.11.2026 14:05`, `22 Nov 2026, 14:05`.
pub fn time(language: Language, at: Timestamp, zone: &TimeZone) -> String {
    let form = match language {
        Language::De => "%d.%m.%Y %H:%M",
        Language::En => "%-d %b %Y, %H:%M",
    };
    zoned(at, zone).strftime(form).to_string()
}

/// A date: `22.11.2026`, `22 Nov 2026`.
pub fn date(language: Language, at: Timestamp, zone: &TimeZone) -> String {
    let form = match language {
        Language::De => "%d.%m.%Y",
        Language::En => "%-d %b %Y",
    };
    zoned(at, zone).strftime(form).to_string()
}

/// Units of time: seconds, key of the text forward, backward, and of the plain length.
const UNITS: [(i64, [&str; 3]); 4] = [
    (
        86_400,
        [key("in-days"), key("days-ago"), key("length-days")],
    ),
    (
        3_600,
        [key("in-hours"), key("hours-ago"), key("length-hours")],
    ),
    (
        60,
        [key("in-minutes"), key("minutes-ago"), key("length-minutes")],
    ),
    (
        1,
        [key("in-seconds"), key("seconds-ago"), key("length-seconds")],
    ),
];

/// Seconds from now, negative if past, in the largest unit of which two or more fit: `in 12 Tagen`, `3 minutes ago`.
pub fn relative(language: Language, seconds: i64) -> String {
    match seconds {
        -4..=4 => text(language, key("just-now"), &Values::new()),
        5.. => in_units(language, seconds, 0),
        _ => in_units(language, seconds.saturating_neg(), 1),
    }
}

/// A length of time in the largest unit of which two or more fit: `90 Minuten`, `2 hours`.
pub fn duration(language: Language, seconds: i64) -> String {
    in_units(language, seconds.max(0), 2)
}

fn in_units(language: Language, seconds: i64, form: usize) -> String {
    let mut larger = UNITS.iter().filter(|(unit, _)| {
        let least = if *unit == 86_400 {
            *unit
        } else {
            unit.saturating_mul(2)
        };
        seconds >= least
    });
    let (unit, keys) = larger.next().unwrap_or(&UNITS[3]);
    let count = seconds.checked_div(*unit).unwrap_or_default();
    text(language, keys[form], &Values::new().with("count", count))
}

/// A size in octets with one digit behind the point below ten: `812 B`, `1,2 MB`, `25 MB`. Units are powers of 1,000.
pub fn octets(language: Language, octets: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let octets = u128::from(octets);
    let (mut unit, mut size) = (0, 1_u128);
    // What rounds to 1,000 is written in the next unit.
    while unit < 4 && octets * 2 >= size * 1_999 {
        unit += 1;
        size *= 1_000;
    }
    let tenths = (octets * 10 + size / 2) / size;
    let digits = match (unit, tenths) {
        (1.., ..100) => format!("{}.{}", tenths / 10, tenths % 10),
        _ => ((octets + size / 2) / size).to_string(),
    };
    format!("{}\u{a0}{}", number(language, &digits), UNITS[unit])
}

/// The common name in a distinguished name as RFC 4514 writes it, or all of it where there is none.
pub fn common_name(name: &str) -> &str {
    let mut start = 0;
    for (at, _) in name.match_indices(',').chain([(name.len(), "")]) {
        let escaped = name.get(..at).is_some_and(|before| before.ends_with('\\'));
        if escaped {
            continue;
        }
        let part = name.get(start..at).unwrap_or_default();
        if let Some(own) = part.trim_start().strip_prefix("CN=")
            && !own.is_empty()
        {
            return own;
        }
        start = at.saturating_add(1);
    }
    name
}

/// A number, given in digits with a point, with the language's groups and point: `1.234,5`, `1,234.5`.
pub fn number(language: Language, digits: &str) -> String {
    let (group, point) = match language {
        Language::De => ('.', ','),
        Language::En => (',', '.'),
    };
    let (sign, digits) = digits
        .strip_prefix('-')
        .map_or(("", digits), |rest| ("-", rest));
    let (whole, part) = digits
        .split_once('.')
        .map_or((digits, None), |(a, b)| (a, Some(b)));
    let mut text = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        let left = whole.len().saturating_sub(index);
        if index > 0 && left.is_multiple_of(3) {
            text.push(group);
        }
        text.push(digit);
    }
    if let Some(part) = part {
        text.push(point);
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(write: impl Fn(Language) -> String) -> [String; 2] {
        [write(Language::De), write(Language::En)]
    }

    #[test]
    fn numbers_have_groups_and_points_of_the_language() {
        for (digits, de, en) in [
            ("0", "0", "0"),
            ("7", "7", "7"),
            ("999", "999", "999"),
            ("1000", "1.000", "1,000"),
            ("-1000", "-1.000", "-1,000"),
            ("-12", "-12", "-12"),
            ("12345.6", "12.345,6", "12,345.6"),
            ("1234567", "1.234.567", "1,234,567"),
            ("-1234567.89", "-1.234.567,89", "-1,234,567.89"),
        ] {
            assert_eq!(both(|language| number(language, digits)), [de, en]);
        }
    }

    #[test]
    fn sizes_have_one_digit_behind_the_point_below_ten() {
        for (size, de, en) in [
            (0, "0 B", "0 B"),
            (999, "999 B", "999 B"),
            (1_000, "1,0 kB", "1.0 kB"),
            (1_249, "1,2 kB", "1.2 kB"),
            (9_949, "9,9 kB", "9.9 kB"),
            (12_600, "13 kB", "13 kB"),
            (999_499, "999 kB", "999 kB"),
            (999_500, "1,0 MB", "1.0 MB"),
            (1_250_000, "1,3 MB", "1.3 MB"),
            (25_000_000, "25 MB", "25 MB"),
            (3_000_000_000, "3,0 GB", "3.0 GB"),
            (5_000_000_000_000_000, "5.000 TB", "5,000 TB"),
        ] {
            let plain = |text: String| text.replace('\u{a0}', " ");
            let written = both(|language| plain(octets(language, size)));
            assert_eq!(written, [de, en], "{size}");
        }
    }

    #[test]
    fn distances_are_in_the_largest_unit_that_says_enough() {
        for (seconds, de, en) in [
            (0, "gerade eben", "just now"),
            (-4, "gerade eben", "just now"),
            (5, "in 5 Sekunden", "in 5 seconds"),
            (-61, "vor 61 Sekunden", "61 seconds ago"),
            (150, "in 2 Minuten", "in 2 minutes"),
            (-7_199, "vor 119 Minuten", "119 minutes ago"),
            (7_200, "in 2 Stunden", "in 2 hours"),
            (86_400, "in 1 Tag", "in 1 day"),
            (-86_400, "vor 1 Tag", "1 day ago"),
            (12 * 86_400 + 5, "in 12 Tagen", "in 12 days"),
            (-4_000 * 86_400, "vor 4.000 Tagen", "4,000 days ago"),
            (
                i64::MIN,
                "vor 106.751.991.167.300 Tagen",
                "106,751,991,167,300 days ago",
            ),
        ] {
            assert_eq!(both(|language| relative(language, seconds)), [de, en]);
        }
        assert_eq!(
            both(|language| duration(language, 3_600)),
            ["60 Minuten", "60 minutes"]
        );
        assert_eq!(
            both(|language| duration(language, 1)),
            ["1 Sekunde", "1 second"]
        );
        assert_eq!(
            both(|language| duration(language, -9)),
            ["0 Sekunden", "0 seconds"]
        );
    }

    #[test]
    fn dates_are_written_as_the_language_writes_them() {
        let zone = TimeZone::get("Europe/Vienna").unwrap_or(TimeZone::UTC);
        // 2026-03-01T23:30:00Z is the second of March in Vienna.
        let at = Timestamp(1_772_407_800);
        assert_eq!(
            both(|language| time(language, at, &zone)),
            ["02.03.2026 00:30", "2 Mar 2026, 00:30"]
        );
        assert_eq!(
            both(|language| date(language, at, &zone)),
            ["02.03.2026", "2 Mar 2026"]
        );
    }

    #[test]
    fn a_distinguished_name_is_known_by_its_common_name() {
        for (name, common) in [
            ("CN=Issuing CA,O=Example", "Issuing CA"),
            ("O=Example, CN=Issuing CA", "Issuing CA"),
            (r"CN=Example\, Inc.,C=AT", r"Example\, Inc."),
            ("O=Example,C=AT", "O=Example,C=AT"),
            ("CN=,O=Example", "CN=,O=Example"),
            ("", ""),
        ] {
            assert_eq!(common_name(name), common);
        }
    }

    #[test]
    fn numbers_in_texts_have_groups_too() {
        let values = || Values::new().with("count", 12_345);
        let texts = both(|language| text(language, "in-days", &values()));
        assert_eq!(texts, ["in 12.345 Tagen", "in 12,345 days"]);
    }

    #[test]
    fn both_catalogues_can_be_read() {
        for source in [DE, EN] {
            assert!(FluentResource::try_new(source.to_owned()).is_ok());
        }
    }
}
