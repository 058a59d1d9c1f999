//! Rules on the plain text of a file: unfinished marks, paths of one machine, RFC references, length.

use super::Finding;
use super::budget::ARCHITECTURE_LINES;
use super::files::Source;

/// Runs every text rule on one file.
pub fn check(source: &Source, found: &mut Vec<Finding>) {
    for (index, line) in source.text.lines().enumerate() {
        let mut add = |rule, what: String| {
            found.push(Finding {
                file: source.path.clone(),
                line: index + 1,
                rule,
                what,
            });
        };
        if let Some(mark) = unfinished_mark(line) {
            add(
                "mark",
                format!("`{mark}` stands for unfinished work: do it, or leave it out"),
            );
        }
        if let Some(path) = machine_path(line) {
            add("path", format!("`{path}` is a path of one machine"));
        }
        let is_code = source.path.ends_with(".rs");
        let prose = if is_code { comment(line) } else { line };
        if let Some(reference) = bad_rfc_reference(prose) {
            add("rfc", format!("write `RFC <number>`, not `{reference}`"));
        }
    }
    let lines = source.text.lines().count();
    if source.path == "ARCHITECTURE.md" && lines > ARCHITECTURE_LINES {
        found.push(Finding {
            file: source.path.clone(),
            line: lines,
            rule: "architecture",
            what: format!("{lines} lines, allowed are {ARCHITECTURE_LINES}"),
        });
    }
}

/// What must stand in a file, because the linter's part of the rules hangs on it.
const MUST_HOLD: &[(&str, &str)] = &[
    ("crates/core/clippy.toml", "std::time::SystemTime::now"),
    ("crates/core/src/lib.rs", "deny(clippy::indexing_slicing)"),
    ("crates/mail/clippy.toml", "std::time::SystemTime::now"),
    ("crates/mail/src/lib.rs", "deny(clippy::indexing_slicing)"),
    ("crates/smime/clippy.toml", "std::time::SystemTime::now"),
    ("crates/smime/src/lib.rs", "deny(clippy::indexing_slicing)"),
];

/// Runs the rules on files that must be there.
pub fn check_held(sources: &[Source], found: &mut Vec<Finding>) {
    let manifests = sources
        .iter()
        .filter(|one| one.path.ends_with("/Cargo.toml") && !one.path.starts_with("fuzz/"))
        .map(|one| (one.path.as_str(), "[lints]\nworkspace = true"));
    for (path, needle) in MUST_HOLD.iter().copied().chain(manifests) {
        let holds = |one: &Source| one.path == path && one.text.contains(needle);
        if !sources.iter().any(holds) {
            found.push(Finding {
                file: path.to_owned(),
                line: 0,
                rule: "lints",
                what: format!("must hold `{}`", needle.replace('\n', " ")),
            });
        }
    }
}

/// The marks, each in two halves so that this file does not hold them.
const MARKS: &[(&str, &str)] = &[
    ("TO", "DO"),
    ("FIX", "ME"),
    ("XX", "X"),
    ("to", "do!"),
    ("unimple", "mented!"),
];

fn unfinished_mark(line: &str) -> Option<String> {
    MARKS
        .iter()
        .map(|(head, tail)| format!("{head}{tail}"))
        .find(|mark| has_word(line, mark))
}

/// The starts of paths, each in two halves so that this file does not hold them.
const MACHINE_PATHS: &[(&str, &str)] = &[
    ("/ho", "me/"),
    ("/ro", "ot/"),
    ("/Use", "rs/"),
    ("/wo", "rk/"),
];

fn machine_path(line: &str) -> Option<String> {
    MACHINE_PATHS
        .iter()
        .map(|(head, tail)| format!("{head}{tail}"))
        .find(|path| {
            line.match_indices(path.as_str()).any(|(at, _)| {
                !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}/*".contains(c))
            })
        })
}

/// Whether `word` stands in `line` with no letter, digit or underscore right before or behind it.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let behind = &line[at + word.len()..];
        !line[..at].ends_with(part_of_word) && !behind.starts_with(part_of_word)
    })
}

/// The comment of a line of code: what follows `//`, but for the one of an address.
fn comment(line: &str) -> &str {
    let start = line
        .match_indices("//")
        .find(|(at, _)| !line[..*at].ends_with(':'));
    start.map_or("", |(at, _)| &line[at..])
}

/// A reference such as `RFC 5322` written in another way. Identifiers (`rfc822Name`) are none.
fn bad_rfc_reference(line: &str) -> Option<String> {
    line.char_indices()
        .filter_map(|(at, _)| line.get(at..at + 3).map(|word| (at, word)))
        .filter(|(at, word)| {
            word.eq_ignore_ascii_case("rfc")
                && !line[..*at].ends_with(|c: char| c.is_alphanumeric() || "_-/.`\"".contains(c))
        })
        .find_map(|(at, word)| {
            let behind = &line[at + 3..];
            let bare = behind.trim_start_matches([' ', '-']);
            let between = &behind[..behind.len() - bare.len()];
            let numbered = bare.starts_with(|c: char| c.is_ascii_digit());
            let right = word == "RFC" && between == " ";
            let identifier = word != "RFC" && between.is_empty();
            (numbered && !right && !identifier).then(|| line[at..].chars().take(10).collect())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules_for(path: &str, text: &str) -> Vec<&'static str> {
        let source = Source {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let mut found = Vec::new();
        check(&source, &mut found);
        found.iter().map(|one| one.rule).collect()
    }

    fn join(head: &str, tail: &str) -> String {
        format!("// {head}{tail} later")
    }

    #[test]
    fn every_unfinished_mark_is_found() {
        for (head, tail) in MARKS {
            assert_eq!(
                rules_for("a.rs", &join(head, tail)),
                ["mark"],
                "{head}{tail}"
            );
        }
        assert!(rules_for("a.md", "mktemp /tmp/XXXXXX, METHODOLOGY, prefixme").is_empty());
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        for (head, tail) in MACHINE_PATHS {
            assert_eq!(
                rules_for("a.toml", &join(head, tail)),
                ["path"],
                "{head}{tail}"
            );
        }
        assert!(rules_for("a.md", "net/works and $HOME/x and ~/x").is_empty());
    }

    #[test]
    fn rfc_references_have_one_form() {
        let glued = format!("// RF{}", "C5322 section 3");
        let hyphen = format!("// see RF{}", "C-5322");
        let lower = format!("// rf{}", "c 5322 says");
        let wide = format!("// RF{}", "C  5322");
        for line in [glued, hyphen, lower, wide] {
            assert_eq!(rules_for("a.rs", &line), ["rfc"], "{line}");
        }
        for line in [
            "// RFC 5322 section 3.6.2, RFC 8551",
            "// an rfc822Name, message/rfc822, fn rfc5322()",
            "// the RFC says so, and `x::Rfc822` is a name",
            "let address_type = \"RFC822;a@x.example\";",
        ] {
            assert!(rules_for("a.rs", line).is_empty(), "{line}");
        }
    }

    #[test]
    fn lint_settings_must_be_there() {
        let sources: Vec<Source> = MUST_HOLD
            .iter()
            .map(|(path, needle)| (*path, *needle))
            .chain([("crates/net/Cargo.toml", "[lints]\nworkspace = true\n")])
            .map(|(path, text)| Source {
                path: path.to_owned(),
                text: text.to_owned(),
            })
            .collect();
        for broken in 0..=sources.len() {
            let mut sources = sources.clone();
            if let Some(source) = sources.get_mut(broken) {
                source.text.clear();
            }
            let mut found = Vec::new();
            check_held(&sources, &mut found);
            assert_eq!(found.len(), usize::from(broken < sources.len()), "{broken}");
        }
    }

    #[test]
    fn a_long_architecture_description_is_found() {
        let lines = |count: usize| "x\n".repeat(count);
        assert_eq!(rules_for("ARCHITECTURE.md", &lines(201)), ["architecture"]);
        assert!(rules_for("ARCHITECTURE.md", &lines(200)).is_empty());
        assert!(rules_for("README.md", &lines(201)).is_empty());
    }
}
