//! The portal's questions about webhooks.

use async_trait::async_trait;
use rand_core::RngCore;
use sealgate_core::saying::Inputs;
use sealgate_portal::auth::{Admin, Permitted};
use sealgate_portal::office::webhooks::{MadeWebhook, NewWebhook, Webhook, Webhooks};
use sealgate_portal::office::{Asked, At};
use sealgate_portal::problem::{Problem, Titles};
use sealgate_store::{EventKind, WebhookRow};
use url::Url;
use zeroize::Zeroizing;

use super::{PortalOffice, few, problem, short};
use crate::cmd::admin::{word, word_of};
use crate::gateway::now;
use crate::limits::{SETTING_CHARS, WEBHOOK_SECRET};
use crate::random::SystemRandom;

#[async_trait]
impl Webhooks for PortalOffice {
    async fn webhooks(&self, who: &Permitted<Admin>) -> Asked<Vec<Webhook>> {
        let rows = self.0.store.webhooks(who.organisation()).await;
        Ok(rows.map_err(problem)?.into_iter().map(shown).collect())
    }

    async fn create_webhook(&self, who: &Permitted<Admin>, new: &NewWebhook) -> Asked<MadeWebhook> {
        let mut secret = Zeroizing::new(vec![0; WEBHOOK_SECRET]);
        SystemRandom.fill_bytes(&mut secret);
        let text = base64_simd::STANDARD.encode_to_string(secret.as_slice());
        let new = sealgate_store::NewWebhook {
            url: address(&new.url)?,
            secret,
            kinds: kinds(&new.kinds)?,
        };
        let store = &self.0.store;
        let made = store.create_webhook(who.organisation(), new, (who.who(), now()));
        Ok(MadeWebhook {
            id: made.await.map_err(problem)?,
            secret: format!("whsec_{text}"),
        })
    }

    async fn remove_webhook(&self, who: &Permitted<Admin>, id: i64) -> Asked<()> {
        let store = &self.0.store;
        let removed = store.remove_webhook(who.organisation(), id, (who.who(), now()));
        removed.await.map_err(problem)
    }
}

/// An address that may be called: https, or http on this machine. Where it leads is judged at each call, since names move.
fn address(text: &str) -> Asked<String> {
    let wrong = |why: Inputs| Problem::wrong("url", why);
    short("url", text, SETTING_CHARS)?;
    let url = Url::parse(text.trim()).map_err(|_| wrong(Inputs::WebhookUrl {}))?;
    let local = url
        .host_str()
        .is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
    match (url.scheme(), local) {
        _ if !url.username().is_empty() || url.password().is_some() => {
            Err(wrong(Inputs::WebhookUser {}))
        }
        ("https", _) | ("http", true) => Ok(url.to_string()),
        _ => Err(wrong(Inputs::WebhookHttps {})),
    }
}

/// The kinds of these words; all if there are none, but for the one that tells of webhooks themselves.
fn kinds(words: &[String]) -> Asked<Vec<EventKind>> {
    if words.is_empty() {
        let all = EventKind::ALL.into_iter();
        return Ok(all
            .filter(|kind| *kind != EventKind::WebhookFailed)
            .collect());
    }
    few("kinds", words.len(), EventKind::ALL.len())?;
    let kind = |text: &String| word(text).map_err(|_| no_kind("kinds"));
    words.iter().map(kind).collect()
}

/// What tells of no kind of event there is.
pub(super) fn no_kind(field: &'static str) -> Problem {
    let words: Vec<_> = EventKind::ALL.iter().map(word_of).collect();
    let words = words.join(", ");
    Problem::wrong(field, Inputs::OneOf { words })
}

fn shown(row: WebhookRow) -> Webhook {
    let (tried, error) = match row.last {
        Some((at, error)) => (Some(At(at)), error),
        None => (None, None),
    };
    Webhook {
        id: row.id,
        url: row.url,
        kinds: row.kinds.iter().map(word_of).collect(),
        created: At(row.created),
        created_by: row.created_by,
        tried,
        errors: error.as_ref().map(Titles::of),
        error: error.map(|said| said.to_string()),
        again: row.again.map(At),
    }
}
