//! Rows C4 to C9, C24 and G7 of security.md over SMTP: signatures that must not count. The objects are put together
//! here, with digests and signatures of the `openssl` program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use e2e::attack::{
    Attempt, BROKEN, PART, VALID, algorithm, attributes, cast, clear_signed, good, judge, pkcs7,
    signed_data, signer, start,
};
use e2e::cast::CAROL;
use e2e::certificates::{
    LEAF, MAIL, Wanted, changed as changed_certificate, make, names, rfc822, signed_and_revoked,
};
use e2e::der::{Node, plain, sequence};
use e2e::keys::Identity;
use e2e::mime::{entity, field, fields, split};
use e2e::openssl::{self, Writing};

/// What may be said where only `valid` is wrong.
const ANY_BUT_VALID: &[&str] = &[
    "none",
    "valid-other-address",
    "valid-no-address",
    "untrusted",
    "weak",
    "unsupported",
    "broken",
    "partial",
];

#[test]
fn c4_content_inside_a_detached_signature_over_smtp() {
    let Some(scene) = start("attack-c4") else {
        return;
    };
    let other = b"Content-Type: text/plain\r\n\r\nI do not agree\r\n";
    let carol = &cast().carol;
    let over_other = signer(carol, Some(attributes(other)), other);
    let attempts = [
        Attempt::new("control", &clear_signed(PART, &good(None))).signature(VALID),
        // The first part is what is shown; the content inside is what was signed, and the other way round.
        Attempt::new("inside-signed", &clear_signed(other, &good(Some(PART)))).signature(BROKEN),
        Attempt::new("both-the-same", &clear_signed(PART, &good(Some(PART)))).signature(BROKEN),
        Attempt::new("inside-other", &clear_signed(PART, &good(Some(other)))).signature(BROKEN),
        Attempt::new(
            "inside-empty",
            &clear_signed(PART, &signed_data(Some(b""), &[carol], vec![over_other])),
        )
        .signature(BROKEN),
        // Nothing inside where something must be.
        Attempt::new("opaque-empty", &pkcs7(&good(None), "signed-data")).signature(BROKEN),
        Attempt::new("opaque", &pkcs7(&good(Some(PART)), "signed-data")).signature(VALID),
    ];
    judge(&scene, &attempts);
}

#[test]
fn c5_signers_of_other_people_over_smtp() {
    let Some(scene) = start("attack-c5") else {
        return;
    };
    let (carol, stranger, alice) = (&cast().carol, &cast().stranger, &cast().alice);
    let own = |of| signer(of, Some(attributes(PART)), PART);
    let damaged = |of| {
        let mut info = own(of);
        let last = info.parts().len() - 1;
        let octet = info.at(&[last]).octets().last_mut().unwrap();
        *octet ^= 1;
        info
    };
    let with = |signers: Vec<Node>| {
        clear_signed(PART, &signed_data(None, &[carol, stranger, alice], signers))
    };
    let attempts = [
        Attempt::new("one", &with(vec![own(carol)])).signature(VALID),
        Attempt::new("both-good", &with(vec![own(carol), own(stranger)])).signature(VALID),
        Attempt::new("both-good-before", &with(vec![own(stranger), own(carol)])).signature(VALID),
        Attempt::new("only-other", &with(vec![own(stranger)])).signature(&["valid-other-address"]),
        Attempt::new("appended-bad", &with(vec![own(carol), damaged(stranger)])).signature(BROKEN),
        Attempt::new("prepended-bad", &with(vec![damaged(stranger), own(carol)])).signature(BROKEN),
        Attempt::new("own-bad", &with(vec![own(stranger), damaged(carol)])).signature(BROKEN),
        Attempt::new("appended-untrusted", &with(vec![own(carol), own(alice)]))
            .signature(&["untrusted"]),
        Attempt::new("prepended-untrusted", &with(vec![own(alice), own(carol)]))
            .signature(&["untrusted"]),
        // A good signer whose certificate does not come along.
        Attempt::new(
            "appended-unknown",
            &clear_signed(
                PART,
                &signed_data(None, &[carol], vec![own(carol), own(stranger)]),
            ),
        )
        .signature(ANY_BUT_VALID),
    ];
    judge(&scene, &attempts);
}

#[test]
fn c6_no_signer_over_smtp() {
    let Some(scene) = start("attack-c6") else {
        return;
    };
    let carol = &cast().carol;
    let nobody = signed_data(None, &[carol], Vec::new());
    let attempts = [
        Attempt::new("no-signer", &clear_signed(PART, &nobody)).signature(BROKEN),
        Attempt::new(
            "certificates-alone",
            &clear_signed(PART, &signed_data(Some(PART), &[carol], Vec::new())),
        )
        .signature(BROKEN),
        Attempt::new("certs-only", &pkcs7(&nobody, "certs-only")).signature(&["none"]),
        Attempt::new(
            "opaque-no-signer",
            &pkcs7(
                &signed_data(Some(PART), &[carol], Vec::new()),
                "signed-data",
            ),
        )
        .signature(BROKEN),
    ];
    judge(&scene, &attempts);
    // Nothing of it was learned (row X9).
    let known = scene.gateway.json(&["correspondent", "list"]);
    assert_eq!(known.as_array().map(Vec::len), Some(0), "{known}");
}

#[test]
fn c7_wrapped_signatures_over_smtp() {
    let Some(scene) = start("attack-c7") else {
        return;
    };
    let signed = clear_signed(PART, &good(None));
    let opaque = pkcs7(&good(Some(PART)), "signed-data");
    let signed = String::from_utf8(signed).unwrap();
    let opaque = String::from_utf8(opaque).unwrap();
    let text = "Content-Type: text/plain\r\n\r\nPay me instead\r\n";
    let html = "Content-Type: text/html\r\n\r\n<p>Pay me instead</p><!--\r\n";
    let hidden =
        "Content-Type: text/html\r\n\r\n<div style=\"display:none\"><iframe src=\"cid:x\">\r\n";
    let tree = |kind: &str, parts: &[&str]| {
        let mut out = format!("Content-Type: multipart/{kind}; boundary=w\r\n\r\n");
        for part in parts {
            out.push_str(&format!("--w\r\n{part}\r\n"));
        }
        out + "--w--\r\n"
    };
    let attached = format!(
        "Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\nFrom: {CAROL}\r\nMIME-Version: 1.0\r\n{signed}"
    );
    let digest = format!("\r\nFrom: {CAROL}\r\nMIME-Version: 1.0\r\n{signed}");
    let mut attempts = Vec::new();
    for (form, inner) in [("clear", &signed), ("opaque", &opaque)] {
        for (name, wrapped) in [
            ("prepended", tree("mixed", &[text, inner])),
            ("appended", tree("mixed", &[inner, text])),
            ("hidden", tree("mixed", &[html, inner])),
            ("related", tree("related", &[hidden, inner])),
            ("alternative", tree("alternative", &[inner, text])),
            ("alone", tree("mixed", &[inner])),
        ] {
            let name = format!("{form}-{name}");
            attempts.push(Attempt::new(&name, wrapped.as_bytes()).signature(&["partial"]));
        }
    }
    for (name, wrapped) in [
        ("attached", tree("mixed", &[text, &attached])),
        ("digest", tree("digest", &[&digest])),
        ("whole-attached", attached.clone()),
    ] {
        attempts.push(Attempt::new(name, wrapped.as_bytes()).signature(&["partial"]));
    }
    let all = judge(&scene, &attempts);
    // What is signed stays as it is, for the readers that show it on its own.
    for (attempt, mail) in attempts.iter().zip(&all) {
        assert!(
            mail.content.ends_with(split(&attempt.message).1),
            "{}: the body was changed",
            attempt.name
        );
    }
}

/// Each header stands above the same good signature of carol.
#[test]
fn c8_who_is_the_author_over_smtp() {
    let Some(scene) = start("attack-c8") else {
        return;
    };
    let signed = clear_signed(PART, &good(None));
    let table: [(&str, &str, &[&str]); 17] = [
        ("plain", "From: carol@partner.example\r\n", VALID),
        ("named", "From: Carol <carol@partner.example>\r\n", VALID),
        ("case", "From: Carol@PARTNER.example\r\n", VALID),
        (
            "other",
            "From: boss@partner.example\r\n",
            &["valid-other-address"],
        ),
        (
            "display",
            "From: \"carol@partner.example\" <boss@partner.example>\r\n",
            &["valid-other-address"],
        ),
        (
            "display-bare",
            "From: carol@partner.example <boss@partner.example>\r\n",
            ANY_BUT_VALID,
        ),
        (
            "display-encoded",
            "From: =?utf-8?Q?carol=40partner.example?= <boss@partner.example>\r\n",
            &["valid-other-address"],
        ),
        (
            "comment",
            "From: boss@partner.example (carol@partner.example)\r\n",
            &["valid-other-address"],
        ),
        (
            "two-fields",
            "From: carol@partner.example\r\nFrom: boss@partner.example\r\n",
            ANY_BUT_VALID,
        ),
        (
            "two-fields-turned",
            "From: boss@partner.example\r\nFrom: carol@partner.example\r\n",
            ANY_BUT_VALID,
        ),
        (
            "twice-the-same",
            "From: carol@partner.example\r\nFrom: carol@partner.example\r\n",
            ANY_BUT_VALID,
        ),
        (
            "two-addresses",
            "From: carol@partner.example, boss@partner.example\r\n",
            ANY_BUT_VALID,
        ),
        (
            "two-addresses-turned",
            "From: boss@partner.example, carol@partner.example\r\n",
            ANY_BUT_VALID,
        ),
        (
            "group",
            "From: us: carol@partner.example;\r\n",
            ANY_BUT_VALID,
        ),
        (
            "sender",
            "From: boss@partner.example\r\nSender: carol@partner.example\r\n",
            &["valid-other-address"],
        ),
        (
            "empty",
            "From:\r\nSender: carol@partner.example\r\n",
            ANY_BUT_VALID,
        ),
        ("none", "Sender: carol@partner.example\r\n", ANY_BUT_VALID),
    ];
    let attempts: Vec<_> = table
        .iter()
        .map(|(name, from, expected)| {
            let message = [
                from.as_bytes(),
                format!("Message-ID: <{name}@attack.example>\r\nMIME-Version: 1.0\r\n").as_bytes(),
                &signed,
            ]
            .concat();
            Attempt {
                name: (*name).to_owned(),
                message,
                signature: expected,
                encryption: &[],
            }
        })
        .collect();
    let all = judge(&scene, &attempts);
    for (attempt, mail) in attempts.iter().zip(&all) {
        let told = fields(&mail.content, "Authentication-Results");
        let passed = told.iter().any(|one| one.contains("smime=pass"));
        assert_eq!(
            passed,
            attempt.signature == VALID,
            "{}: {told:?}",
            attempt.name
        );
        // A good signature names the address it is of, never that of the display name.
        let boss = told.iter().any(|one| one.contains("boss@"));
        assert!(!boss, "{}: {told:?}", attempt.name);
    }
}

/// The same signed text under another subject, recipient and date: what is covered is told, and how old it is.
#[test]
fn c9_a_replayed_text_over_smtp() {
    let Some(scene) = start("attack-c9") else {
        return;
    };
    let signed = openssl::sign(PART, &cast().carol, None, false, Writing::Der);
    let with_date = |name: &str, date: &str| {
        let fields = format!(
            "From: {CAROL}\r\nTo: somebody@else.example\r\nSubject: another matter\r\nDate: {date}\r\nMessage-ID: <{name}@attack.example>\r\n"
        );
        Attempt {
            message: [fields.as_bytes(), &signed].concat(),
            ..Attempt::new(name, b"")
        }
        .signature(VALID)
    };
    let at = |when: &str| {
        let printed = e2e::program::must_run("date", &["-R", "-u", "-d", when], b"");
        String::from_utf8(printed).unwrap().trim().to_owned()
    };
    let attempts = [
        with_date("now", &at("now")),
        with_date("now-half-an-hour-later", &at("30 minutes")),
        with_date("now-half-an-hour-before", &at("30 minutes ago")),
        with_date("hours-later", &at("3 hours")),
        with_date("hours-before", &at("3 hours ago")),
        with_date("next-day", &at("1 day")),
        with_date("old", "Mon, 02 Mar 2020 10:00:00 +0000"),
        with_date("far", "Mon, 02 Mar 2037 10:00:00 +0000"),
    ];
    let all = judge(&scene, &attempts);
    for (attempt, mail) in attempts.iter().zip(&all) {
        let told = field(&mail.content, "X-Sealgate-Result").unwrap();
        assert!(
            told.contains("covers=body") && !told.contains("body+header"),
            "{told}"
        );
        let noted = told.contains("signing-time-far-from-date");
        assert_eq!(
            noted,
            !attempt.name.starts_with("now"),
            "{}: {told}",
            attempt.name
        );
    }
}

/// A signature in a signature, and a triple wrap: each layer has its verdict. The message's is the outermost signer's where all are
/// good, else the worst.
#[test]
fn c24_layers_over_smtp() {
    let Some(scene) = start("attack-c24") else {
        return;
    };
    let (carol, stranger, alice) = (&cast().carol, &cast().stranger, &cast().alice);
    let sign = |what: &[u8], by| entity(&openssl::sign(what, by, None, false, Writing::Der));
    let wrap = |what: &[u8]| {
        let to = [alice.certificate.as_path()];
        entity(&openssl::encrypt(what, &to, "aes-256-cbc", Writing::Der))
    };
    let changed = |what: Vec<u8>| {
        let text = String::from_utf8(what).unwrap();
        text.replace("I agree", "I AGREE").into_bytes()
    };
    let triple = |inner: Vec<u8>, outer| sign(&wrap(&inner), outer);
    let attempts = [
        Attempt::new("triple", &triple(sign(PART, carol), carol))
            .signature(VALID)
            .encryption(&["decrypted-authenticated"]),
        Attempt::new("inner-broken", &triple(changed(sign(PART, carol)), carol)).signature(BROKEN),
        Attempt::new("outer-other", &triple(sign(PART, carol), stranger))
            .signature(&["valid-other-address"]),
        Attempt::new("inner-untrusted", &triple(sign(PART, alice), carol))
            .signature(&["untrusted"]),
        Attempt::new("signed-signed", &sign(&sign(PART, carol), carol)).signature(VALID),
        Attempt::new("signed-broken", &sign(&changed(sign(PART, carol)), carol)).signature(BROKEN),
        Attempt::new("signed-other", &sign(&sign(PART, stranger), stranger))
            .signature(&["valid-other-address"]),
    ];
    let all = judge(&scene, &attempts);
    let told = |place: usize| field(&all[place].content, "X-Sealgate-Result").unwrap();
    for (place, layers) in [
        (
            0,
            &[
                "signed:valid:carol",
                "encrypted:decrypted",
                "signed:valid:carol",
            ][..],
        ),
        (
            1,
            &["signed:valid:carol", "encrypted:decrypted", "signed:broken"],
        ),
        (
            2,
            &[
                "signed:valid-other-address:stranger",
                "encrypted:decrypted",
                "signed:valid:carol",
            ],
        ),
        (5, &["signed:valid:carol", "signed:broken"]),
    ] {
        let words = told(place);
        let found: Vec<_> = words
            .split("; ")
            .filter_map(|one| one.strip_prefix("layer="))
            .collect();
        assert_eq!(found.len(), layers.len(), "{words}");
        let fits = found
            .iter()
            .zip(layers)
            .all(|(one, begin)| one.starts_with(begin));
        assert!(fits, "{}: {words}", attempts[place].name);
    }
}

/// Certificates of carol: with a small key, without an address, expired, one to be revoked, and one whose authority does not
/// answer.
fn bad_certificates(directory: &Path) -> [Identity; 5] {
    let alternative = names(vec![rfc822(CAROL)]);
    let nobody = "crlDistributionPoints=URI:http://127.0.0.1:1/list.crl";
    let made = |name: &str, more: Option<&str>, key: Option<&str>| {
        let usage = "keyUsage=critical,digitalSignature";
        let mut extensions = vec![LEAF, usage, MAIL, &alternative];
        extensions.extend(more);
        let wanted = Wanted {
            key: key.unwrap_or(Wanted::default().key),
            extensions: &extensions,
            ..Wanted::default()
        };
        make(directory, name, &wanted)
    };
    let nameless = make(directory, "nameless", &Wanted::default());
    let past = |text: &str| plain(0x17, text.as_bytes());
    let authority = &cast().partner_authority;
    let expired = changed_certificate(&made("old", None, None), authority, "expired", |tbs| {
        *tbs.at(&[4]) = sequence(vec![past("200101000000Z"), past("210101000000Z")]);
    });
    [
        made("weak", None, Some("-newkey rsa:1024")),
        nameless,
        expired,
        made("revoked", None, None),
        made("unknown", Some(nobody), None),
    ]
}

/// A mail for each verdict on a signature.
fn each_verdict(directory: &Path) -> Vec<Attempt> {
    let carol = &cast().carol;
    let own = |by: &Identity| entity(&openssl::sign(PART, by, None, false, Writing::Der));
    let [weak, nameless, expired, revoked, unknown] = bad_certificates(directory);
    let signed = own(carol);
    let changed = String::from_utf8(signed.clone())
        .unwrap()
        .replace("agree", "AGREE");
    let tree = [
        b"Content-Type: multipart/mixed; boundary=w\r\n\r\n--w\r\n".as_slice(),
        &signed,
        b"\r\n--w--\r\n",
    ]
    .concat();
    let mut rsa = good(None);
    let infos = rsa.at(&[1, 0, 4, 0]);
    let place = infos.parts().len() - 2;
    *infos.at(&[place]) = algorithm("1.2.840.113549.1.1.1");
    let junk = b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n";
    vec![
        Attempt::new("g7-valid", &signed).signature(VALID),
        Attempt::new("g7-changed", changed.as_bytes()).signature(BROKEN),
        Attempt::new("g7-other", &own(&cast().stranger)).signature(&["valid-other-address"]),
        Attempt::new("g7-untrusted", &own(&cast().alice)).signature(&["untrusted"]),
        Attempt::new("g7-partial", &tree).signature(&["partial"]),
        Attempt::new("g7-algorithm", &clear_signed(PART, &rsa))
            .signature(&["broken", "unsupported"]),
        Attempt::new("g7-junk", junk).signature(&["broken"]),
        Attempt::new("g7-weak", &own(&weak)).signature(&["weak"]),
        Attempt::new("g7-no-address", &own(&nameless)).signature(&["valid-no-address"]),
        Attempt::new("g7-expired", &own(&expired)).signature(&["expired"]),
        Attempt::new("g7-revoked", &signed_and_revoked(PART, &revoked)).signature(&["revoked"]),
        Attempt::new("g7-unknown", &own(&unknown)).signature(&["revocation-unknown"]),
        Attempt::new("g7-plain", PART).signature(&["none"]),
    ]
}

/// Whatever is wrong with a signature, header, overview and log tell it from an unsigned mail.
#[test]
fn g7_every_verdict_is_told_over_smtp() {
    let Some(scene) = start("attack-g7") else {
        return;
    };
    let attempts = each_verdict(scene.gateway.directory().path());
    let all = judge(&scene, &attempts);
    scene.gateway.drained();
    let rows = scene.gateway.json(&["mails", "--limit", "100"]);
    let log = scene.gateway.log();
    assert_eq!(rows.as_array().unwrap().len(), attempts.len());
    // Newest first; they were handed in one after the other.
    for ((attempt, mail), row) in attempts
        .iter()
        .zip(&all)
        .zip(rows.as_array().unwrap().iter().rev())
    {
        let name = &attempt.name;
        let id = row["queue_id"].as_str().unwrap();
        let line = scene.gateway.json(&["mails", id]);
        assert!(
            line.to_string()
                .contains(&format!("<{name}@attack.example>")),
            "{line}"
        );
        let word = &line["recipients"][0]["line"]["signature"];
        let word = if word.is_null() {
            &line["recipients"][0]["signature"]
        } else {
            word
        };
        let told = fields(&mail.content, "Authentication-Results");
        if name == "g7-plain" {
            assert!(told.is_empty() && word.is_null(), "{line}");
            continue;
        }
        let (expected, _) = e2e::attack::verdicts(&mail.content);
        assert_eq!(word.as_str(), Some(expected.as_str()), "{name}: {line}");
        let result = |one: &String| one.starts_with("gateway.example;") && one.contains(" smime=");
        assert_eq!(
            told.iter().filter(|one| result(one)).count(),
            1,
            "{name}: {told:?}"
        );
        let logged = log
            .lines()
            .any(|one| one.contains(id) && one.contains(&expected));
        assert!(logged, "{name}: {id} {expected}\n{log}");
    }
}

/// What lies deeper than eight layers is not judged, and so does not count as good (row C18).
#[test]
fn c24_a_broken_layer_beyond_the_limit_over_smtp() {
    let Some(scene) = start("attack-c24-deep") else {
        return;
    };
    let carol = &cast().carol;
    let inner = openssl::sign(PART, carol, None, false, Writing::Der);
    let mut mail = String::from_utf8(inner)
        .unwrap()
        .replace("agree", "AGREE")
        .into_bytes();
    for _ in 0..8 {
        mail = openssl::sign(&mail, carol, None, true, Writing::Der);
    }
    let not_valid = &["broken", "unsupported", "partial"];
    judge(&scene, &[Attempt::new("deep", &mail).signature(not_valid)]);
}
