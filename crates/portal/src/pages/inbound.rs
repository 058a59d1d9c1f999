//! mail.security > Inbound: routes with their domains (S20 to S22), and how mail leaves.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::response::Response;
use sealgate_core::queue::TlsRequirement;
use sealgate_core::saying::Inputs;
use sealgate_mail::Domain;
use serde::Deserialize;

use super::{Confirmed, segment};
use crate::Portal;
use crate::auth::{Permitted, Posted, Read, Write};
use crate::lang::key;
use crate::office::inbound::{
    GoesAlong, NewRoute, NewServer, NewWayOut, Route, Server, WaysOut, smtp_port,
};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::view::{Notice, View, Visit, done, page};

pub mod list_of_mailboxes;
mod route;

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    let own = vec![
        get::<Read, _, _>("/o/{organisation}/inbound", list),
        get::<Write, _, _>("/o/{organisation}/inbound/new", new_form),
        post::<Write, _, _>("/o/{organisation}/inbound/new", add),
        get::<Write, _, _>("/o/{organisation}/inbound/routes/{route}/edit", edit_form),
        post::<Write, _, _>("/o/{organisation}/inbound/routes/{route}/edit", edit),
        post::<Write, _, _>("/o/{organisation}/inbound/routes/{route}/delete", remove),
        post::<Write, _, _>("/o/{organisation}/inbound/smarthost", smarthost),
        post::<Write, _, _>("/o/{organisation}/inbound/destinations", destination),
        post::<Write, _, _>(
            "/o/{organisation}/inbound/destinations/delete",
            remove_destination,
        ),
    ];
    own.into_iter().chain(route::routes()).collect()
}

/// The route in an address.
#[derive(Deserialize)]
struct Named {
    route: String,
}

/// Where the list is.
fn list_of<P>(permitted: &Permitted<P>) -> String {
    format!("/o/{}/inbound", permitted.organisation_name())
}

/// Where a route is.
fn place<P>(permitted: &Permitted<P>, route: &str) -> String {
    format!("{}/routes/{}", list_of(permitted), segment(route))
}

/// `mail.example.com:25`, and what is asked of its TLS.
fn server_line(view: &View, server: &Server) -> String {
    let tls = tls_word(view, server.tls);
    let at = format!("{}:{}", server.host, server.port);
    match &server.user {
        Some(user) => view.t2(
            "inbound-server-as",
            ("server", format!("{at}, {tls}")),
            ("user", user.as_str()),
        ),
        None => format!("{at}, {tls}"),
    }
}

fn tls_word(view: &View, tls: TlsRequirement) -> String {
    view.t(match tls {
        TlsRequirement::Opportunistic => key("inbound-tls-opportunistic"),
        TlsRequirement::Required => key("inbound-tls-required"),
        TlsRequirement::Verified => key("inbound-tls-verified"),
    })
}

#[derive(Template)]
#[template(path = "inbound/list.html")]
struct List {
    view: View,
    routes: Vec<Route>,
    ways: WaysOut,
}

impl List {
    fn at(&self, route: &Route) -> String {
        self.view
            .here(&format!("inbound/routes/{}", segment(&route.name)))
    }

    fn server(&self, server: &Server) -> String {
        server_line(&self.view, server)
    }

    fn tls(&self, tls: &TlsRequirement) -> String {
        tls_word(&self.view, *tls)
    }

    fn smarthost_tls(&self) -> Vec<TlsOption> {
        self.tls_options(self.ways.smarthost.as_ref().map(|server| &server.tls))
    }

    fn tls_options(&self, chosen: Option<&TlsRequirement>) -> Vec<TlsOption> {
        tls_options(&self.view, chosen.copied().unwrap_or_default())
    }
}

/// A choice of TLS.
struct TlsOption {
    word: &'static str,
    text: String,
    is_chosen: bool,
}

fn tls_options(view: &View, chosen: TlsRequirement) -> Vec<TlsOption> {
    let all = [
        TlsRequirement::Opportunistic,
        TlsRequirement::Required,
        TlsRequirement::Verified,
    ];
    let option = |tls: TlsRequirement| TlsOption {
        word: tls.as_str(),
        text: tls_word(view, tls),
        is_chosen: tls == chosen,
    };
    all.map(option).into()
}

async fn list(State(portal): State<Portal>, visit: Visit<Read>) -> Result<Response, Problem> {
    let routes = portal.office.routes(&visit.permitted).await?;
    let ways = portal.office.ways_out(&visit.permitted).await?;
    page(&List {
        view: visit.view,
        routes,
        ways,
    })
}

/// What the form of a route sends.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct RouteForm {
    name: String,
    domains: String,
    host: String,
    port: Option<String>,
    tls: TlsRequirement,
    user: String,
    password: String,
    wildcard: bool,
    /// How many mailboxes may go along, as far as that was asked.
    confirmed: u64,
}

impl RouteForm {
    fn of(route: &Route) -> Self {
        let domains: Vec<String> = route.domains.iter().map(Domain::to_unicode).collect();
        Self {
            name: route.name.clone(),
            domains: domains.join("\n"),
            host: route.target.host.clone(),
            port: Some(route.target.port.to_string()),
            tls: route.target.tls,
            user: route.target.user.clone().unwrap_or_default(),
            wildcard: route.wildcard,
            ..Self::default()
        }
    }

    fn route(&self) -> Result<NewRoute, Problem> {
        Ok(NewRoute {
            name: self.name.clone(),
            domains: domains(&self.domains)?,
            target: NewServer {
                host: self.host.clone(),
                port: port(self.port.as_deref())?,
                tls: self.tls,
                user: Some(self.user.clone()),
                password: Some(self.password.clone()),
            },
            wildcard: self.wildcard,
        })
    }
}

/// Domains that stand on lines, or between commas.
fn domains(text: &str) -> Result<Vec<Domain>, Problem> {
    let parts = text.split([',', ';', '\n', '\r', ' ']).map(str::trim);
    let domain = |part: &str| Domain::parse(part).map_err(|error| Problem::wrong("domains", error));
    parts.filter(|part| !part.is_empty()).map(domain).collect()
}

fn port(text: Option<&str>) -> Result<u16, Problem> {
    match text.map(str::trim).filter(|text| !text.is_empty()) {
        None => Ok(smtp_port()),
        Some(text) => {
            let read = text.parse();
            read.map_err(|_| {
                let most = u16::MAX.into();
                Problem::wrong("port", Inputs::Between { least: 1, most })
            })
        }
    }
}

#[derive(Template)]
#[template(path = "inbound/form.html")]
struct Form {
    view: View,
    form: RouteForm,
    is_new: bool,
    problem: Option<Problem>,
    /// Mailboxes that go with domains that the form takes away: to be confirmed.
    goes: Option<GoesAlong>,
    back: String,
}

impl Form {
    fn tls_options(&self) -> Vec<TlsOption> {
        tls_options(&self.view, self.form.tls)
    }

    /// What is wrong with a field, if that is it.
    fn wrong(&self, field: &str) -> Option<String> {
        let problem = self.problem.as_ref()?;
        let is_it = problem.field == Some(field);
        is_it.then(|| problem.told(self.view.language).unwrap_or_default())
    }
}

async fn new_form(State(_): State<Portal>, visit: Visit<Write>) -> Result<Response, Problem> {
    page(&Form {
        back: list_of(&visit.permitted),
        view: visit.view,
        form: RouteForm::default(),
        is_new: true,
        problem: None,
        goes: None,
    })
}

async fn add(
    State(portal): State<Portal>,
    parts: Parts,
    Posted(permitted, form): Posted<Write, RouteForm>,
) -> Result<Response, Problem> {
    let added = match form.route() {
        Ok(route) => portal.office.add_route(&permitted, route).await,
        Err(problem) => Err(problem),
    };
    match added {
        Ok(_) => {
            let at = place(&permitted, form.name.trim());
            let notice = Notice::new("inbound-added").text("route", form.name.trim());
            done(&portal, &permitted, notice, &at).await
        }
        Err(problem) => {
            let view = View::of(&portal, &permitted, &parts).await?;
            let back = list_of(&permitted);
            shown_again(view, (form, true), problem, back)
        }
    }
}

/// The form with what is wrong with it, if whoever sent it can do something about that.
fn shown_again(
    view: View,
    (form, is_new): (RouteForm, bool),
    problem: Problem,
    back: String,
) -> Result<Response, Problem> {
    use axum::response::IntoResponse;
    if !problem.status().is_client_error() {
        return Err(problem);
    }
    let status = problem.status();
    let page = page(&Form {
        view,
        form,
        is_new,
        problem: Some(problem),
        goes: None,
        back,
    })?;
    Ok((status, page).into_response())
}

async fn edit_form(
    State(portal): State<Portal>,
    visit: Visit<Write>,
    Path(named): Path<Named>,
) -> Result<Response, Problem> {
    let office = &portal.office;
    let route = office.route(&visit.permitted.reads(), &named.route).await?;
    page(&Form {
        back: place(&visit.permitted, &route.name),
        view: visit.view,
        form: RouteForm::of(&route),
        is_new: false,
        problem: None,
        goes: None,
    })
}

async fn edit(
    State(portal): State<Portal>,
    parts: Parts,
    Path(named): Path<Named>,
    Posted(permitted, form): Posted<Write, RouteForm>,
) -> Result<Response, Problem> {
    let form = RouteForm {
        name: named.route.clone(),
        ..form
    };
    let back = place(&permitted, &named.route);
    let edited = match form.route() {
        Ok(route) => {
            let goes = portal
                .office
                .goes_along(&permitted.reads(), &named.route, &route.domains)
                .await?;
            if goes.mailboxes > form.confirmed {
                let view = View::of(&portal, &permitted, &parts).await?;
                return page(&Form {
                    view,
                    form,
                    is_new: false,
                    problem: None,
                    goes: Some(goes),
                    back,
                });
            }
            portal.office.edit_route(&permitted, route).await
        }
        Err(problem) => Err(problem),
    };
    match edited {
        Ok(_) => {
            let notice = Notice::new("inbound-edited").text("route", &named.route);
            done(&portal, &permitted, notice, &back).await
        }
        Err(problem) => {
            let view = View::of(&portal, &permitted, &parts).await?;
            shown_again(view, (form, false), problem, back)
        }
    }
}

#[derive(Template)]
#[template(path = "inbound/delete.html")]
struct Delete {
    view: View,
    route: Route,
    at: String,
}

async fn remove(
    State(portal): State<Portal>,
    parts: Parts,
    Path(named): Path<Named>,
    Posted(permitted, form): Posted<Write, Confirmed>,
) -> Result<Response, Problem> {
    let office = &portal.office;
    if !form.confirmed {
        let route = office.route(&permitted.reads(), &named.route).await?;
        return page(&Delete {
            view: View::of(&portal, &permitted, &parts).await?,
            at: place(&permitted, &route.name),
            route,
        });
    }
    let bulk = office.remove_route(&permitted, &named.route).await?;
    let notice = match bulk.goes_on {
        Some(_) => Notice::new("inbound-removal-goes-on"),
        None => Notice::new("inbound-removed"),
    };
    let notice = notice.text("route", &named.route);
    done(&portal, &permitted, notice, &list_of(&permitted)).await
}

/// A server in a form; none without a host.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ServerForm {
    domain: String,
    host: String,
    port: Option<String>,
    tls: TlsRequirement,
    user: String,
    password: String,
}

impl ServerForm {
    fn server(&self) -> Result<Option<NewServer>, Problem> {
        if self.host.trim().is_empty() {
            return Ok(None);
        }
        Ok(Some(NewServer {
            host: self.host.clone(),
            port: port(self.port.as_deref())?,
            tls: self.tls,
            user: Some(self.user.clone()),
            password: Some(self.password.clone()),
        }))
    }

    fn domain(&self) -> Result<Domain, Problem> {
        Domain::parse(self.domain.trim()).map_err(|error| Problem::wrong("domain", error))
    }
}

async fn smarthost(
    State(portal): State<Portal>,
    Posted(permitted, form): Posted<Write, ServerForm>,
) -> Result<Response, Problem> {
    let server = form.server()?;
    let notice = match &server {
        Some(server) => Notice::new("inbound-smarthost-set").text("server", &server.host),
        None => Notice::new("inbound-smarthost-none"),
    };
    portal.office.set_smarthost(&permitted, server).await?;
    done(&portal, &permitted, notice, &list_of(&permitted)).await
}

async fn destination(
    State(portal): State<Portal>,
    Posted(permitted, form): Posted<Write, ServerForm>,
) -> Result<Response, Problem> {
    let domain = form.domain()?;
    let way = NewWayOut {
        server: form.server()?,
        tls: form.tls,
    };
    let notice = Notice::new("inbound-destination-set").text("domain", domain.to_unicode());
    portal.office.set_way_out(&permitted, domain, way).await?;
    done(&portal, &permitted, notice, &list_of(&permitted)).await
}

async fn remove_destination(
    State(portal): State<Portal>,
    Posted(permitted, form): Posted<Write, ServerForm>,
) -> Result<Response, Problem> {
    let domain = form.domain()?;
    let notice = Notice::new("inbound-destination-removed").text("domain", domain.to_unicode());
    portal.office.remove_way_out(&permitted, domain).await?;
    done(&portal, &permitted, notice, &list_of(&permitted)).await
}
