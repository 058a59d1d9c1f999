//! Calls about correspondents' public keys.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Permitted, Read, Write};
use crate::office::keys::{
    ChooseKeys, ImportKeysBody, KeyCounts, KeyDetail, KeyFilter, KeysDone, OfferedKey, PublicKey,
};
use crate::office::{Page, Paging};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(list, import))
        .routes(routes!(counts))
        .routes(routes!(offered))
        .routes(routes!(choose))
        .routes(routes!(one, remove))
}

/// Correspondents' public keys, in the order of addresses.
#[utoipa::path(
    get, path = "/organisations/{organisation}/keys", tag = "keys",
    params(("organisation" = String, Path), KeyFilter, Paging),
    responses((status = 200, body = Page<PublicKey>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn list(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Query(filter): Query<KeyFilter>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<PublicKey>>, Problem> {
    Ok(Json(
        portal.office.keys(&permitted, &filter, &paging).await?,
    ))
}

/// How many public keys are known, and how many of them wait for somebody to look at them.
#[utoipa::path(
    get, path = "/organisations/{organisation}/keys/counts", tag = "keys",
    params(("organisation" = String, Path)),
    responses((status = 200, body = KeyCounts), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn counts(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
) -> Result<Json<KeyCounts>, Problem> {
    Ok(Json(portal.office.key_counts(&permitted).await?))
}

/// One public key with where it came from, its issuers, what its owner announced, and what happened to it.
#[utoipa::path(
    get, path = "/organisations/{organisation}/keys/{id}", tag = "keys",
    params(("organisation" = String, Path), ("id" = i64, Path)),
    responses((status = 200, body = KeyDetail), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn one(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    path: Path<(String, i64)>,
) -> Result<Json<KeyDetail>, Problem> {
    Ok(Json(portal.office.key(&permitted, path.1).await?))
}

/// What certificates would be imported as, and which cannot be: nothing is imported.
#[utoipa::path(
    post, path = "/organisations/{organisation}/keys/offered", tag = "keys",
    params(("organisation" = String, Path)),
    request_body = ImportKeysBody,
    responses((status = 200, body = Vec<OfferedKey>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn offered(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(body): Json<ImportKeysBody>,
) -> Result<Json<Vec<OfferedKey>>, Problem> {
    let file = body.certificates.as_bytes();
    Ok(Json(portal.office.offered_keys(&permitted, file).await?))
}

/// Imports certificates of external mailboxes; names those that cannot be imported.
#[utoipa::path(
    post, path = "/organisations/{organisation}/keys", tag = "keys",
    params(("organisation" = String, Path)),
    request_body = ImportKeysBody,
    responses((status = 201, body = KeysDone), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn import(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(body): Json<ImportKeysBody>,
) -> Result<(StatusCode, Json<KeysDone>), Problem> {
    let file = body.certificates.as_bytes();
    let done = portal.office.import_keys(&permitted, file).await?;
    Ok((StatusCode::CREATED, Json(done)))
}

/// Approves, prefers, pins, unpins, blocks or unblocks keys; names those it cannot be done with.
#[utoipa::path(
    post, path = "/organisations/{organisation}/keys/choose", tag = "keys",
    params(("organisation" = String, Path)),
    request_body = ChooseKeys,
    responses((status = 200, body = KeysDone), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn choose(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(chosen): Json<ChooseKeys>,
) -> Result<Json<KeysDone>, Problem> {
    Ok(Json(portal.office.choose_keys(&permitted, &chosen).await?))
}

/// Removes a public key that was imported.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/keys/{id}", tag = "keys",
    params(("organisation" = String, Path), ("id" = i64, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn remove(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    path: Path<(String, i64)>,
) -> Result<StatusCode, Problem> {
    portal.office.remove_key(&permitted, path.1).await?;
    Ok(StatusCode::NO_CONTENT)
}
