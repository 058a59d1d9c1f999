use std::time::Instant;

use miniz_oxide::MZFlush;
use miniz_oxide::deflate::core::{CompressorOxide, create_comp_flags_from_zip_params};
use miniz_oxide::deflate::{compress_to_vec_zlib, stream::deflate};
use sealgate_mail::Source;
use sealgate_mail::encoding::Base64Writer;
use sealgate_smime::asn1::{self, tag};
use sealgate_smime::encrypt::{EncryptTo, encrypt};
use sealgate_smime::profile::Suite;
use sealgate_smime::sign::{Form, Signer, sign};

use super::*;
use crate::ports::MemoryShelf;
use crate::testdata::{Counter, certificate, cpu_time, key};
use sealgate_smime::algorithms::ContentEncryption;

/// 2026-11-22.
const NOW: Timestamp = Timestamp(1_795_305_600);
const TEXT: &[u8] = b"Content-Type: text/plain\r\n\r\nhello\r\n";
const HEAD: &[u8] = b"From: alice@partner.example\r\nSubject: s\r\n";

fn written(source: &dyn Source) -> Vec<u8> {
    let mut out = Vec::new();
    source.write_to(&mut out).unwrap();
    out
}

fn signed(entity: Vec<u8>, by: &str, form: Form, chance: u64) -> Vec<u8> {
    let (key, certificate) = (key(by), certificate(by));
    let signer = Signer {
        key: &key,
        certificate: &certificate,
        chain: &[],
        rsa_signature: Default::default(),
    };
    written(&sign(&entity, form, signer, NOW, &mut Counter(chance)).unwrap())
}

fn encrypted(entity: Vec<u8>, content: ContentEncryption) -> Vec<u8> {
    let to = [EncryptTo::new(&certificate("us"))];
    let suite = Suite {
        content,
        ..Suite::default()
    };
    written(&encrypt(&entity, &to, suite, &mut Counter(5)).unwrap())
}

/// An entity that holds these octets as a CompressedData.
fn holding(zlib: &[u8]) -> Vec<u8> {
    let oid = |last: &[u8]| {
        let first = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1];
        asn1::tlv(tag::OID, &[&first, last].concat())
    };
    let explicit = |inside: &[u8]| asn1::tlv(tag::context_constructed(0), inside);
    let content = asn1::sequence(&[&oid(&[7, 1]), &explicit(&asn1::octet_string(zlib))]);
    let algorithm = asn1::sequence(&[&oid(&[9, 16, 3, 8])]);
    let whole = asn1::sequence(&[&asn1::small(0), &algorithm, &content]);
    let cms = asn1::sequence(&[&oid(&[9, 16, 1, 9]), &explicit(&whole)]);
    let head = b"Content-Type: application/pkcs7-mime; smime-type=compressed-data\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let mut writer = Base64Writer::new(head.to_vec());
    writer.write_all(&cms).unwrap();
    writer.finish().unwrap()
}

fn compressed(entity: &[u8]) -> Vec<u8> {
    holding(&compress_to_vec_zlib(entity, 6))
}

/// A text in these layers, the outermost first: clear-signed by alice or bob, opaquely signed by alice, encrypted by CBC
/// or GCM, compressed.
fn nested(layers: &str) -> Vec<u8> {
    let wrap = |(entity, chance): (Vec<u8>, u64), layer| {
        let entity = match layer {
            's' => signed(entity, "alice", Form::Clear, chance),
            'b' => signed(entity, "bob", Form::Clear, chance),
            'o' => signed(entity, "alice", Form::Opaque, chance),
            'c' => encrypted(entity, ContentEncryption::Aes256Cbc),
            'g' => encrypted(entity, ContentEncryption::Aes256Gcm),
            'z' => compressed(&entity),
            other => panic!("{other}"),
        };
        (entity, chance + 1)
    };
    layers.chars().rev().fold((TEXT.to_vec(), 7), wrap).0
}

fn opened_with(entity: &[u8], ring: &[&KeyPair]) -> Opened {
    opened_within(entity, ring, (u64::MAX, &Budget::default()))
}

fn opened_within(entity: &[u8], ring: &[&KeyPair], (size_limit, budget): (u64, &Budget)) -> Opened {
    let mail = [HEAD, entity].concat();
    let input = OpenInput {
        content: &mail,
        ring,
        anchors: &TrustAnchors::new(vec![certificate("root-one")]),
        at: NOW,
        known: &[],
        switches: Switches::default(),
        exact_local_parts: false,
        size_limit,
    };
    open_within(&input, &MemoryShelf::default(), budget).unwrap()
}

fn opened(entity: &[u8]) -> Opened {
    let us = KeyPair {
        certificate: certificate("us"),
        key: key("us"),
    };
    opened_with(entity, &[&us])
}

fn shown(opened: &Opened) -> String {
    let layers = opened.verdicts.layers.iter().map(Layer::to_string);
    layers.collect::<Vec<_>>().join(" ")
}

/// The media type of what is delivered decrypted.
fn delivered(opened: &Opened) -> Option<String> {
    let content = &opened.entity.as_ref()?.content;
    let message = Message::read(content.as_ref()).unwrap();
    Some(message.content_type().subtype().to_owned())
}

/// RFC 8551 section 3.7 and row C24: every layer keeps its own verdict, whatever the order.
#[test]
fn c24_layers_have_their_own_verdicts() {
    use EncryptionVerdict as E;
    use SignatureVerdict as S;
    let table = [
        ("s", "signed=valid", S::Valid, E::None, None),
        ("o", "signed=valid", S::Valid, E::None, None),
        ("ss", "signed=valid signed=valid", S::Valid, E::None, None),
        ("oo", "signed=valid signed=valid", S::Valid, E::None, None),
        ("z", "compressed=opened", S::None, E::None, None),
        (
            "zs",
            "compressed=opened signed=valid",
            S::Valid,
            E::None,
            None,
        ),
        (
            "sz",
            "signed=valid compressed=opened",
            S::Valid,
            E::None,
            None,
        ),
        (
            "ozs",
            "signed=valid compressed=opened signed=valid",
            S::Valid,
            E::None,
            None,
        ),
        (
            "c",
            "encrypted=decrypted",
            S::None,
            E::Decrypted,
            Some("plain"),
        ),
        (
            "g",
            "encrypted=decrypted-authenticated",
            S::None,
            E::DecryptedAuthenticated,
            Some("plain"),
        ),
        (
            "cs",
            "encrypted=decrypted-authenticated signed=valid",
            S::Valid,
            E::DecryptedAuthenticated,
            Some("signed"),
        ),
        (
            "cz",
            "encrypted=decrypted compressed=opened",
            S::None,
            E::Decrypted,
            Some("plain"),
        ),
        (
            "czs",
            "encrypted=decrypted-authenticated compressed=opened signed=valid",
            S::Valid,
            E::DecryptedAuthenticated,
            Some("signed"),
        ),
        (
            "csz",
            "encrypted=decrypted-authenticated signed=valid compressed=opened",
            S::Valid,
            E::DecryptedAuthenticated,
            Some("signed"),
        ),
        // A28: what is encrypted only inside compression counts as plain.
        ("zc", "compressed=opened", S::None, E::None, None),
        (
            "scs",
            "signed=valid encrypted=decrypted-authenticated signed=valid",
            S::Valid,
            E::DecryptedAuthenticated,
            Some("signed"),
        ),
        (
            "bcs",
            "signed=valid-other-address encrypted=decrypted-authenticated signed=valid",
            S::ValidOtherAddress,
            E::DecryptedAuthenticated,
            Some("signed"),
        ),
        (
            "scb",
            "signed=valid encrypted=decrypted signed=valid-other-address",
            S::Valid,
            E::Decrypted,
            Some("signed"),
        ),
        (
            "bc",
            "signed=valid-other-address encrypted=decrypted",
            S::ValidOtherAddress,
            E::Decrypted,
            Some("plain"),
        ),
        (
            "cc",
            "encrypted=decrypted encrypted=decrypted",
            S::None,
            E::Decrypted,
            Some("plain"),
        ),
    ];
    for (layers, expected, signature, encryption, content) in table {
        let found = opened(&nested(layers));
        assert_eq!(shown(&found), expected, "{layers}");
        assert_eq!(found.verdicts.signature, signature, "{layers}");
        assert_eq!(found.verdicts.encryption, encryption, "{layers}");
        assert_eq!(delivered(&found).as_deref(), content, "{layers}");
    }
}

/// A changed inner or outer signature is seen in its layer and in the whole.
#[test]
fn c24_a_broken_layer_breaks_the_whole() {
    for (place, expected) in [
        (
            0,
            "signed=broken encrypted=decrypted-authenticated signed=valid",
        ),
        (2, "signed=valid encrypted=decrypted signed=broken"),
    ] {
        let mut entity = TEXT.to_vec();
        for layer in (0..3).rev() {
            entity = match layer {
                1 => encrypted(entity, ContentEncryption::Aes256Cbc),
                _ => {
                    let (inside, chance) = (entity, 20 + layer);
                    let signed = signed(inside, "alice", Form::Clear, chance);
                    if layer == place {
                        spoilt(signed)
                    } else {
                        signed
                    }
                }
            };
        }
        let found = opened(&entity);
        assert_eq!(shown(&found), expected);
        assert_eq!(found.verdicts.signature, SignatureVerdict::Broken);
    }
}

/// With another first letter of the content's Content-Type, so that the signature does not fit.
fn spoilt(clear_signed: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(clear_signed).unwrap();
    let at = text
        .rfind("Content-Type: text/plain")
        .or(text.find("Content-Type: application/pkcs7-mime; smime-type=env"));
    let mut octets = text.into_bytes();
    octets[at.unwrap()] = b'c';
    octets
}

#[test]
fn without_a_key_what_is_encrypted_stays_closed() {
    let found = opened_with(&nested("scs"), &[]);
    assert_eq!(shown(&found), "signed=valid encrypted=no-key");
    assert!(found.entity.is_none() && found.encrypted_keys.is_empty());
    // All of it is delivered, so that all its signatures stay.
    assert_eq!(found.kept_signature(), SignatureVerdict::Valid);
}

/// Row X2: the layers of a mail share one budget, and what one of them found out is not computed again.
#[test]
fn x2_all_layers_share_one_budget() {
    let budget = Budget::default();
    let found = opened_within(&nested("sos"), &[], (u64::MAX, &budget));
    assert_eq!(found.verdicts.signature, SignatureVerdict::Valid);
    // Three signatures, and one certificate under its root.
    assert_eq!(budget.checks(), 4);
}

/// Zlib data that unfolds to a GiB of zeros and is 1,028 times smaller.
fn bomb() -> Vec<u8> {
    let flags = create_comp_flags_from_zip_params(9, 15, 0);
    let mut compressor = CompressorOxide::new(flags);
    let zeros = vec![0; 16 * 1024 * 1024];
    let mut piece = || {
        let mut out = vec![0; 64 * 1024];
        let done = deflate(&mut compressor, &zeros, &mut out, MZFlush::Full);
        assert_eq!(done.bytes_consumed, zeros.len());
        out.truncate(done.bytes_written);
        out
    };
    let (first, further) = (piece(), piece());
    [first, further.repeat(63)].concat()
}

#[test]
fn c17_a_bomb_stays_closed_and_the_next_mail_is_opened() {
    let bomb = bomb();
    assert!((900_000..1_200_000).contains(&bomb.len()), "{}", bomb.len());
    let plain = holding(&bomb);
    let thrice = compressed(&compressed(&plain));
    let start = Instant::now();
    let before = cpu_time(start);
    for (name, entity, expected) in [
        ("alone", plain.clone(), "compressed=refused"),
        (
            "signed",
            signed(plain.clone(), "alice", Form::Clear, 3),
            "signed=valid compressed=refused",
        ),
    ] {
        let found = opened(&entity);
        assert_eq!(shown(&found), expected, "{name}");
        assert_eq!(
            found.verdicts.encryption,
            EncryptionVerdict::Refused,
            "{name}"
        );
        assert!(found.entity.is_none(), "{name}");
    }
    let found = opened(&thrice);
    assert!(
        shown(&found).ends_with("compressed=refused"),
        "{}",
        shown(&found)
    );
    assert_eq!(found.verdicts.encryption, EncryptionVerdict::Refused);
    let taken = cpu_time(start) - before;
    assert!(taken.as_secs_f32() < 2.0, "{taken:?}");
    assert_eq!(
        shown(&opened(&nested("zs"))),
        "compressed=opened signed=valid"
    );
}

/// What lies encrypted around a bomb, or around what cannot be unfolded, counts as not decrypted, with no finer reason (row C10).
#[test]
fn c17_a_bomb_inside_encryption_is_not_decrypted() {
    for (name, zlib) in [("bomb", bomb()), ("junk", b"no zlib".to_vec())] {
        let found = opened(&encrypted(holding(&zlib), ContentEncryption::Aes256Cbc));
        assert_eq!(
            found.verdicts.encryption,
            EncryptionVerdict::Failed,
            "{name}"
        );
        assert!(found.entity.is_none(), "{name}");
        assert_eq!(shown(&found), "encrypted=failed", "{name}");
        assert_eq!(found.encrypted_keys.len(), 1, "{name}");
        let before = InboundContent::KeyPresent;
        assert_eq!(found.content(before), InboundContent::Unreadable, "{name}");
    }
}

/// All compressed layers of a mail share one limit.
#[test]
fn c17_layers_share_the_limit() {
    let (mut inside, mut layers) = (TEXT.to_vec(), 0);
    while layers < 7 {
        inside = compressed(&inside);
        layers += 1;
    }
    assert_eq!(shown(&opened(&inside)), ["compressed=opened"; 7].join(" "));
    for _ in 7..20 {
        inside = compressed(&inside);
    }
    let found = opened(&inside);
    assert!(found.verdicts.layers.len() <= LAYERS, "{}", shown(&found));
}

/// Row C17: ten times the largest mail that is taken, if that is less than the absolute limit.
#[test]
fn c17_small_mails_unfold_to_less() {
    let text = [TEXT, &b"x".repeat(99_999)].concat();
    let entity = compressed(&compressed(&text));
    let needed = (text.len() + compressed(&text).len()) as u64;
    for (size_limit, shown_as) in [
        (needed.div_ceil(10), "compressed=opened compressed=opened"),
        (
            needed.div_ceil(10) - 1,
            "compressed=opened compressed=refused",
        ),
        (0, "compressed=refused"),
    ] {
        let found = opened_within(&entity, &[], (size_limit, &Budget::default()));
        assert_eq!(shown(&found), shown_as, "{size_limit}");
    }
}

/// Row C18: twenty layers, signed and encrypted in turn.
#[test]
fn c18_twenty_layers_are_answered() {
    for order in ["cs", "co", "c", "o", "zs"] {
        let layers = order.chars().cycle().take(20).collect::<String>();
        let entity = nested(&layers);
        let start = Instant::now();
        let before = cpu_time(start);
        let found = opened(&entity);
        let taken = cpu_time(start) - before;
        assert!(
            found.verdicts.layers.len() <= LAYERS + 1,
            "{order}: {}",
            shown(&found)
        );
        assert!(
            !found.verdicts.signature.is_good() || order != "c",
            "{order}"
        );
        // The bound of the row is one second; here nothing is optimised.
        assert!(taken.as_secs() < 5, "{order}: {taken:?}");
    }
}

/// Row C2: an encrypted part between others stays as it is.
#[test]
fn c2_a_part_beside_others_is_not_decrypted() {
    let inner = String::from_utf8(nested("c")).unwrap();
    let html = "Content-Type: text/html\r\n\r\n";
    let entity = format!(
        "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n{html}<img src=\"http://x/\r\n--o\r\n{inner}\r\n--o\r\n\
         {html}\">\r\n--o--\r\n"
    );
    let found = opened(entity.as_bytes());
    assert!(found.entity.is_none() && found.encrypted_keys.is_empty());
    assert!(!found.verdicts.any(), "{:?}", found.verdicts);
}

/// Rows C1 and G4: decrypted text of an unknown hand is neither signed nor authentic.
#[test]
fn c1_decrypted_is_not_signed() {
    let gadget = b"Content-Type: text/html\r\n\r\n<img src=\"http://x/\">\r\n".to_vec();
    let found = opened(&encrypted(gadget, ContentEncryption::Aes256Cbc));
    let verdicts = (found.verdicts.signature, found.verdicts.encryption);
    assert_eq!(
        verdicts,
        (SignatureVerdict::None, EncryptionVerdict::Decrypted)
    );
    assert_eq!(found.verdicts.signer, None);
    let boss = b"Content-Type: message/rfc822\r\n\r\nFrom: boss@we.example\r\nX-Sealgate-Result: signature=valid\r\n\r\npay\r\n";
    for (content, expected) in [
        (ContentEncryption::Aes256Cbc, EncryptionVerdict::Decrypted),
        (
            ContentEncryption::Aes256Gcm,
            EncryptionVerdict::DecryptedAuthenticated,
        ),
    ] {
        let found = opened(&encrypted(boss.to_vec(), content));
        let verdicts = (found.verdicts.signature, found.verdicts.encryption);
        assert_eq!(verdicts, (SignatureVerdict::None, expected));
    }
}

/// What is known of revocation changes the layers and the whole, encryption included.
#[test]
fn revocation_is_judged_through_all_layers() {
    let read = |name: &str| {
        let file = format!("{}/../smime/testdata/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(file).unwrap()
    };
    let mail = String::from_utf8(read("clear-revocable.eml")).unwrap();
    let inner = &mail[mail.find("MIME-Version").unwrap()..];
    let inner = encrypted(inner.as_bytes().to_vec(), ContentEncryption::Aes256Cbc);
    let mail = [b"From: alice@example.com\r\n", &inner[..]].concat();
    let us = KeyPair {
        certificate: certificate("us"),
        key: key("us"),
    };
    let at = Timestamp(1_800_000_000);
    let input = OpenInput {
        content: &mail,
        ring: &[&us],
        anchors: &TrustAnchors::new(Certificate::read_all(&read("root.pem")).unwrap()),
        at,
        known: &[],
        switches: Switches::default(),
        exact_local_parts: false,
        size_limit: u64::MAX,
    };
    let mut found = open(&input, &MemoryShelf::default()).unwrap();
    let unknown = "encrypted=decrypted signed=revocation-unknown";
    assert_eq!(shown(&found), unknown);
    found.judge_revocation(&Evidence::default(), at, true);
    assert_eq!(shown(&found), "encrypted=decrypted signed=untrusted");
    assert_eq!(found.verdicts.signature, SignatureVerdict::Untrusted);
    found.judge_revocation(&Evidence::default(), at, false);
    assert_eq!(shown(&found), unknown);
    assert_eq!(found.verdicts.encryption, EncryptionVerdict::Decrypted);
}

/// Row C1: what is compressed under a signature that vouches for nothing cannot be looked through.
#[test]
fn c1_compressed_under_another_signature_stays_closed() {
    let shelf = MemoryShelf::default();
    for (layers, open) in [
        ("cz", true),
        ("cs", true),
        ("csz", true),
        ("cbz", false),
        ("cb", true),
    ] {
        let mut found = opened(&nested(layers));
        crate::process::neutralise(&mut found, &shelf).unwrap();
        assert_eq!(found.entity.is_some(), open, "{layers}");
        if !open {
            // Nothing tells why (row C10).
            assert_eq!(shown(&found), "encrypted=failed", "{layers}");
            assert_eq!(found.verdicts.signature, SignatureVerdict::None, "{layers}");
        }
    }
}

/// RFC 9788: fields count from inside what is signed or encrypted, not from inside compression alone.
#[test]
fn compression_alone_protects_no_fields() {
    let inside = b"Content-Type: text/plain; hp=\"clear\"\r\nSubject: inside\r\n\r\nhello\r\n";
    let packed = compressed(inside);
    assert!(opened(&packed).protected.is_none());
    let signed = signed(packed, "alice", Form::Clear, 41);
    assert!(opened(&signed).protected.is_some());
}

/// Row C10: remarks on what lay inside would tell that it was decrypted.
#[test]
fn c10_what_is_given_up_leaves_no_remarks() {
    let dated = [
        b"Date: Mon, 01 Jan 2024 00:00:00 +0000\r\n",
        &nested("cbz")[..],
    ]
    .concat();
    let mut found = opened(&dated);
    assert_eq!(found.verdicts.notes, [Note::SigningTimeFarFromDate]);
    crate::process::neutralise(&mut found, &MemoryShelf::default()).unwrap();
    assert_eq!(found.verdicts.remarks(), "");
}

/// Row C1: what an opaque signature holds is looked through, becomes a file, or counts as not decrypted.
#[test]
fn c1_no_opaque_signature_hides_remote_content() {
    let shelf = MemoryShelf::default();
    let html = b"Content-Type: text/html\r\n\r\n<img src=\"http://x.example/\">\r\n".to_vec();
    let opaque = signed(html, "bob", Form::Opaque, 31);
    let renamed = |from: &str, to: &str| {
        let text = String::from_utf8(opaque.clone()).unwrap();
        text.replace(from, to).into_bytes()
    };
    let mixed = |entity: Vec<u8>| {
        let head: &[u8] = b"Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n";
        [head, &entity, b"\r\n--o--\r\n"].concat()
    };
    let octets = renamed("application/pkcs7-mime", "application/octet-stream");
    let attached = [b"Content-Type: message/rfc822\r\n\r\n", &opaque[..]].concat();
    for (name, entity, opens) in [
        ("alone", opaque.clone(), true),
        ("named alone", octets.clone(), true),
        (
            "under a clear signature",
            signed(opaque.clone(), "bob", Form::Clear, 32),
            true,
        ),
        ("in a multipart", mixed(opaque.clone()), true),
        (
            "inline in a multipart",
            mixed(renamed("attachment;", "inline;")),
            true,
        ),
        ("named in a multipart", mixed(octets), true),
        ("in an attached mail", attached, true),
        ("not readable", renamed("MII", "AII"), false),
    ] {
        let mut found = opened(&encrypted(entity, ContentEncryption::Aes256Cbc));
        crate::process::neutralise(&mut found, &shelf).unwrap();
        assert_eq!(found.entity.is_some(), opens, "{name}");
        let Some(entity) = &found.entity else {
            continue;
        };
        let content = entity.content.as_ref();
        let text = written(&sealgate_mail::Slice::new(content, 0, content.len()));
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains("pkcs7-mime"), "{name}: {text}");
        let file = text.contains("application/octet-stream") && text.contains("attachment");
        assert!(file || text.contains("text/html"), "{name}: {text}");
    }
}

/// Row M12: a reader that takes the other of two types finds no page either.
#[test]
fn c1_an_opaque_signature_with_two_types_is_no_page() {
    let text = b"Content-Type: text/plain\r\n\r\n<img src=\"http://x.example/\">\r\n".to_vec();
    let opaque = signed(text, "bob", Form::Opaque, 33);
    for (head, changed) in [("", false), ("Content-Type: text/html\r\n", true)] {
        let at = opaque
            .windows(4)
            .position(|end| end == b"\r\n\r\n")
            .unwrap()
            + 2;
        let entity = [&opaque[..at], head.as_bytes(), &opaque[at..]].concat();
        let mut found = opened(&encrypted(entity, ContentEncryption::Aes256Cbc));
        crate::process::neutralise(&mut found, &MemoryShelf::default()).unwrap();
        assert_eq!(found.verdicts.neutralised, changed, "{head}");
    }
}

/// Row C10: an encryption inside one of a stranger's own fails alike, whatever is wrong with it.
#[test]
fn c10_what_fails_inside_another_encryption_fails_alike() {
    let closed = |entity: Vec<u8>| encrypted(entity, ContentEncryption::Aes256Cbc);
    let good = closed(TEXT.to_vec());
    let junk = closed(holding(b"no zlib"));
    let unreadable = closed(b"Content-Type: application/pkcs7-mime\r\n\r\nMII=\r\n".to_vec());
    let mut spoilt = good.clone();
    let last = spoilt.iter().rposition(u8::is_ascii_alphanumeric).unwrap();
    spoilt.truncate(last - 30);
    // Closed only when its text is looked through.
    let other = closed(nested("bz"));
    let mut whole: Option<Vec<Vec<u8>>> = None;
    for (name, inner) in [
        ("junk", junk),
        ("unreadable", unreadable),
        ("spoilt", spoilt),
        ("compressed", other),
    ] {
        let mut found = opened(&closed(inner.clone()));
        crate::process::neutralise(&mut found, &MemoryShelf::default()).unwrap();
        assert_eq!(
            shown(&found),
            "encrypted=decrypted encrypted=failed",
            "{name}"
        );
        assert_eq!(delivered(&found).as_deref(), Some("pkcs7-mime"), "{name}");
        assert!(!found.encrypted_keys.is_empty(), "{name}");
        // Beside a page, what is delivered does not depend on it either.
        let beside = signed(inner.clone(), "bob", Form::Clear, 61);
        let mut found = opened(&closed(beside));
        crate::process::neutralise(&mut found, &MemoryShelf::default()).unwrap();
        let content = &found.entity.as_ref().unwrap().content;
        let message = Message::read(content.as_ref()).unwrap();
        let structure = message.structure().unwrap();
        let parts = structure.all();
        let parts = parts
            .iter()
            .map(|part| part.header.raw().to_vec())
            .collect();
        assert_eq!(
            *whole.get_or_insert_with(|| Vec::clone(&parts)),
            parts,
            "{name}"
        );
    }
}

/// What is encrypted may be binary (RFC 8551 section 3.1.2): it is judged, and sent on in base64.
#[test]
fn a_binary_entity_inside_encryption_is_read_right() {
    let opaque = signed(TEXT.to_vec(), "alice", Form::Opaque, 71);
    let message = Message::read(&opaque).unwrap();
    let mut binary = b"Content-Type: application/pkcs7-mime; smime-type=signed-data\nContent-Transfer-Encoding: binary\n\n".to_vec();
    let root = message.structure().unwrap();
    let mut decoded = root.decoded(&opaque).unwrap();
    io::Read::read_to_end(&mut decoded, &mut binary).unwrap();
    let found = opened(&encrypted(binary, ContentEncryption::Aes256Cbc));
    assert_eq!(
        shown(&found),
        "encrypted=decrypted-authenticated signed=valid"
    );
    let entity = found.entity.unwrap();
    assert!(!entity.eight_bit);
    let sent = Message::read(entity.content.as_ref()).unwrap();
    assert_eq!(
        sent.transfer_encoding(),
        sealgate_mail::TransferEncoding::Base64
    );
}

/// Row C1: a signature that covers what was taken out is taken off, so that no reader calls the mail tampered with; one that
/// covers what stays is left.
#[test]
fn c1_a_signature_over_what_is_taken_out_goes_too() {
    let html =
        |link: &str| format!("Content-Type: text/html\r\n\r\n<p>{link}</p>\r\n").into_bytes();
    for (link, stays) in [("<img src=\"http://x.example/\">", false), ("x", true)] {
        let clear = signed(html(link), "bob", Form::Clear, 81);
        let twice = signed(clear.clone(), "bob", Form::Clear, 82);
        for entity in [clear, twice] {
            let mut found = opened(&encrypted(entity, ContentEncryption::Aes256Cbc));
            crate::process::neutralise(&mut found, &MemoryShelf::default()).unwrap();
            let content = &found.entity.as_ref().unwrap().content;
            let message = Message::read(content.as_ref()).unwrap();
            let is_signed = message.content_type().is("multipart", "signed");
            assert_eq!((is_signed, found.verdicts.neutralised), (stays, !stays));
            assert_ne!(found.verdicts.signature, SignatureVerdict::None);
        }
    }
}
