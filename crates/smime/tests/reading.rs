//! The reading side against messages made by OpenSSL (see testdata/README.md) and against changed copies of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros
)]

use sealgate_mail::{Message, Timestamp};
use sealgate_smime::algorithms::{ContentEncryption, DigestAlgorithm};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::decrypt::{Decryption, KeyPair, RecipientId, decrypt, recipients};
use sealgate_smime::error::{Fault, LimitReached, Malformed};
use sealgate_smime::key::PrivateKey;
use sealgate_smime::kind::{self, Kind, kind};
use sealgate_smime::path::TrustAnchors;
use sealgate_smime::verdict::SignatureVerdict as Verdict;
use sealgate_smime::verify::{
    Note, SignatureReport, VerifyInput, kind_under_signatures, signed_content, signed_entity,
    verify,
};

/// 2027-01-15, inside the validity of all test certificates.
const AT: Timestamp = Timestamp(1_800_000_000);

fn data(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/testdata/{name}", env!("CARGO_MANIFEST_DIR"))).expect(name)
}

fn certificate(name: &str) -> Certificate {
    Certificate::read_all(&data(&format!("{name}.pem")))
        .unwrap()
        .remove(0)
}

fn pair(name: &str) -> KeyPair {
    let key = PrivateKey::read(&data(&format!("{name}.key"))).unwrap();
    KeyPair {
        certificate: certificate(name),
        key,
    }
}

struct Setting {
    anchors: TrustAnchors,
    at: Timestamp,
    known: Vec<Certificate>,
}

impl Setting {
    fn usual() -> Self {
        Self {
            anchors: TrustAnchors::new(vec![certificate("root")]),
            at: AT,
            known: Vec::new(),
        }
    }

    fn verify(&self, raw: &[u8]) -> SignatureReport {
        let message = Message::read(&raw).unwrap();
        let from = message.single_from().map(|mailbox| mailbox.address);
        let input = VerifyInput {
            anchors: &self.anchors,
            at: self.at,
            from: from.as_ref(),
            date: message.date(),
            known: &self.known,
            switches: sealgate_smime::algorithms::Switches::default(),
        };
        verify(&message, &input).unwrap()
    }
}

fn verdict(raw: &[u8]) -> Verdict {
    Setting::usual().verify(raw).verdict
}

/// Replaces the first occurrence of `from`, which must be there.
fn replaced(raw: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(raw.to_vec()).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    text.replacen(from, to, 1).into_bytes()
}

const P7S: &str = "Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n";

/// The DER of the CMS object of a message, and the message around it.
fn take_apart(raw: &[u8]) -> (String, Vec<u8>, String) {
    let text = String::from_utf8(raw.to_vec()).unwrap();
    let start = match text.find(P7S) {
        Some(at) => at + P7S.len(),
        None => text.find("\r\n\r\n").unwrap() + 4,
    };
    let end = text[start..]
        .find("\r\n\r\n")
        .map_or(text.len(), |at| start + at);
    let mut decoded = Vec::new();
    let reader =
        sealgate_mail::TransferEncoding::Base64.decoded(Box::new(&text.as_bytes()[start..end]));
    std::io::Read::read_to_end(&mut { reader }, &mut decoded).unwrap();
    (text[..start].to_owned(), decoded, text[end..].to_owned())
}

fn put_together(before: &str, cms: &[u8], after: &str) -> Vec<u8> {
    let mut writer = sealgate_mail::encoding::Base64Writer::new(Vec::new());
    std::io::Write::write_all(&mut writer, cms).unwrap();
    [
        before.as_bytes(),
        &writer.finish().unwrap(),
        after.as_bytes(),
    ]
    .concat()
}

/// `raw` with `change` applied to its CMS object.
fn changed(raw: &[u8], change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let (before, cms, after) = take_apart(raw);
    put_together(&before, &change(cms), &after)
}

fn find(haystack: &[u8], needle: &[u8]) -> usize {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
        .expect("needle")
}

#[test]
fn kinds_of_real_messages() {
    for (name, expected) in [
        ("clear-rsa", Kind::ClearSigned),
        ("opaque-der", Kind::Signed),
        ("opaque-stream", Kind::Signed),
        ("certs-only", Kind::CertsOnly),
        ("enveloped-rsa-der", Kind::Enveloped),
        ("enveloped-p256-stream", Kind::Enveloped),
        ("authenveloped-rsa", Kind::AuthEnveloped),
    ] {
        let raw = data(&format!("{name}.eml"));
        let message = Message::read(&raw).unwrap();
        assert_eq!(kind(&message).unwrap(), expected, "{name}");
        if expected != Kind::ClearSigned {
            assert_eq!(kind::check(&message).unwrap(), Ok(()), "{name}");
        }
    }
}

#[test]
fn a28_media_type_and_content_type_decide() {
    let (_, cms, _) = take_apart(&data("enveloped-rsa-der.eml"));
    let with = |fields: &str| {
        put_together(
            &format!(
                "From: a@example.com\r\n{fields}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            ),
            &cms,
            "",
        )
    };
    for (name, fields, expected) in [
        (
            "pkcs7-mime",
            "Content-Type: application/pkcs7-mime",
            Kind::Enveloped,
        ),
        (
            "x-pkcs7-mime",
            "Content-Type: Application/X-PKCS7-Mime",
            Kind::Enveloped,
        ),
        (
            "wrong smime-type",
            "Content-Type: application/pkcs7-mime; smime-type=signed-data",
            Kind::Enveloped,
        ),
        (
            "octet-stream",
            "Content-Type: application/octet-stream; name=x.bin",
            Kind::Plain,
        ),
        (
            "octet-stream .p7m",
            "Content-Type: application/octet-stream; name=smime.P7M",
            Kind::Enveloped,
        ),
        (
            "octet-stream file name",
            "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"a.p7m\"",
            Kind::Enveloped,
        ),
        (
            "text",
            "Content-Type: text/plain; name=smime.p7m",
            Kind::Plain,
        ),
        ("none", "Subject: none", Kind::Plain),
    ] {
        let raw = with(fields);
        assert_eq!(
            kind(&Message::read(&raw).unwrap()).unwrap(),
            expected,
            "{name}"
        );
    }
}

#[test]
fn cms_in_every_transfer_encoding() {
    let (_, cms, _) = take_apart(&data("enveloped-rsa-der.eml"));
    let head = "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: ";
    let quoted: String = cms.iter().map(|octet| format!("={octet:02X}")).collect();
    for raw in [
        [format!("{head}binary\r\n\r\n").as_bytes(), &cms].concat(),
        [format!("{head}8bit\r\n\r\n").as_bytes(), &cms].concat(),
        format!("{head}quoted-printable\r\n\r\n{quoted}").into_bytes(),
    ] {
        let message = Message::read(&raw).unwrap();
        assert_eq!(kind(&message).unwrap(), Kind::Enveloped);
        let mut out = Vec::new();
        assert!(matches!(
            decrypt(
                &message,
                &[&pair("alice")],
                sealgate_smime::algorithms::Switches::default(),
                &mut out
            )
            .unwrap(),
            Decryption::Opened(_)
        ));
        assert_eq!(out, data("entity"));
    }
}

#[test]
fn a28_what_is_declared_but_unreadable() {
    for (name, body, named_only) in [
        ("empty", "", Kind::Plain),
        ("text", "aGVsbG8gd29ybGQ=", Kind::Plain),
        (
            "other content type",
            "MBIGCSqGSIb3DQEHAaAFBANhYmM=",
            Kind::Plain,
        ),
    ] {
        let raw = format!(
            "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\r\n"
        );
        let found = kind(&Message::read(&raw.as_bytes()).unwrap()).unwrap();
        assert!(matches!(found, Kind::Malformed(_)), "{name}: {found:?}");
        let raw = raw.replace(
            "application/pkcs7-mime",
            "application/octet-stream; name=a.p7m",
        );
        assert_eq!(
            kind(&Message::read(&raw.as_bytes()).unwrap()).unwrap(),
            named_only,
            "{name}"
        );
    }
}

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
        ("clear-nocerts", Verdict::Broken),
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
fn c8_sender_binding() {
    let raw = data("clear-rsa.eml");
    for (name, from, expected) in [
        ("as it is", "From: alice@example.com", Verdict::Valid),
        ("case", "From: Alice <ALICE@Example.COM>", Verdict::Valid),
        (
            "other",
            "From: boss@example.com",
            Verdict::ValidOtherAddress,
        ),
        (
            "name only",
            "From: \"alice@example.com\" <boss@example.com>",
            Verdict::ValidOtherAddress,
        ),
        (
            "two addresses",
            "From: alice@example.com, boss@example.com",
            Verdict::ValidOtherAddress,
        ),
        (
            "two fields",
            "From: alice@example.com\r\nFrom: boss@example.com",
            Verdict::ValidOtherAddress,
        ),
        (
            "sender",
            "From: boss@example.com\r\nSender: alice@example.com",
            Verdict::ValidOtherAddress,
        ),
        ("empty", "From: ", Verdict::ValidOtherAddress),
        (
            "none",
            "X-From: alice@example.com",
            Verdict::ValidOtherAddress,
        ),
    ] {
        assert_eq!(
            verdict(&replaced(&raw, "From: alice@example.com", from)),
            expected,
            "{name}"
        );
    }
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

#[test]
fn c4_content_inside_a_detached_signature() {
    let clear = data("clear-rsa.eml");
    let (_, opaque, _) = take_apart(&data("opaque-der.eml"));
    let shown = replaced(&clear, "quick brown", "evil");
    for raw in [clear, shown] {
        let report = Setting::usual().verify(&changed(&raw, |_| opaque.clone()));
        let fault = Fault::Malformed(Malformed("a detached signature with content inside"));
        assert_eq!(
            (report.verdict, report.fault),
            (Verdict::Broken, Some(fault))
        );
    }
}

#[test]
fn c5_all_signers_must_verify() {
    // The same two signers, one of them not trusted: its certificate is taken away.
    let two = changed(&data("clear-two.eml"), |mut cms| {
        let at = find(&cms, b"bob@example.com");
        cms[at] = b'r';
        cms
    });
    let report = Setting::usual().verify(&two);
    assert_eq!(report.signers.len(), 2);
    assert!(
        report
            .signers
            .iter()
            .any(|signer| signer.verdict == Verdict::Valid)
    );
    assert!(!report.verdict.is_good(), "{}", report.verdict);
}

#[test]
fn c6_no_signer_in_a_multipart_signed() {
    let (_, bag, _) = take_apart(&data("certs-only.eml"));
    assert_eq!(
        verdict(&changed(&data("clear-rsa.eml"), |_| bag)),
        Verdict::Broken
    );
    let (_, enveloped, _) = take_apart(&data("enveloped-rsa-der.eml"));
    assert_eq!(
        verdict(&changed(&data("clear-rsa.eml"), |_| enveloped)),
        Verdict::Broken
    );
    assert_eq!(
        verdict(&changed(&data("clear-rsa.eml"), |_| b"hello".to_vec())),
        Verdict::Broken
    );
    assert_eq!(
        verdict(&changed(&data("clear-rsa.eml"), |_| Vec::new())),
        Verdict::Broken
    );
}

#[test]
fn c7_signed_parts_make_no_signed_message() {
    let text = String::from_utf8(data("clear-rsa.eml")).unwrap();
    let inner = &text[text.find("MIME-Version").unwrap()..];
    let (_, opaque, _) = take_apart(&data("opaque-der.eml"));
    let opaque = put_together(
        "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        &opaque,
        "",
    );
    let opaque = String::from_utf8(opaque).unwrap();
    for (name, kind, parts) in [
        ("prepended", "mixed", vec!["\r\nRead this first.", inner]),
        (
            "alternative",
            "alternative",
            vec![inner, "Content-Type: text/html\r\n\r\n<b>other</b>"],
        ),
        (
            "related",
            "related",
            vec!["Content-Type: text/html\r\n\r\n<b>x</b>", inner],
        ),
        ("opaque part", "mixed", vec!["\r\ntext", &opaque]),
        (
            "forwarded",
            "mixed",
            vec!["\r\ntext", "Content-Type: message/rfc822\r\n\r\n", &text],
        ),
    ] {
        let body = parts.join(if name == "forwarded" {
            ""
        } else {
            "\r\n--outer\r\n"
        });
        let body = if name == "forwarded" {
            format!("{}\r\n--outer\r\n{}{}", parts[0], parts[1], parts[2])
        } else {
            body
        };
        let raw = format!(
            "From: alice@example.com\r\nContent-Type: multipart/{kind}; boundary=outer\r\n\r\n--outer\r\n{body}\r\n--outer--\r\n"
        );
        assert_eq!(verdict(raw.as_bytes()), Verdict::Partial, "{name}");
    }
    assert_eq!(
        verdict(b"From: alice@example.com\r\n\r\nhello\r\n"),
        Verdict::None
    );
}

#[test]
fn a_multipart_signed_has_two_parts() {
    let raw = data("clear-rsa.eml");
    let text = String::from_utf8(raw.clone()).unwrap();
    let boundary = text
        .split("boundary=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let extra = format!("\r\n--{boundary}\r\n\r\nextra\r\n--{boundary}--");
    assert_eq!(
        verdict(&replaced(&raw, &format!("\r\n--{boundary}--"), &extra)),
        Verdict::Broken
    );
    let text_part = replaced(
        &raw,
        "application/pkcs7-signature; name",
        "text/plain; name",
    );
    assert_eq!(verdict(&text_part), Verdict::Broken);
    let doubled = replaced(
        &raw,
        "MIME-Version: 1.0\r\n",
        "MIME-Version: 1.0\r\nMIME-Version: 1.0\r\n",
    );
    assert_eq!(verdict(&doubled), Verdict::Broken);
    let silent = replaced(&raw, "protocol=\"application/pkcs7-signature\"; ", "");
    assert_eq!(verdict(&silent), Verdict::Valid);
    assert_eq!(
        verdict(&replaced(&silent, "quick", "Quick")),
        Verdict::Broken
    );
}

#[test]
fn c9_signing_time_far_from_the_date() {
    let raw = data("clear-rsa.eml");
    let time = Setting::usual().verify(&raw).signers[0]
        .signing_time
        .unwrap();
    for (seconds, expected) in [
        (0, vec![]),
        (3600, vec![]),
        (-7200, vec![Note::SigningTimeFarFromDate]),
    ] {
        let dated = replaced(
            &raw,
            "Subject:",
            &format!("Date: {}\r\nSubject:", time.plus(seconds).rfc5322()),
        );
        assert_eq!(Setting::usual().verify(&dated).notes, expected, "{seconds}");
    }
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

#[test]
fn decrypts_real_messages() {
    let (alice, bob, carol) = (pair("alice"), pair("bob"), pair("carol"));
    for (name, key, content) in [
        ("enveloped-rsa-der", &alice, ContentEncryption::Aes256Cbc),
        ("enveloped-rsa-stream", &alice, ContentEncryption::Aes128Cbc),
        ("enveloped-rsa-keyid", &alice, ContentEncryption::Aes192Cbc),
        ("enveloped-oaep", &alice, ContentEncryption::Aes256Cbc),
        ("enveloped-p256-der", &bob, ContentEncryption::Aes256Cbc),
        ("enveloped-p256-stream", &bob, ContentEncryption::Aes256Cbc),
        ("enveloped-p256-sha256", &bob, ContentEncryption::Aes256Cbc),
        ("enveloped-p384", &carol, ContentEncryption::Aes128Cbc),
        ("enveloped-two", &alice, ContentEncryption::Aes256Cbc),
        ("enveloped-two", &bob, ContentEncryption::Aes256Cbc),
        ("authenveloped-rsa", &alice, ContentEncryption::Aes256Gcm),
        ("authenveloped-p256", &bob, ContentEncryption::Aes128Gcm),
    ] {
        let raw = data(&format!("{name}.eml"));
        let message = Message::read(&raw).unwrap();
        let mut out = Vec::new();
        match decrypt(
            &message,
            &[key],
            sealgate_smime::algorithms::Switches::default(),
            &mut out,
        )
        .unwrap()
        {
            Decryption::Opened(opened) => {
                assert_eq!(out, data("entity"), "{name}");
                assert_eq!(opened.content, content, "{name}");
                assert_eq!(opened.authenticated, name.starts_with("auth"), "{name}");
                assert_eq!(opened.octets, out.len() as u64, "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
        assert!(
            recipients(&message)
                .unwrap()
                .unwrap()
                .iter()
                .any(|id| id.names(&key.certificate)),
            "{name}"
        );
        let stranger = pair("noaddress");
        assert_eq!(
            decrypt(
                &message,
                &[&stranger],
                sealgate_smime::algorithms::Switches::default(),
                &mut Vec::new()
            )
            .unwrap(),
            Decryption::NoKey,
            "{name}"
        );
    }
}

#[test]
fn recipients_are_named_in_the_order_they_stand() {
    let raw = data("enveloped-two.eml");
    let ids = recipients(&Message::read(&raw).unwrap()).unwrap().unwrap();
    let [alice, bob] = ids.as_slice() else {
        panic!("two recipients")
    };
    assert!(bob.names(&certificate("bob")) && !bob.names(&certificate("alice")));
    assert!(alice.names(&certificate("alice")));
    assert!(matches!(alice, RecipientId::IssuerSerial { .. }));
    let plain = b"Subject: x\r\n\r\nhello\r\n";
    assert!(
        recipients(&Message::read(&plain).unwrap())
            .unwrap()
            .is_err()
    );
}

#[test]
fn an_issuer_written_anew_is_the_same() {
    let raw = changed(&data("enveloped-rsa-der.eml"), |mut cms| {
        let at = find(&cms, b"Sealgate test root") - 2;
        assert_eq!(cms[at], 0x0C, "a UTF8String");
        cms[at] = 0x13;
        cms
    });
    assert!(matches!(
        failure(&raw, &pair("alice")),
        Decryption::Opened(_)
    ));
    let other = replaced_in_cms(&data("enveloped-rsa-der.eml"), b"Sealgate", b"Sealgame");
    assert_eq!(failure(&other, &pair("alice")), Decryption::NoKey);
}

fn replaced_in_cms(raw: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    changed(raw, |mut cms| {
        let at = find(&cms, from);
        cms[at..at + to.len()].copy_from_slice(to);
        cms
    })
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

/// The class and the hash only: what anybody outside can see.
fn failure(raw: &[u8], key: &KeyPair) -> Decryption {
    decrypt(
        &Message::read(&raw).unwrap(),
        &[key],
        sealgate_smime::algorithms::Switches::default(),
        &mut Vec::new(),
    )
    .unwrap()
}

#[test]
fn c10_all_failures_are_one() {
    let alice = pair("alice");
    let raw = data("enveloped-rsa-der.eml");
    let (_, cms, _) = take_apart(&raw);
    // The encrypted key is 256 octets after its header 04 82 01 00; the content stands at the end.
    let key = find(&cms, &[0x04, 0x82, 0x01, 0x00]) + 4;
    for (name, at, mask) in [
        ("encrypted key, first octet", key, 0x01),
        ("encrypted key, last octet", key + 255, 0x01),
        ("encrypted key beyond the modulus", key, 0xFF),
        ("last block", cms.len() - 1, 0x01),
        ("block before", cms.len() - 17, 0x80),
        (
            "content cipher",
            find(&cms, &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42]) + 8,
            0x10,
        ),
    ] {
        let bad = changed(&raw, |mut cms| {
            cms[at] ^= mask;
            cms
        });
        assert!(
            matches!(failure(&bad, &alice), Decryption::Failed(Some(_))),
            "{name}"
        );
    }
    assert!(matches!(
        failure(&data("enveloped-nomime.eml"), &alice),
        Decryption::Failed(Some(_))
    ));
    let wrong_key = KeyPair {
        certificate: certificate("alice"),
        key: pair("bob").key,
    };
    assert!(matches!(
        failure(&raw, &wrong_key),
        Decryption::Failed(Some(_))
    ));
}

#[test]
fn c12_tags_of_gcm() {
    let bob = pair("bob");
    let raw = data("authenveloped-p256.eml");
    let (_, cms, _) = take_apart(&raw);
    let tag = find(&cms, &{
        let mut end = vec![0x04, 16];
        end.extend_from_slice(&tag_of(&cms));
        end
    });
    for length in [0usize, 1, 4, 8, 11, 12, 15] {
        let shorter = changed(&raw, |mut cms| {
            let mut short = vec![0x04, length as u8];
            short.extend_from_slice(&cms[tag + 2..tag + 2 + length]);
            cms.splice(tag..tag + 18, short);
            cms
        });
        assert!(
            matches!(failure(&shorter, &bob), Decryption::Failed(Some(_))),
            "{length}"
        );
    }
    let flipped = changed(&raw, |mut cms| {
        cms[tag + 5] ^= 1;
        cms
    });
    assert!(matches!(
        failure(&flipped, &bob),
        Decryption::Failed(Some(_))
    ));
    // The object moved into EnvelopedData and the other way round: cipher and type must go together.
    let (_, cbc, _) = take_apart(&data("enveloped-p256-der.eml"));
    let moved = changed(&raw, |_| {
        let at = find(&cbc, &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 3]) - 2;
        let mut oid = vec![
            0x06, 11, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 1, 23,
        ];
        let mut moved = vec![0x30, 0x80];
        moved.append(&mut oid);
        moved.extend_from_slice(&cbc[at + 11..]);
        moved.extend_from_slice(&[0, 0]);
        moved
    });
    assert!(matches!(failure(&moved, &bob), Decryption::Failed(Some(_))));
}

/// The authentication tag of a `-stream` AuthEnvelopedData: the last OCTET STRING of 16 octets before the ends.
fn tag_of(cms: &[u8]) -> Vec<u8> {
    let end = cms.len() - cms.iter().rev().take_while(|octet| **octet == 0).count();
    let starts = (0..end)
        .rev()
        .find(|at| cms[*at..].starts_with(&[0x04, 16]));
    cms[starts.unwrap() + 2..starts.unwrap() + 18].to_vec()
}

#[test]
fn c13_oaep_parameters_never_fall_back() {
    let raw = data("enveloped-oaep.eml");
    let oaep = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 7];
    let (_, cms, _) = take_apart(&raw);
    let at = find(&cms, &oaep);
    for (name, place, octet) in [
        ("v1.5 with OAEP parameters", at + 8, 1),
        ("a NULL of another length", at + 9, 5),
    ] {
        let bad = changed(&raw, |mut cms| {
            cms[place] = octet;
            cms
        });
        assert!(
            matches!(failure(&bad, &pair("alice")), Decryption::Failed(_)),
            "{name}"
        );
    }
}

#[test]
fn cut_short_anywhere() {
    let alice = pair("alice");
    for name in [
        "enveloped-rsa-der",
        "enveloped-rsa-stream",
        "authenveloped-rsa",
    ] {
        let (before, cms, after) = take_apart(&data(&format!("{name}.eml")));
        for length in 0..cms.len() {
            let raw = put_together(&before, &cms[..length], &after);
            let outcome = failure(&raw, &alice);
            assert!(
                matches!(outcome, Decryption::Failed(_)),
                "{name} {length}: {outcome:?}"
            );
        }
    }
    for name in ["opaque-der", "opaque-stream", "clear-rsa"] {
        let (before, cms, after) = take_apart(&data(&format!("{name}.eml")));
        for length in 0..cms.len() {
            let found = verdict(&put_together(&before, &cms[..length], &after));
            assert_eq!(found, Verdict::Broken, "{name} {length}");
        }
    }
}

/// `content` in DER under the identifier octet `tag`.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    sealgate_smime::asn1::tlv(tag, content)
}

/// The elements inside the element `der`.
fn inside(der: &[u8]) -> Vec<Vec<u8>> {
    let content = sealgate_smime::asn1::Reader::new(der)
        .any()
        .unwrap()
        .inside();
    content
        .all()
        .unwrap()
        .iter()
        .map(|element| element.raw.to_vec())
        .collect()
}

/// ContentInfo, content type, and the fields of the content.
fn fields(cms: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let outer = inside(cms);
    (outer[0].clone(), inside(&inside(&outer[1])[0]))
}

fn rebuilt(content_type: &[u8], fields: &[Vec<u8>]) -> Vec<u8> {
    let content = tlv(0xA0, &tlv(0x30, &fields.concat()));
    tlv(0x30, &[content_type, &content].concat())
}

#[test]
fn c19_numbers_of_pieces_are_bounded() {
    let alice = pair("alice");
    let enveloped = data("enveloped-rsa-der.eml");
    let signed = data("opaque-der.eml");
    for (count, refused) in [(999, false), (1001, true), (10_000, true)] {
        let many = changed(&enveloped, |cms| {
            let (oid, mut parts) = fields(&cms);
            let own = inside(&parts[1]).remove(0);
            let mut other = own.clone();
            let at = find(&other, b"root");
            other[at] = b'R';
            parts[1] = tlv(0x31, &[other.repeat(count), own].concat());
            rebuilt(&oid, &parts)
        });
        let start = std::time::Instant::now();
        let outcome = failure(&many, &alice);
        assert_eq!(
            matches!(outcome, Decryption::Refused(_)),
            refused,
            "{count}: {outcome:?}"
        );
        assert_eq!(
            matches!(outcome, Decryption::Opened(_)),
            !refused,
            "{count}"
        );
        assert!(
            start.elapsed().as_secs() < 5,
            "{count}: {:?}",
            start.elapsed()
        );
    }
    for (place, count, expected) in [
        (3, 199, Verdict::Valid),
        (3, 201, Verdict::Unsupported),
        (3, 10_000, Verdict::Unsupported),
        (4, 16, Verdict::Valid),
        (4, 17, Verdict::Unsupported),
        (4, 10_000, Verdict::Unsupported),
    ] {
        let many = changed(&signed, |cms| {
            let (oid, mut parts) = fields(&cms);
            let repeated = inside(&parts[place]).remove(0).repeat(count);
            parts[place] = tlv(parts[place][0], &repeated);
            rebuilt(&oid, &parts)
        });
        assert_eq!(verdict(&many), expected, "{place} {count}");
    }
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

#[test]
fn c10_only_the_first_recipient_that_names_us_counts() {
    let raw = data("enveloped-rsa-der.eml");
    let probe = changed(&raw, |cms| {
        let (oid, mut parts) = fields(&cms);
        let own = inside(&parts[1]).remove(0);
        let mut spoilt = own.clone();
        let last = spoilt.len() - 1;
        spoilt[last] ^= 1;
        parts[1] = tlv(0x31, &[spoilt, own].concat());
        rebuilt(&oid, &parts)
    });
    assert!(matches!(
        failure(&probe, &pair("alice")),
        Decryption::Failed(Some(_))
    ));
}

#[test]
fn c10_hash_names_the_encrypted_key() {
    let alice = pair("alice");
    let raw = data("enveloped-rsa-der.eml");
    let Decryption::Opened(opened) = failure(&raw, &alice) else {
        panic!("opens")
    };
    let spoilt = changed(&raw, |mut cms| {
        let last = cms.len() - 1;
        cms[last] ^= 1;
        cms
    });
    assert_eq!(
        failure(&spoilt, &alice),
        Decryption::Failed(Some(opened.encrypted_key_hash))
    );
    let Decryption::Opened(other) = failure(&data("enveloped-rsa-stream.eml"), &alice) else {
        panic!("opens")
    };
    assert_ne!(other.encrypted_key_hash, opened.encrypted_key_hash);
}

#[test]
fn c18_layers_of_signatures_are_bounded() {
    let (head, cms, _) = take_apart(&data("opaque-der.eml"));
    let (oid, parts) = fields(&cms);
    let data_oid = inside(&parts[2])[0].clone();
    let mut raw = put_together(&head, &cms, "");
    for layers in 2..=20 {
        let mut parts = parts.clone();
        parts[2] = tlv(
            0x30,
            &[data_oid.clone(), tlv(0xA0, &tlv(0x04, &raw))].concat(),
        );
        raw = put_together(&head, &rebuilt(&oid, &parts), "");
        let start = std::time::Instant::now();
        let found = kind_under_signatures(&Message::read(&raw).unwrap()).unwrap();
        assert_eq!(
            found,
            if layers <= 8 {
                Kind::Plain
            } else {
                kind_limit()
            },
            "{layers}"
        );
        assert!(start.elapsed().as_secs() < 1, "{layers}");
        if raw.len() > 400_000 {
            break;
        }
    }
}

fn kind_limit() -> Kind {
    Kind::Malformed(Fault::Limit(LimitReached("S/MIME layers")))
}

#[test]
fn c24_triple_wrap_shows_both_signatures() {
    // Encrypted content inside a signature: the kind under the signature is the one of A28.
    let (_, cms, _) = take_apart(&data("opaque-der.eml"));
    let (oid, mut parts) = fields(&cms);
    let data_oid = inside(&parts[2])[0].clone();
    let encrypted = data("enveloped-rsa-der.eml");
    parts[2] = tlv(
        0x30,
        &[data_oid, tlv(0xA0, &tlv(0x04, &encrypted))].concat(),
    );
    let raw = changed(&data("opaque-der.eml"), |_| rebuilt(&oid, &parts));
    let message = Message::read(&raw).unwrap();
    assert_eq!(kind(&message).unwrap(), Kind::Signed);
    assert_eq!(kind_under_signatures(&message).unwrap(), Kind::Enveloped);
    assert_eq!(verdict(&raw), Verdict::Broken);
    let entity = signed_entity(&message).unwrap().unwrap();
    let inner = Message::read(&entity).unwrap();
    let mut out = Vec::new();
    assert!(matches!(
        decrypt(
            &inner,
            &[&pair("alice")],
            sealgate_smime::algorithms::Switches::default(),
            &mut out
        )
        .unwrap(),
        Decryption::Opened(_)
    ));
    assert_eq!(out, data("entity"));
}

/// Changes at places and to values drawn from a fixed sequence: no crash, and no other text counts as signed or as
/// authentic.
#[test]
fn random_changes_are_survived() {
    let keys = [pair("alice"), pair("bob"), pair("carol")];
    let ring: Vec<&KeyPair> = keys.iter().collect();
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut draw = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for name in [
        "clear-two",
        "opaque-der",
        "opaque-stream",
        "certs-only",
        "enveloped-rsa-stream",
        "enveloped-p256-der",
        "authenveloped-rsa",
        "authenveloped-p256",
    ] {
        let (before, cms, after) = take_apart(&data(&format!("{name}.eml")));
        for round in 0..300 {
            let mut cms = cms.clone();
            for _ in 0..=draw(3) {
                let at = draw(cms.len());
                match draw(3) {
                    0 => cms[at] = draw(256) as u8,
                    1 => drop(cms.remove(at)),
                    _ => cms.insert(at, [0x00, 0x80, 0x30, 0xFF][draw(4)]),
                }
            }
            let raw = put_together(&before, &cms, &after);
            let message = Message::read(&raw).unwrap();
            let report = Setting::usual().verify(&raw);
            if report.verdict.is_good() {
                let mut out = Vec::new();
                signed_content(&message, &mut out).unwrap().unwrap();
                assert_eq!(out, data("entity"), "{name} {round}");
            }
            let mut out = Vec::new();
            if let Decryption::Opened(opened) = decrypt(
                &message,
                &ring,
                sealgate_smime::algorithms::Switches::default(),
                &mut out,
            )
            .unwrap()
            {
                assert!(
                    !opened.authenticated || out == data("entity"),
                    "{name} {round}"
                );
            }
        }
    }
}
