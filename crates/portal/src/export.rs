//! Tables as CSV files (RFC 4180), in and out. A value that a spreadsheet would take for a formula is quoted (row W6).

use std::borrow::Cow;

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;

/// With these a spreadsheet begins a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A value as a cell: with `'` before it if a spreadsheet would compute it.
pub fn cell(value: &str) -> Cow<'_, str> {
    match value.starts_with(FORMULA) {
        true => Cow::Owned(format!("'{value}")),
        false => Cow::Borrowed(value),
    }
}

/// The value of a cell that was written by [`cell`].
pub fn value(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(value) if value.starts_with(FORMULA) => value,
        _ => cell,
    }
}

/// A table that is written line by line.
pub struct Table(csv::Writer<Vec<u8>>);

impl Table {
    /// Begins with the names of its columns.
    pub fn new(columns: &[&str]) -> Result<Self, Problem> {
        let mut table = Self(csv::Writer::from_writer(Vec::new()));
        table.line(columns)?;
        Ok(table)
    }

    /// One line.
    pub fn line<S: AsRef<str>>(&mut self, values: &[S]) -> Result<(), Problem> {
        let cells: Vec<Cow<'_, str>> = values.iter().map(|value| cell(value.as_ref())).collect();
        let cells = cells.iter().map(|cell| cell.as_bytes());
        self.0.write_record(cells).map_err(Problem::internal)
    }

    /// As text.
    pub fn text(self) -> Result<String, Problem> {
        let octets = self.0.into_inner().map_err(Problem::internal)?;
        String::from_utf8(octets).map_err(Problem::internal)
    }

    /// As a file to save.
    pub fn answer(self, name: &str) -> Result<Response, Problem> {
        let octets = self.0.into_inner().map_err(Problem::internal)?;
        let name: String = name
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '.' {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        let headers = [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"{name}\""),
            ),
        ];
        Ok((headers, octets).into_response())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w6_what_a_spreadsheet_would_compute_is_quoted() {
        for begin in FORMULA {
            let hostile = format!("{begin}cmd|' /C calc'!A0");
            assert_eq!(cell(&hostile), format!("'{hostile}"));
            assert_eq!(value(&cell(&hostile)), hostile);
        }
        for harmless in ["", "alice@example.com", "'quoted", "a=b", " =b"] {
            assert_eq!(cell(harmless), harmless);
            assert_eq!(value(harmless), harmless);
        }
    }

    #[test]
    fn lines_of_a_table() {
        let mut table = Table::new(&["address", "state"]).unwrap();
        table.line(&["=1+1@example.com", "a \"b\", c"]).unwrap();
        table.line(&["x\r\ny", "z"]).unwrap();
        let text = String::from_utf8(table.0.into_inner().unwrap()).unwrap();
        let expected = "address,state\n'=1+1@example.com,\"a \"\"b\"\", c\"\n\"x\r\ny\",z\n";
        assert_eq!(text, expected);
    }
}
