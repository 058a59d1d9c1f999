//! The master key: from a file, the environment or a token; refused in one line where it is not the right one; rotated
//! under kill -9 without losing a key (row W8).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use e2e::case::Mailbox;
use e2e::cast::{ALICE, Cast};
use e2e::gateway::{self, Gateway, Options, program};
use e2e::keys::{KeyKind, shown};
use e2e::program::present;
use e2e::search;
use e2e::sink::Sink;
use e2e::token::Token;

/// Keys in the store (row W8).
const KEYS: usize = 1_000;
/// Times a rotation is killed.
const KILLS: usize = 20;
/// Longest time after which one is killed: about as long as a rotation of that many keys takes.
const LONGEST: Duration = Duration::from_millis(250);
/// 64 hexadecimal digits.
const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(directory).unwrap();
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.clone(), std::fs::read(path).unwrap())
    };
    entries.map(read).collect()
}

/// A gateway with alice's key in it, not running.
fn place(name: &str) -> Option<(Gateway, &'static Cast)> {
    if program().is_none() || !present(&["openssl"]) {
        return None;
    }
    let cast = Cast::with(KeyKind::P256);
    let gateway = Gateway::configured(name, &Options::default(), cast)?;
    let office = Sink::start().address;
    let description = [
        gateway::head(office),
        gateway::mailbox(ALICE, Mailbox::Active, cast),
        gateway::tail(cast, office),
    ];
    gateway.apply(&description.concat());
    Some((gateway, cast))
}

fn key_line(gateway: &Gateway, name: &str) -> String {
    let path = gateway.directory().path().join(name);
    format!("master-key = {:?}", shown(&path))
}

/// `serve` ends at once with one line that holds `words`; nothing of the data directory changes.
fn refused(gateway: &Gateway, words: &str) {
    // A process that ended without closing leaves its write-ahead log, which the next one takes in: that is no change.
    gateway.command(&["organisation", "list"]);
    let before = files(&gateway.data());
    for arguments in [&["serve"][..], &["organisation", "list"]] {
        let ran = gateway.command(arguments);
        assert!(!ran.good, "{words}");
        let lines: Vec<_> = ran.err.lines().collect();
        assert!(
            lines.len() == 1 && lines[0].contains(words),
            "{words}: {}",
            ran.err
        );
    }
    let after = files(&gateway.data());
    assert!(before == after, "{words}: the data directory was touched");
}

#[test]
fn a_master_key_that_is_not_the_right_one() {
    let Some((gateway, _)) = place("master-key-wrong") else {
        return;
    };
    let path = gateway.directory().path().join("master.key");
    let good = std::fs::read(&path).unwrap();
    let write = |octets: &[u8], mode: u32| {
        std::fs::write(&path, octets).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    };
    write(&[7; 32], 0o600);
    refused(&gateway, "the master key does not open");
    write(&good[..31], 0o600);
    refused(&gateway, "it must hold exactly 32 octets");
    write(&good, 0o640);
    refused(&gateway, "run chmod 0600 on it");
    std::fs::remove_file(&path).unwrap();
    refused(&gateway, "give the one this data was made with");
    write(&good, 0o600);
    let file = key_line(&gateway, "master.key");
    gateway.reconfigure(
        &file,
        "master-key = { environment = \"SEALGATE_TEST_NO_KEY\" }",
    );
    refused(
        &gateway,
        "environment variable SEALGATE_TEST_NO_KEY: it is not set",
    );
    gateway.reconfigure(
        "{ environment = \"SEALGATE_TEST_NO_KEY\" }",
        "{ environ = \"X\" }",
    );
    refused(&gateway, "{ environment = \"NAME\" }");
    gateway.reconfigure("{ environ = \"X\" }", "{ token = \"hsm\", label = \"m\" }");
    refused(&gateway, "there is no token hsm in the configuration");
    gateway.reconfigure("master-key = { token = \"hsm\", label = \"m\" }", &file);
    assert!(gateway.command(&["organisation", "list"]).good);
}

#[test]
fn a_master_key_of_the_environment() {
    let Some((mut gateway, _)) = place("master-key-environment") else {
        return;
    };
    gateway.extend("", &format!("SEALGATE_TEST_KEY={HEX}"));
    let new = [
        "master-key",
        "rotate",
        "--new",
        "environment:SEALGATE_TEST_KEY",
    ];
    let ran = gateway.command(&new);
    assert!(ran.good, "{}", ran.err);
    refused(
        &gateway,
        "rotated to environment variable SEALGATE_TEST_KEY",
    );
    let file = key_line(&gateway, "master.key");
    gateway.reconfigure(
        &file,
        "master-key = { environment = \"SEALGATE_TEST_KEY\" }",
    );
    gateway.start();
    let refusal = gateway.command(&["master-key", "rotate", "--new", "/nowhere"]);
    assert!(refusal.err.contains("/nowhere"), "{}", refusal.err);
    let other = gateway.directory().path().join("other.key");
    assert!(
        gateway
            .command(&["master-key", "make", &shown(&other)])
            .good
    );
    let refusal = gateway.command(&["master-key", "rotate", "--new", &shown(&other)]);
    assert!(refusal.err.contains("stop it first"), "{}", refusal.err);
}

#[test]
fn a_master_key_on_a_token() {
    let Some((mut gateway, _)) = place("master-key-token") else {
        return;
    };
    let Some(token) = Token::make(gateway.directory().path()) else {
        return;
    };
    gateway.extend(&token.configuration(), &token.environment());
    for arguments in [
        &["master-key", "make", "token:hsm/master"][..],
        &["master-key", "rotate", "--new", "token:hsm/master"],
    ] {
        let ran = gateway.command(arguments);
        assert!(ran.good, "{}", ran.err);
    }
    let file = key_line(&gateway, "master.key");
    gateway.reconfigure(
        &file,
        "master-key = { token = \"hsm\", label = \"master\" }",
    );
    let checked = gateway.json(&["master-key", "check"]);
    assert_eq!(checked["former"], 0, "{checked}");
    gateway.start();
    assert!(gateway.stop());
    token.take_away();
    refused(&gateway, "token hsm is away");
    token.bring_back();
    gateway.start();
    assert!(gateway.stop());
    // Another key of that size on the same token is not the one.
    assert!(
        gateway
            .command(&["master-key", "make", "token:hsm/other"])
            .good
    );
    gateway.reconfigure("label = \"master\"", "label = \"other\"");
    refused(
        &gateway,
        "rotated to master on token hsm: set master-key to that one",
    );
}

/// A store with that many private keys.
fn crowd(gateway: &Gateway) {
    let mut description = gateway::head(Sink::start().address);
    for number in 0..KEYS {
        writeln!(
            description,
            "[[routes.mailboxes]]\naddress = \"m{number}@example.com\""
        )
        .unwrap();
    }
    gateway.apply(&description);
    let ran = gateway.command(&["mailbox", "activate", "--all", "--key", "p-256"]);
    assert!(ran.good, "{}", ran.err);
}

/// How the store is, whichever of the two master keys opens it: at least one must.
fn checked(gateway: &Gateway, keys: [&str; 2]) -> serde_json::Value {
    let mut refusals = Vec::new();
    for key in keys {
        let config = gateway.directory().path().join("sealgate.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("master-key"))
            .unwrap();
        gateway.reconfigure(line, &key_line(gateway, key));
        let ran = gateway.command(&["master-key", "check", "--json"]);
        if ran.good {
            return serde_json::from_slice(&ran.out).unwrap();
        }
        refusals.push(ran.err);
    }
    panic!("neither master key opens the store: {refusals:?}");
}

#[test]
fn w8_rotation_of_a_thousand_keys_under_kill() {
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let Some(gateway) = Gateway::configured("master-key-kill", &Options::default(), cast) else {
        return;
    };
    crowd(&gateway);
    let first = checked(&gateway, ["master.key", "master.key"]);
    let total = first["good"].as_u64().unwrap();
    assert!(total > KEYS as u64, "{first}");

    let (mut from, mut to) = ("master.key".to_owned(), "1.key".to_owned());
    let (mut number, mut inside) = (1, 0);
    make(&gateway, &to);
    let mut chance = e2e::chance::Chance::seeded(8);
    let mut kills = 0;
    while kills < KILLS {
        let after = LONGEST.mul_f64((chance.below(1_000) as f64) / 1_000.0);
        kills += usize::from(killed_after(&gateway, &to, after));
        let found = checked(&gateway, [from.as_str(), to.as_str()]);
        assert_eq!(
            found["good"], total,
            "{kills} kills, after {after:?}: {found}"
        );
        assert_eq!(found["broken"].as_array().unwrap().len(), 0);
        let former = found["former"].as_u64().unwrap();
        inside += u32::from(found["rotation"].is_string() && former > 0 && former < total);
        let ended =
            found["rotation"].is_null() && found["master_key"].as_str().unwrap().contains(&to);
        if ended {
            number += 1;
            from = std::mem::replace(&mut to, format!("{number}.key"));
            make(&gateway, &to);
        }
    }
    println!(
        "{KILLS} kills, {inside} of them between two transactions of one rotation, {number} master keys"
    );
    let path = gateway.directory().path().join(&to);
    let ran = gateway.command(&["master-key", "rotate", "--new", &shown(&path)]);
    assert!(ran.good, "{}", ran.err);
    let found = checked(&gateway, [to.as_str(), to.as_str()]);
    assert_eq!(
        (&found["good"], &found["former"]),
        (&total.into(), &0.into()),
        "{found}"
    );
    assert!(found["rotation"].is_null());
    gateway.reconfigure(&key_line(&gateway, &to), &key_line(&gateway, &from));
    refused(&gateway, "rotated to file");
    nothing_in_clear(&gateway);
}

fn make(gateway: &Gateway, key: &str) {
    let path = gateway.directory().path().join(key);
    let ran = gateway.command(&["master-key", "make", &shown(&path)]);
    assert!(ran.good, "{}", ran.err);
}

/// Begins a rotation, or goes on with it, and kills it with SIGKILL; false if it was done before.
fn killed_after(gateway: &Gateway, to: &str, after: Duration) -> bool {
    let directory = gateway.directory().path();
    let mut child = Command::new(program().unwrap())
        .args(["master-key", "rotate", "--config"])
        .arg(directory.join("sealgate.toml"))
        .arg("--new")
        .arg(directory.join(to))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while begun.elapsed() < after && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

/// The files alone show no private key: neither as DER (RFC 5915: version 1, then the 32 octets) nor as PEM.
fn nothing_in_clear(gateway: &Gateway) {
    let scalar = [2, 1, 1, 4, 32];
    for (path, octets) in files(&gateway.data()) {
        for pattern in [&scalar[..], b"PRIVATE KEY", b"MIGHAgEA", b"MHcCAQEE"] {
            let found = octets.windows(pattern.len()).any(|part| part == pattern);
            assert!(!found, "{pattern:?} in {}", path.display());
        }
    }
}

/// A key whose private numbers are known is nowhere in the files, before a rotation and after it.
#[test]
fn w8_the_files_alone_show_no_key() {
    let Some((gateway, cast)) = place("master-key-files") else {
        return;
    };
    let secrets = search::of_key("alice", &cast.alice);
    make(&gateway, "1.key");
    let new = shown(&gateway.directory().path().join("1.key"));
    assert_eq!(
        search::below(&gateway.data(), &secrets),
        Vec::<String>::new()
    );
    assert!(
        gateway
            .command(&["master-key", "rotate", "--new", &new])
            .good
    );
    assert_eq!(
        search::below(&gateway.data(), &secrets),
        Vec::<String>::new()
    );
    nothing_in_clear(&gateway);
    gateway.reconfigure(
        &key_line(&gateway, "master.key"),
        &key_line(&gateway, "1.key"),
    );
    assert_eq!(gateway.json(&["master-key", "check"])["former"], 0);
    // The search finds what is there.
    gateway
        .directory()
        .file("data/copy.pem", std::fs::read(&cast.alice.key).unwrap());
    assert!(!search::below(&gateway.data(), &secrets).is_empty());
}
