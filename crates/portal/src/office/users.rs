//! Users and API tokens of an organisation.

use async_trait::async_trait;
use sealgate_core::permission::Role;
use sealgate_mail::Address;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Asked, At, Page, Paging};
use crate::auth::{Admin, Permitted};

/// A user of an organisation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Member {
    /// Its number.
    pub id: i64,
    /// The name that the user signs in with.
    pub name: String,
    /// `read`, `write` or `admin`.
    #[schema(value_type = String)]
    pub role: Role,
    /// Since when the user is here.
    pub since: At,
    /// Whether there is a second factor: whoever gives somebody a role here has to know whether a password alone opens it. What
    /// else is known of the account, the organisation is not told.
    pub has_second_factor: bool,
    /// Whether it is the one who asks.
    pub is_self: bool,
}

/// An invitation that is open.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Invitation {
    /// Its number.
    pub id: i64,
    /// Whom.
    pub name: String,
    /// To what: a role, `operator`, `reseller` or `password`.
    pub to: String,
    /// By whom.
    pub created_by: String,
    /// When it ends.
    pub expires: At,
}

/// Somebody to be invited to an organisation.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct Invite {
    /// Mail address.
    #[schema(value_type = String)]
    pub name: Address,
    /// `read`, `write` or `admin`.
    #[schema(value_type = String)]
    pub role: Role,
}

/// A link that works once; it is shown only now.
#[derive(Clone, Serialize, ToSchema)]
pub struct InvitationLink {
    /// Whom.
    pub name: String,
    /// The link.
    pub link: String,
    /// When it ends.
    pub expires: At,
}

/// A role to be given.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
pub struct RoleChange {
    /// `read`, `write` or `admin`.
    #[schema(value_type = String)]
    pub role: Role,
}

/// An API token.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ApiToken {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What it may do: a role, `operator` or `reseller`.
    pub may: String,
    /// When it was made.
    pub created: At,
    /// By whom.
    pub created_by: String,
    /// When it ends.
    pub expires: At,
    /// When it was last used, to the minute.
    pub used: Option<At>,
}

/// An API token to be made for an organisation.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct NewToken {
    /// Its name.
    pub name: String,
    /// `read`, `write` or `admin`.
    #[schema(value_type = String)]
    pub role: Role,
    /// For how many days, 1 to 366.
    #[schema(minimum = 1, maximum = 366)]
    pub days: u32,
}

/// An API token as it is shown, once.
#[derive(Clone, Serialize, ToSchema)]
pub struct MadeToken {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What goes into the header field `Authorization: Bearer`.
    pub secret: String,
    /// When it ends.
    pub expires: At,
}

/// Questions and orders about users and tokens of an organisation.
#[async_trait]
pub trait Users {
    /// Its users by name.
    async fn members(&self, who: &Permitted<Admin>, paging: &Paging) -> Asked<Page<Member>>;

    /// Open invitations into it.
    async fn invitations(&self, who: &Permitted<Admin>) -> Asked<Vec<Invitation>>;

    /// Invites somebody. The answer is the same whether that address has an account or not.
    async fn invite(&self, who: &Permitted<Admin>, invite: Invite) -> Asked<InvitationLink>;

    /// Takes an invitation back.
    async fn withdraw_invitation(&self, who: &Permitted<Admin>, id: i64) -> Asked<()>;

    /// Gives a user another role; all their sessions end.
    async fn set_role(&self, who: &Permitted<Admin>, id: i64, role: Role) -> Asked<()>;

    /// Takes a user out of the organisation; all their sessions end.
    async fn remove_member(&self, who: &Permitted<Admin>, id: i64) -> Asked<()>;

    /// Its API tokens.
    async fn tokens(&self, who: &Permitted<Admin>, paging: &Paging) -> Asked<Page<ApiToken>>;

    /// Makes one.
    async fn create_token(&self, who: &Permitted<Admin>, new: NewToken) -> Asked<MadeToken>;

    /// Ends one.
    async fn revoke_token(&self, who: &Permitted<Admin>, id: i64) -> Asked<()>;
}
