//! Web servers of the gateway: the built-in CA's and the portal's. Whoever asks is unknown: connections, header and time are
//! bounded, a reader that takes nothing is left, and a stop waits only so long.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::limits::{ACCEPT_PAUSE, WEB_HEADER_OCTETS, WEB_HEADERS, WEB_STALL_WAIT, WEB_STOP_WAIT};
use crate::smtp_in::places::Places;

/// Who is let in, and for how long.
#[derive(Clone, Debug)]
pub struct Door {
    /// Most connections at the same time.
    pub connections: usize,
    /// Most of them from one address, or IPv6 network of 64 bits.
    pub per_address: usize,
    /// Proxies that ask for many: their addresses have only the limit of all.
    pub proxies: Vec<IpNet>,
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
    let places = Places::new(door.connections, door.per_address).behind(&door.proxies);
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
                let stream = Taken::new(stream, WEB_STALL_WAIT);
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

async fn enter<T, S, B>(stream: T, tls: Option<TlsAcceptor>, visitor: Visitor, service: S)
where
    T: AsyncRead + AsyncWrite + Unpin,
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

/// A connection whose other end takes what is written. One that takes nothing for too long is at its end, and so is all that
/// is kept for it.
struct Taken<T> {
    stream: T,
    longest: Duration,
    /// Runs while the other end takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<T> Taken<T> {
    const fn new(stream: T, longest: Duration) -> Self {
        Self {
            stream,
            longest,
            stalled: None,
        }
    }

    fn judge<R>(
        &mut self,
        cx: &mut Context<'_>,
        wrote: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if wrote.is_ready() {
            self.stalled = None;
            return wrote;
        }
        let longest = self.longest;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(longest)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Taken<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Taken<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, octets);
        self.judge(cx, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.judge(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.judge(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.judge(cx, ended)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const LONGEST: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn a_reader_that_takes_nothing_is_left() {
        let (own, _reader) = duplex(100);
        let mut own = Taken::new(own, LONGEST);
        let wrote = timeout(LONGEST * 50, own.write_all(&[0; 1000])).await;
        let error = wrote.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_slow_reader_is_not() {
        let (own, mut reader) = duplex(100);
        let mut own = Taken::new(own, LONGEST);
        let reads = async {
            let mut octets = [0; 100];
            for _ in 0..10 {
                sleep(LONGEST / 4).await;
                reader.read_exact(&mut octets).await.unwrap();
            }
        };
        let (wrote, ()) = tokio::join!(own.write_all(&[0; 1000]), reads);
        wrote.unwrap();
    }
}
