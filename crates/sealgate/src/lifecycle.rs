//! What commands do about mailboxes' certificates beside the store: work on orders to the built-in CA, read files of
//! correspondents, and wait until a change is live.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use sealgate_net::dns::Dns;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::KeyKind;
use sealgate_store::{Liveness, Scope, Store};
use tokio::sync::Notify;

use crate::authorities::Connectors;
use crate::cmd::{Failure, read_input};
use crate::config::Config;
use crate::gateway::now;
use crate::limits::{LIVE_WAIT, SETTLED_SHOWN, VERSION_POLL};
use crate::orders::{self, Desk};

/// Works on what an organisation's orders and revocations ask of the built-in CA, until nothing is due; shows how many
/// are done where somebody watches.
pub async fn settle(store: &Store, config: &Config, organisation: &str) -> Result<(), Failure> {
    let scope = Scope {
        organisation: Some(store.organisation(organisation).await?),
        built_in: true,
        authority: None,
    };
    let dns = Dns::new(config.dns_config().map_err(Failure::new)?)?;
    let desk = Arc::new(Desk {
        store: store.clone(),
        connectors: Connectors::new(store.clone(), config.clone(), dns),
        gateway: None,
        done: Notify::new(),
    });
    let watched = std::io::stderr().is_terminal();
    let show = |done: usize| {
        if watched && done.is_multiple_of(SETTLED_SHOWN) {
            eprint!("\r{done} certificates done");
        }
    };
    orders::settle(&desk, scope, show).await?;
    if watched {
        eprint!("\r");
    }
    Ok(())
}

/// The kind of key that a word names.
pub fn key_kind(word: &str) -> Result<KeyKind, String> {
    match word {
        "rsa-3072" => Ok(KeyKind::Rsa3072),
        "p-256" => Ok(KeyKind::P256),
        "p-384" => Ok(KeyKind::P384),
        _ => Err(format!(
            "\"{word}\" is no kind of key; write rsa-3072, p-256 or p-384"
        )),
    }
}

/// Reads the one certificate of a correspondent from a file and refuses what cannot be encrypted to (S86, A20).
pub fn correspondent_certificate(path: &Path) -> Result<Certificate, Failure> {
    let certificates = Certificate::read_all(&read_input(path)?)
        .map_err(|error| Failure::new(format_args!("{}: {error}", path.display())))?;
    let [certificate] = certificates.as_slice() else {
        return Err(Failure::new(format_args!(
            "{} holds {} certificates; give a file with just one",
            path.display(),
            certificates.len()
        )));
    };
    match certificate.import_refusal() {
        Some(refusal) => Err(Failure::new(format_args!("{}: {refusal}", path.display()))),
        None => Ok(certificate.clone()),
    }
}

/// Waits until a running gateway decides by configuration `version`; says since when, or that none runs.
pub async fn wait_until_live(store: &Store, version: u64) -> Result<String, Failure> {
    let deadline = tokio::time::Instant::now() + LIVE_WAIT;
    loop {
        match store.liveness(version, now()).await? {
            Liveness::NobodyServes => return Ok("stored; no gateway is running now".to_owned()),
            Liveness::Live => return Ok("live: the next mail is decided by it".to_owned()),
            Liveness::NotYet if tokio::time::Instant::now() >= deadline => {
                return Ok("stored; the running gateway has not loaded it yet".to_owned());
            }
            Liveness::NotYet => tokio::time::sleep(VERSION_POLL / 4).await,
        }
    }
}
