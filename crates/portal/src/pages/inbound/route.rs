//! One inbound route: how its domains stand, its known mailboxes, lists of them in and out.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::request::Parts;
use axum::response::Response;
use sealgate_core::tenant::MailboxState;
use sealgate_mail::{Address, Domain};
use serde::Deserialize;

use super::super::mailboxes::{StateLine, addresses, one_by_one};
use super::super::segment;
use super::{Named, list_of_mailboxes, place, server_line};
use crate::Portal;
use crate::auth::{Permitted, Posted, Read, Uploaded, Write};
use crate::export::{self, Lines, Sheet, Table};
use crate::lang::key;
use crate::limits::REFUSED_LINES;
use crate::office::inbound::{DomainWay, LineRefusal, MxState, Preview, RefusedLine, Route};
use crate::office::mailboxes::{Mailbox, MailboxFilter};
use crate::office::{Page, Paging};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::shapes;
use crate::view::{Notice, View, Visit, done, next_page, page};

/// The routes.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        get::<Read, _, _>("/o/{organisation}/inbound/routes/{route}", detail),
        get::<Read, _, _>(
            "/o/{organisation}/inbound/routes/{route}/mailboxes.csv",
            export,
        ),
        post::<Write, _, _>("/o/{organisation}/inbound/routes/{route}/mailboxes", add),
        post::<Write, _, _>(
            "/o/{organisation}/inbound/routes/{route}/mailboxes/remove",
            remove,
        ),
        post::<Write, _, _>("/o/{organisation}/inbound/routes/{route}/import", import),
    ]
}

#[derive(Template)]
#[template(path = "inbound/route.html")]
struct Detail {
    view: View,
    route: Route,
    ways: Vec<DomainWay>,
    /// Names that the MX records should have.
    names: Vec<Domain>,
    filter: RouteFilter,
    mailboxes: Page<Mailbox>,
    work_goes_on: bool,
    at: String,
    first: Option<String>,
    next: Option<String>,
}

impl Detail {
    fn server(&self) -> String {
        server_line(&self.view, &self.route.target)
    }

    fn names(&self) -> String {
        let names = self.names.iter().map(Domain::to_unicode);
        names.collect::<Vec<_>>().join(", ")
    }

    fn mx(&self, way: &DomainWay) -> (&'static str, String) {
        let (shape, key) = match way.mx {
            MxState::Met => (shapes::GOOD, key("inbound-mx-met")),
            MxState::NotMet => (shapes::WARN, key("inbound-mx-not-met")),
            MxState::Unknown => (shapes::OFF, key("inbound-mx-unknown")),
        };
        (shape, self.view.t(key))
    }

    fn points_here(&self, way: &DomainWay) -> bool {
        way.mx == MxState::Met
    }

    fn word(&self, mailbox: &Mailbox) -> &'static str {
        StateLine::word(&self.view, mailbox)
    }

    fn shape(&self, mailbox: &Mailbox) -> &'static str {
        StateLine::shape(mailbox)
    }

    fn mailbox_at(&self, mailbox: &Mailbox) -> String {
        let mailbox = segment(&mailbox.address.to_string());
        self.view.here(&format!("smime/mailboxes/{mailbox}"))
    }

    fn state_code(&self, mailbox: &Mailbox) -> &'static str {
        match mailbox.state {
            MailboxState::Active => "active",
            _ => "other",
        }
    }
}

/// Which mailboxes of the route.
#[derive(Clone, Debug, Default, Deserialize, serde::Serialize)]
#[serde(default)]
struct RouteFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<String>,
}

fn of_route(route: &str, search: Option<String>) -> MailboxFilter {
    MailboxFilter {
        route: Some(route.to_owned()),
        search,
        ..MailboxFilter::default()
    }
}

async fn detail(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Path(named): Path<Named>,
    Query(filter): Query<RouteFilter>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let (office, permitted) = (&portal.office, &visit.permitted);
    let route = office.route(permitted, &named.route).await?;
    let (ways, names) = office.domain_ways(permitted, &named.route).await?;
    let wanted = of_route(&route.name, filter.search.clone());
    let mailboxes = office.mailboxes(permitted, &wanted, &paging).await?;
    let (first, next) = next_page(&visit.view, &filter, &paging, &mailboxes);
    let bulk_work = office.bulk_work_news(permitted).await?;
    page(&Detail {
        at: place(permitted, &route.name),
        work_goes_on: bulk_work.iter().any(|work| work.ended.is_none()),
        view: visit.view,
        route,
        ways,
        names,
        filter,
        mailboxes,
        first,
        next,
    })
}

/// All known mailboxes of a route as a CSV file.
async fn export(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Path(named): Path<Named>,
) -> Result<Response, Problem> {
    let office = &portal.office;
    let route = office.route(&permitted, &named.route).await?;
    let filter = of_route(&route.name, None);
    let sheet = Sheet {
        name: &format!("mailboxes-{}.csv", route.name),
        columns: &[
            "address",
            "name",
            "domain",
            "state",
            "certificate",
            "valid-until",
        ],
    };
    let (own, who) = (portal.clone(), permitted.clone());
    export::answer(&portal, &permitted, sheet, move |paging| {
        let (own, who, filter) = (own.clone(), who.clone(), filter.clone());
        async move {
            let page = own.office.mailboxes(&who, &filter, &paging).await?;
            Ok(Lines::of(page, |mailbox| line(&mailbox).to_vec()))
        }
    })
    .await
}

fn line(mailbox: &Mailbox) -> [String; 6] {
    let certificate = mailbox.certificate.map(|id| id.to_string());
    let state = match mailbox.state {
        MailboxState::Inactive => "inactive",
        MailboxState::ActivationPending => "activation-pending",
        MailboxState::Active => "active",
        MailboxState::RevokePending => "revoke-pending",
    };
    [
        mailbox.address.to_string(),
        mailbox.name.clone(),
        mailbox.domain.clone(),
        state.to_owned(),
        certificate.unwrap_or_default(),
        mailbox.expires.map(|at| at.0.rfc3339()).unwrap_or_default(),
    ]
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct New {
    addresses: String,
}

async fn add(
    State(portal): State<Portal>,
    Path(named): Path<Named>,
    Posted(permitted, form): Posted<Write, New>,
) -> Result<Response, Problem> {
    let mailboxes = addresses(&form.addresses)?;
    let added = portal
        .office
        .add_mailboxes(&permitted, &named.route, mailboxes)
        .await?;
    let notice = told(added.added, added.known);
    done(
        &portal,
        &permitted,
        notice,
        &place(&permitted, &named.route),
    )
    .await
}

fn told(added: u64, known: u64) -> Notice {
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    Notice::new("inbound-mailboxes-added")
        .number("count", number(added))
        .number("known", number(known))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Ticked {
    mailbox: Vec<Address>,
    confirmed: bool,
}

#[derive(Template)]
#[template(path = "inbound/remove.html")]
struct Remove {
    view: View,
    mailboxes: Vec<Address>,
    at: String,
}

async fn remove(
    State(portal): State<Portal>,
    parts: Parts,
    Path(named): Path<Named>,
    Posted(permitted, ticked): Posted<Write, Ticked>,
) -> Result<Response, Problem> {
    if ticked.mailbox.is_empty() {
        return Err(Problem::new("nothing-chosen"));
    }
    let at = place(&permitted, &named.route);
    if !ticked.confirmed {
        return page(&Remove {
            view: View::of(&portal, &permitted, &parts).await?,
            mailboxes: ticked.mailbox,
            at,
        });
    }
    let count = ticked.mailbox.len();
    let removed = portal.office.remove_mailboxes(&permitted, ticked.mailbox);
    let notice = Notice::new("inbound-mailboxes-removed");
    let notice = one_by_one(notice, count, &removed.await?);
    done(&portal, &permitted, notice, &at).await
}

#[derive(Template)]
#[template(path = "inbound/import.html")]
struct Import {
    view: View,
    preview: Preview,
    shown: Vec<RefusedLine>,
    /// The mailboxes that are new, one a line: what the button sends.
    list: String,
    at: String,
}

impl Import {
    fn why(&self, line: &RefusedLine) -> String {
        self.view.t(match line.why {
            LineRefusal::NoAddress => key("inbound-line-address"),
            LineRefusal::OtherDomain => key("inbound-line-domain"),
            LineRefusal::Twice => key("inbound-line-twice"),
        })
    }
}

/// First shows what a list would do; what is confirmed then is added, all or nothing.
async fn import(
    State(portal): State<Portal>,
    parts: Parts,
    Path(named): Path<Named>,
    uploaded: Uploaded<Write>,
) -> Result<Response, Problem> {
    let (office, permitted) = (&portal.office, &uploaded.permitted);
    let at = place(permitted, &named.route);
    if let Some(list) = uploaded.octets("list") {
        let lines = list_of_mailboxes::read(list)?;
        let preview = office.preview(permitted, &named.route, lines).await?;
        let known = preview.known;
        let added = office.add_mailboxes(permitted, &named.route, preview.new);
        return done(&portal, permitted, told(added.await?.added, known), &at).await;
    }
    let file = uploaded.octets("file").unwrap_or_default();
    if file.is_empty() {
        return Err(Problem::new("nothing-chosen-file"));
    }
    let lines = list_of_mailboxes::read(file)?;
    let preview = office.preview(permitted, &named.route, lines).await?;
    let mut list = Table::with_columns(&["address"])?;
    for address in &preview.new {
        list.line(&[address.to_string()])?;
    }
    page(&Import {
        view: View::of(&portal, permitted, &parts).await?,
        list: list.text()?,
        shown: preview
            .refused
            .iter()
            .take(REFUSED_LINES)
            .cloned()
            .collect(),
        preview,
        at,
    })
}
