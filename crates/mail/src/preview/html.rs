//! The text of HTML: what stands between its tags, each block on a line of its own.

use html5gum::{DefaultEmitter, Token, Tokenizer};

/// Elements whose text is never for reading.
const UNREAD: [&[u8]; 7] = [
    b"script",
    b"style",
    b"title",
    b"template",
    b"noscript",
    b"head",
    b"iframe",
];
/// Elements that stand on lines of their own.
const BLOCKS: [&[u8]; 24] = [
    b"p",
    b"div",
    b"br",
    b"hr",
    b"tr",
    b"li",
    b"ul",
    b"ol",
    b"table",
    b"h1",
    b"h2",
    b"h3",
    b"h4",
    b"h5",
    b"h6",
    b"blockquote",
    b"pre",
    b"section",
    b"article",
    b"header",
    b"footer",
    b"dt",
    b"dd",
    b"body",
];

/// The text of `html`, without markup, white space joined.
pub(super) fn text(html: &str) -> String {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut text = Lines::default();
    let mut unread: Option<Vec<u8>> = None;
    // A text that is read from memory cannot fail.
    for Ok(token) in Tokenizer::new_with_emitter(html, emitter) {
        match (token, &unread) {
            (Token::EndTag(tag), Some(name)) if *tag.name == *name.as_slice() => unread = None,
            (_, Some(_)) => {}
            (Token::StartTag(tag), None) => {
                if UNREAD.contains(&tag.name.as_slice()) && !tag.self_closing {
                    unread = Some(tag.name.0.clone());
                } else if BLOCKS.contains(&tag.name.as_slice()) {
                    text.line();
                } else if matches!(tag.name.as_slice(), b"td" | b"th") {
                    text.push(" ");
                }
            }
            (Token::EndTag(tag), None) if BLOCKS.contains(&tag.name.as_slice()) => text.line(),
            (Token::String(piece), None) => text.push(&String::from_utf8_lossy(&piece.value)),
            _ => {}
        }
    }
    text.0.trim().to_owned()
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self) {
        while self.0.ends_with(' ') {
            self.0.pop();
        }
        // At most one empty line.
        if !self.0.ends_with("\n\n") && !self.0.is_empty() {
            self.0.push('\n');
        }
    }

    fn push(&mut self, piece: &str) {
        for c in piece.chars() {
            let is_space = c.is_whitespace();
            if is_space && (self.0.is_empty() || self.0.ends_with([' ', '\n'])) {
                continue;
            }
            self.0.push(if is_space { ' ' } else { c });
        }
    }
}
