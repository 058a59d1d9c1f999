//! Which algorithms outgoing mail is made with: the partner's profile, what correspondents announced, what every client reads
//! (rows C23 and X10), and what an organisation does with calendar requests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{SystemTime, UNIX_EPOCH};

use e2e::case::Mailbox;
use e2e::cast::{ALICE, CAROL, Cast, STRANGER};
use e2e::gateway::{Gateway, Options, head, mailbox, program, tail};
use e2e::keys::{self, Identity, KeyKind, shown};
use e2e::mime::{Form, entity, form, split};
use e2e::openssl;
use e2e::program::{must_run, present};
use e2e::scene::{DELIVERY, Scene, correspondent, rule, send};
use e2e::sink::Received;
use sealgate_mail::Timestamp;
use sealgate_smime::algorithms::{ContentEncryption, DigestAlgorithm, SignatureAlgorithm};
use sealgate_smime::asn1::{self, tag};
use sealgate_smime::aws::Digest;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::PrivateKey;
use serde_json::Value;

const BOUNDARY: &str = "signed-by-carol";

/// An object identifier of RFC 5652 or RFC 8551 below 1.2.840.113549.1.
fn pkcs(rest: &[u8]) -> Vec<u8> {
    asn1::tlv(
        tag::OID,
        &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01], rest].concat(),
    )
}

fn set(parts: &[&[u8]]) -> Vec<u8> {
    asn1::constructed(0x31, parts)
}

/// A mail that announces just these ciphers, clear-signed `age` seconds ago with a P-256 key; no program of ours or others writes such ones.
fn announcing(from: &Identity, address: &str, ciphers: &[ContentEncryption], age: i64) -> Vec<u8> {
    let part = "Content-Type: text/plain\r\n\r\nmy news";
    let certificate = Certificate::read_all(&std::fs::read(&from.certificate).unwrap()).unwrap();
    let key = PrivateKey::read(&std::fs::read(&from.key).unwrap()).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let signed_at = Timestamp(now.as_secs().cast_signed() - age);
    let digest = DigestAlgorithm::Sha256;
    let algorithm = SignatureAlgorithm::Ecdsa(digest);
    let announced: Vec<Vec<u8>> = ciphers
        .iter()
        .map(|cipher| asn1::sequence(&[&asn1::oid(&cipher.row().oid)]))
        .collect();
    let announced = asn1::tlv(tag::SEQUENCE, &announced.concat());
    let attribute = |name: &[u8], value: &[u8]| asn1::sequence(&[&pkcs(name), &set(&[value])]);
    let attributes = asn1::set_of_content(vec![
        attribute(&[9, 3], &pkcs(&[7, 1])),
        attribute(
            &[9, 4],
            &asn1::octet_string(&Digest::of(digest, part.as_bytes())),
        ),
        attribute(&[9, 5], &asn1::time(signed_at)),
        attribute(&[9, 15], &announced),
    ]);
    let signature = key.sign(algorithm, &asn1::tlv(0x31, &attributes)).unwrap();
    let [leaf, ..] = certificate.as_slice() else {
        panic!("no certificate");
    };
    let signer = asn1::sequence(&[
        &asn1::small(1),
        &asn1::sequence(&[leaf.issuer_der(), &asn1::tlv(tag::INTEGER, leaf.serial())]),
        &digest.identifier().to_der(),
        &asn1::tlv(0xa0, &attributes),
        &algorithm.identifier().to_der(),
        &asn1::octet_string(&signature),
    ]);
    let signed = asn1::sequence(&[
        &asn1::small(1),
        &set(&[&digest.identifier().to_der()]),
        &asn1::sequence(&[&pkcs(&[7, 1])]),
        &asn1::tlv(0xa0, leaf.der()),
        &set(&[&signer]),
    ]);
    let cms = asn1::sequence(&[&pkcs(&[7, 2]), &asn1::tlv(0xa0, &signed)]);
    let base64 = must_run("openssl", &["base64"], &cms);
    let base64 = String::from_utf8(base64).unwrap().replace('\n', "\r\n");
    format!(
        "From: {address}\r\nTo: {ALICE}\r\nMessage-ID: <{age}@partner.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=\"{BOUNDARY}\"\r\n\r\n\
         --{BOUNDARY}\r\n{part}\r\n--{BOUNDARY}\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{base64}\r\n--{BOUNDARY}--\r\n"
    )
    .into_bytes()
}

fn scene(name: &str, outbound: &str, more: &str) -> Option<(Scene, &'static Cast)> {
    if program().is_none() || !present(&["openssl"]) {
        return None;
    }
    let cast = Cast::with(KeyKind::P256);
    let more = [&rule("optional", outbound), more].concat();
    Some((Scene::new(name, &Options::default(), cast, &more)?, cast))
}

fn letter(to: &str, name: &str) -> Vec<u8> {
    format!("From: {ALICE}\r\nTo: {to}\r\nMessage-ID: <{name}@example.com>\r\nSubject: s\r\n\r\nhello\r\n").into_bytes()
}

/// Carol's mail, signed so many seconds ago, reaches alice; what it announces is known then.
fn learn(scene: &Scene, cast: &Cast, ciphers: &[ContentEncryption], age: i64) {
    let before = scene.office.received().len();
    let reply = scene.mail_in(&announcing(&cast.carol, CAROL, ciphers, age));
    assert_eq!(reply.code, 250, "{reply:?}");
    let delivered = scene.office.wait_for(before + 1, DELIVERY);
    let text = String::from_utf8_lossy(&delivered[before].content).into_owned();
    assert!(text.contains("signature=valid"), "{text}");
}

fn copy_for<'r>(mails: &'r [Received], address: &str) -> &'r [u8] {
    let mut found = mails
        .iter()
        .filter(|mail| mail.addresses().contains(&address));
    let one = found.next().unwrap();
    assert!(found.next().is_none(), "two copies for {address}");
    &one.content
}

/// The content cipher of an encrypted mail, as OpenSSL names it.
fn cipher(message: &[u8]) -> String {
    let printed = must_run(
        "openssl",
        &["cms", "-cmsout", "-print", "-noout"],
        &entity(message),
    );
    let printed = String::from_utf8_lossy(&printed).into_owned();
    let (_, rest) = printed.split_once("contentEncryptionAlgorithm:").unwrap();
    let line = rest
        .lines()
        .find(|line| line.contains("algorithm:"))
        .unwrap();
    line.trim().split(' ').nth(1).unwrap().to_owned()
}

fn explained(gateway: &Gateway, to: &str) -> String {
    let ran = gateway.command(&["explain", "--from", ALICE, "--to", to]);
    assert!(ran.good, "{}", ran.err);
    ran.text()
}

fn trace(gateway: &Gateway, to: &str) -> Value {
    gateway.json(&["explain", "--from", ALICE, "--to", to])
}

#[test]
fn c23_a_correspondent_that_supports_only_weak_algorithms() {
    let others = |cast: &Cast| correspondent(cast, STRANGER);
    let cast = Cast::with(KeyKind::P256);
    let Some((scene, cast)) = scene("c23-optional", "optional", &others(cast)) else {
        return;
    };
    learn(&scene, cast, &[ContentEncryption::TripleDesCbc], 60);
    // Optional: counts as having no key, and does not lower the other one.
    let both = format!("{CAROL}, {STRANGER}");
    let reply = send(
        scene.gateway.outbound,
        ALICE,
        &[CAROL, STRANGER],
        &letter(&both, "one"),
    );
    assert_eq!(reply.code, 250, "{reply:?}");
    let sent = scene.internet.wait_for(2, DELIVERY);
    assert_eq!(form(copy_for(&sent, CAROL)), Form::Signed);
    let strong = copy_for(&sent, STRANGER);
    assert_eq!(
        (form(strong), cipher(strong)),
        (Form::Encrypted, "aes-256-cbc".to_owned())
    );
    assert!(explained(&scene.gateway, CAROL).contains("supports only weak algorithms"));
    assert_eq!(trace(&scene.gateway, CAROL)["facts"]["recipient"], "weak");

    // Enforce: refused with the reason.
    let enforced = [&rule("optional", "enforce"), others(cast).as_str()].concat();
    let description = Scene::description(cast, &enforced, &scene.office, &scene.internet);
    scene.gateway.apply(&description);
    let refused = scene.mail_out(&letter(CAROL, "two"));
    assert_eq!(refused.code, 550, "{refused:?}");
    assert!(format!("{refused:?}").contains("weak"), "{refused:?}");

    // Later words count: then it is encrypted, by what was announced.
    learn(&scene, cast, &[ContentEncryption::Aes256Gcm], 0);
    // An older mail, handed in again, changes nothing.
    learn(&scene, cast, &[ContentEncryption::TripleDesCbc], 60);
    let reply = scene.mail_out(&letter(CAROL, "three"));
    assert_eq!(reply.code, 250, "{reply:?}");
    let sent = scene.internet.wait_for(3, DELIVERY);
    let message = &sent.last().unwrap().content;
    assert!(form(message) != Form::Signed);
    let words = explained(&scene.gateway, CAROL);
    let line = format!(
        "algorithms  AES256-GCM, RSASSA-PKCS1 SHA-256 if the signing key is RSA: announced by {CAROL}\n"
    );
    assert!(words.ends_with(&line), "{words}");
}

#[test]
fn a_partner_profile_counts_before_what_was_announced() {
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let rsa = Cast::with(KeyKind::Rsa(2048));
    let more = |profile: &str| {
        let partner =
            format!("[[partners]]\nexternal = \"partner.example\"\nprofile = \"{profile}\"\n");
        [
            rule("optional", "enforce"),
            correspondent(rsa, CAROL),
            partner,
        ]
        .concat()
    };
    let Some(scene) = Scene::new("partner", &Options::default(), rsa, &more("edi-energy")) else {
        return;
    };
    assert_eq!(scene.mail_out(&letter(CAROL, "edi")).code, 250);
    let sent = scene.internet.wait_for(1, DELIVERY);
    let message = &sent[0].content;
    assert_eq!(cipher(message), "aes-128-cbc");
    let printed = must_run(
        "openssl",
        &["cms", "-cmsout", "-print", "-noout"],
        &entity(message),
    );
    assert!(String::from_utf8_lossy(&printed).contains("rsaesOaep"));
    let signed = openssl::decrypt(&entity(message), &rsa.carol).unwrap();
    let printed = must_run("openssl", &["cms", "-cmsout", "-print", "-noout"], &signed);
    assert!(String::from_utf8_lossy(&printed).contains("algorithm: rsassaPss"));
    openssl::verify(&signed, &rsa.own_authority.certificate, ALICE).unwrap();
    let line = "algorithms  AES128-CBC, RSAES-OAEP SHA-256, RSASSA-PSS SHA-256 if the signing key is RSA: profile edi-energy of partner partner.example\n";
    let words = explained(&scene.gateway, CAROL);
    assert!(words.ends_with(line), "{words}");
    // The journal says the same.
    let mails = scene.gateway.json(&["mails"]);
    let id = mails[0]["queue_id"].as_str().unwrap();
    let shown = scene.gateway.command(&["mails", id]);
    assert!(shown.text().contains(line.trim_end()), "{}", shown.text());
}

const REQUEST: &str = "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nplease come\r\n--b\r\n\
    Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n--b--\r\n";

#[test]
fn calendar_requests_go_as_the_organisation_wants_unless_a_rule_enforces() {
    let cast = Cast::with(KeyKind::P256);
    let known = correspondent(cast, CAROL);
    let Some((scene, cast)) = scene("calendar", "optional", &known) else {
        return;
    };
    let request = |name: &str| {
        format!("From: {ALICE}\r\nTo: {CAROL}\r\nMessage-ID: <{name}@example.com>\r\nMIME-Version: 1.0\r\n{REQUEST}").into_bytes()
    };
    let table = [
        ("like-all", "optional", Form::Encrypted),
        ("sign-only", "optional", Form::Signed),
        ("leave", "optional", Form::Plain),
        ("leave", "sign-only", Form::Plain),
        ("sign-only", "enforce", Form::Encrypted),
        ("leave", "enforce", Form::Encrypted),
    ];
    for (count, (switch, mode, expected)) in (1..).zip(table) {
        let description = [
            head(scene.office.address),
            mailbox(ALICE, Mailbox::Active, cast),
            rule("optional", mode),
            known.clone(),
            format!("[settings]\ncalendar = \"{switch}\"\n"),
            tail(cast, scene.internet.address),
        ];
        scene.gateway.apply(&description.concat());
        let name = format!("{switch}-{mode}");
        assert_eq!(scene.mail_out(&request(&name)).code, 250);
        let sent = scene.internet.wait_for(count, DELIVERY);
        let message = &sent.last().unwrap().content;
        assert_eq!(form(message), expected, "{name}");
        if expected == Form::Plain {
            assert_eq!(split(message).1, split(&request(&name)).1, "{name}");
        }
        let file = shown(
            &scene
                .gateway
                .directory()
                .file("request.eml", request(&name)),
        );
        let arguments = ["explain", "--from", ALICE, "--to", CAROL, &file];
        let text = scene.gateway.command(&arguments).text();
        assert_eq!(
            text.contains("calendar request"),
            switch != "like-all",
            "{text}"
        );
        // The journal holds the same trace, word for word.
        let mails = scene.gateway.json(&["mails"]);
        let id = mails[0]["queue_id"].as_str().unwrap().to_owned();
        let journal = scene.gateway.json(&["mails", &id]);
        let explained = scene.gateway.json(&arguments);
        assert!(
            journal
                .to_string()
                .contains(&explained["facts"].to_string()),
            "{journal}\n{explained}"
        );
    }
}

/// Row X10 over SMTP: what alice encrypts to is carol's encryption certificate, never the one that only signs.
#[test]
fn x10_the_encryption_certificate_is_used() {
    let Some((scene, cast)) = scene("x10", "enforce", "") else {
        return;
    };
    let directory = scene.gateway.directory().path().to_owned();
    let made = |name: &str, usage: &str| {
        let extensions = format!(
            "basicConstraints=critical,CA:false\nkeyUsage=critical,{usage}\nextendedKeyUsage=emailProtection\nsubjectAltName=email:dora@partner.example\n"
        );
        keys::with_extensions(&directory, &cast.partner_authority, name, &extensions)
    };
    let (signing, encryption) = (
        made("dora-sign", "digitalSignature"),
        made("dora-encrypt", "keyAgreement"),
    );
    let text = b"Content-Type: text/plain\r\n\r\nmy keys\r\n";
    let signed = openssl::sign(
        text,
        &signing,
        Some(&encryption),
        false,
        openssl::Writing::Der,
    );
    let mail = [
        b"From: dora@partner.example\r\nTo: alice@example.com\r\n".as_slice(),
        &signed,
    ]
    .concat();
    let reply = send(
        scene.gateway.inbound,
        "dora@partner.example",
        &[ALICE],
        &mail,
    );
    assert_eq!(reply.code, 250, "{reply:?}");
    scene.at_office();
    let reply = send(
        scene.gateway.outbound,
        ALICE,
        &["dora@partner.example"],
        &letter("dora@partner.example", "x10"),
    );
    assert_eq!(reply.code, 250, "{reply:?}");
    let message = scene.at_internet().content;
    openssl::decrypt(&entity(&message), &encryption).unwrap();
    assert!(openssl::decrypt(&entity(&message), &signing).is_err());
}

/// Row X5: whether the local part counts in its case is the organisation's to say, for signatures and for keys.
#[test]
fn x5_local_parts_in_their_case_only_where_wanted() {
    let known = correspondent(Cast::with(KeyKind::P256), CAROL);
    let Some((scene, cast)) = scene("x5", "optional", &known) else {
        return;
    };
    let other_case = CAROL.replace("carol", "Carol");
    let text = b"Content-Type: text/plain\r\n\r\nhello\r\n";
    let signed = openssl::sign(text, &cast.carol, None, false, openssl::Writing::Der);
    for (count, (exact, verdict, made)) in (1..).zip([
        (false, "smime=pass", Form::Encrypted),
        (true, "valid-other-address", Form::Signed),
    ]) {
        let description = [
            head(scene.office.address),
            mailbox(ALICE, Mailbox::Active, cast),
            rule("optional", "optional"),
            known.clone(),
            format!("[settings]\nexact-local-parts = {exact}\n"),
            tail(cast, scene.internet.address),
        ];
        scene.gateway.apply(&description.concat());
        let head = format!("From: {other_case}\r\nTo: {ALICE}\r\nMessage-ID: <x5-{exact}@x>\r\n");
        let mail = [head.as_bytes(), &signed].concat();
        let reply = send(scene.gateway.inbound, &other_case, &[ALICE], &mail);
        assert_eq!(reply.code, 250, "{reply:?}");
        let arrived = scene.office.wait_for(count, DELIVERY);
        let arrived = String::from_utf8_lossy(&arrived.last().unwrap().content).into_owned();
        assert!(arrived.contains(verdict), "{arrived}");
        let letter = letter(&other_case, &format!("x5-{exact}"));
        let reply = send(scene.gateway.outbound, ALICE, &[&other_case], &letter);
        assert_eq!(reply.code, 250, "{reply:?}");
        let sent = scene.internet.wait_for(count, DELIVERY);
        assert_eq!(form(&sent.last().unwrap().content), made, "exact {exact}");
    }
}
