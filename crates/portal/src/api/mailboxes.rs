//! Calls about mailboxes.

use axum::extract::{Path, Query, State};
use sealgate_core::saying::Inputs;
use sealgate_mail::Address;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Permitted, Read, Write};
use crate::office::mailboxes::{
    ActivateMailboxes, BulkDone, BulkWork, Chosen, Mailbox, MailboxCounts, MailboxDetail,
    MailboxFilter, OrderOptions, OrderWith, PurgeKeys, PurgedKeys, Upload,
};
use crate::office::{Applied, Page, Paging};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(counts))
        .routes(routes!(options))
        .routes(routes!(bulk_work))
        .routes(routes!(stop))
        .routes(routes!(activate))
        .routes(routes!(deactivate))
        .routes(routes!(withdraw))
        .routes(routes!(confirm_revoked))
        .routes(routes!(detail))
        .routes(routes!(upload))
        .routes(routes!(renew))
        .routes(routes!(aliases))
        .routes(routes!(purge))
}

/// The mailbox in an address.
#[derive(Deserialize)]
pub(crate) struct Named {
    mailbox: String,
}

impl Named {
    /// What is no address is no mailbox either.
    pub(crate) fn address(&self) -> Result<Address, Problem> {
        Address::parse(&self.mailbox).map_err(|_| Problem::not_found())
    }
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
    let office = &portal.office;
    Ok(Json(office.mailboxes(&permitted, &filter, &paging).await?))
}

/// How many mailboxes there are, and what the licences allow.
#[utoipa::path(
    get, path = "/organisations/{organisation}/mailboxes/counts", tag = "mailboxes",
    params(("organisation" = String, Path)),
    responses((status = 200, body = MailboxCounts), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn counts(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
) -> Result<Json<MailboxCounts>, Problem> {
    Ok(Json(portal.office.mailbox_counts(&permitted).await?))
}

/// What may be chosen for an order: authorities, kinds of keys, tokens.
#[utoipa::path(
    get, path = "/organisations/{organisation}/mailboxes/order-options", tag = "mailboxes",
    params(("organisation" = String, Path)),
    responses((status = 200, body = OrderOptions), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn options(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
) -> Result<Json<OrderOptions>, Problem> {
    Ok(Json(portal.office.order_options(&permitted).await?))
}

/// Bulk work of the last 30 days, the newest first.
#[utoipa::path(
    get, path = "/organisations/{organisation}/mailboxes/bulk-work", tag = "mailboxes",
    params(("organisation" = String, Path), Paging),
    responses((status = 200, body = Page<BulkWork>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn bulk_work(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<BulkWork>>, Problem> {
    Ok(Json(portal.office.bulk_work(&permitted, &paging).await?))
}

/// Stops bulk work: what is done stays.
#[utoipa::path(
    post, path = "/organisations/{organisation}/mailboxes/bulk-work/{id}/stop", tag = "mailboxes",
    params(("organisation" = String, Path), ("id" = i64, Path)),
    responses((status = 200, body = BulkWork), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn stop(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path((_organisation, id)): Path<(String, i64)>,
) -> Result<Json<BulkWork>, Problem> {
    Ok(Json(portal.office.stop_bulk_work(&permitted, id).await?))
}

/// Orders certificates for as many mailboxes as there are licences; names the others. More than 500 are ordered by bulk
/// work.
#[utoipa::path(
    post, path = "/organisations/{organisation}/mailboxes/activate", tag = "mailboxes",
    params(("organisation" = String, Path)),
    request_body = ActivateMailboxes,
    responses((status = 200, body = BulkDone), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn activate(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(order): Json<ActivateMailboxes>,
) -> Result<Json<BulkDone>, Problem> {
    Ok(Json(portal.office.activate(&permitted, order).await?))
}

/// Deactivates mailboxes: they sign no more and their certificates are revoked; names those that are not active. More than 500
/// are deactivated by bulk work.
#[utoipa::path(
    post, path = "/organisations/{organisation}/mailboxes/deactivate", tag = "mailboxes",
    params(("organisation" = String, Path)),
    request_body = Chosen,
    responses((status = 200, body = BulkDone), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn deactivate(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(chosen): Json<Chosen>,
) -> Result<Json<BulkDone>, Problem> {
    Ok(Json(portal.office.deactivate(&permitted, chosen).await?))
}

/// Mailboxes by their addresses.
#[derive(Deserialize, ToSchema)]
struct Several {
    /// Addresses.
    #[schema(value_type = Vec<String>)]
    mailboxes: Vec<Address>,
}

/// Takes the open orders of mailboxes back; names those that have none.
#[utoipa::path(
    post, path = "/organisations/{organisation}/mailboxes/withdraw", tag = "mailboxes",
    params(("organisation" = String, Path)),
    request_body = Several,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn withdraw(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(several): Json<Several>,
) -> Result<Json<Applied>, Problem> {
    let done = portal
        .office
        .withdraw_orders(&permitted, several.mailboxes)
        .await;
    Ok(Json(done?))
}

/// Says that the issuers of certificates that were uploaded, or ordered by hand, have revoked them.
#[utoipa::path(
    post, path = "/organisations/{organisation}/mailboxes/confirm-revoked", tag = "mailboxes",
    params(("organisation" = String, Path)),
    request_body = Several,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn confirm_revoked(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(several): Json<Several>,
) -> Result<Json<Applied>, Problem> {
    let office = &portal.office;
    let done = office.confirm_revoked(&permitted, several.mailboxes).await;
    Ok(Json(done?))
}

/// One mailbox with its key ring, aliases and history; never a private key.
#[utoipa::path(
    get, path = "/organisations/{organisation}/mailboxes/{mailbox}", tag = "mailboxes",
    params(("organisation" = String, Path), ("mailbox" = String, Path)),
    responses((status = 200, body = MailboxDetail), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn detail(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Path(named): Path<Named>,
) -> Result<Json<MailboxDetail>, Problem> {
    let mailbox = named.address()?;
    Ok(Json(portal.office.mailbox(&permitted, &mailbox).await?))
}

/// A file with key pairs.
#[derive(Deserialize, ToSchema)]
struct UploadBody {
    /// PKCS #12 or PEM, in base64.
    #[schema(content_encoding = "base64")]
    file: String,
    /// Its password; empty if it has none.
    #[serde(default)]
    #[schema(format = Password, write_only)]
    password: String,
}

/// Activates a mailbox with uploaded key pairs, or replaces the keys of an active one.
#[utoipa::path(
    post, path = "/organisations/{organisation}/mailboxes/{mailbox}/upload", tag = "mailboxes",
    params(("organisation" = String, Path), ("mailbox" = String, Path)),
    request_body = UploadBody,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn upload(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path(named): Path<Named>,
    Json(body): Json<UploadBody>,
) -> Result<Json<Applied>, Problem> {
    let file = base64_simd::STANDARD.decode_to_vec(body.file.trim());
    let upload = Upload {
        file: file.map_err(|_| Problem::wrong("file", Inputs::Base64 {}))?,
        password: body.password,
    };
    let office = &portal.office;
    Ok(Json(
        office.upload(&permitted, &named.address()?, upload).await?,
    ))
}

/// An order for the next certificate.
#[derive(Deserialize, ToSchema)]
struct Renewal {
    /// With what.
    #[serde(default)]
    with: OrderWith,
    /// Whether the present certificates are revoked when the next one is there.
    #[serde(default)]
    revoke: bool,
}

/// Orders the next certificate of an active mailbox.
#[utoipa::path(
    post, path = "/organisations/{organisation}/mailboxes/{mailbox}/renew", tag = "mailboxes",
    params(("organisation" = String, Path), ("mailbox" = String, Path)),
    request_body = Renewal,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn renew(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path(named): Path<Named>,
    Json(order): Json<Renewal>,
) -> Result<Json<Applied>, Problem> {
    let (office, with) = (&portal.office, (order.with, order.revoke));
    Ok(Json(
        office.renew(&permitted, &named.address()?, with).await?,
    ))
}

/// Sets whose key rings also open mail to a mailbox.
#[utoipa::path(
    put, path = "/organisations/{organisation}/mailboxes/{mailbox}/aliases", tag = "mailboxes",
    params(("organisation" = String, Path), ("mailbox" = String, Path)),
    request_body = Several,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn aliases(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path(named): Path<Named>,
    Json(several): Json<Several>,
) -> Result<Json<Applied>, Problem> {
    let (office, mailbox) = (&portal.office, named.address()?);
    let done = office.set_aliases(&permitted, &mailbox, several.mailboxes);
    Ok(Json(done.await?))
}

/// Removes private keys for good: mail that only they open stays closed.
#[utoipa::path(
    post, path = "/organisations/{organisation}/mailboxes/{mailbox}/purge", tag = "mailboxes",
    params(("organisation" = String, Path), ("mailbox" = String, Path)),
    request_body = PurgeKeys,
    responses((status = 200, body = PurgedKeys), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn purge(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path(named): Path<Named>,
    Json(which): Json<PurgeKeys>,
) -> Result<Json<PurgedKeys>, Problem> {
    let office = &portal.office;
    Ok(Json(
        office.purge(&permitted, &named.address()?, which).await?,
    ))
}
