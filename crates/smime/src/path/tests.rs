//! Tests of the search and of the rules.

use super::*;
use crate::algorithms::{Curve, DigestAlgorithm, KeyTransport, PublicKeyKind, SignatureAlgorithm};
use crate::asn1;
use crate::key::PrivateKey;
use crate::maker::{self, NOW, Wanted};

/// A root, an issuing authority by it, and a leaf by that.
struct Chain {
    root: Certificate,
    root_key: PrivateKey,
    issuing: Certificate,
    issuing_key: PrivateKey,
    leaf_key: PrivateKey,
}

fn chain() -> Chain {
    let (root_key, issuing_key, leaf_key) = (maker::key(), maker::key(), maker::key());
    let root = Wanted::new("Root", "Root", &root_key)
        .with(maker::authority())
        .by(&root_key);
    let issuing = Wanted::new("Issuing", "Root", &issuing_key)
        .with(maker::authority())
        .by(&root_key);
    Chain {
        root,
        root_key,
        issuing,
        issuing_key,
        leaf_key,
    }
}

impl Chain {
    fn leaf<'a>(&'a self, change: impl FnOnce(&mut Wanted<'a>)) -> Certificate {
        let mut wanted =
            Wanted::new("Leaf", "Issuing", &self.leaf_key).with(maker::addresses(&["a@x.example"]));
        change(&mut wanted);
        wanted.by(&self.issuing_key)
    }

    /// Gives the issuing authority one extension more.
    fn constrain(&mut self, extension: Vec<u8>) {
        self.issuing = Wanted::new("Issuing", "Root", &self.issuing_key)
            .with(maker::authority())
            .with(extension)
            .by(&self.root_key);
    }

    fn judge(&self, leaf: &Certificate, at: Timestamp) -> Result<VerifiedPath, PathFailure> {
        let anchors = TrustAnchors::new(vec![self.root.clone()]);
        judge(
            leaf,
            std::slice::from_ref(&self.issuing),
            &anchors,
            Purpose::Sign,
            at,
        )
    }
}

#[test]
fn paths_and_their_failures() {
    let chain = chain();
    let good = chain.leaf(|_| {});
    let path = chain.judge(&good, NOW).unwrap();
    assert_eq!(
        path.chain(),
        [good.clone(), chain.issuing.clone(), chain.root.clone()]
    );
    assert_eq!(path.revocation(), Revocation::NotNamed);
    let names_crl = chain.leaf(|wanted| wanted.extensions.push(maker::revocation_list()));
    assert_eq!(
        chain.judge(&names_crl, NOW).unwrap().revocation(),
        Revocation::Unknown
    );
    let fails = |leaf: &Certificate, at| chain.judge(leaf, at).unwrap_err();
    let decade = 10 * 365 * 86_400;
    assert_eq!(fails(&good, NOW.plus(decade)), PathFailure::Expired);
    assert_eq!(fails(&good, NOW.plus(-decade)), PathFailure::NotYetValid);
    let server = chain.leaf(|wanted| wanted.extensions.push(maker::purpose("1.3.6.1.5.5.7.3.1")));
    assert_eq!(
        fails(&server, NOW),
        PathFailure::WrongUsage(UsageRefusal::Purpose)
    );
    let critical = chain.leaf(|wanted| {
        wanted
            .extensions
            .push(maker::extension("1.2.3", true, &[5, 0]))
    });
    assert!(matches!(fails(&critical, NOW), PathFailure::Rule(_)));
    assert_eq!(
        fails(&self::chain().leaf(|_| {}), NOW),
        PathFailure::Untrusted
    );
    // A leaf that signs another certificate is no authority.
    let other = Wanted::new("Other", "Leaf", &chain.leaf_key).by(&chain.leaf_key);
    let anchors = TrustAnchors::new(vec![chain.root.clone()]);
    let bag = [good, chain.issuing.clone()];
    assert!(matches!(
        judge(&other, &bag, &anchors, Purpose::Sign, NOW),
        Err(PathFailure::Rule(_))
    ));
}

/// A SubjectPublicKeyInfo around an RSA modulus that nobody has to be able to factor.
fn rsa(modulus: &[u8]) -> Vec<u8> {
    let key = asn1::sequence(&[&asn1::unsigned(modulus), &asn1::unsigned(&[1, 0, 1])]);
    let identifier = KeyTransport::RsaPkcs1.identifier().to_der();
    asn1::sequence(&[&identifier, &asn1::bit_string(&key)])
}

fn modulus(bits: usize) -> Vec<u8> {
    [&vec![0xc1; bits / 8 - 1][..], &[1]].concat()
}

#[test]
fn x3_weak_keys_of_signers_and_authorities() {
    let chain = chain();
    for (modulus, bits, weak) in [
        (modulus(1024), 1024, true),
        (modulus(2040), 2040, true),
        (modulus(2048), 2048, false),
        (modulus(8192), 8192, false),
        (modulus(8200), 8200, true),
        (modulus(16384), 16384, true),
        (crate::roca::marked_modulus(), 2049, true),
    ] {
        let spki = rsa(&modulus);
        let leaf = chain.leaf(|wanted| wanted.spki = &spki);
        assert_eq!(leaf.key_kind(), Some(PublicKeyKind::Rsa(bits)));
        let start = std::time::Instant::now();
        let failure = chain.judge(&leaf, NOW).err();
        assert_eq!(failure, weak.then_some(PathFailure::Weak), "{bits}");
        // As an authority it is not even computed with.
        let authority = Wanted {
            spki: &spki,
            ..Wanted::new("Issuing", "Root", &chain.leaf_key)
        };
        let authority = authority.with(maker::authority()).by(&chain.root_key);
        let anchors = TrustAnchors::new(vec![chain.root.clone()]);
        let leaf = chain.leaf(|_| {});
        let failure = judge(&leaf, &[authority], &anchors, Purpose::Sign, NOW).unwrap_err();
        let expected = if weak {
            PathFailure::Weak
        } else {
            PathFailure::Untrusted
        };
        assert_eq!(failure, expected, "{bits}");
        assert!(start.elapsed().as_millis() < 500, "{bits}");
    }
}

/// The certificate with another signature algorithm written in both places.
fn renamed(certificate: &Certificate, oid: &str) -> Certificate {
    let (tbs, algorithm, signature) = certificate.signed_parts();
    let (from, to) = (
        algorithm.to_der(),
        asn1::sequence(&[&asn1::oid(&oid.parse().unwrap())]),
    );
    let fields = asn1::read_only(tbs, asn1::tag::SEQUENCE).unwrap().inside();
    let fields: Vec<Vec<u8>> = fields
        .all()
        .unwrap()
        .iter()
        .map(|field| {
            if field.raw == from {
                to.clone()
            } else {
                field.raw.to_vec()
            }
        })
        .collect();
    let tbs = asn1::tlv(asn1::tag::SEQUENCE, &fields.concat());
    let whole = asn1::sequence(&[&tbs, &to, &asn1::bit_string(signature)]);
    Certificate::from_der(&whole).unwrap()
}

#[test]
fn x3_weak_digests_and_dsa_in_the_chain() {
    let chain = chain();
    let sha1 = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha1);
    let by_sha1 = chain.leaf(|wanted| wanted.algorithm = Some(sha1));
    assert_eq!(chain.judge(&by_sha1, NOW).unwrap_err(), PathFailure::Weak);
    let good = chain.leaf(|_| {});
    for weak in [
        "1.2.840.113549.1.1.4",
        "1.2.840.10040.4.3",
        "2.16.840.1.101.3.4.3.2",
    ] {
        let leaf = renamed(&good, weak);
        assert_eq!(chain.judge(&leaf, NOW).unwrap_err(), PathFailure::Weak);
    }
    let unknown = renamed(&good, "1.2.3.4");
    assert_eq!(
        chain.judge(&unknown, NOW).unwrap_err(),
        PathFailure::Untrusted
    );
}

#[test]
fn x3_a_dsa_key_can_be_used_for_nothing() {
    let chain = chain();
    let identifier = asn1::sequence(&[&asn1::oid(&"1.2.840.10040.4.1".parse().unwrap())]);
    let spki = asn1::sequence(&[&identifier, &asn1::bit_string(&asn1::unsigned(&[5; 256]))]);
    let leaf = chain.leaf(|wanted| wanted.spki = &spki);
    let refusal = Err(UsageRefusal::KeyKind);
    assert_eq!((leaf.may_sign(), leaf.may_encrypt()), (refusal, refusal));
    assert_eq!(
        chain.judge(&leaf, NOW).unwrap_err(),
        PathFailure::WrongUsage(UsageRefusal::KeyKind)
    );
}

#[test]
fn path_lengths_count_down() {
    let keys = [maker::key(), maker::key(), maker::key(), maker::key()];
    let leaf = Wanted::new("Leaf", "CA 2", &keys[3]).by(&keys[2]);
    for (path_length, good) in [(2, true), (1, false), (0, false)] {
        let root = Wanted::new("CA 0", "CA 0", &keys[0])
            .with(maker::authority_above(path_length))
            .by(&keys[0]);
        let first = Wanted::new("CA 1", "CA 0", &keys[1])
            .with(maker::authority())
            .by(&keys[0]);
        let second = Wanted::new("CA 2", "CA 1", &keys[2])
            .with(maker::authority())
            .by(&keys[1]);
        let anchors = TrustAnchors::new(vec![root]);
        let result = judge(&leaf, &[second, first], &anchors, Purpose::Encrypt, NOW);
        assert_eq!(result.is_ok(), good, "{path_length}");
    }
}

/// So many authorities, each of which has a certificate by each other one; all in one bag.
fn cross_signed(count: usize, keys: &[PrivateKey]) -> Vec<Certificate> {
    let named = |n: usize| format!("CA {n}");
    let pairs = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
    pairs
        .filter(|(from, to)| from != to)
        .map(|(from, to)| {
            Wanted::new(&named(to), &named(from), &keys[to])
                .with(maker::authority())
                .by(&keys[from])
        })
        .collect()
}

#[test]
fn x2_sixty_cross_signed_authorities_stay_within_the_budget() {
    let keys: Vec<PrivateKey> = (0..60).map(|_| maker::key()).collect();
    let bag = cross_signed(60, &keys);
    let leaves: Vec<Certificate> = keys[..16]
        .iter()
        .enumerate()
        .map(|(n, key)| {
            let leaf_key = maker::key();
            Wanted::new(&format!("Leaf {n}"), &format!("CA {n}"), &leaf_key).by(key)
        })
        .collect();
    let anchors = TrustAnchors::new(vec![chain().root]);
    let start = std::time::Instant::now();
    let finder = PathFinder::new(&bag, &anchors, NOW);
    for leaf in &leaves {
        assert_eq!(
            finder.judge(leaf, Purpose::Sign).unwrap_err(),
            PathFailure::Budget
        );
    }
    assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
    assert_eq!(finder.work().borrow().checks(), limits::SIGNATURE_CHECKS);
}

#[test]
fn x2_what_was_checked_for_one_signer_is_not_checked_for_the_next() {
    let chain = chain();
    let anchors = TrustAnchors::new(vec![chain.root.clone()]);
    let bag = [chain.issuing.clone()];
    let finder = PathFinder::new(&bag, &anchors, NOW);
    let leaf = chain.leaf(|_| {});
    for _ in 0..3 {
        finder.judge(&leaf, Purpose::Sign).unwrap();
        assert_eq!(finder.work().borrow().checks(), 2);
    }
    finder.judge(&chain.leaf(|_| {}), Purpose::Sign).unwrap();
    assert_eq!(finder.work().borrow().checks(), 3);
}

/// Each layer of a message has a bag of its own, and all of them one budget.
#[test]
fn x2_all_signatures_of_a_message_share_one_budget() {
    let chain = chain();
    let anchors = TrustAnchors::new(vec![chain.root.clone()]);
    let bag = [chain.issuing.clone()];
    let budget = Budget::default();
    for _ in 0..3 {
        let finder = PathFinder::new(&bag, &anchors, NOW).within(&budget);
        finder.judge(&chain.leaf(|_| {}), Purpose::Sign).unwrap();
    }
    assert_eq!(budget.checks(), 4);
    while budget.take_check() {}
    assert_eq!(budget.checks(), limits::SIGNATURE_CHECKS);
    let finder = PathFinder::new(&bag, &anchors, NOW).within(&budget);
    let found = finder.judge(&chain.leaf(|_| {}), Purpose::Sign);
    assert_eq!(found.unwrap_err(), PathFailure::Budget);
}

#[test]
fn serial_numbers_of_twenty_octets_and_a_sign() {
    let chain = chain();
    for (octets, good) in [
        (vec![1], true),
        (vec![0], true),
        (vec![0x80; 20], true),
        ([&[0][..], &[0xff; 20]].concat(), true),
        (vec![0x7f; 21], false),
        ([&[0][..], &[0xff; 21]].concat(), false),
    ] {
        let leaf = chain.leaf(|wanted| wanted.serial = Some(octets.clone()));
        assert_eq!(chain.judge(&leaf, NOW).is_ok(), good, "{octets:02x?}");
    }
}

#[test]
fn legacy_digests_pass_where_they_are_let_in() {
    let chain = chain();
    let sha1 = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha1);
    let leaf = chain.leaf(|wanted| wanted.algorithm = Some(sha1));
    let anchors = TrustAnchors::new(vec![chain.root.clone()]);
    let bag = [chain.issuing.clone()];
    for (legacy, expected) in [(false, Err(PathFailure::Weak)), (true, Ok(()))] {
        let switches = Switches {
            legacy,
            brainpool: false,
            at: NOW,
        };
        let finder = PathFinder::new(&bag, &anchors, NOW).allowing(switches);
        assert_eq!(finder.judge(&leaf, Purpose::Sign).map(|_| ()), expected);
    }
}

#[test]
fn an_anchor_on_a_curve_that_is_not_let_in_vouches_for_nobody() {
    let key = PrivateKey::brainpool(Curve::BrainpoolP256, &[3; 32]);
    let by = maker::key();
    let root = Wanted::new("Issuing", "Root", &key).with(maker::authority());
    let (root, leaf) = (root.by(&by), chain().leaf(|_| {}));
    for (brainpool, good) in [(false, false), (true, true)] {
        let terms = Terms {
            at: NOW,
            purpose: None,
            conforming: false,
            switches: Switches {
                legacy: false,
                brainpool,
                at: NOW,
            },
        };
        let judged = rules::judge_chain(&[&leaf, &root], &terms, &mut 0);
        assert_eq!(judged.is_ok(), good, "{judged:?}");
    }
}

/// nameConstraints with one subtree of mailboxes, permitted or excluded.
fn mailboxes(excluded: bool, tree: &str) -> Vec<u8> {
    let subtree = asn1::sequence(&[&asn1::tlv(asn1::tag::context(1), tree.as_bytes())]);
    let list = asn1::tlv(asn1::tag::context_constructed(u8::from(excluded)), &subtree);
    maker::extension("2.5.29.30", true, &asn1::sequence(&[&list]))
}

/// subjectAltName with one SmtpUTF8Mailbox.
fn utf8_mailbox(text: &str) -> Vec<u8> {
    let value = asn1::tlv(asn1::tag::UTF8_STRING, text.as_bytes());
    let name = [
        asn1::oid(&"1.3.6.1.5.5.7.8.9".parse().unwrap()),
        asn1::tlv(asn1::tag::context_constructed(0), &value),
    ];
    let name = asn1::tlv(asn1::tag::context_constructed(0), &name.concat());
    maker::extension("2.5.29.17", false, &asn1::sequence(&[&name]))
}

#[test]
fn x1_authorities_for_some_addresses_only() {
    let [mailbox, utf8] = [maker::addresses, |texts: &[&str]| utf8_mailbox(texts[0])];
    for (excluded, tree, name, good) in [
        (false, "x.example", mailbox(&["a@x.example"]), true),
        (false, "x.example", mailbox(&["a@X.EXAMPLE"]), true),
        (false, "x.example", mailbox(&["a@y.example"]), false),
        (
            false,
            "x.example",
            mailbox(&["a@x.example", "a@y.example"]),
            false,
        ),
        (false, ".x.example", mailbox(&["a@m.x.example"]), true),
        (false, "a@x.example", mailbox(&["b@x.example"]), false),
        (false, "x.example", mailbox(&["nonsense"]), false),
        // One mailbox: its local part in its case, but nobody passes an exclusion by another case.
        (false, "a@x.example", mailbox(&["a@X.example"]), true),
        (false, "a@X.Example", mailbox(&["a@x.example"]), true),
        (false, "a@x.example", mailbox(&["A@x.example"]), false),
        (true, "a@x.example", mailbox(&["a@x.example"]), false),
        (true, "a@x.example", mailbox(&["A@x.example"]), false),
        (true, "a@x.example", mailbox(&["b@x.example"]), true),
        (
            false,
            "\"a b\"@x.example",
            mailbox(&["\"a b\"@x.example"]),
            true,
        ),
        (false, "a@x.example", utf8(&["\u{e4}@x.example"]), false),
        (true, "a@x.example", utf8(&["\u{e4}@x.example"]), true),
        // Every address, and a subtree that is none.
        (true, "", mailbox(&["a@x.example"]), false),
        (true, "@x.example", mailbox(&["a@x.example"]), false),
        (true, "y.example", mailbox(&["a@x.example"]), true),
        (true, "x.example", mailbox(&["a@x.example"]), false),
        (false, "x.example", utf8(&["\u{e4}@x.example"]), true),
        (false, "x.example", utf8(&["\u{e4}@y.example"]), false),
        (true, "x.example", utf8(&["\u{e4}@x.example"]), false),
        // RFC 9598 section 6: U-labels of the name, A-labels of the constraint.
        (
            false,
            "xn--bcher-kva.example",
            utf8(&["\u{e4}@b\u{fc}cher.example"]),
            true,
        ),
        (
            true,
            "xn--bcher-kva.example",
            utf8(&["\u{e4}@b\u{fc}cher.example"]),
            false,
        ),
    ] {
        let mut chain = chain();
        chain.constrain(mailboxes(excluded, tree));
        let leaf = chain.leaf(|wanted| wanted.extensions = vec![name.clone()]);
        let result = chain.judge(&leaf, NOW);
        assert_eq!(
            result.is_ok(),
            good,
            "{excluded} {tree} {name:x?}: {result:?}"
        );
    }
}

#[test]
fn x1_an_address_in_the_subject_is_constrained_too() {
    let mut chain = chain();
    chain.constrain(mailboxes(false, "x.example"));
    for (address, good) in [("a@x.example", true), ("a@y.example", false)] {
        let leaf = chain.leaf(|wanted| {
            wanted.subject = maker::name(&[("1.2.840.113549.1.9.1", address)]);
            wanted.extensions.clear();
        });
        assert_eq!(chain.judge(&leaf, NOW).is_ok(), good, "{address}");
    }
}

#[test]
fn x4_authorities_for_servers_do_not_vouch_for_mail() {
    let server = maker::purpose("1.3.6.1.5.5.7.3.1");
    let mut chain = chain();
    chain.constrain(server);
    let leaf = chain.leaf(|_| {});
    assert!(matches!(chain.judge(&leaf, NOW), Err(PathFailure::Rule(_))));
}
