//! Addresses parsed once into types that cannot be wrong (RFC 5321 section 4.1.2, RFC 5322 section 3.4, RFC 6531, RFC 5890).

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{Ipv4Addr, Ipv6Addr};

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};

use crate::limits::{DOMAIN_OCTETS, LOCAL_PART_OCTETS, PATH_OCTETS};

/// A domain as sent on the wire: lower case, A-labels (RFC 5890), no trailing dot, or an address literal in brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain(String);

impl Domain {
    /// Parses `text` (ASCII or UTF-8 U-labels) into its one normal form.
    ///
    /// Refused: a trailing dot, an empty label, controls, blanks, a hyphen at a label's end, a last label of digits only
    /// (it would be an address without brackets), an A-label that decodes to nothing valid, and a U-label that is not in
    /// its own normal form up to case (RFC 5891 section 4.1): look-alike dots, full width letters and invisible
    /// characters never turn into another domain. An underscore is allowed, as mail servers do: such names exist.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.len() > DOMAIN_OCTETS.saturating_mul(4) {
            return Err(AddressError::TooLong);
        }
        let refused = || AddressError::Domain(shown(text));
        if let Some(inner) = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            return literal(inner).map(Self).ok_or_else(refused);
        }
        let ascii = host_name(text).ok_or_else(refused)?;
        if ascii.len() > DOMAIN_OCTETS {
            return Err(AddressError::TooLong);
        }
        Ok(Self(ascii))
    }

    /// The A-label form, lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form people read: U-labels where there are A-labels.
    pub fn to_unicode(&self) -> String {
        if self.is_literal() {
            return self.0.clone();
        }
        let (text, result) =
            Uts46::new().to_unicode(self.0.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
        if result.is_ok() {
            text.into_owned()
        } else {
            self.0.clone()
        }
    }

    /// Whether it is an address literal such as `[192.0.2.1]` (RFC 5321 section 4.1.3).
    pub fn is_literal(&self) -> bool {
        self.0.starts_with('[')
    }
}

/// The normal form of what stands in the brackets of an address literal (RFC 5321 section 4.1.3).
fn literal(inner: &str) -> Option<String> {
    const TAG: &str = "IPv6:";
    match inner.split_at_checked(TAG.len()) {
        Some((tag, address)) if tag.eq_ignore_ascii_case(TAG) => {
            let address: Ipv6Addr = address.parse().ok()?;
            Some(format!("[{TAG}{address}]"))
        }
        _ => Some(format!("[{}]", inner.parse::<Ipv4Addr>().ok()?)),
    }
}

/// The normal form of a host name, or `None` if it is none.
fn host_name(text: &str) -> Option<String> {
    let ascii_ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if text.chars().any(|c| c.is_ascii() && !ascii_ok(c)) {
        return None;
    }
    let uts46 = Uts46::new();
    let ascii = uts46
        .to_ascii(
            text.as_bytes(),
            AsciiDenyList::EMPTY,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .ok()?;
    let last = ascii.rsplit('.').next()?;
    if last.bytes().all(|b| b.is_ascii_digit()) || !is_own_normal_form(text, &ascii) {
        return None;
    }
    Some(ascii.into_owned())
}

/// Whether every label of `text` is, up to case, what the labels of `ascii` decode to (RFC 5891 section 4.2.1: no mapping).
fn is_own_normal_form(text: &str, ascii: &str) -> bool {
    if text.is_ascii() {
        return text.eq_ignore_ascii_case(ascii);
    }
    let (unicode, result) =
        Uts46::new().to_unicode(ascii.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
    let lower = |label: &str| {
        label
            .chars()
            .flat_map(char::to_lowercase)
            .collect::<String>()
    };
    let same = |label: &str, (a, u): (&str, &str)| {
        let label = lower(label);
        label == a || label == u
    };
    result.is_ok()
        && text.split('.').count() == ascii.split('.').count()
        && text
            .split('.')
            .zip(ascii.split('.').zip(unicode.split('.')))
            .all(|(label, forms)| same(label, forms))
}

/// One mailbox address: an unquoted local part as written and a normalised domain.
/// Equality and hashing ignore the case of ASCII letters in the local part (RFC 8550 section 3; decision X5).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    local: String,
    domain: Domain,
}

impl Address {
    /// Parses an addr-spec such as `Alice@example.com` or `"a b"@example.com`; nothing may stand around it.
    ///
    /// The local part is a dot-atom or a quoted string, with UTF-8 as RFC 6531 allows; controls, invisible characters
    /// and comments are refused. Quotes that are not needed are dropped: `"a"@b` is `a@b` (RFC 5321 section 4.1.2).
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let refused = || AddressError::Syntax(shown(text));
        let (local, domain) = match text.strip_prefix('"') {
            Some(rest) => quoted_local(rest).ok_or_else(refused)?,
            None => {
                let (local, domain) = text.split_once('@').ok_or_else(refused)?;
                (local.to_owned(), domain)
            }
        };
        if !text.starts_with('"') && !is_dot_atom(&local) {
            return Err(refused());
        }
        if local.is_empty() || domain.is_empty() {
            return Err(refused());
        }
        Self::build(local, Domain::parse(domain)?)
    }

    /// An address from a local part without quotes and a domain.
    pub fn new(local: &str, domain: Domain) -> Result<Self, AddressError> {
        if local.is_empty() {
            return Err(AddressError::Empty);
        }
        if !local.chars().all(is_quotable) {
            return Err(AddressError::Syntax(shown(local)));
        }
        Self::build(local.to_owned(), domain)
    }

    fn build(local: String, domain: Domain) -> Result<Self, AddressError> {
        let length = local.len().saturating_add(domain.as_str().len());
        // RFC 5321 section 4.5.3.1.3: the limit of a path counts the `@` and two angle brackets.
        if local.len() > LOCAL_PART_OCTETS || length.saturating_add(3) > PATH_OCTETS {
            return Err(AddressError::TooLong);
        }
        Ok(Self { local, domain })
    }

    /// The local part without quotes, case as written.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The domain.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The form under which addresses are compared and stored: `local@domain`, ASCII letters in lower case, local part
    /// quoted where the grammar needs it.
    pub fn key(&self) -> String {
        format!(
            "{}@{}",
            quoted_where_needed(&self.local.to_ascii_lowercase()),
            self.domain.0
        )
    }

    /// Whether it can be sent without SMTPUTF8.
    pub fn is_ascii(&self) -> bool {
        self.local.is_ascii()
    }

    /// The form people read: U-labels in the domain.
    pub fn to_unicode(&self) -> String {
        format!(
            "{}@{}",
            quoted_where_needed(&self.local),
            self.domain.to_unicode()
        )
    }
}

/// Reads a quoted local part and `@`; `rest` begins after the opening quote. Gives the unquoted local part and the domain.
///
/// Quoted-string = DQUOTE *QcontentSMTP DQUOTE (RFC 5321 section 4.1.2).
fn quoted_local(rest: &str) -> Option<(String, &str)> {
    let mut local = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return Some((local, chars.as_str().strip_prefix('@')?)),
            '\\' => local.push(chars.next().filter(|c| is_quotable(*c) && c.is_ascii())?),
            c if is_quotable(c) => local.push(c),
            _ => return None,
        }
    }
}

/// Characters a quoted local part may hold: printable ASCII and the blank, and visible UTF-8 (RFC 6531 section 3.3).
fn is_quotable(c: char) -> bool {
    c == ' ' || is_visible(c)
}

/// Neither control, blank, invisible, direction-changing nor the replacement of undecodable bytes.
fn is_visible(c: char) -> bool {
    let hidden = matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}');
    !(c.is_control() || c.is_whitespace() || hidden)
}

/// atext (RFC 5322 section 3.2.3) with the UTF-8 of RFC 6532 section 3.2.
pub(crate) fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(c)
        || (!c.is_ascii() && is_visible(c))
}

/// dot-atom-text (RFC 5322 section 3.2.3).
fn is_dot_atom(text: &str) -> bool {
    text.split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

fn quoted_where_needed(local: &str) -> String {
    if is_dot_atom(local) {
        local.to_owned()
    } else {
        quoted(local)
    }
}

/// `text` as a quoted string (RFC 5322 section 3.2.4); it must hold no control characters.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// What an error shows of a refused text: short and without controls.
pub(crate) fn shown(text: &str) -> String {
    text.chars()
        .take(80)
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

/// The envelope sender of RFC 5321: `<>` or an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ReversePath {
    /// `<>`: notifications, never answered.
    Null,
    /// An address reports may go to.
    Address(Address),
}

impl ReversePath {
    /// The address, if it is not null.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Null => None,
            Self::Address(address) => Some(address),
        }
    }
}

/// A mailbox of a header field: display name and address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The decoded display name, if there is one.
    pub name: Option<String>,
    /// The address.
    pub address: Address,
}

/// Why an address was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing there.
    #[error("the address is empty")]
    Empty,
    /// Not `local@domain`.
    #[error("not an address of the form local@domain: {0}")]
    Syntax(String),
    /// The domain is no host name.
    #[error("not a valid domain: {0}")]
    Domain(String),
    /// A part is longer than the limits of this crate allow.
    #[error("the address is too long")]
    TooLong,
}

impl Address {
    fn compared(&self) -> (String, &Domain) {
        (self.local.to_ascii_lowercase(), &self.domain)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.domain == other.domain && self.local.eq_ignore_ascii_case(&other.local)
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.compared().hash(hasher);
    }
}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Address {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compared().cmp(&other.compared())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", quoted_where_needed(&self.local), self.domain.0)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As in a path of RFC 5321: with angle brackets.
impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("<>"),
            Self::Address(address) => write!(f, "<{address}>"),
        }
    }
}

impl TryFrom<String> for Domain {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> String {
        domain.0
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> String {
        address.to_string()
    }
}

impl std::str::FromStr for Domain {
    type Err = AddressError;
    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl std::str::FromStr for Address {
    type Err = AddressError;
    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains() {
        let good = [
            ("Example.COM", "example.com"),
            ("localhost", "localhost"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.Example", "xn--bcher-kva.example"),
            ("straße.example", "xn--strae-oqa.example"),
            ("a_b.example", "a_b.example"),
            ("r3---sn.example", "r3---sn.example"),
            ("[192.0.2.1]", "[192.0.2.1]"),
            ("[ipv6:2001:DB8::1]", "[IPv6:2001:db8::1]"),
        ];
        for (text, normal) in good {
            assert_eq!(Domain::parse(text).unwrap().as_str(), normal, "{text}");
            assert_eq!(Domain::parse(normal).unwrap().as_str(), normal);
        }
        let bad = [
            "",
            "example.com.",
            ".example.com",
            "a..b",
            "a b",
            "a\0b",
            "a\tb",
            "-a.example",
            "a-.example",
            "a@b",
            "1.2.3.4",
            "[1.2.3]",
            "[1.2.3.04]",
            "[IPv6:1]",
            "[2001:db8::1]",
            "[",
            "[]",
            "xn--a",
            "xn--\u{fc}.example",
            "exa\u{ad}mple.com",
            "ｅxample.com",
            "example。com",
            "a\u{200b}b.example",
            "a\u{202e}b.example",
            "a,b",
            "a%b",
            "xn--example-.com",
            "(c)a.example",
            "a.example ",
            "\u{fffd}.example",
        ];
        for text in bad {
            assert!(Domain::parse(text).is_err(), "{text:?}");
        }
        assert!(Domain::parse(&format!("{}.example", "a".repeat(64))).is_err());
        assert!(Domain::parse(&"a.".repeat(200)).is_err());
        assert_eq!(
            Domain::parse("xn--bcher-kva.example").unwrap().to_unicode(),
            "bücher.example"
        );
    }

    #[test]
    fn g5_addresses_one_reading_or_none() {
        let good = [
            ("Alice@Example.com", "Alice@example.com"),
            ("a.b+c@x.example", "a.b+c@x.example"),
            ("\"a b\"@x.example", "\"a b\"@x.example"),
            ("\"alice\"@x.example", "alice@x.example"),
            ("\"x@y\"@x.example", "\"x@y\"@x.example"),
            ("\"a\\\"b\\\\\"@x.example", "\"a\\\"b\\\\\"@x.example"),
            ("\"a..b\"@x.example", "\"a..b\"@x.example"),
            ("jürgen@bücher.example", "jürgen@xn--bcher-kva.example"),
            ("a%b@us.example", "a%b@us.example"),
            ("a!b@us.example", "a!b@us.example"),
            ("a@[192.0.2.1]", "a@[192.0.2.1]"),
        ];
        for (text, normal) in good {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.to_string(), normal, "{text}");
            assert_eq!(Address::parse(normal).unwrap(), address);
        }
        let bad = [
            "",
            "a",
            "@",
            "a@",
            "@x.example",
            "a@b@c",
            " a@x.example",
            "a@x.example ",
            "a @x.example",
            "a@ x.example",
            "<a@x.example>",
            "a@x.example,b@y.example",
            "@r.example:a@x.example",
            "(c)a@x.example",
            "a(c)@x.example",
            "a@x.example(c)",
            ".a@x.example",
            "a.@x.example",
            "a..b@x.example",
            "a@x.example.",
            "a\0@x.example",
            "a@x.example\0.evil.example",
            "a@x.example\r\nBcc: b@y.example",
            "\"a\r\nb\"@x.example",
            "\"a\tb\"@x.example",
            "\"a@x.example",
            "\"\"@x.example",
            "\"a\"b@x.example",
            "\"a\".b@x.example",
            "a\"b\"@x.example",
            "bo\u{200b}ss@x.example",
            "bo\u{ad}ss@x.example",
            "a\u{a0}b@x.example",
            "a\u{fffd}@x.example",
            "\"a\\\u{fc}\"@x.example",
            "a;b@x.example",
            "a:b@x.example",
            "[a]@x.example",
        ];
        for text in bad {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
        assert!(
            Address::parse(&format!("{}@x.example", "a".repeat(LOCAL_PART_OCTETS + 1))).is_err()
        );
    }

    #[test]
    fn comparison_ignores_ascii_case_only() {
        let a = Address::parse("Alice@X.example").unwrap();
        let b = Address::parse("aLICE@x.example").unwrap();
        assert_eq!(a, b);
        assert_eq!(a.key(), "alice@x.example");
        assert_eq!(a.local(), "Alice");
        assert_ne!(
            Address::parse("Ü@x.example").unwrap(),
            Address::parse("ü@x.example").unwrap()
        );
        assert_eq!(
            Address::parse("\"A B\"@x.example").unwrap().key(),
            "\"a b\"@x.example"
        );
    }
}
