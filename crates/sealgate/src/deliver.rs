//! One attempt to hand over a copy: next hops, attempt, next states, reports, one transaction.

use std::sync::Arc;

use rand_core::RngCore;
use sealgate_core::failure::{
    self, Circumstances, Disposition, Place, Refusal, RefusalReason, ReportKind,
};
use sealgate_core::queue::{
    After, AttemptResult, NextHop, Problem, RecipientResult, after_attempt,
};
use sealgate_core::report::{News, Reported};
use sealgate_mail::smtp::{Envelope, EnvelopeRecipient};
use sealgate_mail::{Content, HeaderBlock, Timestamp};
use sealgate_net::smtp_out::Delivery;
use sealgate_store::{Attempted, LeasedCopy, LeasedRecipient, RecipientId, RecipientUpdate};

use crate::gateway::{Gateway, now};
use crate::random::SystemRandom;
use crate::reports::{self, About};
use crate::scheduler::Places;

/// Hands a leased copy over and records what became of it. If that cannot be recorded, the lease ends by itself and the
/// copy is handed over again: twice is allowed, lost is not.
pub async fn deliver(gateway: &Gateway, places: &Places, leased: LeasedCopy) {
    let mut results = Vec::with_capacity(leased.recipients.len());
    for (hop, recipients) in by_next_hop(gateway, &leased) {
        let content: Arc<dyn Content> = leased.content.clone();
        let delivery = Delivery {
            hop: hop.clone(),
            envelope: envelope(&leased, &recipients),
            content,
        };
        let attempt = places.at(&hop, gateway.smtp_out.deliver(delivery)).await;
        results.extend(recipients.into_iter().cloned().zip(outcomes(attempt)));
    }
    let attempted = settle(gateway, &leased, results, now());
    let mail = leased.mail;
    if let Err(error) = gateway.store.attempted(attempted).await {
        tracing::error!(%error, mail = sealgate_store::queue_id(mail), "the result of an attempt was not recorded; it is repeated");
    }
}

/// The recipients that are due, by where they go.
fn by_next_hop<'l>(
    gateway: &Gateway,
    leased: &'l LeasedCopy,
) -> Vec<(NextHop, Vec<&'l LeasedRecipient>)> {
    let installation = gateway.installation();
    let organisation = installation.organisation(leased.organisation);
    let mut groups: Vec<(NextHop, Vec<&LeasedRecipient>)> = Vec::new();
    for recipient in &leased.recipients {
        let domain = recipient.envelope.address.domain();
        let hop = organisation.map_or_else(
            || NextHop::by_mx(domain),
            |organisation| organisation.next_hop(domain),
        );
        match groups.iter_mut().find(|(known, _)| *known == hop) {
            Some((_, members)) => members.push(recipient),
            None => groups.push((hop, vec![recipient])),
        }
    }
    groups
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

fn settle(
    gateway: &Gateway,
    leased: &LeasedCopy,
    results: Vec<(LeasedRecipient, PartResult)>,
    now: Timestamp,
) -> Attempted {
    let policy = gateway.config.delivery.retry_policy();
    let until = leased.accepted.plus(policy.lifetime);
    let mut updates: Vec<(RecipientId, RecipientUpdate)> = Vec::new();
    let mut reported = Vec::new();
    for (recipient, part) in results {
        let jitter = SystemRandom.next_u32() % 1001;
        let after = after_attempt(&recipient.state, &part.result, now, policy, jitter);
        let (update, news) = next(leased, &recipient, &part, after, until);
        log(leased, &recipient.envelope, &update);
        updates.push((recipient.id, update));
        reported.extend(news.map(|news| Reported {
            recipient: recipient.envelope,
            news,
            remote: part.remote,
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
    Attempted {
        lease: leased.lease,
        now,
        results: updates,
        reports: reports::of(gateway, about, &reported, now),
    }
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
        encrypted_key_seen: false,
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
            problem.text.clone()
        }
    }
}

fn log(leased: &LeasedCopy, recipient: &EnvelopeRecipient, update: &RecipientUpdate) {
    let mail = sealgate_store::queue_id(leased.mail);
    let to = &recipient.address;
    match update {
        RecipientUpdate::Delivered(words) => tracing::info!(mail, %to, words, "delivered"),
        RecipientUpdate::Retry { problem, .. } => {
            tracing::info!(mail, %to, problem = problem.text, "waits")
        }
        RecipientUpdate::Failed(problem) => {
            tracing::warn!(mail, %to, problem = problem.text, "failed")
        }
        RecipientUpdate::Held(reason, problem) => {
            tracing::warn!(mail, %to, reason = reason.as_str(), problem = problem.text, "held")
        }
    }
}
