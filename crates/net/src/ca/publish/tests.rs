//! The server as clients see it: over a socket, byte for byte.

use crate::limits::{WEB_HEADER_OCTETS, WEB_HEADERS};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

use sealgate_core::authority::{OrderId, ToRevoke, Wanted};
use sealgate_smime::key::{KeyKind, PrivateKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::ca::Authority;
use crate::ca::builtin::tests::{Memory, NOW, address, addresses, ca};
use crate::ca::builtin::{BuiltIn, Ca};

struct Served {
    address: std::net::SocketAddr,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
    ca: Ca,
    register: Arc<Memory>,
}

async fn served() -> Served {
    served_with(|_| {}).await
}

async fn served_with(change: impl FnOnce(&mut Waits)) -> Served {
    let ca = ca();
    let register = Arc::new(Memory::default());
    let publisher = Publisher::new(ca.clone(), register.clone(), || NOW);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let mut site = Site::new(publisher, addresses());
    change(&mut site.waits);
    let site = Arc::new(site);
    let task = tokio::spawn(serve(listener, site, stopped));
    Served {
        address,
        stop,
        task,
        ca,
        register,
    }
}

impl Served {
    /// Head and body of what comes back until the server closes.
    async fn raw(&self, octets: &[u8]) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(octets).await.unwrap();
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all).await;
        let end = all.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.map_or(all.len(), |at| at + 4);
        let body = all.split_off(end);
        (String::from_utf8(all).unwrap().to_lowercase(), body)
    }

    async fn ask(&self, method: &str, path: &str, body: &[u8]) -> (String, Vec<u8>) {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.raw(&[head.as_bytes(), body].concat()).await
    }
}

#[tokio::test]
async fn certificates_and_lists_are_there_and_nothing_else() {
    let served = served().await;
    *served.register.broken.lock().unwrap() = true;
    let (head, _) = served.ask("GET", "/issuing.crl", b"").await;
    assert!(head.starts_with("http/1.1 503"), "{head}");
    *served.register.broken.lock().unwrap() = false;
    for (path, kind, octets) in [
        (
            "/root.crt",
            "application/pkix-cert",
            Some(&served.ca.root_certificate),
        ),
        (
            "/issuing.crt",
            "application/pkix-cert",
            Some(&served.ca.issuing_certificate),
        ),
        ("/root.crl", "application/pkix-crl", None),
        ("/issuing.crl", "application/pkix-crl", None),
    ] {
        let (head, body) = served.ask("GET", path, b"").await;
        assert!(head.starts_with("http/1.1 200"), "{path}: {head}");
        assert!(
            head.contains(&format!("content-type: {kind}\r\n")),
            "{head}"
        );
        assert!(
            head.contains("cache-control: max-age=300, public"),
            "{head}"
        );
        assert!(
            head.contains("\r\nexpires: ") && head.contains(" gmt\r\n"),
            "{head}"
        );
        if let Some(certificate) = octets {
            assert_eq!(body, certificate.der());
        }
        let (head, none) = served.ask("HEAD", path, b"").await;
        assert!(head.starts_with("http/1.1 200") && none.is_empty());
        assert!(
            head.contains(&format!("content-length: {}\r\n", body.len())),
            "{head}"
        );
        let (head, _) = served.ask("POST", path, b"").await;
        assert!(head.starts_with("http/1.1 405") && head.contains("allow: get, head\r\n"));
    }
    for path in [
        "/",
        "/root",
        "/root.crt/",
        "/root.crl/x",
        "/../root.crt",
        "/metrics",
        "/%2e%2e/x",
    ] {
        let (head, body) = served.ask("GET", path, b"").await;
        assert!(
            head.starts_with("http/1.1 404") && body.is_empty(),
            "{path}: {head}"
        );
    }
    let (head, _) = served.ask("PUT", "/ocsp", b"").await;
    assert!(head.starts_with("http/1.1 405"), "{head}");
}

/// A request of our own reader for a certificate that `served` issued.
async fn request(served: &Served) -> (Vec<u8>, sealgate_smime::certificate::Certificate) {
    use sealgate_core::authority::Progress;
    use sealgate_smime::path::{Purpose, TrustAnchors, judge};
    use sealgate_smime::revocation::{Question, questions};
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let who = address("a@example.com");
    let wanted = Wanted {
        order: OrderId(1),
        csr: sealgate_smime::csr::request(&key, &who).unwrap(),
        address: who,
        spki: key.spki_der().to_vec(),
        handle: None,
        answered: false,
        now: NOW,
    };
    let connector = BuiltIn::new(
        served.ca.clone(),
        served.register.clone(),
        Some(addresses()),
    );
    let Ok(Progress::Issued(chain)) = connector.request(&wanted).await else {
        panic!("nothing issued");
    };
    let anchors = TrustAnchors::new(vec![served.ca.root_certificate.clone()]);
    let path = judge(&chain[0], &chain[1..], &anchors, Purpose::Sign, NOW).unwrap();
    let Some(Question::Ocsp { request, .. }) = questions(&path).into_iter().next() else {
        panic!("nothing to ask");
    };
    (request, chain[0].clone())
}

#[tokio::test]
async fn ocsp_by_post_and_by_path() {
    let served = served().await;
    let (request, certificate) = request(&served).await;
    let base64 = base64_simd::STANDARD.encode_to_string(&request);
    let encoded = base64
        .replace('+', "%2B")
        .replace('/', "%2f")
        .replace('=', "%3D");
    let (head, posted) = served.ask("POST", "/ocsp", &request).await;
    assert!(
        head.contains("application/ocsp-response") && head.contains("no-store"),
        "{head}"
    );
    assert!(posted.starts_with(&[0x30, 0x82]) && posted[4..7] == [10, 1, 0]);
    for path in [format!("/ocsp/{base64}"), format!("/ocsp/{encoded}")] {
        let (head, got) = served.ask("GET", &path, b"").await;
        assert!(
            head.contains("must-revalidate") && head.contains("etag: \""),
            "{head}"
        );
        assert_eq!(got.len() / 8, posted.len() / 8);
    }
    let bad = [10, 1, 1];
    for path in ["/ocsp/%", "/ocsp/%zz", "/ocsp/MEow", "/ocsp/!"] {
        let (head, got) = served.ask("GET", path, b"").await;
        assert!(
            head.starts_with("http/1.1 200") && head.contains("no-store"),
            "{head}"
        );
        assert_eq!(got[2..5], bad, "{path}");
    }
    let (head, _) = served
        .ask("POST", "/ocsp", &[0x30; OCSP_REQUEST_OCTETS + 1])
        .await;
    assert!(head.starts_with("http/1.1 413"), "{head}");
    let connector = BuiltIn::new(served.ca.clone(), served.register.clone(), None);
    let what = ToRevoke {
        certificate,
        chain: Vec::new(),
        handle: None,
        reason: sealgate_core::authority::RevocationReason::Superseded,
        now: NOW,
    };
    connector.revoke(&what).await.unwrap();
    let (_, revoked) = served.ask("POST", "/ocsp", &request).await;
    assert_ne!(revoked.len(), posted.len());
}

#[tokio::test]
async fn large_and_broken_requests_end() {
    let served = served().await;
    let long = format!(
        "GET /ocsp/{} HTTP/1.1\r\n\r\n",
        "A".repeat(2 * WEB_HEADER_OCTETS)
    );
    let many = format!(
        "GET / HTTP/1.1\r\n{}\r\n",
        "X: y\r\n".repeat(WEB_HEADERS + 1)
    );
    for octets in [
        long,
        many,
        "\0\0\0\r\n\r\n".to_owned(),
        "\x16\x03\x01\r\n\r\n".to_owned(),
    ] {
        let (head, _) = served.raw(octets.as_bytes()).await;
        assert!(head.is_empty() || head.starts_with("http/1.1 4"), "{head}");
    }
    let (head, _) = served.ask("GET", "/root.crt", b"").await;
    assert!(head.starts_with("http/1.1 200"));
}

#[tokio::test]
async fn a_stop_does_not_wait_for_idle_connections() {
    let served = served().await;
    let mut idle = TcpStream::connect(served.address).await.unwrap();
    let head = b"GET /root.crt HTTP/1.1\r\nHost: x\r\n\r\n";
    idle.write_all(head).await.unwrap();
    let mut one = [0; 1];
    idle.read_exact(&mut one).await.unwrap();
    let begun = Instant::now();
    served.stop.send(true).unwrap();
    served.task.await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn slow_clients_are_not_waited_for() {
    let short = Duration::from_millis(200);
    let served = served_with(|waits| (waits.header, waits.body) = (short, short)).await;
    let begun = Instant::now();
    for (octets, expected) in [
        (&b""[..], ""),
        (b"GET /root.crt HT", ""),
        (
            b"POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n0",
            "http/1.1 408",
        ),
    ] {
        let (head, _) = served.raw(octets).await;
        assert!(head.starts_with(expected), "{head}");
        assert!(!head.starts_with("http/1.1 200"));
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
    // Whoever takes his answer too slowly is cut off as well.
    let served = served_with(|waits| waits.connection = short).await;
    let begun = Instant::now();
    served
        .raw(b"GET /root.crt HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    assert!(begun.elapsed() < Duration::from_secs(5));
}
