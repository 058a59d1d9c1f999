//! Calls about certificates, orders and revocations.

use axum::extract::{Path, Query, State};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Permitted, Read, Write};
use crate::office::certificates::{
    CertificateCounts, CertificateFilter, CertificateOrder, ConfirmRevoked, CurrentCertificate,
    OrderBatch, OrderChain, OrderFilter, OrderRequest, Reissue, ReissueChoice, ReissuePreview,
    Reissued, Revocation, RevocationFilter,
};
use crate::office::{Applied, Page, Paging};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(counts))
        .routes(routes!(orders))
        .routes(routes!(order))
        .routes(routes!(withdraw))
        .routes(routes!(request))
        .routes(routes!(hand_in))
        .routes(routes!(batches))
        .routes(routes!(batch))
        .routes(routes!(preview))
        .routes(routes!(reissue))
        .routes(routes!(revocations))
        .routes(routes!(confirm))
}

/// The current certificates of all mailboxes, those that end first before the others.
#[utoipa::path(
    get, path = "/organisations/{organisation}/certificates", tag = "certificates",
    params(("organisation" = String, Path), CertificateFilter, Paging),
    responses((status = 200, body = Page<CurrentCertificate>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn list(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Query(filter): Query<CertificateFilter>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<CurrentCertificate>>, Problem> {
    Ok(Json(
        portal
            .office
            .certificates(&permitted, &filter, &paging)
            .await?,
    ))
}

/// How many certificates end when, and who issued them.
#[utoipa::path(
    get, path = "/organisations/{organisation}/certificates/counts", tag = "certificates",
    params(("organisation" = String, Path)),
    responses((status = 200, body = CertificateCounts), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn counts(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
) -> Result<Json<CertificateCounts>, Problem> {
    Ok(Json(portal.office.certificate_counts(&permitted).await?))
}

/// Orders for certificates, the newest first.
#[utoipa::path(
    get, path = "/organisations/{organisation}/orders", tag = "certificates",
    params(("organisation" = String, Path), OrderFilter, Paging),
    responses((status = 200, body = Page<CertificateOrder>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn orders(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Query(filter): Query<OrderFilter>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<CertificateOrder>>, Problem> {
    Ok(Json(
        portal
            .office
            .certificate_orders(&permitted, &filter, &paging)
            .await?,
    ))
}

/// One order.
#[utoipa::path(
    get, path = "/organisations/{organisation}/orders/{id}", tag = "certificates",
    params(("organisation" = String, Path), ("id" = i64, Path)),
    responses((status = 200, body = CertificateOrder), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn order(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Path((_organisation, id)): Path<(String, i64)>,
) -> Result<Json<CertificateOrder>, Problem> {
    Ok(Json(portal.office.certificate_order(&permitted, id).await?))
}

/// Takes an open order back.
#[utoipa::path(
    post, path = "/organisations/{organisation}/orders/{id}/withdraw", tag = "certificates",
    params(("organisation" = String, Path), ("id" = i64, Path)),
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn withdraw(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path((_organisation, id)): Path<(String, i64)>,
) -> Result<Json<Applied>, Problem> {
    Ok(Json(portal.office.withdraw_order(&permitted, id).await?))
}

/// The request of an open order that is carried to its authority by hand.
#[utoipa::path(
    get, path = "/organisations/{organisation}/orders/{id}/request", tag = "certificates",
    params(("organisation" = String, Path), ("id" = i64, Path)),
    responses((status = 200, body = OrderRequest), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn request(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Path((_organisation, id)): Path<(String, i64)>,
) -> Result<Json<OrderRequest>, Problem> {
    Ok(Json(portal.office.order_request(&permitted, id).await?))
}

/// Hands in the chain that the authority gave for an order that is carried by hand.
#[utoipa::path(
    post, path = "/organisations/{organisation}/orders/{id}/chain", tag = "certificates",
    params(("organisation" = String, Path), ("id" = i64, Path)),
    request_body = OrderChain,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn hand_in(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path((_organisation, id)): Path<(String, i64)>,
    Json(given): Json<OrderChain>,
) -> Result<Json<Applied>, Problem> {
    Ok(Json(
        portal
            .office
            .hand_in_chain(&permitted, id, given.chain.as_bytes())
            .await?,
    ))
}

/// Orders that were opened together, the newest first.
#[utoipa::path(
    get, path = "/organisations/{organisation}/batches", tag = "certificates",
    params(("organisation" = String, Path), Paging),
    responses((status = 200, body = Page<OrderBatch>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn batches(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<OrderBatch>>, Problem> {
    Ok(Json(
        portal.office.order_batches(&permitted, &paging).await?,
    ))
}

/// How far the orders of a batch are.
#[utoipa::path(
    get, path = "/organisations/{organisation}/batches/{id}", tag = "certificates",
    params(("organisation" = String, Path), ("id" = i64, Path)),
    responses((status = 200, body = OrderBatch), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn batch(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Path((_organisation, id)): Path<(String, i64)>,
) -> Result<Json<OrderBatch>, Problem> {
    Ok(Json(portal.office.order_batch(&permitted, id).await?))
}

/// What a choice for new certificates comes to; nothing is ordered.
#[utoipa::path(
    post, path = "/organisations/{organisation}/certificates/reissue/preview", tag = "certificates",
    params(("organisation" = String, Path)),
    request_body = ReissueChoice,
    responses((status = 200, body = ReissuePreview), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn preview(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(choice): Json<ReissueChoice>,
) -> Result<Json<ReissuePreview>, Problem> {
    Ok(Json(
        portal.office.reissue_preview(&permitted, &choice).await?,
    ))
}

/// Orders new certificates for many mailboxes.
#[utoipa::path(
    post, path = "/organisations/{organisation}/certificates/reissue", tag = "certificates",
    params(("organisation" = String, Path)),
    request_body = Reissue,
    responses((status = 200, body = Reissued), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn reissue(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(what): Json<Reissue>,
) -> Result<Json<Reissued>, Problem> {
    Ok(Json(portal.office.reissue(&permitted, what).await?))
}

/// Revocations, the newest first.
#[utoipa::path(
    get, path = "/organisations/{organisation}/revocations", tag = "certificates",
    params(("organisation" = String, Path), RevocationFilter, Paging),
    responses((status = 200, body = Page<Revocation>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn revocations(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Query(filter): Query<RevocationFilter>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Revocation>>, Problem> {
    Ok(Json(
        portal
            .office
            .revocations(&permitted, &filter, &paging)
            .await?,
    ))
}

/// Says that the issuers of a mailbox's uploaded certificates have revoked them.
#[utoipa::path(
    post, path = "/organisations/{organisation}/revocations/confirm", tag = "certificates",
    params(("organisation" = String, Path)),
    request_body = ConfirmRevoked,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn confirm(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(whose): Json<ConfirmRevoked>,
) -> Result<Json<Applied>, Problem> {
    Ok(Json(
        portal
            .office
            .confirm_revocation(&permitted, whose.mailbox)
            .await?,
    ))
}
