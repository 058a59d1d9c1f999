//! What every page knows beside its own content: language, who looks at it, where it stands, and how values are written.

use std::fmt::Display;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use fluent_bundle::FluentValue;
use jiff::tz::TimeZone;
use sealgate_core::permission::{Permission, Role};
use sealgate_core::tenant::Language;
use sealgate_mail::Timestamp;
use serde::{Deserialize, Serialize};

use crate::auth::{Needs, Permitted, Signed};
use crate::lang::{self, Values};
use crate::office::RefusedPart;
use crate::problem::Problem;
use crate::{Contact, Portal};

/// What a page is written with.
#[derive(Clone, Debug)]
pub struct View {
    /// Its language.
    pub language: Language,
    /// Who looks at it; none before they sign in.
    pub who: Option<String>,
    /// The organisation it is about.
    pub organisation: Option<String>,
    /// What forms must carry.
    pub csrf: String,
    /// Its own address, without the query.
    pub path: String,
    /// What was done just before.
    pub notice: Option<Notice>,
    /// Whom users turn to.
    pub contact: Contact,
    /// What they may do here: write, administer, book, operate.
    pub may: May,
    zone: TimeZone,
    now: Timestamp,
}

/// What whoever looks may do here; pages leave out what they may not.
#[derive(Clone, Copy, Debug, Default)]
pub struct May {
    /// Change routes, mailboxes, rules and keys.
    pub write: bool,
    /// Administer the organisation.
    pub admin: bool,
    /// Book licences.
    pub resell: bool,
    /// Run the installation.
    pub operate: bool,
}

/// What was done, told once on the next page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The text's key in the catalogues.
    pub key: String,
    /// Values in it.
    pub values: Vec<(String, NoticeValue)>,
    /// Parts that were refused.
    pub refused: Vec<(String, String)>,
}

/// A value in a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NoticeValue {
    /// A number: the catalogue chooses its plural.
    Number(i64),
    /// Text.
    Text(String),
}

impl Notice {
    /// A text without values.
    pub fn new(key: &'static str) -> Self {
        Self {
            key: key.to_owned(),
            ..Self::default()
        }
    }

    /// With a number.
    pub fn number(mut self, name: &str, value: usize) -> Self {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        self.values
            .push((name.to_owned(), NoticeValue::Number(value)));
        self
    }

    /// With a text.
    pub fn text(mut self, name: &str, value: impl ToString) -> Self {
        self.values
            .push((name.to_owned(), NoticeValue::Text(value.to_string())));
        self
    }

    /// With parts that were refused.
    pub fn refused(mut self, parts: &[RefusedPart]) -> Self {
        self.refused = parts
            .iter()
            .map(|part| (part.what.clone(), part.why.clone()))
            .collect();
        self
    }
}

impl View {
    /// For somebody who is signed in.
    pub async fn of<P: Needs>(
        portal: &Portal,
        permitted: &Permitted<P>,
        parts: &Parts,
    ) -> Result<Self, Problem> {
        let mut view = Self::for_anybody(portal, parts);
        view.who = Some(permitted.who().to_owned());
        let organisation = permitted.organisation_name();
        view.organisation = (!organisation.is_empty()).then(|| organisation.to_owned());
        view.may = May {
            write: permitted.may(Permission::Role(Role::Write)),
            admin: permitted.may(Permission::Role(Role::Admin)),
            resell: permitted.may(Permission::Resell),
            operate: permitted.may(Permission::Operate),
        };
        if let Signed::Session {
            csrf,
            language,
            sha256,
            ..
        } = &permitted.authenticated().signed
        {
            view.csrf.clone_from(csrf);
            view.language = *language;
            view.notice = portal.office.take_notice(sha256).await?;
        }
        Ok(view)
    }

    /// For whoever it is.
    pub fn for_anybody(portal: &Portal, parts: &Parts) -> Self {
        let own = parts.extensions.get::<OriginalUri>();
        let path = own.map_or_else(|| parts.uri.path(), |uri| uri.path());
        Self {
            language: wanted_language(&parts.headers),
            who: None,
            organisation: None,
            csrf: String::new(),
            path: path.to_owned(),
            notice: None,
            contact: portal.settings.contact.clone(),
            may: May::default(),
            zone: portal.settings.time_zone.clone(),
            now: portal.now(),
        }
    }

    /// The text of `key`.
    pub fn t(&self, key: &str) -> String {
        lang::text(self.language, key, &Values::new())
    }

    /// The text of `key` with one value.
    pub fn t1<'a>(
        &self,
        key: &str,
        name: &'static str,
        value: impl Into<FluentValue<'a>>,
    ) -> String {
        lang::text(self.language, key, &Values::new().with(name, value))
    }

    /// The text of `key` with two values.
    pub fn t2<'a>(
        &self,
        key: &str,
        first: (&'static str, impl Into<FluentValue<'a>>),
        second: (&'static str, impl Into<FluentValue<'a>>),
    ) -> String {
        let values = Values::new()
            .with(first.0, first.1)
            .with(second.0, second.1);
        lang::text(self.language, key, &values)
    }

    /// The text of the notice.
    pub fn told(&self, notice: &Notice) -> String {
        lang::notice(self.language, notice)
    }

    /// The address of a page of this organisation: `smime/rules` becomes `/o/NAME/smime/rules`.
    pub fn here(&self, page: &str) -> String {
        format!(
            "/o/{}/{page}",
            self.organisation.as_deref().unwrap_or_default()
        )
    }

    /// Whether this page is `page` of this organisation, or one below it.
    pub fn is_at(&self, page: &str) -> bool {
        let own = self.here(page);
        self.path == own || self.path.starts_with(&format!("{own}/"))
    }

    /// A date and time.
    pub fn time(&self, at: &Timestamp) -> String {
        lang::time(self.language, *at, &self.zone)
    }

    /// A date.
    pub fn date(&self, at: &Timestamp) -> String {
        lang::date(self.language, *at, &self.zone)
    }

    /// A time for machines, in the `datetime` of `<time>`.
    pub fn machine_time(&self, at: &Timestamp) -> String {
        at.rfc3339()
    }

    /// Whole days from now, negative if past.
    pub fn days_until(&self, at: &Timestamp) -> i64 {
        at.0.saturating_sub(self.now.0).div_euclid(86_400)
    }

    /// A number with its groups.
    pub fn number(&self, number: impl Display) -> String {
        lang::number(self.language, &number.to_string())
    }
}

/// Somebody who may, and what their page is written with.
#[derive(Debug)]
pub struct Visit<P: Needs> {
    /// The proof.
    pub permitted: Permitted<P>,
    /// The page.
    pub view: View,
}

impl<P: Needs> FromRequestParts<Portal> for Visit<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Problem> {
        let permitted = Permitted::<P>::from_request_parts(parts, portal).await?;
        let view = View::of(portal, &permitted, parts).await?;
        Ok(Self { permitted, view })
    }
}

/// The language that a browser asks for first among ours; English if none.
pub fn wanted_language(headers: &HeaderMap) -> Language {
    let field = headers.get(header::ACCEPT_LANGUAGE);
    let field = field
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut codes = field
        .split(',')
        .map(|range| range.trim().get(..2).unwrap_or_default());
    let first = codes.find_map(|code| match code.to_ascii_lowercase().as_str() {
        "de" => Some(Language::De),
        "en" => Some(Language::En),
        _ => None,
    });
    first.unwrap_or(Language::En)
}

/// A page.
pub fn page(template: &impl askama::Template) -> Result<Response, Problem> {
    let text = template.render().map_err(Problem::internal)?;
    Ok(Html(text).into_response())
}

/// Sends the browser to another page, where `notice` is told once.
pub async fn done<P>(
    portal: &Portal,
    permitted: &Permitted<P>,
    notice: Notice,
    to: &str,
) -> Result<Response, Problem> {
    if let Signed::Session { sha256, .. } = &permitted.authenticated().signed {
        portal.office.leave_notice(sha256, notice).await?;
    }
    see(to)
}

/// Sends the browser to another page (303).
pub fn see(to: &str) -> Result<Response, Problem> {
    let location = HeaderValue::from_str(to).map_err(Problem::internal)?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}
