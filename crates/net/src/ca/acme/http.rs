//! How an ACME server is asked: one HTTP request on a connection of its own, to an address that may be called.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT, CONNECTION, CONTENT_TYPE, HOST, HeaderMap, LOCATION, RETRY_AFTER, USER_AGENT,
};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use sealgate_core::authority::AuthorityFailure;
use sealgate_mail::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::{Position, Url};

use super::wire::{Problem, StepError};
use crate::dns::Dns;
use crate::fetch::{self, Allowed, FetchError, Received};
use crate::limits::{ACME_OCTETS, ACME_RECEIVED_OCTETS, ACME_WAIT, FETCH_HEADER_OCTETS};

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
    pub dns: Dns,
    pub allowed: Vec<Allowed>,
    pub tls: TlsConnector,
    /// Whether its directory is asked over https; then nothing of it is asked in the clear.
    pub secure: bool,
}

impl Http {
    /// Asks; an answer with an error status is an error.
    pub async fn ask(&self, ask: Ask<'_>, body: Vec<u8>) -> Result<Answer, StepError> {
        let asked = timeout(ACME_WAIT, self.exchange(ask, body)).await;
        let failed = |error: FetchError| StepError::Failure(told(ask.url, &error));
        let (status, answer) = match asked {
            Ok(answered) => answered.map_err(failed)?,
            Err(_) => {
                let text = format!("{} does not answer in time", shown(ask.url));
                return Err(AuthorityFailure::passing(text).into());
            }
        };
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let problem: Problem = serde_json::from_slice(&answer.body).unwrap_or_default();
        Err(StepError::Problem(status, problem, answer.retry_after))
    }

    async fn exchange(&self, ask: Ask<'_>, body: Vec<u8>) -> Result<(u16, Answer), FetchError> {
        let url = fetch::target(ask.url)?;
        let places = fetch::places_of(&url, &self.dns, &self.allowed).await?;
        if url.scheme() == "http" {
            if self.secure {
                return Err(FetchError::Url("it is http, and the directory is https"));
            }
            // RFC 8555 section 6.1: over HTTPS. What does not leave this machine needs none.
            if !places.iter().all(|place| place.ip().is_loopback()) {
                return Err(FetchError::Url("it is http; https is needed"));
            }
        }
        let socket = Received::new(fetch::connect(places).await?, ACME_RECEIVED_OCTETS);
        let request = request(&url, ask, body)?;
        if url.scheme() == "http" {
            return exchange(socket, request, ask.now).await;
        }
        let name = fetch::server_name(&url)?;
        let socket = self.tls.connect(name, socket).await.map_err(connection)?;
        exchange(socket, request, ask.now).await
    }
}

/// A URL that does not work is the administrator's to mend; a server that is away comes back.
fn told(url: &str, error: &FetchError) -> AuthorityFailure {
    let text = format!("{}: {error}", shown(url));
    match error {
        FetchError::Url(_) => AuthorityFailure::permanent(text),
        FetchError::NotAllowed(_) => AuthorityFailure::permanent(format!(
            "{text}; an operator may allow it in [fetch] allow"
        )),
        _ => AuthorityFailure::passing(text),
    }
}

/// Scheme and host of a URL, for people.
fn shown(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) => url[..Position::BeforePath].to_owned(),
        Err(_) => "the URL".to_owned(),
    }
}

fn connection(error: impl std::fmt::Display) -> FetchError {
    FetchError::Connection(error.to_string())
}

fn request(url: &Url, ask: Ask<'_>, body: Vec<u8>) -> Result<Request<Full<Bytes>>, FetchError> {
    let method = match ask.method {
        Verb::Get => Method::GET,
        Verb::Head => Method::HEAD,
        Verb::Post => Method::POST,
    };
    let mut builder = Request::builder()
        .method(method)
        .uri(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(USER_AGENT, "Sealgate")
        .header(CONNECTION, "close")
        .header(ACCEPT, ask.accept);
    if ask.method == Verb::Post {
        // RFC 8555 section 6.2.
        builder = builder.header(CONTENT_TYPE, "application/jose+json");
    }
    builder
        .body(Full::from(body))
        .map_err(|_| FetchError::Url("it does not fit into a request"))
}

async fn exchange<S>(
    socket: S,
    request: Request<Full<Bytes>>,
    now: Timestamp,
) -> Result<(u16, Answer), FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(FETCH_HEADER_OCTETS);
    let handshake = builder.handshake(TokioIo::new(socket)).await;
    let (mut sender, driver) = handshake.map_err(connection)?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(connection)?;
        read(response, now).await
    };
    tokio::pin!(answer, driver);
    tokio::select! {
        biased;
        answered = &mut answer => answered,
        ended = &mut driver => match ended {
            Ok(()) => answer.await,
            Err(error) => Err(connection(error)),
        },
    }
}

async fn read(response: Response<Incoming>, now: Timestamp) -> Result<(u16, Answer), FetchError> {
    let status = response.status().as_u16();
    let text = |headers: &HeaderMap, name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.map(str::to_owned)
    };
    let headers = response.headers();
    let mut answer = Answer {
        body: Vec::new(),
        nonce: text(headers, "Replay-Nonce"),
        location: text(headers, LOCATION.as_str()),
        retry_after: text(headers, RETRY_AFTER.as_str()).and_then(|text| seconds(&text, now)),
    };
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(connection)?.into_data() else {
            continue;
        };
        if answer.body.len().saturating_add(data.len()) > ACME_OCTETS {
            return Err(FetchError::Connection(format!(
                "the answer is larger than {ACME_OCTETS} octets"
            )));
        }
        answer.body.extend_from_slice(&data);
    }
    Ok((status, answer))
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
