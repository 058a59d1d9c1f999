//! The audit log: every change, by whom and when, and whether any line is missing or was changed.

use clap::Args;
use sealgate_store::AuditLine;
use serde::Serialize;

use super::admin::Admin;
use super::{CODE_NO, Cli, Done, Failure, Output, table};
use crate::limits::LIST_PAGE;

/// Options of `audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Only lines after the one with this number.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    after: i64,
    /// At most so many.
    #[arg(long, value_name = "COUNT", default_value_t = LIST_PAGE, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Only say whether the log is whole: exit code 3 if a line is missing or was changed.
    #[arg(long)]
    verify: bool,
}

#[derive(Serialize)]
struct AuditRow {
    #[serde(flatten)]
    line: AuditLine,
    time: String,
}

/// Lists the audit log, oldest first, or follows its chain.
pub async fn audit(cli: &Cli, arguments: &AuditArgs, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    if arguments.verify {
        return verify(&admin, output).await;
    }
    let lines = admin.store.audit(arguments.after, arguments.limit).await?;
    let row = |line: AuditLine| AuditRow {
        time: line.at.rfc3339(),
        line,
    };
    let rows: Vec<_> = lines.into_iter().map(row).collect();
    output.show(&rows, |rows| {
        let cells: Vec<_> = rows
            .iter()
            .map(|row| {
                vec![
                    row.line.id.to_string(),
                    row.time.clone(),
                    row.line.who.clone(),
                    row.line.organisation.clone(),
                    row.line.text.clone(),
                ]
            })
            .collect();
        table(&["NUMBER", "TIME", "WHO", "ORGANISATION", "WHAT"], &cells)
    })
}

async fn verify(admin: &Admin, output: Output) -> Done {
    let broken = admin.store.audit_break().await?;
    let whole = serde_json::json!({ "whole": broken.is_none(), "first_wrong": broken });
    match broken {
        None => output.show(&whole, |_| "the audit log is whole\n".to_owned()),
        Some(line) => {
            if output.json {
                output.show(&whole, |_| String::new())?;
            }
            Err(Failure {
                message: format!(
                    "the audit log is not whole: line {line} is missing, or it or the one before was changed"
                ),
                code: CODE_NO,
            })
        }
    }
}
