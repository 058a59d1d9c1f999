//! `check`: judges the configuration and says, one line each, what is wrong or unsafe.

use std::path::PathBuf;

use clap::Args;
use sealgate_mail::smtp::server::Listener;
use sealgate_store::{MasterKey, Store};
use serde::Serialize;

use super::{Cli, Done, Failure, Output, configuration};
use crate::built_in;
use crate::config::{Config, EXAMPLE};

/// Options of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Print a commented example configuration.
    #[arg(long)]
    pub example: bool,
    /// Make a master key file (0600) there; an existing file is left alone.
    #[arg(long, value_name = "FILE")]
    pub make_master_key: Option<PathBuf>,
}

#[derive(Serialize)]
struct Checked {
    configuration: PathBuf,
    warnings: Vec<String>,
    organisations: usize,
}

/// Judges the configuration; fails where the gateway could not start.
pub async fn check(cli: &Cli, arguments: &CheckArgs, output: Output) -> Done {
    if arguments.example {
        print!("{EXAMPLE}");
        return Ok(());
    }
    if let Some(path) = &arguments.make_master_key {
        MasterKey::create_file(path)?;
        let made = serde_json::json!({ "master_key": path });
        return output.show(&made, |_| {
            format!(
                "master key made: {}; keep a copy apart from the data\n",
                path.display()
            )
        });
    }
    let config = configuration(cli)?;
    crate::gateway::roots(&config)?;
    crate::sources::smimea(&config)?;
    crate::serve::acceptor(&config, Listener::Outbound)?;
    let store = crate::gateway::open_store(&config).await?;
    let checked = Checked {
        configuration: cli.config.clone(),
        warnings: [
            warnings(&config),
            about_publishing(&config, &store).await?,
            about_secrets(&store).await?,
        ]
        .concat(),
        organisations: store.organisations().await?.len(),
    };
    output.show(&checked, |checked| {
        let warnings: String = checked
            .warnings
            .iter()
            .map(|warning| format!("warning: {warning}\n"))
            .collect();
        format!(
            "{warnings}{} can be used; {} organisations\n",
            checked.configuration.display(),
            checked.organisations
        )
    })
}

/// What is unsafe or of no use in [publish].
async fn about_publishing(config: &Config, store: &Store) -> Result<Vec<String>, Failure> {
    let mut warnings = Vec::new();
    let (Some(publish), Some(addresses)) = (
        &config.publish,
        config.published_at().map_err(Failure::new)?,
    ) else {
        return Ok(warnings);
    };
    if !addresses.is_http() {
        warnings.push(format!("publish.url is {}: most programs fetch lists and OCSP answers over http:// only; both are signed, so that http is safe", publish.url));
    }
    if publish.listen.is_empty() {
        warnings.push(
            "publish.listen names no address: this gateway does not answer at publish.url itself"
                .to_owned(),
        );
    }
    let ca = built_in::find(store).await?;
    if ca.is_some_and(|ca| !ca.issuing_certificate.names_revocation()) {
        warnings.push("the built-in CA was made before [publish]: its issuing certificate names no list, the mailbox certificates from now on do".to_owned());
    }
    Ok(warnings)
}

/// Tokens that are away, and a rotation of the master key that was not finished.
async fn about_secrets(store: &Store) -> Result<Vec<String>, Failure> {
    let under_way = store.rotation_under_way().await?.map(|source| {
        format!("a rotation of the master key to {source} was begun and not finished: run `sealgate master-key rotate` again")
    });
    let tokens = store.tokens().clone();
    let states = tokio::task::spawn_blocking(move || tokens.states()).await?;
    let problems = states.into_iter().filter_map(|state| state.problem);
    Ok(under_way.into_iter().chain(problems).collect())
}

fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    if config.tls.is_none() {
        warnings.push("no [tls]: the listeners offer neither STARTTLS nor AUTH".to_owned());
    }
    if config.dns.server == "off" {
        warnings.push("dns.server is off: SPF and DKIM are not checked, so nothing is reported to strangers; mail leaves only by destinations and smarthost".to_owned());
    }
    if let Some(portal) = &config.portal {
        warnings.extend(portal.warnings());
    }
    if config.delivery.mx_loopback {
        warnings.push("delivery.mx-loopback is on: whoever owns a domain can have mail delivered to servers of this machine; unsafe outside tests".to_owned());
    }
    for allowed in &config.fetch.allow {
        warnings.push(format!("fetch.allow names {allowed}: strangers' certificates can make this gateway call there; unsafe outside tests"));
    }
    warnings
}
