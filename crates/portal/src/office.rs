//! What the portal asks of the gateway. One file for each topic: its words, which are also those of the API, and its questions.
//!
//! Whoever asks about an organisation shows a [`Permitted`](crate::auth::Permitted); there is no way around it.

pub mod account;
pub mod accounts;
pub mod authorities;
pub mod certificates;
pub mod clients;
pub mod directories;
pub mod domains;
pub mod held;
pub mod inbound;
pub mod keys;
pub mod mailboxes;
pub mod mails;
pub mod organisations;
pub mod overview;
pub mod partners;
pub mod people;
pub mod records;
pub mod rules;
pub mod settings;
pub mod simulator;
pub mod start;
pub mod system;
pub mod trust;
pub mod users;
pub mod webhooks;

use sealgate_core::saying::Saying;
use sealgate_mail::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::{IntoParams, ToSchema};

use crate::limits::{PAGE_ROWS, PAGE_ROWS_MOST};
use crate::problem::{Problem, Titles};

pub use account::Account;
pub use accounts::{Accounts, SignIn};
pub use authorities::Authorities;
pub use certificates::Certificates;
pub use clients::Clients;
pub use directories::Directories;
pub use domains::Domains;
pub use held::Held;
pub use inbound::Inbound;
pub use keys::Keys;
pub use mailboxes::Mailboxes;
pub use mails::Mails;
pub use organisations::Organisations;
pub use overview::Overviews;
pub use partners::Partners;
pub use people::People;
pub use records::Records;
pub use rules::Rules;
pub use settings::Switches;
pub use simulator::Simulator;
pub use start::Start;
pub use system::Systems;
pub use trust::Trusting;
pub use users::Users;
pub use webhooks::Webhooks;

/// Everything the portal asks.
pub trait Office:
    Authorities
    + Certificates
    + Domains
    + Trusting
    + Account
    + Accounts
    + People
    + Users
    + SignIn
    + Clients
    + Inbound
    + Mailboxes
    + Mails
    + Held
    + Overviews
    + Organisations
    + Records
    + Directories
    + Keys
    + Partners
    + Rules
    + Switches
    + Systems
    + Webhooks
    + Simulator
    + Start
    + Send
    + Sync
    + 'static
{
}

/// What the gateway answers.
pub type Asked<T> = Result<T, Problem>;

/// A point in time; scripts read it as RFC 3339 has it, `2026-11-22T14:05:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct At(pub Timestamp);

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.rfc3339())
    }
}

/// For fields of forms and queries: an empty one is none.
pub(crate) fn empty_is_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    use serde::de::IntoDeserializer;
    let text = Option::<String>::deserialize(deserializer)?;
    match text.filter(|text| !text.trim().is_empty()) {
        None => Ok(None),
        Some(text) => T::deserialize(text.into_deserializer()).map(Some),
    }
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// What to give as `after` for the next page; none on the last one.
    pub next: Option<String>,
}

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct Paging {
    /// `next` of the page before.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "empty_is_none"
    )]
    pub after: Option<String>,
    /// Most entries, up to 500; 50 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

impl Paging {
    /// Most entries.
    pub fn rows(&self) -> u32 {
        self.limit.unwrap_or(PAGE_ROWS).clamp(1, PAGE_ROWS_MOST)
    }
}

/// What came of a change of configuration.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Applied {
    /// The version of the configuration from then on.
    pub version: u64,
    /// Whether the next mail is decided by it.
    pub live: bool,
    /// Parts that were refused, each with what was meant and why in one plain line.
    pub refused: Vec<RefusedPart>,
}

/// A part of a change that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RefusedPart {
    /// What was meant.
    pub what: String,
    /// Why not, in one plain line of English.
    pub why: String,
    /// The same in all languages.
    pub texts: Titles,
    /// The same as it is told.
    #[serde(skip)]
    pub said: Saying,
}

impl RefusedPart {
    /// `what` was meant, and refused because of `why`.
    pub fn new(what: String, why: impl Into<Saying>) -> Self {
        let said = why.into();
        Self {
            what,
            why: said.to_string(),
            texts: Titles::of(&said),
            said,
        }
    }
}
