//! Cases as data: what a directory below `e2e/cases` holds (see `e2e/README.md`), and the run of a case in
//! process: the rule is chosen and the outcome settled by `core` from the facts the case names.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use sealgate_core::outcome::{
    self, ClientContent, InboundContent, InboundOutcome, OutboundFacts, OutboundOutcome,
    RecipientKey, Sender,
};
use sealgate_core::rules::{
    DecidedBy, InboundMode, OutboundMode, Pattern, Rule, RuleId, Sides, choose_inbound,
    choose_outbound,
};
use sealgate_mail::Address;
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

    fn rules(&self) -> Vec<Rule> {
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

    fn is_active(&self, address: &str) -> bool {
        self.given.mailboxes.get(address) == Some(&Mailbox::Active)
    }

    /// Runs the case in process and compares mode, deciding rule and outcome with what is expected.
    pub fn check_in_process(&self) {
        let (from, to) = (address(&self.given.from), address(&self.given.to));
        match self.given.direction {
            Direction::Inbound => {
                let sides = Sides {
                    managed: Some(&to),
                    external: Some(&from),
                };
                let choice = choose_inbound(&self.rules(), sides);
                self.compare(choice.mode, word::<InboundMode>(&self.expect.mode), "mode");
                self.compare(priority(choice.decided_by), self.expect.decided_by, "rule");
                let outcome = outcome::inbound(choice.mode, self.inbound_content());
                self.compare(outcome, self.expected::<InboundOutcome>(), "outcome");
            }
            Direction::Outbound => {
                let sides = Sides {
                    managed: Some(&from),
                    external: Some(&to),
                };
                let certificate = self.is_active(&self.given.from);
                let choice = choose_outbound(&self.rules(), sides, certificate);
                self.compare(choice.mode, word::<OutboundMode>(&self.expect.mode), "mode");
                self.compare(priority(choice.decided_by), self.expect.decided_by, "rule");
                let outcome = outcome::outbound(choice.mode, self.outbound_facts(choice.mode));
                self.compare(outcome, self.expected::<OutboundOutcome>(), "outcome");
            }
        }
    }

    fn inbound_content(&self) -> InboundContent {
        match &self.given.encrypted_to {
            None => InboundContent::Plain,
            Some(to) if *to == self.given.to && self.is_active(to) => InboundContent::KeyPresent,
            Some(_) => InboundContent::NoKey,
        }
    }

    fn outbound_facts(&self, mode: OutboundMode) -> OutboundFacts {
        let known = self.given.correspondents.contains(&self.given.to);
        OutboundFacts {
            sender: if self.is_active(&self.given.from) {
                Sender::Certificate
            } else {
                Sender::NoCertificate
            },
            recipient: match (mode.asks_for_key(), known) {
                (false, _) => RecipientKey::NotAsked,
                (true, true) => RecipientKey::Known,
                (true, false) => RecipientKey::Unknown,
            },
            content: ClientContent::Plain,
        }
    }

    fn expected<T: DeserializeOwned>(&self) -> T {
        self.expect
            .outcome
            .clone()
            .try_into()
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    fn compare<T: PartialEq + std::fmt::Debug>(&self, found: T, expected: T, what: &str) {
        assert_eq!(found, expected, "{}: {what}", self.name);
    }
}

fn priority(decided_by: DecidedBy) -> usize {
    match decided_by {
        DecidedBy::Rule { priority, .. } => priority,
        DecidedBy::Default => 0,
    }
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap_or_else(|_| panic!("{text}"))
}

/// A value from the word the journal and `apply` write it with.
fn word<T: DeserializeOwned>(text: &str) -> T {
    let value = serde_json::Value::String(text.to_owned());
    serde_json::from_value(value).unwrap_or_else(|error| panic!("{text}: {error}"))
}
