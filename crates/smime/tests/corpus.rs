//! The reading side on the public test corpus: nothing may crash, hang or take what is cut short for whole.
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
use sealgate_smime::decrypt::{decrypt, recipients};
use sealgate_smime::kind::{self, Kind, kind};
use sealgate_smime::path::TrustAnchors;
use sealgate_smime::verdict::SignatureVerdict;
use sealgate_smime::verify::{
    SignatureReport, VerifyInput, kind_under_signatures, signed_content, verify,
};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The files of a corpus directory, by name; none, with a named skip, where the corpus is not there.
fn files(directory: &str) -> Vec<(String, Vec<u8>)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/corpus")
        .join(directory);
    let Ok(entries) = std::fs::read_dir(&path) else {
        assert!(
            std::env::var_os("CI").is_none(),
            "the corpus {directory} is missing"
        );
        eprintln!("skipped: the corpus {directory} is missing");
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    files
        .iter()
        .map(|path| (name(path), std::fs::read(path).unwrap()))
        .collect()
}

fn message(cms: &[u8]) -> Vec<u8> {
    let head = b"From: a@example.com\r\nContent-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    [head, cms].concat()
}

fn clear(cms: &[u8]) -> Vec<u8> {
    let head = b"From: a@example.com\r\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let mut writer = sealgate_mail::encoding::Base64Writer::new(head.to_vec());
    std::io::Write::write_all(&mut writer, cms).unwrap();
    let mut raw = writer.finish().unwrap();
    raw.extend_from_slice(b"\r\n--b--\r\n");
    raw
}

fn verified(raw: &[u8]) -> SignatureReport {
    let anchors = TrustAnchors::new(Vec::new());
    let input = VerifyInput {
        anchors: &anchors,
        at: Timestamp(1_800_000_000),
        from: None,
        date: None,
        known: &[],
        switches: sealgate_smime::algorithms::Switches::default(),
    };
    verify(&Message::read(&raw).unwrap(), &input).unwrap()
}

/// Everything that reads, on one CMS object.
fn read_all_ways(cms: &[u8]) {
    for raw in [message(cms), clear(cms)] {
        let message = Message::read(&raw).unwrap();
        kind(&message).unwrap();
        let _ = kind::check(&message).unwrap();
        kind_under_signatures(&message).unwrap();
        let _ = signed_content(&message, &mut Vec::new()).unwrap();
        let _ = recipients(&message).unwrap();
        decrypt(
            &message,
            &[],
            sealgate_smime::algorithms::Switches::default(),
            &mut Vec::new(),
        )
        .unwrap();
        assert!(!verified(&raw).verdict.is_good());
    }
}

#[test]
fn c18_fuzz_seeds_neither_crash_nor_hang() {
    let mut slowest = (Duration::ZERO, String::new());
    for (name, cms) in files("openssl-fuzz-seeds/cms") {
        let start = Instant::now();
        read_all_ways(&cms);
        slowest = slowest.max((start.elapsed(), name));
    }
    assert!(slowest.0 < Duration::from_secs(1), "{slowest:?}");
}

#[test]
fn other_peoples_objects_are_known() {
    for (name, expected) in [
        ("cms-compressed.der", Kind::Compressed),
        ("cms-enveloped.der", Kind::Enveloped),
        ("cms-signed.der", Kind::Signed),
        ("cms-signed-indefinite-length.der", Kind::Signed),
        ("pkcs7-signed.der", Kind::Signed),
        ("mozilla-generated-by-openssl.pkcs7.der", Kind::Signed),
    ] {
        let Some((_, cms)) = files("asn1crypto-fixtures")
            .into_iter()
            .find(|(found, _)| found == name)
        else {
            return;
        };
        let raw = message(&cms);
        let message = Message::read(&raw).unwrap();
        assert_eq!(kind(&message).unwrap(), expected, "{name}");
        assert_eq!(kind::check(&message).unwrap(), Ok(()), "{name}");
    }
}

#[test]
fn truncation_at_every_octet_is_malformed() {
    for (name, cms) in files("asn1crypto-fixtures") {
        if !name.ends_with(".der") || cms.len() > 5000 {
            continue;
        }
        let whole = message(&cms);
        let readable = kind::check(&Message::read(&whole).unwrap())
            .unwrap()
            .is_ok();
        for length in 0..cms.len() {
            let raw = message(&cms[..length]);
            let checked = kind::check(&Message::read(&raw).unwrap()).unwrap();
            assert!(checked.is_err() || !readable, "{name} {length}");
        }
    }
}

#[test]
fn every_object_is_read_all_ways() {
    for directory in ["asn1crypto-fixtures", "pyca-vectors/pkcs7"] {
        for (_, cms) in files(directory) {
            read_all_ways(&cms);
        }
    }
}

#[test]
fn other_peoples_signatures_verify_up_to_trust() {
    for (name, expected) in [
        // Its authors changed the content; OpenSSL says the same.
        ("cms-signed-indefinite-length.der", SignatureVerdict::Broken),
        ("cms-signed.der", SignatureVerdict::Untrusted),
        ("pkcs7-signed.der", SignatureVerdict::Untrusted),
        ("cms-signed-digested.der", SignatureVerdict::Broken),
    ] {
        let Some((_, cms)) = files("asn1crypto-fixtures")
            .into_iter()
            .find(|(found, _)| found == name)
        else {
            return;
        };
        let report = verified(&message(&cms));
        let reasons: Vec<_> = report.signers.iter().map(|signer| signer.reason).collect();
        assert_eq!(
            report.verdict, expected,
            "{name} {reasons:?} {:?}",
            report.fault
        );
    }
}
