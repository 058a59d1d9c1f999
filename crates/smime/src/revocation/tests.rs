//! Lists and answers made here, good and bad, and the corpus.

use super::*;
use crate::algorithms::{DigestAlgorithm, SignatureAlgorithm};
use crate::asn1::{self, tag};
use crate::aws::Digest;
use crate::key::PrivateKey;
use crate::maker::{self, NOW, Wanted};
use crate::path::{self, PathFinder, Purpose, TrustAnchors};
use crate::{corpus, extensions::GeneralName};

mod editions;
mod pkits;

const HOUR: i64 = 3_600;
const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";

/// A root, an authority by it, and a leaf by that which names a list and a responder.
struct World {
    root: Certificate,
    root_key: PrivateKey,
    ca: Certificate,
    ca_key: PrivateKey,
    leaf: Certificate,
}

fn list_at(url: &str) -> Vec<u8> {
    let full = asn1::tlv(
        tag::context_constructed(0),
        &asn1::tlv(tag::context(6), url.as_bytes()),
    );
    let point = asn1::sequence(&[&asn1::tlv(tag::context_constructed(0), &full)]);
    maker::extension("2.5.29.31", false, &asn1::sequence(&[&point]))
}

fn responder_at(url: &str) -> Vec<u8> {
    let method = asn1::oid(&"1.3.6.1.5.5.7.48.1".parse().unwrap());
    let access = asn1::sequence(&[&method, &asn1::tlv(tag::context(6), url.as_bytes())]);
    maker::extension("1.3.6.1.5.5.7.1.1", false, &asn1::sequence(&[&access]))
}

fn world() -> World {
    world_with(vec![list_at(LIST), responder_at(RESPONDER)])
}

const LIST: &str = "http://crl.example/ca.crl";
const RESPONDER: &str = "http://ocsp.example/";

fn world_with(leaf_extensions: Vec<Vec<u8>>) -> World {
    let (root_key, ca_key, leaf_key) = (maker::key(), maker::key(), maker::key());
    let root = Wanted::new("Root", "Root", &root_key)
        .with(maker::authority())
        .by(&root_key);
    let ca = Wanted::new("CA", "Root", &ca_key)
        .with(maker::authority())
        .by(&root_key);
    let mut leaf = Wanted::new("Leaf", "CA", &leaf_key);
    leaf.extensions = leaf_extensions;
    let leaf = leaf.by(&ca_key);
    World {
        root,
        root_key,
        ca,
        ca_key,
        leaf,
    }
}

impl World {
    fn path(&self, bag: &[Certificate]) -> VerifiedPath {
        let anchors = TrustAnchors::new(vec![self.root.clone()]);
        let bag = [std::slice::from_ref(&self.ca), bag].concat();
        path::judge(&self.leaf, &bag, &anchors, Purpose::Sign, NOW).unwrap()
    }

    fn status(&self, evidence: &Evidence) -> Status {
        judge(&self.path(&[]), evidence, NOW)
    }

    fn by_list(&self, list: &List<'_>) -> Status {
        let mut evidence = Evidence::default();
        let _ = evidence.add_crl(&list.made());
        self.status(&evidence)
    }

    fn by_answer(&self, answer: &Reply<'_>) -> Status {
        let mut evidence = Evidence::default();
        let _ = evidence.add_ocsp(&answer.made());
        self.status(&evidence)
    }
}

/// What a list is to say.
struct List<'a> {
    issuer: &'a str,
    version: Option<u32>,
    this: Timestamp,
    next: Option<Timestamp>,
    entries: Vec<Vec<u8>>,
    extensions: Vec<Vec<u8>>,
    algorithm: Option<SignatureAlgorithm>,
    key: &'a PrivateKey,
}

fn number() -> Vec<u8> {
    maker::extension("2.5.29.20", false, &asn1::small(7))
}

fn entry(serial: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    entry_at(WHEN, serial, extensions)
}

fn entry_at(when: Timestamp, serial: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let extensions = if extensions.is_empty() {
        Vec::new()
    } else {
        asn1::tlv(tag::SEQUENCE, &extensions.concat())
    };
    let serial = asn1::tlv(tag::INTEGER, serial);
    asn1::sequence(&[&serial, &asn1::time(when), &extensions])
}

fn reason(code: u8) -> Vec<u8> {
    maker::extension("2.5.29.21", false, &asn1::tlv(tag::ENUMERATED, &[code]))
}

const WHEN: Timestamp = Timestamp(NOW.0 - 10 * HOUR);

impl<'a> List<'a> {
    fn new(key: &'a PrivateKey) -> Self {
        Self {
            issuer: "CA",
            version: Some(1),
            this: NOW.plus(-HOUR),
            next: Some(NOW.plus(HOUR)),
            entries: Vec::new(),
            extensions: vec![number()],
            algorithm: None,
            key,
        }
    }

    fn revoking(key: &'a PrivateKey, certificate: &Certificate) -> Self {
        Self {
            entries: vec![entry(certificate.serial(), &[])],
            ..Self::new(key)
        }
    }

    fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    fn made(&self) -> Vec<u8> {
        let algorithm = self.key.signature_algorithm(Default::default());
        let algorithm = self.algorithm.or(algorithm).unwrap();
        let identifier = algorithm.identifier().to_der();
        let version = self.version.map(asn1::small).unwrap_or_default();
        let next = self.next.map(asn1::time).unwrap_or_default();
        let entries = match self.entries.is_empty() {
            true => Vec::new(),
            false => asn1::tlv(tag::SEQUENCE, &self.entries.concat()),
        };
        let extensions = asn1::tlv(tag::SEQUENCE, &self.extensions.concat());
        let extensions = match self.extensions.is_empty() {
            true => Vec::new(),
            false => asn1::tlv(tag::context_constructed(0), &extensions),
        };
        let parts: [&[u8]; 7] = [
            &version,
            &identifier,
            &maker::name(&[("2.5.4.3", self.issuer)]),
            &asn1::time(self.this),
            &next,
            &entries,
            &extensions,
        ];
        let tbs = asn1::sequence(&parts);
        let signature = self.key.sign(algorithm, &tbs).unwrap();
        asn1::sequence(&[&tbs, &identifier, &asn1::bit_string(&signature)])
    }
}

/// issuingDistributionPoint with these fields.
fn scope(fields: &[Vec<u8>]) -> Vec<u8> {
    maker::extension(
        "2.5.29.28",
        true,
        &asn1::tlv(tag::SEQUENCE, &fields.concat()),
    )
}

fn flag(n: u8) -> Vec<u8> {
    asn1::tlv(tag::context(n), &[0xff])
}

fn scope_name(url: &str) -> Vec<u8> {
    let full = asn1::tlv(
        tag::context_constructed(0),
        &asn1::tlv(tag::context(6), url.as_bytes()),
    );
    asn1::tlv(tag::context_constructed(0), &full)
}

#[test]
fn x8_lists_good_and_revoking() {
    let world = world();
    let key = &world.ca_key;
    assert_eq!(world.status(&Evidence::default()), Status::Unknown);
    assert_eq!(world.by_list(&List::new(key)), Status::Good);
    let revoking = List::revoking(key, &world.leaf);
    assert_eq!(world.by_list(&revoking), Status::Revoked(WHEN));
    // PEM is read too.
    let mut evidence = Evidence::default();
    let freshness = evidence
        .add_crl(crate::pem::write("X509 CRL", &revoking.made()).as_bytes())
        .unwrap();
    assert_eq!(
        freshness,
        Freshness {
            from: NOW.plus(-HOUR),
            until: NOW.plus(HOUR)
        }
    );
    assert_eq!(world.status(&evidence), Status::Revoked(WHEN));
    for (code, expected) in [
        (1, Status::Revoked(WHEN)),
        (6, Status::Revoked(WHEN)),
        (8, Status::Good),
    ] {
        let entries = vec![
            entry(&[1], &[]),
            entry(world.leaf.serial(), &[reason(code)]),
        ];
        let list = List {
            entries,
            ..List::new(key)
        };
        assert_eq!(world.by_list(&list), expected, "reason {code}");
    }
}

#[test]
fn x8_lists_that_are_no_evidence() {
    let world = world();
    let key = &world.ca_key;
    let new = || List::new(key);
    let critical = |oid: &str| maker::extension(oid, true, &asn1::null());
    let cases = [
        (
            "stale",
            List {
                this: NOW.plus(-3 * HOUR),
                next: Some(NOW.plus(-1)),
                ..new()
            },
        ),
        (
            "from the future",
            List {
                this: NOW.plus(HOUR),
                next: Some(NOW.plus(2 * HOUR)),
                ..new()
            },
        ),
        (
            "without an end",
            List {
                next: None,
                ..new()
            },
        ),
        (
            "by another name",
            List {
                issuer: "Other",
                ..new()
            },
        ),
        (
            "by another key",
            List {
                key: &world.root_key,
                ..new()
            },
        ),
        (
            "delta",
            new().with(maker::extension("2.5.29.27", true, &asn1::small(1))),
        ),
        ("unknown and critical", new().with(critical("1.2.3"))),
        (
            "without a number",
            List {
                extensions: Vec::new(),
                ..new()
            },
        ),
        ("extension twice", new().with(number())),
        (
            "version 3",
            List {
                version: Some(2),
                ..new()
            },
        ),
        ("about authorities", new().with(scope(&[flag(2)]))),
        ("about attributes", new().with(scope(&[flag(5)]))),
        (
            "of another point",
            new().with(scope(&[scope_name("http://crl.example/2.crl")])),
        ),
        (
            "for some reasons",
            new().with(scope(&[asn1::tlv(tag::context(3), &[5, 0x60])])),
        ),
        (
            "weak",
            List {
                algorithm: Some(SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha1)),
                ..new()
            },
        ),
        (
            "entry of another issuer",
            List {
                entries: vec![
                    entry(&[1], &[critical("2.5.29.29")]),
                    entry(world.leaf.serial(), &[]),
                ],
                ..new()
            },
        ),
        (
            "entry with something critical",
            List {
                entries: vec![entry(&[1], &[critical("1.2.3")])],
                ..new()
            },
        ),
    ];
    for (what, list) in cases {
        assert_eq!(world.by_list(&list), Status::Unknown, "{what}");
    }
    // A list that is not understood still shows who is revoked.
    for extension in [
        critical("1.2.3"),
        maker::extension("2.5.29.27", true, &asn1::small(1)),
    ] {
        let list = List::revoking(key, &world.leaf).with(extension);
        assert_eq!(world.by_list(&list), Status::Revoked(WHEN));
    }
    let mut damaged = new().made();
    let at = damaged.len() / 2;
    damaged[at] ^= 1;
    let mut evidence = Evidence::default();
    let _ = evidence.add_crl(&damaged);
    assert_eq!(world.status(&evidence), Status::Unknown);
}

#[test]
fn x8_lists_of_narrower_scope_that_fits() {
    let world = world();
    let key = &world.ca_key;
    let cases = [
        (
            "version 1",
            List {
                version: None,
                extensions: Vec::new(),
                ..List::new(key)
            },
        ),
        (
            "a little ahead",
            List {
                this: NOW.plus(limits::CLOCK_TOLERANCE),
                ..List::new(key)
            },
        ),
        ("about users", List::new(key).with(scope(&[flag(1)]))),
        (
            "in the form of an indirect list",
            List::new(key).with(scope(&[flag(4)])),
        ),
        (
            "of its point",
            List::new(key).with(scope(&[scope_name(LIST), flag(1)])),
        ),
        (
            "all reasons named",
            List::new(key).with(scope(&[asn1::tlv(tag::context(3), &[7, 0x7f, 0x80])])),
        ),
    ];
    for (what, list) in cases {
        assert_eq!(world.by_list(&list), Status::Good, "{what}");
    }
    // Two lists that cover all reasons between them; and a revocation counts whatever the reasons are.
    let mut evidence = Evidence::default();
    for reasons in [[7, 0x60, 0x00], [7, 0x1f, 0x80]] {
        let part = List::new(key).with(scope(&[asn1::tlv(tag::context(3), &reasons)]));
        evidence.add_crl(&part.made()).unwrap();
    }
    assert_eq!(world.status(&evidence), Status::Good);
    let some =
        List::revoking(key, &world.leaf).with(scope(&[asn1::tlv(tag::context(3), &[5, 0x60])]));
    assert_eq!(world.by_list(&some), Status::Revoked(WHEN));
}

#[test]
fn an_authority_that_may_not_sign_lists_signs_none() {
    let mut world = world();
    world.ca = Wanted::new("CA", "Root", &world.ca_key)
        .with(maker::authority())
        .with(maker::key_usage(0b0000_0100))
        .by(&world.root_key);
    assert_eq!(world.by_list(&List::new(&world.ca_key)), Status::Unknown);
    // Another certificate of the same name may, if the same anchor vouches for it.
    let list_key = maker::key();
    let signer = |by: &PrivateKey, usage| {
        Wanted::new("CA", "Root", &list_key)
            .with(maker::key_usage(usage))
            .by(by)
    };
    let list = List::revoking(&list_key, &world.leaf).made();
    let mut evidence = Evidence::default();
    evidence.add_crl(&list).unwrap();
    for (other, expected) in [
        (signer(&world.root_key, 0b0000_0010), Status::Revoked(WHEN)),
        (signer(&world.root_key, 0b1000_0000), Status::Unknown),
        (signer(&list_key, 0b0000_0010), Status::Unknown),
    ] {
        assert_eq!(judge(&world.path(&[other]), &evidence, NOW), expected);
    }
}

#[test]
fn authorities_are_asked_about_too() {
    let mut world = world_with(Vec::new());
    assert_eq!(world.status(&Evidence::default()), Status::NotNamed);
    world.ca = Wanted::new("CA", "Root", &world.ca_key)
        .with(maker::authority())
        .with(list_at("http://crl.example/root.crl"))
        .by(&world.root_key);
    let by_root = |list: List<'_>| {
        world.by_list(&List {
            issuer: "Root",
            ..list
        })
    };
    assert_eq!(world.status(&Evidence::default()), Status::Unknown);
    assert_eq!(by_root(List::new(&world.root_key)), Status::Good);
    assert_eq!(
        by_root(List::revoking(&world.root_key, &world.ca)),
        Status::Revoked(WHEN)
    );
    // The leaf names nobody, but a list at hand revokes it.
    assert_eq!(
        world.by_list(&List::revoking(&world.ca_key, &world.leaf)),
        Status::Revoked(WHEN)
    );
}

#[test]
fn lists_sent_along_may_revoke_and_nothing_else() {
    let world = world();
    let anchors = TrustAnchors::new(vec![world.root.clone()]);
    let bag = [world.ca.clone()];
    let fresh = List::new(&world.ca_key);
    let revoking = List::revoking(&world.ca_key, &world.leaf);
    for (list, expected) in [(fresh, Status::Unknown), (revoking, Status::Revoked(WHEN))] {
        let mut sent = Evidence::default();
        sent.add_crl(&list.made()).unwrap();
        let finder = PathFinder::new(&bag, &anchors, NOW).with_sent(sent);
        let path = finder.judge(&world.leaf, Purpose::Sign).unwrap();
        assert_eq!(judge(&path, &Evidence::default(), NOW), expected);
    }
}

/// Whoever stands on a list is revoked, whatever date the list names for it (RFC 5280 section 6.3.3 (i)).
#[test]
fn the_earliest_revocation_of_a_path_counts() {
    let mut world = world();
    world.ca = Wanted::new("CA", "Root", &world.ca_key)
        .with(maker::authority())
        .with(list_at("http://crl.example/root.crl"))
        .by(&world.root_key);
    let later = NOW.plus(HOUR);
    let entries = |when| vec![entry_at(when, world.leaf.serial(), &[])];
    let leaf = |when| List {
        entries: entries(when),
        ..List::new(&world.ca_key)
    };
    let ca = List {
        issuer: "Root",
        ..List::revoking(&world.root_key, &world.ca)
    };
    let ca_good = List {
        issuer: "Root",
        ..List::new(&world.root_key)
    };
    for (lists, expected) in [
        (vec![leaf(later)], Status::Revoked(later)),
        (vec![leaf(later), ca_good], Status::Revoked(later)),
        (vec![leaf(later), ca], Status::Revoked(WHEN)),
        (vec![leaf(later), leaf(WHEN)], Status::Revoked(WHEN)),
        (vec![leaf(WHEN), leaf(later)], Status::Revoked(WHEN)),
    ] {
        let mut evidence = Evidence::default();
        for list in lists {
            evidence.add_crl(&list.made()).unwrap();
        }
        assert_eq!(world.status(&evidence), expected);
    }
}

/// Row C19: sixteen signers of one mail ask about the same lists, over and over.
#[test]
fn c19_a_list_nobody_signed_costs_one_check_for_each_key() {
    let world = world();
    let stranger = maker::key();
    let mut evidence = Evidence::default();
    let forged = List::revoking(&stranger, &world.leaf).made();
    evidence.add_crl(&forged).unwrap();
    for _ in 0..16 {
        assert_eq!(world.status(&evidence), Status::Unknown);
    }
    assert_eq!(evidence.lists[0].keys_tried(), 1);
}

/// Whoever sends certificates of an authority's name along neither signs its lists nor keeps out the one who does.
#[test]
fn c19_strangers_of_an_authoritys_name_sign_no_lists() {
    let world = world();
    let signer = |key: &PrivateKey, by: &PrivateKey| {
        Wanted::new("CA", "Root", key)
            .with(maker::key_usage(0b0000_0010))
            .by(by)
    };
    let mut bag: Vec<Certificate> = (0..limits::LIST_SIGNERS + 4)
        .map(|_| maker::key())
        .map(|key| signer(&key, &key))
        .collect();
    let list_key = maker::key();
    let genuine = signer(&list_key, &world.root_key);
    bag.push(genuine.clone());
    let path = world.path(&bag);
    assert_eq!(path.list_signers(), std::slice::from_ref(&genuine));
    let mut evidence = Evidence::default();
    let list = List::revoking(&list_key, &world.leaf).made();
    evidence.add_crl(&list).unwrap();
    assert_eq!(judge(&path, &evidence, NOW), Status::Revoked(WHEN));
    // One that is never trusted signs none either.
    let anchors = TrustAnchors::new(vec![world.root.clone()]).blocking([genuine.fingerprint()]);
    let bag = [world.ca.clone(), genuine];
    let path = path::judge(&world.leaf, &bag, &anchors, Purpose::Sign, NOW).unwrap();
    assert_eq!(judge(&path, &evidence, NOW), Status::Unknown);
}

/// What an answer is to say.
struct Reply<'a> {
    about: &'a Certificate,
    issuer: &'a Certificate,
    digest: DigestAlgorithm,
    state: Vec<u8>,
    this: Timestamp,
    next: Option<Timestamp>,
    produced: Timestamp,
    responder: Option<Vec<u8>>,
    extensions: Vec<Vec<u8>>,
    certificates: Vec<Certificate>,
    key: &'a PrivateKey,
    /// Signs with ECDSA and SHA-256 in place of the key.
    by_hand: Option<Signing>,
}

type Signing = fn(&[u8]) -> Vec<u8>;

fn generalized(at: Timestamp) -> Vec<u8> {
    // From 2050 on times are written so; the century is put right.
    let shifted = asn1::time(Timestamp(at.0 + 12_622_780_800));
    let year = String::from_utf8(shifted[2..6].to_vec()).unwrap();
    let year = format!("{:04}", year.parse::<u32>().unwrap() - 400);
    asn1::tlv(
        tag::GENERALIZED_TIME,
        &[year.as_bytes(), &shifted[6..]].concat(),
    )
}

impl<'a> Reply<'a> {
    fn new(world: &'a World) -> Self {
        Self {
            about: &world.leaf,
            issuer: &world.ca,
            digest: DigestAlgorithm::Sha1,
            state: asn1::tlv(tag::context(0), &[]),
            this: NOW.plus(-HOUR),
            next: Some(NOW.plus(HOUR)),
            produced: NOW.plus(-HOUR),
            responder: None,
            extensions: Vec::new(),
            certificates: Vec::new(),
            key: &world.ca_key,
            by_hand: None,
        }
    }

    fn revoked(mut self) -> Self {
        self.state = asn1::tlv(tag::context_constructed(1), &generalized(WHEN));
        self
    }

    fn made(&self) -> Vec<u8> {
        let hash = |octets: &[u8]| asn1::octet_string(&Digest::of(self.digest, octets));
        let id = asn1::sequence(&[
            &self.digest.identifier().to_der(),
            &hash(self.about.issuer_der()),
            &hash(self.issuer.key_octets().unwrap()),
            &asn1::tlv(tag::INTEGER, self.about.serial()),
        ]);
        let next = self.next.map(generalized);
        let next = next.map(|next| asn1::tlv(tag::context_constructed(0), &next));
        let single = asn1::sequence(&[
            &id,
            &self.state,
            &generalized(self.this),
            &next.unwrap_or_default(),
        ]);
        let by_name = asn1::tlv(tag::context_constructed(1), self.issuer.subject_der());
        let extensions = match self.extensions.is_empty() {
            true => Vec::new(),
            false => asn1::tlv(
                tag::context_constructed(1),
                &asn1::tlv(tag::SEQUENCE, &self.extensions.concat()),
            ),
        };
        let data = asn1::sequence(&[
            self.responder.as_ref().unwrap_or(&by_name),
            &generalized(self.produced),
            &asn1::sequence(&[&single]),
            &extensions,
        ]);
        let algorithm = self.key.signature_algorithm(Default::default()).unwrap();
        let signature = match self.by_hand {
            Some(sign) => sign(&data),
            None => self.key.sign(algorithm, &data).unwrap(),
        };
        let certificates: Vec<&[u8]> = self.certificates.iter().map(Certificate::der).collect();
        let certificates = match certificates.is_empty() {
            true => Vec::new(),
            false => asn1::tlv(tag::context_constructed(0), &asn1::sequence(&certificates)),
        };
        let basic = asn1::sequence(&[
            &data,
            &algorithm.identifier().to_der(),
            &asn1::bit_string(&signature),
            &certificates,
        ]);
        let kind = asn1::oid(&"1.3.6.1.5.5.7.48.1.1".parse().unwrap());
        let bytes = asn1::sequence(&[&kind, &asn1::octet_string(&basic)]);
        asn1::sequence(&[
            &asn1::tlv(tag::ENUMERATED, &[0]),
            &asn1::tlv(tag::context_constructed(0), &bytes),
        ])
    }
}

#[test]
fn x8_answers_and_their_times() {
    let world = world();
    let new = || Reply::new(&world);
    let nonce = |critical| {
        maker::extension(
            "1.3.6.1.5.5.7.48.1.2",
            critical,
            &asn1::octet_string(&[7; 32]),
        )
    };
    let sibling = Wanted::new("Sibling", "CA", &world.root_key).by(&world.ca_key);
    let other = world_with(Vec::new());
    let cases = [
        ("good", new(), Status::Good),
        ("revoked", new().revoked(), Status::Revoked(WHEN)),
        (
            "unknown",
            Reply {
                state: asn1::tlv(tag::context(2), &[]),
                ..new()
            },
            Status::Unknown,
        ),
        (
            "SHA-256",
            Reply {
                digest: DigestAlgorithm::Sha256,
                ..new()
            },
            Status::Good,
        ),
        (
            "a nonce nobody asked for",
            Reply {
                extensions: vec![nonce(false)],
                ..new()
            },
            Status::Good,
        ),
        (
            "something critical",
            Reply {
                extensions: vec![nonce(true)],
                ..new()
            },
            Status::Unknown,
        ),
        (
            "replayed",
            Reply {
                this: NOW.plus(-9 * HOUR),
                next: Some(NOW.plus(-1)),
                ..new()
            },
            Status::Unknown,
        ),
        (
            "from the future",
            Reply {
                this: NOW.plus(HOUR),
                ..new()
            },
            Status::Unknown,
        ),
        (
            "made in the future",
            Reply {
                produced: NOW.plus(HOUR),
                ..new()
            },
            Status::Unknown,
        ),
        (
            "a little ahead",
            Reply {
                this: NOW.plus(200),
                produced: NOW.plus(200),
                ..new()
            },
            Status::Good,
        ),
        (
            "new, without an end",
            Reply {
                this: NOW.plus(-60),
                next: None,
                ..new()
            },
            Status::Good,
        ),
        (
            "old, without an end",
            Reply {
                this: NOW.plus(-2 * HOUR),
                next: None,
                ..new()
            },
            Status::Unknown,
        ),
        (
            "about another certificate",
            Reply {
                about: &world.ca,
                ..new()
            },
            Status::Unknown,
        ),
        (
            "about a certificate with another number",
            Reply {
                about: &sibling,
                ..new()
            },
            Status::Unknown,
        ),
        (
            "by another key",
            Reply {
                key: &world.root_key,
                ..new()
            },
            Status::Unknown,
        ),
        (
            "by a namesake of its issuer",
            Reply {
                issuer: &other.ca,
                key: &other.ca_key,
                ..new()
            },
            Status::Unknown,
        ),
    ];
    for (what, answer, expected) in cases {
        assert_eq!(world.by_answer(&answer), expected, "{what}");
    }
    let mut evidence = Evidence::default();
    let freshness = evidence.add_ocsp(&new().made()).unwrap();
    assert_eq!(
        freshness,
        Freshness {
            from: NOW.plus(-HOUR),
            until: NOW.plus(HOUR)
        }
    );
    // A list that revokes outweighs an answer that does not.
    evidence
        .add_crl(&List::revoking(&world.ca_key, &world.leaf).made())
        .unwrap();
    assert_eq!(world.status(&evidence), Status::Revoked(WHEN));
}

#[test]
fn x8_only_responders_in_charge_are_believed() {
    let world = world();
    let (key, stranger) = (maker::key(), maker::key());
    let responder = |change: &dyn Fn(&mut Wanted<'_>), by: &PrivateKey| {
        let mut wanted = Wanted::new("Responder", "CA", &key).with(maker::purpose(OCSP_SIGNING));
        change(&mut wanted);
        wanted.by(by)
    };
    let nothing: &dyn Fn(&mut Wanted<'_>) = &|_| {};
    let cases: [(&str, Certificate, bool); 7] = [
        ("in charge", responder(nothing, &world.ca_key), true),
        ("by the root", responder(nothing, &world.root_key), false),
        ("by a stranger", responder(nothing, &stranger), false),
        (
            "without the purpose",
            responder(&|w| w.extensions.clear(), &world.ca_key),
            false,
        ),
        (
            "for any purpose",
            responder(
                &|w| w.extensions = vec![maker::purpose("2.5.29.37.0")],
                &world.ca_key,
            ),
            false,
        ),
        (
            "expired",
            responder(&|w| w.not_after = NOW.plus(-1), &world.ca_key),
            false,
        ),
        (
            "usage",
            responder(
                &|w| w.extensions.push(maker::key_usage(0b0000_0010)),
                &world.ca_key,
            ),
            false,
        ),
    ];
    for (what, certificate, believed) in cases {
        let by_name = asn1::tlv(tag::context_constructed(1), certificate.subject_der());
        let hash = Digest::of(DigestAlgorithm::Sha1, certificate.key_octets().unwrap());
        let by_key = asn1::tlv(tag::context_constructed(2), &asn1::octet_string(&hash));
        for responder in [by_name, by_key] {
            let answer = Reply {
                responder: Some(responder),
                certificates: vec![certificate.clone()],
                key: &key,
                ..Reply::new(&world)
            };
            let expected = if believed {
                Status::Good
            } else {
                Status::Unknown
            };
            assert_eq!(world.by_answer(&answer), expected, "{what}");
        }
    }
}

#[test]
fn x8_a_revoked_responder_is_not_believed() {
    let world = world();
    let key = maker::key();
    let no_check = maker::extension("1.3.6.1.5.5.7.48.1.5", false, &asn1::null());
    for (more, expected) in [(None, Status::Unknown), (Some(no_check), Status::Good)] {
        let mut wanted = Wanted::new("Responder", "CA", &key).with(maker::purpose(OCSP_SIGNING));
        wanted.extensions.extend(more);
        let certificate = wanted.by(&world.ca_key);
        let about_authorities_and_responder = List::revoking(&world.ca_key, &certificate);
        let mut evidence = Evidence::default();
        // It speaks about the responder only: reasons are limited so that it settles nothing about the leaf.
        let list =
            about_authorities_and_responder.with(scope(&[asn1::tlv(tag::context(3), &[5, 0x60])]));
        evidence.add_crl(&list.made()).unwrap();
        let answer = Reply {
            responder: Some(asn1::tlv(
                tag::context_constructed(1),
                certificate.subject_der(),
            )),
            certificates: vec![certificate],
            key: &key,
            ..Reply::new(&world)
        };
        evidence.add_ocsp(&answer.made()).unwrap();
        assert_eq!(world.status(&evidence), expected);
    }
}

#[test]
fn responders_that_give_no_answer() {
    let mut evidence = Evidence::default();
    for (status, said) in [
        (3, "try later"),
        (6, "not authorised"),
        (9, "an unknown status"),
    ] {
        let answer = asn1::sequence(&[&asn1::tlv(tag::ENUMERATED, &[status])]);
        assert_eq!(
            evidence.add_ocsp(&answer),
            Err(RevocationError::NoAnswer(said))
        );
    }
    assert!(evidence.is_empty());
    assert_eq!(
        evidence.add_ocsp(&vec![0x30; limits::OCSP_OCTETS + 1]),
        Err(RevocationError::TooLarge)
    );
}

#[test]
fn x7_questions_are_few_and_for_http_only() {
    let path = world().path(&[]);
    let asked = questions(&path);
    let [
        Question::Ocsp { url, request },
        Question::Crl { url: list, .. },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    assert_eq!((url.as_str(), list.as_str()), (RESPONDER, LIST));
    let request = asn1::read_only(request, tag::SEQUENCE).unwrap();
    assert!(request.raw.ends_with(path.leaf().serial()));
    for strange in [
        "ldap://dir.example/cn=CA",
        "file:///etc/passwd",
        "gopher://x.example/",
        "http://x.example/a b",
        "http://x.example/\u{e9}",
        "http:/x.example",
        "//x.example/a.crl",
    ] {
        let world = world_with(vec![list_at(strange), responder_at(strange)]);
        assert_eq!(questions(&world.path(&[])), [], "{strange}");
        assert_eq!(
            world.status(&Evidence::default()),
            Status::Unknown,
            "{strange}"
        );
    }
    let points: Vec<Vec<u8>> = (0..60)
        .map(|n| {
            let url = format!("http://{n}.example/a.crl");
            asn1::sequence(&[&scope_name(&url)])
        })
        .collect();
    let many = maker::extension(
        "2.5.29.31",
        false,
        &asn1::tlv(tag::SEQUENCE, &points.concat()),
    );
    let world = world_with(vec![many]);
    assert_eq!(
        questions(&world.path(&[])).len(),
        limits::QUESTIONS_OF_A_KIND
    );
}

#[test]
fn unreadable_points_name_something_all_the_same() {
    let world = world_with(vec![maker::extension("2.5.29.31", false, &[1, 2, 3])]);
    assert_eq!(world.status(&Evidence::default()), Status::Unknown);
    assert!(world.leaf.extensions().distribution_points.is_empty());
}

#[test]
fn points_relative_to_the_issuer_are_compared_whole() {
    let part = |value: &str| {
        let name = maker::name(&[("2.5.4.3", value)]);
        asn1::read_only(&name, tag::SEQUENCE)
            .unwrap()
            .content
            .to_vec()
    };
    let relative = |value: &str| {
        let set = asn1::read_only(&part(value), tag::SET)
            .unwrap()
            .content
            .to_vec();
        let relative = asn1::tlv(tag::context_constructed(1), &set);
        asn1::tlv(tag::context_constructed(0), &relative)
    };
    let point = asn1::sequence(&[&relative("part 1")]);
    let world = world_with(vec![maker::extension(
        "2.5.29.31",
        false,
        &asn1::sequence(&[&point]),
    )]);
    let [named] = world.leaf.extensions().distribution_points.as_slice() else {
        panic!()
    };
    assert!(named.name.relative.is_some());
    let list = |fields: Vec<u8>| world.by_list(&List::new(&world.ca_key).with(scope(&[fields])));
    assert_eq!(list(relative("part 1")), Status::Good);
    assert_eq!(list(relative("part 2")), Status::Unknown);
    let whole = asn1::sequence(&[&part("CA"), &part("PART 1")]);
    let whole = asn1::tlv(tag::context_constructed(4), &whole);
    let whole = asn1::tlv(
        tag::context_constructed(0),
        &asn1::tlv(tag::context_constructed(0), &whole),
    );
    assert_eq!(list(whole), Status::Good);
}

#[test]
fn x8_a_list_of_a_million_entries_takes_linear_time() {
    let world = world();
    let made = |count: u32| {
        let mut entries = Vec::new();
        for n in 0..count {
            let octets = n.to_be_bytes();
            entries.extend(entry(&[0x40, octets[1], octets[2], octets[3]], &[]));
        }
        List {
            entries: vec![entries, entry(world.leaf.serial(), &[])],
            ..List::new(&world.ca_key)
        }
        .made()
    };
    let read = |octets: &[u8]| {
        let start = std::time::Instant::now();
        let mut evidence = Evidence::default();
        evidence.add_crl(octets).unwrap();
        assert_eq!(world.status(&evidence), Status::Revoked(WHEN));
        start.elapsed()
    };
    let large = made(1_000_000);
    assert!(large.len() <= limits::CRL_OCTETS);
    let took = read(&large);
    assert!(took.as_secs() < 10, "{took:?}");
    assert_eq!(
        Evidence::default().add_crl(&vec![0x30; limits::CRL_OCTETS + 1]),
        Err(RevocationError::TooLarge)
    );
}

#[test]
fn evidence_is_bounded_and_joined() {
    let world = world();
    let list = List::new(&world.ca_key).made();
    let mut one = Evidence::default();
    one.add_crl(&list).unwrap();
    one.add_ocsp(&Reply::new(&world).made()).unwrap();
    let mut all = Evidence::default();
    for _ in 0..limits::EVIDENCE {
        all.join(&one);
    }
    assert_eq!(all.lists.len() + all.answers.len(), limits::EVIDENCE);
    assert_eq!(all.add_crl(&list), Err(RevocationError::TooLarge));
}

/// Files of a corpus directory, by name.
fn files(directory: &str) -> Vec<(String, Vec<u8>)> {
    let Some(directory) = corpus::directory(directory) else {
        return Vec::new();
    };
    let mut found: Vec<(String, Vec<u8>)> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(&path).unwrap())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn corpus_lists_are_read_or_refused() {
    use RevocationError::{Malformed, Unsupported};
    let expected = |name: &str, result: &Result<Freshness, RevocationError>| match name {
        "crl_md2_unknown_crit_entry_ext.pem" => {
            *result == Err(Unsupported("a weak or unknown signature"))
        }
        "crl_bad_version.pem"
        | "crl_invalid_time.der"
        | "crl_no_next_update.pem"
        | "crl_inner_outer_mismatch.der"
        | "crl_inval_date_fractional_seconds.der" => {
            matches!(result, Err(Malformed(_)))
        }
        "crl_inval_cert_issuer_entry_ext.pem" => result.is_err(),
        _ => true,
    };
    let mut read = 0;
    for (name, octets) in files("pyca-vectors/x509-custom") {
        if !name.contains("crl") {
            continue;
        }
        let result = Evidence::default().add_crl(&octets);
        assert!(expected(&name, &result), "{name}: {result:?}");
        read += usize::from(result.is_ok());
    }
    for (name, octets) in files("asn1crypto-fixtures") {
        if name == "eid2011.crl" {
            read += usize::from(Evidence::default().add_crl(&octets).is_ok());
        }
    }
    for (name, octets) in files("openssl-fuzz-seeds/crl") {
        let start = std::time::Instant::now();
        let _ = Evidence::default().add_crl(&octets);
        let _ = Evidence::default().add_ocsp(&octets);
        assert!(start.elapsed().as_secs() < 1, "{name}");
    }
    assert!(
        read > 3 || corpus::directory("pyca-vectors").is_none(),
        "{read}"
    );
}

#[test]
fn corpus_answers_are_read_or_refused() {
    use RevocationError::{Malformed, NoAnswer, Unsupported};
    for (name, octets) in files("pyca-vectors/ocsp") {
        let result = Evidence::default().add_ocsp(&octets);
        let good = match name.as_str() {
            "resp-unauthorized.der" => result == Err(NoAnswer("not authorised")),
            "resp-unknown-response-status.der" => matches!(result, Err(NoAnswer(_))),
            "resp-successful-no-response-bytes.der" | "resp-invalid-version.der" => result.is_err(),
            "resp-response-type-unknown-oid.der" | "resp-unknown-hash-alg.der" => {
                matches!(result, Err(Unsupported(_)))
            }
            _ if name.starts_with("req-") || name.ends_with("-req.der") => {
                matches!(result, Err(Malformed(_)))
            }
            _ => true,
        };
        assert!(good, "{name}: {result:?}");
    }
    for (name, octets) in files("asn1crypto-fixtures") {
        if name == "ocsp_response" {
            let result = Evidence::default().add_ocsp(&octets);
            // Signed with SHA-1, as in 2015: what that proves is for the algorithm table to say.
            assert!(result.is_ok(), "{result:?}");
        }
    }
}

#[test]
fn every_truncation_of_evidence_is_refused() {
    let world = world();
    let list = List::revoking(&world.ca_key, &world.leaf).made();
    let answer = Reply::new(&world).made();
    for length in 0..list.len() {
        assert!(
            Evidence::default().add_crl(&list[..length]).is_err(),
            "{length}"
        );
    }
    for length in 0..answer.len() {
        assert!(
            Evidence::default().add_ocsp(&answer[..length]).is_err(),
            "{length}"
        );
    }
}

#[test]
fn names_of_points_are_kept() {
    let world = world();
    let points = &world.leaf.extensions().distribution_points;
    assert_eq!(points[0].name.full, [GeneralName::Uri(LIST.to_owned())]);
    assert_eq!(world.leaf.extensions().responders, [RESPONDER]);
}

#[test]
fn lists_are_read_from_signed_data() {
    let world = world();
    let small = List::new(&world.ca_key).made();
    let large = asn1::sequence(&[&vec![0; limits::SENT_LIST_OCTETS as usize + 1]]);
    let other = asn1::tlv(tag::context_constructed(1), &asn1::null());
    let lists = [&small, &large, &other, &small].map(Vec::as_slice).concat();
    let content = asn1::sequence(&[&asn1::oid(&"1.2.840.113549.1.7.1".parse().unwrap())]);
    let signed = asn1::sequence(&[
        &asn1::small(1),
        &asn1::tlv(tag::SET, &[]),
        &content,
        &asn1::tlv(tag::context_constructed(1), &lists),
        &asn1::tlv(tag::SET, &[]),
    ]);
    let signed = asn1::tlv(tag::context_constructed(0), &signed);
    let cms = asn1::sequence(&[
        &asn1::oid(&"1.2.840.113549.1.7.2".parse().unwrap()),
        &signed,
    ]);
    let (mut reader, _) = crate::cms::open(cms.as_slice()).unwrap();
    let head = crate::cms::signed_head(&mut reader).unwrap();
    let tail = crate::cms::signed_tail(&mut reader, head.has_content).unwrap();
    assert_eq!(tail.lists, [small.clone(), small]);
}
