//! Whom an organisation trusts: its own roots, the public ones, and what it never trusts.

use async_trait::async_trait;
use sealgate_core::tenant::RevocationMode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Applied, Asked, At};
use crate::auth::{Admin, Permitted};

/// Whom an organisation trusts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Trusted {
    /// Whether Mozilla's roots for e-mail are trusted.
    pub public_roots: bool,
    /// `soft`: mail whose question about revocation has no answer is delivered and marked; `hard`: an answer is needed.
    #[schema(value_type = String)]
    pub revocation: RevocationMode,
    /// Its own roots.
    pub roots: Vec<TrustRoot>,
    /// What it never trusts.
    pub blocked: Vec<BlockedCertificate>,
}

/// A root of the organisation's own.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TrustRoot {
    /// SHA-256 of the certificate, in hexadecimal digits.
    pub sha256: String,
    /// Whose it is.
    pub subject: String,
    /// Start of its validity.
    pub from: At,
    /// End of its validity.
    pub until: At,
    /// Whether it is valid now.
    pub valid: bool,
}

/// What is never trusted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BlockedCertificate {
    /// SHA-256 of the certificate, or of a key (SubjectPublicKeyInfo), in hexadecimal digits.
    pub sha256: String,
    /// Whose it is, if the certificate itself was at hand.
    pub subject: Option<String>,
    /// Why, in the words of whoever blocked it.
    pub reason: Option<String>,
}

/// Certificates to trust.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct AddRoots {
    /// PEM; every certificate in it.
    pub certificates: String,
}

/// What is to be blocked: one of certificate and fingerprint.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct AddBlock {
    /// One certificate in PEM.
    pub certificate: Option<String>,
    /// SHA-256 of a certificate, or of a SubjectPublicKeyInfo: then every certificate of that key is blocked.
    pub sha256: Option<String>,
    /// Why, in your words.
    pub reason: Option<String>,
}

/// The switch for public roots.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
pub struct PublicRoots {
    /// Whether Mozilla's roots for e-mail are trusted.
    pub public_roots: bool,
}

/// Questions and orders about trust.
#[async_trait]
pub trait Trusting {
    /// Whom the organisation trusts.
    async fn trusted(&self, who: &Permitted<Admin>) -> Asked<Trusted>;

    /// Trusts every certificate of a PEM or DER file; refused if one is none of an authority.
    async fn add_trust_roots(&self, who: &Permitted<Admin>, file: &[u8]) -> Asked<Applied>;

    /// No longer trusts the organisation's own root with this fingerprint.
    async fn remove_trust_root(&self, who: &Permitted<Admin>, sha256: &str) -> Asked<Applied>;

    /// Never trusts a certificate: of a PEM or DER file, or by fingerprint.
    async fn block_certificate(
        &self,
        who: &Permitted<Admin>,
        file: Option<&[u8]>,
        block: AddBlock,
    ) -> Asked<Applied>;

    /// Takes a block back.
    async fn unblock_certificate(&self, who: &Permitted<Admin>, sha256: &str) -> Asked<Applied>;

    /// Trusts Mozilla's roots for e-mail, or not.
    async fn set_public_roots(&self, who: &Permitted<Admin>, trusted: bool) -> Asked<Applied>;
}
