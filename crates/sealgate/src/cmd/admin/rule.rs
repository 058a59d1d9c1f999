//! Encryption rules: list, add, move, delete.

use super::{Admin, word, word_of};
use crate::cmd::{Cli, Done, Failure, OrganisationArg, Output, table};
use clap::{Args, Subcommand};
use sealgate_core::change::Change;
use sealgate_core::rules::{InboundMode, OutboundMode, Pattern, Rule, RuleId};

/// Verbs for encryption rules.
#[derive(Debug, Subcommand)]
pub enum RuleCommand {
    /// List the rules, priority 1 first.
    List {
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Add a rule with the highest priority.
    Add(RuleAdd),
    /// Give a rule another priority.
    Move {
        /// Present priority.
        from: usize,
        /// New priority.
        to: usize,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Delete a rule.
    Delete {
        /// Its priority.
        priority: usize,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
}

/// A rule on the command line.
#[derive(Debug, Args)]
pub struct RuleAdd {
    /// Mailboxes and domains of the organisation, or "all".
    #[arg(long, default_value = "all")]
    managed: Pattern,
    /// External mailboxes and domains, or "all".
    #[arg(long, default_value = "all")]
    external: Pattern,
    /// do-not-decrypt, optional, always or enforce; absent: not defined.
    #[arg(long, value_parser = word::<InboundMode>)]
    inbound: Option<InboundMode>,
    /// neither, sign-only, optional or enforce; absent: not defined.
    #[arg(long, value_parser = word::<OutboundMode>)]
    outbound: Option<OutboundMode>,
    /// Organisation.
    #[command(flatten)]
    organisation: OrganisationArg,
}

/// Carries out a verb for encryption rules.
pub async fn rule(cli: &Cli, command: &RuleCommand, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    let argument = match command {
        RuleCommand::Add(add) => &add.organisation,
        RuleCommand::List { organisation }
        | RuleCommand::Move { organisation, .. }
        | RuleCommand::Delete { organisation, .. } => organisation,
    };
    let name = admin.organisation(argument).await?;
    let mut rules = admin.described(&name).await?.described.rules;
    match command {
        RuleCommand::List { .. } => return output.show(&rules, |rules| rule_table(rules)),
        RuleCommand::Add(add) => rules.insert(
            0,
            Rule {
                id: RuleId(0),
                managed: add.managed.clone(),
                external: add.external.clone(),
                inbound: add.inbound,
                outbound: add.outbound,
            },
        ),
        RuleCommand::Move { from, to, .. } => {
            let rule = rules.remove(position(*from, rules.len())?);
            rules.insert(position(*to, rules.len().saturating_add(1))?, rule);
        }
        RuleCommand::Delete { priority, .. } => {
            rules.remove(position(*priority, rules.len())?);
        }
    }
    let live = admin
        .change(&name, None, vec![Change::Rules(rules.clone())])
        .await?;
    let done = serde_json::json!({ "organisation": name, "rules": rules, "live": live });
    output.show(&done, |_| format!("{}{live}\n", rule_table(&rules)))
}

fn position(priority: usize, count: usize) -> Result<usize, Failure> {
    match priority.checked_sub(1) {
        Some(index) if index < count => Ok(index),
        _ => Err(Failure::new(format_args!(
            "there is no priority {priority}; the rules have priorities 1 to {count}"
        ))),
    }
}

/// The rules as a table, priority first.
pub fn rule_table(rules: &[Rule]) -> String {
    let mode = |word: Option<String>| word.unwrap_or_else(|| "not-defined".to_owned());
    let rows: Vec<_> = (1..)
        .zip(rules)
        .map(|(priority, rule): (usize, _)| {
            vec![
                priority.to_string(),
                rule.managed.to_string(),
                rule.external.to_string(),
                mode(rule.inbound.as_ref().map(word_of)),
                mode(rule.outbound.as_ref().map(word_of)),
            ]
        })
        .collect();
    table(
        &["PRIORITY", "MANAGED", "EXTERNAL", "INBOUND", "OUTBOUND"],
        &rows,
    )
}
