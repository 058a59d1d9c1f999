//! What a page of the portal offers: its links, and its forms with their fields. Reads the HTML that our own templates make.

/// A form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// `GET` or `POST`.
    pub method: String,
    /// Where it goes; empty for the page itself.
    pub action: String,
    /// Whether it sends files.
    pub uploads: bool,
    /// Its fields with what they would send; of a group of choices the first one.
    pub fields: Vec<(String, String)>,
    /// Where its buttons send it instead, with the name and value they add.
    pub buttons: Vec<Button>,
}

/// A button of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// Where it sends the form instead, if it says so.
    pub action: Option<String>,
    /// What it adds to the form.
    pub adds: Option<(String, String)>,
}

/// A start tag: its name, its attributes.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    /// What stands between it and the next tag.
    text: String,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        let mut own = self.attributes.iter().filter(|(own, _)| own == name);
        own.next().map(|(_, value)| value.as_str())
    }
}

/// The links of a page, as they stand in `href` and `src`.
pub fn links(page: &str) -> Vec<String> {
    let tags = tags(page);
    let of = |tag: &Tag| {
        let found = tag.get("href").or_else(|| tag.get("src"));
        found.map(str::to_owned)
    };
    tags.iter().filter_map(of).collect()
}

/// Elements that no page of ours has.
const STRANGE: &[&str] = &[
    "iframe",
    "object",
    "embed",
    "base",
    "video",
    "audio",
    "marquee",
    "math",
    "style",
    "frame",
    "applet",
    "animate",
    "foreignobject",
];

/// What stands in a page and must not: elements, attributes and addresses that load or run something.
pub fn strange(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for tag in tags(page) {
        let of_ours = |value: &str| {
            let is_path = value.starts_with('/') && !value.starts_with("//");
            let known = [
                "?",
                "#",
                "mailto:",
                "tel:",
                "https://operator.example/",
                "otpauth:",
            ];
            is_path || value.is_empty() || known.iter().any(|begin| value.starts_with(begin))
        };
        let is_script = tag.name == "script"
            && !tag
                .get("src")
                .is_some_and(|src| src.starts_with("/static/"));
        let is_strange =
            STRANGE.contains(&tag.name.as_str()) || tag.get("http-equiv").is_some() || is_script;
        let mut bad: Vec<String> = Vec::new();
        for (name, value) in &tag.attributes {
            let leads = [
                "href",
                "src",
                "action",
                "formaction",
                "xlink:href",
                "srcdoc",
                "data",
                "poster",
                "background",
            ]
            .contains(&name.as_str());
            if name.starts_with("on") || name == "style" || leads && !of_ours(value) {
                bad.push(format!("{name}={value:?}"));
            }
        }
        if is_strange || !bad.is_empty() {
            found.push(format!("<{}> {}", tag.name, bad.join(" ")));
        }
    }
    found
}

/// The forms of a page.
pub fn forms(page: &str) -> Vec<Form> {
    let tags = tags(page);
    let mut forms: Vec<Form> = Vec::new();
    let mut ids: Vec<(String, usize)> = Vec::new();
    let mut is_open = false;
    let mut select: Option<(usize, String)> = None;
    for tag in &tags {
        match tag.name.as_str() {
            "form" => {
                if let Some(id) = tag.get("id") {
                    ids.push((id.to_owned(), forms.len()));
                }
                forms.push(form(tag));
                is_open = true;
            }
            "/form" => is_open = false,
            "/select" => select = None,
            _ => {}
        }
        let named = tag.get("form");
        let of = match named {
            Some(id) => ids.iter().find(|(own, _)| own == id).map(|(_, at)| *at),
            None if is_open => forms.len().checked_sub(1),
            None => None,
        };
        if tag.name == "option" {
            if let Some((at, name)) = &select {
                choose(&mut forms[*at], name, tag);
            }
            continue;
        }
        let Some(at) = of else { continue };
        if tag.name == "select" {
            let name = tag.get("name").unwrap_or_default().to_owned();
            select = Some((at, name));
        }
        take(&mut forms[at], tag);
    }
    forms
}

fn form(tag: &Tag) -> Form {
    let method = tag.get("method").unwrap_or("get").to_uppercase();
    Form {
        method,
        action: tag.get("action").unwrap_or_default().to_owned(),
        uploads: tag.get("enctype") == Some("multipart/form-data"),
        fields: Vec::new(),
        buttons: Vec::new(),
    }
}

fn choose(form: &mut Form, name: &str, option: &Tag) {
    let value = option.get("value").unwrap_or(option.text.trim());
    let known = form.fields.iter_mut().find(|(own, _)| own == name);
    match known {
        None => form.fields.push((name.to_owned(), value.to_owned())),
        Some(own) if option.get("selected").is_some() => value.clone_into(&mut own.1),
        Some(_) => {}
    }
}

fn take(form: &mut Form, tag: &Tag) {
    let name = tag.get("name").map(str::to_owned);
    let value = tag.get("value").map(str::to_owned);
    let kind = tag.get("type").unwrap_or_default();
    match tag.name.as_str() {
        "button" => form.buttons.push(Button {
            action: tag.get("formaction").map(str::to_owned),
            adds: name.zip(value),
        }),
        "input" if kind == "submit" => form.buttons.push(Button {
            action: tag.get("formaction").map(str::to_owned),
            adds: name.zip(value),
        }),
        "input" => {
            let Some(name) = name else { return };
            let is_choice = matches!(kind, "checkbox" | "radio");
            let known = form.fields.iter_mut().find(|(own, _)| *own == name);
            // Of choices the one that is made, else the first; a switch that is off is not sent.
            let is_switch =
                kind == "checkbox" && matches!(tag.get("value"), None | Some("true" | "on" | "1"));
            match known {
                Some(own) if kind == "radio" && tag.get("checked").is_some() => {
                    own.1 = value.unwrap_or_default();
                    return;
                }
                Some(_) if is_choice => return,
                _ if is_switch && tag.get("checked").is_none() => return,
                _ => {}
            }
            let otherwise = if is_choice { "on" } else { "" };
            let value = value.unwrap_or_else(|| otherwise.to_owned());
            form.fields.push((name, value));
        }
        "textarea" => {
            if let Some(name) = name {
                form.fields.push((name, tag.text.clone()));
            }
        }
        _ => {}
    }
}

fn tags(page: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some((_, from)) = rest.split_once('<') {
        let Some(end) = end_of_tag(from) else { break };
        let inner = from.get(..end).unwrap_or_default();
        rest = from.get(end + 1..).unwrap_or_default();
        let text = rest.split('<').next().unwrap_or_default();
        tags.push(tag(inner, &unescaped(text)));
    }
    tags
}

/// Where the `>` is that stands in no attribute's value.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, octet) in text.bytes().enumerate() {
        match (quote, octet) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(octet),
            (Some(open), _) if open == octet => quote = None,
            _ => {}
        }
    }
    None
}

fn tag(inner: &str, text: &str) -> Tag {
    let inner = inner.trim_end_matches('/');
    let (name, mut rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            break;
        }
        let end = rest
            .find(|char: char| char == '=' || char.is_whitespace())
            .unwrap_or(rest.len());
        let (own, after) = rest.split_at(end);
        let (value, after) = value(after);
        attributes.push((own.to_ascii_lowercase(), unescaped(value)));
        rest = after;
    }
    Tag {
        name: name.to_ascii_lowercase(),
        attributes,
        text: text.to_owned(),
    }
}

fn value(after: &str) -> (&str, &str) {
    let Some(after) = after.strip_prefix('=') else {
        return ("", after);
    };
    for quote in ['"', '\''] {
        if let Some(inner) = after.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    after.split_once(char::is_whitespace).unwrap_or((after, ""))
}

/// A text of a page as it is read: references to characters replaced by them.
pub fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split('&');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (name, rest) = part.split_once(';').unwrap_or(("", part));
        let found = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            _ => numbered(name),
        };
        match found {
            Some(char) => {
                out.push(char);
                out.push_str(rest);
            }
            None => {
                out.push('&');
                out.push_str(part);
            }
        }
    }
    out
}

fn numbered(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let number = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    char::from_u32(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_strange_is_seen() {
        for page in [
            "<img src=x onerror=alert(1)>",
            "<script>1</script>",
            "<a href='javascript:x'>",
            "<a href=//evil.example>",
            "<p style='x'>",
            "<iframe>",
            "<meta http-equiv=refresh>",
            "<svg onload=x>",
        ] {
            assert_eq!(strange(page).len(), 1, "{page}");
        }
        let ours = "<script src=\"/static/portal.js\" defer></script><a href=\"/o/x\">&lt;script&gt;</a><input value=\"<b>\">";
        assert_eq!(strange(ours), Vec::<String>::new());
    }

    #[test]
    fn forms_are_read() {
        let page = r#"<a href="/x?a=1&amp;b=2">x</a><form method="post" action="/do" enctype="multipart/form-data">
            <input type="hidden" name="csrf" value="a&#39;b"><input name="t"><input type=checkbox name="m" value="1" checked>
            <input type=checkbox name="m" value="2"><select name="s"><option value="1">1<option value="2" selected>2</select>
            <textarea name="area">
 x</textarea><button name="go" value="up">Up</button><button formaction="/other">o</button></form><input name="no">
            <input form="later" name="lost"><form id="later"></form>"#;
        assert_eq!(links(page), ["/x?a=1&b=2"]);
        let forms = forms(page);
        assert_eq!(forms.len(), 2);
        let pairs: Vec<_> = forms[0]
            .fields
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("csrf", "a'b"),
                ("t", ""),
                ("m", "1"),
                ("s", "2"),
                ("area", "\n x")
            ]
        );
        assert!(forms[0].uploads && forms[0].action == "/do" && forms[0].method == "POST");
        assert_eq!(
            forms[0].buttons[0].adds,
            Some(("go".to_owned(), "up".to_owned()))
        );
        assert_eq!(forms[0].buttons[1].action.as_deref(), Some("/other"));
    }
}
