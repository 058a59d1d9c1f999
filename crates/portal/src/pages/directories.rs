//! Directories and DNS as sources of correspondents' keys: list, form, switch, and a trial with one address.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use sealgate_core::directory::Protection;
use sealgate_core::tenant::Smimea;
use serde::Deserialize;

use super::Nothing;
use crate::Portal;
use crate::auth::{Admin, Permitted, Posted};
use crate::lang::key;
use crate::office::directories::{DirectoryBody, KeyDirectory, KeySources, SourceSaid};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::shapes;
use crate::trace::source_words;
use crate::view::{Notice, View, Visit, done, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Admin, _, _>("/o/{organisation}/smime/directories", list),
        post::<Admin, _, _>("/o/{organisation}/smime/directories/smimea", switch),
        post::<Admin, _, _>("/o/{organisation}/smime/directories/try", try_all),
        get::<Admin, _, _>("/o/{organisation}/smime/directories/new", new),
        post::<Admin, _, _>("/o/{organisation}/smime/directories/new", add),
        get::<Admin, _, _>("/o/{organisation}/smime/directories/{name}", edit),
        post::<Admin, _, _>("/o/{organisation}/smime/directories/{name}", save),
        post::<Admin, _, _>("/o/{organisation}/smime/directories/{name}/remove", remove),
    ]
}

const SWITCHES: [Smimea; 3] = [Smimea::Off, Smimea::WithPath, Smimea::DnssecAlone];

/// What a position of the switch for DNS means, as a key of the catalogues.
pub(crate) const fn switch_meaning(switch: Smimea) -> &'static str {
    match switch {
        Smimea::Off => key("smimea-off"),
        Smimea::WithPath => key("smimea-with-path"),
        Smimea::DnssecAlone => key("smimea-dnssec-alone"),
    }
}

pub(crate) const fn protection_word(protection: Protection) -> &'static str {
    match protection {
        Protection::None => key("directory-unprotected"),
        Protection::Tls => key("directory-tls"),
        Protection::StartTls => key("directory-starttls"),
    }
}

#[derive(Template)]
#[template(path = "sources/directories.html")]
struct List {
    view: View,
    sources: KeySources,
    /// The address that was tried, and what each source said.
    tried: Option<(String, Vec<SourceSaid>)>,
    problem: Option<Problem>,
}

impl List {
    fn switches(&self) -> [Smimea; 3] {
        SWITCHES
    }

    fn has_sources(&self) -> bool {
        !self.sources.directories.is_empty() || self.sources.smimea != Smimea::Off
    }

    fn words(&self, said: &SourceSaid) -> String {
        source_words(&said.word, self.view.language)
    }

    fn tried_address(&self) -> &str {
        let tried = self.tried.as_ref();
        tried.map_or("", |(address, _)| address.as_str())
    }
}

async fn list(State(portal): State<Portal>, visit: Visit<Admin>) -> Result<Response, Problem> {
    page(&List {
        sources: portal.office.key_sources(&visit.permitted).await?,
        view: visit.view,
        tried: None,
        problem: None,
    })
}

/// The switch for DNS.
#[derive(Deserialize)]
struct Switched {
    smimea: Smimea,
}

async fn switch(
    State(portal): State<Portal>,
    Posted(permitted, switched): Posted<Admin, Switched>,
) -> Result<Response, Problem> {
    portal
        .office
        .set_smimea(&permitted, switched.smimea)
        .await?;
    let back = table(permitted.organisation_name());
    done(&portal, &permitted, Notice::new("smimea-set"), &back).await
}

/// The address to try.
#[derive(Deserialize)]
struct Trial {
    address: String,
}

async fn try_all(
    State(portal): State<Portal>,
    parts: Parts,
    Posted(permitted, trial): Posted<Admin, Trial>,
) -> Result<Response, Problem> {
    let said = portal.office.try_sources(&permitted, &trial.address).await;
    let (said, problem) = match said {
        Ok(said) => (said, None),
        Err(problem) if problem.status().is_client_error() => (Vec::new(), Some(problem)),
        Err(problem) => return Err(problem),
    };
    page(&List {
        view: View::of(&portal, &permitted, &parts).await?,
        sources: portal.office.key_sources(&permitted).await?,
        tried: Some((trial.address, said)),
        problem,
    })
}

#[derive(Template)]
#[template(path = "sources/directory.html")]
struct Form {
    view: View,
    /// Whether it is there already: then its name stays.
    is_known: bool,
    name: String,
    body: DirectoryBody,
    problem: Option<Problem>,
}

impl Form {
    fn domains(&self) -> String {
        self.body.domains.join(", ")
    }

    fn attributes(&self) -> String {
        self.body.attributes.join(", ")
    }

    fn text<'t>(&self, text: &'t Option<String>) -> &'t str {
        text.as_deref().unwrap_or_default()
    }

    fn action(&self) -> String {
        let place = if self.is_known { &self.name } else { "new" };
        self.view.here(&format!("smime/directories/{place}"))
    }

    /// What is wrong with the field `name`.
    fn wrong(&self, name: &str) -> Option<String> {
        let problem = self.problem.as_ref();
        let own = problem.filter(|problem| problem.field == Some(name))?;
        own.told(self.view.language)
    }
}

async fn new(visit: Visit<Admin>) -> Result<Response, Problem> {
    page(&Form {
        view: visit.view,
        is_known: false,
        name: String::new(),
        body: DirectoryBody::default(),
        problem: None,
    })
}

async fn edit(
    State(portal): State<Portal>,
    visit: Visit<Admin>,
    Path((_, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let sources = portal.office.key_sources(&visit.permitted).await?;
    let mut all = sources.directories.into_iter();
    let known = all.find(|directory| directory.name == name);
    let known = known.ok_or_else(Problem::not_found)?;
    page(&Form {
        view: visit.view,
        is_known: true,
        name,
        body: body_of(known),
        problem: None,
    })
}

fn body_of(known: KeyDirectory) -> DirectoryBody {
    DirectoryBody {
        url: known.url(),
        starttls: known.protection == Protection::StartTls,
        base: Some(known.base),
        bind: known.bind,
        password: None,
        domains: known.domains,
        attributes: known.attributes,
        roots: known.roots,
    }
}

/// What the form sends.
#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    name: String,
    url: String,
    #[serde(default)]
    starttls: bool,
    #[serde(default)]
    base: String,
    #[serde(default)]
    bind: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    domains: String,
    #[serde(default)]
    attributes: String,
    #[serde(default)]
    roots: String,
}

impl Written {
    fn body(self) -> DirectoryBody {
        let list = |text: &str| {
            let entries = text.split([',', '\n']).map(str::trim);
            let entries = entries.filter(|entry| !entry.is_empty());
            entries.map(str::to_owned).collect()
        };
        DirectoryBody {
            domains: list(&self.domains),
            attributes: list(&self.attributes),
            url: self.url,
            starttls: self.starttls,
            base: Some(self.base),
            bind: Some(self.bind),
            password: Some(self.password),
            roots: Some(self.roots),
        }
    }
}

async fn add(
    State(portal): State<Portal>,
    parts: Parts,
    Posted(permitted, written): Posted<Admin, Written>,
) -> Result<Response, Problem> {
    let name = written.name.trim().to_owned();
    let form = Form {
        view: View::of(&portal, &permitted, &parts).await?,
        is_known: false,
        name,
        body: written.body(),
        problem: None,
    };
    put(&portal, &permitted, form).await
}

async fn save(
    State(portal): State<Portal>,
    Path((_, name)): Path<(String, String)>,
    parts: Parts,
    Posted(permitted, written): Posted<Admin, Written>,
) -> Result<Response, Problem> {
    let sources = portal.office.key_sources(&permitted).await?;
    let mut known = sources.directories.iter();
    if !known.any(|directory| directory.name == name) {
        return Err(Problem::not_found());
    }
    let form = Form {
        view: View::of(&portal, &permitted, &parts).await?,
        is_known: true,
        name,
        body: written.body(),
        problem: None,
    };
    put(&portal, &permitted, form).await
}

async fn put(
    portal: &Portal,
    permitted: &Permitted<Admin>,
    form: Form,
) -> Result<Response, Problem> {
    let put = portal
        .office
        .put_directory(permitted, &form.name, &form.body);
    match put.await {
        Ok(()) => {
            let back = table(permitted.organisation_name());
            done(portal, permitted, Notice::new("directory-set"), &back).await
        }
        Err(problem) if problem.status().is_client_error() => {
            let status = problem.status();
            let shown = page(&Form {
                problem: Some(problem),
                ..form
            })?;
            Ok((status, shown).into_response())
        }
        Err(problem) => Err(problem),
    }
}

async fn remove(
    State(portal): State<Portal>,
    Path((_, name)): Path<(String, String)>,
    Posted(permitted, Nothing {}): Posted<Admin, Nothing>,
) -> Result<Response, Problem> {
    portal.office.remove_directory(&permitted, &name).await?;
    let back = table(permitted.organisation_name());
    done(&portal, &permitted, Notice::new("directory-removed"), &back).await
}

fn table(organisation: &str) -> String {
    format!("/o/{organisation}/smime/directories")
}
