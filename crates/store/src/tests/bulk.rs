//! Bulk work: piece by piece, whole or not at all, whoever stops it or ends the process.

use sealgate_core::change::Change;
use sealgate_core::licence::Licence;
use sealgate_core::order::Purpose;
use sealgate_core::saying::{Changes, Refusals, Saying};
use sealgate_core::tenant::InboundRoute;
use sealgate_mail::Address;
use sealgate_smime::key::KeyKind;

use crate::limits::{BULK_MEMORY, BULK_OPEN, TOGETHER};
use crate::testing::{NOW, World, address, domain, host, world};
use crate::{BulkAction, BulkEnding, BulkKind, BulkWork, Certificates, RouteChange, StoreError};

const PIECE: u64 = TOGETHER as u64;

fn many(count: u64) -> Vec<Address> {
    (0..count)
        .map(|at| address(&format!("m{at}@many.example")))
        .collect()
}

async fn with(count: u64) -> World {
    let world = world().await;
    let route = InboundRoute {
        name: "many".into(),
        domains: vec![domain("many.example")],
        target: host("10.0.0.5"),
        wildcard: false,
    };
    let store = &world.store;
    let change = [Change::PutRoute(route)];
    store.apply("example", &change, "test", NOW).await.unwrap();
    let added = store.add_mailboxes(world.organisation, many(count), "test", NOW);
    added.await.unwrap();
    world
}

fn activation() -> BulkAction {
    BulkAction::Activation(Certificates {
        authority: None,
        key: KeyKind::P256,
        token: None,
    })
}

fn told() -> Saying {
    Changes::NextOf { count: 3 }.into()
}

async fn begin(world: &World, order: BulkAction, mailboxes: Vec<Address>) -> Option<BulkWork> {
    let (store, what) = (&world.store, (order, told()));
    let begun = store.begin_bulk_work(world.organisation, what, mailboxes, "anna", NOW);
    begun.await.unwrap().map(|begun| begun.work)
}

async fn work(world: &World, id: i64) -> BulkWork {
    let page = world
        .store
        .bulk_work_page(world.organisation, Some(id + 1), 1);
    page.await.unwrap().remove(0)
}

async fn to_the_end(world: &World) {
    while let Some(id) = world.store.next_bulk_work().await.unwrap().first() {
        world.store.bulk_work_piece(*id, NOW).await.unwrap();
    }
}

async fn count(world: &World, sql: &'static str) -> i64 {
    world.store.number(sql).await
}

#[tokio::test]
async fn it_goes_on_after_a_crash_and_orders_nothing_twice() {
    let all = 2 * PIECE + 3;
    let mut world = with(all).await;
    let begun = begin(&world, activation(), many(all)).await.unwrap();
    assert_eq!((begun.done, begun.total, begun.ended), (PIECE, all, None));
    assert_eq!(begun.kind, BulkKind::Activation);
    world.crash().await;
    assert_eq!(world.store.next_bulk_work().await.unwrap(), [begun.id]);
    world.store.bulk_work_piece(begun.id, NOW).await.unwrap();
    assert_eq!(work(&world, begun.id).await.done, 2 * PIECE);
    world.crash().await;
    to_the_end(&world).await;
    let end = work(&world, begun.id).await;
    assert_eq!((end.done, end.refused), (all, 0));
    assert_eq!(end.ended, Some((NOW, BulkEnding::Done)));
    assert_eq!((end.who.as_str(), end.batch), ("anna", begun.batch));
    let orders = count(&world, "SELECT COUNT(*) FROM orders").await;
    assert_eq!(orders.unsigned_abs(), all);
    let batch = &world.store.batches(world.organisation, 9).await.unwrap()[0];
    assert_eq!((u64::from(batch.total), &batch.said), (all, &told()));
    let shown = world.store.batch(world.organisation, batch.id);
    assert_eq!(shown.await.unwrap().said, told());
    assert_eq!(
        count(&world, "SELECT COUNT(*) FROM bulk_work_targets").await,
        0
    );
    // A piece that comes late finds nothing to do.
    world.store.bulk_work_piece(begun.id, NOW).await.unwrap();
    assert_eq!(work(&world, begun.id).await, end);
}

/// Every statement of a piece fails once: of that piece nothing is there, and afterwards all is there once.
#[tokio::test]
async fn a_piece_is_whole() {
    let all = PIECE + 2;
    let world = with(all).await;
    let begun = begin(&world, activation(), many(all)).await.unwrap();
    let mut failures = 0;
    for nth in 1.. {
        world.store.fail_after(nth).await;
        let done = world.store.bulk_work_piece(begun.id, NOW).await;
        world.store.fail_after(0).await;
        let now = work(&world, begun.id).await;
        let orders = count(&world, "SELECT COUNT(*) FROM orders").await;
        assert_eq!(orders.unsigned_abs(), now.done, "write {nth}");
        if done.is_ok() {
            break;
        }
        failures += 1;
        assert_eq!((now.done, now.ended), (PIECE, None), "write {nth}");
    }
    assert_eq!(failures, 4, "two orders, each with its line");
    assert_eq!(work(&world, begun.id).await.done, all);
}

#[tokio::test]
async fn a14_what_is_refused_is_named_over_all_pieces() {
    let all = PIECE + 200;
    let world = with(all).await;
    let licence = Licence::book(10, 10, None).unwrap();
    let booked = world
        .store
        .book(world.organisation, Some(licence), "test", NOW);
    booked.await.unwrap();
    let version = world.store.version().await.unwrap();
    let begun = begin(&world, activation(), many(all)).await.unwrap();
    assert_eq!(world.store.version().await.unwrap(), version + 1);
    to_the_end(&world).await;
    let end = work(&world, begun.id).await;
    assert_eq!((end.done, end.refused), (all, all - 10));
    assert_eq!(
        (end.reasons.len(), end.reasons[0].0.as_str()),
        (100, "m10@many.example")
    );
    assert!(end.reasons[0].1.to_string().contains("licence"), "{end:?}");
    // The second piece did nothing: nobody has to load a new configuration for it.
    assert_eq!(world.store.version().await.unwrap(), version + 1);
}

#[tokio::test]
async fn it_is_stopped_by_its_own_organisation_only() {
    let all = 3 * PIECE;
    let world = with(all).await;
    let store = &world.store;
    let begun = begin(&world, activation(), many(all)).await.unwrap();
    let other = store.create_organisation("other", Default::default(), "test", NOW);
    let other = other.await.unwrap();
    let foreign = store.stop_bulk_work(other, begun.id, "eve", NOW).await;
    assert!(
        matches!(foreign, Err(StoreError::NotFound(_))),
        "{foreign:?}"
    );
    assert!(
        store
            .bulk_work_page(other, None, 9)
            .await
            .unwrap()
            .is_empty()
    );
    let stopped = store.stop_bulk_work(world.organisation, begun.id, "bob", NOW);
    let stopped = stopped.await.unwrap();
    assert_eq!(stopped.ended, Some((NOW, BulkEnding::Stopped)));
    assert_eq!(
        (stopped.done, stopped.stopped_by.as_deref()),
        (PIECE, Some("bob"))
    );
    assert!(store.next_bulk_work().await.unwrap().is_empty());
    assert_eq!(
        count(&world, "SELECT COUNT(*) FROM bulk_work_targets").await,
        0
    );
    let again = store
        .stop_bulk_work(world.organisation, begun.id, "bob", NOW)
        .await;
    assert!(matches!(again, Err(StoreError::Refused(_))), "{again:?}");
    let lines = store.audit(0, 10_000).await.unwrap();
    let last = lines.last().unwrap();
    let text = format!(
        "stop bulk work {} on {all} mailboxes after {PIECE}",
        begun.id
    );
    assert_eq!(
        (last.who.as_str(), last.text.as_str()),
        ("bob", text.as_str())
    );
}

#[tokio::test]
async fn few_go_on_at_once_and_the_smaller_one_first() {
    let all = 4 * PIECE;
    let world = with(all).await;
    let mut begun = Vec::new();
    for _ in 0..BULK_OPEN {
        begun.push(begin(&world, activation(), many(all)).await.unwrap());
    }
    assert!(begin(&world, activation(), many(all)).await.is_none());
    let store = &world.store;
    store.bulk_work_piece(begun[0].id, NOW).await.unwrap();
    let next = [begun[1].id, begun[2].id, begun[0].id];
    assert_eq!(store.next_bulk_work().await.unwrap(), next);
    let stopped = store.stop_bulk_work(world.organisation, begun[2].id, "bob", NOW);
    stopped.await.unwrap();
    assert!(
        begin(&world, BulkAction::Deactivation, many(all))
            .await
            .is_some()
    );
    to_the_end(&world).await;
    let orders = count(&world, "SELECT COUNT(*) FROM orders").await;
    assert_eq!(
        orders.unsigned_abs(),
        all,
        "each mailbox was ordered for once"
    );
}

#[tokio::test]
async fn a_route_goes_with_its_last_mailbox() {
    let all = PIECE + 1;
    let world = with(all).await;
    let order = BulkAction::Removal(RouteChange::Remove("many".into()));
    begin(&world, order, many(all)).await.unwrap();
    assert_eq!(count(&world, "SELECT COUNT(*) FROM routes").await, 1);
    to_the_end(&world).await;
    assert_eq!(count(&world, "SELECT COUNT(*) FROM routes").await, 0);
    assert_eq!(count(&world, "SELECT COUNT(*) FROM mailboxes").await, 0);
}

#[tokio::test]
async fn renewals_become_due_one_after_the_other_over_all_pieces() {
    let all = PIECE + 1;
    let world = with(all).await;
    let sql = "UPDATE mailboxes SET state = 'active' RETURNING 1";
    world.store.number(sql).await;
    let with = Certificates {
        authority: None,
        key: KeyKind::P256,
        token: None,
    };
    let order = BulkAction::Renewal(with, Purpose::Renewal, Some(60));
    begin(&world, order, many(all)).await.unwrap();
    to_the_end(&world).await;
    let last = count(&world, "SELECT MAX(due) FROM orders").await;
    assert_eq!(last, NOW.plus(PIECE.cast_signed()).0);
}

#[tokio::test]
async fn it_is_told_for_its_time() {
    let world = with(PIECE + 1).await;
    let begun = begin(&world, activation(), many(PIECE + 1)).await.unwrap();
    let late = NOW.plus(BULK_MEMORY + 1);
    world.store.sweep(late, NOW).await.unwrap();
    assert_eq!(work(&world, begun.id).await.ended, None, "it goes on");
    to_the_end(&world).await;
    let in_time = NOW.plus(BULK_MEMORY);
    world.store.sweep(in_time, NOW).await.unwrap();
    let own = world.organisation;
    assert_eq!(
        world
            .store
            .bulk_work_page(own, None, 9)
            .await
            .unwrap()
            .len(),
        1
    );
    world.store.sweep(late, NOW).await.unwrap();
    assert_eq!(world.store.bulk_work_page(own, None, 9).await.unwrap(), []);
}

/// What runs often, or over all mailboxes, is answered by an index.
#[tokio::test]
async fn nothing_walks_a_table() {
    let world = world().await;
    for sql in [
        "SELECT id FROM bulk_work WHERE ended IS NULL ORDER BY done, id LIMIT 1",
        "SELECT * FROM bulk_work WHERE organisation = 1 AND id < 9 ORDER BY id DESC LIMIT 9",
        "SELECT id FROM bulk_work WHERE ended < 9 ORDER BY ended LIMIT 9",
        "SELECT place, address FROM bulk_work_targets WHERE work = 1 ORDER BY place LIMIT 500",
        "DELETE FROM bulk_work_targets WHERE work = 1 AND place <= 9",
        // Of purging keys; the database itself asks the same when a key goes.
        "UPDATE mailboxes SET signing = NULL WHERE signing = 1",
        "UPDATE mailboxes SET encryption = NULL WHERE encryption = 1",
        // Of an authority with new settings, and the database itself when the former ones go.
        "UPDATE orders SET authority = 2, lease = NULL WHERE authority = 1 AND state = 'new'",
        "SELECT * FROM orders WHERE authority = 1",
        "SELECT * FROM keys WHERE authority = 1",
        "SELECT * FROM revocations WHERE authority = 1",
    ] {
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(explain))
            .fetch_all(&world.store.0.readers)
            .await
            .unwrap();
        let plan: Vec<String> = rows
            .iter()
            .map(|row| sqlx::Row::get(row, "detail"))
            .collect();
        let plan = plan.join("\n");
        let walks = plan.contains("SCAN") && !plan.contains(" INDEX ");
        assert!(!walks && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
}

/// The route of all these mailboxes, as it was when its change was asked for.
fn route_of_all() -> InboundRoute {
    InboundRoute {
        name: "many".into(),
        domains: vec![domain("many.example")],
        target: host("10.0.0.5"),
        wildcard: false,
    }
}

/// Where the route has another server by now, the mailboxes go all the same, and why the route did not change is told.
#[tokio::test]
async fn a_route_with_another_server_by_now_is_a_refused_part() {
    let all = PIECE + 1;
    let world = with(all).await;
    let was = route_of_all();
    let to = |server: &str| InboundRoute {
        target: host(server),
        ..was.clone()
    };
    let action = BulkAction::Removal(RouteChange::Edit {
        was: Box::new(was.clone()),
        becomes: Box::new(to("10.0.0.6")),
    });
    let begun = begin(&world, action, many(all)).await.unwrap();
    let change = [Change::PutRoute(to("10.0.0.7"))];
    let done = world.store.apply("example", &change, "bob", NOW).await;
    done.unwrap();
    to_the_end(&world).await;
    let end = work(&world, begun.id).await;
    assert_eq!(end.ended, Some((NOW, BulkEnding::Done)));
    let why = Refusals::ChangedMeanwhile {}.into();
    assert_eq!(
        (end.done, end.reasons),
        (all, vec![("many".to_owned(), why)])
    );
    assert_eq!(count(&world, "SELECT COUNT(*) FROM mailboxes").await, 0);
    let described = world.store.described("example").await.unwrap();
    assert_eq!(described.routes[0].target, host("10.0.0.7"));
}

/// What others change about a route while its mailboxes go stays; a route that is gone does not come back.
#[tokio::test]
async fn a_route_keeps_what_others_changed_meanwhile() {
    let all = PIECE + 1;
    let world = with(all).await;
    let was = route_of_all();
    let becomes = InboundRoute {
        domains: vec![domain("other.example")],
        wildcard: true,
        ..was.clone()
    };
    let order = |was: &InboundRoute| {
        BulkAction::Removal(RouteChange::Edit {
            was: Box::new(was.clone()),
            becomes: Box::new(becomes.clone()),
        })
    };
    let apply = async |change: Change| {
        let done = world.store.apply("example", &[change], "bob", NOW).await;
        done.unwrap()
    };
    begin(&world, order(&was), many(all)).await.unwrap();
    apply(Change::PutRoute(InboundRoute {
        domains: vec![domain("many.example"), domain("third.example")],
        target: host("10.0.0.6"),
        ..was.clone()
    }))
    .await;
    to_the_end(&world).await;
    let described = world.store.described("example").await.unwrap();
    let named = |route: &&InboundRoute| route.name == "many";
    let route = described.routes.iter().find(named).unwrap();
    assert_eq!(
        route.domains,
        [domain("third.example"), domain("other.example")]
    );
    assert_eq!((&route.target, route.wildcard), (&host("10.0.0.6"), true));
    let gone = begin(&world, order(route), many(all)).await.unwrap();
    apply(Change::RemoveRoute("many".into())).await;
    to_the_end(&world).await;
    let described = world.store.described("example").await.unwrap();
    assert!(!described.routes.iter().any(|route| route.name == "many"));
    let end = work(&world, gone.id).await;
    assert_eq!(end.ended, Some((NOW, BulkEnding::Done)));
    let (what, why) = end.reasons.last().unwrap();
    assert!(
        what == "many" && why.to_string().contains("any more"),
        "{end:?}"
    );
}
