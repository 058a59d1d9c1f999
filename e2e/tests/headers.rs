//! Rows M9 and M13 of security.md: nobody writes in our name, and what is not ours passes untouched.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use e2e::cast::{ALICE, CAROL, Cast};
use e2e::client::{Reply, Session, stuffed};
use e2e::gateway::{Options, program};
use e2e::keys::KeyKind;
use e2e::mime::{find, split};
use e2e::openssl::crlf;
use e2e::place::{Directory, skip, workspace};
use e2e::program::{must_run, present, python, run};
use e2e::scene::{DELIVERY, Scene, rule};
use e2e::sink::Sink;

/// Ways to write a field of ours; each carries the word `forged`.
const SPELLINGS: [&str; 20] = [
    "X-Sealgate-Result: forged\r\n",
    "x-sealgate-result: forged\r\n",
    "X-SEALGATE-RESULT: forged\r\n",
    "X-Sealgate-Result : forged\r\n",
    "X-Sealgate-Result\t: forged\r\n",
    "X-Sealgate-Result:forged\r\n",
    "X-Sealgate-Result:\r\n forged\r\n",
    "X-Sealgate-Result: a;\r\n\tforged\r\n",
    "X-Sealgate-Trace: forged\r\n",
    "X-Sealgate-Anything: forged\r\n",
    "X-Sealgate-Result: one\r\nX-Sealgate-Result: forged\r\n",
    "Authentication-Results: gateway.example; smime=pass forged\r\n",
    "AUTHENTICATION-RESULTS: gateway.example; smime=pass forged\r\n",
    "Authentication-Results: GATEWAY.EXAMPLE; smime=pass forged\r\n",
    "Authentication-Results : gateway.example; smime=pass forged\r\n",
    "Authentication-Results:\r\n gateway.example; smime=pass forged\r\n",
    "Authentication-Results: (comment) gateway.example; smime=pass forged\r\n",
    "Authentication-Results: gateway.example 1; smime=pass forged\r\n",
    "Authentication-Results: \"gateway.example\"; smime=pass forged\r\n",
    "Authentication-Results: gateway.example (c) ; smime=pass forged\r\n",
];

fn scene(name: &str) -> Option<Scene> {
    if program().is_none() || !present(&["openssl"]) {
        return None;
    }
    let cast = Cast::with(KeyKind::P256);
    let (office, internet) = (Sink::start(), Sink::start());
    let text = Scene::description(cast, &rule("do-not-decrypt", "neither"), &office, &internet);
    let gateway = e2e::gateway::Gateway::running(
        name,
        &Options::default(),
        cast,
        &format!("{text}mail-server = true\n"),
    );
    Some(Scene {
        gateway: gateway?,
        office,
        internet,
    })
}

#[test]
fn m9_fields_of_ours_from_outside() {
    let Some(scene) = scene("m9") else { return };
    for (index, spelling) in SPELLINGS.iter().enumerate() {
        let message = format!(
            "Subject: kept\r\n{spelling}From: carol@partner.example\r\nMessage-ID: <{index}@x.example>\r\n\r\nhello\r\n"
        );
        let reply = scene.mail_in(message.as_bytes());
        assert_eq!(reply.code, 250, "{spelling}: {reply:?}");
        let arrived = scene.office.wait_for(index + 1, DELIVERY)[index]
            .content
            .clone();
        let shown = String::from_utf8_lossy(&arrived);
        assert!(!shown.contains("forged"), "{spelling}: {shown}");
        assert!(shown.contains("Subject: kept\r\n"), "{spelling}: {shown}");
    }
    let others = "Authentication-Results: mx.other.example; dkim=pass\r\nX-Sealed: yes\r\n";
    let message = format!("{others}From: carol@partner.example\r\n\r\nhello\r\n");
    assert_eq!(scene.mail_in(message.as_bytes()).code, 250);
    let arrived = scene
        .office
        .wait_for(SPELLINGS.len() + 1, DELIVERY)
        .pop()
        .unwrap()
        .content;
    assert!(
        find(&arrived, others.as_bytes()).is_some(),
        "a field of others was removed"
    );
}

/// The messages of the corpus, line ends made CRLF; `None` if it does not lie beside the workspace.
fn corpus() -> Option<Vec<(String, Vec<u8>)>> {
    let root = workspace().join("../shared/corpus");
    let mut files: Vec<PathBuf> = ["cpython-email", "mime4j-testmsgs"]
        .iter()
        .filter_map(|name| std::fs::read_dir(root.join(name)).ok())
        .flat_map(|entries| entries.map(|entry| entry.unwrap().path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|one| one == "msg" || one == "txt")
        })
        .filter(|path| {
            !path.to_string_lossy().contains("LICENSE")
                && !path.to_string_lossy().contains("SOURCE")
        })
        .collect();
    files.sort();
    if files.is_empty() {
        skip("the corpus is not there");
        return None;
    }
    let read = |path: &PathBuf| {
        let octets = std::fs::read(path).unwrap();
        (
            path.file_name().unwrap().to_string_lossy().into_owned(),
            normalised(&octets),
        )
    };
    Some(files.iter().map(read).collect())
}

/// Every line ends with CRLF, the last one too; single CRs become line ends.
fn normalised(octets: &[u8]) -> Vec<u8> {
    let mut text = crlf(octets);
    let mut at = 0;
    while let Some(next) = text
        .get(at..)
        .and_then(|rest| rest.iter().position(|&octet| octet == b'\r'))
    {
        at += next + 1;
        if text.get(at) != Some(&b'\n') {
            text.insert(at, b'\n');
        }
    }
    if !text.ends_with(b"\r\n") {
        text.extend_from_slice(b"\r\n");
    }
    text
}

/// What SMTP without extensions for it may refuse: overlong lines and NUL.
fn may_be_refused(message: &[u8]) -> bool {
    message.contains(&0)
        || message
            .split(|&octet| octet == b'\n')
            .any(|line| line.len() > 999)
}

fn send_eight_bit(server: std::net::SocketAddr, from: &str, to: &str, message: &[u8]) -> Reply {
    let mut session = Session::connect(server).unwrap();
    session.command("EHLO client.example").unwrap();
    for line in [
        format!("MAIL FROM:<{from}> BODY=8BITMIME"),
        format!("RCPT TO:<{to}>"),
        "DATA".to_owned(),
    ] {
        let reply = session.command(&line).unwrap();
        if reply.code >= 400 {
            return reply;
        }
    }
    session.send(&stuffed(message)).unwrap();
    session.reply().unwrap()
}

#[test]
fn m13_transparency() {
    let (Some(corpus), Some(scene)) = (corpus(), scene("m13")) else {
        return;
    };
    let ways = [
        (scene.gateway.inbound, CAROL, ALICE, &scene.office),
        (scene.gateway.outbound, ALICE, CAROL, &scene.internet),
    ];
    let mut passed = 0;
    for (server, from, to, sink) in ways {
        for (name, message) in &corpus {
            let before = sink.received().len();
            let reply = send_eight_bit(server, from, to, message);
            if reply.code >= 500 && may_be_refused(message) {
                continue;
            }
            assert_eq!(reply.code, 250, "{name} to {to}: {reply:?}");
            let arrived = sink.wait_for(before + 1, DELIVERY);
            assert_eq!(arrived.len(), before + 1, "{name} to {to}: did not arrive");
            let came_out = &arrived[before].content;
            // Fields may be added above; from the first field on everything is as it was. A message that ends in
            // its header may get the blank line it lacks.
            let ends_in_header = find(message, b"\r\n\r\n").is_none();
            let without = came_out.strip_suffix(b"\r\n").filter(|_| ends_in_header);
            let kept =
                came_out.ends_with(message) || without.is_some_and(|one| one.ends_with(message));
            assert!(
                kept,
                "{name} to {to}:\n{}",
                String::from_utf8_lossy(split(came_out).0)
            );
            passed += 1;
        }
    }
    assert!(passed > corpus.len(), "only {passed} messages passed");
}

/// Signs the message on standard input with dkimpy; arguments: key file.
const DKIM_SIGN: &str = "
import dkim, sys
message = sys.stdin.buffer.read()
key = open(sys.argv[1], 'rb').read()
fields = [b'from', b'to', b'subject', b'message-id']
sys.stdout.buffer.write(dkim.sign(message, b's', b'partner.example', key, include_headers=fields) + message)
";
/// Verifies it; arguments: the public key in base64.
const DKIM_VERIFY: &str = "
import dkim, sys
record = b'v=DKIM1; k=rsa; p=' + sys.argv[1].encode()
good = dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda name, timeout=5: record)
sys.exit(0 if good else 1)
";

#[test]
fn m13_foreign_dkim_signatures_survive() {
    if !present(&["python3", "openssl"]) || !run(&python(), &["-c", "import dkim"], b"").good {
        return;
    }
    let (Some(corpus), Some(scene)) = (corpus(), scene("m13-dkim")) else {
        return;
    };
    let directory = Directory::new("dkim");
    let key = directory.path().join("dkim.key");
    let key = key.to_str().unwrap();
    must_run(
        "openssl",
        &["genrsa", "-traditional", "-out", key, "2048"],
        b"",
    );
    let public = must_run(
        "openssl",
        &["rsa", "-in", key, "-pubout", "-outform", "DER"],
        b"",
    );
    let public = must_run("openssl", &["base64", "-e", "-A"], &public);
    let public = String::from_utf8(public).unwrap();
    let verifies = |message: &[u8]| run(&python(), &["-c", DKIM_VERIFY, &public], message).good;
    let mut survived = 0;
    for (name, message) in corpus.iter().step_by(2) {
        let signed = run(&python(), &["-c", DKIM_SIGN, key], message);
        if !signed.good || !verifies(&signed.out) {
            // The signer itself cannot cope with this message.
            continue;
        }
        let before = scene.office.received().len();
        if send_eight_bit(scene.gateway.inbound, CAROL, ALICE, &signed.out).code != 250 {
            assert!(may_be_refused(message), "{name}");
            continue;
        }
        let arrived = scene.office.wait_for(before + 1, DELIVERY);
        assert!(verifies(&arrived[before].content), "{name}");
        survived += 1;
    }
    assert!(survived >= 10, "only {survived} messages were signed");
}
