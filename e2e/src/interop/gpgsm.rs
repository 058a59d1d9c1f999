//! GnuPG's `gpgsm` in the matrix.

use std::path::Path;

use super::cell::{Content, Encoding, Management, Scheme, Signature, SignedForm, Transport};
use super::peer::{Files, Peer, Result, printed};
use super::people::{KINDS, People, address};
use super::wrap::{clear_signed, parts, pkcs7_mime};
use crate::keys::{Identity, KeyKind, shown, words};
use crate::program::{must_run, run};

/// No CRLs are asked for, nobody is asked for anything.
const SETTINGS: &str = "disable-dirmngr\ndisable-crl-checks\ndisable-trusted-cert-crl-check\n\
    disable-policy-checks\nbatch\nno-tty\nno-greeting\n";

/// A home directory of GnuPG with all people in it, and the agent that runs for it.
#[derive(Debug)]
pub struct Gpgsm {
    home: Files,
    /// The keygrip of each kind of key: it names one certificate, where an address may name those of strangers as well.
    grips: Vec<(KeyKind, String)>,
}

impl Gpgsm {
    /// Makes the home directory.
    pub fn new(people: &'static People) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let mut gpgsm = Self {
            home: Files::new("gpgsm"),
            grips: Vec::new(),
        };
        let home = gpgsm.home.path();
        std::fs::set_permissions(home, PermissionsExt::from_mode(0o700)).unwrap();
        std::fs::write(home.join("gpgsm.conf"), SETTINGS).unwrap();
        std::fs::write(home.join("trustlist.txt"), trusted(&people.root)).unwrap();
        std::fs::create_dir(home.join("private-keys-v1.d")).unwrap();
        gpgsm.import(&people.root);
        for kind in KINDS {
            let own = people.of(kind);
            gpgsm.import(own);
            let grip = gpgsm.keygrip(kind);
            if let Some(key) = private_key(kind, &own.key) {
                let file = gpgsm
                    .home
                    .path()
                    .join(format!("private-keys-v1.d/{grip}.key"));
                std::fs::write(file, key).unwrap();
            }
            gpgsm.grips.push((kind, grip));
        }
        gpgsm
    }

    fn arguments(&self, line: &str, more: &[String]) -> Vec<String> {
        let mut arguments = vec!["--homedir".into(), shown(self.home.path()), "--yes".into()];
        arguments.extend(words(line));
        arguments.extend_from_slice(more);
        arguments
    }

    fn import(&self, identity: &Identity) {
        let file = shown(&identity.certificate);
        must_run("gpgsm", &self.arguments("--import", &[file]), b"");
    }

    /// How a key is named on the command line.
    fn user(&self, kind: KeyKind) -> String {
        let found = self.grips.iter().find(|(known, _)| *known == kind);
        format!("&{}", found.expect("a kind of the matrix").1)
    }

    /// A hash of the public half of a key, which also names the file of its private half.
    fn keygrip(&self, kind: KeyKind) -> String {
        let line = "--with-colons --with-keygrip --list-keys";
        let listed = must_run("gpgsm", &self.arguments(line, &[address(kind)]), b"");
        let listed = String::from_utf8(listed).unwrap();
        let grip = listed.lines().find(|line| line.starts_with("grp:"));
        grip.and_then(|line| line.split(':').nth(9)).unwrap().into()
    }

    fn with_output(&self, line: &str, more: &[String]) -> Result {
        let output = self.home.fresh();
        let mut arguments = self.arguments("--output", &[shown(&output)]);
        arguments.extend(words(line));
        arguments.extend_from_slice(more);
        printed("gpgsm", &arguments, b"")?;
        self.home.take(&output)
    }
}

impl Drop for Gpgsm {
    fn drop(&mut self) {
        let arguments = ["--homedir", &shown(self.home.path()), "--kill", "all"];
        run("gpgconf", &arguments, b"");
    }
}

/// The list of trusted roots: the certificate's SHA-1 fingerprint.
fn trusted(root: &Identity) -> String {
    let mut arguments = words("x509 -noout -fingerprint -sha1 -in");
    arguments.push(shown(&root.certificate));
    let printed = String::from_utf8(must_run("openssl", &arguments, b"")).unwrap();
    let (_, fingerprint) = printed.trim().split_once('=').unwrap();
    format!("{fingerprint} S relax\n")
}

/// A private key as the agent stores it, without a password; none for the kinds it does not know.
fn private_key(kind: KeyKind, file: &Path) -> Option<String> {
    let mut arguments = words("pkey -noout -text -in");
    arguments.push(shown(file));
    let text = String::from_utf8(must_run("openssl", &arguments, b"")).unwrap();
    let number = |label: &str| hexadecimal(&text, label);
    let key = match kind {
        // The agent wants p below q, and the inverse of p modulo q; `openssl` prints them the other way round.
        KeyKind::Rsa(_) => format!(
            "(rsa (n #{}#)(e #010001#)(d #{}#)(p #{}#)(q #{}#)(u #{}#))",
            number("modulus:"),
            number("privateExponent:"),
            number("prime2:"),
            number("prime1:"),
            number("coefficient:")
        ),
        KeyKind::P256
        | KeyKind::P384
        | KeyKind::P521
        | KeyKind::BrainpoolP256
        | KeyKind::BrainpoolP384 => format!(
            "(ecc (curve \"{}\")(q #{}#)(d #{}#))",
            curve(kind),
            number("pub:"),
            number("priv:")
        ),
        KeyKind::RsaPss(_) | KeyKind::Ed25519 | KeyKind::X25519 => return None,
    };
    Some(format!("Key: (private-key {key})\n"))
}

fn curve(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::P256 => "NIST P-256",
        KeyKind::P384 => "NIST P-384",
        KeyKind::P521 => "NIST P-521",
        KeyKind::BrainpoolP256 => "brainpoolP256r1",
        KeyKind::BrainpoolP384 => "brainpoolP384r1",
        _ => panic!("{kind:?} is on no such curve"),
    }
}

/// The octets printed in lines below a label.
fn hexadecimal(text: &str, label: &str) -> String {
    text.lines()
        .skip_while(|line| *line != label)
        .skip(1)
        .take_while(|line| line.starts_with(' '))
        .flat_map(|line| line.chars().filter(char::is_ascii_hexdigit))
        .collect()
}

impl Peer for Gpgsm {
    fn name(&self) -> &'static str {
        "gpgsm"
    }

    fn sign(&self, entity: &[u8], how: &Signature, form: SignedForm, _: Encoding) -> Result {
        if how.scheme == Scheme::Pss && matches!(how.key, KeyKind::Rsa(_)) {
            return Err("gpgsm has no option for RSASSA-PSS".to_owned());
        }
        let input = shown(&self.home.with(entity));
        let digest = how.digest.to_uppercase();
        let signed = |verb| {
            let line = format!("--digest-algo {digest} -u {} {verb}", self.user(how.key));
            self.with_output(&line, std::slice::from_ref(&input))
        };
        Ok(match form {
            SignedForm::Opaque => pkcs7_mime(&signed("--sign")?, "signed-data"),
            SignedForm::Clear => clear_signed(entity, &signed("--detach-sign")?),
        })
    }

    fn verify(&self, entity: &[u8], _signer: KeyKind, _: &[&str]) -> Result {
        let parts = parts(entity)?;
        let cms = shown(&self.home.with(&parts.cms));
        let Some(content) = parts.detached else {
            return self.with_output("--verify", &[cms]);
        };
        let file = shown(&self.home.with(&content));
        printed("gpgsm", &self.arguments("--verify", &[cms, file]), b"")?;
        Ok(content)
    }

    fn encrypt(&self, entity: &[u8], how: &Management, content: &Content, _: Encoding) -> Result {
        if matches!(how.transport, Transport::Oaep { .. }) {
            return Err("gpgsm has no option for RSAES-OAEP".to_owned());
        }
        let cipher = match content.name {
            "aes-128-cbc" => "AES",
            "aes-192-cbc" => "AES192",
            "aes-256-cbc" => "AES256",
            "des3" => "3DES",
            other => return Err(format!("gpgsm has no option for {other}")),
        };
        let line = format!(
            "--cipher-algo {cipher} --recipient {} --encrypt",
            self.user(how.key)
        );
        let cms = self.with_output(&line, &[shown(&self.home.with(entity))])?;
        Ok(pkcs7_mime(&cms, "enveloped-data"))
    }

    fn decrypt(&self, entity: &[u8], _own: KeyKind, _: &[&str]) -> Result {
        let cms = shown(&self.home.with(&parts(entity)?.cms));
        self.with_output("--decrypt", &[cms])
    }
}
