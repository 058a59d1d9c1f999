//! `apply`: makes an organisation exactly what a file describes.

use std::path::{Path, PathBuf};

use clap::Args;
use sealgate_core::change::{describe, diff};
use serde::Serialize;

use super::{Cli, Done, Failure, Output, admin};
use crate::description::Description;

/// Options of `apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// TOML or JSON file; docs/apply.md describes it.
    pub file: PathBuf,
    /// Print the difference and change nothing.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Serialize)]
struct Applied {
    organisation: String,
    dry_run: bool,
    changes: Vec<String>,
    live: String,
}

/// Compares the file with the store and carries out the difference in one transaction.
pub async fn apply(cli: &Cli, arguments: &ApplyArgs, output: Output) -> Done {
    let description = Description::read(&arguments.file)?;
    let admin = admin::Admin::open(cli).await?;
    let directory = arguments.file.parent().unwrap_or(Path::new("."));
    let current = admin.described(&description.organisation).await?;
    let desired = description.resolve(directory, &current.described)?;
    let changes = diff(&current.described, &desired);
    let mut lines: Vec<_> = changes
        .iter()
        .map(|change| describe(change).to_string())
        .collect();
    if !current.exists {
        lines.insert(
            0,
            format!("create organisation {}", description.organisation),
        );
    }
    let create = (!current.exists).then_some(desired.settings);
    // Everything is tried before keys are made, so that what cannot be is found out early and leaves nothing.
    admin
        .rehearse(&description.organisation, create, changes.clone())
        .await?;
    let live = if arguments.dry_run || lines.is_empty() {
        "nothing was changed".to_owned()
    } else {
        admin
            .change(&description.organisation, create, changes)
            .await?
    };
    let applied = Applied {
        organisation: description.organisation,
        dry_run: arguments.dry_run,
        changes: lines,
        live,
    };
    output.show(&applied, human)
}

fn human(applied: &Applied) -> String {
    if applied.changes.is_empty() {
        return format!("{} is already as described\n", applied.organisation);
    }
    let heading = if applied.dry_run {
        "would change"
    } else {
        "changed"
    };
    let lines: String = applied
        .changes
        .iter()
        .map(|line| format!("  {line}\n"))
        .collect();
    format!(
        "{} {heading}:\n{lines}{}\n",
        applied.organisation, applied.live
    )
}

/// A refusal that names the organisation and how to make it.
pub fn no_such_organisation(name: &str) -> Failure {
    Failure::new(format_args!(
        "there is no organisation \"{name}\"; make it with: sealgate organisation create {name}"
    ))
}
