//! Stock clients on one side, `openssl cms` on the other: what we write it accepts, what it writes we read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use e2e::case::Delivered;
use e2e::cast::{ALICE, CAROL, Cast};
use e2e::client::{Sending, smtplib, swaks};
use e2e::gateway::{Options, program};
use e2e::judge::{Passage, judge};
use e2e::keys::{Identity, KeyKind};
use e2e::mime::{Form, entity, fields, find, form, signed_part, split, with_entity};
use e2e::openssl::{self, Writing};
use e2e::program::{must_run, present, python};
use e2e::scene::{Scene, correspondent, rule};

const OUT: &[u8] = b"From: Alice <alice@example.com>\r\nTo: carol@partner.example\r\nSubject: out\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\nMessage-ID: <out@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nhello carol\r\n.\r\n..dots\r\nend\r\n";
const IN: &[u8] = b"From: Carol <carol@partner.example>\r\nTo: alice@example.com\r\nSubject: in\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\nMessage-ID: <in@partner.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nhello alice\r\n";

fn ready(programs: &[&str]) -> bool {
    program().is_some() && present(programs)
}

fn accepts(cast: &Cast, handed_in: &[u8], came_out: &[u8], expected: Delivered) {
    let passage = Passage {
        original: handed_in,
        handed_in,
        came_out,
        from: ALICE,
        to: CAROL,
    };
    let judged = judge(passage, expected, cast);
    assert_eq!(judged, Ok(()), "{}", String::from_utf8_lossy(came_out));
}

#[test]
fn what_stock_clients_send_comes_out_signed() {
    if !ready(&["openssl", "python3", "swaks"]) {
        return;
    }
    for kind in KeyKind::BOTH {
        let cast = Cast::with(kind);
        let scene = Scene::new(
            "signed",
            &Options::default(),
            cast,
            &rule("optional", "sign-only"),
        )
        .unwrap();
        let sending = Sending::new(scene.gateway.outbound, ALICE, &[CAROL], OUT);
        assert_eq!(smtplib(&sending).reply.code, 250);
        accepts(cast, OUT, &scene.at_internet().content, Delivered::Signed);
        assert_eq!(swaks(&sending).code, 250);
        let mails = scene.internet.wait_for(2, e2e::scene::DELIVERY);
        // swaks ends a message with a blank line of its own.
        let came_out = &mails[1].content;
        assert!(openssl::verify(&entity(came_out), &cast.own_authority.certificate, ALICE).is_ok());
        assert!(find(signed_part(came_out).unwrap(), split(OUT).1).is_some());
    }
}

#[test]
fn what_stock_clients_send_comes_out_encrypted() {
    if !ready(&["openssl", "python3"]) {
        return;
    }
    for kind in KeyKind::BOTH {
        let cast = Cast::with(kind);
        let more = rule("optional", "enforce") + &correspondent(cast, CAROL);
        let scene = Scene::new("encrypted", &Options::default(), cast, &more).unwrap();
        let sending = Sending::new(scene.gateway.outbound, ALICE, &[CAROL], OUT);
        assert_eq!(smtplib(&sending).reply.code, 250);
        let came_out = scene.at_internet().content;
        accepts(cast, OUT, &came_out, Delivered::SignedEncrypted);
        assert!(openssl::decrypt(&entity(&came_out), &cast.stranger).is_err());
    }
}

/// Reads a message on standard input and prints each leaf's decoded octets as hexadecimal lines.
const LEAVES: &str = "
import email, email.policy, sys
message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.SMTP)
for part in message.walk():
    if not part.is_multipart() and part.get_content_type() != 'application/pkcs7-signature':
        print((part.get_payload(decode=True) or b'').hex())
";

fn leaves(message: &[u8]) -> String {
    String::from_utf8(must_run(&python(), &["-c", LEAVES], message)).unwrap()
}

#[test]
fn a_mail_not_in_canonical_form_keeps_its_leaves() {
    if !ready(&["openssl", "python3"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let scene = Scene::new(
        "eight-bit",
        &Options::default(),
        cast,
        &rule("optional", "sign-only"),
    )
    .unwrap();
    let message = "From: alice@example.com\r\nTo: carol@partner.example\r\nSubject: 8\r\nMessage-ID: <8@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\u{fc}\u{df}e \r\nFrom here on: trailing blanks \t\r\n--m\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<p>\u{20ac}</p>\r\n--m--\r\n".as_bytes();
    let mut sending = Sending::new(scene.gateway.outbound, ALICE, &[CAROL], message);
    sending.mail_options = vec!["BODY=8BITMIME".to_owned()];
    assert_eq!(smtplib(&sending).reply.code, 250);
    let came_out = scene.at_internet().content;
    assert!(came_out.is_ascii());
    let verified = openssl::verify(&entity(&came_out), &cast.own_authority.certificate, ALICE);
    assert!(verified.is_ok(), "{verified:?}");
    assert_eq!(leaves(signed_part(&came_out).unwrap()), leaves(message));
}

/// What carol may send: clear-signed or opaque, with definite and with indefinite lengths.
const SIGNED_FORMS: [(bool, Writing); 4] = [
    (false, Writing::Der),
    (false, Writing::Stream),
    (true, Writing::Der),
    (true, Writing::Stream),
];

#[test]
fn signed_mail_is_verified_and_its_key_used() {
    if !ready(&["openssl"]) {
        return;
    }
    for kind in KeyKind::BOTH {
        let cast = Cast::with(kind);
        for (opaque, writing) in SIGNED_FORMS {
            let scene = Scene::new(
                "harvest",
                &Options::default(),
                cast,
                &rule("optional", "optional"),
            )
            .unwrap();
            let signed = with_entity(
                IN,
                &openssl::sign(&entity(IN), &cast.carol, None, opaque, writing),
            );
            assert_eq!(scene.mail_in(&signed).code, 250);
            let arrived = scene.at_office().content;
            let context = format!(
                "{kind:?} opaque {opaque} {writing:?}: {}",
                String::from_utf8_lossy(&arrived)
            );
            let results = fields(&arrived, "Authentication-Results");
            assert!(
                results.iter().any(|one| one.contains("smime=pass")),
                "{context}"
            );
            assert_eq!(scene.mail_out(OUT).code, 250, "{context}");
            accepts(
                cast,
                OUT,
                &scene.at_internet().content,
                Delivered::SignedEncrypted,
            );
        }
    }
}

#[test]
fn a_signature_that_does_not_hold_is_not_harvested() {
    if !ready(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let good = |signer: &Identity| {
        with_entity(
            IN,
            &openssl::sign(&entity(IN), signer, None, false, Writing::Der),
        )
    };
    let mut changed = good(&cast.carol);
    let at = find(&changed, b"hello").unwrap();
    changed[at] = b'H';
    let foreign = good(&cast.stranger);
    for (message, what) in [(changed, "changed"), (foreign, "another person's")] {
        let scene = Scene::new(
            "no-harvest",
            &Options::default(),
            cast,
            &rule("optional", "optional"),
        )
        .unwrap();
        assert_eq!(scene.mail_in(&message).code, 250, "{what}");
        let arrived = scene.at_office().content;
        let results = fields(&arrived, "Authentication-Results");
        assert!(
            !results.iter().any(|one| one.contains("smime=pass")),
            "{what}: {results:?}"
        );
        assert_eq!(split(&arrived).1, split(&message).1, "{what}");
        assert_eq!(scene.mail_out(OUT).code, 250);
        accepts(cast, OUT, &scene.at_internet().content, Delivered::Signed);
    }
}

#[test]
fn encrypted_mail_is_decrypted() {
    if !ready(&["openssl"]) {
        return;
    }
    for kind in KeyKind::BOTH {
        let cast = Cast::with(kind);
        for (cipher, writing) in [
            ("aes-128-cbc", Writing::Der),
            ("aes-256-cbc", Writing::Stream),
            ("aes-256-gcm", Writing::Stream),
        ] {
            let scene = Scene::new(
                "decrypt",
                &Options::default(),
                cast,
                &rule("enforce", "neither"),
            )
            .unwrap();
            // The second recipient makes the gateway choose its own RecipientInfo.
            let to = [cast.stranger.certificate.as_path(), &cast.alice.certificate];
            let encrypted = with_entity(IN, &openssl::encrypt(&entity(IN), &to, cipher, writing));
            assert_eq!(scene.mail_in(&encrypted).code, 250);
            let arrived = scene.at_office().content;
            let context = format!("{kind:?} {cipher}: {}", String::from_utf8_lossy(&arrived));
            assert_eq!(form(&arrived), Form::Plain, "{context}");
            assert_eq!(split(&arrived).1, split(IN).1, "{context}");
        }
    }
}

#[test]
fn signed_and_encrypted_mail_is_decrypted_and_verified() {
    if !ready(&["openssl"]) {
        return;
    }
    for kind in KeyKind::BOTH {
        let cast = Cast::with(kind);
        let scene = Scene::new(
            "both",
            &Options::default(),
            cast,
            &rule("enforce", "optional"),
        )
        .unwrap();
        let signed = openssl::sign(&entity(IN), &cast.carol, None, false, Writing::Der);
        let to = [cast.alice.certificate.as_path()];
        let both = with_entity(
            IN,
            &openssl::encrypt(&signed, &to, "aes-256-cbc", Writing::Stream),
        );
        assert_eq!(scene.mail_in(&both).code, 250);
        let arrived = scene.at_office().content;
        let context = format!("{kind:?}: {}", String::from_utf8_lossy(&arrived));
        assert_ne!(form(&arrived), Form::Encrypted, "{context}");
        assert!(find(&arrived, b"hello alice\r\n").is_some(), "{context}");
        let results = fields(&arrived, "Authentication-Results");
        assert!(
            results.iter().any(|one| one.contains("smime=pass")),
            "{context}"
        );
        assert_eq!(scene.mail_out(OUT).code, 250);
        accepts(
            cast,
            OUT,
            &scene.at_internet().content,
            Delivered::SignedEncrypted,
        );
    }
}
