//! Calls about one's own account. Those that change it are for sessions; an API token only learns what it may do.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Oneself, Permitted, Visitor, own};
use crate::office::account::{
    BegunSecondFactor, LanguageChange, OneTimeCode, OwnAccount, OwnSession, PasswordChange, Proof,
    RecoveryCodes,
};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(show))
        .routes(routes!(password))
        .routes(routes!(language))
        .routes(routes!(begin, remove))
        .routes(routes!(confirm))
        .routes(routes!(recovery_codes))
        .routes(routes!(sessions, end_others))
        .routes(routes!(end_session))
}

/// Who asks, and what they may do.
#[utoipa::path(
    get, path = "/account", tag = "account",
    responses((status = 200, body = OwnAccount), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("oneself")))
)]
async fn show(
    State(portal): State<Portal>,
    who: Permitted<Oneself>,
) -> Result<Json<OwnAccount>, Problem> {
    Ok(Json(portal.office.own_account(&who).await?))
}

/// Sets a new password; all other sessions end.
#[utoipa::path(
    put, path = "/account/password", tag = "account",
    request_body = PasswordChange,
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("oneself")))
)]
async fn password(
    State(portal): State<Portal>,
    visitor: Visitor,
    who: Permitted<Oneself>,
    Json(change): Json<PasswordChange>,
) -> Result<StatusCode, Problem> {
    own::change_password(&portal, &visitor, &who, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets the language of the pages.
#[utoipa::path(
    put, path = "/account/language", tag = "account",
    request_body = LanguageChange,
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("oneself")))
)]
async fn language(
    State(portal): State<Portal>,
    who: Permitted<Oneself>,
    Json(change): Json<LanguageChange>,
) -> Result<StatusCode, Problem> {
    portal
        .office
        .set_own_language(&who, change.language)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes the key of a second factor, which waits for its first code.
#[utoipa::path(
    post, path = "/account/second-factor", tag = "account",
    request_body = Proof,
    responses((status = 200, body = BegunSecondFactor), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("oneself")))
)]
async fn begin(
    State(portal): State<Portal>,
    visitor: Visitor,
    who: Permitted<Oneself>,
    Json(proof): Json<Proof>,
) -> Result<Json<BegunSecondFactor>, Problem> {
    let begun = own::begin_second_factor(&portal, &visitor, &who, proof.password).await?;
    Ok(Json(begun))
}

/// Takes the second factor away; all other sessions end.
#[utoipa::path(
    delete, path = "/account/second-factor", tag = "account",
    request_body = Proof,
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("oneself")))
)]
async fn remove(
    State(portal): State<Portal>,
    visitor: Visitor,
    who: Permitted<Oneself>,
    Json(proof): Json<Proof>,
) -> Result<StatusCode, Problem> {
    own::remove_second_factor(&portal, &visitor, &who, proof.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives the first code, which makes it the second factor; all other sessions end. The recovery codes are shown once.
#[utoipa::path(
    post, path = "/account/second-factor/confirm", tag = "account",
    request_body = OneTimeCode,
    responses((status = 200, body = RecoveryCodes), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("oneself")))
)]
async fn confirm(
    State(portal): State<Portal>,
    who: Permitted<Oneself>,
    Json(code): Json<OneTimeCode>,
) -> Result<Json<RecoveryCodes>, Problem> {
    let codes = own::confirm_second_factor(&portal, &who, &code.code).await?;
    Ok(Json(codes))
}

/// Makes new recovery codes in place of the former ones; they are shown once.
#[utoipa::path(
    post, path = "/account/recovery-codes", tag = "account",
    request_body = Proof,
    responses((status = 200, body = RecoveryCodes), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("oneself")))
)]
async fn recovery_codes(
    State(portal): State<Portal>,
    visitor: Visitor,
    who: Permitted<Oneself>,
    Json(proof): Json<Proof>,
) -> Result<Json<RecoveryCodes>, Problem> {
    let codes = own::new_recovery_codes(&portal, &visitor, &who, proof.password).await?;
    Ok(Json(codes))
}

/// One's own sessions, the one used last first.
#[utoipa::path(
    get, path = "/account/sessions", tag = "account",
    responses((status = 200, body = Vec<OwnSession>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("oneself")))
)]
async fn sessions(
    State(portal): State<Portal>,
    who: Permitted<Oneself>,
) -> Result<Json<Vec<OwnSession>>, Problem> {
    Ok(Json(portal.office.own_sessions(&who).await?))
}

/// Ends all of them but the one that asks.
#[utoipa::path(
    delete, path = "/account/sessions", tag = "account",
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("oneself")))
)]
async fn end_others(
    State(portal): State<Portal>,
    who: Permitted<Oneself>,
) -> Result<StatusCode, Problem> {
    portal.office.end_other_sessions(&who).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends one of them.
#[utoipa::path(
    delete, path = "/account/sessions/{session}", tag = "account",
    params(("session" = i64, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("oneself")))
)]
async fn end_session(
    State(portal): State<Portal>,
    who: Permitted<Oneself>,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    portal.office.end_own_session(&who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
