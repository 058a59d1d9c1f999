//! Signing in, step by step: password, second factor, session. A session gets a new secret at each step (row W2); what fails says
//! neither why nor whether there is such an account (row W4).

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use sealgate_core::permission::UserId;
use sealgate_core::sign_in::{NewSession, Proven};
use sealgate_mail::Address;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::doors::{Visitor, tell_lock};
use super::tries::{account, whose};
use super::who::{cookie, cookie_name, csrf, origin_is_ours, sha256};
use super::{passwords, secrets, totp};
use crate::Portal;
use crate::limits::NEXT_OCTETS;
use crate::office::accounts::Session;
use crate::problem::Problem;

/// What came of a step.
#[derive(Debug)]
pub enum Step {
    /// A session; the value of its cookie.
    Done(HeaderValue),
    /// A session that owes the second factor.
    Half(HeaderValue),
    /// No.
    Wrong,
    /// Too many failures: not before so many seconds.
    Wait(i64),
}

/// A form of our own page that nobody has to be signed in for.
#[derive(Debug)]
pub struct Sent<T> {
    /// The rest of the request.
    pub parts: Parts,
    /// Who sent it.
    pub visitor: Visitor,
    /// The form.
    pub form: T,
}

impl<T: DeserializeOwned> FromRequest<Portal> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, portal: &Portal) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        if !is_our_own(portal, &parts.headers) {
            return Err(Problem::new("csrf"));
        }
        let request = Request::from_parts(parts.clone(), body);
        let octets = Bytes::from_request(request, portal).await;
        let octets = octets.map_err(|_| Problem::new("too-large"))?;
        let form = serde_html_form::from_bytes(&octets);
        Ok(Self {
            visitor: Visitor::of(portal, &parts),
            form: form.map_err(|_| Problem::new("malformed"))?,
            parts,
        })
    }
}

/// Whether a form comes from one of our pages, as far as the browser says it: there is no session yet whose token it could carry.
fn is_our_own(portal: &Portal, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    let is_near = site.is_none_or(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    is_near && origin_is_ours(portal, headers)
}

/// A name and a password.
pub async fn with_password(
    portal: &Portal,
    (visitor, headers): (&Visitor, &HeaderMap),
    name: &str,
    password: Zeroizing<String>,
) -> Result<Step, Problem> {
    let address = Address::parse(name.trim()).ok();
    let (keys, began) = (whose(name, visitor.address), portal.now());
    if let Err(seconds) = portal.doors.sign_ins.begin(&keys, began) {
        return Ok(Step::Wait(seconds));
    }
    let known = match &address {
        Some(address) => portal.office.credentials(address).await?,
        None => None,
    };
    let known = known.filter(|known| !known.disabled);
    let hash = known.as_ref().and_then(|known| known.password.clone());
    let is_right = passwords::matches(&portal.doors.passwords, hash.clone(), password).await?;
    let (Some(known), Some(hash), true) = (known, hash, is_right) else {
        tracing::warn!(address = %visitor.address, "a sign-in was refused");
        tell_lock(portal, false, name, visitor);
        return Ok(Step::Wrong);
    };
    portal.doors.sign_ins.succeeded(&keys, began);
    let who = Who {
        user: known.user,
        proven: Proven::Password(hash),
        owes_second_factor: known.second_factor,
    };
    open(portal, (visitor, headers), who).await
}

/// Who gets a session.
#[derive(Debug)]
pub struct Who {
    /// The user.
    pub user: UserId,
    /// What they proved.
    pub proven: Proven,
    /// Whether the second factor is owed still.
    pub owes_second_factor: bool,
}

/// Opens a session, in place of the one that the browser has. Whoever proved what does not hold any more gets none.
pub async fn open(
    portal: &Portal,
    (visitor, headers): (&Visitor, &HeaderMap),
    who: Who,
) -> Result<Step, Problem> {
    let secret = secrets::secret()?;
    let former = cookie(headers, cookie_name(portal));
    let new = NewSession {
        user: who.user,
        sha256: sha256(&[secret.as_bytes()]),
        complete: !who.owes_second_factor,
        agent: visitor.agent.clone(),
        address: visitor.address.to_string(),
        replaces: former.map(|former| sha256(&[former.as_bytes()])),
        proven: who.proven,
    };
    if !portal.office.open_session(new).await? {
        tracing::warn!(address = %visitor.address, "what a sign-in had proven was changed meanwhile");
        return Ok(Step::Wrong);
    }
    let cookie = session_cookie(portal, &secret)?;
    Ok(match who.owes_second_factor {
        true => Step::Half(cookie),
        false => Step::Done(cookie),
    })
}

/// Somebody who gave the first factor.
#[derive(Debug)]
pub struct Half {
    /// SHA-256 of its secret.
    pub sha256: [u8; 32],
    /// Their session.
    pub session: Session,
    /// What the form for the second factor must carry.
    pub csrf: String,
}

/// The session of the browser that owes the second factor.
pub async fn half(portal: &Portal, headers: &HeaderMap) -> Result<Option<Half>, Problem> {
    let Some(secret) = cookie(headers, cookie_name(portal)) else {
        return Ok(None);
    };
    let sha256 = sha256(&[secret.as_bytes()]);
    let session = portal.office.half_session(&sha256).await?;
    Ok(session.map(|session| Half {
        sha256,
        session,
        csrf: csrf(secret),
    }))
}

/// A one-time code or a recovery code.
pub async fn with_code(
    portal: &Portal,
    (visitor, headers): (&Visitor, &HeaderMap),
    half: &Half,
    code: &str,
) -> Result<Step, Problem> {
    let (name, began) = (&half.session.name, portal.now());
    let key = [account(name)];
    if let Err(seconds) = portal.doors.second_factors.begin(&key, began) {
        return Ok(Step::Wait(seconds));
    }
    if !is_right_code(portal, &half.session, code).await? {
        tracing::warn!(address = %visitor.address, "a second factor was refused");
        tell_lock(portal, true, name, visitor);
        return Ok(Step::Wrong);
    }
    portal.doors.second_factors.succeeded(&key, began);
    let who = Who {
        user: half.session.user,
        proven: Proven::Session(half.sha256),
        owes_second_factor: false,
    };
    open(portal, (visitor, headers), who).await
}

async fn is_right_code(portal: &Portal, session: &Session, code: &str) -> Result<bool, Problem> {
    let digits = code.chars().filter(|one| !one.is_whitespace()).count();
    if digits > 6 {
        let hash = totp::recovery_hash(session.user, code);
        return portal.office.use_recovery_code(session, hash).await;
    }
    let secret = portal.office.one_time_secret(session.user).await?;
    let step = secret.and_then(|secret| totp::step_of(&secret, code, portal.now()));
    match step {
        Some(step) => portal.office.use_step(session.user, step).await,
        None => Ok(false),
    }
}

/// Ends the session of the browser; gives the cookie that takes its secret away.
pub async fn end(portal: &Portal, headers: &HeaderMap) -> Result<HeaderValue, Problem> {
    if let Some(secret) = cookie(headers, cookie_name(portal)) {
        let sha256 = sha256(&[secret.as_bytes()]);
        portal.office.end_session(&sha256).await?;
    }
    cookie_value(portal, cookie_name(portal), "", "; Max-Age=0")
}

/// `Lax`: a link in a mail leads to the page, and foreign forms carry nothing.
fn session_cookie(portal: &Portal, secret: &str) -> Result<HeaderValue, Problem> {
    cookie_value(portal, cookie_name(portal), secret, "")
}

/// A cookie that only this host sees, and no script.
pub fn cookie_value(
    portal: &Portal,
    name: &str,
    secret: &str,
    more: &str,
) -> Result<HeaderValue, Problem> {
    let secure = match portal.settings.url.scheme() {
        "https" => "; Secure",
        _ => "",
    };
    let text = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax{secure}{more}");
    let mut value = HeaderValue::from_str(&text).map_err(Problem::internal)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The page to go to after signing in: only one of ours, else the start.
pub fn own_page<'a>(portal: &Portal, next: &'a str) -> &'a str {
    let is_path = next.len() <= NEXT_OCTETS
        && next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next
            .chars()
            .any(|one| one.is_control() || one.is_whitespace());
    let base = &portal.settings.url;
    let stays = || {
        base.join(next)
            .is_ok_and(|target| target.origin() == base.origin())
    };
    let is_step = ["/login", "/logout"]
        .iter()
        .any(|step| next.starts_with(step));
    match is_path && !is_step && stays() {
        true => next,
        false => "/",
    }
}
