//! Requests to every route, made from the list of routes, the OpenAPI file and what a walk through the pages found.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::crawl::{Walk, values_of_call, walk};
use super::http::{Answer, Request, Visitor};
use super::people::person;
use super::routes::{Description, Filling, Route, all};
use super::world::{ALPHA, BETA, World};
use crate::keys;
use crate::program::must_run;

/// Where walks begin.
pub const START: &[&str] = &["/", "/organisations", "/account", "/help", "/login"];
/// Where the operator's walk begins beside.
const OPERATORS: &[&str] = &["/system", "/reseller"];

/// All that is known about asking.
pub struct Asking {
    /// Every route.
    pub routes: Vec<Route>,
    /// What calls need.
    pub description: Description,
    /// What an administrator of the first organisation found.
    pub administrator: Walk,
    /// What the operator found.
    pub operator: Walk,
    /// What its reseller found.
    pub reseller: Walk,
    /// Whoever may ask for lists, scripts and people.
    scripts: Vec<Visitor>,
    /// A certificate (PEM), where one is to be handed in.
    certificate: String,
    /// A key in a container, in base64, where one is to be uploaded.
    container: String,
}

/// One route with real values for its parameters, those of the first organisation.
pub struct Asked {
    /// The route.
    pub route: Route,
    /// The values.
    pub values: BTreeMap<String, String>,
}

/// Values that no list and no link shows, by the route's address: what a person types.
const TYPED: &[(&str, &str, &str)] = &[
    // What goes on in the background is over before anybody looks.
    (
        "/o/{organisation}/smime/mailboxes/bulk-work/{id}/stop",
        "id",
        "1",
    ),
    (
        "/api/v1/organisations/{organisation}/mailboxes/bulk-work/{id}/stop",
        "id",
        "1",
    ),
    ("/invitation/{secret}/accept", "secret", "A"),
    (
        "/api/v1/organisations/{organisation}/outbound/destinations/{domain}",
        "domain",
        "zqalpha-far.example",
    ),
];

/// Queries without which a page has nothing to say.
const QUERIES: &[(&str, &str)] = &[(
    "/o/{organisation}/smime/rules/check",
    "?name=managed&value=all",
)];

/// The query of a route that demands one beside its description.
fn query(route: &Route) -> &'static str {
    let mut own = QUERIES.iter().filter(|(path, _)| route.path == *path);
    own.next().map_or("", |(_, query)| query)
}

impl Asked {
    /// Its address with the query that it demands.
    pub fn address(&self) -> String {
        self.route.with(&self.values).unwrap() + query(&self.route)
    }
}

/// The key of a mailbox of the first organisation, as it is uploaded.
fn container(world: &World) -> String {
    let file = world.alpha.anna.pkcs12(&world.alpha.partner);
    let file = std::fs::read(file).unwrap();
    let base64 = must_run("openssl", &["base64", "-e", "-A"], &file);
    String::from_utf8(base64).unwrap()
}

impl Asking {
    /// Walks through the portal of `world`.
    pub fn new(world: &World) -> Self {
        let routes = all();
        let overview = format!("/o/{ALPHA}");
        let from = |name: &str, more: &[&str]| {
            let start = [START, more].concat();
            walk(&person(name).visits(world), &start, &routes)
        };
        Self {
            administrator: from("admin@zqalpha.example", &[&overview]),
            operator: from("operator@operator.example", OPERATORS),
            reseller: from("reseller@zqalpha.example", &["/reseller"]),
            description: Description::read(),
            scripts: ["operator-token", "admin@zqalpha.example"]
                .map(|name| person(name).visits(world))
                .into(),
            certificate: std::fs::read_to_string(&world.alpha.anna.certificate).unwrap(),
            container: container(world),
            routes,
        }
    }

    /// Every route that somebody must sign in for, with real values; names those for which there are none.
    pub fn all(&self) -> Result<Vec<Asked>, Vec<String>> {
        let (mut asked, mut missing) = (Vec::new(), Vec::new());
        for route in self.routes.iter().filter(|route| route.needs.is_some()) {
            match self.values(route) {
                Ok(values) => asked.push(Asked {
                    route: route.clone(),
                    values,
                }),
                Err(why) => missing.push(format!("{}: {why}", route.name())),
            }
        }
        if missing.is_empty() {
            Ok(asked)
        } else {
            Err(missing)
        }
    }

    fn values(&self, route: &Route) -> Result<BTreeMap<String, String>, String> {
        let mut known = BTreeMap::from([("organisation".to_owned(), ALPHA.to_owned())]);
        let typed = TYPED.iter().filter(|(path, _, _)| *path == route.path);
        known.extend(typed.map(|(_, name, value)| ((*name).to_owned(), (*value).to_owned())));
        if route
            .parameters()
            .iter()
            .all(|name| known.contains_key(*name))
        {
            return Ok(known);
        }
        if route.is_api() {
            return values_of_call(&self.scripts, route, &known);
        }
        let walks = [&self.administrator, &self.operator, &self.reseller];
        let mut found = walks
            .into_iter()
            .filter_map(|walk| walk.values(route, &self.routes));
        let found = found.find(|values| values.get("organisation").is_none_or(|own| own == ALPHA));
        found
            .or_else(|| self.values_of_sibling(route))
            .ok_or_else(|| "no link or form leads there".to_owned())
    }

    /// The values of another route that begins alike: what can be undone is not done yet.
    fn values_of_sibling(&self, route: &Route) -> Option<BTreeMap<String, String>> {
        let last = route.path.rfind('}')?;
        let begins = &route.path[..=last];
        let mut others = self
            .routes
            .iter()
            .filter(|other| other.path != route.path && other.path.starts_with(begins));
        let walks = [&self.administrator, &self.operator, &self.reseller];
        others.find_map(|other| {
            walks
                .iter()
                .find_map(|walk| walk.values(other, &self.routes))
        })
    }

    /// The request to a route, with these values and the visitor's token against foreign forms.
    pub fn request(&self, asked: &Asked, values: &BTreeMap<String, String>, csrf: &str) -> Request {
        let request = self.own_request(asked, values, csrf);
        if values.get("organisation").is_none_or(|own| own == ALPHA) {
            return request;
        }
        // What stands in it is the other organisation's own: only the address names what is foreign.
        let body = String::from_utf8_lossy(&request.body).replace(ALPHA, BETA);
        Request {
            body: body.into_bytes(),
            ..request
        }
    }

    fn own_request(&self, asked: &Asked, values: &BTreeMap<String, String>, csrf: &str) -> Request {
        let route = &asked.route;
        let path = route.with(values).unwrap();
        if route.is_api() {
            let mut filling = filling();
            if route.path.ends_with("/upload") {
                filling.known.extend([
                    ("file".to_owned(), json!(self.container)),
                    ("password".to_owned(), json!(keys::PASSWORD)),
                ]);
            }
            return self.call(route, &path, csrf, &filling);
        }
        let request = Request::new(&route.method, &format!("{path}{}", query(route)));
        if route.method == "GET" {
            return request;
        }
        let walks = [&self.administrator, &self.operator, &self.reseller];
        let form = walks
            .into_iter()
            .find_map(|walk| walk.form(route, &self.routes));
        let (uploads, fields) = form.map_or_else(
            || (false, Vec::new()),
            |form| (form.uploads, form.fields.clone()),
        );
        let sent = self.sent(route);
        let is_sent = |name: &str| sent.iter().any(|(own, _)| *own == name);
        let others = fields.iter();
        let others = others.filter(|(name, _)| name != "csrf" && !is_sent(name));
        let mut pairs = vec![("csrf", csrf)];
        pairs.extend(others.map(|(name, value)| (name.as_str(), value.as_str())));
        pairs.extend(sent.iter().copied());
        if uploads {
            let pairs: Vec<_> = pairs
                .into_iter()
                .map(|(name, value)| (name, value.as_bytes()))
                .collect();
            return request.upload(&pairs);
        }
        request.form(&pairs)
    }

    /// What a person chooses or types in a form that stands empty: with it what is named is looked for.
    fn sent(&self, route: &Route) -> Vec<(&str, &str)> {
        match route.path.as_str() {
            "/o/{organisation}/smime/mailboxes/{mailbox}/purge" => vec![("key", "1")],
            "/o/{organisation}/certificates/orders/{id}/chain" => {
                vec![("text", self.certificate.as_str())]
            }
            "/o/{organisation}/inbound/routes/{route}/import" => {
                vec![("file", "address\r\nneu@zqalpha.example\r\n")]
            }
            _ => Vec::new(),
        }
    }

    /// A call with its content filled in so.
    pub fn call(&self, route: &Route, path: &str, csrf: &str, filling: &Filling) -> Request {
        let example = self.description.example(route, filling);
        let typed = query(route);
        let demanded = if typed.is_empty() {
            &example.query
        } else {
            typed
        };
        let path = format!("{path}{demanded}");
        let request = Request::new(&route.method, &path);
        let request = match example.body {
            None => request,
            Some((kind, value)) if kind == "application/json" => request.json(&value),
            Some((kind, value)) if kind == "multipart/form-data" => upload(request, &value),
            Some((kind, _)) => Request {
                body: b"x".to_vec(),
                ..request.field("content-type", &kind)
            },
        };
        if csrf.is_empty() {
            request
        } else {
            request.field("x-csrf-token", csrf)
        }
    }
}

fn upload(request: Request, value: &Value) -> Request {
    let fields: Vec<(String, String)> = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), text)
        })
        .collect();
    let fields: Vec<(&str, &[u8])> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    request.upload(&fields)
}

/// Values for fields of calls: things of the first organisation.
pub fn filling() -> Filling {
    let own = |local: &str| format!("{local}@{ALPHA}.example");
    let known = [
        ("mailbox", json!(own("boris"))),
        ("mailboxes", json!([own("boris"), own("dora")])),
        ("address", json!(own("boris"))),
        ("domain", json!(format!("{ALPHA}.example"))),
        ("managed", json!("all")),
        ("side", json!("managed")),
        ("role", json!("read")),
        ("direction", json!("outbound")),
        ("external", json!(format!("{ALPHA}-partner.example"))),
        ("url", json!("https://hooks.example/x")),
        ("host", json!("127.0.0.1")),
        ("networks", json!(["192.0.2.128/25"])),
    ];
    Filling {
        known: known
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        text: None,
    }
}

/// Routes that have something only at times: a picture of a secret that is being made, one
/// copy of a mail.
pub const AT_TIMES: &[&str] = &[
    "/login/oidc",
    "/login/oidc/callback",
    "/account/second-factor/picture",
    "/o/{organisation}/held/{mail}/raw",
    "/api/v1/organisations/{organisation}/queue/{mail}/raw",
];

/// What came, in one line: the code of a problem, or the title of a page.
pub fn short(answer: &Answer) -> String {
    let text = answer.text();
    let title = text
        .split_once("<title>")
        .map_or(text.as_str(), |(_, rest)| rest);
    let title: String = title.chars().take(160).collect();
    title
        .split("</title>")
        .next()
        .unwrap_or_default()
        .replace('\n', " ")
}

/// The stable code of a problem: of a call from its content, of a page from its mark.
pub fn code(answer: &Answer) -> String {
    answer.json()["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}
