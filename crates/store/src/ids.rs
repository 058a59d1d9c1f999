//! Numbers for mails, copies and contents that are known before anything is written, so that a record can be
//! sealed to its number outside the writer.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use sealgate_mail::Timestamp;

use crate::error::StoreError;

/// Gives numbers that grow with time and repeat in no process: milliseconds since 2020, then chance.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    last: AtomicI64,
    last_at: AtomicI64,
}

/// 2020-01-01T00:00:00Z in milliseconds: 42 bits from there last until 2159.
const EPOCH_MILLIS: i64 = 1_577_836_800_000;
/// Bits of chance below the milliseconds.
const CHANCE_BITS: u32 = 21;

impl Ids {
    /// A new number, larger than every one this process got before.
    pub fn next(&self) -> Result<i64, StoreError> {
        let wanted = wanted(now_millis())?;
        let before = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                Some(wanted.max(last.saturating_add(1)))
            })
            .unwrap_or(0);
        Ok(wanted.max(before.saturating_add(1)))
    }

    /// A new number that begins with the second `at`, larger than the last one if that begins with the same second.
    pub fn next_at(&self, at: Timestamp) -> Result<i64, StoreError> {
        let from = first_of(at);
        let until = from.saturating_add(1000 << CHANCE_BITS);
        let wanted = wanted(now_millis())?;
        let wanted = if (from..until).contains(&wanted) {
            wanted
        } else {
            // Anywhere in its first half: seconds that take turns must not meet, and there is room for those that follow.
            from.saturating_add(chance()? >> 2)
        };
        let after = |last: i64| {
            if (from..until).contains(&last) {
                wanted.max(last.saturating_add(1))
            } else {
                wanted
            }
        };
        let update = |last| Some(after(last));
        let before = self
            .last_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, update);
        Ok(after(before.unwrap_or(0)))
    }
}

/// The smallest number that begins with the second `at`.
pub(crate) fn first_of(at: Timestamp) -> i64 {
    let millis = at.0.saturating_mul(1000).saturating_sub(EPOCH_MILLIS);
    millis.clamp(0, i64::MAX >> CHANCE_BITS) << CHANCE_BITS
}

/// The second that a number begins with.
pub(crate) const fn time_of(number: i64) -> Timestamp {
    let millis = (number >> CHANCE_BITS).saturating_add(EPOCH_MILLIS);
    Timestamp(millis.div_euclid(1000))
}

fn now_millis() -> i64 {
    let millis = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    i64::try_from(millis)
        .unwrap_or(0)
        .saturating_sub(EPOCH_MILLIS)
        .max(0)
}

fn wanted(millis: i64) -> Result<i64, StoreError> {
    Ok((millis << CHANCE_BITS) | (chance()? & ((1 << CHANCE_BITS) - 1)))
}

fn chance() -> Result<i64, StoreError> {
    let mut chance = [0; 4];
    aws_lc_rs::rand::fill(&mut chance)
        .map_err(|_| StoreError::Database("no random numbers".into()))?;
    Ok(i64::from(u32::from_le_bytes(chance)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_grow_and_never_repeat() {
        let ids = Ids::default();
        let numbers: Vec<i64> = (0..10_000).map(|_| ids.next().unwrap()).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(numbers[0] > 0);
    }

    #[test]
    fn numbers_of_a_second_lie_within_it_and_grow() {
        let ids = Ids::default();
        let day = Timestamp(1_795_320_000);
        let now = Timestamp((now_millis() + EPOCH_MILLIS) / 1000);
        for at in [day, day.plus(-86_400), Timestamp(0), day, now.plus(3600)] {
            let numbers: Vec<i64> = (0..1_000).map(|_| ids.next_at(at).unwrap()).collect();
            assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(
                numbers[0] >= first_of(at)
                    && numbers[999] < first_of(Timestamp(at.0.max(EPOCH_MILLIS / 1000) + 1)),
                "{at:?}"
            );
        }
        assert!(first_of(day) > first_of(day.plus(-1)));
        assert_eq!(time_of(first_of(day)), day);
        assert_eq!(time_of(first_of(day) - 1), day.plus(-1));
        assert_eq!(first_of(Timestamp(i64::MIN)), 0);
        assert!(first_of(Timestamp(i64::MAX)) > first_of(now));
    }
}
