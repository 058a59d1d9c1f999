//! A mail server that records what it is given: envelope with parameters and every octet of the content.
//! It can be told to answer with other replies, to be away, to wait, and to speak STARTTLS.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::keys::Identity;
use crate::place::PATIENCE;

/// One accepted mail.
#[derive(Debug, Clone)]
pub struct Received {
    /// What the client called itself.
    pub helo: String,
    /// Whether it came over TLS.
    pub tls: bool,
    /// Address in MAIL FROM, without brackets.
    pub from: String,
    /// What followed it, such as `BODY=8BITMIME`.
    pub from_parameters: String,
    /// Each address of RCPT TO with what followed it.
    pub recipients: Vec<(String, String)>,
    /// The content as it was on the wire, dots doubled, without the final dot line.
    pub wire: Vec<u8>,
    /// The content with doubled dots undone.
    pub content: Vec<u8>,
    /// When it was taken, just before the reply.
    pub at: Instant,
}

impl Received {
    /// The addresses of RCPT TO.
    pub fn addresses(&self) -> Vec<&str> {
        self.recipients
            .iter()
            .map(|(address, _)| address.as_str())
            .collect()
    }
}

/// How the server answers. An empty reply is the good one.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// Instead of `220` at the start; the connection ends after a 4xx or 5xx.
    pub greeting: Option<String>,
    /// Instead of `250` to every RCPT.
    pub recipient: Option<String>,
    /// Instead of `250` to RCPT of one address.
    pub recipients: Vec<(String, String)>,
    /// Instead of `250` at the end of data; the mail is not recorded then.
    pub data: Option<String>,
    /// Wait before the reply at the end of data.
    pub data_delay: Duration,
    /// Sent in one packet with the reply to STARTTLS, before the handshake.
    pub injected: Option<String>,
    /// Leave 8BITMIME, SMTPUTF8 and DSN out of the EHLO reply.
    pub old: bool,
}

#[derive(Debug, Default)]
struct State {
    received: Mutex<Vec<Received>>,
    arrived: Condvar,
    behaviour: Mutex<Behaviour>,
    /// Every line a client sent, for tests on what was said and in which order.
    lines: Mutex<Vec<String>>,
    connections: Mutex<u32>,
    /// Sessions that have not ended yet.
    open: AtomicU32,
    end: AtomicBool,
}

/// The running server; it ends when dropped.
#[derive(Debug)]
pub struct Sink {
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<State>,
    tls: Option<Arc<ServerConfig>>,
    away: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sink {
    /// Starts one without STARTTLS.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts one that offers STARTTLS with this certificate.
    pub fn start_tls(identity: &Identity) -> Self {
        let chain = vec![CertificateDer::from_pem_file(&identity.certificate).unwrap()];
        let key = PrivateKeyDer::from_pem_file(&identity.key).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key);
        Self::start_with(Some(Arc::new(config.unwrap())))
    }

    fn start_with(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut sink = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::default(),
            tls,
            away: Arc::default(),
            thread: None,
        };
        sink.listen(listener);
        sink
    }

    fn listen(&mut self, listener: TcpListener) {
        listener.set_nonblocking(true).unwrap();
        let (state, tls, away) = (
            Arc::clone(&self.state),
            self.tls.clone(),
            Arc::clone(&self.away),
        );
        self.thread = Some(std::thread::spawn(move || {
            accept(&listener, &state, &tls, &away)
        }));
    }

    /// Closes the port: connections are refused until [`Sink::come_back`].
    pub fn go_away(&mut self) {
        self.away.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// Opens the same port again.
    pub fn come_back(&mut self) {
        self.away.store(false, Ordering::Relaxed);
        let listener = TcpListener::bind(self.address).unwrap();
        self.listen(listener);
    }

    /// Changes how it answers from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.state.behaviour.lock().unwrap() = behaviour;
    }

    /// All mails so far, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    /// All lines clients have sent so far, content lines left out.
    pub fn lines(&self) -> Vec<String> {
        self.state.lines.lock().unwrap().clone()
    }

    /// How many connections were opened so far.
    pub fn connections(&self) -> u32 {
        *self.state.connections.lock().unwrap()
    }

    /// How many sessions are open now.
    pub fn open(&self) -> u32 {
        self.state.open.load(Ordering::Relaxed)
    }

    /// Waits until all sessions have ended: of a client that was killed, nothing is recorded any more then.
    pub fn wait_until_idle(&self, limit: Duration) {
        let end = Instant::now() + limit;
        while self.open() > 0 {
            assert!(Instant::now() < end, "{} sessions do not end", self.open());
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Waits until `count` mails are there and gives all there are; fewer only if `limit` is over.
    pub fn wait_for(&self, count: usize, limit: Duration) -> Vec<Received> {
        let end = Instant::now() + limit;
        let mut received: MutexGuard<'_, Vec<Received>> = self.state.received.lock().unwrap();
        while received.len() < count {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            received = self.state.arrived.wait_timeout(received, left).unwrap().0;
        }
        received.clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.state.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// How often the accepting thread looks whether it should end.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long a session waits for the client, so that no thread outlives a test run.
const SESSION_WAIT: Duration = PATIENCE;

fn accept(
    listener: &TcpListener,
    state: &Arc<State>,
    tls: &Option<Arc<ServerConfig>>,
    away: &AtomicBool,
) {
    while !state.end.load(Ordering::Relaxed) && !away.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((socket, _)) => {
                *state.connections.lock().unwrap() += 1;
                let (state, tls) = (Arc::clone(state), tls.clone());
                state.open.fetch_add(1, Ordering::Relaxed);
                std::thread::spawn(move || {
                    // A client that goes away in the middle is what some tests are about.
                    let _ = Session::new(socket, &state, tls).and_then(|mut session| session.run());
                    state.open.fetch_sub(1, Ordering::Relaxed);
                });
            }
            Err(_) => std::thread::sleep(LOOK_EVERY),
        }
    }
}

enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(octets),
            Self::Tls(stream) => stream.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

struct Session<'a> {
    wire: Option<BufReader<Wire>>,
    state: &'a State,
    tls: Option<Arc<ServerConfig>>,
    mail: Received,
}

fn empty() -> Received {
    Received {
        helo: String::new(),
        tls: false,
        from: String::new(),
        from_parameters: String::new(),
        recipients: Vec::new(),
        wire: Vec::new(),
        content: Vec::new(),
        at: Instant::now(),
    }
}

impl<'a> Session<'a> {
    fn new(
        socket: TcpStream,
        state: &'a State,
        tls: Option<Arc<ServerConfig>>,
    ) -> io::Result<Self> {
        socket.set_nonblocking(false)?;
        socket.set_read_timeout(Some(SESSION_WAIT))?;
        socket.set_nodelay(true)?;
        Ok(Self {
            wire: Some(BufReader::new(Wire::Plain(socket))),
            state,
            tls,
            mail: empty(),
        })
    }

    fn behaviour(&self) -> Behaviour {
        self.state.behaviour.lock().unwrap().clone()
    }

    fn wire(&mut self) -> io::Result<&mut BufReader<Wire>> {
        self.wire
            .as_mut()
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn say(&mut self, reply: &str) -> io::Result<()> {
        let wire = self.wire()?.get_mut();
        wire.write_all(reply.as_bytes())?;
        wire.write_all(b"\r\n")?;
        wire.flush()
    }

    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        self.wire()?.read_until(b'\n', &mut line)?;
        Ok((!line.is_empty()).then_some(line))
    }

    fn run(&mut self) -> io::Result<()> {
        if let Some(greeting) = self.behaviour().greeting {
            return self.say(&greeting);
        }
        self.say("220 sink.example ESMTP")?;
        while let Some(line) = self.line()? {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.state.lines.lock().unwrap().push(line.clone());
            let verb = line
                .split([' ', ':'])
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => self.ehlo(&line)?,
                "HELO" => self.say("250 sink.example")?,
                "STARTTLS" => self.starttls()?,
                "MAIL" => self.mail_from(&line)?,
                "RCPT" => self.rcpt_to(&line)?,
                "DATA" => self.data()?,
                "RSET" => self.reset()?,
                "NOOP" => self.say("250 2.0.0 ok")?,
                "QUIT" => return self.say("221 2.0.0 bye"),
                _ => self.say("502 5.5.1 not known here")?,
            }
        }
        Ok(())
    }

    fn ehlo(&mut self, line: &str) -> io::Result<()> {
        self.mail.helo = line
            .split_whitespace()
            .nth(1)
            .unwrap_or_default()
            .to_owned();
        let mut words = vec!["sink.example", "PIPELINING", "ENHANCEDSTATUSCODES", "SIZE"];
        if !self.behaviour().old {
            words.extend(["8BITMIME", "SMTPUTF8", "DSN"]);
        }
        if self.tls.is_some() && !self.mail.tls {
            words.push("STARTTLS");
        }
        let last = words.len() - 1;
        for (index, word) in words.into_iter().enumerate() {
            let mark = if index == last { ' ' } else { '-' };
            self.say(&format!("250{mark}{word}"))?;
        }
        Ok(())
    }

    fn starttls(&mut self) -> io::Result<()> {
        let Some(config) = self.tls.clone() else {
            return self.say("502 5.5.1 not offered");
        };
        let injected = self.behaviour().injected.map(|line| format!("\r\n{line}"));
        self.say(&format!(
            "220 2.0.0 go ahead{}",
            injected.unwrap_or_default()
        ))?;
        if let Some(Wire::Plain(socket)) = self.wire.take().map(BufReader::into_inner) {
            let connection = ServerConnection::new(config).map_err(io::Error::other)?;
            let stream = StreamOwned::new(connection, socket);
            self.wire = Some(BufReader::new(Wire::Tls(Box::new(stream))));
            self.mail = Received {
                tls: true,
                ..empty()
            };
        }
        Ok(())
    }

    fn mail_from(&mut self, line: &str) -> io::Result<()> {
        (self.mail.from, self.mail.from_parameters) = path(line);
        self.mail.recipients.clear();
        self.say("250 2.1.0 ok")
    }

    fn rcpt_to(&mut self, line: &str) -> io::Result<()> {
        let (address, parameters) = path(line);
        let behaviour = self.behaviour();
        let own = behaviour.recipients.iter().find(|(one, _)| *one == address);
        if let Some(reply) = own.map(|(_, reply)| reply).or(behaviour.recipient.as_ref()) {
            return self.say(reply);
        }
        self.mail.recipients.push((address, parameters));
        self.say("250 2.1.5 ok")
    }

    fn reset(&mut self) -> io::Result<()> {
        self.mail.recipients.clear();
        self.say("250 2.0.0 ok")
    }

    fn data(&mut self) -> io::Result<()> {
        if self.mail.recipients.is_empty() {
            return self.say("503 5.5.1 no recipient");
        }
        self.say("354 go on")?;
        let mut mail = self.mail.clone();
        loop {
            let Some(line) = self.line()? else {
                return Ok(());
            };
            if line == b".\r\n" {
                break;
            }
            mail.wire.extend_from_slice(&line);
            mail.content
                .extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        let behaviour = self.behaviour();
        std::thread::sleep(behaviour.data_delay);
        self.mail.recipients.clear();
        if let Some(reply) = behaviour.data {
            return self.say(&reply);
        }
        mail.at = Instant::now();
        self.state.received.lock().unwrap().push(mail);
        self.state.arrived.notify_all();
        self.say("250 2.0.0 recorded")
    }
}

/// The address and the parameters of a MAIL or RCPT line.
fn path(line: &str) -> (String, String) {
    let (_, rest) = line.split_once('<').unwrap_or_default();
    let (address, parameters) = rest.split_once('>').unwrap_or((rest, ""));
    (address.to_owned(), parameters.trim().to_owned())
}
