//! Key rings: what keys a mailbox has here, and purging old ones (A9).

use clap::{Args, Subcommand};
use sealgate_core::change::KeyOrigin;
use sealgate_core::tenant::KeyId;
use sealgate_mail::Address;
use sealgate_store::{Purge, Purged, RingKey};
use serde::Serialize;

use super::{Admin, word_of};
use crate::cmd::{Cli, Done, Failure, OrganisationArg, Output, address_argument, table};
use crate::gateway::now;
use crate::lifecycle;

/// Verbs for key rings.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// List the key ring of a mailbox; never a private key.
    List {
        /// Address of the mailbox.
        #[arg(value_parser = address_argument)]
        address: Address,
        /// Organisation.
        #[command(flatten)]
        organisation: OrganisationArg,
    },
    /// Remove private keys for good: mail that only they open stays closed for ever.
    Purge(PurgeArgs),
}

/// Options of `key purge`.
#[derive(Debug, Args)]
pub struct PurgeArgs {
    /// Address of the mailbox.
    #[arg(value_parser = address_argument)]
    address: Address,
    /// Numbers of the keys (certificate ids), as `key list` shows them.
    #[arg(conflicts_with = "all_old")]
    ids: Vec<i64>,
    /// All that are not current.
    #[arg(long)]
    all_old: bool,
    /// Yes, for good; without this nothing is done.
    #[arg(long)]
    yes: bool,
    /// Organisation.
    #[command(flatten)]
    organisation: OrganisationArg,
}

/// Carries out a verb for key rings.
pub async fn key(cli: &Cli, command: &KeyCommand, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    match command {
        KeyCommand::List {
            address,
            organisation,
        } => list(&admin, address, organisation, output).await,
        KeyCommand::Purge(arguments) => purge(&admin, arguments, output).await,
    }
}

#[derive(Serialize)]
struct KeyRow {
    certificate_id: i64,
    serial: String,
    subject: String,
    issuer: String,
    sha256: String,
    valid_from: String,
    valid_until: String,
    current: &'static str,
    origin: KeyOrigin,
    authority: Option<String>,
    token: Option<String>,
    added: String,
    to_be_revoked: bool,
}

impl KeyRow {
    fn new(key: RingKey) -> Self {
        Self {
            certificate_id: key.id.0,
            current: current(&key),
            serial: key.certificate.serial_hex(),
            subject: key.certificate.subject_name(),
            issuer: key.certificate.issuer_name(),
            sha256: key.certificate.fingerprint_hex(),
            valid_from: key.certificate.not_before().rfc3339(),
            valid_until: key.certificate.not_after().rfc3339(),
            origin: key.origin,
            authority: key.authority,
            token: key.token,
            added: key.added.rfc3339(),
            to_be_revoked: key.to_be_revoked,
        }
    }
}

/// What a key is for now.
const fn current(key: &RingKey) -> &'static str {
    match (key.signing, key.encryption) {
        (true, true) => "signing and encryption",
        (true, false) => "signing",
        (false, true) => "encryption",
        (false, false) => "only decrypting",
    }
}

async fn list(
    admin: &Admin,
    address: &Address,
    organisation: &OrganisationArg,
    output: Output,
) -> Done {
    let organisation = admin.organisation_id(organisation).await?;
    let ring = admin.store.key_ring(organisation, address).await?;
    let rows: Vec<_> = ring.into_iter().map(KeyRow::new).collect();
    output.show(&rows, |rows| {
        let cells: Vec<_> = rows.iter().map(cells).collect();
        let heading = [
            "CERTIFICATE ID",
            "SERIAL",
            "ISSUED BY",
            "VALID FROM",
            "VALID UNTIL",
            "CURRENT FOR",
            "ORIGIN",
        ];
        table(&heading, &cells)
    })
}

fn cells(row: &KeyRow) -> Vec<String> {
    let mut origin = word_of(&row.origin);
    if let Some(authority) = &row.authority {
        origin.push_str(&format!(" by {authority}"));
    }
    if let Some(token) = &row.token {
        origin.push_str(&format!(", on token {token}"));
    }
    let revoked = if row.to_be_revoked {
        ", to be revoked"
    } else {
        ""
    };
    vec![
        row.certificate_id.to_string(),
        row.serial.clone(),
        row.issuer.clone(),
        row.valid_from.clone(),
        row.valid_until.clone(),
        format!("{}{revoked}", row.current),
        origin,
    ]
}

async fn purge(admin: &Admin, arguments: &PurgeArgs, output: Output) -> Done {
    let organisation = admin.organisation_id(&arguments.organisation).await?;
    let address = &arguments.address;
    if arguments.ids.is_empty() && !arguments.all_old {
        return Err(Failure::new(format_args!(
            "name the keys by their certificate ids, or say --all-old; see them with: sealgate key list {address}"
        )));
    }
    if !arguments.yes {
        return Err(Failure::new(format_args!(
            "mail that only these keys of {address} open stays closed for ever; if that is wanted, say it again with --yes"
        )));
    }
    let which = if arguments.all_old {
        Purge::AllOld
    } else {
        Purge::These(arguments.ids.iter().copied().map(KeyId).collect())
    };
    let purged = admin
        .store
        .purge_keys((organisation, address), which, "command line", now())
        .await?;
    let live = lifecycle::wait_until_live(&admin.store, purged.version).await?;
    answer(address, &purged, &live, output)
}

fn answer(address: &Address, purged: &Purged, live: &str, output: Output) -> Done {
    let numbers: Vec<i64> = purged.keys.iter().map(|key| key.0).collect();
    let kept = purged.kept.iter();
    let kept: Vec<_> = kept
        .map(|(key, why)| serde_json::json!({ "certificate_id": key.0, "why": why }))
        .collect();
    let tokens = purged.on_tokens.iter();
    let tokens: Vec<_> = tokens
        .map(|(key, token)| serde_json::json!({ "certificate_id": key.0, "token": token }))
        .collect();
    let answer = serde_json::json!({
        "mailbox": address, "purged": numbers, "kept": kept, "on_tokens": tokens, "live": live,
    });
    output.show(&answer, |_| {
        let mut text = match numbers.len() {
            0 => format!("{address} has no old key that could be purged\n"),
            _ => {
                let shown: Vec<_> = numbers.iter().map(i64::to_string).collect();
                format!("purged keys of {address}: {}\n{live}\n", shown.join(", "))
            }
        };
        for (key, token) in &purged.on_tokens {
            text.push_str(&format!(
                "key {} is used no more, but lies on token {token}: destroy it there\n",
                key.0
            ));
        }
        for (key, why) in &purged.kept {
            text.push_str(&format!("key {} stays: {why}\n", key.0));
        }
        text
    })
}
