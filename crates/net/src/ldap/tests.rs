use std::time::Duration;

use sealgate_core::directory::{Directory, Place, Protection};
use sealgate_core::queue::Reach;
use sealgate_smime::asn1;
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::dns::DnsConfig;

use super::*;

const WANTED: [&str; 2] = ["userCertificate;binary", "userSMIMECertificate;binary"];

fn search(attributes: &[String]) -> Search<'_> {
    Search {
        base: "dc=x",
        mail: "a@x.example",
        attributes,
        entries: 20,
        seconds: 5,
    }
}

/// What comes of a search that a server answers with these octets, whatever was asked.
async fn answered(octets: Vec<u8>) -> Result<Vec<FoundCertificate>, NoAnswer> {
    let (ours, mut theirs): (DuplexStream, DuplexStream) = tokio::io::duplex(64 * 1024);
    let server = tokio::spawn(async move {
        let mut question = vec![0; 64 * 1024];
        let _ = theirs.read(&mut question).await;
        // The limits end the conversation before all is written.
        let _ = theirs.write_all(&octets).await;
    });
    let attributes = WANTED.map(str::to_owned);
    let mut wire = Wire::new(ours);
    let searched = timeout(Duration::from_secs(10), wire.search(search(&attributes)));
    let found = searched.await.unwrap();
    drop(wire);
    server.await.unwrap();
    found
}

fn message(number: u32, operation: u8, content: &[u8]) -> Vec<u8> {
    asn1::sequence(&[&asn1::small(number), &asn1::tlv(operation, content)])
}

fn done(code: u8) -> Vec<u8> {
    message(1, 0x65, &[0x0A, 1, code, 4, 0, 4, 0])
}

fn entry(attribute: &str, values: &[&[u8]]) -> Vec<u8> {
    let values: Vec<u8> = values
        .iter()
        .flat_map(|value| asn1::octet_string(value))
        .collect();
    let attribute = asn1::sequence(&[
        &asn1::octet_string(attribute.as_bytes()),
        &asn1::tlv(0x31, &values),
    ]);
    let entry = [asn1::octet_string(b"cn=x"), asn1::sequence(&[&attribute])].concat();
    message(1, 0x64, &entry)
}

fn refused(reason: &str) -> Result<usize, String> {
    Err(reason.to_owned())
}

#[tokio::test]
async fn entries_are_read_within_limits() {
    let large = vec![0x55; 200 * 1024];
    let too_large = vec![0x55; 10 * 1024 * 1024];
    let one = || entry("usercertificate", &[b"one"]);
    let reference = message(1, 0x73, &asn1::octet_string(b"ldap://127.0.0.1/"));
    let many: Vec<&[u8]> = vec![b"one"; 60];
    let huge_header = vec![0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF];
    for (name, octets, expected) in [
        ("nothing", done(0), Ok(0)),
        ("one", [one(), done(0)].concat(), Ok(1)),
        (
            "another option",
            [entry("userCertificate;lang-de", &[b"one"]), done(0)].concat(),
            Ok(1),
        ),
        (
            "another attribute",
            [entry("jpegPhoto", &[b"one"]), done(0)].concat(),
            Ok(0),
        ),
        (
            "two values",
            [
                entry("userSMIMECertificate;binary", &[b"one", b"two"]),
                done(0),
            ]
            .concat(),
            Ok(2),
        ),
        (
            "references are passed over",
            [reference, one(), done(0)].concat(),
            Ok(1),
        ),
        (
            "no such base",
            done(32),
            refused("the search failed with code 32 "),
        ),
        (
            "a referral",
            done(10),
            refused("the search failed with code 10 "),
        ),
        (
            "more match than asked for",
            [one(), done(4)].concat(),
            refused("too many entries or certificates match"),
        ),
        (
            "10,000 entries",
            one().repeat(10_000),
            refused("too many entries or certificates match"),
        ),
        (
            "many references",
            message(1, 0x73, &[]).repeat(10_000),
            refused("it sends too many messages"),
        ),
        (
            "many certificates",
            [entry("userCertificate", &many), done(0)].concat(),
            refused("too many entries or certificates match"),
        ),
        (
            "a large one",
            [entry("userCertificate", &[&large]), done(0)].concat(),
            Ok(1),
        ),
        (
            "several large ones",
            entry("userCertificate", &[&large]).repeat(9),
            refused("its answer is too large"),
        ),
        (
            "10 MB",
            entry("userCertificate", &[&too_large]),
            refused("its answer is too large"),
        ),
        (
            "2 GB announced",
            huge_header,
            refused("its answer is too large"),
        ),
        (
            "cut short",
            one()[..20].to_vec(),
            refused("it closed the connection"),
        ),
        (
            "out of turn",
            message(0, 0x78, &[0x0A, 1, 52, 4, 0, 4, 0]),
            refused("it ends the conversation"),
        ),
        (
            "another answer",
            message(1, 0x61, &[0x0A, 1, 0, 4, 0, 4, 0]),
            refused("it answers something else than was asked"),
        ),
        (
            "no LDAP",
            b"220 mail.example ESMTP\r\n".to_vec(),
            refused("the directory does not speak LDAP: an unexpected element"),
        ),
    ] {
        let found = answered(octets).await;
        let found = found.map(|found| found.len()).map_err(|error| error.reason);
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn certificates_in_a_signed_data_are_taken_out() {
    let data = |name: &str| {
        let path = format!("{}/../smime/testdata/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    };
    let signed = data("opaque-der.eml");
    let (_, body) = signed.split_once("\r\n\r\n").unwrap();
    let octets = CertificateDer::from_pem_slice(
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n").as_bytes(),
    )
    .unwrap();
    let found = read_value(octets.as_ref());
    assert!(!found.is_empty());
    for der in &found {
        sealgate_smime::certificate::Certificate::from_der(der).unwrap();
    }
    assert_eq!(read_value(b"garbage"), [b"garbage"]);
}

/// Whoever may not reach inner addresses learns nothing about them: an open port, a closed one and a name without address look
/// alike, and nobody is called.
#[tokio::test]
async fn a_directory_of_an_organisation_is_at_no_inner_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let open = listener.local_addr().unwrap().port();
    let closed = {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        gone.local_addr().unwrap().port()
    };
    let dns = || Dns::new(DnsConfig::Off).unwrap();
    let directory = |host: &str, port, reach| Directory {
        name: "inner".to_owned(),
        place: Place {
            host: host.to_owned(),
            port,
        },
        protection: Protection::None,
        bind: None,
        base: "dc=x".to_owned(),
        domains: vec![],
        attributes: vec![],
        roots: None,
        reach,
    };
    let address = Address::parse("a@x.example").unwrap();
    let mut told = Vec::new();
    for (host, port, reach) in [
        ("127.0.0.1", open, Reach::Public),
        ("localhost", open, Reach::Public),
        ("127.0.0.1", closed, Reach::Public),
        ("127.0.0.1", closed, Reach::Everywhere),
        ("nobody.example", 389, Reach::Everywhere),
    ] {
        let ldap = Ldap::new(directory(host, port, reach), dns(), Vec::new()).unwrap();
        let asked = timeout(Duration::from_secs(2), ldap.find(&address)).await;
        told.push(asked.expect("nobody is waited for").unwrap_err().reason);
    }
    assert!(told.iter().all(|one| one == UNREACHED), "{told:?}");
    let called = timeout(Duration::from_millis(1), listener.accept()).await;
    assert!(called.is_err());
    // A network that the operator lets organisations name.
    let allowed = vec!["127.0.0.0/8".parse().unwrap()];
    let ldap = Ldap::new(directory("127.0.0.1", open, Reach::Public), dns(), allowed).unwrap();
    let asked = tokio::spawn(async move { ldap.find(&address).await });
    listener.accept().await.unwrap();
    asked.abort();
}
