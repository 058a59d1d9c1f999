//! The mail overview (S89, S90), and the whole explanation of one mail.

use clap::Args;
use sealgate_core::journal::{Direction, MailStatus};
use sealgate_store::{Delivery, OverviewFilter, OverviewRow, queue_id, read_queue_id};
use serde::Serialize;

use super::admin::{Admin, word, word_of};
use super::{Cli, Done, Failure, OrganisationArg, Output, table};
use crate::cmd::explain;

/// Options of `mails`.
#[derive(Debug, Args)]
pub struct MailsArgs {
    /// Show one mail with the explanation of each recipient: its queue id.
    pub mail: Option<String>,
    /// Only plain, signed, encrypted, signed-encrypted, decrypted, failed, waiting or challenge mail.
    #[arg(long, value_parser = word::<MailStatus>)]
    pub status: Option<MailStatus>,
    /// Only inbound or outbound mail.
    #[arg(long, value_parser = word::<Direction>)]
    pub direction: Option<Direction>,
    /// Only mail that stands there: to-open, waiting, delivered, failed, held, deleted, refused or answered.
    #[arg(long, value_parser = word::<Delivery>)]
    pub delivery: Option<Delivery>,
    /// Only mail from or to this address, this domain, or addresses that begin so.
    #[arg(long)]
    pub address: Option<String>,
    /// Only mail with this Message-ID.
    #[arg(long, value_name = "ID")]
    pub message_id: Option<String>,
    /// Most rows.
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
    /// Rows older than this one: the "row" of the last row of the page before.
    #[arg(long, value_name = "ROW")]
    pub before: Option<i64>,
    /// Organisation.
    #[command(flatten)]
    pub organisation: OrganisationArg,
}

#[derive(Serialize)]
struct Row {
    queue_id: String,
    #[serde(flatten)]
    row: OverviewRow,
}

/// Lists mails, newest first, or shows one.
pub async fn mails(cli: &Cli, arguments: &MailsArgs, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    if let Some(mail) = &arguments.mail {
        return show(&admin, mail, output).await;
    }
    let organisation = admin
        .optional_organisation_id(&arguments.organisation)
        .await?;
    let filter = OverviewFilter {
        organisation,
        status: arguments.status,
        direction: arguments.direction,
        delivery: arguments.delivery,
        party: arguments.address.clone(),
        message_id: arguments.message_id.clone(),
        before: arguments.before,
        limit: arguments.limit,
        ..OverviewFilter::default()
    };
    let rows = admin.store.overview(filter).await?;
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
                "QUEUE ID",
                "TIME",
                "DIRECTION",
                "FROM",
                "TO",
                "STATUS",
                "DELIVERY",
            ],
            &cells,
        )
    })
}

fn cells(row: &Row) -> Vec<String> {
    let from = row
        .row
        .header_from
        .as_ref()
        .or(row.row.envelope_from.as_ref());
    vec![
        row.queue_id.clone(),
        row.row.at.rfc3339(),
        word_of(&row.row.direction),
        from.map_or_else(|| "<>".to_owned(), ToString::to_string),
        row.row.recipient.to_string(),
        row.row.status.as_str().to_owned(),
        row.row.delivery.as_str().to_owned(),
    ]
}

async fn show(admin: &Admin, mail: &str, output: Output) -> Done {
    let found = match read_queue_id(mail) {
        Some(id) => admin.store.lines(id).await?,
        None => None,
    };
    let (record, lines) = found.ok_or_else(|| {
        Failure::new(format_args!(
            "there is no mail {mail}; list them with: sealgate mails"
        ))
    })?;
    let shown = serde_json::json!({ "queue_id": mail, "mail": record, "recipients": lines });
    output.show(&shown, |_| {
        let mut text = format!(
            "mail {mail}, {} octets, handed in by {}\n",
            record.size, record.handed_in_by
        );
        for line in &lines {
            text.push_str(&format!(
                "\nto {}: {}, {}\n",
                line.line.recipient,
                line.line.status.as_str(),
                line.delivery.as_str()
            ));
            let verdicts = [
                ("signature ", &line.line.signature),
                ("encryption", &line.line.encryption),
            ];
            for (what, verdict) in verdicts {
                if let Some(verdict) = verdict {
                    text.push_str(&format!("{what}  {verdict}\n"));
                }
            }
            text.push_str(&explain::human(&line.line.trace));
            let said = line.delivery_text.as_ref().map(ToString::to_string);
            for told in [line.line.refusal.as_ref(), said.as_ref()]
                .into_iter()
                .flatten()
            {
                text.push_str(&format!("told        {told}\n"));
            }
        }
        text
    })
}
