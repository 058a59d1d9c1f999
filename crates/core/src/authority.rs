//! Authorities: which connectors there are, what each is told, and what is said between the gateway and one of them.
//!
//! A connector knows three verbs: request, collect, revoke (spec.md section 1). What they are asked and what they answer is
//! plain data here; `net::ca` has one file for each connector, and [`crate::order`] decides what an answer makes of an order.

use sealgate_mail::{Address, Timestamp};
use sealgate_smime::certificate::Certificate;
use serde::{Deserialize, Serialize};

use crate::saying::{Authorities, Saying};

/// Number of an authority in the store. A change of its settings makes a new number, so that what the former settings issued
/// can still be revoked with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthorityId(pub i64);

/// Number of an order in the store; a connector may show it to its authority, so that one order is known as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(pub i64);

/// The name of the built-in CA; every organisation has it.
pub const BUILT_IN: &str = "built-in";

/// An authority of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Its number.
    pub id: AuthorityId,
    /// Its name, unique in the organisation.
    pub name: String,
    /// Whether orders go there unless another is named.
    pub standard: bool,
    /// Days before the end of a certificate when the next one is ordered.
    pub renew_days: u32,
    /// How it is spoken to.
    pub connector: Connector,
}

/// How an authority is spoken to. Holds secrets: the store seals it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Connector {
    /// The CA of this installation.
    BuiltIn,
    /// ACME with email-reply-00 (RFC 8555, RFC 8823).
    Acme(AcmeSettings),
    /// A program of the operator.
    Command(CommandSettings),
    /// An administrator carries the request to the authority and the chain back.
    ByHand,
}

impl Connector {
    /// The word for it, as files and answers have it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::BuiltIn => "built-in",
            Self::Acme(_) => "acme",
            Self::Command(_) => "command",
            Self::ByHand => "by-hand",
        }
    }
}

/// What is known of an ACME server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AcmeSettings {
    /// URL of its directory (RFC 8555 section 7.1.1).
    pub directory: String,
    /// Contact addresses of the account.
    #[serde(default)]
    pub contact: Vec<Address>,
    /// Identifier and key (base64url) of an external account (RFC 8555 section 7.3.4).
    #[serde(default)]
    pub external_account: Option<(String, String)>,
    /// The account's key: PKCS#8 in base64.
    pub account_key: String,
    /// Roots for its TLS certificate, PEM; Mozilla's if absent.
    #[serde(default)]
    pub tls_roots: Option<String>,
    /// Whether a challenge mail counts without a DKIM or S/MIME signature (RFC 8823 section 3.1 asks for one).
    #[serde(default)]
    pub unsigned_challenges: bool,
}

impl std::fmt::Debug for AcmeSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AcmeSettings({})", self.directory)
    }
}

/// What is known of an external command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CommandSettings {
    /// Path of the program.
    pub program: String,
    /// Arguments before the verb.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Seconds it may take for one verb.
    pub timeout: i64,
}

/// A certificate that is wanted for one mailbox.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The order.
    pub order: OrderId,
    /// The mailbox.
    pub address: Address,
    /// The request: PKCS#10 in DER (RFC 2986), with the public key and the address.
    pub csr: Vec<u8>,
    /// The public key: SubjectPublicKeyInfo in DER.
    pub spki: Vec<u8>,
    /// What the connector said of the order the last time: its own notes, opaque to all others.
    pub handle: Option<String>,
    /// Whether the mail that answers this order's challenge has been delivered (ACME).
    pub answered: bool,
    /// The time.
    pub now: Timestamp,
}

/// How far an order is at its authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is issued: the certificate, then its issuers without the root.
    Issued(Vec<Certificate>),
    /// It is under way.
    Waiting {
        /// The connector's notes for the next time.
        handle: String,
        /// Ask again after so many seconds; an event may ask earlier.
        again_in: i64,
    },
    /// The authority has no such order: nothing was requested, or it is gone.
    Unknown,
}

/// A certificate that is to be revoked.
#[derive(Clone, Debug)]
pub struct ToRevoke {
    /// The certificate.
    pub certificate: Certificate,
    /// Its issuers, as kept with the key.
    pub chain: Vec<Certificate>,
    /// The connector's notes of the order that it came from.
    pub handle: Option<String>,
    /// Why.
    pub reason: RevocationReason,
    /// The time.
    pub now: Timestamp,
}

/// Why a certificate is revoked (RFC 5280 section 5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationReason {
    /// No reason is given.
    Unspecified,
    /// Its key may be known to others.
    KeyCompromise,
    /// Another certificate takes its place.
    Superseded,
    /// The mailbox was deactivated.
    CessationOfOperation,
}

impl RevocationReason {
    /// CRLReason.
    pub const fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
        }
    }
}

/// What an authority says to a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// It is revoked, or was before.
    Confirmed,
    /// It will be; ask again.
    Waiting,
}

/// Why an authority did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{said}")]
pub struct AuthorityFailure {
    /// Whether asking again is of no use: the order is refused.
    pub permanent: bool,
    /// Ask again not before so many seconds, if the authority said so.
    pub retry_after: Option<i64>,
    /// In words, one line, for an administrator.
    pub said: Saying,
}

impl AuthorityFailure {
    /// One after which the same is asked again later.
    pub fn passing(said: impl Into<Saying>) -> Self {
        Self {
            permanent: false,
            retry_after: None,
            said: said.into(),
        }
    }

    /// One that ends the order.
    pub fn permanent(said: impl Into<Saying>) -> Self {
        Self {
            permanent: true,
            ..Self::passing(said)
        }
    }

    /// One of this gateway, after which the same is asked again later. Its reason is for the log: it may name files.
    pub fn ours() -> Self {
        Self::passing(Authorities::OurFailure {})
    }
}
