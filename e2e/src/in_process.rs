//! The run of a case in process: the pure crates alone choose, settle and make the outgoing copy, from the same
//! octets and keys as over SMTP; what they make is judged in the same way.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::Arc;

use rand_core::{CryptoRng, RngCore};
use sealgate_core::failure::{RefusalReason, reply_for};
use sealgate_core::outcome::{
    ClientContent, InboundContent, InboundOutcome, OutboundOutcome, RecipientKey,
};
use sealgate_core::own_header::Own;
use sealgate_core::ports::{MemoryShelf, Shelf, StoredContent};
use sealgate_core::process::{
    self, InboundRecipient, InboundWork, OpenInput, OutboundRecipient, OutboundWork, Received,
};
use sealgate_core::queue::{NextHop, Outgoing, TlsRequirement};
use sealgate_core::settle::{self, LookedUp};
use sealgate_core::tenant::{
    CurrentKey, InboundRoute, KeyId, Mailbox, MailboxState, Organisation, OrganisationId, Settings,
};
use sealgate_mail::smtp::{EnvelopeRecipient, MailParams, Notify};
use sealgate_mail::{Address, Domain, Message, ReversePath, Timestamp};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::decrypt::{KeyPair, recipients};
use sealgate_smime::key::PrivateKey;
use sealgate_smime::kind::{Kind, kind};
use sealgate_smime::path::TrustAnchors;
use sealgate_smime::sign::Signer;

use crate::case::{self, Case, Delivered, Direction};
use crate::cast::Cast;
use crate::chance::Chance;
use crate::judge::{Passage, judge};
use crate::keys::Identity;

/// The test's chance as the crates want it; keys made with it protect nothing.
struct TestRng(Chance);

impl RngCore for TestRng {
    fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }
    fn next_u64(&mut self) -> u64 {
        self.0.bits()
    }
    fn fill_bytes(&mut self, out: &mut [u8]) {
        out.fill_with(|| (self.next_u64() >> 56) as u8);
    }
}

impl CryptoRng for TestRng {}

/// A case with all that is made of it once.
struct Run<'a> {
    case: &'a Case,
    cast: &'a Cast,
    organisation: Organisation,
    from: Address,
    to: Address,
    shelf: MemoryShelf,
    content: Arc<dyn StoredContent>,
    now: Timestamp,
}

/// Runs a case in process. `handed_in` is the message as the client hands it in.
pub fn run(case: &Case, handed_in: &[u8], cast: &Cast) -> Result<(), String> {
    let shelf = MemoryShelf::default();
    let run = Run {
        case,
        cast,
        organisation: organisation(case, cast),
        from: address(&case.given.from),
        to: address(&case.given.to),
        content: stored(&shelf, handed_in),
        shelf,
        now: certificate(&cast.alice).not_before().plus(60),
    };
    let copies = match case.given.direction {
        Direction::Inbound => run.inbound(),
        Direction::Outbound => run.outbound(),
    };
    let [copy] = copies.as_slice() else {
        let nothing = copies.is_empty() && case.expect.delivered == Delivered::Nothing;
        return if nothing {
            Ok(())
        } else {
            Err(format!("{} copies", copies.len()))
        };
    };
    if copy.status().as_str() != case.expect.overview {
        return Err(format!("status {}", copy.status().as_str()));
    }
    let passage = Passage {
        original: &case.message,
        handed_in,
        came_out: &octets(copy),
        from: &case.given.from,
        to: &case.given.to,
    };
    judge(passage, case.expect.delivered, cast)
}

impl Run<'_> {
    fn received<'r>(&'r self, from: &'r ReversePath, params: &'r MailParams) -> Received<'r> {
        Received {
            content: &self.content,
            from,
            params,
            prepend: "Received: from client by gateway; now\r\n",
        }
    }

    fn recipient(&self) -> EnvelopeRecipient {
        EnvelopeRecipient {
            address: self.to.clone(),
            notify: Notify::default(),
            orcpt: None,
        }
    }

    fn active(&self, mailbox: &Address) -> bool {
        let found = self.organisation.mailbox(mailbox);
        found.is_some_and(|one| one.state == MailboxState::Active)
    }

    fn inbound(&self) -> Vec<Outgoing> {
        let ring: Vec<KeyPair> = self
            .active(&self.to)
            .then(|| pair(&self.cast.alice))
            .into_iter()
            .collect();
        let ring: Vec<&KeyPair> = ring.iter().collect();
        let content = self.inbound_content(&ring);
        let choice = settle::inbound_choice(&self.organisation, &self.to, Some(&self.from));
        self.case.check_choice(&choice);
        let settled = settle::inbound(choice, &self.to, Some(&self.from), content);
        self.case.check_outcome(&settled.outcome);
        let opens = settled.outcome == InboundOutcome::DeliverDecrypted;
        let input = OpenInput {
            content: self.content.as_ref(),
            ring: if opens { &ring } else { &[] },
            anchors: &self.organisation.anchors,
            at: self.now,
            known: &[],
            switches: self.organisation.settings.switches(self.now),
            exact_local_parts: self.organisation.settings.exact_local_parts,
            size_limit: u64::MAX,
        };
        let mut opened = process::open(&input, &self.shelf).unwrap();
        if self.organisation.settings.neutralise {
            process::neutralise(&mut opened, &self.shelf).unwrap();
        }
        let recipients = [InboundRecipient {
            recipient: self.recipient(),
            outcome: settled.outcome,
            exemption: None,
            opened: Some(0),
        }];
        if let InboundOutcome::Refuse(reason) = settled.outcome {
            self.refused(&RefusalReason::Inbound(reason));
        }
        let (from, params) = (
            ReversePath::Address(self.from.clone()),
            MailParams::default(),
        );
        let host = Domain::parse("gateway.example").unwrap();
        let work = InboundWork {
            received: self.received(&from, &params),
            recipients: &recipients,
            opened: &[opened],
            own: Own {
                authserv_id: &host,
                trace_key: &[0; 32],
            },
            settings: self.organisation.settings,
        };
        process::inbound(&work, &self.shelf).unwrap()
    }

    /// What the RecipientInfos alone show.
    fn inbound_content(&self, ring: &[&KeyPair]) -> InboundContent {
        let message = Message::read(self.content.as_ref()).unwrap();
        match kind(&message).unwrap() {
            Kind::Enveloped | Kind::AuthEnveloped => {
                let named = recipients(&message).unwrap().unwrap();
                let ours = |pair: &&KeyPair| named.iter().any(|one| one.names(&pair.certificate));
                if ring.iter().any(ours) {
                    InboundContent::KeyPresent
                } else {
                    InboundContent::NoKey
                }
            }
            _ => InboundContent::Plain,
        }
    }

    fn outbound(&self) -> Vec<Outgoing> {
        let sender = settle::outbound_sender(
            &self.organisation,
            Some(&self.from),
            Some(&self.from),
            self.now,
        );
        let choice = settle::outbound_choice(&self.organisation, &sender, &self.to).unwrap();
        self.case.check_choice(&choice);
        let known = self.case.given.correspondents.contains(&self.case.given.to);
        let recipient_key = match (choice.mode.asks_for_key(), known) {
            (false, _) => RecipientKey::NotAsked,
            (true, true) => RecipientKey::Known,
            (true, false) => RecipientKey::Unknown,
        };
        let settled = settle::outbound(
            Some(choice),
            &sender,
            &self.to,
            LookedUp {
                key: recipient_key,
                content: ClientContent::Plain,
                special: None,
            },
        );
        self.case.check_outcome(&settled.outcome);
        if let OutboundOutcome::Refuse(reason) = settled.outcome {
            self.refused(&RefusalReason::Outbound(reason));
        }
        let recipients = [OutboundRecipient {
            recipient: self.recipient(),
            outcome: settled.outcome,
            content: ClientContent::Plain,
            exemption: None,
            certificates: known
                .then(|| certificate(self.cast.of(&self.case.given.to)))
                .into_iter()
                .collect(),
            suite: Default::default(),
        }];
        let own = pair(&self.cast.alice);
        let signer = sender.key.map(|_| Signer {
            key: &own.key,
            certificate: &own.certificate,
            chain: &[],
            rsa_signature: Default::default(),
        });
        let (from, params) = (
            ReversePath::Address(self.from.clone()),
            MailParams::default(),
        );
        let work = OutboundWork {
            received: self.received(&from, &params),
            recipients: &recipients,
            signer,
            own: None,
            now: self.now,
            protect_header: self.organisation.settings.header_protection,
        };
        process::outbound(&work, &self.shelf, &mut TestRng(Chance::seeded(1))).unwrap()
    }

    fn refused(&self, reason: &RefusalReason) {
        let reply = reply_for(reason);
        let status = reply
            .status
            .map(|status| status.to_string())
            .unwrap_or_default();
        self.case.check_reply(reply.code, &status);
    }
}

fn organisation(case: &Case, cast: &Cast) -> Organisation {
    let domain = Domain::parse("example.com").unwrap();
    let target = NextHop::Mx {
        domain: domain.clone(),
        tls: TlsRequirement::default(),
    };
    let route = InboundRoute {
        name: "office".to_owned(),
        domains: vec![domain],
        target,
        wildcard: false,
    };
    let known = case.given.mailboxes.iter().map(|(name, state)| {
        let mailbox = mailbox(name, *state, cast);
        (mailbox.address.clone(), mailbox)
    });
    Organisation {
        id: OrganisationId(1),
        name: "example".to_owned(),
        settings: Settings::default(),
        routes: vec![route],
        mailboxes: known.collect::<HashMap<_, _>>(),
        rules: case.rules(),
        clients: Vec::new(),
        destinations: HashMap::new(),
        smarthost: None,
        anchors: Arc::new(TrustAnchors::new(vec![certificate(
            &cast.partner_authority,
        )])),
        partners: Vec::new(),
    }
}

fn mailbox(name: &str, state: case::Mailbox, cast: &Cast) -> Mailbox {
    let key = (state == case::Mailbox::Active).then(|| {
        let certificate = certificate(cast.of(name));
        CurrentKey {
            key: KeyId(1),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
        }
    });
    Mailbox {
        address: address(name),
        state: if key.is_some() {
            MailboxState::Active
        } else {
            MailboxState::Inactive
        },
        signing: key,
        encryption: key,
        aliases: Vec::new(),
    }
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap_or_else(|_| panic!("{text}"))
}

fn certificate(identity: &Identity) -> Certificate {
    let pem = std::fs::read(&identity.certificate).unwrap();
    Certificate::read_all(&pem).unwrap().remove(0)
}

fn pair(identity: &Identity) -> KeyPair {
    KeyPair {
        certificate: certificate(identity),
        key: PrivateKey::read(&std::fs::read(&identity.key).unwrap()).unwrap(),
    }
}

fn stored(shelf: &MemoryShelf, octets: &[u8]) -> Arc<dyn StoredContent> {
    let mut draft = shelf.create().unwrap();
    draft.write_all(octets).unwrap();
    draft.finish().unwrap()
}

fn octets(copy: &Outgoing) -> Vec<u8> {
    let mut octets = copy.head().to_vec();
    let body = copy.body();
    body.content
        .reader(body.from)
        .unwrap()
        .read_to_end(&mut octets)
        .unwrap();
    octets
}
