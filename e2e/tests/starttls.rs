//! Row M4 of security.md: nothing from before the handshake counts after it, and what must be secret never goes without TLS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use e2e::cast::{ALICE, CAROL, Cast};
use e2e::client::{Sending, Session, smtplib};
use e2e::gateway::{Gateway, Options, program};
use e2e::keys::KeyKind;
use e2e::mime::find;
use e2e::program::{must_run, present, python};
use e2e::scene::{DELIVERY, Scene, send};
use e2e::sink::{Behaviour, Received, Sink};

/// What a sending client may do that proves itself by a password.
const BY_PASSWORD: &str =
    "[[clients]]\nname = \"news\"\nuser = \"news\"\npassword = \"correct horse battery\"\n";

fn ready() -> bool {
    program().is_some() && present(&["openssl", "python3"])
}

/// A client that puts commands into the packet of STARTTLS (first argument: the port; then one block of commands
/// each), and after the handshake says NOOP, MAIL, QUIT without EHLO. Prints a line of codes for each block: those
/// before the handshake, then those in TLS until the server closes.
const INJECTION: &str = r#"
import socket, ssl, sys
def replies(stream):
    for line in stream:
        if line[3:4] != b"-":
            yield line[:3].decode()
for block in sys.argv[2:]:
    raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30)
    clear = raw.makefile("rb", buffering=0)
    codes = replies(clear)
    said = [next(codes)]
    raw.sendall(b"EHLO client.example\r\n")
    said.append(next(codes))
    raw.sendall(b"STARTTLS\r\n" + block.encode())
    said.append(next(codes, "closed"))
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        tls = context.wrap_socket(raw, suppress_ragged_eofs=True)
        tls.sendall(b"NOOP\r\nMAIL FROM:<carol@partner.example>\r\nQUIT\r\n")
        said += replies(tls.makefile("rb"))
    except (ssl.SSLError, ConnectionError) as refused:
        said.append("broken")
    print(*said)
"#;

/// What is put behind STARTTLS in its packet.
const INJECTED: [&str; 7] = [
    "",
    "MAIL FROM:<carol@partner.example>\r\nRCPT TO:<alice@example.com>\r\n",
    "EHLO evil.example\r\n",
    "EHLO evil.example\r\nMAIL FROM:<carol@partner.example>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\n",
    "NOOP\r\nNOOP\r\n",
    "AUTH PLAIN AG5ld3MAY29ycmVjdCBob3JzZSBiYXR0ZXJ5\r\n",
    "MAIL FROM:<carol@par",
];

#[test]
fn m4_command_injection_by_a_client() {
    if !ready() {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let scene = Scene::new("m4-client", &Options::default(), cast, "").unwrap();
    for listener in [scene.gateway.inbound, scene.gateway.outbound] {
        let port = listener.port().to_string();
        let mut arguments = vec!["-c", INJECTION, &port];
        arguments.extend(INJECTED);
        let out = String::from_utf8(must_run(&python(), &arguments, b"")).unwrap();
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines.len(), INJECTED.len(), "{out}");
        // One reply to each of NOOP, MAIL (EHLO is needed again) and QUIT: none to what was injected.
        let good = "220 250 220 250 503 221";
        assert_eq!(lines[0], good, "without injection");
        for (line, injected) in lines.iter().zip(INJECTED).skip(1) {
            // The session may also end at the injection.
            let ended = line.starts_with("220 250") && line.ends_with("broken");
            assert!(*line == good || ended, "{injected:?}: {line}");
        }
    }
}

#[test]
fn m4_no_auth_without_tls() {
    if !ready() {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let (office, internet) = (Sink::start(), Sink::start());
    let text = Scene::description(cast, "", &office, &internet);
    let (text, _) = text.split_once("[[clients]]").unwrap();
    let text = format!("{text}{BY_PASSWORD}");
    let gateway = Gateway::running("m4-auth", &Options::default(), cast, &text).unwrap();
    for listener in [gateway.inbound, gateway.outbound] {
        let mut session = Session::connect(listener).unwrap();
        let offered = session.command("EHLO client.example").unwrap().text;
        assert!(!offered.contains("AUTH"), "{offered}");
        assert!(offered.contains("STARTTLS"), "{offered}");
        // The right password, in each form: refused, and it proves nothing.
        for line in [
            "AUTH PLAIN AG5ld3MAY29ycmVjdCBob3JzZSBiYXR0ZXJ5",
            "AUTH PLAIN",
            "AUTH LOGIN",
            "AUTH LOGIN bmV3cw==",
        ] {
            let reply = session.command(line).unwrap();
            assert!((500..600).contains(&reply.code), "{line}: {reply:?}");
        }
    }
    let mut session = Session::connect(gateway.outbound).unwrap();
    session.command("EHLO client.example").unwrap();
    session
        .command("AUTH PLAIN AG5ld3MAY29ycmVjdCBob3JzZSBiYXR0ZXJ5")
        .unwrap();
    assert_eq!(
        session
            .command("MAIL FROM:<alice@example.com>")
            .unwrap()
            .code,
        530
    );
    // Under TLS the same password is taken, and a wrong one is not.
    let mut sending = Sending::new(gateway.outbound, ALICE, &[CAROL], &mail("auth"));
    sending.starttls = true;
    sending.auth = Some(("news".into(), "correct horse battery".into()));
    assert_eq!(smtplib(&sending).reply.code, 250);
    sending.auth = Some(("news".into(), "wrong horse battery".into()));
    assert_eq!(smtplib(&sending).reply.code, 535);
    assert_eq!(internet.wait_for(1, DELIVERY).len(), 1);
}

fn mail(id: &str) -> Vec<u8> {
    format!("From: alice@example.com\r\nTo: carol@partner.example\r\nSubject: x\r\nMessage-ID: <{id}@example.com>\r\n\r\nhello\r\n").into_bytes()
}

/// How a relay cheats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trick {
    /// It does not offer STARTTLS, as if somebody on the way had taken it out.
    Strips,
    /// It offers STARTTLS and then answers 454.
    NotNow,
    /// It offers STARTTLS and then answers 502.
    NotAtAll,
    /// It sends more replies in the packet of the `220`, and never makes a handshake.
    Injects,
    /// It sends text instead of a handshake.
    Babbles,
    /// It closes after the `220`.
    Closes,
}

const TRICKS: [Trick; 6] = [
    Trick::Strips,
    Trick::NotNow,
    Trick::NotAtAll,
    Trick::Injects,
    Trick::Babbles,
    Trick::Closes,
];

/// A relay that plays a trick and otherwise takes everything it can get in the clear.
struct Relay {
    address: SocketAddr,
    /// All lines of all connections; each connection begins with an empty one.
    lines: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    fn start(trick: Trick) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let relay = Self {
            address: listener.local_addr().unwrap(),
            lines: Arc::default(),
        };
        let lines = Arc::clone(&relay.lines);
        // Ends with the process: nothing waits for it.
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let _ = talk(socket, trick, &lines);
            }
        });
        relay
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    fn connections(&self) -> usize {
        self.lines().iter().filter(|line| line.is_empty()).count()
    }

    /// Lines that give something of a mail or a password away.
    fn given_away(&self) -> Vec<String> {
        let told = |line: &String| {
            ["MAIL", "RCPT", "DATA", "AUTH"]
                .iter()
                .any(|verb| line.starts_with(verb))
        };
        self.lines().into_iter().filter(told).collect()
    }
}

fn talk(mut socket: TcpStream, trick: Trick, lines: &Mutex<Vec<String>>) -> std::io::Result<()> {
    socket.set_read_timeout(Some(DELIVERY))?;
    lines.lock().unwrap().push(String::new());
    socket.write_all(b"220 relay.example ESMTP\r\n")?;
    let mut reader = BufReader::new(socket.try_clone()?);
    let mut in_data = false;
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        lines.lock().unwrap().push(format!("{line} "));
        let verb = line
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let reply: &[u8] = match (verb.as_str(), trick) {
            _ if in_data && line != "." => continue,
            ("EHLO", Trick::Strips) => b"250-relay.example\r\n250 AUTH PLAIN LOGIN\r\n",
            ("EHLO", _) => b"250-relay.example\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n",
            ("STARTTLS", Trick::NotNow) => b"454 4.7.0 not now\r\n",
            ("STARTTLS", Trick::NotAtAll | Trick::Strips) => b"502 5.5.1 not here\r\n",
            ("STARTTLS", Trick::Injects) => {
                b"220 go ahead\r\n250-relay.example\r\n250 AUTH PLAIN\r\n250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go\r\n"
            }
            ("STARTTLS", Trick::Babbles) => {
                socket.write_all(b"220 go ahead\r\n")?;
                std::thread::sleep(Duration::from_millis(20));
                b"250-relay.example\r\n250 AUTH PLAIN\r\n"
            }
            ("STARTTLS", Trick::Closes) => return socket.write_all(b"220 go ahead\r\n"),
            ("DATA", _) => {
                in_data = true;
                b"354 go on\r\n"
            }
            ("QUIT", _) => return socket.write_all(b"221 bye\r\n"),
            _ => {
                in_data = false;
                b"250 2.0.0 ok\r\n"
            }
        };
        socket.write_all(reply)?;
    }
}

fn destination(domain: &str, tls: &str, address: SocketAddr) -> String {
    format!(
        "[[destinations]]\ndomain = {domain:?}\ntls = {tls:?}\nhost = \"127.0.0.1\"\nport = {}\n",
        address.port()
    )
}

/// One of the reports, to alice, is about the mail to `domain`, whose lifetime is over.
fn assert_given_up(reports: &[Received], domain: &str) {
    let line = format!("Final-Recipient: rfc822; carol@{domain}");
    let about = |report: &&Received| find(&report.content, line.as_bytes()).is_some();
    let told: Vec<_> = reports.iter().filter(about).collect();
    assert_eq!(told.len(), 1, "{domain}");
    let report = told[0];
    assert_eq!(
        (report.from.as_str(), report.addresses()),
        ("", vec![ALICE])
    );
    for line in ["Action: failed", "Status: 5.4.7"] {
        let shown = String::from_utf8_lossy(&report.content);
        assert!(shown.contains(line), "{domain}: no {line} in\n{shown}");
    }
}

/// A mail to each domain is tried again and again, never in the clear, and reported when its lifetime is over.
#[test]
fn m4_required_tls_never_falls_back() {
    if !ready() {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let (office, internet) = (Sink::start(), Sink::start());
    let relays: Vec<Relay> = TRICKS.into_iter().map(Relay::start).collect();
    // Good TLS, but a reply injected before it, and a certificate that nobody trusts.
    let (injecting, untrusted) = (Sink::start_tls(&cast.server), Sink::start_tls(&cast.server));
    injecting.behave(Behaviour {
        injected: Some("250 2.0.0 injected".into()),
        ..Behaviour::default()
    });
    let mut more = String::new();
    let mut domains = Vec::new();
    for (number, relay) in relays.iter().enumerate() {
        domains.push(format!("trick{number}.example"));
        more += &destination(&domains[number], "required", relay.address);
    }
    domains.extend([
        "injecting.example".to_owned(),
        "untrusted.example".to_owned(),
    ]);
    more += &destination("injecting.example", "required", injecting.address);
    more += &destination("untrusted.example", "verified", untrusted.address);
    let options = Options {
        queue_lifetime: 4,
        ..Options::default()
    };
    let text = Scene::description(cast, &more, &office, &internet);
    let gateway = Gateway::running("m4-required", &options, cast, &text).unwrap();
    for domain in &domains {
        let to = format!("carol@{domain}");
        let reply = send(gateway.outbound, ALICE, &[&to], &mail(domain));
        assert_eq!(reply.code, 250, "{domain}: {reply:?}");
    }
    let reports = office.wait_for(domains.len(), DELIVERY);
    gateway.drained();
    assert_eq!(reports.len(), domains.len(), "a report for each mail");
    for domain in &domains {
        assert_given_up(&reports, domain);
    }
    for (relay, trick) in relays.iter().zip(TRICKS) {
        assert_eq!(
            relay.given_away(),
            Vec::<String>::new(),
            "{trick:?}: {:?}",
            relay.lines()
        );
        assert!(relay.connections() >= 2, "{trick:?}: not tried again");
    }
    for sink in [&injecting, &untrusted] {
        assert!(sink.connections() >= 2 && sink.received().is_empty());
        assert!(
            !sink.lines().iter().any(|line| line.starts_with("MAIL")),
            "{:?}",
            sink.lines()
        );
    }
    assert!(internet.received().is_empty());
}

/// The same relays get the mail in the clear where TLS is not required, so that the test above can fail; but what one
/// injected is not acted on, and a password never goes without TLS.
#[test]
fn m4_opportunistic_tls_and_passwords() {
    if !ready() {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let (office, internet) = (Sink::start(), Sink::start());
    let (strips, injects, smarthost) = (
        Relay::start(Trick::Strips),
        Relay::start(Trick::Injects),
        Relay::start(Trick::Strips),
    );
    let more = destination("strips.example", "opportunistic", strips.address)
        + &destination("injects.example", "opportunistic", injects.address);
    let mut text = Scene::description(cast, &more, &office, &internet);
    let at = text.find("[smarthost]").unwrap();
    let end = text.find("[[clients]]").unwrap();
    let mut relay = String::new();
    writeln!(relay, "[smarthost]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"opportunistic\"\nuser = \"us\"\npassword = \"secret\"", smarthost.address.port()).unwrap();
    text.replace_range(at..end, &relay);
    let gateway = Gateway::running("m4-opportunistic", &Options::default(), cast, &text).unwrap();
    for to in ["carol@strips.example", "carol@injects.example", CAROL] {
        assert_eq!(send(gateway.outbound, ALICE, &[to], &mail(to)).code, 250);
    }
    let all_tried = || {
        let quit = |relay: &Relay| relay.lines().iter().any(|line| line.starts_with("DATA"));
        quit(&strips) && injects.connections() >= 2 && smarthost.connections() >= 2
    };
    wait_until(all_tried);
    assert_eq!(smarthost.given_away(), Vec::<String>::new());
    // In the connection where it injected replies, nothing follows STARTTLS in the clear.
    let lines = injects.lines();
    for connection in lines.split(|line| line.is_empty()) {
        let behind = connection
            .iter()
            .skip_while(|line| !line.starts_with("STARTTLS"))
            .skip(1);
        let acted_on: Vec<_> = behind
            .filter(|line| line.starts_with("MAIL") || line.starts_with("EHLO"))
            .collect();
        assert!(acted_on.is_empty(), "{connection:?}");
    }
}

fn wait_until(done: impl Fn() -> bool) {
    let end = Instant::now() + DELIVERY;
    while !done() {
        assert!(Instant::now() < end, "it does not come to that");
        std::thread::sleep(Duration::from_millis(20));
    }
}
