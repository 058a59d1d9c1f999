//! Orders for certificates: how far they are, and what an administrator does about those he carries himself.

use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;
use sealgate_core::authority::{Connector, OrderId};
use sealgate_core::change::Change;
use sealgate_core::order::{self, Next};
use sealgate_mail::Address;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::pem;
use serde::Serialize;

use super::{Admin, word_of};
use crate::cmd::{
    Cli, Done, Failure, OrganisationArg, Output, address_argument, read_input, table,
};
use crate::gateway::now;
use crate::lifecycle;
use crate::limits::LIST_PAGE;

/// Verbs for orders.
#[derive(Debug, Subcommand)]
pub enum OrderCommand {
    /// List orders.
    List {
        /// Those that have ended, too.
        #[arg(long)]
        all: bool,
        /// Orders after the one with this number.
        #[arg(long, default_value_t = 0, value_name = "ID")]
        after: i64,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Show how far the orders are that were opened together.
    Batches {
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Print the certificate request (PKCS#10) of an open order, to be carried to its authority.
    Csr {
        /// Number of the order.
        id: i64,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Hand in the chain that the authority gave for an order.
    Chain {
        /// Number of the order.
        id: i64,
        /// PEM file: the certificate, then its issuers.
        file: PathBuf,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Take the open order of a mailbox back.
    Withdraw {
        /// The mailbox.
        #[arg(value_parser = address_argument)]
        address: Address,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// List revocations.
    Revocations {
        /// Those that are confirmed, too.
        #[arg(long)]
        all: bool,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
}

#[derive(Serialize)]
struct OrderLine {
    id: i64,
    mailbox: Address,
    authority: String,
    purpose: String,
    state: String,
    ordered: String,
    next: Option<String>,
    ended: Option<String>,
    error: Option<String>,
}

#[derive(Serialize)]
struct BatchLine {
    id: i64,
    what: String,
    since: String,
    total: u32,
    issued: u32,
    failed: u32,
}

#[derive(Serialize)]
struct RevocationLine {
    id: i64,
    mailbox: Address,
    certificate_id: i64,
    reason: String,
    asked: String,
    next: Option<String>,
    confirmed: Option<String>,
    error: Option<String>,
}

/// Carries out a verb for orders.
pub async fn order(cli: &Cli, command: &OrderCommand, output: Output) -> Done {
    use OrderCommand as C;
    let admin = Admin::open(cli).await?;
    match command {
        C::List {
            all,
            after,
            organisation,
        } => list(&admin, organisation, (*after, !*all), output).await,
        C::Batches { organisation } => batches(&admin, organisation, output).await,
        C::Csr { id, organisation } => csr(&admin, organisation, OrderId(*id), output).await,
        C::Chain {
            id,
            file,
            organisation,
        } => {
            let chain = Certificate::read_all(&read_input(file)?)
                .map_err(|error| Failure::new(format_args!("{}: {error}", file.display())))?;
            hand_in(&admin, organisation, (OrderId(*id), chain), output).await
        }
        C::Withdraw {
            address,
            organisation,
        } => {
            let change = Change::Withdraw(address.clone());
            admin.one(organisation, change, output).await
        }
        C::Revocations { all, organisation } => {
            revocations(&admin, organisation, !*all, output).await
        }
    }
}

async fn list(
    admin: &Admin,
    organisation: &OrganisationArg,
    (mut after, open): (i64, bool),
    output: Output,
) -> Done {
    let id = admin.organisation_id(organisation).await?;
    let mut lines = Vec::new();
    loop {
        let page = admin.store.orders(id, (after, open), LIST_PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id.0;
        lines.extend(page.into_iter().map(|row| OrderLine {
            id: row.id.0,
            mailbox: row.address,
            authority: row.authority,
            purpose: word_of(&row.purpose),
            state: word_of(&row.state),
            ordered: row.created.rfc3339(),
            next: row.due.map(|due| due.rfc3339()),
            ended: row.ended.map(|ended| ended.rfc3339()),
            error: row.error.map(|said| said.to_string()),
        }));
    }
    output.show(&lines, |lines| {
        let cells: Vec<_> = lines.iter().map(order_cells).collect();
        table(
            &[
                "ID",
                "MAILBOX",
                "AUTHORITY",
                "FOR",
                "STATE",
                "NEXT OR END",
                "LAST ERROR",
            ],
            &cells,
        )
    })
}

fn order_cells(line: &OrderLine) -> Vec<String> {
    vec![
        line.id.to_string(),
        line.mailbox.to_string(),
        line.authority.clone(),
        line.purpose.clone(),
        line.state.clone(),
        line.ended.clone().or(line.next.clone()).unwrap_or_default(),
        line.error.clone().unwrap_or_default(),
    ]
}

async fn batches(admin: &Admin, organisation: &OrganisationArg, output: Output) -> Done {
    let id = admin.organisation_id(organisation).await?;
    let batches = admin.store.batches(id, LIST_PAGE).await?;
    let lines: Vec<_> = batches
        .into_iter()
        .map(|batch| BatchLine {
            id: batch.id,
            what: batch.said.to_string(),
            since: batch.created.rfc3339(),
            total: batch.total,
            issued: batch.issued,
            failed: batch.failed,
        })
        .collect();
    output.show(&lines, |lines| {
        let cell = |line: &BatchLine| {
            vec![
                line.id.to_string(),
                line.since.clone(),
                format!("{} of {}", line.issued, line.total),
                line.failed.to_string(),
                line.what.clone(),
            ]
        };
        let cells: Vec<_> = lines.iter().map(cell).collect();
        table(&["ID", "SINCE", "ISSUED", "FAILED", "WHAT"], &cells)
    })
}

async fn csr(admin: &Admin, organisation: &OrganisationArg, id: OrderId, output: Output) -> Done {
    let organisation = admin.organisation_id(organisation).await?;
    let order = admin.store.open_order(organisation, id).await?;
    let csr = order.csr.ok_or_else(|| {
        Failure::new("its key is not made yet: the running gateway does that; try again soon")
    })?;
    let text = pem::write("CERTIFICATE REQUEST", &csr);
    let json = serde_json::json!({ "order": id.0, "mailbox": order.address, "csr": text });
    output.show(&json, |_| text.clone())?;
    Ok(std::io::stdout().flush()?)
}

async fn hand_in(
    admin: &Admin,
    organisation: &OrganisationArg,
    (id, chain): (OrderId, Vec<Certificate>),
    output: Output,
) -> Done {
    let name = admin.organisation(organisation).await?;
    let organisation = admin.organisation_id(organisation).await?;
    let order = admin.store.open_order(organisation, id).await?;
    let authority = admin.store.authority(order.authority).await?;
    if authority.connector != Connector::ByHand {
        return Err(Failure::new(format_args!(
            "order {} is carried out by authority {}: nothing is handed in",
            id.0, authority.name
        )));
    }
    let wanted = admin.store.wanted(&order, false, now()).await?;
    order::judge(&chain, (&order.address, &wanted.spki), now()).map_err(Failure::new)?;
    if let Some(Next::Again { error, .. }) = order::early(&chain, 0, now()) {
        return Err(Failure::new(format_args!("{error}: hand it in then")));
    }
    admin.store.order_issued(&order, &chain, now()).await?;
    let live = lifecycle::wait_until_live(&admin.store, admin.store.version().await?).await?;
    let done = serde_json::json!({ "organisation": name, "mailbox": order.address, "live": live });
    output.show(&done, |_| {
        format!("{} has its certificate\n{live}\n", order.address)
    })
}

async fn revocations(
    admin: &Admin,
    organisation: &OrganisationArg,
    open: bool,
    output: Output,
) -> Done {
    let id = admin.organisation_id(organisation).await?;
    let mut lines = Vec::new();
    let mut after = 0;
    loop {
        let page = admin
            .store
            .revocations(id, (after, open), LIST_PAGE)
            .await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        lines.extend(page.into_iter().map(|row| RevocationLine {
            id: row.id,
            mailbox: row.address,
            certificate_id: row.key.0,
            reason: word_of(&row.reason),
            asked: row.asked.rfc3339(),
            next: row.due.map(|due| due.rfc3339()),
            confirmed: row.confirmed.map(|at| at.rfc3339()),
            error: row.error.map(|said| said.to_string()),
        }));
    }
    output.show(&lines, |lines| {
        let cell = |line: &RevocationLine| {
            vec![
                line.mailbox.to_string(),
                line.certificate_id.to_string(),
                line.reason.clone(),
                line.asked.clone(),
                match (&line.confirmed, &line.next) {
                    (Some(at), _) => format!("confirmed {at}"),
                    (None, Some(next)) => format!("asked again {next}"),
                    (None, None) => "waits for an administrator".to_owned(),
                },
                line.error.clone().unwrap_or_default(),
            ]
        };
        let cells: Vec<_> = lines.iter().map(cell).collect();
        table(
            &[
                "MAILBOX",
                "CERTIFICATE ID",
                "REASON",
                "ASKED",
                "STATE",
                "LAST ERROR",
            ],
            &cells,
        )
    })
}
