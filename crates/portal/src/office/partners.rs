//! Partners: algorithms agreed with external addresses and domains.

use async_trait::async_trait;
use sealgate_core::rules::Entry;
use sealgate_core::tenant::Partner;
use sealgate_smime::profile::Profile;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Applied, Asked};
use crate::auth::{Admin, Permitted};
use crate::problem::Problem;

/// Algorithms agreed with a partner.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PartnerProfile {
    /// An external address or a domain; an address counts before its domain.
    pub external: String,
    /// `default`, `modern`, `edi-energy` or `legacy`.
    #[schema(value_type = String)]
    pub profile: Profile,
}

impl PartnerProfile {
    /// The partner that is meant.
    pub fn parse(&self) -> Result<Partner, Problem> {
        Ok(Partner {
            external: entry(&self.external)?,
            profile: self.profile,
        })
    }
}

/// The address or domain of a partner.
pub fn entry(text: &str) -> Result<Entry, Problem> {
    let parsed = text.parse::<Entry>();
    parsed.map_err(|error| Problem::wrong("external", error))
}

/// Questions and orders about partners.
#[async_trait]
pub trait Partners {
    /// All partners, in the order of their addresses and domains.
    async fn partners(&self, who: &Permitted<Admin>) -> Asked<Vec<PartnerProfile>>;

    /// Adds a partner, or changes its profile.
    async fn put_partner(&self, who: &Permitted<Admin>, partner: Partner) -> Asked<Applied>;

    /// Removes a partner: what its recipients announced counts again.
    async fn remove_partner(&self, who: &Permitted<Admin>, external: Entry) -> Asked<Applied>;
}
