//! Every page of the portal in a browser: in both languages, wide and narrow, light and dark; nothing in the console, no report
//! of the content security policy, nothing that hinders somebody seriously. Screenshots go to `target/screenshots`.

use std::collections::BTreeMap;

use e2e::portal::asking::{AT_TIMES, Asked, Asking, short};
use e2e::portal::browser;
use e2e::portal::http::Visitor;
use e2e::portal::people::person;
use e2e::portal::routes::Route;
use e2e::portal::world::{ALPHA, EMPTY, World};
use sealgate_core::permission::Permission;
use sealgate_core::saying::Saying;
use serde_json::{Value, json};

/// One way to look at pages.
struct Look {
    language: &'static str,
    width: u32,
    dark: bool,
    axe: bool,
    script: bool,
}

const fn look(language: &'static str, width: u32, axe: bool) -> Look {
    Look {
        language,
        width,
        dark: false,
        axe,
        script: true,
    }
}

const LOOKS: &[Look] = &[
    look("de", 1280, true),
    look("en", 390, true),
    look("en", 1280, false),
    look("de", 390, false),
    Look {
        dark: true,
        ..look("en", 1280, true)
    },
];

/// Who looks at a page that needs this, in each language.
fn who(needs: Option<Permission>, language: &str) -> Option<&'static str> {
    let pair = match needs? {
        Permission::Operate => ["betreiber@operator.example", "operator@operator.example"],
        Permission::Book | Permission::Resell => {
            ["haendler@zqalpha.example", "reseller@zqalpha.example"]
        }
        Permission::Oneself | Permission::Role(_) => {
            ["verwalter@zqalpha.example", "admin@zqalpha.example"]
        }
    };
    Some(pair[usize::from(language == "en")])
}

/// A page by a name for its picture.
fn page(name: &str, path: &str) -> Value {
    json!({ "name": name, "path": path })
}

fn name_of(route: &Route) -> String {
    let parts = route
        .path
        .split('/')
        .filter(|part| !part.is_empty() && *part != "o" && *part != "{organisation}");
    let name: Vec<String> = parts.map(|part| part.replace(['{', '}'], "")).collect();
    match (name.is_empty(), route.path.starts_with("/o/")) {
        (true, true) => "overview".to_owned(),
        (true, false) => "start".to_owned(),
        _ => name.join("-"),
    }
}

/// Whether a route answers with a page, not with a file, a picture or a stream; what is wrong if it fails.
fn is_html(asked: &Asked, path: &str, visitor: &Visitor) -> Result<bool, String> {
    if asked.route.path.ends_with("/live") {
        return Ok(false);
    }
    let answer = visitor.get(path);
    let kind = answer.field("content-type").unwrap_or_default();
    match answer.status {
        200 => Ok(kind.starts_with("text/html")),
        303 => Ok(false),
        404 if AT_TIMES.contains(&asked.route.path.as_str()) => Ok(false),
        status => Err(format!("{path}: {status} {}", short(&answer))),
    }
}

fn every_page(asking: &Asking) -> Vec<Asked> {
    let mut all = asking.all().unwrap_or_else(|missing| {
        panic!("pages that no link leads to:\n{}", missing.join("\n"));
    });
    for route in asking.routes.iter().filter(|route| route.needs.is_none()) {
        if route.is_page() && route.parameters().is_empty() {
            all.push(Asked {
                route: route.clone(),
                values: BTreeMap::new(),
            });
        }
    }
    all.retain(|asked| asked.route.is_page());
    all
}

fn visitor(world: &World, name: Option<&str>) -> Visitor {
    name.map_or_else(
        || Visitor::new(world.portal),
        |name| person(name).visits(world),
    )
}

/// The English of told sentences that stands on a page: each piece of two words or more between two values. Batches of orders
/// keep the name that they got when they were opened.
fn english(page: &str) -> Vec<&'static str> {
    let pieces = Saying::texts().flat_map(|(english, _)| english.split(['{', '}']).step_by(2));
    let pieces = pieces.flat_map(|piece| piece.split(['"', '\'']));
    let told = pieces.map(|piece| piece.trim_matches([' ', ':', ',', ';', '(', ')']));
    told.filter(|piece| piece.len() > 9 && piece.contains(' ') && page.contains(piece))
        .collect()
}

fn looks(world: &World, asking: &Asking) -> Result<Vec<Value>, Vec<String>> {
    let (mut looks, mut failures) = (Vec::new(), Vec::new());
    let all = every_page(asking);
    for own in LOOKS {
        let mut groups: BTreeMap<Option<&str>, Vec<Value>> = BTreeMap::new();
        for asked in &all {
            let name = who(asked.route.needs, own.language);
            let path = asked.address();
            match is_html(asked, &path, &visitor(world, name)) {
                Ok(true) => {
                    if own.language == "de" && own.axe && name.is_some() {
                        let shown = visitor(world, name).get(&path).text();
                        let found = english(&shown).into_iter();
                        failures.extend(found.map(|words| format!("{path} in German: {words}")));
                    }
                    let shown = page(&name_of(&asked.route), &path);
                    groups.entry(name).or_default().push(shown);
                }
                Ok(false) => {}
                Err(why) => failures.push(why),
            }
        }
        let admin = who(Some(Permission::Oneself), own.language);
        let missing = json!({ "name": "not-found", "path": format!("/o/{ALPHA}/no-such-page"), "status": 404 });
        groups.entry(admin).or_default().push(missing);
        for (name, pages) in groups {
            looks.push(one_look(own, &visitor(world, name), &pages));
        }
    }
    if failures.is_empty() {
        Ok(looks)
    } else {
        Err(failures)
    }
}

fn one_look(own: &Look, visitor: &Visitor, pages: &[Value]) -> Value {
    let name = format!(
        "{}-{}{}",
        own.language,
        own.width,
        if own.dark { "-dark" } else { "" }
    );
    json!({
        "name": name,
        "language": own.language,
        "width": own.width,
        "dark": own.dark,
        "axe": own.axe,
        "script": own.script,
        "shoot": true,
        "cookies": *visitor.cookies.lock().unwrap(),
        "pages": pages,
    })
}

fn none(failures: &[String]) {
    assert!(
        failures.is_empty(),
        "{} findings:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn seen(world: &World, looks: &[Value]) -> Vec<String> {
    let results = browser::run(
        "pages.js",
        &json!({
            "origin": format!("http://{}", world.portal),
            "screenshots": browser::screenshots(),
            "looks": looks,
        }),
    );
    println!("{} views", results.as_array().unwrap().len());
    browser::findings(&results)
}

#[test]
fn every_page_in_both_languages() {
    if !browser::ready() {
        return;
    }
    let Some(world) = World::running("pages") else {
        return;
    };
    let asking = Asking::new(&world);
    let looks = looks(&world, &asking).unwrap_or_else(|failures| panic!("{}", failures.join("\n")));
    none(&seen(&world, &looks));
}

/// An organisation that has nothing yet: every page says so, and what to do first.
#[test]
fn every_page_of_an_empty_organisation() {
    if !browser::ready() {
        return;
    }
    let Some(world) = World::configured("empty") else {
        return;
    };
    let mut world = world;
    e2e::portal::people::settle(&world);
    world.gateway.start();
    let asking = Asking::new(&world);
    let operator = person("operator@operator.example").visits(&world);
    let values = BTreeMap::from([("organisation".to_owned(), EMPTY.to_owned())]);
    let mut pages = Vec::new();
    let mut failures = Vec::new();
    for route in asking
        .routes
        .iter()
        .filter(|route| route.is_page() && route.parameters() == ["organisation"])
    {
        let asked = Asked {
            route: route.clone(),
            values: values.clone(),
        };
        let path = asked.address();
        match is_html(&asked, &path, &operator) {
            Ok(true) => pages.push(page(&format!("empty-{}", name_of(route)), &path)),
            Ok(false) => {}
            Err(why) => failures.push(why),
        }
    }
    none(&failures);
    let looks = [look("en", 1280, true), look("en", 390, false)]
        .map(|own| one_look(&own, &operator, &pages));
    none(&seen(&world, &looks));
}

/// Once through with the keyboard alone.
#[test]
fn with_the_keyboard_alone() {
    if !browser::ready() {
        return;
    }
    let Some(world) = World::running("keyboard") else {
        return;
    };
    let name = "tastatur@zqalpha.example";
    let made = world
        .gateway
        .json(&["user", "create", name, "-o", ALPHA, "--role", "write"]);
    let link = made.to_string();
    let from = link
        .find("/invitation/")
        .unwrap_or_else(|| panic!("{link}"));
    let link: String = link[from..]
        .chars()
        .take_while(|char| !['"', ' ', '\\'].contains(char))
        .collect();
    let found = browser::run(
        "keyboard.js",
        &json!({
            "origin": format!("http://{}", world.portal),
            "screenshots": browser::screenshots(),
            "invitation": link,
            "name": name,
            "password": "nur mit der Tastatur",
            "mailbox": world.alpha.own("dora"),
            "managed": world.alpha.own("anna"),
            "external": "tastatur-partner.example",
            "words": {
                "newPassword": "Neues Passwort", "again": "Noch einmal", "signOut": "Abmelden", "name": "E-Mail-Adresse",
                "password": "Passwort", "activate": "Aktivieren", "activateOne": "1 Mailbox aktivieren", "activated": "In Aktivierung",
                "rules": "Verschlüsselungsregeln", "newRule": "Neue Regel erstellen", "all": "Alle", "entries": "Postfächer und Domänen",
                "notDefined": "Nicht definiert", "save": "Speichern", "down": "Regel 1 nach unten",
            },
        }),
    );
    println!("{}", found["steps"]);
    let findings: Vec<String> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(Value::to_string)
        .collect();
    none(&findings);
}

/// Every link and every form of every page leads to something.
#[test]
fn every_link_leads_somewhere() {
    let Some(world) = World::running("links") else {
        return;
    };
    let asking = Asking::new(&world);
    let mut failures = Vec::new();
    for found in [&asking.administrator, &asking.operator, &asking.reseller] {
        for page in &found.pages {
            if page.answer.status >= 400 {
                failures.push(format!(
                    "{} is {}, linked on {}",
                    page.path, page.answer.status, page.on
                ));
            }
        }
        for (on, action, form) in &found.forms {
            let bare = action.split('?').next().unwrap();
            let to = asking
                .routes
                .iter()
                .find(|route| route.method == form.method && route.matches(bare).is_some());
            let Some(to) = to else {
                failures.push(format!(
                    "{on}: no route for the form {} {action}",
                    form.method
                ));
                continue;
            };
            let has_token = form.fields.iter().any(|(name, _)| name == "csrf");
            if to.method == "POST" && to.needs.is_some() && !has_token {
                failures.push(format!("{on}: the form {action} carries no token"));
            }
        }
    }
    failures.sort();
    failures.dedup();
    none(&failures);
}
