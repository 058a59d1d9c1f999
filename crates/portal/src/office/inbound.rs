//! Inbound routes with their domains and known mailboxes, and how mail leaves (requirements.md S18 to S24).

use std::collections::BTreeMap;

use async_trait::async_trait;
use sealgate_core::queue::TlsRequirement;
use sealgate_mail::{Address, Domain};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::mailboxes::BulkDone;
use super::{Applied, Asked};
use crate::auth::{Permitted, Read, Write};
use crate::problem::Titles;

/// An inbound route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Route {
    /// Its name, unique in the organisation.
    pub name: String,
    /// Its domains.
    #[schema(value_type = Vec<String>)]
    pub domains: Vec<Domain>,
    /// The organisation's mail server.
    pub target: Server,
    /// Whether every address is accepted that the server accepts. Mailboxes that only this covers are not displayed (S22).
    pub wildcard: bool,
    /// Its known mailboxes.
    pub mailboxes: u64,
    /// Of these, active ones.
    pub active: u64,
}

/// A mail server; its password is never shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Server {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// `opportunistic`, `required` or `verified`.
    #[schema(value_type = String)]
    pub tls: TlsRequirement,
    /// The user name it is signed in with.
    pub user: Option<String>,
}

/// A mail server as it is to be.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewServer {
    /// Name or address.
    pub host: String,
    /// TCP port; 25 if absent.
    #[serde(default = "smtp_port")]
    pub port: u16,
    /// `opportunistic` (if absent), `required` or `verified`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub tls: TlsRequirement,
    /// The user name to sign in with.
    #[serde(default)]
    pub user: Option<String>,
    /// Its password; as before if absent.
    #[serde(default)]
    #[schema(format = Password, write_only)]
    pub password: Option<String>,
}

impl std::fmt::Debug for NewServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewServer({}:{})", self.host, self.port)
    }
}

/// The port of SMTP (RFC 5321 section 4.5.4.2).
pub const fn smtp_port() -> u16 {
    25
}

/// An inbound route as it is to be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRoute {
    /// Its name.
    pub name: String,
    /// Its domains.
    #[schema(value_type = Vec<String>)]
    pub domains: Vec<Domain>,
    /// The organisation's mail server.
    pub target: NewServer,
    /// Whether every address is accepted that the server accepts.
    #[serde(default)]
    pub wildcard: bool,
}

/// How a domain stands with what S18 asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DomainWay {
    /// The domain.
    #[schema(value_type = String)]
    pub domain: Domain,
    /// Whether its MX record points here.
    pub mx: MxState,
    /// What was found, if it does not.
    pub found: Option<String>,
    /// The same in all languages.
    pub founds: Option<Titles>,
}

/// Whether a domain's MX record points here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MxState {
    /// It does.
    Met,
    /// It does not.
    NotMet,
    /// Nobody could say now.
    Unknown,
}

/// What goes with a route, or with domains that it loses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct GoesAlong {
    /// Known mailboxes that go.
    pub mailboxes: u64,
    /// Of these, active ones: their certificates are revoked.
    pub certificates: u64,
}

/// What came of adding many mailboxes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Added {
    /// How many were added.
    pub added: u64,
    /// How many were known before.
    pub known: u64,
    /// What was made of the change.
    #[serde(flatten)]
    pub applied: Applied,
}

/// What a list of mailboxes would do.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// Mailboxes that are new.
    pub new: Vec<Address>,
    /// How many are known already.
    pub known: u64,
    /// Lines that cannot be taken, each with its number and why.
    pub refused: Vec<RefusedLine>,
}

/// A line of a list that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedLine {
    /// Its number, 1 first.
    pub line: u64,
    /// Its text.
    pub text: String,
    /// Why not.
    pub why: LineRefusal,
}

/// Why a line of a list cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LineRefusal {
    /// It is no address.
    NoAddress,
    /// Its domain is not of this route.
    OtherDomain,
    /// The same mailbox stands on a line before.
    Twice,
}

/// How mail leaves.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WaysOut {
    /// The server for all domains without a destination of their own; the MX records of each if none.
    pub smarthost: Option<Server>,
    /// Destinations of their own, by domain.
    #[schema(value_type = BTreeMap<String, WayOut>)]
    pub destinations: BTreeMap<Domain, WayOut>,
}

/// How mail to one domain leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WayOut {
    /// The server; as for all other mail if none.
    pub server: Option<Server>,
    /// Least TLS: `opportunistic`, `required` or `verified`.
    #[schema(value_type = String)]
    pub tls: TlsRequirement,
}

/// How mail to one domain is to leave.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWayOut {
    /// The server; as for all other mail if absent.
    #[serde(default)]
    pub server: Option<NewServer>,
    /// Least TLS; `opportunistic` if absent.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub tls: TlsRequirement,
}

/// Questions and orders about inbound routes, their mailboxes, and the ways out.
#[async_trait]
pub trait Inbound {
    /// All inbound routes, by name.
    async fn routes(&self, who: &Permitted<Read>) -> Asked<Vec<Route>>;

    /// The route of that name.
    async fn route(&self, who: &Permitted<Read>, name: &str) -> Asked<Route>;

    /// How the domains of a route stand (S18), and the names that their MX records should have.
    async fn domain_ways(
        &self,
        who: &Permitted<Read>,
        name: &str,
    ) -> Asked<(Vec<DomainWay>, Vec<Domain>)>;

    /// Adds a route of a name that is free.
    async fn add_route(&self, who: &Permitted<Write>, route: NewRoute) -> Asked<Applied>;

    /// Gives a route other domains, another server or another wildcard.
    async fn edit_route(&self, who: &Permitted<Write>, route: NewRoute) -> Asked<BulkDone>;

    /// What would go with a route that keeps only `domains`.
    async fn goes_along(
        &self,
        who: &Permitted<Read>,
        name: &str,
        domains: &[Domain],
    ) -> Asked<GoesAlong>;

    /// Removes a route with its mailboxes.
    async fn remove_route(&self, who: &Permitted<Write>, name: &str) -> Asked<BulkDone>;

    /// What adding the mailboxes of a list to a route would do; each with the number of its line and its text.
    async fn preview(
        &self,
        who: &Permitted<Write>,
        name: &str,
        lines: Vec<(u64, String)>,
    ) -> Asked<Preview>;

    /// Adds known mailboxes to a route, all or none.
    async fn add_mailboxes(
        &self,
        who: &Permitted<Write>,
        name: &str,
        mailboxes: Vec<Address>,
    ) -> Asked<Added>;

    /// Removes known mailboxes; certificates of active ones are revoked, key rings stay.
    async fn remove_mailboxes(
        &self,
        who: &Permitted<Write>,
        mailboxes: Vec<Address>,
    ) -> Asked<Applied>;

    /// How mail leaves.
    async fn ways_out(&self, who: &Permitted<Read>) -> Asked<WaysOut>;

    /// Sets the server for all other mail; the MX records of each domain if none.
    async fn set_smarthost(
        &self,
        who: &Permitted<Write>,
        server: Option<NewServer>,
    ) -> Asked<Applied>;

    /// Sets how mail to a domain leaves.
    async fn set_way_out(
        &self,
        who: &Permitted<Write>,
        domain: Domain,
        way: NewWayOut,
    ) -> Asked<Applied>;

    /// Mail to a domain leaves like all other mail again.
    async fn remove_way_out(&self, who: &Permitted<Write>, domain: Domain) -> Asked<Applied>;
}
