//! The proof that somebody may do what is asked, made here only.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::{
    DefaultBodyLimit, FromRequest, FromRequestParts, Multipart, RawPathParams, Request,
};
use axum::http::Method;
use axum::http::request::Parts;
use sealgate_core::permission::{Permission, Role, Verdict, Whose, decide};
use sealgate_core::saying::Inputs;
use sealgate_core::tenant::OrganisationId;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::who::{Authenticated, CSRF_FIELD, CSRF_HEADER, Signed, authenticate};
use crate::Portal;
use crate::limits::{UPLOAD_FIELDS, UPLOAD_OCTETS};
use crate::problem::Problem;

/// What a handler needs; a type, so that the compiler sees it.
pub trait Needs: Send + Sync + 'static {
    /// The permission.
    const PERMISSION: Permission;
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident = $permission:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl Needs for $name {
            const PERMISSION: Permission = $permission;
        }
    )*};
}

needs! {
    /// To be signed in.
    Oneself = Permission::Oneself;
    /// To read in the organisation.
    Read = Permission::Role(Role::Read);
    /// To write in the organisation.
    Write = Permission::Role(Role::Write);
    /// To administer the organisation.
    Admin = Permission::Role(Role::Admin);
    /// To book licences for the organisation.
    Book = Permission::Book;
    /// To be a reseller.
    Resell = Permission::Resell;
    /// To run the installation.
    Operate = Permission::Operate;
}

/// Somebody who may do what `P` says; in the organisation that the address names, if it names one.
pub struct Permitted<P> {
    authenticated: Arc<Authenticated>,
    organisation: Option<(OrganisationId, String)>,
    needs: PhantomData<P>,
}

impl<P> Clone for Permitted<P> {
    fn clone(&self) -> Self {
        Self {
            authenticated: Arc::clone(&self.authenticated),
            organisation: self.organisation.clone(),
            needs: PhantomData,
        }
    }
}

impl<P> fmt::Debug for Permitted<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permitted({})", self.authenticated.name)
    }
}

impl<P> Permitted<P> {
    /// Who, as the audit log writes it.
    pub fn who(&self) -> &str {
        &self.authenticated.name
    }

    /// Who.
    pub fn authenticated(&self) -> &Authenticated {
        &self.authenticated
    }

    /// The organisation that the address names. Those that are about the installation name none; nothing has this number.
    pub fn organisation(&self) -> OrganisationId {
        let own = self.organisation.as_ref();
        own.map_or(OrganisationId(0), |(id, _)| *id)
    }

    /// Its name.
    pub fn organisation_name(&self) -> &str {
        let own = self.organisation.as_ref();
        own.map_or("", |(_, name)| name)
    }

    /// Whether they may also do what `permission` says here: to show a button or leave it out.
    pub fn may(&self, permission: Permission) -> bool {
        let whose = self.organisation.as_ref().map(|(id, _)| Whose {
            organisation: *id,
            reseller: None,
        });
        decide(&self.authenticated.grants, permission, whose) == Verdict::Allowed
    }
}

impl<P: IsRole> Permitted<P> {
    /// The same permission, as one to read: a higher role may what a lower one may.
    pub fn reads(&self) -> Permitted<Read> {
        Permitted {
            authenticated: Arc::clone(&self.authenticated),
            organisation: self.organisation.clone(),
            needs: PhantomData,
        }
    }
}

/// Permissions that are roles in an organisation.
pub trait IsRole: Needs {}
impl IsRole for Read {}
impl IsRole for Write {}
impl IsRole for Admin {}

impl<P: Needs> Permitted<P> {
    /// Whether it still holds: for answers that take long.
    pub async fn still(&self, portal: &Portal) -> bool {
        let grants = match &self.authenticated.signed {
            Signed::Session { sha256, .. } => {
                let session = portal.office.session(sha256).await;
                session.map(|session| session.map(|session| session.grants))
            }
            Signed::Token { sha256 } => {
                let token = portal.office.token(sha256).await;
                token.map(|token| token.map(|token| token.grants))
            }
        };
        let Ok(Some(grants)) = grants else {
            return false;
        };
        let whose = match &self.organisation {
            Some((_, name)) => match portal.office.whose(name).await {
                Ok(Some(whose)) => Some(whose),
                _ => return false,
            },
            None => None,
        };
        decide(&grants, P::PERMISSION, whose) == Verdict::Allowed
    }

    async fn judge(portal: &Portal, parts: &mut Parts) -> Result<Self, Problem> {
        let Some(authenticated) = authenticate(portal, parts).await? else {
            return Err(Problem::new("not-signed-in"));
        };
        let organisation = match named(portal, parts).await? {
            Some(name) => {
                let whose = portal.office.whose(&name).await?;
                Some((whose.ok_or_else(Problem::not_found)?, name))
            }
            None => None,
        };
        let whose = organisation.as_ref().map(|(whose, _)| *whose);
        match decide(&authenticated.grants, P::PERMISSION, whose) {
            Verdict::Allowed => Ok(Self {
                authenticated,
                organisation: organisation.map(|(whose, name)| (whose.organisation, name)),
                needs: PhantomData,
            }),
            Verdict::Forbidden => Err(Problem::new("forbidden")),
            Verdict::Hidden => Err(Problem::not_found()),
        }
    }
}

/// The organisation in the address.
async fn named(portal: &Portal, parts: &mut Parts) -> Result<Option<String>, Problem> {
    let parameters = RawPathParams::from_request_parts(parts, portal).await;
    let parameters = parameters.map_err(|_| Problem::not_found())?;
    let mut own = parameters
        .iter()
        .filter(|(name, _)| *name == "organisation");
    Ok(own.next().map(|(_, value)| value.to_owned()))
}

/// For requests that change nothing, and for those of scripts. A request of a session that changes something must carry the
/// token in its header.
impl<P: Needs> FromRequestParts<Portal> for Permitted<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Problem> {
        let permitted = Self::judge(portal, parts).await?;
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            let given = parts.headers.get(CSRF_HEADER);
            let given = given.and_then(|value| value.to_str().ok());
            permitted
                .authenticated
                .must_be_ours(portal, &parts.headers, given)?;
        }
        Ok(permitted)
    }
}

/// A form that one of our pages sent, and the proof that whoever sent it may.
#[derive(Debug)]
pub struct Posted<P, T>(pub Permitted<P>, pub T);

#[derive(Deserialize)]
struct WithToken {
    #[serde(default)]
    csrf: String,
}

impl<P: Needs, T: DeserializeOwned> FromRequest<Portal> for Posted<P, T> {
    type Rejection = Problem;

    async fn from_request(request: Request, portal: &Portal) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let permitted = Permitted::<P>::judge(portal, &mut parts).await?;
        let headers = parts.headers.clone();
        let request = Request::from_parts(parts, body);
        let octets = axum::body::Bytes::from_request(request, portal).await;
        let octets = octets.map_err(|_| Problem::new("too-large"))?;
        let given = read_form::<WithToken>(&octets)?;
        permitted
            .authenticated
            .must_be_ours(portal, &headers, Some(&given.csrf))?;
        Ok(Self(permitted, read_form(&octets)?))
    }
}

/// Reads a form. Fields that stand several times, as checkboxes do, become lists where the type wants one.
fn read_form<T: DeserializeOwned>(octets: &[u8]) -> Result<T, Problem> {
    serde_html_form::from_bytes(octets).map_err(|error| Problem {
        detail: Some(
            Inputs::Unread {
                why: error.to_string(),
            }
            .into(),
        ),
        ..Problem::new("malformed")
    })
}

/// A form with files that one of our pages sent, and the proof that whoever sent it may.
#[derive(Debug)]
pub struct Uploaded<P> {
    /// The proof.
    pub permitted: Permitted<P>,
    /// Its fields in their order: name and octets.
    pub fields: Vec<(String, Vec<u8>)>,
}

impl<P: Needs> FromRequest<Portal> for Uploaded<P> {
    type Rejection = Problem;

    async fn from_request(request: Request, portal: &Portal) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let permitted = Permitted::<P>::judge(portal, &mut parts).await?;
        let headers = parts.headers.clone();
        let mut request = Request::from_parts(parts, body);
        DefaultBodyLimit::max(UPLOAD_OCTETS).apply(&mut request);
        let form = Multipart::from_request(request, portal).await;
        let fields = read_fields(form.map_err(|_| Problem::new("media-type"))?).await?;
        let uploaded = Self { permitted, fields };
        let given = uploaded.text(CSRF_FIELD);
        let authenticated = &uploaded.permitted.authenticated;
        authenticated.must_be_ours(portal, &headers, given.as_deref())?;
        Ok(uploaded)
    }
}

impl<P> Uploaded<P> {
    /// The octets of the field `name`.
    pub fn octets(&self, name: &str) -> Option<&[u8]> {
        let mut own = self.fields.iter().filter(|(field, _)| field == name);
        own.next().map(|(_, octets)| octets.as_slice())
    }

    /// The text of the field `name`.
    pub fn text(&self, name: &str) -> Option<String> {
        let octets = self.octets(name)?;
        String::from_utf8(octets.to_vec()).ok()
    }
}

async fn read_fields(mut form: Multipart) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let mut fields = Vec::new();
    loop {
        let field = form.next_field().await;
        let Some(field) = field.map_err(|error| unreadable(&error))? else {
            return Ok(fields);
        };
        let name = field.name().unwrap_or_default().to_owned();
        let octets = field.bytes().await.map_err(|error| unreadable(&error))?;
        if fields.len() == UPLOAD_FIELDS {
            return Err(Problem::new("too-large"));
        }
        fields.push((name, octets.to_vec()));
    }
}

fn unreadable(error: &axum::extract::multipart::MultipartError) -> Problem {
    match error.status() {
        axum::http::StatusCode::PAYLOAD_TOO_LARGE => Problem::new("too-large"),
        _ => Problem::new("malformed"),
    }
}
