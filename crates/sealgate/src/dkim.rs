//! DKIM of outgoing mail: which keys sign a copy, the signing, and new keys that become active when their records are in DNS.
//!
//! No mail waits for want of DKIM: without a usable key it goes unsigned. Only a store that is away holds it up, as for all else.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use sealgate_core::dkim::{DkimKey, DkimKeyId, DkimKeyKind, Published};
use sealgate_core::prerequisite::Answer;
use sealgate_core::queue::Outgoing;
use sealgate_core::tenant::{Organisation, OrganisationId};
use sealgate_mail::{Address, Content, Domain, Reply};
use sealgate_net::dkim::{self, DkimError, Naming, Signer};
use sealgate_net::prerequisites;
use sealgate_smime::aws::{Generate, Pkey};
use sealgate_smime::key::{KeyError, PrivateKey};
use sealgate_store::StoreError;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::cmd::Failure;
use crate::gateway::{Gateway, now};
use crate::handed_in::blocking;
use crate::limits::{DKIM_KEYS, DKIM_LOOK};
use crate::worker::unavailable;

/// Private keys for the next mail. What signs is asked of the store for each mail; only the unsealing is saved, for what the
/// key is sealed for: its number, organisation, and the name of its record.
#[derive(Default)]
pub struct Keys(Mutex<HashMap<SealedFor, PrivateKey>>);

type SealedFor = (DkimKeyId, OrganisationId, String);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(...)")
    }
}

impl Keys {
    fn get(&self, of: &SealedFor) -> Option<PrivateKey> {
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.get(of).cloned()
    }

    fn put(&self, of: SealedFor, key: &PrivateKey) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= DKIM_KEYS {
            keys.clear();
        }
        keys.insert(of, key.clone());
    }
}

/// Makes a new private key; RSA takes a while.
pub fn generate(kind: DkimKeyKind) -> Result<PrivateKey, KeyError> {
    let what = match kind {
        DkimKeyKind::Rsa2048 => Generate::Rsa(2048),
        DkimKeyKind::Ed25519 => Generate::Ed25519,
    };
    PrivateKey::from_pkcs8(&Pkey::generate(what)?.to_pkcs8()?)
}

/// The `DKIM-Signature` fields for a mail of the gateway itself in a domain of an organisation, whether the organisation has
/// its other mail signed or not: to stand on top of `head`, each ended by CRLF. `None` if the domain has no active key.
///
/// `head` is the header block; the body is `content` from the offset on. Fails only if the store or the content is away, or
/// a key fails.
pub async fn sign(
    gateway: &Gateway,
    (organisation, domain): (OrganisationId, &Domain),
    head: &[u8],
    (content, from): (Arc<dyn Content>, u64),
) -> Result<Option<String>, Failure> {
    let signers = signers(gateway, organisation, domain).await?;
    if signers.is_empty() {
        return Ok(None);
    }
    let head = head.to_vec();
    let signing = tokio::task::spawn_blocking(move || {
        dkim::sign(
            &signers,
            &head,
            (content.as_ref(), from),
            now(),
            Naming::All,
        )
    });
    Ok(Some(signing.await??))
}

/// Signs each copy of an outbound mail, if the organisation wants it and has an active key for the domain of `from`, the
/// single address of the header From.
pub async fn sign_copies(
    gateway: &Gateway,
    organisation: &Organisation,
    from: Option<&Address>,
    copies: Vec<Outgoing>,
) -> Result<Vec<Outgoing>, Reply> {
    // RFC 7489 section 3.1.1: what signs is aligned with the header From, here by being the same domain.
    let domain = match from.map(Address::domain) {
        Some(domain) if organisation.settings.dkim && organisation.route(domain).is_some() => {
            domain
        }
        _ => return Ok(copies),
    };
    let signers = match signers(gateway, organisation.id, domain).await {
        Ok(signers) => signers,
        Err(error) if error.is_temporary() => return Err(unavailable(&error)),
        Err(error) => {
            tracing::error!(%domain, %error, "a DKIM key is not usable; mail goes without its signature");
            return Ok(copies);
        }
    };
    if signers.is_empty() {
        return Ok(copies);
    }
    let signing = blocking(move || {
        let sign_one = |copy| sign_copy(&signers, copy);
        copies.into_iter().map(sign_one).collect()
    });
    signing.await?
}

fn sign_copy(signers: &[Signer], mut copy: Outgoing) -> Result<Outgoing, Reply> {
    let body = copy.body();
    let content: &dyn Content = body.content.as_ref();
    let part = (content, body.from);
    match dkim::sign(signers, copy.head(), part, now(), Naming::Present) {
        Ok(fields) => copy.put_first(&fields),
        Err(DkimError::Io(error)) => return Err(unavailable(&error)),
        Err(DkimError::Key(error)) => {
            tracing::error!(%error, "a DKIM key failed; a mail goes without its signature");
        }
    }
    Ok(copy)
}

/// The active keys of a domain, unsealed.
async fn signers(
    gateway: &Gateway,
    organisation: OrganisationId,
    domain: &Domain,
) -> Result<Vec<Signer>, StoreError> {
    let mut signers = Vec::new();
    for public in gateway.store.active_dkim_keys(organisation, domain).await? {
        let of = (public.id, organisation, public.record_name());
        let key = match gateway.dkim.get(&of) {
            Some(key) => key,
            None => {
                let key = gateway.store.dkim_private_key(public.id).await?;
                gateway.dkim.put(of, &key);
                key
            }
        };
        signers.push(Signer {
            domain: public.domain,
            selector: public.selector,
            kind: public.kind,
            key,
        });
    }
    Ok(signers)
}

/// Looks for the records of new keys, and removes retired keys whose time is over, until `stop` becomes true.
pub async fn run(gateway: Arc<Gateway>, mut stop: watch::Receiver<bool>) {
    let rounds = async {
        loop {
            if let Err(failure) = round(&gateway).await {
                tracing::warn!(
                    reason = failure.message,
                    "DKIM keys could not be seen to now"
                );
            }
            sleep(DKIM_LOOK).await;
        }
    };
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => {}
        () = rounds => {}
    }
}

async fn round(gateway: &Gateway) -> Result<(), Failure> {
    for (organisation, key) in gateway.store.new_dkim_keys().await? {
        if is_published(gateway, &key).await {
            let which = (organisation, key.id);
            gateway
                .store
                .activate_dkim_key(which, "gateway", now())
                .await?;
            tracing::info!(record = key.record_name(), "a new DKIM key signs");
        }
    }
    Ok(gateway.store.sweep_dkim_keys(now()).await?)
}

async fn is_published(gateway: &Gateway, key: &DkimKey) -> bool {
    prerequisites::published(&gateway.dns, key).await == Answer::Known(Published::Seen)
}
