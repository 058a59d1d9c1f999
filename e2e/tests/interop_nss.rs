//! NSS `cmsutil`, the library behind Thunderbird, as a peer in both directions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use e2e::cast::{ALICE, CAROL, Cast};
use e2e::gateway::{Options, program};
use e2e::keys::KeyKind;
use e2e::mime::{Form, entity, fields, find, form, split, with_entity};
use e2e::nss::{Nss, pkcs7_mime};
use e2e::program::{must_run, present};
use e2e::scene::{Scene, correspondent, rule};

const OUT: &[u8] = b"From: Alice <alice@example.com>\r\nTo: carol@partner.example\r\nSubject: out\r\nMessage-ID: <out@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nhello carol\r\n";
const IN: &[u8] = b"From: Carol <carol@partner.example>\r\nTo: alice@example.com\r\nSubject: in\r\nMessage-ID: <in@partner.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nhello alice\r\n";

/// NSS as carol's program, and the cast; `None` if something is missing.
fn carols(kind: KeyKind) -> Option<(Nss, &'static Cast)> {
    if program().is_none() || !present(&["openssl"]) {
        return None;
    }
    let cast = Cast::with(kind);
    let nss = Nss::new(&cast.partner_authority)?;
    nss.own(&cast.carol, &cast.partner_authority);
    nss.other("alice", &cast.alice);
    Some((nss, cast))
}

#[test]
fn signed_by_nss_is_verified_and_harvested() {
    for kind in KeyKind::BOTH {
        let Some((nss, cast)) = carols(kind) else {
            return;
        };
        let scene = Scene::new(
            "nss-signed",
            &Options::default(),
            cast,
            &rule("optional", "enforce"),
        )
        .unwrap();
        let cms = nss.sign(&entity(IN)).unwrap();
        assert_eq!(
            scene
                .mail_in(&with_entity(IN, &pkcs7_mime(&cms, "signed-data")))
                .code,
            250
        );
        let arrived = scene.at_office().content;
        let results = fields(&arrived, "Authentication-Results");
        assert!(
            results.iter().any(|one| one.contains("smime=pass")),
            "{kind:?}: {results:?}"
        );
        assert_eq!(
            scene.mail_out(OUT).code,
            250,
            "{kind:?}: the key was not learned"
        );
    }
}

/// `cmsutil` of NSS 3.87 knows no key agreement: it neither encrypts to a key on a curve nor decrypts with one.
const ENCRYPTION: KeyKind = KeyKind::Rsa(2048);

#[test]
fn encrypted_by_nss_is_decrypted() {
    let Some((nss, cast)) = carols(ENCRYPTION) else {
        return;
    };
    let scene = Scene::new(
        "nss-encrypted",
        &Options::default(),
        cast,
        &rule("enforce", "neither"),
    )
    .unwrap();
    let cms = nss.encrypt(&entity(IN), ALICE).unwrap();
    assert_eq!(
        scene
            .mail_in(&with_entity(IN, &pkcs7_mime(&cms, "enveloped-data")))
            .code,
        250
    );
    let arrived = scene.at_office().content;
    assert_eq!(form(&arrived), Form::Plain);
    assert_eq!(split(&arrived).1, split(IN).1);
}

#[test]
fn nss_reads_what_we_encrypt() {
    let Some((nss, cast)) = carols(ENCRYPTION) else {
        return;
    };
    let more = rule("optional", "enforce") + &correspondent(cast, CAROL);
    let scene = Scene::new("nss-reads", &Options::default(), cast, &more).unwrap();
    assert_eq!(scene.mail_out(OUT).code, 250);
    let arrived = scene.at_internet().content;
    let base64 = split(&arrived).1.to_vec();
    let cms = must_run("openssl", &["base64", "-d"], &base64);
    let opened = nss.open(&cms).unwrap();
    assert!(find(&opened, b"hello carol\r\n").is_some());
}
