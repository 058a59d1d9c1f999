//! Address lists of header fields, read one way or not at all (RFC 5322 section 3.4, RFC 6854, RFC 6532).
//!
//! What another reader could take for another address is an error here, never a guess (row G5 of the attack list):
//! obsolete routes, quoted local parts, blanks or comments inside an address, a bare `@` in a display name, encoded words
//! inside an address, semicolons between addresses, empty places between commas. Time grows linearly with the value.

use crate::address::{Address, AddressError, Mailbox, is_atext, shown};
use crate::limits::COMMENT_DEPTH;
use crate::words;

/// What an address field holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressList {
    /// Every mailbox in order, members of groups included.
    pub mailboxes: Vec<Mailbox>,
    /// Whether a group stands in the list, even an empty one.
    pub groups: bool,
}

/// Reads the value of an address field; only the mailboxes, groups dissolved.
pub fn parse_mailboxes(value: &[u8]) -> Result<Vec<Mailbox>, AddressError> {
    parse_address_list(value).map(|list| list.mailboxes)
}

/// Reads the value of an address field, folded or not.
///
/// `address-list = (address *("," address))`, an address being a mailbox or `display-name ":" [group-list] ";"`.
pub fn parse_address_list(value: &[u8]) -> Result<AddressList, AddressError> {
    let tokens = tokens(value).ok_or_else(|| refused(value))?;
    if tokens.is_empty() {
        return Err(AddressError::Empty);
    }
    let mut reader = Reader {
        list: AddressList::default(),
        group: Group::Outside,
    };
    let mut element = Vec::new();
    for token in tokens {
        match token {
            Token::Special(':')
                if reader.group == Group::Outside && !element.contains(&Token::Special('<')) =>
            {
                reader.open(&element).ok_or_else(|| refused(value))?;
                element.clear();
            }
            Token::Special(';') if reader.group == Group::Inside => {
                reader.close(&element)?;
                element.clear();
            }
            Token::Special(',') => {
                reader.comma(&element)?;
                element.clear();
            }
            other => element.push(other),
        }
    }
    reader.end(&element)?;
    Ok(reader.list)
}

/// The mailboxes of those elements of an address field that can be read; the rest is passed over.
/// Only for questions where missing an address does no harm.
pub(crate) fn readable_mailboxes(value: &[u8]) -> Vec<Mailbox> {
    if let Ok(list) = parse_address_list(value) {
        return list.mailboxes;
    }
    let Some(tokens) = tokens(value) else {
        return Vec::new();
    };
    tokens
        .split(|token| *token == Token::Special(','))
        .filter_map(|element| mailbox(element).ok())
        .collect()
}

fn refused(value: &[u8]) -> AddressError {
    AddressError::Syntax(shown(&String::from_utf8_lossy(value)))
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A run of atext and dots, as written.
    Word(String),
    /// The content of a quoted string, unescaped.
    Quoted(String),
    /// A domain literal with its brackets.
    Literal(String),
    /// One of `<>@,:;`.
    Special(char),
    /// Blanks, comments or both.
    Blank,
}

/// Splits a value into tokens; `None` if a comment, quoted string or literal does not end, or a character has no place.
fn tokens(value: &[u8]) -> Option<Vec<Token>> {
    let text = String::from_utf8_lossy(value);
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let token = match c {
            ' ' | '\t' => Token::Blank,
            '\r' | '\n' => fold_mark(c, &mut chars)?,
            '(' => comment(&mut chars)?,
            '"' => Token::Quoted(delimited(&mut chars, '"')?),
            '[' => Token::Literal(format!("[{}]", delimited(&mut chars, ']')?)),
            '<' | '>' | '@' | ',' | ':' | ';' => Token::Special(c),
            c if c == '.' || is_word_char(c) => {
                let mut word = String::from(c);
                while let Some(next) = chars.next_if(|n| *n == '.' || is_word_char(*n)) {
                    word.push(next);
                }
                Token::Word(word)
            }
            _ => return None,
        };
        if !(token == Token::Blank && tokens.last() == Some(&Token::Blank)) {
            tokens.push(token);
        }
    }
    tokens.pop_if(|last| *last == Token::Blank);
    if tokens.first() == Some(&Token::Blank) {
        tokens.remove(0);
    }
    Some(tokens)
}

/// Display names may hold what `Address::parse` refuses, undecodable octets among it; no controls.
fn is_word_char(c: char) -> bool {
    is_atext(c) || (!c.is_ascii() && !c.is_control())
}

type Chars<'t> = std::iter::Peekable<std::str::Chars<'t>>;

/// A line break is only a fold: CRLF or LF before a blank (RFC 5322 section 2.2.3).
fn fold_mark(c: char, chars: &mut Chars<'_>) -> Option<Token> {
    if c == '\r' {
        chars.next_if_eq(&'\n')?;
    }
    chars
        .next_if(|next| matches!(next, ' ' | '\t'))
        .map(|_| Token::Blank)
}

/// The rest of a comment (RFC 5322 section 3.2.2); the depth is counted, not recursed.
fn comment(chars: &mut Chars<'_>) -> Option<Token> {
    let mut depth = 1usize;
    while depth > 0 {
        match chars.next()? {
            '(' if depth < COMMENT_DEPTH => depth = depth.saturating_add(1),
            '(' => return None,
            ')' => depth = depth.saturating_sub(1),
            '\\' => {
                chars.next().filter(|c| !c.is_control())?;
            }
            c @ ('\r' | '\n') => {
                fold_mark(c, chars)?;
            }
            c if c.is_control() && c != '\t' => return None,
            _ => {}
        }
    }
    Some(Token::Blank)
}

/// The rest of a quoted string or domain literal, unescaped (RFC 5322 sections 3.2.4 and 3.4.1).
fn delimited(chars: &mut Chars<'_>, end: char) -> Option<String> {
    let mut out = String::new();
    loop {
        match chars.next()? {
            c if c == end => return Some(out),
            '\\' if end == '"' => out.push(chars.next().filter(|c| !c.is_control())?),
            c @ ('\r' | '\n') => {
                fold_mark(c, chars)?;
                out.push(' ');
            }
            '\t' => out.push(' '),
            c if c.is_control() => return None,
            c => out.push(c),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Outside,
    Inside,
    /// After `;`: only a comma or the end may follow.
    Closed,
}

struct Reader {
    list: AddressList,
    group: Group,
}

impl Reader {
    /// A group begins; `name` is its display name.
    fn open(&mut self, name: &[Token]) -> Option<()> {
        phrase(name).filter(|text| !text.is_empty())?;
        self.group = Group::Inside;
        self.list.groups = true;
        Some(())
    }

    /// A group ends with `last`, which may be nothing if the group is empty.
    fn close(&mut self, last: &[Token]) -> Result<(), AddressError> {
        self.group = Group::Closed;
        if is_blank(last) {
            return Ok(());
        }
        self.list.mailboxes.push(mailbox(last)?);
        Ok(())
    }

    fn comma(&mut self, element: &[Token]) -> Result<(), AddressError> {
        if self.group == Group::Closed {
            self.group = Group::Outside;
            return only_blank(element);
        }
        self.list.mailboxes.push(mailbox(element)?);
        Ok(())
    }

    fn end(&mut self, element: &[Token]) -> Result<(), AddressError> {
        match self.group {
            Group::Closed => only_blank(element),
            Group::Inside => Err(AddressError::Syntax("a group that does not end".to_owned())),
            Group::Outside => self.comma(element),
        }
    }
}

fn is_blank(tokens: &[Token]) -> bool {
    tokens.iter().all(|token| *token == Token::Blank)
}

fn only_blank(tokens: &[Token]) -> Result<(), AddressError> {
    if is_blank(tokens) {
        Ok(())
    } else {
        Err(AddressError::Syntax("text after a group".to_owned()))
    }
}

/// `mailbox = name-addr / addr-spec` (RFC 5322 section 3.4).
fn mailbox(tokens: &[Token]) -> Result<Mailbox, AddressError> {
    let tokens = trimmed(tokens);
    let malformed = || AddressError::Syntax(shown(&written(tokens)));
    match tokens
        .iter()
        .position(|token| *token == Token::Special('<'))
    {
        None => Ok(Mailbox {
            name: None,
            address: addr_spec(tokens)?,
        }),
        Some(open) => {
            let (name, rest) = tokens.split_at_checked(open).ok_or_else(malformed)?;
            let inner = rest
                .strip_prefix(&[Token::Special('<')])
                .ok_or_else(malformed)?;
            let inner = inner
                .strip_suffix(&[Token::Special('>')])
                .ok_or_else(malformed)?;
            let name = phrase(name).ok_or_else(malformed)?;
            let address = addr_spec(inner)?;
            Ok(Mailbox {
                name: Some(name).filter(|text| !text.is_empty()),
                address,
            })
        }
    }
}

fn trimmed(mut tokens: &[Token]) -> &[Token] {
    while let [Token::Blank, rest @ ..] | [rest @ .., Token::Blank] = tokens {
        tokens = rest;
    }
    tokens
}

/// `addr-spec = local-part "@" domain` with nothing between and, unlike section 4.4, no obsolete blanks or routes.
fn addr_spec(tokens: &[Token]) -> Result<Address, AddressError> {
    let malformed = || AddressError::Syntax(shown(&written(tokens)));
    let [local, Token::Special('@'), domain] = tokens else {
        return Err(malformed());
    };
    let domain = match domain {
        Token::Word(text) | Token::Literal(text) => text,
        _ => return Err(malformed()),
    };
    match local {
        // Some readers decode encoded words even here. A quoted local part is read as nothing or as a name by others.
        Token::Word(local) if !local.contains("=?") => Address::parse(&format!("{local}@{domain}")),
        _ => Err(malformed()),
    }
}

/// The text of a display name; `None` if it holds what no display name may. Dots are let through (`obs-phrase`).
fn phrase(tokens: &[Token]) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut run = String::new();
    for token in tokens {
        match token {
            Token::Blank => {
                if !run.is_empty() {
                    run.push(' ');
                }
            }
            Token::Word(word) => run.push_str(word),
            Token::Quoted(text) => {
                parts.push(words::decode(run.trim().as_bytes()));
                run.clear();
                parts.push(text.clone());
            }
            Token::Literal(_) | Token::Special(_) => return None,
        }
    }
    parts.push(words::decode(run.trim().as_bytes()));
    parts.retain(|part| !part.is_empty());
    let name = parts.join(" ");
    let sound = !name.chars().any(char::is_control);
    sound.then(|| name.trim().to_owned())
}

/// The tokens as text, for errors only.
fn written(tokens: &[Token]) -> String {
    tokens
        .iter()
        .map(|token| match token {
            Token::Word(text) | Token::Literal(text) => text.clone(),
            Token::Quoted(text) => crate::address::quoted(text),
            Token::Special(c) => c.to_string(),
            Token::Blank => " ".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(value: &str) -> Result<String, AddressError> {
        let list = parse_address_list(value.as_bytes())?;
        let mailbox = |m: &Mailbox| match &m.name {
            Some(name) => format!("{name}|{}", m.address),
            None => m.address.to_string(),
        };
        let all: Vec<String> = list.mailboxes.iter().map(mailbox).collect();
        Ok(format!(
            "{}{}",
            if list.groups { "G " } else { "" },
            all.join(" ")
        ))
    }

    #[test]
    fn what_has_one_reading() {
        let table = [
            ("a@x.example", "a@x.example"),
            (" a@x.example ", "a@x.example"),
            ("<a@x.example>", "a@x.example"),
            ("Alice <a@x.example>", "Alice|a@x.example"),
            ("Alice<a@x.example>", "Alice|a@x.example"),
            ("\"Doe, Alice\" <a@x.example>", "Doe, Alice|a@x.example"),
            ("\"a@x.example\" <b@y.example>", "a@x.example|b@y.example"),
            ("John Q. Public <a@x.example>", "John Q. Public|a@x.example"),
            (
                "=?utf-8?Q?Gr=C3=BC=C3=9Fe?= <a@x.example>",
                "Grüße|a@x.example",
            ),
            (
                "=?utf-8?Q?a=40x?= =?utf-8?Q?.example?= <b@y.example>",
                "a@x.example|b@y.example",
            ),
            ("Grüße <a@x.example>", "Grüße|a@x.example"),
            ("a@x.example (Alice (the \\) first))", "a@x.example"),
            ("(c) Alice (c) <a@x.example> (c)", "Alice|a@x.example"),
            (
                "Alice\r\n <a@x.example>,\r\n\tb@y.example",
                "Alice|a@x.example b@y.example",
            ),
            ("\"\" <a@x.example>", "a@x.example"),
            ("a@[192.0.2.1]", "a@[192.0.2.1]"),
            ("jürgen@bücher.example", "jürgen@xn--bcher-kva.example"),
            ("undisclosed-recipients:;", "G "),
            (
                "Team: a@x.example, Bob <b@y.example>; , c@z.example",
                "G a@x.example Bob|b@y.example c@z.example",
            ),
            ("Team:a@x.example;", "G a@x.example"),
        ];
        for (value, expected) in table {
            assert_eq!(list(value).as_deref(), Ok(expected), "{value}");
        }
    }

    #[test]
    fn g5_what_could_be_read_differently_is_refused() {
        let table = [
            "",
            " ",
            "Alice",
            "<>",
            "a@x.example <b@y.example>",
            "a@x.example b@y.example",
            "<@r.example,@s.example:c@x.example>",
            "<@r.example:c@x.example>",
            "<b@y.example,c@z.example>",
            "<a@x.example> b@y.example",
            "<a@x.example><b@y.example>",
            "<<a@x.example>>",
            "<a@x.example",
            "a@x.example>",
            "a(c)@x.example",
            "a@(c)x.example",
            "a @x.example",
            "a@ x.example",
            "a@x .example",
            "<a@x.example (c)>",
            "< a@x.example>",
            "a@x.example.",
            "a@x.example,",
            ",a@x.example",
            "a@x.example,,b@y.example",
            "a@x.example;b@y.example",
            "a@x.example;",
            "Team: a@x.example",
            "Team: a@x.example; b@y.example",
            "Team: Other: a@x.example;;",
            ":a@x.example;",
            "=?utf-8?Q?a=40x.example?=",
            "=?utf-8?Q?a?=@x.example",
            "=?utf-8?Q?a=40x.example=2C?= b@y.example",
            "=?utf-8?Q?a=0D=0ABcc=3A?= <b@y.example>",
            "\"x@y.example\"@x.example",
            "\"a b\"@x.example",
            "<\"a\"@x.example>",
            "\"a\" @x.example",
            "a@x.example\0",
            "a@x.example\r\nBcc: b@y.example",
            "a@x.example\rb",
            "\"a@x.example",
            "a@x.example (c",
            "a@x.example )",
            "a\\b@x.example",
            "a@[192.0.2.1",
            "a@@x.example",
            "a@b@x.example",
            "Alice [x] <a@x.example>",
        ];
        for value in table {
            assert!(list(value).is_err(), "{value:?} gave {:?}", list(value));
        }
    }

    #[test]
    fn elements_that_can_be_read_are_found_beside_others() {
        let found =
            readable_mailboxes(b"a@x.example, b@y.example c@z.example, \"q,r\" <d@x.example>,");
        let found: Vec<String> = found.iter().map(|m| m.address.to_string()).collect();
        assert_eq!(found, ["a@x.example", "d@x.example"]);
    }

    #[test]
    fn c20_nested_comments_and_long_lists_take_linear_time() {
        let nested = format!("{}a@x.example", "(".repeat(100_000));
        assert!(list(&nested).is_err());
        let many = vec!["a@x.example"; 50_000].join(",");
        assert_eq!(parse_mailboxes(many.as_bytes()).unwrap().len(), 50_000);
    }
}
