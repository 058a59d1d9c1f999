//! Rows W3 and W6 of security.md on the whole portal: sixty values of strangers on every page, in exports and in the log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use e2e::portal::asking::{Asking, START, filling};
use e2e::portal::browser;
use e2e::portal::crawl::{Found, walk_far};
use e2e::portal::forms::strange;
use e2e::portal::hostile::{self, VALUES};
use e2e::portal::people::person;
use e2e::portal::routes::{Filling, Route};
use e2e::portal::world::{ALPHA, World};
use e2e::program::{must_run, python};
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
