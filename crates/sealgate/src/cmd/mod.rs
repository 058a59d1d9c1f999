//! The command line: what can be said, and how answers and failures are printed.

pub mod admin;
pub mod apply;
pub mod audit;
pub mod ca;
pub mod check;
pub mod explain;
pub mod mails;
pub mod master_key;
pub mod queue;
pub mod quickstart;
pub mod smime;
pub mod token;
pub mod user;

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use sealgate_mail::Address;
use serde::Serialize;

use crate::config::Config;

/// The S/MIME mail gateway: signs, encrypts, decrypts and verifies an organisation's mail by rules.
#[derive(Debug, Parser)]
#[command(
    name = "sealgate",
    bin_name = "sealgate",
    version,
    propagate_version = true
)]
pub struct Cli {
    /// Configuration of the process.
    #[arg(
        long,
        global = true,
        default_value = "/etc/sealgate/sealgate.toml",
        value_name = "FILE"
    )]
    pub config: PathBuf,
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Set up an empty machine: configuration, master key, first organisation and operator.
    Quickstart(quickstart::QuickstartArgs),
    /// Run the gateway.
    Serve,
    /// Show the gateway at work: no configuration, no privileges, no network.
    Demo(DemoArgs),
    /// Judge the configuration and say what is wrong or unsafe.
    Check(check::CheckArgs),
    /// Say which rule decides a mail, what is known, and what would happen.
    Explain(explain::ExplainArgs),
    /// Sign, encrypt, verify or decrypt one message file.
    #[command(subcommand)]
    Smime(smime::SmimeCommand),
    /// Make an organisation exactly what a TOML or JSON file describes.
    Apply(apply::ApplyArgs),
    /// Organisations.
    #[command(subcommand)]
    Organisation(admin::OrganisationCommand),
    /// Inbound routes.
    #[command(subcommand)]
    Route(admin::RouteCommand),
    /// Mailboxes and their certificates.
    #[command(subcommand)]
    Mailbox(admin::MailboxCommand),
    /// Authorities that certificates are ordered from.
    #[command(subcommand)]
    Authority(admin::AuthorityCommand),
    /// Orders for certificates, and revocations.
    #[command(subcommand)]
    Order(admin::OrderCommand),
    /// Order the next certificates of many mailboxes.
    Reissue(Box<admin::ReissueArgs>),
    /// Licences.
    #[command(subcommand)]
    Licence(admin::LicenceCommand),
    /// Correspondents' keys.
    #[command(subcommand)]
    Correspondent(admin::CorrespondentCommand),
    /// Key rings of mailboxes.
    #[command(subcommand)]
    Key(admin::KeyCommand),
    /// What administrators are told of.
    Events(admin::EventsArgs),
    /// Directories that correspondents' keys are looked for in.
    #[command(subcommand)]
    Directory(admin::DirectoryCommand),
    /// Algorithms agreed with partners.
    #[command(subcommand)]
    Partner(admin::PartnerCommand),
    /// Trusted and blocked certificates.
    #[command(subcommand)]
    Trust(admin::TrustCommand),
    /// Encryption rules.
    #[command(subcommand)]
    Rule(admin::RuleCommand),
    /// DKIM keys of domains.
    #[command(subcommand)]
    Dkim(admin::DkimCommand),
    /// How domains stand with what must hold before certificates are requested.
    Prerequisites(admin::PrerequisitesArgs),
    /// What of the built-in CA is public.
    #[command(subcommand)]
    Ca(ca::CaCommand),
    /// The master key.
    #[command(subcommand)]
    MasterKey(master_key::MasterKeyCommand),
    /// PKCS #11 tokens.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Users of the portal.
    #[command(subcommand)]
    User(user::UserCommand),
    /// The audit log: every change, by whom and when.
    Audit(audit::AuditArgs),
    /// The mail overview.
    Mails(mails::MailsArgs),
    /// Mail that waits or is held.
    #[command(subcommand)]
    Queue(queue::QueueCommand),
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Leave the gateway running and print its ports.
    #[arg(long)]
    pub keep: bool,
    /// Where data and resulting messages go; a new directory below the temporary one if absent.
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
}

/// Which organisation a command is about.
#[derive(Debug, Args)]
pub struct OrganisationArg {
    /// Name of the organisation; may be left out if there is only one.
    #[arg(long, short, value_name = "NAME")]
    pub organisation: Option<String>,
}

/// Why a command failed, in one line that says what to do.
pub struct Failure {
    /// The line.
    pub message: String,
    /// Exit code of the process.
    pub code: u8,
}

/// Exit code where the command worked and the answer is "no": not valid, not decrypted, differences found.
pub const CODE_NO: u8 = 3;

impl Failure {
    /// A failure with exit code 1.
    pub fn new(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string().replace(['\r', '\n'], " "),
            code: 1,
        }
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Result of a command.
pub type Done = Result<(), Failure>;

/// How a command answers.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// As JSON.
    pub json: bool,
}

impl Output {
    /// Prints `value`: one JSON document, or what `human` makes of it.
    pub fn show<T: Serialize>(self, value: &T, human: impl FnOnce(&T) -> String) -> Done {
        let text = if self.json {
            format!("{}\n", serde_json::to_string_pretty(value)?)
        } else {
            human(value)
        };
        match std::io::stdout().write_all(text.as_bytes()) {
            // Whoever reads has seen enough, as `head` does.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }
}

/// Columns under a heading, each as wide as its widest cell.
pub fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = heading.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded: Vec<_> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let mut text = line(heading.to_vec());
    for row in rows {
        text.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    text
}

/// Reads a file an administrator named, within the limit.
pub fn read_input(path: &Path) -> Result<Vec<u8>, Failure> {
    let length = std::fs::metadata(path)
        .map_err(|error| Failure::new(format_args!("cannot read {}: {error}", path.display())))?
        .len();
    if length > crate::limits::INPUT_FILE {
        return Err(Failure::new(format_args!(
            "{} has {length} octets; at most {} are read",
            path.display(),
            crate::limits::INPUT_FILE
        )));
    }
    std::fs::read(path)
        .map_err(|error| Failure::new(format_args!("cannot read {}: {error}", path.display())))
}

/// Reads a password from standard input, without the line end.
pub fn read_password() -> Result<String, Failure> {
    eprint!("Password: ");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Reads an address argument.
pub fn address_argument(text: &str) -> Result<Address, String> {
    Address::parse(text).map_err(|error| error.to_string())
}

/// Reads the configuration named on the command line.
pub fn configuration(cli: &Cli) -> Result<Config, Failure> {
    Ok(Config::read(&cli.config)?)
}
