//! What a sign-in leads to: a session, or a lock. The portal judges what somebody proves, the store what of it still holds.

use crate::permission::UserId;

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Whose.
    pub user: UserId,
    /// SHA-256 of its secret.
    pub sha256: [u8; 32],
    /// Whether nothing is owed any more; else it is the second factor.
    pub complete: bool,
    /// What the browser calls itself.
    pub agent: String,
    /// Where it is.
    pub address: String,
    /// The session that it takes the place of.
    pub replaces: Option<[u8; 32]>,
    /// What was proven; it must hold still when the session is opened.
    pub proven: Proven,
}

/// What somebody proved who gets a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proven {
    /// To know the password of which this is the hash.
    Password(String),
    /// To be somebody for whom another server vouches.
    Vouched,
    /// To have the session with the secret of this SHA-256, whole or with the second factor owed.
    Session([u8; 32]),
}

/// Sign-ins of an account that are refused for a while, after too many failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Whether it is about the second factor; else about the password.
    pub second_factor: bool,
    /// Where the last failure came from.
    pub address: String,
    /// Seconds until the next try is taken.
    pub seconds: i64,
}
