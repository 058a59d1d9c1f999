//! mail.security > Inbound and S/MIME > S/MIME over HTTP: requirements S25 to S42 as a table, and rows W5 and W6 of security.md.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::ops::Add;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use e2e::client::{Sending, smtplib};
use e2e::der::{Node, of, oid, plain as node, sequence, small};
use e2e::place::PATIENCE;
use e2e::portal::database::until_live;
use e2e::portal::http::{Answer, Request, Visitor, quoted};
use e2e::portal::people::person;
use e2e::portal::world::{ALPHA, World, plain};
use serde_json::{Value, json};

/// What a page or call may take while a hostile file is being read (row W5).
const MEANWHILE: Duration = Duration::from_millis(200);
/// What an upload may take: five seconds, and what a busy machine adds.
const UPLOAD: Duration = Duration::from_secs(8);

fn api(path: &str) -> String {
    format!("/api/v1/organisations/{ALPHA}/{path}")
}

fn own(local: &str) -> String {
    format!("{local}@{ALPHA}.example")
}

fn call(who: &Visitor, method: &str, path: &str, body: &Value) -> Answer {
    let csrf = who.csrf(&format!("/o/{ALPHA}/smime/mailboxes"));
    let request = Request::new(method, &api(path)).field("x-csrf-token", &csrf);
    who.ask(&request.json(body))
}

/// A mailbox as the API has it.
fn mailbox(who: &Visitor, local: &str) -> Value {
    let path = api(&format!("mailboxes/{}", quoted(&own(local))));
    who.get(&path).json()["mailbox"].clone()
}

fn wait_for(who: &Visitor, local: &str, state: &str) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let found = mailbox(who, local);
        if found["state"] == state || Instant::now() > until {
            assert_eq!(found["state"], state, "{local}: {found}");
            return found;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The row of a mailbox in the table's HTML.
fn row(page: &str, local: &str) -> String {
    let at = format!("/smime/mailboxes/{local}@");
    let rows = page.split("<tr>").filter(|row| row.contains(&at));
    let row = rows.last().unwrap_or_else(|| panic!("no row of {local}"));
    row.split("</tr>").next().unwrap().to_owned()
}

/// What a row must show, and what it must not.
struct Expected {
    local: &'static str,
    german: &'static str,
    english: &'static str,
    has_certificate: bool,
    actions: &'static [&'static str],
}

const ACTIONS: [&str; 5] = [
    "smime/mailboxes/activate\"",
    "smime/mailboxes/deactivate\"",
    "/upload\"",
    "smime/mailboxes/withdraw\"",
    "smime/mailboxes/confirm-revoked\"",
];

/// S26 to S42: each state with its words, the certificate's number only if active, and the actions that it allows.
const TABLE: &[Expected] = &[
    Expected {
        local: "boris",
        german: "Inaktiv",
        english: "Inactive",
        has_certificate: false,
        actions: &["smime/mailboxes/activate\"", "/upload\""],
    },
    Expected {
        local: "anna",
        german: "Aktiv",
        english: "Active",
        has_certificate: true,
        actions: &["smime/mailboxes/deactivate\"", "/upload\""],
    },
    Expected {
        local: "emil",
        german: "In Aktivierung",
        english: "Activation pending",
        has_certificate: false,
        actions: &["smime/mailboxes/withdraw\""],
    },
    Expected {
        local: "gustav",
        german: "in Deaktivierung",
        english: "Revoke pending",
        has_certificate: false,
        actions: &["smime/mailboxes/confirm-revoked\""],
    },
];

#[test]
fn s25_to_s42_the_table_and_its_actions() {
    let Some(world) = World::running("portal-mailboxes") else {
        return;
    };
    let writer = person("writer@zqalpha.example").visits(&world);
    let german = person("verwalter@zqalpha.example").visits(&world);
    let reader = person("reader@zqalpha.example").visits(&world);
    let table = format!("/o/{ALPHA}/smime/mailboxes");
    the_columns(&german.get(&table).text());
    each_state(&writer.get(&table).text(), &german.get(&table).text());
    readers_see_no_action(&reader, &table);
    narrowed_and_sorted(&writer);
    one_mailbox(&writer, &table);
    all_of_a_filter(&writer, &table);
    waiting_ones(&writer, &table);
}

fn the_columns(page: &str) {
    let heads: Vec<&str> = ["Zertifikats-ID", "Mailbox", "Domäne", "S/MIME", "Aktionen"].into();
    let mut at = page.find("<thead>").unwrap();
    for head in heads {
        let found = page[at..].find(&format!(">{head}<"));
        at += found.unwrap_or_else(|| panic!("no column {head} in its place"));
    }
    // S9, S11, S14, S16, S17.
    for text in [
        "von 10 S/MIME-Lizenzen",
        "Freies Kontingent",
        "kann nur der Vertrieb",
        "support@operator.example",
        "https://operator.example/faq",
    ] {
        assert!(page.contains(text), "{text}");
    }
    // S37, S41: the buttons for many stand above the table.
    let bulk = page.find("class=\"bulk\"").unwrap();
    assert!(bulk < page.find("<thead>").unwrap());
    let bulk = &page[bulk..page.find("<thead>").unwrap()];
    assert!(
        bulk.contains(">Aktivieren</button>") && bulk.contains(">Deaktivieren</button>"),
        "{bulk}"
    );
}

fn each_state(english: &str, german: &str) {
    for expected in TABLE {
        let (row_en, row_de) = (row(english, expected.local), row(german, expected.local));
        let word = |word: &str| format!("\">{word}</span>");
        assert!(row_en.contains(&word(expected.english)), "{row_en}");
        assert!(row_de.contains(&word(expected.german)), "{row_de}");
        let number = row_en
            .split("data-label=\"Certificate ID\"")
            .nth(1)
            .unwrap();
        let number = number.split('>').nth(1).unwrap().split('<').next().unwrap();
        assert_eq!(
            number.trim().parse::<i64>().is_ok(),
            expected.has_certificate,
            "{row_en}"
        );
        for action in ACTIONS {
            let is_there = row_en.contains(action);
            assert_eq!(
                is_there,
                expected.actions.contains(&action),
                "{action}: {row_en}"
            );
        }
    }
}

fn readers_see_no_action(reader: &Visitor, table: &str) {
    let page = reader.get(table).text();
    for action in ACTIONS {
        assert!(!page.contains(action), "{action}");
    }
    let all = json!({ "chosen": "all" });
    assert_eq!(call(reader, "POST", "mailboxes/activate", &all).status, 403);
}

fn narrowed_and_sorted(who: &Visitor) {
    let locals = |query: &str| -> Vec<String> {
        let found = who.get(&api(&format!("mailboxes?{query}"))).json();
        let items = found["items"]
            .as_array()
            .unwrap_or_else(|| panic!("{found}"));
        let name = |one: &Value| one["name"].as_str().unwrap().to_owned();
        items.iter().map(name).collect()
    };
    let all = ["anna", "boris", "dora", "emil", "frida", "gustav"];
    let backwards: Vec<&str> = all.into_iter().rev().collect();
    assert_eq!(locals(""), all);
    assert_eq!(locals("sort=name"), all);
    assert_eq!(locals("sort=-domain"), backwards);
    assert_eq!(locals("state=inactive"), ["boris", "dora"]);
    assert_eq!(locals("search=RIS"), ["boris"]);
    assert_eq!(
        locals("sort=state"),
        ["emil", "anna", "frida", "boris", "dora", "gustav"]
    );
    assert_eq!(
        locals(&format!("route={ALPHA}-office&state=revoke-pending")),
        ["gustav"]
    );
    assert_eq!(locals("route=other"), [""; 0]);
    // Page by page, in each order, every mailbox comes once.
    for sort in [
        "domain",
        "-domain",
        "name",
        "-name",
        "state",
        "-state",
        "certificate",
        "-certificate",
    ] {
        let (mut after, mut seen) = (String::new(), Vec::new());
        loop {
            let query = format!("sort={sort}&limit=2{after}");
            seen.extend(locals(&query));
            let page = who.get(&api(&format!("mailboxes?{query}"))).json();
            match page["next"].as_str() {
                Some(next) => after = format!("&after={}", quoted(next)),
                None => break,
            }
        }
        seen.sort();
        assert_eq!(seen, all, "{sort}");
    }
    for wrong in [
        "sort=nothing",
        "after=nothing",
        "state=nothing",
        "limit=nothing",
    ] {
        let status = who.get(&api(&format!("mailboxes?{wrong}"))).status;
        assert!((400..500).contains(&status), "{wrong} {status}");
    }
}

/// S36, S40: one mailbox through its life.
fn one_mailbox(who: &Visitor, table: &str) {
    let dora = own("dora");
    let done = who.post(
        &format!("{table}/activate"),
        table,
        &[("only", &dora), ("key", "p-256")],
    );
    assert_eq!(done.status, 303, "{}", done.text());
    let active = wait_for(who, "dora", "active");
    assert!(active["certificate"].is_i64(), "{active}");
    // S42: what is active cannot be activated; it is named.
    let again = json!({ "chosen": { "mailboxes": [dora] } });
    let refused = call(who, "POST", "mailboxes/activate", &again).json();
    assert_eq!(refused["refused"][0]["what"], dora.as_str(), "{refused}");
    // The button names its consequence before anything happens.
    let asked = who.post(&format!("{table}/deactivate"), table, &[("only", &dora)]);
    assert_eq!(asked.status, 200);
    assert!(
        asked
            .text()
            .contains("Deactivate 1 mailbox, revoke 1 certificate"),
        "{}",
        asked.text()
    );
    assert_eq!(mailbox(who, "dora")["state"], "active");
    let values = [("only", dora.as_str()), ("confirmed", "true")];
    assert_eq!(
        who.post(&format!("{table}/deactivate"), table, &values)
            .status,
        303
    );
    // The built-in CA confirms at once: the licence is free again.
    wait_for(who, "dora", "inactive");
    let none = who.post(&format!("{table}/deactivate"), table, &[("only", &dora)]);
    assert_eq!(none.status, 409);
    // S48: nothing of the key ring can be had; its keys can be purged, which is named first.
    let at = format!("{table}/{dora}");
    let page = who.get(&at).text();
    assert!(page.contains("cannot be downloaded"), "{page}");
    let detail = who
        .get(&api(&format!("mailboxes/{}", quoted(&dora))))
        .json();
    let key = detail["keys"][0]["id"].as_i64().unwrap().to_string();
    let what: Vec<&str> = detail["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["what"].as_str().unwrap())
        .collect();
    assert_eq!(what.last(), Some(&"ordered"), "{what:?}");
    assert!(
        ["issued", "revocation-asked", "revoked"]
            .iter()
            .all(|one| what.contains(one)),
        "{what:?}"
    );
    let asked = who
        .post(&format!("{at}/purge"), &at, &[("key", &key)])
        .text();
    assert!(asked.contains("Delete 1 private key for good"), "{asked}");
    let done = who.post(
        &format!("{at}/purge"),
        &at,
        &[("key", &key), ("confirmed", "true")],
    );
    assert_eq!(done.status, 303, "{}", done.text());
    let detail = who
        .get(&api(&format!("mailboxes/{}", quoted(&dora))))
        .json();
    assert_eq!(detail["keys"], json!([]));
}

/// S37, S38: several, and all that the filter shows.
fn all_of_a_filter(who: &Visitor, table: &str) {
    let values = [("all", "true"), ("search", "dora"), ("key", "p-256")];
    assert_eq!(
        who.post(&format!("{table}/activate"), table, &values)
            .status,
        303
    );
    wait_for(who, "dora", "active");
    assert_eq!(mailbox(who, "boris")["state"], "inactive");
    let both = [("mailbox", own("boris")), ("mailbox", own("dora"))];
    let mut values: Vec<(&str, &str)> = both
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    values.push(("key", "p-256"));
    let done = who.post(&format!("{table}/activate"), table, &values);
    assert_eq!(done.status, 303);
    wait_for(who, "boris", "active");
    // A14: the other one is named.
    let told = who.get(done.field("location").unwrap()).text();
    assert!(
        told.contains("One certificate is ordered.") && told.contains(&own("dora")),
        "{told}"
    );
    assert_eq!(
        who.post(&format!("{table}/activate"), table, &[]).status,
        422
    );
}

/// An order is withdrawn; a revocation is confirmed by hand (A12).
fn waiting_ones(who: &Visitor, table: &str) {
    let emil = own("emil");
    assert_eq!(
        who.post(&format!("{table}/withdraw"), table, &[("only", &emil)])
            .status,
        303
    );
    assert_eq!(mailbox(who, "emil")["state"], "inactive");
    let gustav = own("gustav");
    // A13: nothing is uploaded or activated meanwhile.
    let again = json!({ "chosen": { "mailboxes": [gustav] } });
    let refused = call(who, "POST", "mailboxes/activate", &again).json();
    assert_eq!(refused["refused"][0]["what"], gustav.as_str());
    assert_eq!(
        who.post(
            &format!("{table}/confirm-revoked"),
            table,
            &[("only", &gustav)]
        )
        .status,
        303
    );
    assert_eq!(mailbox(who, "gustav")["state"], "inactive");
    // A10.
    let at = format!("{table}/{gustav}");
    let aliases = own("anna");
    assert_eq!(
        who.post(&format!("{at}/aliases"), &at, &[("aliases", &aliases)])
            .status,
        303
    );
    let detail = who
        .get(&api(&format!("mailboxes/{}", quoted(&gustav))))
        .json();
    assert_eq!(detail["aliases"], json!([aliases]));
    let stranger = [("aliases", "nobody@elsewhere.example")];
    assert_eq!(
        who.post(&format!("{at}/aliases"), &at, &stranger).status,
        409
    );
}

fn corpus(folder: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let path = root.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "the corpus is missing");
    println!("skipped: there is no corpus");
    None
}

fn upload(who: &Visitor, mailbox: &str, (file, password): (&[u8], &str)) -> Answer {
    let at = format!("/o/{ALPHA}/smime/mailboxes/{}/upload", quoted(mailbox));
    let csrf = who.csrf(&at);
    let values: [(&str, &[u8]); 3] = [
        ("csrf", csrf.as_bytes()),
        ("file", file),
        ("password", password.as_bytes()),
    ];
    who.ask(&Request::new("POST", &at).upload(&values))
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const EXPLICIT: u8 = 0xa0;
const DATA: &str = "1.2.840.113549.1.7.1";
const TWO_TO_31: [u8; 5] = [0, 0x80, 0, 0, 0];

fn explicit(node: Node) -> Node {
    of(EXPLICIT, vec![node])
}

/// A PKCS #12 file around these parts, with more behind them.
fn pfx(parts: Vec<Node>, more: Vec<Node>) -> Vec<u8> {
    let safe = node(OCTETS, &sequence(parts).der());
    let info = sequence(vec![oid(DATA), explicit(safe)]);
    sequence([vec![small(3), info], more].concat()).der()
}

/// A part that is encrypted with a password.
fn encrypted(algorithm: Node) -> Node {
    let info = sequence(vec![oid(DATA), algorithm, node(0x80, &[0; 32])]);
    let content = sequence(vec![small(0), info]);
    sequence(vec![oid("1.2.840.113549.1.7.6"), explicit(content)])
}

fn pbes2(derivation: Node) -> Node {
    let cipher = sequence(vec![oid("2.16.840.1.101.3.4.1.42"), node(OCTETS, &[0; 16])]);
    let parameters = sequence(vec![derivation, cipher]);
    sequence(vec![oid("1.2.840.113549.1.5.13"), parameters])
}

/// PBKDF2 with HMAC-SHA-512, the slowest that is read.
fn pbkdf2(iterations: &[u8]) -> Node {
    let function = sequence(vec![oid("1.2.840.113549.2.11"), node(0x05, &[])]);
    let parameters = sequence(vec![
        node(OCTETS, &[7; 8]),
        node(INTEGER, iterations),
        function,
    ]);
    sequence(vec![oid("1.2.840.113549.1.5.12"), parameters])
}

fn open_bags(bags: Vec<Node>) -> Node {
    let bags = node(OCTETS, &of(SEQUENCE, bags).der());
    sequence(vec![oid(DATA), explicit(bags)])
}

/// A bag of a certificate that is none, with a name in these octets as BMPString.
fn named_bag(name: &[u8]) -> Node {
    let certificate = explicit(node(OCTETS, &[0x30, 0]));
    let value = sequence(vec![oid("1.2.840.113549.1.9.22.1"), certificate]);
    let names = of(0x31, vec![node(0x1e, name)]);
    let attribute = sequence(vec![oid("1.2.840.113549.1.9.20"), names]);
    sequence(vec![
        oid("1.2.840.113549.1.12.10.1.3"),
        explicit(value),
        of(0x31, vec![attribute]),
    ])
}

/// Files that must be refused, each with words of the reason that is shown.
fn hostile_files() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let too_much = "asks for too much work";
    let damaged = "or it is damaged";
    let scrypt = sequence(vec![
        node(OCTETS, &[7; 8]),
        node(INTEGER, &[0x40, 0, 0, 0]),
        small(8),
        small(1),
    ]);
    let scrypt = sequence(vec![oid("1.3.6.1.4.1.11591.4.11"), scrypt]);
    let digest = sequence(vec![
        sequence(vec![oid("2.16.840.1.101.3.4.2.1"), node(0x05, &[])]),
        node(OCTETS, &[0; 32]),
    ]);
    let huge_mac = |iterations: &[u8]| {
        let salt = node(OCTETS, &[7; 8]);
        sequence(vec![digest.clone(), salt, node(INTEGER, iterations)])
    };
    let empty = || open_bags(Vec::new());
    vec![
        ("no file", b"hello".to_vec(), damaged),
        (
            "2^31 iterations",
            pfx(vec![encrypted(pbes2(pbkdf2(&TWO_TO_31)))], vec![]),
            "",
        ),
        (
            "2^31 - 1 iterations",
            pfx(
                vec![encrypted(pbes2(pbkdf2(&[0x7f, 0xff, 0xff, 0xff])))],
                vec![],
            ),
            too_much,
        ),
        (
            "scrypt N 2^30",
            pfx(vec![encrypted(pbes2(scrypt))], vec![]),
            "",
        ),
        (
            "MAC iterations",
            pfx(vec![empty()], vec![huge_mac(&[0x7f, 0xff, 0xff, 0xff])]),
            too_much,
        ),
        (
            "MAC 2^31 iterations",
            pfx(vec![empty()], vec![huge_mac(&TWO_TO_31)]),
            "",
        ),
        (
            "10,000 bags",
            pfx(
                vec![open_bags(
                    (0..10_000).map(|_| named_bag(&[0, 65])).collect(),
                )],
                vec![],
            ),
            "",
        ),
        (
            "10,000 parts",
            pfx((0..10_000).map(|_| empty()).collect(), vec![]),
            "",
        ),
        (
            "odd BMPString",
            pfx(vec![open_bags(vec![named_bag(&[0])])], vec![]),
            "",
        ),
        (
            "lone surrogate",
            pfx(vec![open_bags(vec![named_bag(&[0xd8, 0])])], vec![]),
            "",
        ),
        (
            "long BMPString",
            pfx(vec![open_bags(vec![named_bag(&[0xff; 100_000])])], vec![]),
            "",
        ),
        (
            "no content",
            sequence(vec![small(3), sequence(vec![oid(DATA)])]).der(),
            damaged,
        ),
        ("only a version", sequence(vec![small(3)]).der(), damaged),
        ("nothing", sequence(vec![]).der(), damaged),
        (
            "no pair",
            pfx(vec![empty()], vec![]),
            "no private key together with its certificate",
        ),
    ]
}

/// Row W5: hostile files are refused at once or in their time, with what to do; everybody else is served meanwhile.
#[test]
fn w5_hostile_uploads_cost_nobody_anything() {
    let Some(world) = World::running("portal-uploads") else {
        return;
    };
    let writer = person("writer@zqalpha.example").visits(&world);
    let boris = own("boris");
    for (name, file, words) in hostile_files() {
        let start = Instant::now();
        let answer = upload(&writer, &boris, (&file, "x"));
        assert!(start.elapsed() < UPLOAD, "{name}: {:?}", start.elapsed());
        let text = answer.text();
        assert_eq!(answer.status, 422, "{name}: {text}");
        assert!(
            text.contains("role=\"alert\"") && text.contains(words),
            "{name}: {text}"
        );
    }
    let too_large = upload(&writer, &boris, (&vec![0x30; 6 * 1024 * 1024], "x"));
    assert_eq!(too_large.status, 413);
    assert_eq!(a_gigabyte(&world, &writer), 413);
    assert_eq!(mailbox(&writer, "boris")["state"], "inactive");
    // What is allowed at most: three at once, and the table beside them.
    let slow = pfx(
        vec![encrypted(pbes2(pbkdf2(&[0, 0x98, 0x96, 0x7f])))],
        vec![],
    );
    let busy: Vec<_> = (0..3)
        .map(|_| {
            let (who, slow, boris) = (writer.clone(), slow.clone(), boris.clone());
            std::thread::spawn(move || {
                let start = Instant::now();
                let answer = upload(&who, &boris, (&slow, "x"));
                (answer.status, start.elapsed())
            })
        })
        .collect();
    let mut times = Vec::new();
    while times.len() < 20 {
        let start = Instant::now();
        assert_eq!(writer.get(&api("mailboxes/counts")).status, 200);
        times.push(start.elapsed());
    }
    times.sort();
    assert!(times[10] < MEANWHILE, "{times:?}");
    for one in busy {
        let (status, time) = one.join().unwrap();
        assert!(status == 422 && time < UPLOAD, "{status} {time:?}");
    }
}

/// Says that a gigabyte comes, and sends as much of it as is taken.
fn a_gigabyte(world: &World, who: &Visitor) -> u16 {
    let at = format!(
        "/o/{ALPHA}/smime/mailboxes/{}/upload",
        quoted(&own("boris"))
    );
    let cookies = who.cookies.lock().unwrap().clone();
    let (name, secret) = cookies.iter().next().unwrap();
    let mut socket = TcpStream::connect(world.portal).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST {at} HTTP/1.1\r\nhost: {}\r\ncookie: {name}={secret}\r\ncontent-length: 1073741824\r\n\
         content-type: multipart/form-data; boundary=x\r\n\r\n--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n",
        world.portal
    );
    socket.write_all(head.as_bytes()).unwrap();
    let mut sent = 0_usize;
    while sent < 64 * 1024 * 1024 && socket.write_all(&[0; 65_536]).is_ok() {
        sent += 65_536;
    }
    let mut answer = [0; 12];
    match socket.read_exact(&mut answer) {
        Ok(()) => String::from_utf8_lossy(&answer[9..]).parse().unwrap(),
        // Cut off before the answer could be read: it was not taken either.
        Err(_) if sent < 64 * 1024 * 1024 => 413,
        Err(error) => panic!("{error}"),
    }
}

/// The files of MimeKit, and words of the reason why some are refused.
const MIMEKIT: [(&str, &str); 12] = [
    ("rsa", ""),
    ("ec", ""),
    ("nochain", ""),
    ("revoked", ""),
    ("revokednochain", ""),
    ("revokedsubca", ""),
    ("dsa", "of a kind that cannot be used here"),
    ("dnsnames", "not for this mailbox"),
    ("certificate-authority", ""),
    ("intermediate1", "not for this mailbox"),
    ("intermediate2", "not for this mailbox"),
    ("revoked-intermediate", "not for this mailbox"),
];

/// Row W5: files that people have are taken, old ones too, each by the mailbox that its certificate names.
#[test]
fn w5_the_files_of_the_corpus_import() {
    let (Some(mimekit), Some(rfc9216)) = (corpus("mimekit-pkcs12"), corpus("rfc9216")) else {
        return;
    };
    let Some(world) = World::running("portal-corpus") else {
        return;
    };
    let book = [
        "licence", "book", "--base", "40", "--smime", "40", "-o", ALPHA,
    ];
    assert!(world.gateway.command(&book).good);
    let operator = person("operator@operator.example").visits(&world);
    let server = json!({ "host": "127.0.0.1", "port": 25 });
    let route =
        json!({ "name": "corpus", "domains": ["mimekit.net", "smime.example"], "target": server });
    assert_eq!(call(&operator, "POST", "routes", &route).status, 200);
    let address = |name: &str| match name {
        "certificate-authority" => "root@mimekit.net".to_owned(),
        name => format!("{name}@mimekit.net"),
    };
    let smime_names = ["alice", "bob", "carlos", "dana"];
    let mut all: Vec<String> = MIMEKIT.iter().map(|(name, _)| address(name)).collect();
    all.extend(smime_names.map(|name| format!("{name}@smime.example")));
    let added = call(
        &operator,
        "POST",
        "routes/corpus/mailboxes",
        &json!({ "mailboxes": all }),
    );
    assert_eq!(added.json()["added"], all.len(), "{}", added.text());
    for (name, words) in MIMEKIT {
        let file = std::fs::read(mimekit.join(format!("{name}.pfx"))).unwrap();
        let answer = upload(&operator, &address(name), (&file, "no.secret"));
        let text = answer.text();
        // The key of an authority is read; whether its certificate may sign mail is another question.
        let is_authority = name == "certificate-authority";
        match words {
            "" if is_authority => assert!([303, 409].contains(&answer.status), "{name}: {text}"),
            "" => assert_eq!(answer.status, 303, "{name}: {text}"),
            words => assert!(
                answer.status == 422 && text.contains(words),
                "{name}: {text}"
            ),
        }
    }
    two_pairs(&operator, &rfc9216, smime_names);
}

/// A26: two pairs, one mailbox, one current key for each use.
fn two_pairs(operator: &Visitor, rfc9216: &Path, names: [&str; 4]) {
    for name in names {
        let file = std::fs::read(rfc9216.join(format!("{name}.p12"))).unwrap();
        let mailbox = format!("{name}@smime.example");
        let wrong = upload(operator, &mailbox, (&file, "wrong"));
        assert!(
            wrong.status == 422 && wrong.text().contains("does not open this file"),
            "{name}"
        );
        let answer = upload(operator, &mailbox, (&file, name));
        assert_eq!(answer.status, 303, "{name}: {}", answer.text());
        let detail = operator
            .get(&api(&format!("mailboxes/{}", quoted(&mailbox))))
            .json();
        let keys = detail["keys"].as_array().unwrap();
        let uses = |what: &str| keys.iter().filter(|key| key[what] == true).count();
        assert_eq!(
            (keys.len(), uses("signs"), uses("encrypts")),
            (2, 1, 1),
            "{detail}"
        );
    }
}

/// S20 to S22: routes and their mailboxes; row W6: what is exported computes nothing.
#[test]
fn s20_to_s22_routes_lists_and_exports() {
    let Some(world) = World::running("portal-inbound") else {
        return;
    };
    let writer = person("writer@zqalpha.example").visits(&world);
    let operator = person("operator@operator.example").visits(&world);
    let inbound = format!("/o/{ALPHA}/inbound");
    a_new_route(&writer, &operator, &inbound);
    lists_come_in_and_go_out(&world, &writer, &format!("{inbound}/routes/branch"));
    a_route_loses_a_domain_and_goes(&world, &writer, &format!("{inbound}/routes/branch"));
    ways_out(&writer, &inbound);
}

const NEW_ROUTE: [(&str, &str); 5] = [
    ("name", "branch"),
    ("domains", "branch.example\nb\u{fc}ro.example"),
    ("host", "mail.branch.example"),
    ("tls", "required"),
    ("wildcard", "true"),
];

fn a_new_route(writer: &Visitor, operator: &Visitor, inbound: &str) {
    let new = format!("{inbound}/new");
    // Somebody else's domain: who shares the installation has to show that it is his.
    let asked = writer.post(&new, &new, &NEW_ROUTE);
    assert_eq!(asked.status, 409, "{}", asked.text());
    let record = format!("_sealgate.branch.example. TXT &#34;organisation={ALPHA}&#34;");
    assert!(asked.text().contains(&record), "{}", asked.text());
    assert_eq!(operator.post(&new, &new, &NEW_ROUTE).status, 303);
    for (field, value) in [
        ("name", ""),
        ("domains", "a@b"),
        ("host", "http://x/"),
        ("port", "0"),
    ] {
        let values = NEW_ROUTE.map(|(name, own)| match name {
            _ if name == field => (name, value),
            "name" => (name, "other"),
            _ => (name, own),
        });
        let mut values = values.to_vec();
        if field == "port" {
            values.push((field, value));
        }
        let wrong = operator.post(&new, &new, &values);
        assert_eq!(wrong.status, 422, "{field}: {}", wrong.text());
        assert!(
            wrong.text().contains("class=\"wrong\""),
            "{field}: {}",
            wrong.text()
        );
    }
    let page = writer.get(inbound).text();
    for text in ["mail.branch.example:25, only with TLS", "b\u{fc}ro.example"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    // S22.
    let route = writer.get(&format!("{inbound}/routes/branch")).text();
    assert!(
        route.contains("Only mailboxes entered here are displayed"),
        "{route}"
    );
    assert!(route.contains("Does not point here"), "{route}");
}

fn lists_come_in_and_go_out(world: &World, who: &Visitor, at: &str) {
    let import = format!("{at}/import");
    let csrf = who.csrf(at);
    let send = |name: &str, list: &str| {
        let values: [(&str, &[u8]); 2] = [("csrf", csrf.as_bytes()), (name, list.as_bytes())];
        who.ask(&Request::new("POST", &import).upload(&values))
    };
    let list = "address\nx@branch.example\nX@branch.example\nnobody\ny@b\u{fc}ro.example\nz@elsewhere.example\n=1+1@branch.example\n+2@branch.example\n-3@branch.example\n";
    let preview = send("file", list).text();
    for text in [
        "Enter 5 mailboxes",
        "<td class=\"num\">3</td>",
        "stands further up already",
        "<td class=\"num\">4</td>",
        "This is no address",
        "<td class=\"num\">6</td>",
        "does not belong to this route",
    ] {
        assert!(preview.contains(text), "{text}: {preview}");
    }
    // Nothing was written yet.
    let known = || {
        who.get(&api("mailboxes?route=branch")).json()["items"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(known(), 0);
    let done = send(
        "list",
        "address\nx@branch.example\ny@b\u{fc}ro.example\n'=1+1@branch.example\n'+2@branch.example\n'-3@branch.example\n",
    );
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(known(), 5);
    assert!(who.get(at).text().contains("5 mailboxes are entered."));
    let again = send("file", list).text();
    assert!(
        again.contains("There is no new mailbox in this list"),
        "{again}"
    );
    // W6.
    let export = who.get(&format!("{at}/mailboxes.csv"));
    assert_eq!(
        export.field("content-disposition"),
        Some("attachment; filename=\"mailboxes-branch.csv\"")
    );
    let text = export.text();
    assert_eq!(text.lines().count(), 6, "{text}");
    for cell in text.lines().flat_map(|line| line.split(',')) {
        assert!(
            !cell
                .trim_start_matches('"')
                .starts_with(['=', '+', '-', '@', '\t']),
            "{text}"
        );
    }
    assert!(
        text.contains("'=1+1@branch.example,'=1+1,branch.example,inactive,,"),
        "{text}"
    );
    long_lists(who, &send, &csrf, &import);
    until_live(&world.gateway);
    more_than_a_request_can_wait_for(who);
    until_live(&world.gateway);
    single_ones(world, who, at);
}

fn long_lists(who: &Visitor, send: &dyn Fn(&str, &str) -> Answer, csrf: &str, import: &str) {
    let list_of = |octets: &[u8]| {
        let values: [(&str, &[u8]); 2] = [("csrf", csrf.as_bytes()), ("file", octets)];
        who.ask(&Request::new("POST", import).upload(&values))
            .status
    };
    // A list that is none, and one that is too long.
    assert_eq!(list_of(b"PK\x03\x04\xff\x00"), 422);
    assert_eq!(
        send("file", &"x@branch.example\n".repeat(50_001)).status,
        422
    );
    // Fifty thousand lines are looked at, and entered, at once: one by one they would take many minutes.
    let start = Instant::now();
    let many: String = (0..50_000)
        .map(|at| format!("m{at}@branch.example\n"))
        .collect();
    assert!(
        send("file", &many)
            .text()
            .contains("Enter 50,000 mailboxes")
    );
    assert_eq!(send("list", &many).status, 303);
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    let counts = who.get(&api("mailboxes/counts")).json();
    assert_eq!(counts["known"], 50_011, "{counts}");
}

/// S38, A14: so many are ordered in the background, as far as the licences go; the others are named.
fn more_than_a_request_can_wait_for(who: &Visitor) {
    let free = who.get(&api("mailboxes/counts")).json()["free"].clone();
    let order = json!({
        "chosen": { "filter": { "search": "m12" } },
        "with": { "authority": format!("{ALPHA}-hand"), "key": "p-256" },
    });
    let begun = call(who, "POST", "mailboxes/activate", &order).json();
    assert_eq!(begun["goes_on"]["all"], 1_111, "{begun}");
    let until = Instant::now() + PATIENCE;
    let told = loop {
        let told = who.get(&api("mailboxes/bulk-work")).json()["items"][0].clone();
        if told["ended"].is_string() || Instant::now() > until {
            break told;
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    let free = free.as_u64().unwrap();
    assert_eq!(
        (&told["done"], &told["refused"]),
        (&json!(1_111), &json!(1_111 - free)),
        "{told}"
    );
    assert!(
        told["batch"].is_i64() && told["broken_off"] == false,
        "{told}"
    );
    assert!(
        told["reasons"][0]["why"]
            .as_str()
            .unwrap()
            .contains("licence"),
        "{told}"
    );
    let page = who.get(&format!("/o/{ALPHA}/smime/mailboxes")).text();
    assert!(
        page.contains("Certificates are ordered: 1,111 of 1,111")
            && page.contains("certificates/batches/"),
        "{page}"
    );
}

fn single_ones(world: &World, who: &Visitor, at: &str) {
    // One mailbox, and one of another domain.
    let add = |addresses: &str| {
        who.post(&format!("{at}/mailboxes"), at, &[("addresses", addresses)])
            .status
    };
    assert_eq!(add("one@branch.example, two@branch.example"), 303);
    assert_eq!(add("one@elsewhere.example"), 422);
    until_live(&world.gateway);
    let remove = format!("{at}/mailboxes/remove");
    let asked = who
        .post(&remove, at, &[("mailbox", "one@branch.example")])
        .text();
    assert!(
        asked.contains("Remove 1 mailbox, revoke its certificate"),
        "{asked}"
    );
    let values = [("mailbox", "one@branch.example"), ("confirmed", "true")];
    assert_eq!(who.post(&remove, at, &values).status, 303);
    until_live(&world.gateway);
    assert_eq!(who.get(&api("mailboxes/one%40branch.example")).status, 404);
}

fn a_route_loses_a_domain_and_goes(world: &World, who: &Visitor, at: &str) {
    let edit = format!("{at}/edit");
    let values = [
        ("domains", "branch.example"),
        ("host", "mail.branch.example"),
        ("tls", "verified"),
    ];
    let asked = who.post(&edit, &edit, &values);
    assert!(
        asked
            .text()
            .contains("Take the domains away, remove 1 mailbox"),
        "{}",
        asked.text()
    );
    let confirmed = [values.as_slice(), &[("confirmed", "1")]].concat();
    assert_eq!(who.post(&edit, &edit, &confirmed).status, 303);
    until_live(&world.gateway);
    let route = who.get(&api("routes/branch")).json();
    assert_eq!(
        (&route["domains"], &route["wildcard"]),
        (&json!(["branch.example"]), &json!(false)),
        "{route}"
    );
    let asked = who.post(&format!("{at}/delete"), at, &[]).text();
    assert!(
        asked.contains("remove 50005 mailboxes") || asked.contains("remove 50,005 mailboxes"),
        "{asked}"
    );
    // So many go in the background; the request does not wait.
    assert_eq!(
        who.post(&format!("{at}/delete"), at, &[("confirmed", "true")])
            .status,
        303
    );
    let progress = who.get(&api("mailboxes/bulk-work")).json()["items"][0].clone();
    assert_eq!(
        (&progress["kind"], &progress["all"]),
        (&json!("removal"), &json!(50_005)),
        "{progress}"
    );
    assert!(progress["ended"].is_null(), "{progress}");
    assert!(progress["done"].as_u64() < Some(50_005), "{progress}");
    let until = Instant::now() + 3 * PATIENCE;
    while who.get(&api("routes/branch")).status != 404 {
        assert!(
            Instant::now() < until,
            "{}",
            who.get(&api("mailboxes/bulk-work")).text()
        );
        std::thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(who.get(&api("mailboxes/counts")).json()["known"], 6);
}

fn ways_out(who: &Visitor, inbound: &str) {
    let values = [
        ("host", "smart.example"),
        ("port", "587"),
        ("tls", "verified"),
        ("user", "us"),
        ("password", "marker-password"),
    ];
    assert_eq!(
        who.post(&format!("{inbound}/smarthost"), inbound, &values)
            .status,
        303
    );
    let page = who.get(inbound).text();
    assert!(
        page.contains("smart.example:587") && page.contains("signed in as us"),
        "{page}"
    );
    let out = who.get(&api("outbound"));
    assert!(!page.contains("marker-password") && !out.text().contains("marker-password"));
    assert_eq!(out.json()["smarthost"]["port"], 587);
    let values = [
        ("domain", "far.example"),
        ("host", "mx.far.example"),
        ("tls", "required"),
    ];
    assert_eq!(
        who.post(&format!("{inbound}/destinations"), inbound, &values)
            .status,
        303
    );
    assert_eq!(
        who.get(&api("outbound")).json()["destinations"]["far.example"]["tls"],
        "required"
    );
    let values = [("domain", "far.example")];
    assert_eq!(
        who.post(&format!("{inbound}/destinations/delete"), inbound, &values)
            .status,
        303
    );
    assert!(who.get(&api("outbound")).json()["destinations"]["far.example"].is_null());
}

/// Sending clients: secrets are told once, and count at once.
#[test]
fn sending_clients_are_made_used_and_removed() {
    let Some(world) = World::running("portal-clients") else {
        return;
    };
    let admin = person("admin@zqalpha.example").visits(&world);
    let writer = person("writer@zqalpha.example").visits(&world);
    let clients = format!("/o/{ALPHA}/clients");
    assert_eq!(writer.get(&clients).status, 403);
    let new = format!("{clients}/new");
    let values = [
        ("name", "printer"),
        ("by", "password"),
        ("may_send_as", "boris@zqalpha.example"),
    ];
    let made = admin.post(&new, &new, &values);
    assert_eq!(made.status, 200, "{}", made.text());
    let secret = told(&made.text());
    assert!(secret.len() >= 32, "{secret}");
    for place in [
        clients.clone(),
        format!("{clients}/printer"),
        api("clients"),
        api("clients/printer"),
    ] {
        let shown = admin.get(&place);
        assert!(
            shown.status == 200 && !shown.text().contains(&secret),
            "{place}"
        );
        assert!(!shown.text().contains("argon2"), "{place}");
    }
    let send = |from: &str, secret: &str| {
        let content = plain(&own(from), "somebody@elsewhere.example", "x", "text");
        let own = own(from);
        let mut sending = Sending::new(
            world.gateway.outbound,
            &own,
            &["somebody@elsewhere.example"],
            &content,
        );
        sending.starttls = true;
        // Where several organisations share the installation, theirs stands in the user name.
        let user = format!("printer.{ALPHA}");
        sending.auth = Some((user, secret.to_owned()));
        smtplib(&sending).reply.code
    };
    assert_eq!(send("boris", &secret), 250);
    assert_eq!(send("dora", &secret), 553);
    // Its rights.
    let at = format!("{clients}/printer");
    assert_eq!(
        admin
            .post(&at, &at, &[("may_send_as", "zqalpha.example")])
            .status,
        303
    );
    assert_eq!(send("dora", &secret), 250);
    // A new secret ends the former one.
    let renewed = told(&admin.post(&format!("{at}/secret"), &at, &[]).text());
    assert_ne!(renewed, secret);
    assert_eq!(send("dora", &secret), 535);
    assert_eq!(send("dora", &renewed), 250);
    // It goes.
    let asked = admin.post(&format!("{at}/delete"), &at, &[]).text();
    assert!(asked.contains("Delete client printer"), "{asked}");
    assert_eq!(
        admin
            .post(&format!("{at}/delete"), &at, &[("confirmed", "true")])
            .status,
        303
    );
    assert_eq!(send("dora", &renewed), 535);
    let operator = person("operator@operator.example").visits(&world);
    refused_clients(&admin, &operator, &new);
}

fn told(page: &str) -> String {
    let secret = page.split("id=\"client-secret\">").nth(1);
    let secret = secret.unwrap_or_else(|| panic!("no secret: {page}"));
    secret.split('<').next().unwrap().to_owned()
}

fn refused_clients(admin: &Visitor, operator: &Visitor, new: &str) {
    let table: &[(&[(&str, &str)], u16)] = &[
        // A network alone would make the mail of others ours.
        (
            &[
                ("name", "n"),
                ("by", "network"),
                ("networks", "192.0.2.0/24"),
            ],
            409,
        ),
        (
            &[
                ("name", "n"),
                ("by", "connector"),
                ("networks", "0.0.0.0/0"),
            ],
            422,
        ),
        (
            &[("name", "n"), ("by", "connector"), ("networks", "nowhere")],
            422,
        ),
        (&[("name", "n"), ("by", "connector"), ("networks", "")], 422),
        (
            &[("name", "n"), ("by", "certificate"), ("certificate", "00")],
            422,
        ),
        (&[("name", "n"), ("by", "nothing")], 422),
        (&[("name", "two words"), ("by", "password")], 422),
        (&[("name", "zqalpha-mail"), ("by", "password")], 422),
        // The other organisation has one of that name: nobody learns that here.
        (&[("name", "zqbeta-mail"), ("by", "password")], 200),
        (
            &[("name", "n"), ("by", "password"), ("may_send_as", "@@")],
            422,
        ),
    ];
    for (values, status) in table {
        let answer = admin.post(new, new, values);
        assert_eq!(answer.status, *status, "{values:?}: {}", answer.text());
    }
    let made = admin.post(
        new,
        new,
        &[
            ("name", "shared"),
            ("by", "connector"),
            ("networks", "192.0.2.7"),
        ],
    );
    assert!(told(&made.text()).len() >= 32);
    // A certificate is no secret: whoever named that of another one's mail server would get its mail.
    let digits = "AB:".repeat(31).add("ab");
    let pinned = [
        ("name", "pinned"),
        ("by", "certificate"),
        ("certificate", digits.as_str()),
    ];
    assert_eq!(admin.post(new, new, &pinned).status, 409);
    let made = operator.post(new, new, &pinned);
    assert_eq!(made.status, 303, "{}", made.text());
}
