//! How an address stands in a table: whole where there is room, else it breaks after its `@`, not within a word.

use std::fmt;

use askama::filters::{Escaper, Html, HtmlSafe};

use crate::limits::LONG_PART;

/// An address (or a domain, or a name that may be one) with the places at which its line may break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// `text` as it is; it is escaped when it is written.
    pub fn new(text: impl fmt::Display) -> Self {
        Self(text.to_string())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, piece) in self.0.split_inclusive('@').flat_map(pieces).enumerate() {
            if place > 0 {
                out.write_str("<wbr>")?;
            }
            Html.write_escaped_str(&mut *out, piece)?;
        }
        Ok(())
    }
}

// Everything in it goes through the escaper; `<wbr>` is ours.
impl HtmlSafe for Address {}

/// A part that is too long for a line of its own breaks after its dots too.
fn pieces(part: &str) -> impl Iterator<Item = &str> {
    let is_long = part.chars().count() > LONG_PART;
    part.split_inclusive(move |char| is_long && char == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_breaks_after_its_at_and_is_escaped() {
        let table = [
            ("", ""),
            ("all", "all"),
            ("anna@office.example", "anna@<wbr>office.example"),
            (
                "anna@a.very.long.subdomain.office.example",
                "anna@<wbr>a.<wbr>very.<wbr>long.<wbr>subdomain.<wbr>office.<wbr>example",
            ),
            ("<b>@x\"&'", "&#60;b&#62;@<wbr>x&#34;&#38;&#39;"),
            ("\"a@b\"@c.example", "&#34;a@<wbr>b&#34;@<wbr>c.example"),
        ];
        for (text, written) in table {
            assert_eq!(Address::new(text).to_string(), written);
        }
    }
}
