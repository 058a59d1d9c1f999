//! Rows M7 and M8 of security.md: who gets a report, and what stands in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use e2e::cast::{ALICE, CAROL, Cast};
use e2e::client::{Reply, Session};
use e2e::dns::{Dns, Record};
use e2e::gateway::{Options, program};
use e2e::keys::KeyKind;
use e2e::mime::{entity, field, find, split, with_entity};
use e2e::nss::pkcs7_mime;
use e2e::openssl::{self, Writing};
use e2e::program::{must_run, present, python};
use e2e::scene::{DELIVERY, Scene, correspondent, rule, send};
use e2e::sink::{Behaviour, Received};

const SECRET: &str = "seventeen vermilion harpsichords";
/// How long nothing must come where nothing is expected.
const SILENCE: Duration = Duration::from_secs(2);

fn ready(programs: &[&str]) -> bool {
    program().is_some() && present(programs)
}

fn mail(from: &str, to: &str) -> Vec<u8> {
    format!("From: {from}\r\nTo: {to}\r\nSubject: offer\r\nMessage-ID: <{from}>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n{SECRET}\r\n").into_bytes()
}

/// Encrypted to alice, with a key of its own, and damaged so that the padding is wrong for certain.
fn broken(from: &str, cast: &Cast) -> Vec<u8> {
    let to = [cast.alice.certificate.as_path()];
    let whole = mail(from, ALICE);
    let encrypted = openssl::encrypt(&entity(&whole), &to, "aes-256-cbc", Writing::Der);
    let mut cms = must_run("openssl", &["base64", "-d"], split(&encrypted).1);
    // The last octet before the last block: its top bit becomes the top bit of the padding's last octet.
    let at = cms.len() - 17;
    cms[at] ^= 0x80;
    with_entity(&whole, &pkcs7_mime(&cms, "enveloped-data"))
}

fn held(scene: &Scene) -> usize {
    let rows = scene
        .gateway
        .json(&["queue", "list", "--held", "--limit", "1000"]);
    rows.as_array().map_or(0, Vec::len)
}

#[test]
fn m7_backscatter() {
    if !ready(&["openssl"]) {
        return;
    }
    const FORGED: usize = 100;
    const PROVEN: usize = 10;
    let cast = Cast::with(KeyKind::Rsa(2048));
    let dns = Dns::start();
    dns.add(
        "proven.example",
        Record::Text("v=spf1 ip4:127.0.0.1 -all".into()),
    );
    dns.add(
        "forged.example",
        Record::Text("v=spf1 ip4:192.0.2.1 -all".into()),
    );
    let options = Options {
        dns: dns.address.to_string(),
        ..Options::default()
    };
    let scene = Scene::new("m7", &options, cast, &rule("always", "neither")).unwrap();
    let send_broken = |from: &str| {
        let reply = send(scene.gateway.inbound, from, &[ALICE], &broken(from, cast));
        assert_eq!(reply.code, 250, "{from}: {reply:?}");
    };
    for number in 0..FORGED {
        send_broken(&format!("victim{number}@forged.example"));
    }
    for number in 0..PROVEN {
        send_broken(&format!("sender{number}@proven.example"));
    }
    let reports = scene.internet.wait_for(PROVEN, DELIVERY);
    std::thread::sleep(SILENCE);
    assert_eq!(scene.internet.received().len(), PROVEN);
    for report in &reports {
        assert_eq!(report.from, "");
        assert!(
            report.addresses()[0].ends_with("@proven.example"),
            "{:?}",
            report.addresses()
        );
    }
    assert_eq!(held(&scene), FORGED);
    assert!(scene.office.received().is_empty());
}

/// Prints the fields of a report as a mail program finds them, a line each.
const READ_REPORT: &str = "
import email, email.policy, sys
report = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.SMTP)
print(report.get_content_type(), report['content-type'].params.get('report-type'), report['auto-submitted'])
print([part.get_content_type() for part in report.iter_parts()])
for block in list(report.iter_parts())[1].get_payload():
    for name, value in block.items():
        print(name.lower() + ': ' + value)
";

fn read(report: &Received) -> String {
    String::from_utf8(must_run(&python(), &["-c", READ_REPORT], &report.content)).unwrap()
}

#[test]
fn m8_report_of_a_failed_delivery() {
    if !ready(&["openssl", "python3"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let more = rule("optional", "enforce") + &correspondent(cast, CAROL);
    let scene = Scene::new("m8", &Options::default(), cast, &more).unwrap();
    let unknown = Behaviour {
        recipient: Some("550 5.1.1 no such mailbox".into()),
        ..Behaviour::default()
    };
    scene.internet.behave(unknown);
    assert_eq!(scene.mail_out(&mail(ALICE, CAROL)).code, 250);
    let report = scene.at_office();
    assert_eq!(
        (report.from.as_str(), report.addresses()),
        ("", vec![ALICE])
    );
    let text = read(&report);
    assert!(
        text.starts_with("multipart/report delivery-status auto-"),
        "{text}"
    );
    assert!(
        text.contains("'message/delivery-status', 'text/rfc822-headers'"),
        "{text}"
    );
    for line in [
        "action: failed",
        "status: 5.1.1",
        "reporting-mta: dns; gateway.example",
    ] {
        assert!(text.to_lowercase().contains(line), "{line}: {text}");
    }
    assert!(
        text.contains("final-recipient: rfc822;") && text.contains(CAROL),
        "{text}"
    );
    // Never plaintext of mail that policy wanted encrypted: headers only.
    assert!(find(&report.content, SECRET.as_bytes()).is_none());
    assert!(find(&report.content, b"Subject: offer").is_some());
    assert!(field(&report.content, "Auto-Submitted").is_some());
}

/// A mail with parameters; gives the reply at the end of data.
fn send_with(scene: &Scene, from: &str, notify: &str) -> Reply {
    let mut session = Session::connect(scene.gateway.outbound).unwrap();
    session.command("EHLO client.example").unwrap();
    for line in [
        format!("MAIL FROM:<{from}>"),
        format!("RCPT TO:<{CAROL}> {notify}"),
        "DATA".to_owned(),
    ] {
        let reply = session.command(&line).unwrap();
        assert!(reply.code < 400, "{line}: {reply:?}");
    }
    session
        .send(&e2e::client::stuffed(&mail(ALICE, CAROL)))
        .unwrap();
    session.reply().unwrap()
}

#[test]
fn m8_notify_is_honoured_and_the_null_sender_never_answered() {
    if !ready(&["openssl", "python3"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let scene = Scene::new(
        "m8-notify",
        &Options::default(),
        cast,
        &rule("optional", "neither"),
    )
    .unwrap();
    let refuse = || Behaviour {
        recipient: Some("550 5.1.1 no such mailbox".into()),
        old: true,
        ..Behaviour::default()
    };
    scene.internet.behave(refuse());
    assert_eq!(send_with(&scene, ALICE, "NOTIFY=NEVER").code, 250);
    assert_eq!(send_with(&scene, ALICE, "NOTIFY=SUCCESS").code, 250);
    std::thread::sleep(SILENCE);
    assert!(
        scene.office.received().is_empty(),
        "a report nobody asked for"
    );
    assert_eq!(
        send_with(
            &scene,
            ALICE,
            "NOTIFY=FAILURE ORCPT=rfc822;carol@partner.example"
        )
        .code,
        250
    );
    let report = scene.at_office();
    assert!(
        read(&report)
            .to_lowercase()
            .contains("original-recipient: rfc822;")
    );
    // A server that knows no DSN took it: "relayed" is said to who asked for success.
    scene.internet.behave(Behaviour {
        old: true,
        ..Behaviour::default()
    });
    assert_eq!(send_with(&scene, ALICE, "NOTIFY=SUCCESS").code, 250);
    let reports = scene.office.wait_for(2, DELIVERY);
    assert!(
        read(&reports[1]).to_lowercase().contains("action: relayed"),
        "{}",
        read(&reports[1])
    );
}

#[test]
fn m8_a_failed_mail_with_null_sender_is_not_answered() {
    if !ready(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let scene = Scene::new(
        "m8-null",
        &Options::default(),
        cast,
        &rule("always", "neither"),
    )
    .unwrap();
    scene.office.behave(Behaviour {
        recipient: Some("550 5.1.1 gone".into()),
        ..Behaviour::default()
    });
    let reply = send(scene.gateway.inbound, "", &[ALICE], &mail(CAROL, ALICE));
    assert!(reply.code == 250 || reply.code >= 500, "{reply:?}");
    std::thread::sleep(SILENCE);
    assert!(scene.internet.received().is_empty());
    assert!(scene.office.received().is_empty());
}
