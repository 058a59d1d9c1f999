//! Rows X3, X4, X6, X9 and X10 of security.md over SMTP: certificates that must prove nothing or teach nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::Duration;

use e2e::attack::{
    Attempt, CLEAR_PART as PART, attribute, attributes, certificate, clear_signed, head, judge,
    scene, signed, signed_data, signer,
};
use e2e::cast::{ALICE, CAROL, Cast};
use e2e::certificates::{
    LEAF, MAIL, USAGE, Wanted, changed, make, names, rfc822, signed_and_revoked,
};
use e2e::der::{of, plain, sequence};
use e2e::keys::{Identity, KeyKind, PASSWORD, shown, words};
use e2e::mime::{Form, entity, form};
use e2e::openssl::{self, Writing};
use e2e::place::{Directory, skip, workspace};
use e2e::program::{must_run, present, python};
use e2e::scene::{DELIVERY, Scene, rule, send};

fn cast() -> &'static Cast {
    Cast::with(KeyKind::P256)
}

fn start(name: &str) -> Option<Scene> {
    scene(name, KeyKind::P256, &rule("optional", "optional"))
}

const VALID: &[&str] = &["valid"];
const WEAK: &[&str] = &["weak"];
/// What may be said of a certificate that does not count.
const NOTHING: &[&str] = &["untrusted", "weak", "broken", "unsupported", "expired"];

/// Makes an RSA key whose primes are those of the faulty library (CVE-2017-15361, the paper of Nemec and others, section 3):
/// a multiple of the product of the first 126 primes and a power of 65537. Prints an RSAPrivateKey in DER.
const MARKED_KEY: &str = r#"
import random, sys
random.seed(4711)
def is_prime(n):
    if any(n % small == 0 for small in (2, 3, 5, 7, 11, 13)): return False
    odd, twos = n - 1, 0
    while odd % 2 == 0: odd, twos = odd // 2, twos + 1
    for _ in range(12):
        x = pow(random.randrange(2, n), odd, n)
        if x not in (1, n - 1) and not any((x := x * x % n) == n - 1 for _ in range(twos - 1)): return False
    return True
M, found, n = 1, 0, 2
while found < 126:
    if all(n % d for d in range(2, int(n ** 0.5) + 1)): M, found = M * n, found + 1
    n += 1
def prime():
    while True:
        p = random.randrange(3 * 2 ** 1022 // M, 2 ** 1024 // M) * M + pow(65537, random.randrange(2 ** 200), M)
        if is_prime(p): return p
def tlv(tag, data):
    n = len(data)
    size = (n.bit_length() + 7) // 8
    return bytes([tag]) + (bytes([n]) if n < 128 else bytes([0x80 | size]) + n.to_bytes(size, 'big')) + data
p, q = prime(), prime()
d = pow(65537, -1, (p - 1) * (q - 1))
numbers = [0, p * q, 65537, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)]
sys.stdout.buffer.write(tlv(0x30, b''.join(tlv(2, n.to_bytes(n.bit_length() // 8 + 1, 'big')) for n in numbers)))
"#;

/// Options of `openssl req` for a key that lies there already.
fn marked_key(directory: &Path, name: &str) -> String {
    let der = must_run(&python(), &["-c", MARKED_KEY], b"");
    let pem = must_run("openssl", &["rsa", "-inform", "DER"], &der);
    let file = directory.join(format!("{name}.key"));
    std::fs::write(&file, pem).unwrap();
    format!("-key {}", shown(&file))
}

/// Options for a new DSA key.
fn dsa_key(directory: &Path) -> String {
    let file = shown(&directory.join("dsa.params"));
    let arguments = ["dsaparam", "-out", &file, "2048"];
    must_run("openssl", &arguments, b"");
    format!("-newkey dsa:{file}")
}

const AUTHORITY: [&str; 2] = [
    "basicConstraints=critical,CA:true",
    "keyUsage=critical,keyCertSign",
];

/// A mail of carol, signed with a certificate of another authority, which comes along.
fn signed_below(name: &str, by: &Identity, authority: &Identity) -> Attempt {
    let entity = openssl::sign(PART, by, Some(authority), false, Writing::Der);
    let message = [head(name, CAROL).as_bytes(), &entity].concat();
    Attempt {
        message,
        ..Attempt::new(name, b"")
    }
}

/// Whoever is trusted has issued, with a bad digest or to a small key, an authority that issues good certificates.
fn weak_chains(directory: &Path, root: &Identity, leaf: &[&str]) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    let authority = |name: &str, issuer: &Identity, key: &str| {
        let subject = format!("/CN={name}");
        let wanted = Wanted {
            issuer: Some(issuer),
            key,
            subject: &subject,
            extensions: &AUTHORITY,
        };
        make(directory, name, &wanted)
    };
    for (name, issuer, key, expected) in [
        ("chain-sha256", root, "-newkey rsa:2048 -sha256", VALID),
        ("chain-sha1", root, "-newkey rsa:2048 -sha1", WEAK),
        ("chain-md5", root, "-newkey rsa:2048 -md5", WEAK),
        ("chain-small", root, "-newkey rsa:1024 -sha256", WEAK),
        (
            "chain-marked",
            &cast().partner_authority,
            marked_key(directory, "chain-marked").as_str(),
            WEAK,
        ),
    ] {
        let between = authority(name, issuer, key);
        let wanted = Wanted {
            issuer: Some(&between),
            extensions: leaf,
            ..Wanted::default()
        };
        let below = make(directory, &format!("{name}-leaf"), &wanted);
        attempts.push(signed_below(name, &below, &between).signature(expected));
    }
    attempts
}

#[test]
fn x3_weak_keys_and_digests_over_smtp() {
    if !present(&["openssl", "python3"]) {
        return;
    }
    // The partner's authority is on a curve; one with RSA signs with MD5 and SHA-1 too.
    let roots = Directory::new("x3-root");
    let root = Wanted {
        issuer: None,
        key: "-newkey rsa:2048",
        subject: "/CN=RSA-Root",
        extensions: &AUTHORITY,
    };
    let root = make(roots.path(), "root", &root);
    let trusted = format!(
        "[[trust-roots]]\ncertificate = {:?}\n",
        shown(&root.certificate)
    );
    let more = [rule("optional", "optional"), trusted].concat();
    let Some(scene) = scene("attack-x3", KeyKind::P256, &more) else {
        return;
    };
    let directory = scene.gateway.directory().path();
    let alternative = names(vec![rfc822(CAROL)]);
    let usage = "keyUsage=critical,digitalSignature,keyEncipherment";
    let leaf = [LEAF, usage, MAIL, &alternative];
    let made = |name: &str, key: &str| {
        make(
            directory,
            name,
            &Wanted {
                key,
                extensions: &leaf,
                ..Wanted::default()
            },
        )
    };
    let (marked, dsa) = (
        made("marked", &marked_key(directory, "marked")),
        made("dsa", &dsa_key(directory)),
    );
    let small = made("rsa-1024", "-newkey rsa:1024");
    let mut attempts = vec![
        signed("rsa-2048", CAROL, &made("rsa-2048", "-newkey rsa:2048")).signature(VALID),
        signed("rsa-1024", CAROL, &small).signature(WEAK),
        signed("marked", CAROL, &marked).signature(WEAK),
        signed("dsa", CAROL, &dsa).signature(&["weak", "unsupported"]),
        signed("sha1", CAROL, &made("sha1", "-newkey rsa:2048 -sha1")).signature(WEAK),
    ];
    attempts.extend(weak_chains(directory, &root, &leaf));
    let wanted = Wanted {
        issuer: Some(&root),
        key: "-newkey rsa:2048 -md5",
        extensions: &leaf,
        ..Wanted::default()
    };
    attempts.push(signed("md5", CAROL, &make(directory, "md5", &wanted)).signature(WEAK));
    judge(&scene, &attempts);
    huge_modulus(&scene, &made("huge-base", "-newkey rsa:2048"));
    // None of the weak ones was learned, and none is imported.
    let known = scene.gateway.json(&["correspondent", "list"]);
    assert_eq!(known.as_array().map(Vec::len), Some(1), "{known}");
    for (identity, reason) in [(&small, "2048"), (&marked, "ROCA"), (&dsa, "kind")] {
        assert_not_imported(&scene, identity, reason);
    }
}

/// Neither as a correspondent's, for this reason, nor as a mailbox's own.
fn assert_not_imported(scene: &Scene, identity: &Identity, reason: &str) {
    let file = shown(&identity.certificate);
    let ran = scene.gateway.command(&["correspondent", "import", &file]);
    assert!(!ran.good && ran.err.contains(reason), "{file}: {}", ran.err);
    let file = shown(&identity.pkcs12(&cast().partner_authority));
    let upload = ["mailbox", "upload", "--password", PASSWORD, ALICE, &file];
    let ran = scene.gateway.command(&upload);
    assert!(!ran.good && !ran.err.is_empty(), "{file}: {}", ran.text());
}

/// A modulus of 16,384 bits: no key of anybody, but work for who computes with it.
fn huge_modulus(scene: &Scene, own: &Identity) {
    let huge = changed(own, &cast().partner_authority, "huge", |tbs| {
        let mut modulus = vec![0];
        modulus.extend((0..2048_u32).map(|place| u8::try_from(place * 37 % 251).unwrap() | 0x81));
        let key = sequence(vec![plain(2, &modulus), plain(2, &[1, 0, 1])]).der();
        *tbs.at(&[6, 1]) = plain(3, &[&[0][..], &key].concat());
    });
    let mut mail = signed("huge", CAROL, own);
    let mut cms = e2e::attack::cms_of(&openssl::sign(PART, own, None, true, Writing::Der));
    *cms.at(&[1, 0, 3, 0]) = certificate(&huge);
    mail.message = [
        head("huge", CAROL).as_bytes(),
        b"MIME-Version: 1.0\r\n",
        &e2e::attack::pkcs7(&cms, "signed-data"),
    ]
    .concat();
    let before = scene.gateway.work();
    judge(scene, &[mail.signature(NOTHING)]);
    let work = scene.gateway.work().saturating_sub(before);
    assert!(work < Duration::from_secs(1), "{work:?}");
}

/// Extensions, verdict, what `--json` says it may be used for, and why it is not imported if it may not encrypt.
type Purpose = (
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
);

const BOTH: &[&str] = &["sign", "encrypt"];
const PURPOSES: [Purpose; 14] = [
    (&[LEAF, USAGE, MAIL], VALID, BOTH, ""),
    (&[LEAF, USAGE], VALID, BOTH, ""),
    (&[LEAF, MAIL], VALID, BOTH, ""),
    // RFC 5280 section 4.2.1.12 and RFC 8550 section 4.4.4: any purpose is this one too.
    (
        &[LEAF, USAGE, "extendedKeyUsage=anyExtendedKeyUsage"],
        VALID,
        BOTH,
        "",
    ),
    (
        &[
            LEAF,
            USAGE,
            "extendedKeyUsage=serverAuth,anyExtendedKeyUsage",
        ],
        VALID,
        BOTH,
        "",
    ),
    (
        &[
            LEAF,
            USAGE,
            "extendedKeyUsage=critical,serverAuth,emailProtection",
        ],
        VALID,
        BOTH,
        "",
    ),
    (
        &[LEAF, "keyUsage=critical,digitalSignature", MAIL],
        VALID,
        &["sign"],
        "key usage",
    ),
    (
        &[LEAF, "keyUsage=critical,nonRepudiation", MAIL],
        VALID,
        &["sign"],
        "key usage",
    ),
    (
        &[LEAF, USAGE, "extendedKeyUsage=serverAuth"],
        NOTHING,
        &[],
        "e-mail",
    ),
    (
        &[LEAF, USAGE, "extendedKeyUsage=clientAuth,codeSigning"],
        NOTHING,
        &[],
        "e-mail",
    ),
    (
        &[LEAF, "keyUsage=critical,keyAgreement", MAIL],
        NOTHING,
        &["encrypt"],
        "",
    ),
    (
        &[LEAF, "keyUsage=critical,dataEncipherment", MAIL],
        NOTHING,
        &[],
        "key usage",
    ),
    (
        &[
            "basicConstraints=critical,CA:true",
            "keyUsage=critical,keyCertSign,cRLSign",
            MAIL,
        ],
        NOTHING,
        &[],
        "authority",
    ),
    (
        &[
            "basicConstraints=critical,CA:true",
            "keyUsage=critical,keyCertSign,digitalSignature,keyAgreement",
            MAIL,
        ],
        NOTHING,
        &[],
        "authority",
    ),
];

#[test]
fn x4_purposes_over_smtp() {
    let Some(scene) = start("attack-x4") else {
        return;
    };
    let directory = scene.gateway.directory().path();
    let address = |number: usize| format!("dora{number}@partner.example");
    let mut attempts = Vec::new();
    let mut made = Vec::new();
    for (number, (extensions, expected, ..)) in PURPOSES.iter().enumerate() {
        let alternative = names(vec![rfc822(&address(number))]);
        let all = [extensions, &[alternative.as_str()][..]].concat();
        let wanted = Wanted {
            extensions: &all,
            ..Wanted::default()
        };
        let name = format!("x4-{number}");
        let identity = make(directory, &name, &wanted);
        attempts.push(signed(&name, &address(number), &identity).signature(expected));
        made.push(identity);
    }
    judge(&scene, &attempts);
    for (number, (extensions, expected, uses, _)) in PURPOSES.iter().enumerate() {
        told_uses(&scene, &attempts[number], uses);
        let to = address(number);
        let message = format!("From: {ALICE}\r\nTo: {to}\r\nSubject: s\r\n\r\nhello\r\n");
        let reply = send(scene.gateway.outbound, ALICE, &[&to], message.as_bytes());
        assert_eq!(reply.code, 250, "{reply:?}");
        let mails = scene.internet.wait_for(number + 1, DELIVERY);
        let sent = &mails[number].content;
        let learned = *expected == VALID && uses.contains(&"encrypt");
        let expected = if learned {
            Form::Encrypted
        } else {
            Form::Signed
        };
        assert_eq!(form(sent), expected, "{extensions:?}");
        if learned {
            openssl::decrypt(&entity(sent), &made[number]).unwrap();
        }
    }
    // By hand, too, none is taken that may not be used to encrypt, and it is said why.
    for ((extensions, _, uses, reason), identity) in PURPOSES.iter().zip(&made) {
        let file = shown(&identity.certificate);
        let ran = scene.gateway.command(&["correspondent", "import", &file]);
        let wanted = uses.contains(&"encrypt");
        assert_eq!(ran.good, wanted, "{extensions:?}: {}", ran.err);
        assert!(ran.err.contains(reason), "{extensions:?}: {}", ran.err);
    }
}

/// What the command line says a signer's certificate may be used for.
fn told_uses(scene: &Scene, mail: &Attempt, uses: &[&str]) {
    let file = shown(&scene.gateway.directory().file("uses.eml", &mail.message));
    let root = shown(&cast().partner_authority.certificate);
    let arguments = ["smime", "verify", &file, "--roots", &root, "--json"];
    let ran = scene.gateway.command(&arguments);
    let told: serde_json::Value = serde_json::from_slice(&ran.out).unwrap();
    let signer = &told["signers"][0];
    assert_eq!(
        signer["uses"],
        serde_json::json!(uses),
        "{}: {told}",
        mail.name
    );
    let is_valid = signer["verdict"] == "valid";
    assert_eq!(is_valid, mail.signature == VALID, "{}: {told}", mail.name);
    let reason = signer["reason"].as_str().unwrap();
    assert_eq!(reason.is_empty(), is_valid, "{}: {told}", mail.name);
}

/// What must be understood is not.
#[test]
fn x4_an_unknown_critical_extension_over_smtp() {
    let Some(scene) = start("attack-x4-critical") else {
        return;
    };
    let alternative = names(vec![rfc822(CAROL)]);
    let wanted = Wanted {
        extensions: &[
            LEAF,
            USAGE,
            MAIL,
            "1.2.3.4=critical,DER:05:00",
            &alternative,
        ],
        ..Wanted::default()
    };
    let identity = make(scene.gateway.directory().path(), "critical", &wanted);
    judge(
        &scene,
        &[signed("critical", CAROL, &identity).signature(NOTHING)],
    );
    let known = scene.gateway.json(&["correspondent", "list"]);
    assert_eq!(known.as_array().map(Vec::len), Some(0), "{known}");
}

#[test]
fn x6_equal_names_and_other_keys_over_smtp() {
    let Some(scene) = start("attack-x6") else {
        return;
    };
    let directory = scene.gateway.directory().path();
    let alternative = names(vec![rfc822(CAROL)]);
    let leaf = [LEAF, USAGE, MAIL, "subjectKeyIdentifier=hash", &alternative];
    let authority = &cast().partner_authority;
    let one = make(
        directory,
        "one",
        &Wanted {
            extensions: &leaf,
            ..Wanted::default()
        },
    );
    let two = make(
        directory,
        "two",
        &Wanted {
            extensions: &leaf,
            ..Wanted::default()
        },
    );
    let serial = certificate(&one).at(&[0, 1]).clone();
    let twin = changed(&two, authority, "twin", |tbs| {
        *tbs.at(&[1]) = serial.clone()
    });
    let doubled = changed(&two, authority, "doubled", |tbs| {
        let list = tbs.parts().len() - 1;
        let list = tbs.at(&[list, 0]).parts();
        let last = list.last().unwrap().clone();
        list.push(last);
    });
    let attempts = [
        signed("first", CAROL, &one).signature(VALID),
        signed("doubled", CAROL, &doubled).signature(NOTHING),
        signed("twin", CAROL, &twin),
    ];
    judge(&scene, &attempts);
    // By hand it is refused with a reason.
    let ran = scene
        .gateway
        .command(&["correspondent", "import", &shown(&twin.certificate)]);
    assert!(!ran.good, "{}", ran.text());
    assert!(ran.err.contains("serial"), "{}", ran.err);
    let ran = scene
        .gateway
        .command(&["correspondent", "import", &shown(&doubled.certificate)]);
    assert!(!ran.good && ran.err.contains("not a valid"), "{}", ran.err);
    // Mail goes on being encrypted to the first.
    let message = format!("From: {ALICE}\r\nTo: {CAROL}\r\nSubject: s\r\n\r\nhello\r\n");
    assert_eq!(scene.mail_out(message.as_bytes()).code, 250);
    let sent = entity(&scene.at_internet().content);
    openssl::decrypt(&sent, &one).unwrap();
    assert!(openssl::decrypt(&sent, &twin).is_err());
}

/// A mail from this address whose signer is named by its subject key identifier, with its certificate or without, and with
/// others.
fn signed_by_key_id(
    (name, from): (&str, &str),
    signer: &Identity,
    with_own: bool,
    others: Option<&Identity>,
) -> Attempt {
    let mut arguments = words("cms -sign -md sha256 -crlfeol -noindef -keyid");
    for (option, file) in [("-signer", &signer.certificate), ("-inkey", &signer.key)] {
        arguments.extend([option.to_owned(), shown(file)]);
    }
    if !with_own {
        arguments.push("-nocerts".to_owned());
    }
    if let Some(others) = others {
        arguments.extend(["-certfile".to_owned(), shown(&others.certificate)]);
    }
    let entity = openssl::crlf(&must_run("openssl", &arguments, PART));
    let message = [head(name, from).as_bytes(), &entity].concat();
    Attempt {
        message,
        ..Attempt::new(name, b"")
    }
}

/// Others have certificates with carol's subject key identifier and their own keys: nothing of theirs counts as hers.
#[test]
fn x6_equal_key_identifiers_over_smtp() {
    const MALLORY: &str = "mallory@partner.example";
    const OTHER: &[&str] = &["valid-other-address"];
    const NOT_HERS: &[&str] = &["valid-other-address", "broken", "untrusted"];
    let Some(scene) = start("attack-x6-key-id") else {
        return;
    };
    let directory = scene.gateway.directory().path();
    let identifier = format!("subjectKeyIdentifier={}", "5a".repeat(20));
    let made = |name: &str, address: &str, issuer| {
        let alternative = names(vec![rfc822(address)]);
        let extensions = [LEAF, USAGE, MAIL, &identifier, &alternative];
        let wanted = Wanted {
            issuer,
            extensions: &extensions,
            ..Wanted::default()
        };
        make(directory, name, &wanted)
    };
    let authority = Some(&cast().partner_authority);
    let own = made("own", CAROL, authority);
    let mallory = made("mallory", MALLORY, authority);
    let forged = made("forged", CAROL, None);
    let by = |name: &str, signer, with_own, others, expected| {
        signed_by_key_id((name, CAROL), signer, with_own, others).signature(expected)
    };
    let all = |round: &str| {
        let name = |what: &str| format!("{round}-{what}");
        [
            by(&name("alone"), &mallory, true, None, OTHER),
            by(&name("beside"), &mallory, true, Some(&own), NOT_HERS),
            by(&name("instead"), &mallory, false, Some(&own), NOT_HERS),
            by(&name("none"), &mallory, false, None, NOT_HERS),
            by(&name("forged"), &forged, true, None, &["untrusted"]),
            by(&name("forged-beside"), &forged, true, Some(&own), NOT_HERS),
            signed_by_key_id((&name("own-mail"), MALLORY), &mallory, true, None).signature(VALID),
        ]
    };
    // Before anything is known of carol, and after; her own signature counts whoever's certificate comes along.
    judge(&scene, &all("before"));
    let hers = by("hers", &own, true, Some(&mallory), VALID);
    judge(&scene, &[hers]);
    judge(&scene, &all("after"));
    judge(
        &scene,
        &[
            by("hers-again", &own, true, Some(&forged), VALID),
            by("hers-known", &own, false, Some(&mallory), VALID),
        ],
    );
    let known = scene.gateway.json(&["correspondent", "list"]);
    let mut addresses: Vec<_> = known.as_array().unwrap().iter().collect();
    addresses.sort_by_key(|row| row["address"].to_string());
    let addresses: Vec<_> = addresses.iter().map(|row| row["address"].clone()).collect();
    assert_eq!(addresses, [CAROL, MALLORY], "{known}");
    for (count, (to, reader, other)) in [(CAROL, &own, &mallory), (MALLORY, &mallory, &own)]
        .into_iter()
        .enumerate()
    {
        let message = format!("From: {ALICE}\r\nTo: {to}\r\nSubject: s\r\n\r\nhello\r\n");
        let reply = send(scene.gateway.outbound, ALICE, &[to], message.as_bytes());
        assert_eq!(reply.code, 250, "{reply:?}");
        let sent = entity(&scene.internet.wait_for(count + 1, DELIVERY)[count].content);
        openssl::decrypt(&sent, reader).unwrap();
        for stranger in [other, &forged] {
            assert!(openssl::decrypt(&sent, stranger).is_err());
        }
    }
}

/// Certificates for carol that do not count: name, certificate, and what is said of its signatures.
type Poison = (&'static str, Identity, &'static [&'static str]);

fn poison(directory: &Path) -> Vec<Poison> {
    let authority = &cast().partner_authority;
    let alternative = names(vec![rfc822(CAROL)]);
    let leaf = [LEAF, USAGE, MAIL, &alternative];
    let made = |name: &str, issuer| {
        make(
            directory,
            name,
            &Wanted {
                issuer,
                extensions: &leaf,
                ..Wanted::default()
            },
        )
    };
    let moved = |name: &str, from: &str, until: &str| {
        let time = |text: &str| plain(0x17, text.as_bytes());
        changed(
            &made(&format!("{name}-base"), Some(authority)),
            authority,
            name,
            |tbs| {
                *tbs.at(&[4]) = sequence(vec![time(from), time(until)]);
            },
        )
    };
    let usage = "keyUsage=critical,digitalSignature,keyEncipherment";
    let weak = make(
        directory,
        "weak",
        &Wanted {
            key: "-newkey rsa:1024",
            extensions: &[LEAF, usage, MAIL, &alternative],
            ..Wanted::default()
        },
    );
    vec![
        ("self-signed", made("self-signed", None), NOTHING),
        (
            "other-authority",
            made("other-authority", Some(&cast().own_authority)),
            NOTHING,
        ),
        (
            "not-yet",
            moved("not-yet", "400101000000Z", "410101000000Z"),
            NOTHING,
        ),
        (
            "expired",
            moved("expired", "200101000000Z", "210101000000Z"),
            &["expired"][..],
        ),
        ("weak", weak, &["weak"]),
    ]
}

/// Nobody teaches the gateway another key for carol: each mail is followed by one to her, which only she can read.
#[test]
fn x9_poisoned_keys_over_smtp() {
    let Some(scene) = start("attack-x9") else {
        return;
    };
    let directory = scene.gateway.directory().path();
    let mut poison = poison(directory);
    let alternative = names(vec![rfc822(CAROL)]);
    let wanted = Wanted {
        extensions: &[LEAF, USAGE, MAIL, &alternative],
        ..Wanted::default()
    };
    let revoked = make(directory, "revoked", &wanted);
    let mut mails: Vec<_> = poison
        .iter()
        .map(|(name, identity, expected)| signed(name, CAROL, identity).signature(expected))
        .collect();
    let entity_revoked = signed_and_revoked(PART, &revoked);
    mails.push(Attempt::new("revoked", &entity_revoked).signature(&["revoked"]));
    poison.push(("revoked", revoked, &["revoked"]));
    // Another's valid key under carol's From, with a certificate for her slipped in beside.
    let slipped = |by, other, name: &str| {
        let entity = openssl::sign(PART, by, Some(other), false, Writing::Der);
        Attempt::new(name, &entity)
    };
    let (carol, stranger) = (&cast().carol, &cast().stranger);
    mails.push(slipped(stranger, &poison[0].1, "slipped").signature(&["valid-other-address"]));
    let message = format!("From: {ALICE}\r\nTo: {CAROL}\r\nSubject: s\r\n\r\nhello\r\n");
    let mut count = 0;
    let mut sent = || {
        assert_eq!(scene.mail_out(message.as_bytes()).code, 250);
        count += 1;
        scene.internet.wait_for(count, DELIVERY)[count - 1]
            .content
            .clone()
    };
    let known = || scene.gateway.json(&["correspondent", "list"]);
    for mail in &mails {
        judge(&scene, std::slice::from_ref(mail));
        assert_eq!(form(&sent()), Form::Signed, "{}", mail.name);
    }
    assert_eq!(known().as_array().map(Vec::len), Some(0), "{}", known());
    // A good key is learned, whatever comes along, and is not overwritten by any of them.
    judge(
        &scene,
        &[slipped(carol, &poison[1].1, "own-slipped").signature(VALID)],
    );
    for mail in mails {
        let name = format!("again-{}", mail.name);
        let text = String::from_utf8(mail.message).unwrap();
        let message = text
            .replace(&format!("<{}@", mail.name), &format!("<{name}@"))
            .into_bytes();
        let mail = Attempt {
            name,
            message,
            ..mail
        };
        judge(&scene, std::slice::from_ref(&mail));
        let sent = entity(&sent());
        openssl::decrypt(&sent, carol).unwrap();
        for (name, identity, _) in &poison {
            let opened = openssl::decrypt(&sent, identity);
            assert!(opened.is_err(), "{name} after {}", mail.name);
        }
    }
    assert_eq!(known().as_array().map(Vec::len), Some(1), "{}", known());
}

/// A certificate of dora for one purpose.
fn dora(directory: &Path, name: &str, usage: &str) -> Identity {
    let usage = format!("keyUsage=critical,{usage}");
    let alternative = names(vec![rfc822(DORA)]);
    let wanted = Wanted {
        extensions: &[LEAF, &usage, MAIL, &alternative],
        ..Wanted::default()
    };
    make(directory, name, &wanted)
}

const DORA: &str = "dora@partner.example";

/// Dora signs with one key and has two to be written to: the one she asks for is used (RFC 8551 section 2.5.3), and never
/// the one she signs with.
#[test]
fn x10_the_key_that_is_asked_for_over_smtp() {
    // SMIMEEncryptionKeyPreference
    const PREFERENCE: &str = "1.2.840.113549.1.9.16.2.11";
    let Some(scene) = start("attack-x10") else {
        return;
    };
    let directory = scene.gateway.directory().path();
    let signing = dora(directory, "signing", "digitalSignature");
    let first = dora(directory, "first", "keyAgreement");
    let second = dora(directory, "second", "keyAgreement");
    let mut own = certificate(&second);
    let names_second = vec![own.at(&[0, 3]).clone(), own.at(&[0, 1]).clone()];
    let mut list = attributes(PART);
    list.push(attribute(PREFERENCE, vec![of(0xa0, names_second)]));
    let info = signer(&signing, Some(list), PART);
    let cms = signed_data(None, &[&first, &signing, &second], vec![info]);
    let message = [
        head("x10", DORA).as_bytes(),
        b"MIME-Version: 1.0\r\n",
        &clear_signed(PART, &cms),
    ]
    .concat();
    let mail = Attempt {
        message,
        ..Attempt::new("x10", b"")
    };
    judge(&scene, &[mail.signature(VALID)]);
    let message = format!("From: {ALICE}\r\nTo: {DORA}\r\nSubject: s\r\n\r\nhello\r\n");
    let reply = send(scene.gateway.outbound, ALICE, &[DORA], message.as_bytes());
    assert_eq!(reply.code, 250, "{reply:?}");
    let sent = entity(&scene.at_internet().content);
    openssl::decrypt(&sent, &second).unwrap();
    for other in [&signing, &first] {
        assert!(openssl::decrypt(&sent, other).is_err());
    }
}

/// Alice and Bob of RFC 9216 have two RSA pairs each: their encryption certificates come along and are used.
#[test]
fn x10_the_pairs_of_rfc_9216_over_smtp() {
    let corpus = workspace().join("../shared/corpus/rfc9216");
    if !corpus.is_dir() {
        return skip(&format!("no test data in {}", corpus.display()));
    }
    let file = |name: &str| corpus.join(name);
    let root = format!(
        "[[trust-roots]]\ncertificate = {:?}\n",
        shown(&file("ca.rsa.crt"))
    );
    let more = [rule("optional", "optional"), root].concat();
    let Some(scene) = scene("attack-x10-rfc9216", KeyKind::P256, &more) else {
        return;
    };
    let pair = |name: &str, usage: &str| Identity {
        certificate: file(&format!("{name}.{usage}.crt")),
        key: file(&format!("{name}.{usage}.key")),
    };
    for (count, name) in ["alice", "bob"].into_iter().enumerate() {
        let (sign, encrypt) = (pair(name, "sign"), pair(name, "encrypt"));
        let address = format!("{name}@smime.example");
        let mut arguments = words("cms -sign -crlfeol -noindef");
        for (option, file) in [
            ("-signer", &sign.certificate),
            ("-inkey", &sign.key),
            ("-certfile", &encrypt.certificate),
        ] {
            arguments.extend([option.to_owned(), shown(file)]);
        }
        let entity_signed = openssl::crlf(&must_run("openssl", &arguments, PART));
        let mail = Attempt {
            message: [head(name, &address).as_bytes(), &entity_signed].concat(),
            ..Attempt::new(name, b"")
        };
        judge(&scene, &[mail.signature(VALID)]);
        let message = format!("From: {ALICE}\r\nTo: {address}\r\nSubject: s\r\n\r\nhello\r\n");
        let reply = send(
            scene.gateway.outbound,
            ALICE,
            &[&address],
            message.as_bytes(),
        );
        assert_eq!(reply.code, 250, "{reply:?}");
        let sent = entity(&scene.internet.wait_for(count + 1, DELIVERY)[count].content);
        assert_eq!(form(&sent), Form::Encrypted, "{name}");
        openssl::decrypt(&sent, &encrypt).unwrap();
        assert!(openssl::decrypt(&sent, &sign).is_err(), "{name}");
    }
}
