//! Lists of certificates, orders, batches and revocations: what stands on them, page after page, and that an index answers.

use sealgate_core::authority::{BUILT_IN, OrderId};
use sealgate_core::change::{Activation, Change, ImportKeys, KeyOrigin};
use sealgate_core::order::{Next, OrderState};
use sealgate_core::saying::Saying;
use sealgate_core::tenant::InboundRoute;
use sealgate_smime::key::KeyKind;
use sqlx::{AssertSqlSafe, Row};

use super::{CertificateQuery, OrdersOf, RevocationsOf, certificates_sql};
use crate::testing::{NOW, World, address, certificate, domain, host, key, world};
use crate::{Instruction, Scope, Together};

async fn apply(world: &World, changes: Vec<Change>) {
    world
        .store
        .apply("example", &changes, "test", NOW)
        .await
        .unwrap();
}

fn upload(mailbox: &str, name: &str) -> Change {
    Change::ImportKeys(ImportKeys {
        mailbox: address(mailbox),
        pairs: vec![(certificate(name), key(name))],
        chain: Vec::new(),
        origin: KeyOrigin::Uploaded,
    })
}

/// An organisation with these mailboxes of example.com.
async fn with(mailboxes: &[&str]) -> World {
    let world = world().await;
    let route = InboundRoute {
        name: "office".into(),
        domains: vec![domain("example.com")],
        target: host("10.0.0.5"),
        wildcard: false,
    };
    let add = mailboxes
        .iter()
        .map(|text| Change::AddMailbox(address(text)));
    let changes = std::iter::once(Change::PutRoute(route)).chain(add);
    apply(&world, changes.collect()).await;
    world
}

async fn found(world: &World, query: CertificateQuery) -> Vec<String> {
    let query = CertificateQuery { limit: 9, ..query };
    let page = world.store.certificate_page(world.organisation, &query);
    let page = page.await.unwrap();
    let count = world.store.certificate_count(world.organisation, &query);
    assert_eq!(count.await.unwrap(), page.len() as u64);
    page.iter().map(|row| row.address.to_string()).collect()
}

#[tokio::test]
async fn current_certificates_follow_their_mailboxes() {
    let world = with(&["us@example.com", "also@example.com"]).await;
    assert!(found(&world, CertificateQuery::default()).await.is_empty());
    apply(&world, vec![upload("us@example.com", "us")]).await;
    let all = CertificateQuery {
        limit: 9,
        ..CertificateQuery::default()
    };
    let page = world.store.certificate_page(world.organisation, &all).await;
    let page = page.unwrap();
    let [row] = page.as_slice() else {
        panic!("{page:?}");
    };
    let own = certificate("us");
    assert_eq!(row.issuer, own.issuer_name());
    assert_eq!(row.not_after, own.not_after());
    assert_eq!(row.kind, crate::key_kind(&own));
    assert!(row.signing && row.encryption && !row.ordered);
    assert_eq!((row.origin, &row.authority), (KeyOrigin::Uploaded, &None));
    assert_eq!(
        world
            .store
            .certificate_issuers(world.organisation)
            .await
            .unwrap(),
        [(own.issuer_name(), 1)]
    );
    // Another one takes its place; a mailbox that is no longer active has none.
    apply(&world, vec![upload("us@example.com", "bob")]).await;
    let page = world.store.certificate_page(world.organisation, &all).await;
    assert_eq!(page.unwrap()[0].not_after, certificate("bob").not_after());
    apply(&world, vec![Change::Deactivate(address("us@example.com"))]).await;
    assert!(found(&world, all).await.is_empty());
}

#[tokio::test]
async fn every_field_of_a_query_narrows_it() {
    let world = with(&["us@example.com", "Also@example.com"]).await;
    apply(
        &world,
        vec![
            upload("us@example.com", "us"),
            upload("also@example.com", "us"),
        ],
    )
    .await;
    let own = certificate("us");
    let both = CertificateQuery::default;
    let table = [
        (both(), 2),
        (
            CertificateQuery {
                search: Some("ALSO@".into()),
                ..both()
            },
            1,
        ),
        (
            CertificateQuery {
                ends_before: Some(own.not_after()),
                ..both()
            },
            0,
        ),
        (
            CertificateQuery {
                ends_before: Some(own.not_after().plus(1)),
                ends_from: Some(own.not_after()),
                ..both()
            },
            2,
        ),
        (
            CertificateQuery {
                issuer: Some(own.issuer_name()),
                ..both()
            },
            2,
        ),
        (
            CertificateQuery {
                issuer: Some("CN=another".into()),
                ..both()
            },
            0,
        ),
        (
            CertificateQuery {
                kind: Some(crate::key_kind(&own)),
                ..both()
            },
            2,
        ),
        (
            CertificateQuery {
                kind: Some(KeyKind::P384),
                ..both()
            },
            0,
        ),
        (
            CertificateQuery {
                to_reissue: true,
                ..both()
            },
            2,
        ),
        (
            CertificateQuery {
                mailboxes: vec![address("US@example.com"), address("no@example.com")],
                ..both()
            },
            1,
        ),
    ];
    for (query, count) in table {
        let words = format!("{query:?}");
        assert_eq!(found(&world, query).await.len(), count, "{words}");
    }
    // Page after page, each certificate once, although all end at the same time.
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let query = CertificateQuery {
            after,
            limit: 1,
            ..both()
        };
        let page = world.store.certificate_page(world.organisation, &query);
        let Some(row) = page.await.unwrap().pop() else {
            break;
        };
        after = Some((row.not_after, row.id.0));
        seen.push(row.address.to_string());
    }
    seen.sort();
    assert_eq!(seen, ["Also@example.com", "us@example.com"]);
    // One whose next certificate is on order is not ordered for again.
    let next = Activation::new(address("us@example.com"), KeyKind::P256);
    let renew = Change::Renew(next, sealgate_core::order::Purpose::Renewal);
    apply(&world, vec![renew]).await;
    let query = CertificateQuery {
        to_reissue: true,
        ..both()
    };
    assert_eq!(found(&world, query).await, ["Also@example.com"]);
}

#[tokio::test]
async fn orders_of_a_batch_are_one_batch_however_many_transactions() {
    let names = ["a@example.com", "b@example.com", "c@example.com"];
    let world = with(&names).await;
    let mut batch = None;
    for name in names {
        let order = Activation::new(address(name), KeyKind::P256);
        let instruction = Instruction {
            changes: vec![Change::Activate(order)],
            together: Some(Together {
                text: Saying::Words("three".into()),
                per_minute: None,
                already: 0,
                batch,
            }),
            ..Instruction::default()
        };
        let done = world.store.carry_out("example", instruction, "kim", NOW);
        let done = done.await.unwrap();
        batch = batch.or(done.batch);
        assert_eq!(done.batch, batch);
    }
    let scope = Scope::default();
    let orders = world.store.take_orders(scope, (9, 60), NOW).await.unwrap();
    let fail = Next::Fail(Saying::words("no such person"));
    world
        .store
        .order_answered(&orders[0], fail, NOW)
        .await
        .unwrap();
    apply(&world, vec![Change::Withdraw(address("b@example.com"))]).await;
    let id = batch.unwrap();
    let found = world.store.batch(world.organisation, id).await.unwrap();
    assert_eq!(
        (found.total, found.issued, found.failed, found.withdrawn),
        (3, 0, 1, 1)
    );
    assert_eq!(
        (found.who.as_str(), found.said.to_string().as_str()),
        ("kim", "three")
    );
    let page = world.store.batch_page(world.organisation, (None, 9)).await;
    assert_eq!(page.unwrap(), [found]);
    let none = world.store.batch_page(world.organisation, (Some(id), 9));
    assert!(none.await.unwrap().is_empty());
    let states = async |which| {
        let page = world
            .store
            .order_page(world.organisation, which, (None, 9))
            .await;
        let states = page
            .unwrap()
            .into_iter()
            .map(|order| (order.id.0, order.state));
        states.collect::<Vec<_>>()
    };
    let (new, failed) = (OrderState::New, OrderState::Failed);
    let all = [(3, new), (2, OrderState::Withdrawn), (1, failed)];
    assert_eq!(states(OrdersOf::All).await, all);
    assert_eq!(states(OrdersOf::Batch(id)).await, all);
    assert_eq!(states(OrdersOf::Open).await, [(3, new)]);
    assert_eq!(states(OrdersOf::Failed).await, [(1, failed)]);
    assert_eq!(states(OrdersOf::FailedInBatch(id)).await, [(1, failed)]);
    let detail = world.store.order_detail(world.organisation, OrderId(1));
    let detail = detail.await.unwrap();
    assert_eq!(detail.error, Some(Saying::words("no such person")));
    assert_eq!(
        (detail.authority.as_str(), detail.by_hand),
        (BUILT_IN, false)
    );
}

#[tokio::test]
async fn nothing_of_another_organisation_is_found() {
    let world = with(&["us@example.com", "new@example.com"]).await;
    let order = Activation::new(address("new@example.com"), KeyKind::P256);
    let instruction = Instruction {
        changes: vec![upload("us@example.com", "us"), Change::Activate(order)],
        together: Some(Together {
            text: Saying::Words("all".into()),
            per_minute: None,
            already: 0,
            batch: None,
        }),
        ..Instruction::default()
    };
    let done = world.store.carry_out("example", instruction, "test", NOW);
    let batch = done.await.unwrap().batch.unwrap();
    apply(&world, vec![Change::Deactivate(address("us@example.com"))]).await;
    let settings = Default::default();
    let other = world
        .store
        .create_organisation("other", settings, "test", NOW);
    let other = other.await.unwrap();
    assert!(world.store.batch(other, batch).await.is_err());
    assert!(world.store.order_detail(other, OrderId(1)).await.is_err());
    let page = (None, 9);
    for which in [OrdersOf::All, OrdersOf::Batch(batch)] {
        let own = world.store.order_page(world.organisation, which, page);
        assert_eq!(own.await.unwrap().len(), 1);
        assert!(
            world
                .store
                .order_page(other, which, page)
                .await
                .unwrap()
                .is_empty()
        );
    }
    let which = RevocationsOf::All;
    let own = world.store.revocation_page(world.organisation, which, page);
    assert_eq!(own.await.unwrap().len(), 1);
    let foreign = world.store.revocation_page(other, which, page);
    assert!(foreign.await.unwrap().is_empty());
    assert!(
        world
            .store
            .certificate_issuers(other)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn revocations_say_who_sees_to_them() {
    let world = with(&["us@example.com"]).await;
    apply(&world, vec![upload("us@example.com", "us")]).await;
    apply(&world, vec![Change::Deactivate(address("us@example.com"))]).await;
    let page = |which| {
        world
            .store
            .revocation_page(world.organisation, which, (None, 9))
    };
    let open = page(RevocationsOf::Open).await.unwrap();
    let [one] = open.as_slice() else {
        panic!("{open:?}");
    };
    assert_eq!((&one.authority, one.due), (&None, None));
    assert_eq!(one.serial, certificate("us").serial_hex());
    assert_eq!(one.issuer, certificate("us").issuer_name());
    apply(
        &world,
        vec![Change::ConfirmRevoked(address("us@example.com"))],
    )
    .await;
    assert!(page(RevocationsOf::Open).await.unwrap().is_empty());
    assert_eq!(
        page(RevocationsOf::All).await.unwrap()[0].confirmed,
        Some(NOW)
    );
}

/// With 100,000 certificates no page may look at all of them, or sort them.
#[tokio::test]
async fn an_index_answers_each_list() {
    let world = world().await;
    let issuer = CertificateQuery {
        issuer: Some("CN=x".into()),
        ..CertificateQuery::default()
    };
    for query in [CertificateQuery::default(), issuer] {
        let mut sql = certificates_sql(world.organisation, &query, super::COLUMNS);
        sql.push(" ORDER BY k.not_after, k.id LIMIT 50");
        let explain = format!("EXPLAIN QUERY PLAN {}", sql.sql().as_str());
        let rows = sqlx::query(AssertSqlSafe(explain))
            .bind(1)
            .bind("CN=x")
            .fetch_all(&world.store.0.readers)
            .await
            .unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let plan = plan.join("\n");
        assert!(plan.starts_with("SEARCH k USING"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        assert!(!plan.contains("SCAN"), "{plan}");
    }
}
