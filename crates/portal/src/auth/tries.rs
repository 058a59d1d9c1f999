//! How often somebody may fail: sign-ins for one account and from one network, and second factors (row W4).
//!
//! Only failures count. A try is counted when it begins, so that many at the same time do not get past, and taken back when it
//! succeeds. Time is an argument.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use sealgate_mail::{Address, Timestamp};

use super::who::sha256;
use crate::limits::{
    GROWING_WAIT_SECONDS, GROWING_WAIT_SECONDS_MOST, LOCK_TOLD_SECONDS, TRIES_IN_A_ROW, TRIES_KEPT,
};

/// Whose failures: the hash of an account or of a network, so that all are of one size.
pub type Key = [u8; 32];

/// Failures that count.
#[derive(Debug)]
pub struct Tries {
    most: usize,
    seconds: i64,
    grows: bool,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    failures: HashMap<Key, Failures>,
    /// Keys in the order in which they came.
    order: VecDeque<Key>,
}

/// Failures of one key.
#[derive(Debug, Default)]
struct Failures {
    /// When, those that count still.
    times: VecDeque<i64>,
    /// How many since the last success.
    in_a_row: u32,
    /// When the last one was.
    last: i64,
    /// When a lock was told of last.
    told: Option<i64>,
}

impl Tries {
    /// At most `most` failures in `seconds`.
    pub fn new(most: usize, seconds: i64) -> Self {
        Self {
            most,
            seconds,
            grows: false,
            kept: Mutex::default(),
        }
    }

    /// After [`TRIES_IN_A_ROW`] failures without success between them the waits grow. They always end.
    pub fn with_growing_waits(self) -> Self {
        Self {
            grows: true,
            ..self
        }
    }

    /// Begins a try that counts for each of `keys`. The error is how many seconds to wait before the next one; then nothing was
    /// counted.
    pub fn begin(&self, keys: &[Key], now: Timestamp) -> Result<(), i64> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = keys.iter().map(|key| {
            let own = kept.failures.get_mut(key);
            own.map_or(0, |own| self.wait(own, now))
        });
        let wait = waits.max().unwrap_or(0);
        if wait > 0 {
            return Err(wait);
        }
        for key in keys {
            kept.count(*key, now.0);
        }
        Ok(())
    }

    /// Takes back a try that succeeded, begun at `now`.
    pub fn succeeded(&self, keys: &[Key], now: Timestamp) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            let Some(own) = kept.failures.get_mut(key) else {
                continue;
            };
            own.in_a_row = 0;
            if let Some(place) = own.times.iter().rposition(|at| *at == now.0) {
                own.times.remove(place);
            }
        }
    }

    /// For how many seconds no try for `key` is taken, if that is to be told: at the first of many locks, and each hour.
    pub fn locked(&self, key: &Key, now: Timestamp) -> Option<i64> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let own = kept.failures.get_mut(key)?;
        let wait = self.wait(own, now);
        let is_news = own
            .told
            .is_none_or(|told| told.saturating_add(LOCK_TOLD_SECONDS) <= now.0);
        if wait == 0 || !is_news {
            return None;
        }
        own.told = Some(now.0);
        Some(wait)
    }

    fn wait(&self, own: &mut Failures, now: Timestamp) -> i64 {
        own.times
            .retain(|at| at.saturating_add(self.seconds) > now.0);
        let until_forgotten = match own.times.len() < self.most {
            true => 0,
            // The oldest one that must be forgotten first.
            false => own.times.front().map_or(0, |at| {
                at.saturating_add(self.seconds).saturating_sub(now.0)
            }),
        };
        let grown = match self.grows {
            true => own
                .last
                .saturating_add(grown(own.in_a_row))
                .saturating_sub(now.0),
            false => 0,
        };
        until_forgotten.max(grown)
    }
}

/// The wait after so many failures in a row: twice as long after each one.
fn grown(in_a_row: u32) -> i64 {
    let Some(more) = in_a_row.checked_sub(TRIES_IN_A_ROW) else {
        return 0;
    };
    let times = 1_i64.checked_shl(more.min(32)).unwrap_or(i64::MAX);
    GROWING_WAIT_SECONDS
        .saturating_mul(times)
        .min(GROWING_WAIT_SECONDS_MOST)
}

impl Kept {
    fn count(&mut self, key: Key, now: i64) {
        if !self.failures.contains_key(&key) {
            while self.order.len() >= TRIES_KEPT {
                if let Some(oldest) = self.order.pop_front() {
                    self.failures.remove(&oldest);
                }
            }
            self.order.push_back(key);
        }
        let own = self.failures.entry(key).or_default();
        own.times.push_back(now);
        own.in_a_row = own.in_a_row.saturating_add(1);
        own.last = now;
    }
}

/// An account, however its name is written, and whether there is one of that name or not.
pub fn account(name: &str) -> Key {
    let name = name.trim();
    let folded = match Address::parse(name) {
        Ok(address) => address.key(),
        Err(_) => name.to_ascii_lowercase(),
    };
    sha256(&[b"account ", folded.as_bytes()])
}

/// Whose failures a try for the account `name` from `address` counts among.
pub fn whose(name: &str, address: IpAddr) -> Vec<Key> {
    let own = std::iter::once(account(name));
    own.chain(network(address)).collect()
}

/// The network of an address: an IPv4 address, or an IPv6 network of 64 bits, since whoever has one address there has them all. For
/// this machine there is none: behind a proxy that is not trusted, everybody comes from there, and one could lock all others out.
pub fn network(address: IpAddr) -> Option<Key> {
    match address.to_canonical() {
        address if address.is_loopback() => None,
        IpAddr::V4(address) => Some(sha256(&[b"4 ", &address.octets()])),
        IpAddr::V6(address) => {
            let network = address.octets();
            Some(sha256(&[b"6 ", network.get(..8).unwrap_or_default()]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp(1_000 + seconds)
    }

    #[test]
    fn five_failures_then_a_wait_until_the_first_is_forgotten() {
        let tries = Tries::new(5, 300);
        let keys = [account("a@example.com"), account("other")];
        for second in 0..5 {
            assert_eq!(tries.begin(&keys, at(second * 10)), Ok(()), "{second}");
        }
        assert_eq!(tries.begin(&keys, at(60)), Err(240));
        assert_eq!(tries.begin(&keys[..1], at(299)), Err(1), "each key counts");
        assert_eq!(tries.begin(&[account("b@example.com")], at(60)), Ok(()));
        assert_eq!(tries.begin(&keys, at(300)), Ok(()), "one is forgotten");
        assert_eq!(tries.begin(&keys, at(301)), Err(9));
    }

    #[test]
    fn what_succeeds_does_not_count() {
        let tries = Tries::new(2, 60);
        let key = [account("a@example.com")];
        for second in 0..20 {
            tries.begin(&key, at(second)).unwrap();
            tries.succeeded(&key, at(second));
        }
        tries.begin(&key, at(20)).unwrap();
        tries.begin(&key, at(20)).unwrap();
        assert!(tries.begin(&key, at(20)).is_err(), "also at the same time");
    }

    #[test]
    fn networks() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        for own in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(network(own), None, "{own}");
        }
    }

    #[test]
    fn an_account_is_one_however_it_is_written() {
        assert_eq!(account(" Anna@Example.com "), account("anna@example.com"));
        assert_eq!(account("No Address"), account("no address"));
        assert_ne!(account("anna@example.com"), account("berta@example.com"));
    }

    #[test]
    fn waits_grow_after_twenty_in_a_row_and_always_end() {
        let tries = Tries::new(4, 60).with_growing_waits();
        let key = [account("a@example.com")];
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..26 {
            while let Err(seconds) = tries.begin(&key, at(now)) {
                waits.push(seconds);
                now += seconds;
            }
        }
        let grown: Vec<i64> = waits.into_iter().rev().take(6).rev().collect();
        assert_eq!(grown, [60, 120, 240, 480, 900, 900]);
        // One success, and all is as before.
        now += 900;
        tries.begin(&key, at(now)).unwrap();
        tries.succeeded(&key, at(now));
        for _ in 0..4 {
            tries.begin(&key, at(now)).unwrap();
        }
        assert_eq!(tries.begin(&key, at(now)), Err(60));
        // Passwords of one account have no such row.
        let others = Tries::new(4, 60);
        for round in 0..30 {
            assert_eq!(others.begin(&key, at(round * 60)), Ok(()));
        }
    }

    #[test]
    fn a_lock_is_told_once_an_hour() {
        let tries = Tries::new(2, 60);
        let key = account("a@example.com");
        let fail = |second: i64| {
            let _ = tries.begin(&[key], at(second));
            tries.locked(&key, at(second))
        };
        assert_eq!(tries.locked(&key, at(0)), None, "nobody tried");
        assert_eq!(fail(0), None);
        assert_eq!(fail(10), Some(50));
        for second in [10, 60, 70, 3_000] {
            assert_eq!(fail(second), None, "{second}");
        }
        assert_eq!(fail(3_599), None);
        assert_eq!(fail(3_600), None, "no hour yet");
        assert_eq!(fail(3_660), None, "only one counts");
        assert_eq!(fail(3_661), Some(59));
    }

    #[test]
    fn memory_is_bounded() {
        let tries = Tries::new(5, 300);
        for number in 0..TRIES_KEPT + 10 {
            let key = [account(&number.to_string())];
            tries.begin(&key, at(0)).unwrap();
        }
        let kept = tries.kept.lock().unwrap();
        assert_eq!(kept.failures.len(), TRIES_KEPT);
        assert_eq!(kept.order.len(), TRIES_KEPT);
    }
}
