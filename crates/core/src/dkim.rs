//! DKIM keys of domains: kinds, selectors, the life of a key, and the record that publishes it (RFC 6376, RFC 8463).
//!
//! A key signs only while it is active, and it becomes active when its record has been seen in DNS:
//!
//! | state | its record is seen | another key of its kind becomes active | seven days pass |
//! |---|---|---|---|
//! | new | active | new | new |
//! | active | active | retired | active |
//! | retired | retired | retired | gone |
//!
//! An administrator may remove a key in any state.

use std::fmt;

use sealgate_mail::encoding::Base64Writer;
use sealgate_mail::{Domain, Timestamp};
use serde::{Deserialize, Serialize};

use crate::limits::{DKIM_RETIRED_TIME, SELECTOR_OCTETS};
use crate::saying::Domains as Said;

/// Number of a DKIM key in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DkimKeyId(pub i64);

/// What key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DkimKeyKind {
    /// RSA with 2,048 bits: every verifier knows it, and its record fits into one DNS answer (RFC 8301 section 3.2).
    #[serde(rename = "rsa-2048")]
    Rsa2048,
    /// Ed25519 (RFC 8463): beside RSA, since not every verifier knows it.
    Ed25519,
}

impl DkimKeyKind {
    /// The word of commands and lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa-2048",
            Self::Ed25519 => "ed25519",
        }
    }

    /// `a=` of its signatures (RFC 6376 section 3.3, RFC 8463 section 3).
    pub const fn algorithm(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa-sha256",
            Self::Ed25519 => "ed25519-sha256",
        }
    }

    /// `k=` of its record (RFC 6376 section 3.6.1, RFC 8463 section 4).
    pub const fn record_word(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }

    /// `p=` of its record, in base64, of its SubjectPublicKeyInfo in DER.
    pub fn public(self, spki: &[u8]) -> String {
        match self {
            Self::Rsa2048 => base64(spki),
            // RFC 8463 section 4: the bare 32 octets, which stand at the end of the structure (RFC 8410 section 4).
            Self::Ed25519 => base64(
                spki.get(spki.len().saturating_sub(32)..)
                    .unwrap_or_default(),
            ),
        }
    }
}

impl fmt::Display for DkimKeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Base64 in one line.
fn base64(octets: &[u8]) -> String {
    use std::io::Write;
    let mut writer = Base64Writer::new(Vec::new());
    let lines = writer
        .write_all(octets)
        .and_then(|()| writer.finish_open())
        .unwrap_or_default();
    let shown = lines.iter().filter(|octet| octet.is_ascii_graphic());
    shown.map(|octet| char::from(*octet)).collect()
}

/// The name of a key below its domain: labels of letters, digits and hyphens, lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Selector(String);

/// Text that is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no selector: write labels of letters, digits and hyphens with dots between them, at most {SELECTOR_OCTETS} characters"
)]
pub struct NotASelector(pub(crate) String);

/// What selectors made here begin with.
const SELECTOR_BEGINNING: &str = "sealgate";

impl Selector {
    /// Reads `text`, in any case.
    pub fn parse(text: &str) -> Result<Self, NotASelector> {
        // RFC 6376 section 3.1: selector = sub-domain *( "." sub-domain ); RFC 5321 section 4.1.2: sub-domain.
        let is_label = |label: &str| {
            let inner = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
            (1..=63).contains(&label.len())
                && label.bytes().all(inner)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if text.len() > SELECTOR_OCTETS || !text.split('.').all(is_label) {
            return Err(NotASelector(text.chars().take(SELECTOR_OCTETS).collect()));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// A selector that none of `taken` is: a name with the next number.
    pub fn next<'t>(taken: impl IntoIterator<Item = &'t Self>) -> Self {
        let number = |selector: &Self| selector.0.strip_prefix(SELECTOR_BEGINNING)?.parse().ok();
        let highest: u32 = taken.into_iter().filter_map(number).max().unwrap_or(0);
        Self(format!("{SELECTOR_BEGINNING}{}", highest.saturating_add(1)))
    }

    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Selector {
    type Error = NotASelector;
    fn try_from(text: String) -> Result<Self, NotASelector> {
        Self::parse(&text)
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> Self {
        selector.0
    }
}

/// Where a key stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DkimKeyState {
    /// Made; its record has not been seen in DNS.
    New,
    /// It signs.
    Active,
    /// Another key signs instead; its record must stay in DNS for the mail that is still under way.
    Retired,
}

/// What happens to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DkimKeyEvent {
    /// Its record was seen in DNS, or an administrator says that it is there.
    Seen,
    /// Another key of its kind became active.
    Succeeded,
    /// It has been in its state for [`DKIM_RETIRED_TIME`].
    Aged,
}

impl DkimKeyState {
    /// The word of commands and lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }

    /// The next state; `None`: the key is gone.
    pub const fn after(self, event: DkimKeyEvent) -> Option<Self> {
        use DkimKeyEvent as E;
        match (self, event) {
            (Self::New, E::Seen) => Some(Self::Active),
            (Self::New, E::Succeeded | E::Aged) => Some(Self::New),
            (Self::Active, E::Seen | E::Aged) => Some(Self::Active),
            (Self::Active, E::Succeeded) => Some(Self::Retired),
            (Self::Retired, E::Seen | E::Succeeded) => Some(Self::Retired),
            (Self::Retired, E::Aged) => None,
        }
    }
}

/// The public side of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DkimKey {
    /// Its number.
    pub id: DkimKeyId,
    /// Whose mail it signs.
    pub domain: Domain,
    /// Its name below the domain.
    pub selector: Selector,
    /// What key it is.
    pub kind: DkimKeyKind,
    /// Where it stands in its life.
    pub state: DkimKeyState,
    /// Since when.
    pub since: Timestamp,
    /// `p=` of its record.
    pub public: String,
}

/// Longest string of a TXT record, in octets (RFC 1035 section 3.3).
const STRING_OCTETS: usize = 255;

impl DkimKey {
    /// The name of its record, without a dot at its end (RFC 6376 section 3.6.2.1).
    pub fn record_name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }

    /// The value of its record (RFC 6376 section 3.6.1).
    pub fn record(&self) -> String {
        format!("v=DKIM1; k={}; p={}", self.kind.record_word(), self.public)
    }

    /// Its record as one line of a zone file: the value in strings that fit (RFC 1035 sections 3.3 and 5.1).
    pub fn zone_line(&self) -> String {
        let record = self.record();
        let strings: Vec<String> = record
            .as_bytes()
            .chunks(STRING_OCTETS)
            .map(|string| format!("\"{}\"", String::from_utf8_lossy(string)))
            .collect();
        format!("{}. IN TXT ( {} )", self.record_name(), strings.join(" "))
    }

    /// When a retired key is removed.
    pub fn gone_at(&self) -> Option<Timestamp> {
        let gone = Timestamp(self.since.0.saturating_add(DKIM_RETIRED_TIME));
        (self.state == DkimKeyState::Retired).then_some(gone)
    }

    /// What DNS says of it, by the TXT records of its name, each with its strings joined.
    pub fn published(&self, records: &[String]) -> Published {
        // RFC 6376 section 3.6.2.2: with several records at one name the result is undefined.
        let [record] = records else {
            return match records.len() {
                0 => Published::Missing,
                count => Published::Wrong(Said::ManyRecords { count }),
            };
        };
        match self.fault(record) {
            Some(fault) => Published::Wrong(fault),
            None => Published::Seen,
        }
    }

    /// Why a verifier would not take this key from `record` (RFC 6376 section 3.6.1).
    fn fault(&self, record: &str) -> Option<Said> {
        let tag = |name: &str| tag(record, name);
        let listed = |name: &str, wanted: &[&str]| {
            tag(name).is_none_or(|list| list.split(':').any(|one| wanted.contains(&one.trim())))
        };
        let public: String = tag("p")
            .unwrap_or_default()
            .split_ascii_whitespace()
            .collect();
        match () {
            () if !is_tag_list(record) => Some(Said::NoTags {}),
            () if tag("v").is_some_and(|version| version != "DKIM1") => Some(Said::OtherVersion {}),
            // RFC 6376 section 3.6.1: where it stands, it stands first.
            () if tag("v").is_some() && !record.trim_start().starts_with('v') => {
                Some(Said::VersionNotFirst {})
            }
            () if tag("p").is_none() => Some(Said::NoKey {}),
            () if public.is_empty() => Some(Said::Withdrawn {}),
            () if tag("k").unwrap_or("rsa") != self.kind.record_word() => Some(Said::OtherKind {
                kind: self.kind.record_word().to_owned(),
            }),
            () if public != self.public => Some(Said::OtherKey {}),
            () if !listed("h", &["sha256"]) => Some(Said::NoSha256 {}),
            () if !listed("s", &["*", "email"]) => Some(Said::NotForMail {}),
            () => None,
        }
    }
}

/// Whether it is a tag list: verifiers do not read one with a tag twice or without a value (RFC 6376 section 3.2).
fn is_tag_list(record: &str) -> bool {
    let pairs: Vec<&str> = record
        .strip_suffix(';')
        .unwrap_or(record)
        .split(';')
        .collect();
    let mut names: Vec<&str> = pairs
        .iter()
        .filter_map(|pair| Some(pair.split_once('=')?.0.trim()))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.len() == pairs.len() && !names.contains(&"")
}

/// The value of a tag of a tag list (RFC 6376 section 3.2).
fn tag<'r>(record: &'r str, name: &str) -> Option<&'r str> {
    let pairs = record.split(';').filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(tag, _)| tag.trim() == name);
    found.next().map(|(_, value)| value.trim())
}

/// What DNS says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// Its record is there and right.
    Seen,
    /// There is no such record.
    Missing,
    /// There is another record; why it is not right.
    Wrong(Said),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: DkimKeyKind) -> DkimKey {
        DkimKey {
            id: DkimKeyId(1),
            domain: Domain::parse("example.com").unwrap(),
            selector: Selector::parse("S1").unwrap(),
            kind,
            state: DkimKeyState::New,
            since: Timestamp(1_000),
            public: "QUJD".into(),
        }
    }

    #[test]
    fn every_state_after_every_event() {
        use DkimKeyEvent::{Aged, Seen, Succeeded};
        use DkimKeyState::{Active, New, Retired};
        let table = [
            (New, Seen, Some(Active)),
            (New, Succeeded, Some(New)),
            (New, Aged, Some(New)),
            (Active, Seen, Some(Active)),
            (Active, Succeeded, Some(Retired)),
            (Active, Aged, Some(Active)),
            (Retired, Seen, Some(Retired)),
            (Retired, Succeeded, Some(Retired)),
            (Retired, Aged, None),
        ];
        for (state, event, next) in table {
            assert_eq!(state.after(event), next, "{state:?} {event:?}");
        }
    }

    #[test]
    fn selectors() {
        for (text, good) in [
            ("s1", true),
            ("Mail.2026-01", true),
            ("a", true),
            ("", false),
            ("a..b", false),
            (".a", false),
            ("a.", false),
            ("-a", false),
            ("a-", false),
            ("a b", false),
            ("a_b", false),
            ("a;p=x", false),
            ("ä", false),
        ] {
            assert_eq!(Selector::parse(text).is_ok(), good, "{text}");
        }
        assert!(Selector::parse(&"a".repeat(63)).is_ok());
        assert!(Selector::parse(&"a".repeat(64)).is_err());
        let taken = |names: &[&str]| {
            let taken: Vec<_> = names.iter().map(|n| Selector::parse(n).unwrap()).collect();
            Selector::next(&taken).to_string()
        };
        assert_eq!(taken(&[]), "sealgate1");
        assert_eq!(taken(&["mail", "sealgatex"]), "sealgate1");
        assert_eq!(
            taken(&["sealgate9", "sealgate10", "sealgate2"]),
            "sealgate11"
        );
    }

    #[test]
    fn records_fit_into_strings() {
        let mut key = key(DkimKeyKind::Rsa2048);
        assert_eq!(key.record_name(), "s1._domainkey.example.com");
        assert_eq!(key.record(), "v=DKIM1; k=rsa; p=QUJD");
        assert_eq!(
            key.zone_line(),
            "s1._domainkey.example.com. IN TXT ( \"v=DKIM1; k=rsa; p=QUJD\" )"
        );
        key.public = "A".repeat(392);
        let line = key.zone_line();
        let strings: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
        assert!(strings.iter().all(|string| string.len() <= 255));
        assert_eq!(strings.concat(), key.record());
    }

    #[test]
    fn public_halves() {
        let spki: Vec<u8> = (0..44).collect();
        assert_eq!(
            DkimKeyKind::Ed25519.public(&spki),
            "DA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis="
        );
        // 294 octets, as RSA with 2,048 bits has: one line all the same.
        let public = DkimKeyKind::Rsa2048.public(&[7; 294]);
        assert_eq!(public.len(), 392);
        assert!(public.bytes().all(|octet| octet.is_ascii_graphic()));
    }

    #[test]
    fn published_records() {
        let good = [
            "v=DKIM1; k=rsa; p=QUJD",
            "v=DKIM1;p=QUJD",
            "p=QU JD",
            "v=DKIM1; h=sha1:sha256; s=email; t=y; n=note; p=QUJD;",
        ];
        let key = key(DkimKeyKind::Rsa2048);
        for record in good {
            let found = key.published(&[record.to_owned()]);
            assert_eq!(found, Published::Seen, "{record}");
        }
        let wrong = [
            ("v=DKIM2; p=QUJD", "v="),
            ("v=DKIM1; k=rsa", "no p="),
            ("v=DKIM1; p=", "withdrawn"),
            ("v=DKIM1; k=ed25519; p=QUJD", "k="),
            ("v=DKIM1; p=QUJE", "another key"),
            ("h=sha1; p=QUJD", "h="),
            ("s=tlsrpt; p=QUJD", "s="),
            ("v=spf1 -all", "v="),
            ("v=DKIM1; p=QUJD; p=QUJD", "no list"),
            ("v=DKIM1; k=rsa; k=ed25519; p=QUJD", "no list"),
            ("v=DKIM1; rsa; p=QUJD", "no list"),
            ("v=DKIM1; =rsa; p=QUJD", "no list"),
            ("k=rsa; v=DKIM1; p=QUJD", "first"),
        ];
        for (record, fault) in wrong {
            let found = key.published(&[record.to_owned()]);
            let Published::Wrong(text) = found else {
                panic!("{record}: {found:?}");
            };
            assert!(text.to_string().contains(fault), "{record}: {text}");
        }
        assert_eq!(key.published(&[]), Published::Missing);
        let twice = [key.record(), key.record()];
        assert!(matches!(key.published(&twice), Published::Wrong(_)));
    }

    #[test]
    fn only_retired_keys_go() {
        let mut key = key(DkimKeyKind::Ed25519);
        assert_eq!(key.gone_at(), None);
        key.state = DkimKeyState::Retired;
        assert_eq!(key.gone_at(), Some(Timestamp(1_000 + 7 * 86_400)));
    }
}
