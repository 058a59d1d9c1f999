//! Lists of mailboxes as people have them: CSV with one column `address`, or the columns `name` and `domain`; with a line of
//! names or without.

use std::borrow::Cow;

use csv::{ReaderBuilder, StringRecord};
use encoding_rs::{Encoding, WINDOWS_1252};
use sealgate_core::saying::{Inputs, Saying};

use crate::export::value;
use crate::limits::IMPORT_LINES;
use crate::problem::Problem;

/// The addresses of a list, each with the number of its line; what stands there is not judged.
pub fn read(octets: &[u8]) -> Result<Vec<(u64, String)>, Problem> {
    let text = text_of(octets)?;
    let text = text.as_ref();
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(text))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut columns = None;
    let mut lines = Vec::new();
    let mut count = LineCount::default();
    let mut last = StringRecord::new();
    for record in reader.records() {
        let record = record.map_err(|error| Problem {
            detail: Some(
                Inputs::Unread {
                    why: error.to_string(),
                }
                .into(),
            ),
            ..Problem::new("list-unreadable")
        })?;
        let line = count.at(text, &record);
        last.clone_from(&record);
        if record.iter().all(str::is_empty) || is_hint(&record) {
            continue;
        }
        if columns.is_none() {
            columns = Some(Columns::of(&record));
            if Columns::is_head(&record) {
                continue;
            }
        }
        if lines.len() == IMPORT_LINES {
            return Err(Problem::new("list-too-long"));
        }
        lines.push((line, columns.unwrap_or_default().address(&record)));
    }
    match is_open(text, &last) {
        true => Err(Problem {
            detail: Some(Saying::words(count.ends.saturating_add(1).to_string())),
            ..Problem::new("list-open-quote")
        }),
        false => Ok(lines),
    }
}

/// Whether the last record has swallowed lines, because a quotation mark was never closed.
fn is_open(text: &str, last: &StringRecord) -> bool {
    let begins = last.position().map_or(0, csv::Position::byte);
    let begins = usize::try_from(begins).unwrap_or(usize::MAX);
    let raw = text.get(begins..).unwrap_or_default();
    raw.matches('"').count() % 2 == 1 && last.iter().any(|cell| cell.contains('\n'))
}

/// What spreadsheets write before a list to say what stands between columns.
fn is_hint(record: &StringRecord) -> bool {
    record.get(0).is_some_and(|cell| cell.starts_with(HINT))
}

const HINT: &str = "sep=";

/// A list as text: UTF-8, with a mark at its beginning or without, or as spreadsheets of Windows write it: Windows-1252 or UTF-16
/// ("Unicode text").
fn text_of(octets: &[u8]) -> Result<Cow<'_, str>, Problem> {
    let encoding = match std::str::from_utf8(octets) {
        Ok(text) => return Ok(Cow::Borrowed(text.trim_start_matches('\u{feff}'))),
        Err(_) => Encoding::for_bom(octets).map_or(WINDOWS_1252, |(marked, _)| marked),
    };
    let (text, _, has_errors) = encoding.decode(octets);
    let is_text = |c: char| !c.is_control() || matches!(c, '\r' | '\n' | '\t');
    match !has_errors && text.chars().all(is_text) {
        true => Ok(text),
        false => Err(Problem::new("list-not-text")),
    }
}

/// Counts lines. The reader says where a record begins, but counts the end of the line before it where that is CRLF or lines are
/// empty.
#[derive(Default)]
struct LineCount {
    octets: usize,
    ends: u64,
}

impl LineCount {
    /// The line on which `record` begins.
    fn at(&mut self, text: &str, record: &StringRecord) -> u64 {
        let begins = record.position().map_or(0, csv::Position::byte);
        let begins = usize::try_from(begins).unwrap_or(usize::MAX);
        let rest = text.as_bytes().get(self.octets..).unwrap_or_default();
        let before = begins.saturating_sub(self.octets);
        let is_end = |octet: &u8| matches!(octet, b'\r' | b'\n');
        let blank = rest.iter().skip(before).take_while(|octet| is_end(octet));
        let passed = before.saturating_add(blank.count());
        let ends = rest.iter().take(passed).filter(|octet| **octet == b'\n');
        self.ends = self.ends.saturating_add(ends.count() as u64);
        self.octets = self.octets.saturating_add(passed);
        self.ends.saturating_add(1)
    }
}

/// What stands between columns: what is more frequent in the first line.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    if let Some(&[named]) = first.strip_prefix(HINT).map(str::as_bytes) {
        return named;
    }
    let count = |delimiter: char| first.matches(delimiter).count();
    [(b',', count(',')), (b';', count(';')), (b'\t', count('\t'))]
        .into_iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map_or(b',', |(delimiter, _)| delimiter)
}

/// Where the address stands in a line.
#[derive(Clone, Copy, Default)]
enum Columns {
    /// In this column.
    #[default]
    First,
    /// In this column, as the head says.
    Address(usize),
    /// Name and domain in these columns.
    NameDomain(usize, usize),
}

const ADDRESS: [&str; 12] = [
    "address",
    "adresse",
    "e-mail",
    "email",
    "mail",
    "e-mail-adresse",
    "e-mailadresse",
    "email-adresse",
    "mailadresse",
    "e-mail address",
    "email address",
    "mail address",
];
const NAME: [&str; 5] = ["name", "mailbox", "postfach", "benutzername", "user name"];
const DOMAIN: [&str; 3] = ["domain", "domäne", "domaene"];

impl Columns {
    fn find(head: &StringRecord, names: &[&str]) -> Option<usize> {
        let is_named = |cell: &str| names.contains(&cell.to_lowercase().as_str());
        head.iter().position(is_named)
    }

    /// A line without any address or domain whose cells are names of columns.
    fn is_head(record: &StringRecord) -> bool {
        let has = |names: &[&str]| Self::find(record, names).is_some();
        !record.iter().any(|cell| cell.contains(['@', '.'])) && (has(&ADDRESS) || has(&NAME))
    }

    /// By the head, if the first line is one; else by what the first line looks like.
    fn of(first: &StringRecord) -> Self {
        if !Self::is_head(first) {
            let is_split = first.len() > 1 && !first.iter().any(|cell| cell.contains('@'));
            return match is_split {
                true => Self::NameDomain(0, 1),
                false => Self::First,
            };
        }
        let (name, domain) = (Self::find(first, &NAME), Self::find(first, &DOMAIN));
        match (Self::find(first, &ADDRESS), name, domain) {
            (Some(address), _, _) => Self::Address(address),
            (None, Some(name), Some(domain)) => Self::NameDomain(name, domain),
            (None, Some(name), None) => Self::Address(name),
            (None, None, _) => Self::First,
        }
    }

    fn address(self, record: &StringRecord) -> String {
        let cell = |column| value(record.get(column).unwrap_or_default());
        match self {
            Self::First => cell(0).to_owned(),
            Self::Address(column) => cell(column).to_owned(),
            Self::NameDomain(name, domain) => format!("{}@{}", cell(name), cell(domain)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_people_have_them() {
        let table: [(&str, &[(u64, &str)]); 18] = [
            ("", &[]),
            (
                "a@x.example\nb@x.example\n",
                &[(1, "a@x.example"), (2, "b@x.example")],
            ),
            ("address\na@x.example\n", &[(2, "a@x.example")]),
            (
                "\u{feff}Adresse\r\na@x.example\r\n\r\nb@x.example",
                &[(2, "a@x.example"), (4, "b@x.example")],
            ),
            ("name,domain\na,x.example\n", &[(2, "a@x.example")]),
            ("Domäne;Name\nx.example;a\n", &[(2, "a@x.example")]),
            (
                "a,x.example\nb,x.example",
                &[(1, "a@x.example"), (2, "b@x.example")],
            ),
            ("a@x.example;Alice\n", &[(1, "a@x.example")]),
            (
                "id,address,state\n1,a@x.example,active\n",
                &[(2, "a@x.example")],
            ),
            ("address\n'=1@x.example\n", &[(2, "=1@x.example")]),
            ("\"a@x.example\"\n", &[(1, "a@x.example")]),
            ("nobody\na@x.example", &[(1, "nobody"), (2, "a@x.example")]),
            // As spreadsheets in German write it, with a note that has lines of its own.
            (
                "sep=;\r\n\"E-Mail-Adresse\";\"Notiz\"\r\n\"a@x.example\";\"eins\r\nzwei; drei\"\r\nb@x.example;\r\n",
                &[(3, "a@x.example"), (5, "b@x.example")],
            ),
            ("Postfach;Domäne\r\na;x.example\r\n", &[(2, "a@x.example")]),
            ("Mailbox\na@x.example\n", &[(2, "a@x.example")]),
            // Names that are names of columns too.
            (
                "mail,x.example\nname,x.example\n",
                &[(1, "mail@x.example"), (2, "name@x.example")],
            ),
            ("name;5\" disk\na@x.example;b\n", &[(2, "a@x.example")]),
            ("\na@x.example\n", &[(2, "a@x.example")]),
        ];
        for (text, expected) in table {
            let found = read(text.as_bytes()).unwrap();
            let found: Vec<(u64, &str)> = found
                .iter()
                .map(|(line, text)| (*line, text.as_str()))
                .collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn texts_of_spreadsheets_that_are_not_utf_8() {
        let of_windows = b"Dom\xe4ne;Name\r\nb\xfcro.example;j\xf6rg\r\n";
        let expected = [(2, "jörg@büro.example".to_owned())];
        assert_eq!(read(of_windows).unwrap(), expected);
        let wide = "\u{feff}Domäne\tName\r\nbüro.example\tjörg\r\n".encode_utf16();
        let wide: Vec<u8> = wide.flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&wide).unwrap(), expected);
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_swallows_nothing_unseen() {
        for text in [
            "a@x.example;\"Alice\nb@x.example;Bob\nc@x.example;Carl\n",
            "\"a@x.example\nb@x.example\n",
        ] {
            let refused = read(format!("address;name\n{text}").as_bytes()).unwrap_err();
            let told = refused.detail.map(|told| told.to_string());
            assert_eq!(
                (refused.code, told.as_deref()),
                ("list-open-quote", Some("2")),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_a_list() {
        for octets in [b"PK\x03\x04\xff\x00".as_slice(), b"\x89PNG\r\n\x1a\n\x00"] {
            assert_eq!(read(octets).unwrap_err().code, "list-not-text");
        }
        let long = "a@x.example\n".repeat(IMPORT_LINES + 1);
        assert_eq!(read(long.as_bytes()).unwrap_err().code, "list-too-long");
        let most = "a@x.example\n".repeat(IMPORT_LINES);
        assert_eq!(read(most.as_bytes()).unwrap().len(), IMPORT_LINES);
    }
}
