//! The people of RFC 9216 write to each other, with `openssl` and with us: Alice and Bob with RSA, Carlos and Dana with
//! Ed25519 and X25519, each with one certificate to sign and one to decrypt.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use e2e::interop::matrix;
use e2e::interop::ours::{Program, own, without_version};
use e2e::keys::{Identity, shown};
use e2e::mime;
use e2e::openssl::{self, Writing};
use e2e::place::{skip, workspace};
use e2e::program::{present, run};

/// Who writes to whom, and the authority of both.
const LETTERS: [(&str, &str, &str); 4] = [
    ("alice", "bob", "ca.rsa"),
    ("bob", "alice", "ca.rsa"),
    ("carlos", "dana", "ca.25519"),
    ("dana", "carlos", "ca.25519"),
];

fn corpus() -> Option<PathBuf> {
    let directory = workspace().join("../shared/corpus/rfc9216");
    if !directory.is_dir() {
        skip(&format!("no test data in {}", directory.display()));
        return None;
    }
    Some(directory)
}

struct People(PathBuf);

impl People {
    fn all() -> Option<(Self, Program)> {
        if !present(&["openssl"]) {
            return None;
        }
        Some((Self(corpus()?), Program::new("rfc9216")?))
    }

    fn one(&self, name: &str, usage: &str) -> Identity {
        let file = |extension| self.0.join(format!("{name}.{usage}.{extension}"));
        Identity {
            certificate: file("crt"),
            key: file("key"),
        }
    }

    fn root(&self, authority: &str) -> PathBuf {
        self.0.join(format!("{authority}.crt"))
    }
}

fn address(name: &str) -> String {
    format!("{name}@smime.example")
}

/// Signs and encrypts with us: the entity that is sent.
fn ours_write(people: &People, program: &Program, from: &str, to: &str) -> Vec<u8> {
    let signer = own(&people.one(from, "sign"));
    let signed = program
        .smime("sign", &address(from), &matrix::entity(), signer)
        .unwrap();
    let certificate = shown(&people.one(to, "encrypt").certificate);
    let recipient = vec!["--to".to_owned(), certificate];
    let sent = program
        .smime("encrypt", &address(from), &mime::entity(&signed), recipient)
        .unwrap();
    mime::entity(&sent)
}

/// Decrypts and verifies with us: the entity that was signed.
fn ours_read(
    people: &People,
    program: &Program,
    letter: (&str, &str, &str),
    sent: &[u8],
) -> Vec<u8> {
    let (from, to, authority) = letter;
    let recipient = own(&people.one(to, "encrypt"));
    let opened = program
        .smime("decrypt", &address(from), sent, recipient)
        .unwrap();
    let roots = vec!["--roots".to_owned(), shown(&people.root(authority))];
    program
        .smime("verify", &address(from), &without_version(&opened), roots)
        .unwrap()
}

#[test]
fn we_write_and_read() {
    let Some((people, program)) = People::all() else {
        return;
    };
    for letter in LETTERS {
        let sent = ours_write(&people, &program, letter.0, letter.1);
        let read = ours_read(&people, &program, letter, &sent);
        assert!(read == matrix::entity(), "{letter:?}");
    }
}

#[test]
fn pkcs12_files_open_what_is_sent() {
    let Some((people, program)) = People::all() else {
        return;
    };
    for (from, to, _) in LETTERS {
        let sent = ours_write(&people, &program, from, to);
        let file = shown(&people.0.join(format!("{to}.p12")));
        let keys = ["--pkcs12", &file, "--password", to].map(str::to_owned);
        let opened = program.smime("decrypt", &address(from), &sent, keys.into());
        assert!(opened.is_ok(), "{to}: {opened:?}");
    }
}

/// OpenSSL 3.0 has neither Ed25519 nor X25519 in CMS: see `openssl_cannot_write_for_carlos_and_dana`.
const WITH_OPENSSL: usize = 2;

#[test]
fn openssl_writes_and_we_read() {
    let Some((people, program)) = People::all() else {
        return;
    };
    for letter in LETTERS.into_iter().take(WITH_OPENSSL) {
        for (opaque, writing) in [(false, Writing::Der), (true, Writing::Stream)] {
            let (signer, recipient) = (
                people.one(letter.0, "sign"),
                people.one(letter.1, "encrypt"),
            );
            let signed = openssl::sign(&matrix::entity(), &signer, None, opaque, writing);
            let to = [recipient.certificate.as_path()];
            let sent = openssl::encrypt(&signed, &to, "aes-256-cbc", writing);
            let read = ours_read(&people, &program, letter, &sent);
            assert!(read == matrix::entity(), "{letter:?} {writing:?}");
        }
    }
}

#[test]
fn we_write_and_openssl_reads() {
    let Some((people, program)) = People::all() else {
        return;
    };
    for (from, to, authority) in LETTERS.into_iter().take(WITH_OPENSSL) {
        let sent = ours_write(&people, &program, from, to);
        let signed = openssl::decrypt(&sent, &people.one(to, "encrypt")).unwrap();
        let read = openssl::verify(&signed, &people.root(authority), &address(from));
        assert!(
            read.as_ref() == Ok(&matrix::entity()),
            "{from}: {:?}",
            read.err()
        );
    }
}

#[test]
fn openssl_cannot_write_for_carlos_and_dana() {
    let Some((people, _)) = People::all() else {
        return;
    };
    for (from, to, _) in LETTERS.into_iter().skip(WITH_OPENSSL) {
        let signer = people.one(from, "sign");
        let sign = [
            "cms",
            "-sign",
            "-md",
            "sha512",
            "-signer",
            &shown(&signer.certificate),
            "-inkey",
        ]
        .map(str::to_owned);
        let signed = run(
            "openssl",
            &[&sign[..], &[shown(&signer.key)]].concat(),
            b"x\r\n",
        );
        let recipient = shown(&people.one(to, "encrypt").certificate);
        let encrypted = run(
            "openssl",
            &["cms", "-encrypt", "-aes256", &recipient],
            b"x\r\n",
        );
        assert!(
            !signed.good && !encrypted.good,
            "openssl can do more: extend WITH_OPENSSL"
        );
    }
}
