//! The switches of an organisation: their names, their values in words, their defaults.

use sealgate_mail::Timestamp;
use sealgate_smime::algorithms::Switches;
use serde::{Deserialize, Serialize};

/// Language of reports to an organisation's users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// German.
    De,
    /// English.
    #[default]
    En,
}

impl Language {
    /// The word of configuration and lists (ISO 639-1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::De => "de",
            Self::En => "en",
        }
    }
}

/// Switches of an organisation. What was stored before a switch existed has its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// A3: if one recipient of an outbound mail is refused, all are.
    pub all_or_nothing: bool,
    /// Language of reports.
    pub language: Language,
    /// Whether Triple DES and SHA-1 are read.
    pub legacy: bool,
    /// Whether keys on Brainpool curves are read.
    pub brainpool: bool,
    /// What an unanswered question about revocation means.
    pub revocation: RevocationMode,
    /// Whether Mozilla's roots for e-mail are trusted beside the organisation's own.
    pub public_roots: bool,
    /// Whether remote content is taken out of decrypted HTML that no valid signature inside vouches for (row C1).
    pub neutralise: bool,
    /// Whether what was found is told in the Subject; forged tags are removed then (rows G1 and G2).
    pub subject_tags: bool,
    /// Whether header fields of outgoing mail are protected (RFC 9788).
    pub header_protection: bool,
    /// Whether the local part of an address counts in its case: then a certificate for `Alice@` is none for `alice@` (row X5).
    pub exact_local_parts: bool,
    /// Whether uploaded certificates are followed by those of the standard authority when they end (A11).
    pub replace_uploaded: bool,
    /// What is done with outgoing calendar mail where a rule signs or encrypts.
    pub calendar: Special,
    /// The same for mail in Microsoft's TNEF form (winmail.dat).
    pub tnef: Special,
    /// Whether correspondents' keys are looked for in DNS.
    pub smimea: Smimea,
    /// Whether outgoing mail is signed by the DKIM key of its domain, after S/MIME.
    pub dkim: bool,
    /// How many days the journal is kept.
    pub journal_days: JournalDays,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            all_or_nothing: false,
            language: Language::default(),
            legacy: false,
            brainpool: false,
            revocation: RevocationMode::default(),
            public_roots: true,
            neutralise: true,
            subject_tags: false,
            header_protection: false,
            exact_local_parts: false,
            replace_uploaded: false,
            calendar: Special::default(),
            tnef: Special::default(),
            smimea: Smimea::default(),
            dkim: false,
            journal_days: JournalDays::default(),
        }
    }
}

impl Settings {
    /// The algorithms that are read beyond the accepted ones at `at`, when the mail came.
    pub const fn switches(&self, at: Timestamp) -> Switches {
        Switches {
            legacy: self.legacy,
            brainpool: self.brainpool,
            at,
        }
    }

    /// Every switch by its name in files and commands, with its value in words.
    pub const fn words(&self) -> [(&'static str, &'static str); 16] {
        [
            ("all-or-nothing", on_off(self.all_or_nothing)),
            ("language", self.language.as_str()),
            ("legacy", on_off(self.legacy)),
            ("brainpool", on_off(self.brainpool)),
            ("revocation", self.revocation.as_str()),
            ("public-roots", on_off(self.public_roots)),
            ("neutralise", on_off(self.neutralise)),
            ("subject-tags", on_off(self.subject_tags)),
            ("header-protection", on_off(self.header_protection)),
            ("exact-local-parts", on_off(self.exact_local_parts)),
            ("replace-uploaded", on_off(self.replace_uploaded)),
            ("calendar", self.calendar.as_str()),
            ("tnef", self.tnef.as_str()),
            ("smimea", self.smimea.as_str()),
            ("dkim", on_off(self.dkim)),
            ("journal-days", self.journal_days.as_str()),
        ]
    }

    /// These switches, with those that differ between `before` and `after` as in `after`.
    pub fn with_difference(self, before: &Self, after: &Self) -> Self {
        let Self {
            all_or_nothing,
            language,
            legacy,
            brainpool,
            revocation,
            public_roots,
            neutralise,
            subject_tags,
            header_protection,
            exact_local_parts,
            replace_uploaded,
            calendar,
            tnef,
            smimea,
            dkim,
            journal_days,
        } = self;
        Self {
            all_or_nothing: changed(all_or_nothing, before.all_or_nothing, after.all_or_nothing),
            language: changed(language, before.language, after.language),
            legacy: changed(legacy, before.legacy, after.legacy),
            brainpool: changed(brainpool, before.brainpool, after.brainpool),
            revocation: changed(revocation, before.revocation, after.revocation),
            public_roots: changed(public_roots, before.public_roots, after.public_roots),
            neutralise: changed(neutralise, before.neutralise, after.neutralise),
            subject_tags: changed(subject_tags, before.subject_tags, after.subject_tags),
            header_protection: changed(
                header_protection,
                before.header_protection,
                after.header_protection,
            ),
            exact_local_parts: changed(
                exact_local_parts,
                before.exact_local_parts,
                after.exact_local_parts,
            ),
            replace_uploaded: changed(
                replace_uploaded,
                before.replace_uploaded,
                after.replace_uploaded,
            ),
            calendar: changed(calendar, before.calendar, after.calendar),
            tnef: changed(tnef, before.tnef, after.tnef),
            smimea: changed(smimea, before.smimea, after.smimea),
            dkim: changed(dkim, before.dkim, after.dkim),
            journal_days: changed(journal_days, before.journal_days, after.journal_days),
        }
    }

    /// The switches that differ from `before`, in words: `legacy on, tnef leave`.
    pub fn changed_since(&self, before: &Self) -> String {
        let pairs = self.words().into_iter().zip(before.words());
        let changed: Vec<String> = pairs
            .filter(|(now, then)| now != then)
            .map(|((name, value), _)| format!("{name} {value}"))
            .collect();
        changed.join(", ")
    }
}

/// What a switch is after a change from `before` to `after`, if it was `stored`.
fn changed<T: PartialEq>(stored: T, before: T, after: T) -> T {
    if before == after { stored } else { after }
}

const fn on_off(value: bool) -> &'static str {
    if value { "on" } else { "off" }
}

/// What an unanswered question about revocation means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationMode {
    /// The verdict is `revocation-unknown`; the mail is delivered and the question asked again.
    #[default]
    Soft,
    /// An answer is required: without one the signature counts as `untrusted`, and keys are not used.
    Hard,
}

impl RevocationMode {
    /// The word of configuration and lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Soft => "soft",
            Self::Hard => "hard",
        }
    }
}

/// What is done with mail of a kind that some programs cannot handle once it is signed or encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Special {
    /// Like all mail.
    #[default]
    LikeAll,
    /// Signed, never encrypted; where a rule enforces encryption, it is encrypted all the same.
    SignOnly,
    /// Left as it is; where a rule enforces something, it is done all the same.
    Leave,
}

impl Special {
    /// The word of configuration and lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LikeAll => "like-all",
            Self::SignOnly => "sign-only",
            Self::Leave => "leave",
        }
    }
}

/// Whether correspondents' keys are looked for in DNS (RFC 8162), and what such a key must have to be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Smimea {
    /// Nobody is asked.
    #[default]
    Off,
    /// DNSSEC and a path to a trust root of the organisation.
    WithPath,
    /// DNSSEC alone is enough for a certificate of usage 3, so that a domain may vouch for its own.
    DnssecAlone,
}

impl Smimea {
    /// The word of configuration and lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::WithPath => "with-path",
            Self::DnssecAlone => "dnssec-alone",
        }
    }
}

/// How many days the journal is kept. Mail that is still queued or held stays in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum JournalDays {
    /// A week.
    #[serde(rename = "7")]
    Week,
    /// Two weeks.
    #[serde(rename = "14")]
    TwoWeeks,
    /// A month.
    #[serde(rename = "30")]
    Month,
    /// Three months.
    #[default]
    #[serde(rename = "90")]
    Quarter,
    /// Half a year.
    #[serde(rename = "180")]
    HalfYear,
    /// A year.
    #[serde(rename = "365")]
    Year,
    /// Two years.
    #[serde(rename = "730")]
    TwoYears,
}

impl JournalDays {
    /// The number of days, as lists and configuration write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Week => "7",
            Self::TwoWeeks => "14",
            Self::Month => "30",
            Self::Quarter => "90",
            Self::HalfYear => "180",
            Self::Year => "365",
            Self::TwoYears => "730",
        }
    }

    /// The same in seconds.
    pub const fn seconds(self) -> i64 {
        let days = match self {
            Self::Week => 7,
            Self::TwoWeeks => 14,
            Self::Month => 30,
            Self::Quarter => 90,
            Self::HalfYear => 180,
            Self::Year => 365,
            Self::TwoYears => 730,
        };
        days * 86_400
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changed_switches_are_named() {
        let before = Settings::default();
        let after = Settings {
            legacy: true,
            public_roots: false,
            revocation: RevocationMode::Hard,
            tnef: Special::SignOnly,
            language: Language::De,
            ..before
        };
        assert_eq!(
            after.changed_since(&before),
            "language de, legacy on, revocation hard, public-roots off, tnef sign-only"
        );
        assert_eq!(before.changed_since(&before), "");
    }

    #[test]
    fn a_change_leaves_what_it_does_not_name() {
        let before = Settings::default();
        let after = Settings {
            legacy: true,
            ..before
        };
        let stored = Settings {
            subject_tags: true,
            tnef: Special::Leave,
            ..before
        };
        let expected = Settings {
            legacy: true,
            ..stored
        };
        assert_eq!(stored.with_difference(&before, &after), expected);
        assert_eq!(stored.with_difference(&after, &after), stored);
        assert_eq!(before.with_difference(&before, &stored), stored);
    }
}
