//! What administrators are told of.

use clap::Args;
use sealgate_core::saying::Told;
use sealgate_core::tenant::{Language, OrganisationId};
use sealgate_store::{Event, EventKind};
use serde::Serialize;

use super::{Admin, word, word_of};
use crate::cmd::{Cli, Done, Failure, OrganisationArg, Output, table};
use crate::limits::LIST_PAGE;

/// Options of `events`.
#[derive(Debug, Args)]
pub struct EventsArgs {
    /// Only events after the one with this number.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    after: i64,
    /// Only events of this kind, such as key-learned.
    #[arg(long, value_parser = word::<EventKind>)]
    kind: Option<EventKind>,
    /// At most so many.
    #[arg(long, value_name = "COUNT", default_value_t = LIST_PAGE, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Organisation.
    #[command(flatten)]
    organisation: OrganisationArg,
}

#[derive(Serialize)]
struct EventRow {
    #[serde(flatten)]
    event: Event,
    time: String,
    sentence: &'static str,
}

/// Lists an organisation's events, oldest first.
pub async fn events(cli: &Cli, arguments: &EventsArgs, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    let organisation = admin.organisation_id(&arguments.organisation).await?;
    let language = language(&admin, organisation).await?;
    let found = admin
        .store
        .events_of_kind(
            organisation,
            arguments.kind,
            arguments.after,
            arguments.limit,
        )
        .await?;
    let row = |event: Event| EventRow {
        time: event.at.rfc3339(),
        sentence: event.kind.sentence(language),
        event,
    };
    let rows: Vec<_> = found.into_iter().map(row).collect();
    output.show(&rows, |rows| {
        let cells: Vec<_> = rows
            .iter()
            .map(|row| {
                vec![
                    row.event.id.to_string(),
                    row.time.clone(),
                    word_of(&row.event.kind),
                    format!("{} {}", row.sentence, row.event.said.told(language)),
                ]
            })
            .collect();
        table(&["NUMBER", "TIME", "KIND", "WHAT"], &cells)
    })
}

/// The language of an organisation's reports, in which its administrators are told too.
async fn language(admin: &Admin, id: OrganisationId) -> Result<Language, Failure> {
    let installation = admin.store.installation().await?;
    let of = installation.organisation(id);
    Ok(of.map_or(Language::En, |of| of.settings.language))
}
