//! Partners: algorithms agreed with external addresses and domains.

use clap::Subcommand;
use sealgate_core::change::Change;
use sealgate_core::rules::Entry;
use sealgate_core::tenant::Partner;
use sealgate_smime::profile::Profile;

use super::Admin;
use crate::cmd::{Cli, Done, Failure, OrganisationArg, Output, table};

/// Verbs for partners.
#[derive(Debug, Subcommand)]
pub enum PartnerCommand {
    /// Agree on a profile of algorithms with an external address or domain, or change it.
    Add {
        /// Address or domain; an address counts before its domain.
        external: Entry,
        /// default, modern, edi-energy or legacy.
        profile: Profile,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Remove a partner: what its recipients announced counts again.
    Remove {
        /// Address or domain.
        external: Entry,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// List the partners.
    List {
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
}

/// Carries out a verb for partners.
pub async fn partner(cli: &Cli, command: &PartnerCommand, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    match command {
        PartnerCommand::Add {
            external,
            profile,
            organisation,
        } => {
            let partner = Partner {
                external: external.clone(),
                profile: *profile,
            };
            admin
                .one(organisation, Change::PutPartner(partner), output)
                .await
        }
        PartnerCommand::Remove {
            external,
            organisation,
        } => {
            let known = partners(&admin, organisation).await?;
            if !known.iter().any(|one| one.external == *external) {
                return Err(Failure::new(format_args!(
                    "there is no partner {external}; list them with: sealgate partner list"
                )));
            }
            let change = Change::RemovePartner(external.clone());
            admin.one(organisation, change, output).await
        }
        PartnerCommand::List { organisation } => {
            let known = partners(&admin, organisation).await?;
            output.show(&known, |known| {
                let rows: Vec<_> = known
                    .iter()
                    .map(|one| vec![one.external.to_string(), one.profile.to_string()])
                    .collect();
                table(&["EXTERNAL", "PROFILE"], &rows)
            })
        }
    }
}

async fn partners(admin: &Admin, organisation: &OrganisationArg) -> Result<Vec<Partner>, Failure> {
    let name = admin.organisation(organisation).await?;
    Ok(admin.described(&name).await?.described.partners)
}
