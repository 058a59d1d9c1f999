//! Against a name server of our own on loopback.

use std::sync::Arc;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, MX};
use hickory_resolver::proto::rr::{Name, Record};
use tokio::net::UdpSocket;

use super::*;

fn host(preference: u16, host: &str) -> MailHost {
    MailHost {
        preference,
        host: host.into(),
    }
}

#[test]
fn order_of_hosts() {
    let hosts = vec![host(20, "c"), host(10, "b"), host(10, "a"), host(30, "")];
    let mut keys = [1u64, 9, 3].into_iter();
    let sorted = ordered(hosts, || keys.next().unwrap()).unwrap();
    assert_eq!(sorted, [host(10, "a"), host(10, "b"), host(20, "c")]);
    assert_eq!(ordered(vec![host(0, "")], || 0), Err(DnsFailure::NullMx));
    let many: Vec<MailHost> = (0..100).map(|n| host(n, "x")).collect();
    assert_eq!(ordered(many, || 0).unwrap().len(), MX_HOSTS);
}

/// A name server for one test; what it knows is in `answer`.
pub(crate) async fn name_server() -> SocketAddr {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 1500];
        while let Ok((length, peer)) = socket.recv_from(&mut packet).await {
            let question = Message::from_vec(&packet[..length]).unwrap();
            let _ = socket
                .send_to(&answer(&question).to_vec().unwrap(), peer)
                .await;
        }
    });
    address
}

fn answer(question: &Message) -> Message {
    let query = question.queries[0].clone();
    let name = query.name().clone();
    let mut message = question.clone().into_response();
    let mx = |preference, host: &str| {
        let exchange = Name::from_ascii(host).unwrap();
        Record::from_rdata(name.clone(), 60, RData::MX(MX::new(preference, exchange)))
    };
    let address = |last| Record::from_rdata(name.clone(), 60, RData::A(A::new(127, 0, 0, last)));
    let records = match (name.to_utf8().as_str(), query.query_type()) {
        ("two.example.", RecordType::MX) => {
            vec![mx(20, "Backup.two.example."), mx(10, "127.0.0.1.")]
        }
        ("null.example.", RecordType::MX) => vec![mx(0, ".")],
        ("idn.example.", RecordType::MX) => vec![mx(10, "MX.xn--bcher-kva.example.")],
        ("implicit.example.", RecordType::A) => vec![address(1)],
        ("backup.two.example.", RecordType::A) => vec![address(2)],
        ("dangling.example.", RecordType::MX) => vec![mx(10, "none.example.")],
        ("noaddress.example.", _) => Vec::new(),
        ("implicit.example." | "backup.two.example.", _) => Vec::new(),
        ("broken.example.", _) => {
            message.metadata.response_code = ResponseCode::ServFail;
            Vec::new()
        }
        _ => {
            message.metadata.response_code = ResponseCode::NXDomain;
            Vec::new()
        }
    };
    message.answers = records;
    message
}

#[tokio::test]
async fn answers_of_a_name_server() {
    let dns = Dns::new(DnsConfig::Server(name_server().await)).unwrap();
    let mx = async |domain: &str| dns.mx(&Domain::parse(domain).unwrap()).await;
    assert_eq!(
        mx("two.example").await,
        Ok(vec![host(10, "127.0.0.1"), host(20, "backup.two.example")])
    );
    assert_eq!(
        mx("implicit.example").await,
        Ok(vec![host(0, "implicit.example")])
    );
    // As it stands in DNS: certificates, TLSA records and the configuration name it so.
    assert_eq!(
        mx("idn.example").await,
        Ok(vec![host(10, "mx.xn--bcher-kva.example")])
    );
    assert_eq!(mx("null.example").await, Err(DnsFailure::NullMx));
    assert_eq!(mx("none.example").await, Err(DnsFailure::NoSuchDomain));
    assert!(matches!(
        mx("broken.example").await,
        Err(DnsFailure::Temporary(_))
    ));
    assert_eq!(mx("[192.0.2.7]").await, Ok(vec![host(0, "192.0.2.7")]));
    assert_eq!(
        mx("[IPv6:2001:db8::7]").await,
        Ok(vec![host(0, "2001:db8::7")])
    );
    assert_eq!(
        dns.addresses("backup.two.example").await,
        Ok(vec![IpAddr::from([127, 0, 0, 2])])
    );
    assert_eq!(
        dns.addresses("::1").await,
        Ok(vec![Ipv6Addr::LOCALHOST.into()])
    );
    assert_eq!(
        dns.addresses("none.example").await,
        Err(DnsFailure::NoSuchDomain)
    );
    assert!(matches!(
        dns.addresses("broken.example").await,
        Err(DnsFailure::Temporary(_))
    ));
}

#[tokio::test]
async fn off_asks_nobody() {
    let dns = Dns::new(DnsConfig::Off).unwrap();
    assert!(matches!(
        dns.mx(&Domain::parse("two.example").unwrap()).await,
        Err(DnsFailure::Temporary(_))
    ));
    assert!(matches!(
        dns.addresses("two.example").await,
        Err(DnsFailure::Temporary(_))
    ));
    assert!(dns.addresses("localhost").await.is_ok());
    assert!(dns.addresses("127.0.0.1").await.is_ok());
}
