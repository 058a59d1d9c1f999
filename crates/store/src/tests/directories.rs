//! Directories, and keys that come from them and go.

use sealgate_core::directory::{Bind, Directory, Judged, Kept, Place, Protection, Said, Word};
use sealgate_core::harvest::{Choice, Harvested};
use sealgate_core::tenant::{CorrespondentKey, CorrespondentState, Origin};
use sealgate_mail::Timestamp;

use crate::testing::{NOW, World, address, certificate, domain, world};
use crate::{EventKind, SourceAnswer, StoreError};

const WHO: (&str, Timestamp) = ("test", NOW);

fn directory(name: &str) -> Directory {
    Directory {
        name: name.to_owned(),
        place: Place {
            host: "ldap.example".to_owned(),
            port: 636,
        },
        protection: Protection::Tls,
        bind: Some(Bind {
            dn: "cn=gateway".to_owned(),
            password: "the-password-of-the-directory".to_owned(),
        }),
        base: "dc=example".to_owned(),
        domains: vec![domain("partner.example")],
        attributes: vec!["userCertificate;binary".to_owned()],
        roots: None,
        reach: Default::default(),
    }
}

fn answer(source: &str, names: &[&str], new: &[(&str, CorrespondentState)]) -> SourceAnswer {
    let key = |(name, state): &(&str, CorrespondentState)| Harvested {
        address: address("alice@partner.example"),
        certificate: certificate(name),
        state: *state,
        superseded: Vec::new(),
        chain: Vec::new(),
        announced: None,
        known: None,
    };
    let said = if names.is_empty() {
        Said::Nothing
    } else {
        Said::Key
    };
    SourceAnswer {
        kept: Kept {
            word: Word {
                source: source.to_owned(),
                said: said.clone(),
            },
            ask_at: NOW.plus(60),
            heard: Some(NOW),
        },
        judged: Some(Judged {
            said,
            new: new.iter().map(key).collect(),
            has: names
                .iter()
                .map(|name| certificate(name).fingerprint())
                .collect(),
        }),
        origin: Origin::Ldap,
    }
}

async fn keep(world: &World, answer: SourceAnswer) {
    let alice = address("alice@partner.example");
    let kept = world
        .store
        .keep_source_answer(world.organisation, &alice, answer, NOW);
    kept.await.unwrap();
}

async fn keys(world: &World) -> Vec<CorrespondentKey> {
    let alice = address("alice@partner.example");
    let all = world
        .store
        .correspondents(world.organisation, std::slice::from_ref(&alice));
    all.await.unwrap().remove(&alice).unwrap_or_default()
}

async fn events(world: &World) -> Vec<(EventKind, String)> {
    let events = world.store.events(world.organisation, 0, 100).await;
    let events = events.unwrap().into_iter();
    events.map(|event| (event.kind, event.text)).collect()
}

#[tokio::test]
async fn directories_are_sealed_and_replaced() {
    let world = world().await;
    let put = |directory: Directory| {
        let (store, organisation) = (world.store.clone(), world.organisation);
        async move { store.put_directory(organisation, &directory, WHO).await }
    };
    put(directory("one")).await.unwrap();
    put(directory("two")).await.unwrap();
    let changed = Directory {
        bind: None,
        ..directory("one")
    };
    put(changed.clone()).await.unwrap();
    let all = world.store.directories(world.organisation).await.unwrap();
    assert_eq!(all, [changed, directory("two")]);
    let octets = world.directory.octets();
    for (path, octets) in octets {
        let password = b"the-password-of-the-directory";
        let found = octets
            .windows(password.len())
            .any(|window| window == password);
        assert!(!found, "{}", path.display());
    }
    for number in 2..10 {
        put(directory(&format!("more-{number}"))).await.unwrap();
    }
    let one_more = put(directory("too-many")).await;
    assert!(matches!(one_more, Err(StoreError::Refused(_))));
    put(directory("two")).await.unwrap();
    let organisation = world.organisation;
    let removed = world.store.remove_directory(organisation, "two", WHO);
    removed.await.unwrap();
    let again = world.store.remove_directory(organisation, "two", WHO).await;
    assert!(matches!(again, Err(StoreError::NotFound(_))));
}

#[tokio::test]
async fn keys_of_a_source_come_and_go() {
    let world = world().await;
    let preferred = CorrespondentState::Preferred;
    keep(
        &world,
        answer("directory one", &["alice"], &[("alice", preferred)]),
    )
    .await;
    let [key] = &keys(&world).await[..] else {
        panic!("one key");
    };
    assert_eq!((key.origin, key.state), (Origin::Ldap, preferred));
    let alice = address("alice@partner.example");
    let sources = world.store.source_keys(world.organisation, &alice);
    let [of_key] = &sources.await.unwrap()[..] else {
        panic!("one source");
    };
    assert_eq!(
        (of_key.key, of_key.source.as_str()),
        (key.id, "directory one")
    );
    let [(EventKind::KeyLearned, text)] = &events(&world).await[..] else {
        panic!("one event");
    };
    assert!(text.ends_with("; found in directory one"), "{text}");

    // No answer changes nothing, and the time of the last answer stays.
    let mut silent = answer("directory one", &[], &[]);
    silent.judged = None;
    silent.kept.heard = None;
    silent.kept.word.said = Said::no_answer("away");
    keep(&world, silent).await;
    assert_eq!(keys(&world).await.len(), 1);
    let answers = world.store.source_answers(world.organisation, &alice);
    let [kept] = &answers.await.unwrap()[..] else {
        panic!("one answer");
    };
    assert_eq!(kept.heard, Some(NOW));
    assert_eq!(kept.word.said, Said::no_answer("away"));

    // Another source has it too, and then the first has it no more.
    keep(&world, answer("directory two", &["alice"], &[])).await;
    keep(&world, answer("directory one", &[], &[])).await;
    assert_eq!(keys(&world).await.len(), 1);
    keep(&world, answer("directory two", &[], &[])).await;
    assert_eq!(keys(&world).await.len(), 0);
    let told = events(&world).await;
    let dropped = told
        .iter()
        .filter(|(kind, _)| *kind == EventKind::KeyDropped);
    assert_eq!(dropped.count(), 1, "{told:?}");
}

#[tokio::test]
async fn what_an_administrator_chose_stays() {
    let world = world().await;
    let preferred = CorrespondentState::Preferred;
    for choice in [Choice::Block, Choice::Pin] {
        let with = answer("directory one", &["alice"], &[("alice", preferred)]);
        keep(&world, with).await;
        let id = keys(&world).await[0].id;
        let chosen =
            world
                .store
                .choose_correspondent((world.organisation, id), choice, "test", NOW);
        chosen.await.unwrap();
        keep(&world, answer("directory one", &[], &[])).await;
        assert_eq!(keys(&world).await.len(), 1, "{choice:?}");
        if choice == Choice::Block {
            let unblocked = world.store.choose_correspondent(
                (world.organisation, id),
                Choice::Unblock,
                "test",
                NOW,
            );
            unblocked.await.unwrap();
        }
    }
}
