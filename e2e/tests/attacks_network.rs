//! Row X7 of security.md in a network of its own, where every packet is seen: whom the certificates of mail make the gateway call.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::{Duration, Instant};

use e2e::attack::{Attempt, CLEAR_PART, judge, signed};
use e2e::cast::{CAROL, Cast};
use e2e::dns::{Dns, Record};
use e2e::gateway::{Options, program};
use e2e::keys::{self, Identity, KeyKind};
use e2e::namespace::{Capture, inside};
use e2e::openssl::{self, Writing};
use e2e::scene::{Scene, rule};

/// Names and the addresses they resolve to.
const NAMES: [(&str, &str); 10] = [
    ("loopback.example", "127.0.0.1"),
    ("loopback6.example", "::1"),
    ("private.example", "10.1.2.3"),
    ("link-local.example", "169.254.169.254"),
    ("metadata", "169.254.169.254"),
    ("metadata.google.internal", "169.254.169.254"),
    ("mapped.example", "::ffff:127.0.0.1"),
    ("half.example", "9.9.9.9"),
    ("half.example", "127.0.0.1"),
    ("any.example", "0.0.0.0"),
];

/// Places that must not be called. What would be public is on another port or behind another scheme.
const PLACES: [&str; 42] = [
    "http://127.0.0.1/",
    "http://127.0.0.1:79/",
    "http://127.1/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://0x7f.0.0.1/",
    "http://0.0.0.0/",
    "http://[::1]/",
    "http://[::1]:79/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://metadata./",
    "http://metadata/",
    "http://metadata.google.internal/",
    "http://localhost/",
    "http://localhost./",
    "http://loopback.example/",
    "http://loopback6.example/",
    "http://private.example/",
    "http://link-local.example/",
    "http://mapped.example/",
    "http://half.example/",
    "http://any.example/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://198.18.0.9/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://9.9.9.9:8080/",
    "https://9.9.9.9:25/",
    "ldap://9.9.9.9/cn=x?certificateRevocationList",
    "file:///etc/hostname",
    "gopher://9.9.9.9:80/",
    "ftp://9.9.9.9/list.crl",
];

/// A certificate of carol that names these places for lists, responders and issuers' certificates.
fn carol(directory: &Path, name: &str, issuer: &Identity, places: &str) -> Identity {
    let extensions = format!(
        "basicConstraints = critical, CA:false\nextendedKeyUsage = emailProtection\n\
         keyUsage = critical, digitalSignature, keyAgreement\nsubjectAltName = email:{CAROL}\n{places}\n"
    );
    keys::with_extensions(directory, issuer, name, &extensions)
}

fn everywhere(url: &str) -> String {
    format!(
        "crlDistributionPoints = URI:{url}\nauthorityInfoAccess = OCSP;URI:{url}, caIssuers;URI:{url}"
    )
}

fn scene(name: &str, dns: &Dns) -> Scene {
    for (name, address) in NAMES {
        dns.add(name, Record::Address(address.parse().unwrap()));
    }
    let options = Options {
        dns: dns.address.to_string(),
        fetch_allow: Vec::new(),
        ..Options::default()
    };
    let cast = Cast::with(KeyKind::P256);
    Scene::new(name, &options, cast, &rule("optional", "neither")).unwrap()
}

/// What of the network the test itself uses.
fn known(scene: &Scene, dns: &Dns) -> [u16; 4] {
    [
        scene.gateway.inbound.port(),
        scene.gateway.outbound.port(),
        scene.office.address.port(),
        dns.address.port(),
    ]
}

/// Answers of the name server go to ports that nobody knows beforehand.
fn without_answers(seen: std::collections::BTreeSet<String>) -> Vec<String> {
    let answer = |line: &String| line.starts_with("lo 17 127.0.0.1 ");
    seen.into_iter().filter(|line| !answer(line)).collect()
}

#[test]
fn x7_places_inside_get_no_packet_over_smtp() {
    if program().is_none() || !inside("x7_places_inside_get_no_packet_over_smtp") {
        return;
    }
    let dns = Dns::start();
    let scene = scene("attack-x7", &dns);
    let directory = scene.gateway.directory().path();
    let cast = Cast::with(KeyKind::P256);
    let unknown = &["revocation-unknown"];
    let mut attempts: Vec<_> = PLACES
        .iter()
        .enumerate()
        .map(|(number, url)| {
            let name = format!("place-{number}");
            let issuer = &cast.partner_authority;
            let signer = carol(directory, &name, issuer, &everywhere(url));
            signed(&name, CAROL, &signer).signature(unknown)
        })
        .collect();
    // Two hundred places inside, and public ones that only a stranger's certificate names, or only for issuers' certificates.
    let many: Vec<_> = (0..200)
        .map(|number| format!("URI:http://127.0.0.1:{}/", 1000 + number))
        .collect();
    let many = format!("crlDistributionPoints = {}", many.join(", "));
    let stranger = everywhere("http://9.9.9.9/");
    let issuers = "authorityInfoAccess = caIssuers;URI:http://9.9.9.9/ca.crt";
    let own = &cast.own_authority;
    let theirs = &cast.partner_authority;
    let chain = carol(directory, "chain", own, issuers);
    attempts.extend([
        signed("many", CAROL, &carol(directory, "many", theirs, &many)).signature(unknown),
        signed(
            "stranger",
            CAROL,
            &carol(directory, "stranger", own, &stranger),
        )
        .signature(&["untrusted"]),
        signed(
            "issuers",
            CAROL,
            &carol(directory, "issuers", theirs, issuers),
        )
        .signature(&["valid"]),
        signed("chain", CAROL, &chain).signature(&["untrusted"]),
    ]);
    let ports = known(&scene, &dns);
    let capture = Capture::start();
    judge(&scene, &attempts);
    scene.gateway.drained();
    let seen = without_answers(capture.seen(&ports));
    assert!(seen.is_empty(), "{seen:#?}");
}

/// What may be called is called at its public address and nowhere else, and no client waits for it.
#[test]
fn x7_nobody_is_asked_while_a_client_waits_over_smtp() {
    if program().is_none() || !inside("x7_nobody_is_asked_while_a_client_waits_over_smtp") {
        return;
    }
    let dns = Dns::start();
    let scene = scene("attack-x7-waits", &dns);
    dns.add("public.example", Record::Address([9, 9, 9, 10].into()));
    let directory = scene.gateway.directory().path();
    let issuer = &Cast::with(KeyKind::P256).partner_authority;
    let mut attempts = Vec::new();
    for (number, url) in [
        "http://9.9.9.9/x",
        "https://9.9.9.9/x",
        "http://public.example/x",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("public-{number}");
        let signer = carol(
            directory,
            &name,
            issuer,
            &format!("crlDistributionPoints = URI:{url}"),
        );
        attempts.push(signed(&name, CAROL, &signer).signature(&["revocation-unknown"]));
    }
    let ports = known(&scene, &dns);
    let capture = Capture::start();
    for attempt in &attempts {
        let began = Instant::now();
        assert_eq!(scene.mail_in(&attempt.message).code, 250);
        // Nobody beyond answers: who asked first would wait for the ten seconds of the question.
        assert!(
            began.elapsed() < Duration::from_secs(9),
            "{:?}",
            began.elapsed()
        );
    }
    scene.gateway.drained();
    assert_eq!(scene.office.received().len(), attempts.len());
    let seen = without_answers(capture.seen(&ports));
    let expected = ["out 6 9.9.9.10 80", "out 6 9.9.9.9 443", "out 6 9.9.9.9 80"];
    assert_eq!(seen, expected);
    // What is in a mail that nobody signed is no certificate to ask about.
    let entity = openssl::sign(
        CLEAR_PART,
        &carol(
            directory,
            "changed",
            issuer,
            &everywhere("http://9.9.9.11/"),
        ),
        None,
        false,
        Writing::Der,
    );
    let changed = String::from_utf8(entity).unwrap().replace("hello", "HELLO");
    let capture = Capture::start();
    judge(
        &scene,
        &[Attempt::new("changed", changed.as_bytes()).signature(&["broken"])],
    );
    let seen = without_answers(capture.seen(&ports));
    assert!(seen.is_empty(), "{seen:#?}");
}
