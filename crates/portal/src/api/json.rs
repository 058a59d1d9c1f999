//! JSON of requests and answers. A body that does not fit names the field that is meant, by its place: `target.port`.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sealgate_core::saying::Inputs;
use sealgate_mail::visible::visible;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::limits::MISFIT_CHARS;
use crate::problem::Problem;

/// A body in JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new("media-type"));
        }
        let octets = Bytes::from_request(request, state).await;
        let octets = octets.map_err(|rejection| match rejection.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new("too-large"),
            _ => Problem::new("malformed"),
        })?;
        read(&octets).map(Self)
    }
}

/// `application/json`, or another media type whose syntax is JSON (RFC 6839 section 3.1).
fn is_json(headers: &HeaderMap) -> bool {
    let named = headers.get(header::CONTENT_TYPE);
    let named = named.and_then(|value| value.to_str().ok());
    let named = named.and_then(|value| value.split(';').next());
    let media_type = named.unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = media_type.strip_prefix("application/");
    subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

fn read<T: DeserializeOwned>(octets: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(octets);
    let read = serde_path_to_error::deserialize(&mut reader);
    let read = read.map_err(|error| match error.inner().classify() {
        Category::Data => misfit(&error.path().to_string(), &error.inner().to_string()),
        Category::Io | Category::Syntax | Category::Eof => Problem::new("malformed"),
    })?;
    reader.end().map_err(|_| Problem::new("malformed"))?;
    Ok(read)
}

/// What does not fit at `place`. The words of the reader hold what was sent, a password perhaps: only names and kinds are taken
/// from them.
fn misfit(place: &str, words: &str) -> Problem {
    let quoted = |beginning: &str| {
        let rest = words.strip_prefix(beginning)?;
        rest.split_once('`').map(|(name, _)| name)
    };
    let place = Some(place).filter(|place| *place != ".");
    let (place, said) = match quoted("missing field `") {
        Some(missing) => {
            let inside = place.map(|place| format!("{place}."));
            let place = format!("{}{missing}", inside.unwrap_or_default());
            (Some(place), Inputs::Missing {})
        }
        None if quoted("unknown field `").is_some() => {
            (place.map(str::to_owned), Inputs::UnknownField {})
        }
        None => (place.map(str::to_owned), unfit(words)),
    };
    let said = match place {
        Some(place) => Inputs::At {
            place: one_line(&place),
            why: said.into(),
        },
        None => said,
    };
    Problem {
        detail: Some(said.into()),
        ..Problem::new("invalid")
    }
}

/// That something does not fit, with the kind that is expected. It stands behind what was sent, which may hold anything.
fn unfit(words: &str) -> Inputs {
    let is_told = ["invalid type: ", "invalid value: ", "unknown variant `"]
        .iter()
        .any(|beginning| words.starts_with(beginning));
    let expected = words.rsplit_once(", expected ").filter(|_| is_told);
    match expected {
        Some((_, rest)) => {
            let kind = rest.rsplit_once(" at line ").map_or(rest, |(kind, _)| kind);
            Inputs::Expected {
                kind: one_line(kind),
            }
        }
        None => Inputs::Misfit {},
    }
}

/// Without hidden letters, and cut: names of fields are sent, too.
fn one_line(text: &str) -> String {
    visible(text, MISFIT_CHARS)
}

#[cfg(test)]
mod tests {
    use sealgate_core::tenant::Language;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(rename = "inner")]
        _inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(rename = "port")]
        _port: u16,
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let table = [
            (r#"{"inner":[{"port":25}]}"#, None),
            (
                r#"{"inner":[{"port":"x"}]}"#,
                Some((Some("inner[0].port"), "does not fit")),
            ),
            (
                r#"{"inner":[{"port":70000}]}"#,
                Some((Some("inner[0].port"), "does not fit")),
            ),
            (
                r#"{"inner":[{"port":1},{}]}"#,
                Some((Some("inner[1].port"), "missing")),
            ),
            (
                r#"{"inner":[{"port":1,"tls":1}]}"#,
                Some((Some("inner[0].tls"), "no such field")),
            ),
            (r#"{}"#, Some((Some("inner"), "missing"))),
            (
                r#"{"inner":[],"more":1}"#,
                Some((Some("more"), "no such field")),
            ),
            ("7", Some((None, "does not fit"))),
        ];
        for (body, expected) in table {
            let problem = read::<Outer>(body.as_bytes()).err();
            let found = problem.as_ref().map(|problem| {
                let detail = problem.told(Language::En).unwrap_or_default();
                (problem.code, problem.named(), detail)
            });
            match (found, expected) {
                (None, None) => {}
                (Some((code, named, detail)), Some((place, words))) => {
                    assert_eq!((code, named.as_deref()), ("invalid", place), "{body}");
                    assert!(detail.contains(words), "{body}: {detail}");
                }
                (found, _) => panic!("{body}: {found:?}"),
            }
        }
    }

    /// What was sent may be a password.
    #[test]
    fn what_was_sent_is_not_told() {
        let table = [
            (r#"{"inner":"hunter2"}"#, "a sequence"),
            (r#"{"inner":[{"port":"hunter2, expected hunter2"}]}"#, "u16"),
            (r#"{"inner":[{"port":20071976}]}"#, "u16"),
            (r#"{"inner":[{"port":-20071976}]}"#, "u16"),
        ];
        for (body, kind) in table {
            let problem = read::<Outer>(body.as_bytes()).unwrap_err();
            let told = problem.told(Language::En).unwrap();
            let has_value = told.contains("hunter2") || told.contains("20071976");
            assert!(!has_value && told.contains(kind), "{body}: {told}");
        }
        let own = misfit("address", "hunter2, expected hunter2 at line 1 column 9");
        assert!(!own.told(Language::De).unwrap().contains("hunter2"));
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        for body in ["", "{", "{\"inner\":[]} 1", "{\"inner\":[],}"] {
            let problem = read::<Outer>(body.as_bytes()).unwrap_err();
            assert_eq!(
                (problem.code, problem.named()),
                ("malformed", None),
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_said_is_one_short_line() {
        let name = "\u{1b}\n".repeat(1_000);
        let problem = misfit(&name, &format!("invalid value: {name}"));
        for text in [
            problem.named().unwrap(),
            problem.told(Language::En).unwrap(),
        ] {
            assert!(
                text.chars().count() < 2 * MISFIT_CHARS + 40,
                "{}",
                text.len()
            );
            assert!(!text.contains(char::is_control));
        }
    }

    #[test]
    fn media_types_of_json() {
        let table = [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/merge-patch+json", true),
            ("text/json", false),
            ("application/x-www-form-urlencoded", false),
            ("", false),
        ];
        for (text, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, text.parse().unwrap());
            assert_eq!(is_json(&headers), expected, "{text}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
