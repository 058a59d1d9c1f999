//! The simulator: a question in the address, so that it can be sent to a colleague, and the answer as the gateway gives it.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use sealgate_core::journal::Direction;

use crate::Portal;
use crate::auth::Read;
use crate::office::simulator::MailQuestion;
use crate::problem::Problem;
use crate::routes::{PageRoute, get};
use crate::shapes;
use crate::trace::{self, Kind, Step};
use crate::view::{View, Visit, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![get::<Read, _, _>(
        "/o/{organisation}/smime/rules/simulator",
        simulator,
    )]
}

#[derive(Template)]
#[template(path = "rules/simulator.html")]
struct Simulator {
    view: View,
    question: MailQuestion,
    why: Option<String>,
    steps: Vec<Step>,
    problem: Option<Problem>,
}

impl Simulator {
    /// The mark of a step: what did not decide is quiet, what did and what comes of it stand out.
    const fn shape(step: &Step) -> &'static str {
        match step.kind {
            Kind::PassedOver => shapes::OFF,
            Kind::DecidedBy => shapes::GOOD,
            Kind::Outcome => "is-chosen",
            Kind::Way | Kind::Fact | Kind::Source | Kind::Algorithms => "",
        }
    }
}

async fn simulator(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Query(question): Query<MailQuestion>,
) -> Result<Response, Problem> {
    let language = visit.view.language;
    let mut shown = Simulator {
        view: visit.view,
        question,
        why: None,
        steps: Vec::new(),
        problem: None,
    };
    if shown.question.managed.is_empty() && shown.question.external.is_empty() {
        return page(&shown);
    }
    match portal
        .office
        .simulate(&visit.permitted, &shown.question)
        .await
    {
        Ok(answer) => {
            shown.why = Some(trace::why(&answer.trace, language));
            shown.steps = trace::steps(&answer.trace, language);
        }
        Err(problem) if problem.status().is_client_error() => shown.problem = Some(problem),
        Err(problem) => return Err(problem),
    }
    page(&shown)
}
