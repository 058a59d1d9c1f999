//! The queue: leases, attempts, held mail, the administrator's verbs, the journal.

use std::sync::Arc;

use sealgate_core::failure::HeldReason;
use sealgate_core::journal::{Direction, MailRecord, MailStatus};
use sealgate_core::limits::HELD_LIFETIME;
use sealgate_core::ports::StoredContent;
use sealgate_core::queue::{MailId, Problem};
use sealgate_core::saying::Servers;
use sealgate_mail::smtp::{Envelope, MailParams, Receipt};
use sealgate_mail::{EnhancedStatus, ReversePath, Timestamp};

use crate::testing::{
    NOW, World, acceptance, address, content, copies, line, recipient, record, world,
};
use crate::{
    Acceptance, Attempted, Delivery, EventKind, Held, LeasedCopy, Opened, OverviewFilter,
    QueueFilter, RecipientUpdate, Store, StoreError, ToOpen, Verb, queue_id, read_queue_id,
};

const TEXT: &[u8] = b"To: a@x.example, b@x.example\r\n\r\nhello\r\n";
const BOTH: [&str; 2] = ["a@x.example", "b@x.example"];

pub async fn deliver_all(store: &Store, leased: LeasedCopy) {
    let results = leased
        .recipients
        .iter()
        .map(|one| (one.id, RecipientUpdate::Delivered("250 ok".into())))
        .collect();
    store
        .attempted(Attempted {
            lease: leased.lease,
            now: NOW,
            results,
            reports: Vec::new(),
        })
        .await
        .unwrap();
}

pub fn to_open(content: Arc<dyn StoredContent>, recipients: &[&str]) -> ToOpen {
    let recipients = recipients.iter().map(|text| recipient(text)).collect();
    let envelope = Envelope {
        from: ReversePath::Null,
        params: MailParams::default(),
        recipients,
    };
    ToOpen {
        envelope,
        head: b"Received: here\r\n".to_vec(),
        content,
    }
}

fn problem() -> Problem {
    Problem {
        status: EnhancedStatus(4, 4, 1),
        reply: None,
        said: Servers::HopSilent {}.into(),
    }
}

async fn deliveries(store: &Store, mail: MailId) -> Vec<(MailStatus, Delivery)> {
    let (_, lines) = store.lines(mail).await.unwrap().unwrap();
    lines
        .iter()
        .map(|line| (line.line.status, line.delivery))
        .collect()
}

async fn rows(world: &World, table: &'static str) -> i64 {
    world.store.number(table).await
}

#[tokio::test]
async fn an_accepted_mail_survives_and_is_delivered_once() {
    let mut world = world().await;
    let acceptance = world.mail(TEXT, &BOTH).await;
    assert_eq!(acceptance.copies.len(), 1);
    let durable = world.store.accept(acceptance).await.unwrap();
    let mail = durable.mail();
    assert_eq!(read_queue_id(&durable.queue_id()), Some(mail));
    world.crash().await;
    assert_eq!(world.store.next_due().await.unwrap(), Some(NOW));
    let leased = world.store.lease_due(NOW, 10, 60).await.unwrap();
    assert_eq!(leased.len(), 1);
    assert_eq!(leased[0].recipients.len(), 2);
    assert_eq!(leased[0].record, record(world.organisation));
    assert!(
        world.store.lease_due(NOW, 10, 60).await.unwrap().is_empty(),
        "leased"
    );
    assert_eq!(world.store.next_due().await.unwrap(), Some(NOW.plus(60)));
    for leased in leased {
        deliver_all(&world.store, leased).await;
    }
    world.crash().await;
    assert_eq!(world.store.next_due().await.unwrap(), None);
    assert_eq!(
        deliveries(&world.store, mail).await,
        [(MailStatus::Plain, Delivery::Delivered); 2]
    );
    assert_eq!(rows(&world, "SELECT COUNT(*) FROM recipients").await, 0);
}

#[tokio::test]
async fn a_postponed_copy_comes_back_untried() {
    let world = world().await;
    let acceptance = world.mail(TEXT, &BOTH).await;
    world.accept(acceptance).await;
    let leased = world.store.lease_due(NOW, 10, 60).await.unwrap().remove(0);
    world
        .store
        .postpone_copy(leased.lease, NOW.plus(10))
        .await
        .unwrap();
    let due = |now| world.store.lease_due(now, 10, 60);
    assert!(due(NOW.plus(9)).await.unwrap().is_empty());
    let again = due(NOW.plus(10)).await.unwrap().remove(0);
    assert_eq!(again.recipients.len(), 2);
    assert_eq!(again.recipients[0].state.attempts, 0);
}

#[tokio::test]
async fn leases_end_by_time_and_by_restart() {
    let mut world = world().await;
    let acceptance = world.mail(TEXT, &BOTH).await;
    world.accept(acceptance).await;
    let first = world.store.lease_due(NOW, 10, 60).await.unwrap().remove(0);
    assert!(
        world
            .store
            .lease_due(NOW.plus(59), 10, 60)
            .await
            .unwrap()
            .is_empty()
    );
    let second = world
        .store
        .lease_due(NOW.plus(60), 10, 60)
        .await
        .unwrap()
        .remove(0);
    // The first worker comes back late with a failure: the second one's word counts.
    let late = first
        .recipients
        .iter()
        .map(|one| (one.id, RecipientUpdate::Failed(problem())))
        .collect();
    world
        .store
        .attempted(Attempted {
            lease: first.lease,
            now: NOW,
            results: late,
            reports: vec![],
        })
        .await
        .unwrap();
    assert_eq!(
        world
            .store
            .queue(QueueFilter {
                limit: 10,
                ..QueueFilter::default()
            })
            .await
            .unwrap()
            .len(),
        2
    );
    drop(second);
    world.crash().await;
    assert!(world.store.lease_due(NOW, 10, 60).await.unwrap().is_empty());
    let _serving = world.store.lock_for_serving(NOW).await.unwrap();
    assert_eq!(world.store.lease_due(NOW, 10, 60).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_attempt_settles_each_recipient_for_itself() {
    let world = world().await;
    let text = b"To: a@x.example, b@x.example, c@x.example, d@x.example\r\n\r\nhello\r\n";
    let names = ["a@x.example", "b@x.example", "c@x.example", "d@x.example"];
    let acceptance = world.mail(text, &names).await;
    let mail = world.accept(acceptance).await;
    let leased = world.store.lease_due(NOW, 10, 60).await.unwrap().remove(0);
    let report = copies(
        &world.store,
        &content(&world.store, b"Subject: report\r\n\r\nsorry\r\n").await,
        &["a@x.example"],
    )
    .await;
    let ids: Vec<_> = leased.recipients.iter().map(|one| one.id).collect();
    let results = vec![
        (ids[0], RecipientUpdate::Delivered("250 ok".into())),
        (
            ids[1],
            RecipientUpdate::Retry {
                at: NOW.plus(60),
                delay_told: true,
                problem: problem(),
            },
        ),
        (ids[2], RecipientUpdate::Failed(problem())),
        (
            ids[3],
            RecipientUpdate::Held(HeldReason::NullSender, problem()),
        ),
    ];
    world
        .store
        .attempted(Attempted {
            lease: leased.lease,
            now: NOW,
            results,
            reports: report,
        })
        .await
        .unwrap();
    let expected = [
        (MailStatus::Plain, Delivery::Delivered),
        (MailStatus::Plain, Delivery::Waiting),
        (MailStatus::Failed, Delivery::Failed),
        (MailStatus::Failed, Delivery::Held),
    ];
    assert_eq!(deliveries(&world.store, mail).await, expected);
    let due = world.store.lease_due(NOW, 10, 60).await.unwrap();
    assert_eq!(due.len(), 1, "the report only");
    assert!(due[0].report);
    for report in due {
        deliver_all(&world.store, report).await;
    }
    assert_eq!(
        deliveries(&world.store, mail).await,
        expected,
        "a report is no recipient of the mail"
    );
    let due = world
        .store
        .lease_due(NOW.plus(60), 10, 60)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (due.recipients.len(), due.recipients[0].state.attempts),
        (1, 1)
    );
    assert!(due.recipients[0].state.delay_told);
    let events = world.store.events(world.organisation, 0, 10).await.unwrap();
    assert_eq!(
        events.iter().map(|event| event.kind).collect::<Vec<_>>(),
        [EventKind::MailHeld]
    );
}

/// An inbound mail to be opened, and its lease.
async fn opening(world: &World, recipients: &[&str]) -> (MailId, crate::LeasedToOpen) {
    let stored = content(&world.store, TEXT).await;
    let mut acceptance: Acceptance = acceptance(world.organisation, recipients);
    acceptance.record.direction = Direction::Inbound;
    acceptance
        .lines
        .iter_mut()
        .for_each(|line| line.status = MailStatus::Waiting);
    acceptance.to_open = Some(to_open(stored, recipients));
    let mail = world.accept(acceptance).await;
    (
        mail,
        world
            .store
            .lease_to_open(NOW, 10, 60)
            .await
            .unwrap()
            .remove(0),
    )
}

/// Opened for the first recipient, held for the second.
async fn half_opened(world: &World, leased: &crate::LeasedToOpen) -> Opened {
    let copies_for = async |recipients| copies(&world.store, &leased.content, recipients).await;
    let again = Some(to_open(Arc::clone(&leased.content), &BOTH[1..]));
    let copy = copies_for(&BOTH[1..]).await.remove(0);
    Opened {
        lease: leased.lease,
        now: NOW,
        lines: vec![
            line(BOTH[0], MailStatus::Decrypted),
            line(BOTH[1], MailStatus::Failed),
        ],
        copies: copies_for(&BOTH[..1]).await,
        held: vec![Held {
            copy,
            reason: HeldReason::SenderNotProven,
            again,
        }],
        reports: Vec::new(),
        harvested: Vec::new(),
    }
}

#[tokio::test]
async fn an_inbound_mail_is_opened_after_a_crash() {
    let mut world = world().await;
    let (mail, lost) = opening(&world, &BOTH).await;
    assert_eq!(
        deliveries(&world.store, mail).await,
        [(MailStatus::Waiting, Delivery::ToOpen); 2]
    );
    world.crash().await;
    let _serving = world.store.lock_for_serving(NOW).await.unwrap();
    let leased = world
        .store
        .lease_to_open(NOW, 10, 60)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (leased.attempts, leased.head.as_slice()),
        (1, b"Received: here\r\n".as_slice())
    );
    let too_late = Opened {
        lease: lost.lease,
        ..half_opened(&world, &leased).await
    };
    assert!(matches!(
        world.store.opened(too_late).await,
        Err(StoreError::NotFound(_))
    ));
    world
        .store
        .opened(half_opened(&world, &leased).await)
        .await
        .unwrap();
    let expected = [
        (MailStatus::Decrypted, Delivery::Waiting),
        (MailStatus::Failed, Delivery::Held),
    ];
    assert_eq!(deliveries(&world.store, mail).await, expected);
    assert_eq!(rows(&world, "SELECT SUM(refs) FROM contents").await, 3);
    assert!(
        world
            .store
            .lease_to_open(NOW.plus(600), 10, 60)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_held_mail_is_opened_again_for_its_recipient_only() {
    let world = world().await;
    let (mail, leased) = opening(&world, &BOTH).await;
    world
        .store
        .opened(half_opened(&world, &leased).await)
        .await
        .unwrap();
    let act = |verb| {
        world
            .store
            .act(verb, mail, Some(world.organisation), "test", NOW)
    };
    assert_eq!(act(Verb::Retry).await.unwrap(), 2);
    let again = world
        .store
        .lease_to_open(NOW, 10, 60)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(again.envelope.recipients, [recipient(BOTH[1])]);
    assert_eq!(
        deliveries(&world.store, mail).await[1],
        (MailStatus::Waiting, Delivery::ToOpen)
    );
    let page = QueueFilter {
        limit: 1,
        ..QueueFilter::default()
    };
    let first = world.store.queue(page).await.unwrap();
    let second = world
        .store
        .queue(QueueFilter {
            after: Some(first[0].row),
            ..page
        })
        .await
        .unwrap();
    assert_eq!(
        [first[0].state, second[0].state],
        [Delivery::Waiting, Delivery::ToOpen]
    );
    let late = half_opened(&world, &again).await;
    assert_eq!(act(Verb::Delete).await.unwrap(), 2);
    assert_eq!(rows(&world, "SELECT COUNT(*) FROM contents").await, 0);
    assert_eq!(
        deliveries(&world.store, mail).await,
        [(MailStatus::Failed, Delivery::Deleted); 2]
    );
    let late = world.store.opened(late).await;
    assert!(late.is_err(), "deleted while it was opened");
}

#[tokio::test]
async fn administrators_hold_release_and_delete() {
    let world = world().await;
    let acceptance = world.mail(TEXT, &BOTH).await;
    let mail = world.accept(acceptance).await;
    let act = |verb| {
        world
            .store
            .act(verb, mail, Some(world.organisation), "carol", NOW)
    };
    assert!(matches!(
        act(Verb::Release).await,
        Err(StoreError::NotFound(_))
    ));
    assert_eq!(act(Verb::Hold).await.unwrap(), 2);
    assert!(world.store.lease_due(NOW, 10, 60).await.unwrap().is_empty());
    let held = world
        .store
        .queue(QueueFilter {
            held: true,
            limit: 10,
            ..QueueFilter::default()
        })
        .await
        .unwrap();
    assert_eq!(held.len(), 2);
    assert_eq!(held[0].note.as_deref(), Some("administrator"));
    assert_eq!(held[0].held_until, Some(NOW.plus(HELD_LIFETIME)));
    assert_eq!(act(Verb::Release).await.unwrap(), 2);
    assert_eq!(
        deliveries(&world.store, mail).await,
        [(MailStatus::Plain, Delivery::Waiting); 2]
    );
    assert_eq!(act(Verb::Delete).await.unwrap(), 2);
    assert_eq!(rows(&world, "SELECT COUNT(*) FROM contents").await, 0);
    let other = sealgate_core::tenant::OrganisationId(77);
    let foreign = world
        .store
        .act(Verb::Delete, mail, Some(other), "mallory", NOW)
        .await
        .unwrap_err();
    assert_eq!(
        foreign,
        StoreError::NotFound(format!("there is no mail {}", queue_id(mail)))
    );
    let log = world.store.audit(0, 100).await.unwrap();
    assert_eq!(log.iter().filter(|line| line.who == "carol").count(), 3);
}

#[tokio::test]
async fn held_mail_expires_with_an_event() {
    let world = world().await;
    let mut acceptance = world.mail(TEXT, &BOTH).await;
    let copy = acceptance.copies.remove(0);
    acceptance.held = vec![Held {
        copy,
        reason: HeldReason::NullSender,
        again: None,
    }];
    let mail = world.accept(acceptance).await;
    world
        .store
        .maintain(NOW.plus(HELD_LIFETIME - 1))
        .await
        .unwrap();
    assert_eq!(
        deliveries(&world.store, mail).await,
        [(MailStatus::Plain, Delivery::Held); 2]
    );
    world.store.maintain(NOW.plus(HELD_LIFETIME)).await.unwrap();
    assert_eq!(
        deliveries(&world.store, mail).await,
        [(MailStatus::Failed, Delivery::Deleted); 2]
    );
    assert_eq!(rows(&world, "SELECT COUNT(*) FROM contents").await, 0);
    let events = world.store.events(world.organisation, 0, 10).await.unwrap();
    assert_eq!(events.last().unwrap().kind, EventKind::HeldMailExpired);
}

#[tokio::test]
async fn the_overview_pages_and_filters() {
    let world = world().await;
    for number in 0..5 {
        let mut acceptance = world.mail(TEXT, &BOTH[..1]).await;
        acceptance.record.at = NOW.plus(number);
        acceptance.lines[0].status = if number % 2 == 0 {
            MailStatus::Signed
        } else {
            MailStatus::Plain
        };
        world.accept(acceptance).await;
    }
    world
        .store
        .refused(
            MailRecord {
                at: NOW.plus(4),
                ..record(world.organisation)
            },
            vec![line(BOTH[1], MailStatus::Failed)],
        )
        .await
        .unwrap();
    let page = |filter| world.store.overview(filter);
    let all = OverviewFilter {
        limit: 4,
        ..OverviewFilter::default()
    };
    let first = page(all.clone()).await.unwrap();
    let second = page(OverviewFilter {
        before: Some(first[3].row),
        ..all
    })
    .await
    .unwrap();
    assert_eq!((first.len(), second.len()), (4, 2));
    assert_eq!(first[0].delivery, Delivery::Refused);
    assert!(
        first
            .iter()
            .chain(&second)
            .map(|row| row.row)
            .is_sorted_by(|a, b| a > b)
    );
    for (organisation, status, expected) in [
        (Some(world.organisation), Some(MailStatus::Signed), 3),
        (None, Some(MailStatus::Signed), 3),
        (None, Some(MailStatus::Failed), 1),
        (Some(sealgate_core::tenant::OrganisationId(9)), None, 0),
    ] {
        let filter = OverviewFilter {
            organisation,
            status,
            limit: 10,
            ..OverviewFilter::default()
        };
        assert_eq!(
            page(filter.clone()).await.unwrap().len(),
            expected,
            "{filter:?}"
        );
    }
    let since = OverviewFilter {
        since: Some(NOW.plus(3)),
        limit: 10,
        ..OverviewFilter::default()
    };
    assert_eq!(page(since).await.unwrap().len(), 3);
    let inbound = OverviewFilter {
        direction: Some(Direction::Inbound),
        limit: 10,
        ..OverviewFilter::default()
    };
    assert!(page(inbound).await.unwrap().is_empty());
}

#[tokio::test]
async fn sent_mail_and_encrypted_keys_are_remembered() {
    let world = world().await;
    let mut acceptance = world.mail(TEXT, &BOTH).await;
    acceptance.sent_message_id = Some("<1@example.com>".into());
    let own = acceptance.record.organisation;
    let other = sealgate_core::tenant::OrganisationId(own.0 + 1);
    world.accept(acceptance).await;
    let asked_of = |organisation, mailbox: &str, id: &str, since: Timestamp| {
        let (store, mailbox, id) = (world.store.clone(), address(mailbox), id.to_owned());
        async move {
            store
                .was_sent(organisation, &mailbox, &id, since)
                .await
                .unwrap()
        }
    };
    let asked = |mailbox: &str, id: &str, since| asked_of(own, mailbox, id, since);
    assert!(!asked_of(other, "alice@example.com", "<1@example.com>", NOW).await);
    assert!(asked("ALICE@example.com", "<1@example.com>", NOW).await);
    assert!(!asked("alice@example.com", "<1@example.com>", NOW.plus(1)).await);
    assert!(!asked("bob@example.com", "<1@example.com>", NOW).await);
    assert!(!asked("alice@example.com", "<2@example.com>", NOW).await);

    let seen = |mail, now| world.store.encrypted_key_seen([7; 32], MailId(mail), now);
    assert!(!seen(1, NOW).await.unwrap());
    assert!(!seen(1, NOW).await.unwrap(), "the same mail after a crash");
    assert!(seen(2, NOW.plus(1)).await.unwrap());
    assert!(
        !seen(3, NOW.plus(400 * 86_400)).await.unwrap(),
        "forgotten after a year"
    );
    assert!(seen(1, NOW.plus(400 * 86_400)).await.unwrap());
    world.store.maintain(NOW.plus(900 * 86_400)).await.unwrap();
    assert_eq!(rows(&world, "SELECT COUNT(*) FROM encrypted_keys").await, 0);
    assert_eq!(rows(&world, "SELECT COUNT(*) FROM sent").await, 0);
}

#[tokio::test]
async fn sessions_are_told_of_new_work() {
    let world = world().await;
    let mut work = world.store.work();
    work.mark_unchanged();
    let acceptance = world.mail(TEXT, &BOTH).await;
    assert!(!work.has_changed().unwrap());
    world.accept(acceptance).await;
    assert!(work.has_changed().unwrap());
}
