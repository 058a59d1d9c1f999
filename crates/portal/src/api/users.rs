//! Calls about users and API tokens of an organisation.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Admin, Permitted};
use crate::office::users::{
    ApiToken, Invitation, InvitationLink, Invite, MadeToken, Member, NewToken, RoleChange,
};
use crate::office::{Page, Paging};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(members))
        .routes(routes!(set_role))
        .routes(routes!(remove))
        .routes(routes!(invitations, invite))
        .routes(routes!(withdraw))
        .routes(routes!(tokens, create_token))
        .routes(routes!(revoke_token))
}

/// The users of an organisation by name.
#[utoipa::path(
    get, path = "/organisations/{organisation}/users", tag = "users",
    params(("organisation" = String, Path), Paging),
    responses((status = 200, body = Page<Member>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn members(
    State(portal): State<Portal>,
    who: Permitted<Admin>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Member>>, Problem> {
    Ok(Json(portal.office.members(&who, &paging).await?))
}

/// Gives a user another role; all their sessions end.
#[utoipa::path(
    put, path = "/organisations/{organisation}/users/{user}/role", tag = "users",
    params(("organisation" = String, Path), ("user" = i64, Path)),
    request_body = RoleChange,
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn set_role(
    State(portal): State<Portal>,
    who: Permitted<Admin>,
    Path(ids): Path<(String, i64)>,
    Json(change): Json<RoleChange>,
) -> Result<StatusCode, Problem> {
    portal.office.set_role(&who, ids.1, change.role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a user out of the organisation; all their sessions end. The last administrator stays.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/users/{user}", tag = "users",
    params(("organisation" = String, Path), ("user" = i64, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn remove(
    State(portal): State<Portal>,
    who: Permitted<Admin>,
    Path(ids): Path<(String, i64)>,
) -> Result<StatusCode, Problem> {
    portal.office.remove_member(&who, ids.1).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The open invitations into an organisation.
#[utoipa::path(
    get, path = "/organisations/{organisation}/invitations", tag = "users",
    params(("organisation" = String, Path)),
    responses((status = 200, body = Vec<Invitation>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn invitations(
    State(portal): State<Portal>,
    who: Permitted<Admin>,
) -> Result<Json<Vec<Invitation>>, Problem> {
    Ok(Json(portal.office.invitations(&who).await?))
}

/// Invites somebody; the link works once and is shown only now. The answer is the same whether the address has an account or not.
#[utoipa::path(
    post, path = "/organisations/{organisation}/invitations", tag = "users",
    params(("organisation" = String, Path)),
    request_body = Invite,
    responses((status = 201, body = InvitationLink), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn invite(
    State(portal): State<Portal>,
    who: Permitted<Admin>,
    Json(new): Json<Invite>,
) -> Result<(StatusCode, Json<InvitationLink>), Problem> {
    let made = portal.office.invite(&who, new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Takes an invitation back.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/invitations/{invitation}", tag = "users",
    params(("organisation" = String, Path), ("invitation" = i64, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn withdraw(
    State(portal): State<Portal>,
    who: Permitted<Admin>,
    Path(ids): Path<(String, i64)>,
) -> Result<StatusCode, Problem> {
    portal.office.withdraw_invitation(&who, ids.1).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The API tokens of an organisation.
#[utoipa::path(
    get, path = "/organisations/{organisation}/tokens", tag = "tokens",
    params(("organisation" = String, Path), Paging),
    responses((status = 200, body = Page<ApiToken>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn tokens(
    State(portal): State<Portal>,
    who: Permitted<Admin>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<ApiToken>>, Problem> {
    Ok(Json(portal.office.tokens(&who, &paging).await?))
}

/// Makes an API token; its secret is shown only now.
#[utoipa::path(
    post, path = "/organisations/{organisation}/tokens", tag = "tokens",
    params(("organisation" = String, Path)),
    request_body = NewToken,
    responses((status = 201, body = MadeToken), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn create_token(
    State(portal): State<Portal>,
    who: Permitted<Admin>,
    Json(new): Json<NewToken>,
) -> Result<(StatusCode, Json<MadeToken>), Problem> {
    let made = portal.office.create_token(&who, new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Ends an API token.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/tokens/{token}", tag = "tokens",
    params(("organisation" = String, Path), ("token" = i64, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("admin")))
)]
async fn revoke_token(
    State(portal): State<Portal>,
    who: Permitted<Admin>,
    Path(ids): Path<(String, i64)>,
) -> Result<StatusCode, Problem> {
    portal.office.revoke_token(&who, ids.1).await?;
    Ok(StatusCode::NO_CONTENT)
}
