//! Certificates of correspondents in a directory (LDAP, RFC 4511; attributes of RFC 4523 and RFC 2798): one connection for one
//! question: TLS, bind, search, end.
//!
//! The directory is where the administrator says, as far as he may reach: that is judged at each connection. Whoever tries a
//! directory learns only that it cannot be reached, so that nobody looks for open ports with it; the log says more. Nothing an
//! answer names is called: references and referrals to other servers are passed over. Entries, octets, messages and time are bounded.

use std::io;
use std::net::SocketAddr;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use sealgate_core::directory::{Directory, Place, Protection};
use sealgate_mail::Address;
use sealgate_smime::cms;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use crate::dns::Dns;
use crate::fetch::{Allowed, in_reach};
use crate::limits::{
    LDAP_ADDRESSES, LDAP_CERTIFICATES, LDAP_ENTRIES, LDAP_MESSAGE_OCTETS, LDAP_MESSAGES,
    LDAP_OCTETS, LDAP_WAIT,
};
use crate::source::{Asked, Found, FoundCertificate, NoAnswer, Source};
use crate::tls::{TlsError, Verification, client_connector};

mod message;

use message::{Attribute, Outcome, Response, Search};

/// RFC 4511 appendix A: more entries match than were asked for.
const SIZE_LIMIT_EXCEEDED: u32 = 4;

/// All that is told where no session with a directory came to be.
const UNREACHED: &str = "it cannot be reached: no connection, or none with TLS that is trusted";

/// A directory, ready to be asked.
pub struct Ldap {
    directory: Directory,
    dns: Dns,
    reachable: Vec<Allowed>,
    tls: Option<TlsConnector>,
}

impl std::fmt::Debug for Ldap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ldap({})", self.directory.name)
    }
}

impl Ldap {
    /// The `directory`, its name asked of `dns`; organisations may name it in the networks `reachable` beside public
    /// addresses. Fails if its roots cannot be read.
    pub fn new(directory: Directory, dns: Dns, reachable: Vec<Allowed>) -> Result<Self, TlsError> {
        let tls = match directory.protection {
            Protection::None => None,
            Protection::Tls | Protection::StartTls => Some(client_connector(
                &Verification::Verified(roots(&directory)?),
            )?),
        };
        Ok(Self {
            directory,
            dns,
            reachable,
            tls,
        })
    }

    async fn ask(&self, address: &Address) -> Result<Found, NoAnswer> {
        let end = Instant::now() + LDAP_WAIT;
        let connected = timeout_at(end, self.connect()).await;
        let late = || {
            let seconds = LDAP_WAIT.as_secs();
            NoAnswer::away(format_args!("it takes longer than {seconds} s"))
        };
        let stream = connected.unwrap_or_else(|_| Err(self.unreached("it takes too long")))?;
        let asked = timeout_at(end, self.converse(stream, address)).await;
        asked.unwrap_or_else(|_| Err(late()))
    }

    /// No session: why is for the operator's log alone.
    fn unreached(&self, why: impl std::fmt::Display) -> NoAnswer {
        let Place { host, port } = &self.directory.place;
        let name = &self.directory.name;
        tracing::info!(directory = name, host, port, why = %why, "a directory cannot be reached");
        NoAnswer::away(UNREACHED)
    }

    async fn converse(&self, stream: TcpStream, address: &Address) -> Result<Found, NoAnswer> {
        match (self.directory.protection, &self.tls) {
            (Protection::None, _) | (_, None) => self.question(Wire::new(stream), address).await,
            (Protection::Tls, Some(tls)) => {
                let stream = self.secured(tls, stream).await?;
                self.question(Wire::new(stream), address).await
            }
            (Protection::StartTls, Some(tls)) => {
                let mut wire = Wire::new(stream);
                wire.start_tls().await?;
                let stream = self.secured(tls, wire.into_inner()?).await?;
                self.question(Wire::new(stream), address).await
            }
        }
    }

    async fn connect(&self) -> Result<TcpStream, NoAnswer> {
        let place = &self.directory.place;
        let addresses = self.dns.addresses(&place.host).await;
        let addresses = addresses.map_err(|error| self.unreached(error))?;
        let places: Vec<_> = addresses
            .into_iter()
            .map(|address| SocketAddr::new(address, place.port))
            .collect();
        let judged = in_reach(self.directory.reach, &places, &self.reachable);
        judged.map_err(|place| {
            self.unreached(format_args!(
                "{place} is not among the networks that organisations may name"
            ))
        })?;
        let mut last = None;
        for place in places.into_iter().take(LDAP_ADDRESSES) {
            match TcpStream::connect(place).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        let why = last.map_or_else(|| "it has no address".to_owned(), |error| error.to_string());
        Err(self.unreached(why))
    }

    async fn secured(
        &self,
        tls: &TlsConnector,
        stream: TcpStream,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, NoAnswer> {
        let host = self.directory.place.host.clone();
        let name = ServerName::try_from(host).map_err(|error| self.unreached(error))?;
        let connected = tls.connect(name, stream).await;
        connected.map_err(|error| self.unreached(format_args!("no TLS: {error}")))
    }

    async fn question<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut wire: Wire<S>,
        address: &Address,
    ) -> Result<Found, NoAnswer> {
        if let Some(bind) = &self.directory.bind {
            wire.bind(&bind.dn, &bind.password).await?;
        }
        let mail = address.to_string();
        let search = Search {
            base: &self.directory.base,
            mail: &mail,
            attributes: &self.directory.attributes,
            entries: u32::try_from(LDAP_ENTRIES).unwrap_or(u32::MAX),
            seconds: u32::try_from(LDAP_WAIT.as_secs()).unwrap_or(u32::MAX),
        };
        let certificates = wire.search(search).await?;
        wire.leave().await;
        Ok(Found {
            certificates,
            keep: None,
        })
    }
}

impl Source for Ldap {
    fn find<'a>(&'a self, address: &'a Address) -> Asked<'a> {
        Box::pin(self.ask(address))
    }
}

fn roots(directory: &Directory) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let Some(pem) = &directory.roots else {
        return Ok(Vec::new());
    };
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| TlsError::File(directory.label(), error.to_string()))
}

/// One connection, with what was read of the next message.
struct Wire<S> {
    stream: S,
    buffer: Vec<u8>,
    octets: usize,
    messages: usize,
    number: u32,
}

fn lost(error: io::Error) -> NoAnswer {
    NoAnswer::new(format_args!("the connection broke: {error}"))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            octets: 0,
            messages: 0,
            number: 0,
        }
    }

    /// What is below, for TLS. Octets that came before it began would be taken for protected ones.
    fn into_inner(self) -> Result<S, NoAnswer> {
        if self.buffer.is_empty() {
            Ok(self.stream)
        } else {
            Err(NoAnswer::new("it spoke before TLS began"))
        }
    }

    async fn send(&mut self, make: impl FnOnce(u32) -> Vec<u8>) -> Result<(), NoAnswer> {
        self.number = self.number.saturating_add(1);
        let octets = make(self.number);
        self.stream.write_all(&octets).await.map_err(lost)?;
        self.stream.flush().await.map_err(lost)
    }

    /// The next whole message.
    async fn receive(&mut self) -> Result<Vec<u8>, NoAnswer> {
        self.messages = self.messages.saturating_add(1);
        if self.messages > LDAP_MESSAGES {
            return Err(NoAnswer::new("it sends too many messages"));
        }
        loop {
            if let Some(whole) = message::size(&self.buffer).map_err(NoAnswer::new)? {
                let total = self.octets.saturating_add(whole);
                if whole > LDAP_MESSAGE_OCTETS || total > LDAP_OCTETS {
                    return Err(NoAnswer::new("its answer is too large"));
                }
                if self.buffer.len() >= whole {
                    self.octets = total;
                    let rest = self.buffer.split_off(whole);
                    return Ok(std::mem::replace(&mut self.buffer, rest));
                }
            }
            let read = self.stream.read_buf(&mut self.buffer).await.map_err(lost)?;
            if read == 0 {
                return Err(NoAnswer::new("it closed the connection"));
            }
        }
    }

    async fn start_tls(&mut self) -> Result<(), NoAnswer> {
        self.send(message::start_tls).await?;
        let octets = self.receive().await?;
        match self.read(&octets)? {
            Response::Extended(outcome) => succeeded("StartTLS", &outcome),
            _ => Err(NoAnswer::new("it answers something else than was asked")),
        }
    }

    async fn bind(&mut self, dn: &str, password: &str) -> Result<(), NoAnswer> {
        self.send(|number| message::bind(number, dn, password))
            .await?;
        let octets = self.receive().await?;
        match self.read(&octets)? {
            Response::Bound(outcome) => succeeded("the bind", &outcome),
            _ => Err(NoAnswer::new("it answers something else than was asked")),
        }
    }

    async fn search(&mut self, search: Search<'_>) -> Result<Vec<FoundCertificate>, NoAnswer> {
        self.send(|number| message::search(number, search)).await?;
        let mut entries = 0usize;
        let mut found = Vec::new();
        loop {
            let octets = self.receive().await?;
            match self.read(&octets)? {
                Response::Entry(attributes) => {
                    entries = entries.saturating_add(1);
                    take(&attributes, search.attributes, &mut found);
                }
                Response::Done(outcome) if outcome.code != SIZE_LIMIT_EXCEEDED => {
                    return succeeded("the search", &outcome).map(|()| found);
                }
                Response::Done(_) => return Err(too_many()),
                Response::Other => {}
                Response::Bound(_) | Response::Extended(_) => {
                    return Err(NoAnswer::new("it answers something else than was asked"));
                }
            }
            if entries > LDAP_ENTRIES || found.len() > LDAP_CERTIFICATES {
                return Err(too_many());
            }
        }
    }

    /// What a message says to the last question. Number 0 is a word out of turn, such as that it is going down.
    fn read<'m>(&self, octets: &'m [u8]) -> Result<Response<'m>, NoAnswer> {
        match message::read(octets).map_err(NoAnswer::new)? {
            (number, response) if number == self.number => Ok(response),
            _ => Err(NoAnswer::new("it ends the conversation")),
        }
    }

    /// Takes leave; nothing depends on it.
    async fn leave(&mut self) {
        let _ = self.send(message::unbind).await;
        let _ = self.stream.shutdown().await;
    }
}

fn too_many() -> NoAnswer {
    NoAnswer::new("too many entries or certificates match")
}

fn succeeded(what: &str, outcome: &Outcome<'_>) -> Result<(), NoAnswer> {
    if outcome.code == 0 {
        return Ok(());
    }
    let text = String::from_utf8_lossy(outcome.text);
    let code = outcome.code;
    Err(NoAnswer::new(format_args!(
        "{what} failed with code {code} {text}"
    )))
}

/// The certificates of an entry's attributes that were asked for.
fn take(attributes: &[Attribute<'_>], wanted: &[String], found: &mut Vec<FoundCertificate>) {
    for (name, values) in attributes {
        if !wanted.iter().any(|wanted| is_same(wanted, name)) {
            continue;
        }
        for value in values {
            let certificates = read_value(value).into_iter();
            found.extend(certificates.map(|der| FoundCertificate {
                der,
                is_vouched_for: false,
            }));
        }
    }
}

/// Whether an attribute is the wanted one, whatever options either carries (RFC 4512 section 2.5).
fn is_same(wanted: &str, name: &[u8]) -> bool {
    let bare = |name: &[u8]| {
        let mut parts = name.split(|octet| *octet == b';');
        parts.next().unwrap_or_default().to_ascii_lowercase()
    };
    bare(wanted.as_bytes()) == bare(name)
}

/// A certificate itself, or those in a SignedData (RFC 2798 section 2.8: what it signs is of no matter).
fn read_value(value: &[u8]) -> Vec<Vec<u8>> {
    match in_signed_data(value) {
        Some(certificates) => certificates,
        None => vec![value.to_vec()],
    }
}

fn in_signed_data(value: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (mut reader, kind) = cms::open(value).ok()?;
    if kind != cms::ContentType::SignedData {
        return None;
    }
    let head = cms::signed_head(&mut reader).ok()?;
    if head.has_content {
        reader.string_to(&mut |_| Ok(())).ok()?;
    }
    Some(
        cms::signed_tail(&mut reader, head.has_content)
            .ok()?
            .certificates,
    )
}

#[cfg(test)]
mod tests;
