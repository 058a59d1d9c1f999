//! Who uses the portal: users, their sessions, API tokens.

use async_trait::async_trait;
use sealgate_core::permission::{Grants, UserId, Whose};
use sealgate_core::tenant::Language;

use super::Asked;
use crate::view::Notice;

/// A session that is not over.
#[derive(Clone, Debug)]
pub struct Session {
    /// Whose.
    pub user: UserId,
    /// The name that the user signs in with.
    pub name: String,
    /// What the user may do.
    pub grants: Grants,
    /// The language of the pages.
    pub language: Language,
}

/// An API token that is not over.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its name, as the audit log writes it.
    pub name: String,
    /// What it may do.
    pub grants: Grants,
}

/// Questions about accounts. Secrets of sessions and tokens are known to the gateway by their SHA-256 only.
#[async_trait]
pub trait Accounts {
    /// The session with that secret, both factors given. It is in use: its idle time begins anew.
    async fn session(&self, sha256: &[u8; 32]) -> Asked<Option<Session>>;

    /// The API token with that secret.
    async fn token(&self, sha256: &[u8; 32]) -> Asked<Option<Token>>;

    /// The organisation of that name.
    async fn whose(&self, organisation: &str) -> Asked<Option<Whose>>;

    /// Keeps what the next page of that session tells.
    async fn leave_notice(&self, sha256: &[u8; 32], notice: Notice) -> Asked<()>;

    /// What is to be told, once.
    async fn take_notice(&self, sha256: &[u8; 32]) -> Asked<Option<Notice>>;
}
