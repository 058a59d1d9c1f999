//! Calls about mails.

use axum::extract::{Path, Query, State};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Permitted, Read};
use crate::office::Paging;
use crate::office::mails::{Mail, MailFilter, MailPage};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
}

/// The mails of an organisation, newest first: one entry for each recipient. A search that finds little says how far back it
/// looked; `next` goes on there.
#[utoipa::path(
    get, path = "/organisations/{organisation}/mails", tag = "mails",
    params(("organisation" = String, Path), MailFilter, Paging),
    responses((status = 200, body = MailPage), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn list(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Query(filter): Query<MailFilter>,
    Query(paging): Query<Paging>,
) -> Result<Json<MailPage>, Problem> {
    let query = filter.query(&portal.settings.time_zone)?;
    Ok(Json(
        portal.office.mails(&permitted, &query, &paging).await?,
    ))
}

/// The number of a mail in the address.
#[derive(Deserialize)]
pub(super) struct MailPath {
    pub mail: String,
}

/// One mail: what became of it for each recipient, and the whole explanation.
#[utoipa::path(
    get, path = "/organisations/{organisation}/mails/{mail}", tag = "mails",
    params(("organisation" = String, Path), ("mail" = String, Path)),
    responses((status = 200, body = Mail), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn show(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Path(path): Path<MailPath>,
) -> Result<Json<Mail>, Problem> {
    Ok(Json(portal.office.mail(&permitted, &path.mail).await?))
}
