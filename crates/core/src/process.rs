//! What becomes of a mail's bytes: outgoing copies, made of whole messages only, one for each set of recipients with the
//! same outcome.
//!
//! Nothing untouched is rewritten: a copy that goes as it came is a new head and the stored body at its offset.

mod inbound;
mod open;
mod outbound;
mod remote;
mod tags;

use std::io;
use std::sync::Arc;

use sealgate_mail::message::MessageError;
use sealgate_mail::smtp::MailParams;
use sealgate_mail::{EnhancedStatus, Message, Reply, ReversePath, Source};
use sealgate_smime::encrypt::EncryptError;
use sealgate_smime::key::KeyError;
use sealgate_smime::sign::SignError;

use crate::failure;
use crate::ports::{Shelf, StoredContent};
use crate::queue::Body;

pub use inbound::{InboundRecipient, InboundWork, as_it_came, inbound, inbound_plain};
pub use open::{Compression, Layer, OpenInput, Opened, open};
pub use outbound::{OutboundRecipient, OutboundWork, outbound};
pub use remote::neutralise;

/// A received mail, as both directions begin with it.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// Its content as it came.
    pub content: &'a Arc<dyn StoredContent>,
    /// Envelope sender.
    pub from: &'a ReversePath,
    /// Parameters of MAIL FROM.
    pub params: &'a MailParams,
    /// Fields to stand on top of every copy, each ended by CRLF: Received and the mark against loops.
    pub prepend: &'a str,
}

/// Why no copies were made. Nothing of the mail is sent then.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The mail is beyond a limit. Blame: the sender.
    #[error("{0}")]
    Message(String),
    /// A key or certificate failed. Blame: an administrator.
    #[error("{0}")]
    Key(String),
    /// The token that holds a key is away. Blame: us, for now; nothing goes out without what it must have.
    #[error("{0}")]
    TokenAway(KeyError),
    /// Our own storage failed.
    #[error(transparent)]
    Io(io::Error),
}

impl ProcessError {
    /// The reply, where there was no 250 yet.
    pub fn reply(&self) -> Reply {
        match self {
            Self::Message(text) => Reply::new(554, EnhancedStatus(5, 6, 0), text),
            // RFC 3463 section 3.8: X.7.5, a key was not available or invalid.
            Self::Key(text) => {
                let text = format!("cannot be signed or encrypted, ask your administrator: {text}");
                Reply::new(550, EnhancedStatus(5, 7, 5), &text)
            }
            Self::TokenAway(_) | Self::Io(_) => failure::unavailable(),
        }
    }
}

impl From<io::Error> for ProcessError {
    fn from(error: io::Error) -> Self {
        match error.downcast::<KeyError>() {
            Ok(away) if away.is_of_token() => Self::TokenAway(away),
            Ok(other) => Self::Key(other.to_string()),
            Err(error) => Self::Io(error),
        }
    }
}

impl From<MessageError> for ProcessError {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::Io(error) => error.into(),
            other => Self::Message(other.to_string()),
        }
    }
}

impl From<SignError> for ProcessError {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Io(error) => error.into(),
            SignError::Key(away) if away.is_of_token() => Self::TokenAway(away),
            other => Self::Key(other.to_string()),
        }
    }
}

impl From<EncryptError> for ProcessError {
    fn from(error: EncryptError) -> Self {
        match error {
            EncryptError::Io(error) => error.into(),
            other => Self::Key(other.to_string()),
        }
    }
}

/// The body where it lies.
fn original_body(received: Received<'_>, message: &Message<'_>) -> Body {
    Body {
        content: Arc::clone(received.content),
        from: message.body_start(),
    }
}

/// SIZE is told anew by whoever sends the copy.
fn without_size(params: &MailParams) -> MailParams {
    MailParams {
        size: None,
        ..params.clone()
    }
}

/// A header block with its blank line; each piece is whole fields.
fn head(pieces: &[&[u8]]) -> Vec<u8> {
    let mut head = Vec::with_capacity(pieces.iter().map(|piece| piece.len()).sum());
    for piece in pieces {
        head.extend_from_slice(piece);
        if !piece.is_empty() && !piece.ends_with(b"\n") {
            head.extend_from_slice(b"\r\n");
        }
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// A new content of what `source` writes.
fn shelve(shelf: &dyn Shelf, source: &dyn Source) -> io::Result<Arc<dyn StoredContent>> {
    let mut draft = shelf.create()?;
    source.write_to(&mut draft)?;
    draft.finish()
}

#[cfg(test)]
mod tests;
