//! Signing in and out, and what an invitation leads to.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sealgate_core::permission::{Role, UserId};
use sealgate_core::sign_in::Proven;
use sealgate_core::tenant::Language;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Nothing;
use crate::Portal;
use crate::auth::sign_in::{self, Half, Sent, Step, Who, own_page};
use crate::auth::{
    Oneself, Posted, Signed, Visitor, authenticate, cookie, oidc, passwords, sha256,
};
use crate::lang::key;
use crate::office::accounts::{Accepting, InvitedTo, OpenInvitation};
use crate::problem::Problem;
use crate::routes::{PageRoute, open, post};
use crate::view::{View, page, see};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        open(Method::GET, "/login", show),
        open(Method::POST, "/login", sign_in),
        open(Method::GET, "/login/oidc", go_abroad),
        open(Method::GET, oidc::CALLBACK, come_back),
        open(Method::GET, "/login/second", show_second),
        open(Method::POST, "/login/second", second),
        post::<Oneself, _, _>("/logout", sign_out),
        open(Method::GET, "/invitation/{secret}", show_invitation),
        open(Method::POST, "/invitation/{secret}", accept_with_password),
        post::<Oneself, _, _>("/invitation/{secret}/accept", accept),
    ]
}

#[derive(Template)]
#[template(path = "login/login.html")]
struct Login {
    view: View,
    next: String,
    name: String,
    /// What the other server is called that users may sign in with.
    issuer: Option<String>,
    wrong: Option<&'static str>,
}

impl Login {
    fn abroad(&self) -> String {
        with_next("/login/oidc", &self.next)
    }
}

fn issuer_name(portal: &Portal) -> Option<String> {
    let issuer = portal.settings.issuer.as_ref();
    issuer.map(|issuer| issuer.name.clone())
}

/// Where to go afterwards.
#[derive(Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

async fn show(
    State(portal): State<Portal>,
    mut parts: Parts,
    Query(Next { next }): Query<Next>,
) -> Result<Response, Problem> {
    if authenticate(&portal, &mut parts).await?.is_some() {
        return see(own_page(&portal, &next));
    }
    page(&Login {
        view: View::for_anybody(&portal, &parts),
        next,
        issuer: issuer_name(&portal),
        name: String::new(),
        wrong: None,
    })
}

#[derive(Deserialize)]
struct Credentials {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

async fn sign_in(
    State(portal): State<Portal>,
    sent: Sent<Credentials>,
) -> Result<Response, Problem> {
    let Credentials {
        name,
        password,
        next,
    } = sent.form;
    let from = (&sent.visitor, &sent.parts.headers);
    let step = sign_in::with_password(&portal, from, &name, Zeroizing::new(password)).await?;
    let wrong = match step {
        Step::Done(cookie) => return go(own_page(&portal, &next), cookie),
        Step::Half(cookie) => return go(&with_next("/login/second", &next), cookie),
        Step::Wrong => refused(key("login-wrong")),
        Step::Wait(seconds) => wait(seconds),
    };
    let form = page(&Login {
        view: View::for_anybody(&portal, &sent.parts),
        next,
        name,
        issuer: issuer_name(&portal),
        wrong: Some(wrong.text),
    })?;
    Ok(wrong.answer(form))
}

/// What is told of a step that failed.
struct Refused {
    text: &'static str,
    status: StatusCode,
    wait: Option<i64>,
}

const fn refused(text: &'static str) -> Refused {
    Refused {
        text,
        status: StatusCode::FORBIDDEN,
        wait: None,
    }
}

const fn wait(seconds: i64) -> Refused {
    Refused {
        text: key("problem-too-many-tries"),
        status: StatusCode::TOO_MANY_REQUESTS,
        wait: Some(seconds),
    }
}

impl Refused {
    fn answer(self, form: Response) -> Response {
        let mut response = (self.status, form).into_response();
        if let Some(seconds) = self.wait {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Name of the cookie that a sign-in with another server is known by when the browser comes back.
fn foreign_cookie(portal: &Portal) -> &'static str {
    match portal.settings.url.scheme() {
        "https" => "__Host-sealgate-oidc",
        _ => "sealgate-oidc",
    }
}

async fn go_abroad(
    State(portal): State<Portal>,
    visitor: Visitor,
    Query(Next { next }): Query<Next>,
) -> Result<Response, Problem> {
    let issuer = portal.settings.issuer.as_ref();
    let issuer = issuer.ok_or_else(Problem::not_found)?;
    let begun = oidc::begin(&portal, issuer, (&visitor, &next)).await?;
    let cookie = sign_in::cookie_value(&portal, foreign_cookie(&portal), &begun.secret, "")?;
    go(begun.to.as_str(), cookie)
}

async fn come_back(
    State(portal): State<Portal>,
    parts: Parts,
    Query(brought): Query<oidc::Brought>,
) -> Result<Response, Problem> {
    let issuer = portal.settings.issuer.as_ref();
    let issuer = issuer.ok_or_else(Problem::not_found)?;
    let browser = cookie(&parts.headers, foreign_cookie(&portal)).unwrap_or_default();
    let came = oidc::finish(&portal, issuer, browser, brought).await;
    let came = came.map_err(|refusal| {
        tracing::warn!(reason = ?refusal.to_string(), "a sign-in with another server was refused");
        Problem::new("foreign")
    })?;
    let language = View::for_anybody(&portal, &parts).language;
    let known = portal.office.vouched(came.who, language).await?;
    let known = known.filter(|known| !known.disabled);
    let known = known.ok_or_else(|| Problem::new("not-invited"))?;
    let visitor = Visitor::of(&portal, &parts);
    let who = Who {
        user: known.user,
        proven: Proven::Vouched,
        owes_second_factor: known.second_factor,
    };
    let step = sign_in::open(&portal, (&visitor, &parts.headers), who).await?;
    let next = came.next;
    let mut response = match step {
        Step::Done(cookie) => go(own_page(&portal, &next), cookie)?,
        Step::Half(cookie) => go(&with_next("/login/second", &next), cookie)?,
        Step::Wrong | Step::Wait(_) => return Err(Problem::new("foreign")),
    };
    let gone = sign_in::cookie_value(&portal, foreign_cookie(&portal), "", "; Max-Age=0")?;
    response.headers_mut().append(header::SET_COOKIE, gone);
    Ok(response)
}

#[derive(Template)]
#[template(path = "login/second.html")]
struct Second {
    view: View,
    next: String,
    csrf: String,
    wrong: Option<&'static str>,
}

async fn show_second(
    State(portal): State<Portal>,
    parts: Parts,
    Query(Next { next }): Query<Next>,
) -> Result<Response, Problem> {
    let Some(Half { csrf, .. }) = sign_in::half(&portal, &parts.headers).await? else {
        return see(&with_next("/login", &next));
    };
    page(&Second {
        view: View::for_anybody(&portal, &parts),
        next,
        csrf,
        wrong: None,
    })
}

#[derive(Deserialize)]
struct Code {
    csrf: String,
    code: String,
    #[serde(default)]
    next: String,
}

async fn second(State(portal): State<Portal>, sent: Sent<Code>) -> Result<Response, Problem> {
    let Code { csrf, code, next } = sent.form;
    let headers = &sent.parts.headers;
    let Some(half) = sign_in::half(&portal, headers).await? else {
        return see(&with_next("/login", &next));
    };
    if half.csrf != csrf {
        return Err(Problem::new("csrf"));
    }
    let from = (&sent.visitor, headers);
    let wrong = match sign_in::with_code(&portal, from, &half, &code).await? {
        Step::Done(cookie) | Step::Half(cookie) => return go(own_page(&portal, &next), cookie),
        Step::Wrong => refused(key("login-wrong-code")),
        Step::Wait(seconds) => wait(seconds),
    };
    let form = page(&Second {
        view: View::for_anybody(&portal, &sent.parts),
        next,
        csrf,
        wrong: Some(wrong.text),
    })?;
    Ok(wrong.answer(form))
}

async fn sign_out(
    State(portal): State<Portal>,
    parts: Parts,
    Posted(_, Nothing {}): Posted<Oneself, Nothing>,
) -> Result<Response, Problem> {
    let cookie = sign_in::end(&portal, &parts.headers).await?;
    go("/login", cookie)
}

#[derive(Template)]
#[template(path = "login/invitation.html")]
struct Invitation {
    view: View,
    invitation: OpenInvitation,
    /// Its own address.
    address: String,
    /// Whether whoever is signed in is the one who was invited.
    is_own: bool,
    /// Who is signed in, if it is somebody else.
    other: Option<String>,
    wrong: Option<&'static str>,
}

impl Invitation {
    /// What it is to, in a sentence.
    fn words(&self) -> String {
        let view = &self.view;
        match &self.invitation.to {
            InvitedTo::Organisation(name, role) => view.t2(
                "invitation-organisation",
                ("organisation", name.as_str()),
                ("role", view.t(role_key(*role))),
            ),
            InvitedTo::Reseller(name) => view.t1("invitation-reseller", "reseller", name.as_str()),
            InvitedTo::Operator => view.t("invitation-operator"),
            InvitedTo::Password => view.t("invitation-reset"),
        }
    }

    fn sign_in(&self) -> String {
        with_next("/login", &self.address)
    }

    fn is_reset(&self) -> bool {
        self.invitation.to == InvitedTo::Password
    }
}

async fn opened(
    portal: &Portal,
    parts: &mut Parts,
    secret: &str,
) -> Result<(Invitation, [u8; 32]), Problem> {
    let sha256 = sha256(&[secret.as_bytes()]);
    let found = portal.office.invitation(&sha256).await?;
    let invitation = found.ok_or_else(|| Problem::new("invitation"))?;
    let own = authenticate(portal, parts).await?;
    let mut view = View::for_anybody(portal, parts);
    let mut is_own = false;
    let mut other = None;
    if let Some(own) = own.as_ref() {
        is_own = own.name.eq_ignore_ascii_case(&invitation.name);
        other = (!is_own).then(|| own.name.clone());
        if let Signed::Session { csrf, .. } = &own.signed {
            view.csrf.clone_from(csrf);
        }
    }
    let shown = Invitation {
        view,
        invitation,
        address: format!("/invitation/{secret}"),
        is_own,
        other,
        wrong: None,
    };
    Ok((shown, sha256))
}

async fn show_invitation(
    State(portal): State<Portal>,
    Path(secret): Path<String>,
    mut parts: Parts,
) -> Result<Response, Problem> {
    let (shown, _) = opened(&portal, &mut parts, &secret).await?;
    page(&shown)
}

#[derive(Deserialize)]
struct NewPassword {
    password: String,
    again: String,
}

async fn accept_with_password(
    State(portal): State<Portal>,
    Path(secret): Path<String>,
    mut sent: Sent<NewPassword>,
) -> Result<Response, Problem> {
    let (mut shown, sha256) = opened(&portal, &mut sent.parts, &secret).await?;
    let given = Zeroizing::new(sent.form.password);
    let again = Zeroizing::new(sent.form.again);
    let wrong = match passwords::judge("password", &given) {
        Err(_) => Some(key("problem-password")),
        Ok(()) if given != again => Some(key("passwords-differ")),
        Ok(()) => None,
    };
    if wrong.is_some() {
        shown.wrong = wrong;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)?).into_response());
    }
    let hash = passwords::hash(&portal.doors.passwords, given).await?;
    let language: Language = shown.view.language;
    let how = Accepting::Password(hash.clone(), language);
    let is_reset = shown.is_reset();
    let user: UserId = portal.office.accept_invitation(sha256, how).await?;
    if is_reset {
        // Whoever still owes a second factor gives it as always.
        return see("/login");
    }
    let from = (&sent.visitor, &sent.parts.headers);
    let who = Who {
        user,
        proven: Proven::Password(hash),
        owes_second_factor: false,
    };
    match sign_in::open(&portal, from, who).await? {
        Step::Done(cookie) => go("/", cookie),
        _ => see("/login"),
    }
}

/// By the invited user, who is signed in; the session gets a new secret, since it may do more from now on.
async fn accept(
    State(portal): State<Portal>,
    Path(secret): Path<String>,
    parts: Parts,
    Posted(permitted, Nothing {}): Posted<Oneself, Nothing>,
) -> Result<Response, Problem> {
    let Signed::Session {
        user,
        sha256: session,
        ..
    } = &permitted.authenticated().signed
    else {
        return Err(Problem::new("forbidden"));
    };
    let sha256 = sha256(&[secret.as_bytes()]);
    let how = Accepting::User(*user);
    portal.office.accept_invitation(sha256, how).await?;
    let visitor = Visitor::of(&portal, &parts);
    let who = Who {
        user: *user,
        proven: Proven::Session(*session),
        owes_second_factor: false,
    };
    match sign_in::open(&portal, (&visitor, &parts.headers), who).await? {
        Step::Done(cookie) => go("/", cookie),
        _ => see("/login"),
    }
}

/// Key of the word for a role.
pub const fn role_key(role: Role) -> &'static str {
    match role {
        Role::Read => key("role-read"),
        Role::Write => key("role-write"),
        Role::Admin => key("role-admin"),
    }
}

/// Sends the browser to another page, with a cookie.
fn go(to: &str, cookie: HeaderValue) -> Result<Response, Problem> {
    let mut response = see(to)?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

fn with_next(page: &str, next: &str) -> String {
    if next.is_empty() {
        return page.to_owned();
    }
    let start = format!("{page}?");
    let end = start.len();
    let mut query = url::form_urlencoded::Serializer::for_suffix(start, end);
    query.append_pair("next", next);
    query.finish()
}
