//! Correspondents' keys from directories (slapd) and from DNS (Knot, signed): found and used, gone and dropped, away and
//! waited for; and what hostile ones have is never used (rows X7 and X9).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use e2e::cast::{ALICE, CAROL, Cast};
use e2e::client::Reply;
use e2e::gateway::{Gateway, Options, program};
use e2e::keys::{self, Identity, KeyKind, shown};
use e2e::knot::{self, Kind, Knot, Zone};
use e2e::mime::{Form, field, form};
use e2e::openssl;
use e2e::place::{Directory, free_address};
use e2e::program::{Ran, must_run, present, python, run};
use e2e::revocation::{CURRENT, certificate, crl};
use e2e::scene::{DELIVERY, Scene, correspondent, rule, send};
use e2e::sink::Received;
use e2e::slapd::{self, BASE, Entry, Slapd};
use e2e::web::{Answer, Web};

fn cast() -> &'static Cast {
    Cast::with(KeyKind::P256)
}

fn der(identity: &Identity) -> Vec<u8> {
    let file = shown(&identity.certificate);
    must_run("openssl", &["x509", "-in", &file, "-outform", "DER"], b"")
}

/// Runs a command of the program with something on its standard input.
fn told(gateway: &Gateway, arguments: &[&str], input: &[u8]) -> Ran {
    let config = shown(&gateway.directory().path().join("sealgate.toml"));
    let all = [arguments, &["--config", &config]].concat();
    run(program().unwrap().to_str().unwrap(), &all, input)
}

fn must(gateway: &Gateway, arguments: &[&str]) -> String {
    let ran = gateway.command(arguments);
    assert!(ran.good, "{arguments:?}: {}", ran.err);
    ran.text()
}

/// Adds a directory that asks as the administrator.
fn add(gateway: &Gateway, name: &str, url: &str, more: &[&str]) {
    let roots = shown(&cast().own_authority.certificate);
    let first = [
        "directory",
        "add",
        name,
        "--url",
        url,
        "--base",
        BASE,
        "--roots",
        &roots,
        "--bind",
        slapd::ADMIN,
    ];
    let added = told(
        gateway,
        &[&first[..], more].concat(),
        format!("{}\n", slapd::PASSWORD).as_bytes(),
    );
    assert!(added.good, "{}", added.err);
}

/// Adds a directory that is asked by nobody in particular and without TLS.
fn add_plain(gateway: &Gateway, name: &str, place: SocketAddr) {
    let url = format!("ldap://{place}");
    must(
        gateway,
        &["directory", "add", name, "--url", &url, "--base", BASE],
    );
}

fn mail(gateway: &Gateway, id: &str, to: &[&str]) -> Reply {
    let all = to.join(", ");
    let text = format!(
        "From: {ALICE}\r\nTo: {all}\r\nSubject: {id}\r\nMessage-ID: <{id}@example.com>\r\n\r\nhello {id}\r\n"
    );
    send(gateway.outbound, ALICE, to, text.as_bytes())
}

/// The mail of that subject at the internet's server.
fn arrived(scene: &Scene, id: &str) -> Received {
    let end = Instant::now() + DELIVERY;
    loop {
        let all = scene.internet.received().into_iter();
        let mut found = all.filter(|mail| field(&mail.content, "Subject").as_deref() == Some(id));
        if let Some(mail) = found.next() {
            return mail;
        }
        assert!(Instant::now() < end, "{id} does not arrive");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Hands a mail in that must be taken, and gives its form on its way out.
fn goes_as(scene: &Scene, id: &str, to: &str) -> Form {
    let reply = mail(&scene.gateway, id, &[to]);
    assert_eq!(reply.code, 250, "{id}: {}", reply.text);
    form(&arrived(scene, id).content)
}

/// Arguments: the database and a statement. Prints the rows.
const SQL: &str = "
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=30)
for row in database.execute(sys.argv[2]).fetchall():
    print('\\t'.join(str(field) for field in row))
database.commit()
";

fn sql(gateway: &Gateway, statement: &str) -> Vec<String> {
    let database = shown(&gateway.data().join("sealgate.db"));
    let out = must_run(&python(), &["-c", SQL, &database, statement], b"");
    let text = String::from_utf8(out).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// What sources said is due to be asked again.
fn time_passes(gateway: &Gateway) {
    let due = "UPDATE source_answers SET ask_at = CAST(strftime('%s', 'now') AS INTEGER) - 1";
    sql(gateway, due);
}

fn correspondents(gateway: &Gateway) -> Vec<String> {
    sql(
        gateway,
        "SELECT address, origin, state FROM correspondents ORDER BY id",
    )
}

/// What `explain` says that sources said.
fn sources(gateway: &Gateway, to: &str) -> Vec<String> {
    let explained = must(gateway, &["explain", "--from", ALICE, "--to", to]);
    let lines = explained
        .lines()
        .filter_map(|line| line.strip_prefix("source"));
    lines.map(|line| line.trim().to_owned()).collect()
}

fn slapd_is_there() -> bool {
    program().is_some() && present(&slapd::PROGRAMS) && present(&["python3"])
}

/// A partner's directory with carol and dave, and a gateway that asks it in two ways.
struct Partner {
    slapd: Slapd,
    scene: Scene,
    dave: Identity,
    _own: Directory,
}

const DAVE: &str = "dave@other.example";

impl Partner {
    fn new(name: &str) -> Self {
        let own = Directory::new(name);
        let dave = keys::mailbox(own.path(), &cast().partner_authority, DAVE, KeyKind::P256);
        let arguments = keys::words("crl2pkcs7 -nocrl -outform DER -certfile");
        let arguments = [arguments, vec![shown(&dave.certificate)]].concat();
        let bag = must_run("openssl", &arguments, b"");
        let entries = [
            Entry::new("carol", CAROL, &der(&cast().carol)),
            Entry {
                values: vec![("userSMIMECertificate", bag)],
                ..Entry::new("dave", DAVE, b"")
            },
        ];
        let slapd = Slapd::start(&cast().server, &entries);
        let rules = rule("optional", "optional");
        let scene = Scene::new(name, &Options::default(), cast(), &rules).unwrap();
        let tls = format!("ldaps://{}", slapd.tls);
        let domain = ["--domain", "partner.example"];
        add(&scene.gateway, "partner", &tls, &domain);
        let plain = format!("ldap://{}", slapd.plain);
        let starttls = ["--starttls", "--domain", "other.example"];
        add(&scene.gateway, "other", &plain, &starttls);
        Self {
            slapd,
            scene,
            dave,
            _own: own,
        }
    }
}

#[test]
fn a_key_from_a_directory_is_used() {
    if !slapd_is_there() {
        return;
    }
    let partner = Partner::new("directory-used");
    let (scene, gateway) = (&partner.scene, &partner.scene.gateway);
    for (id, address, identity) in [
        ("ldaps", CAROL, &cast().carol),
        ("starttls", DAVE, &partner.dave),
    ] {
        assert_eq!(goes_as(scene, id, address), Form::Encrypted, "{id}");
        let clear = openssl::decrypt(&arrived(scene, id).content, identity).unwrap();
        assert_eq!(form(&clear), Form::Signed, "{id}");
    }
    let expected = [CAROL, DAVE].map(|address| format!("{address}\tldap\tpreferred"));
    assert_eq!(correspondents(gateway), expected);
    let words = must(gateway, &["directory", "test", CAROL]);
    assert_eq!(words, "directory partner has a key\n");
    let unknown = "eve@partner.example";
    assert_eq!(goes_as(scene, "unknown", unknown), Form::Signed);
    assert_eq!(sources(gateway, unknown), ["directory partner has no key"]);
    // Nobody is asked for this domain.
    let elsewhere = "x@elsewhere.example";
    assert_eq!(goes_as(scene, "elsewhere", elsewhere), Form::Signed);
    assert!(sources(gateway, elsewhere).is_empty());
    let shown = gateway.json(&["directory", "list"]);
    assert_eq!(shown[1]["name"], "partner");
    assert_eq!(shown[1]["protection"], "tls");
    assert!(!shown.to_string().contains(slapd::PASSWORD));
}

#[test]
fn a_key_from_a_directory_goes_with_it() {
    if !slapd_is_there() {
        return;
    }
    let partner = Partner::new("directory-gone");
    let (scene, gateway) = (&partner.scene, &partner.scene.gateway);
    assert_eq!(goes_as(scene, "carol", CAROL), Form::Encrypted);
    assert_eq!(goes_as(scene, "dave", DAVE), Form::Encrypted);
    let gone = format!("dn: cn=carol,{BASE}\nchangetype: delete\n");
    partner.slapd.change(&gone);
    assert_eq!(goes_as(scene, "still fresh", CAROL), Form::Encrypted);
    time_passes(gateway);
    assert_eq!(goes_as(scene, "gone", CAROL), Form::Signed);
    assert_eq!(
        correspondents(gateway),
        [format!("{DAVE}\tldap\tpreferred")]
    );
    let dropped = "SELECT COUNT(*) FROM events WHERE kind = 'key-dropped'";
    assert_eq!(sql(gateway, dropped), ["1"]);

    // While the directory is silent its last word counts, until it is removed.
    drop(partner.slapd);
    time_passes(gateway);
    assert_eq!(goes_as(scene, "silent", DAVE), Form::Encrypted);
    must(gateway, &["directory", "remove", "other"]);
    assert!(correspondents(gateway).is_empty());
    assert_eq!(goes_as(scene, "removed", DAVE), Form::Signed);
}

#[test]
fn what_a_directory_has_is_judged() {
    if !slapd_is_there() {
        return;
    }
    let own = Directory::new("directory-hostile");
    let path = own.path();
    let self_signed = keys::authority(path, "Stranger-CA");
    let stranger = |address: &str| der(&keys::mailbox(path, &self_signed, address, KeyKind::P256));
    let mut entries = vec![
        Entry::new("wrong", "wrong@partner.example", &der(&cast().carol)),
        Entry::new(
            "self",
            "self@partner.example",
            &stranger("self@partner.example"),
        ),
        Entry::new(
            "ca",
            "ca@partner.example",
            &authority(path, "ca@partner.example"),
        ),
        Entry {
            values: vec![("userSMIMECertificate", b"garbage".to_vec())],
            ..Entry::new("garbage", "garbage@partner.example", b"")
        },
        Entry::new(
            "sign",
            "sign@partner.example",
            &signing_only(path, "sign@partner.example"),
        ),
    ];
    let many = |number| {
        Entry::new(
            &format!("many-{number}"),
            "many@partner.example",
            &der(&cast().carol),
        )
    };
    entries.extend((0..30).map(many));
    // Two keys of one person, one of them a stranger's.
    let mut carol = Entry::new("carol", CAROL, &stranger(CAROL));
    carol
        .values
        .push(("userCertificate;binary", der(&cast().carol)));
    entries.push(carol);
    let slapd = Slapd::start(&cast().server, &entries);
    let rules = rule("optional", "optional");
    let scene = Scene::new("directory-hostile", &Options::default(), cast(), &rules).unwrap();
    let gateway = &scene.gateway;
    add(gateway, "partner", &format!("ldaps://{}", slapd.tls), &[]);
    let unusable = |why: &str| format!("directory partner has no usable key: {why}");
    for (name, expected) in [
        ("wrong", unusable("no certificate names this address")),
        (
            "self",
            unusable("the certificate does not lead to a trust root"),
        ),
        ("ca", unusable("the certificate is none of a mailbox")),
        ("garbage", unusable("what it has is no certificate")),
        (
            "sign",
            unusable("the certificate is not for encryption, or too weak"),
        ),
        (
            "many",
            "directory partner does not answer: too many entries or certificates match".to_owned(),
        ),
        ("*", "directory partner has no key".to_owned()),
    ] {
        let address = format!("{name}@partner.example");
        let id = format!("hostile {}", name.replace('*', "star"));
        assert_eq!(goes_as(&scene, &id, &address), Form::Signed, "{name}");
        assert_eq!(sources(gateway, &address), [expected]);
    }
    assert!(correspondents(gateway).is_empty());
    assert_eq!(goes_as(&scene, "carol", CAROL), Form::Encrypted);
    let clear = openssl::decrypt(&arrived(&scene, "carol").content, &cast().carol);
    assert!(clear.is_ok(), "{clear:?}");

    // X9: another issuer's key for the same person does not become what is encrypted to.
    time_passes(gateway);
    slapd.change(&format!(
        "dn: cn=carol,{BASE}\nchangetype: modify\ndelete: userCertificate;binary\n"
    ));
    assert_eq!(goes_as(&scene, "carol has none", CAROL), Form::Signed);
}

#[test]
fn x9_whose_key_is_known_is_not_looked_for() {
    if !slapd_is_there() {
        return;
    }
    let own = Directory::new("directory-known");
    let newer = keys::mailbox(own.path(), &cast().partner_authority, CAROL, KeyKind::P256);
    let slapd = Slapd::start(&cast().server, &[Entry::new("carol", CAROL, &der(&newer))]);
    let more = rule("optional", "optional") + &correspondent(cast(), CAROL);
    let scene = Scene::new("directory-known", &Options::default(), cast(), &more).unwrap();
    let gateway = &scene.gateway;
    add(gateway, "partner", &format!("ldaps://{}", slapd.tls), &[]);
    assert_eq!(goes_as(&scene, "known", CAROL), Form::Encrypted);
    let sent = arrived(&scene, "known").content;
    assert!(openssl::decrypt(&sent, &cast().carol).is_ok());
    assert!(openssl::decrypt(&sent, &newer).is_err());
    assert!(sources(gateway, CAROL).is_empty());
    assert!(sql(gateway, "SELECT source FROM source_answers").is_empty());
    assert_eq!(
        correspondents(gateway),
        [format!("{CAROL}\tmanual\tpreferred")]
    );
}

/// A certificate of an authority that names an address.
fn authority(directory: &Path, address: &str) -> Vec<u8> {
    let extensions = format!(
        "basicConstraints = critical, CA:true\nkeyUsage = critical, keyCertSign, keyAgreement\n\
         extendedKeyUsage = emailProtection\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n\
         subjectAltName = email:{address}\n"
    );
    let issuer = &cast().partner_authority;
    der(&keys::with_extensions(directory, issuer, "ca", &extensions))
}

fn signing_only(directory: &Path, address: &str) -> Vec<u8> {
    let extensions = format!(
        "basicConstraints = critical, CA:false\nkeyUsage = critical, digitalSignature\n\
         extendedKeyUsage = emailProtection\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n\
         subjectAltName = email:{address}\n"
    );
    let issuer = &cast().partner_authority;
    der(&keys::with_extensions(
        directory,
        issuer,
        "sign",
        &extensions,
    ))
}

/// Optional for carol's domain, enforced for the other one.
const BOTH: &str = "[[rules]]\nmanaged = \"all\"\nexternal = \"enforced.example\"\ninbound = \"optional\"\n\
    outbound = \"enforce\"\n[[rules]]\nmanaged = \"all\"\nexternal = \"all\"\ninbound = \"optional\"\noutbound = \"optional\"\n";

#[test]
fn a_directory_that_is_away_is_waited_for_where_encryption_is_enforced() {
    if !slapd_is_there() {
        return;
    }
    let own = Directory::new("directory-away");
    let erin = "erin@enforced.example";
    let identity = keys::mailbox(own.path(), &cast().partner_authority, erin, KeyKind::P256);
    let scene = Scene::new("directory-away", &Options::default(), cast(), BOTH).unwrap();
    let gateway = &scene.gateway;
    add_plain(gateway, "away", free_address());
    let reply = mail(gateway, "first", &[erin]);
    assert_eq!(reply.code, 451, "{}", reply.text);
    assert!(reply.has_status("4.4.3"), "{}", reply.text);
    let told = "encryption is enforced, and directory away does not answer: try again later";
    assert!(reply.text.contains(told), "{}", reply.text);
    let both = mail(gateway, "both", &[erin, CAROL]);
    assert_eq!(both.code, 451, "{}", both.text);

    let free = goes_as(&scene, "optional", CAROL);
    assert_eq!(free, Form::Signed);
    let traces = "SELECT trace FROM lines JOIN mails ON mails.id = lines.mail WHERE message_id LIKE '%optional%'";
    let [trace] = &sql(gateway, traces)[..] else {
        panic!("one line of the journal");
    };
    for word in ["\"directory away\"", "no-answer", "unanswered"] {
        assert!(trace.contains(word), "{trace}");
    }
    let [said] = &sources(gateway, CAROL)[..] else {
        panic!("one source");
    };
    assert!(
        said.starts_with("directory away does not answer: it cannot be reached"),
        "{said}"
    );

    // It comes back, at another place.
    let slapd = Slapd::start(&cast().server, &[Entry::new("erin", erin, &der(&identity))]);
    add(gateway, "away", &format!("ldaps://{}", slapd.tls), &[]);
    assert_eq!(goes_as(&scene, "again", erin), Form::Encrypted);
    // A definite "nothing" is the end of it, with the usual refusal.
    let unknown = mail(gateway, "unknown", &["nobody@enforced.example"]);
    assert_eq!(unknown.code, 550, "{}", unknown.text);
    let subjects = scene.internet.received();
    let subjects = subjects
        .iter()
        .filter_map(|mail| field(&mail.content, "Subject"));
    assert_eq!(subjects.collect::<Vec<_>>(), ["optional", "again"]);
}

#[test]
fn what_cannot_be_a_directory_is_refused_in_one_line() {
    if program().is_none() || !present(&["openssl"]) {
        return;
    }
    let rules = rule("optional", "optional");
    let scene = Scene::new("directory-input", &Options::default(), cast(), &rules).unwrap();
    let gateway = &scene.gateway;
    let ldap = "ldap://ldap.example";
    for (arguments, reason) in [
        (
            &["a", "--url", "http://ldap.example"][..],
            "neither ldap nor ldaps",
        ),
        (
            &["a", "--url", "ldap://ldap.example/dc=x??sub"],
            "are not taken",
        ),
        (&["a b", "--url", ldap], "a name has letters"),
        (
            &["a", "--url", ldap, "--bind", "cn=x"],
            "use an ldaps URL or --starttls",
        ),
        (
            &["a", "--url", ldap, "--starttls", "--bind", "cn=x"],
            "an empty password",
        ),
        (
            &["a", "--url", "ldaps://ldap.example", "--starttls"],
            "leave --starttls away",
        ),
        (
            &["a", "--url", ldap, "--domain", "a b"],
            "invalid value 'a b'",
        ),
        (
            &["a", "--url", ldap, "--roots", "/nowhere"],
            "cannot read /nowhere",
        ),
    ] {
        let refused = gateway.command(&[&["directory", "add"], arguments].concat());
        assert!(!refused.good, "{arguments:?}");
        assert!(
            refused.err.contains(reason),
            "{arguments:?}: {}",
            refused.err
        );
    }
    for (arguments, reason) in [
        (["directory", "remove", "a"], "there is no directory a"),
        (["directory", "test", CAROL], "there is nobody to ask"),
    ] {
        let refused = gateway.command(&arguments);
        assert!(
            !refused.good && refused.err.contains(reason),
            "{}",
            refused.err
        );
    }
    // The addresses of the installation itself are nobody else's business.
    add_plain(gateway, "away", free_address());
    let own = must(gateway, &["directory", "test", ALICE]);
    assert_eq!(own, format!("no directory is asked for {ALICE}\n"));
}

/// A certificate for an address that names a list at `url`.
fn with_list(directory: &Path, address: &str, url: &str) -> Identity {
    let extensions = format!(
        "basicConstraints = critical, CA:false\nkeyUsage = critical, digitalSignature, keyAgreement\n\
         extendedKeyUsage = emailProtection\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n\
         subjectAltName = email:{address}\ncrlDistributionPoints = URI:{url}\n"
    );
    let issuer = &cast().partner_authority;
    keys::with_extensions(directory, issuer, &address.replace('@', "-"), &extensions)
}

#[test]
fn keys_from_a_directory_are_asked_about_before_they_are_used() {
    if !slapd_is_there() {
        return;
    }
    let lists: Arc<Mutex<HashMap<String, Vec<u8>>>> = Arc::default();
    let served = Arc::clone(&lists);
    let web = Web::start(move |request| {
        let list = served.lock().unwrap().get(&request.path).cloned();
        list.map_or(Answer::Missing, Answer::Body)
    });
    let own = Directory::new("directory-revocation");
    let people: Vec<(String, Identity)> = ["good", "revoked", "late"]
        .iter()
        .map(|name| {
            let address = format!("{name}@enforced.example");
            let url = web.url(&format!("/{name}"));
            let identity = with_list(own.path(), &address, &url);
            (address, identity)
        })
        .collect();
    let [(good, _), (revoked, gone), (late, waited_for)] = &people[..] else {
        panic!("three people");
    };
    let list = |name: &str, serials: &[&[u8]]| {
        let list = crl(&cast().partner_authority, serials, 0, CURRENT);
        lists.lock().unwrap().insert(format!("/{name}"), list);
    };
    list("good", &[]);
    list("revoked", &[certificate(gone).serial()]);
    let entries: Vec<Entry> = people
        .iter()
        .map(|(address, identity)| Entry::new(&address.replace('@', "-"), address, &der(identity)))
        .collect();
    let slapd = Slapd::start(&cast().server, &entries);
    let scene = Scene::new("directory-revocation", &Options::default(), cast(), BOTH).unwrap();
    let gateway = &scene.gateway;
    add(gateway, "partner", &format!("ldaps://{}", slapd.tls), &[]);
    assert_eq!(goes_as(&scene, "good", good), Form::Encrypted);
    let refused = mail(gateway, "revoked", &[revoked]);
    assert_eq!(refused.code, 550, "{}", refused.text);
    let said = sources(gateway, revoked);
    let expected = "directory partner has no usable key: the certificate was revoked";
    assert_eq!(said, [expected]);
    let put_off = mail(gateway, "late", &[late]);
    assert_eq!(put_off.code, 451, "{}", put_off.text);
    let pending = format!("{late}\tldap\tpending");
    assert!(correspondents(gateway).contains(&pending));

    // The list has come: the key is used, and nobody had to ask the directory again.
    list("late", &[]);
    sql(gateway, "UPDATE evidence SET ask_at = 0");
    sql(
        gateway,
        "UPDATE correspondents SET ask_at = 0 WHERE ask_at IS NOT NULL",
    );
    drop(slapd);
    let end = Instant::now() + DELIVERY;
    while correspondents(gateway).contains(&pending) {
        assert!(Instant::now() < end, "the key stays pending");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(goes_as(&scene, "late again", late), Form::Encrypted);
    let clear = openssl::decrypt(&arrived(&scene, "late again").content, waited_for);
    assert!(clear.is_ok(), "{clear:?}");
}

/// Answers every connection with the same octets for as long as the test runs, and then keeps silent.
fn hostile(answer: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), answer) = (stream, answer.clone()) else {
                return;
            };
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                // Whoever has had enough closes the connection.
                let _ = stream.write_all(&answer);
                let _ = stream.read_to_end(&mut Vec::new());
            });
        }
    });
    address
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84][..], &length, content].concat()
}

/// A search result with one value of `userCertificate`.
fn result(value: &[u8]) -> Vec<u8> {
    let attribute = [
        element(0x04, b"userCertificate"),
        element(0x31, &element(0x04, value)),
    ];
    let entry = [
        element(0x04, b"cn=x"),
        element(0x30, &element(0x30, &attribute.concat())),
    ];
    element(
        0x30,
        &[&[2, 1, 1][..], &element(0x64, &entry.concat())].concat(),
    )
}

#[test]
fn x7_a_hostile_directory_is_bounded() {
    if program().is_none() || !present(&["openssl", "python3"]) {
        return;
    }
    let scene = Scene::new("directory-flood", &Options::default(), cast(), BOTH).unwrap();
    let gateway = &scene.gateway;
    let carol = der(&cast().carol);
    for (name, answer, reason) in [
        ("entries", result(&carol).repeat(10_000), "too many entries"),
        (
            "octets",
            result(&vec![0x55; 10 * 1024 * 1024]),
            "its answer is too large",
        ),
        (
            "announced",
            vec![0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF],
            "its answer is too large",
        ),
        (
            "no-ldap",
            b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
            "does not speak LDAP",
        ),
        ("silent", Vec::new(), "longer than 4 s"),
        ("cut", result(&carol)[..40].to_vec(), "longer than 4 s"),
    ] {
        add_plain(gateway, name, hostile(answer));
        let before = Instant::now();
        let id = format!("flood {name}");
        assert_eq!(goes_as(&scene, &id, CAROL), Form::Signed, "{name}");
        assert!(before.elapsed() < DELIVERY, "{name}");
        let [said] = &sources(gateway, CAROL)[..] else {
            panic!("one source");
        };
        let expected = format!("directory {name} does not answer: ");
        assert!(
            said.starts_with(&expected) && said.contains(reason),
            "{said}"
        );
        must(gateway, &["directory", "remove", name]);
    }
    // The time is one for all recipients together.
    add_plain(gateway, "silent", hostile(Vec::new()));
    let to: Vec<String> = (0..10)
        .map(|number| format!("x{number}@enforced.example"))
        .collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let before = Instant::now();
    assert_eq!(mail(gateway, "many", &to).code, 451);
    // One after the other, it would be four seconds for each.
    assert!(before.elapsed() < Duration::from_secs(35));
    assert!(correspondents(gateway).is_empty());
}

/// The label of an address below `_smimecert` (RFC 8162 section 3), made by `openssl`.
fn label(local: &str) -> String {
    let digest = must_run("openssl", &["dgst", "-sha256", "-r"], local.as_bytes());
    let digest = String::from_utf8(digest).unwrap();
    format!("{}._smimecert", &digest[..56])
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A gateway that asks a name server with signed, unsigned and spoilt zones.
struct Named {
    scene: Scene,
    /// Issued by an authority that is trusted.
    fay: Identity,
    /// Issued by one that is not.
    gil: Identity,
    _knot: Knot,
    _own: Directory,
}

fn zones(own: &Path, fay: &Identity, gil: &Identity, private: &Identity) -> [Zone; 3] {
    let record = |local: &str, usage: &str, identity: &Identity| {
        (label(local), format!("{usage} {}", hex(&der(identity))))
    };
    let identity = |address: &str, issuer| keys::mailbox(own, issuer, address, KeyKind::P256);
    let other = |name, kind| {
        let address = format!("fay@{name}");
        let fay = identity(&address, &cast().partner_authority);
        Zone {
            name,
            kind,
            records: vec![record("fay", "3 0 0", &fay)],
            // Whoever can change what is not signed leads to a zone of his own, which is.
            aliases: vec![(label("lure"), format!("{}.signed.example", label("lure")))],
        }
    };
    let signed = Zone {
        name: "signed.example",
        kind: Kind::Signed,
        records: vec![
            record("fay", "3 0 0", fay),
            record("gil", "3 0 0", gil),
            record("wrong", "3 0 0", fay),
            record("pkix", "1 0 0", &identity("pkix@signed.example", private)),
            (label("digest"), format!("3 0 1 {}", "ab".repeat(32))),
            record("lure", "3 0 0", &identity("lure@unsigned.example", private)),
            record("also", "3 0 0", &identity("alias@signed.example", private)),
        ],
        aliases: vec![(label("alias"), format!("{}.signed.example", label("also")))],
    };
    [
        signed,
        other("unsigned.example", Kind::Unsigned),
        other("bogus.example", Kind::Bogus),
    ]
}

impl Named {
    /// None where a program is missing.
    fn new(name: &str) -> Option<Self> {
        if program().is_none() || !present(&knot::PROGRAMS) || !present(&["python3"]) {
            return None;
        }
        let own = Directory::new(name);
        let private = keys::authority(own.path(), "Private-CA");
        let identity =
            |address: &str, issuer| keys::mailbox(own.path(), issuer, address, KeyKind::P256);
        let fay = identity("fay@signed.example", &cast().partner_authority);
        let gil = identity("gil@signed.example", &private);
        let knot = Knot::start(&zones(own.path(), &fay, &gil, &private));
        let options = Options {
            dns: knot.address.to_string(),
            trust_anchor: Some(knot.anchor.clone()),
            ..Options::default()
        };
        let rules = rule("optional", "optional");
        Some(Self {
            scene: Scene::new(name, &options, cast(), &rules)?,
            fay,
            gil,
            _knot: knot,
            _own: own,
        })
    }

    fn switch(&self, to: &str) {
        let value = format!("smimea={to}");
        let words = ["organisation", "settings", "--set", &value];
        must(&self.scene.gateway, &words);
    }

    /// How a mail goes to a name in a zone.
    fn goes(&self, id: &str, to: &str) -> Form {
        goes_as(&self.scene, &format!("{id} {to}"), to)
    }

    /// Whether that mail is encrypted to this identity.
    fn opens(&self, id: &str, to: &str, identity: &Identity) -> bool {
        let mail = arrived(&self.scene, &format!("{id} {to}"));
        openssl::decrypt(&mail.content, identity).is_ok()
    }
}

#[test]
fn keys_in_dns_count_only_with_dnssec_and_a_path() {
    let Some(named) = Named::new("smimea") else {
        return;
    };
    let gateway = &named.scene.gateway;
    let fay = "fay@signed.example";
    assert_eq!(named.goes("off", fay), Form::Signed);
    named.switch("with-path");
    let no_path = "has no usable key: the certificate does not lead to a trust root";
    let nobody = "has no usable key: no certificate names this address";
    let bogus = "does not answer: the DNSSEC signatures are not valid";
    let nothing = "has no key";
    for (address, expected) in [
        ("gil@signed.example", no_path),
        ("wrong@signed.example", nobody),
        ("pkix@signed.example", no_path),
        ("digest@signed.example", nothing),
        ("nobody@signed.example", nothing),
        ("fay@unsigned.example", nothing),
        ("fay@nowhere.example", nothing),
        ("fay@bogus.example", bogus),
    ] {
        assert_eq!(named.goes("on", address), Form::Signed, "{address}");
        let expected = format!("DNS (SMIMEA) {expected}");
        assert_eq!(sources(gateway, address), [expected], "{address}");
    }
    assert_eq!(named.goes("on", fay), Form::Encrypted);
    assert!(named.opens("on", fay, &named.fay));
    assert_eq!(
        correspondents(gateway),
        [format!("{fay}\tsmimea\tpreferred")]
    );
    named.switch("off");
    assert_eq!(named.goes("off again", fay), Form::Signed);
}

/// A domain vouches for its own certificate only where the organisation wants that, and only by usage 3.
#[test]
fn dnssec_alone_is_enough_only_where_it_is_wanted() {
    let Some(named) = Named::new("smimea-alone") else {
        return;
    };
    let (fay, gil) = ("fay@signed.example", "gil@signed.example");
    named.switch("with-path");
    assert_eq!(named.goes("with path", fay), Form::Encrypted);
    assert_eq!(named.goes("with path", gil), Form::Signed);
    named.switch("dnssec-alone");
    for (address, identity) in [(fay, &named.fay), (gil, &named.gil)] {
        assert_eq!(named.goes("alone", address), Form::Encrypted, "{address}");
        assert!(named.opens("alone", address, identity), "{address}");
    }
    for address in [
        "pkix@signed.example",
        "wrong@signed.example",
        "fay@bogus.example",
        "fay@unsigned.example",
        "lure@unsigned.example",
    ] {
        assert_eq!(named.goes("alone", address), Form::Signed, "{address}");
    }
    let signed_alias = "alias@signed.example";
    assert_eq!(named.goes("alone", signed_alias), Form::Encrypted);
    named.switch("with-path");
    assert_eq!(named.goes("again", gil), Form::Signed);
    assert_eq!(named.goes("again", fay), Form::Encrypted);
}
