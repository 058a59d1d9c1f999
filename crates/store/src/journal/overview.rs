//! The mail overview: which lines a page shows (S89, S90).
//!
//! Each question is answered from an index in the order of the page, whatever is asked for: by word (who, which Message-ID),
//! by what a line is (direction, status, delivery), or neither. What a line is has few values, so a question that leaves
//! some open asks for each of them and merges the answers.
//!
//! Where the index alone does not answer (who, and also what a line is), so many lines are looked at and no more; the page then
//! says how far back it looked, and the next one goes on there.

use sealgate_core::journal::{Direction, MailStatus};
use sealgate_core::queue::MailId;
use sealgate_core::saying::Refusals;
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::{Address, Domain, Timestamp};
use serde::Serialize;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{QueryBuilder, SqliteConnection};

use super::{Delivery, words};
use crate::error::StoreError;
use crate::ids::{first_of, time_of};
use crate::limits::{
    ADDRESSES_OF_ONE_BEGINNING, FREQUENT_WORD_LINES, LINES_LOOKED_AT, LINES_LOOKED_AT_LEAST,
    PAGE_ROWS,
};
use crate::rows::{Columns, json, word};
use crate::store::Store;

/// What the mail overview shows; every field narrows it.
#[derive(Clone, Debug, Default)]
pub struct OverviewFilter {
    /// Of one organisation.
    pub organisation: Option<OrganisationId>,
    /// With this status.
    pub status: Option<MailStatus>,
    /// In this direction.
    pub direction: Option<Direction>,
    /// That stands there.
    pub delivery: Option<Delivery>,
    /// From or to: an address, a domain (`@x.example` or `x.example`), or the beginning of addresses.
    pub party: Option<String>,
    /// With this Message-ID, with or without its angle brackets.
    pub message_id: Option<String>,
    /// Accepted or refused at this time or later.
    pub since: Option<Timestamp>,
    /// Accepted or refused before this time.
    pub until: Option<Timestamp>,
    /// Rows after (older than) this one: the `row` of the last row of the page before.
    pub before: Option<i64>,
    /// Rows newer than this one.
    pub after: Option<i64>,
    /// Most rows.
    pub limit: u32,
}

/// One row of the mail overview: one recipient of one mail.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OverviewRow {
    /// Its number, for the next page.
    pub row: i64,
    /// The mail.
    pub mail: MailId,
    /// Which way.
    pub direction: Direction,
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub organisation: OrganisationId,
    /// Header From, if it is a single address.
    pub header_from: Option<Address>,
    /// Envelope sender; none for the null sender.
    pub envelope_from: Option<Address>,
    /// Envelope recipient.
    pub recipient: Address,
    /// Message-ID.
    pub message_id: Option<String>,
    /// Status.
    pub status: MailStatus,
    /// Where it stands.
    pub delivery: Delivery,
}

/// One page of the mail overview.
#[derive(Clone, Debug, PartialEq)]
pub struct OverviewPage {
    /// Its rows, newest first.
    pub rows: Vec<OverviewRow>,
    /// Where the search stopped before the page was full, if it did: what is older has not been looked at.
    pub searched_to: Option<SearchedTo>,
}

/// How far back lines have been looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchedTo {
    /// The oldest of them: `before` of the page that goes on.
    pub row: i64,
    /// Its time.
    pub at: Timestamp,
}

impl OverviewFilter {
    /// The numbers of lines it allows: from the first to before the second.
    fn numbers(&self) -> (i64, i64) {
        let since = self.since.map_or(0, first_of);
        let until = self.until.map_or(i64::MAX, first_of);
        let from = self.after.map_or(0, |row| row.saturating_add(1)).max(since);
        (from, self.before.unwrap_or(i64::MAX).min(until))
    }

    const fn rows(&self) -> u32 {
        if self.limit < PAGE_ROWS {
            self.limit
        } else {
            PAGE_ROWS
        }
    }

    /// Whether it asks for more than a stretch of time.
    const fn narrows(&self) -> bool {
        self.status.is_some()
            || self.direction.is_some()
            || self.delivery.is_some()
            || self.party.is_some()
            || self.message_id.is_some()
    }
}

/// What a line is, as far as it is asked for.
#[derive(Clone, Copy, Debug, Default)]
struct Facets {
    direction: Option<Direction>,
    status: Option<MailStatus>,
    delivery: Option<Delivery>,
}

impl Facets {
    const fn of(filter: &OverviewFilter) -> Self {
        Self {
            direction: filter.direction,
            status: filter.status,
            delivery: filter.delivery,
        }
    }

    /// Whether few lines may be so. Each direction has about half of them.
    const fn is_rare(&self) -> bool {
        self.status.is_some() || self.delivery.is_some()
    }

    const fn is_any(&self) -> bool {
        !self.is_rare() && self.direction.is_none()
    }

    /// Each way of being so.
    fn each(self) -> Vec<Self> {
        fn one_of<T: Copy>(asked: Option<T>, all: &[T]) -> Vec<T> {
            asked.map_or_else(|| all.to_vec(), |one| vec![one])
        }
        let mut each = Vec::new();
        for direction in one_of(self.direction, &[Direction::Inbound, Direction::Outbound]) {
            for status in one_of(self.status, &MailStatus::ALL) {
                for delivery in one_of(self.delivery, &Delivery::ALL) {
                    each.push(Self {
                        direction: Some(direction),
                        status: Some(status),
                        delivery: Some(delivery),
                    });
                }
            }
        }
        each
    }
}

/// What one question to an index asks for.
#[derive(Clone, Copy)]
struct Question<'q> {
    organisation: Option<i64>,
    /// The lines are found by this word.
    word: Option<&'q str>,
    facets: Facets,
    /// They also have one of each of these words.
    also: &'q [Vec<String>],
    numbers: (i64, i64),
    rows: u32,
}

impl Question<'_> {
    fn sql(&self) -> Result<QueryBuilder<Sqlite>, StoreError> {
        let (from, until) = self.numbers;
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT ");
        let id = match self.word {
            Some(word) => {
                let lines = if self.facets.is_any() {
                    ""
                } else {
                    "CROSS JOIN lines l ON l.id = w.line "
                };
                sql.push("w.line AS id FROM line_words w ")
                    .push(lines)
                    .push("WHERE w.organisation = ")
                    .push_bind(self.organisation)
                    .push(" AND w.word = ")
                    .push_bind(word.to_owned());
                "w.line"
            }
            None => {
                sql.push("l.id FROM lines l WHERE TRUE");
                if let Some(organisation) = self.organisation {
                    sql.push(" AND l.organisation = ").push_bind(organisation);
                }
                "l.id"
            }
        };
        self.facets(&mut sql)?;
        sql.push(format!(" AND {id} >= ")).push_bind(from);
        sql.push(format!(" AND {id} < ")).push_bind(until);
        for any in self.also {
            sql.push(" AND EXISTS (SELECT 1 FROM line_words x WHERE x.organisation = ")
                .push_bind(self.organisation)
                .push(" AND x.word IN (SELECT value FROM json_each(")
                .push_bind(json(any)?)
                .push(format!(")) AND x.line = {id})"));
        }
        sql.push(format!(" ORDER BY {id} DESC LIMIT "))
            .push_bind(i64::from(self.rows));
        Ok(sql)
    }

    fn facets(&self, sql: &mut QueryBuilder<Sqlite>) -> Result<(), StoreError> {
        if let Some(direction) = self.facets.direction {
            sql.push(" AND l.direction = ").push_bind(word(&direction)?);
        }
        if let Some(status) = self.facets.status {
            sql.push(" AND l.status = ").push_bind(status.as_str());
        }
        if let Some(delivery) = self.facets.delivery {
            sql.push(" AND l.delivery = ").push_bind(delivery.as_str());
        }
        Ok(())
    }

    /// Whether its index alone does not answer it: lines that it finds are then looked at and may not belong to the answer.
    const fn looks(&self) -> bool {
        !self.also.is_empty() || self.word.is_some() && !self.facets.is_any()
    }

    /// How many questions one line that is looked at costs.
    fn cost(&self) -> usize {
        self.also.iter().map(Vec::len).sum::<usize>().max(1)
    }

    /// The number of the line that its index finds after `count` newer ones.
    async fn line_after(
        &self,
        reading: &mut SqliteConnection,
        count: usize,
    ) -> Result<Option<i64>, StoreError> {
        let bare = Question {
            also: &[],
            facets: match self.word {
                Some(_) => Facets::default(),
                None => self.facets,
            },
            rows: 1,
            ..*self
        };
        let mut sql = bare.sql()?;
        sql.push(" OFFSET ")
            .push_bind(i64::try_from(count).unwrap_or(i64::MAX));
        let row = sql.build().fetch_optional(reading).await?;
        row.map(|row| row.field("id")).transpose()
    }

    async fn ask(&self, reading: &mut SqliteConnection) -> Result<Vec<i64>, StoreError> {
        let rows = self.sql()?.build().fetch_all(reading).await?;
        rows.iter().map(|row| row.field("id")).collect()
    }
}

impl Store {
    /// Rows of the mail overview, newest first, however many lines have to be looked at. Refused if more than
    /// [`ADDRESSES_OF_ONE_BEGINNING`] addresses begin as the filter says.
    pub async fn overview(
        &self,
        mut filter: OverviewFilter,
    ) -> Result<Vec<OverviewRow>, StoreError> {
        filter.limit = filter.rows();
        let mut rows = Vec::new();
        loop {
            let page = self.overview_page(&filter).await?;
            let found = u32::try_from(page.rows.len()).unwrap_or(u32::MAX);
            rows.extend(page.rows);
            let Some(to) = page.searched_to else {
                return Ok(rows);
            };
            filter.before = Some(to.row);
            filter.limit = filter.limit.saturating_sub(found);
        }
    }

    /// One page of it: what is found among as many lines as may be looked at for one page.
    pub async fn overview_page(&self, filter: &OverviewFilter) -> Result<OverviewPage, StoreError> {
        let organisations = match filter.organisation {
            // Indexes are by organisation; the installation's page is the newest of all their pages.
            None if filter.narrows() => {
                let all = self.organisations().await?;
                all.iter().map(|one| Some(one.id)).collect()
            }
            one => vec![one],
        };
        let mut reading = self.0.readers.acquire().await?;
        let (mut lines, mut stop) = (Vec::new(), None);
        for organisation in organisations {
            let own = OverviewFilter {
                organisation,
                ..filter.clone()
            };
            let (found, own_stop) = page(&mut reading, &own).await?;
            lines.extend(found);
            stop = stop.max(own_stop);
        }
        lines.retain(|line| stop.is_none_or(|stop| *line >= stop));
        lines.sort_unstable_by(|one, other| other.cmp(one));
        lines.dedup();
        let most = filter.rows() as usize;
        let stop = stop.filter(|_| lines.len() < most);
        lines.truncate(most);
        Ok(OverviewPage {
            rows: rows(&mut reading, &lines).await?,
            searched_to: stop.map(|row| SearchedTo {
                row,
                at: time_of(row),
            }),
        })
    }
}

/// The numbers of the lines of a page, perhaps more and not in order, and the line before which nothing was looked at.
async fn page(
    reading: &mut SqliteConnection,
    filter: &OverviewFilter,
) -> Result<(Vec<i64>, Option<i64>), StoreError> {
    let facets = Facets::of(filter);
    let mut asked = Vec::new();
    if let (Some(party), Some(organisation)) = (&filter.party, filter.organisation) {
        asked.push(words_of(reading, organisation.0, party).await?);
    }
    if let Some(id) = &filter.message_id {
        asked.push(vec![words::of_message_id(id)]);
    }
    let question = Question {
        organisation: filter.organisation.map(|one| one.0),
        word: None,
        facets,
        also: &[],
        numbers: filter.numbers(),
        rows: filter.rows(),
    };
    let by_word = match asked.last() {
        Some(by) => !(facets.is_rare() && is_frequent(reading, &question, by).await?),
        None => false,
    };
    let mut questions = each(question, &asked, by_word);
    let stop = stop(reading, &questions).await?;
    let mut lines = Vec::new();
    for question in &mut questions {
        question.numbers.0 = question.numbers.0.max(stop.unwrap_or(0));
        lines.extend(question.ask(reading).await?);
    }
    Ok((lines, stop))
}

/// The questions whose answers make a page: one for each word, or for each way that a line can be.
fn each<'q>(question: Question<'q>, asked: &'q [Vec<String>], by_word: bool) -> Vec<Question<'q>> {
    match asked.split_last() {
        Some((by, also)) if by_word => {
            let one = |word: &'q String| Question {
                word: Some(word.as_str()),
                also,
                ..question
            };
            by.iter().map(one).collect()
        }
        None if question.facets.is_any() => vec![question],
        _ => {
            let one = |facets| Question {
                facets,
                also: asked,
                ..question
            };
            question.facets.each().into_iter().map(one).collect()
        }
    }
}

/// The line before which they do not look this time; none if they look at all that there are. All stop at the same line, so that
/// their answers can be merged.
async fn stop(
    reading: &mut SqliteConnection,
    questions: &[Question<'_>],
) -> Result<Option<i64>, StoreError> {
    let mut open = Vec::new();
    for question in questions.iter().filter(|question| question.looks()) {
        if question.line_after(reading, 0).await?.is_some() {
            open.push(question);
        }
    }
    let cost: usize = open.iter().map(|question| question.cost()).sum();
    let each = LINES_LOOKED_AT.checked_div(cost).unwrap_or(LINES_LOOKED_AT);
    let each = each.max(LINES_LOOKED_AT_LEAST);
    let mut stop = None;
    for question in open {
        stop = stop.max(question.line_after(reading, each.saturating_sub(1)).await?);
    }
    Ok(stop)
}

/// The words that `party` stands for: one, or all addresses that begin so and the domain of that name.
async fn words_of(
    reading: &mut SqliteConnection,
    organisation: i64,
    party: &str,
) -> Result<Vec<String>, StoreError> {
    let party = party.trim();
    if let Ok(address) = Address::parse(party) {
        return Ok(vec![address.key()]);
    }
    let domain =
        Domain::parse(party.trim_start_matches('@')).map(|domain| words::of_domain(&domain));
    if party.starts_with('@') {
        return Ok(domain.into_iter().collect());
    }
    let begins = party.to_lowercase();
    let rows = sqlx::query(
        "WITH RECURSIVE found (word) AS (
            SELECT (SELECT word FROM line_words WHERE organisation = $1 AND word >= $2 AND word < $3 ORDER BY word LIMIT 1)
            UNION ALL
            SELECT (SELECT word FROM line_words w WHERE w.organisation = $1 AND w.word > found.word AND w.word < $3
                    ORDER BY w.word LIMIT 1)
            FROM found WHERE word IS NOT NULL)
         SELECT word FROM found WHERE word IS NOT NULL LIMIT $4",
    )
    .bind(organisation)
    .bind(&begins)
    .bind(format!("{begins}\u{10ffff}"))
    .bind(ADDRESSES_OF_ONE_BEGINNING as i64 + 1)
    .fetch_all(reading)
    .await?;
    if rows.len() > ADDRESSES_OF_ONE_BEGINNING {
        return Err(StoreError::refused(Refusals::ManyAddresses {
            most: ADDRESSES_OF_ONE_BEGINNING as i64,
            beginning: party.to_string(),
        }));
    }
    let mut words = rows
        .iter()
        .map(|row| row.field("word"))
        .collect::<Result<Vec<String>, _>>()?;
    words.extend(domain);
    Ok(words)
}

/// Whether so many lines have one of these words that it is better to look for what the lines are.
async fn is_frequent(
    reading: &mut SqliteConnection,
    question: &Question<'_>,
    words: &[String],
) -> Result<bool, StoreError> {
    let mut left = FREQUENT_WORD_LINES;
    for word in words {
        let row = sqlx::query(
            "SELECT COUNT(*) AS lines FROM (SELECT 1 FROM line_words
             WHERE organisation = $1 AND word = $2 AND line >= $3 AND line < $4 LIMIT $5)",
        )
        .bind(question.organisation)
        .bind(word)
        .bind(question.numbers.0)
        .bind(question.numbers.1)
        .bind(left)
        .fetch_one(&mut *reading)
        .await?;
        left = left.saturating_sub(row.field("lines")?);
        if left <= 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The rows of these lines, in their order.
async fn rows(
    reading: &mut SqliteConnection,
    lines: &[i64],
) -> Result<Vec<OverviewRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT l.id, l.mail, l.direction, l.at, l.organisation, m.header_from, m.envelope_from, l.recipient, m.message_id,
                l.status, l.delivery
         FROM json_each($1) j CROSS JOIN lines l ON l.id = j.value CROSS JOIN mails m ON m.id = l.mail",
    )
    .bind(json(&lines)?)
    .fetch_all(reading)
    .await?;
    let mut rows = rows
        .iter()
        .map(overview_row)
        .collect::<Result<Vec<_>, _>>()?;
    rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.row));
    Ok(rows)
}

fn overview_row(row: &SqliteRow) -> Result<OverviewRow, StoreError> {
    Ok(OverviewRow {
        row: row.field("id")?,
        mail: MailId(row.field("mail")?),
        direction: row.word("direction")?,
        at: row.time("at")?,
        organisation: row.organisation("organisation")?,
        header_from: row.optional_address("header_from")?,
        envelope_from: row.optional_address("envelope_from")?,
        recipient: row.address("recipient")?,
        message_id: row.field("message_id")?,
        status: row.word("status")?,
        delivery: row.word("delivery")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::world;
    use sqlx::{AssertSqlSafe, Row};

    const HELD: Facets = Facets {
        direction: Some(Direction::Inbound),
        status: Some(MailStatus::Failed),
        delivery: Some(Delivery::Held),
    };

    /// A page of all organisations waits for one connection, never for a second one while it holds the first.
    #[tokio::test]
    async fn one_connection_is_enough_for_a_page() {
        let world = world().await;
        let mut others = Vec::new();
        for _ in 1..crate::limits::READERS {
            others.push(world.store.0.readers.acquire().await.unwrap());
        }
        let filter = OverviewFilter {
            status: Some(MailStatus::Plain),
            limit: 9,
            ..OverviewFilter::default()
        };
        let page = world.store.overview_page(&filter);
        let page = tokio::time::timeout(std::time::Duration::from_secs(2), page).await;
        assert_eq!(page.unwrap().unwrap().rows, []);
    }

    /// No question reads a whole table or sorts: each is a walk along an index, in the order of the page.
    #[tokio::test]
    async fn every_question_is_answered_in_the_order_of_an_index() {
        let world = world().await;
        let also = [vec!["@x.example".to_owned()]];
        let any = Facets::default();
        for (organisation, word, facets, also, index) in [
            (
                Some(1),
                None,
                any,
                &[][..],
                "lines_organisation (organisation=? AND id>? AND id<?)",
            ),
            (
                None,
                None,
                any,
                &[],
                "INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
            ),
            (
                Some(1),
                None,
                HELD,
                &[],
                "lines_facets (organisation=? AND direction=? AND status=? AND delivery=? AND id>? AND id<?)",
            ),
            (
                Some(1),
                None,
                HELD,
                &also,
                "lines_facets (organisation=? AND direction=? AND status=? AND delivery=? AND id>? AND id<?)",
            ),
            (
                Some(1),
                Some("a@x.example"),
                any,
                &[],
                "PRIMARY KEY (organisation=? AND word=? AND line>? AND line<?)",
            ),
            (
                Some(1),
                Some("a@x.example"),
                HELD,
                &also,
                "PRIMARY KEY (organisation=? AND word=? AND line>? AND line<?)",
            ),
        ] {
            let question = Question {
                organisation,
                word,
                facets,
                also,
                numbers: (1, 9),
                rows: 50,
            };
            let sql = format!(
                "EXPLAIN QUERY PLAN {}",
                question.sql().unwrap().sql().as_str()
            );
            let plan = sqlx::query(AssertSqlSafe(sql))
                .fetch_all(&world.store.0.readers)
                .await
                .unwrap();
            let plan: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
            assert!(plan[0].contains(index), "{plan:?}");
            let walks = |step: &String| {
                !step.starts_with("SCAN")
                    || step.contains("json_each")
                    || step.contains(" l") && organisation.is_none()
            };
            assert!(plan.iter().all(walks), "{plan:?}");
            assert!(
                !plan.iter().any(|step| step.contains("TEMP B-TREE")),
                "{plan:?}"
            );
        }
    }

    #[test]
    fn what_is_left_open_is_asked_for_one_by_one() {
        assert_eq!(HELD.each().len(), 1);
        let held = Facets {
            delivery: Some(Delivery::Held),
            ..Facets::default()
        };
        assert_eq!(held.each().len(), 2 * MailStatus::ALL.len());
        let is_listed = |delivery: Delivery| match delivery {
            Delivery::ToOpen
            | Delivery::Waiting
            | Delivery::Delivered
            | Delivery::Failed
            | Delivery::Held
            | Delivery::Deleted
            | Delivery::Refused
            | Delivery::Answered => Delivery::ALL.contains(&delivery),
        };
        assert!(Delivery::ALL.into_iter().all(is_listed));
    }
}
