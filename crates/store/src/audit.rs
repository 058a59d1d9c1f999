//! The audit log: every change, by whom and when, each line hashed with the one before, so that a missing or changed
//! line shows.

use aws_lc_rs::digest::{Context, SHA256};
use sealgate_core::saying::Saying;
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::Timestamp;
use serde::Serialize;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{QueryBuilder, SqliteConnection};

use crate::configuration::name_of;
use crate::error::StoreError;
use crate::limits::{AUDIT_LINES_LOOKED_AT, PAGE_ROWS};
use crate::rows::{Columns, sentence};
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
    /// What, in English.
    pub text: String,
    /// What, for every language.
    #[serde(skip)]
    pub said: Saying,
}

/// A line to be written.
pub(crate) struct Entry<'a> {
    pub at: Timestamp,
    pub who: &'a str,
    pub organisation: &'a str,
    pub said: Saying,
}

/// What the hash of a line covers, beside its number and the hash before it.
struct Hashed<'a> {
    at: Timestamp,
    who: &'a str,
    organisation: &'a str,
    text: &'a str,
    said: Option<&'a str>,
}

fn hash(before: &[u8], id: i64, line: &Hashed<'_>) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    let fields = [
        before,
        &id.to_be_bytes(),
        &line.at.0.to_be_bytes(),
        line.who.as_bytes(),
        line.organisation.as_bytes(),
        line.text.as_bytes(),
        line.said.unwrap_or_default().as_bytes(),
    ];
    for field in fields {
        context.update(&(field.len() as u64).to_be_bytes());
        context.update(field);
    }
    context.finish().as_ref().to_vec()
}

/// Writes down what `who` did in an organisation.
pub(crate) async fn tell(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    (who, at): (&str, Timestamp),
    said: impl Into<Saying>,
) -> Result<(), StoreError> {
    let entry = Entry {
        at,
        who,
        organisation: &name_of(connection, organisation).await?,
        said: said.into(),
    };
    insert(connection, entry).await
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
    let (text, said) = sentence(&entry.said)?;
    let hashed = Hashed {
        at: entry.at,
        who: entry.who,
        organisation: entry.organisation,
        text: &text,
        said: said.as_deref(),
    };
    sqlx::query(
        "INSERT INTO audit (id, at, who, organisation, text, said, hash) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id)
    .bind(entry.at.0)
    .bind(entry.who)
    .bind(entry.organisation)
    .bind(&text)
    .bind(&said)
    .bind(hash(&before, id, &hashed))
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

/// One page of the audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditPage {
    /// Its lines, newest first.
    pub lines: Vec<AuditLine>,
    /// The line at which the search stopped before the page was full, if it did: `before` of the page that goes on.
    pub searched_to: Option<i64>,
}

impl AuditQuery {
    const fn rows(&self) -> u32 {
        if self.limit < PAGE_ROWS {
            self.limit
        } else {
            PAGE_ROWS
        }
    }

    /// Whether an index alone does not answer it.
    const fn looks(&self) -> bool {
        self.search.is_some() || self.organisation.is_some() && self.who.is_some()
    }

    /// What an index answers: by the organisation, else by whom.
    fn indexed(&self, sql: &mut QueryBuilder<Sqlite>) {
        match (&self.organisation, &self.who) {
            (Some(organisation), _) => {
                sql.push(" AND organisation = ")
                    .push_bind(organisation.clone());
            }
            (None, Some(who)) => {
                sql.push(" AND who = ").push_bind(who.clone());
            }
            (None, None) => {}
        }
        if let Some(before) = self.before {
            sql.push(" AND id < ").push_bind(before);
        }
    }

    fn sql(&self, stop: Option<i64>) -> QueryBuilder<Sqlite> {
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM audit WHERE TRUE");
        self.indexed(&mut sql);
        if let (Some(_), Some(who)) = (&self.organisation, &self.who) {
            // Not by its index: see above.
            sql.push(" AND +who = ").push_bind(who.clone());
        }
        if let Some(search) = &self.search {
            sql.push(" AND instr(text, ")
                .push_bind(search.clone())
                .push(") > 0");
        }
        if let Some(stop) = stop {
            sql.push(" AND id >= ").push_bind(stop);
        }
        sql.push(" ORDER BY id DESC LIMIT ")
            .push_bind(i64::from(self.rows()));
        sql
    }
}

/// How far the chain has been followed; from its start by default.
#[derive(Clone, Debug, Default)]
pub struct AuditWalk {
    /// The last line that fits.
    pub checked: i64,
    hash: Vec<u8>,
}

/// What a step along the chain found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditStep {
    /// All of these lines fit, and there may be more.
    On,
    /// There are no more: all fit.
    Whole,
    /// This line does not follow from the one before.
    BrokenAt(i64),
}

impl Store {
    /// One page of the audit log, newest first. What no index answers is looked for among so many lines.
    pub async fn audit_page(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        let mut reading = self.0.readers.acquire().await?;
        let mut stop = None;
        if query.looks() {
            let mut sql = QueryBuilder::<Sqlite>::new("SELECT id FROM audit WHERE TRUE");
            query.indexed(&mut sql);
            sql.push(" ORDER BY id DESC LIMIT 1 OFFSET ")
                .push_bind(AUDIT_LINES_LOOKED_AT.saturating_sub(1));
            let row = sql.build().fetch_optional(&mut *reading).await?;
            stop = row.map(|row| row.field::<i64>("id")).transpose()?;
        }
        let mut sql = query.sql(stop);
        let rows = sql.build().fetch_all(&mut *reading).await?;
        let lines = rows.iter().map(line).collect::<Result<Vec<_>, _>>()?;
        let is_full = lines.len() >= query.rows() as usize;
        Ok(AuditPage {
            lines,
            searched_to: stop.filter(|_| !is_full),
        })
    }

    /// Lines of the audit log after the one numbered `after` (0: from the start), oldest first.
    pub async fn audit(&self, after: i64, limit: u32) -> Result<Vec<AuditLine>, StoreError> {
        let rows = self.audit_rows(after, limit).await?;
        rows.iter().map(line).collect()
    }

    /// Follows the whole chain; the number of the first line that does not fit, or none.
    pub async fn audit_break(&self) -> Result<Option<i64>, StoreError> {
        let mut walk = AuditWalk::default();
        loop {
            match self.audit_step(&mut walk).await? {
                AuditStep::On => {}
                AuditStep::Whole => return Ok(None),
                AuditStep::BrokenAt(line) => return Ok(Some(line)),
            }
        }
    }

    /// Follows the chain for some lines more.
    pub async fn audit_step(&self, walk: &mut AuditWalk) -> Result<AuditStep, StoreError> {
        let rows = self.audit_rows(walk.checked, PAGE_ROWS).await?;
        if rows.is_empty() {
            return Ok(AuditStep::Whole);
        }
        for row in &rows {
            let line = line(row)?;
            let hashed = Hashed {
                at: line.at,
                who: &line.who,
                organisation: &line.organisation,
                text: &line.text,
                said: row.field("said")?,
            };
            let stored: Vec<u8> = row.field("hash")?;
            let follows = line.id == walk.checked.saturating_add(1);
            if !follows || stored != hash(&walk.hash, line.id, &hashed) {
                return Ok(AuditStep::BrokenAt(line.id));
            }
            (walk.checked, walk.hash) = (line.id, stored);
        }
        Ok(AuditStep::On)
    }

    /// The number of the newest line; 0 without any.
    pub async fn audit_newest(&self) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT COALESCE(MAX(id), 0) AS newest FROM audit")
            .fetch_one(&self.0.readers)
            .await?;
        row.field("newest")
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
        said: row.said()?,
    })
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row};

    use super::*;
    use crate::testing::world;

    fn query(organisation: bool, who: bool, search: Option<&str>) -> AuditQuery {
        AuditQuery {
            organisation: organisation.then(|| "office".to_owned()),
            who: who.then(|| "anna".to_owned()),
            search: search.map(str::to_owned),
            before: Some(1_000_000),
            limit: 50,
        }
    }

    #[tokio::test]
    async fn every_page_is_read_along_an_index() {
        let world = world().await;
        for (organisation, who, index) in [
            (true, false, "audit_organisation (organisation=? AND id"),
            (true, true, "audit_organisation (organisation=? AND id"),
            (false, true, "audit_who (who=? AND id"),
            (false, false, "INTEGER PRIMARY KEY (rowid"),
        ] {
            for search in [None, Some("text")] {
                let query = query(organisation, who, search);
                let sql = query.sql(query.looks().then_some(1));
                let sql = format!("EXPLAIN QUERY PLAN {}", sql.sql().as_str());
                let plan = sqlx::query(AssertSqlSafe(sql))
                    .fetch_all(&world.store.0.readers)
                    .await
                    .unwrap();
                let plan: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
                assert!(plan.len() == 1 && plan[0].contains(index), "{plan:?}");
            }
        }
    }

    /// A search looks at so many lines and says where it stopped; the next page goes on there.
    #[tokio::test]
    async fn a_search_stops_and_goes_on() {
        let world = world().await;
        let first = world.store.audit(0, 1).await.unwrap();
        let more = format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {AUDIT_LINES_LOOKED_AT})
             INSERT INTO audit (id, at, who, organisation, text, hash) SELECT 1000 + i, 0, 'b', 'c', 'd', x'00' FROM n"
        );
        world.store.raw(more.leak()).await.unwrap();
        let mut query = AuditQuery {
            search: Some(first[0].text.clone()),
            limit: 50,
            ..AuditQuery::default()
        };
        let page = world.store.audit_page(&query).await.unwrap();
        assert_eq!((page.lines.len(), page.searched_to), (0, Some(1001)));
        query.before = page.searched_to;
        let page = world.store.audit_page(&query).await.unwrap();
        assert!(page.lines.contains(&first[0]));
        assert_eq!(page.searched_to, None);
    }
}
