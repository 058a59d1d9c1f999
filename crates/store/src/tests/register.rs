//! The built-in CA and its register: one CA, one certificate for an order, revoked once and for good.

use sealgate_core::authority::{OrderId, RevocationReason};
use sealgate_core::ports::{Register, Registered, RevokedEntry};

use crate::testing::{NOW, World, certificate, key, world};
use crate::{BuiltInCa, IssuedCounts, StoreError};

#[tokio::test]
async fn the_built_in_ca_is_made_once() {
    let world = world().await;
    let second = world.second().await;
    let ca = |root: &str| BuiltInCa {
        root: certificate(root),
        root_key: key("us"),
        issuing: certificate("us"),
        issuing_key: key("bob"),
    };
    assert!(world.store.built_in_ca().await.unwrap().is_none());
    let (one, two) = (ca("root-one"), ca("root-two"));
    let (one, two) = tokio::join!(
        world.store.keep_built_in_ca(&one, "test", NOW),
        second.keep_built_in_ca(&two, "test", NOW)
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.root, two.root);
    assert_eq!(one.issuing_key.spki_der(), key("bob").spki_der());
    let lines = world.store.audit(0, 100).await.unwrap();
    let made = lines
        .iter()
        .filter(|line| line.text.starts_with("make the built-in CA"));
    assert_eq!(made.count(), 1);
    world
        .store
        .raw("UPDATE authority SET sealed_root = sealed_issuing")
        .await
        .unwrap();
    assert!(matches!(
        world.store.built_in_ca().await,
        Err(StoreError::Damaged(_))
    ));
}

/// Two orders of two mailboxes.
async fn with_orders() -> World {
    let world = world().await;
    world
        .store
        .raw(
            "INSERT INTO orders (id, organisation, mailbox, address, authority, purpose, key_kind, state, attempts, created)
             SELECT number, 1, mailbox, mailbox, (SELECT MIN(id) FROM authorities), 'x', 'p-256', 'x', 0, 0
             FROM (SELECT 1 AS number, 'alice@example.com' AS mailbox UNION SELECT 2, 'bob@example.com')",
        )
        .await
        .unwrap();
    world
}

#[tokio::test]
async fn an_order_has_one_certificate() {
    let mut world = with_orders().await;
    let (alice, bob) = (certificate("alice"), certificate("bob"));
    let second = world.second().await;
    assert_eq!(world.store.issued_for(OrderId(1)).await, Ok(None));
    let (one, two) = tokio::join!(
        world.store.record(OrderId(1), &alice, NOW),
        second.record(OrderId(1), &bob, NOW)
    );
    let first = one.unwrap();
    assert_eq!(two.unwrap(), first);
    world.crash().await;
    assert_eq!(
        world.store.issued_for(OrderId(1)).await,
        Ok(Some(first.clone()))
    );
    assert!(
        world.store.record(OrderId(3), &alice, NOW).await.is_err(),
        "no such order"
    );
    let issued = world.store.issued(world.organisation).await.unwrap();
    assert_eq!(issued.len(), 1);
    assert_eq!(issued[0].serial, first.serial_hex());
    assert_eq!(issued[0].mailbox.to_string(), "alice@example.com");
}

#[tokio::test]
async fn revoked_once_and_for_good() {
    let world = with_orders().await;
    let store = &world.store;
    let (alice, bob) = (certificate("alice"), certificate("bob"));
    store.record(OrderId(1), &alice, NOW).await.unwrap();
    store.record(OrderId(2), &bob, NOW).await.unwrap();
    let found = |revoked| {
        Ok(Some(Registered {
            fingerprint: alice.fingerprint(),
            revoked,
        }))
    };
    assert_eq!(store.find(alice.serial()).await, found(None));
    assert_eq!(store.find(&[1, 2, 3]).await, Ok(None));
    let first = RevocationReason::KeyCompromise;
    for (reason, at) in [(first, NOW), (RevocationReason::Superseded, NOW.plus(60))] {
        store.revoke(alice.serial(), reason, at).await.unwrap();
        assert_eq!(store.find(alice.serial()).await, found(Some((NOW, first))));
        assert_eq!(store.revocation_count().await, Ok(1));
    }
    store.revoke(&[1, 2, 3], first, NOW).await.unwrap();
    let entry = RevokedEntry {
        serial: alice.serial().to_vec(),
        at: NOW,
        reason: first,
    };
    let end = alice.not_after();
    // It leaves the list when the time to keep it is over, and a list made after its end named it, however late that was.
    let kept = 2 * 86_400;
    for (number, now, named) in [
        (1, end.plus(-1), true),
        (2, end.plus(9 * 86_400), true),
        (3, end.plus(9 * 86_400), false),
        (4, end.plus(1), true),
        (5, end.plus(kept), false),
        (6, end, true),
    ] {
        let (given, entries) = store.begin_list(now.plus(-kept), now).await.unwrap();
        let expected = if named {
            vec![entry.clone()]
        } else {
            Vec::new()
        };
        assert_eq!((given, entries), (number, expected));
    }
    let counts = IssuedCounts {
        issued: 2,
        revoked: 1,
    };
    assert_eq!(store.issued_counts().await.unwrap(), counts);
}

#[tokio::test]
async fn numbers_of_lists_grow() {
    let mut world = world().await;
    let mut last = 0;
    for _ in 0..3 {
        let (one, two) = (
            world.store.next_list_number().await.unwrap(),
            world.second().await.next_list_number().await.unwrap(),
        );
        assert!(last < one && one < two);
        last = two;
        world.crash().await;
    }
}
