//! The envelope of one mail transaction (RFC 5321 section 2.3.1, RFC 3461, RFC 6152, RFC 6531).

use serde::{Deserialize, Serialize};

use crate::{Address, ReversePath};

/// Sender, recipients and the parameters that travel with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// MAIL FROM.
    pub from: ReversePath,
    /// Parameters of MAIL FROM.
    pub params: MailParams,
    /// RCPT TO, in the order given.
    pub recipients: Vec<EnvelopeRecipient>,
}

/// Parameters of MAIL FROM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailParams {
    /// SIZE= in octets (RFC 1870).
    pub size: Option<u64>,
    /// BODY=8BITMIME (RFC 6152).
    pub eight_bit: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// RET= (RFC 3461 section 4.3).
    pub ret: Option<Ret>,
    /// ENVID=, xtext decoded (RFC 3461 section 4.4).
    pub envid: Option<String>,
}

/// What the sender wants returned in a failure report (RFC 3461 section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ret {
    /// The whole message.
    Full,
    /// Headers only; we never return more than these.
    Headers,
}

/// One RCPT TO.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvelopeRecipient {
    /// The address.
    pub address: Address,
    /// NOTIFY= (RFC 3461 section 4.1).
    pub notify: Notify,
    /// ORCPT= as `addr-type;address`, xtext decoded (RFC 3461 section 4.2).
    pub orcpt: Option<String>,
}

/// Which notifications the sender asked for; the default of RFC 3461 section 4.1 is failure, and delay at our choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// NOTIFY=SUCCESS.
    pub success: bool,
    /// NOTIFY=FAILURE, or no NOTIFY at all.
    pub failure: bool,
    /// NOTIFY=DELAY, or no NOTIFY at all.
    pub delay: bool,
    /// Whether NOTIFY was given; if so it is passed on to next hops that know DSN.
    pub explicit: bool,
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            success: false,
            failure: true,
            delay: true,
            explicit: false,
        }
    }
}
