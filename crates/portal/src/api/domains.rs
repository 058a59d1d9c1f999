//! Calls about domains: prerequisites and DKIM keys.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use sealgate_mail::Domain;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Permitted, Read, Write};
use crate::office::domains::{ActivateDkimKey, DkimKey, DomainDetail, DomainState, NewDkimKey};
use crate::office::{Page, Paging};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(create))
        .routes(routes!(activate))
        .routes(routes!(remove))
}

/// The domains of all inbound routes with their prerequisites, at most 25 at a time.
#[utoipa::path(
    get, path = "/organisations/{organisation}/domains", tag = "domains",
    params(("organisation" = String, Path), Paging),
    responses((status = 200, body = Page<DomainState>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn list(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<DomainState>>, Problem> {
    Ok(Json(
        portal.office.domain_states(&permitted, &paging).await?,
    ))
}

/// One domain with its DKIM keys.
#[utoipa::path(
    get, path = "/organisations/{organisation}/domains/{domain}", tag = "domains",
    params(("organisation" = String, Path), ("domain" = String, Path)),
    responses((status = 200, body = DomainDetail), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn show(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Path((_organisation, domain)): Path<(String, Domain)>,
) -> Result<Json<DomainDetail>, Problem> {
    Ok(Json(
        portal.office.domain_detail(&permitted, &domain).await?,
    ))
}

/// Makes a DKIM key; it signs from when its record is seen in DNS.
#[utoipa::path(
    post, path = "/organisations/{organisation}/domains/{domain}/dkim", tag = "domains",
    params(("organisation" = String, Path), ("domain" = String, Path)),
    request_body = NewDkimKey,
    responses((status = 200, body = DkimKey), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn create(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path((_organisation, domain)): Path<(String, Domain)>,
    Json(new): Json<NewDkimKey>,
) -> Result<Json<DkimKey>, Problem> {
    Ok(Json(
        portal
            .office
            .create_dkim_key(&permitted, &domain, new)
            .await?,
    ))
}

/// Lets a new DKIM key sign.
#[utoipa::path(
    post, path = "/organisations/{organisation}/domains/{domain}/dkim/{selector}/activate", tag = "domains",
    params(("organisation" = String, Path), ("domain" = String, Path), ("selector" = String, Path)),
    request_body = ActivateDkimKey,
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn activate(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path((_organisation, domain, selector)): Path<(String, Domain, String)>,
    Json(how): Json<ActivateDkimKey>,
) -> Result<StatusCode, Problem> {
    portal
        .office
        .activate_dkim_key(&permitted, (&domain, &selector), how)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a DKIM key, whatever its state.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/domains/{domain}/dkim/{selector}", tag = "domains",
    params(("organisation" = String, Path), ("domain" = String, Path), ("selector" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn remove(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path((_organisation, domain, selector)): Path<(String, Domain, String)>,
) -> Result<StatusCode, Problem> {
    portal
        .office
        .remove_dkim_key(&permitted, &domain, &selector)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
