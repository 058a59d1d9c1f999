//! What `openssl cms` may write beside the plain cells of the matrix: other ways to name signer and recipient, attributes left out or
//! added, recipients of kinds we have no key for. And several recipients in what we write.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use e2e::interop::cell::{Encoding, SIGNATURES, SignedForm};
use e2e::interop::matrix::entity;
use e2e::interop::openssl::OpenSsl;
use e2e::interop::ours::{Program, Sealgate, own, without_version};
use e2e::interop::peer::Peer;
use e2e::interop::people::{People, address};
use e2e::keys::{Identity, KeyKind, shown, words};
use e2e::mime;
use e2e::openssl::crlf;
use e2e::program::{must_run, present};

/// The keys every variant runs with.
const KEYS: [KeyKind; 2] = [KeyKind::Rsa(2048), KeyKind::P256];

/// Options of `openssl cms -sign`, and what they are about.
const SIGNED: [(&str, &str); 7] = [
    ("-keyid", "signer named by its subject key identifier"),
    ("-noattr", "no signed attributes"),
    ("-noattr -keyid", "both"),
    ("-nosmimecap", "no capabilities"),
    ("-cades", "signingCertificateV2"),
    (
        "-receipt_request_to a@example.com",
        "a signed attribute we do not know",
    ),
    (
        "-econtent_type 1.2.840.113549.1.7.1",
        "the content type by its number",
    ),
];

/// Options of `openssl cms -encrypt`, and what they are about.
const ENVELOPED: [(&str, &str); 7] = [
    (
        "-aes-128-cbc -keyid",
        "recipients named by their subject key identifiers",
    ),
    ("-aes-256-gcm -keyid", "the same, authenticated"),
    (
        "-aes-128-cbc -secretkey 000102030405060708090A0B0C0D0E0F -secretkeyid 01",
        "a KEKRecipientInfo beside ours",
    ),
    (
        "-aes-256-gcm -secretkey 000102030405060708090A0B0C0D0E0F -secretkeyid 01",
        "the same, authenticated",
    ),
    (
        "-aes-128-cbc -pwri_password secret",
        "a PasswordRecipientInfo beside ours",
    ),
    (
        "-aes-128-cbc -aes256-wrap",
        "a longer key to wrap with than to encrypt with",
    ),
    ("-aes-256-gcm -aes128-wrap", "a shorter one"),
];

fn parties() -> Option<(&'static People, Sealgate)> {
    if !present(&["openssl"]) {
        return None;
    }
    let people = People::all();
    Some((people, Sealgate::new(people)?))
}

fn cms(verb: &str, options: &str, more: &[String], input: &[u8]) -> Vec<u8> {
    let mut arguments = words(&format!("cms {verb} -crlfeol {options}"));
    arguments.extend_from_slice(more);
    crlf(&must_run("openssl", &arguments, input))
}

#[test]
fn signatures_in_all_variants_are_valid() {
    let Some((people, ours)) = parties() else {
        return;
    };
    for key in KEYS {
        let own = people.of(key);
        let signer = [
            "-signer".to_owned(),
            shown(&own.certificate),
            "-inkey".to_owned(),
            shown(&own.key),
        ];
        for (options, about) in SIGNED {
            for form in ["", "-nodetach"] {
                let signed = cms("-sign", &format!("{form} {options}"), &signer, &entity());
                let read = ours.verify(&signed, key, &[]);
                assert!(
                    read == Ok(entity()),
                    "{key:?} {form} {about}: {:?}",
                    read.err()
                );
            }
        }
    }
}

#[test]
fn envelopes_in_all_variants_are_opened() {
    let Some((people, ours)) = parties() else {
        return;
    };
    for key in KEYS {
        let others = KEYS.into_iter().filter(|other| *other != key);
        // Ours comes last, so that it must be looked for.
        let to: Vec<String> = others
            .chain([key])
            .flat_map(|kind| ["-recip".to_owned(), shown(&people.of(kind).certificate)])
            .collect();
        for (options, about) in ENVELOPED {
            let sent = cms("-encrypt", options, &to, &entity());
            let read = ours.decrypt(&sent, key, &[]);
            assert!(read == Ok(entity()), "{key:?} {about}: {:?}", read.err());
        }
    }
}

#[test]
fn two_signers_must_both_verify() {
    let Some((people, ours)) = parties() else {
        return;
    };
    let signers: Vec<String> = KEYS
        .into_iter()
        .flat_map(|kind| {
            let own = people.of(kind);
            [
                "-signer".to_owned(),
                shown(&own.certificate),
                "-inkey".to_owned(),
                shown(&own.key),
            ]
        })
        .collect();
    let signed = cms("-sign", "", &signers, &entity());
    for from in KEYS {
        let read = ours.verify(&signed, from, &[]);
        assert!(read == Ok(entity()), "{from:?}: {:?}", read.err());
    }
}

#[test]
fn every_recipient_opens_what_we_write() {
    let Some((people, _)) = parties() else {
        return;
    };
    let program = Program::new("variants").unwrap();
    let kinds = [
        KeyKind::Rsa(2048),
        KeyKind::Rsa(3072),
        KeyKind::P256,
        KeyKind::P384,
        KeyKind::P521,
    ];
    let to = kinds
        .iter()
        .flat_map(|kind| ["--to".to_owned(), shown(&people.of(*kind).certificate)]);
    let from = address(kinds[0]);
    let sent = program
        .smime("encrypt", &from, &entity(), to.collect())
        .unwrap();
    for kind in kinds {
        let read = OpenSsl(people).decrypt(&mime::entity(&sent), kind, &[]);
        assert!(read == Ok(entity()), "{kind:?}: {:?}", read.err());
    }
}

#[test]
fn decrypt_judges_what_is_inside() {
    let Some((people, ours)) = parties() else {
        return;
    };
    let program = Program::new("inside").unwrap();
    let [signer, recipient] = KEYS;
    let peer = OpenSsl(people);
    let signed = peer.sign(&entity(), &SIGNATURES[0], SignedForm::Clear, Encoding::Der);
    let to = [
        "-recip".to_owned(),
        shown(&people.of(recipient).certificate),
    ];
    let sent = cms("-encrypt", "-aes-128-cbc", &to, &signed.unwrap());
    let judged = |root: &Identity| {
        let mut more = own(people.of(recipient));
        more.extend(["--roots".to_owned(), shown(&root.certificate)]);
        program.smime("decrypt", &address(signer), &sent, more)
    };
    let opened = judged(&people.root).unwrap();
    assert_eq!(
        ours.verify(&without_version(&opened), signer, &[]),
        Ok(entity())
    );
    let refused = judged(&People::strangers().root).unwrap_err();
    assert!(refused.contains("untrusted"), "{refused}");
}
