//! Rows X3, X4, X6 and X9 of security.md over SMTP: certificates that must prove nothing or teach nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::{Duration, Instant};

use e2e::attack::{Attempt, CLEAR_PART as PART, certificate, head, judge, scene, signed};
use e2e::cast::{ALICE, CAROL, Cast};
use e2e::certificates::{LEAF, MAIL, USAGE, Wanted, changed, make, names, rfc822};
use e2e::der::{plain, sequence};
use e2e::keys::{Identity, KeyKind, shown};
use e2e::mime::{Form, entity, form};
use e2e::openssl::{self, Writing};
use e2e::scene::{DELIVERY, Scene, rule, send};

fn cast() -> &'static Cast {
    Cast::with(KeyKind::P256)
}

fn start(name: &str) -> Option<Scene> {
    scene(name, KeyKind::P256, &rule("optional", "optional"))
}

const VALID: &[&str] = &["valid"];
/// What may be said of a certificate that does not count.
const NOTHING: &[&str] = &["untrusted", "weak", "broken", "unsupported", "expired"];

#[test]
fn x3_weak_keys_and_digests_over_smtp() {
    let Some(scene) = start("attack-x3") else {
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
    let mut attempts = vec![
        signed("rsa-2048", CAROL, &made("rsa-2048", "-newkey rsa:2048")).signature(VALID),
        signed("rsa-1024", CAROL, &made("rsa-1024", "-newkey rsa:1024")).signature(&["weak"]),
        signed("sha1", CAROL, &made("sha1", "-newkey rsa:2048 -sha1")).signature(&["weak"]),
    ];
    // An authority of the sender's own below the trusted one, with a small key.
    let authority = [
        "basicConstraints=critical,CA:true",
        "keyUsage=critical,keyCertSign",
    ];
    let small = Wanted {
        key: "-newkey rsa:1024",
        subject: "/CN=Small",
        extensions: &authority,
        ..Wanted::default()
    };
    let small = make(directory, "small", &small);
    let below = make(
        directory,
        "below",
        &Wanted {
            issuer: Some(&small),
            extensions: &leaf,
            ..Wanted::default()
        },
    );
    let entity = openssl::sign(PART, &below, Some(&small), false, Writing::Der);
    let message = [head("small-authority", CAROL).as_bytes(), &entity].concat();
    attempts.push(
        Attempt {
            message,
            ..Attempt::new("small-authority", b"")
        }
        .signature(&["weak", "untrusted"]),
    );
    judge(&scene, &attempts);
    huge_modulus(&scene, &made("huge-base", "-newkey rsa:2048"));
    // None of the weak ones was learned.
    let known = scene.gateway.json(&["correspondent", "list"]);
    assert_eq!(known.as_array().map(Vec::len), Some(1), "{known}");
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
    let began = Instant::now();
    judge(scene, &[mail.signature(NOTHING)]);
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn x4_purposes_over_smtp() {
    let Some(scene) = start("attack-x4") else {
        return;
    };
    let directory = scene.gateway.directory().path();
    let address = |number: usize| format!("dora{number}@partner.example");
    // Extensions, verdict, whether mail is encrypted to it afterwards.
    let table: [(&[&str], &[&str], bool); 11] = [
        (&[LEAF, USAGE, MAIL], VALID, true),
        (&[LEAF, USAGE], VALID, true),
        (
            &[LEAF, USAGE, "extendedKeyUsage=anyExtendedKeyUsage"],
            &["valid", "untrusted"],
            false,
        ),
        (
            &[LEAF, "keyUsage=critical,digitalSignature", MAIL],
            VALID,
            false,
        ),
        (
            &[LEAF, "keyUsage=critical,nonRepudiation", MAIL],
            VALID,
            false,
        ),
        (
            &[LEAF, USAGE, "extendedKeyUsage=serverAuth"],
            NOTHING,
            false,
        ),
        (
            &[LEAF, USAGE, "extendedKeyUsage=clientAuth,codeSigning"],
            NOTHING,
            false,
        ),
        (
            &[LEAF, "keyUsage=critical,keyAgreement", MAIL],
            NOTHING,
            false,
        ),
        (
            &[LEAF, "keyUsage=critical,dataEncipherment", MAIL],
            NOTHING,
            false,
        ),
        (
            &[
                "basicConstraints=critical,CA:true",
                "keyUsage=critical,keyCertSign,cRLSign",
                MAIL,
            ],
            NOTHING,
            false,
        ),
        (
            &[LEAF, USAGE, MAIL, "1.2.3.4=critical,DER:05:00"],
            NOTHING,
            false,
        ),
    ];
    let mut attempts = Vec::new();
    let mut made = Vec::new();
    for (number, (extensions, expected, _)) in table.iter().enumerate() {
        let alternative = names(vec![rfc822(&address(number))]);
        let all = [extensions, &[alternative.as_str()][..]].concat();
        let identity = make(
            directory,
            &format!("x4-{number}"),
            &Wanted {
                extensions: &all,
                ..Wanted::default()
            },
        );
        attempts
            .push(signed(&format!("x4-{number}"), &address(number), &identity).signature(expected));
        made.push(identity);
    }
    judge(&scene, &attempts);
    for (number, (extensions, _, encrypted)) in table.iter().enumerate() {
        let to = address(number);
        let message = format!("From: {ALICE}\r\nTo: {to}\r\nSubject: s\r\n\r\nhello\r\n");
        assert_eq!(
            send(scene.gateway.outbound, ALICE, &[&to], message.as_bytes()).code,
            250
        );
        let mails = scene.internet.wait_for(number + 1, DELIVERY);
        let sent = &mails[number].content;
        if number == 2 {
            continue;
        }
        let expected = if *encrypted {
            Form::Encrypted
        } else {
            Form::Signed
        };
        assert_eq!(form(sent), expected, "{extensions:?}");
        if *encrypted {
            openssl::decrypt(&entity(sent), &made[number]).unwrap();
        }
    }
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
    // Mail goes on being encrypted to the first.
    let message = format!("From: {ALICE}\r\nTo: {CAROL}\r\nSubject: s\r\n\r\nhello\r\n");
    assert_eq!(scene.mail_out(message.as_bytes()).code, 250);
    let sent = entity(&scene.at_internet().content);
    openssl::decrypt(&sent, &one).unwrap();
    assert!(openssl::decrypt(&sent, &twin).is_err());
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

/// Nobody teaches the gateway another key for carol.
#[test]
fn x9_poisoned_keys_over_smtp() {
    let Some(scene) = start("attack-x9") else {
        return;
    };
    let poison = poison(scene.gateway.directory().path());
    // Another's valid key under carol's From, and carol's From with a certificate for her slipped in beside.
    let slipped = openssl::sign(
        PART,
        &cast().stranger,
        Some(&poison[0].1),
        false,
        Writing::Der,
    );
    let slipped = Attempt::new("slipped", &slipped).signature(&["valid-other-address"]);
    let own_slipped = openssl::sign(PART, &cast().carol, Some(&poison[1].1), false, Writing::Der);
    let own_slipped = Attempt::new("own-slipped", &own_slipped).signature(VALID);
    let all = || {
        let mails = poison
            .iter()
            .map(|(name, identity, expected)| signed(name, CAROL, identity).signature(expected));
        mails.chain([slipped.clone()]).collect::<Vec<_>>()
    };
    judge(&scene, &all());
    let known = scene.gateway.json(&["correspondent", "list"]);
    assert_eq!(known.as_array().map(Vec::len), Some(0), "{known}");
    let message = format!("From: {ALICE}\r\nTo: {CAROL}\r\nSubject: s\r\n\r\nhello\r\n");
    let sent = |count: usize| {
        assert_eq!(scene.mail_out(message.as_bytes()).code, 250);
        scene.internet.wait_for(count, DELIVERY)[count - 1]
            .content
            .clone()
    };
    assert_eq!(form(&sent(1)), Form::Signed);
    // A good key is learned, and is not overwritten by any of them.
    judge(&scene, &[own_slipped]);
    let again = all().into_iter().map(|one| {
        let name = format!("again-{}", one.name);
        let text = String::from_utf8(one.message).unwrap();
        let message = text
            .replace(&format!("<{}@", one.name), &format!("<{name}@"))
            .into_bytes();
        Attempt {
            name,
            message,
            ..one
        }
    });
    judge(&scene, &again.collect::<Vec<_>>());
    let known = scene.gateway.json(&["correspondent", "list"]);
    assert_eq!(known.as_array().map(Vec::len), Some(1), "{known}");
    let message = sent(2);
    openssl::decrypt(&entity(&message), &cast().carol).unwrap();
    for (name, identity, _) in &poison {
        assert!(
            openssl::decrypt(&entity(&message), identity).is_err(),
            "{name}"
        );
    }
}
