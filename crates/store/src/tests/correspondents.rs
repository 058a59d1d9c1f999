//! Administrators' choices for correspondents' keys, and what time does to them: what is stored, told and audited.

use sealgate_core::change::Change;
use sealgate_core::harvest::{self, Choice, Harvested, Usable};
use sealgate_core::tenant::CorrespondentState::{self, Additional, Blocked, New, Preferred};
use sealgate_core::tenant::{CorrespondentKey, OrganisationId, Origin};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::path::TrustAnchors;
use sealgate_smime::profile::Profile;

use crate::testing::{NOW, World, certificate, world};
use crate::{CorrespondentFilter, CorrespondentQuery, EventKind, StoreError};

/// Keys of one address, learned in this order from mails of their own; each gets the next number.
async fn learn(world: &World, keys: &[(&str, CorrespondentState)]) {
    for (name, state) in keys {
        let mut acceptance = world
            .mail(b"To: a@x.example\r\n\r\n", &["a@x.example"])
            .await;
        acceptance.harvested = vec![Harvested {
            address: certificate("alice").addresses()[0].clone(),
            certificate: certificate(name),
            state: *state,
            superseded: Vec::new(),
            chain: vec![certificate("root-one")],
            announced: None,
            known: None,
        }];
        world.accept(acceptance).await;
    }
}

async fn choose(world: &World, id: i64, choice: Choice) -> Result<String, StoreError> {
    let which = (world.organisation, id);
    world
        .store
        .choose_correspondent(which, choice, "anna", NOW)
        .await
        .map(|said| said.to_string())
}

async fn listed(
    world: &World,
    filter: CorrespondentFilter,
) -> Vec<(i64, CorrespondentState, bool)> {
    let filter = CorrespondentFilter {
        limit: 10,
        ..filter
    };
    let keys = world
        .store
        .list_correspondents(world.organisation, filter)
        .await;
    let plain = keys.unwrap().into_iter();
    plain.map(|key| (key.id, key.state, key.pinned)).collect()
}

async fn all(world: &World) -> Vec<(i64, CorrespondentState, bool)> {
    listed(world, CorrespondentFilter::default()).await
}

/// The events after the first `after`.
async fn told(world: &World, after: i64) -> Vec<(EventKind, String)> {
    let events = world
        .store
        .events(world.organisation, after, 100)
        .await
        .unwrap();
    events
        .into_iter()
        .map(|event| (event.kind, event.text))
        .collect()
}

/// Mails are decided side by side: where two were decided before either was stored, or an administrator was quicker, the
/// keys as they stand count (row X9).
#[tokio::test]
async fn a_key_is_preferred_only_as_the_keys_stand() {
    let world = world().await;
    learn(
        &world,
        &[("alice", Preferred), ("alice-other-issuer", Preferred)],
    )
    .await;
    let expected = [(1, Preferred, false), (2, New, false)];
    assert_eq!(all(&world).await, expected);
    choose(&world, 1, Choice::Pin).await.unwrap();
    learn(&world, &[("alice-newer", Preferred)]).await;
    let states: Vec<_> = all(&world).await.into_iter().map(|key| key.1).collect();
    assert_eq!(states, [Preferred, New, Additional]);
}

#[tokio::test]
async fn choices_are_written_told_and_audited() {
    let world = world().await;
    learn(&world, &[("alice", Preferred), ("alice-other-issuer", New)]).await;
    let text = choose(&world, 2, Choice::Approve).await.unwrap();
    assert_eq!(
        text,
        "approve public key 2 of alice@partner.example: 2 is preferred, 1 is additional"
    );
    assert_eq!(
        all(&world).await,
        [(1, Additional, false), (2, Preferred, false)]
    );
    assert_eq!(
        told(&world, 2).await,
        [(EventKind::KeyChosen, text.clone())]
    );
    let audit = world.store.audit(0, 100).await.unwrap();
    let last = audit.last().unwrap();
    assert_eq!(
        (last.who.as_str(), last.text.as_str()),
        ("anna", text.as_str())
    );

    choose(&world, 1, Choice::Pin).await.unwrap();
    assert_eq!(
        all(&world).await,
        [(1, Preferred, true), (2, Additional, false)]
    );
    let refused = choose(&world, 2, Choice::Prefer).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "public key 2 of alice@partner.example: public key 1 of the same address is pinned; unpin that first"
    );
    // Nothing that is learned changes what is pinned.
    learn(&world, &[("alice-newer", Preferred)]).await;
    assert_eq!(all(&world).await[0], (1, Preferred, true));
    choose(&world, 1, Choice::Unpin).await.unwrap();
    choose(&world, 3, Choice::Block).await.unwrap();
    assert_eq!(
        all(&world).await,
        [
            (1, Preferred, false),
            (2, Additional, false),
            (3, Blocked, false)
        ]
    );
    // Without a preferred one the best of the others is used, and that is told.
    let before = told(&world, 0).await.len();
    choose(&world, 1, Choice::Block).await.unwrap();
    assert_eq!(all(&world).await[1], (2, Preferred, false));
    let kinds: Vec<_> = told(&world, i64::try_from(before).unwrap()).await;
    assert_eq!(kinds[0].0, EventKind::KeyChosen);
    assert_eq!(kinds[1].0, EventKind::KeyReplaced);
    assert_eq!(kinds.len(), 2);
    assert_eq!(world.store.audit_break().await.unwrap(), None);
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let world = world().await;
    learn(&world, &[("alice", Preferred)]).await;
    let (lines, events) = (
        world.store.audit(0, 100).await.unwrap(),
        told(&world, 0).await,
    );
    for choice in [
        Choice::Approve,
        Choice::Prefer,
        Choice::Unpin,
        Choice::Unblock,
    ] {
        let refused = choose(&world, 1, choice).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{choice:?}");
    }
    let unknown = choose(&world, 7, Choice::Block).await;
    assert!(matches!(unknown, Err(StoreError::NotFound(_))));
    let elsewhere = (OrganisationId(9), 1);
    let foreign = world
        .store
        .choose_correspondent(elsewhere, Choice::Block, "eve", NOW);
    assert!(matches!(foreign.await, Err(StoreError::NotFound(_))));
    let foreign = world.store.correspondent(OrganisationId(9), 1).await;
    assert!(matches!(foreign, Err(StoreError::NotFound(_))));
    assert_eq!(all(&world).await, [(1, Preferred, false)]);
    assert_eq!(world.store.audit(0, 100).await.unwrap(), lines);
    assert_eq!(told(&world, 0).await, events);
}

#[tokio::test]
async fn where_a_key_came_from_is_kept() {
    let world = world().await;
    learn(&world, &[("alice", Preferred)]).await;
    let shown = world
        .store
        .correspondent(world.organisation, 1)
        .await
        .unwrap();
    let mail = shown.mail.unwrap();
    assert_eq!(
        mail.header_from,
        Some(crate::testing::address("Alice@example.com"))
    );
    assert_eq!(
        (mail.message_id.as_deref(), mail.at),
        (Some("<1@example.com>"), Some(NOW))
    );
    let root = certificate("root-one");
    let [link] = shown.chain.as_slice() else {
        panic!("{:?}", shown.chain);
    };
    assert_eq!(link.subject, root.subject_name());
    assert_eq!(link.sha256, root.fingerprint_hex());
    assert_eq!(shown.ask_at, Some(NOW));
}

#[tokio::test]
async fn lists_are_filtered() {
    let world = world().await;
    let keys = [
        ("alice", Preferred),
        ("alice-expired", Additional),
        ("alice-other-issuer", New),
    ];
    learn(&world, &keys).await;
    let end = certificate("alice").not_after();
    let any = CorrespondentFilter::default;
    let alice = certificate("alice").addresses()[0].clone();
    for (filter, expected) in [
        (any(), vec![1, 2, 3]),
        (
            CorrespondentFilter {
                state: Some(New),
                ..any()
            },
            vec![3],
        ),
        (
            CorrespondentFilter {
                origin: Some(Origin::Manual),
                ..any()
            },
            vec![],
        ),
        (
            CorrespondentFilter {
                origin: Some(Origin::Harvested),
                after: Some(1),
                ..any()
            },
            vec![2, 3],
        ),
        (
            CorrespondentFilter {
                address: Some(alice),
                ..any()
            },
            vec![1, 2, 3],
        ),
        (
            CorrespondentFilter {
                address: Some(crate::testing::address("b@x.example")),
                ..any()
            },
            vec![],
        ),
        (
            CorrespondentFilter {
                expires: Some((end, end)),
                ..any()
            },
            vec![1],
        ),
        (
            CorrespondentFilter {
                expires: Some((NOW, end.plus(-1))),
                ..any()
            },
            vec![],
        ),
    ] {
        let found: Vec<_> = listed(&world, filter.clone()).await;
        let found: Vec<_> = found.into_iter().map(|(id, ..)| id).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn an_end_is_told_once_before_and_once_after() {
    let world = world().await;
    learn(&world, &[("alice", Preferred)]).await;
    let end = certificate("alice").not_after();
    let week = 7 * 86_400;
    let kinds = async |at| {
        while world.store.expire_correspondents(at).await.unwrap() {}
        let told = told(&world, 1).await;
        told.into_iter().map(|(kind, _)| kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(end.plus(-3 * week)).await, []);
    let (soon, gone) = (EventKind::KeyExpiring, EventKind::KeyExpired);
    for at in [end.plus(-2 * week), end.plus(-week), end] {
        assert_eq!(kinds(at).await, [soon]);
    }
    assert_eq!(kinds(end.plus(1)).await, [soon, gone]);
    assert_eq!(kinds(end.plus(week)).await, [soon, gone]);
}

#[tokio::test]
async fn a_new_key_takes_over_when_the_preferred_one_expires() {
    let world = world().await;
    learn(&world, &[("alice", Preferred), ("alice-other-issuer", New)]).await;
    let end = certificate("alice").not_after();
    assert!(certificate("alice-other-issuer").not_after() > end.plus(1));
    world.store.expire_correspondents(end).await.unwrap();
    assert_eq!(all(&world).await[1], (2, New, false));
    world
        .store
        .expire_correspondents(end.plus(1))
        .await
        .unwrap();
    assert_eq!(all(&world).await[1], (2, Preferred, false));
    let told = told(&world, 2).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, EventKind::KeyReplaced);
    assert!(
        told[0]
            .1
            .starts_with("public key 2 of alice@partner.example")
    );
}

#[tokio::test]
async fn events_are_listed_by_kind() {
    let world = world().await;
    learn(&world, &[("alice", Preferred), ("alice-other-issuer", New)]).await;
    choose(&world, 2, Choice::Approve).await.unwrap();
    let of = async |kind, after| {
        let events = world
            .store
            .events_of_kind(world.organisation, kind, after, 10);
        events.await.unwrap().len()
    };
    assert_eq!(of(None, 0).await, 3);
    assert_eq!(of(Some(EventKind::KeyLearned), 0).await, 2);
    assert_eq!(of(Some(EventKind::KeyLearned), 1).await, 1);
    assert_eq!(of(Some(EventKind::MailHeld), 0).await, 0);
}

const LEARNABLE: [&str; 5] = [
    "alice",
    "alice-newer",
    "alice-other-issuer",
    "alice-encrypt",
    "alice-crl",
];

/// One random step in the life of an address's keys.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A mail brings a certificate; `late`: it was decided when nothing was known yet.
    Mail { name: &'static str, late: bool },
    /// An administrator imports it.
    Import(&'static str),
    /// An administrator chooses.
    Choose(i64, Choice),
}

fn step(random: &mut u64) -> Step {
    let mut below = |count: usize| {
        *random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*random >> 33).unwrap() % count
    };
    let choices = [
        Choice::Approve,
        Choice::Prefer,
        Choice::Pin,
        Choice::Unpin,
        Choice::Block,
        Choice::Unblock,
    ];
    let name = LEARNABLE[below(LEARNABLE.len())];
    match below(8) {
        0..=2 => Step::Mail {
            name,
            late: below(2) == 0,
        },
        3 => Step::Import(name),
        _ => Step::Choose(i64::try_from(below(5)).unwrap() + 1, choices[below(6)]),
    }
}

async fn keys_of_alice(world: &World) -> Vec<CorrespondentKey> {
    let alice = certificate("alice").addresses()[0].clone();
    let found = world
        .store
        .correspondents(world.organisation, std::slice::from_ref(&alice))
        .await;
    found.unwrap().remove(&alice).unwrap_or_default()
}

fn used(keys: &[CorrespondentKey]) -> Vec<CorrespondentKey> {
    match harvest::usable(keys, &TrustAnchors::default(), Profile::Default, NOW) {
        Usable::Keys(keys) => keys,
        Usable::None | Usable::WeakOnly => Vec::new(),
    }
}

/// `false` if it was refused.
async fn take(world: &World, step: Step, before: &[CorrespondentKey]) -> bool {
    match step {
        Step::Mail { name, late } => {
            let alice = certificate("alice").addresses()[0].clone();
            let known = if late { &[] } else { before };
            let found = harvest::looked_up(&certificate(name), &alice, known, (false, NOW));
            let mut acceptance = world
                .mail(b"To: a@x.example\r\n\r\n", &["a@x.example"])
                .await;
            acceptance.harvested = found.into_iter().collect();
            world.accept(acceptance).await;
            true
        }
        Step::Import(name) => {
            let change = [Change::PutCorrespondent(certificate(name))];
            let done = world.store.apply("example", &change, "anna", NOW).await;
            done.is_ok()
        }
        Step::Choose(id, choice) => choose(world, id, choice).await.is_ok(),
    }
}

/// Whether a mail with this certificate may have made of `before` what is used now (spec.md section 5).
fn may_follow(before: &[CorrespondentKey], now: &[CorrespondentKey], new: &Certificate) -> bool {
    let numbers = |keys: &[CorrespondentKey]| keys.iter().map(|key| key.id).collect::<Vec<_>>();
    let gives_way = |key: &CorrespondentKey| {
        key.origin != Origin::Manual
            && !key.pinned
            && key.certificate.issuer().normal() == new.issuer().normal()
            && key.certificate.not_before() < new.not_before()
    };
    let only_new = matches!(now, [only] if only.certificate == *new);
    numbers(before) == numbers(now) || (only_new && before.iter().all(gives_way))
}

/// Row X9 and spec.md section 5: whatever comes, in whatever order.
#[tokio::test]
async fn no_mail_changes_what_an_administrator_chose() {
    let mut counts = [0; 3];
    for seed in 0..24_u64 {
        let (world, mut random) = (world().await, seed);
        let mut steps = Vec::new();
        for _ in 0..20 {
            let step = step(&mut random);
            steps.push(step);
            let before = keys_of_alice(&world).await;
            let done = take(&world, step, &before).await;
            let keys = keys_of_alice(&world).await;
            let (was, is) = (used(&before), used(&keys));
            let pinned: Vec<_> = keys.iter().filter(|key| key.pinned).collect();
            assert!(pinned.len() <= 1, "{steps:?}");
            let other = |key: &CorrespondentKey| pinned.first().is_some_and(|one| one.id != key.id);
            assert!(
                !is.iter().any(|key| key.state == Blocked || other(key)),
                "{steps:?}"
            );
            match step {
                Step::Mail { name, .. } => {
                    counts[0] += 1;
                    let hands_off = before.iter().any(|key| key.pinned);
                    let same = was == is;
                    assert!(same || !hands_off, "{steps:?}: {was:?} {is:?}");
                    assert!(
                        may_follow(&was, &is, &certificate(name)),
                        "{steps:?}: {was:?} {is:?}"
                    );
                    let states = |keys: &[CorrespondentKey]| {
                        let blocked = keys.iter().filter(|key| key.state == Blocked);
                        blocked.map(|key| key.id).collect::<Vec<_>>()
                    };
                    assert_eq!(states(&before), states(&keys), "{steps:?}");
                }
                Step::Choose(id, Choice::Approve | Choice::Prefer | Choice::Pin) if done => {
                    counts[1] += 1;
                    assert!(
                        matches!(&is[..], [only] if only.id == id),
                        "{steps:?}: {is:?}"
                    );
                }
                _ if !done => {
                    counts[2] += 1;
                    assert_eq!(before, keys, "{steps:?}");
                }
                _ => {}
            }
        }
    }
    assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
}

#[tokio::test]
async fn pages_are_in_the_order_of_addresses() {
    let world = world().await;
    let keys = [
        ("alice", Preferred),
        ("alice-expired", Additional),
        ("alice-other-issuer", New),
    ];
    learn(&world, &keys).await;
    let bob = certificate("bob");
    let change = [Change::PutCorrespondent(bob.clone())];
    let applied = world.store.apply("example", &change, "test", NOW).await;
    applied.unwrap();
    let any = CorrespondentQuery::default;
    let page = |query: CorrespondentQuery| {
        let query = CorrespondentQuery {
            limit: query.limit.max(1),
            ..query
        };
        let store = world.store.clone();
        async move {
            store
                .correspondent_page(world.organisation, &query)
                .await
                .unwrap()
        }
    };
    let everything = page(CorrespondentQuery { limit: 10, ..any() }).await;
    assert_eq!(everything.len(), 4);
    let mut one_by_one = Vec::new();
    let mut after = None;
    loop {
        let found = page(CorrespondentQuery { after, ..any() }).await;
        let Some(last) = found.first() else {
            break;
        };
        after = Some((last.key.address.clone(), last.key.certificate.fingerprint()));
        one_by_one.push(last.key.id);
    }
    let ids: Vec<i64> = everything.iter().map(|row| row.key.id).collect();
    assert_eq!(one_by_one, ids);
    let is_learned = everything.iter().map(|row| row.mail.is_some());
    assert_eq!(is_learned.filter(|learned| *learned).count(), 3);
    let local = bob.addresses()[0].local().to_owned();
    let table: Vec<(CorrespondentQuery, usize)> = vec![
        (
            CorrespondentQuery {
                search: Some(local),
                ..any()
            },
            1,
        ),
        (
            CorrespondentQuery {
                search: Some("nobody".into()),
                ..any()
            },
            0,
        ),
        (
            CorrespondentQuery {
                state: Some(New),
                ..any()
            },
            1,
        ),
        (
            CorrespondentQuery {
                origin: Some(Origin::Manual),
                ..any()
            },
            1,
        ),
        (
            CorrespondentQuery {
                ends_before: Some(NOW),
                ..any()
            },
            1,
        ),
        (
            CorrespondentQuery {
                ends_from: Some(NOW),
                ..any()
            },
            3,
        ),
        (
            CorrespondentQuery {
                pinned: true,
                ..any()
            },
            0,
        ),
    ];
    for (query, expected) in table {
        let query = CorrespondentQuery { limit: 10, ..query };
        assert_eq!(page(query.clone()).await.len(), expected, "{query:?}");
    }
    let counts = world.store.correspondent_counts(world.organisation).await;
    let counts = counts.unwrap();
    assert_eq!((counts.all, counts.new), (4, 1));
}
