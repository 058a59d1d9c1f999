use super::*;
use crate::ports::MemoryShelf;
use crate::testdata::Counter;

const TOKEN: &str = "LgYemJLy3F1LDkiJrdIGbEzyFJyOyf6vBdyZ1TG3sME=";

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn recipient(text: &str) -> EnvelopeRecipient {
    EnvelopeRecipient {
        address: address(text),
        notify: Notify::default(),
        orcpt: None,
    }
}

fn header(text: &str) -> HeaderBlock {
    HeaderBlock::parse(text.replace('\n', "\r\n").as_bytes())
}

fn challenge() -> String {
    format!(
        "From: acme-generator@ca.example\nTo: alice@example.com\nSubject: ACME: {TOKEN}\n\
         Auto-Submitted: auto-generated; type=acme\nMessage-ID: <A2299BB.FF7788@ca.example>\n\
         Date: Sat, 5 Dec 2026 10:08:55 +0100\n"
    )
}

fn open() -> OpenOrder {
    OpenOrder {
        order: OrderId(7),
        expected: Some(Expected {
            from: address("acme-generator@ca.example"),
            token: "DGyRejmCefe7v4NfDGDKfA".to_owned(),
            thumbprint: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs".to_owned(),
        }),
        unsigned: false,
        answered: None,
        answers: 0,
    }
}

fn mail() -> ChallengeMail {
    read(&header(&challenge()), &[recipient("alice@example.com")]).unwrap()
}

#[test]
fn subjects() {
    let folded = format!("ACME:\n {}\n {}", &TOKEN[..20], &TOKEN[20..]);
    let encoded = format!("=?us-ascii?Q?ACME:_{}?=", TOKEN.replace('=', "=3D"));
    let utf8 = format!("=?UTF-8*en?Q?ACME:_{}?=", TOKEN.replace('=', "=3D"));
    let latin = format!("=?iso-8859-1?Q?ACME:_{}?=", TOKEN.replace('=', "=3D"));
    let long = "A".repeat(CHALLENGE_TOKEN_CHARS + 1);
    let table = [
        (format!("ACME: {TOKEN}"), Some(TOKEN)),
        (format!("ACME:{TOKEN}"), Some(TOKEN)),
        (folded, Some(TOKEN)),
        (encoded, Some(TOKEN)),
        (utf8, Some(TOKEN)),
        (latin, None),
        (format!("Re: ACME: {TOKEN}"), None),
        (format!("acme: {TOKEN}"), None),
        (
            "ACME: AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            Some("AAAAAAAAAAAAAAAAAAAAAA"),
        ),
        // Less than 128 bits, too long, not base64url, nothing.
        ("ACME: AAAAAAAAAAAAAAAAAAAAA".to_owned(), None),
        (format!("ACME: {long}"), None),
        (format!("ACME: {}+", &TOKEN[..40]), None),
        (format!("ACME: {}===", &TOKEN[..40]), None),
        (format!("ACME: {TOKEN} and more!"), None),
        ("ACME:".to_owned(), None),
        ("Invoice".to_owned(), None),
    ];
    for (subject, expected) in table {
        let header = header(&format!("Subject: {subject}\n"));
        assert_eq!(token(&header).as_deref(), expected, "{subject}");
        assert_eq!(looks_like(&header), expected.is_some());
    }
    let twice = header(&format!("Subject: ACME: {TOKEN}\nSubject: ACME: {TOKEN}\n"));
    assert!(!looks_like(&twice));
}

#[test]
fn what_has_the_form_of_a_challenge() {
    let alice = [recipient("Alice@Example.com")];
    let read_text = |text: &str| read(&header(text), &alice);
    let good = challenge();
    assert!(read_text(&good).is_some());
    for (from, to) in [
        ("To: alice@example.com", "To: bob@example.com"),
        (
            "To: alice@example.com",
            "To: alice@example.com, bob@example.com",
        ),
        ("To: alice@example.com", "Cc: alice@example.com"),
        (
            "To: alice@example.com",
            "To: alice@example.com\nTo: alice@example.com",
        ),
        (
            "From: acme-generator@ca.example",
            "From: a@ca.example, b@ca.example",
        ),
        (
            "From: acme-generator@ca.example",
            "From: a@ca.example\nFrom: acme-generator@ca.example",
        ),
        (
            "From: acme-generator@ca.example",
            "Sender: acme-generator@ca.example",
        ),
        ("Subject: ", "Subject: Fwd: "),
        ("Date: ", "Reply-To: a@ca.example, b@ca.example\nDate: "),
        (
            "Date: ",
            "Reply-To: a@ca.example\nReply-To: a@ca.example\nDate: ",
        ),
        ("Date: ", "no field\nDate: "),
        ("Date: ", "Date : x\nDate: "),
    ] {
        let other = good.replace(from, to);
        assert_ne!(good, other);
        assert_eq!(read_text(&other), None, "{to}");
    }
    let with_reply = good.replace(
        "Date: ",
        "Cc: x@y.example\nReply-To: <r@ca.example>\nDate: ",
    );
    let found = read_text(&with_reply).unwrap();
    assert_eq!(found.reply_to, Some(address("r@ca.example")));
    assert_eq!(
        found.message_id.as_deref(),
        Some("<A2299BB.FF7788@ca.example>")
    );
    let two = [recipient("alice@example.com"), recipient("bob@example.com")];
    assert_eq!(read(&header(&good), &two), None);
}

#[test]
fn message_ids_that_an_answer_repeats() {
    for (value, good) in [
        ("<1@ca.example>", true),
        (" <a.b+c@[192.0.2.1]> ", true),
        ("<1>", false),
        ("1@ca.example", false),
        ("<a b@ca.example>", false),
        ("<1@ca.example>\n <2@ca.example>", false),
        ("<ü@ca.example>", false),
        (&format!("<{}@ca.example>", "1".repeat(900)), false),
    ] {
        let header = header(&format!("Message-ID: {value}\n"));
        let expected = good.then(|| value.trim().to_owned());
        assert_eq!(message_id(&header), expected, "{value}");
    }
}

#[test]
fn every_condition_of_recognition_counts() {
    use Recognition::{Again, Challenge, NotYet, Ordinary, Unproven};
    let mail = mail();
    let relaxed = OpenOrder {
        unsigned: true,
        ..open()
    };
    let asking = OpenOrder {
        expected: None,
        ..open()
    };
    let answered = |token: &str| OpenOrder {
        answered: Some(token.to_owned()),
        answers: 1,
        ..open()
    };
    let often = |token: &str| OpenOrder {
        answers: CHALLENGE_ANSWERS,
        ..answered(token)
    };
    let with = |generated| ChallengeMail {
        generated,
        ..mail.clone()
    };
    let other_from = ChallengeMail {
        from: address("mallory@ca.example"),
        ..mail.clone()
    };
    let answer_to = |to: &str| ChallengeMail {
        reply_to: Some(address(to)),
        ..mail.clone()
    };
    let table = [
        (&answer_to("answers@ca.example"), &open(), true, Challenge),
        (&answer_to("answers@ca.example"), &relaxed, false, Challenge),
        // Whoever forges one has nothing sent elsewhere.
        (&answer_to("x@evil.example"), &relaxed, false, Unproven),
        (&answer_to("x@x.ca.example"), &relaxed, false, Unproven),
        (&answer_to("x@other.example"), &relaxed, true, Challenge),
        (&answer_to("x@other.example"), &open(), true, Challenge),
        (&mail, &open(), true, Challenge),
        (&mail, &open(), false, Unproven),
        (&mail, &relaxed, false, Challenge),
        (&mail, &asking, true, NotYet),
        (&mail, &answered(TOKEN), true, Again),
        (&mail, &answered(TOKEN), false, Unproven),
        (&mail, &answered("AAAAAAAAAAAAAAAAAAAAAA"), true, Challenge),
        (&mail, &often("AAAAAAAAAAAAAAAAAAAAAA"), true, Ordinary),
        (&mail, &often(TOKEN), true, Again),
        (&other_from, &open(), true, Ordinary),
        (&other_from, &relaxed, true, Ordinary),
        (&with(None), &open(), true, Ordinary),
        (&with(Some(false)), &open(), true, Ordinary),
        (&with(Some(false)), &relaxed, true, Ordinary),
        (&with(None), &relaxed, false, Challenge),
    ];
    for (mail, open, proven, expected) in table {
        assert_eq!(
            recognise(mail, open, proven),
            expected,
            "{mail:?} {open:?} {proven}"
        );
    }
}

#[test]
fn what_a_dkim_signature_must_cover() {
    let block = header(&challenge());
    let all: Vec<String> = COVERED.iter().map(|name| name.to_lowercase()).collect();
    let without = |name: &str| -> Vec<String> {
        all.iter()
            .filter(|one| !one.eq_ignore_ascii_case(name))
            .cloned()
            .collect()
    };
    for (domain, expected) in [
        ("ca.example", true),
        ("CA.example", true),
        ("ca.example.", true),
        ("example", false),
        ("a.example", false),
        ("sub.ca.example", false),
        ("other.example", false),
        ("", false),
    ] {
        assert_eq!(dkim_proves(&block, domain, &all), expected, "{domain}");
    }
    let below = header(&challenge().replace("generator@ca", "generator@mail.ca"));
    assert!(dkim_proves(&below, "ca.example", &all));
    for name in [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
    ] {
        assert!(!dkim_proves(&block, "ca.example", &without(name)), "{name}");
    }
    // A field that is added later is not covered.
    assert!(dkim_proves(&block, "ca.example", &without("Reply-To")));
    let added = header(&format!("Reply-To: mallory@x.example\n{}", challenge()));
    assert!(!dkim_proves(&added, "ca.example", &without("Reply-To")));
}

#[test]
fn what_a_signature_protects_is_what_stands_outside() {
    let mail = mail();
    assert!(smime_proves(&mail, &header(&challenge())));
    // RFC 8551 section 3.1 protects what lies in it; Auto-Submitted may stand outside only.
    let inner = challenge().replace("Auto-Submitted: auto-generated; type=acme\n", "");
    assert!(smime_proves(&mail, &header(&inner)));
    for (from, to) in [
        ("generator@", "other@"),
        ("alice@", "bob@"),
        ("LgYem", "AgYem"),
        ("Date:", "Reply-To: m@x.example\nDate:"),
        ("Subject:", "Comments:"),
    ] {
        assert!(
            !smime_proves(&mail, &header(&challenge().replace(from, to))),
            "{to}"
        );
    }
}

#[test]
fn the_answer_has_the_form_of_rfc_8823() {
    let open = open();
    let mail = ChallengeMail {
        reply_to: Some(address("reply@ca.example")),
        ..mail()
    };
    let input = AnswerInput {
        mail: &mail,
        expected: open.expected.as_ref().unwrap(),
        now: Timestamp(1_796_461_735),
    };
    let made = answer(&input, &mut Counter(1));
    let head = String::from_utf8(made.head.clone()).unwrap();
    for line in [
        "From: alice@example.com",
        "To: reply@ca.example",
        &format!("Subject: Re: ACME: {TOKEN}"),
        "In-Reply-To: <A2299BB.FF7788@ca.example>",
        "References: <A2299BB.FF7788@ca.example>",
        "Auto-Submitted: auto-replied",
        "Content-Type: text/plain; charset=us-ascii",
        "Content-Transfer-Encoding: 7bit",
    ] {
        assert!(head.contains(&format!("{line}\r\n")), "{line}\n{head}");
    }
    let body = String::from_utf8(made.body.clone()).unwrap();
    assert!(!body.replace("\r\n", "").contains(['\r', '\n']));
    let lines: Vec<&str> = body.lines().collect();
    let at = lines
        .iter()
        .position(|line| *line == "-----BEGIN ACME RESPONSE-----")
        .unwrap();
    assert_eq!(lines[at + 2], "-----END ACME RESPONSE-----");
    // printf of both parts, a dot and the thumbprint | openssl dgst -sha256 -binary | base64, made url-safe.
    assert_eq!(lines[at + 1], "ZEzZgc9aJoD_n58jPgRZT72bYhm3xgODx3XMbYEeaBo");
    let copy = made.outgoing(&MemoryShelf::default()).unwrap();
    assert!(copy.head().starts_with(b"From: ") && copy.head().ends_with(b"\r\n\r\n"));
    assert_eq!(copy.from().address(), Some(&address("alice@example.com")));
    assert_eq!(copy.recipients()[0].address, address("reply@ca.example"));
    assert!(!copy.recipients()[0].notify.failure && copy.recipients()[0].notify.explicit);
    assert_eq!(copy.status(), MailStatus::Challenge);
    let mut sent = Vec::new();
    let mut reader = copy.body().content.reader(copy.body().from).unwrap();
    std::io::Read::read_to_end(&mut reader, &mut sent).unwrap();
    assert_eq!(sent, made.body);
    // Without Reply-To and Message-ID.
    let bare = ChallengeMail {
        reply_to: None,
        message_id: None,
        ..mail.clone()
    };
    let made = answer(
        &AnswerInput {
            mail: &bare,
            ..input
        },
        &mut Counter(1),
    );
    let head = String::from_utf8(made.head).unwrap();
    assert!(head.contains("To: acme-generator@ca.example\r\n") && !head.contains("In-Reply-To"));
}

#[test]
fn base64url_of_rfc_4648() {
    for (octets, text) in [
        ("", ""),
        ("f", "Zg"),
        ("fo", "Zm8"),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg"),
        ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(base64url(octets.as_bytes()), text);
    }
    assert_eq!(base64url(&[0xfb, 0xff, 0xbf]), "-_-_");
}
