//! The simulator as a call.

use axum::extract::{Query, State};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Permitted, Read};
use crate::office::simulator::{MailAnswer, MailQuestion};
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new().routes(routes!(simulate))
}

/// What would be done with a mail, decided as the gateway decides: the rule that applies, the rules passed over and why, the
/// facts, the outcome. No mail is sent.
#[utoipa::path(
    get, path = "/organisations/{organisation}/explain", tag = "rules",
    params(("organisation" = String, Path), MailQuestion),
    responses((status = 200, body = MailAnswer), (status = "4XX", body = ProblemBody), (status = 503, body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn simulate(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Query(question): Query<MailQuestion>,
) -> Result<Json<MailAnswer>, Problem> {
    Ok(Json(portal.office.simulate(&permitted, &question).await?))
}
