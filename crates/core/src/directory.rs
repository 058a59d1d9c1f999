//! Sources of correspondents' keys beside the own store: directories (LDAP) and DNS (SMIMEA). Which of their certificates
//! count, how long an answer is kept, and what a directory's address may be.
//!
//! A source is never believed: what it has is judged like a harvested certificate (A19, row X9), is only added, and is asked
//! for only when no usable key is known.

use std::fmt;
use std::str::FromStr;

use sealgate_mail::{Address, Domain, Timestamp};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::path::{PathFinder, Purpose, TrustAnchors, VerifiedPath};
use sealgate_smime::revocation::{self, Evidence, Status};
use serde::{Deserialize, Serialize};

use crate::harvest::{self, Harvested};
use crate::limits::{
    SOURCE_KEPT, SOURCE_KEPT_LEAST, SOURCE_KEYS, SOURCE_NOTHING, SOURCE_PAUSE, SOURCE_REASON_CHARS,
    SOURCE_SILENT,
};
use crate::queue::Reach;
use crate::tenant::{CorrespondentKey, CorrespondentState, Smimea};

/// The attributes that hold certificates of people (RFC 4523 section 4.1, RFC 2798 section 2.8). OpenLDAP knows the last only
/// without the option that its standard asks for.
pub const ATTRIBUTES: [&str; 3] = [
    "userCertificate;binary",
    "userSMIMECertificate;binary",
    "userSMIMECertificate",
];

/// A directory of an organisation, as an administrator described it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Its name, unique in the organisation.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// How the connection is protected.
    pub protection: Protection,
    /// Who asks; nobody in particular if absent.
    pub bind: Option<Bind>,
    /// The entry below which is searched.
    pub base: String,
    /// The domains it is asked for; all if empty.
    pub domains: Vec<Domain>,
    /// The attributes that hold certificates.
    pub attributes: Vec<String>,
    /// Roots trusted for its own TLS certificate beside the public ones, in PEM form.
    pub roots: Option<String>,
    /// Which addresses it may have; judged each time a connection is made.
    #[serde(default)]
    pub reach: Reach,
}

impl Directory {
    /// Whether it is asked for keys of `address`.
    pub fn is_for(&self, address: &Address) -> bool {
        self.domains.is_empty() || self.domains.contains(address.domain())
    }

    /// Its name in traces, answers and events.
    pub fn label(&self) -> String {
        format!("directory {}", self.name)
    }
}

/// The name of DNS among the sources; none if it is not asked. What was found under one switch does not count under another.
pub const fn dns_label(switch: Smimea) -> Option<&'static str> {
    match switch {
        Smimea::Off => None,
        Smimea::WithPath => Some("DNS (SMIMEA)"),
        Smimea::DnssecAlone => Some("DNS (SMIMEA, DNSSEC alone)"),
    }
}

/// How a connection to a directory is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// Not at all.
    None,
    /// TLS from the first octet (`ldaps`).
    Tls,
    /// TLS by StartTLS (RFC 4511 section 4.14).
    StartTls,
}

/// Who asks a directory.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    /// Distinguished name.
    pub dn: String,
    /// Password; never empty, which would be no authentication at all (RFC 4513 section 5.1.2).
    pub password: String,
}

impl fmt::Debug for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bind({}, ...)", self.dn)
    }
}

/// Host and port of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Place {
    /// Whether it is this machine by its very address.
    pub fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self
                .host
                .parse()
                .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    }
}

/// An LDAP URL: `ldap://host:port` or `ldaps://host:port`, perhaps with the base behind it (RFC 4516).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryUrl {
    /// Whether it is `ldaps`.
    pub tls: bool,
    /// Host and port; 389 and 636 if none is given.
    pub place: Place,
    /// The base, if one is given.
    pub base: Option<String>,
}

/// Why a URL of a directory was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write it as ldap://host:port or ldaps://host:port, and the base with --base: {0}")]
pub struct NotADirectory(&'static str);

impl FromStr for DirectoryUrl {
    type Err = NotADirectory;

    fn from_str(text: &str) -> Result<Self, NotADirectory> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or(NotADirectory("there is no scheme"))?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "ldap" => false,
            "ldaps" => true,
            _ => return Err(NotADirectory("the scheme is neither ldap nor ldaps")),
        };
        let (authority, base) = match rest.split_once('/') {
            Some((authority, base)) => (authority, base),
            None => (rest, ""),
        };
        if base.contains('?') {
            return Err(NotADirectory("attributes, scope and filter are not taken"));
        }
        let base = unescaped(base).ok_or(NotADirectory("the base is not well escaped"))?;
        Ok(Self {
            tls,
            place: place(authority, if tls { 636 } else { 389 })?,
            base: (!base.is_empty()).then_some(base),
        })
    }
}

fn place(authority: &str, usual: u16) -> Result<Place, NotADirectory> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest
            .split_once(']')
            .map(|(host, port)| (host, port.strip_prefix(':')))
            .ok_or(NotADirectory("a bracket is not closed"))?,
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
    if host.is_empty() || !host.chars().all(known) {
        return Err(NotADirectory("the host is no name and no address"));
    }
    let port = port.map_or(Ok(usual), |port| {
        port.parse()
            .map_err(|_| NotADirectory("the port is no number"))
    })?;
    Ok(Place {
        host: host.to_owned(),
        port,
    })
}

/// Percent-encoding undone (RFC 3986 section 2.1).
fn unescaped(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'%' {
            octets.push(octet);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        octets.push(u8::try_from(high.checked_mul(16)?.checked_add(low)?).ok()?);
    }
    String::from_utf8(octets).ok()
}

/// What a source said of one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// It has a key that may be used.
    Key,
    /// It has a key whose answer about revocation is still missing.
    Awaited,
    /// It has none.
    Nothing,
    /// It has certificates, and none of them counts; why.
    Unusable(String),
    /// It gave no answer; why.
    NoAnswer(String),
}

impl Said {
    /// No answer, with a reason cut to one line.
    pub fn no_answer(reason: &str) -> Self {
        // A directory's own words may be in it: nothing that a terminal would obey.
        let visible = |c: char| if c.is_control() { ' ' } else { c };
        Self::NoAnswer(
            reason
                .chars()
                .take(SOURCE_REASON_CHARS)
                .map(visible)
                .collect(),
        )
    }

    /// Whether a key may turn up soon that cannot be had now.
    pub const fn is_open(&self) -> bool {
        match self {
            Self::Awaited | Self::NoAnswer(_) => true,
            Self::Key | Self::Nothing | Self::Unusable(_) => false,
        }
    }
}

/// What one source said, for journal and `explain`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// Which: [`Directory::label`] or [`dns_label`].
    pub source: String,
    /// What.
    pub said: Said,
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.source)?;
        match &self.said {
            Said::Key => f.write_str("has a key"),
            Said::Awaited => {
                f.write_str("has a key, and the answer whether it was revoked is awaited")
            }
            Said::Nothing => f.write_str("has no key"),
            Said::Unusable(why) => write!(f, "has no usable key: {why}"),
            Said::NoAnswer(why) => write!(f, "does not answer: {why}"),
        }
    }
}

/// What is remembered of a source and an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it said last.
    pub word: Word,
    /// When it is asked again.
    pub ask_at: Timestamp,
    /// When it last gave an answer.
    pub heard: Option<Timestamp>,
}

impl Kept {
    /// Whether its last word still stands, so that it is not asked.
    pub fn stands(&self, now: Timestamp) -> bool {
        // An answer from the future was kept under a wrong clock.
        now < self.ask_at && self.ask_at <= now.plus(SOURCE_KEPT)
    }

    /// Whether keys that came from it are used: while its word is fresh, and some days longer if it does not answer.
    pub fn vouches(&self, now: Timestamp) -> bool {
        self.heard
            .is_some_and(|heard| now < heard.plus(SOURCE_SILENT))
    }
}

/// When a source is asked again that said this at `now`; `keep`: for how many seconds its answer counts by its own words.
pub fn ask_at(said: &Said, keep: Option<i64>, now: Timestamp) -> Timestamp {
    let within = |least: i64, most: i64| keep.unwrap_or(most).clamp(least, most);
    now.plus(match said {
        Said::Key => within(SOURCE_KEPT_LEAST, SOURCE_KEPT),
        Said::Nothing | Said::Unusable(_) => within(SOURCE_PAUSE, SOURCE_NOTHING),
        Said::Awaited | Said::NoAnswer(_) => SOURCE_PAUSE,
    })
}

/// A certificate that a source has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The certificate.
    pub certificate: Certificate,
    /// Whether the owner of the domain vouches for it (DANE-EE under DNSSEC), and the organisation takes that for enough.
    pub is_vouched_for: bool,
}

/// What offered certificates are judged under.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Whose key is looked for.
    pub address: &'a Address,
    /// Whether the local part counts in its case.
    pub exact: bool,
    /// The organisation's trust roots.
    pub anchors: &'a TrustAnchors,
    /// Issuers' certificates known from elsewhere.
    pub issuers: &'a [Certificate],
    /// The time.
    pub now: Timestamp,
}

/// An offered certificate that counts but for what revocation says.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The certificate.
    pub certificate: Certificate,
    /// Its path; none if its domain vouches for it.
    pub path: Option<VerifiedPath>,
}

/// Why an offered certificate does not count, the further it came the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Refused {
    Address,
    Kind,
    Blocked,
    Time,
    Encryption,
    Path,
}

impl Refused {
    const fn words(self) -> &'static str {
        match self {
            Self::Address => "no certificate names this address",
            Self::Kind => "the certificate is none of a mailbox",
            Self::Blocked => "the certificate is blocked",
            Self::Time => "the certificate is not valid now",
            Self::Encryption => "the certificate is not for encryption, or too weak",
            Self::Path => "the certificate does not lead to a trust root",
        }
    }
}

/// The offered certificates that count, newest first; else why none does.
pub fn candidates(offered: &[Offered], terms: Terms<'_>) -> Result<Vec<Candidate>, &'static str> {
    let mut bag: Vec<Certificate> = terms.issuers.to_vec();
    bag.extend(offered.iter().map(|offered| offered.certificate.clone()));
    let finder = PathFinder::new(&bag, terms.anchors, terms.now);
    let mut found = Vec::new();
    let mut furthest = Refused::Address;
    for offered in offered {
        match candidate(offered, &finder, terms) {
            Ok(candidate) => found.push(candidate),
            Err(refused) => furthest = furthest.max(refused),
        }
    }
    found.sort_by_key(|candidate| std::cmp::Reverse(candidate.certificate.not_before()));
    found.truncate(SOURCE_KEYS);
    if found.is_empty() {
        Err(furthest.words())
    } else {
        Ok(found)
    }
}

fn candidate(
    offered: &Offered,
    finder: &PathFinder<'_>,
    terms: Terms<'_>,
) -> Result<Candidate, Refused> {
    let certificate = &offered.certificate;
    match () {
        () if !certificate.names(terms.address, terms.exact) => return Err(Refused::Address),
        // A20 holds for what a source has as for what is imported by hand.
        () if certificate.is_authority() => return Err(Refused::Kind),
        () if terms.anchors.blocks(certificate) => return Err(Refused::Blocked),
        () if !certificate.valid_at(terms.now) => return Err(Refused::Time),
        () if certificate.may_encrypt().is_err() => return Err(Refused::Encryption),
        () if certificate.import_refusal().is_some() => return Err(Refused::Kind),
        () => {}
    }
    let path = finder.judge(certificate, Purpose::Encrypt).ok();
    if path.is_none() && !offered.is_vouched_for {
        return Err(Refused::Path);
    }
    Ok(Candidate {
        certificate: certificate.clone(),
        path,
    })
}

/// What comes of a source's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What it said.
    pub said: Said,
    /// Keys to be added.
    pub new: Vec<Harvested>,
    /// SHA-256 of the certificates that count: keys it had before and has no more are dropped.
    pub has: Vec<[u8; 32]>,
}

impl Judged {
    /// Nothing comes of it.
    pub fn empty(said: Said) -> Self {
        Self {
            said,
            new: Vec::new(),
            has: Vec::new(),
        }
    }
}

/// Places what a source has for `address` among the keys known of it; `from_here`: the numbers of those that came from the
/// same source before.
pub fn judge(
    candidates: &[Candidate],
    address: &Address,
    (existing, from_here): (&[CorrespondentKey], &[i64]),
    (evidence, now): (&Evidence, Timestamp),
) -> Judged {
    let offered = |key: &CorrespondentKey| {
        let mut all = candidates.iter();
        all.any(|candidate| candidate.certificate == key.certificate)
    };
    let mut keys: Vec<CorrespondentKey> = existing.to_vec();
    keys.retain(|key| !from_here.contains(&key.id) || offered(key));
    let mut judged = Judged::empty(Said::Unusable("the certificate was revoked".to_owned()));
    for candidate in candidates {
        let status = match &candidate.path {
            Some(path) => revocation::judge(path, evidence, now),
            None => Status::NotNamed,
        };
        let pending = match status {
            Status::NotNamed | Status::Good => false,
            Status::Unknown => true,
            Status::Revoked(_) => continue,
        };
        judged.has.push(candidate.certificate.fingerprint());
        let known = keys
            .iter()
            .find(|key| key.certificate == candidate.certificate)
            .map(|key| key.state);
        let state = known.or_else(|| {
            let new = harvest::looked_up(&candidate.certificate, address, &keys, (pending, now))?;
            let chain = candidate.path.as_ref().map_or(&[][..], VerifiedPath::chain);
            let new = Harvested {
                chain: chain.iter().skip(1).cloned().collect(),
                ..new
            };
            keys.push(harvest::stored(&new, now));
            let state = new.state;
            judged.new.push(new);
            Some(state)
        });
        judged.said = better(judged.said, state);
    }
    judged
}

/// The better of what is known and what one more key in this state says.
fn better(said: Said, state: Option<CorrespondentState>) -> Said {
    match (state, said) {
        (_, Said::Key) => Said::Key,
        (
            Some(
                CorrespondentState::Preferred
                | CorrespondentState::Additional
                | CorrespondentState::New,
            ),
            _,
        ) => Said::Key,
        (Some(CorrespondentState::Pending), _) | (_, Said::Awaited) => Said::Awaited,
        (Some(CorrespondentState::Blocked), _) => {
            Said::Unusable(Refused::Blocked.words().to_owned())
        }
        (None, said) => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::Origin;
    use crate::testdata::certificate;
    use CorrespondentState::{Blocked, New, Pending, Preferred};

    /// 2026-11-22.
    const NOW: Timestamp = Timestamp(1_795_305_600);

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn url(text: &str) -> Result<(bool, String, u16, Option<String>), &'static str> {
        let url: DirectoryUrl = text.parse().map_err(|error: NotADirectory| error.0)?;
        Ok((url.tls, url.place.host, url.place.port, url.base))
    }

    #[test]
    fn urls_of_directories() {
        let good = |tls, host: &str, port, base: Option<&str>| {
            Ok((tls, host.to_owned(), port, base.map(str::to_owned)))
        };
        for (text, expected) in [
            ("ldap://x.example", good(false, "x.example", 389, None)),
            ("LDAPS://x.example", good(true, "x.example", 636, None)),
            (
                "ldap://x.example:3890/",
                good(false, "x.example", 3890, None),
            ),
            (
                "ldaps://[2001:db8::1]:1636",
                good(true, "2001:db8::1", 1636, None),
            ),
            ("ldap://192.0.2.1", good(false, "192.0.2.1", 389, None)),
            (
                "ldap://x.example/o=A%20B,c=DE",
                good(false, "x.example", 389, Some("o=A B,c=DE")),
            ),
            ("x.example", Err("there is no scheme")),
            (
                "http://x.example",
                Err("the scheme is neither ldap nor ldaps"),
            ),
            ("ldap://", Err("the host is no name and no address")),
            ("ldap://a b", Err("the host is no name and no address")),
            (
                "ldap://user@x.example",
                Err("the host is no name and no address"),
            ),
            ("ldap://[::1", Err("a bracket is not closed")),
            ("ldap://x.example:port", Err("the port is no number")),
            ("ldap://x.example:99999", Err("the port is no number")),
            (
                "ldap://x.example/dc=x?mail?sub",
                Err("attributes, scope and filter are not taken"),
            ),
            ("ldap://x.example/%zz", Err("the base is not well escaped")),
            ("ldap://x.example/%f", Err("the base is not well escaped")),
            ("ldap://x.example/%ff", Err("the base is not well escaped")),
        ] {
            assert_eq!(url(text), expected, "{text}");
        }
    }

    #[test]
    fn how_long_an_answer_counts() {
        let nothing = Said::Nothing;
        let no_answer = Said::no_answer("away");
        let unusable = Said::Unusable(String::new());
        for (said, keep, expected) in [
            (&Said::Key, None, 86_400),
            (&Said::Key, Some(7_200), 7_200),
            (&Said::Key, Some(1), 300),
            (&Said::Key, Some(999_999), 86_400),
            (&nothing, None, 3_600),
            (&nothing, Some(600), 600),
            (&nothing, Some(0), 60),
            (&nothing, Some(86_400), 3_600),
            (&unusable, None, 3_600),
            (&Said::Awaited, Some(7_200), 60),
            (&no_answer, Some(7_200), 60),
        ] {
            assert_eq!(
                ask_at(said, keep, NOW),
                NOW.plus(expected),
                "{said:?} {keep:?}"
            );
        }
        let kept = |ask_at: i64, heard: Option<i64>| Kept {
            word: Word {
                source: "directory x".to_owned(),
                said: Said::Key,
            },
            ask_at: NOW.plus(ask_at),
            heard: heard.map(|heard| NOW.plus(heard)),
        };
        for (ask_at, heard, stands, vouches) in [
            (60, Some(-10), true, true),
            (0, Some(-86_400), false, true),
            (60, Some(-8 * 86_400), true, false),
            (60, None, true, false),
            // Kept under a clock that was wrong.
            (10 * 86_400, Some(-10), false, true),
        ] {
            let kept = kept(ask_at, heard);
            assert_eq!(
                (kept.stands(NOW), kept.vouches(NOW)),
                (stands, vouches),
                "{kept:?}"
            );
        }
    }

    #[test]
    fn reasons_are_one_short_line() {
        let Said::NoAnswer(reason) = Said::no_answer(&"a\r\nb\u{1b}".repeat(100)) else {
            panic!("no answer");
        };
        assert_eq!(reason.chars().count(), SOURCE_REASON_CHARS);
        assert!(reason.starts_with("a  b "));
    }

    fn offered(name: &str, is_vouched_for: bool) -> Offered {
        Offered {
            certificate: certificate(name),
            is_vouched_for,
        }
    }

    fn judged_by(anchors: &TrustAnchors, offered: &[Offered]) -> Result<usize, &'static str> {
        let alice = address("alice@partner.example");
        let terms = Terms {
            address: &alice,
            exact: false,
            anchors,
            issuers: &[],
            now: NOW,
        };
        candidates(offered, terms).map(|found| found.len())
    }

    #[test]
    fn x9_what_a_source_has_is_judged_like_a_harvested_key() {
        let anchors = TrustAnchors::new(vec![certificate("root-one"), certificate("root-two")]);
        let nobody = TrustAnchors::new(vec![]);
        let blocking = anchors
            .clone()
            .blocking([certificate("alice").fingerprint()]);
        for (name, anchors, names, expected) in [
            ("good", &anchors, &["alice"][..], Ok(1)),
            ("two", &anchors, &["alice", "alice-newer"], Ok(2)),
            (
                "among others",
                &anchors,
                &["bob", "alice", "root-one"],
                Ok(1),
            ),
            (
                "another address",
                &anchors,
                &["bob"],
                Err("no certificate names this address"),
            ),
            (
                "an authority",
                &anchors,
                &["root-one"],
                Err("no certificate names this address"),
            ),
            (
                "expired",
                &anchors,
                &["alice-expired"],
                Err("the certificate is not valid now"),
            ),
            (
                "only for signing",
                &anchors,
                &["alice-sign"],
                Err("the certificate is not for encryption, or too weak"),
            ),
            (
                "no root",
                &nobody,
                &["alice"],
                Err("the certificate does not lead to a trust root"),
            ),
            (
                "blocked",
                &blocking,
                &["alice"],
                Err("the certificate is blocked"),
            ),
        ] {
            let offers: Vec<_> = names.iter().map(|name| offered(name, false)).collect();
            assert_eq!(judged_by(anchors, &offers), expected, "{name}");
        }
        // DNSSEC alone stands for a path, and for nothing else.
        for (name, anchors, certificate, expected) in [
            ("no root", &nobody, "alice", Ok(1)),
            (
                "another address",
                &nobody,
                "bob",
                Err("no certificate names this address"),
            ),
            (
                "expired",
                &nobody,
                "alice-expired",
                Err("the certificate is not valid now"),
            ),
            (
                "blocked",
                &blocking,
                "alice",
                Err("the certificate is blocked"),
            ),
        ] {
            let offers = [offered(certificate, true)];
            assert_eq!(judged_by(anchors, &offers), expected, "{name}, vouched for");
        }
    }

    fn key(id: i64, name: &str, origin: Origin, state: CorrespondentState) -> CorrespondentKey {
        CorrespondentKey {
            id,
            address: address("alice@partner.example"),
            certificate: certificate(name),
            origin,
            state,
            pinned: false,
            added: NOW,
            announced: None,
        }
    }

    fn placed(
        names: &[&str],
        existing: &[CorrespondentKey],
        from_here: &[i64],
    ) -> (Said, Vec<CorrespondentState>, usize) {
        let alice = address("alice@partner.example");
        let anchors = TrustAnchors::new(vec![certificate("root-one"), certificate("root-two")]);
        let offers: Vec<_> = names.iter().map(|name| offered(name, false)).collect();
        let terms = Terms {
            address: &alice,
            exact: false,
            anchors: &anchors,
            issuers: &[],
            now: NOW,
        };
        let found = candidates(&offers, terms).unwrap();
        let evidence = (&Evidence::default(), NOW);
        let judged = judge(&found, &alice, (existing, from_here), evidence);
        let states = judged.new.iter().map(|new| new.state).collect();
        (judged.said, states, judged.has.len())
    }

    #[test]
    fn x9_keys_of_sources_are_added_and_take_nothing_away() {
        use Origin::{Harvested, Ldap, Manual};
        let blocked = Said::Unusable("the certificate is blocked".to_owned());
        let table = [
            (
                "first",
                &["alice"][..],
                vec![],
                &[][..],
                (Said::Key, vec![Preferred], 1),
            ),
            (
                "its revocation is not answered",
                &["alice-crl"],
                vec![],
                &[],
                (Said::Awaited, vec![Pending], 1),
            ),
            (
                "beside another issuer's",
                &["alice-other-issuer"],
                vec![key(1, "alice", Harvested, Preferred)],
                &[],
                (Said::Key, vec![New], 1),
            ),
            (
                "beside an imported one",
                &["alice-newer"],
                vec![key(1, "alice", Manual, Preferred)],
                &[],
                (Said::Key, vec![CorrespondentState::Additional], 1),
            ),
            (
                "still there",
                &["alice"],
                vec![key(1, "alice", Ldap, Preferred)],
                &[1],
                (Said::Key, vec![], 1),
            ),
            (
                "blocked by an administrator",
                &["alice"],
                vec![key(1, "alice", Ldap, Blocked)],
                &[1],
                (blocked, vec![], 1),
            ),
            (
                "instead of one that it has no more",
                &["alice-other-issuer"],
                vec![key(1, "alice", Ldap, Preferred)],
                &[1],
                (Said::Key, vec![Preferred], 1),
            ),
            (
                "beside one of another source",
                &["alice-other-issuer"],
                vec![key(1, "alice", Ldap, Preferred)],
                &[],
                (Said::Key, vec![New], 1),
            ),
        ];
        for (name, offers, existing, from_here, expected) in table {
            assert_eq!(placed(offers, &existing, from_here), expected, "{name}");
        }
    }
}
