//! Row C10 of security.md over SMTP: what cannot be decrypted looks the same to everybody, whatever is wrong with it. The encrypted
//! keys are made by Python's own arithmetic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::thread;

use e2e::attack::cms_of;
use e2e::cast::{ALICE, Cast};
use e2e::client::Session;
use e2e::der::{Node, oid, plain};
use e2e::dns::{Dns, Record};
use e2e::gateway::{Options, program};
use e2e::interop::wrap::{pkcs7_mime, unbase64};
use e2e::keys::{KeyKind, shown};
use e2e::mime::find;
use e2e::openssl::{self, Writing};
use e2e::program::{must_run, present, python};
use e2e::scene::Scene;
use e2e::sink::Received;

const RSA: KeyKind = KeyKind::Rsa(2048);
/// Mails of each class that row C10 names, and of each class of bad content.
const EACH: usize = 200;
/// Good padding around a wrong key; a bad second octet; no zero octet; a key of the wrong length; a second RecipientInfo as a
/// probe; a zero octet too early; then, with the right key: bad padding of the content, no MIME inside, a bad tag, and
/// content that was cut off.
const CLASSES: usize = 10;
/// Mails in one session: fewer than any server ends a session for.
const PER_SESSION: usize = 100;

/// Makes encrypted keys for RSAES-PKCS1-v1_5 (RFC 8017 section 7.2.1) and puts them into CMS objects. In: JSON of modulus,
/// how many of each class, and for each class its patterns, a CMS object with 256 octets `0xc1` (and `0xc2`) in place of
/// encrypted keys and the right key in it. Prints a line of class and CMS object for each.
const MAKE: &str = r#"
import base64, json, secrets, sys
given = json.load(sys.stdin)
n, count = int(given['modulus'], 16), given['count']
size = (n.bit_length() + 7) // 8
def filled(length):
    return bytes(secrets.choice(range(1, 256)) for _ in range(length))
def block(key, head=b'\0\2'):
    return head + filled(size - 3 - len(key)) + b'\0' + key
def bad(number):
    return [b'\0\1', b'\0\3', b'\0\0', b'\0\xff', b'\1\2', b'\x80\2'][number % 6]
def sealed(one):
    return pow(int.from_bytes(one, 'big') % n, 65537, n).to_bytes(size, 'big')
def blocks(kind, number, right):
    wrong = secrets.token_bytes(32)
    if kind == 0: return [block(wrong)]
    if kind == 1: return [block(wrong, bad(number))]
    if kind == 2: return [b'\0\2' + filled(size - 2)]
    if kind == 3: return [block(secrets.token_bytes([0, 1, 16, 24, 31, 33, 64, 128][number % 8]))]
    if kind == 4: return [block(wrong), [block(right), block(wrong, bad(number)), block(secrets.token_bytes(32)), bytes(size)][number % 4]]
    if kind == 5: return [b'\0\2' + filled(number % 8) + b'\0' + filled(size - 3 - number % 8)]
    return [block(right)]
for kind, patterns in enumerate(given['patterns']):
    for number in range(count):
        cms, right = patterns[number % len(patterns)]
        cms = base64.b64decode(cms)
        for mark, one in zip(b'\xc1\xc2', blocks(kind, number, bytes.fromhex(right))):
            assert cms.count(bytes([mark]) * size) == 1
            cms = cms.replace(bytes([mark]) * size, sealed(one))
        print(kind, base64.b64encode(cms).decode())
"#;

/// A CMS object without its encrypted key, and the key it is encrypted with in hexadecimal digits.
struct Pattern {
    cms: Node,
    key: String,
}

/// Where the content's octets stand in EnvelopedData and AuthEnvelopedData.
const CONTENT: [usize; 4] = [1, 0, 2, 2];
const INFOS: [usize; 3] = [1, 0, 1];
const INNOCENT: &str = "Content-Type: text/plain\r\n\r\nnine green bottles\r\n";

impl Pattern {
    fn new(text: &str, cipher: &str) -> Self {
        let alice = &Cast::with(RSA).alice;
        let to = [alice.certificate.as_path()];
        let mut cms = cms_of(&openssl::encrypt(
            text.as_bytes(),
            &to,
            cipher,
            Writing::Der,
        ));
        let wrapped = cms.at(&[1, 0, 1, 0, 3]);
        let arguments = ["pkeyutl", "-decrypt", "-inkey", &shown(&alice.key)];
        let key = must_run("openssl", &arguments, wrapped.octets());
        assert_eq!(key.len(), 32);
        *wrapped = plain(4, &[0xc1; 256]);
        let key = key.iter().map(|octet| format!("{octet:02x}")).collect();
        Self { cms, key }
    }

    fn changed(&self, change: impl Fn(&mut Node)) -> Self {
        let (mut cms, key) = (self.cms.clone(), self.key.clone());
        change(&mut cms);
        Self { cms, key }
    }

    fn json(&self) -> serde_json::Value {
        let base64 = e2e::interop::wrap::base64_line(&self.cms.der());
        serde_json::json!([base64, self.key])
    }
}

/// The patterns of each class.
fn patterns() -> [Vec<Pattern>; CLASSES] {
    let whole = Pattern::new(INNOCENT, "aes-256-cbc");
    let authenticated = Pattern::new(INNOCENT, "aes-256-gcm");
    let same = || vec![whole.changed(|_| {})];
    let probed = whole.changed(|cms| {
        let infos = cms.at(&INFOS).parts();
        let mut second = infos[0].clone();
        *second.at(&[3]) = plain(4, &[0xc2; 256]);
        infos.push(second);
    });
    let length = whole.cms.clone().at(&CONTENT).octets().len();
    // The octet before the last block that turns the last octet of the padding, and others of that block.
    let padding = |back: usize| {
        whole.changed(|cms| {
            let text = cms.at(&CONTENT).octets();
            text[length - 17] ^= 0x80;
            text[length - 17 - back] ^= 0x55;
        })
    };
    let no_mime = [
        "these words are no header",
        "Content-Type\r\n\r\nhello\r\n",
        "Content-Type: text/plain\r\nno field\r\n\r\nhello\r\n",
        " Content-Type: text/plain\r\n\r\nhello\r\n",
        "\u{feff}Content-Type: text/plain\r\n\r\nhello\r\n",
    ];
    let no_mime = no_mime.map(|text| Pattern::new(text, "aes-256-cbc"));
    // What one in 65,536 wrong keys gives: a sound padding, and LF as the first octet. Made by the IV.
    let first_is_lf = |octets: usize| {
        whole.changed(|cms| {
            let iv = cms.at(&[1, 0, 2, 1, 1]).octets();
            for (octet, known) in iv.iter_mut().zip(INNOCENT.bytes()).take(octets) {
                *octet ^= known ^ b'\n';
            }
        })
    };
    let cut = |left: usize| whole.changed(|cms| cms.at(&CONTENT).octets().truncate(left));
    let tag = authenticated.cms.clone().at(&[1, 0]).parts().len() - 1;
    [
        same(),
        same(),
        same(),
        same(),
        vec![probed],
        same(),
        (1..=8).map(padding).collect(),
        no_mime.into_iter().chain([1, 2].map(first_is_lf)).collect(),
        vec![
            authenticated.changed(|cms| cms.at(&[1, 0, tag]).octets()[7] ^= 1),
            authenticated.changed(|cms| cms.at(&[1, 0, tag]).octets()[15] ^= 0x80),
            authenticated.changed(|cms| cms.at(&CONTENT).octets()[20] ^= 1),
            authenticated.changed(|cms| cms.at(&CONTENT).octets().truncate(30)),
        ],
        [0, 1, 15, 16, 17, 32, length - 16, length - 1]
            .map(cut)
            .into(),
    ]
}

/// The entities of each class, all in the same words.
fn entities(cast: &Cast) -> Vec<(usize, Vec<u8>)> {
    let key = shown(&cast.alice.key);
    let modulus = must_run("openssl", &["rsa", "-in", &key, "-noout", "-modulus"], b"");
    let modulus = String::from_utf8(modulus).unwrap();
    let patterns: Vec<Vec<_>> = patterns()
        .iter()
        .map(|all| all.iter().map(Pattern::json).collect())
        .collect();
    let input = serde_json::json!({
        "modulus": modulus.trim().trim_start_matches("Modulus="),
        "count": EACH,
        "patterns": patterns,
    });
    let lines = must_run(&python(), &["-c", MAKE], input.to_string().as_bytes());
    let lines = String::from_utf8(lines).unwrap();
    let entity = |line: &str| {
        let (class, cms) = line.split_once(' ').unwrap();
        let cms = unbase64(cms.as_bytes()).unwrap();
        (class.parse().unwrap(), pkcs7_mime(&cms, "enveloped-data"))
    };
    lines.lines().map(entity).collect()
}

/// What a date spells out: some mails may go in before midnight, and others after it.
const NAMES_IN_DATES: [&str; 19] = [
    "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Jan", "Feb", "Mar", "Apr", "May", "Jun",
    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The text without what differs from mail to mail: every name of a day or month counts as a digit, and every run of
/// hexadecimal digits is one sign.
fn normalised(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text).into_owned();
    let text = NAMES_IN_DATES
        .iter()
        .fold(text, |text, name| text.replace(name, "0"));
    let mut out = String::new();
    for letter in text.chars() {
        if !letter.is_ascii_hexdigit() {
            out.push(letter);
        } else if !out.ends_with('#') {
            out.push('#');
        }
    }
    out
}

/// What becomes of a third of each class: told to the sender, held because nothing proves the sender, delivered as it came.
const DOMAINS: [&str; 3] = ["proven.example", "silent.example", "other.example"];

/// Who sends: class and number in digits alone, always as many.
fn sender(class: usize, number: usize) -> String {
    format!("s{class}{number:04}@{}", DOMAINS[number % DOMAINS.len()])
}

fn class_of(address: &str) -> usize {
    address[1..2].parse().unwrap()
}

/// How many mails of all classes go one of the three ways.
fn expected(way: usize) -> usize {
    CLASSES
        * (0..EACH)
            .filter(|number| number % DOMAINS.len() == way)
            .count()
}

/// What was seen of each class, without what differs from mail to mail.
#[derive(Default)]
struct Seen(BTreeMap<usize, BTreeMap<String, usize>>);

impl Seen {
    fn add(&mut self, class: usize, text: &[u8]) {
        let texts = self.0.entry(class).or_default();
        *texts.entry(normalised(text)).or_default() += 1;
    }

    /// Every class shows the same texts, as often.
    fn assert_alike(&self, what: &str) {
        assert_eq!(self.0.len(), CLASSES, "{what}: {:?}", self.0.keys());
        let mut told = String::new();
        for (class, all) in &self.0 {
            if all != &self.0[&0] {
                writeln!(told, "class {class}: {all:#?}").unwrap();
            }
        }
        let first = &self.0[&0];
        assert!(told.is_empty(), "{what} differ: {first:#?}\n{told}");
    }

    fn only(&self) -> &str {
        assert_eq!(self.0[&0].len(), 1, "{:#?}", self.0[&0]);
        self.0[&0].first_key_value().unwrap().0
    }
}

fn start(name: &str, dns: &Dns) -> Scene {
    let policy = "v=spf1 ip4:127.0.0.1 -all";
    dns.add("proven.example", Record::Text(policy.into()));
    let options = Options {
        dns: dns.address.to_string(),
        ..Options::default()
    };
    let rules = "[[rules]]\nmanaged = \"all\"\nexternal = \"proven.example, silent.example\"\ninbound = \"always\"\n\
                 [[rules]]\nmanaged = \"all\"\nexternal = \"all\"\ninbound = \"optional\"\n";
    Scene::new(name, &options, Cast::with(RSA), rules).unwrap()
}

fn message(from: &str, entity: &[u8]) -> Vec<u8> {
    let head = format!(
        "From: {from}\r\nTo: {ALICE}\r\nSubject: s\r\nMessage-ID: <{from}>\r\nMIME-Version: 1.0\r\n"
    );
    [head.as_bytes(), entity].concat()
}

/// Hands all in, some at the same time, and gives the replies in their order.
fn hand_in(scene: &Scene, mails: &[(String, Vec<u8>)]) -> Vec<e2e::client::Reply> {
    let session = |mails: &[(String, Vec<u8>)]| {
        let mut session = Session::connect(scene.gateway.inbound).unwrap();
        session.command("EHLO client.example").unwrap();
        let mail = |(from, message): &(String, Vec<u8>)| session.mail(from, &[ALICE], message);
        mails
            .iter()
            .map(mail)
            .map(Result::unwrap)
            .collect::<Vec<_>>()
    };
    let session = &session;
    thread::scope(|scope| {
        let side =
            |mails: Vec<_>| scope.spawn(move || mails.into_iter().map(session).collect::<Vec<_>>());
        let sessions: Vec<_> = mails.chunks(PER_SESSION).collect();
        let (first, second) = sessions.split_at(sessions.len() / 2);
        let sides = [side(first.to_vec()), side(second.to_vec())];
        let replies = sides.map(|side| side.join().unwrap()).concat();
        replies.concat()
    })
}

#[test]
fn c10_every_failure_looks_the_same_over_smtp() {
    if program().is_none() || !present(&["openssl", "python3"]) {
        return;
    }
    let dns = Dns::start();
    let mut scene = start("attack-c10", &dns);
    let mut counts = [0; CLASSES];
    let mails: Vec<_> = entities(Cast::with(RSA))
        .into_iter()
        .map(|(class, entity)| {
            let from = sender(class, counts[class]);
            counts[class] += 1;
            let message = message(&from, &entity);
            (from, message)
        })
        .collect();
    assert_eq!(counts, [EACH; CLASSES]);
    let mut replies = Seen::default();
    for ((from, _), reply) in mails.iter().zip(hand_in(&scene, &mails)) {
        assert_eq!(reply.code, 250, "{from}: {reply:?}");
        replies.add(class_of(from), reply.text.as_bytes());
    }
    replies.assert_alike("replies");
    replies.only();
    scene.internet.wait_for(expected(0), e2e::scene::DELIVERY);
    scene.office.wait_for(expected(2), e2e::scene::DELIVERY);
    scene.gateway.drained();
    reports(&scene);
    held(&scene);
    delivered(&scene, &mails.into_iter().collect());
    // Its log is whole then.
    assert!(scene.gateway.stop());
    overview_and_log(&scene);
}

/// Every sender who is proven gets one report, all with the same words.
fn reports(scene: &Scene) {
    let all = scene.internet.received();
    let mut seen = Seen::default();
    let mut told: Vec<_> = all.iter().flat_map(Received::addresses).collect();
    for report in &all {
        seen.add(class_of(report.addresses()[0]), &report.content);
    }
    told.sort_unstable();
    told.dedup();
    assert!(told.iter().all(|one| one.ends_with(DOMAINS[0])));
    assert_eq!((told.len(), all.len()), (expected(0), expected(0)));
    seen.assert_alike("reports");
    seen.only();
}

/// What nobody may be told of is held, all for the same reason.
fn held(scene: &Scene) {
    let rows = scene.gateway.queue(true);
    assert_eq!(rows.len(), expected(1));
    let mut seen = Seen::default();
    for mut row in rows {
        let from = row["from"].as_str().unwrap_or_default().to_owned();
        assert!(from.ends_with(DOMAINS[1]), "{row}");
        assert_eq!(row["note"], "sender-not-proven", "{row}");
        row["size"] = 0.into();
        seen.add(class_of(&from), row.to_string().as_bytes());
    }
    seen.assert_alike("held mail");
}

/// What stays closed arrives as it came, and its header says the same.
fn delivered(scene: &Scene, handed_in: &BTreeMap<String, Vec<u8>>) {
    let all = scene.office.received();
    assert_eq!(all.len(), expected(2));
    let mut seen = Seen::default();
    for mail in &all {
        let original = &handed_in[&mail.from];
        let above = mail.content.strip_suffix(&original[..]);
        let above = above.unwrap_or_else(|| panic!("{} was changed", mail.from));
        seen.add(class_of(&mail.from), above);
    }
    seen.assert_alike("delivered headers");
    let told = normalised(b"X-Sealgate-Result: signature=none; encryption=failed");
    assert!(seen.only().contains(&told), "{}", seen.only());
}

/// The overview, the explanation of some mails of each class and way, and the log.
fn overview_and_log(scene: &Scene) {
    let arguments = ["mails", "--direction", "inbound", "--limit", "5000"];
    let rows = scene.gateway.json(&arguments);
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), CLASSES * EACH);
    let log = scene.gateway.log();
    let mut by_mail: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in log.lines() {
        if let Some((_, rest)) = line.split_once(" mail=\"") {
            let (id, _) = rest.split_once('"').unwrap();
            by_mail.entry(id).or_default().push(&line[28..]);
        }
    }
    let (mut overview, mut explained, mut logged) =
        (Seen::default(), Seen::default(), Seen::default());
    let mut shown = BTreeSet::new();
    for row in rows {
        let from = row["envelope_from"].as_str().unwrap();
        let (class, way) = (class_of(from), from.split('@').nth(1).unwrap());
        overview.add(class, row.to_string().as_bytes());
        let id = row["queue_id"].as_str().unwrap();
        if shown.insert((class, way)) {
            let line = scene.gateway.json(&["mails", id]);
            let recipients = line["recipients"].to_string();
            assert!(recipients.contains("\"failed\""), "{line}");
            explained.add(class, recipients.as_bytes());
        }
        // Lines of one mail may be written in another order.
        let lines: BTreeSet<_> = by_mail[id]
            .iter()
            .map(|line| normalised(line.as_bytes()))
            .collect();
        logged.add(class, format!("{way} {lines:?}").as_bytes());
    }
    overview.assert_alike("overview");
    explained.assert_alike("explanations");
    logged.assert_alike("log");
}

/// Ways to change a captured mail without its encrypted key.
fn variant(captured: &Node, number: usize) -> Node {
    let mut cms = captured.clone();
    let by = u8::try_from(number % 255).unwrap() + 1;
    let text = cms.at(&CONTENT).octets();
    let (blocks, place) = (text.len() / 16, number % text.len());
    match number % 10 {
        0 => cms.at(&[1, 0, 2, 1, 1]).octets()[number / 10 % 16] ^= by,
        1 | 2 => text[place] ^= by,
        3 => text.truncate(16 * (number / 10 % blocks)),
        4 => text.truncate(place),
        5 => text.extend([by; 16]),
        6 => text.rotate_left(16 * (1 + number / 10 % (blocks - 1))),
        7 => {
            let from = 16 * (1 + number / 10 % (blocks - 1));
            text.copy_within(from..from + 16, 0);
        }
        // AES-128, AES-192 and AES-256 in GCM: a key of another length, and another reading of the parameters.
        8 => *cms.at(&[1, 0, 2, 1, 0]) = oid(CIPHERS[number / 10 % CIPHERS.len()]),
        // A probe behind, with another key.
        _ => {
            let infos = cms.at(&INFOS).parts();
            let mut second = infos[0].clone();
            second.at(&[3]).octets()[place % 256] ^= by;
            infos.push(second);
            cms.at(&CONTENT).octets()[place] ^= by;
        }
    }
    cms
}

const CIPHERS: [&str; 3] = [
    "2.16.840.1.101.3.4.1.2",
    "2.16.840.1.101.3.4.1.22",
    "2.16.840.1.101.3.4.1.46",
];

/// A captured mail is changed in two hundred ways and handed in by two hundred senders, many at the same time: one of them at
/// most is told that it could not be decrypted.
#[test]
fn c10_variants_of_a_captured_mail_are_reported_once_over_smtp() {
    const VARIANTS: usize = 200;
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let dns = Dns::start();
    let scene = start("attack-c10-variants", &dns);
    let to = [Cast::with(RSA).alice.certificate.as_path()];
    let text = INNOCENT.replace("nine", &"ninety-nine ".repeat(20));
    let captured = cms_of(&openssl::encrypt(
        text.as_bytes(),
        &to,
        "aes-256-cbc",
        Writing::Der,
    ));
    let mails: Vec<_> = (0..VARIANTS)
        .map(|number| {
            let from = format!("v{number:04}@{}", DOMAINS[0]);
            let cms = variant(&captured, number);
            assert_ne!(cms, captured, "{number}");
            let message = message(&from, &pkcs7_mime(&cms.der(), "enveloped-data"));
            (from, message)
        })
        .collect();
    for reply in hand_in(&scene, &mails) {
        assert_eq!(reply.code, 250, "{reply:?}");
    }
    scene.gateway.drained();
    let (told, opened) = (scene.internet.received(), scene.office.received());
    let held = scene.gateway.queue(true);
    assert!(
        held.iter().all(|row| row["note"] == "repeated-key"),
        "{held:#?}"
    );
    assert!(told.len() <= 1, "{} were told", told.len());
    assert_eq!(told.len() + held.len() + opened.len(), VARIANTS);
    assert!(held.len() > VARIANTS / 2, "only {} failed", held.len());
    for mail in opened {
        assert!(find(&mail.content, b"encryption=decrypted").is_some());
    }
}
