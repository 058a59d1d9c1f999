//! The REST API below `/api/v1`: every function of the portal as a call, described by the OpenAPI file made from this code.

pub mod account;
pub mod authorities;
pub mod certificates;
pub mod clients;
pub mod directories;
pub mod domains;
pub mod held;
pub mod inbound;
pub mod json;
pub mod keys;
pub mod mailboxes;
pub mod mails;
pub mod organisations;
pub mod overview;
pub mod partners;
pub mod people;
pub mod records;
pub mod rules;
pub mod settings;
pub mod simulator;
pub mod system;
pub mod trust;
pub mod users;
pub mod webhooks;

use utoipa::OpenApi;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Operation;
use utoipa_axum::router::OpenApiRouter;

use crate::Portal;
use crate::problem::MEDIA_TYPE;

#[derive(OpenApi)]
#[openapi(
    info(title = "Sealgate", description = "The S/MIME mail gateway"),
    servers((url = "/api/v1")),
    components(schemas(crate::problem::ProblemBody))
)]
struct Description;

/// All calls, with their description.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(account::router())
        .merge(people::router())
        .merge(users::router())
        .merge(clients::router())
        .merge(inbound::router())
        .merge(mailboxes::router())
        .merge(authorities::router())
        .merge(certificates::router())
        .merge(domains::router())
        .merge(trust::router())
        .merge(organisations::router())
        .merge(records::router())
        .merge(settings::router())
        .merge(system::router())
        .merge(webhooks::router())
        .merge(rules::router())
        .merge(directories::router())
        .merge(keys::router())
        .merge(partners::router())
        .merge(simulator::router())
        .merge(mails::router())
        .merge(held::router())
        .merge(overview::router())
}

/// The OpenAPI file.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut whole = router().split_for_parts().1;
    for path in whole.paths.paths.values_mut() {
        let calls = [
            &mut path.get,
            &mut path.post,
            &mut path.put,
            &mut path.patch,
            &mut path.delete,
        ];
        for call in calls.into_iter().flatten() {
            describe_problems(call);
        }
    }
    whole
}

/// Problems are of a media type of their own, and every call may have one of ours.
fn describe_problems(call: &mut Operation) {
    let problems = &mut call.responses.responses;
    if let Some(told) = problems.get("4XX").cloned() {
        problems.entry("5XX".to_owned()).or_insert(told);
    }
    for (status, response) in problems {
        let RefOr::T(response) = response else {
            continue;
        };
        let own = response.content.shift_remove("application/json");
        let media_type = match status.as_bytes().first() {
            Some(b'4' | b'5') => MEDIA_TYPE,
            _ => "application/json",
        };
        response
            .content
            .extend(own.map(|own| (media_type.to_owned(), own)));
    }
}
