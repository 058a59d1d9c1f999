use sealgate_core::journal::{Exemption, Trace};
use sealgate_core::outcome::{
    ClientContent, InboundContent, OutboundFacts, RecipientKey, Sender, inbound, outbound,
};
use sealgate_core::rules::{
    Because, Choice, DecidedBy, InboundMode, OutboundMode, PassedOver, RuleId,
};
use sealgate_core::tenant::Language;
use sealgate_mail::Address;

use super::{Kind, encryption_meaning, remedy, signature_meaning, steps, why};

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn chosen<M>(mode: M) -> Choice<M> {
    Choice {
        mode,
        decided_by: DecidedBy::Rule {
            priority: 3,
            id: RuleId(7),
        },
        passed_over: vec![PassedOver {
            priority: 1,
            id: RuleId(4),
            because: Because::External,
        }],
    }
}

fn outgoing(mode: OutboundMode, facts: OutboundFacts) -> Trace {
    Trace::Outbound {
        managed: Some(address("a@example.com")),
        external: address("b@partner.example"),
        choice: Some(chosen(mode)),
        facts: Some(facts),
        outcome: Some(outbound(mode, facts)),
        algorithms: None,
        exemption: None,
        sources: Vec::new(),
    }
}

fn incoming(mode: InboundMode, content: InboundContent) -> Trace {
    Trace::Inbound {
        managed: address("a@example.com"),
        external: Some(address("b@partner.example")),
        choice: Some(chosen(mode)),
        content,
        outcome: Some(inbound(mode, content)),
        exemption: None,
    }
}

/// Every trace that the outcome matrix can give.
fn all() -> Vec<Trace> {
    let mut all = Vec::new();
    for mode in [
        InboundMode::DoNotDecrypt,
        InboundMode::Optional,
        InboundMode::Always,
        InboundMode::Enforce,
    ] {
        for content in [
            InboundContent::Plain,
            InboundContent::KeyPresent,
            InboundContent::NoKey,
            InboundContent::Unreadable,
        ] {
            all.push(incoming(mode, content));
        }
    }
    for mode in [
        OutboundMode::Neither,
        OutboundMode::SignOnly,
        OutboundMode::Optional,
        OutboundMode::Enforce,
    ] {
        for sender in [Sender::Certificate, Sender::NoCertificate, Sender::Foreign] {
            for recipient in [
                RecipientKey::Known,
                RecipientKey::Unknown,
                RecipientKey::Weak,
                RecipientKey::NotAsked,
                RecipientKey::Unanswered,
            ] {
                for content in [
                    ClientContent::Plain,
                    ClientContent::Signed,
                    ClientContent::Encrypted,
                    ClientContent::EncryptedToOthers,
                    ClientContent::EncryptedMalformed,
                ] {
                    let facts = OutboundFacts {
                        sender,
                        recipient,
                        content,
                        special: None,
                    };
                    all.push(outgoing(mode, facts));
                }
            }
        }
    }
    all
}

/// Each outcome has its words in both languages, and no value is left open.
#[test]
fn every_outcome_has_words() {
    for trace in all() {
        for language in [Language::De, Language::En] {
            let mut texts = vec![why(&trace, language)];
            texts.extend(steps(&trace, language).into_iter().map(|step| step.text));
            for text in &texts {
                let is_key = ["trace-", "why-", "remedy-"];
                assert!(
                    !text.is_empty() && !text.contains(['{', '$']),
                    "{trace:?}: {text}"
                );
                assert!(!is_key.iter().any(|key| text.starts_with(key)), "{text}");
            }
            assert!(texts[0].ends_with('.'), "{}", texts[0]);
        }
        assert_ne!(why(&trace, Language::De), why(&trace, Language::En));
    }
}

/// "Why was this mail not encrypted?": the sentence names the reason.
#[test]
fn the_first_sentence_names_the_reason() {
    let facts = |sender, recipient| OutboundFacts {
        sender,
        recipient,
        content: ClientContent::Plain,
        special: None,
    };
    for (trace, german, english) in [
        (
            outgoing(
                OutboundMode::Optional,
                facts(Sender::Certificate, RecipientKey::Unknown),
            ),
            "Signiert, nicht verschlüsselt: Kein öffentlicher Schlüssel von b@partner.example ist bekannt.",
            "Signed, not encrypted: no public key of b@partner.example is known.",
        ),
        (
            outgoing(
                OutboundMode::SignOnly,
                facts(Sender::Certificate, RecipientKey::NotAsked),
            ),
            "Signiert, nicht verschlüsselt: Regel 3 verlangt „Nur signieren“.",
            "Signed, not encrypted: rule 3 asks for “Sign only”.",
        ),
        (
            outgoing(
                OutboundMode::Enforce,
                facts(Sender::NoCertificate, RecipientKey::Known),
            ),
            "Nicht gesendet: Regel 3 verlangt „Verschlüsselung erzwingen“, und a@example.com hat kein gültiges Zertifikat.",
            "Not sent: rule 3 asks for “Enforce encryption”, and a@example.com has no valid certificate.",
        ),
        (
            incoming(InboundMode::Enforce, InboundContent::Plain),
            "Abgelehnt: Die E-Mail war nicht verschlüsselt, und Regel 3 verlangt „Entschlüsselung erzwingen“.",
            "Refused: the mail was not encrypted, and rule 3 asks for “Enforce decryption”.",
        ),
    ] {
        assert_eq!(why(&trace, Language::De), german);
        assert_eq!(why(&trace, Language::En), english);
    }
}

#[test]
fn steps_name_their_rules() {
    let told = steps(
        &incoming(InboundMode::Enforce, InboundContent::Plain),
        Language::En,
    );
    let kinds: Vec<Kind> = told.iter().map(|step| step.kind).collect();
    assert_eq!(
        kinds,
        [
            Kind::Way,
            Kind::PassedOver,
            Kind::DecidedBy,
            Kind::Fact,
            Kind::Outcome
        ]
    );
    assert_eq!(told[1].rule, Some(RuleId(4)));
    assert_eq!(told[2].rule, Some(RuleId(7)));
    assert_eq!(told[2].text, "rule 3: Enforce decryption");
}

#[test]
fn mail_that_no_rule_decides() {
    let trace = Trace::Inbound {
        managed: address("a@example.com"),
        external: None,
        choice: None,
        content: InboundContent::Plain,
        outcome: None,
        exemption: Some(Exemption::Internal),
    };
    assert_eq!(
        why(&trace, Language::En),
        "Passed on unchanged: mail within one organisation is under no rule."
    );
}

#[test]
fn verdicts_have_meanings() {
    use sealgate_smime::verdict::{EncryptionVerdict, SignatureVerdict};
    for verdict in [
        SignatureVerdict::None,
        SignatureVerdict::Valid,
        SignatureVerdict::ValidOtherAddress,
        SignatureVerdict::ValidNoAddress,
        SignatureVerdict::RevocationUnknown,
        SignatureVerdict::Expired,
        SignatureVerdict::Revoked,
        SignatureVerdict::Untrusted,
        SignatureVerdict::Weak,
        SignatureVerdict::Partial,
        SignatureVerdict::Unsupported,
        SignatureVerdict::Broken,
    ] {
        assert!(signature_meaning(verdict.as_str()).is_some());
    }
    for verdict in [
        EncryptionVerdict::None,
        EncryptionVerdict::Decrypted,
        EncryptionVerdict::DecryptedAuthenticated,
        EncryptionVerdict::NoKey,
        EncryptionVerdict::Failed,
        EncryptionVerdict::Refused,
    ] {
        assert!(encryption_meaning(verdict.as_str()).is_some());
    }
}

/// The default asks for nothing because there is no certificate: the answer names the certificate and where to get one.
#[test]
fn a_sender_without_certificate_is_told_so_where_the_default_decides() {
    let facts = OutboundFacts {
        sender: Sender::NoCertificate,
        recipient: RecipientKey::NotAsked,
        content: ClientContent::Plain,
        special: None,
    };
    let by_rule = outgoing(OutboundMode::Neither, facts);
    let mut by_default = by_rule.clone();
    if let Trace::Outbound {
        choice: Some(choice),
        ..
    } = &mut by_default
    {
        choice.decided_by = DecidedBy::Default;
    }
    assert_eq!(
        remedy(&by_default),
        Some(("remedy-certificate", "smime/mailboxes"))
    );
    assert_eq!(
        why(&by_default, Language::En),
        "Neither signed nor encrypted: a@example.com has no valid certificate."
    );
    assert_eq!(remedy(&by_rule), Some(("remedy-rule", "smime/rules")));
}
