//! Rows M1, M2, M4, M5 and M6 of security.md: what an SMTP peer may try, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Read;
use std::time::Duration;

use e2e::cast::{ALICE, CAROL, Cast};
use e2e::client::{Reply, Session};
use e2e::gateway::{Gateway, Options, head, program};
use e2e::keys::{KeyKind, shown};
use e2e::mime::{entity, with_entity};
use e2e::openssl;
use e2e::program::{must_run, present, python};
use e2e::scene::{DELIVERY, Scene, rule, send};
use e2e::sink::{Behaviour, Sink};

const MESSAGE: &[u8] = b"From: carol@partner.example\r\nTo: alice@example.com\r\nSubject: x\r\nMessage-ID: <m@partner.example>\r\n\r\nhello\r\n";
/// How long nothing must come where nothing is expected.
const SILENCE: Duration = Duration::from_millis(500);

fn scene(name: &str, more: &str) -> Option<Scene> {
    if program().is_none() || !present(&["openssl"]) {
        return None;
    }
    Scene::new(name, &Options::default(), Cast::with(KeyKind::P256), more)
}

/// Fakes of the end of data that one server or another takes for one.
const SMUGGLED_ENDS: [&[u8]; 7] = [
    b"\n.\n",
    b"\n.\r",
    b"\r.\n",
    b"\r.\r",
    b"\n.\r\n",
    b"\r.\r\n",
    b"\r\n\0.\r\n",
];

#[test]
fn m1_smuggling_in() {
    let Some(scene) = scene("m1", "") else { return };
    for (index, end) in SMUGGLED_ENDS.iter().enumerate() {
        let mut session = Session::connect(scene.gateway.inbound).unwrap();
        session.command("EHLO client.example").unwrap();
        for line in [
            "MAIL FROM:<carol@partner.example>",
            "RCPT TO:<alice@example.com>",
        ] {
            assert_eq!(session.command(line).unwrap().code, 250);
        }
        assert_eq!(session.command("DATA").unwrap().code, 354);
        let inner = b"MAIL FROM:<boss@example.com>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n";
        let octets = [MESSAGE, *end, inner].concat();
        session.send(&octets).unwrap();
        let before = scene.office.received().len();
        // The whole is one message, refused or taken; or the connection is closed. Nothing of it is a command.
        let good = session
            .reply()
            .map(|reply| reply.code < 400)
            .unwrap_or(false);
        std::thread::sleep(SILENCE);
        let mails = scene.office.received();
        assert_eq!(mails.len() - before, usize::from(good), "fake {index}");
        assert!(mails.iter().all(|mail| mail.from == CAROL), "fake {index}");
    }
}

fn has_bare_line_end(octets: &[u8]) -> bool {
    let text = octets
        .windows(2)
        .any(|pair| (pair[0] == b'\r') != (pair[1] == b'\n'));
    text || octets.first() == Some(&b'\n') || octets.last() == Some(&b'\r')
}

#[test]
fn m2_smuggling_out() {
    let Some(scene) = scene("m2", &rule("optional", "neither")) else {
        return;
    };
    let cast = Cast::with(KeyKind::P256);
    let more: [&[u8]; 2] = [b"\r\n.\r\r\n", b"\r\r\n.\r\r\n"];
    for (index, end) in SMUGGLED_ENDS.iter().chain(&more).enumerate() {
        let head: &[u8] =
            b"Content-Type: text/plain\r\nContent-Transfer-Encoding: 8bit\r\n\r\nfirst";
        let plain = [head, *end, b"MAIL FROM:<boss@example.com>\r\nend\n"].concat();
        let mut arguments = e2e::keys::words("cms -encrypt -binary -aes-256-cbc");
        arguments.push(shown(&cast.alice.certificate));
        let encrypted = openssl::crlf(&must_run("openssl", &arguments, &plain));
        let before = scene.office.received().len();
        let reply = scene.mail_in(&with_entity(MESSAGE, &entity(&encrypted)));
        assert_eq!(reply.code, 250, "sequence {index}: {}", reply.text);
        let mails = scene.office.wait_for(before + 1, DELIVERY);
        assert_eq!(mails.len(), before + 1, "sequence {index}");
        let wire = &mails[before].wire;
        assert!(
            !has_bare_line_end(wire),
            "sequence {index}: {:?}",
            String::from_utf8_lossy(wire)
        );
    }
}

/// What a client does that puts commands into the packet of STARTTLS; prints the replies it gets.
const INJECTION: &str = r#"
import socket, ssl, sys
raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10)
def reply(s):
    data = b""
    while not data.endswith(b"\n") or data.split(b"\n")[-2][3:4] == b"-":
        got = s.recv(1)
        if not got:
            return "closed"
        data += got
    return data.decode().split("\n")[-2][:3]
print(reply(raw))
raw.sendall(b"EHLO client.example\r\n")
print(reply(raw))
raw.sendall(b"STARTTLS\r\nMAIL FROM:<carol@partner.example>\r\nRCPT TO:<alice@example.com>\r\n")
print(reply(raw))
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
try:
    tls = context.wrap_socket(raw)
    tls.settimeout(1)
    try:
        print("after", reply(tls))
    except TimeoutError:
        print("silent")
    tls.settimeout(10)
    tls.sendall(b"MAIL FROM:<carol@partner.example>\r\n")
    print(reply(tls))
except (ssl.SSLError, ConnectionError, OSError):
    print("refused")
"#;

#[test]
fn m4_starttls_injection_by_a_client() {
    let Some(scene) = scene("m4-client", "") else {
        return;
    };
    if !present(&["python3"]) {
        return;
    }
    for listener in [scene.gateway.inbound, scene.gateway.outbound] {
        let port = listener.port().to_string();
        let out = must_run(&python(), &["-c", INJECTION, &port], b"");
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(&lines[..2], ["220", "250"]);
        // Either the session ends at the injection, or the injected commands are gone and EHLO is needed again.
        let ended = lines[2] != "220" || lines[3..] == ["refused"] || lines[3] == "after closed";
        assert!(ended || lines[3..] == ["silent", "503"], "{text}");
    }
}

#[test]
fn m4_no_auth_without_tls() {
    let Some(scene) = scene("m4-auth", "") else {
        return;
    };
    let mut session = Session::connect(scene.gateway.outbound).unwrap();
    let offered = session.command("EHLO client.example").unwrap().text;
    assert!(
        !offered.contains("AUTH") && offered.contains("STARTTLS"),
        "{offered}"
    );
    let reply = session.command("AUTH PLAIN AGEAYg==").unwrap();
    assert!((500..600).contains(&reply.code), "{reply:?}");
}

#[test]
fn m4_required_tls_never_falls_back() {
    let destination = "[[destinations]]\ndomain = \"partner.example\"\ntls = \"required\"\n";
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let options = Options {
        queue_lifetime: 4,
        ..Options::default()
    };
    let (office, internet) = (Sink::start(), Sink::start());
    let text = Scene::description(cast, destination, &office, &internet);
    let gateway = Gateway::running("m4-required", &options, cast, &text).unwrap();
    let reply = send(gateway.outbound, ALICE, &[CAROL], MESSAGE_OUT);
    assert_eq!(reply.code, 250, "{reply:?}");
    let report = office.wait_for(1, DELIVERY);
    assert!(internet.received().is_empty(), "it went out without TLS");
    assert_eq!(report.len(), 1, "no report after the lifetime");
    assert_eq!(
        (report[0].from.as_str(), report[0].addresses()),
        ("", vec![ALICE])
    );
}

const MESSAGE_OUT: &[u8] = b"From: alice@example.com\r\nTo: carol@partner.example\r\nSubject: x\r\nMessage-ID: <o@example.com>\r\n\r\nhello\r\n";

#[test]
fn m4_response_injection_by_a_relay() {
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let options = Options {
        queue_lifetime: 4,
        ..Options::default()
    };
    let (office, internet) = (Sink::start(), Sink::start_tls(&cast.server));
    internet.behave(Behaviour {
        injected: Some("250 2.0.0 injected".to_owned()),
        ..Behaviour::default()
    });
    let destination = "[[destinations]]\ndomain = \"partner.example\"\ntls = \"required\"\n";
    let text = Scene::description(cast, destination, &office, &internet);
    let gateway = Gateway::running("m4-relay", &options, cast, &text).unwrap();
    assert_eq!(
        send(gateway.outbound, ALICE, &[CAROL], MESSAGE_OUT).code,
        250
    );
    std::thread::sleep(Duration::from_secs(2));
    let said = internet.lines();
    let behind = said.iter().skip_while(|line| *line != "STARTTLS").skip(1);
    let acted_on: Vec<_> = behind.filter(|line| line.starts_with("MAIL")).collect();
    assert!(acted_on.is_empty(), "{said:?}");
    assert!(internet.received().is_empty());
}

/// Recipients a stranger may try; none is in a domain of an inbound route and known there.
const FOREIGN_RECIPIENTS: [&str; 30] = [
    "<carol@partner.example>",
    "<alice%partner.example@example.com>",
    "<partner.example!carol@example.com>",
    "<@example.com:carol@partner.example>",
    "<@example.com,@x.example:carol@partner.example>",
    "<\"carol@partner.example\"@example.com>",
    "<\"carol@partner.example\">",
    "<carol>",
    "<carol@>",
    "<@partner.example>",
    "<>",
    "<carol@[127.0.0.1]>",
    "<carol@[IPv6:::1]>",
    "<carol@127.0.0.1>",
    "<carol@localhost>",
    "<carol@sub.example.com>",
    "<carol@example.com.partner.example>",
    "<carol@xexample.com>",
    "<alice@example.com@partner.example>",
    "<carol@partner.example@example.com>",
    "<alice@example.com>@partner.example",
    "<alice@example.com,carol@partner.example>",
    "<alice@example.com> <carol@partner.example>",
    "carol@partner.example",
    "<alice@example.com.>",
    "< carol@partner.example>",
    "<carol@partner.example >",
    "<nobody@example.com>",
    "<alice@examp\u{142}e.com>",
    "<\u{430}lice@example.com>",
];

fn rcpt(session: &mut Session, recipient: &str) -> Reply {
    session.command(&format!("RCPT TO:{recipient}")).unwrap()
}

#[test]
fn m5_no_open_relay() {
    let Some(scene) = scene("m5", "") else { return };
    for recipient in FOREIGN_RECIPIENTS {
        // A session each: too many bad commands end one.
        let mut session = Session::connect(scene.gateway.inbound).unwrap();
        session.command("EHLO client.example").unwrap();
        assert_eq!(
            session
                .command("MAIL FROM:<carol@partner.example>")
                .unwrap()
                .code,
            250
        );
        let reply = rcpt(&mut session, recipient);
        assert!((500..600).contains(&reply.code), "{recipient}: {reply:?}");
    }
    let mut session = Session::connect(scene.gateway.inbound).unwrap();
    session.command("EHLO client.example").unwrap();
    session
        .command("MAIL FROM:<carol@partner.example>")
        .unwrap();
    let unknown = rcpt(&mut session, "<nobody@example.com>");
    assert!(
        unknown.code == 550 && unknown.has_status("5.1.1"),
        "{unknown:?}"
    );
    for good in [
        "<alice@example.com>",
        "<ALICE@Example.Com>",
        "<postmaster@example.com>",
        "<postmaster>",
    ] {
        assert_eq!(rcpt(&mut session, good).code, 250, "{good}");
    }
}

#[test]
fn m5_no_sending_client_relays_nothing() {
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let (office, cast) = (Sink::start(), Cast::with(KeyKind::P256));
    let gateway =
        Gateway::running("m5-none", &Options::default(), cast, &head(office.address)).unwrap();
    let mut session = Session::connect(gateway.outbound).unwrap();
    session.command("EHLO client.example").unwrap();
    for from in ["<alice@example.com>", "<carol@partner.example>", "<>"] {
        let reply = session.command(&format!("MAIL FROM:{from}")).unwrap();
        assert!(
            reply.code == 530 && reply.has_status("5.7.0"),
            "{from}: {reply:?}"
        );
    }
}

#[test]
fn a_client_sends_only_as_its_own() {
    let Some(scene) = scene("send-as", "") else {
        return;
    };
    let foreign: &[u8] =
        b"From: boss@example.com\r\nTo: carol@partner.example\r\nSubject: x\r\n\r\nhello\r\n";
    let client = "[[clients]]\nname = \"news\"\nnetworks = [\"127.0.0.0/8\"]\nmay-send-as = [\"alice@example.com\"]\n";
    let text = Scene::description(
        Cast::with(KeyKind::P256),
        "",
        &scene.office,
        &scene.internet,
    );
    let (text, _) = text.split_once("[[clients]]").unwrap();
    scene.gateway.apply(&format!("{text}{client}"));
    std::thread::sleep(Duration::from_secs(3));
    let reply = send(
        scene.gateway.outbound,
        "boss@example.com",
        &[CAROL],
        foreign,
    );
    assert!(reply.code == 553 && reply.has_status("5.7.1"), "{reply:?}");
    let reply = send(scene.gateway.outbound, ALICE, &[CAROL], foreign);
    assert!(reply.code == 553 && reply.has_status("5.7.1"), "{reply:?}");
    assert_eq!(scene.mail_out(MESSAGE_OUT).code, 250);
}

#[test]
fn m6_mail_loops() {
    let Some(scene) = scene("m6", "") else { return };
    let hops = |count: usize| {
        let line = "Received: from a.example by b.example; Mon, 02 Mar 2026 10:00:00 +0000\r\n";
        [line.repeat(count).as_bytes(), MESSAGE].concat()
    };
    let reply = scene.mail_in(&hops(101));
    assert!(
        (500..600).contains(&reply.code) && reply.has_status("5.4.6"),
        "{reply:?}"
    );
    assert_eq!(scene.mail_in(&hops(20)).code, 250);
    // What has left the gateway in one direction may not come round in the same direction again.
    let arrived = scene.office.wait_for(1, DELIVERY).remove(0).content;
    let reply = scene.mail_in(&arrived);
    assert!(
        (500..600).contains(&reply.code) && reply.has_status("5.4.6"),
        "{reply:?}"
    );
}

#[test]
fn m10_a_silent_client_does_not_hold_the_others_up() {
    let Some(scene) = scene("m10", "") else {
        return;
    };
    let silent: Vec<_> = (0..20)
        .map(|_| std::net::TcpStream::connect(scene.gateway.inbound).unwrap())
        .collect();
    assert_eq!(scene.mail_in(MESSAGE).code, 250);
    for mut socket in silent {
        socket.set_read_timeout(Some(DELIVERY)).unwrap();
        let mut greeting = [0; 3];
        socket.read_exact(&mut greeting).unwrap();
        assert_eq!(&greeting, b"220");
    }
}
