//! Calls about encryption rules.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Permitted, Read, Write};
use crate::office::rules::{
    EncryptionRule, RuleBody, RuleEdit, RuleFieldAnswer, RuleFieldQuestion, RuleFilter, RuleMove,
    RuleSaved, RuleWarnings,
};
use crate::office::{Page, Paging};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(removed))
        .routes(routes!(check))
        .routes(routes!(warnings))
        .routes(routes!(one, edit, delete))
        .routes(routes!(move_to))
        .routes(routes!(restore))
}

/// The encryption rules of an organisation, priority 1 first.
#[utoipa::path(
    get, path = "/organisations/{organisation}/rules", tag = "rules",
    params(("organisation" = String, Path), RuleFilter, Paging),
    responses((status = 200, body = Page<EncryptionRule>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn list(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Query(filter): Query<RuleFilter>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<EncryptionRule>>, Problem> {
    let page = portal.office.rules(&permitted, &filter, &paging).await?;
    Ok(Json(page))
}

/// The rules that were deleted in the last minutes and can be taken back.
#[utoipa::path(
    get, path = "/organisations/{organisation}/rules/removed", tag = "rules",
    params(("organisation" = String, Path)),
    responses((status = 200, body = Vec<EncryptionRule>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn removed(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
) -> Result<Json<Vec<EncryptionRule>>, Problem> {
    Ok(Json(portal.office.removed_rules(&permitted).await?))
}

/// What is to be said of one field of a rule, entry by entry; nothing is changed.
#[utoipa::path(
    get, path = "/organisations/{organisation}/rules/check", tag = "rules",
    params(("organisation" = String, Path), RuleFieldQuestion),
    responses((status = 200, body = RuleFieldAnswer), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn check(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Query(question): Query<RuleFieldQuestion>,
) -> Result<Json<RuleFieldAnswer>, Problem> {
    let answer = portal.office.rule_field(&permitted, &question).await?;
    Ok(Json(answer))
}

/// What a rule would mean for known mailboxes: which of them it would shut out; nothing is changed.
#[utoipa::path(
    post, path = "/organisations/{organisation}/rules/warnings", tag = "rules",
    params(("organisation" = String, Path)),
    request_body = RuleBody,
    responses((status = 200, body = RuleWarnings), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn warnings(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Json(body): Json<RuleBody>,
) -> Result<Json<RuleWarnings>, Problem> {
    let rule = body.parse(0)?;
    Ok(Json(portal.office.rule_warnings(&permitted, &rule).await?))
}

/// Adds a rule with the highest priority; the others move down.
#[utoipa::path(
    post, path = "/organisations/{organisation}/rules", tag = "rules",
    params(("organisation" = String, Path)),
    request_body = RuleBody,
    responses((status = 201, body = RuleSaved), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn add(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(body): Json<RuleBody>,
) -> Result<(StatusCode, Json<RuleSaved>), Problem> {
    let saved = portal.office.add_rule(&permitted, &body).await?;
    Ok((StatusCode::CREATED, Json(saved)))
}

/// One rule.
#[utoipa::path(
    get, path = "/organisations/{organisation}/rules/{id}", tag = "rules",
    params(("organisation" = String, Path), ("id" = i64, Path)),
    responses((status = 200, body = EncryptionRule), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn one(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    path: Path<(String, i64)>,
) -> Result<Json<EncryptionRule>, Problem> {
    Ok(Json(portal.office.rule(&permitted, path.1).await?))
}

/// Changes a rule, unless somebody else changed it since it was looked at.
#[utoipa::path(
    put, path = "/organisations/{organisation}/rules/{id}", tag = "rules",
    params(("organisation" = String, Path), ("id" = i64, Path)),
    request_body = RuleEdit,
    responses((status = 200, body = RuleSaved), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn edit(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    path: Path<(String, i64)>,
    Json(edit): Json<RuleEdit>,
) -> Result<Json<RuleSaved>, Problem> {
    Ok(Json(
        portal.office.edit_rule(&permitted, path.1, &edit).await?,
    ))
}

/// Deletes a rule; for some minutes it can be taken back.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/rules/{id}", tag = "rules",
    params(("organisation" = String, Path), ("id" = i64, Path)),
    responses((status = 200, body = RuleSaved), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn delete(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    path: Path<(String, i64)>,
) -> Result<Json<RuleSaved>, Problem> {
    let saved = portal.office.delete_rule(&permitted, path.1, None).await?;
    Ok(Json(saved))
}

/// Gives a rule another priority, unless somebody else changed the order since it was looked at.
#[utoipa::path(
    post, path = "/organisations/{organisation}/rules/{id}/move", tag = "rules",
    params(("organisation" = String, Path), ("id" = i64, Path)),
    request_body = RuleMove,
    responses((status = 200, body = RuleSaved), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn move_to(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    path: Path<(String, i64)>,
    Json(way): Json<RuleMove>,
) -> Result<Json<RuleSaved>, Problem> {
    Ok(Json(
        portal.office.move_rule(&permitted, path.1, way).await?,
    ))
}

/// Takes the deletion of a rule back: it stands at its former priority again.
#[utoipa::path(
    post, path = "/organisations/{organisation}/rules/{id}/restore", tag = "rules",
    params(("organisation" = String, Path), ("id" = i64, Path)),
    responses((status = 200, body = RuleSaved), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn restore(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    path: Path<(String, i64)>,
) -> Result<Json<RuleSaved>, Problem> {
    Ok(Json(portal.office.restore_rule(&permitted, path.1).await?))
}
