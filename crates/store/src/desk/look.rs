//! What a mail in the queue holds, for an administrator who looks at it. Each look leaves a line in the audit log.

use std::fmt;
use std::sync::Arc;

use sealgate_core::journal::MailStatus;
use sealgate_core::queue::{CopyId, MailId};
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::smtp::{Envelope, EnvelopeRecipient};
use sealgate_mail::{Address, Content, Timestamp};
use sqlx::sqlite::SqliteRow;

use super::owner;
use crate::audit;
use crate::content::CopyContent;
use crate::error::StoreError;
use crate::rows::{Columns, size};
use crate::seal::Purpose;
use crate::store::Store;
use crate::tx::queue_id;
use crate::writer::{Weight, job};

/// How an administrator looks at a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Its texts are shown.
    Shown,
    /// It is downloaded as it is.
    Downloaded,
}

impl Look {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "looked at",
            Self::Downloaded => "downloaded",
        }
    }
}

/// A copy in the queue, or the mail itself where it was not opened yet.
pub struct QueuedContent {
    /// The copy; none for a mail to be opened.
    pub copy: Option<CopyId>,
    /// Who is to get it.
    pub recipients: Vec<Address>,
    /// What was done to it; none for a mail to be opened.
    pub status: Option<MailStatus>,
    /// Head and body as they are sent, or as they came. It is read from the database, so not by an asynchronous task.
    pub content: Arc<dyn Content>,
}

impl fmt::Debug for QueuedContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QueuedContent({:?}, {:?})", self.copy, self.recipients)
    }
}

impl Store {
    /// What is in the queue of `mail`, a mail of `organisation`. Writes down first that `who` looks at it.
    pub async fn queued_contents(
        &self,
        (organisation, mail): (OrganisationId, MailId),
        look: Look,
        (who, now): (&str, Timestamp),
    ) -> Result<Vec<QueuedContent>, StoreError> {
        let found = self.contents_of(organisation, mail).await?;
        if found.is_empty() {
            let id = queue_id(mail);
            return Err(StoreError::NotFound(format!(
                "nothing of mail {id} is in the queue"
            )));
        }
        let who = who.to_owned();
        let work = job(move |connection| {
            Box::pin(async move {
                let name = owner(connection, mail, Some(organisation)).await?;
                let entry = audit::Entry {
                    at: now,
                    who: &who,
                    organisation: &name,
                    text: &format!("{} mail {}", look.as_str(), queue_id(mail)),
                };
                audit::insert(connection, entry).await
            })
        });
        self.0.writer.write(Weight::default(), work).await?;
        Ok(found)
    }

    async fn contents_of(
        &self,
        organisation: OrganisationId,
        mail: MailId,
    ) -> Result<Vec<QueuedContent>, StoreError> {
        let mut found = Vec::new();
        let waiting = sqlx::query(
            "SELECT o.id, o.envelope, o.head, o.content, t.octets
             FROM to_open o JOIN mails m ON m.id = o.mail JOIN contents t ON t.id = o.content
             WHERE o.mail = $1 AND m.organisation = $2 AND o.copy IS NULL ORDER BY o.id",
        )
        .bind(mail.0)
        .bind(organisation.0)
        .fetch_all(&self.0.readers)
        .await?;
        for row in &waiting {
            let envelope: Envelope = row.json("envelope")?;
            let recipients = envelope.recipients.into_iter().map(|one| one.address);
            found.push(QueuedContent {
                copy: None,
                recipients: recipients.collect(),
                status: None,
                content: self.content_of(row, Purpose::ToOpen, 0)?,
            });
        }
        let copies = sqlx::query(
            "SELECT c.id, c.status, c.head, c.content, c.body_from, t.octets
             FROM copies c JOIN contents t ON t.id = c.content
             WHERE c.mail = $1 AND c.organisation = $2 ORDER BY c.id",
        )
        .bind(mail.0)
        .bind(organisation.0)
        .fetch_all(&self.0.readers)
        .await?;
        for row in &copies {
            let recipients = self.recipients_of(row.field("id")?).await?;
            if recipients.is_empty() {
                continue;
            }
            found.push(QueuedContent {
                copy: Some(CopyId(row.field("id")?)),
                recipients,
                status: Some(row.word("status")?),
                content: self.content_of(row, Purpose::Head, size(row.field("body_from")?))?,
            });
        }
        Ok(found)
    }

    async fn recipients_of(&self, copy: i64) -> Result<Vec<Address>, StoreError> {
        let rows = sqlx::query(
            "SELECT envelope FROM recipients WHERE copy = $1 AND state IN ('waiting', 'held') ORDER BY id",
        )
        .bind(copy)
        .fetch_all(&self.0.readers)
        .await?;
        let address = |row: &SqliteRow| Ok(row.json::<EnvelopeRecipient>("envelope")?.address);
        rows.iter().map(address).collect()
    }

    fn content_of(
        &self,
        row: &SqliteRow,
        purpose: Purpose,
        from: u64,
    ) -> Result<Arc<dyn Content>, StoreError> {
        let id: i64 = row.field("id")?;
        let head = self
            .0
            .sealer
            .open(purpose, &id.to_string(), row.field("head")?)?;
        Ok(Arc::new(CopyContent {
            head,
            body: self.stored(row.field("content")?, size(row.field("octets")?)),
            from,
        }))
    }
}
