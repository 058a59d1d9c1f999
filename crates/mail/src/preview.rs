//! What a person may be shown of a mail without any program that could fetch or run something: fields, texts, and the names
//! of files. HTML is reduced to its text; nothing of it survives as markup (row W13).

use std::io::{self, Read};

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, WINDOWS_1252};
use serde::Serialize;

use crate::content::Content;
use crate::header::HeaderBlock;
use crate::limits::{
    PREVIEW_FIELD_CHARS, PREVIEW_FIELDS, PREVIEW_FILES, PREVIEW_HTML_OCTETS, PREVIEW_NAME_CHARS,
    PREVIEW_TEXT_OCTETS, PREVIEW_TEXTS,
};
use crate::media::disposition;
use crate::message::{Message, MessageError};
use crate::part::Part;
use crate::{TransferEncoding, words};

mod html;

/// What may be shown of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// Fields of its header that people read, in its order: name and value.
    pub fields: Vec<(String, String)>,
    /// Its texts, in its order.
    pub texts: Vec<Text>,
    /// All that is not shown as text.
    pub files: Vec<File>,
    /// Whether there is more of texts or files than is listed.
    pub more: bool,
}

/// A text of a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Text {
    /// The text, with line ends of one character.
    pub text: String,
    /// Whether it was HTML.
    pub from_html: bool,
    /// Whether it goes on.
    pub cut: bool,
}

/// A part that is not shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct File {
    /// Its name, as the mail gives it; what could mislead a reader is replaced.
    pub name: Option<String>,
    /// Media type.
    pub media_type: String,
    /// About how many octets it has, without transfer encoding.
    pub octets: u64,
}

/// The fields that are shown.
const FIELDS: [&str; 9] = [
    "Date",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Message-ID",
    "Content-Type",
];

/// What may be shown of the message `content`. With `fields_only`, its texts are files like all else.
///
/// # Errors
/// The content cannot be read, or its structure is beyond the limits of this crate.
pub fn preview(content: &dyn Content, fields_only: bool) -> Result<Preview, MessageError> {
    let message = Message::read(content)?;
    let mut preview = Preview {
        fields: fields(message.header()),
        ..Preview::default()
    };
    let part = message.structure()?;
    let mut left = PREVIEW_TEXT_OCTETS;
    for leaf in shown_leaves(&part) {
        let room = !fields_only && preview.texts.len() < PREVIEW_TEXTS && left > 0;
        match form(leaf) {
            Some(form) if room => {
                let text = read_text(content, leaf, form, left)?;
                left = left.saturating_sub(text.text.len());
                preview.texts.push(text);
            }
            _ if preview.files.len() < PREVIEW_FILES => preview.files.push(file(leaf)),
            _ => preview.more = true,
        }
    }
    Ok(preview)
}

fn fields(header: &HeaderBlock) -> Vec<(String, String)> {
    let mut shown = Vec::new();
    for field in header.fields() {
        let known = FIELDS.iter().find(|name| field.is(name));
        if let Some(name) = known.filter(|_| shown.len() < PREVIEW_FIELDS) {
            let value = cut(&visible(&field.decoded(), false), PREVIEW_FIELD_CHARS);
            shown.push(((*name).to_owned(), value));
        }
    }
    shown
}

/// The parts that hold content. Of alternatives that are text, only the plain one; what lies inside another message stays there.
fn shown_leaves(part: &Part) -> Vec<&Part> {
    let mut found = Vec::new();
    let mut waiting = vec![part];
    while let Some(part) = waiting.pop() {
        if !part.is_multipart() || part.children.is_empty() {
            found.push(part);
            continue;
        }
        let is_alternative = part.content_type.is("multipart", "alternative");
        let plain = |child: &&Part| form(child) == Some(Form::Plain);
        let has_plain = is_alternative && part.children.iter().any(|child| plain(&child));
        let children = part.children.iter().rev();
        waiting.extend(children.filter(|child| !has_plain || form(child) != Some(Form::Html)));
    }
    found
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Html,
}

/// How a part is shown as text, if it is.
fn form(part: &Part) -> Option<Form> {
    let disposed = part.header.first("Content-Disposition");
    let disposed = disposed.map(|field| disposition(&field.value()).0);
    if !part.is_leaf() || disposed.as_deref() == Some("attachment") {
        return None;
    }
    if part.content_type.is("text", "plain") {
        return Some(Form::Plain);
    }
    part.content_type.is("text", "html").then_some(Form::Html)
}

fn read_text(
    content: &dyn Content,
    part: &Part,
    form: Form,
    most: usize,
) -> Result<Text, MessageError> {
    let limit = match form {
        Form::Plain => most,
        Form::Html => PREVIEW_HTML_OCTETS,
    };
    let mut octets = Vec::new();
    let wanted = (limit as u64).saturating_add(1);
    // A body whose transfer encoding is damaged is shown as far as it can be read.
    let read = part.decoded(content)?.take(wanted).read_to_end(&mut octets);
    if let Err(error) = read
        && error.kind() != io::ErrorKind::InvalidData
    {
        return Err(error.into());
    }
    let mut is_cut = octets.len() > limit;
    octets.truncate(limit);
    let decoded = decoded(&octets, part.content_type.parameter("charset"));
    let text = match form {
        Form::Plain => decoded,
        Form::Html => html::text(&decoded),
    };
    let mut text = visible(&text, true);
    if text.len() > most {
        let mut end = most;
        while !text.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        text.truncate(end);
        is_cut = true;
    }
    Ok(Text {
        text,
        from_html: form == Form::Html,
        cut: is_cut,
    })
}

fn decoded(octets: &[u8], label: Option<&str>) -> String {
    let labelled = label.and_then(|label| Encoding::for_label(label.as_bytes()));
    let encoding = labelled.filter(|encoding| *encoding != REPLACEMENT);
    let guessed = match std::str::from_utf8(octets) {
        Err(error) if error.error_len().is_some() => WINDOWS_1252,
        _ => UTF_8,
    };
    encoding.unwrap_or(guessed).decode(octets).0.into_owned()
}

fn file(part: &Part) -> File {
    let field = part.header.first("Content-Disposition");
    let named = field.and_then(|field| disposition(&field.value()).1);
    let name = named.or_else(|| part.content_type.parameter("name").map(str::to_owned));
    let shown = |name: String| {
        cut(
            &visible(&words::decode(name.as_bytes()), false),
            PREVIEW_NAME_CHARS,
        )
    };
    let written = part.body.1.saturating_sub(part.body.0);
    File {
        name: name.map(shown),
        media_type: cut(
            &visible(&part.content_type.to_string(), false),
            PREVIEW_NAME_CHARS,
        ),
        octets: match part.encoding {
            // Lines of 76 characters and their ends make 57 octets.
            TransferEncoding::Base64 => written.saturating_mul(57).checked_div(78).unwrap_or(0),
            _ => written,
        },
    }
}

/// Text in which nothing turns the order of reading or hides: such characters, and control characters, are replaced.
/// `lines`: whether line ends and tabs may stay.
pub fn visible(text: &str, lines: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' if lines => shown.push(c),
            '\r' if lines => {}
            '\n' | '\t' | '\r' => shown.push(' '),
            _ if misleads(c) => shown.push(char::REPLACEMENT_CHARACTER),
            _ => shown.push(c),
        }
    }
    shown
}

/// Control characters and those that change the direction of the text around them (Unicode UAX 9).
const fn misleads(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

fn cut(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

#[cfg(test)]
mod tests;
