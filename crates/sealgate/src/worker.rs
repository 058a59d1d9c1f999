//! One mail's way from the session to the 250: who hands it in, for whom, and where its content goes.
//! What is decided about it stands in `outbound.rs` and `inbound.rs`.

use std::io;
use std::sync::Arc;

use sealgate_core::failure;
use sealgate_core::tenant::{Organisation, SendingClient};
use sealgate_mail::smtp::{Envelope, EnvelopeRecipient, MailParams};
use sealgate_mail::{Address, EnhancedStatus, Reply, ReversePath};
use sealgate_net::smtp_in::{Body, ClientName, Gate, Listener, Session};
use sealgate_store::{ContentWriter, Durable};

use crate::gateway::Gateway;
use crate::{inbound, outbound};

/// The gateway as the SMTP listeners see it.
#[derive(Clone)]
pub struct Reception(pub Arc<Gateway>);

/// Content on its way into sealed storage.
pub struct Incoming(ContentWriter);

impl Body for Incoming {
    async fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.0.write(chunk).await.map_err(io::Error::other)
    }
}

/// How a session knows a sending client.
pub fn client_name((of, client): (&Arc<Organisation>, &SendingClient)) -> ClientName {
    ClientName {
        organisation: of.id,
        name: client.name.clone(),
    }
}

impl Gate for Reception {
    type Receipt = Durable;
    type Body = Incoming;

    async fn connected(&self, session: &mut Session) -> Result<(), Reply> {
        if session.listener == Listener::Outbound {
            let installation = self.0.installation();
            let peer = session.peer.ip();
            let client = installation.client_by_network(peer);
            session.client = client.map(client_name);
            session.shared = installation.clients_sharing(peer).next().is_some();
        }
        Ok(())
    }

    async fn secured(&self, session: &mut Session) {
        let installation = self.0.installation();
        let by_certificate = session
            .certificate
            .and_then(|print| installation.client_by_certificate(&print));
        if let Some(client) = by_certificate {
            session.client = Some(client_name(client));
        }
    }

    async fn authenticate(
        &self,
        _session: &Session,
        user: &str,
        password: &str,
    ) -> Result<ClientName, Reply> {
        let hash = self
            .0
            .installation()
            .client_by_user(user)
            .and_then(|found| {
                let hash = found.1.password_hash()?.to_owned();
                Some((client_name(found), hash))
            });
        let password = password.to_owned();
        // An unknown user costs the same work as a known one, so that time does not list users.
        let (name, hash) = hash.map_or((None, self.0.unknown_user_hash.clone()), |(name, hash)| {
            (Some(name), hash)
        });
        // The places are never closed, so that acquiring one cannot fail.
        let _place = self.0.password_checks.acquire().await;
        let matches = tokio::task::spawn_blocking(move || {
            crate::passwords::password_matches(&hash, &password)
        })
        .await;
        match (name, matches) {
            (Some(name), Ok(true)) => Ok(name),
            _ => Err(Reply::new(
                535,
                EnhancedStatus(5, 7, 8),
                "user name or password is wrong",
            )),
        }
    }

    async fn mail(
        &self,
        session: &Session,
        from: &ReversePath,
        _params: &MailParams,
    ) -> Result<(), Reply> {
        if session.listener == Listener::Inbound {
            return Ok(());
        }
        let installation = self.0.installation();
        let proven = session
            .client
            .as_ref()
            .and_then(|client| installation.client_by_name(client.organisation, &client.name));
        let sharing = installation.clients_sharing(session.peer.ip());
        let clients: Vec<_> = match &session.client {
            Some(_) => proven.into_iter().collect(),
            None => sharing.collect(),
        };
        if clients.is_empty() {
            return Err(Reply::new(
                530,
                EnhancedStatus(5, 7, 0),
                "only known sending clients may hand in mail here: authenticate, or ask the administrator",
            ));
        }
        match from {
            ReversePath::Null => Ok(()),
            ReversePath::Address(address)
                if clients
                    .iter()
                    .any(|(of, client)| client.may_send_as(of, Some(address))) =>
            {
                Ok(())
            }
            ReversePath::Address(address) => Err(may_not_send_as(Some(address))),
        }
    }

    async fn rcpt(
        &self,
        session: &Session,
        envelope: &Envelope,
        recipient: &EnvelopeRecipient,
    ) -> Result<(), Reply> {
        match session.listener {
            Listener::Outbound => Ok(()),
            Listener::Inbound => self.inbound_recipient(envelope, &recipient.address).await,
        }
    }

    async fn body(&self, _session: &Session, _envelope: &Envelope) -> Result<Incoming, Reply> {
        self.0
            .store
            .content_writer()
            .map(Incoming)
            .map_err(|error| unavailable(&error))
    }

    async fn accept(
        &self,
        session: &Session,
        envelope: Envelope,
        body: Incoming,
    ) -> Result<Durable, Reply> {
        let content = body.0.finish().await.map_err(|error| unavailable(&error))?;
        match session.listener {
            Listener::Outbound => outbound::accept(&self.0, session, envelope, content).await,
            Listener::Inbound => inbound::accept(&self.0, session, envelope, content).await,
        }
    }
}

impl Reception {
    /// Whether mail from anyone may go to `address`: only into domains of inbound routes, only to mailboxes that exist.
    async fn inbound_recipient(&self, envelope: &Envelope, address: &Address) -> Result<(), Reply> {
        let installation = self.0.installation();
        let Some(organisation) = self.0.receiving(&installation, address) else {
            return Err(Reply::new(
                550,
                EnhancedStatus(5, 7, 1),
                "this server does not take mail for that domain",
            ));
        };
        let others = envelope
            .recipients
            .iter()
            .filter_map(|other| self.0.receiving(&installation, &other.address));
        if others.into_iter().any(|other| other.id != organisation.id) {
            // A mail is decided for one organisation; the client sends the other's copy in a transaction of its own
            // (RFC 5321 section 4.5.3.1.10).
            return Err(Reply::new(
                452,
                EnhancedStatus(4, 5, 3),
                "send to this domain in a transaction of its own",
            ));
        }
        // RFC 5321 section 4.5.1: postmaster is always accepted.
        if organisation.mailbox(address).is_some()
            || address.local().eq_ignore_ascii_case("postmaster")
        {
            return Ok(());
        }
        self.unknown_mailbox(organisation, address).await
    }

    async fn unknown_mailbox(
        &self,
        organisation: &Organisation,
        address: &Address,
    ) -> Result<(), Reply> {
        match organisation.route(address.domain()) {
            Some(route) if route.wildcard => {
                self.0
                    .probes
                    .ask(&self.0.smtp_out, &route.target, address)
                    .await
            }
            _ => Err(Reply::new(
                550,
                EnhancedStatus(5, 1, 1),
                "there is no such mailbox here",
            )),
        }
    }
}

/// The reply to a sender that the sending client may not use.
pub fn may_not_send_as(address: Option<&Address>) -> Reply {
    let who = address.map_or_else(
        || "an address that is not the organisation's".to_owned(),
        Address::to_string,
    );
    Reply::new(
        553,
        EnhancedStatus(5, 7, 1),
        &format!("this sending client may not send as {who}: ask the administrator"),
    )
}

/// The reply when a part of this gateway is away; the reason is for the log alone.
pub fn unavailable(reason: &dyn std::fmt::Display) -> Reply {
    tracing::error!(%reason, "a mail could not be taken now");
    failure::unavailable()
}
