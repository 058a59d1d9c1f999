//! Tests of the harness itself: a judge that cannot say no, or a server that loses octets, proves nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use e2e::case::Delivered;
use e2e::cast::{ALICE, CAROL, Cast};
use e2e::client::{Sending, Session, smtplib, swaks};
use e2e::dns::{Dns, Record};
use e2e::judge::{Passage, judge};
use e2e::keys::KeyKind;
use e2e::mime::{entity, with_entity};
use e2e::nss::{Nss, pkcs7_mime};
use e2e::openssl::{self, Writing};
use e2e::place::PATIENCE;
use e2e::program::present;
use e2e::sink::{Behaviour, Sink};

const MESSAGE: &[u8] = b"From: alice@example.com\r\nTo: carol@partner.example\r\nSubject: x\r\n\r\nhello\r\n.\r\n..dots\r\nend\r\n";
const WAIT: Duration = PATIENCE;

#[test]
fn the_sink_records_what_clients_send() {
    if !present(&["python3", "swaks"]) {
        return;
    }
    let sink = Sink::start();
    let mut sending = Sending::new(sink.address, ALICE, &[CAROL, "d@x.example"], MESSAGE);
    sending.mail_options = vec!["BODY=8BITMIME".into()];
    sending.rcpt_options = vec!["NOTIFY=NEVER".into()];
    let answer = smtplib(&sending);
    assert_eq!((answer.reply.code, answer.refused.len()), (250, 0));
    sending.mail_options.clear();
    sending.rcpt_options.clear();
    assert_eq!(swaks(&sending).code, 250);
    let mails = sink.wait_for(2, WAIT);
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].content, MESSAGE);
    assert!(
        mails[0]
            .wire
            .windows(7)
            .any(|octets| octets == b"\r\n...do")
    );
    assert_eq!(mails[0].from_parameters, "BODY=8BITMIME");
    assert_eq!(
        mails[0].recipients[0],
        (CAROL.to_owned(), "NOTIFY=NEVER".to_owned())
    );
    assert_eq!(mails[1].addresses(), [CAROL, "d@x.example"]);
    assert!(mails[1].content.starts_with(MESSAGE));
}

#[test]
fn the_sink_refuses_when_told_to() {
    if !present(&["python3"]) {
        return;
    }
    let sink = Sink::start();
    sink.behave(Behaviour {
        recipients: vec![(CAROL.to_owned(), "550 5.1.1 unknown".to_owned())],
        data: Some("451 4.3.0 later".to_owned()),
        ..Behaviour::default()
    });
    let answer = smtplib(&Sending::new(
        sink.address,
        ALICE,
        &[CAROL, "d@x.example"],
        MESSAGE,
    ));
    assert_eq!(answer.reply.code, 451);
    assert_eq!(answer.refused[0].0, CAROL);
    assert!(answer.refused[0].1.has_status("5.1.1"));
    assert!(sink.received().is_empty());
}

#[test]
fn the_sink_goes_away_and_comes_back() {
    let mut sink = Sink::start();
    sink.go_away();
    assert!(Session::connect(sink.address).is_err());
    sink.come_back();
    let mut session = Session::connect(sink.address).unwrap();
    session.command("EHLO client.example").unwrap();
    assert_eq!(session.mail(ALICE, &[CAROL], MESSAGE).unwrap().code, 250);
    assert_eq!(sink.received()[0].content, MESSAGE);
}

#[test]
fn the_sink_speaks_tls() {
    if !present(&["python3", "openssl"]) {
        return;
    }
    let sink = Sink::start_tls(&Cast::with(KeyKind::P256).server);
    let mut sending = Sending::new(sink.address, ALICE, &[CAROL], MESSAGE);
    sending.starttls = true;
    assert_eq!(smtplib(&sending).reply.code, 250);
    let mails = sink.received();
    assert!(mails[0].tls && mails[0].content == MESSAGE);
}

#[test]
fn the_judge_says_yes_and_no() {
    if !present(&["openssl"]) {
        return;
    }
    for kind in KeyKind::BOTH {
        let cast = Cast::with(kind);
        let signed = openssl::sign(&entity(MESSAGE), &cast.alice, None, false, Writing::Der);
        let opaque = openssl::sign(&entity(MESSAGE), &cast.alice, None, true, Writing::Stream);
        let foreign = openssl::sign(&entity(MESSAGE), &cast.carol, None, false, Writing::Der);
        let to_carol = [cast.carol.certificate.as_path()];
        let both = openssl::encrypt(&signed, &to_carol, "aes-256-cbc", Writing::Stream);
        let unsigned = openssl::encrypt(&entity(MESSAGE), &to_carol, "aes-256-cbc", Writing::Der);
        let mut changed = signed.clone();
        let at = e2e::mime::find(&changed, b"hello").unwrap();
        changed[at] = b'H';
        let verdict = |came_out: &[u8], expected| {
            let came_out = &with_entity(MESSAGE, came_out);
            let passage = Passage {
                original: MESSAGE,
                handed_in: MESSAGE,
                came_out,
                from: ALICE,
                to: CAROL,
            };
            judge(passage, expected, cast)
        };
        let plain = entity(MESSAGE);
        let table: &[(&[u8], Delivered, bool)] = &[
            (&plain, Delivered::Unchanged, true),
            (&plain, Delivered::Decrypted, true),
            (&plain, Delivered::Signed, false),
            (&plain, Delivered::Nothing, false),
            (&signed, Delivered::Signed, true),
            (&signed, Delivered::Unchanged, false),
            (&opaque, Delivered::Signed, true),
            (&foreign, Delivered::Signed, false),
            (&changed, Delivered::Signed, false),
            (&both, Delivered::SignedEncrypted, true),
            (&both, Delivered::Decrypted, false),
            (&unsigned, Delivered::SignedEncrypted, false),
            (&signed, Delivered::SignedEncrypted, false),
        ];
        for (index, (came_out, expected, good)) in table.iter().enumerate() {
            let found = verdict(came_out, *expected);
            assert_eq!(found.is_ok(), *good, "{kind:?} line {index}: {found:?}");
        }
    }
}

#[test]
fn nss_reads_and_writes() {
    let cast = Cast::with(KeyKind::Rsa(2048));
    let Some(nss) = Nss::new(&cast.partner_authority) else {
        return;
    };
    nss.own(&cast.carol, &cast.partner_authority);
    let plain = entity(MESSAGE);
    let signed = pkcs7_mime(&nss.sign(&plain).unwrap(), "signed-data");
    let root = &cast.partner_authority.certificate;
    assert_eq!(openssl::verify(&signed, root, CAROL), Ok(plain.clone()));
    let encrypted = nss.encrypt(&plain, CAROL).unwrap();
    assert_eq!(nss.open(&encrypted), Ok(plain.clone()));
    let entity = pkcs7_mime(&encrypted, "enveloped-data");
    assert_eq!(openssl::decrypt(&entity, &cast.carol), Ok(plain));
    assert!(openssl::decrypt(&entity, &cast.stranger).is_err());
}

#[test]
fn nss_signs_with_a_key_on_a_curve() {
    let cast = Cast::with(KeyKind::P256);
    let Some(nss) = Nss::new(&cast.partner_authority) else {
        return;
    };
    nss.own(&cast.carol, &cast.partner_authority);
    let plain = entity(MESSAGE);
    let signed = pkcs7_mime(&nss.sign(&plain).unwrap(), "signed-data");
    assert_eq!(
        openssl::verify(&signed, &cast.partner_authority.certificate, CAROL),
        Ok(plain)
    );
}

#[test]
fn the_name_server_answers_from_its_table() {
    let dns = Dns::start();
    dns.add(
        "partner.example",
        Record::Mx(10, "mx.partner.example".into()),
    );
    dns.add(
        "partner.example",
        Record::Text("v=spf1 ip4:127.0.0.1 -all".into()),
    );
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(WAIT)).unwrap();
    let ask = |kind: u8, name: &[u8]| {
        let query = [
            &[7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0],
            name,
            &[0, 0, kind, 0, 1],
        ]
        .concat();
        socket.send_to(&query, dns.address).unwrap();
        let mut answer = [0; 512];
        let (length, _) = socket.recv_from(&mut answer).unwrap();
        answer[..length].to_vec()
    };
    let name = b"\x07Partner\x07example";
    let mx = ask(15, name);
    assert_eq!((mx[3] & 15, mx[7]), (0, 1));
    assert!(mx.ends_with(b"\x00\x0a\x02mx\x07partner\x07example\x00"));
    let text = ask(16, name);
    assert!(text.ends_with(b"\x19v=spf1 ip4:127.0.0.1 -all"));
    assert_eq!(ask(1, name)[7], 0);
    assert_eq!(ask(1, b"\x07nowhere")[3] & 15, 3);
}
