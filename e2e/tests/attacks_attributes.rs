//! Rows C15 and C16 of security.md over SMTP: signed attributes that are missing, doubled or wrong, broken digests, and content that is
//! taken for attributes. The objects are put together here, with digests and signatures of the `openssl` program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use e2e::attack::{
    Attempt, BROKEN, CONTENT_TYPE, DATA, MESSAGE_DIGEST, PART, SIGNING_TIME, VALID, algorithm,
    attribute, attributes, cast, clear_signed, cms_of, digest, good, judge, pkcs7, scene,
    signed_data, signer, start,
};
use e2e::cast::Cast;
use e2e::der::{Node, of, oid, plain};
use e2e::keys::KeyKind;
use e2e::mime::find;
use e2e::openssl;
use e2e::scene::rule;

#[test]
fn c15_signed_attributes_over_smtp() {
    let Some(scene) = start("attack-c15") else {
        return;
    };
    let carol = &cast().carol;
    let [kind, hash] = attributes(PART).try_into().unwrap();
    let time = |text: &[u8]| attribute(SIGNING_TIME, vec![plain(0x17, text)]);
    let wrong = attribute(MESSAGE_DIGEST, vec![plain(4, &digest("sha256", b"x"))]);
    let other_kind = attribute(CONTENT_TYPE, vec![oid("1.2.840.113549.1.7.3")]);
    let twice = attribute(
        MESSAGE_DIGEST,
        vec![
            plain(4, &digest("sha256", PART)),
            plain(4, &digest("sha256", b"x")),
        ],
    );
    let table: Vec<(&str, Vec<Node>, &[&str])> = vec![
        ("good", vec![kind.clone(), hash.clone()], VALID),
        (
            "good-time",
            vec![kind.clone(), hash.clone(), time(b"260301120000Z")],
            VALID,
        ),
        ("no-type", vec![hash.clone()], BROKEN),
        ("no-digest", vec![kind.clone()], BROKEN),
        ("no-attributes", vec![], BROKEN),
        (
            "type-twice",
            vec![kind.clone(), kind.clone(), hash.clone()],
            BROKEN,
        ),
        (
            "digest-twice",
            vec![kind.clone(), hash.clone(), hash.clone()],
            BROKEN,
        ),
        (
            "two-digests",
            vec![kind.clone(), hash.clone(), wrong.clone()],
            BROKEN,
        ),
        ("two-values", vec![kind.clone(), twice], BROKEN),
        ("wrong-digest", vec![kind.clone(), wrong], BROKEN),
        ("other-type", vec![other_kind, hash.clone()], BROKEN),
        (
            "bad-time",
            vec![kind.clone(), hash.clone(), time(b"269901120000Z")],
            BROKEN,
        ),
        (
            "time-twice",
            vec![kind, hash, time(b"260301120000Z"), time(b"260302120000Z")],
            BROKEN,
        ),
    ];
    let mut attempts: Vec<_> = table
        .into_iter()
        .map(|(name, list, expected)| {
            let info = signer(carol, Some(list), PART);
            let cms = signed_data(None, &[carol], vec![info]);
            Attempt::new(name, &clear_signed(PART, &cms)).signature(expected)
        })
        .collect();
    // CVE-2026-45447: an empty set of digests above a signer.
    let mut no_digests = good(None);
    no_digests.at(&[1, 0, 1]).parts().clear();
    attempts.push(
        Attempt::new("no-digest-algorithms", &clear_signed(PART, &no_digests)).signature(BROKEN),
    );
    let mut other_digests = good(None);
    *other_digests.at(&[1, 0, 1, 0]) = algorithm("2.16.840.1.101.3.4.2.3");
    attempts.push(
        Attempt::new(
            "other-digest-algorithms",
            &clear_signed(PART, &other_digests),
        )
        .signature(BROKEN),
    );
    judge(&scene, &attempts);
}

/// Digests that prove nothing, by OpenSSL with an RSA key; MD4 it makes no longer, so its name is written over MD5's.
#[test]
fn c15_broken_digests_over_smtp() {
    let kind = KeyKind::Rsa(2048);
    let Some(scene) = scene("attack-c15-digests", kind, &rule("optional", "neither")) else {
        return;
    };
    let carol = &Cast::with(kind).carol;
    let signed = |name: &str| {
        let mut arguments = e2e::keys::words("cms -sign -noindef -crlfeol -nodetach -md");
        arguments.push(name.to_owned());
        for (option, file) in [("-signer", &carol.certificate), ("-inkey", &carol.key)] {
            arguments.extend([option.to_owned(), e2e::keys::shown(file)]);
        }
        let made = e2e::program::must_run("openssl", &arguments, PART);
        cms_of(&openssl::crlf(&made))
    };
    let mut attempts = vec![
        Attempt::new("sha256", &pkcs7(&signed("sha256"), "signed-data")).signature(VALID),
        Attempt::new("sha1", &pkcs7(&signed("sha1"), "signed-data")).signature(&["weak"]),
        Attempt::new("md5", &pkcs7(&signed("md5"), "signed-data")).signature(&["weak"]),
    ];
    let mut fourth = signed("md5");
    rename(
        &mut fourth,
        &oid("1.2.840.113549.2.5"),
        &oid("1.2.840.113549.2.4"),
    );
    attempts.push(
        Attempt::new("md4", &pkcs7(&fourth, "signed-data")).signature(&[
            "weak",
            "unsupported",
            "broken",
        ]),
    );
    judge(&scene, &attempts);
}

fn rename(node: &mut Node, from: &Node, to: &Node) {
    if node == from {
        *node = to.clone();
    } else if node.tag & 0x20 != 0 {
        for part in node.parts() {
            rename(part, from, to);
        }
    }
}

/// RFC 5652 section 5.3: a signature over attributes is not one over the content that is their DER, nor the other way round.
#[test]
fn c16_attributes_as_content_over_smtp() {
    let Some(scene) = start("attack-c16") else {
        return;
    };
    let carol = &cast().carol;
    let mut list = attributes(PART);
    list.sort_by_key(Node::der);
    let as_content = of(0x31, list.clone()).der();
    // The signature of a good mail, with its attributes made the content.
    let stolen = {
        let mut info = signer(carol, Some(list), PART);
        info.parts().remove(3);
        info
    };
    let without = |content: &[u8]| signer(carol, None, content);
    let opaque = |content: &[u8], info: Node| {
        pkcs7(
            &signed_data(Some(content), &[carol], vec![info]),
            "signed-data",
        )
    };
    let mut other_type = signed_data(Some(PART), &[carol], vec![without(PART)]);
    *other_type.at(&[1, 0, 2, 0]) = oid("1.2.840.113549.1.9.16.1.1");
    let attempts = [
        Attempt::new("no-attributes", &opaque(PART, without(PART))).signature(VALID),
        Attempt::new("stolen", &opaque(&as_content, stolen.clone())).signature(BROKEN),
        Attempt::new("fresh", &opaque(&as_content, without(&as_content))).signature(BROKEN),
        Attempt::new(
            "stolen-clear",
            &clear_signed(
                &as_content_as_text(&as_content),
                &signed_data(None, &[carol], vec![stolen]),
            ),
        )
        .signature(BROKEN),
        Attempt::new("other-type", &pkcs7(&other_type, "signed-data"))
            .signature(&["broken", "unsupported"]),
    ];
    assert!(find(&as_content, &oid(DATA).der()).is_some());
    judge(&scene, &attempts);
}

/// Octets that SMTP carries stand for those it does not.
fn as_content_as_text(content: &[u8]) -> Vec<u8> {
    let carried = |octet: &u8| {
        if matches!(octet, b'\r' | b'\n' | 0) {
            b'.'
        } else {
            *octet & 0x7f
        }
    };
    content.iter().map(carried).collect()
}
