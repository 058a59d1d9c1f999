//! What went wrong, for people and for scripts: one stable code, one status, one text in each language (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sealgate_core::saying::{Inputs, Saying, Told};
use sealgate_core::tenant::Language;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::lang::{self, Values};

/// Media type of a problem (RFC 9457 section 3).
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Every code with its status. The text of `code` is the message `problem-code` of the catalogues.
pub const CODES: &[(&str, StatusCode)] = &[
    ("not-signed-in", StatusCode::UNAUTHORIZED),
    ("forbidden", StatusCode::FORBIDDEN),
    ("csrf", StatusCode::FORBIDDEN),
    ("not-found", StatusCode::NOT_FOUND),
    ("invitation", StatusCode::NOT_FOUND),
    ("foreign", StatusCode::FORBIDDEN),
    ("not-invited", StatusCode::FORBIDDEN),
    ("by-invitation", StatusCode::CONFLICT),
    ("method", StatusCode::METHOD_NOT_ALLOWED),
    ("media-type", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ("malformed", StatusCode::BAD_REQUEST),
    ("too-large", StatusCode::PAYLOAD_TOO_LARGE),
    ("too-many-tries", StatusCode::TOO_MANY_REQUESTS),
    ("invalid", StatusCode::UNPROCESSABLE_ENTITY),
    ("password", StatusCode::UNPROCESSABLE_ENTITY),
    ("passwords-differ", StatusCode::UNPROCESSABLE_ENTITY),
    ("wrong-password", StatusCode::FORBIDDEN),
    ("wrong-code", StatusCode::FORBIDDEN),
    ("nothing-chosen", StatusCode::UNPROCESSABLE_ENTITY),
    ("refused", StatusCode::CONFLICT),
    ("for-recipients-only", StatusCode::CONFLICT),
    ("changed-meanwhile", StatusCode::CONFLICT),
    ("nothing-chosen-file", StatusCode::UNPROCESSABLE_ENTITY),
    ("list-not-text", StatusCode::UNPROCESSABLE_ENTITY),
    ("list-unreadable", StatusCode::UNPROCESSABLE_ENTITY),
    ("list-open-quote", StatusCode::UNPROCESSABLE_ENTITY),
    ("list-too-long", StatusCode::UNPROCESSABLE_ENTITY),
    ("mailbox-in-no-domain", StatusCode::UNPROCESSABLE_ENTITY),
    ("domain-not-proven", StatusCode::CONFLICT),
    ("domain-by-operator", StatusCode::FORBIDDEN),
    ("inner-address", StatusCode::UNPROCESSABLE_ENTITY),
    ("too-many", StatusCode::UNPROCESSABLE_ENTITY),
    ("too-long-text", StatusCode::UNPROCESSABLE_ENTITY),
    ("client-network", StatusCode::CONFLICT),
    ("client-without-secret", StatusCode::CONFLICT),
    ("none-active", StatusCode::CONFLICT),
    ("bulk-goes-on", StatusCode::CONFLICT),
    ("upload-malformed", StatusCode::UNPROCESSABLE_ENTITY),
    ("upload-password", StatusCode::UNPROCESSABLE_ENTITY),
    ("upload-too-many", StatusCode::UNPROCESSABLE_ENTITY),
    ("upload-work", StatusCode::UNPROCESSABLE_ENTITY),
    ("upload-unsupported", StatusCode::UNPROCESSABLE_ENTITY),
    ("upload-no-pair", StatusCode::UNPROCESSABLE_ENTITY),
    ("upload-key-kind", StatusCode::UNPROCESSABLE_ENTITY),
    ("upload-other-mailbox", StatusCode::UNPROCESSABLE_ENTITY),
    ("upload-takes-long", StatusCode::UNPROCESSABLE_ENTITY),
    ("not-by-hand", StatusCode::CONFLICT),
    ("nothing-to-reissue", StatusCode::CONFLICT),
    ("authority-name", StatusCode::UNPROCESSABLE_ENTITY),
    ("authority-standard", StatusCode::CONFLICT),
    ("authority-command", StatusCode::FORBIDDEN),
    ("authority-url", StatusCode::UNPROCESSABLE_ENTITY),
    ("authority-account", StatusCode::UNPROCESSABLE_ENTITY),
    ("no-certificate", StatusCode::UNPROCESSABLE_ENTITY),
    ("key-not-imported", StatusCode::UNPROCESSABLE_ENTITY),
    ("nothing-uploaded", StatusCode::UNPROCESSABLE_ENTITY),
    ("one-certificate", StatusCode::UNPROCESSABLE_ENTITY),
    ("not-an-authority", StatusCode::UNPROCESSABLE_ENTITY),
    ("block-one-of-two", StatusCode::UNPROCESSABLE_ENTITY),
    ("fingerprint", StatusCode::UNPROCESSABLE_ENTITY),
    ("dkim-selector", StatusCode::UNPROCESSABLE_ENTITY),
    ("dkim-selector-taken", StatusCode::CONFLICT),
    ("dkim-waits", StatusCode::CONFLICT),
    ("dkim-not-new", StatusCode::CONFLICT),
    ("dkim-unseen", StatusCode::CONFLICT),
    ("too-long", StatusCode::UNPROCESSABLE_ENTITY),
    ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
    ("internal", StatusCode::INTERNAL_SERVER_ERROR),
];

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// One of [`CODES`].
    pub code: &'static str,
    /// The field of a form or body that is meant.
    pub field: Option<&'static str>,
    /// More, in one plain line.
    pub detail: Option<Saying>,
}

impl Problem {
    /// With a code of [`CODES`].
    pub const fn new(code: &'static str) -> Self {
        Self {
            code,
            field: None,
            detail: None,
        }
    }

    /// There is no such thing, as far as whoever asks may know.
    pub const fn not_found() -> Self {
        Self::new("not-found")
    }

    /// A field that cannot be taken as it is, and why in one plain line.
    pub fn wrong(field: &'static str, why: impl Into<Saying>) -> Self {
        Self {
            field: Some(field),
            detail: Some(why.into()),
            ..Self::new("invalid")
        }
    }

    /// The same of a field that holds several parts, one of which is meant.
    pub fn wrong_part(field: &'static str, part: &str, why: impl Into<Saying>) -> Self {
        let text = part.to_owned();
        let why = Box::new(why.into());
        Self::wrong(field, Inputs::Of { text, why })
    }

    /// What contradicts what is there, and why in one plain line.
    pub fn refused(why: impl Into<Saying>) -> Self {
        Self {
            detail: Some(why.into()),
            ..Self::new("refused")
        }
    }

    /// The field that is meant; of a JSON body that does not fit, its place there: `target.port`.
    pub fn named(&self) -> Option<String> {
        match (&self.field, &self.detail) {
            (Some(field), _) => Some((*field).to_owned()),
            (None, Some(Saying::Inputs(Inputs::At { place, .. }))) => Some(place.clone()),
            (None, _) => None,
        }
    }

    /// Its detail in the language of a reader.
    pub fn told(&self, language: Language) -> Option<String> {
        self.detail.as_ref().map(|detail| detail.told(language))
    }

    /// What is told to nobody but the log.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "a request of the portal failed");
        Self::new("internal")
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        let own = CODES.iter().find(|(code, _)| *code == self.code);
        own.map_or(StatusCode::INTERNAL_SERVER_ERROR, |(_, status)| *status)
    }

    /// Its text.
    pub fn title(&self, language: Language) -> String {
        lang::text(language, &format!("problem-{}", self.code), &Values::new())
    }
}

/// A problem as scripts read it (RFC 9457 section 3.1).
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    /// `about:blank`: the status says what kind of problem it is.
    pub r#type: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// A stable word for the problem.
    pub code: &'static str,
    /// The problem in the language that was asked for.
    pub title: String,
    /// The problem in all languages, by their ISO 639-1 codes.
    pub titles: Titles,
    /// The field of the body or query that is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// More, in one plain line in the language that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The same in all languages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Titles>,
}

/// One text in each language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Titles {
    /// German.
    pub de: String,
    /// English.
    pub en: String,
}

impl Titles {
    /// The words of what is told.
    pub fn of(told: &impl Told) -> Self {
        Self {
            de: told.told(Language::De),
            en: told.told(Language::En),
        }
    }

    /// Those in the language of a reader.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::De => &self.de,
            Language::En => &self.en,
        }
    }
}

impl Problem {
    /// The answer to a script.
    pub fn into_json(self, language: Language) -> Response {
        let body = ProblemBody {
            r#type: "about:blank",
            status: self.status().as_u16(),
            code: self.code,
            title: self.title(language),
            titles: Titles {
                de: self.title(Language::De),
                en: self.title(Language::En),
            },
            field: self.named(),
            detail: self.told(language),
            details: self.detail.as_ref().map(Titles::of),
        };
        let mut response = (self.status(), axum::Json(body)).into_response();
        let media_type = HeaderValue::from_static(MEDIA_TYPE);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, media_type);
        if self.status() == StatusCode::TOO_MANY_REQUESTS {
            let seconds = HeaderValue::from(crate::limits::TRIES_SECONDS);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

/// Only marks the answer: [`crate::routes`] writes it as a page or as JSON, in the language of whoever asks.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
