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
use e2e::scene::{DELIVERY, Scene, correspondent, rule, send};
use sealgate_mail::Address;

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

/// Signed octet for octet, the content inside.
fn opaquely_signed(inside: &[u8]) -> Vec<u8> {
    let mut arguments = words("cms -sign -binary -nodetach -md sha256 -noindef -outform DER");
    for (option, file) in [
        ("-signer", &cast().carol.certificate),
        ("-inkey", &cast().carol.key),
    ] {
        arguments.extend([option.to_owned(), shown(file)]);
    }
    let cms = e2e::der::Node::read(&must_run("openssl", &arguments, inside));
    pkcs7(&cms, "signed-data")
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
            let opaque = format!("opaque-{place}-{number}");
            let entity_signed = opaquely_signed(inside.as_bytes());
            attempts.push(Attempt::new(&opaque, &entity_signed).signature(&["valid"]));
            if !inside.contains('\0') && inside.len() < 10_000 && !inside.contains("no\r") {
                let clear =
                    openssl::sign(inside.as_bytes(), &cast().carol, None, false, Writing::Der);
                let name = format!("clear-{place}-{number}");
                attempts.push(Attempt::new(&name, &entity(&clear)).signature(&["valid"]));
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

/// What the crate `mail-parser` reads in one.
fn read_by_mail_parser(value: &str) -> Option<Vec<String>> {
    let mail = format!("From: {value}\r\n\r\n");
    let parsed = mail_parser::MessageParser::default().parse(mail.as_bytes())?;
    let mail_parser::Address::List(all) = parsed.from()? else {
        return None;
    };
    let addresses = all
        .iter()
        .map(|one| one.address.as_ref().map(ToString::to_string));
    addresses.collect()
}

/// What both others read in each: one address, the same, or there is nothing that all agree on.
fn read_by_others(values: &[String]) -> Vec<Option<String>> {
    let single = |all: Option<Vec<String>>| match all?.as_slice() {
        // A domain has two forms.
        [one] => match Address::parse(one) {
            Ok(address) => Some(address.to_string().to_ascii_lowercase()),
            Err(_) => Some(one.to_ascii_lowercase()),
        },
        _ => None,
    };
    let python = read_by_python(values).into_iter().map(single);
    let other = values
        .iter()
        .map(|value| single(read_by_mail_parser(value)));
    let both = python.zip(other);
    both.map(|(python, other)| if python == other { python } else { None })
        .collect()
}

/// One rule for the address that counts, one for the other, and one for all; in both directions.
fn rules_by_address() -> String {
    let one = |managed: &str, external: &str, inbound: &str, outbound: &str| {
        format!(
            "[[rules]]\nmanaged = {managed:?}\nexternal = {external:?}\ninbound = {inbound:?}\noutbound = {outbound:?}\n"
        )
    };
    [
        one("all", CAROL, "optional", "not-defined"),
        one("all", "boss@partner.example", "optional", "not-defined"),
        one(ALICE, "all", "not-defined", "sign-only"),
        one("boss@example.com", "all", "not-defined", "neither"),
        one("all", "all", "optional", "neither"),
    ]
    .concat()
}

/// The priority of the rule that decided, wherever it stands.
fn decided_by(value: &serde_json::Value) -> Option<u64> {
    match value {
        serde_json::Value::Object(fields) => match fields.get("decided_by") {
            Some(found) => found["rule"]["priority"].as_u64(),
            None => fields.values().find_map(decided_by),
        },
        serde_json::Value::Array(all) => all.iter().find_map(decided_by),
        _ => None,
    }
}

/// What was read of each mail of a direction, the oldest first: the address that is shown, and the rule that decided.
fn records(scene: &Scene, direction: &str) -> Vec<(Option<String>, u64)> {
    let arguments = ["mails", "--direction", direction, "--limit", "500"];
    let rows = scene.gateway.json(&arguments);
    let row = |row: &serde_json::Value| {
        let shown = row["header_from"].as_str().map(str::to_ascii_lowercase);
        let id = row["queue_id"].as_str().unwrap();
        let whole = scene.gateway.json(&["mails", id]);
        (shown, decided_by(&whole["recipients"][0]["trace"]).unwrap())
    };
    rows.as_array().unwrap().iter().rev().map(row).collect()
}

/// Where ours and another reading differ, the address counts for nothing: neither rule, key, signature nor what is shown.
#[test]
fn g5_addresses_read_in_two_ways_over_smtp() {
    if !present(&["python3"]) {
        return;
    }
    let Some(scene) = scene("attack-g5", KeyKind::P256, &rules_by_address()) else {
        return;
    };
    inbound_authors(&scene);
    outbound_authors(&scene);
    recipients(&scene);
}

/// What counts for the rule must be what is shown, and what all read.
fn assert_one_reading(
    value: &str,
    (shown, rule): &(Option<String>, u64),
    others: Option<&str>,
    rules: [(&str, u64); 2],
) {
    if let Some(shown) = shown {
        assert_eq!(others, Some(shown.as_str()), "{value:?} is {shown}");
    }
    let expected = rules
        .iter()
        .find(|(address, _)| shown.as_deref() == Some(address))
        .map_or(5, |(_, priority)| *priority);
    assert_eq!(*rule, expected, "{value:?}, read as {shown:?}");
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
    let others = read_by_others(&values);
    let mut taken = Vec::new();
    for (number, value) in values.iter().enumerate() {
        let head = head(&format!("in-{number}"), "FROM").replace("FROM", value);
        if send_utf8(scene, &[head.as_bytes(), &signed].concat()) < 500 {
            taken.push(number);
        }
    }
    scene.office.wait_for(taken.len(), DELIVERY);
    scene.gateway.drained();
    let records = records(scene, "inbound");
    assert_eq!(records.len(), taken.len());
    let mut valid = 0;
    for (number, record) in taken.iter().zip(&records) {
        let (value, others) = (&values[*number], others[*number].as_deref());
        assert_one_reading(
            value,
            record,
            others,
            [(CAROL, 1), ("boss@partner.example", 2)],
        );
        let mail = e2e::attack::arrived(scene, &format!("in-{number}")).unwrap();
        let (signature, _) = e2e::attack::verdicts(&mail.content);
        let is_carol = record.0.as_deref() == Some(CAROL);
        assert_eq!(signature == "valid", is_carol, "{value:?} is {signature}");
        let whole = String::from_utf8_lossy(&mail.content).into_owned();
        assert!(
            whole.contains(&format!("From: {value}\r\n")),
            "{value:?} was changed"
        );
        valid += usize::from(is_carol);
    }
    assert!(valid >= 5, "{valid}");
    // Her key was learned under her address and no other.
    let known = scene.gateway.json(&["correspondent", "list"]);
    let known = known.as_array().unwrap();
    assert!(
        known.len() == 1 && known[0]["address"] == CAROL,
        "{known:?}"
    );
}

/// Signed as alice only where everybody reads alice, and alice alone.
fn outbound_authors(scene: &Scene) {
    let values = forms_of(ALICE);
    let others = read_by_others(&values);
    let mut taken = Vec::new();
    for (number, value) in values.iter().enumerate() {
        let message = format!(
            "From: {value}\r\nTo: {CAROL}\r\nMessage-ID: <out-{number}@attack.example>\r\nSubject: s\r\n\r\nhello\r\n"
        );
        let reply = send(scene.gateway.outbound, ALICE, &[CAROL], message.as_bytes());
        if reply.code < 500 {
            taken.push(number);
        }
    }
    let mails = scene.internet.wait_for(taken.len(), DELIVERY);
    let records = records(scene, "outbound");
    assert_eq!((records.len(), mails.len()), (taken.len(), taken.len()));
    let mut signed = 0;
    for (number, (shown, rule)) in taken.iter().zip(&records) {
        let (value, others) = (&values[*number], others[*number].as_deref());
        if let Some(shown) = shown {
            assert_eq!(others, Some(shown.as_str()), "{value:?} is {shown}");
        }
        let own = format!("<out-{number}@attack.example>");
        let mut same = mails
            .iter()
            .filter(|mail| field(&mail.content, "Message-ID").as_deref() == Some(&own));
        let mail = same
            .next()
            .unwrap_or_else(|| panic!("{value:?} did not arrive"));
        let is_signed = form(&mail.content) == Form::Signed;
        let is_alice = shown.as_deref() == Some(ALICE);
        assert_eq!(
            is_signed,
            is_alice && *rule == 3,
            "{value:?}: {shown:?}, rule {rule}"
        );
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

/// RCPT in many forms on the way out: refused, or the key is that of who gets the mail.
#[test]
fn g5_recipients_and_their_keys_over_smtp() {
    let directory = e2e::place::Directory::new("g5");
    let boss = "boss@partner.example";
    let authority = &cast().partner_authority;
    let bosses = e2e::keys::mailbox(directory.path(), authority, boss, KeyKind::P256);
    let more = [
        correspondent(cast(), CAROL),
        format!(
            "[[correspondents]]\ncertificate = {:?}\n",
            shown(&bosses.certificate)
        ),
        rule("optional", "optional"),
    ];
    let Some(scene) = scene("attack-g5-keys", KeyKind::P256, &more.concat()) else {
        return;
    };
    let mut taken = 0;
    for form_of in RECIPIENTS {
        let to = form_of.replace('A', CAROL).replace('B', boss);
        let mut session = Session::connect(scene.gateway.outbound).unwrap();
        session.command("EHLO client.example").unwrap();
        session.command(&format!("MAIL FROM:<{ALICE}>")).unwrap();
        if session.command(&format!("RCPT TO:{to}")).unwrap().code >= 400 {
            continue;
        }
        session.command("DATA").unwrap();
        let text = format!("From: {ALICE}\r\n\r\nx\r\n.\r\n");
        session.send(text.as_bytes()).unwrap();
        if session.reply().unwrap().code >= 400 {
            continue;
        }
        taken += 1;
        let mails = scene.internet.wait_for(taken, DELIVERY);
        let mail = &mails[taken - 1];
        let got = mail.addresses()[0].to_ascii_lowercase().replace('"', "");
        let reads = |own| openssl::decrypt(&entity(&mail.content), own).is_ok();
        let readers = (reads(&cast().carol), reads(&bosses));
        let expected = (got == CAROL, got == boss);
        assert_eq!(readers, expected, "{to} went to {got}");
    }
    assert!((3..20).contains(&taken), "{taken}");
}

/// Forms of one recipient, `A`, with another one, `B`.
const RECIPIENTS: [&str; 24] = [
    "<A>",
    "<B>",
    "<@x.example,@y.example:A>",
    "<@B:A>",
    "<A,B>",
    "<A B>",
    "<A><B>",
    "<A> <B>",
    "<<A>>",
    "<A",
    "A",
    "B <A>",
    "\"B\" <A>",
    "<\"B\"@partner.example>",
    "<A(B)>",
    "<(B)A>",
    "<A\\,B>",
    "<A%B>",
    "<A.>",
    "<A;B>",
    "<A:B>",
    "<=?utf-8?Q?A?=>",
    "<A\0B>",
    "<A\tB>",
];

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
