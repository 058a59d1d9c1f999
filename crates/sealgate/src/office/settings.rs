//! The portal's questions about the switches of an organisation.

use async_trait::async_trait;
use sealgate_core::change::Change;
use sealgate_core::tenant::Settings;
use sealgate_portal::auth::{Admin, Permitted, Read};
use sealgate_portal::office::settings::{Switch, Switches};
use sealgate_portal::office::{Applied, Asked};
use sealgate_portal::problem::Problem;

use super::{PortalOffice, problem};
use crate::switches;

#[async_trait]
impl Switches for PortalOffice {
    async fn settings(&self, who: &Permitted<Read>) -> Asked<Settings> {
        self.0
            .store
            .settings(who.organisation())
            .await
            .map_err(problem)
    }

    async fn change_settings(&self, who: &Permitted<Admin>, given: &[Switch]) -> Asked<Applied> {
        let before = self.settings(&who.reads()).await?;
        let set = |settings, switch: &Switch| switches::set(settings, &switch.name, &switch.value);
        let after = given.iter().try_fold(before, set);
        let after = after.map_err(|why| Problem::wrong("value", why))?;
        let change = (before != after).then_some(Change::Settings { before, after });
        self.change(who, change.into_iter().collect()).await
    }
}
