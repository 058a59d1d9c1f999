//! Opens an inbound S/MIME mail from the queue: keys, layers, outcome, copies, harvest, one commit.

use std::sync::Arc;

use sealgate_core::failure::{
    self, Circumstances, Disposition, HeldReason, Place, Refusal, RefusalReason,
};
use sealgate_core::journal::{Direction, Line, MailStatus};
use sealgate_core::outcome::InboundOutcome;
use sealgate_core::process::{
    self, InboundRecipient, InboundWork, OpenInput, Opened, ProcessError, Received,
};
use sealgate_core::queue::Outgoing;
use sealgate_core::settle::{self, Settled};
use sealgate_core::tenant::{KeyId, Organisation, Settings};
use sealgate_mail::smtp::{Envelope, EnvelopeRecipient};
use sealgate_mail::{Address, Reply, Timestamp};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::decrypt::KeyPair;
use sealgate_smime::key::KeyError;
use sealgate_smime::verdict::{EncryptionVerdict, SignatureVerdict};
use sealgate_store::{Held, LeasedToOpen, StoreError, ToOpen};

use crate::challenge;
use crate::cmd::Failure;
use crate::gateway::{Gateway, now};
use crate::handed_in::line;
use crate::learning;
use crate::limits::{OPENING_ATTEMPTS, OPENING_PAUSE, TOKEN_PAUSE, TOKEN_PAUSE_MOST};
use crate::lookups::{self, InboundDecision, Seen};
use crate::reports::{self, About};
use crate::scheduler::OpeningPlace;

/// Opens a leased mail and commits what came of it. What fails for reasons of ours is tried again; a mail that fails
/// again and again is held.
///
/// `place` is given up while others are waited for.
pub async fn open(gateway: &Arc<Gateway>, leased: LeasedToOpen, place: &mut OpeningPlace) {
    let mail = sealgate_store::queue_id(leased.mail);
    let (lease, received) = (leased.lease, leased.record.at);
    let result = if leased.attempts >= OPENING_ATTEMPTS {
        set_aside(gateway, &leased).await.map(|()| Came::Done)
    } else {
        work(gateway, &leased, place).await
    };
    match result {
        Ok(Came::Done) => tracing::info!(mail, "inbound mail opened"),
        Ok(Came::TokenAway(error)) => {
            tracing::debug!(mail, %error, "a mail waits for a token");
            let at = now();
            let waited = at.since(received);
            let at = at.plus((waited / 4).clamp(TOKEN_PAUSE, TOKEN_PAUSE_MOST));
            if let Err(error) = gateway.store.postpone_untried(lease, at).await {
                tracing::error!(mail, %error, "the mail waits until its lease ends");
            }
        }
        Err(failure) => {
            tracing::error!(
                mail,
                reason = failure.message,
                "a mail could not be opened now; it is tried again"
            );
            if let Err(error) = gateway
                .store
                .postpone(lease, now().plus(OPENING_PAUSE))
                .await
            {
                tracing::error!(mail, %error, "the mail waits until its lease ends");
            }
        }
    }
}

/// What came of a mail.
enum Came {
    /// It is opened, and what came of it committed.
    Done,
    /// A token that holds its key is away: nothing came of it yet, and it stays in the queue for as long as that lasts.
    TokenAway(KeyError),
}

/// One recipient on its way.
struct Recipient {
    recipient: EnvelopeRecipient,
    decision: InboundDecision,
    settled: Settled<InboundOutcome>,
    opened: Option<usize>,
}

async fn work(
    gateway: &Arc<Gateway>,
    leased: &LeasedToOpen,
    place: &mut OpeningPlace,
) -> Result<Came, Failure> {
    let installation = gateway.installation();
    let organisation = installation
        .organisation(leased.record.organisation)
        .cloned();
    let organisation = organisation.ok_or_else(|| Failure::new("its organisation is gone"))?;
    let settings = organisation.settings;
    let seen = see(leased).await?;
    let mut recipients = decide(gateway, leased, &organisation, &seen).await?;
    let opened = match open_rings(gateway, leased, &organisation, &mut recipients).await? {
        Ok(opened) => opened,
        Err(away) => return Ok(Came::TokenAway(away)),
    };
    let learnable = learning::learnable(leased, &organisation, &opened);
    let evidence = learning::ask(gateway, &opened, &learnable, place).await?;
    let opened = learning::judge_revocation(opened, &evidence, &organisation).await?;
    if challenge::settle_opened(gateway, leased, &seen, &opened).await? {
        return Ok(Came::Done);
    }
    let opened = neutralise(gateway, opened, &organisation).await?;
    for recipient in &mut recipients {
        recipient.settle(&opened, seen.header_from.as_ref());
    }
    let seen_before = keys_seen(gateway, leased, &opened).await?;
    let refusals = recipients.iter().filter_map(Recipient::refused).collect();
    let (held, refused) = dispose(gateway, leased, settings, refusals, seen_before).await?;
    let harvested = learning::harvest_all(gateway, &organisation, &opened, &evidence).await?;
    learning::remember_issuers(gateway, &organisation, &harvested, &learnable).await?;
    log(leased, &opened);
    let lines = recipients
        .iter()
        .map(|recipient| recipient.line(&opened))
        .collect();
    let about = About {
        installation: &installation,
        record: &leased.record,
        params: &leased.envelope.params,
        header: &seen.header,
    };
    let reports = reports::of(gateway, about, reports::refused(refused), now()).await?;
    let copies = make_copies(gateway, leased, settings, recipients, opened).await?;
    let done = sealgate_store::Opened {
        lease: leased.lease,
        now: now(),
        lines,
        copies,
        held,
        reports,
        harvested,
    };
    gateway.store.opened(done).await?;
    Ok(Came::Done)
}

/// What was found, once for each key ring (row G7).
fn log(leased: &LeasedToOpen, opened: &[Opened]) {
    for Opened { verdicts, .. } in opened {
        tracing::info!(
            mail = sealgate_store::queue_id(leased.mail),
            signature = verdicts.signature.as_str(),
            encryption = verdicts.encryption.as_str(),
            remarks = verdicts.remarks().trim_start_matches("; "),
            "inbound mail judged"
        );
    }
}

async fn see(leased: &LeasedToOpen) -> Result<Seen, Failure> {
    let (content, from) = (Arc::clone(&leased.content), leased.envelope.from.clone());
    Ok(tokio::task::spawn_blocking(move || Seen::of(content.as_ref(), &from)).await???)
}

async fn decide(
    gateway: &Gateway,
    leased: &LeasedToOpen,
    organisation: &Organisation,
    seen: &Seen,
) -> Result<Vec<Recipient>, StoreError> {
    let mut recipients = Vec::with_capacity(leased.envelope.recipients.len());
    for recipient in &leased.envelope.recipients {
        let decision = lookups::inbound(
            &gateway.store,
            organisation,
            seen,
            &recipient.address,
            leased.record.at,
        )
        .await?;
        let settled = decision.settled.clone();
        recipients.push(Recipient {
            recipient: recipient.clone(),
            decision,
            settled,
            opened: None,
        });
    }
    Ok(recipients)
}

/// Opens the mail once for each different set of keys; each recipient is told which opening is its own.
async fn open_rings(
    gateway: &Arc<Gateway>,
    leased: &LeasedToOpen,
    organisation: &Organisation,
    recipients: &mut [Recipient],
) -> Result<Result<Vec<Opened>, KeyError>, Failure> {
    let mut rings: Vec<Vec<KeyId>> = Vec::new();
    for recipient in recipients.iter_mut() {
        let ring = recipient.ring();
        let place = rings
            .iter()
            .position(|known| *known == ring)
            .unwrap_or(rings.len());
        if place == rings.len() {
            rings.push(ring);
        }
        recipient.opened = Some(place);
    }
    let mut opened = Vec::with_capacity(rings.len());
    for ring in rings {
        let mut pairs = Vec::with_capacity(ring.len());
        for key in ring {
            let pair = gateway.store.key_pair(key).await?;
            pairs.push(KeyPair {
                certificate: pair.certificate.clone(),
                key: pair.key.clone(),
            });
        }
        match open_with(gateway, leased, organisation, pairs).await? {
            Ok(one) => opened.push(one),
            Err(away) => return Ok(Err(away)),
        }
    }
    Ok(Ok(opened))
}

async fn open_with(
    gateway: &Arc<Gateway>,
    leased: &LeasedToOpen,
    organisation: &Organisation,
    pairs: Vec<KeyPair>,
) -> Result<Result<Opened, KeyError>, Failure> {
    let known = known_of_sender(gateway, leased, organisation).await?;
    let (gateway, content) = (Arc::clone(gateway), Arc::clone(&leased.content));
    let (anchors, at) = (Arc::clone(&organisation.anchors), leased.record.at);
    let settings = organisation.settings;
    let opened = tokio::task::spawn_blocking(move || {
        let ring: Vec<_> = pairs.iter().collect();
        let input = OpenInput {
            content: content.as_ref(),
            ring: &ring,
            anchors: &anchors,
            known: &known,
            at,
            switches: settings.switches(at),
            exact_local_parts: settings.exact_local_parts,
            size_limit: gateway.config.size_limit,
        };
        process::open(&input, &gateway.store.shelf())
    });
    match opened.await? {
        Err(ProcessError::TokenAway(away)) => Ok(Err(away)),
        other => Ok(Ok(other?)),
    }
}

/// The certificates stored for header From: some mail clients leave theirs out of what they sign.
async fn known_of_sender(
    gateway: &Gateway,
    leased: &LeasedToOpen,
    organisation: &Organisation,
) -> Result<Vec<Certificate>, StoreError> {
    let Some(from) = &leased.record.header_from else {
        return Ok(Vec::new());
    };
    let addresses = std::slice::from_ref(from);
    let known = gateway
        .store
        .correspondents(organisation.id, addresses)
        .await?;
    Ok(known
        .into_values()
        .flatten()
        .map(|key| key.certificate)
        .collect())
}

impl Recipient {
    /// The keys it is to be opened with; none if it is not to be decrypted.
    fn ring(&self) -> Vec<KeyId> {
        match self.settled.outcome {
            InboundOutcome::DeliverDecrypted => {
                self.decision.ring.iter().map(|entry| entry.key).collect()
            }
            _ => Vec::new(),
        }
    }

    fn found<'o>(&self, opened: &'o [Opened]) -> Option<&'o Opened> {
        opened.get(self.opened?)
    }

    /// Settles anew what turned out otherwise than its RecipientInfos promised.
    fn settle(&mut self, opened: &[Opened], external: Option<&Address>) {
        let before = self.decision.content;
        let content = self
            .found(opened)
            .map_or(before, |opened| opened.content(before));
        if content != before
            && self.settled.outcome == InboundOutcome::DeliverDecrypted
            && let Some(choice) = self.settled.inbound_choice()
        {
            self.settled = settle::inbound(choice, &self.recipient.address, external, content);
        }
    }

    fn refused(&self) -> Option<Refusal> {
        match self.settled.outcome {
            InboundOutcome::Refuse(reason) => Some(Refusal {
                recipient: self.recipient.clone(),
                reason: RefusalReason::Inbound(reason),
            }),
            _ => None,
        }
    }

    fn line(&self, opened: &[Opened]) -> Line {
        let verdicts = self.found(opened).map(|opened| &opened.verdicts);
        let signature = verdicts
            .map(|verdicts| verdicts.signature)
            .filter(|verdict| *verdict != SignatureVerdict::None);
        let encryption = verdicts
            .map(|verdicts| verdicts.encryption)
            .filter(|verdict| *verdict != EncryptionVerdict::None);
        let told = self
            .refused()
            .map(|refusal| failure::reply_for(&refusal.reason));
        let status = settle::inbound_status(self.settled.outcome, signature.is_some());
        Line {
            signature: signature.map(|verdict| verdict.as_str().to_owned()),
            encryption: encryption.map(|verdict| verdict.as_str().to_owned()),
            ..line(
                &self.recipient.address,
                status,
                self.settled.trace.clone(),
                told.as_ref(),
            )
        }
    }
}

/// Whether an encryptedKey of this mail came with another mail before (row C10).
async fn keys_seen(
    gateway: &Gateway,
    leased: &LeasedToOpen,
    opened: &[Opened],
) -> Result<bool, StoreError> {
    let mut seen = false;
    for hash in opened.iter().flat_map(|opened| &opened.encrypted_keys) {
        seen |= gateway
            .store
            .encrypted_key_seen(*hash, leased.mail, now())
            .await?;
    }
    Ok(seen)
}

/// Those held and those reported.
async fn dispose(
    gateway: &Arc<Gateway>,
    leased: &LeasedToOpen,
    settings: Settings,
    refusals: Vec<Refusal>,
    encrypted_key_seen: bool,
) -> Result<(Vec<Held>, Vec<Refusal>), Failure> {
    let circumstances = Circumstances {
        from: &leased.envelope.from,
        sender_proven: leased.record.sender_proven,
        direction: Direction::Inbound,
        answered: true,
        accepted: leased
            .envelope
            .recipients
            .len()
            .saturating_sub(refusals.len()),
        encrypted_key_seen,
    };
    let Disposition::Recipients(placed) = failure::dispose(refusals, circumstances) else {
        return Err(Failure::new(
            "a mail that was answered cannot be refused by a reply",
        ));
    };
    let (mut held, mut refused) = (Vec::new(), Vec::new());
    for (refusal, place) in placed {
        match place {
            Place::Report => refused.push(refusal),
            Place::Hold(reason) => {
                held.push(hold(gateway, leased, settings, (refusal.recipient, reason)).await?)
            }
            Place::JournalOnly => {}
        }
    }
    Ok((held, refused))
}

/// The copy of one recipient as it came, to be released or opened again by an administrator.
async fn hold(
    gateway: &Arc<Gateway>,
    leased: &LeasedToOpen,
    settings: Settings,
    (recipient, reason): (EnvelopeRecipient, HeldReason),
) -> Result<Held, Failure> {
    let envelope = Envelope {
        recipients: vec![recipient.clone()],
        ..leased.envelope.clone()
    };
    let again = ToOpen {
        envelope: envelope.clone(),
        head: leased.head.clone(),
        content: Arc::clone(&leased.content),
    };
    let (content, prepend) = (
        Arc::clone(&leased.content),
        String::from_utf8_lossy(&leased.head).into_owned(),
    );
    let gateway = Arc::clone(gateway);
    let copy = tokio::task::spawn_blocking(move || {
        let received = Received {
            content: &content,
            from: &envelope.from,
            params: &envelope.params,
            prepend: &prepend,
        };
        process::as_it_came(
            received,
            recipient,
            gateway.own(),
            settings,
            &gateway.store.shelf(),
        )
    });
    Ok(Held {
        copy: copy.await??,
        reason,
        again: Some(again),
    })
}

/// Takes remote content out of what was decrypted (row C1). After revocation is judged, because a valid signature inside
/// vouches for the text, and before the outcome is settled, because what cannot be looked through counts as not decrypted.
async fn neutralise(
    gateway: &Arc<Gateway>,
    mut opened: Vec<Opened>,
    organisation: &Organisation,
) -> Result<Vec<Opened>, Failure> {
    if !organisation.settings.neutralise {
        return Ok(opened);
    }
    let gateway = Arc::clone(gateway);
    let done = tokio::task::spawn_blocking(move || {
        for opened in &mut opened {
            process::neutralise(opened, &gateway.store.shelf())?;
        }
        Ok::<_, std::io::Error>(opened)
    });
    Ok(done.await??)
}

async fn make_copies(
    gateway: &Arc<Gateway>,
    leased: &LeasedToOpen,
    settings: Settings,
    recipients: Vec<Recipient>,
    opened: Vec<Opened>,
) -> Result<Vec<Outgoing>, Failure> {
    let recipients: Vec<_> = recipients
        .into_iter()
        .map(|recipient| InboundRecipient {
            recipient: recipient.recipient,
            outcome: recipient.settled.outcome,
            exemption: recipient.settled.exemption(),
            opened: recipient.opened,
        })
        .collect();
    let (content, envelope) = (Arc::clone(&leased.content), leased.envelope.clone());
    let prepend = String::from_utf8_lossy(&leased.head).into_owned();
    let gateway = Arc::clone(gateway);
    let copies = tokio::task::spawn_blocking(move || {
        let received = Received {
            content: &content,
            from: &envelope.from,
            params: &envelope.params,
            prepend: &prepend,
        };
        let work = InboundWork {
            received,
            recipients: &recipients,
            opened: &opened,
            own: gateway.own(),
            settings,
        };
        process::inbound(&work, &gateway.store.shelf())
    });
    Ok(copies.await??)
}

/// Holds every recipient's copy of a mail that could not be opened several times for reasons of ours.
async fn set_aside(gateway: &Arc<Gateway>, leased: &LeasedToOpen) -> Result<(), Failure> {
    let installation = gateway.installation();
    let organisation = installation
        .organisation(leased.record.organisation)
        .cloned();
    let organisation = organisation.ok_or_else(|| Failure::new("its organisation is gone"))?;
    let (mut held, mut lines) = (Vec::new(), Vec::new());
    for recipient in &leased.envelope.recipients {
        held.push(
            hold(
                gateway,
                leased,
                organisation.settings,
                (recipient.clone(), HeldReason::CouldNotProcess),
            )
            .await?,
        );
        let choice = settle::inbound_choice(
            &organisation,
            &recipient.address,
            leased.record.header_from.as_ref(),
        );
        let content = sealgate_core::outcome::InboundContent::Unreadable;
        let settled = settle::inbound(
            choice,
            &recipient.address,
            leased.record.header_from.as_ref(),
            content,
        );
        lines.push(line(
            &recipient.address,
            MailStatus::Failed,
            settled.trace,
            None::<&Reply>,
        ));
    }
    let at: Timestamp = now();
    let done = sealgate_store::Opened {
        lease: leased.lease,
        now: at,
        lines,
        copies: Vec::new(),
        held,
        reports: Vec::new(),
        harvested: Vec::new(),
    };
    Ok(gateway.store.opened(done).await?)
}
