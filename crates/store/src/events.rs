//! Events that administrators are told of: mail held, held mail expired, keys learned.

use sealgate_core::saying::Saying;
use sealgate_core::tenant::{Language, OrganisationId};
use sealgate_mail::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{QueryBuilder, SqliteConnection};

use crate::error::StoreError;
use crate::limits::PAGE_ROWS;
use crate::rows::{Columns, sentence, word};
use crate::store::Store;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// Mail is held.
    MailHeld,
    /// Held mail was kept for its time and is deleted.
    HeldMailExpired,
    /// A correspondent's key was learned, or is used now that its answer about revocation has come.
    KeyLearned,
    /// A correspondent's key is not used any more: it was revoked.
    KeyRevoked,
    /// A correspondent's key waits, because an answer about revocation is required and missing.
    KeyUnanswered,
    /// A mailbox has its first certificate.
    MailboxActive,
    /// A mailbox has its next certificate.
    CertificateRenewed,
    /// The next certificate of a mailbox is ordered.
    RenewalOrdered,
    /// A certificate of a mailbox ends soon or has ended, and no other is there.
    CertificateEnds,
    /// An authority does not issue what was ordered, yet.
    OrderLate,
    /// An authority will not issue what was ordered.
    OrderFailed,
    /// A certificate of a mailbox is revoked.
    CertificateRevoked,
    /// An authority does not revoke a certificate, yet.
    RevocationLate,
    /// A certificate is to be revoked at an issuer that is no authority here.
    RevokeByHand,
    /// An administrator decided about a correspondent's key.
    KeyChosen,
    /// The only usable key of a correspondent expires soon.
    KeyExpiring,
    /// The last usable key of a correspondent has expired.
    KeyExpired,
    /// Another key of a correspondent is used, because the one used before is not usable any more.
    KeyReplaced,
    /// A directory or DNS does not have a key any more that came from it; it is not used.
    KeyDropped,
    /// A DKIM key signs from now on, because its record is in DNS.
    DkimKeyActive,
    /// An event was not passed on: the address of a webhook did not take it for a day.
    WebhookFailed,
}

impl EventKind {
    /// Every kind, in the order of this list.
    pub const ALL: [Self; 21] = [
        Self::MailHeld,
        Self::HeldMailExpired,
        Self::KeyLearned,
        Self::KeyRevoked,
        Self::KeyUnanswered,
        Self::MailboxActive,
        Self::CertificateRenewed,
        Self::RenewalOrdered,
        Self::CertificateEnds,
        Self::OrderLate,
        Self::OrderFailed,
        Self::CertificateRevoked,
        Self::RevocationLate,
        Self::RevokeByHand,
        Self::KeyChosen,
        Self::KeyExpiring,
        Self::KeyExpired,
        Self::KeyReplaced,
        Self::KeyDropped,
        Self::DkimKeyActive,
        Self::WebhookFailed,
    ];

    /// The kind in a plain sentence.
    pub const fn sentence(self, language: Language) -> &'static str {
        match language {
            Language::En => self.english(),
            Language::De => self.german(),
        }
    }

    const fn english(self) -> &'static str {
        match self {
            Self::MailHeld => "Mail is held.",
            Self::HeldMailExpired => "Held mail was kept for its time and is deleted.",
            Self::KeyLearned => "A correspondent's public key was learned.",
            Self::KeyRevoked => "A correspondent's certificate was revoked.",
            Self::KeyUnanswered => {
                "A correspondent's public key waits for an answer about revocation."
            }
            Self::MailboxActive => "A mailbox has its first certificate.",
            Self::CertificateRenewed => "A mailbox has its next certificate.",
            Self::RenewalOrdered => "The next certificate of a mailbox is ordered.",
            Self::CertificateEnds => "A mailbox will be or is without a valid certificate.",
            Self::OrderLate => "A certificate that was ordered is late.",
            Self::OrderFailed => "A certificate that was ordered will not come.",
            Self::CertificateRevoked => "A certificate of a mailbox is revoked.",
            Self::RevocationLate => "A revocation is late.",
            Self::RevokeByHand => "An administrator has to have a certificate revoked.",
            Self::KeyChosen => "An administrator decided about a correspondent's public key.",
            Self::KeyExpiring => "The only usable public key of a correspondent expires soon.",
            Self::KeyExpired => "The last usable public key of a correspondent has expired.",
            Self::KeyReplaced => "Another public key of a correspondent is used from now on.",
            Self::KeyDropped => "A directory does not have a correspondent's key any more.",
            Self::DkimKeyActive => "A DKIM key signs from now on.",
            Self::WebhookFailed => "An event was not passed on by a webhook.",
        }
    }

    const fn german(self) -> &'static str {
        match self {
            Self::MailHeld => "Eine E-Mail wird zurückgehalten.",
            Self::HeldMailExpired => {
                "Eine zurückgehaltene E-Mail wurde nach Ablauf ihrer Frist gelöscht."
            }
            Self::KeyLearned => {
                "Ein öffentlicher Schlüssel eines Kommunikationspartners wurde gelernt."
            }
            Self::KeyRevoked => "Das Zertifikat eines Kommunikationspartners wurde widerrufen.",
            Self::KeyUnanswered => {
                "Ein öffentlicher Schlüssel eines Kommunikationspartners wartet auf eine Auskunft über den Widerruf."
            }
            Self::MailboxActive => "Ein Postfach hat sein erstes Zertifikat.",
            Self::CertificateRenewed => "Ein Postfach hat sein nächstes Zertifikat.",
            Self::RenewalOrdered => "Das nächste Zertifikat eines Postfachs ist bestellt.",
            Self::CertificateEnds => "Ein Postfach wird oder ist ohne gültiges Zertifikat.",
            Self::OrderLate => "Ein bestelltes Zertifikat verspätet sich.",
            Self::OrderFailed => "Ein bestelltes Zertifikat wird nicht ausgestellt.",
            Self::CertificateRevoked => "Ein Zertifikat eines Postfachs ist widerrufen.",
            Self::RevocationLate => "Ein Widerruf verspätet sich.",
            Self::RevokeByHand => "Ein Administrator muss ein Zertifikat widerrufen lassen.",
            Self::KeyChosen => {
                "Ein Administrator hat über den öffentlichen Schlüssel eines Kommunikationspartners entschieden."
            }
            Self::KeyExpiring => {
                "Der einzige verwendbare öffentliche Schlüssel eines Kommunikationspartners läuft bald ab."
            }
            Self::KeyExpired => {
                "Der letzte verwendbare öffentliche Schlüssel eines Kommunikationspartners ist abgelaufen."
            }
            Self::KeyReplaced => {
                "Ab jetzt wird ein anderer öffentlicher Schlüssel eines Kommunikationspartners verwendet."
            }
            Self::KeyDropped => {
                "Ein Verzeichnis hat den Schlüssel eines Kommunikationspartners nicht mehr."
            }
            Self::DkimKeyActive => "Ab jetzt signiert ein DKIM-Schlüssel.",
            Self::WebhookFailed => "Ein Webhook hat ein Ereignis nicht weitergegeben.",
        }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// In English.
    pub text: String,
    /// For every language.
    #[serde(skip)]
    pub said: Saying,
}

pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    organisation: i64,
    at: Timestamp,
    (kind, said): (EventKind, impl Into<Saying>),
) -> Result<(), StoreError> {
    let (text, said) = sentence(&said.into())?;
    sqlx::query(
        "INSERT INTO events (organisation, at, kind, text, said) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(organisation)
    .bind(at.0)
    .bind(word(&kind)?)
    .bind(text)
    .bind(said)
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// An organisation's events after the one numbered `after` (0: from the start), oldest first.
    pub async fn events(
        &self,
        organisation: OrganisationId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        self.events_of_kind(organisation, None, after, limit).await
    }

    /// One page of an organisation's events, newest first: those of one kind if one is given, older than the one numbered
    /// `before` if that is given.
    pub async fn newest_events(
        &self,
        organisation: OrganisationId,
        (kind, before): (Option<EventKind>, Option<i64>),
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM events WHERE organisation = ");
        sql.push_bind(organisation.0);
        if let Some(kind) = &kind {
            sql.push(" AND kind = ").push_bind(word(kind)?);
        }
        if let Some(before) = before {
            sql.push(" AND id < ").push_bind(before);
        }
        sql.push(" ORDER BY id DESC LIMIT ")
            .push_bind(i64::from(limit.min(PAGE_ROWS)));
        let rows = sql.build().fetch_all(&self.0.readers).await?;
        rows.iter().map(event).collect()
    }

    /// The events after the one numbered `after`, oldest first, only those of one kind if one is given.
    pub async fn events_of_kind(
        &self,
        organisation: OrganisationId,
        kind: Option<EventKind>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let kind = kind.as_ref().map(word).transpose()?;
        let rows = sqlx::query(
            "SELECT * FROM events WHERE organisation = $1 AND id > $2 AND ($4 IS NULL OR kind = $4) ORDER BY id LIMIT $3",
        )
        .bind(organisation.0)
        .bind(after)
        .bind(i64::from(limit.min(PAGE_ROWS)))
        .bind(kind)
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter().map(event).collect()
    }
}

pub(crate) fn event(row: &SqliteRow) -> Result<Event, StoreError> {
    Ok(Event {
        id: row.field("id")?,
        at: row.time("at")?,
        kind: row.word("kind")?,
        text: row.field("text")?,
        said: row.said()?,
    })
}
