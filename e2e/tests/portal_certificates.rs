//! Certificates, authorities, trust and domains in the portal: what pages and API tell, what can be done there, and that nothing
//! secret comes out (S18, S19, S43 to S49, A12, A16, rows W6 and W7).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use e2e::place::PATIENCE;
use e2e::portal::http::{Answer, Request, Visitor};
use e2e::portal::people::{person, settle};
use e2e::portal::world::{ALPHA, World};
use e2e::program::must_run;
use serde_json::{Value, json};

/// How long orders to the built-in CA may take on a busy machine.
const ISSUED: Duration = PATIENCE;

fn world(name: &str) -> Option<World> {
    let mut world = World::configured(name)?;
    settle(&world);
    world.gateway.start();
    Some(world)
}

fn call(visitor: &Visitor, method: &str, path: &str, body: &Value) -> Answer {
    let path = format!("/api/v1/organisations/{ALPHA}{path}");
    let mut request = Request::new(method, &path);
    if !body.is_null() {
        request = request.json(body);
    }
    visitor.ask(&request)
}

fn got(visitor: &Visitor, path: &str) -> Value {
    done(visitor, "GET", path, &Value::Null)
}

fn done(visitor: &Visitor, method: &str, path: &str, body: &Value) -> Value {
    let answer = call(visitor, method, path, body);
    assert!(
        (200..300).contains(&answer.status),
        "{method} {path}: {}",
        answer.text()
    );
    answer.json()
}

/// The code of the problem that a call ends with.
fn refused(visitor: &Visitor, method: &str, path: &str, body: &Value) -> String {
    let answer = call(visitor, method, path, body);
    assert!(
        (400..500).contains(&answer.status),
        "{method} {path}: {} {}",
        answer.status,
        answer.text()
    );
    answer.json()["code"].as_str().unwrap().to_owned()
}

fn shown(visitor: &Visitor, page: &str) -> String {
    let answer = visitor.get(&format!("/o/{ALPHA}/{page}"));
    assert_eq!(answer.status, 200, "{page}: {}", answer.text());
    answer.text()
}

fn script() -> &'static e2e::portal::people::Person {
    person("zqalpha-admin")
}

fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().unwrap()
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + ISSUED;
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Both languages, the table for spreadsheets, and no way to download anything (S48, A16).
fn and_nothing_leaves(world: &World, api: &Visitor) {
    let all = got(api, "/certificates");
    // Both languages; no way to download anything (S48, A16).
    for (name, words) in [
        (
            "verwalter@zqalpha.example",
            ["Zertifikats-ID", "Aussteller", "Gültig bis", "Herkunft"],
        ),
        (
            "reader@zqalpha.example",
            ["Certificate ID", "Issuer", "Valid until", "Origin"],
        ),
    ] {
        let page = shown(&person(name).visits(world), "certificates");
        for word in words {
            assert!(page.contains(word), "{name}: {word}");
        }
        assert!(page.contains("anna@zqalpha.example"), "{name}");
        assert!(!page.contains("BEGIN CERTIFICATE"), "{name}");
    }
    assert!(!all.to_string().contains("BEGIN"), "{all}");
    // Row W6: the table for spreadsheets.
    let reader = person("reader@zqalpha.example").visits(world);
    let table = reader.get(&format!("/o/{ALPHA}/certificates/export?search=anna"));
    let kind = table.field("content-type").unwrap();
    assert!(kind.starts_with("text/csv"), "{kind}");
    let saved = table.field("content-disposition").unwrap();
    assert!(saved.starts_with("attachment;"), "{saved}");
    let text = table.text();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("anna@zqalpha.example"), "{text}");
}

#[test]
fn certificates_say_when_they_end() {
    let Some(world) = world("portal-certificates") else {
        return;
    };
    let api = script().visits(&world);
    let mailboxes = |query: &str| {
        let found = got(&api, &format!("/certificates{query}"));
        let names = items(&found).iter().map(|one| one["mailbox"].clone());
        let mut names: Vec<String> = names
            .map(|name| name.as_str().unwrap().replace("@zqalpha.example", ""))
            .collect();
        names.sort();
        names.join(" ")
    };
    let all = got(&api, "/certificates");
    let ends: Vec<&str> = items(&all)
        .iter()
        .map(|one| one["until"].as_str().unwrap())
        .collect();
    assert!(ends.is_sorted(), "{ends:?}");
    for (query, expected) in [
        ("", "anna frida"),
        ("?search=ANNA", "anna"),
        ("?within=0", ""),
        ("?within=36500", "anna frida"),
        ("?within=", "anna frida"),
        ("?issuer=CN%3Dnobody", ""),
    ] {
        assert_eq!(mailboxes(query), expected, "{query}");
    }
    let anna = items(&all)
        .iter()
        .find(|one| one["mailbox"] == "anna@zqalpha.example")
        .unwrap();
    assert_eq!(
        (&anna["origin"], &anna["authority"], &anna["key"]),
        (&json!("uploaded"), &Value::Null, &json!("p256"))
    );
    let issuer = e2e::portal::http::quoted(anna["issuer"].as_str().unwrap());
    assert_eq!(mailboxes(&format!("?issuer={issuer}")), "anna");
    // Page after page.
    let first = got(&api, "/certificates?limit=1");
    let next = first["next"].as_str().unwrap();
    let second = got(&api, &format!("/certificates?limit=1&after={next}"));
    assert_ne!(first["items"], second["items"]);
    assert_eq!(items(&second).len(), 1);
    let counts = got(&api, "/certificates/counts");
    assert_eq!(
        (&counts["all"], &counts["over"]),
        (&json!(2), &json!(0)),
        "{counts}"
    );
    and_nothing_leaves(&world, &api);
}

/// Signs a request with the authority of the partners, as an administrator has it done elsewhere.
fn certified(world: &World, csr: &str, address: &str) -> String {
    let directory = world.gateway.directory();
    let request = directory.file("portal.csr", csr.as_bytes());
    let extensions = format!(
        "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature,keyEncipherment\n\
         extendedKeyUsage=emailProtection\nsubjectAltName=email:{address}\n"
    );
    let extensions = directory.file("portal.ext", extensions.as_bytes());
    let authority = &world.alpha.partner;
    let arguments: Vec<String> = [
        "x509",
        "-req",
        "-days",
        "90",
        "-set_serial",
        "4711",
        "-in",
        &e2e::keys::shown(&request),
        "-CA",
        &e2e::keys::shown(&authority.certificate),
        "-CAkey",
        &e2e::keys::shown(&authority.key),
        "-extfile",
        &e2e::keys::shown(&extensions),
    ]
    .map(str::to_owned)
    .to_vec();
    String::from_utf8(must_run("openssl", &arguments, b"")).unwrap()
}

/// An order that is taken back, and a certificate without an authority here (A12).
fn the_others_end(world: &World, api: &Visitor, frida: i64) {
    let writer = person("writer@zqalpha.example").visits(world);
    let page = format!("/o/{ALPHA}/certificates/orders/{frida}");
    // The other one is taken back.
    let back = format!("/o/{ALPHA}/certificates/orders/{frida}/withdraw");
    let answer = writer.post(&back, &page, &[]);
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(got(api, &format!("/orders/{frida}"))["state"], "withdrawn");
    assert!(items(&got(api, "/orders")).is_empty());
    assert!(items(&got(api, "/orders?show=all")).len() >= 2);
    // Gustav's uploaded certificate has no authority here (A12).
    let waits = got(api, "/revocations");
    assert_eq!(items(&waits).len(), 1, "{waits}");
    let one = &items(&waits)[0];
    assert_eq!(
        (&one["authority"], &one["confirmed"]),
        (&Value::Null, &Value::Null)
    );
    let page = shown(&writer, "certificates/revocations");
    assert!(page.contains("What waits for you"), "{page}");
    let answer = writer.post(
        &format!("/o/{ALPHA}/certificates/revocations/confirm"),
        &format!("/o/{ALPHA}/certificates/revocations"),
        &[("mailbox", one["mailbox"].as_str().unwrap())],
    );
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(items(&got(api, "/revocations")).is_empty());
    assert!(got(api, "/revocations?all=true")["items"][0]["confirmed"].is_string());
}

#[test]
fn orders_are_carried_withdrawn_and_revoked_by_hand() {
    let Some(world) = world("portal-orders") else {
        return;
    };
    let api = script().visits(&world);
    let writer = person("writer@zqalpha.example").visits(&world);
    let reader = person("reader@zqalpha.example").visits(&world);
    let open = got(&api, "/orders");
    let order_of = |local: &str| {
        let own = items(&open)
            .iter()
            .find(|one| one["mailbox"] == format!("{local}@zqalpha.example"));
        own.unwrap()["id"].as_i64().unwrap()
    };
    let (emil, frida) = (order_of("emil"), order_of("frida"));
    let request = |id: i64| got(&api, &format!("/orders/{id}/request"))["csr"].clone();
    until("its key is made", || request(emil).is_string());
    let csr = request(emil).as_str().unwrap().to_owned();
    let place = format!("certificates/orders/{emil}");
    for visitor in [&writer, &reader] {
        let page = shown(visitor, &place);
        assert!(page.contains("BEGIN CERTIFICATE REQUEST"), "{page}");
    }
    assert!(!shown(&reader, &place).contains("type=\"file\""));
    // What is no certificate, or one for another key, is refused; the order waits on.
    let chain = |text: &str| json!({ "chain": text });
    let hand_in = format!("/orders/{emil}/chain");
    let foreign = std::fs::read_to_string(&world.alpha.anna.certificate).unwrap();
    for text in ["", "nothing", &foreign] {
        assert_eq!(refused(&api, "POST", &hand_in, &chain(text)), "invalid");
    }
    assert_eq!(
        call(&reader, "POST", &hand_in, &chain(&foreign)).status,
        403
    );
    let good = certified(&world, &csr, "emil@zqalpha.example");
    let page = format!("/o/{ALPHA}/{place}");
    let csrf = writer.csrf(&page);
    let upload = Request::new("POST", &format!("{page}/chain"))
        .upload(&[("csrf", csrf.as_bytes()), ("file", good.as_bytes())]);
    let answer = writer.ask(&upload);
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(got(&api, &format!("/orders/{emil}"))["state"], "issued");
    assert!(shown(&writer, &place).contains("The certificate is stored."));
    let ended = refused(&api, "POST", &hand_in, &chain(&good));
    assert_eq!(ended, "not-found");
    the_others_end(&world, &api, frida);
}

/// By the pages: the preview names the consequence in its button, nothing is ordered before.
fn ordered_by_the_pages(world: &World, api: &Visitor) {
    let writer = person("writer@zqalpha.example").visits(world);
    let form = format!("/o/{ALPHA}/certificates/reissue");
    let values = [
        ("all", "true"),
        ("revoke", "true"),
        ("key", "p256"),
        ("authority", "built-in"),
    ];
    let preview = writer.post(&format!("{form}/preview"), &form, &values);
    assert_eq!(preview.status, 200, "{}", preview.text());
    let text = preview.text();
    assert!(
        text.contains("Order 2 new certificates, revoke 1 present one"),
        "{text}"
    );
    let all = got(api, "/orders?show=all");
    let ordered = writer.post(&form, &form, &values);
    assert_eq!(ordered.status, 303, "{}", ordered.text());
    let batch = ordered.field("location").unwrap().to_owned();
    assert!(batch.contains("/certificates/batches/"), "{batch}");
    let id: i64 = batch.rsplit('/').next().unwrap().parse().unwrap();
    until("the batch is done", || {
        got(api, &format!("/batches/{id}"))["issued"] == 2
    });
    let page = writer.get(&batch).text();
    assert!(page.contains("2 of 2 done"), "{page}");
    assert!(!page.contains("data-refresh"), "{page}");
    assert_eq!(
        items(&got(api, "/orders?show=all")).len(),
        items(&all).len() + 2
    );
    assert_eq!(items(&got(api, &format!("/orders?batch={id}"))).len(), 2);
    assert_eq!(got(api, "/batches")["items"][0]["id"], id);
    let anna = got(api, "/certificates?search=anna");
    assert_eq!(anna["items"][0]["origin"], "issued", "{anna}");
    let revoked = got(api, "/revocations?all=true");
    let of_frida = items(&revoked)
        .iter()
        .find(|one| one["mailbox"] == "frida@zqalpha.example");
    assert_eq!(
        of_frida.map(|one| &one["reason"]),
        Some(&json!("superseded")),
        "{revoked}"
    );
}

#[test]
fn new_certificates_for_many_mailboxes() {
    let Some(world) = world("portal-reissue") else {
        return;
    };
    let api = script().visits(&world);
    // Frida's next one is on order already, so that only Anna's can be ordered.
    for (choice, mailboxes) in [
        (json!({ "all": true }), 1),
        (json!({ "within": 36500 }), 1),
        (json!({ "with_key": "p384" }), 0),
        (json!({ "issuer": "CN=nobody" }), 0),
        (
            json!({ "mailboxes": ["anna@zqalpha.example", "boris@zqalpha.example"] }),
            1,
        ),
    ] {
        let found = done(&api, "POST", "/certificates/reissue/preview", &choice);
        assert_eq!(found["mailboxes"], mailboxes, "{choice}: {found}");
        let boris = json!(["boris@zqalpha.example"]);
        let named = choice["mailboxes"].is_array();
        assert_eq!(found["left_out"], if named { boris } else { json!([]) });
    }
    let place = "/certificates/reissue";
    for (body, code) in [
        (json!({ "choice": {} }), "nothing-chosen"),
        (
            json!({ "choice": { "issuer": "CN=nobody" } }),
            "nothing-to-reissue",
        ),
        (
            json!({ "choice": { "all": true }, "authority": "nobody" }),
            "invalid",
        ),
        (
            json!({ "choice": { "all": true }, "key": "rsa2048" }),
            "invalid",
        ),
        (
            json!({ "choice": { "all": true }, "per_minute": 0 }),
            "invalid",
        ),
    ] {
        assert_eq!(refused(&api, "POST", place, &body), code, "{body}");
    }
    // With Frida's order taken back, hers can be ordered, too: the built-in CA issued the present one, which can be revoked.
    let open = got(&api, "/orders");
    let of_frida = items(&open)
        .iter()
        .find(|one| one["mailbox"] == "frida@zqalpha.example");
    let withdraw = format!("/orders/{}/withdraw", of_frida.unwrap()["id"]);
    done(&api, "POST", &withdraw, &Value::Null);
    let both = done(
        &api,
        "POST",
        "/certificates/reissue/preview",
        &json!({ "all": true }),
    );
    assert_eq!(
        (&both["mailboxes"], &both["revocable"]),
        (&json!(2), &json!(1))
    );
    ordered_by_the_pages(&world, &api);
    // Who may only read orders nothing.
    let reader = person("reader@zqalpha.example").visits(&world);
    assert_eq!(
        call(
            &reader,
            "POST",
            place,
            &json!({ "choice": { "all": true } })
        )
        .status,
        403
    );
    assert_eq!(reader.get(&format!("/o/{ALPHA}{place}")).status, 403);
}

/// By the pages: another standard, and the one that is it cannot go.
fn standard_and_removed(world: &World, api: &Visitor) {
    let admin = person("admin@zqalpha.example").visits(world);
    let url = "https://ca.zqalpha.example/directory";
    // By the pages: another standard, and the one that is it cannot go.
    assert_eq!(
        refused(api, "DELETE", "/authorities/built-in", &Value::Null),
        "authority-standard"
    );
    let place = format!("/o/{ALPHA}/authorities");
    let standard = admin.post(&format!("{place}/public/standard"), &place, &[]);
    assert_eq!(standard.status, 303, "{}", standard.text());
    assert!(shown(&admin, "authorities").contains("public is the standard now."));
    let saved = admin.post(
        &place,
        &place,
        &[
            ("name", "public"),
            ("kind", "acme"),
            ("directory", url),
            ("external_account", "zqkid"),
            ("renew_days", "20"),
            ("standard", "true"),
        ],
    );
    assert_eq!(saved.status, 303, "{}", saved.text());
    let all = got(api, "/authorities");
    let public = all
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "public");
    assert_eq!(public.unwrap()["renew_days"], 20);
    // Open orders keep the one by hand; the program goes.
    assert_eq!(
        refused(api, "DELETE", "/authorities/zqalpha-hand", &Value::Null),
        "refused"
    );
    let removed = admin.post(&format!("{place}/program/remove"), &place, &[]);
    assert_eq!(removed.status, 303, "{}", removed.text());
    assert_eq!(
        refused(api, "DELETE", "/authorities/program", &Value::Null),
        "not-found"
    );
    let writer = person("writer@zqalpha.example").visits(world);
    assert_eq!(writer.get(&place).status, 403);
}

/// Settings of an ACME authority.
fn acme(directory: &str, more: Value) -> Value {
    let mut acme = json!({ "directory": directory });
    acme.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({ "kind": "acme", "acme": acme })
}

/// Row W7: what is secret never comes out.
fn secrets_stay_in(world: &World, api: &Visitor) {
    let url = "https://ca.zqalpha.example/directory";
    let account = json!({ "external_account": "zqkid", "external_key": "bWFya2VyLXNlY3JldA", "contact": ["ca@zqalpha.example"] });
    done(api, "PUT", "/authorities/public", &acme(url, account));
    // New settings, the secret not given again.
    let again = acme(
        url,
        json!({ "external_account": "zqkid", "unsigned_challenges": true }),
    );
    done(api, "PUT", "/authorities/public", &again);
    let all = got(api, "/authorities");
    let own = |name: &str| {
        let found = all
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["name"] == name);
        found.unwrap_or_else(|| panic!("{all}")).clone()
    };
    assert_eq!(own("public")["acme"]["external_account"], "zqkid");
    assert_eq!(own("public")["acme"]["unsigned_challenges"], true);
    // What is run on the machine is the operator's.
    assert!(own("program")["command"].is_null());
    let operator = person("operator@operator.example").visits(world);
    let edit = "authorities/program/edit";
    assert!(shown(&operator, edit).contains("/bin/true"));
    assert_eq!(own("built-in")["standard"], true);
    // Row W7: what is secret never comes out.
    let admin = person("admin@zqalpha.example").visits(world);
    for page in [
        "authorities",
        "authorities/public/edit",
        "authorities/new?kind=command",
    ] {
        let text = shown(&admin, page) + &all.to_string();
        assert!(!text.contains("bWFya2VyLXNlY3JldA"), "{page}");
        assert!(!text.contains("account_key"), "{page}");
    }
}

#[test]
fn authorities_keep_their_secrets() {
    let Some(world) = world("portal-authorities") else {
        return;
    };
    let api = script().visits(&world);
    let operator = person("operator-token").visits(&world);
    let url = "https://ca.zqalpha.example/directory";
    let command = json!({ "kind": "command", "command": { "program": "/bin/true" } });
    for (name, body, code) in [
        (
            "public",
            acme("http://ca.zqalpha.example/", json!({})),
            "authority-url",
        ),
        ("public", acme("nothing", json!({})), "authority-url"),
        (
            "public",
            acme(url, json!({ "external_account": "kid" })),
            "authority-account",
        ),
        (
            "public",
            acme(url, json!({ "tls_roots": "nothing" })),
            "invalid",
        ),
        (
            "two%20words",
            json!({ "kind": "by-hand" }),
            "authority-name",
        ),
        ("built-in", json!({ "kind": "by-hand" }), "authority-name"),
        ("new", json!({ "standard": true }), "invalid"),
        (
            "new",
            json!({ "kind": "by-hand", "renew_days": 0 }),
            "invalid",
        ),
        // Whoever names a program runs it for all organisations.
        ("program", command.clone(), "authority-command"),
    ] {
        let place = format!("/authorities/{name}");
        assert_eq!(refused(&api, "PUT", &place, &body), code, "{name} {body}");
    }
    done(&operator, "PUT", "/authorities/program", &command);
    secrets_stay_in(&world, &api);
    standard_and_removed(&world, &api);
}

/// Whether public roots count.
fn the_switch(world: &World, api: &Visitor) {
    let admin = person("admin@zqalpha.example").visits(world);
    let place = format!("/o/{ALPHA}/trust");
    let switched = admin.post(
        &format!("{place}/public-roots"),
        &place,
        &[("trusted", "false")],
    );
    assert_eq!(switched.status, 303);
    assert_eq!(got(api, "/trust")["public_roots"], false);
    done(
        api,
        "PUT",
        "/trust/public-roots",
        &json!({ "public_roots": true }),
    );
    assert_eq!(got(api, "/trust")["public_roots"], true);
    let writer = person("writer@zqalpha.example").visits(world);
    assert_eq!(writer.get(&place).status, 403);
}

#[test]
fn trust_is_given_and_taken() {
    let Some(world) = world("portal-trust") else {
        return;
    };
    let api = script().visits(&world);
    let admin = person("admin@zqalpha.example").visits(&world);
    let trust = got(&api, "/trust");
    assert_eq!(
        (
            trust["roots"].as_array().unwrap().len(),
            &trust["revocation"]
        ),
        (1, &json!("soft"))
    );
    let own = trust["roots"][0]["sha256"].as_str().unwrap().to_owned();
    let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
    let other = read(&world.beta.partner.certificate);
    let leaf = read(&world.alpha.anna.certificate);
    for (path, body, code) in [
        (
            "/trust/roots",
            json!({ "certificates": "nothing" }),
            "no-certificate",
        ),
        (
            "/trust/roots",
            json!({ "certificates": leaf }),
            "not-an-authority",
        ),
        ("/trust/blocked", json!({ "sha256": "12" }), "fingerprint"),
        ("/trust/blocked", json!({}), "block-one-of-two"),
        (
            "/trust/blocked",
            json!({ "sha256": own, "certificate": leaf }),
            "block-one-of-two",
        ),
        (
            "/trust/blocked",
            json!({ "certificate": leaf.clone() + &other }),
            "one-certificate",
        ),
    ] {
        assert_eq!(refused(&api, "POST", path, &body), code, "{path} {body}");
    }
    let place = format!("/o/{ALPHA}/trust");
    let upload = |to: &str, fields: &[(&str, &[u8])]| {
        let csrf = admin.csrf(&place);
        let fields = [&[("csrf", csrf.as_bytes())], fields].concat();
        let answer = admin.ask(&Request::new("POST", &format!("{place}/{to}")).upload(&fields));
        assert_eq!(answer.status, 303, "{to}: {}", answer.text());
    };
    upload("roots", &[("file", other.as_bytes())]);
    let trust = got(&api, "/trust");
    assert_eq!(trust["roots"].as_array().unwrap().len(), 2);
    let reason = "left the company, see <ticket>";
    upload(
        "blocked",
        &[
            ("file", leaf.as_bytes()),
            ("sha256", b""),
            ("reason", reason.as_bytes()),
        ],
    );
    let blocked = got(&api, "/trust")["blocked"].clone();
    let of_anna = blocked
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["reason"] == reason);
    let sha256 = of_anna.unwrap()["sha256"].as_str().unwrap().to_owned();
    assert!(
        of_anna.unwrap()["subject"]
            .as_str()
            .unwrap()
            .contains("anna")
    );
    let page = shown(&admin, "trust");
    assert!(
        page.contains("left the company, see &#60;ticket&#62;"),
        "{page}"
    );
    for path in [
        format!("/trust/roots/{own}"),
        format!("/trust/blocked/{sha256}"),
    ] {
        done(&api, "DELETE", &path, &Value::Null);
        assert_eq!(refused(&api, "DELETE", &path, &Value::Null), "not-found");
    }
    the_switch(&world, &api);
}

/// A DKIM key signs, gets a second one beside it, and goes.
fn a_key_signs_and_goes(world: &World, api: &Visitor) {
    let place = "/domains/zqalpha.example/dkim";
    let activate = format!("{place}/sealgate1/activate");
    let writer = person("writer@zqalpha.example").visits(world);
    let page = format!("/o/{ALPHA}/domains/zqalpha.example");
    let signs = writer.post(
        &format!("{page}/dkim/sealgate1/activate"),
        &page,
        &[("unseen", "true")],
    );
    assert_eq!(signs.status, 303, "{}", signs.text());
    assert_eq!(
        got(api, "/domains/zqalpha.example")["keys"][0]["state"],
        "active"
    );
    assert_eq!(refused(api, "POST", &activate, &json!({})), "dkim-not-new");
    let made = writer.post(
        &format!("{page}/dkim"),
        &page,
        &[("kind", "ed25519"), ("selector", "")],
    );
    assert_eq!(made.status, 303, "{}", made.text());
    let one = got(api, "/domains/zqalpha.example");
    assert_eq!(one["keys"].as_array().unwrap().len(), 2, "{one}");
    assert!(!one.to_string().contains("PRIVATE"));
    done(api, "DELETE", &format!("{place}/sealgate2"), &Value::Null);
}

#[test]
fn domains_say_what_to_do() {
    let Some(world) = world("portal-domains") else {
        return;
    };
    let api = script().visits(&world);
    let all = got(&api, "/domains");
    let names: Vec<&Value> = items(&all).iter().map(|one| &one["domain"]).collect();
    assert_eq!(names, ["zqalpha-second.example", "zqalpha.example"]);
    let found = |state: &Value, which: &str| {
        let findings = state["findings"].as_array().unwrap();
        let own = findings.iter().find(|one| one["prerequisite"] == which);
        own.unwrap_or_else(|| panic!("{state}")).clone()
    };
    let one = got(&api, "/domains/zqalpha.example");
    for (which, state, word) in [
        ("inbound-route", "met", "in-route"),
        ("mx", "met", "mx-here"),
        ("licence", "met", "licences-free"),
        ("caa", "met", "caa-anyone"),
        ("dkim", "hint", "dkim-waits"),
    ] {
        let own = found(&one["state"], which);
        assert_eq!(
            (&own["state"], &own["found"]),
            (&json!(state), &json!(word)),
            "{own}"
        );
    }
    let record = found(&one["state"], "dkim")["record"].clone();
    assert!(
        record
            .as_str()
            .unwrap()
            .contains("sealgate1._domainkey.zqalpha.example. IN TXT")
    );
    // Its key waits for its record; another of its kind cannot be made beside it.
    let place = "/domains/zqalpha.example/dkim";
    let key = &one["keys"][0];
    assert_eq!(
        (&key["state"], &key["published"]),
        (&json!("new"), &json!("missing"))
    );
    for (body, code) in [
        (json!({}), "dkim-waits"),
        (
            json!({ "kind": "ed25519", "selector": "sealgate1" }),
            "dkim-selector-taken",
        ),
        (
            json!({ "kind": "ed25519", "selector": "no selector" }),
            "dkim-selector",
        ),
    ] {
        assert_eq!(refused(&api, "POST", place, &body), code, "{body}");
    }
    let activate = format!("{place}/sealgate1/activate");
    assert_eq!(refused(&api, "POST", &activate, &json!({})), "dkim-unseen");
    a_key_signs_and_goes(&world, &api);
    // Neither a stranger's domain nor nonsense.
    for path in ["/domains/zqbeta.example", "/domains/nowhere.example"] {
        assert_eq!(refused(&api, "GET", path, &Value::Null), "not-found");
    }
    let german = shown(
        &person("verwalter@zqalpha.example").visits(&world),
        "domains/zqalpha.example",
    );
    for words in [
        "Voraussetzungen",
        "MX-Eintrag",
        "Zeigt auf gateway.example.",
        "DKIM-Schlüssel",
    ] {
        assert!(german.contains(words), "{words}: {german}");
    }
    let list = shown(&person("reader@zqalpha.example").visits(&world), "domains");
    assert!(
        list.contains("zqalpha-second.example") && !list.contains("zqbeta"),
        "{list}"
    );
}
