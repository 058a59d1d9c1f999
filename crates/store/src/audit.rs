//! The audit log: every change, by whom and when, each line hashed with the one before, so that a missing or changed
//! line shows.

use aws_lc_rs::digest::{Context, SHA256};
use sealgate_mail::Timestamp;
use serde::Serialize;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{QueryBuilder, SqliteConnection};

use crate::error::StoreError;
use crate::limits::PAGE_ROWS;
use crate::rows::Columns;
use crate::store::Store;

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditLine {
    /// Its number, without gaps.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub who: String,
    /// Name of the organisation.
    pub organisation: String,
    /// What, in words.
    pub text: String,
}

/// A line to be written.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub at: Timestamp,
    pub who: &'a str,
    pub organisation: &'a str,
    pub text: &'a str,
}

fn hash(before: &[u8], id: i64, entry: Entry<'_>) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    let fields = [
        before,
        &id.to_be_bytes(),
        &entry.at.0.to_be_bytes(),
        entry.who.as_bytes(),
        entry.organisation.as_bytes(),
        entry.text.as_bytes(),
    ];
    for field in fields {
        context.update(&(field.len() as u64).to_be_bytes());
        context.update(field);
    }
    context.finish().as_ref().to_vec()
}

pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    entry: Entry<'_>,
) -> Result<(), StoreError> {
    let last = sqlx::query("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1")
        .fetch_optional(&mut *connection)
        .await?;
    let (id, before) = match &last {
        Some(row) => (
            row.field::<i64>("id")?.saturating_add(1),
            row.field("hash")?,
        ),
        None => (1, Vec::new()),
    };
    sqlx::query(
        "INSERT INTO audit (id, at, who, organisation, text, hash) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(entry.at.0)
    .bind(entry.who)
    .bind(entry.organisation)
    .bind(entry.text)
    .bind(hash(&before, id, entry))
    .execute(connection)
    .await?;
    Ok(())
}

/// Which lines of the audit log; every field narrows it.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// About the organisation of this name.
    pub organisation: Option<String>,
    /// By whom, as it stands there.
    pub who: Option<String>,
    /// Whose text holds this.
    pub search: Option<String>,
    /// Older than the line of this number.
    pub before: Option<i64>,
    /// Most lines.
    pub limit: u32,
}

impl Store {
    /// One page of the audit log, newest first.
    pub async fn audit_page(&self, query: &AuditQuery) -> Result<Vec<AuditLine>, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM audit WHERE TRUE");
        if let Some(organisation) = &query.organisation {
            sql.push(" AND organisation = ").push_bind(organisation);
        }
        if let Some(who) = &query.who {
            sql.push(" AND who = ").push_bind(who);
        }
        if let Some(search) = &query.search {
            sql.push(" AND instr(text, ")
                .push_bind(search)
                .push(") > 0");
        }
        if let Some(before) = query.before {
            sql.push(" AND id < ").push_bind(before);
        }
        sql.push(" ORDER BY id DESC LIMIT ")
            .push_bind(i64::from(query.limit.min(PAGE_ROWS)));
        let rows = sql.build().fetch_all(&self.0.readers).await?;
        rows.iter().map(line).collect()
    }

    /// Lines of the audit log after the one numbered `after` (0: from the start), oldest first.
    pub async fn audit(&self, after: i64, limit: u32) -> Result<Vec<AuditLine>, StoreError> {
        let rows = self.audit_rows(after, limit).await?;
        rows.iter().map(line).collect()
    }

    /// Follows the whole chain; the number of the first line that does not fit, or none.
    pub async fn audit_break(&self) -> Result<Option<i64>, StoreError> {
        let (mut after, mut before) = (0, Vec::new());
        loop {
            let rows = self.audit_rows(after, PAGE_ROWS).await?;
            if rows.is_empty() {
                return Ok(None);
            }
            for row in &rows {
                let line = line(row)?;
                let entry = Entry {
                    at: line.at,
                    who: &line.who,
                    organisation: &line.organisation,
                    text: &line.text,
                };
                let stored: Vec<u8> = row.field("hash")?;
                if line.id != after + 1 || stored != hash(&before, line.id, entry) {
                    return Ok(Some(line.id));
                }
                (after, before) = (line.id, stored);
            }
        }
    }

    async fn audit_rows(&self, after: i64, limit: u32) -> Result<Vec<SqliteRow>, StoreError> {
        Ok(
            sqlx::query("SELECT * FROM audit WHERE id > $1 ORDER BY id LIMIT $2")
                .bind(after)
                .bind(i64::from(limit.min(PAGE_ROWS)))
                .fetch_all(&self.0.readers)
                .await?,
        )
    }
}

fn line(row: &SqliteRow) -> Result<AuditLine, StoreError> {
    Ok(AuditLine {
        id: row.field("id")?,
        at: row.time("at")?,
        who: row.field("who")?,
        organisation: row.field("organisation")?,
        text: row.field("text")?,
    })
}
