//! The life of mailboxes' certificates through the real program: licences, fourteen days, renewal, mass re-issue.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use e2e::cast::Cast;
use e2e::gateway::{Gateway, Options, head, program, tail};
use e2e::keys::{KeyKind, shown};
use e2e::openssl::{self, Writing};
use e2e::place::{PATIENCE, skip};
use e2e::program::{Ran, present, run};
use e2e::scene::send;
use e2e::sink::Sink;
use serde_json::Value;

const DAY: u32 = 86_400;
const STRANGER: &str = "stranger@elsewhere.example";

/// An authority of the test's own, as an external command: it counts what it is asked, issues for 365 days from the day in
/// its file `days`, and revokes nothing while there is a file `no-revocation`.
const AUTHORITY: &str = r#"#!/bin/sh
dir=$1
verb=$2
if [ "$verb" = revoke ]; then
    echo "revoke $SEALGATE_SERIAL" >> "$dir/log"
    [ -e "$dir/no-revocation" ] && { echo "the authority is on holiday" >&2; exit 1; }
    exit 0
fi
certificate=$dir/orders/$SEALGATE_ORDER.pem
[ "$verb" = collect ] && [ ! -e "$certificate" ] && exit 66
if [ ! -e "$certificate" ]; then
    cat > "$certificate.csr"
    # A request whose sender was killed in the middle of it is none.
    grep -q "END CERTIFICATE REQUEST" "$certificate.csr" || exit 1
    echo "request $SEALGATE_ORDER $SEALGATE_MAILBOX" >> "$dir/log"
    printf 'keyUsage=critical,digitalSignature,keyAgreement\nextendedKeyUsage=emailProtection\nsubjectAltName=email:%s\n' \
        "$SEALGATE_MAILBOX" > "$certificate.ext"
    read -r days < "$dir/days"
    LD_PRELOAD=$LIBFAKETIME FAKETIME="+${days}d" openssl x509 -req -in "$certificate.csr" -CA "$dir/ca.pem" \
        -CAkey "$dir/ca.key" -days 365 -extfile "$certificate.ext" -out "$certificate.new" 2> /dev/null || exit 1
    mv "$certificate.new" "$certificate"
fi
cat "$certificate" "$dir/ca.pem"
"#;

/// Where Debian puts the library that moves the clock of a program.
fn faketime() -> Option<PathBuf> {
    let found = ["x86_64", "aarch64"]
        .iter()
        .map(|machine| {
            PathBuf::from(format!(
                "/usr/lib/{machine}-linux-gnu/faketime/libfaketimeMT.so.1"
            ))
        })
        .find(|file| file.is_file());
    if found.is_none() {
        skip("libfaketime is not installed");
    }
    found
}

/// A gateway with an authority, a quota and mailboxes `m1`, `m2` and so on.
struct World {
    gateway: Gateway,
    office: Sink,
    library: PathBuf,
    authority: PathBuf,
}

impl World {
    fn new(name: &str, mailboxes: usize) -> Option<Self> {
        let library = faketime()?;
        if program().is_none() || !present(&["openssl"]) {
            return None;
        }
        let cast = Cast::with(KeyKind::P256);
        let gateway = Gateway::configured(name, &Options::default(), cast)?;
        let (office, internet) = (Sink::start(), Sink::start());
        gateway.apply(&format!(
            "{}{}",
            head(office.address),
            tail(cast, internet.address)
        ));
        let authority = make_authority(&gateway, &library);
        let world = Self {
            gateway,
            office,
            library,
            authority,
        };
        let add: Vec<String> = (1..=mailboxes).map(address).collect();
        let mut words = vec!["mailbox", "add"];
        words.extend(add.iter().map(String::as_str));
        world.good(&words);
        let program = shown(&world.authority.join("authority.sh"));
        let directory = shown(&world.authority);
        world.good(&[
            "authority",
            "add",
            "own",
            "--kind",
            "command",
            "--program",
            &program,
            "--argument",
            &directory,
            "--timeout",
            "2",
            "--standard",
        ]);
        Some(world)
    }

    fn good(&self, words: &[&str]) -> Ran {
        let ran = self.gateway.command(words);
        assert!(ran.good, "{words:?}: {}{}", ran.text(), ran.err);
        ran
    }

    /// Runs a command so many days ahead.
    fn ahead(&self, days: u32, words: &[&str]) -> Ran {
        let program = shown(&program().unwrap());
        let config = shown(&self.gateway.directory().path().join("sealgate.toml"));
        let [preload, time] = self.clock(days);
        let all = [
            &[preload.as_str(), &time, &program],
            words,
            &["--config", &config],
        ]
        .concat();
        run("env", &all, b"")
    }

    fn clock(&self, days: u32) -> [String; 2] {
        // A minute more, so that what is due on that day is over.
        let seconds = days * DAY + 60;
        [
            format!("LD_PRELOAD={}", shown(&self.library)),
            format!("FAKETIME=+{seconds}s"),
        ]
    }

    /// Starts the gateway so many days ahead.
    fn start_ahead(&mut self, days: u32) {
        fs::write(self.authority.join("days"), format!("{days}\n")).unwrap();
        let [preload, time] = self.clock(days);
        self.gateway.start_as(&["env", &preload, &time]);
    }

    /// How many mailboxes are in each state.
    fn states(&self) -> BTreeMap<String, usize> {
        let mut states = BTreeMap::new();
        for row in self.gateway.json(&["mailbox", "list"]).as_array().unwrap() {
            *states
                .entry(row["state"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
        states
    }

    /// Waits until the states are so.
    fn wait_for(&self, expected: &[(&str, usize)]) {
        let expected: BTreeMap<String, usize> = expected
            .iter()
            .map(|(state, count)| ((*state).to_owned(), *count))
            .collect();
        wait_until(|| {
            let found = self.states();
            (found == expected)
                .then_some(())
                .ok_or(format!("{found:?}, not {expected:?}"))
        });
    }

    fn used(&self) -> u64 {
        self.gateway.json(&["licence", "show"])["used"]
            .as_u64()
            .unwrap()
    }

    fn events(&self, kind: &str) -> Vec<Value> {
        self.gateway
            .json(&["events", "--kind", kind])
            .as_array()
            .unwrap()
            .clone()
    }

    /// What the authority was asked, by verb.
    fn asked(&self, verb: &str) -> Vec<String> {
        let log = fs::read_to_string(self.authority.join("log")).unwrap_or_default();
        let lines = log.lines().filter_map(|line| line.strip_prefix(verb));
        lines.map(|rest| rest.trim().to_owned()).collect()
    }

    /// The certificate that the authority made for a mailbox's first order.
    fn first_certificate(&self, mailbox: &str) -> PathBuf {
        let order = self
            .asked("request")
            .iter()
            .find_map(|line| line.strip_suffix(&format!(" {mailbox}")).map(str::to_owned))
            .unwrap();
        self.authority.join("orders").join(format!("{order}.pem"))
    }
}

fn address(number: usize) -> String {
    format!("m{number}@example.com")
}

fn make_authority(gateway: &Gateway, library: &Path) -> PathBuf {
    let directory = gateway.directory().path().join("authority");
    fs::create_dir_all(directory.join("orders")).unwrap();
    let script = AUTHORITY.replace("$LIBFAKETIME", &shown(library));
    fs::write(directory.join("authority.sh"), script).unwrap();
    fs::write(directory.join("days"), "0\n").unwrap();
    run(
        "chmod",
        &["+x", &shown(&directory.join("authority.sh"))],
        b"",
    );
    let made = run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-noenc",
            "-days",
            "3650",
            "-subj",
            "/CN=Own Authority",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
            "-keyout",
            &shown(&directory.join("ca.key")),
            "-out",
            &shown(&directory.join("ca.pem")),
        ],
        b"",
    );
    assert!(made.good, "{}", made.err);
    directory
}

fn wait_until(mut holds: impl FnMut() -> Result<(), String>) {
    let end = Instant::now() + PATIENCE;
    while let Err(why) = holds() {
        assert!(Instant::now() < end, "{why}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn mail(to: &str) -> Vec<u8> {
    format!(
        "From: {STRANGER}\r\nTo: {to}\r\nSubject: old\r\nMessage-ID: <1@elsewhere.example>\r\nMIME-Version: 1.0\r\n"
    )
    .into_bytes()
}

/// S8, S11, S14, S35, S46, A9, A12, A14 in one life: 50 mailboxes and 40 licences, deactivation, fourteen days, renewal, and mail
/// that was encrypted before it.
#[test]
fn fifty_mailboxes_and_forty_licences() {
    let Some(mut world) = World::new("fifty", 50) else {
        return;
    };
    world.good(&["licence", "book", "--base", "60", "--smime", "40"]);
    world.gateway.start();
    let ran = world
        .gateway
        .command(&["mailbox", "activate", "--all", "--key", "p-256", "--json"]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    let answer: Value = serde_json::from_slice(&ran.out).unwrap();
    assert_eq!(answer["done"].as_array().unwrap().len(), 40);
    let refused = answer["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 10);
    assert!(
        refused
            .iter()
            .all(|row| row["why"].as_str().unwrap().contains("needs a licence"))
    );
    world.wait_for(&[("active", 40), ("inactive", 10)]);
    assert_eq!((world.used(), world.asked("request").len()), (40, 40));

    // Five are deactivated, and the authority does not revoke: their licences are held.
    fs::write(world.authority.join("no-revocation"), "").unwrap();
    let active: Vec<String> = active(&world);
    let leaving: Vec<&str> = active.iter().take(5).map(String::as_str).collect();
    world.good(&[&["mailbox", "deactivate"], leaving.as_slice()].concat());
    world.wait_for(&[("active", 35), ("revoke-pending", 5), ("inactive", 10)]);
    let inactive = refused[0]["mailbox"].as_str().unwrap().to_owned();
    let again = world.gateway.command(&["mailbox", "activate", &inactive]);
    assert!(
        !again.good && again.err.contains("all 40 are used"),
        "{}",
        again.err
    );
    let back = world.gateway.command(&["mailbox", "activate", leaving[0]]);
    assert!(
        !back.good && back.err.contains("is being deactivated"),
        "{}",
        back.err
    );
    assert_eq!(world.used(), 40);

    fourteen_days(&mut world, &inactive);
    renewed(&mut world, &active[6]);
}

/// S35: for thirteen days licences are held; after fourteen they are free, and the revocation goes on until it is confirmed.
fn fourteen_days(world: &mut World, inactive: &str) {
    world.gateway.stop();
    world.start_ahead(13);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(world.used(), 40);
    world.gateway.stop();
    world.start_ahead(14);
    world.wait_for(&[("active", 35), ("inactive", 15)]);
    assert_eq!(world.used(), 35);
    let open = world.gateway.json(&["order", "revocations"]);
    assert_eq!(open.as_array().unwrap().len(), 5);
    assert_eq!(world.events("revocation-late").len(), 5);
    let ran = world.ahead(14, &["mailbox", "activate", inactive, "--key", "p-256"]);
    assert!(ran.good, "{}", ran.err);
    world.wait_for(&[("active", 36), ("inactive", 14)]);
    world.gateway.stop();

    // The authority is back.
    fs::remove_file(world.authority.join("no-revocation")).unwrap();
    world.start_ahead(16);
    wait_until(|| {
        let open = world.gateway.json(&["order", "revocations"]);
        open.as_array()
            .unwrap()
            .is_empty()
            .then_some(())
            .ok_or(format!("{open}"))
    });
    let mut revoked = world.asked("revoke");
    revoked.sort();
    revoked.dedup();
    assert_eq!(revoked.len(), 5);
    world.gateway.stop();
}

fn active(world: &World) -> Vec<String> {
    let rows = world.gateway.json(&["mailbox", "list"]);
    let active = rows
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["state"] == "active");
    active
        .map(|row| row["mailbox"].as_str().unwrap().to_owned())
        .collect()
}

/// S15, S46: thirty days before the end of their certificates all active mailboxes have new ones; old mail still decrypts.
fn renewed(world: &mut World, mailbox: &str) {
    let before = world.asked("request").len();
    let old = world.first_certificate(mailbox);
    world.start_ahead(336);
    wait_until(|| {
        let found = world.asked("request").len();
        (found == before + 35)
            .then_some(())
            .ok_or(format!("{found} requests"))
    });
    world.wait_for(&[("active", 36), ("inactive", 14)]);
    wait_until(|| {
        let found = world.events("certificate-renewed").len();
        (found == 35)
            .then_some(())
            .ok_or(format!("{found} renewed"))
    });
    // Nobody is renewed twice.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(world.asked("request").len(), before + 35);
    assert_eq!(world.used(), 36);
    let entity = b"Content-Type: text/plain\r\n\r\nwritten before the renewal\r\n";
    let encrypted = openssl::encrypt(entity, &[&old], "aes-256-cbc", Writing::Der);
    let message = [mail(mailbox), encrypted].concat();
    let reply = send(world.gateway.inbound, STRANGER, &[mailbox], &message);
    assert_eq!(reply.code, 250, "{reply:?}");
    let arrived = world.office.wait_for(1, PATIENCE);
    let text = String::from_utf8_lossy(&arrived[0].content).into_owned();
    assert!(text.contains("written before the renewal"), "{text}");
}

/// 1,000 certificates are re-issued by an authority outside; the gateway is killed three times on the way. Each order is
/// requested once, counted at the authority.
#[test]
fn a_thousand_are_reissued_over_three_kills() {
    let Some(mut world) = World::new("thousand", 1_000) else {
        return;
    };
    world.good(&[
        "mailbox",
        "activate",
        "--all",
        "--key",
        "p-256",
        "--authority",
        "built-in",
    ]);
    world.wait_for(&[("active", 1_000)]);
    world.good(&["reissue", "--issuer", "issuing ca", "--key", "p-256"]);
    for kill in 1..=3 {
        world.gateway.start();
        wait_until(|| {
            let found = world.asked("request").len();
            (found >= kill * 220)
                .then_some(())
                .ok_or(format!("{found} requests"))
        });
        world.gateway.kill();
    }
    world.gateway.start();
    let end = Instant::now() + 3 * PATIENCE;
    loop {
        let batches = world.gateway.json(&["order", "batches"]);
        let reissued = batches.as_array().unwrap().iter().filter(|row| {
            let what = row["what"].as_str().unwrap();
            what.starts_with("next certificates")
        });
        let (mut issued, mut failed) = (0, 0);
        for row in reissued {
            issued += row["issued"].as_u64().unwrap();
            failed += row["failed"].as_u64().unwrap();
        }
        assert_eq!(failed, 0, "{batches}");
        if issued == 1_000 {
            break;
        }
        assert!(Instant::now() < end, "{batches}");
        std::thread::sleep(Duration::from_millis(500));
    }
    let mut orders = world.asked("request");
    assert_eq!(orders.len(), 1_000);
    orders.sort();
    orders.dedup();
    assert_eq!(orders.len(), 1_000, "an order was requested twice");
    let left = world
        .gateway
        .json(&["reissue", "--issuer", "issuing ca", "--dry-run"]);
    assert_eq!(left["ordered"].as_array().unwrap().len(), 0);
}
