//! Row C10 of security.md over SMTP: what cannot be decrypted looks the same to everybody, whatever is wrong with it. The encrypted
//! keys are made by Python's own arithmetic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use e2e::attack::{cms_of, pkcs7};
use e2e::cast::{ALICE, Cast};
use e2e::der::{Node, plain};
use e2e::dns::{Dns, Record};
use e2e::gateway::{Options, program};
use e2e::keys::{KeyKind, shown};
use e2e::mime::split;
use e2e::openssl::{self, Writing};
use e2e::program::{must_run, present, python};
use e2e::scene::{Scene, send};
use e2e::sink::Received;

/// Mails of each class; half of them by senders who may be told, half by others.
const EACH: usize = 60;
const CLASSES: usize = 7;

/// Blocks for RSAES-PKCS1-v1_5 (RFC 8017 section 7.2.1), one line each: class and the encrypted octets of one or two.
/// Arguments: modulus, how many of each class.
const BLOCKS: &str = r#"
import secrets, sys
n, count = int(sys.argv[1], 16), int(sys.argv[2])
size = (n.bit_length() + 7) // 8
def filled(length):
    return bytes(secrets.choice(range(1, 256)) for _ in range(length))
def block(key, head=b'\0\2'):
    return head + filled(size - 3 - len(key)) + b'\0' + key
def out(kind, *blocks):
    print(kind, *[pow(int.from_bytes(one, 'big'), 65537, n).to_bytes(size, 'big').hex() for one in blocks])
for number in range(count):
    key = secrets.token_bytes(32)
    out(0, block(key))
    out(1, block(key, [b'\0\1', b'\0\3', b'\0\0', b'\0\xff'][number % 4]))
    out(2, b'\0\2' + filled(size - 2))
    out(3, block(secrets.token_bytes([0, 1, 16, 24, 31, 33, 64, 128][number % 8])))
    out(4, block(key), block(key, b'\0\1'))
    out(5, b'\0\2' + filled(number % 8) + b'\0' + filled(size - 3 - number % 8))
"#;

/// The CMS objects of each class; the last one has a good key and damaged content.
fn objects(cast: &Cast) -> Vec<(usize, Node)> {
    let key = shown(&cast.alice.key);
    let modulus = must_run("openssl", &["rsa", "-in", &key, "-noout", "-modulus"], b"");
    let modulus = String::from_utf8(modulus).unwrap();
    let modulus = modulus.trim().trim_start_matches("Modulus=");
    let each = EACH.to_string();
    let lines = must_run(&python(), &["-c", BLOCKS, modulus, &each], b"");
    let whole = || {
        let to = [cast.alice.certificate.as_path()];
        let text = b"Content-Type: text/plain\r\n\r\nnine green bottles\r\n";
        cms_of(&openssl::encrypt(text, &to, "aes-256-cbc", Writing::Der))
    };
    let pattern = whole();
    let lines = String::from_utf8(lines).unwrap();
    let mut all: Vec<_> = lines
        .lines()
        .map(|line| {
            let mut words = line.split(' ');
            let class = words.next().unwrap().parse().unwrap();
            let mut cms = pattern.clone();
            let infos = cms.at(&[1, 0, 1]).parts();
            let one = infos.remove(0);
            for block in words {
                let mut info = one.clone();
                *info.at(&[3]) = plain(4, &octets(block));
                infos.push(info);
            }
            (class, cms)
        })
        .collect();
    for _ in 0..EACH {
        let mut cms = whole();
        let text = cms.at(&[1, 0, 2, 2]).octets();
        let at = text.len() - 17;
        text[at] ^= 0x80;
        all.push((CLASSES - 1, cms));
    }
    all
}

fn octets(hex: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(pair).collect()
}

/// The text without what differs from mail to mail: every run of hexadecimal digits is one sign.
fn normalised(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
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

/// Who sends: class and number in digits alone, always as many.
fn sender(class: usize, number: usize, proven: bool) -> String {
    let domain = if proven {
        "proven.example"
    } else {
        "silent.example"
    };
    format!("s{class}{number:04}@{domain}")
}

fn class_of(address: &str) -> usize {
    address[1..2].parse().unwrap()
}

/// What was seen of each class, without what differs from mail to mail.
type Seen = BTreeMap<usize, BTreeSet<String>>;

fn assert_alike(what: &str, seen: &Seen) {
    assert_eq!(seen.len(), CLASSES, "{what}: {:?}", seen.keys());
    let mut told = String::new();
    for (class, all) in seen {
        if all != &seen[&0] {
            writeln!(told, "class {class}: {all:#?}").unwrap();
        }
    }
    assert!(
        told.is_empty(),
        "{what} differ: class 0: {:#?}\n{told}",
        seen[&0]
    );
}

fn add(seen: &mut Seen, class: usize, text: &[u8]) {
    seen.entry(class).or_default().insert(normalised(text));
}

fn scene(cast: &Cast, dns: &Dns) -> Option<Scene> {
    dns.add(
        "proven.example",
        Record::Text("v=spf1 ip4:127.0.0.1 -all".into()),
    );
    let options = Options {
        dns: dns.address.to_string(),
        ..Options::default()
    };
    let rules = "[[rules]]\nmanaged = \"all\"\nexternal = \"proven.example\"\ninbound = \"always\"\n\
                 [[rules]]\nmanaged = \"all\"\nexternal = \"all\"\ninbound = \"optional\"\n";
    Scene::new("attack-c10", &options, cast, rules)
}

#[test]
fn c10_every_failure_looks_the_same_over_smtp() {
    if program().is_none() || !present(&["openssl", "python3"]) {
        return;
    }
    let (cast, dns) = (Cast::with(KeyKind::Rsa(2048)), Dns::start());
    let scene = scene(cast, &dns).unwrap();
    let mut replies = Seen::new();
    let mut counts = [0; CLASSES];
    let mut handed_in = BTreeMap::new();
    for (class, cms) in objects(cast) {
        counts[class] += 1;
        let from = sender(class, counts[class], counts[class] % 2 == 0);
        let head = format!(
            "From: {from}\r\nTo: {ALICE}\r\nSubject: s\r\nMessage-ID: <{from}>\r\nMIME-Version: 1.0\r\n"
        );
        let message = [head.as_bytes(), &pkcs7(&cms, "enveloped-data")].concat();
        let reply = send(scene.gateway.inbound, &from, &[ALICE], &message);
        assert_eq!(reply.code, 250, "{reply:?}");
        add(&mut replies, class, reply.text.as_bytes());
        handed_in.insert(from, message);
    }
    assert_eq!(counts, [EACH; CLASSES]);
    scene.gateway.drained();
    assert_alike("replies", &replies);
    reports(&scene);
    delivered(&scene, &handed_in);
    journal_and_log(&scene);
}

/// Every sender who is proven gets a report, all with the same words.
fn reports(scene: &Scene) {
    let all = scene.internet.received();
    let mut seen = Seen::new();
    let mut told: Vec<_> = all.iter().flat_map(Received::addresses).collect();
    for report in &all {
        let class = class_of(report.addresses()[0]);
        add(&mut seen, class, &report.content);
    }
    told.sort_unstable();
    told.dedup();
    assert_eq!(
        (told.len(), all.len()),
        (CLASSES * EACH / 2, CLASSES * EACH / 2)
    );
    assert_alike("reports", &seen);
    assert_eq!(seen[&0].len(), 1, "{:#?}", seen[&0]);
}

/// What stays closed arrives as it came, and its header says the same.
fn delivered(scene: &Scene, handed_in: &BTreeMap<String, Vec<u8>>) {
    let all = scene.office.received();
    assert_eq!(all.len(), CLASSES * EACH / 2);
    let mut seen = Seen::new();
    for mail in &all {
        let (header, body) = split(&mail.content);
        let (_, original) = split(&handed_in[&mail.from]);
        assert!(body == original, "{}", mail.from);
        add(&mut seen, class_of(&mail.from), header);
    }
    assert_alike("delivered headers", &seen);
    let header = seen[&0].first().unwrap();
    let told = normalised(b"X-Sealgate-Result: signature=none; encryption=failed");
    assert!(header.contains(&told), "{header}");
}

/// The overview, the explanation of one mail of each class, and the log.
fn journal_and_log(scene: &Scene) {
    let rows = scene
        .gateway
        .json(&["mails", "--direction", "inbound", "--limit", "1000"]);
    let log = scene.gateway.log();
    let mut by_mail: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in log.lines() {
        if let Some((_, rest)) = line.split_once(" mail=\"") {
            let (id, _) = rest.split_once('"').unwrap();
            by_mail.entry(id).or_default().push(&line[28..]);
        }
    }
    let (mut overview, mut explained, mut logged) = (Seen::new(), Seen::new(), Seen::new());
    for row in rows.as_array().unwrap() {
        let class = class_of(row["envelope_from"].as_str().unwrap());
        add(&mut overview, class, row.to_string().as_bytes());
        let id = row["queue_id"].as_str().unwrap();
        let known = explained.get(&class).map_or(0, BTreeSet::len);
        if known < 2 {
            let line = scene.gateway.json(&["mails", id]);
            add(
                &mut explained,
                class,
                line["recipients"].to_string().as_bytes(),
            );
        }
        for line in &by_mail[id] {
            add(&mut logged, class, line.as_bytes());
        }
    }
    assert_alike("overview", &overview);
    assert_alike("explanations", &explained);
    assert_alike("log", &logged);
}
