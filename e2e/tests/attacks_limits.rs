//! Rows C17 to C20 and X2 of security.md over SMTP: mails made to cost time and memory. Each is answered in its time, the process lives,
//! and the next mail is delivered as ever.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use e2e::attack::{
    Attempt, attributes, certificate, clear_signed, cms_of, judge, pkcs7, scene, signed_data,
    signer, verdicts,
};
use e2e::cast::{ALICE, CAROL, Cast};
use e2e::certificates::rfc822;
use e2e::client::Reply;
use e2e::der::{Node, plain, sequence};
use e2e::gateway::{Options, program};
use e2e::interop::wrap::unbase64;
use e2e::keys::{Identity, KeyKind};
use e2e::mime::entity;
use e2e::openssl::{self, Writing};
use e2e::program::{must_run, present, python};
use e2e::scene::{Scene, rule, send};

const PART: &[u8] = b"Content-Type: text/plain\r\n\r\nhello\r\n";
/// On two busy cores, and with a program built for tests, a second of work may take this long.
const BUSY: u32 = 2;

fn cast() -> &'static Cast {
    Cast::with(KeyKind::P256)
}

fn start(name: &str) -> Option<Scene> {
    scene(name, KeyKind::P256, &rule("optional", "neither"))
}

/// A line of `/proc/PROCESS/status` in KiB.
fn memory(process: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Hands a mail in and waits until all is done; gives the reply and the work it took.
fn work(scene: &Scene, message: &[u8]) -> (Reply, Duration) {
    let before = scene.gateway.work();
    let reply = send(scene.gateway.inbound, CAROL, &[ALICE], message);
    scene.gateway.drained();
    (reply, scene.gateway.work().saturating_sub(before))
}

/// The gateway lives and judges as ever.
fn assert_alive(scene: &Scene, name: &str) {
    let signed = openssl::sign(PART, &cast().carol, None, false, Writing::Der);
    judge(scene, &[Attempt::new(name, &signed).signature(&["valid"])]);
}

/// Zeros compressed as often as `layers` says, in CompressedData (RFC 3274). Arguments: octets, layers.
const BOMB: &str = r#"
import base64, sys, zlib
def tlv(tag, data):
    n = len(data)
    head = bytes([n]) if n < 128 else bytes([0x80 | (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, 'big')
    return bytes([tag]) + head + data
def oid(arcs):
    out = bytes([arcs[0] * 40 + arcs[1]])
    for arc in arcs[2:]:
        part = [arc & 127]
        while arc > 127:
            arc >>= 7
            part.append(128 | arc & 127)
        out += bytes(reversed(part))
    return tlv(6, out)
pkcs9 = [1, 2, 840, 113549, 1, 9, 16]
def whole(data):
    inner = tlv(0x30, oid([1, 2, 840, 113549, 1, 7, 1]) + tlv(0xa0, tlv(4, data)))
    body = tlv(0x30, tlv(2, b'\0') + tlv(0x30, oid(pkcs9 + [3, 8])) + inner)
    return tlv(0x30, oid(pkcs9 + [1, 9]) + tlv(0xa0, body))
def entity(cms):
    return b'Content-Type: application/pkcs7-mime; smime-type=compressed-data; name=smime.p7z\r\nContent-Transfer-Encoding: base64\r\n\r\n' + base64.encodebytes(cms).replace(b'\n', b'\r\n')
packer = zlib.compressobj(9)
data = packer.compress(b'Content-Type: text/plain\r\n\r\n')
block = bytes(1 << 20)
for _ in range(int(sys.argv[1]) >> 20):
    data += packer.compress(block)
data += packer.flush()
out = entity(whole(data))
for _ in range(int(sys.argv[2]) - 1):
    out = entity(whole(zlib.compress(out, 9)))
sys.stdout.buffer.write(out)
"#;

#[test]
fn c17_bombs_over_smtp() {
    if !present(&["python3"]) {
        return;
    }
    let Some(scene) = start("attack-c17") else {
        return;
    };
    assert_alive(&scene, "before");
    let process = scene.gateway.process();
    let before = memory(process, "VmRSS:");
    for (name, octets, layers) in [("one", 1_u64 << 30, "1"), ("three", 1 << 28, "3")] {
        let bomb = must_run(&python(), &["-c", BOMB, &octets.to_string(), layers], b"");
        let to = [cast().alice.certificate.as_path()];
        let sealed = openssl::encrypt(&bomb, &to, "aes-256-cbc", Writing::Stream);
        for (way, entity) in [("plain", bomb), ("encrypted", entity(&sealed))] {
            let name = format!("bomb-{way}-{name}");
            let attempt = Attempt::new(&name, &entity);
            let (reply, took) = work(&scene, &attempt.message);
            assert_eq!(reply.code, 250, "{reply:?}");
            println!("{name}: {took:?}");
            assert!(took < Duration::from_secs(2), "{name}: {took:?}");
            let arrived = e2e::attack::arrived(&scene, &name);
            let unfolded =
                arrived.is_some_and(|mail| mail.content.len() > 3 * entity.len() + 10_000);
            assert!(!unfolded, "{name}");
        }
    }
    let grown = memory(process, "VmHWM:").saturating_sub(before);
    assert!(grown < 150 * 1024, "{grown} KiB");
    assert_alive(&scene, "after");
}

/// Text of so many octets that unfolds about `ratio` times, in CompressedData, encrypted by nobody. Arguments: octets, octets
/// of noise in each 64 KiB.
const TEXT: &str = r#"
import base64, random, sys
random.seed(1)
octets, noise = int(sys.argv[1]), int(sys.argv[2])
def block():
    text = base64.b64encode(random.randbytes(noise * 3 // 4)).decode()
    text = '\r\n'.join(text[at:at + 70] for at in range(0, len(text), 70)) + '\r\n'
    return (text + ('a' * 70 + '\r\n') * 1000)[:65534].encode() + b'\r\n'
data = packer.compress(b'Content-Type: text/plain\r\n\r\n')
for _ in range(octets >> 16):
    data += packer.compress(block())
sys.stdout.buffer.write(entity(whole(data + packer.flush())))
"#;

/// What is unfolded is at most ten times the largest mail, never more than 100 MiB, and no more than 200 times what was
/// compressed. What goes beyond stays closed, and what stays below is opened.
#[test]
fn c17_caps_of_what_is_unfolded_over_smtp() {
    const MIB: u64 = 1 << 20;
    // Of 64 KiB, 512 octets are noise: about 90 times; 2 KiB: about 30 times; none: 900 times.
    const DENSE: &str = "2048";
    const THIN: &str = "512";
    if program().is_none() || !present(&["openssl", "python3"]) {
        return;
    }
    for (name, size_limit, cases) in [
        (
            "small",
            MIB,
            &[
                (8, THIN, true),
                (12, THIN, false),
                (9, DENSE, true),
                (11, DENSE, false),
                (2, "0", false),
            ][..],
        ),
        (
            "large",
            50 * MIB,
            &[(12, THIN, true), (12, "0", false), (112, THIN, false)],
        ),
    ] {
        let options = Options {
            size_limit,
            ..Options::default()
        };
        let rules = rule("optional", "neither");
        let scene = Scene::new(&format!("attack-c17-{name}"), &options, cast(), &rules).unwrap();
        let (tools, _) = BOMB.split_once("packer = ").unwrap();
        let script = format!("{tools}packer = zlib.compressobj(9)\n{TEXT}");
        for &(size, noise, opens) in cases {
            let octets = (size * MIB).to_string();
            let packed = must_run(&python(), &["-c", &script, &octets, noise], b"");
            let to = [cast().alice.certificate.as_path()];
            let sealed = openssl::encrypt(&packed, &to, "aes-256-cbc", Writing::Stream);
            let id = format!("{name}-{size}-{noise}");
            let attempt = Attempt::new(&id, &entity(&sealed));
            assert!((attempt.message.len() as u64) < size_limit, "{id}");
            let (reply, took) = work(&scene, &attempt.message);
            assert_eq!(reply.code, 250, "{id}: {reply:?}");
            let arrived = e2e::attack::arrived(&scene, &id).unwrap().content;
            let (_, encryption) = verdicts(&arrived);
            if opens {
                assert_eq!(encryption, "decrypted", "{id}");
                assert!(arrived.len() as u64 > size * MIB, "{id}: {}", arrived.len());
            } else {
                assert_eq!(encryption, "failed", "{id}");
                assert!(arrived.ends_with(&attempt.message), "{id}");
                assert!(took < Duration::from_secs(2) * BUSY, "{id}: {took:?}");
            }
        }
        assert_alive(&scene, "after");
    }
}

#[test]
fn c18_deep_nesting_over_smtp() {
    let Some(scene) = start("attack-c18") else {
        return;
    };
    let mut mails = Vec::new();
    // Twenty layers of opaque signatures, and of encryption in signatures.
    let (mut signed, mut both) = (PART.to_vec(), PART.to_vec());
    let to = [cast().alice.certificate.as_path()];
    for layer in 0..20 {
        signed = openssl::sign(&signed, &cast().carol, None, true, Writing::Der);
        both = if layer % 2 == 0 {
            openssl::encrypt(&both, &to, "aes-256-cbc", Writing::Der)
        } else {
            openssl::sign(&both, &cast().carol, None, true, Writing::Der)
        };
        if layer == 7 {
            mails.push(("signed-8", signed.clone(), true));
        }
    }
    mails.push(("signed-20", signed, false));
    mails.push(("both-20", both, false));
    // Indefinite lengths without end.
    for (name, tag) in [("sequences", 0x30_u8), ("strings", 0x24), ("tags", 0xa0)] {
        let head = [
            0x30, 0x80, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2, 0xa0, 0x80,
        ];
        let deep = [&head[..], &[tag, 0x80].repeat(100_000)].concat();
        mails.push((name, e2e::nss::pkcs7_mime(&deep, "signed-data"), false));
        mails.push((name, e2e::nss::pkcs7_mime(&deep, "enveloped-data"), false));
    }
    // Multiparts in multiparts, with and without something signed at the bottom.
    for inner in [
        PART.to_vec(),
        clear_signed(PART, &signed_data(None, &[], vec![])),
    ] {
        let mut tree = Vec::new();
        for level in 0..10_000 {
            tree.extend(
                format!(
                    "Content-Type: multipart/mixed; boundary=\"b{level}\"\r\n\r\n--b{level}\r\n"
                )
                .into_bytes(),
            );
        }
        tree.extend(inner);
        mails.push(("multiparts", tree, false));
    }
    for (number, (name, entity, good)) in mails.iter().enumerate() {
        let id = format!("{name}-{number}");
        let attempt = Attempt::new(&id, entity);
        let (reply, took) = work(&scene, &attempt.message);
        assert!(reply.code == 250 || reply.code >= 500, "{id}: {reply:?}");
        println!("{id}: {took:?}");
        assert!(took < Duration::from_secs(1) * BUSY, "{id}: {took:?}");
        if let Some(mail) = e2e::attack::arrived(&scene, &id) {
            let (signature, _) = verdicts(&mail.content);
            assert_eq!(signature == "valid", *good, "{id}: {signature}");
        }
    }
    assert_alive(&scene, "after");
}

#[test]
fn c19_many_pieces_over_smtp() {
    let Some(scene) = start("attack-c19") else {
        return;
    };
    let to = [cast().alice.certificate.as_path()];
    let whole = cms_of(&openssl::encrypt(PART, &to, "aes-256-cbc", Writing::Der));
    let recipients = |count: usize, others: usize| {
        let mut cms = whole.clone();
        let infos = cms.at(&[1, 0, 1]).parts();
        let own = infos[0].clone();
        let stranger = [cast().stranger.certificate.as_path()];
        let other = cms_of(&openssl::encrypt(
            PART,
            &stranger,
            "aes-256-cbc",
            Writing::Der,
        ))
        .at(&[1, 0, 1, 0])
        .clone();
        *infos = vec![other; others];
        infos.extend(vec![own; count]);
        pkcs7(&cms, "enveloped-data")
    };
    let carol = &cast().carol;
    let one = signer(carol, Some(attributes(PART)), PART);
    let signers =
        |count: usize| clear_signed(PART, &signed_data(None, &[carol], vec![one.clone(); count]));
    let certificates = |count: u32| {
        let mut cms = signed_data(None, &[], vec![one.clone()]);
        let own = certificate(carol);
        let list = cms.at(&[1, 0, 3]).parts();
        for number in 0..count {
            let mut other = own.clone();
            *other.at(&[0, 1]) = plain(2, &[&[1][..], &number.to_be_bytes()].concat());
            list.push(other);
        }
        list.push(own);
        clear_signed(PART, &cms)
    };
    let decrypted = &["decrypted"][..];
    let attempts = [
        (
            "recipients-500",
            recipients(1, 499),
            Some(("none", decrypted)),
        ),
        (
            "recipients-10000",
            recipients(1, 9_999),
            Some(("none", &["refused", "failed", "no-key"])),
        ),
        (
            "own-recipients-500",
            recipients(500, 0),
            Some(("none", decrypted)),
        ),
        ("signers-16", signers(16), Some(("valid", &["none"]))),
        ("signers-10000", signers(10_000), None),
        (
            "certificates-199",
            certificates(199),
            Some(("valid", &["none"])),
        ),
        ("certificates-10000", certificates(10_000), None),
    ];
    for (name, entity, expected) in attempts {
        let attempt = Attempt::new(name, &entity);
        let (reply, took) = work(&scene, &attempt.message);
        assert!(reply.code == 250 || reply.code >= 500, "{name}: {reply:?}");
        println!("{name}: {took:?}");
        assert!(took < Duration::from_secs(1), "{name}: {took:?}");
        let Some(mail) = e2e::attack::arrived(&scene, name) else {
            assert!(reply.code >= 500, "{name}: neither refused nor delivered");
            continue;
        };
        let (signature, encryption) = verdicts(&mail.content);
        match expected {
            Some((word, allowed)) => {
                assert!(
                    signature == word && allowed.contains(&encryption.as_str()),
                    "{name}: {signature} {encryption}"
                );
            }
            None => assert!(
                signature != "valid" && signature != "none",
                "{name}: {signature}"
            ),
        }
    }
    assert_alive(&scene, "after");
}

type Generator = fn(usize) -> Vec<u8>;

fn parts(n: usize) -> Vec<u8> {
    let part = "--w\r\n\r\nx\r\n".repeat(n);
    format!("Content-Type: multipart/mixed; boundary=w\r\n\r\n{part}--w--\r\n").into_bytes()
}

fn fields(n: usize) -> Vec<u8> {
    let lines = "X-A: b\r\n".repeat(n);
    format!("{lines}Content-Type: text/plain\r\n\r\nx\r\n").into_bytes()
}

/// What row C20 names, each with the smallest of three sizes; the largest is four times as much. What the limits let in, and as
/// much as the row says: a million header lines and parts, 10,000 continuations, 100,000 comments.
const GENERATORS: [(&str, usize, Generator); 9] = [
    ("parts", 2_500, parts),
    ("million-parts", 250_000, parts),
    ("fields", 30_000, fields),
    ("million-fields", 250_000, fields),
    ("folded", 30_000, |n| {
        let lines = " aaaa\r\n".repeat(n);
        format!("X-A: b\r\n{lines}Content-Type: text/plain\r\n\r\nx\r\n").into_bytes()
    }),
    ("one-line", 25_000, |n| {
        let line = "a ".repeat(n / 2);
        format!("X-A: {line}\r\nContent-Type: text/plain\r\n\r\nx\r\n").into_bytes()
    }),
    ("almost-boundaries", 20_000, |n| {
        let almost = format!("--{}\r\n", "b".repeat(69)).repeat(n);
        format!(
            "Content-Type: multipart/mixed; boundary={}\r\n\r\n{almost}\r\n",
            "b".repeat(70)
        )
        .into_bytes()
    }),
    ("continuations", 2_500, |n| {
        let all: String = (0..n).map(|at| format!(";\r\n name*{at}=x")).collect();
        format!("Content-Type: text/plain{all}\r\n\r\nx\r\n").into_bytes()
    }),
    ("comments", 25_000, |n| {
        let mut field = "From: ".to_owned();
        for open in [true, false] {
            for count in 0..n {
                field.push(if open { '(' } else { ')' });
                if count % 60 == 59 {
                    field.push_str("\r\n ");
                }
            }
        }
        format!("{field}x@x.example\r\nContent-Type: text/plain\r\n\r\nx\r\n").into_bytes()
    }),
];

/// Twice the input takes less than two and a half times the work, what every mail takes apart: other mails and the clock only
/// make it more, so that the least of several runs counts.
#[test]
fn c20_linear_work_over_smtp() {
    const TRIES: usize = 6;
    // The clock counts hundredths of a second.
    const NOISE: Duration = Duration::from_millis(40);
    let Some(scene) = start("attack-c20") else {
        return;
    };
    let work_of = |name: &str, entity: &[u8]| {
        let message = match name.starts_with("comments") {
            true => [b"Message-ID: <c@attack.example>\r\n", entity].concat(),
            false => Attempt::new(name, entity).message,
        };
        let (reply, work) = work(&scene, &message);
        assert!(reply.code == 250 || reply.code >= 500, "{name}: {reply:?}");
        work
    };
    let idle = (0..3).map(|_| work_of("idle", PART)).min().unwrap();
    for (name, n, generator) in GENERATORS {
        let mut least = [Duration::MAX; 3];
        let is_linear = |least: &[Duration; 3]| {
            let over = least.map(|work| work.saturating_sub(idle));
            let grows = |from: Duration, to: Duration| to < from.mul_f64(2.5) + NOISE;
            grows(over[0], over[1]) && grows(over[1], over[2])
        };
        for _ in 0..TRIES {
            for (least, factor) in least.iter_mut().zip([1, 2, 4]) {
                *least = work_of(name, &generator(n * factor)).min(*least);
            }
            if is_linear(&least) {
                break;
            }
        }
        println!("{name}: {least:?}");
        assert!(
            is_linear(&least),
            "{name}: {least:?}, a mail takes {idle:?}"
        );
    }
    assert_alive(&scene, "after");
}

/// Authorities that have certified each other in all orders, by P-256 with one nonce: the keys protect nothing. The first
/// certificate is of carol, issued by the first of them. Arguments: how many, carol's public key and alternative name in
/// hexadecimal digits.
const CROSSED: &str = r#"
import base64, hashlib, sys
p, n = 2**256 - 2**224 + 2**192 + 2**96 - 1, 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296, 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)
def add(P, Q):
    if P is None or Q is None: return P or Q
    (x1, y1), (x2, y2) = P, Q
    if x1 == x2 and (y1 + y2) % p == 0: return None
    m = (3 * x1 * x1 - 3) * pow(2 * y1, -1, p) if P == Q else (y2 - y1) * pow(x2 - x1, -1, p)
    x = (m * m - x1 - x2) % p
    return x, (m * (x1 - x) - y1) % p
def times(k):
    out, P = None, G
    while k:
        if k & 1: out = add(out, P)
        P, k = add(P, P), k >> 1
    return out
def tlv(tag, *parts):
    data = b''.join(parts)
    size = (len(data).bit_length() + 7) // 8
    return bytes([tag]) + (bytes([len(data)]) if len(data) < 128 else bytes([0x80 | size]) + len(data).to_bytes(size, 'big')) + data
def number(value):
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, 'big'))
def oid(hexed):
    return tlv(6, bytes.fromhex(hexed))
def name(at):
    return tlv(0x30, tlv(0x31, tlv(0x30, oid('550403'), tlv(12, b'Crossed %d' % at))))
nonce = 0x1234567890abcdef1234567890abcdef
r, inverse = times(nonce)[0] % n, pow(nonce, -1, n)
ECDSA = tlv(0x30, oid('2a8648ce3d040302'))
serials = iter(range(1000, 100000))
def certificate(issuer, subject, key, extensions):
    tbs = tlv(0x30, tlv(0xa0, number(2)), number(next(serials)), ECDSA, name(issuer), tlv(0x30, tlv(0x17, b'250101000000Z'), tlv(0x17, b'491231000000Z')),
              subject, key, tlv(0xa3, tlv(0x30, *extensions)))
    s = inverse * (int.from_bytes(hashlib.sha256(tbs).digest(), 'big') + r * secrets[issuer]) % n
    return tlv(0x30, tbs, ECDSA, tlv(3, b'\0', tlv(0x30, number(r), number(s))))
count = int(sys.argv[1])
secrets = [1000003 * (at + 1) for at in range(count)]
def public(secret):
    x, y = times(secret)
    return tlv(0x30, tlv(0x30, oid('2a8648ce3d0201'), oid('2a8648ce3d030107')), tlv(3, b'\0\4', x.to_bytes(32, 'big'), y.to_bytes(32, 'big')))
keys = [public(secret) for secret in secrets]
authority = [tlv(0x30, oid('551d13'), tlv(1, b'\xff'), tlv(4, tlv(0x30, tlv(1, b'\xff')))), tlv(0x30, oid('551d0f'), tlv(1, b'\xff'), tlv(4, tlv(3, b'\2\4')))]
leaf = [tlv(0x30, oid('551d11'), tlv(4, bytes.fromhex(sys.argv[3])))]
made = [certificate(0, tlv(0x30), bytes.fromhex(sys.argv[2]), leaf)]
made += [certificate(i, name(j), keys[j], authority) for i in range(count) for j in range(count) if i != j]
for one in made:
    print(base64.b64encode(one).decode())
"#;

/// Sixty authorities that certified each other, and as many as fit into a mail: every order of them is a path that ends
/// nowhere. The search gives up in time.
#[test]
fn x2_cross_signed_authorities_over_smtp() {
    if !present(&["python3"]) {
        return;
    }
    let Some(scene) = start("attack-x2") else {
        return;
    };
    assert_alive(&scene, "before");
    let directory = scene.gateway.directory().path();
    let carol = e2e::keys::mailbox(directory, &cast().partner_authority, CAROL, KeyKind::P256);
    let hex = |octets: Vec<u8>| {
        octets
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect::<String>()
    };
    let key = hex(certificate(&carol).at(&[0, 6]).der());
    let alternative = hex(sequence(vec![rfc822(CAROL)]).der());
    // 3,540 certificates, more than are read of a mail; 182, fewer.
    for count in ["60", "14"] {
        let arguments = ["-c", CROSSED, count, &key, &alternative];
        let lines = String::from_utf8(must_run(&python(), &arguments, b"")).unwrap();
        let crossed: Vec<_> = lines
            .lines()
            .map(|line| Node::read(&unbase64(line.as_bytes()).unwrap()))
            .collect();
        let pem = must_run("openssl", &["x509", "-inform", "DER"], &crossed[0].der());
        let own = Identity {
            certificate: scene.gateway.directory().file("crossed.pem", pem),
            key: carol.key.clone(),
        };
        for place in ["first", "last"] {
            let info = signer(&own, Some(attributes(PART)), PART);
            let mut cms = signed_data(None, &[], vec![info]);
            let sent = cms.at(&[1, 0, 3]).parts();
            sent.extend(crossed.clone());
            if place == "last" {
                sent.reverse();
            }
            let name = format!("crossed-{count}-{place}");
            let attempt = Attempt::new(&name, &clear_signed(PART, &cms));
            let (reply, took) = work(&scene, &attempt.message);
            println!("{name}: {took:?}");
            assert_eq!(reply.code, 250, "{name}: {reply:?}");
            assert!(took < Duration::from_secs(2), "{name}: {took:?}");
            let mail = e2e::attack::arrived(&scene, &name).unwrap();
            let (signature, _) = verdicts(&mail.content);
            let not_good = ["untrusted", "broken", "unsupported"];
            assert!(
                not_good.contains(&signature.as_str()),
                "{name}: {signature}"
            );
        }
    }
    assert_alive(&scene, "after");
}
