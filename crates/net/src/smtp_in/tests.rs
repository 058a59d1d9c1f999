//! Sessions over loopback with a gate that keeps mails in memory.

use std::sync::Mutex;

use sealgate_mail::{Domain, EnhancedStatus};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::*;
use crate::tls::{ClientCertificate, Verification, acceptor, client_connector, self_signed};

#[derive(Default)]
struct Memory {
    mails: Mutex<Vec<(Session, Envelope, Vec<u8>)>>,
}

struct Id(usize);

impl Receipt for Id {
    fn queue_id(&self) -> String {
        self.0.to_string()
    }
}

struct Bytes(Vec<u8>);

impl Body for Bytes {
    async fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        if chunk.starts_with(b"full") {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.extend_from_slice(chunk);
        Ok(())
    }
}

fn refused(code: u16, text: &str) -> Reply {
    Reply::new(code, EnhancedStatus((code / 100) as u8, 7, 1), text)
}

fn named(name: &str) -> ClientName {
    ClientName {
        organisation: OrganisationId(1),
        name: name.to_owned(),
    }
}

impl Gate for Memory {
    type Receipt = Id;
    type Body = Bytes;

    async fn connected(&self, _: &mut Session) -> Result<(), Reply> {
        Ok(())
    }

    async fn secured(&self, session: &mut Session) {
        if session.certificate.is_some() {
            session.client = Some(named("certificate"));
        }
    }

    async fn authenticate(
        &self,
        session: &Session,
        user: &str,
        password: &str,
    ) -> Result<ClientName, Reply> {
        assert!(session.tls.is_some());
        if (user, password) == ("mua", "secret") {
            Ok(named("mua"))
        } else {
            Err(refused(535, "wrong"))
        }
    }

    async fn mail(&self, _: &Session, _: &ReversePath, _: &MailParams) -> Result<(), Reply> {
        Ok(())
    }

    async fn rcpt(
        &self,
        _: &Session,
        envelope: &Envelope,
        recipient: &EnvelopeRecipient,
    ) -> Result<(), Reply> {
        assert!(envelope.recipients.len() < 10);
        if recipient.address.local() == "unknown" {
            Err(refused(550, "unknown"))
        } else {
            Ok(())
        }
    }

    async fn body(&self, _: &Session, _: &Envelope) -> Result<Bytes, Reply> {
        Ok(Bytes(Vec::new()))
    }

    async fn accept(
        &self,
        session: &Session,
        envelope: Envelope,
        body: Bytes,
    ) -> Result<Id, Reply> {
        let mut mails = self.mails.lock().unwrap();
        mails.push((session.clone(), envelope, body.0));
        Ok(Id(mails.len()))
    }
}

struct Running {
    address: SocketAddr,
    gate: Arc<Memory>,
    stop: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
}

async fn start(change: impl FnOnce(&mut InConfig)) -> Running {
    let (certificate, key) = self_signed("localhost").unwrap();
    let server = ServerConfig {
        hostname: Domain::parse("localhost").unwrap(),
        listener: Listener::Outbound,
        size_limit: 10_000_000,
        starttls: true,
        auth: true,
        auth_required: false,
        smtputf8: true,
    };
    let mut config = InConfig::new(
        server,
        Some(acceptor(vec![certificate], key, ClientCertificate::Asked).unwrap()),
    );
    change(&mut config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gate = Arc::new(Memory::default());
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(serve(listener, config, gate.clone(), stopped));
    Running {
        address,
        gate,
        stop,
        serving,
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Sends `text` and reads until as many final reply lines came as are asked for, or the connection ended.
async fn talk(stream: &mut impl Stream, text: &str, replies: usize) -> String {
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    let is_final = |line: &str| line.as_bytes().get(3) == Some(&b' ');
    loop {
        let text = String::from_utf8(all.clone()).unwrap();
        if text.ends_with("\r\n") && text.lines().filter(|line| is_final(line)).count() >= replies {
            return text;
        }
        let mut octet = [0; 1024];
        match timeout(Duration::from_secs(20), stream.read(&mut octet))
            .await
            .expect("no reply")
        {
            Ok(octets @ 1..) => all.extend_from_slice(&octet[..octets]),
            _ => return text,
        }
    }
}

async fn connect(running: &Running) -> TcpStream {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let greeting = talk(&mut stream, "", 1).await;
    assert!(greeting.starts_with("220 localhost ESMTP"), "{greeting}");
    stream
}

const ENVELOPE: &str = "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nDATA\r\n";

#[tokio::test]
async fn mail_over_tls_with_auth() {
    let running = start(|config| config.server.auth_required = true).await;
    let mut stream = connect(&running).await;
    let reply = talk(
        &mut stream,
        "EHLO c.example\r\nMAIL FROM:<a@x.example>\r\n",
        2,
    )
    .await;
    assert!(
        reply.contains("250-STARTTLS") && reply.contains("\r\n530 5.7.0"),
        "{reply}"
    );
    // Row M4: what is sent behind STARTTLS is not acted on.
    let reply = talk(
        &mut stream,
        "STARTTLS\r\nAUTH PLAIN AG11YQBzZWNyZXQ=\r\nRSET\r\n",
        1,
    )
    .await;
    assert_eq!(reply, "220 2.0.0 ready to start TLS\r\n");
    let connector = client_connector(&Verification::Opportunistic).unwrap();
    let mut stream = connector
        .connect("localhost".try_into().unwrap(), stream)
        .await
        .unwrap();
    let reply = talk(&mut stream, "MAIL FROM:<a@x.example>\r\n", 1).await;
    assert_eq!(reply, "503 5.5.1 send EHLO first\r\n");
    let reply = talk(
        &mut stream,
        "EHLO c.example\r\nAUTH PLAIN AG11YQB3cm9uZw==\r\nAUTH PLAIN AG11YQBzZWNyZXQ=\r\n",
        3,
    )
    .await;
    assert!(
        reply.contains("535 5.7.1") && reply.ends_with("235 2.7.0 authenticated\r\n"),
        "{reply}"
    );
    let content = format!("Subject: x\r\n\r\n{}", "0123456789\r\n".repeat(100_000));
    let session = format!("{ENVELOPE}{content}.\r\nQUIT\r\n");
    let reply = talk(&mut stream, &session, 5).await;
    assert!(reply.ends_with("354 end data with <CR><LF>.<CR><LF>\r\n250 2.0.0 queued as 1\r\n221 2.0.0 closing the connection\r\n"), "{reply}");
    let mails = running.gate.mails.lock().unwrap();
    let (session, envelope, taken) = &mails[0];
    assert!(*taken == content.as_bytes());
    assert_eq!(envelope.recipients.len(), 1);
    assert_eq!(
        (session.helo.as_str(), session.authenticated),
        ("c.example", true)
    );
    assert_eq!(session.tls.as_ref().unwrap().version, "TLSv1.3");
    assert!(session.tls.as_ref().unwrap().cipher.starts_with("TLS_"));
}

#[tokio::test]
async fn verified_connector_refuses_a_self_signed_certificate() {
    let running = start(|config| config.implicit_tls = true).await;
    for (verification, good) in [
        (Verification::Verified(Vec::new()), false),
        (Verification::Opportunistic, true),
    ] {
        let stream = TcpStream::connect(running.address).await.unwrap();
        let connector = client_connector(&verification).unwrap();
        let result = connector
            .connect("localhost".try_into().unwrap(), stream)
            .await;
        assert_eq!(result.is_ok(), good, "{verification:?}");
        if let Ok(mut stream) = result {
            let reply = talk(&mut stream, "EHLO c.example\r\n", 2).await;
            assert!(
                reply.contains("AUTH PLAIN LOGIN") && !reply.contains("STARTTLS"),
                "{reply}"
            );
        }
    }
}

#[tokio::test]
async fn m10_slow_clients_are_cut_off() {
    let limits = |config: &mut InConfig| {
        config.waits.command = Duration::from_millis(400);
        config.waits.chunk = Duration::from_millis(400);
        config.waits.transaction = Duration::from_millis(1200);
    };
    let running = start(limits).await;
    let table = [
        // An octet at a time, none of them a whole command.
        ("", "x", 400),
        // An octet at a time of content: each comes in time, all together do not.
        (
            "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@y.example>\r\nDATA\r\n",
            "x",
            1200,
        ),
        // Whole commands in time, but the mail never ends.
        ("EHLO c\r\nMAIL FROM:<>\r\n", "NOOP\r\n", 1200),
    ];
    for (opening, drip, least) in table {
        let mut stream = connect(&running).await;
        let began = std::time::Instant::now();
        if !opening.is_empty() {
            talk(&mut stream, opening, opening.matches("\r\n").count()).await;
        }
        let (mut reader, mut writer) = stream.into_split();
        let dripping = tokio::spawn(async move {
            while writer.write_all(drip.as_bytes()).await.is_ok() {
                sleep(Duration::from_millis(100)).await;
            }
        });
        let mut text = String::new();
        timeout(Duration::from_secs(10), reader.read_to_string(&mut text))
            .await
            .unwrap()
            .unwrap();
        assert!(text.ends_with("421 4.4.2 waited too long\r\n"), "{text}");
        assert!(began.elapsed() >= Duration::from_millis(least));
        dripping.abort();
    }
    assert!(running.gate.mails.lock().unwrap().is_empty());
}

#[tokio::test]
async fn too_many_sessions_are_refused() {
    let running = start(|config| config.sessions_per_address = 2).await;
    let first = connect(&running).await;
    let _second = connect(&running).await;
    let mut third = TcpStream::connect(running.address).await.unwrap();
    assert!(talk(&mut third, "", 1).await.starts_with("421 4.7.0"));
    drop(first);
    for attempt in 0.. {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        if talk(&mut stream, "", 1).await.starts_with("220") {
            break;
        }
        assert!(attempt < 100);
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_stop_lets_mails_finish() {
    let running = start(|_| {}).await;
    let mut idle = connect(&running).await;
    let mut busy = connect(&running).await;
    talk(&mut busy, &format!("EHLO c\r\n{ENVELOPE}one\r\n"), 4).await;
    running.stop.send(true).unwrap();
    assert_eq!(
        talk(&mut idle, "", 1).await,
        "421 4.3.2 shutting down, try again later\r\n"
    );
    let reply = talk(&mut busy, "two\r\n.\r\n", 2).await;
    assert_eq!(
        reply,
        "250 2.0.0 queued as 1\r\n421 4.3.2 shutting down, try again later\r\n"
    );
    drop((idle, busy));
    timeout(Duration::from_secs(10), running.serving)
        .await
        .unwrap()
        .unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn content_that_cannot_be_written_is_refused_and_the_session_goes_on() {
    let running = start(|_| {}).await;
    let mut stream = connect(&running).await;
    let reply = talk(
        &mut stream,
        &format!("EHLO c\r\n{ENVELOPE}full\r\nmore\r\n.\r\n{ENVELOPE}ok\r\n.\r\n"),
        9,
    )
    .await;
    assert!(
        reply.contains("452 4.3.1 cannot store") && reply.ends_with("250 2.0.0 queued as 1\r\n"),
        "{reply}"
    );
    assert_eq!(running.gate.mails.lock().unwrap()[0].2, b"ok\r\n");
}

#[tokio::test]
async fn a_mail_cut_off_is_not_taken() {
    let running = start(|_| {}).await;
    let mut stream = connect(&running).await;
    talk(&mut stream, &format!("EHLO c\r\n{ENVELOPE}half\r\n."), 4).await;
    drop(stream);
    let mut stream = connect(&running).await;
    talk(
        &mut stream,
        &format!("EHLO c\r\n{ENVELOPE}whole\r\n.\r\n"),
        5,
    )
    .await;
    assert_eq!(running.gate.mails.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_last_reply_survives_unread_input() {
    let running = start(|_| {}).await;
    let mut stream = connect(&running).await;
    // Row M1: refused at once, while the client still has much to send.
    let session = format!("EHLO c\r\n{ENVELOPE}x\n.\r\n{}", "y".repeat(1_000_000));
    let reply = talk(&mut stream, &session, 5).await;
    assert!(
        reply.ends_with("550 5.6.0 the message has a bare CR or LF\r\n"),
        "{reply}"
    );
}
