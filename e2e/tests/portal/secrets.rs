//! Row W7 of security.md: what is secret is in no log, no answer, no webhook, not on the disk and in no copy of it, once it was
//! shown to whom it belongs; and the memory of the program is nobody's to read (row W9).

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use e2e::cast::Cast;
use e2e::gateway::{self, Gateway, Options};
use e2e::keys::{self, KeyKind, shown};
use e2e::mime::{entity, with_entity};
use e2e::openssl::{self, Writing};
use e2e::place::{Directory, PATIENCE, free_address};
use e2e::portal::asking::{Asking, START};
use e2e::portal::crawl::walk_far;
use e2e::portal::http::{Answer, Request, Visitor, quoted};
use e2e::portal::people::person;
use e2e::portal::world::{ALPHA, World, plain};
use e2e::program::{must_run, present, python, run};
use e2e::scene::send;
use e2e::search::{self, Secret};
use e2e::sink::Behaviour;
use e2e::web::{self, Web};
use serde_json::{Value, json};

/// Pages of one route that are looked at.
const OF_ONE_ROUTE: usize = 15;
/// How long an event may take to its receiver.
const PASSED_ON: Duration = PATIENCE;

/// The name of whoever signs in: no secret, so that it is found where somebody looked.
const NAME: &str = "secrets@zqalpha.example";
/// Password of a user.
const PASSWORD: &str = "W7-marigold-Kennwort-4711";
/// One that is tried and is wrong.
const WRONG: &str = "W7-hyacinth-Tippfehler-1848";
/// Password of an uploaded file.
const FILE_PASSWORD: &str = "W7-periwinkle-container-0815";
/// What stands in an encrypted mail.
const PLAINTEXT: &str = "W7 eleven turquoise accordions";
/// Password at the server that carries mail on.
const SMARTHOST: &str = "W7-larkspur-relay-password";
/// Password at the server of one domain.
const DESTINATION: &str = "W7-foxglove-destination-word";
/// Password at a directory.
const DIRECTORY: &str = "W7-bluebell-directory-word";
/// Key for an account at an authority, in base64url.
const EXTERNAL_KEY: &str = "VzctY293c2xpcC1leHRlcm5hbC1hY2NvdW50LWtleQ";
/// The gateway's secret at a server that vouches.
const OIDC: &str = "W7-snapdragon-client-secret";

/// What was secret, and who may look.
struct Marked {
    /// Nowhere at all.
    all: Vec<Secret>,
    /// On the pages of the user alone.
    own: Vec<Secret>,
    user: Visitor,
    reader: Visitor,
    hooks: Web,
}

/// A text that must be found nowhere.
fn mark(marked: &mut Vec<Secret>, name: &str, text: &str) {
    marked.extend(search::of_text(name, text));
}

fn done(answer: &Answer) -> Value {
    assert!(answer.status < 300, "{} {}", answer.status, answer.text());
    answer.json()
}

/// The text that comes after `before` in an answer, up to `after`.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let rest = text.split(before).nth(1);
    let rest = rest.unwrap_or_else(|| panic!("{before} is not in {text}"));
    rest.split(after).next().unwrap()
}

/// Signed up by an invitation, whose link is spent, and signed in; the wrong password was tried before.
fn signed_up(world: &World, marked: &mut Vec<Secret>) -> Visitor {
    let made = ["user", "create", NAME, "-o", ALPHA, "--role", "admin"];
    let made = world.gateway.json(&made).to_string();
    let secret = between(&made, "/invitation/", "\"");
    mark(marked, "spent invitation", secret);
    let user = Visitor::new(world.portal);
    let form = [("name", NAME), ("password", PASSWORD), ("again", PASSWORD)];
    let accept = Request::new("POST", &format!("/invitation/{secret}")).form(&form);
    assert_eq!(user.ask(&accept).status, 303);
    for (password, status) in [(WRONG, 422), (PASSWORD, 303)] {
        let form = [("name", NAME), ("password", password), ("next", "")];
        let answer = user.ask(&Request::new("POST", "/login").form(&form));
        let is_expected = answer.status == status || status == 422 && answer.status >= 400;
        assert!(is_expected, "{} {}", answer.status, answer.text());
        assert!(!answer.text().contains(password), "a password is shown");
    }
    mark(marked, "password", PASSWORD);
    mark(marked, "wrong password", WRONG);
    user
}

/// The code of a TOTP secret now (RFC 6238): HMAC-SHA-1, 30 s, six digits. Argument: the secret in base32. Prints the code and
/// the octets of the secret.
const CODE: &str = r#"
import base64, hashlib, hmac, struct, sys, time
text = sys.argv[1].replace(" ", "")
key = base64.b32decode(text + "=" * (-len(text) % 8))
digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
at = digest[19] & 15
print(f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1000000:06}", key.hex())
"#;

/// Sets the second factor up; its recovery codes are shown once.
fn second_factor(user: &Visitor, marked: &mut Vec<Secret>) {
    let begin = "/account/second-factor/begin";
    let begun = user.post(begin, "/account", &[("password", PASSWORD)]);
    assert!(begun.status < 400, "{}", begun.text());
    let page = user.get("/account/second-factor").text();
    let key = between(&page, "<code>", "</code>").replace(' ', "");
    let out = must_run(&python(), &["-c", CODE, &key], b"");
    let out = String::from_utf8(out).unwrap();
    let (code, raw) = out.trim().split_once(' ').unwrap();
    let octets = |at| u8::from_str_radix(&raw[2 * at..2 * at + 2], 16).unwrap();
    let raw: Vec<u8> = (0..raw.len() / 2).map(octets).collect();
    marked.push(Secret::new("second factor, octets".to_owned(), &raw));
    mark(marked, "second factor", &key);
    let confirm = "/account/second-factor/confirm";
    let codes = user.post(confirm, "/account/second-factor", &[("code", code)]);
    let codes = codes.text();
    let codes = between(&codes, "id=\"codes\">", "</pre>").lines();
    let codes: Vec<&str> = codes.map(str::trim).filter(|one| !one.is_empty()).collect();
    assert!(codes.len() > 4, "{codes:?}");
    for code in codes {
        marked.push(Secret::new("recovery code".to_owned(), code.as_bytes()));
    }
}

/// What the gateway makes and shows once; gives the API token, which may read.
fn made_once(script: &Visitor, base: &str, marked: &mut Vec<Secret>) -> String {
    let made = |path: &str, body: &Value| {
        let answer = script.ask(&Request::new("POST", &format!("{base}{path}")).json(body));
        done(&answer).to_string()
    };
    let token = made(
        "/tokens",
        &json!({ "name": "zqalpha-marked", "role": "read", "days": 3 }),
    );
    let token = between(&token, "\"secret\":\"", "\"").to_owned();
    mark(marked, "API token", &token);
    let invite = json!({ "name": "open@zqalpha.example", "role": "read" });
    let link = made("/invitations", &invite);
    mark(
        marked,
        "open invitation",
        between(&link, "/invitation/", "\""),
    );
    for (name, proof) in [
        ("zqalpha-by-password", json!({ "by": "password" })),
        (
            "zqalpha-by-secret",
            json!({ "by": "connector", "networks": ["192.0.2.0/25"] }),
        ),
    ] {
        let client = made("/clients", &json!({ "name": name, "proof": proof }));
        let secret = between(&client, "\"secret\":\"", "\"");
        mark(marked, name, secret);
    }
    token
}

/// What somebody types, and is never shown again.
fn typed(operator: &Visitor, base: &str, marked: &mut Vec<Secret>) {
    let acme = json!({ "directory": "https://ca.zqalpha.example/directory", "external_account": "zqkid", "external_key": EXTERNAL_KEY });
    for (path, secret, body) in [
        (
            "/outbound/destinations/zqalpha-far.example",
            DESTINATION,
            json!({ "tls": "verified", "server": { "host": "mx.zqalpha-far.example", "user": "zq", "password": DESTINATION } }),
        ),
        (
            "/directories/zqalpha-marked",
            DIRECTORY,
            json!({ "url": "ldap://127.0.0.1:1", "base": "dc=zq", "domains": ["zqalpha-marked.example"], "starttls": true,
                    "bind": "cn=zq", "password": DIRECTORY }),
        ),
        (
            "/authorities/zqalpha-marked",
            EXTERNAL_KEY,
            json!({ "kind": "acme", "acme": acme }),
        ),
        (
            "/outbound/smarthost",
            SMARTHOST,
            json!({ "host": "mx.zqalpha-relay.example", "tls": "verified", "user": "zq", "password": SMARTHOST }),
        ),
    ] {
        let put = Request::new("PUT", &format!("{base}{path}"));
        let answer = operator.ask(&put.clone().json(&body));
        assert!(
            answer.status < 300,
            "{path}: {} {}",
            answer.status,
            answer.text()
        );
        assert!(!answer.text().contains(secret), "{path} shows its secret");
        mark(marked, path, secret);
        // Refused, because the host is none: nor is it told then.
        let mut wrong = body;
        wrong["port"] = json!(0);
        wrong["server"] = json!({ "host": "a b", "user": "zq", "password": secret });
        wrong["renew_days"] = json!(0);
        wrong["url"] = json!("http://nowhere/");
        let answer = operator.ask(&put.json(&wrong));
        assert!(answer.status >= 400 && !answer.text().contains(secret));
    }
}

/// A key uploaded with a wrong password, then with the right one; and a mail to it, encrypted.
fn uploaded(world: &World, script: &Visitor, base: &str, marked: &mut Vec<Secret>) {
    let directory = world.gateway.directory().path();
    let dora = world.alpha.own("dora");
    let identity = keys::mailbox(directory, &world.alpha.partner, &dora, KeyKind::P256);
    let (key, certificate) = (shown(&identity.key), shown(&identity.certificate));
    let password = format!("pass:{FILE_PASSWORD}");
    let words = ["pkcs12", "-export", "-inkey", &key, "-in", &certificate];
    let file = must_run(
        "openssl",
        &[&words[..], &["-passout", &password]].concat(),
        b"",
    );
    let file = must_run("openssl", &["base64", "-e", "-A"], &file);
    let file = String::from_utf8(file).unwrap();
    let place = format!("{base}/mailboxes/{}/upload", quoted(&dora));
    for (password, is_right) in [(WRONG, false), (FILE_PASSWORD, true)] {
        let body = json!({ "file": file, "password": password });
        let answer = script.ask(&Request::new("POST", &place).json(&body));
        assert_eq!(answer.status == 200, is_right, "{}", answer.text());
        assert!(!answer.text().contains(password), "a password is shown");
    }
    mark(marked, "password of a file", FILE_PASSWORD);
    for (name, identity) in [("dora", &identity), ("anna", &world.alpha.anna)] {
        marked.extend(search::of_key(name, identity));
    }
    let (carol, anna) = (world.alpha.theirs("carol"), world.alpha.own("anna"));
    let mail = plain(&carol, &anna, "zqalpha w7", PLAINTEXT);
    let to = [world.alpha.anna.certificate.as_path()];
    let encrypted = openssl::encrypt(&entity(&mail), &to, "aes-256-cbc", Writing::Der);
    let encrypted = with_entity(&mail, &encrypted);
    let reply = send(world.gateway.inbound, &carol, &[&anna], &encrypted);
    assert_eq!(reply.code, 250, "{reply:?}");
    mark(marked, "text of a mail", PLAINTEXT);
}

/// Everything of this table: passwords of people, files, servers and directories, second factor and recovery codes, session and
/// token against foreign forms, API token, invitations, secrets of clients and webhooks, keys, and the text of a mail.
fn make(world: &World) -> Marked {
    let mut all = Vec::new();
    let base = format!("/api/v1/organisations/{ALPHA}");
    let script = person("zqalpha-admin").visits(world);
    let hooks = Web::start(|_| web::Answer::Body(Vec::new()));
    let new = Request::new("POST", &format!("{base}/webhooks"));
    let hook = done(&script.ask(&new.json(&json!({ "url": hooks.url("/events") }))));
    mark(
        &mut all,
        "secret of a webhook",
        hook["secret"].as_str().unwrap(),
    );
    let user = signed_up(world, &mut all);
    second_factor(&user, &mut all);
    let token = made_once(&script, &base, &mut all);
    typed(&person("operator-token").visits(world), &base, &mut all);
    uploaded(world, &script, &base, &mut all);
    mark(&mut all, "secret at a server that vouches", OIDC);
    let session = user.cookies.lock().unwrap()["sealgate"].clone();
    mark(&mut all, "session", &session);
    let master = std::fs::read(world.gateway.directory().path().join("master.key")).unwrap();
    all.push(Secret::new("master key".to_owned(), &master));
    let mut own = Vec::new();
    mark(
        &mut own,
        "token against foreign forms",
        &user.csrf("/account"),
    );
    // An event, which the receiver is told.
    let (carol, boris) = (world.alpha.theirs("carol"), world.alpha.own("boris"));
    world.office.behave(Behaviour {
        recipients: vec![(boris.clone(), "550 5.7.1 not today".to_owned())],
        ..Behaviour::default()
    });
    let mail = plain(&carol, &boris, "zqalpha event", "hello");
    let reply = send(world.gateway.inbound, &carol, &[&boris], &mail);
    assert_eq!(reply.code, 250, "{reply:?}");
    Marked {
        all,
        own,
        reader: Visitor::with_token(world.portal, &token),
        user,
        hooks,
    }
}

/// Copies a database that is in use, as administrators make copies. Arguments: from, to.
const COPY: &str = r#"
import sqlite3, sys
source, copy = sqlite3.connect(sys.argv[1], timeout=30), sqlite3.connect(sys.argv[2])
source.backup(copy)
"#;

/// Every page, export and answer that people of the organisation and the operator see: to all, and to the user alone.
fn answers(world: &World, marked: &Marked) -> (Vec<u8>, Vec<u8>) {
    let asking = Asking::new(world);
    let all = asking.all();
    let all = all.unwrap_or_else(|missing| panic!("{}", missing.join("\n")));
    let overview = format!("/o/{ALPHA}");
    let (mut seen, mut own) = (Vec::new(), Vec::new());
    let admin = person("admin@zqalpha.example").visits(world);
    let operator = person("operator@operator.example").visits(world);
    let look = |visitor: &Visitor, seen: &mut Vec<u8>, more: &str| {
        let start = [START, &[more]].concat();
        let found = walk_far(visitor, &start, &asking.routes, OF_ONE_ROUTE);
        let bodies = found.pages.iter().map(|page| &page.answer.body);
        bodies.for_each(|body| seen.extend_from_slice(body));
    };
    look(&admin, &mut seen, &overview);
    look(&operator, &mut seen, "/system");
    look(&marked.user, &mut own, &overview);
    let operators = person("operator-token").visits(world);
    let admins = person("zqalpha-admin").visits(world);
    for asked in &all {
        let is_stream = asked.route.path.ends_with("/live");
        if asked.route.method != "GET" || is_stream {
            continue;
        }
        let path = asked.address();
        let who: &[&Visitor] = match asked.route.is_api() {
            true => &[&operators, &admins, &marked.reader],
            false => &[&admin, &operator],
        };
        for visitor in who {
            seen.extend_from_slice(&visitor.get(&path).body);
        }
    }
    (seen, own)
}

/// What is secret is nowhere; what is none is found wherever it must be, so that the search does see.
#[test]
fn w7_secrets_are_nowhere() {
    let Some(mut world) = World::running("w7") else {
        return;
    };
    world.gateway.stop();
    let secret = world.gateway.directory().file("oidc", OIDC);
    must_run("chmod", &["600", &shown(&secret)], b"");
    let oidc = format!(
        "[portal.oidc]\nissuer = \"http://{}\"\nclient-id = \"sealgate\"\nclient-secret-file = {secret:?}\nname = \"Example\"\n",
        free_address()
    );
    world.gateway.extend(&oidc, "SEALGATE_LOG=debug");
    world.gateway.start();
    let marked = make(&world);
    world.gateway.drained();
    let (seen, own) = answers(&world, &marked);
    let end = Instant::now() + PASSED_ON;
    while marked.hooks.requests().is_empty() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(50));
    }
    let told: Vec<u8> = marked.hooks.requests().concat_bodies();
    let process = world.gateway.process();
    let places = Directory::new("w7-places");
    let read = |name: &str| std::fs::read(format!("/proc/{process}/{name}")).unwrap();
    for (name, octets) in [
        ("answers", seen),
        ("own-answers", own),
        ("log", world.gateway.log().into_bytes()),
        ("audit", world.gateway.json(&["audit"]).to_string().into()),
        ("webhooks", told),
        ("environment", read("environ")),
        ("command-line", read("cmdline")),
    ] {
        places.file(name, octets);
    }
    let database = shown(&world.gateway.data().join("sealgate.db"));
    let copy = shown(&places.path().join("copy.db"));
    must_run("python3", &["-c", COPY, &database, &copy], b"");
    nowhere(&world, &places, &marked);
}

/// Looks through the places, the data directory and the open files.
fn nowhere(world: &World, places: &Directory, marked: &Marked) {
    let data = world.gateway.data();
    let mut found = search::below(places.path(), &marked.all);
    let both = [&marked.all[..], &marked.own].concat();
    found.extend(search::below(&data, &both));
    found.extend(search::open_in(world.gateway.process(), &both));
    let others = search::below(places.path(), &marked.own).into_iter();
    found.extend(others.filter(|hit| !hit.starts_with("own-answers:")));
    assert!(found.is_empty(), "{}", found.join("\n"));
    println!("{} forms of secrets looked for", both.len());
    let name = [Secret::new("name".to_owned(), NAME.as_bytes())];
    let seen = search::below(places.path(), &name);
    for place in ["answers", "own-answers", "audit", "copy.db"] {
        let is_there = seen.iter().any(|hit| hit.starts_with(&format!("{place}:")));
        assert!(is_there, "{place} shows nothing: {seen:?}");
    }
    for (place, known) in [
        ("webhooks", "\"organisation\":\"zqalpha\""),
        ("log", "zqalpha.example"),
    ] {
        let octets = std::fs::read(places.path().join(place)).unwrap();
        let text = String::from_utf8_lossy(&octets);
        assert!(text.contains(known), "{place} shows nothing");
    }
}

trait Bodies {
    fn concat_bodies(&self) -> Vec<u8>;
}

impl Bodies for Vec<web::Request> {
    /// Header fields and contents of all requests.
    fn concat_bodies(&self) -> Vec<u8> {
        let whole = |one: &web::Request| [one.fields.join("\n").into_bytes(), one.body.clone()];
        self.iter().flat_map(whole).collect::<Vec<_>>().concat()
    }
}

/// Tries to read what belongs to a process of the same user. Argument: its number. Prints what could be read.
const PROBE: &str = r#"
import os, sys
place = f"/proc/{sys.argv[1]}/"
for name in ("environ", "maps", "mem", "auxv", "stack", "syscall"):
    try:
        with open(place + name, "rb") as file:
            if name == "mem" or file.read(1):
                print(name)
    except OSError:
        pass
for name in ("fd", "map_files"):
    try:
        if os.listdir(place + name) and os.readlink(place + name + "/" + os.listdir(place + name)[0]):
            print(name)
    except OSError:
        pass
"#;

/// In front of a program so that it has no rights beside those of its user: root reads everything.
fn without_rights() -> Vec<&'static str> {
    let id = must_run("id", &["-u"], b"");
    match id.trim_ascii() == b"0" {
        true => vec!["setpriv", "--bounding-set=-all"],
        false => Vec::new(),
    }
}

fn probe(process: u32) -> String {
    let number = process.to_string();
    let mut words = without_rights();
    words.extend(["python3", "-c", PROBE, &number]);
    let out = must_run("env", &words, b"");
    String::from_utf8(out).unwrap()
}

/// A process of the same user that does not hide: what the probe finds there it could find in the gateway, too.
fn open_process(directory: &Directory) -> Child {
    let mut words = without_rights();
    words.extend(["sleep", "60"]);
    let mut command = Command::new("env");
    command.args(words).current_dir(directory.path());
    command.env("W7", "seen").stdin(Stdio::null());
    // Its own group: no signal of the terminal.
    command.process_group(0).spawn().unwrap()
}

/// Lifts the limit of cores, ends a process by SIGABRT and says whether it left a core.
fn leaves_core(process: u32) {
    let number = process.to_string();
    let lifted = run("prlimit", &["--core=unlimited", "--pid", &number], b"");
    println!("limit of cores of {number} lifted: {}", lifted.good);
    must_run("kill", &["-ABRT", &number], b"");
}

/// Rows W7 and W9: no other process of the same user reads environment or memory, and none is left behind as a core, though
/// cores are allowed.
#[test]
fn w7_memory_is_nobodys() {
    if !present(&["setpriv", "prlimit", "python3", "env", "openssl"]) {
        return;
    }
    let cast = Cast::with(KeyKind::P256);
    let Some(mut gateway) = Gateway::configured("w7-memory", &Options::default(), cast) else {
        return;
    };
    let nowhere = free_address();
    gateway.apply(&(gateway::head(nowhere) + &gateway::tail(cast, nowhere)));
    let mut front = vec!["env"];
    front.extend(without_rights());
    gateway.start_as(&front);
    let process = gateway.process();
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let cores = limits.lines().find(|line| line.starts_with("Max core"));
    let words: Vec<&str> = cores.unwrap().split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{limits}");
    assert_eq!(probe(process), "");

    let directory = Directory::new("w7-core");
    let mut other = open_process(&directory);
    let end = Instant::now() + PATIENCE;
    while !probe(other.id()).contains("environ") {
        assert!(Instant::now() < end, "the probe sees nothing anywhere");
    }
    leaves_core(other.id());
    let control = other.wait().unwrap();
    println!("cores are left here: {}", control.core_dumped());
    leaves_core(process);
    let ended = gateway.ended();
    assert_eq!(ended.signal(), Some(6), "{ended:?}");
    assert!(!ended.core_dumped(), "a core was left");
}
