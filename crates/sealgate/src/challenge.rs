//! Challenge mails of ACME authorities on their way in: recognised before the rules, taken instead of delivered, and answered
//! by the gateway itself, all in one transaction. What is a challenge is decided in `core::challenge`.

use std::sync::Arc;

use sealgate_core::challenge::{
    self, AnswerInput, ChallengeMail, Expected, OpenOrder, Recognition,
};
use sealgate_core::journal::{Direction, Exemption, Line, MailRecord, MailStatus, Trace};
use sealgate_core::outcome::InboundContent;
use sealgate_core::process::Opened;
use sealgate_core::saying::Authorities;
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::{Address, EnhancedStatus, HeaderBlock, Reply, ReversePath, Timestamp};
use sealgate_net::authenticity::AuthenticityFacts;
use sealgate_smime::kind::Kind;
use sealgate_smime::verdict::SignatureVerdict;
use sealgate_store::{Acceptance, Answering, Durable, LeasedToOpen, ToOpen};
use tokio::time::{Instant, sleep};

use crate::cmd::Failure;
use crate::dkim;
use crate::gateway::{Gateway, now};
use crate::handed_in::{HandedIn, line};
use crate::limits::{CHALLENGE_LOOK, CHALLENGE_WAIT};
use crate::lookups::Seen;
use crate::random::SystemRandom;
use crate::worker::unavailable;

/// Takes the mail, if it is the challenge of an open order, or may be once its S/MIME signature is judged. `None` for every
/// other mail: the rules decide it.
pub async fn take(
    gateway: &Arc<Gateway>,
    mail: &HandedIn<'_>,
    facts: &AuthenticityFacts,
) -> Result<Option<Durable>, Reply> {
    let recipients = &mail.envelope.recipients;
    let Some(challenge) = challenge::read(&mail.seen.header, recipients) else {
        return Ok(None);
    };
    let Some(open) = open_order(gateway, mail.organisation.id, &challenge.to).await? else {
        return Ok(None);
    };
    let proof = proof(mail, facts);
    let proven = proof == Proof::Given;
    match challenge::recognise(&challenge, &open, proven) {
        Recognition::Ordinary => Ok(None),
        Recognition::NotYet => Err(later()),
        Recognition::Unproven if is_signed(&mail.seen) => to_open(gateway, mail, facts).await,
        Recognition::Unproven if proof == Proof::Unknown => Err(later()),
        Recognition::Unproven => Ok(None),
        Recognition::Again => accept(gateway, mail, facts, None).await.map(Some),
        Recognition::Challenge => {
            let answering = answer(gateway, &challenge, &open, mail.context()).await;
            let answering = answering.map_err(|failure| unavailable(&failure.message))?;
            accept(gateway, mail, facts, answering).await.map(Some)
        }
    }
}

/// Settles a mail that was opened, if it is the challenge of an open order by its S/MIME signature; `false` for every other
/// mail.
pub async fn settle_opened(
    gateway: &Arc<Gateway>,
    leased: &LeasedToOpen,
    seen: &Seen,
    opened: &[Opened],
) -> Result<bool, Failure> {
    let recipients = &leased.envelope.recipients;
    let Some(challenge) = challenge::read(&seen.header, recipients) else {
        return Ok(false);
    };
    let organisation = leased.record.organisation;
    let stored = gateway.store.order_challenged(organisation, &challenge.to);
    let Some(open) = stored.await? else {
        return Ok(false);
    };
    let [opened] = opened else { return Ok(false) };
    let protected = opened.protected.as_ref();
    let proven = opened.verdicts.signature == SignatureVerdict::Valid
        && protected.is_some_and(|protected| challenge::smime_proves(&challenge, protected));
    let answering = match challenge::recognise(&challenge, &open, proven) {
        Recognition::Challenge => {
            let context = Context {
                organisation,
                at: now(),
                version: leased.record.version,
            };
            answer(gateway, &challenge, &open, context).await?
        }
        Recognition::Again => None,
        Recognition::Ordinary | Recognition::NotYet | Recognition::Unproven => return Ok(false),
    };
    let lines = vec![Line {
        signature: Some(opened.verdicts.signature.as_str().to_owned()),
        ..taken(&challenge.to, &challenge.from)
    }];
    let done = sealgate_store::Opened {
        lease: leased.lease,
        now: now(),
        lines,
        copies: Vec::new(),
        held: Vec::new(),
        reports: Vec::new(),
        harvested: Vec::new(),
    };
    gateway.store.opened_challenge(done, answering).await?;
    Ok(true)
}

/// The order that waits for a challenge to `mailbox`. While its authority is being asked, a moment is waited.
async fn open_order(
    gateway: &Gateway,
    organisation: OrganisationId,
    mailbox: &Address,
) -> Result<Option<OpenOrder>, Reply> {
    let end = Instant::now() + CHALLENGE_WAIT;
    loop {
        let open = gateway.store.order_challenged(organisation, mailbox).await;
        let open = open.map_err(|error| unavailable(&error))?;
        let asking = open.as_ref().is_some_and(|open| open.expected.is_none());
        if !asking || Instant::now() >= end {
            return Ok(open);
        }
        sleep(CHALLENGE_LOOK).await;
    }
}

/// The reply to what may be a challenge and cannot be told from one now.
fn later() -> Reply {
    Reply::new(
        451,
        EnhancedStatus(4, 7, 0),
        "this cannot be judged now, try again in a minute",
    )
}

/// Whether DKIM proves a challenge mail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    Given,
    Missing,
    /// Name servers, or room to judge it in, are away.
    Unknown,
}

fn proof(mail: &HandedIn<'_>, facts: &AuthenticityFacts) -> Proof {
    let header = &mail.seen.header;
    let proves = |pass: bool| {
        facts.dkim.iter().any(|signature| {
            let state = if pass { "pass" } else { "temperror" };
            let (domain, covers) = (&signature.domain, &signature.covers);
            signature.result == state && challenge::dkim_proves(header, domain, covers)
        })
    };
    match () {
        () if proves(true) => Proof::Given,
        () if proves(false) || facts.dkim_late => Proof::Unknown,
        () => Proof::Missing,
    }
}

fn is_signed(seen: &Seen) -> bool {
    matches!(seen.kind, Kind::ClearSigned | Kind::Signed)
}

/// Takes responsibility for the challenge; nobody gets it.
async fn accept(
    gateway: &Gateway,
    mail: &HandedIn<'_>,
    facts: &AuthenticityFacts,
    answering: Option<Answering>,
) -> Result<Durable, Reply> {
    let recipients = mail.envelope.recipients.iter();
    let from = mail.seen.header_from.as_ref();
    let lines = recipients
        .map(|recipient| inbound(&recipient.address, from, MailStatus::Challenge))
        .collect();
    let acceptance = acceptance(mail, facts, lines, None);
    tracing::info!(
        mail = sealgate_store::queue_id(mail.id),
        answered = answering.is_some(),
        "challenge of a certificate authority taken"
    );
    let taken = gateway.store.accept_challenge(acceptance, answering).await;
    taken.map_err(|error| unavailable(&error))
}

/// Takes a mail whose S/MIME signature may prove it, past the rules until that is judged.
async fn to_open(
    gateway: &Gateway,
    mail: &HandedIn<'_>,
    facts: &AuthenticityFacts,
) -> Result<Option<Durable>, Reply> {
    let from = mail.seen.header_from.as_ref();
    let recipients = mail.envelope.recipients.iter();
    let lines = recipients
        .map(|recipient| inbound(&recipient.address, from, MailStatus::Waiting))
        .collect();
    let to_open = ToOpen {
        envelope: mail.envelope.clone(),
        head: mail.prepend.clone().into_bytes(),
        content: Arc::clone(&mail.content),
    };
    let acceptance = acceptance(mail, facts, lines, Some(to_open));
    let taken = gateway.store.accept(acceptance).await;
    taken.map(Some).map_err(|error| unavailable(&error))
}

fn acceptance(
    mail: &HandedIn<'_>,
    facts: &AuthenticityFacts,
    lines: Vec<Line>,
    to_open: Option<ToOpen>,
) -> Acceptance {
    Acceptance {
        id: Some(mail.id),
        record: mail.record(facts.envelope_sender_proven()),
        lines,
        copies: Vec::new(),
        held: Vec::new(),
        to_open,
        reports: Vec::new(),
        harvested: Vec::new(),
        sent_message_id: None,
    }
}

fn taken(managed: &Address, external: &Address) -> Line {
    inbound(managed, Some(external), MailStatus::Challenge)
}

fn inbound(managed: &Address, external: Option<&Address>, status: MailStatus) -> Line {
    let trace = Trace::Inbound {
        managed: managed.clone(),
        external: external.cloned(),
        choice: None,
        content: InboundContent::Plain,
        outcome: None,
        exemption: (status == MailStatus::Challenge).then_some(Exemption::Challenge),
    };
    line(managed, status, trace, None)
}

/// What an answer's entry in the journal takes from the mail it answers.
#[derive(Clone, Copy)]
struct Context {
    organisation: OrganisationId,
    at: Timestamp,
    version: u64,
}

impl HandedIn<'_> {
    fn context(&self) -> Context {
        Context {
            organisation: self.organisation.id,
            at: self.at,
            version: self.installation.version,
        }
    }
}

/// The answer to the challenge of `open` (RFC 8823 section 3.2), signed by the domain's DKIM key if it has one.
async fn answer(
    gateway: &Arc<Gateway>,
    mail: &ChallengeMail,
    open: &OpenOrder,
    context: Context,
) -> Result<Option<Answering>, Failure> {
    let Some(expected) = &open.expected else {
        return Ok(None);
    };
    let domain = mail.to.domain();
    let (made, mut copy) = made(gateway, mail.clone(), expected.clone(), context.at).await?;
    let body = copy.body();
    let part = (
        Arc::clone(&body.content) as Arc<dyn sealgate_mail::Content>,
        body.from,
    );
    let own = (context.organisation, domain);
    let fields = dkim::sign(gateway, own, copy.head(), part).await?;
    let note = fields.is_none().then(|| {
        let domain = domain.to_string();
        Authorities::Unsigned { domain }.into()
    });
    copy.put_first(&fields.unwrap_or_default());
    let size = (copy.head().len() as u64).saturating_add(made.body.len() as u64);
    let record = MailRecord {
        organisation: context.organisation,
        direction: Direction::Outbound,
        at: context.at,
        envelope_from: ReversePath::Address(made.from.clone()),
        header_from: Some(made.from.clone()),
        message_id: Some(made.message_id.clone()),
        size,
        handed_in_by: "this gateway".to_owned(),
        sender_proven: true,
        version: context.version,
    };
    let trace = Trace::Outbound {
        managed: Some(made.from.clone()),
        external: made.to.clone(),
        choice: None,
        facts: None,
        outcome: None,
        algorithms: None,
        exemption: Some(Exemption::Challenge),
        sources: Vec::new(),
    };
    Ok(Some(Answering {
        order: open.order,
        expected: expected.clone(),
        token: mail.token.clone(),
        record,
        line: line(&made.to, MailStatus::Challenge, trace, None),
        copy,
        note,
    }))
}

/// The answer and its copy, made where writing contents may wait.
async fn made(
    gateway: &Arc<Gateway>,
    mail: ChallengeMail,
    expected: Expected,
    at: Timestamp,
) -> Result<(challenge::Answer, sealgate_core::queue::Outgoing), Failure> {
    let gateway = Arc::clone(gateway);
    let make = move || {
        let input = AnswerInput {
            mail: &mail,
            expected: &expected,
            now: at,
        };
        let made = challenge::answer(&input, &mut SystemRandom);
        let copy = made.outgoing(&gateway.store.shelf())?;
        Ok::<_, Failure>((made, copy))
    };
    tokio::task::spawn_blocking(make).await?
}

/// Whether the mail may be a challenge, so that its DKIM signatures are judged whoever its envelope sender is.
pub fn may_be(header: &HeaderBlock) -> bool {
    challenge::looks_like(header)
}
