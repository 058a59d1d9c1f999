//! Row W3 of security.md for what comes from directories: names in certificates and words of errors that a careless page would
//! carry out.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use e2e::cast::Cast;
use e2e::certificates::{LEAF, MAIL, USAGE, Wanted, make};
use e2e::keys::{KeyKind, shown};
use e2e::portal::browser;
use e2e::portal::forms::strange;
use e2e::portal::hostile::{VALUES, in_subject, uri};
use e2e::portal::http::{Request, Visitor};
use e2e::portal::people::{person, settle};
use e2e::portal::world::{ALPHA, World};
use e2e::program::{must_run, present};
use e2e::slapd::{self, BASE, Entry, PROGRAMS, Slapd};
use serde_json::{Value, json};

/// The domain that the directory with names is asked for, and the one whose directory only complains.
const NAMES: &str = "zqalpha-names.example";
const WORDS: &str = "zqalpha-words.example";
/// Of the values are this many tried in each place; all of them in names of certificates.
const WORDS_TRIED: usize = 12;

/// Everybody of the directory: each has a value in its certificate's names, and in another address of it.
fn entries(world: &World) -> Vec<Entry> {
    let directory = world.gateway.directory().path();
    let mut entries = Vec::new();
    for (number, value) in VALUES.iter().enumerate() {
        let mail = format!("n{number}@{NAMES}");
        let subject = format!("/O={0}/OU={0}/CN={0}", in_subject(value));
        let alternative = format!("subjectAltName=email:{mail},URI:{}", uri(value));
        let wanted = Wanted {
            issuer: Some(&world.alpha.partner),
            subject: &subject,
            extensions: &[LEAF, USAGE, MAIL, &alternative],
            ..Wanted::default()
        };
        let identity = make(directory, &format!("names{number}"), &wanted);
        let file = shown(&identity.certificate);
        let der = must_run("openssl", &["x509", "-in", &file, "-outform", "DER"], b"");
        entries.push(Entry::new(&format!("n{number}"), &mail, &der));
    }
    entries
}

/// A server that answers every question with an error in the words of a stranger, the next ones at each connection.
fn complaining() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (number, socket) in listener.incoming().flatten().enumerate() {
            complain(socket, VALUES[number % VALUES.len()]);
        }
    });
    address
}

/// RFC 4511 section 4.1.9: an LDAPResult with `operationsError`, an entry and a message in these words.
fn complain(mut socket: TcpStream, words: &str) {
    let mut question = [0; 4096];
    let Ok(length) = socket.read(&mut question) else {
        return;
    };
    // Behind the length of the whole stand the number of the question (02 01 n) and the operation.
    let at = question[..length].iter().position(|octet| *octet == 2);
    let Some([_, _, number, operation, ..]) = at.and_then(|at| question.get(at..at + 4)) else {
        return;
    };
    let text = |octets: &[u8]| [&[4, octets.len() as u8][..], octets].concat();
    let words = &words.as_bytes()[..words.len().min(50)];
    let result = [&[10, 1, 1][..], &text(words), &text(words)].concat();
    // A search ends by operation 5, every other operation by its own number and one.
    let tag = if *operation == 0x63 {
        0x65
    } else {
        operation + 1
    };
    let inner = [&[2, 1, *number, tag, result.len() as u8][..], &result].concat();
    let whole = [&[0x30, inner.len() as u8][..], &inner].concat();
    let _ = socket.write_all(&whole);
    let _ = socket.read(&mut question);
}

fn put(operator: &Visitor, name: &str, body: &Value) {
    let path = format!("/api/v1/organisations/{ALPHA}/directories/{name}");
    let answer = operator.ask(&Request::new("PUT", &path).json(body));
    assert!(answer.status < 300, "{name}: {}", answer.text());
}

/// Tries an address on the page; gives what the page shows.
fn tried(admin: &Visitor, address: &str, failures: &mut Vec<String>) -> String {
    let page = format!("/o/{ALPHA}/smime/directories");
    let answer = admin.post(&format!("{page}/try"), &page, &[("address", address)]);
    if answer.status >= 500 {
        failures.push(format!("{address}: {}", answer.status));
    }
    let text = answer.text();
    failures.extend(strange(&text).iter().map(|bad| format!("{address}: {bad}")));
    let policy = answer.field("content-security-policy").unwrap_or_default();
    if policy.contains("unsafe") || !policy.contains("default-src 'none'") {
        failures.push(format!("{address}: policy {policy:?}"));
    }
    text
}

/// Pages on which something of a directory may stand, in a browser.
fn in_a_browser(world: &World) -> Vec<String> {
    let name = "admin@zqalpha.example";
    let page = |path: &str| json!({ "name": "directory", "path": path, "status": 200 });
    let pages = [
        "smime/directories",
        "smime/directories/names",
        "smime/directories/words",
        "smime/keys",
        "events",
        "audit",
        "mails",
    ];
    let pages: Vec<Value> = pages
        .iter()
        .map(|own| page(&format!("/o/{ALPHA}/{own}")))
        .collect();
    let look = json!({
        "name": name, "language": "en", "width": 1280, "dark": false, "axe": false, "script": true, "shoot": false,
        "cookies": *person(name).visits(world).cookies.lock().unwrap(), "pages": pages,
    });
    let given =
        json!({ "origin": format!("http://{}", world.portal), "screenshots": "", "looks": [look] });
    browser::findings(&browser::run("pages.js", &given))
}

#[test]
fn w3_nothing_of_a_directory_runs() {
    if !present(&PROGRAMS) {
        return;
    }
    let Some(mut world) = World::configured("w3-directory") else {
        return;
    };
    settle(&world);
    let slapd = Slapd::start(&Cast::with(KeyKind::P256).server, &entries(&world));
    world.gateway.start();
    let operator = person("operator-token").visits(&world);
    let roots = &Cast::with(KeyKind::P256).own_authority.certificate;
    let roots = std::fs::read_to_string(roots).unwrap();
    let own = json!({ "url": format!("ldaps://{}", slapd.tls), "base": BASE, "bind": slapd::ADMIN, "password": slapd::PASSWORD,
                      "roots": roots, "domains": [NAMES] });
    put(&operator, "names", &own);
    let url = format!("ldap://{}", complaining());
    let words = json!({ "url": url, "base": VALUES[0], "domains": [WORDS] });
    put(&operator, "words", &words);
    let admin = person("admin@zqalpha.example").visits(&world);
    let mut failures = Vec::new();
    let mut fields = 0;
    for number in 0..VALUES.len() {
        let shown = tried(&admin, &format!("n{number}@{NAMES}"), &mut failures);
        // It was found: three names and an address of each were there to be shown.
        assert!(shown.contains(&format!("n{number}@{NAMES}")), "{shown}");
        fields += 4;
    }
    for number in 0..WORDS_TRIED {
        tried(&admin, &format!("w{number}@{WORDS}"), &mut failures);
        fields += 2;
    }
    // Mails to them, so that what was found and what went wrong stands where mails and events are told.
    for (to, code) in [(format!("n0@{NAMES}"), 250), (format!("w0@{WORDS}"), 250)] {
        let from = world.alpha.own("anna");
        let mail = e2e::portal::world::plain(&from, &to, "zqalpha to a directory", "hello");
        let reply = world.send_out(&world.alpha, &from, &to, &mail);
        assert!(reply == code || reply >= 450, "{to}: {reply}");
    }
    println!("{fields} fields of a stranger were filled");
    assert!(fields >= 60, "only {fields} fields");
    if browser::ready() {
        failures.extend(in_a_browser(&world));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
