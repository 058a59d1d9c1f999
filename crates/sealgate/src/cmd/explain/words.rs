//! A trace in words for people: who decided, the rules passed over with the field that failed, the facts, the outcome.

use std::fmt::Display;

use sealgate_core::journal::{Exemption, Trace};
use sealgate_core::outcome::{
    AsIs, ClientContent, InboundContent, InboundOutcome, InboundRefusal, NotEncrypted,
    OutboundFacts, OutboundOutcome, OutboundRefusal, RecipientKey, Sender, SpecialKind,
    SpecialMail,
};
use sealgate_core::rules::{Because, Choice, DecidedBy, PassedOver};
use sealgate_core::suite::{Algorithms, ChosenBy};
use sealgate_core::tenant::{Language, Special};
use sealgate_mail::Address;
use sealgate_portal::terms::{inbound_mode, outbound_mode};
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
    let mut lines = Lines::default();
    match trace {
        Trace::Inbound {
            managed,
            external,
            choice,
            content,
            outcome,
            exemption,
        } => {
            let from = external.as_ref().map_or_else(
                || "nobody (no single header From)".to_owned(),
                Address::to_string,
            );
            lines.add("inbound", format_args!("from {from} to {managed}"));
            if let Some(choice) = choice {
                let mode = inbound_mode(Some(choice.mode), Language::En);
                lines.choice(choice, mode, [&managed.to_string(), &from]);
                lines.add("fact", inbound_content(*content));
            }
            lines.exemption(*exemption);
            lines.add("outcome", outcome.map_or(AS_IT_CAME, inbound_outcome));
        }
        Trace::Outbound {
            managed,
            external,
            choice,
            facts,
            outcome,
            algorithms,
            exemption,
            sources,
        } => {
            let from = managed.as_ref().map_or_else(
                || "nobody of the organisation".to_owned(),
                Address::to_string,
            );
            lines.add("outbound", format_args!("from {from} to {external}"));
            if let Some(choice) = choice {
                let mode = outbound_mode(Some(choice.mode), Language::En);
                lines.choice(choice, mode, [&from, &external.to_string()]);
            }
            for fact in facts.iter().flat_map(outbound_facts) {
                lines.add("fact", fact);
            }
            if let Some(special) = facts.and_then(|facts| facts.special) {
                lines.add("fact", special_words(special));
            }
            for word in sources {
                lines.add("source", word);
            }
            lines.exemption(*exemption);
            lines.add("outcome", outcome.map_or(AS_IT_CAME, outbound_outcome));
            if let Some(algorithms) = algorithms {
                lines.add("algorithms", algorithm_words(algorithms, external));
            }
        }
    }
    lines.0
}

const AS_IT_CAME: &str = "goes on as it came";

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, label: &str, text: impl Display) {
        self.0.push_str(&format!("{label:<11} {text}\n"));
    }

    /// `sides`: the managed and the external address the rules were matched against.
    fn choice<M: Serialize>(&mut self, choice: &Choice<M>, mode: &str, sides: [&str; 2]) {
        for rule in &choice.passed_over {
            self.add("passed over", passed_over(rule, sides));
        }
        let word = word_of(&choice.mode);
        match choice.decided_by {
            DecidedBy::Rule { priority, .. } => {
                self.add(
                    "decided by",
                    format_args!("rule {priority}: {mode} ({word})"),
                );
            }
            DecidedBy::Default => self.add(
                "decided by",
                format_args!("the default, since no rule applies: {mode} ({word})"),
            ),
        }
    }

    fn exemption(&mut self, exemption: Option<Exemption>) {
        match exemption {
            None => {}
            Some(Exemption::Internal) => self.add(
                "decided by",
                "no rule: mail within one organisation is not changed",
            ),
            Some(Exemption::Report) => self.add(
                "decided by",
                "no rule: a delivery report passes, with the mail it returns cut to its header",
            ),
            Some(Exemption::Challenge) => self.add(
                "decided by",
                "no rule: the challenge of an order at a certificate authority, or the answer to it",
            ),
        }
    }
}

fn passed_over(rule: &PassedOver, [managed, external]: [&str; 2]) -> String {
    let priority = rule.priority;
    match rule.because {
        Because::Managed => format!("rule {priority}: {managed} is not in its managed field"),
        Because::External => format!("rule {priority}: {external} is not in its external field"),
        Because::NotDefined => format!(
            "rule {priority}: both fields match, but its mode for this direction is not defined"
        ),
    }
}

const fn inbound_content(content: InboundContent) -> &'static str {
    match content {
        InboundContent::Plain => "the mail is not encrypted",
        InboundContent::KeyPresent => {
            "the mail is encrypted, and a key of the recipient is named in it"
        }
        InboundContent::NoKey => {
            "the mail is encrypted, and no key of the recipient is named in it"
        }
        InboundContent::Unreadable => {
            "the mail is encrypted to a key of the recipient, and could not be decrypted"
        }
    }
}

const fn inbound_outcome(outcome: InboundOutcome) -> &'static str {
    match outcome {
        InboundOutcome::Deliver => "delivered as it came",
        InboundOutcome::DeliverEncrypted => "delivered as it came, still encrypted",
        InboundOutcome::DeliverDecrypted => "decrypted and delivered",
        InboundOutcome::Refuse(InboundRefusal::NotEncrypted) => {
            "refused: only encrypted mail is accepted here"
        }
        InboundOutcome::Refuse(InboundRefusal::NoKey) => {
            "refused: it must be decrypted, and is not encrypted to a key of the recipient"
        }
        InboundOutcome::Refuse(InboundRefusal::CouldNotDecrypt) => {
            "refused: it must be decrypted, and could not be"
        }
    }
}

fn outbound_facts(facts: &OutboundFacts) -> [&'static str; 3] {
    let sender = match facts.sender {
        Sender::Certificate => "the sender has a valid certificate",
        Sender::NoCertificate => "the sender has no valid certificate",
        Sender::Foreign => {
            "header From is not a single address of the organisation, so nothing is signed"
        }
    };
    let recipient = match facts.recipient {
        RecipientKey::Known => "a public key of the recipient is known",
        RecipientKey::Unknown => "no public key of the recipient is known",
        RecipientKey::Weak => "the recipient is known to support only weak algorithms",
        RecipientKey::NotAsked => "a public key of the recipient is not needed in this mode",
        RecipientKey::Unanswered => {
            "no public key of the recipient is known, and a source of keys gave no answer"
        }
    };
    let content = match facts.content {
        ClientContent::Plain => "the client neither signed nor encrypted the mail",
        ClientContent::Signed => "the client signed the mail itself",
        ClientContent::Encrypted => "the client encrypted the mail itself",
        ClientContent::EncryptedToOthers => {
            "the client encrypted the mail itself, to none of the known keys of the recipient"
        }
        ClientContent::EncryptedMalformed => {
            "the mail claims to be encrypted by the client and is malformed"
        }
    };
    [sender, recipient, content]
}

fn special_words(special: SpecialMail) -> String {
    let what = match special.kind {
        SpecialKind::Calendar => "a calendar request or answer",
        SpecialKind::Tnef => "in Microsoft's TNEF form (winmail.dat)",
    };
    let wanted = match special.treatment {
        Special::LikeAll => "is treated like all mail",
        Special::SignOnly => "is only signed, unless a rule enforces encryption",
        Special::Leave => "is left as it is, unless a rule enforces encryption",
    };
    format!("the mail is {what}; by the organisation's switches it {wanted}")
}

/// `AES256-CBC, RSASSA-PKCS1 SHA-256 if the signing key is RSA: what every client reads`.
fn algorithm_words(algorithms: &Algorithms, recipient: &Address) -> String {
    let signature = algorithms
        .signature
        .as_ref()
        .map(|name| format!("{} if the signing key is RSA", name.to_ascii_uppercase()));
    let upper = |name: &Option<String>| name.as_ref().map(|name| name.to_ascii_uppercase());
    let names: Vec<String> = [
        upper(&algorithms.content),
        upper(&algorithms.transport),
        signature,
    ]
    .into_iter()
    .flatten()
    .collect();
    let because = match &algorithms.by {
        ChosenBy::Partner { external, profile } => {
            format!("profile {profile} of partner {external}")
        }
        ChosenBy::Announced => format!("announced by {recipient}"),
        ChosenBy::Default => "what every client reads".to_owned(),
    };
    format!("{}: {because}", names.join(", "))
}

const fn outbound_outcome(outcome: OutboundOutcome) -> &'static str {
    match outcome {
        OutboundOutcome::AsIs(AsIs::NothingAsked) => "sent as it came: the mode asks for nothing",
        OutboundOutcome::AsIs(AsIs::SignedByClient) => {
            "sent as it came, with the client's signature"
        }
        OutboundOutcome::AsIs(AsIs::EncryptedByClient) => {
            "sent as it came, encrypted by the client"
        }
        OutboundOutcome::AsIs(AsIs::NoCertificate) => {
            "sent as it came, not signed: the sender has no certificate"
        }
        OutboundOutcome::AsIs(AsIs::ForeignFrom) => {
            "sent as it came, not signed: foreign header From"
        }
        OutboundOutcome::AsIs(AsIs::Special) => {
            "sent as it came, not signed: the organisation leaves such mail as it is"
        }
        OutboundOutcome::Sign(NotEncrypted::NotAsked) => "signed",
        OutboundOutcome::Sign(NotEncrypted::NoKey) => {
            "signed, not encrypted: no key of the recipient is known"
        }
        OutboundOutcome::Sign(NotEncrypted::WeakKey) => {
            "signed, not encrypted: the recipient supports only weak algorithms"
        }
        OutboundOutcome::Sign(NotEncrypted::Unanswered) => {
            "signed, not encrypted: a source of keys gave no answer"
        }
        OutboundOutcome::Sign(NotEncrypted::Special) => {
            "signed, not encrypted: the organisation only signs such mail"
        }
        OutboundOutcome::SignAndEncrypt => "signed and encrypted",
        OutboundOutcome::Refuse(refusal) => outbound_refusal(refusal),
    }
}

const fn outbound_refusal(refusal: OutboundRefusal) -> &'static str {
    match refusal {
        OutboundRefusal::NoCertificate => "refused: the sender has no valid certificate",
        OutboundRefusal::NoKey => "refused: no public key of the recipient is known",
        OutboundRefusal::NoCertificateNoKey => {
            "refused: the sender has no valid certificate, and no public key of the recipient is known"
        }
        OutboundRefusal::WeakKey => "refused: the recipient supports only weak algorithms",
        OutboundRefusal::ForeignFrom => {
            "refused: header From is not a single address of the organisation"
        }
        OutboundRefusal::EncryptedToOthers => {
            "refused: the client encrypted it to none of the known keys of the recipient"
        }
        OutboundRefusal::EncryptedMalformed => "refused: the client's encryption is malformed",
        OutboundRefusal::Unanswered => {
            "refused for now (451): no public key of the recipient is known, and a source of keys gave no answer"
        }
    }
}
