//! 4.1 signatures, 4.2 validity, 4.5 self-issued certificates, 4.6 basic constraints, 4.7 key usage, 4.16 private extensions.

use super::*;
use crate::algorithms::AlgorithmIdentifier;

/// The certificate with another key, and with its signature named otherwise; the signature itself is lost.
fn in_dsa(certificate: &Certificate, parameters: Option<Vec<u8>>) -> Certificate {
    let (_, algorithm, signature) = certificate.signed_parts();
    let identifier = |oid: &str, parameters: Option<Vec<u8>>| {
        let oid = oid.parse().unwrap();
        AlgorithmIdentifier { oid, parameters }.to_der()
    };
    let key = identifier("1.2.840.10040.4.1", parameters);
    let key = asn1::sequence(&[&key, &asn1::bit_string(&asn1::unsigned(&[5; 128]))]);
    let dsa_with_sha1 = identifier("1.2.840.10040.4.3", None);
    let replace = |octets: &[u8], from: &[u8], to: &[u8]| {
        let at = octets.windows(from.len()).position(|some| some == from);
        let (before, rest) = octets.split_at(at.unwrap());
        [before, to, &rest[from.len()..]].concat()
    };
    let (tbs, _, _) = certificate.signed_parts();
    let inside = asn1::read_only(tbs, tag::SEQUENCE).unwrap().content;
    let inside = replace(inside, &algorithm.to_der(), &dsa_with_sha1);
    let inside = replace(&inside, certificate.spki_der(), &key);
    let tbs = asn1::tlv(tag::SEQUENCE, &inside);
    let signature = asn1::bit_string(signature);
    Certificate::from_der(&asn1::sequence(&[&tbs, &dsa_with_sha1, &signature])).unwrap()
}

#[test]
fn pkits_4_1_signatures() {
    check(
        "4.1",
        vec![
            (1, vec![ca([]), user([])], "valid"),
            (2, vec![ca([]).spoilt(), user([])], "untrusted"),
            (3, vec![ca([]), user([]).spoilt()], "untrusted"),
        ],
    );
    // 4 to 6: DSA is never good, be the signature true or not, and be the parameters given or inherited.
    let numbers = asn1::sequence(&[&asn1::small(7), &asn1::small(3), &asn1::small(2)]);
    for parameters in [Some(numbers), None] {
        let mut all = made(&[ca([]), user([])]);
        for certificate in &mut all[1..] {
            *certificate = in_dsa(certificate, parameters.clone());
        }
        assert_eq!(judged(&all), "weak");
    }
}

/// A validity from the first to the second, UTCTime where two digits stand for the year.
fn valid(from: &str, to: &str) -> impl Fn(&mut Wanted<'_>) + use<> {
    let time = |text: &str| match text.len() {
        13 => asn1::tlv(tag::UTC_TIME, text.as_bytes()),
        _ => asn1::tlv(tag::GENERALIZED_TIME, text.as_bytes()),
    };
    let both = [time(from), time(to)].concat();
    move |wanted| wanted.validity = Some(both.clone())
}

#[test]
fn pkits_4_2_validity_periods() {
    let (past, future) = ("100101083000Z", "301231083000Z");
    let user_at = |from: &str, to: &str| vec![ca([]), user([]).but(valid(from, to))];
    let ca_at = |from: &str, to: &str| vec![ca([]).but(valid(from, to)), user([])];
    check(
        "4.2",
        vec![
            (1, ca_at("470101120100Z", "490101120100Z"), "early"),
            (2, user_at("470101120100Z", "490101120100Z"), "early"),
            // UTCTime before 2000.
            (3, user_at("500101120100Z", future), "valid"),
            (4, user_at("20020101120100Z", future), "valid"),
            (5, ca_at(past, "110101083000Z"), "expired"),
            (6, user_at(past, "110101083000Z"), "expired"),
            (7, user_at(past, "990101120100Z"), "expired"),
            (8, user_at(past, "20500101120100Z"), "valid"),
            // RFC 5280 section 4.1.2.5: a certificate without an end.
            (9, user_at(past, "99991231235959Z"), "valid"),
            (10, ca_at("19500101000000Z", "99991231235959Z"), "valid"),
        ],
    );
}

/// An authority's certificate from the anchor, the certificate between its two keys, and a user's by `signer`.
struct Rollover {
    root: Certificate,
    root_key: PrivateKey,
    keys: [PrivateKey; 2],
}

impl Rollover {
    fn new() -> Self {
        let root_key = maker::key();
        let root = Wanted::new("Root", "Root", &root_key)
            .with(maker::authority())
            .by(&root_key);
        Self {
            root,
            root_key,
            keys: [maker::key(), maker::key()],
        }
    }

    /// The anchor vouches for one key, that key for the other one under `usage`, and `signer` for the user.
    fn judged(&self, vouched: usize, usage: u8, signer: usize, key_id: Option<Vec<u8>>) -> &str {
        let other = 1 - vouched;
        let authority = |issuer: &str, key| {
            Wanted::new("CA", issuer, key)
                .with(maker::authority())
                .with(maker::extension(
                    "2.5.29.14",
                    false,
                    &asn1::octet_string(b"key"),
                ))
        };
        let first = authority("Root", &self.keys[vouched]).by(&self.root_key);
        let second = authority("CA", &self.keys[other])
            .with(maker::key_usage(usage))
            .by(&self.keys[vouched]);
        let key = maker::key();
        let mut end = Wanted::new("User", "CA", &key);
        end.extensions.extend(key_id);
        let end = end.by(&self.keys[signer]);
        judged(&[self.root.clone(), first, second, end])
    }
}

fn key_id(octets: &[u8]) -> Vec<u8> {
    let id = asn1::tlv(tag::context(0), octets);
    maker::extension("2.5.29.35", false, &asn1::sequence(&[&id]))
}

#[test]
fn pkits_4_5_self_issued_certificates() {
    let ids = [None, Some(key_id(b"key")), Some(key_id(b"unknown"))];
    let lists_only = 0b0000_0010;
    for id in ids {
        let rollover = Rollover::new();
        let judged = |vouched, usage, signer| rollover.judged(vouched, usage, signer, id.clone());
        // 1 and 3: the old key by the new one, and the new key by the old one.
        assert_eq!(judged(1, AUTHORITY_USAGE, 0), "valid");
        assert_eq!(judged(0, AUTHORITY_USAGE, 1), "valid");
        // 6: a key for lists beside the one for certificates; 8: it signs no certificates.
        assert_eq!(judged(0, lists_only, 0), "valid");
        assert_eq!(judged(0, lists_only, 1), "rule");
    }
}

fn up_to(length: u32) -> Link {
    let above = [
        maker::authority_above(length),
        maker::key_usage(AUTHORITY_USAGE),
    ];
    ca([]).bare(above)
}

fn same_up_to(length: u32) -> Link {
    Link {
        owner: Owner::Same,
        ..up_to(length)
    }
}

/// basicConstraints with or without `cA`.
fn basic(critical: bool, authority: bool) -> Vec<u8> {
    let ca = asn1::tlv(tag::BOOLEAN, &[0xff]);
    let value = asn1::sequence(&[if authority { &ca } else { &[] }]);
    maker::extension("2.5.29.19", critical, &value)
}

#[test]
fn pkits_4_6_basic_constraints() {
    let usage = || maker::key_usage(AUTHORITY_USAGE);
    let end = || user([]);
    // Here a path ends with an authority's certificate; it may not sign mail (row X4).
    let last_ca = || ca([]).bare([maker::authority(), maker::key_usage(0b1100_0110)]);
    check(
        "4.6",
        vec![
            (1, vec![ca([]).bare([usage()]), end()], "rule"),
            (
                2,
                vec![ca([]).bare([basic(true, false), usage()]), end()],
                "rule",
            ),
            (
                3,
                vec![ca([]).bare([basic(false, false), usage()]), end()],
                "rule",
            ),
            (
                4,
                vec![ca([]).bare([basic(false, true), usage()]), end()],
                "valid",
            ),
            (5, vec![up_to(0), ca([]), end()], "rule"),
            (6, vec![up_to(0), ca([]), last_ca()], "rule"),
            (7, vec![up_to(0), end()], "valid"),
            (8, vec![up_to(0), last_ca()], "usage"),
            (9, vec![up_to(6), up_to(0), up_to(0), end()], "rule"),
            (10, vec![up_to(6), up_to(0), up_to(0), last_ca()], "rule"),
            (
                11,
                vec![up_to(6), up_to(1), up_to(1), ca([]), end()],
                "rule",
            ),
            (
                12,
                vec![up_to(6), up_to(1), up_to(1), ca([]), last_ca()],
                "rule",
            ),
            (
                13,
                vec![up_to(6), up_to(4), up_to(1), ca([]), end()],
                "valid",
            ),
            (
                14,
                vec![up_to(6), up_to(4), up_to(1), ca([]), last_ca()],
                "usage",
            ),
            (15, vec![up_to(0), same_up_to(0), end()], "valid"),
            (16, vec![up_to(0), same_up_to(0), up_to(0), end()], "rule"),
            (
                17,
                vec![up_to(1), same_up_to(1), ca([]), same([]), end()],
                "valid",
            ),
        ],
    );
}

#[test]
fn pkits_4_7_key_usage() {
    let plain = |critical: bool, octet: u8| {
        maker::extension(
            "2.5.29.15",
            critical,
            &asn1::tlv(tag::BIT_STRING, &[0, octet]),
        )
    };
    let with = |usage| vec![ca([]).bare([maker::authority(), usage]), user([])];
    let lists_only = 0b0000_0010;
    let no_lists = 0b0000_0100;
    check(
        "4.7",
        vec![
            (1, with(plain(true, lists_only)), "rule"),
            (2, with(plain(false, lists_only)), "rule"),
            (3, with(plain(false, AUTHORITY_USAGE)), "valid"),
            // 4 and 5: its lists do not count, and no list is named here.
            (4, with(plain(true, no_lists)), "valid"),
            (5, with(plain(false, no_lists)), "valid"),
        ],
    );
}

#[test]
fn pkits_4_16_private_extensions() {
    let private = |critical| maker::extension("2.16.840.1.101.2.1.12.2", critical, &[5, 0]);
    check(
        "4.16",
        vec![
            (1, vec![ca([]), user([private(false)])], "valid"),
            (2, vec![ca([]), user([private(true)])], "rule"),
            (3, vec![ca([private(true)]), user([])], "rule"),
        ],
    );
}
