//! Calls about webhooks.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Admin, Permitted};
use crate::office::webhooks::{MadeWebhook, NewWebhook, Webhook};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(remove))
}

/// The webhooks of an organisation.
#[utoipa::path(
    get, path = "/organisations/{organisation}/webhooks", tag = "webhooks",
    params(("organisation" = String, Path)),
    responses((status = 200, body = Vec<Webhook>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn list(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
) -> Result<Json<Vec<Webhook>>, Problem> {
    Ok(Json(portal.office.webhooks(&permitted).await?))
}

/// Makes a webhook; its secret is in the answer and nowhere else.
#[utoipa::path(
    post, path = "/organisations/{organisation}/webhooks", tag = "webhooks",
    params(("organisation" = String, Path)),
    request_body = NewWebhook,
    responses((status = 201, body = MadeWebhook), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn create(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Json(new): Json<NewWebhook>,
) -> Result<(StatusCode, Json<MadeWebhook>), Problem> {
    let made = portal.office.create_webhook(&permitted, &new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Removes a webhook.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/webhooks/{id}", tag = "webhooks",
    params(("organisation" = String, Path), ("id" = i64, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn remove(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Path(place): Path<(String, i64)>,
) -> Result<StatusCode, Problem> {
    portal.office.remove_webhook(&permitted, place.1).await?;
    Ok(StatusCode::NO_CONTENT)
}
