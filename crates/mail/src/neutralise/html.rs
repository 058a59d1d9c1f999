//! HTML written anew from its tokens. What is written is a small language of our own choice, with every tag, quote and
//! character reference made here, so that it holds nothing a reader could fetch, whatever the input was taken for.
//!
//! No tree is built: memory does not grow with the input, and time grows in step with it, however deep tags are nested.

use std::io::{self, Read, Write};

use html5gum::{Emitter, Error, IoReader, State, Tokenizer};

use super::allowed::{self, Element, Target};
use super::css;
use crate::limits::{
    HTML_NAME_OCTETS, HTML_PICTURE_OCTETS, HTML_VALUE_OCTETS, LINK_OCTETS, STYLE_OCTETS,
};

/// What was found in a piece of HTML, or of a calendar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Finding {
    /// How many elements, attributes, declarations and comments were taken out.
    pub removed: usize,
    /// Something in it could be read in two ways: a parse error, or markup where text is expected.
    pub doubtful: bool,
    /// The encoding that `meta` elements name; where they name several, `doubtful` is set.
    pub charset: Option<String>,
}

/// Reads the UTF-8 text `html` and writes it to `out` without what fetches, runs or hides.
pub(super) fn sanitise(html: impl Read, out: &mut dyn Write) -> io::Result<Finding> {
    let sanitiser = Sanitiser {
        out,
        result: None,
        finding: Finding::default(),
        tag: Tag::default(),
        last_start: Vec::new(),
        inside: Inside::Body,
        link: None,
        style: Vec::new(),
        doctype: Vec::new(),
    };
    // The only token there ever is is the end.
    match Tokenizer::new_with_emitter(IoReader::new(html), sanitiser).next() {
        Some(end) => end?,
        None => Err(io::Error::other("HTML without an end")),
    }
}

/// The tag that is being read.
#[derive(Default)]
struct Tag {
    ends: bool,
    name: Vec<u8>,
    self_closing: bool,
    attribute: Option<Attribute>,
    /// What is written of the attributes; each name at most once.
    kept: Vec<(Vec<u8>, String)>,
}

/// The attribute that is being read.
#[derive(Default)]
struct Attribute {
    name: Vec<u8>,
    value: Vec<u8>,
    /// Name or value are longer than any of use.
    overlong: bool,
}

/// What the text that comes belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Body,
    /// An element whose text is not written.
    Swallowed,
    /// An element that is not written, but whose text is.
    Shown,
    /// A style sheet.
    Style,
}

/// A link whose address was taken out.
struct Link {
    address: String,
    /// The beginning of what it shows.
    text: Vec<u8>,
}

struct Sanitiser<'o> {
    out: &'o mut dyn Write,
    /// Set when there is nothing more to do.
    result: Option<io::Result<Finding>>,
    finding: Finding,
    tag: Tag,
    last_start: Vec<u8>,
    inside: Inside,
    link: Option<Link>,
    /// The style sheet that is being read.
    style: Vec<u8>,
    /// Where the document type is said to be described.
    doctype: Vec<u8>,
}

impl Sanitiser<'_> {
    fn write(&mut self, octets: &[u8]) {
        if self.result.is_none()
            && let Err(error) = self.out.write_all(octets)
        {
            self.result = Some(Err(error));
        }
    }

    /// Writes text so that it is text for every reader, also for one that looks for markup where there is none.
    fn write_text(&mut self, text: &[u8]) {
        let mut rest = text;
        while let Some(at) = rest.iter().position(|b| escaped(*b).is_some()) {
            let (plain, after) = rest.split_at_checked(at).unwrap_or((rest, &[]));
            self.write(plain);
            if let Some((special, after)) = after.split_first() {
                self.write(escaped(*special).unwrap_or_default());
                rest = after;
            }
        }
        self.write(rest);
    }

    /// Writes the name of a part or a mailbox with its `@` as it is: some readers look for it without a parser.
    fn write_reference(&mut self, value: &str) {
        for (number, piece) in value.split('@').enumerate() {
            if number > 0 {
                self.write(b"@");
            }
            self.write_text(piece.as_bytes());
        }
    }

    fn removed(&mut self, count: usize) {
        self.finding.removed = self.finding.removed.saturating_add(count);
    }

    /// Tells the address of the link that ends here, unless that is what it shows.
    fn end_link(&mut self) {
        if let Some(link) = self.link.take()
            && !link.shows_address()
        {
            self.write(b" [");
            self.write_text(link.shown_address().as_bytes());
            self.write(b"]");
        }
    }

    /// Decides on the attribute just read.
    fn end_attribute(&mut self) {
        let Some(attribute) = self.tag.attribute.take() else {
            return;
        };
        let name = attribute.name.as_slice();
        let element = allowed::element(&self.tag.name);
        let judged = [
            Element::Kept,
            Element::Void,
            Element::Silent,
            Element::Style,
        ];
        let is_kept = judged.contains(&element) && !self.tag.ends;
        let known = self.tag.kept.iter().any(|(known, _)| known == name);
        if !is_kept || known || attribute.overlong {
            self.finding.doubtful = true;
            self.removed(usize::from(is_kept));
            return;
        }
        let value = String::from_utf8_lossy(&attribute.value).into_owned();
        self.finding.doubtful |= value.contains(['<', '>']);
        if let Some(value) = self.judged(name, value) {
            self.tag.kept.push((attribute.name, value));
        }
    }

    /// The value of the attribute called `name` as it may stay.
    fn judged(&mut self, name: &[u8], value: String) -> Option<String> {
        let tag = self.tag.name.as_slice();
        let (kept, removed) = match (tag, name) {
            (b"meta", b"charset" | b"content" | b"http-equiv" | b"name") => (Some(value), 0),
            (b"style", b"media" | b"type") => (Some(value), 0),
            (_, b"style") => match css::declarations(&value) {
                (kept, removed) if kept.is_empty() => (None, removed),
                (kept, removed) => (Some(kept), removed),
            },
            (b"img", b"src") if allowed::is_inside_picture(&value) => (Some(value), 0),
            (b"a", b"href") => return self.judged_link(value),
            (_, b"cite") if allowed::is_inside(&value) => (Some(value), 0),
            _ if allowed::is_harmless_attribute(name, &value) => (Some(value), 0),
            _ => (None, 1),
        };
        self.removed(removed);
        kept
    }

    fn judged_link(&mut self, href: String) -> Option<String> {
        self.end_link();
        match allowed::target(&href) {
            Target::Stays(address) => {
                self.removed(usize::from(address != href));
                return Some(address);
            }
            Target::Told(address) => {
                let text = Vec::new();
                self.link = Some(Link { address, text });
            }
            Target::Gone => {}
        }
        self.removed(1);
        None
    }

    /// A `meta` element is never written. One that names an encoding or gives a word is harmless, any other may act.
    fn meta(&mut self) {
        let kept = std::mem::take(&mut self.tag.kept);
        let value = |name: &[u8]| {
            let found = kept.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        let content = value(b"content").unwrap_or_default();
        let charset = match (value(b"charset"), value(b"http-equiv")) {
            (Some(charset), None) => charset,
            (None, Some(field)) if field.eq_ignore_ascii_case("content-type") => content
                .split_once("charset=")
                .map_or("", |(_, after)| after),
            (None, None) if !content.contains([':', '/']) => return,
            _ => return self.removed(1),
        };
        let found = &mut self.finding;
        let first = found.charset.get_or_insert_with(|| charset.to_owned());
        found.doubtful |= first != charset;
    }

    /// Whether the style sheet that begins here is one for the screen, in CSS.
    fn is_style_for_screen(&self) -> bool {
        self.tag.kept.iter().all(|(name, value)| {
            let value = value.trim().to_ascii_lowercase();
            match name.as_slice() {
                b"type" => ["", "text/css"].contains(&value.as_str()),
                b"media" => ["", "all", "screen"].contains(&value.as_str()),
                _ => true,
            }
        })
    }

    /// Writes what may stay of the style sheet that ends here.
    fn end_style(&mut self) {
        let text = std::mem::take(&mut self.style);
        if text.len() > STYLE_OCTETS {
            return self.removed(1);
        }
        let text = String::from_utf8_lossy(&text);
        let (kept, removed) = css::sheet(&text);
        self.removed(removed);
        self.finding.doubtful |= kept != text;
        if !kept.is_empty() {
            self.write(b"<style>");
            self.write(kept.as_bytes());
            self.write(b"</style>");
        }
    }

    fn start_tag(&mut self) -> Option<State> {
        let element = allowed::element(&self.tag.name);
        self.last_start.clone_from(&self.tag.name);
        match element {
            Element::Kept | Element::Void => self.write_start_tag(),
            Element::Silent if self.tag.name == b"meta" => self.meta(),
            Element::Silent | Element::Style => {}
            Element::Swallowed(_) | Element::Shown(_) | Element::Dropped => {
                self.removed(usize::from(self.tag.name != b"title"));
            }
        }
        // In XHTML an empty element has no content to read.
        let (state, inside) = match element {
            Element::Swallowed(state) if !self.tag.self_closing => (state, Inside::Swallowed),
            Element::Shown(state) if !self.tag.self_closing => (state, Inside::Shown),
            Element::Style if !self.tag.self_closing => {
                if self.is_style_for_screen() {
                    (State::RawText, Inside::Style)
                } else {
                    self.removed(1);
                    (State::RawText, Inside::Swallowed)
                }
            }
            _ => return None,
        };
        self.inside = inside;
        Some(state)
    }

    fn write_start_tag(&mut self) {
        if self.tag.name == b"a" {
            // A link ends where the next begins, unless this is the one whose address was just taken out.
            let fresh = self.link.as_ref().is_some_and(|link| link.text.is_empty());
            if !fresh {
                self.end_link();
            }
        }
        let tag = std::mem::take(&mut self.tag);
        self.write(b"<");
        self.write(&tag.name);
        for (name, value) in &tag.kept {
            self.write(b" ");
            self.write(name);
            self.write(b"=\"");
            match name.as_slice() {
                b"cite" | b"href" | b"src" => self.write_reference(value),
                _ => self.write_text(value.as_bytes()),
            }
            self.write(b"\"");
        }
        self.write(b">");
    }

    fn end_tag(&mut self) {
        if self.inside == Inside::Style {
            self.end_style();
        }
        self.inside = Inside::Body;
        if allowed::element(&self.tag.name) != Element::Kept {
            return;
        }
        if self.tag.name == b"a" {
            self.end_link();
        }
        let name = std::mem::take(&mut self.tag.name);
        self.write(b"</");
        self.write(&name);
        self.write(b">");
    }
}

/// How an octet of text is written, if not as it is: markup, what begins an attribute's value or a CSS function or rule
/// for a careless reader, and controls, which are left out.
fn escaped(b: u8) -> Option<&'static [u8]> {
    match b {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'>' => Some(b"&gt;"),
        b'"' => Some(b"&quot;"),
        b'=' => Some(b"&#61;"),
        b'(' => Some(b"&#40;"),
        b'@' => Some(b"&#64;"),
        b'`' => Some(b"&#96;"),
        b'\t' | b'\n' | b'\r' => None,
        0..=31 | 127 => Some(b""),
        _ => None,
    }
}

impl Link {
    /// Whether the text of the link is its address, with or without scheme and last slash.
    fn shows_address(&self) -> bool {
        let text = String::from_utf8_lossy(&self.text);
        let text = text.trim().trim_end_matches('/');
        let whole = self.address.trim_end_matches('/');
        let short = whole.split_once("//").map_or(whole, |(_, short)| short);
        text == whole || text == short
    }

    fn shown_address(&self) -> String {
        let mut shown = String::new();
        for c in self.address.chars() {
            if shown.len() >= LINK_OCTETS {
                return shown + "...";
            }
            shown.push(c);
        }
        shown
    }
}

/// Appends what fits `most`; whether all did.
fn append(target: &mut Vec<u8>, octets: &[u8], most: usize) -> bool {
    let room = most.saturating_sub(target.len());
    let fits = octets.len() <= room;
    target.extend_from_slice(octets.get(..room).unwrap_or(octets));
    fits
}

impl Emitter for Sanitiser<'_> {
    type Token = io::Result<Finding>;

    fn set_last_start_tag(&mut self, last_start_tag: Option<&[u8]>) {
        self.last_start = last_start_tag.unwrap_or_default().to_vec();
    }

    fn emit_eof(&mut self) {
        // A sheet that does not end may hold text that was meant to be read.
        self.removed(usize::from(self.inside == Inside::Style));
        self.end_link();
        if self.result.is_none() {
            self.result = Some(Ok(std::mem::take(&mut self.finding)));
        }
    }

    fn emit_error(&mut self, error: Error) {
        self.finding.doubtful = true;
        // A tag that does not end is none.
        self.removed(usize::from(error == Error::EofInTag));
    }

    fn pop_token(&mut self) -> Option<Self::Token> {
        self.result.take()
    }

    fn emit_string(&mut self, text: &[u8]) {
        // Elsewhere, a bare one is a parse error.
        self.finding.doubtful |= self.inside != Inside::Body && text.contains(&b'<');
        match self.inside {
            Inside::Swallowed => return,
            Inside::Style => {
                append(&mut self.style, text, STYLE_OCTETS.saturating_add(1));
                return;
            }
            Inside::Body | Inside::Shown => {}
        }
        if let Some(link) = &mut self.link {
            append(&mut link.text, text, LINK_OCTETS);
        }
        self.write_text(text);
    }

    fn init_start_tag(&mut self) {
        self.tag = Tag::default();
    }

    fn init_end_tag(&mut self) {
        self.tag = Tag {
            ends: true,
            ..Tag::default()
        };
    }

    fn push_tag_name(&mut self, name: &[u8]) {
        // A name cut short is none of the table.
        append(&mut self.tag.name, name, HTML_NAME_OCTETS);
    }

    fn set_self_closing(&mut self) {
        self.tag.self_closing = true;
    }

    fn init_attribute(&mut self) {
        self.end_attribute();
        self.tag.attribute = Some(Attribute::default());
    }

    fn push_attribute_name(&mut self, name: &[u8]) {
        if let Some(attribute) = &mut self.tag.attribute {
            attribute.overlong |= !append(&mut attribute.name, name, HTML_NAME_OCTETS);
        }
    }

    fn push_attribute_value(&mut self, value: &[u8]) {
        let is_picture = self.tag.name == b"img";
        if let Some(attribute) = &mut self.tag.attribute {
            let most = match is_picture && attribute.name == b"src" {
                true => HTML_PICTURE_OCTETS,
                false => HTML_VALUE_OCTETS,
            };
            attribute.overlong |= !append(&mut attribute.value, value, most);
        }
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        self.end_attribute();
        if self.tag.ends {
            self.end_tag();
            return None;
        }
        self.start_tag()
    }

    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        self.tag.ends && !self.tag.name.is_empty() && self.tag.name == self.last_start
    }

    fn emit_current_doctype(&mut self) {
        let usual = self.doctype.is_empty() || self.doctype.starts_with(b"http://www.w3.org/");
        self.removed(usize::from(!usual));
        // Readers lay out a page without it differently.
        self.write(b"<!DOCTYPE html>");
    }

    fn init_doctype(&mut self) {
        self.doctype.clear();
    }

    fn set_doctype_system_identifier(&mut self, address: &[u8]) {
        append(&mut self.doctype, address, LINK_OCTETS);
    }

    fn push_doctype_system_identifier(&mut self, address: &[u8]) {
        append(&mut self.doctype, address, LINK_OCTETS);
    }

    fn set_force_quirks(&mut self) {
        // It is malformed, or declares more than a name.
        append(&mut self.doctype, b"?", LINK_OCTETS);
    }

    fn emit_current_comment(&mut self) {
        self.removed(1);
    }

    fn init_comment(&mut self) {}
    fn push_comment(&mut self, _: &[u8]) {}
    fn push_doctype_name(&mut self, _: &[u8]) {}
    fn set_doctype_public_identifier(&mut self, _: &[u8]) {}
    fn push_doctype_public_identifier(&mut self, _: &[u8]) {}
}
