//! Numbers over time that cost the same however much mail there is: lines of the journal by the hour, and certificates that
//! end by the week.
//!
//! The database counts lines itself, in the transaction that writes or moves them (triggers of the schema).

use sealgate_core::journal::{Direction, MailStatus};
use sealgate_core::saying::Refusals;
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::Timestamp;
use serde::Serialize;
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::journal::Delivery;
use crate::limits::{STATISTICS_STRETCHES, WEEK_SECONDS};
use crate::rows::{Columns, json, size};
use crate::store::Store;

/// Lines that are alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineCount {
    /// Which way.
    pub direction: Direction,
    /// Status.
    pub status: MailStatus,
    /// Where they stand.
    pub delivery: Delivery,
    /// How many.
    pub lines: u64,
}

/// What was accepted or refused in a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// From this time.
    pub from: Timestamp,
    /// To before this time.
    pub until: Timestamp,
    /// How many lines of each kind; kinds without any are left out.
    pub counts: Vec<LineCount>,
}

impl Stretch {
    /// How many lines are so.
    pub fn lines(&self, are: impl Fn(&LineCount) -> bool) -> u64 {
        let counts = self.counts.iter().filter(|count| are(count));
        counts.map(|count| count.lines).sum()
    }

    /// How many lines have this status.
    pub fn with_status(&self, status: MailStatus) -> u64 {
        self.lines(|count| count.status == status)
    }
}

/// Current certificates of active mailboxes that end in a week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expiring {
    /// From this time.
    pub from: Timestamp,
    /// To before this time.
    pub until: Timestamp,
    /// How many.
    pub certificates: u64,
}

impl Store {
    /// An organisation's lines from `from` to before `until`, in stretches of `step` seconds; the last one may be shorter. Hours are
    /// not divided: each belongs to the stretch it begins in.
    pub async fn statistics(
        &self,
        organisation: OrganisationId,
        from: Timestamp,
        until: Timestamp,
        step: i64,
    ) -> Result<Vec<Stretch>, StoreError> {
        let step = usize::try_from(step.max(1)).unwrap_or(usize::MAX);
        let mut bounds: Vec<Timestamp> = (from.0..until.0).step_by(step).map(Timestamp).collect();
        bounds.push(until);
        self.statistics_between(organisation, &bounds).await
    }

    /// The same, in stretches from each of `bounds` to before the next one, as days that begin at midnight somewhere. They grow.
    pub async fn statistics_between(
        &self,
        organisation: OrganisationId,
        bounds: &[Timestamp],
    ) -> Result<Vec<Stretch>, StoreError> {
        if bounds.len() > STATISTICS_STRETCHES {
            return Err(StoreError::refused(Refusals::ManyStretches {}));
        }
        let stretch = |pair: &[Timestamp]| match pair {
            [from, until] => Some(Stretch {
                from: *from,
                until: *until,
                counts: Vec::new(),
            }),
            _ => None,
        };
        let mut stretches: Vec<Stretch> = bounds.windows(2).filter_map(stretch).collect();
        let pairs: Vec<(i64, i64)> = stretches
            .iter()
            .map(|one| (one.from.0, one.until.0))
            .collect();
        let rows = sqlx::query(
            "SELECT b.key AS place, s.direction, s.status, s.delivery, SUM(s.lines) AS lines
             FROM json_each($2) b CROSS JOIN statistics s
             WHERE s.organisation = $1 AND s.hour >= b.value ->> 0 AND s.hour < b.value ->> 1
             GROUP BY 1, 2, 3, 4 HAVING SUM(s.lines) > 0",
        )
        .bind(organisation.0)
        .bind(json(&pairs)?)
        .fetch_all(&self.0.readers)
        .await?;
        for row in &rows {
            let place = usize::try_from(row.field::<i64>("place")?).unwrap_or(usize::MAX);
            if let Some(stretch) = stretches.get_mut(place) {
                stretch.counts.push(line_count(row)?);
            }
        }
        Ok(stretches)
    }

    /// How many current certificates of active mailboxes end in each week from `from` to before `until`.
    pub async fn expiries(
        &self,
        organisation: OrganisationId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Expiring>, StoreError> {
        let week = usize::try_from(WEEK_SECONDS).unwrap_or(usize::MAX);
        let expiring = |start: i64| Expiring {
            from: Timestamp(start),
            until: Timestamp(start).plus(WEEK_SECONDS).min(until),
            certificates: 0,
        };
        let starts = (from.0..until.0).step_by(week).take(STATISTICS_STRETCHES);
        let mut weeks: Vec<Expiring> = starts.map(expiring).collect();
        let rows = sqlx::query(
            "SELECT (not_after - $2) / $4 AS week, COUNT(*) AS certificates FROM keys
             WHERE organisation = $1 AND current = 1 AND not_after >= $2 AND not_after < $3 GROUP BY 1",
        )
        .bind(organisation.0)
        .bind(from.0)
        .bind(until.0)
        .bind(WEEK_SECONDS)
        .fetch_all(&self.0.readers)
        .await?;
        for row in &rows {
            let place = usize::try_from(row.field::<i64>("week")?).unwrap_or(usize::MAX);
            if let Some(week) = weeks.get_mut(place) {
                week.certificates = size(row.field("certificates")?);
            }
        }
        Ok(weeks)
    }
}

fn line_count(row: &SqliteRow) -> Result<LineCount, StoreError> {
    Ok(LineCount {
        direction: row.word("direction")?,
        status: row.word("status")?,
        delivery: row.word("delivery")?,
        lines: size(row.field("lines")?),
    })
}
