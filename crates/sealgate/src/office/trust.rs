//! The portal's questions about trust.

use async_trait::async_trait;
use sealgate_core::change::Change;
use sealgate_core::saying::Saying;
use sealgate_core::tenant::{Blocked, Settings};
use sealgate_portal::auth::{Admin, Permitted};
use sealgate_portal::office::trust::{AddBlock, BlockedCertificate, TrustRoot, Trusted, Trusting};
use sealgate_portal::office::{Applied, Asked, At};
use sealgate_portal::problem::Problem;
use sealgate_smime::certificate::Certificate;

use super::{PortalOffice, problem};
use crate::description::{block_by_fingerprint, block_of};
use crate::gateway::now;
use crate::limits::BLOCK_REASON;

#[async_trait]
impl Trusting for PortalOffice {
    async fn trusted(&self, who: &Permitted<Admin>) -> Asked<Trusted> {
        let trust = self.trust_of(who).await?;
        let block = |one: Blocked| BlockedCertificate {
            sha256: one.hex(),
            subject: one.subject,
            reason: one.reason,
        };
        Ok(Trusted {
            public_roots: trust.settings.public_roots,
            revocation: trust.settings.revocation,
            roots: trust.roots.iter().map(root).collect(),
            blocked: trust.blocked.into_iter().map(block).collect(),
        })
    }

    async fn add_trust_roots(&self, who: &Permitted<Admin>, file: &[u8]) -> Asked<Applied> {
        let roots = read(file)?;
        if let Some(other) = roots.iter().find(|root| !root.is_authority()) {
            return Err(Problem {
                detail: Some(Saying::words(other.subject_name())),
                ..Problem::new("not-an-authority")
            });
        }
        let changes = roots.into_iter().map(Change::PutTrustRoot).collect();
        self.change(who, changes).await
    }

    async fn remove_trust_root(&self, who: &Permitted<Admin>, sha256: &str) -> Asked<Applied> {
        let sha256 = fingerprint(sha256)?.sha256;
        let known = self.trust_of(who).await?.roots;
        match known.iter().any(|root| root.fingerprint() == sha256) {
            true => {
                self.change(who, vec![Change::RemoveTrustRoot(sha256)])
                    .await
            }
            false => Err(Problem::not_found()),
        }
    }

    async fn block_certificate(
        &self,
        who: &Permitted<Admin>,
        file: Option<&[u8]>,
        block: AddBlock,
    ) -> Asked<Applied> {
        let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let pem = given(block.certificate).map(String::into_bytes);
        let file = file.filter(|file| !file.is_empty()).or(pem.as_deref());
        let blocked = match (file, given(block.sha256)) {
            (Some(file), None) => match read(file)?.as_slice() {
                [certificate] => block_of(certificate),
                _ => return Err(Problem::new("one-certificate")),
            },
            (None, Some(digits)) => fingerprint(digits.trim())?,
            _ => return Err(Problem::new("block-one-of-two")),
        };
        let reason = given(block.reason).map(|text| one_line(&text));
        self.change(who, vec![Change::Block(Blocked { reason, ..blocked })])
            .await
    }

    async fn unblock_certificate(&self, who: &Permitted<Admin>, sha256: &str) -> Asked<Applied> {
        let sha256 = fingerprint(sha256)?.sha256;
        let known = self.trust_of(who).await?.blocked;
        match known.iter().any(|one| one.sha256 == sha256) {
            true => self.change(who, vec![Change::Unblock(sha256)]).await,
            false => Err(Problem::not_found()),
        }
    }

    async fn set_public_roots(&self, who: &Permitted<Admin>, trusted: bool) -> Asked<Applied> {
        let before = self.trust_of(who).await?.settings;
        let after = Settings {
            public_roots: trusted,
            ..before
        };
        self.change(who, vec![Change::Settings { before, after }])
            .await
    }
}

impl PortalOffice {
    async fn trust_of(&self, who: &Permitted<Admin>) -> Asked<sealgate_store::Trust> {
        let found = self.0.store.trust(who.organisation()).await;
        found.map_err(problem)
    }
}

fn read(file: &[u8]) -> Asked<Vec<Certificate>> {
    Certificate::read_all(file).map_err(|error| Problem {
        detail: Some(error.into()),
        ..Problem::new("no-certificate")
    })
}

fn fingerprint(digits: &str) -> Asked<Blocked> {
    block_by_fingerprint(digits).map_err(|_| Problem::new("fingerprint"))
}

/// A reason as lists show it.
fn one_line(text: &str) -> String {
    let shown = text.trim().chars().map(|c| match c.is_control() {
        true => ' ',
        false => c,
    });
    shown.take(BLOCK_REASON).collect()
}

fn root(certificate: &Certificate) -> TrustRoot {
    TrustRoot {
        sha256: certificate.fingerprint_hex(),
        subject: certificate.subject_name(),
        from: At(certificate.not_before()),
        until: At(certificate.not_after()),
        valid: certificate.valid_at(now()),
    }
}
