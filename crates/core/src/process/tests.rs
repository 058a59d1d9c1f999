use sealgate_mail::smtp::Notify;
use sealgate_mail::{Address, Content, Domain, Timestamp};
use sealgate_smime::algorithms::{DigestAlgorithm, SignatureAlgorithm};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::decrypt::{KeyPair, recipients};
use sealgate_smime::kind::{Kind, kind};
use sealgate_smime::path::TrustAnchors;
use sealgate_smime::profile::{Profile, Suite, suite};
use sealgate_smime::revocation::Evidence;
use sealgate_smime::sign::Signer;
use sealgate_smime::verdict::{EncryptionVerdict, SignatureVerdict};

use super::*;
use crate::harvest::{Terms, harvest};
use crate::journal::Exemption;
use crate::journal::MailStatus;
use crate::outcome::{
    AsIs, ClientContent, InboundContent, InboundOutcome, InboundRefusal, NotEncrypted,
    OutboundOutcome, OutboundRefusal,
};
use crate::own_header::Own;
use crate::ports::MemoryShelf;
use crate::queue::Outgoing;
use crate::tenant::Settings;
use crate::testdata::{Counter, certificate, key};
use sealgate_mail::smtp::EnvelopeRecipient;

mod headers;

/// 2026-11-22.
const NOW: Timestamp = Timestamp(1_795_305_600);
const PREPEND: &str = "Received: from x by gate; now\r\n";

fn to(text: &str) -> EnvelopeRecipient {
    EnvelopeRecipient {
        address: Address::parse(text).unwrap(),
        notify: Notify::default(),
        orcpt: None,
    }
}

fn stored(shelf: &MemoryShelf, raw: &str) -> Arc<dyn StoredContent> {
    let mut draft = shelf.create().unwrap();
    io::Write::write_all(&mut draft, raw.replace('\n', "\r\n").as_bytes()).unwrap();
    draft.finish().unwrap()
}

fn bytes_of(copy: &Outgoing) -> Vec<u8> {
    let mut bytes = copy.head.clone();
    let mut body = copy.body.content.reader(copy.body.from).unwrap();
    io::Read::read_to_end(&mut body, &mut bytes).unwrap();
    bytes
}

fn text_of(copy: &Outgoing) -> String {
    String::from_utf8(bytes_of(copy)).unwrap()
}

fn pair(name: &str) -> KeyPair {
    KeyPair {
        certificate: certificate(name),
        key: key(name),
    }
}

fn anchors() -> TrustAnchors {
    TrustAnchors::new(vec![certificate("root-one")])
}

fn settled(address: &str, outcome: OutboundOutcome, certificates: &[&str]) -> OutboundRecipient {
    OutboundRecipient {
        recipient: to(address),
        outcome,
        content: ClientContent::Plain,
        exemption: None,
        certificates: certificates.iter().map(|name| certificate(name)).collect(),
        suite: Suite::default(),
    }
}

const ALICE: &str = "alice@partner.example";
const BOB: &str = "bob@partner.example";
const PLAIN: OutboundOutcome = OutboundOutcome::AsIs(AsIs::NothingAsked);
const SIGN: OutboundOutcome = OutboundOutcome::Sign(NotEncrypted::NotAsked);
const ENCRYPT: OutboundOutcome = OutboundOutcome::SignAndEncrypt;

/// The copies our mailbox `us` sends.
fn send(shelf: &MemoryShelf, raw: &str, recipients: &[OutboundRecipient]) -> Vec<Outgoing> {
    let content = stored(shelf, raw);
    let from = ReversePath::Address(Address::parse("us@we.example").unwrap());
    let params = MailParams {
        size: Some(99),
        eight_bit: true,
        ..MailParams::default()
    };
    let received = Received {
        content: &content,
        from: &from,
        params: &params,
        prepend: PREPEND,
    };
    let (key, own) = (key("us"), certificate("us"));
    let signer = Signer {
        key: &key,
        certificate: &own,
        chain: &[],
        rsa_signature: Default::default(),
    };
    let work = OutboundWork {
        received,
        recipients,
        signer: Some(signer),
        own: Some(&own),
        now: NOW,
        protect_header: false,
    };
    outbound(&work, shelf, &mut Counter(1)).unwrap()
}

fn opened(shelf: &MemoryShelf, content: &dyn Content, ring: &[&KeyPair]) -> Opened {
    let input = OpenInput {
        content,
        ring,
        anchors: &anchors(),
        at: NOW,
        known: &[],
        switches: sealgate_smime::algorithms::Switches::default(),
        exact_local_parts: false,
        size_limit: u64::MAX,
    };
    open(&input, shelf).unwrap()
}

const MAIL: &str = "From: us@we.example
To: alice@partner.example
Bcc: hidden@partner.example
Subject: s
Content-Type: text/plain; charset=utf-8

Hello
";

#[test]
fn one_copy_for_each_outcome() {
    let shelf = MemoryShelf::default();
    let refused = OutboundOutcome::Refuse(OutboundRefusal::NoKey);
    let recipients = [
        settled("a@x.example", PLAIN, &[]),
        settled("b@x.example", SIGN, &[]),
        settled("c@x.example", refused, &[]),
        settled("d@x.example", PLAIN, &[]),
        settled(
            "e@x.example",
            OutboundOutcome::Sign(NotEncrypted::NoKey),
            &[],
        ),
        settled(ALICE, ENCRYPT, &["alice"]),
    ];
    let copies = send(&shelf, MAIL, &recipients);
    let found: Vec<(MailStatus, Vec<String>)> = copies
        .iter()
        .map(|copy| {
            let recipients = copy.recipients.iter();
            (
                copy.status,
                recipients.map(|r| r.address.to_string()).collect(),
            )
        })
        .collect();
    let expected = [
        (MailStatus::Plain, vec!["a@x.example", "d@x.example"]),
        (MailStatus::Signed, vec!["b@x.example", "e@x.example"]),
        (MailStatus::SignedEncrypted, vec![ALICE]),
    ];
    let expected = expected.map(|(s, r)| (s, r.into_iter().map(str::to_owned).collect::<Vec<_>>()));
    assert_eq!(found, expected);
    assert!(copies.iter().all(|copy| copy.params.size.is_none()));
    let eight_bit: Vec<bool> = copies.iter().map(|copy| copy.params.eight_bit).collect();
    assert_eq!(eight_bit, [true, false, false]);
}

#[test]
fn m13_a_copy_as_it_came_is_untouched() {
    let shelf = MemoryShelf::default();
    let raw = "From: us@we.example\nsubject : odd\nno field\nBcc: b@x.example\nX: \u{fc}\n\nbody \u{fc}\n.\n";
    let copies = send(&shelf, raw, &[settled("a@x.example", PLAIN, &[])]);
    assert_eq!(
        text_of(&copies[0]),
        format!("{PREPEND}{}", raw.replace('\n', "\r\n"))
    );
}

#[test]
fn a_signed_copy_verifies_and_keeps_the_body() {
    let shelf = MemoryShelf::default();
    let copies = send(&shelf, MAIL, &[settled("a@x.example", SIGN, &[])]);
    let text = text_of(&copies[0]);
    assert!(text.starts_with(PREPEND));
    assert!(
        text.contains("\r\n\r\nHello\r\n\r\n--") && !text.contains("Bcc"),
        "{text}"
    );
    assert_eq!(text.matches("MIME-Version").count(), 1);
    let found = opened(&shelf, &text.as_bytes(), &[]);
    assert_eq!(found.verdicts.signature, SignatureVerdict::Valid);
    assert_eq!(found.verdicts.signer.as_deref(), Some("us@we.example"));
    assert!(found.entity.is_none());
}

#[test]
fn content_that_may_not_be_reencoded_is_signed_opaquely() {
    let shelf = MemoryShelf::default();
    let raw = "From: us@we.example\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/signed; \
               protocol=\"application/pgp-signature\"; boundary=i\n\n--i\n\ntrailing blank \n--i\nContent-Type: \
               application/pgp-signature\n\nx\n--i--\n\n--o--\n";
    let copies = send(&shelf, raw, &[settled("a@x.example", SIGN, &[])]);
    let bytes = bytes_of(&copies[0]);
    let message = Message::read(&bytes).unwrap();
    assert_eq!(kind(&message).unwrap(), Kind::Signed);
    assert_eq!(
        opened(&shelf, &bytes, &[]).verdicts.signature,
        SignatureVerdict::Valid
    );
}

#[test]
fn c22_blind_recipients_are_in_no_other_copy() {
    let shelf = MemoryShelf::default();
    let recipients = [
        settled(ALICE, ENCRYPT, &["alice"]),
        settled(BOB, ENCRYPT, &["bob"]),
        settled("hidden@partner.example", ENCRYPT, &["alice-encrypt"]),
        settled("hidden2@partner.example", ENCRYPT, &["alice-newer"]),
    ];
    let raw = MAIL.replace("Bcc:", "Cc: Bob <bob@partner.example>\nBcc:");
    let copies = send(&shelf, &raw, &recipients);
    let named: Vec<Vec<Certificate>> = copies
        .iter()
        .map(|copy| all_named(&bytes_of(copy)))
        .collect();
    let expected = [
        vec!["us", "alice", "bob"],
        vec!["us", "alice-encrypt"],
        vec!["us", "alice-newer"],
    ];
    for (named, expected) in named.iter().zip(&expected) {
        let expected: Vec<_> = expected.iter().map(|name| certificate(name)).collect();
        assert_eq!(*named, expected);
    }
    assert_eq!(copies.len(), expected.len());
    assert!(
        copies
            .iter()
            .all(|copy| !text_of(copy).to_ascii_lowercase().contains("bcc:"))
    );
}

/// The certificates of our test data that an encrypted mail names.
fn all_named(bytes: &Vec<u8>) -> Vec<Certificate> {
    let message = Message::read(bytes).unwrap();
    let ids = recipients(&message).unwrap().unwrap();
    let known = ["us", "alice", "bob", "alice-encrypt", "alice-newer"].map(certificate);
    let named = known
        .into_iter()
        .filter(|c| ids.iter().any(|id| id.names(c)));
    let named: Vec<Certificate> = named.collect();
    assert_eq!(ids.len(), named.len());
    named
}

#[test]
fn the_clients_own_signature_is_kept_inside_encryption() {
    let shelf = MemoryShelf::default();
    let signed = text_of(&send(&shelf, MAIL, &[settled(ALICE, SIGN, &[])])[0]);
    let recipient = OutboundRecipient {
        content: ClientContent::Signed,
        ..settled(ALICE, ENCRYPT, &["alice"])
    };
    let copies = send(&shelf, &signed.replace("\r\n", "\n"), &[recipient]);
    let found = opened(&shelf, &bytes_of(&copies[0]), &[&pair("alice")]);
    assert_eq!(found.signatures.len(), 1);
    assert_eq!(found.verdicts.signature, SignatureVerdict::Valid);
    let mut inside = Vec::new();
    io::Read::read_to_end(
        &mut found.entity.unwrap().content.reader(0).unwrap(),
        &mut inside,
    )
    .unwrap();
    let body = |text: &str| text.split_once("\r\n\r\n").unwrap().1.to_owned();
    assert_eq!(body(&String::from_utf8(inside).unwrap()), body(&signed));
}

#[test]
fn without_a_key_nothing_is_sent_instead() {
    let shelf = MemoryShelf::default();
    let content = stored(&shelf, MAIL);
    let params = MailParams::default();
    for outcome in [SIGN, ENCRYPT] {
        let recipients = [
            settled("a@x.example", PLAIN, &[]),
            settled(ALICE, outcome, &["alice"]),
        ];
        let received = Received {
            content: &content,
            from: &ReversePath::Null,
            params: &params,
            prepend: "",
        };
        let work = OutboundWork {
            received,
            recipients: &recipients,
            signer: None,
            own: None,
            now: NOW,
            protect_header: false,
        };
        let found = outbound(&work, &shelf, &mut Counter(1));
        assert!(matches!(found, Err(ProcessError::Key(_))));
    }
}

#[test]
fn no_certificate_to_encrypt_to_is_an_error() {
    let shelf = MemoryShelf::default();
    let content = stored(&shelf, MAIL);
    let (key, own) = (key("us"), certificate("us"));
    let signer = Signer {
        key: &key,
        certificate: &own,
        chain: &[],
        rsa_signature: Default::default(),
    };
    let recipients = [
        settled(ALICE, ENCRYPT, &["alice"]),
        settled(BOB, ENCRYPT, &[]),
    ];
    let params = MailParams::default();
    let work = OutboundWork {
        received: Received {
            content: &content,
            from: &ReversePath::Null,
            params: &params,
            prepend: "",
        },
        recipients: &recipients,
        signer: Some(signer),
        own: Some(&own),
        now: NOW,
        protect_header: false,
    };
    let found = outbound(&work, &shelf, &mut Counter(1));
    assert!(matches!(found, Err(ProcessError::Key(_))));
}

/// A copy of an inbound mail with one recipient, as delivered.
fn receive(
    shelf: &MemoryShelf,
    content: &Arc<dyn StoredContent>,
    outcome: InboundOutcome,
    opened: &[Opened],
) -> Outgoing {
    receive_exempt(shelf, content, outcome, (opened, None))
}

fn receive_exempt(
    shelf: &MemoryShelf,
    content: &Arc<dyn StoredContent>,
    outcome: InboundOutcome,
    (opened, exemption): (&[Opened], Option<Exemption>),
) -> Outgoing {
    let given = (opened, exemption, Settings::default());
    receive_with(shelf, content, outcome, given)
}

fn receive_with(
    shelf: &MemoryShelf,
    content: &Arc<dyn StoredContent>,
    outcome: InboundOutcome,
    (opened, exemption, settings): (&[Opened], Option<Exemption>, Settings),
) -> Outgoing {
    let recipients = [
        InboundRecipient {
            recipient: to("us@we.example"),
            outcome,
            exemption,
            opened: (!opened.is_empty()).then_some(0),
        },
        InboundRecipient {
            recipient: to("refused@we.example"),
            outcome: InboundOutcome::Refuse(InboundRefusal::NoKey),
            exemption: None,
            opened: None,
        },
    ];
    let (from, params) = (ReversePath::Null, MailParams::default());
    let host = Domain::parse("gate.example").unwrap();
    let work = InboundWork {
        received: Received {
            content,
            from: &from,
            params: &params,
            prepend: PREPEND,
        },
        recipients: &recipients,
        opened,
        own: Own {
            authserv_id: &host,
            trace_key: &[7; 32],
        },
        settings,
    };
    let mut copies = inbound(&work, shelf).unwrap();
    assert_eq!(copies.len(), 1);
    assert_eq!(copies[0].recipients, [to("us@we.example")]);
    copies.remove(0)
}

/// What the journal is told of the signature of a mail that was not opened.
fn plain_of(shelf: &MemoryShelf, content: &Arc<dyn StoredContent>) -> SignatureVerdict {
    let host = Domain::parse("gate.example").unwrap();
    let params = MailParams::default();
    let recipients = [InboundRecipient {
        recipient: to("us@we.example"),
        outcome: InboundOutcome::Deliver,
        exemption: None,
        opened: None,
    }];
    let work = InboundWork {
        received: Received {
            content,
            from: &ReversePath::Null,
            params: &params,
            prepend: "",
        },
        recipients: &recipients,
        opened: &[],
        own: Own {
            authserv_id: &host,
            trace_key: &[7; 32],
        },
        settings: Settings::default(),
    };
    inbound_plain(&work, shelf).unwrap().1.signature
}

#[test]
fn m9_own_headers_spoofed_reach_no_sink() {
    let shelf = MemoryShelf::default();
    let raw = "X-Sealgate-Result: marker\nFrom: a@x.example\nAuthentication-Results: gate.example; marker\nx-SEALGATE-any\t: marker\n\
               X-Sealgate-\n Result: marker\nContent-Type: multipart/mixed; boundary=b\n\npreamble\n--b\nX-Sealgate-Result: marker\n\
               Content-Type: text/plain\n\nkept\n--b\nContent-Type: message/rfc822\nauthentication-results: (c) gate.example; \
               marker\n\nX-Sealgate-Result: attached\n\nkept too\n--b--\n";
    let content = stored(&shelf, raw);
    let text = text_of(&receive(&shelf, &content, InboundOutcome::Deliver, &[]));
    let expected = "From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\npreamble\n--b\nContent-Type: \
                    text/plain\n\nkept\n--b\nContent-Type: message/rfc822\n\nX-Sealgate-Result: attached\n\nkept too\n--b--\n";
    assert_eq!(text, format!("{PREPEND}{}", expected.replace('\n', "\r\n")));
}

#[test]
fn m9_held_mail_is_released_without_spoofed_headers() {
    let shelf = MemoryShelf::default();
    let raw = "X-Sealgate-Result: marker\nFrom: a@x.example\nAuthentication-Results: gate.example; marker\n\nkept\n";
    let content = stored(&shelf, raw);
    let (from, params) = (ReversePath::Null, MailParams::default());
    let received = Received {
        content: &content,
        from: &from,
        params: &params,
        prepend: PREPEND,
    };
    let host = Domain::parse("gate.example").unwrap();
    let own = Own {
        authserv_id: &host,
        trace_key: &[7; 32],
    };
    let recipient = to("us@we.example");
    let copy = as_it_came(received, recipient, own, Settings::default(), &shelf).unwrap();
    let expected = format!("{PREPEND}From: a@x.example\r\n\r\nkept\r\n");
    assert_eq!(text_of(&copy), expected);
}

#[test]
fn m13_inbound_mail_without_spoofs_is_untouched() {
    let shelf = MemoryShelf::default();
    let raw = "From: a@x.example\nx : y\nno field\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nkept \u{fc}\n--b--\n";
    let content = stored(&shelf, raw);
    let copy = receive(&shelf, &content, InboundOutcome::Deliver, &[]);
    assert_eq!(
        text_of(&copy),
        format!("{PREPEND}{}", raw.replace('\n', "\r\n"))
    );
    assert_eq!(
        copy.body.content.id(),
        content.id(),
        "the body stays where it is"
    );
    assert_eq!(copy.status, MailStatus::Plain);
}

#[test]
fn c7_a_signed_part_of_an_unsigned_mail_is_partial() {
    let shelf = MemoryShelf::default();
    let signed = text_of(&send(&shelf, MAIL, &[settled("a@x.example", SIGN, &[])])[0]);
    let entity = signed.get(signed.find("Content-Type:").unwrap()..).unwrap();
    let entity = entity.replace("\r\n", "\n");
    let wrapped = format!(
        "From: eve@x.example\nContent-Type: multipart/mixed; boundary=w\n\n--w\n\nread this instead\n--w\n{entity}\n--w--\n"
    );
    let content = stored(&shelf, &wrapped);
    let text = text_of(&receive(&shelf, &content, InboundOutcome::Deliver, &[]));
    assert!(
        text.contains("signature=partial; encryption=none"),
        "{text}"
    );
    assert!(text.ends_with(&wrapped.split_once("\n\n").unwrap().1.replace('\n', "\r\n")));
    // Row G7: for the journal as well.
    assert_eq!(plain_of(&shelf, &content), SignatureVerdict::Partial);
    let plain = stored(&shelf, FROM_ALICE);
    assert_eq!(plain_of(&shelf, &plain), SignatureVerdict::None);
}

#[test]
fn a_signed_mail_forwarded_in_a_signed_mail_changes_no_verdict() {
    let shelf = MemoryShelf::default();
    let signed = text_of(&send(&shelf, MAIL, &[settled("a@x.example", SIGN, &[])])[0]);
    // Without chance, both would have the same boundary.
    let signed = signed.replace("\r\n", "\n").replace("=_smime", "inner");
    let forward = format!(
        "From: us@we.example\nContent-Type: multipart/mixed; boundary=w\n\n--w\n\nsee below\n--w\n\
         Content-Type: message/rfc822\n\n{signed}\n--w--\n"
    );
    let copies = send(&shelf, &forward, &[settled("a@x.example", SIGN, &[])]);
    let found = opened(&shelf, &bytes_of(&copies[0]), &[]);
    assert_eq!(found.verdicts.signature, SignatureVerdict::Valid);
    assert_eq!(found.signatures.len(), 1);
}

/// What alice sends us, signed and encrypted to us.
fn encrypted_to_us(shelf: &MemoryShelf, inner: &str) -> Arc<dyn StoredContent> {
    let (alice, alices) = (certificate("alice"), key("alice"));
    let content = stored(shelf, inner);
    let from = ReversePath::Null;
    let params = MailParams::default();
    let signer = Signer {
        key: &alices,
        certificate: &alice,
        chain: &[],
        rsa_signature: Default::default(),
    };
    let recipients = [settled("us@we.example", ENCRYPT, &["us"])];
    let work = OutboundWork {
        received: Received {
            content: &content,
            from: &from,
            params: &params,
            prepend: "",
        },
        recipients: &recipients,
        signer: Some(signer),
        own: None,
        now: NOW,
        protect_header: false,
    };
    let copies = outbound(&work, shelf, &mut Counter(3)).unwrap();
    stored(shelf, &text_of(&copies[0]).replace("\r\n", "\n"))
}

const FROM_ALICE: &str = "From: Alice <alice@partner.example>
To: us@we.example
Subject: outer
Authentication-Results: gate.example; smime=pass
Content-Type: text/plain
Content-Language: en

secret
";

#[test]
fn decrypted_mail_is_delivered_with_its_verdict() {
    let shelf = MemoryShelf::default();
    let content = encrypted_to_us(&shelf, FROM_ALICE);
    let us = pair("us");
    let found = opened(&shelf, content.as_ref(), &[&us]);
    assert_eq!(found.verdicts.signature, SignatureVerdict::Valid);
    assert_eq!(
        found.verdicts.encryption,
        EncryptionVerdict::DecryptedAuthenticated
    );
    assert_eq!(found.encrypted_keys.len(), 1);
    assert_eq!(
        found.content(InboundContent::KeyPresent),
        InboundContent::KeyPresent
    );
    let from = found.from.clone().unwrap();
    let terms = Terms {
        anchors: &anchors(),
        evidence: &Evidence::default(),
        now: NOW,
    };
    let learned = harvest(&found.signatures[0], &from, &[], terms);
    assert_eq!(learned[0].certificate, certificate("alice"));

    let copy = receive(&shelf, &content, InboundOutcome::DeliverDecrypted, &[found]);
    assert_eq!(copy.status, MailStatus::Decrypted);
    assert_eq!(
        copy.params.ret,
        Some(sealgate_mail::smtp::Ret::Headers),
        "m8: never returned whole"
    );
    let text = text_of(&copy);
    let head = text.split_once("\r\n\r\n").unwrap().0.replace("\r\n ", " ");
    let names: Vec<&str> = head
        .lines()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    let expected = [
        "Received",
        "Authentication-Results",
        "X-Sealgate-Result",
        "From",
        "To",
        "Subject",
        "MIME-Version",
        "Content-Type",
    ];
    assert_eq!(names, expected, "{head}");
    assert!(
        head.contains("smime=pass reason=\"valid\" body.smime-identifier=alice@partner.example"),
        "{head}"
    );
    assert!(
        text.contains("\r\nsecret\r\n") && text.contains("Content-Language: en"),
        "{text}"
    );
    // What is delivered is whole: its inner signature verifies again.
    assert_eq!(
        opened(&shelf, &text.as_bytes(), &[]).verdicts.signature,
        SignatureVerdict::Valid
    );
}

#[test]
fn mail_that_does_not_open_is_told_from_mail_without_a_key() {
    let shelf = MemoryShelf::default();
    let content = encrypted_to_us(&shelf, FROM_ALICE);
    let bob = pair("bob");
    for ring in [&[][..], &[&bob]] {
        let found = opened(&shelf, content.as_ref(), ring);
        assert_eq!(found.verdicts.encryption, EncryptionVerdict::NoKey);
        assert_eq!(found.content(InboundContent::NoKey), InboundContent::NoKey);
        assert!(found.entity.is_none());
    }
    // Cut short: the key is ours, the content is not whole.
    let mut text = Vec::new();
    io::Read::read_to_end(&mut content.reader(0).unwrap(), &mut text).unwrap();
    text.truncate(text.len() - 120);
    let us = pair("us");
    let found = opened(&shelf, &text, &[&us]);
    assert_eq!(found.verdicts.encryption, EncryptionVerdict::Failed);
    assert_eq!(
        found.content(InboundContent::KeyPresent),
        InboundContent::Unreadable
    );
    assert!(found.entity.is_none());
    // As it came, with the verdict.
    let copy = receive(&shelf, &content, InboundOutcome::DeliverEncrypted, &[found]);
    assert_eq!(copy.status, MailStatus::Encrypted);
    assert!(text_of(&copy).contains("encryption=failed"));
}

#[test]
fn what_did_not_open_is_never_delivered_as_decrypted() {
    let shelf = MemoryShelf::default();
    let content = encrypted_to_us(&shelf, FROM_ALICE);
    let found = opened(&shelf, content.as_ref(), &[]);
    let recipients = [InboundRecipient {
        recipient: to("us@we.example"),
        outcome: InboundOutcome::DeliverDecrypted,
        exemption: None,
        opened: Some(0),
    }];
    let host = Domain::parse("gate.example").unwrap();
    let params = MailParams::default();
    let work = InboundWork {
        received: Received {
            content: &content,
            from: &ReversePath::Null,
            params: &params,
            prepend: "",
        },
        recipients: &recipients,
        opened: &[found],
        own: Own {
            authserv_id: &host,
            trace_key: &[7; 32],
        },
        settings: Settings::default(),
    };
    assert!(matches!(inbound(&work, &shelf), Err(ProcessError::Io(_))));
}

/// A token that is away is nobody's fault and passes: never a refusal for good, whatever the key was wanted for.
#[test]
fn a_token_that_is_away_is_told_to_come_again() {
    let away = || KeyError::TokenAway("hsm".into());
    for error in [
        ProcessError::from(SignError::Key(away())),
        ProcessError::from(SignError::Io(io::Error::other(away()))),
        ProcessError::from(EncryptError::Io(io::Error::other(away()))),
        ProcessError::from(io::Error::other(away())),
    ] {
        assert!(matches!(error, ProcessError::TokenAway(_)), "{error:?}");
        assert_eq!(error.reply().code, 451);
    }
    let other = ProcessError::from(SignError::Key(KeyError::WrongKind));
    assert_eq!(other.reply().code, 550);
    let full = ProcessError::from(io::Error::from(io::ErrorKind::StorageFull));
    assert!(matches!(full, ProcessError::Io(_)));
}

/// Rows G3 and G4: of the encrypted entity's header only Content-* counts, and the outer From stays.
#[test]
fn g3_inner_headers_allow_list() {
    let shelf = MemoryShelf::default();
    let inner = "From: boss@we.example\nSubject: inner\nTo: x\nBcc: x\nReceived: x\nReturn-Path: x\nDKIM-Signature: x\n\
                 Authentication-Results: gate.example; smime=pass\nX-Sealgate-Result: signature=valid\nMIME-Version: 1.0\n\
                 Content-Type: text/plain\nContent-X: a\n\nbare\nlines\rof text";
    let entity = Bytes(inner.as_bytes());
    let us = EncryptToUs::encrypt(&entity);
    let outer = format!("From: eve@x.example\nSubject: outer\n{us}");
    let content = stored(&shelf, &outer);
    let found = opened(&shelf, content.as_ref(), &[&pair("us")]);
    assert_eq!(found.verdicts.encryption, EncryptionVerdict::Decrypted);
    assert_eq!(found.verdicts.signature, SignatureVerdict::None);
    let text = text_of(&receive(
        &shelf,
        &content,
        InboundOutcome::DeliverDecrypted,
        &[found],
    ));
    let results = "Authentication-Results: gate.example; smime=none\nX-Sealgate-Result: signature=none; encryption=decrypted\n";
    let expected = format!(
        "{PREPEND}{results}From: eve@x.example\nSubject: outer\nMIME-Version: 1.0\nContent-Type: text/plain\nContent-X: a\n\n\
         bare\nlines\nof text"
    );
    assert_eq!(text.replace("\r\n", "\n"), expected.replace("\r\n", "\n"));
    // Row M2: no bare CR or LF leaves.
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
}

struct Bytes<'a>(&'a [u8]);

impl Source for Bytes<'_> {
    fn write_to(&self, out: &mut dyn io::Write) -> io::Result<()> {
        out.write_all(self.0)
    }
}

struct EncryptToUs;

impl EncryptToUs {
    /// Fields, blank line and body of an entity that holds `entity`, with LF line ends.
    fn encrypt(entity: &dyn Source) -> String {
        use sealgate_smime::encrypt::{EncryptTo, encrypt};
        let to = [EncryptTo::new(&certificate("us"))];
        let enveloped = encrypt(entity, &to, Default::default(), &mut Counter(5)).unwrap();
        let mut out = Vec::new();
        enveloped.write_to(&mut out).unwrap();
        String::from_utf8(out).unwrap().replace("\r\n", "\n")
    }
}

#[test]
fn layers_are_opened_inwards_and_limited() {
    let shelf = MemoryShelf::default();
    let us = pair("us");
    // Encrypted in encrypted: both are opened, and the innermost is what is delivered.
    let mut entity = "Content-Type: text/plain\n\ninnermost\n".to_owned();
    for layers in 1..=10 {
        entity = EncryptToUs::encrypt(&Bytes(entity.replace('\n', "\r\n").as_bytes()));
        let content = stored(&shelf, &format!("From: eve@x.example\n{entity}"));
        let found = opened(&shelf, content.as_ref(), &[&us]);
        let limit = sealgate_smime::limits::LAYERS;
        assert_eq!(found.encrypted_keys.len(), layers.min(limit));
        let verdict = match layers.cmp(&limit) {
            std::cmp::Ordering::Greater => EncryptionVerdict::Refused,
            _ => EncryptionVerdict::Decrypted,
        };
        assert_eq!(found.verdicts.encryption, verdict, "{layers} layers");
        let text = text_of(&receive(
            &shelf,
            &content,
            InboundOutcome::DeliverDecrypted,
            &[found],
        ));
        assert_eq!(text.contains("innermost"), layers <= limit);
    }
}

#[test]
fn a_notification_passes_with_headers_only() {
    let shelf = MemoryShelf::default();
    let raw = "From: mailer@x.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nsorry\n--b\n\
               Content-Type: message/delivery-status\n\nReporting-MTA: dns;x.example\n\nFinal-Recipient: rfc822;a@x.example\nAction: \
               failed\nStatus: 5.1.1\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <1@we.example>\n\nreturned text\n--b--\n";
    let content = stored(&shelf, raw);
    let report = Some(Exemption::Report);
    let text = text_of(&receive_exempt(
        &shelf,
        &content,
        InboundOutcome::Deliver,
        (&[], report),
    ));
    assert!(
        text.contains("sorry")
            && text.contains("<1@we.example>")
            && !text.contains("returned text"),
        "{text}"
    );
    let recipient = OutboundRecipient {
        exemption: report,
        ..settled("a@x.example", PLAIN, &[])
    };
    let text = text_of(&send(&shelf, raw, &[recipient])[0]);
    assert!(
        text.contains("sorry") && !text.contains("returned text"),
        "{text}"
    );
}

/// The copies our mailbox sends with its RSA key.
fn send_with_rsa(
    shelf: &MemoryShelf,
    raw: &str,
    recipients: &[OutboundRecipient],
) -> Vec<Outgoing> {
    let content = stored(shelf, raw);
    let (key, own) = (key("us-rsa"), certificate("us-rsa"));
    let signer = Signer {
        key: &key,
        certificate: &own,
        chain: &[],
        rsa_signature: Default::default(),
    };
    let work = OutboundWork {
        received: Received {
            content: &content,
            from: &ReversePath::Null,
            params: &MailParams::default(),
            prepend: "",
        },
        recipients,
        signer: Some(signer),
        own: None,
        now: NOW,
        protect_header: false,
    };
    outbound(&work, shelf, &mut Counter(1)).unwrap()
}

fn of_profile(profile: Profile, recipient: OutboundRecipient) -> OutboundRecipient {
    OutboundRecipient {
        suite: suite(profile, &[]),
        ..recipient
    }
}

#[test]
fn c23_a_special_recipient_never_lowers_the_rest() {
    let shelf = MemoryShelf::default();
    let raw = MAIL.replace(
        "Bcc:",
        "Cc: bob@partner.example, c@x.example, d@x.example\nBcc:",
    );
    let recipients = [
        settled(ALICE, ENCRYPT, &["alice"]),
        of_profile(Profile::Legacy, settled(BOB, ENCRYPT, &["bob"])),
        of_profile(
            Profile::Modern,
            settled("c@x.example", ENCRYPT, &["alice-newer"]),
        ),
        settled("d@x.example", ENCRYPT, &["alice-encrypt"]),
    ];
    let copies = send(&shelf, &raw, &recipients);
    let named: Vec<Vec<Certificate>> = copies
        .iter()
        .map(|copy| all_named(&bytes_of(copy)))
        .collect();
    let expected = [
        vec!["us", "alice", "alice-encrypt"],
        vec!["us", "bob"],
        vec!["us", "alice-newer"],
    ]
    .map(|names| names.into_iter().map(certificate).collect::<Vec<_>>());
    assert_eq!(named, expected);
    let kinds: Vec<Kind> = copies
        .iter()
        .map(|copy| kind(&Message::read(&bytes_of(copy)).unwrap()).unwrap())
        .collect();
    assert_eq!(
        kinds,
        [Kind::Enveloped, Kind::Enveloped, Kind::AuthEnveloped]
    );
    for (copy, name) in copies.iter().zip(["alice", "bob", "us"]) {
        let found = opened(&shelf, &bytes_of(copy), &[&pair(name)]);
        assert_eq!(found.verdicts.signature, SignatureVerdict::Valid, "{name}");
    }
}

#[test]
fn each_way_of_signing_is_a_copy_of_its_own_and_made_once() {
    let shelf = MemoryShelf::default();
    let modern = |address| of_profile(Profile::Modern, settled(address, SIGN, &[]));
    let recipients = [
        settled("a@x.example", SIGN, &[]),
        modern("b@x.example"),
        settled("c@x.example", SIGN, &[]),
        modern("d@x.example"),
    ];
    let copies = send_with_rsa(&shelf, MAIL, &recipients);
    let schemes: Vec<SignatureAlgorithm> = copies
        .iter()
        .map(|copy| {
            let found = opened(&shelf, &bytes_of(copy), &[]);
            found.signatures[0].signers[0].algorithm.unwrap()
        })
        .collect();
    let digest = DigestAlgorithm::Sha256;
    let pss = SignatureAlgorithm::RsaPss {
        digest,
        mgf: digest,
        salt: 32,
    };
    assert_eq!(schemes, [SignatureAlgorithm::RsaPkcs1(digest), pss]);
    assert!(copies.iter().all(|copy| copy.recipients.len() == 2));
    // A key of another kind has one way: one copy for all.
    assert_eq!(send(&shelf, MAIL, &recipients).len(), 1);
}
