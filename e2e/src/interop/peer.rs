//! What a program must do to take part in the matrix. We ourselves take part through the built program.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::cell::{Content, Encoding, Management, Signature, SignedForm};
use crate::keys::KeyKind;
use crate::place::Directory;
use crate::program::run;

/// What came of a request: octets, or why there are none.
pub type Result<T = Vec<u8>> = std::result::Result<T, String>;

/// A program that writes and reads S/MIME. All octets are MIME entities: fields, blank line, body, with CRLF.
pub trait Peer: Sync {
    /// Its name in skips and in the report.
    fn name(&self) -> &'static str;

    /// Signs an entity.
    fn sign(&self, entity: &[u8], how: &Signature, form: SignedForm, encoding: Encoding) -> Result;

    /// Verifies an entity signed with the key of one kind; gives what was signed. `switches` are those of our own command line.
    fn verify(&self, entity: &[u8], signer: KeyKind, switches: &[&str]) -> Result;

    /// Encrypts an entity.
    fn encrypt(
        &self,
        entity: &[u8],
        how: &Management,
        content: &Content,
        encoding: Encoding,
    ) -> Result;

    /// Decrypts an entity with the key of one kind; gives what was encrypted.
    fn decrypt(&self, entity: &[u8], own: KeyKind, switches: &[&str]) -> Result;
}

/// A directory for files that programs are handed, each with a name of its own.
#[derive(Debug)]
pub struct Files {
    directory: Directory,
    number: AtomicU32,
}

impl Files {
    /// A new directory.
    pub fn new(name: &str) -> Self {
        Self {
            directory: Directory::new(name),
            number: AtomicU32::new(0),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A new file with this content.
    pub fn with(&self, content: &[u8]) -> PathBuf {
        let path = self.fresh();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The path of a file that is not there yet.
    pub fn fresh(&self) -> PathBuf {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        self.directory.path().join(format!("{number}"))
    }

    /// The octets of a file, which is removed.
    pub fn take(&self, path: &Path) -> Result {
        let octets = std::fs::read(path).map_err(|error| format!("no output: {error}"))?;
        let _ = std::fs::remove_file(path);
        Ok(octets)
    }
}

/// What a program printed if it ended well, else the last of its complaints that say something.
pub fn printed(program: &str, arguments: &[String], input: &[u8]) -> Result {
    let ran = run(program, arguments, input);
    if ran.good {
        return Ok(ran.out);
    }
    let complaint: Vec<&str> = ran.err.lines().rev().take(3).collect();
    Err(format!("{program}: {}", complaint.join(" / ")))
}
