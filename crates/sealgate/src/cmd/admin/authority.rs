//! Authorities: whom certificates are ordered from.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use sealgate_core::authority::{AcmeSettings, Authority, CommandSettings, Connector};
use sealgate_core::change::{Change, NewAuthority};
use sealgate_core::limits::{RENEW_DAYS, RENEW_DAYS_MOST};
use sealgate_mail::Address;
use sealgate_net::ca::acme::new_account_key;
use sealgate_net::ca::command::ExternalCommand;
use serde::Serialize;

use super::{Admin, yes_no};
use crate::cmd::{
    Cli, Done, Failure, OrganisationArg, Output, address_argument, read_input, table,
};

/// Verbs for authorities.
#[derive(Debug, Subcommand)]
pub enum AuthorityCommand {
    /// List the authorities that certificates are ordered from.
    List {
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Add an authority, or give one new settings; what it issued under the former ones it can still revoke.
    Add(Box<AddArgs>),
    /// Make an authority the standard one: orders go there unless another is named.
    Standard {
        /// Its name.
        name: String,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Set how many days before the end of a certificate the next one is ordered.
    RenewDays {
        /// Its name.
        name: String,
        /// Days.
        #[arg(value_parser = renew_days)]
        days: u32,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Order nothing from an authority any more; what it issued it can still revoke.
    Remove {
        /// Its name.
        name: String,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
}

/// Options of `authority add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Its name: one word.
    name: String,
    /// How it is spoken to.
    #[arg(long, value_enum)]
    kind: Kind,
    /// ACME: URL of the directory.
    #[arg(long, value_name = "URL", required_if_eq("kind", "acme"))]
    directory: Option<String>,
    /// ACME: contact address of the account; may be given several times.
    #[arg(long, value_parser = address_argument, value_name = "ADDRESS")]
    contact: Vec<Address>,
    /// ACME: identifier of an external account that the authority gave.
    #[arg(long, value_name = "KID", requires = "external_key_file")]
    external_account: Option<String>,
    /// ACME: file with the key of the external account, in base64url.
    #[arg(long, value_name = "FILE", requires = "external_account")]
    external_key_file: Option<PathBuf>,
    /// ACME: PEM file with the roots for its TLS certificate; Mozilla's if absent.
    #[arg(long, value_name = "FILE")]
    tls_roots: Option<PathBuf>,
    /// ACME: challenge mails count without a DKIM or S/MIME signature.
    #[arg(long)]
    unsigned_challenges: bool,
    /// Command: path of the program.
    #[arg(long, value_name = "PATH", required_if_eq("kind", "command"))]
    program: Option<String>,
    /// Command: an argument before the verb; may be given several times.
    #[arg(long = "argument", value_name = "TEXT", allow_hyphen_values = true)]
    arguments: Vec<String>,
    /// Command: seconds it may take for one verb.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    timeout: i64,
    /// Orders go there unless another is named.
    #[arg(long)]
    standard: bool,
    /// Days before the end of a certificate when the next one is ordered.
    #[arg(long, value_parser = renew_days, value_name = "DAYS")]
    renew_days: Option<u32>,
    /// Organisation.
    #[command(flatten)]
    organisation: OrganisationArg,
}

/// How an authority is spoken to.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// ACME with email-reply-00 (RFC 8823).
    Acme,
    /// A program of yours: docs/authorities.md.
    Command,
    /// You carry requests there and chains back.
    ByHand,
}

#[derive(Serialize)]
struct AuthorityRow {
    name: String,
    kind: &'static str,
    standard: bool,
    renew_days: u32,
    place: String,
}

/// Carries out a verb for authorities.
pub async fn authority(cli: &Cli, command: &AuthorityCommand, output: Output) -> Done {
    use AuthorityCommand as C;
    let admin = Admin::open(cli).await?;
    let keep = |name: &str, standard, renew_days| {
        Change::PutAuthority(NewAuthority {
            name: name.to_owned(),
            standard,
            renew_days,
            connector: None,
        })
    };
    match command {
        C::List { organisation } => list(&admin, organisation, output).await,
        C::Add(arguments) => {
            let new = NewAuthority {
                name: arguments.name.clone(),
                standard: arguments.standard,
                renew_days: arguments.renew_days,
                connector: Some(connector(arguments)?),
            };
            let change = Change::PutAuthority(new);
            admin.one(&arguments.organisation, change, output).await
        }
        C::Standard { name, organisation } => {
            admin
                .one(organisation, keep(name, true, None), output)
                .await
        }
        C::RenewDays {
            name,
            days,
            organisation,
        } => {
            admin
                .one(organisation, keep(name, false, Some(*days)), output)
                .await
        }
        C::Remove { name, organisation } => {
            let id = admin.organisation_id(organisation).await?;
            let known = admin.store.authorities(id).await?;
            if !known.iter().any(|authority| authority.name == *name) {
                return Err(Failure::new(format_args!(
                    "there is no authority {name}: see `sealgate authority list`"
                )));
            }
            let change = Change::RemoveAuthority(name.clone());
            admin.one(organisation, change, output).await
        }
    }
}

async fn list(admin: &Admin, organisation: &OrganisationArg, output: Output) -> Done {
    let id = admin.organisation_id(organisation).await?;
    let authorities = admin.store.authorities(id).await?;
    let rows: Vec<_> = authorities.into_iter().map(row).collect();
    output.show(&rows, |rows| {
        let cells: Vec<_> = rows
            .iter()
            .map(|row| {
                vec![
                    row.name.clone(),
                    row.kind.to_owned(),
                    yes_no(row.standard),
                    row.renew_days.to_string(),
                    row.place.clone(),
                ]
            })
            .collect();
        table(
            &["NAME", "KIND", "STANDARD", "RENEWS DAYS AHEAD", "WHERE"],
            &cells,
        )
    })
}

fn row(authority: Authority) -> AuthorityRow {
    AuthorityRow {
        kind: authority.connector.as_str(),
        standard: authority.standard,
        renew_days: authority.renew_days,
        place: match authority.connector {
            Connector::BuiltIn | Connector::ByHand => String::new(),
            Connector::Acme(settings) => settings.directory,
            Connector::Command(settings) => settings.program,
        },
        name: authority.name,
    }
}

fn connector(arguments: &AddArgs) -> Result<Connector, Failure> {
    match arguments.kind {
        Kind::ByHand => Ok(Connector::ByHand),
        Kind::Command => {
            let settings = CommandSettings {
                program: arguments.program.clone().unwrap_or_default(),
                arguments: arguments.arguments.clone(),
                timeout: arguments.timeout,
            };
            match ExternalCommand::problem(&settings) {
                Some(problem) => Err(Failure::new(problem)),
                None => Ok(Connector::Command(settings)),
            }
        }
        Kind::Acme => Ok(Connector::Acme(AcmeSettings {
            directory: arguments.directory.clone().unwrap_or_default(),
            contact: arguments.contact.clone(),
            external_account: external_account(arguments)?,
            account_key: new_account_key()?,
            tls_roots: arguments.tls_roots.as_deref().map(text).transpose()?,
            unsigned_challenges: arguments.unsigned_challenges,
        })),
    }
}

fn external_account(arguments: &AddArgs) -> Result<Option<(String, String)>, Failure> {
    let (Some(account), Some(file)) = (&arguments.external_account, &arguments.external_key_file)
    else {
        return Ok(None);
    };
    Ok(Some((account.clone(), text(file)?.trim().to_owned())))
}

fn text(file: &Path) -> Result<String, Failure> {
    String::from_utf8(read_input(file)?)
        .map_err(|_| Failure::new(format_args!("{} is no text", file.display())))
}

fn renew_days(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(days) if (1..=RENEW_DAYS_MOST).contains(&days) => Ok(days),
        _ => Err(format!(
            "give between 1 and {RENEW_DAYS_MOST} days; usual are {RENEW_DAYS}"
        )),
    }
}
