//! SMTP in: sockets below [`sealgate_mail::smtp::server`], one task a session, every wait limited.
//!
//! What may be sent and stored is not decided here: it is asked of a [`Gate`].

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sealgate_core::tenant::OrganisationId;
use sealgate_mail::smtp::server::{Action, Password, Server, ServerConfig};
use sealgate_mail::smtp::{Envelope, EnvelopeRecipient, MailParams};
use sealgate_mail::{Reply, ReversePath, Timestamp};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;

use crate::limits;
use crate::tls;

pub use sealgate_mail::smtp::Receipt;
pub use sealgate_mail::smtp::server::{Listener, TlsFacts};

pub(crate) mod places;
mod wire;

use places::Places;
use wire::Wire;

/// The name of a proven sending client, which is its own organisation's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientName {
    /// The organisation.
    pub organisation: OrganisationId,
    /// The client's name there.
    pub name: String,
}

/// What is known of a session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Which listener it came in by.
    pub listener: Listener,
    /// The client's network address and port.
    pub peer: SocketAddr,
    /// What the client calls itself in EHLO or HELO; empty before.
    pub helo: String,
    /// Whether it said EHLO.
    pub esmtp: bool,
    /// Its TLS, if any.
    pub tls: Option<TlsFacts>,
    /// SHA-256 of the certificate it has shown to hold the key of, if it was asked for one.
    pub certificate: Option<[u8; 32]>,
    /// Whether it comes from a network that several sending clients share: each mail says whose it is.
    pub shared: bool,
    /// The sending client it has proven to be.
    pub client: Option<ClientName>,
    /// Whether that was proven by AUTH.
    pub authenticated: bool,
    /// When it began.
    pub started: Timestamp,
}

/// Decides and stores: the rest of the gateway as sessions see it. Every `Err` is sent to the client as it is; one that
/// is no 4xx or 5xx becomes a `451`, and `421` ends the session.
pub trait Gate: Send + Sync + 'static {
    /// Proof that a mail is stored.
    type Receipt: Receipt;
    /// Where the content of one mail goes. Dropped without [`Gate::accept`], it is forgotten.
    type Body: Body;

    /// A client has connected. May set [`Session::client`] or [`Session::shared`] by its network; `Err` refuses the session.
    fn connected(&self, session: &mut Session) -> impl Future<Output = Result<(), Reply>> + Send;

    /// TLS is up. May set [`Session::client`] if the client's certificate proves who it is.
    fn secured(&self, session: &mut Session) -> impl Future<Output = ()> + Send;

    /// Who has this user name and password (AUTH, under TLS)?
    fn authenticate(
        &self,
        session: &Session,
        user: &str,
        password: &str,
    ) -> impl Future<Output = Result<ClientName, Reply>> + Send;

    /// May a mail from `from` begin?
    fn mail(
        &self,
        session: &Session,
        from: &ReversePath,
        params: &MailParams,
    ) -> impl Future<Output = Result<(), Reply>> + Send;

    /// May `recipient` be added to `envelope`, which has those before it?
    fn rcpt(
        &self,
        session: &Session,
        envelope: &Envelope,
        recipient: &EnvelopeRecipient,
    ) -> impl Future<Output = Result<(), Reply>> + Send;

    /// A place for the content (DATA).
    fn body(
        &self,
        session: &Session,
        envelope: &Envelope,
    ) -> impl Future<Output = Result<Self::Body, Reply>> + Send;

    /// The mail is complete: decides and stores it durably, or refuses it. Not limited in time here.
    fn accept(
        &self,
        session: &Session,
        envelope: Envelope,
        body: Self::Body,
    ) -> impl Future<Output = Result<Self::Receipt, Reply>> + Send;
}

/// Takes content as it comes: CRLF line ends only, dots of transparency removed.
pub trait Body: Send {
    /// Appends `chunk`. An error refuses the mail with `452 4.3.1` at its end; nothing more is written then.
    fn write(&mut self, chunk: &[u8]) -> impl Future<Output = io::Result<()>> + Send;
}

/// One listener.
#[derive(Clone)]
pub struct InConfig {
    /// What the dialogue offers. `starttls` counts only with `tls`.
    pub server: ServerConfig,
    /// Our certificate.
    pub tls: Option<TlsAcceptor>,
    /// Whether the connection begins with the TLS handshake (RFC 8314 section 3.3); needs `tls`.
    pub implicit_tls: bool,
    /// All waits.
    pub waits: Waits,
    /// Most sessions at a time.
    pub sessions: usize,
    /// Most sessions of one address at a time.
    pub sessions_per_address: usize,
}

impl InConfig {
    /// With the limits of [`crate::limits`]; STARTTLS is offered if there is a certificate.
    pub fn new(mut server: ServerConfig, tls: Option<TlsAcceptor>) -> Self {
        server.starttls = tls.is_some();
        Self {
            server,
            tls,
            implicit_tls: false,
            waits: Waits::default(),
            sessions: limits::SESSIONS,
            sessions_per_address: limits::SESSIONS_PER_ADDRESS,
        }
    }
}

/// How long is waited for what; see the constants of the same name in [`crate::limits`].
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// For a whole command.
    pub command: Duration,
    /// For more content.
    pub chunk: Duration,
    /// For the client to take a reply.
    pub reply: Duration,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// From MAIL to the end of data.
    pub transaction: Duration,
    /// For the whole session.
    pub session: Duration,
    /// For mails on their way in when we stop.
    pub stop: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            command: limits::COMMAND_WAIT,
            chunk: limits::CHUNK_WAIT,
            reply: limits::REPLY_WAIT,
            handshake: limits::HANDSHAKE_WAIT,
            transaction: limits::TRANSACTION_WAIT,
            session: limits::SESSION_WAIT,
            stop: limits::STOP_WAIT,
        }
    }
}

/// Serves `listener` until `stop` becomes true, or its sender is gone. Then nobody new is let in, mails on their way in
/// are finished, everybody else gets a `421 4.3.2`; returns when all sessions have ended or their time is over.
pub async fn serve<G: Gate>(
    listener: TcpListener,
    config: InConfig,
    gate: Arc<G>,
    mut stop: watch::Receiver<bool>,
) {
    let places = Places::new(config.sessions, config.sessions_per_address);
    let config = Arc::new(config);
    let mut sessions = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            _ = sessions.join_next(), if !sessions.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(limits::ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(place) = places.enter(peer.ip()) else {
            refuse(stream);
            continue;
        };
        let running = Running::new(stream, peer, config.clone(), gate.clone(), stop.clone());
        sessions.spawn(async move {
            running.run().await;
            drop(place);
        });
    }
    drop(listener);
    let ended = async { while sessions.join_next().await.is_some() {} };
    if timeout(config.waits.stop, ended).await.is_err() {
        tracing::warn!("sessions cut off by the stop");
    }
}

/// No place is free. The reply fits the send buffer of a new connection, so nobody waits for it.
fn refuse(stream: TcpStream) {
    drop(stream.try_write(b"421 4.7.0 too many connections, try again later\r\n"));
}

/// How a step leaves the session.
enum Flow {
    /// More input may be looked at.
    On,
    /// All input is used up: read.
    Read,
    /// Over.
    End,
}

/// One session on its way.
struct Running<G: Gate> {
    server: Server,
    wire: Wire,
    session: Session,
    config: Arc<InConfig>,
    gate: Arc<G>,
    body: Option<G::Body>,
    stop: watch::Receiver<bool>,
    session_end: Instant,
    transaction_end: Option<Instant>,
    command_end: Instant,
}

impl<G: Gate> Running<G> {
    fn new(
        stream: TcpStream,
        peer: SocketAddr,
        config: Arc<InConfig>,
        gate: Arc<G>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let now = Instant::now();
        let mut server_config = config.server.clone();
        server_config.starttls = config.tls.is_some() && !config.implicit_tls;
        let session = Session {
            listener: server_config.listener,
            peer: SocketAddr::new(peer.ip().to_canonical(), peer.port()),
            helo: String::new(),
            esmtp: false,
            tls: None,
            certificate: None,
            shared: false,
            client: None,
            authenticated: false,
            started: wall_clock(),
        };
        Self {
            server: Server::new(server_config),
            wire: Wire::Plain(stream),
            session,
            session_end: now + config.waits.session,
            transaction_end: None,
            command_end: now + config.waits.command,
            config,
            gate,
            body: None,
            stop,
        }
    }

    async fn run(mut self) {
        if let Err(error) = self.dialogue().await {
            tracing::debug!(peer = %self.session.peer, %error, "session broken off");
        }
    }

    /// Greets, then reads and acts until the session is over.
    async fn dialogue(&mut self) -> io::Result<()> {
        self.wire.set_nodelay();
        if self.config.implicit_tls {
            self.handshake().await?;
            self.server.set_tls();
        }
        self.greet().await?;
        let mut buffer = vec![0; limits::CLIENT_READ_OCTETS];
        let mut input = 0..0;
        loop {
            let rest = buffer.get(input.clone()).unwrap_or_default();
            let (used, action) = self.server.advance(rest);
            input.start += used;
            let flow = self.act(action).await?;
            match flow {
                Flow::End => return Ok(()),
                Flow::Read if input.is_empty() => match self.read(&mut buffer).await? {
                    0 => return Ok(()),
                    octets => input = 0..octets,
                },
                Flow::Read | Flow::On => {}
            }
        }
    }

    async fn greet(&mut self) -> io::Result<()> {
        let welcome = self.gate.connected(&mut self.session).await;
        if welcome.is_ok() && (self.session.client.is_some() || self.session.shared) {
            self.server.set_proven();
        }
        self.server.greet(welcome);
        self.flush().await
    }

    async fn act(&mut self, action: Action<'_>) -> io::Result<Flow> {
        match action {
            Action::Continue => {
                self.flush().await?;
                return Ok(Flow::Read);
            }
            Action::Authenticate { user, password } => self.authenticate(&user, &password).await,
            Action::Mail(from, params) => self.mail(&from, &params).await,
            Action::Rcpt(recipient) => self.rcpt(&recipient).await,
            Action::BeginData => self.begin_data().await,
            Action::Content(chunk) => self.content(chunk).await,
            Action::DropContent => self.body = None,
            Action::EndOfData(envelope) => {
                self.end_of_data(envelope).await;
                self.flush().await?;
            }
            Action::StartTls { discarded } => self.start_tls(discarded).await?,
            Action::Close => {
                self.body = None;
                self.flush().await?;
                self.wire.linger().await;
                return Ok(Flow::End);
            }
        }
        Ok(Flow::On)
    }

    async fn authenticate(&mut self, user: &str, password: &Password) {
        self.note_hello();
        let found = self
            .gate
            .authenticate(&self.session, user, password.as_str())
            .await;
        self.server.answer(found.map(|client| {
            self.session.client = Some(client);
            self.session.authenticated = true;
        }));
    }

    async fn mail(&mut self, from: &ReversePath, params: &MailParams) {
        self.note_hello();
        let answer = self.gate.mail(&self.session, from, params).await;
        self.transaction_end = answer
            .is_ok()
            .then(|| Instant::now() + self.config.waits.transaction);
        self.server.answer(answer);
    }

    async fn rcpt(&mut self, recipient: &EnvelopeRecipient) {
        let answer = match self.server.envelope() {
            Some(envelope) => self.gate.rcpt(&self.session, envelope, recipient).await,
            None => Ok(()),
        };
        self.server.answer(answer);
    }

    async fn begin_data(&mut self) {
        let Some(envelope) = self.server.envelope() else {
            return;
        };
        let body = self.gate.body(&self.session, envelope).await;
        self.server.answer(body.map(|body| self.body = Some(body)));
    }

    async fn content(&mut self, chunk: &[u8]) {
        let written = match &mut self.body {
            Some(body) => body.write(chunk).await,
            None => return,
        };
        if let Err(error) = written {
            tracing::error!(%error, "cannot write content");
            self.body = None;
            self.server.fail_content();
        }
    }

    async fn end_of_data(&mut self, envelope: Envelope) {
        self.transaction_end = None;
        // There is a body, or `fail_content` has made sure that this is not reached.
        let Some(body) = self.body.take() else {
            return;
        };
        match self.gate.accept(&self.session, envelope, body).await {
            Ok(receipt) => self.server.accepted(receipt),
            Err(reply) => self.server.refused(reply),
        }
    }

    async fn start_tls(&mut self, discarded: usize) -> io::Result<()> {
        if discarded > 0 {
            tracing::warn!(peer = %self.session.peer, discarded, "octets behind STARTTLS thrown away");
        }
        self.flush().await?;
        self.handshake().await?;
        self.server.tls_started();
        self.note_hello();
        Ok(())
    }

    async fn handshake(&mut self) -> io::Result<()> {
        let acceptor = self.config.tls.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        timeout(self.config.waits.handshake, self.wire.accept_tls(acceptor)).await??;
        self.session.tls = self.wire.tls().and_then(tls::facts);
        self.session.certificate = self.wire.tls().and_then(tls::client_fingerprint);
        self.gate.secured(&mut self.session).await;
        if self.session.client.is_some() {
            self.server.set_proven();
        }
        Ok(())
    }

    /// Copies what the client calls itself into the session.
    fn note_hello(&mut self) {
        let hello = self.server.hello();
        self.session.helo = hello.map(|hello| hello.name.clone()).unwrap_or_default();
        self.session.esmtp = hello.is_some_and(|hello| hello.esmtp);
    }

    /// Writes out the replies; after one, the wait for the next command begins anew.
    async fn flush(&mut self) -> io::Result<()> {
        let output = self.server.take_output();
        if output.is_empty() {
            return Ok(());
        }
        timeout(self.config.waits.reply, self.wire.write(&output)).await??;
        self.command_end = Instant::now() + self.config.waits.command;
        Ok(())
    }

    /// Reads more, as long as the client may take for it; 0 is the end of the session.
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.server.in_transaction() {
            self.transaction_end = None;
        }
        let own_end = match self.body {
            Some(_) => Instant::now() + self.config.waits.chunk,
            None => self.command_end,
        };
        let end = own_end
            .min(self.session_end)
            .min(self.transaction_end.unwrap_or(self.session_end));
        let is_idle = !self.server.in_transaction();
        tokio::select! {
            _ = self.stop.wait_for(|stop| *stop), if is_idle => self.server.shut_down(),
            read = timeout_at(end, self.wire.read(buffer)) => match read {
                Ok(result) => return result,
                Err(_) => self.server.timed_out(),
            },
        }
        self.body = None;
        self.flush().await?;
        self.wire.linger().await;
        Ok(0)
    }
}

/// The present time.
fn wall_clock() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
