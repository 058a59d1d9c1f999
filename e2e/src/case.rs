//! Cases as data: what a directory below `e2e/cases` holds (see `e2e/README.md`).

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::path::Path;

use sealgate_core::rules::{Choice, DecidedBy, Pattern, Rule, RuleId};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::openssl::crlf;
use crate::place::workspace;

/// One case.
#[derive(Debug)]
pub struct Case {
    /// Name of its directory.
    pub name: String,
    /// `case.toml`.
    pub given: Given,
    /// `in.eml`, with CRLF line ends.
    pub message: Vec<u8>,
    /// `expect.toml`.
    pub expect: Expect,
}

/// What a case starts from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Given {
    /// Which sentence of the requirements it is about.
    pub about: String,
    /// Which way the mail goes.
    pub direction: Direction,
    /// Envelope sender.
    pub from: String,
    /// Envelope recipient.
    pub to: String,
    /// The known mailboxes: whether each has an active certificate.
    pub mailboxes: BTreeMap<String, Mailbox>,
    /// External addresses whose certificates the organisation has.
    #[serde(default)]
    pub correspondents: Vec<String>,
    /// `in.eml` is encrypted to the certificate of this address before it is handed in.
    pub encrypted_to: Option<String>,
    /// The organisation's rules, priority 1 first.
    #[serde(default)]
    pub rules: Vec<RuleLine>,
}

/// Which way a mail goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From outside to a managed address.
    Inbound,
    /// From a sending client to an external address.
    Outbound,
}

/// State of a known mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mailbox {
    /// With certificate and key.
    Active,
    /// Without.
    Inactive,
}

/// One rule, in the words of `docs/apply.md`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RuleLine {
    managed: String,
    external: String,
    inbound: Option<String>,
    outbound: Option<String>,
}

/// What must come of a case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// The mode that applies.
    pub mode: String,
    /// Priority of the rule that decides; 0 is the default.
    pub decided_by: usize,
    /// The outcome, as the journal writes it.
    pub outcome: toml::Value,
    /// Code of the reply at the end of data.
    pub reply: u16,
    /// Enhanced status code it begins with.
    pub status: String,
    /// What comes out at the other side.
    pub delivered: Delivered,
    /// Status in the mail overview.
    pub overview: String,
}

/// What comes out at the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivered {
    /// Nothing.
    Nothing,
    /// The body as it was handed in, octet for octet.
    Unchanged,
    /// The body of `in.eml`, which had been encrypted on its way here.
    Decrypted,
    /// Signed by the sender, with the body of `in.eml` inside.
    Signed,
    /// The same, encrypted to the recipient.
    SignedEncrypted,
}

/// Reads all cases, in the order of their names.
pub fn all() -> Vec<Case> {
    let directory = workspace().join("e2e/cases");
    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Case {
    Case {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        given: read_toml(&path.join("case.toml")),
        message: crlf(&std::fs::read(path.join("in.eml")).unwrap()),
        expect: read_toml(&path.join("expect.toml")),
    }
}

fn read_toml<T: DeserializeOwned>(path: &Path) -> T {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Case {
    /// The rules as `apply` reads them.
    pub fn rules_as_toml(&self) -> String {
        let mut out = String::new();
        for rule in &self.given.rules {
            write!(
                out,
                "[[rules]]\nmanaged = {:?}\nexternal = {:?}\n",
                rule.managed, rule.external
            )
            .unwrap();
            for (name, mode) in [("inbound", &rule.inbound), ("outbound", &rule.outbound)] {
                if let Some(mode) = mode {
                    writeln!(out, "{name} = {mode:?}").unwrap();
                }
            }
        }
        out
    }

    /// The rules as `core` has them; each gets its priority as its number.
    pub fn rules(&self) -> Vec<Rule> {
        let numbered = (1..).zip(&self.given.rules);
        let rule = |(id, line): (i64, &RuleLine)| Rule {
            id: RuleId(id),
            managed: line.managed.parse::<Pattern>().unwrap(),
            external: line.external.parse::<Pattern>().unwrap(),
            inbound: line.inbound.as_deref().map(word),
            outbound: line.outbound.as_deref().map(word),
        };
        numbered.map(rule).collect()
    }

    /// Compares the choice with what is expected.
    pub fn check_choice<M: DeserializeOwned + PartialEq + Debug>(&self, choice: &Choice<M>) {
        assert_eq!(
            choice.mode,
            word::<M>(&self.expect.mode),
            "{}: mode",
            self.name
        );
        let priority = match choice.decided_by {
            DecidedBy::Rule { priority, .. } => priority,
            DecidedBy::Default => 0,
        };
        assert_eq!(priority, self.expect.decided_by, "{}: rule", self.name);
    }

    /// Compares the outcome with what is expected.
    pub fn check_outcome<O: DeserializeOwned + PartialEq + Debug>(&self, outcome: &O) {
        let expected: Result<O, _> = self.expect.outcome.clone().try_into();
        assert_eq!(Ok(outcome), expected.as_ref(), "{}: outcome", self.name);
    }

    /// Compares a refusal's reply with what is expected.
    pub fn check_reply(&self, code: u16, text: &str) {
        let expect = &self.expect;
        let good = code == expect.reply && text.starts_with(&expect.status);
        assert!(good, "{}: replied {code} {text}", self.name);
    }
}

/// A value from the word the journal and `apply` write it with.
fn word<T: DeserializeOwned>(text: &str) -> T {
    let value = serde_json::Value::String(text.to_owned());
    serde_json::from_value(value).unwrap_or_else(|error| panic!("{text}: {error}"))
}
