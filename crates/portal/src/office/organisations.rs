//! Organisations and their licences, as the operator and resellers see them (requirements.md S3 to S15).

use async_trait::async_trait;
use sealgate_core::tenant::Language;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Asked, At, Page, Paging, empty_is_none};
use crate::auth::{Book, Operate, Permitted, Resell};

/// An organisation with its licences.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Customer {
    /// Its name.
    pub organisation: String,
    /// When it was made.
    pub created: At,
    /// Who books its licences; none if the operator does.
    pub reseller: Option<String>,
    /// Known mailboxes.
    pub known: u64,
    /// Mailboxes that hold a licence.
    pub held: u32,
    /// What is booked; none if licences are not counted.
    pub booked: Option<Booked>,
    /// S/MIME licences that are free.
    pub free: Option<u32>,
}

/// What is booked.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Booked {
    /// Licences of the base product.
    pub base: u32,
    /// Licences for S/MIME, at most as many (S8).
    pub smime: u32,
    /// The end of the term of both (S10).
    pub until: Option<At>,
    /// Whether the term is over (A27).
    pub over: bool,
}

/// Which organisations.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct CustomerFilter {
    /// Whose name holds this text.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "empty_is_none"
    )]
    pub search: Option<String>,
}

/// A booking, in place of what was booked.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Booking {
    /// Licences of the base product.
    pub base: u32,
    /// Licences for S/MIME, at most as many.
    pub smime: u32,
    /// The last day of the term, such as `2027-12-31`; without it the term does not end.
    #[serde(default, deserialize_with = "empty_is_none")]
    pub until: Option<String>,
}

/// An organisation to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrganisation {
    /// Its short name, unique in the installation: it stands in addresses.
    pub name: String,
    /// The language of its reports.
    #[schema(value_type = String)]
    pub language: Language,
}

/// Questions about organisations and licences.
#[async_trait]
pub trait Organisations {
    /// One page of all organisations.
    async fn organisations(
        &self,
        who: &Permitted<Operate>,
        filter: &CustomerFilter,
        paging: &Paging,
    ) -> Asked<Page<Customer>>;

    /// Makes an organisation.
    async fn create_organisation(
        &self,
        who: &Permitted<Operate>,
        new: &NewOrganisation,
    ) -> Asked<()>;

    /// One page of the organisations that whoever asks books licences for; for the operator of all.
    async fn customers(
        &self,
        who: &Permitted<Resell>,
        filter: &CustomerFilter,
        paging: &Paging,
    ) -> Asked<Page<Customer>>;

    /// The licences of one organisation.
    async fn licence(&self, who: &Permitted<Book>) -> Asked<Customer>;

    /// Books licences.
    async fn book(&self, who: &Permitted<Book>, booking: &Booking) -> Asked<Customer>;
}
