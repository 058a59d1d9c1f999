//! Correspondents' keys: import, remove, list, show, and what an administrator chooses for one of them.

mod shown;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use sealgate_core::change::Change;
use sealgate_core::harvest::Choice;
use sealgate_core::tenant::{CorrespondentKey, CorrespondentState, OrganisationId, Origin};
use sealgate_mail::Address;
use sealgate_store::CorrespondentFilter;
use serde::Serialize;

use super::{Admin, word, word_of};
use crate::cmd::{Cli, Done, Failure, OrganisationArg, Output, address_argument, table};
use crate::gateway::now;
use crate::lifecycle;
use crate::limits::LIST_PAGE;

/// Verbs for correspondents' keys.
#[derive(Debug, Subcommand)]
pub enum CorrespondentCommand {
    /// Import the certificate of an external mailbox.
    Import {
        /// PEM or DER file.
        file: PathBuf,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Remove an imported certificate.
    Remove {
        /// PEM or DER file of the same certificate.
        file: PathBuf,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// List correspondents' keys, harvested ones too.
    List(ListArgs),
    /// Show one key with where it came from.
    Show(KeyArg),
    /// Use a new key from another issuer from now on.
    Approve(KeyArg),
    /// Prefer this key to the others of its address.
    Prefer(KeyArg),
    /// Use this key and no other for its address, until it is unpinned.
    Pin(KeyArg),
    /// Let other keys of the address be used again.
    Unpin(KeyArg),
    /// Never use this key.
    Block(KeyArg),
    /// Take a block back.
    Unblock(KeyArg),
}

/// Which keys are listed.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only those in this state: preferred, additional, new, pending or blocked.
    #[arg(long, value_parser = word::<CorrespondentState>)]
    state: Option<CorrespondentState>,
    /// Only those from there: manual or harvested, or the name of another source.
    #[arg(long, value_parser = word::<Origin>)]
    origin: Option<Origin>,
    /// Only those of this address.
    #[arg(long, value_parser = address_argument)]
    address: Option<Address>,
    /// Only those that expire within so many days.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(0..=36_500))]
    expiring: Option<i64>,
    /// Organisation.
    #[command(flatten)]
    organisation: OrganisationArg,
}

/// Which key.
#[derive(Debug, Args)]
pub struct KeyArg {
    /// Its number, as `correspondent list` shows it.
    id: i64,
    /// Organisation.
    #[command(flatten)]
    organisation: OrganisationArg,
}

/// Carries out a verb for correspondents' keys.
pub async fn correspondent(cli: &Cli, command: &CorrespondentCommand, output: Output) -> Done {
    use CorrespondentCommand as C;
    let admin = Admin::open(cli).await?;
    match command {
        C::Import { file, organisation } => {
            let certificate = lifecycle::correspondent_certificate(file)?;
            admin
                .one(organisation, Change::PutCorrespondent(certificate), output)
                .await
        }
        C::Remove { file, organisation } => remove(&admin, file, organisation, output).await,
        C::List(arguments) => list(&admin, arguments, output).await,
        C::Show(which) => shown::show(&admin, which, output).await,
        C::Approve(which) => choose(&admin, which, Choice::Approve, output).await,
        C::Prefer(which) => choose(&admin, which, Choice::Prefer, output).await,
        C::Pin(which) => choose(&admin, which, Choice::Pin, output).await,
        C::Unpin(which) => choose(&admin, which, Choice::Unpin, output).await,
        C::Block(which) => choose(&admin, which, Choice::Block, output).await,
        C::Unblock(which) => choose(&admin, which, Choice::Unblock, output).await,
    }
}

async fn remove(
    admin: &Admin,
    file: &std::path::Path,
    organisation: &OrganisationArg,
    output: Output,
) -> Done {
    let certificate = lifecycle::correspondent_certificate(file)?;
    let name = admin.organisation(organisation).await?;
    let known = admin.described(&name).await?.described.correspondents;
    if !known.contains(&certificate) {
        return Err(Failure::new(format_args!(
            "the certificate in {} was not imported, so it cannot be removed",
            file.display()
        )));
    }
    let change = Change::RemoveCorrespondent(certificate.fingerprint());
    admin.one(organisation, change, output).await
}

async fn choose(admin: &Admin, which: &KeyArg, choice: Choice, output: Output) -> Done {
    let organisation = admin.organisation_id(&which.organisation).await?;
    let done = admin
        .store
        .choose_correspondent((organisation, which.id), choice, "command line", now())
        .await?;
    let live = "live: the next mail is decided by it";
    let answer = serde_json::json!({ "id": which.id, "done": done, "live": live });
    output.show(&answer, |_| format!("{done}\n{live}\n"))
}

#[derive(Serialize)]
struct CorrespondentRow {
    id: i64,
    address: Address,
    subject: String,
    issuer: String,
    serial: String,
    valid_from: String,
    valid_until: String,
    origin: Origin,
    state: CorrespondentState,
    pinned: bool,
}

impl CorrespondentRow {
    fn new(key: CorrespondentKey) -> Self {
        Self {
            id: key.id,
            subject: key.certificate.subject_name(),
            issuer: key.certificate.issuer_name(),
            serial: key.certificate.serial_hex(),
            valid_from: key.certificate.not_before().rfc3339(),
            valid_until: key.certificate.not_after().rfc3339(),
            address: key.address,
            origin: key.origin,
            state: key.state,
            pinned: key.pinned,
        }
    }
}

async fn list(admin: &Admin, arguments: &ListArgs, output: Output) -> Done {
    let organisation = admin.organisation_id(&arguments.organisation).await?;
    let rows: Vec<_> = all(admin, organisation, arguments)
        .await?
        .into_iter()
        .map(CorrespondentRow::new)
        .collect();
    output.show(&rows, |rows| {
        let cells: Vec<_> = rows
            .iter()
            .map(|row| {
                vec![
                    row.address.to_string(),
                    row.id.to_string(),
                    row.issuer.clone(),
                    row.valid_until.clone(),
                    word_of(&row.origin),
                    state_words(row.state, row.pinned),
                ]
            })
            .collect();
        let heading = [
            "ADDRESS",
            "ID",
            "ISSUED BY",
            "VALID UNTIL",
            "ORIGIN",
            "STATE",
        ];
        table(&heading, &cells)
    })
}

/// All keys that the arguments name, page by page.
async fn all(
    admin: &Admin,
    organisation: OrganisationId,
    arguments: &ListArgs,
) -> Result<Vec<CorrespondentKey>, Failure> {
    let at = now();
    let mut filter = CorrespondentFilter {
        after: None,
        limit: LIST_PAGE,
        state: arguments.state,
        origin: arguments.origin,
        address: arguments.address.clone(),
        expires: arguments
            .expiring
            .map(|days| (at, at.plus(days.saturating_mul(86_400)))),
    };
    let mut found = Vec::new();
    loop {
        let page = admin
            .store
            .list_correspondents(organisation, filter.clone())
            .await?;
        let Some(last) = page.last() else {
            return Ok(found);
        };
        filter.after = Some(last.id);
        found.extend(page);
    }
}

fn state_words(state: CorrespondentState, pinned: bool) -> String {
    let pinned = if pinned { ", pinned" } else { "" };
    format!("{}{pinned}", word_of(&state))
}
