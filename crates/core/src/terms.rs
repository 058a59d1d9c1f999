//! The names of states and modes as people read them (requirements.md S31 to S34, S65 to S74, S92).

use crate::journal::MailStatus;
use crate::rules::{InboundMode, OutboundMode};
use crate::tenant::{Language, MailboxState};

/// A mailbox's state (S31 to S34).
pub const fn mailbox_state(state: MailboxState, language: Language) -> &'static str {
    match (state, language) {
        (MailboxState::Inactive, Language::De) => "Inaktiv",
        (MailboxState::Inactive, Language::En) => "Inactive",
        (MailboxState::ActivationPending, Language::De) => "In Aktivierung",
        (MailboxState::ActivationPending, Language::En) => "Activation pending",
        (MailboxState::Active, Language::De) => "Aktiv",
        (MailboxState::Active, Language::En) => "Active",
        (MailboxState::RevokePending, Language::De) => "in Deaktivierung",
        (MailboxState::RevokePending, Language::En) => "Revoke pending",
    }
}

/// A rule's inbound mode; none is "not defined" (S65 to S69).
pub const fn inbound_mode(mode: Option<InboundMode>, language: Language) -> &'static str {
    match (mode, language) {
        (None, Language::De) => "Nicht definiert",
        (None, Language::En) => "Not defined",
        (Some(InboundMode::DoNotDecrypt), Language::De) => "Nicht entschlüsseln",
        (Some(InboundMode::DoNotDecrypt), Language::En) => "Do not decrypt",
        (Some(InboundMode::Optional), Language::De) => "Optional entschlüsseln",
        (Some(InboundMode::Optional), Language::En) => "Decrypt optionally",
        (Some(InboundMode::Always), Language::De) => "Verschlüsselte E-Mails immer entschlüsseln",
        (Some(InboundMode::Always), Language::En) => "Always decrypt encrypted mail",
        (Some(InboundMode::Enforce), Language::De) => "Entschlüsselung erzwingen",
        (Some(InboundMode::Enforce), Language::En) => "Enforce decryption",
    }
}

/// A rule's outbound mode; none is "not defined" (S70 to S74).
pub const fn outbound_mode(mode: Option<OutboundMode>, language: Language) -> &'static str {
    match (mode, language) {
        (None, Language::De) => "Nicht definiert",
        (None, Language::En) => "Not defined",
        (Some(OutboundMode::Neither), Language::De) => "Weder signieren noch verschlüsseln",
        (Some(OutboundMode::Neither), Language::En) => "Neither sign nor encrypt",
        (Some(OutboundMode::SignOnly), Language::De) => "Nur signieren",
        (Some(OutboundMode::SignOnly), Language::En) => "Sign only",
        (Some(OutboundMode::Optional), Language::De) => "Optional verschlüsseln",
        (Some(OutboundMode::Optional), Language::En) => "Encrypt optionally",
        (Some(OutboundMode::Enforce), Language::De) => "Verschlüsselung erzwingen",
        (Some(OutboundMode::Enforce), Language::En) => "Enforce encryption",
    }
}

/// What the mail overview shows of a mail (S89, A23).
pub const fn mail_status(status: MailStatus, language: Language) -> &'static str {
    match (status, language) {
        (MailStatus::Plain, Language::De) => "Unverändert",
        (MailStatus::Plain, Language::En) => "Plain",
        (MailStatus::Signed, Language::De) => "Signiert",
        (MailStatus::Signed, Language::En) => "Signed",
        (MailStatus::Encrypted, Language::De) => "Verschlüsselt",
        (MailStatus::Encrypted, Language::En) => "Encrypted",
        (MailStatus::SignedEncrypted, Language::De) => "Signiert und verschlüsselt",
        (MailStatus::SignedEncrypted, Language::En) => "Signed and encrypted",
        (MailStatus::Decrypted, Language::De) => "Entschlüsselt",
        (MailStatus::Decrypted, Language::En) => "Decrypted",
        (MailStatus::Failed, Language::De) => "Fehlgeschlagen",
        (MailStatus::Failed, Language::En) => "Failed",
        (MailStatus::Waiting, Language::De) => "Wartet",
        (MailStatus::Waiting, Language::En) => "Waiting",
        (MailStatus::Challenge, Language::De) => "Prüfmail einer Zertifizierungsstelle",
        (MailStatus::Challenge, Language::En) => "Challenge of a certificate authority",
    }
}
