//! What is done when a correspondent's key expires, or is not usable any more for another reason: administrators are told
//! some days before, and another key of the address takes its place (spec.md section 5).

use sealgate_mail::Timestamp;
use sealgate_smime::certificate::Certificate;

use super::{is_good, order, rank, stands};
use crate::limits::EXPIRY_NOTICE;
use crate::tenant::{CorrespondentKey, Origin};

/// What is told of a key that expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// Nothing: others are there, or it is not used.
    Nothing,
    /// It is the only one, and expires soon.
    Soon,
    /// It has expired, and this one takes its place.
    Replaced(i64),
    /// It has expired, and there is no other.
    Last,
}

/// What is done about a key at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// What is told.
    pub verdict: Expired,
    /// When it is looked at again; `None`: never.
    pub look_at: Option<Timestamp>,
}

impl Expiry {
    /// Decides about `key`, one of `keys`, all of one address.
    pub fn decide(key: &CorrespondentKey, keys: &[CorrespondentKey], now: Timestamp) -> Self {
        // The end itself is still within the validity (RFC 5280 section 4.1.2.5).
        let end = key.certificate.not_after().plus(1);
        let in_use = rank(key.state).is_some() && counts(key, keys);
        let left = |at| {
            keys.iter()
                .any(|other| counts(other, keys) && good(other, at))
        };
        let told = |verdict, look_at| Self { verdict, look_at };
        if now < look_at(&key.certificate) {
            return told(Expired::Nothing, Some(look_at(&key.certificate)));
        }
        if now < end {
            // Weak keys and those for signatures are not used anyway.
            let only = in_use && is_good(key, now) && !left(end);
            let verdict = if only {
                Expired::Soon
            } else {
                Expired::Nothing
            };
            return told(verdict, Some(end));
        }
        let verdict = match take_over(keys, now) {
            Some(next) => Expired::Replaced(next),
            None if in_use && !left(now) => Expired::Last,
            None => Expired::Nothing,
        };
        told(verdict, None)
    }
}

/// When the end of a certificate is looked at first.
pub fn look_at(certificate: &Certificate) -> Timestamp {
    certificate.not_after().plus(-EXPIRY_NOTICE)
}

/// The key that is preferred now because no preferred one can be used any more: the best of those harvested. None where one
/// still can, where a key is pinned, and where there is none.
pub fn take_over(keys: &[CorrespondentKey], now: Timestamp) -> Option<i64> {
    if keys.iter().any(|key| key.pinned || stands(key, now)) {
        return None;
    }
    keys.iter()
        .filter(|key| good(key, now))
        .max_by_key(|key| order(key))
        .filter(|key| key.origin != Origin::Manual)
        .map(|key| key.id)
}

/// Whether a key is looked at beside the others: where one is pinned, only that.
fn counts(key: &CorrespondentKey, keys: &[CorrespondentKey]) -> bool {
    key.pinned || !keys.iter().any(|other| other.pinned)
}

fn good(key: &CorrespondentKey, at: Timestamp) -> bool {
    rank(key.state).is_some() && is_good(key, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::CorrespondentState::{self, Additional, Blocked, New, Pending, Preferred};
    use crate::testdata::certificate;
    use Origin::{Harvested, Manual};

    /// 2026-11-22.
    const NOW: Timestamp = Timestamp(1_795_305_600);

    type Key = (&'static str, Origin, CorrespondentState);

    fn keys(of: &[Key], pinned: i64) -> Vec<CorrespondentKey> {
        let key = |(id, (name, origin, state)): (i64, &Key)| CorrespondentKey {
            id,
            address: sealgate_mail::Address::parse("alice@partner.example").unwrap(),
            certificate: certificate(name),
            origin: *origin,
            state: *state,
            pinned: id == pinned,
            added: NOW,
            announced: None,
        };
        (1..).zip(of).map(key).collect()
    }

    #[test]
    fn which_key_takes_the_place_of_one_that_is_gone() {
        let table: [(&[Key], i64, Option<i64>); 9] = [
            (
                &[
                    ("alice-expired", Harvested, Preferred),
                    ("alice", Harvested, New),
                ],
                0,
                Some(2),
            ),
            (
                &[
                    ("alice-expired", Manual, Preferred),
                    ("alice", Harvested, New),
                ],
                0,
                Some(2),
            ),
            (
                &[
                    ("alice", Harvested, Blocked),
                    ("alice-other-issuer", Harvested, New),
                    ("alice-newer", Harvested, Additional),
                ],
                0,
                Some(3),
            ),
            // One that stands, a pinned one, nothing usable.
            (
                &[
                    ("alice", Harvested, Preferred),
                    ("alice-newer", Harvested, Additional),
                ],
                0,
                None,
            ),
            (
                &[
                    ("alice-expired", Harvested, Preferred),
                    ("alice", Harvested, New),
                ],
                1,
                None,
            ),
            (
                &[
                    ("alice-expired", Harvested, Preferred),
                    ("alice-crl", Harvested, Pending),
                ],
                0,
                None,
            ),
            (
                &[
                    ("alice-expired", Harvested, Preferred),
                    ("alice-sign", Harvested, New),
                ],
                0,
                None,
            ),
            // An imported key never changes by itself; it is used all the same.
            (
                &[
                    ("alice-expired", Harvested, Preferred),
                    ("alice", Manual, Additional),
                ],
                0,
                None,
            ),
            (&[], 0, None),
        ];
        for (of, pinned, expected) in table {
            assert_eq!(take_over(&keys(of, pinned), NOW), expected, "{of:?}");
        }
    }

    #[test]
    fn what_is_told_before_and_at_the_end_of_a_key() {
        let end = certificate("alice").not_after().plus(1);
        let notice = certificate("alice").not_after().plus(-EXPIRY_NOTICE);
        let only: &[Key] = &[("alice", Harvested, Preferred)];
        let with_expired: &[Key] = &[
            ("alice", Harvested, Preferred),
            ("alice-expired", Harvested, Additional),
            ("alice-crl", Harvested, Blocked),
        ];
        let unused: &[Key] = &[("alice", Harvested, Blocked)];
        let table = [
            (only, 0, notice.plus(-1), Expired::Nothing, Some(notice)),
            (only, 0, notice, Expired::Soon, Some(end)),
            (only, 1, notice, Expired::Soon, Some(end)),
            (with_expired, 0, notice, Expired::Soon, Some(end)),
            (unused, 0, notice, Expired::Nothing, Some(end)),
            (only, 0, end, Expired::Last, None),
            (only, 1, end, Expired::Last, None),
            (with_expired, 0, end, Expired::Last, None),
            (unused, 0, end, Expired::Nothing, None),
        ];
        for (of, pinned, at, verdict, look_at) in table {
            let keys = keys(of, pinned);
            let found = Expiry::decide(&keys[0], &keys, at);
            assert_eq!(found, Expiry { verdict, look_at }, "{of:?} {pinned} {at:?}");
        }
        // Another one that is there longer.
        let keys = keys(
            &[
                ("alice-expired", Harvested, Preferred),
                ("alice", Harvested, New),
            ],
            0,
        );
        let expired = keys[0].certificate.not_after().plus(1);
        let at = |at| Expiry::decide(&keys[0], &keys, at).verdict;
        assert!(certificate("alice").valid_at(expired), "{expired:?}");
        assert_eq!(at(expired.plus(-1)), Expired::Nothing);
        assert_eq!(at(expired), Expired::Replaced(2));
    }
}
