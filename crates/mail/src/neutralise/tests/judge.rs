//! The judge: looks for what fetches in what a mail would show. It shares no table with the code it judges.

use std::io::Read;

use html5gum::{Token, Tokenizer};

use crate::message::Message;
use crate::part::Part;

/// What is wrong with a mail; nothing if nothing of it fetches when it is shown.
pub fn faults(entity: &[u8]) -> Vec<String> {
    let message = Message::read(&entity).unwrap();
    let part = message.structure().unwrap();
    part.all()
        .into_iter()
        .flat_map(|part| faults_of_part(entity, part))
        .collect()
}

fn faults_of_part(entity: &[u8], part: &Part) -> Vec<String> {
    if part.is_ambiguous() {
        return vec![format!("{part:?} is ambiguous")];
    }
    if !part.is_leaf() {
        return Vec::new();
    }
    let header = String::from_utf8_lossy(part.header.raw()).to_ascii_lowercase();
    let attached = header.contains("content-disposition: attachment");
    match part.content_type.to_string().as_str() {
        "text/html" if header.contains("charset=utf-8") => {
            let mut octets = Vec::new();
            let mut reader = part.decoded(&entity).unwrap();
            reader.read_to_end(&mut octets).unwrap();
            match String::from_utf8(octets) {
                Ok(html) => faults_of_html(&html),
                Err(_) => vec!["no UTF-8".to_owned()],
            }
        }
        "text/plain" if !header.contains("html") => Vec::new(),
        "application/octet-stream" if attached => Vec::new(),
        other => vec![format!("{other} is shown")],
    }
}

/// What must not stand in HTML anywhere, blanks and controls taken out, in lower case.
const NOWHERE: &[&str] = &[
    "url(",
    "src(",
    "image(",
    "image-set(",
    "@import",
    "@font-face",
    "expression(",
    "var(",
    "background=",
    "poster=",
    "srcset=",
    "action=",
    "codebase=",
    "classid=",
    "ping=",
    "manifest=",
    "profile=",
    "longdesc=",
    "dynsrc=",
    "lowsrc=",
    "icon=",
    "implementation=",
    "values=",
    "content=",
    "http-equiv=",
    "usemap=",
    "srcdoc=",
    "onload=",
    "onerror=",
    "onmouseover=",
    "onstart=",
    "<!--",
    "<?",
    "<![",
    "<script",
    "<link",
    "<meta",
    "<base",
    "<iframe",
    "<frame",
    "<object",
    "<embed",
    "<applet",
    "<svg",
    "<math",
    "<form",
    "<video",
    "<audio",
    "<source",
    "<input",
    "<template",
    "system\"http",
    "<plaintext",
    "<xmp",
    "<title",
    "<textarea",
    "<no",
    "<select",
    "fill=",
    "<x",
    "<!x",
];

/// Where a reference may lead.
const INSIDE: &[&str] = &[
    "cid:",
    "mid:",
    "mailto:",
    "#",
    "data:image/png;base64,",
    "data:image/gif;base64,",
];

/// What is wrong with HTML.
pub fn faults_of_html(html: &str) -> Vec<String> {
    let visible = |c: &char| !c.is_whitespace() && !c.is_control();
    let text: String = html.chars().filter(visible).collect();
    let text = text.to_lowercase();
    let mut found: Vec<String> = NOWHERE
        .iter()
        .filter(|one| match one.starts_with('<') {
            // With its blanks: `<i frame>` is no frame.
            true => html.to_lowercase().contains(**one),
            false => text.contains(**one),
        })
        .map(|one| format!("{one} stands in it"))
        .collect();
    for name in ["src=", "href=", "cite=", "data="] {
        for (at, _) in text.match_indices(name) {
            let value = text[at + name.len()..].trim_start_matches(['"', '\'', '`']);
            let value = value.replace("&#64;", "@");
            if !INSIDE.iter().any(|start| value.starts_with(start)) {
                found.push(format!("{name}{value}"));
            }
        }
    }
    found.extend(faults_of_sheets(html));
    found.extend(faults_of_tokens(html));
    found
}

/// What is wrong with the style sheets: anything but rules of words, numbers and colours.
fn faults_of_sheets(html: &str) -> Vec<String> {
    let html = html.to_ascii_lowercase();
    let sheets = html.split("<style").skip(1);
    let plain = |c: char| c.is_ascii_alphanumeric() || " \r\n.,#>+*:;_-{}%()!'\"/".contains(c);
    sheets
        .map(|rest| rest.split("</style").next().unwrap())
        .filter(|sheet| {
            let words = sheet.strip_prefix('>').unwrap_or("<");
            let functions = words.matches('(').count();
            let colours = words.matches("rgb").count() + words.matches("hsl").count();
            !words.chars().all(plain) || words.contains("//") || functions > colours
        })
        .map(|sheet| format!("a style sheet says {sheet}"))
        .collect()
}

/// Attributes in which an address is just text.
const TEXT: &[&str] = &[
    "alt", "title", "summary", "id", "class", "name", "abbr", "value", "lang",
];

/// The same question to a parser: no attribute of any element leads outside.
fn faults_of_tokens(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    for token in Tokenizer::new(html) {
        match token.unwrap() {
            Token::StartTag(tag) => {
                for (name, value) in &tag.attributes {
                    let name = String::from_utf8_lossy(name).into_owned();
                    let value = String::from_utf8_lossy(&value.value).to_ascii_lowercase();
                    let marks = [
                        "//",
                        "http:",
                        "\\",
                        "script:",
                        "behavior:",
                        "binding:",
                        "progid:",
                    ];
                    let leads = marks.iter().any(|mark| value.contains(mark))
                        || (value.contains("leak.example") && !value.starts_with("cid:"));
                    // A place in the page is no address, whatever it is called.
                    let leads = leads && (value.contains("//") || !value.starts_with('#'));
                    if leads && !TEXT.contains(&name.as_str()) {
                        found.push(format!("{name} leads to {value}"));
                    }
                }
            }
            Token::Doctype(kind) => {
                let system = kind.system_identifier.unwrap_or_default();
                if String::from_utf8_lossy(&system).contains("leak") {
                    found.push("a document type that leads outside".to_owned());
                }
            }
            Token::Comment(_) => found.push("a comment".to_owned()),
            // Odd characters are no markup.
            Token::Error(error) if error.as_str() != "noncharacter-in-input-stream" => {
                found.push(error.as_str().to_owned());
            }
            _ => {}
        }
    }
    found
}
