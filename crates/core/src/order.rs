//! Orders for certificates and their revocations: what an authority's answer makes of them, and when it is asked next.
//!
//! Exactly once: an order is durable, with key and request, before an authority hears of it; from then on it is asked how far
//! the order is, and only if it knows of none the same request is made again.

use sealgate_mail::{Address, Timestamp};
use sealgate_smime::certificate::Certificate;
use serde::{Deserialize, Serialize};

use crate::authority::{AuthorityFailure, Progress, Revoked};
use crate::limits::{
    ORDER_ALARM, ORDER_LIFETIME, ORDER_RETRY_FIRST, ORDER_RETRY_LONGEST, RETRY_AFTER_LONGEST,
    REVOCATION_RETRY_LONGEST,
};
use crate::saying::{Certificates as Said, Refusals, Saying};

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderState {
    /// No authority has heard of it.
    New,
    /// An authority may have heard of it: what it said was not kept.
    Asking,
    /// The authority has it.
    Waiting,
    /// Its certificate is there.
    Issued,
    /// It ended without a certificate.
    Failed,
    /// It was taken back.
    Withdrawn,
}

/// What an order is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The first certificate of a mailbox.
    Activation,
    /// The next one, ahead of the end of the present one or asked for.
    Renewal,
    /// The next one, and the present ones are revoked as superseded when it is there.
    Replacement,
}

/// What an authority is asked about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// To issue.
    Request,
    /// How far it is.
    Collect,
}

impl OrderState {
    /// What to ask next; nothing of an order that has ended.
    pub const fn verb(self) -> Option<Verb> {
        match self {
            Self::New => Some(Verb::Request),
            Self::Asking | Self::Waiting => Some(Verb::Collect),
            Self::Issued | Self::Failed | Self::Withdrawn => None,
        }
    }
}

/// An order as far as its next step depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What it is for.
    pub purpose: Purpose,
    /// Failures in a row.
    pub failures: u32,
    /// When it was opened.
    pub created: Timestamp,
    /// Whether it may wait as long as it takes: an administrator carries it.
    pub by_hand: bool,
}

/// What an answer makes of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is issued; what came is still to be judged ([`judge`]).
    Issued(Vec<Certificate>),
    /// The authority works on it.
    Wait {
        /// The connector's notes.
        handle: String,
        /// When to ask again.
        due: Timestamp,
    },
    /// The authority knows no such order: request it.
    Request,
    /// Something failed; ask again.
    Again {
        /// When.
        due: Timestamp,
        /// Failures in a row by now.
        failures: u32,
        /// Why.
        error: Saying,
        /// Whether administrators are alarmed now.
        alarm: bool,
    },
    /// It will not be issued.
    Fail(Saying),
}

/// What the answer of an authority makes of an order.
pub fn after(order: Facts, answer: Result<Progress, AuthorityFailure>, now: Timestamp) -> Next {
    let in_vain = order.purpose == Purpose::Activation
        && !order.by_hand
        && now.since(order.created) >= ORDER_LIFETIME;
    let failure = match answer {
        Ok(Progress::Issued(certificates)) => return Next::Issued(certificates),
        Ok(Progress::Waiting { .. }) if in_vain => {
            let days = ORDER_LIFETIME / 86_400;
            return Next::Fail(Said::NotWithin { days }.into());
        }
        Ok(Progress::Waiting { handle, again_in }) => {
            // The longer it takes, the less often it is asked about.
            let patience = (now.since(order.created) / 20).min(ORDER_RETRY_LONGEST);
            let due = now.plus(again_in.max(patience).clamp(1, RETRY_AFTER_LONGEST));
            return Next::Wait { handle, due };
        }
        Ok(Progress::Unknown) => return Next::Request,
        Err(failure) => failure,
    };
    if failure.permanent || in_vain {
        return Next::Fail(failure.said);
    }
    let failures = order.failures.saturating_add(1);
    let wait = pause(failures, ORDER_RETRY_LONGEST);
    let asked = failure
        .retry_after
        .unwrap_or(0)
        .clamp(0, RETRY_AFTER_LONGEST);
    Next::Again {
        due: now.plus(wait.max(asked)),
        failures,
        error: failure.said,
        alarm: failures == ORDER_ALARM,
    }
}

/// What the answer of an authority makes of a revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextRevocation {
    /// It is revoked.
    Confirmed,
    /// Ask again: a revocation never ends without confirmation (A12).
    Again {
        /// When.
        due: Timestamp,
        /// Attempts by now.
        attempts: u32,
        /// Why, if it failed.
        error: Option<Saying>,
        /// Whether administrators are alarmed now.
        alarm: bool,
    },
}

/// What the answer of an authority makes of a revocation after `attempts` attempts.
pub fn after_revocation(
    attempts: u32,
    answer: Result<Revoked, AuthorityFailure>,
    now: Timestamp,
) -> NextRevocation {
    let error = match answer {
        Ok(Revoked::Confirmed) => return NextRevocation::Confirmed,
        Ok(Revoked::Waiting) => None,
        Err(failure) => Some(failure),
    };
    let attempts = attempts.saturating_add(1);
    let asked = error.as_ref().and_then(|failure| failure.retry_after);
    let wait = pause(attempts, REVOCATION_RETRY_LONGEST);
    NextRevocation::Again {
        due: now.plus(wait.max(asked.unwrap_or(0).clamp(0, RETRY_AFTER_LONGEST))),
        attempts,
        alarm: error.is_some() && attempts == ORDER_ALARM,
        error: error.map(|failure| failure.said),
    }
}

/// 1, 2, 4 ... minutes, at most `longest` seconds.
fn pause(failures: u32, longest: i64) -> i64 {
    let doublings = failures.saturating_sub(1).min(20);
    ORDER_RETRY_FIRST
        .saturating_mul(1_i64 << doublings)
        .min(longest)
}

/// What is done about a certificate that is not valid yet: it is asked for again when it is. Until then the present one signs,
/// and a first one leaves the activation pending. None if it is valid already.
pub fn early(chain: &[Certificate], failures: u32, now: Timestamp) -> Option<Next> {
    let from = chain.first()?.not_before();
    (now < from).then(|| Next::Again {
        due: from.min(now.plus(RETRY_AFTER_LONGEST)),
        failures,
        error: Said::ValidFrom { from }.into(),
        alarm: false,
    })
}

/// Whether what an authority issued is what was ordered: for this key and this mailbox, not over ([`early`]), good for mail.
pub fn judge(
    chain: &[Certificate],
    (address, spki): (&Address, &[u8]),
    now: Timestamp,
) -> Result<(), Saying> {
    let Some(own) = chain.first() else {
        return Err(Said::NoneGiven {}.into());
    };
    if own.spki_der() != spki {
        return Err(Said::ForOtherKey {}.into());
    }
    if !own.addresses().contains(address) {
        return Err(Said::NamesOther {
            address: address.to_string(),
        }
        .into());
    }
    if now >= own.not_after() {
        return Err(Said::HasExpired {}.into());
    }
    own.may_sign().map_err(|refusal| {
        let why = Refusals::from(refusal).into();
        Said::CannotSign { why }.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testdata::certificate;

    const NOW: Timestamp = Timestamp(1_795_305_600);
    const DAY: i64 = 86_400;

    fn facts(failures: u32, age: i64, purpose: Purpose) -> Facts {
        Facts {
            purpose,
            failures,
            created: NOW.plus(-age),
            by_hand: false,
        }
    }

    fn failed(failures: u32, failure: AuthorityFailure) -> Next {
        after(facts(failures, 0, Purpose::Renewal), Err(failure), NOW)
    }

    #[test]
    fn what_is_asked_in_each_state() {
        use OrderState as S;
        let table = [
            (S::New, Some(Verb::Request)),
            (S::Asking, Some(Verb::Collect)),
            (S::Waiting, Some(Verb::Collect)),
            (S::Issued, None),
            (S::Failed, None),
            (S::Withdrawn, None),
        ];
        for (state, verb) in table {
            assert_eq!(state.verb(), verb);
        }
    }

    #[test]
    fn failures_are_tried_again_ever_later_with_one_alarm() {
        let waits = [
            60, 120, 240, 480, 960, 1_920, 3_840, 7_680, 15_360, 21_600, 21_600,
        ];
        for (before, wait) in (0..).zip(waits) {
            let expected = Next::Again {
                due: NOW.plus(wait),
                failures: before + 1,
                error: Said::NoneGiven {}.into(),
                alarm: before + 1 == 5,
            };
            assert_eq!(
                failed(before, AuthorityFailure::passing(Said::NoneGiven {})),
                expected
            );
        }
        assert!(matches!(
            failed(u32::MAX, AuthorityFailure::passing(Said::NoneGiven {})),
            Next::Again { .. }
        ));
    }

    #[test]
    fn an_authority_may_ask_for_a_longer_wait() {
        for (asked, wait) in [(10, 60), (3_600, 3_600), (i64::MAX, 7 * DAY), (-5, 60)] {
            let failure = AuthorityFailure {
                retry_after: Some(asked),
                ..AuthorityFailure::passing(Said::NoneGiven {})
            };
            let Next::Again { due, .. } = failed(0, failure) else {
                panic!()
            };
            assert_eq!(due, NOW.plus(wait), "{asked}");
        }
        let waiting = Progress::Waiting {
            handle: "h".into(),
            again_in: 0,
        };
        let slow = after(
            facts(0, 3_600, Purpose::Activation),
            Ok(waiting.clone()),
            NOW,
        );
        assert!(
            matches!(slow, Next::Wait { due, .. } if due == NOW.plus(180)),
            "{slow:?}"
        );
        let next = after(facts(3, 0, Purpose::Activation), Ok(waiting), NOW);
        assert_eq!(
            next,
            Next::Wait {
                handle: "h".into(),
                due: NOW.plus(1)
            }
        );
    }

    #[test]
    fn only_an_activation_ends_in_vain() {
        let away = || Err(AuthorityFailure::passing(Said::NoneGiven {}));
        let table = [
            (Purpose::Activation, 13 * DAY, false),
            (Purpose::Activation, 14 * DAY, true),
            (Purpose::Renewal, 40 * DAY, false),
            (Purpose::Replacement, 40 * DAY, false),
        ];
        for (purpose, age, fails) in table {
            let next = after(facts(90, age, purpose), away(), NOW);
            assert_eq!(matches!(next, Next::Fail(_)), fails, "{purpose:?} {age}");
        }
        let waiting = |by_hand, purpose| {
            let facts = Facts {
                by_hand,
                ..facts(0, 14 * DAY, purpose)
            };
            let answer = Progress::Waiting {
                handle: String::new(),
                again_in: 60,
            };
            matches!(after(facts, Ok(answer), NOW), Next::Fail(_))
        };
        assert!(waiting(false, Purpose::Activation));
        assert!(!waiting(true, Purpose::Activation) && !waiting(false, Purpose::Renewal));
        let refused = after(
            facts(0, 0, Purpose::Renewal),
            Err(AuthorityFailure::permanent(Said::NoneGiven {})),
            NOW,
        );
        assert_eq!(refused, Next::Fail(Said::NoneGiven {}.into()));
    }

    #[test]
    fn a12_a_revocation_never_gives_up() {
        assert_eq!(
            after_revocation(3, Ok(Revoked::Confirmed), NOW),
            NextRevocation::Confirmed
        );
        for (before, wait, alarm) in [
            (0, 60, false),
            (4, 960, true),
            (5, 1_920, false),
            (400, DAY, false),
        ] {
            let away = Err(AuthorityFailure::permanent(Said::NoneGiven {}));
            let expected = NextRevocation::Again {
                due: NOW.plus(wait),
                attempts: before + 1,
                error: Some(Said::NoneGiven {}.into()),
                alarm,
            };
            assert_eq!(after_revocation(before, away, NOW), expected);
        }
        let waiting = after_revocation(4, Ok(Revoked::Waiting), NOW);
        assert!(matches!(
            waiting,
            NextRevocation::Again {
                error: None,
                alarm: false,
                ..
            }
        ));
    }

    #[test]
    fn only_what_was_ordered_is_taken() {
        let alice = Address::parse("alice@partner.example").unwrap();
        let other = Address::parse("other@partner.example").unwrap();
        let own = certificate("alice");
        let key = own.spki_der();
        let good = |chain: &[Certificate], address: &Address, key: &[u8], now| {
            judge(chain, (address, key), now).is_ok()
        };
        assert!(good(std::slice::from_ref(&own), &alice, key, NOW));
        assert!(!good(&[], &alice, key, NOW));
        assert!(!good(std::slice::from_ref(&own), &other, key, NOW));
        assert!(!good(
            std::slice::from_ref(&own),
            &alice,
            certificate("bob").spki_der(),
            NOW
        ));
        assert!(!good(
            std::slice::from_ref(&own),
            &alice,
            key,
            own.not_after()
        ));
        assert!(!good(
            &[certificate("root-one")],
            &alice,
            certificate("root-one").spki_der(),
            NOW
        ));
    }

    #[test]
    fn a_certificate_is_asked_for_again_when_it_is_valid() {
        let chain = [certificate("alice")];
        let from = chain[0].not_before();
        let due = |now| match early(&chain, 2, now) {
            Some(Next::Again {
                due,
                failures: 2,
                alarm: false,
                ..
            }) => Some(due),
            None => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(due(from), None);
        assert_eq!(due(from.plus(-1)), Some(from));
        let month = from.plus(-30 * DAY);
        assert_eq!(due(month), Some(month.plus(RETRY_AFTER_LONGEST)));
        assert_eq!(early(&[], 0, from), None);
    }
}
