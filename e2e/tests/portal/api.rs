//! The API against its own description: `schemathesis` makes requests from `crates/portal/openapi.json`, good and bad ones, and
//! judges the answers: no 5xx, no status, media type or content that is not described.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use e2e::dns::Record;
use e2e::keys::shown;
use e2e::place::{skip, workspace};
use e2e::portal::http::{Answer, Request};
use e2e::portal::people::{person, settle};
use e2e::portal::world::{ALPHA, BETA, World};
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
        .args(["--continue-on-failure", "--request-timeout", "120"])
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

/// Where organisations share an installation, a domain is taken only with a record in its DNS that names the organisation; the
/// answer says which.
#[test]
fn a_domain_is_proven_by_its_dns() {
    let Some(mut world) = World::configured("portal-proof") else {
        return;
    };
    settle(&world);
    world.gateway.start();
    let claim = |who: &str, organisation: &str, domain: &str| {
        let path = format!("/api/v1/organisations/{organisation}/routes");
        let target = json!({ "host": "mx.operator.example" });
        let route = json!({ "name": domain, "domains": [domain], "target": target });
        person(who)
            .visits(&world)
            .ask(&Request::new("POST", &path).json(&route))
    };
    let is_refused = |answer: &Answer, domain: &str, organisation: &str| {
        let told = answer.json();
        assert_eq!(answer.status, 409, "{told}");
        assert_eq!(told["code"], "domain-not-proven");
        let record = format!("_sealgate.{domain}. TXT \"organisation={organisation}\"");
        assert!(told["detail"].as_str().unwrap().contains(&record), "{told}");
    };
    let text = |organisation: &str| Record::Text(format!("organisation={organisation}"));
    for (domain, record) in [
        ("new.example", None),
        ("other.example", Some(text(BETA))),
        ("broken.example", Some(Record::Broken)),
    ] {
        let name = format!("_sealgate.{domain}");
        if let Some(record) = record {
            world.dns.add(&name, record);
        }
        is_refused(&claim("zqalpha-admin", ALPHA, domain), domain, ALPHA);
    }
    // Whoever sets the record need not wait.
    let (domain, name) = ("new.example", "_sealgate.new.example");
    world.dns.add(name, Record::Text("v=spf1 -all".to_owned()));
    world.dns.add(name, text(ALPHA));
    // With a record of its own nobody takes what is another's already.
    world.dns.add(name, text(BETA));
    let taken = claim("zqalpha-admin", ALPHA, domain);
    assert!(taken.status < 300, "{}", taken.text());
    let twice = claim("zqbeta-admin", BETA, domain);
    assert!((400..500).contains(&twice.status), "{}", twice.text());
    let path = format!("/api/v1/organisations/{ALPHA}/routes");
    let routes = person("zqalpha-admin").visits(&world).get(&path).text();
    assert!(routes.contains(domain), "{routes}");
    // The operator knows what he does.
    let own = claim("operator-token", BETA, "operators.example");
    assert!(own.status < 300, "{}", own.text());
    inner_addresses_are_the_operators(&world);
}

/// Who is the administrator of one of several organisations names no server in the operator's network, except where the operator
/// lets organisations name them; what the operator has set stays with its place.
fn inner_addresses_are_the_operators(world: &World) {
    let set = |who: &str, host: &str, port: u16| {
        let path = format!("/api/v1/organisations/{ALPHA}/outbound/smarthost");
        let server = json!({ "host": host, "port": port });
        person(who)
            .visits(world)
            .ask(&Request::new("PUT", &path).json(&server))
    };
    let refused = |answer: &Answer, host: &str| {
        let told = answer.json();
        assert_eq!(
            (answer.status, &told["code"]),
            (422, &json!("inner-address")),
            "{host}: {told}"
        );
    };
    for host in [
        "10.0.0.5",
        "169.254.169.254",
        "0.0.0.0",
        "::1",
        "fd00::1",
        "::ffff:127.0.0.1",
    ] {
        refused(&set("zqalpha-admin", host, 25), host);
    }
    // What the configuration names, and what is public.
    for host in ["127.0.0.9", "198.41.0.4"] {
        let answer = set("zqalpha-admin", host, 25);
        assert!(answer.status < 300, "{host}: {}", answer.text());
    }
    let own = set("operator-token", "10.0.0.5", 25);
    assert!(own.status < 300, "{}", own.text());
    let kept = set("zqalpha-admin", "10.0.0.5", 25);
    assert!(kept.status < 300, "{}", kept.text());
    refused(&set("zqalpha-admin", "10.0.0.5", 26), "another port");
    let directory = json!({ "url": "ldap://10.0.0.5", "base": "dc=x" });
    let path = format!("/api/v1/organisations/{ALPHA}/directories/inner");
    let answer = person("zqalpha-admin")
        .visits(world)
        .ask(&Request::new("PUT", &path).json(&directory));
    refused(&answer, "directory");
}
