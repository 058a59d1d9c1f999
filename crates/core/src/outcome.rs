//! What happens to one recipient's copy: the outcome matrix of requirements.md section 9, one exhaustive
//! table per direction, with the decisions A1 to A4, A25, A28 and A29.

use serde::{Deserialize, Serialize};

use crate::rules::{InboundMode, OutboundMode};
use crate::tenant::Special;

/// What an inbound mail is for one recipient, after outer signatures are unwrapped (A28).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InboundContent {
    /// Not encrypted as a whole.
    Plain,
    /// Encrypted, and a key of the recipient's ring is named; not opened yet.
    KeyPresent,
    /// Encrypted, and no key of the recipient's ring is named.
    NoKey,
    /// Encrypted to a key of the ring, and could not be decrypted.
    Unreadable,
}

/// What happens to one inbound copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InboundOutcome {
    /// Delivered as it came; it is not encrypted.
    Deliver,
    /// Delivered as it came, still encrypted.
    DeliverEncrypted,
    /// Decrypted and delivered.
    DeliverDecrypted,
    /// Not delivered; the sender gets an error report.
    Refuse(InboundRefusal),
}

/// Why an inbound copy is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InboundRefusal {
    /// Only encrypted mail is accepted here (S69).
    NotEncrypted,
    /// Encrypted, but not to a key of this mailbox (S68).
    NoKey,
    /// Encrypted to this mailbox, but it could not be decrypted. Never more detail than this (C10).
    CouldNotDecrypt,
}

/// The inbound half of the outcome matrix.
pub const fn inbound(mode: InboundMode, content: InboundContent) -> InboundOutcome {
    use InboundContent as C;
    use InboundMode as M;
    use InboundOutcome as O;
    use InboundRefusal as R;
    match (mode, content) {
        (M::DoNotDecrypt, C::Plain) => O::Deliver,
        (M::DoNotDecrypt, C::KeyPresent) => O::DeliverEncrypted,
        (M::DoNotDecrypt, C::NoKey) => O::DeliverEncrypted,
        (M::DoNotDecrypt, C::Unreadable) => O::DeliverEncrypted,
        (M::Optional, C::Plain) => O::Deliver,
        (M::Optional, C::KeyPresent) => O::DeliverDecrypted,
        (M::Optional, C::NoKey) => O::DeliverEncrypted,
        (M::Optional, C::Unreadable) => O::DeliverEncrypted,
        (M::Always, C::Plain) => O::Deliver,
        (M::Always, C::KeyPresent) => O::DeliverDecrypted,
        (M::Always, C::NoKey) => O::Refuse(R::NoKey),
        (M::Always, C::Unreadable) => O::Refuse(R::CouldNotDecrypt),
        (M::Enforce, C::Plain) => O::Refuse(R::NotEncrypted),
        (M::Enforce, C::KeyPresent) => O::DeliverDecrypted,
        (M::Enforce, C::NoKey) => O::Refuse(R::NoKey),
        (M::Enforce, C::Unreadable) => O::Refuse(R::CouldNotDecrypt),
    }
}

/// Who an outbound mail is from (A4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sender {
    /// The single header From is the organisation's and has an active, valid certificate.
    Certificate,
    /// The single header From is the organisation's and has none.
    NoCertificate,
    /// Header From is not a single address of the organisation: never signed.
    Foreign,
}

/// What we know to encrypt to for one external recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecipientKey {
    /// At least one usable certificate.
    Known,
    /// None.
    Unknown,
    /// Only for algorithms too weak to use (C23).
    Weak,
    /// Not looked up, because the mode does not encrypt.
    NotAsked,
    /// None, and a directory that may have one gave no answer now.
    Unanswered,
}

/// What the client handed in (A29).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientContent {
    /// Neither signed nor encrypted as a whole.
    Plain,
    /// Signed as a whole by the client; the signature is kept.
    Signed,
    /// Encrypted as a whole and well formed, and nothing speaks against it: the recipient is named, or we
    /// know no certificate of the recipient.
    Encrypted,
    /// Encrypted as a whole and well formed, but none of the certificates we know of the recipient is named.
    EncryptedToOthers,
    /// Claims to be encrypted and is no well formed CMS.
    EncryptedMalformed,
}

/// A kind of mail that some programs cannot handle once it is signed or encrypted (spec.md section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpecialKind {
    /// A calendar request or answer (RFC 6047).
    Calendar,
    /// Microsoft's TNEF (winmail.dat).
    Tnef,
}

/// A special mail of an organisation that wants it treated otherwise than all mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SpecialMail {
    /// What it is.
    pub kind: SpecialKind,
    /// What the organisation wants. An enforced mode is never weakened by it (promise 2).
    pub treatment: Special,
}

/// The facts an outbound outcome rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OutboundFacts {
    /// Who it is from.
    pub sender: Sender,
    /// What we can encrypt to.
    pub recipient: RecipientKey,
    /// What the client handed in.
    pub content: ClientContent,
    /// Whether it is special to the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub special: Option<SpecialMail>,
}

/// What happens to one outbound copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutboundOutcome {
    /// Sent as it came.
    AsIs(AsIs),
    /// Signed; not encrypted because of the reason, if the mode would have encrypted.
    Sign(NotEncrypted),
    /// Signed (or the client's signature kept) and encrypted.
    SignAndEncrypt,
    /// Not sent; the sender gets an error report.
    Refuse(OutboundRefusal),
}

/// Why an outbound copy goes as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AsIs {
    /// The mode asks for nothing.
    NothingAsked,
    /// The mode asks for a signature and the client's own is there.
    SignedByClient,
    /// The client encrypted it (A29).
    EncryptedByClient,
    /// The sender has no certificate (A1, A2).
    NoCertificate,
    /// Header From is not a single address of the organisation (A4).
    ForeignFrom,
    /// The organisation leaves such mail as it is.
    Special,
}

/// Why a signed copy is not encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotEncrypted {
    /// The mode asks for a signature only.
    NotAsked,
    /// No key of the recipient is known.
    NoKey,
    /// The recipient is known to support only weak algorithms.
    WeakKey,
    /// No key of the recipient is known, and a directory gave no answer.
    Unanswered,
    /// The organisation only signs such mail.
    Special,
}

/// Why an outbound copy is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutboundRefusal {
    /// The sender has no active certificate (S77).
    NoCertificate,
    /// No key of the recipient is known (S78).
    NoKey,
    /// Neither.
    NoCertificateNoKey,
    /// The recipient is known to support only weak algorithms (C23).
    WeakKey,
    /// Header From is not a single address of the organisation (A4).
    ForeignFrom,
    /// The client encrypted it to none of the certificates we know of the recipient (A29).
    EncryptedToOthers,
    /// The client's encryption is no well formed CMS (A29).
    EncryptedMalformed,
    /// No key of the recipient is known, and a directory gave no answer: for now only.
    Unanswered,
}

/// Whether the recipient's key must be known to settle the outcome.
pub const fn asks_for_key(mode: OutboundMode, special: Option<SpecialMail>) -> bool {
    match (mode, treatment(special)) {
        (OutboundMode::Optional, Special::SignOnly | Special::Leave) => false,
        _ => mode.asks_for_key(),
    }
}

/// The outbound half of the outcome matrix.
pub const fn outbound(mode: OutboundMode, facts: OutboundFacts) -> OutboundOutcome {
    use NotEncrypted::{NotAsked, Special as SpecialMail};
    use OutboundMode as M;
    let (sender, content) = (facts.sender, facts.content);
    match (mode, treatment(facts.special)) {
        (M::Neither, _) => OutboundOutcome::AsIs(AsIs::NothingAsked),
        (M::SignOnly, Special::LikeAll | Special::SignOnly) => sign(sender, content, NotAsked),
        (M::SignOnly | M::Optional, Special::Leave) => leave(content),
        (M::Optional, Special::SignOnly) => sign(sender, content, SpecialMail),
        (M::Optional, Special::LikeAll) => optional(facts),
        (M::Enforce, _) => enforce(facts),
    }
}

const fn treatment(special: Option<SpecialMail>) -> Special {
    match special {
        Some(special) => special.treatment,
        None => Special::LikeAll,
    }
}

const fn leave(content: ClientContent) -> OutboundOutcome {
    use ClientContent as C;
    OutboundOutcome::AsIs(match content {
        C::Encrypted | C::EncryptedToOthers | C::EncryptedMalformed => AsIs::EncryptedByClient,
        C::Signed => AsIs::SignedByClient,
        C::Plain => AsIs::Special,
    })
}

const fn sign(sender: Sender, content: ClientContent, because: NotEncrypted) -> OutboundOutcome {
    use ClientContent as C;
    use OutboundOutcome as O;
    match (content, sender) {
        (C::Encrypted | C::EncryptedToOthers | C::EncryptedMalformed, _) => {
            O::AsIs(AsIs::EncryptedByClient)
        }
        (C::Signed, _) => O::AsIs(AsIs::SignedByClient),
        (C::Plain, Sender::Certificate) => O::Sign(because),
        (C::Plain, Sender::NoCertificate) => O::AsIs(AsIs::NoCertificate),
        (C::Plain, Sender::Foreign) => O::AsIs(AsIs::ForeignFrom),
    }
}

const fn optional(facts: OutboundFacts) -> OutboundOutcome {
    use ClientContent as C;
    use OutboundOutcome as O;
    use RecipientKey as K;
    use Sender as S;
    match (facts.content, facts.sender, facts.recipient) {
        (C::Encrypted, _, _) => O::AsIs(AsIs::EncryptedByClient),
        (_, S::Certificate, K::Known) => O::SignAndEncrypt,
        (C::EncryptedToOthers | C::EncryptedMalformed, _, _) => O::AsIs(AsIs::EncryptedByClient),
        (C::Signed, _, _) => O::AsIs(AsIs::SignedByClient),
        (C::Plain, S::Certificate, K::Unknown | K::NotAsked) => O::Sign(NotEncrypted::NoKey),
        (C::Plain, S::Certificate, K::Weak) => O::Sign(NotEncrypted::WeakKey),
        (C::Plain, S::Certificate, K::Unanswered) => O::Sign(NotEncrypted::Unanswered),
        (C::Plain, S::NoCertificate, _) => O::AsIs(AsIs::NoCertificate),
        (C::Plain, S::Foreign, _) => O::AsIs(AsIs::ForeignFrom),
    }
}

const fn enforce(facts: OutboundFacts) -> OutboundOutcome {
    use ClientContent as C;
    use OutboundOutcome as O;
    use OutboundRefusal as R;
    use RecipientKey as K;
    use Sender as S;
    match (facts.content, facts.sender, facts.recipient) {
        (_, S::Foreign, _) => O::Refuse(R::ForeignFrom),
        (C::Encrypted, _, _) => O::AsIs(AsIs::EncryptedByClient),
        (C::EncryptedToOthers, _, _) => O::Refuse(R::EncryptedToOthers),
        (C::EncryptedMalformed, _, _) => O::Refuse(R::EncryptedMalformed),
        (C::Plain | C::Signed, S::Certificate, K::Known) => O::SignAndEncrypt,
        (C::Plain | C::Signed, S::Certificate, K::Unknown | K::NotAsked) => O::Refuse(R::NoKey),
        (C::Plain | C::Signed, S::Certificate, K::Weak) => O::Refuse(R::WeakKey),
        (C::Plain | C::Signed, S::Certificate, K::Unanswered) => O::Refuse(R::Unanswered),
        (C::Plain | C::Signed, S::NoCertificate, K::Known) => O::Refuse(R::NoCertificate),
        (
            C::Plain | C::Signed,
            S::NoCertificate,
            K::Unknown | K::Weak | K::NotAsked | K::Unanswered,
        ) => O::Refuse(R::NoCertificateNoKey),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// requirements.md section 9, inbound, as it stands there; A25 adds nothing, since the key alone decides.
    const INBOUND: &str = "
        Do not decrypt | deliver | deliver encrypted | deliver encrypted
        Optional       | deliver | deliver decrypted | deliver encrypted
        Always decrypt | deliver | deliver decrypted | NDR
        Enforce        | NDR     | deliver decrypted | NDR";

    /// The same for outbound, with A1 and A2 filled in.
    const OUTBOUND: &str = "
        Neither          | plain            | plain  | plain | plain
        Sign only        | signed           | signed | plain | plain
        Optional encrypt | signed+encrypted | signed | plain | plain
        Enforce          | signed+encrypted | NDR    | NDR   | NDR";

    const OUTBOUND_COLUMNS: [(Sender, RecipientKey); 4] = [
        (Sender::Certificate, RecipientKey::Known),
        (Sender::Certificate, RecipientKey::Unknown),
        (Sender::NoCertificate, RecipientKey::Known),
        (Sender::NoCertificate, RecipientKey::Unknown),
    ];

    fn cells(table: &str) -> Vec<Vec<&str>> {
        let lines = table.lines().filter(|line| !line.trim().is_empty());
        lines
            .map(|line| line.split('|').map(str::trim).collect())
            .collect()
    }

    fn inbound_mode(name: &str) -> InboundMode {
        match name {
            "Do not decrypt" => InboundMode::DoNotDecrypt,
            "Optional" => InboundMode::Optional,
            "Always decrypt" => InboundMode::Always,
            "Enforce" => InboundMode::Enforce,
            other => panic!("{other}"),
        }
    }

    fn outbound_mode(name: &str) -> OutboundMode {
        match name {
            "Neither" => OutboundMode::Neither,
            "Sign only" => OutboundMode::SignOnly,
            "Optional encrypt" => OutboundMode::Optional,
            "Enforce" => OutboundMode::Enforce,
            other => panic!("{other}"),
        }
    }

    fn inbound_word(outcome: InboundOutcome) -> &'static str {
        match outcome {
            InboundOutcome::Deliver => "deliver",
            InboundOutcome::DeliverEncrypted => "deliver encrypted",
            InboundOutcome::DeliverDecrypted => "deliver decrypted",
            InboundOutcome::Refuse(_) => "NDR",
        }
    }

    fn outbound_word(outcome: OutboundOutcome) -> &'static str {
        match outcome {
            OutboundOutcome::AsIs(_) => "plain",
            OutboundOutcome::Sign(_) => "signed",
            OutboundOutcome::SignAndEncrypt => "signed+encrypted",
            OutboundOutcome::Refuse(_) => "NDR",
        }
    }

    #[test]
    fn all_twelve_inbound_cells() {
        let columns = [
            InboundContent::Plain,
            InboundContent::KeyPresent,
            InboundContent::NoKey,
        ];
        let rows = cells(INBOUND);
        assert_eq!(rows.len(), 4);
        for row in rows {
            for (content, expected) in columns.into_iter().zip(&row[1..]) {
                let found = inbound(inbound_mode(row[0]), content);
                assert_eq!(inbound_word(found), *expected, "{} {content:?}", row[0]);
            }
        }
    }

    #[test]
    fn a_key_that_does_not_open_the_mail_is_like_no_key() {
        for row in cells(INBOUND) {
            let found = inbound(inbound_mode(row[0]), InboundContent::Unreadable);
            assert_eq!(inbound_word(found), row[3], "{}", row[0]);
            if let InboundOutcome::Refuse(reason) = found {
                assert_eq!(reason, InboundRefusal::CouldNotDecrypt);
            }
        }
    }

    #[test]
    fn all_sixteen_outbound_cells() {
        let rows = cells(OUTBOUND);
        assert_eq!(rows.len(), 4);
        for row in rows {
            for ((sender, recipient), expected) in OUTBOUND_COLUMNS.into_iter().zip(&row[1..]) {
                let content = ClientContent::Plain;
                let facts = OutboundFacts {
                    sender,
                    recipient,
                    content,
                    special: None,
                };
                let found = outbound(outbound_mode(row[0]), facts);
                assert_eq!(outbound_word(found), *expected, "{} {facts:?}", row[0]);
            }
        }
    }

    #[test]
    fn decisions_beside_the_matrix() {
        use ClientContent as C;
        use OutboundMode as M;
        use OutboundOutcome as O;
        use RecipientKey as K;
        use Sender as S;
        let table = [
            // A1, A2: unsigned, and the status says why.
            (
                M::SignOnly,
                S::NoCertificate,
                K::Known,
                C::Plain,
                O::AsIs(AsIs::NoCertificate),
            ),
            (
                M::Optional,
                S::NoCertificate,
                K::Known,
                C::Plain,
                O::AsIs(AsIs::NoCertificate),
            ),
            (
                M::Optional,
                S::NoCertificate,
                K::Weak,
                C::Plain,
                O::AsIs(AsIs::NoCertificate),
            ),
            // A source of keys that gives no answer: optional goes on, enforce waits, and what is certain stays so.
            (
                M::Optional,
                S::Certificate,
                K::Unanswered,
                C::Plain,
                O::Sign(NotEncrypted::Unanswered),
            ),
            (
                M::Enforce,
                S::Certificate,
                K::Unanswered,
                C::Plain,
                O::Refuse(OutboundRefusal::Unanswered),
            ),
            (
                M::Enforce,
                S::NoCertificate,
                K::Unanswered,
                C::Plain,
                O::Refuse(OutboundRefusal::NoCertificateNoKey),
            ),
            // A4: never signed, optional sends plain, enforce refuses.
            (
                M::SignOnly,
                S::Foreign,
                K::Known,
                C::Plain,
                O::AsIs(AsIs::ForeignFrom),
            ),
            (
                M::Optional,
                S::Foreign,
                K::Known,
                C::Plain,
                O::AsIs(AsIs::ForeignFrom),
            ),
            (
                M::Enforce,
                S::Foreign,
                K::Known,
                C::Plain,
                O::Refuse(OutboundRefusal::ForeignFrom),
            ),
            (
                M::Enforce,
                S::Foreign,
                K::Known,
                C::Signed,
                O::Refuse(OutboundRefusal::ForeignFrom),
            ),
            // C23, spec.md section 3: a weak recipient has no key under optional and is refused under enforce.
            (
                M::Optional,
                S::Certificate,
                K::Weak,
                C::Plain,
                O::Sign(NotEncrypted::WeakKey),
            ),
            (
                M::Enforce,
                S::Certificate,
                K::Weak,
                C::Plain,
                O::Refuse(OutboundRefusal::WeakKey),
            ),
            // The client's own signature stays.
            (
                M::SignOnly,
                S::Certificate,
                K::Known,
                C::Signed,
                O::AsIs(AsIs::SignedByClient),
            ),
            (
                M::Optional,
                S::Certificate,
                K::Known,
                C::Signed,
                O::SignAndEncrypt,
            ),
            (
                M::Optional,
                S::Certificate,
                K::Unknown,
                C::Signed,
                O::AsIs(AsIs::SignedByClient),
            ),
            (
                M::Enforce,
                S::Certificate,
                K::Known,
                C::Signed,
                O::SignAndEncrypt,
            ),
            (
                M::Enforce,
                S::Certificate,
                K::Unknown,
                C::Signed,
                O::Refuse(OutboundRefusal::NoKey),
            ),
            // A29: passes under neither and sign only, whatever it is.
            (
                M::SignOnly,
                S::Certificate,
                K::Known,
                C::Encrypted,
                O::AsIs(AsIs::EncryptedByClient),
            ),
            (
                M::SignOnly,
                S::Certificate,
                K::Known,
                C::EncryptedToOthers,
                O::AsIs(AsIs::EncryptedByClient),
            ),
            (
                M::SignOnly,
                S::Certificate,
                K::Known,
                C::EncryptedMalformed,
                O::AsIs(AsIs::EncryptedByClient),
            ),
            // A29: counts as encrypted, with or without a sender certificate.
            (
                M::Optional,
                S::NoCertificate,
                K::Unknown,
                C::Encrypted,
                O::AsIs(AsIs::EncryptedByClient),
            ),
            (
                M::Enforce,
                S::NoCertificate,
                K::Unknown,
                C::Encrypted,
                O::AsIs(AsIs::EncryptedByClient),
            ),
            (
                M::Enforce,
                S::Certificate,
                K::Known,
                C::Encrypted,
                O::AsIs(AsIs::EncryptedByClient),
            ),
            // A29: to others only: optional wraps it, enforce refuses it.
            (
                M::Optional,
                S::Certificate,
                K::Known,
                C::EncryptedToOthers,
                O::SignAndEncrypt,
            ),
            (
                M::Enforce,
                S::Certificate,
                K::Known,
                C::EncryptedToOthers,
                O::Refuse(OutboundRefusal::EncryptedToOthers),
            ),
            (
                M::Enforce,
                S::Certificate,
                K::Known,
                C::EncryptedMalformed,
                O::Refuse(OutboundRefusal::EncryptedMalformed),
            ),
        ];
        for (mode, sender, recipient, content, expected) in table {
            let facts = OutboundFacts {
                sender,
                recipient,
                content,
                special: None,
            };
            assert_eq!(outbound(mode, facts), expected, "{mode:?} {facts:?}");
        }
    }

    /// spec.md section 3: every treatment under every mode, towards a recipient whose key is known and one without.
    #[test]
    fn special_mail_in_every_mode() {
        use Special::{Leave, LikeAll, SignOnly};
        let left = OutboundOutcome::AsIs(AsIs::Special);
        let signed = OutboundOutcome::Sign(NotEncrypted::Special);
        let nothing = OutboundOutcome::AsIs(AsIs::NothingAsked);
        let sign = OutboundOutcome::Sign(NotEncrypted::NotAsked);
        let both = OutboundOutcome::SignAndEncrypt;
        let table = [
            (OutboundMode::Neither, [nothing, nothing, nothing]),
            (OutboundMode::SignOnly, [sign, sign, left]),
            (OutboundMode::Optional, [both, signed, left]),
            // Promise 2: what a rule enforces is done all the same.
            (OutboundMode::Enforce, [both, both, both]),
        ];
        for (mode, expected) in table {
            for (treatment, expected) in [LikeAll, SignOnly, Leave].into_iter().zip(expected) {
                for kind in [SpecialKind::Calendar, SpecialKind::Tnef] {
                    let special = Some(SpecialMail { kind, treatment });
                    let facts = OutboundFacts {
                        sender: Sender::Certificate,
                        recipient: RecipientKey::Known,
                        content: ClientContent::Plain,
                        special,
                    };
                    assert_eq!(outbound(mode, facts), expected, "{mode:?} {treatment:?}");
                    let keyless = OutboundFacts {
                        recipient: RecipientKey::Unknown,
                        ..facts
                    };
                    let refused = matches!(outbound(mode, keyless), OutboundOutcome::Refuse(_));
                    assert_eq!(refused, mode == OutboundMode::Enforce);
                    let encrypts = expected == both;
                    assert!(asks_for_key(mode, special) || !encrypts, "{mode:?}");
                }
            }
        }
        // What the client signed itself keeps its signature.
        let facts = OutboundFacts {
            sender: Sender::Certificate,
            recipient: RecipientKey::Known,
            content: ClientContent::Signed,
            special: Some(SpecialMail {
                kind: SpecialKind::Calendar,
                treatment: Leave,
            }),
        };
        let kept = OutboundOutcome::AsIs(AsIs::SignedByClient);
        assert_eq!(outbound(OutboundMode::Optional, facts), kept);
    }

    /// S82 and promise 2, over every combination of facts.
    #[test]
    fn optional_never_refuses_and_enforce_never_sends_in_clear() {
        let senders = [Sender::Certificate, Sender::NoCertificate, Sender::Foreign];
        let keys = [
            RecipientKey::Known,
            RecipientKey::Unknown,
            RecipientKey::Weak,
            RecipientKey::NotAsked,
            RecipientKey::Unanswered,
        ];
        let contents = [
            ClientContent::Plain,
            ClientContent::Signed,
            ClientContent::Encrypted,
            ClientContent::EncryptedToOthers,
            ClientContent::EncryptedMalformed,
        ];
        let specials = [None, Some(Special::SignOnly), Some(Special::Leave)].map(|treatment| {
            treatment.map(|treatment| SpecialMail {
                kind: SpecialKind::Tnef,
                treatment,
            })
        });
        for (sender, special) in senders
            .into_iter()
            .flat_map(|sender| specials.map(|special| (sender, special)))
        {
            for recipient in keys {
                for content in contents {
                    let facts = OutboundFacts {
                        sender,
                        recipient,
                        content,
                        special,
                    };
                    for mode in [
                        OutboundMode::Neither,
                        OutboundMode::SignOnly,
                        OutboundMode::Optional,
                    ] {
                        let found = outbound(mode, facts);
                        assert!(
                            !matches!(found, OutboundOutcome::Refuse(_)),
                            "{mode:?} {facts:?}"
                        );
                    }
                    let clear = match outbound(OutboundMode::Enforce, facts) {
                        OutboundOutcome::SignAndEncrypt | OutboundOutcome::Refuse(_) => false,
                        OutboundOutcome::AsIs(AsIs::EncryptedByClient) => {
                            content != ClientContent::Encrypted
                        }
                        OutboundOutcome::AsIs(_) | OutboundOutcome::Sign(_) => true,
                    };
                    assert!(!clear, "{facts:?}");
                }
            }
        }
    }
}
