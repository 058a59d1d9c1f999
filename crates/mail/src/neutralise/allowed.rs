//! What may stay in HTML that nobody vouches for: tables of elements, attributes and CSS properties, and the few kinds of
//! reference that lead nowhere outside the mail. What is not named here is taken out.

use html5gum::State;

/// What becomes of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// Written with its allowed attributes.
    Kept,
    /// Written with its allowed attributes; it has no end tag.
    Void,
    /// Not written and not missed: it carries nothing that is shown.
    Silent,
    /// A style sheet: written with what may stay of it.
    Style,
    /// Not written; its content is text of no interest, to be read in this state of the tokenizer.
    Swallowed(State),
    /// Not written; its content is text that is shown, to be read in this state of the tokenizer.
    Shown(State),
    /// Not written; its content is looked at as if it stood alone.
    Dropped,
}

/// What becomes of the element called `name`, given in lower case.
pub(super) fn element(name: &[u8]) -> Element {
    match name {
        b"br" | b"col" | b"hr" | b"img" | b"wbr" => Element::Void,
        b"head" | b"meta" => Element::Silent,
        b"title" => Element::Swallowed(State::RcData),
        b"script" => Element::Swallowed(State::ScriptData),
        b"style" => Element::Style,
        b"iframe" | b"noembed" | b"noframes" => Element::Swallowed(State::RawText),
        b"textarea" => Element::Shown(State::RcData),
        b"xmp" => Element::Shown(State::RawText),
        b"plaintext" => Element::Shown(State::PlainText),
        name if contains(KEPT, name) => Element::Kept,
        _ => Element::Dropped,
    }
}

/// Elements that are shown and neither fetch nor act, in order.
const KEPT: &[&str] = &[
    "a",
    "abbr",
    "acronym",
    "address",
    "article",
    "aside",
    "b",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "body",
    "caption",
    "center",
    "cite",
    "code",
    "colgroup",
    "dd",
    "del",
    "details",
    "dfn",
    "dir",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "html",
    "i",
    "ins",
    "kbd",
    "li",
    "main",
    "mark",
    "menu",
    "nav",
    "ol",
    "p",
    "pre",
    "q",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
];

/// Attributes whose values are text on any element, in order. None holds an address.
const TEXTS: &[&str] = &[
    "abbr",
    "alt",
    "aria-hidden",
    "aria-label",
    "axis",
    "char",
    "class",
    "datetime",
    "headers",
    "id",
    "lang",
    "name",
    "role",
    "summary",
    "title",
    "value",
];

/// Attributes whose values are words, numbers and colours on any element, in order.
const MEASURES: &[&str] = &[
    "align",
    "alink",
    "bgcolor",
    "border",
    "bordercolor",
    "cellpadding",
    "cellspacing",
    "charoff",
    "clear",
    "color",
    "colspan",
    "compact",
    "dir",
    "face",
    "frame",
    "height",
    "hspace",
    "link",
    "noshade",
    "nowrap",
    "reversed",
    "rowspan",
    "rules",
    "scope",
    "size",
    "span",
    "start",
    "text",
    "type",
    "valign",
    "vlink",
    "vspace",
    "width",
];

fn contains(sorted: &[&str], name: &[u8]) -> bool {
    sorted
        .binary_search_by(|entry| entry.as_bytes().cmp(name))
        .is_ok()
}

/// Whether the attribute called `name`, given in lower case, may stay with this value.
pub(super) fn is_harmless_attribute(name: &[u8], value: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || " #%.,;+-_'".contains(c);
    contains(TEXTS, name) || (contains(MEASURES, name) && value.chars().all(plain))
}

/// `value` without what readers drop around and within an address (WHATWG URL standard, basic parser).
fn address(value: &str) -> String {
    let trimmed = value.trim_matches(|c: char| c <= ' ');
    trimmed.chars().filter(|c| !"\t\r\n".contains(*c)).collect()
}

fn has_scheme(address: &str, schemes: &[&str]) -> bool {
    address
        .split_once(':')
        .is_some_and(|(scheme, _)| schemes.iter().any(|one| scheme.eq_ignore_ascii_case(one)))
}

/// Whether the address names something inside the mail (RFC 2392) and holds nothing but visible ASCII, nor what a reader
/// that does not know the scheme could take for a host.
pub(super) fn is_inside(value: &str) -> bool {
    let host = value.contains("//") || value.contains('\\');
    has_scheme(value, &["cid", "mid"]) && !host && value.bytes().all(|b| b.is_ascii_graphic())
}

/// Kinds of picture that are pixels only; an SVG fetches.
const PIXELS: [&str; 6] = ["png", "jpeg", "jpg", "gif", "webp", "bmp"];

/// Whether the address of a picture is a part of the mail or the picture itself (RFC 2397).
pub(super) fn is_inside_picture(value: &str) -> bool {
    is_inside(value) || is_picture_data(value).unwrap_or(false)
}

fn is_picture_data(value: &str) -> Option<bool> {
    let (head, data) = value.split_once(',')?;
    let head = head.to_ascii_lowercase();
    let kind = head.strip_prefix("data:image/")?.strip_suffix(";base64")?;
    let base64 = |b: u8| b.is_ascii_alphanumeric() || b" \t\r\n+/=".contains(&b);
    Some(PIXELS.contains(&kind) && data.bytes().all(base64))
}

/// Where a link leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Inside the mail, or to a new mail: the link stays, with this address.
    Stays(String),
    /// Outside: the link goes, and the reader is told the address.
    Told(String),
    /// Nowhere a reader would want to know of.
    Gone,
}

/// Where a link with this `href` leads.
pub(super) fn target(href: &str) -> Target {
    let address = address(href);
    let place = |address: &str| address.starts_with('#') && !address.contains(['/', ':', '\\']);
    if place(&address) || is_inside(&address) {
        return Target::Stays(address);
    }
    if has_scheme(&address, &["mailto"]) {
        // The fields of RFC 6068 section 2 go: some readers attach files for them.
        let recipients = address.split('?').next().unwrap_or_default();
        let named = recipients.get("mailto:".len()..).unwrap_or_default();
        let plain = |c: char| c.is_alphanumeric() || "@.,+-_%~'!$&*=".contains(c);
        return match named.chars().all(plain) {
            true => Target::Stays(recipients.to_owned()),
            false => Target::Gone,
        };
    }
    let outside = ["http", "https", "ftp", "tel"];
    match has_scheme(&address, &outside) || address.starts_with("//") {
        true => Target::Told(address),
        false => Target::Gone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_order() {
        for table in [KEPT, TEXTS, MEASURES] {
            assert!(table.is_sorted());
        }
    }

    #[test]
    fn where_links_and_pictures_lead() {
        let told = |text: &str| Target::Told(text.to_owned());
        let stays = |text: &str| Target::Stays(text.to_owned());
        let table = [
            ("#top", stays("#top")),
            ("#http://x/", Target::Gone),
            ("cid:\\\\x\\y", Target::Gone),
            ("cid://x/y", Target::Gone),
            ("mailto:a@b.example", stays("mailto:a@b.example")),
            ("MailTo:a@b.example?attach=x", stays("MailTo:a@b.example")),
            ("mailto:a@b.example,c@d", stays("mailto:a@b.example,c@d")),
            ("mailto:a@b.example<img src=//x/>", Target::Gone),
            ("mailto://x/", Target::Gone),
            ("cid:x@y", stays("cid:x@y")),
            ("https://x.example/", told("https://x.example/")),
            (" ht\ntps://x/ ", told("https://x/")),
            ("//x/", told("//x/")),
            ("javascript:alert(1)", Target::Gone),
            ("file:///etc", Target::Gone),
            ("page.html", Target::Gone),
            ("", Target::Gone),
        ];
        for (href, expected) in table {
            assert_eq!(target(href), expected, "{href}");
        }
        let pictures = [
            ("cid:a@b", true),
            ("CID:a@b", true),
            ("cid:a b", false),
            ("data:image/png;base64,AAA=", true),
            ("DATA:IMAGE/GIF;BASE64,AAA=", true),
            ("data:image/svg+xml;base64,AAA=", false),
            ("data:image/png,<svg>", false),
            ("data:text/html;base64,AAA=", false),
            ("http://x/", false),
            ("x.png", false),
            ("//x/y.png", false),
            ("cid", false),
        ];
        for (value, inside) in pictures {
            assert_eq!(is_inside_picture(value), inside, "{value}");
        }
    }
}
