//! The overview of an organisation: what needs attention, with the way to where it is solved; then numbers over time.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use sealgate_core::journal::MailStatus;

use super::mails::Words;
use super::plots::{self, Lane};
use crate::Portal;
use crate::auth::Read;
use crate::lang::key;
use crate::office::overview::{
    Attention, FirstSteps, MailCounts, Overview, Span, StatisticsQuery, WeekEnding,
};
use crate::problem::Problem;
use crate::routes::{PageRoute, get};
use crate::shapes;
use crate::view::{View, Visit, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![get::<Read, _, _>("/o/{organisation}", overview)]
}

/// Something that needs attention, in a sentence.
struct Sentence {
    shape: &'static str,
    text: String,
    /// Where it is solved.
    to: String,
}

/// A thing to do first.
struct FirstStep {
    done: bool,
    /// Whether it is the first that is not done.
    is_next: bool,
    text: &'static str,
    /// What it is for.
    hint: &'static str,
    /// Where it is done, for who may.
    to: Option<String>,
}

#[derive(Template)]
#[template(path = "overview/overview.html")]
struct Page {
    words: Words,
    overview: Overview,
    sentences: Vec<Sentence>,
    first_steps: Vec<FirstStep>,
    span: Span,
    counts: Vec<MailCounts>,
    lanes: Vec<Lane>,
    weeks: Vec<WeekEnding>,
    ending: Lane,
    view: View,
}

impl Page {
    fn is_month(&self) -> bool {
        self.span == Span::Month
    }

    /// The statuses that were met, for the table.
    fn met(&self) -> Vec<MailStatus> {
        let met = |status: &MailStatus| self.counts.iter().any(|stretch| stretch.of(*status) > 0);
        MailStatus::ALL.into_iter().filter(met).collect()
    }

    fn of(&self, stretch: &MailCounts, status: &MailStatus) -> String {
        self.view.number(stretch.of(*status))
    }

    fn stretch(&self, stretch: &MailCounts) -> String {
        written(&self.view, self.span, stretch)
    }

    /// What stands below the first and the last bar of the mails.
    fn span_ends(&self) -> Option<(String, String)> {
        let (first, last) = (self.counts.first()?, self.counts.last()?);
        Some((self.stretch(first), self.stretch(last)))
    }

    /// What stands below the first and the last bar of the certificates.
    fn weeks_ends(&self) -> Option<(String, String)> {
        let (first, last) = (self.weeks.first()?, self.weeks.last()?);
        let date = |week: &WeekEnding| self.view.date(&week.from.0);
        Some((date(first), date(last)))
    }

    fn width(&self) -> usize {
        plots::WIDTH
    }

    fn height(&self) -> usize {
        plots::HEIGHT
    }
}

fn written(view: &View, span: Span, stretch: &MailCounts) -> String {
    match span {
        Span::Day => view.time(&stretch.from.0),
        Span::Month => view.date(&stretch.from.0),
    }
}

async fn overview(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Query(query): Query<StatisticsQuery>,
) -> Result<Response, Problem> {
    let (view, who) = (visit.view, &visit.permitted);
    let overview = portal.office.overview(who).await?;
    let counts = portal.office.mail_counts(who, query.span).await?;
    let weeks = portal.office.expiries_ahead(who).await?;
    let sentences = overview.attention.iter();
    page(&Page {
        words: Words(view.language),
        sentences: sentences.map(|one| sentence(&view, one)).collect(),
        first_steps: first_steps(&view, overview.first_steps),
        span: query.span,
        lanes: plots::mails(&view, &counts, |stretch| {
            written(&view, query.span, stretch)
        }),
        ending: plots::expiries(&view, &weeks),
        counts,
        weeks,
        overview,
        view,
    })
}

fn first_steps(view: &View, steps: FirstSteps) -> Vec<FirstStep> {
    if steps.done() {
        return Vec::new();
    }
    // Who may not do a step is told of it all the same, without the way there.
    let step = |done: bool, (text, hint): (&'static str, &'static str), place: &str| FirstStep {
        done,
        is_next: false,
        text,
        hint,
        to: match place {
            "clients" => view.may.admin,
            _ => view.may.write,
        }
        .then(|| view.here(place)),
    };
    let route = (key("first-route"), key("first-route-why"));
    let mailboxes = (key("first-mailboxes"), key("first-mailboxes-why"));
    let client = (key("first-client"), key("first-client-why"));
    let active = (key("first-active"), key("first-active-why"));
    let rule = (key("first-rule"), key("first-rule-why"));
    let mut all = vec![
        step(steps.route, route, "inbound"),
        step(steps.mailboxes, mailboxes, "inbound"),
        step(steps.client, client, "clients"),
        step(steps.active, active, "smime/mailboxes"),
        step(steps.rule, rule, "smime/rules"),
    ];
    if let Some(next) = all.iter_mut().find(|step| !step.done) {
        next.is_next = true;
    }
    all
}

fn sentence(view: &View, attention: &Attention) -> Sentence {
    let told = |shape: &'static str, text: String, place: &str| Sentence {
        shape,
        text,
        to: view.here(place),
    };
    match attention {
        Attention::FailedMails { recipients } => told(
            shapes::BAD,
            view.t1("attention-failed", "count", *recipients),
            "mails?status=failed",
        ),
        Attention::HeldMails { recipients, more } => {
            let key = match more {
                true => key("attention-held-more"),
                false => key("attention-held"),
            };
            told(shapes::WARN, view.t1(key, "count", *recipients), "held")
        }
        Attention::CertificatesEnding { mailboxes, first } => told(
            shapes::WARN,
            view.t2(
                "attention-certificates",
                ("count", *mailboxes),
                ("date", view.date(&first.0)),
            ),
            "certificates?within=30",
        ),
        Attention::OrdersFailed { orders } => told(
            shapes::BAD,
            view.t1("attention-orders", "count", *orders),
            "certificates/orders?show=failed",
        ),
        Attention::LicencesNearlyUsed { free, booked } => told(
            shapes::WARN,
            view.t2(
                "attention-licences",
                ("free", *free),
                ("booked", view.number(booked)),
            ),
            "smime/mailboxes",
        ),
        Attention::LicencesEnding { until } => told(
            shapes::WARN,
            view.t1("attention-term", "date", view.last_day(&until.0)),
            "smime/mailboxes",
        ),
        Attention::DomainsElsewhere { domains, first } => told(
            shapes::WARN,
            view.t2(
                "attention-domains",
                ("count", *domains),
                ("domain", first.as_str()),
            ),
            "domains",
        ),
        Attention::NewKeys { keys } => told(
            shapes::INFO,
            view.t1("attention-keys", "count", *keys),
            "smime/keys?state=new",
        ),
    }
}
