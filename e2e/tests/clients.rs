//! Sending clients that prove themselves by a TLS client certificate, or by a secret in a shared network (spec.md section 2).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use e2e::cast::{ALICE, CAROL, Cast};
use e2e::gateway::{Gateway, Options, program};
use e2e::keys::{self, KeyKind};
use e2e::mime::find;
use e2e::program::{must_run, present, python};
use e2e::scene::{DELIVERY, Scene, send};
use e2e::sink::Sink;

/// Says MAIL in a session. Arguments: port, envelope sender, and certificate and key of the client, or nothing.
/// Prints the codes of EHLO in the clear, STARTTLS and EHLO again (only with a certificate), MAIL.
const CLIENT: &str = r#"
import smtplib, ssl, sys
port, sender, *certificate = sys.argv[1:]
server = smtplib.SMTP("127.0.0.1", int(port), timeout=30)
said = [server.ehlo()[0]]
if certificate:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate != ["none"]:
        context.load_cert_chain(*certificate)
    said += [server.starttls(context=context)[0], server.ehlo()[0]]
said.append(server.mail(sender)[0])
print(*said)
"#;

#[test]
fn a_client_certificate_proves_a_sending_client() {
    if program().is_none() || !present(&["openssl", "python3"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let (office, internet) = (Sink::start(), Sink::start());
    let text = Scene::description(cast, "", &office, &internet);
    let (text, _) = text.split_once("[[clients]]").unwrap();
    let options = Options::default();
    let mut gateway = Gateway::configured("client-certificate", &options, cast).unwrap();
    let directory = gateway.directory().path().to_owned();
    let branch = keys::server(&directory, &cast.partner_authority, "branch.example.com");
    let stranger = keys::server(&directory, &cast.partner_authority, "stranger.example.com");
    gateway.start();
    gateway.apply(&format!(
        "{text}[[clients]]\nname = \"branch\"\ncertificate = \"{}\"\nmay-send-as = [\"{ALICE}\"]\n",
        branch.certificate.display()
    ));
    let port = gateway.outbound.port().to_string();
    let says = |sender: &str, more: &[&str]| {
        let mut arguments = vec!["-c", CLIENT, &port, sender];
        arguments.extend(more);
        let out = must_run(&python(), &arguments, b"");
        String::from_utf8(out).unwrap().trim().to_owned()
    };
    let files = |identity: &keys::Identity| {
        let shown = |path: &std::path::Path| path.display().to_string();
        [shown(&identity.certificate), shown(&identity.key)]
    };
    let (branch, stranger) = (files(&branch), files(&stranger));
    let branch: Vec<&str> = branch.iter().map(String::as_str).collect();
    let stranger: Vec<&str> = stranger.iter().map(String::as_str).collect();
    assert_eq!(says(ALICE, &branch), "250 220 250 250");
    // Bound to its addresses; no mail server, so no foreign sender either.
    assert_eq!(says("bob@example.com", &branch), "250 220 250 553");
    assert_eq!(says(CAROL, &branch), "250 220 250 553");
    // Nobody else: another certificate, none, no TLS.
    assert_eq!(says(ALICE, &stranger), "250 220 250 530");
    assert_eq!(says(ALICE, &["none"]), "250 220 250 530");
    assert_eq!(says(ALICE, &[]), "250 530");
    assert!(gateway.stop());
}

#[test]
fn a_secret_proves_a_sending_client_in_a_shared_network() {
    const SECRET: &str = "q7Kc2vYp9sXe4mTz8uWb";
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let (office, internet) = (Sink::start(), Sink::start());
    let text = Scene::description(cast, "", &office, &internet);
    let (text, _) = text.split_once("[[clients]]").unwrap();
    let client = |name: &str, secret: &str| {
        format!(
            "[[clients]]\nname = \"{name}\"\nnetworks = [\"127.0.0.0/8\"]\n\
             connector-secret = \"{secret}\"\nmay-send-as = [\"{ALICE}\"]\n"
        )
    };
    let text = format!(
        "{text}{}{}",
        client("cloud", SECRET),
        client("other", "another secret by chance")
    );
    let mut gateway = Gateway::running("connector", &Options::default(), cast, &text).unwrap();
    let mail = |fields: &str| {
        format!("{fields}From: {ALICE}\r\nTo: {CAROL}\r\nSubject: cloud\r\n\r\nhello\r\n")
    };
    let field = |secret: &str| format!("X-Sealgate-Connector: {secret}\r\n");
    let says = |from: &str, fields: &str| {
        send(gateway.outbound, from, &[CAROL], mail(fields).as_bytes()).code
    };
    assert_eq!(says(ALICE, &field(SECRET)), 250);
    let arrived = internet.wait_for(1, DELIVERY);
    assert!(find(&arrived[0].wire, b"hello").is_some());
    assert!(
        find(&arrived[0].wire, SECRET.as_bytes()).is_none(),
        "the secret stays here"
    );
    // No secret, a wrong one, two: nobody's mail.
    let wrong = field("q7Kc2vYp9sXe4mTz8uWc");
    let twice = field(SECRET) + &field("another secret by chance");
    for fields in ["", &wrong, &twice] {
        assert_eq!(says(ALICE, fields), 530, "{fields}");
    }
    assert_eq!(says("bob@example.com", &field(SECRET)), 553);
    assert!(gateway.stop());
}
