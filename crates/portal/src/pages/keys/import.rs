//! Importing correspondents' certificates by hand (S85, S86): a file, a look at what is in it, and only then the import.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{table, told_imported};
use crate::Portal;
use crate::auth::{Posted, Uploaded, Write};
use crate::lang::key;
use crate::office::keys::{ImportProblem, OfferedKey};
use crate::problem::Problem;
use crate::view::{View, Visit, done, page};

#[derive(Template)]
#[template(path = "keys/import.html")]
struct Import {
    view: View,
    offered: Vec<OfferedKey>,
    problem: Option<Problem>,
}

impl Import {
    /// How many can be imported.
    fn good(&self) -> usize {
        let good = self.offered.iter().filter(|one| one.refusal.is_none());
        good.count()
    }

    /// Those that can be imported, one after the other.
    fn pem(&self) -> String {
        let good = self.offered.iter().filter(|one| one.refusal.is_none());
        good.map(|one| one.pem.as_str()).collect()
    }

    /// Why one cannot be imported, as a key of the catalogues.
    const fn why(problem: ImportProblem) -> &'static str {
        match problem {
            ImportProblem::NoAddress => key("key-refused-no-address"),
            ImportProblem::Domain => key("key-refused-domain"),
            ImportProblem::Authority => key("key-refused-authority"),
            ImportProblem::Purpose => key("key-refused-purpose"),
            ImportProblem::Usage => key("key-refused-usage"),
            ImportProblem::Weak => key("key-refused-weak"),
        }
    }
}

/// The form.
pub async fn ask(visit: Visit<Write>) -> Result<Response, Problem> {
    page(&Import {
        view: visit.view,
        offered: Vec::new(),
        problem: None,
    })
}

/// What is in the file.
pub async fn look(
    State(portal): State<Portal>,
    parts: Parts,
    uploaded: Uploaded<Write>,
) -> Result<Response, Problem> {
    let permitted = &uploaded.permitted;
    let view = View::of(&portal, permitted, &parts).await?;
    let file = uploaded.octets("file").filter(|file| !file.is_empty());
    let pasted = uploaded.octets("text").filter(|text| !text.is_empty());
    let found = match file.or(pasted) {
        Some(octets) => portal.office.offered_keys(permitted, octets).await,
        None => Err(Problem::new("nothing-uploaded")),
    };
    match found {
        Ok(offered) => page(&Import {
            view,
            offered,
            problem: None,
        }),
        Err(problem) if problem.status().is_client_error() => {
            let status = problem.status();
            let shown = page(&Import {
                view,
                offered: Vec::new(),
                problem: Some(problem),
            })?;
            Ok((status, shown).into_response())
        }
        Err(problem) => Err(problem),
    }
}

/// The certificates that were looked at.
#[derive(Deserialize)]
pub struct Confirmed {
    certificates: String,
}

/// The import.
pub async fn confirm(
    State(portal): State<Portal>,
    parts: Parts,
    Posted(permitted, confirmed): Posted<Write, Confirmed>,
) -> Result<Response, Problem> {
    let file = confirmed.certificates.as_bytes();
    match portal.office.import_keys(&permitted, file).await {
        Ok(result) => {
            let back = table(permitted.organisation_name());
            done(&portal, &permitted, told_imported(&result), &back).await
        }
        Err(problem) if problem.code == "key-not-imported" => {
            let shown = page(&Import {
                view: View::of(&portal, &permitted, &parts).await?,
                offered: Vec::new(),
                problem: Some(problem),
            })?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
        }
        Err(problem) => Err(problem),
    }
}
