//! What can go wrong while reading CMS, by blame: the sender's octets, a limit of ours, or our own input and output.

use crate::asn1::Asn1Error;
use std::io;

/// The octets are not what the standard asks for. Blame: whoever made the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("malformed: {0}")]
pub struct Malformed(pub &'static str);

/// A limit of `limits.rs` was reached. Blame: whoever made the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("more than this gateway reads: {0}")]
pub struct LimitReached(pub &'static str);

/// Why reading a CMS object stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The sender's octets are wrong or cut short.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The sender's object is larger, deeper or has more pieces than is read.
    #[error(transparent)]
    Limit(#[from] LimitReached),
    /// Our own reading or writing failed; says nothing about the message.
    #[error(transparent)]
    Io(io::Error),
}

impl ReadError {
    /// Shorthand for a [`Malformed`].
    pub const fn malformed(what: &'static str) -> Self {
        Self::Malformed(Malformed(what))
    }

    /// Shorthand for a [`LimitReached`].
    pub const fn limit(what: &'static str) -> Self {
        Self::Limit(LimitReached(what))
    }

    /// Splits off our own failures: `Ok` is a judgement on the message, `Err` is not.
    pub fn blame_sender(self) -> io::Result<Fault> {
        match self {
            Self::Malformed(malformed) => Ok(Fault::Malformed(malformed)),
            Self::Limit(limit) => Ok(Fault::Limit(limit)),
            Self::Io(error) => Err(error),
        }
    }
}

/// What is wrong with a message, never with us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// See [`Malformed`].
    #[error(transparent)]
    Malformed(Malformed),
    /// See [`LimitReached`].
    #[error(transparent)]
    Limit(LimitReached),
}

/// The decoders of the `mail` crate report junk in the transfer encoding as `InvalidData`; a short input is the
/// sender's fault too. Failures of the underlying storage never carry these kinds, see [`crate::cms`].
impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData => Self::malformed("the transfer encoding"),
            io::ErrorKind::UnexpectedEof => Self::malformed("cut short"),
            _ => Self::Io(error),
        }
    }
}

impl From<Asn1Error> for ReadError {
    fn from(error: Asn1Error) -> Self {
        Self::malformed(error.0)
    }
}
