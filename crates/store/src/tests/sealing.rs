//! Nothing secret is on disk in clear, and no sealed row opens anywhere else (W7, W8).

use sealgate_core::change::{Change, ImportKeys, KeyOrigin};
use sealgate_core::queue::{Credentials, NextHop, Reach, TlsRequirement};
use sealgate_core::tenant::{InboundRoute, KeyId};

use crate::limits::CHUNK_OCTETS;
use crate::testing::{NOW, World, address, certificate, domain, host, key, pkcs8, world};
use crate::{BuiltInCa, StoreError};

const MARKER: &[u8] = b"Quite Unmistakable Marker";

/// An organisation with a route and two mailboxes, each with a key pair.
pub(crate) async fn with_keys() -> World {
    let world = world().await;
    let route = InboundRoute {
        name: "office".into(),
        domains: vec![
            domain("x.example"),
            domain("example.com"),
            domain("y.example"),
        ],
        target: host("10.0.0.1"),
        wildcard: false,
    };
    let import = |mailbox: &str, name: &str| {
        Change::ImportKeys(ImportKeys {
            mailbox: address(mailbox),
            pairs: vec![(certificate(name), key(name))],
            chain: vec![certificate("root-one")],
            origin: KeyOrigin::Uploaded,
        })
    };
    let changes = [
        Change::PutRoute(route),
        Change::AddMailbox(address("alice@example.com")),
        Change::AddMailbox(address("bob@example.com")),
        import("alice@example.com", "alice"),
        import("bob@example.com", "bob"),
    ];
    world
        .store
        .apply("example", &changes, "test", NOW)
        .await
        .unwrap();
    world
}

/// The octets as they are, and in base64 at the three offsets.
fn forms(octets: &[u8]) -> Vec<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut forms = vec![octets.to_vec()];
    for offset in 0..3 {
        let whole = &octets[offset..offset + (octets.len() - offset) / 3 * 3];
        let encode = |three: &[u8]| {
            let bits = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
            [18, 12, 6, 0].map(|shift| ALPHABET[(bits >> shift & 63) as usize])
        };
        forms.push(whole.chunks(3).flat_map(encode).collect());
    }
    forms
}

fn assert_nowhere(world: &World, octets: &[u8], what: &str) {
    for (path, content) in world.directory.octets() {
        for form in forms(octets) {
            let found = content.windows(form.len()).any(|window| window == form);
            assert!(!found, "{what} in {}", path.display());
        }
    }
}

#[tokio::test]
async fn neither_mail_nor_keys_nor_passwords_are_on_disk_in_clear() {
    let world = with_keys().await;
    let text = [
        b"To: a@x.example\r\nSubject: ",
        MARKER,
        b"\r\n\r\n",
        MARKER,
        b"\r\n",
    ]
    .concat();
    let large = [text.clone(), vec![b'x'; 2 * CHUNK_OCTETS], MARKER.to_vec()].concat();
    for content in [text, large] {
        let acceptance = world.mail(&content, &["a@x.example"]).await;
        world.accept(acceptance).await;
    }
    let ca = BuiltInCa {
        root: certificate("root-one"),
        root_key: key("us"),
        issuing: certificate("us"),
        issuing_key: key("us"),
    };
    world
        .store
        .keep_built_in_ca(&ca, "test", NOW)
        .await
        .unwrap();
    let credentials = Some(Credentials {
        user: "us".into(),
        password: String::from_utf8(MARKER.to_vec()).unwrap(),
    });
    let smarthost = NextHop::Host {
        host: "relay".into(),
        port: 587,
        tls: TlsRequirement::Verified,
        credentials,
        reach: Reach::Everywhere,
    };
    world
        .store
        .apply(
            "example",
            &[Change::Smarthost(Some(smarthost.clone()))],
            "test",
            NOW,
        )
        .await
        .unwrap();
    assert_nowhere(&world, MARKER, "mail text or password");
    for name in ["alice", "bob", "us"] {
        let pkcs8 = pkcs8(name);
        // The private number itself: of a P-256 key in PKCS#8 it follows the tag and length 04 20.
        let at = pkcs8.windows(2).position(|pair| pair == [4, 32]).unwrap() + 2;
        assert_nowhere(&world, &pkcs8, name);
        assert_nowhere(&world, &pkcs8[at..at + 32], name);
    }
    // The search itself finds what is there.
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        assert_nowhere(&world, b"alice@example.com", "")
    }));
    assert!(found.is_err());
    assert_eq!(
        world.store.described("example").await.unwrap().smarthost,
        Some(smarthost)
    );
}

#[tokio::test]
async fn key_pairs_come_back_with_their_chain() {
    let mut world = with_keys().await;
    world.crash().await;
    for (mailbox, name) in [("alice@example.com", "alice"), ("bob@example.com", "bob")] {
        let ring = world
            .store
            .ring(world.organisation, &address(mailbox))
            .await
            .unwrap();
        assert_eq!(ring.len(), 1);
        let pair = world.store.key_pair(ring[0].key).await.unwrap();
        assert_eq!(pair.certificate, certificate(name));
        assert!(pair.key.matches(&pair.certificate));
        assert_eq!(pair.chain, [certificate("root-one")]);
    }
    assert!(matches!(
        world.store.key_pair(KeyId(99)).await,
        Err(StoreError::NotFound(_))
    ));
}

#[tokio::test]
async fn w8_swapped_rows_do_not_open() {
    let acceptance_of = |world: &World, text: &'static [u8]| {
        let world = (world.store.clone(), world.organisation);
        async move {
            let content = crate::testing::content(&world.0, text).await;
            let copies = crate::testing::copies(&world.0, &content, &["a@x.example"]).await;
            crate::Acceptance {
                copies,
                ..crate::testing::acceptance(world.1, &["a@x.example"])
            }
        }
    };
    // Private keys: the blob, the whole row's owner, the number.
    for change in [
        "CREATE TEMP TABLE other AS SELECT id, sealed FROM keys;
         UPDATE keys SET sealed = (SELECT sealed FROM other WHERE other.id <> keys.id)",
        "UPDATE keys SET mailbox = CASE id WHEN 1 THEN 'bob@example.com' ELSE 'alice@example.com' END",
        "UPDATE keys SET organisation = 2",
    ] {
        let mut world = with_keys().await;
        world
            .store
            .create_organisation("second", Default::default(), "test", NOW)
            .await
            .unwrap();
        world.store.raw(change).await.unwrap();
        world.crash().await;
        for id in [1, 2] {
            let outcome = world.store.key_pair(KeyId(id)).await;
            assert!(
                matches!(outcome, Err(StoreError::Damaged(_))),
                "{change}: {outcome:?}"
            );
        }
    }
    // Heads and contents of two mails.
    let world = world().await;
    for text in [
        b"To: a@x.example\r\n\r\none\r\n",
        b"To: a@x.example\r\n\r\ntwo\r\n",
    ] {
        let acceptance = acceptance_of(&world, text).await;
        world.accept(acceptance).await;
    }
    let swap = "CREATE TEMP TABLE other AS SELECT id, whole FROM contents;
                UPDATE contents SET whole = (SELECT whole FROM other WHERE other.id <> contents.id)";
    world.store.raw(swap).await.unwrap();
    let leased = world.store.lease_due(NOW, 10, 60).await.unwrap();
    assert_eq!(leased.len(), 2);
    for leased in leased {
        let error = crate::testing::read_all(leased.content, 0)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("sealed record"), "{error}");
    }
    world
        .store
        .raw("UPDATE copies SET head = (SELECT c.head FROM copies c WHERE c.id <> copies.id)")
        .await
        .unwrap();
    // One row has the other's head; it does not open, and does not keep the other from being sent.
    let leased = world.store.lease_due(NOW.plus(60), 10, 60).await.unwrap();
    assert_eq!(leased.len(), 1);
    world
        .store
        .raw("UPDATE copies SET head = zeroblob(64)")
        .await
        .unwrap();
    let outcome = world.store.lease_due(NOW.plus(120), 10, 60).await;
    assert!(matches!(outcome, Err(StoreError::Damaged(_))));
}

#[tokio::test]
async fn w8_content_cannot_be_cut_off_or_reordered() {
    for (change, from) in [
        ("UPDATE contents SET octets = 524288", 0),
        (
            "UPDATE chunks SET sealed = (SELECT c.sealed FROM chunks c WHERE c.number = 1) WHERE number = 0",
            0,
        ),
        (
            "DELETE FROM chunks WHERE number = 2",
            2 * CHUNK_OCTETS as u64,
        ),
    ] {
        let world = world().await;
        let content = [
            b"To: a@x.example\r\n\r\n".to_vec(),
            vec![b'x'; 3 * CHUNK_OCTETS - 100],
        ]
        .concat();
        let acceptance = world.mail(&content, &["a@x.example"]).await;
        world.accept(acceptance).await;
        world.store.raw(change).await.unwrap();
        let leased = world.store.lease_due(NOW, 10, 60).await.unwrap().remove(0);
        assert!(
            crate::testing::read_all(leased.content, from)
                .await
                .is_err(),
            "{change}"
        );
    }
}
