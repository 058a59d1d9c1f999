//! Calls about directories and DNS as sources of keys.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Admin, Permitted};
use crate::office::Applied;
use crate::office::directories::{
    DirectoryBody, KeySources, SmimeaSwitch, SourceSaid, SourceTrial,
};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(try_all))
        .routes(routes!(smimea))
        .routes(routes!(put, remove))
}

/// The directories that correspondents' keys are looked for in, without passwords, and whether DNS is asked.
#[utoipa::path(
    get, path = "/organisations/{organisation}/directories", tag = "keys",
    params(("organisation" = String, Path)),
    responses((status = 200, body = KeySources), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn list(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
) -> Result<Json<KeySources>, Problem> {
    Ok(Json(portal.office.key_sources(&permitted).await?))
}

/// Asks all directories, and DNS if that is switched on, for an external address; nothing is kept.
#[utoipa::path(
    post, path = "/organisations/{organisation}/directories/try", tag = "keys",
    params(("organisation" = String, Path)),
    request_body = SourceTrial,
    responses((status = 200, body = Vec<SourceSaid>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn try_all(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Json(trial): Json<SourceTrial>,
) -> Result<Json<Vec<SourceSaid>>, Problem> {
    let said = portal.office.try_sources(&permitted, &trial.address).await;
    Ok(Json(said?))
}

/// Sets whether DNS (RFC 8162) is asked for keys.
#[utoipa::path(
    post, path = "/organisations/{organisation}/directories/smimea", tag = "keys",
    params(("organisation" = String, Path)),
    request_body = SmimeaSwitch,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn smimea(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Json(switch): Json<SmimeaSwitch>,
) -> Result<Json<Applied>, Problem> {
    let applied = portal.office.set_smimea(&permitted, switch.smimea).await?;
    Ok(Json(applied))
}

/// Adds a directory, or replaces the one of that name.
#[utoipa::path(
    put, path = "/organisations/{organisation}/directories/{name}", tag = "keys",
    params(("organisation" = String, Path), ("name" = String, Path)),
    request_body = DirectoryBody,
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn put(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    path: Path<(String, String)>,
    Json(body): Json<DirectoryBody>,
) -> Result<StatusCode, Problem> {
    let put = portal.office.put_directory(&permitted, &path.1, &body);
    put.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a directory, and the keys that came from it and nobody has pinned or blocked.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/directories/{name}", tag = "keys",
    params(("organisation" = String, Path), ("name" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn remove(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    path: Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    portal.office.remove_directory(&permitted, &path.1).await?;
    Ok(StatusCode::NO_CONTENT)
}
