//! Files of the repository that are made from the code, compared with it: the list of all routes, from which the tests of the
//! whole gateway make their matrix (row W1), and the OpenAPI file. `SEALGATE_GOLDEN=write` writes them anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;

use sealgate_core::permission::{Permission, Role};
use sealgate_portal::routes::word;
use sealgate_portal::{api, pages};
use serde_json::Value;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn compare(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var("SEALGATE_GOLDEN").is_ok_and(|value| value == "write") {
        std::fs::write(&path, made).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "{name} is not what the code says: SEALGATE_GOLDEN=write cargo test -p sealgate-portal --test golden"
    );
}

fn openapi() -> Value {
    serde_json::to_value(api::openapi()).unwrap()
}

/// Each call of the API: method, path below `/api/v1`, its description.
fn calls(openapi: &Value) -> Vec<(String, String, &Value)> {
    let mut calls = Vec::new();
    for (path, methods) in openapi["paths"].as_object().unwrap() {
        for (method, call) in methods.as_object().unwrap() {
            if METHODS.contains(&method.as_str()) {
                calls.push((method.to_uppercase(), path.clone(), call));
            }
        }
    }
    calls
}

/// Every route with what it needs, one a line.
fn routes() -> String {
    let openapi = openapi();
    let mut lines = BTreeSet::new();
    let mut add = |path: &str, method: &str, needs: &str| {
        assert!(lines.insert(format!("{path} {method} {needs}")), "{path}");
    };
    for page in pages::routes() {
        add(page.path, page.method.as_str(), word(page.needs));
    }
    for (method, path, call) in calls(&openapi) {
        let needs = call["x-permission"].as_str().unwrap_or("?");
        add(&format!("/api/v1{path}"), &method, needs);
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

#[test]
fn the_list_of_routes_is_that_of_the_code() {
    compare("routes.txt", &routes());
}

#[test]
fn the_openapi_file_is_that_of_the_code() {
    let text = serde_json::to_string_pretty(&openapi()).unwrap();
    compare("openapi.json", &(text + "\n"));
}

#[test]
fn every_call_says_what_it_needs() {
    let words = [
        None,
        Some(Permission::Oneself),
        Some(Permission::Role(Role::Read)),
        Some(Permission::Role(Role::Write)),
        Some(Permission::Role(Role::Admin)),
        Some(Permission::Book),
        Some(Permission::Resell),
        Some(Permission::Operate),
    ]
    .map(word);
    let openapi = openapi();
    let silent: Vec<String> = calls(&openapi)
        .into_iter()
        .filter(|(_, _, call)| {
            !call["x-permission"]
                .as_str()
                .is_some_and(|own| words.contains(&own))
        })
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    assert_eq!(silent, Vec::<String>::new());
}

/// Whoever sees an organisation's data names it in the address: what is asked for without is about oneself, resellers or the
/// installation.
#[test]
fn roles_need_an_organisation_in_the_address() {
    for line in routes().lines() {
        let mut words = line.split(' ');
        let (path, needs) = (words.next().unwrap(), words.nth(1).unwrap());
        if ["read", "write", "admin", "book"].contains(&needs) {
            assert!(path.contains("/{organisation}"), "{line}");
        }
    }
}
