//! Calls about organisations and their licences.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Book, Operate, Permitted, Resell};
use crate::office::organisations::{Booking, Customer, CustomerFilter, NewOrganisation};
use crate::office::{Page, Paging};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(customers))
        .routes(routes!(licence, book))
}

/// All organisations with their licences.
#[utoipa::path(
    get, path = "/system/organisations", tag = "organisations",
    params(CustomerFilter, Paging),
    responses((status = 200, body = Page<Customer>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn list(
    State(portal): State<Portal>,
    permitted: Permitted<Operate>,
    Query(filter): Query<CustomerFilter>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Customer>>, Problem> {
    let page = portal
        .office
        .organisations(&permitted, &filter, &paging)
        .await?;
    Ok(Json(page))
}

/// Makes an organisation.
#[utoipa::path(
    post, path = "/system/organisations", tag = "organisations",
    request_body = NewOrganisation,
    responses((status = 201), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn create(
    State(portal): State<Portal>,
    permitted: Permitted<Operate>,
    Json(new): Json<NewOrganisation>,
) -> Result<StatusCode, Problem> {
    portal.office.create_organisation(&permitted, &new).await?;
    Ok(StatusCode::CREATED)
}

/// The organisations that whoever asks books licences for; for the operator all.
#[utoipa::path(
    get, path = "/reseller/organisations", tag = "organisations",
    params(CustomerFilter, Paging),
    responses((status = 200, body = Page<Customer>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("resell")))
)]
async fn customers(
    State(portal): State<Portal>,
    permitted: Permitted<Resell>,
    Query(filter): Query<CustomerFilter>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Customer>>, Problem> {
    let page = portal
        .office
        .customers(&permitted, &filter, &paging)
        .await?;
    Ok(Json(page))
}

/// The licences of an organisation, for whoever books them.
#[utoipa::path(
    get, path = "/organisations/{organisation}/licence", tag = "organisations",
    params(("organisation" = String, Path)),
    responses((status = 200, body = Customer), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("book")))
)]
async fn licence(
    State(portal): State<Portal>,
    permitted: Permitted<Book>,
) -> Result<Json<Customer>, Problem> {
    Ok(Json(portal.office.licence(&permitted).await?))
}

/// Books licences, in place of what was booked.
#[utoipa::path(
    put, path = "/organisations/{organisation}/licence", tag = "organisations",
    params(("organisation" = String, Path)),
    request_body = Booking,
    responses((status = 200, body = Customer), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("book")))
)]
async fn book(
    State(portal): State<Portal>,
    permitted: Permitted<Book>,
    Json(booking): Json<Booking>,
) -> Result<Json<Customer>, Problem> {
    Ok(Json(portal.office.book(&permitted, &booking).await?))
}
