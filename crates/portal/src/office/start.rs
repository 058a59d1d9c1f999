//! Where somebody who signs in begins: the organisations they may enter.

use async_trait::async_trait;
use sealgate_core::permission::Role;
use serde::{Deserialize, Serialize};

use super::{Asked, Page, Paging};
use crate::auth::{Oneself, Permitted};

/// An organisation that somebody may enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What they are there.
    pub role: Role,
}

/// Which of them.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct EntryFilter {
    /// Whose name holds this text.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "super::empty_is_none"
    )]
    pub search: Option<String>,
}

/// The question about them.
#[async_trait]
pub trait Start {
    /// One page of the organisations in which `who` has a role, in the order of their names; for the operator of all.
    async fn organisations_of(
        &self,
        who: &Permitted<Oneself>,
        filter: &EntryFilter,
        paging: &Paging,
    ) -> Asked<Page<Entry>>;
}
