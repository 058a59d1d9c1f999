//! A mail that was opened as rows, and the transaction that settles it.

use sealgate_mail::Timestamp;
use sqlx::SqliteConnection;

use super::{Opened, Parts, delivery_of};
use crate::content::release;
use crate::correspondents::{self, CorrespondentRow};
use crate::error::StoreError;
use crate::journal::{self, NewLine};
use crate::queue::ToOpenLease;
use crate::rows::Columns;
use crate::store::Inner;
use crate::writer::Weight;

/// A mail that was opened, as rows.
pub(crate) struct OpenedRows {
    lease: ToOpenLease,
    now: Timestamp,
    lines: Vec<NewLine>,
    correspondents: Vec<CorrespondentRow>,
    parts: Parts,
}

impl OpenedRows {
    pub fn prepare(inner: &Inner, opened: Opened) -> Result<Self, StoreError> {
        let (lease, now) = (opened.lease, opened.now);
        let lines = opened.lines.iter().map(|line| {
            let delivery = delivery_of(&line.recipient, &opened.copies, &opened.held, None);
            NewLine::new(&inner.ids, now, line, delivery)
        });
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        let mut parts = Parts::new(lease.mail, lease.organisation, now);
        parts.add_all(inner, &opened.copies, &opened.held, &opened.reports)?;
        Ok(Self {
            lease,
            now,
            lines,
            correspondents: correspondents::rows(&opened.harvested)?,
            parts,
        })
    }

    /// The gateway answers the mail itself; nobody gets it.
    pub fn answered_all(&mut self) {
        self.lines.iter_mut().for_each(NewLine::answered);
    }

    /// What writing it costs.
    pub fn weight(&self) -> Weight {
        Weight {
            octets: self.parts.octets(),
            wakes: true,
        }
    }

    pub async fn write(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let context = (self.lease.mail, self.lease.organisation, self.now);
        let content = take_to_open(connection, self.lease).await?;
        self.parts.write(connection).await?;
        release(connection, content).await?;
        for line in self.lines {
            journal::replace_line(connection, context, line).await?;
        }
        correspondents::learn(connection, context, self.correspondents).await
    }
}

/// Removes the mail from those to be opened, if the lease still holds; gives the content it referred to.
async fn take_to_open(
    connection: &mut SqliteConnection,
    lease: ToOpenLease,
) -> Result<i64, StoreError> {
    let row = sqlx::query("DELETE FROM to_open WHERE id = $1 AND lease = $2 RETURNING content")
        .bind(lease.id)
        .bind(lease.token)
        .fetch_optional(connection)
        .await?;
    let row = row.ok_or_else(|| StoreError::NotFound("the lease of this mail is over".into()))?;
    row.field("content")
}
