//! What a signature covers and whose it is: detached and opaque, parts beside others, From, layers.

use crate::common::*;

#[test]
fn c4_content_inside_a_detached_signature() {
    let clear = data("clear-rsa.eml");
    let (_, opaque, _) = take_apart(&data("opaque-der.eml"));
    let shown = replaced(&clear, "quick brown", "evil");
    for raw in [clear, shown] {
        let report = Setting::usual().verify(&changed(&raw, |_| opaque.clone()));
        let fault = Fault::Malformed(Malformed("a detached signature with content inside"));
        assert_eq!(
            (report.verdict, report.fault),
            (Verdict::Broken, Some(fault))
        );
    }
}

#[test]
fn c5_all_signers_must_verify() {
    // The same two signers; of one the certificate cannot be read any more.
    let two = changed(&data("clear-two.eml"), |mut cms| {
        let at = find(&cms, b"bob@example.com");
        cms[at] = b'r';
        cms
    });
    let report = Setting::usual().verify(&two);
    assert_eq!(report.signers.len(), 2);
    assert!(
        report
            .signers
            .iter()
            .any(|signer| signer.verdict == Verdict::Valid)
    );
    assert!(!report.verdict.is_good(), "{}", report.verdict);
}

#[test]
fn c6_no_signer_in_a_multipart_signed() {
    let (_, bag, _) = take_apart(&data("certs-only.eml"));
    assert_eq!(
        verdict(&changed(&data("clear-rsa.eml"), |_| bag)),
        Verdict::Broken
    );
    let (_, enveloped, _) = take_apart(&data("enveloped-rsa-der.eml"));
    assert_eq!(
        verdict(&changed(&data("clear-rsa.eml"), |_| enveloped)),
        Verdict::Broken
    );
    assert_eq!(
        verdict(&changed(&data("clear-rsa.eml"), |_| b"hello".to_vec())),
        Verdict::Broken
    );
    assert_eq!(
        verdict(&changed(&data("clear-rsa.eml"), |_| Vec::new())),
        Verdict::Broken
    );
}

#[test]
fn c7_signed_parts_make_no_signed_message() {
    let text = String::from_utf8(data("clear-rsa.eml")).unwrap();
    let inner = &text[text.find("MIME-Version").unwrap()..];
    let (_, opaque, _) = take_apart(&data("opaque-der.eml"));
    let opaque = put_together(
        "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        &opaque,
        "",
    );
    let opaque = String::from_utf8(opaque).unwrap();
    for (name, kind, parts) in [
        ("prepended", "mixed", vec!["\r\nRead this first.", inner]),
        (
            "alternative",
            "alternative",
            vec![inner, "Content-Type: text/html\r\n\r\n<b>other</b>"],
        ),
        (
            "related",
            "related",
            vec!["Content-Type: text/html\r\n\r\n<b>x</b>", inner],
        ),
        ("opaque part", "mixed", vec!["\r\ntext", &opaque]),
        (
            "forwarded",
            "mixed",
            vec!["\r\ntext", "Content-Type: message/rfc822\r\n\r\n", &text],
        ),
    ] {
        let body = parts.join(if name == "forwarded" {
            ""
        } else {
            "\r\n--outer\r\n"
        });
        let body = if name == "forwarded" {
            format!("{}\r\n--outer\r\n{}{}", parts[0], parts[1], parts[2])
        } else {
            body
        };
        let raw = format!(
            "From: alice@example.com\r\nContent-Type: multipart/{kind}; boundary=outer\r\n\r\n--outer\r\n{body}\r\n--outer--\r\n"
        );
        assert_eq!(verdict(raw.as_bytes()), Verdict::Partial, "{name}");
    }
    assert_eq!(
        verdict(b"From: alice@example.com\r\n\r\nhello\r\n"),
        Verdict::None
    );
}

#[test]
fn c8_sender_binding() {
    let raw = data("clear-rsa.eml");
    for (name, from, expected) in [
        ("as it is", "From: alice@example.com", Verdict::Valid),
        ("case", "From: Alice <ALICE@Example.COM>", Verdict::Valid),
        (
            "other",
            "From: boss@example.com",
            Verdict::ValidOtherAddress,
        ),
        (
            "name only",
            "From: \"alice@example.com\" <boss@example.com>",
            Verdict::ValidOtherAddress,
        ),
        (
            "two addresses",
            "From: alice@example.com, boss@example.com",
            Verdict::ValidOtherAddress,
        ),
        (
            "two fields",
            "From: alice@example.com\r\nFrom: boss@example.com",
            Verdict::ValidOtherAddress,
        ),
        (
            "sender",
            "From: boss@example.com\r\nSender: alice@example.com",
            Verdict::ValidOtherAddress,
        ),
        (
            "the same address twice",
            "From: alice@example.com, alice@example.com",
            Verdict::ValidOtherAddress,
        ),
        (
            "the same field twice",
            "From: alice@example.com\r\nFrom: alice@example.com",
            Verdict::ValidOtherAddress,
        ),
        (
            "a group",
            "From: alice@example.com: boss@example.com;",
            Verdict::ValidOtherAddress,
        ),
        (
            "a comment",
            "From: boss@example.com (alice@example.com)",
            Verdict::ValidOtherAddress,
        ),
        (
            "an encoded word",
            "From: =?utf-8?q?alice=40example=2Ecom?= <boss@example.com>",
            Verdict::ValidOtherAddress,
        ),
        (
            "an address in quotes",
            "From: \"alice@example.com\"@example.net",
            Verdict::ValidOtherAddress,
        ),
        (
            "resent",
            "From: boss@example.com\r\nResent-From: alice@example.com\r\nReply-To: alice@example.com",
            Verdict::ValidOtherAddress,
        ),
        ("no address", "From: alice", Verdict::ValidOtherAddress),
        ("empty path", "From: <>", Verdict::ValidOtherAddress),
        ("empty", "From: ", Verdict::ValidOtherAddress),
        (
            "none",
            "X-From: alice@example.com",
            Verdict::ValidOtherAddress,
        ),
    ] {
        assert_eq!(
            verdict(&replaced(&raw, "From: alice@example.com", from)),
            expected,
            "{name}"
        );
    }
}

#[test]
fn c9_signing_time_far_from_the_date() {
    let raw = data("clear-rsa.eml");
    let time = Setting::usual().verify(&raw).signers[0]
        .signing_time
        .unwrap();
    for (seconds, expected) in [
        (0, vec![]),
        (3600, vec![]),
        (-7200, vec![Note::SigningTimeFarFromDate]),
    ] {
        let dated = replaced(
            &raw,
            "Subject:",
            &format!("Date: {}\r\nSubject:", time.plus(seconds).rfc5322()),
        );
        assert_eq!(Setting::usual().verify(&dated).notes, expected, "{seconds}");
    }
}

#[test]
fn a_multipart_signed_has_two_parts() {
    let raw = data("clear-rsa.eml");
    let text = String::from_utf8(raw.clone()).unwrap();
    let boundary = text
        .split("boundary=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let extra = format!("\r\n--{boundary}\r\n\r\nextra\r\n--{boundary}--");
    assert_eq!(
        verdict(&replaced(&raw, &format!("\r\n--{boundary}--"), &extra)),
        Verdict::Broken
    );
    let text_part = replaced(
        &raw,
        "application/pkcs7-signature; name",
        "text/plain; name",
    );
    assert_eq!(verdict(&text_part), Verdict::Broken);
    let doubled = replaced(
        &raw,
        "MIME-Version: 1.0\r\n",
        "MIME-Version: 1.0\r\nMIME-Version: 1.0\r\n",
    );
    assert_eq!(verdict(&doubled), Verdict::Broken);
    let silent = replaced(&raw, "protocol=\"application/pkcs7-signature\"; ", "");
    assert_eq!(verdict(&silent), Verdict::Valid);
    assert_eq!(
        verdict(&replaced(&silent, "quick", "Quick")),
        Verdict::Broken
    );
}

#[test]
fn c24_triple_wrap_shows_both_signatures() {
    // Encrypted content inside a signature: the kind under the signature is the one of A28.
    let (_, cms, _) = take_apart(&data("opaque-der.eml"));
    let (oid, mut parts) = fields(&cms);
    let data_oid = inside(&parts[2])[0].clone();
    let encrypted = data("enveloped-rsa-der.eml");
    parts[2] = tlv(
        0x30,
        &[data_oid, tlv(0xA0, &tlv(0x04, &encrypted))].concat(),
    );
    let raw = changed(&data("opaque-der.eml"), |_| rebuilt(&oid, &parts));
    let message = Message::read(&raw).unwrap();
    assert_eq!(kind(&message).unwrap(), Kind::Signed);
    assert_eq!(kind_under_signatures(&message).unwrap(), Kind::Enveloped);
    assert_eq!(verdict(&raw), Verdict::Broken);
    let entity = signed_entity(&message).unwrap().unwrap();
    let inner = Message::read(&entity).unwrap();
    let mut out = Vec::new();
    assert!(matches!(
        decrypt(&inner, &[&pair("alice")], Switches::default(), &mut out).unwrap(),
        Decryption::Opened(_)
    ));
    assert_eq!(out, data("entity"));
}

/// Row C5: a further signer, in front or behind, whose signature is bad or whose person is another.
#[test]
fn c5_a_second_signer_in_any_place() {
    let two = data("clear-two.eml");
    let (_, cms, _) = take_apart(&two);
    let (_, parts) = fields(&cms);
    let signers = inside(&parts[4]);
    let [one, other] = signers.as_slice() else {
        panic!("two signers")
    };
    let spoilt = |signer: &[u8]| {
        let mut signer = signer.to_vec();
        let last = signer.len() - 1;
        signer[last] ^= 1;
        signer
    };
    for (name, signers, expected) in [
        ("as it is", [one.clone(), other.clone()], Verdict::Valid),
        ("turned", [other.clone(), one.clone()], Verdict::Valid),
        (
            "spoilt behind",
            [one.clone(), spoilt(other)],
            Verdict::Broken,
        ),
        (
            "spoilt in front",
            [spoilt(other), one.clone()],
            Verdict::Broken,
        ),
        ("spoilt twin", [one.clone(), spoilt(one)], Verdict::Broken),
        (
            "first spoilt",
            [spoilt(one), other.clone()],
            Verdict::Broken,
        ),
    ] {
        let raw = changed(&two, |cms| {
            let (oid, mut parts) = fields(&cms);
            parts[4] = tlv(0x31, &signers.concat());
            rebuilt(&oid, &parts)
        });
        assert_eq!(verdict(&raw), expected, "{name}");
        let raw = replaced(&raw, "From: alice@example.com", "From: boss@example.com");
        assert!(![Verdict::Valid].contains(&verdict(&raw)), "{name}");
    }
}

#[test]
fn c6_certificates_alone_are_no_signature() {
    let bag = data("certs-only.eml");
    assert_eq!(verdict(&bag), Verdict::None);
    // Some programs write an empty content beside them.
    let empty = changed(&bag, |cms| {
        let (oid, mut parts) = fields(&cms);
        let data_oid = inside(&parts[2])[0].clone();
        parts[2] = tlv(0x30, &[data_oid, tlv(0xA0, &tlv(0x04, &[]))].concat());
        rebuilt(&oid, &parts)
    });
    assert_eq!(
        kind(&Message::read(&empty).unwrap()).unwrap(),
        Kind::CertsOnly
    );
    let report = Setting::usual().verify(&empty);
    assert_eq!(
        (report.verdict, report.certificates.len()),
        (Verdict::None, 2)
    );
    let without_signers = changed(&data("clear-rsa.eml"), |cms| {
        let (oid, mut parts) = fields(&cms);
        parts[4] = tlv(0x31, &[]);
        rebuilt(&oid, &parts)
    });
    assert_eq!(verdict(&without_signers), Verdict::Broken);
    let opaque = changed(&data("opaque-der.eml"), |cms| {
        let (oid, mut parts) = fields(&cms);
        parts[4] = tlv(0x31, &[]);
        rebuilt(&oid, &parts)
    });
    assert_eq!(verdict(&opaque), Verdict::Broken);
}

/// Row C7, further ways to show something else than what was signed.
#[test]
fn c7_hidden_attached_and_in_a_digest() {
    let text = String::from_utf8(data("clear-rsa.eml")).unwrap();
    let signed = &text[text.find("MIME-Version").unwrap()..];
    let (_, opaque, _) = take_apart(&data("opaque-der.eml"));
    let attached = put_together(
        "Content-Type: application/octet-stream; name=smime.p7m\r\nContent-Disposition: attachment\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n",
        &opaque,
        "",
    );
    let attached = String::from_utf8(attached).unwrap();
    let html = "Content-Type: text/html\r\n\r\n<b>pay</b><div style=\"display:none\">";
    for (name, kind, parts) in [
        ("hidden by HTML", "mixed", [html, signed]),
        ("behind", "mixed", [signed, "\r\nPS: pay"]),
        ("attached", "mixed", ["\r\npay", &attached]),
        (
            "in a digest",
            "digest",
            [&format!("\r\n{text}"), "\r\nSubject: x\r\n\r\ny"],
        ),
        ("report", "report", ["\r\npay", signed]),
    ] {
        let raw = format!(
            "From: alice@example.com\r\nContent-Type: multipart/{kind}; boundary=outer\r\n\r\n--outer\r\n{}\r\n\
             --outer\r\n{}\r\n--outer--\r\n",
            parts[0], parts[1]
        );
        assert_eq!(verdict(raw.as_bytes()), Verdict::Partial, "{name}");
    }
}

/// Row C9: the signature says nothing of the header; a Date far from the signing time is remarked.
#[test]
fn c9_a_replay_under_another_header_is_remarked() {
    let raw = replaced(
        &data("clear-rsa.eml"),
        "Subject: test",
        "Subject: urgent\r\nDate: Fri, 15 Jan 2027 08:00:00 +0000",
    );
    let raw = replaced(&raw, "To: bob@example.com", "To: carol@example.com");
    let report = Setting::usual().verify(&raw);
    assert_eq!(report.verdict, Verdict::Valid);
    assert_eq!(report.notes, [Note::SigningTimeFarFromDate]);
}
