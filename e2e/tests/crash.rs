//! Promise 1 of spec.md section 8: a mail answered with 250 is delivered, reported or held. The gateway is killed
//! twenty times while it accepts and delivers a thousand mails; ids are counted at the sinks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use e2e::cast::{ALICE, CAROL, Cast};
use e2e::chance::Chance;
use e2e::client::Session;
use e2e::gateway::{Options, program};
use e2e::keys::KeyKind;
use e2e::mime::field;
use e2e::program::present;
use e2e::scene::{Scene, rule};
use e2e::sink::Received;

/// Fewest mails to be answered with 250; sending goes on until the last kill is over.
const MAILS: usize = 1000;
/// Times the gateway is killed.
const KILLS: u32 = 20;
/// Sessions open at once.
const SESSIONS: u32 = 12;
/// How long the last deliveries may take, retries included.
const LAST: Duration = Duration::from_secs(90);
/// How long before a kill a delivery may have been taken by the sink and still be one the gateway did not yet
/// know of. Only such a mail may arrive twice.
const IN_FLIGHT: Duration = Duration::from_secs(2);

struct Shared {
    /// Message-ID and queue id of each mail answered with 250.
    answered: Mutex<Vec<(String, String)>>,
    next: AtomicU32,
    kills_over: AtomicBool,
    failed: AtomicBool,
}

/// Ends the senders when the test itself fails, so that it does not wait for them for ever.
struct EndOnPanic<'a>(&'a Shared);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        self.0
            .failed
            .store(std::thread::panicking(), Ordering::Relaxed);
    }
}

impl Shared {
    fn enough(&self) -> bool {
        let enough = || self.answered.lock().unwrap().len() >= MAILS;
        self.failed.load(Ordering::Relaxed) || (self.kills_over.load(Ordering::Relaxed) && enough())
    }
}

#[test]
fn kill_at_any_moment_loses_no_mail() {
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let options = Options {
        queue_lifetime: 600,
        ..Options::default()
    };
    let mut scene = Scene::new("crash", &options, cast, &rule("optional", "sign-only")).unwrap();
    let shared = Shared {
        answered: Mutex::default(),
        next: AtomicU32::new(0),
        kills_over: AtomicBool::new(false),
        failed: AtomicBool::new(false),
    };
    let mut chance = Chance::seeded(20);
    let ways = [
        (scene.gateway.inbound, CAROL, ALICE),
        (scene.gateway.outbound, ALICE, CAROL),
    ];
    let mut kills = Vec::new();
    std::thread::scope(|scope| {
        let _guard = EndOnPanic(&shared);
        for number in 0..SESSIONS {
            let (way, shared) = (ways[number as usize % 2], &shared);
            scope.spawn(move || send_until_enough(way, shared));
        }
        for _ in 0..KILLS {
            std::thread::sleep(Duration::from_millis(100 + chance.below(500)));
            scene.gateway.kill();
            kills.push(Instant::now());
            scene.gateway.start();
        }
        shared.kills_over.store(true, Ordering::Relaxed);
    });
    let answered = shared.answered.lock().unwrap().clone();
    println!("{} mails answered with 250", answered.len());
    let arrived = wait_for_all(&scene, &answered);
    let held = scene
        .gateway
        .json(&["queue", "list", "--limit", "100000"])
        .to_string();
    let lost: Vec<_> = answered
        .iter()
        .filter(|(id, queue_id)| !arrived.contains_key(id) && !held.contains(queue_id.as_str()))
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {} lost: {lost:?}\nqueue: {held}",
        lost.len(),
        answered.len()
    );
    check_duplicates(&arrived, &kills);
}

fn send_until_enough((server, from, to): (SocketAddr, &str, &str), shared: &Shared) {
    while !shared.enough() {
        if one_session(server, from, to, shared).is_err() {
            // It was killed: come back a little later, as a mail server does.
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn one_session(server: SocketAddr, from: &str, to: &str, shared: &Shared) -> std::io::Result<()> {
    let mut session = Session::connect(server)?;
    session.command("EHLO client.example")?;
    while !shared.enough() {
        let id = format!(
            "<{}@crash.example>",
            shared.next.fetch_add(1, Ordering::Relaxed)
        );
        let message = format!(
            "From: {from}\r\nTo: {to}\r\nSubject: crash\r\nMessage-ID: {id}\r\n\r\nbody of {id}\r\n"
        );
        let reply = session.mail(from, &[to], message.as_bytes())?;
        if reply.code == 250 {
            let queue_id = reply.text.rsplit(' ').next().unwrap_or_default().to_owned();
            shared.answered.lock().unwrap().push((id, queue_id));
        }
    }
    Ok(())
}

/// When each id arrived.
type Arrivals = HashMap<String, Vec<Instant>>;

fn wait_for_all(scene: &Scene, answered: &[(String, String)]) -> Arrivals {
    let end = Instant::now() + LAST;
    loop {
        let mails = [scene.office.received(), scene.internet.received()].concat();
        let arrived = arrivals(&mails);
        if Instant::now() > end || answered.iter().all(|(id, _)| arrived.contains_key(id)) {
            return arrived;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn arrivals(mails: &[Received]) -> Arrivals {
    let mut arrivals = Arrivals::new();
    for mail in mails {
        if let Some(id) = field(&mail.content, "Message-ID") {
            arrivals.entry(id).or_default().push(mail.at);
        }
    }
    arrivals
}

fn check_duplicates(arrived: &Arrivals, kills: &[Instant]) {
    for (id, times) in arrived {
        // All but the last arrival must have been in flight at a kill.
        for time in times.iter().rev().skip(1) {
            let in_flight = kills
                .iter()
                .any(|kill| kill >= time && kill.duration_since(*time) < IN_FLIGHT);
            assert!(
                in_flight,
                "{id} arrived {} times, and not because of a kill",
                times.len()
            );
        }
    }
}
