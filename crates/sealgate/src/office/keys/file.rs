//! A file with certificates of external mailboxes: PEM, DER or PKCS #7, and what can be imported of it (S85, S86, A20).

use sealgate_mail::{Address, Timestamp};
use sealgate_portal::office::keys::{ImportProblem, OfferedKey};
use sealgate_portal::office::{Asked, At};
use sealgate_portal::problem::Problem;
use sealgate_smime::certificate::{Certificate, ImportRefusal, UsageRefusal};
use sealgate_smime::cms::{self, ContentType};
use sealgate_smime::pem;

use crate::limits::OFFERED_KEYS;

/// The certificates in a file; those of authorities, which are sent along with others, are left out where there are others.
pub fn read(file: &[u8]) -> Asked<Vec<Certificate>> {
    let mut found = match Certificate::read_all(file) {
        Ok(found) => found,
        Err(error) => from_pkcs7(file).ok_or_else(|| Problem {
            detail: Some(error.into()),
            ..Problem::new("no-certificate")
        })?,
    };
    if found.iter().any(|one| !one.is_authority()) {
        found.retain(|one| !one.is_authority());
    }
    match found.len() {
        0 => Err(Problem::new("no-certificate")),
        1..=OFFERED_KEYS => Ok(found),
        _ => Err(Problem::new("too-large")),
    }
}

/// The certificates of a certs-only message, in BER or in PEM.
fn from_pkcs7(file: &[u8]) -> Option<Vec<Certificate>> {
    if !pem::looks_like(file) {
        return of_cms(file);
    }
    let blocks = pem::read(file).ok()?;
    let mut blocks = blocks
        .iter()
        .filter(|block| matches!(block.label.as_str(), "PKCS7" | "CMS"));
    of_cms(&blocks.next()?.der)
}

fn of_cms(octets: &[u8]) -> Option<Vec<Certificate>> {
    let (mut reader, kind) = cms::open(octets).ok()?;
    if kind != ContentType::SignedData {
        return None;
    }
    let head = cms::signed_head(&mut reader).ok()?;
    if head.has_content {
        return None;
    }
    let tail = cms::signed_tail(&mut reader, false).ok()?;
    let read = tail
        .certificates
        .iter()
        .map(|der| Certificate::from_der(der));
    let found: Vec<Certificate> = read.collect::<Result<_, _>>().ok()?;
    (!found.is_empty()).then_some(found)
}

/// A certificate as it is shown before it is imported.
pub fn offered(certificate: &Certificate, trusted: bool, at: Timestamp) -> OfferedKey {
    let addresses = certificate.addresses().iter().map(Address::to_string);
    OfferedKey {
        pem: certificate.pem(),
        subject: certificate.subject_name(),
        issuer: certificate.issuer_name(),
        addresses: addresses.collect(),
        from: At(certificate.not_before()),
        until: At(certificate.not_after()),
        sha256: certificate.fingerprint_hex(),
        refusal: certificate.import_refusal().map(refused),
        trusted,
        valid: certificate.valid_at(at),
    }
}

const fn refused(refusal: ImportRefusal) -> ImportProblem {
    match refusal {
        ImportRefusal::NoAddress => ImportProblem::NoAddress,
        ImportRefusal::Domain => ImportProblem::Domain,
        ImportRefusal::Usage(UsageRefusal::Authority) => ImportProblem::Authority,
        ImportRefusal::Usage(UsageRefusal::Purpose) => ImportProblem::Purpose,
        ImportRefusal::Usage(UsageRefusal::KeyUsage) => ImportProblem::Usage,
        ImportRefusal::Usage(UsageRefusal::KeyKind | UsageRefusal::Weak) => ImportProblem::Weak,
    }
}
