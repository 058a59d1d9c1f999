//! Every address of the portal: pages and API, what each needs, and what every answer carries.

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodRouter, get as on_get, post as on_post};
use sealgate_core::permission::{Permission, Role};

use crate::auth::Needs;
use crate::limits::{FORM_OCTETS, ONLY_BY_TLS, OPEN_FORM_OCTETS, REQUEST_SECONDS, UPLOAD_OCTETS};
use crate::problem::Problem;
use crate::view::{View, wanted_language};
use crate::{Portal, api, pages};

/// A page: how it is asked for, what it needs, and who answers.
pub struct PageRoute {
    /// GET or POST.
    pub method: Method,
    /// Its address; `{organisation}` stands for the name of one.
    pub path: &'static str,
    /// What it needs; none where nobody has to sign in.
    pub needs: Option<Permission>,
    route: MethodRouter<Portal>,
}

/// A page to look at. `P` is what its handler demands.
pub fn get<P: Needs, H: Handler<T, Portal>, T: 'static>(
    path: &'static str,
    handler: H,
) -> PageRoute {
    PageRoute {
        method: Method::GET,
        path,
        needs: Some(P::PERMISSION),
        route: on_get(handler),
    }
}

/// A form to send. `P` is what its handler demands.
pub fn post<P: Needs, H: Handler<T, Portal>, T: 'static>(
    path: &'static str,
    handler: H,
) -> PageRoute {
    PageRoute {
        method: Method::POST,
        path,
        needs: Some(P::PERMISSION),
        route: on_post(handler),
    }
}

/// A page or form for anybody.
pub fn open<H: Handler<T, Portal>, T: 'static>(
    method: Method,
    path: &'static str,
    handler: H,
) -> PageRoute {
    let route = match method {
        Method::POST => on_post(handler).layer(DefaultBodyLimit::max(OPEN_FORM_OCTETS)),
        _ => on_get(handler),
    };
    PageRoute {
        method,
        path,
        needs: None,
        route,
    }
}

/// The word for what a route needs, as the OpenAPI file and the list of routes write it.
pub const fn word(needs: Option<Permission>) -> &'static str {
    match needs {
        None => "nobody",
        Some(Permission::Oneself) => "oneself",
        Some(Permission::Role(Role::Read)) => "read",
        Some(Permission::Role(Role::Write)) => "write",
        Some(Permission::Role(Role::Admin)) => "admin",
        Some(Permission::Book) => "book",
        Some(Permission::Resell) => "resell",
        Some(Permission::Operate) => "operate",
    }
}

/// The whole portal.
pub fn router(portal: Portal) -> Router {
    let mut of_pages = Router::new();
    for page in pages::routes() {
        of_pages = of_pages.route(page.path, page.route);
    }
    let of_pages = of_pages
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::new("method") })
        .layer(DefaultBodyLimit::max(FORM_OCTETS))
        .layer(from_fn_with_state(portal.clone(), problem_as_page));
    let (of_api, _) = api::router().split_for_parts();
    let of_api = of_api
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::new("method") })
        .layer(DefaultBodyLimit::max(UPLOAD_OCTETS))
        .layer(from_fn(problem_as_json));
    Router::new()
        .nest("/api/v1", of_api)
        .merge(of_pages)
        .layer(from_fn(within_time))
        .layer(from_fn_with_state(portal.clone(), guarded))
        .with_state(portal)
}

/// Problems of the API in JSON. What the framework refused by itself becomes a problem, too.
async fn problem_as_json(request: Request, next: Next) -> Response {
    let language = wanted_language(request.headers());
    let mut response = next.run(request).await;
    match problem_of(&mut response) {
        Some(problem) => problem.into_json(language),
        None => response,
    }
}

async fn problem_as_page(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut asked = parts.clone();
    let mut response = next.run(Request::from_parts(parts, body)).await;
    match problem_of(&mut response) {
        Some(problem) => {
            let view = View::for_visitor(&portal, &mut asked).await;
            pages::problem::answer(&problem, view, &asked.method, &asked.uri)
        }
        None => response,
    }
}

fn problem_of(response: &mut Response) -> Option<Problem> {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return Some(problem);
    }
    let is_plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_none_or(|media_type| media_type.as_bytes().starts_with(b"text/plain"));
    match response.status() {
        status if !is_plain || !status.is_client_error() => None,
        StatusCode::PAYLOAD_TOO_LARGE => Some(Problem::new("too-large")),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Some(Problem::new("media-type")),
        StatusCode::METHOD_NOT_ALLOWED => Some(Problem::new("method")),
        StatusCode::NOT_FOUND => Some(Problem::not_found()),
        StatusCode::UNPROCESSABLE_ENTITY => Some(Problem::new("invalid")),
        _ => Some(Problem::new("malformed")),
    }
}

/// No request holds its place for longer than it may.
async fn within_time(request: Request, next: Next) -> Response {
    let longest = Duration::from_secs(REQUEST_SECONDS);
    match tokio::time::timeout(longest, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new("unavailable").into_json(sealgate_core::tenant::Language::En),
    }
}

/// What a browser may do with an answer: load only from here, run no script of a page's own, be framed by nobody (row W3).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(&str, &str); 7] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=()",
    ),
];

async fn guarded(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        let name = HeaderName::from_static(name);
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    // Other names below the portal's own are not ours: no `includeSubDomains` (RFC 6797 section 6.1.2).
    let only_by_tls = HeaderValue::try_from(format!("max-age={ONLY_BY_TLS}"));
    if let ("https", Ok(value)) = (portal.settings.url.scheme(), only_by_tls) {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    let kept = HeaderValue::from_static("no-store");
    headers.entry(header::CACHE_CONTROL).or_insert(kept);
    response
}
