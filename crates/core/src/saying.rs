//! Told sentences: what stands in events, in the audit log and in refusals, as a key with its values, and its words in English
//! and German.
//!
//! One enum for each topic; its variants are the keys, their fields the values, and beside each stand both texts. A text that
//! leaves out a value, or names one that is not there, does not compile.

use std::fmt;

use sealgate_mail::Timestamp;
use sealgate_mail::visible::is_hidden;
use serde::{Deserialize, Serialize};

use crate::harvest::Choice;
use crate::permission::Role;
use crate::rules::{InboundMode, OutboundMode};
use crate::tenant::{CorrespondentState, Language};
use crate::terms;

/// Makes the enum of a topic, each variant with its English and its German text.
macro_rules! sayings {
    ($(#[$doc:meta])* $name:ident {
        $($variant:ident { $($field:ident: $kind:ty),* } = $en:literal, $de:literal;)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $(#[doc = $en] $variant { $(#[doc = "A value of the text."] $field: $kind),* },)*
        }

        impl $name {
            /// Every text, English and German.
            pub const TEXTS: &[(&str, &str)] = &[$(($en, $de)),*];
        }

        impl $crate::saying::Told for $name {
            fn told(&self, language: $crate::tenant::Language) -> String {
                use $crate::tenant::Language::{De, En};
                match (self, language) {
                    $(
                        (Self::$variant { $($field),* }, En) => {
                            format!($en $(, $field = $crate::saying::within($en, stringify!($field), $field.told(En)))*)
                        }
                        (Self::$variant { $($field),* }, De) => {
                            format!($de $(, $field = $crate::saying::within($de, stringify!($field), $field.told(De)))*)
                        }
                    )*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::saying::Told::told(self, $crate::tenant::Language::En))
            }
        }

        impl From<$name> for $crate::saying::Saying {
            fn from(one: $name) -> Self {
                Self::$name(one)
            }
        }

        impl From<$name> for Box<$crate::saying::Saying> {
            fn from(one: $name) -> Self {
                Box::new(one.into())
            }
        }
    };
}

mod accounts;
mod authorities;
mod certificates;
mod changes;
mod domains;
mod inputs;
mod keys;
mod operation;
mod refusals;
mod servers;

pub use accounts::Accounts;
pub use authorities::Authorities;
pub use certificates::Certificates;
pub use changes::Changes;
pub use domains::Domains;
pub use inputs::Inputs;
pub use keys::Keys;
pub use operation::Operation;
pub use refusals::Refusals;
pub use servers::Servers;

/// What has words in each language.
pub trait Told {
    /// Its words.
    fn told(&self, language: Language) -> String;
}

/// A value as it stands in `text`. Where that quotes it, it is foreign: it cannot end its quotation and go on in our words, hide
/// letters or turn the direction of writing.
fn within(text: &str, field: &str, told: String) -> String {
    let quotes = |open: char, close: char| text.contains(&format!("{open}{{{field}}}{close}"));
    if !quotes('"', '"') && !quotes('„', '“') {
        return told;
    }
    let tame = |c: char| match c {
        '"' | '„' | '“' | '”' | '‟' => '\'',
        hidden if is_hidden(hidden) => ' ',
        other => other,
    };
    told.chars().map(tame).collect()
}

/// Makes the told sentence of all topics.
macro_rules! topics {
    ($(#[doc = $doc:literal] $topic:ident;)*) => {
        /// A told sentence. `Display` is its English.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Saying {
            /// Words as they are, in whatever language: what a foreign server said, what an administrator wrote.
            Words(String),
            $(#[doc = $doc] $topic($topic),)*
        }

        impl Told for Saying {
            fn told(&self, language: Language) -> String {
                match self {
                    Self::Words(words) => words.clone(),
                    $(Self::$topic(one) => one.told(language),)*
                }
            }
        }

        impl Saying {
            /// Every text there is, English and German.
            pub fn texts() -> impl Iterator<Item = (&'static str, &'static str)> {
                [$($topic::TEXTS),*].into_iter().flatten().copied()
            }
        }
    };
}

topics! {
    /// About users, invitations, API tokens and resellers.
    Accounts;
    /// A change of an organisation's configuration.
    Changes;
    /// About certificates of mailboxes, their orders and revocations.
    Certificates;
    /// Why an authority did not do what it was asked.
    Authorities;
    /// About prerequisites of domains, and about records of DKIM keys.
    Domains;
    /// About other servers: their names in DNS, connections to them, and why they did not take mail.
    Servers;
    /// About correspondents' public keys and the keys of key rings.
    Keys;
    /// About mail, webhooks, DKIM keys and the installation.
    Operation;
    /// Why something that was asked for is not done.
    Refusals;
    /// Why a value that was given cannot be taken.
    Inputs;
}

impl fmt::Display for Saying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(Language::En))
    }
}

impl Saying {
    /// Words of others, or of an administrator, as they are.
    pub fn words(words: impl Into<String>) -> Self {
        Self::Words(words.into())
    }
}

/// Names in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Names {
    /// All of them.
    All(Vec<String>),
    /// Any of them.
    Any(Vec<String>),
}

impl Told for Names {
    fn told(&self, language: Language) -> String {
        let (names, word) = match (self, language) {
            (Self::All(names), Language::En) => (names, "and"),
            (Self::All(names), Language::De) => (names, "und"),
            (Self::Any(names), Language::En) => (names, "or"),
            (Self::Any(names), Language::De) => (names, "oder"),
        };
        match names.split_last() {
            None => String::new(),
            Some((only, [])) => only.clone(),
            Some((last, others)) => format!("{} {word} {last}", others.join(", ")),
        }
    }
}

impl Told for String {
    fn told(&self, _: Language) -> String {
        self.clone()
    }
}

impl Told for i64 {
    fn told(&self, _: Language) -> String {
        self.to_string()
    }
}

impl Told for usize {
    fn told(&self, _: Language) -> String {
        self.to_string()
    }
}

/// English: as a script reads it. German: day, month, year, hour and minute in UTC.
impl Told for Timestamp {
    fn told(&self, language: Language) -> String {
        let written = self.rfc3339();
        let parts = (written.get(..10), written.get(11..16));
        match (language, parts) {
            (Language::De, (Some(day), Some(time))) => {
                let day: Vec<_> = day.rsplit('-').collect();
                format!("{}, {time} Uhr (UTC)", day.join("."))
            }
            _ => written,
        }
    }
}

impl Told for Box<Saying> {
    fn told(&self, language: Language) -> String {
        self.as_ref().told(language)
    }
}

impl Told for Vec<Saying> {
    fn told(&self, language: Language) -> String {
        let all: Vec<_> = self.iter().map(|one| one.told(language)).collect();
        all.join(", ")
    }
}

impl Told for Role {
    fn told(&self, language: Language) -> String {
        match (self, language) {
            (Self::Read, Language::De) => "Lesen",
            (Self::Write, Language::De) => "Schreiben",
            (Self::Admin, Language::De) => "Verwalten",
            (_, Language::En) => self.as_str(),
        }
        .to_owned()
    }
}

impl Told for Option<InboundMode> {
    fn told(&self, language: Language) -> String {
        match language {
            Language::De => terms::inbound_mode(*self, language),
            Language::En => self.map_or("not defined", InboundMode::as_str),
        }
        .to_owned()
    }
}

impl Told for Option<OutboundMode> {
    fn told(&self, language: Language) -> String {
        match language {
            Language::De => terms::outbound_mode(*self, language),
            Language::En => self.map_or("not defined", OutboundMode::as_str),
        }
        .to_owned()
    }
}

impl Told for CorrespondentState {
    fn told(&self, language: Language) -> String {
        match (self, language) {
            (Self::Preferred, Language::En) => "preferred",
            (Self::Preferred, Language::De) => "bevorzugt",
            (Self::Additional, Language::En) => "additional",
            (Self::Additional, Language::De) => "weiterer",
            (Self::New, Language::En) => "new",
            (Self::New, Language::De) => "neu",
            (Self::Pending, Language::En) => "pending",
            (Self::Pending, Language::De) => "wartet",
            (Self::Blocked, Language::En) => "blocked",
            (Self::Blocked, Language::De) => "gesperrt",
        }
        .to_owned()
    }
}

impl Told for Choice {
    fn told(&self, language: Language) -> String {
        match (self, language) {
            (Self::Approve, Language::En) => "approve",
            (Self::Approve, Language::De) => "Zustimmen",
            (Self::Prefer, Language::En) => "prefer",
            (Self::Prefer, Language::De) => "Bevorzugen",
            (Self::Pin, Language::En) => "pin",
            (Self::Pin, Language::De) => "Anheften",
            (Self::Unpin, Language::En) => "unpin",
            (Self::Unpin, Language::De) => "Anheften aufheben",
            (Self::Block, Language::En) => "block",
            (Self::Block, Language::De) => "Sperren",
            (Self::Unblock, Language::En) => "unblock",
            (Self::Unblock, Language::De) => "Entsperren",
        }
        .to_owned()
    }
}

#[cfg(test)]
mod tests;
