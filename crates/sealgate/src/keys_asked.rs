//! Asks about correspondents' keys again and again in the background: pending ones until their answer has come, those in use
//! daily. What becomes of a key is decided in `core::asking`. Also looks at keys whose end is near (`core::harvest`).

use std::sync::Arc;

use sealgate_core::asking::{self, Decided, Situation, Verdict};
use sealgate_core::limits::ASK_AGAIN;
use sealgate_core::tenant::Organisation;
use sealgate_mail::Timestamp;
use sealgate_smime::path::{self, Purpose, VerifiedPath};
use sealgate_smime::revocation::{self, Status};
use sealgate_store::DueKey;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::cmd::Failure;
use crate::gateway::{Gateway, now};
use crate::limits::{KEYS_ASKED, KEYS_POLL, REVOCATION_WAIT};
use crate::revocation as asking_about;

/// Runs until `stop` becomes true. What was not written is asked again at the next start.
pub async fn run(gateway: Arc<Gateway>, mut stop: watch::Receiver<bool>) {
    let rounds = async {
        loop {
            let ends = ends(&gateway).await;
            if !round(&gateway).await && !ends {
                sleep(KEYS_POLL).await;
            }
        }
    };
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => {}
        () = rounds => {}
    }
}

/// Looks at the keys whose end is near; `true` if there may be more at once.
async fn ends(gateway: &Gateway) -> bool {
    match gateway.store.expire_correspondents(now()).await {
        Ok(more) => more,
        Err(error) => {
            tracing::warn!(%error, "the keys that expire cannot be looked at now");
            false
        }
    }
}

/// Asks about the keys that are due, some of them at the same time; `true` if more may be due at once.
async fn round(gateway: &Arc<Gateway>) -> bool {
    let due = match gateway.store.keys_to_ask(now(), KEYS_ASKED).await {
        Ok(due) => due,
        Err(error) => {
            tracing::warn!(%error, "the keys to be asked about cannot be read now");
            return false;
        }
    };
    let mut more = due.len() >= KEYS_ASKED;
    let mut asking = JoinSet::new();
    for due in due {
        let gateway = Arc::clone(gateway);
        asking.spawn(async move { one(&gateway, due).await });
    }
    while let Some(asked) = asking.join_next().await {
        if let Err(failure) = asked.map_err(Failure::from).flatten() {
            tracing::warn!(
                reason = failure.message,
                "a key could not be asked about now"
            );
            more = false;
        }
    }
    more
}

async fn one(gateway: &Arc<Gateway>, due: DueKey) -> Result<(), Failure> {
    let at = now();
    let organisation = gateway
        .installation()
        .organisation(due.organisation)
        .cloned();
    let judged = match organisation {
        None => Ok(not_now(&due, at)),
        Some(organisation) => judge(gateway, &organisation, &due, at).await,
    };
    let decided = judged.unwrap_or_else(|failure| {
        let reason = failure.message;
        tracing::warn!(key = due.key.id, reason, "a key could not be judged now");
        asking::put_off(due.failures, at)
    });
    if decided.verdict != Verdict::Same {
        let address = due.key.address.to_string();
        tracing::info!(key = due.key.id, address, verdict = ?decided.verdict, "a key was asked about");
    }
    Ok(gateway.store.asked(due, decided, now()).await?)
}

async fn judge(
    gateway: &Arc<Gateway>,
    organisation: &Organisation,
    due: &DueKey,
    at: Timestamp,
) -> Result<Decided, Failure> {
    match path(gateway, organisation, due, at).await? {
        None => Ok(not_now(due, at)),
        Some(path) => decide(gateway, organisation, due, path).await,
    }
}

/// Without a good path there is nobody to ask; roots and issuers' certificates may come. An expired key stays as it is.
fn not_now(due: &DueKey, at: Timestamp) -> Decided {
    let expired = due.key.certificate.not_after() < at;
    Decided {
        verdict: Verdict::Same,
        failures: due.failures,
        ask_at: (!expired).then(|| at.plus(ASK_AGAIN)),
    }
}

async fn path(
    gateway: &Gateway,
    organisation: &Organisation,
    due: &DueKey,
    at: Timestamp,
) -> Result<Option<VerifiedPath>, Failure> {
    let leaf = due.key.certificate.clone();
    let issuers = gateway.store.issuers(organisation.id, &leaf).await?;
    let anchors = Arc::clone(&organisation.anchors);
    let judged = tokio::task::spawn_blocking(move || {
        path::judge(&leaf, &issuers, &anchors, Purpose::Encrypt, at).ok()
    });
    Ok(judged.await?)
}

async fn decide(
    gateway: &Arc<Gateway>,
    organisation: &Organisation,
    due: &DueKey,
    path: VerifiedPath,
) -> Result<Decided, Failure> {
    let evidence = asking_about::ask(gateway, vec![path.clone()], REVOCATION_WAIT).await?;
    let status: Status =
        tokio::task::spawn_blocking(move || revocation::judge(&path, &evidence, now())).await?;
    let address = &due.key.address;
    let mut known = gateway
        .store
        .correspondents(organisation.id, std::slice::from_ref(address))
        .await?;
    let existing = known.remove(address).unwrap_or_default();
    let situation = Situation {
        key: &due.key,
        existing: &existing,
        failures: due.failures,
        mode: organisation.settings.revocation,
        now: now(),
    };
    Ok(asking::decide(situation, status))
}
