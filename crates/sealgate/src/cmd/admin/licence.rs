//! Licences: what is booked for an organisation and what is free; booked by the operator or a reseller, never by the
//! organisation itself (S9).

use clap::Subcommand;
use sealgate_core::licence::{Licence, Quota};
use sealgate_mail::Timestamp;
use serde::Serialize;

use super::Admin;
use crate::cmd::{Cli, Done, OrganisationArg, Output};
use crate::gateway::now;

/// Verbs for licences.
#[derive(Debug, Subcommand)]
pub enum LicenceCommand {
    /// Show what is booked, used and free.
    Show {
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Book licences in place of what was booked.
    Book {
        /// Licences of the base product.
        #[arg(long)]
        base: u32,
        /// Licences for S/MIME; at most as many.
        #[arg(long)]
        smime: u32,
        /// The last day of the term of both, as 2027-12-31; without it they do not end.
        #[arg(long, value_parser = last_day, value_name = "DAY")]
        until: Option<Timestamp>,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Count no licences any more: as many mailboxes as there are may be activated.
    Uncounted {
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
}

#[derive(Serialize)]
struct LicenceRow {
    organisation: String,
    counted: bool,
    base: Option<u32>,
    smime: Option<u32>,
    used: u32,
    free: Option<u32>,
    until: Option<String>,
    over: bool,
}

/// Carries out a verb for licences.
pub async fn licence(cli: &Cli, command: &LicenceCommand, output: Output) -> Done {
    use LicenceCommand as C;
    let admin = Admin::open(cli).await?;
    let (C::Show { organisation } | C::Book { organisation, .. } | C::Uncounted { organisation }) =
        command;
    let id = admin.organisation_id(organisation).await?;
    let booking = match command {
        C::Show { .. } => None,
        C::Book {
            base, smime, until, ..
        } => Some(Some(Licence::book(*base, *smime, *until)?)),
        C::Uncounted { .. } => Some(None),
    };
    if let Some(booking) = booking {
        admin.store.book(id, booking, "command line", now()).await?;
    }
    let name = admin.organisation(organisation).await?;
    let row = licence_row(name, admin.store.quota(id).await?);
    output.show(&row, human)
}

fn licence_row(organisation: String, quota: Quota) -> LicenceRow {
    let licence = quota.licence;
    LicenceRow {
        organisation,
        counted: licence.is_some(),
        base: licence.map(|licence| licence.base),
        smime: licence.map(|licence| licence.smime),
        used: quota.held,
        free: quota.free(),
        until: licence.and_then(|licence| Some(licence.until?.rfc3339())),
        over: licence.is_some_and(|licence| licence.is_over(now())),
    }
}

fn human(row: &LicenceRow) -> String {
    let (Some(base), Some(smime), Some(free)) = (row.base, row.smime, row.free) else {
        return format!(
            "{}: licences are not counted; {} in use\n",
            row.organisation, row.used
        );
    };
    let term = match (&row.until, row.over) {
        (Some(until), true) => format!(", over since {until}"),
        (Some(until), false) => format!(", until {until}"),
        (None, _) => String::new(),
    };
    format!(
        "{}: {smime} S/MIME licences of {base} base licences, {} in use, {free} free{term}\n",
        row.organisation, row.used
    )
}

/// The end of a day.
fn last_day(text: &str) -> Result<Timestamp, String> {
    super::day(text).map(|start| start.plus(86_400))
}
