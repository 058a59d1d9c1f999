//! Where a failure goes: a reply in the session, a report to the sender, held mail with an event, or the journal alone.
//!
//! The one place that knows (spec.md section 2): no backscatter, no answer to a null sender, no oracle.

use sealgate_mail::smtp::EnvelopeRecipient;
use sealgate_mail::{EnhancedStatus, Reply, ReversePath};
use serde::{Deserialize, Serialize};

use crate::directory::Word;
use crate::journal::Direction;
use crate::outcome::{InboundRefusal, OutboundRefusal};
use crate::queue::Problem;
use crate::saying::{Operation, Saying};

/// One recipient that does not get the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Who.
    pub recipient: EnvelopeRecipient,
    /// Why.
    pub reason: RefusalReason,
}

/// Why a recipient does not get a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalReason {
    /// The outcome of an inbound copy. Blame: the sender.
    Inbound(InboundRefusal),
    /// The outcome of an outbound copy. Blame: the sender or its administrator.
    Outbound(OutboundRefusal),
    /// Another recipient was refused, and the organisation wants all or nothing (A3).
    AllOrNothing,
    /// The mail goes round in a circle (M6). Blame: an operator.
    Loop,
    /// It could not be handed over. Blame: the peer or the recipient.
    Delivery(Problem),
}

/// What is known about a mail whose refusals are to go somewhere.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// Envelope sender.
    pub from: &'a ReversePath,
    /// Whether it is ours and proven, or authenticated by SPF or aligned DKIM.
    pub sender_proven: bool,
    /// Which way the mail goes.
    pub direction: Direction,
    /// Whether the 250 was given.
    pub answered: bool,
    /// How many recipients of the mail are not refused.
    pub accepted: usize,
    /// Whether a mail with the same encryptedKey was seen before (security.md row C10).
    pub encrypted_key_seen: bool,
}

/// Where the refusals of one mail go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The whole session: nothing is accepted, this is the reply, and the sending server makes the report.
    Reply(Reply),
    /// Each recipient for itself.
    Recipients(Vec<(Refusal, Place)>),
}

/// Where the refusal of one recipient goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A report to the envelope sender.
    Report,
    /// The copy is held, with an event to the administrators.
    Hold(HeldReason),
    /// The journal alone: the sender asked for no report (NOTIFY without FAILURE).
    JournalOnly,
}

/// Why a mail is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldReason {
    /// A report might go to somebody who never sent the mail.
    SenderNotProven,
    /// There is nobody to report to.
    NullSender,
    /// The same encrypted key came before: a report could be used to guess it.
    RepeatedKey,
    /// It could not be worked on several times, for reasons of ours.
    CouldNotProcess,
    /// An administrator held it.
    Administrator,
}

impl HeldReason {
    /// The word of lists and of `--json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SenderNotProven => "sender-not-proven",
            Self::NullSender => "null-sender",
            Self::RepeatedKey => "repeated-key",
            Self::CouldNotProcess => "could-not-process",
            Self::Administrator => "administrator",
        }
    }

    /// What is told of the reason that lists call `word`; the word itself if none is called so.
    pub fn told(word: &str) -> Saying {
        let all = [
            (Self::SenderNotProven, Operation::SenderNotProven {}),
            (Self::NullSender, Operation::NullSender {}),
            (Self::RepeatedKey, Operation::RepeatedKey {}),
            (Self::CouldNotProcess, Operation::CouldNotProcess {}),
            (Self::Administrator, Operation::ByAdministrator {}),
        ];
        let found = all.into_iter().find(|(reason, _)| reason.as_str() == word);
        found.map_or_else(|| Saying::words(word), |(_, said)| said.into())
    }
}

/// What a report tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReportKind {
    /// A recipient will not get the mail.
    Failure,
    /// A recipient did not get it yet.
    Delay,
    /// It was handed on, and nobody will say more (RFC 3464 section 2.3.3, "relayed").
    Relayed,
}

/// Where the refusals of a mail go. `refusals` must not be empty.
pub fn dispose(refusals: Vec<Refusal>, circumstances: Circumstances<'_>) -> Disposition {
    let placed = |refusal: &Refusal| (refusal.clone(), place(refusal, circumstances));
    let places: Vec<_> = refusals.iter().map(placed).collect();
    let is_held = |(_, place): &(Refusal, Place)| matches!(place, Place::Hold(_));
    // Held outbound mail could be released in clear against its rule: the client is told at once instead.
    let untellable = circumstances.direction == Direction::Outbound && places.iter().any(is_held);
    if !circumstances.answered && (circumstances.accepted == 0 || untellable) {
        return Disposition::Reply(reply_for_all(&refusals));
    }
    Disposition::Recipients(places)
}

fn place(refusal: &Refusal, circumstances: Circumstances<'_>) -> Place {
    // What the next server says of decrypted content would tell as much as a failure to decrypt.
    let tells_of_content = matches!(
        refusal.reason,
        RefusalReason::Inbound(InboundRefusal::CouldNotDecrypt) | RefusalReason::Delivery(_)
    );
    match circumstances.from {
        _ if tells_of_content && circumstances.encrypted_key_seen => {
            Place::Hold(HeldReason::RepeatedKey)
        }
        ReversePath::Null => Place::Hold(HeldReason::NullSender),
        ReversePath::Address(_) if !circumstances.sender_proven => {
            Place::Hold(HeldReason::SenderNotProven)
        }
        ReversePath::Address(_) if refusal.recipient.notify.failure => Place::Report,
        ReversePath::Address(_) => Place::JournalOnly,
    }
}

/// Whether a report of `kind` about `recipient` may go to `from` (RFC 3461 section 4.1; row M7).
pub fn may_report(
    kind: ReportKind,
    recipient: &EnvelopeRecipient,
    from: &ReversePath,
    sender_proven: bool,
) -> bool {
    let asked = match kind {
        ReportKind::Failure => recipient.notify.failure,
        ReportKind::Delay => recipient.notify.delay,
        ReportKind::Relayed => recipient.notify.success,
    };
    asked && sender_proven && *from != ReversePath::Null
}

/// The reply that refuses a mail for all its recipients.
fn reply_for_all(refusals: &[Refusal]) -> Reply {
    let Some((first, others)) = refusals.split_first() else {
        return reply_for(&RefusalReason::AllOrNothing);
    };
    let reply = reply_for(&first.reason);
    if others.iter().all(|other| other.reason == first.reason) {
        return reply;
    }
    let text = format!(
        "refused for every recipient; for {}: {}",
        first.recipient.address, reply.text
    );
    Reply {
        text: Reply::new(reply.code, reply.status_or_general(), &text).text,
        ..reply
    }
}

/// The reply to a mail that cannot be judged now, because a part of this gateway is away (RFC 3463 section 3.4, X.3.0).
pub fn unavailable() -> Reply {
    let text = "temporary failure of this gateway; try again later";
    Reply::new(451, EnhancedStatus(4, 3, 0), text)
}

/// The reply to a mail whose encryption is enforced while a source of keys gives no answer (RFC 3463 section 3.5, X.4.3).
pub fn unanswered(words: &[Word]) -> Reply {
    let open = words.iter().filter(|word| word.said.is_open());
    let names: Vec<&str> = open.map(|word| word.source.as_str()).collect();
    let text = format!(
        "encryption is enforced, and {} does not answer: try again later",
        names.join(", ")
    );
    Reply::new(451, EnhancedStatus(4, 4, 3), &text)
}

/// Code, enhanced status (RFC 3463 section 3.8) and a text that says what to do.
pub fn reply_for(reason: &RefusalReason) -> Reply {
    let (code, status, text) = match reason {
        RefusalReason::Inbound(reason) => inbound_reply(*reason),
        RefusalReason::Outbound(reason) => outbound_reply(*reason),
        RefusalReason::AllOrNothing => (
            550,
            EnhancedStatus(5, 7, 1),
            "not sent, because another recipient of this mail was refused: send to each alone",
        ),
        RefusalReason::Loop => (
            554,
            EnhancedStatus(5, 4, 6),
            "this mail goes round in a circle: check forwarding between these servers",
        ),
        RefusalReason::Delivery(problem) => return delivery_reply(problem),
    };
    Reply::new(code, status, text)
}

const fn inbound_reply(reason: InboundRefusal) -> (u16, EnhancedStatus, &'static str) {
    match reason {
        InboundRefusal::NotEncrypted => (
            550,
            EnhancedStatus(5, 7, 1),
            "only mail encrypted with S/MIME is accepted here: encrypt it and send it again",
        ),
        InboundRefusal::NoKey => (
            550,
            EnhancedStatus(5, 7, 5),
            "not encrypted to a certificate of this recipient: ask for the current certificate and send again",
        ),
        InboundRefusal::CouldNotDecrypt => (
            550,
            EnhancedStatus(5, 7, 5),
            "could not decrypt this mail: ask the recipient for the current certificate and send again",
        ),
    }
}

const fn outbound_reply(reason: OutboundRefusal) -> (u16, EnhancedStatus, &'static str) {
    match reason {
        OutboundRefusal::NoCertificate => (
            550,
            EnhancedStatus(5, 7, 5),
            "encryption is enforced, but the sender has no valid certificate: ask your administrator",
        ),
        OutboundRefusal::NoKey => (
            550,
            EnhancedStatus(5, 7, 5),
            "encryption is enforced, but no certificate of the recipient is known: ask the recipient for a signed mail",
        ),
        OutboundRefusal::NoCertificateNoKey => (
            550,
            EnhancedStatus(5, 7, 5),
            "encryption is enforced, but neither sender nor recipient has a known certificate: ask your administrator",
        ),
        OutboundRefusal::WeakKey => (
            550,
            EnhancedStatus(5, 7, 6),
            "encryption is enforced, but the recipient supports only weak algorithms: ask for a new certificate, or your administrator",
        ),
        OutboundRefusal::ForeignFrom => (
            550,
            EnhancedStatus(5, 7, 1),
            "encryption is enforced, but header From is not one address of this organisation: send it from your own",
        ),
        OutboundRefusal::EncryptedToOthers => (
            550,
            EnhancedStatus(5, 7, 5),
            "encrypted by your mail program, but not to this recipient: send it unencrypted, encryption is done here",
        ),
        OutboundRefusal::EncryptedMalformed => (
            550,
            EnhancedStatus(5, 7, 5),
            "the encryption made by your mail program is damaged: send it unencrypted, encryption is done here",
        ),
        // RFC 3463 section 3.5: X.4.3 is a failure of a directory server.
        OutboundRefusal::Unanswered => (
            451,
            EnhancedStatus(4, 4, 3),
            "encryption is enforced, and a directory of certificates does not answer: try again later",
        ),
    }
}

/// What the peer said, or the same in our words.
fn delivery_reply(problem: &Problem) -> Reply {
    problem.reply.clone().unwrap_or_else(|| {
        let code = if problem.status.0 == 4 { 450 } else { 550 };
        Reply::new(code, problem.status, &problem.said.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealgate_mail::Address;
    use sealgate_mail::smtp::Notify;

    use crate::saying::Told;
    use crate::tenant::Language;

    const NO_KEY: RefusalReason = RefusalReason::Outbound(OutboundRefusal::NoKey);
    const WEAK: RefusalReason = RefusalReason::Outbound(OutboundRefusal::WeakKey);
    const NOT_DECRYPTED: RefusalReason = RefusalReason::Inbound(InboundRefusal::CouldNotDecrypt);

    #[test]
    fn reasons_for_holding_are_told_in_both_languages() {
        let table = [
            (
                HeldReason::SenderNotProven,
                "sender-not-proven",
                "Absender nicht belegt",
            ),
            (HeldReason::NullSender, "null-sender", "leerer Absender"),
            (
                HeldReason::RepeatedKey,
                "repeated-key",
                "Schlüssel wiederholt",
            ),
            (
                HeldReason::CouldNotProcess,
                "could-not-process",
                "Verarbeitung gescheitert",
            ),
            (
                HeldReason::Administrator,
                "administrator",
                "von einem Administrator",
            ),
        ];
        for (reason, english, german) in table {
            let told = HeldReason::told(reason.as_str());
            assert_eq!(told.to_string(), english, "{reason:?}");
            assert_eq!(told.told(Language::De), german, "{reason:?}");
        }
        // A word that none is called by is told as it is.
        assert_eq!(HeldReason::told("later"), Saying::words("later"));
    }

    fn refusal(address: &str, reason: RefusalReason, notify: Notify) -> Refusal {
        let address = Address::parse(address).unwrap();
        let orcpt = None;
        let recipient = EnvelopeRecipient {
            address,
            notify,
            orcpt,
        };
        Refusal { recipient, reason }
    }

    fn never() -> Notify {
        Notify {
            success: false,
            failure: false,
            delay: false,
            explicit: true,
        }
    }

    fn sender() -> ReversePath {
        ReversePath::Address(Address::parse("s@x.example").unwrap())
    }

    #[test]
    fn m7_refused_for_all_before_the_250_is_a_reply() {
        for from in [ReversePath::Null, sender()] {
            for sender_proven in [false, true] {
                let circumstances = Circumstances {
                    from: &from,
                    sender_proven,
                    direction: Direction::Inbound,
                    answered: false,
                    accepted: 0,
                    encrypted_key_seen: false,
                };
                let alike = vec![
                    refusal("a@y.example", NO_KEY, Notify::default()),
                    refusal("b@y.example", NO_KEY, never()),
                ];
                assert_eq!(
                    dispose(alike, circumstances),
                    Disposition::Reply(reply_for(&NO_KEY))
                );
                let different = vec![
                    refusal("a@y.example", WEAK, Notify::default()),
                    refusal("b@y.example", NO_KEY, Notify::default()),
                ];
                let Disposition::Reply(reply) = dispose(different, circumstances) else {
                    panic!("no reply");
                };
                assert_eq!(reply.status, Some(EnhancedStatus(5, 7, 6)));
                assert!(reply.text.contains("for a@y.example"));
            }
        }
    }

    #[test]
    fn places() {
        use HeldReason::{NullSender, RepeatedKey, SenderNotProven};
        use Place::{Hold, JournalOnly, Report};
        let (null, known) = (ReversePath::Null, sender());
        let default = Notify::default();
        let refused_content = RefusalReason::Delivery(Problem {
            status: EnhancedStatus(5, 7, 1),
            reply: None,
            said: Saying::words("no such content here").into(),
        });
        // from, proven, answered, recipients not refused, key seen, reason, NOTIFY -> place
        let table = [
            (&known, true, false, 1, false, NO_KEY, default, Report),
            (&known, true, true, 0, false, NO_KEY, default, Report),
            (&known, true, true, 0, false, NO_KEY, never(), JournalOnly),
            (
                &known,
                false,
                false,
                1,
                false,
                NO_KEY,
                default,
                Hold(SenderNotProven),
            ),
            (
                &known,
                false,
                true,
                0,
                false,
                NOT_DECRYPTED,
                default,
                Hold(SenderNotProven),
            ),
            (
                &known,
                false,
                true,
                0,
                false,
                NOT_DECRYPTED,
                never(),
                Hold(SenderNotProven),
            ),
            (
                &null,
                true,
                true,
                0,
                false,
                NOT_DECRYPTED,
                default,
                Hold(NullSender),
            ),
            (
                &null,
                false,
                false,
                2,
                false,
                NO_KEY,
                default,
                Hold(NullSender),
            ),
            // C10: the same encryptedKey again and failing is held and never reported; nothing else is.
            (
                &known,
                true,
                true,
                0,
                true,
                NOT_DECRYPTED,
                default,
                Hold(RepeatedKey),
            ),
            (
                &known,
                true,
                true,
                0,
                true,
                NOT_DECRYPTED,
                never(),
                Hold(RepeatedKey),
            ),
            (&known, true, true, 0, true, NO_KEY, default, Report),
            // What the next server says of decrypted content counts like it.
            (
                &known,
                true,
                true,
                0,
                true,
                refused_content,
                default,
                Hold(RepeatedKey),
            ),
        ];
        for (from, sender_proven, answered, accepted, encrypted_key_seen, reason, notify, place) in
            table
        {
            let circumstances = Circumstances {
                from,
                sender_proven,
                direction: Direction::Inbound,
                answered,
                accepted,
                encrypted_key_seen,
            };
            let refusals = vec![refusal("a@y.example", reason, notify)];
            let expected = Disposition::Recipients(vec![(refusals[0].clone(), place)]);
            assert_eq!(
                dispose(refusals, circumstances),
                expected,
                "{circumstances:?}"
            );
        }
    }

    #[test]
    fn outbound_refusals_nobody_can_be_told_of_refuse_the_mail() {
        let (null, known) = (ReversePath::Null, sender());
        let never_asked = vec![refusal("a@y.example", NO_KEY, never())];
        let refusals = vec![refusal("a@y.example", NO_KEY, Notify::default())];
        let table = [
            (&null, true, false, &refusals, true),
            (&known, false, false, &refusals, true),
            (&known, true, false, &refusals, false),
            (&known, true, false, &never_asked, false),
            // After the 250 it was signed and encrypted as its rule says: it may be held.
            (&null, true, true, &refusals, false),
        ];
        for (from, sender_proven, answered, refusals, replied) in table {
            let circumstances = Circumstances {
                from,
                sender_proven,
                direction: Direction::Outbound,
                answered,
                accepted: 1,
                encrypted_key_seen: false,
            };
            let found = dispose(refusals.clone(), circumstances);
            assert_eq!(
                matches!(found, Disposition::Reply(_)),
                replied,
                "{from:?} {sender_proven}"
            );
        }
    }

    #[test]
    fn m8_reports_go_only_where_asked_for() {
        let asked = |success, failure, delay| Notify {
            success,
            failure,
            delay,
            explicit: true,
        };
        let table = [
            (Notify::default(), [true, true, false]),
            (never(), [false, false, false]),
            (asked(true, false, false), [false, false, true]),
            (asked(true, true, true), [true, true, true]),
        ];
        let kinds = [ReportKind::Failure, ReportKind::Delay, ReportKind::Relayed];
        for (notify, expected) in table {
            let recipient = refusal("a@y.example", NO_KEY, notify).recipient;
            for (kind, expected) in kinds.into_iter().zip(expected) {
                assert_eq!(may_report(kind, &recipient, &sender(), true), expected);
                assert!(!may_report(kind, &recipient, &sender(), false));
                assert!(!may_report(kind, &recipient, &ReversePath::Null, true));
            }
        }
    }

    #[test]
    fn every_reply_is_one_sound_line() {
        use InboundRefusal as I;
        use OutboundRefusal as O;
        let problem = Problem {
            status: EnhancedStatus(5, 1, 2),
            reply: None,
            said: Saying::words("no such domain").into(),
        };
        let inbound = [I::NotEncrypted, I::NoKey, I::CouldNotDecrypt].map(RefusalReason::Inbound);
        let outbound = [
            O::NoCertificate,
            O::NoKey,
            O::NoCertificateNoKey,
            O::WeakKey,
            O::ForeignFrom,
            O::EncryptedToOthers,
            O::EncryptedMalformed,
        ];
        let rest = [
            RefusalReason::AllOrNothing,
            RefusalReason::Loop,
            RefusalReason::Delivery(problem),
        ];
        let reasons = inbound
            .into_iter()
            .chain(outbound.map(RefusalReason::Outbound))
            .chain(rest);
        for reply in reasons.map(|reason| reply_for(&reason)) {
            assert!(reply.is_permanent(), "{reply}");
            assert_eq!(u16::from(reply.status.unwrap().0), reply.code / 100);
            // A reply line of RFC 5321 section 4.5.3.1.5 is 512 octets, with room for an address.
            assert!(
                reply.to_string().len() < 160 && reply.text.is_ascii(),
                "{reply}"
            );
        }
        assert!(unavailable().is_transient());
    }
}
