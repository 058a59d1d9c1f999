//! Objects that are cut short, changed, too large, too many or too deep.

use crate::common::*;

#[test]
fn cut_short_anywhere() {
    let alice = pair("alice");
    for name in [
        "enveloped-rsa-der",
        "enveloped-rsa-stream",
        "authenveloped-rsa",
    ] {
        let (before, cms, after) = take_apart(&data(&format!("{name}.eml")));
        for length in 0..cms.len() {
            let raw = put_together(&before, &cms[..length], &after);
            let outcome = failure(&raw, &alice);
            assert!(
                matches!(outcome, Decryption::Failed(_)),
                "{name} {length}: {outcome:?}"
            );
        }
    }
    for name in ["opaque-der", "opaque-stream", "clear-rsa"] {
        let (before, cms, after) = take_apart(&data(&format!("{name}.eml")));
        for length in 0..cms.len() {
            let found = verdict(&put_together(&before, &cms[..length], &after));
            assert_eq!(found, Verdict::Broken, "{name} {length}");
        }
    }
}

#[test]
fn c19_numbers_of_pieces_are_bounded() {
    let alice = pair("alice");
    let enveloped = data("enveloped-rsa-der.eml");
    let signed = data("opaque-der.eml");
    for (count, refused) in [(999, false), (1001, true), (10_000, true)] {
        let many = changed(&enveloped, |cms| {
            let (oid, mut parts) = fields(&cms);
            let own = inside(&parts[1]).remove(0);
            let mut other = own.clone();
            let at = find(&other, b"root");
            other[at] = b'R';
            parts[1] = tlv(0x31, &[other.repeat(count), own].concat());
            rebuilt(&oid, &parts)
        });
        let outcome = quick("recipients", || failure(&many, &alice));
        assert_eq!(
            matches!(outcome, Decryption::Refused(_)),
            refused,
            "{count}: {outcome:?}"
        );
        assert_eq!(
            matches!(outcome, Decryption::Opened(_)),
            !refused,
            "{count}"
        );
    }
    for (place, count, expected) in [
        (3, 199, Verdict::Valid),
        (3, 201, Verdict::Unsupported),
        (3, 10_000, Verdict::Unsupported),
        (4, 16, Verdict::Valid),
        (4, 17, Verdict::Unsupported),
        (4, 10_000, Verdict::Unsupported),
    ] {
        let many = changed(&signed, |cms| {
            let (oid, mut parts) = fields(&cms);
            let repeated = inside(&parts[place]).remove(0).repeat(count);
            parts[place] = tlv(parts[place][0], &repeated);
            rebuilt(&oid, &parts)
        });
        let found = quick("pieces", || verdict(&many));
        assert_eq!(found, expected, "{place} {count}");
    }
}

#[test]
fn c18_layers_of_signatures_are_bounded() {
    let (head, cms, _) = take_apart(&data("opaque-der.eml"));
    let (oid, parts) = fields(&cms);
    let data_oid = inside(&parts[2])[0].clone();
    let mut raw = put_together(&head, &cms, "");
    for layers in 2..=20 {
        let mut parts = parts.clone();
        parts[2] = tlv(
            0x30,
            &[data_oid.clone(), tlv(0xA0, &tlv(0x04, &raw))].concat(),
        );
        raw = put_together(&head, &rebuilt(&oid, &parts), "");
        let found = quick("layers", || {
            kind_under_signatures(&Message::read(&raw).unwrap()).unwrap()
        });
        assert_eq!(
            found,
            if layers <= 8 {
                Kind::Plain
            } else {
                kind_limit()
            },
            "{layers}"
        );
        if raw.len() > 400_000 {
            break;
        }
    }
}

fn kind_limit() -> Kind {
    Kind::Malformed(Fault::Limit(LimitReached("S/MIME layers")))
}

/// Changes at places and to values drawn from a fixed sequence: no crash, and no other text counts as signed or as
/// authentic.
#[test]
fn random_changes_are_survived() {
    let keys = [pair("alice"), pair("bob"), pair("carol")];
    let ring: Vec<&KeyPair> = keys.iter().collect();
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut draw = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for name in [
        "clear-two",
        "opaque-der",
        "opaque-stream",
        "certs-only",
        "enveloped-rsa-stream",
        "enveloped-p256-der",
        "authenveloped-rsa",
        "authenveloped-p256",
    ] {
        let (before, cms, after) = take_apart(&data(&format!("{name}.eml")));
        for round in 0..300 {
            let mut cms = cms.clone();
            for _ in 0..=draw(3) {
                let at = draw(cms.len());
                match draw(3) {
                    0 => cms[at] = draw(256) as u8,
                    1 => drop(cms.remove(at)),
                    _ => cms.insert(at, [0x00, 0x80, 0x30, 0xFF][draw(4)]),
                }
            }
            let raw = put_together(&before, &cms, &after);
            let message = Message::read(&raw).unwrap();
            let report = Setting::usual().verify(&raw);
            if report.verdict.is_good() {
                let mut out = Vec::new();
                signed_content(&message, &mut out).unwrap().unwrap();
                assert_eq!(out, data("entity"), "{name} {round}");
            }
            let mut out = Vec::new();
            if let Decryption::Opened(opened) =
                decrypt(&message, &ring, Switches::default(), &mut out).unwrap()
            {
                assert!(
                    !opened.authenticated || out == data("entity"),
                    "{name} {round}"
                );
            }
        }
    }
}

/// Row C18: the depth is counted, wherever in the object it is.
#[test]
fn c18_indefinite_nesting() {
    let alice = pair("alice");
    let depths = |tag: u8| [tag, 0x80].repeat(100_000);
    let enveloped = [
        0x30, 0x80, 0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 3, 0xA0, 0x80,
    ];
    let signed = [
        0x30, 0x80, 0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2, 0xA0, 0x80,
    ];
    let version = [0x30, 0x80, 0x02, 1, 0];
    for (name, object) in [
        ("nothing else", depths(0x30)),
        ("octet strings", depths(0x24)),
        ("the object", [&enveloped[..], &depths(0x30)].concat()),
        (
            "originator",
            [&enveloped[..], &version, &depths(0xA0)].concat(),
        ),
        (
            "recipient",
            [&enveloped[..], &version, &[0x31, 0x80], &depths(0x30)].concat(),
        ),
        ("digests", [&signed[..], &version, &depths(0x31)].concat()),
        (
            "content",
            [
                &signed[..],
                &version,
                &[0x31, 0, 0x30, 0x80, 0x06, 1, 1, 0xA0, 0x80],
                &depths(0x24),
            ]
            .concat(),
        ),
    ] {
        for head in ["pkcs7-mime", "octet-stream; name=a.p7m"] {
            let head = format!(
                "Content-Type: application/{head}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            );
            let raw = put_together(&head, &object, "");
            let message = Message::read(&raw).unwrap();
            quick(name, || {
                kind(&message).unwrap();
                kind_under_signatures(&message).unwrap();
                assert!(kind::check(&message).unwrap().is_err(), "{name}");
                assert!(!verdict(&raw).is_good(), "{name}");
                assert!(
                    !matches!(failure(&raw, &alice), Decryption::Opened(_)),
                    "{name}"
                );
            });
        }
    }
}

#[test]
fn c18_multipart_nesting() {
    let nested: String = (0..10_000)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"))
        .collect();
    let signed = nested.replace(
        "mixed;",
        "signed; protocol=\"application/pkcs7-signature\";",
    );
    for (name, text, expected) in [
        ("mixed", nested, Verdict::None),
        ("signed", signed, Verdict::Unsupported),
    ] {
        let raw = format!("From: alice@example.com\r\n{text}");
        assert_eq!(quick(name, || verdict(raw.as_bytes())), expected, "{name}");
        let message = Message::read(&raw).unwrap();
        assert!(!kind_under_signatures(&message).unwrap().is_encrypted());
    }
}

/// Row C18: twenty layers, and what is read of them stays bounded.
#[test]
fn c18_twenty_layers_of_encryption_and_signature() {
    let (head, cms, _) = take_apart(&data("opaque-der.eml"));
    let (oid, parts) = fields(&cms);
    let data_oid = inside(&parts[2])[0].clone();
    let mut raw = data("enveloped-rsa-der.eml");
    for _ in 0..20 {
        let mut parts = parts.clone();
        parts[2] = tlv(
            0x30,
            &[data_oid.clone(), tlv(0xA0, &tlv(0x04, &raw))].concat(),
        );
        // Without certificates the message has the size that row C18 names.
        parts.remove(3);
        raw = put_together(&head, &rebuilt(&oid, &parts), "");
    }
    assert!((1_000_000..3_000_000).contains(&raw.len()), "{}", raw.len());
    let found = quick("20 layers", || {
        kind_under_signatures(&Message::read(&raw).unwrap()).unwrap()
    });
    assert_eq!(found, kind_limit());
    assert_eq!(quick("verdict", || verdict(&raw)), Verdict::Broken);
}

/// Row C19: what a mail for many people looks like is read.
#[test]
fn c19_five_hundred_recipients() {
    let alice = pair("alice");
    let many = changed(&data("enveloped-rsa-der.eml"), |cms| {
        let (oid, mut parts) = fields(&cms);
        let own = inside(&parts[1]).remove(0);
        let mut other = own.clone();
        let at = find(&other, b"root");
        other[at] = b'R';
        parts[1] = tlv(0x31, &[other.repeat(499), own].concat());
        rebuilt(&oid, &parts)
    });
    assert!(quick("500", || matches!(
        failure(&many, &alice),
        Decryption::Opened(_)
    )));
}
