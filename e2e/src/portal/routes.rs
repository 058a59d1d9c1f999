//! Every route of the portal as `crates/portal/routes.txt` lists them, and what the OpenAPI file says of calls: how to ask.

use std::collections::BTreeMap;

use sealgate_core::permission::{Permission, Role};
use serde_json::{Map, Value, json};

use crate::place::workspace;
use crate::portal::http::{quoted, unquoted};

/// One route.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its address, parameters as `{name}`.
    pub path: String,
    /// `GET`, `POST`, ...
    pub method: String,
    /// What it needs; none where nobody has to sign in.
    pub needs: Option<Permission>,
}

/// All routes.
pub fn all() -> Vec<Route> {
    let text = std::fs::read_to_string(workspace().join("crates/portal/routes.txt")).unwrap();
    text.lines().map(route).collect()
}

fn route(line: &str) -> Route {
    let words: Vec<&str> = line.split(' ').collect();
    let [path, method, needs] = words[..] else {
        panic!("routes.txt: {line}");
    };
    let needs = match needs {
        "nobody" => None,
        "oneself" => Some(Permission::Oneself),
        "read" => Some(Permission::Role(Role::Read)),
        "write" => Some(Permission::Role(Role::Write)),
        "admin" => Some(Permission::Role(Role::Admin)),
        "book" => Some(Permission::Book),
        "resell" => Some(Permission::Resell),
        "operate" => Some(Permission::Operate),
        other => panic!("routes.txt: {other}"),
    };
    Route {
        path: path.to_owned(),
        method: method.to_owned(),
        needs,
    }
}

impl Route {
    /// Whether scripts ask for it.
    pub fn is_api(&self) -> bool {
        self.path.starts_with("/api/")
    }

    /// Whether a browser shows it.
    pub fn is_page(&self) -> bool {
        !self.is_api()
            && self.method == "GET"
            && !self.path.starts_with("/static/")
            && self.path != "/favicon.ico"
    }

    /// Names of its parameters.
    pub fn parameters(&self) -> Vec<&str> {
        self.path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| name.trim_start_matches('*'))
            .collect()
    }

    /// The parameters in an address of this route, without query.
    pub fn matches(&self, address: &str) -> Option<BTreeMap<String, String>> {
        let (own, theirs): (Vec<_>, Vec<_>) =
            (self.path.split('/').collect(), address.split('/').collect());
        if own.len() != theirs.len() {
            return None;
        }
        let mut values = BTreeMap::new();
        for (own, theirs) in own.into_iter().zip(theirs) {
            match own.strip_prefix('{').and_then(|own| own.strip_suffix('}')) {
                Some(name) if !theirs.is_empty() => {
                    values.insert(name.to_owned(), unquoted(theirs));
                }
                None if own == theirs => {}
                _ => return None,
            }
        }
        Some(values)
    }

    /// Its address with these parameters; those not given stay away, and there is none then.
    pub fn with(&self, values: &BTreeMap<String, String>) -> Option<String> {
        let mut path = self.path.clone();
        for name in self.parameters() {
            path = path.replace(&format!("{{{name}}}"), &quoted(values.get(name)?));
        }
        Some(path)
    }

    /// Shown in messages.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// The OpenAPI file.
pub struct Description(Value);

impl Default for Description {
    fn default() -> Self {
        Self::read()
    }
}

/// What the fields of a request are filled with.
#[derive(Debug, Clone, Default)]
pub struct Filling {
    /// Values of fields by their names.
    pub known: BTreeMap<String, Value>,
    /// The text of every other field that takes any text.
    pub text: Option<String>,
}

/// What a call needs beside its address.
#[derive(Debug, Clone, Default)]
pub struct Example {
    /// The query, with `?`; empty if nothing is demanded.
    pub query: String,
    /// Media type and content.
    pub body: Option<(String, Value)>,
}

impl Description {
    /// Reads it.
    pub fn read() -> Self {
        let path = workspace().join("crates/portal/openapi.json");
        Self(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
    }

    fn call(&self, route: &Route) -> &Value {
        let path = route.path.trim_start_matches("/api/v1");
        let call = &self.0["paths"][path][route.method.to_lowercase()];
        assert!(call.is_object(), "{} is not described", route.name());
        call
    }

    /// The smallest request that fits the description.
    pub fn example(&self, route: &Route, filling: &Filling) -> Example {
        let call = self.call(route);
        let mut pairs = Vec::new();
        for parameter in call["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "query" && parameter["required"] == true {
                let name = parameter["name"].as_str().unwrap();
                let value = self.value(name, &parameter["schema"], filling);
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                pairs.push(format!("{}={}", quoted(name), quoted(&value)));
            }
        }
        let query = if pairs.is_empty() {
            String::new()
        } else {
            format!("?{}", pairs.join("&"))
        };
        let contents = call["requestBody"]["content"].as_object();
        let first = contents.and_then(|all| all.iter().next());
        let body = first.map(|(media_type, content)| {
            (
                media_type.clone(),
                self.value("", &content["schema"], filling),
            )
        });
        Example { query, body }
    }

    /// Names of the parameters in the query of a call.
    pub fn query_names(&self, route: &Route) -> Vec<String> {
        let parameters = self.call(route)["parameters"].as_array();
        let of_query = |one: &&Value| one["in"] == "query";
        let names = parameters.into_iter().flatten().filter(of_query);
        names
            .filter_map(|one| one["name"].as_str().map(str::to_owned))
            .collect()
    }

    fn value(&self, name: &str, schema: &Value, filling: &Filling) -> Value {
        if let Some(value) = filling.known.get(name) {
            return value.clone();
        }
        if let Some(to) = schema["$ref"].as_str() {
            let pointer = to.trim_start_matches('#');
            let schema = self
                .0
                .pointer(pointer)
                .unwrap_or_else(|| panic!("{to} is missing"));
            return self.value(name, schema, filling);
        }
        for choice in ["oneOf", "anyOf"] {
            let all = schema[choice].as_array().into_iter().flatten();
            if let Some(one) = all.into_iter().find(|one| one["type"] != "null") {
                return self.value(name, one, filling);
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            return self.together(name, parts, filling);
        }
        if let Some(first) = schema["enum"].get(0) {
            return first.clone();
        }
        self.plain(name, schema, filling)
    }

    fn together(&self, name: &str, parts: &[Value], filling: &Filling) -> Value {
        let mut whole = Map::new();
        for part in parts {
            match self.value(name, part, filling) {
                Value::Object(own) => whole.extend(own),
                other => return other,
            }
        }
        Value::Object(whole)
    }

    fn plain(&self, name: &str, schema: &Value, filling: &Filling) -> Value {
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().find(|kind| **kind != "null").cloned(),
            other => Some(other.clone()),
        };
        let kind = kind.as_ref().and_then(Value::as_str).unwrap_or("object");
        match kind {
            "string" => text(schema, filling),
            "integer" | "number" => json!(schema["minimum"].as_i64().unwrap_or(1).max(1)),
            "boolean" => json!(false),
            "array" => json!([self.value(name, &schema["items"], filling)]),
            _ => self.object(schema, filling),
        }
    }

    fn object(&self, schema: &Value, filling: &Filling) -> Value {
        let required: Vec<&str> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut whole = Map::new();
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            if required.contains(&name.as_str()) || filling.known.contains_key(name) {
                whole.insert(name.clone(), self.value(name, schema, filling));
            }
        }
        Value::Object(whole)
    }
}

fn text(schema: &Value, filling: &Filling) -> Value {
    match schema["format"].as_str() {
        Some("date-time") => json!("2027-01-01T00:00:00Z"),
        Some("date") => json!("2027-01-01"),
        Some("uri") => json!("https://example.com/"),
        Some("binary" | "byte") => json!("AAAA"),
        _ if filling.text.is_some() => json!(filling.text),
        _ => {
            let length = schema["minLength"].as_u64().unwrap_or(1).max(1);
            json!("x".repeat(usize::try_from(length).unwrap()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_match_routes() {
        let route = route("/o/{organisation}/keys/{key}/block POST write");
        assert_eq!(route.parameters(), ["organisation", "key"]);
        let values = route.matches("/o/a/keys/x%40y/block").unwrap();
        assert_eq!(values["key"], "x@y");
        assert_eq!(
            route.with(&values).as_deref(),
            Some("/o/a/keys/x%40y/block")
        );
        assert!(route.matches("/o/a/keys//block").is_none() && route.matches("/o/a").is_none());
        assert!(route.with(&BTreeMap::new()).is_none());
    }

    #[test]
    fn every_call_has_an_example() {
        let description = Description::read();
        for route in all().iter().filter(|route| route.is_api()) {
            description.example(route, &Filling::default());
        }
    }
}
