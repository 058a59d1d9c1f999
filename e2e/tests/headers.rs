//! Rows M9 and M13 of security.md: nobody writes in our name, and what is not ours passes untouched.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use e2e::case::Mailbox;
use e2e::cast::{ALICE, CAROL, Cast};
use e2e::client::{Reply, Session, stuffed};
use e2e::gateway::{Gateway, Options, mailbox, program};
use e2e::keys::KeyKind;
use e2e::mime::{entity, fields, find, split, with_entity};
use e2e::nss::pkcs7_mime;
use e2e::openssl::{self, Writing, crlf};
use e2e::place::{Directory, skip, workspace};
use e2e::program::{must_run, present, python, run};
use e2e::scene::{DELIVERY, Scene, rule, send};
use e2e::sink::{Received, Sink};

/// Ways to write a field of ours; each carries the word `forged`.
const SPELLINGS: [&str; 31] = [
    "X-Sealgate-Result: forged\r\n",
    "x-sealgate-result: forged\r\n",
    "X-SEALGATE-RESULT: forged\r\n",
    "X-Sealgate-Result : forged\r\n",
    "X-Sealgate-Result\t: forged\r\n",
    "X-Sealgate-Result:forged\r\n",
    "X-Sealgate-Result:\r\n forged\r\n",
    "X-Sealgate-Result: a;\r\n\tforged\r\n",
    "X-Sealgate-\r\n Result: forged\r\n",
    "X-Sealgate-Result\r\n : forged\r\n",
    "X-Seal\r\n\tgate-Result: forged\r\n",
    "X-Sealgate-Trace: forged\r\n",
    "X-Sealgate-Anything: forged\r\n",
    "X-Sealgate-Result: one\r\nX-Sealgate-Result: forged\r\n",
    "X-Sealgate-Result: forged\r\nSubject: between\r\nX-Sealgate-Result: forged\r\n",
    "no field at all\r\nX-Sealgate-Result: forged\r\n",
    "\u{feff}X-Sealgate-Result: forged\r\n",
    "X-Sealgate-Result\u{a0}: forged\r\n",
    "Authentication-Results: gateway.example; smime=pass forged\r\n",
    "AUTHENTICATION-RESULTS: gateway.example; smime=pass forged\r\n",
    "Authentication-Results: GATEWAY.EXAMPLE; smime=pass forged\r\n",
    "Authentication-Results : gateway.example; smime=pass forged\r\n",
    "Authentication-\r\n Results: gateway.example; smime=pass forged\r\n",
    "Authentication-Results:\r\n gateway.example; smime=pass forged\r\n",
    "Authentication-Results: (comment) gateway.example; smime=pass forged\r\n",
    "Authentication-Results: gateway.example 1; smime=pass forged\r\n",
    "Authentication-Results: \"gateway.example\"; smime=pass forged\r\n",
    "Authentication-Results: gateway.example (c) ; smime=pass forged\r\n",
    "Authentication-Results: gateway.example.; smime=pass forged\r\n",
    "Authentication-Results: =?us-ascii?q?gateway.example?=; smime=pass forged\r\n",
    "Authentication-Results: mx.other.example; spf=pass\r\nAuthentication-Results: gateway.example; smime=pass forged\r\n",
];

/// With one rule for everything, and a sending client that is a mail server; `None` if something is missing.
fn scene(name: &str, inbound: &str) -> Option<Scene> {
    if program().is_none() || !present(&["openssl"]) {
        return None;
    }
    let cast = Cast::with(KeyKind::P256);
    let (office, internet) = (Sink::start(), Sink::start());
    let text = Scene::description(cast, &rule(inbound, "neither"), &office, &internet);
    let text = format!("{text}mail-server = true\n");
    let gateway = Gateway::running(name, &Options::default(), cast, &text)?;
    Some(Scene {
        gateway,
        office,
        internet,
    })
}

/// Where the field is put.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// In the header of a plain mail: on top, below other fields, and last.
    Header,
    /// In the headers of parts, the second of them deeper.
    Parts,
    /// In the header of a clear-signed mail.
    Signed,
    /// In the header of a mail encrypted to the recipient.
    Encrypted,
    /// In the header and the part headers of what is encrypted.
    Inside,
    /// In the header of a mail encrypted to somebody else.
    Unreadable,
}

const PLACES: [Place; 6] = [
    Place::Header,
    Place::Parts,
    Place::Signed,
    Place::Encrypted,
    Place::Inside,
    Place::Unreadable,
];

const TEXT: &[u8] = b"Content-Type: text/plain\r\n\r\nhello\r\n";

/// A multipart in a multipart, with the field in the headers of parts.
fn parts(spelling: &str) -> Vec<u8> {
    format!(
        "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n{spelling}Content-Type: text/plain\r\n\r\nhello\r\n--a\r\nContent-Type: multipart/alternative; boundary=b\r\n{spelling}\r\n--b\r\nContent-Type: text/plain\r\n{spelling}Content-Description: kept\r\n\r\nhello\r\n--b--\r\n--a--\r\n"
    )
    .into_bytes()
}

fn message(id: usize, spelling: &str, place: Place) -> Vec<u8> {
    let cast = Cast::with(KeyKind::P256);
    let above = |spelling: &str| {
        format!(
            "Subject: kept\r\n{spelling}From: carol@partner.example\r\nMessage-ID: <{id}@x.example>\r\n"
        )
    };
    let encrypted =
        |inside: &[u8], to: &Path| openssl::encrypt(inside, &[to], "aes-256-cbc", Writing::Der);
    let (header, entity) = match place {
        Place::Header if id.is_multiple_of(3) => (spelling.to_owned() + &above(""), TEXT.to_vec()),
        Place::Header if id % 3 == 1 => (above("") + spelling, b"\r\nhello\r\n".to_vec()),
        Place::Header => (above(spelling), TEXT.to_vec()),
        Place::Parts => (above(""), parts(spelling)),
        Place::Signed => {
            let signed = openssl::sign(
                TEXT,
                &cast.carol,
                Some(&cast.partner_authority),
                false,
                Writing::Der,
            );
            (above(spelling), e2e::mime::entity(&signed))
        }
        Place::Encrypted => (
            above(spelling),
            entity(&encrypted(TEXT, &cast.alice.certificate)),
        ),
        Place::Inside => {
            let inside = [spelling.as_bytes(), &parts(spelling)].concat();
            (
                above(""),
                entity(&encrypted(&inside, &cast.alice.certificate)),
            )
        }
        Place::Unreadable => (
            above(spelling),
            entity(&encrypted(TEXT, &cast.stranger.certificate)),
        ),
    };
    [header.as_bytes(), b"MIME-Version: 1.0\r\n", &entity].concat()
}

fn assert_clean(mail: &Received, what: &str) {
    let shown = String::from_utf8_lossy(&mail.content);
    assert!(!shown.contains("forged"), "{what}:\n{shown}");
    assert!(shown.contains("Subject: kept\r\n"), "{what}:\n{shown}");
}

#[test]
fn m9_fields_of_ours_from_outside() {
    for inbound in ["do-not-decrypt", "optional"] {
        let Some(scene) = scene("m9", inbound) else {
            return;
        };
        let mut sent = Vec::new();
        for place in PLACES {
            if inbound == "do-not-decrypt" && matches!(place, Place::Inside) {
                // It stays closed.
                continue;
            }
            for spelling in SPELLINGS {
                let what = format!("{inbound}, {place:?}, {spelling:?}");
                let reply = send_eight_bit(
                    scene.gateway.inbound,
                    CAROL,
                    ALICE,
                    &message(sent.len(), spelling, place),
                );
                assert_eq!(reply.code, 250, "{what}: {reply:?}");
                sent.push(what);
            }
        }
        scene.office.wait_for(sent.len(), DELIVERY);
        scene.gateway.drained();
        let arrived = scene.office.received();
        assert_eq!(arrived.len(), sent.len());
        for (id, what) in sent.iter().enumerate() {
            let own = format!("<{id}@x.example>");
            let mail = arrived
                .iter()
                .find(|mail| find(&mail.content, own.as_bytes()).is_some());
            assert_clean(mail.unwrap(), what);
        }
    }
}

/// The first line of a mail begins with a blank: below a field of ours it must not become part of it.
#[test]
fn m9_nothing_continues_a_field_of_ours() {
    let Some(scene) = scene("m9-top", "optional") else {
        return;
    };
    let mut count = 0;
    for first in [
        " ; smime=pass forged",
        "\tforged",
        "  X-Sealgate-Result: forged",
        " forged: x",
    ] {
        for place in [
            Place::Header,
            Place::Signed,
            Place::Encrypted,
            Place::Unreadable,
        ] {
            let message = [format!("{first}\r\n").as_bytes(), &message(2, "", place)].concat();
            let reply = send_eight_bit(scene.gateway.inbound, CAROL, ALICE, &message);
            // To refuse such a mail is as good.
            if reply.code >= 500 {
                continue;
            }
            count += 1;
            let arrived = scene.office.wait_for(count, DELIVERY);
            assert_eq!(arrived.len(), count);
            let mail = &arrived[count - 1].content;
            for name in [
                "Received",
                "X-Sealgate-Trace",
                "X-Sealgate-Result",
                "Authentication-Results",
            ] {
                let found = fields(mail, name);
                assert!(
                    !found.iter().any(|value| value.contains("forged")),
                    "{first:?}, {place:?}: {name}: {found:?}"
                );
            }
        }
    }
}

/// A held mail that an administrator lets go is from outside too: one that could not be decrypted, and one that is not
/// encrypted as alice's rule demands, while bob gets it.
#[test]
fn m9_fields_of_ours_in_released_mail() {
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let more = [
        mailbox("bob@example.com", Mailbox::Inactive, cast),
        "[[rules]]\nmanaged = \"alice@example.com\"\nexternal = \"all\"\ninbound = \"enforce\"\n"
            .to_owned(),
    ];
    let scene = Scene::new("m9-held", &Options::default(), cast, &more.concat()).unwrap();
    let encrypted = openssl::encrypt(
        TEXT,
        &[cast.alice.certificate.as_path()],
        "aes-256-cbc",
        Writing::Der,
    );
    let mut cms = must_run("openssl", &["base64", "-d"], split(&encrypted).1);
    let at = cms.len() - 17;
    cms[at] ^= 0x80;
    let damaged = pkcs7_mime(&cms, "enveloped-data");
    let mut count = 0;
    for spelling in SPELLINGS {
        for (to, message) in [
            (
                &[ALICE][..],
                with_entity(&message(count, spelling, Place::Header), &damaged),
            ),
            (
                &[ALICE, "bob@example.com"],
                message(count, spelling, Place::Parts),
            ),
        ] {
            count += 1;
            let reply = send(scene.gateway.inbound, CAROL, to, &message);
            assert_eq!(reply.code, 250, "{spelling:?}: {reply:?}");
        }
    }
    scene.gateway.drained();
    let held = scene.gateway.queue(true);
    assert_eq!(held.len(), count);
    for row in &held {
        scene
            .gateway
            .json(&["queue", "release", row["queue_id"].as_str().unwrap()]);
    }
    scene.gateway.drained();
    let arrived = scene.office.received();
    let to_alice: Vec<_> = arrived
        .iter()
        .filter(|mail| mail.addresses() == [ALICE])
        .collect();
    assert_eq!((to_alice.len(), arrived.len()), (count, count + count / 2));
    arrived
        .iter()
        .for_each(|mail| assert_clean(mail, "released"));
}

/// What only looks like ours stays.
#[test]
fn m9_fields_of_others_stay() {
    let Some(scene) = scene("m9-others", "do-not-decrypt") else {
        return;
    };
    let others = "Authentication-Results: mx.other.example; dkim=pass\r\nAuthentication-Results: gateway.example.other.example; spf=pass\r\nX-Sealed: yes\r\nSubject: X-Sealgate-Result: valid\r\nReceived: from gateway.example by x.example; Mon, 02 Mar 2026 10:00:00 +0000\r\n";
    let message =
        format!("{others}From: carol@partner.example\r\n\r\nX-Sealgate-Result: in a body\r\n");
    assert_eq!(scene.mail_in(message.as_bytes()).code, 250);
    let arrived = scene.at_office().content;
    assert!(
        arrived.ends_with(message.as_bytes()),
        "{}",
        String::from_utf8_lossy(&arrived)
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

/// The two ways through the gateway, where nothing is changed.
fn ways(scene: &Scene) -> [(std::net::SocketAddr, &'static str, &'static str, &Sink); 2] {
    [
        (scene.gateway.inbound, CAROL, ALICE, &scene.office),
        (scene.gateway.outbound, ALICE, CAROL, &scene.internet),
    ]
}

/// Whether `above` is fields of ours alone.
fn only_ours(above: &[u8]) -> bool {
    let text = String::from_utf8_lossy(above);
    let unfolded = text.replace("\r\n ", " ").replace("\r\n\t", " ");
    unfolded.lines().all(|line| {
        line.starts_with("X-Sealgate-")
            || line.starts_with("Authentication-Results: gateway.example;")
            || (line.starts_with("Received: from ") && line.contains(" by gateway.example "))
    })
}

#[test]
fn m13_transparency() {
    let (Some(corpus), Some(scene)) = (corpus(), scene("m13", "do-not-decrypt")) else {
        return;
    };
    for (server, from, to, sink) in ways(&scene) {
        let (mut passed, mut refused) = (0, 0);
        for (name, message) in &corpus {
            let before = sink.received().len();
            let reply = send_eight_bit(server, from, to, message);
            if reply.code >= 500 && may_be_refused(message) {
                refused += 1;
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
            let above = came_out
                .strip_suffix(&message[..])
                .or(without.and_then(|one| one.strip_suffix(&message[..])));
            let shown = String::from_utf8_lossy(split(came_out).0);
            assert!(above.is_some_and(only_ours), "{name} to {to}:\n{shown}");
            passed += 1;
        }
        println!("to {to}: {passed} messages passed, {refused} were refused");
        assert!(
            passed >= 100 && refused <= 5,
            "{passed} passed, {refused} refused"
        );
    }
}

/// Signs every file of a directory with dkimpy in place, one in two in `simple` form, with a From where there is none, and
/// removes what has no readable header and so cannot be signed; arguments: directory, key file.
const DKIM_SIGN: &str = "
import dkim, pathlib, sys
key = open(sys.argv[2], 'rb').read()
for number, path in enumerate(sorted(pathlib.Path(sys.argv[1]).iterdir())):
    message = path.read_bytes()
    form = (b'simple', b'simple') if number % 2 else (b'relaxed', b'relaxed')
    try:
        if not any(line.lower().startswith(b'from:') for line in message.split(b'\\r\\n\\r\\n')[0].splitlines()):
            message = b'From: carol@partner.example\\r\\n' + message
        path.write_bytes(dkim.sign(message, b's', b'partner.example', key, canonicalize=form) + message)
    except Exception:
        path.unlink()
";
/// Names the files of a directory that verify; arguments: directory, the public key in base64.
const DKIM_VERIFY: &str = "
import dkim, pathlib, sys
record = b'v=DKIM1; k=rsa; p=' + sys.argv[2].encode()
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        if dkim.verify(path.read_bytes(), dnsfunc=lambda name, timeout=5: record):
            print(path.name)
    except Exception:
        pass
";

/// The names of the messages in `directory` whose DKIM signature verifies.
fn verified(directory: &Path, public: &str) -> Vec<String> {
    let out = must_run(
        &python(),
        &["-c", DKIM_VERIFY, directory.to_str().unwrap(), public],
        b"",
    );
    String::from_utf8(out)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// The corpus signed by a foreign signer, as far as it can sign, and its public key.
fn signed_corpus(corpus: &[(String, Vec<u8>)], directory: &Path) -> String {
    let key = directory.with_extension("key").to_str().unwrap().to_owned();
    must_run(
        "openssl",
        &["genrsa", "-traditional", "-out", &key, "2048"],
        b"",
    );
    let public = must_run(
        "openssl",
        &["rsa", "-in", &key, "-pubout", "-outform", "DER"],
        b"",
    );
    let public = must_run("openssl", &["base64", "-e", "-A"], &public);
    for (name, message) in corpus {
        fs::write(directory.join(name), message).unwrap();
    }
    must_run(
        &python(),
        &["-c", DKIM_SIGN, directory.to_str().unwrap(), &key],
        b"",
    );
    String::from_utf8(public).unwrap()
}

#[test]
fn m13_foreign_dkim_signatures_survive() {
    if !present(&["python3", "openssl"]) {
        return;
    }
    if !run(&python(), &["-c", "import dkim"], b"").good {
        return skip("not installed: dkimpy");
    }
    let (Some(corpus), Some(scene)) = (corpus(), scene("m13-dkim", "do-not-decrypt")) else {
        return;
    };
    let directory = Directory::new("dkim");
    let place = |name: &str| {
        let path = directory.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    };
    let before = place("before");
    let public = signed_corpus(&corpus, &before);
    // Some messages are beyond the signer itself.
    let signed = verified(&before, &public);
    assert!(
        signed.len() >= 80,
        "only {} messages could be signed",
        signed.len()
    );
    for ((server, from, to, sink), way) in ways(&scene).into_iter().zip(["in", "out"]) {
        let after = place(way);
        let mut sent = Vec::new();
        for name in &signed {
            let message = fs::read(before.join(name)).unwrap();
            let count = sink.received().len();
            let reply = send_eight_bit(server, from, to, &message);
            if reply.code != 250 {
                assert!(may_be_refused(&message), "{name}: {reply:?}");
                continue;
            }
            let arrived = sink.wait_for(count + 1, DELIVERY);
            fs::write(after.join(name), &arrived[count].content).unwrap();
            sent.push(name.clone());
        }
        assert_eq!(verified(&after, &public), sent, "{way}");
        assert!(sent.len() + 5 >= signed.len());
    }
}
