//! Against a name server of our own on loopback.

use std::collections::HashMap;
use std::net::SocketAddr;

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::TXT;
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use tokio::net::UdpSocket;

use super::*;

/// Answers TXT questions from `records`; names under `slow.example` get no answer.
pub(crate) async fn name_server(records: &[(&str, String)]) -> SocketAddr {
    let records: HashMap<String, String> = records
        .iter()
        .map(|(name, text)| (format!("{name}."), text.clone()))
        .collect();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((octets, peer)) = socket.recv_from(&mut buffer).await {
            let question = Message::from_vec(&buffer[..octets]).unwrap();
            let query = question.queries[0].clone();
            let name = query.name().to_string().to_ascii_lowercase();
            let mut answer = question.clone();
            answer.metadata.message_type = MessageType::Response;
            answer.metadata.response_code = ResponseCode::NXDomain;
            if let Some(text) = records
                .get(&name)
                .filter(|_| query.query_type() == RecordType::TXT)
            {
                answer.metadata.response_code = ResponseCode::NoError;
                let strings = text
                    .as_bytes()
                    .chunks(200)
                    .map(|s| String::from_utf8(s.to_vec()).unwrap())
                    .collect();
                answer.add_answer(Record::from_rdata(
                    query.name().clone(),
                    60,
                    RData::TXT(TXT::new(strings)),
                ));
            }
            socket
                .send_to(&answer.to_vec().unwrap(), peer)
                .await
                .unwrap();
        }
    });
    address
}

/// A mail from `from` signed for `domain`, and the key record.
fn signed(domain: &str, from: &str) -> (Vec<u8>, String) {
    let message = format!("From: {from}\r\nTo: b@gate.example\r\nSubject: x\r\n\r\nbody\r\n");
    let key = Ed25519Key::from_pkcs8_der(&Ed25519Key::generate_pkcs8().unwrap()).unwrap();
    let record = format!("v=DKIM1; k=ed25519; p={}", base64(&key.public_key()));
    let signer = DkimSigner::from_key(key)
        .domain(domain)
        .selector("s1")
        .headers(["From", "To", "Subject"]);
    let signature = signer.sign(message.as_bytes()).unwrap();
    (
        format!("{}{message}", signature.to_header()).into_bytes(),
        record,
    )
}

fn base64(octets: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in octets.chunks(3) {
        let number = (0..3).fold(0_usize, |n, i| {
            (n << 8) | usize::from(*group.get(i).unwrap_or(&0))
        });
        for i in 0..4 {
            let letter = LETTERS[(number >> (18 - 6 * i)) & 63];
            text.push(if i <= group.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    text
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

async fn check(
    server: SocketAddr,
    peer: &str,
    from: &str,
    header_from: &str,
    message: &[u8],
) -> AuthenticityFacts {
    let authenticity = Authenticity::new(DnsConfig::Server(server)).unwrap();
    let from = if from.is_empty() {
        ReversePath::Null
    } else {
        ReversePath::Address(address(from))
    };
    let header_from = address(header_from);
    authenticity
        .check(
            peer.parse().unwrap(),
            "mail.a.example",
            &from,
            Some(&header_from),
            message,
        )
        .await
}

#[tokio::test]
async fn spf_proves_the_envelope_sender() {
    let server = name_server(&[
        ("a.example", "v=spf1 ip4:192.0.2.1 -all".into()),
        ("soft.example", "v=spf1 ~all".into()),
        ("wrong.example", "v=spf1 nonsense".into()),
        ("mail.a.example", "v=spf1 ip4:192.0.2.1 -all".into()),
    ])
    .await;
    let table = [
        ("192.0.2.1", "x@a.example", Spf::Pass, true),
        ("::ffff:192.0.2.1", "x@a.example", Spf::Pass, true),
        ("192.0.2.2", "x@a.example", Spf::Fail, false),
        ("192.0.2.1", "x@soft.example", Spf::SoftFail, false),
        ("192.0.2.1", "x@wrong.example", Spf::PermError, false),
        ("192.0.2.1", "x@nothing.example", Spf::None, false),
        // The HELO name passes, but nobody is proven by that.
        ("192.0.2.1", "", Spf::Pass, false),
    ];
    for (peer, from, spf, proven) in table {
        let facts = check(
            server,
            peer,
            from,
            "x@other.example",
            b"From: x@other.example\r\n\r\n",
        )
        .await;
        assert_eq!(
            (facts.spf, facts.envelope_sender_proven()),
            (spf, proven),
            "{peer} {from}"
        );
        assert!(!facts.dkim_aligned);
    }
}

#[tokio::test]
async fn dkim_aligned_with_header_or_envelope() {
    let (mail, record) = signed("a.example", "x@a.example");
    let server = name_server(&[("s1._domainkey.a.example", record)]).await;
    let table = [
        ("x@a.example", "x@a.example", true, true),
        ("bounce@b.a.example", "x@a.example", true, true),
        ("x@other.example", "x@a.example", true, false),
        ("", "x@a.example", true, false),
    ];
    for (from, header_from, aligned, proven) in table {
        let facts = check(server, "192.0.2.9", from, header_from, &mail).await;
        assert_eq!(
            (facts.dkim_aligned, facts.envelope_sender_proven()),
            (aligned, proven),
            "{from}: {facts:?}"
        );
    }
    let changed = String::from_utf8(mail.clone())
        .unwrap()
        .replace("body", "evil");
    let facts = check(
        server,
        "192.0.2.9",
        "x@a.example",
        "x@a.example",
        changed.as_bytes(),
    )
    .await;
    assert!(
        !facts.dkim_aligned && !facts.envelope_sender_proven(),
        "{facts:?}"
    );
    let mut many = "DKIM-Signature: v=1\r\n"
        .repeat(DKIM_SIGNATURES)
        .into_bytes();
    many.extend_from_slice(&mail);
    let facts = check(server, "192.0.2.9", "x@a.example", "x@a.example", &many).await;
    assert!(facts.dkim.is_empty(), "{facts:?}");
}

#[test]
fn alignment() {
    let table = [
        ("a.example", "a.example", true),
        ("a.example", "b.a.example", true),
        ("b.a.example", "a.example", true),
        ("a.example", "xa.example", false),
        ("b.a.example", "c.a.example", false),
        ("example", "a.example", false),
        ("", "a.example", false),
        ("other.example", "a.example", false),
    ];
    for (signing, domain, aligned) in table {
        assert_eq!(
            is_aligned(signing, &Domain::parse(domain).unwrap()),
            aligned,
            "{signing} {domain}"
        );
    }
}

#[tokio::test]
async fn without_dns_nothing_is_proven() {
    let authenticity = Authenticity::new(DnsConfig::Off).unwrap();
    let from = ReversePath::Address(address("x@a.example"));
    let facts = authenticity
        .check("192.0.2.1".parse().unwrap(), "h", &from, None, b"")
        .await;
    assert_eq!(facts, AuthenticityFacts::unknown());
    assert!(!facts.envelope_sender_proven());
}
