//! Older and newer evidence, and what may be kept (row X8).

use ecdsa::elliptic_curve::SecretKey;

use super::*;
use crate::algorithms::{Curve, Switches};

impl World {
    /// The question for the list at `url`.
    fn asks(&self, url: &str) -> Question {
        Question::Crl {
            url: url.into(),
            anchor: self.root.fingerprint(),
        }
    }
}

/// What is found from lists and answers together, whatever their order.
fn found(world: &World, lists: &[List<'_>], answers: &[Reply<'_>]) -> Status {
    let mut evidence = Evidence::default();
    for list in lists {
        evidence.add_crl(&list.made()).unwrap();
    }
    for answer in answers {
        evidence.add_ocsp(&answer.made()).unwrap();
    }
    let mut turned = evidence.clone();
    turned.lists.reverse();
    turned.answers.reverse();
    let status = world.status(&evidence);
    assert_eq!(world.status(&turned), status);
    status
}

fn numbered<'a>(
    number: &[u8],
    this: i64,
    next: i64,
    entries: Vec<Vec<u8>>,
    key: &'a PrivateKey,
) -> List<'a> {
    let number = asn1::tlv(tag::INTEGER, number);
    List {
        this: NOW.plus(this),
        next: Some(NOW.plus(next)),
        entries,
        extensions: vec![maker::extension("2.5.29.20", false, &number)],
        ..List::new(key)
    }
}

/// What a list has once said counts until a newer edition of it takes it back, out of date or not.
#[test]
fn x8_a_revocation_is_believed_until_a_newer_list_takes_it_back() {
    let world = world();
    let listed = || vec![entry(world.leaf.serial(), &[reason(6)])];
    let list = |number: &[u8], this, next, listed: bool| {
        let entries = if listed {
            vec![entry(world.leaf.serial(), &[])]
        } else {
            Vec::new()
        };
        numbered(number, this, next, entries, &world.ca_key)
    };
    let held = || numbered(&[7], -9 * HOUR, -HOUR, listed(), &world.ca_key);
    let part = || scope(&[asn1::tlv(tag::context(3), &[7, 0x7f, 0x80])]);
    let cases = [
        ("out of date", vec![held()], Status::Revoked(WHEN)),
        (
            "a newer list without it",
            vec![held(), list(&[8], -HOUR, HOUR, false)],
            Status::Good,
        ),
        (
            "an older one, still current, without it",
            vec![
                list(&[8], -HOUR, HOUR, true),
                list(&[7], -2 * HOUR, HOUR, false),
            ],
            Status::Revoked(WHEN),
        ),
        (
            "an older one that names it",
            vec![
                list(&[8], -HOUR, HOUR, false),
                list(&[7], -2 * HOUR, HOUR, true),
            ],
            Status::Good,
        ),
        (
            "the number counts before the date",
            vec![
                list(&[1, 0], -2 * HOUR, HOUR, true),
                list(&[0, 0xff], -HOUR, HOUR, false),
            ],
            Status::Revoked(WHEN),
        ),
        (
            "an authority that counts anew",
            vec![held(), list(&[1], -60, HOUR, false)],
            Status::Good,
        ),
        (
            "a newer list of another scope",
            vec![held(), list(&[8], -HOUR, HOUR, false).with(part())],
            Status::Revoked(WHEN),
        ),
        (
            "a newer list, not understood",
            vec![
                held(),
                list(&[8], -HOUR, HOUR, false).with(maker::extension("1.2.3", true, &asn1::null())),
            ],
            Status::Revoked(WHEN),
        ),
        (
            "a newer list from the future",
            vec![held(), list(&[8], HOUR, 2 * HOUR, false)],
            Status::Revoked(WHEN),
        ),
        (
            "a newer list by another key",
            vec![
                held(),
                List {
                    key: &world.root_key,
                    ..list(&[8], -HOUR, HOUR, false)
                },
            ],
            Status::Revoked(WHEN),
        ),
        (
            "a newer list, out of date itself",
            vec![held(), list(&[8], -8 * HOUR, -60, false)],
            Status::Unknown,
        ),
    ];
    for (what, lists, expected) in cases {
        assert_eq!(found(&world, &lists, &[]), expected, "{what}");
    }
}

/// An authority with two keys may write a list for each: the one does not take back what the other says.
#[test]
fn x8_a_list_by_another_key_of_the_authority_takes_nothing_back() {
    let world = world();
    let list_key = maker::key();
    let signer = Wanted::new("CA", "Root", &list_key)
        .with(maker::key_usage(0b0000_0010))
        .by(&world.root_key);
    let path = world.path(&[signer]);
    let entries = vec![entry(world.leaf.serial(), &[])];
    let own = numbered(&[7], -2 * HOUR, HOUR, entries, &world.ca_key);
    let other = numbered(&[8], -HOUR, HOUR, Vec::new(), &list_key);
    let mut evidence = of(Some(&own), None);
    evidence.add_crl(&other.made()).unwrap();
    assert_eq!(judge(&path, &evidence, NOW), Status::Revoked(WHEN));
}

/// Once it is out of date, a revocation gives way to whatever was said later; as long as it is current, it does not.
#[test]
fn x8_lists_and_answers_beside_each_other() {
    let world = world();
    let entries = || vec![entry(world.leaf.serial(), &[])];
    let list = |this, next, entries| numbered(&[7], this, next, entries, &world.ca_key);
    let answer = |this, next| Reply {
        this: NOW.plus(this),
        next: Some(NOW.plus(next)),
        produced: NOW.plus(this),
        ..Reply::new(&world)
    };
    let cases = [
        (
            list(-9 * HOUR, -HOUR, entries()),
            answer(-HOUR, HOUR),
            Status::Good,
        ),
        (
            list(-9 * HOUR, HOUR, entries()),
            answer(-HOUR, HOUR),
            Status::Revoked(WHEN),
        ),
        (
            list(-2 * HOUR, -HOUR, entries()),
            answer(-3 * HOUR, HOUR),
            Status::Revoked(WHEN),
        ),
        (
            list(-HOUR, HOUR, vec![]),
            answer(-9 * HOUR, -HOUR).revoked(),
            Status::Good,
        ),
        (
            list(-HOUR, HOUR, vec![]),
            answer(-9 * HOUR, HOUR).revoked(),
            Status::Revoked(WHEN),
        ),
        (
            list(-9 * HOUR, HOUR, vec![]),
            answer(-8 * HOUR, -1).revoked(),
            Status::Revoked(WHEN),
        ),
    ];
    for (list, answer, expected) in cases {
        assert_eq!(found(&world, &[list], &[answer]), expected);
    }
}

/// A list that came with the message may take back what an older one said, but shows nothing to be good.
#[test]
fn x8_a_newer_list_sent_along_takes_back_and_shows_nothing() {
    let world = world();
    let list = |number: &[u8], this, listed| {
        let entries = if listed {
            vec![entry(world.leaf.serial(), &[])]
        } else {
            Vec::new()
        };
        numbered(number, this, HOUR, entries, &world.ca_key).made()
    };
    let (older, newer) = ((&[7][..], -2 * HOUR), (&[8][..], -HOUR));
    for (kept, sent, expected) in [
        ((older, true), (newer, false), Status::Unknown),
        ((older, false), (newer, false), Status::Good),
        ((older, false), (newer, true), Status::Revoked(WHEN)),
        ((newer, false), (older, true), Status::Good),
        ((newer, true), (older, false), Status::Revoked(WHEN)),
    ] {
        let made = |((number, this), listed)| {
            let mut evidence = Evidence::default();
            evidence.add_crl(&list(number, this, listed)).unwrap();
            evidence
        };
        let anchors = TrustAnchors::new(vec![world.root.clone()]);
        let bag = [world.ca.clone()];
        let finder = PathFinder::new(&bag, &anchors, NOW).with_sent(made(sent));
        let path = finder.judge(&world.leaf, Purpose::Sign).unwrap();
        assert_eq!(
            judge(&path, &made(kept), NOW),
            expected,
            "{kept:?} {sent:?}"
        );
    }
}

#[test]
fn x8_a_revocation_is_believed_until_a_newer_answer_takes_it_back() {
    let world = world();
    let answer = |this, next| Reply {
        this: NOW.plus(this),
        next: Some(NOW.plus(next)),
        produced: NOW.plus(this),
        ..Reply::new(&world)
    };
    let unknown = Reply {
        state: asn1::tlv(tag::context(2), &[]),
        ..answer(-60, HOUR)
    };
    let cases = [
        (
            "out of date",
            vec![answer(-9 * HOUR, -HOUR).revoked()],
            Status::Revoked(WHEN),
        ),
        (
            "a newer one",
            vec![answer(-9 * HOUR, -HOUR).revoked(), answer(-HOUR, HOUR)],
            Status::Good,
        ),
        (
            "a newer one that knows nothing",
            vec![answer(-9 * HOUR, -HOUR).revoked(), unknown],
            Status::Revoked(WHEN),
        ),
        (
            "an older one",
            vec![answer(-2 * HOUR, -60).revoked(), answer(-3 * HOUR, HOUR)],
            Status::Revoked(WHEN),
        ),
        (
            "both current: the worse",
            vec![answer(-2 * HOUR, HOUR).revoked(), answer(-HOUR, HOUR)],
            Status::Revoked(WHEN),
        ),
    ];
    for (what, answers, expected) in cases {
        assert_eq!(found(&world, &[], &answers), expected, "{what}");
    }
    // The responder was in charge when it said so.
    let key = maker::key();
    let mut responder = Wanted::new("Responder", "CA", &key).with(maker::purpose(OCSP_SIGNING));
    responder.not_after = NOW.plus(-HOUR);
    let responder = responder.by(&world.ca_key);
    let by_responder = |answer| Reply {
        responder: Some(asn1::tlv(
            tag::context_constructed(1),
            responder.subject_der(),
        )),
        certificates: vec![responder.clone()],
        key: &key,
        ..answer
    };
    let old = by_responder(answer(-9 * HOUR, -2 * HOUR).revoked());
    assert_eq!(found(&world, &[], &[old]), Status::Revoked(WHEN));
    let new = by_responder(answer(-60, HOUR).revoked());
    assert_eq!(found(&world, &[], &[new]), Status::Unknown);
}

fn of(list: Option<&List<'_>>, answer: Option<&Reply<'_>>) -> Evidence {
    let mut evidence = Evidence::default();
    if let Some(list) = list {
        evidence.add_crl(&list.made()).unwrap();
    }
    if let Some(answer) = answer {
        evidence.add_ocsp(&answer.made()).unwrap();
    }
    evidence
}

/// Weak point M1: whoever stands between us and the authority hands out an older list that is still current.
#[test]
fn x8_an_older_list_never_takes_the_place_of_a_newer_one() {
    let world = world();
    let path = world.path(&[]);
    let question = world.asks(LIST);
    let list = |number: &[u8], this, next| numbered(number, this, next, Vec::new(), &world.ca_key);
    let kept = |number: &[u8], this| of(Some(&list(number, this, HOUR)), None);
    let other_scope = || scope(&[scope_name("http://crl.example/2.crl")]);
    let delta = || maker::extension("2.5.29.27", true, &asn1::small(1));
    let nothing = Evidence::default();
    let cases = [
        ("the first", &nothing, list(&[7], -HOUR, HOUR), true),
        (
            "the same",
            &kept(&[7], -HOUR),
            list(&[7], -HOUR, HOUR),
            true,
        ),
        (
            "newer",
            &kept(&[7], -2 * HOUR),
            list(&[8], -HOUR, HOUR),
            true,
        ),
        (
            "older",
            &kept(&[8], -HOUR),
            list(&[7], -2 * HOUR, HOUR),
            false,
        ),
        (
            "older by its number",
            &kept(&[1, 0], -HOUR),
            list(&[0, 0xff], -HOUR, HOUR),
            false,
        ),
        (
            "older by its date",
            &kept(&[7], -HOUR),
            list(&[7], -2 * HOUR, HOUR),
            false,
        ),
        ("out of date", &nothing, list(&[7], -2 * HOUR, -1), false),
        (
            "from the future",
            &nothing,
            list(&[7], HOUR, 2 * HOUR),
            false,
        ),
        (
            "of another scope",
            &nothing,
            list(&[7], -HOUR, HOUR).with(other_scope()),
            false,
        ),
        (
            "a change to it",
            &kept(&[7], -2 * HOUR),
            list(&[8], -HOUR, HOUR).with(delta()),
            false,
        ),
        (
            "by another key",
            &nothing,
            List {
                key: &world.root_key,
                ..list(&[9], -HOUR, HOUR)
            },
            false,
        ),
        (
            "by another name",
            &nothing,
            List {
                key: &world.root_key,
                issuer: "Root",
                ..list(&[9], -HOUR, HOUR)
            },
            false,
        ),
    ];
    for (what, kept, new, expected) in cases {
        let new = of(Some(&new), None);
        let judged = may_be_kept(std::slice::from_ref(&path), &question, (kept, &new), NOW);
        assert_eq!(judged.is_ok(), expected, "{what}: {judged:?}");
        if let Ok(freshness) = judged {
            assert_eq!(freshness.until, NOW.plus(HOUR));
        }
    }
    let answer = of(None, Some(&Reply::new(&world)));
    assert!(
        may_be_kept(
            std::slice::from_ref(&path),
            &question,
            (&nothing, &answer),
            NOW
        )
        .is_err()
    );
}

/// Whoever makes an authority of the same name, below a root of another organisation or with a key of its own, shuts nobody out:
/// neither by a list with the highest number, nor by being asked at the same place.
#[test]
fn x8_a_namesake_keeps_no_list_of_another_authority_away() {
    let (world, other) = (world(), world());
    let path = world.path(&[]);
    let lists_of = |world: &World| questions(&world.path(&[])).pop().unwrap();
    let question = lists_of(&world);
    assert_eq!(question.url(), lists_of(&other).url());
    assert_ne!(question, lists_of(&other));
    assert_eq!(question, lists_of(&world));
    let high = numbered(&[0x7f; 20], -HOUR, 99 * HOUR, Vec::new(), &other.ca_key);
    let own = numbered(&[7], -60, HOUR, Vec::new(), &world.ca_key);
    let (kept, new) = (of(Some(&high), None), of(Some(&own), None));
    let paths = std::slice::from_ref(&path);
    let judged = may_be_kept(paths, &question, (&kept, &new), NOW);
    assert!(judged.is_ok(), "{judged:?}");
    let judged = may_be_kept(paths, &question, (&new, &kept), NOW);
    assert!(judged.is_err());
}

/// Row C19: sixteen large lists may be sent along, and each of sixteen signers is looked for in them.
#[test]
fn c19_lists_are_looked_through_once_for_each_certificate() {
    let world = world();
    let others = (0..45_000u32).flat_map(|n| {
        let [_, a, b, c] = n.to_be_bytes();
        entry(&[0x40, a, b, c], &[])
    });
    let entries = vec![others.collect(), entry(world.leaf.serial(), &[])];
    let lists = (1..=16u8).map(|n| {
        let this = i64::from(n) - HOUR;
        let list = numbered(&[n], this, HOUR, entries.clone(), &world.ca_key);
        list.made()
    });
    let mut evidence = Evidence::default();
    for list in lists {
        assert!(list.len() < limits::CERTIFICATES_OCTETS);
        evidence.add_crl(&list).unwrap();
    }
    assert_eq!(world.status(&evidence), Status::Revoked(WHEN));
    let start = std::time::Instant::now();
    for _ in 0..16 {
        assert_eq!(world.status(&evidence), Status::Revoked(WHEN));
    }
    assert!(start.elapsed().as_millis() < 100, "{:?}", start.elapsed());
}

#[test]
fn x8_an_older_answer_never_takes_the_place_of_a_newer_one() {
    let world = world();
    let path = world.path(&[]);
    let question = questions(&path).remove(0);
    assert!(matches!(question, Question::Ocsp { .. }));
    let answer = |this| Reply {
        this: NOW.plus(this),
        ..Reply::new(&world)
    };
    let unknown = |this| Reply {
        state: asn1::tlv(tag::context(2), &[]),
        ..answer(this)
    };
    let kept = |answer: Reply<'_>| of(None, Some(&answer));
    let sibling = Wanted::new("Sibling", "CA", &world.root_key).by(&world.ca_key);
    let other = world_with(Vec::new());
    let nothing = Evidence::default();
    let cases = [
        ("the first", &nothing, answer(-60), true),
        ("revoked", &nothing, answer(-60).revoked(), true),
        ("newer", &kept(answer(-120)), answer(-60), true),
        (
            "newer, off hold",
            &kept(answer(-120).revoked()),
            answer(-60),
            true,
        ),
        ("as new", &kept(answer(-60)), answer(-60), true),
        ("older", &kept(answer(-60).revoked()), answer(-120), false),
        (
            "newer, knows nothing",
            &kept(answer(-120)),
            unknown(-60),
            true,
        ),
        (
            "newer, forgets",
            &kept(answer(-120).revoked()),
            unknown(-60),
            false,
        ),
        (
            "about another serial",
            &nothing,
            Reply {
                about: &sibling,
                ..answer(-60)
            },
            false,
        ),
        (
            "of a namesake of the issuer",
            &nothing,
            Reply {
                issuer: &other.ca,
                key: &other.ca_key,
                ..answer(-60)
            },
            false,
        ),
        (
            "by another key",
            &nothing,
            Reply {
                key: &world.root_key,
                ..answer(-60)
            },
            false,
        ),
        ("from the future", &nothing, answer(HOUR), false),
        (
            "made in the future",
            &nothing,
            Reply {
                produced: NOW.plus(HOUR),
                ..answer(-60)
            },
            false,
        ),
        (
            "out of date",
            &nothing,
            Reply {
                next: Some(NOW.plus(-1)),
                ..answer(-60)
            },
            false,
        ),
    ];
    for (what, kept, new, expected) in cases {
        let new = of(None, Some(&new));
        let judged = may_be_kept(std::slice::from_ref(&path), &question, (kept, &new), NOW);
        assert_eq!(judged.is_ok(), expected, "{what}: {judged:?}");
    }
}

/// A responder whose authority names a list for it is believed once the list says that it is good; it is asked for.
#[test]
fn x8_a_responder_that_names_a_list_is_asked_about() {
    let world = world();
    let (key, place) = (maker::key(), "http://crl.example/responders.crl");
    let no_check = || maker::extension("1.3.6.1.5.5.7.48.1.5", false, &asn1::null());
    let responder = |more: Vec<Vec<u8>>| {
        let mut wanted = Wanted::new("Responder", "CA", &key).with(maker::purpose(OCSP_SIGNING));
        wanted.extensions.extend(more);
        wanted.by(&world.ca_key)
    };
    let naming = responder(vec![list_at(place)]);
    let its_own = || scope(&[scope_name(place)]);
    let silent = List::new(&world.ca_key).with(its_own());
    let revoking = List::revoking(&world.ca_key, &naming).with(its_own());
    let asks = world.asks(place);
    for (responder, list, expected, asked) in [
        (responder(vec![]), None, Status::Good, false),
        (
            responder(vec![list_at(place), no_check()]),
            None,
            Status::Good,
            false,
        ),
        (naming.clone(), None, Status::Unknown, true),
        (naming.clone(), Some(silent), Status::Good, false),
        (naming.clone(), Some(revoking), Status::Unknown, true),
    ] {
        let answer = Reply {
            responder: Some(asn1::tlv(
                tag::context_constructed(1),
                responder.subject_der(),
            )),
            certificates: vec![responder],
            key: &key,
            ..Reply::new(&world)
        };
        let evidence = of(list.as_ref(), Some(&answer));
        assert_eq!(world.status(&evidence), expected);
        let left = questions_left(&world.path(&[]), &evidence, NOW);
        assert_eq!(left.contains(&asks), asked, "{left:?}");
        assert_eq!(left.is_empty(), expected == Status::Good);
    }
}

/// One who signs lists for an authority is asked about too, and signs none once his own issuer has revoked him.
#[test]
fn x8_who_signs_lists_is_asked_about() {
    let world = world();
    let list_key = maker::key();
    let signer = Wanted::new("CA", "Root", &list_key)
        .with(maker::key_usage(0b0000_0010))
        .with(list_at("http://crl.example/signers.crl"))
        .by(&world.root_key);
    let path = world.path(std::slice::from_ref(&signer));
    let asks = world.asks("http://crl.example/signers.crl");
    assert_eq!(questions(&path).last(), Some(&asks));
    let by_root = |list| List {
        issuer: "Root",
        ..list
    };
    let lists = of(Some(&List::new(&list_key)), None);
    assert_eq!(judge(&path, &lists, NOW), Status::Good);
    for (by, expected) in [
        (by_root(List::new(&world.root_key)), Status::Good),
        (
            by_root(List::revoking(&world.root_key, &signer)),
            Status::Unknown,
        ),
        // No one speaks about himself.
        (List::revoking(&list_key, &signer), Status::Good),
        (by_root(List::revoking(&list_key, &signer)), Status::Good),
    ] {
        let mut evidence = lists.clone();
        evidence.add_crl(&by.made()).unwrap();
        assert_eq!(judge(&path, &evidence, NOW), expected);
    }
}

/// Lists and answers are held to the algorithm table of the certificates.
#[test]
fn x8_evidence_is_held_to_the_algorithms_of_the_organisation() {
    let world = world();
    let anchors = TrustAnchors::new(vec![world.root.clone()]);
    let weak = List {
        algorithm: Some(SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha1)),
        ..List::new(&world.ca_key)
    };
    let bag = [world.ca.clone()];
    let status = |bag: &[Certificate], list: &List<'_>, switches| {
        let finder = PathFinder::new(bag, &anchors, NOW).allowing(switches);
        let path = finder.judge(&world.leaf, Purpose::Sign).unwrap();
        judge(&path, &of(Some(list), None), NOW)
    };
    let legacy = Switches {
        legacy: true,
        ..Switches::default()
    };
    assert_eq!(status(&bag, &weak, Switches::default()), Status::Unknown);
    assert_eq!(status(&bag, &weak, legacy), Status::Good);
    // A responder on a Brainpool curve.
    let key = PrivateKey::brainpool(Curve::BrainpoolP256, &SECRET);
    let responder = Wanted::new("Responder", "CA", &key)
        .with(maker::purpose(OCSP_SIGNING))
        .by(&world.ca_key);
    let answer = Reply {
        responder: Some(asn1::tlv(
            tag::context_constructed(1),
            responder.subject_der(),
        )),
        certificates: vec![responder],
        by_hand: Some(brainpool_signature),
        ..Reply::new(&world)
    };
    let brainpool = Switches {
        brainpool: true,
        ..Switches::default()
    };
    for (switches, expected) in [
        (Switches::default(), Status::Unknown),
        (brainpool, Status::Good),
    ] {
        let finder = PathFinder::new(&bag, &anchors, NOW).allowing(switches);
        let path = finder.judge(&world.leaf, Purpose::Sign).unwrap();
        assert_eq!(judge(&path, &of(None, Some(&answer)), NOW), expected);
    }
}

/// A private key of brainpoolP256r1.
const SECRET: [u8; 32] = [3; 32];

fn brainpool_signature(data: &[u8]) -> Vec<u8> {
    let digest = Digest::of(DigestAlgorithm::Sha256, data);
    let scalar = |octets: &[u8; 32]| {
        SecretKey::<bp256::BrainpoolP256r1>::from_slice(octets)
            .unwrap()
            .to_nonzero_scalar()
    };
    let (signature, _) =
        ecdsa::hazmat::sign_prehashed(&scalar(&SECRET), &scalar(&[11; 32]), &digest).unwrap();
    signature.to_der().as_bytes().to_vec()
}
