//! Calls about the installation.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Operate, Permitted};
use crate::office::system::System;
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new().routes(routes!(system))
}

/// How the installation is.
#[utoipa::path(
    get, path = "/system", tag = "system",
    responses((status = 200, body = System), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("operate")))
)]
async fn system(
    State(portal): State<Portal>,
    permitted: Permitted<Operate>,
) -> Result<Json<System>, Problem> {
    Ok(Json(portal.office.system(&permitted).await?))
}
