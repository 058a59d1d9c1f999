//! Rows C17 to C20 of security.md over SMTP: mails made to cost time and memory. Each is answered in its time, the process lives,
//! and the next mail is delivered as ever.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use e2e::attack::{
    Attempt, attributes, certificate, clear_signed, cms_of, judge, pkcs7, scene, signed_data,
    signer, verdicts,
};
use e2e::cast::{ALICE, CAROL, Cast};
use e2e::client::Reply;
use e2e::der::plain;
use e2e::keys::KeyKind;
use e2e::mime::entity;
use e2e::openssl::{self, Writing};
use e2e::program::{must_run, present, python};
use e2e::scene::{DELIVERY, Scene, rule, send};

const PART: &[u8] = b"Content-Type: text/plain\r\n\r\nhello\r\n";
/// On two busy cores, and with a program built for tests, a second of work may take this long.
const BUSY: u32 = 4;

fn cast() -> &'static Cast {
    Cast::with(KeyKind::P256)
}

fn start(name: &str) -> Option<Scene> {
    scene(name, KeyKind::P256, &rule("optional", "neither"))
}

/// User and system time of a process so far.
fn cpu(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(')').unwrap();
    let times = rest.split_whitespace().skip(11).take(2);
    // Ticks of a hundredth of a second, as on every Linux in use.
    times
        .map(|ticks| Duration::from_millis(10 * ticks.parse::<u64>().unwrap()))
        .sum()
}

/// A line of `/proc/PROCESS/status` in KiB.
fn memory(process: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Hands a mail in and waits until all is done; gives the reply and the work it took.
fn work(scene: &Scene, message: &[u8]) -> (Reply, Duration) {
    let process = scene.gateway.process();
    let before = cpu(process);
    let reply = send(scene.gateway.inbound, CAROL, &[ALICE], message);
    scene.gateway.drained();
    (reply, cpu(process).saturating_sub(before))
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
            assert!(took < Duration::from_secs(2) * BUSY, "{name}: {took:?}");
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
        assert!(took < Duration::from_secs(1) * BUSY, "{name}: {took:?}");
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

/// Work grows with the size and no faster.
#[test]
fn c20_linear_work_over_smtp() {
    let Some(scene) = start("attack-c20") else {
        return;
    };
    type Generator = fn(usize) -> Vec<u8>;
    let generators: [(&str, usize, Generator); 6] = [
        ("parts", 2_000, |n| {
            let part = "--w\r\n\r\nx\r\n".repeat(n);
            format!("Content-Type: multipart/mixed; boundary=w\r\n\r\n{part}--w--\r\n").into_bytes()
        }),
        ("fields", 2_000, |n| {
            let lines = "X-A: b\r\n".repeat(n);
            format!("{lines}Content-Type: text/plain\r\n\r\nx\r\n").into_bytes()
        }),
        ("folded", 6_000, |n| {
            let lines = " aaaa\r\n".repeat(n);
            format!("X-A: b\r\n{lines}Content-Type: text/plain\r\n\r\nx\r\n").into_bytes()
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
        ("comments", 20_000, |n| {
            let mut field = "Cc: ".to_owned();
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
    for (name, n, generator) in generators {
        let mut took = Vec::new();
        for factor in [1, 2, 4] {
            let message = Attempt::new(&format!("{name}-{factor}"), &generator(n * factor)).message;
            let began = Instant::now();
            let (reply, work) = work(&scene, &message);
            assert!(reply.code == 250 || reply.code >= 500, "{name}: {reply:?}");
            assert!(began.elapsed() < DELIVERY);
            took.push(work);
        }
        // What is below the noise of other mails and of the clock says nothing.
        let noise = Duration::from_millis(150);
        assert!(
            took[2] < took[0].mul_f64(2.5 * 2.5) + noise,
            "{name}: {took:?}"
        );
        assert!(took[2] < Duration::from_secs(1) * BUSY, "{name}: {took:?}");
    }
    assert_alive(&scene, "after");
}
