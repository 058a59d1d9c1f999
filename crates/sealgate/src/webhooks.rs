//! Passes events on to webhooks, each in the order of its organisation's events, until the gateway stops.

use std::collections::HashMap;
use std::sync::Arc;

use sealgate_core::saying::{Saying, Servers};
use sealgate_core::tenant::OrganisationId;
use sealgate_net::webhook::{self, Message};
use sealgate_portal::problem::Titles;
use sealgate_store::{DueEvent, WebhookPlaces};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::cmd::admin::word_of;
use crate::gateway::{Gateway, now};
use crate::limits::{WEBHOOK_POLL, WEBHOOKS_AT_ONCE, WEBHOOKS_OF_ONE};

/// An event as webhooks get it.
#[derive(Serialize)]
struct Body<'a> {
    /// The kind of event, one word.
    r#type: String,
    /// When it happened, as RFC 3339 has it.
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    id: i64,
    organisation: &'a str,
    text: &'a str,
    texts: Titles,
}

/// Runs until `stop` becomes true. What was sent and not written down is sent again at the next start, under the same number.
pub async fn run(gateway: Arc<Gateway>, mut stop: watch::Receiver<bool>) {
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => {}
        () = pass_on_all(&gateway) => {}
    }
}

/// Starts what is due whenever one is done, and after a while; none waits for another organisation's.
async fn pass_on_all(gateway: &Arc<Gateway>) {
    let mut sending = JoinSet::new();
    let mut tasks = HashMap::new();
    loop {
        let under_way: Vec<(i64, OrganisationId)> = tasks.values().copied().collect();
        for due in due(gateway, &under_way).await {
            let whose = (due.webhook, due.owner);
            let task = sending.spawn(pass_on(Arc::clone(gateway), due));
            tasks.insert(task.id(), whose);
        }
        tokio::select! {
            Some(done) = sending.join_next_with_id() => {
                let task = done.map_or_else(|error| error.id(), |(task, ())| task);
                tasks.remove(&task);
            }
            () = sleep(WEBHOOK_POLL) => {}
        }
    }
}

/// What is due and has a place, one event of each webhook.
async fn due(gateway: &Gateway, under_way: &[(i64, OrganisationId)]) -> Vec<DueEvent> {
    let places = WebhookPlaces {
        all: WEBHOOKS_AT_ONCE,
        of_one: WEBHOOKS_OF_ONE,
        under_way,
    };
    let due = gateway.store.due_events(now(), places).await;
    due.unwrap_or_else(|error| {
        tracing::warn!(%error, "the events for webhooks cannot be read now");
        Vec::new()
    })
}

async fn pass_on(gateway: Arc<Gateway>, due: DueEvent) {
    let error = send(&gateway, &due).await.err();
    let written = gateway
        .store
        .event_passed(due.webhook, due.event.id, error, now());
    if let Err(error) = written.await {
        tracing::warn!(%error, webhook = due.webhook, "what came of a webhook was not written down");
    }
}

async fn send(gateway: &Gateway, due: &DueEvent) -> Result<u16, Saying> {
    let body = Body {
        r#type: word_of(&due.event.kind),
        timestamp: due.event.at.rfc3339(),
        data: Data {
            id: due.event.id,
            organisation: &due.organisation,
            text: &due.event.text,
            texts: Titles::of(&due.event.said),
        },
    };
    let body = serde_json::to_string(&body).map_err(|error| Servers::ContentUnreadable {
        why: error.to_string(),
    })?;
    let message = Message {
        id: &format!("event-{}-{}", due.webhook, due.event.id),
        at: now().0,
        body: &body,
    };
    let sent = webhook::send(&gateway.to_webhooks, &due.url, &due.secret, &message);
    sent.await.map_err(|why| Servers::from(why).into())
}
