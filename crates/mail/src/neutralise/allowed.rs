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
        b"style" | b"iframe" | b"noembed" | b"noframes" => Element::Swallowed(State::RawText),
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

/// Attributes whose values are text, numbers or colours on any element, in order. None holds an address.
const ATTRIBUTES: &[&str] = &[
    "abbr",
    "align",
    "alink",
    "alt",
    "aria-hidden",
    "aria-label",
    "axis",
    "bgcolor",
    "border",
    "bordercolor",
    "cellpadding",
    "cellspacing",
    "char",
    "charoff",
    "class",
    "clear",
    "color",
    "colspan",
    "compact",
    "datetime",
    "dir",
    "face",
    "frame",
    "headers",
    "height",
    "hspace",
    "id",
    "lang",
    "link",
    "name",
    "noshade",
    "nowrap",
    "reversed",
    "role",
    "rowspan",
    "rules",
    "scope",
    "size",
    "span",
    "start",
    "summary",
    "text",
    "title",
    "type",
    "valign",
    "value",
    "vlink",
    "vspace",
    "width",
];

/// CSS properties whose allowed values neither fetch nor run, in order.
const PROPERTIES: &[&str] = &[
    "background",
    "background-color",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-left-color",
    "border-left-style",
    "border-left-width",
    "border-radius",
    "border-right",
    "border-right-color",
    "border-right-style",
    "border-right-width",
    "border-spacing",
    "border-style",
    "border-top",
    "border-top-color",
    "border-top-style",
    "border-top-width",
    "border-width",
    "box-sizing",
    "caption-side",
    "clear",
    "color",
    "direction",
    "display",
    "empty-cells",
    "float",
    "font",
    "font-family",
    "font-size",
    "font-stretch",
    "font-style",
    "font-variant",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-height",
    "max-width",
    "min-height",
    "min-width",
    "overflow-wrap",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "table-layout",
    "text-align",
    "text-decoration",
    "text-indent",
    "text-transform",
    "vertical-align",
    "white-space",
    "width",
    "word-break",
    "word-spacing",
    "word-wrap",
];

fn contains(sorted: &[&str], name: &[u8]) -> bool {
    sorted
        .binary_search_by(|entry| entry.as_bytes().cmp(name))
        .is_ok()
}

/// Whether the value of the attribute called `name`, given in lower case, may stay whatever it is.
pub(super) fn is_harmless_attribute(name: &[u8]) -> bool {
    contains(ATTRIBUTES, name)
}

/// The declarations of a style attribute that may stay, and how many were taken out.
pub(super) fn style(value: &str) -> (String, usize) {
    let mut kept = String::new();
    let mut removed = 0usize;
    for declaration in value.split(';').map(str::trim).filter(|d| !d.is_empty()) {
        let sound = declaration.split_once(':').and_then(|(name, value)| {
            let name = name.trim().to_ascii_lowercase();
            let value = value.trim();
            (contains(PROPERTIES, name.as_bytes()) && is_harmless_value(value))
                .then_some((name, value))
        });
        match sound {
            Some((name, value)) => {
                let gap = if kept.is_empty() { "" } else { "; " };
                kept = kept + gap + &name + ": " + value;
            }
            None => removed = removed.saturating_add(1),
        }
    }
    (kept, removed)
}

/// Functions whose arguments are numbers.
const COLOURS: [&str; 4] = ["rgb", "rgba", "hsl", "hsla"];

/// Whether a CSS value is words, numbers, colours and quoted names: no escape, no address, no function but a colour.
fn is_harmless_value(value: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || " \t\r\n#%.,-+!()'\"".contains(c);
    let even = |quote: char| value.matches(quote).count().is_multiple_of(2);
    let both = value.contains('\'') && value.contains('"');
    !value.is_empty()
        && value.chars().all(plain)
        && even('"')
        && even('\'')
        && !both
        && functions_are_colours(value)
}

fn functions_are_colours(value: &str) -> bool {
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('(') {
        let Some((arguments, after)) = after.split_once(')') else {
            return false;
        };
        let start = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '-');
        let name = before.get(start.len()..).unwrap_or_default();
        let numeric = |c: char| c.is_ascii_digit() || " .,%".contains(c);
        let named = COLOURS
            .iter()
            .any(|colour| name.eq_ignore_ascii_case(colour));
        if !named || !arguments.chars().all(numeric) || before.contains(')') {
            return false;
        }
        rest = after;
    }
    !rest.contains(')')
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

/// Whether the address names something inside the mail (RFC 2392) and holds nothing but visible ASCII.
pub(super) fn is_inside(value: &str) -> bool {
    has_scheme(value, &["cid", "mid"]) && value.bytes().all(|b| b.is_ascii_graphic())
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
    if address.starts_with('#') || is_inside(&address) {
        return Target::Stays(address);
    }
    if has_scheme(&address, &["mailto"]) {
        // The fields of RFC 6068 section 2 go: some readers attach files for them.
        let recipients = address.split('?').next().unwrap_or_default();
        return Target::Stays(recipients.to_owned());
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
        for table in [KEPT, ATTRIBUTES, PROPERTIES] {
            assert!(table.is_sorted());
        }
    }

    #[test]
    fn what_style_may_say() {
        let table = [
            ("color: red", "color: red", 0),
            ("COLOR:RGB(1, 2,3);", "color: RGB(1, 2,3)", 0),
            ("font-family:'A B',\"C\"", "", 1),
            ("font-family:'A B', serif", "font-family: 'A B', serif", 0),
            ("margin:0 !important; mso-x: y", "margin: 0 !important", 1),
            ("background:url(http://x/)", "", 1),
            ("background:u\\72l(http://x/)", "", 1),
            ("background:#fff url(x)", "", 1),
            ("background: rgb(1) image(2)", "", 1),
            ("background: rgb(url(x))", "", 1),
            ("background: image-set('x' 1x)", "", 1),
            ("background-image: none", "", 1),
            ("width: expression(alert(1))", "", 1),
            ("behavior: url(x)", "", 1),
            ("-moz-binding: url(x)", "", 1),
            ("color: red/**/", "", 1),
            ("font-family: 'a;color:red", "color: red", 1),
            ("color: var(--x)", "", 1),
            ("font-family: \\62 c", "", 1),
            ("font-family: http", "font-family: http", 0),
            ("font-family: http://x", "", 1),
            ("color: ", "", 1),
            ("color: red)", "", 1),
            ("@import 'x'", "", 1),
            ("color: ｕｒｌ(x)", "", 1),
        ];
        for (value, kept, removed) in table {
            assert_eq!(style(value), (kept.to_owned(), removed), "{value}");
        }
    }

    #[test]
    fn where_links_and_pictures_lead() {
        let told = |text: &str| Target::Told(text.to_owned());
        let stays = |text: &str| Target::Stays(text.to_owned());
        let table = [
            ("#top", stays("#top")),
            ("mailto:a@b.example", stays("mailto:a@b.example")),
            ("MailTo:a@b.example?attach=x", stays("MailTo:a@b.example")),
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
