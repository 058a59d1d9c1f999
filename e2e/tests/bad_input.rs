//! Bad input on the command line: one clear line that says what to do, an exit code, nothing half-written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use e2e::case::Mailbox;
use e2e::cast::{ALICE, CAROL, Cast};
use e2e::gateway::{Gateway, Options, head, mailbox, program, tail};
use e2e::keys::{KeyKind, PASSWORD, shown};
use e2e::mime::{entity, with_entity};
use e2e::openssl::{self, Writing};
use e2e::place::Directory;
use e2e::program::{Ran, present, run};
use e2e::sink::Sink;

fn gateway(name: &str) -> Option<(Gateway, &'static Cast)> {
    if program().is_none() || !present(&["openssl"]) {
        return None;
    }
    let cast = Cast::with(KeyKind::P256);
    Some((Gateway::configured(name, &Options::default(), cast)?, cast))
}

/// The program failed with one line that holds each of `words`.
fn one_clear_line(ran: &Ran, words: &[&str]) {
    assert!(!ran.good, "it succeeded: {}", ran.text());
    let lines: Vec<&str> = ran.err.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 1, "{}", ran.err);
    let line = lines[0].to_lowercase();
    for word in words {
        assert!(
            line.contains(&word.to_lowercase()),
            "`{word}` is not in: {line}"
        );
    }
    assert!(!line.contains("panicked"), "{line}");
}

fn configuration(gateway: &Gateway) -> PathBuf {
    gateway.directory().path().join("sealgate.toml")
}

/// Replaces a line of the configuration that begins with `key`.
fn set(gateway: &Gateway, key: &str, line: &str) {
    let text = fs::read_to_string(configuration(gateway)).unwrap();
    let lines = text
        .lines()
        .map(|one| if one.starts_with(key) { line } else { one });
    fs::write(configuration(gateway), lines.collect::<Vec<_>>().join("\n")).unwrap();
}

#[test]
fn a_broken_configuration() {
    let Some((gateway, _)) = gateway("broken-config") else {
        return;
    };
    let good = fs::read_to_string(configuration(&gateway)).unwrap();
    for (key, line, words) in [
        ("data", "data = ", ["sealgate.toml", "check --example"]),
        ("data", "dta = \"x\"", ["sealgate.toml", "dta"]),
        (
            "inbound",
            "inbound = [\"127.0.0.1:99999\"]",
            ["sealgate.toml", "line 6"],
        ),
        (
            "size-limit",
            "size-limit = \"much\"",
            ["sealgate.toml", "line"],
        ),
        ("hostname", "hostname = \"a b\"", ["sealgate.toml", "line"]),
    ] {
        set(&gateway, key, line);
        one_clear_line(&gateway.command(&["serve"]), &words);
        one_clear_line(&gateway.command(&["check"]), &words);
        fs::write(configuration(&gateway), &good).unwrap();
    }
    fs::remove_file(configuration(&gateway)).unwrap();
    one_clear_line(&gateway.command(&["serve"]), &["sealgate.toml", "--config"]);
}

#[test]
fn a_port_in_use() {
    let Some((gateway, _)) = gateway("port") else {
        return;
    };
    let _taken = TcpListener::bind(gateway.outbound).unwrap();
    let port = gateway.outbound.port().to_string();
    one_clear_line(&gateway.command(&["serve"]), &[&port, "in use"]);
}

#[test]
fn an_unwritable_data_directory() {
    let Some((gateway, _)) = gateway("unwritable") else {
        return;
    };
    let file = gateway.directory().file("file", "not a directory");
    let data = format!("data = {:?}", shown(&file.join("data")));
    set(&gateway, "data", &data);
    one_clear_line(&gateway.command(&["serve"]), &[&shown(&file)]);
    assert_eq!(fs::read(&file).unwrap(), b"not a directory");
}

#[test]
fn a_master_key_that_is_not_private_or_not_there() {
    use std::os::unix::fs::PermissionsExt;
    let Some((gateway, _)) = gateway("master-key") else {
        return;
    };
    let key = gateway.directory().path().join("master.key");
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    one_clear_line(&gateway.command(&["serve"]), &["master.key", "0600"]);
    fs::remove_file(&key).unwrap();
    one_clear_line(&gateway.command(&["serve"]), &["master.key"]);
    assert!(!gateway.data().join("sealgate.db").exists());
}

#[test]
fn a_wrong_password_leaves_nothing() {
    let Some((gateway, cast)) = gateway("password") else {
        return;
    };
    let sink = Sink::start();
    let good = [
        head(sink.address),
        mailbox(ALICE, Mailbox::Active, cast),
        tail(cast, sink.address),
    ]
    .concat();
    let bad = good.replace(&format!("{PASSWORD:?}"), "\"wrong\"");
    let file = shown(&gateway.directory().file("bad.toml", bad));
    one_clear_line(&gateway.command(&["apply", &file]), &[".p12", "password"]);
    let file = shown(&gateway.directory().file("good.toml", &good));
    let difference = gateway.command(&["apply", "--dry-run", &file]);
    assert!(
        difference.good && difference.text().contains("create organisation"),
        "{}",
        difference.text()
    );
    gateway.apply(&good);
    let again = gateway.command(&["apply", &file]);
    assert!(
        again.good && again.text().contains("already"),
        "applied twice: {}",
        again.text()
    );
}

#[test]
fn a_broken_description_changes_nothing() {
    let Some((gateway, cast)) = gateway("description") else {
        return;
    };
    let sink = Sink::start();
    let good = [head(sink.address), tail(cast, sink.address)].concat();
    gateway.apply(&good);
    for (broken, word) in [
        (good.replace("organisation", "organization"), "organization"),
        (good.clone() + "mail-server = maybe\n", "bad.toml"),
        (
            good.clone() + "[[correspondents]]\ncertificate = \"missing.pem\"\n",
            "missing.pem",
        ),
        (
            good.clone() + "[[rules]]\nmanaged = \"all\"\nexternal = \"not an address\"\n",
            "not an address",
        ),
        (
            good.clone()
                + "[[rules]]\nmanaged = \"all\"\nexternal = \"all\"\ninbound = \"sometimes\"\n",
            "bad.toml",
        ),
    ] {
        let file = shown(&gateway.directory().file("bad.toml", broken));
        one_clear_line(&gateway.command(&["apply", &file]), &[word]);
    }
    let file = shown(&gateway.directory().file("good.toml", &good));
    let again = gateway.command(&["apply", &file]);
    assert!(
        again.good && again.text().contains("already"),
        "{}",
        again.text()
    );
}

#[test]
fn malformed_cms() {
    let Some(program) = program().filter(|_| present(&["openssl"])) else {
        return;
    };
    let cast = Cast::with(KeyKind::P256);
    let directory = Directory::new("malformed");
    let p12 = shown(&cast.alice.pkcs12(&cast.own_authority));
    let plain =
        format!("From: {CAROL}\r\nTo: {ALICE}\r\nContent-Type: text/plain\r\n\r\nhello\r\n")
            .into_bytes();
    let to = [cast.alice.certificate.as_path()];
    let whole = with_entity(
        &plain,
        &openssl::encrypt(&entity(&plain), &to, "aes-256-cbc", Writing::Der),
    );
    let decrypt = |name: &str, octets: &[u8], password: &str| {
        let file = shown(&directory.file(name, octets));
        let out = shown(&directory.path().join("out"));
        let arguments = [
            "smime",
            "decrypt",
            &file,
            "--pkcs12",
            &p12,
            "--password",
            password,
            "--output",
            &out,
        ];
        let ran = run(&shown(&program), &arguments, b"");
        (ran, Path::new(&out).exists())
    };
    let (good, written) = decrypt("good.eml", &whole, PASSWORD);
    assert!(good.good && written, "{}", good.err);
    fs::remove_file(directory.path().join("out")).unwrap();
    for (name, octets) in [
        ("cut.eml", &whole[..whole.len() - 200]),
        ("half.eml", &whole[..whole.len() / 2]),
        ("plain.eml", plain.as_slice()),
        ("empty.eml", b"".as_slice()),
    ] {
        let (ran, written) = decrypt(name, octets, PASSWORD);
        one_clear_line(&ran, &["sealgate: "]);
        assert!(!written, "{name}: something was written");
    }
    let (ran, written) = decrypt("good.eml", &whole, "wrong");
    one_clear_line(&ran, &["password"]);
    assert!(!written);
}
