//! Known mailboxes and their certificates: add, remove, activate, upload, deactivate, list.

use sealgate_core::change::DescribedKeys;
use sealgate_portal::terms::mailbox_state;

use super::Admin;
use crate::cmd::{Cli, Done, Failure, OrganisationArg, Output, address_argument, table};
use crate::lifecycle;
use clap::Subcommand;
use sealgate_core::change::Change;
use sealgate_core::tenant::{Language, MailboxState};
use sealgate_mail::Address;
use serde::Serialize;
use std::path::PathBuf;

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
    /// Activate mailboxes with certificates of the built-in CA.
    Activate {
        /// Addresses.
        #[arg(required = true, value_parser = address_argument)]
        addresses: Vec<Address>,
        /// Kind of key: rsa-3072, p-256 or p-384.
        #[arg(long, default_value = "rsa-3072", value_parser = lifecycle::key_kind)]
        key: sealgate_smime::key::KeyKind,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
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
    /// Deactivate a mailbox; its keys stay for decryption.
    Deactivate {
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
            is_active(&admin, organisation, address).await?;
            admin
                .one(organisation, Change::RemoveMailbox(address.clone()), output)
                .await
        }
        C::Activate {
            addresses,
            key,
            organisation,
        } => activate(&admin, (addresses, *key), organisation, output).await,
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
            address,
            organisation,
        } => {
            if !is_active(&admin, organisation, address).await? {
                return Err(Failure::new(format_args!(
                    "mailbox {address} is not active"
                )));
            }
            admin
                .one(organisation, Change::Deactivate(address.clone()), output)
                .await
        }
        C::List { organisation } => list_mailboxes(&admin, organisation, output).await,
    }
}

/// Activates mailboxes with certificates of the built-in CA; all of them, or none.
async fn activate(
    admin: &Admin,
    (addresses, key): (&[Address], sealgate_smime::key::KeyKind),
    organisation: &OrganisationArg,
    output: Output,
) -> Done {
    let name = admin.organisation(organisation).await?;
    for address in addresses {
        if is_active(admin, organisation, address).await? {
            return Err(Failure::new(format_args!(
                "mailbox {address} is active already"
            )));
        }
    }
    let changes = addresses
        .iter()
        .map(|address| Change::Activate(address.clone(), key))
        .collect();
    admin.report(&name, changes, output).await
}

/// Whether a known mailbox is active: only then it can be deactivated, only else activated (S36, S40).
async fn is_active(
    admin: &Admin,
    organisation: &OrganisationArg,
    address: &Address,
) -> Result<bool, Failure> {
    let name = admin.organisation(organisation).await?;
    let mailboxes = admin.described(&name).await?.described.mailboxes;
    let mailbox = mailboxes
        .iter()
        .find(|mailbox| mailbox.address == *address)
        .ok_or_else(|| {
            Failure::new(format_args!(
                "{address} is no known mailbox; add it with: sealgate mailbox add {address}"
            ))
        })?;
    Ok(!matches!(mailbox.keys, DescribedKeys::Inactive))
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
    let name = admin.organisation(organisation).await?;
    let installation = admin.store.installation().await?;
    let found = installation
        .organisations()
        .iter()
        .find(|organisation| organisation.name == name);
    let mut rows: Vec<MailboxRow> = found
        .into_iter()
        .flat_map(|organisation| organisation.mailboxes.values())
        .map(mailbox_row)
        .collect();
    rows.sort_by(|a, b| a.mailbox.cmp(&b.mailbox));
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

fn mailbox_row(mailbox: &sealgate_core::tenant::Mailbox) -> MailboxRow {
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
