//! Calls about sending clients.

use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Admin, Permitted};
use crate::office::Applied;
use crate::office::clients::{Client, ClientRights, ClientSecret, NewClient};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(detail, set, remove))
        .routes(routes!(new_secret))
}

#[derive(Deserialize)]
struct Named {
    client: String,
}

/// The sending clients of an organisation, by name; never a secret.
#[utoipa::path(
    get, path = "/organisations/{organisation}/clients", tag = "clients",
    params(("organisation" = String, Path)),
    responses((status = 200, body = Vec<Client>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn list(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
) -> Result<Json<Vec<Client>>, Problem> {
    Ok(Json(portal.office.clients(&permitted).await?))
}

/// Makes a sending client; its password or connector secret is told this once.
#[utoipa::path(
    post, path = "/organisations/{organisation}/clients", tag = "clients",
    params(("organisation" = String, Path)),
    request_body = NewClient,
    responses((status = 200, body = ClientSecret), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn add(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Json(client): Json<NewClient>,
) -> Result<Json<ClientSecret>, Problem> {
    Ok(Json(portal.office.add_client(&permitted, client).await?))
}

/// One sending client.
#[utoipa::path(
    get, path = "/organisations/{organisation}/clients/{client}", tag = "clients",
    params(("organisation" = String, Path), ("client" = String, Path)),
    responses((status = 200, body = Client), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn detail(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Path(named): Path<Named>,
) -> Result<Json<Client>, Problem> {
    let client = portal.office.client(&permitted, &named.client).await?;
    Ok(Json(client))
}

/// Sets what a sending client may do.
#[utoipa::path(
    put, path = "/organisations/{organisation}/clients/{client}", tag = "clients",
    params(("organisation" = String, Path), ("client" = String, Path)),
    request_body = ClientRights,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn set(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Path(named): Path<Named>,
    Json(rights): Json<ClientRights>,
) -> Result<Json<Applied>, Problem> {
    let office = &portal.office;
    let done = office.set_client(&permitted, &named.client, rights).await;
    Ok(Json(done?))
}

/// Removes a sending client: it can hand in no mail any more.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/clients/{client}", tag = "clients",
    params(("organisation" = String, Path), ("client" = String, Path)),
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn remove(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Path(named): Path<Named>,
) -> Result<Json<Applied>, Problem> {
    let office = &portal.office;
    Ok(Json(office.remove_client(&permitted, &named.client).await?))
}

/// Gives a sending client another password or connector secret, told this once; the former one counts no more.
#[utoipa::path(
    post, path = "/organisations/{organisation}/clients/{client}/secret", tag = "clients",
    params(("organisation" = String, Path), ("client" = String, Path)),
    responses((status = 200, body = ClientSecret), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn new_secret(
    State(portal): State<Portal>,
    permitted: Permitted<Admin>,
    Path(named): Path<Named>,
) -> Result<Json<ClientSecret>, Problem> {
    let office = &portal.office;
    let made = office.new_client_secret(&permitted, &named.client).await?;
    Ok(Json(made))
}
