//! What an administrator's choice makes of the keys of an address: approve, prefer, pin, unpin, block, unblock. A choice is
//! judged against the keys as they are and gives what changes.

use sealgate_mail::Timestamp;
use serde::{Deserialize, Serialize};

use super::{is_good, promoted};
use crate::saying::Refusals;
use crate::tenant::{CorrespondentKey, CorrespondentState, Origin};

/// What an administrator chooses for one key of a correspondent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// A `new` key is preferred from now on.
    Approve,
    /// It is preferred from now on, whatever it was.
    Prefer,
    /// This key and no other is used, until that is taken back.
    Pin,
    /// Others may be used again; the key stays preferred.
    Unpin,
    /// It is never used.
    Block,
    /// It goes back among the others.
    Unblock,
}

/// What becomes of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The key.
    pub id: i64,
    /// Its state.
    pub state: CorrespondentState,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Whether it is asked about at once.
    pub ask: bool,
}

/// Why a choice is refused, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", Refusals::from(*self))]
pub enum ChoiceRefusal {
    /// It is not [`CorrespondentState::New`].
    NotNew,
    /// It is used already.
    Preferred,
    /// It is [`CorrespondentState::Pending`].
    Pending,
    /// It is blocked.
    Blocked,
    /// It is not blocked.
    NotBlocked,
    /// It is pinned.
    Pinned,
    /// It is not pinned.
    NotPinned,
    /// Another key of the address is pinned: this one.
    OtherPinned(i64),
    /// It has expired.
    Expired,
    /// It cannot be encrypted to for another reason.
    Unusable,
}

/// Judges `choice` for `key` among `others`, the further keys of its address; gives the keys that change.
pub fn choose(
    key: &CorrespondentKey,
    others: &[CorrespondentKey],
    choice: Choice,
    now: Timestamp,
) -> Result<Vec<Changed>, ChoiceRefusal> {
    use CorrespondentState as S;
    let same = Changed::as_is(key);
    match (choice, key.state) {
        (Choice::Pin, _) if key.pinned => Err(ChoiceRefusal::Pinned),
        (Choice::Unpin, _) if !key.pinned => Err(ChoiceRefusal::NotPinned),
        (Choice::Unpin, _) => Ok(vec![Changed {
            pinned: false,
            ..same
        }]),
        (Choice::Block, S::Blocked) => Err(ChoiceRefusal::Blocked),
        (Choice::Block, _) if key.pinned => Err(ChoiceRefusal::Pinned),
        (Choice::Block, _) => Ok(vec![Changed {
            state: S::Blocked,
            ..same
        }]),
        (Choice::Unblock, S::Blocked) => Ok(unblocked(key, others, now)),
        (Choice::Unblock, _) => Err(ChoiceRefusal::NotBlocked),
        (_, S::Blocked) => Err(ChoiceRefusal::Blocked),
        (_, S::Pending) => Err(ChoiceRefusal::Pending),
        (Choice::Approve, S::Preferred | S::Additional) => Err(ChoiceRefusal::NotNew),
        (Choice::Approve | Choice::Prefer, _) => preferred(key, others, false, now),
        (Choice::Pin, _) => preferred(key, others, true, now),
    }
}

impl Changed {
    fn as_is(key: &CorrespondentKey) -> Self {
        Self {
            id: key.id,
            state: key.state,
            pinned: key.pinned,
            ask: false,
        }
    }
}

/// The key is preferred, all that were are additional.
fn preferred(
    key: &CorrespondentKey,
    others: &[CorrespondentKey],
    pinned: bool,
    now: Timestamp,
) -> Result<Vec<Changed>, ChoiceRefusal> {
    if let Some(other) = others.iter().find(|other| other.pinned) {
        return Err(ChoiceRefusal::OtherPinned(other.id));
    }
    if key.certificate.not_after() < now {
        return Err(ChoiceRefusal::Expired);
    }
    if !is_good(key, now) {
        return Err(ChoiceRefusal::Unusable);
    }
    let mut changes = vec![Changed {
        state: CorrespondentState::Preferred,
        pinned,
        ..Changed::as_is(key)
    }];
    changes.retain(|change| *change != Changed::as_is(key));
    changes.extend(put_back(others, |other| {
        other.state == CorrespondentState::Preferred
    }));
    if changes.is_empty() {
        return Err(ChoiceRefusal::Preferred);
    }
    Ok(changes)
}

fn put_back(
    others: &[CorrespondentKey],
    which: impl Fn(&CorrespondentKey) -> bool,
) -> impl Iterator<Item = Changed> {
    let additional = |other: &CorrespondentKey| Changed {
        state: CorrespondentState::Additional,
        ..Changed::as_is(other)
    };
    others
        .iter()
        .filter(move |other| which(other))
        .map(additional)
}

/// An imported key is used at once, as when it was imported. Any other goes where harvesting would place it; where somebody
/// can be asked about its revocation, only after the answer.
fn unblocked(key: &CorrespondentKey, others: &[CorrespondentKey], now: Timestamp) -> Vec<Changed> {
    let back = |state| Changed {
        state,
        ask: true,
        ..Changed::as_is(key)
    };
    if key.origin == Origin::Manual {
        return vec![back(CorrespondentState::Preferred)];
    }
    if key.certificate.names_revocation() {
        return vec![back(CorrespondentState::Pending)];
    }
    let Some(placed) = promoted(key, others, now) else {
        return vec![back(CorrespondentState::Additional)];
    };
    let superseded = put_back(others, |other| placed.superseded.contains(&other.id));
    std::iter::once(back(placed.state))
        .chain(superseded)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testdata::certificate;
    use Choice::{Approve, Block, Pin, Prefer, Unblock, Unpin};
    use CorrespondentState::{Additional, Blocked, New, Pending, Preferred};
    use Origin::{Harvested, Manual};

    /// 2026-11-22.
    const NOW: Timestamp = Timestamp(1_795_305_600);

    /// Name of the certificate, origin, state, whether it is pinned.
    type Key = (&'static str, Origin, CorrespondentState, bool);

    fn keys(of: &[Key]) -> Vec<CorrespondentKey> {
        let key = |(id, (name, origin, state, pinned)): (i64, &Key)| CorrespondentKey {
            id,
            address: sealgate_mail::Address::parse("alice@partner.example").unwrap(),
            certificate: certificate(name),
            origin: *origin,
            state: *state,
            pinned: *pinned,
            added: NOW,
            announced: None,
        };
        (1..).zip(of).map(key).collect()
    }

    type Outcome = Result<Vec<(i64, CorrespondentState, bool, bool)>, ChoiceRefusal>;

    fn chosen(of: &[Key], choice: Choice) -> Outcome {
        let keys = keys(of);
        let changes = choose(&keys[0], &keys[1..], choice, NOW)?;
        let plain = |c: &Changed| (c.id, c.state, c.pinned, c.ask);
        Ok(changes.iter().map(plain).collect())
    }

    #[test]
    fn every_choice_in_every_state() {
        let one = |state, ask| Ok(vec![(1, state, false, ask)]);
        let pinned = Ok(vec![(1, Preferred, true, false)]);
        use ChoiceRefusal as R;
        let table: [(Choice, [Outcome; 5]); 6] = [
            // Preferred, additional, new, pending, blocked.
            (
                Approve,
                [
                    Err(R::NotNew),
                    Err(R::NotNew),
                    one(Preferred, false),
                    Err(R::Pending),
                    Err(R::Blocked),
                ],
            ),
            (
                Prefer,
                [
                    Err(R::Preferred),
                    one(Preferred, false),
                    one(Preferred, false),
                    Err(R::Pending),
                    Err(R::Blocked),
                ],
            ),
            (
                Pin,
                [
                    pinned.clone(),
                    pinned.clone(),
                    pinned,
                    Err(R::Pending),
                    Err(R::Blocked),
                ],
            ),
            (Unpin, [const { Err(R::NotPinned) }; 5]),
            (
                Block,
                [
                    one(Blocked, false),
                    one(Blocked, false),
                    one(Blocked, false),
                    one(Blocked, false),
                    Err(R::Blocked),
                ],
            ),
            (
                Unblock,
                [
                    Err(R::NotBlocked),
                    Err(R::NotBlocked),
                    Err(R::NotBlocked),
                    Err(R::NotBlocked),
                    one(Preferred, true),
                ],
            ),
        ];
        let states = [Preferred, Additional, New, Pending, Blocked];
        for (choice, row) in table {
            for (state, expected) in states.into_iter().zip(row) {
                let found = chosen(&[("alice", Harvested, state, false)], choice);
                assert_eq!(found, expected, "{choice:?} {state:?}");
            }
        }
    }

    #[test]
    fn what_happens_to_the_other_keys() {
        use ChoiceRefusal as R;
        let old: Key = ("alice", Harvested, Preferred, false);
        let imported: Key = ("alice", Manual, Preferred, false);
        let new: Key = ("alice-other-issuer", Harvested, New, false);
        let table: [(Choice, &[Key], Outcome); 15] = [
            (
                Approve,
                &[new, old],
                Ok(vec![
                    (1, Preferred, false, false),
                    (2, Additional, false, false),
                ]),
            ),
            // An imported key makes room only because an administrator says so.
            (
                Prefer,
                &[new, imported],
                Ok(vec![
                    (1, Preferred, false, false),
                    (2, Additional, false, false),
                ]),
            ),
            (
                Pin,
                &[new, old],
                Ok(vec![
                    (1, Preferred, true, false),
                    (2, Additional, false, false),
                ]),
            ),
            (
                Prefer,
                &[imported, ("alice-encrypt", Manual, Preferred, false)],
                Ok(vec![(2, Additional, false, false)]),
            ),
            // A pinned one is in the way of every other.
            (
                Approve,
                &[new, ("alice", Harvested, Preferred, true)],
                Err(R::OtherPinned(2)),
            ),
            (
                Pin,
                &[new, ("alice", Manual, Preferred, true)],
                Err(R::OtherPinned(2)),
            ),
            (
                Block,
                &[("alice", Harvested, Preferred, true)],
                Err(R::Pinned),
            ),
            (
                Pin,
                &[("alice", Harvested, Preferred, true)],
                Err(R::Pinned),
            ),
            (
                Unpin,
                &[("alice", Harvested, Preferred, true), new],
                Ok(vec![(1, Preferred, false, false)]),
            ),
            (
                Prefer,
                &[("alice-expired", Harvested, Additional, false)],
                Err(R::Expired),
            ),
            (
                Pin,
                &[("alice-sign", Manual, Preferred, false)],
                Err(R::Unusable),
            ),
            // Where somebody can be asked, only after the answer.
            (
                Unblock,
                &[("alice-crl", Harvested, Blocked, false)],
                Ok(vec![(1, Pending, false, true)]),
            ),
            (
                Unblock,
                &[("alice-crl", Manual, Blocked, false)],
                Ok(vec![(1, Preferred, false, true)]),
            ),
            (
                Unblock,
                &[("alice-newer", Harvested, Blocked, false), old],
                Ok(vec![
                    (1, Preferred, false, true),
                    (2, Additional, false, false),
                ]),
            ),
            (
                Unblock,
                &[("alice-other-issuer", Harvested, Blocked, false), old],
                Ok(vec![(1, New, false, true)]),
            ),
        ];
        for (choice, of, expected) in table {
            assert_eq!(chosen(of, choice), expected, "{choice:?} {of:?}");
        }
    }
}
