//! Challenge mails of ACME authorities in the database: which order waits for one, and the transaction that takes a challenge
//! and puts its answer into the queue. A row of `challenges` belongs to the challenge whose `token` (the part that came over
//! HTTPS) it names; the order's next challenge takes its place.

use sealgate_core::authority::{AuthorityFailure, AuthorityId, Connector, OrderId};
use sealgate_core::challenge::{Expected, OpenOrder};
use sealgate_core::journal::{Line, MailRecord};
use sealgate_core::limits::CHALLENGE_ANSWERS;
use sealgate_core::queue::{MailId, Outgoing};
use sealgate_core::saying::{Authorities as Said, Saying};
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::{Address, Timestamp};
use serde::Deserialize;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::journal::{self, Delivery, NewLine};
use crate::rows::{self, Columns, of_json};
use crate::store::{Inner, Store};
use crate::tx::{Acceptance, Accepted, Durable, Opened, OpenedRows, Parts, insert_mail};
use crate::writer::{Weight, job};

/// The answer to a challenge, a mail of its own.
#[derive(Debug)]
pub struct Answering {
    /// The order whose challenge it answers.
    pub order: OrderId,
    /// What the authority said of the challenge when it was recognised.
    pub expected: Expected,
    /// The part of the token that came by mail.
    pub token: String,
    /// The answer's entry in the journal.
    pub record: MailRecord,
    /// Its line.
    pub line: Line,
    /// What is sent.
    pub copy: Outgoing,
    /// What may be wrong with it, for an administrator.
    pub note: Option<Saying>,
}

/// What became of the answer to an order's challenge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// Where it stands; none while there is no answer.
    pub delivery: Option<Delivery>,
    /// What the next hop or we said last.
    pub said: Option<Saying>,
    /// What may be wrong with it.
    pub note: Option<Saying>,
}

impl Answered {
    /// Whether it was handed over.
    pub fn is_delivered(&self) -> bool {
        self.delivery == Some(Delivery::Delivered)
    }

    /// Why it will not be delivered, if it will not.
    pub fn failure(&self) -> Option<Said> {
        match self.delivery? {
            Delivery::Failed | Delivery::Held | Delivery::Deleted | Delivery::Refused => {
                let said = self.said.clone();
                let why = said.unwrap_or_else(|| Said::GivenUp {}.into()).into();
                Some(Said::AnswerUndelivered { why })
            }
            Delivery::ToOpen | Delivery::Waiting | Delivery::Delivered | Delivery::Answered => None,
        }
    }

    /// A refusal of the authority, with what may be the reason.
    pub fn explain(&self, failure: AuthorityFailure) -> AuthorityFailure {
        match &self.note {
            Some(note) if failure.permanent => AuthorityFailure {
                said: Said::WithNote {
                    why: failure.said.into(),
                    note: note.clone().into(),
                }
                .into(),
                ..failure
            },
            _ => failure,
        }
    }
}

/// The part of a connector's notes that is read here.
#[derive(Deserialize)]
struct Noted {
    #[serde(default)]
    expected: Option<Expected>,
}

fn noted(handle: Option<&str>) -> Option<Expected> {
    of_json::<Noted>(handle?.as_bytes()).ok()?.expected
}

impl Store {
    /// The order of `mailbox` that waits for the challenge mail of an ACME authority, or may in a moment: its authority is just
    /// being asked. One that could not be asked is none: what comes until it is asked again is for another order.
    pub async fn order_challenged(
        &self,
        organisation: OrganisationId,
        mailbox: &Address,
    ) -> Result<Option<OpenOrder>, StoreError> {
        let row = sqlx::query(
            "SELECT o.id, o.authority, o.handle, c.answered, c.answers, c.token FROM orders o
             LEFT JOIN challenges c ON c.for_order = o.id
             WHERE o.organisation = $1 AND o.mailbox = $2 AND o.ended IS NULL
             AND (o.state = 'waiting' OR (o.state = 'asking' AND o.lease IS NOT NULL))",
        )
        .bind(organisation.0)
        .bind(mailbox.key())
        .fetch_optional(&self.0.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let authority = self.authority(AuthorityId(row.field("authority")?)).await?;
        match authority.connector {
            Connector::Acme(settings) => open_order(&row, settings.unsigned_challenges).map(Some),
            _ => Ok(None),
        }
    }

    /// Takes responsibility for a challenge mail; its recipient gets nothing. With `answering`, the answer is in the queue.
    ///
    /// # Errors
    /// Also if the challenge was answered meanwhile: whoever handed it in is to come again.
    pub async fn accept_challenge(
        &self,
        acceptance: Acceptance,
        answering: Option<Answering>,
    ) -> Result<Durable, StoreError> {
        let mail = acceptance.id.map_or_else(|| self.new_mail_id(), Ok)?;
        let at = acceptance.record.at;
        let mut work = Accepted::prepare(&self.0, mail, acceptance)?;
        work.answered_all();
        let rows = answering
            .map(|answering| Rows::new(&self.0, answering, mail, at))
            .transpose()?;
        let work = job(move |connection| {
            Box::pin(async move {
                work.write(connection).await?;
                write(connection, rows).await
            })
        });
        self.0.writer.write(Weight::WAKES, work).await?;
        Ok(Durable::of(mail))
    }

    /// The same for a mail that was opened.
    pub async fn opened_challenge(
        &self,
        opened: Opened,
        answering: Option<Answering>,
    ) -> Result<(), StoreError> {
        let (mail, now) = (opened.lease.mail, opened.now);
        let mut work = OpenedRows::prepare(&self.0, opened)?;
        work.answered_all();
        let rows = answering
            .map(|answering| Rows::new(&self.0, answering, mail, now))
            .transpose()?;
        let work = job(move |connection| {
            Box::pin(async move {
                work.write(connection).await?;
                write(connection, rows).await
            })
        });
        self.0.writer.write(Weight::WAKES, work).await
    }

    /// What became of the answer to the present challenge of an order.
    pub async fn answer_of(&self, order: OrderId) -> Result<Answered, StoreError> {
        let row = sqlx::query(
            "SELECT o.handle, c.token, c.note, l.delivery, l.delivery_text FROM orders o
             JOIN challenges c ON c.for_order = o.id JOIN lines l ON l.mail = o.reply
             WHERE o.id = $1",
        )
        .bind(order.0)
        .fetch_optional(&self.0.readers)
        .await?;
        let Some(row) = row else {
            return Ok(Answered::default());
        };
        let token: String = row.field("token")?;
        if noted(row.field("handle")?).is_none_or(|expected| expected.token != token) {
            return Ok(Answered::default());
        }
        Ok(Answered {
            delivery: Some(row.word("delivery")?),
            said: row.told("delivery_text")?,
            note: row.told("note")?,
        })
    }

    /// The order whose challenge `mail` answers is due now: it was delivered, or will not be.
    pub async fn answer_settled(&self, mail: MailId, now: Timestamp) -> Result<(), StoreError> {
        let work = job(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE orders SET due = $1 WHERE reply = $2 AND ended IS NULL AND due > $1",
                )
                .bind(now.0)
                .bind(mail.0)
                .execute(connection)
                .await?;
                Ok(())
            })
        });
        self.0.writer.write(Weight::WAKES, work).await
    }
}

fn open_order(row: &SqliteRow, unsigned: bool) -> Result<OpenOrder, StoreError> {
    let expected = noted(row.field("handle")?);
    let token: Option<String> = row.field("token")?;
    let same = expected
        .as_ref()
        .is_some_and(|expected| Some(&expected.token) == token.as_ref());
    let answered: Option<String> = row.field("answered")?;
    let answers: Option<u32> = row.field("answers")?;
    Ok(OpenOrder {
        order: OrderId(row.field("id")?),
        expected,
        unsigned,
        answered: answered.filter(|_| same),
        answers: answers.filter(|_| same).unwrap_or(0),
    })
}

/// An answer as rows.
struct Rows {
    order: i64,
    token: String,
    answered: String,
    note: Option<String>,
    challenge: MailId,
    reply: MailId,
    record: MailRecord,
    line: NewLine,
    parts: Parts,
}

impl Rows {
    fn new(
        inner: &Inner,
        answering: Answering,
        challenge: MailId,
        at: Timestamp,
    ) -> Result<Self, StoreError> {
        let reply = MailId(inner.ids.next()?);
        let mut parts = Parts::new(reply, answering.record.organisation.0, at);
        parts.add_copy(inner, &answering.copy)?;
        let (record, line) = (&answering.record, &answering.line);
        let line = NewLine::of(&inner.ids, record, line, Delivery::Waiting)?;
        Ok(Self {
            order: answering.order.0,
            token: answering.expected.token,
            answered: answering.token,
            note: answering.note.as_ref().map(rows::told).transpose()?,
            challenge,
            reply,
            record: answering.record,
            line,
            parts,
        })
    }
}

/// Writes the answer and what it answers; fails if the order is gone or its challenge was answered meanwhile.
async fn write(connection: &mut SqliteConnection, rows: Option<Rows>) -> Result<(), StoreError> {
    let Some(rows) = rows else { return Ok(()) };
    let context = (rows.reply, rows.record.organisation.0, rows.record.at);
    insert_mail(connection, rows.reply, &rows.record, true).await?;
    journal::insert_lines(connection, context, vec![rows.line]).await?;
    rows.parts.write(connection).await?;
    let noted = sqlx::query(
        "INSERT INTO challenges (for_order, token, answered, answers, mail, note) VALUES ($1, $2, $3, 1, $4, $5)
         ON CONFLICT (for_order) DO UPDATE SET token = excluded.token, answered = excluded.answered,
             answers = CASE WHEN challenges.token = excluded.token THEN challenges.answers + 1 ELSE 1 END,
             mail = excluded.mail, note = excluded.note
         WHERE challenges.token <> excluded.token
             OR (challenges.answered <> excluded.answered AND challenges.answers < $6)",
    )
    .bind(rows.order)
    .bind(&rows.token)
    .bind(&rows.answered)
    .bind(rows.challenge.0)
    .bind(&rows.note)
    .bind(CHALLENGE_ANSWERS)
    .execute(&mut *connection)
    .await?;
    let order = sqlx::query(
        "UPDATE orders SET reply = $1, error = $2 WHERE id = $3 AND ended IS NULL AND state = 'waiting'",
    )
    .bind(rows.reply.0)
    .bind(&rows.note)
    .bind(rows.order)
    .execute(connection)
    .await?;
    if noted.rows_affected() == 0 || order.rows_affected() == 0 {
        let text = format!("the challenge of order {} is answered or gone", rows.order);
        return Err(StoreError::NotFound(text));
    }
    Ok(())
}
