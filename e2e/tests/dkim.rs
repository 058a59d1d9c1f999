//! DKIM keys and signatures: every form of outgoing mail is judged by a foreign verifier, `dkimpy`; the life of a key against
//! a name server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use e2e::cast::{ALICE, CAROL, Cast, STRANGER};
use e2e::client::{Reply, Session, stuffed};
use e2e::dns::{Dns, Record};
use e2e::gateway::{Gateway, Options, program};
use e2e::keys::KeyKind;
use e2e::mime::{Form, fields, form, split};
use e2e::openssl;
use e2e::place::{Directory, skip, workspace};
use e2e::program::{must_run, present, python, run};
use e2e::scene::{DELIVERY, Scene, correspondent, rule};
use e2e::sink::{Received, Sink};
use serde_json::Value;

/// Judges every signature of every file of a directory; arguments: directory, records in JSON. Prints a line for each file:
/// its name, then `True` or `False` for each signature, uppermost first.
const VERIFY: &str = "
import dkim, json, pathlib, sys
records = json.loads(sys.argv[2])
def ask(name, timeout=5):
    text = records.get(name.decode().rstrip('.'))
    return text and text.encode()
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    message = path.read_bytes()
    head = dkim.DKIM(message).headers
    count = sum(1 for name, value in head if name.lower() == b'dkim-signature')
    found = []
    for index in range(count):
        try:
            found.append(dkim.DKIM(message).verify(idx=index, dnsfunc=ask))
        except dkim.DKIMException as error:
            found.append(str(error))
    print(path.name, *found)
";

fn ready() -> bool {
    if program().is_none() || !present(&["python3", "openssl"]) {
        return false;
    }
    let has = run(&python(), &["-c", "import dkim, nacl"], b"").good;
    if !has {
        skip("not installed: dkimpy, PyNaCl");
    }
    has
}

/// The verdicts of the foreign verifier on each mail.
fn verdicts(mails: &[Vec<u8>], records: &Value) -> Vec<Vec<String>> {
    let directory = Directory::new("dkim-verify");
    for (number, mail) in mails.iter().enumerate() {
        directory.file(&format!("{number:04}"), mail);
    }
    let arguments = [
        "-c",
        VERIFY,
        directory.path().to_str().unwrap(),
        &records.to_string(),
    ];
    let out = must_run(&python(), &arguments, b"");
    let text = String::from_utf8(out).unwrap();
    let line = |line: &str| line.split(' ').skip(1).map(str::to_owned).collect();
    let found: Vec<Vec<String>> = text.lines().map(line).collect();
    assert_eq!(found.len(), mails.len());
    found
}

const BOTH_GOOD: [&str; 2] = ["True", "True"];

/// Name and value of every record of a domain.
fn records(gateway: &Gateway, domain: &str) -> Value {
    let shown = gateway.json(&["dkim", "show", domain]);
    let pairs = shown.as_array().unwrap().iter().map(|key| {
        let name = key["record_name"].as_str().unwrap().to_owned();
        (name, key["record"].clone())
    });
    Value::Object(pairs.collect())
}

fn must(gateway: &Gateway, arguments: &[&str]) -> String {
    let ran = gateway.command(arguments);
    assert!(ran.good, "{arguments:?}: {}", ran.err);
    ran.text()
}

/// With an RSA and an Ed25519 key of example.com that sign, published nowhere.
fn with_keys(gateway: &Gateway) -> Value {
    must(gateway, &["dkim", "create", "example.com"]);
    must(
        gateway,
        &["dkim", "create", "example.com", "--kind", "ed25519"],
    );
    must(gateway, &["dkim", "activate", "example.com", "--force"]);
    records(gateway, "example.com")
}

/// Hands in one mail of alice, declared as eight-bit; gives the first bad reply or the last one.
fn hand_in(scene: &Scene, to: &[&str], message: &[u8]) -> Reply {
    let mut session = Session::connect(scene.gateway.outbound).unwrap();
    session.command("EHLO client.example").unwrap();
    let mut lines = vec![format!("MAIL FROM:<{ALICE}> BODY=8BITMIME")];
    lines.extend(to.iter().map(|one| format!("RCPT TO:<{one}>")));
    lines.push("DATA".to_owned());
    for line in lines {
        let reply = session.command(&line).unwrap();
        if reply.code >= 400 {
            return reply;
        }
    }
    session.send(&stuffed(message)).unwrap();
    session.reply().unwrap()
}

/// What arrives of one mail of alice.
fn passed(scene: &Scene, to: &[&str], message: &[u8], copies: usize) -> Vec<Received> {
    let before = scene.internet.received().len();
    let reply = hand_in(scene, to, message);
    assert_eq!(reply.code, 250, "{reply:?}");
    let mut arrived = scene.internet.wait_for(before + copies, DELIVERY);
    arrived.split_off(before)
}

/// Mails of alice, by what is particular about them.
fn mails() -> Vec<(&'static str, Vec<u8>)> {
    let head = "From: Alice <alice@example.com>\r\nTo: carol@partner.example,\r\n stranger@elsewhere.example\r\n\
                Subject:  two  blanks\t and\r\n a fold\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n";
    let with = |more: &str, body: &[u8]| [head.as_bytes(), more.as_bytes(), b"\r\n", body].concat();
    let mime = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";
    let binary: Vec<u8> = (0..5_000_000_u32)
        .map(|number| b"abc d\t\xe4\xff"[(number.wrapping_mul(2_654_435_761) >> 29) as usize])
        .collect();
    let lines: Vec<u8> = binary
        .chunks(70)
        .flat_map(|line| [line, b"\r\n"].concat())
        .collect();
    vec![
        ("plain", with("", b"hello  world \t \r\n.\r\n..\r\n")),
        ("empty", with("", b"")),
        ("trailing lines", with("", b"text\r\n\r\n \r\n\r\n")),
        ("leading lines", with("", b"\r\n\r\n text\r\n")),
        (
            "eight bit",
            with(
                &format!("{mime}Content-Transfer-Encoding: 8bit\r\n"),
                "Grüße aus Köln\r\n".as_bytes(),
            ),
        ),
        (
            "long line",
            with(mime, &[vec![b'x'; 990], b"\r\n".to_vec()].concat()),
        ),
        (
            "answer",
            with(
                "In-Reply-To: <0@partner.example>\r\nReferences: <0@partner.example>\r\n\t<00@partner.example>\r\nReply-To: a@example.com\r\nAuto-Submitted: auto-replied\r\n",
                b"body\r\n",
            ),
        ),
        (
            "several parts",
            with(
                "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=\"b\"\r\n",
                b"--b\r\n\r\none\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n",
            ),
        ),
        ("five megabytes", with(&format!("{mime}Content-Transfer-Encoding: 8bit\r\n"), &lines)),
    ]
}

#[test]
fn every_form_is_signed_and_a_foreign_verifier_agrees() {
    if !ready() {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let more = rule("optional", "neither") + &correspondent(cast, CAROL);
    let scene = Scene::new("dkim-forms", &Options::default(), cast, &more).unwrap();
    let gateway = &scene.gateway;
    let published = with_keys(gateway);
    must(gateway, &["organisation", "settings", "--set", "dkim=on"]);
    let mut arrived = Vec::new();
    let expected = [
        ("neither", vec![Form::Plain]),
        ("sign-only", vec![Form::Signed]),
        // Carol's key is known, the other one's is not; the third stands in no header, so nobody's copy names her.
        ("optional", vec![Form::Encrypted, Form::Signed]),
    ];
    for (mode, forms) in expected {
        must(gateway, &["rule", "add", "--outbound", mode]);
        for (what, mail) in mails() {
            let copies = passed(&scene, &[CAROL, STRANGER], &mail, forms.len());
            let mut found: Vec<Form> = copies.iter().map(|copy| form(&copy.content)).collect();
            found.sort_by_key(|form| format!("{form:?}"));
            assert_eq!(found, forms, "{mode}: {what}");
            for copy in copies {
                assert!(
                    copy.content
                        .starts_with(b"DKIM-Signature: v=1; a=rsa-sha256;"),
                    "{mode}: {what}: the field stands on top"
                );
                arrived.push((format!("{mode}: {what}"), copy.content));
            }
        }
    }
    let contents: Vec<_> = arrived.iter().map(|(_, content)| content.clone()).collect();
    for ((what, _), found) in arrived.iter().zip(verdicts(&contents, &published)) {
        assert_eq!(found, BOTH_GOOD, "{what}");
    }
    // The verifier is one that can say no: to a changed body, a further Subject, and a wrong key.
    let (_, plain) = &arrived[0];
    let text = String::from_utf8(plain.clone()).unwrap();
    let changed = [
        text.replace("hello", "hallo"),
        text.replace("\r\nSubject:", "\r\nSubject: another\r\nSubject:"),
        text.replace("From: Alice", "From: Mallory"),
    ];
    let changed: Vec<_> = changed.map(String::into_bytes).to_vec();
    for found in verdicts(&changed, &published) {
        assert_ne!(found, BOTH_GOOD);
        assert!(!found.contains(&"True".to_owned()), "{found:?}");
    }
    let nobody = verdicts(std::slice::from_ref(plain), &serde_json::json!({}));
    assert!(!nobody[0].contains(&"True".to_owned()), "{nobody:?}");
}

/// The messages of the corpus as alice's: only their From is another.
fn corpus() -> Option<Vec<(String, Vec<u8>)>> {
    let root = workspace().join("../shared/corpus");
    let mut files: Vec<_> = ["cpython-email", "mime4j-testmsgs"]
        .iter()
        .filter_map(|name| fs::read_dir(root.join(name)).ok())
        .flat_map(|entries| entries.map(|entry| entry.unwrap().path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|one| one == "msg" || one == "txt")
        })
        .collect();
    files.sort();
    if files.is_empty() {
        skip("the corpus is not there");
        return None;
    }
    let read = |path: &std::path::PathBuf| {
        let text = openssl::crlf(&fs::read(path).unwrap());
        let (head, body) = split(&text);
        let mut dropped = false;
        let mut message = b"From: Alice <alice@example.com>\r\n".to_vec();
        for line in head.split_inclusive(|octet| *octet == b'\n') {
            if !line.starts_with(b" ") && !line.starts_with(b"\t") {
                dropped = line.to_ascii_lowercase().starts_with(b"from");
            }
            if !dropped {
                message.extend_from_slice(line);
            }
        }
        message.extend_from_slice(b"\r\n");
        message.extend_from_slice(body);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, message)
    };
    Some(files.iter().map(read).collect())
}

#[test]
fn the_corpus_is_signed() {
    if !ready() {
        return;
    }
    let Some(corpus) = corpus() else { return };
    let cast = Cast::with(KeyKind::P256);
    let scene = Scene::new(
        "dkim-corpus",
        &Options::default(),
        cast,
        &rule("optional", "neither"),
    );
    let scene = scene.unwrap();
    let published = with_keys(&scene.gateway);
    must(
        &scene.gateway,
        &["organisation", "settings", "--set", "dkim=on"],
    );
    let mut arrived = Vec::new();
    for (name, message) in &corpus {
        let before = scene.internet.received().len();
        if hand_in(&scene, &[CAROL], message).code == 250 {
            let mails = scene.internet.wait_for(before + 1, DELIVERY);
            arrived.push((name, mails[before].content.clone()));
        }
    }
    let signed: Vec<_> = arrived
        .iter()
        .filter(|(_, mail)| mail.starts_with(b"DKIM-Signature: v=1; a=rsa-sha256;"))
        .collect();
    println!(
        "{} sent, {} arrived, {} signed",
        corpus.len(),
        arrived.len(),
        signed.len()
    );
    let contents: Vec<_> = signed.iter().map(|(_, mail)| mail.clone()).collect();
    let mut bad = Vec::new();
    for ((name, _), found) in signed.iter().zip(verdicts(&contents, &published)) {
        if found.get(..2).is_none_or(|own| own != BOTH_GOOD) {
            bad.push((name, found));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(signed.len() >= 70, "only {} were signed", signed.len());
}

/// What S/MIME made is still whole below our signature, and the client's own signature stays.
#[test]
fn smime_and_foreign_signatures_stay() {
    if !ready() {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let more = rule("optional", "optional") + &correspondent(cast, CAROL);
    let scene = Scene::new("dkim-smime", &Options::default(), cast, &more).unwrap();
    let published = with_keys(&scene.gateway);
    must(
        &scene.gateway,
        &["organisation", "settings", "--set", "dkim=on"],
    );
    let own =
        "DKIM-Signature: v=1; a=rsa-sha256; d=client.example; s=x; h=from; bh=eA==; b=eA==\r\n";
    let mail = [own.as_bytes(), &mails()[0].1].concat();
    let copies = passed(&scene, &[CAROL], &mail, 1);
    let content = &copies[0].content;
    let inside = openssl::decrypt(&e2e::mime::entity(content), cast.of(CAROL)).unwrap();
    openssl::verify(&inside, &cast.issuer_of(ALICE).certificate, ALICE).unwrap();
    let signatures = fields(content, "DKIM-Signature");
    assert_eq!(signatures.len(), 3);
    assert!(signatures[2].contains("d=client.example"), "{signatures:?}");
    let found = verdicts(std::slice::from_ref(content), &published);
    assert_eq!(found[0][..2], BOTH_GOOD);
}

/// Only where the organisation wants it, for its own domains, with an active key.
#[test]
fn what_is_not_signed() {
    if !ready() {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let (office, internet) = (Sink::start(), Sink::start());
    let text = Scene::description(cast, &rule("optional", "neither"), &office, &internet);
    let text = format!("{text}mail-server = true\n");
    let gateway = Gateway::running("dkim-not", &Options::default(), cast, &text).unwrap();
    let scene = Scene {
        gateway,
        office,
        internet,
    };
    let gateway = &scene.gateway;
    let own = mails()[0].1.clone();
    let text = String::from_utf8(own.clone()).unwrap();
    let signed = |mail: &[u8]| {
        let copies = passed(&scene, &[CAROL], mail, 1);
        fields(&copies[0].content, "DKIM-Signature").len()
    };
    must(
        gateway,
        &["dkim", "create", "example.com", "--kind", "ed25519"],
    );
    must(gateway, &["organisation", "settings", "--set", "dkim=on"]);
    assert_eq!(signed(&own), 0, "a key that is not active");
    must(gateway, &["dkim", "activate", "example.com", "--force"]);
    assert_eq!(signed(&own), 1);
    let foreign = text.replace("alice@example.com", "bob@other.example");
    assert_eq!(signed(foreign.as_bytes()), 0, "a foreign From");
    let two = text.replace(
        "Alice <alice@example.com>",
        "alice@example.com, bob@example.com",
    );
    assert_eq!(signed(two.as_bytes()), 0, "two addresses in From");
    must(gateway, &["organisation", "settings", "--set", "dkim=off"]);
    assert_eq!(signed(&own), 0, "switched off");
    must(gateway, &["organisation", "settings", "--set", "dkim=on"]);
    must(gateway, &["dkim", "remove", "example.com", "sealgate1"]);
    assert_eq!(signed(&own), 0, "no key");
}

/// Damages the sealed keys in the database of its argument.
const DAMAGE: &str = "
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
assert database.execute(\"UPDATE dkim_keys SET sealed = x'00'\").rowcount == 1
database.commit()
";

/// A key that does not open holds no mail up.
#[test]
fn mail_goes_without_a_key_that_is_damaged() {
    if !ready() {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let more = rule("optional", "neither");
    let mut scene = Scene::new("dkim-damaged", &Options::default(), cast, &more).unwrap();
    let gateway = &mut scene.gateway;
    must(
        gateway,
        &["dkim", "create", "example.com", "--kind", "ed25519"],
    );
    must(gateway, &["dkim", "activate", "example.com", "--force"]);
    must(gateway, &["organisation", "settings", "--set", "dkim=on"]);
    assert!(gateway.stop());
    let database = gateway.data().join("sealgate.db");
    must_run(&python(), &["-c", DAMAGE, database.to_str().unwrap()], b"");
    gateway.start();
    let copies = passed(&scene, &[CAROL], &mails()[0].1, 1);
    assert!(fields(&copies[0].content, "DKIM-Signature").is_empty());
    let log = scene.gateway.log();
    assert!(log.contains("a DKIM key is not usable"), "{log}");
}

/// The selector of each signature of a mail.
fn selectors(mail: &[u8]) -> Vec<String> {
    let selector = |field: &String| {
        let (_, rest) = field.split_once(" s=").unwrap();
        rest.split(';').next().unwrap().to_owned()
    };
    fields(mail, "DKIM-Signature")
        .iter()
        .map(selector)
        .collect()
}

fn states(gateway: &Gateway) -> Vec<(String, String)> {
    let keys = gateway.json(&["dkim", "list"]);
    let word = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
    let keys = keys.as_array().unwrap().iter();
    keys.map(|key| (word(key, "selector"), word(key, "state")))
        .collect()
}

fn publish(dns: &Dns, gateway: &Gateway, selector: &str) {
    let shown = gateway.json(&["dkim", "show", "example.com", "--selector", selector]);
    let word = |name: &str| shown[0][name].as_str().unwrap().to_owned();
    dns.add(&word("record_name"), Record::Text(word("record")));
}

#[test]
fn a_key_signs_once_its_record_is_seen_and_is_followed_by_the_next() {
    if !ready() {
        return;
    }
    let (cast, dns) = (Cast::with(KeyKind::P256), Dns::start());
    let options = Options {
        dns: dns.address.to_string(),
        ..Options::default()
    };
    let more = rule("optional", "neither");
    let mut scene = Scene::new("dkim-life", &options, cast, &more).unwrap();
    must(
        &scene.gateway,
        &["organisation", "settings", "--set", "dkim=on"],
    );
    let mail = mails()[0].1.clone();
    let who = |scene: &Scene| selectors(&passed(scene, &[CAROL], &mail, 1)[0].content);
    let gateway = &scene.gateway;
    let shown = must(
        gateway,
        &["dkim", "create", "example.com", "--selector", "mail"],
    );
    assert!(
        shown.contains("mail._domainkey.example.com. IN TXT ( \"v=DKIM1; k=rsa; p="),
        "{shown}"
    );
    for line in shown.lines().filter(|line| line.contains("IN TXT")) {
        let strings: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
        assert!(strings.len() == 2 && strings.iter().all(|one| one.len() <= 255));
    }
    let check = gateway.command(&["dkim", "check", "example.com"]);
    assert_eq!(check.code, Some(3), "{}", check.err);
    assert!(
        check.text().contains("is not in DNS: publish"),
        "{}",
        check.text()
    );
    let early = gateway.command(&["dkim", "activate", "example.com"]);
    assert!(
        !early.good && early.err.contains("not in DNS"),
        "{}",
        early.err
    );
    dns.add(
        "mail._domainkey.example.com",
        Record::Text("v=DKIM1; p=QUJD".into()),
    );
    let wrong = gateway.command(&["dkim", "activate", "example.com"]);
    assert!(
        !wrong.good && wrong.err.contains("another key"),
        "{}",
        wrong.err
    );
    assert!(who(&scene).is_empty());
    dns.remove("mail._domainkey.example.com");
    publish(&dns, gateway, "mail");
    must(gateway, &["dkim", "check", "example.com"]);
    must(gateway, &["dkim", "activate", "example.com"]);
    assert_eq!(who(&scene), ["mail"]);

    a_key_is_followed(&mut scene, &dns, &who);
}

/// From the key `mail` to the next one.
fn a_key_is_followed(scene: &mut Scene, dns: &Dns, who: &dyn Fn(&Scene) -> Vec<String>) {
    let state = |selector: &str, state: &str| (selector.to_owned(), state.to_owned());
    let gateway = &scene.gateway;
    must(gateway, &["dkim", "rotate", "example.com"]);
    let twice = gateway.command(&["dkim", "rotate", "example.com"]);
    assert!(
        !twice.good && twice.err.contains("waits for its record"),
        "{}",
        twice.err
    );
    assert_eq!(
        who(scene),
        ["mail"],
        "the old key signs until the next one's record is seen"
    );
    publish(dns, gateway, "sealgate1");
    // A gateway looks at its start and every few minutes.
    assert!(scene.gateway.stop());
    scene.gateway.start();
    let end = std::time::Instant::now() + DELIVERY;
    while states(&scene.gateway) != [state("mail", "retired"), state("sealgate1", "active")] {
        assert!(
            std::time::Instant::now() < end,
            "{:?}",
            states(&scene.gateway)
        );
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(who(scene), ["sealgate1"]);
    let listed = must(&scene.gateway, &["dkim", "list"]);
    assert!(listed.contains("REMOVED AT"), "{listed}");
    let events = must(&scene.gateway, &["events"]);
    assert!(
        events.contains("sealgate1._domainkey.example.com"),
        "{events}"
    );
}

#[test]
fn bad_commands_get_one_clear_line() {
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let (office, internet) = (Sink::start(), Sink::start());
    let gateway = Gateway::configured("dkim-bad", &Options::default(), cast).unwrap();
    gateway.apply(&Scene::description(cast, "", &office, &internet));
    must(
        &gateway,
        &[
            "dkim",
            "create",
            "example.com",
            "--selector",
            "one",
            "--kind",
            "ed25519",
        ],
    );
    let table: [(&[&str], &str); 9] = [
        (
            &["dkim", "create", "other.example"],
            "stands in no inbound route",
        ),
        (
            &["dkim", "create", "example.com", "--kind", "ed25519"],
            "waits for its record",
        ),
        (
            &["dkim", "create", "example.com", "--selector", "one"],
            "selector one already",
        ),
        (
            &["dkim", "create", "example.com", "--selector", "a b"],
            "is no selector",
        ),
        (
            &["dkim", "create", "example.com", "--kind", "dsa"],
            "unknown variant",
        ),
        (
            &["dkim", "show", "other.example"],
            "sealgate dkim create other.example",
        ),
        (
            &["dkim", "check", "example.com", "--selector", "two"],
            "has no DKIM key two",
        ),
        (&["dkim", "rotate", "example.com"], "no active DKIM key"),
        (
            &["dkim", "remove", "example.com", "two"],
            "has no DKIM key two",
        ),
    ];
    for (arguments, said) in table {
        let ran = gateway.command(arguments);
        assert!(!ran.good, "{arguments:?}");
        assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
        assert!(ran.out.is_empty(), "{arguments:?}: {}", ran.text());
    }
    let off = gateway.command(&["dkim", "check", "example.com"]);
    assert_eq!(off.code, Some(3));
    assert!(off.text().contains("DNS is switched off"), "{}", off.text());
    // Nowhere in what is shown is anything but the public half.
    let shown = gateway.json(&["dkim", "show", "example.com"]).to_string();
    assert!(
        !shown.contains("PRIVATE") && !shown.contains("sealed"),
        "{shown}"
    );
    let all = fs::read_dir(gateway.data()).unwrap().count();
    assert!(all > 0);
}
