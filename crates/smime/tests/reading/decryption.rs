//! Decryption, and that its failures cannot be told apart.

use crate::common::*;

#[test]
fn decrypts_real_messages() {
    let (alice, bob, carol) = (pair("alice"), pair("bob"), pair("carol"));
    for (name, key, content) in [
        ("enveloped-rsa-der", &alice, ContentEncryption::Aes256Cbc),
        ("enveloped-rsa-stream", &alice, ContentEncryption::Aes128Cbc),
        ("enveloped-rsa-keyid", &alice, ContentEncryption::Aes192Cbc),
        ("enveloped-oaep", &alice, ContentEncryption::Aes256Cbc),
        ("enveloped-p256-der", &bob, ContentEncryption::Aes256Cbc),
        ("enveloped-p256-stream", &bob, ContentEncryption::Aes256Cbc),
        ("enveloped-p256-sha256", &bob, ContentEncryption::Aes256Cbc),
        ("enveloped-p384", &carol, ContentEncryption::Aes128Cbc),
        ("enveloped-two", &alice, ContentEncryption::Aes256Cbc),
        ("enveloped-two", &bob, ContentEncryption::Aes256Cbc),
        ("authenveloped-rsa", &alice, ContentEncryption::Aes256Gcm),
        ("authenveloped-p256", &bob, ContentEncryption::Aes128Gcm),
    ] {
        let raw = data(&format!("{name}.eml"));
        let message = Message::read(&raw).unwrap();
        let mut out = Vec::new();
        match decrypt(&message, &[key], Switches::default(), &mut out).unwrap() {
            Decryption::Opened(opened) => {
                assert_eq!(out, data("entity"), "{name}");
                assert_eq!(opened.content, content, "{name}");
                assert_eq!(opened.authenticated, name.starts_with("auth"), "{name}");
                assert_eq!(opened.octets, out.len() as u64, "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
        assert!(
            recipients(&message)
                .unwrap()
                .unwrap()
                .iter()
                .any(|id| id.names(&key.certificate)),
            "{name}"
        );
        let stranger = pair("noaddress");
        assert_eq!(
            decrypt(&message, &[&stranger], Switches::default(), &mut Vec::new()).unwrap(),
            Decryption::NoKey,
            "{name}"
        );
    }
}

#[test]
fn recipients_are_named_in_the_order_they_stand() {
    let raw = data("enveloped-two.eml");
    let ids = recipients(&Message::read(&raw).unwrap()).unwrap().unwrap();
    let [alice, bob] = ids.as_slice() else {
        panic!("two recipients")
    };
    assert!(bob.names(&certificate("bob")) && !bob.names(&certificate("alice")));
    assert!(alice.names(&certificate("alice")));
    assert!(matches!(alice, RecipientId::IssuerSerial { .. }));
    let plain = b"Subject: x\r\n\r\nhello\r\n";
    assert!(
        recipients(&Message::read(&plain).unwrap())
            .unwrap()
            .is_err()
    );
}

#[test]
fn an_issuer_written_anew_is_the_same() {
    let raw = changed(&data("enveloped-rsa-der.eml"), |mut cms| {
        let at = find(&cms, b"Sealgate test root") - 2;
        assert_eq!(cms[at], 0x0C, "a UTF8String");
        cms[at] = 0x13;
        cms
    });
    assert!(matches!(
        failure(&raw, &pair("alice")),
        Decryption::Opened(_)
    ));
    let other = replaced_in_cms(&data("enveloped-rsa-der.eml"), b"Sealgate", b"Sealgame");
    assert_eq!(failure(&other, &pair("alice")), Decryption::NoKey);
}

#[test]
fn c10_all_failures_are_one() {
    let alice = pair("alice");
    let raw = data("enveloped-rsa-der.eml");
    let (_, cms, _) = take_apart(&raw);
    // The encrypted key is 256 octets after its header 04 82 01 00; the content stands at the end.
    let key = find(&cms, &[0x04, 0x82, 0x01, 0x00]) + 4;
    for (name, at, mask) in [
        ("encrypted key, first octet", key, 0x01),
        ("encrypted key, last octet", key + 255, 0x01),
        ("encrypted key beyond the modulus", key, 0xFF),
        ("last block", cms.len() - 1, 0x01),
        ("block before", cms.len() - 17, 0x80),
        (
            "content cipher",
            find(&cms, &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42]) + 8,
            0x10,
        ),
    ] {
        let bad = changed(&raw, |mut cms| {
            cms[at] ^= mask;
            cms
        });
        assert!(
            matches!(failure(&bad, &alice), Decryption::Failed(Some(_))),
            "{name}"
        );
    }
    assert!(matches!(
        failure(&data("enveloped-nomime.eml"), &alice),
        Decryption::Failed(Some(_))
    ));
    let wrong_key = KeyPair {
        certificate: certificate("alice"),
        key: pair("bob").key,
    };
    assert!(matches!(
        failure(&raw, &wrong_key),
        Decryption::Failed(Some(_))
    ));
}

#[test]
fn c10_only_the_first_recipient_that_names_us_counts() {
    let raw = data("enveloped-rsa-der.eml");
    let probe = changed(&raw, |cms| {
        let (oid, mut parts) = fields(&cms);
        let own = inside(&parts[1]).remove(0);
        let mut spoilt = own.clone();
        let last = spoilt.len() - 1;
        spoilt[last] ^= 1;
        parts[1] = tlv(0x31, &[spoilt, own].concat());
        rebuilt(&oid, &parts)
    });
    assert!(matches!(
        failure(&probe, &pair("alice")),
        Decryption::Failed(Some(_))
    ));
}

#[test]
fn c10_hash_names_the_encrypted_key() {
    let alice = pair("alice");
    let raw = data("enveloped-rsa-der.eml");
    let Decryption::Opened(opened) = failure(&raw, &alice) else {
        panic!("opens")
    };
    let spoilt = changed(&raw, |mut cms| {
        let last = cms.len() - 1;
        cms[last] ^= 1;
        cms
    });
    assert_eq!(
        failure(&spoilt, &alice),
        Decryption::Failed(Some(opened.encrypted_key_hash))
    );
    let Decryption::Opened(other) = failure(&data("enveloped-rsa-stream.eml"), &alice) else {
        panic!("opens")
    };
    assert_ne!(other.encrypted_key_hash, opened.encrypted_key_hash);
}

#[test]
fn c12_tags_of_gcm() {
    let bob = pair("bob");
    let raw = data("authenveloped-p256.eml");
    let (_, cms, _) = take_apart(&raw);
    let tag = find(&cms, &{
        let mut end = vec![0x04, 16];
        end.extend_from_slice(&tag_of(&cms));
        end
    });
    for length in [0usize, 1, 4, 8, 11, 12, 15] {
        let shorter = changed(&raw, |mut cms| {
            let mut short = vec![0x04, length as u8];
            short.extend_from_slice(&cms[tag + 2..tag + 2 + length]);
            cms.splice(tag..tag + 18, short);
            cms
        });
        assert!(
            matches!(failure(&shorter, &bob), Decryption::Failed(Some(_))),
            "{length}"
        );
    }
    let flipped = changed(&raw, |mut cms| {
        cms[tag + 5] ^= 1;
        cms
    });
    assert!(matches!(
        failure(&flipped, &bob),
        Decryption::Failed(Some(_))
    ));
    // The object moved into EnvelopedData and the other way round: cipher and type must go together.
    let (_, cbc, _) = take_apart(&data("enveloped-p256-der.eml"));
    let moved = changed(&raw, |_| {
        let at = find(&cbc, &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 3]) - 2;
        let mut oid = vec![
            0x06, 11, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 1, 23,
        ];
        let mut moved = vec![0x30, 0x80];
        moved.append(&mut oid);
        moved.extend_from_slice(&cbc[at + 11..]);
        moved.extend_from_slice(&[0, 0]);
        moved
    });
    assert!(matches!(failure(&moved, &bob), Decryption::Failed(Some(_))));
}

/// The authentication tag of a `-stream` AuthEnvelopedData: the last OCTET STRING of 16 octets before the ends.
fn tag_of(cms: &[u8]) -> Vec<u8> {
    let end = cms.len() - cms.iter().rev().take_while(|octet| **octet == 0).count();
    let starts = (0..end)
        .rev()
        .find(|at| cms[*at..].starts_with(&[0x04, 16]));
    cms[starts.unwrap() + 2..starts.unwrap() + 18].to_vec()
}

#[test]
fn c13_oaep_parameters_never_fall_back() {
    let raw = data("enveloped-oaep.eml");
    let oaep = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 7];
    let (_, cms, _) = take_apart(&raw);
    let at = find(&cms, &oaep);
    for (name, place, octet) in [
        ("v1.5 with OAEP parameters", at + 8, 1),
        ("a NULL of another length", at + 9, 5),
    ] {
        let bad = changed(&raw, |mut cms| {
            cms[place] = octet;
            cms
        });
        assert!(
            matches!(failure(&bad, &pair("alice")), Decryption::Failed(_)),
            "{name}"
        );
    }
}

/// Row C12: the parameters announce the short tag too, and the ciphertext is changed: whatever the one octet is, it counts
/// for nothing.
#[test]
fn c12_short_tags_are_refused_before_decryption() {
    let bob = pair("bob");
    let raw = data("authenveloped-p256.eml");
    let shortened = |length: u8, first: u8| {
        changed(&raw, |mut cms| {
            let tag = find(&cms, &[&[0x04, 16][..], &tag_of(&cms)].concat());
            let mut short = vec![0x04, length];
            short.extend((0..length).map(|at| if at == 0 { first } else { 0 }));
            cms.splice(tag..tag + 18, short);
            let announced = find(&cms, &[0x02, 1, 16, 0xA0]);
            cms[announced + 2] = length;
            cms[tag - 3] ^= 1;
            cms
        })
    };
    for length in [0, 1, 4, 8] {
        assert!(
            matches!(failure(&shortened(length, 0), &bob), Decryption::Failed(_)),
            "{length}"
        );
    }
    for octet in 0..=255 {
        let mut out = Vec::new();
        let one = shortened(1, octet);
        let message = Message::read(&one).unwrap();
        let outcome = decrypt(&message, &[&bob], Switches::default(), &mut out).unwrap();
        assert!(matches!(outcome, Decryption::Failed(_)), "{octet}");
        assert!(out.is_empty(), "{octet}: nothing is decrypted");
    }
}

#[test]
fn c12_nonces_of_other_lengths() {
    let bob = pair("bob");
    let nonce = |cms: &[u8]| find(cms, &[0x02, 1, 16, 0xA0]) - 14;
    for length in [0usize, 8, 11, 13, 16, 24, 100] {
        let raw = changed(&data("authenveloped-p256.eml"), |mut cms| {
            let at = nonce(&cms);
            assert_eq!(cms[at..at + 2], [0x04, 12]);
            // The parameters and the algorithm around them grow alike; all else is of indefinite length.
            let added = length as i16 - 12;
            let grown = |octet: u8| (i16::from(octet) + added) as u8;
            let parameters = at - 2;
            assert_eq!(cms[parameters], 0x30);
            cms[parameters + 1] = grown(cms[parameters + 1]);
            let algorithm = parameters - 13;
            assert_eq!(cms[algorithm], 0x30);
            cms[algorithm + 1] = grown(cms[algorithm + 1]);
            cms.splice(
                at + 1..at + 14,
                [vec![length as u8], vec![7; length]].concat(),
            );
            cms
        });
        assert!(
            matches!(failure(&raw, &bob), Decryption::Failed(_)),
            "{length}"
        );
    }
}

/// Row C13: three malformed objects.
#[test]
fn c13_missing_parameters_are_an_error() {
    let (alice, bob) = (pair("alice"), pair("bob"));
    let with_algorithm = |raw: &[u8], place: usize, make: &dyn Fn(&[Vec<u8>]) -> Vec<u8>| {
        changed(raw, |cms| {
            let (oid, mut parts) = fields(&cms);
            let info = inside(&parts[1]).remove(0);
            let mut own = inside(&info);
            own[place] = make(&inside(&own[place]));
            parts[1] = tlv(0x31, &tlv(info[0], &own.concat()));
            rebuilt(&oid, &parts)
        })
    };
    let oaep = data("enveloped-oaep.eml");
    let absent = with_algorithm(&oaep, 2, &|parts| tlv(0x30, &parts[0]));
    let null = with_algorithm(&oaep, 2, &|parts| {
        tlv(0x30, &[&parts[0][..], &[5, 0]].concat())
    });
    let junk = with_algorithm(&oaep, 2, &|parts| {
        tlv(
            0x30,
            &[&parts[0][..], &tlv(0x30, &tlv(0xA7, &[5, 0]))].concat(),
        )
    });
    for (name, raw) in [("absent", absent), ("null", null), ("junk", junk)] {
        assert!(
            matches!(failure(&raw, &alice), Decryption::Failed(Some(_))),
            "{name}"
        );
    }
    let agreement = data("enveloped-p256-der.eml");
    let bare = with_algorithm(&agreement, 2, &|parts| tlv(0x30, &parts[0]));
    assert!(matches!(failure(&bare, &bob), Decryption::Failed(Some(_))));
    let unchanged = with_algorithm(&agreement, 2, &|parts| tlv(0x30, &parts.concat()));
    assert!(matches!(failure(&unchanged, &bob), Decryption::Opened(_)));
}

/// What stands beside the recipients we know is passed over: passwords, shared keys, later forms, the originator's
/// certificates, attributes nobody protects.
#[test]
fn other_recipients_and_unprotected_attributes_are_passed_over() {
    let alice = pair("alice");
    let raw = changed(&data("enveloped-rsa-der.eml"), |cms| {
        let (oid, mut parts) = fields(&cms);
        let own = inside(&parts[1]).remove(0);
        let shared_key = tlv(0xA2, &tlv(0x02, &[4]));
        let password = tlv(0xA3, &[tlv(0x02, &[0]), tlv(0x04, &[1, 2])].concat());
        let later = tlv(0xA4, &[tlv(0x06, &[0x2A, 3]), tlv(0x30, &[])].concat());
        parts[1] = tlv(0x31, &[shared_key, password, later, own].concat());
        let originator = tlv(0xA0, &tlv(0xA0, &tlv(0x30, &[])));
        parts.insert(1, originator);
        let attribute = tlv(
            0x30,
            &[tlv(0x06, &[0x2A, 3]), tlv(0x31, &tlv(0x0C, b"x"))].concat(),
        );
        parts.push(tlv(0xA1, &attribute));
        rebuilt(&oid, &parts)
    });
    assert!(matches!(failure(&raw, &alice), Decryption::Opened(_)));
    assert_eq!(kind::check(&Message::read(&raw).unwrap()).unwrap(), Ok(()));
    let named = recipients(&Message::read(&raw).unwrap()).unwrap().unwrap();
    assert_eq!(
        named.iter().filter(|id| **id == RecipientId::Other).count(),
        3
    );
}

/// Rows C1 and C10: a changed initialisation vector shows in the first octets; what is no MIME entity any more has failed,
/// what still is one was decrypted, and nothing says that it is as it was sent.
#[test]
fn c1_changed_ciphertext_is_never_authentic() {
    let alice = pair("alice");
    let raw = data("enveloped-rsa-der.eml");
    let with_vector = |wanted: &[u8; 16]| {
        changed(&raw, |mut cms| {
            let cipher = [0x06, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42, 0x04, 16];
            let at = find(&cms, &cipher) + cipher.len();
            for (place, (was, now)) in data("entity").iter().zip(wanted).enumerate() {
                cms[at + place] ^= was ^ now;
            }
            cms
        })
    };
    let gadget = failure(&with_vector(b"<img src=\"http:/"), &alice);
    assert!(matches!(gadget, Decryption::Failed(Some(_))), "{gadget:?}");
    let hidden = with_vector(b"Content-Type: a/");
    let mut out = Vec::new();
    let message = Message::read(&hidden).unwrap();
    match decrypt(&message, &[&alice], Switches::default(), &mut out).unwrap() {
        Decryption::Opened(opened) => assert!(!opened.authenticated),
        other => panic!("{other:?}"),
    }
    assert!(out.starts_with(b"Content-Type: a/xt/plain"));
}

/// Triple DES opens by the switch alone, and the result says so.
#[test]
fn triple_des_is_let_in_by_the_switch() {
    let legacy = Switches {
        legacy: true,
        ..Switches::default()
    };
    for (name, key, weak) in [
        ("enveloped-3des-rsa", "alice", "des-ede3-cbc"),
        ("enveloped-3des-p256", "bob", "3des-wrap"),
        ("enveloped-rsa-der", "alice", ""),
    ] {
        let (raw, key) = (data(&format!("{name}.eml")), pair(key));
        let message = Message::read(&raw).unwrap();
        assert_eq!(
            matches!(failure(&raw, &key), Decryption::Failed(_)),
            !weak.is_empty(),
            "{name}"
        );
        let mut out = Vec::new();
        match decrypt(&message, &[&key], legacy, &mut out).unwrap() {
            Decryption::Opened(opened) => {
                assert_eq!(opened.weak.unwrap_or_default(), weak, "{name}")
            }
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(out, data("entity"), "{name}");
    }
}

/// RFC 5652 section 6.2.2: RecipientKeyIdentifier with what may follow the key identifier; and the identifier in segments,
/// as BER allows, where it stands alone.
#[test]
fn recipients_named_by_key_identifier() {
    let (alice, bob) = (pair("alice"), pair("bob"));
    let key_id = |pair: &KeyPair| pair.certificate.subject_key_id().unwrap().to_vec();
    let date = tlv(0x18, b"20270101000000Z");
    for behind in [Vec::new(), date] {
        let id = tlv(0xA0, &[tlv(0x04, &key_id(&bob)), behind].concat());
        let raw = changed(&data("enveloped-p256-der.eml"), |cms| {
            let (oid, mut parts) = fields(&cms);
            let mut own = inside(&inside(&parts[1])[0]);
            let last = own.len() - 1;
            let mut entry = inside(&inside(&own[last])[0]);
            entry[0] = id.clone();
            own[last] = tlv(0x30, &tlv(0x30, &entry.concat()));
            parts[1] = tlv(0x31, &tlv(0xA1, &own.concat()));
            rebuilt(&oid, &parts)
        });
        assert!(matches!(failure(&raw, &bob), Decryption::Opened(_)));
        assert_eq!(failure(&raw, &alice), Decryption::NoKey);
    }
    let own = key_id(&alice);
    let segments = [tlv(0x04, &own[..7]), tlv(0x04, &own[7..])].concat();
    let raw = changed(&data("enveloped-rsa-keyid.eml"), |cms| {
        let (oid, mut parts) = fields(&cms);
        let mut info = inside(&inside(&parts[1])[0]);
        assert_eq!(info[1], tlv(0x80, &own));
        info[1] = tlv(0xA0, &segments);
        parts[1] = tlv(0x31, &tlv(0x30, &info.concat()));
        rebuilt(&oid, &parts)
    });
    assert!(matches!(failure(&raw, &alice), Decryption::Opened(_)));
}
