//! The sections of NIST's Public Key Interoperability Test Suite (PKITS 1.0.1) that are about revocation, with lists and
//! certificates made here: 4.4 basic revocation, 4.5 keys of an authority that change, 4.14 distribution points, 4.15 delta lists.
//! What the suite calls valid is good. What it calls invalid is revoked where somebody said so, else unknown.

use super::*;
use Expected::{Good, Revoked, Unknown};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// The suite: valid.
    Good,
    /// The suite: invalid.
    Revoked,
    /// The suite: invalid.
    Unknown,
}

/// An anchor, certificates below it, and lists; the anchor's own list is good.
struct Scene {
    root_key: PrivateKey,
    root: Certificate,
    bag: Vec<Certificate>,
    lists: Vec<Vec<u8>>,
    leaf: Option<Certificate>,
}

impl Scene {
    fn new() -> Self {
        let root_key = maker::key();
        let root = Wanted::new("Root", "Root", &root_key)
            .with(maker::authority())
            .by(&root_key);
        let lists = vec![
            List {
                issuer: "Root",
                ..List::new(&root_key)
            }
            .made(),
        ];
        Self {
            root_key,
            root,
            bag: Vec::new(),
            lists,
            leaf: None,
        }
    }

    /// With an authority "CA" of this key below the anchor.
    fn with_ca(key: &PrivateKey) -> Self {
        let scene = Self::new();
        let ca = authority("CA", "Root", key).by(&scene.root_key);
        scene.with(ca)
    }

    fn with(mut self, certificate: Certificate) -> Self {
        self.bag.push(certificate);
        self
    }

    fn list(mut self, list: List<'_>) -> Self {
        self.lists.push(list.made());
        self
    }

    fn leaf(mut self, leaf: Certificate) -> Self {
        self.leaf = Some(leaf);
        self
    }

    fn found(&self) -> Expected {
        let anchors = TrustAnchors::new(vec![self.root.clone()]);
        let mut evidence = Evidence::default();
        for list in &self.lists {
            let _ = evidence.add_crl(list);
        }
        let leaf = self.leaf.as_ref().unwrap();
        let finder = PathFinder::new(&self.bag, &anchors, NOW);
        let path = finder.judge(leaf, Purpose::Sign).unwrap_or_else(|_| {
            // An authority's certificate signs no mail.
            let chain = finder.find(leaf).unwrap();
            VerifiedPath::of_chain(chain, path::Revocation::Unknown)
        });
        match judge_where(&path, &evidence, NOW, |_| true) {
            Status::Good => Good,
            Status::Revoked(_) => Revoked,
            Status::Unknown | Status::NotNamed => Unknown,
        }
    }
}

fn authority<'a>(name: &str, issuer: &str, key: &'a PrivateKey) -> Wanted<'a> {
    Wanted::new(name, issuer, key).with(maker::authority())
}

/// keyUsage cRLSign alone.
fn list_key<'a>(name: &str, issuer: &str, key: &'a PrivateKey) -> Wanted<'a> {
    Wanted::new(name, issuer, key).with(maker::key_usage(0b0000_0010))
}

fn compare(cases: Vec<(&str, Scene, Expected)>) {
    let wrong: Vec<_> = cases
        .iter()
        .map(|(test, scene, expected)| (*test, scene.found(), *expected))
        .filter(|(_, found, expected)| found != expected)
        .collect();
    assert_eq!(wrong, []);
}

#[test]
fn pkits_4_4_basic_revocation() {
    let (key, other, leaf_key) = (maker::key(), maker::key(), maker::key());
    let leaf = || Wanted::new("Leaf", "CA", &leaf_key);
    let ee = leaf().by(&key);
    let numbered = |serial: &[u8]| {
        let mut wanted = leaf();
        wanted.serial = Some(serial.to_vec());
        wanted.by(&key)
    };
    let scene = || Scene::with_ca(&key).leaf(ee.clone());
    let good = || List::new(&key);
    let revoking = || List::revoking(&key, &ee);
    let unknown = |critical| maker::extension("1.2.3", critical, &asn1::null());
    let naming = |serial: &[u8]| List {
        entries: vec![entry(serial, &[])],
        ..List::new(&key)
    };
    let until = |next| List {
        this: Timestamp(915_000_000).min(next),
        next: Some(next),
        ..List::new(&key)
    };
    let revoked_ca = {
        let mut scene = Scene::new();
        let ca = authority("CA", "Root", &key).by(&scene.root_key);
        scene.lists = vec![
            List {
                issuer: "Root",
                ..List::revoking(&scene.root_key, &ca)
            }
            .made(),
        ];
        scene.with(ca).leaf(ee.clone()).list(good())
    };
    let mut bad_signature = scene();
    let mut list = good().made();
    *list.last_mut().unwrap() ^= 1;
    bad_signature.lists.push(list);
    let unknown_entry = List {
        entries: vec![entry(ee.serial(), &[unknown(true)])],
        ..List::new(&key)
    };
    let long = [&[0x7f][..], &[0xab; 19]].concat();
    let long_other = [&[0x7f][..], &[0xab; 18], &[0xac]].concat();
    compare(vec![
        ("4.4.1 missing", scene(), Unknown),
        ("4.4.2 revoked CA", revoked_ca, Revoked),
        ("4.4.3 revoked leaf", scene().list(revoking()), Revoked),
        ("4.4.4 bad signature", bad_signature, Unknown),
        (
            "4.4.5 bad issuer name",
            scene().list(List {
                issuer: "CA2",
                ..good()
            }),
            Unknown,
        ),
        (
            "4.4.6 wrong list",
            scene().list(List {
                issuer: "Root",
                ..List::new(&other)
            }),
            Unknown,
        ),
        (
            "4.4.7 two lists, one by a stranger",
            scene().list(List::revoking(&other, &ee)).list(good()),
            Good,
        ),
        (
            "4.4.8 unknown entry extension",
            scene().list(unknown_entry),
            Revoked,
        ),
        (
            "4.4.9 unknown extension, listed",
            scene().list(revoking().with(unknown(true))),
            Revoked,
        ),
        (
            "4.4.10 unknown extension, not listed",
            scene().list(good().with(unknown(true))),
            Unknown,
        ),
        (
            "4.4.11 old nextUpdate",
            scene().list(until(NOW.plus(-1))),
            Unknown,
        ),
        (
            "4.4.12 nextUpdate before 2000",
            scene().list(until(Timestamp(915_148_799))),
            Unknown,
        ),
        (
            "4.4.13 nextUpdate after 2050",
            scene().list(until(Timestamp(2_600_000_000))),
            Good,
        ),
        (
            "4.4.14 255 is not -1",
            Scene::with_ca(&key)
                .leaf(numbered(&[0, 0xff]))
                .list(naming(&[0xff])),
            Good,
        ),
        (
            "4.4.15 -1 is -1",
            Scene::with_ca(&key)
                .leaf(numbered(&[0xff]))
                .list(naming(&[0xff])),
            Revoked,
        ),
        (
            "4.4.16 long serial number",
            Scene::with_ca(&key).leaf(numbered(&long)).list(good()),
            Good,
        ),
        (
            "4.4.17 long serial number, another listed",
            Scene::with_ca(&key)
                .leaf(numbered(&long))
                .list(naming(&long_other)),
            Good,
        ),
        (
            "4.4.18 long serial number, listed",
            Scene::with_ca(&key)
                .leaf(numbered(&long))
                .list(naming(&long)),
            Revoked,
        ),
    ]);
}

#[test]
fn pkits_4_4_separate_keys() {
    let (key, lists, leaf_key) = (maker::key(), maker::key(), maker::key());
    let ee = Wanted::new("Leaf", "CA", &leaf_key).by(&key);
    let scene = |revoked: bool| {
        let mut scene = Scene::new();
        let ca = authority("CA", "Root", &key)
            .with(maker::key_usage(0b0000_0100))
            .by(&scene.root_key);
        let signer = list_key("CA", "Root", &lists).by(&scene.root_key);
        if revoked {
            let list = List {
                issuer: "Root",
                ..List::revoking(&scene.root_key, &signer)
            };
            scene.lists = vec![list.made()];
        }
        scene.with(ca).with(signer).leaf(ee.clone())
    };
    compare(vec![
        ("4.4.19", scene(false).list(List::new(&lists)), Good),
        (
            "4.4.20 revoked leaf",
            scene(false).list(List::revoking(&lists, &ee)),
            Revoked,
        ),
        (
            "4.4.21 revoked list key",
            scene(true).list(List::new(&lists)),
            Unknown,
        ),
    ]);
}

#[test]
fn pkits_4_5_keys_that_change() {
    let (old, new, leaf_key) = (maker::key(), maker::key(), maker::key());
    let ee_by = |key: &PrivateKey| Wanted::new("Leaf", "CA", &leaf_key).by(key);
    let own_point = || points(&[&[full(&named(&["CA", "self-issued"]))]]);
    let own_list = |key| List::new(key).with(scope(&[full(&named(&["CA", "self-issued"]))]));
    // Known by its new key, which certifies the old one.
    let with_new = || Scene::with_ca(&new).with(authority("CA", "CA", &old).by(&new));
    let by_old = ee_by(&old);
    // Known by its old key, which certifies the new one; that certificate has a list of its own.
    let new_with_old = || authority("CA", "CA", &new).with(own_point()).by(&old);
    let with_old = || {
        Scene::with_ca(&old)
            .with(new_with_old())
            .list(own_list(&old))
    };
    // Certificates by one key, lists by another.
    let list_keyed = || {
        Scene::with_ca(&old)
            .with(list_key("CA", "CA", &new).with(own_point()).by(&old))
            .list(own_list(&old))
    };
    let by_new = ee_by(&new);
    compare(vec![
        (
            "4.5.1 old with new",
            with_new().leaf(by_old.clone()).list(List::new(&new)),
            Good,
        ),
        (
            "4.5.2 old with new, revoked",
            with_new()
                .leaf(by_old.clone())
                .list(List::revoking(&new, &by_old)),
            Revoked,
        ),
        (
            "4.5.3 new with old",
            with_old().leaf(by_new.clone()).list(List::new(&new)),
            Good,
        ),
        (
            "4.5.4 new with old, leaf by the old key",
            with_old().leaf(by_old.clone()).list(List::new(&new)),
            Good,
        ),
        (
            "4.5.5 new with old, revoked",
            with_old()
                .leaf(by_old.clone())
                .list(List::revoking(&new, &by_old)),
            Revoked,
        ),
        (
            "4.5.6 list key",
            list_keyed().leaf(by_old.clone()).list(List::new(&new)),
            Good,
        ),
        (
            "4.5.7 list key, revoked",
            list_keyed()
                .leaf(by_old.clone())
                .list(List::revoking(&new, &by_old)),
            Revoked,
        ),
        (
            "old with new, of an anchor",
            {
                let mut scene = Scene::new();
                let old_root = authority("Root", "Root", &old).by(&scene.root_key);
                let leaf = Wanted::new("Leaf", "Root", &leaf_key).by(&old);
                scene.bag.push(old_root);
                scene.leaf(leaf)
            },
            Good,
        ),
    ]);
}

/// A name of common names.
fn named(parts: &[&str]) -> Vec<u8> {
    let parts: Vec<_> = parts.iter().map(|part| ("2.5.4.3", *part)).collect();
    maker::name(&parts)
}

fn directory(name: &[u8]) -> Vec<u8> {
    asn1::tlv(tag::context_constructed(4), name)
}

/// distributionPoint, by its full name.
fn full(name: &[u8]) -> Vec<u8> {
    let names = asn1::tlv(tag::context_constructed(0), &directory(name));
    asn1::tlv(tag::context_constructed(0), &names)
}

/// distributionPoint, by the part of its name below its issuer's.
fn relative(part: &str) -> Vec<u8> {
    let name = maker::name(&[("2.5.4.3", part)]);
    let set = asn1::read_only(&name, tag::SEQUENCE).unwrap().content;
    let set = asn1::read_only(set, tag::SET).unwrap().content;
    asn1::tlv(
        tag::context_constructed(0),
        &asn1::tlv(tag::context_constructed(1), set),
    )
}

fn issued_by(name: &str) -> Vec<u8> {
    asn1::tlv(tag::context_constructed(2), &directory(&named(&[name])))
}

/// reasons of a point (1) or of a list (3).
fn some_reasons(field: u8, bits: &[u8]) -> Vec<u8> {
    asn1::tlv(tag::context(field), bits)
}

/// cRLDistributionPoints, each of these fields.
fn points(all: &[&[Vec<u8>]]) -> Vec<u8> {
    let points: Vec<u8> = all
        .iter()
        .flat_map(|fields| asn1::tlv(tag::SEQUENCE, &fields.concat()))
        .collect();
    maker::extension("2.5.29.31", false, &asn1::tlv(tag::SEQUENCE, &points))
}

#[test]
fn pkits_4_14_distribution_points() {
    let (key, leaf_key) = (maker::key(), maker::key());
    let at = |fields: &[&[Vec<u8>]]| {
        Wanted::new("Leaf", "CA", &leaf_key)
            .with(points(fields))
            .by(&key)
    };
    let one = || at(&[&[full(&named(&["CA", "one"]))]]);
    let below = || at(&[&[relative("one")]]);
    let plain = || Wanted::new("Leaf", "CA", &leaf_key).by(&key);
    let authority = || authority("Leaf", "CA", &leaf_key).by(&key);
    let scene = |leaf: Certificate| Scene::with_ca(&key).leaf(leaf);
    let list = |fields: &[Vec<u8>]| List::new(&key).with(scope(fields));
    let revoking =
        |leaf: &Certificate, fields: &[Vec<u8>]| List::revoking(&key, leaf).with(scope(fields));
    let (one_name, two_name) = (
        || full(&named(&["CA", "one"])),
        || full(&named(&["CA", "two"])),
    );
    compare(vec![
        ("4.14.1", scene(one()).list(list(&[one_name()])), Good),
        (
            "4.14.2",
            scene(one()).list(revoking(&one(), &[one_name()])),
            Revoked,
        ),
        ("4.14.3", scene(one()).list(list(&[two_name()])), Unknown),
        ("4.14.4", scene(one()).list(list(&[relative("one")])), Good),
        (
            "4.14.5",
            scene(below()).list(list(&[relative("one")])),
            Good,
        ),
        (
            "4.14.6",
            scene(below()).list(revoking(&below(), &[relative("one")])),
            Revoked,
        ),
        ("4.14.7", scene(below()).list(list(&[one_name()])), Good),
        (
            "4.14.8",
            scene(below()).list(list(&[relative("two")])),
            Unknown,
        ),
        ("4.14.9", scene(below()).list(list(&[two_name()])), Unknown),
        ("4.14.10", scene(one()).list(List::new(&key)), Good),
        (
            "4.14.11",
            scene(authority()).list(list(&[flag(1)])),
            Unknown,
        ),
        ("4.14.12", scene(plain()).list(list(&[flag(2)])), Unknown),
        ("4.14.13", scene(authority()).list(list(&[flag(2)])), Good),
        ("4.14.14", scene(plain()).list(list(&[flag(5)])), Unknown),
    ]);
}

#[test]
fn pkits_4_14_some_reasons() {
    let (key, leaf_key) = (maker::key(), maker::key());
    let leaf = |fields: &[&[Vec<u8>]]| {
        let wanted = Wanted::new("Leaf", "CA", &leaf_key);
        match fields {
            [] => wanted.by(&key),
            fields => wanted.with(points(fields)).by(&key),
        }
    };
    // keyCompromise and cACompromise; all others.
    let (few, rest): (&[u8], &[u8]) = (&[5, 0x60], &[7, 0x1f, 0x80]);
    let scene = |leaf: Certificate| Scene::with_ca(&key).leaf(leaf);
    let part = |bits| List::new(&key).with(scope(&[some_reasons(3, bits)]));
    let revoking = |leaf: &Certificate, bits| List {
        entries: vec![entry(
            leaf.serial(),
            &[reason(if bits == few { 1 } else { 6 })],
        )],
        ..part(bits)
    };
    let plain = || leaf(&[]);
    let place = |name: &str| full(&named(&["CA", name]));
    let divided = || {
        leaf(&[
            &[place("one"), some_reasons(1, few)],
            &[place("two"), some_reasons(1, rest)],
        ])
    };
    let at = |name: &str, bits| List::new(&key).with(scope(&[place(name), some_reasons(3, bits)]));
    let revoking_at = |name: &str, bits| List {
        entries: vec![entry(divided().serial(), &[])],
        ..at(name, bits)
    };
    compare(vec![
        (
            "4.14.15",
            scene(plain())
                .list(revoking(&plain(), few))
                .list(part(rest)),
            Revoked,
        ),
        (
            "4.14.16",
            scene(plain())
                .list(part(few))
                .list(revoking(&plain(), rest)),
            Revoked,
        ),
        ("4.14.17", scene(plain()).list(part(few)), Unknown),
        (
            "4.14.18",
            scene(plain()).list(part(few)).list(part(rest)),
            Good,
        ),
        (
            "4.14.19",
            scene(divided()).list(at("one", few)).list(at("two", rest)),
            Good,
        ),
        (
            "4.14.20",
            scene(divided())
                .list(revoking_at("one", few))
                .list(at("two", rest)),
            Revoked,
        ),
        (
            "4.14.21",
            scene(divided())
                .list(at("one", few))
                .list(revoking_at("two", rest)),
            Revoked,
        ),
        (
            "a point for some reasons, its list for all",
            scene(leaf(&[&[place("one"), some_reasons(1, few)]]))
                .list(List::new(&key).with(scope(&[place("one")]))),
            Unknown,
        ),
    ]);
}

/// certificateIssuer of an entry.
fn of(issuer: &str) -> Vec<u8> {
    let names = asn1::tlv(tag::SEQUENCE, &directory(&named(&[issuer])));
    maker::extension("2.5.29.29", true, &names)
}

#[test]
fn pkits_4_14_indirect_lists() {
    let (key, other, lists, leaf_key) = (maker::key(), maker::key(), maker::key(), maker::key());
    let leaf = |point: Option<&[Vec<u8>]>| {
        let wanted = Wanted::new("Leaf", "CA", &leaf_key);
        match point {
            None => wanted.by(&key),
            Some(fields) => wanted.with(points(&[fields])).by(&key),
        }
    };
    // Another authority below the same anchor, and one who only signs lists, made by the authority itself.
    let scene = |leaf: Certificate| {
        let scene = Scene::with_ca(&key).list(List {
            issuer: "CA",
            ..List::new(&key).with(scope(&[full(&named(&["CA", "elsewhere"]))]))
        });
        let second = authority("CA2", "Root", &other)
            .with(maker::key_usage(0b0000_0110))
            .by(&scene.root_key);
        let signer = list_key("Lists", "CA", &lists).by(&key);
        scene.with(second).with(signer).leaf(leaf)
    };
    let by_second = |more: &[Vec<u8>]| List {
        issuer: "CA2",
        ..List::new(&other).with(scope(&[more, &[flag(4)]].concat()))
    };
    let by_signer = |more: &[Vec<u8>]| List {
        issuer: "Lists",
        ..List::new(&lists).with(scope(&[more, &[flag(4)]].concat()))
    };
    let entries =
        |issuer: &str, serial: &[u8]| vec![entry(&[1], &[of(issuer)]), entry(serial, &[])];
    let second = || leaf(Some(&[issued_by("CA2")]));
    let signer = || leaf(Some(&[full(&named(&["Lists", "one"])), issued_by("Lists")]));
    let below = || leaf(Some(&[relative("one"), issued_by("Lists")]));
    let place = || full(&named(&["Lists", "one"]));
    compare(vec![
        (
            "4.14.22",
            scene(leaf(None)).list(List::new(&key).with(scope(&[flag(4)]))),
            Good,
        ),
        (
            "4.14.23",
            scene(leaf(None)).list(List::revoking(&key, &leaf(None)).with(scope(&[flag(4)]))),
            Revoked,
        ),
        ("4.14.24", scene(second()).list(by_second(&[])), Good),
        (
            "4.14.25 the number of another issuer",
            scene(second()).list(List {
                entries: vec![
                    entry(second().serial(), &[]),
                    entry(second().serial(), &[of("CA3")]),
                    entry(second().serial(), &[]),
                ],
                ..by_second(&[])
            }),
            Good,
        ),
        (
            "4.14.25 its own number",
            scene(second()).list(List {
                entries: entries("CA", second().serial()),
                ..by_second(&[])
            }),
            Revoked,
        ),
        (
            "4.14.26 no cRLIssuer",
            scene(leaf(None)).list(by_second(&[])),
            Unknown,
        ),
        (
            "4.14.27 not an indirect list",
            scene(second()).list(List {
                issuer: "CA2",
                ..List::new(&other)
            }),
            Unknown,
        ),
        ("4.14.28", scene(signer()).list(by_signer(&[place()])), Good),
        ("4.14.29", scene(below()).list(by_signer(&[place()])), Good),
        (
            "4.14.30",
            scene(signer()).list(by_signer(&[relative("one")])),
            Good,
        ),
        (
            "4.14.31",
            scene(signer()).list(List {
                entries: entries("CA", signer().serial()),
                ..by_signer(&[place()])
            }),
            Revoked,
        ),
        (
            "4.14.32",
            scene(below()).list(List {
                entries: entries("CA", below().serial()),
                ..by_signer(&[relative("one")])
            }),
            Revoked,
        ),
        (
            "4.14.33 by a point without a name",
            scene(leaf(Some(&[issued_by("Lists")]))).list(by_signer(&[])),
            Good,
        ),
        (
            "4.14.34",
            scene(leaf(Some(&[issued_by("Lists")]))).list(List {
                entries: entries("CA", signer().serial()),
                ..by_signer(&[])
            }),
            Revoked,
        ),
        (
            "4.14.35 somebody else",
            scene(leaf(Some(&[issued_by("CA3")]))).list(by_signer(&[])),
            Unknown,
        ),
    ]);
}

#[test]
fn pkits_4_15_delta_lists() {
    let (key, leaf_key) = (maker::key(), maker::key());
    let ee = Wanted::new("Leaf", "CA", &leaf_key).by(&key);
    let scene = || Scene::with_ca(&key).leaf(ee.clone());
    let number = |n| maker::extension("2.5.29.20", false, &asn1::small(n));
    let base = |n| maker::extension("2.5.29.27", true, &asn1::small(n));
    let entries = |code: Option<u8>| {
        let entry = |code| entry(ee.serial(), &[reason(code)]);
        code.map(entry).into_iter().collect::<Vec<_>>()
    };
    let complete = |n, code| List {
        this: NOW.plus(-2 * HOUR),
        entries: entries(code),
        extensions: vec![number(n)],
        ..List::new(&key)
    };
    let delta = |n, of, code| List {
        entries: entries(code),
        extensions: vec![number(n), base(of)],
        ..List::new(&key)
    };
    let (compromised, held, removed) = (Some(1), Some(6), Some(8));
    compare(vec![
        ("4.15.1 no base", scene().list(delta(5, 4, None)), Unknown),
        (
            "4.15.2",
            scene().list(complete(4, None)).list(delta(5, 4, None)),
            Good,
        ),
        (
            "4.15.3 revoked in the base",
            scene()
                .list(complete(4, compromised))
                .list(delta(5, 4, None)),
            Revoked,
        ),
        (
            "4.15.4 revoked in the change",
            scene()
                .list(complete(4, None))
                .list(delta(5, 4, compromised)),
            Revoked,
        ),
        (
            "4.15.5 on hold, then taken off",
            scene().list(complete(4, held)).list(delta(5, 4, removed)),
            Good,
        ),
        (
            "4.15.6 on hold, then revoked",
            scene()
                .list(complete(4, held))
                .list(delta(5, 4, compromised)),
            Revoked,
        ),
        (
            "4.15.7 taken off before the base",
            scene().list(complete(4, None)).list(delta(5, 3, removed)),
            Good,
        ),
        (
            "4.15.8 a later base",
            scene().list(complete(5, None)).list(delta(6, 4, None)),
            Good,
        ),
        (
            "4.15.9 revoked in both",
            scene()
                .list(complete(5, compromised))
                .list(delta(6, 4, compromised)),
            Revoked,
        ),
        (
            "4.15.10 the base is too old",
            scene()
                .list(List {
                    next: Some(NOW.plus(-HOUR)),
                    ..complete(1, None)
                })
                .list(delta(5, 4, None)),
            Unknown,
        ),
        (
            "a change to a later base takes nothing off",
            scene().list(complete(3, held)).list(delta(5, 4, removed)),
            Revoked,
        ),
    ]);
}
