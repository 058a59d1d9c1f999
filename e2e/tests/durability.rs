//! Promises 1 and 3 of spec.md section 8, on the disk: a mail answered with 250 is delivered, reported or held, whatever
//! kills the gateway; every 250 follows a completed fsync; neither text nor private keys lie there in clear.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use e2e::case::Delivered;
use e2e::cast::Cast;
use e2e::chance::Chance;
use e2e::client::{Session, stuffed};
use e2e::gateway::{Options, program};
use e2e::judge::{Passage, judge};
use e2e::keys::{KeyKind, shown};
use e2e::load::{self, Answer, Arrivals, DELIVERED, Kind, Load, Prepared};
use e2e::mime::{entity, find, with_entity};
use e2e::openssl::{self, Writing};
use e2e::place::{Directory, PATIENCE};
use e2e::program::{must_run, present};
use e2e::scene::Scene;
use e2e::search::{self, Secret};
use e2e::sink::{Behaviour, Sink};
use e2e::transcript::{Acknowledged, STRACE, acknowledged};

/// Mails in the load that is killed into.
const MAILS: u32 = 1000;
/// How often.
const KILLS: usize = 20;
/// Clients; each has up to two sessions.
const CLIENTS: u32 = 12;
/// Sessions open at each kill, at least.
const SESSIONS: u32 = 10;
/// Most copies on their way to one next hop at a time (`DELIVERIES_PER_HOP` of the gateway): only these can be in flight.
const IN_FLIGHT: usize = 10;
/// Most inbound mails that can have been set aside: four are opened at a time (`OPENINGS`), and one that is hit three
/// times (`OPENING_ATTEMPTS`) is taken for the cause.
const SET_ASIDE: usize = KILLS * 4 / 3;
/// How slowly the sinks answer, so that deliveries are in flight whenever the gateway is killed.
const SLOW: Duration = Duration::from_millis(25);
/// How long the last deliveries may take, retries included.
const LAST: Duration = PATIENCE;
/// How long a session of a sink may take to notice that its client is dead.
const SINK_END: Duration = PATIENCE;

fn ready(programs: &[&str]) -> bool {
    program().is_some() && present(programs)
}

fn patient() -> Options {
    Options {
        queue_lifetime: 3600,
        ..Options::default()
    }
}

/// When each life of the gateway was over, deliveries that were on the wire included.
#[derive(Default)]
struct Lives(Vec<Instant>);

impl Lives {
    fn kill(&mut self, scene: &mut Scene) {
        scene.gateway.kill();
        scene.office.wait_until_idle(SINK_END);
        scene.internet.wait_until_idle(SINK_END);
        self.0.push(Instant::now());
    }

    fn of(&self, at: Instant) -> usize {
        self.0.iter().filter(|end| **end < at).count()
    }
}

#[test]
fn kill_nine_loses_nothing() {
    if !ready(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let mut scene = load::scene("kill", &patient(), cast).unwrap();
    load::behave(&scene, SLOW);
    let mut chance = Chance::seeded(20);
    // Not before the first mails are in, and not after the last.
    let mut moments = BTreeSet::new();
    while moments.len() < KILLS {
        moments.insert(5 + u32::try_from(chance.below(u64::from(MAILS) - 50)).unwrap());
    }
    let load = Load::new(&scene, cast, MAILS);
    let mut lives = Lives::default();
    let mut delivering = 0;
    load.run(CLIENTS, || {
        for accepted in moments {
            load.wait_for(accepted);
            load.wait_for_open(SESSIONS);
            std::thread::sleep(Duration::from_millis(chance.below(40)));
            delivering += usize::from(scene.office.open() + scene.internet.open() > 0);
            lives.kill(&mut scene);
            scene.gateway.start();
        }
        load.wait_for(MAILS);
    });
    load::all_accounted_for(&scene, &load, LAST);
    let set_aside = load::retry_set_aside(&scene);
    let arrivals = load::all_accounted_for(&scene, &load, LAST);
    assert_eq!(load::retry_set_aside(&scene), 0);
    let entries = load.entries();
    let broken = entries
        .iter()
        .filter(|entry| entry.answer == Answer::Nothing);
    let broken = broken.count();
    let again = duplicates(&arrivals, &lives);
    println!(
        "{broken} mails broken off while handed in; deliveries open at {delivering} kills; {again} came twice; \
         {set_aside} set aside"
    );
    assert!(set_aside <= SET_ASIDE, "{set_aside}");
    // Else the kills would have missed what they are for.
    assert!(
        broken >= KILLS && delivering >= KILLS / 4,
        "{broken} {delivering}"
    );
    load::judge_all(&load, &arrivals, cast, 5);
}

/// How many arrivals were not the first of their mail. Each must have been in flight to its sink at the end of a life: so
/// never twice in one life, and never more at one end than deliveries can be under way.
fn duplicates(arrivals: &Arrivals, lives: &Lives) -> usize {
    let mut count = 0;
    let mut again: BTreeMap<(bool, usize), usize> = BTreeMap::new();
    for (is_report, book) in [(false, &arrivals.mails), (true, &arrivals.reports)] {
        for (id, all) in book {
            let in_lives: Vec<usize> = all.iter().map(|arrival| lives.of(arrival.at)).collect();
            let different: BTreeSet<usize> = in_lives.iter().copied().collect();
            assert_eq!(
                different.len(),
                all.len(),
                "{id} arrived twice without a kill: lives {in_lives:?}"
            );
            count += all.len() - 1;
            // Every arrival but the last was in flight at the end of its life.
            for life in different.into_iter().rev().skip(1) {
                let at_office = is_report || find(&all[0].content, b"To: alice@").is_some();
                *again.entry((at_office, life)).or_default() += 1;
            }
        }
    }
    for ((at_office, life), count) in again {
        assert!(
            count <= IN_FLIGHT,
            "{count} mails of life {life} came again (office: {at_office}); at most {IN_FLIGHT} can have been in flight"
        );
    }
    count
}

#[test]
fn kill_while_sinks_down_then_recover() {
    if !ready(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let mut scene = load::scene("down", &patient(), cast).unwrap();
    scene.office.go_away();
    scene.internet.behave(Behaviour {
        greeting: Some("421 4.3.2 closed for today".to_owned()),
        ..Behaviour::default()
    });
    let load = Load::new(&scene, cast, 150);
    let mut lives = Lives::default();
    load.run(CLIENTS, || {
        for accepted in [30, 70, 110] {
            load.wait_for(accepted);
            lives.kill(&mut scene);
            scene.gateway.start();
        }
        load.wait_for(150);
        lives.kill(&mut scene);
    });
    assert!(scene.office.received().is_empty() && scene.internet.received().is_empty());
    scene.office.come_back();
    load::behave(&scene, Duration::ZERO);
    scene.gateway.start();
    let arrivals = load::all_accounted_for(&scene, &load, LAST);
    assert_eq!(
        duplicates(&arrivals, &lives),
        0,
        "nothing was in flight, and something came twice"
    );
    load::judge_all(&load, &arrivals, cast, 2);
}

/// Longest stop (security.md row R15).
const STOP: Duration = Duration::from_secs(30);

#[test]
fn full_stop_and_start_under_load() {
    if !ready(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let mut scene = load::scene("stop", &patient(), cast).unwrap();
    load::behave(&scene, SLOW);
    let load = Load::new(&scene, cast, 300);
    load.run(CLIENTS, || {
        for accepted in [60, 150, 240] {
            load.wait_for(accepted);
            load.wait_for_open(SESSIONS);
            let begun = Instant::now();
            assert!(scene.gateway.stop(), "it did not end well");
            assert!(begun.elapsed() < STOP, "{:?}", begun.elapsed());
            scene.gateway.start();
        }
        load.wait_for(300);
    });
    for entry in load.entries() {
        match &entry.answer {
            Answer::Accepted(_) => {}
            Answer::Refused(reply) => assert!(reply.starts_with("421 "), "{entry:?}"),
            Answer::Nothing => panic!("broken off without a reply: {entry:?}"),
        }
    }
    let arrivals = load::all_accounted_for(&scene, &load, LAST);
    assert_eq!(
        duplicates(&arrivals, &Lives::default()),
        0,
        "a stop finishes what is in flight"
    );
    load::judge_all(&load, &arrivals, cast, 2);
}

#[test]
fn a_stop_waits_for_nobody_who_hangs() {
    if !ready(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let mut scene = load::scene("hang", &patient(), cast).unwrap();
    // Longer than a stop may take; both next hops have taken a mail and do not answer.
    load::behave(&scene, STOP * 3);
    let prepared = Prepared::new(cast, load::TEXT);
    for kind in [Kind::PlainOut, Kind::PlainIn] {
        let (_, message) = prepared.message(kind, &format!("<{kind:?}@load.example>"), load::TEXT);
        let (from, to) = kind.way();
        let reply = e2e::scene::send(listener(&scene, kind), from, &[to], &message);
        assert_eq!(reply.code, 250, "{reply:?}");
    }
    until("the sinks hang", || {
        let hanging = |sink: &Sink| sink.lines().iter().any(|line| line == "DATA");
        hanging(&scene.office) && hanging(&scene.internet)
    });
    // Clients that stop in the middle of their content.
    let clients = [Kind::PlainOut, Kind::PlainIn].map(|kind| {
        let mut session = begun_data(&scene, kind);
        session.send(b"Subject: half\r\n").unwrap();
        session
    });
    let begun = Instant::now();
    assert!(scene.gateway.stop(), "it did not end well");
    assert!(begun.elapsed() < STOP, "{:?}", begun.elapsed());
    drop(clients);
    load::behave(&scene, Duration::ZERO);
    scene.gateway.start();
    until("both mails are delivered", || {
        let mails = Arrivals::at(&scene).mails;
        mails.contains_key("<PlainOut@load.example>")
            && mails.contains_key("<PlainIn@load.example>")
    });
}

fn listener(scene: &Scene, kind: Kind) -> std::net::SocketAddr {
    match kind {
        Kind::PlainIn | Kind::SignedIn | Kind::EncryptedIn | Kind::HeldIn => scene.gateway.inbound,
        _ => scene.gateway.outbound,
    }
}

/// A session in which the content may be sent now.
fn begun_data(scene: &Scene, kind: Kind) -> Session {
    let (from, to) = kind.way();
    let mut session = Session::connect(listener(scene, kind)).unwrap();
    session.command("EHLO client.example").unwrap();
    session.command(&format!("MAIL FROM:<{from}>")).unwrap();
    session.command(&format!("RCPT TO:<{to}>")).unwrap();
    assert_eq!(session.command("DATA").unwrap().code, 354);
    session
}

fn until(what: &str, done: impl Fn() -> bool) {
    let end = Instant::now() + LAST;
    while !done() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sessions under `strace`.
const TRACED_SESSIONS: usize = 6;
/// Mails in each.
const TRACED_MAILS: usize = 6;

/// Hands mails of all kinds in over several sessions, the gateway under `strace` with `environment` set; gives every
/// acknowledgement with what is wrong with it. One mail is so large that its chunks are written ahead.
fn traced(name: &str, environment: &[&str]) -> Vec<Acknowledged> {
    let cast = Cast::with(KeyKind::P256);
    let mut scene = load::scene(name, &patient(), cast).unwrap();
    scene.gateway.stop();
    let transcript = scene.gateway.directory().path().join("strace.txt");
    let output = shown(&transcript);
    let wrapper = [&["env"], environment, &STRACE, &["-o", &output]].concat();
    scene.gateway.start_as(&wrapper);
    let prepared = Prepared::new(cast, load::TEXT);
    std::thread::scope(|scope| {
        for session in 0..TRACED_SESSIONS {
            let (scene, prepared) = (&scene, &prepared);
            scope.spawn(move || {
                for mail in 0..TRACED_MAILS {
                    let kind = DELIVERED[(session + mail) % DELIVERED.len()];
                    let id = format!("<{session}.{mail}@load.example>");
                    let large = (session, mail) == (0, 0);
                    let lines = if large { 16_000 } else { 1 };
                    let text = vec![load::TEXT; lines].join("\r\n");
                    let (_, message) = prepared.message(kind, &id, &text);
                    let (from, to) = kind.way();
                    let reply = e2e::scene::send(listener(scene, kind), from, &[to], &message);
                    assert_eq!(reply.code, 250, "{reply:?}");
                }
            });
        }
    });
    scene.gateway.kill();
    let text = fs::read(&transcript).unwrap();
    let all = acknowledged(&String::from_utf8_lossy(&text));
    let ids: BTreeSet<&str> = all.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids.len(), TRACED_SESSIONS * TRACED_MAILS, "{ids:?}");
    assert_eq!(all.len(), ids.len());
    all
}

#[test]
fn every_250_follows_fsync() {
    if !ready(&["openssl", "strace"]) {
        return;
    }
    let all = traced("strace", &[]);
    let wrong: Vec<&Acknowledged> = all.iter().filter(|one| one.wrong.is_some()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn without_sync_the_test_goes_red() {
    if !ready(&["openssl", "strace"]) {
        return;
    }
    let all = traced("strace-off", &["SEALGATE_TEST_SYNCHRONOUS=off"]);
    let reasons: BTreeSet<Option<&str>> = all.iter().map(|one| one.wrong).collect();
    assert_eq!(reasons, BTreeSet::from([Some("no fsync")]), "{all:?}");
}

/// Long enough that it cannot stand anywhere by chance; in quoted-printable it has a form of its own.
const MARKER: &str = "Quintessence of 47 turquoise lighthouses = 1";
/// The same for the subject.
const SUBJECT: &str = "Seventeen violet harbour pilots whistle";

/// A message with the marker in every line. The lines have different lengths, so that any encoding has it unbroken
/// somewhere.
fn marked(kind: Kind, id: &str, octets: usize) -> Vec<u8> {
    let (from, to) = kind.way();
    let mut message = format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {SUBJECT}\r\nMessage-ID: {id}\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=us-ascii\r\n\r\n"
    );
    let mut number = 0;
    while message.len() < octets {
        message.push_str(&format!("{MARKER}{}\r\n", ".".repeat(number % 22)));
        number += 1;
    }
    message.into_bytes()
}

#[test]
fn the_search_finds_what_is_there() {
    if !present(&["openssl", "python3"]) {
        return;
    }
    let directory = Directory::new("search");
    let message = marked(Kind::PlainIn, "<1@load.example>", 8000);
    let all_names = |secrets: &[Secret]| {
        let names = secrets.iter().map(|secret| secret.name.clone());
        names.collect::<Vec<_>>()
    };
    let text = search::of_text("text", MARKER);
    let mut seen = BTreeSet::new();
    for disguise in [
        "text",
        "base64.encodebytes(text)",
        "quopri.encodestring(text, quotetabs=True)",
    ] {
        let script = format!(
            "import sys, base64, quopri; text = sys.stdin.buffer.read(); sys.stdout.buffer.write({disguise})"
        );
        directory.file("bait", must_run("python3", &["-c", &script], &message));
        let hits = search::below(directory.path(), &text);
        assert!(!hits.is_empty(), "{disguise}");
        seen.extend(hits);
    }
    let expected = all_names(&text);
    let seen: Vec<String> = seen
        .into_iter()
        .map(|hit| hit.replace("bait: ", ""))
        .collect();
    assert_eq!(BTreeSet::from_iter(seen), BTreeSet::from_iter(expected));
    for kind in KeyKind::BOTH {
        let cast = Cast::with(kind);
        let secrets = search::of_key("alice", &cast.alice);
        let key = shown(&cast.alice.key);
        let pkcs8 = [
            "pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-in", &key,
        ];
        directory.file("bait", must_run("openssl", &pkcs8, b""));
        let raw = secrets
            .iter()
            .filter(|secret| !secret.name.contains("base64"));
        assert_eq!(
            search::below(directory.path(), &secrets).len(),
            raw.count(),
            "{kind:?}"
        );
        directory.file("bait", fs::read(&cast.alice.key).unwrap());
        let hits = search::below(directory.path(), &secrets);
        assert!(
            hits.iter().any(|hit| hit.contains("PKCS#8")),
            "{kind:?}: {hits:?}"
        );
        // One octet less, and it is another key.
        for secret in &secrets {
            directory.file("bait", &secret.octets()[1..]);
            let hits = search::below(directory.path(), std::slice::from_ref(secret));
            assert_eq!(hits, [""; 0]);
        }
    }
    open_and_deleted_files_are_searched(&text);
}

/// A file that this process has open, and that no directory names any more.
fn open_and_deleted_files_are_searched(text: &[Secret]) {
    let directory = Directory::new("search-open");
    let path = directory.file("gone", MARKER);
    let file = fs::File::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let own = std::process::id();
    assert_eq!(search::open_in(own, text).len(), 1);
    drop(file);
    assert_eq!(search::open_in(own, text), [""; 0]);
}

/// The mails of the secrecy test: small and large, out and in.
const SECRET_MAILS: [(Kind, usize); 8] = [
    (Kind::PlainOut, 4000),
    (Kind::EncryptedOut, 4000),
    (Kind::PlainIn, 4000),
    (Kind::EncryptedIn, 4000),
    (Kind::PlainOut, LARGE),
    (Kind::EncryptedOut, LARGE),
    (Kind::PlainIn, LARGE),
    (Kind::EncryptedIn, LARGE),
];
/// So large that content is written to the database before the mail is complete.
const LARGE: usize = 3 * 1024 * 1024;

/// A mail of the secrecy test.
struct SecretMail {
    kind: Kind,
    id: String,
    original: Vec<u8>,
    handed_in: Vec<u8>,
}

fn secret_mails(cast: &Cast) -> Vec<SecretMail> {
    let to = [cast.alice.certificate.as_path()];
    let mail = |(number, &(kind, octets)): (usize, &(Kind, usize))| {
        let id = format!("<{number}.0@load.example>");
        let original = marked(kind, &id, octets);
        let mut handed_in = original.clone();
        if kind == Kind::EncryptedIn {
            let inside = openssl::encrypt(&entity(&original), &to, "aes-256-cbc", Writing::Stream);
            handed_in = without_subject(&with_entity(&original, &inside));
        }
        SecretMail {
            kind,
            id,
            original,
            handed_in,
        }
    };
    SECRET_MAILS.iter().enumerate().map(mail).collect()
}

fn without_subject(message: &[u8]) -> Vec<u8> {
    let at = find(message, SUBJECT.as_bytes()).unwrap();
    [&message[..at], b"...", &message[at + SUBJECT.len()..]].concat()
}

/// Searches wherever the running gateway may have written.
fn nothing_found(scene: &Scene, temporary: &Path, secrets: &[Secret], when: &str) {
    let mut hits = search::below(&scene.gateway.data(), secrets);
    hits.extend(search::below(temporary, secrets));
    hits.extend(search::open_in(scene.gateway.process(), secrets));
    assert_eq!(hits, [""; 0], "{when}");
    // The same search finds what is there: the database among the open files, and a bait beside it.
    let database = Secret::new("database".to_owned(), b"SQLite format 3\0");
    assert!(!search::open_in(scene.gateway.process(), &[database]).is_empty());
    let bait = scene.gateway.data().join("bait");
    let all: Vec<u8> = secrets
        .iter()
        .flat_map(|secret| secret.octets().to_vec())
        .collect();
    fs::write(&bait, all).unwrap();
    let found = search::below(&scene.gateway.data(), secrets).len();
    fs::remove_file(bait).unwrap();
    assert_eq!(found, secrets.len(), "{when}: the search itself");
}

#[test]
fn nothing_in_clear_on_disk() {
    if !ready(&["openssl"]) {
        return;
    }
    for kind in KeyKind::BOTH {
        nothing_in_clear_with(kind);
    }
}

fn nothing_in_clear_with(kind: KeyKind) {
    let cast = Cast::with(kind);
    let mut secrets = search::of_key("alice", &cast.alice);
    secrets.extend(search::of_text("text", MARKER));
    secrets.extend(search::of_text("subject", SUBJECT));
    let mut scene = load::scene("clear", &patient(), cast).unwrap();
    scene.gateway.stop();
    let temporary = scene.gateway.directory().path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let variable = format!("TMPDIR={}", shown(&temporary));
    scene.gateway.start_as(&["env", &variable]);
    // One next hop is gone, the other one does not want now.
    scene.office.go_away();
    scene.internet.behave(Behaviour {
        data: Some("451 4.3.0 later".to_owned()),
        ..Behaviour::default()
    });
    let mails = secret_mails(cast);
    for mail in &mails {
        let mut session = begun_data(&scene, mail.kind);
        let content = stuffed(&mail.handed_in);
        let (most, rest) = content.split_at(content.len() - 100);
        session.send(most).unwrap();
        if most.len() > LARGE / 2 {
            // The gateway has most of it, and no mail yet.
            nothing_found(&scene, &temporary, &secrets, "half a mail");
        }
        session.send(rest).unwrap();
        let reply = session.reply().unwrap();
        assert_eq!(reply.code, 250, "{:?}: {reply:?}", mail.kind);
    }
    until("everything was processed and tried", || all_tried(&scene));
    nothing_found(&scene, &temporary, &secrets, "in the queue");
    scene.gateway.kill();
    assert_eq!(
        search::below(&scene.gateway.data(), &secrets),
        [""; 0],
        "after kill -9"
    );
    scene.gateway.start_as(&["env", &variable]);
    nothing_found(&scene, &temporary, &secrets, "after the restart");
    scene.office.come_back();
    load::behave(&scene, Duration::ZERO);
    until("all is delivered", || {
        Arrivals::at(&scene).mails.len() == mails.len()
    });
    delivered_as_they_should(&scene, &mails, cast);
    scene.gateway.stop();
    assert_eq!(
        search::below(&scene.gateway.data(), &secrets),
        [""; 0],
        "after the end"
    );
}

/// Whether nothing is left to be opened, and each mail was tried.
fn all_tried(scene: &Scene) -> bool {
    let list = scene.gateway.json(&["queue", "list"]);
    let rows = list.as_array().unwrap();
    let tried = |row: &serde_json::Value| row["state"] == "waiting" && row["attempts"] != 0;
    assert!(scene.office.received().is_empty() && scene.internet.received().is_empty());
    rows.len() == SECRET_MAILS.len() && rows.iter().all(tried)
}

fn delivered_as_they_should(scene: &Scene, mails: &[SecretMail], cast: &Cast) {
    let arrivals = Arrivals::at(scene);
    for mail in mails {
        let arrived = &arrivals.mails[&mail.id];
        assert_eq!(arrived.len(), 1, "{}", mail.id);
        let (from, to) = mail.kind.way();
        let passage = Passage {
            original: &mail.original,
            handed_in: &mail.handed_in,
            came_out: &arrived[0].content,
            from,
            to,
        };
        let expected = match mail.kind {
            Kind::EncryptedOut => Delivered::SignedEncrypted,
            Kind::EncryptedIn => Delivered::Decrypted,
            _ => Delivered::Unchanged,
        };
        let verdict = judge(passage, expected, cast);
        assert_eq!(verdict, Ok(()), "{:?} {}", mail.kind, mail.id);
    }
}
