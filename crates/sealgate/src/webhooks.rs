//! Passes events on to webhooks, each in the order of its organisation's events, until the gateway stops.

use std::sync::Arc;

use sealgate_net::webhook::{self, Message};
use sealgate_store::DueEvent;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::cmd::admin::word_of;
use crate::gateway::{Gateway, now};
use crate::limits::{WEBHOOK_POLL, WEBHOOKS_AT_ONCE};

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
}

/// Runs until `stop` becomes true. What was sent and not written down is sent again at the next start, under the same number.
pub async fn run(gateway: Arc<Gateway>, mut stop: watch::Receiver<bool>) {
    let rounds = async {
        loop {
            if !round(&gateway).await {
                sleep(WEBHOOK_POLL).await;
            }
        }
    };
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => {}
        () = rounds => {}
    }
}

/// Passes on what is due, one event of each webhook; `true` if there was any.
async fn round(gateway: &Arc<Gateway>) -> bool {
    let due = match gateway.store.due_events(now(), WEBHOOKS_AT_ONCE).await {
        Ok(due) => due,
        Err(error) => {
            tracing::warn!(%error, "the events for webhooks cannot be read now");
            return false;
        }
    };
    let any = !due.is_empty();
    let mut sending = JoinSet::new();
    for due in due {
        sending.spawn(pass_on(Arc::clone(gateway), due));
    }
    sending.join_all().await;
    any
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

async fn send(gateway: &Gateway, due: &DueEvent) -> Result<u16, String> {
    let body = Body {
        r#type: word_of(&due.event.kind),
        timestamp: due.event.at.rfc3339(),
        data: Data {
            id: due.event.id,
            organisation: &due.organisation,
            text: &due.event.text,
        },
    };
    let body = serde_json::to_string(&body).map_err(|error| error.to_string())?;
    let message = Message {
        id: &format!("event-{}-{}", due.webhook, due.event.id),
        at: now().0,
        body: &body,
    };
    webhook::send(&gateway.caller, &due.url, &due.secret, &message).await
}
