//! `explain`: which rule decides a mail, the rules passed over with the field that failed, the facts, the outcome.

use std::path::PathBuf;

use clap::Args;
use sealgate_core::journal::Trace;
use sealgate_core::rules::{Choice, DecidedBy};
use sealgate_core::settle;
use sealgate_core::tenant::Organisation;
use sealgate_mail::{Address, ReversePath};
use serde::Serialize;

use super::admin::{Admin, word_of};
use super::{Cli, Done, Failure, Output, address_argument, read_input};

use crate::gateway::now;
use crate::lookups::{self, OutboundMail, Seen};

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Envelope sender; header From too unless a message is given. `<>` is the null sender.
    #[arg(long, value_parser = reverse_path)]
    pub from: ReversePath,
    /// Recipient.
    #[arg(long, value_parser = address_argument)]
    pub to: Address,
    /// The message; without it, a plain one is taken.
    pub message: Option<PathBuf>,
}

/// Decides one recipient as the gateway would, and says why.
pub async fn explain(cli: &Cli, arguments: &ExplainArgs, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    let installation = admin.store.installation().await?;
    let sender = match &arguments.from {
        ReversePath::Null => None,
        ReversePath::Address(address) => Some(address),
    };
    let seen = seen(arguments, sender)?;
    let trace = match (
        installation.managing(arguments.to.domain()),
        sending(&installation, &seen, sender),
    ) {
        (Some(organisation), from) if from.is_none_or(|from| from.id != organisation.id) => {
            lookups::inbound(&admin.store, organisation, &seen, &arguments.to, now())
                .await?
                .settled
                .trace
        }
        (_, Some(organisation)) => {
            let sender =
                settle::outbound_sender(organisation, seen.header_from.as_ref(), sender, now());
            {
                let mail = OutboundMail {
                    organisation,
                    seen: &seen,
                    sender: &sender,
                    now: now(),
                };
                lookups::outbound(&admin.store, mail, &arguments.to)
                    .await?
                    .settled
                    .trace
            }
        }
        (_, None) => {
            return Err(Failure::new(
                "neither address is in a domain of an inbound route: this gateway has nothing to do with such a mail",
            ));
        }
    };
    output.show(&trace, |trace| human(trace))
}

fn seen(arguments: &ExplainArgs, sender: Option<&Address>) -> Result<Seen, Failure> {
    match (&arguments.message, sender) {
        (Some(path), _) => {
            let octets = read_input(path)?;
            Seen::of(&octets, &arguments.from)?
                .map_err(|error| Failure::new(format_args!("{}: {error}", path.display())))
        }
        (None, Some(sender)) => Ok(Seen::assumed(sender.clone())),
        (None, None) => Err(Failure::new(
            "a mail with null sender is explained by its message: give the file",
        )),
    }
}

/// The organisation whose address sends, by header From or envelope sender (A4).
fn sending<'a>(
    installation: &'a sealgate_core::tenant::Installation,
    seen: &Seen,
    sender: Option<&Address>,
) -> Option<&'a Organisation> {
    let of = |address: Option<&Address>| {
        address.and_then(|address| installation.managing(address.domain()))
    };
    of(seen.header_from.as_ref())
        .or_else(|| of(sender))
        .map(AsRef::as_ref)
}

fn reverse_path(text: &str) -> Result<ReversePath, String> {
    match text {
        "<>" | "" => Ok(ReversePath::Null),
        address => address_argument(address).map(ReversePath::Address),
    }
}

/// Who decided, in words: `rule 2`, `default`, or the exemption.
pub fn decided_by(trace: &Trace) -> String {
    match trace {
        Trace::Inbound {
            choice, exemption, ..
        } => by(choice.as_ref(), exemption.as_ref()),
        Trace::Outbound {
            choice, exemption, ..
        } => by(choice.as_ref(), exemption.as_ref()),
    }
}

fn by<M: Serialize>(
    choice: Option<&Choice<M>>,
    exemption: Option<&sealgate_core::journal::Exemption>,
) -> String {
    match (choice, exemption) {
        (Some(choice), _) => {
            let mode = word_of(&choice.mode);
            match choice.decided_by {
                DecidedBy::Rule { priority, .. } => format!("rule {priority}: {mode}"),
                DecidedBy::Default => format!("default: {mode}"),
            }
        }
        (None, Some(exemption)) => word_of(exemption),
        (None, None) => "nothing".to_owned(),
    }
}

/// A trace in lines of words.
pub fn human(trace: &Trace) -> String {
    let mut lines = vec![format!("decided by  {}", decided_by(trace))];
    match trace {
        Trace::Inbound {
            managed,
            external,
            choice,
            content,
            outcome,
            ..
        } => {
            lines.insert(
                0,
                format!(
                    "inbound     from {} to {managed}",
                    or_nobody(external.as_ref())
                ),
            );
            lines.extend(passed_over(choice.as_ref()));
            lines.push(format!("content     {}", word_of(content)));
            lines.push(format!(
                "outcome     {}",
                plain(&serde_json::to_value(outcome).unwrap_or_default())
            ));
        }
        Trace::Outbound {
            managed,
            external,
            choice,
            facts,
            outcome,
            ..
        } => {
            lines.insert(
                0,
                format!(
                    "outbound    from {} to {external}",
                    or_nobody(managed.as_ref())
                ),
            );
            lines.extend(passed_over(choice.as_ref()));
            if let Some(facts) = facts {
                lines.push(format!("sender      {}", word_of(&facts.sender)));
                lines.push(format!("recipient   key {}", word_of(&facts.recipient)));
                lines.push(format!("content     {}", word_of(&facts.content)));
            }
            lines.push(format!(
                "outcome     {}",
                plain(&serde_json::to_value(outcome).unwrap_or_default())
            ));
        }
    }
    lines.join("\n") + "\n"
}

fn passed_over<M>(choice: Option<&Choice<M>>) -> Vec<String> {
    let passed = choice
        .map(|choice| choice.passed_over.as_slice())
        .unwrap_or_default();
    passed
        .iter()
        .map(|rule| {
            format!(
                "passed over rule {} because of its field: {}",
                rule.priority,
                word_of(&rule.because)
            )
        })
        .collect()
}

fn or_nobody(address: Option<&Address>) -> String {
    address.map_or_else(|| "nobody in particular".to_owned(), Address::to_string)
}

/// An outcome in words: `refuse: no-key`, `sign-and-encrypt`.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(word) => word.clone(),
        serde_json::Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| format!("{name}: {}", plain(value)))
            .collect::<Vec<_>>()
            .join(", "),
        _ => "as it came".to_owned(),
    }
}
