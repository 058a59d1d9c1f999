//! The order as the server sees it, against a server that says what a table holds.

use std::collections::HashMap;
use std::sync::Arc;

use sealgate_core::authority::OrderId;
use sealgate_smime::csr;
use sealgate_smime::key::{KeyKind, PrivateKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::dns::DnsConfig;
use crate::limits::ACME_TEXT_CHARS;

const NOW: Timestamp = Timestamp(1_800_000_000);
const TOKEN: &str = "DGyRejmCefe7v4NfDGDKfAAAAAA";

/// Status, further header lines, body.
type Said = (u16, &'static str, Vec<u8>);

/// A server whose answers are taken from a table by path, the last one again and again; it keeps what was asked.
#[derive(Default)]
struct Script {
    said: Mutex<HashMap<String, Vec<Said>>>,
    asked: Mutex<Vec<(String, Value)>>,
}

impl Script {
    async fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Self::default());
        for (path, body) in [
            (
                "/directory",
                json!({"newNonce": format!("{base}/nonce"), "newAccount": format!("{base}/account"),
                       "newOrder": format!("{base}/order"), "revokeCert": format!("{base}/revoke")}),
            ),
            ("/nonce", json!({})),
            ("/account", json!({})),
            ("/chall/1", json!({})),
        ] {
            script.says(path, 200, body);
        }
        let served = Arc::clone(&script);
        let own = base.clone();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (script, base) = (Arc::clone(&served), own.clone());
                tokio::spawn(async move { script.serve(&mut socket, &base).await });
            }
        });
        (script, base)
    }

    fn says(&self, path: &str, status: u16, body: Value) {
        self.says_with(path, (status, "", body.to_string().into_bytes()));
    }

    fn says_with(&self, path: &str, said: Said) {
        let mut all = self.said.lock().unwrap();
        all.entry(path.to_owned()).or_default().push(said);
    }

    fn says_only(&self, path: &str, status: u16, body: Value) {
        self.said.lock().unwrap().remove(path);
        self.says(path, status, body);
    }

    async fn serve(&self, socket: &mut tokio::net::TcpStream, base: &str) -> Option<()> {
        let mut octets = Vec::new();
        let (path, body) = loop {
            let mut block = [0; 4096];
            let count = socket.read(&mut block).await.ok()?;
            octets.extend_from_slice(&block[..count]);
            let text = String::from_utf8_lossy(&octets).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.to_ascii_lowercase();
                let length = length.split("content-length: ").nth(1).unwrap_or("0");
                let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
                if body.len() >= length {
                    break (head.split(' ').nth(1)?.to_owned(), body.to_owned());
                }
            }
            if count == 0 {
                return None;
            }
        };
        if let Ok(body) = serde_json::from_str::<Value>(&body) {
            let decoded = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(body["payload"].as_str()?);
            let payload = serde_json::from_slice(&decoded.ok()?).unwrap_or(Value::Null);
            self.asked.lock().unwrap().push((path.clone(), payload));
        }
        let (status, fields, body) = {
            let mut all = self.said.lock().unwrap();
            let said = all
                .get_mut(&path)
                .unwrap_or_else(|| panic!("{path} is not in the script"));
            if said.len() > 1 {
                said.remove(0)
            } else {
                said[0].clone()
            }
        };
        let location = if path == "/order" {
            "/order/1"
        } else {
            "/account/1"
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\nReplay-Nonce: n{}\r\nLocation: {base}{location}\r\n{fields}Content-Length: {}\r\n\r\n",
            octets.len(),
            body.len()
        );
        socket.write_all(head.as_bytes()).await.ok()?;
        socket.write_all(&body).await.ok()
    }

    /// Paths of the signed requests so far.
    fn paths(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(path, _)| path.clone()).collect()
    }

    fn count(&self, path: &str) -> usize {
        self.paths().iter().filter(|one| *one == path).count()
    }

    fn payload(&self, path: &str) -> Value {
        let asked = self.asked.lock().unwrap();
        let found = asked.iter().rev().find(|(one, _)| one == path);
        found.unwrap().1.clone()
    }
}

fn settings(base: &str) -> AcmeSettings {
    AcmeSettings {
        directory: format!("{base}/directory"),
        contact: vec![Address::parse("admin@example.com").unwrap()],
        external_account: None,
        account_key: new_account_key().unwrap(),
        tls_roots: None,
        unsigned_challenges: false,
    }
}

fn acme_with(settings: AcmeSettings, allow: &[&str]) -> Acme {
    let allowed = allow.iter().map(|text| text.parse().unwrap()).collect();
    Acme::new(settings, Dns::new(DnsConfig::Off).unwrap(), allowed).unwrap()
}

fn acme(base: &str) -> Acme {
    acme_with(settings(base), &["127.0.0.0/8"])
}

fn wanted(key: &PrivateKey, handle: Option<&str>, answered: bool) -> Wanted {
    let address = Address::parse("alice@example.com").unwrap();
    Wanted {
        order: OrderId(1),
        csr: csr::request(key, &address).unwrap(),
        address,
        spki: key.spki_der().to_vec(),
        handle: handle.map(str::to_owned),
        answered,
        now: NOW,
    }
}

fn order(base: &str, status: &str) -> Value {
    json!({"status": status, "authorizations": [format!("{base}/authz/1")], "expires": "2027-02-01T00:00:00Z",
           "finalize": format!("{base}/finalize/1"), "certificate": format!("{base}/cert/1")})
}

fn authorization(base: &str, status: &str, challenge: &str) -> Value {
    let other = json!({"type": "dns-01", "url": "x", "status": "pending", "token": TOKEN});
    let ours = json!({"type": "email-reply-00", "url": format!("{base}/chall/1"), "status": challenge,
                      "token": TOKEN, "from": "ACME <acme@ca.example>",
                      "error": (challenge == "invalid").then(|| json!({"type": "urn:ietf:params:acme:error:unauthorized", "detail": "wrong digest"}))});
    json!({"status": status, "challenges": [other, ours]})
}

fn handle_of(progress: Progress) -> (String, i64) {
    match progress {
        Progress::Waiting { handle, again_in } => (handle, again_in),
        other => panic!("{other:?}"),
    }
}

/// A key, and a chain for it: the certificate, an issuer, the root.
fn key_and_chain() -> (PrivateKey, Vec<String>) {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    let authority = |name: &str| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    };
    let [root_key, issuing_key, own_key] = [(); 3].map(|()| KeyPair::generate().unwrap());
    let root = authority("root").self_signed(&root_key).unwrap();
    let issuing = authority("issuing");
    let root_issuer = Issuer::new(authority("root"), &root_key);
    let issuing_made = issuing.signed_by(&issuing_key, &root_issuer).unwrap();
    let issuer = Issuer::new(authority("issuing"), &issuing_key);
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "alice");
    let own = params.signed_by(&own_key, &issuer).unwrap();
    let key = PrivateKey::from_pkcs8(&own_key.serialize_der()).unwrap();
    let pem = |der: &[u8]| pem::write("CERTIFICATE", der);
    (
        key,
        vec![pem(own.der()), pem(issuing_made.der()), pem(root.der())],
    )
}

#[tokio::test]
async fn an_order_goes_from_request_to_its_challenge() {
    let (script, base) = Script::start().await;
    let acme = acme(&base);
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    script.says("/order", 201, order(&base, "pending"));
    script.says("/authz/1", 200, authorization(&base, "pending", "pending"));
    let (handle, again_in) = handle_of(acme.request(&wanted(&key, None, false)).await.unwrap());
    assert_eq!(again_in, ACME_MAIL_POLL);
    assert_eq!(script.paths(), ["/account", "/order", "/authz/1"]);
    assert_eq!(
        script.payload("/order"),
        json!({"identifiers": [{"type": "email", "value": "alice@example.com"}]})
    );
    assert_eq!(
        script.payload("/account"),
        json!({"termsOfServiceAgreed": true, "contact": ["mailto:admin@example.com"]})
    );
    let expected: Value = serde_json::from_str(&handle).unwrap();
    assert_eq!(expected["expected"]["from"], "acme@ca.example");
    assert_eq!(expected["expected"]["token"], TOKEN);
    assert_eq!(expected["expected"]["thumbprint"], acme.key.thumbprint());
    // Not answered: the challenge is not said to be ready.
    script.says("/order/1", 200, order(&base, "pending"));
    let waiting = acme
        .collect(&wanted(&key, Some(&handle), false))
        .await
        .unwrap();
    assert_eq!(handle_of(waiting), (handle.clone(), ACME_MAIL_POLL));
    assert_eq!(script.count("/chall/1"), 0);
    // Answered: once, while it is pending there.
    let waiting = acme
        .collect(&wanted(&key, Some(&handle), true))
        .await
        .unwrap();
    assert_eq!(handle_of(waiting), (handle.clone(), ACME_POLL));
    assert_eq!(script.payload("/chall/1"), json!({}));
    script.says_only(
        "/authz/1",
        200,
        authorization(&base, "pending", "processing"),
    );
    acme.collect(&wanted(&key, Some(&handle), true))
        .await
        .unwrap();
    assert_eq!(script.count("/chall/1"), 1);
}

/// The notes of an order that is under way.
fn notes(base: &str) -> String {
    let notes = Notes {
        account: format!("{base}/account/1"),
        order: format!("{base}/order/1"),
        authorization: format!("{base}/authz/1"),
        expected: None,
    };
    json!(notes).to_string()
}

#[tokio::test]
async fn a_ready_order_goes_on_to_its_certificate() {
    let (script, base) = Script::start().await;
    let acme = acme(&base);
    let (key, certificates) = key_and_chain();
    let handle = notes(&base);
    // Ready: finalized with our request. Processing: asked again when the server says.
    script.says_only("/order/1", 200, order(&base, "ready"));
    let processing = (
        200,
        "Retry-After: 7\r\n",
        order(&base, "processing").to_string().into_bytes(),
    );
    script.says_with("/finalize/1", processing.clone());
    let ready = wanted(&key, Some(&handle), true);
    let waiting = acme.collect(&ready).await.unwrap();
    assert_eq!(handle_of(waiting), (handle.clone(), 7));
    assert_eq!(
        script.payload("/finalize/1"),
        json!({"csr": base64url(&ready.csr)})
    );
    script.said.lock().unwrap().remove("/order/1");
    script.says_with("/order/1", processing);
    acme.collect(&wanted(&key, Some(&handle), true))
        .await
        .unwrap();
    assert_eq!(script.count("/finalize/1"), 1);
    // Valid: downloaded, for our key only, without the root.
    script.says_only("/order/1", 200, order(&base, "valid"));
    script.says_with("/cert/1", (200, "", certificates.concat().into_bytes()));
    let Progress::Issued(chain) = acme
        .collect(&wanted(&key, Some(&handle), true))
        .await
        .unwrap()
    else {
        panic!("not issued");
    };
    let pems: Vec<String> = chain.iter().map(Certificate::pem).collect();
    assert_eq!(pems, certificates[..2]);
    let other = PrivateKey::generate(KeyKind::P256).unwrap();
    let failure = acme
        .collect(&wanted(&other, Some(&handle), true))
        .await
        .unwrap_err();
    assert!(
        failure.permanent && failure.to_string().contains("another key"),
        "{failure}"
    );
}

#[tokio::test]
async fn where_an_order_ends() {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let unauthorized =
        json!({"type": "urn:ietf:params:acme:error:unauthorized", "detail": "no\nway"});
    let mut refused = order("", "invalid");
    refused["error"] = unauthorized.clone();
    let mut over = order("", "invalid");
    over["expires"] = json!("2026-12-01T00:00:00Z");
    let gone = json!({"type": "urn:ietf:params:acme:error:malformed", "detail": "no such order"});
    // What the server says of order and authorization; `None`: a fresh order; else the failure and whether it is permanent.
    let table = [
        ((404, gone), None, None),
        ((200, over), None, None),
        ((200, order("", "expired")), None, None),
        (
            (200, order("", "pending")),
            Some(("deactivated", "pending")),
            None,
        ),
        (
            (200, order("", "pending")),
            Some(("expired", "pending")),
            None,
        ),
        (
            (200, order("", "pending")),
            Some(("invalid", "invalid")),
            Some(("wrong digest", true)),
        ),
        (
            (200, order("", "invalid")),
            Some(("invalid", "invalid")),
            Some(("wrong digest", true)),
        ),
        ((200, refused), None, Some(("no way (unauthorized)", true))),
        ((500, json!({})), None, Some(("status 500", false))),
        (
            (200, json!({"status": "unheard"})),
            None,
            Some(("no ACME", false)),
        ),
    ];
    for ((status, said), authorized, expected) in table {
        let (script, base) = Script::start().await;
        script.says("/order/1", status, said.clone());
        if let Some((status, challenge)) = authorized {
            script.says("/authz/1", 200, authorization(&base, status, challenge));
        }
        let handle = notes(&base);
        let answer = acme(&base)
            .collect(&wanted(&key, Some(&handle), true))
            .await;
        match (expected, answer) {
            (None, Ok(Progress::Unknown)) => {}
            (Some((text, permanent)), Err(failure)) => {
                assert!(failure.to_string().contains(text), "{said}: {failure}");
                assert_eq!(failure.permanent, permanent, "{said}");
                assert!(!failure.to_string().contains('\n'));
            }
            (expected, answer) => panic!("{said}: {expected:?} {answer:?}"),
        }
    }
    // Without notes, or with another connector's, nothing is known.
    let (script, base) = Script::start().await;
    for handle in [None, Some("serial 7"), Some("{}")] {
        let answer = acme(&base).collect(&wanted(&key, handle, true)).await;
        assert_eq!(answer, Ok(Progress::Unknown));
    }
    assert!(script.paths().is_empty());
}

#[tokio::test]
async fn nonces_limits_and_external_accounts() {
    let (script, base) = Script::start().await;
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let problem =
        |word: &str| json!({"type": format!("urn:ietf:params:acme:error:{word}"), "detail": "no"});
    script.said.lock().unwrap().remove("/account");
    for _ in 0..2 {
        script.says("/account", 400, problem("badNonce"));
    }
    script.says("/account", 201, json!({}));
    let limited = (
        429,
        "Retry-After: 90\r\n",
        problem("rateLimited").to_string().into_bytes(),
    );
    script.says_with("/order", limited);
    let external = ("kid-1".to_owned(), "c2VjcmV0LXNlY3JldC1zZWNyZXQ".to_owned());
    let acme = acme_with(
        AcmeSettings {
            external_account: Some(external),
            ..settings(&base)
        },
        &["127.0.0.0/8"],
    );
    let failure = acme.request(&wanted(&key, None, false)).await.unwrap_err();
    assert_eq!((failure.permanent, failure.retry_after), (false, Some(90)));
    assert_eq!(
        script.paths(),
        ["/account", "/account", "/account", "/order"]
    );
    assert!(script.payload("/account")["externalAccountBinding"]["signature"].is_string());
    // More wrong nonces than that are a failure.
    script.says_only("/order", 400, problem("badNonce"));
    let failure = acme.request(&wanted(&key, None, false)).await.unwrap_err();
    assert!(
        !failure.permanent && failure.to_string().contains("badNonce"),
        "{failure}"
    );
    assert_eq!(script.count("/order"), 1 + ACME_NONCES);
    // An order whose challenge could not be had is not lost.
    script.says_only("/order", 201, order(&base, "pending"));
    script.says("/authz/1", 503, json!({}));
    let (handle, again_in) = handle_of(acme.request(&wanted(&key, None, false)).await.unwrap());
    assert!(!handle.contains("expected") && again_in == ACME_POLL);
    script.says_only(
        "/authz/1",
        200,
        json!({"status": "pending", "challenges": []}),
    );
    script.says("/order/1", 200, order(&base, "pending"));
    let failure = acme
        .collect(&wanted(&key, Some(&handle), false))
        .await
        .unwrap_err();
    assert!(
        failure.permanent && failure.to_string().contains("email-reply-00"),
        "{failure}"
    );
}

#[tokio::test]
async fn revocations() {
    let (script, base) = Script::start().await;
    let (_, certificates) = key_and_chain();
    let certificate = Certificate::read_all(certificates[0].as_bytes())
        .unwrap()
        .remove(0);
    let what = |reason| ToRevoke {
        certificate: certificate.clone(),
        chain: Vec::new(),
        handle: None,
        reason,
        now: NOW,
    };
    let problem =
        |word: &str| json!({"type": format!("urn:ietf:params:acme:error:{word}"), "detail": "no"});
    let acme = acme(&base);
    let der = base64url(certificate.der());
    script.says("/revoke", 200, json!({}));
    let superseded = what(RevocationReason::Superseded);
    assert_eq!(acme.revoke(&superseded).await, Ok(Revoked::Confirmed));
    assert_eq!(
        script.payload("/revoke"),
        json!({"certificate": der, "reason": 4})
    );
    script.says_only("/revoke", 400, problem("alreadyRevoked"));
    assert_eq!(acme.revoke(&superseded).await, Ok(Revoked::Confirmed));
    script.says_only("/revoke", 400, problem("badRevocationReason"));
    script.says("/revoke", 200, json!({}));
    assert_eq!(acme.revoke(&superseded).await, Ok(Revoked::Confirmed));
    assert_eq!(script.payload("/revoke"), json!({"certificate": der}));
    script.says_only("/revoke", 403, problem("unauthorized"));
    let failure = acme
        .revoke(&what(RevocationReason::Unspecified))
        .await
        .unwrap_err();
    assert!(failure.permanent && failure.to_string().chars().count() < ACME_TEXT_CHARS);
}

#[tokio::test]
async fn where_a_server_may_be() {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let at = |directory: &str| AcmeSettings {
        directory: directory.to_owned(),
        ..settings("")
    };
    let (script, base) = Script::start().await;
    let table = [
        (base.as_str(), &[][..], true, "[fetch] allow"),
        (
            "http://192.0.2.1/",
            &["192.0.2.0/24"][..],
            true,
            "https is needed",
        ),
        (
            "ftp://127.0.0.1/",
            &["127.0.0.0/8"][..],
            true,
            "neither http nor https",
        ),
        (
            "http://127.0.0.1:1/",
            &["127.0.0.0/8"][..],
            false,
            "no connection",
        ),
        (
            "http://user@127.0.0.1/",
            &["127.0.0.0/8"][..],
            true,
            "names a user",
        ),
    ];
    for (directory, allowed, permanent, text) in table {
        let acme = acme_with(at(directory), allowed);
        let failure = acme.request(&wanted(&key, None, false)).await.unwrap_err();
        assert_eq!(failure.permanent, permanent, "{directory}: {failure}");
        assert!(failure.to_string().contains(text), "{directory}: {failure}");
    }
    assert!(script.paths().is_empty());
    let bad = AcmeSettings {
        account_key: "x".to_owned(),
        ..settings(&base)
    };
    assert!(Acme::new(bad, Dns::new(DnsConfig::Off).unwrap(), Vec::new()).is_err());
    let bad = AcmeSettings {
        tls_roots: Some("no PEM".to_owned()),
        ..settings(&base)
    };
    assert!(Acme::new(bad, Dns::new(DnsConfig::Off).unwrap(), Vec::new()).is_err());
}

/// Whatever a server says, it is asked nowhere else than it may be, and what comes is bounded.
#[tokio::test]
async fn what_a_hostile_server_says() {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let elsewhere = |url: &str| {
        let order = json!({"status": "pending", "authorizations": [url], "finalize": url});
        (201, "", order.to_string().into_bytes())
    };
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    let table = [
        (
            elsewhere("https://10.0.0.1/latest/meta-data"),
            true,
            "[fetch] allow",
        ),
        (elsewhere("https://[::1]:8443/"), true, "[fetch] allow"),
        (
            elsewhere("file:///etc/passwd"),
            true,
            "neither http nor https",
        ),
        (elsewhere(""), true, "not followed"),
        (
            (302, "Location: http://127.0.0.1:1/\r\n", Vec::new()),
            true,
            "status 302",
        ),
        ((201, "", vec![b' '; 300_000]), false, "larger than"),
        ((201, "", b"{\"status\": 5}".to_vec()), false, "no ACME"),
        ((201, "", deep), false, "no ACME"),
        ((201, "", Vec::new()), false, "no ACME"),
    ];
    for (said, permanent, text) in table {
        let (script, base) = Script::start().await;
        script.said.lock().unwrap().remove("/order");
        script.says_with("/order", said);
        let request = acme(&base).request(&wanted(&key, None, false)).await;
        let failure = request.expect_err(text);
        assert_eq!(failure.permanent, permanent, "{text}: {failure}");
        assert!(failure.to_string().contains(text), "{text}: {failure}");
        assert!(script.paths().iter().all(|path| path != "/authz/1"));
    }
}
