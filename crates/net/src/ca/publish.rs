//! The web server of the built-in CA: certificates, lists and OCSP answers at the addresses that certificates name, and nothing
//! else (RFC 6960 appendix A, RFC 5280 sections 4.2.1.13 and 4.2.2.1). Whoever asks is unknown: connections, header, body and
//! time are bounded.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, HeaderValue, LAST_MODIFIED,
};
use hyper::service::Service;
use hyper::{Method, Request, Response, StatusCode};
use sealgate_mail::Timestamp;
use sealgate_smime::certificate::Certificate;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use super::builtin::{Addresses, Answered, ListOf, Published, Publisher, Resource};
use crate::limits::{
    OCSP_REQUEST_OCTETS, PUBLISH_BODY_WAIT, PUBLISH_CONNECTION_WAIT, PUBLISH_CONNECTIONS,
    PUBLISH_CONNECTIONS_PER_ADDRESS, PUBLISH_HEADER_WAIT, PUBLISH_MAX_AGE,
};
use crate::web::{self, Door};

/// What a server hands out, under which paths, and how long it waits for whoever asks.
pub struct Site {
    publisher: Publisher,
    addresses: Addresses,
    waits: Waits,
}

/// How long clients are waited for; tests shorten it.
struct Waits {
    header: Duration,
    body: Duration,
    connection: Duration,
}

impl Site {
    /// Publishes what `publisher` makes at `addresses`.
    pub fn new(publisher: Publisher, addresses: Addresses) -> Self {
        Self {
            publisher,
            addresses,
            waits: Waits {
                header: PUBLISH_HEADER_WAIT,
                body: PUBLISH_BODY_WAIT,
                connection: PUBLISH_CONNECTION_WAIT,
            },
        }
    }
}

/// Serves `site` on `listener` until `stop` changes; answers under way are finished.
pub async fn serve(listener: TcpListener, site: Arc<Site>, stop: watch::Receiver<bool>) {
    let door = Door {
        connections: PUBLISH_CONNECTIONS,
        per_address: PUBLISH_CONNECTIONS_PER_ADDRESS,
        proxies: Vec::new(),
        header_wait: site.waits.header,
        connection_wait: site.waits.connection,
    };
    web::serve(listener, (door, None), Served(site), stop).await;
}

/// A site as the web server calls it.
#[derive(Clone)]
struct Served(Arc<Site>);

impl Service<Request<Incoming>> for Served {
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let site = Arc::clone(&self.0);
        Box::pin(async move { Ok(respond(&site, request).await) })
    }
}

type Answer = Response<Full<Bytes>>;

/// One request: what is asked for, and how.
async fn respond(site: &Site, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let Some((resource, rest)) = site.addresses.find(head.uri.path()) else {
        return failed(StatusCode::NOT_FOUND);
    };
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    let ca = site.publisher.ca();
    match (resource, rest) {
        (Resource::Ocsp, "" | "/") if head.method == Method::POST => {
            let body = Limited::new(body, OCSP_REQUEST_OCTETS).collect();
            match timeout(site.waits.body, body).await {
                Ok(Ok(body)) => ocsp(site, &body.to_bytes(), Caching::Never).await,
                Ok(Err(_)) => failed(StatusCode::PAYLOAD_TOO_LARGE),
                Err(_) => failed(StatusCode::REQUEST_TIMEOUT),
            }
        }
        (Resource::Ocsp, rest) if reads && rest.len() > 1 => {
            let request = rest.get(1..).and_then(in_path).unwrap_or_default();
            ocsp(site, &request, Caching::Allowed).await
        }
        (Resource::Ocsp, "" | "/") => not_allowed("GET, HEAD, POST"),
        (Resource::Ocsp, _) => not_allowed("GET, HEAD"),
        (_, rest) if !rest.is_empty() => failed(StatusCode::NOT_FOUND),
        _ if !reads => not_allowed("GET, HEAD"),
        (Resource::RootCertificate, _) => certificate(&ca.root_certificate),
        (Resource::IssuingCertificate, _) => certificate(&ca.issuing_certificate),
        (Resource::RootList, _) => list(site, ListOf::Root).await,
        (Resource::IssuingList, _) => list(site, ListOf::Issuing).await,
    }
}

/// The request in a path: base64 of DER, with percent-encoding (RFC 6960 appendix A.1). Some clients encode less than they should.
fn in_path(text: &str) -> Option<Vec<u8>> {
    let mut base64 = Vec::with_capacity(text.len());
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        base64.push(match octet {
            b'%' => {
                let digit = |octet: u8| char::from(octet).to_digit(16);
                let high = octets.next().and_then(digit)?;
                let low = octets.next().and_then(digit)?;
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    base64_simd::STANDARD.decode_to_vec(&base64).ok()
}

/// Whether an answer may go to caches: those to POST never do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caching {
    Allowed,
    Never,
}

async fn ocsp(site: &Site, request: &[u8], caching: Caching) -> Answer {
    const KIND: &str = "application/ocsp-response";
    match site.publisher.answer(request).await {
        Answered::Signed { answer, reusable } if reusable && caching == Caching::Allowed => {
            cached(KIND, &answer)
        }
        Answered::Signed { answer, .. } => uncached(KIND, answer.octets),
        Answered::Error(octets) => uncached(KIND, octets.into()),
    }
}

async fn list(site: &Site, of: ListOf) -> Answer {
    match site.publisher.list(of).await {
        Ok(list) => cached("application/pkix-crl", &list),
        Err(error) => {
            tracing::warn!(%error, "a list of the built-in CA cannot be made now");
            failed(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

fn certificate(certificate: &Certificate) -> Answer {
    let octets = certificate.der().to_vec();
    let (from, until) = (certificate.not_before(), certificate.not_after());
    let published = Published::new(octets, from, until);
    cached("application/pkix-cert", &published)
}

/// With the header fields of RFC 5019 section 6.2. They hold nothing but dates, numbers and digits.
fn cached(kind: &'static str, published: &Published) -> Answer {
    let mut answer = whole(kind, published.octets.clone());
    let caching = format!("max-age={PUBLISH_MAX_AGE}, public, no-transform, must-revalidate");
    let fields = [
        (LAST_MODIFIED, http_date(published.from)),
        (EXPIRES, http_date(published.until)),
        (ETAG, format!("\"{}\"", published.tag)),
        (CACHE_CONTROL, caching),
    ];
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::try_from(value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

fn uncached(kind: &'static str, octets: Bytes) -> Answer {
    let mut answer = whole(kind, octets);
    let never = HeaderValue::from_static("no-store");
    answer.headers_mut().insert(CACHE_CONTROL, never);
    answer
}

fn whole(kind: &'static str, octets: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(octets));
    let kind = HeaderValue::from_static(kind);
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

fn failed(status: StatusCode) -> Answer {
    let mut answer = uncached("text/plain", Bytes::new());
    *answer.status_mut() = status;
    answer
}

fn not_allowed(methods: &'static str) -> Answer {
    let mut answer = failed(StatusCode::METHOD_NOT_ALLOWED);
    let methods = HeaderValue::from_static(methods);
    answer.headers_mut().insert(ALLOW, methods);
    answer
}

/// As HTTP writes it (RFC 9110 section 5.6.7).
fn http_date(at: Timestamp) -> String {
    at.rfc5322().replace("+0000", "GMT")
}

#[cfg(test)]
mod tests;
