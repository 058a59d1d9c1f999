//! The portal's questions about users and API tokens of an organisation, and what is made once for both kinds of them: links and
//! secrets.

use async_trait::async_trait;
use sealgate_core::permission::{Grants, Role, UserId};
use sealgate_core::saying::Inputs;
use sealgate_mail::Address;
use sealgate_portal::auth::{Admin, Permitted, Signed, secrets, sha256};
use sealgate_portal::limits::{INVITATION_SECONDS, NAME_CHARS, TOKEN_DAYS};
use sealgate_portal::office::users::{
    ApiToken, Invitation, InvitationLink, Invite, MadeToken, Member, NewToken, Users,
};
use sealgate_portal::office::{Asked, At, Page, Paging};
use sealgate_portal::problem::Problem;
use sealgate_store as store;
use sealgate_store::{ApiTokenScope, InvitationScope, Invited, NewApiToken, NewInvitation};

use super::account::by;
use super::{DAY, PortalOffice, is_plain, number, one_page, problem};
use crate::gateway::now;

#[async_trait]
impl Users for PortalOffice {
    async fn members(&self, who: &Permitted<Admin>, paging: &Paging) -> Asked<Page<Member>> {
        let after = paging.after.as_deref().unwrap_or_default();
        let store = &self.0.store;
        let rows = store
            .members(who.organisation(), after, paging.rows())
            .await;
        let rows = rows.map_err(problem)?;
        let own = user_of(who);
        let shown = |row: store::Member| Member {
            id: row.user.0,
            name: row.name,
            role: row.role,
            since: At(row.since),
            has_second_factor: row.has_second_factor,
            is_self: own == Some(row.user),
        };
        let place = |row: &store::Member| row.name.clone();
        Ok(one_page(rows, paging, (place, shown)))
    }

    async fn invitations(&self, who: &Permitted<Admin>) -> Asked<Vec<Invitation>> {
        self.open_invitations(InvitationScope::Organisation(who.organisation()))
            .await
    }

    async fn invite(&self, who: &Permitted<Admin>, invite: Invite) -> Asked<InvitationLink> {
        let invited = Invited::Member(who.organisation(), invite.role);
        self.link(invite.name, invited, who).await
    }

    async fn withdraw_invitation(&self, who: &Permitted<Admin>, id: i64) -> Asked<()> {
        let scope = InvitationScope::Organisation(who.organisation());
        let withdrawn = self.0.store.withdraw_invitation(scope, id, by(who)).await;
        withdrawn.map_err(problem)
    }

    async fn set_role(&self, who: &Permitted<Admin>, id: i64, role: Role) -> Asked<()> {
        self.change_member(who, id, Some(role)).await
    }

    async fn remove_member(&self, who: &Permitted<Admin>, id: i64) -> Asked<()> {
        self.change_member(who, id, None).await
    }

    async fn tokens(&self, who: &Permitted<Admin>, paging: &Paging) -> Asked<Page<ApiToken>> {
        self.token_page(ApiTokenScope::Organisation(who.organisation()), paging)
            .await
    }

    async fn create_token(&self, who: &Permitted<Admin>, new: NewToken) -> Asked<MadeToken> {
        let grants = Grants {
            roles: vec![(who.organisation(), new.role)],
            ..Grants::default()
        };
        self.make_token((new.name, new.days), grants, who).await
    }

    async fn revoke_token(&self, who: &Permitted<Admin>, id: i64) -> Asked<()> {
        let scope = ApiTokenScope::Organisation(who.organisation());
        let revoked = self.0.store.revoke_api_token(scope, id, by(who)).await;
        revoked.map_err(problem)
    }
}

impl PortalOffice {
    /// Nobody but the operator may leave an organisation without administrator.
    async fn change_member(
        &self,
        who: &Permitted<Admin>,
        id: i64,
        role: Option<Role>,
    ) -> Asked<()> {
        let anyhow = who.authenticated().grants.operator;
        let store = &self.0.store;
        let change = (UserId(id), role);
        let changed = store.change_member(who.organisation(), change, anyhow, by(who));
        changed.await.map_err(problem)
    }

    /// A link that works once.
    pub async fn link<P>(
        &self,
        name: Address,
        invited: Invited,
        who: &Permitted<P>,
    ) -> Asked<InvitationLink> {
        let by = by(who);
        let secret = secrets::secret()?;
        let expires = by.at.plus(INVITATION_SECONDS);
        let portal = self.0.config.portal.as_ref();
        let url = &portal.ok_or_else(|| Problem::internal("no portal"))?.url;
        let link = url.join(&format!("/invitation/{}", *secret));
        let new = NewInvitation {
            sha256: sha256(&[secret.as_bytes()]),
            name: name.clone(),
            invited,
            expires,
            by_token: token_of(who),
            bounded: true,
        };
        self.0.store.invite(new, by).await.map_err(problem)?;
        Ok(InvitationLink {
            name: name.to_string(),
            link: link.map_err(Problem::internal)?.to_string(),
            expires: At(expires),
        })
    }

    /// The invitations that are open.
    pub async fn open_invitations(&self, scope: InvitationScope) -> Asked<Vec<Invitation>> {
        let open = self.0.store.invitations(scope, 0, now()).await;
        let shown = open.map_err(problem)?.into_iter().map(|one| Invitation {
            id: one.id,
            name: one.name,
            to: match one.invited {
                Invited::Member(_, role) => role.as_str(),
                Invited::Reseller(_) => "reseller",
                Invited::Operator => "operator",
                Invited::Reset { .. } => "password",
            }
            .to_owned(),
            created_by: one.created_by,
            expires: At(one.expires),
        });
        Ok(shown.collect())
    }

    /// One page of tokens.
    pub async fn token_page(&self, scope: ApiTokenScope, paging: &Paging) -> Asked<Page<ApiToken>> {
        let after = number(paging)?.unwrap_or(0);
        let rows = self.0.store.api_tokens(scope, after, paging.rows()).await;
        let rows = rows.map_err(problem)?;
        let place = |row: &store::ApiTokenLine| row.id.to_string();
        Ok(one_page(rows, paging, (place, shown)))
    }

    /// Makes a token of that name for so many days.
    pub async fn make_token<P>(
        &self,
        (name, days): (String, u32),
        grants: Grants,
        who: &Permitted<P>,
    ) -> Asked<MadeToken> {
        let by = by(who);
        let name = plain_name(&name)?;
        if days == 0 || days > TOKEN_DAYS {
            return Err(Problem::wrong(
                "days",
                Inputs::Between {
                    least: 1,
                    most: TOKEN_DAYS.into(),
                },
            ));
        }
        let secret = format!("{}{}", secrets::TOKEN_PREFIX, *secrets::secret()?);
        let expires = by.at.plus(i64::from(days).saturating_mul(DAY));
        let new = NewApiToken {
            name: name.clone(),
            sha256: sha256(&[secret.as_bytes()]),
            grants,
            expires,
            by_token: token_of(who),
        };
        let id = self.0.store.create_api_token(new, by).await;
        Ok(MadeToken {
            id: id.map_err(problem)?,
            name,
            secret,
            expires: At(expires),
        })
    }
}

/// A name of one line.
pub fn plain_name(name: &str) -> Asked<String> {
    let name = name.trim();
    let chars = name.chars().count();
    match chars == 0 || chars > NAME_CHARS || !is_plain(name) {
        true => Err(Problem::wrong("name", Inputs::OneLine { most: NAME_CHARS })),
        false => Ok(name.to_owned()),
    }
}

fn user_of<P>(who: &Permitted<P>) -> Option<UserId> {
    match &who.authenticated().signed {
        Signed::Session { user, .. } => Some(*user),
        Signed::Token { .. } => None,
    }
}

/// The API token that asks, if one does.
fn token_of<P>(who: &Permitted<P>) -> Option<[u8; 32]> {
    match &who.authenticated().signed {
        Signed::Session { .. } => None,
        Signed::Token { sha256 } => Some(*sha256),
    }
}

fn shown(row: store::ApiTokenLine) -> ApiToken {
    let grants = &row.token.grants;
    let may = match (grants.roles.first(), grants.operator) {
        (Some((_, role)), _) => role.as_str(),
        (None, true) => "operator",
        (None, false) => "reseller",
    };
    ApiToken {
        id: row.id,
        may: may.to_owned(),
        name: row.token.name,
        created: At(row.created),
        created_by: row.created_by,
        expires: At(row.expires),
        used: row.token.used.map(At),
    }
}
