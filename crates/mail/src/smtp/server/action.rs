//! What the server is set up with, and what it asks its driver to do.

use crate::smtp::{Envelope, EnvelopeRecipient, MailParams};
use crate::{Domain, ReversePath};

/// Which of the two doors a mail comes in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Listener {
    /// From anyone, to our inbound routes.
    Inbound,
    /// From proven sending clients, to anyone.
    Outbound,
}

/// The TLS of a session, as trace fields and the journal name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFacts {
    /// Protocol version, e.g. `TLSv1.3`.
    pub version: String,
    /// Cipher suite, e.g. `TLS_AES_256_GCM_SHA384`.
    pub cipher: String,
}

/// What the server offers.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Our own name, in greeting and EHLO; a bare `postmaster` is at this domain.
    pub hostname: Domain,
    /// Which listener the session came in by.
    pub listener: Listener,
    /// Greatest size of a mail in octets (RFC 1870).
    pub size_limit: u64,
    /// Whether STARTTLS is offered (RFC 3207).
    pub starttls: bool,
    /// Whether AUTH is offered, under TLS only (RFC 4954).
    pub auth: bool,
    /// Whether MAIL is refused until the client is proven, by AUTH or by [`Server::set_proven`](super::Server::set_proven).
    pub auth_required: bool,
    /// Whether SMTPUTF8 is offered (RFC 6531).
    pub smtputf8: bool,
}

/// A password, or a response that holds one, as the client sent it; its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The password itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// What the driver has to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Action<'i> {
    /// Write out the output; then come back with the unused input, or if there is none, with more.
    Continue,
    /// Check the credentials; [`Server::answer`](super::Server::answer).
    Authenticate {
        /// User name.
        user: String,
        /// Password.
        password: Password,
    },
    /// May this sender start a mail? [`Server::answer`](super::Server::answer).
    Mail(ReversePath, MailParams),
    /// May this recipient be added to [`Server::envelope`](super::Server::envelope)? [`Server::answer`](super::Server::answer).
    Rcpt(EnvelopeRecipient),
    /// Make a place for the content of [`Server::envelope`](super::Server::envelope); [`Server::answer`](super::Server::answer).
    BeginData,
    /// Append this to the content.
    Content(&'i [u8]),
    /// Forget the content: it will be refused at its end.
    DropContent,
    /// The mail is complete: store it, then [`Server::accepted`](super::Server::accepted) or [`Server::refused`](super::Server::refused).
    EndOfData(Envelope),
    /// Write out the output, do the handshake on the bare connection, then [`Server::tls_started`](super::Server::tls_started).
    StartTls {
        /// Octets the client sent behind STARTTLS; they were thrown away (RFC 3207 section 4.2, section 6).
        discarded: usize,
    },
    /// Write out the output and close the connection; forget the content if there is one.
    Close,
}
