//! Rows M1, M2, M5 and M10 of security.md: what an SMTP peer may try, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Read;
use std::net::SocketAddr;

use e2e::cast::{ALICE, CAROL, Cast};
use e2e::client::{Reply, Session, smtplib};
use e2e::client::{Sending, stuffed};
use e2e::gateway::{Gateway, Options, head, program};
use e2e::keys::{KeyKind, shown, words};
use e2e::mime::{entity, find, with_entity};
use e2e::openssl;
use e2e::program::{must_run, present, python};
use e2e::scene::{DELIVERY, Scene, correspondent, rule, send};
use e2e::sink::{Received, Sink};

fn scene(name: &str, more: &str) -> Option<Scene> {
    if program().is_none() || !present(&["openssl"]) {
        return None;
    }
    Scene::new(name, &Options::default(), Cast::with(KeyKind::P256), more)
}

/// A plain mail whose Message-ID begins with `id`, without its last line end.
fn plain(from: &str, to: &str, id: &str) -> Vec<u8> {
    format!("From: {from}\r\nTo: {to}\r\nSubject: x\r\nMessage-ID: <{id}@x.example>\r\n\r\nhello")
        .into_bytes()
}

/// Hands a last mail in, waits until it and all before it went their way, and gives all that arrived but it.
fn all_before(
    sink: &Sink,
    gateway: &Gateway,
    hand_in: impl FnOnce(&[u8]) -> Reply,
) -> Vec<Received> {
    let last = b"From: alice@example.com\r\nSubject: last one\r\nMessage-ID: <last@example.com>\r\n\r\nx\r\n";
    let before = sink.received().len();
    assert_eq!(hand_in(last).code, 250);
    sink.wait_for(before + 1, DELIVERY);
    gateway.drained();
    let (last, others): (Vec<_>, Vec<_>) = sink
        .received()
        .into_iter()
        .partition(|mail| find(&mail.content, b"last one").is_some());
    assert_eq!(last.len(), 1);
    others
}

/// Fakes of the end of data that one server or another takes for one.
const FAKE_ENDS: [&[u8]; 7] = [
    b"\n.\n",
    b"\n.\r",
    b"\r.\n",
    b"\r.\r",
    b"\n.\r\n",
    b"\r.\r\n",
    b"\r\n\0.\r\n",
];
/// What else must not leave: with them, nine outbound sequences.
const MORE_ENDS: [&[u8]; 2] = [b"\r\n.\r\r\n", b"\r\r\n.\r\r\n"];

/// Every reply until the server closes.
fn replies(session: &mut Session) -> Vec<u16> {
    std::iter::from_fn(|| session.reply().ok().map(|reply| reply.code)).collect()
}

/// Sends a mail with a fake end and the commands of a second one behind it; gives whether the mail was taken.
/// All that is sent is one message and QUIT: any other reply belongs to a command that was smuggled.
fn smuggle(server: SocketAddr, (from, to): (&str, &str), id: &str, end: &[u8]) -> bool {
    let mut session = Session::connect(server).unwrap();
    session.command("EHLO client.example").unwrap();
    for line in [format!("MAIL FROM:<{from}>"), format!("RCPT TO:<{to}>")] {
        assert_eq!(session.command(&line).unwrap().code, 250);
    }
    assert_eq!(session.command("DATA").unwrap().code, 354);
    let second = format!(
        "MAIL FROM:<boss@example.com>\r\nRCPT TO:<{to}>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\nQUIT\r\n"
    );
    let octets = [&plain(from, to, id), end, second.as_bytes()].concat();
    session.send(&octets).unwrap();
    let replies = replies(&mut session);
    let taken = replies.first() == Some(&250);
    let refused = replies
        .first()
        .is_some_and(|code| (500..600).contains(code));
    let only_quit = matches!(replies.get(1..), None | Some([] | [221]));
    assert!((taken || refused) && only_quit, "{end:?}: {replies:?}");
    taken
}

#[test]
fn m1_smuggling_in() {
    let Some(scene) = scene("m1", "") else { return };
    let ways = [
        (scene.gateway.inbound, (CAROL, ALICE), &scene.office),
        (scene.gateway.outbound, (ALICE, CAROL), &scene.internet),
    ];
    for (server, addresses, sink) in ways {
        let taken: Vec<bool> = FAKE_ENDS
            .iter()
            .enumerate()
            .map(|(index, end)| smuggle(server, addresses, &format!("m1-{index}"), end))
            .collect();
        let (from, to) = addresses;
        let mails = all_before(sink, &scene.gateway, |last| send(server, from, &[to], last));
        for (index, taken) in taken.iter().enumerate() {
            let id = format!("<m1-{index}@");
            let count = mails
                .iter()
                .filter(|mail| find(&mail.content, id.as_bytes()).is_some())
                .count();
            assert_eq!(count, usize::from(*taken), "fake {index}");
        }
        assert_eq!(mails.len(), taken.iter().filter(|taken| **taken).count());
        assert!(mails.iter().all(|mail| mail.from == from), "{mails:?}");
    }
}

fn has_bare_line_end(octets: &[u8]) -> bool {
    let text = octets
        .windows(2)
        .any(|pair| (pair[0] == b'\r') != (pair[1] == b'\n'));
    text || octets.first() == Some(&b'\n') || octets.last() == Some(&b'\r')
}

/// Nothing of `mails` ends early for any reader, and no command came out of a content.
fn assert_whole(mails: &[Received], sink: &Sink, from: &str) {
    for mail in mails {
        let shown = String::from_utf8_lossy(&mail.wire);
        assert!(!has_bare_line_end(&mail.wire), "{shown:?}");
        assert_eq!(
            stuffed(&mail.content),
            [&mail.wire[..], b".\r\n"].concat(),
            "{shown:?}"
        );
        assert_eq!(mail.from, from);
    }
    let commands = sink.lines();
    assert!(
        !commands.iter().any(|line| line.contains("boss@")),
        "{commands:?}"
    );
}

/// What is handed in with such a sequence is refused, or leaves without it; signed and encrypted too.
#[test]
fn m2_smuggling_out_of_what_is_handed_in() {
    let cast = Cast::with(KeyKind::P256);
    for outbound in ["neither", "sign-only", "enforce"] {
        let more = rule("optional", outbound) + &correspondent(cast, CAROL);
        let Some(scene) = scene("m2-out", &more) else {
            return;
        };
        let mut taken = 0;
        for (index, end) in FAKE_ENDS.iter().chain(&MORE_ENDS).enumerate() {
            let message = [
                &plain(ALICE, CAROL, &format!("m2-{index}")),
                *end,
                b"MAIL FROM:<boss@example.com>\r\nend",
            ]
            .concat();
            let reply = scene.mail_out(&message);
            assert!(
                reply.code == 250 || (500..600).contains(&reply.code),
                "{end:?}: {reply:?}"
            );
            taken += usize::from(reply.code == 250);
        }
        let mails = all_before(&scene.internet, &scene.gateway, |last| scene.mail_out(last));
        assert_eq!(mails.len(), taken, "{outbound}");
        assert_whole(&scene.internet.received(), &scene.internet, ALICE);
    }
}

/// Entities that hold `text`, as an encrypted part may: plain, in a multipart, signed inside.
fn entities(text: &[u8]) -> Vec<Vec<u8>> {
    let cast = Cast::with(KeyKind::P256);
    let head: &[u8] =
        b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
    let plain = [head, text].concat();
    let multipart = [
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
        &plain[..],
        b"\r\n--b--\r\n",
    ]
    .concat();
    let mut arguments = words("cms -sign -binary -nodetach -md sha256 -signer");
    arguments.extend([
        shown(&cast.carol.certificate),
        "-inkey".into(),
        shown(&cast.carol.key),
    ]);
    let signed = openssl::crlf(&must_run("openssl", &arguments, &plain));
    vec![plain, multipart, signed]
}

/// The text of a mail as Python reads it: what no line of SMTP may hold, such as NUL, comes in base64.
const DECODED: &str = r#"
import email, sys
for part in email.message_from_bytes(sys.stdin.buffer.read()).walk():
    sys.stdout.buffer.write(part.get_payload(decode=True) or b'')
"#;

/// 8-bit text with every sequence, also with bare line feeds throughout, out of a decrypted part.
#[test]
fn m2_smuggling_out_of_decrypted_parts() {
    let Some(scene) = scene("m2-in", &rule("optional", "neither")) else {
        return;
    };
    let cast = Cast::with(KeyKind::P256);
    let mut number = 0;
    // The last is the true end of data: doubled dots must keep it inside.
    for end in FAKE_ENDS
        .iter()
        .chain(&MORE_ENDS)
        .chain(&[&b"\r\n.\r\n"[..]])
    {
        let text = [
            b"gr\xfc\xdfe\nfirst",
            *end,
            b"MAIL FROM:<boss@example.com>\nRCPT TO:<alice@example.com>\nDATA\n.\nfinis\n",
        ]
        .concat();
        for entity_inside in entities(&text) {
            number += 1;
            let mut arguments = words("cms -encrypt -binary -aes-256-cbc");
            arguments.push(shown(&cast.alice.certificate));
            let encrypted = openssl::crlf(&must_run("openssl", &arguments, &entity_inside));
            let message = plain(CAROL, ALICE, &format!("m2-{number}"));
            let reply = scene.mail_in(&with_entity(
                &[&message[..], b"\r\n"].concat(),
                &entity(&encrypted),
            ));
            assert_eq!(reply.code, 250, "{end:?}: {reply:?}");
        }
    }
    let mails = all_before(&scene.office, &scene.gateway, |last| scene.mail_in(last));
    assert_eq!(mails.len(), number);
    assert_whole(&mails, &scene.office, CAROL);
    let whole = mails.iter().filter(|mail| {
        let text = must_run(&python(), &["-c", DECODED], &mail.content);
        find(&text, b"gr\xfc\xdfe\r\nfirst").is_some() && find(&text, b"\r\nfinis\r\n").is_some()
    });
    // Two of three are read by anybody; the third is inside of a signature.
    assert!(
        whole.count() >= number / 3 * 2,
        "a text was cut or not decrypted"
    );
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

/// Whether RCPT is answered with `5xx` and nothing can follow it.
fn assert_refused(server: SocketAddr, recipient: &str) {
    // A session each: too many bad commands end one.
    let mut session = Session::connect(server).unwrap();
    session.command("EHLO client.example").unwrap();
    let reply = session
        .command("MAIL FROM:<stranger@elsewhere.example> SMTPUTF8")
        .unwrap();
    assert_eq!(reply.code, 250);
    let reply = session.command(&format!("RCPT TO:{recipient}")).unwrap();
    assert!((500..600).contains(&reply.code), "{recipient}: {reply:?}");
    let reply = session.command("DATA").unwrap();
    assert!((500..600).contains(&reply.code), "{recipient}: {reply:?}");
}

#[test]
fn m5_no_open_relay() {
    let Some(scene) = scene("m5", "") else { return };
    for recipient in FOREIGN_RECIPIENTS {
        assert_refused(scene.gateway.inbound, recipient);
    }
    let mut session = Session::connect(scene.gateway.inbound).unwrap();
    session.command("EHLO client.example").unwrap();
    session
        .command("MAIL FROM:<carol@partner.example>")
        .unwrap();
    let unknown = session.command("RCPT TO:<nobody@example.com>").unwrap();
    assert!(
        unknown.code == 550 && unknown.has_status("5.1.1"),
        "{unknown:?}"
    );
    for good in [
        "<alice@example.com>",
        "<ALICE@Example.Com>",
        "<\"alice\"@example.com>",
        "<postmaster@example.com>",
        "<postmaster>",
    ] {
        assert_eq!(
            session.command(&format!("RCPT TO:{good}")).unwrap().code,
            250,
            "{good}"
        );
    }
    let others = all_before(&scene.office, &scene.gateway, |last| scene.mail_in(last));
    assert!(others.is_empty() && scene.internet.received().is_empty());
}

/// Nobody is a sending client, or only somebody else is.
#[test]
fn m5_no_sending_client_relays_nothing() {
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let (office, internet, cast) = (Sink::start(), Sink::start(), Cast::with(KeyKind::P256));
    let smarthost = format!(
        "[smarthost]\nhost = \"127.0.0.1\"\nport = {}\n",
        internet.address.port()
    );
    let other = "[[clients]]\nname = \"elsewhere\"\nnetworks = [\"192.0.2.0/24\"]\n[[clients]]\nname = \"user\"\nuser = \"user\"\npassword = \"a long password\"\n";
    for clients in ["", other] {
        let text = [&head(office.address), &smarthost, clients].concat();
        let gateway = Gateway::running("m5-none", &Options::default(), cast, &text).unwrap();
        let mut session = Session::connect(gateway.outbound).unwrap();
        session.command("EHLO client.example").unwrap();
        for from in ["alice@example.com", CAROL, "", "postmaster@example.com"] {
            let reply = session.command(&format!("MAIL FROM:<{from}>")).unwrap();
            assert!(
                reply.code == 530 && reply.has_status("5.7.0"),
                "{from}: {reply:?}"
            );
            for next in [
                "RCPT TO:<carol@partner.example>",
                "RCPT TO:<alice@example.com>",
                "DATA",
            ] {
                let reply = session.command(next).unwrap();
                assert!((500..600).contains(&reply.code), "{next}: {reply:?}");
            }
        }
        // TLS alone proves nobody.
        let content = b"Subject: x\r\n\r\nx\r\n";
        let mut encrypted = Sending::new(gateway.outbound, ALICE, &[CAROL], content);
        encrypted.starttls = true;
        let reply = smtplib(&encrypted).reply;
        assert!(reply.code == 530 && reply.has_status("5.7.0"), "{reply:?}");
        gateway.drained();
        assert!(office.received().is_empty() && internet.received().is_empty());
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
    let reply = send(
        scene.gateway.outbound,
        "boss@example.com",
        &[CAROL],
        foreign,
    );
    assert!(reply.code == 553 && reply.has_status("5.7.1"), "{reply:?}");
    let reply = send(scene.gateway.outbound, ALICE, &[CAROL], foreign);
    assert!(reply.code == 553 && reply.has_status("5.7.1"), "{reply:?}");
    assert_eq!(scene.mail_out(&plain(ALICE, CAROL, "own")).code, 250);
}

#[test]
fn m10_a_silent_client_does_not_hold_the_others_up() {
    let Some(scene) = scene("m10", "") else {
        return;
    };
    let silent: Vec<_> = (0..20)
        .map(|_| std::net::TcpStream::connect(scene.gateway.inbound).unwrap())
        .collect();
    assert_eq!(scene.mail_in(&plain(CAROL, ALICE, "m10")).code, 250);
    for mut socket in silent {
        socket.set_read_timeout(Some(DELIVERY)).unwrap();
        let mut greeting = [0; 3];
        socket.read_exact(&mut greeting).unwrap();
        assert_eq!(&greeting, b"220");
    }
}
