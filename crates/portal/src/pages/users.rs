//! Users and API tokens of an organisation.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::request::Parts;
use axum::response::Response;
use sealgate_core::permission::Role;
use sealgate_mail::Address;
use serde::Deserialize;

use super::Nothing;
use super::login::role_key;
use crate::Portal;
use crate::auth::{Admin, Permitted, Posted};
use crate::lang::key;
use crate::limits::TOKEN_DAYS;
use crate::office::people::Reseller;
use crate::office::users::{
    ApiToken, Invitation, InvitationLink, Invite, MadeToken, Member, NewToken,
};
use crate::office::{Page, Paging};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::view::{Notice, View, Visit, done, next_page, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Admin, _, _>("/o/{organisation}/users", list),
        post::<Admin, _, _>("/o/{organisation}/users/invite", invite),
        post::<Admin, _, _>("/o/{organisation}/users/withdraw", withdraw),
        post::<Admin, _, _>("/o/{organisation}/users/role", role),
        post::<Admin, _, _>("/o/{organisation}/users/remove", remove),
        get::<Admin, _, _>("/o/{organisation}/tokens", tokens),
        post::<Admin, _, _>("/o/{organisation}/tokens/create", create),
        post::<Admin, _, _>("/o/{organisation}/tokens/revoke", revoke),
    ]
}

/// Key of the word for what an invitation or token is for.
pub fn may_key(word: &str) -> &'static str {
    match word {
        "read" => role_key(Role::Read),
        "write" => role_key(Role::Write),
        "admin" => role_key(Role::Admin),
        "operator" => key("role-operator"),
        "reseller" => key("role-reseller"),
        _ => key("role-password"),
    }
}

/// A link or secret that is shown once.
#[derive(Template)]
#[template(path = "users/once.html")]
pub struct Once {
    /// The page.
    pub view: View,
    /// Key of its heading.
    pub title: &'static str,
    /// Key of what to do with it.
    pub hint: &'static str,
    /// Whom or what it is for.
    pub name: String,
    /// The link or secret.
    pub secret: String,
    /// When it ends.
    pub expires: crate::office::At,
    /// Where to go afterwards.
    pub back: String,
}

impl Once {
    /// The link of an invitation.
    pub fn link(view: View, link: InvitationLink, back: &str) -> Result<Response, Problem> {
        page(&Self {
            view,
            title: key("once-invitation"),
            hint: key("once-invitation-hint"),
            name: link.name,
            secret: link.link,
            expires: link.expires,
            back: back.to_owned(),
        })
    }

    /// The secret of a token.
    pub fn token(view: View, made: MadeToken, back: &str) -> Result<Response, Problem> {
        page(&Self {
            view,
            title: key("once-token"),
            hint: key("once-token-hint"),
            name: made.name,
            secret: made.secret,
            expires: made.expires,
            back: back.to_owned(),
        })
    }
}

#[derive(Template)]
#[template(path = "users/list.html")]
struct List {
    view: View,
    members: Page<Member>,
    invitations: Vec<Invitation>,
    first: Option<String>,
    next: Option<String>,
}

impl List {
    fn role(&self, role: &Role) -> String {
        self.view.t(role_key(*role))
    }

    fn is(role: &Role, word: &str) -> bool {
        role.as_str() == word
    }
}

async fn list(
    State(portal): State<Portal>,
    visit: Visit<Admin>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let members = portal.office.members(&visit.permitted, &paging).await?;
    let invitations = portal.office.invitations(&visit.permitted).await?;
    let (first, next) = next_page(&visit.view, &Nothing {}, &paging, &members);
    page(&List {
        view: visit.view,
        members,
        invitations,
        first,
        next,
    })
}

async fn invite(
    State(portal): State<Portal>,
    parts: Parts,
    Posted(who, form): Posted<Admin, InviteForm>,
) -> Result<Response, Problem> {
    let invite = Invite {
        name: address(&form.name)?,
        role: form.role,
    };
    let link = portal.office.invite(&who, invite).await?;
    let view = View::of(&portal, &who, &parts).await?;
    Once::link(view, link, &users(&who))
}

#[derive(Deserialize)]
struct InviteForm {
    name: String,
    role: Role,
}

/// The mail address in a form.
pub fn address(text: &str) -> Result<Address, Problem> {
    Address::parse(text.trim()).map_err(|error| Problem::wrong("name", error))
}

/// One of a list, by its button.
#[derive(Deserialize)]
pub struct Which {
    /// Its number.
    pub id: i64,
}

async fn withdraw(
    State(portal): State<Portal>,
    Posted(who, which): Posted<Admin, Which>,
) -> Result<Response, Problem> {
    portal.office.withdraw_invitation(&who, which.id).await?;
    let notice = Notice::new("users-withdrawn");
    done(&portal, &who, notice, &users(&who)).await
}

#[derive(Deserialize)]
struct NewRole {
    id: i64,
    role: Role,
}

async fn role(
    State(portal): State<Portal>,
    Posted(who, new): Posted<Admin, NewRole>,
) -> Result<Response, Problem> {
    portal.office.set_role(&who, new.id, new.role).await?;
    let notice = Notice::new("users-role-set");
    done(&portal, &who, notice, &users(&who)).await
}

async fn remove(
    State(portal): State<Portal>,
    Posted(who, which): Posted<Admin, Which>,
) -> Result<Response, Problem> {
    portal.office.remove_member(&who, which.id).await?;
    let notice = Notice::new("users-removed");
    done(&portal, &who, notice, &users(&who)).await
}

fn users<P>(who: &Permitted<P>) -> String {
    format!("/o/{}/users", who.organisation_name())
}

/// API tokens: of an organisation, or of the operator and of resellers.
#[derive(Template)]
#[template(path = "users/tokens.html")]
pub struct Tokens {
    view: View,
    tokens: Page<ApiToken>,
    /// For whom one can be made beside the operator; none in an organisation, where one has a role.
    resellers: Option<Vec<Reseller>>,
    /// Address of the page.
    here: String,
    days: u32,
    first: Option<String>,
    next: Option<String>,
}

impl Tokens {
    fn may(&self, word: &str) -> String {
        self.view.t(may_key(word))
    }

    /// One page of them, at `here`.
    pub fn answer(
        view: View,
        (tokens, paging): (Page<ApiToken>, &Paging),
        resellers: Option<Vec<Reseller>>,
        here: String,
    ) -> Result<Response, Problem> {
        let (first, next) = next_page(&view, &Nothing {}, paging, &tokens);
        page(&Self {
            view,
            tokens,
            resellers,
            here,
            days: TOKEN_DAYS,
            first,
            next,
        })
    }
}

fn tokens_page<P>(who: &Permitted<P>) -> String {
    format!("/o/{}/tokens", who.organisation_name())
}

async fn tokens(
    State(portal): State<Portal>,
    visit: Visit<Admin>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let tokens = portal.office.tokens(&visit.permitted, &paging).await?;
    let here = tokens_page(&visit.permitted);
    Tokens::answer(visit.view, (tokens, &paging), None, here)
}

async fn create(
    State(portal): State<Portal>,
    parts: Parts,
    Posted(who, new): Posted<Admin, NewToken>,
) -> Result<Response, Problem> {
    let made = portal.office.create_token(&who, new).await?;
    let view = View::of(&portal, &who, &parts).await?;
    Once::token(view, made, &tokens_page(&who))
}

async fn revoke(
    State(portal): State<Portal>,
    Posted(who, which): Posted<Admin, Which>,
) -> Result<Response, Problem> {
    portal.office.revoke_token(&who, which.id).await?;
    let notice = Notice::new("tokens-revoked");
    done(&portal, &who, notice, &tokens_page(&who)).await
}
