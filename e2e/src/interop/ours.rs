//! We ourselves in the matrix: the built program, `sealgate smime` on files.

use std::path::PathBuf;

use super::cell::{Content, Encoding, Management, Ours, Scheme, Signature, SignedForm, Transport};
use super::peer::{Files, Peer, Result, printed};
use super::people::{People, address};
use crate::gateway::program;
use crate::keys::{Identity, KeyKind, shown, words};
use crate::mime;

/// The command line `smime` of the program under test.
#[derive(Debug)]
pub struct Program {
    files: Files,
    program: PathBuf,
}

/// The program under test, with the keys of the matrix.
#[derive(Debug)]
pub struct Sealgate {
    people: &'static People,
    program: Program,
}

/// A digest as the command line calls it: `sha256` is `sha-256`.
fn dashed(digest: &str) -> String {
    digest.replace("sha", "sha-")
}

/// The options that name a certificate and its private key.
pub fn own(identity: &Identity) -> Vec<String> {
    let (certificate, key) = (shown(&identity.certificate), shown(&identity.key));
    vec!["--certificate".into(), certificate, "--key".into(), key]
}

impl Program {
    /// The built program; `None` if it was not built, which is said.
    pub fn new(name: &str) -> Option<Self> {
        Some(Self {
            program: program()?,
            files: Files::new(name),
        })
    }

    /// Runs a verb on a message from an address that carries `entity`; gives what it wrote.
    pub fn smime(&self, verb: &str, from: &str, entity: &[u8], more: Vec<String>) -> Result {
        let mut message = format!(
            "From: {from}\r\nTo: reader@example.com\r\nSubject: matrix\r\nMIME-Version: 1.0\r\n"
        )
        .into_bytes();
        message.extend(without_version(entity));
        let (file, output) = (self.files.with(&message), self.files.fresh());
        let mut arguments = words(&format!("smime {verb}"));
        arguments.extend([shown(&file), "--output".into(), shown(&output)]);
        arguments.extend(more);
        let ran = printed(&shown(&self.program), &arguments, b"");
        let _ = std::fs::remove_file(&file);
        let written = self.files.take(&output);
        ran.and(written)
    }
}

impl Sealgate {
    /// The built program; `None` if it was not built, which is said.
    pub fn new(people: &'static People) -> Option<Self> {
        let program = Program::new("matrix-ours")?;
        Some(Self { people, program })
    }

    fn smime(&self, verb: &str, from: KeyKind, entity: &[u8], more: Vec<String>) -> Result {
        self.program.smime(verb, &address(from), entity, more)
    }
}

/// The entity without a field MIME-Version, which the message around it has.
pub fn without_version(entity: &[u8]) -> Vec<u8> {
    mime::entity(entity)
        .split_inclusive(|&octet| octet == b'\n')
        .scan(true, |in_header, line| {
            *in_header &= line != b"\r\n";
            let version = line.to_ascii_lowercase().starts_with(b"mime-version:");
            Some(if *in_header && version { &[][..] } else { line })
        })
        .flatten()
        .copied()
        .collect()
}

impl Peer for Sealgate {
    fn name(&self) -> &'static str {
        "sealgate"
    }

    fn sign(&self, entity: &[u8], how: &Signature, form: SignedForm, encoding: Encoding) -> Result {
        if encoding == Encoding::Ber || how.ours != Ours::Both {
            return Err("we do not write this".to_owned());
        }
        let mut more = own(self.people.of(how.key));
        if form == SignedForm::Opaque {
            more.push("--opaque".into());
        }
        match (how.scheme, how.key) {
            (Scheme::Pkcs1, _) => more.extend(words("--signature pkcs1")),
            (Scheme::Pss, KeyKind::Rsa(_)) => more.extend(words("--signature pss")),
            _ => {}
        }
        if matches!(how.scheme, Scheme::Pkcs1 | Scheme::Pss) {
            more.extend(["--digest".into(), dashed(how.digest)]);
        }
        let message = self.smime("sign", how.key, entity, more)?;
        Ok(mime::entity(&message))
    }

    fn verify(&self, entity: &[u8], signer: KeyKind, switches: &[&str]) -> Result {
        let mut more = vec!["--roots".into(), shown(&self.people.root.certificate)];
        more.extend(switches.iter().map(|&one| one.to_owned()));
        self.smime("verify", signer, entity, more)
    }

    fn encrypt(
        &self,
        entity: &[u8],
        how: &Management,
        content: &Content,
        encoding: Encoding,
    ) -> Result {
        if encoding == Encoding::Ber || how.ours != Ours::Both || content.ours != Ours::Both {
            return Err("we do not write this".to_owned());
        }
        let certificate = shown(&self.people.of(how.key).certificate);
        let mut more = vec!["--to".into(), certificate];
        more.extend(["--content".into(), content.name.into()]);
        match how.transport {
            Transport::Pkcs1 => more.extend(words("--transport pkcs1")),
            Transport::Oaep { digest, .. } => {
                more.extend(["--transport".into(), format!("oaep-{digest}")]);
            }
            Transport::Agreement { digest, .. } => {
                more.extend(["--agreement".into(), dashed(digest)]);
            }
        }
        let message = self.smime("encrypt", how.key, entity, more)?;
        Ok(mime::entity(&message))
    }

    fn decrypt(&self, entity: &[u8], own_kind: KeyKind, switches: &[&str]) -> Result {
        let mut more = own(self.people.of(own_kind));
        more.extend(switches.iter().map(|&one| one.to_owned()));
        let message = self.smime("decrypt", own_kind, entity, more)?;
        Ok(without_version(&message))
    }
}
