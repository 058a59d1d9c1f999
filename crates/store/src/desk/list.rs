//! The queue as administrators see it.

use sealgate_core::queue::{CopyId, MailId};
use sealgate_core::saying::Saying;
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::smtp::{Envelope, EnvelopeRecipient};
use sealgate_mail::{Address, Timestamp};
use serde::Serialize;
use sqlx::QueryBuilder;
use sqlx::sqlite::{Sqlite, SqliteRow};

use crate::error::StoreError;
use crate::journal::Delivery;
use crate::limits::PAGE_ROWS;
use crate::queue::noted;
use crate::rows::{Columns, size};
use crate::store::Store;

/// Which part of the queue is listed; every field narrows it.
#[derive(Clone, Copy, Debug, Default)]
pub struct QueueFilter {
    /// Of one organisation.
    pub organisation: Option<OrganisationId>,
    /// Of one mail.
    pub mail: Option<MailId>,
    /// Only held mail.
    pub held: bool,
    /// Rows after this one: the `row` of the last row of the page before.
    pub after: Option<i64>,
    /// Most rows.
    pub limit: u32,
}

/// One recipient of one copy in the queue, or of a mail to be opened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueRow {
    /// Its number, for the next page.
    pub row: i64,
    /// The mail; [`queue_id`] is the form people see.
    pub mail: MailId,
    /// The copy; none for a mail to be opened.
    pub copy: Option<CopyId>,
    /// Whose.
    pub organisation: OrganisationId,
    /// Whether it is a report of ours.
    pub report: bool,
    /// MAIL FROM; none for the null sender.
    pub from: Option<Address>,
    /// RCPT TO.
    pub recipient: Address,
    /// `to-open`, `waiting` or `held`.
    pub state: Delivery,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
    /// When it is tried next, if it waits.
    pub next_attempt: Option<Timestamp>,
    /// Until when it is held.
    pub held_until: Option<Timestamp>,
    /// Why it is held, as a word, or what went wrong last, in English.
    pub note: Option<String>,
    /// The same as it is told.
    #[serde(skip)]
    pub said: Option<Saying>,
    /// Octets of the mail as received.
    pub size: u64,
}

impl Store {
    /// One page of the queue, oldest first. The recipients of a mail to be opened stand in one row of the database, so
    /// they are never parted, and a page may be a little longer than asked for.
    pub async fn queue(&self, filter: QueueFilter) -> Result<Vec<QueueRow>, StoreError> {
        let limit = filter.limit.min(PAGE_ROWS);
        let mut rows = Vec::new();
        if !filter.held {
            for row in self.to_open_rows(filter, limit).await? {
                rows.extend(to_open_row(&row)?);
            }
        }
        let copies = self.copy_rows(filter, limit).await?;
        rows.extend(copies.iter().map(copy_row).collect::<Result<Vec<_>, _>>()?);
        rows.sort_by_key(|row| row.row);
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let last = wanted.checked_sub(1).and_then(|last| rows.get(last));
        if let Some(last) = last.map(|row| row.row) {
            rows.retain(|row| row.row <= last);
        }
        Ok(rows)
    }

    async fn to_open_rows(
        &self,
        filter: QueueFilter,
        limit: u32,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let mut query = to_open_query(filter, limit);
        Ok(query.build().fetch_all(&self.0.readers).await?)
    }

    async fn copy_rows(
        &self,
        filter: QueueFilter,
        limit: u32,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let mut query = copy_query(filter, limit);
        Ok(query.build().fetch_all(&self.0.readers).await?)
    }
}

fn to_open_query(filter: QueueFilter, limit: u32) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT o.id AS row, o.mail, o.envelope, o.attempts, o.next_attempt, m.organisation, m.at, m.size,
                m.envelope_from
         FROM to_open o CROSS JOIN mails m ON m.id = o.mail WHERE o.copy IS NULL",
    );
    narrow(&mut query, filter, ["o.organisation", "o.mail", "o.id"]);
    query
        .push(" ORDER BY o.id LIMIT ")
        .push_bind(i64::from(limit));
    query
}

/// Begins with what there is least of: the copies of one mail, or the list that is kept of what waits or is held.
fn copy_query(filter: QueueFilter, limit: u32) -> QueryBuilder<Sqlite> {
    let from = match filter.mail {
        Some(_) => "copies c CROSS JOIN recipients r ON r.copy = c.id",
        None => "recipients r CROSS JOIN copies c ON c.id = r.copy",
    };
    let state = match filter.held {
        true => "r.held_until IS NOT NULL",
        false => "r.state IN ('waiting', 'held')",
    };
    let mut query = QueryBuilder::<Sqlite>::new(format!(
        "SELECT r.id AS row, c.mail, r.copy, c.organisation, c.report, c.envelope_from, r.envelope, r.state,
                c.accepted AS at, r.attempts, r.due, r.next_attempt, r.held_until, r.note, m.size
         FROM {from} CROSS JOIN mails m ON m.id = c.mail WHERE {state}"
    ));
    narrow(&mut query, filter, ["r.organisation", "c.mail", "r.id"]);
    query
        .push(" ORDER BY r.id LIMIT ")
        .push_bind(i64::from(limit));
    query
}

fn narrow(
    query: &mut QueryBuilder<Sqlite>,
    filter: QueueFilter,
    [organisation, mail, row]: [&str; 3],
) {
    if let Some(id) = filter.organisation {
        query
            .push(" AND ")
            .push(organisation)
            .push(" = ")
            .push_bind(id.0);
    }
    if let Some(id) = filter.mail {
        query.push(" AND ").push(mail).push(" = ").push_bind(id.0);
    }
    if let Some(after) = filter.after {
        query.push(" AND ").push(row).push(" > ").push_bind(after);
    }
}

fn to_open_row(row: &SqliteRow) -> Result<Vec<QueueRow>, StoreError> {
    let envelope: Envelope = row.json("envelope")?;
    let one = |recipient: EnvelopeRecipient| {
        Ok(QueueRow {
            row: row.field("row")?,
            mail: MailId(row.field("mail")?),
            copy: None,
            organisation: row.organisation("organisation")?,
            report: false,
            from: row.optional_address("envelope_from")?,
            recipient: recipient.address,
            state: Delivery::ToOpen,
            accepted: row.time("at")?,
            attempts: attempts(row)?,
            next_attempt: Some(row.time("next_attempt")?),
            held_until: None,
            note: None,
            said: None,
            size: size(row.field("size")?),
        })
    };
    envelope.recipients.into_iter().map(one).collect()
}

fn copy_row(row: &SqliteRow) -> Result<QueueRow, StoreError> {
    let state: Delivery = row.word("state")?;
    let (note, said) = row.field::<Option<&str>>("note")?.map(noted).unzip();
    Ok(QueueRow {
        row: row.field("row")?,
        mail: MailId(row.field("mail")?),
        copy: Some(CopyId(row.field("copy")?)),
        organisation: row.organisation("organisation")?,
        report: row.field("report")?,
        from: row.optional_address("envelope_from")?,
        recipient: row.json::<EnvelopeRecipient>("envelope")?.address,
        state,
        accepted: row.time("at")?,
        attempts: attempts(row)?,
        next_attempt: (state == Delivery::Waiting)
            .then(|| row.time("next_attempt"))
            .transpose()?,
        held_until: row.optional_time("held_until")?,
        note,
        said,
        size: size(row.field("size")?),
    })
}

fn attempts(row: &SqliteRow) -> Result<u32, StoreError> {
    Ok(u32::try_from(row.field::<i64>("attempts")?).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row};

    use super::*;
    use crate::testing::world;

    /// Each list is a walk along an index in the order of the page; that of one mail may be sorted.
    #[tokio::test]
    async fn the_queue_is_read_along_an_index() {
        let world = world().await;
        let (one, mail) = (Some(OrganisationId(1)), Some(MailId(1)));
        for (organisation, mail, held, after, copies, to_open) in [
            (
                one,
                None,
                false,
                None,
                "recipients_listed (organisation=?)",
                "to_open_listed (organisation=?)",
            ),
            (
                one,
                None,
                false,
                Some(1),
                "recipients_listed (organisation=? AND id>?)",
                "to_open_listed (organisation=? AND id>?)",
            ),
            (
                one,
                None,
                true,
                Some(1),
                "recipients_held_listed (organisation=? AND id>?)",
                "",
            ),
            (None, None, true, Some(1), "recipients_held_all (id>?)", ""),
            (
                None,
                None,
                false,
                Some(1),
                "INTEGER PRIMARY KEY (rowid>?)",
                "INTEGER PRIMARY KEY (rowid>?)",
            ),
            (
                one,
                mail,
                false,
                None,
                "copies_mail (mail=?)",
                "to_open_mail (mail=?)",
            ),
        ] {
            let filter = QueueFilter {
                organisation,
                mail,
                held,
                after,
                limit: 50,
            };
            for (query, index) in [
                (copy_query(filter, 50), copies),
                (to_open_query(filter, 50), to_open),
            ] {
                let sql = format!("EXPLAIN QUERY PLAN {}", query.sql().as_str());
                let plan = sqlx::query(AssertSqlSafe(sql))
                    .fetch_all(&world.store.0.readers)
                    .await
                    .unwrap();
                let plan: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
                assert!(
                    index.is_empty() || plan[0].contains(index),
                    "{filter:?} {plan:?}"
                );
                assert!(
                    mail.is_some() || !plan.iter().any(|step| step.contains("TEMP B-TREE")),
                    "{plan:?}"
                );
            }
        }
    }
}
