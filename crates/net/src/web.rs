//! Web servers of the gateway: the built-in CA's and the portal's. Whoever asks is unknown: connections, header and time are
//! bounded, and a stop waits only so long.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::limits::{ACCEPT_PAUSE, WEB_HEADER_OCTETS, WEB_HEADERS, WEB_STOP_WAIT};
use crate::smtp_in::places::Places;

/// Who is let in, and for how long.
#[derive(Clone, Debug)]
pub struct Door {
    /// Most connections at the same time.
    pub connections: usize,
    /// Most of them from one address, or IPv6 network of 64 bits.
    pub per_address: usize,
    /// Wait for TLS, for a whole header block, and for the next request on a connection.
    pub header_wait: Duration,
    /// Longest connection.
    pub connection_wait: Duration,
}

/// Lets `service` answer on `listener` until `stop` changes; answers under way are finished. The address of whoever asks is an
/// extension of each request, a [`SocketAddr`].
pub async fn serve<S, B>(
    listener: TcpListener,
    (door, tls): (Door, Option<TlsAcceptor>),
    service: S,
    mut stop: watch::Receiver<bool>,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: std::error::Error + Send + Sync,
{
    let places = Places::new(door.connections, door.per_address);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = stop.changed() => break,
            accepted = listener.accept() => accepted,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                let Some(place) = places.enter(peer.ip()) else {
                    continue;
                };
                let longest = door.connection_wait;
                let visitor = Visitor {
                    peer,
                    header_wait: door.header_wait,
                    stop: stop.clone(),
                };
                let connection = enter(stream, tls.clone(), visitor, service.clone());
                connections.spawn(async move {
                    let _place = place;
                    // What is left after that time is cut off.
                    let _ = timeout(longest, connection).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to a web server was not accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(WEB_STOP_WAIT, ended).await;
}

/// One connection.
struct Visitor {
    peer: SocketAddr,
    header_wait: Duration,
    stop: watch::Receiver<bool>,
}

async fn enter<S, B>(stream: TcpStream, tls: Option<TlsAcceptor>, visitor: Visitor, service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Sync,
    B: Body + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    match tls {
        None => talk(stream, visitor, service).await,
        Some(tls) => {
            let shaken = timeout(visitor.header_wait, tls.accept(stream)).await;
            if let Ok(Ok(stream)) = shaken {
                talk(stream, visitor, service).await;
            }
        }
    }
}

async fn talk<T, S, B>(stream: T, mut visitor: Visitor, service: S)
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Sync,
    B: Body + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    let peer = visitor.peer;
    let named = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        service.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(visitor.header_wait)
        .max_buf_size(WEB_HEADER_OCTETS)
        .max_headers(WEB_HEADERS)
        .serve_connection(TokioIo::new(stream), named);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = visitor.stop.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
