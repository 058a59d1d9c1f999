//! Correspondents' keys: import, remove, list.

use super::{Admin, word_of};
use crate::cmd::{Cli, Done, Failure, OrganisationArg, Output, table};
use crate::lifecycle;
use clap::Subcommand;
use sealgate_core::change::Change;
use sealgate_mail::Address;
use sealgate_store::CorrespondentFilter;
use serde::Serialize;
use std::path::PathBuf;

/// Verbs for correspondents' keys.
#[derive(Debug, Subcommand)]
pub enum CorrespondentCommand {
    /// Import the certificate of an external mailbox.
    Import {
        /// PEM or DER file.
        file: PathBuf,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Remove an imported certificate.
    Remove {
        /// PEM or DER file of the same certificate.
        file: PathBuf,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// List correspondents' keys, harvested ones too.
    List {
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
}

/// Carries out a verb for correspondents' keys.
pub async fn correspondent(cli: &Cli, command: &CorrespondentCommand, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    match command {
        CorrespondentCommand::Import { file, organisation } => {
            let certificate = lifecycle::correspondent_certificate(file)?;
            admin
                .one(organisation, Change::PutCorrespondent(certificate), output)
                .await
        }
        CorrespondentCommand::Remove { file, organisation } => {
            let certificate = lifecycle::correspondent_certificate(file)?;
            let name = admin.organisation(organisation).await?;
            let known = admin.described(&name).await?.described.correspondents;
            if !known.contains(&certificate) {
                return Err(Failure::new(format_args!(
                    "the certificate in {} was not imported, so it cannot be removed",
                    file.display()
                )));
            }
            admin
                .one(
                    organisation,
                    Change::RemoveCorrespondent(certificate.fingerprint()),
                    output,
                )
                .await
        }
        CorrespondentCommand::List { organisation } => {
            list_correspondents(&admin, organisation, output).await
        }
    }
}

#[derive(Serialize)]
struct CorrespondentRow {
    address: Address,
    subject: String,
    issuer: String,
    serial: String,
    valid_until: String,
    origin: sealgate_core::tenant::Origin,
    state: sealgate_core::tenant::CorrespondentState,
}

async fn list_correspondents(
    admin: &Admin,
    organisation: &OrganisationArg,
    output: Output,
) -> Done {
    let name = admin.organisation(organisation).await?;
    let organisation = admin.store.organisation(&name).await?;
    let keys = admin
        .store
        .list_correspondents(
            organisation,
            CorrespondentFilter {
                after: None,
                limit: u32::MAX,
            },
        )
        .await?;
    let rows: Vec<_> = keys
        .into_iter()
        .map(|key| CorrespondentRow {
            subject: key.certificate.subject_name(),
            issuer: key.certificate.issuer_name(),
            serial: key.certificate.serial_hex(),
            valid_until: key.certificate.not_after().rfc3339(),
            address: key.address,
            origin: key.origin,
            state: key.state,
        })
        .collect();
    output.show(&rows, |rows| {
        let cells: Vec<_> = rows
            .iter()
            .map(|row| {
                vec![
                    row.address.to_string(),
                    row.issuer.clone(),
                    row.valid_until.clone(),
                    word_of(&row.origin),
                    word_of(&row.state),
                ]
            })
            .collect();
        table(
            &["ADDRESS", "ISSUED BY", "VALID UNTIL", "ORIGIN", "STATE"],
            &cells,
        )
    })
}
