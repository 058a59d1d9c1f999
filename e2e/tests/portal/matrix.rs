//! Rows W1 and G8 of security.md: every route of the portal as everybody who must not see it, every number of one organisation
//! asked for through another one's address, and names that lead out of where they should.

use std::collections::BTreeMap;

use e2e::portal::asking::{AT_TIMES, Asked, Asking, START, code, short};
use e2e::portal::crawl::walk;
use e2e::portal::database::{digest, digest_of, until_at_rest};
use e2e::portal::http::{Answer, Request, Visitor, quoted};
use e2e::portal::people::{Grant, PEOPLE, Person, number, person, reseller};
use e2e::portal::routes::Route;
use e2e::portal::world::{ALPHA, BETA, World};
use sealgate_core::permission::{Grants, Permission, Verdict, Whose, decide};

/// What must come back.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    /// 401, or the login page.
    SignIn,
    /// 403.
    Forbidden,
    /// 404.
    Missing,
    /// Whatever the route does.
    Done,
    /// Done or refused.
    Any,
}

/// Somebody at the portal, and what they may do there now.
struct Visiting {
    name: &'static str,
    grants: Option<Grants>,
    is_token: bool,
    visitor: Visitor,
}

fn expected(who: &Visiting, route: &Route) -> Expected {
    let (Some(grants), Some(needs)) = (&who.grants, route.needs) else {
        return Expected::SignIn;
    };
    let whose = route.path.contains("{organisation}").then(|| Whose {
        organisation: number(ALPHA),
        reseller: Some(reseller(ALPHA)),
    });
    match decide(grants, needs, whose) {
        // A script has no account of its own.
        Verdict::Allowed if needs == Permission::Oneself && who.is_token => Expected::Any,
        Verdict::Allowed => Expected::Done,
        Verdict::Forbidden => Expected::Forbidden,
        Verdict::Hidden => Expected::Missing,
    }
}

/// Whether that came; what is wrong if not.
fn judge(route: &Route, expected: &Expected, answer: &Answer) -> Result<(), String> {
    let right = match expected {
        Expected::SignIn if route.is_api() => {
            answer.status == 401 && code(answer) == "not-signed-in"
        }
        Expected::SignIn => answer.is_to_login(),
        Expected::Forbidden if route.is_api() => {
            answer.status == 403 && code(answer) == "forbidden"
        }
        Expected::Forbidden => answer.status == 403,
        Expected::Missing if route.is_api() => answer.status == 404 && code(answer) == "not-found",
        Expected::Missing => answer.status == 404,
        Expected::Any => answer.status < 500,
        Expected::Done => {
            !answer.is_to_login()
                && answer.status < 500
                && ![400, 401, 403, 404, 405, 415].contains(&answer.status)
        }
    };
    if right || *expected == Expected::Done && AT_TIMES.contains(&route.path.as_str()) {
        return Ok(());
    }
    Err(format!(
        "{} is {}, not {expected:?}: {}",
        route.name(),
        answer.status,
        short(answer)
    ))
}

/// The visitor's token against foreign forms, from a page that everybody who is signed in has.
fn csrf(visitor: &Visitor) -> String {
    if visitor.token.is_some() {
        return String::new();
    }
    visitor.csrf("/account")
}

fn none(failures: &[String]) {
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn routes_with_values(asking: &Asking) -> Vec<Asked> {
    match asking.all() {
        Ok(all) => all,
        Err(missing) => panic!("routes that nothing is asked of:\n{}", missing.join("\n")),
    }
}

/// Everybody of the world, and nobody.
fn everybody(world: &World) -> Vec<Visiting> {
    let nobody = Visiting {
        name: "nobody",
        grants: None,
        is_token: false,
        visitor: Visitor::new(world.portal),
    };
    let all = PEOPLE.iter().map(|one| Visiting {
        name: one.name,
        grants: one.grants(),
        is_token: one.is_token,
        visitor: one.visits(world),
    });
    std::iter::once(nobody).chain(all).collect()
}

/// One logs out, one is removed from the organisation, one is disabled, and a token is revoked, while each still holds cookie or
/// token: from now on they may nothing.
fn some_are_ended(world: &World, all: &mut [Visiting]) {
    let operator = person("operator-token").visits(world);
    let own = format!("/api/v1/organisations/{ALPHA}");
    let number = |path: &str, name: &str| {
        let list = operator.get(path).json();
        let list = list["items"].as_array().or(list.as_array()).cloned();
        let mut found = list.unwrap_or_default().into_iter();
        let found = found.find(|one| one["name"] == name);
        let found = found.unwrap_or_else(|| panic!("{name} is not in {path}"));
        found["id"].as_i64().unwrap()
    };
    for one in all {
        let id;
        let request = match one.name {
            "left@zqalpha.example" => {
                // The cookie is kept beside, as whoever stole it would.
                let copy = one.visitor.clone();
                assert_eq!(copy.post("/logout", "/account", &[]).status, 303);
                one.grants = None;
                continue;
            }
            "removed@zqalpha.example" => {
                // Sessions end where rights are taken away (row W2).
                one.grants = None;
                id = number(&format!("{own}/users"), one.name);
                Request::new("DELETE", &format!("{own}/users/{id}"))
            }
            "disabled@zqalpha.example" => {
                one.grants = None;
                id = number("/api/v1/users", one.name);
                let change = serde_json::json!({ "disabled": true });
                Request::new("PATCH", &format!("/api/v1/users/{id}")).json(&change)
            }
            "zqalpha-revoked" => {
                one.grants = None;
                id = number(&format!("{own}/tokens"), one.name);
                Request::new("DELETE", &format!("{own}/tokens/{id}"))
            }
            _ => continue,
        };
        let answer = operator.ask(&request);
        assert!(answer.status < 300, "{}: {}", one.name, answer.text());
    }
}

/// Every route as nobody and as everybody of the world.
#[test]
fn w1_every_route_as_everybody() {
    let Some(world) = World::running("w1-routes") else {
        return;
    };
    let asking = Asking::new(&world);
    let all = routes_with_values(&asking);
    let mut visitors = everybody(&world);
    some_are_ended(&world, &mut visitors);
    until_at_rest(&world.gateway);
    let before = digest(&world.gateway);
    let mut failures = as_everybody(&asking, (&all, &visitors), false);
    none(&failures);
    assert_eq!(digest(&world.gateway), before, "something was changed");
    // Whoever may look sees something: the requests above were refused for the right reason.
    failures = as_everybody(&asking, (&all, &visitors), true);
    failures.extend(hidden_is_unknown(&world, &asking, &all));
    none(&failures);
}

/// What is wrong with the answers to those who may, or to those who may not.
fn as_everybody(
    asking: &Asking,
    (all, visitors): (&[Asked], &[Visiting]),
    may: bool,
) -> Vec<String> {
    let mut failures = Vec::new();
    let mut asked_for = 0;
    for who in visitors {
        let csrf = csrf(&who.visitor);
        for asked in all {
            let expected = expected(who, &asked.route);
            let is_allowed = matches!(expected, Expected::Done | Expected::Any);
            // What is refused ends, also where it would be a stream.
            let goes_on = asked.route.method != "GET" || is_a_stream(&asked.route);
            if is_allowed != may || is_allowed && goes_on {
                continue;
            }
            asked_for += 1;
            let answer = who
                .visitor
                .ask(&asking.request(asked, &asked.values, &csrf));
            if let Err(what) = judge(&asked.route, &expected, &answer) {
                failures.push(format!("{}: {what}", who.name));
            }
        }
    }
    println!("{} routes, {asked_for} requests", all.len());
    failures
}

/// An organisation that is hidden answers, octet for octet, as one that never was; and shows nothing of itself.
fn hidden_is_unknown(world: &World, asking: &Asking, all: &[Asked]) -> Vec<String> {
    const UNKNOWN: &str = "zqomega";
    let mut failures = Vec::new();
    let people = ["admin@zqbeta.example", "zqbeta-admin"];
    for (name, visitor) in people.map(|name| (name, person(name).visits(world))) {
        let csrf = csrf(&visitor);
        for asked in all {
            if !asked.route.path.contains("{organisation}") {
                continue;
            }
            let request = asking.request(asked, &asked.values, &csrf);
            let text = visitor.ask(&request).text();
            let elsewhere = Request {
                path: request.path.replacen(ALPHA, UNKNOWN, 1),
                ..request.clone()
            };
            let unknown = visitor.ask(&elsewhere).text();
            if text.replace(ALPHA, UNKNOWN) != unknown.replace(ALPHA, UNKNOWN) {
                failures.push(format!("{name}: {} tells that it is there", request.path));
            }
        }
    }
    failures
}

fn is_a_stream(route: &Route) -> bool {
    route.path.ends_with("/live")
}

/// Calls that make what they name if it is not there: in the second organisation, a thing of its own.
const MAKES: &[&str] = &[
    "PUT /api/v1/organisations/{organisation}/authorities/{name}",
    "PUT /api/v1/organisations/{organisation}/directories/{name}",
    "PUT /api/v1/organisations/{organisation}/outbound/destinations/{domain}",
];
/// Requests that tell nothing of what they name: whether it is there or not, the answer is the same.
const JUDGED_FIRST: &[&str] = &[
    // Asks back before it looks.
    "POST /o/{organisation}/inbound/routes/{route}/mailboxes/remove",
];

/// Every number and name of the first organisation, asked for through the address of the second by its administrators.
#[test]
fn w1_what_is_anothers_is_not_there() {
    let Some(world) = World::running("w1-foreign") else {
        return;
    };
    let asking = Asking::new(&world);
    let all = routes_with_values(&asking);
    let mut failures = Vec::new();
    until_at_rest(&world.gateway);
    let before = digest_of(&world.gateway, number(ALPHA).0);
    for name in [
        "admin@zqbeta.example",
        "zqbeta-admin",
        "reseller@zqbeta.example",
        "operator@operator.example",
    ] {
        let (who, visitor) = (person(name), person(name).visits(&world));
        let csrf = csrf(&visitor);
        for asked in &all {
            let parameters = asked.route.parameters();
            let has_own = parameters.iter().any(|name| *name != "organisation");
            if !has_own || !may(who, &asked.route) {
                continue;
            }
            let mut values = asked.values.clone();
            if values.contains_key("organisation") {
                values.insert("organisation".to_owned(), BETA.to_owned());
            }
            let name_of_route = asked.route.name();
            if MAKES.contains(&name_of_route.as_str()) {
                continue;
            }
            let answer = visitor.ask(&asking.request(asked, &values, &csrf));
            let is_judged = JUDGED_FIRST.contains(&name_of_route.as_str())
                && [200, 422].contains(&answer.status);
            if is_judged {
                continue;
            }
            if let Err(what) = judge(&asked.route, &Expected::Missing, &answer) {
                failures.push(format!("{name}: {what}"));
            }
            // What stands in the request may come back; nothing else.
            let mut text = answer.text();
            for value in values.values() {
                text = text.replace(value, "").replace(&quoted(value), "");
            }
            if text.contains(ALPHA) && !matches!(who.grant, Grant::Operator) {
                failures.push(format!("{name}: {} shows {ALPHA}", asked.route.name()));
            }
        }
    }
    none(&failures);
    let after = digest_of(&world.gateway, number(ALPHA).0);
    assert_eq!(after, before, "something of {ALPHA} was changed");
}

/// Whether somebody of the second organisation gets through to the question whether the thing is there.
fn may(who: &Person, route: &Route) -> bool {
    let whose = route.path.contains("{organisation}").then(|| Whose {
        organisation: number(BETA),
        reseller: Some(reseller(BETA)),
    });
    let own = matches!(who.grant, Grant::Operator) && route.needs == Some(Permission::Operate);
    let no_account = who.is_token && route.needs == Some(Permission::Oneself);
    let verdict = decide(&who.grants().unwrap(), route.needs.unwrap(), whose);
    verdict == Verdict::Allowed && !own && !no_account
}

/// What of the second organisation's pages, lists, counts, searches and plots could show something of the first.
#[test]
fn w1_nothing_of_one_shows_in_the_other() {
    let Some(world) = World::running("w1-marker") else {
        return;
    };
    let asking = Asking::new(&world);
    let mut failures = Vec::new();
    let overview = format!("/o/{BETA}");
    for (name, start) in [
        ("admin@zqbeta.example", overview.as_str()),
        ("reseller@zqbeta.example", "/reseller"),
    ] {
        let visitor = person(name).visits(&world);
        let found = walk(&visitor, &[START, &[start]].concat(), &asking.routes);
        assert!(
            found.pages.len() > 2,
            "{name} sees {} pages",
            found.pages.len()
        );
        for page in &found.pages {
            if page.answer.text().contains(ALPHA) {
                failures.push(format!("{name}: {} shows {ALPHA}", page.path));
            }
            if page.answer.status >= 400 {
                failures.push(format!(
                    "{name}: {} is {}, linked on {}",
                    page.path, page.answer.status, page.on
                ));
            }
        }
    }
    let (script, admin) = ["zqbeta-admin", "admin@zqbeta.example"]
        .map(|name| person(name).visits(&world))
        .into();
    let searched = ALPHA.strip_suffix('a').unwrap();
    for route in asking.routes.iter().filter(|route| route.method == "GET") {
        if route.parameters() != ["organisation"] || is_a_stream(route) {
            continue;
        }
        let path = route
            .with(&BTreeMap::from([(
                "organisation".to_owned(),
                BETA.to_owned(),
            )]))
            .unwrap();
        let (asks, names) = match route.is_api() {
            true => (&script, asking.description.query_names(route)),
            false => (&admin, ["search", "party", "who"].map(str::to_owned).into()),
        };
        let queries = names
            .iter()
            .map(|name| format!("?{}={searched}", quoted(name)));
        for query in std::iter::once(String::new()).chain(queries) {
            let answer = asks.get(&format!("{path}{query}"));
            if answer.text().contains(ALPHA) || answer.status >= 500 {
                failures.push(format!(
                    "{path}{query}: {} {}",
                    answer.status,
                    answer.text()
                ));
            }
        }
    }
    none(&failures);
}

/// Names that lead elsewhere on a careless server.
fn crooked() -> Vec<String> {
    let mut all: Vec<String> = [
        "..",
        ".",
        "%2e%2e",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2fetc%2fpasswd",
        "..%5c..%5cx",
        "%00",
        "x%00.html",
        "%ff%fe",
        "-1",
        "9223372036854775808",
        "0x1",
        "1%0d%0aSet-Cookie:%20a=b",
        "%F0%9F%98%80",
        "%25%32%65",
        "*",
        "%27%20OR%201=1--",
        "null",
    ]
    .map(str::to_owned)
    .to_vec();
    all.push("A".repeat(5000));
    all
}

/// Row G8: each of them in every parameter of every route: refused, never a failure of ours; and nothing outside the data
/// directory is opened.
#[test]
fn g8_names_that_lead_elsewhere() {
    if !e2e::program::present(&["strace"]) {
        return;
    }
    let Some(mut world) = World::running("g8") else {
        return;
    };
    let asking = Asking::new(&world);
    let all = routes_with_values(&asking);
    world.gateway.stop();
    let transcript = world.gateway.directory().path().join("strace.txt");
    let wrapper = [
        "strace",
        "-f",
        "-qq",
        "-o",
        transcript.to_str().unwrap(),
        "-e",
        "trace=open,openat,openat2,creat,unlink,unlinkat,rename,renameat,stat,readlink",
    ];
    world.gateway.start_as(&wrapper);
    let visitor = person("operator@operator.example").visits(&world);
    let script = person("operator-token").visits(&world);
    let csrf = csrf(&visitor);
    walk(&visitor, START, &asking.routes);
    let before = std::fs::read_to_string(&transcript).unwrap().len();
    let mut failures = Vec::new();
    for asked in &all {
        for name in asked.route.parameters() {
            for crooked in crooked() {
                let request = bent(
                    &asking.request(asked, &asked.values, &csrf),
                    &asked.route,
                    (name, &crooked),
                );
                let who = if asked.route.is_api() {
                    &script
                } else {
                    &visitor
                };
                let answer = who.ask(&request);
                let name_of_route = asked.route.name();
                let is_taken = answer.status == 200
                    && (MAKES.contains(&name_of_route.as_str())
                        && !crooked.contains("..")
                        && !crooked.contains('/')
                        || JUDGED_FIRST.contains(&name_of_route.as_str()));
                if !(400..500).contains(&answer.status) && !is_taken {
                    let short: String = crooked.chars().take(40).collect();
                    failures.push(format!(
                        "{} with {name} = {short}: {}",
                        asked.route.name(),
                        answer.status
                    ));
                }
            }
        }
    }
    let all = std::fs::read_to_string(&transcript).unwrap();
    let data = world.gateway.data();
    for line in all.get(before..).unwrap_or_default().lines() {
        let opened = line.split('"').nth(1).unwrap_or_default();
        let is_ours = opened.starts_with(data.to_str().unwrap())
            || opened.starts_with("/proc/")
            || opened.starts_with("/sys/");
        if !opened.is_empty() && !is_ours {
            failures.push(format!("opened: {line}"));
        }
    }
    none(&failures);
}

/// The request with a crooked value for one parameter, exactly as it is on the wire.
fn bent(request: &Request, route: &Route, (name, crooked): (&str, &str)) -> Request {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let own: Vec<&str> = route.path.split('/').collect();
    let place = own
        .iter()
        .position(|part| part.trim_matches(['{', '}', '*']) == name)
        .unwrap();
    let mut parts: Vec<&str> = path.split('/').collect();
    parts[place] = crooked;
    let path = parts.join("/");
    Request {
        path: if query.is_empty() {
            path
        } else {
            format!("{path}?{query}")
        },
        ..request.clone()
    }
}
