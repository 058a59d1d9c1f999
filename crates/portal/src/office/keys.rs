//! Correspondents' public keys: list, review, import (requirements.md S83 to S88, spec.md section 5).

use async_trait::async_trait;
use sealgate_core::harvest::Choice;
use sealgate_core::tenant::Origin;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Asked, At, Page, Paging, RefusedPart, empty_is_none};
use crate::auth::{Permitted, Read, Write};
use crate::problem::Titles;

/// Whether a key is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// Encrypted to.
    Preferred,
    /// Valid, but another is preferred.
    Additional,
    /// From another issuer than the preferred one: waits for somebody to look at it, or for the end of the preferred one.
    New,
    /// Unused until it is known that it is not revoked.
    Pending,
    /// Never used.
    Blocked,
    /// Past its end.
    Expired,
}

impl KeyState {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::New,
        Self::Preferred,
        Self::Additional,
        Self::Pending,
        Self::Blocked,
        Self::Expired,
    ];

    /// The word of filters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preferred => "preferred",
            Self::Additional => "additional",
            Self::New => "new",
            Self::Pending => "pending",
            Self::Blocked => "blocked",
            Self::Expired => "expired",
        }
    }
}

/// A correspondent's key, as the list shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PublicKey {
    /// Its number.
    pub id: i64,
    /// The external address it is for.
    pub address: String,
    /// Whether it is used.
    pub state: KeyState,
    /// Whether it is used whatever else turns up.
    pub pinned: bool,
    /// Where it came from: `manual`, `harvested`, `ldap`, `smimea`.
    #[schema(value_type = String)]
    pub origin: Origin,
    /// The directory or DNS that has it.
    pub source: Option<String>,
    /// The signed mail it was learned from.
    pub mail: Option<KeyMail>,
    /// Whose certificate it is.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Start of its validity.
    pub from: At,
    /// End of its validity.
    pub until: At,
    /// Since when it is known.
    pub added: At,
}

/// The mail that a key was learned from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeyMail {
    /// The mail.
    pub mail: String,
    /// When it came, if the journal still knows it.
    pub at: Option<At>,
    /// Its From, if the journal still knows it.
    pub from: Option<String>,
    /// Its Message-ID, if the journal still knows it.
    pub message_id: Option<String>,
}

/// A correspondent's key with all that is known of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeyDetail {
    /// The key.
    #[serde(flatten)]
    pub key: PublicKey,
    /// Whether the next mail to its address is encrypted to it.
    pub used_now: bool,
    /// Serial number of its certificate, in hexadecimal digits.
    pub serial: String,
    /// SHA-256 of its certificate, in hexadecimal digits.
    pub sha256: String,
    /// Kind of the key, such as `RSA 3072`.
    pub kind: String,
    /// Policies of the certificate, as object identifiers.
    pub policies: Vec<String>,
    /// Its issuers up to the trust root, as they were judged when it was learned.
    pub chain: Vec<KeyIssuer>,
    /// What its owner announced that it reads, and when.
    pub announced: Option<KeyAnnouncement>,
    /// When it is asked again whether it was revoked.
    pub asked_again: Option<At>,
    /// Other keys of its address.
    pub others: Vec<PublicKey>,
    /// The last events about keys of its address, newest first.
    pub events: Vec<KeyEvent>,
}

/// One issuer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeyIssuer {
    /// Its name.
    pub subject: String,
    /// SHA-256 of its certificate, in hexadecimal digits.
    pub sha256: String,
}

/// What an owner announced.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeyAnnouncement {
    /// When.
    pub at: At,
    /// Names of the algorithms it reads, preferred ones first.
    pub reads: Vec<String>,
}

/// What happened to keys of an address.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeyEvent {
    /// When.
    pub at: At,
    /// What, in one plain line of English.
    pub text: String,
    /// The same in all languages.
    pub texts: Titles,
}

/// Which keys.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct KeyFilter {
    /// Whose address holds this text.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "empty_is_none"
    )]
    pub search: Option<String>,
    /// In this state: `new`, `preferred`, `additional`, `pending`, `blocked`, `expired`.
    #[serde(
        deserialize_with = "empty_is_none",
        skip_serializing_if = "Option::is_none"
    )]
    #[param(value_type = Option<String>)]
    pub state: Option<KeyState>,
    /// From there: `manual`, `harvested`, `ldap`, `smimea`.
    #[serde(
        deserialize_with = "empty_is_none",
        skip_serializing_if = "Option::is_none"
    )]
    #[param(value_type = Option<String>)]
    pub origin: Option<Origin>,
    /// Only pinned ones.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[param(value_type = Option<bool>)]
    pub pinned: bool,
}

/// How many keys there are.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct KeyCounts {
    /// All.
    pub all: u64,
    /// Those that wait for somebody to look at them.
    pub new: u64,
}

/// A certificate in a file that is to be imported.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OfferedKey {
    /// In PEM form.
    pub pem: String,
    /// Whose it is.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// The addresses it is for.
    pub addresses: Vec<String>,
    /// Start of its validity.
    pub from: At,
    /// End of its validity.
    pub until: At,
    /// SHA-256 of the certificate, in hexadecimal digits.
    pub sha256: String,
    /// Why it cannot be imported (S86); none if it can.
    pub refusal: Option<ImportProblem>,
    /// Whether it leads to an authority that this organisation trusts; who imports a key vouches for it.
    pub trusted: bool,
    /// Whether it is valid now.
    pub valid: bool,
}

/// Why a certificate cannot be imported (S86, A20).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImportProblem {
    /// It names no e-mail address.
    NoAddress,
    /// It is made for a domain.
    Domain,
    /// It is an authority's.
    Authority,
    /// It is for another purpose than e-mail.
    Purpose,
    /// Its key may not be used to encrypt.
    Usage,
    /// Its key is too weak, or of a kind that cannot be encrypted to.
    Weak,
}

/// Keys to import.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct ImportKeysBody {
    /// Certificates in PEM; all that can be imported are.
    pub certificates: String,
}

/// What an administrator chooses for keys.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct ChooseKeys {
    /// Numbers of the keys.
    pub keys: Vec<i64>,
    /// `approve`, `prefer`, `pin`, `unpin`, `block`, `unblock`.
    #[schema(value_type = String)]
    pub choice: Choice,
}

/// What came of it.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct KeysDone {
    /// How many were done.
    pub done: usize,
    /// What was refused, and why.
    pub refused: Vec<RefusedPart>,
}

/// Questions and orders about correspondents' keys.
#[async_trait]
pub trait Keys {
    /// One page of the list, in the order of addresses.
    async fn keys(
        &self,
        who: &Permitted<Read>,
        filter: &KeyFilter,
        paging: &Paging,
    ) -> Asked<Page<PublicKey>>;

    /// How many there are.
    async fn key_counts(&self, who: &Permitted<Read>) -> Asked<KeyCounts>;

    /// One with all that is known of it.
    async fn key(&self, who: &Permitted<Read>, id: i64) -> Asked<KeyDetail>;

    /// What is in a file: PEM, DER or PKCS #7. Nothing is imported.
    async fn offered_keys(&self, who: &Permitted<Write>, file: &[u8]) -> Asked<Vec<OfferedKey>>;

    /// Imports the certificates of a file (S85); names those that cannot be imported.
    async fn import_keys(&self, who: &Permitted<Write>, file: &[u8]) -> Asked<KeysDone>;

    /// An administrator's choice; names the keys it cannot be done with.
    async fn choose_keys(&self, who: &Permitted<Write>, chosen: &ChooseKeys) -> Asked<KeysDone>;

    /// Removes a key that was imported.
    async fn remove_key(&self, who: &Permitted<Write>, id: i64) -> Asked<()>;
}
