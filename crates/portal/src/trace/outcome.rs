//! The outcome of a mail in words: as a step of the explanation, and as the sentence that answers "why?" first.

use sealgate_core::journal::{Exemption, Trace};
use sealgate_core::outcome::{
    AsIs, InboundContent, InboundOutcome, InboundRefusal, NotEncrypted, OutboundFacts,
    OutboundOutcome, OutboundRefusal, Sender,
};
use sealgate_core::rules::{Choice, DecidedBy, InboundMode, OutboundMode};
use sealgate_core::tenant::Language;

use crate::lang::{self, Values, key};
use crate::terms::{inbound_mode, outbound_mode};

/// The outcome of an inbound copy, as a step.
pub const fn inbound_outcome(outcome: InboundOutcome) -> &'static str {
    match outcome {
        InboundOutcome::Deliver => key("trace-in-deliver"),
        InboundOutcome::DeliverEncrypted => key("trace-in-encrypted"),
        InboundOutcome::DeliverDecrypted => key("trace-in-decrypted"),
        InboundOutcome::Refuse(InboundRefusal::NotEncrypted) => key("trace-in-not-encrypted"),
        InboundOutcome::Refuse(InboundRefusal::NoKey) => key("trace-in-no-key"),
        InboundOutcome::Refuse(InboundRefusal::CouldNotDecrypt) => key("trace-in-unreadable"),
    }
}

/// The outcome of an outbound copy, as a step.
pub const fn outbound_outcome(outcome: OutboundOutcome) -> &'static str {
    match outcome {
        OutboundOutcome::AsIs(AsIs::NothingAsked) => key("trace-out-nothing-asked"),
        OutboundOutcome::AsIs(AsIs::SignedByClient) => key("trace-out-signed-by-client"),
        OutboundOutcome::AsIs(AsIs::EncryptedByClient) => key("trace-out-encrypted-by-client"),
        OutboundOutcome::AsIs(AsIs::NoCertificate) => key("trace-out-no-certificate"),
        OutboundOutcome::AsIs(AsIs::ForeignFrom) => key("trace-out-foreign-from"),
        OutboundOutcome::AsIs(AsIs::Special) => key("trace-out-special"),
        OutboundOutcome::Sign(NotEncrypted::NotAsked) => key("trace-out-signed"),
        OutboundOutcome::Sign(NotEncrypted::NoKey) => key("trace-out-signed-no-key"),
        OutboundOutcome::Sign(NotEncrypted::WeakKey) => key("trace-out-signed-weak"),
        OutboundOutcome::Sign(NotEncrypted::Unanswered) => key("trace-out-signed-unanswered"),
        OutboundOutcome::Sign(NotEncrypted::Special) => key("trace-out-signed-special"),
        OutboundOutcome::SignAndEncrypt => key("trace-out-signed-encrypted"),
        OutboundOutcome::Refuse(OutboundRefusal::NoCertificate) => {
            key("trace-out-refused-certificate")
        }
        OutboundOutcome::Refuse(OutboundRefusal::NoKey) => key("trace-out-refused-key"),
        OutboundOutcome::Refuse(OutboundRefusal::NoCertificateNoKey) => {
            key("trace-out-refused-both")
        }
        OutboundOutcome::Refuse(OutboundRefusal::WeakKey) => key("trace-out-refused-weak"),
        OutboundOutcome::Refuse(OutboundRefusal::ForeignFrom) => key("trace-out-refused-from"),
        OutboundOutcome::Refuse(OutboundRefusal::EncryptedToOthers) => {
            key("trace-out-refused-others")
        }
        OutboundOutcome::Refuse(OutboundRefusal::EncryptedMalformed) => {
            key("trace-out-refused-malformed")
        }
        OutboundOutcome::Refuse(OutboundRefusal::Unanswered) => key("trace-out-refused-unanswered"),
    }
}

/// The first sentence about a recipient's copy: what became of it and why. It answers "why was this mail not encrypted?".
pub fn why(trace: &Trace, language: Language) -> String {
    let values = Values::new();
    let (key, values) = match trace {
        Trace::Inbound {
            managed,
            choice,
            content,
            outcome,
            exemption,
            ..
        } => {
            let asked = choice.as_ref().map(|choice| choice.mode);
            let mode = asked.map(|mode| inbound_mode(Some(mode), language));
            let key = match (exemption, outcome) {
                (Some(exemption), _) => exempted(*exemption),
                (None, Some(outcome)) => why_inbound(*outcome, *content, asked),
                (None, None) => key("why-waiting"),
            };
            (
                key,
                values
                    .with("address", managed.to_string())
                    .with("mode", mode.unwrap_or_default())
                    .with("by", by(choice.as_ref(), language)),
            )
        }
        Trace::Outbound {
            managed,
            external,
            choice,
            facts,
            outcome,
            exemption,
            ..
        } => {
            let mode = choice
                .as_ref()
                .map(|choice| outbound_mode(Some(choice.mode), language));
            let key = match (exemption, outcome) {
                (Some(exemption), _) => exempted(*exemption),
                (None, Some(outcome)) => {
                    why_outbound(cause(*outcome, facts.as_ref(), choice.as_ref()))
                }
                (None, None) => key("why-waiting"),
            };
            let sender = managed.as_ref().map(ToString::to_string);
            (
                key,
                values
                    .with("address", external.to_string())
                    .with("sender", sender.unwrap_or_default())
                    .with("mode", mode.unwrap_or_default())
                    .with("by", by(choice.as_ref(), language)),
            )
        }
    };
    lang::text(language, key, &values)
}

const fn exempted(exemption: Exemption) -> &'static str {
    match exemption {
        Exemption::Internal => key("why-internal"),
        Exemption::Report => key("why-report"),
        Exemption::Challenge => key("why-challenge"),
    }
}

/// Who asks for the mode: `rule 3`, `the default`.
fn by<M>(choice: Option<&Choice<M>>, language: Language) -> String {
    match choice.map(|choice| choice.decided_by) {
        Some(DecidedBy::Rule { priority, .. }) => {
            let values = Values::new().with("rule", priority.to_string());
            lang::text(language, key("why-by-rule"), &values)
        }
        Some(DecidedBy::Default) | None => {
            lang::text(language, key("why-by-default"), &Values::new())
        }
    }
}

const fn why_inbound(
    outcome: InboundOutcome,
    content: InboundContent,
    asked: Option<InboundMode>,
) -> &'static str {
    match (outcome, content) {
        (InboundOutcome::Deliver, _) => key("why-in-deliver"),
        (InboundOutcome::DeliverEncrypted, _)
            if matches!(asked, Some(InboundMode::DoNotDecrypt)) =>
        {
            key("why-in-kept")
        }
        (InboundOutcome::DeliverEncrypted, InboundContent::NoKey) => key("why-in-kept-no-key"),
        (InboundOutcome::DeliverEncrypted, InboundContent::Unreadable) => {
            key("why-in-kept-unreadable")
        }
        (InboundOutcome::DeliverEncrypted, _) => key("why-in-kept"),
        (InboundOutcome::DeliverDecrypted, _) => key("why-in-decrypted"),
        (InboundOutcome::Refuse(InboundRefusal::NotEncrypted), _) => key("why-in-not-encrypted"),
        (InboundOutcome::Refuse(InboundRefusal::NoKey), _) => key("why-in-no-key"),
        (InboundOutcome::Refuse(InboundRefusal::CouldNotDecrypt), _) => key("why-in-unreadable"),
    }
}

/// Without a certificate the default asks for nothing (S64): then the certificate is what is missing, not a rule.
const fn cause(
    outcome: OutboundOutcome,
    facts: Option<&OutboundFacts>,
    choice: Option<&Choice<OutboundMode>>,
) -> OutboundOutcome {
    match (outcome, facts, choice) {
        (
            OutboundOutcome::AsIs(AsIs::NothingAsked),
            Some(OutboundFacts {
                sender: Sender::NoCertificate,
                ..
            }),
            Some(Choice {
                decided_by: DecidedBy::Default,
                ..
            }),
        ) => OutboundOutcome::AsIs(AsIs::NoCertificate),
        _ => outcome,
    }
}

const fn why_outbound(outcome: OutboundOutcome) -> &'static str {
    match outcome {
        OutboundOutcome::AsIs(AsIs::NothingAsked) => key("why-out-nothing-asked"),
        OutboundOutcome::AsIs(AsIs::SignedByClient) => key("why-out-signed-by-client"),
        OutboundOutcome::AsIs(AsIs::EncryptedByClient) => key("why-out-encrypted-by-client"),
        OutboundOutcome::AsIs(AsIs::NoCertificate) => key("why-out-no-certificate"),
        OutboundOutcome::AsIs(AsIs::ForeignFrom) => key("why-out-foreign-from"),
        OutboundOutcome::AsIs(AsIs::Special) => key("why-out-special"),
        OutboundOutcome::Sign(NotEncrypted::NotAsked) => key("why-out-signed"),
        OutboundOutcome::Sign(NotEncrypted::NoKey) => key("why-out-signed-no-key"),
        OutboundOutcome::Sign(NotEncrypted::WeakKey) => key("why-out-signed-weak"),
        OutboundOutcome::Sign(NotEncrypted::Unanswered) => key("why-out-signed-unanswered"),
        OutboundOutcome::Sign(NotEncrypted::Special) => key("why-out-signed-special"),
        OutboundOutcome::SignAndEncrypt => key("why-out-signed-encrypted"),
        OutboundOutcome::Refuse(refusal) => why_refused(refusal),
    }
}

const fn why_refused(refusal: OutboundRefusal) -> &'static str {
    match refusal {
        OutboundRefusal::NoCertificate => key("why-out-refused-certificate"),
        OutboundRefusal::NoKey => key("why-out-refused-key"),
        OutboundRefusal::NoCertificateNoKey => key("why-out-refused-both"),
        OutboundRefusal::WeakKey => key("why-out-refused-weak"),
        OutboundRefusal::ForeignFrom => key("why-out-refused-from"),
        OutboundRefusal::EncryptedToOthers => key("why-out-refused-others"),
        OutboundRefusal::EncryptedMalformed => key("why-out-refused-malformed"),
        OutboundRefusal::Unanswered => key("why-out-refused-unanswered"),
    }
}

/// What an administrator may do about it: a text of the catalogues, and the page of the organisation where it is done.
pub const fn remedy(trace: &Trace) -> Option<(&'static str, &'static str)> {
    match trace {
        Trace::Inbound {
            outcome: Some(outcome),
            ..
        } => match outcome {
            InboundOutcome::DeliverEncrypted | InboundOutcome::Refuse(InboundRefusal::NoKey) => {
                Some((key("remedy-recipient"), "smime/mailboxes"))
            }
            InboundOutcome::Refuse(InboundRefusal::NotEncrypted) => {
                Some((key("remedy-rule"), "smime/rules"))
            }
            _ => None,
        },
        Trace::Outbound {
            outcome: Some(outcome),
            facts,
            choice,
            ..
        } => match cause(*outcome, facts.as_ref(), choice.as_ref()) {
            OutboundOutcome::AsIs(AsIs::NoCertificate)
            | OutboundOutcome::Refuse(
                OutboundRefusal::NoCertificate | OutboundRefusal::NoCertificateNoKey,
            ) => Some((key("remedy-certificate"), "smime/mailboxes")),
            OutboundOutcome::Sign(NotEncrypted::NoKey | NotEncrypted::Unanswered)
            | OutboundOutcome::Refuse(OutboundRefusal::NoKey | OutboundRefusal::Unanswered) => {
                Some((key("remedy-key"), "smime/keys"))
            }
            OutboundOutcome::Sign(NotEncrypted::NotAsked)
            | OutboundOutcome::AsIs(AsIs::NothingAsked) => {
                Some((key("remedy-rule"), "smime/rules"))
            }
            OutboundOutcome::Sign(NotEncrypted::Special) | OutboundOutcome::AsIs(AsIs::Special) => {
                Some((key("remedy-settings"), "settings"))
            }
            _ => None,
        },
        _ => None,
    }
}
