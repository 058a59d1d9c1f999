//! What a message shows, and the facts a mode needs: the only waiting between choosing and settling, the same for the
//! gateway and for `explain`.

use std::io;

use sealgate_core::directory::{Kept, Word, dns_label};
use sealgate_core::journal::Exemption;
use sealgate_core::outcome::{
    self, ClientContent, InboundContent, InboundOutcome, OutboundOutcome, RecipientKey, Sender,
    SpecialMail,
};
use sealgate_core::settle::{self, LookedUp, OutboundSender, Settled};
use sealgate_core::special::special;
use sealgate_core::suite;
use sealgate_core::tenant::{CorrespondentKey, Organisation, Origin, RingEntry, Settings};
use sealgate_core::{harvest, limits::SENT_MEMORY};
use sealgate_mail::message::MessageError;
use sealgate_mail::report::{ReadReport, read_report};
use sealgate_mail::{Address, Content, HeaderBlock, Message, ReversePath, Timestamp};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::cms::CertificateId;
use sealgate_smime::decrypt;
use sealgate_smime::kind::{self, Kind};
use sealgate_smime::profile::Suite;
use sealgate_smime::verify::{kind_under_signatures, signed_entity};
use sealgate_store::{Store, StoreError};

/// What a message itself shows, read once and without any key.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The single address of the single From field.
    pub header_from: Option<Address>,
    /// Its header.
    pub header: HeaderBlock,
    /// Its Message-ID field.
    pub message_id: Option<String>,
    /// What its top entity is.
    pub kind: Kind,
    /// What it is once outer signatures are taken away (A28).
    pub inside: Kind,
    /// Whom its RecipientInfos name, if it is encrypted.
    pub named: Vec<CertificateId>,
    /// Whether what is encrypted is well formed CMS to its end.
    pub well_formed: bool,
    /// What it returns, if it is a delivery status notification with null sender.
    pub report: Option<ReadReport>,
    /// Whether it is special to the organisation that sends it; looked for by [`Seen::look_for_special`].
    pub special: Option<SpecialMail>,
}

impl Seen {
    /// Reads `content`. The outer error is a failure of ours, the inner one of the sender.
    pub fn of(content: &dyn Content, from: &ReversePath) -> io::Result<Result<Self, MessageError>> {
        let message = match Message::read(content) {
            Ok(message) => message,
            Err(MessageError::Io(error)) => return Err(error),
            Err(error) => return Ok(Err(error)),
        };
        let inside = kind_under_signatures(&message)?;
        let encrypted = inside
            .is_encrypted()
            .then(|| read_recipients(&message))
            .transpose()?;
        let (named, well_formed) = encrypted.unwrap_or_default();
        let report = match from {
            ReversePath::Null => read_report(&message),
            ReversePath::Address(_) => Ok(None),
        };
        let report = match report {
            Ok(report) => report,
            Err(MessageError::Io(error)) => return Err(error),
            Err(error) => return Ok(Err(error)),
        };
        Ok(Ok(Self {
            header_from: message.single_from().map(|mailbox| mailbox.address),
            message_id: message.message_id(),
            header: message.header().clone(),
            kind: kind::kind(&message)?,
            inside,
            named,
            well_formed,
            report,
            special: None,
        }))
    }

    /// A message of which only the sender is known, for `explain` without a file.
    pub fn assumed(header_from: Address) -> Self {
        Self {
            header_from: Some(header_from),
            message_id: None,
            header: HeaderBlock::parse(b""),
            kind: Kind::Plain,
            inside: Kind::Plain,
            named: Vec::new(),
            well_formed: false,
            report: None,
            special: None,
        }
    }

    /// The same, encrypted to these certificates.
    pub fn assume_encrypted(&mut self, named: &[Certificate]) {
        self.kind = Kind::Enveloped;
        self.inside = Kind::Enveloped;
        self.well_formed = true;
        self.named = named.iter().map(issuer_serial).collect();
    }

    /// Finds out whether it is special to an organisation with these switches. A mail of more parts than we look at is none.
    pub fn look_for_special(
        &mut self,
        content: &dyn Content,
        settings: &Settings,
    ) -> io::Result<()> {
        let found = Message::read(content).and_then(|message| special(&message, settings));
        self.special = match found {
            Err(MessageError::Io(error)) => return Err(error),
            other => other.unwrap_or_default(),
        };
        Ok(())
    }

    /// Whether a key of `certificates` is named.
    fn names<'c>(&self, mut certificates: impl Iterator<Item = &'c Certificate>) -> bool {
        certificates.any(|certificate| self.named.iter().any(|id| id.names(certificate)))
    }

    /// What the client handed in, towards a recipient of whom these certificates are known (A29).
    fn client_content(&self, known: &[Certificate]) -> ClientContent {
        match (self.inside, self.kind) {
            (Kind::Enveloped | Kind::AuthEnveloped, _) if !self.well_formed => {
                ClientContent::EncryptedMalformed
            }
            (Kind::Enveloped | Kind::AuthEnveloped, _)
                if known.is_empty() || self.names(known.iter()) =>
            {
                ClientContent::Encrypted
            }
            (Kind::Enveloped | Kind::AuthEnveloped, _) => ClientContent::EncryptedToOthers,
            (Kind::Malformed(_), _) => ClientContent::EncryptedMalformed,
            (_, Kind::ClearSigned | Kind::Signed) => ClientContent::Signed,
            _ => ClientContent::Plain,
        }
    }
}

fn issuer_serial(certificate: &Certificate) -> CertificateId {
    CertificateId::IssuerSerial {
        issuer_der: certificate.issuer_der().to_vec(),
        serial: certificate.serial().to_vec(),
    }
}

/// The RecipientInfos under all signatures, and whether the whole is well formed to its end. Where the RecipientInfos cannot
/// be read, none of our keys is named.
fn read_recipients(message: &Message<'_>) -> io::Result<(Vec<CertificateId>, bool)> {
    let well_formed = kind::check(message)?.is_ok();
    if !kind::kind(message)?.is_signed() {
        let named = decrypt::recipients(message)?;
        return Ok(named.map_or((Vec::new(), false), |named| (named, well_formed)));
    }
    let Ok(entity) = signed_entity(message)? else {
        return Ok((Vec::new(), false));
    };
    match Message::read(&entity) {
        Ok(inner) => {
            let (named, inside) = read_recipients(&inner)?;
            Ok((named, inside && well_formed))
        }
        Err(MessageError::Io(error)) => Err(error),
        Err(_) => Ok((Vec::new(), false)),
    }
}

/// One recipient of an outbound mail, settled, with the certificates to encrypt to.
#[derive(Debug)]
pub struct OutboundDecision {
    /// Outcome and trace.
    pub settled: Settled<OutboundOutcome>,
    /// What the client handed in.
    pub content: ClientContent,
    /// The certificates that are encrypted to if the outcome says so.
    pub certificates: Vec<Certificate>,
    /// The algorithms of the copy.
    pub suite: Suite,
}

/// An outbound mail, as its recipients are decided.
#[derive(Clone, Copy)]
pub struct OutboundMail<'a> {
    /// Whose.
    pub organisation: &'a Organisation,
    /// What it shows.
    pub seen: &'a Seen,
    /// Who it is from.
    pub sender: &'a OutboundSender,
    /// When.
    pub now: Timestamp,
}

/// The recipients for whom directories and DNS are asked: the mode needs a key, the mail can be encrypted, and no key is known
/// that may be used as it is.
pub async fn to_be_looked_up<'r>(
    store: &Store,
    mail: OutboundMail<'_>,
    recipients: impl Iterator<Item = &'r Address>,
) -> Result<Vec<Address>, StoreError> {
    let mut found: Vec<Address> = Vec::new();
    let can_encrypt = mail.sender.sender == Sender::Certificate
        && mail.seen.report.is_none()
        && !mail.seen.inside.is_encrypted();
    for recipient in recipients.filter(|_| can_encrypt) {
        let choice = settle::outbound_choice(mail.organisation, mail.sender, recipient);
        let needs =
            choice.is_some_and(|choice| outcome::asks_for_key(choice.mode, mail.seen.special));
        if !needs || found.contains(recipient) {
            continue;
        }
        let keys = keys_of(store, mail.organisation, recipient, |kept| {
            kept.stands(mail.now)
        });
        let keys = keys.await?;
        let profile = mail.organisation.profile(recipient);
        let usable = harvest::usable(&keys, &mail.organisation.anchors, profile, mail.now);
        // Where an administrator has pinned a key, no other is used.
        if usable == harvest::Usable::None && !keys.iter().any(|key| key.pinned) {
            found.push(recipient.clone());
        }
    }
    Ok(found)
}

/// The keys of an address. Of those that came from directories and DNS only the ones whose source `counts` by its last word.
async fn keys_of(
    store: &Store,
    organisation: &Organisation,
    address: &Address,
    counts: impl Fn(&Kept) -> bool,
) -> Result<Vec<CorrespondentKey>, StoreError> {
    let id = organisation.id;
    let mut all = store
        .correspondents(id, std::slice::from_ref(address))
        .await?;
    let mut keys = all.remove(address).unwrap_or_default();
    let exact = organisation.settings.exact_local_parts;
    keys.retain(|key| key.certificate.names(address, exact));
    let is_free = |key: &CorrespondentKey| key.pinned || !key.origin.is_asked_for();
    if keys.iter().all(is_free) {
        return Ok(keys);
    }
    let answers = store.source_answers(id, address).await?;
    let sources = store.source_keys(id, address).await?;
    let dns = dns_label(organisation.settings.smimea);
    keys.retain(|key| {
        let of_key = sources.iter().find(|source| source.key == key.id);
        let is_asked = |source: &str| key.origin != Origin::Smimea || dns == Some(source);
        is_free(key)
            || of_key.is_some_and(|of_key| {
                let mut answers = answers.iter();
                is_asked(&of_key.source)
                    && answers.any(|kept| kept.word.source == of_key.source && counts(kept))
            })
    });
    Ok(keys)
}

/// Decides one recipient of an outbound mail. `words` is what directories and DNS said of it, if they were asked.
pub async fn outbound(
    store: &Store,
    mail: OutboundMail<'_>,
    recipient: &Address,
    words: &[Word],
) -> Result<OutboundDecision, StoreError> {
    let exempt = |exemption| OutboundDecision {
        settled: settle::outbound_exempt(mail.sender, recipient, exemption),
        content: ClientContent::Plain,
        certificates: Vec::new(),
        suite: Suite::default(),
    };
    let Some(choice) = settle::outbound_choice(mail.organisation, mail.sender, recipient) else {
        return Ok(exempt(Exemption::Internal));
    };
    if mail.seen.report.is_some() {
        return Ok(exempt(Exemption::Report));
    }
    let special = mail.seen.special;
    let (key, keys, known) = if outcome::asks_for_key(choice.mode, special) {
        let (key, keys, known) =
            recipient_key(store, mail.organisation, recipient, mail.now).await?;
        let is_open = key == RecipientKey::Unknown && words.iter().any(|word| word.said.is_open());
        let key = if is_open {
            RecipientKey::Unanswered
        } else {
            key
        };
        (key, keys, known)
    } else {
        (RecipientKey::NotAsked, Vec::new(), Vec::new())
    };
    let chosen = suite::choose(mail.organisation, recipient, &keys);
    let certificates: Vec<Certificate> = keys.into_iter().map(|key| key.certificate).collect();
    let content = mail.seen.client_content(&known);
    let looked_up = LookedUp {
        key,
        content,
        special,
    };
    let settled = settle::outbound(Some(choice), mail.sender, recipient, looked_up);
    Ok(OutboundDecision {
        settled: settled.made_with(&chosen).after_asking(words),
        content,
        certificates,
        suite: chosen.suite,
    })
}

/// What we can encrypt to, and the certificates that are known (A29).
type Known = (RecipientKey, Vec<CorrespondentKey>, Vec<Certificate>);

async fn recipient_key(
    store: &Store,
    organisation: &Organisation,
    recipient: &Address,
    now: Timestamp,
) -> Result<Known, StoreError> {
    let keys = keys_of(store, organisation, recipient, |kept| kept.vouches(now)).await?;
    let profile = organisation.profile(recipient);
    let usable = harvest::usable(&keys, &organisation.anchors, profile, now);
    let known = harvest::known(&keys, &organisation.anchors);
    Ok(match usable {
        harvest::Usable::None => (RecipientKey::Unknown, Vec::new(), known),
        harvest::Usable::WeakOnly => (RecipientKey::Weak, Vec::new(), known),
        harvest::Usable::Keys(keys) => (RecipientKey::Known, keys, known),
    })
}

/// One recipient of an inbound mail, settled as far as is possible without a private key.
#[derive(Debug)]
pub struct InboundDecision {
    /// Outcome and trace.
    pub settled: Settled<InboundOutcome>,
    /// What the mail is for this recipient.
    pub content: InboundContent,
    /// The keys of the recipient's ring that are named.
    pub ring: Vec<RingEntry>,
}

/// Decides one recipient of an inbound mail.
pub async fn inbound(
    store: &Store,
    organisation: &Organisation,
    seen: &Seen,
    recipient: &Address,
    now: Timestamp,
) -> Result<InboundDecision, StoreError> {
    let external = seen.header_from.as_ref();
    if let Some(report) = &seen.report
        && was_sent_by(store, organisation, recipient, report, now).await?
    {
        let settled = settle::inbound_exempt(recipient, external, Exemption::Report);
        return Ok(InboundDecision {
            settled,
            content: InboundContent::Plain,
            ring: Vec::new(),
        });
    }
    let choice = settle::inbound_choice(organisation, recipient, external);
    let (content, ring) = inbound_content(store, organisation, seen, recipient).await?;
    let settled = settle::inbound(choice, recipient, external, content);
    Ok(InboundDecision {
        settled,
        content,
        ring,
    })
}

/// spec.md section 2: a report passes if the journal knows the message it returns as sent by that mailbox.
async fn was_sent_by(
    store: &Store,
    organisation: &Organisation,
    mailbox: &Address,
    report: &ReadReport,
    now: Timestamp,
) -> Result<bool, StoreError> {
    match &report.message_id {
        Some(id) => {
            let since = now.plus(-SENT_MEMORY);
            store.was_sent(organisation.id, mailbox, id, since).await
        }
        None => Ok(false),
    }
}

async fn inbound_content(
    store: &Store,
    organisation: &Organisation,
    seen: &Seen,
    recipient: &Address,
) -> Result<(InboundContent, Vec<RingEntry>), StoreError> {
    if !seen.inside.is_encrypted() {
        return Ok((InboundContent::Plain, Vec::new()));
    }
    let ring = store.ring(organisation.id, recipient).await?;
    let named: Vec<_> = ring
        .into_iter()
        .filter(|entry| seen.names(std::iter::once(&entry.certificate)))
        .collect();
    let content = if named.is_empty() {
        InboundContent::NoKey
    } else {
        InboundContent::KeyPresent
    };
    Ok((content, named))
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
mod tests {
    use super::*;

    fn data(name: &str) -> String {
        let file = format!("{}/../smime/testdata/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(file).unwrap()
    }

    /// A29: what a client encrypted passes only if it is whole and nothing goes beside it, under signatures too.
    #[test]
    fn a29_what_the_client_encrypted() {
        use ClientContent as C;
        let encrypted = data("enveloped-rsa-der.eml");
        let entity = &encrypted[encrypted.find("MIME-Version").unwrap()..];
        let signed = data("clear-rsa.eml");
        let text = &signed[signed.find("\r\nContent-Type: text/plain").unwrap() + 2..];
        let text = &text[..text.find("\r\n------").unwrap()];
        let wrapped = signed.replace(text, entity.trim_end());
        let remark = "This is an S/MIME signed message";
        for (name, mail, expected) in [
            ("encrypted", encrypted.clone(), C::Encrypted),
            (
                "text behind",
                encrypted.clone() + "\r\nin clear\r\n",
                C::EncryptedMalformed,
            ),
            (
                "cut short",
                encrypted[..encrypted.len() - 100].to_owned(),
                C::EncryptedMalformed,
            ),
            ("under a signature", wrapped.clone(), C::Encrypted),
            (
                "remark in clear",
                wrapped.replace(remark, "in clear"),
                C::EncryptedMalformed,
            ),
            (
                "epilogue in clear",
                wrapped.clone() + "in clear\r\n",
                C::EncryptedMalformed,
            ),
            (
                "text behind, under a signature",
                wrapped.replace(entity.trim_end(), &format!("{entity}in clear")),
                C::EncryptedMalformed,
            ),
            ("signed", signed.clone(), C::Signed),
            (
                "plain",
                "From: a@x.example\r\n\r\nhello\r\n".to_owned(),
                C::Plain,
            ),
        ] {
            let seen = Seen::of(&mail, &ReversePath::Null).unwrap().unwrap();
            assert_eq!(seen.client_content(&[]), expected, "{name}");
        }
        let seen = Seen::of(&encrypted, &ReversePath::Null).unwrap().unwrap();
        let certificate = |name| Certificate::read_all(data(name).as_bytes()).unwrap();
        assert_eq!(seen.client_content(&certificate("alice.pem")), C::Encrypted);
        assert_eq!(
            seen.client_content(&certificate("bob.pem")),
            C::EncryptedToOthers
        );
    }
}
