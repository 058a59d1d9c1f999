//! What is learned from an inbound S/MIME mail: whether its signers were revoked, and the keys of its sender.

use std::collections::HashMap;
use std::sync::Arc;

use sealgate_core::harvest::{self, Harvested};
use sealgate_core::process::Opened;
use sealgate_core::tenant::{CorrespondentKey, CorrespondentState, Organisation, RevocationMode};
use sealgate_mail::Address;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::path::{Revocation, VerifiedPath};
use sealgate_smime::revocation::Evidence;
use sealgate_smime::verdict::SignatureVerdict;
use sealgate_store::{LeasedToOpen, StoreError};

use crate::cmd::Failure;
use crate::gateway::{Gateway, now};
use crate::limits::REVOCATION_WAIT;
use crate::revocation;
use crate::scheduler::OpeningPlace;

/// Judges all layers anew by what is known of revocation now.
pub async fn judge_revocation(
    mut opened: Vec<Opened>,
    evidence: &Evidence,
    organisation: &Organisation,
) -> Result<Vec<Opened>, Failure> {
    let evidence = evidence.clone();
    let hard = organisation.settings.revocation == RevocationMode::Hard;
    let judged = tokio::task::spawn_blocking(move || {
        for opened in &mut opened {
            opened.judge_revocation(&evidence, now(), hard);
        }
        opened
    });
    Ok(judged.await?)
}

/// The sender that keys are learned of: nobody the organisation manages.
fn sender<'o>(opened: &'o Opened, organisation: &Organisation) -> Option<&'o Address> {
    opened
        .from
        .as_ref()
        .filter(|from| !organisation.manages(from))
}

/// The paths of the certificates that may be learned, for the question about their revocation.
pub fn learnable(
    leased: &LeasedToOpen,
    organisation: &Organisation,
    opened: &[Opened],
) -> Vec<VerifiedPath> {
    let mut paths: Vec<VerifiedPath> = Vec::new();
    for opened in opened {
        let Some(from) = sender(opened, organisation) else {
            continue;
        };
        for report in &opened.signatures {
            let found = harvest::paths(report, from, &organisation.anchors, leased.record.at);
            paths.extend(found);
        }
    }
    paths
}

/// Asks about the signers whose path is otherwise good, and about what may be learned.
pub async fn ask(
    gateway: &Arc<Gateway>,
    opened: &[Opened],
    learnable: &[VerifiedPath],
    place: &mut OpeningPlace,
) -> Result<Evidence, Failure> {
    let signers = opened.iter().flat_map(|opened| &opened.signatures);
    let signers = signers.flat_map(|report| &report.signers);
    let paths: Vec<VerifiedPath> = signers
        .filter_map(|signer| signer.path.as_ref())
        .chain(learnable)
        .filter(|path| path.revocation() == Revocation::Unknown)
        .cloned()
        .collect();
    if paths.is_empty() {
        return Ok(Evidence::default());
    }
    place
        .aside(revocation::ask(gateway, paths, REVOCATION_WAIT))
        .await
}

/// What is learned from the signatures of the mail.
pub async fn harvest_all(
    gateway: &Gateway,
    organisation: &Organisation,
    opened: &[Opened],
    evidence: &Evidence,
) -> Result<Vec<Harvested>, StoreError> {
    let mut found: Vec<Harvested> = Vec::new();
    let terms = harvest::Terms {
        anchors: &organisation.anchors,
        evidence,
        now: now(),
    };
    for opened in opened {
        let Some(from) = sender(opened, organisation) else {
            continue;
        };
        let known: HashMap<_, _> = gateway
            .store
            .correspondents(organisation.id, std::slice::from_ref(from))
            .await?;
        let existing = known.get(from).map(Vec::as_slice).unwrap_or_default();
        for report in &opened.signatures {
            if says_more(report.verdict, existing) {
                gateway.store.ask_soon(organisation.id, from, now()).await?;
            }
            for harvested in harvest::harvest(report, from, existing, terms) {
                if !found.contains(&harvested) {
                    found.push(harvested);
                }
            }
        }
    }
    Ok(found)
}

/// Whether a mail brought an answer that may change a known key of its sender.
fn says_more(verdict: SignatureVerdict, existing: &[CorrespondentKey]) -> bool {
    let unblocked = |key: &CorrespondentKey| key.state != CorrespondentState::Blocked;
    let pending = |key: &CorrespondentKey| key.state == CorrespondentState::Pending;
    match verdict {
        SignatureVerdict::Valid => existing.iter().any(pending),
        SignatureVerdict::Revoked => existing.iter().any(unblocked),
        _ => false,
    }
}

/// Keeps the authorities of the keys learned: the keys are asked about again without the mail. Before the keys themselves
/// are stored, so that a crash leaves no key without them.
pub async fn remember_issuers(
    gateway: &Gateway,
    organisation: &Organisation,
    harvested: &[Harvested],
    learnable: &[VerifiedPath],
) -> Result<(), StoreError> {
    let mut issuers: Vec<Certificate> = Vec::new();
    let learned =
        |path: &&VerifiedPath| harvested.iter().any(|key| key.certificate == *path.leaf());
    for path in learnable.iter().filter(learned) {
        if let [_leaf, between @ .., _anchor] = path.chain() {
            issuers.extend_from_slice(between);
        }
    }
    gateway
        .store
        .remember_issuers(organisation.id, &issuers, now())
        .await
}
