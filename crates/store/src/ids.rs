//! Numbers for mails, copies and contents that are known before anything is written, so that a record can be
//! sealed to its number outside the writer.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::StoreError;

/// Gives numbers that grow with time and repeat in no process: milliseconds since 2020, then chance.
#[derive(Debug, Default)]
pub(crate) struct Ids(AtomicI64);

/// 2020-01-01T00:00:00Z in milliseconds: 42 bits from there last until 2159.
const EPOCH_MILLIS: i64 = 1_577_836_800_000;
/// Bits of chance below the milliseconds.
const CHANCE_BITS: u32 = 21;

impl Ids {
    /// A new number, larger than every one this process got before.
    pub fn next(&self) -> Result<i64, StoreError> {
        let mut chance = [0; 4];
        aws_lc_rs::rand::fill(&mut chance)
            .map_err(|_| StoreError::Database("no random numbers".into()))?;
        let chance = i64::from(u32::from_le_bytes(chance) & ((1 << CHANCE_BITS) - 1));
        let millis = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis());
        let millis = i64::try_from(millis)
            .unwrap_or(0)
            .saturating_sub(EPOCH_MILLIS)
            .max(0);
        let wanted = (millis << CHANCE_BITS) | chance;
        let before = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                Some(wanted.max(last.saturating_add(1)))
            })
            .unwrap_or(0);
        Ok(wanted.max(before.saturating_add(1)))
    }
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
}
