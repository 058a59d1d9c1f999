//! All users of the installation, resellers, and their API tokens: for the operator.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::request::Parts;
use axum::response::Response;
use sealgate_core::saying::Inputs;
use serde::Deserialize;

use super::users::{Once, Tokens, Which, address, may_key};
use crate::Portal;
use crate::auth::{Operate, Posted};
use crate::office::people::{
    Assignment, InvitePerson, NewInstallationToken, NewReseller, PeopleFilter, Person,
    PersonChange, Reseller, Reset,
};
use crate::office::users::Invitation;
use crate::office::{Page, Paging};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::view::{Notice, View, Visit, done, next_page, page};

const USERS: &str = "/system/users";
const RESELLERS: &str = "/system/resellers";
const TOKENS: &str = "/system/tokens";

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Operate, _, _>(USERS, list),
        post::<Operate, _, _>("/system/users/invite", invite),
        post::<Operate, _, _>("/system/users/withdraw", withdraw),
        post::<Operate, _, _>("/system/users/change", change),
        post::<Operate, _, _>("/system/users/reset", reset),
        post::<Operate, _, _>("/system/users/remove", remove),
        get::<Operate, _, _>(RESELLERS, resellers),
        post::<Operate, _, _>("/system/resellers/create", create_reseller),
        post::<Operate, _, _>("/system/resellers/remove", remove_reseller),
        post::<Operate, _, _>("/system/resellers/assign", assign),
        get::<Operate, _, _>(TOKENS, tokens),
        post::<Operate, _, _>("/system/tokens/create", create_token),
        post::<Operate, _, _>("/system/tokens/revoke", revoke_token),
    ]
}

#[derive(Template)]
#[template(path = "people/list.html")]
struct List {
    view: View,
    filter: PeopleFilter,
    people: Page<Person>,
    invitations: Vec<Invitation>,
    resellers: Vec<Reseller>,
    first: Option<String>,
    next: Option<String>,
}

impl List {
    /// What somebody may do, in words.
    fn may(&self, person: &Person) -> String {
        let role = |own: &crate::office::people::PersonRole| {
            let role = self.view.t(may_key(own.role.as_str()));
            format!("{} ({role})", own.organisation)
        };
        let mut words: Vec<String> = person.roles.iter().map(role).collect();
        let mut own = self.resellers.iter();
        let reseller = own.find(|one| Some(one.id) == person.reseller);
        words.extend(reseller.map(|one| one.name.clone()));
        words.extend(person.operator.then(|| self.view.t("role-operator")));
        words.join(", ")
    }
}

async fn list(
    State(portal): State<Portal>,
    visit: Visit<Operate>,
    Query(filter): Query<PeopleFilter>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let who = &visit.permitted;
    let people = portal.office.people(who, &filter, &paging).await?;
    let (first, next) = next_page(&visit.view, &filter, &paging, &people);
    page(&List {
        invitations: portal.office.people_invited(who).await?,
        resellers: portal.office.resellers(who).await?,
        view: visit.view,
        filter,
        people,
        first,
        next,
    })
}

#[derive(Deserialize)]
struct InviteForm {
    name: String,
    #[serde(default)]
    reseller: String,
}

async fn invite(
    State(portal): State<Portal>,
    parts: Parts,
    Posted(who, form): Posted<Operate, InviteForm>,
) -> Result<Response, Problem> {
    let invite = InvitePerson {
        name: address(&form.name)?,
        reseller: number(&form.reseller)?,
    };
    let link = portal.office.invite_person(&who, invite).await?;
    Once::link(View::of(&portal, &who, &parts).await?, link, USERS)
}

/// The number of a reseller in a form; empty is none.
fn number(text: &str) -> Result<Option<i64>, Problem> {
    match text {
        "" => Ok(None),
        number => number
            .parse()
            .map(Some)
            .map_err(|_| Problem::wrong("reseller", Inputs::Number {})),
    }
}

async fn withdraw(
    State(portal): State<Portal>,
    Posted(who, which): Posted<Operate, Which>,
) -> Result<Response, Problem> {
    portal.office.withdraw_person(&who, which.id).await?;
    done(&portal, &who, Notice::new("users-withdrawn"), USERS).await
}

/// One change of a user, by one button.
#[derive(Deserialize)]
struct Changed {
    id: i64,
    disabled: Option<bool>,
    operator: Option<bool>,
    reseller: Option<i64>,
}

async fn change(
    State(portal): State<Portal>,
    Posted(who, changed): Posted<Operate, Changed>,
) -> Result<Response, Problem> {
    let change = PersonChange {
        disabled: changed.disabled,
        operator: changed.operator,
        reseller: changed.reseller,
    };
    portal
        .office
        .change_person(&who, changed.id, change)
        .await?;
    done(&portal, &who, Notice::new("people-changed"), USERS).await
}

#[derive(Deserialize)]
struct ResetForm {
    id: i64,
    #[serde(default)]
    second_factor: bool,
}

async fn reset(
    State(portal): State<Portal>,
    parts: Parts,
    Posted(who, form): Posted<Operate, ResetForm>,
) -> Result<Response, Problem> {
    let reset = Reset {
        second_factor: form.second_factor,
    };
    let link = portal.office.reset_person(&who, form.id, reset).await?;
    Once::link(View::of(&portal, &who, &parts).await?, link, USERS)
}

async fn remove(
    State(portal): State<Portal>,
    Posted(who, which): Posted<Operate, Which>,
) -> Result<Response, Problem> {
    portal.office.remove_person(&who, which.id).await?;
    done(&portal, &who, Notice::new("people-removed"), USERS).await
}

#[derive(Template)]
#[template(path = "people/resellers.html")]
struct Resellers {
    view: View,
    resellers: Vec<Reseller>,
}

async fn resellers(
    State(portal): State<Portal>,
    visit: Visit<Operate>,
) -> Result<Response, Problem> {
    page(&Resellers {
        resellers: portal.office.resellers(&visit.permitted).await?,
        view: visit.view,
    })
}

async fn create_reseller(
    State(portal): State<Portal>,
    Posted(who, new): Posted<Operate, NewReseller>,
) -> Result<Response, Problem> {
    portal.office.create_reseller(&who, new).await?;
    done(&portal, &who, Notice::new("resellers-made"), RESELLERS).await
}

async fn remove_reseller(
    State(portal): State<Portal>,
    Posted(who, which): Posted<Operate, Which>,
) -> Result<Response, Problem> {
    portal.office.remove_reseller(&who, which.id).await?;
    done(&portal, &who, Notice::new("resellers-removed"), RESELLERS).await
}

#[derive(Deserialize)]
struct AssignForm {
    organisation: String,
    #[serde(default)]
    reseller: String,
}

async fn assign(
    State(portal): State<Portal>,
    Posted(who, form): Posted<Operate, AssignForm>,
) -> Result<Response, Problem> {
    let assignment = Assignment {
        organisation: form.organisation.trim().to_owned(),
        reseller: number(&form.reseller)?,
    };
    portal.office.assign(&who, assignment).await?;
    done(&portal, &who, Notice::new("resellers-assigned"), RESELLERS).await
}

async fn tokens(
    State(portal): State<Portal>,
    visit: Visit<Operate>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let who = &visit.permitted;
    let tokens = portal.office.installation_tokens(who, &paging).await?;
    let resellers = portal.office.resellers(who).await?;
    let here = TOKENS.to_owned();
    Tokens::answer(visit.view, (tokens, &paging), Some(resellers), here)
}

#[derive(Deserialize)]
struct TokenForm {
    name: String,
    #[serde(default)]
    reseller: String,
    days: u32,
}

async fn create_token(
    State(portal): State<Portal>,
    parts: Parts,
    Posted(who, form): Posted<Operate, TokenForm>,
) -> Result<Response, Problem> {
    let new = NewInstallationToken {
        name: form.name,
        reseller: number(&form.reseller)?,
        days: form.days,
    };
    let made = portal.office.create_installation_token(&who, new).await?;
    Once::token(View::of(&portal, &who, &parts).await?, made, TOKENS)
}

async fn revoke_token(
    State(portal): State<Portal>,
    Posted(who, which): Posted<Operate, Which>,
) -> Result<Response, Problem> {
    portal
        .office
        .revoke_installation_token(&who, which.id)
        .await?;
    done(&portal, &who, Notice::new("tokens-revoked"), TOKENS).await
}
