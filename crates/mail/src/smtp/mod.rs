//! SMTP dialogues as state machines: bytes in, actions out, no socket (RFC 5321).

pub mod client;
pub mod command;
mod data;
pub mod envelope;
mod received;
mod reply;
pub mod server;

pub use envelope::{Envelope, EnvelopeRecipient, MailParams, Notify, Ret};

/// Proof that a message is stored durably. Only the store makes one, after its commit;
/// the server's `250` after the end of data cannot be said without it.
pub trait Receipt: Send {
    /// What the reply shows the client to name the mail in a log, e.g. `queued as 4f2a`.
    fn queue_id(&self) -> String;
}
