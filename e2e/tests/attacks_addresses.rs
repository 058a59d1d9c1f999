//! Rows G6 and X5 of security.md over SMTP: which address a certificate binds, and which it only seems to bind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use e2e::attack::{judge, scene, signed, verdicts};
use e2e::cast::{ALICE, CAROL};
use e2e::certificates::{LEAF, MAIL, USAGE, Wanted, make, names, rfc822, utf8_mailbox};
use e2e::client::{Session, stuffed};
use e2e::der::{Node, plain};
use e2e::keys::{Identity, KeyKind, shown};
use e2e::mime::entity;
use e2e::openssl;
use e2e::scene::{DELIVERY, Scene, rule, send};

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
/// Name of the case, subject, alternative names, and what may be said.
type Strange = (
    &'static str,
    &'static str,
    Vec<Node>,
    &'static [&'static str],
);

fn strange_names() -> Vec<Strange> {
    vec![
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
    ]
}

#[test]
fn g6_strange_addresses_over_smtp() {
    let Some(scene) = start("attack-g6") else {
        return;
    };
    let directory = scene.gateway.directory().path();
    let mut made = Vec::new();
    let mut attempts: Vec<_> = strange_names()
        .into_iter()
        .map(|(name, subject, list, expected)| {
            let alternative = names(list);
            let extensions = [LEAF, USAGE, MAIL, alternative.as_str()];
            let wanted = Wanted {
                subject,
                extensions: &extensions,
                ..Wanted::default()
            };
            let identity = make(directory, name, &wanted);
            let attempt = signed(name, BOSS, &identity).signature(expected);
            made.push((identity, expected));
            attempt
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
        let identity = make(directory, name, &wanted);
        attempts.push(signed(name, BOSS, &identity).signature(expected));
        made.push((identity, expected));
    }
    judge(&scene, &attempts);
    assert_keys_of_the_boss(&scene, &made);
}

/// None of those that do not bind become keys of the boss, neither learned nor imported.
fn assert_keys_of_the_boss(scene: &Scene, made: &[(Identity, &[&str])]) {
    let bosses = || {
        let known = scene.gateway.json(&["correspondent", "list"]);
        let rows = known.as_array().unwrap().iter();
        rows.filter(|row| row["address"] == BOSS).count()
    };
    let good = made.iter().filter(|(_, expected)| *expected == VALID);
    let good = good.count();
    assert_eq!(bosses(), good);
    for (identity, expected) in made {
        let file = shown(&identity.certificate);
        let ran = scene.gateway.command(&["correspondent", "import", &file]);
        assert!(ran.good || *expected != VALID, "{file}: {}", ran.err);
        assert!(ran.good || !ran.err.is_empty(), "{file}");
    }
    assert_eq!(bosses(), good);
    let message = format!("From: {ALICE}\r\nTo: {BOSS}\r\nSubject: s\r\n\r\nhello\r\n");
    let reply = send(scene.gateway.outbound, ALICE, &[BOSS], message.as_bytes());
    assert_eq!(reply.code, 250, "{reply:?}");
    let sent = entity(&scene.at_internet().content);
    let mut readers = 0;
    for (identity, expected) in made {
        let reads = openssl::decrypt(&sent, identity).is_ok();
        assert!(!reads || *expected == VALID, "{:?}", identity.certificate);
        readers += usize::from(reads);
    }
    assert!(readers >= 1);
}

/// From, subject, alternative names, and whether the signature is that of the author.
type Match = (
    &'static str,
    &'static str,
    Vec<Node>,
    &'static [&'static str],
);

/// Which From matches which name of a certificate.
fn matches() -> Vec<Match> {
    let plain = |all: &[&str]| all.iter().map(|one| rfc822(one)).collect::<Vec<_>>();
    let dora = "dora@third.example";
    let in_dn = "/CN=Dora/emailAddress=dora@third.example";
    vec![
        (dora, "/CN=x", plain(&[dora]), VALID),
        ("dora@THIRD.example", "/CN=x", plain(&[dora]), VALID),
        (dora, "/CN=x", plain(&["dora@Third.Example"]), VALID),
        ("Dora@third.example", "/CN=x", plain(&[dora]), VALID),
        (dora, "/CN=x", plain(&["DORA@third.example"]), VALID),
        (
            dora,
            "/CN=x",
            plain(&["a@third.example", dora, "b@third.example"]),
            VALID,
        ),
        // Only in the subject; and there beside names that are no addresses.
        (dora, in_dn, vec![], VALID),
        ("Dora@third.example", in_dn, vec![], VALID),
        ("dora@THIRD.example", in_dn, vec![], VALID),
        (
            dora,
            "/CN=Dora/emailAddress=Dora@Third.example",
            vec![],
            VALID,
        ),
        ("bora@third.example", in_dn, vec![], NOT_BOUND),
        (dora, in_dn, plain(&["bora@third.example"]), NOT_BOUND),
        (dora, "/CN=dora@third.example", vec![], NOT_BOUND),
        ("dora@sub.third.example", "/CN=x", plain(&[dora]), NOT_BOUND),
        (dora, "/CN=x", plain(&["dora@sub.third.example"]), NOT_BOUND),
        (dora, "/CN=x", plain(&["dora@third.example.x"]), NOT_BOUND),
        ("dor@third.example", "/CN=x", plain(&[dora]), NOT_BOUND),
        ("dora+x@third.example", "/CN=x", plain(&[dora]), NOT_BOUND),
        (dora, "/CN=x", plain(&["third.example"]), NOT_BOUND),
        // RFC 9598: local parts beyond ASCII, and the two forms of a domain.
        (
            "j\u{fc}rgen@third.example",
            "/CN=x",
            vec![utf8_mailbox("j\u{fc}rgen@third.example")],
            VALID,
        ),
        (
            "jurgen@third.example",
            "/CN=x",
            vec![utf8_mailbox("j\u{fc}rgen@third.example")],
            NOT_BOUND,
        ),
        (
            "ju\u{308}rgen@third.example",
            "/CN=x",
            vec![utf8_mailbox("jurgen@third.example")],
            NOT_BOUND,
        ),
        (
            "dora@b\u{fc}cher.example",
            "/CN=x",
            plain(&["dora@xn--bcher-kva.example"]),
            VALID,
        ),
        (
            "dora@xn--bcher-kva.example",
            "/CN=x",
            plain(&["dora@xn--bcher-kva.example"]),
            VALID,
        ),
        (
            "j\u{fc}rgen@xn--bcher-kva.example",
            "/CN=x",
            vec![utf8_mailbox("j\u{fc}rgen@b\u{fc}cher.example")],
            VALID,
        ),
        (
            "j\u{fc}rgen@b\u{fc}cher.example",
            "/CN=x",
            vec![
                rfc822("other@x.example"),
                utf8_mailbox("j\u{fc}rgen@b\u{fc}cher.example"),
            ],
            VALID,
        ),
        (
            "dora@bucher.example",
            "/CN=x",
            plain(&["dora@xn--bcher-kva.example"]),
            NOT_BOUND,
        ),
    ]
}

/// Hands one mail in with 8-bit fields, signed with a certificate of these names, and gives the verdict; `count` mails have
/// arrived then.
fn verdict_of(
    scene: &Scene,
    count: usize,
    (from, subject, list): (&str, &str, Vec<Node>),
) -> String {
    let alternative = (!list.is_empty()).then(|| names(list));
    let mut extensions = vec![LEAF, USAGE, MAIL];
    extensions.extend(alternative.as_deref());
    let wanted = Wanted {
        subject,
        extensions: &extensions,
        ..Wanted::default()
    };
    let name = format!("x5-{count}");
    let identity = make(scene.gateway.directory().path(), &name, &wanted);
    let mail = signed(&name, from, &identity);
    let mut session = Session::connect(scene.gateway.inbound).unwrap();
    session.command("EHLO client.example").unwrap();
    session
        .command(&format!("MAIL FROM:<{CAROL}> BODY=8BITMIME SMTPUTF8"))
        .unwrap();
    session.command(&format!("RCPT TO:<{ALICE}>")).unwrap();
    session.command("DATA").unwrap();
    session.send(&stuffed(&mail.message)).unwrap();
    assert_eq!(session.reply().unwrap().code, 250, "{from}");
    let arrived = scene.office.wait_for(count, DELIVERY);
    verdicts(&arrived[count - 1].content).0
}

#[test]
fn x5_matching_addresses_over_smtp() {
    let Some(scene) = start("attack-x5") else {
        return;
    };
    for (number, (from, subject, list, expected)) in matches().into_iter().enumerate() {
        let told = verdict_of(&scene, number + 1, (from, subject, list));
        assert!(
            expected.contains(&told.as_str()),
            "{number}, {from}: {told}"
        );
    }
}

/// RFC 8550 section 3 asks not to look at the case of a local part; an administrator may ask for it.
#[test]
fn x5_local_parts_in_their_case_over_smtp() {
    let exact = [
        rule("optional", "optional").as_str(),
        "[settings]\nexact-local-parts = true\n",
    ]
    .concat();
    let Some(scene) = scene("attack-x5-exact", KeyKind::P256, &exact) else {
        return;
    };
    let in_dn = "/CN=Dora/emailAddress=dora@third.example";
    let plain = |one: &str| vec![rfc822(one)];
    let table: [(&str, &str, Vec<Node>, &[&str]); 7] = [
        (
            "dora@third.example",
            "/CN=x",
            plain("dora@third.example"),
            VALID,
        ),
        (
            "dora@THIRD.example",
            "/CN=x",
            plain("dora@third.example"),
            VALID,
        ),
        (
            "Dora@third.example",
            "/CN=x",
            plain("Dora@third.example"),
            VALID,
        ),
        (
            "Dora@third.example",
            "/CN=x",
            plain("dora@third.example"),
            NOT_BOUND,
        ),
        (
            "dora@third.example",
            "/CN=x",
            plain("Dora@third.example"),
            NOT_BOUND,
        ),
        ("dora@third.example", in_dn, vec![], VALID),
        ("Dora@third.example", in_dn, vec![], NOT_BOUND),
    ];
    for (number, (from, subject, list, expected)) in table.into_iter().enumerate() {
        let told = verdict_of(&scene, number + 1, (from, subject, list));
        assert!(
            expected.contains(&told.as_str()),
            "{number}, {from}: {told}"
        );
    }
}
