//! Whom an organisation trusts: its own roots, the public ones, and what it never trusts.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use sealgate_core::tenant::RevocationMode;
use serde::Deserialize;

use crate::Portal;
use crate::auth::{Admin, Posted, Uploaded};
use crate::office::trust::{AddBlock, TrustRoot, Trusted};
use crate::pages::Nothing;
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::shapes;
use crate::view::{Notice, View, Visit, done, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Admin, _, _>("/o/{organisation}/trust", show),
        post::<Admin, _, _>("/o/{organisation}/trust/public-roots", public_roots),
        post::<Admin, _, _>("/o/{organisation}/trust/roots", add_roots),
        post::<Admin, _, _>("/o/{organisation}/trust/roots/{sha256}/remove", remove_root),
        post::<Admin, _, _>("/o/{organisation}/trust/blocked", block),
        post::<Admin, _, _>("/o/{organisation}/trust/blocked/{sha256}/remove", unblock),
    ]
}

#[derive(Template)]
#[template(path = "trust/show.html")]
struct Show {
    view: View,
    trust: Trusted,
}

impl Show {
    fn shape(&self, root: &TrustRoot) -> &'static str {
        match root.valid {
            true => shapes::GOOD,
            false => shapes::WARN,
        }
    }

    fn validity(&self, root: &TrustRoot) -> String {
        match root.valid {
            true => self.view.t("trust-valid"),
            false => self.view.t("trust-not-valid"),
        }
    }
}

/// A fingerprint in groups, as people compare it.
fn grouped(sha256: &str) -> String {
    let octets: Vec<&str> = sha256
        .as_bytes()
        .chunks(4)
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    octets.join(" ")
}

async fn show(State(portal): State<Portal>, visit: Visit<Admin>) -> Result<Response, Problem> {
    page(&Show {
        trust: portal.office.trusted(&visit.permitted).await?,
        view: visit.view,
    })
}

fn place(organisation: &str) -> String {
    format!("/o/{organisation}/trust")
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    trusted: bool,
}

async fn public_roots(
    State(portal): State<Portal>,
    Path(organisation): Path<String>,
    Posted(permitted, wanted): Posted<Admin, Wanted>,
) -> Result<Response, Problem> {
    let office = &portal.office;
    office.set_public_roots(&permitted, wanted.trusted).await?;
    let notice = match wanted.trusted {
        true => Notice::new("trust-public-on"),
        false => Notice::new("trust-public-off"),
    };
    done(&portal, &permitted, notice, &place(&organisation)).await
}

async fn add_roots(
    State(portal): State<Portal>,
    Path(organisation): Path<String>,
    given: Uploaded<Admin>,
) -> Result<Response, Problem> {
    let file = given.octets("file").filter(|file| !file.is_empty());
    let file = file.ok_or(Problem::new("no-certificate"))?;
    let office = &portal.office;
    office.add_trust_roots(&given.permitted, file).await?;
    let notice = Notice::new("trust-added");
    done(&portal, &given.permitted, notice, &place(&organisation)).await
}

async fn remove_root(
    State(portal): State<Portal>,
    Path((organisation, sha256)): Path<(String, String)>,
    Posted(permitted, Nothing {}): Posted<Admin, Nothing>,
) -> Result<Response, Problem> {
    let office = &portal.office;
    office.remove_trust_root(&permitted, &sha256).await?;
    let notice = Notice::new("trust-removed");
    done(&portal, &permitted, notice, &place(&organisation)).await
}

async fn block(
    State(portal): State<Portal>,
    Path(organisation): Path<String>,
    given: Uploaded<Admin>,
) -> Result<Response, Problem> {
    let what = AddBlock {
        certificate: None,
        sha256: given.text("sha256"),
        reason: given.text("reason"),
    };
    let (office, permitted) = (&portal.office, &given.permitted);
    let file = given.octets("file");
    office.block_certificate(permitted, file, what).await?;
    let notice = Notice::new("trust-blocked");
    done(&portal, permitted, notice, &place(&organisation)).await
}

async fn unblock(
    State(portal): State<Portal>,
    Path((organisation, sha256)): Path<(String, String)>,
    Posted(permitted, Nothing {}): Posted<Admin, Nothing>,
) -> Result<Response, Problem> {
    let office = &portal.office;
    office.unblock_certificate(&permitted, &sha256).await?;
    let notice = Notice::new("trust-unblocked");
    done(&portal, &permitted, notice, &place(&organisation)).await
}
