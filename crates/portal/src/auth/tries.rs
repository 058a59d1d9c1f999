//! How often somebody may fail: sign-ins for one account and from one network, and second factors (row W4).
//!
//! Only failures count. A try is counted when it begins, so that many at the same time do not get past, and taken back when it
//! succeeds. Time is an argument.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use sealgate_mail::Timestamp;

use super::who::sha256;
use crate::limits::TRIES_KEPT;

/// Whose failures: the hash of an account or of a network, so that all are of one size.
pub type Key = [u8; 32];

/// Failures that count.
#[derive(Debug)]
pub struct Tries {
    most: usize,
    seconds: i64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    failures: HashMap<Key, VecDeque<i64>>,
    /// Keys in the order in which they came.
    order: VecDeque<Key>,
}

impl Tries {
    /// At most `most` failures in `seconds`.
    pub fn new(most: usize, seconds: i64) -> Self {
        Self {
            most,
            seconds,
            kept: Mutex::default(),
        }
    }

    /// Begins a try that counts for each of `keys`. The error is how many seconds to wait before the next one; then nothing was
    /// counted.
    pub fn begin(&self, keys: &[Key], now: Timestamp) -> Result<(), i64> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = keys.iter().map(|key| {
            let Some(times) = kept.failures.get_mut(key) else {
                return 0;
            };
            times.retain(|at| at.saturating_add(self.seconds) > now.0);
            match times.len() < self.most {
                true => 0,
                // The oldest one that must be forgotten first.
                false => times.front().map_or(0, |at| {
                    at.saturating_add(self.seconds).saturating_sub(now.0)
                }),
            }
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
            let Some(times) = kept.failures.get_mut(key) else {
                continue;
            };
            if let Some(place) = times.iter().rposition(|at| *at == now.0) {
                times.remove(place);
            }
        }
    }
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
        self.failures.entry(key).or_default().push_back(now);
    }
}

/// An account, whether there is one of that name or not.
pub fn account(name: &str) -> Key {
    sha256(&[b"account ", name.as_bytes()])
}

/// The network of an address: an IPv4 address, or an IPv6 network of 64 bits, since whoever has one address there has them all.
pub fn network(address: IpAddr) -> Key {
    match address.to_canonical() {
        IpAddr::V4(address) => sha256(&[b"4 ", &address.octets()]),
        IpAddr::V6(address) => sha256(&[b"6 ", address.octets().get(..8).unwrap_or_default()]),
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
