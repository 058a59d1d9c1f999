//! What a session is told, what it tells its driver, and how it can end.

use std::fmt;

use crate::{Domain, EnhancedStatus, Reply};

/// How a session is to be held.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Our name in EHLO and HELO.
    pub helo: Domain,
    /// When TLS is started.
    pub starttls: StartTls,
    /// SMTP AUTH: without it no mail is handed over, and it is only ever sent under TLS.
    pub credentials: Option<Credentials>,
}

/// When TLS is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartTls {
    /// Never: an earlier handshake with this peer failed and plain text is allowed.
    Never,
    /// If the peer offers it.
    IfOffered,
    /// Always: no mail is handed over without it.
    Required,
}

/// User name and password for SMTP AUTH.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, ...)", self.user)
    }
}

/// What the driver does next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Write these octets.
    Send(Vec<u8>),
    /// Read; the peer owes the reply to this command.
    Read(Command),
    /// Make the TLS handshake.
    StartTls,
    /// The session is open and no mail is under way.
    Ready,
    /// Write the content.
    SendContent,
    /// One mail is done: an answer for each recipient, in the envelope's order.
    Finished(Vec<Answer>),
    /// Close the connection. `None` after QUIT.
    Over(Option<SessionFailure>),
}

/// What a reply answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// The connection itself.
    Greeting,
    /// EHLO.
    Ehlo,
    /// HELO, after EHLO was not understood.
    Helo,
    /// STARTTLS.
    StartTls,
    /// AUTH PLAIN, or the password of AUTH LOGIN.
    Auth,
    /// AUTH LOGIN: the peer asks for the user name.
    AuthUser,
    /// AUTH LOGIN: the peer asks for the password.
    AuthPassword,
    /// MAIL FROM.
    Mail,
    /// RCPT TO for the recipient of this index.
    Rcpt(usize),
    /// DATA.
    Data,
    /// The final dot.
    EndOfData,
    /// RSET.
    Reset,
    /// QUIT.
    Quit,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greeting => "the connection",
            Self::Ehlo => "EHLO",
            Self::Helo => "HELO",
            Self::StartTls => "STARTTLS",
            Self::Auth | Self::AuthUser | Self::AuthPassword => "AUTH",
            Self::Mail => "MAIL FROM",
            Self::Rcpt(_) => "RCPT TO",
            Self::Data => "DATA",
            Self::EndOfData => "the end of data",
            Self::Reset => "RSET",
            Self::Quit => "QUIT",
        })
    }
}

/// What became of one mail for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The peer took responsibility; for a probe: would take mail for it.
    Accepted(Reply),
    /// The peer said no, with a 4xx or a 5xx.
    Refused {
        /// To which command.
        at: Command,
        /// Its words.
        reply: Reply,
    },
    /// The session ended before the content was handed over.
    Failed(SessionFailure),
    /// The session ended after the final dot and before its reply: the peer may have the mail.
    Unknown(SessionFailure),
}

/// How a connection was lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The peer closed it.
    #[error("the peer closed the connection")]
    Closed,
    /// The peer took too long.
    #[error("the peer does not answer")]
    Silent,
    /// The whole mail took too long.
    #[error("the mail takes too long")]
    Late,
    /// The peer did not take our octets.
    #[error("the peer does not take our octets")]
    Stuck,
    /// It broke, in the words of the operating system or of TLS.
    #[error("{0}")]
    Broken(String),
}

/// Why a session ended early. None of these says anything about a recipient: another try may go well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionFailure {
    /// The peer does not serve us.
    #[error("the peer answered {at} with: {reply}")]
    Refused {
        /// To which command.
        at: Command,
        /// Its words.
        reply: Reply,
    },
    /// The peer ends the session (RFC 5321 section 3.8: 421 may answer any command).
    #[error("the peer closed the session with: {0}")]
    Closing(Reply),
    /// The peer broke the protocol.
    #[error("the peer broke the protocol: {0}")]
    Protocol(&'static str),
    /// TLS is required and not to be had.
    #[error("TLS is required and the peer does not offer it")]
    NoTls,
    /// SMTP AUTH is set, and there is no TLS or no mechanism we know.
    #[error("the peer offers no AUTH PLAIN or LOGIN under TLS")]
    NoAuth,
    /// The connection broke, or the peer took too long.
    #[error("connection lost: {0}")]
    Connection(Lost),
    /// Our own store did not give the content.
    #[error("the content cannot be read: {0}")]
    Content(String),
}

/// What must be known of a mail before MAIL FROM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailFacts {
    /// Octets of the content.
    pub size: u64,
    /// Whether the content needs 8BITMIME (RFC 6152).
    pub eight_bit: bool,
    /// Whether header or envelope needs SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
}

/// Why a mail cannot be handed to this peer at all; the peer was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Larger than the peer's SIZE (RFC 1870 section 6.1).
    #[error("the mail is larger than the {0} octets the peer takes")]
    TooLarge(u64),
    /// Eight-bit content, and the peer has no 8BITMIME (RFC 6152 section 3).
    #[error("the mail has eight-bit content and the peer does not offer 8BITMIME")]
    EightBit,
    /// Addresses or headers in UTF-8, and the peer has no SMTPUTF8 (RFC 6531 section 3.2).
    #[error("the mail needs SMTPUTF8 and the peer does not offer it")]
    Utf8,
    /// An address with control characters: it would end the command line.
    #[error("an address cannot be written in a command")]
    Address,
}

impl Unfit {
    /// The status for a report (RFC 3463 section 3.4, 3.7; RFC 6531 section 3.5 by way of RFC 5248).
    pub fn status(self) -> EnhancedStatus {
        match self {
            Self::TooLarge(_) => EnhancedStatus(5, 3, 4),
            Self::EightBit => EnhancedStatus(5, 6, 3),
            Self::Utf8 => EnhancedStatus(5, 6, 7),
            Self::Address => EnhancedStatus(5, 1, 3),
        }
    }
}
