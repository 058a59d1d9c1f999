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
use sealgate_smime::algorithms::Switches;
use sealgate_smime::compressed::decompress;
use sealgate_smime::decrypt::{decrypt, recipients};
use sealgate_smime::kind::{self, Kind, kind};
use sealgate_smime::limits::DECOMPRESSED_OCTETS;
use sealgate_smime::path::TrustAnchors;
use sealgate_smime::verdict::SignatureVerdict;
use sealgate_smime::verify::{
    SignatureReport, VerifyInput, kind_under_signatures, signed_content, verify,
};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One test at a time, so that the memory seen is that of one.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

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
        switches: Switches::default(),
        exact_local_parts: false,
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
        let _ = decompress(&message, DECOMPRESSED_OCTETS, &mut Vec::new()).unwrap();
        let _ = recipients(&message).unwrap();
        decrypt(&message, &[], Switches::default(), &mut Vec::new()).unwrap();
        assert!(!verified(&raw).verdict.is_good());
    }
}

/// CPU time of this thread, which other programs on the machine do not lengthen; time of day where the system does not tell.
fn cpu_time(since: Instant) -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = text.and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

/// Most octets this process ever held, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let number = line.split_whitespace().nth(1)?;
    Some(number.parse::<u64>().ok()? * 1024)
}

/// No crash, no hang (more than a second), no more memory than SOURCE.txt of the seeds allows.
fn read_directory(directory: &str) {
    let before = peak_memory();
    for (name, octets) in files(directory) {
        let blocks = match sealgate_smime::pem::looks_like(&octets) {
            true => sealgate_smime::pem::read(&octets).unwrap_or_default(),
            false => Vec::new(),
        };
        let start = Instant::now();
        let before = cpu_time(start);
        read_all_ways(&octets);
        blocks.iter().for_each(|block| read_all_ways(&block.der));
        let taken = cpu_time(start) - before;
        assert!(
            taken < Duration::from_secs(1),
            "{directory}/{name}: {taken:?}"
        );
    }
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        assert!(
            after - before < 64 * 1024 * 1024,
            "{directory}: {before} {after}"
        );
    }
}

#[test]
fn c18_fuzz_seeds_neither_crash_nor_hang() {
    let _alone = alone();
    read_directory("openssl-fuzz-seeds/cms");
}

#[test]
fn every_object_is_read_all_ways() {
    let _alone = alone();
    read_directory("asn1crypto-fixtures");
    read_directory("pyca-vectors/pkcs7");
}

/// A file of the corpus, its PEM text decoded; none, with a named skip, where the corpus is not there.
fn object(directory: &str, wanted: &str) -> Option<Vec<u8>> {
    let found = files(directory)
        .into_iter()
        .find(|(name, _)| name == wanted);
    let (_, octets) = found?;
    if sealgate_smime::pem::looks_like(&octets) {
        return Some(
            sealgate_smime::pem::read(&octets)
                .unwrap()
                .remove(0)
                .der
                .to_vec(),
        );
    }
    Some(octets)
}

#[test]
fn other_peoples_objects_are_known() {
    let _alone = alone();
    let (asn1crypto, pyca) = ("asn1crypto-fixtures", "pyca-vectors/pkcs7");
    for (directory, name, expected, whole) in [
        (
            asn1crypto,
            "cms-compressed.der",
            Some(Kind::Compressed),
            true,
        ),
        (
            asn1crypto,
            "cms-compressed.pem",
            Some(Kind::Compressed),
            true,
        ),
        (
            asn1crypto,
            "meca2_compressed.der",
            Some(Kind::Compressed),
            true,
        ),
        (asn1crypto, "cms-enveloped.der", Some(Kind::Enveloped), true),
        (asn1crypto, "cms-enveloped.pem", Some(Kind::Enveloped), true),
        (asn1crypto, "cms-signed.der", Some(Kind::Signed), true),
        (asn1crypto, "cms-signed.pem", Some(Kind::Signed), true),
        (
            asn1crypto,
            "cms-signed-indefinite-length.der",
            Some(Kind::Signed),
            true,
        ),
        (asn1crypto, "pkcs7-signed.der", Some(Kind::Signed), true),
        (
            asn1crypto,
            "mozilla-generated-by-openssl.pkcs7.der",
            Some(Kind::Signed),
            true,
        ),
        (
            asn1crypto,
            "smime-signature-generated-by-thunderbird.p7s",
            Some(Kind::Signed),
            true,
        ),
        // Content types that no mail has.
        (asn1crypto, "cms-digested.der", None, false),
        (asn1crypto, "cms-encrypted.der", None, false),
        // Content that is no OCTET STRING, as only PKCS#7 before CMS had it.
        (asn1crypto, "pkcs7-signed-digested.der", None, false),
        (pyca, "authenticode.der", None, false),
        (pyca, "amazon-roots.der", Some(Kind::CertsOnly), true),
        (pyca, "amazon-roots.p7b", Some(Kind::CertsOnly), true),
        (pyca, "isrg.pem", Some(Kind::CertsOnly), true),
        (pyca, "enveloped.pem", Some(Kind::Enveloped), true),
        (pyca, "enveloped-rsa-oaep.pem", Some(Kind::Enveloped), true),
        (
            pyca,
            "enveloped-triple-des.pem",
            Some(Kind::Enveloped),
            true,
        ),
        // The encrypted content is elsewhere.
        (
            pyca,
            "enveloped-no-content.der",
            Some(Kind::Enveloped),
            false,
        ),
    ] {
        let Some(cms) = object(directory, name) else {
            return;
        };
        let raw = message(&cms);
        let message = Message::read(&raw).unwrap();
        let found = kind(&message).unwrap();
        let found = (!matches!(found, Kind::Malformed(_))).then_some(found);
        assert_eq!(found, expected, "{name}");
        assert_eq!(kind::check(&message).unwrap().is_ok(), whole, "{name}");
    }
}

#[test]
fn other_peoples_compressed_content_unfolds() {
    let _alone = alone();
    for (name, expected, length) in [
        (
            "cms-compressed.der",
            &b"This is the message to encapsulate in PKCS#7/CMS"[..],
            50,
        ),
        ("meca2_compressed.der", b"", 94_000),
    ] {
        let Some(cms) = object("asn1crypto-fixtures", name) else {
            return;
        };
        let mut out = Vec::new();
        let raw = message(&cms);
        let message = Message::read(&raw).unwrap();
        let octets = decompress(&message, DECOMPRESSED_OCTETS, &mut out).unwrap();
        assert_eq!(octets, Ok(out.len() as u64), "{name}");
        assert!(
            out.starts_with(expected) && out.len() <= length,
            "{name}: {}",
            out.len()
        );
    }
}

#[test]
fn truncation_at_every_octet_is_malformed() {
    let _alone = alone();
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
fn other_peoples_signatures_verify_up_to_trust() {
    let _alone = alone();
    for (name, expected) in [
        // Its authors changed the content; OpenSSL says the same.
        ("cms-signed-indefinite-length.der", SignatureVerdict::Broken),
        ("cms-signed.der", SignatureVerdict::Untrusted),
        ("cms-signed.pem", SignatureVerdict::Untrusted),
        ("pkcs7-signed.der", SignatureVerdict::Untrusted),
        // Edited by hand, says SOURCE.txt.
        ("cms-signed-digested.der", SignatureVerdict::Broken),
        ("cms-signed-digested.pem", SignatureVerdict::Broken),
        ("pkcs7-signed-digested.der", SignatureVerdict::Broken),
    ] {
        let Some(cms) = object("asn1crypto-fixtures", name) else {
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
    let Some(cms) = object(
        "asn1crypto-fixtures",
        "smime-signature-generated-by-thunderbird.p7s",
    ) else {
        return;
    };
    // Its content is another one than ours.
    let report = verified(&clear(&cms));
    assert_eq!(report.signers[0].reason, "the content was changed");
    assert!(report.signers[0].certificate.is_some());
}
