//! The life of a DKIM key, and what its row tells nobody.

use sealgate_core::change::Change;
use sealgate_core::dkim::{DkimKey, DkimKeyKind, Selector};
use sealgate_core::tenant::{InboundRoute, Settings};
use sealgate_mail::Timestamp;
use sealgate_smime::aws::{Generate, Pkey};
use sealgate_smime::key::PrivateKey;

use crate::testing::{NOW, World, domain, host, world};
use crate::{NewDkimKey, StoreError};

async fn with_route() -> World {
    let world = world().await;
    let route = InboundRoute {
        name: "office".into(),
        domains: vec![domain("example.com"), domain("other.example.com")],
        target: host("10.0.0.1"),
        wildcard: false,
    };
    world
        .store
        .apply("example", &[Change::PutRoute(route)], "test", NOW)
        .await
        .unwrap();
    world
}

/// Quick to make; the store does not look at it.
fn private() -> PrivateKey {
    let key = Pkey::generate(Generate::Ed25519).unwrap();
    PrivateKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap()
}

fn new(world: &World, name: &str, kind: DkimKeyKind) -> NewDkimKey {
    NewDkimKey {
        organisation: world.organisation,
        domain: domain(name),
        selector: None,
        kind,
        key: private(),
    }
}

async fn make(world: &World, kind: DkimKeyKind) -> Result<DkimKey, StoreError> {
    let new = new(world, "example.com", kind);
    world.store.create_dkim_key(new, "test", NOW).await
}

/// Every key with its state: `sealgate1 new, sealgate2 active`.
async fn states(world: &World) -> String {
    let keys = world.store.dkim_keys(world.organisation).await.unwrap();
    let shown: Vec<_> = keys
        .iter()
        .map(|key| format!("{} {}", key.selector, key.state.as_str()))
        .collect();
    shown.join(", ")
}

/// Says that the key's record was seen; `true` if that changed something.
async fn seen(world: &World, key: &DkimKey, (who, at): (&str, Timestamp)) -> bool {
    let which = (world.organisation, key.id);
    let done = world.store.activate_dkim_key(which, who, at).await;
    done.unwrap()
}

#[tokio::test]
async fn made_activated_rotated_retired_and_gone() {
    let world = with_route().await;
    let store = &world.store;
    let kind = DkimKeyKind::Ed25519;
    let first = make(&world, kind).await.unwrap();
    let again = make(&world, kind).await.unwrap_err().to_string();
    assert!(again.contains("waits for its record"), "{again}");
    let rsa = make(&world, DkimKeyKind::Rsa2048).await.unwrap();
    assert!(seen(&world, &first, ("test", NOW)).await);
    assert!(!seen(&world, &first, ("test", NOW)).await);
    let second = make(&world, kind).await.unwrap();
    let expected = "sealgate1 active, sealgate2 new, sealgate3 new";
    assert_eq!(states(&world).await, expected);
    let later = Timestamp(NOW.0 + 100);
    assert!(seen(&world, &second, ("gateway", later)).await);
    assert!(seen(&world, &rsa, ("test", later)).await);
    let expected = "sealgate1 retired, sealgate2 active, sealgate3 active";
    assert_eq!(states(&world).await, expected);
    let active = store.active_dkim_keys(world.organisation, &first.domain);
    let kinds: Vec<_> = active.await.unwrap().iter().map(|key| key.kind).collect();
    assert_eq!(kinds, [DkimKeyKind::Rsa2048, DkimKeyKind::Ed25519]);
    // A retired key stays retired, and goes after seven days and not before.
    assert!(!seen(&world, &first, ("test", later)).await);
    let end = Timestamp(later.0 + 7 * 86_400);
    store.sweep_dkim_keys(Timestamp(end.0 - 1)).await.unwrap();
    assert_eq!(states(&world).await, expected);
    store.sweep_dkim_keys(end).await.unwrap();
    let expected = "sealgate2 active, sealgate3 active";
    assert_eq!(states(&world).await, expected);
    let which = (world.organisation, rsa.id);
    store.remove_dkim_key(which, "test", later).await.unwrap();
    assert!(store.remove_dkim_key(which, "test", later).await.is_err());
    assert!(store.dkim_private_key(rsa.id).await.is_err());
    assert_eq!(told(&world).await, expected_lines());
}

/// The lines of the audit log about DKIM keys.
async fn told(world: &World) -> Vec<(String, String)> {
    let audit = world.store.audit(0, 100).await.unwrap();
    let lines = audit.into_iter().filter(|line| line.text.contains("DKIM"));
    lines.map(|line| (line.who, line.text)).collect()
}

fn expected_lines() -> Vec<(String, String)> {
    let line = |(who, key, what): (&str, &str, &str)| {
        let text = format!("DKIM key {key}._domainkey.example.com {what}");
        (who.to_owned(), text)
    };
    [
        ("test", "sealgate1", "made, ed25519"),
        ("test", "sealgate2", "made, rsa-2048"),
        ("test", "sealgate1", "signs"),
        ("test", "sealgate3", "made, ed25519"),
        ("gateway", "sealgate1", "no longer signs"),
        ("gateway", "sealgate3", "signs"),
        ("test", "sealgate2", "signs"),
        ("gateway", "sealgate1", "removed"),
        ("test", "sealgate2", "removed"),
    ]
    .into_iter()
    .map(line)
    .collect()
}

#[tokio::test]
async fn only_for_domains_of_the_organisation() {
    let world = with_route().await;
    let elsewhere = new(&world, "elsewhere.example", DkimKeyKind::Ed25519);
    let refused = world.store.create_dkim_key(elsewhere, "test", NOW).await;
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("no inbound route"), "{text}");
    let key = make(&world, DkimKeyKind::Ed25519).await.unwrap();
    let stranger = world
        .store
        .create_organisation("stranger", Settings::default(), "test", NOW)
        .await
        .unwrap();
    let store = &world.store;
    let foreign = (stranger, key.id);
    assert!(store.activate_dkim_key(foreign, "test", NOW).await.is_err());
    assert!(store.remove_dkim_key(foreign, "test", NOW).await.is_err());
    assert!(store.dkim_keys(stranger).await.unwrap().is_empty());
    store
        .activate_dkim_key((world.organisation, key.id), "test", NOW)
        .await
        .unwrap();
    let theirs = store.active_dkim_keys(stranger, &key.domain).await.unwrap();
    assert!(theirs.is_empty());
}

#[tokio::test]
async fn selectors_are_unique_in_their_domain() {
    let world = with_route().await;
    let named = |name: &str, kind| NewDkimKey {
        selector: Some(Selector::parse("mail").unwrap()),
        ..new(&world, name, kind)
    };
    let store = &world.store;
    let one = named("example.com", DkimKeyKind::Ed25519);
    store.create_dkim_key(one, "test", NOW).await.unwrap();
    let same = named("example.com", DkimKeyKind::Rsa2048);
    let refused = store.create_dkim_key(same, "test", NOW).await.unwrap_err();
    assert!(
        refused.to_string().contains("selector mail already"),
        "{refused}"
    );
    let other = named("other.example.com", DkimKeyKind::Ed25519);
    store.create_dkim_key(other, "test", NOW).await.unwrap();
}

#[tokio::test]
async fn a_moved_or_changed_key_does_not_open() {
    for change in [
        "UPDATE dkim_keys SET selector = 'other'",
        "UPDATE dkim_keys SET domain = 'other.example.com'",
        "UPDATE dkim_keys SET organisation = 2",
        "UPDATE dkim_keys SET id = id + 1",
        "UPDATE dkim_keys SET public = 'QUJD'",
        "UPDATE dkim_keys SET sealed = x'00'",
    ] {
        let world = with_route().await;
        let other = Settings::default();
        let made = world.store.create_organisation("other", other, "test", NOW);
        made.await.unwrap();
        let key = make(&world, DkimKeyKind::Ed25519).await.unwrap();
        let mut id = key.id;
        world.store.dkim_private_key(id).await.unwrap();
        world.store.raw(change).await.unwrap();
        if change.contains("id + 1") {
            id.0 += 1;
        }
        let opened = world.store.dkim_private_key(id).await;
        assert!(
            matches!(opened, Err(StoreError::Damaged(_))),
            "{change}: {opened:?}"
        );
    }
}
