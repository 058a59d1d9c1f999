//! Certificates that a description names: files or PEM text, public keys, trust roots, blocks.

use std::path::Path;

use sealgate_core::tenant::Blocked;
use sealgate_smime::certificate::Certificate;

use super::{BlockedLine, CertificateFile};
use crate::cmd::{Failure, read_input};

pub(super) fn certificates(
    files: &[CertificateFile],
    directory: &Path,
) -> Result<Vec<Certificate>, Failure> {
    let mut all = Vec::new();
    for file in files {
        all.extend(read_certificates(&file.certificate, directory)?);
    }
    Ok(all)
}

pub(super) fn correspondents(
    files: &[CertificateFile],
    directory: &Path,
) -> Result<Vec<Certificate>, Failure> {
    let all = certificates(files, directory)?;
    for certificate in &all {
        if let Some(refusal) = certificate.import_refusal() {
            return Err(Failure::new(format_args!(
                "correspondent {}: {refusal}",
                certificate.subject_name()
            )));
        }
    }
    Ok(all)
}

pub(super) fn blocked(lines: &[BlockedLine], directory: &Path) -> Result<Vec<Blocked>, Failure> {
    let mut all: Vec<Blocked> = Vec::new();
    for line in lines {
        let found = match (&line.certificate, &line.sha256) {
            (Some(file), None) => read_certificates(file, directory)?
                .iter()
                .map(block_of)
                .collect(),
            (None, Some(digits)) => vec![block_by_fingerprint(digits)?],
            _ => {
                return Err(Failure::new(
                    "blocked: give one of certificate and sha256 in each entry",
                ));
            }
        };
        all.extend(found);
    }
    Ok(all)
}

/// The block of a certificate.
pub fn block_of(certificate: &Certificate) -> Blocked {
    Blocked {
        sha256: certificate.fingerprint(),
        subject: Some(certificate.subject_name()),
        reason: None,
    }
}

/// The block of the certificate or key with this SHA-256.
pub fn block_by_fingerprint(digits: &str) -> Result<Blocked, Failure> {
    let sha256 = fingerprint(digits).ok_or_else(|| {
        Failure::new(format_args!(
            "\"{digits}\" is no SHA-256 fingerprint: write 64 hexadecimal digits, colons may stand between them"
        ))
    })?;
    Ok(Blocked {
        sha256,
        subject: None,
        reason: None,
    })
}

/// 64 hexadecimal digits; colons as in the output of other programs do not matter.
fn fingerprint(digits: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = digits
        .chars()
        .filter(|c| *c != ':')
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let octets: Vec<u8> = digits
        .chunks(2)
        .filter_map(|pair| match pair {
            [high, low] => Some(high << 4 | low),
            _ => None,
        })
        .collect();
    (digits.len() == 64)
        .then(|| octets.try_into().ok())
        .flatten()
}

/// Reads certificates from PEM text, or from a PEM or DER file relative to `directory`.
pub fn read_certificates(text: &str, directory: &Path) -> Result<Vec<Certificate>, Failure> {
    let inline = text.trim_start().starts_with("-----BEGIN");
    let bytes = if inline {
        text.as_bytes().to_vec()
    } else {
        read_input(&directory.join(text))?
    };
    let name = if inline { "inline certificate" } else { text };
    Certificate::read_all(&bytes).map_err(|error| Failure::new(format_args!("{name}: {error}")))
}
