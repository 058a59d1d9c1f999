//! Why a mail became what it is, in words: who decided, the rules passed over with the field that failed, the facts, the
//! outcome. The mail overview, the simulator and `sealgate explain` all tell it from here.

use sealgate_core::directory::{Said, Word};
use sealgate_core::journal::{Exemption, Trace};
use sealgate_core::outcome::{
    ClientContent, InboundContent, OutboundFacts, RecipientKey, Sender, SpecialKind, SpecialMail,
};
use sealgate_core::rules::{Because, Choice, DecidedBy, PassedOver, RuleId};
use sealgate_core::suite::{Algorithms, ChosenBy};
use sealgate_core::tenant::{Language, Special};
use sealgate_mail::Address;

use crate::lang::{self, Values, key};
use crate::terms::{inbound_mode, outbound_mode};

mod outcome;

pub use outcome::{inbound_outcome, outbound_outcome, remedy, why};

/// What a step of the explanation tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// From whom to whom.
    Way,
    /// A rule of higher priority that did not decide.
    PassedOver,
    /// What decided.
    DecidedBy,
    /// A fact that was found.
    Fact,
    /// What a directory or DNS said of the recipient.
    Source,
    /// What happens.
    Outcome,
    /// What the copy is made with.
    Algorithms,
}

impl Kind {
    /// Its name in the catalogues.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Way => key("trace-title-way"),
            Self::PassedOver => key("trace-title-passed-over"),
            Self::DecidedBy => key("trace-title-decided-by"),
            Self::Fact => key("trace-title-fact"),
            Self::Source => key("trace-title-source"),
            Self::Outcome => key("trace-title-outcome"),
            Self::Algorithms => key("trace-title-algorithms"),
        }
    }
}

/// One step of the explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it tells.
    pub kind: Kind,
    /// In words, without a full stop.
    pub text: String,
    /// The rule it is about.
    pub rule: Option<RuleId>,
}

/// The whole explanation, in the order in which it came about.
pub fn steps(trace: &Trace, language: Language) -> Vec<Step> {
    let mut steps = Steps {
        language,
        told: Vec::new(),
    };
    match trace {
        Trace::Inbound {
            managed,
            external,
            choice,
            content,
            outcome,
            exemption,
        } => {
            let from = or_nobody(external.as_ref(), language, key("trace-nobody-inbound"));
            steps.way([&from, &managed.to_string()]);
            if let Some(choice) = choice {
                let mode = inbound_mode(Some(choice.mode), language);
                steps.choice(choice, mode, [&managed.to_string(), &from]);
                steps.add(Kind::Fact, inbound_content(*content));
            }
            steps.exemption(*exemption);
            let outcome = outcome.map_or(key("trace-as-it-came"), inbound_outcome);
            steps.add(Kind::Outcome, outcome);
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
            let from = or_nobody(managed.as_ref(), language, key("trace-nobody-outbound"));
            steps.way([&from, &external.to_string()]);
            if let Some(choice) = choice {
                let mode = outbound_mode(Some(choice.mode), language);
                steps.choice(choice, mode, [&from, &external.to_string()]);
            }
            if let Some(facts) = facts {
                steps.facts(facts);
            }
            for word in sources {
                steps.source(word);
            }
            steps.exemption(*exemption);
            let outcome = outcome.map_or(key("trace-as-it-came"), outbound_outcome);
            steps.add(Kind::Outcome, outcome);
            if let Some(algorithms) = algorithms {
                let text = algorithm_words(algorithms, external, language);
                steps.tell(Kind::Algorithms, text, None);
            }
        }
    }
    steps.told
}

fn or_nobody(address: Option<&Address>, language: Language, nobody: &str) -> String {
    address.map_or_else(
        || lang::text(language, nobody, &Values::new()),
        Address::to_string,
    )
}

struct Steps {
    language: Language,
    told: Vec<Step>,
}

impl Steps {
    fn tell(&mut self, kind: Kind, text: String, rule: Option<RuleId>) {
        self.told.push(Step { kind, text, rule });
    }

    fn add(&mut self, kind: Kind, key: &str) {
        let text = lang::text(self.language, key, &Values::new());
        self.tell(kind, text, None);
    }

    fn way(&mut self, [from, to]: [&str; 2]) {
        let values = Values::new().with("from", from).with("to", to);
        let text = lang::text(self.language, key("trace-way"), &values);
        self.tell(Kind::Way, text, None);
    }

    /// `sides`: the managed and the external address the rules were matched against.
    fn choice<M>(&mut self, choice: &Choice<M>, mode: &str, sides: [&str; 2]) {
        for rule in &choice.passed_over {
            let text = passed_over(rule, sides, self.language);
            self.tell(Kind::PassedOver, text, Some(rule.id));
        }
        let values = Values::new().with("mode", mode);
        let (text, rule) = match choice.decided_by {
            DecidedBy::Rule { priority, id } => {
                let values = values.with("rule", priority.to_string());
                (
                    lang::text(self.language, key("trace-by-rule"), &values),
                    Some(id),
                )
            }
            DecidedBy::Default => (
                lang::text(self.language, key("trace-by-default"), &values),
                None,
            ),
        };
        self.tell(Kind::DecidedBy, text, rule);
    }

    fn exemption(&mut self, exemption: Option<Exemption>) {
        let key = match exemption {
            None => return,
            Some(Exemption::Internal) => key("trace-by-internal"),
            Some(Exemption::Report) => key("trace-by-report"),
            Some(Exemption::Challenge) => key("trace-by-challenge"),
        };
        self.add(Kind::DecidedBy, key);
    }

    fn facts(&mut self, facts: &OutboundFacts) {
        self.add(Kind::Fact, sender(facts.sender));
        self.add(Kind::Fact, recipient(facts.recipient));
        self.add(Kind::Fact, client_content(facts.content));
        if let Some(special) = facts.special {
            let text = special_words(special, self.language);
            self.tell(Kind::Fact, text, None);
        }
    }

    fn source(&mut self, word: &Word) {
        self.tell(Kind::Source, source_words(word, self.language), None);
    }
}

/// What a source of keys said, in a sentence.
pub fn source_words(word: &Word, language: Language) -> String {
    let values = Values::new().with("source", word.source.as_str());
    let (key, values) = match &word.said {
        Said::Key => (key("trace-source-key"), values),
        Said::Awaited => (key("trace-source-awaited"), values),
        Said::Nothing => (key("trace-source-nothing"), values),
        Said::Unusable(why) => (
            key("trace-source-unusable"),
            values.with("why", why.as_str()),
        ),
        Said::NoAnswer(why) => (key("trace-source-silent"), values.with("why", why.as_str())),
    };
    lang::text(language, key, &values)
}

fn passed_over(rule: &PassedOver, [managed, external]: [&str; 2], language: Language) -> String {
    let values = Values::new().with("rule", rule.priority.to_string());
    let (key, values) = match rule.because {
        Because::Managed => (key("trace-passed-managed"), values.with("address", managed)),
        Because::External => (
            key("trace-passed-external"),
            values.with("address", external),
        ),
        Because::NotDefined => (key("trace-passed-not-defined"), values),
    };
    lang::text(language, key, &values)
}

const fn inbound_content(content: InboundContent) -> &'static str {
    match content {
        InboundContent::Plain => key("trace-content-plain"),
        InboundContent::KeyPresent => key("trace-content-key-present"),
        InboundContent::NoKey => key("trace-content-no-key"),
        InboundContent::Unreadable => key("trace-content-unreadable"),
    }
}

const fn sender(sender: Sender) -> &'static str {
    match sender {
        Sender::Certificate => key("trace-sender-certificate"),
        Sender::NoCertificate => key("trace-sender-none"),
        Sender::Foreign => key("trace-sender-foreign"),
    }
}

const fn recipient(recipient: RecipientKey) -> &'static str {
    match recipient {
        RecipientKey::Known => key("trace-recipient-known"),
        RecipientKey::Unknown => key("trace-recipient-unknown"),
        RecipientKey::Weak => key("trace-recipient-weak"),
        RecipientKey::NotAsked => key("trace-recipient-not-asked"),
        RecipientKey::Unanswered => key("trace-recipient-unanswered"),
    }
}

const fn client_content(content: ClientContent) -> &'static str {
    match content {
        ClientContent::Plain => key("trace-client-plain"),
        ClientContent::Signed => key("trace-client-signed"),
        ClientContent::Encrypted => key("trace-client-encrypted"),
        ClientContent::EncryptedToOthers => key("trace-client-to-others"),
        ClientContent::EncryptedMalformed => key("trace-client-malformed"),
    }
}

fn special_words(special: SpecialMail, language: Language) -> String {
    let wanted = match special.treatment {
        Special::LikeAll => key("trace-special-like-all"),
        Special::SignOnly => key("trace-special-sign-only"),
        Special::Leave => key("trace-special-leave"),
    };
    let what = match special.kind {
        SpecialKind::Calendar => key("trace-special-calendar"),
        SpecialKind::Tnef => key("trace-special-tnef"),
    };
    let wanted = lang::text(language, wanted, &Values::new());
    lang::text(language, what, &Values::new().with("treatment", wanted))
}

/// `AES256-CBC, RSASSA-PKCS1 SHA-256 if the signing key is RSA: what every client reads`.
fn algorithm_words(algorithms: &Algorithms, recipient: &Address, language: Language) -> String {
    let signature = algorithms.signature.as_ref().map(|name| {
        let values = Values::new().with("name", name.to_ascii_uppercase());
        lang::text(language, key("trace-if-rsa"), &values)
    });
    let upper = |name: &Option<String>| name.as_ref().map(|name| name.to_ascii_uppercase());
    let names: Vec<String> = [
        upper(&algorithms.content),
        upper(&algorithms.transport),
        signature,
    ]
    .into_iter()
    .flatten()
    .collect();
    let (because, values) = match &algorithms.by {
        ChosenBy::Partner { external, profile } => (
            key("trace-algorithms-partner"),
            Values::new()
                .with("partner", external.to_string())
                .with("profile", profile.to_string()),
        ),
        ChosenBy::Announced => (
            key("trace-algorithms-announced"),
            Values::new().with("address", recipient.to_string()),
        ),
        ChosenBy::Default => (key("trace-algorithms-default"), Values::new()),
    };
    format!(
        "{}: {}",
        names.join(", "),
        lang::text(language, because, &values)
    )
}

/// What a signature verdict of the journal means; none for an unknown word.
pub fn signature_meaning(verdict: &str) -> Option<&'static str> {
    Some(match verdict {
        "none" => key("verdict-signature-none"),
        "valid" => key("verdict-signature-valid"),
        "valid-other-address" => key("verdict-signature-valid-other-address"),
        "valid-no-address" => key("verdict-signature-valid-no-address"),
        "revocation-unknown" => key("verdict-signature-revocation-unknown"),
        "expired" => key("verdict-signature-expired"),
        "revoked" => key("verdict-signature-revoked"),
        "untrusted" => key("verdict-signature-untrusted"),
        "weak" => key("verdict-signature-weak"),
        "partial" => key("verdict-signature-partial"),
        "unsupported" => key("verdict-signature-unsupported"),
        "broken" => key("verdict-signature-broken"),
        _ => return None,
    })
}

/// What an encryption verdict of the journal means; none for an unknown word.
pub fn encryption_meaning(verdict: &str) -> Option<&'static str> {
    Some(match verdict {
        "none" => key("verdict-encryption-none"),
        "decrypted" => key("verdict-encryption-decrypted"),
        "decrypted-authenticated" => key("verdict-encryption-decrypted-authenticated"),
        "no-key" => key("verdict-encryption-no-key"),
        "failed" => key("verdict-encryption-failed"),
        "refused" => key("verdict-encryption-refused"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
