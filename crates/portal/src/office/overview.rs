//! The overview of an organisation: what needs attention, what to do first, and numbers over time.

use async_trait::async_trait;
use sealgate_core::journal::MailStatus;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Asked, At};
use crate::auth::{Permitted, Read};
use crate::problem::Titles;

/// Something that needs attention. Where it is a count, it is one of at least one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Attention {
    /// Mails of the last day that failed.
    FailedMails {
        /// How many recipients did not get theirs.
        recipients: u64,
    },
    /// Mail is held.
    HeldMails {
        /// How many recipients wait for it; more than the number if `more`.
        recipients: u64,
        /// Whether there are more.
        more: bool,
    },
    /// Active mailboxes whose certificate ends soon, and the next one is not ordered.
    CertificatesEnding {
        /// How many.
        mailboxes: u64,
        /// When the first ends.
        first: At,
    },
    /// Orders of the last days that failed.
    OrdersFailed {
        /// How many.
        orders: u64,
    },
    /// Few licences are free, or none.
    LicencesNearlyUsed {
        /// How many are free.
        free: u32,
        /// How many are booked.
        booked: u32,
    },
    /// The term of the licences ends soon or is over.
    LicencesEnding {
        /// When.
        until: At,
    },
    /// Domains whose mail does not come here, as far as it was asked lately.
    DomainsElsewhere {
        /// How many.
        domains: u64,
        /// The first of them.
        first: String,
    },
    /// New public keys to be reviewed.
    NewKeys {
        /// How many.
        keys: u64,
    },
}

/// What an organisation that begins does first, and whether it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FirstSteps {
    /// There is an inbound route.
    pub route: bool,
    /// There are known mailboxes.
    pub mailboxes: bool,
    /// There is a sending client.
    pub client: bool,
    /// A mailbox is active, or about to be.
    pub active: bool,
    /// There is an encryption rule.
    pub rule: bool,
}

impl FirstSteps {
    /// Whether nothing is left to do.
    pub const fn done(self) -> bool {
        self.route && self.mailboxes && self.client && self.active && self.rule
    }
}

/// A late event.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LateEvent {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: At,
    /// What happened, in both languages.
    pub sentence: Titles,
    /// More, in English.
    pub text: String,
    /// The same in all languages.
    pub texts: Titles,
}

/// What the overview shows above its plots.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Overview {
    /// What needs attention, most urgent first.
    pub attention: Vec<Attention>,
    /// What to do first.
    pub first_steps: FirstSteps,
    /// Events of the last days, newest first.
    pub events: Vec<LateEvent>,
}

/// How far back, and how fine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    /// The last 24 hours, by hours.
    #[default]
    Day,
    /// The last 30 days, by days.
    Month,
}

/// Which statistics.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct StatisticsQuery {
    /// `day`: the last 24 hours by hours; `month`: the last 30 days by days.
    #[param(value_type = Option<String>)]
    pub span: Span,
}

/// Mails per status in one stretch of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MailCounts {
    /// From this time.
    pub from: At,
    /// To before this time.
    pub until: At,
    /// How many recipients' mails have each status; those without any are left out.
    pub counts: Vec<StatusCount>,
}

/// How many mails have a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StatusCount {
    /// The status.
    #[schema(value_type = String)]
    pub status: MailStatus,
    /// How many.
    pub mails: u64,
}

impl MailCounts {
    /// How many have this status.
    pub fn of(&self, status: MailStatus) -> u64 {
        let own = self.counts.iter().filter(|count| count.status == status);
        own.map(|count| count.mails).sum()
    }
}

/// How many certificates of active mailboxes end in a week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WeekEnding {
    /// From this time.
    pub from: At,
    /// To before this time.
    pub until: At,
    /// How many.
    pub certificates: u64,
}

/// Questions of the overview.
#[async_trait]
pub trait Overviews {
    /// What needs attention, what to do first, and late events.
    async fn overview(&self, who: &Permitted<Read>) -> Asked<Overview>;

    /// Mails per status over time.
    async fn mail_counts(&self, who: &Permitted<Read>, span: Span) -> Asked<Vec<MailCounts>>;

    /// Certificates that end in the weeks ahead.
    async fn expiries_ahead(&self, who: &Permitted<Read>) -> Asked<Vec<WeekEnding>>;
}
