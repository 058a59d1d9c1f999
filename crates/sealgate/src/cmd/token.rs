//! PKCS #11 tokens: how they are, and keys that are on them already.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use sealgate_core::change::{Change, ImportKeys, KeyOrigin, describe};
use sealgate_mail::Address;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::token::prove;
use sealgate_store::TokenState;

use super::admin::Admin;
use super::{
    Cli, Done, Failure, OrganisationArg, Output, address_argument, configuration, read_input, table,
};

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Ask every token of the configuration how it is.
    List,
    /// Use a key that is on a token already, with a certificate from elsewhere.
    Attach(AttachArgs),
}

/// Options of `token attach`.
#[derive(Debug, Args)]
pub struct AttachArgs {
    #[command(flatten)]
    organisation: OrganisationArg,
    /// The mailbox.
    #[arg(value_parser = address_argument)]
    address: Address,
    /// Name of the token.
    #[arg(long, value_name = "NAME")]
    token: String,
    /// CKA_ID of the key pair, in hexadecimal.
    #[arg(long, value_name = "HEX")]
    key_id: String,
    /// The certificate of that key, first, and its issuers'.
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
}

/// Carries out a command about tokens.
pub async fn run(cli: &Cli, command: &TokenCommand, output: Output) -> Done {
    match command {
        TokenCommand::List => list(cli, output).await,
        TokenCommand::Attach(arguments) => attach(cli, arguments, output).await,
    }
}

async fn list(cli: &Cli, output: Output) -> Done {
    let tokens = configuration(cli)?.opened_tokens().map_err(Failure::new)?;
    let states = tokio::task::spawn_blocking(move || tokens.states()).await?;
    output.show(&states, |states| {
        let cells: Vec<_> = states.iter().map(row).collect();
        table(&["TOKEN", "WHICH", "STATE", "KEYS", "LIBRARY"], &cells)
    })
}

fn row(state: &TokenState) -> Vec<String> {
    let words = state.problem.clone().unwrap_or_else(|| "ready".to_owned());
    let keys = state.keys.map(|keys| keys.to_string());
    vec![
        state.name.clone(),
        state.place.clone(),
        words,
        keys.unwrap_or_default(),
        state.module.display().to_string(),
    ]
}

async fn attach(cli: &Cli, arguments: &AttachArgs, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    let name = admin.organisation(&arguments.organisation).await?;
    let (certificate, chain) = read(arguments)?;
    let key =
        admin
            .store
            .tokens()
            .reference(&arguments.token, &arguments.key_id, certificate.spki_der());
    let key =
        key.map_err(|error| Failure::new(format_args!("key {}: {error}", arguments.key_id)))?;
    let (tried, own) = (key.clone(), certificate.clone());
    let proven = tokio::task::spawn_blocking(move || prove(&tried, &own)).await?;
    proven.map_err(|error| {
        Failure::new(format_args!(
            "key {} on token {} is not the one of that certificate, or may not do what that is for: {error}",
            arguments.key_id, arguments.token
        ))
    })?;
    let change = Change::ImportKeys(ImportKeys {
        mailbox: arguments.address.clone(),
        pairs: vec![(certificate, key)],
        chain,
        origin: KeyOrigin::Uploaded,
    });
    let line = describe(&change);
    let live = admin.change(&name, None, vec![change]).await?;
    let done = serde_json::json!({ "organisation": name, "changes": [line], "live": live });
    output.show(&done, |_| format!("{line}\n{live}\n"))
}

/// The certificate for the mailbox, and its issuers'.
fn read(arguments: &AttachArgs) -> Result<(Certificate, Vec<Certificate>), Failure> {
    let named = |problem: &str| {
        Failure::new(format_args!(
            "{}: {problem}",
            arguments.certificate.display()
        ))
    };
    let mut all = Certificate::read_all(&read_input(&arguments.certificate)?)
        .map_err(|error| named(&error.to_string()))?
        .into_iter();
    let certificate = all.next().ok_or_else(|| named("no certificate in it"))?;
    if !certificate.addresses().contains(&arguments.address) {
        return Err(named(&format!(
            "the certificate {} is not for {}",
            certificate.subject_name(),
            arguments.address
        )));
    }
    Ok((certificate, all.collect()))
}
