//! Certificates by ACME with email-reply-00 (RFC 8823), without a hand: against acme2certifier, and against a server of our own
//! that signs its challenges and verifies the answers. What is not the challenge of an open order stays ordinary mail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use e2e::acme::{AcmeServer, NearMiss, ready};
use e2e::case::Mailbox;
use e2e::cast::{ALICE, Cast};
use e2e::client::Reply;
use e2e::dns::{Dns, Record};
use e2e::gateway::{self, Gateway, Options};
use e2e::keys::{self, Identity, KeyKind, shown};
use e2e::mime::{fields, with_entity};
use e2e::openssl::{self, Writing};
use e2e::place::PATIENCE;
use e2e::program::{must_run, present, python};
use e2e::scene::{rule, send};
use e2e::sink::{Behaviour, Sink};
use serde_json::{Value, json};

/// How long an order may take.
const WAIT: Duration = PATIENCE;
const BOB: &str = "bob@example.com";
/// Judges the only signature of a mail; arguments: the records in JSON.
const VERIFY: &str = "
import dkim, json, sys
records = json.loads(sys.argv[1])
ask = lambda name, timeout=5: records.get(name.decode().rstrip('.'), '').encode()
print(dkim.verify(sys.stdin.buffer.read(), dnsfunc=ask))
";

fn present_all() -> bool {
    gateway::program().is_some() && present(&["openssl", "python3"]) && ready()
}

/// A gateway in DNS, not running yet, and the organisation's mail server.
struct World {
    dns: Dns,
    gateway: Gateway,
    office: Sink,
    cast: &'static Cast,
}

impl World {
    fn new(name: &str) -> Option<Self> {
        let cast = Cast::with(KeyKind::P256);
        let dns = Dns::start();
        dns.add("example.com", Record::Mx(10, "gateway.example".to_owned()));
        let options = Options {
            dns: dns.address.to_string(),
            ..Options::default()
        };
        Some(Self {
            gateway: Gateway::configured(name, &options, cast)?,
            office: Sink::start(),
            dns,
            cast,
        })
    }

    /// Runs it with alice and bob known, `inbound` as the mode of all mail, and all mail for others going to the server.
    fn run(&mut self, server: &AcmeServer, inbound: &str) {
        let description = [
            gateway::head(self.office.address),
            gateway::mailbox(ALICE, Mailbox::Inactive, self.cast),
            gateway::mailbox(BOB, Mailbox::Inactive, self.cast),
            rule(inbound, "sign-only"),
            gateway::tail(self.cast, server.mail),
        ];
        self.gateway.apply(&description.concat());
        self.gateway.start();
    }

    /// Activates the mailbox where the order is going to be refused: the command may already know.
    fn order(&self) {
        let words = ["mailbox", "activate", ALICE, "--key", "p-256"];
        let ran = self.gateway.command(&words);
        assert!(ran.good || ran.err.contains("failed"), "{}", ran.err);
    }

    fn must(&self, arguments: &[&str]) -> String {
        let ran = self.gateway.command(arguments);
        assert!(ran.good, "{arguments:?}: {}", ran.err);
        ran.text()
    }

    /// Makes a DKIM key of example.com that signs, and publishes its record; gives the records.
    fn with_dkim(&self) -> Value {
        self.must(&["dkim", "create", "example.com"]);
        let shown = self.gateway.json(&["dkim", "show", "example.com"]);
        let [name, record] =
            ["record_name", "record"].map(|name| shown[0][name].as_str().unwrap().to_owned());
        self.dns.add(&name, Record::Text(record.clone()));
        self.must(&["dkim", "activate", "example.com"]);
        json!({ name: record })
    }

    fn add_authority(&self, server: &AcmeServer, more: &[&str]) {
        let url = server.url.as_str();
        let add = [
            "authority",
            "add",
            "ca",
            "--kind",
            "acme",
            "--directory",
            url,
            "--standard",
        ];
        self.must(&[&add[..], more].concat());
    }

    fn state(&self) -> String {
        let rows = self.gateway.json(&["mailbox", "list"]);
        let rows = rows.as_array().unwrap();
        let alice = rows.iter().find(|row| row["mailbox"] == ALICE).unwrap();
        alice["state"].as_str().unwrap().to_owned()
    }

    fn until_state(&self, expected: &str) {
        let end = Instant::now() + WAIT;
        while self.state() != expected {
            let orders = self.gateway.json(&["order", "list", "--all"]);
            let failed = expected == "active" && orders[0]["state"] == "failed";
            assert!(
                Instant::now() < end && !failed,
                "still {}: {orders}",
                self.state()
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Hands in from outside.
    fn hand_in(&self, to: &[&str], message: &[u8]) -> Reply {
        send(self.gateway.inbound, "bounces@ca.example", to, message)
    }

    /// The mail overview's rows with the status of challenges: direction and delivery.
    fn challenges(&self) -> Vec<(String, String)> {
        let rows = self.gateway.json(&["mails", "--status", "challenge"]);
        let word = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| (word(row, "direction"), word(row, "delivery")))
            .collect()
    }
}

fn challenge(from: &str, to: &str, token: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: ACME: {token}\r\nMessage-ID: <x1@ca.example>\r\n\
         Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nhello\r\n"
    )
    .into_bytes()
}

fn verifies(mail: &[u8], records: &Value) -> bool {
    let out = must_run(&python(), &["-c", VERIFY, &records.to_string()], mail);
    String::from_utf8(out).unwrap().trim() == "True"
}

fn says(reply: &Reply, code: u16) {
    assert_eq!(reply.code, code, "{reply:?}");
}

/// From order to active certificate, the challenge not delivered, the answer verified by a foreign program.
fn issued_by_acme2certifier(name: &str, inbound: &str) {
    if !present_all() {
        return;
    }
    let Some(mut world) = World::new(name) else {
        return;
    };
    let server = AcmeServer::acme2certifier(world.gateway.inbound, world.cast);
    world.run(&server, inbound);
    let records = world.with_dkim();
    let contact = "postmaster@example.com";
    world.add_authority(&server, &["--unsigned-challenges", "--contact", contact]);
    world.must(&["mailbox", "activate", ALICE]);
    world.until_state("active");
    let reply = server.file("reply-1.eml");
    assert!(
        verifies(&reply, &records),
        "{}",
        String::from_utf8_lossy(&reply)
    );
    let mut broken = reply;
    broken.extend_from_slice(b"more\r\n");
    assert!(!verifies(&broken, &records));
    assert!(server.text("handed-in.txt").ends_with("250\n"));
    assert_eq!(
        world.challenges(),
        [("outbound", "delivered"), ("inbound", "answered")]
            .map(|(direction, delivery)| (direction.to_owned(), delivery.to_owned()))
    );
    assert!(world.office.received().is_empty());
    // No order is open any more, or never was: ordinary mail.
    let enforced = inbound == "enforce";
    let token = "LgYemJLy3F1LDkiJrdIGbEzyFJyOyf6vBdyZ1TG3sME";
    for to in [ALICE, BOB] {
        let foreign = challenge("acme@ca.example", to, token);
        let reply = world.hand_in(&[to], &foreign);
        says(&reply, if enforced { 550 } else { 250 });
    }
    let delivered = if enforced { 0 } else { 2 };
    let arrived = world.office.wait_for(delivered, WAIT);
    assert_eq!(arrived.len(), delivered);
    renewed(&world, &server);
    assert_eq!(world.office.received().len(), delivered);
}

/// The next certificate comes the same way, though all other mail of the mailbox is signed now.
fn renewed(world: &World, server: &AcmeServer) {
    let certificate = || world.gateway.json(&["mailbox", "list"])[0]["certificate_id"].clone();
    let before = certificate();
    world.must(&["reissue", ALICE, "--key", "p-256"]);
    let end = Instant::now() + WAIT;
    while certificate() == before {
        let orders = world.gateway.json(&["order", "list", "--all"]);
        assert!(Instant::now() < end, "not renewed: {orders}");
        std::thread::sleep(Duration::from_millis(200));
    }
    let reply = server.file("reply-2.eml");
    assert!(fields(&reply, "Content-Type")[0].contains("text/plain"));
}

#[test]
fn acme2certifier_issues_without_a_hand() {
    issued_by_acme2certifier("acme-optional", "optional");
}

#[test]
fn acme2certifier_issues_under_an_enforced_rule() {
    issued_by_acme2certifier("acme-enforce", "enforce");
}

/// Mails that are nearly the challenge that lies in `genuine`.
fn near_misses(genuine: &str) -> Vec<(&'static str, Vec<u8>)> {
    let (signature, rest) = genuine.split_once("\r\nFrom: ").unwrap();
    let unsigned = format!("From: {rest}");
    let with = |from: &str, to: &str| {
        let other = genuine.replace(from, to);
        assert_ne!(other, genuine, "{from}");
        other.into_bytes()
    };
    assert!(signature.starts_with("DKIM-Signature:"));
    vec![
        ("no signature", unsigned.clone().into_bytes()),
        (
            "another sender, unsigned",
            unsigned.replace("acme@ca", "mallory@ca").into_bytes(),
        ),
        ("another sender", with("From: acme@", "From: mallory@")),
        ("another body", with("by hand.", "by hand!")),
        (
            "another place for the answer",
            with("Reply-To: answers@", "Reply-To: mallory@"),
        ),
        (
            "another token",
            with("Subject: ACME:\r\n ", "Subject: ACME:\r\n A"),
        ),
        ("an unreadable signature", with("v=1;", "v=x;")),
        ("for somebody else", with("To: alice@", "To: bob@")),
        ("not generated", with("auto-generated", "no")),
    ]
}

/// What is not the challenge stays ordinary mail; the challenge itself is answered once, and a kill in the middle does no harm.
fn only_the_genuine_challenge(name: &str, inbound: &str) {
    if !present_all() {
        return;
    }
    let Some(mut world) = World::new(name) else {
        return;
    };
    let secret = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let settings =
        json!({"hold": true, "bad_nonces": 1, "processing": 2, "external": ["kid-1", secret]});
    let (server, record) = AcmeServer::own(world.gateway.inbound, &settings);
    world
        .dns
        .add("s1._domainkey.ca.example", Record::Text(record));
    world.run(&server, inbound);
    let records = world.with_dkim();
    server.finds(&records);
    let key = world.gateway.directory().file("external.txt", secret);
    let external = [
        "--external-account",
        "kid-1",
        "--external-key-file",
        key.to_str().unwrap(),
        "--tls-roots",
        &shown(&world.cast.own_authority.certificate),
    ];
    world.add_authority(&server, &external);
    world.must(&["mailbox", "activate", ALICE, "--key", "p-256"]);
    let genuine = String::from_utf8(server.file("challenge-1.eml")).unwrap();
    let enforced = inbound == "enforce";
    let misses = near_misses(&genuine);
    for (what, mail) in &misses {
        let reply = world.hand_in(&[ALICE], mail);
        assert_eq!(
            reply.code,
            if enforced { 550 } else { 250 },
            "{what}: {reply:?}"
        );
    }
    says(
        &world.hand_in(&[ALICE, BOB], genuine.as_bytes()),
        if enforced { 550 } else { 250 },
    );
    let delivered = if enforced { 0 } else { misses.len() + 1 };
    assert_eq!(world.office.wait_for(delivered, WAIT).len(), delivered);
    assert_eq!(
        (world.state().as_str(), server.requests("/chall")),
        ("activation-pending", 0)
    );
    // The genuine one, twice, and the gateway killed in between.
    says(&world.hand_in(&[ALICE], genuine.as_bytes()), 250);
    world.gateway.kill();
    world.gateway.start();
    says(&world.hand_in(&[ALICE], genuine.as_bytes()), 250);
    world.until_state("active");
    let count = |path| server.requests(path);
    assert_eq!(
        [
            count("/order null"),
            count("/order {"),
            count("/chall"),
            count("/finalize")
        ],
        [0, 1, 1, 1]
    );
    assert!(server.text("reply-2.eml").is_empty());
    assert!(verifies(&server.file("reply-1.eml"), &records));
    world.gateway.drained();
    assert!(world.office.received().len() <= delivered);
    // Deactivated: revoked there.
    world.must(&["mailbox", "deactivate", ALICE]);
    world.until_state("inactive");
    assert_eq!(count("/revoke"), 1);
}

#[test]
fn only_the_genuine_challenge_is_answered() {
    only_the_genuine_challenge("acme-genuine", "optional");
}

#[test]
fn what_is_forged_is_refused_under_an_enforced_rule() {
    only_the_genuine_challenge("acme-forged", "enforce");
}

/// A challenge mail names no order: one of an order that was given up, signed as it must be, comes first and does no harm.
#[test]
fn a_challenge_of_another_order_comes_first() {
    if !present_all() {
        return;
    }
    let Some(mut world) = World::new("acme-other") else {
        return;
    };
    let settings = json!({"hold": true, "patient": true});
    let (server, record) = AcmeServer::own(world.gateway.inbound, &settings);
    world
        .dns
        .add("s1._domainkey.ca.example", Record::Text(record));
    world.run(&server, "enforce");
    server.finds(&world.with_dkim());
    world.add_authority(&server, &[]);
    let activate = ["mailbox", "activate", ALICE, "--key", "p-256"];
    world.must(&activate);
    let former = server.file("challenge-1.eml");
    world.must(&["order", "withdraw", ALICE]);
    world.must(&activate);
    let genuine = server.file("challenge-2.eml");
    for (number, mail) in [&former, &genuine].into_iter().enumerate() {
        says(&world.hand_in(&[ALICE], mail), 250);
        server.file(&format!("reply-{}.eml", number + 1));
    }
    world.until_state("active");
    assert_eq!(server.requests("/finalize"), 1);
    assert!(world.office.received().is_empty());
}

/// Killed between any two steps, the gateway goes on where it was: nobody gets the challenge, and there is one certificate.
#[test]
fn killed_at_any_time() {
    if !present_all() {
        return;
    }
    let Some(mut world) = World::new("acme-killed") else {
        return;
    };
    let settings = json!({"processing": 2});
    let (server, record) = AcmeServer::own(world.gateway.inbound, &settings);
    world
        .dns
        .add("s1._domainkey.ca.example", Record::Text(record));
    world.run(&server, "enforce");
    server.finds(&world.with_dkim());
    world.add_authority(&server, &[]);
    world.must(&["mailbox", "activate", ALICE, "--key", "p-256"]);
    // Each life is longer than the one before, so that each step comes to its turn.
    for life in 1..=12 {
        std::thread::sleep(Duration::from_millis(70 * life));
        world.gateway.kill();
        world.gateway.start();
    }
    world.until_state("active");
    assert_eq!(server.requests("/finalize"), 1);
    world.gateway.drained();
    assert!(world.office.received().is_empty());
}

/// What a gateway does with mails: the replies, and what arrives, by the mark each of them bears.
type Decided = (Vec<(u16, String)>, BTreeMap<String, usize>);

fn decided(world: &World, misses: &[NearMiss]) -> Decided {
    let replies = misses.iter().enumerate().map(|(number, miss)| {
        let mail = [format!("X-Mark: {number}.\r\n").into_bytes(), miss.octets()].concat();
        let to: Vec<&str> = miss.to.iter().map(String::as_str).collect();
        let reply = send(world.gateway.inbound, &miss.sender, &to, &mail);
        let words = reply.text.split(" as ").next().unwrap().to_owned();
        (reply.code, words)
    });
    let replies = replies.collect();
    world.gateway.drained();
    let mut arrived = BTreeMap::new();
    for mail in world.office.received() {
        let mark = fields(&mail.content, "X-Mark").concat();
        *arrived.entry(mark).or_default() += mail.recipients.len();
    }
    (replies, arrived)
}

/// A mail that only looks like the challenge of an open order is decided as where there is no order, and the order goes on.
fn near_misses_are_ordinary_mail(name: &str, inbound: &str) {
    if !present_all() {
        return;
    }
    let Some((mut world, mut other)) = World::new(name).zip(World::new(&format!("{name}-none")))
    else {
        return;
    };
    let (server, record) = AcmeServer::own(world.gateway.inbound, &json!({"hold": true}));
    for world in [&mut world, &mut other] {
        let record = Record::Text(record.clone());
        world.dns.add("s1._domainkey.ca.example", record);
        world.run(&server, inbound);
    }
    server.finds(&world.with_dkim());
    world.add_authority(&server, &[]);
    world.must(&["mailbox", "activate", ALICE, "--key", "p-256"]);
    let genuine = server.file("challenge-1.eml");
    let misses = server.near_misses("challenge-1.eml");
    assert!(misses.len() >= 300, "{}", misses.len());
    let (expected, here) = (decided(&other, &misses), decided(&world, &misses));
    for (number, miss) in misses.iter().enumerate() {
        let what = &miss.what;
        assert_eq!(here.0[number], expected.0[number], "{what}");
        let mark = format!("{number}.");
        assert_eq!(here.1.get(&mark), expected.1.get(&mark), "{what}");
    }
    assert!(world.challenges().is_empty());
    assert!(server.text("reply-1.eml").is_empty());
    // The challenge itself comes on six connections at once, and is answered once.
    let replies: Vec<u16> = std::thread::scope(|scope| {
        let hand_in = || world.hand_in(&[ALICE], &genuine).code;
        let handed: Vec<_> = (0..6).map(|_| scope.spawn(hand_in)).collect();
        handed.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(
        replies.contains(&250) && replies.iter().all(|code| matches!(code, 250 | 451)),
        "{replies:?}"
    );
    world.until_state("active");
    assert_eq!(server.requests("/chall"), 1);
    assert!(server.text("reply-2.eml").is_empty());
    let all = world.office.received();
    let all: usize = all.iter().map(|mail| mail.recipients.len()).sum();
    assert_eq!(all, here.1.values().sum::<usize>());
}

#[test]
fn near_misses_are_delivered_like_other_mail() {
    near_misses_are_ordinary_mail("acme-near", "optional");
}

#[test]
fn near_misses_are_refused_under_an_enforced_rule() {
    near_misses_are_ordinary_mail("acme-near-enforce", "enforce");
}

/// A challenge whose header is protected by an S/MIME signature (RFC 8823 section 3.1) is judged after the 250; a wrong one is
/// then decided as the rules say.
fn challenge_signed_by_smime(name: &str, inbound: &str) {
    if !present_all() {
        return;
    }
    let Some(mut world) = World::new(name) else {
        return;
    };
    let settings = json!({"hold": true, "sign": false});
    let (server, _) = AcmeServer::own(world.gateway.inbound, &settings);
    world.run(&server, inbound);
    server.finds(&world.with_dkim());
    world.add_authority(&server, &[]);
    world.must(&["mailbox", "activate", ALICE, "--key", "p-256"]);
    let plain = server.file("challenge-1.eml");
    let directory = world.gateway.directory().path();
    let issuer = &world.cast.partner_authority;
    let signer = |address| keys::mailbox(directory, issuer, address, KeyKind::P256);
    let signed = |inner: &[u8], signer: &Identity| {
        let wrapped = [
            &b"Content-Type: message/rfc822; forwarded=no\r\n\r\n"[..],
            inner,
        ]
        .concat();
        let entity = openssl::sign(&wrapped, signer, Some(issuer), false, Writing::Der);
        with_entity(&plain, &entity)
    };
    let (authority, mallory) = (signer("acme@ca.example"), signer("mallory@ca.example"));
    let other = String::from_utf8(plain.clone())
        .unwrap()
        .replace("To: alice@", "To: bob@");
    let wrong = [
        signed(&plain, &mallory),
        signed(other.as_bytes(), &authority),
    ];
    for mail in &wrong {
        says(&world.hand_in(&[ALICE], mail), 250);
    }
    world.gateway.drained();
    let delivered = if inbound == "enforce" { 0 } else { wrong.len() };
    assert_eq!(world.office.wait_for(delivered, WAIT).len(), delivered);
    assert_eq!(world.state(), "activation-pending");
    says(&world.hand_in(&[ALICE], &signed(&plain, &authority)), 250);
    world.until_state("active");
    assert_eq!(world.office.received().len(), delivered);
    assert_eq!(world.challenges().len(), 2);
}

#[test]
fn a_challenge_may_be_signed_by_smime() {
    challenge_signed_by_smime("acme-smime", "optional");
}

#[test]
fn a_challenge_signed_by_smime_passes_an_enforced_rule() {
    challenge_signed_by_smime("acme-smime-enforce", "enforce");
}

/// An answer that cannot be delivered ends the order, and the reason is told.
#[test]
fn an_answer_that_nobody_takes() {
    if !present_all() {
        return;
    }
    let Some(mut world) = World::new("acme-undelivered") else {
        return;
    };
    let (mut server, record) = AcmeServer::own(world.gateway.inbound, &json!({}));
    world
        .dns
        .add("s1._domainkey.ca.example", Record::Text(record));
    let internet = Sink::start();
    internet.behave(Behaviour {
        recipient: Some("550 5.1.1 nobody here".to_owned()),
        ..Behaviour::default()
    });
    server.mail = internet.address;
    world.run(&server, "optional");
    world.add_authority(&server, &[]);
    world.order();
    world.until_state("inactive");
    let orders = world.gateway.json(&["order", "list", "--all"]);
    let error = orders[0]["error"].as_str().unwrap();
    assert!(
        error.contains("could not be delivered: the server answered: \"550"),
        "{error}"
    );
    assert_eq!(server.requests("/chall"), 0);
    assert!(world.office.received().is_empty());
}

/// A server whose certificate nobody vouches for is told nothing.
#[test]
fn a_server_of_an_unknown_authority_gets_no_order() {
    if !present_all() {
        return;
    }
    let Some(mut world) = World::new("acme-tls") else {
        return;
    };
    let identity = [&world.cast.server.certificate, &world.cast.server.key];
    let settings = json!({"tls": identity});
    let (server, _) = AcmeServer::own(world.gateway.inbound, &settings);
    world.run(&server, "optional");
    let other = shown(&world.cast.partner_authority.certificate);
    for roots in [&[][..], &["--tls-roots", &other]] {
        world.add_authority(&server, roots);
        world.must(&["mailbox", "activate", ALICE, "--key", "p-256"]);
        let end = Instant::now() + WAIT;
        loop {
            let orders = world.gateway.json(&["order", "list"]);
            if let Some(error) = orders[0]["error"].as_str() {
                assert!(error.contains("certificate"), "{error}");
                break;
            }
            assert!(Instant::now() < end, "{orders}");
            std::thread::sleep(Duration::from_millis(100));
        }
        world.must(&["order", "withdraw", ALICE]);
    }
    assert!(server.text("requests.txt").is_empty());
}

/// Orders that the authority refuses end, and say why.
#[test]
fn refused_orders_say_why() {
    if !present_all() {
        return;
    }
    for (settings, hint) in [
        (
            json!({"invalid": true}),
            "this address is refused here (unauthorized)",
        ),
        (json!({}), "example.com has no active DKIM key"),
    ] {
        let Some(mut world) = World::new("acme-refused") else {
            return;
        };
        let (server, record) = AcmeServer::own(world.gateway.inbound, &settings);
        world
            .dns
            .add("s1._domainkey.ca.example", Record::Text(record));
        world.run(&server, "optional");
        if settings["invalid"] == true {
            world.with_dkim();
        }
        world.add_authority(&server, &[]);
        world.order();
        world.until_state("inactive");
        let orders = world.gateway.json(&["order", "list", "--all"]);
        let error = orders[0]["error"].as_str().unwrap();
        assert!(error.contains(hint), "{error}");
        assert!(world.office.received().is_empty());
    }
}
