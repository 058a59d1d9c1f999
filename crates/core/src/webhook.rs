//! When a webhook that failed is tried again, and when it is given up.

use sealgate_mail::Timestamp;

use crate::limits::{WEBHOOK_FIRST_WAIT, WEBHOOK_LIFETIME, WEBHOOK_LONGEST_WAIT};

/// What follows a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// The same event again at this time.
    Again(Timestamp),
    /// The next event; an event tells of it.
    GiveUp,
}

/// What follows the failure number `attempts` of an event that was first tried at `since`. Each wait is four times the one before.
pub fn after_failure(attempts: u32, since: Timestamp, now: Timestamp) -> AfterFailure {
    if now.since(since) >= WEBHOOK_LIFETIME {
        return AfterFailure::GiveUp;
    }
    let factor = 4_i64.saturating_pow(attempts.saturating_sub(1));
    let wait = WEBHOOK_FIRST_WAIT.saturating_mul(factor);
    AfterFailure::Again(now.plus(wait.min(WEBHOOK_LONGEST_WAIT)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let since = Timestamp(1_000);
        let mut now = since;
        let mut waits = Vec::new();
        for attempts in 1..100 {
            match after_failure(attempts, since, now) {
                AfterFailure::Again(at) => {
                    waits.push(at.since(now));
                    now = at;
                }
                AfterFailure::GiveUp => break,
            }
        }
        assert_eq!(
            waits.get(..7),
            Some([5, 20, 80, 320, 1_280, 3_600, 3_600].as_slice())
        );
        assert!((86_400..90_000).contains(&now.since(since)));
        assert_eq!(
            after_failure(u32::MAX, since, since),
            AfterFailure::Again(since.plus(3_600))
        );
    }
}
