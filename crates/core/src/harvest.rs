//! Which certificates are learned from signed mail, and which are encrypted to (A19, rows X9 and X10, spec.md section 5).
//!
//! Only added, never overwritten; what an administrator imported is never changed.

use sealgate_mail::{Address, Timestamp};
use sealgate_smime::certificate::{Certificate, UsageRefusal};
use sealgate_smime::cms::CertificateId;
use sealgate_smime::path::{Purpose, Revocation, TrustAnchors, judge};
use sealgate_smime::verdict::SignatureVerdict;
use sealgate_smime::verify::{SignatureReport, SignerReport};

use crate::tenant::{CorrespondentKey, CorrespondentState, Origin};

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
}

/// What is to be encrypted to for one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Usable {
    /// Nothing is known.
    None,
    /// Only keys too weak to use.
    WeakOnly,
    /// These certificates.
    Certificates(Vec<Certificate>),
}

/// What is learned from a mail whose signature was judged at `now`. `from` is the single header From, `existing` the keys
/// of that address.
///
/// Nothing unless the signature is `valid` (or lacks only an answer about revocation: then the key is kept pending), and
/// nothing that does not carry the address, encrypt, and chain to a trust root itself.
pub fn harvest(
    report: &SignatureReport,
    from: &Address,
    existing: &[CorrespondentKey],
    anchors: &TrustAnchors,
    now: Timestamp,
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
    for certificate in candidates(report, sender, from) {
        let Ok(path) = judge(
            certificate,
            &report.certificates,
            anchors,
            Purpose::Encrypt,
            now,
        ) else {
            continue;
        };
        let pending = pending || path.revocation() == Revocation::Unknown;
        let Some(harvested) = place(certificate, from, &keys, pending, now) else {
            continue;
        };
        keys.push(stored(&harvested, now));
        found.push(harvested);
    }
    found
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
        .filter(|key| key.state == CorrespondentState::Preferred && is_good(key, now))
        .collect();
    let harvested = |state, superseded| Harvested {
        address: address.clone(),
        certificate: certificate.clone(),
        state,
        superseded,
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
    key.origin == Origin::Harvested
        && key.certificate.issuer().normal() == newer.issuer().normal()
        && key.certificate.not_before() < newer.not_before()
}

/// How a key just learned looks to the next one of the same mail; it has no number yet.
fn stored(harvested: &Harvested, now: Timestamp) -> CorrespondentKey {
    CorrespondentKey {
        id: 0,
        address: harvested.address.clone(),
        certificate: harvested.certificate.clone(),
        origin: Origin::Harvested,
        state: harvested.state,
        added: now,
        capabilities: None,
    }
}

fn is_good(key: &CorrespondentKey, now: Timestamp) -> bool {
    key.certificate.valid_at(now) && key.certificate.may_encrypt().is_ok()
}

/// What to encrypt to for the address that all of `keys` belong to.
///
/// What an administrator imported comes first, all of it; else the newest certificate of the best state: preferred, then
/// additional, then new. Expired ones never stand in the way; pending and blocked ones are never used.
pub fn usable(keys: &[CorrespondentKey], now: Timestamp) -> Usable {
    let unblocked =
        |key: &&CorrespondentKey| rank(key.state).is_some() && key.certificate.valid_at(now);
    let valid: Vec<&CorrespondentKey> = keys.iter().filter(unblocked).collect();
    let good = || valid.iter().copied().filter(|key| is_good(key, now));
    let manual: Vec<Certificate> = good()
        .filter(|key| key.origin == Origin::Manual)
        .map(|key| key.certificate.clone())
        .collect();
    if !manual.is_empty() {
        return Usable::Certificates(manual);
    }
    let best = good().max_by_key(|key| (rank(key.state), key.certificate.not_before(), key.id));
    let weak = |key: &&CorrespondentKey| key.certificate.may_encrypt() == Err(UsageRefusal::Weak);
    match best {
        Some(key) => Usable::Certificates(vec![key.certificate.clone()]),
        None if valid.iter().any(weak) => Usable::WeakOnly,
        None => Usable::None,
    }
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

    fn signed_by(verdict: SignatureVerdict, signer: &str, bag: &[&str]) -> SignatureReport {
        let certificates: Vec<_> = bag.iter().map(|name| certificate(name)).collect();
        let certificate = certificate(signer);
        let signer = SignerReport {
            verdict,
            reason: "",
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
            added: NOW,
            capabilities: None,
        }
    }

    fn learned(
        report: &SignatureReport,
        existing: &[CorrespondentKey],
    ) -> Vec<(Certificate, CorrespondentState, Vec<i64>)> {
        let found = harvest(report, &alice(), existing, &anchors(), NOW);
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
        assert_eq!(harvest(&report, &alice(), &[], &nobody, NOW), []);
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
            let expected = match expected.len() {
                0 => Usable::None,
                _ => Usable::Certificates(expected),
            };
            assert_eq!(usable(&keys, NOW), expected, "{keys:?}");
        }
    }
}
