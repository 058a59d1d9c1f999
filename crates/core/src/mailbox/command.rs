//! What may be asked for, and what may happen, in the life of a mailbox's certificate.

/// A command to one mailbox, or the news of what happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// An inbound route names it (again).
    Add,
    /// An administrator activates it with a certificate of an authority (S36).
    Activate,
    /// An administrator uploads key pairs (S39, S47).
    Upload,
    /// An administrator deactivates it (S40).
    Deactivate,
    /// Its next certificate is to be ordered: ahead of expiry, or for a re-issue (S46).
    Renew,
    /// An administrator takes the open order back.
    Withdraw,
    /// An administrator removes it, or its inbound route.
    Remove,
    /// The authority has issued what was ordered.
    Issued,
    /// The authority will not issue what was ordered.
    OrderFailed,
    /// The last of its revocations is confirmed.
    Revoked,
    /// Revoke pending has lasted its fourteen days (S35).
    WaitedOut,
}

impl Command {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Add,
        Self::Activate,
        Self::Upload,
        Self::Deactivate,
        Self::Renew,
        Self::Withdraw,
        Self::Remove,
        Self::Issued,
        Self::OrderFailed,
        Self::Revoked,
        Self::WaitedOut,
    ];
}
