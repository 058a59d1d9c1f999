//! Reports to senders: `core::report` filled with what is known of the mail. Where one cannot be made, nothing is committed: neither
//! the refusal nor the failure it tells of.

use std::sync::Arc;

use sealgate_core::failure::{self, Refusal, ReportKind};
use sealgate_core::journal::{Direction, MailRecord};
use sealgate_core::own_header::for_strangers;
use sealgate_core::process::ProcessError;
use sealgate_core::queue::Outgoing;
use sealgate_core::report::{News, ReportInput, Reported, report};
use sealgate_core::tenant::{Installation, Language};
use sealgate_mail::smtp::{EnvelopeRecipient, MailParams};
use sealgate_mail::{HeaderBlock, ReversePath, Timestamp};

use crate::cmd::Failure;
use crate::gateway::Gateway;
use crate::handed_in::HandedIn;
use crate::random::SystemRandom;

/// The mail a report is about.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// The snapshot that names the organisation's language.
    pub installation: &'a Installation,
    /// The mail's entry in the journal.
    pub record: &'a MailRecord,
    /// Its MAIL FROM parameters.
    pub params: &'a MailParams,
    /// Its header as it came.
    pub header: &'a HeaderBlock,
}

impl About<'_> {
    /// The language of the organisation for its own users; none for strangers.
    fn language(&self) -> Option<Language> {
        match self.record.direction {
            Direction::Outbound => self
                .installation
                .organisation(self.record.organisation)
                .map(|organisation| organisation.settings.language),
            Direction::Inbound => None,
        }
    }

    /// What of its header goes back.
    fn returned(&self) -> HeaderBlock {
        match self.record.direction {
            Direction::Outbound => self.header.clone(),
            Direction::Inbound => for_strangers(self.header),
        }
    }
}

/// One report for each kind of news, to the envelope sender. Made where writing contents may wait.
pub async fn of(
    gateway: &Arc<Gateway>,
    about: About<'_>,
    reported: Vec<Reported>,
    now: Timestamp,
) -> Result<Vec<Outgoing>, Failure> {
    let ReversePath::Address(to) = &about.record.envelope_from else {
        return Ok(Vec::new());
    };
    if reported.is_empty() {
        return Ok(Vec::new());
    }
    let (gateway, to, language) = (Arc::clone(gateway), to.clone(), about.language());
    let (header, params, arrival) = (about.returned(), about.params.clone(), about.record.at);
    let make = move || {
        let mut reports = Vec::new();
        for recipients in by_kind(&reported) {
            let input = ReportInput {
                to: &to,
                language,
                recipients: &recipients,
                header: &header,
                params: &params,
                reporting_mta: &gateway.config.hostname,
                arrival,
                now,
            };
            reports.push(report(&input, &gateway.store.shelf(), &mut SystemRandom)?);
        }
        Ok::<_, ProcessError>(reports)
    };
    Ok(tokio::task::spawn_blocking(make).await??)
}

/// The news of each kind there is.
fn by_kind(reported: &[Reported]) -> impl Iterator<Item = Vec<Reported>> {
    let kinds = [ReportKind::Failure, ReportKind::Delay, ReportKind::Relayed];
    let of_kind = |kind| {
        let news = reported.iter().filter(move |one| one.news.kind() == kind);
        news.cloned().collect::<Vec<_>>()
    };
    kinds
        .into_iter()
        .map(of_kind)
        .filter(|news| !news.is_empty())
}

/// Reports about recipients that were refused.
pub fn refused(refusals: Vec<Refusal>) -> Vec<Reported> {
    let news = |refusal: Refusal| Reported {
        recipient: refusal.recipient,
        news: News::Failed(refusal.reason),
        remote: None,
    };
    refusals.into_iter().map(news).collect()
}

/// "Relayed" to those who asked for it, where the sender is proven.
pub fn relayed<'r>(
    recipients: impl Iterator<Item = &'r EnvelopeRecipient>,
    record: &MailRecord,
) -> Vec<Reported> {
    let may = |recipient: &&EnvelopeRecipient| {
        failure::may_report(
            ReportKind::Relayed,
            recipient,
            &record.envelope_from,
            record.sender_proven,
        )
    };
    recipients
        .filter(may)
        .map(|recipient| Reported {
            recipient: recipient.clone(),
            news: News::Relayed,
            remote: None,
        })
        .collect()
}

impl HandedIn<'_> {
    /// The mail as reports about it see it.
    pub fn about<'a>(&'a self, record: &'a MailRecord) -> About<'a> {
        About {
            installation: &self.installation,
            record,
            params: &self.envelope.params,
            header: &self.seen.header,
        }
    }
}
