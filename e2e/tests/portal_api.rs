//! The API against its own description: `schemathesis` makes requests from `crates/portal/openapi.json`, good and bad ones, and
//! judges the answers: no 5xx, no status, media type or content that is not described.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use e2e::keys::shown;
use e2e::place::{skip, workspace};
use e2e::portal::people::person;
use e2e::portal::world::{ALPHA, World};
use e2e::program::python;
use serde_json::{Value, json};

/// Most requests of one kind for each call.
const EXAMPLES: &str = "6";
/// What is judged.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/// Which requests are made: those from examples, those at the edges of the description, random ones.
const PHASES: &str = "examples,coverage,fuzzing";

/// Calls about an organisation, and all others.
const OF_AN_ORGANISATION: &str = r"/organisations/\{organisation\}/";

fn schemathesis() -> Option<PathBuf> {
    let path = Path::new(&python()).with_file_name("schemathesis");
    if !path.is_file() {
        skip("the Python package schemathesis; `cargo xtask test tools` installs it");
        return None;
    }
    Some(path)
}

/// The description with the organisation in every address that names one: random names are all alike.
fn narrowed() -> Value {
    let path = workspace().join("crates/portal/openapi.json");
    let mut description: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for calls in description["paths"].as_object_mut().unwrap().values_mut() {
        for call in calls.as_object_mut().unwrap().values_mut() {
            for parameter in call
                .get_mut("parameters")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                if parameter["in"] == "path" && parameter["name"] == "organisation" {
                    parameter["schema"] = json!({ "type": "string", "enum": [ALPHA] });
                }
            }
        }
    }
    description
}

fn start(world: &World, program: &Path, token: &str, filter: [&str; 2]) -> Child {
    let directory = world.gateway.directory();
    let file = directory.file("openapi.json", narrowed().to_string());
    let secret = person(token).secret();
    Command::new(program)
        .args(["run", &shown(&file), "--url"])
        .arg(format!("http://{}/api/v1", world.portal))
        .args(["--header", &format!("Authorization: Bearer {secret}")])
        .args([
            "--checks",
            CHECKS,
            "--phases",
            PHASES,
            "--max-examples",
            EXAMPLES,
        ])
        .args([
            "--seed",
            "1",
            "--no-color",
            "--no-shrink",
            "--warnings",
            "off",
        ])
        .args(["--continue-on-failure", "--request-timeout", "30"])
        .args([
            "--generation-database",
            "none",
            "--suppress-health-check",
            "all",
        ])
        .args(filter)
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn every_answer_is_described() {
    let Some(program) = schemathesis() else {
        return;
    };
    let Some(world) = World::running("schemathesis") else {
        return;
    };
    // Side by side: the machine has two cores.
    let running = [
        (
            "zqalpha-admin",
            ["--include-path-regex", OF_AN_ORGANISATION],
        ),
        (
            "operator-token",
            ["--exclude-path-regex", OF_AN_ORGANISATION],
        ),
    ]
    .map(|(token, filter)| (token, start(&world, &program, token, filter)));
    let mut failures = Vec::new();
    for (token, child) in running {
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        println!("{token}:\n{text}");
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr);
            failures.push(format!("{token}: {}: {complaint}", output.status));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    // Whatever was asked, the gateway is there and has complained of nothing of its own.
    let log = world.gateway.log();
    let own: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("a request of the portal failed") || line.contains("panicked"))
        .collect();
    assert!(own.is_empty(), "{own:#?}");
}
