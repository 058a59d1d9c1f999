//! The transactions that take responsibility for a mail: copies, held mail, reports and journal lines commit together
//! or not at all; only then is there a [`Durable`], and without it no `250`.

use sealgate_core::failure::HeldReason;
use sealgate_core::harvest::Harvested;
use sealgate_core::journal::{Line, MailRecord};
use sealgate_core::limits::HELD_LIFETIME;
use sealgate_core::ports::StoredContent;
use sealgate_core::queue::{MailId, Outgoing};
use sealgate_core::saying::Operation as Said;
use sealgate_mail::smtp::{Envelope, EnvelopeRecipient, Receipt};
use sealgate_mail::{Address, Timestamp};
use sqlx::SqliteConnection;
use std::sync::Arc;

use crate::content::References;
use crate::correspondents::{self, CorrespondentRow};
use crate::error::StoreError;
use crate::events::{self, EventKind};
use crate::journal::{self, Delivery, NewLine};
use crate::queue::ToOpenLease;
use crate::rows::{column, json, word};
use crate::seal::Purpose;
use crate::store::{Inner, Store};
use crate::writer::{Weight, job};

mod opened;

pub(crate) use opened::OpenedRows;

/// Proof that a mail is stored durably: made after the commit's fsync, and nowhere else.
#[derive(Debug)]
pub struct Durable {
    mail: MailId,
}

impl Durable {
    /// Only after the commit.
    pub(crate) fn of(mail: MailId) -> Self {
        Self { mail }
    }

    /// The mail's number.
    pub fn mail(&self) -> MailId {
        self.mail
    }
}

impl Receipt for Durable {
    fn queue_id(&self) -> String {
        queue_id(self.mail)
    }
}

/// The form of a mail's number that people see.
pub fn queue_id(mail: MailId) -> String {
    format!("{:015x}", mail.0)
}

/// The number of a queue id, if it is one.
pub fn read_queue_id(text: &str) -> Option<MailId> {
    i64::from_str_radix(text, 16)
        .ok()
        .filter(|number| *number > 0)
        .map(MailId)
}

/// A mail that this gateway takes responsibility for.
#[derive(Debug)]
pub struct Acceptance {
    /// Its number, if the caller asked for one with [`Store::new_mail_id`]; else it gets one.
    pub id: Option<MailId>,
    /// The mail.
    pub record: MailRecord,
    /// One line for each recipient.
    pub lines: Vec<Line>,
    /// Copies to send.
    pub copies: Vec<Outgoing>,
    /// Copies to hold.
    pub held: Vec<Held>,
    /// An inbound S/MIME mail, to be opened after the `250`.
    pub to_open: Option<ToOpen>,
    /// Reports to the sender.
    pub reports: Vec<Outgoing>,
    /// Correspondent keys learned from it.
    pub harvested: Vec<Harvested>,
    /// The Message-ID of an outbound mail, so that a report that returns it is recognised.
    pub sent_message_id: Option<String>,
}

/// A copy that is not sent until an administrator says so.
#[derive(Debug)]
pub struct Held {
    /// What is sent when it is released.
    pub copy: Outgoing,
    /// Why it is held.
    pub reason: HeldReason,
    /// The mail to open again when it is to be tried again; without it, trying again is releasing.
    pub again: Option<ToOpen>,
}

/// An inbound S/MIME mail as received.
#[derive(Debug)]
pub struct ToOpen {
    /// Its envelope, with the recipients that are still to be settled.
    pub envelope: Envelope,
    /// Fields to put before it: Received and the like.
    pub head: Vec<u8>,
    /// The mail.
    pub content: Arc<dyn StoredContent>,
}

/// What became of a mail that was to be opened.
#[derive(Debug)]
pub struct Opened {
    /// The lease it was worked on under.
    pub lease: ToOpenLease,
    /// When.
    pub now: Timestamp,
    /// One line for each recipient of its envelope; they replace those written at acceptance.
    pub lines: Vec<Line>,
    /// Copies to send.
    pub copies: Vec<Outgoing>,
    /// Copies to hold.
    pub held: Vec<Held>,
    /// Reports to the sender.
    pub reports: Vec<Outgoing>,
    /// Correspondent keys learned from it.
    pub harvested: Vec<Harvested>,
}

impl Store {
    /// A number for a mail that is about to be accepted, for its Received field and for logs.
    pub fn new_mail_id(&self) -> Result<MailId, StoreError> {
        self.0.ids.next().map(MailId)
    }

    /// Takes responsibility for a mail. Returns after the commit's fsync.
    pub async fn accept(&self, acceptance: Acceptance) -> Result<Durable, StoreError> {
        let mail = acceptance.id.map_or_else(|| self.new_mail_id(), Ok)?;
        let work = Accepted::prepare(&self.0, mail, acceptance)?;
        let weight = Weight {
            octets: work.parts.octets(),
            wakes: true,
        };
        self.0
            .writer
            .write(weight, |connection| Box::pin(work.write(connection)))
            .await?;
        Ok(Durable { mail })
    }

    /// Writes the journal of a mail that was refused in the session.
    pub async fn refused(
        &self,
        record: MailRecord,
        lines: Vec<Line>,
    ) -> Result<MailId, StoreError> {
        let mail = self.new_mail_id()?;
        let organisation = record.organisation.0;
        let at = record.at;
        let lines = lines
            .iter()
            .map(|line| NewLine::of(&self.0.ids, &record, line, Delivery::Refused));
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        self.0
            .writer
            .write(Weight::default(), move |connection| {
                Box::pin(async move {
                    insert_mail(connection, mail, &record, false).await?;
                    journal::insert_lines(connection, (mail, organisation, at), lines).await
                })
            })
            .await?;
        Ok(mail)
    }

    /// Writes the journal of mails that are over, which went another way than through this gateway; nothing of them is queued.
    pub async fn record_mails(
        &self,
        mails: Vec<(MailRecord, Line, Delivery)>,
    ) -> Result<(), StoreError> {
        let row = |(record, line, delivery): (MailRecord, Line, Delivery)| {
            let mail = MailId(self.0.ids.next_at(record.at)?);
            let line = NewLine::of(&self.0.ids, &record, &line, delivery)?;
            Ok((mail, record, line))
        };
        let rows = mails
            .into_iter()
            .map(row)
            .collect::<Result<Vec<_>, StoreError>>()?;
        let work = job(move |connection| {
            Box::pin(async move {
                for (mail, record, line) in rows {
                    insert_mail(connection, mail, &record, true).await?;
                    let context = (mail, record.organisation.0, record.at);
                    journal::insert_lines(connection, context, vec![line]).await?;
                }
                Ok(())
            })
        });
        self.0.writer.write(Weight::default(), work).await
    }

    /// Settles a mail that was to be opened.
    pub async fn opened(&self, opened: Opened) -> Result<(), StoreError> {
        let work = OpenedRows::prepare(&self.0, opened)?;
        let weight = work.weight();
        let work = job(move |connection| Box::pin(work.write(connection)));
        self.0.writer.write(weight, work).await
    }
}

/// An acceptance as rows.
pub(crate) struct Accepted {
    record: MailRecord,
    lines: Vec<NewLine>,
    parts: Parts,
    correspondents: Vec<CorrespondentRow>,
    sent: Option<(String, Vec<String>)>,
}

impl Accepted {
    pub fn prepare(
        inner: &Inner,
        mail: MailId,
        acceptance: Acceptance,
    ) -> Result<Self, StoreError> {
        let record = acceptance.record;
        let mut parts = Parts::new(mail, record.organisation.0, record.at);
        parts.add_all(
            inner,
            &acceptance.copies,
            &acceptance.held,
            &acceptance.reports,
        )?;
        if let Some(to_open) = &acceptance.to_open {
            parts.add_to_open(inner, to_open, None)?;
        }
        let line = |line: &Line| {
            let to_open = acceptance.to_open.as_ref();
            let delivery = delivery_of(
                &line.recipient,
                &acceptance.copies,
                &acceptance.held,
                to_open,
            );
            NewLine::of(&inner.ids, &record, line, delivery)
        };
        let lines = acceptance
            .lines
            .iter()
            .map(line)
            .collect::<Result<_, _>>()?;
        let sent = acceptance
            .sent_message_id
            .map(|id| (journal::cut(&id).to_owned(), senders(&record)));
        Ok(Self {
            lines,
            parts,
            correspondents: correspondents::rows(&acceptance.harvested)?,
            sent,
            record,
        })
    }

    /// The gateway answers the mail itself; nobody gets it.
    pub fn answered_all(&mut self) {
        self.lines.iter_mut().for_each(NewLine::answered);
    }

    pub async fn write(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let (mail, organisation, at) = (self.parts.mail, self.parts.organisation, self.parts.at);
        insert_mail(connection, mail, &self.record, true).await?;
        journal::insert_lines(connection, (mail, organisation, at), self.lines).await?;
        self.parts.write(connection).await?;
        correspondents::learn(connection, (mail, organisation, at), self.correspondents).await?;
        if let Some((message_id, senders)) = self.sent {
            for sender in senders {
                sqlx::query(
                    "INSERT INTO sent (organisation, message_id, mailbox, at) VALUES ($1, $2, $3, $4)
                     ON CONFLICT (organisation, message_id, mailbox) DO UPDATE SET at = excluded.at",
                )
                .bind(organisation)
                .bind(&message_id)
                .bind(sender)
                .bind(at.0)
                .execute(&mut *connection)
                .await?;
            }
        }
        Ok(())
    }
}

/// A report may come back to the envelope sender, or to header From.
fn senders(record: &MailRecord) -> Vec<String> {
    let mut keys: Vec<String> = [record.envelope_from.address(), record.header_from.as_ref()]
        .into_iter()
        .flatten()
        .map(Address::key)
        .collect();
    keys.dedup();
    keys
}

/// Where a recipient's mail stands right after the transaction.
fn delivery_of(
    recipient: &Address,
    copies: &[Outgoing],
    held: &[Held],
    to_open: Option<&ToOpen>,
) -> Delivery {
    let among =
        |recipients: &[EnvelopeRecipient]| recipients.iter().any(|one| one.address == *recipient);
    if copies.iter().any(|copy| among(copy.recipients())) {
        Delivery::Waiting
    } else if held.iter().any(|held| among(held.copy.recipients())) {
        Delivery::Held
    } else if to_open.is_some_and(|to_open| among(&to_open.envelope.recipients)) {
        Delivery::ToOpen
    } else {
        Delivery::Refused
    }
}

pub(crate) async fn insert_mail(
    connection: &mut SqliteConnection,
    mail: MailId,
    record: &MailRecord,
    accepted: bool,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO mails (id, organisation, direction, at, envelope_from, header_from, message_id, size,
                            handed_in_by, sender_proven, version, accepted)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(mail.0)
    .bind(record.organisation.0)
    .bind(word(&record.direction)?)
    .bind(record.at.0)
    .bind(record.envelope_from.address().map(Address::to_string))
    .bind(record.header_from.as_ref().map(Address::to_string))
    .bind(record.message_id.as_deref().map(journal::cut))
    .bind(column(record.size))
    .bind(&record.handed_in_by)
    .bind(record.sender_proven)
    .bind(column(record.version))
    .bind(accepted)
    .execute(connection)
    .await?;
    Ok(())
}

/// Rows of the queue that one transaction adds.
pub(crate) struct Parts {
    mail: MailId,
    organisation: i64,
    at: Timestamp,
    copies: Vec<NewCopy>,
    to_open: Vec<NewToOpen>,
    references: References,
    held: usize,
}

struct NewCopy {
    id: i64,
    envelope_from: Option<String>,
    params: String,
    status: String,
    report: bool,
    head: Vec<u8>,
    content: i64,
    body_from: i64,
    held: Option<HeldReason>,
    recipients: Vec<NewRecipient>,
}

struct NewRecipient {
    id: i64,
    key: String,
    envelope: String,
}

struct NewToOpen {
    id: i64,
    copy: Option<i64>,
    envelope: String,
    head: Vec<u8>,
    content: i64,
}

impl Parts {
    /// Nothing yet, for `mail` of `organisation`; what is added is due at `at`.
    pub fn new(mail: MailId, organisation: i64, at: Timestamp) -> Self {
        let references = References::default();
        Self {
            mail,
            organisation,
            at,
            copies: Vec::new(),
            to_open: Vec::new(),
            references,
            held: 0,
        }
    }

    /// Octets the transaction writes for it, heads left out.
    pub fn octets(&self) -> usize {
        self.references.octets()
    }

    fn add_all(
        &mut self,
        inner: &Inner,
        copies: &[Outgoing],
        held: &[Held],
        reports: &[Outgoing],
    ) -> Result<(), StoreError> {
        for copy in copies {
            self.add(inner, copy, false, None)?;
        }
        for held in held {
            let copy = self.add(inner, &held.copy, false, Some(held.reason))?;
            if let Some(again) = &held.again {
                self.add_to_open(inner, again, Some(copy))?;
            }
        }
        self.add_reports(inner, reports)
    }

    /// Adds a copy to send.
    pub fn add_copy(&mut self, inner: &Inner, copy: &Outgoing) -> Result<(), StoreError> {
        self.add(inner, copy, false, None).map(drop)
    }

    /// Adds reports.
    pub fn add_reports(&mut self, inner: &Inner, reports: &[Outgoing]) -> Result<(), StoreError> {
        reports
            .iter()
            .try_for_each(|report| self.add(inner, report, true, None).map(drop))
    }

    fn add(
        &mut self,
        inner: &Inner,
        copy: &Outgoing,
        report: bool,
        held: Option<HeldReason>,
    ) -> Result<i64, StoreError> {
        let id = inner.ids.next()?;
        let recipient = |recipient: &EnvelopeRecipient| {
            let id = inner.ids.next()?;
            Ok(NewRecipient {
                id,
                key: recipient.address.key(),
                envelope: json(recipient)?,
            })
        };
        self.copies.push(NewCopy {
            id,
            envelope_from: copy.from().address().map(Address::to_string),
            params: json(copy.params())?,
            status: word(&copy.status())?,
            report,
            head: inner
                .sealer
                .seal(Purpose::Head, &id.to_string(), copy.head().to_vec())?,
            content: self.references.add(inner, &copy.body().content)?,
            body_from: column(copy.body().from),
            held,
            recipients: copy
                .recipients()
                .iter()
                .map(recipient)
                .collect::<Result<_, StoreError>>()?,
        });
        self.held = self.held.saturating_add(usize::from(held.is_some()));
        Ok(id)
    }

    fn add_to_open(
        &mut self,
        inner: &Inner,
        to_open: &ToOpen,
        copy: Option<i64>,
    ) -> Result<(), StoreError> {
        let id = inner.ids.next()?;
        self.to_open.push(NewToOpen {
            id,
            copy,
            envelope: json(&to_open.envelope)?,
            head: inner
                .sealer
                .seal(Purpose::ToOpen, &id.to_string(), to_open.head.clone())?,
            content: self.references.add(inner, &to_open.content)?,
        });
        Ok(())
    }

    /// Writes the rows.
    pub async fn write(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let context = (self.mail, self.organisation, self.at);
        self.references.write(connection).await?;
        for copy in self.copies {
            write_copy(connection, context, copy).await?;
        }
        for to_open in self.to_open {
            write_to_open(connection, context, to_open).await?;
        }
        if self.held > 0 {
            let said = Said::RecipientsHeld {
                count: i64::try_from(self.held).unwrap_or(i64::MAX),
                mail: queue_id(self.mail).to_string(),
            };
            let event = (EventKind::MailHeld, said);
            events::insert(connection, self.organisation, self.at, event).await?;
        }
        Ok(())
    }
}

/// Mail, organisation and time that rows belong to.
pub(crate) type Context = (MailId, i64, Timestamp);

async fn write_copy(
    connection: &mut SqliteConnection,
    (mail, organisation, at): Context,
    copy: NewCopy,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO copies (id, mail, organisation, accepted, envelope_from, params, status, report, head, content,
                             body_from)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(copy.id)
    .bind(mail.0)
    .bind(organisation)
    .bind(at.0)
    .bind(copy.envelope_from)
    .bind(copy.params)
    .bind(copy.status)
    .bind(copy.report)
    .bind(copy.head)
    .bind(copy.content)
    .bind(copy.body_from)
    .execute(&mut *connection)
    .await?;
    let held_until = copy.held.map(|_| at.plus(HELD_LIFETIME).0);
    let (state, due) = if copy.held.is_some() {
        ("held", None)
    } else {
        ("waiting", Some(at.0))
    };
    for recipient in copy.recipients {
        sqlx::query(
            "INSERT INTO recipients (id, copy, organisation, mailbox, envelope, state, attempts, next_attempt, due, delay_told,
                                     note, held_until)
             VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, FALSE, $9, $10)",
        )
        .bind(recipient.id)
        .bind(copy.id)
        .bind(organisation)
        .bind(recipient.key)
        .bind(recipient.envelope)
        .bind(state)
        .bind(at.0)
        .bind(due)
        .bind(copy.held.map(HeldReason::as_str))
        .bind(held_until)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn write_to_open(
    connection: &mut SqliteConnection,
    (mail, organisation, at): Context,
    to_open: NewToOpen,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO to_open (id, mail, copy, organisation, envelope, head, content, attempts, next_attempt, due)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)",
    )
    .bind(to_open.id)
    .bind(mail.0)
    .bind(to_open.copy)
    .bind(organisation)
    .bind(to_open.envelope)
    .bind(to_open.head)
    .bind(to_open.content)
    .bind(at.0)
    .bind(to_open.copy.is_none().then_some(at.0))
    .execute(connection)
    .await?;
    Ok(())
}
