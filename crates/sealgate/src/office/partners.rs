//! The portal's questions about partners.

use async_trait::async_trait;
use sealgate_core::change::Change;
use sealgate_core::rules::Entry;
use sealgate_core::tenant::Partner;
use sealgate_portal::auth::{Admin, Permitted};
use sealgate_portal::office::partners::{PartnerProfile, Partners};
use sealgate_portal::office::{Applied, Asked};
use sealgate_portal::problem::Problem;

use super::PortalOffice;

#[async_trait]
impl Partners for PortalOffice {
    async fn partners(&self, who: &Permitted<Admin>) -> Asked<Vec<PartnerProfile>> {
        let installation = self.0.installation();
        let organisation = installation.organisation(who.organisation());
        let organisation = organisation.ok_or_else(Problem::not_found)?;
        let shown = |partner: &Partner| PartnerProfile {
            external: partner.external.to_string(),
            profile: partner.profile,
        };
        Ok(organisation.partners.iter().map(shown).collect())
    }

    async fn put_partner(&self, who: &Permitted<Admin>, partner: Partner) -> Asked<Applied> {
        self.change(who, vec![Change::PutPartner(partner)]).await
    }

    async fn remove_partner(&self, who: &Permitted<Admin>, external: Entry) -> Asked<Applied> {
        let installation = self.0.installation();
        let organisation = installation.organisation(who.organisation());
        let known = organisation.is_some_and(|own| {
            let mut partners = own.partners.iter();
            partners.any(|partner| partner.external == external)
        });
        match known {
            true => {
                let change = Change::RemovePartner(external);
                self.change(who, vec![change]).await
            }
            false => Err(Problem::not_found()),
        }
    }
}
