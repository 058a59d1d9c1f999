//! Reports to senders: `core::report` filled with what is known of the mail. One that cannot be made is logged; the mail it is about
//! keeps its journal line.

use sealgate_core::failure::{self, Refusal, ReportKind};
use sealgate_core::journal::{Direction, MailRecord};
use sealgate_core::queue::Outgoing;
use sealgate_core::report::{News, ReportInput, Reported, report};
use sealgate_core::tenant::{Installation, Language};
use sealgate_mail::smtp::{EnvelopeRecipient, MailParams};
use sealgate_mail::{HeaderBlock, ReversePath, Timestamp};

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
}

/// One report for each kind of news, to the envelope sender.
pub fn of(
    gateway: &Gateway,
    about: About<'_>,
    reported: &[Reported],
    now: Timestamp,
) -> Vec<Outgoing> {
    let ReversePath::Address(to) = &about.record.envelope_from else {
        return Vec::new();
    };
    let mut reports = Vec::new();
    for kind in [ReportKind::Failure, ReportKind::Delay, ReportKind::Relayed] {
        let recipients: Vec<_> = reported
            .iter()
            .filter(|one| one.news.kind() == kind)
            .cloned()
            .collect();
        if recipients.is_empty() {
            continue;
        }
        let input = ReportInput {
            to,
            language: about.language(),
            recipients: &recipients,
            header: about.header,
            params: about.params,
            reporting_mta: &gateway.config.hostname,
            arrival: about.record.at,
            now,
        };
        match report(&input, &gateway.store.shelf(), &mut SystemRandom) {
            Ok(report) => reports.push(report),
            Err(error) => tracing::error!(%error, "a report could not be made"),
        }
    }
    reports
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
