//! The mailboxes of an organisation and their certificates (requirements.md S25 to S49).

use async_trait::async_trait;
use sealgate_core::order::{OrderState, Purpose};
use sealgate_core::tenant::MailboxState;
use sealgate_mail::Address;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Applied, Asked, At, Page, Paging, RefusedPart};
use crate::auth::{Permitted, Read, Write};
use crate::problem::Titles;

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
    /// When it is inactive at the latest, while its certificates are being revoked (S35).
    pub inactive_by: Option<At>,
    /// Number of its signing certificate; only if it is active (S26).
    pub certificate: Option<i64>,
    /// When that certificate ends.
    pub expires: Option<At>,
    /// Its open order.
    pub order: Option<OpenOrder>,
    /// Whether it waits until an administrator says that the issuer has revoked its certificate (A12).
    pub by_hand: bool,
    /// What went wrong the last time: with its revocation, or with the order that it is inactive after.
    pub error: Option<String>,
    /// The same in all languages; words of others are in quotation marks.
    pub errors: Option<Titles>,
}

impl Mailbox {
    /// S36: only if inactive.
    pub fn may_activate(&self) -> bool {
        self.state == MailboxState::Inactive
    }

    /// S39, S47: an upload activates a mailbox, or replaces the keys of an active one.
    pub fn may_upload(&self) -> bool {
        !matches!(self.state, MailboxState::RevokePending)
    }

    /// S40: only if active.
    pub fn may_deactivate(&self) -> bool {
        self.state == MailboxState::Active
    }

    /// While an order is open.
    pub fn may_withdraw(&self) -> bool {
        self.order.is_some()
    }

    /// One order at a time.
    pub fn may_renew(&self) -> bool {
        self.state == MailboxState::Active && self.order.is_none()
    }
}

/// The open order of a mailbox.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OpenOrder {
    /// Name of the authority.
    pub authority: String,
    /// What it is for: `activation`, `renewal`, `replacement`.
    #[schema(value_type = String)]
    pub purpose: Purpose,
    /// How far it is: `new`, `asking`, `waiting`.
    #[schema(value_type = String)]
    pub state: OrderState,
    /// When it was opened.
    pub created: At,
    /// When the authority is asked next.
    pub due: Option<At>,
    /// Why it takes longer.
    pub error: Option<String>,
    /// The same in all languages; words of others are in quotation marks.
    pub errors: Option<Titles>,
}

/// Which mailboxes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct MailboxFilter {
    /// In this state.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "super::empty_is_none"
    )]
    #[param(value_type = Option<String>)]
    #[schema(value_type = Option<String>)]
    pub state: Option<MailboxState>,
    /// Whose address holds this text.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "super::empty_is_none"
    )]
    pub search: Option<String>,
    /// In the domains of the inbound route of this name.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "super::empty_is_none"
    )]
    pub route: Option<String>,
    /// In which order: `domain` (if absent), `name`, `state` or `certificate`; with `-` before it the other way round.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "super::empty_is_none"
    )]
    pub sort: Option<String>,
}

/// How many mailboxes there are, and what the licences allow (S9, S11).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MailboxCounts {
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
    /// All that fit the filter and are in the state from which it can be done (S38).
    Filter(MailboxFilter),
    /// All that are in the state from which it can be done (S38).
    All,
}

/// With what kind of certificate; what is absent is as usual.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OrderWith {
    /// Name of the authority; the standard one if absent.
    #[serde(deserialize_with = "super::empty_is_none")]
    pub authority: Option<String>,
    /// Kind of key: `rsa-3072` (if absent), `p-256` or `p-384`.
    #[serde(deserialize_with = "super::empty_is_none")]
    pub key: Option<String>,
    /// Name of the token that the key is made on; in the store if absent.
    #[serde(deserialize_with = "super::empty_is_none")]
    pub token: Option<String>,
}

/// An order for many mailboxes.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct ActivateMailboxes {
    /// For which.
    pub chosen: Chosen,
    /// With what.
    #[serde(default)]
    pub with: OrderWith,
}

/// What may be chosen for an order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderOptions {
    /// Authorities, the standard one first.
    pub authorities: Vec<String>,
    /// Kinds of keys, the usual one first.
    pub keys: Vec<String>,
    /// Tokens.
    pub tokens: Vec<String>,
}

/// What came of one thing that was to be done with many mailboxes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BulkDone {
    /// What is done already.
    #[serde(flatten)]
    pub applied: Applied,
    /// For how many mailboxes it is done already.
    pub done: u64,
    /// What goes on in the background; none if all is done.
    pub goes_on: Option<BulkWork>,
    /// The batch of the orders that were opened: its page shows how far they are.
    pub batch: Option<i64>,
}

/// What bulk work does with each of its mailboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BulkKind {
    /// Certificates are ordered.
    Activation,
    /// Certificates are revoked.
    Deactivation,
    /// Mailboxes are removed.
    Removal,
    /// The next certificates are ordered.
    Renewal,
}

/// Bulk work: one thing done with many mailboxes, in the background; and how far it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BulkWork {
    /// Its number.
    pub id: i64,
    /// What is done.
    pub kind: BulkKind,
    /// Who ordered it.
    pub who: String,
    /// For how many mailboxes.
    pub all: u64,
    /// For how many it was tried.
    pub done: u64,
    /// For how many of these it was refused.
    pub refused: u64,
    /// The first of those, each with the reason.
    pub reasons: Vec<RefusedPart>,
    /// When it began.
    pub began: At,
    /// When it ended.
    pub ended: Option<At>,
    /// Whether it ended before its time: what was done stays, and the rest can be ordered again.
    pub broken_off: bool,
    /// Who stopped it, if somebody did.
    pub stopped_by: Option<String>,
    /// The batch of the orders that were opened.
    pub batch: Option<i64>,
}

/// What is told of one mailbox.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MailboxDetail {
    /// Its line of the table.
    pub mailbox: Mailbox,
    /// Mailboxes whose key rings also open its mail (A10).
    #[schema(value_type = Vec<String>)]
    pub aliases: Vec<Address>,
    /// Its key ring, the newest first; never a private key itself (S48).
    pub keys: Vec<MailboxKey>,
    /// What happened to its certificates, the newest first.
    pub history: Vec<MailboxEvent>,
}

/// A key of a mailbox's ring.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MailboxKey {
    /// Its number.
    pub id: i64,
    /// Subject of its certificate.
    pub subject: String,
    /// Issuer of its certificate.
    pub issuer: String,
    /// Serial number of its certificate, in hexadecimal digits.
    pub serial: String,
    /// SHA-256 of its certificate, in hexadecimal digits.
    pub sha256: String,
    /// Start of its validity.
    pub valid_from: At,
    /// End of its validity.
    pub valid_until: At,
    /// Whether it was uploaded; else an authority issued it.
    pub uploaded: bool,
    /// Name of the authority.
    pub authority: Option<String>,
    /// The token it is on.
    pub token: Option<String>,
    /// Whether the mailbox signs with it.
    pub signs: bool,
    /// Whether others encrypt to it.
    pub encrypts: bool,
    /// Whether its certificate is still to be revoked.
    pub to_be_revoked: bool,
}

impl MailboxKey {
    /// Whether it can be purged: it is not in use, and nothing has to be asked of its issuer.
    pub fn is_old(&self) -> bool {
        !(self.signs || self.encrypts || self.to_be_revoked)
    }
}

/// Something that happened to a mailbox's certificates.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MailboxEvent {
    /// When.
    pub at: At,
    /// What: `ordered`, `issued`, `failed`, `withdrawn`, `uploaded`, `revocation-asked`, `revoked`.
    pub what: &'static str,
    /// The authority of an order.
    pub authority: Option<String>,
    /// The certificate's number.
    pub certificate: Option<i64>,
    /// Why, where something went wrong.
    pub why: Option<String>,
    /// The same in all languages.
    pub whys: Option<Titles>,
}

/// A file with key pairs.
pub struct Upload {
    /// PKCS #12 or PEM, at most 5 MiB.
    pub file: Vec<u8>,
    /// Its password; empty if it has none.
    pub password: String,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Upload({} octets)", self.file.len())
    }
}

/// Which keys are purged.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PurgeKeys {
    /// These.
    Keys(Vec<i64>),
    /// All that are not in use.
    AllOld,
}

/// What was purged.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PurgedKeys {
    /// The keys.
    pub keys: Vec<i64>,
    /// Those of them that are on tokens: not used any more, but to be destroyed there.
    pub on_tokens: Vec<i64>,
}

/// Questions and orders about mailboxes.
#[async_trait]
pub trait Mailboxes {
    /// One page of the table.
    async fn mailboxes(
        &self,
        who: &Permitted<Read>,
        filter: &MailboxFilter,
        paging: &Paging,
    ) -> Asked<Page<Mailbox>>;

    /// How many mailboxes fit the filter.
    async fn mailboxes_found(&self, who: &Permitted<Read>, filter: &MailboxFilter) -> Asked<u64>;

    /// The counts above the table.
    async fn mailbox_counts(&self, who: &Permitted<Read>) -> Asked<MailboxCounts>;

    /// What is told of one mailbox.
    async fn mailbox(&self, who: &Permitted<Read>, mailbox: &Address) -> Asked<MailboxDetail>;

    /// What may be chosen for an order.
    async fn order_options(&self, who: &Permitted<Read>) -> Asked<OrderOptions>;

    /// Bulk work that goes on, or ended lately; the newest first.
    async fn bulk_work_news(&self, who: &Permitted<Read>) -> Asked<Vec<BulkWork>>;

    /// Bulk work of the last 30 days, the newest first.
    async fn bulk_work(&self, who: &Permitted<Read>, paging: &Paging) -> Asked<Page<BulkWork>>;

    /// Stops bulk work: what is done stays.
    async fn stop_bulk_work(&self, who: &Permitted<Write>, id: i64) -> Asked<BulkWork>;

    /// How many of those chosen can be deactivated: their certificates are going to be revoked.
    async fn to_deactivate(&self, who: &Permitted<Write>, chosen: &Chosen) -> Asked<u64>;

    /// Orders certificates for as many as there are licences; names the others (S36 to S38, A14).
    async fn activate(&self, who: &Permitted<Write>, order: ActivateMailboxes) -> Asked<BulkDone>;

    /// They sign no more, their certificates are revoked; names those that are not active (S40, S41).
    async fn deactivate(&self, who: &Permitted<Write>, chosen: Chosen) -> Asked<BulkDone>;

    /// Takes the open orders back; names those that have none.
    async fn withdraw_orders(
        &self,
        who: &Permitted<Write>,
        mailboxes: Vec<Address>,
    ) -> Asked<Applied>;

    /// An issuer outside has revoked the certificates of these mailboxes, says whoever asks (A12).
    async fn confirm_revoked(
        &self,
        who: &Permitted<Write>,
        mailboxes: Vec<Address>,
    ) -> Asked<Applied>;

    /// Orders the next certificate; `revoke`: the present ones are revoked when it is there.
    async fn renew(
        &self,
        who: &Permitted<Write>,
        mailbox: &Address,
        (with, revoke): (OrderWith, bool),
    ) -> Asked<Applied>;

    /// Makes the pairs of a file current, and the mailbox active (S39, S47).
    async fn upload(
        &self,
        who: &Permitted<Write>,
        mailbox: &Address,
        upload: Upload,
    ) -> Asked<Applied>;

    /// Whose key rings also open mail to the mailbox (A10).
    async fn set_aliases(
        &self,
        who: &Permitted<Write>,
        mailbox: &Address,
        aliases: Vec<Address>,
    ) -> Asked<Applied>;

    /// Removes private keys for good: mail that only they open stays closed (A9).
    async fn purge(
        &self,
        who: &Permitted<Write>,
        mailbox: &Address,
        which: PurgeKeys,
    ) -> Asked<PurgedKeys>;
}
