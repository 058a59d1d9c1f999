//! Where a mailbox stands, and what an event makes of it.

use sealgate_mail::Timestamp;
use serde::{Deserialize, Serialize};

use super::Event;
use crate::limits::REVOKE_PENDING;

/// Where a mailbox stands between "Inactive" and "Active" (S31 to S34).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailboxState {
    /// "Inaktiv".
    Inactive,
    /// "In Aktivierung".
    ActivationPending,
    /// "Aktiv".
    Active,
    /// "in Deaktivierung".
    RevokePending,
}

impl MailboxState {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 4] = [
        Self::Inactive,
        Self::ActivationPending,
        Self::Active,
        Self::RevokePending,
    ];

    /// Whether a mailbox that stands here holds a licence: all but the inactive ones do (S12, S14).
    pub const fn holds_licence(self) -> bool {
        !matches!(self, Self::Inactive)
    }
}

/// The state of a mailbox, since when, and what else decides about its next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// The state.
    pub state: MailboxState,
    /// Since when.
    pub since: Timestamp,
    /// Whether an order for its next certificate is open. While the activation is pending this is always so.
    pub ordered: bool,
    /// Whether an inbound route names it. One that was removed while it had a certificate stays, out of sight and without a
    /// route, until that is revoked.
    pub known: bool,
}

impl Life {
    /// The life of a mailbox that was just added.
    pub const fn new(now: Timestamp) -> Self {
        Self {
            state: MailboxState::Inactive,
            since: now,
            ordered: false,
            known: true,
        }
    }

    /// What `event` makes of it.
    pub fn apply(self, event: Event, now: Timestamp) -> Self {
        let to = |state| Self {
            state,
            since: now,
            ordered: false,
            ..self
        };
        match event {
            Event::ActivationOrdered => Self {
                ordered: true,
                ..to(MailboxState::ActivationPending)
            },
            Event::Activated => to(MailboxState::Active),
            Event::RenewalOrdered => Self {
                ordered: true,
                ..self
            },
            Event::Renewed | Event::OrderEnded => Self {
                ordered: false,
                ..self
            },
            Event::ActivationEnded | Event::Ended => to(MailboxState::Inactive),
            Event::Deactivated => to(MailboxState::RevokePending),
            Event::Replaced | Event::SurplusIssued => self,
            Event::Hidden => Self {
                known: false,
                ..self
            },
            Event::Shown => Self {
                known: true,
                ..self
            },
        }
    }

    /// Whether nothing is left of it: its row can go, its key ring stays (A9).
    pub const fn is_gone(self) -> bool {
        !self.known && matches!(self.state, MailboxState::Inactive)
    }

    /// Whether "Revoke pending" has lasted its fourteen days (S35, A12).
    pub fn waited_out(self, now: Timestamp) -> bool {
        self.state == MailboxState::RevokePending && now.since(self.since) >= REVOKE_PENDING
    }
}
