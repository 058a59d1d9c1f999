//! The `openssl cms` program as a peer: it signs and encrypts what we must read, and judges what we wrote.

use std::path::Path;

use crate::keys::{Identity, shown, words};
use crate::program::{Ran, run};

/// How `openssl cms` writes what it makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// Definite lengths.
    Der,
    /// Indefinite lengths, as it writes while streaming.
    Stream,
}

impl Writing {
    fn argument(self) -> &'static str {
        match self {
            Self::Der => "-noindef",
            Self::Stream => "-stream",
        }
    }
}

/// Signs a MIME entity (fields, blank line, body) and gives an S/MIME entity; `opaque` puts the content inside.
pub fn sign(
    entity: &[u8],
    signer: &Identity,
    chain: Option<&Identity>,
    opaque: bool,
    writing: Writing,
) -> Vec<u8> {
    let mut arguments = words("cms -sign -md sha256 -crlfeol");
    if opaque {
        arguments.push("-nodetach".into());
    }
    arguments.push(writing.argument().into());
    file(&mut arguments, "-signer", &signer.certificate);
    file(&mut arguments, "-inkey", &signer.key);
    if let Some(chain) = chain {
        file(&mut arguments, "-certfile", &chain.certificate);
    }
    good(run("openssl", &arguments, entity))
}

/// Encrypts a MIME entity to some certificates, with a cipher such as `aes-256-cbc`.
pub fn encrypt(entity: &[u8], to: &[&Path], cipher: &str, writing: Writing) -> Vec<u8> {
    let mut arguments = words("cms -encrypt -crlfeol");
    arguments.push(format!("-{cipher}"));
    arguments.push(writing.argument().into());
    arguments.extend(to.iter().map(|path| shown(path)));
    good(run("openssl", &arguments, entity))
}

/// Verifies a signed message against a root, the signer's address included; gives the signed entity.
pub fn verify(message: &[u8], root: &Path, address: &str) -> Result<Vec<u8>, String> {
    let mut arguments = words("cms -verify -verify_email");
    arguments.push(address.to_owned());
    file(&mut arguments, "-CAfile", root);
    judged(run("openssl", &arguments, message))
}

/// Decrypts a message; gives the entity inside.
pub fn decrypt(message: &[u8], own: &Identity) -> Result<Vec<u8>, String> {
    let mut arguments = words("cms -decrypt");
    file(&mut arguments, "-recip", &own.certificate);
    file(&mut arguments, "-inkey", &own.key);
    judged(run("openssl", &arguments, message))
}

fn file(arguments: &mut Vec<String>, option: &str, path: &Path) {
    arguments.extend([option.to_owned(), shown(path)]);
}

fn good(ran: Ran) -> Vec<u8> {
    assert!(ran.good, "openssl: {}", ran.err);
    crlf(&ran.out)
}

fn judged(ran: Ran) -> Result<Vec<u8>, String> {
    if ran.good { Ok(ran.out) } else { Err(ran.err) }
}

/// Bare line feeds become CRLF, as mail has them; the program writes text files.
pub fn crlf(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 40);
    for (index, &octet) in text.iter().enumerate() {
        let after_cr = index.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'\r');
        if octet == b'\n' && !after_cr {
            out.push(b'\r');
        }
        out.push(octet);
    }
    out
}
