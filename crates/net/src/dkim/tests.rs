//! Signatures judged by the verifier of `mail-auth`, against a name server of our own.

use sealgate_core::dkim::{DkimKey, DkimKeyId, DkimKeyState};
use sealgate_mail::{Address, ReversePath};
use sealgate_smime::aws::{Generate, Pkey};

use super::*;
use crate::authenticity::Authenticity;
use crate::authenticity::tests::name_server;
use crate::dns::DnsConfig;

const AT: Timestamp = Timestamp(1_700_000_000);
const HEAD: &[u8] = b"Received: from x\r\nFrom: Alice <alice@example.com>\r\nTo: b@other.example,\r\n c@other.example\r\nSubject:  a   b\r\nSubject: second\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n\r\n";

fn signer(kind: DkimKeyKind) -> Signer {
    let what = match kind {
        DkimKeyKind::Rsa2048 => Generate::Rsa(2048),
        DkimKeyKind::Ed25519 => Generate::Ed25519,
    };
    let pkcs8 = Pkey::generate(what).unwrap().to_pkcs8().unwrap();
    Signer {
        domain: Domain::parse("example.com").unwrap(),
        selector: Selector::parse(kind.as_str()).unwrap(),
        kind,
        key: PrivateKey::from_pkcs8(&pkcs8).unwrap(),
    }
}

fn record(signer: &Signer) -> (String, String) {
    let key = DkimKey {
        id: DkimKeyId(1),
        domain: signer.domain.clone(),
        selector: signer.selector.clone(),
        kind: signer.kind,
        state: DkimKeyState::Active,
        since: AT,
        public: signer.kind.public(signer.key.spki_der()),
    };
    (key.record_name(), key.record())
}

/// The verdicts on a mail, in order.
async fn verdicts(authenticity: &Authenticity, mail: &[u8]) -> Vec<&'static str> {
    let alice = Address::parse("alice@example.com").unwrap();
    let facts = authenticity
        .check(
            "192.0.2.1".parse().unwrap(),
            "x.example",
            &ReversePath::Null,
            Some(&alice),
            mail,
        )
        .await;
    facts.dkim.iter().map(|one| one.result).collect()
}

#[tokio::test]
async fn a_foreign_verifier_agrees() {
    let signers = [DkimKeyKind::Rsa2048, DkimKeyKind::Ed25519].map(signer);
    let records: Vec<(String, String)> = signers.iter().map(record).collect();
    let records: Vec<(&str, String)> = records
        .iter()
        .map(|(name, text)| (name.as_str(), text.clone()))
        .collect();
    let server = name_server(&records).await;
    let authenticity = Authenticity::new(DnsConfig::Server(server)).unwrap();
    let big = b"long line \t of text, ".repeat(50_000);
    let bodies: [&[u8]; 5] = [
        b"body \t x \r\n\r\n\r\n",
        b"",
        b"no line end",
        b"\xff\xfe\r\n",
        &big,
    ];
    for body in bodies {
        for naming in [Naming::Present, Naming::All] {
            let content = [HEAD, body].concat();
            let from = HEAD.len() as u64;
            let fields = sign(&signers, HEAD, (&content, from), AT, naming).unwrap();
            assert!(
                fields.split("\r\n").all(|line| line.len() <= 78),
                "{fields}"
            );
            let mail = [fields.as_bytes(), &content].concat();
            assert_eq!(
                verdicts(&authenticity, &mail).await,
                ["pass", "pass"],
                "{fields}"
            );
            let text = String::from_utf8_lossy(&mail).into_owned();
            for (what, with) in [
                ("Subject: second", "Subject: third"),
                ("From: Alice", "From: Bob"),
                (
                    "Subject: second\r\n",
                    "Subject: second\r\nSubject: added\r\n",
                ),
                ("Date: Tue,", "From: mallory@example.com\r\nDate: Tue,"),
            ] {
                let changed = text.replacen(what, with, 1);
                if body == b"\xff\xfe\r\n" {
                    continue;
                }
                assert_ne!(
                    verdicts(&authenticity, changed.as_bytes()).await,
                    ["pass", "pass"],
                    "{with}"
                );
            }
            let added = text.replacen("Date: Tue,", "Sender: list@lists.example\r\nDate: Tue,", 1);
            if body == b"no line end" {
                let stands = verdicts(&authenticity, added.as_bytes()).await == ["pass", "pass"];
                assert_eq!(stands, naming == Naming::Present);
            }
        }
    }
}

/// Heads as odd senders write them. Not among them: `Subject :` and form feeds, which this verifier does not read as RFC 6376
/// section 3.4.2 says.
#[tokio::test]
async fn odd_heads() {
    let signers = [DkimKeyKind::Rsa2048, DkimKeyKind::Ed25519].map(signer);
    let records = signers.iter().map(record);
    let records: Vec<(String, String)> = records.collect();
    let records: Vec<(&str, String)> = records
        .iter()
        .map(|(name, text)| (name.as_str(), text.clone()))
        .collect();
    let server = name_server(&records).await;
    let authenticity = Authenticity::new(DnsConfig::Server(server)).unwrap();
    let from = "From: (c (c)) \"A, b\" <alice@example.com> (c)\r\n";
    for fields in [
        "Subject:\r\n",
        "Subject: \t \r\nCc:\r\n",
        "SUBJECT:tight:with:colons\r\n",
        "Subject:\r\n  a\t\r\n \r\n\tb  \r\n",
        "Subject: a\u{b} b\u{a0}\r\n",
        "Subject: \u{e4}\r\nsubject: b\r\nSuBjEcT: c\r\n",
        "Reply-To: a@example.com\r\nSender: b@example.com\r\nReply-To:\r\n",
    ] {
        let head = format!("{fields}{from}\r\n");
        for naming in [Naming::Present, Naming::All] {
            let content = [head.as_bytes(), b"body\r\n"].concat();
            let part = (&content as &dyn Content, head.len() as u64);
            let signed = sign(&signers, head.as_bytes(), part, AT, naming).unwrap();
            let mail = [signed.as_bytes(), &content].concat();
            let found = verdicts(&authenticity, &mail).await;
            assert_eq!(found, ["pass", "pass"], "{fields:?} {naming:?}");
        }
    }
}

#[test]
fn the_field_names_what_is_signed() {
    let signers = [signer(DkimKeyKind::Ed25519)];
    let present = sign(&signers, HEAD, (b"", 0), AT, Naming::Present).unwrap();
    let unfolded = present.replace("\r\n ", "").replace(' ', "");
    assert!(
        unfolded.contains("h=From:From:To:To:Subject:Subject:Subject:Date:Date;"),
        "{present}"
    );
    assert!(unfolded.starts_with("DKIM-Signature:v=1;a=ed25519-sha256;c=relaxed/relaxed;t=1700000000;d=example.com;s=ed25519;"));
    assert!(!unfolded.contains(";l="));
    let all = sign(&signers, HEAD, (b"", 0), AT, Naming::All).unwrap();
    for name in SIGNED {
        assert!(all.contains(name), "{name}");
    }
    assert_eq!(sign(&[], HEAD, (b"", 0), AT, Naming::All).unwrap(), "");
}
