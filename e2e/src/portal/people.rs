//! Who uses the portal in these tests, put straight into the database: the tests of the login make theirs as people do.

use sealgate_core::permission::{Grants, ResellerId, Role};
use sealgate_core::tenant::OrganisationId;
use serde_json::{Value, json};

use super::database;
use super::http::Visitor;
use super::world::{ALPHA, BETA, World};
use crate::program::must_run;

/// What a user or a token may do.
#[derive(Debug, Clone, Copy)]
pub enum Grant {
    /// A role in the organisation of this name.
    Role(&'static str, Role),
    /// To book licences as the reseller of this organisation.
    Reseller(&'static str),
    /// To run the installation.
    Operator,
}

/// How somebody's session or token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Good.
    Good,
    /// Not used for longer than a session lives.
    Idle,
    /// Begun longer ago than a session lives, though used just now; a token past its end.
    Over,
    /// The second factor is still owed.
    Half,
}

/// Somebody.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    /// The name to sign in with; of a token its own name.
    pub name: &'static str,
    /// What they may do.
    pub grant: Grant,
    /// Language of their pages.
    pub language: &'static str,
    /// How their session or token is.
    pub state: State,
    /// Whether it is a script with an API token.
    pub is_token: bool,
}

const fn user(name: &'static str, grant: Grant, language: &'static str) -> Person {
    Person {
        name,
        grant,
        language,
        state: State::Good,
        is_token: false,
    }
}

const fn ended(name: &'static str, state: State) -> Person {
    Person {
        state,
        ..user(name, Grant::Role(ALPHA, Role::Admin), "en")
    }
}

const fn token(name: &'static str, grant: Grant) -> Person {
    Person {
        is_token: true,
        ..user(name, grant, "en")
    }
}

/// Everybody.
pub const PEOPLE: &[Person] = &[
    user("operator@operator.example", Grant::Operator, "en"),
    user("betreiber@operator.example", Grant::Operator, "de"),
    user("reseller@zqalpha.example", Grant::Reseller(ALPHA), "en"),
    user("haendler@zqalpha.example", Grant::Reseller(ALPHA), "de"),
    user("reseller@zqbeta.example", Grant::Reseller(BETA), "en"),
    user(
        "admin@zqalpha.example",
        Grant::Role(ALPHA, Role::Admin),
        "en",
    ),
    user(
        "verwalter@zqalpha.example",
        Grant::Role(ALPHA, Role::Admin),
        "de",
    ),
    user(
        "writer@zqalpha.example",
        Grant::Role(ALPHA, Role::Write),
        "en",
    ),
    user(
        "reader@zqalpha.example",
        Grant::Role(ALPHA, Role::Read),
        "en",
    ),
    user("admin@zqbeta.example", Grant::Role(BETA, Role::Admin), "en"),
    user(
        "writer@zqbeta.example",
        Grant::Role(BETA, Role::Write),
        "en",
    ),
    ended("idle@zqalpha.example", State::Idle),
    ended("over@zqalpha.example", State::Over),
    ended("half@zqalpha.example", State::Half),
    // What becomes of these is up to a test: logged out, removed, disabled, revoked.
    user(
        "left@zqalpha.example",
        Grant::Role(ALPHA, Role::Admin),
        "en",
    ),
    user(
        "removed@zqalpha.example",
        Grant::Role(ALPHA, Role::Admin),
        "en",
    ),
    user(
        "disabled@zqalpha.example",
        Grant::Role(ALPHA, Role::Admin),
        "en",
    ),
    token("zqalpha-revoked", Grant::Role(ALPHA, Role::Admin)),
    token("zqalpha-reader", Grant::Role(ALPHA, Role::Read)),
    token("zqalpha-writer", Grant::Role(ALPHA, Role::Write)),
    token("zqalpha-admin", Grant::Role(ALPHA, Role::Admin)),
    token("zqbeta-admin", Grant::Role(BETA, Role::Admin)),
    token("operator-token", Grant::Operator),
    Person {
        state: State::Over,
        ..token("zqalpha-old", Grant::Role(ALPHA, Role::Admin))
    },
];

/// The person of that name.
pub fn person(name: &str) -> &'static Person {
    let mut found = PEOPLE.iter().filter(|one| one.name == name);
    found.next().unwrap_or_else(|| panic!("nobody is {name}"))
}

impl Person {
    /// The secret in the cookie, or the API token.
    pub fn secret(&self) -> String {
        let name: String = self
            .name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        format!("sgt_{name:A<43}")
    }

    /// Them at the portal.
    pub fn visits(&self, world: &World) -> Visitor {
        if self.is_token {
            return Visitor::with_token(world.portal, &self.secret());
        }
        let visitor = Visitor::new(world.portal);
        let pair = ("sealgate".to_owned(), self.secret());
        visitor.cookies.lock().unwrap().extend([pair]);
        visitor
    }

    /// Their grants, as `core::permission` judges them; nobody's if the session or token is over.
    pub fn grants(&self) -> Option<Grants> {
        if self.state != State::Good {
            return None;
        }
        let mut grants = Grants::default();
        match self.grant {
            Grant::Role(organisation, role) => grants.roles.push((number(organisation), role)),
            Grant::Reseller(organisation) => grants.reseller = Some(reseller(organisation)),
            Grant::Operator => grants.operator = true,
        }
        Some(grants)
    }
}

/// Number of an organisation in the world: they are made in this order.
pub fn number(organisation: &str) -> OrganisationId {
    OrganisationId(if organisation == ALPHA { 1 } else { 2 })
}

/// Number of its reseller.
pub fn reseller(organisation: &str) -> ResellerId {
    ResellerId(FIRST + number(organisation).0)
}

/// Numbers of what is put into the database begin here, far from those that the gateway gives.
const FIRST: i64 = 900_000;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// Puts everybody into the database.
pub fn settle(world: &World) {
    let now = must_run("date", &["+%s"], b"");
    let now: i64 = String::from_utf8(now).unwrap().trim().parse().unwrap();
    let mut statements = Vec::new();
    for organisation in [ALPHA, BETA] {
        let (own, name) = (number(organisation).0, format!("{organisation}-reseller"));
        statements.push(json!([
            "INSERT INTO resellers (id, name, created) VALUES (?, ?, ?)",
            [json!(FIRST + own), json!(name), json!(now)]
        ]));
        statements.push(json!([
            "UPDATE organisations SET reseller = ? WHERE id = ?",
            [FIRST + own, own]
        ]));
    }
    for (at, one) in PEOPLE.iter().enumerate() {
        let id = FIRST + i64::try_from(at).unwrap();
        if one.is_token {
            statements.push(token_row(one, id, now));
        } else {
            statements.extend(user_rows(one, id, now));
        }
    }
    database::run(&world.gateway, &json!(statements));
}

fn token_row(one: &Person, id: i64, now: i64) -> Value {
    let left = if one.state == State::Over {
        -60
    } else {
        30 * DAY
    };
    let whose = [
        json!(organisation(one)),
        json!(role(one)),
        json!(reseller_of(one)),
    ];
    let values = [json!(id), json!(sha256(&one.secret())), json!(one.name)];
    let times = [json!(now - DAY), json!(now + left)];
    let all = [&values[..], &whose, &times].concat();
    json!([
        "INSERT INTO api_tokens (id, sha256, name, organisation, role, reseller, created, expires, created_by) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'test')",
        all
    ])
}

fn user_rows(one: &Person, id: i64, now: i64) -> Vec<Value> {
    let operator = i32::from(matches!(one.grant, Grant::Operator));
    let mut rows = vec![json!([
        "INSERT INTO users (id, name, folded, language, operator, reseller, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
        json!([
            id,
            one.name,
            one.name,
            one.language,
            operator,
            reseller_of(one),
            now - DAY
        ])
    ])];
    if let (Some(organisation), Some(role)) = (organisation(one), role(one)) {
        rows.push(json!([
            "INSERT INTO memberships (user, organisation, role, since) VALUES (?, ?, ?, ?)",
            json!([id, organisation, role, now - DAY])
        ]));
    }
    let (created, seen) = match one.state {
        State::Idle => (now - 3 * DAY, now - 3 * DAY),
        State::Over => (now - 400 * DAY, now),
        State::Good | State::Half => (now - 60, now),
    };
    let complete = i32::from(one.state != State::Half);
    rows.push(json!([
        "INSERT INTO sessions (id, sha256, user, created, seen, complete, agent, address) \
         VALUES (?, ?, ?, ?, ?, ?, 'test', '127.0.0.1')",
        json!([id, sha256(&one.secret()), id, created, seen, complete])
    ]));
    rows
}

fn organisation(one: &Person) -> Option<i64> {
    match one.grant {
        Grant::Role(name, _) => Some(number(name).0),
        _ => None,
    }
}

fn role(one: &Person) -> Option<&'static str> {
    match one.grant {
        Grant::Role(_, role) => Some(role.as_str()),
        _ => None,
    }
}

fn reseller_of(one: &Person) -> Option<i64> {
    match one.grant {
        Grant::Reseller(name) => Some(reseller(name).0),
        _ => None,
    }
}

fn sha256(text: &str) -> String {
    let out = must_run("openssl", &["dgst", "-sha256", "-binary"], text.as_bytes());
    let hex: Vec<String> = out.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("hex:{}", hex.concat())
}
