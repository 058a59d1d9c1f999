//! Sending clients that prove themselves by a TLS client certificate (spec.md section 2).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use e2e::cast::{ALICE, CAROL, Cast};
use e2e::gateway::{Gateway, Options, program};
use e2e::keys::{self, KeyKind};
use e2e::program::{must_run, present, python};
use e2e::scene::Scene;
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
