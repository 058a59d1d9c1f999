//! Calls about the switches of an organisation.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Admin, Permitted, Read};
use crate::office::Applied;
use crate::office::settings::{Switch, words};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new().routes(routes!(show, change))
}

/// All switches with their values.
#[utoipa::path(
    get, path = "/organisations/{organisation}/settings", tag = "settings",
    params(("organisation" = String, Path)),
    responses((status = 200, body = Vec<Switch>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn show(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
) -> Result<Json<Vec<Switch>>, Problem> {
    Ok(Json(words(&portal.office.settings(&permitted).await?)))
}

/// Changes the switches that are named; the others stay.
#[utoipa::path(
    patch, path = "/organisations/{organisation}/settings", tag = "settings",
    params(("organisation" = String, Path)),
    request_body = Vec<Switch>,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn change(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Json(switches): Json<Vec<Switch>>,
) -> Result<Json<Applied>, Problem> {
    let applied = portal.office.change_settings(&permitted, &switches).await?;
    Ok(Json(applied))
}
