//! Lists and answers are kept within bounds; keys are asked about when they are due, and change only as decided.

use sealgate_core::asking::{Decided, Verdict};
use sealgate_core::harvest::Harvested;
use sealgate_core::tenant::CorrespondentState::{self, Blocked, New, Pending, Preferred};
use sealgate_smime::revocation::Question;

use crate::limits::{EVIDENCE_OCTETS, EVIDENCE_ROWS};
use crate::testing::{NOW, World, certificate, world};
use crate::{CorrespondentFilter, DueKey, EventKind, Kept};

fn list(number: usize) -> Question {
    Question::Crl {
        url: format!("http://crl.example/{number}"),
        anchor: [0; 32],
    }
}

fn answer(request: &[u8]) -> Question {
    Question::Ocsp {
        url: "http://crl.example/0".into(),
        request: request.to_vec(),
    }
}

#[tokio::test]
async fn x7_what_was_had_is_kept_under_its_question() {
    let world = world().await;
    let store = &world.store;
    let at = |seconds| (NOW, NOW.plus(seconds));
    assert_eq!(store.evidence(&list(0)).await, Ok(None));
    store
        .keep_evidence(&list(0), b"list".to_vec(), at(100))
        .await
        .unwrap();
    store
        .keep_evidence(&answer(b"a"), b"answer".to_vec(), at(100))
        .await
        .unwrap();
    let kept = |body: &[u8], seconds, failures| {
        Ok(Some(Kept {
            body: Some(body.to_vec()),
            ask_at: NOW.plus(seconds),
            failures,
        }))
    };
    assert_eq!(store.evidence(&list(0)).await, kept(b"list", 100, 0));
    assert_eq!(store.evidence(&answer(b"a")).await, kept(b"answer", 100, 0));
    assert_eq!(store.evidence(&answer(b"b")).await, Ok(None));
    // A failure leaves what was had before, and success forgets failures.
    for failures in 1..=2 {
        store.no_evidence(&list(0), at(200)).await.unwrap();
        assert_eq!(store.evidence(&list(0)).await, kept(b"list", 200, failures));
    }
    store
        .keep_evidence(&list(0), b"newer".to_vec(), at(10_000))
        .await
        .unwrap();
    assert_eq!(store.evidence(&list(0)).await, kept(b"newer", 10_000, 0));
    // What settled nothing is asked for earlier, never later.
    for seconds in [500, 500, 20_000] {
        store.doubt_evidence(&list(0), seconds).await.unwrap();
        assert_eq!(store.evidence(&list(0)).await, kept(b"newer", 500, 0));
    }
    store.no_evidence(&list(1), at(300)).await.unwrap();
    let nothing = Kept {
        body: None,
        ask_at: NOW.plus(300),
        failures: 1,
    };
    assert_eq!(store.evidence(&list(1)).await, Ok(Some(nothing)));
}

#[tokio::test]
async fn x7_what_is_kept_is_bounded() {
    let world = world().await;
    let store = &world.store;
    let most = usize::try_from(EVIDENCE_OCTETS).unwrap() / 10;
    for number in 0..12 {
        let at = NOW.plus(i64::try_from(number).unwrap());
        store
            .keep_evidence(&list(number), vec![0; most], (at, at))
            .await
            .unwrap();
    }
    let octets = store.number("SELECT SUM(octets) FROM evidence").await;
    assert!(octets <= EVIDENCE_OCTETS, "{octets}");
    assert_eq!(
        store.evidence(&list(0)).await,
        Ok(None),
        "the oldest is gone"
    );
    assert!(store.evidence(&list(11)).await.unwrap().is_some());
    store
        .raw(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
             INSERT INTO evidence (question, octets, fetched, ask_at, failures) SELECT CAST(i AS BLOB), 0, 0, 0, 1 FROM n",
        )
        .await
        .unwrap();
    store.no_evidence(&list(99), (NOW, NOW)).await.unwrap();
    assert!(store.number("SELECT COUNT(*) FROM evidence").await <= EVIDENCE_ROWS);
    assert!(store.evidence(&list(99)).await.unwrap().is_some());
    // Places where nothing was had, however many are named, push out nothing that was.
    store
        .raw(
            "WITH RECURSIVE n(i) AS (SELECT 20001 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
             INSERT INTO evidence (question, octets, fetched, ask_at, failures) SELECT CAST(i AS BLOB), 0, 1 << 40, 0, 1 FROM n",
        )
        .await
        .unwrap();
    let after = (NOW.plus(1), NOW);
    store.no_evidence(&list(100), after).await.unwrap();
    assert!(store.number("SELECT COUNT(*) FROM evidence").await <= EVIDENCE_ROWS);
    let kept = store.evidence(&list(11)).await.unwrap();
    assert!(kept.is_some_and(|kept| kept.body.is_some()));
}

async fn learn(world: &World, name: &str, state: CorrespondentState) {
    let text = b"To: a@x.example\r\n\r\nhello\r\n";
    let mut acceptance = world.mail(text, &["a@x.example"]).await;
    acceptance.harvested = vec![harvested(name, state, vec![])];
    world.accept(acceptance).await;
}

fn harvested(name: &str, state: CorrespondentState, superseded: Vec<i64>) -> Harvested {
    Harvested {
        address: certificate("alice").addresses()[0].clone(),
        certificate: certificate(name),
        state,
        superseded,
        chain: Vec::new(),
        announced: None,
        known: None,
    }
}

async fn states(world: &World) -> Vec<CorrespondentState> {
    let filter = CorrespondentFilter {
        limit: 10,
        ..CorrespondentFilter::default()
    };
    let keys = world
        .store
        .list_correspondents(world.organisation, filter)
        .await
        .unwrap();
    keys.iter().map(|key| key.state).collect()
}

async fn due(world: &World, seconds: i64) -> Vec<DueKey> {
    world
        .store
        .keys_to_ask(NOW.plus(seconds), 10)
        .await
        .unwrap()
}

fn decided(verdict: Verdict, again: Option<i64>) -> Decided {
    Decided {
        verdict,
        failures: 0,
        ask_at: again.map(|seconds| NOW.plus(seconds)),
    }
}

#[tokio::test]
async fn x9_keys_are_asked_about_when_due_and_change_with_an_event() {
    let world = world().await;
    let store = &world.store;
    learn(&world, "alice", Preferred).await;
    learn(&world, "alice-newer", Pending).await;
    let keys = due(&world, 0).await;
    assert_eq!(keys.len(), 2, "new keys are due at once");
    let [preferred, pending]: [DueKey; 2] = keys.try_into().unwrap();
    store
        .asked(preferred.clone(), decided(Verdict::Same, Some(100)), NOW)
        .await
        .unwrap();
    let promoted = harvested("alice-newer", Preferred, vec![preferred.key.id]);
    store
        .asked(
            pending.clone(),
            decided(Verdict::Promoted(promoted.clone()), Some(50)),
            NOW,
        )
        .await
        .unwrap();
    assert_eq!(
        states(&world).await,
        [CorrespondentState::Additional, Preferred]
    );
    assert!(due(&world, 49).await.is_empty());
    assert_eq!(due(&world, 99).await.len(), 1);
    // What was judged is not there any more: nothing changes, and nobody is told twice.
    store
        .asked(pending, decided(Verdict::Promoted(promoted), Some(50)), NOW)
        .await
        .unwrap();
    let now_preferred = due(&world, 99).await.remove(0);
    store
        .asked(now_preferred, decided(Verdict::Revoked(NOW), None), NOW)
        .await
        .unwrap();
    assert_eq!(
        states(&world).await,
        [Preferred, Blocked],
        "the one before is used again"
    );
    assert_eq!(due(&world, i64::from(u32::MAX)).await.len(), 1);
    let events = store.events(world.organisation, 0, 10).await.unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::KeyLearned,
            EventKind::KeyLearned,
            EventKind::KeyLearned,
            EventKind::KeyRevoked,
            EventKind::KeyReplaced
        ]
    );
    assert!(events[3].text.contains("it was revoked at "), "{events:?}");
}

#[tokio::test]
async fn x9_a_key_without_its_answer_waits() {
    let world = world().await;
    learn(&world, "alice", New).await;
    let key = due(&world, 0).await.remove(0);
    world
        .store
        .asked(key, decided(Verdict::Unanswered, Some(10)), NOW)
        .await
        .unwrap();
    assert_eq!(states(&world).await, [Pending]);
}

#[tokio::test]
async fn issuers_are_found_up_the_chain_and_only_by_their_organisation() {
    let world = world().await;
    let other = world
        .store
        .create_organisation("other", Default::default(), "test", NOW)
        .await
        .unwrap();
    let leaf = certificate("alice");
    let root = certificate("root-one");
    let issuers = [root.clone(), certificate("root-two")];
    for organisation in [world.organisation, other] {
        let found = world.store.issuers(organisation, &leaf).await.unwrap();
        assert_eq!(found, []);
    }
    for _ in 0..2 {
        world
            .store
            .remember_issuers(world.organisation, &issuers, NOW)
            .await
            .unwrap();
    }
    let found = world.store.issuers(world.organisation, &leaf).await;
    let expected: Vec<_> = issuers
        .iter()
        .filter(|one| one.subject().normal() == leaf.issuer().normal())
        .cloned()
        .collect();
    assert_eq!(found, Ok(expected.clone()));
    assert_eq!(expected.len(), 1);
    assert_eq!(world.store.issuers(other, &leaf).await, Ok(vec![]));
}

/// Two keys of one address, the first due for longer.
async fn two_keys() -> (World, DueKey, DueKey) {
    let world = world().await;
    learn(&world, "alice", Preferred).await;
    learn(&world, "alice-newer", Pending).await;
    let keys = due(&world, 0).await;
    let [first, second]: [DueKey; 2] = keys.try_into().unwrap();
    (world, first, second)
}

async fn ids(world: &World, seconds: i64) -> Vec<i64> {
    let due = due(world, seconds).await;
    due.iter().map(|due| due.key.id).collect()
}

#[tokio::test]
async fn a_damaged_key_does_not_keep_the_others_waiting() {
    let (world, first, second) = two_keys().await;
    world
        .store
        .raw("UPDATE correspondents SET certificate = x'3000' WHERE id = (SELECT MIN(id) FROM correspondents)")
        .await
        .unwrap();
    let one = |seconds| world.store.keys_to_ask(NOW.plus(seconds), 1);
    assert!(one(0).await.unwrap().is_empty());
    let next = one(0).await.unwrap();
    assert_eq!(next.len(), 1);
    assert_eq!(next[0].key.id, second.key.id);
    // It may have been mended.
    let again = "SELECT ask_at FROM correspondents ORDER BY id LIMIT 1";
    assert_eq!(world.store.number(again).await, NOW.plus(86_400).0);
    assert_ne!(first.key.id, second.key.id);
}

/// A mail that comes while its sender's key is asked about is not forgotten, and a sender of many mails keeps nobody waiting.
#[tokio::test]
async fn a_key_that_is_to_be_asked_about_meanwhile_is_due_again() {
    let (world, first, second) = two_keys().await;
    let store = &world.store;
    let address = first.key.address.clone();
    for again in [Some(100), None] {
        let [first, second]: [DueKey; 2] = due(&world, 200).await.try_into().unwrap();
        assert!(first.since <= second.since);
        store
            .ask_soon(world.organisation, &address, NOW)
            .await
            .unwrap();
        store
            .asked(first.clone(), decided(Verdict::Same, again), NOW)
            .await
            .unwrap();
        // Due again, behind the one that was due before.
        assert_eq!(ids(&world, 0).await, [second.key.id, first.key.id]);
    }
    assert_eq!(ids(&world, 0).await, [first.key.id, second.key.id]);
    for key in due(&world, 0).await {
        store
            .asked(key, decided(Verdict::Same, Some(100)), NOW)
            .await
            .unwrap();
    }
    assert!(due(&world, 99).await.is_empty());
    store
        .ask_soon(world.organisation, &address, NOW.plus(50))
        .await
        .unwrap();
    assert_eq!(ids(&world, 50).await.len(), 2);
}

#[tokio::test]
async fn a_new_key_waits_behind_those_that_are_due() {
    let world = world().await;
    learn(&world, "alice", Preferred).await;
    let first = due(&world, 0).await.remove(0);
    world
        .store
        .asked(first.clone(), decided(Verdict::Same, Some(-5)), NOW)
        .await
        .unwrap();
    learn(&world, "alice-newer", Pending).await;
    assert_eq!(ids(&world, 0).await.first(), Some(&first.key.id));
}
