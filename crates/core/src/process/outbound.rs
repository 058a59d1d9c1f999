//! Copies of an outbound mail: as it came, signed, signed and encrypted.

use std::io;

use rand_core::CryptoRng;
use sealgate_mail::canonical::Canonical;
use sealgate_mail::edit::HeaderEdit;
use sealgate_mail::message::MessageError;
use sealgate_mail::report::cut_returned_content;
use sealgate_mail::smtp::{EnvelopeRecipient, MailParams};
use sealgate_mail::{Address, Field, HeaderBlock, Message, Source, Timestamp};
use sealgate_smime::algorithms::PublicKeyKind;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::encrypt::{EncryptTo, encrypt};
use sealgate_smime::profile::{RsaSignature, Suite};
use sealgate_smime::sign::{Form, Signed, Signer, sign};

use super::{ProcessError, Received, head, original_body, shelve, without_size};
use crate::header_protection::{Mode, Protected, can_be_protected, outer_fields};
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
    /// Who signs; there is one if an outcome signs. How an RSA key signs, each recipient's suite says.
    pub signer: Option<Signer<'a>>,
    /// The sender's own encryption certificate: encrypted copies are readable with it too.
    pub own: Option<&'a Certificate>,
    /// The time of signing.
    pub now: Timestamp,
    /// Whether what we sign protects header fields (RFC 9788).
    pub protect_header: bool,
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
    /// The algorithms chosen for it.
    pub suite: Suite,
}

/// How the bytes of a copy come about. Recipients whose copies differ in an algorithm get different copies, so that a weak
/// or special one never lowers the others (row C23).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Making {
    AsItCame,
    CutReport,
    Signed(RsaSignature),
    SignedAndEncrypted(Suite),
    /// The client's own signature is kept, octet for octet.
    Encrypted(Suite),
}

impl Making {
    /// What is signed how, if we sign; `protects` says whether header fields are protected.
    fn signing(self, protects: bool) -> Option<Signing> {
        let signing = |scheme, mode| Signing {
            scheme,
            protection: protects.then_some(mode),
        };
        match self {
            Self::AsItCame | Self::CutReport | Self::Encrypted(_) => None,
            Self::Signed(scheme) => Some(signing(scheme, Mode::Clear)),
            Self::SignedAndEncrypted(suite) => Some(signing(suite.rsa_signature, Mode::Cipher)),
        }
    }
}

/// One way of signing; each is done once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Signing {
    scheme: RsaSignature,
    protection: Option<Mode>,
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
    let groups = group(work, &message.header_recipients());
    let protects = work.protect_header && can_be_protected(&message);
    let signing = |group: &Group<'_>| group.making.signing(protects);
    let ways: Vec<Signing> = groups.iter().filter_map(signing).collect();
    let entity = Entity::of(&message, !ways.is_empty())?;
    let payloads = Payloads::new(&entity, &message, &ways)?;
    let makers = Makers {
        work,
        message: &message,
        signed: sign_each(&payloads, work, &ways, rng)?,
        protects,
        shelf,
    };
    groups.iter().map(|group| makers.copy(group, rng)).collect()
}

/// The content signed once in each of `ways`; nothing where nobody can sign.
fn sign_each<'e>(
    payloads: &'e Payloads<'_>,
    work: &OutboundWork<'_>,
    ways: &[Signing],
    rng: &mut dyn CryptoRng,
) -> Result<Vec<(Signing, Signed<'e>)>, ProcessError> {
    let mut all: Vec<(Signing, Signed<'_>)> = Vec::new();
    let Some(signer) = work.signer else {
        return Ok(all);
    };
    for way in ways {
        if all.iter().any(|(done, _)| done == way) {
            continue;
        }
        let signer = Signer {
            rsa_signature: way.scheme,
            ..signer
        };
        let (source, form) = (payloads.source(way.protection), payloads.entity.form());
        all.push((*way, sign(source, form, signer, work.now, rng)?));
    }
    Ok(all)
}

/// One group for each way of making and status; a recipient that nobody sees in To or Cc gets an encrypted copy of its
/// own, so that no other copy's RecipientInfos name it (row C22, RFC 5321 section 7.2).
fn group<'a>(work: &OutboundWork<'a>, seen: &[Address]) -> Vec<Group<'a>> {
    let rsa = work
        .signer
        .is_some_and(|signer| matches!(signer.certificate.key_kind(), Some(PublicKeyKind::Rsa(_))));
    let mut groups: Vec<(bool, Group<'a>)> = Vec::new();
    for recipient in work.recipients {
        let Some(making) = making(recipient, rsa) else {
            continue;
        };
        let status = outbound_status(recipient.outcome, recipient.content);
        let encrypts = matches!(making, Making::SignedAndEncrypted(_) | Making::Encrypted(_));
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

/// `rsa`: whether the signing key is one; only then the scheme makes a difference.
fn making(recipient: &OutboundRecipient, rsa: bool) -> Option<Making> {
    let suite = recipient.suite;
    let scheme = if rsa {
        suite.rsa_signature
    } else {
        RsaSignature::default()
    };
    let signing = Suite {
        rsa_signature: scheme,
        ..suite
    };
    let unsigned = Suite {
        rsa_signature: RsaSignature::default(),
        ..suite
    };
    match (recipient.outcome, recipient.content, recipient.exemption) {
        (OutboundOutcome::Refuse(_), _, _) => None,
        (OutboundOutcome::AsIs(_), _, Some(Exemption::Report)) => Some(Making::CutReport),
        (OutboundOutcome::AsIs(_), _, _) => Some(Making::AsItCame),
        (OutboundOutcome::Sign(_), _, _) => Some(Making::Signed(scheme)),
        (OutboundOutcome::SignAndEncrypt, ClientContent::Signed, _) => {
            Some(Making::Encrypted(unsigned))
        }
        (OutboundOutcome::SignAndEncrypt, _, _) => Some(Making::SignedAndEncrypted(signing)),
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

/// The entity as it is signed: as it is, and with protected header fields.
struct Payloads<'e> {
    entity: &'e Entity<'e>,
    protected: Vec<(Mode, Protected<'e>)>,
}

impl<'e> Payloads<'e> {
    fn new(entity: &'e Entity<'e>, message: &Message<'_>, ways: &[Signing]) -> io::Result<Self> {
        let mut protected: Vec<(Mode, Protected<'e>)> = Vec::new();
        for mode in ways.iter().filter_map(|way| way.protection) {
            if !protected.iter().any(|(done, _)| *done == mode) {
                let payload = Protected::new(entity.source(), message.header(), mode)?;
                protected.push((mode, payload));
            }
        }
        Ok(Self { entity, protected })
    }

    fn source(&self, mode: Option<Mode>) -> &dyn Source {
        let made = self.protected.iter().find(|(made, _)| Some(*made) == mode);
        made.map_or(self.entity.source(), |(_, payload)| payload)
    }
}

/// What copies are made of.
struct Makers<'m> {
    work: &'m OutboundWork<'m>,
    message: &'m Message<'m>,
    signed: Vec<(Signing, Signed<'m>)>,
    /// Whether header fields are protected where we sign.
    protects: bool,
    shelf: &'m dyn Shelf,
}

impl Makers<'_> {
    fn copy(&self, group: &Group<'_>, rng: &mut dyn CryptoRng) -> Result<Outgoing, ProcessError> {
        let (head, body) = match group.making {
            Making::AsItCame => self.as_it_came(),
            Making::CutReport => self.cut_report()?,
            Making::Signed(_) => {
                let signed = self.signed(group.making)?;
                let fields = message_fields(self.message);
                self.new_entity(&fields, signed.fields(), signed.body())?
            }
            Making::SignedAndEncrypted(suite) => {
                self.encrypted(group, suite, self.signed(group.making)?, rng)?
            }
            Making::Encrypted(suite) => {
                self.encrypted(group, suite, &self.message.entity(), rng)?
            }
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

    fn signed(&self, making: Making) -> Result<&Signed<'_>, ProcessError> {
        let missing = || ProcessError::Key("the signing key is missing".to_owned());
        let way = making.signing(self.protects);
        let mut all = self.signed.iter();
        let found = all.find(|(done, _)| Some(*done) == way);
        let (_, signed) = found.ok_or_else(missing)?;
        Ok(signed)
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
        suite: Suite,
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
        let enveloped = encrypt(entity, &recipients, suite, rng)?;
        let mut fields = message_fields(self.message);
        let protects = |way: Signing| way.protection.is_some();
        if group.making.signing(self.protects).is_some_and(protects) {
            fields = outer_fields(&HeaderBlock::parse(&fields));
        }
        self.new_entity(&fields, enveloped.fields(), enveloped.body())
    }

    /// The message's own fields, without Bcc (row C22), around a new entity with its fields.
    fn new_entity(
        &self,
        message_fields: &[u8],
        fields: &str,
        body: &dyn Source,
    ) -> Result<(Vec<u8>, Body), ProcessError> {
        let content = shelve(self.shelf, body)?;
        let prepend = self.work.received.prepend.as_bytes();
        let head = head(&[prepend, message_fields, fields.as_bytes()]);
        Ok((head, Body { content, from: 0 }))
    }
}

/// All fields but Content-* and Bcc; MIME-Version is there once at least (RFC 2045 section 4).
fn message_fields(message: &Message<'_>) -> Vec<u8> {
    let header = HeaderBlock::parse(&message.outer_fields());
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
