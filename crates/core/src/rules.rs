//! Which rule decides a mail: the organisation's ordered rules against a managed and an external address
//! (requirements.md S50 to S64, A4 to A6).

use std::fmt;
use std::str::FromStr;

use sealgate_mail::{Address, Domain};
use serde::{Deserialize, Serialize};

use crate::limits::{PATTERN_ENTRIES, TRACE_RULES};

/// What a rule asks for on the way in (S66 to S69); a rule that leaves it "not defined" (S65) holds none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InboundMode {
    /// Encrypted mail is accepted and delivered encrypted.
    DoNotDecrypt,
    /// Decrypted if possible; what cannot be decrypted is delivered encrypted. The default.
    Optional,
    /// Unencrypted mail is accepted; what is encrypted and cannot be decrypted is reported to the sender.
    Always,
    /// Only encrypted mail that can be decrypted is accepted.
    Enforce,
}

/// What a rule asks for on the way out (S71 to S74); a rule that leaves it "not defined" (S70) holds none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutboundMode {
    /// Sent unsigned and unencrypted. The default without a signing certificate.
    Neither,
    /// Signed, not encrypted. The default with a signing certificate.
    SignOnly,
    /// Signed and, where possible, encrypted.
    Optional,
    /// Only signed and encrypted; else the sender gets an error report.
    Enforce,
}

impl InboundMode {
    /// All of them, the least strict first.
    pub const ALL: [Self; 4] = [
        Self::DoNotDecrypt,
        Self::Optional,
        Self::Always,
        Self::Enforce,
    ];

    /// The word of the API and the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DoNotDecrypt => "do-not-decrypt",
            Self::Optional => "optional",
            Self::Always => "always",
            Self::Enforce => "enforce",
        }
    }

    /// Whether mail is refused that cannot be decrypted, so that a mailbox without a key cannot receive it (A25).
    pub const fn needs_key(self) -> bool {
        match self {
            Self::DoNotDecrypt | Self::Optional => false,
            Self::Always | Self::Enforce => true,
        }
    }
}

impl OutboundMode {
    /// All of them, the least strict first.
    pub const ALL: [Self; 4] = [Self::Neither, Self::SignOnly, Self::Optional, Self::Enforce];

    /// The word of the API and the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Neither => "neither",
            Self::SignOnly => "sign-only",
            Self::Optional => "optional",
            Self::Enforce => "enforce",
        }
    }

    /// Whether the recipient's key must be known to settle the outcome.
    pub const fn asks_for_key(self) -> bool {
        match self {
            Self::Neither | Self::SignOnly => false,
            Self::Optional | Self::Enforce => true,
        }
    }
}

/// Number of a rule in the store; stays the same when the rule is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleId(pub i64);

/// One line of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its identity.
    pub id: RuleId,
    /// The side of this organisation.
    pub managed: Pattern,
    /// The side outside.
    pub external: Pattern,
    /// Inbound mode; none is "not defined".
    pub inbound: Option<InboundMode>,
    /// Outbound mode; none is "not defined".
    pub outbound: Option<OutboundMode>,
}

/// One field of a rule: all, or up to twenty mailboxes and domains (S59 to S61).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Pattern {
    /// Every address, also none at all.
    All,
    /// Any of these.
    Entries(Vec<Entry>),
}

/// One entry of a rule field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Entry {
    /// One mailbox.
    Mailbox(Address),
    /// Every mailbox of exactly this domain; sub-domains are others (A5).
    Domain(Domain),
}

/// Why a rule field was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing between the commas.
    #[error("an entry is empty: write mailboxes or domains separated by commas, or \"all\"")]
    Empty,
    /// Neither mailbox nor domain.
    #[error("\"{0}\" is neither a mailbox (name@domain) nor a domain")]
    Entry(String),
    /// S59, S60.
    #[error("{0} entries; a rule field holds at most {max}", max = PATTERN_ENTRIES)]
    TooMany(usize),
}

impl Pattern {
    /// Whether `address` is meant. No address (A4: a foreign From without a managed side) is only meant by `All`.
    pub fn covers(&self, address: Option<&Address>) -> bool {
        match (self, address) {
            (Self::All, _) => true,
            (Self::Entries(_), None) => false,
            (Self::Entries(entries), Some(address)) => {
                entries.iter().any(|entry| entry.covers(address))
            }
        }
    }
}

impl Entry {
    /// Whether `address` is meant.
    pub fn covers(&self, address: &Address) -> bool {
        match self {
            Self::Mailbox(mailbox) => mailbox == address,
            Self::Domain(domain) => domain == address.domain(),
        }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    /// Reads `all` (also `alle`, `any`, in any case) or a comma separated list.
    fn from_str(text: &str) -> Result<Self, PatternError> {
        let text = text.trim();
        if is_all(text) {
            return Ok(Self::All);
        }
        let entries = text
            .split(',')
            .map(Entry::from_str)
            .collect::<Result<Vec<_>, _>>()?;
        if entries.len() > PATTERN_ENTRIES {
            return Err(PatternError::TooMany(entries.len()));
        }
        Ok(Self::Entries(entries))
    }
}

fn is_all(text: &str) -> bool {
    let words = ["all", "alle", "any"];
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

impl FromStr for Entry {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let text = text.trim();
        let unknown = |_| PatternError::Entry(text.to_owned());
        match text {
            "" => Err(PatternError::Empty),
            // Beside other entries it is a mistake, never a domain of that name.
            _ if is_all(text) => Err(PatternError::Entry(text.to_owned())),
            _ if text.contains('@') => Address::parse(text).map(Self::Mailbox).map_err(unknown),
            _ => Domain::parse(text).map(Self::Domain).map_err(unknown),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Entries(entries) => {
                for (i, entry) in entries.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{entry}")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mailbox(address) => write!(f, "{address}"),
            Self::Domain(domain) => write!(f, "{domain}"),
        }
    }
}

impl TryFrom<String> for Entry {
    type Error = PatternError;
    fn try_from(text: String) -> Result<Self, PatternError> {
        text.parse()
    }
}

impl From<Entry> for String {
    fn from(entry: Entry) -> Self {
        entry.to_string()
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;
    fn try_from(text: String) -> Result<Self, PatternError> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.to_string()
    }
}

/// The two sides a rule is matched against.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// The organisation's address; none if neither header From nor the envelope sender is one (A4).
    pub managed: Option<&'a Address>,
    /// The external address; none for a null sender or an unreadable From.
    pub external: Option<&'a Address>,
}

/// The mode that applies, and how it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice<M> {
    /// The mode.
    pub mode: M,
    /// The rule it comes from.
    pub decided_by: DecidedBy,
    /// The rules of higher priority, in order, each with the field that kept it from deciding; the first
    /// [`TRACE_RULES`] of them.
    pub passed_over: Vec<PassedOver>,
}

/// Where a mode comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecidedBy {
    /// A rule, by its priority (1 is the highest) and identity.
    Rule {
        /// Priority, 1 first (S54).
        priority: usize,
        /// Identity.
        id: RuleId,
    },
    /// No rule said anything for this direction (S64).
    Default,
}

/// A rule that did not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedOver {
    /// Priority, 1 first.
    pub priority: usize,
    /// Identity.
    pub id: RuleId,
    /// The field that failed.
    pub because: Because,
}

/// The field of a rule that kept it from deciding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// The managed address is not in it.
    Managed,
    /// The external address is not in it.
    External,
    /// Both match, but the mode for this direction is "not defined" (S65, S70).
    NotDefined,
}

/// The inbound mode for `sides`; [`InboundMode::Optional`] where no rule says one (S67).
pub fn choose_inbound(rules: &[Rule], sides: Sides<'_>) -> Choice<InboundMode> {
    choose(rules, sides, |rule| rule.inbound, InboundMode::Optional)
}

/// The outbound mode for `sides`; where no rule says one, it depends on the sender's certificate (S75).
pub fn choose_outbound(
    rules: &[Rule],
    sides: Sides<'_>,
    sender_has_certificate: bool,
) -> Choice<OutboundMode> {
    let default = if sender_has_certificate {
        OutboundMode::SignOnly
    } else {
        OutboundMode::Neither
    };
    choose(rules, sides, |rule| rule.outbound, default)
}

/// A6: from 1 upward, the first rule that matches and is defined for the direction.
fn choose<M>(
    rules: &[Rule],
    sides: Sides<'_>,
    mode_of: impl Fn(&Rule) -> Option<M>,
    default: M,
) -> Choice<M> {
    let mut passed_over = Vec::new();
    for (priority, rule) in (1..).zip(rules) {
        let because = match mode_of(rule) {
            _ if !rule.managed.covers(sides.managed) => Because::Managed,
            _ if !rule.external.covers(sides.external) => Because::External,
            None => Because::NotDefined,
            Some(mode) => {
                let decided_by = DecidedBy::Rule {
                    priority,
                    id: rule.id,
                };
                return Choice {
                    mode,
                    decided_by,
                    passed_over,
                };
            }
        };
        if passed_over.len() < TRACE_RULES {
            passed_over.push(PassedOver {
                priority,
                id: rule.id,
                because,
            });
        }
    }
    Choice {
        mode: default,
        decided_by: DecidedBy::Default,
        passed_over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    /// `managed | external | inbound | outbound`, `-` for "not defined"; the number is the place in the table.
    fn rules(table: &[&str]) -> Vec<Rule> {
        let rule = |(id, line): (i64, &&str)| {
            let fields: Vec<&str> = line.split('|').map(str::trim).collect();
            Rule {
                id: RuleId(id),
                managed: fields[0].parse().unwrap(),
                external: fields[1].parse().unwrap(),
                inbound: match fields[2] {
                    "-" => None,
                    "do-not-decrypt" => Some(InboundMode::DoNotDecrypt),
                    "optional" => Some(InboundMode::Optional),
                    "always" => Some(InboundMode::Always),
                    "enforce" => Some(InboundMode::Enforce),
                    other => panic!("{other}"),
                },
                outbound: match fields[3] {
                    "-" => None,
                    "neither" => Some(OutboundMode::Neither),
                    "sign-only" => Some(OutboundMode::SignOnly),
                    "optional" => Some(OutboundMode::Optional),
                    "enforce" => Some(OutboundMode::Enforce),
                    other => panic!("{other}"),
                },
            }
        };
        (101..).zip(table).map(rule).collect()
    }

    fn walk<M: Copy>(choice: &Choice<M>) -> (M, Option<usize>, Vec<(usize, Because)>) {
        let by = match choice.decided_by {
            DecidedBy::Rule { priority, id } => {
                assert_eq!(id.0, 100 + priority as i64);
                Some(priority)
            }
            DecidedBy::Default => None,
        };
        let over = choice.passed_over.iter();
        (
            choice.mode,
            by,
            over.map(|p| (p.priority, p.because)).collect(),
        )
    }

    const POLICY: [&str; 5] = [
        "ceo@we.example | bank.example | enforce | -",
        "we.example | bank.example, Boss@Partner.example | - | enforce",
        "sales.we.example | all | do-not-decrypt | neither",
        "all | partner.example | always | optional",
        "we.example | any | - | -",
    ];

    #[test]
    fn inbound_walks() {
        use Because::{External, Managed, NotDefined};
        use InboundMode::{Always, DoNotDecrypt, Enforce, Optional};
        let policy = rules(&POLICY);
        type Row<'a> = (&'a str, &'a str, InboundMode, Option<usize>, &'a [Because]);
        let table: &[Row<'_>] = &[
            ("CEO@We.Example", "x@bank.example", Enforce, Some(1), &[]),
            // A5: a domain entry does not cover its sub-domains.
            (
                "ceo@we.example",
                "x@sub.bank.example",
                Optional,
                None,
                &[External, External, Managed, External, NotDefined],
            ),
            (
                "a@sales.we.example",
                "x@bank.example",
                DoNotDecrypt,
                Some(3),
                &[Managed, Managed],
            ),
            // A6: the rule that matches but is not defined for the direction is passed over.
            (
                "a@we.example",
                "boss@partner.example",
                Always,
                Some(4),
                &[Managed, NotDefined, Managed],
            ),
            (
                "a@we.example",
                "x@elsewhere.example",
                Optional,
                None,
                &[Managed, External, Managed, External, NotDefined],
            ),
        ];
        for (managed, external, mode, by, because) in table {
            let (managed, external) = (address(managed), address(external));
            let sides = Sides {
                managed: Some(&managed),
                external: Some(&external),
            };
            let over = (1..).zip(because.iter().copied()).collect();
            assert_eq!(
                walk(&choose_inbound(&policy, sides)),
                (*mode, *by, over),
                "{managed} {external}"
            );
        }
    }

    #[test]
    fn outbound_walks() {
        use OutboundMode::{Enforce, Neither, Optional, SignOnly};
        let policy = rules(&POLICY);
        let table: &[(&str, &str, bool, OutboundMode, Option<usize>)] = &[
            // A6: rule 1 decides inbound mail of this pair, rule 2 outbound mail.
            ("ceo@we.example", "x@bank.example", true, Enforce, Some(2)),
            (
                "a@we.example",
                "BOSS@partner.example",
                false,
                Enforce,
                Some(2),
            ),
            (
                "a@we.example",
                "other@partner.example",
                false,
                Optional,
                Some(4),
            ),
            (
                "a@sales.we.example",
                "other@partner.example",
                true,
                Neither,
                Some(3),
            ),
            // S75: the default depends on the sender's certificate.
            ("a@we.example", "x@elsewhere.example", true, SignOnly, None),
            ("a@we.example", "x@elsewhere.example", false, Neither, None),
        ];
        for (managed, external, certificate, mode, by) in table {
            let (managed, external) = (address(managed), address(external));
            let sides = Sides {
                managed: Some(&managed),
                external: Some(&external),
            };
            let choice = choose_outbound(&policy, sides, *certificate);
            let (found, rule, _) = walk(&choice);
            assert_eq!((found, rule), (*mode, *by), "{managed} {external}");
        }
    }

    #[test]
    fn a4_without_an_address_only_all_matches() {
        let policy = rules(&[
            "we.example | all | enforce | enforce",
            "all | x.example | always | optional",
            "all | all | do-not-decrypt | neither",
        ]);
        let (us, them) = (address("a@we.example"), address("b@x.example"));
        let table: [(Option<&Address>, Option<&Address>, usize); 4] = [
            (Some(&us), Some(&them), 1),
            (Some(&us), None, 1),
            (None, Some(&them), 2),
            (None, None, 3),
        ];
        for (managed, external, priority) in table {
            let sides = Sides { managed, external };
            assert_eq!(walk(&choose_inbound(&policy, sides)).1, Some(priority));
            assert_eq!(
                walk(&choose_outbound(&policy, sides, true)).1,
                Some(priority)
            );
        }
    }

    #[test]
    fn no_rules_give_the_defaults() {
        let sides = Sides {
            managed: None,
            external: None,
        };
        assert_eq!(
            walk(&choose_inbound(&[], sides)),
            (InboundMode::Optional, None, vec![])
        );
        assert_eq!(
            walk(&choose_outbound(&[], sides, true)),
            (OutboundMode::SignOnly, None, vec![])
        );
        assert_eq!(
            walk(&choose_outbound(&[], sides, false)),
            (OutboundMode::Neither, None, vec![])
        );
    }

    #[test]
    fn a21_duplicates_are_allowed_and_the_first_decides() {
        let policy = rules(&[
            "all | all | always | neither",
            "all | all | enforce | enforce",
        ]);
        let sides = Sides {
            managed: None,
            external: None,
        };
        assert_eq!(
            walk(&choose_inbound(&policy, sides)),
            (InboundMode::Always, Some(1), vec![])
        );
    }

    #[test]
    fn a_trace_names_a_limited_number_of_rules() {
        let policy: Vec<Rule> = rules(&["x.example | all | - | enforce"; 150]);
        let us = address("a@we.example");
        let sides = Sides {
            managed: Some(&us),
            external: None,
        };
        let choice = choose_outbound(&policy, sides, false);
        assert_eq!(choice.passed_over.len(), TRACE_RULES);
        assert_eq!(choice.decided_by, DecidedBy::Default);
    }

    #[test]
    fn fields_of_a_rule() {
        let twenty = (1..=20).map(|n| format!("d{n}.example"));
        let twenty = twenty.collect::<Vec<_>>().join(",");
        let one_more = format!("{twenty},d21.example");
        let table: &[(&str, Result<&str, &str>)] = &[
            ("all", Ok("all")),
            ("Alle", Ok("all")),
            (" ANY ", Ok("all")),
            ("a@b.example", Ok("a@b.example")),
            (" A@B.example ,c.example", Ok("A@b.example, c.example")),
            ("b\u{fc}ro.example", Ok("xn--bro-hoa.example")),
            (
                &twenty,
                Ok(
                    "d1.example, d2.example, d3.example, d4.example, d5.example, d6.example, \
                     d7.example, d8.example, d9.example, d10.example, d11.example, d12.example, \
                     d13.example, d14.example, d15.example, d16.example, d17.example, d18.example, \
                     d19.example, d20.example",
                ),
            ),
            (&one_more, Err("21 entries")),
            ("", Err("empty")),
            ("a@b.example,", Err("empty")),
            ("a@b.example,,c.example", Err("empty")),
            ("a@b@c", Err("\"a@b@c\" is neither")),
            ("b .example", Err("\"b .example\" is neither")),
            ("@b.example", Err("neither")),
            ("*.b.example", Err("neither")),
            ("b.example, all", Err("\"all\" is neither")),
        ];
        for (text, expected) in table {
            match (text.parse::<Pattern>(), expected) {
                (Ok(pattern), Ok(shown)) => {
                    assert_eq!(pattern.to_string(), *shown);
                    assert_eq!(
                        pattern.to_string().parse::<Pattern>().as_ref(),
                        Ok(&pattern)
                    );
                }
                (Err(error), Err(words)) => {
                    assert!(error.to_string().contains(words), "{text}: {error}");
                }
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
