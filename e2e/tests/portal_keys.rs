//! Correspondents' public keys in the portal (S83 to S88): list, review, import and its refusals, choices, directories, partners.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;

use e2e::keys::{self, Identity, KeyKind};
use e2e::portal::http::{Answer, Request, Visitor, quoted};
use e2e::portal::people::{person, settle};
use e2e::portal::world::{ALPHA, World};
use e2e::program::must_run;
use serde_json::{Value, json};

const LIST: &str = "/o/zqalpha/smime/keys";
const SECRET: &str = "marker-directory-password";

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
    let answer = call(visitor, "GET", path, &Value::Null);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

fn follow(visitor: &Visitor, answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    visitor.get(answer.field("location").unwrap()).text()
}

/// Address, state and origin of the keys that a query finds.
fn found(visitor: &Visitor, query: &str) -> Vec<(String, String, String)> {
    let page = got(visitor, &format!("/keys?{query}"));
    let text = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
    let keys = page["items"].as_array().unwrap();
    keys.iter()
        .map(|key| {
            (
                text(key, "address"),
                text(key, "state"),
                text(key, "origin"),
            )
        })
        .collect()
}

fn addresses(visitor: &Visitor, query: &str) -> Vec<String> {
    let keys = found(visitor, query).into_iter();
    keys.map(|(address, ..)| address).collect()
}

fn upload(visitor: &Visitor, octets: &[u8]) -> Answer {
    let place = format!("{LIST}/import");
    let csrf = visitor.csrf(&place);
    let fields: [(&str, &[u8]); 2] = [("csrf", csrf.as_bytes()), ("file", octets)];
    visitor.ask(&Request::new("POST", &place).upload(&fields))
}

/// The value of the hidden field `certificates` of a preview.
fn offered(page: &str) -> String {
    let form = e2e::portal::forms::forms(page).into_iter();
    let mut fields = form.flat_map(|form| form.fields);
    let found = fields.find(|(name, _)| name == "certificates");
    found.map(|(_, value)| value).unwrap_or_default()
}

fn identity(world: &World, directory: &Path, address: &str) -> Identity {
    keys::mailbox(directory, &world.alpha.partner, address, KeyKind::P256)
}

#[test]
fn keys_are_imported_looked_at_and_chosen() {
    let Some(world) = world("portal-keys") else {
        return;
    };
    the_page_has_the_words_of_the_seeds(&world);
    a_key_is_looked_at_and_imported(&world);
    what_is_no_key_is_refused(&world);
    let token = person("zqalpha-admin").visits(&world);
    let id = got(&token, "/keys?search=erin")["items"][0]["id"]
        .as_i64()
        .unwrap();
    choices_are_carried_out(&world, id);
    keys_are_found_exported_and_removed(&world, id);
}

fn the_page_has_the_words_of_the_seeds(world: &World) {
    let german = person("verwalter@zqalpha.example").visits(world);
    let reader = person("reader@zqalpha.example").visits(world);
    let carol = world.alpha.theirs("carol");
    // S83, S85: the page, and the button at its end.
    let page = german.get(LIST).text();
    for word in [
        "Public Keys",
        "Pubkey hinzufügen",
        &carol,
        "bevorzugt",
        "importiert",
    ] {
        assert!(page.contains(word), "{word}: {page}");
    }
    let page = reader.get(LIST).text();
    assert!(
        page.contains(&carol) && !page.contains("keys/import"),
        "{page}"
    );
    assert_eq!(reader.get(&format!("{LIST}/import")).status, 403);

    // S86 in its words.
    let page = german.get(&format!("{LIST}/import")).text();
    assert!(page.contains(
        "Es können nur Mailbox-Zertifikate importiert werden. Domänen-Zertifikate lassen sich nicht importieren!"
    ));
}

fn a_key_is_looked_at_and_imported(world: &World) {
    let writer = person("writer@zqalpha.example").visits(world);
    let token = person("zqalpha-admin").visits(world);
    let directory = world.gateway.directory().path();
    // A look first, in every form; then the import.
    let erin = identity(world, directory, "erin@zqalpha-partner.example");
    let pem = fs::read(&erin.certificate).unwrap();
    let certificate = erin.certificate.to_str().unwrap();
    let der = must_run(
        "openssl",
        &["x509", "-in", certificate, "-outform", "DER"],
        b"",
    );
    let crl2pkcs7 = |form: &str| {
        let arguments = [
            "crl2pkcs7",
            "-nocrl",
            "-certfile",
            certificate,
            "-outform",
            form,
        ];
        must_run("openssl", &arguments, b"")
    };
    for (form, octets) in [
        ("PEM", pem.clone()),
        ("DER", der),
        ("PKCS #7 in DER", crl2pkcs7("DER")),
        ("PKCS #7 in PEM", crl2pkcs7("PEM")),
    ] {
        let preview = upload(&writer, &octets);
        assert_eq!(preview.status, 200, "{form}: {}", preview.text());
        let text = preview.text();
        assert!(
            text.contains("erin@zqalpha-partner.example"),
            "{form}: {text}"
        );
        assert!(text.contains("Import one key"), "{form}: {text}");
        assert!(addresses(&token, "search=erin").is_empty(), "{form}");
        assert!(
            offered(&text).contains("BEGIN CERTIFICATE"),
            "{form}: {text}"
        );
    }
    let preview = upload(&writer, &pem).text();
    let confirmed = [("certificates", offered(&preview))];
    let confirmed = confirmed
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let place = format!("{LIST}/import");
    let done = writer.post(&format!("{place}/confirm"), &place, &confirmed);
    assert!(follow(&writer, &done).contains("One key is imported."));
    assert_eq!(
        found(&token, "search=erin"),
        [(
            "erin@zqalpha-partner.example".into(),
            "preferred".into(),
            "manual".into()
        )]
    );
}

fn what_is_no_key_is_refused(world: &World) {
    let writer = person("writer@zqalpha.example").visits(world);
    let token = person("zqalpha-admin").visits(world);
    let directory = world.gateway.directory().path();
    // What is no key of a mailbox is refused with its own reason.
    let with_san = |name: &str, san: &str| {
        let extensions = format!(
            "basicConstraints = critical, CA:false\nextendedKeyUsage = emailProtection\n\
             keyUsage = critical, digitalSignature, keyAgreement\nsubjectAltName = {san}\n"
        );
        let made = keys::with_extensions(directory, &world.alpha.partner, name, &extensions);
        fs::read(made.certificate).unwrap()
    };
    let gateway = "email:domain-confidentiality-authority@partner.example";
    let domain = with_san("of-a-domain", gateway);
    let nameless = with_san("nameless", "DNS:partner.example");
    for (name, octets, status, said) in [
        ("nothing", Vec::new(), 422, "Nothing was uploaded"),
        ("no certificate", b"hello".to_vec(), 422, "no certificate"),
        (
            "an authority",
            fs::read(&world.alpha.partner.certificate).unwrap(),
            200,
            "certification authority",
        ),
        (
            "a domain",
            domain,
            200,
            "Domain certificates cannot be imported!",
        ),
        ("no address", nameless, 200, "names no e-mail address"),
    ] {
        let answer = upload(&writer, &octets);
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        let text = answer.text().to_lowercase();
        assert!(text.contains(&said.to_lowercase()), "{name}: {text}");
        assert!(!text.contains("import one key"), "{name}");
    }
    let body =
        json!({ "certificates": fs::read_to_string(&world.alpha.partner.certificate).unwrap() });
    let answer = call(&token, "POST", "/keys", &body);
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert_eq!(answer.json()["code"], "key-not-imported");
}

fn choices_are_carried_out(world: &World, id: i64) {
    let writer = person("writer@zqalpha.example").visits(world);
    let token = person("zqalpha-admin").visits(world);
    // What an administrator chooses.
    let number = id.to_string();
    let page = format!("{LIST}/{id}");
    for (choice, said, state, pinned) in [
        ("pin", "The key is pinned.", "preferred", true),
        ("unpin", "can be used again", "preferred", false),
        ("block", "not used any more", "blocked", false),
        ("unblock", "not blocked any more", "preferred", false),
    ] {
        let values = [
            ("key", number.as_str()),
            ("choice", choice),
            ("one", "true"),
        ];
        let done = writer.post(&format!("{LIST}/choose"), &page, &values);
        let told = follow(&writer, &done);
        assert!(told.contains(said), "{choice}: {told}");
        let key = got(&token, &format!("/keys/{id}"));
        assert_eq!(key["state"], state, "{choice}");
        assert_eq!(key["pinned"], pinned, "{choice}");
    }
    let detail = got(&token, &format!("/keys/{id}"));
    assert_eq!(detail["used_now"], true, "{detail}");
    let events = detail["events"].as_array().unwrap();
    assert!(events.len() >= 4, "{detail}");
    let refused = json!({ "keys": [id], "choice": "approve" });
    let answer = call(&token, "POST", "/keys/choose", &refused).json();
    assert_eq!(answer["done"], 0, "{answer}");
    assert!(
        answer["refused"][0]["why"]
            .as_str()
            .unwrap()
            .contains("not new")
    );
}

fn keys_are_found_exported_and_removed(world: &World, id: i64) {
    let page = format!("{LIST}/{id}");
    let writer = person("writer@zqalpha.example").visits(world);
    let reader = person("reader@zqalpha.example").visits(world);
    let token = person("zqalpha-admin").visits(world);
    // Filters, the export, and removal.
    for (query, expected) in [
        ("search=ERIN".to_owned(), 1),
        (format!("search={}", quoted("@zqalpha-partner.example")), 2),
        ("search=elsewhere.example".to_owned(), 0),
        ("state=preferred".to_owned(), 2),
        ("state=blocked".to_owned(), 0),
        ("state=&origin=".to_owned(), 2),
        ("origin=harvested".to_owned(), 0),
        ("pinned=true".to_owned(), 0),
    ] {
        assert_eq!(addresses(&token, &query).len(), expected, "{query}");
    }
    let first = got(&token, "/keys?limit=1");
    let next = first["next"].as_str().unwrap();
    let second = got(&token, &format!("/keys?limit=1&after={}", quoted(next)));
    assert_eq!(
        second["items"][0]["address"],
        "erin@zqalpha-partner.example"
    );
    assert_eq!(second["next"], Value::Null);
    let file = reader.get(&format!("{LIST}.csv?state=preferred"));
    assert!(file.field("content-type").unwrap().starts_with("text/csv"));
    assert_eq!(file.text().lines().count(), 3, "{}", file.text());
    let removed = writer.post(&format!("{page}/remove"), &page, &[]);
    assert!(follow(&writer, &removed).contains("The imported key is removed."));
    assert!(addresses(&token, "search=erin").is_empty());
    assert_eq!(writer.get(&page).status, 404);
}

/// S84, S87: a signed mail teaches us its key; one from another issuer waits for a review.
#[test]
fn new_keys_are_reviewed() {
    let Some(world) = world("portal-keys-review") else {
        return;
    };
    let writer = person("writer@zqalpha.example").visits(&world);
    let token = person("zqalpha-admin").visits(&world);
    let (dan, anna) = (world.alpha.theirs("dan"), world.alpha.own("anna"));
    let directory = world.gateway.directory().path();
    let other = keys::authority(directory, "another-partner-CA");
    let root = other.certificate.to_str().unwrap();
    let trusted = world.gateway.command(&["trust", "add", root, "-o", ALPHA]);
    assert!(trusted.good, "{}", trusted.err);
    let second = directory.join("second");
    fs::create_dir(&second).unwrap();
    let newer = keys::mailbox(&second, &other, &dan, KeyKind::P256);
    for identity in [&world.alpha.dan, &newer] {
        let mail = e2e::portal::world::plain(&dan, &anna, "signed", "text");
        let entity = e2e::mime::entity(&mail);
        let writing = e2e::openssl::Writing::Der;
        let signed = e2e::openssl::sign(&entity, identity, None, false, writing);
        let content = e2e::mime::with_entity(&mail, &signed);
        let reply = e2e::scene::send(world.gateway.inbound, &dan, &[&anna], &content);
        assert_eq!(reply.code, 250, "{reply:?}");
        world.gateway.drained();
    }
    let states = |query: &str| {
        let keys = found(&token, query).into_iter();
        let mut states: Vec<String> = keys.map(|(_, state, _)| state).collect();
        states.sort();
        states
    };
    assert_eq!(states("search=dan"), ["new", "preferred"]);
    assert_eq!(got(&token, "/keys/counts")["new"], 1);
    let page = writer.get(LIST).text();
    assert!(page.contains("waits for you to look at it"), "{page}");
    let key = got(&token, "/keys?state=new")["items"][0].clone();
    // Its provenance leads to the mail.
    let mail = key["mail"]["mail"].as_str().unwrap();
    let review = writer.get(&format!("{LIST}?state=new")).text();
    assert!(
        review.contains(&format!("/o/{ALPHA}/mails/{mail}")),
        "{review}"
    );
    let id = key["id"].as_i64().unwrap().to_string();
    let values = [("key", id.as_str()), ("choice", "approve")];
    let done = writer.post(&format!("{LIST}/choose"), LIST, &values);
    assert!(follow(&writer, &done).contains("The key is preferred from now on."));
    assert_eq!(states("search=dan"), ["additional", "preferred"]);
    let detail = writer.get(&format!("{LIST}/{id}")).text();
    for word in ["another-partner-CA", "signed mail", mail] {
        assert!(detail.contains(word), "{word}: {detail}");
    }
}

#[test]
fn directories_are_set_tried_and_removed() {
    let Some(world) = world("portal-sources") else {
        return;
    };
    let admin = person("admin@zqalpha.example").visits(&world);
    let writer = person("writer@zqalpha.example").visits(&world);
    let token = person("zqalpha-admin").visits(&world);
    let list = "/o/zqalpha/smime/directories";
    assert_eq!(writer.get(list).status, 403);
    let page = admin.get(list).text();
    assert!(page.contains("zqalpha-directory"), "{page}");
    let form = format!("{list}/new");
    for (name, url, bind, status, said) in [
        (
            "two words",
            "ldap://127.0.0.1:1",
            "",
            422,
            "a name has letters",
        ),
        (
            "far",
            "http://far.example",
            "",
            422,
            "write it as ldap://host:port",
        ),
        (
            "far",
            "ldap://far.example",
            "cn=us",
            422,
            "not sent in clear",
        ),
        ("far", "ldaps://far.example/dc=far", "cn=us", 303, ""),
    ] {
        let values = [
            ("name", name),
            ("url", url),
            ("bind", bind),
            ("password", SECRET),
        ];
        let answer = admin.post(&form, &form, &values);
        assert_eq!(answer.status, status, "{url}: {}", answer.text());
        assert!(answer.text().contains(said), "{url}: {}", answer.text());
    }
    passwords_stay_and_sources_are_tried(&admin, &token, list);
}

fn passwords_stay_and_sources_are_tried(admin: &Visitor, token: &Visitor, list: &str) {
    let edit = format!("{list}/far");
    // A password is never shown again, and stays where none is given.
    let page = admin.get(&edit).text();
    assert!(
        page.contains("ldaps://far.example:636") && !page.contains(SECRET),
        "{page}"
    );
    let values = [
        ("url", "ldaps://far.example:636"),
        ("bind", "cn=us"),
        ("domains", "far.example"),
    ];
    assert_eq!(admin.post(&edit, &edit, &values).status, 303);
    let all = got(token, "/directories");
    assert!(!all.to_string().contains(SECRET), "{all}");
    let far = &all["directories"][0];
    assert_eq!(
        (&far["name"], &far["bind"]),
        (&json!("far"), &json!("cn=us"))
    );
    assert_eq!(far["domains"], json!(["far.example"]));
    // The other one is away, and says so; nobody is asked for our own addresses.
    let tried = |address: &str| {
        call(
            token,
            "POST",
            "/directories/try",
            &json!({ "address": address }),
        )
    };
    let said = tried("x@zqalpha-nowhere.example").json();
    assert!(
        said[0]["text"]
            .as_str()
            .unwrap()
            .contains("does not answer"),
        "{said}"
    );
    assert_eq!(tried("anna@zqalpha.example").status, 422);
    let removed = admin.post(&format!("{edit}/remove"), list, &[]);
    assert_eq!(removed.status, 303);
    assert_eq!(admin.get(&edit).status, 404);
    let switched = call(
        token,
        "POST",
        "/directories/smimea",
        &json!({ "smimea": "with-path" }),
    );
    assert_eq!(switched.status, 200, "{}", switched.text());
    assert_eq!(got(token, "/directories")["smimea"], "with-path");
}

#[test]
fn partners_are_set_and_removed() {
    let Some(world) = world("portal-partners") else {
        return;
    };
    let admin = person("admin@zqalpha.example").visits(&world);
    let token = person("zqalpha-admin").visits(&world);
    let partners = "/o/zqalpha/smime/partners";
    let put = |external: &str, profile: &str| {
        admin.post(
            partners,
            partners,
            &[("external", external), ("profile", profile)],
        )
    };
    assert_eq!(put("two words", "legacy").status, 422);
    assert_eq!(put("old@old.example", "legacy").status, 303);
    let all = got(&token, "/partners");
    assert!(
        all.as_array()
            .unwrap()
            .contains(&json!({ "external": "old@old.example", "profile": "legacy" }))
    );
    let remove = format!("{partners}/remove");
    assert_eq!(
        admin
            .post(&remove, partners, &[("external", "old@old.example")])
            .status,
        303
    );
    assert_eq!(
        admin
            .post(&remove, partners, &[("external", "old@old.example")])
            .status,
        404
    );
}
