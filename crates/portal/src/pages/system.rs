//! The installation, for the operator; and whether it is well, for programs that watch it.

use askama::Template;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::Portal;
use crate::auth::Operate;
use crate::office::system::System;
use crate::problem::Problem;
use crate::routes::{PageRoute, get, open};
use crate::view::{View, Visit, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Operate, _, _>("/system", show),
        open(Method::GET, "/healthz", healthy),
        open(Method::GET, "/readyz", ready),
    ]
}

#[derive(Template)]
#[template(path = "system/show.html")]
struct Show {
    view: View,
    system: System,
}

async fn show(State(portal): State<Portal>, visit: Visit<Operate>) -> Result<Response, Problem> {
    let system = portal.office.system(&visit.permitted).await?;
    page(&Show {
        view: visit.view,
        system,
    })
}

/// Whether the process answers.
async fn healthy() -> &'static str {
    "ok\n"
}

/// Whether mail can be taken: the database answers.
async fn ready(State(portal): State<Portal>) -> Response {
    match portal.office.is_ready().await {
        true => "ready\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response(),
    }
}
