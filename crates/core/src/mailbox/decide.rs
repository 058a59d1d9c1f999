//! Judges a command against where a mailbox stands: what happens, or why not.

use super::{Command, Event, Life, MailboxState};
use crate::saying::Refusals;

/// Why a command is not carried out; the text says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", Refusals::from(*self))]
pub enum Refusal {
    /// S42: no "Deactivate" while the activation is pending, no second activation.
    ActivationPending,
    /// S36.
    Active,
    /// S40.
    Inactive,
    /// A13.
    RevokePending,
    /// One order at a time.
    Ordered,
    /// There is nothing to withdraw, and nobody waits for what came.
    NoOrder,
    /// Only Revoke pending ends by confirmation or by time.
    NoRevocation,
}

/// What `command` makes happen, in this order; nothing if all is as it should be.
pub fn decide(life: Life, command: Command) -> Result<Vec<Event>, Refusal> {
    use Command as C;
    use MailboxState as S;
    let none = Vec::new();
    match (command, life.state) {
        (C::Add, _) if life.known => Ok(none),
        (C::Add, _) => Ok(vec![Event::Shown]),

        (C::Activate, S::Inactive) => Ok(vec![Event::ActivationOrdered]),
        (C::Activate, S::Active) => Err(Refusal::Active),
        (C::Activate | C::Upload | C::Deactivate | C::Renew, S::ActivationPending) => {
            Err(Refusal::ActivationPending)
        }
        (C::Activate | C::Upload | C::Deactivate | C::Renew, S::RevokePending) => {
            Err(Refusal::RevokePending)
        }

        (C::Upload, S::Inactive) => Ok(vec![Event::Activated]),
        (C::Upload, S::Active) => Ok(with_order_ended(life, Event::Replaced)),

        (C::Deactivate | C::Renew, S::Inactive) => Err(Refusal::Inactive),
        (C::Deactivate, S::Active) => Ok(with_order_ended(life, Event::Deactivated)),
        (C::Renew, S::Active) if life.ordered => Err(Refusal::Ordered),
        (C::Renew, S::Active) => Ok(vec![Event::RenewalOrdered]),

        (C::Withdraw | C::OrderFailed, S::ActivationPending) => Ok(vec![Event::ActivationEnded]),
        (C::Withdraw | C::OrderFailed, S::Active) if life.ordered => Ok(vec![Event::OrderEnded]),
        (C::Withdraw | C::OrderFailed, S::Inactive | S::Active | S::RevokePending) => {
            Err(Refusal::NoOrder)
        }

        (C::Issued, S::ActivationPending) => Ok(vec![Event::Activated]),
        (C::Issued, S::Active) if life.ordered => Ok(vec![Event::Renewed]),
        (C::Issued, S::Inactive | S::Active | S::RevokePending) => Ok(vec![Event::SurplusIssued]),

        (C::Remove, S::Inactive | S::RevokePending) => Ok(vec![Event::Hidden]),
        (C::Remove, S::ActivationPending) => Ok(vec![Event::ActivationEnded, Event::Hidden]),
        (C::Remove, S::Active) => {
            let mut events = with_order_ended(life, Event::Deactivated);
            events.push(Event::Hidden);
            Ok(events)
        }

        (C::Revoked | C::WaitedOut, S::RevokePending) => Ok(vec![Event::Ended]),
        // A certificate that nobody waited for, or that another one replaced, was revoked.
        (C::Revoked, S::Inactive | S::ActivationPending | S::Active) => Ok(none),
        (C::WaitedOut, S::Inactive | S::ActivationPending | S::Active) => {
            Err(Refusal::NoRevocation)
        }
    }
}

/// `event`, after an open order for the next certificate has ended.
fn with_order_ended(life: Life, event: Event) -> Vec<Event> {
    let mut events = Vec::new();
    if life.ordered {
        events.push(Event::OrderEnded);
    }
    events.push(event);
    events
}
