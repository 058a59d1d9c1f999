//! Whether code, templates and catalogues agree about the keys of texts. The build and the tests ask it.
//!
//! A key is used where it stands as a literal in `t("..")`, `t1("..")`, `t2("..")`, `Notice::new("..")` or `key("..")`; the code of a
//! problem, in `CODES` or `Problem::new("..")`, uses the key `problem-CODE`.

use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser;

/// A file and what is in it.
pub struct Source {
    /// Its name, as it is told.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What makes pages show a key, or a name in braces, in place of a text.
    pub wrong: Vec<String>,
    /// Keys that nothing uses.
    pub unused: Vec<String>,
}

/// The texts of a catalogue: key, and the values that stand in it.
type Catalogue = BTreeMap<String, BTreeSet<String>>;

/// A key where it is used, with the names of its values if they are known there.
#[derive(Debug, PartialEq, Eq)]
struct Use {
    key: String,
    line: usize,
    values: Option<BTreeSet<String>>,
}

/// Compares `sources` (Rust and templates) with the catalogues, and these with each other.
pub fn compare(sources: &[Source], catalogues: &[Source]) -> Found {
    let mut found = Found::default();
    let mut read = Vec::new();
    for file in catalogues {
        let (catalogue, wrong) = read_catalogue(file);
        found.wrong.extend(wrong);
        read.push((file, catalogue));
    }
    let mut used = BTreeSet::new();
    for source in sources {
        for one in uses(&source.text) {
            for (file, catalogue) in &read {
                found.wrong.extend(judge(source, &one, file, catalogue));
            }
            used.insert(one.key);
        }
    }
    for (file, catalogue) in &read {
        for (other, others) in &read {
            found
                .wrong
                .extend(differences((file, catalogue), (other, others)));
        }
    }
    let keys: BTreeSet<&String> = read.iter().flat_map(|(_, own)| own.keys()).collect();
    let unused = keys.into_iter().filter(|key| !used.contains(*key));
    found.unused = unused
        .map(|key| format!("the text \"{key}\" is used nowhere"))
        .collect();
    found.wrong.sort();
    found.wrong.dedup();
    found
}

fn judge(source: &Source, one: &Use, file: &Source, catalogue: &Catalogue) -> Option<String> {
    let Use { key, line, values } = one;
    let (name, catalogue_name) = (&source.name, &file.name);
    let Some(wanted) = catalogue.get(key) else {
        return Some(format!(
            "{name}:{line}: the text \"{key}\" is missing in {catalogue_name}"
        ));
    };
    let given = values.as_ref()?;
    let absent: Vec<&str> = wanted.difference(given).map(String::as_str).collect();
    (!absent.is_empty()).then(|| {
        let absent = absent.join(", ");
        format!(
            "{name}:{line}: the text \"{key}\" of {catalogue_name} wants a value that is not given: {absent}"
        )
    })
}

/// What one catalogue has and the other has not, or has with other values.
fn differences(
    (file, own): (&Source, &Catalogue),
    (other, others): (&Source, &Catalogue),
) -> Vec<String> {
    let tell = |(key, values): (&String, &BTreeSet<String>)| match others.get(key) {
        None => Some(format!(
            "the text \"{key}\" is in {} and missing in {}",
            file.name, other.name
        )),
        Some(same) if same == values => None,
        Some(_) => {
            let mut names = [&file.name, &other.name];
            names.sort();
            let [first, second] = names;
            Some(format!(
                "the text \"{key}\" has other values in {first} than in {second}"
            ))
        }
    };
    own.iter().filter_map(tell).collect()
}

fn read_catalogue(file: &Source) -> (Catalogue, Vec<String>) {
    let name = &file.name;
    let (resource, mut wrong) = match parser::parse(file.text.as_str()) {
        Ok(resource) => (resource, Vec::new()),
        Err((rest, errors)) => {
            let tell = |error: &parser::ParserError| {
                let line = line_of(&file.text, error.pos.start);
                format!("{name}:{line}: {}", error.kind)
            };
            (rest, errors.iter().map(tell).collect())
        }
    };
    let mut catalogue = Catalogue::new();
    for entry in &resource.body {
        let Entry::Message(message) = entry else {
            continue;
        };
        let key = message.id.name;
        let mut values = BTreeSet::new();
        match &message.value {
            Some(pattern) => values_of(pattern, &mut values),
            None => wrong.push(format!("{name}: the text \"{key}\" is empty")),
        }
        if catalogue.insert(key.to_owned(), values).is_some() {
            wrong.push(format!("{name}: the text \"{key}\" stands there twice"));
        }
    }
    (catalogue, wrong)
}

fn values_of(pattern: &Pattern<&str>, values: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else {
            continue;
        };
        match expression {
            Expression::Inline(inline) => value_of(inline, values),
            Expression::Select { selector, variants } => {
                value_of(selector, values);
                variants
                    .iter()
                    .for_each(|variant| values_of(&variant.value, values));
            }
        }
    }
}

fn value_of(inline: &InlineExpression<&str>, values: &mut BTreeSet<String>) {
    if let InlineExpression::VariableReference { id } = inline {
        values.insert(id.name.to_owned());
    }
}

fn line_of(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    before.matches('\n').count() + 1
}

/// How a key is used, and how the names of its values stand beside it.
enum Form {
    /// No values.
    Plain,
    /// The name is the next argument.
    One,
    /// The names are the first of each of the next two pairs.
    Two,
    /// The values are given elsewhere.
    Elsewhere,
    /// The code of a problem.
    Problem,
}

const CALLS: [(&str, Form); 6] = [
    ("t(", Form::Plain),
    ("t1(", Form::One),
    ("t2(", Form::Two),
    ("key(", Form::Elsewhere),
    ("Notice::new(", Form::Elsewhere),
    ("Problem::new(", Form::Problem),
];

fn uses(text: &str) -> Vec<Use> {
    let mut found = codes(text);
    for (call, form) in &CALLS {
        for (at, _) in text.match_indices(call) {
            if is_inside_a_word(text, at) {
                continue;
            }
            let rest = text.get(at + call.len()..).unwrap_or_default();
            let Some((key, after)) = literal(rest) else {
                continue;
            };
            let (key, values) = match form {
                Form::Plain => (key.to_owned(), Some(BTreeSet::new())),
                Form::One => (key.to_owned(), names(after, 1)),
                Form::Two => (key.to_owned(), names(after, 2)),
                Form::Elsewhere => (key.to_owned(), None),
                Form::Problem => (format!("problem-{key}"), Some(BTreeSet::new())),
            };
            let line = line_of(text, at);
            found.push(Use { key, line, values });
        }
    }
    found
}

fn is_inside_a_word(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default().chars().next_back();
    before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
}

/// A string at the beginning, behind blanks, and what follows it. Keys have no escapes.
fn literal(text: &str) -> Option<(&str, &str)> {
    text.trim_start().strip_prefix('"')?.split_once('"')
}

/// The names of values behind a key: `, "name", ..` or `, ("first", ..), ("second", ..)`. None if they are no literals.
fn names(text: &str, count: usize) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let mut rest = text.trim_start().strip_prefix(',')?;
    if count == 1 {
        let (name, _) = literal(rest)?;
        names.insert(name.to_owned());
        return Some(names);
    }
    for _ in 0..count {
        let (name, after) = literal(rest.trim_start().strip_prefix('(')?)?;
        names.insert(name.to_owned());
        let end = end_of_pair(after)?;
        rest = after.get(end + 1..)?.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    Some(names)
}

/// Where the parenthesis closes that was opened before `text`.
fn end_of_pair(text: &str) -> Option<usize> {
    let (mut depth, mut quoted) = (0_usize, false);
    for (at, letter) in text.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth == 0 => return Some(at),
            ')' if !quoted => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The codes of problems that stand in the table `CODES`.
fn codes(text: &str) -> Vec<Use> {
    let Some(start) = text.find("const CODES:") else {
        return Vec::new();
    };
    let table = text.get(start..).unwrap_or_default();
    let table = table.split("];").next().unwrap_or_default();
    let rows = table.match_indices("(\"").filter_map(|(at, _)| {
        let (code, _) = literal(table.get(at + 1..)?)?;
        Some(Use {
            key: format!("problem-{code}"),
            line: line_of(text, start + at),
            values: Some(BTreeSet::new()),
        })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> Source {
        Source {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    fn told(source: &str, de: &str, en: &str) -> Vec<String> {
        let found = compare(
            &[file("a.rs", source)],
            &[file("de.ftl", de), file("en.ftl", en)],
        );
        [found.wrong, found.unused].concat()
    }

    #[test]
    fn what_agrees_is_silent() {
        let source = r#"
            view.t("plain"); view.t1("one", "name", x); Notice::new("done").number("count", 1);
            view.t2(
                "two",
                ("a", view.date(f(x))),
                ("b", g(")")),
            );
            const X: &str = key("in-a-table"); Problem::new("gone");
            pub const CODES: &[(&str, StatusCode)] = &[("gone", StatusCode::GONE), ("away", StatusCode::GONE)];
            let other = insert("nothing"); let format = get("nothing");
        "#;
        let texts = "plain = a\none = { $name } b\ntwo = { $a } { $b }\ndone = { $count ->\n    [one] x\n   *[other] { $count }\n}\n\
                     in-a-table = c\nproblem-gone = d\nproblem-away = e\n";
        assert_eq!(told(source, texts, texts), Vec::<String>::new());
    }

    #[test]
    fn what_does_not_agree_is_told_with_file_and_key() {
        for (source, de, en, expected) in [
            (
                "\nview.t(\"a\")",
                "",
                "a = x\n",
                &[
                    "a.rs:2: the text \"a\" is missing in de.ftl",
                    "the text \"a\" is in en.ftl and missing in de.ftl",
                ][..],
            ),
            (
                "view.t(\"a\")",
                "a = { $n }\n",
                "a = { $n }\n",
                &[
                    "a.rs:1: the text \"a\" of de.ftl wants a value that is not given: n",
                    "a.rs:1: the text \"a\" of en.ftl wants a value that is not given: n",
                ],
            ),
            (
                "view.t1(\"a\", \"n\", 1)",
                "a = { $n }\n",
                "a = x\n",
                &["the text \"a\" has other values in de.ftl than in en.ftl"],
            ),
            (
                "view.t2(\"a\", (\"n\", 1), (\"m\", 2))",
                "a = { $n } { $k }\n",
                "a = { $n } { $k }\n",
                &[
                    "a.rs:1: the text \"a\" of de.ftl wants a value that is not given: k",
                    "a.rs:1: the text \"a\" of en.ftl wants a value that is not given: k",
                ],
            ),
            (
                "",
                "a = x\n",
                "a = x\n",
                &["the text \"a\" is used nowhere"],
            ),
            (
                "view.t(\"a\")",
                "a = x\na = y\n",
                "a = x\n",
                &["de.ftl: the text \"a\" stands there twice"],
            ),
            (
                "view.t(\"a\")",
                "a = { $n\n",
                "a = x\n",
                &[
                    "a.rs:1: the text \"a\" is missing in de.ftl",
                    "de.ftl:2: Expected a token starting with \"}\"",
                    "the text \"a\" is in en.ftl and missing in de.ftl",
                ],
            ),
            (
                "Problem::new(\"gone\")",
                "",
                "",
                &[
                    "a.rs:1: the text \"problem-gone\" is missing in de.ftl",
                    "a.rs:1: the text \"problem-gone\" is missing in en.ftl",
                ],
            ),
        ] {
            assert_eq!(told(source, de, en), expected, "{source} {de}");
        }
    }

    #[test]
    fn every_text_of_the_portal_is_there_and_used() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let sources = [
            files(&root.join("src"), "rs"),
            files(&root.join("templates"), "html"),
        ]
        .concat();
        assert!(sources.len() > 20, "the files of the portal are found");
        let found = compare(&sources, &files(&root.join("lang"), "ftl"));
        assert_eq!(found, Found::default());
    }

    impl Clone for Source {
        fn clone(&self) -> Self {
            file(&self.name, &self.text)
        }
    }

    fn files(folder: &std::path::Path, end: &str) -> Vec<Source> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_own = path.ends_with("src/keys.rs");
            if path.is_dir() {
                found.extend(files(&path, end));
            } else if path.extension().is_some_and(|own| own == end) && !is_own {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push(file(&path.display().to_string(), &text));
            }
        }
        found
    }
}
