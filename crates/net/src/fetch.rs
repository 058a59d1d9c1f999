//! Fetches lists and answers about revocation (RFC 5280 section 4.2.1.13, RFC 6960 appendix A) from where certificates say
//! they lie. A stranger's certificate may name any place: only public addresses are called, only on the ports of the
//! web, each connection goes to the address that was judged, and size, time, redirects and numbers are bounded (row X7).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use sealgate_core::saying::Servers as Said;
use sealgate_smime::revocation::Question;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::{Host, Position, Url};

use crate::dns::{Dns, DnsFailure};
use crate::limits::{
    FETCH_HEADER_OCTETS, FETCH_HOST_AWAY, FETCH_OCTETS, FETCH_RECEIVED_OCTETS, FETCH_REDIRECTS,
    FETCH_URL_OCTETS, FETCH_WAIT, FETCHES, FETCHES_PER_HOST, FETCHES_WAITING,
    FETCHES_WAITING_PER_HOST,
};

use crate::words::{of_io, reported};

mod places;
mod received;
#[cfg(test)]
mod tests;

pub use places::{Allowed, NotANetwork, in_reach, is_public, may_call};
pub(crate) use places::{is_this_machine, names_this_machine};
pub(crate) use received::Received;

/// Why nothing was fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// A URL that is not followed.
    #[error("the address is not followed: {0}")]
    Url(Said),
    /// A host with an address that may not be called.
    #[error("{0} is no public address on a port of the web")]
    NotAllowed(SocketAddr),
    /// Its name gave no address.
    #[error("{0}")]
    Name(#[from] DnsFailure),
    /// Nobody there, or it speaks something else.
    #[error("no connection: {0}")]
    Connection(Said),
    /// Somebody there, and no TLS with him that is trusted.
    #[error("no connection: {0}")]
    Tls(Said),
    /// No answer within so many seconds.
    #[error("no answer within {0} seconds")]
    Late(u64),
    /// An answer that is not what was asked for.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// One redirect after another.
    #[error("too many redirects")]
    Redirects,
    /// More octets than a list may have.
    #[error("the answer is larger than {FETCH_OCTETS} octets")]
    TooLarge,
    /// It did not come to its end in time.
    #[error("it takes longer than {} seconds", FETCH_WAIT.as_secs())]
    TooSlow,
    /// Too much is being fetched already; nobody was asked.
    #[error("too much is being fetched already")]
    Busy,
    /// The host did not answer a moment ago; nobody was asked.
    #[error("the host did not answer a moment ago")]
    Away,
}

impl From<&FetchError> for Said {
    fn from(error: &FetchError) -> Self {
        match error {
            FetchError::Url(why) => Self::NotFollowed {
                why: why.clone().into(),
            },
            FetchError::NotAllowed(place) => Self::NotAllowed {
                place: place.to_string(),
            },
            FetchError::Name(failure) => failure.into(),
            FetchError::Connection(why) | FetchError::Tls(why) => Self::NoConnection {
                why: why.clone().into(),
            },
            FetchError::Late(seconds) => Self::Late {
                seconds: i64::try_from(*seconds).unwrap_or(i64::MAX),
            },
            FetchError::Status(status) => Self::Status {
                status: (*status).into(),
            },
            FetchError::Redirects => Self::Redirects {},
            FetchError::TooLarge => Self::TooLarge { most: FETCH_OCTETS },
            FetchError::TooSlow => Self::TooSlow {
                seconds: i64::try_from(FETCH_WAIT.as_secs()).unwrap_or(i64::MAX),
            },
            FetchError::Busy => Self::Busy {},
            FetchError::Away => Self::Away {},
        }
    }
}

impl FetchError {
    /// Whether the host itself is away, whatever is asked of it.
    fn is_away(&self) -> bool {
        match self {
            Self::Connection(_) | Self::Tls(_) | Self::Late(_) | Self::TooSlow | Self::Name(_) => {
                true
            }
            Self::Url(_)
            | Self::NotAllowed(_)
            | Self::Status(_)
            | Self::Redirects
            | Self::TooLarge
            | Self::Busy
            | Self::Away => false,
        }
    }
}

/// Fetches within its limits. One for the whole process.
pub struct Fetcher {
    dns: Dns,
    tls: TlsConnector,
    allowed: Vec<Allowed>,
    waiting: Arc<Semaphore>,
    places: Arc<Semaphore>,
    hosts: Mutex<HashMap<String, HostState>>,
    wait: Duration,
}

/// What is known of a host while something is asked of it, or for a while after it did not answer.
struct HostState {
    waiting: Arc<Semaphore>,
    places: Arc<Semaphore>,
    away_until: Option<Instant>,
}

impl Default for HostState {
    fn default() -> Self {
        Self {
            waiting: Arc::new(Semaphore::new(FETCHES_WAITING_PER_HOST)),
            places: Arc::new(Semaphore::new(FETCHES_PER_HOST)),
            away_until: None,
        }
    }
}

impl HostState {
    fn is_away(&self) -> bool {
        self.away_until.is_some_and(|until| until > Instant::now())
    }

    fn is_needed(&self) -> bool {
        self.is_away() || Arc::strong_count(&self.waiting) > 1
    }
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fetcher")
    }
}

/// What a server said.
enum Answer {
    Body(Vec<u8>),
    Elsewhere(String),
}

impl Fetcher {
    /// Names are asked of `dns`; `tls` demands a certificate for the server's name; `allowed` may be called beside public
    /// addresses.
    pub fn new(dns: Dns, tls: TlsConnector, allowed: Vec<Allowed>) -> Self {
        Self {
            dns,
            tls,
            allowed,
            waiting: Arc::new(Semaphore::new(FETCHES_WAITING)),
            places: Arc::new(Semaphore::new(FETCHES)),
            hosts: Mutex::default(),
            wait: FETCH_WAIT,
        }
    }

    /// The octets that answer `question`, at most [`FETCH_OCTETS`] within [`FETCH_WAIT`] after there was a place for it.
    /// Nothing is remembered here.
    pub async fn fetch(&self, question: &Question) -> Result<Vec<u8>, FetchError> {
        let url = target(question.url())?;
        let host = host_of(&url);
        let _places = self.place(&host).await?;
        // It may have gone away while this one waited for its place.
        self.with_host(&host, |host| match host.is_away() {
            true => Err(FetchError::Away),
            false => Ok(()),
        })?;
        let fetched = timeout(self.wait, self.follow(url, question)).await;
        let fetched = fetched.unwrap_or(Err(FetchError::TooSlow));
        if fetched.as_ref().is_err_and(FetchError::is_away) {
            let until = Instant::now().checked_add(FETCH_HOST_AWAY);
            self.with_host(&host, |host| host.away_until = until);
        }
        fetched
    }

    /// One place of the host, then one of all.
    async fn place(&self, host: &str) -> Result<[OwnedSemaphorePermit; 4], FetchError> {
        let busy = |_| FetchError::Busy;
        let (waiting_for_host, places_of_host) = self.with_host(host, |host| {
            if host.is_away() {
                return Err(FetchError::Away);
            }
            let waiting = Arc::clone(&host.waiting).try_acquire_owned();
            Ok((waiting.map_err(busy)?, Arc::clone(&host.places)))
        })?;
        let waiting = Arc::clone(&self.waiting).try_acquire_owned();
        let waiting = waiting.map_err(busy)?;
        // The semaphores are never closed, so that waiting for them cannot fail.
        let place_of_host = places_of_host
            .acquire_owned()
            .await
            .map_err(|_| FetchError::Busy)?;
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| FetchError::Busy)?;
        Ok([waiting_for_host, waiting, place_of_host, place])
    }

    fn with_host<T>(&self, host: &str, then: impl FnOnce(&mut HostState) -> T) -> T {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.retain(|_, host| host.is_needed());
        then(hosts.entry(host.to_owned()).or_default())
    }

    async fn follow(&self, mut url: Url, question: &Question) -> Result<Vec<u8>, FetchError> {
        for _ in 0..=FETCH_REDIRECTS {
            match self.ask(&url, question).await? {
                Answer::Body(body) => return Ok(body),
                Answer::Elsewhere(location) => url = redirected(&url, &location)?,
            }
        }
        Err(FetchError::Redirects)
    }

    /// One request, on a connection of its own to an address that was judged.
    async fn ask(&self, url: &Url, question: &Question) -> Result<Answer, FetchError> {
        let socket = Received::new(self.connect(url).await?, FETCH_RECEIVED_OCTETS);
        let request = request(url, question)?;
        if url.scheme() == "http" {
            return exchange(socket, request).await;
        }
        let name = server_name(url)?;
        let socket = self.tls.connect(name, socket).await.map_err(connection)?;
        exchange(socket, request).await
    }

    async fn connect(&self, url: &Url) -> Result<TcpStream, FetchError> {
        let addresses = places_of(url, &self.dns, &self.allowed).await?;
        connect(addresses).await
    }
}

/// Where the host of `url` is, if each of its addresses may be called.
pub(crate) async fn places_of(
    url: &Url,
    dns: &Dns,
    allowed: &[Allowed],
) -> Result<Vec<SocketAddr>, FetchError> {
    let port = url
        .port_or_known_default()
        .ok_or(FetchError::Url(Said::UrlNoPort {}))?;
    let addresses = match url.host() {
        Some(Host::Ipv4(address)) => vec![address.into()],
        Some(Host::Ipv6(address)) => vec![address.into()],
        Some(Host::Domain(name)) => dns.addresses(name).await?,
        None => return Err(FetchError::Url(Said::UrlNoHost {})),
    };
    let places: Vec<_> = addresses
        .into_iter()
        .map(|address| SocketAddr::new(address, port))
        .collect();
    // One address that may not be called is enough: the name is not what it pretends to be.
    match places.iter().find(|place| !may_call(**place, allowed)) {
        Some(place) => Err(FetchError::NotAllowed(*place)),
        None => Ok(places),
    }
}

/// A connection to the first of `places` that takes one.
pub(crate) async fn connect(places: Vec<SocketAddr>) -> Result<TcpStream, FetchError> {
    let mut failure = FetchError::Name(DnsFailure::NoSuchDomain);
    for place in places {
        match TcpStream::connect(place).await {
            Ok(socket) => return Ok(socket),
            Err(error) => failure = FetchError::Connection(of_io(&error)),
        }
    }
    Err(failure)
}

fn connection(error: impl std::fmt::Display) -> FetchError {
    FetchError::Connection(reported(error))
}

/// By what a host is known: what is away on one port says nothing about another, and a dot at the end makes no other host.
fn host_of(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default().trim_end_matches('.');
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{name}:{port}")
}

/// A URL that is followed: http or https, without a user.
pub(crate) fn target(text: &str) -> Result<Url, FetchError> {
    if text.len() > FETCH_URL_OCTETS {
        return Err(FetchError::Url(Said::UrlLong {}));
    }
    let url = Url::parse(text).map_err(|_| FetchError::Url(Said::UrlUnreadable {}))?;
    judge_url(&url)?;
    Ok(url)
}

fn judge_url(url: &Url) -> Result<(), FetchError> {
    match () {
        () if !matches!(url.scheme(), "http" | "https") => Err(FetchError::Url(Said::UrlNotWeb {})),
        () if !url.username().is_empty() || url.password().is_some() => {
            Err(FetchError::Url(Said::UrlUser {}))
        }
        () if url.as_str().len() > FETCH_URL_OCTETS => Err(FetchError::Url(Said::UrlLong {})),
        () => Ok(()),
    }
}

/// Where a redirect leads, judged as the first place was; what began protected stays so.
fn redirected(from: &Url, location: &str) -> Result<Url, FetchError> {
    if location.len() > FETCH_URL_OCTETS {
        return Err(FetchError::Url(Said::UrlLong {}));
    }
    let url = from
        .join(location)
        .map_err(|_| FetchError::Url(Said::UrlUnreadable {}))?;
    judge_url(&url)?;
    if from.scheme() == "https" && url.scheme() == "http" {
        return Err(FetchError::Url(Said::UrlToHttp {}));
    }
    Ok(url)
}

/// The name that the server's certificate must be for.
pub(crate) fn server_name(url: &Url) -> Result<ServerName<'static>, FetchError> {
    match url.host() {
        Some(Host::Ipv4(address)) => Ok(ServerName::from(std::net::IpAddr::from(address))),
        Some(Host::Ipv6(address)) => Ok(ServerName::from(std::net::IpAddr::from(address))),
        Some(Host::Domain(name)) => ServerName::try_from(name.to_owned())
            .map_err(|_| FetchError::Url(Said::UrlHostNotForTls {})),
        None => Err(FetchError::Url(Said::UrlNoHost {})),
    }
}

fn request(url: &Url, question: &Question) -> Result<Request<Full<Bytes>>, FetchError> {
    let host = &url[Position::BeforeHost..Position::AfterPort];
    let builder = Request::builder()
        .uri(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, host)
        .header(USER_AGENT, "Sealgate")
        .header(CONNECTION, "close");
    let request = match question {
        Question::Crl { .. } => builder
            .method(Method::GET)
            .header(ACCEPT, "application/pkix-crl, */*")
            .body(Full::default()),
        // RFC 6960 appendix A.1
        Question::Ocsp { request, .. } => builder
            .method(Method::POST)
            .header(CONTENT_TYPE, "application/ocsp-request")
            .header(ACCEPT, "application/ocsp-response")
            .body(Full::from(request.clone())),
    };
    request.map_err(|_| FetchError::Url(Said::UrlUnfit {}))
}

async fn exchange<S>(socket: S, request: Request<Full<Bytes>>) -> Result<Answer, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(FETCH_HEADER_OCTETS);
    let handshake = builder.handshake(TokioIo::new(socket)).await;
    let (mut sender, driver) = handshake.map_err(connection)?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(connection)?;
        judge_response(response).await
    };
    tokio::pin!(answer, driver);
    // The driver moves the octets; when it ends first, what it has read is still handed out.
    tokio::select! {
        biased;
        answered = &mut answer => answered,
        ended = &mut driver => match ended {
            Ok(()) => answer.await,
            Err(error) => Err(connection(error)),
        },
    }
}

async fn judge_response(response: Response<Incoming>) -> Result<Answer, FetchError> {
    let status = response.status();
    match status {
        StatusCode::OK => read_body(response.into_body()).await.map(Answer::Body),
        // RFC 9110 section 15.4; 303 would turn a question into something else.
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => {
            let location = response.headers().get(LOCATION);
            let location = location.and_then(|location| location.to_str().ok());
            location
                .map(|location| Answer::Elsewhere(location.to_owned()))
                .ok_or(FetchError::Status(status.as_u16()))
        }
        other => Err(FetchError::Status(other.as_u16())),
    }
}

async fn read_body(mut body: Incoming) -> Result<Vec<u8>, FetchError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > FETCH_OCTETS {
        return Err(FetchError::TooLarge);
    }
    let mut octets = Vec::with_capacity(announced);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(connection)?.into_data() else {
            continue;
        };
        if octets.len().saturating_add(data.len()) > FETCH_OCTETS {
            return Err(FetchError::TooLarge);
        }
        octets.extend_from_slice(&data);
    }
    Ok(octets)
}
