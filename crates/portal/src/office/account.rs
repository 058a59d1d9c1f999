//! One's own account: password, language, second factor, sessions.

use async_trait::async_trait;
use sealgate_core::tenant::Language;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{Asked, At};
use crate::auth::{Oneself, Permitted};

/// Who asks, and what they may do.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnAccount {
    /// The name, as the audit log writes it.
    pub name: String,
    /// Whether an API token asks; what follows its grants is then empty.
    pub is_token: bool,
    /// Whether the installation is theirs to run.
    pub operator: bool,
    /// Whether they work for a reseller.
    pub reseller: bool,
    /// Language of the pages.
    #[schema(value_type = Option<String>)]
    pub language: Option<Language>,
    /// Whether there is a password here.
    pub has_password: bool,
    /// Whether another server vouches for them.
    pub is_foreign: bool,
    /// Whether there is a second factor.
    pub has_second_factor: bool,
    /// Recovery codes that are left.
    pub recovery_codes: u64,
}

/// A session of one's own.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnSession {
    /// Its number.
    pub id: i64,
    /// When it began.
    pub created: At,
    /// When it was last used, to the minute.
    pub seen: At,
    /// What the browser calls itself.
    pub agent: String,
    /// Where it was when it began.
    pub address: String,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// A password to be changed.
#[derive(Clone, Deserialize, ToSchema)]
pub struct PasswordChange {
    /// The one that is in force.
    #[serde(default)]
    pub current: String,
    /// The one that comes: 12 characters or more.
    pub new: String,
}

/// The password that is in force, to prove who asks.
#[derive(Clone, Deserialize, ToSchema)]
pub struct Proof {
    /// The password; empty where there is none.
    #[serde(default)]
    pub password: String,
}

/// A language to be set.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct LanguageChange {
    /// `de` or `en`.
    #[schema(value_type = String)]
    pub language: Language,
}

/// A one-time code.
#[derive(Clone, Deserialize, ToSchema)]
pub struct OneTimeCode {
    /// Six digits.
    pub code: String,
}

/// A second factor that waits for its first code.
#[derive(Clone, Serialize, ToSchema)]
pub struct BegunSecondFactor {
    /// The key, in base32, as people type it.
    pub key: String,
    /// The key as authenticator apps read it from a picture.
    pub address: String,
}

/// Recovery codes, shown once.
#[derive(Clone, Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Each works once.
    pub codes: Vec<String>,
}

/// Questions and orders about one's own account. A token has none.
#[async_trait]
pub trait Account {
    /// Who asks.
    async fn own_account(&self, who: &Permitted<Oneself>) -> Asked<OwnAccount>;

    /// The hash of the password.
    async fn own_password(&self, who: &Permitted<Oneself>) -> Asked<Option<String>>;

    /// Sets the hash of a new password; all other sessions end.
    async fn set_own_password(&self, who: &Permitted<Oneself>, hash: String) -> Asked<()>;

    /// Sets the language of the pages.
    async fn set_own_language(&self, who: &Permitted<Oneself>, language: Language) -> Asked<()>;

    /// Keeps a secret that waits for its first code.
    async fn begin_second_factor(&self, who: &Permitted<Oneself>, secret: &[u8]) -> Asked<()>;

    /// The secret that waits for its first code.
    async fn begun_second_factor(
        &self,
        who: &Permitted<Oneself>,
    ) -> Asked<Option<Zeroizing<Vec<u8>>>>;

    /// Its first code came, of `step`: it is the second factor now, with new recovery codes; all other sessions end.
    async fn confirm_second_factor(
        &self,
        who: &Permitted<Oneself>,
        secret: Zeroizing<Vec<u8>>,
        step: i64,
        codes: Vec<[u8; 32]>,
    ) -> Asked<()>;

    /// Takes the second factor away; all other sessions end.
    async fn remove_own_second_factor(&self, who: &Permitted<Oneself>) -> Asked<()>;

    /// New recovery codes in place of the former ones.
    async fn replace_own_recovery_codes(
        &self,
        who: &Permitted<Oneself>,
        codes: Vec<[u8; 32]>,
    ) -> Asked<()>;

    /// The sessions that are not over, the one used last first.
    async fn own_sessions(&self, who: &Permitted<Oneself>) -> Asked<Vec<OwnSession>>;

    /// Ends one of them.
    async fn end_own_session(&self, who: &Permitted<Oneself>, id: i64) -> Asked<()>;

    /// Ends all but this one.
    async fn end_other_sessions(&self, who: &Permitted<Oneself>) -> Asked<()>;
}
