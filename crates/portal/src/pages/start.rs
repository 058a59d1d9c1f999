//! Where somebody who signs in begins: the only organisation, or the list to choose from; and the language of the pages.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{Method, header};
use axum::response::Response;
use sealgate_core::permission::{Permission, Role};
use sealgate_core::tenant::Language;
use serde::Deserialize;

use crate::Portal;
use crate::auth::sign_in::own_page;
use crate::auth::{Oneself, Permitted};
use crate::lang::key;
use crate::office::start::{Entry, EntryFilter};
use crate::office::{Page, Paging};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, open};
use crate::view::{View, Visit, language_cookie, next_page, page, see};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Oneself, _, _>("/", start),
        get::<Oneself, _, _>("/organisations", organisations),
        open(Method::POST, "/language", language),
    ]
}

/// Who may enter one organisation only is there at once; a reseller who enters none sees the licences.
async fn start(
    State(portal): State<Portal>,
    permitted: Permitted<Oneself>,
) -> Result<Response, Problem> {
    let two = Paging {
        limit: Some(2),
        ..Paging::default()
    };
    let every = EntryFilter::default();
    let found = portal.office.organisations_of(&permitted, &every, &two);
    match found.await?.items.as_slice() {
        [only] => see(&format!("/o/{}", only.name)),
        [] if permitted.may(Permission::Resell) && !permitted.may(Permission::Operate) => {
            see("/reseller")
        }
        _ => see("/organisations"),
    }
}

#[derive(Template)]
#[template(path = "start/organisations.html")]
struct Organisations {
    view: View,
    filter: EntryFilter,
    entries: Page<Entry>,
    first: Option<String>,
    next: Option<String>,
}

impl Organisations {
    /// Key of the word for a role.
    const fn role(role: Role) -> &'static str {
        match role {
            Role::Read => key("role-read"),
            Role::Write => key("role-write"),
            Role::Admin => key("role-admin"),
        }
    }
}

async fn organisations(
    State(portal): State<Portal>,
    visit: Visit<Oneself>,
    Query(filter): Query<EntryFilter>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let entries = portal
        .office
        .organisations_of(&visit.permitted, &filter, &paging)
        .await?;
    let (first, next) = next_page(&visit.view, &filter, &paging, &entries);
    page(&Organisations {
        view: visit.view,
        filter,
        entries,
        first,
        next,
    })
}

/// What the switch in the head of every page sends.
#[derive(Deserialize)]
struct Switch {
    language: Language,
    #[serde(default)]
    back: String,
}

/// Keeps the language in this browser. Nobody has to be signed in for it, and there is nothing to gain by sending it for others.
async fn language(
    State(portal): State<Portal>,
    Form(switch): Form<Switch>,
) -> Result<Response, Problem> {
    let mut response = see(own_page(&portal, &switch.back))?;
    let cookie = language_cookie(&portal, switch.language)?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}
