//! Calls about the queue.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::mails::MailPath;
use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Operate, Permitted, Read, Write};
use crate::office::held::{
    ChosenMails, MailsDone, QueueFilter, QueueVerb, QueuedDetail, QueuedMail,
};
use crate::office::{Page, Paging};
use crate::pages::held::{RawQuery, download};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(retry))
        .routes(routes!(hold))
        .routes(routes!(release))
        .routes(routes!(delete))
        .routes(routes!(show))
        .routes(routes!(raw))
        .routes(routes!(whole))
}

/// The queue of an organisation, oldest first.
#[utoipa::path(
    get, path = "/organisations/{organisation}/queue", tag = "queue",
    params(("organisation" = String, Path), QueueFilter, Paging),
    responses((status = 200, body = Page<QueuedMail>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn list(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Query(filter): Query<QueueFilter>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<QueuedMail>>, Problem> {
    Ok(Json(
        portal.office.queue(&permitted, &filter, &paging).await?,
    ))
}

/// Tries what waits now; decides held mail again where that is possible, else sends it.
#[utoipa::path(
    post, path = "/organisations/{organisation}/queue/retry", tag = "queue",
    params(("organisation" = String, Path)),
    request_body = ChosenMails,
    responses((status = 200, body = MailsDone), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn retry(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(chosen): Json<ChosenMails>,
) -> Result<Json<MailsDone>, Problem> {
    act(&portal, &permitted, QueueVerb::Retry, chosen).await
}

/// Holds what waits.
#[utoipa::path(
    post, path = "/organisations/{organisation}/queue/hold", tag = "queue",
    params(("organisation" = String, Path)),
    request_body = ChosenMails,
    responses((status = 200, body = MailsDone), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn hold(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(chosen): Json<ChosenMails>,
) -> Result<Json<MailsDone>, Problem> {
    act(&portal, &permitted, QueueVerb::Hold, chosen).await
}

/// Sends what is held, as it is.
#[utoipa::path(
    post, path = "/organisations/{organisation}/queue/release", tag = "queue",
    params(("organisation" = String, Path)),
    request_body = ChosenMails,
    responses((status = 200, body = MailsDone), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn release(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(chosen): Json<ChosenMails>,
) -> Result<Json<MailsDone>, Problem> {
    act(&portal, &permitted, QueueVerb::Release, chosen).await
}

/// Takes mails out of the queue; nobody is told.
#[utoipa::path(
    post, path = "/organisations/{organisation}/queue/delete", tag = "queue",
    params(("organisation" = String, Path)),
    request_body = ChosenMails,
    responses((status = 200, body = MailsDone), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn delete(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(chosen): Json<ChosenMails>,
) -> Result<Json<MailsDone>, Problem> {
    act(&portal, &permitted, QueueVerb::Delete, chosen).await
}

async fn act(
    portal: &Portal,
    permitted: &Permitted<Write>,
    verb: QueueVerb,
    chosen: ChosenMails,
) -> Result<Json<MailsDone>, Problem> {
    Ok(Json(
        portal
            .office
            .act_on_mails(permitted, verb, chosen.mails)
            .await?,
    ))
}

/// One mail in the queue with what may be shown of it. The audit log says that it was looked at.
#[utoipa::path(
    get, path = "/organisations/{organisation}/queue/{mail}", tag = "queue",
    params(("organisation" = String, Path), ("mail" = String, Path)),
    responses((status = 200, body = QueuedDetail), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn show(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path(path): Path<MailPath>,
) -> Result<Json<QueuedDetail>, Problem> {
    Ok(Json(
        portal.office.queued_mail(&permitted, &path.mail).await?,
    ))
}

/// One copy of a mail in the queue as it would be sent; the mail as it came if it was not opened yet.
#[utoipa::path(
    get, path = "/organisations/{organisation}/queue/{mail}/raw", tag = "queue",
    params(("organisation" = String, Path), ("mail" = String, Path), ("copy" = Option<String>, Query, description = "Number of the copy")),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = "4XX", body = ProblemBody),
    ),
    extensions(("x-permission" = json!("write")))
)]
async fn raw(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path(path): Path<MailPath>,
    Query(query): Query<RawQuery>,
) -> Result<Response, Problem> {
    download(&portal, &permitted, &path.mail, query.copy.as_deref()).await
}

/// The queue of the whole installation, oldest first; nothing of any content.
#[utoipa::path(
    get, path = "/queue", tag = "queue",
    params(QueueFilter, Paging),
    responses((status = 200, body = Page<QueuedMail>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn whole(
    State(portal): State<Portal>,
    permitted: Permitted<Operate>,
    Query(filter): Query<QueueFilter>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<QueuedMail>>, Problem> {
    let page = portal.office.whole_queue(&permitted, &filter, &paging);
    Ok(Json(page.await?))
}
