//! Rows M7 and M8 of security.md: who gets a report, and what stands in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use e2e::case::Mailbox;
use e2e::cast::{ALICE, CAROL, Cast};
use e2e::client::{Reply, Session, stuffed};
use e2e::dns::{Dns, Record};
use e2e::gateway::{Gateway, Options, mailbox, program};
use e2e::keys::KeyKind;
use e2e::mime::{entity, field, find, split, with_entity};
use e2e::nss::pkcs7_mime;
use e2e::openssl::{self, Writing};
use e2e::place::{Directory, skip};
use e2e::program::{must_run, present, python, run};
use e2e::scene::{DELIVERY, Scene, correspondent, rule, send};
use e2e::sink::{Behaviour, Received, Sink};

const SECRET: &str = "seventeen vermilion harpsichords";
const BOB: &str = "bob@example.com";

fn ready() -> bool {
    program().is_some() && present(&["openssl", "python3"])
}

fn mail(from: &str, to: &str) -> Vec<u8> {
    numbered(from, to, 0)
}

fn numbered(from: &str, to: &str, number: usize) -> Vec<u8> {
    format!("From: {from}\r\nTo: {to}\r\nSubject: offer\r\nMessage-ID: <{number}.{from}>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n{SECRET}\r\n").into_bytes()
}

/// The octets of a CMS object that holds `whole` for alice, damaged so that the padding is wrong for certain.
fn damaged(whole: &[u8], cast: &Cast) -> Vec<u8> {
    let to = [cast.alice.certificate.as_path()];
    let encrypted = openssl::encrypt(&entity(whole), &to, "aes-256-cbc", Writing::Der);
    let mut cms = must_run("openssl", &["base64", "-d"], split(&encrypted).1);
    // The last octet before the last block: its top bit becomes the top bit of the padding's last octet.
    let at = cms.len() - 17;
    cms[at] ^= 0x80;
    cms
}

/// Encrypted to alice with a key of its own, and damaged.
fn broken(from: &str, cast: &Cast) -> Vec<u8> {
    let whole = mail(from, ALICE);
    with_entity(
        &whole,
        &pkcs7_mime(&damaged(&whole, cast), "enveloped-data"),
    )
}

/// The reasons of all held mail.
fn held(gateway: &Gateway) -> Vec<String> {
    let notes = gateway.queue(true);
    notes
        .iter()
        .map(|row| row["note"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// How many events of a kind administrators were told of; arguments: the database and the kind.
const EVENTS: &str = "
import sqlite3, sys
database = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)
print(database.execute('SELECT count(*) FROM events WHERE kind = ?', (sys.argv[2],)).fetchone()[0])
";

fn events(gateway: &Gateway, kind: &str) -> usize {
    let database = gateway.data().join("sealgate.db");
    let out = must_run(
        &python(),
        &["-c", EVENTS, database.to_str().unwrap(), kind],
        b"",
    );
    String::from_utf8(out).unwrap().trim().parse().unwrap()
}

/// A name server that knows who may send from 127.0.0.1: `proven.example` may, the others may not or do not say.
fn name_server() -> Dns {
    let dns = Dns::start();
    for (domain, policy) in [
        ("proven.example", "v=spf1 ip4:127.0.0.1 -all"),
        ("fail.example", "v=spf1 ip4:192.0.2.1 -all"),
        ("softfail.example", "v=spf1 ip4:192.0.2.1 ~all"),
        ("neutral.example", "v=spf1 ?all"),
        ("broken.example", "v=spf1 no-such-mechanism"),
    ] {
        dns.add(domain, Record::Text(policy.into()));
    }
    dns
}

/// Domains of senders that nothing proves.
const UNPROVEN: [&str; 5] = [
    "fail.example",
    "softfail.example",
    "neutral.example",
    "broken.example",
    "silent.example",
];

fn with_dns(dns: &Dns) -> Options {
    Options {
        dns: dns.address.to_string(),
        ..Options::default()
    }
}

#[test]
fn m7_backscatter() {
    if !ready() {
        return;
    }
    const FORGED: usize = 100;
    const PROVEN: usize = 10;
    let (cast, dns) = (Cast::with(KeyKind::Rsa(2048)), name_server());
    let scene = Scene::new("m7", &with_dns(&dns), cast, &rule("always", "neither")).unwrap();
    let send_broken = |from: &str| {
        let reply = send(scene.gateway.inbound, from, &[ALICE], &broken(from, cast));
        assert_eq!(reply.code, 250, "{from}: {reply:?}");
    };
    for number in 0..FORGED {
        let domain = UNPROVEN[number % UNPROVEN.len()];
        send_broken(&format!("victim{number}@{domain}"));
    }
    for number in 0..PROVEN {
        send_broken(&format!("sender{number}@proven.example"));
    }
    scene.internet.wait_for(PROVEN, DELIVERY);
    scene.gateway.drained();
    let reports = scene.internet.received();
    let mut told: Vec<&str> = reports.iter().flat_map(Received::addresses).collect();
    told.sort_unstable();
    let expected: Vec<String> = (0..PROVEN)
        .map(|number| format!("sender{number}@proven.example"))
        .collect();
    assert_eq!(told, expected);
    assert!(reports.iter().all(|report| report.from.is_empty()));
    assert_eq!(held(&scene.gateway), vec!["sender-not-proven"; FORGED]);
    assert_eq!(events(&scene.gateway, "mail-held"), FORGED);
    assert!(scene.office.received().is_empty());
}

/// Row C10: the same encryptedKey again and failing is held and never reported, whatever the rest of the mail.
#[test]
fn m7_the_same_encrypted_key_is_reported_once() {
    if !ready() {
        return;
    }
    let (cast, dns) = (Cast::with(KeyKind::Rsa(2048)), name_server());
    let scene = Scene::new("m7-key", &with_dns(&dns), cast, &rule("always", "neither")).unwrap();
    let cms = damaged(&mail("one@proven.example", ALICE), cast);
    for number in 0..5 {
        let from = format!("sender{number}@proven.example");
        let mut variant = cms.clone();
        // Another octet of the content in each: the key stays.
        let at = cms.len() - 17 - number;
        variant[at] ^= 0x80 | u8::try_from(number).unwrap();
        variant[cms.len() - 17] = cms[cms.len() - 17];
        let message = with_entity(&mail(&from, ALICE), &pkcs7_mime(&variant, "enveloped-data"));
        let reply = send(scene.gateway.inbound, &from, &[ALICE], &message);
        assert_eq!(reply.code, 250, "{reply:?}");
        // One after the other: which is the first must be clear.
        scene.gateway.drained();
    }
    let told: Vec<_> = scene
        .internet
        .received()
        .into_iter()
        .map(|mail| mail.addresses()[0].to_owned())
        .collect();
    assert_eq!(told, ["sender0@proven.example"]);
    assert_eq!(held(&scene.gateway), vec!["repeated-key"; 4]);
    assert!(scene.office.received().is_empty());
}

/// Row C10: a server behind the gateway that refuses what was decrypted tells of the content; with the same encryptedKey it does so
/// once.
#[test]
fn c10_refusals_of_decrypted_mail_are_reported_once_for_each_key() {
    if !ready() {
        return;
    }
    let (cast, dns) = (Cast::with(KeyKind::P256), name_server());
    let rules = rule("optional", "neither");
    let scene = Scene::new("c10-refused", &with_dns(&dns), cast, &rules).unwrap();
    scene.office.behave(refuses());
    let to = [cast.alice.certificate.as_path()];
    let whole = mail("one@proven.example", ALICE);
    let encrypted = openssl::encrypt(&entity(&whole), &to, "aes-256-cbc", Writing::Der);
    let cms = must_run("openssl", &["base64", "-d"], split(&encrypted).1);
    for number in 0..4 {
        let from = format!("sender{number}@proven.example");
        let message = with_entity(
            &numbered(&from, ALICE, number),
            &pkcs7_mime(&cms, "enveloped-data"),
        );
        let reply = send(scene.gateway.inbound, &from, &[ALICE], &message);
        assert_eq!(reply.code, 250, "{reply:?}");
        // One after the other: which is the first must be clear.
        scene.gateway.drained();
    }
    let told: Vec<_> = scene.internet.received();
    let told: Vec<_> = told.iter().map(|mail| mail.addresses()[0]).collect();
    assert_eq!(told, ["sender0@proven.example"]);
    assert_eq!(held(&scene.gateway), vec!["repeated-key"; 3]);
}

/// A refusal for all is said in the session, to whoever hands the mail in: no report, nothing held.
#[test]
fn m7_refused_for_all_is_a_reply() {
    if !ready() {
        return;
    }
    let (cast, dns) = (Cast::with(KeyKind::P256), name_server());
    let scene = Scene::new(
        "m7-reply",
        &with_dns(&dns),
        cast,
        &rule("enforce", "enforce"),
    )
    .unwrap();
    for from in ["one@proven.example", "one@fail.example", ""] {
        let reply = send(scene.gateway.inbound, from, &[ALICE], &mail(CAROL, ALICE));
        assert!(
            (500..600).contains(&reply.code) && reply.has_status("5.7.1"),
            "{from}: {reply:?}"
        );
    }
    let reply = scene.mail_out(&mail(ALICE, CAROL));
    assert!(
        (500..600).contains(&reply.code) && reply.has_status("5.7.5"),
        "{reply:?}"
    );
    scene.gateway.drained();
    assert!(held(&scene.gateway).is_empty());
    assert!(scene.internet.received().is_empty() && scene.office.received().is_empty());
}

/// Refused for alice, taken for bob: reported if the sender is proven by SPF or by an aligned DKIM signature, else held.
#[test]
fn m7_refused_for_some() {
    if !ready() {
        return;
    }
    let (cast, dns) = (Cast::with(KeyKind::P256), name_server());
    let more = [
        mailbox(BOB, Mailbox::Inactive, cast),
        "[[rules]]\nmanaged = \"alice@example.com\"\nexternal = \"all\"\ninbound = \"enforce\"\n"
            .to_owned(),
    ];
    let scene = Scene::new("m7-some", &with_dns(&dns), cast, &more.concat()).unwrap();
    let directory = Directory::new("m7-dkim");
    let mut cases = vec![
        (
            "one@proven.example",
            mail("one@proven.example", ALICE),
            true,
        ),
        ("", mail(CAROL, ALICE), false),
    ];
    let forged: Vec<String> = UNPROVEN
        .iter()
        .map(|domain| format!("victim@{domain}"))
        .collect();
    cases.extend(
        forged
            .iter()
            .map(|from| (from.as_str(), mail(from, ALICE), false)),
    );
    if let Some(signer) = Signer::new(&directory, &dns) {
        // Aligned with the envelope sender; a signature of somebody else proves nothing; nor does a broken one.
        let own = signer.sign(&mail("two@signed.example", ALICE), "signed.example");
        let other = signer.sign(&mail("three@silent.example", ALICE), "signed.example");
        let spoilt = own.replace("Subject: offer", "Subject: order");
        cases.push(("two@signed.example", own.into_bytes(), true));
        cases.push(("three@silent.example", other.into_bytes(), false));
        cases.push(("four@signed.example", spoilt.into_bytes(), false));
    }
    for (from, message, _) in &cases {
        let reply = send(scene.gateway.inbound, from, &[ALICE, BOB], message);
        assert_eq!(reply.code, 250, "{from}: {reply:?}");
    }
    scene.gateway.drained();
    let at_office = scene.office.received();
    assert_eq!(at_office.len(), cases.len());
    assert!(at_office.iter().all(|mail| mail.addresses() == [BOB]));
    let reports = scene.internet.received();
    let told: Vec<&str> = reports.iter().flat_map(Received::addresses).collect();
    let expected: Vec<&str> = cases
        .iter()
        .filter(|(.., proven)| *proven)
        .map(|(from, ..)| *from)
        .collect();
    let (mut told, mut expected) = (told, expected);
    told.sort_unstable();
    expected.sort_unstable();
    assert_eq!(told, expected);
    assert_eq!(held(&scene.gateway).len(), cases.len() - expected.len());
    assert_eq!(
        events(&scene.gateway, "mail-held"),
        cases.len() - expected.len()
    );
}

/// Signs with dkimpy for any domain; arguments: key file, domain.
const DKIM_SIGN: &str = "
import dkim, sys
message = sys.stdin.buffer.read()
key = open(sys.argv[1], 'rb').read()
signature = dkim.sign(message, b's', sys.argv[2].encode(), key, include_headers=[b'from', b'to', b'subject', b'message-id'])
sys.stdout.buffer.write(signature + message)
";

struct Signer(String);

impl Signer {
    /// With a new key, published for `signed.example`; `None` if dkimpy is missing, which is said.
    fn new(directory: &Directory, dns: &Dns) -> Option<Self> {
        if !run(&python(), &["-c", "import dkim"], b"").good {
            skip("not installed: dkimpy");
            return None;
        }
        let key = directory
            .path()
            .join("dkim.key")
            .to_str()
            .unwrap()
            .to_owned();
        must_run(
            "openssl",
            &["genrsa", "-traditional", "-out", &key, "2048"],
            b"",
        );
        let public = must_run(
            "openssl",
            &["rsa", "-in", &key, "-pubout", "-outform", "DER"],
            b"",
        );
        let public = must_run("openssl", &["base64", "-e", "-A"], &public);
        let record = format!("v=DKIM1; k=rsa; p={}", String::from_utf8(public).unwrap());
        dns.add("s._domainkey.signed.example", Record::Text(record));
        Some(Self(key))
    }

    fn sign(&self, message: &[u8], domain: &str) -> String {
        let out = must_run(&python(), &["-c", DKIM_SIGN, &self.0, domain], message);
        String::from_utf8(out).unwrap()
    }
}

/// Prints the fields of a report as a mail program finds them, a line each.
const READ_REPORT: &str = "
import email, email.policy, sys
report = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.SMTP)
print(report.get_content_type(), report['content-type'].params.get('report-type'), report['auto-submitted'])
print([part.get_content_type() for part in report.iter_parts()])
for block in list(report.iter_parts())[1].get_payload():
    for name, value in block.items():
        print(name.lower() + ': ' + value)
";

fn read(report: &Received) -> String {
    String::from_utf8(must_run(&python(), &["-c", READ_REPORT], &report.content)).unwrap()
}

fn refuses() -> Behaviour {
    Behaviour {
        recipient: Some("550 5.1.1 no such mailbox".into()),
        ..Behaviour::default()
    }
}

/// Hands a mail in with parameters of MAIL and RCPT; gives the reply at the end of data.
fn send_with(
    server: std::net::SocketAddr,
    (from, parameters): (&str, &str),
    (to, notify): (&str, &str),
    message: &[u8],
) -> Reply {
    let mut session = Session::connect(server).unwrap();
    session.command("EHLO client.example").unwrap();
    for line in [
        format!("MAIL FROM:<{from}> {parameters}"),
        format!("RCPT TO:<{to}> {notify}"),
        "DATA".to_owned(),
    ] {
        let reply = session.command(line.trim_end()).unwrap();
        assert!(reply.code < 400, "{line}: {reply:?}");
    }
    session.send(&stuffed(message)).unwrap();
    session.reply().unwrap()
}

/// Null sender, RFC 3464 as Python reads it, RFC 3834, and headers only though the sender asked for all; the mail was to
/// be encrypted, and nothing of its text is returned.
#[test]
fn m8_report_of_a_failed_delivery() {
    if !ready() {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    for outbound in ["enforce", "optional", "sign-only", "neither"] {
        let more = rule("optional", outbound) + &correspondent(cast, CAROL);
        let scene = Scene::new("m8", &Options::default(), cast, &more).unwrap();
        scene.internet.behave(refuses());
        let parameters = "RET=FULL ENVID=QQ314159";
        let notify = "NOTIFY=FAILURE ORCPT=rfc822;carol+2B1@partner.example";
        let reply = send_with(
            scene.gateway.outbound,
            (ALICE, parameters),
            (CAROL, notify),
            &mail(ALICE, CAROL),
        );
        assert_eq!(reply.code, 250, "{reply:?}");
        let report = scene.at_office();
        assert_eq!(
            (report.from.as_str(), report.addresses()),
            ("", vec![ALICE])
        );
        let text = read(&report);
        assert!(
            text.starts_with("multipart/report delivery-status auto-"),
            "{text}"
        );
        let parts = "['text/plain', 'message/delivery-status', 'text/rfc822-headers']";
        assert!(text.contains(parts), "{text}");
        for line in [
            "reporting-mta: dns; gateway.example",
            "original-envelope-id: QQ314159",
            "original-recipient: rfc822;carol+1@partner.example",
            "final-recipient: rfc822; carol@partner.example",
            "action: failed",
            "status: 5.1.1",
            "remote-mta: dns; 127.0.0.1",
            "diagnostic-code: smtp; 550 5.1.1 no such mailbox",
        ] {
            assert!(
                text.to_lowercase().contains(&line.to_lowercase()),
                "{line}: {text}"
            );
        }
        assert!(
            find(&report.content, SECRET.as_bytes()).is_none(),
            "{outbound}"
        );
        assert!(find(&report.content, b"Subject: offer").is_some());
        assert!(field(&report.content, "Auto-Submitted").is_some());
        assert!(
            !report.from_parameters.contains("RET"),
            "{}",
            report.from_parameters
        );
    }
}

/// One recipient is refused by an enforced rule, the other gets the mail: the report holds no text of it.
#[test]
fn m8_report_of_an_enforced_refusal() {
    if !ready() {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let more = rule("optional", "enforce") + &correspondent(cast, CAROL);
    let scene = Scene::new("m8-enforced", &Options::default(), cast, &more).unwrap();
    let to = [CAROL, "nokey@partner.example"];
    let reply = send(scene.gateway.outbound, ALICE, &to, &mail(ALICE, CAROL));
    assert_eq!(reply.code, 250, "{reply:?}");
    let (report, sent) = (scene.at_office(), scene.at_internet());
    assert_eq!(sent.addresses(), [CAROL]);
    let text = read(&report);
    assert!(
        text.contains("final-recipient: rfc822; nokey@partner.example"),
        "{text}"
    );
    assert!(
        text.contains("status: 5.7.5") && !text.contains(CAROL),
        "{text}"
    );
    for mail in [&report, &sent] {
        assert!(find(&mail.content, SECRET.as_bytes()).is_none());
    }
}

/// What was inside an encrypted mail: no field, no text of it, and no verdict on it is in any report.
#[test]
fn m8_nothing_decrypted_in_a_report() {
    if !ready() {
        return;
    }
    let (cast, dns) = (Cast::with(KeyKind::P256), name_server());
    let scene = Scene::new(
        "m8-decrypted",
        &with_dns(&dns),
        cast,
        &rule("always", "neither"),
    )
    .unwrap();
    scene.office.behave(refuses());
    let from = "one@proven.example";
    let inside = format!(
        "Content-Type: text/plain; name=\"inner-a.txt\"\r\nContent-Description: inner-b\r\nContent-Disposition: inline;\r\n filename=inner-c\r\nContent-ID: <inner-d@x>\r\nSubject: inner-e\r\n\r\n{SECRET}\r\n"
    );
    let to = [cast.alice.certificate.as_path()];
    let signed = openssl::sign(
        inside.as_bytes(),
        &cast.carol,
        Some(&cast.partner_authority),
        true,
        Writing::Der,
    );
    for entity_inside in [inside.as_bytes(), &signed[..]] {
        let before = scene.internet.received().len();
        let encrypted = openssl::encrypt(entity_inside, &to, "aes-256-cbc", Writing::Der);
        let message = with_entity(&mail(from, ALICE), &entity(&encrypted));
        let parameters = (from, "RET=FULL");
        let reply = send_with(scene.gateway.inbound, parameters, (ALICE, ""), &message);
        assert_eq!(reply.code, 250, "{reply:?}");
        let reports = scene.internet.wait_for(before + 1, DELIVERY);
        assert_eq!(reports.len(), before + 1);
        let report = &reports[before];
        let shown = String::from_utf8_lossy(&report.content).into_owned();
        assert!(read(report).contains("status: 5.1.1"), "{shown}");
        for leak in [SECRET, "inner-", "X-Sealgate-Result", "smime=", "decrypted"] {
            assert!(!shown.contains(leak), "{leak} in\n{shown}");
        }
        assert!(shown.contains("Subject: offer"), "{shown}");
    }
}

/// What happens to a mail in the table of NOTIFY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// Refused by the next hop.
    Fails,
    /// Put off by the next hop.
    Waits,
    /// Taken by a next hop that does not know DSN.
    Old,
    /// Taken by one that does.
    New,
}

impl Fate {
    const ALL: [Self; 4] = [Self::Fails, Self::Waits, Self::Old, Self::New];

    /// What is reported to whom asked for `notify` (RFC 3461 sections 4.1 and 5.2).
    fn report(self, notify: &str) -> Option<&'static str> {
        let asked = |word| notify.contains(word);
        let default = notify.is_empty();
        match self {
            Self::Fails if default || asked("FAILURE") => Some("failed"),
            Self::Waits if default || asked("DELAY") => Some("delayed"),
            Self::Old if asked("SUCCESS") => Some("relayed"),
            _ => None,
        }
    }
}

const NOTIFY: [&str; 9] = [
    "",
    "NOTIFY=NEVER",
    "NOTIFY=SUCCESS",
    "NOTIFY=FAILURE",
    "NOTIFY=DELAY",
    "NOTIFY=SUCCESS,FAILURE",
    "NOTIFY=FAILURE,DELAY",
    "NOTIFY=SUCCESS,DELAY",
    "NOTIFY=SUCCESS,FAILURE,DELAY",
];

/// Where the mails of the table go.
struct Table {
    gateway: Gateway,
    office: Sink,
    old: Sink,
    new: Sink,
}

impl Table {
    fn start() -> Self {
        let cast = Cast::with(KeyKind::P256);
        let (office, old, new) = (Sink::start(), Sink::start(), Sink::start());
        let refusals = (0..NOTIFY.len()).flat_map(|number| {
            [
                (
                    format!("fails.{number}@old.example"),
                    "550 5.1.1 no such mailbox".to_owned(),
                ),
                (
                    format!("waits.{number}@old.example"),
                    "451 4.3.0 not now".to_owned(),
                ),
            ]
        });
        old.behave(Behaviour {
            old: true,
            recipients: refusals.collect(),
            ..Behaviour::default()
        });
        let options = Options {
            delay_notice: 1,
            queue_lifetime: 600,
            ..Options::default()
        };
        let destination = format!(
            "[[destinations]]\ndomain = \"new.example\"\nhost = \"127.0.0.1\"\nport = {}\n",
            new.address.port()
        );
        let text = Scene::description(cast, &destination, &office, &old);
        let gateway = Gateway::running("m8-notify", &options, cast, &text).unwrap();
        Self {
            gateway,
            office,
            old,
            new,
        }
    }

    fn address(fate: Fate, number: usize) -> String {
        let domain = if fate == Fate::New {
            "new.example"
        } else {
            "old.example"
        };
        format!("{}.{number}@{domain}", format!("{fate:?}").to_lowercase())
    }

    /// Every mail that waits was tried often enough for a notice of delay, and nothing else is left.
    fn settled(&self) {
        let end = Instant::now() + DELIVERY;
        loop {
            let rows = self.gateway.queue(false);
            let (waits, others): (Vec<_>, Vec<_>) = rows
                .iter()
                .partition(|row| row["recipient"].as_str().unwrap().starts_with("waits."));
            if others.is_empty()
                && waits.len() == NOTIFY.len()
                && waits.iter().all(|row| row["attempts"].as_u64() >= Some(3))
            {
                return;
            }
            assert!(Instant::now() < end, "{rows:#?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn m8_notify_is_honoured() {
    if !ready() {
        return;
    }
    let table = Table::start();
    let mut expected = Vec::new();
    for fate in Fate::ALL {
        for (number, notify) in NOTIFY.iter().enumerate() {
            let to = Table::address(fate, number);
            let message = numbered(ALICE, &to, number);
            let reply = send_with(table.gateway.outbound, (ALICE, ""), (&to, notify), &message);
            assert_eq!(reply.code, 250, "{reply:?}");
            expected.extend(fate.report(notify).map(|action| (to, action.to_owned())));
        }
    }
    table.settled();
    // A report made while the last attempt was recorded is on its way still.
    let reports = table.office.wait_for(expected.len(), DELIVERY);
    let mut told: Vec<_> = reports.iter().map(recipient_and_action).collect();
    told.sort();
    expected.sort();
    assert_eq!(told, expected);
    assert!(reports.iter().all(|report| report.from.is_empty()));
    assert_eq!(
        (table.old.received().len(), table.new.received().len()),
        (NOTIFY.len(), NOTIFY.len())
    );
    // A server that knows DSN is asked to report itself (RFC 3461 section 5.2.1).
    for mail in table.new.received() {
        let (address, parameters) = &mail.recipients[0];
        let number: usize = address.split(['.', '@']).nth(1).unwrap().parse().unwrap();
        let passed = parameters.split(' ').find(|one| one.starts_with("NOTIFY="));
        let same = |one: &str| {
            let mut words: Vec<_> = one
                .trim_start_matches("NOTIFY=")
                .split(',')
                .map(str::to_owned)
                .collect();
            words.sort();
            words
        };
        assert_eq!(
            same(passed.unwrap_or_default()),
            same(NOTIFY[number]),
            "{parameters}"
        );
    }
}

fn recipient_and_action(report: &Received) -> (String, String) {
    let text = read(report);
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit([' ', ';']).next().unwrap().to_owned()
    };
    (value("final-recipient:"), value("action:"))
}

/// spec.md section 2: who asks for success about encrypted mail is told "relayed" on acceptance, whether it can be
/// decrypted or not; nobody further on is asked to tell more. Without proof of the sender nothing is told.
#[test]
fn m8_success_on_encrypted_mail() {
    if !ready() {
        return;
    }
    let (cast, dns) = (Cast::with(KeyKind::P256), name_server());
    let options = with_dns(&dns);
    let scene = Scene::new("m8-success", &options, cast, &rule("always", "neither")).unwrap();
    let from = "one@proven.example";
    let whole = mail(from, ALICE);
    let to = [cast.alice.certificate.as_path()];
    let encrypted = openssl::encrypt(&entity(&whole), &to, "aes-256-cbc", Writing::Der);
    let good = with_entity(&whole, &entity(&encrypted));
    let cases = [
        (from, good.clone()),
        (from, broken(from, cast)),
        ("victim@fail.example", good),
        ("victim@fail.example", broken("victim@fail.example", cast)),
    ];
    for (from, message) in &cases {
        let notify = (ALICE, "NOTIFY=SUCCESS");
        let reply = send_with(scene.gateway.inbound, (from, ""), notify, message);
        assert_eq!(reply.code, 250, "{reply:?}");
    }
    scene.gateway.drained();
    let reports = scene.internet.received();
    let told: Vec<_> = reports.iter().map(recipient_and_action).collect();
    assert_eq!(told, vec![(ALICE.to_owned(), "relayed".to_owned()); 2]);
    assert!(reports.iter().all(|report| report.addresses() == [from]));
    // The same words about the one and the other, but for numbers and times.
    let words = |report: &Received| {
        let text = read(report);
        let lines = text.lines().filter(|line| !line.contains("date:"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(words(&reports[0]), words(&reports[1]));
    for mail in scene.office.received() {
        assert!(
            !mail.recipients[0].1.contains("SUCCESS"),
            "{:?}",
            mail.recipients
        );
    }
}

/// Mail with a null sender, both ways, failing in every way; and a report of our own that cannot be delivered.
#[test]
fn m8_the_null_sender_is_never_answered() {
    if !ready() {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let more = [
        mailbox(BOB, Mailbox::Inactive, cast),
        rule("always", "neither"),
    ];
    let scene = Scene::new("m8-null", &Options::default(), cast, &more.concat()).unwrap();
    scene.office.behave(refuses());
    scene.internet.behave(refuses());
    let (inbound, outbound) = (scene.gateway.inbound, scene.gateway.outbound);
    // Cannot be decrypted; cannot be delivered; success was asked for; nobody wants it outside either.
    let reply = send(inbound, "", &[ALICE], &broken(CAROL, cast));
    assert_eq!(reply.code, 250, "{reply:?}");
    for (server, to) in [(inbound, BOB), (outbound, CAROL)] {
        let notify = "NOTIFY=SUCCESS,FAILURE,DELAY";
        let reply = send_with(server, ("", ""), (to, notify), &mail(CAROL, to));
        assert!(reply.code == 250 || reply.code >= 500, "{reply:?}");
    }
    // This fails and is reported; the report fails too.
    assert_eq!(scene.mail_out(&mail(ALICE, CAROL)).code, 250);
    scene.gateway.drained();
    let asked: Vec<String> = [scene.office.lines(), scene.internet.lines()].concat();
    let asked: Vec<_> = asked
        .iter()
        .filter(|line| line.starts_with("RCPT TO:"))
        .map(|line| line.split(['<', '>']).nth(1).unwrap())
        .collect();
    let count = |address: &str| asked.iter().filter(|one| **one == address).count();
    assert_eq!(
        count(ALICE),
        1,
        "the report of the last mail alone: {asked:?}"
    );
    assert_eq!(count("postmaster@gateway.example"), 0, "{asked:?}");
    assert!(asked.len() <= 4, "{asked:?}");
    assert!(scene.office.received().is_empty() && scene.internet.received().is_empty());
}
