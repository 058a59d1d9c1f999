//! Key rings: what is shown of them, and what purging takes away for good.

use sealgate_core::change::{Change, ImportKeys, KeyOrigin};
use sealgate_core::tenant::{InboundRoute, KeyId, OrganisationId};

use crate::testing::{NOW, World, address, certificate, domain, host, key, world};
use crate::{Purge, Purged, RingKey, StoreError};

fn upload(name: &str) -> Change {
    Change::ImportKeys(ImportKeys {
        mailbox: address("us@example.com"),
        pairs: vec![(certificate(name), key(name))],
        chain: Vec::new(),
        origin: KeyOrigin::Uploaded,
    })
}

/// A mailbox with an old and a current key.
async fn with_ring() -> World {
    let world = world().await;
    let route = InboundRoute {
        name: "office".into(),
        domains: vec![domain("example.com")],
        target: host("10.0.0.5"),
        wildcard: false,
    };
    let mailbox = address("us@example.com");
    let changes = [
        Change::PutRoute(route),
        Change::AddMailbox(mailbox),
        upload("us"),
        upload("us-rsa"),
    ];
    let store = &world.store;
    store.apply("example", &changes, "test", NOW).await.unwrap();
    world
}

async fn ring(world: &World) -> Vec<RingKey> {
    let mailbox = address("us@example.com");
    world
        .store
        .key_ring(world.organisation, &mailbox)
        .await
        .unwrap()
}

async fn purge(world: &World, which: Purge) -> Result<Purged, StoreError> {
    let mailbox = address("us@example.com");
    let of = (world.organisation, &mailbox);
    world.store.purge_keys(of, which, "anna", NOW).await
}

#[tokio::test]
async fn a9_a_ring_shows_what_each_key_is_for() {
    let world = with_ring().await;
    let ring = ring(&world).await;
    let shown: Vec<_> = ring
        .iter()
        .map(|key| (key.id.0, key.signing, key.encryption, key.to_be_revoked))
        .collect();
    assert_eq!(shown, [(2, true, true, false), (1, false, false, false)]);
    assert_eq!((ring[0].origin, ring[0].added), (KeyOrigin::Uploaded, NOW));
    let elsewhere = address("us@example.com");
    let foreign = world.store.key_ring(OrganisationId(9), &elsewhere).await;
    assert_eq!(foreign.unwrap(), []);
}

#[tokio::test]
async fn a9_purged_keys_are_gone_and_nothing_else() {
    let world = with_ring().await;
    world.store.key_pair(KeyId(1)).await.unwrap();
    let before = world.store.version().await.unwrap();
    let purged = purge(&world, Purge::AllOld).await.unwrap();
    assert_eq!(
        (purged.keys.as_slice(), purged.kept.as_slice()),
        (&[KeyId(1)][..], &[][..])
    );
    assert!(purged.version > before, "every process hears of it");
    world.store.forget_keys();
    let gone = world.store.key_pair(KeyId(1)).await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))));
    world.store.key_pair(KeyId(2)).await.unwrap();
    assert_eq!(ring(&world).await.len(), 1);
    let audit = world.store.audit(0, 100).await.unwrap();
    let last = audit.last().unwrap();
    assert_eq!(
        (last.who.as_str(), last.text.as_str()),
        ("anna", "purge key 1 of us@example.com")
    );
    // Nothing more to do: no change.
    let again = purge(&world, Purge::AllOld).await.unwrap();
    assert_eq!((again.keys, again.version), (Vec::new(), purged.version));
    // The same pair may be uploaded again.
    let again = [upload("us")];
    world
        .store
        .apply("example", &again, "test", NOW)
        .await
        .unwrap();
    assert_eq!(ring(&world).await.len(), 2);
}

#[tokio::test]
async fn a9_what_is_still_needed_is_not_purged() {
    let world = with_ring().await;
    let these = |ids: &[i64]| Purge::These(ids.iter().copied().map(KeyId).collect());
    for (ids, word) in [
        (&[2][..], "deactivate the mailbox first"),
        // One that cannot be purged keeps all.
        (&[1, 2], "deactivate the mailbox first"),
        (&[1, 7], "has no key 7"),
    ] {
        let refused = purge(&world, these(ids)).await.unwrap_err().to_string();
        assert!(refused.contains(word), "{refused}");
    }
    let elsewhere = address("other@example.com");
    let of = (world.organisation, &elsewhere);
    let foreign = world.store.purge_keys(of, these(&[1]), "anna", NOW).await;
    assert!(matches!(foreign, Err(StoreError::NotFound(_))));
    world
        .store
        .raw(
            "INSERT INTO revocations (id, organisation, mailbox, key, reason, asked, attempts)
              SELECT 1, organisation, mailbox, 1, 'superseded', 0, 0 FROM keys WHERE id = 1",
        )
        .await
        .unwrap();
    let refused = purge(&world, these(&[1])).await.unwrap_err().to_string();
    assert!(refused.contains("still to be revoked"), "{refused}");
    let purged = purge(&world, Purge::AllOld).await.unwrap();
    assert_eq!((purged.keys.len(), purged.kept.len()), (0, 1));
    assert_eq!(ring(&world).await.len(), 2);
    // Once that is confirmed, it may go.
    world
        .store
        .raw("UPDATE revocations SET confirmed = 1")
        .await
        .unwrap();
    assert_eq!(purge(&world, these(&[1])).await.unwrap().keys, [KeyId(1)]);
}
