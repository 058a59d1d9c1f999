//! What becomes of a correspondent key that was asked about again: pending keys whose answer has come are used, revoked ones
//! never again (spec.md section 5). What an administrator imported never changes by itself.

use sealgate_mail::Timestamp;
use sealgate_smime::revocation::Status;

use crate::harvest::{self, Harvested};
use crate::limits::{ASK_AGAIN, ASK_FIRST};
use crate::tenant::{CorrespondentKey, CorrespondentState, Origin, RevocationMode};

/// A key that was asked about.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The key.
    pub key: &'a CorrespondentKey,
    /// All keys of its address, itself among them.
    pub existing: &'a [CorrespondentKey],
    /// How often in a row there was no answer before.
    pub failures: u32,
    /// What a missing answer means in its organisation.
    pub mode: RevocationMode,
    /// The time.
    pub now: Timestamp,
}

/// What happens to the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stays as it is.
    Same,
    /// It leaves `pending`.
    Promoted(Harvested),
    /// An answer is required and missing: it is pending until there is one.
    Unanswered,
    /// It was revoked at this time: it is blocked.
    Revoked(Timestamp),
    /// The same for a key that an administrator imported or pinned: it stays, and the administrators are told.
    RevokedManual(Timestamp),
}

/// What is decided about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What happens to it.
    pub verdict: Verdict,
    /// How often in a row there was no answer now.
    pub failures: u32,
    /// When it is asked about again; `None`: never.
    pub ask_at: Option<Timestamp>,
}

/// Decides by the state of the key's path. What [`Status::Revoked`] says counts whatever its date (see
/// [`Status::is_revoked`]).
pub fn decide(situation: Situation<'_>, status: Status) -> Decided {
    let Situation { key, now, .. } = situation;
    let manual = key.origin == Origin::Manual || key.pinned;
    let decided = |verdict, failures, ask_at| Decided {
        verdict,
        failures,
        ask_at,
    };
    let later = Some(now.plus(ASK_AGAIN));
    match (status, key.state) {
        // An administrator may unblock it.
        (_, CorrespondentState::Blocked) => decided(Verdict::Same, 0, later),
        (Status::Revoked(at), _) if manual => decided(Verdict::RevokedManual(at), 0, None),
        (Status::Revoked(at), _) => decided(Verdict::Revoked(at), 0, None),
        (Status::NotNamed, _) => decided(situation.good(), 0, None),
        (Status::Good, _) => decided(situation.good(), 0, later),
        (Status::Unknown, state) => {
            let required = situation.mode == RevocationMode::Hard && !manual;
            let verdict = match state {
                CorrespondentState::Pending => Verdict::Same,
                _ if required => Verdict::Unanswered,
                _ => Verdict::Same,
            };
            Decided {
                verdict,
                ..put_off(situation.failures, now)
            }
        }
    }
}

/// A key stays as it is after `failures` and one more in a row, and is asked about again later, so that others get their turn.
pub fn put_off(failures: u32, now: Timestamp) -> Decided {
    let failures = failures.saturating_add(1);
    Decided {
        verdict: Verdict::Same,
        failures,
        ask_at: Some(now.plus(pause(failures))),
    }
}

impl Situation<'_> {
    fn good(&self) -> Verdict {
        if self.key.state != CorrespondentState::Pending {
            return Verdict::Same;
        }
        let promoted = harvest::promoted(self.key, self.existing, self.now);
        promoted.map_or(Verdict::Same, Verdict::Promoted)
    }
}

/// Seconds until the next question after so many without an answer: twice as long each time, up to the usual time.
fn pause(failures: u32) -> i64 {
    let doublings = failures.saturating_sub(1).min(16);
    ASK_FIRST.saturating_mul(1_i64 << doublings).min(ASK_AGAIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testdata::certificate;
    use CorrespondentState::{Additional, Blocked, New, Pending, Preferred};
    use Origin::{Harvested as Learned, Manual};
    use RevocationMode::{Hard, Soft};

    /// 2026-11-22.
    const NOW: Timestamp = Timestamp(1_795_305_600);
    const THEN: Timestamp = Timestamp(1_795_300_000);

    fn key(id: i64, name: &str, origin: Origin, state: CorrespondentState) -> CorrespondentKey {
        let certificate = certificate(name);
        CorrespondentKey {
            id,
            address: certificate.addresses()[0].clone(),
            certificate,
            origin,
            state,
            pinned: false,
            added: NOW,
            announced: None,
        }
    }

    fn asked(
        (state, origin): (CorrespondentState, Origin),
        mode: RevocationMode,
        status: Status,
    ) -> Decided {
        let key = key(1, "alice", origin, state);
        let situation = Situation {
            key: &key,
            existing: std::slice::from_ref(&key),
            failures: 2,
            mode,
            now: NOW,
        };
        decide(situation, status)
    }

    #[test]
    fn x9_what_an_answer_does_to_a_key() {
        use Status::{Good, NotNamed, Revoked, Unknown};
        let day = Some(NOW.plus(ASK_AGAIN));
        let soon = Some(NOW.plus(4 * ASK_FIRST));
        let table = [
            ((Pending, Learned), Soft, Good, "promoted", day),
            ((Pending, Learned), Hard, Good, "promoted", day),
            ((Pending, Learned), Soft, NotNamed, "promoted", None),
            ((Pending, Learned), Soft, Unknown, "same", soon),
            ((Pending, Learned), Hard, Unknown, "same", soon),
            ((Pending, Learned), Soft, Revoked(THEN), "revoked", None),
            ((Preferred, Learned), Soft, Good, "same", day),
            ((Preferred, Learned), Soft, NotNamed, "same", None),
            ((Preferred, Learned), Soft, Unknown, "same", soon),
            ((Preferred, Learned), Hard, Unknown, "unanswered", soon),
            ((Additional, Learned), Hard, Unknown, "unanswered", soon),
            ((New, Learned), Hard, Unknown, "unanswered", soon),
            ((Preferred, Learned), Soft, Revoked(THEN), "revoked", None),
            ((New, Learned), Soft, Revoked(THEN), "revoked", None),
            ((Preferred, Manual), Soft, Revoked(THEN), "told", None),
            ((Preferred, Manual), Hard, Unknown, "same", soon),
            ((Preferred, Manual), Soft, Good, "same", day),
            ((Blocked, Learned), Soft, Revoked(THEN), "same", day),
            ((Blocked, Learned), Soft, Good, "same", day),
        ];
        for (given, mode, status, expected, ask_at) in table {
            let decided = asked(given, mode, status);
            let verdict = match decided.verdict {
                Verdict::Same => "same",
                Verdict::Promoted(_) => "promoted",
                Verdict::Unanswered => "unanswered",
                Verdict::Revoked(_) => "revoked",
                Verdict::RevokedManual(_) => "told",
            };
            assert_eq!(
                (verdict, decided.ask_at),
                (expected, ask_at),
                "{given:?} {mode:?} {status:?}"
            );
            assert_eq!(decided.failures, if status == Unknown { 3 } else { 0 });
        }
    }

    #[test]
    fn x9_a_pinned_key_stays_and_administrators_are_told() {
        let pinned = CorrespondentKey {
            pinned: true,
            ..key(1, "alice", Learned, Preferred)
        };
        for (status, expected) in [
            (Status::Revoked(THEN), Verdict::RevokedManual(THEN)),
            (Status::Unknown, Verdict::Same),
            (Status::Good, Verdict::Same),
        ] {
            let situation = Situation {
                key: &pinned,
                existing: std::slice::from_ref(&pinned),
                failures: 0,
                mode: Hard,
                now: NOW,
            };
            assert_eq!(decide(situation, status).verdict, expected, "{status:?}");
        }
    }

    #[test]
    fn x9_a_promoted_key_takes_its_place_among_the_others() {
        let table = [
            (vec![], Preferred, vec![]),
            (
                vec![key(1, "alice", Learned, Preferred)],
                Preferred,
                vec![1],
            ),
            (
                vec![key(1, "alice-other-issuer", Learned, Preferred)],
                New,
                vec![],
            ),
            (vec![key(1, "alice", Manual, Preferred)], Additional, vec![]),
            (vec![key(1, "alice", Learned, Blocked)], Preferred, vec![]),
        ];
        for (others, state, superseded) in table {
            let pending = key(2, "alice-newer", Learned, Pending);
            let existing = [others, vec![pending.clone()]].concat();
            let situation = Situation {
                key: &pending,
                existing: &existing,
                failures: 0,
                mode: Soft,
                now: NOW,
            };
            let Verdict::Promoted(harvested) = decide(situation, Status::Good).verdict else {
                panic!("{existing:?}");
            };
            assert_eq!((harvested.state, harvested.superseded), (state, superseded));
        }
    }

    #[test]
    fn questions_without_an_answer_are_asked_ever_less_often() {
        assert_eq!(pause(1), ASK_FIRST);
        assert_eq!(pause(2), 2 * ASK_FIRST);
        assert_eq!(pause(u32::MAX), ASK_AGAIN);
    }
}
