//! Events, and the audit log.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::Portal;
use crate::auth::{Admin, Operate, Read};
use crate::office::records::{
    AuditChain, AuditFilter, AuditLine, AuditPage, Event, EventFilter, EventKind,
};
use crate::office::{Page, Paging};
use crate::problem::Problem;
use crate::routes::{PageRoute, get};
use crate::view::{View, Visit, next_page, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Read, _, _>("/o/{organisation}/events", events),
        get::<Admin, _, _>("/o/{organisation}/audit", audit),
        get::<Operate, _, _>("/system/audit", audit_of_all),
    ]
}

#[derive(Template)]
#[template(path = "records/events.html")]
struct Events {
    view: View,
    filter: EventFilter,
    kinds: Vec<EventKind>,
    events: Page<Event>,
    first: Option<String>,
    next: Option<String>,
}

async fn events(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Query(filter): Query<EventFilter>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let events = portal
        .office
        .events(&visit.permitted, &filter, &paging)
        .await?;
    let (first, next) = next_page(&visit.view, &filter, &paging, &events);
    page(&Events {
        kinds: portal.office.event_kinds(),
        view: visit.view,
        filter,
        events,
        first,
        next,
    })
}

#[derive(Template)]
#[template(path = "records/audit.html")]
struct Audit {
    view: View,
    filter: AuditFilter,
    lines: Page<AuditLine>,
    searched_to: Option<i64>,
    of_all: bool,
    chain: Option<AuditChain>,
    first: Option<String>,
    next: Option<String>,
}

async fn audit(
    State(portal): State<Portal>,
    visit: Visit<Admin>,
    Query(filter): Query<AuditFilter>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let found = portal.office.audit(&visit.permitted, &filter, &paging);
    let (lines, searched_to) = parts(found.await?);
    let (first, next) = next_page(&visit.view, &filter, &paging, &lines);
    page(&Audit {
        of_all: false,
        view: visit.view,
        filter,
        lines,
        searched_to,
        chain: None,
        first,
        next,
    })
}

fn parts(page: AuditPage) -> (Page<AuditLine>, Option<i64>) {
    let lines = Page {
        items: page.items,
        next: page.next,
    };
    (lines, page.searched_to)
}

/// Whether the whole chain is to be followed, which takes a while where the log is long.
#[derive(Deserialize)]
struct Check {
    #[serde(default)]
    check: bool,
}

async fn audit_of_all(
    State(portal): State<Portal>,
    visit: Visit<Operate>,
    Query(filter): Query<AuditFilter>,
    Query(paging): Query<Paging>,
    Query(check): Query<Check>,
) -> Result<Response, Problem> {
    let found = portal
        .office
        .audit_of_all(&visit.permitted, &filter, &paging);
    let (lines, searched_to) = parts(found.await?);
    let (first, next) = next_page(&visit.view, &filter, &paging, &lines);
    let chain = match check.check {
        true => Some(portal.office.audit_chain(&visit.permitted).await?),
        false => None,
    };
    page(&Audit {
        of_all: true,
        view: visit.view,
        filter,
        lines,
        searched_to,
        chain,
        first,
        next,
    })
}
