//! Calls about mailboxes.

use axum::Json;
use axum::extract::{Query, State};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::auth::{Permitted, Read, Write};
use crate::office::mailboxes::{Chosen, Counts, Mailbox, MailboxFilter};
use crate::office::{Applied, Page, Paging};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(counts))
        .routes(routes!(activate))
        .routes(routes!(deactivate))
}

/// The mailboxes of an organisation.
#[utoipa::path(
    get, path = "/organisations/{organisation}/mailboxes", tag = "mailboxes",
    params(("organisation" = String, Path), MailboxFilter, Paging),
    responses((status = 200, body = Page<Mailbox>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn list(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Query(filter): Query<MailboxFilter>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Mailbox>>, Problem> {
    Ok(Json(
        portal
            .office
            .mailboxes(&permitted, &filter, &paging)
            .await?,
    ))
}

/// How many mailboxes there are, and what the licences allow.
#[utoipa::path(
    get, path = "/organisations/{organisation}/mailboxes/counts", tag = "mailboxes",
    params(("organisation" = String, Path)),
    responses((status = 200, body = Counts), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn counts(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
) -> Result<Json<Counts>, Problem> {
    Ok(Json(portal.office.mailbox_counts(&permitted).await?))
}

/// Orders certificates for as many mailboxes as there are licences; names the others.
#[utoipa::path(
    post, path = "/organisations/{organisation}/mailboxes/activate", tag = "mailboxes",
    params(("organisation" = String, Path)),
    request_body = Chosen,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn activate(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(chosen): Json<Chosen>,
) -> Result<Json<Applied>, Problem> {
    Ok(Json(portal.office.activate(&permitted, chosen).await?))
}

/// Deactivates mailboxes: they sign no more and their certificates are revoked; names those that are not active.
#[utoipa::path(
    post, path = "/organisations/{organisation}/mailboxes/deactivate", tag = "mailboxes",
    params(("organisation" = String, Path)),
    request_body = Chosen,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn deactivate(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(chosen): Json<Chosen>,
) -> Result<Json<Applied>, Problem> {
    Ok(Json(portal.office.deactivate(&permitted, chosen).await?))
}
