//! What the gateway would do with a mail that is thought of: the same for `explain` and for the portal's simulator.

use sealgate_core::directory::Word;
use sealgate_core::journal::{Direction, Trace};
use sealgate_core::settle::{self, OutboundSender};
use sealgate_core::tenant::Organisation;
use sealgate_mail::{Address, Timestamp};
use sealgate_store::{Store, StoreError};

use crate::lookups::{self, OutboundMail, Seen};

/// A mail that is thought of, for one recipient.
#[derive(Clone, Copy)]
pub struct Thought<'a> {
    /// Whose mail it is.
    pub organisation: &'a Organisation,
    /// Which way it goes.
    pub direction: Direction,
    /// What it shows.
    pub seen: &'a Seen,
    /// Envelope sender; none is the null sender.
    pub sender: Option<&'a Address>,
    /// The recipient.
    pub recipient: &'a Address,
    /// When.
    pub now: Timestamp,
}

impl Thought<'_> {
    fn outbound_sender(&self) -> OutboundSender {
        let from = self.seen.header_from.as_ref();
        settle::outbound_sender(self.organisation, from, self.sender, self.now)
    }

    fn outbound<'m>(&'m self, sender: &'m OutboundSender) -> OutboundMail<'m> {
        OutboundMail {
            organisation: self.organisation,
            seen: self.seen,
            sender,
            now: self.now,
        }
    }

    /// The addresses that directories and DNS are to be asked for first: the recipient, or none.
    pub async fn unknown(&self, store: &Store) -> Result<Vec<Address>, StoreError> {
        if self.direction == Direction::Inbound {
            return Ok(Vec::new());
        }
        let sender = self.outbound_sender();
        let recipient = std::iter::once(self.recipient);
        lookups::to_be_looked_up(store, self.outbound(&sender), recipient).await
    }

    /// What would be done, and why. `words` is what directories and DNS said of the recipient, if they were asked.
    pub async fn trace(&self, store: &Store, words: &[Word]) -> Result<Trace, StoreError> {
        match self.direction {
            Direction::Inbound => {
                let (organisation, now) = (self.organisation, self.now);
                let decision =
                    lookups::inbound(store, organisation, self.seen, self.recipient, now).await?;
                Ok(decision.settled.trace)
            }
            Direction::Outbound => {
                let sender = self.outbound_sender();
                let mail = self.outbound(&sender);
                let decision = lookups::outbound(store, mail, self.recipient, words).await?;
                Ok(decision.settled.trace)
            }
        }
    }

    /// Whether the inbound listener takes mail for the recipient: any rule is asked only then.
    pub fn is_taken(&self) -> bool {
        let recipient = self.recipient;
        let any = self
            .organisation
            .route(recipient.domain())
            .is_some_and(|route| route.wildcard);
        let postmaster = recipient.local().eq_ignore_ascii_case("postmaster");
        any || postmaster || self.organisation.mailbox(recipient).is_some()
    }
}
