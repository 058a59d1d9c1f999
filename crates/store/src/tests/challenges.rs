//! Challenge mails: which order waits for one, and that challenge, answer and order change together or not at all.

use sealgate_core::authority::{AcmeSettings, Connector, OrderId};
use sealgate_core::challenge::{Expected, OpenOrder};
use sealgate_core::change::{Change, NewAuthority};
use sealgate_core::journal::MailStatus;
use sealgate_core::limits::CHALLENGE_ANSWERS;
use sealgate_core::saying::Saying;

use crate::testing::{NOW, World, acceptance, address, content, copies, line, record, world};
use crate::{Answered, Answering, Delivery, OverviewFilter};

const ALICE: &str = "alice@example.com";

fn expected(token: &str) -> Expected {
    Expected {
        from: address("acme@ca.example"),
        token: token.to_owned(),
        thumbprint: "thumb".to_owned(),
    }
}

/// The answer to a challenge, as the gateway makes it.
async fn answering(world: &World, token: &str, answered: &str) -> Answering {
    let text = content(&world.store, b"From: a\r\n\r\nanswer").await;
    let mut copies = copies(&world.store, &text, &["acme@ca.example"]).await;
    Answering {
        order: OrderId(7),
        expected: expected(token),
        token: answered.to_owned(),
        record: record(world.organisation),
        line: line("acme@ca.example", MailStatus::Challenge),
        copy: copies.remove(0),
        note: Some(Saying::words("no key")),
    }
}

/// With an order of alice at an ACME server, whose notes are these.
async fn with_order(state: &'static str, handle: &'static str) -> World {
    let world = world().await;
    let settings = AcmeSettings {
        directory: "https://ca.example/directory".to_owned(),
        contact: Vec::new(),
        external_account: None,
        account_key: "key".to_owned(),
        tls_roots: None,
        unsigned_challenges: true,
    };
    let new = NewAuthority {
        name: "ca".to_owned(),
        standard: false,
        renew_days: None,
        connector: Some(Connector::Acme(settings)),
    };
    let change = [Change::PutAuthority(new)];
    world
        .store
        .apply("example", &change, "test", NOW)
        .await
        .unwrap();
    let authority = world.store.number("SELECT MAX(id) FROM authorities").await;
    let insert = format!(
        "INSERT INTO orders (id, organisation, mailbox, address, authority, purpose, key_kind, state, handle, attempts, due,
                             created)
         VALUES (7, {}, '{ALICE}', '{ALICE}', {authority}, 'activation', 'p256', '{state}', {handle}, 0, {}, {})",
        world.organisation.0,
        NOW.0 + 60,
        NOW.0,
    );
    world.store.raw(insert.leak()).await.unwrap();
    world
}

const NOTES: &str = r#"'{"account":"a","expected":{"from":"acme@ca.example","token":"part-2","thumbprint":"thumb"}}'"#;
const OTHER_NOTES: &str = r#"'{"account":"a","expected":{"from":"acme@ca.example","token":"next-2","thumbprint":"thumb"}}'"#;

async fn challenged(world: &World) -> Option<OpenOrder> {
    let mailbox = address("Alice@Example.com");
    let found = world.store.order_challenged(world.organisation, &mailbox);
    found.await.unwrap()
}

#[tokio::test]
async fn which_orders_wait_for_a_challenge() {
    for (state, handle, open) in [
        ("new", "NULL", None),
        ("asking", "NULL", Some(None)),
        ("waiting", "'serial 7'", Some(None)),
        ("waiting", NOTES, Some(Some(expected("part-2")))),
    ] {
        let world = with_order(state, handle).await;
        let found = challenged(&world).await;
        let order = |expected| OpenOrder {
            order: OrderId(7),
            expected,
            unsigned: true,
            answered: None,
            answers: 0,
        };
        // Nobody asks its authority now: it failed, and no mail is held up until it is asked again.
        let leased = state == "waiting";
        assert_eq!(found, open.clone().filter(|_| leased).map(order), "{state}");
        let lease = format!("UPDATE orders SET lease = {}", NOW.0);
        world.store.raw(lease.leak()).await.unwrap();
        assert_eq!(challenged(&world).await, open.map(order), "{state}");
        let bob = address("bob@example.com");
        let other = world.store.order_challenged(world.organisation, &bob).await;
        assert_eq!(other.unwrap(), None);
        world
            .store
            .raw("UPDATE orders SET ended = 1")
            .await
            .unwrap();
        assert_eq!(challenged(&world).await, None);
    }
}

#[tokio::test]
async fn a_challenge_and_its_answer_are_one_change() {
    let world = with_order("waiting", NOTES).await;
    let answer = answering(&world, "part-2", "part-1").await;
    let challenge = acceptance(world.organisation, &[ALICE]);
    assert_eq!(
        world.store.answer_of(OrderId(7)).await.unwrap(),
        Answered::default()
    );
    let taken = world
        .store
        .accept_challenge(challenge, Some(answer))
        .await
        .unwrap();
    let found = challenged(&world).await.unwrap();
    assert_eq!(found.answered.as_deref(), Some("part-1"));
    let rows = world.store.overview(OverviewFilter {
        limit: 9,
        ..OverviewFilter::default()
    });
    let rows = rows.await.unwrap();
    let deliveries: Vec<_> = rows
        .iter()
        .map(|row| (row.delivery, row.mail == taken.mail()))
        .collect();
    assert!(deliveries.contains(&(Delivery::Answered, true)));
    assert!(deliveries.contains(&(Delivery::Waiting, false)));
    let waiting = world.store.answer_of(OrderId(7)).await.unwrap();
    assert_eq!(
        (waiting.delivery, waiting.is_delivered()),
        (Some(Delivery::Waiting), false)
    );
    assert_eq!(
        (waiting.failure(), waiting.note),
        (None, Some(Saying::words("no key")))
    );
    // Once more: nothing of it is kept, not even the second mail.
    let mails = world.store.number("SELECT COUNT(*) FROM mails").await;
    let answer = answering(&world, "part-2", "part-1").await;
    let challenge = acceptance(world.organisation, &[ALICE]);
    assert!(
        world
            .store
            .accept_challenge(challenge, Some(answer))
            .await
            .is_err()
    );
    assert_eq!(
        world.store.number("SELECT COUNT(*) FROM mails").await,
        mails
    );
    // The same again, without an answer.
    let challenge = acceptance(world.organisation, &[ALICE]);
    world.store.accept_challenge(challenge, None).await.unwrap();
    assert_eq!(world.store.number("SELECT COUNT(*) FROM copies").await, 1);
    // Others of the same challenge, as many as are answered.
    for number in 2..=CHALLENGE_ANSWERS + 1 {
        let token = format!("other-{number}");
        let answer = answering(&world, "part-2", &token).await;
        let challenge = acceptance(world.organisation, &[ALICE]);
        let taken = world.store.accept_challenge(challenge, Some(answer)).await;
        assert_eq!(taken.is_ok(), number <= CHALLENGE_ANSWERS, "{number}");
        let found = challenged(&world).await.unwrap();
        assert_eq!(found.answers, number.min(CHALLENGE_ANSWERS));
    }
}

#[tokio::test]
async fn an_order_goes_on_when_its_answer_is_settled() {
    for (delivery, delivered, failed) in [
        ("delivered", true, false),
        ("failed", false, true),
        ("held", false, true),
        ("waiting", false, false),
    ] {
        let world = with_order("waiting", NOTES).await;
        let answer = answering(&world, "part-2", "part-1").await;
        let challenge = acceptance(world.organisation, &[ALICE]);
        world
            .store
            .accept_challenge(challenge, Some(answer))
            .await
            .unwrap();
        let statement = format!(
            "UPDATE lines SET delivery = '{delivery}', delivery_text = '550 no' WHERE status = 'challenge'"
        );
        world.store.raw(statement.leak()).await.unwrap();
        let found = world.store.answer_of(OrderId(7)).await.unwrap();
        assert_eq!(
            (found.is_delivered(), found.failure().is_some()),
            (delivered, failed)
        );
        assert!(
            found
                .failure()
                .is_none_or(|why| why.to_string().ends_with("550 no"))
        );
        let reply = world.store.number("SELECT reply FROM orders").await;
        let mail = sealgate_core::queue::MailId(reply);
        world.store.answer_settled(mail, NOW.plus(5)).await.unwrap();
        assert_eq!(
            world.store.number("SELECT due FROM orders").await,
            NOW.0 + 5
        );
    }
}

#[tokio::test]
async fn the_next_challenge_of_an_order_is_another_one() {
    let world = with_order("waiting", NOTES).await;
    let answer = answering(&world, "part-2", "part-1").await;
    let challenge = acceptance(world.organisation, &[ALICE]);
    world
        .store
        .accept_challenge(challenge, Some(answer))
        .await
        .unwrap();
    let statement = format!("UPDATE orders SET handle = {OTHER_NOTES}");
    world.store.raw(statement.leak()).await.unwrap();
    assert_eq!(challenged(&world).await.unwrap().answered, None);
    assert_eq!(
        world.store.answer_of(OrderId(7)).await.unwrap(),
        Answered::default()
    );
    let answer = answering(&world, "next-2", "next-1").await;
    let challenge = acceptance(world.organisation, &[ALICE]);
    world
        .store
        .accept_challenge(challenge, Some(answer))
        .await
        .unwrap();
    assert_eq!(
        challenged(&world).await.unwrap().answered.as_deref(),
        Some("next-1")
    );
    // An order that has ended takes none.
    let world = with_order("waiting", NOTES).await;
    world
        .store
        .raw("UPDATE orders SET ended = 1")
        .await
        .unwrap();
    let answer = answering(&world, "part-2", "part-1").await;
    let challenge = acceptance(world.organisation, &[ALICE]);
    assert!(
        world
            .store
            .accept_challenge(challenge, Some(answer))
            .await
            .is_err()
    );
}
