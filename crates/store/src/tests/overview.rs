//! The mail overview at any question, the counts of its lines, and how long both are kept.

use sealgate_core::change::Change;
use sealgate_core::journal::{Direction, MailRecord, MailStatus};
use sealgate_core::tenant::{JournalDays, Settings};
use sealgate_mail::{ReversePath, Timestamp};

use super::queue::deliver_all;
use crate::limits::{
    ADDRESSES_OF_ONE_BEGINNING, EVENT_MEMORY, FREQUENT_WORD_LINES, LINES_LOOKED_AT,
    STATISTICS_MEMORY,
};
use crate::testing::{NOW, World, address, line, record, world};
use crate::{Delivery, OverviewFilter, OverviewRow, StoreError, Verb};

const TEXT: &[u8] = b"To: a@x.example, b@x.example\r\n\r\nhello\r\n";
const BOTH: [&str; 2] = ["a@x.example", "b@x.example"];
const DAY: i64 = 86_400;

/// More lines than are looked at for one page, each by its index, and one that is asked for, before all of them.
#[tokio::test]
async fn a_page_looks_at_so_many_lines_and_says_how_far_back() {
    let world = world().await;
    let found = MailRecord {
        at: NOW,
        ..record(world.organisation)
    };
    refused(&world, found, "a@x.example", MailStatus::Plain).await;
    let others = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})
         INSERT INTO lines SELECT l.id + i, l.mail, l.organisation, l.direction, l.at, 'b@x.example', 'b@x.example', l.status,
           NULL, NULL, l.trace, NULL, l.delivery, l.delivery_at, NULL FROM n, lines l;
         INSERT INTO line_words SELECT 1, 'a@x.example', (SELECT max(id) FROM lines) + 1 + i FROM
           (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {FREQUENT_WORD_LINES}) SELECT i FROM n);",
        LINES_LOOKED_AT + 100,
    );
    let statements: &'static str = others.leak();
    world.store.raw(statements).await.unwrap();
    let filter = OverviewFilter {
        organisation: Some(world.organisation),
        party: Some("a@x.example".to_owned()),
        status: Some(MailStatus::Plain),
        limit: 50,
        ..OverviewFilter::default()
    };
    let page = world.store.overview_page(&filter).await.unwrap();
    let stop = page.searched_to.unwrap();
    assert_eq!((page.rows.len(), stop.at), (0, NOW));
    let older = OverviewFilter {
        before: Some(stop.row),
        ..filter.clone()
    };
    let page = world.store.overview_page(&older).await.unwrap();
    assert_eq!((page.rows.len(), page.searched_to), (1, None));
    assert_eq!(world.store.overview(filter).await.unwrap(), page.rows);
}

/// Small numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % bound
    }
    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

const SENDERS: [&str; 4] = [
    "alice@example.com",
    "Bob@example.com",
    "alina@x.example",
    "news@lists.example",
];
const RECIPIENTS: [&str; 4] = [
    "a@x.example",
    "alice@example.com",
    "Albert@y.example",
    "al@x.example",
];
const STATUSES: [MailStatus; 3] = [MailStatus::Plain, MailStatus::Signed, MailStatus::Failed];

async fn refused(world: &World, record: MailRecord, recipient: &str, status: MailStatus) {
    let lines = vec![line(recipient, status)];
    world.store.refused(record, lines).await.unwrap();
}

async fn filled(world: &World) {
    let mut chance = Chance(7);
    for number in 0..240 {
        let envelope_from = match chance.below(3) {
            0 => ReversePath::Null,
            _ => ReversePath::Address(address(chance.of(&SENDERS))),
        };
        let record = MailRecord {
            direction: chance.of(&[Direction::Inbound, Direction::Outbound]),
            at: NOW.plus(number * 600),
            envelope_from,
            header_from: (chance.below(4) > 0).then(|| address(chance.of(&SENDERS))),
            message_id: (chance.below(3) > 0).then(|| format!("<{}@example.com>", number / 2)),
            ..record(world.organisation)
        };
        let (recipient, status) = (chance.of(&RECIPIENTS), chance.of(&STATUSES));
        refused(world, record, recipient, status).await;
    }
}

/// What the filter means, line by line.
fn allows(filter: &OverviewFilter, row: &OverviewRow) -> bool {
    let parties = [
        row.header_from.as_ref(),
        row.envelope_from.as_ref(),
        Some(&row.recipient),
    ];
    let is = |party: &str| {
        let party = party.to_ascii_lowercase();
        parties.iter().flatten().any(|one| {
            let (key, domain) = (one.key(), one.domain().as_str());
            match party.strip_prefix('@') {
                Some(wanted) => domain == wanted,
                None if party.contains('@') => key == party,
                None => key.starts_with(&party) || domain == party,
            }
        })
    };
    filter.status.is_none_or(|status| row.status == status)
        && filter
            .direction
            .is_none_or(|direction| row.direction == direction)
        && filter
            .delivery
            .is_none_or(|delivery| row.delivery == delivery)
        && filter.since.is_none_or(|since| row.at >= since)
        && filter.until.is_none_or(|until| row.at < until)
        && filter.party.as_deref().is_none_or(is)
        && filter.message_id.as_deref().is_none_or(|id| {
            let own = row.message_id.as_deref().unwrap_or_default();
            own.trim_matches(['<', '>']) == id.trim_matches(['<', '>'])
        })
}

fn filters(organisation: sealgate_core::tenant::OrganisationId) -> Vec<OverviewFilter> {
    let mut chance = Chance(11);
    let parties = [
        "alice@example.com",
        "ALICE@example.com",
        "@x.example",
        "x.example",
        "al",
        "ali",
        "nobody",
        "@no.example",
    ];
    let ids = ["<3@example.com>", "4@example.com", "<none@example.com>"];
    let mut filters = Vec::new();
    for _ in 0..400 {
        let mut maybe = |one_in| chance.below(one_in) == 0;
        let (status, direction, delivery) = (maybe(3), maybe(3), maybe(4));
        let (party, id, since, until) = (maybe(2), maybe(12), maybe(3), maybe(3));
        let whole = maybe(5);
        let hours = chance.below(40) as i64;
        filters.push(OverviewFilter {
            organisation: (!whole).then_some(organisation),
            status: status.then(|| chance.of(&STATUSES)),
            direction: direction.then(|| chance.of(&[Direction::Inbound, Direction::Outbound])),
            delivery: delivery.then(|| chance.of(&[Delivery::Refused, Delivery::Held])),
            party: party.then(|| chance.of(&parties).to_owned()),
            message_id: id.then(|| chance.of(&ids).to_owned()),
            since: since.then(|| NOW.plus(hours * 1_800)),
            until: until.then(|| NOW.plus(hours * 3_600)),
            limit: 1 + chance.below(30) as u32,
            ..OverviewFilter::default()
        });
    }
    filters
}

#[tokio::test]
async fn every_filter_shows_what_it_means_page_by_page() {
    let world = world().await;
    filled(&world).await;
    let all = OverviewFilter {
        limit: 1_000,
        ..OverviewFilter::default()
    };
    let all = world.store.overview(all).await.unwrap();
    assert_eq!(all.len(), 240);
    assert!(all.is_sorted_by(|one, next| one.row > next.row && one.at >= next.at));
    for mut filter in filters(world.organisation) {
        let expected: Vec<_> = all.iter().filter(|row| allows(&filter, row)).collect();
        let mut found = Vec::new();
        loop {
            let page = world.store.overview(filter.clone()).await.unwrap();
            assert!(page.len() <= filter.limit as usize);
            let last = page.last().map(|row| row.row);
            found.extend(page);
            if last.is_none() {
                break;
            }
            filter.before = last;
        }
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter:?}");
    }
    let newer = OverviewFilter {
        after: Some(all[7].row),
        limit: 100,
        ..OverviewFilter::default()
    };
    assert_eq!(world.store.overview(newer).await.unwrap(), all[..7]);
}

#[tokio::test]
async fn too_many_addresses_of_one_beginning_are_refused() {
    let world = world().await;
    for number in 0..=ADDRESSES_OF_ONE_BEGINNING {
        let recipient = format!("some{number:03}@x.example");
        refused(
            &world,
            record(world.organisation),
            &recipient,
            MailStatus::Plain,
        )
        .await;
    }
    let of = |party: &str| OverviewFilter {
        organisation: Some(world.organisation),
        party: Some(party.to_owned()),
        limit: 100,
        ..OverviewFilter::default()
    };
    let too_many = world.store.overview(of("some")).await;
    assert!(matches!(too_many, Err(StoreError::Refused(_))));
    assert_eq!(world.store.overview(of("some00")).await.unwrap().len(), 10);
    let of_all = world.store.overview(of("x.example")).await.unwrap();
    assert_eq!(of_all.len(), ADDRESSES_OF_ONE_BEGINNING + 1);
}

/// Rows in which the counts and the lines differ.
async fn miscounted(world: &World) -> i64 {
    world
        .store
        .number(
            "WITH counted AS (SELECT organisation, hour, direction, status, delivery, lines FROM statistics WHERE lines <> 0),
                  true_ones AS (SELECT organisation, at - at % 3600, direction, status, delivery, COUNT(*) FROM lines
                                GROUP BY 1, 2, 3, 4, 5)
             SELECT (SELECT COUNT(*) FROM (SELECT * FROM counted EXCEPT SELECT * FROM true_ones))
                  + (SELECT COUNT(*) FROM (SELECT * FROM true_ones EXCEPT SELECT * FROM counted))",
        )
        .await
}

#[tokio::test]
async fn counts_are_true_after_random_work_failed_writes_and_crashes() {
    let mut world = world().await;
    let mut chance = Chance(3);
    let mut mails = Vec::new();
    for step in 0..120 {
        let now = NOW.plus(step * 1_700);
        match chance.below(6) {
            0 | 1 => {
                let mut acceptance = world.mail(TEXT, &BOTH).await;
                acceptance.record.at = now;
                acceptance.lines[0].status = chance.of(&STATUSES);
                mails.push(world.accept(acceptance).await);
            }
            2 => {
                let mut acceptance = world.mail(TEXT, &BOTH).await;
                acceptance.record.at = now;
                world.store.fail_after(1 + chance.below(16) as i64).await;
                let _ = world.store.accept(acceptance).await;
                world.store.fail_after(0).await;
            }
            3 => {
                let leased = world.store.lease_due(now, 1, 60).await.unwrap();
                for leased in leased {
                    deliver_all(&world.store, leased).await;
                }
            }
            4 => world.crash().await,
            _ => {
                let verb = chance.of(&[Verb::Hold, Verb::Release, Verb::Delete, Verb::Retry]);
                if let Some(mail) = mails.get(chance.below(40) as usize) {
                    let _ = world.store.act(verb, *mail, None, "test", now).await;
                }
            }
        }
        assert_eq!(miscounted(&world).await, 0, "step {step}");
    }
    assert!(world.store.number("SELECT COUNT(*) FROM lines").await > 40);
}

#[tokio::test]
async fn mails_that_went_another_way_are_in_the_journal_and_nowhere_else() {
    let world = world().await;
    let mails = (0..9).map(|day| {
        let record = MailRecord {
            at: NOW.plus(-day * DAY),
            ..record(world.organisation)
        };
        let line = line("a@x.example", MailStatus::Signed);
        (record, line, Delivery::Delivered)
    });
    world.store.record_mails(mails.collect()).await.unwrap();
    let all = OverviewFilter {
        limit: 20,
        ..OverviewFilter::default()
    };
    let rows = world.store.overview(all).await.unwrap();
    assert_eq!(rows.len(), 9);
    assert!(rows.is_sorted_by(|one, next| one.at > next.at));
    assert!(rows.iter().all(|row| row.delivery == Delivery::Delivered));
    assert_eq!(miscounted(&world).await, 0);
    assert_eq!(world.store.next_due().await.unwrap(), None);
}

#[tokio::test]
async fn statistics_are_added_up_by_stretches() {
    let world = world().await;
    for hour in 0..48 {
        let record = MailRecord {
            at: NOW.plus(hour * 3_600),
            ..record(world.organisation)
        };
        let status = if hour % 12 == 0 {
            MailStatus::Failed
        } else {
            MailStatus::Signed
        };
        refused(&world, record, "a@x.example", status).await;
    }
    let midnight = Timestamp(NOW.0 - NOW.0 % DAY);
    let of = |until, step| {
        world
            .store
            .statistics(world.organisation, midnight, until, step)
    };
    let days = of(midnight.plus(3 * DAY), DAY).await.unwrap();
    assert_eq!(days.len(), 3);
    let lines: Vec<_> = days.iter().map(|day| day.lines(|_| true)).collect();
    assert_eq!(lines.iter().sum::<u64>(), 48);
    let failed: u64 = days
        .iter()
        .map(|day| day.with_status(MailStatus::Failed))
        .sum();
    assert_eq!(failed, 4);
    let hours = of(midnight.plus(DAY), 3_600).await.unwrap();
    assert_eq!(hours.len(), 24);
    assert_eq!(
        hours.iter().map(|hour| hour.lines(|_| true)).sum::<u64>(),
        lines[0]
    );
    assert!(hours.iter().all(|hour| hour.lines(|_| true) <= 1));
    let other = sealgate_core::tenant::OrganisationId(99);
    let none = world
        .store
        .statistics(other, midnight, NOW.plus(9 * DAY), DAY);
    assert!(none.await.unwrap().iter().all(|day| day.counts.is_empty()));
    assert!(of(midnight.plus(DAY * 10_000), 60).await.is_err());
}

#[tokio::test]
async fn the_journal_is_kept_as_long_as_the_organisation_says() {
    let world = world().await;
    let acceptance = world.mail(TEXT, &BOTH).await;
    let queued = world.accept(acceptance).await;
    for day in 0..20 {
        let record = MailRecord {
            at: NOW.plus(day * DAY),
            ..record(world.organisation)
        };
        refused(&world, record, "a@x.example", MailStatus::Plain).await;
    }
    let lines = "SELECT COUNT(*) FROM lines";
    world.store.maintain(NOW.plus(89 * DAY)).await.unwrap();
    assert_eq!(world.store.number(lines).await, 22);
    world.store.maintain(NOW.plus(100 * DAY)).await.unwrap();
    assert_eq!(world.store.number(lines).await, 2 + 10);
    let (before, after) = (
        Settings::default(),
        Settings {
            journal_days: JournalDays::Month,
            ..Settings::default()
        },
    );
    let change = [Change::Settings { before, after }];
    world
        .store
        .apply("example", &change, "test", NOW)
        .await
        .unwrap();
    world.store.maintain(NOW.plus(100 * DAY)).await.unwrap();
    assert_eq!(world.store.number(lines).await, 2, "what is queued stays");
    assert_eq!(world.store.number("SELECT COUNT(*) FROM mails").await, 1);
    world
        .store
        .act(Verb::Delete, queued, None, "test", NOW)
        .await
        .unwrap();
    world.store.maintain(NOW.plus(100 * DAY)).await.unwrap();
    for left in [
        lines,
        "SELECT COUNT(*) FROM mails",
        "SELECT COUNT(*) FROM line_words",
    ] {
        assert_eq!(world.store.number(left).await, 0, "{left}");
    }
    let counted = "SELECT SUM(lines) FROM statistics";
    assert_eq!(world.store.number(counted).await, 22);
    world
        .store
        .maintain(NOW.plus(STATISTICS_MEMORY + 30 * DAY))
        .await
        .unwrap();
    assert_eq!(world.store.number(counted).await, 0);
}

#[tokio::test]
async fn events_are_kept_for_their_time_and_numbers_never_come_again() {
    let world = world().await;
    world
        .store
        .raw("INSERT INTO events (organisation, at, kind, text) VALUES (1, 1795320000, 'mail-held', 'one'), (1, 1795400000, 'mail-held', 'two')")
        .await
        .unwrap();
    let events = "SELECT COUNT(*) FROM events";
    world.store.maintain(NOW.plus(EVENT_MEMORY)).await.unwrap();
    assert_eq!(world.store.number(events).await, 2);
    world
        .store
        .maintain(NOW.plus(EVENT_MEMORY + 1))
        .await
        .unwrap();
    assert_eq!(world.store.number(events).await, 1);
    world
        .store
        .maintain(NOW.plus(EVENT_MEMORY * 2))
        .await
        .unwrap();
    world
        .store
        .raw("INSERT INTO events (organisation, at, kind, text) VALUES (1, 1795320000, 'mail-held', 'three')")
        .await
        .unwrap();
    let last = world.store.events(world.organisation, 0, 9).await.unwrap();
    assert_eq!(last.iter().map(|one| one.id).collect::<Vec<_>>(), [3]);
}

#[tokio::test]
async fn certificates_that_end_are_counted_by_the_week() {
    let world = world().await;
    world
        .store
        .raw(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
             INSERT INTO keys (id, organisation, mailbox, fingerprint, serial, certificate, chain, sealed, origin, not_before,
                               not_after, added)
             SELECT i, 1, 'm' || i || '@x.example', CAST(i AS BLOB), x'00', x'00', '[]', x'00', 'issued', 0,
                    1795320000 + i * 86400, 0 FROM n;
             INSERT INTO mailboxes (organisation, mailbox, address, domain, state, since, aliases, added)
             SELECT 1, mailbox, mailbox, 'x.example', CASE WHEN id % 10 = 0 THEN 'revoke-pending' ELSE 'active' END, 0, '[]', 0
             FROM keys;
             UPDATE mailboxes SET signing = (SELECT id FROM keys k WHERE k.mailbox = mailboxes.mailbox),
                                  encryption = (SELECT id FROM keys k WHERE k.mailbox = mailboxes.mailbox);",
        )
        .await
        .unwrap();
    let weeks = world
        .store
        .expiries(world.organisation, NOW, NOW.plus(30 * DAY))
        .await
        .unwrap();
    let counts: Vec<_> = weeks.iter().map(|week| week.certificates).collect();
    // Days 1 to 6, 7 to 13 without 10, 14 to 20 without 20, 21 to 27, 28 and 29.
    assert_eq!(counts, [6, 6, 6, 7, 2]);
    assert_eq!(weeks[4].until, NOW.plus(30 * DAY));
}
