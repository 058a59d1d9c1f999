//! `sealgate smime` on files: what it lets in only by switch, how it judges nested layers and revocation, and what it answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Read;
use std::path::{Path, PathBuf};

use e2e::cast::{ALICE, CAROL};
use e2e::gateway::program;
use e2e::keys::{self, Identity, KeyKind, shown, words};
use e2e::place::Directory;
use e2e::program::{Ran, must_run, present, run};
use e2e::revocation::{CURRENT, certificate, crl};
use serde_json::Value;

/// The exit code of the answer "no".
const NO: Option<i32> = Some(3);

struct Files {
    directory: Directory,
    program: String,
    root: Identity,
    message: PathBuf,
}

impl Files {
    fn new(name: &str) -> Option<Self> {
        let program = shown(&program().filter(|_| present(&["openssl"]))?);
        let directory = Directory::new(name);
        let text = format!(
            "From: {ALICE}\r\nTo: {CAROL}\r\nSubject: files\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain\r\n\r\nhello\r\n"
        );
        Some(Self {
            program,
            root: keys::authority(directory.path(), "root"),
            message: directory.file("message.eml", text),
            directory,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn mailbox(&self, kind: KeyKind) -> Identity {
        keys::mailbox(self.directory.path(), &self.root, ALICE, kind)
    }

    /// A certificate for a key on a curve that mailboxes do not get.
    fn on_curve(&self, curve: &str) -> Identity {
        let own = Identity {
            certificate: self.path(&format!("{curve}.pem")),
            key: self.path(&format!("{curve}.key")),
        };
        let line = format!(
            "req -x509 -noenc -sha256 -days 9 -newkey ec -pkeyopt ec_paramgen_curve:{curve} -subj /CN={curve} \
             -addext basicConstraints=critical,CA:false -addext extendedKeyUsage=emailProtection \
             -addext keyUsage=critical,digitalSignature,keyAgreement -addext subjectAltName=email:{ALICE} \
             -CA {} -CAkey {} -out {} -keyout {}",
            shown(&self.root.certificate),
            shown(&self.root.key),
            shown(&own.certificate),
            shown(&own.key)
        );
        must_run("openssl", &words(&line), b"");
        own
    }

    /// `openssl cms` on the message; its entity with a From field is the file `name`.
    fn openssl(&self, name: &str, line: &str) -> PathBuf {
        let line = format!("cms {line} -in {}", shown(&self.message));
        let made = must_run("openssl", &words(&line), b"");
        let from = format!("From: {ALICE}\r\n").into_bytes();
        self.directory.file(name, [from, made].concat())
    }

    fn smime(&self, verb: &str, file: &Path, line: &str) -> Ran {
        let mut arguments = words(&format!("smime {verb}"));
        arguments.push(shown(file));
        arguments.extend(words(line));
        run(&self.program, &arguments, b"")
    }

    fn verify(&self, file: &Path, more: &str) -> (String, Option<i32>) {
        let roots = shown(&self.root.certificate);
        let ran = self.smime("verify", file, &format!("--json --roots {roots} {more}"));
        let answer: Value = serde_json::from_slice(&ran.out).unwrap();
        (answer["verdict"].as_str().unwrap().to_owned(), ran.code)
    }

    fn decrypt(&self, file: &Path, own: &Identity, more: &str) -> Ran {
        self.smime("decrypt", file, &format!("{} {more}", pair(own)))
    }
}

fn pair(own: &Identity) -> String {
    let (certificate, key) = (shown(&own.certificate), shown(&own.key));
    format!("--certificate {certificate} --key {key}")
}

fn holds_hello(octets: &[u8]) -> bool {
    octets.ends_with(b"\r\n\r\nhello\r\n")
}

#[test]
fn brainpool_is_read_by_switch_and_never_made() {
    let Some(files) = Files::new("smime-brainpool") else {
        return;
    };
    for curve in ["brainpoolP256r1", "brainpoolP384r1"] {
        let own = files.on_curve(curve);
        let (certificate, key) = (shown(&own.certificate), shown(&own.key));
        let signed = files.openssl(
            "signed.eml",
            &format!("-sign -md sha384 -signer {certificate} -inkey {key}"),
        );
        assert_eq!(files.verify(&signed, ""), ("unsupported".to_owned(), NO));
        let judged = files.verify(&signed, "--brainpool");
        assert_eq!(judged, ("valid".to_owned(), Some(0)));

        let line = format!("-encrypt -aes256 -recip {certificate} -keyopt ecdh_kdf_md:sha256");
        let encrypted = files.openssl("encrypted.eml", &line);
        assert_eq!(files.decrypt(&encrypted, &own, "").code, NO);
        let ran = files.decrypt(&encrypted, &own, "--brainpool");
        assert!(ran.good && holds_hello(&ran.out), "{}", ran.err);

        let refused = files.smime("encrypt", &files.message, &format!("--to {certificate}"));
        assert_eq!((refused.code, refused.out.len()), (Some(1), 0));
        assert_eq!(
            files.smime("sign", &files.message, &pair(&own)).code,
            Some(1)
        );
    }
}

#[test]
fn triple_des_is_read_by_switch_with_a_note() {
    let Some(files) = Files::new("smime-legacy") else {
        return;
    };
    for kind in [KeyKind::Rsa(2048), KeyKind::P256] {
        let own = files.mailbox(kind);
        let line = format!("-encrypt -des3 -recip {}", shown(&own.certificate));
        let encrypted = files.openssl("encrypted.eml", &line);
        let refused = files.decrypt(&encrypted, &own, "");
        assert_eq!((refused.code, refused.out.len()), (NO, 0));
        let ran = files.decrypt(&encrypted, &own, "--legacy");
        assert!(ran.good && holds_hello(&ran.out), "{}", ran.err);
        assert!(ran.err.contains("note: legacy"), "{}", ran.err);
    }
}

/// A label of OAEP is used as it came, and cofactor Diffie-Hellman is the same as standard one on these curves.
#[test]
fn c13_foreign_parameters_are_used_as_they_came() {
    let Some(files) = Files::new("smime-parameters") else {
        return;
    };
    let oaep =
        "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -keyopt rsa_oaep_label:74657374";
    let cofactor = "-keyopt ecdh_kdf_md:sha512 -keyopt ecdh_cofactor_mode:1";
    for (kind, options) in [(KeyKind::Rsa(2048), oaep), (KeyKind::P384, cofactor)] {
        let own = files.mailbox(kind);
        let line = format!(
            "-encrypt -aes256 -recip {} {options}",
            shown(&own.certificate)
        );
        let ran = files.decrypt(&files.openssl("encrypted.eml", &line), &own, "");
        assert!(ran.good && holds_hello(&ran.out), "{}", ran.err);
    }
}

#[test]
fn layers_are_judged_one_by_one() {
    let Some(files) = Files::new("smime-layers") else {
        return;
    };
    let own = files.mailbox(KeyKind::P256);
    let (signed, encrypted) = (files.path("signed.eml"), files.path("encrypted.eml"));
    let opened = files.path("opened.eml");
    let to = |path: &Path| format!("--output {}", shown(path));
    let ran = files.smime(
        "sign",
        &files.message,
        &format!("{} {}", pair(&own), to(&signed)),
    );
    assert!(ran.good, "{}", ran.err);
    let line = format!("--to {} {}", shown(&own.certificate), to(&encrypted));
    assert!(files.smime("encrypt", &signed, &line).good);

    let roots = format!("--roots {}", shown(&files.root.certificate));
    let ran = files.decrypt(&encrypted, &own, &format!("--json {roots} {}", to(&opened)));
    let answer: Value = serde_json::from_slice(&ran.out).unwrap();
    assert_eq!((ran.code, &answer["verdict"]), (Some(0), &"valid".into()));
    assert_eq!(answer["encryption"], "decrypted-authenticated");
    assert_eq!(answer["layers"][0], "encrypted=decrypted-authenticated");
    assert_eq!(answer["layers"][1], "signed=valid");
    assert_eq!(
        std::fs::read(&opened).unwrap(),
        std::fs::read(&signed).unwrap()
    );

    // Message and JSON never share standard output.
    let mixed = files.decrypt(&encrypted, &own, "--json");
    assert_eq!((mixed.code, mixed.out.len()), (Some(1), 0));
    // A signature nobody vouches for is no answer "no" to who asked for none.
    assert!(files.decrypt(&encrypted, &own, "").good);
    let stranger = keys::authority(files.directory.path(), "stranger");
    let other = format!("--roots {}", shown(&stranger.certificate));
    assert_eq!(files.decrypt(&encrypted, &own, &other).code, NO);

    let content = files.path("content");
    let verified = files.verify(&signed, &to(&content));
    assert_eq!(verified, ("valid".to_owned(), Some(0)));
    assert_eq!(
        std::fs::read(&content).unwrap(),
        b"Content-Type: text/plain\r\n\r\nhello\r\n"
    );
    let later = files.verify(&signed, "--at 2099-01-01T00:00:00Z");
    assert_eq!(later, ("expired".to_owned(), NO));
}

#[test]
fn revocation_is_judged_by_the_files_given() {
    let Some(files) = Files::new("smime-revocation") else {
        return;
    };
    let extensions = format!(
        "basicConstraints = critical, CA:false\nkeyUsage = critical, digitalSignature\n\
         extendedKeyUsage = emailProtection\nsubjectAltName = email:{ALICE}\n\
         crlDistributionPoints = URI:http://crl.example/root.crl\n"
    );
    let own = keys::with_extensions(files.directory.path(), &files.root, "named", &extensions);
    let signed = files.path("signed.eml");
    let line = format!("{} --output {}", pair(&own), shown(&signed));
    assert!(files.smime("sign", &files.message, &line).good);
    assert_eq!(
        files.verify(&signed, ""),
        ("revocation-unknown".to_owned(), NO)
    );
    let certificate = certificate(&own);
    for (serials, verdict, code) in [
        (&[][..], "valid", Some(0)),
        (&[certificate.serial()], "revoked", NO),
    ] {
        let list = files
            .directory
            .file("list.crl", crl(&files.root, serials, 3, CURRENT));
        let judged = files.verify(&signed, &format!("--crl {}", shown(&list)));
        assert_eq!(judged, (verdict.to_owned(), code));
    }
    let bad = format!("--crl {}", shown(&files.message));
    let ran = files.smime("verify", &signed, &bad);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("message.eml"), "{}", ran.err);
}

#[test]
fn what_a_key_cannot_do_is_said() {
    let Some(files) = Files::new("smime-choice") else {
        return;
    };
    let (ec, rsa) = (
        files.mailbox(KeyKind::P384),
        files.mailbox(KeyKind::RsaPss(2048)),
    );
    for (own, options, word) in [
        (&ec, "--digest sha-256", "sha-384"),
        (&ec, "--signature pss", "--signature"),
        (&rsa, "--signature pkcs1", "--signature"),
    ] {
        let ran = files.smime("sign", &files.message, &format!("{} {options}", pair(own)));
        assert_eq!((ran.code, ran.out.len()), (Some(1), 0), "{options}");
        assert!(ran.err.contains(word), "{}", ran.err);
    }
    let to = format!("--to {}", shown(&rsa.certificate));
    assert_eq!(files.smime("encrypt", &files.message, &to).code, Some(1));
    let ran = files.smime(
        "sign",
        &files.message,
        &format!("{} --profile other", pair(&ec)),
    );
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("edi-energy"), "{}", ran.err);
}

/// Rows G3 and G4: of what was encrypted only Content-* stands in the header of what comes out; what does not come out is
/// judged in JSON all the same. What is binary inside keeps its octets (RFC 8551 section 3.1.2).
#[test]
fn g3_what_was_inside_writes_no_fields() {
    let Some(files) = Files::new("smime-inside") else {
        return;
    };
    let own = files.mailbox(KeyKind::Rsa(2048));
    let octets: Vec<u8> = (0..=255).chain(*b"\r\n.\n\r").collect();
    let head = "From: boss@x.example\r\nSubject: inside\r\nBcc: b@x.example\r\nX-Sealgate-Result: signature=valid\r\n\
                Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    let inside = files
        .directory
        .file("inside.eml", [head.as_bytes(), &octets].concat());
    let line = format!(
        "cms -encrypt -binary -aes256 -recip {} -in {}",
        shown(&own.certificate),
        shown(&inside)
    );
    let made = must_run("openssl", &words(&line), b"");
    let from = format!("From: {ALICE}\r\nSubject: outside\r\n").into_bytes();
    let encrypted = files.directory.file("encrypted.eml", [from, made].concat());
    let out = files.path("out.eml");
    let json = format!("--json --output {}", shown(&out));
    assert!(files.decrypt(&encrypted, &own, &json).good);
    let raw = std::fs::read(&out).unwrap();
    let message = sealgate_mail::Message::read(&raw).unwrap();
    let names: Vec<&str> = message
        .header()
        .fields()
        .map(|field| field.name())
        .collect();
    let expected = "From Subject MIME-Version Content-Type Content-Transfer-Encoding";
    assert_eq!(names.join(" "), expected);
    assert_eq!(message.subject().as_deref(), Some("outside"));
    let mut decoded = Vec::new();
    let part = message.structure().unwrap();
    part.decoded(&raw)
        .unwrap()
        .read_to_end(&mut decoded)
        .unwrap();
    assert_eq!(decoded, octets);

    let other = files.mailbox(KeyKind::P256);
    let ran = files.decrypt(&encrypted, &other, &json);
    assert_eq!(ran.code, NO);
    let answer: Value = serde_json::from_slice(&ran.out).unwrap();
    assert_eq!(answer["encryption"], "no-key");
}

/// PEM files are imported as PKCS#12 files are: as OpenSSL writes them, with a password and without.
#[test]
fn pem_files_are_imported_too() {
    let Some(files) = Files::new("smime-pem") else {
        return;
    };
    for (kind, old) in [(KeyKind::Rsa(2048), "rsa"), (KeyKind::P256, "ec")] {
        let own = files.mailbox(kind);
        let certificate = std::fs::read(&own.certificate).unwrap();
        let key = shown(&own.key);
        for (line, password) in [
            (format!("pkcs8 -topk8 -nocrypt -in {key}"), ""),
            (
                format!("pkcs8 -topk8 -v2 aes256 -passout pass:secret -in {key}"),
                "secret",
            ),
            (
                format!("pkcs8 -topk8 -v1 PBE-SHA1-3DES -passout pass:secret -in {key}"),
                "secret",
            ),
            (format!("pkcs8 -topk8 -nocrypt -in {key}"), "secret"),
            (
                format!(
                    "{old} {} -in {key}",
                    if old == "rsa" { "-traditional" } else { "" }
                ),
                "",
            ),
        ] {
            let secret = must_run("openssl", &words(&line), b"");
            let both = [secret, certificate.clone()].concat();
            let file = shown(&files.directory.file("both.pem", both));
            let options = format!("--pkcs12 {file} --password={password}");
            let ran = files.smime("sign", &files.message, &options);
            assert!(ran.good, "{line}: {}", ran.err);
            let wrong = format!("--pkcs12 {file} --password=wrong");
            let ran = files.smime("sign", &files.message, &wrong);
            let locked = line.contains("-passout");
            assert_eq!(ran.good, !locked, "{line}: {}", ran.err);
        }
    }
}
