//! Partners: algorithms agreed with external addresses and domains.

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use sealgate_smime::profile::Profile;
use serde::Deserialize;

use crate::Portal;
use crate::auth::{Admin, Posted};
use crate::lang::key;
use crate::office::partners::{PartnerProfile, entry};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::view::{Notice, View, Visit, done, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Admin, _, _>("/o/{organisation}/smime/partners", list),
        post::<Admin, _, _>("/o/{organisation}/smime/partners", put),
        post::<Admin, _, _>("/o/{organisation}/smime/partners/remove", remove),
    ]
}

/// What a profile means, as a key of the catalogues.
pub(crate) const fn meaning(profile: Profile) -> &'static str {
    match profile {
        Profile::Default => key("profile-default"),
        Profile::Modern => key("profile-modern"),
        Profile::EdiEnergy => key("profile-edi-energy"),
        Profile::Legacy => key("profile-legacy"),
    }
}

#[derive(Template)]
#[template(path = "sources/partners.html")]
struct List {
    view: View,
    partners: Vec<PartnerProfile>,
    /// What was written and cannot be taken.
    written: String,
    problem: Option<Problem>,
}

impl List {
    fn profiles(&self) -> [Profile; 4] {
        Profile::ALL
    }
}

async fn list(State(portal): State<Portal>, visit: Visit<Admin>) -> Result<Response, Problem> {
    page(&List {
        partners: portal.office.partners(&visit.permitted).await?,
        view: visit.view,
        written: String::new(),
        problem: None,
    })
}

async fn put(
    State(portal): State<Portal>,
    parts: Parts,
    Posted(permitted, partner): Posted<Admin, PartnerProfile>,
) -> Result<Response, Problem> {
    let result = match partner.parse() {
        Ok(parsed) => portal.office.put_partner(&permitted, parsed).await,
        Err(problem) => Err(problem),
    };
    match result {
        Ok(_) => {
            let back = table(permitted.organisation_name());
            done(&portal, &permitted, Notice::new("partner-set"), &back).await
        }
        Err(problem) if problem.status().is_client_error() => {
            let shown = page(&List {
                view: View::of(&portal, &permitted, &parts).await?,
                partners: portal.office.partners(&permitted).await?,
                written: partner.external,
                problem: Some(problem.clone()),
            })?;
            Ok((problem.status(), shown).into_response())
        }
        Err(problem) => Err(problem),
    }
}

/// Which partner.
#[derive(Deserialize)]
struct Which {
    external: String,
}

async fn remove(
    State(portal): State<Portal>,
    Posted(permitted, which): Posted<Admin, Which>,
) -> Result<Response, Problem> {
    let external = entry(&which.external)?;
    portal.office.remove_partner(&permitted, external).await?;
    let back = table(permitted.organisation_name());
    done(&portal, &permitted, Notice::new("partner-removed"), &back).await
}

fn table(organisation: &str) -> String {
    format!("/o/{organisation}/smime/partners")
}
