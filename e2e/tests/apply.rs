//! `apply`: an organisation becomes exactly what a file describes, live at once, or nothing changes at all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use e2e::case::Mailbox;
use e2e::cast::{ALICE, CAROL, Cast, STRANGER};
use e2e::gateway::{Gateway, Options, head, mailbox, program, tail};
use e2e::keys::{self, KeyKind, PASSWORD, shown};
use e2e::mime::{Form, form};
use e2e::place::workspace;
use e2e::program::{Ran, must_run, present, python};
use e2e::scene::{DELIVERY, Scene, correspondent, rule, send};
use e2e::sink::Sink;
use serde_json::Value;

fn gateway(name: &str) -> Option<(Gateway, &'static Cast)> {
    if program().is_none() || !present(&["openssl", "python3"]) {
        return None;
    }
    let cast = Cast::with(KeyKind::P256);
    Some((Gateway::configured(name, &Options::default(), cast)?, cast))
}

/// Everything the database holds, as SQL.
fn dump(gateway: &Gateway) -> String {
    const PROGRAM: &str = "import sqlite3, sys\n\
        for line in sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True).iterdump(): print(line)";
    let database = shown(&gateway.data().join("sealgate.db"));
    let out = must_run(&python(), &["-c", PROGRAM, &database], b"");
    String::from_utf8(out).unwrap()
}

fn apply(gateway: &Gateway, name: &str, description: &str, more: &[&str]) -> Ran {
    let file = shown(&gateway.directory().file(name, description));
    gateway.command(&[&["apply", file.as_str()], more].concat())
}

fn changes(gateway: &Gateway, name: &str, description: &str, more: &[&str]) -> Vec<String> {
    let file = shown(&gateway.directory().file(name, description));
    let answer = gateway.json(&[&["apply", file.as_str()], more].concat());
    serde_json::from_value(answer["changes"].clone()).unwrap()
}

/// The block of docs/apply.md that shows everything a file may say.
fn documented() -> String {
    let text = fs::read_to_string(workspace().join("docs/apply.md")).unwrap();
    let (_, rest) = text.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// The files that the documented example names.
fn documented_files(gateway: &Gateway, cast: &Cast) {
    let directory = gateway.directory();
    let bob = keys::mailbox(
        directory.path(),
        &cast.own_authority,
        "bob@example.com",
        KeyKind::P256,
    );
    for (name, file) in [
        ("bob.p12", &bob.pkcs12(&cast.own_authority)),
        ("carol.pem", &cast.carol.certificate),
        ("partner-ca.pem", &cast.partner_authority.certificate),
        ("branch.pem", &cast.server.certificate),
        ("former-ca.pem", &cast.own_authority.certificate),
    ] {
        directory.file(name, fs::read(file).unwrap());
    }
}

#[test]
fn apply_takes_the_documented_example_as_toml_and_json() {
    let Some((gateway, cast)) = gateway("documented") else {
        return;
    };
    documented_files(&gateway, cast);
    let text = documented();
    let value: toml::Value = toml::from_str(&text).unwrap();
    for section in [
        "organisation",
        "settings",
        "routes",
        "rules",
        "correspondents",
        "trust-roots",
        "blocked",
        "partners",
        "destinations",
        "smarthost",
        "clients",
    ] {
        assert!(value.get(section).is_some(), "{section} is not documented");
    }
    let json = serde_json::to_string_pretty(&value).unwrap();
    // What would change is what then changes; after that nothing does, in either form.
    let would = changes(&gateway, "all.json", &json, &["--dry-run"]);
    assert_eq!(would.first().unwrap(), "create organisation example");
    assert_eq!(
        gateway.json(&["organisation", "list"]),
        Value::Array(vec![])
    );
    assert_eq!(changes(&gateway, "all.toml", &text, &[]), would);
    let before = dump(&gateway);
    for (name, text) in [("all.toml", &text), ("all.json", &json)] {
        assert_eq!(changes(&gateway, name, text, &[]), [] as [&str; 0]);
        let ran = apply(&gateway, name, text, &[]);
        assert_eq!(ran.text(), "example is already as described\n");
    }
    assert_eq!(dump(&gateway), before);

    let mailboxes = gateway.json(&["mailbox", "list"]);
    let states: Vec<_> = mailboxes
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["state"])
        .collect();
    assert_eq!(states, ["active", "active"], "{mailboxes}");
    let correspondents = gateway.json(&["correspondent", "list"]);
    assert_eq!(correspondents[0]["address"], CAROL);
    let rules = gateway.json(&["rule", "list"]);
    assert_eq!(rules[0]["external"], "partner.example");
    assert_eq!(rules[0]["outbound"], "enforce");
}

#[test]
fn apply_dry_run_prints_and_changes_nothing() {
    let Some((gateway, cast)) = gateway("dry-run") else {
        return;
    };
    documented_files(&gateway, cast);
    let text = documented();
    gateway.command(&["check"]);
    let empty = dump(&gateway);
    let ran = apply(&gateway, "all.toml", &text, &["--dry-run"]);
    assert!(ran.good, "{}", ran.err);
    assert!(
        ran.text()
            .starts_with("example would change:\n  create organisation example\n")
    );
    assert!(ran.text().ends_with("nothing was changed\n"));
    assert!(!ran.text().contains(PASSWORD), "a password is shown");
    assert_eq!(dump(&gateway), empty);

    gateway.apply(&text);
    let full = dump(&gateway);
    assert!(!full.contains(PASSWORD), "a password is in clear");
    let less = "organisation = \"example\"\n";
    let would = changes(&gateway, "less.toml", less, &["--dry-run"]);
    assert_eq!(dump(&gateway), full);
    for word in [
        "remove mailbox alice@example.com",
        "remove mailbox bob@example.com",
        "remove inbound route office",
        "set the list of rules: 0 rules",
        "remove trust root",
        "no longer block sha256:",
        "remove partner grid.example",
        "remove public key",
        "send mail for partner.example like all other mail",
        "send mail to the servers of its domain (MX)",
        "remove sending client mail server",
        "remove sending client newsletter",
    ] {
        assert!(
            would.iter().any(|line| line.starts_with(word)),
            "{word}: {would:?}"
        );
    }
    // A rehearsal finds what only the store knows.
    gateway.apply("organisation = \"other\"\n[[routes]]\nname = \"o\"\ndomains = [\"other.example\"]\ntarget = { host = \"h\" }\n");
    let claims = text.replace(
        "\"example.com\"]\nwildcard",
        "\"example.com\", \"other.example\"]\nwildcard",
    );
    let ran = apply(&gateway, "claims.toml", &claims, &["--dry-run"]);
    assert!(
        !ran.good && ran.err.contains("belongs to another organisation"),
        "{}",
        ran.err
    );
}

#[test]
fn apply_removes_what_is_no_longer_described() {
    let Some((gateway, cast)) = gateway("removal") else {
        return;
    };
    documented_files(&gateway, cast);
    gateway.apply(&documented());
    gateway.apply("organisation = \"example\"\n");
    for list in ["route", "mailbox", "correspondent", "rule"] {
        assert_eq!(
            gateway.json(&[list, "list"]),
            Value::Array(vec![]),
            "{list}"
        );
    }
    let sql = dump(&gateway);
    for table in [
        "routes",
        "route_domains",
        "rules",
        "clients",
        "destinations",
        "trust_roots",
        "correspondents",
    ] {
        assert!(
            !sql.contains(&format!("INSERT INTO \"{table}\"")),
            "{table} is not empty"
        );
    }
    // Keys stay for decryption (A9).
    assert!(sql.contains("INSERT INTO \"keys\""));
    // The uploaded certificate is to be revoked, and until it is the mailbox cannot come back (A12, A13).
    let back = apply(&gateway, "back.toml", &documented(), &[]);
    assert!(back.err.contains("is being deactivated"), "{}", back.err);
    let confirmed = gateway.command(&["mailbox", "confirm-revoked", "bob@example.com"]);
    assert!(confirmed.good, "{}", confirmed.err);
    assert!(!dump(&gateway).contains("INSERT INTO \"mailboxes\""));
    let back = apply(&gateway, "back.toml", &documented(), &[]);
    assert!(back.err.contains("was revoked"), "{}", back.err);
}

#[test]
fn apply_is_live_for_the_next_mail() {
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let Some(scene) = Scene::new("live", &Options::default(), cast, "") else {
        return;
    };
    let mail =
        format!("From: {ALICE}\r\nTo: {STRANGER}\r\nSubject: live\r\n\r\ntext\r\n").into_bytes();
    for round in 0..5 {
        for (mode, code) in [("enforce", 550), ("sign-only", 250), ("neither", 250)] {
            let more = rule("not-defined", mode);
            let text = Scene::description(cast, &more, &scene.office, &scene.internet);
            let ran = apply(&scene.gateway, "live.toml", &text, &[]);
            assert!(
                ran.text().contains("live: the next mail"),
                "{}{}",
                ran.text(),
                ran.err
            );
            let reply = send(scene.gateway.outbound, ALICE, &[STRANGER], &mail);
            assert_eq!(reply.code, code, "round {round}, {mode}: {reply:?}");
        }
    }
    let received = scene.internet.wait_for(10, DELIVERY);
    let signed = received
        .iter()
        .filter(|mail| form(&mail.content) == Form::Signed);
    assert_eq!((received.len(), signed.count()), (10, 5));
}

/// Descriptions that cannot be applied, each with a word of its one line.
fn impossible(
    good: &str,
    cast: &Cast,
    directory: &e2e::place::Directory,
) -> Vec<(String, &'static str)> {
    let entries = (0..21)
        .map(|n| format!("a{n}.example"))
        .collect::<Vec<_>>()
        .join(", ");
    let wildcard = keys::with_extensions(
        directory.path(),
        &cast.partner_authority,
        "domain",
        "subjectAltName = email:*@partner.example\n",
    );
    let alice = shown(&cast.alice.pkcs12(&cast.own_authority));
    let built_in = good.replace("[[routes]]", "[[routes]]\n").replace(
        &format!("pkcs12 = {alice:?}\npassword = {PASSWORD:?}"),
        "key = \"p-256\"",
    );
    let claim =
        "[[routes]]\nname = \"second\"\ndomains = [\"taken.example\"]\ntarget = { host = \"h\" }\n";
    let after = |more: &str| good.to_owned() + more;
    vec![
        (
            after(claim),
            "taken.example belongs to another organisation",
        ),
        (
            built_in.clone() + claim,
            "taken.example belongs to another organisation",
        ),
        (
            after(
                "[[clients]]\nname = \"news\"\nuser = \"theirs\"\npassword = \"another secret\"\n",
            ),
            "choose another user name",
        ),
        (
            after("[[correspondents]]\ncertificate = \"missing.pem\"\n"),
            "missing.pem",
        ),
        (
            after(&format!(
                "[[correspondents]]\ncertificate = {:?}\n",
                shown(&wildcard.certificate)
            )),
            "domain",
        ),
        (
            after(&format!(
                "[[rules]]\nmanaged = \"all\"\nexternal = {entries:?}\n"
            )),
            "21 entries",
        ),
        (
            good.replace(&format!("{PASSWORD:?}"), "\"wrong\""),
            "password",
        ),
        (
            good.replace(ALICE, "bob@example.com"),
            "is not for bob@example.com",
        ),
        (
            good.replace(
                "password = \"secret\"",
                "password-file = \"missing.password\"",
            ),
            "missing.password",
        ),
        (
            good.replace("state = \"active\"\n", "state = \"inactive\"\n"),
            "write state = \"active\"",
        ),
        (
            good.replace(
                "[[routes.mailboxes]]\n",
                "[[routes.mailboxes]]\naliases = [\"nobody@example.com\"]\n",
            ),
            "nobody@example.com is no known mailbox",
        ),
        (
            good.replace(
                "[[routes.mailboxes]]\n",
                "[[routes.mailboxes]]\naddress = \"x@far.example\"\n[[routes.mailboxes]]\n",
            ),
            "x@far.example is in no domain of route office",
        ),
        (
            after(
                "[[routes]]\nname = \"office\"\ndomains = [\"more.example\"]\ntarget = { host = \"h\" }\n",
            ),
            "route office is described twice",
        ),
        (
            after(
                "[[routes]]\nname = \"second\"\ndomains = [\"example.com\"]\ntarget = { host = \"h\" }\n",
            ),
            "inbound route",
        ),
        (
            after("[[clients]]\nname = \"loopback\"\nnetworks = [\"10.0.0.1/32\"]\n"),
            "client loopback is described twice",
        ),
        (after("[[clients]]\nname = \"nothing\"\n"), "client nothing"),
        (after("[settings]\nlanguage = \"fr\"\n"), "line"),
        (after("[surprise]\n"), "surprise"),
        (
            good.replace("organisation = \"", "organisation = \"two words "),
            "one word",
        ),
    ]
}

#[test]
fn apply_that_fails_leaves_everything_as_it_was() {
    let Some((gateway, cast)) = gateway("failing") else {
        return;
    };
    let sink = Sink::start();
    gateway.apply("organisation = \"other\"\n[[routes]]\nname = \"o\"\ndomains = [\"taken.example\"]\ntarget = { host = \"h\" }\n[[clients]]\nname = \"news\"\nuser = \"theirs\"\npassword = \"their secret\"\n");
    let good = [
        head(sink.address),
        mailbox(ALICE, Mailbox::Active, cast),
        correspondent(cast, CAROL),
        tail(cast, sink.address),
    ]
    .concat();
    let all = impossible(&good, cast, gateway.directory());
    // First for an organisation that is not there yet, then for one that is.
    for there in [false, true] {
        if there {
            gateway.apply(&good);
        }
        let before = dump(&gateway);
        for (description, word) in &all {
            assert_ne!(*description, good, "{word}");
            for more in [&[][..], &["--dry-run"], &["--json"]] {
                let ran = apply(&gateway, "bad.toml", description, more);
                assert_eq!(ran.code, Some(1), "{word}: {}{}", ran.text(), ran.err);
                assert_eq!(ran.err.lines().count(), 1, "{word}: {}", ran.err);
                assert!(ran.err.contains(word), "{word}: {}", ran.err);
                assert!(ran.out.is_empty(), "{word}: {}", ran.text());
                assert!(dump(&gateway) == before, "{word}: something changed");
            }
        }
    }
}
