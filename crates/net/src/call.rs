//! One HTTP request on a connection of its own, to an address that may be called: how authorities, sign-in services and
//! webhooks are spoken to. Size and time are bounded; redirects are not followed.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
pub use hyper::Method;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, HeaderMap, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use sealgate_core::saying::Servers as Said;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::{Position, Url};

use crate::dns::Dns;
use crate::fetch::{self, Allowed, FetchError, Received};
use crate::limits::FETCH_HEADER_OCTETS;
use crate::words::{of_io, reported};

/// Who calls. One for each purpose, or one for many.
#[derive(Clone)]
pub struct Caller {
    /// Names are asked of it.
    pub dns: Dns,
    /// What may be called beside public addresses.
    pub allowed: Vec<Allowed>,
    /// Demands a certificate for the server's name.
    pub tls: TlsConnector,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// How.
    pub method: Method,
    /// Where.
    pub url: &'a str,
    /// Header fields beside those that every request has.
    pub fields: Vec<(&'static str, String)>,
    /// What is sent.
    pub body: Vec<u8>,
    /// Most octets of the answer's body.
    pub octets: usize,
    /// Most octets of the whole answer, as they come from the server.
    pub received: usize,
    /// How long it may take.
    pub wait: Duration,
    /// Whether plain HTTP is refused even on this machine.
    pub only_https: bool,
}

/// What the server said, whatever its status.
#[derive(Debug)]
pub struct Heard {
    /// Its status.
    pub status: u16,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Caller {
    /// Asks once. Over https; plain HTTP only to addresses of this machine.
    ///
    /// # Errors
    /// The URL is not followed; an address may not be called; nobody answers, too slowly, or too much.
    pub async fn call(&self, call: Call<'_>) -> Result<Heard, FetchError> {
        let wait = call.wait;
        let asked = timeout(wait, self.ask(call)).await;
        asked.unwrap_or_else(|_| Err(FetchError::Late(wait.as_secs())))
    }

    async fn ask(&self, call: Call<'_>) -> Result<Heard, FetchError> {
        let url = fetch::target(call.url)?;
        let places = fetch::places_of(&url, &self.dns, &self.allowed).await?;
        let plain = url.scheme() == "http";
        if plain && call.only_https {
            return Err(FetchError::Url(Said::UrlMustBeHttps {}));
        }
        // What does not leave this machine needs no TLS.
        if plain && !places.iter().all(|place| place.ip().is_loopback()) {
            return Err(FetchError::Url(Said::UrlMustBeHttps {}));
        }
        let socket = Received::new(fetch::connect(places).await?, call.received);
        let octets = call.octets;
        let request = request(&url, call)?;
        if plain {
            return exchange(socket, request, octets).await;
        }
        let name = fetch::server_name(&url)?;
        let tls = |error: std::io::Error| FetchError::Tls(of_io(&error));
        let socket = self.tls.connect(name, socket).await.map_err(tls)?;
        exchange(socket, request, octets).await
    }
}

fn connection(error: impl std::fmt::Display) -> FetchError {
    FetchError::Connection(reported(error))
}

fn request(url: &Url, call: Call<'_>) -> Result<Request<Full<Bytes>>, FetchError> {
    let mut builder = Request::builder()
        .method(call.method)
        .uri(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(USER_AGENT, "Sealgate")
        .header(CONNECTION, "close");
    for (name, value) in call.fields {
        builder = builder.header(name, value);
    }
    builder
        .body(Full::from(call.body))
        .map_err(|_| FetchError::Url(Said::UrlUnfit {}))
}

async fn exchange<S>(
    socket: S,
    request: Request<Full<Bytes>>,
    octets: usize,
) -> Result<Heard, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(FETCH_HEADER_OCTETS);
    let handshake = builder.handshake(TokioIo::new(socket)).await;
    let (mut sender, driver) = handshake.map_err(connection)?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(connection)?;
        read(response, octets).await
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

async fn read(response: Response<Incoming>, octets: usize) -> Result<Heard, FetchError> {
    let (head, mut body) = response.into_parts();
    let mut heard = Heard {
        status: head.status.as_u16(),
        headers: head.headers,
        body: Vec::new(),
    };
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(connection)?.into_data() else {
            continue;
        };
        if heard.body.len().saturating_add(data.len()) > octets {
            return Err(FetchError::Connection(Said::TooLarge { most: octets }));
        }
        heard.body.extend_from_slice(&data);
    }
    Ok(heard)
}
