//! Calls about inbound routes, their mailboxes, and the ways out.

use axum::extract::{Path, State};
use sealgate_mail::{Address, Domain};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Portal;
use crate::api::json::Json;
use crate::auth::{Permitted, Read, Write};
use crate::limits::REFUSED_LINES;
use crate::office::Applied;
use crate::office::inbound::{
    Added, DomainWay, LineRefusal, NewRoute, NewServer, NewWayOut, Route, WaysOut,
};
use crate::office::mailboxes::BulkDone;
use crate::pages::inbound::list_of_mailboxes;
use crate::problem::{Problem, ProblemBody};

/// The calls.
pub fn router() -> OpenApiRouter<Portal> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(detail, edit, remove))
        .routes(routes!(ways))
        .routes(routes!(add_mailboxes))
        .routes(routes!(import))
        .routes(routes!(remove_mailboxes))
        .routes(routes!(ways_out))
        .routes(routes!(set_smarthost, remove_smarthost))
        .routes(routes!(set_way_out, remove_way_out))
}

#[derive(Deserialize)]
struct Named {
    route: String,
}

/// The inbound routes of an organisation, by name.
#[utoipa::path(
    get, path = "/organisations/{organisation}/routes", tag = "inbound",
    params(("organisation" = String, Path)),
    responses((status = 200, body = Vec<Route>), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn list(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
) -> Result<Json<Vec<Route>>, Problem> {
    Ok(Json(portal.office.routes(&permitted).await?))
}

/// Adds an inbound route.
#[utoipa::path(
    post, path = "/organisations/{organisation}/routes", tag = "inbound",
    params(("organisation" = String, Path)),
    request_body = NewRoute,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn add(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(route): Json<NewRoute>,
) -> Result<Json<Applied>, Problem> {
    Ok(Json(portal.office.add_route(&permitted, route).await?))
}

/// One inbound route.
#[utoipa::path(
    get, path = "/organisations/{organisation}/routes/{route}", tag = "inbound",
    params(("organisation" = String, Path), ("route" = String, Path)),
    responses((status = 200, body = Route), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn detail(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Path(named): Path<Named>,
) -> Result<Json<Route>, Problem> {
    Ok(Json(portal.office.route(&permitted, &named.route).await?))
}

/// An inbound route without its name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RouteBody {
    /// Its domains. Known mailboxes of domains that it loses go, and the certificates of active ones are revoked.
    #[schema(value_type = Vec<String>)]
    domains: Vec<Domain>,
    /// The organisation's mail server.
    target: NewServer,
    /// Whether every address is accepted that the server accepts.
    #[serde(default)]
    wildcard: bool,
}

/// Gives an inbound route other domains, another server or another wildcard. Where many mailboxes go with domains, that is bulk
/// work.
#[utoipa::path(
    put, path = "/organisations/{organisation}/routes/{route}", tag = "inbound",
    params(("organisation" = String, Path), ("route" = String, Path)),
    request_body = RouteBody,
    responses((status = 200, body = BulkDone), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn edit(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path(named): Path<Named>,
    Json(body): Json<RouteBody>,
) -> Result<Json<BulkDone>, Problem> {
    let route = NewRoute {
        name: named.route,
        domains: body.domains,
        target: body.target,
        wildcard: body.wildcard,
    };
    Ok(Json(portal.office.edit_route(&permitted, route).await?))
}

/// Removes an inbound route with its mailboxes; the certificates of active ones are revoked. Where they are many, that is bulk
/// work.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/routes/{route}", tag = "inbound",
    params(("organisation" = String, Path), ("route" = String, Path)),
    responses((status = 200, body = BulkDone), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn remove(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path(named): Path<Named>,
) -> Result<Json<BulkDone>, Problem> {
    let office = &portal.office;
    Ok(Json(office.remove_route(&permitted, &named.route).await?))
}

/// How the domains of a route stand.
#[derive(Serialize, ToSchema)]
struct Ways {
    /// The first of its domains.
    domains: Vec<DomainWay>,
    /// Names that their MX records should have.
    names: Vec<String>,
}

/// Whether the MX records of a route's domains point here; the first twenty are asked about.
#[utoipa::path(
    get, path = "/organisations/{organisation}/routes/{route}/domains", tag = "inbound",
    params(("organisation" = String, Path), ("route" = String, Path)),
    responses((status = 200, body = Ways), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn ways(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Path(named): Path<Named>,
) -> Result<Json<Ways>, Problem> {
    let office = &portal.office;
    let (domains, names) = office.domain_ways(&permitted, &named.route).await?;
    let names = names.iter().map(|name| name.as_str().to_owned()).collect();
    Ok(Json(Ways { domains, names }))
}

/// Mailboxes by their addresses.
#[derive(Deserialize, ToSchema)]
struct MailboxList {
    /// Addresses.
    #[schema(value_type = Vec<String>)]
    mailboxes: Vec<Address>,
}

/// Adds known mailboxes to a route, all or none.
#[utoipa::path(
    post, path = "/organisations/{organisation}/routes/{route}/mailboxes", tag = "inbound",
    params(("organisation" = String, Path), ("route" = String, Path)),
    request_body = MailboxList,
    responses((status = 200, body = Added), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn add_mailboxes(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path(named): Path<Named>,
    Json(list): Json<MailboxList>,
) -> Result<Json<Added>, Problem> {
    let office = &portal.office;
    let added = office.add_mailboxes(&permitted, &named.route, list.mailboxes);
    Ok(Json(added.await?))
}

/// A list of mailboxes in CSV.
#[derive(Deserialize, ToSchema)]
struct ImportBody {
    /// One column `address`, or the columns `name` and `domain`; with a line of names or without. At most 50,000 lines.
    csv: String,
    /// Whether the new mailboxes are added; else it is only told what would be.
    #[serde(default)]
    apply: bool,
}

/// What a list of mailboxes does.
#[derive(Serialize, ToSchema)]
struct Imported {
    /// Mailboxes that are new.
    new: u64,
    /// Those that are known already.
    known: u64,
    /// Lines that cannot be taken.
    refused: u64,
    /// The first of them.
    lines: Vec<RefusedLineBody>,
    /// What was made of the change; none if nothing was added.
    applied: Option<Applied>,
}

/// A line that cannot be taken.
#[derive(Serialize, ToSchema)]
struct RefusedLineBody {
    /// Its number, 1 first.
    line: u64,
    /// Its text.
    text: String,
    /// Why not.
    why: LineRefusal,
}

/// Adds the mailboxes of a list in CSV to a route, those of lines that can be taken, all or none.
#[utoipa::path(
    post, path = "/organisations/{organisation}/routes/{route}/import", tag = "inbound",
    params(("organisation" = String, Path), ("route" = String, Path)),
    request_body = ImportBody,
    responses((status = 200, body = Imported), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn import(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path(named): Path<Named>,
    Json(body): Json<ImportBody>,
) -> Result<Json<Imported>, Problem> {
    let office = &portal.office;
    let lines = list_of_mailboxes::read(body.csv.as_bytes())?;
    let preview = office.preview(&permitted, &named.route, lines).await?;
    let shown = preview.refused.iter().take(REFUSED_LINES);
    let line = |line: &crate::office::inbound::RefusedLine| RefusedLineBody {
        line: line.line,
        text: line.text.clone(),
        why: line.why,
    };
    let mut imported = Imported {
        new: preview.new.len() as u64,
        known: preview.known,
        refused: preview.refused.len() as u64,
        lines: shown.map(line).collect(),
        applied: None,
    };
    if body.apply && !preview.new.is_empty() {
        let added = office.add_mailboxes(&permitted, &named.route, preview.new);
        imported.applied = Some(added.await?.applied);
    }
    Ok(Json(imported))
}

/// Removes known mailboxes; the certificates of active ones are revoked, key rings stay.
#[utoipa::path(
    post, path = "/organisations/{organisation}/mailboxes/remove", tag = "inbound",
    params(("organisation" = String, Path)),
    request_body = MailboxList,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn remove_mailboxes(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(list): Json<MailboxList>,
) -> Result<Json<Applied>, Problem> {
    let office = &portal.office;
    let done = office.remove_mailboxes(&permitted, list.mailboxes).await;
    Ok(Json(done?))
}

/// How mail leaves.
#[utoipa::path(
    get, path = "/organisations/{organisation}/outbound", tag = "inbound",
    params(("organisation" = String, Path)),
    responses((status = 200, body = WaysOut), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("read")))
)]
async fn ways_out(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
) -> Result<Json<WaysOut>, Problem> {
    Ok(Json(portal.office.ways_out(&permitted).await?))
}

/// Sets the server for mail to all domains without a destination of their own.
#[utoipa::path(
    put, path = "/organisations/{organisation}/outbound/smarthost", tag = "inbound",
    params(("organisation" = String, Path)),
    request_body = NewServer,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn set_smarthost(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Json(server): Json<NewServer>,
) -> Result<Json<Applied>, Problem> {
    let office = &portal.office;
    Ok(Json(office.set_smarthost(&permitted, Some(server)).await?))
}

/// Mail leaves to the servers that the MX records of its domain name.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/outbound/smarthost", tag = "inbound",
    params(("organisation" = String, Path)),
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn remove_smarthost(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
) -> Result<Json<Applied>, Problem> {
    Ok(Json(portal.office.set_smarthost(&permitted, None).await?))
}

#[derive(Deserialize)]
struct To {
    domain: String,
}

impl To {
    fn domain(&self) -> Result<Domain, Problem> {
        Domain::parse(&self.domain).map_err(|_| Problem::not_found())
    }
}

/// Sets how mail to one domain leaves.
#[utoipa::path(
    put, path = "/organisations/{organisation}/outbound/destinations/{domain}", tag = "inbound",
    params(("organisation" = String, Path), ("domain" = String, Path)),
    request_body = NewWayOut,
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn set_way_out(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path(to): Path<To>,
    Json(way): Json<NewWayOut>,
) -> Result<Json<Applied>, Problem> {
    let (office, domain) = (&portal.office, to.domain()?);
    Ok(Json(office.set_way_out(&permitted, domain, way).await?))
}

/// Mail to one domain leaves like all other mail again.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/outbound/destinations/{domain}", tag = "inbound",
    params(("organisation" = String, Path), ("domain" = String, Path)),
    responses((status = 200, body = Applied), (status = "4XX", body = ProblemBody)),
    extensions(("x-permission" = json!("write")))
)]
async fn remove_way_out(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path(to): Path<To>,
) -> Result<Json<Applied>, Problem> {
    let office = &portal.office;
    Ok(Json(office.remove_way_out(&permitted, to.domain()?).await?))
}
