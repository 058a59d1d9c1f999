//! The certificates of an organisation's mailboxes: when they end, the orders for new ones, and their revocations.

use async_trait::async_trait;
use sealgate_core::authority::RevocationReason;
use sealgate_core::change::KeyOrigin;
use sealgate_core::order::{OrderState, Purpose};
use sealgate_mail::Address;
use sealgate_smime::key::KeyKind;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Applied, Asked, At, Page, Paging, RefusedPart};
use crate::auth::{Permitted, Read, Write};
use crate::problem::Titles;

/// A current certificate of a mailbox: what it signs with or is encrypted to. Neither it nor its key can be downloaded (S48).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CurrentCertificate {
    /// Its number (S26).
    pub id: i64,
    /// The mailbox.
    #[schema(value_type = String)]
    pub mailbox: Address,
    /// Its issuer.
    pub issuer: String,
    /// Start of its validity.
    pub from: At,
    /// End of its validity.
    pub until: At,
    /// Whole days until then; negative if it is over.
    pub days_left: i64,
    /// `issued` by an authority of the organisation, or `uploaded` (S47).
    #[schema(value_type = String)]
    pub origin: KeyOrigin,
    /// The authority; none of an uploaded one.
    pub authority: Option<String>,
    /// Its key: `rsa2048`, `rsa3072`, `rsa4096`, `p256`, `p384`.
    #[schema(value_type = String)]
    pub key: KeyKind,
    /// Whether the mailbox signs with it.
    pub signing: bool,
    /// Whether others encrypt to it.
    pub encryption: bool,
    /// Whether the next one is on order.
    pub ordered: bool,
}

/// Which certificates.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct CertificateFilter {
    /// Ending within so many days, or over; 0 for those that are over.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "number_or_none"
    )]
    #[param(minimum = 0, maximum = 36500)]
    pub within: Option<u32>,
    /// Of exactly this issuer.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "super::empty_is_none"
    )]
    pub issuer: Option<String>,
    /// Whose mailbox holds this text.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "super::empty_is_none"
    )]
    pub search: Option<String>,
}

/// For numbers in queries: a form sends a choice that was not made as nothing.
fn number_or_none<'d, D: serde::Deserializer<'d>>(from: D) -> Result<Option<u32>, D::Error> {
    let text = Option::<String>::deserialize(from)?.unwrap_or_default();
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(serde::de::Error::custom),
    }
}

/// How many certificates end when.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CertificateCounts {
    /// All current ones.
    pub all: u64,
    /// Over.
    pub over: u64,
    /// Over or ending within 30 days.
    pub within_30: u64,
    /// Within 60 days.
    pub within_60: u64,
    /// Within 90 days.
    pub within_90: u64,
    /// Their issuers, the busiest first.
    pub issuers: Vec<CertificateIssuer>,
}

/// An issuer of current certificates.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CertificateIssuer {
    /// Its name.
    pub name: String,
    /// How many certificates.
    pub certificates: u64,
}

/// An order for a certificate.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CertificateOrder {
    /// Its number.
    pub id: i64,
    /// The mailbox.
    #[schema(value_type = String)]
    pub mailbox: Address,
    /// The authority.
    pub authority: String,
    /// Whether somebody carries the request to the authority and the chain back.
    pub by_hand: bool,
    /// `activation`, `renewal` or `replacement`.
    #[schema(value_type = String)]
    pub purpose: Purpose,
    /// `new`, `asking`, `waiting`, `issued`, `failed` or `withdrawn`.
    #[schema(value_type = String)]
    pub state: OrderState,
    /// The key that is made for it.
    #[schema(value_type = String)]
    pub key: KeyKind,
    /// The batch it was opened in.
    pub batch: Option<i64>,
    /// When it was opened.
    pub since: At,
    /// When the authority is asked next.
    pub next: Option<At>,
    /// When it ended.
    pub ended: Option<At>,
    /// What went wrong the last time, in English.
    pub error: Option<String>,
    /// The same in all languages; words of others are in quotation marks.
    pub errors: Option<Titles>,
}

/// Which orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OrdersShown {
    /// Those that have not ended.
    #[default]
    Open,
    /// Those that failed.
    Failed,
    /// All.
    All,
}

/// Which orders.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct OrderFilter {
    /// `open`, `failed` or `all`; `open` if absent.
    #[param(inline)]
    pub show: OrdersShown,
    /// Only those of this batch, newest first; then `show` tells `failed` from all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<i64>,
}

/// The request of an order that somebody carries to its authority.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderRequest {
    /// The order.
    pub order: i64,
    /// The request (PKCS #10) in PEM; none while its key is not made yet.
    pub csr: Option<String>,
}

/// The chain that an authority gave for an order.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct OrderChain {
    /// PEM: the certificate, then its issuers.
    pub chain: String,
}

/// Orders that were opened together.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderBatch {
    /// Its number.
    pub id: i64,
    /// What it is, in English words.
    pub text: String,
    /// The same in all languages.
    pub texts: Titles,
    /// Who opened it.
    pub who: String,
    /// When.
    pub since: At,
    /// At most so many orders become due in a minute.
    pub per_minute: Option<u32>,
    /// Orders in it.
    pub total: u32,
    /// Those whose certificate is there.
    pub issued: u32,
    /// Those that failed.
    pub failed: u32,
    /// Those that were taken back.
    pub withdrawn: u32,
}

impl OrderBatch {
    /// Orders that have ended.
    pub const fn ended(&self) -> u32 {
        self.issued
            .saturating_add(self.failed)
            .saturating_add(self.withdrawn)
    }

    /// Whether nothing is to be waited for.
    pub const fn is_over(&self) -> bool {
        self.ended() >= self.total
    }
}

/// For which mailboxes new certificates are ordered: those that all given conditions are true of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub struct ReissueChoice {
    /// These, active ones only; all if empty.
    #[schema(value_type = Vec<String>)]
    pub mailboxes: Vec<Address>,
    /// Those whose certificate is of exactly this issuer.
    pub issuer: Option<String>,
    /// Those whose certificate is for this kind of key.
    #[schema(value_type = Option<String>)]
    pub with_key: Option<KeyKind>,
    /// Those whose certificate ends within so many days.
    #[schema(maximum = 36500)]
    pub within: Option<u32>,
    /// All active mailboxes; needed where nothing else is given.
    pub all: bool,
}

/// Orders for the next certificates of many mailboxes.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct Reissue {
    /// Which mailboxes.
    pub choice: ReissueChoice,
    /// The authority to order from; the standard one if none.
    #[serde(default)]
    pub authority: Option<String>,
    /// The key to make: `rsa3072`, `p256` or `p384`; `rsa3072` if none.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub key: Option<KeyKind>,
    /// At most so many orders in a minute, up to 100,000; as fast as it goes if none.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100_000)]
    pub per_minute: Option<u32>,
    /// Whether the present certificates are revoked when the next ones are there.
    #[serde(default)]
    pub revoke: bool,
}

/// What a choice comes to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReissuePreview {
    /// Mailboxes for which a new certificate would be ordered.
    pub mailboxes: u64,
    /// Of their present certificates, those that can be revoked here: uploaded ones only by their issuers.
    pub revocable: u64,
    /// The first of them.
    #[schema(value_type = Vec<String>)]
    pub first: Vec<Address>,
    /// Mailboxes that are named, but not active, or have an order already.
    #[schema(value_type = Vec<String>)]
    pub left_out: Vec<Address>,
}

/// What came of ordering.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reissued {
    /// The batch of the orders; none if there are none.
    pub batch: Option<i64>,
    /// Mailboxes that are chosen; orders for the later ones are opened little by little.
    pub mailboxes: u64,
    /// Of the first five hundred, those that were refused.
    pub refused: Vec<RefusedPart>,
}

/// A revocation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Revocation {
    /// Its number.
    pub id: i64,
    /// The mailbox.
    pub mailbox: String,
    /// Number of the certificate.
    pub certificate: i64,
    /// The certificate's issuer.
    pub issuer: String,
    /// The certificate's serial number, in hexadecimal digits.
    pub serial: String,
    /// Which authority is asked; none if an administrator has to see to it at the issuer (A12).
    pub authority: Option<String>,
    /// `unspecified`, `key-compromise`, `superseded` or `cessation-of-operation`.
    #[schema(value_type = String)]
    pub reason: RevocationReason,
    /// When it was asked for.
    pub since: At,
    /// When its authority is asked next.
    pub next: Option<At>,
    /// When it was confirmed.
    pub confirmed: Option<At>,
    /// What went wrong the last time.
    pub error: Option<String>,
    /// The same in all languages; words of others are in quotation marks.
    pub errors: Option<Titles>,
}

/// Which revocations.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct RevocationFilter {
    /// Those that are confirmed, too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// Whose revocations are confirmed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct ConfirmRevoked {
    /// The mailbox.
    #[schema(value_type = String)]
    pub mailbox: Address,
}

/// Questions and orders about certificates.
#[async_trait]
pub trait Certificates {
    /// One page of the current certificates, those that end first before the others.
    async fn certificates(
        &self,
        who: &Permitted<Read>,
        filter: &CertificateFilter,
        paging: &Paging,
    ) -> Asked<Page<CurrentCertificate>>;

    /// How many end when.
    async fn certificate_counts(&self, who: &Permitted<Read>) -> Asked<CertificateCounts>;

    /// One page of the orders, the newest first.
    async fn certificate_orders(
        &self,
        who: &Permitted<Read>,
        filter: &OrderFilter,
        paging: &Paging,
    ) -> Asked<Page<CertificateOrder>>;

    /// One order.
    async fn certificate_order(&self, who: &Permitted<Read>, id: i64) -> Asked<CertificateOrder>;

    /// Takes an open order back.
    async fn withdraw_order(&self, who: &Permitted<Write>, id: i64) -> Asked<Applied>;

    /// The request of an open order that is carried by hand.
    async fn order_request(&self, who: &Permitted<Read>, id: i64) -> Asked<OrderRequest>;

    /// Hands in the chain for an open order that is carried by hand: PEM or DER.
    async fn hand_in_chain(&self, who: &Permitted<Write>, id: i64, chain: &[u8]) -> Asked<Applied>;

    /// One page of the batches, the newest first.
    async fn order_batches(
        &self,
        who: &Permitted<Read>,
        paging: &Paging,
    ) -> Asked<Page<OrderBatch>>;

    /// One batch.
    async fn order_batch(&self, who: &Permitted<Read>, id: i64) -> Asked<OrderBatch>;

    /// The authorities that orders may go to, the standard one first.
    async fn reissue_authorities(&self, who: &Permitted<Write>) -> Asked<Vec<String>>;

    /// The issuers of the current certificates, the busiest first.
    async fn reissue_issuers(&self, who: &Permitted<Write>) -> Asked<Vec<CertificateIssuer>>;

    /// What a choice for ordering again comes to.
    async fn reissue_preview(
        &self,
        who: &Permitted<Write>,
        choice: &ReissueChoice,
    ) -> Asked<ReissuePreview>;

    /// Orders the next certificates.
    async fn reissue(&self, who: &Permitted<Write>, what: Reissue) -> Asked<Reissued>;

    /// One page of the revocations, the newest first.
    async fn revocations(
        &self,
        who: &Permitted<Read>,
        filter: &RevocationFilter,
        paging: &Paging,
    ) -> Asked<Page<Revocation>>;

    /// Says that the issuers of a mailbox's uploaded certificates have revoked them (A12).
    async fn confirm_revocation(&self, who: &Permitted<Write>, mailbox: Address) -> Asked<Applied>;
}
