//! Signing in to the portal as people and browsers do it: rows W2, W4 and W12, invitations, a second factor, another server that
//! vouches, and the first start on an empty machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use e2e::cast::Cast;
use e2e::gateway::{Gateway, Options, program};
use e2e::keys::{KeyKind, shown};
use e2e::place::{Directory, PATIENCE, free_address};
use e2e::portal::database;
use e2e::portal::forms::{links, unescaped};
use e2e::portal::http::{Answer, Request, Visitor, quoted, unquoted};
use e2e::program::{must_run, present, python, run};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";
const ALICE: &str = "alice@example.com";

struct World {
    gateway: Gateway,
    portal: SocketAddr,
}

impl World {
    /// A running gateway with the organisation `example`, Alice as its administrator, and Olga as operator.
    fn new(name: &str, more: &str) -> Option<Self> {
        Self::at(name, None, more)
    }

    /// The same, where browsers find the portal at `url`.
    fn at(name: &str, url: Option<&str>, more: &str) -> Option<Self> {
        if !present(&["python3"]) {
            return None;
        }
        let portal = free_address();
        let url = url.map_or_else(|| format!("http://{portal}"), str::to_owned);
        let options = Options {
            more: format!("[portal]\nlisten = [\"{portal}\"]\nurl = \"{url}\"\n{more}"),
            ..Options::default()
        };
        let gateway = Gateway::configured(name, &options, Cast::with(KeyKind::P256))?;
        let mut world = Self { gateway, portal };
        assert!(
            world
                .gateway
                .command(&["organisation", "create", "example"])
                .good
        );
        world.user(ALICE, &["--organisation", "example", "--role", "admin"]);
        world.user("olga@example.com", &["--operator"]);
        world.gateway.start();
        Some(world)
    }

    /// Makes a user with [`PASSWORD`].
    fn user(&self, name: &str, grant: &[&str]) {
        let config = shown(&self.gateway.directory().path().join("sealgate.toml"));
        let mut words = vec!["user", "create", name, "--password", "--config", &config];
        words.extend(grant);
        let binary = shown(&program().unwrap());
        let ran = run(&binary, &words, PASSWORD.as_bytes());
        assert!(ran.good, "{}", ran.err);
    }

    fn visitor(&self) -> Visitor {
        Visitor::new(self.portal)
    }

    fn signed_in(&self, name: &str) -> Visitor {
        let visitor = self.visitor();
        let answer = sign_in(&visitor, name, PASSWORD);
        assert_eq!(answer.status, 303, "{name}: {}", answer.text());
        visitor
    }

    fn link(&self, arguments: &[&str]) -> String {
        let answer = self.gateway.json(arguments);
        path_of(answer["link"].as_str().unwrap())
    }
}

fn sign_in(visitor: &Visitor, name: &str, password: &str) -> Answer {
    let form = [("name", name), ("password", password)];
    visitor.ask(&Request::new("POST", "/login").form(&form))
}

fn path_of(url: &str) -> String {
    let (_, rest) = url.split_once("://").unwrap();
    rest.find('/').map_or("/", |at| &rest[at..]).to_owned()
}

fn session(visitor: &Visitor) -> String {
    let cookies = visitor.cookies.lock().unwrap();
    cookies.get("sealgate").cloned().unwrap_or_default()
}

fn is_in(visitor: &Visitor) -> bool {
    visitor.get("/account").status == 200
}

/// A call of a browser's session.
fn call(visitor: &Visitor, method: &str, path: &str, body: &Value) -> Answer {
    let csrf = visitor.csrf("/account");
    let request = Request::new(method, &format!("/api/v1{path}"))
        .json(body)
        .field("x-csrf-token", &csrf);
    visitor.ask(&request)
}

#[test]
fn w2_a_session_is_new_at_login_and_ends_when_it_must() {
    let Some(world) = World::new("login-w2", "") else {
        return;
    };
    let visitor = world.visitor();
    let planted = ("sealgate".to_owned(), "planted-by-somebody-else".to_owned());
    visitor.cookies.lock().unwrap().extend([planted]);
    assert!(visitor.get("/account").is_to_login());
    let answer = sign_in(&visitor, ALICE, PASSWORD);
    let cookie = answer.field("set-cookie").unwrap();
    assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
    let by_tls = answer.field("strict-transport-security");
    assert_eq!(by_tls, None, "not where browsers come by HTTP");
    assert_ne!(session(&visitor), "planted-by-somebody-else");
    assert!(is_in(&visitor));

    // A second sign-in of the same browser leaves nothing of the first.
    let first = visitor.clone();
    sign_in(&visitor, ALICE, PASSWORD);
    assert_ne!(session(&first), session(&visitor));
    assert!(!is_in(&first) && is_in(&visitor));

    // Only our own forms are taken.
    let csrf = visitor.csrf("/account");
    let post = |token: &str| {
        let form = [("csrf", token), ("language", "de")];
        Request::new("POST", "/account/language").form(&form)
    };
    let foreign = "http://evil.example";
    for (what, request, status) in [
        ("no token", post(""), 403),
        ("another token", post("x"), 403),
        ("another origin", post(&csrf).field("origin", foreign), 403),
        ("ours", post(&csrf), 303),
    ] {
        assert_eq!(visitor.ask(&request).status, status, "{what}");
    }
    let without = Request::new("PUT", "/api/v1/account/language").json(&json!({"language": "en"}));
    assert_eq!(visitor.ask(&without).status, 403, "the API, too");
    let form = [("name", ALICE), ("password", PASSWORD)];
    let login = Request::new("POST", "/login").form(&form);
    for (name, value) in [("origin", foreign), ("sec-fetch-site", "cross-site")] {
        let answer = world.visitor().ask(&login.clone().field(name, value));
        assert_eq!(answer.status, 403, "{name}");
        assert!(answer.field("set-cookie").is_none());
    }
}

#[test]
fn a_portal_behind_tls_says_so() {
    let url = Some("https://portal.example.com");
    let Some(world) = World::at("login-tls", url, "") else {
        return;
    };
    let answer = sign_in(&world.visitor(), ALICE, PASSWORD);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let cookie = answer.field("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-sealgate=") && cookie.contains("; Secure"));
    for path in [
        "/login",
        "/api/v1/account",
        "/static/portal.css",
        "/nothing",
    ] {
        let answer = world.visitor().get(path);
        let told = answer.field("strict-transport-security");
        assert_eq!(told, Some("max-age=31536000"), "{path}");
    }
    let checked = world.gateway.json(&["check"]);
    let warnings = checked["warnings"].to_string();
    assert!(warnings.contains("trusted-proxies"), "{warnings}");
}

#[test]
fn w2_sessions_end_by_a_change_of_the_account() {
    let Some(world) = World::new("login-ends", "") else {
        return;
    };
    let visitor = world.signed_in(ALICE);
    let other = world.signed_in(ALICE);
    let (kept, old) = (other.clone(), session(&other));
    assert_eq!(other.post("/logout", "/account", &[]).status, 303);
    assert!(!is_in(&other) && is_in(&visitor));
    assert_eq!(session(&kept), old, "whoever copied the cookie");
    assert!(!is_in(&kept), "the old id is dead after logout");
    assert_eq!(kept.get("/api/v1/account").status, 401);
    let other = world.signed_in(ALICE);
    let new = "a better horse battery";
    let change = [("current", PASSWORD), ("new", new), ("again", new)];
    let answer = visitor.post("/account/password", "/account", &change);
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(!is_in(&other) && is_in(&visitor));
    assert_eq!(sign_in(&world.visitor(), ALICE, PASSWORD).status, 403);
    assert_eq!(sign_in(&world.visitor(), ALICE, new).status, 303);

    world.user(
        "bob@example.com",
        &["--organisation", "example", "--role", "write"],
    );
    let bob = world.signed_in("bob@example.com");
    let members = call(
        &visitor,
        "GET",
        "/organisations/example/users",
        &Value::Null,
    )
    .json();
    let id = members["items"][1]["id"].clone();
    let path = format!("/organisations/example/users/{id}/role");
    let answer = call(&visitor, "PUT", &path, &json!({"role": "read"}));
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert!(!is_in(&bob), "a new role ends sessions");
    let bob = world.signed_in("bob@example.com");
    world.gateway.json(&["user", "disable", "bob@example.com"]);
    assert!(!is_in(&bob), "so does disabling");
    assert_eq!(
        sign_in(&world.visitor(), "bob@example.com", PASSWORD).status,
        403
    );
}

#[test]
fn w2_sessions_are_listed_and_end_by_themselves() {
    let Some(world) = World::new("login-sessions", "") else {
        return;
    };
    let [one, two, three] = [0; 3].map(|_| world.signed_in(ALICE));
    let list = call(&one, "GET", "/account/sessions", &Value::Null).json();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 3, "{list:?}");
    let newest = list.iter().filter(|line| line["is_this"] == false);
    let newest = newest
        .map(|line| line["id"].as_i64().unwrap())
        .max()
        .unwrap();
    let path = format!("/account/sessions/{newest}");
    assert_eq!(call(&one, "DELETE", &path, &Value::Null).status, 204);
    assert!(is_in(&two) && !is_in(&three));
    let olga = world.signed_in("olga@example.com");
    let foreign = call(&olga, "DELETE", "/account/sessions/1", &Value::Null);
    assert_eq!(foreign.status, 404, "another user's");
    assert_eq!(
        call(&one, "DELETE", "/account/sessions", &Value::Null).status,
        204
    );
    assert!(is_in(&one) && !is_in(&two) && is_in(&olga));

    let set = |column: &str, seconds: i64| {
        let statement = format!("UPDATE sessions SET {column} = {column} - ?");
        database::run(&world.gateway, &json!([[statement, [seconds]]]));
    };
    set("seen", 8 * 3_600 - 60);
    assert!(is_in(&one), "seven hours and 59 minutes later");
    set("seen", 8 * 3_600 + 1);
    assert!(!is_in(&one), "eight hours after its last use");
    let one = world.signed_in(ALICE);
    set("created", 24 * 3_600 + 1);
    assert!(!is_in(&one), "a day after it began");

    for (next, expected) in [
        ("/account", "/account"),
        ("/o/example/users?after=x", "/o/example/users?after=x"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("/\t/evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/logout", "/"),
        ("", "/"),
        (&format!("/{}", "x".repeat(1_024)), "/"),
    ] {
        let form = [("name", ALICE), ("password", PASSWORD), ("next", next)];
        let answer = world
            .visitor()
            .ask(&Request::new("POST", "/login").form(&form));
        assert_eq!(answer.field("location"), Some(expected), "{next}");
    }
}

/// The proxy in front of the portal is 127.0.0.1 alone.
const PROXY: &str = "trusted-proxies = [\"127.0.0.1/32\"]\n";

/// Signs in through a proxy. Arguments: port; input: JSON, a list of source, name, password; a source that begins with "127." asks
/// itself, and only says that it were a proxy. Prints for each status, Retry-After, the page without the name, and milliseconds.
const ATTACK: &str = r#"
import http.client, json, sys, time, urllib.parse
out = []
for source, name, password in json.load(sys.stdin):
    own = source if source.startswith("127.") else "127.0.0.1"
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60, source_address=(own, 0))
    body = urllib.parse.urlencode({"name": name, "password": password})
    begin = time.monotonic()
    said = "198.51.100.99" if source.startswith("127.") else "198.51.100.77, " + source
    fields = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": said}
    connection.request("POST", "/login", body, fields)
    answer = connection.getresponse()
    page = answer.read().decode()
    took = (time.monotonic() - begin) * 1000
    out.append([answer.status, answer.getheader("Retry-After"), page.replace(name, "NAME"), took])
print(json.dumps(out))
"#;

fn attack(world: &World, tries: &[(String, String, String)]) -> Vec<Value> {
    let port = world.portal.port().to_string();
    let input = serde_json::to_vec(tries).unwrap();
    let out = must_run(&python(), &["-c", ATTACK, &port], &input);
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn w4_failures_are_counted_for_account_and_network() {
    let Some(world) = World::new("login-w4", PROXY) else {
        return;
    };
    let guess = |number: usize| format!("wrong password {number}");
    // Twenty wrong passwords for one account, each from another address; the same for one that does not exist.
    let tries = |name: &str, net: usize| -> Vec<(String, String, String)> {
        let one = |number| {
            (
                format!("203.0.{net}.{number}"),
                name.to_owned(),
                guess(number),
            )
        };
        (1..=20).map(one).collect()
    };
    let known = attack(&world, &tries(ALICE, 1));
    let unknown = attack(&world, &tries("nobody@example.com", 2));
    for (number, (one, other)) in known.iter().zip(&unknown).enumerate() {
        let expected = if number < 5 { 403 } else { 429 };
        assert_eq!(one[0], expected, "try {number}");
        assert_eq!(one[0], other[0], "try {number}");
        assert_eq!(one[2], other[2], "the same page, try {number}");
        let waits = |answer: &Value| answer[1].as_str().and_then(|text| text.parse::<i64>().ok());
        if number >= 5 {
            assert!((1..=300).contains(&waits(one).unwrap()), "{:?}", one[1]);
            assert!((1..=300).contains(&waits(other).unwrap()));
        }
    }
    let from = |source: &str, name: &str, password: &str| {
        (source.to_owned(), name.to_owned(), password.to_owned())
    };
    let right = attack(&world, &[from("203.0.3.1", ALICE, PASSWORD)]);
    assert_eq!(right[0][0], 429, "the right password does not get past");
    // The lock is told once, where the account is at home, and not of a name that nobody has.
    let log = audit_when(&world, "too many wrong passwords");
    let locks: Vec<&Value> = log
        .iter()
        .filter(|line| text_of(line).contains("too many wrong"))
        .collect();
    assert_eq!(locks.len(), 1, "{locks:?}");
    assert_eq!(locks[0]["who"], ALICE);
    assert_eq!(locks[0]["organisation"], "example");
    assert!(text_of(locks[0]).contains("203.0.1.5"), "{:?}", locks[0]);

    // From one address behind the proxy, each time another account; success does not count.
    let olga = "olga@example.com";
    let tries = |source: &str| {
        let mut tries = vec![from(source, olga, PASSWORD); 7];
        tries.extend((0..7).map(|number| from(source, &format!("x{number}@example.com"), "nope")));
        tries.push(from(source, olga, PASSWORD));
        let answers = attack(&world, &tries);
        let statuses = answers.iter().map(|one| one[0].as_i64().unwrap());
        statuses.skip(7).collect::<Vec<_>>()
    };
    let limited = [403, 403, 403, 403, 403, 429, 429, 429];
    assert_eq!(tries("203.0.4.1"), limited);
    let elsewhere = attack(&world, &[from("203.0.4.2", olga, PASSWORD)]);
    assert_eq!(elsewhere[0][0], 303);
    audit_when(&world, "sign in from 203.0.4.2");

    // This machine itself has no limit by network, whatever it says: an attacker behind a proxy that is not trusted would lock all
    // others out. The limit by account stays.
    let statuses = tries("127.0.0.2");
    assert_eq!(statuses, [403, 403, 403, 403, 403, 403, 403, 303]);
    audit_when(&world, "sign in from 127.0.0.2");
}

fn text_of(line: &Value) -> &str {
    line["text"].as_str().unwrap_or_default()
}

/// The audit log, as soon as one of its lines holds this text: locks are told in the background.
fn audit_when(world: &World, text: &str) -> Vec<Value> {
    let end = Instant::now() + PATIENCE;
    loop {
        let log = world.gateway.json(&["audit"]);
        let lines = log.as_array().unwrap();
        if lines.iter().any(|line| text_of(line).contains(text)) {
            return lines.clone();
        }
        assert!(Instant::now() < end, "{text} in {log}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn w4_an_unknown_name_takes_as_long() {
    let Some(world) = World::new("login-time", PROXY) else {
        return;
    };
    let names: Vec<String> = (0..5)
        .map(|number| format!("u{number}@example.com"))
        .collect();
    names
        .iter()
        .for_each(|name| world.user(name, &["--organisation", "example", "--role", "read"]));
    let mut tries = Vec::new();
    for round in 0..4 {
        for (number, name) in names.iter().enumerate() {
            let source = |net| format!("203.1.{net}.{}", round * 10 + number + 1);
            tries.push((source(1), name.clone(), "not the password".to_owned()));
            let unknown = format!("v{number}@example.com");
            tries.push((source(2), unknown, "not the password".to_owned()));
        }
    }
    let answers = attack(&world, &tries);
    // What else keeps the machine busy only makes it longer: the least counts.
    let least = |first: usize| {
        let own = answers.iter().skip(first).step_by(2);
        own.map(|one| one[3].as_f64().unwrap())
            .fold(f64::MAX, f64::min)
    };
    assert!(answers.iter().all(|one| one[0] == 403));
    let (known, unknown) = (least(0), least(1));
    println!("at least {known:.1} ms for a known name, {unknown:.1} ms for an unknown one");
    // Without the hash for nobody it would be a hundred times less.
    let difference = (known - unknown).abs();
    assert!(difference < 20.0 || difference < known.min(unknown) * 0.5);
}

/// The one-time code of a key in base32, `steps` from now.
const CODE: &str = r#"
import base64, hashlib, hmac, struct, sys, time
key = base64.b32decode(sys.argv[1].replace(" ", ""))
step = int(time.time()) // 30 + int(sys.argv[2])
digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
at = digest[-1] & 15
print("%06d" % ((struct.unpack(">I", digest[at:at + 4])[0] & 0x7fffffff) % 1000000))
"#;

fn code(key: &str, steps: i32) -> String {
    let out = must_run(&python(), &["-c", CODE, key, &steps.to_string()], b"");
    String::from_utf8(out).unwrap().trim().to_owned()
}

/// Gives the second factor.
fn second(visitor: &Visitor, code: &str) -> Answer {
    visitor.post(
        "/login/second",
        "/login/second",
        &[("code", code), ("next", "/account")],
    )
}

/// Alice's second factor.
struct Factor {
    /// Its key in base32.
    key: String,
    /// The code it was set up with.
    used: String,
    /// The recovery codes.
    recovery: Vec<String>,
}

/// Sets up a second factor for Alice.
fn with_second_factor(world: &World) -> Factor {
    let alice = world.signed_in(ALICE);
    let other = world.signed_in(ALICE);
    let wrong = call(
        &alice,
        "POST",
        "/account/second-factor",
        &json!({"password": "x"}),
    );
    assert_eq!(wrong.json()["code"], "wrong-password");
    let begun = call(
        &alice,
        "POST",
        "/account/second-factor",
        &json!({"password": PASSWORD}),
    );
    let key = begun.json()["key"].as_str().unwrap().to_owned();
    assert!(alice.get("/account/second-factor").text().contains(&key));
    let picture = alice.get("/account/second-factor/picture");
    assert!(picture.text().contains("<svg") && !picture.text().contains("style="));
    let confirm = "/account/second-factor/confirm";
    let wrong = call(&alice, "POST", confirm, &json!({"code": "000000"}));
    assert_eq!(wrong.json()["code"], "wrong-code");
    let used = code(&key, 0);
    let confirmed = call(&alice, "POST", confirm, &json!({"code": used}));
    let codes = confirmed.json()["codes"].clone();
    let recovery: Vec<String> = codes
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(recovery.len(), 10);
    assert!(is_in(&alice) && !is_in(&other), "the others end");
    Factor {
        key,
        used,
        recovery,
    }
}

#[test]
fn w4_a_second_factor_is_asked_for_and_no_code_works_twice() {
    let Some(world) = World::new("login-factor", "") else {
        return;
    };
    let Factor {
        key,
        used,
        recovery,
    } = with_second_factor(&world);
    let visitor = world.visitor();
    let half = sign_in(&visitor, ALICE, PASSWORD);
    assert_eq!(half.field("location"), Some("/login/second"));
    let half = session(&visitor);
    // Row G8: a half session can do nothing else.
    for path in ["/account", "/organisations", "/o/example/users"] {
        assert!(visitor.get(path).is_to_login(), "{path}");
    }
    assert_eq!(visitor.get("/api/v1/account").status, 401);
    assert_eq!(second(&visitor, &used).status, 403, "used to set it up");
    let without = Request::new("POST", "/login/second").form(&[("csrf", ""), ("code", "1")]);
    assert_eq!(visitor.ask(&without).status, 403);
    let next = code(&key, 1);
    let answer = second(&visitor, &next);
    assert_eq!(
        answer.field("location"),
        Some("/account"),
        "{}",
        answer.text()
    );
    assert_ne!(session(&visitor), half, "a new secret at the second step");
    assert!(is_in(&visitor));
    let old = world.visitor();
    old.cookies
        .lock()
        .unwrap()
        .extend([("sealgate".to_owned(), half)]);
    assert!(
        old.get("/login/second").is_to_login(),
        "the half session is gone"
    );

    let again = world.visitor();
    sign_in(&again, ALICE, PASSWORD);
    assert_eq!(second(&again, &next).status, 403, "no code works twice");
    let typed = recovery[0].to_uppercase().replace('-', " ");
    assert_eq!(
        second(&again, &typed).status,
        303,
        "a recovery code, however typed"
    );
    let again = world.visitor();
    sign_in(&again, ALICE, PASSWORD);
    assert_eq!(second(&again, &recovery[0]).status, 403, "once");
}

#[test]
fn w4_four_wrong_codes_are_too_many() {
    let Some(world) = World::new("login-codes", "") else {
        return;
    };
    let recovery = with_second_factor(&world).recovery;
    let again = world.visitor();
    sign_in(&again, ALICE, PASSWORD);
    for number in 0..8 {
        let answer = second(&again, &format!("{number:06}"));
        if answer.status == 429 {
            assert!(answer.field("retry-after").is_some());
            assert_eq!(
                second(&again, &recovery[1]).status,
                429,
                "the right one, too"
            );
            let log = audit_when(&world, "too many wrong second factors");
            let told = log.iter().find(|line| text_of(line).contains("too many"));
            assert_eq!(told.unwrap()["organisation"], "example");
            return;
        }
        assert_eq!(answer.status, 403, "{number}");
        assert!(number < 4, "four wrong ones are too many");
    }
    panic!("never too many");
}

#[test]
fn invitations_work_once() {
    let Some(world) = World::new("login-invited", "") else {
        return;
    };
    let link = world.link(&[
        "user",
        "create",
        "ina@example.com",
        "--organisation",
        "example",
    ]);
    let visitor = world.visitor();
    assert!(visitor.get(&link).text().contains("ina@example.com"));
    let set = |visitor: &Visitor, password: &str| {
        let form = [("password", password), ("again", password)];
        visitor.ask(&Request::new("POST", &link).form(&form))
    };
    assert_eq!(set(&visitor, "too short").status, 422);
    assert_eq!(set(&visitor, PASSWORD).status, 303);
    assert!(is_in(&visitor) && visitor.get("/o/example/users").status == 200);
    assert_eq!(world.visitor().get(&link).status, 404);
    assert_eq!(set(&world.visitor(), "another password").status, 404);
    world.signed_in("ina@example.com");
}

/// Alice invites somebody.
fn invite(alice: &Visitor, name: &str) -> Answer {
    let body = json!({"name": name, "role": "read"});
    call(alice, "POST", "/organisations/example/invitations", &body)
}

fn link_in(answer: &Answer) -> String {
    path_of(answer.json()["link"].as_str().unwrap())
}

#[test]
fn an_invitation_does_not_tell_who_has_an_account() {
    let Some(world) = World::new("login-invites", "") else {
        return;
    };
    let alice = world.signed_in(ALICE);
    let known = invite(&alice, "olga@example.com");
    let unknown = invite(&alice, "nobody@example.com");
    let keys = |answer: &Answer| {
        let all = answer.json();
        all.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!((known.status, keys(&known)), (201, keys(&unknown)));
    let link = link_in(&known);
    // Nobody takes over an account that is there.
    let form = [
        ("password", "a password of mine"),
        ("again", "a password of mine"),
    ];
    let answer = world
        .visitor()
        .ask(&Request::new("POST", &link).form(&form));
    assert_eq!(answer.status, 409);
    let page = alice.get(&link).text();
    assert!(
        page.contains("You are signed in as alice@example.com"),
        "{page}"
    );
    let page = world.visitor().get(&link).text();
    let to_login = |link: &String| link.starts_with("/login?next=");
    assert!(links(&page).iter().any(to_login), "{page}");
    let accept = format!("{link}/accept");
    let answer = alice.post(&accept, "/account", &[]);
    assert_eq!(answer.status, 409, "not hers");
    assert!(
        answer.text().contains("is for olga@example.com"),
        "{}",
        answer.text()
    );
    let olga = world.signed_in("olga@example.com");
    let before = session(&olga);
    assert_eq!(olga.post(&accept, &link, &[]).status, 303);
    assert_ne!(session(&olga), before, "a new secret, for it may do more");
    assert_eq!(olga.post(&accept, "/account", &[]).status, 404, "once");
}

#[test]
fn an_invitation_is_taken_back_or_its_time_is_over() {
    let Some(world) = World::new("login-late", "") else {
        return;
    };
    let alice = world.signed_in(ALICE);
    let unknown = invite(&alice, "nobody@example.com");
    let link = link_in(&unknown);
    let open = call(
        &alice,
        "GET",
        "/organisations/example/invitations",
        &Value::Null,
    )
    .json();
    let path = format!("/organisations/example/invitations/{}", open[0]["id"]);
    assert_eq!(call(&alice, "DELETE", &path, &Value::Null).status, 204);
    assert_eq!(world.visitor().get(&link).status, 404);
    let late = link_in(&invite(&alice, "late@example.com"));
    assert_eq!(world.visitor().get(&late).status, 200);
    let statement = "UPDATE invitations SET expires = expires - 7 * 86400 - 1";
    database::run(&world.gateway, &json!([[statement, []]]));
    assert_eq!(world.visitor().get(&late).status, 404);
}

#[test]
fn a_new_password_by_link_ends_all_sessions() {
    let Some(world) = World::new("login-reset", "") else {
        return;
    };
    let ina = world.signed_in("olga@example.com");
    let link = world.link(&["user", "reset", "olga@example.com"]);
    let new = [
        ("password", "a new long password"),
        ("again", "a new long password"),
    ];
    let answer = world.visitor().ask(&Request::new("POST", &link).form(&new));
    assert_eq!(answer.field("location"), Some("/login"));
    assert!(!is_in(&ina));
    assert_eq!(
        sign_in(&world.visitor(), "olga@example.com", "a new long password").status,
        303
    );
}

fn no_invitation_takes_the_last_one_away(alice: &Visitor) {
    let body = json!({"name": ALICE, "role": "read"});
    let made = call(alice, "POST", "/organisations/example/invitations", &body);
    let link = link_in(&made);
    let answer = alice.post(&format!("{link}/accept"), &link, &[]);
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert!(
        answer.text().contains("last administrator"),
        "{}",
        answer.text()
    );
}

#[test]
fn the_last_administrator_and_the_last_operator_stay() {
    let Some(world) = World::new("login-last", "") else {
        return;
    };
    let alice = world.signed_in(ALICE);
    let members = call(&alice, "GET", "/organisations/example/users", &Value::Null).json();
    let own = members["items"][0]["id"].clone();
    let member = format!("/organisations/example/users/{own}");
    let answer = call(
        &alice,
        "PUT",
        &format!("{member}/role"),
        &json!({"role": "write"}),
    );
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert_eq!(call(&alice, "DELETE", &member, &Value::Null).status, 409);
    assert_eq!(
        call(
            &alice,
            "DELETE",
            "/organisations/example/users/999",
            &Value::Null
        )
        .status,
        404
    );
    no_invitation_takes_the_last_one_away(&alice);
    let olga = world.signed_in("olga@example.com");
    let users = call(&olga, "GET", "/users?search=olga", &Value::Null).json();
    let person = format!("/users/{}", users["items"][0]["id"]);
    for change in [json!({"operator": false}), json!({"disabled": true})] {
        assert_eq!(
            call(&olga, "PATCH", &person, &change).status,
            409,
            "{change}"
        );
    }
    assert_eq!(call(&olga, "DELETE", &person, &Value::Null).status, 409);
    assert_eq!(
        call(&alice, "GET", "/users", &Value::Null).status,
        404,
        "for operators only"
    );
    let made = call(
        &olga,
        "POST",
        "/resellers",
        &json!({"name": "Reseller GmbH"}),
    );
    assert_eq!(made.status, 201, "{}", made.text());
    let assigned = json!({"organisation": "example", "reseller": made.json()});
    assert_eq!(
        call(&olga, "POST", "/resellers/assign", &assigned).status,
        204
    );
    let resellers = call(&olga, "GET", "/resellers", &Value::Null).json();
    assert_eq!(resellers[0]["organisations"], json!(["example"]));
    let path = format!("/resellers/{}", made.json());
    assert_eq!(
        call(&olga, "DELETE", &path, &Value::Null).status,
        409,
        "it has one"
    );
    let log = world.gateway.json(&["audit"]).to_string();
    for line in [
        "make reseller Reseller GmbH",
        "reseller Reseller GmbH books",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
}

/// An administrator can make an account under a foreign name by opening his own invitation. Nothing that is given to that name later
/// is his: it waits for a link, which goes to the address, and accounts say whose invitation made them.
#[test]
fn what_is_given_to_a_name_waits_for_its_owner() {
    let Some(world) = World::new("login-squatter", "") else {
        return;
    };
    let alice = world.signed_in(ALICE);
    let victim = "victim@else.example";
    let squatter = world.visitor();
    let form = [("password", PASSWORD), ("again", PASSWORD)];
    let own = Request::new("POST", &link_in(&invite(&alice, victim))).form(&form);
    assert_eq!(squatter.ask(&own).status, 303);
    let olga = world.signed_in("olga@example.com");
    let found =
        || call(&olga, "GET", "/users?search=victim", &Value::Null).json()["items"][0].clone();
    assert_eq!(found()["invited_by"], "example");
    let page = unescaped(&olga.get("/system/users?search=victim").text());
    assert!(
        page.contains("invitation of the organisation example"),
        "{page}"
    );

    let reseller = call(&olga, "POST", "/resellers", &json!({"name": "R"})).json();
    let person = format!("/users/{}", found()["id"]);
    for change in [json!({"operator": true}), json!({"reseller": reseller})] {
        let answer = call(&olga, "PATCH", &person, &change);
        assert_eq!(answer.json()["code"], "by-invitation", "{}", answer.text());
    }
    assert_eq!(
        call(&olga, "POST", "/invitations", &json!({"name": victim})).status,
        201
    );
    let form = [("name", victim), ("reseller", "")];
    let shown = olga.post("/system/users/invite", "/system/users", &form);
    assert!(shown.text().contains("/invitation/"), "{}", shown.text());
    assert!(
        world
            .gateway
            .command(&["organisation", "create", "beta"])
            .good
    );
    let grant = [
        "user",
        "grant",
        victim,
        "--organisation",
        "beta",
        "--role",
        "admin",
    ];
    let link = world.link(&grant);
    let person = found();
    assert_eq!(person["operator"], false, "{person}");
    assert_eq!(person["roles"].as_array().unwrap().len(), 1, "{person}");
    assert_eq!(squatter.get("/o/beta/users").status, 404);
    // Whoever has both, the link and the account, accepts it.
    assert_eq!(
        squatter.post(&format!("{link}/accept"), &link, &[]).status,
        303
    );
    assert_eq!(squatter.get("/o/beta/users").status, 200);
    let at_once = [&grant[..3], &["--operator", "--at-once"]].concat();
    world.gateway.json(&at_once);
    assert_eq!(found()["operator"], true);
    // What an organisation is told of its members is what concerns it.
    let members = call(&alice, "GET", "/organisations/example/users", &Value::Null).json();
    let keys: Vec<&String> = members["items"][0].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "has_second_factor",
            "id",
            "is_self",
            "name",
            "role",
            "since"
        ]
    );
}

#[test]
fn w12_tokens_are_hashed_scoped_and_end() {
    let Some(world) = World::new("login-tokens", "") else {
        return;
    };
    let alice = world.signed_in(ALICE);
    let tokens = "/organisations/example/tokens";
    let make = |role: &str, days: i64| {
        let body = json!({"name": format!("{role} of a script"), "role": role, "days": days});
        call(&alice, "POST", tokens, &body)
    };
    for days in [0, 367, -1] {
        assert_eq!(make("read", days).status, 422, "{days} days");
    }
    let (reads, admin) = (make("read", 1).json(), make("admin", 366).json());
    let script = |made: &Value| Visitor::with_token(world.portal, made["secret"].as_str().unwrap());
    let (reader, writer) = (script(&reads), script(&admin));
    assert!(reads["secret"].as_str().unwrap().starts_with("sgt_"));
    assert_eq!(
        reader.get("/api/v1/organisations/example/mailboxes").status,
        200
    );
    assert_eq!(
        reader.get("/api/v1/organisations/example/tokens").status,
        403
    );
    assert_eq!(
        writer.get("/api/v1/organisations/example/tokens").status,
        200
    );
    assert_eq!(writer.get("/api/v1/users").status, 404);
    let own = reader.get("/api/v1/account").json();
    assert_eq!(
        (&own["is_token"], &own["operator"]),
        (&json!(true), &json!(false))
    );
    let change = Request::new("PUT", "/api/v1/account/password").json(&json!({"new": PASSWORD}));
    assert_eq!(reader.ask(&change).status, 403, "a token has no account");
    let list = call(&alice, "GET", tokens, &Value::Null);
    let secret = reads["secret"].as_str().unwrap();
    assert!(!list.text().contains(secret) && list.json()["items"][0]["used"].is_string());
    let rows = database::run(&world.gateway, &json!([["SELECT * FROM api_tokens", []]]));
    assert!(!rows.to_string().contains(&secret[4..]), "hashed");
    let path = format!("{tokens}/{}", reads["id"]);
    assert_eq!(call(&alice, "DELETE", &path, &Value::Null).status, 204);
    assert_eq!(
        reader.get("/api/v1/organisations/example/mailboxes").status,
        401
    );
    let statement = "UPDATE api_tokens SET expires = expires - 366 * 86400";
    database::run(&world.gateway, &json!([[statement, []]]));
    assert_eq!(writer.get("/api/v1/account").status, 401, "expired");
    let log = world.gateway.json(&["audit"]).to_string();
    for text in [
        "make API token read of a script",
        "revoke API token read of a script",
    ] {
        assert!(log.contains(text), "{text}");
    }
    // Row W7: no secret in log, audit log or database.
    let all = world.gateway.log() + &log;
    for secret in [PASSWORD, secret, &session(&alice)] {
        assert!(!all.contains(secret));
    }
}

/// A server that vouches, for OpenID Connect: what it does wrong stands in its file `mode`. Arguments: directory, port.
const ISSUER: &str = r#"
import base64, hashlib, hmac, http.server, json, os, subprocess, sys, time, urllib.parse
place, port = sys.argv[1], int(sys.argv[2])
issuer = f"http://127.0.0.1:{port}"
codes = {}
def text(octets): return base64.urlsafe_b64encode(octets).decode().rstrip("=")
def mode(): return open(place + "/mode").read().strip()
def modulus():
    out = subprocess.run(["openssl", "rsa", "-in", place + "/key.pem", "-noout", "-modulus"], capture_output=True, check=True).stdout
    return bytes.fromhex(out.decode().strip().split("=")[1])
def token(nonce):
    wrong, now = mode(), int(time.time())
    header = {"alg": "PS256" if wrong == "pss" else "RS256", "kid": "k1"}
    claims = {"iss": issuer, "aud": "sealgate", "sub": "ida-1", "nonce": nonce, "iat": now, "exp": now + 300,
              "email": "ida@example.com", "email_verified": True}
    if wrong == "iss": claims["iss"] = "http://evil.example"
    if wrong == "aud": claims["aud"] = "another"
    if wrong == "azp": claims["azp"] = "another"
    if wrong == "nonce": claims["nonce"] = "another"
    if wrong == "expired": claims["exp"] = now - 300
    if wrong == "early": claims["nbf"] = now + 300
    if wrong == "stranger": claims.update(sub="stranger", email="stranger@example.com")
    if wrong == "unverified": claims.update(sub="somebody", email_verified=False)
    if wrong == "taken": claims.update(sub="somebody", email="alice@example.com")
    if wrong == "kid": header["kid"] = "k2"
    if wrong == "none": header["alg"] = "none"
    if wrong == "hs256": header["alg"] = "HS256"
    signed = (text(json.dumps(header).encode()) + "." + text(json.dumps(claims).encode())).encode()
    if wrong == "none": return signed.decode() + "."
    if wrong == "hs256":
        public = subprocess.run(["openssl", "rsa", "-in", place + "/key.pem", "-pubout"], capture_output=True, check=True).stdout
        return signed.decode() + "." + text(hmac.new(public, signed, hashlib.sha256).digest())
    key = "/other.pem" if wrong == "key" else "/key.pem"
    more = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"] if wrong == "pss" else []
    made = subprocess.run(["openssl", "dgst", "-sha256", "-sign", place + key] + more, input=signed, capture_output=True, check=True)
    return signed.decode() + "." + text(made.stdout)
class Server(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def say(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        path, _, query = self.path.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        if path == "/.well-known/openid-configuration":
            return self.say(200, {"issuer": issuer, "authorization_endpoint": issuer + "/authorize",
                                  "token_endpoint": issuer + "/token", "jwks_uri": issuer + "/keys"})
        if path == "/keys":
            return self.say(200, {"keys": [{"kty": "RSA", "use": "sig", "kid": "k1", "e": "AQAB", "n": text(modulus())}]})
        code = os.urandom(8).hex()
        codes[code] = asked
        self.send_response(302)
        back = {"code": code, "state": asked["state"]}
        if mode() == "mixed": back["iss"] = "http://evil.example"
        self.send_header("Location", asked["redirect_uri"] + "?" + urllib.parse.urlencode(back))
        self.send_header("Content-Length", "0")
        self.end_headers()
    def do_POST(self):
        sent = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        asked = codes.pop(sent.get("code"), None)
        basic = base64.b64decode(self.headers["Authorization"].split()[1]).decode()
        proven = asked and text(hashlib.sha256(sent["code_verifier"].encode()).digest()) == asked["code_challenge"]
        if not proven or basic != "sealgate:the+secret" or sent["redirect_uri"] != asked["redirect_uri"] or asked["code_challenge_method"] != "S256":
            return self.say(400, {"error": "invalid_grant"})
        self.say(200, {"access_token": "x", "token_type": "Bearer", "id_token": token(asked["nonce"])})
http.server.ThreadingHTTPServer(("127.0.0.1", port), Server).serve_forever()
"#;

struct Issuer {
    directory: Directory,
    address: SocketAddr,
    child: Child,
}

impl Issuer {
    fn start() -> Option<Self> {
        if !present(&["openssl"]) {
            return None;
        }
        let directory = Directory::new("issuer");
        let place = shown(directory.path());
        for key in ["key.pem", "other.pem"] {
            let file = format!("{place}/{key}");
            must_run("openssl", &["genrsa", "-out", &file, "2048"], b"");
        }
        directory.file("mode", "good");
        let secret = directory.file("secret", "the secret\n");
        must_run("chmod", &["600", &shown(&secret)], b"");
        let address = free_address();
        let child = Command::new(python())
            .args(["-c", ISSUER, &place, &address.port().to_string()])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let end = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(address).is_err() {
            assert!(Instant::now() < end, "the issuer did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self {
            directory,
            address,
            child,
        })
    }

    fn configuration(&self) -> String {
        format!(
            "[portal.oidc]\nissuer = \"http://{}\"\nclient-id = \"sealgate\"\nclient-secret-file = {:?}\nname = \"Example\"\n",
            self.address,
            shown(&self.directory.path().join("secret"))
        )
    }

    fn does(&self, mode: &str) {
        self.directory.file("mode", mode);
    }

    /// A browser that goes there and comes back, while the server does this wrong.
    fn comes(&self, world: &World, mode: &str) -> (Visitor, Answer) {
        self.does(mode);
        let visitor = world.visitor();
        let answer = visitor.get(&self.visit(&visitor));
        (visitor, answer)
    }

    /// The way of a browser there and back; the address it comes back to.
    fn visit(&self, visitor: &Visitor) -> String {
        self.visit_from(visitor, "/login/oidc?next=%2Faccount")
    }

    /// The same, from this address of ours.
    fn visit_from(&self, visitor: &Visitor, page: &str) -> String {
        let away = visitor.get(page);
        assert_eq!(away.status, 303, "{}", away.text());
        let there = away.field("location").unwrap().to_owned();
        assert!(there.contains("code_challenge_method=S256") && there.contains("state="));
        let back = Visitor::new(self.address).get(&path_of(&there));
        path_of(back.field("location").unwrap())
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn refused(what: &str, answer: &Answer, visitor: &Visitor) {
    assert_eq!(answer.status, 403, "{what}: {}", answer.text());
    assert!(session(visitor).is_empty() && !is_in(visitor), "{what}");
}

#[test]
fn tokens_of_another_server_that_do_not_hold() {
    let Some(issuer) = Issuer::start() else {
        return;
    };
    let Some(world) = World::new("login-oidc", &issuer.configuration()) else {
        return;
    };
    let comes = |mode: &str| issuer.comes(&world, mode);
    let page = world.visitor().get("/login").text();
    assert!(page.contains("Sign in with Example"));
    assert!(
        links(&page)
            .iter()
            .any(|link| link.starts_with("/login/oidc"))
    );
    for mode in ["good", "stranger"] {
        let (visitor, answer) = comes(mode);
        refused("nobody invited them", &answer, &visitor);
        assert!(unescaped(&answer.text()).contains("no open invitation"));
    }
    world.link(&[
        "user",
        "create",
        "ida@example.com",
        "--organisation",
        "example",
    ]);
    for mode in [
        "iss",
        "aud",
        "azp",
        "nonce",
        "expired",
        "early",
        "kid",
        "none",
        "hs256",
        "key",
        "mixed",
        "unverified",
    ] {
        let (visitor, answer) = comes(mode);
        refused(mode, &answer, &visitor);
    }
    // The account of somebody who signs in by password is not given to another server.
    world.link(&[
        "user",
        "create",
        "carl@example.com",
        "--organisation",
        "example",
    ]);
    let (visitor, answer) = comes("taken");
    refused("an account with a password", &answer, &visitor);
}

#[test]
fn another_server_vouches_once_for_one_browser() {
    let Some(issuer) = Issuer::start() else {
        return;
    };
    let more = format!("{PROXY}{}", issuer.configuration());
    let Some(world) = World::new("login-oidc-ways", &more) else {
        return;
    };
    let comes = |mode: &str| issuer.comes(&world, mode);
    let grant = [
        "user",
        "create",
        "ida@example.com",
        "--organisation",
        "example",
    ];
    world.link(&grant);
    issuer.does("good");
    let visitor = world.visitor();
    let back = issuer.visit(&visitor);
    let changed = |from: &str, to: &str| {
        let (path, query) = back.split_once('?').unwrap();
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) if name == from => format!("{name}={}", quoted(to)),
            _ => pair.to_owned(),
        });
        format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
    };
    let elsewhere = world.visitor();
    refused("another browser", &elsewhere.get(&back), &elsewhere);
    let thief = visitor.clone();
    refused("another state", &thief.get(&changed("state", "x")), &thief);
    refused("the same once more", &visitor.get(&back), &visitor);
    let visitor = world.visitor();
    let back = issuer.visit(&visitor);
    let answer = visitor.get(&back);
    assert_eq!(
        answer.field("location"),
        Some("/account"),
        "{}",
        answer.text()
    );
    assert!(is_in(&visitor) && visitor.get("/o/example/users").status == 200);
    let replayed = visitor.clone();
    replayed.cookies.lock().unwrap().remove("sealgate");
    refused("a code a second time", &replayed.get(&back), &replayed);
    let error = world.visitor();
    let denied = issuer.visit(&error);
    let denied = denied.replace("code=", "error=access_denied&x=");
    refused("the server says no", &error.get(&denied), &error);

    for mode in ["good", "pss"] {
        let (again, _) = comes(mode);
        assert!(is_in(&again), "known from then on: {mode}");
    }
    let foreign = world.visitor();
    let back = issuer.visit_from(&foreign, "/login/oidc?next=https%3A%2F%2Fevil.example%2F");
    assert_eq!(foreign.get(&back).field("location"), Some("/"));
    // One network does not fill the memory with sign-ins that nobody finishes.
    let begin = |source: &str| {
        let request = Request::new("GET", "/login/oidc").field("x-forwarded-for", source);
        world.visitor().ask(&request).status
    };
    let begun: Vec<u16> = (0..52).map(|_| begin("203.0.113.7")).collect();
    assert!(begun[..50].iter().all(|status| *status == 303), "{begun:?}");
    assert_eq!(begun[50..], [429, 429]);
    assert_eq!(begin("203.0.113.8"), 303);
    world.gateway.json(&["user", "disable", "ida@example.com"]);
    let (visitor, answer) = comes("good");
    refused("disabled", &answer, &visitor);
    assert!(!world.gateway.log().contains("the secret"));
    assert_eq!(unquoted("%41"), "A");
}

#[test]
fn quickstart_leads_to_the_portal_and_overwrites_nothing() {
    let Some(binary) = program() else {
        return;
    };
    let directory = Directory::new("quickstart");
    let place = directory.path().join("new");
    let config = shown(&place.join("sealgate.toml"));
    let data = shown(&place.join("data"));
    let [inbound, outbound, portal] = [0; 3].map(|_| free_address().to_string());
    let words = [
        "quickstart",
        "olga@example.com",
        "--organisation",
        "example",
        "--config",
        &config,
        "--data",
        &data,
        "--inbound",
        &inbound,
        "--outbound",
        &outbound,
        "--portal",
        &portal,
    ];
    let binary = shown(&binary);
    let bad = [&words[..], &["--hostname", "no good name"]].concat();
    assert!(!run(&binary, &bad, b"").good);
    assert!(!place.exists(), "what fails leaves nothing");
    let ran = run(&binary, &words, b"");
    assert!(ran.good, "{}", ran.err);
    let told = String::from_utf8(ran.out).unwrap();
    let link = told
        .split_whitespace()
        .find(|word| word.contains("/invitation/"))
        .unwrap();
    assert!(
        told.contains(&format!("sealgate serve --config {config}")),
        "{told}"
    );
    for (file, mode) in [("master.key", "600"), ("data", "700")] {
        let path = shown(&place.join(file));
        let out = must_run("stat", &["-c", "%a", &path], b"");
        assert_eq!(String::from_utf8(out).unwrap().trim(), mode, "{file}");
    }
    let before = std::fs::read(place.join("sealgate.toml")).unwrap();
    let again = run(&binary, &words, b"");
    assert!(
        !again.good && again.err.contains("is there already"),
        "{}",
        again.err
    );
    assert_eq!(std::fs::read(place.join("sealgate.toml")).unwrap(), before);
    assert!(run(&binary, &["check", "--config", &config], b"").good);

    let mut child = Command::new(&binary)
        .args(["serve", "--config", &config])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let address: SocketAddr = portal.parse().unwrap();
    let end = Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(address).is_err() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(50));
    }
    let visitor = Visitor::new(address);
    let form = [("password", PASSWORD), ("again", PASSWORD)];
    let answer = visitor.ask(&Request::new("POST", &path_of(link)).form(&form));
    let users = visitor.get("/system/users").status;
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((answer.status, users), (303, 200));
}
