//! Who uses the portal: users, their sessions, API tokens.

use async_trait::async_trait;
use sealgate_core::permission::{Grants, Role, UserId, Whose};
use sealgate_core::sign_in::{Lock, NewSession};
use sealgate_core::tenant::Language;
use sealgate_mail::Address;
use zeroize::Zeroizing;

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

    /// Keeps what the page at `path` tells in that session the next time.
    async fn leave_notice(&self, sha256: &[u8; 32], path: &str, notice: Notice) -> Asked<()>;

    /// What the page at `path` is to tell, once.
    async fn take_notice(&self, sha256: &[u8; 32], path: &str) -> Asked<Option<Notice>>;
}

/// What is known of somebody who gives a name and a password.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The user.
    pub user: UserId,
    /// The name as the user wrote it first.
    pub name: String,
    /// The hash of the password; none where another server vouches for the user.
    pub password: Option<String>,
    /// Whether a second factor is owed.
    pub second_factor: bool,
    /// Whether signing in is refused.
    pub disabled: bool,
}

/// What an invitation is to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvitedTo {
    /// A role in the organisation of this name.
    Organisation(String, Role),
    /// To work for the reseller of this name.
    Reseller(String),
    /// To run the installation.
    Operator,
    /// A new password.
    Password,
}

/// An invitation that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenInvitation {
    /// Whom.
    pub name: String,
    /// To what.
    pub to: InvitedTo,
}

/// How an invitation is accepted.
#[derive(Clone, Debug)]
pub enum Accepting {
    /// With this hash of a new password, and the language of the pages.
    Password(String, Language),
    /// By a user who is signed in.
    User(UserId),
}

/// Somebody for whom another server vouches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// Who vouches.
    pub issuer: String,
    /// Their name for the user.
    pub subject: String,
    /// The address that they verified.
    pub address: Option<Address>,
}

/// One question to the server that vouches for users.
#[derive(Clone)]
pub struct Question {
    /// Where.
    pub url: String,
    /// A form to be sent, and what goes into the field `Authorization`; without it the page is only fetched.
    pub form: Option<(Zeroizing<String>, Zeroizing<String>)>,
}

/// Questions of somebody who is not signed in yet.
#[async_trait]
pub trait SignIn {
    /// Who has that name.
    async fn credentials(&self, name: &Address) -> Asked<Option<Credentials>>;

    /// Opens a session; false, and none is opened, if what was proven does not hold any more.
    async fn open_session(&self, new: NewSession) -> Asked<bool>;

    /// Tells the organisations of the account of that name, if there is one, that its sign-ins are refused for a while.
    async fn told_locked(&self, name: &Address, lock: Lock) -> Asked<()>;

    /// The session with that secret of which the second factor is owed.
    async fn half_session(&self, sha256: &[u8; 32]) -> Asked<Option<Session>>;

    /// Ends the session with that secret.
    async fn end_session(&self, sha256: &[u8; 32]) -> Asked<()>;

    /// The secret of a user's one-time codes.
    async fn one_time_secret(&self, user: UserId) -> Asked<Option<Zeroizing<Vec<u8>>>>;

    /// Counts the code of that step as used; false if it, or a later one, was used before.
    async fn use_step(&self, user: UserId, step: i64) -> Asked<bool>;

    /// Uses up the recovery code with that hash; false if there is none such.
    async fn use_recovery_code(&self, session: &Session, sha256: [u8; 32]) -> Asked<bool>;

    /// The open invitation with that secret.
    async fn invitation(&self, sha256: &[u8; 32]) -> Asked<Option<OpenInvitation>>;

    /// Accepts it, which ends it.
    async fn accept_invitation(&self, sha256: [u8; 32], how: Accepting) -> Asked<UserId>;

    /// Asks the server that vouches for users; the error is why there is no good answer.
    async fn ask_issuer(&self, question: Question) -> Result<Vec<u8>, String>;

    /// The user for whom somebody vouches; made, if the address was invited and nobody has an account of that name.
    async fn vouched(&self, who: Vouched, language: Language) -> Asked<Option<Credentials>>;
}
