//! What every page knows beside its own content: language, who looks at it, where it stands, and how values are written.

use std::borrow::Borrow;
use std::fmt::Display;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use fluent_bundle::FluentValue;
use jiff::tz::TimeZone;
use sealgate_core::permission::{Permission, Role, Verdict, decide};
use sealgate_core::tenant::Language;
use sealgate_mail::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::auth::{Needs, Permitted, Signed, authenticate, cookie};
use crate::lang::{self, Values};
use crate::limits::LANGUAGE_SECONDS;
use crate::menu::Menu;
use crate::office::{Page, Paging, RefusedPart};
use crate::problem::{Problem, Titles};
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
    /// Its own address, with the query.
    pub address: String,
    /// What was done just before.
    pub notice: Option<Notice>,
    /// Whom users turn to.
    pub contact: Contact,
    /// What they may do here: write, administer, book, operate.
    pub may: May,
    /// The menu beside it.
    pub menu: Menu,
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
    /// Parts that were refused: what was meant, and why not.
    pub refused: Vec<(String, Titles)>,
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
            .map(|part| (part.what.clone(), part.texts.clone()))
            .collect();
        self
    }
}

impl View {
    /// For somebody who is signed in; tells what was done just before. A part of the page that the script looks up again tells
    /// nothing: nobody would see it.
    pub async fn of<P: Needs>(
        portal: &Portal,
        permitted: &Permitted<P>,
        parts: &Parts,
    ) -> Result<Self, Problem> {
        let mut view = Self::quiet(portal, permitted, parts);
        if let Signed::Session { sha256, .. } = &permitted.authenticated().signed
            && !parts.headers.contains_key(REFRESH_HEADER)
        {
            view.notice = portal.office.take_notice(sha256, &view.path).await?;
        }
        Ok(view)
    }

    /// The same for what is no page: what was done is told on the next one.
    fn quiet<P: Needs>(portal: &Portal, permitted: &Permitted<P>, parts: &Parts) -> Self {
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
        view.menu = Menu::of(&view.path, view.organisation.as_deref(), |permission| {
            permitted.may(permission)
        });
        if let Signed::Session { csrf, language, .. } = &permitted.authenticated().signed {
            view.csrf.clone_from(csrf);
            view.language = chosen_language(&parts.headers).unwrap_or(*language);
        }
        view
    }

    /// For whoever it is.
    pub fn for_anybody(portal: &Portal, parts: &Parts) -> Self {
        let own = parts.extensions.get::<OriginalUri>();
        let own = own.map_or(&parts.uri, |own| &own.0);
        let address = own.path_and_query().map_or("/", |own| own.as_str());
        Self {
            language: wanted_language(&parts.headers),
            who: None,
            organisation: None,
            csrf: String::new(),
            path: own.path().to_owned(),
            address: address.to_owned(),
            notice: None,
            contact: portal.settings.contact.clone(),
            may: May::default(),
            menu: Menu::default(),
            zone: portal.settings.time_zone.clone(),
            now: portal.now(),
        }
    }

    /// For whoever it is; those who are signed in keep their menu, and that of the organisation that the address names if they
    /// may read there.
    pub async fn for_visitor(portal: &Portal, parts: &mut Parts) -> Self {
        let mut view = Self::for_anybody(portal, parts);
        let Ok(Some(known)) = authenticate(portal, parts).await else {
            return view;
        };
        let named = view.path.strip_prefix("/o/");
        let named = named.and_then(|rest| rest.split('/').next());
        let whose = match named {
            Some(name) => portal.office.whose(name).await.ok().flatten(),
            None => None,
        };
        let may = |permission| decide(&known.grants, permission, whose) == Verdict::Allowed;
        if may(Permission::Role(Role::Read)) {
            view.organisation = named.map(str::to_owned);
        }
        if let Signed::Session { csrf, language, .. } = &known.signed {
            view.csrf.clone_from(csrf);
            view.language = chosen_language(&parts.headers).unwrap_or(*language);
        }
        view.who = Some(known.name.clone());
        view.menu = Menu::of(&view.path, view.organisation.as_deref(), may);
        view
    }

    /// Whether the operator wrote whom to turn to.
    pub fn has_contact(&self) -> bool {
        let Contact {
            name,
            mail,
            phone,
            hours,
            remote_help,
            ..
        } = &self.contact;
        remote_help.is_some()
            || [name, mail, phone, hours]
                .iter()
                .any(|text| !text.is_empty())
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

    /// The text of `key` with two values, each with its name; templates give references.
    pub fn t2<'a, A, B>(
        &self,
        key: &str,
        first: impl Borrow<(&'static str, A)>,
        second: impl Borrow<(&'static str, B)>,
    ) -> String
    where
        A: Clone + Into<FluentValue<'a>>,
        B: Clone + Into<FluentValue<'a>>,
    {
        let (first, second) = (first.borrow(), second.borrow());
        let values = Values::new()
            .with(first.0, first.1.clone())
            .with(second.0, second.1.clone());
        lang::text(self.language, key, &values)
    }

    /// Whether it is in German; else it is in English.
    pub fn is_german(&self) -> bool {
        self.language == Language::De
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

    /// The last whole day before a term ends. Terms are booked as days in UTC, so the day is the same in every time zone.
    pub fn last_day(&self, end: &Timestamp) -> String {
        lang::date(self.language, end.plus(-1), &TimeZone::UTC)
    }

    /// A time for machines, in the `datetime` of `<time>`.
    pub fn machine_time(&self, at: &Timestamp) -> String {
        at.rfc3339()
    }

    /// Whole days from now, negative if past.
    pub fn days_until(&self, at: &Timestamp) -> i64 {
        at.0.saturating_sub(self.now.0).div_euclid(86_400)
    }

    /// How far from now: `in 12 Tagen`, `3 minutes ago`.
    pub fn relative(&self, at: &Timestamp) -> String {
        lang::relative(self.language, at.0.saturating_sub(self.now.0))
    }

    /// How long: `2 Stunden`, `1 minute`.
    pub fn duration(&self, seconds: impl Borrow<i64>) -> String {
        lang::duration(self.language, *seconds.borrow())
    }

    /// A size: `1,2 MB`.
    pub fn octets(&self, octets: impl Borrow<u64>) -> String {
        lang::octets(self.language, *octets.borrow())
    }

    /// The common name in a distinguished name as RFC 4514 writes it, or all of it where there is none.
    pub fn common_name<'n>(&self, name: &'n str) -> &'n str {
        lang::common_name(name)
    }

    /// An address that breaks after its `@` where it must.
    pub fn breakable(&self, text: impl Display) -> Address {
        Address::new(text)
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

/// The same for what is no page, a file or a stream: it tells nothing of what was done before.
#[derive(Debug)]
pub struct Fetch<P: Needs> {
    /// The proof.
    pub permitted: Permitted<P>,
    /// The language and the words.
    pub view: View,
}

impl<P: Needs> FromRequestParts<Portal> for Fetch<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Problem> {
        let permitted = Permitted::<P>::from_request_parts(parts, portal).await?;
        let view = View::quiet(portal, &permitted, parts);
        Ok(Self { permitted, view })
    }
}

/// Header with which the script asks for a page of which it shows a part only.
const REFRESH_HEADER: &str = "x-refresh";

/// Name of the cookie that keeps the language which was chosen in this browser.
pub const LANGUAGE_COOKIE: &str = "sealgate-language";

/// The language that was chosen in this browser. It goes before the one of the account, which is for a new browser.
fn chosen_language(headers: &HeaderMap) -> Option<Language> {
    match cookie(headers, LANGUAGE_COOKIE)? {
        "de" => Some(Language::De),
        "en" => Some(Language::En),
        _ => None,
    }
}

/// Keeps `language` in the browser that gets it as `Set-Cookie`.
pub fn language_cookie(portal: &Portal, language: Language) -> Result<HeaderValue, Problem> {
    let secure = match portal.settings.url.scheme() {
        "https" => "; Secure",
        _ => "",
    };
    let code = language.as_str();
    let text = format!(
        "{LANGUAGE_COOKIE}={code}; Path=/; Max-Age={LANGUAGE_SECONDS}; HttpOnly; SameSite=Lax{secure}"
    );
    HeaderValue::from_str(&text).map_err(Problem::internal)
}

/// The language that was chosen in this browser, or that it asks for first among ours; English if none.
pub fn wanted_language(headers: &HeaderMap) -> Language {
    if let Some(chosen) = chosen_language(headers) {
        return chosen;
    }
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

/// The addresses of the first and of the next page of a list, under the same filter; none on the first and on the last.
pub fn next_page<F: Serialize, T>(
    view: &View,
    filter: &F,
    paging: &Paging,
    page: &Page<T>,
) -> (Option<String>, Option<String>) {
    let filtered = serde_html_form::to_string(filter).unwrap_or_default();
    let address = |after: Option<&String>| {
        let paging = Paging {
            after: after.cloned(),
            limit: paging.limit,
        };
        let paged = serde_html_form::to_string(&paging).unwrap_or_default();
        let query = [filtered.as_str(), &paged];
        let query: Vec<&str> = query.into_iter().filter(|part| !part.is_empty()).collect();
        match query.is_empty() {
            true => view.path.clone(),
            false => format!("{}?{}", view.path, query.join("&")),
        }
    };
    let first = paging.after.as_ref().map(|_| address(None));
    (first, page.next.as_ref().map(|next| address(Some(next))))
}

/// Sends the browser to the page at `to`, which tells `notice` once.
pub async fn done<P>(
    portal: &Portal,
    permitted: &Permitted<P>,
    notice: Notice,
    to: &str,
) -> Result<Response, Problem> {
    if let Signed::Session { sha256, .. } = &permitted.authenticated().signed {
        let path = to.split_once('?').map_or(to, |(path, _)| path);
        portal.office.leave_notice(sha256, path, notice).await?;
    }
    see(to)
}

/// Sends the browser to another page (303).
pub fn see(to: &str) -> Result<Response, Problem> {
    let location = HeaderValue::from_str(to).map_err(Problem::internal)?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}
