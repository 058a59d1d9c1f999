//! Mail that waits or is held: list, show, retry, hold, release, delete.

use clap::{Args, Subcommand};
use sealgate_core::queue::MailId;
use sealgate_store::{QueueFilter, QueueRow, Verb, queue_id, read_queue_id};
use serde::Serialize;

use super::admin::Admin;
use super::{Cli, Done, Failure, OrganisationArg, Output, table};
use crate::gateway::now;

/// Verbs for the queue.
#[derive(Debug, Subcommand)]
pub enum QueueCommand {
    /// List what waits and what is held.
    List {
        /// Only held mail.
        #[arg(long)]
        held: bool,
        /// Most rows.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Rows after this one: the "row" of the last row of the page before.
        #[arg(long, value_name = "ROW")]
        after: Option<i64>,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Show one mail in the queue.
    Show(MailArg),
    /// Try what waits now; decide held mail again where that is possible.
    Retry(MailArg),
    /// Hold what waits.
    Hold(MailArg),
    /// Send what is held, as it is.
    Release(MailArg),
    /// Take a mail out of the queue; nobody is told.
    Delete(MailArg),
}

/// Which mail a verb is about.
#[derive(Debug, Args)]
pub struct MailArg {
    /// Its queue id.
    mail: String,
    /// Organisation; a mail of another one is not found.
    #[command(flatten)]
    organisation: OrganisationArg,
}

#[derive(Serialize)]
struct Row {
    queue_id: String,
    #[serde(flatten)]
    row: QueueRow,
}

/// Carries out a verb for the queue.
pub async fn queue(cli: &Cli, command: &QueueCommand, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    match command {
        QueueCommand::List {
            held,
            limit,
            after,
            organisation,
        } => {
            let organisation = admin.optional_organisation_id(organisation).await?;
            let filter = QueueFilter {
                organisation,
                mail: None,
                held: *held,
                after: *after,
                limit: *limit,
            };
            list(&admin, filter, output).await
        }
        QueueCommand::Show(argument) => {
            let organisation = admin
                .optional_organisation_id(&argument.organisation)
                .await?;
            let filter = QueueFilter {
                organisation,
                mail: Some(mail_id(&argument.mail)?),
                held: false,
                after: None,
                limit: u32::MAX,
            };
            let rows = admin.store.queue(filter).await?;
            if rows.is_empty() {
                return Err(Failure::new(format_args!(
                    "mail {mail} is not in the queue; what became of it: sealgate mails {mail}",
                    mail = argument.mail
                )));
            }
            table_of(rows, output)
        }
        QueueCommand::Retry(argument) => act(&admin, Verb::Retry, argument, output).await,
        QueueCommand::Hold(argument) => act(&admin, Verb::Hold, argument, output).await,
        QueueCommand::Release(argument) => act(&admin, Verb::Release, argument, output).await,
        QueueCommand::Delete(argument) => act(&admin, Verb::Delete, argument, output).await,
    }
}

async fn act(admin: &Admin, verb: Verb, argument: &MailArg, output: Output) -> Done {
    let organisation = admin
        .optional_organisation_id(&argument.organisation)
        .await?;
    let count = admin
        .store
        .act(
            verb,
            mail_id(&argument.mail)?,
            organisation,
            "command line",
            now(),
        )
        .await?;
    let done = serde_json::json!({ "queue_id": argument.mail, "recipients": count });
    output.show(&done, |_| {
        format!(
            "{} of mail {}: {count} recipients\n",
            word(verb),
            argument.mail
        )
    })
}

const fn word(verb: Verb) -> &'static str {
    match verb {
        Verb::Retry => "retry",
        Verb::Hold => "hold",
        Verb::Release => "release",
        Verb::Delete => "deletion",
    }
}

fn mail_id(text: &str) -> Result<MailId, Failure> {
    read_queue_id(text).ok_or_else(|| {
        Failure::new(format_args!(
            "\"{text}\" is no queue id; list them with: sealgate queue list"
        ))
    })
}

async fn list(admin: &Admin, filter: QueueFilter, output: Output) -> Done {
    table_of(admin.store.queue(filter).await?, output)
}

fn table_of(rows: Vec<QueueRow>, output: Output) -> Done {
    let rows: Vec<_> = rows
        .into_iter()
        .map(|row| Row {
            queue_id: queue_id(row.mail),
            row,
        })
        .collect();
    output.show(&rows, |rows| {
        let cells: Vec<_> = rows.iter().map(cells).collect();
        table(
            &[
                "QUEUE ID", "STATE", "ACCEPTED", "FROM", "TO", "ATTEMPTS", "NEXT", "NOTE",
            ],
            &cells,
        )
    })
}

fn cells(row: &Row) -> Vec<String> {
    let next = row.row.next_attempt.or(row.row.held_until);
    vec![
        row.queue_id.clone(),
        row.row.state.as_str().to_owned(),
        row.row.accepted.rfc3339(),
        row.row
            .from
            .as_ref()
            .map_or_else(|| "<>".to_owned(), ToString::to_string),
        row.row.recipient.to_string(),
        row.row.attempts.to_string(),
        next.map(|time| time.rfc3339()).unwrap_or_default(),
        row.row.note.clone().unwrap_or_default(),
    ]
}
