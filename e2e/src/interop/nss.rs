//! NSS `cmsutil` in the matrix: the library of Thunderbird.

use std::path::Path;

use super::cell::{Content, Encoding, Management, Scheme, Signature, SignedForm, Transport};
use super::peer::{Files, Peer, Result, printed};
use super::people::{KINDS, People, address, name};
use super::wrap::{clear_signed, parts, pkcs7_mime};
use crate::keys::{KeyKind, PASSWORD, shown, words};
use crate::program::run;

/// An NSS key store with all people in it.
#[derive(Debug)]
pub struct Nss {
    files: Files,
}

impl Nss {
    /// Makes the store. A kind of key that NSS does not import has its certificate there alone.
    pub fn new(people: &'static People) -> Self {
        let nss = Self {
            files: Files::new("matrix-nss"),
        };
        nss.tool("certutil", "-N --empty-password", None);
        let root = &people.root.certificate;
        nss.tool("certutil", "-A -n root -t ,C, -a -i", Some(root));
        for kind in KINDS {
            let own = people.of(kind);
            let file = own.pkcs12_named(&people.root, &name(kind));
            if !nss.tool("pk12util", &format!("-W {PASSWORD} -i"), Some(&file)) {
                let line = format!("-A -n {} -t ,, -a -i", name(kind));
                nss.tool("certutil", &line, Some(&own.certificate));
            }
        }
        nss
    }

    fn store(&self) -> [String; 2] {
        ["-d".into(), format!("sql:{}", self.files.path().display())]
    }

    fn tool(&self, program: &str, line: &str, file: Option<&Path>) -> bool {
        let mut arguments = words(line);
        arguments.extend(file.map(shown));
        arguments.extend(self.store());
        run(program, &arguments, b"").good
    }

    fn cmsutil(&self, line: &str, input: &[u8], detached: Option<&[u8]>) -> Result {
        let (input, output) = (self.files.with(input), self.files.fresh());
        let detached = detached.map(|content| self.files.with(content));
        let mut arguments = words(line);
        arguments.extend(["-i".into(), shown(&input), "-o".into(), shown(&output)]);
        arguments.extend(self.store());
        if let Some(content) = &detached {
            arguments.extend(["-c".into(), shown(content)]);
        }
        printed("cmsutil", &arguments, b"")?;
        self.files.take(&output)
    }
}

impl Peer for Nss {
    fn name(&self) -> &'static str {
        "nss"
    }

    fn sign(&self, entity: &[u8], how: &Signature, form: SignedForm, _: Encoding) -> Result {
        if how.scheme == Scheme::Pss && matches!(how.key, KeyKind::Rsa(_)) {
            return Err("cmsutil has no option for RSASSA-PSS".to_owned());
        }
        let digest = how.digest.to_uppercase();
        let line = format!("-S -G -P -H {digest} -N {}", name(how.key));
        Ok(match form {
            SignedForm::Opaque => pkcs7_mime(&self.cmsutil(&line, entity, None)?, "signed-data"),
            SignedForm::Clear => {
                let cms = self.cmsutil(&format!("{line} -T"), entity, None)?;
                clear_signed(entity, &cms)
            }
        })
    }

    fn verify(&self, entity: &[u8], _signer: KeyKind, _: &[&str]) -> Result {
        let parts = parts(entity)?;
        self.cmsutil("-D", &parts.cms, parts.detached.as_deref())
    }

    fn encrypt(&self, entity: &[u8], how: &Management, _: &Content, _: Encoding) -> Result {
        if matches!(how.transport, Transport::Oaep { .. }) {
            return Err("cmsutil has no option for RSAES-OAEP".to_owned());
        }
        let line = format!("-E -r {}", address(how.key));
        Ok(pkcs7_mime(
            &self.cmsutil(&line, entity, None)?,
            "enveloped-data",
        ))
    }

    fn decrypt(&self, entity: &[u8], _own: KeyKind, _: &[&str]) -> Result {
        self.cmsutil("-D", &parts(entity)?.cms, None)
    }
}
