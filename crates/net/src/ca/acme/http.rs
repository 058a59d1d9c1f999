//! How an ACME server is asked: one HTTP request on a connection of its own, to an address that may be called.

use hyper::Method;
use hyper::header::{LOCATION, RETRY_AFTER};
use sealgate_core::authority::AuthorityFailure;
use sealgate_core::saying::{Authorities, Servers};
use sealgate_mail::Timestamp;
use url::{Position, Url};

use super::wire::{Problem, StepError};
use crate::call::{Call, Caller, Heard};
use crate::fetch::FetchError;
use crate::limits::{ACME_OCTETS, ACME_RECEIVED_OCTETS, ACME_WAIT};

/// What of an answer counts.
#[derive(Debug, Default)]
pub struct Answer {
    pub body: Vec<u8>,
    pub nonce: Option<String>,
    pub location: Option<String>,
    /// Seconds from now.
    pub retry_after: Option<i64>,
}

/// One question.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    pub method: Verb,
    pub url: &'a str,
    pub accept: &'static str,
    pub now: Timestamp,
}

/// The methods that ACME uses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Get,
    Head,
    Post,
}

/// The way to one ACME server.
pub struct Http {
    pub caller: Caller,
    /// Whether its directory is asked over https; then nothing of it is asked in the clear.
    pub secure: bool,
}

impl Http {
    /// Asks; an answer with an error status is an error.
    pub async fn ask(&self, ask: Ask<'_>, body: Vec<u8>) -> Result<Answer, StepError> {
        let heard = self.caller.call(self.call(ask, body)).await;
        let heard = heard.map_err(|error| StepError::Failure(told(ask.url, &error)))?;
        let status = heard.status;
        let answer = answer(heard, ask.now);
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let problem: Problem = serde_json::from_slice(&answer.body).unwrap_or_default();
        Err(StepError::Problem(status, problem, answer.retry_after))
    }

    fn call<'a>(&self, ask: Ask<'a>, body: Vec<u8>) -> Call<'a> {
        let mut fields = vec![("accept", ask.accept.to_owned())];
        if ask.method == Verb::Post {
            // RFC 8555 section 6.2.
            fields.push(("content-type", "application/jose+json".to_owned()));
        }
        Call {
            method: match ask.method {
                Verb::Get => Method::GET,
                Verb::Head => Method::HEAD,
                Verb::Post => Method::POST,
            },
            url: ask.url,
            fields,
            body,
            octets: ACME_OCTETS,
            received: ACME_RECEIVED_OCTETS,
            wait: ACME_WAIT,
            // RFC 8555 section 6.1: over HTTPS.
            only_https: self.secure,
        }
    }
}

/// A URL that does not work is the administrator's to mend; a server that is away comes back.
fn told(url: &str, error: &FetchError) -> AuthorityFailure {
    let said = Servers::At {
        server: shown(url),
        why: Servers::from(error).into(),
    };
    match error {
        FetchError::Url(_) => AuthorityFailure::permanent(said),
        FetchError::NotAllowed(_) => {
            AuthorityFailure::permanent(Authorities::MayAllow { why: said.into() })
        }
        _ => AuthorityFailure::passing(said),
    }
}

/// Scheme and host of a URL, for people.
fn shown(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) => url[..Position::BeforePath].to_owned(),
        Err(_) => "URL".to_owned(),
    }
}

fn answer(heard: Heard, now: Timestamp) -> Answer {
    let text = |name: &str| {
        let value = heard.headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    Answer {
        nonce: text("replay-nonce"),
        location: text(LOCATION.as_str()),
        retry_after: text(RETRY_AFTER.as_str()).and_then(|text| seconds(&text, now)),
        body: heard.body,
    }
}

/// Retry-After in seconds (RFC 9110 section 10.2.3): a number, or a time.
fn seconds(text: &str, now: Timestamp) -> Option<i64> {
    let number = text.trim().parse::<u32>().ok().map(i64::from);
    let until = || Timestamp::parse_rfc5322(text.as_bytes()).map(|until| until.since(now).max(0));
    number.or_else(until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_a_number_or_a_time() {
        let now = Timestamp(784_111_700);
        for (text, expected) in [
            ("120", Some(120)),
            (" 0", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(77)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("-5", None),
            ("soon", None),
        ] {
            assert_eq!(seconds(text, now), expected, "{text}");
        }
    }
}
