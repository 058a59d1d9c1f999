//! Mail of sending clients, all of it before the 250: decide each recipient, make copies, commit.

use std::sync::Arc;

use sealgate_core::failure::{self, Circumstances, Disposition, Place, Refusal, RefusalReason};
use sealgate_core::journal::{Direction, Line, MailStatus};
use sealgate_core::outcome::{OutboundOutcome, OutboundRefusal};
use sealgate_core::own_header::CONNECTOR;
use sealgate_core::ports::StoredContent;
use sealgate_core::process::{self, OutboundRecipient, OutboundWork};
use sealgate_core::queue::Outgoing;
use sealgate_core::settle::{self, OutboundSender};
use sealgate_core::tenant::{Installation, KeyId, Organisation, SendingClient};
use sealgate_mail::smtp::Envelope;
use sealgate_mail::{Content, EnhancedStatus, Message, Reply, ReversePath};
use sealgate_net::smtp_in::Session;
use sealgate_smime::algorithms::DigestAlgorithm;
use sealgate_smime::aws::Digest;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::sign::Signer;
use sealgate_store::{Acceptance, Durable, KeyPair};

use crate::dkim;
use crate::gateway::Gateway;
use crate::handed_in::{HandedIn, blocking, line};
use crate::lookups::{self, OutboundDecision, OutboundMail};
use crate::random::SystemRandom;
use crate::reports;
use crate::sources;
use crate::worker::{client_name, may_not_send_as, unavailable};

/// Decides, makes and commits a mail; its refusal is the reply.
pub async fn accept(
    gateway: &Arc<Gateway>,
    session: &Session,
    envelope: Envelope,
    content: Arc<dyn StoredContent>,
) -> Result<Durable, Reply> {
    let installation = gateway.installation();
    let (organisation, client) = identify(&installation, session, &envelope, &content).await?;
    let session = &Session {
        client: Some(client_name((&organisation, &client))),
        ..session.clone()
    };
    let snapshot = (installation, Arc::clone(&organisation));
    let mut mail = HandedIn::read(
        gateway,
        (session, Direction::Outbound),
        snapshot,
        envelope,
        content,
    )
    .await?;
    let from = mail.seen.header_from.as_ref();
    // A notification names the mail server that makes it, but nobody else's address either.
    let is_foreign = from.is_none_or(|from| mail.installation.managing(from.domain()).is_none());
    let passes = mail.seen.report.is_some() && is_foreign;
    if !passes && !client.may_send_as(&organisation, from) {
        return Err(may_not_send_as(from));
    }
    let sender = settle::outbound_sender(
        &organisation,
        from,
        address_of(&mail.envelope.from),
        mail.at,
    );
    look_for_special(&mut mail).await?;
    let decisions = decide(gateway, &mail, &sender).await?;
    if let Some(reply) = unanswered(&decisions) {
        return Err(reply);
    }
    let refused = dispose(gateway, &mail, &decisions).await?;
    let copies = make_copies(gateway, &mail, &sender, &decisions).await?;
    let from = mail.seen.header_from.as_ref();
    let copies = dkim::sign_copies(gateway, &mail.organisation, from, copies).await?;
    commit(gateway, mail, decisions, refused, copies).await
}

/// Finds out whether the mail is special to the organisation.
async fn look_for_special(mail: &mut HandedIn<'_>) -> Result<(), Reply> {
    let (mut seen, content) = (mail.seen.clone(), Arc::clone(&mail.content));
    let settings = mail.organisation.settings;
    let looked = blocking(move || {
        seen.look_for_special(content.as_ref(), &settings)
            .map(|()| seen)
    });
    mail.seen = looked.await?.map_err(|error| unavailable(&error))?;
    Ok(())
}

/// Whose mail it is: the client that the session has proven, or the one whose secret the mail carries.
async fn identify(
    installation: &Installation,
    session: &Session,
    envelope: &Envelope,
    content: &Arc<dyn StoredContent>,
) -> Result<(Arc<Organisation>, SendingClient), Reply> {
    let found = match &session.client {
        Some(client) => installation.client_by_name(client.organisation, &client.name),
        None => {
            let content = Arc::clone(content);
            let digest = blocking(move || connector_digest(content.as_ref())).await?;
            digest.and_then(|digest| installation.client_by_connector(session.peer.ip(), &digest))
        }
    };
    let (organisation, client) = found.ok_or_else(not_a_client)?;
    match &envelope.from {
        ReversePath::Address(from) if !client.may_send_as(organisation, Some(from)) => {
            Err(may_not_send_as(Some(from)))
        }
        _ => Ok((Arc::clone(organisation), client.clone())),
    }
}

/// SHA-256 of the one connector secret of a mail.
fn connector_digest(content: &dyn Content) -> Option<Vec<u8>> {
    let message = Message::read(content).ok()?;
    let mut fields = message.header().all(CONNECTOR);
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return None;
    };
    Some(Digest::of(
        DigestAlgorithm::Sha256,
        field.value().trim_ascii(),
    ))
}

/// One recipient with what was decided.
struct Decided {
    outbound: OutboundRecipient,
    decision: OutboundDecision,
    refusal: Option<RefusalReason>,
}

/// The reply if encryption is enforced for a recipient and a source of keys gives no answer: then nothing is decided yet.
fn unanswered(decisions: &[Decided]) -> Option<Reply> {
    let waits = OutboundOutcome::Refuse(OutboundRefusal::Unanswered);
    let mut all = decisions.iter();
    let waiting = all.find(|decided| decided.outbound.outcome == waits)?;
    let reply = failure::unanswered(waiting.decision.settled.words());
    tracing::info!(reply = reply.text, "outbound mail put off");
    Some(reply)
}

async fn decide(
    gateway: &Arc<Gateway>,
    mail: &HandedIn<'_>,
    sender: &OutboundSender,
) -> Result<Vec<Decided>, Reply> {
    let mut decisions = Vec::with_capacity(mail.envelope.recipients.len());
    let looked_up = OutboundMail {
        organisation: &mail.organisation,
        seen: &mail.seen,
        sender,
        now: mail.at,
    };
    let addresses = mail.envelope.recipients.iter().map(|one| &one.address);
    let unknown = lookups::to_be_looked_up(&gateway.store, looked_up, addresses)
        .await
        .map_err(|error| unavailable(&error))?;
    let words = sources::ask(gateway, &mail.organisation, unknown)
        .await
        .map_err(|failure| unavailable(&failure.message))?;
    for recipient in &mail.envelope.recipients {
        let words = words.get(&recipient.address).map_or(&[][..], Vec::as_slice);
        let decision = lookups::outbound(&gateway.store, looked_up, &recipient.address, words)
            .await
            .map_err(|error| unavailable(&error))?;
        let refusal = match decision.settled.outcome {
            OutboundOutcome::Refuse(reason) => Some(RefusalReason::Outbound(reason)),
            _ => None,
        };
        let outbound = OutboundRecipient {
            recipient: recipient.clone(),
            outcome: decision.settled.outcome,
            content: decision.content,
            exemption: decision.settled.exemption(),
            certificates: decision.certificates.clone(),
            suite: decision.suite,
        };
        decisions.push(Decided {
            outbound,
            decision,
            refusal,
        });
    }
    if mail.organisation.settings.all_or_nothing
        && decisions.iter().any(|decided| decided.refusal.is_some())
    {
        for decided in &mut decisions {
            decided.refusal.get_or_insert(RefusalReason::AllOrNothing);
        }
    }
    Ok(decisions)
}

/// Where the refusals go: the reply, or reports for those refused. `Err` refuses the whole mail, after its journal is written.
async fn dispose(
    gateway: &Gateway,
    mail: &HandedIn<'_>,
    decisions: &[Decided],
) -> Result<Vec<Refusal>, Reply> {
    let refusals: Vec<_> = decisions.iter().filter_map(Decided::refused).collect();
    if refusals.is_empty() {
        return Ok(Vec::new());
    }
    let circumstances = Circumstances {
        from: &mail.envelope.from,
        sender_proven: is_ours(&mail.organisation, &mail.envelope.from),
        direction: Direction::Outbound,
        answered: false,
        accepted: decisions.len().saturating_sub(refusals.len()),
        encrypted_key_seen: false,
    };
    match failure::dispose(refusals, circumstances) {
        Disposition::Reply(reply) => {
            let lines = decisions
                .iter()
                .map(|decided| decided.line(Some(&reply)))
                .collect();
            if let Err(error) = gateway.store.refused(mail.record(true), lines).await {
                return Err(unavailable(&error));
            }
            Err(reply)
        }
        Disposition::Recipients(placed) => Ok(placed
            .into_iter()
            .filter(|(_, place)| *place == Place::Report)
            .map(|(refusal, _)| refusal)
            .collect()),
    }
}

impl Decided {
    fn refused(&self) -> Option<Refusal> {
        let reason = self.refusal.clone()?;
        Some(Refusal {
            recipient: self.outbound.recipient.clone(),
            reason,
        })
    }

    /// The journal line; `reply` is what the whole mail was refused with.
    fn line(&self, reply: Option<&Reply>) -> Line {
        let recipient = &self.outbound.recipient.address;
        let trace = self.decision.settled.trace.clone();
        let own = self.refusal.as_ref().map(failure::reply_for);
        let told = reply.or(own.as_ref());
        let status = match told {
            Some(_) => MailStatus::Failed,
            None => settle::outbound_status(self.outbound.outcome, self.outbound.content),
        };
        line(recipient, status, trace, told)
    }
}

async fn make_copies(
    gateway: &Arc<Gateway>,
    mail: &HandedIn<'_>,
    sender: &OutboundSender,
    decisions: &[Decided],
) -> Result<Vec<Outgoing>, Reply> {
    let recipients: Vec<_> = decisions
        .iter()
        .filter(|decided| decided.refusal.is_none())
        .map(|decided| decided.outbound.clone())
        .collect();
    let signs = recipients.iter().any(|recipient| {
        matches!(
            recipient.outcome,
            OutboundOutcome::Sign(_) | OutboundOutcome::SignAndEncrypt
        )
    });
    let keys = if signs {
        Keys::load(gateway, mail, sender).await?
    } else {
        Keys::default()
    };
    let (gateway, now) = (Arc::clone(gateway), mail.at);
    let protect_header = mail.organisation.settings.header_protection;
    let copies = mail.work(move |received| {
        let signing = keys.signing.as_deref();
        let along = signing.map(|pair| sent_along(pair, keys.encryption.as_deref()));
        let signer = signing.zip(along.as_deref()).map(|(pair, chain)| Signer {
            key: &pair.key,
            certificate: &pair.certificate,
            chain,
            rsa_signature: Default::default(),
        });
        let own = keys.encryption.as_deref().map(|pair| &pair.certificate);
        let work = OutboundWork {
            received,
            recipients: &recipients,
            signer,
            own,
            now,
            protect_header,
        };
        process::outbound(&work, &gateway.store.shelf(), &mut SystemRandom)
    });
    copies.await
}

/// The certificates sent along with a signature: the issuers, and the encryption certificate with its issuers if it is another
/// one, so that correspondents learn what to encrypt to (S88, RFC 8551 section 2.5.3).
fn sent_along(signing: &KeyPair, encryption: Option<&KeyPair>) -> Vec<Certificate> {
    let mut along = signing.chain.clone();
    let other = encryption.filter(|pair| pair.certificate != signing.certificate);
    let more = other
        .into_iter()
        .flat_map(|pair| std::iter::once(&pair.certificate).chain(&pair.chain));
    for certificate in more {
        if !along.contains(certificate) {
            along.push(certificate.clone());
        }
    }
    along
}

/// The sender's current keys.
#[derive(Default)]
struct Keys {
    signing: Option<Arc<KeyPair>>,
    encryption: Option<Arc<KeyPair>>,
}

impl Keys {
    async fn load(
        gateway: &Gateway,
        mail: &HandedIn<'_>,
        sender: &OutboundSender,
    ) -> Result<Self, Reply> {
        let mailbox = sender
            .managed
            .as_ref()
            .and_then(|address| mail.organisation.mailbox(address));
        let encryption = mailbox.and_then(|mailbox| mailbox.encryption_key(mail.at));
        Ok(Self {
            signing: load(gateway, sender.key).await?,
            encryption: load(gateway, encryption).await?,
        })
    }
}

async fn load(gateway: &Gateway, key: Option<KeyId>) -> Result<Option<Arc<KeyPair>>, Reply> {
    match key {
        Some(key) => gateway
            .store
            .key_pair(key)
            .await
            .map(Some)
            .map_err(|error| unavailable(&error)),
        None => Ok(None),
    }
}

async fn commit(
    gateway: &Arc<Gateway>,
    mail: HandedIn<'_>,
    decisions: Vec<Decided>,
    refused: Vec<Refusal>,
    copies: Vec<Outgoing>,
) -> Result<Durable, Reply> {
    let record = mail.record(is_ours(&mail.organisation, &mail.envelope.from));
    let reported = reports::refused(refused);
    let reports = reports::of(gateway, mail.about(&record), reported, mail.at)
        .await
        .map_err(|failure| unavailable(&failure.message))?;
    let lines: Vec<_> = decisions.iter().map(|decided| decided.line(None)).collect();
    tracing::info!(
        mail = sealgate_store::queue_id(mail.id),
        recipients = lines.len(),
        "outbound mail accepted"
    );
    let acceptance = Acceptance {
        id: Some(mail.id),
        sent_message_id: record.message_id.clone(),
        record,
        lines,
        copies,
        held: Vec::new(),
        to_open: None,
        reports,
        harvested: Vec::new(),
    };
    gateway
        .store
        .accept(acceptance)
        .await
        .map_err(|error| unavailable(&error))
}

fn address_of(from: &ReversePath) -> Option<&sealgate_mail::Address> {
    match from {
        ReversePath::Null => None,
        ReversePath::Address(address) => Some(address),
    }
}

/// Whether reports may go to the envelope sender: it is the organisation's, and the client may send as it.
fn is_ours(organisation: &Organisation, from: &ReversePath) -> bool {
    address_of(from).is_some_and(|address| organisation.manages(address))
}

fn not_a_client() -> Reply {
    Reply::new(
        530,
        EnhancedStatus(5, 7, 0),
        "this mail carries no proof of a known sending client: ask the administrator",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use sealgate_smime::key::PrivateKey;

    use super::*;

    fn pair(name: &str, chain: &[Certificate]) -> KeyPair {
        let read = |ending: &str| {
            let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../store/testdata");
            std::fs::read(format!("{directory}/{name}.{ending}")).unwrap()
        };
        KeyPair {
            certificate: Certificate::from_der(&read("der")).unwrap(),
            key: PrivateKey::from_pkcs8(&read("p8")).unwrap(),
            chain: chain.to_vec(),
        }
    }

    #[test]
    fn s88_another_encryption_certificate_goes_along_with_the_signature() {
        let issuer = pair("twin-one", &[]).certificate;
        let signing = pair("alice-sign", std::slice::from_ref(&issuer));
        let encryption = pair("alice-encrypt", std::slice::from_ref(&issuer));
        let both = [issuer.clone(), encryption.certificate.clone()];
        assert_eq!(sent_along(&signing, Some(&encryption)), both);
        assert_eq!(sent_along(&signing, Some(&signing)), signing.chain);
        assert_eq!(sent_along(&signing, None), [issuer]);
    }
}
