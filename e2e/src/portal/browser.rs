//! Chromium, driven by the scripts of `e2e/browser` through Node.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::place::{skip, workspace};
use crate::program::present;

/// Whether browser, Node and the packages are there; if not, the test says so and skips itself.
pub fn ready() -> bool {
    if !present(&["chromium", "node"]) {
        return false;
    }
    let there = packages().join("playwright-core").is_dir() && packages().join("axe-core").is_dir();
    if !there {
        skip("the npm packages of e2e/browser; `cargo xtask test tools` installs them");
    }
    there
}

fn packages() -> PathBuf {
    std::env::var_os("SEALGATE_NPM").map_or_else(
        || workspace().join("target/npm/node_modules"),
        PathBuf::from,
    )
}

/// Where screenshots are kept.
pub fn screenshots() -> PathBuf {
    workspace().join("target/screenshots")
}

/// Runs a script with what it is given as JSON; gives what it found, one JSON value.
pub fn run(script: &str, given: &Value) -> Value {
    let mut child = Command::new("node")
        .arg(workspace().join("e2e/browser").join(script))
        .env("NODE_PATH", packages())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It reads all of it before it says anything.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(given.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {complaint}{out}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{script}: {error}: {out}"))
}

/// What was found wrong with pages, each finding once with where it is.
pub fn findings(results: &Value) -> Vec<String> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in results.as_array().unwrap() {
        let place = format!("{} {}", text(&one["page"]), text(&one["look"]));
        for finding in one["findings"].as_array().unwrap() {
            places.entry(text(finding)).or_default().push(place.clone());
        }
    }
    let line = |(finding, places): (String, Vec<String>)| {
        let some: Vec<&str> = places.iter().take(4).map(String::as_str).collect();
        format!(
            "{} views: {finding}\n    on {}",
            places.len(),
            some.join(", ")
        )
    };
    places.into_iter().map(line).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
