//! The interop matrix: every algorithm, form and encoding, both ways, with each peer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use e2e::interop::bouncy_castle::BouncyCastle;
use e2e::interop::cell::{Cell, Direction, Encoding, Layers, SIGNATURES, SignedForm};
use e2e::interop::gpgsm::Gpgsm;
use e2e::interop::matrix::{Parties, entity, read, run, written};
use e2e::interop::nss::Nss;
use e2e::interop::openssl::OpenSsl;
use e2e::interop::ours::Sealgate;
use e2e::interop::peer::Peer;
use e2e::interop::people::People;
use e2e::interop::wrap::{clear_signed, parts, pkcs7_mime};
use e2e::mime::find;
use e2e::program::present;

/// Lines of failing cells that are printed.
const SHOWN: usize = 40;

fn matrix(peer: &dyn Peer) {
    let people = People::all();
    let Some(ours) = Sealgate::new(people) else {
        return;
    };
    refuses_changes(&ours, &OpenSsl(people));
    refuses_changes(peer, &OpenSsl(people));
    let run = run(Parties {
        ours: &ours,
        peer,
        reference: &OpenSsl(people),
    });
    let (name, passed, skipped) = (run.peer, run.passed(), run.skipped());
    println!("interop: {name}: {passed} passed, {skipped} skipped");
    let failures = run.failures();
    let shown: Vec<&str> = failures.iter().take(SHOWN).map(String::as_str).collect();
    assert!(
        failures.is_empty(),
        "{} cells failed:\n{}",
        failures.len(),
        shown.join("\n")
    );
    assert_eq!(run.check_page(), Ok(()));
}

/// A judge that calls everything good would pass every cell: each must refuse a changed content, and a signer that nobody vouches for.
fn refuses_changes(reader: &dyn Peer, writer: &OpenSsl) {
    let layers = [
        Layers::Signed(SignedForm::Clear, SIGNATURES[0]),
        Layers::Signed(SignedForm::Opaque, SIGNATURES[0]),
    ];
    for layers in layers {
        let cell = Cell {
            direction: Direction::Read,
            layers,
            encoding: Encoding::Der,
        };
        let good = written(&cell, writer, &entity()).unwrap();
        assert_eq!(
            read(&cell, reader, &good),
            Ok(entity()),
            "{}",
            reader.name()
        );
        let refused = read(&cell, reader, &changed(&good));
        assert!(
            refused.is_err(),
            "{} reads a changed {layers}",
            reader.name()
        );
        let foreign = written(&cell, &OpenSsl(People::strangers()), &entity()).unwrap();
        let refused = read(&cell, reader, &foreign);
        assert!(
            refused.is_err(),
            "{} trusts anybody: {layers}",
            reader.name()
        );
    }
}

/// The same entity with one letter of the signed content changed.
fn changed(signed: &[u8]) -> Vec<u8> {
    let parts = parts(signed).unwrap();
    let (mut cms, mut detached) = (parts.cms, parts.detached);
    let inside = detached.as_mut().unwrap_or(&mut cms);
    let at = find(inside, b"lines came before").unwrap();
    inside[at] ^= 1;
    match detached {
        Some(content) => clear_signed(&content, &cms),
        None => pkcs7_mime(&cms, "signed-data"),
    }
}

#[test]
fn openssl() {
    if present(&["openssl"]) {
        matrix(&OpenSsl(People::all()));
    }
}

#[test]
fn nss() {
    if present(&["openssl", "certutil", "pk12util", "cmsutil"]) {
        matrix(&Nss::new(People::all()));
    }
}

#[test]
fn gpgsm() {
    if present(&["openssl", "gpgsm", "gpgconf"]) {
        matrix(&Gpgsm::new(People::all()));
    }
}

#[test]
fn bouncy_castle() {
    if !present(&["openssl", "java"]) {
        return;
    }
    if let Some(peer) = BouncyCastle::new(People::all()) {
        matrix(&peer);
    }
}
