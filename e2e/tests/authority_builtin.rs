//! Row X11 of security.md, and issue "the life of a certificate": what the built-in CA issues and publishes, as a linter,
//! OpenSSL, NSS and our own reader judge it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use e2e::cast::Cast;
use e2e::gateway::{Gateway, Options, head, program, tail};
use e2e::keys::{KeyKind, shown, words};
use e2e::place::{PATIENCE, free_address, skip};
use e2e::program::{must_run, present, python, run};
use e2e::revocation::now;
use e2e::sink::Sink;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::path::{Purpose, TrustAnchors, judge};
use sealgate_smime::revocation::{self, Evidence, Status};

/// Base of the addresses in certificates; nobody is there.
const URL: &str = "http://pki.example.org";
/// Mailboxes and the kinds of their keys.
const MAILBOXES: [(&str, &str); 7] = [
    ("alice@example.com", "rsa-3072"),
    ("Bob.Builder@example.com", "p-256"),
    ("o'hara+list@example.com", "p-384"),
    ("j\u{fc}rgen@example.com", "p-256"),
    (
        "a-very-long-local-part-that-does-not-fit-a-common-name@example.com",
        "p-384",
    ),
    ("dora@example.com", "rsa-3072"),
    ("emil@example.com", "p-256"),
];
/// Whose certificates are revoked in the course of a test.
const REVOKED: [&str; 2] = ["dora@example.com", "emil@example.com"];

/// A gateway with a built-in CA, and where this publishes.
struct World {
    gateway: Gateway,
    web: SocketAddr,
    _office: Sink,
}

impl World {
    /// Running, with all mailboxes known and none active.
    fn new(name: &str) -> Option<Self> {
        let web = free_address();
        let more = format!("[publish]\nlisten = [\"{web}\"]\nurl = \"{URL}\"\n");
        let options = Options {
            more,
            ..Options::default()
        };
        let (cast, office) = (Cast::with(KeyKind::P256), Sink::start());
        let mut description = head(office.address);
        for (address, _) in MAILBOXES {
            description.push_str(&format!("[[routes.mailboxes]]\naddress = {address:?}\n"));
        }
        description.push_str(&tail(cast, office.address));
        let gateway = Gateway::running(name, &options, cast, &description)?;
        Some(Self {
            gateway,
            web,
            _office: office,
        })
    }

    fn must(&self, line: &[&str]) -> String {
        let ran = self.gateway.command(line);
        assert!(ran.good, "{line:?}: {}", ran.err);
        assert!(!ran.text().contains("PRIVATE KEY"), "{line:?}");
        ran.text()
    }

    fn activate(&self) {
        for (address, key) in MAILBOXES {
            self.must(&["mailbox", "activate", address, "--key", key]);
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.gateway.directory().path().join(name)
    }

    fn file(&self, name: &str, octets: impl AsRef<[u8]>) -> String {
        shown(&self.gateway.directory().file(name, octets))
    }

    /// Root and issuing certificate, as PEM files.
    fn authorities(&self) -> (String, String) {
        let root = self.must(&["ca", "certificate", "--root"]);
        let issuing = self.must(&["ca", "certificate"]);
        (
            self.file("root.pem", root),
            self.file("issuing.pem", issuing),
        )
    }

    /// The issued certificates of each address, as PEM files.
    fn issued(&self) -> HashMap<String, String> {
        let issued = issued(&self.gateway.data());
        let file = |(at, (address, certificate)): (usize, (String, Certificate))| {
            (
                address,
                self.file(&format!("mailbox{at}.pem"), certificate.pem()),
            )
        };
        issued.into_iter().enumerate().map(file).collect()
    }

    /// Fetches something that is published.
    fn fetch(&self, path: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.web).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: pki\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{path}");
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        answer.split_off(end.unwrap() + 4)
    }

    /// Both lists in one PEM file.
    fn lists(&self, name: &str) -> String {
        let lists = ["/root.crl", "/issuing.crl"].map(|path| {
            let der = self.fetch(path);
            String::from_utf8(must_run("openssl", &words("crl -inform DER"), &der)).unwrap()
        });
        self.file(name, lists.concat())
    }

    /// What `openssl ocsp` says after asking our server; the response goes to a file.
    fn ocsp(&self, more: &str, certificates: &[&String], response: &str) -> (bool, String) {
        let issuer = shown(&self.path("issuing.pem"));
        let root = shown(&self.path("root.pem"));
        let line = format!(
            "ocsp -issuer {issuer} {more} -CAfile {root} -url http://{}/ocsp -respout {}",
            self.web,
            shown(&self.path(response))
        );
        let mut arguments = words(&line);
        for certificate in certificates {
            arguments.extend(["-cert".to_owned(), (*certificate).clone()]);
        }
        let ran = run("openssl", &arguments, b"");
        (ran.good, format!("{}{}", ran.text(), ran.err))
    }

    /// What `openssl verify` says of a certificate with all lists.
    fn verify(&self, certificate: &str, lists: &str) -> Result<(), String> {
        let (root, issuing) = (self.path("root.pem"), self.path("issuing.pem"));
        let line = format!(
            "verify -x509_strict -purpose smimesign -crl_check_all -CAfile {} -untrusted {} -CRLfile {lists} {certificate}",
            shown(&root),
            shown(&issuing)
        );
        let ran = run("openssl", &words(&line), b"");
        if ran.good {
            Ok(())
        } else {
            Err(ran.text() + &ran.err)
        }
    }
}

/// The register of a CA: addresses and certificates, which are public, in the order of their issue.
fn issued(data: &Path) -> Vec<(String, Certificate)> {
    const SCRIPT: &str = "import base64, sqlite3, sys
rows = sqlite3.connect(sys.argv[1]).execute('SELECT mailbox, certificate FROM issued ORDER BY rowid')
for mailbox, certificate in rows: print(mailbox, certificate.hex())";
    let database = shown(&data.join("sealgate.db"));
    let out = must_run(&python(), &["-c", SCRIPT, &database], b"");
    let text = String::from_utf8(out).unwrap();
    let row = |line: &str| {
        let (address, hex) = line.split_once(' ').unwrap();
        let octets = hex.as_bytes().chunks(2);
        let octets = octets.map(|pair| std::str::from_utf8(pair).unwrap());
        let octets = octets.map(|pair| u8::from_str_radix(pair, 16).unwrap());
        let der: Vec<u8> = octets.collect();
        (address.to_owned(), Certificate::from_der(&der).unwrap())
    };
    text.lines().map(row).collect()
}

fn of<'a>(certificates: &'a HashMap<String, String>, address: &str) -> &'a String {
    let found = certificates
        .iter()
        .find(|(one, _)| one.eq_ignore_ascii_case(address));
    found
        .unwrap_or_else(|| panic!("nothing issued for {address}"))
        .1
}

fn ready() -> bool {
    program().is_some() && present(&["openssl"])
}

/// Gives the codes of all findings of severity ERROR and FATAL for each line: a program of pkilint and its arguments.
fn lint(lines: &[String]) -> Vec<Vec<String>> {
    const SCRIPT: &str = "import contextlib, importlib, io, json, sys
for line in sys.stdin:
    tool, *arguments = line.rstrip('\\n').split(' ')
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        importlib.import_module('pkilint.bin.' + tool).main(['lint', '-s', 'ERROR', '-f', 'JSON', *arguments])
    results = json.loads(text.getvalue())['results']
    print(json.dumps([d['code'] for r in results for d in r['finding_descriptions']]))";
    let input = lines.join("\n");
    let ran = run(&python(), &["-c", SCRIPT], input.as_bytes());
    assert!(ran.good, "{}", ran.err);
    let text = ran.text();
    let found: Vec<Vec<String>> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(found.len(), lines.len(), "{text}");
    found
}

fn has_linter() -> bool {
    let there = run(&python(), &["-c", "import pkilint"], b"").good;
    if !there {
        skip("pkilint is not installed");
    }
    there
}

/// X11: 20 objects, no finding of severity ERROR or FATAL.
#[test]
fn x11_the_linter_finds_no_error() {
    if !ready() || !has_linter() {
        return;
    }
    let Some(world) = World::new("x11") else {
        return;
    };
    world.activate();
    let (root, issuing) = world.authorities();
    let issued = world.issued();
    assert_eq!(issued.len(), MAILBOXES.len());
    let mut lines = Vec::new();
    for certificate in issued.values() {
        lines.push(format!(
            "lint_cabf_smime_cert -t MAILBOX-STRICT {certificate}"
        ));
    }
    let empty = world.file("empty.crl", world.fetch("/issuing.crl"));
    for address in REVOKED {
        world.must(&["mailbox", "deactivate", address]);
    }
    let made = shown(&world.path("made.crl"));
    world.must(&["ca", "crl", "--der", "--out", &made]);
    let published = world.file("issuing.crl", world.fetch("/issuing.crl"));
    let list_of_root = world.file("root.crl", world.fetch("/root.crl"));
    for (kind, list) in [
        ("CRL", &empty),
        ("CRL", &made),
        ("CRL", &published),
        ("ARL", &list_of_root),
    ] {
        for profile in ["PKIX", "BR"] {
            lines.push(format!("lint_crl -t {kind} -p {profile} {list}"));
        }
    }
    let (alice, dora) = (of(&issued, "alice@example.com"), of(&issued, REVOKED[0]));
    for (name, more, certificates) in [
        ("good.ocsp", "", vec![alice]),
        ("revoked.ocsp", "-no_nonce", vec![dora]),
        ("unknown.ocsp", "-serial 0x123456", vec![]),
        ("sha256.ocsp", "-sha256", vec![alice]),
        (
            "curve.ocsp",
            "",
            vec![of(&issued, "o'hara+list@example.com")],
        ),
        ("several.ocsp", "-no_nonce", issued.values().collect()),
    ] {
        let (good, said) = world.ocsp(more, &certificates, name);
        assert!(
            good && said.contains("Response verify OK"),
            "{name}: {said}"
        );
        lines.push(format!("lint_ocsp_response {}", shown(&world.path(name))));
    }
    let responder = responder(&world, "good.ocsp");
    for certificate in issued.values().chain([&root, &issuing, &responder]) {
        lines.push(format!("lint_pkix_cert {certificate}"));
    }
    for certificate in issued.values().chain([&responder]) {
        lines.push(format!(
            "lint_pkix_signer_signee_cert_chain {issuing} {certificate}"
        ));
    }
    lines.push(format!(
        "lint_pkix_signer_signee_cert_chain {root} {issuing}"
    ));
    // The linter does find something where something is wrong.
    lines.push(format!("lint_cabf_smime_cert -t MAILBOX-STRICT {root}"));
    let mut found = lint(&lines);
    assert!(found.pop().is_some_and(|codes| !codes.is_empty()));
    for (line, codes) in lines.iter().zip(found) {
        assert!(codes.is_empty(), "{line}: {codes:?}");
    }
    // Mailboxes, root, issuing CA, responder, four lists and six answers.
    assert_eq!(issued.len() + 3 + 4 + 6, 20);
}

/// The certificate of the responder that signed an answer, as a PEM file.
fn responder(world: &World, answer: &str) -> String {
    let line = format!(
        "ocsp -noverify -resp_text -respin {}",
        shown(&world.path(answer))
    );
    let text = String::from_utf8(must_run("openssl", &words(&line), b"")).unwrap();
    let begin = text.find("-----BEGIN CERTIFICATE-----").unwrap();
    world.file("responder.pem", &text[begin..])
}

/// A key store of NSS with the CA and all certificates.
struct Nss(String);

impl Nss {
    fn new(world: &World, issued: &HashMap<String, String>) -> Self {
        let directory = world.path("nss");
        std::fs::create_dir(&directory).unwrap();
        let store = Self(format!("sql:{}", shown(&directory)));
        store.must("certutil", "-N --empty-password", "");
        let (root, issuing) = (world.path("root.pem"), world.path("issuing.pem"));
        store.must("certutil", "-A -n root -t ,C, -a -i", &shown(&root));
        store.must("certutil", "-A -n issuing -t ,, -a -i", &shown(&issuing));
        for (address, file) in issued {
            store.must("certutil", &format!("-A -n {address} -t ,, -a -i"), file);
        }
        store
    }

    fn must(&self, program: &str, line: &str, last: &str) {
        let mut arguments = words(line);
        arguments.extend((!last.is_empty()).then(|| last.to_owned()));
        arguments.extend(["-d".to_owned(), self.0.clone()]);
        must_run(program, &arguments, b"");
    }

    /// What it says of a certificate for signing and for encrypting.
    fn verify(&self, address: &str) -> [String; 2] {
        ["S", "R"].map(|usage| {
            let line = format!("-V -u {usage} -n {address} -d {}", self.0);
            let ran = run("certutil", &words(&line), b"");
            ran.text() + &ran.err
        })
    }
}

/// What our own reader says of a certificate: by the lists, and by an answer and the root's list.
fn our_own(world: &World, certificate: &str, answer: &str) -> [Status; 2] {
    let read = |name: &str| {
        let octets = std::fs::read(name).unwrap();
        Certificate::read_all(&octets).unwrap().remove(0)
    };
    let (root, issuing) = (world.path("root.pem"), world.path("issuing.pem"));
    let anchors = TrustAnchors::new(vec![read(&shown(&root))]);
    let bag = [read(&shown(&issuing))];
    let path = judge(&read(certificate), &bag, &anchors, Purpose::Sign, now()).unwrap();
    let mut lists = Evidence::default();
    let mut answers = Evidence::default();
    lists.add_crl(&world.fetch("/root.crl")).unwrap();
    answers.add_crl(&world.fetch("/root.crl")).unwrap();
    lists.add_crl(&world.fetch("/issuing.crl")).unwrap();
    answers
        .add_ocsp(&std::fs::read(world.path(answer)).unwrap())
        .unwrap();
    [lists, answers].map(|evidence| revocation::judge(&path, &evidence, now()))
}

/// Before anything is revoked.
fn all_are_good(world: &World, issued: &HashMap<String, String>, nss: &Nss) {
    let lists = world.lists("before.pem");
    for (address, certificate) in issued {
        assert_eq!(world.verify(certificate, &lists), Ok(()), "{address}");
        let (good, said) = world.ocsp("", &[certificate], "answer.ocsp");
        assert!(
            good && said.contains(": good") && said.contains("Response verify OK"),
            "{said}"
        );
        assert!(!said.to_lowercase().contains("no nonce"), "{said}");
        assert_eq!(
            our_own(world, certificate, "answer.ocsp"),
            [Status::Good; 2]
        );
        assert!(
            nss.verify(address)
                .iter()
                .all(|said| said.contains("certificate is valid"))
        );
    }
}

#[test]
fn a_revoked_certificate_is_refused_by_everybody() {
    if !ready() || !present(&["certutil", "crlutil"]) {
        return;
    }
    let Some(mut world) = World::new("revoked") else {
        return;
    };
    world.activate();
    world.authorities();
    let issued = world.issued();
    let nss = Nss::new(&world, &issued);
    all_are_good(&world, &issued, &nss);
    let (alice, dora) = (of(&issued, "alice@example.com"), of(&issued, REVOKED[0]));
    world.must(&["mailbox", "deactivate", REVOKED[0]]);
    let revoked = Instant::now();
    while world.verify(dora, &world.lists("after.pem")).is_ok() {
        assert!(revoked.elapsed() < PATIENCE, "not on the list");
        std::thread::sleep(Duration::from_millis(100));
    }
    // A crash changes nothing of it, and the next list has a greater number.
    let before = list_number(&world);
    world.gateway.kill();
    world.gateway.start();
    let after = list_number(&world);
    assert!(before < after, "{before} {after}");
    let lists = world.lists("after.pem");
    assert_eq!(world.verify(alice, &lists), Ok(()));
    let refused = world.verify(dora, &lists).unwrap_err();
    assert!(refused.contains("certificate revoked"), "{refused}");
    for (more, certificate, word) in [
        ("", dora, ": revoked"),
        ("-sha256", dora, ": revoked"),
        ("", alice, ": good"),
    ] {
        let (_, said) = world.ocsp(more, &[certificate], "answer.ocsp");
        assert!(
            said.contains(word) && said.contains("Response verify OK"),
            "{said}"
        );
        let verdicts = our_own(&world, certificate, "answer.ocsp");
        let is_revoked = verdicts.map(Status::is_revoked);
        assert_eq!(is_revoked, [word == ": revoked"; 2], "{verdicts:?}");
    }
    for list in ["/root.crl", "/issuing.crl"] {
        let file = world.file("nss.crl", world.fetch(list));
        nss.must("crlutil", "-I -t 1 -i", &file);
    }
    for (address, word) in [
        (REVOKED[0], "revoked"),
        ("alice@example.com", "certificate is valid"),
    ] {
        let said = nss.verify(address);
        assert!(
            said.iter().all(|said| said.contains(word)),
            "{address}: {said:?}"
        );
    }
    let counts = world.gateway.json(&["ca", "show"]);
    assert_eq!(counts["certificates"]["issued"], MAILBOXES.len());
    assert_eq!(counts["certificates"]["revoked"], 1);
}

fn list_number(world: &World) -> u64 {
    let der = world.fetch("/issuing.crl");
    let out = must_run("openssl", &words("crl -inform DER -noout -crlnumber"), &der);
    let text = String::from_utf8(out).unwrap();
    let hex = text
        .trim()
        .trim_start_matches("crlNumber=")
        .trim_start_matches("0x");
    u64::from_str_radix(hex, 16).unwrap()
}

/// What the responder does not answer for: certificates of the root, and what is no request.
#[test]
fn others_get_no_answer() {
    if !ready() {
        return;
    }
    let Some(world) = World::new("no-answer") else {
        return;
    };
    let (root, issuing) = world.authorities();
    let line = format!(
        "ocsp -issuer {root} -cert {issuing} -CAfile {root} -url http://{}/ocsp",
        world.web
    );
    let ran = run("openssl", &words(&line), b"");
    assert!(
        ran.err.contains("unauthorized") || ran.text().contains("unauthorized"),
        "{ran:?}"
    );
    assert_eq!(world.fetch("/ocsp/AAAA"), [0x30, 3, 10, 1, 1]);
    assert_eq!(
        world.fetch("/root.crt"),
        must_run(
            "openssl",
            &words(&format!("x509 -in {root} -outform DER")),
            b""
        )
    );
}

#[test]
fn without_publishing_certificates_name_no_place() {
    if !ready() {
        return;
    }
    let (cast, office) = (Cast::with(KeyKind::P256), Sink::start());
    let options = Options::default();
    let Some(gateway) = Gateway::configured("unpublished", &options, cast) else {
        return;
    };
    let none = gateway.command(&["ca", "show"]);
    assert!(
        !none.good && none.err.contains("there is no built-in CA yet"),
        "{}",
        none.err
    );
    // Two commands at once make one CA.
    let organisations = ["one", "two"];
    for (number, name) in organisations.iter().enumerate() {
        let description = head(office.address)
            .replace("\"example\"", &format!("{name:?}"))
            .replace("example.com", &format!("{name}.example"));
        let mailbox = format!("[[routes.mailboxes]]\naddress = \"a@{name}.example\"\n");
        let clients =
            format!("[[clients]]\nname = \"c{number}\"\nnetworks = [\"192.0.2.{number}/32\"]\n");
        gateway.apply(&[description, mailbox, clients].concat());
    }
    std::thread::scope(|scope| {
        for name in organisations {
            let gateway = &gateway;
            scope.spawn(move || {
                let address = format!("a@{name}.example");
                let line = [
                    "mailbox",
                    "activate",
                    &address,
                    "--key",
                    "p-256",
                    "--organisation",
                    name,
                ];
                let ran = gateway.command(&line);
                assert!(ran.good, "{}", ran.err);
            });
        }
    });
    let issued = issued(&gateway.data());
    assert_eq!(issued.len(), 2);
    let shown = gateway.json(&["ca", "show"]);
    assert_eq!(shown["certificates"]["issued"], 2);
    assert_eq!(shown["published_at"], serde_json::Value::Null);
    for (address, certificate) in issued {
        assert!(!certificate.names_revocation(), "{address}");
        assert_eq!(certificate.issuer_name(), shown["issuing"]["name"]);
    }
}

#[test]
fn bad_places_to_publish_are_told() {
    if !ready() {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    for (more, expected) in [
        (
            "[publish]\nurl = \"ftp://x\"\n",
            "publish.url: it must be a URL such as",
        ),
        (
            "[publish]\nurl = \"https://x.example\"\n",
            "over http:// only",
        ),
        (
            "[publish]\nurl = \"http://x.example\"\n",
            "publish.listen names no address",
        ),
    ] {
        let options = Options {
            more: more.to_owned(),
            ..Options::default()
        };
        // The master key is made by a command that does not read the configuration.
        let Some(gateway) = Gateway::configured("publish", &options, cast) else {
            return;
        };
        let checked = gateway.command(&["check"]);
        let said = checked.text() + &checked.err;
        assert!(said.contains(expected), "{said}");
    }
}
