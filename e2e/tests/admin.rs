//! The admin verbs, each with and without `--json`, their refusals, and the documentation of the command line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::time::{Duration, Instant};

use e2e::case::Mailbox;
use e2e::cast::{ALICE, CAROL, Cast, STRANGER};
use e2e::gateway::{Gateway, Options, program};
use e2e::keys::{self, KeyKind, PASSWORD, shown};
use e2e::mime::{entity, with_entity};
use e2e::openssl::{self, Writing};
use e2e::place::workspace;
use e2e::program::{Ran, present, run};
use e2e::scene::{DELIVERY, Scene, correspondent, send};
use e2e::sink::Behaviour;
use serde_json::{Value, json};

const BOB: &str = "bob@example.com";

/// A configured gateway that does not run.
fn gateway(name: &str) -> Option<(Gateway, &'static Cast)> {
    if program().is_none() || !present(&["openssl"]) {
        return None;
    }
    let cast = Cast::with(KeyKind::P256);
    Some((Gateway::configured(name, &Options::default(), cast)?, cast))
}

fn with_route(name: &str) -> Option<(Gateway, &'static Cast)> {
    let (gateway, cast) = gateway(name)?;
    says(&gateway, "organisation create one");
    says(&gateway, "route add office --domain example.com --host h");
    Some((gateway, cast))
}

/// Runs a verb that must succeed; gives what it prints for people.
fn says(gateway: &Gateway, line: &str) -> String {
    let ran = gateway.command(&line.split(' ').collect::<Vec<_>>());
    assert!(ran.good, "{line}: {}", ran.err);
    assert_eq!(ran.err, "", "{line}");
    ran.text()
}

/// The same, and what it prints begins so.
fn begins(gateway: &Gateway, line: &str, words: &str) {
    let text = says(gateway, line);
    assert!(text.starts_with(words), "{line}: {text}");
}

/// Runs a verb with `--json`.
fn answers(gateway: &Gateway, line: &str) -> Value {
    gateway.json(&line.split(' ').collect::<Vec<_>>())
}

fn rows(gateway: &Gateway, line: &str) -> Vec<Value> {
    answers(gateway, line).as_array().unwrap().clone()
}

/// Runs a verb that must be refused, the same with `--json`: one line that holds `word`, exit code 1.
fn refuses(gateway: &Gateway, line: &str, word: &str) {
    refuses_all(gateway, &line.split(' ').collect::<Vec<_>>(), word);
}

fn refuses_all(gateway: &Gateway, arguments: &[&str], word: &str) {
    for more in [&[][..], &["--json"]] {
        let all = [arguments, more].concat();
        let ran = gateway.command(&all);
        assert_eq!(ran.code, Some(1), "{all:?}: {}{}", ran.text(), ran.err);
        assert!(ran.out.is_empty(), "{all:?}: {}", ran.text());
        assert_eq!(ran.err.lines().count(), 1, "{all:?}: {}", ran.err);
        assert!(
            ran.err.contains(word),
            "{all:?}: no `{word}` in {}",
            ran.err
        );
    }
}

#[test]
fn admin_organisations() {
    let Some((gateway, _)) = gateway("organisations") else {
        return;
    };
    refuses(&gateway, "route list", "sealgate organisation create");
    begins(
        &gateway,
        "organisation create one",
        "organisation one created\n",
    );
    let made = answers(&gateway, "organisation create two --language de");
    assert_eq!(made, json!({ "organisation": "two" }));
    refuses(&gateway, "organisation create one", "already");
    refuses_all(&gateway, &["organisation", "create", "a b"], "one word");
    assert_eq!(says(&gateway, "organisation list"), "one\ntwo\n");
    assert_eq!(
        answers(&gateway, "organisation list"),
        json!(["one", "two"])
    );
    refuses(&gateway, "route list", "one of one, two");
    refuses(&gateway, "route list -o three", "no organisation \"three\"");
}

#[test]
fn admin_switches() {
    let Some((gateway, _)) = with_route("switches") else {
        return;
    };
    let shown = answers(&gateway, "organisation settings");
    assert_eq!(shown["public-roots"], true);
    assert_eq!(shown["calendar"], "like-all");
    let text = says(
        &gateway,
        "organisation settings --set subject-tags=on --set tnef=leave",
    );
    assert!(
        text.starts_with("set switches: subject-tags on, tnef leave\n"),
        "{text}"
    );
    let again = says(&gateway, "organisation settings --set tnef=leave");
    assert_eq!(again, "one is already as described\n");
    let table = says(&gateway, "organisation settings -o one");
    for (name, value) in [("subject-tags", "on"), ("tnef", "leave"), ("legacy", "off")] {
        let row = table.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(row.ends_with(value), "{row}");
    }
    for (line, word) in [
        ("organisation settings --set tnef=perhaps", "`sign-only`"),
        (
            "organisation settings --set legacy=yes",
            "legacy is on or off",
        ),
        (
            "organisation settings --set colour=red",
            "the switches are all-or-nothing",
        ),
        ("organisation settings --set legacy", "SWITCH=VALUE"),
        ("organisation create three --set revocation=never", "`hard`"),
    ] {
        refuses(&gateway, line, word);
    }
    says(
        &gateway,
        "organisation create two --language de --set revocation=hard",
    );
    let two = answers(&gateway, "organisation settings -o two");
    assert_eq!(
        (&two["language"], &two["revocation"]),
        (&json!("de"), &json!("hard"))
    );
}

#[test]
fn admin_partners() {
    let Some((gateway, _)) = with_route("partners") else {
        return;
    };
    begins(
        &gateway,
        "partner add grid.example edi-energy",
        "set profile of partner grid.example: edi-energy\n",
    );
    says(&gateway, "partner add a@grid.example modern");
    says(&gateway, "partner add grid.example legacy");
    assert_eq!(
        answers(&gateway, "partner list"),
        json!([
            { "external": "a@grid.example", "profile": "modern" },
            { "external": "grid.example", "profile": "legacy" },
        ])
    );
    begins(
        &gateway,
        "partner list",
        "EXTERNAL        PROFILE\na@grid.example  modern\n",
    );
    begins(
        &gateway,
        "partner remove grid.example",
        "remove partner grid.example\n",
    );
    assert_eq!(rows(&gateway, "partner list").len(), 1);
    refuses(
        &gateway,
        "partner remove grid.example",
        "there is no partner grid.example",
    );
    let description =
        "organisation = \"one\"\n[[partners]]\nexternal = \"grid.example\"\nprofile = \"edi\"\n";
    let file = shown(&gateway.directory().file("bad.toml", description));
    refuses_all(
        &gateway,
        &["apply", &file],
        "`default`, `modern`, `edi-energy`, `legacy`",
    );
    let twice = "organisation = \"one\"\npartners = [{ external = \"g.example\", profile = \"modern\" }, { external = \"g.example\", profile = \"modern\" }]\n";
    let file = shown(&gateway.directory().file("twice.toml", twice));
    refuses_all(
        &gateway,
        &["apply", &file],
        "partner g.example is described twice",
    );
}

#[test]
fn admin_trust() {
    let Some((gateway, cast)) = with_route("trust") else {
        return;
    };
    let root = shown(&cast.partner_authority.certificate);
    let other = shown(&cast.carol.certificate);
    let say = |arguments: &[&str]| {
        let ran = gateway.command(arguments);
        assert!(ran.good, "{}", ran.err);
        ran.text()
    };
    assert!(say(&["trust", "add", &root]).starts_with("add trust root "));
    assert!(say(&["trust", "block", &other]).starts_with("never trust "));
    let print = "ab".repeat(32);
    let colons = vec!["AB"; 32].join(":");
    assert!(
        say(&["trust", "block", "--sha256", &colons])
            .starts_with(&format!("never trust sha256:{print}\n"))
    );
    let listed = answers(&gateway, "trust list");
    assert_eq!(listed["public_roots"], true);
    assert_eq!(listed["roots"].as_array().unwrap().len(), 1);
    assert_eq!(listed["blocked"].as_array().unwrap().len(), 2);
    assert!(listed["blocked"][1]["subject"].is_null() || listed["blocked"][0]["subject"].is_null());
    let table = says(&gateway, "trust list");
    assert!(
        table.contains(&print) && table.ends_with("public roots: yes\n"),
        "{table}"
    );
    say(&["trust", "unblock", &other]);
    say(&["trust", "unblock", "--sha256", &print]);
    say(&["trust", "remove", &root]);
    let listed = answers(&gateway, "trust list");
    assert_eq!(
        (&listed["roots"], &listed["blocked"]),
        (&json!([]), &json!([]))
    );
    refuses_all(&gateway, &["trust", "unblock", &other], "is not blocked");
    refuses_all(
        &gateway,
        &["trust", "remove", &root],
        "sealgate trust block",
    );
    refuses_all(
        &gateway,
        &["trust", "block", "--sha256", "ab12"],
        "64 hexadecimal digits",
    );
    refuses_all(&gateway, &["trust", "block", "none.pem"], "none.pem");
    for line in ["", "certificate = \"a\"\nsha256 = \"b\"\n"] {
        let file = shown(&gateway.directory().file(
            "bad.toml",
            format!("organisation = \"one\"\n[[blocked]]\n{line}"),
        ));
        refuses_all(&gateway, &["apply", &file], "one of certificate and sha256");
    }
}

#[test]
fn admin_routes() {
    let Some((gateway, _)) = gateway("routes") else {
        return;
    };
    says(&gateway, "organisation create one");
    says(&gateway, "organisation create two");
    let add = "route add office --domain a.example --domain b.example --host 10.0.0.5 -o one";
    let text = says(&gateway, &format!("{add} --tls required --port 26"));
    assert_eq!(
        text,
        "\
set inbound route office: a.example, b.example to 10.0.0.5:26, TLS required
stored; no gateway is running now
"
    );
    let again = answers(&gateway, &format!("{add} --wildcard"));
    assert_eq!(again["organisation"], "one");
    assert_eq!(again["changes"].as_array().unwrap().len(), 1);
    let steal = "route add mine --domain a.example --host h";
    refuses(
        &gateway,
        &format!("{steal} -o two"),
        "belongs to another organisation",
    );
    refuses(
        &gateway,
        &format!("{steal} -o one"),
        "belongs to inbound route office",
    );
    assert_eq!(
        says(&gateway, "route list -o one"),
        "\
ROUTE   DOMAINS               SERVER                          WILDCARD
office  a.example, b.example  10.0.0.5:25, TLS opportunistic  yes
"
    );
    assert_eq!(answers(&gateway, "route list -o one")[0]["name"], "office");
    assert_eq!(answers(&gateway, "route list -o two"), json!([]));
    refuses(
        &gateway,
        "route remove office -o two",
        "no inbound route office",
    );
    begins(
        &gateway,
        "route remove office -o one",
        "remove inbound route office and its mailboxes\n",
    );
    assert_eq!(answers(&gateway, "route list -o one"), json!([]));
}

#[test]
fn admin_mailboxes_with_the_built_in_ca() {
    let Some((gateway, _)) = with_route("mailboxes") else {
        return;
    };
    let both = "mailbox add alice@example.com bob@example.com";
    begins(
        &gateway,
        both,
        "add mailbox alice@example.com\nadd mailbox bob@example.com\n",
    );
    answers(&gateway, "mailbox add dora@example.com");
    refuses(
        &gateway,
        "mailbox add x@far.example",
        "name far.example in a route first",
    );
    refuses(
        &gateway,
        "mailbox deactivate bob@example.com",
        "is not active",
    );
    let done = answers(&gateway, "mailbox activate bob@example.com --key p-256");
    assert_eq!(
        done["done"],
        json!([{ "mailbox": "bob@example.com", "state": "active" }])
    );
    says(&gateway, "mailbox activate alice@example.com --key p-384");
    refuses(
        &gateway,
        "mailbox activate alice@example.com bob@example.com",
        "mailbox alice@example.com is active already; and 1 more were refused",
    );
    refuses(
        &gateway,
        "mailbox activate nobody@example.com",
        "no known mailbox",
    );

    one_is_inactive(&gateway);
    begins(
        &gateway,
        "mailbox deactivate bob@example.com",
        "bob@example.com: Inactive\n",
    );
    assert_eq!(answers(&gateway, "mailbox list")[1]["state"], "inactive");
    says(&gateway, "mailbox remove bob@example.com");
    refuses(
        &gateway,
        "mailbox remove bob@example.com",
        "no known mailbox",
    );
    assert_eq!(rows(&gateway, "mailbox list").len(), 2);
}

/// Alice and bob are active, dora is not.
fn one_is_inactive(gateway: &Gateway) {
    let listed = rows(gateway, "mailbox list");
    let states: Vec<_> = listed
        .iter()
        .map(|row| {
            (
                row["mailbox"].as_str().unwrap(),
                row["state"].as_str().unwrap(),
                row["certificate_id"].is_i64(),
            )
        })
        .collect();
    assert_eq!(
        states,
        [
            (ALICE, "active", true),
            (BOB, "active", true),
            ("dora@example.com", "inactive", false)
        ]
    );
    let text = says(gateway, "mailbox list");
    let cells: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        cells[0].join(" "),
        "CERTIFICATE ID MAILBOX DOMAIN S/MIME VALID UNTIL"
    );
    assert_eq!(cells[1][1..4], ["alice", "example.com", "Active"]);
    assert_eq!(cells[3], ["dora", "example.com", "Inactive"]);
}

#[test]
fn admin_mailboxes_with_an_uploaded_certificate() {
    let Some((gateway, cast)) = with_route("upload") else {
        return;
    };
    says(&gateway, "mailbox add alice@example.com bob@example.com");
    let p12 = shown(&cast.alice.pkcs12(&cast.own_authority));
    refuses(
        &gateway,
        &format!("mailbox upload {ALICE} {p12} --password wrong"),
        "password",
    );
    refuses(
        &gateway,
        &format!("mailbox upload {BOB} {p12} --password {PASSWORD}"),
        "is not for bob@example.com",
    );
    refuses(
        &gateway,
        &format!("mailbox upload {ALICE} missing.p12 --password x"),
        "missing.p12",
    );
    refuses(
        &gateway,
        &format!("mailbox upload x@far.example {p12} --password {PASSWORD}"),
        "is not for x@far.example",
    );
    assert_eq!(answers(&gateway, "mailbox list")[0]["state"], "inactive");
    let upload = format!("mailbox upload {ALICE} {p12} --password {PASSWORD}");
    begins(
        &gateway,
        &upload,
        "activate mailbox alice@example.com with alice@example.com (sha256:",
    );
    assert_eq!(answers(&gateway, "mailbox list")[0]["state"], "active");
    assert_eq!(answers(&gateway, &upload)["organisation"], "one");
    assert_eq!(rows(&gateway, "mailbox list").len(), 2);
}

#[test]
fn admin_correspondents() {
    let Some((gateway, cast)) = with_route("correspondents") else {
        return;
    };
    let carol = shown(&cast.carol.certificate);
    let import = format!("correspondent import {carol}");
    begins(
        &gateway,
        &import,
        "add public key carol@partner.example (sha256:",
    );
    let stranger = shown(&cast.stranger.certificate);
    assert_eq!(
        answers(&gateway, &format!("correspondent import {stranger}"))["organisation"],
        "one"
    );
    let listed = rows(&gateway, "correspondent list");
    let found: Vec<_> = listed
        .iter()
        .map(|row| {
            (
                row["address"].as_str().unwrap(),
                row["origin"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(found, [(CAROL, "manual"), (STRANGER, "manual")]);
    let text = says(&gateway, "correspondent list");
    assert!(
        text.starts_with("ADDRESS ") && text.contains("carol@partner.example "),
        "{text}"
    );
    let file = shown(&gateway.directory().file("text.pem", "no certificate"));
    refuses(
        &gateway,
        &format!("correspondent import {file}"),
        "text.pem",
    );

    let remove = format!("correspondent remove {carol}");
    begins(&gateway, &remove, "remove public key sha256:");
    refuses(&gateway, &remove, "was not imported");
    assert_eq!(rows(&gateway, "correspondent list").len(), 1);
}

/// S86 and A20: what is no mailbox's certificate is refused, each kind with its own plain reason.
#[test]
fn admin_correspondents_that_are_refused() {
    const MAIL: &str = "keyUsage = critical, digitalSignature, keyAgreement\n";
    let Some((gateway, cast)) = with_route("refused") else {
        return;
    };
    let make = |name: &str, address: &str, more: &str| {
        let names = match address {
            "" => String::new(),
            _ => format!("subjectAltName = email:{address}\n"),
        };
        let directory = gateway.directory().path();
        let made = keys::with_extensions(directory, &cast.partner_authority, name, &(names + more));
        shown(&made.certificate)
    };
    let server = MAIL.to_owned() + "extendedKeyUsage = serverAuth\n";
    let mut reasons = Vec::new();
    for (name, address, extensions, word) in [
        ("no-address", "", MAIL, "names no e-mail address"),
        ("wildcard", "*@partner.example", MAIL, "for a domain"),
        ("domain", "@partner.example", MAIL, "for a domain"),
        (
            "dca",
            "domain-confidentiality-authority@partner.example",
            MAIL,
            "for a domain",
        ),
        ("server", CAROL, &server, "not meant for e-mail"),
        (
            "sign-only",
            CAROL,
            "keyUsage = critical, digitalSignature\n",
            "key usage",
        ),
        (
            "ca",
            CAROL,
            "basicConstraints = critical, CA:true\n",
            "certification authority",
        ),
    ] {
        let file = make(name, address, extensions);
        refuses(&gateway, &format!("correspondent import {file}"), word);
        let line = gateway.command(&["correspondent", "import", &file]).err;
        reasons.push(line.rsplit_once(".pem: ").unwrap().1.to_owned());
    }
    // The three forms of a domain's certificate have one reason between them; all others their own.
    reasons.sort();
    reasons.dedup();
    assert_eq!(reasons.len(), 5, "{reasons:#?}");
    assert_eq!(answers(&gateway, "correspondent list"), json!([]));
    // A missing extendedKeyUsage is allowed (RFC 8550).
    let file = make("plain", "p@partner.example", MAIL);
    says(&gateway, &format!("correspondent import {file}"));
}

#[test]
fn admin_rules_new_ones_come_first() {
    let Some((gateway, _)) = with_route("rules") else {
        return;
    };
    let externals = || -> Vec<String> {
        let rules = rows(&gateway, "rule list");
        rules
            .iter()
            .map(|rule| rule["external"].as_str().unwrap().to_owned())
            .collect()
    };
    says(&gateway, "rule add --external c.example --outbound enforce");
    says(&gateway, "rule add --external b.example --outbound enforce");
    let done = answers(
        &gateway,
        "rule add --external a.example,x@b.example --managed a@example.com --inbound always",
    );
    assert_eq!(done["rules"][0]["external"], "a.example, x@b.example");
    assert_eq!(
        says(&gateway, "rule list"),
        "\
PRIORITY  MANAGED        EXTERNAL                INBOUND      OUTBOUND
1         a@example.com  a.example, x@b.example  always       not-defined
2         all            b.example               not-defined  enforce
3         all            c.example               not-defined  enforce
"
    );
    let text = says(&gateway, "rule move 3 1");
    assert!(
        text.contains("\n1         all            c.example"),
        "{text}"
    );
    assert_eq!(
        externals(),
        ["c.example", "a.example, x@b.example", "b.example"]
    );
    answers(&gateway, "rule move 1 3");
    assert_eq!(
        externals(),
        ["a.example, x@b.example", "b.example", "c.example"]
    );
    let identity = answers(&gateway, "rule list")[1]["id"].clone();
    answers(&gateway, "rule delete 1");
    assert_eq!(externals(), ["b.example", "c.example"]);
    assert_eq!(
        answers(&gateway, "rule list")[0]["id"],
        identity,
        "a rule keeps its identity"
    );
    for wrong in [
        "rule move 3 1",
        "rule move 1 3",
        "rule move 0 1",
        "rule delete 9",
    ] {
        refuses(&gateway, wrong, "priorities 1 to 2");
    }
    for (option, value, word) in [
        ("--external", "not an address", "neither a mailbox"),
        ("--inbound", "sometimes", "expected one of"),
    ] {
        let ran = gateway.command(&["rule", "add", option, value]);
        assert_eq!(ran.code, Some(2), "{}", ran.err);
        assert!(ran.err.contains(word), "{}", ran.err);
    }
    assert_eq!(externals().len(), 2);
}

fn message(from: &str, to: &str, name: &str) -> Vec<u8> {
    format!("From: {from}\r\nTo: {to}\r\nSubject: {name}\r\nMessage-ID: <{name}@test.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n{name}\r\n").into_bytes()
}

fn scene(name: &str, options: &Options) -> Option<Scene> {
    if program().is_none() || !present(&["openssl"]) {
        return None;
    }
    let cast = Cast::with(KeyKind::P256);
    let rules = "[[rules]]\nmanaged = \"all\"\nexternal = \"elsewhere.example\"\ninbound = \"enforce\"\noutbound = \"neither\"\n\
        [[rules]]\nmanaged = \"all\"\nexternal = \"partner.example\"\noutbound = \"optional\"\n\
        [[rules]]\nmanaged = \"all\"\nexternal = \"strict.example\"\noutbound = \"enforce\"\n";
    let more =
        e2e::gateway::mailbox(BOB, Mailbox::Inactive, cast) + rules + &correspondent(cast, CAROL);
    Scene::new(name, options, cast, &more)
}

/// Seven mails, one of each status and two that are signed.
fn seven_mails(scene: &Scene) {
    let (cast, gateway) = (Cast::with(KeyKind::P256), &scene.gateway);
    let office = [cast.alice.certificate.as_path()];
    let plain = message(CAROL, ALICE, "decrypted");
    let encrypted = openssl::encrypt(&entity(&plain), &office, "aes-256-cbc", Writing::Der);
    let opened = with_entity(&plain, &encrypted);
    let closed = with_entity(&message(CAROL, BOB, "encrypted"), &encrypted);
    let plain = message(CAROL, ALICE, "signed-in");
    let signed = openssl::sign(
        &entity(&plain),
        &cast.carol,
        Some(&cast.partner_authority),
        false,
        Writing::Der,
    );
    let signed = with_entity(&plain, &signed);
    for (to, code) in [
        (STRANGER, 250),
        ("x@far.example", 250),
        (CAROL, 250),
        ("x@strict.example", 550),
    ] {
        let reply = send(gateway.outbound, ALICE, &[to], &message(ALICE, to, "out"));
        assert_eq!(reply.code, code, "{to}: {reply:?}");
    }
    for (to, mail) in [(ALICE, opened), (ALICE, signed), (BOB, closed)] {
        let reply = send(gateway.inbound, CAROL, &[to], &mail);
        assert_eq!(reply.code, 250, "{to}: {reply:?}");
    }
    gateway.drained();
}

/// The overview, filtered by each status and by direction (S89, S90).
#[test]
fn admin_mails_by_status_and_direction() {
    let Some(scene) = scene("mails", &Options::default()) else {
        return;
    };
    seven_mails(&scene);
    let gateway = &scene.gateway;
    for (status, direction, to) in [
        ("plain", "outbound", STRANGER),
        ("signed-encrypted", "outbound", CAROL),
        ("failed", "outbound", "x@strict.example"),
        ("decrypted", "inbound", ALICE),
        ("encrypted", "inbound", BOB),
    ] {
        let filter = format!("mails --status {status}");
        let found = rows(gateway, &filter);
        assert_eq!(found.len(), 1, "{status}: {found:?}");
        for (name, value) in [
            ("status", status),
            ("direction", direction),
            ("recipient", to),
        ] {
            assert_eq!(found[0][name], value);
        }
        let text = says(gateway, &filter);
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains(&format!(" {status} ")), "{text}");
        let text = says(
            gateway,
            &format!("mails {}", found[0]["queue_id"].as_str().unwrap()),
        );
        assert!(
            text.contains(&format!("to {to}: {status}")) && text.contains("\noutcome "),
            "{text}"
        );
        let other = if direction == "inbound" {
            "outbound"
        } else {
            "inbound"
        };
        assert_eq!(
            answers(gateway, &format!("{filter} --direction {other}")),
            json!([])
        );
    }
    for (line, count) in [
        ("mails --status signed", 2),
        ("mails --status signed --direction inbound", 1),
        ("mails --direction inbound", 3),
        ("mails --direction outbound", 4),
        ("mails --status waiting", 0),
        ("mails --limit 2", 2),
        ("mails -o example", 7),
    ] {
        let found = rows(gateway, line);
        assert_eq!(found.len(), count, "{line}: {found:?}");
    }
    pages(gateway);
    refuses(gateway, "mails zzz", "sealgate mails");
}

/// Page by page, newest first, nothing twice and nothing left out.
fn pages(gateway: &Gateway) {
    let (mut seen, mut line) = (Vec::new(), "mails --limit 3".to_owned());
    loop {
        let found = rows(gateway, &line);
        let Some(last) = found.last() else { break };
        line = format!("mails --limit 3 --before {}", last["row"]);
        seen.extend(found.iter().map(|row| row["row"].as_i64().unwrap()));
    }
    assert!(
        seen.len() == 7 && seen.is_sorted_by(|a, b| a > b),
        "{seen:?}"
    );
}

/// Waits until the only row of the queue is in this state.
fn only_row(gateway: &Gateway, state: &str) -> String {
    let end = Instant::now() + DELIVERY;
    loop {
        let found = rows(gateway, "queue list");
        if found.len() == 1 && found[0]["state"] == state {
            assert_eq!(
                (&found[0]["from"], &found[0]["recipient"]),
                (&json!(ALICE), &json!(STRANGER))
            );
            return found[0]["queue_id"].as_str().unwrap().to_owned();
        }
        assert!(Instant::now() < end, "not {state}: {found:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A mail that the next hop did not want now, so that it waits for an hour; the next hop takes mail again.
fn waiting(scene: &Scene, name: &str) -> String {
    scene.internet.behave(Behaviour {
        recipient: Some("451 4.3.0 later".to_owned()),
        ..Behaviour::default()
    });
    let mail = message(ALICE, STRANGER, name);
    let reply = send(scene.gateway.outbound, ALICE, &[STRANGER], &mail);
    assert_eq!(reply.code, 250, "{reply:?}");
    let id = only_row(&scene.gateway, "waiting");
    let end = Instant::now() + DELIVERY;
    while answers(&scene.gateway, "queue list")[0]["attempts"] == 0 {
        assert!(Instant::now() < end, "it was not attempted");
        std::thread::sleep(Duration::from_millis(20));
    }
    scene.internet.behave(Behaviour::default());
    id
}

/// What a verb does to the queue of a running gateway is done at once.
#[test]
fn admin_queue() {
    let options = Options {
        retry_first: 3600,
        queue_lifetime: 100_000,
        ..Options::default()
    };
    let Some(scene) = scene("queue", &options) else {
        return;
    };
    let gateway = &scene.gateway;
    let id = waiting(&scene, "held");
    let text = says(gateway, "queue list");
    assert!(
        text.starts_with("QUEUE ID") && text.contains(&id) && text.contains(" waiting "),
        "{text}"
    );
    assert_eq!(
        says(gateway, &format!("queue show {id}")).lines().count(),
        2
    );
    assert_eq!(
        answers(gateway, &format!("queue show {id}"))[0]["queue_id"],
        json!(id)
    );
    assert_eq!(answers(gateway, "queue list --held"), json!([]));
    let text = says(gateway, &format!("queue hold {id}"));
    assert!(text.contains("1 recipient"), "{text}");
    assert_eq!(only_row(gateway, "held"), id);
    assert_eq!(rows(gateway, "queue list --held").len(), 1);
    let done = answers(gateway, &format!("queue release {id}"));
    assert_eq!(done, json!({ "queue_id": id, "recipients": 1 }));
    assert_eq!(scene.internet.wait_for(1, DELIVERY).len(), 1);
    gateway.drained();
    for verb in ["show", "retry", "hold", "release", "delete"] {
        refuses(gateway, &format!("queue {verb} {id}"), &id);
        refuses(
            gateway,
            &format!("queue {verb} no-id"),
            "sealgate queue list",
        );
    }
    // Deleted mail is gone; the journal says so.
    let id = waiting(&scene, "deleted");
    says(gateway, &format!("queue delete {id}"));
    assert_eq!(answers(gateway, "queue list"), json!([]));
    assert_eq!(
        answers(gateway, "mails --limit 1")[0]["delivery"],
        "deleted"
    );
    // A retry does not wait for its time.
    let id = waiting(&scene, "retried");
    answers(gateway, &format!("queue retry {id}"));
    assert_eq!(scene.internet.wait_for(2, DELIVERY).len(), 2);
}

/// `--help` of a command and of all below it, each under a heading.
fn help(program: &str, path: &[&str], out: &mut String) {
    let Ran {
        good,
        out: text,
        err,
        ..
    } = run(program, &[path, &["--help"]].concat(), b"");
    assert!(good, "{path:?}: {err}");
    let text = String::from_utf8(text).unwrap();
    let name = [&["sealgate"], path].concat().join(" ");
    out.push_str(&format!(
        "\n## {name}\n\n```text\n{}\n```\n",
        text.trim_end()
    ));
    let commands = text
        .split_once("\nCommands:\n")
        .map_or("", |(_, rest)| rest);
    let lines = commands.lines().take_while(|line| line.starts_with("  "));
    for line in lines.filter(|line| !line.starts_with("   ")) {
        let verb = line.split_whitespace().next().unwrap();
        if verb != "help" {
            help(program, &[path, &[verb]].concat(), out);
        }
    }
}

/// docs/cli.md is what `--help` says. `SEALGATE_GOLDEN=write` writes it anew.
#[test]
fn admin_help_is_documented() {
    let Some(program) = program() else { return };
    let mut text = "# The command line\n\nWhat `sealgate COMMAND --help` says, for every command. Exit codes: [operation.md](operation.md).\n\
        Made by `SEALGATE_GOLDEN=write cargo test -p e2e --test admin help`.\n"
        .to_owned();
    help(&shown(&program), &[], &mut text);
    let path = workspace().join("docs/cli.md");
    if std::env::var("SEALGATE_GOLDEN").is_ok_and(|value| value == "write") {
        fs::write(&path, &text).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    for (number, (is, was)) in text.lines().zip(written.lines()).enumerate() {
        assert_eq!(
            was,
            is,
            "docs/cli.md line {}: write it anew with SEALGATE_GOLDEN=write",
            number + 1
        );
    }
    assert_eq!(
        written.len(),
        text.len(),
        "docs/cli.md: write it anew with SEALGATE_GOLDEN=write"
    );
}

/// Command lines that a document shows, in blocks and within text, up to a comment or redirection.
fn shown_commands(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| line.starts_with("sealgate "));
    let spans = text.split('`').skip(1).step_by(2);
    let spans = spans.filter(|span| span.starts_with("sealgate ") && !span.contains('\n'));
    let cut = |line: &str| {
        line.split(['#', '>', ';'])
            .next()
            .unwrap()
            .trim()
            .to_owned()
    };
    lines.chain(spans).map(cut).collect()
}

/// Every command line in README and docs is understood as it stands.
#[test]
fn admin_documented_commands_exist() {
    let Some(program) = program() else { return };
    let mut files = vec![
        workspace().join("README.md"),
        workspace().join("ARCHITECTURE.md"),
    ];
    for entry in fs::read_dir(workspace().join("docs")).unwrap() {
        files.push(entry.unwrap().path());
    }
    files.retain(|file| !file.ends_with("cli.md"));
    let mut count = 0;
    for file in files {
        for line in shown_commands(&fs::read_to_string(&file).unwrap()) {
            let words: Vec<&str> = line.split_whitespace().skip(1).collect();
            let ran = run(&shown(&program), &[&words[..], &["--help"]].concat(), b"");
            assert!(ran.good, "{}: {line}: {}", file.display(), ran.err);
            count += 1;
        }
    }
    assert!(count > 10, "only {count} command lines were found");
}
