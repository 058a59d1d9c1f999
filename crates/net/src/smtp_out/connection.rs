//! One connection to a mail server: moves octets between the socket and `mail::smtp::client`, each wait limited.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use sealgate_core::queue::{Problem, TlsRequirement};
use sealgate_core::saying::Servers as Said;
use sealgate_mail::smtp::Envelope;
use sealgate_mail::smtp::client::{
    Answer, Client, ClientConfig, Credentials, DotStuffer, Lost, MailFacts, SessionFailure,
    StartTls, Step, Unfit,
};
use sealgate_mail::{Content, EnhancedStatus};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::attempt::{problem, session_problem};
use super::{OutConfig, Waits, content};
use crate::limits::{CONTENT_CHUNK_OCTETS, REPLY_READ_OCTETS, REPORTED_CHARS};
use crate::words::of_io;

/// A server to connect to.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// Its name, or its address where no name was given; what a certificate is checked against.
    pub(super) host: String,
    pub(super) address: SocketAddr,
    pub(super) tls: TlsRequirement,
    pub(super) credentials: Option<Credentials>,
}

impl Peer {
    /// For the report: `mx.example.net [192.0.2.1]`.
    pub(super) fn name(&self) -> String {
        format!("{} [{}]", self.host, self.address.ip())
    }
}

/// A session that is open.
pub(super) struct Connection {
    client: Client,
    wire: Wire,
    waits: Waits,
    /// For the report.
    pub(super) remote: String,
    /// Mails handed over or refused on it.
    pub(super) mails: usize,
}

/// The octets below the dialogue.
enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Gone,
}

/// Why no session came to be.
struct OpenFailure {
    problem: Problem,
    /// The TLS handshake failed, and nothing of a mail was sent.
    in_handshake: bool,
}

impl Connection {
    /// Connects and goes on until mail can be sent. Where TLS is not required, a failed handshake is followed by a
    /// second connection without TLS.
    pub(super) async fn open(config: &OutConfig, peer: &Peer) -> Result<Self, Problem> {
        // A password is never sent without TLS.
        let is_optional = peer.tls == TlsRequirement::Opportunistic && peer.credentials.is_none();
        let starttls = if is_optional {
            StartTls::IfOffered
        } else {
            StartTls::Required
        };
        match Self::try_open(config, peer, starttls).await {
            Err(OpenFailure {
                in_handshake: true,
                problem,
            }) if is_optional => {
                tracing::info!(peer = %peer.name(), why = problem.said.to_string(), "TLS failed, going on without");
                Self::try_open(config, peer, StartTls::Never)
                    .await
                    .map_err(|failure| failure.problem)
            }
            other => other.map_err(|failure| failure.problem),
        }
    }

    async fn try_open(
        config: &OutConfig,
        peer: &Peer,
        starttls: StartTls,
    ) -> Result<Self, OpenFailure> {
        let no_answer = |why: Said| OpenFailure {
            problem: problem(
                EnhancedStatus(4, 4, 1),
                Said::NotConnected {
                    server: peer.name(),
                    why: why.into(),
                },
            ),
            in_handshake: false,
        };
        let stream = match timeout(config.waits.connect, TcpStream::connect(peer.address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(no_answer(of_io(&error))),
            Err(_) => return Err(no_answer(Said::TakesTooLong {})),
        };
        // Replies are waited for after each group of commands: gathering octets only adds delay.
        let _ = stream.set_nodelay(true);
        let client = ClientConfig {
            helo: config.helo.clone(),
            starttls,
            credentials: peer.credentials.clone(),
        };
        let mut connection = Self {
            client: Client::new(client),
            wire: Wire::Plain(stream),
            waits: config.waits,
            remote: peer.name(),
            mails: 0,
        };
        match connection.drive().await {
            Step::StartTls => connection.start_tls(config, peer).await?,
            Step::Ready => return Ok(connection),
            step => return Err(not_open(step)),
        }
        match connection.drive().await {
            Step::Ready => Ok(connection),
            step => Err(not_open(step)),
        }
    }

    async fn start_tls(&mut self, config: &OutConfig, peer: &Peer) -> Result<(), OpenFailure> {
        let Wire::Plain(stream) = std::mem::replace(&mut self.wire, Wire::Gone) else {
            return Ok(());
        };
        let connector = match peer.tls {
            TlsRequirement::Verified => &config.tls.verified,
            TlsRequirement::Opportunistic | TlsRequirement::Required => &config.tls.unverified,
        };
        let name = server_name(&peer.host, peer.address.ip());
        let failed = |why: Said| OpenFailure {
            problem: problem(
                EnhancedStatus(4, 7, 5),
                Said::TlsFailed {
                    server: peer.name(),
                    why: why.into(),
                },
            ),
            in_handshake: true,
        };
        match timeout(self.waits.hello, connector.connect(name, stream)).await {
            Ok(Ok(stream)) => self.wire = Wire::Tls(Box::new(stream)),
            Ok(Err(error)) => return Err(failed(of_io(&error))),
            Err(_) => return Err(failed(Said::TakesTooLong {})),
        }
        self.client.tls_started();
        Ok(())
    }

    /// Hands over one mail: an answer for each recipient, or why the peer cannot take it at all.
    pub(super) async fn send_mail(
        &mut self,
        envelope: &Envelope,
        content: &Arc<dyn Content>,
    ) -> Result<Vec<Answer>, Unfit> {
        self.mails = self.mails.saturating_add(1);
        let facts = match self.facts(envelope, content).await {
            Ok(facts) => facts,
            Err(error) => {
                let failure = SessionFailure::Content(error.to_string());
                return Ok(vec![Answer::Failed(failure); envelope.recipients.len()]);
            }
        };
        self.client.begin(envelope, &facts)?;
        Ok(self.transact(envelope, Some(content)).await)
    }

    /// Asks about the recipients of `envelope`; never sends DATA.
    pub(super) async fn probe(&mut self, envelope: &Envelope) -> Result<Vec<Answer>, Unfit> {
        self.client.probe(envelope)?;
        Ok(self.transact(envelope, None).await)
    }

    /// Whether the peer offered DSN (RFC 3461).
    pub(super) fn peer_knows_dsn(&self) -> bool {
        self.client.capabilities().dsn
    }

    /// Whether another mail can be sent.
    pub(super) fn is_ready(&mut self) -> bool {
        self.client.step() == Step::Ready
    }

    /// Says QUIT if that is possible, and closes.
    pub(super) async fn close(mut self) {
        self.client.quit();
        let _ = timeout(self.waits.quit, self.drive()).await;
        if let Wire::Tls(stream) = &mut self.wire {
            let _ = timeout(self.waits.quit, stream.shutdown()).await;
        }
    }

    /// What must be known of the content before it is offered; it is looked through only if the peer lacks something.
    async fn facts(
        &self,
        envelope: &Envelope,
        content: &Arc<dyn Content>,
    ) -> io::Result<MailFacts> {
        let params = &envelope.params;
        let mut facts = MailFacts {
            size: content.len(),
            eight_bit: params.eight_bit,
            smtputf8: params.smtputf8,
        };
        if self.client.must_know_content(envelope) {
            let octets = content::octets(Arc::clone(content)).await?;
            facts.eight_bit = octets.eight_bit;
            facts.smtputf8 &= octets.eight_bit_header;
        }
        Ok(facts)
    }

    /// Goes on until the mail under way is answered.
    async fn transact(
        &mut self,
        envelope: &Envelope,
        content: Option<&Arc<dyn Content>>,
    ) -> Vec<Answer> {
        let limit = self.waits.hand_over;
        match timeout(limit, self.until_finished(content)).await {
            Ok(Some(answers)) => return answers,
            Ok(None) => {}
            Err(_) => self.break_off(Lost::Late),
        }
        match self.client.step() {
            Step::Finished(answers) => answers,
            _ => {
                let failure = SessionFailure::Protocol("the session ended without an answer");
                vec![Answer::Failed(failure); envelope.recipients.len()]
            }
        }
    }

    async fn until_finished(&mut self, content: Option<&Arc<dyn Content>>) -> Option<Vec<Answer>> {
        loop {
            match (self.drive().await, content) {
                (Step::Finished(answers), _) => return Some(answers),
                (Step::SendContent, Some(content)) => self.send_content(content).await,
                _ => return None,
            }
        }
    }

    /// Does what the client says until it wants something that is not sending or reading.
    async fn drive(&mut self) -> Step {
        loop {
            match self.client.step() {
                Step::Send(octets) => self.write(&octets, self.waits.block).await,
                Step::Read(command) => self.read(self.waits.of(command)).await,
                step => return step,
            }
        }
    }

    /// Writes the content in its wire form. Without all of it the final dot is never written.
    async fn send_content(&mut self, content: &Arc<dyn Content>) {
        let mut chunks = content::chunks(Arc::clone(content));
        let (mut stuffer, mut out, mut read) = (DotStuffer::new(), Vec::new(), 0u64);
        while let Some(chunk) = chunks.recv().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => return self.give_up(SessionFailure::Content(error.to_string())),
            };
            read = read.saturating_add(chunk.len() as u64);
            stuffer.write(&chunk, &mut out);
            if out.len() >= CONTENT_CHUNK_OCTETS {
                self.write(&out, self.waits.block).await;
                out.clear();
            }
            if matches!(self.wire, Wire::Gone) {
                return;
            }
        }
        if read != content.len() {
            let text = format!("{read} octets instead of {}", content.len());
            return self.give_up(SessionFailure::Content(text));
        }
        stuffer.finish(&mut out);
        self.client.end_of_data();
        self.write(&out, self.waits.block).await;
    }

    async fn write(&mut self, octets: &[u8], wait: Duration) {
        let write = async {
            match &mut self.wire {
                Wire::Plain(stream) => stream.write_all(octets).await,
                Wire::Tls(stream) => {
                    stream.write_all(octets).await?;
                    stream.flush().await
                }
                Wire::Gone => Err(io::ErrorKind::NotConnected.into()),
            }
        };
        match timeout(wait, write).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.break_off(lost(&error)),
            Err(_) => self.break_off(Lost::Stuck),
        }
    }

    async fn read(&mut self, wait: Duration) {
        let mut buffer = [0; REPLY_READ_OCTETS];
        let read = async {
            match &mut self.wire {
                Wire::Plain(stream) => stream.read(&mut buffer).await,
                Wire::Tls(stream) => stream.read(&mut buffer).await,
                Wire::Gone => Err(io::ErrorKind::NotConnected.into()),
            }
        };
        match timeout(wait, read).await {
            Ok(Ok(0)) => self.break_off(Lost::Closed),
            Ok(Ok(length)) => self.client.feed(buffer.get(..length).unwrap_or_default()),
            Ok(Err(error)) => self.break_off(lost(&error)),
            Err(_) => self.break_off(Lost::Silent),
        }
    }

    fn break_off(&mut self, how: Lost) {
        self.give_up(SessionFailure::Connection(how));
    }

    /// Ends the session and drops the socket, so that nothing half-written can be taken for a whole.
    fn give_up(&mut self, failure: SessionFailure) {
        self.client.lost(failure);
        self.wire = Wire::Gone;
    }
}

/// How a connection was lost that failed with `error`.
fn lost(error: &io::Error) -> Lost {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::BrokenPipe
        | Kind::NotConnected
        | Kind::UnexpectedEof => Lost::Closed,
        Kind::TimedOut => Lost::Silent,
        _ => Lost::Broken(error.to_string().chars().take(REPORTED_CHARS).collect()),
    }
}

/// The session ended while it was being opened.
fn not_open(step: Step) -> OpenFailure {
    let problem = match step {
        Step::Over(Some(failure)) => session_problem(&failure),
        _ => problem(EnhancedStatus(4, 5, 0), Said::NotOpened {}),
    };
    OpenFailure {
        problem,
        in_handshake: false,
    }
}

/// The name for the handshake; a host that is no DNS name is known by its address.
fn server_name(host: &str, address: IpAddr) -> ServerName<'static> {
    ServerName::try_from(host.to_owned()).unwrap_or_else(|_| ServerName::from(address))
}
