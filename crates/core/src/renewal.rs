//! When the next certificate of an active mailbox is ordered, and when administrators are warned that there will be none
//! (S46, A11, A15, A27).

use sealgate_mail::Timestamp;

use crate::licence::Quota;
use crate::limits::{EXPIRY_WARNINGS, RENEW_AGAIN};
use crate::mailbox::Life;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// What is known of the current certificate of a mailbox.
#[derive(Clone, Copy, Debug)]
pub struct Current {
    /// Where the mailbox stands.
    pub life: Life,
    /// When it came.
    pub added: Timestamp,
    /// Its end.
    pub not_after: Timestamp,
    /// Whether they were uploaded.
    pub uploaded: bool,
    /// When an order for the next one ended without one.
    pub refused: Option<Timestamp>,
    /// The fewest days before the end that administrators were warned of already.
    pub warned: Option<i64>,
}

/// How an organisation renews.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Seconds before the end.
    pub ahead: i64,
    /// Whether uploaded certificates are followed by those of the standard authority (A11).
    pub replace_uploaded: bool,
    /// Its licences.
    pub quota: Quota,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    None,
    /// Order the next certificate.
    Order,
    /// Warn that the current one ends in so many days and no other is there; 0 if it has ended.
    Warn(i64),
}

/// The next step for a mailbox at `now`.
pub fn step(current: Current, terms: Terms, now: Timestamp) -> Step {
    let left = current.not_after.since(now);
    let orders = terms.replace_uploaded || !current.uploaded;
    // One that lives for a short time is not renewed as soon as it has come, again and again.
    let ahead = terms.ahead.min(current.not_after.since(current.added) / 3);
    let rested = current
        .refused
        .is_none_or(|at| now.since(at) >= RENEW_AGAIN);
    let due = left <= ahead && rested && terms.quota.may_order(now).is_ok();
    if orders && !current.life.ordered && due {
        return Step::Order;
    }
    // While the next one is on order, only the last days are worth a warning.
    let worth = |days: i64| !(orders && current.life.ordered) || days <= 7;
    let reached = EXPIRY_WARNINGS
        .into_iter()
        .chain([0])
        .filter(|days| left <= days.saturating_mul(DAY) && worth(*days))
        .min();
    match (reached, current.warned) {
        (Some(days), Some(warned)) if warned <= days => Step::None,
        (Some(days), _) => Step::Warn(days),
        (None, _) => Step::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licence::Licence;
    use crate::mailbox::MailboxState;

    const NOW: Timestamp = Timestamp(1_795_305_600);

    fn terms(replace_uploaded: bool) -> Terms {
        Terms {
            ahead: 30 * DAY,
            replace_uploaded,
            quota: Quota {
                licence: None,
                held: 1,
            },
        }
    }

    fn current(days_left: i64, uploaded: bool, ordered: bool, warned: Option<i64>) -> Current {
        let life = Life {
            state: MailboxState::Active,
            ordered,
            ..Life::new(NOW)
        };
        Current {
            life,
            added: NOW.plus((days_left - 365) * DAY),
            not_after: NOW.plus(days_left * DAY),
            uploaded,
            refused: None,
            warned,
        }
    }

    #[test]
    fn s46_ordered_ahead_of_the_end() {
        let table = [
            (current(365, false, false, None), Step::None),
            (current(31, false, false, None), Step::None),
            (current(30, false, false, None), Step::Order),
            (current(-5, false, false, Some(0)), Step::Order),
            // On order already: a warning only when it gets late.
            (current(20, false, true, None), Step::None),
            (current(7, false, true, None), Step::Warn(7)),
            (current(6, false, true, Some(7)), Step::None),
            (current(1, false, true, Some(7)), Step::Warn(1)),
            (current(-1, false, true, Some(1)), Step::Warn(0)),
            (current(-9, false, true, Some(0)), Step::None),
        ];
        for (current, expected) in table {
            assert_eq!(step(current, terms(false), NOW), expected, "{current:?}");
        }
    }

    /// An authority whose certificates live for 24 days, or whose own certificate ends soon.
    #[test]
    fn short_lived_ones_are_renewed_in_their_last_third() {
        for (days_left, expected) in [
            (24, Step::None),
            (9, Step::None),
            (8, Step::Order),
            (1, Step::Order),
        ] {
            let current = Current {
                added: NOW.plus((days_left - 24) * DAY),
                warned: Some(7),
                ..current(days_left, false, false, None)
            };
            assert_eq!(step(current, terms(false), NOW), expected, "{days_left}");
        }
    }

    #[test]
    fn after_a_refusal_it_is_ordered_again_a_day_later() {
        for (hours, expected) in [(0, Step::None), (23, Step::None), (24, Step::Order)] {
            let current = Current {
                refused: Some(NOW.plus(-hours * 3_600)),
                ..current(20, false, false, Some(30))
            };
            assert_eq!(step(current, terms(false), NOW), expected, "{hours}");
        }
    }

    #[test]
    fn a11_uploaded_ones_are_warned_of_unless_they_may_be_replaced() {
        let table = [
            (31, None, Step::None),
            (30, None, Step::Warn(30)),
            (29, Some(30), Step::None),
            (14, Some(30), Step::Warn(14)),
            (3, None, Step::Warn(7)),
            (0, Some(1), Step::Warn(0)),
        ];
        for (days, warned, expected) in table {
            let current = current(days, true, false, warned);
            assert_eq!(step(current, terms(false), NOW), expected, "{days}");
        }
        assert_eq!(
            step(current(30, true, false, None), terms(true), NOW),
            Step::Order
        );
    }

    #[test]
    fn a27_no_renewal_without_a_licence() {
        let licence = Licence::book(5, 5, Some(NOW)).unwrap();
        let over = Terms {
            quota: Quota {
                licence: Some(licence),
                held: 1,
            },
            ..terms(false)
        };
        assert_eq!(
            step(current(30, false, false, None), over, NOW),
            Step::Warn(30)
        );
    }
}
