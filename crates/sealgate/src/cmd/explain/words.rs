//! A trace in lines for a terminal. The words are those of the portal, in English.

use sealgate_core::journal::{Direction, Exemption, Trace};
use sealgate_core::rules::{Choice, DecidedBy};
use sealgate_core::tenant::Language;
use sealgate_portal::trace::{Kind, steps};
use serde::Serialize;

use crate::cmd::admin::word_of;

/// Who decided, in short: `rule 2: enforce`, `default: optional`, or the exemption.
pub fn decided_by(trace: &Trace) -> String {
    match trace {
        Trace::Inbound {
            choice, exemption, ..
        } => by(choice.as_ref(), *exemption),
        Trace::Outbound {
            choice, exemption, ..
        } => by(choice.as_ref(), *exemption),
    }
}

fn by<M: Serialize>(choice: Option<&Choice<M>>, exemption: Option<Exemption>) -> String {
    match (choice, exemption) {
        (Some(choice), _) => format!("{}: {}", who(choice.decided_by), word_of(&choice.mode)),
        (None, Some(exemption)) => word_of(&exemption),
        (None, None) => "nothing".to_owned(),
    }
}

fn who(decided_by: DecidedBy) -> String {
    match decided_by {
        DecidedBy::Rule { priority, .. } => format!("rule {priority}"),
        DecidedBy::Default => "default".to_owned(),
    }
}

/// The whole trace, in lines of words.
pub fn human(trace: &Trace) -> String {
    let mut lines = String::new();
    let (direction, mode) = match trace {
        Trace::Inbound { choice, .. } => (
            Direction::Inbound,
            choice.as_ref().map(|choice| word_of(&choice.mode)),
        ),
        Trace::Outbound { choice, .. } => (
            Direction::Outbound,
            choice.as_ref().map(|choice| word_of(&choice.mode)),
        ),
    };
    for step in steps(trace, Language::En) {
        let label = match step.kind {
            Kind::Way => &word_of(&direction),
            Kind::PassedOver => "passed over",
            Kind::DecidedBy => "decided by",
            Kind::Fact => "fact",
            Kind::Source => "source",
            Kind::Outcome => "outcome",
            Kind::Algorithms => "algorithms",
        };
        let word = match (step.kind, &mode) {
            (Kind::DecidedBy, Some(mode)) => format!(" ({mode})"),
            _ => String::new(),
        };
        lines.push_str(&format!("{label:<11} {}{word}\n", step.text));
    }
    lines
}
