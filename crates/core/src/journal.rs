//! The record of every mail's outcome, written in the same transaction as the effect.

use sealgate_mail::{Address, ReversePath, Timestamp};
use serde::{Deserialize, Serialize};

use crate::directory::Word;
use crate::outcome::{InboundContent, InboundOutcome, OutboundFacts, OutboundOutcome};
use crate::rules::{Choice, InboundMode, OutboundMode};
use crate::suite::Algorithms;
use crate::tenant::OrganisationId;

/// Which way a mail goes; it comes from who hands it in (spec.md section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From outside to a managed address.
    Inbound,
    /// From a sending client.
    Outbound,
}

/// What the mail overview shows and filters by (S89, S90, A23).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailStatus {
    /// Neither signed nor encrypted.
    Plain,
    /// Signed.
    Signed,
    /// Encrypted, not by us, or delivered encrypted.
    Encrypted,
    /// Signed and encrypted by us.
    SignedEncrypted,
    /// Decrypted by us.
    Decrypted,
    /// Refused, held or returned.
    Failed,
    /// Accepted, not opened yet.
    Waiting,
    /// A challenge of a certificate authority that the gateway took for itself, or its answer (RFC 8823).
    Challenge,
}

impl MailStatus {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Plain,
        Self::Signed,
        Self::Encrypted,
        Self::SignedEncrypted,
        Self::Decrypted,
        Self::Failed,
        Self::Waiting,
        Self::Challenge,
    ];

    /// The word of the mail overview and of `--status`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Signed => "signed",
            Self::Encrypted => "encrypted",
            Self::SignedEncrypted => "signed-encrypted",
            Self::Decrypted => "decrypted",
            Self::Failed => "failed",
            Self::Waiting => "waiting",
            Self::Challenge => "challenge",
        }
    }
}

/// Why one recipient's copy became what it is: the answer of `explain`, word for word what the journal holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "direction", rename_all = "lowercase")]
pub enum Trace {
    /// Of an inbound copy.
    Inbound {
        /// The organisation's address.
        managed: Address,
        /// Header From, if it is a single address.
        external: Option<Address>,
        /// Mode and rule; none where no rule was asked.
        choice: Option<Choice<InboundMode>>,
        /// What the mail is for this recipient.
        content: InboundContent,
        /// What happens; none where a step outside the matrix decided.
        outcome: Option<InboundOutcome>,
        /// Such a step, in words of this crate: `internal`, `report`, `challenge`.
        exemption: Option<Exemption>,
    },
    /// Of an outbound copy.
    Outbound {
        /// The organisation's address (A4).
        managed: Option<Address>,
        /// The recipient.
        external: Address,
        /// Mode and rule; none where no rule was asked.
        choice: Option<Choice<OutboundMode>>,
        /// The facts looked up.
        facts: Option<OutboundFacts>,
        /// What happens.
        outcome: Option<OutboundOutcome>,
        /// What the copy is made with, if we sign or encrypt it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        algorithms: Option<Algorithms>,
        /// A step outside the matrix.
        exemption: Option<Exemption>,
        /// What directories and DNS said of the recipient, if they were asked.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sources: Vec<Word>,
    },
}

/// Mail that the rules do not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exemption {
    /// Within one organisation (A30).
    Internal,
    /// A delivery status notification with its returned content cut to headers (spec.md section 2).
    Report,
    /// The challenge of an order of this mailbox at an ACME authority, or the answer to it (RFC 8823).
    Challenge,
}

/// One line of the journal: one recipient of one mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Envelope recipient.
    pub recipient: Address,
    /// For the overview.
    pub status: MailStatus,
    /// Signature verdict word, where there was a signature to judge.
    pub signature: Option<String>,
    /// Encryption verdict word, where there was encryption to open.
    pub encryption: Option<String>,
    /// Why.
    pub trace: Trace,
    /// What the sender was told, if refused: the text of the reply or report.
    pub refusal: Option<String>,
}

/// The mail that journal lines belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailRecord {
    /// Whose.
    pub organisation: OrganisationId,
    /// Which way.
    pub direction: Direction,
    /// When it was accepted or refused.
    pub at: Timestamp,
    /// Envelope sender.
    pub envelope_from: ReversePath,
    /// Header From, if it is a single address.
    pub header_from: Option<Address>,
    /// Message-ID field, as it stands, cut to a limit.
    pub message_id: Option<String>,
    /// Octets as received.
    pub size: u64,
    /// Who handed it in: address of the peer, or name of the sending client.
    pub handed_in_by: String,
    /// Whether the envelope sender is authenticated (ours and proven, SPF pass or aligned DKIM): reports may go there.
    pub sender_proven: bool,
    /// Version of the configuration it was decided under.
    pub version: u64,
}
