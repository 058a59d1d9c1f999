//! Against servers that follow a script, on loopback.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::Mutex;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sealgate_core::queue::RecipientResult;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::dns::DnsConfig;
use crate::tls;

/// What a peer does beside saying yes to everything.
#[derive(Clone, Default)]
struct Script {
    /// What EHLO offers.
    offers: Vec<&'static str>,
    /// Replies by the start of the command; `end` is the final dot. An empty reply closes the connection.
    replies: HashMap<&'static str, &'static str>,
    /// STARTTLS is followed by a handshake, else by silence and a close.
    tls: Option<TlsAcceptor>,
}

/// A running peer and all lines it got.
struct Fake {
    port: u16,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    async fn start(script: Script) -> Self {
        Self::start_on("127.0.0.1:0", script).await
    }

    async fn start_on(address: &str, script: Script) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let fake = Self {
            port: listener.local_addr().unwrap().port(),
            lines: Arc::default(),
        };
        let lines = Arc::clone(&fake.lines);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                lines.lock().unwrap().push("connect".into());
                tokio::spawn(session(stream, script.clone(), Arc::clone(&lines)));
            }
        });
        fake
    }

    fn hop(&self) -> NextHop {
        self.hop_with(TlsRequirement::Opportunistic)
    }

    fn hop_with(&self, tls: TlsRequirement) -> NextHop {
        NextHop::Host {
            host: "127.0.0.1".into(),
            port: self.port,
            tls,
            credentials: None,
            reach: Reach::Everywhere,
        }
    }

    fn count(&self, start: &str) -> usize {
        self.lines
            .lock()
            .unwrap()
            .iter()
            .filter(|line| line.starts_with(start))
            .count()
    }

    fn text(&self) -> String {
        self.lines.lock().unwrap().join("|")
    }
}

async fn session(
    mut stream: tokio::net::TcpStream,
    script: Script,
    lines: Arc<Mutex<Vec<String>>>,
) {
    if stream.write_all(b"220 fake\r\n").await.is_err() {
        return;
    }
    if talk(&mut stream, &script, &lines).await == End::StartTls {
        let Some(acceptor) = &script.tls else { return };
        if let Ok(mut stream) = acceptor.accept(stream).await {
            lines.lock().unwrap().push("tls".into());
            talk(&mut stream, &script, &lines).await;
        }
    }
}

#[derive(PartialEq)]
enum End {
    Closed,
    StartTls,
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    script: &Script,
    lines: &Mutex<Vec<String>>,
) -> End {
    let mut reader = BufReader::new(stream);
    let mut in_data = false;
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line).await.unwrap_or(0) == 0 {
            return End::Closed;
        }
        let line = String::from_utf8_lossy(&line).replace("\r\n", "");
        lines.lock().unwrap().push(line.clone());
        if in_data && line != "." {
            continue;
        }
        let key = if in_data { "end" } else { line.as_str() };
        let scripted = script
            .replies
            .iter()
            .find(|(start, _)| key.starts_with(*start));
        let offers: String = script
            .offers
            .iter()
            .map(|offer| format!("250-{offer}\r\n"))
            .collect();
        let reply = match (scripted, key) {
            (Some((_, reply)), _) => reply.to_string(),
            (None, "DATA") => "354 go".into(),
            (None, "STARTTLS") => "220 go".into(),
            (None, key) if key.starts_with("EHLO") => format!("250-fake\r\n{offers}250 HELP"),
            _ => "250 2.0.0 ok".into(),
        };
        if reply.is_empty() {
            return End::Closed;
        }
        in_data = reply.starts_with("354");
        let stream = reader.get_mut();
        if stream
            .write_all(format!("{reply}\r\n").as_bytes())
            .await
            .is_err()
            || stream.flush().await.is_err()
        {
            return End::Closed;
        }
        if reply == "220 go" {
            return End::StartTls;
        }
    }
}

fn envelope(recipients: &[&str]) -> Envelope {
    let recipients = recipients.iter().map(|address| EnvelopeRecipient {
        address: Address::parse(address).unwrap(),
        notify: Notify::default(),
        orcpt: None,
    });
    Envelope {
        from: ReversePath::Address(Address::parse("a@example.com").unwrap()),
        params: MailParams::default(),
        recipients: recipients.collect(),
    }
}

fn out(dns: DnsConfig, mx_port: u16) -> SmtpOut {
    out_trusting(Vec::new(), dns, mx_port)
}

fn out_trusting(roots: Vec<CertificateDer<'static>>, dns: DnsConfig, mx_port: u16) -> SmtpOut {
    SmtpOut::new(config(roots, dns, mx_port))
}

fn config(roots: Vec<CertificateDer<'static>>, dns: DnsConfig, mx_port: u16) -> OutConfig {
    let short = Duration::from_millis(400);
    let waits = Waits {
        end_of_data: short,
        hello: Duration::from_secs(5),
        ..Waits::default()
    };
    OutConfig {
        helo: Domain::parse("gate.example").unwrap(),
        dns: Dns::new(dns).unwrap(),
        mx_port,
        reachable: Vec::new(),
        mx_loopback: true,
        tls: ClientTls::new(roots).unwrap(),
        waits,
    }
}

const MAIL: &[u8] = b"Subject: x\r\n\r\n.dot\r\n\nbare\r\n";

async fn deliver(out: &SmtpOut, hop: NextHop, recipients: &[&str]) -> AttemptResult {
    let content: Arc<dyn Content> = Arc::new(MAIL.to_vec());
    out.deliver(Delivery {
        hop,
        way: Way::Out,
        mx_reach: Reach::Everywhere,
        envelope: envelope(recipients),
        content,
    })
    .await
}

/// A letter for each recipient: delivered, temporary, permanent.
fn letters(result: &AttemptResult) -> String {
    let letters = result.recipients.iter().map(|result| match result {
        RecipientResult::Delivered(_) => 'd',
        RecipientResult::Temporary(_) => 't',
        RecipientResult::Permanent(_) => 'p',
    });
    letters.collect()
}

fn status(result: &AttemptResult, recipient: usize) -> String {
    match &result.recipients[recipient] {
        RecipientResult::Delivered(reply) => reply.status_or_general().to_string(),
        RecipientResult::Temporary(problem) | RecipientResult::Permanent(problem) => {
            problem.status.to_string()
        }
    }
}

#[tokio::test]
async fn a_mail_is_handed_over_and_the_connection_used_again() {
    let fake = Fake::start(Script {
        offers: vec!["PIPELINING", "DSN"],
        replies: HashMap::from([
            ("RCPT TO:<no", "550 5.1.1 who?"),
            ("RCPT TO:<later", "450 4.2.0 busy"),
        ]),
        ..Script::default()
    })
    .await;
    let out = out(DnsConfig::Off, 25);
    let recipients = ["b@example.net", "no@example.net", "later@example.net"];
    let result = deliver(&out, fake.hop(), &recipients).await;
    assert_eq!(letters(&result), "dpt");
    assert_eq!(
        (status(&result, 1), status(&result, 2)),
        ("5.1.1".into(), "4.2.0".into())
    );
    assert_eq!(result.remote.as_deref(), Some("127.0.0.1 [127.0.0.1]"));
    assert!(result.peer_knows_dsn);
    assert!(
        fake.text().contains("DATA|Subject: x||..dot||bare|."),
        "{}",
        fake.text()
    );
    assert_eq!(
        letters(&deliver(&out, fake.hop(), &["b@example.net"]).await),
        "d"
    );
    assert_eq!((fake.count("connect"), fake.count("DATA")), (1, 2));
}

#[tokio::test]
async fn an_old_connection_that_is_dead_costs_nothing() {
    let fake = Fake::start(Script {
        replies: HashMap::from([("RSET", "")]),
        ..Script::default()
    })
    .await;
    let out = out(DnsConfig::Off, 25);
    let refused = Script {
        replies: HashMap::from([("MAIL", "450 no")]),
        ..Script::default()
    };
    assert_eq!(
        letters(&deliver(&out, Fake::start(refused).await.hop(), &["b@example.net"]).await),
        "t"
    );
    // A probe leaves a transaction behind; RSET before the next mail finds the peer gone.
    let reply = out
        .probe_recipient(&fake.hop(), &Address::parse("b@example.net").unwrap())
        .await
        .unwrap();
    assert_eq!(reply.code, 250);
    assert_eq!(fake.count("DATA"), 0);
    assert_eq!(
        letters(&deliver(&out, fake.hop(), &["b@example.net"]).await),
        "d"
    );
    assert_eq!(fake.count("connect"), 2);
}

#[tokio::test]
async fn answers_of_a_probe() {
    let address = Address::parse("b@example.net").unwrap();
    let table = [
        ("RCPT", "550 5.1.1 no", Ok(550)),
        ("RCPT", "450 later", Ok(450)),
        ("MAIL", "550 no", Err(())),
        ("EHLO", "421 no", Err(())),
        ("RCPT", "", Err(())),
    ];
    for (command, reply, expected) in table {
        let fake = Fake::start(Script {
            replies: HashMap::from([(command, reply)]),
            ..Script::default()
        })
        .await;
        let found = out(DnsConfig::Off, 25)
            .probe_recipient(&fake.hop(), &address)
            .await;
        assert_eq!(
            found.map(|reply| reply.code).map_err(|_| ()),
            expected,
            "{command} {reply}"
        );
        assert!(fake.text().contains("EHLO gate.example"));
    }
}

#[tokio::test]
async fn failures_of_a_session_are_temporary() {
    let table = [
        ("end", "", "4.4.2"),
        ("end", "451 4.3.0 disk", "4.3.0"),
        ("DATA", "", "4.4.2"),
        ("MAIL", "421 4.3.2 down", "4.3.2"),
        ("EHLO", "421 4.3.2 down", "4.3.2"),
        ("MAIL", "hello", "4.5.0"),
        ("RCPT", "552 5.5.3 too many", "4.5.3"),
    ];
    for (command, reply, expected) in table {
        let fake = Fake::start(Script {
            replies: HashMap::from([(command, reply)]),
            ..Script::default()
        })
        .await;
        let result = deliver(&out(DnsConfig::Off, 25), fake.hop(), &["b@example.net"]).await;
        assert_eq!(
            (letters(&result).as_str(), status(&result, 0).as_str()),
            ("t", expected),
            "{command} {reply}"
        );
    }
    let refused = Script {
        replies: HashMap::from([("end", "554 5.6.0 no")]),
        ..Script::default()
    };
    let result = deliver(
        &out(DnsConfig::Off, 25),
        Fake::start(refused).await.hop(),
        &["b@example.net"],
    )
    .await;
    assert_eq!(
        (letters(&result).as_str(), status(&result, 0).as_str()),
        ("p", "5.6.0")
    );
}

#[tokio::test]
async fn no_reply_to_the_final_dot_is_tried_later() {
    // The reply is an unfinished one: the peer holds the connection and says no more.
    let silent = Script {
        replies: HashMap::from([("end", "250-wait")]),
        ..Script::default()
    };
    let fake = Fake::start(silent).await;
    let result = deliver(&out(DnsConfig::Off, 25), fake.hop(), &["b@example.net"]).await;
    assert_eq!(
        (letters(&result).as_str(), status(&result, 0).as_str()),
        ("t", "4.4.2")
    );
    assert_eq!(fake.count("DATA"), 1);
}

#[tokio::test]
async fn a_port_nobody_listens_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let hop = NextHop::Host {
        host: "127.0.0.1".into(),
        port,
        tls: TlsRequirement::default(),
        credentials: None,
        reach: Reach::Everywhere,
    };
    let result = deliver(&out(DnsConfig::Off, 25), hop, &["b@example.net"]).await;
    assert_eq!(
        (letters(&result).as_str(), status(&result, 0).as_str()),
        ("t", "4.4.1")
    );
}

/// Judged at each connection, not when the name is written down: what it leads to is not called, and the mail waits.
#[tokio::test]
async fn a_name_of_an_organisation_leads_to_no_inner_address() {
    let fake = Fake::start(Script::default()).await;
    let named = |host: &str, reach| NextHop::Host {
        host: host.into(),
        port: fake.port,
        tls: TlsRequirement::default(),
        credentials: None,
        reach,
    };
    let out = out(DnsConfig::Off, 25);
    for host in ["127.0.0.1", "localhost", "0.0.0.0"] {
        let result = deliver(&out, named(host, Reach::Public), &["b@example.net"]).await;
        assert_eq!(
            (letters(&result).as_str(), status(&result, 0).as_str()),
            ("t", "4.4.1"),
            "{host}"
        );
        let RecipientResult::Temporary(problem) = &result.recipients[0] else {
            panic!("{result:?}");
        };
        assert!(
            problem.said.to_string().contains("ask the operator"),
            "{}",
            problem.said
        );
        assert!(!out.may_be_named(host, fake.port).await, "{host}");
    }
    assert_eq!(fake.count("connect"), 0);
    let result = deliver(
        &out,
        named("127.0.0.1", Reach::Everywhere),
        &["b@example.net"],
    )
    .await;
    assert_eq!(letters(&result), "d");
    // Our own listener for sending clients is not called, whoever named it; nor asked about a recipient.
    let own = format!("127.0.0.1:{}", fake.port).parse().unwrap();
    out.has_listeners(OwnListeners {
        inbound: vec![own],
        outbound: vec![],
        names: vec![],
    });
    let hop = named("127.0.0.1", Reach::Everywhere);
    out.close_idle().await;
    let before = fake.count("connect");
    let asked = Address::parse("b@example.net").unwrap();
    let problem = out.probe_recipient(&hop, &asked).await.unwrap_err();
    assert_eq!(problem.status.to_string(), "4.4.6");
    assert_eq!(fake.count("connect"), before);
}

#[tokio::test]
async fn mail_hosts_are_tried_in_order() {
    let dns = DnsConfig::Server(crate::dns::tests::name_server().await);
    let domain = |name: &str| NextHop::Mx {
        domain: Domain::parse(name).unwrap(),
        tls: TlsRequirement::default(),
    };
    // The first host of the domain is 127.0.0.1, the second 127.0.0.2, on one port.
    let first = Fake::start(Script {
        replies: HashMap::from([
            ("RCPT TO:<later", "450 4.2.0 busy"),
            ("RCPT TO:<no", "550 5.1.1 no"),
        ]),
        ..Script::default()
    })
    .await;
    let second = Fake::start_on(&format!("127.0.0.2:{}", first.port), Script::default()).await;
    let out = out(dns, first.port);
    let result = deliver(
        &out,
        domain("two.example"),
        &["b@two.example", "later@two.example", "no@two.example"],
    )
    .await;
    assert_eq!(letters(&result), "ddp");
    assert_eq!(second.count("RCPT TO:<later@two.example>"), 1);
    assert_eq!(second.count("RCPT"), 1);
    assert_eq!(
        result.remote.as_deref(),
        Some("backup.two.example [127.0.0.2]")
    );
    for (name, letter, code) in [
        ("null.example", "p", "5.1.10"),
        ("none.example", "p", "5.1.2"),
        ("noaddress.example", "p", "5.1.2"),
        ("broken.example", "t", "4.4.3"),
        ("dangling.example", "t", "4.4.4"),
    ] {
        let result = deliver(&out, domain(name), &["b@two.example"]).await;
        assert_eq!(
            (letters(&result).as_str(), status(&result, 0).as_str()),
            (letter, code),
            "{name}"
        );
    }
}

/// Whoever owns a domain would have us speak to servers of this machine.
#[tokio::test]
async fn mail_hosts_of_others_are_not_this_machine() {
    let dns = DnsConfig::Server(crate::dns::tests::name_server().await);
    let fake = Fake::start(Script::default()).await;
    let mut config = config(Vec::new(), dns, fake.port);
    config.mx_loopback = false;
    let out = SmtpOut::new(config);
    for name in ["two.example", "[127.0.0.1]"] {
        let hop = NextHop::by_mx(&Domain::parse(name).unwrap());
        let result = deliver(&out, hop, &["b@two.example"]).await;
        assert_eq!(
            (letters(&result).as_str(), status(&result, 0).as_str()),
            ("t", "4.4.1"),
            "{name}"
        );
    }
    assert_eq!(fake.count("connect"), 0);
}

#[tokio::test]
async fn a_mail_that_may_have_arrived_goes_to_no_second_host() {
    let dns = DnsConfig::Server(crate::dns::tests::name_server().await);
    let domain = Domain::parse("two.example").unwrap();
    for (end, second_gets) in [("", 0), ("451 4.3.0 disk", 1)] {
        let script = Script {
            replies: HashMap::from([("end", end)]),
            ..Script::default()
        };
        let first = Fake::start(script).await;
        let address = format!("127.0.0.2:{}", first.port);
        let second = Fake::start_on(&address, Script::default()).await;
        let hop = NextHop::Mx {
            domain: domain.clone(),
            tls: TlsRequirement::default(),
        };
        let result = deliver(&out(dns, first.port), hop, &["b@two.example"]).await;
        assert_eq!(second.count("DATA"), second_gets, "{end}");
        assert_eq!(letters(&result), if second_gets == 1 { "d" } else { "t" });
    }
}

#[tokio::test]
async fn what_the_peer_lacks() {
    let out = out(DnsConfig::Off, 25);
    let small = Fake::start(Script {
        offers: vec!["SIZE 10"],
        ..Script::default()
    })
    .await;
    let result = deliver(&out, small.hop(), &["b@example.net"]).await;
    assert_eq!(
        (letters(&result).as_str(), status(&result, 0).as_str()),
        ("p", "5.3.4")
    );
    let plain = Fake::start(Script::default()).await;
    let content: Arc<dyn Content> = Arc::new(b"a: b\r\n\r\n\xff\r\n".to_vec());
    let delivery = Delivery {
        hop: plain.hop(),
        way: Way::Out,
        mx_reach: Reach::Everywhere,
        envelope: envelope(&["b@example.net"]),
        content,
    };
    let result = out.deliver(delivery.clone()).await;
    assert_eq!(
        (letters(&result).as_str(), status(&result, 0).as_str()),
        ("p", "5.6.3")
    );
    assert_eq!(plain.count("MAIL"), 0);
    let modern = Fake::start(Script {
        offers: vec!["8BITMIME"],
        ..Script::default()
    })
    .await;
    let result = out
        .deliver(Delivery {
            hop: modern.hop(),
            ..delivery
        })
        .await;
    assert_eq!(letters(&result), "d");
}

/// Says it is longer than what can be read.
struct Torn;

impl Content for Torn {
    fn len(&self) -> u64 {
        1_000_000
    }
    fn reader(&self, _from: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(io::Cursor::new(vec![b'a'; 200_000])))
    }
}

#[tokio::test]
async fn content_that_ends_early_never_gets_its_final_dot() {
    let fake = Fake::start(Script {
        offers: vec!["8BITMIME"],
        ..Script::default()
    })
    .await;
    let content: Arc<dyn Content> = Arc::new(Torn);
    let delivery = Delivery {
        hop: fake.hop(),
        way: Way::Out,
        mx_reach: Reach::Everywhere,
        envelope: envelope(&["b@example.net"]),
        content,
    };
    let result = out(DnsConfig::Off, 25).deliver(delivery).await;
    assert_eq!(
        (letters(&result).as_str(), status(&result, 0).as_str()),
        ("t", "4.3.0")
    );
    assert_eq!(
        fake.lines
            .lock()
            .unwrap()
            .iter()
            .filter(|line| *line == ".")
            .count(),
        0
    );
}

/// A server certificate for `localhost`, signed by itself.
fn localhost() -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    tls::self_signed("localhost").unwrap()
}

#[tokio::test]
async fn tls_as_required() {
    let offers = vec!["STARTTLS"];
    let (certificate, key) = localhost();
    let acceptor = tls::acceptor(
        vec![certificate.clone()],
        key,
        tls::ClientCertificate::NotAsked,
    )
    .unwrap();
    let good = Script {
        offers: offers.clone(),
        tls: Some(acceptor),
        ..Script::default()
    };
    let stripped = Script::default();
    let broken = Script {
        offers: offers.clone(),
        ..Script::default()
    };
    let injecting = Script {
        offers,
        replies: HashMap::from([(
            "STARTTLS",
            "220 go\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken",
        )]),
        ..Script::default()
    };
    use TlsRequirement::{Opportunistic, Required, Verified};
    let table = [
        (&good, "localhost", Opportunistic, 'd', 1),
        (&good, "localhost", Required, 'd', 1),
        (&good, "localhost", Verified, 'd', 1),
        (&good, "127.0.0.1", Required, 'd', 1),
        (&good, "127.0.0.1", Verified, 't', 0),
        (&stripped, "localhost", Opportunistic, 'd', 0),
        (&stripped, "localhost", Required, 't', 0),
        (&stripped, "localhost", Verified, 't', 0),
        (&broken, "localhost", Opportunistic, 'd', 0),
        (&broken, "localhost", Required, 't', 0),
        (&injecting, "localhost", Required, 't', 0),
        (&injecting, "localhost", Opportunistic, 't', 0),
    ];
    for (script, host, tls, letter, handshakes) in table {
        let fake = Fake::start(script.clone()).await;
        let hop = NextHop::Host {
            host: host.into(),
            port: fake.port,
            tls,
            credentials: None,
            reach: Reach::Everywhere,
        };
        let out = out_trusting(vec![certificate.clone()], DnsConfig::Off, 25);
        let result = deliver(&out, hop, &["b@example.net"]).await;
        assert_eq!(
            letters(&result),
            letter.to_string(),
            "{host} {tls:?} {}: {result:?}",
            fake.text()
        );
        assert_eq!(fake.count("tls"), handshakes, "{host} {tls:?}");
        assert_eq!(
            fake.count("MAIL"),
            usize::from(letter == 'd'),
            "{host} {tls:?}"
        );
    }
}

#[tokio::test]
async fn a_password_is_never_sent_in_clear() {
    let credentials = sealgate_core::queue::Credentials {
        user: "user".into(),
        password: "secret".into(),
    };
    let (certificate, key) = localhost();
    let acceptor = tls::acceptor(vec![certificate], key, tls::ClientCertificate::NotAsked).unwrap();
    for (tls, expected) in [(Some(acceptor), "d"), (None, "t")] {
        let offers = vec!["STARTTLS", "AUTH PLAIN LOGIN"];
        let replies = HashMap::from([("AUTH", "235 2.7.0 ok")]);
        let fake = Fake::start(Script {
            offers,
            replies,
            tls: tls.clone(),
        })
        .await;
        let hop = NextHop::Host {
            host: "localhost".into(),
            port: fake.port,
            tls: TlsRequirement::Opportunistic,
            credentials: Some(credentials.clone()),
            reach: Reach::Everywhere,
        };
        assert_eq!(
            letters(&deliver(&out(DnsConfig::Off, 25), hop, &["b@example.net"]).await),
            expected
        );
        assert_eq!(
            fake.count("AUTH PLAIN AHVzZXIAc2VjcmV0"),
            usize::from(tls.is_some())
        );
    }
}
