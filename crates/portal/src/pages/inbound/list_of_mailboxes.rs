//! Lists of mailboxes as people have them: CSV with one column `address`, or the columns `name` and `domain`; with a line of
//! names or without.

use csv::{ReaderBuilder, StringRecord};

use crate::export::value;
use crate::limits::IMPORT_LINES;
use crate::problem::Problem;

/// The addresses of a list, each with the number of its line; what stands there is not judged.
pub fn read(octets: &[u8]) -> Result<Vec<(u64, String)>, Problem> {
    let text = std::str::from_utf8(octets).map_err(|_| Problem::new("list-not-text"))?;
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(text))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut columns = None;
    let mut lines = Vec::new();
    let mut count = LineCount::default();
    for record in reader.records() {
        let record = record.map_err(|error| Problem {
            detail: Some(error.to_string()),
            ..Problem::new("list-unreadable")
        })?;
        let line = count.at(text, &record);
        if columns.is_none() {
            columns = Some(Columns::of(&record));
            if Columns::is_head(&record) {
                continue;
            }
        }
        if record.iter().all(str::is_empty) {
            continue;
        }
        if lines.len() == IMPORT_LINES {
            return Err(Problem::new("list-too-long"));
        }
        lines.push((line, columns.unwrap_or_default().address(&record)));
    }
    Ok(lines)
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

const ADDRESS: [&str; 6] = [
    "address",
    "adresse",
    "e-mail",
    "email",
    "mail",
    "e-mail-adresse",
];
const NAME: [&str; 3] = ["name", "mailbox", "benutzername"];
const DOMAIN: [&str; 3] = ["domain", "domäne", "domaene"];

impl Columns {
    fn find(head: &StringRecord, names: &[&str]) -> Option<usize> {
        let is_named = |cell: &str| names.contains(&cell.to_lowercase().as_str());
        head.iter().position(is_named)
    }

    /// A line without any address whose cells are names of columns.
    fn is_head(record: &StringRecord) -> bool {
        let has = |names: &[&str]| Self::find(record, names).is_some();
        !record.iter().any(|cell| cell.contains('@'))
            && (has(&ADDRESS) || (has(&NAME) && has(&DOMAIN)))
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
        let name_domain = Self::find(first, &NAME).zip(Self::find(first, &DOMAIN));
        match (Self::find(first, &ADDRESS), name_domain) {
            (Some(address), _) => Self::Address(address),
            (None, Some((name, domain))) => Self::NameDomain(name, domain),
            (None, None) => Self::First,
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
        let table: [(&str, &[(u64, &str)]); 12] = [
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
    fn what_cannot_be_a_list() {
        assert_eq!(read(b"\xff\xfe").unwrap_err().code, "list-not-text");
        let long = "a@x.example\n".repeat(IMPORT_LINES + 1);
        assert_eq!(read(long.as_bytes()).unwrap_err().code, "list-too-long");
        let most = "a@x.example\n".repeat(IMPORT_LINES);
        assert_eq!(read(most.as_bytes()).unwrap().len(), IMPORT_LINES);
    }
}
