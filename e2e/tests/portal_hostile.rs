//! Rows W3, W6 and W7 of security.md on the whole portal: sixty values of strangers on every page, in exports and in the log;
//! and secrets, which are nowhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use e2e::keys::{self, KeyKind, shown};
use e2e::mime::{entity, with_entity};
use e2e::openssl::{self, Writing};
use e2e::place::Directory;
use e2e::portal::asking::{Asking, START, filling};
use e2e::portal::browser;
use e2e::portal::crawl::{Found, walk_far};
use e2e::portal::forms::strange;
use e2e::portal::hostile::{self, VALUES};
use e2e::portal::http::{Request, Visitor, quoted};
use e2e::portal::people::person;
use e2e::portal::routes::{Filling, Route};
use e2e::portal::world::{ALPHA, World, plain};
use e2e::program::{must_run, python};
use e2e::scene::send;
use e2e::search::{self, Secret};
use serde_json::{Value, json};

/// Pages of one route that are looked at.
const OF_ONE_ROUTE: usize = 15;
/// Values tried in the fields of one call.
const OF_ONE_CALL: usize = 5;

fn none(failures: &[String]) {
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// Values as names in `apply`: what is refused is refused, the rest is shown somewhere.
fn through_calls(world: &World, asking: &Asking) -> Vec<String> {
    let mut failures = Vec::new();
    let mut taken = 0;
    let scripts = ["zqalpha-admin", "operator-token"].map(|name| person(name).visits(world));
    let values = BTreeMap::from([("organisation".to_owned(), ALPHA.to_owned())]);
    let mut next = 0;
    for route in asking.routes.iter().filter(|route| takes_text(route)) {
        let script = &scripts[usize::from(!route.path.contains("{organisation}"))];
        let Some(path) = route.with(&values) else {
            continue;
        };
        for _ in 0..OF_ONE_CALL {
            let filling = Filling {
                text: Some(VALUES[next % VALUES.len()].to_owned()),
                ..filling()
            };
            next += 1;
            let answer = script.ask(&asking.call(route, &path, "", &filling));
            taken += usize::from(answer.status < 300);
            if answer.status >= 500 {
                failures.push(format!(
                    "{} {:?}: {}",
                    route.name(),
                    filling.text,
                    answer.status
                ));
            }
        }
    }
    println!("{next} calls, {taken} taken");
    failures
}

fn takes_text(route: &Route) -> bool {
    route.is_api() && ["POST", "PUT", "PATCH"].contains(&route.method.as_str())
}

/// Local parts that are allowed and look like something else.
const LOCAL_PARTS: &[&str] = &[
    "{{7*7}}",
    "=1+1",
    "+cmd",
    "x'onfocus=alert(1)'",
    "'-alert(1)-'",
    "`id`",
    "$n",
    "|calc",
    "a&lt;b",
];

fn odd_mailboxes(world: &World) -> usize {
    let mut taken = 0;
    for local in LOCAL_PARTS {
        let address = format!("{local}@{ALPHA}.example");
        let ran = world
            .gateway
            .command(&["mailbox", "add", "-o", ALPHA, &address]);
        taken += usize::from(ran.good);
    }
    taken
}

fn pages(world: &World, asking: &Asking) -> Vec<(&'static str, Vec<Found>)> {
    let overview = format!("/o/{ALPHA}");
    [
        ("admin@zqalpha.example", overview.as_str()),
        ("operator@operator.example", "/system"),
    ]
    .map(|(name, start)| {
        let visitor = person(name).visits(world);
        let walk = walk_far(
            &visitor,
            &[START, &[start]].concat(),
            &asking.routes,
            OF_ONE_ROUTE,
        );
        (name, walk.pages)
    })
    .into()
}

fn is(found: &Found, kind: &str) -> bool {
    found
        .answer
        .field("content-type")
        .is_some_and(|own| own.starts_with(kind))
}

/// Rows W3 and W6.
#[test]
fn w3_nothing_of_a_stranger_runs() {
    let Some(world) = World::running("w3") else {
        return;
    };
    let directory = world.gateway.directory().path();
    hostile::signed_mails(&world, &world.alpha, directory);
    hostile::held_mails(&world, &world.alpha);
    println!("{} odd mailboxes", odd_mailboxes(&world));
    let asking = Asking::new(&world);
    let mut failures = through_calls(&world, &asking);
    world.gateway.drained();
    let found = pages(&world, &asking);
    for page in found.iter().flat_map(|(_, pages)| pages) {
        // What the calls above have taken away is gone.
        if page.answer.status >= 400 && page.answer.status != 404 {
            failures.push(format!(
                "{}: {}, linked on {}",
                page.path, page.answer.status, page.on
            ));
        }
        if is(page, "text/html") {
            let bad = strange(&page.answer.text());
            failures.extend(bad.iter().map(|bad| format!("{}: {bad}", page.path)));
        } else if is(page, "text/csv") {
            failures.extend(formulas(page));
        }
        let policy = page
            .answer
            .field("content-security-policy")
            .unwrap_or_default();
        if policy.contains("unsafe") || !policy.contains("default-src 'none'") {
            failures.push(format!("{}: policy {policy:?}", page.path));
        }
    }
    failures.extend(forged_lines(&world));
    none(&failures);
    if browser::ready() {
        none(&in_a_browser(&world, &found));
    }
}

/// Every page in a browser.
fn in_a_browser(world: &World, found: &[(&str, Vec<Found>)]) -> Vec<String> {
    let looks: Vec<Value> = found
        .iter()
        .map(|(name, pages)| {
            let pages: Vec<Value> = pages
                .iter()
                .filter(|page| is(page, "text/html"))
                .map(|page| json!({ "name": "hostile", "path": page.path, "status": page.answer.status }))
                .collect();
            json!({
                "name": name, "language": "en", "width": 1280, "dark": false, "axe": false, "script": true, "shoot": false,
                "cookies": *person(name).visits(world).cookies.lock().unwrap(), "pages": pages,
            })
        })
        .collect();
    let given =
        json!({ "origin": format!("http://{}", world.portal), "screenshots": "", "looks": looks });
    let results = browser::run("pages.js", &given);
    println!("{} pages", results.as_array().unwrap().len());
    browser::findings(&results)
}

/// Cells of a table that a spreadsheet would compute. Input: the table.
const FORMULAS: &str = r#"
import csv, io, sys
text = sys.stdin.buffer.read().decode("utf-8-sig")
for row in csv.reader(io.StringIO(text, newline="")):
    for cell in row:
        if cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
            print(repr(cell))
"#;

/// Row W6.
fn formulas(page: &Found) -> Vec<String> {
    let out = must_run(&python(), &["-c", FORMULAS], &page.answer.body);
    let out = String::from_utf8(out).unwrap();
    out.lines()
        .map(|cell| format!("{}: the cell {cell}", page.path))
        .collect()
}

/// Row W6: what a stranger wrote never begins a line of the log, nor moves the cursor.
fn forged_lines(world: &World) -> Vec<String> {
    let log = world.gateway.log();
    let forged = log.lines().filter(|line| {
        line.starts_with("2026-11-22T00:00:00Z")
            || line.starts_with("Bcc:")
            || line.contains("\u{1b}[2J")
    });
    forged.map(|line| format!("log: {line}")).collect()
}

/// The code of a TOTP secret now (RFC 6238): HMAC-SHA-1, 30 s, six digits. Argument: the secret in base32.
const CODE: &str = r#"
import base64, hashlib, hmac, struct, sys, time
text = sys.argv[1].replace(" ", "")
key = base64.b32decode(text + "=" * (-len(text) % 8))
digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
at = digest[19] & 15
print(f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1000000:06}", key.hex())
"#;
/// Password of a user.
const PASSWORD: &str = "W7-marigold-Kennwort-4711";
/// Password of an uploaded file.
const FILE_PASSWORD: &str = "W7-periwinkle-container-0815";
/// What stands in an encrypted mail.
const PLAINTEXT: &str = "W7 eleven turquoise accordions";

/// What was secret, and what came of making it.
struct Secrets {
    all: Vec<Secret>,
    user: Visitor,
}

/// A user with password and second factor, signed in; an API token; an uploaded key; an encrypted mail.
fn make_secrets(world: &World) -> Secrets {
    let mut all = search::of_text("password", PASSWORD);
    all.extend(search::of_text("password of a file", FILE_PASSWORD));
    all.extend(search::of_text("text of a mail", PLAINTEXT));
    all.extend(search::of_key("anna", &world.alpha.anna));
    let name = "secrets@zqalpha.example";
    let user = signed_up(world, name);
    let begun = user.post(
        "/account/second-factor/begin",
        "/account",
        &[("password", PASSWORD)],
    );
    assert!(begun.status < 400, "{}", begun.text());
    let page = user.get("/account/second-factor").text();
    let key = page
        .split("<code>")
        .nth(1)
        .unwrap()
        .split("</code>")
        .next()
        .unwrap()
        .to_owned();
    let code = must_run(&python(), &["-c", CODE, &key], b"");
    let code = String::from_utf8(code).unwrap();
    let (code, raw) = code.trim().split_once(' ').unwrap();
    let raw: Vec<u8> = (0..raw.len() / 2)
        .map(|at| u8::from_str_radix(&raw[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    all.push(Secret::new("second factor, octets".to_owned(), &raw));
    all.push(Secret::new(
        "second factor, base32".to_owned(),
        key.replace(' ', "").as_bytes(),
    ));
    let codes = user.post(
        "/account/second-factor/confirm",
        "/account/second-factor",
        &[("code", code)],
    );
    let codes = codes.text();
    let codes = codes
        .split("id=\"codes\">")
        .nth(1)
        .unwrap_or_else(|| panic!("{codes}"));
    let first = codes
        .split("</pre>")
        .next()
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .trim();
    all.push(Secret::new("recovery code".to_owned(), first.as_bytes()));
    all.extend(through_the_api(world));
    let session = user.cookies.lock().unwrap()["sealgate"].clone();
    all.push(Secret::new("session".to_owned(), session.as_bytes()));
    Secrets { all, user }
}

fn signed_up(world: &World, name: &str) -> Visitor {
    let made = world
        .gateway
        .json(&["user", "create", name, "-o", ALPHA, "--role", "admin"])
        .to_string();
    let link: String = made[made.find("/invitation/").unwrap()..]
        .chars()
        .take_while(|char| *char != '"')
        .collect();
    let user = Visitor::new(world.portal);
    let form = Request::new("POST", &link).form(&[
        ("name", name),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ]);
    let answer = user.ask(&form);
    assert!(answer.status == 303, "{} {}", answer.status, answer.text());
    let form = Request::new("POST", "/login").form(&[
        ("name", name),
        ("password", PASSWORD),
        ("next", ""),
    ]);
    assert_eq!(user.ask(&form).status, 303);
    user
}

/// An API token made and an own key uploaded; and the mail, encrypted to anna.
fn through_the_api(world: &World) -> Vec<Secret> {
    let script = person("zqalpha-admin").visits(world);
    let base = format!("/api/v1/organisations/{ALPHA}");
    let new = json!({ "name": "zqalpha-marked", "role": "read", "days": 3 });
    let made = script.ask(&Request::new("POST", &format!("{base}/tokens")).json(&new));
    let token = made.json()["secret"]
        .as_str()
        .unwrap_or_else(|| panic!("{}", made.text()))
        .to_owned();
    let directory = world.gateway.directory().path();
    let boris = keys::mailbox(
        directory,
        &world.alpha.partner,
        &world.alpha.own("dora"),
        KeyKind::P256,
    );
    let password = format!("pass:{FILE_PASSWORD}");
    let arguments = [
        "pkcs12",
        "-export",
        "-inkey",
        &shown(&boris.key),
        "-in",
        &shown(&boris.certificate),
        "-passout",
        &password,
    ];
    let file = must_run("openssl", &arguments, b"");
    let file = must_run("openssl", &["base64", "-e", "-A"], &file);
    let body = json!({ "file": String::from_utf8(file).unwrap(), "password": FILE_PASSWORD });
    let mailbox = quoted(&world.alpha.own("dora"));
    let uploaded = script
        .ask(&Request::new("POST", &format!("{base}/mailboxes/{mailbox}/upload")).json(&body));
    assert_eq!(uploaded.status, 200, "{}", uploaded.text());
    let mail = plain(
        &world.alpha.theirs("carol"),
        &world.alpha.own("anna"),
        "zqalpha w7",
        PLAINTEXT,
    );
    let to = [world.alpha.anna.certificate.as_path()];
    let encrypted = openssl::encrypt(&entity(&mail), &to, "aes-256-cbc", Writing::Der);
    let reply = send(
        world.gateway.inbound,
        &world.alpha.theirs("carol"),
        &[&world.alpha.own("anna")],
        &with_entity(&mail, &encrypted),
    );
    assert_eq!(reply.code, 250, "{reply:?}");
    let mut all = search::of_key("dora", &boris);
    all.push(Secret::new("API token".to_owned(), token.as_bytes()));
    all
}

/// Row W7: secrets are in no log, not in the database, in no answer of the API and on no page, once they were shown.
#[test]
fn w7_secrets_are_nowhere() {
    let Some(world) = World::running("w7") else {
        return;
    };
    let Secrets { all, user } = make_secrets(&world);
    world.gateway.drained();
    let asking = Asking::new(&world);
    let mut seen = Vec::new();
    for (_, found) in pages(&world, &asking) {
        found
            .iter()
            .for_each(|page| seen.extend_from_slice(&page.answer.body));
    }
    let own = walk_far(&user, START, &asking.routes, OF_ONE_ROUTE);
    own.pages
        .iter()
        .for_each(|page| seen.extend_from_slice(&page.answer.body));
    let script = person("operator-token").visits(&world);
    for asked in asking
        .all()
        .unwrap_or_else(|missing| panic!("{}", missing.join("\n")))
    {
        if asked.route.is_api()
            && asked.route.method == "GET"
            && !asked.route.path.ends_with("/live")
        {
            seen.extend_from_slice(&script.get(&asked.address()).body);
        }
    }
    let answers = Directory::new("w7-answers");
    answers.file("answers", &seen);
    answers.file("log", world.gateway.log());
    let mut found = search::below(answers.path(), &all);
    found.extend(search::below(&world.gateway.data(), &all));
    found.extend(search::open_in(world.gateway.process(), &all));
    assert!(seen.len() > 100_000, "only {} octets were seen", seen.len());
    none(&found);
}
