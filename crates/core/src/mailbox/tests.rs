use super::*;
use sealgate_mail::Timestamp;

use Command as C;
use Event as E;
use MailboxState as S;
use Refusal as R;

const THEN: Timestamp = Timestamp(1_000_000);
const NOW: Timestamp = Timestamp(2_000_000);

/// Every life there can be.
fn lives() -> Vec<Life> {
    let mut lives = Vec::new();
    for state in S::ALL {
        for ordered in [false, true] {
            for known in [false, true] {
                let possible = match state {
                    S::ActivationPending => ordered && known,
                    S::Active => known,
                    S::Inactive => !ordered,
                    S::RevokePending => !ordered,
                };
                if possible {
                    lives.push(Life {
                        state,
                        since: THEN,
                        ordered,
                        known,
                    });
                }
            }
        }
    }
    lives
}

fn life(state: S, ordered: bool) -> Life {
    Life {
        state,
        since: THEN,
        ordered,
        known: true,
    }
}

/// The table of ARCHITECTURE.md: for each command, what happens to an inactive, pending, active, active with an open order,
/// and revoke-pending mailbox.
#[test]
fn every_command_in_every_state() {
    type Cell = Result<&'static [E], R>;
    let table: [(C, [Cell; 5]); 11] = [
        (C::Add, [Ok(&[]), Ok(&[]), Ok(&[]), Ok(&[]), Ok(&[])]),
        (
            C::Activate,
            [
                Ok(&[E::ActivationOrdered]),
                Err(R::ActivationPending),
                Err(R::Active),
                Err(R::Active),
                Err(R::RevokePending),
            ],
        ),
        (
            C::Upload,
            [
                Ok(&[E::Activated]),
                Err(R::ActivationPending),
                Ok(&[E::Replaced]),
                Ok(&[E::OrderEnded, E::Replaced]),
                Err(R::RevokePending),
            ],
        ),
        (
            C::Deactivate,
            [
                Err(R::Inactive),
                Err(R::ActivationPending),
                Ok(&[E::Deactivated]),
                Ok(&[E::OrderEnded, E::Deactivated]),
                Err(R::RevokePending),
            ],
        ),
        (
            C::Renew,
            [
                Err(R::Inactive),
                Err(R::ActivationPending),
                Ok(&[E::RenewalOrdered]),
                Err(R::Ordered),
                Err(R::RevokePending),
            ],
        ),
        (
            C::Withdraw,
            [
                Err(R::NoOrder),
                Ok(&[E::ActivationEnded]),
                Err(R::NoOrder),
                Ok(&[E::OrderEnded]),
                Err(R::NoOrder),
            ],
        ),
        (
            C::Remove,
            [
                Ok(&[E::Hidden]),
                Ok(&[E::ActivationEnded, E::Hidden]),
                Ok(&[E::Deactivated, E::Hidden]),
                Ok(&[E::OrderEnded, E::Deactivated, E::Hidden]),
                Ok(&[E::Hidden]),
            ],
        ),
        (
            C::Issued,
            [
                Ok(&[E::SurplusIssued]),
                Ok(&[E::Activated]),
                Ok(&[E::SurplusIssued]),
                Ok(&[E::Renewed]),
                Ok(&[E::SurplusIssued]),
            ],
        ),
        (
            C::OrderFailed,
            [
                Err(R::NoOrder),
                Ok(&[E::ActivationEnded]),
                Err(R::NoOrder),
                Ok(&[E::OrderEnded]),
                Err(R::NoOrder),
            ],
        ),
        (
            C::Revoked,
            [Ok(&[]), Ok(&[]), Ok(&[]), Ok(&[]), Ok(&[E::Ended])],
        ),
        (
            C::WaitedOut,
            [
                Err(R::NoRevocation),
                Err(R::NoRevocation),
                Err(R::NoRevocation),
                Err(R::NoRevocation),
                Ok(&[E::Ended]),
            ],
        ),
    ];
    let columns = [
        life(S::Inactive, false),
        life(S::ActivationPending, true),
        life(S::Active, false),
        life(S::Active, true),
        life(S::RevokePending, false),
    ];
    assert_eq!(table.map(|(command, _)| command), C::ALL);
    for (command, cells) in table {
        for (life, expected) in columns.iter().zip(cells) {
            let found = decide(*life, command);
            assert_eq!(
                found,
                expected.map(<[E]>::to_vec),
                "{command:?} in {life:?}"
            );
        }
    }
}

/// Every event in every state: applying cannot fail, and an event leads to one state from wherever it is applied.
#[test]
fn s31_to_s35_every_event_in_every_state() {
    let table = [
        (E::ActivationOrdered, Some(S::ActivationPending), Some(true)),
        (E::ActivationEnded, Some(S::Inactive), Some(false)),
        (E::Activated, Some(S::Active), Some(false)),
        (E::RenewalOrdered, None, Some(true)),
        (E::Renewed, None, Some(false)),
        (E::OrderEnded, None, Some(false)),
        (E::Replaced, None, None),
        (E::Deactivated, Some(S::RevokePending), Some(false)),
        (E::Ended, Some(S::Inactive), Some(false)),
        (E::SurplusIssued, None, None),
        (E::Hidden, None, None),
        (E::Shown, None, None),
    ];
    for (event, state, ordered) in table {
        for before in S::ALL {
            for was_ordered in [false, true] {
                let after = life(before, was_ordered).apply(event, NOW);
                let found = (after.state, after.ordered, after.known);
                let expected = (
                    state.unwrap_or(before),
                    ordered.unwrap_or(was_ordered),
                    event != E::Hidden,
                );
                assert_eq!(found, expected, "{event:?} in {before:?}");
                let since = if state.is_some() { NOW } else { THEN };
                assert_eq!(after.since, since, "{event:?} in {before:?}");
            }
        }
    }
}

/// Whatever is commanded, a life stays one of those there can be.
#[test]
fn no_command_leads_to_an_impossible_life() {
    let possible = lives();
    assert_eq!(possible.len(), 7);
    for before in &possible {
        for command in C::ALL {
            // What is out of sight cannot be named by an administrator.
            let hidden = !before.known
                && matches!(command, C::Activate | C::Upload | C::Deactivate | C::Renew);
            let Ok(events) = decide(*before, command) else {
                continue;
            };
            let after = events
                .iter()
                .fold(*before, |life, event| life.apply(*event, NOW));
            let same_time = Life {
                since: THEN,
                ..after
            };
            assert!(
                hidden || possible.contains(&same_time),
                "{before:?} {command:?} {after:?}"
            );
        }
    }
}

/// S42: the way round, and no other way from one state to the next.
#[test]
fn s42_the_ring_of_states() {
    let next: std::collections::BTreeSet<(usize, usize)> = lives()
        .into_iter()
        .filter(|life| life.known)
        .flat_map(|before| C::ALL.map(|command| (before, command)))
        .filter_map(|(before, command)| {
            let events = decide(before, command).ok()?;
            let after = events
                .iter()
                .fold(before, |life, event| life.apply(*event, NOW));
            let index = |state| S::ALL.iter().position(|s| *s == state).unwrap();
            (before.state != after.state).then(|| (index(before.state), index(after.state)))
        })
        .collect();
    // The upload needs no order (0 to 2); an order that fails leads back (1 to 0).
    assert_eq!(
        next.into_iter().collect::<Vec<_>>(),
        [(0, 1), (0, 2), (1, 0), (1, 2), (2, 3), (3, 0)]
    );
}

#[test]
fn s14_a_licence_is_held_until_inactive() {
    assert_eq!(S::ALL.map(S::holds_licence), [false, true, true, true]);
}

#[test]
fn s35_revoke_pending_lasts_fourteen_days() {
    let day = 86_400;
    let pending = Life {
        state: S::RevokePending,
        since: THEN,
        ordered: false,
        known: true,
    };
    for (seconds, over) in [
        (0, false),
        (14 * day - 1, false),
        (14 * day, true),
        (30 * day, true),
    ] {
        assert_eq!(pending.waited_out(THEN.plus(seconds)), over);
    }
    assert!(!life(S::Active, false).waited_out(THEN.plus(30 * day)));
}

#[test]
fn a_removed_mailbox_goes_when_its_certificate_is_revoked() {
    let removed = decide(life(S::Active, false), C::Remove).unwrap();
    let hidden = removed.iter().fold(life(S::Active, false), |life, event| {
        life.apply(*event, NOW)
    });
    assert!(!hidden.is_gone() && !hidden.known);
    let ended = decide(hidden, C::Revoked).unwrap();
    let gone = ended
        .iter()
        .fold(hidden, |life, event| life.apply(*event, NOW));
    assert!(gone.is_gone());
    // Added again meanwhile, it stays.
    let shown = decide(hidden, C::Add).unwrap();
    assert_eq!(shown, [E::Shown]);
}
