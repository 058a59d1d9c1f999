//! The portal's questions about mails.

use async_trait::async_trait;
use sealgate_core::journal::MailRecord;
use sealgate_core::queue::MailId;
use sealgate_core::saying::{Saying, Servers};
use sealgate_core::tenant::Language;
use sealgate_portal::auth::{Permitted, Read};
use sealgate_portal::office::mails::{
    Delivery, Mail, MailEvent, MailPage, MailQuery, MailRow, Mails, Queued, Recipient,
};
use sealgate_portal::office::{Asked, At, Paging};
use sealgate_portal::problem::{Problem, Titles};
use sealgate_store::{
    Delivery as Stored, Event, EventKind, JournalLine, OverviewFilter, OverviewRow, QueueFilter,
    QueueRow, queue_id, read_queue_id,
};

use super::{PortalOffice, last_of_full, number, problem};

#[async_trait]
impl Mails for PortalOffice {
    async fn mails(
        &self,
        who: &Permitted<Read>,
        query: &MailQuery,
        paging: &Paging,
    ) -> Asked<MailPage> {
        let filter = &query.filter;
        let wanted = OverviewFilter {
            organisation: Some(who.organisation()),
            status: filter.status,
            direction: filter.direction,
            delivery: filter.delivery.map(stored),
            party: trimmed(filter.party.as_deref()),
            message_id: trimmed(filter.message_id.as_deref()),
            since: query.since,
            until: query.until,
            before: number(paging)?,
            after: None,
            limit: paging.rows(),
        };
        let found = self.0.store.overview_page(&wanted).await;
        let found = found.map_err(problem)?;
        let last = last_of_full(&found.rows, paging).map(|row| row.row);
        let next = last.or(found.searched_to.map(|to| to.row));
        Ok(MailPage {
            next: next.map(|row| row.to_string()),
            searched_to: found.searched_to.map(|to| At(to.at)),
            items: found.rows.into_iter().map(shown).collect(),
        })
    }

    async fn mail(&self, who: &Permitted<Read>, mail: &str) -> Asked<Mail> {
        let id = mail_id(mail)?;
        let found = self.0.store.lines(id).await.map_err(problem)?;
        let found = found.filter(|(record, _)| record.organisation == who.organisation());
        let (record, lines) = found.ok_or_else(Problem::not_found)?;
        let queue = self.0.store.queue(QueueFilter {
            organisation: Some(who.organisation()),
            mail: Some(id),
            limit: u32::MAX,
            ..QueueFilter::default()
        });
        let queue = queue.await.map_err(problem)?;
        let events = self
            .0
            .store
            .events_about(who.organisation(), id, record.at)
            .await
            .map_err(problem)?;
        Ok(detail(id, record, lines, (queue, events)))
    }
}

/// A mail's number as people see it. What is none names nothing.
pub(super) fn mail_id(text: &str) -> Asked<MailId> {
    read_queue_id(text).ok_or_else(Problem::not_found)
}

fn trimmed(text: Option<&str>) -> Option<String> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    text.map(str::to_owned)
}

fn shown(row: OverviewRow) -> MailRow {
    MailRow {
        line: row.row.to_string(),
        mail: queue_id(row.mail),
        direction: row.direction,
        at: At(row.at),
        from: row.header_from.or(row.envelope_from),
        to: row.recipient,
        status: row.status,
        delivery: delivery(row.delivery),
        message_id: row.message_id,
    }
}

fn detail(
    id: MailId,
    record: MailRecord,
    lines: Vec<JournalLine>,
    (queue, events): (Vec<QueueRow>, Vec<Event>),
) -> Mail {
    let place = |line: &JournalLine| {
        let own = |row: &&QueueRow| !row.report && row.recipient == line.line.recipient;
        queue.iter().find(own).map(queued)
    };
    let recipients = lines.into_iter().map(|line| Recipient {
        queued: place(&line),
        address: line.line.recipient,
        status: line.line.status,
        why: Recipient::sentence(&line.line.trace),
        signature: line.line.signature,
        encryption: line.line.encryption,
        trace: line.line.trace,
        refusal: line.line.refusal,
        delivery: delivery(line.delivery),
        delivery_at: At(line.delivery_at),
        delivery_texts: line.delivery_text.as_ref().map(quoted),
        delivery_text: line.delivery_text.map(|said| said.to_string()),
    });
    Mail {
        mail: queue_id(id),
        direction: record.direction,
        at: At(record.at),
        envelope_from: record.envelope_from.address().cloned(),
        header_from: record.header_from,
        message_id: record.message_id,
        size: record.size,
        handed_in_by: record.handed_in_by,
        sender_proven: record.sender_proven,
        version: record.version,
        recipients: recipients.collect(),
        events: events.into_iter().map(mail_event).collect(),
    }
}

fn queued(row: &QueueRow) -> Queued {
    Queued {
        attempts: row.attempts,
        next_attempt: row.next_attempt.map(At),
        held_until: row.held_until.map(At),
        note: row.note.clone(),
        notes: row.said.as_ref().map(Titles::of),
    }
}

/// Words of another server in quotation marks.
fn quoted(said: &Saying) -> Titles {
    match said {
        Saying::Words(words) => Titles::of(&Servers::Reported {
            words: words.clone(),
        }),
        ours => Titles::of(ours),
    }
}

fn mail_event(event: Event) -> MailEvent {
    MailEvent {
        at: At(event.at),
        sentence: sentence(event.kind),
        text: event.text,
        texts: Titles::of(&event.said),
    }
}

/// What a kind of event says in both languages.
pub(super) fn sentence(kind: EventKind) -> Titles {
    Titles {
        de: kind.sentence(Language::De).to_owned(),
        en: kind.sentence(Language::En).to_owned(),
    }
}

/// Where a mail stands, in the portal's words.
pub(super) const fn delivery(delivery: Stored) -> Delivery {
    match delivery {
        Stored::ToOpen => Delivery::ToOpen,
        Stored::Waiting => Delivery::Waiting,
        Stored::Delivered => Delivery::Delivered,
        Stored::Failed => Delivery::Failed,
        Stored::Held => Delivery::Held,
        Stored::Deleted => Delivery::Deleted,
        Stored::Refused => Delivery::Refused,
        Stored::Answered => Delivery::Answered,
    }
}

const fn stored(delivery: Delivery) -> Stored {
    match delivery {
        Delivery::ToOpen => Stored::ToOpen,
        Delivery::Waiting => Stored::Waiting,
        Delivery::Delivered => Stored::Delivered,
        Delivery::Failed => Stored::Failed,
        Delivery::Held => Stored::Held,
        Delivery::Deleted => Stored::Deleted,
        Delivery::Refused => Stored::Refused,
        Delivery::Answered => Stored::Answered,
    }
}
