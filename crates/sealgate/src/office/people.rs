//! The operator's questions about all users and resellers.

use async_trait::async_trait;
use sealgate_core::permission::{Grants, ResellerId, UserId};
use sealgate_mail::Address;
use sealgate_portal::auth::{Operate, Permitted};
use sealgate_portal::office::people::{
    Assignment, InvitePerson, NewInstallationToken, NewReseller, People, PeopleFilter, Person,
    PersonChange, PersonRole, Reseller, Reset,
};
use sealgate_portal::office::users::{ApiToken, Invitation, InvitationLink, MadeToken};
use sealgate_portal::office::{Asked, At, Page, Paging};
use sealgate_portal::problem::Problem;
use sealgate_store::{ApiTokenScope, InvitationScope, Invited, UserChange, UserLine, UserQuery};

use super::account::by;
use super::users::plain_name;
use super::{PortalOffice, one_page, problem};

#[async_trait]
impl People for PortalOffice {
    async fn people(
        &self,
        _: &Permitted<Operate>,
        filter: &PeopleFilter,
        paging: &Paging,
    ) -> Asked<Page<Person>> {
        let query = UserQuery {
            search: filter.search.clone(),
            after: paging.after.clone(),
            limit: paging.rows(),
        };
        let rows = self.0.store.users(&query).await.map_err(problem)?;
        let place = |row: &UserLine| row.user.name.clone();
        Ok(one_page(rows, paging, (place, person)))
    }

    async fn invite_person(
        &self,
        who: &Permitted<Operate>,
        invite: InvitePerson,
    ) -> Asked<InvitationLink> {
        let invited = match invite.reseller {
            Some(id) => Invited::Reseller(ResellerId(id)),
            None => Invited::Operator,
        };
        self.link(invite.name, invited, who).await
    }

    async fn people_invited(&self, _: &Permitted<Operate>) -> Asked<Vec<Invitation>> {
        self.open_invitations(InvitationScope::Installation).await
    }

    async fn withdraw_person(&self, who: &Permitted<Operate>, id: i64) -> Asked<()> {
        let scope = InvitationScope::Installation;
        let withdrawn = self.0.store.withdraw_invitation(scope, id, by(who)).await;
        withdrawn.map_err(problem)
    }

    async fn change_person(
        &self,
        who: &Permitted<Operate>,
        id: i64,
        change: PersonChange,
    ) -> Asked<()> {
        let gives = change.operator == Some(true) || change.reseller.is_some_and(|id| id != 0);
        if gives {
            return Err(Problem::new("by-invitation"));
        }
        let change = UserChange {
            disabled: change.disabled,
            operator: change.operator,
            reseller: change.reseller.map(|_| None),
        };
        let store = &self.0.store;
        let changed = store.change_rights(UserId(id), change, by(who)).await;
        changed.map_err(problem)
    }

    async fn reset_person(
        &self,
        who: &Permitted<Operate>,
        id: i64,
        reset: Reset,
    ) -> Asked<InvitationLink> {
        let user = self.0.store.user(UserId(id)).await.map_err(problem)?;
        let user = user.ok_or_else(Problem::not_found)?;
        let name = Address::parse(&user.name).map_err(Problem::internal)?;
        let invited = Invited::Reset {
            user: user.id,
            factor: reset.second_factor,
        };
        self.link(name, invited, who).await
    }

    async fn remove_person(&self, who: &Permitted<Operate>, id: i64) -> Asked<()> {
        let removed = self.0.store.remove_user(UserId(id), by(who)).await;
        removed.map_err(problem)
    }

    async fn resellers(&self, _: &Permitted<Operate>) -> Asked<Vec<Reseller>> {
        let store = &self.0.store;
        let all = store.resellers().await.map_err(problem)?;
        let mut shown = Vec::with_capacity(all.len());
        for one in all {
            let own = store.whose_organisations(Some(one.id)).await;
            let own = own.map_err(problem)?.into_iter();
            shown.push(Reseller {
                id: one.id.0,
                name: one.name,
                users: one.users,
                organisations: own.map(|organisation| organisation.name).collect(),
            });
        }
        Ok(shown)
    }

    async fn create_reseller(&self, who: &Permitted<Operate>, new: NewReseller) -> Asked<i64> {
        let name = plain_name(&new.name)?;
        let made = self.0.store.create_reseller(name, by(who)).await;
        Ok(made.map_err(problem)?.0)
    }

    async fn remove_reseller(&self, who: &Permitted<Operate>, id: i64) -> Asked<()> {
        let removed = self.0.store.remove_reseller(ResellerId(id), by(who)).await;
        removed.map_err(problem)
    }

    async fn assign(&self, who: &Permitted<Operate>, assignment: Assignment) -> Asked<()> {
        let store = &self.0.store;
        let whose = store.whose(&assignment.organisation).await;
        let organisation = whose.map_err(problem)?.ok_or_else(Problem::not_found)?;
        let reseller = assignment.reseller.map(ResellerId);
        let given = store.assign_organisation(organisation.organisation, reseller, by(who));
        given.await.map_err(problem)
    }

    async fn installation_tokens(
        &self,
        _: &Permitted<Operate>,
        paging: &Paging,
    ) -> Asked<Page<ApiToken>> {
        self.token_page(ApiTokenScope::Installation, paging).await
    }

    async fn create_installation_token(
        &self,
        who: &Permitted<Operate>,
        new: NewInstallationToken,
    ) -> Asked<MadeToken> {
        let grants = Grants {
            operator: new.reseller.is_none(),
            reseller: new.reseller.map(ResellerId),
            roles: Vec::new(),
        };
        if let Some(id) = new.reseller {
            let all = self.0.store.resellers().await.map_err(problem)?;
            if all.iter().all(|one| one.id != ResellerId(id)) {
                return Err(Problem::not_found());
            }
        }
        self.make_token((new.name, new.days), grants, who).await
    }

    async fn revoke_installation_token(&self, who: &Permitted<Operate>, id: i64) -> Asked<()> {
        let scope = ApiTokenScope::Installation;
        let revoked = self.0.store.revoke_api_token(scope, id, by(who)).await;
        revoked.map_err(problem)
    }
}

fn person(line: UserLine) -> Person {
    let roles = line.roles.into_iter();
    Person {
        id: line.user.id.0,
        name: line.user.name,
        operator: line.user.operator,
        reseller: line.user.reseller.map(|id| id.0),
        roles: roles
            .map(|(organisation, role)| PersonRole { organisation, role })
            .collect(),
        has_second_factor: line.user.has_second_factor,
        is_foreign: line.user.is_foreign,
        disabled: line.user.disabled,
        invited_by: line.user.invited_by,
        created: At(line.user.created),
        seen: line.seen.map(At),
    }
}
