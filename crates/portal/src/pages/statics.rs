//! Files that every page uses: the stylesheet, the script, the sign. They change with the program only.

use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};

use crate::routes::{PageRoute, open};

const STYLE: &str = include_str!("../../static/portal.css");
const SCRIPT: &str = include_str!("../../static/portal.js");
const SIGN: &str = include_str!("../../static/sign.svg");

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        open(Method::GET, "/static/portal.css", || {
            file("text/css; charset=utf-8", STYLE)
        }),
        open(Method::GET, "/static/portal.js", || {
            file("text/javascript; charset=utf-8", SCRIPT)
        }),
        open(Method::GET, "/static/sign.svg", || {
            file("image/svg+xml", SIGN)
        }),
        open(Method::GET, "/favicon.ico", || file("image/svg+xml", SIGN)),
    ]
}

async fn file(media_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, text).into_response()
}
