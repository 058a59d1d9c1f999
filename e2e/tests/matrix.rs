//! The outcome matrix of requirements.md section 9: every case below `e2e/cases` in process, and over SMTP
//! through the running program, with RSA and with P-256 keys.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use e2e::case::{self, Case, Delivered, Direction};
use e2e::cast::Cast;
use e2e::client::Session;
use e2e::gateway::{Gateway, Options, description, program};
use e2e::judge::{Passage, judge};
use e2e::keys::KeyKind;
use e2e::mime::{entity, with_entity};
use e2e::openssl::{self, Writing};
use e2e::place::PATIENCE;
use e2e::program::present;
use e2e::sink::{Received, Sink};

/// How long a delivery may take; ours are on loopback.
const DELIVERY: Duration = PATIENCE;
/// How long nothing must come where nothing is expected.
const SILENCE: Duration = Duration::from_millis(300);

#[test]
fn every_cell_has_its_case() {
    let names: Vec<String> = case::all().into_iter().map(|case| case.name).collect();
    for mode in ["do-not-decrypt", "optional", "always", "enforce"] {
        for column in ["plain", "key", "no-key"] {
            let name = format!("in-{mode}-{column}");
            assert!(names.contains(&name), "{name}");
        }
    }
    for mode in ["neither", "sign-only", "optional", "enforce"] {
        for column in ["cert-key", "cert-no-key", "no-cert-key", "no-cert-no-key"] {
            let name = format!("out-{mode}-{column}");
            assert!(names.contains(&name), "{name}");
        }
    }
}

#[test]
fn cases_in_process_with_rsa() {
    in_process(KeyKind::Rsa(2048));
}

#[test]
fn cases_in_process_with_p256() {
    in_process(KeyKind::P256);
}

#[test]
fn cases_over_smtp_with_rsa() {
    over_smtp(KeyKind::Rsa(2048));
}

#[test]
fn cases_over_smtp_with_p256() {
    over_smtp(KeyKind::P256);
}

fn in_process(kind: KeyKind) {
    if present(&["openssl"]) {
        let cast = Cast::with(kind);
        all_pass(|case| e2e::in_process::run(case, &handed_in(case, cast), cast));
    }
}

fn over_smtp(kind: KeyKind) {
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let cast = Cast::with(kind);
    all_pass(|case| run(case, cast));
}

fn all_pass(run: impl Fn(&Case) -> Result<(), String>) {
    let failed = |case: &Case| run(case).err().map(|why| format!("{}: {why}", case.name));
    let failures: Vec<String> = case::all().iter().filter_map(failed).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn run(case: &Case, cast: &Cast) -> Result<(), String> {
    let office = Sink::start();
    let internet = Sink::start();
    let description = description(case, cast, office.address, internet.address);
    let gateway =
        Gateway::running(&case.name, &Options::default(), cast, &description).ok_or("not built")?;
    let handed_in = handed_in(case, cast);
    let (listener, sink, other) = match case.given.direction {
        Direction::Inbound => (gateway.inbound, &office, &internet),
        Direction::Outbound => (gateway.outbound, &internet, &office),
    };
    let mut session = Session::connect(listener).map_err(|error| error.to_string())?;
    let reply = session
        .command("EHLO client.example")
        .and_then(|_| session.mail(&case.given.from, &[&case.given.to], &handed_in))
        .map_err(|error| error.to_string())?;
    if reply.code != case.expect.reply || !reply.has_status(&case.expect.status) {
        return Err(format!("replied {} {}", reply.code, reply.text));
    }
    let passage = |came_out| Passage {
        original: &case.message,
        handed_in: &handed_in,
        came_out,
        from: &case.given.from,
        to: &case.given.to,
    };
    match delivered(case, sink)? {
        Some(mail) => judge(passage(&mail.content), case.expect.delivered, cast)?,
        None if case.expect.delivered == Delivered::Nothing => {}
        None => return Err("nothing came out".to_owned()),
    }
    if !other.received().is_empty() {
        return Err("something came out on the wrong side".to_owned());
    }
    overview(case, &gateway)
}

/// The message as the client hands it in.
fn handed_in(case: &Case, cast: &Cast) -> Vec<u8> {
    let Some(to) = &case.given.encrypted_to else {
        return case.message.clone();
    };
    let certificate = cast.of(to).certificate.as_path();
    let encrypted = openssl::encrypt(
        &entity(&case.message),
        &[certificate],
        "aes-256-cbc",
        Writing::Der,
    );
    with_entity(&case.message, &encrypted)
}

fn delivered(case: &Case, sink: &Sink) -> Result<Option<Received>, String> {
    if case.expect.delivered == Delivered::Nothing {
        std::thread::sleep(SILENCE);
        return Ok(sink.received().pop());
    }
    let mut mails = sink.wait_for(1, DELIVERY);
    if mails
        .iter()
        .any(|mail| mail.addresses() != [case.given.to.as_str()])
    {
        return Err(format!("wrong recipients: {mails:?}"));
    }
    Ok(mails.pop())
}

/// The mail overview shows the mail under its status, and under no other.
fn overview(case: &Case, gateway: &Gateway) -> Result<(), String> {
    let shown = gateway.json(&["mails", "--status", &case.expect.overview]);
    let text = shown.to_string();
    if text.contains(&case.given.to) {
        Ok(())
    } else {
        Err(format!("overview: {text}"))
    }
}
