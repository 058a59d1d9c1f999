//! `explain`: which rule decides a mail, the rules passed over with the field that failed, the facts, the outcome.

mod words;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use sealgate_core::directory::Word;
use sealgate_core::journal::Direction;
use sealgate_core::tenant::{Installation, Organisation};
use sealgate_mail::{Address, ReversePath};

use super::admin::{Admin, word};
use super::apply::no_such_organisation;
use super::{
    Cli, Done, Failure, OrganisationArg, Output, address_argument, configuration, read_input,
};
use crate::explaining::Thought;
use crate::gateway::{Gateway, now};
use crate::lookups::Seen;
use crate::sources;

pub use words::{decided_by, human};

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Envelope sender; header From too unless a message is given. `<>` is the null sender.
    #[arg(long, value_parser = reverse_path, value_name = "ADDRESS")]
    pub from: ReversePath,
    /// Recipient.
    #[arg(long, value_parser = address_argument, value_name = "ADDRESS")]
    pub to: Address,
    /// inbound or outbound; by the addresses if absent.
    #[arg(long, value_parser = word::<Direction>)]
    pub direction: Option<Direction>,
    /// The message; without it, a plain one is taken.
    pub message: Option<PathBuf>,
    /// Organisation that sends, where no address tells it.
    #[command(flatten)]
    pub organisation: OrganisationArg,
}

/// Decides one recipient as the gateway would, and says why.
pub async fn explain(cli: &Cli, arguments: &ExplainArgs, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    let installation = admin.store.installation().await?;
    let sender = match &arguments.from {
        ReversePath::Null => None,
        ReversePath::Address(address) => Some(address),
    };
    let mut seen = seen(arguments, sender)?;
    let (direction, organisation) = way(&installation, arguments, &seen, sender)?;
    if let (Direction::Outbound, Some(path)) = (direction, &arguments.message) {
        seen.look_for_special(&read_input(path)?, &organisation.settings)?;
    }
    let thought = Thought {
        organisation,
        direction,
        seen: &seen,
        sender,
        recipient: &arguments.to,
        now: now(),
    };
    if direction == Direction::Inbound && !thought.is_taken() {
        return Err(unknown_recipient(&arguments.to));
    }
    let words = source_words(cli, &admin, thought).await?;
    let trace = thought.trace(&admin.store, &words).await?;
    output.show(&trace, human)
}

/// What directories and DNS say of the recipient, asked as the gateway asks them; what they have is kept.
async fn source_words(
    cli: &Cli,
    admin: &Admin,
    thought: Thought<'_>,
) -> Result<Vec<Word>, Failure> {
    let unknown = thought.unknown(&admin.store).await?;
    if unknown.is_empty() {
        return Ok(Vec::new());
    }
    let gateway = Gateway::assembled(configuration(cli)?, admin.store.clone()).await?;
    let installation = gateway.installation();
    let Some(organisation) = installation.organisation(thought.organisation.id) else {
        return Ok(Vec::new());
    };
    let mut words = sources::ask(&Arc::new(gateway), organisation, unknown).await?;
    Ok(words.remove(thought.recipient).unwrap_or_default())
}

/// Which way the mail goes, and whose it is: as told, else by the addresses.
fn way<'a>(
    installation: &'a Installation,
    arguments: &ExplainArgs,
    seen: &Seen,
    sender: Option<&Address>,
) -> Result<(Direction, &'a Organisation), Failure> {
    let receiving = installation
        .managing(arguments.to.domain())
        .map(AsRef::as_ref);
    let only = match installation.organisations() {
        [only] if arguments.direction == Some(Direction::Outbound) => Some(only.as_ref()),
        _ => None,
    };
    let sending = match &arguments.organisation.organisation {
        Some(name) => Some(called(installation, name)?),
        None => sending(installation, seen, sender).or(only),
    };
    match (arguments.direction, receiving, sending) {
        (Some(Direction::Inbound), Some(receiving), _) => Ok((Direction::Inbound, receiving)),
        (Some(Direction::Outbound), _, Some(sending)) => Ok((Direction::Outbound, sending)),
        (None, Some(both), Some(sending)) if both.id == sending.id => {
            Ok((Direction::Outbound, sending))
        }
        (None, Some(receiving), _) => Ok((Direction::Inbound, receiving)),
        (None, None, Some(sending)) => Ok((Direction::Outbound, sending)),
        (Some(Direction::Inbound), None, _) => Err(Failure::new(format_args!(
            "{} is in no domain of an inbound route, so inbound mail to it is refused",
            arguments.to
        ))),
        (Some(Direction::Outbound), _, None) => Err(Failure::new(
            "neither header From nor --from is in a domain of an inbound route: name the organisation that sends with --organisation",
        )),
        (None, None, None) => Err(Failure::new(
            "neither address is in a domain of an inbound route: this gateway has nothing to do with such a mail",
        )),
    }
}

fn called<'a>(installation: &'a Installation, name: &str) -> Result<&'a Organisation, Failure> {
    let mut all = installation.organisations().iter();
    all.find(|organisation| organisation.name == name)
        .map(AsRef::as_ref)
        .ok_or_else(|| no_such_organisation(name))
}

/// Whom the inbound listener refuses at RCPT, before any rule is asked.
fn unknown_recipient(recipient: &Address) -> Failure {
    Failure::new(format_args!(
        "{recipient} is no known mailbox, so mail to it is refused with 550 5.1.1; add it with: sealgate mailbox add {recipient}"
    ))
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
    installation: &'a Installation,
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
