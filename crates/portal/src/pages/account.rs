//! One's own account: password, language, second factor, recovery codes, sessions.

use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Nothing;
use crate::Portal;
use crate::auth::{Oneself, Permitted, Posted, Visitor, own, totp};
use crate::office::account::{
    LanguageChange, OneTimeCode, OwnAccount, OwnSession, PasswordChange, Proof, RecoveryCodes,
};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::view::{Notice, View, Visit, done, language_cookie, page, see};

const HERE: &str = "/account";
const SECOND_FACTOR: &str = "/account/second-factor";

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Oneself, _, _>(HERE, show),
        post::<Oneself, _, _>("/account/password", password),
        post::<Oneself, _, _>("/account/language", language),
        get::<Oneself, _, _>(SECOND_FACTOR, second_factor),
        post::<Oneself, _, _>("/account/second-factor/begin", begin),
        get::<Oneself, _, _>("/account/second-factor/picture", picture),
        post::<Oneself, _, _>("/account/second-factor/confirm", confirm),
        post::<Oneself, _, _>("/account/second-factor/remove", remove),
        post::<Oneself, _, _>("/account/recovery-codes", recovery_codes),
        post::<Oneself, _, _>("/account/sessions/end", end_session),
        post::<Oneself, _, _>("/account/sessions/end-others", end_others),
    ]
}

#[derive(Template)]
#[template(path = "account/account.html")]
struct Account {
    view: View,
    account: OwnAccount,
    sessions: Vec<OwnSession>,
}

async fn show(State(portal): State<Portal>, visit: Visit<Oneself>) -> Result<Response, Problem> {
    own::user(&visit.permitted)?;
    page(&Account {
        account: portal.office.own_account(&visit.permitted).await?,
        sessions: portal.office.own_sessions(&visit.permitted).await?,
        view: visit.view,
    })
}

async fn password(
    State(portal): State<Portal>,
    visitor: Visitor,
    Posted(who, form): Posted<Oneself, NewPassword>,
) -> Result<Response, Problem> {
    if form.again != form.change.new {
        return Err(Problem::new("passwords-differ"));
    }
    own::change_password(&portal, &visitor, &who, form.change).await?;
    done(&portal, &who, Notice::new("account-password-set"), HERE).await
}

#[derive(Deserialize)]
struct NewPassword {
    #[serde(flatten)]
    change: PasswordChange,
    again: String,
}

async fn language(
    State(portal): State<Portal>,
    Posted(who, change): Posted<Oneself, LanguageChange>,
) -> Result<Response, Problem> {
    portal
        .office
        .set_own_language(&who, change.language)
        .await?;
    let mut response = done(&portal, &who, Notice::new("account-language-set"), HERE).await?;
    let cookie = language_cookie(&portal, change.language)?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

#[derive(Template)]
#[template(path = "account/second_factor.html")]
struct SecondFactor {
    view: View,
    key: String,
}

/// The page with the picture; there is none before it was begun.
async fn second_factor(
    State(portal): State<Portal>,
    visit: Visit<Oneself>,
) -> Result<Response, Problem> {
    let secret = portal.office.begun_second_factor(&visit.permitted).await?;
    match secret {
        None => see(HERE),
        Some(secret) => page(&SecondFactor {
            view: visit.view,
            key: totp::typed(&secret),
        }),
    }
}

async fn begin(
    State(portal): State<Portal>,
    visitor: Visitor,
    Posted(who, proof): Posted<Oneself, Proof>,
) -> Result<Response, Problem> {
    own::begin_second_factor(&portal, &visitor, &who, proof.password).await?;
    see(SECOND_FACTOR)
}

async fn picture(
    State(portal): State<Portal>,
    who: Permitted<Oneself>,
) -> Result<Response, Problem> {
    let secret = portal.office.begun_second_factor(&who).await?;
    let secret = secret.ok_or_else(Problem::not_found)?;
    let picture = totp::picture(&secret, who.who())?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], picture).into_response())
}

#[derive(Template)]
#[template(path = "account/codes.html")]
struct Codes {
    view: View,
    codes: String,
}

impl Codes {
    fn answer(mut view: View, codes: &RecoveryCodes) -> Result<Response, Problem> {
        HERE.clone_into(&mut view.path);
        page(&Self {
            view,
            codes: codes.codes.join("\n"),
        })
    }
}

async fn confirm(
    State(portal): State<Portal>,
    parts: axum::http::request::Parts,
    Posted(who, form): Posted<Oneself, OneTimeCode>,
) -> Result<Response, Problem> {
    let codes = own::confirm_second_factor(&portal, &who, &form.code).await?;
    Codes::answer(View::of(&portal, &who, &parts).await?, &codes)
}

async fn remove(
    State(portal): State<Portal>,
    visitor: Visitor,
    Posted(who, proof): Posted<Oneself, Proof>,
) -> Result<Response, Problem> {
    own::remove_second_factor(&portal, &visitor, &who, proof.password).await?;
    done(&portal, &who, Notice::new("account-factor-removed"), HERE).await
}

async fn recovery_codes(
    State(portal): State<Portal>,
    parts: axum::http::request::Parts,
    Posted(who, proof): Posted<Oneself, Proof>,
) -> Result<Response, Problem> {
    let visitor = Visitor::of(&portal, &parts);
    let codes = own::new_recovery_codes(&portal, &visitor, &who, proof.password).await?;
    Codes::answer(View::of(&portal, &who, &parts).await?, &codes)
}

#[derive(Deserialize)]
struct Which {
    id: i64,
}

async fn end_session(
    State(portal): State<Portal>,
    Posted(who, which): Posted<Oneself, Which>,
) -> Result<Response, Problem> {
    portal.office.end_own_session(&who, which.id).await?;
    done(&portal, &who, Notice::new("account-session-ended"), HERE).await
}

async fn end_others(
    State(portal): State<Portal>,
    Posted(who, Nothing {}): Posted<Oneself, Nothing>,
) -> Result<Response, Problem> {
    portal.office.end_other_sessions(&who).await?;
    done(&portal, &who, Notice::new("account-others-ended"), HERE).await
}
