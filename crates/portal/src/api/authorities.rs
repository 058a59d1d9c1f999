//! Calls about authorities.

use axum::extract::{Path, State};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Admin, Permitted};
use crate::office::Applied;
use crate::office::authorities::{Authority, PutAuthority};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(put, remove))
}

/// The authorities that certificates are ordered from.
#[utoipa::path(
    get, path = "/organisations/{organisation}/authorities", tag = "authorities",
    params(("organisation" = String, Path)),
    responses((status = 200, body = Vec<Authority>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn list(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
) -> Result<Json<Vec<Authority>>, Problem> {
    Ok(Json(portal.office.authorities(&permitted).await?))
}

/// Adds the authority of that name, or gives it new settings.
#[utoipa::path(
    put, path = "/organisations/{organisation}/authorities/{name}", tag = "authorities",
    params(("organisation" = String, Path), ("name" = String, Path)),
    request_body = PutAuthority,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn put(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Path((_organisation, name)): Path<(String, String)>,
    Json(put): Json<PutAuthority>,
) -> Result<Json<Applied>, Problem> {
    Ok(Json(
        portal.office.put_authority(&permitted, &name, put).await?,
    ))
}

/// Orders nothing from an authority any more; what it issued it can still revoke.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/authorities/{name}", tag = "authorities",
    params(("organisation" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn remove(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Path((_organisation, name)): Path<(String, String)>,
) -> Result<Json<Applied>, Problem> {
    Ok(Json(
        portal.office.remove_authority(&permitted, &name).await?,
    ))
}
