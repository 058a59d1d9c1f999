//! Encryption rules in the portal (S50 to S64, S77, A5 to A7, A25): list, form, order, undo, warnings, and that a saved rule decides
//! the next mail; the simulator answers as `explain` does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use e2e::place::PATIENCE;
use e2e::portal::http::{Answer, Request, Visitor, quoted};
use e2e::portal::people::{person, settle};
use e2e::portal::world::{ALPHA, World, plain};
use serde_json::{Value, json};

/// What is promised from saving a rule to the first mail decided by it.
const LIVE: Duration = Duration::from_secs(2);

const LIST: &str = "/o/zqalpha/smime/rules";

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

/// External fields in the order of priorities.
fn order(visitor: &Visitor) -> Vec<String> {
    let rules = got(visitor, "/rules");
    let rules = rules["items"].as_array().unwrap().clone();
    let places: Vec<u64> = rules
        .iter()
        .map(|rule| rule["priority"].as_u64().unwrap())
        .collect();
    assert_eq!(places, (1..).take(rules.len()).collect::<Vec<u64>>());
    rules
        .iter()
        .map(|rule| rule["external"].as_str().unwrap().to_owned())
        .collect()
}

fn add(visitor: &Visitor, external: &str) -> Value {
    let body = json!({ "managed": "all", "external": external });
    let answer = call(visitor, "POST", "/rules", &body);
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["rule"].clone()
}

/// The page after a form, with what it tells.
fn follow(visitor: &Visitor, answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let to = answer.field("location").unwrap();
    let page = visitor.get(to.split('#').next().unwrap());
    assert_eq!(page.status, 200, "{to}");
    page.text()
}

#[test]
fn the_list_has_the_words_of_the_seeds() {
    let Some(world) = world("portal-rules-list") else {
        return;
    };
    let german = [
        "Neue Regel erstellen",
        "Verwaltetes Postfach/Domäne",
        "Externes Postfach/Domäne",
        "Eingehend",
        "Ausgehend",
        "Aktionen",
        "Verschlüsselte E-Mails immer entschlüsseln",
        "Verschlüsselung erzwingen",
        "Nur signieren",
        "Alle",
    ];
    let english = ["Create new rule", "Managed mailbox/domain", "Sign only"];
    let table: [(&str, &[&str], bool); 3] = [
        ("verwalter@zqalpha.example", &german, true),
        ("writer@zqalpha.example", &english, true),
        ("reader@zqalpha.example", &english[1..], false),
    ];
    for (name, words, may_write) in table {
        let page = person(name).visits(&world).get(LIST).text();
        for word in words {
            assert!(page.contains(word), "{name}: {word}");
        }
        // S62: who only reads may not change rules.
        for sign in ["smime/rules/move", "/delete\"", "smime/rules/new\""] {
            assert_eq!(page.contains(sign), may_write, "{name}: {sign}");
        }
    }
    let form = person("verwalter@zqalpha.example").visits(&world);
    let form = form.get(&format!("{LIST}/new")).text();
    assert!(form.contains("Neue Verschlüsselungsregel erstellen"));
    // A7: both begin with "not defined"; each mode says what it does.
    for field in ["inbound", "outbound"] {
        let chosen = format!("name=\"{field}\" value=\"\" checked");
        assert!(form.contains(&chosen), "{form}");
    }
    for sentence in [
        "Verschlüsselte E-Mails werden akzeptiert und verschlüsselt zugestellt.",
        "E-Mails werden ausschließlich signiert und verschlüsselt verschickt.",
    ] {
        assert!(form.contains(sentence), "{sentence}");
    }
    let reader = person("reader@zqalpha.example").visits(&world);
    assert_eq!(reader.get(&format!("{LIST}/new")).status, 403);
}

#[test]
fn rules_are_made_moved_edited_deleted_and_taken_back() {
    let Some(world) = world("portal-rules-actions") else {
        return;
    };
    let writer = person("writer@zqalpha.example").visits(&world);
    let token = person("zqalpha-admin").visits(&world);
    let first = [
        "stranger@zqalpha-partner.example",
        "zqalpha-partner.example",
        "all",
    ];
    assert_eq!(order(&token), first);

    // S55: a new rule gets priority 1; the page says since when it is active.
    let form = format!("{LIST}/new");
    let written = [
        ("managed_all", "true"),
        ("external", "One.Example, x@two.example"),
        ("inbound", ""),
        ("outbound", "sign-only"),
    ];
    let page = follow(&writer, &writer.post(&form, &form, &written));
    assert!(page.contains("Active since "), "{page}");
    let made = got(&token, "/rules")["items"][0].clone();
    assert_eq!(made["external"], "one.example, x@two.example");
    assert_eq!(
        (&made["managed"], &made["inbound"]),
        (&json!("all"), &Value::Null)
    );
    let id = made["id"].as_i64().unwrap();

    wrong_entries_are_told(&writer, &token);
    arrows_move(&writer, &token, id);
    nobody_loses_an_edit(&writer, &token, id);
    a_deletion_is_taken_back(&writer, &token, id, &first);
}

fn wrong_entries_are_told(writer: &Visitor, token: &Visitor) {
    let form = format!("{LIST}/new");
    // Wrong entries are told beside the field, and nothing is saved.
    for (text, said) in [
        ("one.example, , two.example", "An entry is empty"),
        ("not a domain", "neither a mailbox"),
        (&["a.example"; 21].join(", "), "21 entries; there may be 20"),
    ] {
        let answer = writer.post(&form, &form, &[("managed_all", "true"), ("external", text)]);
        assert_eq!(answer.status, 422, "{text}");
        assert!(answer.text().contains(said), "{text}: {}", answer.text());
        assert_eq!(order(token).len(), 4, "{text}");
    }

    // "All" beside entries is a question, not an answer.
    let both = [
        ("managed_all", "true"),
        ("managed", "zqalpha.example"),
        ("external", "b.example"),
    ];
    let answer = writer.post(&form, &form, &both);
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(
        answer.text().contains("stands only by itself"),
        "{}",
        answer.text()
    );
    assert!(
        answer.text().contains(">zqalpha.example</textarea>"),
        "{}",
        answer.text()
    );
    assert_eq!(order(token).len(), 4);
}

fn arrows_move(writer: &Visitor, token: &Visitor, id: i64) {
    // S56: the arrows; the button keeps the focus.
    let neighbour = got(token, "/rules")["items"][1]["id"].as_i64().unwrap();
    let arrow = [
        ("id", format!("{id}-1")),
        ("place", format!("2-{neighbour}")),
    ];
    let arrow: Vec<(&str, &str)> = arrow
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let down = writer.post(&format!("{LIST}/move"), LIST, &arrow);
    let page = follow(writer, &down);
    assert_eq!(order(token)[1], "one.example, x@two.example");
    let focus = page.split("<tr id=").find(|row| row.contains(" autofocus"));
    assert!(
        focus.unwrap().starts_with(&format!("\"rule-{id}\"")),
        "{page}"
    );
    // The same arrow again was meant for an order that is no more.
    let page = follow(writer, &writer.post(&format!("{LIST}/move"), LIST, &arrow));
    assert!(page.contains("has changed the order meanwhile"), "{page}");
    assert_eq!(order(token)[1], "one.example, x@two.example");
}

fn nobody_loses_an_edit(writer: &Visitor, token: &Visitor, id: i64) {
    // Two edit the same rule: the second is shown both versions, and nothing is lost.
    let page = format!("{LIST}/{id}");
    let was = [
        ("was_managed", "all"),
        ("was_external", "one.example, x@two.example"),
        ("was_outbound", "sign-only"),
        ("managed_all", "true"),
    ];
    let edit = |external: &str| {
        let mut values = was.to_vec();
        values.extend([("external", external), ("outbound", "optional")]);
        writer.post(&page, &page, &values)
    };
    let told = follow(writer, &edit("three.example"));
    assert!(told.contains("The change is saved."), "{told}");
    let late = edit("four.example");
    assert_eq!(late.status, 409);
    for word in [
        "three.example",
        "four.example",
        "Somebody else has changed this rule",
    ] {
        assert!(late.text().contains(word), "{word}: {}", late.text());
    }
    assert_eq!(order(token)[1], "three.example");
}

fn a_deletion_is_taken_back(writer: &Visitor, token: &Visitor, id: i64, first: &[&str]) {
    let page = format!("{LIST}/{id}");
    // S52: delete, and take it back at its place.
    let was = [
        ("managed", "all"),
        ("external", "three.example"),
        ("outbound", "optional"),
    ];
    let deleted = writer.post(&format!("{page}/delete"), LIST, &was);
    let list = follow(writer, &deleted);
    assert!(list.contains("Undo"), "{list}");
    assert_eq!(order(token), first);
    let restored = writer.post(&format!("{page}/restore"), LIST, &[]);
    follow(writer, &restored);
    assert_eq!(order(token)[1], "three.example");
    assert_eq!(got(token, "/rules")["items"][1]["id"], id);
    let twice = writer.post(&format!("{page}/restore"), LIST, &[]);
    assert_eq!(twice.status, 404);
}

#[test]
fn fields_are_checked_entry_by_entry() {
    let Some(world) = world("portal-rules-check") else {
        return;
    };
    let token = person("zqalpha-admin").visits(&world);
    let table: &[(&str, &str, bool, &[&str])] = &[
        ("managed", "Alle", true, &[]),
        ("external", "any", true, &[]),
        ("managed", "zqalpha.example", true, &["ok"]),
        (
            "managed",
            "anna@zqalpha.example, elsewhere.example",
            true,
            &["ok", "not-managed"],
        ),
        (
            "external",
            "partner.example, x@zqalpha-second.example",
            true,
            &["ok", "not-external"],
        ),
        ("external", "a.example, A.Example", true, &["ok", "double"]),
        ("external", "a.example,, b", false, &["ok", "empty", "ok"]),
        ("external", "a.example, all", false, &["ok", "neither"]),
        ("external", "two words", false, &["neither"]),
    ];
    for (side, text, ok, verdicts) in table {
        let answer = got(
            &token,
            &format!("/rules/check?side={side}&text={}", quoted(text)),
        );
        assert_eq!(answer["ok"], *ok, "{text}: {answer}");
        let entries = answer["entries"].as_array().unwrap();
        let told: Vec<&str> = entries
            .iter()
            .map(|entry| entry["verdict"].as_str().unwrap())
            .collect();
        assert_eq!(told, *verdicts, "{text}");
    }
    let many = vec!["a@x.example"; 500].join(",");
    let answer = got(
        &token,
        &format!("/rules/check?side=external&text={}", quoted(&many)),
    );
    assert_eq!(
        (&answer["ok"], &answer["count"]),
        (&json!(false), &json!(500))
    );
}

/// S77, A25: whom an enforced rule shuts out.
#[test]
fn a_rule_names_the_mailboxes_that_it_shuts_out() {
    let Some(world) = world("portal-rules-warnings") else {
        return;
    };
    let token = person("zqalpha-admin").visits(&world);
    let warnings = |managed: &str, inbound: Value, outbound: Value| {
        let body = json!({
            "managed": managed, "external": "all", "inbound": inbound, "outbound": outbound
        });
        let answer = call(&token, "POST", "/rules/warnings", &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json();
        let count = |name: &str| answer[name]["count"].as_u64().unwrap();
        (count("without_certificate"), count("without_key"))
    };
    // anna and frida are active; gustav is in deactivation and keeps his key; boris, dora and emil have none.
    let table = [
        ("all", Value::Null, json!("enforce"), (4, 0)),
        (
            "zqalpha.example",
            json!("always"),
            json!("optional"),
            (0, 3),
        ),
        ("all", json!("enforce"), json!("enforce"), (4, 3)),
        (
            "anna@zqalpha.example",
            json!("enforce"),
            json!("enforce"),
            (0, 0),
        ),
        (
            "boris@zqalpha.example, gustav@zqalpha.example, zqalpha-second.example",
            json!("enforce"),
            json!("enforce"),
            (2, 1),
        ),
        (
            "boris@zqalpha.example, zqalpha.example",
            Value::Null,
            json!("enforce"),
            (4, 0),
        ),
        ("all", json!("optional"), json!("optional"), (0, 0)),
    ];
    for (managed, inbound, outbound, expected) in table {
        let found = warnings(managed, inbound, outbound);
        assert_eq!(found, expected, "{managed}");
    }
    let body = json!({ "managed": "all", "external": "strict.example", "outbound": "enforce" });
    let answer = call(&token, "POST", "/rules", &body);
    let id = answer.json()["rule"]["id"].as_i64().unwrap();
    let admin = person("verwalter@zqalpha.example").visits(&world);
    assert!(
        admin
            .get(LIST)
            .text()
            .contains("4 Mailboxen können nicht senden")
    );
    let page = admin.get(&format!("{LIST}/{id}")).text();
    assert!(page.contains("boris@zqalpha.example"), "{page}");
    assert!(page.contains("nicht versenden"), "{page}");
}

#[test]
fn a_saved_rule_decides_the_next_mail() {
    let Some(world) = world("portal-rules-live") else {
        return;
    };
    let writer = person("writer@zqalpha.example").visits(&world);
    let form = format!("{LIST}/new");
    let csrf = writer.csrf(&form);
    // Something else may keep the machine busy: the quickest of three counts.
    let answered = ["one", "two", "three"].map(|name| {
        let domain = format!("{name}.live.example");
        let (anna, to) = (world.alpha.own("anna"), format!("someone@{domain}"));
        let mail = plain(&anna, &to, name, "text");
        let send = || world.send_out(&world.alpha, &anna, &to, &mail);
        assert_eq!(send(), 250, "signed by default");
        let enforce = [
            ("csrf", csrf.as_str()),
            ("managed_all", "true"),
            ("external", &domain),
            ("outbound", "enforce"),
        ];
        let begun = Instant::now();
        let saved = writer.ask(&Request::new("POST", &form).form(&enforce));
        let answered = begun.elapsed();
        // An answer in time says that the rule is live; a late one may come before it is.
        if answered <= LIVE {
            assert_eq!(send(), 550, "no key of the recipient is known");
            let page = follow(&writer, &saved);
            assert!(page.contains("Active since "), "{page}");
        } else {
            while send() != 550 {
                assert!(begun.elapsed() < PATIENCE, "the rule is not live");
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        answered
    });
    let quickest = answered.iter().min().unwrap();
    assert!(*quickest <= LIVE, "saved after {answered:?}");
}

/// The simulator says what `explain` says, and a page of it can be sent to a colleague.
#[test]
fn the_simulator_answers_as_explain() {
    let Some(world) = world("portal-simulator") else {
        return;
    };
    let token = person("zqalpha-admin").visits(&world);
    let reader = person("reader@zqalpha.example").visits(&world);
    let carol = world.alpha.theirs("carol");
    let table = [
        (
            "outbound",
            "anna",
            carol.as_str(),
            false,
            "Signed and encrypted.",
        ),
        (
            "outbound",
            "anna",
            "stranger@zqalpha-partner.example",
            false,
            "Not sent",
        ),
        (
            "outbound",
            "anna",
            "x@elsewhere.example",
            false,
            "Signed, not encrypted",
        ),
        (
            "outbound",
            "boris",
            "x@elsewhere.example",
            false,
            "Neither signed nor encrypted",
        ),
        (
            "outbound",
            "boris",
            "anna@zqalpha.example",
            false,
            "within one organisation",
        ),
        ("outbound", "anna", carol.as_str(), true, "had encrypted it"),
        (
            "inbound",
            "anna",
            carol.as_str(),
            false,
            "Delivered as it came",
        ),
        (
            "inbound",
            "anna",
            carol.as_str(),
            true,
            "Decrypted and delivered.",
        ),
        ("inbound", "boris", carol.as_str(), true, "encrypted"),
    ];
    for (direction, local, external, encrypted, why) in table {
        let managed = world.alpha.own(local);
        let query = format!(
            "direction={direction}&managed={}&external={}&encrypted={encrypted}",
            quoted(&managed),
            quoted(external)
        );
        let answer = got(&token, &format!("/explain?{query}"));
        let said = answer["en"].as_str().unwrap();
        assert!(said.contains(why), "{query}: {said}");
        let page = reader.get(&format!("{LIST}/simulator?{query}")).text();
        let told = said.replace(['“', '”'], "");
        let shown = page.replace("&#8220;", "").replace(['“', '”'], "");
        assert!(shown.contains(&told), "{query}: {page}");
        if encrypted {
            continue;
        }
        let (from, to) = match direction {
            "inbound" => (external, managed.as_str()),
            _ => (managed.as_str(), external),
        };
        let trace = world.gateway.json(&[
            "explain",
            "--from",
            from,
            "--to",
            to,
            "--direction",
            direction,
            "-o",
            ALPHA,
        ]);
        assert_eq!(answer["trace"], trace, "{query}");
    }
    for (managed, external) in [
        ("anna@zqbeta.example", carol.as_str()),
        ("nobody", carol.as_str()),
        ("anna@zqalpha.example", "no address"),
    ] {
        let query = format!("managed={}&external={}", quoted(managed), quoted(external));
        let answer = call(&token, "GET", &format!("/explain?{query}"), &Value::Null);
        assert_eq!(answer.status, 422, "{query}");
        let page = reader.get(&format!("{LIST}/simulator?{query}"));
        assert_eq!(page.status, 200, "{query}");
    }
    assert_eq!(order(&token).len(), 3);
    add(&token, "gone.example");
}
