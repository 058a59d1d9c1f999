//! Rows G6 and X5 of security.md over SMTP: which address a certificate binds, and which it only seems to bind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use e2e::attack::{judge, scene, signed, verdicts};
use e2e::cast::{ALICE, CAROL};
use e2e::certificates::{LEAF, MAIL, USAGE, Wanted, make, names, rfc822, utf8_mailbox};
use e2e::client::{Session, stuffed};
use e2e::der::{Node, plain};
use e2e::keys::KeyKind;
use e2e::scene::{DELIVERY, Scene, rule};

const BOSS: &str = "boss@x.example";

fn start(name: &str) -> Option<Scene> {
    scene(name, KeyKind::P256, &rule("optional", "optional"))
}

const VALID: &[&str] = &["valid"];
/// What may be said where the signature is good and the address is nobody's.
const NOT_BOUND: &[&str] = &[
    "valid-other-address",
    "valid-no-address",
    "untrusted",
    "broken",
    "unsupported",
];
#[test]
fn g6_strange_addresses_over_smtp() {
    let Some(scene) = start("attack-g6") else {
        return;
    };
    let directory = scene.gateway.directory().path();
    let table: [(&str, &str, Vec<Node>, &[&str]); 21] = [
        ("good", "/CN=x", vec![rfc822(BOSS)], VALID),
        (
            "second",
            "/CN=x",
            vec![rfc822("other@x.example"), rfc822(BOSS)],
            VALID,
        ),
        (
            "blank-before",
            "/CN=x",
            vec![rfc822(" boss@x.example")],
            NOT_BOUND,
        ),
        (
            "blank-behind",
            "/CN=x",
            vec![rfc822("boss@x.example ")],
            NOT_BOUND,
        ),
        ("tab", "/CN=x", vec![rfc822("boss@x.example\t")], NOT_BOUND),
        (
            "line",
            "/CN=x",
            vec![rfc822("boss@x.example\r\n")],
            NOT_BOUND,
        ),
        (
            "nul",
            "/CN=x",
            vec![rfc822("boss@x.example\0.evil")],
            NOT_BOUND,
        ),
        (
            "nul-last",
            "/CN=x",
            vec![rfc822("boss@x.example\0")],
            NOT_BOUND,
        ),
        (
            "comma",
            "/CN=x",
            vec![rfc822("boss@x.example,evil@y")],
            NOT_BOUND,
        ),
        (
            "quoted",
            "/CN=x",
            vec![rfc822("\"boss@x.example\"@evil")],
            NOT_BOUND,
        ),
        (
            "blank-inside",
            "/CN=x",
            vec![rfc822("boss @x.example")],
            NOT_BOUND,
        ),
        (
            "angle",
            "/CN=x",
            vec![rfc822("<boss@x.example>")],
            NOT_BOUND,
        ),
        (
            "display",
            "/CN=x",
            vec![rfc822("Boss <boss@x.example>")],
            NOT_BOUND,
        ),
        (
            "look-alike",
            "/CN=x",
            vec![utf8_mailbox("b\u{43e}ss@x.example")],
            NOT_BOUND,
        ),
        (
            "look-alike-ia5",
            "/CN=x",
            vec![rfc822("b\u{43e}ss@x.example")],
            NOT_BOUND,
        ),
        ("dot", "/CN=x", vec![rfc822("boss@x.example.")], NOT_BOUND),
        (
            "uri",
            "/CN=x",
            vec![plain(0x86, b"mailto:boss@x.example")],
            NOT_BOUND,
        ),
        (
            "dns",
            "/CN=x",
            vec![plain(0x82, b"boss@x.example")],
            NOT_BOUND,
        ),
        (
            "common-name",
            "/CN=boss@x.example",
            vec![rfc822("other@x.example")],
            NOT_BOUND,
        ),
        (
            "dn-beside-san",
            "/CN=x/emailAddress=boss@x.example",
            vec![rfc822("other@x.example")],
            NOT_BOUND,
        ),
        ("wildcard", "/CN=x", vec![rfc822("*@x.example")], NOT_BOUND),
    ];
    let mut attempts: Vec<_> = table
        .into_iter()
        .map(|(name, subject, list, expected)| {
            let alternative = names(list);
            let extensions = [LEAF, USAGE, MAIL, alternative.as_str()];
            let wanted = Wanted {
                subject,
                extensions: &extensions,
                ..Wanted::default()
            };
            signed(name, BOSS, &make(directory, name, &wanted)).signature(expected)
        })
        .collect();
    for (name, subject, expected) in [
        ("only-dn", "/CN=x/emailAddress=boss@x.example", VALID),
        ("only-common-name", "/CN=boss@x.example", NOT_BOUND),
        (
            "dn-twice",
            "/CN=x/emailAddress=boss@x.example/emailAddress=evil@y.example",
            NOT_BOUND,
        ),
        (
            "dn-twice-turned",
            "/CN=x/emailAddress=evil@y.example/emailAddress=boss@x.example",
            NOT_BOUND,
        ),
        ("dn-blank", "/CN=x/emailAddress=boss@x.example ", NOT_BOUND),
    ] {
        let wanted = Wanted {
            subject,
            ..Wanted::default()
        };
        attempts.push(signed(name, BOSS, &make(directory, name, &wanted)).signature(expected));
    }
    judge(&scene, &attempts);
}

/// Which From matches which name of a certificate.
#[test]
fn x5_matching_addresses_over_smtp() {
    let Some(scene) = start("attack-x5") else {
        return;
    };
    let directory = scene.gateway.directory().path();
    let table: [(&str, Vec<Node>, &[&str]); 12] = [
        (
            "dora@third.example",
            vec![rfc822("dora@third.example")],
            VALID,
        ),
        (
            "dora@THIRD.example",
            vec![rfc822("dora@third.example")],
            VALID,
        ),
        (
            "dora@third.example",
            vec![rfc822("dora@Third.Example")],
            VALID,
        ),
        (
            "Dora@third.example",
            vec![rfc822("dora@third.example")],
            VALID,
        ),
        (
            "dora@third.example",
            vec![
                rfc822("a@third.example"),
                rfc822("dora@third.example"),
                rfc822("b@third.example"),
            ],
            VALID,
        ),
        (
            "dora@sub.third.example",
            vec![rfc822("dora@third.example")],
            NOT_BOUND,
        ),
        (
            "dora@third.example",
            vec![rfc822("dora@sub.third.example")],
            NOT_BOUND,
        ),
        (
            "dor@third.example",
            vec![rfc822("dora@third.example")],
            NOT_BOUND,
        ),
        (
            "dora+x@third.example",
            vec![rfc822("dora@third.example")],
            NOT_BOUND,
        ),
        (
            "j\u{fc}rgen@third.example",
            vec![utf8_mailbox("j\u{fc}rgen@third.example")],
            VALID,
        ),
        (
            "jurgen@third.example",
            vec![utf8_mailbox("j\u{fc}rgen@third.example")],
            NOT_BOUND,
        ),
        (
            "dora@b\u{fc}cher.example",
            vec![rfc822("dora@xn--bcher-kva.example")],
            VALID,
        ),
    ];
    for (number, (from, list, expected)) in table.into_iter().enumerate() {
        let alternative = names(list);
        let extensions = [LEAF, USAGE, MAIL, alternative.as_str()];
        let identity = make(
            directory,
            &format!("x5-{number}"),
            &Wanted {
                extensions: &extensions,
                ..Wanted::default()
            },
        );
        let mail = signed(&format!("x5-{number}"), from, &identity);
        let mut session = Session::connect(scene.gateway.inbound).unwrap();
        session.command("EHLO client.example").unwrap();
        session
            .command(&format!("MAIL FROM:<{CAROL}> BODY=8BITMIME SMTPUTF8"))
            .unwrap();
        session.command(&format!("RCPT TO:<{ALICE}>")).unwrap();
        session.command("DATA").unwrap();
        session.send(&stuffed(&mail.message)).unwrap();
        assert_eq!(session.reply().unwrap().code, 250, "{from}");
        let arrived = scene.office.wait_for(number + 1, DELIVERY);
        let (told, _) = verdicts(&arrived[number].content);
        assert!(
            expected.contains(&told.as_str()),
            "{number}, {from}: {told}"
        );
    }
}
