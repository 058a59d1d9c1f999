//! Webhooks: where events are passed on to.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Asked, At};
use crate::auth::{Admin, Permitted};
use crate::problem::Titles;

/// A webhook.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Webhook {
    /// Its number.
    pub id: i64,
    /// Where events go.
    pub url: String,
    /// Kinds of events that are passed on, one word each.
    pub kinds: Vec<String>,
    /// When it was made.
    pub created: At,
    /// By whom.
    pub created_by: String,
    /// When it was tried last.
    pub tried: Option<At>,
    /// What went wrong then, in one line.
    pub error: Option<String>,
    /// The same in all languages; words of others are in quotation marks.
    pub errors: Option<Titles>,
    /// When that is tried again.
    pub again: Option<At>,
}

/// A webhook to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Where events go: an address that begins with `https://`.
    pub url: String,
    /// Kinds of events that are passed on; all if there are none.
    #[serde(default)]
    pub kinds: Vec<String>,
}

/// A webhook that was made, with what is shown once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MadeWebhook {
    /// Its number.
    pub id: i64,
    /// What events are signed with, as Standard Webhooks write it. It is never shown again.
    pub secret: String,
}

/// Questions about webhooks.
#[async_trait]
pub trait Webhooks {
    /// All of the organisation's.
    async fn webhooks(&self, who: &Permitted<Admin>) -> Asked<Vec<Webhook>>;

    /// Makes one; it passes on what happens from now on.
    async fn create_webhook(&self, who: &Permitted<Admin>, new: &NewWebhook) -> Asked<MadeWebhook>;

    /// Removes one.
    async fn remove_webhook(&self, who: &Permitted<Admin>, id: i64) -> Asked<()>;
}
