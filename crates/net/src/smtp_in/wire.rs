//! The octets below a session: a bare connection that may become TLS.

use std::io;

use rustls::CommonState;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::limits::{LINGER_OCTETS, LINGER_WAIT};

/// A connection.
pub(super) enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// Lost in a failed handshake.
    Gone,
}

impl Wire {
    /// Sends replies at once instead of waiting for more to send.
    pub(super) fn set_nodelay(&self) {
        if let Self::Plain(stream) = self {
            // Without it the session is slower, no worse.
            drop(stream.set_nodelay(true));
        }
    }

    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer).await,
            Self::Tls(stream) => stream.read(buffer).await,
            Self::Gone => Ok(0),
        }
    }

    pub(super) async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(octets).await,
            Self::Tls(stream) => {
                stream.write_all(octets).await?;
                stream.flush().await
            }
            Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Our side of the handshake.
    pub(super) async fn accept_tls(&mut self, acceptor: &TlsAcceptor) -> io::Result<()> {
        match std::mem::replace(self, Self::Gone) {
            Self::Plain(stream) => {
                *self = Self::Tls(Box::new(acceptor.accept(stream).await?));
                Ok(())
            }
            Self::Tls(_) | Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// The TLS of the connection, if it has become that.
    pub(super) fn tls(&self) -> Option<&CommonState> {
        match self {
            Self::Tls(stream) => Some(stream.get_ref().1),
            Self::Plain(_) | Self::Gone => None,
        }
    }

    /// Ends our side, then drops what the client still sends: closing with unread input would reset the connection and
    /// could take the last reply away from the client.
    pub(super) async fn linger(&mut self) {
        let rest = async {
            match self {
                Self::Plain(stream) => stream.shutdown().await?,
                Self::Tls(stream) => stream.shutdown().await?,
                Self::Gone => return Ok(()),
            }
            let mut buffer = [0; 4096];
            let mut dropped = 0;
            while dropped < LINGER_OCTETS {
                match self.read(&mut buffer).await? {
                    0 => break,
                    octets => dropped += octets,
                }
            }
            io::Result::Ok(())
        };
        // Whether it works or not, the session is over.
        drop(timeout(LINGER_WAIT, rest).await);
    }
}
