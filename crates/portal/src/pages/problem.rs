//! What a browser is shown when something went wrong.

use askama::Template;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;
use crate::view::{View, page, see};

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    view: View,
    problem: &'a Problem,
}

/// The page of a problem; who is not signed in is asked to, and comes back afterwards.
pub fn answer(problem: &Problem, view: View, method: &Method, uri: &Uri) -> Response {
    if problem.status() == StatusCode::UNAUTHORIZED {
        let back = match *method {
            Method::GET => uri.path_and_query().map_or("/", |own| own.as_str()),
            _ => "/",
        };
        let mut query = url::form_urlencoded::Serializer::for_suffix("/login?".to_owned(), 7);
        query.append_pair("next", back);
        return see(&query.finish()).unwrap_or_else(|_| problem.status().into_response());
    }
    match page(&ProblemPage { view, problem }) {
        Ok(response) => (problem.status(), response).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
