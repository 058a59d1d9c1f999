//! What the overview of an organisation draws attention to, as counts that cost the same however much there is.

use sealgate_core::queue::MailId;
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::Timestamp;

use crate::error::StoreError;
use crate::events::Event;
use crate::limits::{ATTENTION_ROWS, EVENTS_OF_A_MAIL};
use crate::rows::{Columns, size};
use crate::store::Store;
use crate::tx::queue_id;

/// Active mailboxes whose certificate ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// How many.
    pub mailboxes: u64,
    /// When the first one ends.
    pub first: Option<Timestamp>,
}

impl Store {
    /// How many recipients of an organisation's mail wait for what is held; counted up to [`ATTENTION_ROWS`].
    pub async fn held_count(&self, organisation: OrganisationId) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS held FROM (
                 SELECT 1 FROM recipients r JOIN copies c ON c.id = r.copy
                 WHERE r.held_until IS NOT NULL AND c.organisation = $1 LIMIT $2)",
        )
        .bind(organisation.0)
        .bind(ATTENTION_ROWS)
        .fetch_one(&self.0.readers)
        .await?;
        Ok(size(row.field("held")?))
    }

    /// The active mailboxes whose certificate ends before `before`, and no other one is ordered.
    pub async fn ending_unordered(
        &self,
        organisation: OrganisationId,
        before: Timestamp,
    ) -> Result<Ending, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(DISTINCT k.mailbox) AS mailboxes, MIN(k.not_after) AS first FROM keys k
             WHERE k.organisation = $1 AND k.current = 1 AND k.not_after < $2
               AND NOT EXISTS (SELECT 1 FROM orders o
                               WHERE o.organisation = k.organisation AND o.mailbox = k.mailbox AND o.ended IS NULL)",
        )
        .bind(organisation.0)
        .bind(before.0)
        .fetch_one(&self.0.readers)
        .await?;
        Ok(Ending {
            mailboxes: size(row.field("mailboxes")?),
            first: row.optional_time("first")?,
        })
    }

    /// How many orders failed since `since` for mailboxes for which none was opened afterwards; counted up to [`ATTENTION_ROWS`].
    pub async fn orders_failed_since(
        &self,
        organisation: OrganisationId,
        since: Timestamp,
    ) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS failed FROM (
                 SELECT 1 FROM orders o
                 WHERE o.organisation = $1 AND o.state = 'failed' AND o.ended >= $2
                   AND NOT EXISTS (SELECT 1 FROM orders l
                                   WHERE l.organisation = o.organisation AND l.mailbox = o.mailbox AND l.id > o.id)
                 LIMIT $3)",
        )
        .bind(organisation.0)
        .bind(since.0)
        .bind(ATTENTION_ROWS)
        .fetch_one(&self.0.readers)
        .await?;
        Ok(size(row.field("failed")?))
    }

    /// The events that name a mail, among the first [`EVENTS_OF_A_MAIL`] from `since` on, oldest first.
    pub async fn events_about(
        &self,
        organisation: OrganisationId,
        mail: MailId,
        since: Timestamp,
    ) -> Result<Vec<Event>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM (SELECT * FROM events WHERE organisation = $1 AND at >= $2 ORDER BY at, id LIMIT $3)
             WHERE instr(text, $4) > 0 ORDER BY id",
        )
        .bind(organisation.0)
        .bind(since.0)
        .bind(EVENTS_OF_A_MAIL)
        .bind(queue_id(mail))
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter().map(crate::events::event).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use sealgate_core::limits::HELD_LIFETIME;
    use sealgate_core::tenant::Settings;

    use super::*;
    use crate::Verb;
    use crate::testing::{NOW, World, world};

    const TEXT: &[u8] = b"To: a@x.example, b@x.example\r\n\r\nhello\r\n";
    const BOTH: [&str; 2] = ["a@x.example", "b@x.example"];
    /// A certificate of a mailbox that is current, or was.
    const KEYS: &str = "INSERT INTO keys (id, organisation, mailbox, fingerprint, serial, certificate, chain, sealed, origin, \
                                          not_before, not_after, added, current)
        VALUES (1, 1, 'a@example.com', x'01', x'01', x'00', '[]', x'00', 'uploaded', 0, 1795320100, 0, 1),
               (2, 1, 'a@example.com', x'02', x'02', x'00', '[]', x'00', 'uploaded', 0, 1795320200, 0, 1),
               (3, 1, 'b@example.com', x'03', x'03', x'00', '[]', x'00', 'uploaded', 0, 1795320300, 0, 1),
               (4, 1, 'b@example.com', x'04', x'04', x'00', '[]', x'00', 'uploaded', 0, 1795320000, 0, 0),
               (5, 2, 'c@example.com', x'05', x'05', x'00', '[]', x'00', 'uploaded', 0, 1795320050, 0, 1)";
    /// Orders of two mailboxes: one is open, one failed.
    const ORDERS: &str = "INSERT INTO authorities (id, organisation, name, kind, sealed, current, standard, renew_days, created)
            VALUES (77, 1, 'tests', 'by-hand', x'00', 1, 0, 30, 0);
        INSERT INTO orders (id, organisation, mailbox, address, authority, purpose, key_kind, state, attempts, created, ended)
            VALUES (1, 1, 'a@example.com', 'a@example.com', 77, 'activation', 'p-256', 'waiting', 0, 1795320000, NULL),
                   (2, 1, 'b@example.com', 'b@example.com', 77, 'activation', 'p-256', 'failed', 0, 1795320000, 1795320010)";

    /// A world with a second organisation, which must never see anything of the first.
    async fn two() -> (World, OrganisationId) {
        let world = world().await;
        let other = Settings::default();
        let other = world.store.create_organisation("other", other, "test", NOW);
        let other = other.await.unwrap();
        (world, other)
    }

    #[tokio::test]
    async fn held_mail_is_counted_until_it_goes_or_expires() {
        let (world, other) = two().await;
        let held = async |of| world.store.held_count(of).await.unwrap();
        let act = async |verb, mail| {
            let own = Some(world.organisation);
            world
                .store
                .act(verb, mail, own, "carol", NOW)
                .await
                .unwrap()
        };
        let acceptance = world.mail(TEXT, &BOTH).await;
        let mail = world.accept(acceptance).await;
        assert_eq!(held(world.organisation).await, 0, "it waits");
        act(Verb::Hold, mail).await;
        assert_eq!(held(world.organisation).await, 2);
        assert_eq!(held(other).await, 0);
        act(Verb::Release, mail).await;
        assert_eq!(held(world.organisation).await, 0, "released");
        act(Verb::Hold, mail).await;
        act(Verb::Delete, mail).await;
        assert_eq!(held(world.organisation).await, 0, "deleted");
        let acceptance = world.mail(TEXT, &BOTH[..1]).await;
        let mail = world.accept(acceptance).await;
        act(Verb::Hold, mail).await;
        assert_eq!(held(world.organisation).await, 1);
        world.store.maintain(NOW.plus(HELD_LIFETIME)).await.unwrap();
        assert_eq!(held(world.organisation).await, 0, "expired");
    }

    #[tokio::test]
    async fn certificates_that_end_are_told_until_another_is_ordered() {
        let (world, other) = two().await;
        world.store.raw(KEYS).await.unwrap();
        let ending = async |of, after| {
            let ending = world.store.ending_unordered(of, NOW.plus(after)).await;
            let Ending { mailboxes, first } = ending.unwrap();
            (mailboxes, first.map(|first| first.0 - NOW.0))
        };
        let own = world.organisation;
        assert_eq!(ending(own, 100).await, (0, None), "not yet");
        assert_eq!(ending(own, 101).await, (1, Some(100)));
        assert_eq!(
            ending(own, 201).await,
            (1, Some(100)),
            "one mailbox, two keys"
        );
        assert_eq!(ending(own, 301).await, (2, Some(100)));
        assert_eq!(ending(other, 301).await, (1, Some(50)));
        world.store.raw(ORDERS).await.unwrap();
        assert_eq!(ending(own, 301).await, (1, Some(300)), "one is ordered");
        let ended = "UPDATE orders SET state = 'failed', ended = 1795320020 WHERE id = 1";
        world.store.raw(ended).await.unwrap();
        assert_eq!(ending(own, 301).await, (2, Some(100)), "that failed");
        let replaced = "UPDATE keys SET current = 0 WHERE organisation = 1";
        world.store.raw(replaced).await.unwrap();
        assert_eq!(ending(own, 301).await, (0, None), "replaced");
    }

    #[tokio::test]
    async fn failed_orders_are_told_until_there_is_a_newer_one() {
        let (world, other) = two().await;
        let failed = async |of, after| {
            let failed = world.store.orders_failed_since(of, NOW.plus(after)).await;
            failed.unwrap()
        };
        let own = world.organisation;
        assert_eq!(failed(own, 0).await, 0);
        world.store.raw(ORDERS).await.unwrap();
        assert_eq!(failed(own, 10).await, 1, "one waits, one failed");
        assert_eq!(failed(own, 11).await, 0, "long ago");
        assert_eq!(failed(other, 0).await, 0);
        let again = "INSERT INTO orders (id, organisation, mailbox, address, authority, purpose, key_kind, state, attempts, created)
            VALUES (3, 1, 'b@example.com', 'b@example.com', 77, 'activation', 'p-256', 'new', 0, 1795320020)";
        world.store.raw(again).await.unwrap();
        assert_eq!(failed(own, 0).await, 0, "it is tried again");
        let ended = "UPDATE orders SET state = 'failed', ended = 1795320030 WHERE ended IS NULL";
        world.store.raw(ended).await.unwrap();
        assert_eq!(failed(own, 0).await, 2, "the newest of each mailbox counts");
        let issued = "UPDATE orders SET state = 'issued' WHERE id = 3";
        world.store.raw(issued).await.unwrap();
        assert_eq!(failed(own, 0).await, 1);
    }

    #[tokio::test]
    async fn events_of_a_mail_are_those_that_name_it() {
        let (world, other) = two().await;
        let acceptance = world.mail(TEXT, &BOTH).await;
        let mut held = acceptance;
        let copy = held.copies.remove(0);
        held.held = vec![crate::Held {
            copy,
            reason: sealgate_core::failure::HeldReason::NullSender,
            again: None,
        }];
        let mail = world.accept(held).await;
        let about = async |of, mail, since| {
            let events = world.store.events_about(of, mail, NOW.plus(since)).await;
            events.unwrap().into_iter().map(|one| one.kind)
        };
        let own = world.organisation;
        let kinds: Vec<_> = about(own, mail, 0).await.collect();
        assert_eq!(kinds, [crate::EventKind::MailHeld]);
        assert_eq!(about(own, mail, 1).await.count(), 0, "earlier ones");
        assert_eq!(about(other, mail, 0).await.count(), 0);
        let another = MailId(mail.0 ^ 1);
        assert_eq!(about(own, another, 0).await.count(), 0);
    }
}
