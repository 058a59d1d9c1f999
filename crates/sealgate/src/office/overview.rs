//! The portal's questions about what needs attention, and numbers over time.

use async_trait::async_trait;
use sealgate_core::journal::MailStatus;
use sealgate_core::prerequisite::{Way, may_request};
use sealgate_core::tenant::Organisation;
use sealgate_mail::Timestamp;
use sealgate_portal::auth::{Permitted, Read};
use sealgate_portal::office::overview::{
    Attention, FirstSteps, LateEvent, MailCounts, Overview, Overviews, Span, StatusCount,
    WeekEnding,
};
use sealgate_portal::office::{Asked, At};
use sealgate_portal::problem::Titles;
use sealgate_store::{Delivery, Stretch};

use super::mails::sentence;
use super::{DAY, PortalOffice, problem};
use crate::gateway::now;
use crate::limits::{
    ATTENTION_CERTIFICATE, ATTENTION_DOMAINS, ATTENTION_LICENCE, ATTENTION_MAILS, ATTENTION_ORDERS,
    OVERVIEW_DAYS, OVERVIEW_EVENTS, OVERVIEW_WEEKS,
};

/// Seconds of an hour.
const HOUR: i64 = 3600;

#[async_trait]
impl Overviews for PortalOffice {
    async fn overview(&self, who: &Permitted<Read>) -> Asked<Overview> {
        let store = &self.0.store;
        let installation = self.0.installation();
        let own = installation.organisation(who.organisation());
        let own = own.map(AsRef::as_ref);
        let events = store.newest_events(who.organisation(), (None, None), OVERVIEW_EVENTS);
        let events = events.await.map_err(problem)?;
        let oldest = now().plus(-ATTENTION_ORDERS);
        let late = events.into_iter().filter(|event| event.at >= oldest);
        let quota = store.quota(who.organisation()).await.map_err(problem)?;
        Ok(Overview {
            attention: self.attention(who, own).await?,
            first_steps: first_steps(own, quota.held),
            events: late
                .map(|event| LateEvent {
                    id: event.id,
                    at: At(event.at),
                    sentence: sentence(event.kind),
                    text: event.text,
                    texts: Titles::of(&event.said),
                })
                .collect(),
        })
    }

    async fn mail_counts(&self, who: &Permitted<Read>, span: Span) -> Asked<Vec<MailCounts>> {
        // Up to the end of this hour.
        let until = Timestamp(
            now()
                .0
                .div_euclid(HOUR)
                .saturating_add(1)
                .saturating_mul(HOUR),
        );
        let (from, step) = match span {
            Span::Day => (until.plus(-DAY), HOUR),
            Span::Month => (until.plus(OVERVIEW_DAYS.saturating_mul(-DAY)), DAY),
        };
        let counts = self
            .0
            .store
            .statistics(who.organisation(), from, until, step);
        let counts = counts.await.map_err(problem)?;
        Ok(counts.iter().map(mail_counts).collect())
    }

    async fn expiries_ahead(&self, who: &Permitted<Read>) -> Asked<Vec<WeekEnding>> {
        let from = now();
        let until = from.plus(OVERVIEW_WEEKS.saturating_mul(7).saturating_mul(DAY));
        let weeks = self.0.store.expiries(who.organisation(), from, until).await;
        let weeks = weeks.map_err(problem)?;
        let week = |week: sealgate_store::Expiring| WeekEnding {
            from: At(week.from),
            until: At(week.until),
            certificates: week.certificates,
        };
        Ok(weeks.into_iter().map(week).collect())
    }
}

impl PortalOffice {
    /// What needs attention, most urgent first.
    async fn attention(
        &self,
        who: &Permitted<Read>,
        own: Option<&Organisation>,
    ) -> Asked<Vec<Attention>> {
        let (store, organisation, now) = (&self.0.store, who.organisation(), now());
        let mut found = Vec::new();
        let until = now.plus(HOUR);
        let day = store
            .statistics(organisation, now.plus(-ATTENTION_MAILS), until, i64::MAX)
            .await
            .map_err(problem)?;
        found.extend(failed(&day));
        let recipients = store.held_count(organisation).await.map_err(problem)?;
        if recipients > 0 {
            let most = u64::try_from(sealgate_store::limits::ATTENTION_ROWS).unwrap_or(u64::MAX);
            let more = recipients >= most;
            found.push(Attention::HeldMails { recipients, more });
        }
        let soon = now.plus(ATTENTION_CERTIFICATE);
        let ending = store.ending_unordered(organisation, soon).await;
        let ending = ending.map_err(problem)?;
        if let Some(first) = ending.first {
            found.push(Attention::CertificatesEnding {
                mailboxes: ending.mailboxes,
                first: At(first),
            });
        }
        let since = now.plus(-ATTENTION_ORDERS);
        let orders = store.orders_failed_since(organisation, since).await;
        match orders.map_err(problem)? {
            0 => {}
            orders => found.push(Attention::OrdersFailed { orders }),
        }
        let quota = store.quota(organisation).await.map_err(problem)?;
        found.extend(licences(quota, now));
        found.extend(own.and_then(|own| self.elsewhere(own)));
        let keys = store.correspondent_counts(organisation).await;
        match keys.map_err(problem)?.new {
            0 => {}
            keys => found.push(Attention::NewKeys { keys }),
        }
        Ok(found)
    }

    /// Domains of which it was found lately that no certificate may be requested for them (S18).
    fn elsewhere(&self, own: &Organisation) -> Option<Attention> {
        let names = self.0.config.gateway_names();
        let domains = own.routes.iter().flat_map(|route| &route.domains);
        let refused = domains.take(ATTENTION_DOMAINS).filter(|domain| {
            self.0.ways.known(domain).is_some_and(|mx| {
                may_request(&Way {
                    domain: (*domain).clone(),
                    in_route: true,
                    names: names.clone(),
                    mx,
                })
                .is_err()
            })
        });
        let refused: Vec<_> = refused.collect();
        Some(Attention::DomainsElsewhere {
            first: refused.first()?.to_unicode(),
            domains: refused.len() as u64,
        })
    }
}

/// Mails that did not reach their recipients and are not kept.
fn failed(day: &[Stretch]) -> Option<Attention> {
    let is_failed = |stretch: &Stretch| {
        stretch.lines(|count| {
            count.status == MailStatus::Failed
                && !matches!(count.delivery, Delivery::Held | Delivery::Deleted)
        })
    };
    match day.iter().map(is_failed).sum() {
        0 => None,
        recipients => Some(Attention::FailedMails { recipients }),
    }
}

fn licences(quota: sealgate_core::licence::Quota, now: Timestamp) -> Vec<Attention> {
    let Some(licence) = quota.licence else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let free = quota.free().unwrap_or(0);
    if free <= licence.smime.div_ceil(10) {
        let booked = licence.smime;
        found.push(Attention::LicencesNearlyUsed { free, booked });
    }
    let until = licence
        .until
        .filter(|until| *until < now.plus(ATTENTION_LICENCE));
    found.extend(until.map(|until| Attention::LicencesEnding { until: At(until) }));
    found
}

fn first_steps(own: Option<&Organisation>, held: u32) -> FirstSteps {
    FirstSteps {
        route: own.is_some_and(|own| !own.routes.is_empty()),
        mailboxes: own.is_some_and(|own| !own.mailboxes.is_empty()),
        client: own.is_some_and(|own| !own.clients.is_empty()),
        active: held > 0,
        rule: own.is_some_and(|own| !own.rules.is_empty()),
    }
}

fn mail_counts(stretch: &Stretch) -> MailCounts {
    let count = |status: &MailStatus| StatusCount {
        status: *status,
        mails: stretch.with_status(*status),
    };
    let counts = MailStatus::ALL.iter().map(count);
    MailCounts {
        from: At(stretch.from),
        until: At(stretch.until),
        counts: counts.filter(|count| count.mails > 0).collect(),
    }
}
