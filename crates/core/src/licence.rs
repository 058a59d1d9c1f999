//! Licences: how many mailboxes of an organisation may have a certificate, and until when (S3 to S15).
//!
//! Counts are booked by whoever sells them, never by the organisation (S9). One count holds for all its domains (S7). Where
//! nobody booked one, nothing is counted: the operator of an own installation sells none.

use sealgate_mail::Timestamp;
use serde::{Deserialize, Serialize};

use crate::saying::Refusals;

/// What is booked for an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Licence {
    /// Licences of the base product.
    pub base: u32,
    /// Licences for S/MIME, at most as many (S8).
    pub smime: u32,
    /// The end of the term of both (S10); none if it does not end.
    pub until: Option<Timestamp>,
}

/// Why a booking is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookingRefusal {
    /// S8.
    #[error(
        "{smime} S/MIME licences need at least as many base licences, and there are {base}: book more base licences first"
    )]
    AboveBase {
        /// Asked for.
        smime: u32,
        /// There are.
        base: u32,
    },
}

impl Licence {
    /// A booking of these counts. S3: S/MIME is not to be had without the base product.
    pub fn book(base: u32, smime: u32, until: Option<Timestamp>) -> Result<Self, BookingRefusal> {
        if smime > base {
            return Err(BookingRefusal::AboveBase { smime, base });
        }
        Ok(Self { base, smime, until })
    }

    /// Whether the term is over at `now` (A27): no activation, issue or renewal then; all else goes on.
    pub fn is_over(self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// What is booked, and how many mailboxes hold a licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The booking, if there is one.
    pub licence: Option<Licence>,
    /// Mailboxes whose state holds a licence ([`crate::mailbox::MailboxState::holds_licence`]).
    pub held: u32,
}

/// Why no certificate is ordered for a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", Refusals::from(*self))]
pub enum QuotaRefusal {
    /// S11, A14.
    Full(u32),
    /// A27.
    Over,
}

impl Quota {
    /// How many more mailboxes may be activated (S11); none if nothing is counted.
    pub fn free(self) -> Option<u32> {
        self.licence
            .map(|licence| licence.smime.saturating_sub(self.held))
    }

    /// Whether one more mailbox may be activated.
    pub fn may_activate(self, now: Timestamp) -> Result<(), QuotaRefusal> {
        self.may_order(now)?;
        match (self.licence, self.free()) {
            (Some(licence), Some(0)) => Err(QuotaRefusal::Full(licence.smime)),
            _ => Ok(()),
        }
    }

    /// Whether a certificate may be ordered for a mailbox that holds a licence already: renewal costs none (S15).
    pub fn may_order(self, now: Timestamp) -> Result<(), QuotaRefusal> {
        match self.licence {
            Some(licence) if licence.is_over(now) => Err(QuotaRefusal::Over),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_305_600);

    fn quota(smime: u32, held: u32, until: Option<i64>) -> Quota {
        let licence = Licence::book(100, smime, until.map(|after| NOW.plus(after))).unwrap();
        Quota {
            licence: Some(licence),
            held,
        }
    }

    #[test]
    fn s8_at_most_as_many_as_base_licences() {
        for (base, smime, good) in [
            (10, 10, true),
            (10, 3, true),
            (10, 11, false),
            (0, 1, false),
            (0, 0, true),
        ] {
            assert_eq!(
                Licence::book(base, smime, None).is_ok(),
                good,
                "{base} {smime}"
            );
        }
    }

    #[test]
    fn s11_the_free_quota_shrinks() {
        let table = [
            (40, 0, 40),
            (40, 39, 1),
            (40, 40, 0),
            (40, 41, 0),
            (0, 0, 0),
        ];
        for (smime, held, free) in table {
            let quota = quota(smime, held, None);
            assert_eq!(quota.free(), Some(free));
            assert_eq!(quota.may_activate(NOW).is_ok(), free > 0);
            assert_eq!(quota.may_order(NOW), Ok(()), "S15");
        }
        let unbooked = Quota {
            licence: None,
            held: 1_000,
        };
        assert_eq!(
            (unbooked.free(), unbooked.may_activate(NOW)),
            (None, Ok(()))
        );
    }

    #[test]
    fn a27_a_term_that_is_over() {
        for (until, over) in [
            (Some(1), false),
            (Some(0), true),
            (Some(-1), true),
            (None, false),
        ] {
            let quota = quota(40, 1, until);
            let expected = if over {
                Err(QuotaRefusal::Over)
            } else {
                Ok(())
            };
            assert_eq!(quota.may_activate(NOW), expected);
            assert_eq!(quota.may_order(NOW), expected);
        }
    }
}
