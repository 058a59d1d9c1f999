//! What may stay of CSS that nobody vouches for: layout, in a small form that every reader reads alike. No rule with `@`,
//! no escape, no address and no function but a colour is ever written.

/// Properties whose allowed values neither fetch nor run, in order.
const PROPERTIES: &[&str] = &[
    "align-content",
    "align-items",
    "align-self",
    "background",
    "background-color",
    "background-image",
    "background-position",
    "background-repeat",
    "background-size",
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
    "box-shadow",
    "box-sizing",
    "caption-side",
    "clear",
    "color",
    "direction",
    "display",
    "empty-cells",
    "flex",
    "flex-direction",
    "flex-wrap",
    "float",
    "font",
    "font-family",
    "font-size",
    "font-stretch",
    "font-style",
    "font-variant",
    "font-weight",
    "gap",
    "height",
    "hyphens",
    "justify-content",
    "letter-spacing",
    "line-height",
    "list-style",
    "list-style-position",
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
    "mso-line-height-rule",
    "mso-margin-bottom-alt",
    "mso-margin-top-alt",
    "mso-padding-alt",
    "mso-table-lspace",
    "mso-table-rspace",
    "opacity",
    "outline",
    "overflow",
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
    "text-shadow",
    "text-transform",
    "vertical-align",
    "visibility",
    "white-space",
    "width",
    "word-break",
    "word-spacing",
    "word-wrap",
];

fn is_property(name: &str) -> bool {
    PROPERTIES.binary_search(&name).is_ok()
}

/// The declarations of a style attribute or of one rule that may stay, and how many were taken out.
pub(super) fn declarations(text: &str) -> (String, usize) {
    let mut kept = String::new();
    let mut removed = 0usize;
    for declaration in text.split(';').map(str::trim).filter(|d| !d.is_empty()) {
        let (name, value) = declaration.split_once(':').unwrap_or_default();
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        let whole = Some(value).filter(|value| is_property(&name) && is_harmless_value(value));
        removed = removed.saturating_add(usize::from(whole.is_none()));
        // Text may have the colour of the page that would show without it.
        let colour = || {
            Some(value)
                .filter(|_| name == "background")
                .and_then(colour_of)
        };
        if let Some(value) = whole.or_else(colour) {
            let gap = if kept.is_empty() { "" } else { "; " };
            kept = kept + gap + &name + ": " + value;
        }
    }
    (kept, removed)
}

/// The colour by its number that stands in a value beside what cannot stay.
fn colour_of(value: &str) -> Option<&str> {
    value.split_ascii_whitespace().find(|word| {
        let digits = word.strip_prefix('#').unwrap_or_default();
        [3, 4, 6, 8].contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

/// Functions whose arguments are numbers.
const COLOURS: [&str; 4] = ["rgb", "rgba", "hsl", "hsla"];

/// Whether a value is words, numbers, colours and quoted names: no escape, no address, no function but a colour.
fn is_harmless_value(value: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || " \t\r\n#%.,-+!()'\"/".contains(c);
    let even = |quote: char| value.matches(quote).count().is_multiple_of(2);
    let both = value.contains('\'') && value.contains('"');
    !value.is_empty()
        && value.chars().all(plain)
        && !value.contains("//")
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

/// The rules of a style sheet that may stay, one a line, and how much was taken out: whole rules and declarations of the
/// others. A sheet that comes out as it went in is one of ours.
pub(super) fn sheet(text: &str) -> (String, usize) {
    let text = without_comments(text);
    let mut kept = String::new();
    let mut removed = 0usize;
    let mut rest = text.as_str();
    while let Some((prelude, after)) = cut(rest) {
        let selector = prelude.trim();
        let Some(after) = after.strip_prefix('{') else {
            // A statement such as `@import`, or what is left of broken text.
            removed = removed.saturating_add(1);
            rest = after.get(1..).unwrap_or_default();
            continue;
        };
        let (body, behind) = block(after);
        rest = behind;
        let rule = selector_of(selector).filter(|_| !body.contains('{'));
        let Some(selector) = rule else {
            removed = removed.saturating_add(1);
            continue;
        };
        let (inside, gone) = declarations(body);
        removed = removed.saturating_add(gone);
        if !inside.is_empty() {
            kept = kept + &selector + " { " + &inside + " }\n";
        }
    }
    let left = usize::from(!rest.trim().is_empty());
    (kept, removed.saturating_add(left))
}

/// What stands before the next `{` or `;`, and the rest from there on.
fn cut(text: &str) -> Option<(&str, &str)> {
    text.find(['{', ';'])
        .and_then(|at| text.split_at_checked(at))
}

/// What stands up to the `}` that ends a block whose `{` is already read, and what follows it; all if it does not end.
fn block(text: &str) -> (&str, &str) {
    let mut depth = 1usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth = depth.saturating_add(1),
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            let (body, rest) = text.split_at_checked(at).unwrap_or((text, ""));
            return (body, rest.get(1..).unwrap_or_default());
        }
    }
    (text, "")
}

/// The text without `/* ... */` and without the marks that hide a sheet from the oldest readers (CSS Syntax 3, CDO and
/// CDC). A comment that does not end takes the rest with it.
fn without_comments(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        out = out + before + " ";
        rest = after.split_once("*/").map_or("", |(_, behind)| behind);
    }
    out += rest;
    out.replace("<!--", " ").replace("-->", " ")
}

/// A selector by elements, classes, ids and the states of a link, blanks made one; `None` for any other.
fn selector_of(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || " .,#>+*:_-".contains(c);
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let selector = words.join(" ");
    let sound = !selector.is_empty() && selector.chars().all(plain) && !selector.contains("--");
    sound.then_some(selector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(PROPERTIES.is_sorted());
    }

    #[test]
    fn what_style_may_say() {
        let table = [
            ("color: red", "color: red", 0),
            ("COLOR:RGB(1, 2,3);", "color: RGB(1, 2,3)", 0),
            ("font-family:'A B',\"C\"", "", 1),
            ("font-family:'A B', serif", "font-family: 'A B', serif", 0),
            ("font:12px/1.5 Arial", "font: 12px/1.5 Arial", 0),
            ("font:12px//x Arial", "", 1),
            ("margin:0 !important; mso-x: y", "margin: 0 !important", 1),
            ("background:url(http://x/)", "", 1),
            ("background:u\\72l(http://x/)", "", 1),
            ("background:#fff url(x)", "background: #fff", 1),
            (
                "background:url(//x/#abc) #012345 x",
                "background: #012345",
                1,
            ),
            ("background:url( #abc )", "background: #abc", 1),
            ("background-image:#fff url(x)", "", 1),
            ("background: rgb(1) image(2)", "", 1),
            ("background: rgb(url(x))", "", 1),
            ("background: image-set('x' 1x)", "", 1),
            ("background-image: none", "background-image: none", 0),
            ("list-style: none url(x)", "", 1),
            ("width: expression(alert(1))", "", 1),
            ("width: calc(1px)", "", 1),
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
            ("position: fixed", "", 1),
            ("@import 'x'", "", 1),
            ("color: ｕｒｌ(x)", "", 1),
            ("color: red } a { color: red", "", 1),
        ];
        for (value, kept, removed) in table {
            assert_eq!(declarations(value), (kept.to_owned(), removed), "{value}");
        }
    }

    #[test]
    fn what_a_sheet_may_say() {
        let table = [
            ("", "", 0),
            ("p{color:red}", "p { color: red }\n", 0),
            (
                "<!-- /* Font */\np.MsoNormal, li.MsoNormal\n\t{margin:0cm;\n\tfont-family:\"Calibri\",sans-serif;}\n-->",
                "p.MsoNormal, li.MsoNormal { margin: 0cm; font-family: \"Calibri\",sans-serif }\n",
                0,
            ),
            (
                "a:hover > b + i * { color:#f00; x:y }",
                "a:hover > b + i * { color: #f00 }\n",
                1,
            ),
            ("p{}", "", 0),
            ("@import 'http://x/';p{color:red}", "p { color: red }\n", 1),
            (
                "@import url(http://x/) layer(a) supports(display:grid);",
                "",
                1,
            ),
            ("@charset \"utf-7\";@namespace url(http://x/);", "", 2),
            (
                "@media screen{p{color:red}q{color:red}}b{color:red}",
                "b { color: red }\n",
                1,
            ),
            ("@font-face{font-family:x;src:url(//x/)}", "", 1),
            ("@page{background:url(//x/)}", "", 1),
            ("p{background:url(//x/)}", "", 1),
            ("p{color:red;q{background:url(//x/)}}", "", 1),
            ("p[a^='http://x/']{color:red}", "", 1),
            ("p:not(q){color:red}", "", 1),
            ("p::after{content:url(//x/)}", "", 1),
            ("\\70{color:red}", "", 1),
            ("p{color:red", "p { color: red }\n", 0),
            ("p{color:red}}q{color:red}", "p { color: red }\n", 1),
            ("p{font-family:\"}\";background:url(//x/)}", "", 3),
            ("p{color:red}/* q{color:red}", "p { color: red }\n", 0),
            ("/**/@im/**/port 'x';", "", 1),
            ("--> p{color:red}", "p { color: red }\n", 0),
            ("a--b{color:red}", "", 1),
            ("p", "", 1),
        ];
        for (text, kept, removed) in table {
            assert_eq!(sheet(text), (kept.to_owned(), removed), "{text}");
            assert_eq!(sheet(kept), (kept.to_owned(), 0), "{text}");
        }
    }
}
