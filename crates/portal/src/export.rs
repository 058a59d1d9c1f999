//! Tables as CSV files (RFC 4180), in and out; those that go out are sent page by page. A value that a spreadsheet would take for a
//! formula is quoted (row W6).

use std::borrow::Cow;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};

use crate::Portal;
use crate::auth::{Needs, Permitted};
use crate::limits::{EXPORT_AHEAD, PAGE_ROWS_MOST};
use crate::office::{Asked, Page, Paging};
use crate::problem::Problem;
use crate::streaming::{File, Outlet, Piece};

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

/// Lines of a table, as text.
pub struct Table(csv::Writer<Vec<u8>>);

impl Table {
    /// Without any.
    pub fn new() -> Self {
        Self(csv::Writer::from_writer(Vec::new()))
    }

    /// With the names of its columns.
    pub fn with_columns(columns: &[&str]) -> Result<Self, Problem> {
        let mut table = Self::new();
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
}

impl Default for Table {
    fn default() -> Self {
        Self::new()
    }
}

/// Some lines of a table that is too long to be had at once.
#[derive(Debug)]
pub struct Lines {
    /// The lines, each with its values.
    pub lines: Vec<Vec<String>>,
    /// What to give as `after` for those that follow.
    pub next: Option<String>,
}

impl Lines {
    /// Those of `page`.
    pub fn of<T>(page: Page<T>, line: impl Fn(T) -> Vec<String>) -> Self {
        Self {
            lines: page.items.into_iter().map(line).collect(),
            next: page.next,
        }
    }

    fn octets(&self, mut table: Table) -> Result<Bytes, Problem> {
        for line in &self.lines {
            table.line(line)?;
        }
        Ok(Bytes::from(table.text()?))
    }
}

/// A table as a file to save: its name and the names of its columns.
#[derive(Debug)]
pub struct Sheet<'a> {
    /// Name of the file; other characters than letters, digits and dots become hyphens.
    pub name: &'a str,
    /// Names of the columns.
    pub columns: &'a [&'a str],
}

/// Sends all that `ask` answers, page after page, each when the one before is on its way. Nothing is left out: if a page cannot be
/// had, or whoever reads may no longer, the connection is broken off, so that a file that is not whole does not look like one.
pub async fn answer<P, F, A>(
    portal: &Portal,
    permitted: &Permitted<P>,
    sheet: Sheet<'_>,
    mut ask: F,
) -> Result<Response, Problem>
where
    P: Needs,
    F: FnMut(Paging) -> A + Send + 'static,
    A: Future<Output = Asked<Lines>> + Send,
{
    let place = portal.downloads.place(permitted)?;
    let first = ask(page_after(None)).await?;
    let octets = first.octets(Table::with_columns(sheet.columns)?)?;
    let (mut outlet, receiver) = Outlet::open(portal, permitted, place, EXPORT_AHEAD);
    tokio::spawn(async move {
        let (mut octets, mut next) = (octets, first.next);
        while outlet.send(Piece::Octets(octets)).await {
            let Some(after) = next else {
                outlet.send(Piece::End).await;
                return;
            };
            let page = ask(page_after(Some(after))).await;
            match page.and_then(|page| Ok((page.octets(Table::new())?, page.next))) {
                Ok(page) => (octets, next) = page,
                Err(problem) => {
                    tracing::warn!(code = problem.code, "a table was broken off");
                    return;
                }
            }
        }
    });
    Ok((headers(sheet.name), Body::from_stream(File(receiver))).into_response())
}

const fn page_after(after: Option<String>) -> Paging {
    Paging {
        after,
        limit: Some(PAGE_ROWS_MOST),
    }
}

fn headers(name: &str) -> [(HeaderName, String); 2] {
    let name = name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-");
    let disposition = format!("attachment; filename=\"{name}\"");
    [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ]
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
        let mut table = Table::with_columns(&["address", "state"]).unwrap();
        table.line(&["=1+1@example.com", "a \"b\", c"]).unwrap();
        table.line(&["x\r\ny", "z"]).unwrap();
        let text = String::from_utf8(table.0.into_inner().unwrap()).unwrap();
        let expected = "address,state\n'=1+1@example.com,\"a \"\"b\"\", c\"\n\"x\r\ny\",z\n";
        assert_eq!(text, expected);
    }
}
