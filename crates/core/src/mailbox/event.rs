//! What happens to a mailbox. Whoever carries an event out does its part beside the state: opens the order, queues the
//! revocations, makes keys current.

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// An order for its first certificate is opened.
    ActivationOrdered,
    /// The order for its first certificate ended without one.
    ActivationEnded,
    /// It has a certificate and signs from now on.
    Activated,
    /// An order for its next certificate is opened; the present one goes on.
    RenewalOrdered,
    /// The next certificate is there: it signs from now on, the former one only decrypts.
    Renewed,
    /// The order for its next certificate ended without one; the present one goes on.
    OrderEnded,
    /// Uploaded pairs take the place of the present ones.
    Replaced,
    /// It signs no more, and its certificates are to be revoked (S49, A12).
    Deactivated,
    /// Its licence is free (S35); keys stay for decryption (A9).
    Ended,
    /// A certificate came that nobody waits for: it is to be revoked.
    SurplusIssued,
    /// No route names it any more.
    Hidden,
    /// A route names it again.
    Shown,
}
