//! Who asks: the session of a browser, by its cookie, or a script, by its API token.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA256};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use sealgate_core::permission::{Grants, UserId};
use sealgate_core::tenant::Language;

use crate::Portal;
use crate::problem::Problem;

/// Name of the cookie where the portal is reached by TLS; elsewhere, on this machine only, it has no prefix.
pub const SESSION_COOKIE: &str = "__Host-sealgate";
/// Header field in which a script of a page sends the token against foreign forms.
pub const CSRF_HEADER: &str = "x-csrf-token";
/// Field of that token in forms.
pub const CSRF_FIELD: &str = "csrf";

/// Who asks.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// As the audit log writes it.
    pub name: String,
    /// What they may do.
    pub grants: Grants,
    /// How they are known.
    pub signed: Signed,
}

/// How somebody is known.
#[derive(Clone, Debug)]
pub enum Signed {
    /// By a session.
    Session {
        /// The user.
        user: UserId,
        /// SHA-256 of its secret.
        sha256: [u8; 32],
        /// What forms must carry.
        csrf: String,
        /// Language of the pages.
        language: Language,
    },
    /// By an API token.
    Token {
        /// SHA-256 of its secret.
        sha256: [u8; 32],
    },
}

/// Finds out who asks. Asked several times for one request, it answers the same without asking again.
pub async fn authenticate(
    portal: &Portal,
    parts: &mut Parts,
) -> Result<Option<Arc<Authenticated>>, Problem> {
    if let Some(known) = parts.extensions.get::<Arc<Authenticated>>() {
        return Ok(Some(Arc::clone(known)));
    }
    let found = match bearer(&parts.headers) {
        Some(secret) => by_token(portal, secret).await?,
        None => match cookie(&parts.headers, cookie_name(portal)) {
            Some(secret) => by_session(portal, secret).await?,
            None => None,
        },
    };
    let found = found.map(Arc::new);
    if let Some(known) = &found {
        parts.extensions.insert(Arc::clone(known));
    }
    Ok(found)
}

async fn by_token(portal: &Portal, secret: &str) -> Result<Option<Authenticated>, Problem> {
    let sha256 = sha256(&[secret.as_bytes()]);
    let token = portal.office.token(&sha256).await?;
    Ok(token.map(|token| Authenticated {
        name: token.name,
        grants: token.grants,
        signed: Signed::Token { sha256 },
    }))
}

async fn by_session(portal: &Portal, secret: &str) -> Result<Option<Authenticated>, Problem> {
    let sha256 = sha256(&[secret.as_bytes()]);
    let session = portal.office.session(&sha256).await?;
    Ok(session.map(|session| Authenticated {
        name: session.name,
        grants: session.grants,
        signed: Signed::Session {
            user: session.user,
            sha256,
            csrf: csrf(secret),
            language: session.language,
        },
    }))
}

/// Name of the session cookie. The prefix binds it to this host and to TLS (RFC 6265bis section 4.1.3.2).
pub fn cookie_name(portal: &Portal) -> &'static str {
    match portal.settings.url.scheme() {
        "https" => SESSION_COOKIE,
        _ => SESSION_COOKIE.trim_start_matches("__Host-"),
    }
}

/// SHA-256 of several octet strings, one after the other.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

/// What forms of the session with that secret must carry: only who knows the secret can know it.
pub fn csrf(secret: &str) -> String {
    let digest = sha256(&[b"sealgate csrf", secret.as_bytes()]);
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(digest)
}

impl Authenticated {
    /// Refuses a request that changes something and does not come from our own page: by the token that its form or header
    /// carries, and by its Origin (row W2). API tokens are never sent by browsers on their own, so they need none.
    pub fn must_be_ours(
        &self,
        portal: &Portal,
        headers: &HeaderMap,
        given: Option<&str>,
    ) -> Result<(), Problem> {
        let Signed::Session { csrf, .. } = &self.signed else {
            return Ok(());
        };
        let given = given.unwrap_or_default();
        let right = verify_slices_are_equal(csrf.as_bytes(), given.as_bytes()).is_ok();
        match right && origin_is_ours(portal, headers) {
            true => Ok(()),
            false => Err(Problem::new("csrf")),
        }
    }
}

/// Whether the Origin field, if there is one, names this portal.
pub fn origin_is_ours(portal: &Portal, headers: &HeaderMap) -> bool {
    let own = portal.settings.url.origin().ascii_serialization();
    headers
        .get_all(header::ORIGIN)
        .iter()
        .all(|origin| origin.as_bytes() == own.as_bytes())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let field = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = field.split_once(' ')?;
    let secret = secret.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !secret.is_empty()).then_some(secret)
}

/// The value of the cookie `name`.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let fields = headers.get_all(header::COOKIE).iter();
    let mut pairs = fields
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
}
