//! What administrators, resellers and the operator do in the portal beside mail: switches, licences, organisations, events, the
//! audit log (row W11), webhooks (row W12), and whether the gateway is well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use e2e::place::PATIENCE;
use e2e::portal::database;
use e2e::portal::http::{Answer, Request, Visitor};
use e2e::portal::people::{person, settle};
use e2e::portal::world::{ALPHA, BETA, World};
use e2e::program::must_run;
use e2e::web::{self, Web};
use serde_json::{Value, json};

fn world(name: &str) -> Option<World> {
    let mut world = World::configured(name)?;
    settle(&world);
    world.gateway.start();
    Some(world)
}

fn call(visitor: &Visitor, method: &str, path: &str, body: &Value) -> Answer {
    let mut request = Request::new(method, &format!("/api/v1{path}"));
    if !body.is_null() {
        request = request.json(body);
    }
    visitor.ask(&request)
}

fn got(visitor: &Visitor, path: &str) -> Value {
    let answer = call(visitor, "GET", path, &Value::Null);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

#[test]
fn switches_are_shown_changed_and_refused() {
    let Some(world) = world("portal-switches") else {
        return;
    };
    let admin = person("admin@zqalpha.example").visits(&world);
    let token = person("zqalpha-admin").visits(&world);
    let settings = format!("/organisations/{ALPHA}/settings");
    let value = |name: &str| {
        let all = got(&token, &settings);
        let mut own = all
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["name"] == name);
        own.next().unwrap()["value"].clone()
    };
    assert_eq!(value("subject-tags"), "on");
    let page = format!("/o/{ALPHA}/settings");
    let shown = admin.get(&page).text();
    assert!(
        shown.contains("name=\"subject-tags\" value=\"on\" checked"),
        "{shown}"
    );

    // Boxes that are not ticked are not sent: they are off then.
    let chosen = [
        ("language", "de"),
        ("calendar", "sign-only"),
        ("tnef", "leave"),
        ("revocation", "hard"),
        ("smimea", "with-path"),
        ("journal-days", "30"),
        ("public-roots", "on"),
    ];
    let saved = admin.post(&page, &page, &chosen);
    assert_eq!(saved.status, 303, "{}", saved.text());
    for (name, expected) in chosen
        .into_iter()
        .chain([("subject-tags", "off"), ("neutralise", "off")])
    {
        assert_eq!(value(name), expected, "{name}");
    }
    // What is refused changes nothing, and says why.
    for (switches, word) in [
        (
            json!([{ "name": "legacy", "value": "on" }, { "name": "colour", "value": "red" }]),
            "colour",
        ),
        (json!([{ "name": "legacy", "value": "perhaps" }]), "legacy"),
        (
            json!([{ "name": "journal-days", "value": "31" }]),
            "journal-days",
        ),
    ] {
        let refused = call(&token, "PATCH", &settings, &switches);
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert!(refused.text().contains(word), "{}", refused.text());
        assert_eq!(value("legacy"), "off");
    }
    let audit = got(&token, &format!("/organisations/{ALPHA}/audit"));
    let newest = &audit["items"][0];
    assert_eq!(newest["who"], "admin@zqalpha.example");
    assert!(
        newest["text"].as_str().unwrap().contains("journal-days 30"),
        "{newest}"
    );
}

#[test]
fn licences_are_booked_by_whoever_sells_them() {
    let Some(world) = world("portal-licences") else {
        return;
    };
    let reseller = person("reseller@zqalpha.example").visits(&world);
    let seen = reseller.get("/reseller").text();
    assert!(seen.contains(ALPHA) && !seen.contains(BETA), "{seen}");
    assert_eq!(reseller.get(&format!("/o/{BETA}/licence")).status, 404);
    assert_eq!(reseller.get(&format!("/o/{ALPHA}/mails")).status, 403);

    let page = format!("/o/{ALPHA}/licence");
    let booked = reseller.post(
        &page,
        &page,
        &[("base", "50"), ("smime", "30"), ("until", "2031-03-31")],
    );
    assert_eq!(booked.status, 303, "{}", booked.text());
    let page = reseller.get(&page).text();
    for part in ["value=\"50\"", "value=\"30\"", "value=\"2031-03-31\""] {
        assert!(page.contains(part), "{part} in {page}");
    }
    // S8, and days that are none.
    let operator = person("operator-token").visits(&world);
    let licence = format!("/organisations/{ALPHA}/licence");
    for body in [
        json!({ "base": 5, "smime": 6 }),
        json!({ "base": 5, "smime": 5, "until": "2031-02-30" }),
        json!({ "base": 5, "smime": -1 }),
    ] {
        let refused = call(&operator, "PUT", &licence, &body);
        assert_eq!(refused.status, 422, "{}", refused.text());
    }
    assert_eq!(got(&operator, &licence)["booked"]["smime"], 30);
    // S9: the organisation sees the count and cannot correct it.
    let admin = person("zqalpha-admin").visits(&world);
    assert_eq!(
        call(
            &admin,
            "PUT",
            &licence,
            &json!({ "base": 500, "smime": 500 })
        )
        .status,
        403
    );
}

#[test]
fn the_operator_makes_organisations_and_sees_how_the_system_is() {
    let Some(world) = world("portal-operator") else {
        return;
    };
    let operator = person("operator@operator.example").visits(&world);
    let page = "/system/organisations";
    let made = operator.post(page, page, &[("name", "zqgamma"), ("language", "de")]);
    assert_eq!(made.status, 303, "{}", made.text());
    assert!(operator.get(page).text().contains("zqgamma"));
    for (name, status) in [
        ("zqgamma", 409),
        ("two words", 409),
        ("", 409),
        ("../x", 409),
    ] {
        let refused = operator.post(page, page, &[("name", name), ("language", "de")]);
        assert_eq!(refused.status, status, "{name}: {}", refused.text());
    }
    let system = operator.get("/system").text();
    assert!(system.contains(env!("CARGO_PKG_VERSION")), "{system}");
    let token = person("operator-token").visits(&world);
    let caught_up = || {
        let system = got(&token, "/system");
        system["nodes"][0]["configuration"] == system["configuration"]
    };
    assert!(wait_for(caught_up), "the gateway loads what was changed");
    let system = got(&token, "/system");
    assert_eq!(system["nodes"][0]["alive"], true);
    assert!(system["free_octets"].as_u64().unwrap() > 1_000_000);

    let anybody = Visitor::new(world.portal);
    for (path, text) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let answer = anybody.get(path);
        assert_eq!((answer.status, answer.text().as_str()), (200, text));
    }
}

#[test]
fn w11_a_line_that_is_missing_or_was_changed_is_found() {
    let Some(world) = world("portal-audit") else {
        return;
    };
    let operator = person("operator-token").visits(&world);
    let chain = || got(&operator, "/system/audit/chain");
    let whole = chain();
    assert_eq!(
        (&whole["done"], &whole["whole"], &whole["broken_at"]),
        (&json!(true), &json!(true), &Value::Null)
    );
    assert_eq!(whole["checked"], whole["lines"]);
    let own = got(
        &operator,
        &format!("/organisations/{ALPHA}/audit?limit=500"),
    );
    let all = got(&operator, "/system/audit?limit=500");
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|line| line["organisation"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(names(&own).iter().all(|name| name == ALPHA) && names(&own).len() > 3);
    assert!(names(&all).iter().any(|name| name == BETA));

    let pages = person("operator@operator.example").visits(&world);
    assert!(
        pages
            .get("/system/audit?check=true")
            .text()
            .contains("is whole")
    );
    database::run(
        &world.gateway,
        &json!([["UPDATE audit SET who = 'nobody' WHERE id = 3", []]]),
    );
    let broken = chain();
    assert_eq!(
        (&broken["done"], &broken["whole"], &broken["broken_at"]),
        (&json!(true), &json!(false), &json!(3))
    );
    database::run(
        &world.gateway,
        &json!([["DELETE FROM audit WHERE id = 2", []]]),
    );
    assert_eq!(chain()["broken_at"], 3);
    let told = pages.get("/system/audit?check=true").text();
    assert!(told.contains("line 3 is missing or was changed"), "{told}");
}

/// Judges a webhook's signature as its receiver does, by the text of Standard Webhooks and with Python's own HMAC.
const JUDGE: &str = r#"
import base64, hashlib, hmac, sys
secret, number, at, body = sys.argv[1:5]
key = base64.b64decode(secret.removeprefix("whsec_"))
tag = hmac.new(key, f"{number}.{at}.{body}".encode(), hashlib.sha256).digest()
print("v1," + base64.b64encode(tag).decode(), end="")
"#;

fn wait_for(what: impl Fn() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    while !what() {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    true
}

/// Every request is the same event of the first organisation, signed.
fn judge(requests: &[web::Request], secret: &str) {
    let ids: Vec<_> = requests
        .iter()
        .map(|one| one.field("webhook-id").unwrap())
        .collect();
    assert!(
        ids.iter().all(|id| *id == ids[0]),
        "the same event under the same number: {ids:?}"
    );
    for request in requests {
        let body = String::from_utf8(request.body.clone()).unwrap();
        let [id, at, signature] = ["webhook-id", "webhook-timestamp", "webhook-signature"]
            .map(|name| request.field(name).unwrap());
        let judged = must_run("python3", &["-c", JUDGE, secret, id, at, &body], b"");
        assert_eq!(String::from_utf8(judged).unwrap(), signature);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["type"], "mailbox-active");
        assert_eq!(body["data"]["organisation"], ALPHA);
        assert_eq!(body["data"]["text"], format!("{ALPHA} mailbox-active"));
    }
}

#[test]
fn w12_webhooks_are_signed_repeated_and_stay_within_their_organisation() {
    let Some(mut world) = World::configured("portal-webhooks") else {
        return;
    };
    let away = Arc::new(AtomicBool::new(true));
    let server = {
        let away = Arc::clone(&away);
        Web::start(move |_| match away.load(Ordering::Relaxed) {
            true => web::Answer::Missing,
            false => web::Answer::Body(Vec::new()),
        })
    };
    settle(&world);
    world.gateway.start();
    let admin = person("zqalpha-admin").visits(&world);
    let webhooks = format!("/organisations/{ALPHA}/webhooks");

    for url in [
        "http://hooks.example.com/",
        "ftp://127.0.0.1/",
        "https://user:word@127.0.0.1/",
        "x",
    ] {
        let refused = call(&admin, "POST", &webhooks, &json!({ "url": url }));
        assert_eq!(refused.status, 422, "{url}: {}", refused.text());
    }
    let new = json!({ "url": server.url("/events"), "kinds": ["mailbox-active", "order-failed"] });
    let made = call(&admin, "POST", &webhooks, &new);
    assert_eq!(made.status, 201, "{}", made.text());
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    assert!(!got(&admin, &webhooks).to_string().contains(&secret));

    // An event of each organisation, and one of a kind that is not asked for.
    for (organisation, kind) in [
        (ALPHA, "mail-held"),
        (BETA, "mailbox-active"),
        (ALPHA, "mailbox-active"),
    ] {
        let sql = "INSERT INTO events (organisation, at, kind, text)
                   SELECT id, 1, ?, ? FROM organisations WHERE name = ?";
        let text = format!("{organisation} {kind}");
        database::run(&world.gateway, &json!([[sql, [kind, text, organisation]]]));
    }
    assert!(
        wait_for(|| server.requests().len() >= 2),
        "a failure is tried again"
    );
    let failed = got(&admin, &webhooks)[0].clone();
    assert!(
        failed["error"].as_str().unwrap().contains("404"),
        "{failed}"
    );
    away.store(false, Ordering::Relaxed);
    assert!(wait_for(|| got(&admin, &webhooks)[0]["error"].is_null()));

    judge(&server.requests(), &secret);
    // Another organisation neither sees nor removes it.
    let id = failed["id"].as_i64().unwrap();
    let other = person("zqbeta-admin").visits(&world);
    assert_eq!(
        got(&other, &format!("/organisations/{BETA}/webhooks")),
        json!([])
    );
    let foreign = format!("/organisations/{BETA}/webhooks/{id}");
    assert_eq!(call(&other, "DELETE", &foreign, &Value::Null).status, 404);
    assert_eq!(
        call(&admin, "DELETE", &format!("{webhooks}/{id}"), &Value::Null).status,
        204
    );
    assert_eq!(got(&admin, &webhooks), json!([]));
    // What the database holds shows neither address nor secret.
    let data = std::fs::read(world.gateway.data().join("sealgate.db")).unwrap();
    let shown = |needle: &[u8]| data.windows(needle.len()).any(|window| window == needle);
    assert!(!shown(secret.as_bytes()) && !shown(b"/events"));
}
