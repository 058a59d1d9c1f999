//! The operator's calls about all users, resellers and their API tokens.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Operate, Permitted};
use crate::office::people::{
    Assignment, InvitePerson, NewInstallationToken, NewReseller, PeopleFilter, Person,
    PersonChange, Reseller, Reset,
};
use crate::office::users::{ApiToken, Invitation, InvitationLink, MadeToken};
use crate::office::{Page, Paging};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(people))
        .routes(routes!(change, remove))
        .routes(routes!(reset))
        .routes(routes!(invited, invite))
        .routes(routes!(withdraw))
        .routes(routes!(resellers, create_reseller))
        .routes(routes!(remove_reseller))
        .routes(routes!(assign))
        .routes(routes!(tokens, create_token))
        .routes(routes!(revoke_token))
}

/// All users of the installation by name.
#[utoipa::path(
    get, path = "/users", tag = "people",
    params(PeopleFilter, Paging),
    responses((status = 200, body = Page<Person>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn people(
    State(portal): State<Portal>,
    who: Permitted<Operate>,
    Query(filter): Query<PeopleFilter>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Person>>, Problem> {
    Ok(Json(portal.office.people(&who, &filter, &paging).await?))
}

/// Changes a user; all their sessions end.
#[utoipa::path(
    patch, path = "/users/{user}", tag = "people",
    params(("user" = i64, Path)),
    request_body = PersonChange,
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn change(
    State(portal): State<Portal>,
    who: Permitted<Operate>,
    Path(id): Path<i64>,
    Json(new): Json<PersonChange>,
) -> Result<StatusCode, Problem> {
    portal.office.change_person(&who, id, new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a user. The last operator stays.
#[utoipa::path(
    delete, path = "/users/{user}", tag = "people",
    params(("user" = i64, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn remove(
    State(portal): State<Portal>,
    who: Permitted<Operate>,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    portal.office.remove_person(&who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a link by which a user sets a new password; it works once and is shown only now.
#[utoipa::path(
    post, path = "/users/{user}/reset", tag = "people",
    params(("user" = i64, Path)),
    request_body = Reset,
    responses((status = 201, body = InvitationLink), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn reset(
    State(portal): State<Portal>,
    who: Permitted<Operate>,
    Path(id): Path<i64>,
    Json(new): Json<Reset>,
) -> Result<(StatusCode, Json<InvitationLink>), Problem> {
    let made = portal.office.reset_person(&who, id, new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// The open invitations of the operator.
#[utoipa::path(
    get, path = "/invitations", tag = "people",
    responses((status = 200, body = Vec<Invitation>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn invited(
    State(portal): State<Portal>,
    who: Permitted<Operate>,
) -> Result<Json<Vec<Invitation>>, Problem> {
    Ok(Json(portal.office.people_invited(&who).await?))
}

/// Invites an operator, or somebody to a reseller; the link works once and is shown only now.
#[utoipa::path(
    post, path = "/invitations", tag = "people",
    request_body = InvitePerson,
    responses((status = 201, body = InvitationLink), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn invite(
    State(portal): State<Portal>,
    who: Permitted<Operate>,
    Json(new): Json<InvitePerson>,
) -> Result<(StatusCode, Json<InvitationLink>), Problem> {
    let made = portal.office.invite_person(&who, new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Takes an invitation back.
#[utoipa::path(
    delete, path = "/invitations/{invitation}", tag = "people",
    params(("invitation" = i64, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn withdraw(
    State(portal): State<Portal>,
    who: Permitted<Operate>,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    portal.office.withdraw_person(&who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All resellers by name.
#[utoipa::path(
    get, path = "/resellers", tag = "people",
    responses((status = 200, body = Vec<Reseller>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn resellers(
    State(portal): State<Portal>,
    who: Permitted<Operate>,
) -> Result<Json<Vec<Reseller>>, Problem> {
    Ok(Json(portal.office.resellers(&who).await?))
}

/// Makes a reseller; the answer is its number.
#[utoipa::path(
    post, path = "/resellers", tag = "people",
    request_body = NewReseller,
    responses((status = 201, body = i64), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn create_reseller(
    State(portal): State<Portal>,
    who: Permitted<Operate>,
    Json(new): Json<NewReseller>,
) -> Result<(StatusCode, Json<i64>), Problem> {
    let made = portal.office.create_reseller(&who, new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Removes a reseller that nobody works for, and that has no organisations.
#[utoipa::path(
    delete, path = "/resellers/{reseller}", tag = "people",
    params(("reseller" = i64, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn remove_reseller(
    State(portal): State<Portal>,
    who: Permitted<Operate>,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    portal.office.remove_reseller(&who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives an organisation to a reseller, or to none.
#[utoipa::path(
    post, path = "/resellers/assign", tag = "people",
    request_body = Assignment,
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn assign(
    State(portal): State<Portal>,
    who: Permitted<Operate>,
    Json(new): Json<Assignment>,
) -> Result<StatusCode, Problem> {
    portal.office.assign(&who, new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// API tokens of the operator and of resellers.
#[utoipa::path(
    get, path = "/tokens", tag = "tokens",
    params(Paging),
    responses((status = 200, body = Page<ApiToken>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn tokens(
    State(portal): State<Portal>,
    who: Permitted<Operate>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<ApiToken>>, Problem> {
    Ok(Json(
        portal.office.installation_tokens(&who, &paging).await?,
    ))
}

/// Makes an API token for the operator or a reseller; its secret is shown only now.
#[utoipa::path(
    post, path = "/tokens", tag = "tokens",
    request_body = NewInstallationToken,
    responses((status = 201, body = MadeToken), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn create_token(
    State(portal): State<Portal>,
    who: Permitted<Operate>,
    Json(new): Json<NewInstallationToken>,
) -> Result<(StatusCode, Json<MadeToken>), Problem> {
    let made = portal.office.create_installation_token(&who, new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Ends an API token of the operator or a reseller.
#[utoipa::path(
    delete, path = "/tokens/{token}", tag = "tokens",
    params(("token" = i64, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn revoke_token(
    State(portal): State<Portal>,
    who: Permitted<Operate>,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    portal.office.revoke_installation_token(&who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
