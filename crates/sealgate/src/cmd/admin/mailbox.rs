//! Known mailboxes and their certificates: add, remove, activate, upload, deactivate, list.

use std::collections::HashMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use sealgate_core::change::{Activation, Change};
use sealgate_core::saying::Saying;
use sealgate_core::tenant::{Language, Mailbox, MailboxState};
use sealgate_mail::Address;
use sealgate_portal::terms::mailbox_state;
use serde::Serialize;

use super::Admin;
use crate::cmd::{CODE_NO, Cli, Done, Failure, OrganisationArg, Output, address_argument, table};
use crate::lifecycle;
use crate::office::bulk::called;

/// Verbs for mailboxes.
#[derive(Debug, Subcommand)]
pub enum MailboxCommand {
    /// Add known mailboxes to the inbound route of their domain.
    Add {
        /// Addresses.
        #[arg(required = true, value_parser = address_argument)]
        addresses: Vec<Address>,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Remove a known mailbox; its keys stay for decryption.
    Remove {
        /// Address.
        #[arg(value_parser = address_argument)]
        address: Address,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Activate mailboxes: certificates are ordered, as many as there are licences.
    Activate(Box<ActivateArgs>),
    /// Activate a mailbox with an uploaded PKCS#12 file.
    Upload {
        /// Address.
        #[arg(value_parser = address_argument)]
        address: Address,
        /// The file.
        file: PathBuf,
        /// Its password; asked from standard input if absent.
        #[arg(long)]
        password: Option<String>,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Deactivate mailboxes: they sign no more and their certificates are revoked; their keys stay for decryption.
    Deactivate {
        /// Addresses.
        #[arg(required_unless_present = "all", value_parser = address_argument)]
        addresses: Vec<Address>,
        /// All active mailboxes.
        #[arg(long, conflicts_with = "addresses")]
        all: bool,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Say that a certificate that was uploaded or ordered by hand is revoked where it came from.
    ConfirmRevoked {
        /// Address.
        #[arg(value_parser = address_argument)]
        address: Address,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// List known mailboxes.
    List {
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
}

/// Options of `mailbox activate`.
#[derive(Debug, Args)]
pub struct ActivateArgs {
    /// Addresses.
    #[arg(required_unless_present = "all", value_parser = address_argument)]
    addresses: Vec<Address>,
    /// All inactive mailboxes.
    #[arg(long, conflicts_with = "addresses")]
    all: bool,
    /// The authority to order from; the standard one if absent.
    #[arg(long, value_name = "NAME")]
    authority: Option<String>,
    /// Kind of key: rsa-3072, p-256 or p-384.
    #[arg(long, default_value = "rsa-3072", value_parser = lifecycle::key_kind)]
    key: sealgate_smime::key::KeyKind,
    /// The token to make the keys on; in the store if absent.
    #[arg(long, value_name = "NAME")]
    token: Option<String>,
    /// Organisation.
    #[command(flatten)]
    organisation: OrganisationArg,
}

/// Carries out a verb for mailboxes.
pub async fn mailbox(cli: &Cli, command: &MailboxCommand, output: Output) -> Done {
    use MailboxCommand as C;
    let admin = Admin::open(cli).await?;
    match command {
        C::Add {
            addresses,
            organisation,
        } => {
            let name = admin.organisation(organisation).await?;
            admin
                .report(
                    &name,
                    addresses.iter().cloned().map(Change::AddMailbox).collect(),
                    output,
                )
                .await
        }
        C::Remove {
            address,
            organisation,
        } => {
            must_be_known(&admin, organisation, address).await?;
            admin
                .one(organisation, Change::RemoveMailbox(address.clone()), output)
                .await
        }
        C::Activate(arguments) => activate(&admin, arguments, output).await,
        C::Upload {
            address,
            file,
            password,
            organisation,
        } => {
            let password = password
                .clone()
                .map_or_else(crate::cmd::read_password, Ok)?;
            let import = crate::description::read_pkcs12(file, &password, address)?;
            admin
                .one(organisation, Change::ImportKeys(import), output)
                .await
        }
        C::Deactivate {
            addresses,
            all,
            organisation,
        } => {
            let active = all.then_some(MailboxState::Active);
            let many = many(&admin, (addresses, active), organisation).await?;
            let deactivate = |mailbox: &Address| Change::Deactivate(mailbox.clone());
            together(&admin, (many, organisation), deactivate, output).await
        }
        C::ConfirmRevoked {
            address,
            organisation,
        } => {
            admin
                .one(
                    organisation,
                    Change::ConfirmRevoked(address.clone()),
                    output,
                )
                .await
        }
        C::List { organisation } => list_mailboxes(&admin, organisation, output).await,
    }
}

/// Orders certificates for as many of the mailboxes as there are licences.
async fn activate(admin: &Admin, arguments: &ActivateArgs, output: Output) -> Done {
    if let Some(token) = &arguments.token {
        admin.config.must_have_token(token).map_err(Failure::new)?;
    }
    let inactive = arguments.all.then_some(MailboxState::Inactive);
    let chosen = (arguments.addresses.as_slice(), inactive);
    let many = many(admin, chosen, &arguments.organisation).await?;
    let order = |mailbox: &Address| {
        Change::Activate(Activation {
            mailbox: mailbox.clone(),
            authority: arguments.authority.clone(),
            key: arguments.key,
            token: arguments.token.clone(),
        })
    };
    together(admin, (many, &arguments.organisation), order, output).await
}

/// The mailboxes that are named, or all in a state, in the order of the table (A14).
async fn many(
    admin: &Admin,
    (named, state): (&[Address], Option<MailboxState>),
    organisation: &OrganisationArg,
) -> Result<Vec<Address>, Failure> {
    let Some(state) = state else {
        let mut named = named.to_vec();
        named.sort();
        named.dedup();
        return Ok(named);
    };
    let rows = known_mailboxes(admin, organisation).await?;
    let found = rows.iter().filter(|mailbox| mailbox.state == state);
    Ok(found.map(|mailbox| mailbox.address.clone()).collect())
}

#[derive(Serialize)]
struct Together {
    organisation: String,
    done: Vec<Outcome>,
    refused: Vec<Refused>,
    live: String,
}

#[derive(Serialize)]
struct Outcome {
    mailbox: Address,
    state: MailboxState,
}

/// A mailbox that a change was refused for.
#[derive(Serialize)]
pub(super) struct Refused {
    pub mailbox: Address,
    pub why: String,
}

/// The same change to many mailboxes: those that cannot are named with the reason, the others are done (A14). If none can,
/// that is a failure.
async fn together(
    admin: &Admin,
    (mailboxes, organisation): (Vec<Address>, &OrganisationArg),
    change: impl Fn(&Address) -> Change,
    output: Output,
) -> Done {
    let name = admin.organisation(organisation).await?;
    let changes: Vec<Change> = mailboxes.iter().map(change).collect();
    if changes.is_empty() {
        return Err(Failure::new(
            "no mailbox is meant: `sealgate mailbox list` shows where they stand",
        ));
    }
    let what = called(changes.first(), changes.len());
    let changed = admin.instruct_many(&name, (what, None), &changes).await?;
    let (mut refused, mut done) = split(&mailboxes, &changed.refused);
    let states: HashMap<Address, MailboxState> = known_mailboxes(admin, organisation)
        .await?
        .into_iter()
        .map(|mailbox| (mailbox.address, mailbox.state))
        .collect();
    let state = |mailbox: &Address| states.get(mailbox).copied();
    if let Some(Change::Activate(_)) = changes.first() {
        let failed = |mailbox: &Address| state(mailbox) == Some(MailboxState::Inactive);
        refused.extend(
            done.extract_if(.., |mailbox| failed(mailbox))
                .map(order_failed),
        );
    }
    if let ([], Some(Refused { why, .. })) = (done.as_slice(), refused.first()) {
        return Err(Failure::new(match refused.len() {
            1 => why.clone(),
            count => format!("{why}; and {} more were refused", count.saturating_sub(1)),
        }));
    }
    let done = Together {
        organisation: name,
        done: done
            .into_iter()
            .filter_map(|mailbox| {
                let state = state(&mailbox)?;
                Some(Outcome { mailbox, state })
            })
            .collect(),
        refused,
        live: changed.live,
    };
    output.show(&done, human)?;
    match done.refused.len() {
        0 => Ok(()),
        count => Err(Failure {
            message: format!("{count} of {} mailboxes were refused", mailboxes.len()),
            code: CODE_NO,
        }),
    }
}

/// A mailbox whose order was refused by its authority at once.
fn order_failed(mailbox: Address) -> Refused {
    let why = format!("the order for {mailbox} failed: `sealgate order list --all` says why");
    Refused { mailbox, why }
}

fn human(done: &Together) -> String {
    let mut text = String::new();
    for outcome in &done.done {
        let state = mailbox_state(outcome.state, Language::En);
        text.push_str(&format!("{}: {state}\n", outcome.mailbox));
    }
    for refused in &done.refused {
        text.push_str(&format!("not done: {}\n", refused.why));
    }
    if let Some(hint) = done.done.iter().find_map(|outcome| hint(outcome.state)) {
        text.push_str(&format!("{hint}\n"));
    }
    format!("{text}{}\n", done.live)
}

/// What to look at where something is not at its end yet.
const fn hint(state: MailboxState) -> Option<&'static str> {
    match state {
        MailboxState::ActivationPending => {
            Some("`sealgate order list` shows how far the orders are")
        }
        MailboxState::RevokePending => {
            Some("`sealgate order revocations` shows how far the revocations are")
        }
        MailboxState::Inactive | MailboxState::Active => None,
    }
}

/// Those that were refused, and those that were not.
pub(super) fn split(
    mailboxes: &[Address],
    refused: &[(usize, Saying)],
) -> (Vec<Refused>, Vec<Address>) {
    let why: HashMap<usize, &Saying> = refused.iter().map(|(place, why)| (*place, why)).collect();
    let mut parts = (Vec::new(), Vec::new());
    for (place, mailbox) in mailboxes.iter().enumerate() {
        match why.get(&place) {
            Some(why) => parts.0.push(Refused {
                mailbox: mailbox.clone(),
                why: why.to_string(),
            }),
            None => parts.1.push(mailbox.clone()),
        }
    }
    parts
}

async fn must_be_known(admin: &Admin, organisation: &OrganisationArg, address: &Address) -> Done {
    let known = known_mailboxes(admin, organisation).await?;
    if known.iter().any(|mailbox| mailbox.address == *address) {
        return Ok(());
    }
    Err(Failure::new(format_args!(
        "{address} is no known mailbox; add it with: sealgate mailbox add {address}"
    )))
}

/// The known mailboxes, in the order of the table.
async fn known_mailboxes(
    admin: &Admin,
    organisation: &OrganisationArg,
) -> Result<Vec<Mailbox>, Failure> {
    let name = admin.organisation(organisation).await?;
    let installation = admin.store.installation().await?;
    let mut mailboxes: Vec<Mailbox> = installation
        .organisations()
        .iter()
        .filter(|organisation| organisation.name == name)
        .flat_map(|organisation| organisation.mailboxes.values().cloned())
        .collect();
    mailboxes.sort_by(|a, b| a.address.cmp(&b.address));
    Ok(mailboxes)
}

#[derive(Serialize)]
struct MailboxRow {
    mailbox: Address,
    domain: String,
    state: MailboxState,
    certificate_id: Option<i64>,
    valid_until: Option<String>,
}

async fn list_mailboxes(admin: &Admin, organisation: &OrganisationArg, output: Output) -> Done {
    let known = known_mailboxes(admin, organisation).await?;
    let rows: Vec<MailboxRow> = known.iter().map(mailbox_row).collect();
    output.show(&rows, |rows| {
        let cells: Vec<_> = rows
            .iter()
            .map(|row| {
                vec![
                    row.certificate_id
                        .map(|id| id.to_string())
                        .unwrap_or_default(),
                    row.mailbox.local().to_owned(),
                    row.domain.clone(),
                    mailbox_state(row.state, Language::En).to_owned(),
                    row.valid_until.clone().unwrap_or_default(),
                ]
            })
            .collect();
        table(
            &[
                "CERTIFICATE ID",
                "MAILBOX",
                "DOMAIN",
                "S/MIME",
                "VALID UNTIL",
            ],
            &cells,
        )
    })
}

fn mailbox_row(mailbox: &Mailbox) -> MailboxRow {
    let current = mailbox
        .signing
        .filter(|_| mailbox.state == MailboxState::Active);
    MailboxRow {
        mailbox: mailbox.address.clone(),
        domain: mailbox.address.domain().to_string(),
        state: mailbox.state,
        certificate_id: current.map(|current| current.key.0),
        valid_until: current.map(|current| current.not_after.rfc3339()),
    }
}
