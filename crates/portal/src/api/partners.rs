//! Calls about partners.

use axum::extract::{Path, State};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Admin, Permitted};
use crate::office::Applied;
use crate::office::partners::{PartnerProfile, entry};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(list, put))
        .routes(routes!(remove))
}

/// Algorithms agreed with partners.
#[utoipa::path(
    get, path = "/organisations/{organisation}/partners", tag = "keys",
    params(("organisation" = String, Path)),
    responses((status = 200, body = Vec<PartnerProfile>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn list(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
) -> Result<Json<Vec<PartnerProfile>>, Problem> {
    Ok(Json(portal.office.partners(&permitted).await?))
}

/// Agrees on a profile of algorithms with an external address or domain, or changes it.
#[utoipa::path(
    post, path = "/organisations/{organisation}/partners", tag = "keys",
    params(("organisation" = String, Path)),
    request_body = PartnerProfile,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn put(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Json(partner): Json<PartnerProfile>,
) -> Result<Json<Applied>, Problem> {
    let put = portal.office.put_partner(&permitted, partner.parse()?);
    Ok(Json(put.await?))
}

/// Removes a partner: what its recipients announced counts again.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/partners/{external}", tag = "keys",
    params(("organisation" = String, Path), ("external" = String, Path)),
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn remove(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    path: Path<(String, String)>,
) -> Result<Json<Applied>, Problem> {
    let removed = portal.office.remove_partner(&permitted, entry(&path.1)?);
    Ok(Json(removed.await?))
}
