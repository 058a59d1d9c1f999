//! Which certificates are learned from signed mail, and which are encrypted to (A19, rows X9 and X10, spec.md section 5).
//!
//! Only added, never overwritten; what an administrator imported is never changed. What a known key's owner announces that
//! it reads is kept up to date.

use sealgate_mail::{Address, Timestamp};
use sealgate_smime::certificate::{Certificate, UsageRefusal};
use sealgate_smime::cms::CertificateId;
use sealgate_smime::path::{PathFinder, Purpose, TrustAnchors, VerifiedPath};
use sealgate_smime::profile::Profile;
use sealgate_smime::revocation::{self, Evidence, Status};
use sealgate_smime::verdict::SignatureVerdict;
use sealgate_smime::verify::{SignatureReport, SignerReport};

use crate::limits::{ANNOUNCED_OCTETS, ANNOUNCED_SKEW};
use crate::tenant::{Announced, CorrespondentKey, CorrespondentState, Origin};

mod choice;
mod expiry;

pub use choice::{Changed, Choice, ChoiceRefusal, choose};
pub use expiry::{Expired, Expiry, look_at, take_over};

/// A correspondent key to be stored, learned from a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Harvested {
    /// The address it is bound to.
    pub address: Address,
    /// The certificate.
    pub certificate: Certificate,
    /// Its state.
    pub state: CorrespondentState,
    /// Keys of the address that become [`CorrespondentState::Additional`], because this one is preferred now.
    pub superseded: Vec<i64>,
    /// Its issuers up to the trust root, as they were judged when it was learned.
    pub chain: Vec<Certificate>,
    /// What its owner announced that it reads.
    pub announced: Option<Announced>,
    /// The number of the key, if it is known already: then only what its owner announced is new.
    pub known: Option<i64>,
}

/// What certificates to be learned are judged under.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The organisation's trust roots.
    pub anchors: &'a TrustAnchors,
    /// What is known of revocation.
    pub evidence: &'a Evidence,
    /// The time.
    pub now: Timestamp,
}

/// What is to be encrypted to for one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Usable {
    /// Nothing is known.
    None,
    /// Only keys too weak to use.
    WeakOnly,
    /// These.
    Keys(Vec<CorrespondentKey>),
}

/// What is learned from a mail. `from` is the single header From, `existing` the keys of that address.
///
/// Nothing unless the signature is `valid` (or lacks only an answer about revocation: then the key is kept pending), and
/// nothing that does not carry the address, encrypt, and chain to a trust root itself.
pub fn harvest(
    report: &SignatureReport,
    from: &Address,
    existing: &[CorrespondentKey],
    terms: Terms<'_>,
) -> Vec<Harvested> {
    let pending = match report.verdict {
        SignatureVerdict::Valid => false,
        SignatureVerdict::RevocationUnknown => true,
        _ => return Vec::new(),
    };
    let Some(sender) = report.sender() else {
        return Vec::new();
    };
    let mut keys = existing.to_vec();
    let mut found = Vec::new();
    for path in paths_of(report, sender, from, terms.anchors, terms.now) {
        let pending = match revocation::judge(&path, terms.evidence, terms.now) {
            Status::NotNamed | Status::Good => pending,
            Status::Unknown => true,
            Status::Revoked(_) => continue,
        };
        let announced = announced(sender, path.leaf(), terms.now);
        let chain: Vec<_> = path.chain().iter().skip(1).cloned().collect();
        let known = keys.iter().find(|key| key.certificate == *path.leaf());
        let harvested = match known {
            Some(_) if pending => None,
            Some(known) => renewed(known, announced),
            None => place(path.leaf(), from, &keys, pending, terms.now).map(|new| Harvested {
                chain,
                announced,
                ..new
            }),
        };
        let Some(harvested) = harvested else {
            continue;
        };
        keys.push(stored(&harvested, terms.now));
        found.push(harvested);
    }
    found
}

/// What the signer announced that it reads, to be kept with `certificate`. Without a signing time it is taken to be as old as
/// the certificate; one in the future is not believed (RFC 8551 section 2.7.1).
fn announced(
    sender: &SignerReport,
    certificate: &Certificate,
    now: Timestamp,
) -> Option<Announced> {
    let capabilities = sender.capabilities.as_ref()?;
    if capabilities.len() > ANNOUNCED_OCTETS {
        return None;
    }
    let at = sender.signing_time.unwrap_or(certificate.not_before());
    (at <= now.plus(ANNOUNCED_SKEW)).then(|| Announced {
        capabilities: capabilities.clone(),
        at,
    })
}

/// A known key whose owner announced something later than what is known.
fn renewed(known: &CorrespondentKey, announced: Option<Announced>) -> Option<Harvested> {
    let announced = announced?;
    let earlier = known.announced.as_ref().map(|before| before.at);
    earlier
        .is_none_or(|earlier| earlier < announced.at)
        .then(|| Harvested {
            address: known.address.clone(),
            certificate: known.certificate.clone(),
            state: known.state,
            superseded: Vec::new(),
            chain: Vec::new(),
            announced: Some(announced),
            known: Some(known.id),
        })
}

/// The paths of the certificates that could be learned from a mail: what is to be asked about revocation before
/// [`harvest`].
pub fn paths(
    report: &SignatureReport,
    from: &Address,
    anchors: &TrustAnchors,
    now: Timestamp,
) -> Vec<VerifiedPath> {
    let sender = report.sender();
    sender.map_or_else(Vec::new, |sender| {
        paths_of(report, sender, from, anchors, now)
    })
}

fn paths_of(
    report: &SignatureReport,
    sender: &SignerReport,
    from: &Address,
    anchors: &TrustAnchors,
    now: Timestamp,
) -> Vec<VerifiedPath> {
    // One for all of them: two hundred certificates may be sent along (row X2).
    let paths = PathFinder::new(&report.certificates, anchors, now);
    let path = |certificate| paths.judge(certificate, Purpose::Encrypt).ok();
    candidates(report, sender, from)
        .into_iter()
        .filter_map(path)
        .collect()
}

/// Where a pending key goes once its answer is good; `existing` are the keys of its address, itself among them.
pub fn promoted(
    key: &CorrespondentKey,
    existing: &[CorrespondentKey],
    now: Timestamp,
) -> Option<Harvested> {
    let others: Vec<_> = existing
        .iter()
        .filter(|other| other.id != key.id)
        .cloned()
        .collect();
    place(&key.certificate, &key.address, &others, false, now)
}

/// A certificate that a directory or DNS has for `address`; none if it is known already. Like a harvested one it is only added.
pub fn looked_up(
    certificate: &Certificate,
    address: &Address,
    existing: &[CorrespondentKey],
    (pending, now): (bool, Timestamp),
) -> Option<Harvested> {
    place(certificate, address, existing, pending, now)
}

/// The certificates that mail to the signer may be encrypted to: the one it asks for (RFC 8551 section 2.5.3), else the
/// signing one if it may encrypt, else those sent along.
fn candidates<'r>(
    report: &'r SignatureReport,
    sender: &'r SignerReport,
    from: &Address,
) -> Vec<&'r Certificate> {
    let fits = |c: &&Certificate| c.addresses().contains(from) && c.may_encrypt().is_ok();
    let own = sender.certificate.as_ref().filter(fits);
    let sent = || report.certificates.iter().filter(fits);
    let wanted = |id: &CertificateId| own.into_iter().chain(sent()).find(|c| id.names(c));
    let asked_for = sender.encryption_preference.as_ref().and_then(wanted);
    match asked_for.or(own) {
        Some(certificate) => vec![certificate],
        None => sent().collect(),
    }
}

/// The state of a new key among those known; none if it is known already.
fn place(
    certificate: &Certificate,
    address: &Address,
    existing: &[CorrespondentKey],
    pending: bool,
    now: Timestamp,
) -> Option<Harvested> {
    if existing.iter().any(|key| key.certificate == *certificate) {
        return None;
    }
    let preferred: Vec<&CorrespondentKey> = existing
        .iter()
        .filter(|key| key.pinned || stands(key, now))
        .collect();
    let harvested = |state, superseded| Harvested {
        address: address.clone(),
        certificate: certificate.clone(),
        state,
        superseded,
        chain: Vec::new(),
        announced: None,
        known: None,
    };
    let same_issuer = |key: &&&CorrespondentKey| {
        key.certificate.issuer().normal() == certificate.issuer().normal()
    };
    Some(if pending {
        harvested(CorrespondentState::Pending, Vec::new())
    } else if preferred.is_empty() {
        harvested(CorrespondentState::Preferred, Vec::new())
    } else if preferred.iter().filter(same_issuer).count() == 0 {
        harvested(CorrespondentState::New, Vec::new())
    } else if preferred.iter().all(|key| gives_way(key, certificate)) {
        let superseded = preferred.iter().map(|key| key.id).collect();
        harvested(CorrespondentState::Preferred, superseded)
    } else {
        harvested(CorrespondentState::Additional, Vec::new())
    })
}

/// Whether a preferred key makes room for a newer one: of the same issuer, older, and not an administrator's choice.
fn gives_way(key: &CorrespondentKey, newer: &Certificate) -> bool {
    key.origin != Origin::Manual
        && !key.pinned
        && key.certificate.issuer().normal() == newer.issuer().normal()
        && key.certificate.not_before() < newer.not_before()
}

/// How a key just learned looks to the next one of the same mail; it has no number yet.
pub(crate) fn stored(harvested: &Harvested, now: Timestamp) -> CorrespondentKey {
    CorrespondentKey {
        id: 0,
        address: harvested.address.clone(),
        certificate: harvested.certificate.clone(),
        origin: Origin::Harvested,
        state: harvested.state,
        pinned: false,
        added: now,
        announced: harvested.announced.clone(),
    }
}

fn is_good(key: &CorrespondentKey, now: Timestamp) -> bool {
    key.certificate.valid_at(now) && key.certificate.may_encrypt().is_ok()
}

/// Whether a key is preferred and can be encrypted to.
fn stands(key: &CorrespondentKey, now: Timestamp) -> bool {
    key.state == CorrespondentState::Preferred && is_good(key, now)
}

/// What to encrypt to for the address that all of `keys` belong to.
///
/// A pinned key alone, whatever becomes of it. Else what an administrator imported and has not put back, all of it; else the
/// newest certificate of the best state: preferred, then additional, then new. Expired ones never stand in the way; pending and blocked ones, and those that the organisation never
/// trusts, are never used. A key whose owner announced only weak algorithms is weak (row C23), unless a `profile` is agreed
/// with the partner: then that says what it reads.
pub fn usable(
    keys: &[CorrespondentKey],
    anchors: &TrustAnchors,
    profile: Profile,
    now: Timestamp,
) -> Usable {
    let pinned = keys.iter().any(|key| key.pinned);
    let valid: Vec<&CorrespondentKey> = keys
        .iter()
        .filter(|key| key.pinned || !pinned)
        .filter(|key| rank(key.state).is_some() && key.certificate.valid_at(now))
        .filter(|key| !anchors.blocks(&key.certificate))
        .collect();
    let good = || valid.iter().copied().filter(|key| is_good(key, now));
    let manual: Vec<&CorrespondentKey> = good()
        .filter(|key| key.origin == Origin::Manual && key.state == CorrespondentState::Preferred)
        .collect();
    let best = good().max_by_key(|key| order(key));
    let chosen = if manual.is_empty() {
        best.into_iter().collect()
    } else {
        manual
    };
    let strong: Vec<CorrespondentKey> = chosen
        .iter()
        .copied()
        .filter(|key| profile != Profile::Default || !announces_only_weak(key))
        .cloned()
        .collect();
    let weak = |key: &&CorrespondentKey| key.certificate.may_encrypt() == Err(UsageRefusal::Weak);
    match (strong.is_empty(), chosen.is_empty()) {
        (false, _) => Usable::Keys(strong),
        (true, false) => Usable::WeakOnly,
        (true, true) if valid.iter().any(weak) => Usable::WeakOnly,
        (true, true) => Usable::None,
    }
}

/// The certificates of a correspondent that a client may have encrypted to by itself (A29), out of all of `keys`: also expired
/// and weak ones, and those that another is preferred to. Pending and blocked ones are as good as unknown.
pub fn known(keys: &[CorrespondentKey], anchors: &TrustAnchors) -> Vec<Certificate> {
    keys.iter()
        .filter(|key| rank(key.state).is_some() && !anchors.blocks(&key.certificate))
        .map(|key| key.certificate.clone())
        .collect()
}

fn announces_only_weak(key: &CorrespondentKey) -> bool {
    key.capabilities().is_some_and(|known| known.only_weak())
}

/// The last in this order is used.
fn order(key: &CorrespondentKey) -> (Option<u8>, Timestamp, i64) {
    (rank(key.state), key.certificate.not_before(), key.id)
}

/// The order in which states are used; none for those that are not.
const fn rank(state: CorrespondentState) -> Option<u8> {
    match state {
        CorrespondentState::Preferred => Some(3),
        CorrespondentState::Additional => Some(2),
        CorrespondentState::New => Some(1),
        CorrespondentState::Pending | CorrespondentState::Blocked => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testdata::certificate;
    use CorrespondentState::{Additional, Blocked, New, Pending, Preferred};

    /// 2026-11-22.
    const NOW: Timestamp = Timestamp(1_795_305_600);

    fn alice() -> Address {
        Address::parse("alice@partner.example").unwrap()
    }

    fn anchors() -> TrustAnchors {
        TrustAnchors::new(vec![certificate("root-one"), certificate("root-two")])
    }

    fn from_alice(
        report: &SignatureReport,
        existing: &[CorrespondentKey],
        anchors: &TrustAnchors,
    ) -> Vec<Harvested> {
        let evidence = &Evidence::default();
        let terms = Terms {
            anchors,
            evidence,
            now: NOW,
        };
        harvest(report, &alice(), existing, terms)
    }

    fn signed_by(verdict: SignatureVerdict, signer: &str, bag: &[&str]) -> SignatureReport {
        let certificates: Vec<_> = bag.iter().map(|name| certificate(name)).collect();
        let certificate = certificate(signer);
        let signer = SignerReport {
            verdict,
            reason: "",
            unrevoked: (verdict, ""),
            unanswered: false,
            signer: CertificateId::IssuerSerial {
                issuer_der: certificate.issuer_der().to_vec(),
                serial: certificate.serial().to_vec(),
            },
            certificate: Some(certificate),
            path: None,
            signing_time: None,
            capabilities: None,
            encryption_preference: None,
            digest: None,
            algorithm: None,
        };
        SignatureReport {
            verdict,
            signers: vec![signer],
            certificates,
            fault: None,
            notes: vec![],
        }
    }

    fn key(id: i64, name: &str, origin: Origin, state: CorrespondentState) -> CorrespondentKey {
        CorrespondentKey {
            id,
            address: alice(),
            certificate: certificate(name),
            origin,
            state,
            pinned: false,
            added: NOW,
            announced: None,
        }
    }

    fn learned(
        report: &SignatureReport,
        existing: &[CorrespondentKey],
    ) -> Vec<(Certificate, CorrespondentState, Vec<i64>)> {
        let found = from_alice(report, existing, &anchors());
        found
            .into_iter()
            .map(|h| (h.certificate, h.state, h.superseded))
            .collect()
    }

    #[test]
    fn a19_only_from_valid_signatures_of_the_sender() {
        use SignatureVerdict as V;
        let table = [
            (V::Valid, "alice", Some(Preferred)),
            (V::RevocationUnknown, "alice-crl", Some(Pending)),
            (V::RevocationUnknown, "alice", Some(Pending)),
            (V::ValidOtherAddress, "alice", None),
            (V::ValidNoAddress, "alice", None),
            (V::Untrusted, "alice", None),
            (V::Expired, "alice", None),
            (V::Revoked, "alice", None),
            (V::Weak, "alice", None),
            (V::Partial, "alice", None),
            (V::Broken, "alice", None),
            // Another's certificate never binds to the sender's address, whatever the verdict says.
            (V::Valid, "bob", None),
            (V::RevocationUnknown, "bob", None),
            (V::Valid, "alice-expired", None),
            (V::Valid, "root-one", None),
        ];
        for (verdict, signer, state) in table {
            let expected: Vec<_> = state
                .map(|state| (certificate(signer), state, vec![]))
                .into_iter()
                .collect();
            assert_eq!(
                learned(&signed_by(verdict, signer, &[]), &[]),
                expected,
                "{verdict} {signer}"
            );
        }
        let report = signed_by(V::Valid, "alice", &[]);
        let nobody = TrustAnchors::default();
        assert_eq!(from_alice(&report, &[], &nobody), []);
    }

    #[test]
    fn x9_a_new_key_among_known_ones() {
        use Origin::{Harvested, Manual};
        let known = |name, origin, state| vec![key(7, name, origin, state)];
        let table = [
            (vec![], "alice", Some((Preferred, vec![]))),
            (known("alice", Harvested, Preferred), "alice", None),
            (known("alice", Harvested, Blocked), "alice", None),
            // Same issuer and later: preferred at once.
            (
                known("alice", Harvested, Preferred),
                "alice-newer",
                Some((Preferred, vec![7])),
            ),
            (
                known("alice-newer", Harvested, Preferred),
                "alice",
                Some((Additional, vec![])),
            ),
            // Another issuer: new, also if it is later.
            (
                known("alice", Harvested, Preferred),
                "alice-other-issuer",
                Some((New, vec![])),
            ),
            // An expired key does not stand in the way.
            (
                known("alice-expired", Harvested, Preferred),
                "alice-other-issuer",
                Some((Preferred, vec![])),
            ),
            (
                known("alice-expired", Manual, Preferred),
                "alice",
                Some((Preferred, vec![])),
            ),
            // What an administrator imported stays preferred.
            (
                known("alice", Manual, Preferred),
                "alice-newer",
                Some((Additional, vec![])),
            ),
            (
                known("alice", Manual, Preferred),
                "alice-other-issuer",
                Some((New, vec![])),
            ),
            // Pending changes nothing.
            (
                known("alice", Harvested, Preferred),
                "alice-crl",
                Some((Pending, vec![])),
            ),
            (
                known("alice-crl", Harvested, Pending),
                "alice",
                Some((Preferred, vec![])),
            ),
        ];
        for (existing, signer, expected) in table {
            let report = signed_by(SignatureVerdict::Valid, signer, &[]);
            let expected: Vec<_> = expected
                .map(|(state, superseded)| (certificate(signer), state, superseded))
                .into_iter()
                .collect();
            assert_eq!(
                learned(&report, &existing),
                expected,
                "{existing:?} {signer}"
            );
        }
    }

    #[test]
    fn x9_a_pinned_key_is_never_touched_and_used_alone() {
        use Origin::{Harvested, Manual};
        let pinned = |name, origin| CorrespondentKey {
            pinned: true,
            ..key(7, name, origin, Preferred)
        };
        for (known, signer, expected) in [
            ("alice", "alice-newer", Additional),
            ("alice", "alice-other-issuer", New),
            // Not even its end makes room.
            ("alice-expired", "alice", Additional),
        ] {
            let report = signed_by(SignatureVerdict::Valid, signer, &[]);
            let found = learned(&report, &[pinned(known, Harvested)]);
            assert_eq!(found, [(certificate(signer), expected, vec![])], "{known}");
        }
        let newer = |origin, state| key(8, "alice-newer", origin, state);
        let table = [
            (
                pinned("alice", Harvested),
                newer(Manual, Preferred),
                Some(7),
            ),
            (
                pinned("alice", Manual),
                newer(Harvested, Preferred),
                Some(7),
            ),
            (
                pinned("alice-expired", Harvested),
                newer(Manual, Preferred),
                None,
            ),
            // An imported key that an administrator put back behind another.
            (
                key(7, "alice", Manual, Additional),
                newer(Harvested, Preferred),
                Some(8),
            ),
        ];
        for (one, other, expected) in table {
            let keys = [one, other];
            let found = match usable(&keys, &anchors(), Profile::Default, NOW) {
                Usable::Keys(found) => found.iter().map(|key| key.id).collect(),
                Usable::WeakOnly | Usable::None => vec![],
            };
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{keys:?}");
        }
    }

    #[test]
    fn x10_a_signing_certificate_is_not_encrypted_to() {
        let preferred = |name| vec![(certificate(name), Preferred, vec![])];
        let valid = SignatureVerdict::Valid;
        // Alone, a signing certificate teaches nothing.
        assert_eq!(
            learned(&signed_by(valid, "alice-sign", &["alice-sign"]), &[]),
            []
        );
        // The encryption certificate of the same address, not that of another.
        let bag = ["alice-sign", "bob", "alice-encrypt", "root-one"];
        let report = signed_by(valid, "alice-sign", &bag);
        assert_eq!(learned(&report, &[]), preferred("alice-encrypt"));
        // A certificate for both, unless the signer asks for another.
        let mut report = signed_by(valid, "alice", &["alice", "alice-encrypt"]);
        assert_eq!(learned(&report, &[]), preferred("alice"));
        let wanted = certificate("alice-encrypt");
        report.signers[0].encryption_preference = Some(CertificateId::IssuerSerial {
            issuer_der: wanted.issuer_der().to_vec(),
            serial: wanted.serial().to_vec(),
        });
        assert_eq!(learned(&report, &[]), preferred("alice-encrypt"));
        // A wish for what is not there is no wish.
        report.certificates.clear();
        assert_eq!(learned(&report, &[]), preferred("alice"));
    }

    #[test]
    fn what_is_encrypted_to() {
        use Origin::{Harvested, Manual};
        type Known<'a> = &'a [(&'a str, Origin, CorrespondentState)];
        let table: &[(Known<'_>, &[&str])] = &[
            (&[], &[]),
            (&[("alice", Harvested, Preferred)], &["alice"]),
            (&[("alice-expired", Harvested, Preferred)], &[]),
            (
                &[
                    ("alice-expired", Harvested, Preferred),
                    ("alice", Harvested, Additional),
                ],
                &["alice"],
            ),
            (
                &[
                    ("alice-expired", Harvested, Preferred),
                    ("alice-other-issuer", Harvested, New),
                ],
                &["alice-other-issuer"],
            ),
            (
                &[
                    ("alice", Harvested, Preferred),
                    ("alice-other-issuer", Harvested, New),
                ],
                &["alice"],
            ),
            (
                &[
                    ("alice", Harvested, Preferred),
                    ("alice-newer", Harvested, Preferred),
                ],
                &["alice-newer"],
            ),
            (
                &[
                    ("alice", Manual, Preferred),
                    ("alice-newer", Harvested, Preferred),
                ],
                &["alice"],
            ),
            (
                &[
                    ("alice", Manual, Preferred),
                    ("alice-encrypt", Manual, Preferred),
                ],
                &["alice", "alice-encrypt"],
            ),
            (&[("alice-crl", Harvested, Pending)], &[]),
            (&[("alice", Harvested, Blocked)], &[]),
            (
                &[
                    ("alice", Manual, Blocked),
                    ("alice-newer", Harvested, Additional),
                ],
                &["alice-newer"],
            ),
            (&[("alice-sign", Harvested, Preferred)], &[]),
        ];
        for (keys, expected) in table {
            let keys: Vec<_> = (1..)
                .zip(*keys)
                .map(|(id, (name, origin, state))| key(id, name, *origin, *state))
                .collect();
            let expected: Vec<_> = expected.iter().map(|name| certificate(name)).collect();
            let found = match usable(&keys, &anchors(), Profile::Default, NOW) {
                Usable::Keys(found) => found.into_iter().map(|key| key.certificate).collect(),
                Usable::WeakOnly => panic!("{keys:?}"),
                Usable::None => vec![],
            };
            assert_eq!(found, expected, "{keys:?}");
        }
    }

    #[test]
    fn a29_what_a_client_may_have_encrypted_to() {
        use CorrespondentState::{Additional, Blocked, New, Pending, Preferred};
        type Keys = &'static [(&'static str, CorrespondentState)];
        let table: [(Keys, &[&str]); 5] = [
            (&[("alice-crl", Pending)], &[]),
            (&[("alice", Blocked)], &[]),
            (&[("alice-encrypt", Preferred)], &[]),
            (&[("alice-expired", Preferred)], &["alice-expired"]),
            (
                &[
                    ("alice", Preferred),
                    ("alice-newer", Additional),
                    ("alice-other-issuer", New),
                ],
                &["alice", "alice-newer", "alice-other-issuer"],
            ),
        ];
        let blocking = anchors().blocking([certificate("alice-encrypt").fingerprint()]);
        for (keys, expected) in table {
            let keys: Vec<_> = (1..)
                .zip(keys)
                .map(|(id, (name, state))| key(id, name, Origin::Harvested, *state))
                .collect();
            let expected: Vec<_> = expected.iter().map(|name| certificate(name)).collect();
            assert_eq!(known(&keys, &blocking), expected, "{keys:?}");
        }
    }

    /// smimeCapabilities with one cipher: AES-128-CBC or Triple DES.
    fn capabilities(triple_des: bool) -> Vec<u8> {
        let oid: &[u8] = if triple_des {
            &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x03, 0x07]
        } else {
            &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x02]
        };
        let element = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
        element(0x30, &element(0x30, &element(0x06, oid)))
    }

    fn announcing(verdict: SignatureVerdict, at: Option<i64>) -> SignatureReport {
        let mut report = signed_by(verdict, "alice", &[]);
        report.signers[0].capabilities = Some(capabilities(false));
        report.signers[0].signing_time = at.map(|at| NOW.plus(at));
        report
    }

    #[test]
    fn what_is_announced_is_kept_with_the_key_and_only_replaced_by_later_words() {
        use SignatureVerdict::{RevocationUnknown, Valid};
        let terms = Terms {
            anchors: &anchors(),
            evidence: &Evidence::default(),
            now: NOW,
        };
        let learned = |report: &SignatureReport, existing: &[CorrespondentKey]| {
            let found = harvest(report, &alice(), existing, terms);
            let [one] = found.as_slice() else {
                return None;
            };
            Some((one.known, one.announced.as_ref().map(|said| said.at)))
        };
        let known = |at: Option<i64>| {
            let announced = at.map(|at| Announced {
                capabilities: capabilities(true),
                at: NOW.plus(at),
            });
            let key = key(7, "alice", Origin::Manual, CorrespondentState::Preferred);
            vec![CorrespondentKey { announced, ..key }]
        };
        let (old, new) = (Some(NOW.plus(-9)), Some(7));
        let skew = ANNOUNCED_SKEW;
        let from_the_start = Some(certificate("alice").not_before());
        let table = [
            (Valid, Some(-9), vec![], Some((None, old))),
            (Valid, Some(-9), known(None), Some((new, old))),
            (Valid, Some(-9), known(Some(-10)), Some((new, old))),
            (Valid, Some(-9), known(Some(-9)), None),
            (Valid, Some(-9), known(Some(-8)), None),
            // In the future by more than clocks differ.
            (Valid, Some(skew + 1), known(None), None),
            (Valid, Some(skew + 1), vec![], Some((None, None))),
            (Valid, None, known(None), Some((new, from_the_start))),
            (Valid, None, known(Some(-9)), None),
            (RevocationUnknown, Some(-9), known(None), None),
            (RevocationUnknown, Some(-9), vec![], Some((None, old))),
        ];
        for (verdict, at, existing, expected) in table {
            let found = learned(&announcing(verdict, at), &existing);
            assert_eq!(found, expected, "{verdict} {at:?} {existing:?}");
        }
        let mut long = announcing(Valid, Some(0));
        long.signers[0].capabilities = Some(vec![0; ANNOUNCED_OCTETS + 1]);
        assert_eq!(learned(&long, &known(None)), None);
        let silent = signed_by(Valid, "alice", &[]);
        assert_eq!(learned(&silent, &known(Some(-9))), None);
    }

    #[test]
    fn c23_a_key_that_announced_only_weak_algorithms_is_weak() {
        let announcing = |triple_des| {
            let announced = Some(Announced {
                capabilities: capabilities(triple_des),
                at: NOW,
            });
            let key = key(1, "alice", Origin::Harvested, CorrespondentState::Preferred);
            vec![CorrespondentKey { announced, ..key }]
        };
        let found =
            |keys: &[CorrespondentKey], profile| match usable(keys, &anchors(), profile, NOW) {
                Usable::Keys(keys) => Some(keys.len()),
                Usable::WeakOnly => None,
                Usable::None => Some(0),
            };
        assert_eq!(found(&announcing(true), Profile::Default), None);
        assert_eq!(found(&announcing(false), Profile::Default), Some(1));
        assert_eq!(
            found(&announcing(true), Profile::Legacy),
            Some(1),
            "a profile is agreed with the partner"
        );
        // Beside a key that announced nothing, the weak one is left out.
        let manual = key(
            2,
            "alice-newer",
            Origin::Manual,
            CorrespondentState::Preferred,
        );
        let mut both = announcing(true);
        both[0].origin = Origin::Manual;
        both.push(manual);
        assert_eq!(found(&both, Profile::Default), Some(1));
    }

    #[test]
    fn what_the_organisation_never_trusts_is_not_encrypted_to() {
        let known = [key(
            1,
            "alice",
            Origin::Manual,
            CorrespondentState::Preferred,
        )];
        let print = certificate("alice").fingerprint();
        let blocking = anchors().blocking([print]);
        let found = usable(&known, &blocking, Profile::Default, NOW);
        assert_eq!(found, Usable::None);
    }
}
