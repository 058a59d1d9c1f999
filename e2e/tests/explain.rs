//! `explain` says of a mail beforehand what the journal says of it afterwards, and says it so that people understand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use e2e::case::Mailbox;
use e2e::cast::{ALICE, CAROL, Cast, STRANGER};
use e2e::chance::Chance;
use e2e::gateway::{Gateway, Options, head, mailbox, program, tail};
use e2e::keys::{KeyKind, shown};
use e2e::mime::{entity, with_entity};
use e2e::openssl::{self, Writing};
use e2e::program::{must_run, present};
use e2e::scene::{DELIVERY, correspondent, send};
use e2e::sink::Sink;
use sealgate_core::journal::Trace;
use sealgate_core::outcome::{InboundContent, InboundOutcome, inbound};
use serde_json::Value;

/// Mails compared.
const MAILS: usize = 100;
/// Mails between two lists of rules.
const MAILS_PER_LIST: usize = 10;
const BOB: &str = "bob@example.com";
const MANAGED: [&str; 5] = [ALICE, ALICE, ALICE, BOB, "dora@example.com"];
const EXTERNAL: [&str; 6] = [
    CAROL,
    CAROL,
    CAROL,
    STRANGER,
    "x@partner.example",
    "y@sub.partner.example",
];
/// Managed by another organisation of the same installation.
const NEIGHBOUR: &str = "zoe@neighbour.example";
const PATTERNS: [&str; 9] = [
    "all",
    "all",
    "alice@example.com",
    "example.com",
    "bob@example.com, dora@example.com",
    "partner.example",
    "carol@partner.example, elsewhere.example",
    "sub.partner.example",
    "neighbour.example",
];
const INBOUND: [&str; 6] = [
    "always",
    "not-defined",
    "do-not-decrypt",
    "optional",
    "always",
    "enforce",
];
const OUTBOUND: [&str; 6] = [
    "not-defined",
    "neither",
    "sign-only",
    "optional",
    "enforce",
    "enforce",
];

fn random_rules(chance: &mut Chance) -> String {
    (0..6)
        .map(|_| {
            let [managed, external] = [(); 2].map(|()| *chance.one_of(&PATTERNS));
            let (inbound, outbound) = (*chance.one_of(&INBOUND), *chance.one_of(&OUTBOUND));
            format!("[[rules]]\nmanaged = {managed:?}\nexternal = {external:?}\ninbound = {inbound:?}\noutbound = {outbound:?}\n")
        })
        .collect()
}

/// Which way a mail goes, and what is odd about its addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Out,
    OutForeignFrom,
    OutForeignSender,
    OutReport,
    OutToNeighbour,
    Within,
    In,
    InTwoFrom,
    InForgedFrom,
    InNullSender,
    InReport,
    InReportUnknown,
}

const WAYS: [Way; 18] = [
    Way::Out,
    Way::Out,
    Way::Out,
    Way::Out,
    Way::OutForeignFrom,
    Way::OutForeignSender,
    Way::OutReport,
    Way::OutToNeighbour,
    Way::Within,
    Way::In,
    Way::In,
    Way::In,
    Way::In,
    Way::InTwoFrom,
    Way::InForgedFrom,
    Way::InNullSender,
    Way::InReport,
    Way::InReportUnknown,
];

impl Way {
    fn outbound(self) -> bool {
        self <= Self::Within
    }

    /// The direction, where the addresses alone do not tell it.
    fn told(self) -> Option<&'static str> {
        match self {
            Self::OutForeignSender | Self::OutToNeighbour => Some("outbound"),
            Self::InForgedFrom => Some("inbound"),
            _ => None,
        }
    }
}

/// What a mail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    Plain,
    Signed,
    Opaque,
    /// To the recipient, or to carol if the recipient has no certificate.
    Encrypted,
    ToOthers,
    /// Names alice's certificate, and is encrypted to another key.
    Unreadable,
    SignedEncrypted,
    EncryptedSigned,
    Malformed,
}

const SHAPES: [Shape; 12] = [
    Shape::Plain,
    Shape::Plain,
    Shape::Signed,
    Shape::Opaque,
    Shape::Encrypted,
    Shape::Encrypted,
    Shape::ToOthers,
    Shape::Unreadable,
    Shape::Unreadable,
    Shape::SignedEncrypted,
    Shape::EncryptedSigned,
    Shape::Malformed,
];

struct Mail {
    way: Way,
    shape: Shape,
    /// Envelope sender; empty for the null sender.
    from: &'static str,
    to: &'static str,
    message: Vec<u8>,
}

struct Maker {
    cast: &'static Cast,
    chance: Chance,
    /// A certificate with issuer and serial number of alice's, for another key.
    twin: PathBuf,
    /// Mailboxes with the Message-IDs they sent.
    sent: Vec<(&'static str, String)>,
}

impl Maker {
    fn mail(&mut self, number: usize) -> Mail {
        let way = *self.chance.one_of(&WAYS);
        let shape = match way {
            Way::OutReport | Way::InReport | Way::InReportUnknown => Shape::Plain,
            _ => *self.chance.one_of(&SHAPES),
        };
        let (own, theirs) = (
            *self.chance.one_of(&MANAGED),
            *self.chance.one_of(&EXTERNAL),
        );
        let (header_from, from, to) = match way {
            Way::Out => (own, own, theirs),
            Way::OutForeignFrom => ("friend@far.example", own, theirs),
            Way::OutForeignSender => ("friend@far.example", "friend@far.example", theirs),
            Way::OutReport => ("mailer-daemon@example.com", "", theirs),
            Way::OutToNeighbour => (own, own, NEIGHBOUR),
            Way::Within => (own, own, *self.chance.one_of(&MANAGED)),
            Way::In => (theirs, theirs, own),
            Way::InTwoFrom => ("a@far.example, b@far.example", theirs, own),
            Way::InForgedFrom => (BOB, theirs, own),
            Way::InNullSender | Way::InReport | Way::InReportUnknown => (theirs, "", own),
        };
        let (from, mut to) = (from, to);
        let id = format!("<{number}@random.example>");
        let mut fields =
            format!("From: {header_from}\r\nSubject: {number}\r\nMessage-ID: {id}\r\n");
        let mut body =
            format!("MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nmail {number}\r\n");
        match way {
            Way::OutReport | Way::InReportUnknown => body = report("<never@seen.example>"),
            Way::InReport => {
                if let Some((mailbox, id)) = self.sent.last() {
                    to = mailbox;
                    body = report(id);
                }
            }
            Way::Out => self.sent.push((own, id)),
            _ => {}
        }
        writeln!(fields, "To: {to}\r").unwrap();
        let plain = (fields + &body).into_bytes();
        let message = self.shaped(shape, &plain, header_from, to);
        Mail {
            way,
            shape,
            from,
            to,
            message,
        }
    }

    fn shaped(&self, shape: Shape, plain: &[u8], from: &str, to: &str) -> Vec<u8> {
        let cast = self.cast;
        let signer = if from == ALICE {
            &cast.alice
        } else {
            &cast.carol
        };
        let recipient = if to == ALICE {
            &cast.alice
        } else {
            &cast.carol
        };
        let sign =
            |entity: &[u8], opaque| openssl::sign(entity, signer, None, opaque, Writing::Stream);
        let encrypt =
            |entity: &[u8], to: &Path| openssl::encrypt(entity, &[to], "aes-256-cbc", Writing::Der);
        let inner = entity(plain);
        let outer = match shape {
            Shape::Plain => return plain.to_vec(),
            Shape::Signed => sign(&inner, false),
            Shape::Opaque => sign(&inner, true),
            Shape::Encrypted => encrypt(&inner, &recipient.certificate),
            Shape::ToOthers => encrypt(&inner, &cast.stranger.certificate),
            Shape::Unreadable => encrypt(&inner, &self.twin),
            Shape::SignedEncrypted => encrypt(&sign(&inner, false), &recipient.certificate),
            Shape::EncryptedSigned => sign(&encrypt(&inner, &recipient.certificate), true),
            Shape::Malformed => b"MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\nContent-Transfer-Encoding: base64\r\n\r\nMIIBgAYJKoZIhvcNAQcDoIAwgAIBADGC\r\n".to_vec(),
        };
        with_entity(plain, &outer)
    }
}

/// The body of a delivery report that returns the mail of this Message-ID.
fn report(id: &str) -> String {
    format!(
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nnot delivered\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; far.example\r\n\r\n\
         Final-Recipient: rfc822; x@far.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {id}\r\nSubject: returned\r\n\r\nreturned text\r\n\
         --b--\r\n"
    )
}

/// A certificate with issuer and serial number of alice's, for a key that nobody has.
fn twin(cast: &Cast, directory: &Path) -> PathBuf {
    let certificate = shown(&cast.alice.certificate);
    let printed = must_run(
        "openssl",
        &["x509", "-noout", "-serial", "-in", &certificate],
        b"",
    );
    let serial = String::from_utf8(printed)
        .unwrap()
        .trim()
        .replace("serial=", "0x");
    let (path, key) = (directory.join("twin.pem"), directory.join("twin.key"));
    let (out, keyout) = (shown(&path), shown(&key));
    let (ca, ca_key) = (
        shown(&cast.own_authority.certificate),
        shown(&cast.own_authority.key),
    );
    let arguments = [
        "req",
        "-x509",
        "-noenc",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-subj",
        "/CN=twin",
        "-set_serial",
        &serial,
        "-CA",
        &ca,
        "-CAkey",
        &ca_key,
        "-out",
        &out,
        "-keyout",
        &keyout,
    ];
    must_run("openssl", &arguments, b"");
    path
}

/// The journal of the newest mail, once it is settled; it must not be `before`.
fn settled(gateway: &Gateway, before: &str) -> (String, Value) {
    let end = Instant::now() + DELIVERY;
    loop {
        let newest = gateway.json(&["mails", "--limit", "1"]);
        let id = newest[0]["queue_id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if !id.is_empty() && id != before {
            let shown = gateway.json(&["mails", &id]);
            let recipients = shown["recipients"].as_array().unwrap();
            assert_eq!(recipients.len(), 1, "{shown}");
            if recipients[0]["status"] != "waiting" {
                return (id, shown);
            }
        }
        assert!(Instant::now() < end, "not settled: {newest}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What the journal must say where `explain` said this before the mail was opened.
fn once_opened(explained: Trace, shape: Shape) -> Trace {
    match explained {
        Trace::Inbound {
            managed,
            external,
            choice: Some(choice),
            outcome: Some(InboundOutcome::DeliverDecrypted),
            exemption,
            ..
        } if shape == Shape::Unreadable => {
            let content = InboundContent::Unreadable;
            Trace::Inbound {
                managed,
                external,
                outcome: Some(inbound(choice.mode, content)),
                choice: Some(choice),
                content,
                exemption,
            }
        }
        other => other,
    }
}

fn description(cast: &Cast, rules: &str, office: &Sink, internet: &Sink) -> String {
    [
        &head(office.address),
        &mailbox(ALICE, Mailbox::Active, cast),
        &mailbox(BOB, Mailbox::Inactive, cast),
        &mailbox("dora@example.com", Mailbox::Inactive, cast),
        rules,
        &correspondent(cast, CAROL),
        &tail(cast, internet.address),
        "mail-server = true\n",
    ]
    .concat()
}

fn compare(gateway: &Gateway, mail: &Mail, before: &str) -> (String, Trace) {
    let file = shown(&gateway.directory().file("mail.eml", &mail.message));
    let sender = if mail.from.is_empty() {
        "<>"
    } else {
        mail.from
    };
    let mut arguments = vec!["explain", "--from", sender, "--to", mail.to, &file];
    if let Some(direction) = mail.way.told() {
        arguments.extend(["--direction", direction, "--organisation", "example"]);
    }
    let explained: Trace = serde_json::from_value(gateway.json(&arguments)).unwrap();
    let listener = if mail.way.outbound() {
        gateway.outbound
    } else {
        gateway.inbound
    };
    let reply = send(listener, mail.from, &[mail.to], &mail.message);
    let (id, shown) = settled(gateway, before);
    let real: Trace = serde_json::from_value(shown["recipients"][0]["trace"].clone()).unwrap();
    assert_eq!(
        real,
        once_opened(explained, mail.shape),
        "{:?} {:?} from {} to {}: {reply:?}",
        mail.way,
        mail.shape,
        mail.from,
        mail.to
    );
    (id, real)
}

#[test]
fn explain_equals_the_journal_for_100_random_mails() {
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let (office, internet) = (Sink::start(), Sink::start());
    let chance = Chance::seeded(7);
    let plain = description(cast, "", &office, &internet);
    let gateway = Gateway::running("explain", &Options::default(), cast, &plain).unwrap();
    gateway.apply("organisation = \"neighbour\"\n[[routes]]\nname = \"n\"\ndomains = [\"neighbour.example\"]\ntarget = { host = \"127.0.0.1\" }\n");
    let twin = twin(cast, gateway.directory().path());
    let mut maker = Maker {
        cast,
        chance,
        twin,
        sent: Vec::new(),
    };
    let (mut before, mut unreadable, mut outcomes) = (String::new(), 0, BTreeMap::new());
    for number in 0..MAILS {
        if number % MAILS_PER_LIST == 0 {
            let rules = random_rules(&mut maker.chance);
            gateway.apply(&description(cast, &rules, &office, &internet));
        }
        let mail = maker.mail(number);
        let (id, trace) = compare(&gateway, &mail, &before);
        before = id;
        let outcome = match &trace {
            Trace::Inbound {
                content, outcome, ..
            } => {
                unreadable += usize::from(*content == InboundContent::Unreadable);
                format!("in {outcome:?}")
            }
            Trace::Outbound { outcome, .. } => format!("out {outcome:?}"),
        };
        *outcomes.entry(outcome).or_insert(0) += 1;
    }
    println!("{outcomes:#?}");
    assert!(unreadable > 0, "no mail was unreadable");
    assert!(outcomes.len() >= 12, "too few kinds of outcomes");
}

/// The words for people: who decided, who was passed over and why, the facts, the outcome.
#[test]
fn explain_in_words() {
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let (office, internet) = (Sink::start(), Sink::start());
    let rules = "[[rules]]\nmanaged = \"bob@example.com\"\nexternal = \"all\"\noutbound = \"neither\"\n\
        [[rules]]\nmanaged = \"all\"\nexternal = \"far.example\"\ninbound = \"always\"\n\
        [[rules]]\nmanaged = \"all\"\nexternal = \"partner.example\"\ninbound = \"enforce\"\n\
        [[rules]]\nmanaged = \"example.com\"\nexternal = \"all\"\noutbound = \"enforce\"\n";
    let Some(gateway) = Gateway::configured("words", &Options::default(), cast) else {
        return;
    };
    gateway.apply(&description(cast, rules, &office, &internet));
    for (from, to, words) in [
        (
            ALICE,
            STRANGER,
            "\
outbound    from alice@example.com to stranger@elsewhere.example
passed over rule 1: alice@example.com is not in its managed field
passed over rule 2: stranger@elsewhere.example is not in its external field
passed over rule 3: stranger@elsewhere.example is not in its external field
decided by  rule 4: Enforce encryption (enforce)
fact        the sender has a valid certificate
fact        no public key of the recipient is known
fact        the client neither signed nor encrypted the mail
outcome     refused: no public key of the recipient is known
",
        ),
        (
            CAROL,
            ALICE,
            "\
inbound     from carol@partner.example to alice@example.com
passed over rule 1: alice@example.com is not in its managed field
passed over rule 2: carol@partner.example is not in its external field
decided by  rule 3: Enforce decryption (enforce)
fact        the mail is not encrypted
outcome     refused: only encrypted mail is accepted here
",
        ),
        (
            STRANGER,
            BOB,
            "\
inbound     from stranger@elsewhere.example to bob@example.com
passed over rule 1: both fields match, but its mode for this direction is not defined
passed over rule 2: stranger@elsewhere.example is not in its external field
passed over rule 3: stranger@elsewhere.example is not in its external field
passed over rule 4: both fields match, but its mode for this direction is not defined
decided by  the default, since no rule applies: Decrypt optionally (optional)
fact        the mail is not encrypted
outcome     delivered as it came
",
        ),
        (
            ALICE,
            BOB,
            "\
outbound    from alice@example.com to bob@example.com
decided by  no rule: mail within one organisation is not changed
outcome     goes on as it came
",
        ),
    ] {
        let ran = gateway.command(&["explain", "--from", from, "--to", to]);
        assert_eq!(ran.text(), words, "{}", ran.err);
    }
    for (from, to, word) in [
        (CAROL, "nobody@example.com", "550 5.1.1"),
        (CAROL, STRANGER, "nothing to do with"),
        ("<>", ALICE, "give the file"),
    ] {
        let ran = gateway.command(&["explain", "--from", from, "--to", to]);
        assert!(!ran.good && ran.err.contains(word), "{}", ran.err);
    }
}
