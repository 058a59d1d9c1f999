//! Prerequisites of domains (S18, S19, A15) against a name server: what is found, and what is said to be done.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use e2e::cast::Cast;
use e2e::dns::{Dns, Record};
use e2e::gateway::{Gateway, Options, program};
use e2e::keys::KeyKind;
use e2e::program::present;
use e2e::scene::{DELIVERY, Scene};
use e2e::sink::Sink;
use serde_json::Value;

/// A domain, its records, and its findings: MX and CAA, each with state and a part of what is said.
type Row = (
    &'static str,
    Vec<(&'static str, Record)>,
    (&'static str, &'static str),
    (&'static str, &'static str),
);

const FREE: (&str, &str) = ("met", "any authority may issue");

fn mx(preference: u16, host: &str) -> Record {
    Record::Mx(preference, host.to_owned())
}

fn address(last: u8) -> Record {
    Record::Address(IpAddr::from([192, 0, 2, last]))
}

/// The gateway is `gateway.example` in all of them.
fn rows() -> Vec<Row> {
    let here = || mx(10, "gateway.example");
    vec![
        (
            "here.example",
            vec![("here.example", here())],
            ("met", "points to gateway.example"),
            FREE,
        ),
        (
            "case.example",
            vec![("case.example", mx(10, "GateWay.Example"))],
            ("met", "points to gateway.example"),
            FREE,
        ),
        (
            "elsewhere.example",
            vec![("elsewhere.example", mx(10, "mx.other.example"))],
            (
                "not-met",
                "let the MX record of elsewhere.example be gateway.example",
            ),
            FREE,
        ),
        (
            "backup.example",
            vec![
                ("backup.example", here()),
                ("backup.example", mx(20, "mx.other.example")),
            ],
            ("met", "with lower priority to mx.other.example"),
            FREE,
        ),
        (
            "half.example",
            vec![
                ("half.example", here()),
                ("half.example", mx(10, "mx.other.example")),
            ],
            ("not-met", "points to mx.other.example"),
            FREE,
        ),
        (
            "alias.example",
            vec![
                ("alias.example", mx(10, "mail.alias.example")),
                ("mail.alias.example", address(1)),
            ],
            ("not-met", "add mail.alias.example to gateway-names"),
            FREE,
        ),
        (
            "none.example",
            vec![("none.example", address(9))],
            ("not-met", "there is no MX record"),
            FREE,
        ),
        (
            "null.example",
            vec![("null.example", mx(0, "."))],
            ("not-met", "takes no mail"),
            FREE,
        ),
        (
            "unknown.example",
            vec![],
            ("not-met", "no such domain"),
            FREE,
        ),
        (
            "broken.example",
            vec![("broken.example", Record::Broken)],
            ("unknown", ""),
            ("unknown", ""),
        ),
        (
            "caa.example",
            vec![
                ("caa.example", here()),
                (
                    "caa.example",
                    Record::Caa(0, "issuemail", "ca.example; a=b"),
                ),
                ("caa.example", Record::Caa(0, "issue", "web.example")),
            ],
            ("met", ""),
            (
                "hint",
                "issuemail of caa.example lets only ca.example issue",
            ),
        ),
        (
            "a.b.caa.example",
            vec![("a.b.caa.example", here()), ("b.caa.example", address(9))],
            ("met", ""),
            (
                "hint",
                "issuemail of caa.example lets only ca.example issue",
            ),
        ),
        (
            "nobody.example",
            vec![
                ("nobody.example", here()),
                ("nobody.example", Record::Caa(0, "issuemail", ";")),
            ],
            ("met", ""),
            ("hint", "lets no public authority issue"),
        ),
        (
            "web.example",
            vec![
                ("web.example", here()),
                ("web.example", Record::Caa(0, "issue", ";")),
            ],
            ("met", ""),
            ("met", "say nothing about mail"),
        ),
        (
            "critical.example",
            vec![
                ("critical.example", here()),
                ("critical.example", Record::Caa(128, "tbs", "x")),
            ],
            ("met", ""),
            ("hint", "critical"),
        ),
    ]
}

/// A gateway that is not running, with these domains in its route.
fn gateway(name: &str, dns: &str, domains: &[&str]) -> Option<Gateway> {
    if program().is_none() || !present(&["openssl"]) {
        return None;
    }
    let cast = Cast::with(KeyKind::P256);
    let (office, internet) = (Sink::start(), Sink::start());
    let options = Options {
        dns: dns.to_owned(),
        ..Options::default()
    };
    let gateway = Gateway::configured(name, &options, cast).unwrap();
    let mut more = String::new();
    write!(
        more,
        "[[routes]]\nname = \"more\"\ndomains = {domains:?}\nwildcard = true\ntarget = {{ host = \"127.0.0.1\", port = 25 }}\n"
    )
    .unwrap();
    gateway.apply(&Scene::description(cast, &more, &office, &internet));
    Some(gateway)
}

/// The findings about a domain; not all are met if `code` is 3.
fn judged(gateway: &Gateway, domain: &str, code: i32) -> Value {
    let ran = gateway.command(&["prerequisites", domain, "--json"]);
    assert_eq!(ran.code, Some(code), "{domain}: {}", ran.err);
    let answer: Value = serde_json::from_slice(&ran.out).unwrap();
    assert_eq!(answer[0]["domain"], domain);
    answer[0]["findings"].clone()
}

fn assert_finding(findings: &Value, prerequisite: &str, (state, said): (&str, &str)) {
    let mut all = findings.as_array().unwrap().iter();
    let found = all.find(|one| one["prerequisite"] == prerequisite).unwrap();
    assert_eq!(found["state"], state, "{found}");
    assert!(found.to_string().contains(said), "{said}: {found}");
}

#[test]
fn s18_s19_what_dns_says() {
    let dns = Dns::start();
    dns.add("gateway.example", address(1));
    dns.add("mx.other.example", address(2));
    let rows = rows();
    let domains: Vec<&str> = rows.iter().map(|(domain, ..)| *domain).collect();
    let Some(gateway) = gateway("prerequisites", &dns.address.to_string(), &domains) else {
        return;
    };
    for (domain, records, mx, caa) in rows {
        for (name, record) in records {
            dns.add(name, record);
        }
        let code = if mx.0 == "not-met" { 3 } else { 0 };
        let findings = judged(&gateway, domain, code);
        assert_finding(&findings, "inbound-route", ("met", ""));
        assert_finding(&findings, "mx", mx);
        assert_finding(&findings, "caa", caa);
        assert_finding(&findings, "licence", ("met", "not counted"));
        assert_finding(&findings, "dkim", ("hint", "sealgate dkim create"));
    }
    // A domain of nobody.
    dns.add("stranger.example", mx(10, "gateway.example"));
    let findings = judged(&gateway, "stranger.example", 3);
    assert_finding(
        &findings,
        "inbound-route",
        ("not-met", "route add NAME --domain stranger.example"),
    );
    // All domains at once, in words.
    let all = gateway.command(&["prerequisites"]);
    assert_eq!(all.code, Some(3));
    for domain in domains {
        assert!(all.text().contains(domain), "{domain}: {}", all.text());
    }
    assert!(
        all.err.contains("not all prerequisites are met for"),
        "{}",
        all.err
    );
    // Other names for this gateway.
    let file = gateway.directory().path().join("sealgate.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let names = "gateway-names = [\"Mail.Alias.example\", \"mx.other.example\"]\n";
    std::fs::write(&file, format!("{names}{text}")).unwrap();
    let findings = judged(&gateway, "alias.example", 0);
    assert_finding(&findings, "mx", ("met", "points to mail.alias.example"));
    judged(&gateway, "elsewhere.example", 0);
    judged(&gateway, "here.example", 3);
}

#[test]
fn a_name_server_that_says_nothing_is_neither_met_nor_failed() {
    let dns = Dns::start();
    dns.add("silent.example", Record::Silent);
    let Some(gateway) = gateway("silent", &dns.address.to_string(), &["silent.example"]) else {
        return;
    };
    let findings = judged(&gateway, "silent.example", 0);
    for prerequisite in ["mx", "caa"] {
        assert_finding(&findings, prerequisite, ("unknown", "unknown: "));
    }
}

#[test]
fn with_dns_off_nothing_is_known() {
    let Some(gateway) = gateway("no-dns", "off", &["here.example"]) else {
        return;
    };
    let findings = judged(&gateway, "here.example", 0);
    for prerequisite in ["mx", "caa"] {
        assert_finding(&findings, prerequisite, ("unknown", "DNS is switched off"));
    }
    let made = gateway.command(&["dkim", "create", "here.example", "--kind", "ed25519"]);
    assert!(made.good, "{}", made.err);
    assert_finding(
        &judged(&gateway, "here.example", 0),
        "dkim",
        ("hint", "does not sign before"),
    );
    let active = gateway.command(&["dkim", "activate", "here.example", "--force"]);
    assert!(active.good, "{}", active.err);
    assert_finding(
        &judged(&gateway, "here.example", 0),
        "dkim",
        ("unknown", "DNS is switched off"),
    );
}

/// The open order of a mailbox, once `is_there` says so.
fn order_of(gateway: &Gateway, mailbox: &str, is_there: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + DELIVERY;
    loop {
        let orders = gateway.json(&["order", "list"]);
        let mut all = orders.as_array().unwrap().iter();
        if let Some(order) = all.find(|one| one["mailbox"] == mailbox && is_there(one)) {
            return order.clone();
        }
        assert!(Instant::now() < end, "{mailbox}: {orders:#}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn s18_nothing_is_requested_for_a_domain_whose_mail_goes_elsewhere() {
    let dns = Dns::start();
    dns.add("here.example", mx(10, "gateway.example"));
    dns.add("elsewhere.example", mx(10, "mx.other.example"));
    let domains = ["here.example", "elsewhere.example"];
    let Some(mut gateway) = gateway("mx-order", &dns.address.to_string(), &domains) else {
        return;
    };
    let must = |gateway: &Gateway, arguments: &[&str]| {
        let ran = gateway.command(arguments);
        assert!(ran.good, "{arguments:?}: {}", ran.err);
    };
    let mailboxes = ["a@here.example", "a@elsewhere.example"];
    must(&gateway, &[&["mailbox", "add"], &mailboxes[..]].concat());
    must(&gateway, &["authority", "add", "hand", "--kind", "by-hand"]);
    gateway.start();
    let order = [
        "mailbox",
        "activate",
        "--authority",
        "hand",
        "--key",
        "p-256",
    ];
    must(&gateway, &[&order[..], &mailboxes[..]].concat());
    order_of(&gateway, mailboxes[0], |order| order["state"] == "waiting");
    let stays = order_of(&gateway, mailboxes[1], |order| !order["error"].is_null());
    assert_eq!(stays["state"], "new", "{stays}");
    let said = stays["error"].as_str().unwrap();
    assert!(
        said.contains("points to mx.other.example: in DNS, let the MX record"),
        "{said}"
    );
}
