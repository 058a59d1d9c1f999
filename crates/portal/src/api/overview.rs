//! Calls about what needs attention, and numbers over time.

use axum::extract::{Query, State};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Permitted, Read};
use crate::office::overview::{MailCounts, Overview, StatisticsQuery, WeekEnding};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(overview))
        .routes(routes!(mails))
        .routes(routes!(expiries))
}

/// What needs attention, what to do first, and late events.
#[utoipa::path(
    get, path = "/organisations/{organisation}/overview", tag = "overview",
    params(("organisation" = String, Path)),
    responses((status = 200, body = Overview), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn overview(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
) -> Result<Json<Overview>, Problem> {
    Ok(Json(portal.office.overview(&permitted).await?))
}

/// Mails per status over time.
#[utoipa::path(
    get, path = "/organisations/{organisation}/statistics/mails", tag = "overview",
    params(("organisation" = String, Path), StatisticsQuery),
    responses((status = 200, body = Vec<MailCounts>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn mails(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Query(query): Query<StatisticsQuery>,
) -> Result<Json<Vec<MailCounts>>, Problem> {
    Ok(Json(
        portal.office.mail_counts(&permitted, query.span).await?,
    ))
}

/// Certificates that end in the weeks ahead.
#[utoipa::path(
    get, path = "/organisations/{organisation}/statistics/expiries", tag = "overview",
    params(("organisation" = String, Path)),
    responses((status = 200, body = Vec<WeekEnding>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn expiries(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
) -> Result<Json<Vec<WeekEnding>>, Problem> {
    Ok(Json(portal.office.expiries_ahead(&permitted).await?))
}
