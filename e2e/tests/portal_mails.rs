//! The mail overview (S89, S90), why each mail became what it is, new lines as they come, the overview, and held mail (row W13).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use e2e::keys::Identity;
use e2e::mime::{entity, with_entity};
use e2e::openssl::{self, Writing};
use e2e::place::PATIENCE;
use e2e::portal::database;
use e2e::portal::http::{Answer, Request, Visitor};
use e2e::portal::people::{person, settle};
use e2e::portal::world::{ALPHA, World, plain};
use e2e::scene::send;
use e2e::sink::Behaviour;
use serde_json::{Value, json};

/// How long something may take on a busy machine.
const WAIT: Duration = PATIENCE;

fn world(name: &str) -> Option<World> {
    let mut world = World::configured(name)?;
    settle(&world);
    world.gateway.start();
    Some(world)
}

fn visits(world: &World, name: &str) -> Visitor {
    person(name).visits(world)
}

fn call(visitor: &Visitor, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let path = format!("/api/v1/organisations/{ALPHA}{path}");
    let request = Request::new(method, &path);
    visitor.ask(&match body {
        Some(body) => request.json(body),
        None => request,
    })
}

fn got(visitor: &Visitor, path: &str) -> Value {
    let answer = call(visitor, "GET", path, None);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

fn items(visitor: &Visitor, path: &str) -> Vec<Value> {
    got(visitor, path)["items"].as_array().unwrap().clone()
}

/// What `find` finds, as soon as it finds something.
fn soon<T>(mut find: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + WAIT;
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < end, "it did not come");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn encrypted(mail: &[u8], to: &Identity) -> Vec<u8> {
    let certificate = to.certificate.as_path();
    let sealed = openssl::encrypt(&entity(mail), &[certificate], "aes-256-cbc", Writing::Der);
    with_entity(mail, &sealed)
}

/// The first sentence of each outcome of the matrix (requirements.md section 9), by mode; mails in the order of `matrix_of`.
const SENTENCES: [(&str, &str, [&str; 7]); 4] = [
    (
        "do-not-decrypt",
        "neither",
        [
            "Delivered as it came: the mail was not encrypted.",
            "Delivered still encrypted: rule 1 asks for “Do not decrypt”.",
            "Delivered still encrypted: rule 1 asks for “Do not decrypt”.",
            "Neither signed nor encrypted: rule 1 asks for “Neither sign nor encrypt”.",
            "Neither signed nor encrypted: rule 1 asks for “Neither sign nor encrypt”.",
            "Neither signed nor encrypted: rule 1 asks for “Neither sign nor encrypt”.",
            "Neither signed nor encrypted: rule 1 asks for “Neither sign nor encrypt”.",
        ],
    ),
    (
        "optional",
        "sign-only",
        [
            "Delivered as it came: the mail was not encrypted.",
            "Decrypted and delivered.",
            "Delivered still encrypted: it was not encrypted to a key that ANNA has here.",
            "Signed, not encrypted: rule 1 asks for “Sign only”.",
            "Signed, not encrypted: rule 1 asks for “Sign only”.",
            "Neither signed nor encrypted: BORIS has no valid certificate.",
            "Neither signed nor encrypted: BORIS has no valid certificate.",
        ],
    ),
    (
        "always",
        "optional",
        [
            "Delivered as it came: the mail was not encrypted.",
            "Decrypted and delivered.",
            "Refused: rule 1 asks for “Always decrypt encrypted mail”, and the mail was not encrypted to a key that ANNA has here.",
            "Signed and encrypted.",
            "Signed, not encrypted: no public key of NOBODY is known.",
            "Neither signed nor encrypted: BORIS has no valid certificate.",
            "Neither signed nor encrypted: BORIS has no valid certificate.",
        ],
    ),
    (
        "enforce",
        "enforce",
        [
            "Refused: the mail was not encrypted, and rule 1 asks for “Enforce decryption”.",
            "Decrypted and delivered.",
            "Refused: rule 1 asks for “Enforce decryption”, and the mail was not encrypted to a key that ANNA has here.",
            "Signed and encrypted.",
            "Not sent: rule 1 asks for “Enforce encryption”, and no public key of NOBODY is known.",
            "Not sent: rule 1 asks for “Enforce encryption”, and BORIS has no valid certificate.",
            "Not sent: rule 1 asks for “Enforce encryption”, BORIS has no valid certificate, and no public key of NOBODY is known.",
        ],
    ),
];

/// Inbound: plain, key present, no key. Outbound: certificate and key, no key, no certificate, neither.
fn matrix_of(world: &World, mode: &str) -> Vec<String> {
    let of = &world.alpha;
    let (anna, boris, carol) = (of.own("anna"), of.own("boris"), of.theirs("carol"));
    let nobody = of.theirs("nobody");
    let mail = |from: &str, to: &str, what: &str| plain(from, to, &format!("{mode} {what}"), "x");
    let inbound = |what: &str| mail(&carol, &anna, what);
    for content in [
        inbound("plain"),
        encrypted(&inbound("key"), &of.anna),
        encrypted(&inbound("no key"), &of.carol),
    ] {
        send(world.gateway.inbound, &carol, &[&anna], &content);
    }
    for (from, to, what) in [
        (&anna, &carol, "both"),
        (&anna, &nobody, "no key out"),
        (&boris, &carol, "no certificate"),
        (&boris, &nobody, "neither"),
    ] {
        world.send_out(of, from, to, &mail(from, to, what));
    }
    let id = |what: &str, to: &str| {
        let subject = format!("{mode} {what}");
        let dotted = subject.replace(|c: char| !c.is_ascii_alphanumeric(), ".");
        format!("<{dotted}.{to}>")
    };
    vec![
        id("plain", &anna),
        id("key", &anna),
        id("no key", &anna),
        id("both", &carol),
        id("no key out", &nobody),
        id("no certificate", &carol),
        id("neither", &nobody),
    ]
}

#[test]
fn every_outcome_of_the_matrix_is_explained() {
    let Some(world) = world("portal-mails-matrix") else {
        return;
    };
    let (writer, german) = (
        visits(&world, "writer@zqalpha.example"),
        visits(&world, "verwalter@zqalpha.example"),
    );
    let script = visits(&world, "zqalpha-admin");
    let of = &world.alpha;
    for (inbound, outbound, sentences) in SENTENCES {
        let rule = json!({ "managed": "all", "external": "all", "inbound": inbound, "outbound": outbound });
        let made = call(&script, "POST", "/rules", Some(&rule));
        assert_eq!(made.status, 201, "{}", made.text());
        let ids = matrix_of(&world, outbound);
        world.gateway.drained();
        for (id, sentence) in ids.iter().zip(sentences) {
            let wanted = sentence
                .replace("ANNA", &of.own("anna"))
                .replace("BORIS", &of.own("boris"))
                .replace("NOBODY", &of.theirs("nobody"));
            let found = items(&script, &format!("/mails?message_id={}", encoded(id)));
            assert_eq!(found.len(), 1, "{id}: {found:?}");
            let mail = found[0]["mail"].as_str().unwrap();
            let detail = got(&script, &format!("/mails/{mail}"));
            let recipient = &detail["recipients"][0];
            assert_eq!(recipient["why"]["en"], wanted, "{inbound}/{outbound} {id}");
            // The page says it first, with the rule, in the language of whoever looks.
            let page = writer.get(&format!("/o/{ALPHA}/mails/{mail}")).text();
            assert!(page.contains(&wanted), "{wanted}: {page}");
            assert!(page.contains("rule 1: "), "{page}");
            let page = german.get(&format!("/o/{ALPHA}/mails/{mail}")).text();
            let wanted = recipient["why"]["de"].as_str().unwrap();
            assert!(page.contains(wanted), "{wanted}: {page}");
            assert!(page.contains("Regel 1: "), "{page}");
        }
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02x}")).collect()
}

#[test]
fn filters_export_and_overview() {
    let Some(world) = World::running("portal-mails-filters") else {
        return;
    };
    let reader = visits(&world, "reader@zqalpha.example");
    let all = items(&reader, "/mails");
    assert!(all.len() >= 9, "{all:?}");
    let is = |field: &str, word: &str| {
        let own = all.iter().filter(|mail| mail[field] == word);
        own.count()
    };
    for (query, expected) in [
        ("status=signed", is("status", "signed")),
        ("status=decrypted", is("status", "decrypted")),
        ("status=failed", is("status", "failed")),
        ("status=signed-encrypted", is("status", "signed-encrypted")),
        ("direction=outbound", is("direction", "outbound")),
        ("direction=inbound&delivery=held", is("delivery", "held")),
        (
            "party=anna%40zqalpha.example",
            all.iter()
                .filter(|mail| mail.to_string().contains("anna@"))
                .count(),
        ),
        ("party=zqalpha-world.example", 1),
        ("from=2020-01-01&until=2020-12-31", 0),
        ("from=2020-01-01", all.len()),
        ("status=&party=&from=", all.len()),
    ] {
        let found = items(&reader, &format!("/mails?{query}"));
        assert_eq!(found.len(), expected, "{query}: {found:?}");
        let page = reader.get(&format!("/o/{ALPHA}/mails?{query}"));
        assert_eq!(page.status, 200, "{query}");
        assert_eq!(
            page.text().matches("id=\"line-").count(),
            expected,
            "{query}"
        );
    }
    for (query, field) in [
        ("from=yesterday", "from"),
        ("until=2026-99-99", "until"),
        ("after=x", "after"),
    ] {
        let refused = call(&reader, "GET", &format!("/mails?{query}"), None);
        assert_eq!(
            (refused.status, &refused.json()["field"]),
            (422, &json!(field)),
            "{query}"
        );
    }
    page_after_page(&reader, &all);
    let outbound = is("direction", "outbound");
    exported_and_overview(&world, &reader, (all.len(), outbound));
}

/// Each line once.
fn page_after_page(reader: &Visitor, all: &[Value]) {
    let (mut lines, mut next) = (Vec::new(), String::new());
    loop {
        let page = got(reader, &format!("/mails?limit=2{next}"));
        lines.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|mail| mail["line"].clone()),
        );
        match page["next"].as_str() {
            Some(after) => next = format!("&after={after}"),
            None => break,
        }
    }
    let whole: Vec<Value> = all.iter().map(|mail| mail["line"].clone()).collect();
    assert_eq!(lines, whole);
}

fn exported_and_overview(world: &World, reader: &Visitor, (all, outbound): (usize, usize)) {
    let csv = reader.get(&format!("/o/{ALPHA}/mails/export?direction=outbound"));
    assert_eq!(
        csv.field("content-disposition"),
        Some("attachment; filename=\"mails.csv\"")
    );
    assert_eq!(csv.text().lines().count(), 1 + outbound);
    // The overview tells what needs attention, and where it is solved; German words for whoever wants them.
    let page = visits(world, "verwalter@zqalpha.example")
        .get(&format!("/o/{ALPHA}"))
        .text();
    for text in [
        "Was Aufmerksamkeit braucht",
        "mails?status=failed",
        &format!("/o/{ALPHA}/held"),
        "<svg viewBox",
        "<title>",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("style="), "{page}");
    let counts = got(reader, "/statistics/mails?span=day");
    let counted: u64 = counts
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|hour| hour["counts"].as_array().unwrap().clone())
        .map(|count| count["mails"].as_u64().unwrap())
        .sum();
    assert_eq!(counted, all as u64);
    let empty = visits(world, "operator@operator.example")
        .get("/o/zqempty")
        .text();
    assert!(
        empty.contains("First steps") && empty.contains("/o/zqempty/inbound"),
        "{empty}"
    );
}

/// A stream that stays open, read in the background.
struct Stream(TcpStream);

impl Stream {
    fn open(visitor: &Visitor, path: &str) -> Self {
        let mut socket = TcpStream::connect(visitor.address).unwrap();
        let cookies = visitor.cookies.lock().unwrap();
        let cookies: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let known = match &visitor.token {
            Some(token) => format!("authorization: Bearer {token}"),
            None => format!("cookie: {}", cookies.join("; ")),
        };
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{known}\r\n\r\n",
            visitor.address,
        );
        socket.write_all(head.as_bytes()).unwrap();
        Self(socket)
    }

    /// Reads until `text` has come; false if it does not within `limit` or the stream ends.
    fn sees(&mut self, text: &str, limit: Duration) -> bool {
        let (mut seen, end) = (Vec::new(), Instant::now() + limit);
        while let Some(left) = end
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
        {
            self.0.set_read_timeout(Some(left)).unwrap();
            let mut block = [0; 4096];
            match self.0.read(&mut block) {
                Ok(0) | Err(_) => return false,
                Ok(read) => seen.extend_from_slice(&block[..read]),
            }
            if String::from_utf8_lossy(&seen).contains(text) {
                return true;
            }
        }
        false
    }

    /// Whether it ends within `limit`.
    fn ends(&mut self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        let mut block = [0; 4096];
        while Instant::now() < end {
            self.0
                .set_read_timeout(Some(Duration::from_millis(500)))
                .unwrap();
            if matches!(self.0.read(&mut block), Ok(0)) {
                return true;
            }
        }
        false
    }
}

#[test]
fn new_mails_are_told_as_they_come() {
    let Some(world) = world("portal-mails-live") else {
        return;
    };
    let of = &world.alpha;
    let reader = visits(&world, "reader@zqalpha.example");
    let (anna, carol) = (of.own("anna"), of.theirs("carol"));
    let live = format!("/o/{ALPHA}/mails/live");
    let mail = |from: &str| {
        let content = plain(from, &anna, "live", "x");
        send(world.gateway.inbound, from, &[&anna], &content);
    };
    // What came after the page was made and before it opened its stream is told first, also if nothing changes any more.
    mail(&carol);
    world.gateway.drained();
    assert!(Stream::open(&reader, &live).sees("data: <tr id=\"line-", WAIT));
    let mut all = Stream::open(&reader, &live);
    let mut failed = Stream::open(&reader, &format!("{live}?status=failed"));
    let script = visits(&world, "zqalpha-admin");
    let mut by_token = Stream::open(&script, &live);
    for stream in [&mut all, &mut by_token] {
        assert!(stream.sees("data: <tr id=\"line-", WAIT));
    }
    mail("one@live.example");
    assert!(all.sees("one@<wbr>live.example", WAIT));
    assert!(!failed.sees("<tr", Duration::from_secs(2)));
    // A script's token is asked about again as a session is: it sees also what comes after that.
    assert!(by_token.sees("one@<wbr>live.example", WAIT));
    std::thread::sleep(Duration::from_secs(4));
    mail("two@live.example");
    assert!(by_token.sees("two@<wbr>live.example", WAIT));
    // Nobody without a session, no other organisation's reader.
    let foreign = visits(&world, "writer@zqbeta.example").get(&live);
    assert_eq!(foreign.status, 404);
    assert!(Visitor::new(world.portal).get(&live).is_to_login());
    // It ends with the session.
    reader.post("/logout", &format!("/o/{ALPHA}/mails"), &[]);
    assert!(all.ends(WAIT));
}

/// Lines of one mail, as many as are asked for of each kind, older than all others. The newest of those that were signed are also
/// found by anna's address.
fn many_lines(world: &World, (plain, signed): (u32, u32)) {
    let anna = world.alpha.own("anna");
    let number = database::run(
        &world.gateway,
        &json!([["SELECT id FROM organisations WHERE name = ?", [ALPHA]]]),
    )[0][0][0]
        .clone();
    let line = "WITH RECURSIVE n (i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO lines (id, mail, organisation, direction, at, recipient, mailbox, status, trace, delivery, delivery_at)
         SELECT i, 1, ?, ?, 1577836800, 'x@partner.example', 'x', ?, '{}', 'delivered', 1577836800 FROM n";
    let word = "WITH RECURSIVE n (i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO line_words (organisation, word, line) SELECT ?, ?, i FROM n";
    let mail = "INSERT INTO mails (id, organisation, direction, at, size, handed_in_by, sender_proven, version, accepted)
         VALUES (1, ?, 'inbound', 1577836800, 1, 'x', 0, 1, 1)";
    let all = plain + signed;
    database::run(
        &world.gateway,
        &json!([
            [mail, [number]],
            [line, [1, plain, number, "inbound", "plain"]],
            [line, [plain + 1, all, number, "outbound", "signed"]],
            [word, [all - 11_000, all, number, anna]],
        ]),
    );
}

/// Nothing is cut without a word: a table is sent whole, and a search says how far back it looked.
#[test]
fn large_answers_are_whole_or_say_how_far() {
    let Some(world) = world("portal-mails-large") else {
        return;
    };
    many_lines(&world, (50_100, 21_000));
    let reader = visits(&world, "reader@zqalpha.example");
    let csv = reader.get(&format!("/o/{ALPHA}/mails/export?status=signed"));
    assert_eq!(csv.status, 200);
    assert_eq!(csv.text().lines().count(), 1 + 21_000);

    let anna = world.alpha.own("anna").replace('@', "%40");
    let query = format!("party={anna}&status=plain");
    let first = got(&reader, &format!("/mails?{query}"));
    assert_eq!(first["items"], json!([]));
    assert_eq!(first["searched_to"], "2020-01-01T00:00:00Z");
    let page = reader.get(&format!("/o/{ALPHA}/mails?{query}")).text();
    assert!(
        page.contains("Searched back to") && page.contains("rel=\"next\""),
        "{page}"
    );
    let next = first["next"].as_str().unwrap();
    let last = got(&reader, &format!("/mails?{query}&after={next}"));
    assert_eq!(
        (&last["next"], &last["searched_to"]),
        (&Value::Null, &Value::Null)
    );
    told_on_its_page(&world, &reader);
    share_of_one(&reader);
}

/// What was done is told on its page; other pages, files, streams and questions of the script on the way do not swallow it.
fn told_on_its_page(world: &World, reader: &Visitor) {
    let notice = json!({ "key": "held-released", "values": [["count", 1]], "refused": [] });
    let own = format!("/o/{ALPHA}");
    let page = format!("{own}/mails");
    let leave = "UPDATE sessions SET notice = ?, notice_path = ?";
    database::run(
        &world.gateway,
        &json!([[leave, [notice.to_string(), page]]]),
    );
    for other in [
        "mails/export?status=failed",
        "smime/keys.csv",
        "smime/rules/check?name=managed&value=x",
        "held",
    ] {
        let answer = reader.get(&format!("{own}/{other}"));
        assert_eq!(answer.status, 200, "{other}");
        assert!(!answer.text().contains("One mail is released"), "{other}");
    }
    let mut live = Stream::open(reader, &format!("{page}/live"));
    assert!(live.sees("text/event-stream", WAIT));
    let refresh = Request::new("GET", &page).field("x-refresh", "1");
    let told = |answer: Answer| answer.text().contains("One mail is released");
    assert!(!told(reader.ask(&refresh)));
    assert!(told(reader.get(&page)));
    assert!(!told(reader.get(&page)));
}

/// One reader has so many at a time; whoever goes away gives the place back.
fn share_of_one(reader: &Visitor) {
    let live = format!("/o/{ALPHA}/mails/live");
    let mut open: Vec<Stream> = (0..6).map(|_| Stream::open(reader, &live)).collect();
    assert!(
        open.iter_mut()
            .take(5)
            .all(|one| one.sees("text/event-stream", WAIT))
    );
    soon(|| (reader.get(&live).status == 429).then_some(()));
    drop(open);
    soon(|| {
        let mut one = Stream::open(reader, &live);
        one.sees("text/event-stream", Duration::from_secs(1))
            .then_some(())
    });
}

/// A mail with everything in it that must not work in a browser.
fn hostile(from: &str, to: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: =?utf-8?q?=3Cimg_src=3Dx_onerror=3Dalert=281=29=3E=E2=80=AEgpj?=\r\n\
         Message-ID: <hostile@x.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/html\r\n\r\n<p>Words to read<img src=\"http://evil.example/p.png\" onerror=\"alert(1)\">\
         <script>alert(2)</script><style>@import url(http://evil.example/s.css)</style>\
         <svg onload=alert(3)><a href=\"javascript:alert(4)\">link</a></svg><iframe src=\"http://evil.example/\"></iframe>\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\n</pre><script>alert(5)</script>{{{{ view.csrf }}}}\r\n\
         --b\r\nContent-Type: image/svg+xml; name=\"a\\\"b.svg\"\r\n\r\n<svg onload=alert(6)/>\r\n\
         --b\r\nContent-Type: image/png; name=\"in.png\"\r\nContent-Disposition: inline\r\nContent-ID: <i>\r\n\r\nx\r\n\
         --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename*=utf-8''..%2F..%2Fetc%2Fpasswd%0d%0aX-Evil:%20y%E2%80%AEfdp.exe\r\n\r\nx\r\n--b--\r\n"
    )
    .into_bytes()
}

/// Row W13: held mail is text only, and a download is a file with a name of our own.
#[test]
fn w13_held_mail_is_text_only() {
    let Some(world) = world("portal-mails-held") else {
        return;
    };
    let of = &world.alpha;
    let (boris, carol) = (of.own("boris"), of.theirs("carol"));
    let refusal = (boris.clone(), "550 5.7.1 not today".to_owned());
    world.office.behave(Behaviour {
        recipients: vec![refusal],
        ..Behaviour::default()
    });
    let content = hostile(&carol, &boris);
    assert_eq!(
        send(world.gateway.inbound, &carol, &[&boris], &content).code,
        250
    );
    let (writer, script) = (
        visits(&world, "writer@zqalpha.example"),
        visits(&world, "zqalpha-admin"),
    );
    let held = soon(|| items(&script, "/queue?held=true").first().cloned());
    assert_eq!(held["recipients"][0]["note"], "sender-not-proven");
    let mail = held["mail"].as_str().unwrap();
    let list = writer.get(&format!("/o/{ALPHA}/held")).text();
    assert!(
        list.contains("its sender is not proven") && list.contains(&carol),
        "{list}"
    );
    let own = format!("/o/{ALPHA}/held/{mail}");
    let page = writer.get(&own);
    assert_eq!(page.status, 200);
    let page = page.text();
    let (_, main) = page.split_once("<main").unwrap();
    for shown in [
        "Words to read",
        "&lt;img src=x onerror=alert(1)&gt;",
        "&lt;/pre&gt;&lt;script&gt;alert(5)",
        "image/svg+xml",
        "in.png",
    ]
    .map(|text| text.replace("&lt;", "&#60;").replace("&gt;", "&#62;"))
    {
        assert!(main.contains(&shown), "{shown}: {main}");
    }
    for never in [
        "<img",
        "<svg",
        "<script",
        "<iframe",
        "<style",
        "evil.example",
        "javascript:",
        "\u{202e}",
        "alert(2)",
        "onload=alert(3)",
    ] {
        assert!(!main.contains(never), "{never}: {main}");
    }
    downloaded_as_a_file(&script, (&writer, &own), mail);
    only_for_those_who_may(&world, &own, mail);
    released(&world, &writer, &script, mail);
}

fn downloaded_as_a_file(script: &Visitor, (writer, own): (&Visitor, &str), mail: &str) {
    let raw = writer.get(&format!("{own}/raw?copy={}", copy_of(script, mail)));
    assert_eq!(raw.status, 200, "{}", raw.text());
    let name = format!("attachment; filename=\"mail-{mail}.eml\"");
    for (field, value) in [
        ("content-type", "application/octet-stream"),
        ("content-disposition", name.as_str()),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(raw.field(field), Some(value));
    }
    assert!(raw.field("x-evil").is_none());
    assert!(raw.text().contains("Subject: =?utf-8?q?=3Cimg"));
}

/// Only who may write, only of the own organisation; each look stands in the audit log.
fn only_for_those_who_may(world: &World, own: &str, mail: &str) {
    assert_eq!(visits(world, "reader@zqalpha.example").get(own).status, 403);
    for path in [own.to_owned(), format!("{own}/raw")] {
        assert_eq!(
            visits(world, "writer@zqbeta.example")
                .get(&path.replace(ALPHA, "zqbeta"))
                .status,
            404
        );
    }
    let log = world.gateway.json(&["audit"]).to_string();
    for line in [
        format!("looked at mail {mail}"),
        format!("downloaded mail {mail}"),
    ] {
        assert!(log.contains(&line), "{line}: {log}");
    }
}

/// What is done with it.
fn released(world: &World, writer: &Visitor, script: &Visitor, mail: &str) {
    world.office.behave(Behaviour::default());
    let page = format!("/o/{ALPHA}/held");
    let done = writer.post(&format!("{page}/release"), &page, &[("mail", mail)]);
    assert_eq!(done.status, 303, "{}", done.text());
    assert!(
        writer.get(&page).text().contains("One mail is released"),
        "notice"
    );
    let delivered = world.office.wait_for(1, WAIT);
    assert!(String::from_utf8_lossy(&delivered[0].content).contains("Words to read"));
    world.gateway.drained();
    let gone = call(
        script,
        "POST",
        "/queue/delete",
        Some(&json!({ "mails": [mail] })),
    );
    assert_eq!(gone.status, 404, "{}", gone.text());
}

/// What was decrypted here is for its recipients only.
#[test]
fn decrypted_mail_is_not_shown() {
    let Some(world) = world("portal-mails-decrypted") else {
        return;
    };
    let of = &world.alpha;
    let (anna, carol) = (of.own("anna"), of.theirs("carol"));
    world.office.behave(Behaviour {
        recipients: vec![(anna.clone(), "451 4.3.0 later".to_owned())],
        ..Behaviour::default()
    });
    let mail = plain(&carol, &anna, "about it", "the secret words");
    let sealed = encrypted(&mail, &of.anna);
    assert_eq!(
        send(world.gateway.inbound, &carol, &[&anna], &sealed).code,
        250
    );
    let script = visits(&world, "zqalpha-admin");
    let waiting = soon(|| {
        let all = items(&script, "/queue");
        all.into_iter()
            .find(|mail| mail["recipients"][0]["state"] == "waiting")
    });
    let mail = waiting["mail"].as_str().unwrap();
    let held = call(
        &script,
        "POST",
        "/queue/hold",
        Some(&json!({ "mails": [mail] })),
    );
    assert_eq!(held.json()["mails"], 1, "{}", held.text());
    let writer = visits(&world, "writer@zqalpha.example");
    let page = writer.get(&format!("/o/{ALPHA}/held/{mail}")).text();
    assert!(
        page.contains("about it") && page.contains("for its recipients only"),
        "{page}"
    );
    assert!(!page.contains("the secret words"), "{page}");
    let raw = call(
        &script,
        "GET",
        &format!("/queue/{mail}/raw?copy={}", copy_of(&script, mail)),
        None,
    );
    assert_eq!(
        (raw.status, &raw.json()["code"]),
        (409, &json!("for-recipients-only"))
    );
    // What was not sent was not downloaded.
    let log = world.gateway.json(&["audit"]).to_string();
    assert!(!log.contains(&format!("downloaded mail {mail}")), "{log}");
    let deleted = call(
        &script,
        "POST",
        "/queue/delete",
        Some(&json!({ "mails": [mail] })),
    );
    assert_eq!(deleted.json()["mails"], 1, "{}", deleted.text());
    assert!(items(&script, "/queue").is_empty());
}

fn copy_of(script: &Visitor, mail: &str) -> String {
    let detail = got(script, &format!("/queue/{mail}"));
    detail["copies"][0]["copy"].as_str().unwrap().to_owned()
}
