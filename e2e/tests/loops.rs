//! Row M6 of security.md: a mail that goes round in a circle stops, and one that only passes twice does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use e2e::case::Mailbox;
use e2e::cast::{ALICE, CAROL, Cast};
use e2e::client::{Reply, Sending, smtplib};
use e2e::gateway::{Gateway, Options, head, mailbox, program};
use e2e::keys::KeyKind;
use e2e::mime::{entity, field, fields, find, with_entity};
use e2e::openssl::{self, Writing};
use e2e::program::present;
use e2e::scene::{DELIVERY, Scene, correspondent, rule, send};
use e2e::sink::Sink;

const HOP: &str = "Received: from a.example by b.example; Mon, 02 Mar 2026 10:00:00 +0000\r\n";
const TRACE: &str = "X-Sealgate-Trace";

fn ready() -> bool {
    program().is_some() && present(&["openssl", "python3"])
}

fn mail(from: &str, to: &str, id: &str) -> Vec<u8> {
    format!("From: {from}\r\nTo: {to}\r\nSubject: x\r\nMessage-ID: <{id}@x.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nhello\r\n").into_bytes()
}

fn assert_loop(reply: &Reply) {
    let refused = (500..600).contains(&reply.code) && reply.has_status("5.4.6");
    assert!(refused, "{reply:?}");
}

#[test]
fn m6_a_hundred_hops() {
    if !ready() {
        return;
    }
    let scene = Scene::new(
        "m6-hops",
        &Options::default(),
        Cast::with(KeyKind::P256),
        "",
    )
    .unwrap();
    let hops = |count: usize, message: &[u8]| [HOP.repeat(count).as_bytes(), message].concat();
    let lower =
        |message: &[u8]| [HOP.to_ascii_lowercase().repeat(101).as_bytes(), message].concat();
    let (inward, outward) = (mail(CAROL, ALICE, "in"), mail(ALICE, CAROL, "out"));
    for count in [100, 101, 500] {
        assert_loop(&scene.mail_in(&hops(count, &inward)));
        assert_loop(&scene.mail_out(&hops(count, &outward)));
    }
    assert_loop(&scene.mail_in(&lower(&inward)));
    assert_loop(&scene.mail_out(&lower(&outward)));
    assert_eq!(scene.mail_in(&hops(99, &inward)).code, 250);
    assert_eq!(scene.mail_out(&hops(99, &outward)).code, 250);
    scene.at_office();
    scene.at_internet();
}

/// What left in one direction may not come in for the same direction again, whatever was done to it; the other
/// direction is open once.
#[test]
fn m6_own_mark_same_organisation_and_direction() {
    if !ready() {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    for outbound in ["neither", "sign-only", "enforce"] {
        let more = rule("optional", outbound) + &correspondent(cast, CAROL);
        let scene = Scene::new("m6-own", &Options::default(), cast, &more).unwrap();
        assert_eq!(scene.mail_out(&mail(ALICE, CAROL, "round")).code, 250);
        let left = scene.at_internet().content;
        assert_loop(&scene.mail_out(&left));
        // A list sends it back to its sender: inbound for the first time.
        assert_eq!(
            send(
                scene.gateway.inbound,
                "list@partner.example",
                &[ALICE],
                &left
            )
            .code,
            250,
            "{outbound}"
        );
        let back = scene.at_office().content;
        assert_eq!(fields(&back, TRACE).len(), 2, "{outbound}");
        assert_loop(&send(
            scene.gateway.inbound,
            "list@partner.example",
            &[ALICE],
            &back,
        ));
        assert_loop(&scene.mail_out(&back));
    }
}

/// Encrypted mail is opened after the 250; the mark is on what was decrypted all the same, and read before.
#[test]
fn m6_own_mark_on_encrypted_mail() {
    if !ready() {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let scene = Scene::new(
        "m6-encrypted",
        &Options::default(),
        cast,
        &rule("optional", "neither"),
    )
    .unwrap();
    let whole = mail(CAROL, ALICE, "secret");
    let to = [cast.alice.certificate.as_path()];
    let encrypted = openssl::encrypt(&entity(&whole), &to, "aes-256-cbc", Writing::Der);
    assert_eq!(scene.mail_in(&with_entity(&whole, &encrypted)).code, 250);
    let arrived = scene.at_office().content;
    assert!(find(&arrived, b"hello").is_some() && field(&arrived, TRACE).is_some());
    assert_loop(&scene.mail_in(&arrived));
    // Encrypted again on its way round: the mark is outside.
    let again = openssl::encrypt(&entity(&arrived), &to, "aes-256-cbc", Writing::Der);
    assert_loop(&scene.mail_in(&with_entity(&arrived, &again)));
}

/// The mark is read however it is written, before fields of ours are taken off; one that we did not make for this mail
/// stops nothing and does not pass.
#[test]
fn m6_marks_rewritten_and_forged() {
    if !ready() {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let scene = Scene::new("m6-forged", &Options::default(), cast, "").unwrap();
    assert_eq!(scene.mail_in(&mail(CAROL, ALICE, "mark")).code, 250);
    let arrived = scene.at_office().content;
    let mark = field(&arrived, TRACE).unwrap();
    let folded = mark.replace(';', ";\r\n\t");
    for written in [
        format!("{TRACE}: {mark}\r\n"),
        format!("x-sealgate-trace: {mark}\r\n"),
        format!("{TRACE}:{folded}\r\n"),
        format!("X-Other: 1\r\n{TRACE}: {mark}\r\n"),
        format!("{TRACE}: organisation=7; direction=inbound; mac=00\r\n{TRACE}: {mark}\r\n"),
    ] {
        let message = [written.as_bytes(), &mail(CAROL, ALICE, "mark")].concat();
        assert_loop(&scene.mail_in(&message));
    }
    let forged = [
        (mail(CAROL, ALICE, "other"), mark.clone()),
        (mail(CAROL, ALICE, "mark"), with_other_end(&mark)),
        (
            mail(CAROL, ALICE, "mark"),
            "organisation=1; direction=inbound".to_owned(),
        ),
    ];
    for (number, (message, value)) in forged.iter().enumerate() {
        let message = [format!("{TRACE}: {value}\r\n").as_bytes(), message].concat();
        assert_eq!(scene.mail_in(&message).code, 250, "{value}");
        let arrived = scene.office.wait_for(number + 2, DELIVERY);
        let marks = fields(&arrived[number + 1].content, TRACE);
        assert!(marks.len() == 1 && marks[0] != *value, "{value}: {marks:?}");
    }
}

/// The same with another last digit.
fn with_other_end(mark: &str) -> String {
    let (rest, last) = mark.split_at(mark.len() - 1);
    format!("{rest}{}", if last == "0" { "1" } else { "0" })
}

const DORA: &str = "dora@second.example";

/// Two organisations on one gateway, each with its mail server; mail for the other goes through the gateway's own door.
struct Two {
    gateway: Gateway,
    first: Sink,
    second: Sink,
    internet: Sink,
}

impl Two {
    fn start() -> Self {
        let cast = Cast::with(KeyKind::P256);
        let (first, second, internet) = (Sink::start(), Sink::start(), Sink::start());
        let mut gateway = Gateway::configured("m6-two", &Options::default(), cast).unwrap();
        let door = |domain: &str| {
            let port = gateway.inbound.port();
            format!("[[destinations]]\ndomain = {domain:?}\nhost = \"127.0.0.1\"\nport = {port}\n")
        };
        let smarthost = format!(
            "[smarthost]\nhost = \"127.0.0.1\"\nport = {}\n",
            internet.address.port()
        );
        let user = |name: &str| {
            format!(
                "[[clients]]\nname = {name:?}\nuser = {name:?}\npassword = \"correct horse battery\"\nmail-server = true\n"
            )
        };
        let one = [
            head(first.address),
            mailbox(ALICE, Mailbox::Active, cast),
            rule("optional", "sign-only"),
            door("second.example"),
            smarthost.clone(),
            user("first"),
        ];
        let other = [
            head(second.address)
                .replace("example.com", "second.example")
                .replace("\"example\"", "\"second\""),
            mailbox(DORA, Mailbox::Inactive, cast),
            door("example.com"),
            smarthost,
            user("second"),
        ];
        gateway.apply(&one.concat());
        gateway.apply(&other.concat());
        gateway.start();
        Self {
            gateway,
            first,
            second,
            internet,
        }
    }

    /// Handed in by the mail server of an organisation, which is its user.
    fn hand_in(&self, user: &str, from: &str, to: &str, message: &[u8]) -> Reply {
        let mut sending = Sending::new(self.gateway.outbound, from, &[to], message);
        sending.starttls = true;
        sending.auth = Some((user.to_owned(), "correct horse battery".to_owned()));
        smtplib(&sending).reply
    }
}

#[test]
fn m6_organisation_to_organisation_passes_once_each() {
    if !ready() {
        return;
    }
    let two = Two::start();
    let reply = two.hand_in("first", ALICE, DORA, &mail(ALICE, DORA, "across"));
    assert_eq!(reply.code, 250, "{reply:?}");
    let there = two.second.wait_for(1, DELIVERY).remove(0).content;
    let text = String::from_utf8_lossy(&there).into_owned();
    // Outbound for the first, inbound for the second: signed by one, verified by the other.
    assert_eq!(fields(&there, TRACE).len(), 2, "{text}");
    assert!(field(&there, "Authentication-Results").is_some(), "{text}");
    // The answer comes back, once each too.
    let reply = two.hand_in("second", DORA, ALICE, &mail(DORA, ALICE, "answer"));
    assert_eq!(reply.code, 250, "{reply:?}");
    assert_eq!(
        fields(&two.first.wait_for(1, DELIVERY)[0].content, TRACE).len(),
        2
    );
    // The second forwards everything to the first: outbound for the second, inbound for the first.
    let reply = two.hand_in("second", DORA, ALICE, &there);
    assert_eq!(reply.code, 250, "{reply:?}");
    let round = two.first.wait_for(2, DELIVERY).remove(1).content;
    assert_eq!(fields(&round, TRACE).len(), 4);
    // The first forwards everything to the second: now it has been everywhere.
    assert_loop(&two.hand_in("first", ALICE, DORA, &round));
    assert_loop(&send(two.gateway.inbound, ALICE, &[DORA], &round));
    assert_loop(&send(two.gateway.inbound, DORA, &[ALICE], &round));
    two.gateway.drained();
    assert_eq!(
        (two.first.received().len(), two.second.received().len()),
        (2, 1)
    );
    assert!(two.internet.received().is_empty());
}
