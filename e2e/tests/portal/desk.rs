//! Public keys, mails, what an organisation sets up, the tiers above it, and who comes in (S9, S16, S17, S83 to S93), as people do
//! it in a browser. The steps are in `e2e/browser/steps/b_*.js`.

use std::fs;
use std::path::{Path, PathBuf};

use e2e::keys::{self, Identity, KeyKind, shown};
use e2e::mime::{entity, with_entity};
use e2e::openssl::{self, Writing};
use e2e::portal::browser;
use e2e::portal::steps;
use e2e::portal::world::{ALPHA, World, plain};
use e2e::sink::Behaviour;
use serde_json::{Value, json};

/// The files of steps, in the order in which they are taken.
const FILES: &[&str] = &[
    "b_keys.js",
    "b_mails.js",
    "b_office.js",
    "b_tenants.js",
    "b_people.js",
];

/// What must be done by some step: rows of requirements.md, and what has no number there.
const ROWS: &[&str] = &[
    "S9",
    "S16",
    "S17",
    "S83",
    "S84",
    "S85",
    "S86",
    "S87",
    "S88",
    "S89",
    "S90",
    "S91",
    "S92",
    "S93",
    "W13",
    "review",
    "filter",
    "why",
    "live",
    "held",
    "overview",
    "trust",
    "authorities",
    "clients",
    "tokens",
    "webhooks",
    "settings",
    "audit",
    "events",
    "directories",
    "partners",
    "reseller",
    "system",
    "queue",
    "users",
    "login",
    "sessions",
];

/// A mail in a file, as a step hands it in.
fn mail(path: PathBuf, from: &str, to: &str, content: &[u8]) -> Value {
    fs::write(&path, content).unwrap();
    json!({ "from": from, "to": to, "file": shown(&path) })
}

/// Mails signed with keys of an authority that nobody trusts yet.
fn new_keys(world: &World, directory: &Path, other: &Identity) -> Vec<Value> {
    let anna = world.alpha.own("anna");
    let signed = |local: &str| {
        let from = world.alpha.theirs(local);
        let key = keys::mailbox(directory, other, &from, KeyKind::P256);
        let plain = plain(&from, &anna, &format!("a new key of {local}"), "text");
        let signed = openssl::sign(&entity(&plain), &key, None, false, Writing::Der);
        let file = directory.join(format!("{local}.eml"));
        mail(file, &from, &anna, &with_entity(&plain, &signed))
    };
    ["carol", "dan"].map(signed).to_vec()
}

/// The certificate of a gateway that decrypts for a whole domain.
fn of_a_domain(world: &World, directory: &Path) -> Identity {
    let extensions = "basicConstraints = critical, CA:false\nextendedKeyUsage = emailProtection\n\
        keyUsage = critical, digitalSignature, keyAgreement\n\
        subjectAltName = email:domain-confidentiality-authority@partner.example\n";
    keys::with_extensions(directory, &world.alpha.partner, "of-a-domain", extensions)
}

fn given(world: &World) -> Value {
    let directory = world.gateway.directory().path().join("desk");
    fs::create_dir(&directory).unwrap();
    let of = &world.alpha;
    let other = keys::authority(&directory, "another-partner-CA");
    let erin = of.theirs("erin");
    let live = (of.theirs("live"), of.own("anna"));
    let arrives = plain(&live.0, &live.1, "while you look", "text");
    json!({
        "inbound": world.gateway.inbound.to_string(),
        "boris": of.own("boris"),
        "carol": of.theirs("carol"),
        "dan": of.theirs("dan"),
        "stranger": of.theirs("stranger"),
        "world": format!("somebody@{ALPHA}-world.example"),
        "erin": {
            "address": erin,
            "file": shown(&keys::mailbox(&directory, &of.partner, &erin, KeyKind::P256).certificate),
        },
        "domain": shown(&of_a_domain(world, &directory).certificate),
        "root": shown(&other.certificate),
        "newKeys": new_keys(world, &directory, &other),
        "live": mail(directory.join("live.eml"), &live.0, &live.1, &arrives),
    })
}

#[test]
fn every_step_of_the_desk() {
    if !browser::ready() {
        return;
    }
    let Some(world) = World::running("desk") else {
        return;
    };
    // The office takes mail for everybody from now on: what is released arrives.
    world.office.behave(Behaviour::default());
    let results = steps::run(&world, FILES, &given(&world));
    steps::judge(&results, ROWS);
}
