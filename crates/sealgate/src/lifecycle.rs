//! What a mailbox's certificate needs done outside the store: keys and certificates of the built-in CA,
//! files of correspondents, and waiting until a change is live.

use std::path::Path;
use std::sync::Arc;

use sealgate_core::change::{Change, ImportKeys, KeyOrigin};
use sealgate_core::tenant::Settings;
use sealgate_mail::Address;
use sealgate_net::ca::builtin::{self, Authority};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::{KeyKind, PrivateKey};
use sealgate_store::{BuiltInCa, Liveness, Order, Store};

use crate::cmd::{Failure, read_input};
use crate::gateway::now;
use crate::limits::{LIVE_WAIT, VERSION_POLL};
use crate::random::SystemRandom;

/// What the store is to carry out: key and certificate made for each [`Change::Activate`], and the built-in CA on its
/// first use; the other changes pass as they are.
pub async fn order(
    store: &Store,
    organisation: &str,
    create: Option<Settings>,
    changes: Vec<Change>,
) -> Result<Order, Failure> {
    let mut order = Order {
        create,
        ..Order::default()
    };
    let mut authority = None;
    for change in changes {
        let Change::Activate(mailbox, kind) = change else {
            order.changes.push(change);
            continue;
        };
        let ca = match authority.take() {
            Some(ca) => ca,
            None => find_or_make_authority(store, organisation, &mut order).await?,
        };
        let keys = issue(&ca, mailbox, kind).await?;
        authority = Some(ca);
        order.changes.push(Change::ImportKeys(keys));
    }
    Ok(order)
}

async fn issue(
    authority: &Arc<Authority>,
    mailbox: Address,
    kind: KeyKind,
) -> Result<ImportKeys, Failure> {
    let authority = Arc::clone(authority);
    let issued = tokio::task::spawn_blocking(move || {
        let key = PrivateKey::generate(kind)?;
        let certificate = builtin::issue(
            &authority,
            &mailbox,
            key.spki_der(),
            now(),
            &mut SystemRandom,
        )?;
        Ok::<_, Failure>(ImportKeys {
            mailbox,
            pairs: vec![(certificate, key)],
            chain: vec![authority.issuing_certificate.clone()],
            origin: KeyOrigin::BuiltIn,
        })
    });
    issued.await?
}

/// The installation's built-in CA; on first use it is made and becomes part of `order`.
async fn find_or_make_authority(
    store: &Store,
    organisation: &str,
    order: &mut Order,
) -> Result<Arc<Authority>, Failure> {
    if let Some(ca) = store.built_in_ca().await? {
        return Ok(Arc::new(as_authority(ca)));
    }
    let name = organisation.to_owned();
    let made = tokio::task::spawn_blocking(move || {
        builtin::make_authority(&name, now(), &mut SystemRandom)
    })
    .await??;
    let made = BuiltInCa {
        root: made.root_certificate,
        root_key: made.root_key,
        issuing: made.issuing_certificate,
        issuing_key: made.issuing_key,
    };
    order.authority = Some(made.clone());
    Ok(Arc::new(as_authority(made)))
}

fn as_authority(ca: BuiltInCa) -> Authority {
    Authority {
        root_certificate: ca.root,
        root_key: ca.root_key,
        issuing_certificate: ca.issuing,
        issuing_key: ca.issuing_key,
    }
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
