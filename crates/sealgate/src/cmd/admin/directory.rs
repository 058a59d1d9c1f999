//! Directories (LDAP) that correspondents' keys are looked for in: add, list, remove, test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use sealgate_core::directory::{Bind, Directory, DirectoryUrl, Protection, dns_label};
use sealgate_mail::{Address, Domain};
use serde::Serialize;

use super::{Admin, domain, word_of};
use crate::cmd::{
    Cli, Done, Failure, OrganisationArg, Output, address_argument, configuration, read_password,
    table,
};
use crate::description::read_certificates;
use crate::directories::{self as described, Described};
use crate::gateway::{Gateway, now};
use crate::sources;

/// Verbs for directories.
#[derive(Debug, Subcommand)]
pub enum DirectoryCommand {
    /// Add a directory, or replace the one of that name.
    Add(Box<AddArgs>),
    /// List the directories.
    List {
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Remove a directory and the keys that came from it.
    Remove {
        /// Its name.
        name: String,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Ask all directories, and DNS if that is switched on, for an address; keep nothing.
    Test {
        /// The address.
        #[arg(value_parser = address_argument)]
        address: Address,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
}

/// What a directory is.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Its name in traces and events.
    name: String,
    /// Where it is: ldap://host:port or ldaps://host:port.
    #[arg(long)]
    url: DirectoryUrl,
    /// Begin TLS by StartTLS.
    #[arg(long)]
    starttls: bool,
    /// The entry below which is searched, such as dc=example,dc=com.
    #[arg(long, value_name = "DN")]
    base: Option<String>,
    /// Who asks; the password is read from standard input.
    #[arg(long, value_name = "DN")]
    bind: Option<String>,
    /// A domain whose addresses it is asked for; may be given several times. Absent: all.
    #[arg(long = "domain", value_parser = domain, value_name = "DOMAIN")]
    domains: Vec<Domain>,
    /// An attribute that holds certificates; may be given several times. Absent: userCertificate and userSMIMECertificate.
    #[arg(long = "attribute", value_name = "NAME")]
    attributes: Vec<String>,
    /// PEM file with roots for its TLS certificate, beside the public ones.
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// Organisation.
    #[command(flatten)]
    organisation: OrganisationArg,
}

/// Carries out a verb for directories.
pub async fn directory(cli: &Cli, command: &DirectoryCommand, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    match command {
        DirectoryCommand::Add(arguments) => add(&admin, arguments, output).await,
        DirectoryCommand::List { organisation } => list(&admin, organisation, output).await,
        DirectoryCommand::Remove { name, organisation } => {
            let id = admin.organisation_id(organisation).await?;
            let who = ("command line", now());
            admin.store.remove_directory(id, name, who).await?;
            let done = format!("directory {name} is removed, and the keys that came from it");
            report(&done, output)
        }
        DirectoryCommand::Test {
            address,
            organisation,
        } => test(cli, &admin, (organisation, address), output).await,
    }
}

fn report(done: &str, output: Output) -> Done {
    let live = "live: the next mail is decided by it";
    let answer = serde_json::json!({ "done": done, "live": live });
    output.show(&answer, |_| format!("{done}\n{live}\n"))
}

async fn add(admin: &Admin, arguments: &AddArgs, output: Output) -> Done {
    let id = admin.organisation_id(&arguments.organisation).await?;
    let directory = described(arguments)?;
    let who = ("command line", now());
    admin.store.put_directory(id, &directory, who).await?;
    let name = &directory.name;
    report(
        &format!(
            "directory {name} is asked from now on; try it with: sealgate directory test ADDRESS"
        ),
        output,
    )
}

/// The directory that the arguments describe; what would be unsafe or cannot be is refused.
fn described(arguments: &AddArgs) -> Result<Directory, Failure> {
    let protection = described::protection(&arguments.url, arguments.starttls);
    let protection = protection
        .map_err(|_| Failure::new("an ldaps URL has TLS from the start: leave --starttls away"))?;
    let bind = match &arguments.bind {
        None => None,
        Some(dn) => {
            described::may_bind(&arguments.url, protection).map_err(|_| {
                Failure::new("a password is not sent in clear: use an ldaps URL or --starttls")
            })?;
            let password = read_password()?;
            Some(Bind {
                dn: dn.clone(),
                password,
            })
        }
    };
    let described = Described {
        name: arguments.name.clone(),
        url: arguments.url.clone(),
        protection,
        bind,
        base: arguments.base.clone(),
        domains: arguments.domains.clone(),
        attributes: arguments.attributes.clone(),
        roots: arguments.roots.as_deref().map(roots).transpose()?,
    };
    described.directory().map_err(Failure::new)
}

/// The roots in a file, in PEM form.
fn roots(path: &Path) -> Result<String, Failure> {
    let roots = read_certificates(&path.display().to_string(), Path::new(""))?;
    Ok(roots.iter().map(|root| root.pem()).collect())
}

#[derive(Serialize)]
struct Row {
    name: String,
    host: String,
    port: u16,
    protection: Protection,
    bind: Option<String>,
    base: String,
    domains: Vec<Domain>,
    attributes: Vec<String>,
}

async fn list(admin: &Admin, organisation: &OrganisationArg, output: Output) -> Done {
    let id = admin.organisation_id(organisation).await?;
    let directories = admin.store.directories(id).await?;
    let row = |directory: Directory| Row {
        name: directory.name,
        host: directory.place.host,
        port: directory.place.port,
        protection: directory.protection,
        bind: directory.bind.map(|bind| bind.dn),
        base: directory.base,
        domains: directory.domains,
        attributes: directory.attributes,
    };
    let rows: Vec<Row> = directories.into_iter().map(row).collect();
    output.show(&rows, |rows| {
        let cells: Vec<_> = rows.iter().map(cells).collect();
        table(
            &["NAME", "PLACE", "PROTECTION", "BIND", "BASE", "DOMAINS"],
            &cells,
        )
    })
}

fn cells(row: &Row) -> Vec<String> {
    let domains: Vec<String> = row.domains.iter().map(Domain::to_string).collect();
    vec![
        row.name.clone(),
        format!("{}:{}", row.host, row.port),
        word_of(&row.protection),
        row.bind.clone().unwrap_or_else(|| "nobody".to_owned()),
        row.base.clone(),
        if domains.is_empty() {
            "all".to_owned()
        } else {
            domains.join(", ")
        },
    ]
}

async fn test(
    cli: &Cli,
    admin: &Admin,
    (organisation, address): (&OrganisationArg, &Address),
    output: Output,
) -> Done {
    let id = admin.organisation_id(organisation).await?;
    let gateway = Gateway::assembled(configuration(cli)?, admin.store.clone()).await?;
    let installation = gateway.installation();
    let organisation = installation
        .organisation(id)
        .ok_or_else(|| Failure::new("the organisation is gone"))?;
    let dns = dns_label(organisation.settings.smimea).is_some();
    if admin.store.directories(id).await?.is_empty() && !dns {
        return Err(Failure::new(
            "there is nobody to ask: add a directory with `sealgate directory add`, or switch DNS on with `sealgate organisation settings --set smimea=with-path`",
        ));
    }
    let words = sources::try_all(&Arc::new(gateway), organisation, address.clone()).await?;
    output.show(&words, |words| {
        let lines: Vec<String> = words.iter().map(|word| format!("{word}\n")).collect();
        if lines.is_empty() {
            format!("no directory is asked for {address}\n")
        } else {
            lines.concat()
        }
    })
}
