//! What of foreign text is shown: letters that nobody sees, or that turn the way of writing, have one text look like another.

/// Whether a character shows nothing that is meant to be read, or ends a line, or turns the way of writing.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
        )
        || matches!(
            c,
            '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}'
        )
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// `text` on one line, with a blank for each hidden character, and cut to `most` characters.
pub fn visible(text: &str, most: usize) -> String {
    let shown = |c: char| if is_hidden(c) { ' ' } else { c };
    text.chars().map(shown).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_become_blanks() {
        let hidden = "\n\u{85}\u{ad}\u{115f}\u{180e}\u{200d}\u{2028}\u{202e}\u{2066}\u{2800}\u{3164}\u{feff}\u{e0041}";
        for c in hidden.chars() {
            assert_eq!(visible(&format!("a{c}b"), 9), "a b", "{c:?}");
        }
        assert_eq!(visible("Büro 日本 'x'", 99), "Büro 日本 'x'");
        assert_eq!(visible("abc", 2), "ab");
    }
}
