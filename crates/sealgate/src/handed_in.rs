//! A mail as a session hands it in: what both directions begin with.

use std::sync::Arc;

use sealgate_core::journal::{Direction, Line, MailRecord, MailStatus, Trace};
use sealgate_core::own_header::{CONNECTOR, Own, is_loop, is_straight_from_us, trace_field};
use sealgate_core::ports::StoredContent;
use sealgate_core::process::{ProcessError, Received};
use sealgate_core::queue::MailId;
use sealgate_core::tenant::{Installation, Organisation};
use sealgate_mail::edit::HeaderEdit;
use sealgate_mail::smtp::Envelope;
use sealgate_mail::smtp::server::{ReceivedFacts, received};
use sealgate_mail::{Address, EnhancedStatus, HeaderBlock, Reply, Timestamp};
use sealgate_net::smtp_in::Session;

use crate::gateway::{Gateway, now};
use crate::lookups::Seen;
use crate::worker::unavailable;

/// A complete mail of a session, before it is decided.
pub struct HandedIn<'s> {
    /// The snapshot it is decided under.
    pub installation: Arc<Installation>,
    /// Whose it is.
    pub organisation: Arc<Organisation>,
    /// Which way it goes.
    pub direction: Direction,
    /// The session.
    pub session: &'s Session,
    /// Its envelope.
    pub envelope: Envelope,
    /// Its content.
    pub content: Arc<dyn StoredContent>,
    /// What it shows.
    pub seen: Seen,
    /// Its number.
    pub id: MailId,
    /// When it was complete.
    pub at: Timestamp,
    /// Fields to stand on top of every copy.
    pub prepend: String,
}

impl<'s> HandedIn<'s> {
    /// Reads what the mail shows and refuses what goes round in a circle or cannot be read.
    pub async fn read(
        gateway: &Gateway,
        (session, direction): (&'s Session, Direction),
        (installation, organisation): (Arc<Installation>, Arc<Organisation>),
        envelope: Envelope,
        content: Arc<dyn StoredContent>,
    ) -> Result<Self, Reply> {
        let mut seen = see(Arc::clone(&content), &envelope).await?;
        let without_secret = HeaderEdit::new(&seen.header)
            .remove_named(CONNECTOR)
            .finish();
        seen.header = HeaderBlock::parse(&without_secret);
        let key = gateway.store.trace_key();
        // A network alone proves nothing where we ourselves are what comes from there: an organisation would send as another.
        let is_unproven = direction == Direction::Outbound
            && session.client.is_none()
            && is_straight_from_us(key, &seen.header);
        if is_unproven || is_loop(key, organisation.id, direction, &seen.header) {
            return Err(sealgate_core::failure::reply_for(
                &sealgate_core::failure::RefusalReason::Loop,
            ));
        }
        let id = gateway
            .store
            .new_mail_id()
            .map_err(|error| unavailable(&error))?;
        let at = now();
        let facts = ReceivedFacts {
            helo: &session.helo,
            peer: session.peer.ip(),
            esmtp: session.esmtp,
            tls: session.tls.as_ref(),
            authenticated: session.authenticated,
            smtputf8: envelope.params.smtputf8,
            by: &gateway.config.hostname,
            id: &sealgate_store::queue_id(id),
            recipients: &envelope.recipients,
        };
        let mut prepend = trace_field(
            gateway.store.trace_key(),
            organisation.id,
            direction,
            &seen.header,
        );
        prepend.insert_str(0, &received(&facts, at));
        Ok(Self {
            installation,
            organisation,
            direction,
            session,
            envelope,
            content,
            seen,
            id,
            at,
            prepend,
        })
    }

    /// The mail's entry in the journal.
    pub fn record(&self, sender_proven: bool) -> MailRecord {
        let client = self
            .session
            .client
            .as_ref()
            .map(|client| client.name.clone());
        MailRecord {
            organisation: self.organisation.id,
            direction: self.direction,
            at: self.at,
            envelope_from: self.envelope.from.clone(),
            header_from: self.seen.header_from.clone(),
            message_id: self.seen.message_id.clone(),
            size: self.content.len(),
            handed_in_by: client.unwrap_or_else(|| self.session.peer.ip().to_string()),
            sender_proven,
            version: self.installation.version,
        }
    }

    /// Makes copies where reading and writing contents may wait.
    pub async fn work<T: Send + 'static>(
        &self,
        make: impl FnOnce(Received<'_>) -> Result<T, ProcessError> + Send + 'static,
    ) -> Result<T, Reply> {
        let (content, prepend) = (Arc::clone(&self.content), self.prepend.clone());
        let (from, params) = (self.envelope.from.clone(), self.envelope.params.clone());
        let made = blocking(move || {
            make(Received {
                content: &content,
                from: &from,
                params: &params,
                prepend: &prepend,
            })
        });
        made.await?.map_err(|error| {
            tracing::warn!(%error, "a mail could not be made ready");
            error.reply()
        })
    }
}

impl Gateway {
    /// What tells our own header fields from forged ones.
    pub fn own(&self) -> Own<'_> {
        Own {
            authserv_id: &self.config.hostname,
            trace_key: self.store.trace_key(),
        }
    }
}

async fn see(content: Arc<dyn StoredContent>, envelope: &Envelope) -> Result<Seen, Reply> {
    let from = envelope.from.clone();
    let seen = blocking(move || Seen::of(content.as_ref(), &from)).await?;
    match seen {
        Ok(Ok(seen)) => Ok(seen),
        Ok(Err(error)) => Err(Reply::new(
            554,
            EnhancedStatus(5, 6, 0),
            &format!("the message cannot be taken: {error}"),
        )),
        Err(error) => Err(unavailable(&error)),
    }
}

/// Runs work that reads and writes contents where it may wait.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Reply> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| unavailable(&error))
}

/// A line of the journal without verdicts.
pub fn line(
    recipient: &Address,
    status: MailStatus,
    trace: Trace,
    refusal: Option<&Reply>,
) -> Line {
    Line {
        recipient: recipient.clone(),
        status,
        signature: None,
        encryption: None,
        trace,
        refusal: refusal.map(ToString::to_string),
    }
}
