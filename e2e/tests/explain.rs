//! `explain` says of a mail beforehand what the journal says of it afterwards.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use e2e::case::Mailbox;
use e2e::cast::{ALICE, CAROL, Cast, STRANGER};
use e2e::chance::Chance;
use e2e::gateway::{Gateway, Options, head, mailbox, program, tail};
use e2e::keys::{KeyKind, shown};
use e2e::mime::{entity, with_entity};
use e2e::openssl::{self, Writing};
use e2e::program::present;
use e2e::scene::{DELIVERY, correspondent, send};
use e2e::sink::Sink;
use serde_json::Value;

/// Mails compared.
const MAILS: usize = 100;
const MANAGED: [&str; 3] = [ALICE, "bob@example.com", "dora@example.com"];
const EXTERNAL: [&str; 4] = [
    CAROL,
    STRANGER,
    "x@partner.example",
    "y@sub.partner.example",
];
const PATTERNS: [&str; 7] = [
    "all",
    "alice@example.com",
    "example.com",
    "bob@example.com, dora@example.com",
    "partner.example",
    "carol@partner.example, elsewhere.example",
    "sub.partner.example",
];
const INBOUND: [&str; 5] = [
    "not-defined",
    "do-not-decrypt",
    "optional",
    "always",
    "enforce",
];
const OUTBOUND: [&str; 5] = ["not-defined", "neither", "sign-only", "optional", "enforce"];

fn random_rules(chance: &mut Chance) -> String {
    (0..8)
        .map(|_| {
            let [managed, external] = [(); 2].map(|()| *chance.one_of(&PATTERNS));
            let (inbound, outbound) = (*chance.one_of(&INBOUND), *chance.one_of(&OUTBOUND));
            format!("[[rules]]\nmanaged = {managed:?}\nexternal = {external:?}\ninbound = {inbound:?}\noutbound = {outbound:?}\n")
        })
        .collect()
}

struct Mail {
    outbound: bool,
    from: &'static str,
    to: &'static str,
    message: Vec<u8>,
}

fn random_mail(chance: &mut Chance, cast: &Cast, number: usize) -> Mail {
    let outbound = chance.below(2) == 0;
    let (managed, external) = (*chance.one_of(&MANAGED), *chance.one_of(&EXTERNAL));
    let (from, to) = if outbound {
        (managed, external)
    } else {
        (external, managed)
    };
    let plain = format!("From: {from}\r\nTo: {to}\r\nSubject: {number}\r\nMessage-ID: <{number}@random.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nmail {number}\r\n").into_bytes();
    let certificate = match chance.below(3) {
        0 => Some(&cast.alice),
        1 => Some(&cast.stranger),
        _ => None,
    };
    let message = match certificate {
        Some(identity) => {
            let to = [identity.certificate.as_path()];
            with_entity(
                &plain,
                &openssl::encrypt(&entity(&plain), &to, "aes-256-cbc", Writing::Der),
            )
        }
        None => plain,
    };
    Mail {
        outbound,
        from,
        to,
        message,
    }
}

/// The first value called `name`, however deep.
fn value_of<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Object(fields) => fields
            .get(name)
            .or_else(|| fields.values().find_map(|inner| value_of(inner, name))),
        Value::Array(items) => items.iter().find_map(|inner| value_of(inner, name)),
        _ => None,
    }
}

/// The trace in the journal of the newest mail, once it is settled.
fn journal_trace(gateway: &Gateway) -> Value {
    let newest = gateway.json(&["mails", "--limit", "1"]);
    let id = value_of(&newest, "queue_id")
        .and_then(Value::as_str)
        .unwrap()
        .to_owned();
    let end = Instant::now() + DELIVERY;
    loop {
        let shown = gateway.json(&["mails", &id]);
        let waits = value_of(&shown, "status").and_then(Value::as_str) == Some("waiting");
        if !waits || Instant::now() > end {
            return value_of(&shown, "trace")
                .unwrap_or_else(|| panic!("{shown}"))
                .clone();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn explain_equals_the_journal() {
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let (office, internet) = (Sink::start(), Sink::start());
    let mut chance = Chance::seeded(7);
    let description = [
        head(office.address),
        mailbox(ALICE, Mailbox::Active, cast),
        mailbox("bob@example.com", Mailbox::Inactive, cast),
        mailbox("dora@example.com", Mailbox::Inactive, cast),
        random_rules(&mut chance),
        correspondent(cast, CAROL),
        tail(cast, internet.address),
    ]
    .concat();
    let gateway = Gateway::running("explain", &Options::default(), cast, &description).unwrap();
    for number in 0..MAILS {
        let mail = random_mail(&mut chance, cast, number);
        let file = shown(&gateway.directory().file("mail.eml", &mail.message));
        let explained = gateway.json(&["explain", "--from", mail.from, "--to", mail.to, &file]);
        let listener = if mail.outbound {
            gateway.outbound
        } else {
            gateway.inbound
        };
        let reply = send(listener, mail.from, &[mail.to], &mail.message);
        let real = journal_trace(&gateway);
        assert_eq!(
            explained, real,
            "mail {number} from {} to {}: {reply:?}",
            mail.from, mail.to
        );
    }
}
