//! What a mail in the queue holds, for an administrator who looks at it. Each look leaves a line in the audit log.

use std::fmt;
use std::sync::Arc;

use sealgate_core::journal::MailStatus;
use sealgate_core::queue::{CopyId, MailId};
use sealgate_core::saying::Operation as Said;
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
    fn said(self, mail: MailId) -> Said {
        let mail = queue_id(mail).to_string();
        match self {
            Self::Shown => Said::LookedAt { mail },
            Self::Downloaded => Said::Downloaded { mail },
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
        let found = self.contents_in_queue(organisation, mail).await?;
        self.looked((organisation, mail), look, (who, now)).await?;
        Ok(found)
    }

    /// The same without writing it down: for whoever finds out first whether it may be looked at, and then says so by
    /// [`Store::looked`].
    pub async fn contents_in_queue(
        &self,
        organisation: OrganisationId,
        mail: MailId,
    ) -> Result<Vec<QueuedContent>, StoreError> {
        let found = self.contents_of(organisation, mail).await?;
        if found.is_empty() {
            let id = queue_id(mail);
            return Err(StoreError::NotFound(format!(
                "nothing of mail {id} is in the queue"
            )));
        }
        Ok(found)
    }

    /// Writes down that `who` looks at a mail of the organisation.
    pub async fn looked(
        &self,
        (organisation, mail): (OrganisationId, MailId),
        look: Look,
        (who, now): (&str, Timestamp),
    ) -> Result<(), StoreError> {
        let who = who.to_owned();
        let work = job(move |connection| {
            Box::pin(async move {
                let name = owner(connection, mail, Some(organisation)).await?;
                let entry = audit::Entry {
                    at: now,
                    who: &who,
                    organisation: &name,
                    said: look.said(mail).into(),
                };
                audit::insert(connection, entry).await
            })
        });
        self.0.writer.write(Weight::default(), work).await
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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use sealgate_core::journal::Direction;

    use super::*;
    use crate::testing::{NOW, World, acceptance, content, read_all, recipient, world};
    use crate::{ToOpen, Verb};

    const TEXT: &[u8] = b"To: a@x.example, b@x.example\r\n\r\nhello\r\n";
    const BOTH: [&str; 2] = ["a@x.example", "b@x.example"];

    async fn looks(world: &World, mail: MailId, look: Look) -> Vec<QueuedContent> {
        let which = (world.organisation, mail);
        let found = world.store.queued_contents(which, look, ("carol", NOW));
        found.await.unwrap()
    }

    /// What carol did, as the audit log tells it.
    async fn told(world: &World) -> Vec<String> {
        let lines = world.store.audit(0, 100).await.unwrap().into_iter();
        let hers = lines.filter(|line| line.who == "carol");
        hers.map(|line| line.text).collect()
    }

    async fn is_missing(world: &World, organisation: OrganisationId, mail: MailId) {
        let which = (organisation, mail);
        let found = world
            .store
            .queued_contents(which, Look::Shown, ("carol", NOW));
        assert!(matches!(found.await, Err(StoreError::NotFound(_))));
    }

    #[tokio::test]
    async fn a_copy_is_shown_while_somebody_waits_for_it() {
        let world = world().await;
        let acceptance = world.mail(TEXT, &BOTH).await;
        let mail = world.accept(acceptance).await;
        let found = looks(&world, mail, Look::Shown).await;
        let [copy] = &found[..] else {
            panic!("{found:?}");
        };
        let to: Vec<_> = copy.recipients.iter().map(ToString::to_string).collect();
        assert_eq!(to, BOTH);
        assert!(copy.copy.is_some() && copy.status == Some(MailStatus::Plain));
        let octets = read_all(Arc::new(Reading(Arc::clone(&copy.content))), 0).await;
        let text = String::from_utf8(octets.unwrap()).unwrap();
        assert!(text.starts_with("X-Marker: head\r\n"), "{text}");
        assert!(text.ends_with("\r\n\r\nhello\r\n"), "{text}");
        looks(&world, mail, Look::Downloaded).await;
        let id = queue_id(mail);
        let expected = [
            format!("looked at mail {id}"),
            format!("downloaded mail {id}"),
        ];
        assert_eq!(told(&world).await, expected);
        let organisation = Some(world.organisation);
        let verb = Verb::Delete;
        let deleted = world.store.act(verb, mail, organisation, "dave", NOW).await;
        assert_eq!(deleted.unwrap(), 2);
        is_missing(&world, world.organisation, mail).await;
        assert_eq!(told(&world).await.len(), 2, "nothing was seen");
    }

    #[tokio::test]
    async fn a_foreign_mail_is_not_there_and_leaves_no_trace() {
        let world = world().await;
        let acceptance = world.mail(TEXT, &BOTH).await;
        let mail = world.accept(acceptance).await;
        is_missing(&world, OrganisationId(world.organisation.0 + 1), mail).await;
        is_missing(&world, world.organisation, MailId(mail.0 ^ 1)).await;
        assert!(told(&world).await.is_empty());
    }

    #[tokio::test]
    async fn a_mail_to_be_opened_is_shown_as_it_came() {
        let world = world().await;
        let stored = content(&world.store, TEXT).await;
        let mut inbound = acceptance(world.organisation, &BOTH[..1]);
        inbound.record.direction = Direction::Inbound;
        inbound.to_open = Some(ToOpen {
            envelope: Envelope {
                from: sealgate_mail::ReversePath::Null,
                params: Default::default(),
                recipients: vec![recipient(BOTH[0])],
            },
            head: b"Received: here\r\n".to_vec(),
            content: stored,
        });
        let mail = world.accept(inbound).await;
        let found = looks(&world, mail, Look::Shown).await;
        let [whole] = &found[..] else {
            panic!("{found:?}");
        };
        assert!(whole.copy.is_none() && whole.status.is_none());
        assert_eq!(whole.recipients[0].to_string(), BOTH[0]);
        let octets = read_all(Arc::new(Reading(Arc::clone(&whole.content))), 0).await;
        let expected = [b"Received: here\r\n", TEXT].concat();
        assert_eq!(octets.unwrap(), expected);
    }

    /// A content of which only the trait is known.
    struct Reading(Arc<dyn Content>);

    impl Content for Reading {
        fn len(&self) -> u64 {
            self.0.len()
        }
        fn reader(&self, from: u64) -> std::io::Result<Box<dyn std::io::Read + Send + '_>> {
            self.0.reader(from)
        }
    }
}
