//! Calls about events and the audit log.

use axum::extract::{Query, State};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Admin, Operate, Permitted, Read};
use crate::office::records::{AuditChain, AuditFilter, AuditPage, Event, EventFilter};
use crate::office::{Page, Paging};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(events))
        .routes(routes!(audit))
        .routes(routes!(audit_of_all))
        .routes(routes!(audit_chain))
}

/// What administrators are told of, newest first.
#[utoipa::path(
    get, path = "/organisations/{organisation}/events", tag = "records",
    params(("organisation" = String, Path), EventFilter, Paging),
    responses((status = 200, body = Page<Event>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn events(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Query(filter): Query<EventFilter>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Event>>, Problem> {
    Ok(Json(
        portal.office.events(&permitted, &filter, &paging).await?,
    ))
}

/// Every change of the organisation, by whom and when, newest first.
#[utoipa::path(
    get, path = "/organisations/{organisation}/audit", tag = "records",
    params(("organisation" = String, Path), AuditFilter, Paging),
    responses((status = 200, body = AuditPage), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn audit(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Query(filter): Query<AuditFilter>,
    Query(paging): Query<Paging>,
) -> Result<Json<AuditPage>, Problem> {
    Ok(Json(
        portal.office.audit(&permitted, &filter, &paging).await?,
    ))
}

/// Every change of the installation, by whom and when, newest first.
#[utoipa::path(
    get, path = "/system/audit", tag = "records",
    params(AuditFilter, Paging),
    responses((status = 200, body = AuditPage), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn audit_of_all(
    State(portal): State<Portal>,
    permitted: Permitted<Operate>,
    Query(filter): Query<AuditFilter>,
    Query(paging): Query<Paging>,
) -> Result<Json<AuditPage>, Problem> {
    let page = portal
        .office
        .audit_of_all(&permitted, &filter, &paging)
        .await?;
    Ok(Json(page))
}

/// Whether the audit log is whole: each line is hashed with the one before. A long log is checked in the background; ask again
/// until `done`.
#[utoipa::path(
    get, path = "/system/audit/chain", tag = "records",
    responses((status = 200, body = AuditChain), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn audit_chain(
    State(portal): State<Portal>,
    permitted: Permitted<Operate>,
) -> Result<Json<AuditChain>, Problem> {
    Ok(Json(portal.office.audit_chain(&permitted).await?))
}
