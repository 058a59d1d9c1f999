//! What we issue is read back, judged by `smime::path` and `smime::revocation`, and refused where it must be.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use sealgate_core::authority::RevocationReason;
use sealgate_core::ports::{Registered, Registering, RevokedEntry};
use sealgate_mail::{Address, Timestamp};
use sealgate_smime::algorithms::{AlgorithmIdentifier, DigestAlgorithm};
use sealgate_smime::asn1::{self, tag};
use sealgate_smime::aws::Digest;
use sealgate_smime::key::KeyKind;
use sealgate_smime::name::DistinguishedName;
use sealgate_smime::path::{PathFinder, Purpose, TrustAnchors, VerifiedPath, judge};
use sealgate_smime::revocation::{self, Evidence, Question, Status};

use super::*;
use crate::ca::Authority;
use crate::limits::{
    ANSWER_VALIDITY, LIST_REMADE, LIST_VALIDITY, RESPONDER_RENEWED, SERIAL_OCTETS,
};

pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000);
const DAY: i64 = 86_400;

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub(crate) fn addresses() -> Addresses {
    Addresses::parse("http://pki.example").unwrap()
}

/// A register in memory.
#[derive(Default)]
pub(crate) struct Memory {
    issued: Mutex<HashMap<i64, Certificate>>,
    revoked: Mutex<Vec<(Vec<u8>, Timestamp, RevocationReason)>>,
    lists: AtomicU64,
    /// Whether it is out of order.
    pub broken: Mutex<bool>,
}

impl Memory {
    fn asked<T: Send + 'static>(&self, value: T) -> Registering<'_, T> {
        let broken = *self.broken.lock().unwrap();
        Box::pin(async move {
            match broken {
                true => Err(RegisterFailure("out of order".into())),
                false => Ok(value),
            }
        })
    }
}

impl Register for Memory {
    fn issued_for(&self, order: OrderId) -> Registering<'_, Option<Certificate>> {
        self.asked(self.issued.lock().unwrap().get(&order.0).cloned())
    }
    fn record<'a>(
        &'a self,
        order: OrderId,
        certificate: &'a Certificate,
        _now: Timestamp,
    ) -> Registering<'a, Certificate> {
        let mut issued = self.issued.lock().unwrap();
        let counts = issued.entry(order.0).or_insert(certificate.clone());
        self.asked(counts.clone())
    }
    fn find<'a>(&'a self, serial: &'a [u8]) -> Registering<'a, Option<Registered>> {
        let issued = self.issued.lock().unwrap();
        let found = issued.values().find(|one| one.serial() == serial);
        let revoked = self.revoked.lock().unwrap();
        let revoked = revoked.iter().find(|(one, ..)| one == serial);
        self.asked(found.map(|found| Registered {
            fingerprint: found.fingerprint(),
            revoked: revoked.map(|(_, at, reason)| (*at, *reason)),
        }))
    }
    fn revoke<'a>(
        &'a self,
        serial: &'a [u8],
        reason: RevocationReason,
        now: Timestamp,
    ) -> Registering<'a, ()> {
        let mut revoked = self.revoked.lock().unwrap();
        if !revoked.iter().any(|(one, ..)| one == serial) {
            revoked.push((serial.to_vec(), now, reason));
        }
        self.asked(())
    }
    fn revocation_count(&self) -> Registering<'_, u64> {
        self.asked(self.revoked.lock().unwrap().len() as u64)
    }
    fn begin_list(
        &self,
        after: Timestamp,
        _now: Timestamp,
    ) -> Registering<'_, (u64, Vec<RevokedEntry>)> {
        let issued = self.issued.lock().unwrap();
        let lasts = |serial: &[u8]| {
            let found = issued.values().find(|one| one.serial() == serial);
            found.is_none_or(|one| one.not_after() > after)
        };
        let revoked = self.revoked.lock().unwrap();
        let entries = revoked.iter().filter(|(serial, ..)| lasts(serial));
        let entries = entries.map(|(serial, at, reason)| RevokedEntry {
            serial: serial.clone(),
            at: *at,
            reason: *reason,
        });
        let number = self.lists.fetch_add(1, Ordering::Relaxed) + 1;
        self.asked((number, entries.collect()))
    }
    fn next_list_number(&self) -> Registering<'_, u64> {
        self.asked(self.lists.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// One for all tests: making its keys takes a second.
pub(crate) fn ca() -> Ca {
    static CA: OnceLock<Ca> = OnceLock::new();
    let made = || make_ca("Example GmbH", Some(&addresses()), NOW).unwrap();
    CA.get_or_init(made).clone()
}

fn key(kind: KeyKind) -> PrivateKey {
    PrivateKey::generate(kind).unwrap()
}

fn wanted(order: i64, who: &str, key: &PrivateKey) -> Wanted {
    Wanted {
        order: OrderId(order),
        address: address(who),
        csr: sealgate_smime::csr::request(key, &address(who)).unwrap(),
        spki: key.spki_der().to_vec(),
        handle: None,
        answered: false,
        now: NOW,
    }
}

fn leaf(progress: Progress) -> Certificate {
    match progress {
        Progress::Issued(chain) => chain[0].clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn mailbox_certificates_chain_to_the_root() {
    let at = addresses();
    let unpublished = make_ca("Example GmbH", None, NOW).unwrap();
    for (ca, names, places) in [(ca(), true, Some(&at)), (unpublished, false, None)] {
        let anchors = TrustAnchors::new(vec![ca.root_certificate.clone()]);
        let bag = [ca.issuing_certificate.clone()];
        assert!(ca.root_certificate.is_authority() && ca.root_certificate.self_issued());
        assert!(!ca.root_certificate.names_revocation());
        let length = |one: &Certificate| one.extensions().basic.unwrap().path_length;
        assert_eq!(length(&ca.root_certificate), Some(1));
        assert_eq!(length(&ca.issuing_certificate), Some(0));
        assert_eq!(ca.issuing_certificate.names_revocation(), names);
        let long = format!("{}@example.com", "a".repeat(60));
        for (kind, who) in [
            (KeyKind::Rsa2048, "Alice@example.com"),
            (KeyKind::P256, "bob@example.com"),
            (KeyKind::P384, "o'hara+x@example.com"),
            (KeyKind::P256, "jürgen@example.com"),
            (KeyKind::P256, long.as_str()),
        ] {
            let key = key(kind);
            let certificate = issue(&ca, places, &address(who), key.spki_der(), NOW).unwrap();
            assert!(key.matches(&certificate), "{who}");
            assert_eq!(certificate.addresses(), [address(who)]);
            assert_eq!(certificate.may_sign(), Ok(()));
            assert_eq!(certificate.may_encrypt(), Ok(()));
            assert_eq!(certificate.import_refusal(), None);
            assert_eq!(certificate.names_revocation(), names);
            // Also by the rules that only authorities have to keep.
            let finder = PathFinder::new(&bag, &anchors, NOW).conforming();
            finder.judge(&certificate, Purpose::Sign).unwrap();
            assert_eq!(certificate.not_after(), NOW.plus(365 * DAY));
            for purpose in [Purpose::Sign, Purpose::Encrypt] {
                assert!(
                    judge(&certificate, &bag, &anchors, purpose, NOW).is_ok(),
                    "{who}"
                );
                assert!(judge(&certificate, &bag, &anchors, purpose, NOW.plus(366 * DAY)).is_err());
                let nobody = TrustAnchors::new(Vec::new());
                assert!(judge(&certificate, &bag, &nobody, purpose, NOW).is_err());
            }
            let serial = certificate.serial();
            assert_eq!((serial.len(), serial[0] & 0xc0), (SERIAL_OCTETS, 0x40));
        }
    }
}

#[test]
fn no_certificate_outlives_its_issuer() {
    let ca = ca();
    let (key, who) = (key(KeyKind::P256), address("a@example.com"));
    let end = ca.issuing_certificate.not_after();
    let late = issue(&ca, None, &who, key.spki_der(), end.plus(-10 * DAY)).unwrap();
    assert_eq!(late.not_after(), end);
    for at in [end.plus(DAY), NOW.plus(-DAY)] {
        let refused = issue(&ca, None, &who, key.spki_der(), at);
        assert!(matches!(refused, Err(CaError::NotValid)));
        let refused = profile::responder(&ca, key.spki_der(), at);
        assert!(matches!(refused, Err(CaError::NotValid)));
    }
    let refused = issue(&ca, None, &who, b"0\x00", NOW);
    assert!(matches!(refused, Err(CaError::MailboxKey)));
    let quoted = address("\"a b\"@example.com");
    let refused = issue(&ca, None, &quoted, key.spki_der(), NOW);
    assert!(matches!(refused, Err(CaError::Address)));
}

#[test]
fn names_are_clean_and_short() {
    for name in ["", "\r\nBcc: x", "Ünternehmen", &"x".repeat(200)] {
        let name = profile::authority_name(name, "S/MIME Issuing CA");
        let read = DistinguishedName::from_der(&name).unwrap();
        let common = read.common_name().unwrap();
        assert!(common.chars().count() <= 64 && !common.chars().any(char::is_control));
    }
    let ca = ca();
    let responder = profile::responder(&ca, key(KeyKind::P256).spki_der(), NOW).unwrap();
    let names = [&ca.root_certificate, &ca.issuing_certificate, &responder];
    let names = names.map(Certificate::subject_name);
    assert!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2]);
}

#[tokio::test]
async fn one_certificate_for_one_order() {
    let ca = ca();
    let memory = Arc::new(Memory::default());
    let connector = BuiltIn::new(ca.clone(), memory.clone(), None);
    let again = BuiltIn::new(ca, memory.clone(), None);
    let key = key(KeyKind::P256);
    let order = wanted(1, "a@example.com", &key);
    assert_eq!(connector.collect(&order).await, Ok(Progress::Unknown));
    let (one, two) = tokio::join!(connector.request(&order), again.request(&order));
    assert_eq!(one, two);
    assert_eq!(again.collect(&order).await, one);
    assert_eq!(connector.request(&order).await, one);
    let other = wanted(2, "a@example.com", &key);
    assert_ne!(
        leaf(connector.request(&other).await.unwrap()),
        leaf(one.unwrap())
    );
    *memory.broken.lock().unwrap() = true;
    assert!(!connector.collect(&order).await.unwrap_err().permanent);
    assert!(!connector.request(&order).await.unwrap_err().permanent);
}

#[tokio::test]
async fn what_cannot_be_certified_is_refused_for_good() {
    let ca = ca();
    let connector = BuiltIn::new(ca, Arc::new(Memory::default()), None);
    let (own, other) = (key(KeyKind::P256), key(KeyKind::P256));
    let good = wanted(1, "a@example.com", &own);
    let spki = other.spki_der().to_vec();
    for bad in [
        Wanted {
            csr: Vec::new(),
            ..good.clone()
        },
        Wanted {
            spki,
            ..good.clone()
        },
        Wanted {
            address: address("\"a b\"@example.com"),
            ..good.clone()
        },
    ] {
        assert!(connector.request(&bad).await.unwrap_err().permanent);
    }
    let early = Wanted {
        now: NOW.plus(-DAY),
        ..good
    };
    assert!(!connector.request(&early).await.unwrap_err().permanent);
}

#[tokio::test]
async fn only_our_own_certificates_are_revoked() {
    let ca = ca();
    let memory = Arc::new(Memory::default());
    let connector = BuiltIn::new(ca.clone(), memory.clone(), None);
    let key = key(KeyKind::P256);
    let issued = leaf(
        connector
            .request(&wanted(1, "a@example.com", &key))
            .await
            .unwrap(),
    );
    let revoke = |certificate: &Certificate, reason, now| ToRevoke {
        certificate: certificate.clone(),
        chain: Vec::new(),
        handle: None,
        reason,
        now,
    };
    let reason = RevocationReason::KeyCompromise;
    let first = revoke(&issued, reason, NOW);
    assert_eq!(connector.revoke(&first).await, Ok(Revoked::Confirmed));
    let second = revoke(&issued, RevocationReason::Superseded, NOW.plus(9));
    assert_eq!(connector.revoke(&second).await, Ok(Revoked::Confirmed));
    let found = memory.find(issued.serial()).await.unwrap().unwrap();
    assert_eq!(found.revoked, Some((NOW, reason)));
    let stranger = issue(&ca, None, &address("b@example.com"), key.spki_der(), NOW).unwrap();
    let refused = connector.revoke(&revoke(&stranger, reason, NOW)).await;
    assert!(refused.unwrap_err().permanent);
}

/// A clock that a test moves.
static CLOCK: AtomicI64 = AtomicI64::new(NOW.0);

fn clock() -> Timestamp {
    Timestamp(CLOCK.load(Ordering::Relaxed))
}

/// A CA with one issued certificate, and what is published about it.
struct Scene {
    memory: Arc<Memory>,
    connector: BuiltIn,
    publisher: Publisher,
    issued: Certificate,
    path: VerifiedPath,
}

async fn scene(clock: fn() -> Timestamp) -> Scene {
    let ca = ca();
    let memory = Arc::new(Memory::default());
    let connector = BuiltIn::new(ca.clone(), memory.clone(), Some(addresses()));
    let order = wanted(1, "a@example.com", &key(KeyKind::P256));
    let issued = leaf(connector.request(&order).await.unwrap());
    let anchors = TrustAnchors::new(vec![ca.root_certificate.clone()]);
    let bag = [ca.issuing_certificate.clone()];
    let path = judge(&issued, &bag, &anchors, Purpose::Sign, NOW).unwrap();
    Scene {
        publisher: Publisher::new(ca, memory.clone(), clock),
        memory,
        connector,
        issued,
        path,
    }
}

impl Scene {
    async fn revoke(&self, reason: RevocationReason) {
        let what = ToRevoke {
            certificate: self.issued.clone(),
            chain: Vec::new(),
            handle: None,
            reason,
            now: clock(),
        };
        self.connector.revoke(&what).await.unwrap();
    }

    /// The first question our own reader asks about it: an OCSP request.
    fn question(&self) -> Vec<u8> {
        let questions = revocation::questions(&self.path);
        let urls: Vec<&str> = questions.iter().map(Question::url).collect();
        assert_eq!(
            urls,
            [
                "http://pki.example/ocsp",
                "http://pki.example/issuing.crl",
                "http://pki.example/root.crl"
            ]
        );
        match &questions[0] {
            Question::Ocsp { request, .. } => request.clone(),
            other => panic!("{other:?}"),
        }
    }

    async fn answered(&self, request: &[u8]) -> (Published, bool) {
        match self.publisher.answer(request).await {
            Answered::Signed { answer, reusable } => (answer, reusable),
            Answered::Error(octets) => panic!("{octets:02x?}"),
        }
    }

    /// What our own reader makes of the path by lists, and by answer and the root's list.
    async fn verdicts(&self, at: Timestamp) -> [Status; 2] {
        let root = self.publisher.list(ListOf::Root).await.unwrap();
        let issuing = self.publisher.list(ListOf::Issuing).await.unwrap();
        let (answer, _) = self.answered(&self.question()).await;
        let mut lists = Evidence::default();
        lists.add_crl(&root.octets).unwrap();
        lists.add_crl(&issuing.octets).unwrap();
        let mut answers = Evidence::default();
        answers.add_crl(&root.octets).unwrap();
        answers.add_ocsp(&answer.octets).unwrap();
        [lists, answers].map(|evidence| revocation::judge(&self.path, &evidence, at))
    }
}

#[tokio::test]
async fn lists_and_answers_follow_a_revocation() {
    let scene = scene(clock).await;
    assert_eq!(scene.verdicts(NOW).await, [Status::Good; 2]);
    let first = scene.publisher.list(ListOf::Issuing).await.unwrap();
    assert_eq!(scene.publisher.list(ListOf::Issuing).await.unwrap(), first);
    scene.revoke(RevocationReason::CessationOfOperation).await;
    let revoked_at = clock();
    CLOCK.fetch_add(1, Ordering::Relaxed);
    let at = clock();
    assert_eq!(scene.verdicts(at).await, [Status::Revoked(revoked_at); 2]);
    let second = scene.publisher.list(ListOf::Issuing).await.unwrap();
    assert_ne!(second.tag, first.tag);
    assert_eq!(second.until, at.plus(LIST_VALIDITY));
    // Nothing happens: the list stays for a day, then it is made anew.
    CLOCK.fetch_add(LIST_REMADE - 1, Ordering::Relaxed);
    assert_eq!(scene.publisher.list(ListOf::Issuing).await.unwrap(), second);
    CLOCK.fetch_add(1, Ordering::Relaxed);
    let third = scene.publisher.list(ListOf::Issuing).await.unwrap();
    assert_eq!(third.from, second.from.plus(LIST_REMADE));
    assert_eq!(
        scene.memory.lists.load(Ordering::Relaxed),
        4,
        "with the root's"
    );
    // Other responders take over before the first one's time ends.
    let (one, _) = scene.answered(&scene.question()).await;
    CLOCK.fetch_add(RESPONDER_RENEWED, Ordering::Relaxed);
    let (other, _) = scene.answered(&scene.question()).await;
    assert_eq!(other.until, clock().plus(ANSWER_VALIDITY));
    let mut evidence = Evidence::default();
    evidence.add_ocsp(&other.octets).unwrap();
    assert!(revocation::judge(&scene.path, &evidence, clock()).is_revoked());
    assert_ne!(one.tag, other.tag);
    CLOCK.store(NOW.0, Ordering::Relaxed);
}

/// Reasons are told in lists and answers, but not where none was given.
#[tokio::test]
async fn reasons_are_told() {
    for (reason, code) in [
        (RevocationReason::Unspecified, None),
        (RevocationReason::KeyCompromise, Some(1)),
        (RevocationReason::Superseded, Some(4)),
        (RevocationReason::CessationOfOperation, Some(5)),
    ] {
        let scene = scene(|| NOW).await;
        scene.revoke(reason).await;
        let list = scene.publisher.list(ListOf::Issuing).await.unwrap();
        let (answer, _) = scene.answered(&scene.question()).await;
        for octets in [list.octets, answer.octets] {
            let written = |code: u8| octets.windows(3).any(|three| three == [10, 1, code]);
            let found: Vec<u8> = (1..=10).filter(|code| written(*code)).collect();
            assert_eq!(found, code.into_iter().collect::<Vec<u8>>(), "{reason:?}");
        }
    }
}

/// A clock that was ahead when somebody revoked does not put the revocation off.
#[tokio::test]
async fn no_revocation_lies_in_the_future() {
    let scene = scene(|| NOW).await;
    let what = ToRevoke {
        certificate: scene.issued.clone(),
        chain: Vec::new(),
        handle: None,
        reason: RevocationReason::KeyCompromise,
        now: NOW.plus(DAY),
    };
    scene.connector.revoke(&what).await.unwrap();
    assert_eq!(scene.verdicts(NOW).await, [Status::Revoked(NOW); 2]);
}

/// A request about serial numbers of an issuer, with extensions.
fn request(
    issuer: &Certificate,
    digest: DigestAlgorithm,
    serials: &[&[u8]],
    more: &[u8],
) -> Vec<u8> {
    let identifier = AlgorithmIdentifier {
        oid: digest.row().oid,
        parameters: Some(asn1::null()),
    };
    let singles: Vec<Vec<u8>> = serials
        .iter()
        .map(|serial| {
            let id = asn1::sequence(&[
                &identifier.to_der(),
                &asn1::octet_string(&Digest::of(digest, issuer.subject_der())),
                &asn1::octet_string(&Digest::of(digest, issuer.key_octets().unwrap())),
                &asn1::tlv(tag::INTEGER, serial),
            ]);
            asn1::sequence(&[&id])
        })
        .collect();
    let list = asn1::tlv(tag::SEQUENCE, &singles.concat());
    asn1::sequence(&[&asn1::sequence(&[&list, more])])
}

fn nonce(octets: &[u8]) -> Vec<u8> {
    let value = asn1::octet_string(octets);
    let one = profile::extension("1.3.6.1.5.5.7.48.1.2", false, &value);
    asn1::tlv(tag::context_constructed(2), &asn1::sequence(&[&one]))
}

#[tokio::test]
async fn requests_of_all_kinds() {
    use DigestAlgorithm::{Sha1, Sha256, Sha384};
    let scene = scene(|| NOW).await;
    let ca = scene.publisher.ca();
    let (issuing, root) = (&ca.issuing_certificate, &ca.root_certificate);
    let own = scene.issued.serial();
    let publisher = &scene.publisher;
    let errors = |octets: Vec<u8>| async move {
        match publisher.answer(&octets).await {
            Answered::Error(error) => Some(error[4]),
            Answered::Signed { .. } => None,
        }
    };
    let unknown = tag::context(2);
    let good = tag::context(0);
    for digest in [Sha1, Sha256] {
        for (serials, states) in [
            (vec![own], vec![good]),
            (vec![&[5u8][..]], vec![unknown]),
            (vec![own, &[5], own], vec![good, unknown, good]),
        ] {
            let (answer, reusable) = scene
                .answered(&request(issuing, digest, &serials, &[]))
                .await;
            assert!(reusable);
            assert_eq!(states_of(&answer.octets), states);
        }
    }
    // The nonce comes back, and such an answer is nobody else's.
    for octets in [&[1u8][..], &[7; 32], &[7; 128]] {
        let (answer, reusable) = scene
            .answered(&request(issuing, Sha1, &[own], &nonce(octets)))
            .await;
        let written = asn1::octet_string(&asn1::octet_string(octets));
        assert!(
            !reusable
                && answer
                    .octets
                    .windows(written.len())
                    .any(|part| part == written)
        );
    }
    let critical = profile::extension("1.2.3", true, b"\x05\x00");
    let critical = asn1::tlv(tag::context_constructed(2), &asn1::sequence(&[&critical]));
    let one = profile::extension("1.3.6.1.5.5.7.48.1.2", false, &asn1::octet_string(&[7; 16]));
    let twice = asn1::tlv(tag::context_constructed(2), &asn1::sequence(&[&one, &one]));
    let many: Vec<&[u8]> = vec![own; 17];
    // Another name or another key is another issuer.
    let other = |hashed: &[u8]| {
        let mut request = request(issuing, Sha1, &[own], &[]);
        let hash = Digest::of(Sha1, hashed);
        let at = request.windows(hash.len()).position(|part| part == hash);
        request[at.unwrap()] ^= 1;
        request
    };
    for (request, error) in [
        (Vec::new(), 1),
        (b"\x30\x03\x30\x01\x00".to_vec(), 1),
        (request(issuing, Sha1, &[], &[]), 1),
        (request(issuing, Sha1, &many, &[]), 1),
        (request(issuing, Sha1, &[own], &nonce(&[])), 1),
        (request(issuing, Sha1, &[own], &nonce(&[7; 129])), 1),
        (request(issuing, Sha1, &[own], &twice), 1),
        (request(issuing, Sha1, &[own], &critical), 1),
        (request(issuing, Sha1, &[&[1; 22]], &[]), 1),
        (request(root, Sha1, &[issuing.serial()], &[]), 6),
        (request(issuing, Sha384, &[own], &[]), 6),
        (other(issuing.subject_der()), 6),
        (other(issuing.key_octets().unwrap()), 6),
    ] {
        let shown = format!("{request:02x?}");
        assert_eq!(errors(request).await, Some(error), "{shown}");
    }
    *scene.memory.broken.lock().unwrap() = true;
    assert_eq!(errors(request(issuing, Sha1, &[own], &[])).await, Some(3));
    assert!(scene.publisher.list(ListOf::Issuing).await.is_err());
}

/// The tags of the statuses in an answer.
fn states_of(answer: &[u8]) -> Vec<u8> {
    let mut outer = asn1::read_only(answer, tag::SEQUENCE).unwrap().inside();
    outer.any().unwrap();
    let bytes = outer.any().unwrap().inside().any().unwrap();
    let mut bytes = bytes.inside();
    bytes.any().unwrap();
    let basic = bytes.any().unwrap().inside().any().unwrap();
    let mut data = basic.inside().any().unwrap().inside();
    data.any().unwrap();
    data.any().unwrap();
    let singles = data.any().unwrap().inside().all().unwrap();
    singles
        .iter()
        .map(|single| single.inside().all().unwrap()[1].tag)
        .collect()
}

/// What expired stays on one list more, and then leaves it.
#[tokio::test]
async fn expired_certificates_leave_the_list() {
    static LATER: AtomicI64 = AtomicI64::new(NOW.0);
    let scene = scene(|| Timestamp(LATER.load(Ordering::Relaxed))).await;
    scene.revoke(RevocationReason::Superseded).await;
    let named = |list: &Published| {
        let serial = scene.issued.serial();
        list.octets.windows(serial.len()).any(|part| part == serial)
    };
    let end = scene.issued.not_after();
    for (at, expected) in [
        (NOW, true),
        (end.plus(DAY), true),
        (end.plus(3 * DAY), false),
    ] {
        LATER.store(at.0, Ordering::Relaxed);
        let list = scene.publisher.list(ListOf::Issuing).await.unwrap();
        assert_eq!(named(&list), expected, "{at:?}");
    }
}
