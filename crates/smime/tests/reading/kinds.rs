//! What a message is: media types, transfer encodings, content types.

use crate::common::*;

#[test]
fn kinds_of_real_messages() {
    for (name, expected) in [
        ("clear-rsa", Kind::ClearSigned),
        ("opaque-der", Kind::Signed),
        ("opaque-stream", Kind::Signed),
        ("certs-only", Kind::CertsOnly),
        ("enveloped-rsa-der", Kind::Enveloped),
        ("enveloped-p256-stream", Kind::Enveloped),
        ("authenveloped-rsa", Kind::AuthEnveloped),
    ] {
        let raw = data(&format!("{name}.eml"));
        let message = Message::read(&raw).unwrap();
        assert_eq!(kind(&message).unwrap(), expected, "{name}");
        if expected != Kind::ClearSigned {
            assert_eq!(kind::check(&message).unwrap(), Ok(()), "{name}");
        }
    }
}

#[test]
fn a28_media_type_and_content_type_decide() {
    let (_, cms, _) = take_apart(&data("enveloped-rsa-der.eml"));
    let with = |fields: &str| {
        put_together(
            &format!(
                "From: a@example.com\r\n{fields}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            ),
            &cms,
            "",
        )
    };
    for (name, fields, expected) in [
        (
            "pkcs7-mime",
            "Content-Type: application/pkcs7-mime",
            Kind::Enveloped,
        ),
        (
            "x-pkcs7-mime",
            "Content-Type: Application/X-PKCS7-Mime",
            Kind::Enveloped,
        ),
        (
            "wrong smime-type",
            "Content-Type: application/pkcs7-mime; smime-type=signed-data",
            Kind::Enveloped,
        ),
        (
            "octet-stream",
            "Content-Type: application/octet-stream; name=x.bin",
            Kind::Plain,
        ),
        (
            "octet-stream .p7m",
            "Content-Type: application/octet-stream; name=smime.P7M",
            Kind::Enveloped,
        ),
        (
            "octet-stream file name",
            "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"a.p7m\"",
            Kind::Enveloped,
        ),
        (
            "text",
            "Content-Type: text/plain; name=smime.p7m",
            Kind::Plain,
        ),
        ("none", "Subject: none", Kind::Plain),
    ] {
        let raw = with(fields);
        assert_eq!(
            kind(&Message::read(&raw).unwrap()).unwrap(),
            expected,
            "{name}"
        );
    }
}

#[test]
fn cms_in_every_transfer_encoding() {
    let (_, cms, _) = take_apart(&data("enveloped-rsa-der.eml"));
    let head = "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: ";
    let quoted: String = cms.iter().map(|octet| format!("={octet:02X}")).collect();
    for raw in [
        [format!("{head}binary\r\n\r\n").as_bytes(), &cms].concat(),
        [format!("{head}8bit\r\n\r\n").as_bytes(), &cms].concat(),
        format!("{head}quoted-printable\r\n\r\n{quoted}").into_bytes(),
    ] {
        let message = Message::read(&raw).unwrap();
        assert_eq!(kind(&message).unwrap(), Kind::Enveloped);
        let mut out = Vec::new();
        assert!(matches!(
            decrypt(&message, &[&pair("alice")], Switches::default(), &mut out).unwrap(),
            Decryption::Opened(_)
        ));
        assert_eq!(out, data("entity"));
    }
}

#[test]
fn a28_what_is_declared_but_unreadable() {
    for (name, body, named_only) in [
        ("empty", "", Kind::Plain),
        ("text", "aGVsbG8gd29ybGQ=", Kind::Plain),
        (
            "other content type",
            "MBIGCSqGSIb3DQEHAaAFBANhYmM=",
            Kind::Plain,
        ),
    ] {
        let raw = format!(
            "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\r\n"
        );
        let found = kind(&Message::read(&raw.as_bytes()).unwrap()).unwrap();
        assert!(matches!(found, Kind::Malformed(_)), "{name}: {found:?}");
        let raw = raw.replace(
            "application/pkcs7-mime",
            "application/octet-stream; name=a.p7m",
        );
        assert_eq!(
            kind(&Message::read(&raw.as_bytes()).unwrap()).unwrap(),
            named_only,
            "{name}"
        );
    }
}

fn is_clean(raw: &[u8]) -> bool {
    kind::check(&Message::read(&raw).unwrap()).unwrap().is_ok()
}

/// A29: mail the client encrypted passes an enforced rule only if nothing else goes with it.
#[test]
fn a29_nothing_stands_beside_what_is_encrypted() {
    let raw = data("enveloped-rsa-der.eml");
    let (before, cms, _) = take_apart(&raw);
    assert!(is_clean(&raw) && is_clean(&data("authenveloped-rsa.eml")));
    let binary = before.replace(
        "Content-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: binary",
    );
    let of = |head: &str, body: &[u8]| [head.as_bytes(), body].concat();
    let base64 = put_together("", &cms, "");
    let in_front = [b"in clear\r\n", &base64[..]].concat();
    let first_line = base64.split(|b| *b == b'\n').next().unwrap().len() + 1;
    let between = [
        &base64[..first_line],
        b"!in-clear!\r\n",
        &base64[first_line..],
    ]
    .concat();
    for (name, raw, clean) in [
        ("as it is", of(&before, &base64), true),
        (
            "blank lines",
            of(&before, &[&base64[..], b"\r\n \r\n"].concat()),
            true,
        ),
        (
            "text behind",
            of(&before, &[&base64[..], b"\r\nin clear\r\n"].concat()),
            false,
        ),
        (
            "base64 behind",
            of(&before, &[&base64[..], b"\r\naW4gY2xlYXI=\r\n"].concat()),
            false,
        ),
        ("text in front", of(&before, &in_front), false),
        ("text between", of(&before, &between), false),
        ("binary", of(&binary, &cms), true),
        (
            "binary, line end",
            of(&binary, &[&cms[..], b"\r\n"].concat()),
            true,
        ),
        (
            "binary, text",
            of(&binary, &[&cms[..], b"in clear"].concat()),
            false,
        ),
        (
            "two bodies",
            of(
                &before.replace("\r\n\r\n", "\r\nContent-Type: text/plain\r\n\r\n"),
                &base64,
            ),
            false,
        ),
    ] {
        assert_eq!(is_clean(&raw), clean, "{name}");
    }
}

#[test]
fn a29_the_content_cipher_must_be_known() {
    let cipher = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42];
    for (name, last) in [
        ("a cipher nobody knows", 99),
        ("a cipher that belongs elsewhere", 46),
    ] {
        let raw = changed(&data("enveloped-rsa-der.eml"), |mut cms| {
            let at = find(&cms, &cipher);
            cms[at + 8] = last;
            cms
        });
        assert!(!is_clean(&raw), "{name}");
    }
    // The object is whole and its content in clear.
    let clear = changed(&data("enveloped-rsa-der.eml"), |cms| {
        let (oid, mut parts) = fields(&cms);
        let data_oid = inside(&parts[2])[0].clone();
        parts[2] = tlv(
            0x30,
            &[
                data_oid.clone(),
                tlv(0x30, &data_oid),
                tlv(0x80, b"in clear"),
            ]
            .concat(),
        );
        rebuilt(&oid, &parts)
    });
    assert!(!is_clean(&clear));
}

#[test]
fn a29_text_around_a_multipart_signed() {
    let raw = data("clear-rsa.eml");
    assert!(is_clean(&raw), "the remark of OpenSSL");
    let remark = "This is an S/MIME signed message";
    let text = String::from_utf8(raw.clone()).unwrap();
    for (name, remark_instead, behind, clean) in [
        ("no remark", "", "", true),
        (
            "that of Thunderbird",
            "This is a cryptographically signed message in MIME format.",
            "",
            true,
        ),
        ("another one", "Here is the price: 100", "", false),
        (
            "both",
            "This is an S/MIME signed message\r\nin clear",
            "",
            false,
        ),
        ("blank lines behind", remark, "\r\n\r\n", true),
        ("text behind", remark, "in clear\r\n", false),
        ("much behind", remark, &"x\r\n".repeat(10_000), false),
    ] {
        let raw = text.replace(remark, remark_instead) + behind;
        assert_eq!(is_clean(raw.as_bytes()), clean, "{name}");
    }
    let in_signature = changed(&raw, |cms| [&cms[..], b"in clear"].concat());
    assert!(!is_clean(&in_signature));
}
