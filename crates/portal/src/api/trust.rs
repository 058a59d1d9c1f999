//! Calls about trust.

use axum::extract::{Path, State};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Admin, Permitted};
use crate::office::Applied;
use crate::office::trust::{AddBlock, AddRoots, PublicRoots, Trusted};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(show))
        .routes(routes!(public_roots))
        .routes(routes!(add_roots))
        .routes(routes!(remove_root))
        .routes(routes!(block))
        .routes(routes!(unblock))
}

/// Whom the organisation trusts.
#[utoipa::path(
    get, path = "/organisations/{organisation}/trust", tag = "trust",
    params(("organisation" = String, Path)),
    responses((status = 200, body = Trusted), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn show(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
) -> Result<Json<Trusted>, Problem> {
    Ok(Json(portal.office.trusted(&permitted).await?))
}

/// Trusts Mozilla's roots for e-mail, or not.
#[utoipa::path(
    put, path = "/organisations/{organisation}/trust/public-roots", tag = "trust",
    params(("organisation" = String, Path)),
    request_body = PublicRoots,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn public_roots(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Json(wanted): Json<PublicRoots>,
) -> Result<Json<Applied>, Problem> {
    Ok(Json(
        portal
            .office
            .set_public_roots(&permitted, wanted.public_roots)
            .await?,
    ))
}

/// Trusts certificates of authorities.
#[utoipa::path(
    post, path = "/organisations/{organisation}/trust/roots", tag = "trust",
    params(("organisation" = String, Path)),
    request_body = AddRoots,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn add_roots(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Json(given): Json<AddRoots>,
) -> Result<Json<Applied>, Problem> {
    Ok(Json(
        portal
            .office
            .add_trust_roots(&permitted, given.certificates.as_bytes())
            .await?,
    ))
}

/// No longer trusts a root of the organisation's own.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/trust/roots/{sha256}", tag = "trust",
    params(("organisation" = String, Path), ("sha256" = String, Path)),
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn remove_root(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Path((_organisation, sha256)): Path<(String, String)>,
) -> Result<Json<Applied>, Problem> {
    Ok(Json(
        portal.office.remove_trust_root(&permitted, &sha256).await?,
    ))
}

/// Never trusts a certificate, nor what it certifies.
#[utoipa::path(
    post, path = "/organisations/{organisation}/trust/blocked", tag = "trust",
    params(("organisation" = String, Path)),
    request_body = AddBlock,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn block(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Json(what): Json<AddBlock>,
) -> Result<Json<Applied>, Problem> {
    Ok(Json(
        portal
            .office
            .block_certificate(&permitted, None, what)
            .await?,
    ))
}

/// Takes a block back.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/trust/blocked/{sha256}", tag = "trust",
    params(("organisation" = String, Path), ("sha256" = String, Path)),
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn unblock(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Path((_organisation, sha256)): Path<(String, String)>,
) -> Result<Json<Applied>, Problem> {
    Ok(Json(
        portal
            .office
            .unblock_certificate(&permitted, &sha256)
            .await?,
    ))
}
