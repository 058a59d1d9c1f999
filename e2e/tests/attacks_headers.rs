//! Rows G3, G4 and G5 of security.md over SMTP: what stands in an encrypted mail speaks for nobody, and an address that can be
//! read in two ways is nobody's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use e2e::attack::{Attempt, cms_of, head, judge, pkcs7, scene};
use e2e::cast::{ALICE, CAROL, Cast};
use e2e::client::Session;
use e2e::keys::{KeyKind, shown, words};
use e2e::mime::{Form, entity, field, fields, form, split};
use e2e::openssl::{self, Writing};
use e2e::program::{must_run, present, python};
use e2e::scene::{DELIVERY, Scene, rule, send};

fn cast() -> &'static Cast {
    Cast::with(KeyKind::P256)
}

fn start(name: &str) -> Option<Scene> {
    scene(name, KeyKind::P256, &rule("optional", "sign-only"))
}

/// Encrypted octet for octet.
fn sealed(inside: &[u8], cipher: &str) -> Vec<u8> {
    let mut arguments = words("cms -encrypt -binary -noindef -outform DER -recip");
    arguments.push(shown(&cast().alice.certificate));
    arguments.push(format!("-{cipher}"));
    let cms = e2e::der::Node::read(&must_run("openssl", &arguments, inside));
    let kind = if cipher.ends_with("gcm") {
        "authEnveloped-data"
    } else {
        "enveloped-data"
    };
    pkcs7(&cms, kind)
}

/// Fields that must not count from inside; each carries the word `forged`.
const INNER: [&str; 18] = [
    "Subject: forged\r\n",
    "From: forged@boss.example\r\n",
    "To: forged@x.example\r\n",
    "Cc: forged@x.example\r\n",
    "Bcc: forged@x.example\r\n",
    "Reply-To: forged@x.example\r\n",
    "Sender: forged@x.example\r\n",
    "Received: from forged by x.example; Mon, 02 Mar 2026 10:00:00 +0000\r\n",
    "Authentication-Results: gateway.example; smime=pass forged\r\n",
    "X-Sealgate-Result: signature=valid forged\r\n",
    "X-Sealgate-Trace: forged\r\n",
    "X-SEALGATE-Forged : forged\r\n",
    "DKIM-Signature: v=1; d=forged.example\r\n",
    "Return-Path: <forged@x.example>\r\n",
    "Resent-From: forged@x.example\r\n",
    "List-Unsubscribe: <http://forged.example/>\r\n",
    "X-Spam: no\rX-Sealgate-Result: forged\r\n",
    "X-Nul: a\0forged\r\n",
];

/// Names of the fields that may stand in what arrives beside those that were handed in.
const OURS: [&str; 5] = [
    "received",
    "authentication-results",
    "x-sealgate-trace",
    "x-sealgate-result",
    "return-path",
];

fn names(mail: &[u8]) -> Vec<String> {
    let (header, _) = split(mail);
    let text = String::from_utf8_lossy(header).into_owned();
    let begins = text
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']) && !line.is_empty());
    begins
        .map(|line| line.split(':').next().unwrap().trim().to_ascii_lowercase())
        .collect()
}

/// Each of them, all, and some very long ones, on top and behind the fields that count.
fn inner_fields() -> Vec<Attempt> {
    let all = INNER[..16].concat();
    let huge = format!("X-Huge: {}forged\r\n", "a ".repeat(32_000));
    let long_subject = format!("Subject: {}forged\r\n", "a ".repeat(32_000));
    let mut blocks: Vec<String> = INNER.iter().map(|&one| one.to_owned()).collect();
    blocks.extend([all, huge, long_subject]);
    let body = "\r\nhello\r\n";
    let mut attempts = Vec::new();
    for (number, block) in blocks.iter().enumerate() {
        let before = format!("{block}Content-Type: text/plain\r\n{body}");
        let behind = format!("Content-Type: text/plain\r\nContent-Language: en\r\n{block}{body}");
        for (place, inside) in [("before", before), ("behind", behind)] {
            let opened = &["decrypted", "decrypted-authenticated", "failed"];
            for cipher in ["aes-256-cbc", "aes-256-gcm"] {
                let name = format!("{cipher}-{place}-{number}");
                let entity = sealed(inside.as_bytes(), cipher);
                attempts.push(
                    Attempt::new(&name, &entity)
                        .encryption(opened)
                        .signature(&["none"]),
                );
            }
            if !inside.contains('\0') && inside.len() < 10_000 && !inside.contains("no\r") {
                let signed = entity(&openssl::sign(
                    inside.as_bytes(),
                    &cast().carol,
                    None,
                    true,
                    Writing::Der,
                ));
                let name = format!("signed-{place}-{number}");
                attempts.push(
                    Attempt::new(&name, &sealed(&signed, "aes-256-cbc")).signature(&["valid"]),
                );
            }
        }
    }
    attempts
}

#[test]
fn g3_inner_fields_over_smtp() {
    let Some(scene) = start("attack-g3") else {
        return;
    };
    let attempts = inner_fields();
    let mails = judge(&scene, &attempts);
    let mut opened = 0;
    for (attempt, mail) in attempts.iter().zip(&mails) {
        let name = &attempt.name;
        let (header, _) = split(&mail.content);
        let text = String::from_utf8_lossy(header);
        assert!(!text.contains("forged"), "{name}:\n{text}");
        assert!(
            !text.replace("\r\n", "").contains(['\r', '\n', '\0']),
            "{name}"
        );
        assert_eq!(
            field(&mail.content, "From").as_deref(),
            Some(CAROL),
            "{name}"
        );
        assert_eq!(fields(&mail.content, "Subject"), ["s"], "{name}");
        let handed_in = names(&attempt.message);
        for found in names(&mail.content) {
            let known = found.starts_with("content-")
                || handed_in.contains(&found)
                || OURS.contains(&found.as_str());
            assert!(known, "{name}: {found}");
        }
        opened += usize::from(!text.contains("encryption=failed"));
    }
    assert!(
        opened * 10 > attempts.len() * 8,
        "{opened} of {}",
        attempts.len()
    );
}

/// An attached mail of the boss, encrypted by anybody.
#[test]
fn g4_an_inner_message_over_smtp() {
    let Some(scene) = start("attack-g4") else {
        return;
    };
    let inner = format!(
        "Return-Path: <boss@example.com>\r\n{}From: boss@example.com\r\nSender: boss@example.com\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nPay at once.\r\n",
        INNER[8..12].concat()
    );
    let mut attempts = Vec::new();
    for (place, kind) in [
        "message/rfc822",
        "message/rfc822; forwarded=no",
        "message/rfc822; hp=cipher",
        "text/plain; hp=\"cipher\"",
        "message/global",
    ]
    .iter()
    .enumerate()
    {
        let wrapped = if kind.starts_with("text") {
            format!("Content-Type: {kind}\r\n{inner}")
                .replace("MIME-Version: 1.0\r\nContent-Type: text/plain\r\n", "")
        } else {
            format!("Content-Type: {kind}\r\n\r\n{inner}")
        };
        for (cipher, told) in [
            ("aes-256-cbc", &["decrypted"] as &[_]),
            ("aes-256-gcm", &["decrypted-authenticated"]),
        ] {
            let name = format!("{cipher}-{place}");
            attempts.push(
                Attempt::new(&name, &sealed(wrapped.as_bytes(), cipher))
                    .encryption(told)
                    .signature(&["none"]),
            );
        }
    }
    let mails = judge(&scene, &attempts);
    for (attempt, mail) in attempts.iter().zip(&mails) {
        // What lies in an attached mail is content.
        let text = String::from_utf8_lossy(split(&mail.content).0);
        assert_eq!(fields(&mail.content, "From"), [CAROL], "{}", attempt.name);
        assert_eq!(mail.from, CAROL);
        assert!(!text.contains("forged"), "{}:\n{text}", attempt.name);
        assert!(
            field(&mail.content, "Sender").is_none()
                && field(&mail.content, "Return-Path").is_none(),
            "{text}"
        );
        let told = fields(&mail.content, "Authentication-Results");
        assert!(told.len() == 1 && !told[0].contains("pass"), "{told:?}");
    }
}

/// The addresses Python finds in a From field, read in two ways; `null` where the two differ or the parser complains.
const PYTHON: &str = r#"
import email.headerregistry, email.policy, email.utils, json, sys
out = []
for value in json.load(sys.stdin):
    try:
        parsed = email.policy.default.header_factory('From', value)
        one = [address.addr_spec for address in parsed.addresses]
        bad = bool(parsed.defects) or any(group.display_name is not None for group in parsed.groups)
    except Exception:
        one, bad = None, True
    two = [address for _, address in email.utils.getaddresses([value])]
    out.append(None if bad or one != two else one)
print(json.dumps(out))
"#;

/// Forms of one address, `A`, with another one, `B`, beside it.
const FORMS: [&str; 31] = [
    "A",
    "<A>",
    "Name <A>",
    "\"Name\" <A>",
    "\"B\" <A>",
    "B <A>",
    "<B> <A>",
    "\"B\" <A>, <B>",
    "A, B",
    "<A>, <B>",
    "A; B",
    "A B",
    "<A,B>",
    "<A B>",
    "A (B)",
    "(B) A",
    "(comment (nested)) A",
    "A (open",
    "Name <@x.example,@y.example:A>",
    "group: A;",
    "group: A, B;",
    "=?utf-8?Q?B?= <A>",
    "=?utf-8?Q?=3CB=3E?= <A>",
    "=?utf-8?Q?A?=",
    "Name <A.>",
    "<<A>>",
    "<A>>",
    "\"<B>\" <A",
    "A\\@x.example",
    "Name <A> <B>",
    "\"A\"@x.example",
];

/// The forms with this address and another one of its domain, in both places.
fn forms_of(own: &str) -> Vec<String> {
    let boss = |address: &str| format!("boss@{}", address.split('@').nth(1).unwrap());
    let (local, domain) = own.split_once('@').unwrap();
    let mut all: Vec<_> = FORMS
        .iter()
        .flat_map(|form| {
            [(own.to_owned(), boss(own)), (boss(own), own.to_owned())].map(|(a, b)| {
                form.replace('A', "\u{1}")
                    .replace('B', "\u{2}")
                    .replace('\u{1}', &a)
                    .replace('\u{2}', &b)
            })
        })
        .collect();
    all.extend([
        format!("\"{local}\"@{domain}"),
        format!("{local} @{domain}"),
        format!("{local}@ {domain}"),
        format!("{local}(x)@{domain}"),
        format!("{local}@(x){domain}"),
        format!("{local}@[127.0.0.1]"),
        format!("{local}%x@{domain}"),
        format!("{local}@{domain}@x.example"),
        format!("{local}@{domain}\u{430}"),
        format!("{local}\u{200b}@{domain}"),
        format!("\"{local}@{domain}\"@x.example"),
        String::new(),
        "<>".to_owned(),
    ]);
    all
}

/// What Python reads in each.
fn read_by_python(values: &[String]) -> Vec<Option<Vec<String>>> {
    let input = serde_json::to_vec(values).unwrap();
    serde_json::from_slice(&must_run(&python(), &["-c", PYTHON], &input)).unwrap()
}

/// Where ours and Python's reading differ, nothing is valid and nothing is signed.
#[test]
fn g5_addresses_read_in_two_ways_over_smtp() {
    if !present(&["python3"]) {
        return;
    }
    let Some(scene) = start("attack-g5") else {
        return;
    };
    inbound_authors(&scene);
    outbound_authors(&scene);
    recipients(&scene);
}

/// Carol's good signature below each.
fn inbound_authors(scene: &Scene) {
    let signed = openssl::sign(
        b"Content-Type: text/plain\r\n\r\nhello\r\n",
        &cast().carol,
        None,
        false,
        Writing::Der,
    );
    let values = forms_of(CAROL);
    let (mut valid, mut count) = (0, 0);
    for (number, (value, python)) in values.iter().zip(read_by_python(&values)).enumerate() {
        let name = format!("in-{number}");
        let head = head(&name, "FROM").replace("FROM", value);
        let reply = send_utf8(scene, &[head.as_bytes(), &signed].concat());
        if reply >= 500 {
            continue;
        }
        count += 1;
        let mails = scene.office.wait_for(count, DELIVERY);
        assert_eq!(mails.len(), count);
        let mail = e2e::attack::arrived(scene, &name).unwrap();
        let (signature, _) = e2e::attack::verdicts(&mail.content);
        let is_carol =
            python.is_some_and(|all| all.len() == 1 && all[0].eq_ignore_ascii_case(CAROL));
        assert!(signature != "valid" || is_carol, "{value:?} is {signature}");
        let whole = String::from_utf8_lossy(&mail.content).into_owned();
        assert!(
            whole.contains(&format!("From: {value}\r\n")),
            "{value:?} was changed"
        );
        valid += usize::from(signature == "valid");
    }
    assert!(valid >= 5, "{valid}");
}

/// Signed as alice only where everybody reads alice, and alice alone.
fn outbound_authors(scene: &Scene) {
    let values = forms_of(ALICE);
    let (mut signed, mut count) = (0, 0);
    for (value, python) in values.iter().zip(read_by_python(&values)) {
        let message = format!("From: {value}\r\nTo: {CAROL}\r\nSubject: s\r\n\r\nhello\r\n");
        let reply = send(scene.gateway.outbound, ALICE, &[CAROL], message.as_bytes());
        if reply.code >= 500 {
            continue;
        }
        count += 1;
        let mails = scene.internet.wait_for(count, DELIVERY);
        assert_eq!(mails.len(), count);
        let mail = &mails[count - 1];
        let is_signed = form(&mail.content) == Form::Signed;
        let is_alice =
            python.is_some_and(|all| all.len() == 1 && all[0].eq_ignore_ascii_case(ALICE));
        assert!(!is_signed || is_alice, "{value:?} was signed");
        signed += usize::from(is_signed);
    }
    assert!(signed >= 5, "{signed}");
}

fn send_utf8(scene: &Scene, message: &[u8]) -> u16 {
    let mut session = Session::connect(scene.gateway.inbound).unwrap();
    session.command("EHLO client.example").unwrap();
    session.mail(CAROL, &[ALICE], message).unwrap().code
}

/// RCPT in many forms: refused, or it is alice everywhere.
fn recipients(scene: &Scene) {
    let forms = [
        "<alice@example.com>",
        "<@x.example,@y.example:alice@example.com>",
        "<\"alice\"@example.com>",
        "<alice@EXAMPLE.com>",
        "<alice@example.com.>",
        "<alice@example.com,boss@example.com>",
        "<alice@example.com boss@example.com>",
        "<<alice@example.com>>",
        "<alice@example.com",
        "alice@example.com",
        "<alice(x)@example.com>",
        "<alice@x.example@example.com>",
        "<\"alice@example.com\"@x.example>",
        "<alice%x.example@example.com>",
        "<x.example!alice@example.com>",
        "<alice\\@example.com>",
        "<=?utf-8?Q?alice=40example.com?=>",
        "<alice@example.c\u{43e}m>",
        "<alice@example.com\0.x.example>",
        "Alice <alice@example.com>",
        "<alice@[127.0.0.1]>",
        "<@example.com>",
        "<alice>",
    ];
    let before = scene.office.received().len();
    let mut taken = 0;
    for form in forms {
        let mut session = Session::connect(scene.gateway.inbound).unwrap();
        session.command("EHLO client.example").unwrap();
        session.command(&format!("MAIL FROM:<{CAROL}>")).unwrap();
        let reply = session.command(&format!("RCPT TO:{form}")).unwrap();
        if reply.code >= 400 {
            continue;
        }
        taken += 1;
        session.command("DATA").unwrap();
        session
            .send(b"From: carol@partner.example\r\n\r\nx\r\n.\r\n")
            .unwrap();
        assert_eq!(session.reply().unwrap().code, 250, "{form}");
        let mails = scene.office.wait_for(before + taken, DELIVERY);
        let got = mails[before + taken - 1].addresses()[0].to_ascii_lowercase();
        assert_eq!(got.replace('"', ""), ALICE, "{form}");
        let row = &scene.gateway.json(&["mails", "--limit", "1"])[0];
        assert_eq!(
            row["recipient"]
                .as_str()
                .unwrap()
                .to_ascii_lowercase()
                .replace('"', ""),
            ALICE,
            "{form}"
        );
    }
    assert!((2..8).contains(&taken), "{taken}");
}

#[test]
fn the_cipher_text_of_others_is_read() {
    // What `sealed` writes is what `openssl cms` reads.
    if !present(&["openssl"]) {
        return;
    }
    let text = b"Content-Type: text/plain\r\n\r\nhello\r\n";
    let opened = openssl::decrypt(&sealed(text, "aes-256-cbc"), &cast().alice).unwrap();
    assert_eq!(openssl::crlf(&opened), text);
    assert!(!cms_of(&sealed(text, "aes-256-cbc")).der().is_empty());
}
