//! Webhooks of an organisation.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use super::Nothing;
use crate::Portal;
use crate::auth::{Admin, Posted};
use crate::office::records::EventKind;
use crate::office::webhooks::{MadeWebhook, NewWebhook, Webhook};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::view::{Notice, View, Visit, done, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Admin, _, _>("/o/{organisation}/webhooks", list),
        post::<Admin, _, _>("/o/{organisation}/webhooks", create),
        post::<Admin, _, _>("/o/{organisation}/webhooks/{id}/remove", remove),
    ]
}

#[derive(Template)]
#[template(path = "webhooks/list.html")]
struct List {
    view: View,
    webhooks: Vec<Webhook>,
    kinds: Vec<EventKind>,
    made: Option<MadeWebhook>,
}

async fn list(State(portal): State<Portal>, visit: Visit<Admin>) -> Result<Response, Problem> {
    page(&List {
        webhooks: portal.office.webhooks(&visit.permitted).await?,
        kinds: portal.office.event_kinds(),
        view: visit.view,
        made: None,
    })
}

#[derive(Deserialize)]
struct Form {
    url: String,
    #[serde(default)]
    kind: Vec<String>,
}

/// The secret is on the page that answers, and nowhere else: so this one form is not answered by a redirect.
async fn create(
    State(portal): State<Portal>,
    parts: axum::http::request::Parts,
    Posted(permitted, form): Posted<Admin, Form>,
) -> Result<Response, Problem> {
    let new = NewWebhook {
        url: form.url,
        kinds: form.kind,
    };
    let made = portal.office.create_webhook(&permitted, &new).await?;
    page(&List {
        view: View::of(&portal, &permitted, &parts).await?,
        webhooks: portal.office.webhooks(&permitted).await?,
        kinds: portal.office.event_kinds(),
        made: Some(made),
    })
}

async fn remove(
    State(portal): State<Portal>,
    Path((_, id)): Path<(String, i64)>,
    Posted(permitted, Nothing {}): Posted<Admin, Nothing>,
) -> Result<Response, Problem> {
    portal.office.remove_webhook(&permitted, id).await?;
    let to = format!("/o/{}/webhooks", permitted.organisation_name());
    done(&portal, &permitted, Notice::new("webhook-removed"), &to).await
}
