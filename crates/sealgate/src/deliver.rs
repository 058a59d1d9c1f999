//! One attempt to hand over a copy: next hops, attempt, next states, reports, one transaction.

use std::sync::Arc;
use std::time::Duration;

use rand_core::RngCore;
use sealgate_core::failure::{
    self, Circumstances, Disposition, Place, Refusal, RefusalReason, ReportKind,
};
use sealgate_core::journal::{Direction, MailStatus};
use sealgate_core::queue::{
    After, AttemptResult, NextHop, Problem, Reach, RecipientResult, after_attempt,
};
use sealgate_core::report::{News, Reported};
use sealgate_core::saying::Servers;
use sealgate_core::tenant::Organisation;
use sealgate_mail::smtp::{Envelope, EnvelopeRecipient};
use sealgate_mail::{Domain, EnhancedStatus, HeaderBlock, Timestamp};
use sealgate_net::smtp_out::{Delivery, Way};
use sealgate_store::{Attempted, LeasedCopy, LeasedRecipient, RecipientId, RecipientUpdate};

use crate::cmd::Failure;
use crate::gateway::{Gateway, now};
use crate::limits::{PLACE_PAUSE, RECORD_PAUSES};
use crate::random::SystemRandom;
use crate::reports::{self, About};
use crate::scheduler::Places;

/// Hands a leased copy over at the first of its next hops and records what became of it; recipients of other next hops are
/// given back with the record and leased anew, so that none waits unrecorded for another's slow server. If it cannot be
/// recorded, the lease ends by itself and the copy is handed over again: twice is allowed, lost is not.
pub async fn deliver(gateway: &Arc<Gateway>, places: &Places, leased: LeasedCopy) {
    let (hop, recipients) = first_next_hop(gateway, &leased);
    // Kept until the result is recorded: a crash then repeats no more deliveries than there are places.
    let mut place = None;
    let attempt = match &hop {
        Some(hop) => {
            place = places.take(hop).await;
            if place.is_none() {
                return postpone(gateway, &leased).await;
            }
            let delivery = Delivery {
                hop: hop.clone(),
                way: way(&leased),
                mx_reach: mx_reach(gateway),
                envelope: envelope(&leased, &recipients),
                content: leased.content.clone(),
            };
            gateway.smtp_out.deliver(delivery).await
        }
        None => without_route(recipients.len()),
    };
    let results: Vec<_> = recipients.into_iter().zip(outcomes(attempt)).collect();
    let mail = sealgate_store::queue_id(leased.mail);
    for pause in RECORD_PAUSES {
        match record(gateway, &leased, &results).await {
            Ok(()) => return,
            Err(failure) => {
                tracing::error!(
                    mail,
                    reason = failure.message,
                    "the result of an attempt was not recorded"
                );
            }
        }
        drop(place.take());
        tokio::time::sleep(Duration::from_secs(pause)).await;
    }
    tracing::error!(mail, "the attempt is repeated when its lease ends");
}

/// Which addresses servers may have that MX records name: where organisations share the installation, its network is not for
/// strangers to name, and whoever sends mail chooses whose records are asked.
fn mx_reach(gateway: &Gateway) -> Reach {
    let is_alone = || gateway.installation().organisations().len() < 2;
    match gateway.config.delivery.mx_private.unwrap_or_else(is_alone) {
        true => Reach::Everywhere,
        false => Reach::Public,
    }
}

/// The next hop is busy: the copy makes room for those of others and comes back untried.
async fn postpone(gateway: &Gateway, leased: &LeasedCopy) {
    let again = now().plus(PLACE_PAUSE);
    if let Err(error) = gateway.store.postpone_copy(leased.lease, again).await {
        let mail = sealgate_store::queue_id(leased.mail);
        tracing::error!(%error, mail, "the copy waits until its lease ends");
    }
}

async fn record(
    gateway: &Arc<Gateway>,
    leased: &LeasedCopy,
    results: &[(&LeasedRecipient, PartResult)],
) -> Result<(), Failure> {
    let attempted = settle(gateway, leased, results, now()).await?;
    gateway.store.attempted(attempted).await?;
    // The order that this answers the challenge of goes on at once; a crash here costs it one pause.
    if leased.status == MailStatus::Challenge
        && let Err(error) = gateway.store.answer_settled(leased.mail, now()).await
    {
        tracing::warn!(%error, "the order of an answered challenge goes on after its pause");
    }
    Ok(())
}

/// The next hop of the first recipient that is due, with all recipients that go there.
fn first_next_hop<'l>(
    gateway: &Gateway,
    leased: &'l LeasedCopy,
) -> (Option<NextHop>, Vec<&'l LeasedRecipient>) {
    let installation = gateway.installation();
    let organisation = installation.organisation(leased.organisation);
    let hop_of = |recipient: &LeasedRecipient| {
        next_hop(
            organisation.map(AsRef::as_ref),
            leased,
            recipient.envelope.address.domain(),
        )
    };
    let first = leased.recipients.first().and_then(hop_of);
    let there = leased
        .recipients
        .iter()
        .filter(|recipient| hop_of(recipient) == first);
    let there = there.collect();
    (first, there)
}

/// Reports go out, whatever they are about.
fn way(leased: &LeasedCopy) -> Way {
    match leased.record.direction {
        Direction::Inbound if !leased.report => Way::In,
        Direction::Inbound | Direction::Outbound => Way::Out,
    }
}

/// What was received for a managed address goes into its inbound route and nowhere else: it may have been decrypted. None
/// if there is no such route any more.
fn next_hop(
    organisation: Option<&Organisation>,
    leased: &LeasedCopy,
    domain: &Domain,
) -> Option<NextHop> {
    let is_inbound = way(leased) == Way::In;
    match organisation {
        Some(organisation) if is_inbound => {
            organisation.route(domain).map(|route| route.target.clone())
        }
        Some(organisation) => Some(organisation.next_hop(domain)),
        None if is_inbound => None,
        None => Some(NextHop::by_mx(domain)),
    }
}

fn without_route(recipients: usize) -> AttemptResult {
    let problem = Problem {
        // RFC 3463 section 3.4: X.3.5, system incorrectly configured.
        status: EnhancedStatus(4, 3, 5),
        reply: None,
        said: Servers::NoRouteAnyMore {}.into(),
    };
    AttemptResult {
        remote: None,
        peer_knows_dsn: false,
        recipients: vec![RecipientResult::Temporary(problem); recipients],
    }
}

fn envelope(leased: &LeasedCopy, recipients: &[&LeasedRecipient]) -> Envelope {
    Envelope {
        from: leased.from.clone(),
        params: leased.params.clone(),
        recipients: recipients
            .iter()
            .map(|recipient| recipient.envelope.clone())
            .collect(),
    }
}

/// One recipient's part of an attempt.
struct PartResult {
    result: RecipientResult,
    remote: Option<String>,
    peer_knows_dsn: bool,
}

fn outcomes(attempt: AttemptResult) -> impl Iterator<Item = PartResult> {
    let AttemptResult {
        remote,
        peer_knows_dsn,
        recipients,
    } = attempt;
    recipients.into_iter().map(move |result| PartResult {
        result,
        remote: remote.clone(),
        peer_knows_dsn,
    })
}

async fn settle(
    gateway: &Arc<Gateway>,
    leased: &LeasedCopy,
    results: &[(&LeasedRecipient, PartResult)],
    now: Timestamp,
) -> Result<Attempted, Failure> {
    let policy = gateway.config.delivery.retry_policy();
    let until = leased.accepted.plus(policy.lifetime);
    let mut updates: Vec<(RecipientId, RecipientUpdate)> = Vec::new();
    let mut reported = Vec::new();
    for (recipient, part) in results {
        let jitter = SystemRandom.next_u32() % 1001;
        let after = after_attempt(&recipient.state, &part.result, now, policy, jitter);
        let (update, news) = next(leased, recipient, part, after, until);
        log(leased, &recipient.envelope, &update);
        updates.push((recipient.id, update));
        reported.extend(news.map(|news| Reported {
            recipient: recipient.envelope.clone(),
            news,
            remote: part.remote.clone(),
        }));
    }
    let installation = gateway.installation();
    let header = HeaderBlock::parse(&leased.head);
    let about = About {
        installation: &installation,
        record: &leased.record,
        params: &leased.params,
        header: &header,
    };
    Ok(Attempted {
        lease: leased.lease,
        now,
        results: updates,
        reports: reports::of(gateway, about, reported, now).await?,
    })
}

/// The next state of one recipient, and what the sender is told.
fn next(
    leased: &LeasedCopy,
    recipient: &LeasedRecipient,
    part: &PartResult,
    after: After,
    until: Timestamp,
) -> (RecipientUpdate, Option<News>) {
    let may = |kind| {
        !leased.report
            && !leased.repeated_key
            && failure::may_report(
                kind,
                &recipient.envelope,
                &leased.from,
                leased.record.sender_proven,
            )
    };
    match after {
        After::Delivered => {
            let told = (!part.peer_knows_dsn && may(ReportKind::Relayed)).then_some(News::Relayed);
            (
                RecipientUpdate::Delivered(words(&part.result, part.remote.as_deref())),
                told,
            )
        }
        After::Retry {
            at,
            tell_delay,
            problem,
        } => {
            let told = (tell_delay && may(ReportKind::Delay)).then(|| News::Delayed {
                problem: problem.clone(),
                until,
            });
            let delay_told = recipient.state.delay_told || tell_delay;
            (
                RecipientUpdate::Retry {
                    at,
                    delay_told,
                    problem,
                },
                told,
            )
        }
        After::Failed(problem) if leased.report => (RecipientUpdate::Failed(problem), None),
        After::Failed(problem) => match failed(leased, &recipient.envelope, &problem) {
            Place::Report => (
                RecipientUpdate::Failed(problem.clone()),
                Some(News::Failed(RefusalReason::Delivery(problem))),
            ),
            Place::Hold(reason) => (RecipientUpdate::Held(reason, problem), None),
            Place::JournalOnly => (RecipientUpdate::Failed(problem), None),
        },
    }
}

/// Where the final failure of one recipient goes.
fn failed(leased: &LeasedCopy, recipient: &EnvelopeRecipient, problem: &Problem) -> Place {
    let refusal = Refusal {
        recipient: recipient.clone(),
        reason: RefusalReason::Delivery(problem.clone()),
    };
    let circumstances = Circumstances {
        from: &leased.from,
        sender_proven: leased.record.sender_proven,
        direction: leased.record.direction,
        answered: true,
        accepted: 0,
        encrypted_key_seen: leased.repeated_key,
    };
    match failure::dispose(vec![refusal], circumstances) {
        Disposition::Recipients(places) => places
            .first()
            .map_or(Place::JournalOnly, |(_, place)| *place),
        Disposition::Reply(_) => Place::JournalOnly,
    }
}

fn words(result: &RecipientResult, remote: Option<&str>) -> String {
    match (result, remote) {
        (RecipientResult::Delivered(reply), Some(remote)) => format!("{remote}: {reply}"),
        (RecipientResult::Delivered(reply), None) => reply.to_string(),
        (RecipientResult::Temporary(problem) | RecipientResult::Permanent(problem), _) => {
            problem.said.to_string()
        }
    }
}

fn log(leased: &LeasedCopy, recipient: &EnvelopeRecipient, update: &RecipientUpdate) {
    let mail = sealgate_store::queue_id(leased.mail);
    let to = &recipient.address;
    match update {
        RecipientUpdate::Delivered(words) => tracing::info!(mail, %to, words, "delivered"),
        RecipientUpdate::Retry { problem, .. } => {
            tracing::info!(mail, %to, problem = problem.said.to_string(), "waits")
        }
        RecipientUpdate::Failed(problem) => {
            tracing::warn!(mail, %to, problem = problem.said.to_string(), "failed")
        }
        RecipientUpdate::Held(reason, problem) => {
            tracing::warn!(mail, %to, reason = reason.as_str(), problem = problem.said.to_string(), "held")
        }
    }
}
