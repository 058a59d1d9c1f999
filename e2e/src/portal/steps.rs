//! Steps that people take in a browser, from the files of `e2e/browser/steps`, and which rows of the requirements they show.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::browser;
use super::people::person;
use super::world::{ALPHA, World};

/// Whoever takes steps, by the short name that a step has for them.
const SEATS: &[(&str, &str, &str)] = &[
    ("de", "verwalter@zqalpha.example", "de"),
    ("en", "admin@zqalpha.example", "en"),
    ("writer", "writer@zqalpha.example", "en"),
    ("reader", "reader@zqalpha.example", "en"),
    ("beta", "admin@zqbeta.example", "en"),
    ("operator", "operator@operator.example", "en"),
    ("betreiber", "betreiber@operator.example", "de"),
    ("reseller", "reseller@zqalpha.example", "en"),
    ("haendler", "haendler@zqalpha.example", "de"),
];

/// Runs the steps of these files in one browser, in the first organisation; `given` is what they know beside it.
pub fn run(world: &World, files: &[&str], given: &Value) -> Vec<Value> {
    let mut people: Map<String, Value> = SEATS
        .iter()
        .map(|(short, name, language)| {
            let visitor = person(name).visits(world);
            let cookies = visitor.cookies.lock().unwrap().clone();
            let seat = json!({ "cookies": cookies, "language": language });
            ((*short).to_owned(), seat)
        })
        .collect();
    people.insert(
        "nobody".to_owned(),
        json!({ "cookies": {}, "language": "de" }),
    );
    let results = browser::run(
        "steps.js",
        &json!({
            "origin": format!("http://{}", world.portal),
            "home": format!("/o/{ALPHA}"),
            "screenshots": browser::screenshots(),
            "files": files,
            "people": people,
            "given": given,
        }),
    );
    results.as_array().unwrap().clone()
}

/// Fails with what went wrong in each step, and with each row that no step names.
pub fn judge(results: &[Value], rows: &[&str]) {
    let mut failures = Vec::new();
    let mut shown = BTreeSet::new();
    for step in results {
        for row in step["row"].as_array().unwrap() {
            shown.insert(row.as_str().unwrap());
        }
        for finding in step["findings"].as_array().unwrap() {
            failures.push(format!(
                "{} {} at {} ({}): {finding}",
                step["row"], step["look"], step["page"], step["picture"]
            ));
        }
    }
    let missing = rows.iter().filter(|row| !shown.contains(**row));
    failures.extend(missing.map(|row| format!("no step shows {row}")));
    println!("{} steps, {} rows", results.len(), shown.len());
    assert!(
        failures.is_empty(),
        "{} findings:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
