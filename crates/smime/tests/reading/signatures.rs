//! Signers: digest, attributes, signature, certificate, path.

use crate::common::*;
use sealgate_smime::revocation::Evidence;

#[test]
fn verdicts_of_real_messages() {
    for (name, expected) in [
        ("clear-rsa", Verdict::Valid),
        ("clear-pss", Verdict::Valid),
        ("clear-keyid", Verdict::Valid),
        ("clear-noattr", Verdict::Valid),
        ("clear-two", Verdict::Valid),
        ("clear-cades", Verdict::Valid),
        ("clear-cades-sha1", Verdict::Weak),
        ("opaque-der", Verdict::Valid),
        ("opaque-stream", Verdict::Valid),
        ("clear-bob", Verdict::ValidOtherAddress),
        ("clear-carol", Verdict::ValidOtherAddress),
        ("clear-noaddress", Verdict::ValidNoAddress),
        ("clear-revocable", Verdict::RevocationUnknown),
        ("clear-sha1", Verdict::Weak),
        ("clear-nocerts", Verdict::Untrusted),
        ("certs-only", Verdict::None),
        ("enveloped-rsa-der", Verdict::None),
    ] {
        let report = Setting::usual().verify(&data(&format!("{name}.eml")));
        let reasons: Vec<_> = report.signers.iter().map(|signer| signer.reason).collect();
        assert_eq!(
            report.verdict, expected,
            "{name}: {reasons:?} {:?}",
            report.fault
        );
    }
}

#[test]
fn what_a_report_holds() {
    let report = Setting::usual().verify(&data("clear-rsa.eml"));
    let [signer] = report.signers.as_slice() else {
        panic!("one signer")
    };
    assert_eq!(signer.certificate.as_ref().unwrap(), &certificate("alice"));
    assert!(
        signer.path.is_some() && signer.signing_time.is_some() && signer.capabilities.is_some()
    );
    assert_eq!(report.certificates.len(), 1);
    assert_eq!(report.sender().unwrap().signer, signer.signer);
    let report = Setting::usual().verify(&data("certs-only.eml"));
    assert_eq!(report.certificates.len(), 2);
}

#[test]
fn trust_time_and_known_certificates() {
    let raw = data("clear-rsa.eml");
    let untrusted = Setting {
        anchors: TrustAnchors::new(vec![certificate("bob")]),
        ..Setting::usual()
    };
    assert_eq!(untrusted.verify(&raw).verdict, Verdict::Untrusted);
    for at in [Timestamp(1_700_000_000), Timestamp(4_000_000_000)] {
        assert_eq!(
            Setting {
                at,
                ..Setting::usual()
            }
            .verify(&raw)
            .verdict,
            Verdict::Expired,
            "{at:?}"
        );
    }
    let known = Setting {
        known: vec![certificate("alice")],
        ..Setting::usual()
    };
    assert_eq!(
        known.verify(&data("clear-nocerts.eml")).verdict,
        Verdict::Valid
    );
}

#[test]
fn changed_content_is_broken() {
    for name in ["clear-rsa", "clear-bob", "clear-noattr", "clear-pss"] {
        let raw = data(&format!("{name}.eml"));
        assert_eq!(
            verdict(&replaced(&raw, "quick brown", "quick Brown")),
            Verdict::Broken,
            "{name}"
        );
        assert_eq!(
            verdict(&replaced(&raw, "line.\r\n", "line.\r\n\r\n")),
            Verdict::Broken,
            "{name}"
        );
        assert_eq!(
            verdict(&replaced(&raw, "us-ascii", "US-ASCII")),
            Verdict::Broken,
            "{name}"
        );
    }
    for name in ["opaque-der", "opaque-stream"] {
        let raw = changed(&data(&format!("{name}.eml")), |mut cms| {
            let at = find(&cms, b"quick");
            cms[at] ^= 0x20;
            cms
        });
        assert_eq!(verdict(&raw), Verdict::Broken, "{name}");
    }
}

#[test]
fn every_changed_octet_of_the_signer_is_noticed() {
    for name in ["clear-rsa", "clear-bob"] {
        let (before, cms, after) = take_apart(&data(&format!("{name}.eml")));
        let start = cms.len() - if name == "clear-rsa" { 620 } else { 420 };
        for at in start..cms.len() {
            let mut cms = cms.clone();
            cms[at] ^= 1;
            let verdict = verdict(&put_together(&before, &cms, &after));
            // Only the version number of the SignerInfo is not covered by anything.
            let version = cms[..at].ends_with(&[0x02, 0x01]) && cms[at + 1..].starts_with(&[0x30]);
            assert!(version || !verdict.is_good(), "{name} {at}: {verdict}");
        }
    }
}

/// RFC 5035 section 4: a certificate put in the place of the signer's.
#[test]
fn signing_certificate_must_be_the_one_meant() {
    for (name, sequences) in [("clear-cades", "v2"), ("clear-cades-sha1", "v1")] {
        let hash = match sequences {
            "v2" => certificate("alice").fingerprint().to_vec(),
            _ => sealgate_smime::aws::Digest::of(DigestAlgorithm::Sha1, certificate("alice").der()),
        };
        let raw = replaced_in_cms(&data(&format!("{name}.eml")), &hash[..4], &[0; 4]);
        let report = Setting::usual().verify(&raw);
        let found = (report.verdict, report.signers[0].reason);
        assert_eq!(
            found,
            (Verdict::Broken, "another certificate than the signer meant"),
            "{name}"
        );
    }
}

#[test]
fn signed_content_is_what_was_signed() {
    for name in ["clear-rsa", "clear-bob", "opaque-der", "opaque-stream"] {
        let raw = data(&format!("{name}.eml"));
        let message = Message::read(&raw).unwrap();
        let mut out = Vec::new();
        signed_content(&message, &mut out).unwrap().unwrap();
        assert_eq!(out, data("entity"), "{name}");
        let entity = signed_entity(&message).unwrap().unwrap();
        let inner = Message::read(&entity).unwrap();
        assert!(inner.content_type().is("text", "plain"), "{name}");
        for from in [0, 1, 40, 81, 82, 100] {
            let mut rest = Vec::new();
            let mut reader = sealgate_mail::Content::reader(&entity, from).unwrap();
            std::io::Read::read_to_end(&mut reader, &mut rest).unwrap();
            assert_eq!(
                rest,
                out.get(from as usize..).unwrap_or_default(),
                "{name} from {from}"
            );
        }
        assert_eq!(
            kind_under_signatures(&message).unwrap(),
            Kind::Plain,
            "{name}"
        );
    }
    let raw = data("enveloped-rsa-der.eml");
    assert!(
        signed_content(&Message::read(&raw).unwrap(), &mut Vec::new())
            .unwrap()
            .is_err()
    );
}

/// One changed octet or length in the signed attributes (rows C15, C16); the rest of the structure stays whole.
#[test]
fn c15_attributes_must_be_there_once() {
    let attribute = |last: u8| [0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, last];
    let raw = data("clear-bob.eml");
    for (name, from, to) in [
        ("no content type", 3, 2),
        ("no message digest", 4, 2),
        ("content type twice", 5, 3),
        ("message digest twice", 5, 4),
    ] {
        let changed = changed(&raw, |mut cms| {
            let at = find(&cms, &attribute(from));
            cms[at..at + 11].copy_from_slice(&attribute(to));
            cms
        });
        let report = Setting::usual().verify(&changed);
        assert_eq!(report.verdict, Verdict::Broken, "{name}");
        let reason = report.signers[0].reason;
        assert!(
            [
                "no content-type attribute",
                "no message-digest attribute",
                "an attribute that stands twice"
            ]
            .contains(&reason),
            "{name}: {reason}"
        );
    }
    let bad_time = changed(&raw, |mut cms| {
        let at = find(&cms, &attribute(5)) + 11 + 4;
        cms[at] = b'x';
        cms
    });
    assert_eq!(Setting::usual().verify(&bad_time).signers[0].reason, "time");
}

#[test]
fn c15_digest_algorithms_must_be_announced() {
    let raw = changed(&data("clear-bob.eml"), |mut cms| {
        // The first SHA-256 identifier is the one of digestAlgorithms.
        let at = find(&cms, &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]);
        cms[at + 8] = 2;
        cms
    });
    assert_eq!(
        Setting::usual().verify(&raw).signers[0].reason,
        "the signer's digest is not announced"
    );
}

#[test]
fn c16_content_that_may_be_attributes() {
    // The signed attributes of a real signature as content, the signature over them without attributes.
    let clear = data("opaque-der.eml");
    let confused = changed(&clear, |cms| {
        let (oid, mut parts) = fields(&cms);
        let mut signer = inside(&inside(&parts[4])[0]);
        let attributes = inside(&[&[0x31], &signer[3][1..]].concat()).concat();
        let content = tlv(0x04, &tlv(0x31, &attributes));
        let data_oid = inside(&parts[2])[0].clone();
        parts[2] = tlv(0x30, &[data_oid, tlv(0xA0, &content)].concat());
        signer.remove(3);
        parts[4] = tlv(0x31, &tlv(0x30, &signer.concat()));
        rebuilt(&oid, &parts)
    });
    let report = Setting::usual().verify(&confused);
    assert_eq!(
        (report.verdict, report.signers[0].reason),
        (Verdict::Broken, "signed content that may be attributes")
    );
    // Another content type than plain data needs attributes.
    let typed = changed(&clear, |cms| {
        let (oid, mut parts) = fields(&cms);
        let at = find(&parts[2], &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1]);
        parts[2][at + 8] = 2;
        let mut signer = inside(&inside(&parts[4])[0]);
        signer.remove(3);
        parts[4] = tlv(0x31, &tlv(0x30, &signer.concat()));
        rebuilt(&oid, &parts)
    });
    assert_eq!(
        Setting::usual().verify(&typed).signers[0].reason,
        "signed attributes are missing"
    );
}

/// What was let in is told.
#[test]
fn legacy_algorithms_count_where_the_organisation_wants_them() {
    let legacy = Setting {
        switches: Switches {
            legacy: true,
            ..Switches::default()
        },
        ..Setting::usual()
    };
    for name in ["clear-sha1", "clear-cades-sha1"] {
        let raw = data(&format!("{name}.eml"));
        let report = legacy.verify(&raw);
        assert_eq!(report.verdict, Verdict::Valid, "{name}");
        assert_eq!(
            report.notes,
            [Note::Legacy("sha-1"), Note::Legacy("rsa-sha1")],
            "{name}"
        );
        let changed = replaced(&raw, "quick brown", "quick Brown");
        assert_eq!(legacy.verify(&changed).verdict, Verdict::Broken, "{name}");
        assert!(Setting::usual().verify(&raw).notes.is_empty(), "{name}");
    }
    let modern = legacy.verify(&data("clear-rsa.eml"));
    assert_eq!((modern.verdict, modern.notes), (Verdict::Valid, vec![]));
}

#[test]
fn a_signer_without_certificate_is_still_checked() {
    let raw = data("clear-nocerts.eml");
    let report = Setting::usual().verify(&raw);
    let reason = report.signers[0].reason;
    assert_eq!(
        (report.verdict, reason),
        (Verdict::Untrusted, "the signer's certificate is missing")
    );
    assert_eq!(
        verdict(&replaced(&raw, "quick brown", "quick Brown")),
        Verdict::Broken
    );
}

#[test]
fn revocation_is_judged_when_there_are_answers() {
    let revocable = || Setting::usual().verify(&data("clear-revocable.eml"));
    let none = Evidence::default();
    let mut soft = revocable();
    soft.judge_revocation(&none, AT, false);
    assert_eq!(soft.verdict, Verdict::RevocationUnknown);
    let mut hard = revocable();
    hard.judge_revocation(&none, AT, true);
    assert_eq!(hard.verdict, Verdict::Untrusted);
    assert!(hard.sender().is_none());
    // Judged again, the earlier judgement is forgotten.
    hard.judge_revocation(&none, AT, false);
    assert_eq!(hard.verdict, Verdict::RevocationUnknown);
    let mut nothing_to_ask = Setting::usual().verify(&data("clear-rsa.eml"));
    nothing_to_ask.judge_revocation(&none, AT, true);
    assert_eq!(nothing_to_ask.verdict, Verdict::Valid);
    let mut broken =
        Setting::usual().verify(&replaced(&data("clear-revocable.eml"), "quick", "Quick"));
    assert!(broken.questions().is_empty());
    broken.judge_revocation(&none, AT, true);
    assert_eq!(broken.verdict, Verdict::Broken);
}

/// Row C15: MD5 in the place of the digest or of the signature.
#[test]
fn c15_broken_digests_are_weak() {
    let sha256 = [
        0x30, 13, 0x06, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0,
    ];
    let md5 = [
        0x30, 12, 0x06, 8, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 2, 5, 5, 0,
    ];
    let digest = |oid: [u8; 14]| oid.to_vec();
    let raw = changed(&data("opaque-der.eml"), |cms| {
        let (oid, mut parts) = fields(&cms);
        let mut signer = inside(&inside(&parts[4])[0]);
        assert!(signer[2] == sha256 || signer[2][2..13] == sha256[2..13]);
        signer[2] = digest(md5);
        parts[1] = tlv(0x31, &md5);
        parts[4] = tlv(0x31, &tlv(0x30, &signer.concat()));
        rebuilt(&oid, &parts)
    });
    assert_eq!(verdict(&raw), Verdict::Weak);
    let empty = changed(&data("opaque-der.eml"), |cms| {
        let (oid, mut parts) = fields(&cms);
        parts[1] = tlv(0x31, &[]);
        rebuilt(&oid, &parts)
    });
    let report = Setting::usual().verify(&empty);
    let reason = report.signers[0].reason;
    assert_eq!(
        (report.verdict, reason),
        (Verdict::Broken, "the signer's digest is not announced")
    );
}
