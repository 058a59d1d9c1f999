//! The switches of an organisation.

use async_trait::async_trait;
use sealgate_core::tenant::Settings;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Applied, Asked};
use crate::auth::{Admin, Permitted, Read};

/// A switch and its value in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Switch {
    /// Its name, as in files and commands.
    pub name: String,
    /// Its value: `on` or `off`, or one of its words.
    pub value: String,
}

/// Questions about switches.
#[async_trait]
pub trait Switches {
    /// All switches as they are.
    async fn settings(&self, who: &Permitted<Read>) -> Asked<Settings>;

    /// Changes the switches that are named; the others stay. A value that cannot be is refused, and nothing changed.
    async fn change_settings(&self, who: &Permitted<Admin>, switches: &[Switch]) -> Asked<Applied>;
}

/// All switches with their values in words.
pub fn words(settings: &Settings) -> Vec<Switch> {
    let words = settings.words().into_iter();
    words
        .map(|(name, value)| Switch {
            name: name.to_owned(),
            value: value.to_owned(),
        })
        .collect()
}
