//! The first command anybody runs: it needs nothing, shows every outcome, and judges by what arrived.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use e2e::gateway::program;
use e2e::keys::shown;
use e2e::place::Directory;
use e2e::program::run;
use serde_json::Value;

#[test]
fn demo_shows_every_outcome() {
    let Some(program) = program() else { return };
    let directory = Directory::new("demo");
    let below = shown(&directory.path().join("demo"));
    let ran = run(
        &shown(&program),
        &["demo", "--json", "--directory", &below],
        b"",
    );
    assert!(ran.good, "{}\n{}", ran.text(), ran.err);
    let rows: Value = serde_json::from_slice(&ran.out).unwrap();
    let rows = rows.as_array().unwrap();
    assert!(rows.len() >= 8, "only {} mails", rows.len());
    for row in rows {
        assert_eq!(row["as_expected"], Value::Bool(true), "{row}");
        if let Some(file) = row["file"].as_str() {
            assert!(Path::new(file).is_file(), "{file} is not there");
        }
    }
    let with_file = rows.iter().filter(|row| row["file"].is_string()).count();
    assert!(
        with_file >= 4 && with_file < rows.len(),
        "{with_file} of {} came out",
        rows.len()
    );
}
