//! Authorities that certify the keys of managed mailboxes, one file each behind one trait of three verbs.

use std::future::Future;
use std::pin::Pin;

use sealgate_core::authority::{AuthorityFailure, Progress, Revoked, ToRevoke, Wanted};

pub mod acme;
pub mod builtin;
pub mod by_hand;
pub mod command;
pub mod publish;

/// What a verb gives when it is done.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = Result<T, AuthorityFailure>> + Send + 'a>>;

/// A failure of this gateway, not of an authority. Its reason goes to the log only: it may name files of the machine.
pub fn ours(reason: impl std::fmt::Display) -> AuthorityFailure {
    tracing::warn!(%reason, "an authority cannot be asked now");
    AuthorityFailure::ours()
}

/// A connector. Each verb may be asked again with the same argument after a crash, and ends within the connector's own
/// limits of time.
pub trait Authority: Send + Sync {
    /// Requests a certificate. Whoever asks has made the order durable before, and asks [`Authority::collect`] first where he
    /// cannot know whether it was requested already.
    fn request<'a>(&'a self, wanted: &'a Wanted) -> Answering<'a, Progress>;

    /// How far a requested order is; [`Progress::Unknown`] if the authority never heard of it.
    fn collect<'a>(&'a self, wanted: &'a Wanted) -> Answering<'a, Progress>;

    /// Has a certificate revoked.
    fn revoke<'a>(&'a self, what: &'a ToRevoke) -> Answering<'a, Revoked>;
}
