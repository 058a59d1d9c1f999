//! Walks through the portal as a visitor may: every page that a link leads to, and what each offers. From it come real values for
//! the parameters of routes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use super::forms::{Form, forms, links};
use super::http::{Answer, Visitor, quoted};
use super::routes::Route;
use super::world::ALPHA;

/// Most pages of one route that are looked at, one for each set of parameters or query.
const OF_ONE_ROUTE: usize = 4;
/// Most pages of one walk.
const PAGES: usize = 400;

/// A page that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its address with query.
    pub path: String,
    /// Where a link to it stands.
    pub on: String,
    /// What came.
    pub answer: Answer,
}

/// What a walk found.
#[derive(Debug, Default)]
pub struct Walk {
    /// The pages, in the order they were found.
    pub pages: Vec<Found>,
    /// Every form that goes to the portal: the page, the action (absolute), the form.
    pub forms: Vec<(String, String, Form)>,
    /// Addresses without query that links and forms lead to.
    pub targets: BTreeSet<String>,
}

/// Walks from `start` on.
pub fn walk(visitor: &Visitor, start: &[&str], routes: &[Route]) -> Walk {
    walk_far(visitor, start, routes, OF_ONE_ROUTE)
}

/// The same, to as many pages of one route.
pub fn walk_far(visitor: &Visitor, start: &[&str], routes: &[Route], of_one_route: usize) -> Walk {
    let mut walk = Walk::default();
    let mut known = BTreeSet::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut waiting: VecDeque<(String, String)> = VecDeque::new();
    for path in start {
        known.insert((*path).to_owned());
        waiting.push_back(((*path).to_owned(), String::new()));
    }
    while let Some((path, on)) = waiting.pop_front() {
        let bare = bare(&path);
        let route = routes
            .iter()
            .find(|route| route.method == "GET" && route.matches(bare).is_some());
        let count = counts
            .entry(route.map_or(bare.to_owned(), |route| route.path.clone()))
            .or_default();
        *count += 1;
        if *count > of_one_route || walk.pages.len() >= PAGES || is_a_stream(&path) {
            continue;
        }
        let answer = visitor.get(&path);
        let text = answer.text();
        let is_page = answer
            .field("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"));
        let mut further = answer
            .field("location")
            .map(str::to_owned)
            .into_iter()
            .collect::<Vec<_>>();
        if is_page {
            further.extend(links(&text));
            walk.take_forms(&path, &text);
        }
        for link in further {
            if let Some(link) = own(&path, &link) {
                walk.targets.insert(self::bare(&link).to_owned());
                if known.insert(link.clone()) {
                    waiting.push_back((link, path.clone()));
                }
            }
        }
        walk.pages.push(Found { path, on, answer });
    }
    walk
}

/// Answers that do not end are not waited for.
fn is_a_stream(path: &str) -> bool {
    let bare = bare(path);
    bare.ends_with("/live") || bare.ends_with("/stream") || bare.ends_with("/tail")
}

fn bare(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or_default()
}

/// A link as an address of the portal; none if it leads elsewhere.
fn own(on: &str, link: &str) -> Option<String> {
    let link = link.split('#').next().unwrap_or_default();
    match link {
        "" => None,
        query if query.starts_with('?') => Some(format!("{}{query}", bare(on))),
        path if path.starts_with('/') && !path.starts_with("//") => Some(path.to_owned()),
        other if other.contains(':') => None,
        relative => {
            let directory = bare(on)
                .rsplit_once('/')
                .map_or("", |(directory, _)| directory);
            Some(format!("{directory}/{relative}"))
        }
    }
}

impl Walk {
    fn take_forms(&mut self, on: &str, text: &str) {
        for form in forms(text) {
            // A form whose buttons all lead elsewhere goes nowhere by itself.
            let by_itself = form.buttons.iter().any(|button| button.action.is_none());
            let mut actions: Vec<String> =
                by_itself.then(|| form.action.clone()).into_iter().collect();
            actions.extend(
                form.buttons
                    .iter()
                    .filter_map(|button| button.action.clone()),
            );
            for action in actions {
                let action = if action.is_empty() {
                    Some(bare(on).to_owned())
                } else {
                    own(on, &action)
                };
                let Some(action) = action else { continue };
                self.targets.insert(bare(&action).to_owned());
                self.forms.push((on.to_owned(), action, form.clone()));
            }
        }
    }

    /// Real values for the parameters of a route among `routes`: a fixed part of an address counts before a parameter.
    pub fn values(&self, route: &Route, routes: &[Route]) -> Option<BTreeMap<String, String>> {
        let own = |values: &BTreeMap<String, String>| {
            let mut others = values.iter().filter(|(name, _)| *name != "organisation");
            others.any(|(_, value)| value.contains(ALPHA))
        };
        let found: Vec<_> = self
            .targets
            .iter()
            .filter(|target| !is_narrower(target, route, routes))
            .filter_map(|target| route.matches(target))
            .collect();
        // What carries the marker is surely not the other organisation's, too.
        found
            .iter()
            .find(|values| own(values))
            .or(found.first())
            .cloned()
    }

    /// A form that goes to `route`.
    pub fn form(&self, route: &Route, routes: &[Route]) -> Option<&Form> {
        let mut own = self.forms.iter().filter(|(_, action, form)| {
            let to = bare(action);
            form.method == route.method
                && route.matches(to).is_some()
                && !is_narrower(to, route, routes)
        });
        own.next().map(|(_, _, form)| form)
    }
}

/// Whether an address is rather that of a route with fewer parameters.
fn is_narrower(address: &str, route: &Route, routes: &[Route]) -> bool {
    let own = route.parameters().len();
    routes
        .iter()
        .any(|other| other.parameters().len() < own && other.matches(address).is_some())
}

/// Fields of the entries of a list that may be what the next part of an address names.
const NAMES: &[&str] = &[
    "id",
    "number",
    "mail",
    "row",
    "address",
    "name",
    "domain",
    "sha256",
    "organisation",
    "priority",
];

/// Real values for the parameters of a call: from the lists that its address goes through.
pub fn values_of_call(
    visitors: &[Visitor],
    route: &Route,
    known: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, String> {
    let mut values = BTreeMap::new();
    let mut path = String::new();
    for part in route.path.split('/').skip(1) {
        let Some(name) = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'))
        else {
            path = format!("{path}/{part}");
            continue;
        };
        let own = match known.get(name) {
            Some(own) => own.clone(),
            None => from_lists(visitors, &path, name)?,
        };
        path = format!("{path}/{}", quoted(&own));
        values.insert(name.to_owned(), own);
    }
    Ok(values)
}

fn from_lists(visitors: &[Visitor], path: &str, name: &str) -> Result<String, String> {
    let mut failure = String::new();
    for visitor in visitors {
        match from_list(visitor, path, name) {
            Ok(found) => return Ok(found),
            Err(why) => failure = why,
        }
    }
    Err(failure)
}

/// From the list at `path`; where there is none, from that part of what lies above.
fn from_list(visitor: &Visitor, path: &str, name: &str) -> Result<String, String> {
    let mut answer = visitor.get(path);
    if answer.status == 405 || answer.status == 404 {
        let (above, _) = path.rsplit_once('/').unwrap_or_default();
        answer = visitor.get(above);
    }
    let whole = answer.json();
    let mut lists = whole.as_object().into_iter().flat_map(|all| all.values());
    let named = lists.find(|list| !list[0][name].is_null());
    let items = [Some(&whole), Some(&whole["items"]), named];
    let items = items.into_iter().flatten().find_map(Value::as_array);
    // What carries the marker is surely not the other organisation's, too.
    let of_ours = |item: &&Value| item.to_string().contains(ALPHA);
    let own = items.and_then(|items| items.iter().find(of_ours).or(items.first()));
    let Some(first) = own else {
        let short: String = answer.text().chars().take(100).collect();
        return Err(format!(
            "no value for {{{name}}}: GET {path} is {} {short}",
            answer.status
        ));
    };
    let own = std::iter::once(name).chain(NAMES.iter().copied());
    let found = own.map(|own| &first[own]).find(|value| !value.is_null());
    match found {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Ok(other.to_string()),
        None if first.is_string() => Ok(first.as_str().unwrap().to_owned()),
        None => Err(format!("no value for {{{name}}} in {first}")),
    }
}
