//! Mail from anyone to managed addresses. Without S/MIME it is decided and committed before the 250; with S/MIME it is committed
//! as to be opened, and opened from the queue, so that neither reply nor time tells whether a ciphertext was good.

use std::io::Read;
use std::sync::Arc;

use sealgate_core::failure::{self, Circumstances, Disposition, Place, Refusal, RefusalReason};
use sealgate_core::journal::{Direction, Line, MailStatus};
use sealgate_core::outcome::InboundOutcome;
use sealgate_core::own_header::Verdicts;
use sealgate_core::ports::StoredContent;
use sealgate_core::process::{self, InboundRecipient, InboundWork};
use sealgate_core::queue::Outgoing;
use sealgate_core::tenant::{Installation, Organisation};
use sealgate_mail::smtp::{Envelope, EnvelopeRecipient};
use sealgate_mail::{Address, Reply, ReversePath};
use sealgate_net::authenticity::AuthenticityFacts;
use sealgate_net::limits::DKIM_OCTETS;
use sealgate_net::smtp_in::Session;
use sealgate_smime::kind::Kind;
use sealgate_smime::verdict::SignatureVerdict;
use sealgate_store::{Acceptance, Durable, Held, ToOpen};
use tokio::sync::SemaphorePermit;

use crate::challenge;
use crate::gateway::Gateway;
use crate::handed_in::{HandedIn, blocking, line};
use crate::lookups::{self, InboundDecision};
use crate::reports;
use crate::worker::unavailable;

pub use crate::opening::open;

/// Decides what can be decided without a private key, and commits; its refusal is the reply.
pub async fn accept(
    gateway: &Arc<Gateway>,
    session: &Session,
    mut envelope: Envelope,
    content: Arc<dyn StoredContent>,
) -> Result<Durable, Reply> {
    let installation = gateway.installation();
    gateway.redirect_own_postmaster(&installation, &mut envelope);
    // The configuration may have changed since RCPT: then the client comes again.
    let organisation =
        one_organisation(&installation, &envelope).ok_or_else(failure::unavailable)?;
    let organisation = Arc::clone(organisation);
    let snapshot = (installation, organisation);
    let mail = HandedIn::read(
        gateway,
        (session, Direction::Inbound),
        snapshot,
        envelope,
        content,
    )
    .await?;
    let facts = authenticity(gateway, &mail).await?;
    if let Some(taken) = challenge::take(gateway, &mail, &facts).await? {
        return Ok(taken);
    }
    let proven = facts.envelope_sender_proven();
    let mut decisions = Vec::with_capacity(mail.envelope.recipients.len());
    for recipient in &mail.envelope.recipients {
        let decision = lookups::inbound(
            &gateway.store,
            &mail.organisation,
            &mail.seen,
            &recipient.address,
            mail.at,
        )
        .await;
        decisions.push(Decided {
            recipient: recipient.clone(),
            decision: decision.map_err(|error| unavailable(&error))?,
        });
    }
    let placed = dispose(gateway, &mail, &decisions, proven).await?;
    commit(gateway, mail, decisions, placed, proven).await
}

/// The organisation of all recipients, if it is one.
fn one_organisation<'i>(
    installation: &'i Installation,
    envelope: &Envelope,
) -> Option<&'i Arc<Organisation>> {
    let mut of_each = envelope
        .recipients
        .iter()
        .map(|recipient| installation.managing(recipient.address.domain()));
    let first = of_each.next()??;
    of_each
        .all(|other| other.is_some_and(|other| other.id == first.id))
        .then_some(first)
}

/// One recipient with what was decided.
struct Decided {
    recipient: EnvelopeRecipient,
    decision: InboundDecision,
}

impl Decided {
    fn refused(&self) -> Option<Refusal> {
        match self.decision.settled.outcome {
            InboundOutcome::Refuse(reason) => Some(Refusal {
                recipient: self.recipient.clone(),
                reason: RefusalReason::Inbound(reason),
            }),
            _ => None,
        }
    }

    fn line(&self, status: MailStatus, reply: Option<&Reply>) -> Line {
        let own = self
            .refused()
            .map(|refusal| failure::reply_for(&refusal.reason));
        let told = reply.or(own.as_ref());
        let status = if told.is_some() {
            MailStatus::Failed
        } else {
            status
        };
        line(
            &self.recipient.address,
            status,
            self.decision.settled.trace.clone(),
            told,
        )
    }
}

/// Who really sent it: whether the envelope sender is authenticated, so that reports may go there, and what DKIM says.
async fn authenticity(gateway: &Gateway, mail: &HandedIn<'_>) -> Result<AuthenticityFacts, Reply> {
    if mail.envelope.from == ReversePath::Null && !challenge::may_be(&mail.seen.header) {
        return Ok(AuthenticityFacts::unknown());
    }
    let room = room_for_dkim(gateway, mail);
    let (content, judged) = (Arc::clone(&mail.content), room.is_some());
    let octets = blocking(move || {
        let mut octets = Vec::new();
        if judged {
            content.reader(0)?.read_to_end(&mut octets)?;
        }
        Ok::<_, std::io::Error>(octets)
    });
    let octets = octets.await?.map_err(|error| unavailable(&error))?;
    let session = mail.session;
    let facts = gateway.authenticity.check(
        session.peer.ip(),
        &session.helo,
        &mail.envelope.from,
        mail.seen.header_from.as_ref(),
        &octets,
    );
    let mut facts = facts.await;
    facts.dkim_late |= !judged && wants_dkim(mail);
    Ok(facts)
}

/// Whether there is a signature to judge on a mail that is not too large for it.
fn wants_dkim(mail: &HandedIn<'_>) -> bool {
    mail.content.len() <= DKIM_OCTETS as u64 && mail.seen.header.count("DKIM-Signature") > 0
}

/// Memory to judge DKIM in, if there is a signature to judge and memory is left; without it SPF alone decides.
fn room_for_dkim<'g>(gateway: &'g Gateway, mail: &HandedIn<'_>) -> Option<SemaphorePermit<'g>> {
    if !wants_dkim(mail) {
        return None;
    }
    let kibibytes = u32::try_from(mail.content.len().div_ceil(1024)).ok()?;
    gateway.dkim_memory.try_acquire_many(kibibytes).ok()
}

/// Where the refusals go. `Err` refuses the whole mail, after its journal is written.
async fn dispose(
    gateway: &Gateway,
    mail: &HandedIn<'_>,
    decisions: &[Decided],
    sender_proven: bool,
) -> Result<Vec<(Refusal, Place)>, Reply> {
    let refusals: Vec<_> = decisions.iter().filter_map(Decided::refused).collect();
    if refusals.is_empty() {
        return Ok(Vec::new());
    }
    let circumstances = Circumstances {
        from: &mail.envelope.from,
        sender_proven,
        direction: Direction::Inbound,
        answered: false,
        accepted: decisions.len().saturating_sub(refusals.len()),
        encrypted_key_seen: false,
    };
    match failure::dispose(refusals, circumstances) {
        Disposition::Recipients(placed) => Ok(placed),
        Disposition::Reply(reply) => {
            let lines = decisions
                .iter()
                .map(|decided| decided.line(MailStatus::Failed, Some(&reply)))
                .collect();
            match gateway
                .store
                .refused(mail.record(sender_proven), lines)
                .await
            {
                Ok(_) => Err(reply),
                Err(error) => Err(unavailable(&error)),
            }
        }
    }
}

async fn commit(
    gateway: &Arc<Gateway>,
    mail: HandedIn<'_>,
    decisions: Vec<Decided>,
    placed: Vec<(Refusal, Place)>,
    proven: bool,
) -> Result<Durable, Reply> {
    let record = mail.record(proven);
    let has_smime = !matches!(mail.seen.kind, Kind::Plain);
    let going: Vec<_> = decisions
        .iter()
        .filter(|decided| decided.refused().is_none())
        .collect();
    let held = held(gateway, &mail, &placed).await?;
    let refused: Vec<_> = placed
        .into_iter()
        .filter(|(_, place)| *place == Place::Report)
        .map(|(refusal, _)| refusal)
        .collect();
    let mut reported = reports::refused(refused);
    reported.extend(reports::relayed(encrypted(&going), &record));
    let reports = reports::of(gateway, mail.about(&record), reported, mail.at)
        .await
        .map_err(|failure| unavailable(&failure.message))?;
    let (copies, signature, to_open) = if has_smime {
        let recipients = going.iter().map(|decided| decided.recipient.clone());
        let to_open = to_open(&mail, recipients.collect());
        (Vec::new(), SignatureVerdict::None, Some(to_open))
    } else {
        let (copies, verdicts) = make_copies(gateway, &mail, &going).await?;
        (copies, verdicts.signature, None)
    };
    let status = if has_smime {
        MailStatus::Waiting
    } else {
        MailStatus::Plain
    };
    let lines = decisions
        .iter()
        .map(|decided| Line {
            // Row G7: a mail that is signed in part is told from an unsigned one.
            signature: (signature != SignatureVerdict::None).then(|| signature.to_string()),
            ..decided.line(status, None)
        })
        .collect();
    tracing::info!(
        mail = sealgate_store::queue_id(mail.id),
        signature = signature.as_str(),
        recipients = decisions.len(),
        to_open = has_smime,
        "inbound mail accepted"
    );
    let acceptance = Acceptance {
        id: Some(mail.id),
        record,
        lines,
        copies,
        held,
        to_open,
        reports,
        harvested: Vec::new(),
        sent_message_id: None,
    };
    gateway
        .store
        .accept(acceptance)
        .await
        .map_err(|error| unavailable(&error))
}

/// Those who are held, each to be released as it came or decided again.
async fn held(
    gateway: &Arc<Gateway>,
    mail: &HandedIn<'_>,
    placed: &[(Refusal, Place)],
) -> Result<Vec<Held>, Reply> {
    let mut held = Vec::new();
    for (refusal, place) in placed {
        if let Place::Hold(reason) = place {
            let (gateway, recipient) = (Arc::clone(gateway), refusal.recipient.clone());
            let settings = mail.organisation.settings;
            let copy = mail
                .work(move |received| {
                    let (own, shelf) = (gateway.own(), gateway.store.shelf());
                    process::as_it_came(received, recipient, own, settings, &shelf)
                })
                .await?;
            held.push(Held {
                copy,
                reason: *reason,
                again: Some(to_open(mail, vec![refusal.recipient.clone()])),
            });
        }
    }
    Ok(held)
}

fn to_open(mail: &HandedIn<'_>, recipients: Vec<EnvelopeRecipient>) -> ToOpen {
    ToOpen {
        envelope: Envelope {
            recipients,
            ..mail.envelope.clone()
        },
        head: mail.prepend.clone().into_bytes(),
        content: Arc::clone(&mail.content),
    }
}

/// spec.md section 2: NOTIFY=SUCCESS on encrypted mail is answered "relayed" on acceptance.
fn encrypted<'d>(going: &'d [&Decided]) -> impl Iterator<Item = &'d EnvelopeRecipient> {
    let encrypted = |decided: &&&Decided| {
        matches!(
            decided.decision.settled.outcome,
            InboundOutcome::DeliverDecrypted | InboundOutcome::DeliverEncrypted
        )
    };
    going
        .iter()
        .filter(encrypted)
        .map(|decided| &decided.recipient)
}

async fn make_copies(
    gateway: &Arc<Gateway>,
    mail: &HandedIn<'_>,
    going: &[&Decided],
) -> Result<(Vec<Outgoing>, Verdicts), Reply> {
    let recipients: Vec<_> = going
        .iter()
        .map(|decided| InboundRecipient {
            recipient: decided.recipient.clone(),
            outcome: decided.decision.settled.outcome,
            exemption: decided.decision.settled.exemption(),
            opened: None,
        })
        .collect();
    let (gateway, settings) = (Arc::clone(gateway), mail.organisation.settings);
    let copies = mail.work(move |received| {
        let work = InboundWork {
            received,
            recipients: &recipients,
            opened: &[],
            own: gateway.own(),
            settings,
        };
        process::inbound_plain(&work, &gateway.store.shelf())
    });
    copies.await
}

impl Gateway {
    /// The organisation that receives mail to `address`; that of this gateway's own postmaster is the first.
    pub fn receiving<'i>(
        &self,
        installation: &'i Installation,
        address: &Address,
    ) -> Option<&'i Arc<Organisation>> {
        if self.is_own_postmaster(installation, address) {
            return installation.organisations().first();
        }
        installation.managing(address.domain())
    }

    /// Mail to this gateway's own postmaster goes to the postmaster of the first organisation's first domain.
    fn redirect_own_postmaster(&self, installation: &Installation, envelope: &mut Envelope) {
        let first = installation
            .organisations()
            .first()
            .and_then(|organisation| organisation.routes.first()?.domains.first());
        let postmaster =
            first.and_then(|domain| Address::parse(&format!("postmaster@{domain}")).ok());
        for recipient in &mut envelope.recipients {
            if let Some(postmaster) = &postmaster
                && self.is_own_postmaster(installation, &recipient.address)
            {
                recipient.address = postmaster.clone();
            }
        }
    }
}
