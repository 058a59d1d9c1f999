//! Copies of an outbound mail: as it came, signed, signed and encrypted.

use rand_core::CryptoRng;
use sealgate_mail::canonical::Canonical;
use sealgate_mail::edit::HeaderEdit;
use sealgate_mail::message::MessageError;
use sealgate_mail::report::cut_returned_content;
use sealgate_mail::smtp::{EnvelopeRecipient, MailParams};
use sealgate_mail::{Address, Field, Message, Source, Timestamp};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::encrypt::{EncryptTo, encrypt};
use sealgate_smime::profile::Suite;
use sealgate_smime::sign::{Form, Signed, Signer, sign};

use super::{ProcessError, Received, head, original_body, shelve, without_size};
use crate::journal::{Exemption, MailStatus};
use crate::outcome::{ClientContent, OutboundOutcome};
use crate::own_header::CONNECTOR;
use crate::ports::Shelf;
use crate::queue::{Body, Outgoing};
use crate::settle::outbound_status;

/// An outbound mail with all that its copies are made of.
pub struct OutboundWork<'a> {
    /// The mail.
    pub received: Received<'a>,
    /// Its recipients, settled; those refused get no copy.
    pub recipients: &'a [OutboundRecipient],
    /// Who signs; there is one if an outcome signs.
    pub signer: Option<Signer<'a>>,
    /// The sender's own encryption certificate: encrypted copies are readable with it too.
    pub own: Option<&'a Certificate>,
    /// The time of signing.
    pub now: Timestamp,
}

/// One recipient, settled.
#[derive(Clone, Debug)]
pub struct OutboundRecipient {
    /// Who.
    pub recipient: EnvelopeRecipient,
    /// What happens.
    pub outcome: OutboundOutcome,
    /// What the client handed in, as far as this recipient is concerned.
    pub content: ClientContent,
    /// Why rules did not decide, where they did not.
    pub exemption: Option<Exemption>,
    /// To encrypt to; each was verified when it was learned, or imported by an administrator.
    pub certificates: Vec<Certificate>,
}

/// How the bytes of a copy come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Making {
    AsItCame,
    CutReport,
    Signed,
    SignedAndEncrypted,
    /// The client's own signature is kept, octet for octet.
    Encrypted,
}

/// The recipients of one copy.
struct Group<'a> {
    making: Making,
    status: MailStatus,
    members: Vec<&'a OutboundRecipient>,
}

/// Makes the copies of an outbound mail; none for refused recipients.
pub fn outbound(
    work: &OutboundWork<'_>,
    shelf: &dyn Shelf,
    rng: &mut dyn CryptoRng,
) -> Result<Vec<Outgoing>, ProcessError> {
    let message = Message::read(work.received.content.as_ref())?;
    let groups = group(work.recipients, &message.header_recipients());
    let signs =
        |group: &Group<'_>| matches!(group.making, Making::Signed | Making::SignedAndEncrypted);
    let entity = Entity::of(&message, groups.iter().any(signs))?;
    let signed = match work.signer {
        Some(signer) if groups.iter().any(signs) => {
            Some(sign(entity.source(), entity.form(), signer, work.now, rng)?)
        }
        _ => None,
    };
    let makers = Makers {
        work,
        message: &message,
        signed: signed.as_ref(),
        shelf,
    };
    groups.iter().map(|group| makers.copy(group, rng)).collect()
}

/// One group for each way of making and status; a recipient that nobody sees in To or Cc gets an encrypted copy of its
/// own, so that no other copy's RecipientInfos name it (row C22, RFC 5321 section 7.2).
fn group<'a>(recipients: &'a [OutboundRecipient], seen: &[Address]) -> Vec<Group<'a>> {
    let mut groups: Vec<(bool, Group<'a>)> = Vec::new();
    for recipient in recipients {
        let Some(making) = making(recipient) else {
            continue;
        };
        let status = outbound_status(recipient.outcome, recipient.content);
        let encrypts = matches!(making, Making::SignedAndEncrypted | Making::Encrypted);
        let alone = encrypts && !seen.contains(&recipient.recipient.address);
        let same = |(closed, group): &&mut (bool, Group<'_>)| {
            !*closed && group.making == making && group.status == status
        };
        match groups.iter_mut().find(same).filter(|_| !alone) {
            Some((_, group)) => group.members.push(recipient),
            None => {
                let members = vec![recipient];
                let group = Group {
                    making,
                    status,
                    members,
                };
                groups.push((alone, group));
            }
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

const fn making(recipient: &OutboundRecipient) -> Option<Making> {
    match (recipient.outcome, recipient.content, recipient.exemption) {
        (OutboundOutcome::Refuse(_), _, _) => None,
        (OutboundOutcome::AsIs(_), _, Some(Exemption::Report)) => Some(Making::CutReport),
        (OutboundOutcome::AsIs(_), _, _) => Some(Making::AsItCame),
        (OutboundOutcome::Sign(_), _, _) => Some(Making::Signed),
        (OutboundOutcome::SignAndEncrypt, ClientContent::Signed, _) => Some(Making::Encrypted),
        (OutboundOutcome::SignAndEncrypt, _, _) => Some(Making::SignedAndEncrypted),
    }
}

/// What is signed: the content in canonical form, or untouched where that form would break a signature inside.
enum Entity<'c> {
    Canonical(Canonical<'c>),
    Untouched(sealgate_mail::message::Entity<'c>),
}

impl<'c> Entity<'c> {
    fn of(message: &Message<'c>, signs: bool) -> Result<Self, ProcessError> {
        if !signs {
            return Ok(Self::Untouched(message.entity()));
        }
        match Canonical::new(message) {
            Ok(canonical) if !canonical.must_be_opaque() => Ok(Self::Canonical(canonical)),
            Err(MessageError::Io(error)) => Err(ProcessError::Io(error)),
            // Too many parts to look at: they are carried as they are.
            Ok(_) | Err(_) => Ok(Self::Untouched(message.entity())),
        }
    }

    fn source(&self) -> &dyn Source {
        match self {
            Self::Canonical(canonical) => canonical,
            Self::Untouched(entity) => entity,
        }
    }

    const fn form(&self) -> Form {
        match self {
            Self::Canonical(_) => Form::Clear,
            Self::Untouched(_) => Form::Opaque,
        }
    }
}

/// What copies are made of.
struct Makers<'m> {
    work: &'m OutboundWork<'m>,
    message: &'m Message<'m>,
    signed: Option<&'m Signed<'m>>,
    shelf: &'m dyn Shelf,
}

impl Makers<'_> {
    fn copy(&self, group: &Group<'_>, rng: &mut dyn CryptoRng) -> Result<Outgoing, ProcessError> {
        let (head, body) = match group.making {
            Making::AsItCame => self.as_it_came(),
            Making::CutReport => self.cut_report()?,
            Making::Signed => {
                let signed = self.signed()?;
                self.new_entity(signed.fields(), signed.body())?
            }
            Making::SignedAndEncrypted => self.encrypted(group, self.signed()?, rng)?,
            Making::Encrypted => self.encrypted(group, &self.message.entity(), rng)?,
        };
        let received = self.work.received;
        let untouched = matches!(group.making, Making::AsItCame | Making::CutReport);
        let params = MailParams {
            eight_bit: received.params.eight_bit && (untouched || !head.is_ascii()),
            ..without_size(received.params)
        };
        Ok(Outgoing {
            from: received.from.clone(),
            params,
            recipients: group.members.iter().map(|m| m.recipient.clone()).collect(),
            head,
            body,
            status: group.status,
        })
    }

    fn signed(&self) -> Result<&Signed<'_>, ProcessError> {
        let missing = || ProcessError::Key("the signing key is missing".to_owned());
        self.signed.ok_or_else(missing)
    }

    fn as_it_came(&self) -> (Vec<u8>, Body) {
        let received = self.work.received;
        let header = HeaderEdit::new(self.message.header()).remove_named(CONNECTOR);
        let head = head(&[received.prepend.as_bytes(), &header.finish()]);
        (head, original_body(received, self.message))
    }

    /// A notification that passes returns headers only (spec.md section 2, promise 2).
    fn cut_report(&self) -> Result<(Vec<u8>, Body), ProcessError> {
        let Some(cut) = cut_returned_content(self.message)? else {
            return Ok(self.as_it_came());
        };
        let content = shelve(self.shelf, &cut)?;
        let from = Message::read(content.as_ref())?.body_start();
        let (head, _) = self.as_it_came();
        Ok((head, Body { content, from }))
    }

    fn encrypted(
        &self,
        group: &Group<'_>,
        entity: &dyn Source,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Vec<u8>, Body), ProcessError> {
        if group.members.iter().any(|m| m.certificates.is_empty()) {
            let text = "a recipient has no certificate to encrypt to";
            return Err(ProcessError::Key(text.to_owned()));
        }
        let mut recipients: Vec<&Certificate> = Vec::new();
        let named = group.members.iter().flat_map(|m| &m.certificates);
        for certificate in named.chain(self.work.own) {
            if !recipients.contains(&certificate) {
                recipients.push(certificate);
            }
        }
        let recipients: Vec<EncryptTo> = recipients.into_iter().map(EncryptTo::new).collect();
        let enveloped = encrypt(entity, &recipients, Suite::default(), rng)?;
        self.new_entity(enveloped.fields(), enveloped.body())
    }

    /// The message's own fields around a new entity, without Bcc (row C22).
    fn new_entity(&self, fields: &str, body: &dyn Source) -> Result<(Vec<u8>, Body), ProcessError> {
        let content = shelve(self.shelf, body)?;
        let message_fields = message_fields(self.message);
        let prepend = self.work.received.prepend.as_bytes();
        let head = head(&[prepend, &message_fields, fields.as_bytes()]);
        Ok((head, Body { content, from: 0 }))
    }
}

/// All fields but Content-* and Bcc; MIME-Version is there once at least (RFC 2045 section 4).
fn message_fields(message: &Message<'_>) -> Vec<u8> {
    let header = sealgate_mail::header::HeaderBlock::parse(&message.outer_fields());
    let mut fields: Vec<u8> = Vec::new();
    let stays = |field: &Field<'_>| !field.is("Bcc") && !field.is(CONNECTOR);
    for field in header.fields().filter(stays) {
        fields.extend_from_slice(field.raw());
    }
    if header.count("MIME-Version") == 0 {
        fields.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }
    fields
}
