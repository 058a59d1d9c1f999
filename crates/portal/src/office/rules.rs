//! The ordered list of encryption rules (requirements.md S50 to S64, S77, A5 to A7, A25).

use async_trait::async_trait;
use sealgate_core::rules::{InboundMode, OutboundMode, Pattern, Rule, RuleId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Applied, Asked, Page, Paging};
use crate::auth::{Permitted, Read, Write};
use crate::problem::Problem;

/// A rule with its priority.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EncryptionRule {
    /// Its number; stays the same when it is moved.
    pub id: i64,
    /// Its priority, 1 first (S54).
    pub priority: u64,
    /// What it says.
    #[serde(flatten)]
    pub body: RuleBody,
    /// Known mailboxes on its managed side that cannot send under it, because they have no valid certificate (S77).
    pub without_certificate: u64,
    /// Known mailboxes on its managed side that cannot receive encrypted mail under it, because they have no key (A25).
    pub without_key: u64,
}

/// What a rule says: fields and modes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct RuleBody {
    /// Mailboxes and domains of the organisation, separated by commas, at most 20, or `all` (S59).
    pub managed: String,
    /// External mailboxes and domains, separated by commas, at most 20, or `all` (S60).
    pub external: String,
    /// What happens on the way in: `do-not-decrypt`, `optional`, `always`, `enforce`; absent: not defined (S65 to S69).
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub inbound: Option<InboundMode>,
    /// What happens on the way out: `neither`, `sign-only`, `optional`, `enforce`; absent: not defined (S70 to S74).
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub outbound: Option<OutboundMode>,
}

impl RuleBody {
    /// What `rule` says.
    pub fn of(rule: &Rule) -> Self {
        Self {
            managed: rule.managed.to_string(),
            external: rule.external.to_string(),
            inbound: rule.inbound,
            outbound: rule.outbound,
        }
    }

    /// The rule numbered `id` that says so.
    pub fn parse(&self, id: i64) -> Result<Rule, Problem> {
        let pattern = |field: &'static str, text: &str| {
            text.parse::<Pattern>()
                .map_err(|error| Problem::wrong(field, error))
        };
        Ok(Rule {
            id: RuleId(id),
            managed: pattern("managed", &self.managed)?,
            external: pattern("external", &self.external)?,
            inbound: self.inbound,
            outbound: self.outbound,
        })
    }
}

/// Which rules.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct RuleFilter {
    /// With this text in a field.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "super::empty_is_none"
    )]
    pub search: Option<String>,
    /// From this priority on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1)]
    pub priority: Option<u64>,
}

/// A rule and its way in the order.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
pub struct RuleMove {
    /// Its present priority.
    #[schema(minimum = 1)]
    pub from: u64,
    /// Its new priority.
    #[schema(minimum = 1)]
    pub to: u64,
    /// Number of the rule that has that priority, so that a change by somebody else meanwhile shows; not asked if absent.
    #[serde(default)]
    pub passes: Option<i64>,
}

/// A change of a rule, and what it said when it was looked at: if somebody else changed it meanwhile, nothing is changed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct RuleEdit {
    /// What it said.
    pub was: RuleBody,
    /// What it is to say.
    pub becomes: RuleBody,
}

/// What came of a change of the rules.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RuleSaved {
    /// The rule as it is now; none if it is gone.
    pub rule: Option<EncryptionRule>,
    /// The change.
    #[serde(flatten)]
    pub applied: Applied,
}

/// Which side of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Of this organisation.
    Managed,
    /// Outside.
    External,
}

/// A field that is being written.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RuleFieldQuestion {
    /// `managed` or `external`.
    #[param(value_type = String)]
    pub side: Side,
    /// What stands in it.
    pub text: String,
}

/// What is said of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleFieldAnswer {
    /// Whether it can be saved so.
    pub ok: bool,
    /// Whether it means every address.
    pub all: bool,
    /// Entries in it.
    pub count: usize,
    /// Most entries (S59, S60).
    pub most: usize,
    /// Each entry.
    pub entries: Vec<RuleEntry>,
}

/// One entry of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleEntry {
    /// As it was written.
    pub text: String,
    /// What is to be said of it.
    pub verdict: EntryVerdict,
}

/// What is said of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EntryVerdict {
    /// It is fine.
    Ok,
    /// Nothing stands between two commas.
    Empty,
    /// It is neither a mailbox nor a domain.
    Neither,
    /// It stands there already.
    Double,
    /// It can be saved, but is no address of this organisation, so that the managed side never meets it.
    NotManaged,
    /// It can be saved, but is an address of this organisation: mail within it goes by no rule (A30).
    NotExternal,
    /// It is one too many.
    TooMany,
}

impl EntryVerdict {
    /// Whether it can be saved so.
    pub const fn is_ok(self) -> bool {
        match self {
            Self::Ok | Self::Double | Self::NotManaged | Self::NotExternal => true,
            Self::Empty | Self::Neither | Self::TooMany => false,
        }
    }
}

/// Known mailboxes that a mode shuts out.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Lacking {
    /// How many.
    pub count: u64,
    /// The first ones.
    pub first: Vec<String>,
}

/// What a rule would mean for known mailboxes (S77, A25).
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct RuleWarnings {
    /// Those that cannot send under enforced encryption, because they have no valid certificate.
    pub without_certificate: Lacking,
    /// Those that cannot receive encrypted mail, because they have no key; under enforced decryption no mail at all.
    pub without_key: Lacking,
}

/// Questions and orders about rules.
#[async_trait]
pub trait Rules {
    /// One page of the list, priority 1 first.
    async fn rules(
        &self,
        who: &Permitted<Read>,
        filter: &RuleFilter,
        paging: &Paging,
    ) -> Asked<Page<EncryptionRule>>;

    /// How many rules there are.
    async fn rule_count(&self, who: &Permitted<Read>) -> Asked<u64>;

    /// One rule.
    async fn rule(&self, who: &Permitted<Read>, id: i64) -> Asked<EncryptionRule>;

    /// The rules that were deleted lately and can be taken back, newest first, with the priority they had.
    async fn removed_rules(&self, who: &Permitted<Read>) -> Asked<Vec<EncryptionRule>>;

    /// What a rule with these fields and modes would mean for known mailboxes.
    async fn rule_warnings(&self, who: &Permitted<Read>, rule: &Rule) -> Asked<RuleWarnings>;

    /// What is said of a field that is being written.
    async fn rule_field(
        &self,
        who: &Permitted<Read>,
        question: &RuleFieldQuestion,
    ) -> Asked<RuleFieldAnswer>;

    /// Adds a rule with the highest priority (S55).
    async fn add_rule(&self, who: &Permitted<Write>, body: &RuleBody) -> Asked<RuleSaved>;

    /// Changes a rule; `changed-meanwhile` if it does not say any more what it said.
    async fn edit_rule(&self, who: &Permitted<Write>, id: i64, edit: &RuleEdit)
    -> Asked<RuleSaved>;

    /// Gives a rule another priority; `changed-meanwhile` if the order is another one.
    async fn move_rule(&self, who: &Permitted<Write>, id: i64, way: RuleMove) -> Asked<RuleSaved>;

    /// Deletes a rule; if `was` is given, only if it still says that.
    async fn delete_rule(
        &self,
        who: &Permitted<Write>,
        id: i64,
        was: Option<&RuleBody>,
    ) -> Asked<RuleSaved>;

    /// Takes the deletion of a rule back: it stands at its former priority again.
    async fn restore_rule(&self, who: &Permitted<Write>, id: i64) -> Asked<RuleSaved>;
}
