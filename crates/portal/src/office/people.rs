//! All users of the installation, resellers, and the API tokens of both: for the operator.

use async_trait::async_trait;
use sealgate_core::permission::Role;
use sealgate_mail::Address;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::users::{ApiToken, Invitation, InvitationLink, MadeToken};
use super::{Asked, At, Page, Paging};
use crate::auth::{Operate, Permitted};

/// A user of the installation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Person {
    /// Its number.
    pub id: i64,
    /// The name that the user signs in with.
    pub name: String,
    /// Whether the user runs the installation.
    pub operator: bool,
    /// Number of the reseller that the user works for.
    pub reseller: Option<i64>,
    /// What the user is in organisations.
    pub roles: Vec<PersonRole>,
    /// Whether there is a second factor.
    pub has_second_factor: bool,
    /// Whether another server vouches for the user.
    pub is_foreign: bool,
    /// Whether sign-ins are refused.
    pub disabled: bool,
    /// The organisation whose invitation made the account; none where it was the operator's. The name of an account is proven by
    /// nothing but that.
    pub invited_by: Option<String>,
    /// When the account was made.
    pub created: At,
    /// When the user was last signed in.
    pub seen: Option<At>,
}

/// What a user is in an organisation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PersonRole {
    /// Its name.
    pub organisation: String,
    /// `read`, `write` or `admin`.
    #[schema(value_type = String)]
    pub role: Role,
}

/// Which users.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct PeopleFilter {
    /// Whose name holds this text.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "super::empty_is_none"
    )]
    pub search: Option<String>,
}

/// Somebody to be invited by the operator: to run the installation, or to work for a reseller.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct InvitePerson {
    /// Mail address.
    #[schema(value_type = String)]
    pub name: Address,
    /// Number of the reseller; none for an operator.
    #[serde(default)]
    pub reseller: Option<i64>,
}

/// What of a user is to be changed; what is absent stays. More is given by an invitation only, which the owner accepts.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct PersonChange {
    /// Whether sign-ins are refused.
    pub disabled: Option<bool>,
    /// `false`: the user runs the installation no more.
    pub operator: Option<bool>,
    /// 0: the user works for no reseller any more.
    pub reseller: Option<i64>,
}

/// What a new password is to come with.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct Reset {
    /// Whether the second factor goes, too.
    pub second_factor: bool,
}

/// A reseller.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reseller {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// How many users work for it.
    pub users: u64,
    /// Its organisations.
    pub organisations: Vec<String>,
}

/// A reseller to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct NewReseller {
    /// Its name.
    pub name: String,
}

/// An organisation to be given to a reseller.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct Assignment {
    /// Name of the organisation.
    pub organisation: String,
    /// Number of the reseller; none takes it from whoever has it.
    #[serde(default)]
    pub reseller: Option<i64>,
}

/// An API token to be made for the operator or a reseller.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct NewInstallationToken {
    /// Its name.
    pub name: String,
    /// Number of the reseller; none for a token that may do all.
    #[serde(default)]
    pub reseller: Option<i64>,
    /// For how many days, 1 to 366.
    #[schema(minimum = 1, maximum = 366)]
    pub days: u32,
}

/// Questions and orders of the operator about users and resellers.
#[async_trait]
pub trait People {
    /// All users by name.
    async fn people(
        &self,
        who: &Permitted<Operate>,
        filter: &PeopleFilter,
        paging: &Paging,
    ) -> Asked<Page<Person>>;

    /// Invites an operator, or somebody to a reseller.
    async fn invite_person(
        &self,
        who: &Permitted<Operate>,
        invite: InvitePerson,
    ) -> Asked<InvitationLink>;

    /// Open invitations of the operator.
    async fn people_invited(&self, who: &Permitted<Operate>) -> Asked<Vec<Invitation>>;

    /// Takes one of them back.
    async fn withdraw_person(&self, who: &Permitted<Operate>, id: i64) -> Asked<()>;

    /// Changes a user; all their sessions end.
    async fn change_person(
        &self,
        who: &Permitted<Operate>,
        id: i64,
        change: PersonChange,
    ) -> Asked<()>;

    /// A link by which a user sets a new password.
    async fn reset_person(
        &self,
        who: &Permitted<Operate>,
        id: i64,
        reset: Reset,
    ) -> Asked<InvitationLink>;

    /// Removes a user.
    async fn remove_person(&self, who: &Permitted<Operate>, id: i64) -> Asked<()>;

    /// All resellers by name.
    async fn resellers(&self, who: &Permitted<Operate>) -> Asked<Vec<Reseller>>;

    /// Makes one; gives its number.
    async fn create_reseller(&self, who: &Permitted<Operate>, new: NewReseller) -> Asked<i64>;

    /// Removes one that nobody works for, and that has no organisations.
    async fn remove_reseller(&self, who: &Permitted<Operate>, id: i64) -> Asked<()>;

    /// Gives an organisation to a reseller, or to none.
    async fn assign(&self, who: &Permitted<Operate>, assignment: Assignment) -> Asked<()>;

    /// API tokens of the operator and of resellers.
    async fn installation_tokens(
        &self,
        who: &Permitted<Operate>,
        paging: &Paging,
    ) -> Asked<Page<ApiToken>>;

    /// Makes one.
    async fn create_installation_token(
        &self,
        who: &Permitted<Operate>,
        new: NewInstallationToken,
    ) -> Asked<MadeToken>;

    /// Ends one.
    async fn revoke_installation_token(&self, who: &Permitted<Operate>, id: i64) -> Asked<()>;
}
