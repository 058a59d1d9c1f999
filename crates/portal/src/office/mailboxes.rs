//! The mailboxes of an organisation and their certificates (requirements.md S25 to S42).

use async_trait::async_trait;
use sealgate_core::tenant::MailboxState;
use sealgate_mail::Address;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Applied, Asked, At, Page, Paging};
use crate::auth::{Permitted, Read, Write};

/// A known mailbox, as the table shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Mailbox {
    /// Its address.
    #[schema(value_type = String)]
    pub address: Address,
    /// Name of the mailbox: the local part (S27).
    pub name: String,
    /// Its domain (S28).
    pub domain: String,
    /// Where it stands: `inactive`, `activation-pending`, `active`, `revoke-pending` (S31 to S34).
    #[schema(value_type = String)]
    pub state: MailboxState,
    /// Since when.
    pub since: At,
    /// Number of its signing certificate; only if it is active (S26).
    pub certificate: Option<i64>,
    /// When that certificate ends.
    pub expires: Option<At>,
}

/// Which mailboxes.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct MailboxFilter {
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub state: Option<MailboxState>,
    /// Whose address holds this text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
}

/// How many mailboxes there are, and what the licences allow (S9, S11).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Counts {
    /// Known mailboxes.
    pub known: u64,
    /// Of these, active ones.
    pub active: u64,
    /// Mailboxes that hold a licence: all but inactive ones (S14).
    pub held: u32,
    /// Licences booked; none if nothing is counted.
    pub booked: Option<u32>,
    /// Licences that are free.
    pub free: Option<u32>,
    /// End of the term (S10).
    pub until: Option<At>,
}

/// Which mailboxes something is done with.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Chosen {
    /// These.
    #[schema(value_type = Vec<String>)]
    Mailboxes(Vec<Address>),
    /// All that are in the state from which it can be done (S38).
    All,
}

/// Questions and orders about mailboxes.
#[async_trait]
pub trait Mailboxes {
    /// One page of the table, in the order of domain and name.
    async fn mailboxes(
        &self,
        who: &Permitted<Read>,
        filter: &MailboxFilter,
        paging: &Paging,
    ) -> Asked<Page<Mailbox>>;

    /// The counts above the table.
    async fn mailbox_counts(&self, who: &Permitted<Read>) -> Asked<Counts>;

    /// Orders certificates for as many as there are licences; names the others (S36 to S38, A14).
    async fn activate(&self, who: &Permitted<Write>, chosen: Chosen) -> Asked<Applied>;

    /// They sign no more, their certificates are revoked; names those that are not active (S40, S41).
    async fn deactivate(&self, who: &Permitted<Write>, chosen: Chosen) -> Asked<Applied>;
}
