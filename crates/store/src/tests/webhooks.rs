//! Which events are due at webhooks.

use sealgate_core::saying::Saying;
use sealgate_core::tenant::{OrganisationId, Settings};
use zeroize::Zeroizing;

use crate::events;
use crate::testing::{NOW, World, world};
use crate::writer::{Weight, job};
use crate::{EventKind, NewWebhook, WebhookPlaces};

const WHO: (&str, sealgate_mail::Timestamp) = ("test", NOW);

/// Some webhooks of an organisation, and an event that they all want.
async fn webhooks(world: &World, organisation: OrganisationId, count: usize) -> Vec<i64> {
    let mut made = Vec::new();
    for number in 0..count {
        let new = NewWebhook {
            url: format!("https://hooks.example/{number}"),
            secret: Zeroizing::new(vec![1; 32]),
            kinds: EventKind::ALL.to_vec(),
        };
        let created = world.store.create_webhook(organisation, new, WHO);
        made.push(created.await.unwrap());
    }
    made
}

async fn event(world: &World, organisation: OrganisationId) {
    let event = (EventKind::KeyLearned, Saying::words("a key was learned"));
    let work = job(move |connection| {
        Box::pin(async move { events::insert(connection, organisation.0, NOW, event).await })
    });
    let written = world.store.0.writer.write(Weight::default(), work);
    written.await.unwrap();
}

#[tokio::test]
async fn an_organisation_takes_no_place_of_another() {
    let world = world().await;
    let slow = world.organisation;
    let other = world
        .store
        .create_organisation("other", Settings::default(), "test", NOW)
        .await
        .unwrap();
    let of_slow = webhooks(&world, slow, 8).await;
    let of_other = webhooks(&world, other, 1).await;
    for organisation in [slow, other] {
        event(&world, organisation).await;
    }
    let mut under_way: Vec<(i64, OrganisationId)> = Vec::new();
    let due = |under_way: Vec<(i64, OrganisationId)>| {
        let store = world.store.clone();
        async move {
            let places = WebhookPlaces {
                all: 4,
                of_one: 2,
                under_way: &under_way,
            };
            let due = store.due_events(NOW, places).await.unwrap();
            let mut due: Vec<(i64, OrganisationId)> =
                due.iter().map(|due| (due.webhook, due.owner)).collect();
            due.sort_by_key(|one| one.0);
            due
        }
    };
    let first = due(under_way.clone()).await;
    assert_eq!(
        first,
        [(of_slow[0], slow), (of_slow[1], slow), (of_other[0], other)]
    );
    // The slow ones go on: the other's next event has its place, and theirs wait.
    under_way.extend([(of_slow[0], slow), (of_slow[1], slow)]);
    assert_eq!(due(under_way.clone()).await, [(of_other[0], other)]);
    under_way.push((of_other[0], other));
    assert_eq!(due(under_way.clone()).await, []);
    // One of the slow ones is done.
    under_way.remove(0);
    world
        .store
        .event_passed(of_slow[0], i64::MAX, None, NOW)
        .await
        .unwrap();
    assert_eq!(due(under_way).await, [(of_slow[2], slow)]);
}
