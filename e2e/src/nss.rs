//! The NSS programs `certutil`, `pk12util` and `cmsutil` as a peer: what Thunderbird reads and writes with.

use std::path::PathBuf;

pub use crate::interop::wrap::pkcs7_mime;
use crate::keys::{Identity, PASSWORD, shown, words};
use crate::place::Directory;
use crate::program::{must_run, present, run};

/// An NSS key store.
#[derive(Debug)]
pub struct Nss {
    directory: Directory,
}

impl Nss {
    /// A new store that trusts `root` for mail; `None` if the programs are missing, which is said.
    pub fn new(root: &Identity) -> Option<Self> {
        if !present(&["certutil", "pk12util", "cmsutil"]) {
            return None;
        }
        let nss = Self {
            directory: Directory::new("nss"),
        };
        nss.certutil("-N --empty-password", &[]);
        nss.certutil("-A -n root -t ,C, -a -i", &[shown(&root.certificate)]);
        Some(nss)
    }

    fn store(&self) -> String {
        format!("sql:{}", self.directory.path().display())
    }

    fn certutil(&self, line: &str, more: &[String]) {
        let mut arguments = words(line);
        arguments.extend_from_slice(more);
        arguments.extend(["-d".to_owned(), self.store()]);
        must_run("certutil", &arguments, b"");
    }

    /// Adds a certificate and its key. Its nickname becomes `own`, as [`Identity::pkcs12`] writes it.
    pub fn own(&self, identity: &Identity, issuer: &Identity) {
        let file = identity.pkcs12(issuer);
        let arguments =
            ["-i", &shown(&file), "-W", PASSWORD, "-d", &self.store()].map(str::to_owned);
        must_run("pk12util", &arguments, b"");
    }

    /// Adds somebody else's certificate.
    pub fn other(&self, nickname: &str, identity: &Identity) {
        let line = format!("-A -n {nickname} -t ,, -a -i");
        self.certutil(&line, &[shown(&identity.certificate)]);
    }

    fn cmsutil(&self, line: &str, input: &[u8]) -> Result<Vec<u8>, String> {
        let content: PathBuf = self.directory.file("in", input);
        let mut arguments = words(line);
        arguments.extend(["-d", &self.store(), "-i", &shown(&content)].map(str::to_owned));
        let ran = run("cmsutil", &arguments, b"");
        if ran.good { Ok(ran.out) } else { Err(ran.err) }
    }

    /// Signs an entity with the certificate `own`; gives DER or BER of the SignedData with the content inside.
    pub fn sign(&self, entity: &[u8]) -> Result<Vec<u8>, String> {
        self.cmsutil("-S -G -P -H SHA256 -N own", entity)
    }

    /// Encrypts an entity to the certificate for an address; gives BER of the EnvelopedData.
    pub fn encrypt(&self, entity: &[u8], to: &str) -> Result<Vec<u8>, String> {
        self.cmsutil(&format!("-E -r {to}"), entity)
    }

    /// Decrypts or verifies a CMS object; gives the content.
    pub fn open(&self, cms: &[u8]) -> Result<Vec<u8>, String> {
        self.cmsutil("-D", cms)
    }
}
