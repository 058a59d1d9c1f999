//! The REST API below `/api/v1`: every function of the portal as a call, described by the OpenAPI file made from this code.

pub mod mailboxes;

use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::Portal;

#[derive(OpenApi)]
#[openapi(
    info(title = "Sealgate", description = "The S/MIME mail gateway"),
    servers((url = "/api/v1")),
    components(schemas(crate::problem::ProblemBody))
)]
struct Description;

/// All calls, with their description.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::with_openapi(Description::openapi()).merge(mailboxes::router())
}

/// The OpenAPI file.
pub fn openapi() -> utoipa::openapi::OpenApi {
    router().split_for_parts().1
}
