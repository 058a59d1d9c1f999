//! Inbound routes: add, remove, list.

use super::{Admin, domain, hop_words, word, yes_no};
use crate::cmd::{Cli, Done, Failure, OrganisationArg, Output, table};
use clap::{Args, Subcommand};
use sealgate_core::change::Change;
use sealgate_core::queue::{NextHop, Reach, TlsRequirement};
use sealgate_core::tenant::InboundRoute;
use sealgate_mail::Domain;

/// Verbs for inbound routes.
#[derive(Debug, Subcommand)]
pub enum RouteCommand {
    /// Add an inbound route, or replace the one of that name.
    Add(RouteAdd),
    /// Remove an inbound route with its mailboxes.
    Remove {
        /// Its name.
        name: String,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// List inbound routes.
    List {
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
}

/// An inbound route on the command line.
#[derive(Debug, Args)]
pub struct RouteAdd {
    /// Its name.
    name: String,
    /// Its domains.
    #[arg(long = "domain", required = true, value_name = "DOMAIN", value_parser = domain)]
    domains: Vec<Domain>,
    /// The organisation's mail server.
    #[arg(long)]
    host: String,
    /// Its port.
    #[arg(long, default_value_t = 25)]
    port: u16,
    /// TLS to it: opportunistic, required or verified.
    #[arg(long, default_value = "opportunistic", value_parser = word::<TlsRequirement>)]
    tls: TlsRequirement,
    /// Accept any address that the server accepts.
    #[arg(long)]
    wildcard: bool,
    /// Organisation.
    #[command(flatten)]
    organisation: OrganisationArg,
}

/// Carries out a verb for inbound routes.
pub async fn route(cli: &Cli, command: &RouteCommand, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    match command {
        RouteCommand::Add(add) => {
            let target = NextHop::Host {
                host: add.host.clone(),
                port: add.port,
                tls: add.tls,
                credentials: None,
                reach: Reach::Everywhere,
            };
            let route = InboundRoute {
                name: add.name.clone(),
                domains: add.domains.clone(),
                target,
                wildcard: add.wildcard,
            };
            admin
                .one(&add.organisation, Change::PutRoute(route), output)
                .await
        }
        RouteCommand::Remove { name, organisation } => {
            let owner = admin.organisation(organisation).await?;
            let routes = admin.described(&owner).await?.described.routes;
            if !routes.iter().any(|route| route.name == *name) {
                return Err(Failure::new(format_args!(
                    "there is no inbound route {name}; list them with: sealgate route list"
                )));
            }
            admin
                .one(organisation, Change::RemoveRoute(name.clone()), output)
                .await
        }
        RouteCommand::List { organisation } => {
            let name = admin.organisation(organisation).await?;
            let routes = admin.described(&name).await?.described.routes;
            output.show(&routes, |routes| {
                let rows: Vec<_> = routes
                    .iter()
                    .map(|route| {
                        let domains: Vec<_> = route.domains.iter().map(Domain::to_string).collect();
                        vec![
                            route.name.clone(),
                            domains.join(", "),
                            hop_words(&route.target),
                            yes_no(route.wildcard),
                        ]
                    })
                    .collect();
                table(&["ROUTE", "DOMAINS", "SERVER", "WILDCARD"], &rows)
            })
        }
    }
}
