//! Organisations: create, list.

use super::{Admin, language};
use crate::cmd::{Cli, Done, Output};
use clap::Subcommand;
use sealgate_core::tenant::{Language, Settings};

/// Verbs for organisations.
#[derive(Debug, Subcommand)]
pub enum OrganisationCommand {
    /// Create an organisation.
    Create {
        /// Short name, unique in this installation.
        name: String,
        /// Language of reports: de or en.
        #[arg(long, value_parser = language, default_value = "en")]
        language: Language,
    },
    /// List the organisations.
    List,
}

/// Carries out a verb for organisations.
pub async fn organisation(cli: &Cli, command: &OrganisationCommand, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    match command {
        OrganisationCommand::Create { name, language } => {
            let settings = Settings {
                language: *language,
                ..Settings::default()
            };
            admin
                .store
                .create_organisation(name, settings, "command line", crate::gateway::now())
                .await?;
            output.show(&serde_json::json!({ "organisation": name }), |_| {
                format!("organisation {name} created\n")
            })
        }
        OrganisationCommand::List => {
            let names = admin.organisation_names().await?;
            output.show(&names, |names| {
                names.iter().map(|name| format!("{name}\n")).collect()
            })
        }
    }
}
