//! Rows X7 and C3 of security.md: what strangers' certificates and mails name, and whom the gateway calls.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::Ipv6Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use e2e::cast::{ALICE, CAROL, Cast};
use e2e::dns::{Dns, Record};
use e2e::gateway::{Gateway, Options, program};
use e2e::keys::{self, Identity, KeyKind};
use e2e::mime::field;
use e2e::openssl::{self, Writing};
use e2e::program::present;
use e2e::revocation::{CURRENT, crl};
use e2e::scene::{DELIVERY, Scene, rule};
use e2e::sink::Received;
use e2e::web::{Answer, Web};

fn ready() -> bool {
    program().is_some() && present(&["openssl"])
}

fn cast() -> &'static Cast {
    Cast::with(KeyKind::P256)
}

fn scene(name: &str, options: &Options) -> Scene {
    Scene::new(name, options, cast(), &rule("optional", "neither")).unwrap()
}

/// A certificate of carol that names these places for lists, and these responders.
fn carol(directory: &Path, name: &str, issuer: &Identity, urls: &[String]) -> Identity {
    let urls: Vec<_> = urls.iter().map(|url| format!("URI:{url}")).collect();
    let extensions = format!(
        "basicConstraints = critical, CA:false\nextendedKeyUsage = emailProtection\n\
         keyUsage = critical, digitalSignature, keyAgreement\nsubjectKeyIdentifier = hash\n\
         authorityKeyIdentifier = keyid\nsubjectAltName = email:{CAROL}\n\
         crlDistributionPoints = {}\n",
        urls.join(", ")
    );
    keys::with_extensions(directory, issuer, name, &extensions)
}

/// The same with responders and places of issuers' certificates.
fn carol_with_access(directory: &Path, name: &str, url: &str) -> Identity {
    let extensions = format!(
        "basicConstraints = critical, CA:false\nextendedKeyUsage = emailProtection\n\
         keyUsage = critical, digitalSignature, keyAgreement\nsubjectKeyIdentifier = hash\n\
         authorityKeyIdentifier = keyid\nsubjectAltName = email:{CAROL}\n\
         authorityInfoAccess = OCSP;URI:{url}, caIssuers;URI:{url}\n"
    );
    keys::with_extensions(directory, &cast().partner_authority, name, &extensions)
}

fn mail(id: &str, signer: &Identity) -> Vec<u8> {
    let entity = b"Content-Type: text/plain\r\n\r\nhello\r\n";
    let signed = openssl::sign(entity, signer, None, false, Writing::Der);
    let head = format!(
        "From: {CAROL}\r\nTo: {ALICE}\r\nSubject: {id}\r\nMessage-ID: <{id}@x.example>\r\n"
    );
    [head.as_bytes(), &signed].concat()
}

fn result(received: &Received) -> String {
    field(&received.content, "X-Sealgate-Result").unwrap_or_default()
}

#[test]
fn x7_nobody_inside_is_called_by_default() {
    if !ready() {
        return;
    }
    let web = Web::start(|_| Answer::Missing);
    let port = web.address.port();
    let sixth = Web::start_on(Ipv6Addr::LOCALHOST.into(), port, |_| Answer::Missing).ok();
    let dns = Dns::start();
    dns.add(
        "crl.loopback.example",
        Record::Address([127, 0, 0, 1].into()),
    );
    dns.add(
        "metadata.example",
        Record::Address([169, 254, 169, 254].into()),
    );
    dns.add("half.example", Record::Address([8, 8, 8, 8].into()));
    dns.add("half.example", Record::Address([127, 0, 0, 1].into()));
    let options = Options {
        dns: dns.address.to_string(),
        fetch_allow: Vec::new(),
        ..Options::default()
    };
    let scene = scene("x7-default", &options);
    let urls = [
        format!("http://127.0.0.1:{port}/"),
        "http://127.0.0.1/".to_owned(),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://crl.loopback.example:{port}/"),
        format!("http://half.example:{port}/"),
        "http://metadata.example/latest/".to_owned(),
        "http://169.254.169.254/latest/".to_owned(),
        format!("https://127.0.0.1:{port}/"),
        format!("ldap://127.0.0.1:{port}/cn=x?certificateRevocationList"),
        "file:///etc/hostname".to_owned(),
        format!("gopher://127.0.0.1:{port}/"),
        format!("ftp://127.0.0.1:{port}/"),
    ];
    let directory = scene.gateway.directory().path();
    for (number, url) in urls.iter().enumerate() {
        let list = carol(
            directory,
            &format!("list{number}"),
            &cast().partner_authority,
            std::slice::from_ref(url),
        );
        let access = carol_with_access(directory, &format!("access{number}"), url);
        for (kind, signer) in [("list", list), ("access", access)] {
            let reply = scene.mail_in(&mail(&format!("{kind}{number}"), &signer));
            assert_eq!(reply.code, 250, "{reply:?}");
        }
    }
    let arrived = scene.office.wait_for(2 * urls.len(), DELIVERY);
    for received in &arrived {
        let told = result(received);
        assert!(told.contains("signature=revocation-unknown"), "{told}");
    }
    assert_eq!(arrived.len(), 2 * urls.len());
    assert_eq!(web.connections(), 0);
    assert_eq!(sixth.map_or(0, |web| web.connections()), 0);
}

#[test]
fn x7_redirects_and_untrusted_chains_lead_nowhere() {
    if !ready() {
        return;
    }
    let inside = Web::start(|_| Answer::Missing);
    let to = inside.url("/");
    let asked = Web::start(move |_| Answer::Redirect(to.clone()));
    let untrusted = Web::start(|_| Answer::Missing);
    let options = Options {
        fetch_allow: vec![
            format!("127.0.0.1:{}", asked.address.port()),
            format!("127.0.0.0/8:{}", untrusted.address.port()),
        ],
        ..Options::default()
    };
    let scene = scene("x7-redirect", &options);
    let directory = scene.gateway.directory().path();
    let redirected = carol(
        directory,
        "redirected",
        &cast().partner_authority,
        &[asked.url("/")],
    );
    // The organisation trusts the partner's authority alone.
    let stranger = carol(
        directory,
        "stranger",
        &cast().own_authority,
        &[untrusted.url("/")],
    );
    for (id, signer) in [("redirected", redirected), ("stranger", stranger)] {
        assert_eq!(scene.mail_in(&mail(id, &signer)).code, 250);
    }
    let arrived = scene.office.wait_for(2, DELIVERY);
    let verdict = |id: &str| {
        let of = |mail: &&Received| field(&mail.content, "Subject").as_deref() == Some(id);
        result(arrived.iter().find(of).unwrap())
    };
    assert!(verdict("redirected").contains("signature=revocation-unknown"));
    assert!(verdict("stranger").contains("signature=untrusted"));
    assert_eq!(asked.connections(), 1);
    assert_eq!((inside.connections(), untrusted.connections()), (0, 0));
}

/// A body of 1 GB, one octet a second, and 60 and 200 places in one certificate, of which few are asked: each mail is delivered in its time, and those
/// that have nothing to wait for are not kept waiting.
#[test]
fn x7_large_slow_and_many() {
    if !ready() {
        return;
    }
    let large = Web::start(|_| Answer::Zeros(1 << 30));
    let slow = Web::start(|_| Answer::Drips);
    let many = Web::start(|_| Answer::Missing);
    let scene = scene("x7-large", &Options::default());
    let directory = scene.gateway.directory().path();
    let authority = &cast().partner_authority;
    let places = |count| (0..count).map(|number| many.url(&format!("/{number}")));
    let (sixty, two_hundred): (Vec<_>, Vec<_>) = (places(60).collect(), places(200).collect());
    let bad = |name: &str, urls: &[String]| mail(name, &carol(directory, name, authority, urls));
    let mut mails = vec![
        bad("large", &[large.url("/")]),
        bad("many", &sixty),
        bad("more", &two_hundred),
    ];
    // More than are opened at the same time.
    mails.extend((0..6).map(|number| {
        let name = format!("slow{number}");
        bad(&name, &[slow.url(&format!("/{name}"))])
    }));
    let (bad, good) = (mails.len(), 5);
    mails.extend((0..good).map(|number| mail(&format!("good{number}"), &cast().carol)));
    let began = Instant::now();
    for mail in &mails {
        assert_eq!(scene.mail_in(mail).code, 250);
    }
    let arrived = scene.office.wait_for(good + bad, DELIVERY);
    let took = began.elapsed();
    // The slow ones are waited for until their time is over.
    let is_good = |mail: &Received| result(mail).contains("signature=valid");
    let is_slow = |mail: &Received| field(&mail.content, "Subject").unwrap().starts_with("slow");
    let first_slow = arrived.iter().position(is_slow).unwrap();
    let before = arrived.iter().take(first_slow).filter(|mail| is_good(mail));
    assert_eq!(before.count(), good, "mails without questions wait");
    let unknown = arrived
        .iter()
        .filter(|mail| result(mail).contains("signature=revocation-unknown"));
    assert_eq!(unknown.count(), bad);
    // One after the other the slow ones alone would take a minute.
    assert!(took < Duration::from_secs(50), "{took:?}");
    assert_eq!(large.connections(), 1);
    assert!(
        (1..=4).contains(&many.connections()),
        "{}",
        many.connections()
    );
}

/// What was had is kept: the same list is not asked for again, not even after a restart; and nobody is asked while a
/// client waits.
#[test]
fn x7_lists_are_kept() {
    if !ready() {
        return;
    }
    let list = crl(&cast().partner_authority, &[], 0, CURRENT);
    let web = Web::start(move |_| Answer::Body(list.clone()));
    let mut scene = scene("x7-kept", &Options::default());
    let urls = [web.url("/list.crl")];
    let signer = carol(
        scene.gateway.directory().path(),
        "kept",
        &cast().partner_authority,
        &urls,
    );
    for id in ["one", "two"] {
        assert_eq!(scene.mail_in(&mail(id, &signer)).code, 250);
    }
    scene.office.wait_for(2, DELIVERY);
    scene.gateway.stop();
    scene.gateway.start();
    assert_eq!(scene.mail_in(&mail("three", &signer)).code, 250);
    for received in scene.office.wait_for(3, DELIVERY) {
        let told = result(&received);
        assert!(told.contains("signature=valid"), "{told}");
    }
    assert_eq!(web.connections(), 1, "{:?}", web.requests());
}

/// The text of a mail makes nobody be called, whatever it holds.
#[test]
fn c3_what_was_decrypted_calls_nobody() {
    if !ready() {
        return;
    }
    let web = Web::start(|_| Answer::Missing);
    let scene = scene("c3", &Options::default());
    let url = web.url("/pixel");
    let entity = format!(
        "Content-Type: text/html\r\n\r\n<html><head><link rel=\"stylesheet\" href=\"{url}\"><style>@import \"{url}\";</style></head>\
         <body background=\"{url}\"><img src=\"{url}\"><a href=\"{url}\">x</a></body></html>\r\n"
    );
    let to = [cast().alice.certificate.as_path()];
    let encrypted = openssl::encrypt(entity.as_bytes(), &to, "aes-256-cbc", Writing::Der);
    let head =
        format!("From: {CAROL}\r\nTo: {ALICE}\r\nSubject: x\r\nMessage-ID: <c3@x.example>\r\n");
    let message = [head.as_bytes(), &encrypted].concat();
    assert_eq!(scene.mail_in(&message).code, 250);
    let told = result(&scene.at_office());
    assert!(told.contains("encryption=decrypted"), "{told}");
    assert_eq!(web.connections(), 0);
}

#[test]
fn x7_allowed_networks_are_judged_at_the_start() {
    if !ready() {
        return;
    }
    let checked = |name: &str, allow: &str| {
        let options = Options {
            fetch_allow: vec![allow.to_owned()],
            ..Options::default()
        };
        let gateway = Gateway::configured(name, &options, cast());
        gateway.map(|gateway| gateway.command(&["check"]))
    };
    let unsafe_one = checked("x7-allowed", "127.0.0.0/8").unwrap();
    let warning = "warning: fetch.allow names 127.0.0.0/8";
    assert!(unsafe_one.text().contains(warning), "{}", unsafe_one.text());
    let wrong = checked("x7-allowed-wrong", "localhost:80").unwrap();
    assert!(
        !wrong.good
            && wrong
                .err
                .contains("fetch.allow: \"localhost:80\" is no network; write")
    );
    assert_eq!(wrong.err.trim_end().lines().count(), 1, "{}", wrong.err);
}
