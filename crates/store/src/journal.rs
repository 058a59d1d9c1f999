//! The journal: one line for each recipient of each mail, written in the transaction of its effect, and the mail
//! overview that reads it.

use sealgate_core::journal::{Line, MailRecord};
use sealgate_core::queue::MailId;
use sealgate_core::saying::Saying;
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::{Address, Timestamp};
use serde::{Deserialize, Serialize, Serializer};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::ids::Ids;
use crate::limits::MESSAGE_ID_OCTETS;
use crate::rows::{self, Columns, json, size, word};
use crate::store::Store;
use crate::tx::Context;

mod overview;
pub(crate) mod words;

pub use overview::{OverviewFilter, OverviewPage, OverviewRow, SearchedTo};

/// Where one recipient's mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Accepted, to be opened.
    ToOpen,
    /// In the queue.
    Waiting,
    /// Handed over to the next hop.
    Delivered,
    /// Given up; the sender was told if the failure module says so.
    Failed,
    /// Held.
    Held,
    /// Deleted by an administrator, or held too long.
    Deleted,
    /// Refused by a reply or a report.
    Refused,
    /// A challenge of a certificate authority: the gateway took it and answered it itself.
    Answered,
}

impl Delivery {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::ToOpen,
        Self::Waiting,
        Self::Delivered,
        Self::Failed,
        Self::Held,
        Self::Deleted,
        Self::Refused,
        Self::Answered,
    ];

    /// The word of lists and of `--json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ToOpen => "to-open",
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Held => "held",
            Self::Deleted => "deleted",
            Self::Refused => "refused",
            Self::Answered => "answered",
        }
    }
}

/// A journal line with where its mail stands now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JournalLine {
    /// The line.
    #[serde(flatten)]
    pub line: Line,
    /// Where the mail stands.
    pub delivery: Delivery,
    /// Since when.
    pub delivery_at: Timestamp,
    /// What the next hop or we said last.
    #[serde(serialize_with = "in_english")]
    pub delivery_text: Option<Saying>,
}

fn in_english<S: Serializer>(said: &Option<Saying>, serializer: S) -> Result<S::Ok, S::Error> {
    let text = said.as_ref().map(ToString::to_string);
    text.serialize(serializer)
}

/// A line as a row.
pub(crate) struct NewLine {
    id: i64,
    recipient: String,
    key: String,
    status: String,
    signature: Option<String>,
    encryption: Option<String>,
    trace: String,
    refusal: Option<String>,
    delivery: Delivery,
    /// What it is looked for by, as JSON.
    words: String,
}

impl NewLine {
    /// A line of the mail of `record`.
    pub fn of(
        ids: &Ids,
        record: &MailRecord,
        line: &Line,
        delivery: Delivery,
    ) -> Result<Self, StoreError> {
        let made = Self::new(ids, record.at, line, delivery)?;
        Ok(Self {
            words: json(&words::of(Some(record), &line.recipient))?,
            ..made
        })
    }

    /// A line that takes the place of another one, which is looked for by its mail already.
    pub fn new(
        ids: &Ids,
        at: Timestamp,
        line: &Line,
        delivery: Delivery,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            id: ids.next_at(at)?,
            recipient: line.recipient.to_string(),
            key: line.recipient.key(),
            status: word(&line.status)?,
            signature: line.signature.clone(),
            encryption: line.encryption.clone(),
            trace: json(&line.trace)?,
            refusal: line.refusal.clone(),
            delivery,
            words: json(&words::of(None, &line.recipient))?,
        })
    }

    /// Of a challenge that the gateway answers itself.
    pub fn answered(&mut self) {
        self.delivery = Delivery::Answered;
    }
}

/// A Message-ID cut to what is kept.
pub(crate) fn cut(message_id: &str) -> &str {
    let mut end = message_id.len().min(MESSAGE_ID_OCTETS);
    while !message_id.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    message_id.get(..end).unwrap_or_default()
}

pub(crate) async fn insert_lines(
    connection: &mut SqliteConnection,
    context: Context,
    lines: Vec<NewLine>,
) -> Result<(), StoreError> {
    for line in lines {
        insert_line(connection, context, line).await?;
    }
    Ok(())
}

async fn insert_line(
    connection: &mut SqliteConnection,
    (mail, organisation, at): Context,
    line: NewLine,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO lines (id, mail, organisation, direction, at, recipient, mailbox, status, signature, encryption, trace,
                            refusal, delivery, delivery_at)
         VALUES ($1, $2, $3, (SELECT direction FROM mails WHERE id = $2), $11, $4, $5, $6, $7, $8, $9, $10, $12, $11)",
    )
    .bind(line.id)
    .bind(mail.0)
    .bind(organisation)
    .bind(line.recipient)
    .bind(line.key)
    .bind(line.status)
    .bind(line.signature)
    .bind(line.encryption)
    .bind(line.trace)
    .bind(line.refusal)
    .bind(at.0)
    .bind(line.delivery.as_str())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO line_words (organisation, word, line) SELECT $1, value, $2 FROM json_each($3)",
    )
    .bind(organisation)
    .bind(line.id)
    .bind(line.words)
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts `line` in the place of the mail's line for the same recipient.
pub(crate) async fn replace_line(
    connection: &mut SqliteConnection,
    context: Context,
    line: NewLine,
) -> Result<(), StoreError> {
    let (mail, _, at) = context;
    let done = sqlx::query(
        "UPDATE lines SET status = $1, signature = $2, encryption = $3, trace = $4, refusal = $5, delivery = $6,
                          delivery_at = $7, delivery_text = NULL
         WHERE mail = $8 AND mailbox = $9",
    )
    .bind(&line.status)
    .bind(&line.signature)
    .bind(&line.encryption)
    .bind(&line.trace)
    .bind(&line.refusal)
    .bind(line.delivery.as_str())
    .bind(at.0)
    .bind(mail.0)
    .bind(&line.key)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        insert_line(connection, context, line).await?;
    }
    Ok(())
}

/// What changes in a line when its mail moves on.
pub(crate) struct Moved<'a> {
    pub mail: i64,
    pub mailbox: &'a str,
    pub delivery: Delivery,
    pub at: Timestamp,
    pub text: Option<Saying>,
    /// A new status, where the old one is not true any more.
    pub status: Option<String>,
}

pub(crate) async fn moved(
    connection: &mut SqliteConnection,
    moved: Moved<'_>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE lines SET delivery = $1, delivery_at = $2, delivery_text = $3, status = COALESCE($4, status)
         WHERE mail = $5 AND mailbox = $6",
    )
    .bind(moved.delivery.as_str())
    .bind(moved.at.0)
    .bind(moved.text.as_ref().map(rows::told).transpose()?)
    .bind(moved.status)
    .bind(moved.mail)
    .bind(moved.mailbox)
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// A mail and its lines, or none if there is no such mail.
    pub async fn lines(
        &self,
        mail: MailId,
    ) -> Result<Option<(MailRecord, Vec<JournalLine>)>, StoreError> {
        let record = sqlx::query("SELECT m.id AS mail, m.* FROM mails m WHERE id = $1")
            .bind(mail.0)
            .fetch_optional(&self.0.readers)
            .await?;
        let Some(record) = record.as_ref().map(mail_record).transpose()? else {
            return Ok(None);
        };
        let rows = sqlx::query("SELECT * FROM lines WHERE mail = $1 ORDER BY id")
            .bind(mail.0)
            .fetch_all(&self.0.readers)
            .await?;
        Ok(Some((
            record,
            rows.iter().map(journal_line).collect::<Result<_, _>>()?,
        )))
    }

    /// Whether `mailbox` sent a mail with that Message-ID at `since` or later, by a sending client of `organisation`.
    pub async fn was_sent(
        &self,
        organisation: OrganisationId,
        mailbox: &Address,
        message_id: &str,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT 1 FROM sent WHERE organisation = $1 AND message_id = $2 AND mailbox = $3 AND at >= $4",
        )
        .bind(organisation.0)
        .bind(cut(message_id))
        .bind(mailbox.key())
        .bind(since.0)
        .fetch_optional(&self.0.readers)
        .await?;
        Ok(row.is_some())
    }
}

/// The mail of a row that holds the columns of `mails`.
pub(crate) fn mail_record(row: &SqliteRow) -> Result<MailRecord, StoreError> {
    Ok(MailRecord {
        organisation: row.organisation("organisation")?,
        direction: row.word("direction")?,
        at: row.time("at")?,
        envelope_from: row.reverse_path("envelope_from")?,
        header_from: row.optional_address("header_from")?,
        message_id: row.field("message_id")?,
        size: size(row.field("size")?),
        handed_in_by: row.field("handed_in_by")?,
        sender_proven: row.field("sender_proven")?,
        version: size(row.field("version")?),
    })
}

fn journal_line(row: &SqliteRow) -> Result<JournalLine, StoreError> {
    let line = Line {
        recipient: row.address("recipient")?,
        status: row.word("status")?,
        signature: row.field("signature")?,
        encryption: row.field("encryption")?,
        trace: row.json("trace")?,
        refusal: row.field("refusal")?,
    };
    Ok(JournalLine {
        line,
        delivery: row.word("delivery")?,
        delivery_at: row.time("delivery_at")?,
        delivery_text: row.told("delivery_text")?,
    })
}
