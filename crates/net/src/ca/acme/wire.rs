//! What an ACME server says, as JSON (RFC 8555 section 7.1). Members we do not need are skipped.

use sealgate_core::authority::AuthorityFailure;
use sealgate_core::saying::Authorities as Said;
use sealgate_mail::visible::visible;
use serde::Deserialize;

use crate::limits::ACME_TEXT_CHARS;

/// RFC 8555 section 7.1.1.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    pub new_nonce: String,
    pub new_account: String,
    pub new_order: String,
    pub revoke_cert: Option<String>,
}

/// Where an order, an authorization or a challenge stands (RFC 8555 section 7.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Pending,
    Ready,
    Processing,
    Valid,
    Invalid,
    Deactivated,
    Expired,
    Revoked,
}

/// RFC 8555 section 7.1.3.
#[derive(Clone, Debug, Deserialize)]
pub struct Order {
    pub status: Status,
    pub expires: Option<String>,
    #[serde(default)]
    pub authorizations: Vec<String>,
    pub finalize: String,
    pub certificate: Option<String>,
    pub error: Option<Problem>,
}

/// RFC 8555 section 7.1.4.
#[derive(Clone, Debug, Deserialize)]
pub struct Authorization {
    pub status: Status,
    #[serde(default)]
    pub challenges: Vec<Challenge>,
}

/// RFC 8555 section 8; `from` is that of RFC 8823 section 3.
#[derive(Clone, Debug, Deserialize)]
pub struct Challenge {
    #[serde(rename = "type")]
    pub kind: String,
    pub url: String,
    pub status: Status,
    pub token: Option<String>,
    pub from: Option<String>,
    pub error: Option<Problem>,
}

/// A problem document (RFC 7807, RFC 8555 section 6.7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Problem {
    #[serde(rename = "type", default)]
    pub kind: String,
    #[serde(default)]
    pub detail: String,
    #[serde(default)]
    pub subproblems: Vec<Problem>,
}

impl Problem {
    /// The word of its type: `rateLimited`, `badNonce`.
    pub fn word(&self) -> &str {
        self.kind
            .strip_prefix("urn:ietf:params:acme:error:")
            .unwrap_or(&self.kind)
    }

    /// In words: what the server says, with its type.
    pub fn text(&self) -> String {
        let details: Vec<&str> = std::iter::once(self)
            .chain(&self.subproblems)
            .map(|problem| problem.detail.trim())
            .filter(|detail| !detail.is_empty())
            .collect();
        let text = match (details.join("; "), self.word()) {
            (details, "") => details,
            (details, word) if details.is_empty() => word.to_owned(),
            (details, word) => format!("{details} ({word})"),
        };
        one_line(&text)
    }

    /// Whether asking again may help (RFC 8555 section 6.7): the server or the way to it failed, or we came too often or too
    /// early.
    pub fn passes(&self) -> bool {
        matches!(
            self.word(),
            "badNonce" | "rateLimited" | "serverInternal" | "orderNotReady"
        )
    }
}

/// Without hidden letters, and cut.
pub fn one_line(text: &str) -> String {
    visible(text, ACME_TEXT_CHARS)
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepError {
    /// The server said so: HTTP status, problem, seconds of Retry-After.
    Problem(u16, Problem, Option<i64>),
    /// Everything else.
    Failure(AuthorityFailure),
}

impl From<AuthorityFailure> for StepError {
    fn from(failure: AuthorityFailure) -> Self {
        Self::Failure(failure)
    }
}

impl StepError {
    /// Whether the server has a problem of this type.
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Self::Problem(_, problem, _) if problem.word() == word)
    }

    /// Whether the server knows nothing at that URL any more.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Problem(404 | 410, ..))
    }

    /// The failure as the gateway is told it.
    pub fn told(self) -> AuthorityFailure {
        match self {
            Self::Failure(failure) => failure,
            Self::Problem(status, problem, retry_after) => {
                let said = match problem.text() {
                    words if words.is_empty() => Said::Status {
                        status: status.into(),
                    },
                    words => Said::Says { words },
                };
                // RFC 8555 section 6.6; RFC 6585 section 4.
                let passes = problem.passes() || status == 429 || status >= 500;
                AuthorityFailure {
                    retry_after,
                    permanent: !passes,
                    ..AuthorityFailure::passing(said)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_become_one_line_and_say_whether_to_come_again() {
        let problem = |word: &str| -> Problem {
            let text = format!(
                r#"{{"type":"urn:ietf:params:acme:error:{word}","detail":"no\r\nmore","status":400}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let table = [
            (403, "rateLimited", false),
            (429, "rateLimited", false),
            (429, "", false),
            (400, "badNonce", false),
            (500, "serverInternal", false),
            (503, "malformed", false),
            (403, "orderNotReady", false),
            (400, "rejectedIdentifier", true),
            (403, "unauthorized", true),
            (400, "badCSR", true),
            (403, "userActionRequired", true),
            (400, "externalAccountRequired", true),
            (403, "caa", true),
        ];
        for (status, word, permanent) in table {
            let told = StepError::Problem(status, problem(word), Some(30)).told();
            assert_eq!(told.permanent, permanent, "{word}");
            assert_eq!(told.retry_after, Some(30));
            assert!(
                told.to_string()
                    .starts_with("the authority says: \"no  more"),
                "{told}"
            );
            assert!(told.to_string().contains(word) && !told.to_string().contains('\n'));
        }
        let bare = StepError::Problem(502, Problem::default(), None).told();
        assert_eq!(bare.said, Said::Status { status: 502 }.into());
        let nested: Problem = serde_json::from_str(
            r#"{"type":"x","detail":"a","subproblems":[{"type":"y","detail":"b","identifier":{}}]}"#,
        )
        .unwrap();
        assert_eq!(nested.text(), "a; b (x)");
    }
}
