//! What is lost and what is not: failed writes, failed commits, a full disk, a locked database, a process that stops.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::testing::{NOW, directory, world};
use crate::{Store, StoreError};

const TEXT: &[u8] = b"To: a@x.example\r\n\r\nhello\r\n";
const ONE: [&str; 1] = ["a@x.example"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_share_commits() {
    let world = Arc::new(world().await);
    let before = (
        world.store.counters().commits(),
        world.store.counters().jobs(),
    );
    let session = |world: Arc<crate::testing::World>| async move {
        for _ in 0..20 {
            let acceptance = world.mail(TEXT, &ONE).await;
            world.accept(acceptance).await;
        }
    };
    let sessions: Vec<_> = (0..16)
        .map(|_| tokio::spawn(session(Arc::clone(&world))))
        .collect();
    for session in sessions {
        session.await.unwrap();
    }
    let jobs = world.store.counters().jobs() - before.1;
    let commits = world.store.counters().commits() - before.0;
    assert_eq!(jobs, 320);
    assert!(jobs >= 4 * commits, "{jobs} mails in {commits} commits");
    assert_eq!(
        world.store.number("SELECT COUNT(*) FROM recipients").await,
        320
    );
}

#[tokio::test]
async fn a_failing_job_takes_nobody_with_it() {
    let world = world().await;
    let good = world.mail(TEXT, &ONE).await;
    let mut bad = world.mail(TEXT, &ONE).await;
    bad.record.organisation = sealgate_core::tenant::OrganisationId(99);
    let good_again = world.mail(TEXT, &ONE).await;
    let (one, two, three) = tokio::join!(
        world.store.accept(good),
        world.store.accept(bad),
        world.store.accept(good_again)
    );
    assert!(one.is_ok() && three.is_ok());
    assert!(matches!(two, Err(StoreError::Database(_))));
    assert_eq!(world.store.number("SELECT COUNT(*) FROM mails").await, 2);
    assert_eq!(world.store.number("SELECT COUNT(*) FROM contents").await, 2);
}

/// Every statement of an accepting transaction fails once: nothing of the mail is there, and the next mail is accepted.
#[tokio::test]
async fn the_nth_write_fails() {
    let world = world().await;
    let mut failures = 0;
    for nth in 1.. {
        let acceptance = world.mail(TEXT, &ONE).await;
        world.store.fail_after(nth).await;
        let outcome = world.store.accept(acceptance).await;
        world.store.fail_after(0).await;
        let mails = world.store.number("SELECT COUNT(*) FROM mails").await;
        for table in [
            "SELECT COUNT(*) FROM lines",
            "SELECT COUNT(*) FROM contents",
            "SELECT COUNT(*) FROM copies",
            "SELECT COUNT(*) FROM recipients",
        ] {
            assert_eq!(
                world.store.number(table).await,
                mails,
                "{table} after write {nth}"
            );
        }
        if outcome.is_ok() {
            assert_eq!(mails, 1);
            break;
        }
        assert_eq!(mails, 0, "write {nth}");
        failures += 1;
    }
    assert_eq!(
        failures, 10,
        "mail, line, five words, content, copy, recipient"
    );
}

#[tokio::test]
async fn a_full_disk_is_said_and_got_over() {
    let world = world().await;
    world.store.raw("PRAGMA max_page_count = 1").await.unwrap();
    let pages = world.store.number("PRAGMA page_count").await;
    let mut accepted = 0;
    let error = loop {
        let acceptance = world.mail(&[TEXT, &[b'x'; 50_000]].concat(), &ONE).await;
        match world.store.accept(acceptance).await {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted < 1_000);
    };
    assert_eq!(error, StoreError::Full, "{pages} pages");
    assert_eq!(
        world.store.number("SELECT COUNT(*) FROM mails").await,
        accepted
    );
    world
        .store
        .raw("PRAGMA max_page_count = 1000000")
        .await
        .unwrap();
    let acceptance = world.mail(TEXT, &ONE).await;
    world.store.accept(acceptance).await.unwrap();
}

#[tokio::test]
async fn a_locked_database_is_answered_in_time() {
    let world = world().await;
    let second = world.second().await;
    let hold = second.hold_writer(Duration::from_secs(8));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let acceptance = world.mail(TEXT, &ONE).await;
    let begun = Instant::now();
    assert_eq!(
        world.store.accept(acceptance).await.unwrap_err(),
        StoreError::Busy
    );
    assert!(begun.elapsed() < Duration::from_secs(8));
    hold.await.unwrap();
    let acceptance = world.mail(TEXT, &ONE).await;
    world.store.accept(acceptance).await.unwrap();
}

/// A process that ends at any moment: whatever was answered is there.
#[test]
fn what_was_answered_is_there_after_the_runtime_dies() {
    let directory = directory();
    let master = crate::MasterKey::generate().unwrap();
    let mut answered = 0;
    for round in 0..10 {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let count = Arc::new(std::sync::atomic::AtomicI64::new(0));
        let counted = Arc::clone(&count);
        let world = runtime.block_on(async {
            let store = Store::open(&directory.data(), &master).await.unwrap();
            let organisation = match round {
                0 => store
                    .create_organisation("example", Default::default(), "test", NOW)
                    .await
                    .unwrap(),
                _ => store.organisation("example").await.unwrap(),
            };
            assert!(
                store.number("SELECT COUNT(*) FROM mails").await >= answered,
                "round {round}"
            );
            (store, organisation)
        });
        for _ in 0..4 {
            let (store, organisation) = world.clone();
            let counted = Arc::clone(&counted);
            runtime.spawn(async move {
                loop {
                    let content = crate::testing::content(&store, TEXT).await;
                    let copies = crate::testing::copies(&store, &content, &ONE).await;
                    let acceptance = crate::Acceptance {
                        copies,
                        ..crate::testing::acceptance(organisation, &ONE)
                    };
                    if store.accept(acceptance).await.is_err() {
                        return;
                    }
                    counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                }
            });
        }
        std::thread::sleep(Duration::from_millis(20 + 7 * round));
        runtime.shutdown_background();
        answered += count.load(std::sync::atomic::Ordering::SeqCst);
    }
    assert!(answered > 0);
}
