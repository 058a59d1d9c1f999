//! DKIM signatures of outgoing mail (RFC 6376, RFC 8463): what is signed, and the field that says so.
//!
//! Written here, since the signer of `mail-auth` wants the whole mail in memory: a mail may have 150 MB. The body is read
//! once, in blocks, however many keys sign.

use std::io::{self, Read};

use sealgate_core::dkim::{DkimKeyKind, Selector};
use sealgate_mail::encoding::Base64Writer;
use sealgate_mail::header::Field;
use sealgate_mail::{Content, Domain, HeaderBlock, Timestamp};
use sealgate_smime::algorithms::{DigestAlgorithm, SignatureAlgorithm};
use sealgate_smime::aws::Digest;
use sealgate_smime::key::{KeyError, PrivateKey};

use crate::limits::{CONTENT_CHUNK_OCTETS, DKIM_LINE_COLUMNS};
use canonical::{Body, field};

mod canonical;

/// A key that signs, with its name.
#[derive(Clone, Debug)]
pub struct Signer {
    /// `d=`.
    pub domain: Domain,
    /// `s=`.
    pub selector: Selector,
    /// What key it is.
    pub kind: DkimKeyKind,
    /// The key.
    pub key: PrivateKey,
}

/// Which fields a signature names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// Those that are there, each once more than it is there, so that none can be added. What is not there may be added on
    /// the way: lists add `Sender` and `Reply-To`.
    Present,
    /// All, present or not: what RFC 8823 section 3.2 asks for in an answer to a challenge.
    All,
}

/// The fields that are signed (RFC 6376 section 5.4.1, RFC 8823 section 3.2). Not what changes on the way: `Received`,
/// `Return-Path`, `DKIM-Signature`.
const SIGNED: [&str; 14] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub enum DkimError {
    /// The body could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A key failed.
    #[error("a DKIM key failed: {0}")]
    Key(#[from] KeyError),
}

/// The `DKIM-Signature` fields of a mail, one for each of `signers`, folded, each ended by CRLF: they go on top of its head.
///
/// `head` is its header block, with the blank line or without; `body` the content that the body is part of, with the offset
/// of its first octet.
pub fn sign(
    signers: &[Signer],
    head: &[u8],
    (content, from): (&dyn Content, u64),
    at: Timestamp,
    naming: Naming,
) -> Result<String, DkimError> {
    let head = head.strip_suffix(b"\r\n\r\n").map_or(head, |fields| {
        head.get(..fields.len().saturating_add(2)).unwrap_or(head)
    });
    let header = HeaderBlock::parse(head);
    let (names, octets) = signed_fields(&header, naming);
    let hash = base64(&body_hash(content, from)?);
    let mut fields = String::new();
    for signer in signers {
        let open = unsigned(signer, &names, &hash, at);
        let signature = signer.sign(&octets, &open)?;
        fields.push_str(&open);
        for line in lines(&signature) {
            fields.push_str("\r\n ");
            fields.push_str(&line);
        }
        fields.push_str("\r\n");
    }
    Ok(fields)
}

/// The names for `h=`, and the fields in canonical form, in that order.
fn signed_fields(header: &HeaderBlock, naming: Naming) -> (Vec<&'static str>, Vec<u8>) {
    let mut names = Vec::new();
    let mut octets = Vec::new();
    for name in SIGNED {
        // RFC 6376 section 5.4.2: several fields of one name are taken from the last to the first.
        let present: Vec<Field<'_>> = header.all(name).rev().collect();
        for one in &present {
            names.push(name);
            octets.extend_from_slice(&field(one.raw()));
        }
        // RFC 6376 section 5.4.2: a name more than there are fields says that there is no further one.
        if !present.is_empty() || naming == Naming::All {
            names.push(name);
        }
    }
    (names, octets)
}

/// SHA-256 of the body in canonical form.
fn body_hash(content: &dyn Content, from: u64) -> io::Result<Vec<u8>> {
    let mut body = Body::new(Digest::new(DigestAlgorithm::Sha256));
    let mut reader = content.reader(from)?;
    let mut buffer = vec![0; CONTENT_CHUNK_OCTETS];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => body.write(buffer.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(body.finish()?.finish())
}

/// The field with an empty signature, without a line end.
fn unsigned(signer: &Signer, names: &[&str], body_hash: &str, at: Timestamp) -> String {
    let mut text = format!(
        "DKIM-Signature: v=1; a={}; c=relaxed/relaxed; t={};\r\n d={};\r\n s={};\r\n h=",
        signer.kind.algorithm(),
        at.0,
        signer.domain,
        signer.selector
    );
    let mut columns = 3;
    for (number, name) in names.iter().copied().enumerate() {
        let more = name.len().saturating_add(1);
        if number > 0 {
            text.push(':');
            if columns + more > DKIM_LINE_COLUMNS {
                text.push_str("\r\n  ");
                columns = 2;
            }
        }
        text.push_str(name);
        columns += more;
    }
    text.push_str(&format!(";\r\n bh={body_hash};\r\n b="));
    text
}

impl Signer {
    /// Signs the fields and the field itself with an empty `b=` (RFC 6376 section 3.7).
    fn sign(&self, fields: &[u8], own: &str) -> Result<Vec<u8>, KeyError> {
        let own = field(own.as_bytes());
        let own = own.strip_suffix(b"\r\n").unwrap_or(&own);
        let signed = [fields, own].concat();
        match self.kind {
            DkimKeyKind::Rsa2048 => self.key.sign(
                SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256),
                &signed,
            ),
            // RFC 8463 section 3: what is signed is the SHA-256 of it.
            DkimKeyKind::Ed25519 => self.key.sign(
                SignatureAlgorithm::Ed25519,
                &Digest::of(DigestAlgorithm::Sha256, &signed),
            ),
        }
    }
}

/// Base64 in lines of 76 characters.
fn lines(octets: &[u8]) -> Vec<String> {
    use std::io::Write;
    let mut writer = Base64Writer::new(Vec::new());
    // Writing to memory cannot fail.
    let written = writer
        .write_all(octets)
        .and_then(|()| writer.finish_open())
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&written);
    text.lines().map(str::to_owned).collect()
}

fn base64(octets: &[u8]) -> String {
    lines(octets).concat()
}

#[cfg(test)]
mod tests;
