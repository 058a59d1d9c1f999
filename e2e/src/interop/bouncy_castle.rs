//! Bouncy Castle in the matrix: one Java process that answers requests, from `e2e/interop/Peer.java`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use super::cell::{Content, Encoding, Management, Scheme, Signature, SignedForm, Transport};
use super::peer::{Peer, Result};
use super::people::{People, name};
use super::wrap::{base64_line, clear_signed, parts, pkcs7_mime, unbase64};
use crate::keys::{KeyKind, shown};
use crate::place::{skip, workspace};

/// Where Debian installs Java libraries, and those of Bouncy Castle.
const JARS: [&str; 3] = [
    "/usr/share/java/bcprov.jar",
    "/usr/share/java/bcpkix.jar",
    "/usr/share/java/bcutil.jar",
];

/// The running process.
#[derive(Debug)]
pub struct BouncyCastle {
    process: Mutex<Process>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl BouncyCastle {
    /// Starts it; `None` if its libraries are missing, which is said.
    pub fn new(people: &'static People) -> Option<Self> {
        if let Some(missing) = JARS.iter().find(|jar| !Path::new(jar).is_file()) {
            skip(&format!("not installed: {missing}"));
            return None;
        }
        let source = workspace().join("e2e/interop/Peer.java");
        let mut child = Command::new("java")
            .args(["-cp", &JARS.join(":"), &shown(&source)])
            .arg(people.directory())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let process = Process {
            requests: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        Some(Self {
            process: Mutex::new(process),
        })
    }

    fn ask(&self, words: &[&str], octets: &[u8]) -> Result {
        let mut process = self.process.lock().unwrap();
        let request = format!("{}\t{}\n", words.join("\t"), base64_line(octets));
        process.requests.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        process.answers.read_line(&mut answer).unwrap();
        match answer.trim_end().split_once('\t') {
            Some(("ok", octets)) => unbase64(octets.as_bytes()),
            Some((_, reason)) => Err(reason.to_owned()),
            None => Err(format!("not an answer: {answer}")),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn der(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Der => "der",
        Encoding::Ber => "ber",
    }
}

/// The digest as the library calls it: `sha256` is `SHA-256`.
fn dashed(digest: &str) -> String {
    digest.replace("sha", "SHA-")
}

fn signature_name(how: &Signature) -> String {
    let digest = how.digest.to_uppercase();
    match how.scheme {
        Scheme::Pkcs1 => format!("{digest}withRSA"),
        Scheme::Pss => format!("{digest}withRSAandMGF1"),
        Scheme::Ecdsa => format!("{digest}withECDSA"),
        Scheme::EdDsa => "Ed25519".to_owned(),
    }
}

fn transport_name(how: &Management) -> String {
    match how.transport {
        Transport::Pkcs1 => "pkcs1".to_owned(),
        Transport::Oaep { digest, mask } => format!("oaep:{}:{}", dashed(digest), dashed(mask)),
        Transport::Agreement { .. } => format!("agree:{}", how.oid()),
    }
}

/// The key wrap with a key as long as the content's. X25519 goes with AES alone (RFC 8418 section 2.2).
fn wrap_oid(how: &Management, content: &Content) -> &'static str {
    match content.name {
        "aes-128-cbc" | "aes-128-gcm" => "2.16.840.1.101.3.4.1.5",
        "aes-192-cbc" | "aes-192-gcm" => "2.16.840.1.101.3.4.1.25",
        "des3" if how.key != KeyKind::X25519 => "1.2.840.113549.1.9.16.3.6",
        _ => "2.16.840.1.101.3.4.1.45",
    }
}

impl Peer for BouncyCastle {
    fn name(&self) -> &'static str {
        "bouncy-castle"
    }

    fn sign(&self, entity: &[u8], how: &Signature, form: SignedForm, encoding: Encoding) -> Result {
        let (key, algorithm) = (name(how.key), signature_name(how));
        let made = |form| self.ask(&["sign", &key, &algorithm, form, der(encoding)], entity);
        Ok(match form {
            SignedForm::Clear => clear_signed(entity, &made("clear")?),
            SignedForm::Opaque => pkcs7_mime(&made("opaque")?, "signed-data"),
        })
    }

    fn verify(&self, entity: &[u8], _signer: KeyKind, _: &[&str]) -> Result {
        let parts = parts(entity)?;
        let detached = base64_line(parts.detached.as_deref().unwrap_or_default());
        self.ask(&["verify", &detached], &parts.cms)
    }

    fn encrypt(
        &self,
        entity: &[u8],
        how: &Management,
        content: &Content,
        encoding: Encoding,
    ) -> Result {
        let (key, scheme) = (name(how.key), transport_name(how));
        let words = [
            "encrypt",
            &key,
            &scheme,
            content.oid,
            wrap_oid(how, content),
            der(encoding),
        ];
        let smime_type = if content.authenticated {
            "authEnveloped-data"
        } else {
            "enveloped-data"
        };
        Ok(pkcs7_mime(&self.ask(&words, entity)?, smime_type))
    }

    fn decrypt(&self, entity: &[u8], own: KeyKind, _: &[&str]) -> Result {
        self.ask(&["decrypt", &name(own)], &parts(entity)?.cms)
    }
}
