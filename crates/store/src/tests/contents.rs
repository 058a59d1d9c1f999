//! Content: written, read from any offset, referred to, and gone when nothing refers to it.

use std::io::Write;
use std::sync::Arc;

use sealgate_core::ports::{Shelf, StoredContent};
use sealgate_mail::{Content, Timestamp};

use crate::limits::CHUNK_OCTETS;
use crate::testing::{NOW, acceptance, content, copies, world};
use crate::{Store, StoreError};

fn pattern(octets: usize) -> Vec<u8> {
    (0..octets).map(|i| (i % 251) as u8).collect()
}

async fn read(content: Arc<dyn StoredContent>, from: u64) -> std::io::Result<Vec<u8>> {
    let read = move || {
        let mut octets = Vec::new();
        std::io::Read::read_to_end(&mut content.reader(from)?, &mut octets)?;
        Ok(octets)
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

async fn count(store: &Store, table: &'static str) -> i64 {
    store.number(table).await
}

#[tokio::test]
async fn every_length_reads_back_from_every_kind_of_offset() {
    let world = world().await;
    for length in [
        0,
        1,
        CHUNK_OCTETS - 1,
        CHUNK_OCTETS,
        CHUNK_OCTETS + 1,
        3 * CHUNK_OCTETS,
        3 * CHUNK_OCTETS + 7,
    ] {
        let octets = pattern(length);
        let async_made = content(&world.store, &octets).await;
        let (shelf, copy) = (world.store.shelf(), octets.clone());
        let sync_made = tokio::task::spawn_blocking(move || {
            let mut draft = shelf.create().unwrap();
            draft.write_all(&copy).unwrap();
            draft.finish().unwrap()
        });
        for made in [async_made, sync_made.await.unwrap()] {
            assert_eq!(made.len(), length as u64);
            for from in [
                0,
                1,
                CHUNK_OCTETS - 1,
                CHUNK_OCTETS,
                CHUNK_OCTETS + 5,
                length,
                length + 1,
            ] {
                let rest = octets.get(from..).unwrap_or_default();
                assert!(
                    read(Arc::clone(&made), from as u64).await.unwrap() == rest,
                    "{length} from {from}"
                );
            }
        }
    }
}

#[tokio::test]
async fn content_lives_as_long_as_something_refers_to_it() {
    let world = world().await;
    for length in [1_000, 2 * CHUNK_OCTETS] {
        let mut text = b"To: a@x.example, b@x.example\r\n\r\n".to_vec();
        text.extend(pattern(length));
        let made = content(&world.store, &text).await;
        let mut acceptance = acceptance(world.organisation, &["a@x.example", "b@x.example"]);
        acceptance.copies = copies(&world.store, &made, &["a@x.example"]).await;
        acceptance
            .copies
            .extend(copies(&world.store, &made, &["b@x.example"]).await);
        let mail = world.accept(acceptance).await;
        drop(made);
        world.store.maintain(Timestamp(i64::MAX / 2)).await.unwrap();
        assert_eq!(
            count(&world.store, "SELECT SUM(refs) FROM contents").await,
            2
        );
        for left in [1, 0] {
            let leased = world.store.lease_due(NOW, 1, 60).await.unwrap().remove(0);
            let sent = crate::testing::read_all(Arc::clone(&leased.content), 0)
                .await
                .unwrap();
            assert!(
                sent.starts_with(b"X-Marker: head\r\nTo: a@x.example"),
                "head first"
            );
            assert!(
                sent.ends_with(&text[text.len() - length..]),
                "then the body"
            );
            assert_eq!(leased.content.len(), sent.len() as u64);
            let part = crate::testing::read_all(Arc::clone(&leased.content), sent.len() as u64 - 5)
                .await
                .unwrap();
            assert_eq!(part, sent[sent.len() - 5..]);
            super::queue::deliver_all(&world.store, leased).await;
            assert_eq!(
                count(&world.store, "SELECT COUNT(*) FROM contents").await,
                left
            );
        }
        assert_eq!(count(&world.store, "SELECT COUNT(*) FROM chunks").await, 0);
        assert!(world.store.lines(mail).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn what_is_not_accepted_is_forgotten() {
    let world = world().await;
    let mut unfinished = world.store.content_writer().unwrap();
    unfinished.write(&pattern(3 * CHUNK_OCTETS)).await.unwrap();
    drop(unfinished);
    drop(content(&world.store, &pattern(3 * CHUNK_OCTETS)).await);
    world.store.clone().raw("SELECT 1").await.unwrap();
    assert_eq!(
        count(&world.store, "SELECT COUNT(*) FROM contents").await,
        0
    );
    assert_eq!(count(&world.store, "SELECT COUNT(*) FROM chunks").await, 0);
}

#[tokio::test]
async fn a_crashed_writer_is_swept_when_serving_starts() {
    let world = world().await;
    let mut unfinished = world.store.content_writer().unwrap();
    unfinished.write(&pattern(4 * CHUNK_OCTETS)).await.unwrap();
    let finished = content(&world.store, &pattern(3 * CHUNK_OCTETS)).await;
    std::mem::forget((unfinished, Arc::clone(&finished)));
    world.store.maintain(NOW).await.unwrap();
    assert_eq!(
        count(&world.store, "SELECT COUNT(*) FROM contents").await,
        2,
        "young content stays"
    );
    let _serving = world.second().await.lock_for_serving(NOW).await.unwrap();
    assert_eq!(
        count(&world.store, "SELECT COUNT(*) FROM contents").await,
        0
    );
    let mut text = acceptance(world.organisation, &["a@x.example"]);
    text.to_open = Some(super::queue::to_open(finished, &["a@x.example"]));
    assert_eq!(
        world.store.accept(text).await.unwrap_err(),
        StoreError::ContentGone
    );
    assert_eq!(
        count(&world.store, "SELECT COUNT(*) FROM mails").await,
        0,
        "and nothing of it was written"
    );
}
