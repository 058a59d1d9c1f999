//! Bad input: one clear line that says what to do, exit code 1, nothing half-written; and malformed mail, which the
//! gateway survives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use e2e::cast::{ALICE, CAROL, Cast};
use e2e::chance::Chance;
use e2e::client::Session;
use e2e::gateway::{Gateway, Options, program};
use e2e::keys::{KeyKind, PASSWORD, shown};
use e2e::mime::{entity, field, with_entity};
use e2e::openssl::{self, Writing};
use e2e::place::{Directory, free_address};
use e2e::program::{Ran, must_run, present, python, run};
use e2e::scene::{DELIVERY, Scene, rule, send};

fn gateway(name: &str) -> Option<(Gateway, &'static Cast)> {
    if program().is_none() || !present(&["openssl", "python3"]) {
        return None;
    }
    let cast = Cast::with(KeyKind::P256);
    Some((Gateway::configured(name, &Options::default(), cast)?, cast))
}

/// The program failed with exit code 1 and one line that holds each of `words`.
fn one_clear_line(ran: &Ran, words: &[&str]) {
    failed_with(ran, 1, words);
}

fn failed_with(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, Some(code), "{}{}", ran.text(), ran.err);
    assert!(ran.out.is_empty(), "{}", ran.text());
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    let line = ran.err.to_lowercase();
    assert!(line.starts_with("sealgate: "), "{line}");
    for word in words {
        let word = word.to_lowercase();
        assert!(line.contains(&word), "`{word}` is not in: {line}");
    }
    assert!(!line.contains("panicked"), "{line}");
}

/// Every file and directory below `directory`, with mode and content: of a database what it holds, without the files
/// that SQLite keeps beside it.
fn listing(directory: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = shown(&path);
        if name.ends_with("-wal") || name.ends_with("-shm") {
            continue;
        }
        let about = fs::symlink_metadata(&path).unwrap();
        let content = if about.is_dir() {
            all.extend(listing(&path));
            Vec::new()
        } else if name.ends_with(".db") {
            held(&name)
        } else {
            fs::read(&path).unwrap()
        };
        all.insert(path, (about.permissions().mode(), content));
    }
    all
}

/// What a database holds, as SQL; the octets of what is none.
fn held(database: &str) -> Vec<u8> {
    const PROGRAM: &str = "import sqlite3, sys\n\
        for line in sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True).iterdump(): print(line)";
    let ran = run(&python(), &["-c", PROGRAM, database], b"");
    if ran.good {
        ran.out
    } else {
        fs::read(database).unwrap()
    }
}

/// Runs a command that must fail with one line and leave every file as it was.
fn fails(gateway: &Gateway, arguments: &[&str], words: &[&str]) {
    let before = listing(gateway.directory().path());
    let ran = gateway.command(arguments);
    println!("{}", ran.err.trim_end());
    one_clear_line(&ran, words);
    let after = listing(gateway.directory().path());
    let names = |all: &BTreeMap<PathBuf, _>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&after), names(&before), "{arguments:?}, {words:?}");
    assert!(after == before, "{arguments:?}, {words:?}: a file changed");
}

fn configuration(gateway: &Gateway) -> PathBuf {
    gateway.directory().path().join("sealgate.toml")
}

/// Replaces a line of the configuration that begins with `key`.
fn set(gateway: &Gateway, key: &str, line: &str) {
    let text = fs::read_to_string(configuration(gateway)).unwrap();
    assert!(text.lines().any(|one| one.starts_with(key)), "{key}");
    let lines = text
        .lines()
        .map(|one| if one.starts_with(key) { line } else { one });
    fs::write(configuration(gateway), lines.collect::<Vec<_>>().join("\n")).unwrap();
}

/// Makes data and leaves.
fn made(gateway: &Gateway) {
    let ran = gateway.command(&["organisation", "create", "one"]);
    assert!(ran.good, "{}", ran.err);
}

#[test]
fn bad_configuration() {
    let Some((gateway, cast)) = gateway("broken-config") else {
        return;
    };
    let good = fs::read_to_string(configuration(&gateway)).unwrap();
    let other_key = format!("key = {:?}", shown(&cast.alice.key));
    let inside = format!(
        "master-key = {:?}",
        shown(&gateway.data().join("master.key"))
    );
    let no_pem = shown(&gateway.directory().file("no.pem", "nothing"));
    let no_pem = format!("certificate = {no_pem:?}");
    for (key, line, words) in [
        (
            "data",
            "data = ",
            &["sealgate.toml", "line 1", "check --example"][..],
        ),
        ("data", "dta = \"x\"", &["sealgate.toml", "dta"]),
        ("data", "", &["sealgate.toml", "missing field `data`"]),
        ("data", "data = 7", &["sealgate.toml", "line 1"]),
        ("[listen]", "[listen", &["sealgate.toml", "line 5"]),
        ("[listen]", "[surprise]", &["sealgate.toml", "surprise"]),
        (
            "inbound",
            "inbound = [\"127.0.0.1:99999\"]",
            &["sealgate.toml", "line 6"],
        ),
        (
            "inbound",
            "inbound = [\"localhost\"]",
            &["sealgate.toml", "line 6"],
        ),
        (
            "size-limit",
            "size-limit = \"much\"",
            &["sealgate.toml", "line 4"],
        ),
        (
            "size-limit",
            "size-limit = 7",
            &["sealgate.toml", "size-limit", "65536"],
        ),
        (
            "size-limit",
            "size-limit = -1",
            &["sealgate.toml", "line 4"],
        ),
        (
            "hostname",
            "hostname = \"a b\"",
            &["sealgate.toml", "line 3"],
        ),
        (
            "server",
            "server = \"somewhere\"",
            &["sealgate.toml", "dns.server", "127.0.0.1:53"],
        ),
        (
            "retry-first",
            "retry-first = 0",
            &["sealgate.toml", "retry-first", "at least 1"],
        ),
        (
            "queue-lifetime",
            "queue-lifetime = -5",
            &["sealgate.toml", "queue-lifetime"],
        ),
        (
            "master-key",
            &inside,
            &["inside the data directory", "move it"],
        ),
        (
            "certificate",
            "certificate = \"missing.pem\"",
            &["missing.pem"],
        ),
        ("certificate", &no_pem, &["no.pem"]),
        ("key = ", "key = \"missing.key\"", &["missing.key"]),
        ("key = ", &other_key, &["alice", "key"]),
        (
            "[delivery]",
            "[delivery]\nroots = \"missing-roots.pem\"",
            &["missing-roots.pem"],
        ),
    ] {
        set(&gateway, key, line);
        fails(&gateway, &["serve"], words);
        fails(&gateway, &["check"], words);
        fs::write(configuration(&gateway), &good).unwrap();
    }
    fs::write(configuration(&gateway), b"data = \"\xff\"").unwrap();
    fails(&gateway, &["serve"], &["sealgate.toml"]);
    fs::write(configuration(&gateway), "").unwrap();
    fails(&gateway, &["serve"], &["sealgate.toml", "missing field"]);
    fs::remove_file(configuration(&gateway)).unwrap();
    fails(&gateway, &["serve"], &["sealgate.toml", "--config"]);
    fs::create_dir(configuration(&gateway)).unwrap();
    fails(&gateway, &["serve"], &["sealgate.toml", "--config"]);
    assert!(!gateway.data().exists());
}

#[test]
fn bad_port() {
    let Some((gateway, _)) = gateway("port") else {
        return;
    };
    for (listener, address) in [("inbound", gateway.inbound), ("outbound", gateway.outbound)] {
        let _taken = TcpListener::bind(address).unwrap();
        let words = [&address.to_string(), "in use", "[listen]"];
        // First without any data, then with some.
        if listener == "inbound" {
            fails(&gateway, &["serve"], &words);
            assert!(!gateway.data().exists());
            made(&gateway);
        }
        fails(&gateway, &["serve"], &words);
    }
    set(&gateway, "inbound", "inbound = [\"192.0.2.1:25\"]");
    fails(&gateway, &["serve"], &["192.0.2.1:25", "[listen]"]);
}

/// Places where not even root may write, and what is no directory.
#[test]
fn bad_data_directory() {
    let Some((gateway, _)) = gateway("unwritable") else {
        return;
    };
    let file = gateway.directory().file("file", "not a directory");
    let occupied = gateway.directory().path().join("occupied");
    fs::create_dir_all(occupied.join("sealgate.db")).unwrap();
    fs::set_permissions(&occupied, fs::Permissions::from_mode(0o700)).unwrap();
    let nonsense = gateway.directory().path().join("nonsense");
    fs::create_dir(&nonsense).unwrap();
    fs::set_permissions(&nonsense, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(nonsense.join("sealgate.db"), "no database ".repeat(1000)).unwrap();
    let shared = gateway.directory().path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::write(shared.join("other"), "another program's").unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o755)).unwrap();
    for (data, words) in [
        (shared, ["shared: others may read it", "name a directory"]),
        (file.join("data"), ["file/data", "name a directory"]),
        (file.clone(), ["/file", "name a directory"]),
        (
            PathBuf::from("/sys/kernel/sealgate"),
            ["/sys/kernel/sealgate", ": "],
        ),
        (
            gateway.directory().path().join("a/b"),
            ["a/b", "make the directory above"],
        ),
        (occupied, ["occupied/sealgate.db", "directory"]),
        (nonsense, ["not a database", "restore it"]),
    ] {
        set(&gateway, "data", &format!("data = {:?}", shown(&data)));
        for command in [
            &["serve"][..],
            &["check"],
            &["organisation", "create", "one"],
            &["mails"],
        ] {
            fails(&gateway, command, &words);
        }
    }
    assert_eq!(fs::read(&file).unwrap(), b"not a directory");
}

#[test]
fn bad_master_key() {
    let Some((gateway, _)) = gateway("master-key") else {
        return;
    };
    let key = gateway.directory().path().join("master.key");
    let good = fs::read(&key).unwrap();
    let mode = |mode| fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(
        (
            good.len(),
            fs::metadata(&key).unwrap().permissions().mode() & 0o7777
        ),
        (32, 0o600)
    );
    let commands = [&["serve"][..], &["check"], &["organisation", "list"]];
    for there in [false, true] {
        if there {
            made(&gateway);
        }
        for command in commands {
            for wrong in [0o644, 0o640, 0o666, 0o700] {
                mode(wrong);
                fails(&gateway, command, &["master.key", "chmod 0600"]);
            }
            mode(0o600);
            for length in [0, 31, 33] {
                fs::write(&key, vec![7; length]).unwrap();
                fails(
                    &gateway,
                    command,
                    &["master.key", "32 octets", "--make-master-key"],
                );
            }
            fs::remove_file(&key).unwrap();
            fails(&gateway, command, &["master.key", "--make-master-key"]);
            fs::create_dir(&key).unwrap();
            fails(&gateway, command, &["master.key"]);
            fs::remove_dir(&key).unwrap();
            if there {
                fs::write(&key, [7; 32]).unwrap();
                mode(0o600);
                fails(&gateway, command, &["does not open", "made with"]);
            }
            fs::write(&key, &good).unwrap();
            mode(0o600);
        }
        assert_eq!(gateway.data().exists(), there);
    }
    fails(
        &gateway,
        &["check", "--make-master-key", &shown(&key)],
        &["master.key", "left as it is"],
    );
    assert!(gateway.command(&["check"]).good);
}

#[test]
fn two_gateways_on_one_data_directory() {
    let Some((mut gateway, _)) = gateway("two") else {
        return;
    };
    made(&gateway);
    gateway.start();
    let first = fs::read_to_string(configuration(&gateway)).unwrap();
    for (key, address) in [("inbound", free_address()), ("outbound", free_address())] {
        set(&gateway, key, &format!("{key} = [\"{address}\"]"));
    }
    let names = |gateway: &Gateway| listing(&gateway.data()).into_keys().collect::<Vec<_>>();
    let before = names(&gateway);
    one_clear_line(
        &gateway.command(&["serve"]),
        &["already serves", "stop it first"],
    );
    assert_eq!(names(&gateway), before);
    fs::write(configuration(&gateway), first).unwrap();
    assert!(
        Session::connect(gateway.inbound).is_ok(),
        "the first one is gone"
    );
    assert!(gateway.command(&["organisation", "create", "two"]).good);
    assert!(gateway.stop());
    gateway.start();
}

#[test]
fn newer_schema() {
    let Some((gateway, _)) = gateway("newer") else {
        return;
    };
    made(&gateway);
    let database = shown(&gateway.data().join("sealgate.db"));
    let newer = "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as c: c.execute('INSERT INTO schema_versions VALUES (999)')";
    must_run(&python(), &["-c", newer, &database], b"");
    for command in [
        &["serve"][..],
        &["check"],
        &["queue", "list"],
        &["organisation", "create", "two"],
    ] {
        fails(
            &gateway,
            command,
            &["sealgate.db", "999", "use the newer program"],
        );
    }
}

#[test]
fn bad_pkcs12() {
    let Some((gateway, cast)) = gateway("pkcs12") else {
        return;
    };
    made(&gateway);
    let route = [
        "route",
        "add",
        "office",
        "--domain",
        "example.com",
        "--host",
        "h",
    ];
    assert!(gateway.command(&route).good && gateway.command(&["mailbox", "add", ALICE]).good);
    let good = fs::read(cast.alice.pkcs12(&cast.own_authority)).unwrap();
    let directory = gateway.directory();
    let certificates = shown(&directory.path().join("certificates.p12"));
    let (alice, password) = (shown(&cast.alice.certificate), format!("pass:{PASSWORD}"));
    let export = [
        "pkcs12",
        "-export",
        "-nokeys",
        "-in",
        &alice,
        "-passout",
        &password,
        "-out",
        &certificates,
    ];
    must_run("openssl", &export, b"");
    let mail = shown(&directory.file("mail.eml", "From: a@b.example\r\n\r\ntext\r\n"));
    for (name, octets, password, word) in [
        ("good.p12", good.clone(), "wrong", "password"),
        ("good.p12", good.clone(), "", "password"),
        (
            "cut.p12",
            good[..good.len() / 2].to_vec(),
            PASSWORD,
            "cut.p12",
        ),
        ("text.p12", b"no PKCS#12".to_vec(), PASSWORD, "text.p12"),
        ("empty.p12", Vec::new(), PASSWORD, "empty.p12"),
        (
            "nokey.p12",
            fs::read(&certificates).unwrap(),
            PASSWORD,
            "key",
        ),
    ] {
        let file = shown(&directory.file(name, octets));
        fails(
            &gateway,
            &["mailbox", "upload", ALICE, &file, "--password", password],
            &[name, word],
        );
        fails(
            &gateway,
            &[
                "smime",
                "sign",
                &mail,
                "--pkcs12",
                &file,
                "--password",
                password,
            ],
            &[name, word],
        );
    }
}

/// A mail to alice whose S/MIME entity has these octets.
fn with_octets(plain: &[u8], der: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\nContent-Transfer-Encoding: base64\r\n\r\n".to_vec();
    for line in der.chunks(57) {
        for three in line.chunks(3) {
            let bits = three
                .iter()
                .fold(0_usize, |bits, &octet| (bits << 8) | usize::from(octet))
                << (8 * (3 - three.len()));
            let letters = (0..4).map(|place| ALPHABET[(bits >> (18 - 6 * place)) & 63]);
            text.extend(
                letters
                    .enumerate()
                    .map(|(place, letter)| if place > three.len() { b'=' } else { letter }),
            );
        }
        text.extend(b"\r\n");
    }
    with_entity(plain, &text)
}

/// Octets that are almost what they claim to be.
fn malformed(der: &[u8], chance: &mut Chance) -> Vec<Vec<u8>> {
    let mut all = vec![
        Vec::new(),
        vec![0x30, 0x80],
        [0x30, 0x80].repeat(20_000),
        vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        [der, der].concat(),
        der.iter().rev().copied().collect(),
    ];
    let place =
        |chance: &mut Chance, length: usize| usize::try_from(chance.below(length as u64)).unwrap();
    for _ in 0..25 {
        all.push(der[..place(chance, der.len())].to_vec());
        let mut flipped = der.to_vec();
        flipped[place(chance, der.len())] ^= 1 << chance.below(8);
        all.push(flipped);
        // Most of what matters stands at the beginning.
        let mut flipped = der.to_vec();
        flipped[place(chance, 120)] = u8::try_from(chance.below(256)).unwrap();
        all.push(flipped);
    }
    all
}

/// Whatever comes in: one answer, one outcome that stands in the journal, the process lives, the next mail goes through.
#[test]
fn malformed_cms_in() {
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let mode = rule("always", "not-defined");
    let Some(scene) = Scene::new("malformed-in", &Options::default(), cast, &mode) else {
        return;
    };
    let process = scene.gateway.process();
    let mut chance = Chance::seeded(3);
    let plain = format!(
        "From: {CAROL}\r\nTo: {ALICE}\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
    )
    .into_bytes();
    let office = [cast.alice.certificate.as_path()];
    let good = openssl::encrypt(&entity(&plain), &office, "aes-256-cbc", Writing::Der);
    let text: Vec<u8> = e2e::mime::split(&good).1.to_vec();
    let der = must_run("openssl", &["base64", "-d"], &text);
    assert_eq!(
        field(&with_octets(&plain, &der), "From").as_deref(),
        Some(CAROL)
    );
    let all = malformed(&der, &mut chance);
    let mut codes = BTreeMap::new();
    for octets in &all {
        let reply = scene.mail_in(&with_octets(&plain, octets));
        assert!(
            reply.code == 250 || (550..=554).contains(&reply.code),
            "{reply:?}"
        );
        *codes.entry(reply.code).or_insert(0) += 1;
    }
    println!("{codes:?}");
    assert!(codes.len() > 1, "{codes:?}");
    scene.gateway.drained();
    assert_eq!(scene.gateway.process(), process);
    let rows = scene.gateway.json(&["mails", "--limit", "1000"]);
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), all.len());
    let accepted = rows
        .iter()
        .filter(|row| row["delivery"] == "delivered")
        .count();
    assert!(rows.iter().all(|row| row["status"] != "waiting"));
    let delivered = scene.office.wait_for(accepted, DELIVERY).len();
    assert_eq!(delivered, accepted);
    // The good one is opened as ever, in our own encoding and in that of its maker.
    for good in [with_octets(&plain, &der), with_entity(&plain, &good)] {
        let reply = send(scene.gateway.inbound, CAROL, &[ALICE], &good);
        assert_eq!(reply.code, 250, "{reply:?}");
    }
    let end = Instant::now() + DELIVERY;
    while scene.office.received().len() < delivered + 2 {
        assert!(Instant::now() < end, "the good mails did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
    let opened = scene.office.received().split_off(delivered);
    assert!(
        opened
            .iter()
            .all(|mail| mail.content.ends_with(b"\r\n\r\nhello\r\n"))
    );
    assert!(
        !scene.gateway.log().contains("panicked"),
        "{}",
        scene.gateway.log()
    );
}

#[test]
fn malformed_cms_on_the_command_line() {
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
    // The answer is no (3), or there is no message to speak of (1).
    for (name, octets, code) in [
        ("cut.eml", &whole[..whole.len() - 200], 3),
        ("half.eml", &whole[..whole.len() / 2], 3),
        ("plain.eml", plain.as_slice(), 3),
        ("empty.eml", b"".as_slice(), 3),
    ] {
        let (ran, written) = decrypt(name, octets, PASSWORD);
        failed_with(&ran, code, &[]);
        assert!(!written, "{name}: something was written");
    }
    let (ran, written) = decrypt("good.eml", &whole, "wrong");
    one_clear_line(&ran, &["password"]);
    assert!(!written);
}
