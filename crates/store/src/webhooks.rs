//! Webhooks: where events are passed on to, and how far that is. Each goes through its organisation's events in their order.

use sealgate_core::saying::{Operation as Said, Refusals, Saying};
use sealgate_core::tenant::OrganisationId;
use sealgate_core::webhook::{AfterFailure, after_failure};
use sealgate_mail::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use zeroize::Zeroizing;

use crate::audit::tell;
use crate::configuration::{next_number, open_setting, seal_setting};
use crate::error::StoreError;
use crate::events::{self, Event, EventKind};
use crate::limits::{WEBHOOK_EVENTS, WEBHOOKS};
use crate::rows::{self, Columns, json};
use crate::store::{Inner, Store};
use crate::writer::{Weight, job};

/// A webhook as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRow {
    /// Its number.
    pub id: i64,
    /// Where events go.
    pub url: String,
    /// Kinds of events that are passed on.
    pub kinds: Vec<EventKind>,
    /// When it was made.
    pub created: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it was tried last, and what came of it: none if it went well.
    pub last: Option<(Timestamp, Option<Saying>)>,
    /// When a failed event is tried again.
    pub again: Option<Timestamp>,
}

/// A webhook to make.
pub struct NewWebhook {
    /// Where events go.
    pub url: String,
    /// What they are signed with.
    pub secret: Zeroizing<Vec<u8>>,
    /// Kinds of events that are passed on.
    pub kinds: Vec<EventKind>,
}

/// An event that is due at a webhook.
pub struct DueEvent {
    /// The webhook.
    pub webhook: i64,
    /// Its organisation.
    pub owner: OrganisationId,
    /// Name of its organisation.
    pub organisation: String,
    /// Where the event goes.
    pub url: String,
    /// What it is signed with.
    pub secret: Zeroizing<Vec<u8>>,
    /// The event.
    pub event: Event,
}

/// How many webhooks are called at the same time.
#[derive(Clone, Copy, Debug)]
pub struct WebhookPlaces<'a> {
    /// Of all organisations.
    pub all: usize,
    /// Of one organisation.
    pub of_one: usize,
    /// Those being called now, with their organisations.
    pub under_way: &'a [(i64, OrganisationId)],
}

impl WebhookPlaces<'_> {
    /// Most that are under way of one organisation.
    fn most_of_one(&self) -> usize {
        let of = |one: &(i64, OrganisationId)| {
            let same = self.under_way.iter().filter(|other| other.1 == one.1);
            same.count()
        };
        self.under_way.iter().map(of).max().unwrap_or_default()
    }
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What is sealed of a webhook: addresses often hold a secret, too.
#[derive(Serialize, Deserialize)]
struct Sealed {
    url: String,
    secret: Vec<u8>,
}

impl Drop for Sealed {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.secret);
    }
}

fn record(id: i64) -> String {
    format!("webhook {id}")
}

impl Store {
    /// The webhooks of an organisation, oldest first.
    pub async fn webhooks(
        &self,
        organisation: OrganisationId,
    ) -> Result<Vec<WebhookRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM webhooks WHERE organisation = $1 ORDER BY id")
            .bind(organisation.0)
            .fetch_all(&self.0.readers)
            .await?;
        rows.iter().map(|row| self.0.webhook(row)).collect()
    }

    /// Makes a webhook; it passes on what happens from now on. Gives its number.
    pub async fn create_webhook(
        &self,
        organisation: OrganisationId,
        new: NewWebhook,
        (who, now): (&str, Timestamp),
    ) -> Result<i64, StoreError> {
        let who = who.to_owned();
        let inner = std::sync::Arc::clone(&self.0);
        let work = job(move |connection| {
            Box::pin(async move {
                must_be_few(connection, organisation).await?;
                let id = next_number(connection, "webhook").await?;
                let sealed = Sealed {
                    url: new.url.clone(),
                    secret: new.secret.to_vec(),
                };
                sqlx::query(
                    "INSERT INTO webhooks (id, organisation, sealed, kinds, created, created_by, passed, attempts, due)
                     VALUES ($1, $2, $3, $4, $5, $6, (SELECT COALESCE(MAX(id), 0) FROM events), 0, $5)",
                )
                .bind(id)
                .bind(organisation.0)
                .bind(seal_setting(&inner.sealer, &record(id), &sealed)?)
                .bind(json(&new.kinds)?)
                .bind(now.0)
                .bind(&who)
                .execute(&mut *connection)
                .await?;
                let said = Said::WebhookAdded { id };
                tell(connection, organisation, (&who, now), said).await?;
                Ok(id)
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Removes a webhook of the organisation.
    pub async fn remove_webhook(
        &self,
        organisation: OrganisationId,
        id: i64,
        (who, now): (&str, Timestamp),
    ) -> Result<(), StoreError> {
        let who = who.to_owned();
        let work = job(move |connection| {
            Box::pin(async move {
                let done = sqlx::query("DELETE FROM webhooks WHERE organisation = $1 AND id = $2")
                    .bind(organisation.0)
                    .bind(id)
                    .execute(&mut *connection)
                    .await?;
                if done.rows_affected() == 0 {
                    return Err(StoreError::NotFound(format!("there is no webhook {id}")));
                }
                let said = Said::WebhookRemoved { id };
                tell(connection, organisation, (&who, now), said).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Events that are due, one of each webhook, within `places`. Events of other kinds are passed over. An organisation whose
    /// webhooks are slow takes its own places and nobody else's.
    pub async fn due_events(
        &self,
        now: Timestamp,
        places: WebhookPlaces<'_>,
    ) -> Result<Vec<DueEvent>, StoreError> {
        // An organisation without a place left shows those under way and as many again.
        let of_the_busy = places.under_way.len().saturating_mul(2);
        let rows = places.all.saturating_add(of_the_busy);
        let rows = sqlx::query(
            "SELECT * FROM (
                SELECT w.*, o.name, ROW_NUMBER() OVER (PARTITION BY w.organisation ORDER BY w.due, w.id) AS place
                FROM webhooks w JOIN organisations o ON o.id = w.organisation
                WHERE w.due <= $1 AND EXISTS (SELECT 1 FROM events e WHERE e.organisation = w.organisation AND e.id > w.passed))
             WHERE place <= $2 ORDER BY due, id LIMIT $3",
        )
        .bind(now.0)
        .bind(whole(places.of_one.saturating_add(places.most_of_one())))
        .bind(whole(rows))
        .fetch_all(&self.0.readers)
        .await?;
        let mut taken: Vec<(i64, OrganisationId)> = places.under_way.to_vec();
        let mut due = Vec::new();
        for row in &rows {
            let this = (row.field("id")?, row.organisation("organisation")?);
            let of_one = taken.iter().filter(|other| other.1 == this.1).count();
            let is_under_way = taken.iter().any(|other| other.0 == this.0);
            if is_under_way || of_one >= places.of_one || taken.len() >= places.all {
                continue;
            }
            if let Some(event) = self.due_event(row).await? {
                taken.push(this);
                due.push(event);
            }
        }
        Ok(due)
    }

    async fn due_event(&self, row: &SqliteRow) -> Result<Option<DueEvent>, StoreError> {
        let webhook: i64 = row.field("id")?;
        let kinds: Vec<EventKind> = row.json("kinds")?;
        let organisation = row.organisation("organisation")?;
        let passed: i64 = row.field("passed")?;
        let next = self.events(organisation, passed, WEBHOOK_EVENTS).await?;
        let last = next.last().map_or(passed, |event| event.id);
        let Some(event) = next.into_iter().find(|event| kinds.contains(&event.kind)) else {
            self.passed_over(webhook, last).await?;
            return Ok(None);
        };
        let mut sealed = self.0.open_webhook(row)?;
        Ok(Some(DueEvent {
            webhook,
            owner: organisation,
            organisation: row.field("name")?,
            url: std::mem::take(&mut sealed.url),
            secret: Zeroizing::new(std::mem::take(&mut sealed.secret)),
            event,
        }))
    }

    async fn passed_over(&self, webhook: i64, event: i64) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query("UPDATE webhooks SET passed = MAX(passed, $1) WHERE id = $2")
                    .bind(event)
                    .bind(webhook)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Writes down what came of passing an event on: the error, or none.
    pub async fn event_passed(
        &self,
        webhook: i64,
        event: i64,
        error: Option<Saying>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                let row = sqlx::query("SELECT * FROM webhooks WHERE id = $1 AND passed < $2")
                    .bind(webhook)
                    .bind(event)
                    .fetch_optional(&mut *connection)
                    .await?;
                // It may have been removed meanwhile.
                let Some(row) = row else { return Ok(()) };
                settle(connection, &row, event, (error, now)).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }
}

/// Where a webhook stands after an attempt.
async fn settle(
    connection: &mut SqliteConnection,
    row: &SqliteRow,
    event: i64,
    (error, now): (Option<Saying>, Timestamp),
) -> Result<(), StoreError> {
    let webhook: i64 = row.field("id")?;
    let attempts = u32::try_from(row.field::<i64>("attempts")?).unwrap_or(u32::MAX);
    let attempts = attempts.saturating_add(1);
    let since = row.field::<Option<i64>>("since")?.map_or(now, Timestamp);
    let next = error.as_ref().map(|_| after_failure(attempts, since, now));
    if let (Some(AfterFailure::GiveUp), Some(error)) = (next, &error) {
        let said = Said::WebhookGivenUp {
            id: webhook,
            event,
            error: Box::new(error.clone()),
        };
        let organisation = row.field("organisation")?;
        events::insert(
            connection,
            organisation,
            now,
            (EventKind::WebhookFailed, said),
        )
        .await?;
    }
    let again = match next {
        Some(AfterFailure::Again(at)) => Some(at),
        Some(AfterFailure::GiveUp) | None => None,
    };
    let passed = match again {
        Some(_) => row.field("passed")?,
        None => event,
    };
    sqlx::query(
        "UPDATE webhooks SET passed = $1, attempts = $2, since = $3, due = $4, tried = $5, error = $6 WHERE id = $7",
    )
    .bind(passed)
    .bind(again.map_or(0, |_| i64::from(attempts)))
    .bind(again.map(|_| since.0))
    .bind(again.unwrap_or(now).0)
    .bind(now.0)
    .bind(error.as_ref().map(rows::told).transpose()?)
    .bind(webhook)
    .execute(connection)
    .await?;
    Ok(())
}

impl Inner {
    fn open_webhook(&self, row: &SqliteRow) -> Result<Sealed, StoreError> {
        let id = row.field("id")?;
        open_setting(&self.sealer, &record(id), row.field("sealed")?)
    }

    fn webhook(&self, row: &SqliteRow) -> Result<WebhookRow, StoreError> {
        let mut sealed = self.open_webhook(row)?;
        let attempts: i64 = row.field("attempts")?;
        let tried: Option<i64> = row.field("tried")?;
        let error = row.told("error")?;
        Ok(WebhookRow {
            id: row.field("id")?,
            url: std::mem::take(&mut sealed.url),
            kinds: row.json("kinds")?,
            created: row.time("created")?,
            created_by: row.field("created_by")?,
            last: tried.map(|at| (Timestamp(at), error)),
            again: (attempts > 0).then(|| row.time("due")).transpose()?,
        })
    }
}

async fn must_be_few(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT COUNT(*) AS count FROM webhooks WHERE organisation = $1")
        .bind(organisation.0)
        .fetch_one(connection)
        .await?;
    match row.field::<i64>("count")? < WEBHOOKS {
        true => Ok(()),
        false => Err(StoreError::refused(Refusals::ManyWebhooks {
            most: WEBHOOKS,
        })),
    }
}
