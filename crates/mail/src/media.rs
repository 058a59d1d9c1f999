//! Content-Type and fields like it: a value with parameters (RFC 2045 section 5, RFC 2231).

use std::collections::BTreeMap;

use encoding_rs::Encoding;

use crate::encoding::TransferEncoding;
use crate::header::HeaderBlock;
use crate::limits::COMMENT_DEPTH;
use crate::words::hex_octet;

/// The media type of an entity. Names are in lower case, as are the values that know no case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    kind: String,
    subtype: String,
    parameters: Vec<(String, String)>,
}

impl Default for ContentType {
    /// `text/plain; charset=us-ascii` (RFC 2045 section 5.2), without the parameter.
    fn default() -> Self {
        Self {
            kind: "text".to_owned(),
            subtype: "plain".to_owned(),
            parameters: Vec::new(),
        }
    }
}

/// Parameters whose values know no case.
const CASELESS: [&str; 8] = [
    "charset",
    "protocol",
    "micalg",
    "smime-type",
    "report-type",
    "format",
    "delsp",
    "access-type",
];

impl ContentType {
    /// Reads a value. One that is malformed counts as `text/plain` (RFC 2045 section 5.2).
    pub fn parse(value: &[u8]) -> Self {
        let text = String::from_utf8_lossy(value);
        let mut scanner = Scanner::new(&text);
        let Some((kind, subtype)) = scanner.media_type() else {
            return Self::default();
        };
        let mut parameters = scanner.parameters();
        for (name, value) in &mut parameters {
            if CASELESS.contains(&name.as_str()) {
                value.make_ascii_lowercase();
            }
        }
        Self {
            kind,
            subtype,
            parameters,
        }
    }

    /// What the first Content-Type field of `header` says, else `default`. Further fields are not looked at;
    /// `is_ambiguous` tells whether there are any.
    pub fn of(header: &HeaderBlock, default: &Self) -> Self {
        header
            .first("Content-Type")
            .map_or_else(|| default.clone(), |field| Self::parse(&field.value()))
    }

    /// `message/rfc822`: the default inside `multipart/digest` (RFC 2046 section 5.1.5).
    pub fn message() -> Self {
        Self {
            kind: "message".to_owned(),
            subtype: "rfc822".to_owned(),
            parameters: Vec::new(),
        }
    }

    /// The type, e.g. `multipart`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The subtype, e.g. `signed`.
    pub fn subtype(&self) -> &str {
        &self.subtype
    }

    /// Whether it is `kind/subtype`, both given in lower case.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind == kind && self.subtype == subtype
    }

    /// The first parameter called `name` (given in lower case); a plain one goes before an extended one (RFC 2231).
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// All parameters in order, plain ones first.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether it is `multipart/...` with a boundary.
    pub fn boundary(&self) -> Option<&str> {
        let boundary = self
            .parameter("boundary")
            .filter(|_| self.kind == "multipart")?;
        // RFC 2046 section 5.1.1: a boundary does not end with a blank; readers drop those.
        Some(boundary.trim_end_matches([' ', '\t'])).filter(|text| !text.is_empty())
    }
}

/// `type/subtype` without parameters.
impl std::fmt::Display for ContentType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.subtype)
    }
}

/// The first word of a Content-Disposition value in lower case, and its `filename`.
pub fn disposition(value: &[u8]) -> (String, Option<String>) {
    let text = String::from_utf8_lossy(value);
    let mut scanner = Scanner::new(&text);
    let Some(kind) = scanner.token() else {
        return (String::new(), None);
    };
    let kind = kind.to_ascii_lowercase();
    let name = scanner
        .parameters()
        .into_iter()
        .find(|(name, _)| name == "filename")
        .map(|(_, value)| value);
    (kind, name)
}

/// All parameters of a value, whatever stands before the first, in order, plain ones first.
pub(crate) fn parameters(value: &[u8]) -> Vec<(String, String)> {
    Scanner::new(&String::from_utf8_lossy(value)).parameters()
}

/// The first token of a value in lower case, comments passed over; empty if there is none.
pub(crate) fn first_token(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    Scanner::new(&text)
        .token()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// Whether readers differ in what they make of the header: a field that may stand once only stands more than once, a line
/// is no field, a multipart's boundary can be read in two ways, or a multipart is said to be encoded, which it cannot be
/// (RFC 2045 section 6.4, row M12).
pub fn is_ambiguous(header: &HeaderBlock) -> bool {
    let single = ["Content-Type", "Content-Transfer-Encoding", "MIME-Version"];
    single.iter().any(|name| header.count(name) > 1)
        || header.has_malformed()
        || header.has_obsolete_name()
        || has_doubtful_encoding(header)
        || header.first("Content-Type").is_some_and(|field| {
            let value = field.value();
            has_doubtful_boundary(&value) || is_encoded_multipart(header, &value)
        })
}

/// Whether text stands behind the name of an encoding, with which some readers do not know the name any more.
fn has_doubtful_encoding(header: &HeaderBlock) -> bool {
    use TransferEncoding::{Base64, QuotedPrintable};
    let encoded = matches!(TransferEncoding::of(header), Base64 | QuotedPrintable);
    let field = header.first("Content-Transfer-Encoding");
    encoded
        && field.is_some_and(|field| {
            let value = field.value();
            let text = String::from_utf8_lossy(&value);
            let mut scanner = Scanner::new(&text);
            scanner.token();
            scanner.blanks();
            !scanner.rest.is_empty()
        })
}

fn is_encoded_multipart(header: &HeaderBlock, content_type: &[u8]) -> bool {
    use TransferEncoding::{Base64, QuotedPrintable};
    matches!(TransferEncoding::of(header), Base64 | QuotedPrintable)
        && ContentType::parse(content_type).kind() == "multipart"
}

/// Whether a multipart's boundary stands twice or in parts (RFC 2231), or beside text that is no parameter: readers then
/// differ in where its parts begin. With comments and blanks in the type of a multipart or an S/MIME part they differ in
/// what it is.
fn has_doubtful_boundary(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value);
    let mut scanner = Scanner::new(&text);
    match scanner.media_type() {
        Some((kind, subtype)) if kind == "multipart" || subtype.contains("pkcs7-") => {}
        _ => return false,
    }
    let parameters = scanner.parameters();
    let boundaries = parameters.iter().filter(|(name, _)| name == "boundary");
    boundaries.count() > 1 || scanner.odd
}

struct Scanner<'t> {
    rest: &'t str,
    /// Text that is no parameter or a comment was passed over, blanks stand in the type, a quoted string does not end, or
    /// the boundary is given in parts or with a needless backslash.
    odd: bool,
}

impl<'t> Scanner<'t> {
    fn new(rest: &'t str) -> Self {
        Self { rest, odd: false }
    }

    fn media_type(&mut self) -> Option<(String, String)> {
        let kind = self.token()?.to_ascii_lowercase();
        let type_end = self.rest;
        self.take('/')?;
        self.odd |= !type_end.starts_with('/') || self.rest.starts_with([' ', '\t']);
        let subtype = self.token()?.to_ascii_lowercase();
        self.blanks();
        (self.rest.is_empty() || self.rest.starts_with(';')).then_some((kind, subtype))
    }

    /// `token := 1*<any (US-ASCII) CHAR except SPACE, CTLs, or tspecials>` (RFC 2045 section 5.1), blanks before it.
    fn token(&mut self) -> Option<&'t str> {
        self.blanks();
        let is_token =
            |c: char| !c.is_ascii() || (c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?=".contains(c));
        let end = self.rest.find(|c| !is_token(c)).unwrap_or(self.rest.len());
        self.cut(end)
    }

    fn cut(&mut self, at: usize) -> Option<&'t str> {
        let (text, rest) = self.rest.split_at_checked(at)?;
        self.rest = rest;
        Some(text).filter(|text| !text.is_empty())
    }

    fn take(&mut self, c: char) -> Option<()> {
        self.blanks();
        self.rest = self.rest.strip_prefix(c)?;
        Some(())
    }

    /// Passes over blanks and comments.
    fn blanks(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
            let Some(inside) = self.rest.strip_prefix('(') else {
                return;
            };
            let Some(after) = after_comment(inside) else {
                return;
            };
            self.odd = true;
            self.rest = after;
        }
    }

    /// `*(";" parameter)`; a parameter that cannot be read is passed over up to the next semicolon.
    fn parameters(&mut self) -> Vec<(String, String)> {
        let mut plain = Vec::new();
        let mut extended: BTreeMap<String, BTreeMap<u32, Section>> = BTreeMap::new();
        while !self.rest.is_empty() {
            self.blanks();
            if self.take(';').is_none() {
                let end = self.rest.find(';').unwrap_or(self.rest.len());
                self.odd |= self.cut(end).is_some();
                continue;
            }
            let Some((name, value)) = self.parameter() else {
                continue;
            };
            match section_of(&name) {
                Some((base, number, encoded)) => {
                    self.odd |= base == "boundary";
                    let section = Section { value, encoded };
                    extended
                        .entry(base.to_owned())
                        .or_default()
                        .entry(number)
                        .or_insert(section);
                }
                None => plain.push((name, value)),
            }
        }
        plain.extend(
            extended
                .into_iter()
                .map(|(name, sections)| (name, joined(sections))),
        );
        plain
    }

    /// `attribute "=" value`, the value a token, a quoted string, or what stands before the next semicolon or blank.
    fn parameter(&mut self) -> Option<(String, String)> {
        let name = self.token()?.to_ascii_lowercase();
        self.take('=')?;
        self.blanks();
        if let Some(inside) = self.rest.strip_prefix('"') {
            let (value, rest) = unquoted(inside);
            let read = inside.get(..inside.len().saturating_sub(rest.len()));
            let read = read.unwrap_or_default();
            self.odd |= !read.ends_with('"') || name == "boundary" && read.contains('\\');
            self.rest = rest;
            return Some((name, value));
        }
        let end = self
            .rest
            .find([';', ' ', '\t', '\r', '\n', '('])
            .unwrap_or(self.rest.len());
        self.cut(end).map(|value| (name, value.to_owned()))
    }
}

/// What follows a comment whose opening bracket is already read; `None` if it does not end.
fn after_comment(text: &str) -> Option<&str> {
    let mut depth = 1usize;
    let mut chars = text.chars();
    while depth > 0 {
        match chars.next()? {
            '(' if depth < COMMENT_DEPTH => depth = depth.saturating_add(1),
            '(' => return None,
            ')' => depth = depth.saturating_sub(1),
            '\\' => {
                chars.next()?;
            }
            _ => {}
        }
    }
    Some(chars.as_str())
}

/// The content of a quoted string and what follows it; one that does not end goes to the end of the value.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => value.extend(chars.next()),
            '\r' | '\n' => {}
            c => value.push(c),
        }
    }
    (value, chars.as_str())
}

/// One section of an extended parameter (RFC 2231 sections 3 and 4).
struct Section {
    value: String,
    encoded: bool,
}

/// Splits `name*`, `name*1` or `name*1*` into base name, number and whether the value is percent-encoded.
fn section_of(name: &str) -> Option<(&str, u32, bool)> {
    let (base, tail) = name.split_once('*')?;
    let (number, encoded) = match tail.strip_suffix('*') {
        Some(number) => (number, true),
        None => (tail, tail.is_empty()),
    };
    let number = if number.is_empty() {
        0
    } else {
        number.parse().ok()?
    };
    (!base.is_empty()).then_some((base, number, encoded))
}

/// The value of an extended parameter: sections from 0 without a gap, the first one naming the charset.
fn joined(sections: BTreeMap<u32, Section>) -> String {
    let mut charset = encoding_rs::UTF_8;
    let mut octets = Vec::new();
    for (expected, (number, section)) in (0u32..).zip(sections) {
        if number != expected {
            break;
        }
        let mut text = section.value.as_str();
        if section.encoded && number == 0 {
            // extended-initial-value := [charset] "'" [language] "'" extended-other-values
            let mut parts = text.splitn(3, '\'');
            if let (Some(label), Some(_), Some(rest)) = (parts.next(), parts.next(), parts.next()) {
                charset = Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::UTF_8);
                text = rest;
            }
        }
        match section.encoded {
            true => octets.extend(percent_decoded(text.as_bytes())),
            false => octets.extend_from_slice(text.as_bytes()),
        }
    }
    charset.decode_without_bom_handling(&octets).0.into_owned()
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        let octet = match (first, tail) {
            (b'%', [high, low, ..]) => hex_octet(*high, *low),
            _ => None,
        };
        out.push(octet.unwrap_or(first));
        rest = if octet.is_some() {
            tail.get(2..).unwrap_or_default()
        } else {
            tail
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    type Case = (
        &'static str,
        &'static str,
        &'static [(&'static str, &'static str)],
    );

    #[test]
    fn content_types() {
        let table: [Case; 18] = [
            ("text/plain", "text/plain", &[]),
            (
                "TEXT/Plain; Charset=UTF-8",
                "text/plain",
                &[("charset", "utf-8")],
            ),
            (
                "multipart/mixed; boundary=\"a b\\\"c\"",
                "multipart/mixed",
                &[("boundary", "a b\"c")],
            ),
            (
                "multipart/mixed;boundary=AbC;x=y",
                "multipart/mixed",
                &[("boundary", "AbC"), ("x", "y")],
            ),
            (
                "text/plain (c) ; (d) charset (e) = (f) us-ascii (g)",
                "text/plain",
                &[("charset", "us-ascii")],
            ),
            ("text", "text/plain", &[]),
            ("", "text/plain", &[]),
            ("text/", "text/plain", &[]),
            ("text/html charset=utf-8", "text/plain", &[]),
            ("image/png;", "image/png", &[]),
            ("image/png; ; name=x", "image/png", &[("name", "x")]),
            ("image/png; name", "image/png", &[]),
            (
                "image/png; name=x.png; name=y",
                "image/png",
                &[("name", "x.png"), ("name", "y")],
            ),
            (
                "image/png; name*=utf-8''%c3%bc.png",
                "image/png",
                &[("name", "ü.png")],
            ),
            (
                "image/png; name*0=a; name*1=b; name*3=d",
                "image/png",
                &[("name", "ab")],
            ),
            (
                "image/png; name*1*=%20b; name*0*=iso-8859-1'de'%fc; name*2=%20",
                "image/png",
                &[("name", "ü b%20")],
            ),
            ("a/b; c=\"d", "a/b", &[("c", "d")]),
            ("a/b; boundary=x/y=?:z", "a/b", &[("boundary", "x/y=?:z")]),
        ];
        for (value, media, parameters) in table {
            let read = ContentType::parse(value.as_bytes());
            assert_eq!(read.to_string(), media, "{value}");
            assert_eq!(read.parameters().collect::<Vec<_>>(), parameters, "{value}");
        }
    }

    #[test]
    fn boundaries_belong_to_multiparts() {
        let boundary = |value: &str| {
            ContentType::parse(value.as_bytes())
                .boundary()
                .map(str::to_owned)
        };
        assert_eq!(
            boundary("multipart/x; boundary=\"b \"").as_deref(),
            Some("b")
        );
        assert_eq!(boundary("text/x; boundary=b"), None);
        assert_eq!(boundary("multipart/x; boundary=\"\""), None);
        assert_eq!(boundary("multipart/x"), None);
    }

    #[test]
    fn m12_a_boundary_that_can_be_read_in_two_ways() {
        for (value, doubtful) in [
            ("multipart/signed; boundary=a", false),
            (
                "multipart/signed; micalg=\"sha-256\"; boundary=\"a b\" ;",
                false,
            ),
            ("multipart/signed; boundary=a; boundary=b", true),
            ("multipart/signed; boundary=a; BOUNDARY=\"a\"", true),
            ("multipart/signed; boundary=a; boundary*=utf-8''b", true),
            ("multipart/signed; boundary*0=a; boundary*1=b", true),
            ("multipart/signed; boundary=a b", true),
            ("multipart/signed; boundary=\"a\"b", true),
            ("multipart/signed; boundary=\"a", true),
            ("multipart/signed; boundary=a (c", true),
            ("multipart/signed; boundary=\"a b\" (c);", true),
            ("multipart/signed (c); boundary=a", true),
            ("multipart/(c)signed; boundary=a", true),
            ("multipart/signed; x=y (; boundary=b); boundary=a", true),
            ("multipart / signed; boundary=a", true),
            ("multipart/ signed; boundary=a", true),
            ("multipart /signed; boundary=a", true),
            ("multipart/signed; boundary=\"a\\b\"", true),
            ("multipart/signed; x=\"a\\b\"; boundary=a", false),
            ("multipart/signed ; boundary=a", false),
            ("application/pkcs7-mime (c)", true),
            ("application/x-pkcs7-mime; name=\"C:\\smime.p7m\"", false),
            ("text/plain; charset=us-ascii (plain)", false),
            ("text/plain; boundary=a; boundary=b", false),
            ("text/plain\r\nContent-Transfer-Encoding: base64", false),
            (
                "multipart/signed; boundary=a\r\nContent-Transfer-Encoding: 8bit",
                false,
            ),
            (
                "multipart/signed; boundary=a\r\nContent-Transfer-Encoding: Base64",
                true,
            ),
        ] {
            let header = HeaderBlock::parse(format!("Content-Type: {value}\r\n").as_bytes());
            assert_eq!(is_ambiguous(&header), doubtful, "{value}");
        }
        for (header, doubtful) in [
            ("X-A : b\r\nContent-Type: text/plain\r\n", true),
            ("Content-Type\t: text/plain\r\n", true),
            ("Content-Transfer-Encoding: base64=\r\n", true),
            ("Content-Transfer-Encoding: base64; x=y\r\n", true),
            ("Content-Transfer-Encoding: base64 (c) \r\n", false),
            ("Content-Transfer-Encoding: 7bit;\r\n", false),
            ("X-A: b : c\r\nContent-Type: text/plain\r\n", false),
        ] {
            let header = HeaderBlock::parse(header.as_bytes());
            assert_eq!(is_ambiguous(&header), doubtful, "{header:?}");
        }
    }

    #[test]
    fn c20_ten_thousand_continuations() {
        let value: String = (0..10_000).map(|n| format!("; name*{n}=x")).collect();
        let read = ContentType::parse(format!("a/b{value}").as_bytes());
        assert_eq!(read.parameter("name").map(str::len), Some(10_000));
    }

    #[test]
    fn dispositions() {
        assert_eq!(
            disposition(b"Attachment; filename=\"smime.p7m\""),
            ("attachment".to_owned(), Some("smime.p7m".to_owned()))
        );
        assert_eq!(disposition(b"inline"), ("inline".to_owned(), None));
    }
}
