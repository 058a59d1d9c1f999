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
    let resource = FluentResource::try_new(source.to_owned());
    // What does not parse is found by the tests; the rest of the catalogue is there.
    let resource = resource.unwrap_or_else(|(rest, _)| rest);
    bundle.add_resource_overriding(resource);
    bundle
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
