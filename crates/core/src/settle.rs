//! The outcome for one recipient, with its trace: the same functions for the gateway and for `explain`, so that the two
//! cannot differ.
//!
//! Order: who sends (A4), the choice of the mode, the facts the mode needs, the outcome.

use sealgate_mail::{Address, Timestamp};

use crate::directory::Word;
use crate::journal::{Exemption, MailStatus, Trace};
use crate::outcome::{
    self, AsIs, ClientContent, InboundContent, InboundOutcome, OutboundFacts, OutboundOutcome,
    RecipientKey, Sender, SpecialMail,
};
use crate::rules::{Choice, InboundMode, OutboundMode, Sides, choose_inbound, choose_outbound};
use crate::suite::Chosen;
use crate::tenant::{KeyId, Organisation};

/// An outcome and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled<O> {
    /// What happens.
    pub outcome: O,
    /// Why, for journal and `explain`.
    pub trace: Trace,
}

impl<O> Settled<O> {
    /// Why rules did not decide, where they did not.
    pub const fn exemption(&self) -> Option<Exemption> {
        match &self.trace {
            Trace::Inbound { exemption, .. } | Trace::Outbound { exemption, .. } => *exemption,
        }
    }
}

impl Settled<OutboundOutcome> {
    /// The same, with the algorithms the copy is made with in its trace.
    pub fn made_with(mut self, chosen: &Chosen) -> Self {
        if let Trace::Outbound {
            facts: Some(facts),
            algorithms,
            ..
        } = &mut self.trace
        {
            *algorithms = chosen.shown(self.outcome, facts.content);
        }
        self
    }
}

impl Settled<OutboundOutcome> {
    /// What directories and DNS said of the recipient.
    pub fn words(&self) -> &[Word] {
        match &self.trace {
            Trace::Outbound { sources, .. } => sources,
            Trace::Inbound { .. } => &[],
        }
    }

    /// The same, with what directories and DNS said of the recipient in its trace.
    pub fn after_asking(mut self, words: &[Word]) -> Self {
        if let Trace::Outbound { sources, .. } = &mut self.trace {
            *sources = words.to_vec();
        }
        self
    }
}

impl Settled<InboundOutcome> {
    /// The choice it rests on; none where rules did not decide.
    pub fn inbound_choice(&self) -> Option<Choice<InboundMode>> {
        match &self.trace {
            Trace::Inbound { choice, .. } => choice.clone(),
            Trace::Outbound { .. } => None,
        }
    }
}

/// Who an outbound mail is from, as rules and signature see it (A4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundSender {
    /// The organisation's address that rules are matched against.
    pub managed: Option<Address>,
    /// What is known of it.
    pub sender: Sender,
    /// The key to sign with; there is one exactly if `sender` is [`Sender::Certificate`].
    pub key: Option<KeyId>,
}

/// A4: the single header From if it is the organisation's, else the envelope sender if it is, else nobody.
/// `header_from` is the single address of the single From field; none if there is not exactly one.
pub fn outbound_sender(
    organisation: &Organisation,
    header_from: Option<&Address>,
    envelope_from: Option<&Address>,
    now: Timestamp,
) -> OutboundSender {
    let managed = |address: Option<&Address>| address.filter(|a| organisation.manages(a)).cloned();
    let Some(from) = managed(header_from) else {
        return OutboundSender {
            managed: managed(envelope_from),
            sender: Sender::Foreign,
            key: None,
        };
    };
    let mailbox = organisation.mailbox(&from);
    let key = mailbox.and_then(|mailbox| mailbox.signing_key(now));
    let sender = match key {
        Some(_) => Sender::Certificate,
        None => Sender::NoCertificate,
    };
    OutboundSender {
        managed: Some(from),
        sender,
        key,
    }
}

/// The mode for one recipient of an outbound mail; none for one within the organisation (A30).
pub fn outbound_choice(
    organisation: &Organisation,
    sender: &OutboundSender,
    recipient: &Address,
) -> Option<Choice<OutboundMode>> {
    if organisation.manages(recipient) {
        return None;
    }
    let sides = Sides {
        managed: sender.managed.as_ref(),
        external: Some(recipient),
    };
    let certificate = sender.sender == Sender::Certificate;
    Some(choose_outbound(&organisation.rules, sides, certificate))
}

/// What was looked up of a mail and one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookedUp {
    /// What we can encrypt to; [`RecipientKey::NotAsked`] unless [`outcome::asks_for_key`].
    pub key: RecipientKey,
    /// What the client handed in.
    pub content: ClientContent,
    /// Whether the mail is special to the organisation.
    pub special: Option<SpecialMail>,
}

/// Settles one recipient of an outbound mail. `choice` is what [`outbound_choice`] gave.
pub fn outbound(
    choice: Option<Choice<OutboundMode>>,
    sender: &OutboundSender,
    recipient: &Address,
    looked_up: LookedUp,
) -> Settled<OutboundOutcome> {
    let Some(choice) = choice else {
        return outbound_exempt(sender, recipient, Exemption::Internal);
    };
    let facts = OutboundFacts {
        sender: sender.sender,
        recipient: looked_up.key,
        content: looked_up.content,
        special: looked_up.special,
    };
    let outcome = outcome::outbound(choice.mode, facts);
    let trace = Trace::Outbound {
        managed: sender.managed.clone(),
        external: recipient.clone(),
        choice: Some(choice),
        facts: Some(facts),
        outcome: Some(outcome),
        algorithms: None,
        exemption: None,
        sources: Vec::new(),
    };
    Settled { outcome, trace }
}

/// A recipient of an outbound mail that rules do not decide: it goes as it came.
pub fn outbound_exempt(
    sender: &OutboundSender,
    recipient: &Address,
    exemption: Exemption,
) -> Settled<OutboundOutcome> {
    let trace = Trace::Outbound {
        managed: sender.managed.clone(),
        external: recipient.clone(),
        choice: None,
        facts: None,
        outcome: None,
        algorithms: None,
        exemption: Some(exemption),
        sources: Vec::new(),
    };
    Settled {
        outcome: OutboundOutcome::AsIs(AsIs::NothingAsked),
        trace,
    }
}

/// The mode for one managed recipient of an inbound mail from header From `external` (A4).
pub fn inbound_choice(
    organisation: &Organisation,
    managed: &Address,
    external: Option<&Address>,
) -> Choice<InboundMode> {
    let sides = Sides {
        managed: Some(managed),
        external,
    };
    choose_inbound(&organisation.rules, sides)
}

/// Settles one recipient of an inbound mail. Before it is opened, `content` is what the RecipientInfos show; asked again
/// with [`InboundContent::Unreadable`] when it did not open.
pub fn inbound(
    choice: Choice<InboundMode>,
    managed: &Address,
    external: Option<&Address>,
    content: InboundContent,
) -> Settled<InboundOutcome> {
    let outcome = outcome::inbound(choice.mode, content);
    let trace = Trace::Inbound {
        managed: managed.clone(),
        external: external.cloned(),
        choice: Some(choice),
        content,
        outcome: Some(outcome),
        exemption: None,
    };
    Settled { outcome, trace }
}

/// A recipient of an inbound mail that rules do not decide: a notification about a mail it sent.
pub fn inbound_exempt(
    managed: &Address,
    external: Option<&Address>,
    exemption: Exemption,
) -> Settled<InboundOutcome> {
    let trace = Trace::Inbound {
        managed: managed.clone(),
        external: external.cloned(),
        choice: None,
        content: InboundContent::Plain,
        outcome: None,
        exemption: Some(exemption),
    };
    Settled {
        outcome: InboundOutcome::Deliver,
        trace,
    }
}

/// The word of the mail overview for an outbound copy (S89, A23).
pub const fn outbound_status(outcome: OutboundOutcome, content: ClientContent) -> MailStatus {
    match (outcome, content) {
        (OutboundOutcome::Refuse(_), _) => MailStatus::Failed,
        (OutboundOutcome::SignAndEncrypt, _) => MailStatus::SignedEncrypted,
        (OutboundOutcome::Sign(_), _) => MailStatus::Signed,
        (OutboundOutcome::AsIs(_), ClientContent::Plain) => MailStatus::Plain,
        (OutboundOutcome::AsIs(_), ClientContent::Signed) => MailStatus::Signed,
        (OutboundOutcome::AsIs(_), ClientContent::Encrypted)
        | (OutboundOutcome::AsIs(_), ClientContent::EncryptedToOthers)
        | (OutboundOutcome::AsIs(_), ClientContent::EncryptedMalformed) => MailStatus::Encrypted,
    }
}

/// The word of the mail overview for an inbound copy; `signed`: there is a signature, whatever it is worth.
pub const fn inbound_status(outcome: InboundOutcome, signed: bool) -> MailStatus {
    match (outcome, signed) {
        (InboundOutcome::Refuse(_), _) => MailStatus::Failed,
        (InboundOutcome::DeliverDecrypted, _) => MailStatus::Decrypted,
        (InboundOutcome::DeliverEncrypted, _) => MailStatus::Encrypted,
        (InboundOutcome::Deliver, true) => MailStatus::Signed,
        (InboundOutcome::Deliver, false) => MailStatus::Plain,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use sealgate_smime::path::TrustAnchors;

    use super::*;
    use crate::queue::NextHop;
    use crate::rules::{DecidedBy, Rule, RuleId};
    use crate::tenant::{
        CurrentKey, InboundRoute, Mailbox, MailboxState, OrganisationId, Settings,
    };

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn mailbox(text: &str, state: MailboxState) -> (Address, Mailbox) {
        let current = CurrentKey {
            key: KeyId(7),
            not_before: Timestamp(100),
            not_after: Timestamp(200),
        };
        let mailbox = Mailbox {
            address: address(text),
            state,
            signing: Some(current),
            encryption: Some(current),
            aliases: vec![],
        };
        (address(text), mailbox)
    }

    fn organisation() -> Organisation {
        let target = NextHop::Host {
            host: "mail.we.example".into(),
            port: 25,
            tls: Default::default(),
            credentials: None,
            reach: Default::default(),
        };
        let route = InboundRoute {
            name: "main".into(),
            domains: vec!["we.example".parse_domain()],
            target,
            wildcard: true,
        };
        let rule = |id, managed: &str, external: &str, outbound| Rule {
            id: RuleId(id),
            managed: managed.parse().unwrap(),
            external: external.parse().unwrap(),
            inbound: Some(InboundMode::Always),
            outbound: Some(outbound),
        };
        Organisation {
            id: OrganisationId(1),
            name: "we".into(),
            settings: Settings::default(),
            routes: vec![route],
            mailboxes: HashMap::from([
                mailbox("active@we.example", MailboxState::Active),
                mailbox("gone@we.example", MailboxState::RevokePending),
            ]),
            rules: vec![
                rule(1, "we.example", "x.example", OutboundMode::Enforce),
                rule(2, "all", "y.example", OutboundMode::Optional),
            ],
            clients: vec![],
            destinations: HashMap::new(),
            smarthost: None,
            anchors: Arc::new(TrustAnchors::new(vec![])),
            partners: vec![],
        }
    }

    trait ParseDomain {
        fn parse_domain(&self) -> sealgate_mail::Domain;
    }
    impl ParseDomain for str {
        fn parse_domain(&self) -> sealgate_mail::Domain {
            sealgate_mail::Domain::parse(self).unwrap()
        }
    }

    #[test]
    fn a4_who_an_outbound_mail_is_from() {
        use Sender::{Certificate, Foreign, NoCertificate};
        let (active, gone) = ("active@we.example", "gone@we.example");
        // header From, envelope sender, now -> managed, sender
        let table = [
            (Some(active), Some(active), 150, Some(active), Certificate),
            (
                Some(active),
                Some("b@else.example"),
                150,
                Some(active),
                Certificate,
            ),
            (Some(active), None, 150, Some(active), Certificate),
            // Not valid yet, and no more.
            (Some(active), Some(active), 99, Some(active), NoCertificate),
            (Some(active), Some(active), 200, Some(active), NoCertificate),
            (Some(gone), Some(active), 150, Some(gone), NoCertificate),
            (
                Some("any@we.example"),
                None,
                150,
                Some("any@we.example"),
                NoCertificate,
            ),
            // Forwards, lists, several From addresses: never signed.
            (
                Some("b@else.example"),
                Some(active),
                150,
                Some(active),
                Foreign,
            ),
            (None, Some(active), 150, Some(active), Foreign),
            (
                Some("b@else.example"),
                Some("b@else.example"),
                150,
                None,
                Foreign,
            ),
            (None, None, 150, None, Foreign),
            (Some("b@sub.we.example"), None, 150, None, Foreign),
        ];
        let organisation = organisation();
        for (header, envelope, now, managed, sender) in table {
            let (header, envelope) = (header.map(address), envelope.map(address));
            let found = outbound_sender(
                &organisation,
                header.as_ref(),
                envelope.as_ref(),
                Timestamp(now),
            );
            let key = (sender == Certificate).then_some(KeyId(7));
            let expected = OutboundSender {
                managed: managed.map(address),
                sender,
                key,
            };
            assert_eq!(found, expected, "{header:?} {envelope:?}");
        }
    }

    #[test]
    fn outbound_traces() {
        let organisation = organisation();
        let from = address("gone@we.example");
        let sender = outbound_sender(&organisation, Some(&from), None, Timestamp(150));
        let settle = |recipient: &str, key, content| {
            let recipient = address(recipient);
            let choice = outbound_choice(&organisation, &sender, &recipient);
            let looked_up = LookedUp {
                key,
                content,
                special: None,
            };
            outbound(choice, &sender, &recipient, looked_up)
        };
        let enforced = settle("a@x.example", RecipientKey::Known, ClientContent::Plain);
        assert!(matches!(enforced.outcome, OutboundOutcome::Refuse(_)));
        let Trace::Outbound {
            managed,
            external,
            choice: Some(choice),
            facts: Some(facts),
            outcome,
            algorithms: None,
            exemption: None,
            sources: _,
        } = enforced.trace
        else {
            panic!("{:?}", enforced.trace);
        };
        assert_eq!((managed, external), (Some(from), address("a@x.example")));
        let by = DecidedBy::Rule {
            priority: 1,
            id: RuleId(1),
        };
        assert_eq!(
            (choice.decided_by, choice.mode),
            (by, OutboundMode::Enforce)
        );
        assert_eq!(facts.recipient, RecipientKey::Known);
        assert_eq!(outcome, Some(enforced.outcome));

        // A30: within the organisation no rule applies, also not one for everybody.
        let internal = settle("b@we.example", RecipientKey::NotAsked, ClientContent::Plain);
        let plain = OutboundOutcome::AsIs(AsIs::NothingAsked);
        assert_eq!(internal.outcome, plain);
        assert!(matches!(
            internal.trace,
            Trace::Outbound {
                choice: None,
                exemption: Some(Exemption::Internal),
                ..
            }
        ));
    }

    #[test]
    fn inbound_traces() {
        let organisation = organisation();
        let managed = address("any@we.example");
        let table = [
            (Some("a@x.example"), InboundContent::NoKey, false, Some(1)),
            (Some("a@y.example"), InboundContent::Plain, true, Some(2)),
            (None, InboundContent::NoKey, true, None),
        ];
        for (external, content, delivered, priority) in table {
            let external = external.map(address);
            let choice = inbound_choice(&organisation, &managed, external.as_ref());
            let by = match choice.decided_by {
                DecidedBy::Rule { priority, .. } => Some(priority),
                DecidedBy::Default => None,
            };
            assert_eq!(by, priority);
            let settled = inbound(choice, &managed, external.as_ref(), content);
            let refused = matches!(settled.outcome, InboundOutcome::Refuse(_));
            assert_eq!(!refused, delivered, "{external:?}");
            assert!(matches!(
                settled.trace,
                Trace::Inbound { outcome: Some(outcome), .. } if outcome == settled.outcome
            ));
        }
    }
}
