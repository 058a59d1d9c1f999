//! What of headers, inside and outside, a delivered copy shows.

use super::*;
use crate::tenant::Language;
use crate::testdata::cpu_time;
use sealgate_mail::HeaderBlock;

const DECRYPTED: InboundOutcome = InboundOutcome::DeliverDecrypted;

fn tagging() -> Settings {
    Settings {
        subject_tags: true,
        ..Settings::default()
    }
}

/// What us@we.example gets of this mail.
fn delivered(
    shelf: &MemoryShelf,
    raw: &str,
    outcome: InboundOutcome,
    settings: Settings,
) -> String {
    let content = stored(shelf, raw);
    let ring = pair("us");
    let ring = if outcome == DECRYPTED {
        vec![&ring]
    } else {
        Vec::new()
    };
    let mut found = opened(shelf, content.as_ref(), &ring);
    if settings.neutralise {
        neutralise(&mut found, shelf).unwrap();
    }
    // What is no well-formed content stays encrypted (row C1).
    let outcome = match (outcome, &found.entity) {
        (DECRYPTED, None) => InboundOutcome::DeliverEncrypted,
        (outcome, _) => outcome,
    };
    let given = (&[found][..], None, settings);
    unfolded(&text_of(&receive_with(shelf, &content, outcome, given)))
}

/// With LF line ends, and the results on one line each.
fn unfolded(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let end = text.find("\nFrom:").unwrap_or(0);
    let (results, rest) = text.split_at(end);
    results.replace("\n ", " ") + rest
}

/// An entity encrypted to us, unsigned, in a mail from a stranger.
fn encrypted(inner: &str) -> String {
    let entity = inner.replace('\n', "\r\n");
    let us = EncryptToUs::encrypt(&Bytes(entity.as_bytes()));
    format!("From: eve@x.example\nSubject: outer\n{us}")
}

/// What our mailbox sends of this mail, as alice gets it.
fn sent(shelf: &MemoryShelf, raw: &str, outcome: OutboundOutcome) -> String {
    let content = stored(shelf, raw);
    let (key, own) = (key("us"), certificate("us"));
    let (from, params) = (ReversePath::Null, MailParams::default());
    let work = OutboundWork {
        received: Received {
            content: &content,
            from: &from,
            params: &params,
            prepend: "",
        },
        recipients: &[settled(ALICE, outcome, &["alice"])],
        signer: Some(Signer {
            key: &key,
            certificate: &own,
            chain: &[],
            rsa_signature: Default::default(),
        }),
        own: None,
        now: NOW,
        protect_header: true,
    };
    let copies = outbound(&work, shelf, &mut Counter(7)).unwrap();
    text_of(&copies[0]).replace("\r\n", "\n")
}

/// What readers see of the parts of a mail.
fn shown(text: &str) -> String {
    let raw = text.replace('\n', "\r\n").into_bytes();
    let mut shown = Vec::new();
    for part in Message::read(&raw).unwrap().structure().unwrap().all() {
        io::Read::read_to_end(&mut part.decoded(&raw).unwrap(), &mut shown).unwrap();
    }
    String::from_utf8_lossy(&shown).into_owned()
}

fn head_of(text: &str) -> &str {
    text.split_once("\n\n").unwrap().0
}

#[test]
fn g1_forged_tags_are_taken_out_everywhere() {
    let shelf = MemoryShelf::default();
    let raw = "From: a@x.example\nSubject: [signed] one\nSubject: =?utf-8?Q?=5Bsigned=5D?= two\nContent-Type: multipart/mixed; \
               boundary=b\n\npreamble\n--b\nSubject: [signed] part\n\ntext [signed]\n--b\nContent-Type: message/rfc822\n\n\
               Subject: [\u{455}igned] attached\nContent-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: \
               message/rfc822\n\nsubject: [sig[encrypted]ned]\n deep\n\nkept\n--c--\n--b--\n";
    let text = delivered(&shelf, raw, InboundOutcome::Deliver, tagging());
    let expected = "From: a@x.example\nSubject: one\nSubject: two\nContent-Type: multipart/mixed; \
               boundary=b\n\npreamble\n--b\nSubject: part\n\ntext [signed]\n--b\nContent-Type: message/rfc822\n\n\
               Subject: attached\nContent-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: \
               message/rfc822\n\nSubject: deep\n\nkept\n--c--\n--b--\n";
    assert_eq!(text, format!("{PREPEND}{expected}").replace("\r\n", "\n"));
    // Without tags of ours, nobody takes those for ours.
    let untouched = delivered(&shelf, raw, InboundOutcome::Deliver, Settings::default());
    assert_eq!(untouched, format!("{PREPEND}{raw}").replace("\r\n", "\n"));
}

#[test]
fn g1_an_encoded_attached_mail_with_forged_tags_is_no_mail_any_more() {
    let shelf = MemoryShelf::default();
    // Subject: [signed] s / Subject: s
    for (body, closed) in [
        ("U3ViamVjdDogW3NpZ25lZF0gcwoKeA==", true),
        ("U3ViamVjdDogcwoKeA==", false),
    ] {
        let raw = format!(
            "From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\
             Content-Transfer-Encoding: base64\n\n{body}\n--b--\n"
        );
        let text = delivered(&shelf, &raw, InboundOutcome::Deliver, tagging());
        assert_eq!(text.contains("application/octet-stream"), closed, "{text}");
        assert_eq!(text.contains("message/rfc822"), !closed, "{text}");
        assert!(text.contains(body));
    }
}

#[test]
fn g1_a_mail_that_is_an_attached_mail_is_looked_into() {
    let shelf = MemoryShelf::default();
    let inner = "Content-Type: message/rfc822\n\nSubject: [signed] attached\n\nkept\n";
    let raw = format!("From: a@x.example\n{inner}");
    let plain = delivered(&shelf, &raw, InboundOutcome::Deliver, tagging());
    let opened = delivered(&shelf, &encrypted(inner), DECRYPTED, tagging());
    for text in [plain, opened] {
        assert!(text.contains("\n\nSubject: attached\n\nkept\n"), "{text}");
    }
}

#[test]
fn g1_forged_tags_in_what_was_encrypted_are_taken_out() {
    let shelf = MemoryShelf::default();
    let inner = "Content-Type: multipart/mixed; boundary=b; hp=cipher\nSubject: [signed] inner [encrypted]\n\n--b\nContent-Type: \
                 message/rfc822\n\nSubject: [signed] attached\n\nkept\n--b--\n";
    let text = delivered(&shelf, &encrypted(inner), DECRYPTED, tagging());
    assert!(
        text.contains("\nSubject: [encrypted] inner\nMIME-Version: 1.0\n"),
        "{text}"
    );
    assert!(text.contains("\n\nSubject: attached\n\nkept\n"), "{text}");
}

#[test]
fn g1_held_mail_is_released_without_forged_tags() {
    let shelf = MemoryShelf::default();
    let content = stored(&shelf, "From: a@x.example\nSubject: [signed] s\n\nkept\n");
    let (from, params) = (ReversePath::Null, MailParams::default());
    let received = Received {
        content: &content,
        from: &from,
        params: &params,
        prepend: "",
    };
    let host = Domain::parse("gate.example").unwrap();
    let own = Own {
        authserv_id: &host,
        trace_key: &[7; 32],
    };
    let copy = as_it_came(received, to("us@we.example"), own, tagging(), &shelf).unwrap();
    assert_eq!(
        text_of(&copy),
        "From: a@x.example\r\nSubject: s\r\n\r\nkept\r\n"
    );
}

/// What a mail shows to those who look into every part and every signature: all Subject fields.
fn subjects(text: &str) -> Vec<String> {
    let raw = text.replace('\n', "\r\n").into_bytes();
    subjects_of(&Message::read(&raw).unwrap())
}

fn subjects_of(message: &Message<'_>) -> Vec<String> {
    use sealgate_smime::verify::signed_entity;
    let mut found = Vec::new();
    for part in message.structure().unwrap().all() {
        let fields = part.header.all("Subject");
        found.extend(fields.map(|field| field.decoded()));
        let slice = part.slice(message.content());
        let message = Message::read(&slice).unwrap();
        if kind(&message).unwrap() == Kind::Signed {
            let entity = signed_entity(&message).unwrap().unwrap();
            found.extend(subjects_of(&Message::read(&entity).unwrap()));
        }
        let media = &part.content_type;
        if media.is("message", "rfc822") && !part.is_message() {
            let mut decoded = Vec::new();
            let mut reader = part.decoded(message.content()).unwrap();
            io::Read::read_to_end(&mut reader, &mut decoded).unwrap();
            found.extend(subjects_of(&Message::read(&decoded).unwrap()));
        }
    }
    found
}

/// Fields and body of this entity in a signature of ours.
fn signed_by_us(entity: &str, form: sealgate_smime::sign::Form) -> String {
    use sealgate_smime::sign::sign;
    let (key, own) = (key("us"), certificate("us"));
    let signer = Signer {
        key: &key,
        certificate: &own,
        chain: &[],
        rsa_signature: Default::default(),
    };
    let entity = entity.replace('\n', "\r\n");
    let mut chance = Counter(entity.len() as u64);
    let entity = Bytes(entity.as_bytes());
    let signed = sign(&entity, form, signer, NOW, &mut chance).unwrap();
    let mut body = Vec::new();
    signed.body().write_to(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    format!("{}\r\n{body}", signed.fields()).replace("\r\n", "\n")
}

fn in_both_forms(entity: &str) -> [String; 2] {
    use sealgate_smime::sign::Form;
    [Form::Clear, Form::Opaque].map(|form| signed_by_us(entity, form))
}

const TAGGED: &str = "Content-Type: multipart/mixed; boundary=m; hp=clear
Subject: [signed] whole

--m
Subject: [signed] part

kept
--m
Content-Type: message/rfc822

Subject: Re: [encrypted] attached

kept too
--m--
";

/// A signature that is not valid is worth less than a clean subject; one that is stays whole, and what it says its signer says.
#[test]
fn g1_only_a_valid_signature_keeps_tags() {
    let shelf = MemoryShelf::default();
    for (form, signed) in in_both_forms(TAGGED).into_iter().enumerate() {
        let mail = format!("From: us@we.example\nSubject: s\n{signed}");
        let body = |text: &str| text.split_once("\n\n").unwrap().1.to_owned();
        let valid = delivered(&shelf, &mail, InboundOutcome::Deliver, tagging());
        assert!(valid.contains("signature=valid;"), "{valid}");
        assert!(valid.contains("\nSubject: [signed] whole\n"), "{valid}");
        assert_eq!(body(&valid), body(&mail), "{form}: octet for octet");
        let table = [
            (
                mail.replace("From: us@", "From: eve@"),
                "valid-other-address",
            ),
            (mail.replace("kept too", "kept two"), "broken"),
        ];
        // The text of the opaque one cannot be changed so simply.
        for (mail, verdict) in table.into_iter().take(2 - form) {
            let text = delivered(&shelf, &mail, InboundOutcome::Deliver, tagging());
            assert!(text.contains(&format!("signature={verdict};")), "{text}");
            let mut shown = subjects(&text);
            shown.retain(|subject| subject != "whole");
            let expected = ["[signature invalid] s", "part", "Re: attached"];
            assert_eq!(shown, expected, "{form}, {verdict}: {text}");
            assert!(text.contains("kept t"), "{form}: {text}");
            // Without tags of ours, nobody takes those for ours.
            let settings = Settings::default();
            let untouched = delivered(&shelf, &mail, InboundOutcome::Deliver, settings);
            assert_eq!(body(&untouched), body(&mail), "{form}, {verdict}");
        }
    }
}

/// The same for signatures that came encrypted, for those of parts, which nobody judges, and for signatures in signatures.
#[test]
fn g1_no_signature_hides_a_tag() {
    let shelf = MemoryShelf::default();
    let [clear, once] = in_both_forms(TAGGED);
    let as_mail = |entity: &str| format!("From: eve@x.example\nSubject: s\n{entity}");
    let beside = |entity: &str| {
        let head = "From: eve@x.example\nSubject: s\nContent-Type: multipart/mixed; boundary=o\n\n--o\n\nsee\n--o\n";
        format!("{head}{entity}\n--o--\n")
    };
    let attached = |entity: &str| format!("Content-Type: message/rfc822\n\nSubject: a\n{entity}");
    let in_opaque = |entity: &String| {
        let [_, opaque] = in_both_forms(entity);
        Some(opaque)
    };
    let mut layers = std::iter::successors(Some(once.clone()), in_opaque);
    let (often, too_often) = (layers.nth(3).unwrap(), layers.nth(13).unwrap());
    let [in_clear, _] = in_both_forms(&once);
    let huge = format!("Content-Type: text/plain\nX: {}\n\n", "x".repeat(1_100_000));
    let [_, huge] = in_both_forms(&huge);
    for inner in [&clear, &once, &often, &in_clear, &too_often, &huge] {
        for raw in [
            as_mail(inner),
            beside(inner),
            beside(&attached(inner)),
            as_mail(&attached(inner)),
            encrypted(inner),
            encrypted(&attached(inner)),
        ] {
            let outcome = match raw.contains("enveloped-data") {
                true => DECRYPTED,
                false => InboundOutcome::Deliver,
            };
            let text = delivered(&shelf, &raw, outcome, tagging());
            let shown = subjects(&text);
            let cleaner = crate::subject::Cleaner::default();
            let forged = |subject: &&String| {
                let own = [
                    "[signature invalid] ",
                    "[signature not verified] ",
                    "[encrypted] ",
                ];
                let rest = own.iter().fold(subject.as_str(), |text, tag| {
                    text.strip_prefix(tag).unwrap_or(text)
                });
                cleaner.cleaned_text(rest).is_some()
            };
            assert_eq!(shown.iter().find(forged), None, "{raw:.400}\n\n{text:.800}");
        }
    }
}

/// Attached mails with subjects that take long to judge, as many as there is room for.
fn with_attached(count: usize, encoding: &str) -> String {
    let subject = "[\u{455}\u{262}n] ".repeat(20);
    let attached = match encoding {
        "base64" => "U3ViamVjdDogW3NpZ25lZAoKeA==".to_owned(),
        _ => format!("Subject: {subject}\n\nx"),
    };
    let part = format!(
        "--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: {encoding}\n\n{attached}\n"
    );
    let parts = part.repeat(count);
    format!("From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n")
}

#[test]
fn c20_many_attached_mails_cost_linear_time() {
    let shelf = MemoryShelf::default();
    for encoding in ["8bit", "base64"] {
        let time = |count: usize| {
            let raw = with_attached(count, encoding);
            let start = std::time::Instant::now();
            let before = cpu_time(start);
            let _ = delivered(&shelf, &raw, InboundOutcome::Deliver, tagging());
            (cpu_time(start) - before).as_secs_f64()
        };
        let _ = time(50);
        let (few, many) = (time(500), time(2_000));
        // Four times as much; quadratic would be sixteen.
        assert!(many < few.max(0.01) * 10.0, "{encoding}: {few} and {many}");
    }
}

#[test]
fn g7_every_signed_mail_is_told_from_an_unsigned_one() {
    let shelf = MemoryShelf::default();
    let signed = text_of(&send(&shelf, MAIL, &[settled("a@x.example", SIGN, &[])])[0]);
    let signed = signed.replace("\r\n", "\n");
    let changed = signed.replace("\n\nHello\n", "\n\nHallo\n");
    let other = signed.replace("From: us@we.example", "From: boss@we.example");
    let table = [
        (&signed, "pass", "signature=valid", "Subject: [signed] s"),
        (
            &changed,
            "fail",
            "signature=broken",
            "Subject: [signature invalid] s",
        ),
        (
            &other,
            "policy",
            "signature=valid-other-address",
            "Subject: [signature invalid] s",
        ),
    ];
    for (raw, result, verdict, subject) in table {
        for settings in [Settings::default(), tagging()] {
            let text = delivered(&shelf, raw, InboundOutcome::Deliver, settings);
            let head = head_of(&text);
            assert!(
                head.contains(&format!("smime={result} ")) && head.contains(verdict),
                "{head}"
            );
            let subject = if settings.subject_tags {
                subject
            } else {
                "Subject: s"
            };
            assert!(head.contains(&format!("{subject}\n")), "{head}");
        }
    }
    let german = Settings {
        language: Language::De,
        ..tagging()
    };
    let text = delivered(&shelf, &signed, InboundOutcome::Deliver, german);
    assert!(text.contains("\nSubject: [signiert] s\n"), "{text}");
    // The signature is kept, octet for octet.
    let again = opened(&shelf, &text.replace('\n', "\r\n").as_bytes(), &[]);
    assert_eq!(again.verdicts.signature, SignatureVerdict::Valid);
}

/// Rows G3 and G4, one field each: what stands inside does not come out, and the outer From stays.
#[test]
fn g3_no_field_from_inside_but_those_allowed() {
    let shelf = MemoryShelf::default();
    let long = format!("X-Long: {}", "marker".repeat(11_000));
    let fields = [
        "Subject: marker",
        "From: marker@we.example",
        "From: boss@we.example\nFrom: marker@we.example",
        "To: marker@x.example",
        "Cc: marker@x.example",
        "Bcc: marker@x.example",
        "Received: from marker by marker; marker",
        "Authentication-Results: gate.example; smime=pass marker",
        "X-Sealgate-Result: signature=valid marker",
        "X-Sealgate-Trace: marker",
        "DKIM-Signature: marker",
        "Return-Path: <marker@x.example>",
        "Reply-To: marker@x.example",
        "Message-ID: <marker@x.example>",
        "Date: marker",
        "Sender: marker@x.example",
        "List-Unsubscribe: <http://marker>",
        "MIME-Version: marker",
        "Content-Marker: a\rBcc: b",
        "Content-Marker: a\0b",
        "no field marker",
        &long,
    ];
    for field in fields {
        for media in [
            "text/plain",
            "text/plain; hp=clear",
            "text/plain; hp=\"cipher\"",
        ] {
            let inner = format!("Content-Type: {media}\n{field}\nContent-Language: en\n\nbody\n");
            let raw = encrypted(&inner);
            let text = delivered(&shelf, &raw, DECRYPTED, Settings::default());
            let honoured = media.contains("hp") && field == "Subject: marker";
            let head = head_of(&text);
            assert_eq!(
                head.contains("marker"),
                honoured,
                "{media}, {field:.40}: {head}"
            );
            assert!(head.contains("\nFrom: eve@x.example\n"), "{head}");
            if head.contains("encryption=failed") {
                let malformed = field.contains('\0') || !field.contains(':');
                assert!(malformed, "{field:?}");
                continue;
            }
            let allowed = [
                "Received",
                "Authentication-Results",
                "X-Sealgate-Result",
                "From",
                "Subject",
            ];
            for name in HeaderBlock::parse(head.as_bytes())
                .fields()
                .map(|f| f.name().to_owned())
            {
                let mime = name.starts_with("Content-") || name == "MIME-Version";
                assert!(
                    mime || allowed.contains(&name.as_str()),
                    "{field:.40}: {head}"
                );
            }
            assert_eq!(head.matches("MIME-Version").count(), 1, "{head}");
            assert!(!head.to_ascii_lowercase().contains("bcc"), "{head}");
            assert!(!text.contains('\r') && !text.contains('\0'), "{field:.40}");
        }
    }
}

#[test]
fn g4_an_inner_message_is_not_authenticated() {
    let shelf = MemoryShelf::default();
    let inner = "Content-Type: message/rfc822; forwarded=no\n\nFrom: boss@we.example\nTo: us@we.example\nSubject: pay\n\
                 Authentication-Results: gate.example; smime=pass\nX-Sealgate-Result: signature=valid\n\npay now\n";
    let text = delivered(&shelf, &encrypted(inner), DECRYPTED, Settings::default());
    let head = head_of(&text);
    assert!(
        head.contains("X-Sealgate-Result: signature=none; encryption=decrypted\n"),
        "{head}"
    );
    assert!(
        head.contains("\nFrom: eve@x.example\n") && !head.contains("boss"),
        "{head}"
    );
    assert!(
        head.contains("smime=none") && !head.contains("smime=pass"),
        "{head}"
    );
    // The older form of header protection: the Subject counts, nothing else does.
    assert!(head.contains("\nSubject: pay\n"), "{head}");
}

#[test]
fn c9_a_replayed_text_keeps_the_subject_it_was_signed_with() {
    let shelf = MemoryShelf::default();
    let mail = MAIL.replace("Subject: s", "Subject: lunch at noon");
    let signed = sent(&shelf, &mail, SIGN);
    assert!(
        signed.contains("hp=\"clear\"") && !signed.contains("hidden@"),
        "{signed}"
    );
    let replayed = signed.replacen("Subject: lunch at noon", "Subject: pay at once", 1);
    assert_ne!(signed, replayed);
    let text = delivered(
        &shelf,
        &replayed,
        InboundOutcome::Deliver,
        Settings::default(),
    );
    let head = head_of(&text);
    assert!(
        head.contains("\nSubject: lunch at noon\n") && !head.contains("pay at once"),
        "{head}"
    );
    assert!(
        head.contains("signature=valid; encryption=none; covers=body+subject"),
        "{head}"
    );
    // A signature without copies of the fields says that it covers the body alone, and changes nothing.
    let plain = text_of(&send(&shelf, &mail, &[settled("a@x.example", SIGN, &[])])[0]);
    let replayed = plain
        .replace("\r\n", "\n")
        .replace("lunch at noon", "pay at once");
    let text = delivered(
        &shelf,
        &replayed,
        InboundOutcome::Deliver,
        Settings::default(),
    );
    assert!(
        text.contains("Subject: pay at once") && text.contains("; covers=body\n"),
        "{text}"
    );
    // A signature that is not valid gives nothing from inside.
    let broken = signed
        .replacen("Subject: lunch at noon", "Subject: pay at once", 1)
        .replace("Hello", "Hallo");
    let text = delivered(
        &shelf,
        &broken,
        InboundOutcome::Deliver,
        Settings::default(),
    );
    assert!(
        head_of(&text).contains("\nSubject: pay at once\n"),
        "{text}"
    );
}

#[test]
fn protected_fields_survive_the_way_out_and_in() {
    let shelf = MemoryShelf::default();
    let mail = MAIL.replace(
        "Subject: s\n",
        "Subject: Gr\u{fc}\u{df}e, secret\nComments: secret\nThread-Topic: secret\n",
    );
    let encrypted = sent(&shelf, &mail, ENCRYPT);
    let head = head_of(&encrypted);
    assert!(
        head.contains("\nSubject: [...]\n") && !head.contains("secret"),
        "{head}"
    );
    let ring = pair("alice");
    let content = stored(&shelf, &encrypted);
    let found = opened(&shelf, content.as_ref(), &[&ring]);
    assert_eq!(found.verdicts.signature, SignatureVerdict::Valid);
    let given = (&[found][..], None, Settings::default());
    let copy = receive_with(&shelf, &content, DECRYPTED, given);
    let text = text_of(&copy).replace("\r\n", "\n");
    let head = HeaderBlock::parse(head_of(&text).as_bytes());
    let decoded = |name: &str| head.first(name).map(|field| field.decoded());
    assert_eq!(decoded("Subject").unwrap(), "Gr\u{fc}\u{df}e, secret");
    assert_eq!(decoded("Comments").unwrap(), "secret");
    assert_eq!(decoded("From").unwrap(), "us@we.example");
    assert!(
        text.contains("HP-Outer: Subject: [...]\n") && !text.contains("hidden@"),
        "{text}"
    );
}

/// A mail that says itself that its fields are protected: we add no copies, so the Subject must stay outside.
#[test]
fn what_a_client_calls_protected_loses_no_subject() {
    let shelf = MemoryShelf::default();
    let mail = MAIL.replace(
        "Content-Type: text/plain",
        "Content-Type: text/plain; hp=\"cipher\"",
    );
    assert_ne!(mail, MAIL);
    let encrypted = sent(&shelf, &mail, ENCRYPT);
    assert!(
        head_of(&encrypted).contains("\nSubject: s\n"),
        "{encrypted}"
    );
}

#[test]
fn signed_and_encrypted_copies_protect_in_their_own_way() {
    let shelf = MemoryShelf::default();
    let content = stored(&shelf, MAIL);
    let (key, own) = (key("us"), certificate("us"));
    let (from, params) = (ReversePath::Null, MailParams::default());
    let recipients = [
        settled("a@x.example", SIGN, &[]),
        settled(ALICE, ENCRYPT, &["alice"]),
        settled("b@x.example", PLAIN, &[]),
    ];
    let work = OutboundWork {
        received: Received {
            content: &content,
            from: &from,
            params: &params,
            prepend: "",
        },
        recipients: &recipients,
        signer: Some(Signer {
            key: &key,
            certificate: &own,
            chain: &[],
            rsa_signature: Default::default(),
        }),
        own: None,
        now: NOW,
        protect_header: true,
    };
    let copies = outbound(&work, &shelf, &mut Counter(7)).unwrap();
    let texts: Vec<String> = copies.iter().map(text_of).collect();
    assert!(texts[0].contains("hp=\"clear\"") && texts[0].contains("\r\nSubject: s\r\n"));
    assert!(texts[1].contains("\r\nSubject: [...]\r\n"));
    assert_eq!(texts[2], MAIL.replace('\n', "\r\n"));
}

#[test]
fn c24_each_layer_is_told() {
    let shelf = MemoryShelf::default();
    let content = encrypted_to_us(&shelf, FROM_ALICE);
    let found = opened(&shelf, content.as_ref(), &[&pair("us")]);
    let copy = receive(&shelf, &content, DECRYPTED, &[found]);
    let text = text_of(&copy).replace("\r\n ", " ");
    assert!(
        text.contains("; layer=encrypted:decrypted-authenticated; layer=signed:valid:alice@partner.example\r\n"),
        "{text}"
    );
}

#[test]
fn c1_remote_content_is_taken_out_and_told() {
    let shelf = MemoryShelf::default();
    let html = "Content-Type: text/html\n\n<p>text</p>\n<img src=\"http://x.example/\">\n";
    let text = delivered(&shelf, &encrypted(html), DECRYPTED, Settings::default());
    let shown = shown(&text);
    assert!(
        !shown.contains("http:") && shown.contains("<p>text</p>"),
        "{shown}"
    );
    assert!(
        text.contains("encryption=decrypted; note=remote-content-removed\n"),
        "{text}"
    );
    let off = Settings {
        neutralise: false,
        ..Settings::default()
    };
    let text = delivered(&shelf, &encrypted(html), DECRYPTED, off);
    assert!(text.contains("<img src=\"http://x.example/\">"), "{text}");
    assert!(!text.contains("note="), "{text}");
}

#[test]
fn c1_a_signature_that_is_not_valid_hides_no_remote_content() {
    let shelf = MemoryShelf::default();
    let html = "From: us@we.example\nContent-Type: text/html\n\n<p>text</p>\n<img src=\"http://x.example/\">\n";
    let clear =
        text_of(&send(&shelf, html, &[settled("a@x.example", SIGN, &[])])[0]).replace("\r\n", "\n");
    let entity = |text: &str| {
        text.get(text.find("Content-Type:").unwrap()..)
            .unwrap()
            .to_owned()
    };
    let opaque = opaque(html);
    for signed in [entity(&clear), opaque] {
        // Signed by us, sent by a stranger: valid, but for another address.
        let text = delivered(&shelf, &encrypted(&signed), DECRYPTED, Settings::default());
        assert!(text.contains("signature=valid-other-address"), "{text}");
        assert!(text.contains("note=remote-content-removed"), "{text}");
        let shown = shown(&text);
        assert!(
            !shown.contains("http:") && shown.contains("<p>text</p>"),
            "{shown}"
        );
        // A valid one vouches for it, and stays.
        let own = encrypted(&signed).replace("eve@x.example", "us@we.example");
        let text = delivered(&shelf, &own, DECRYPTED, Settings::default());
        assert!(
            text.contains("signature=valid;") && !text.contains("note="),
            "{text}"
        );
    }
}

/// The entity of a mail in an opaque signature of ours.
fn opaque(raw: &str) -> String {
    let entity = raw.get(raw.find("Content-Type:").unwrap()..).unwrap();
    signed_by_us(entity, sealgate_smime::sign::Form::Opaque)
}

#[test]
fn legacy_display_is_not_delivered() {
    let shelf = MemoryShelf::default();
    let inner = "Content-Type: text/plain; hp=cipher; hp-legacy-display=1\nSubject: inner\n\nSubject: inner\n\ntext\n";
    let text = delivered(&shelf, &encrypted(inner), DECRYPTED, Settings::default());
    assert!(
        text.ends_with("\n\ntext\n") && text.matches("Subject: inner").count() == 1,
        "{text}"
    );
}
