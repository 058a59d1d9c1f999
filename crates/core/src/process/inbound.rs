//! Copies of an inbound mail: as it came, decrypted, or a notification cut to headers; always without fields that claim to
//! be ours and with what was found.

use std::io::Read;
use std::sync::Arc;

use sealgate_mail::edit::{Edited, HeaderEdit};
use sealgate_mail::limits::HEADER_OCTETS;
use sealgate_mail::part::Part;
use sealgate_mail::report::cut_returned_content;
use sealgate_mail::smtp::{EnvelopeRecipient, MailParams, Notify, Ret};
use sealgate_mail::{Content, Field, HeaderBlock, Message, MessageError, Timestamp};
use sealgate_smime::path::TrustAnchors;
use sealgate_smime::verdict::SignatureVerdict;
use sealgate_smime::verify::{VerifyInput, verify};

use super::open::Decrypted;
use super::{Opened, ProcessError, Received, head, original_body, shelve, without_size};
use crate::header_protection::{honoured, legacy_display};
use crate::journal::{Exemption, MailStatus};
use crate::outcome::InboundOutcome;
use crate::own_header::{Own, Verdicts, is_forged, is_taken_off};
use crate::ports::Shelf;
use crate::queue::{Body, Outgoing};
use crate::settle::inbound_status;
use crate::subject::{Cleaner, tags};
use crate::tenant::Settings;

/// An inbound mail with all that its copies are made of.
#[derive(Clone, Copy)]
pub struct InboundWork<'a> {
    /// The mail.
    pub received: Received<'a>,
    /// Its recipients, settled; those refused get no copy.
    pub recipients: &'a [InboundRecipient],
    /// What opening it found, once for each different key ring; empty for mail without S/MIME.
    pub opened: &'a [Opened],
    /// What tells our own fields from forged ones.
    pub own: Own<'a>,
    /// The organisation's switches.
    pub settings: Settings,
}

/// One recipient, settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundRecipient {
    /// Who.
    pub recipient: EnvelopeRecipient,
    /// What happens.
    pub outcome: InboundOutcome,
    /// Why rules did not decide, where they did not.
    pub exemption: Option<Exemption>,
    /// What opening it with this recipient's ring found, by its place in [`InboundWork::opened`].
    pub opened: Option<usize>,
}

/// The recipients of one copy.
struct Group<'a> {
    outcome: InboundOutcome,
    exemption: Option<Exemption>,
    opened: Option<usize>,
    members: Vec<&'a InboundRecipient>,
}

/// Makes the copies of an inbound mail; none for refused recipients.
///
/// # Errors
/// Failures of our own, and what is beyond the limits.
pub fn inbound(work: &InboundWork<'_>, shelf: &dyn Shelf) -> Result<Vec<Outgoing>, ProcessError> {
    inbound_plain(work, shelf).map(|(copies, _)| copies)
}

/// The same, with what is said of the mail to recipients it was not opened for, for the journal: `partial` if a part of it
/// is signed (rows C7, G7).
///
/// # Errors
/// As of [`inbound`].
pub fn inbound_plain(
    work: &InboundWork<'_>,
    shelf: &dyn Shelf,
) -> Result<(Vec<Outgoing>, Verdicts), ProcessError> {
    let message = Message::read(work.received.content.as_ref())?;
    let structure = structure(&message)?;
    let unopened = work.recipients.iter().any(|one| one.opened.is_none());
    let plain = match &structure {
        Some(structure) if unopened => plain_verdicts(&message, structure)?,
        _ => Verdicts::default(),
    };
    let maker = Maker {
        work,
        message: &message,
        structure,
        plain,
        shelf,
        cleaner: cleaner(work.settings),
    };
    let groups = group(work.recipients);
    let copies: Result<_, _> = groups.iter().map(|group| maker.copy(group)).collect();
    Ok((copies?, maker.plain))
}

/// Where tags are written, forged ones are taken out.
fn cleaner(settings: Settings) -> Option<Cleaner> {
    settings.subject_tags.then(Cleaner::default)
}

/// The parts of a multipart, or of a mail attached as the whole content; none for any other mail, which has none to look
/// into. What is too deep to look into is refused rather than passed on unseen.
fn structure(message: &Message<'_>) -> Result<Option<Part>, ProcessError> {
    let media = message.content_type();
    if media.boundary().is_none() && media.kind() != "message" {
        return Ok(None);
    }
    Ok(Some(message.structure()?))
}

/// The mail as it came, for one recipient: what is held. What claims to be ours in it is taken off, because it may be
/// released (row M9).
///
/// # Errors
/// Failures of our own, and a header beyond the limits.
pub fn as_it_came(
    received: Received<'_>,
    recipient: EnvelopeRecipient,
    own: Own<'_>,
    settings: Settings,
    shelf: &dyn Shelf,
) -> Result<Outgoing, ProcessError> {
    let message = Message::read(received.content.as_ref())?;
    let work = InboundWork {
        received,
        recipients: &[],
        opened: &[],
        own,
        settings,
    };
    let maker = Maker {
        work: &work,
        // A mail with too many parts to look into was answered with 250 all the same: it must be held, not lost.
        structure: match structure(&message) {
            Err(ProcessError::Message(_)) => None,
            other => other?,
        },
        message: &message,
        plain: Verdicts::default(),
        shelf,
        cleaner: cleaner(settings),
    };
    let (head, body) = maker.as_it_came(&Told::default())?;
    Ok(Outgoing {
        from: received.from.clone(),
        params: without_size(received.params),
        recipients: vec![recipient],
        head,
        body,
        status: MailStatus::Failed,
    })
}

/// What is said of a mail that is not S/MIME as a whole: `partial` if a part of it is signed (row C7), else nothing.
fn plain_verdicts(message: &Message<'_>, structure: &Part) -> Result<Verdicts, ProcessError> {
    let may_be_smime = |part: &&Part| {
        let media = &part.content_type;
        media.is("multipart", "signed")
            || (media.kind() == "application" && {
                let subtype = media.subtype();
                subtype.contains("pkcs7") || subtype == "octet-stream"
            })
    };
    if !structure.all().iter().any(may_be_smime) {
        return Ok(Verdicts::default());
    }
    // The parts' signatures are not judged, so that neither roots nor time matter.
    let input = VerifyInput {
        anchors: &TrustAnchors::default(),
        at: Timestamp(0),
        from: None,
        date: None,
        known: &[],
        switches: sealgate_smime::algorithms::Switches::default(),
    };
    let signature = match verify(message, &input)?.verdict {
        SignatureVerdict::Partial => SignatureVerdict::Partial,
        _ => SignatureVerdict::None,
    };
    Ok(Verdicts {
        signature,
        ..Verdicts::default()
    })
}

fn group(recipients: &[InboundRecipient]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for recipient in recipients {
        if matches!(recipient.outcome, InboundOutcome::Refuse(_)) {
            continue;
        }
        let same = |group: &&mut Group<'_>| {
            group.outcome == recipient.outcome
                && group.exemption == recipient.exemption
                && group.opened == recipient.opened
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.members.push(recipient),
            None => groups.push(Group {
                outcome: recipient.outcome,
                exemption: recipient.exemption,
                opened: recipient.opened,
                members: vec![recipient],
            }),
        }
    }
    groups
}

/// What copies are made of.
struct Maker<'m> {
    work: &'m InboundWork<'m>,
    message: &'m Message<'m>,
    structure: Option<Part>,
    /// What is said to recipients the mail was not opened for.
    plain: Verdicts,
    shelf: &'m dyn Shelf,
    /// Takes forged tags out, where the organisation wants tags.
    cleaner: Option<Cleaner>,
}

/// What is told to the recipients of a copy, and what the mail's header takes from inside.
#[derive(Default)]
struct Told<'o> {
    /// Fields with the results, with line ends.
    results: String,
    /// Tags for the Subject.
    tags: String,
    /// The fields that count from inside.
    protected: Option<&'o HeaderBlock>,
    /// Whether a signature stays on what is delivered, which a change inside would break.
    signed: bool,
}

/// Octets of a content and what takes their place.
type Edit = (u64, u64, Vec<u8>);

impl Maker<'_> {
    fn copy(&self, group: &Group<'_>) -> Result<Outgoing, ProcessError> {
        let opened = group.opened.and_then(|place| self.work.opened.get(place));
        let told = self.told(group, opened);
        let received = self.work.received;
        let (mut eight_bit, mut ret) = (received.params.eight_bit, received.params.ret);
        let (head, body) = match (group.outcome, opened.and_then(|o| o.entity.as_ref())) {
            (InboundOutcome::DeliverDecrypted, Some(entity)) => {
                eight_bit |= entity.eight_bit;
                // Nobody further on returns what was decrypted (row M8).
                ret = Some(Ret::Headers);
                self.decrypted(&told, entity)?
            }
            (InboundOutcome::DeliverDecrypted, None) => {
                // The caller settles anew what did not open; nothing is delivered under a wrong name.
                let text = "settled as decrypted, but not decrypted";
                return Err(ProcessError::Io(std::io::Error::other(text)));
            }
            _ if group.exemption == Some(Exemption::Report) => self.cut_report()?,
            _ => self.as_it_came(&told)?,
        };
        let encrypted = matches!(
            group.outcome,
            InboundOutcome::DeliverDecrypted | InboundOutcome::DeliverEncrypted
        );
        let members = group.members.iter().map(|member| &member.recipient);
        Ok(Outgoing {
            from: received.from.clone(),
            params: MailParams {
                eight_bit,
                ret,
                ..without_size(received.params)
            },
            recipients: members.map(|one| passed_on(one, encrypted)).collect(),
            head,
            body,
            status: self.status(group, opened),
        })
    }

    fn told<'o>(&self, group: &Group<'_>, opened: Option<&'o Opened>) -> Told<'o> {
        let verdicts = opened.map_or(&self.plain, |opened| &opened.verdicts);
        let language = self.work.settings.language;
        let tags = self.cleaner.iter().map(|_| tags(verdicts, language));
        // What a signature covers, or what came encrypted: fields outside are worth less than that (RFC 9788 section 4).
        let counts = group.outcome == InboundOutcome::DeliverDecrypted
            || verdicts.signature == SignatureVerdict::Valid;
        let kept = opened.map_or(SignatureVerdict::None, Opened::kept_signature);
        Told {
            results: verdicts.fields(self.work.own.authserv_id),
            tags: tags.collect(),
            protected: opened.filter(|_| counts).and_then(|o| o.protected.as_ref()),
            signed: stays(kept),
        }
    }

    fn status(&self, group: &Group<'_>, opened: Option<&Opened>) -> MailStatus {
        let signed = opened.is_some_and(|o| o.verdicts.signature != SignatureVerdict::None);
        inbound_status(group.outcome, signed)
    }

    fn is_forged(&self, field: &Field<'_>, header: &HeaderBlock) -> bool {
        is_forged(field, header, self.work.own)
    }

    fn as_it_came(&self, told: &Told<'_>) -> Result<(Vec<u8>, Body), ProcessError> {
        let prepend = self.work.received.prepend.as_bytes();
        let fields = self.fields(self.message.header(), told);
        let head = head(&[prepend, told.results.as_bytes(), &fields]);
        let edits = self.edits(self.message, self.structure.as_ref(), told)?;
        let body = match self.edited(self.message, edits)? {
            Some(body) => body,
            None => original_body(self.work.received, self.message),
        };
        Ok((head, body))
    }

    /// The mail's own fields: without forged ones, with those that count from inside, with tags.
    fn fields(&self, header: &HeaderBlock, told: &Told<'_>) -> Vec<u8> {
        let own = self.work.own;
        let mut fields = HeaderEdit::new(header)
            .remove(|field| is_taken_off(field, header, own))
            .finish();
        if let Some(protected) = told.protected {
            fields = honoured(&HeaderBlock::parse(&fields), protected);
        }
        match &self.cleaner {
            Some(cleaner) => cleaner.tagged(&HeaderBlock::parse(&fields), &told.tags),
            None => fields,
        }
    }

    /// Outer fields without Content-*, and of the decrypted entity nothing but Content-* and what is protected by RFC 9788
    /// (rows G3 and G4).
    fn decrypted(
        &self,
        told: &Told<'_>,
        entity: &Decrypted,
    ) -> Result<(Vec<u8>, Body), ProcessError> {
        let inner = Message::read(entity.content.as_ref())?;
        let outer = HeaderBlock::parse(&self.message.outer_fields());
        let outer = HeaderEdit::new(&outer)
            .remove_named("MIME-Version")
            .finish();
        let prepend = self.work.received.prepend.as_bytes();
        let head = head(&[
            prepend,
            told.results.as_bytes(),
            &self.fields(&HeaderBlock::parse(&outer), told),
            b"MIME-Version: 1.0\r\n",
            &content_fields(&inner),
        ]);
        let parts = structure(&inner)?;
        let mut edits = self.edits(&inner, parts.as_ref(), told)?;
        if !told.signed {
            let shown = legacy_display(inner.content(), &inner.structure()?)?;
            edits.extend(
                shown
                    .into_iter()
                    .map(|(start, end)| (start, end, Vec::new())),
            );
        }
        let edited = self.edited(&inner, edits)?;
        let body = edited.unwrap_or(Body {
            content: Arc::clone(&entity.content),
            from: inner.body_start(),
        });
        Ok((head, body))
    }

    /// A notification about a mail we sent passes with headers only (spec.md section 2).
    fn cut_report(&self) -> Result<(Vec<u8>, Body), ProcessError> {
        let (head, body) = self.as_it_came(&Told::default())?;
        let Some(cut) = cut_returned_content(self.message)? else {
            return Ok((head, body));
        };
        let content = shelve(self.shelf, &cut)?;
        let from = Message::read(content.as_ref())?.body_start();
        Ok((head, Body { content, from }))
    }

    /// What is changed in the headers of parts: forged fields are taken out (row M9), and forged tags where no signature
    /// covers them (row G1).
    fn edits(
        &self,
        message: &Message<'_>,
        structure: Option<&Part>,
        told: &Told<'_>,
    ) -> Result<Vec<Edit>, ProcessError> {
        let mut edits = Vec::new();
        let Some(structure) = structure else {
            return Ok(edits);
        };
        self.find_forged(structure, &mut edits);
        if let Some(cleaner) = self.cleaner.as_ref().filter(|_| !told.signed) {
            find_forged_tags(cleaner, message.content(), structure, true, &mut edits)?;
        }
        Ok(edits)
    }

    /// The body of `message` with these changes, none of which lies in its header; none if there is no change, so that it
    /// stays where it is.
    fn edited(
        &self,
        message: &Message<'_>,
        mut edits: Vec<Edit>,
    ) -> Result<Option<Body>, ProcessError> {
        if edits.is_empty() {
            return Ok(None);
        }
        edits.sort_by_key(|(start, ..)| *start);
        let mut edited = Edited::new(message.content());
        for (start, end, new) in edits {
            edited.replace(start, end, new);
        }
        // Only parts changed, which lie behind the header.
        Ok(Some(Body {
            content: shelve(self.shelf, &edited)?,
            from: message.body_start(),
        }))
    }

    /// The forged fields in the headers of the parts below `part`. The header of a mail that is attached is content and
    /// stays. As deep as the structure goes, which is limited.
    fn find_forged(&self, part: &Part, found: &mut Vec<Edit>) {
        for child in part.children.iter().filter(|_| !part.is_message()) {
            let fields = child.header.fields();
            for field in fields.filter(|field| self.is_forged(field, &child.header)) {
                found.push(replaced(child, &field, Vec::new()));
            }
            self.find_forged(child, found);
        }
    }
}

/// A field of a part with what takes its place.
fn replaced(part: &Part, field: &Field<'_>, new: Vec<u8>) -> Edit {
    let range = field.range();
    let offset = |at: usize| part.range.0.saturating_add(at as u64);
    (offset(range.start), offset(range.end), new)
}

/// The subjects with forged tags in the headers of parts and of attached mails. What lies in a signature of its own is left
/// to it, unless it is the whole, whose signature was judged.
fn find_forged_tags(
    cleaner: &Cleaner,
    content: &dyn Content,
    part: &Part,
    whole: bool,
    found: &mut Vec<Edit>,
) -> Result<(), ProcessError> {
    if part.content_type.is("multipart", "signed") && !whole {
        return Ok(());
    }
    for child in &part.children {
        for field in child.header.fields() {
            if let Some(new) = cleaner.cleaned_field(&field) {
                found.push(replaced(child, &field, new.into_bytes()));
            }
        }
        if hides_forged_tag(cleaner, content, child)? {
            found.extend(closed(child));
        }
        find_forged_tags(cleaner, content, child, false, found)?;
    }
    Ok(())
}

/// Whether the part is an attached mail with a forged tag in a form that is not looked into: encoded, against RFC 2046
/// section 5.2.1, but shown by some readers.
fn hides_forged_tag(
    cleaner: &Cleaner,
    content: &dyn Content,
    part: &Part,
) -> Result<bool, ProcessError> {
    let media = &part.content_type;
    let is_mail = media.is("message", "rfc822") || media.is("message", "global");
    if !is_mail || part.is_message() {
        return Ok(false);
    }
    let mut start = Vec::new();
    let decoded = part.decoded(content)?;
    decoded.take(HEADER_OCTETS as u64).read_to_end(&mut start)?;
    let attached = match Message::read(&start) {
        Err(MessageError::Io(error)) => return Err(ProcessError::Io(error)),
        Err(_) => return Ok(true),
        Ok(attached) => attached,
    };
    let Ok(structure) = attached.structure() else {
        return Ok(true);
    };
    let parts = structure.all();
    let mut fields = parts.iter().flat_map(|part| part.header.fields());
    Ok(fields.any(|field| cleaner.cleaned_field(&field).is_some()))
}

/// What makes a part one that no reader shows as a mail (RFC 2045 section 6.4).
fn closed(part: &Part) -> Vec<Edit> {
    let other = b"Content-Type: application/octet-stream\r\n";
    let named = part.header.all("Content-Type");
    let mut edits: Vec<Edit> = named
        .map(|field| replaced(part, &field, Vec::new()))
        .collect();
    edits.push((part.range.0, part.range.0, other.to_vec()));
    edits
}

/// Whether a signature with this verdict is worth keeping whole: one that is broken or not there is not.
const fn stays(verdict: SignatureVerdict) -> bool {
    !matches!(
        verdict,
        SignatureVerdict::None | SignatureVerdict::Partial | SignatureVerdict::Broken
    )
}

/// The Content-* fields of a decrypted entity; one with a control character that no field holds is left out.
fn content_fields(inner: &Message<'_>) -> Vec<u8> {
    let header = HeaderBlock::parse(&inner.entity_fields());
    let sound = |field: &Field<'_>| {
        let value = field.value();
        !value.iter().any(|b| b.is_ascii_control() && *b != b'\t')
    };
    HeaderEdit::new(&header)
        .remove(|field| !sound(field))
        .finish()
}

/// NOTIFY=SUCCESS on encrypted mail is answered by us on acceptance (spec.md section 2), so it is not passed on.
fn passed_on(recipient: &EnvelopeRecipient, encrypted: bool) -> EnvelopeRecipient {
    let notify = Notify {
        success: recipient.notify.success && !encrypted,
        ..recipient.notify
    };
    EnvelopeRecipient {
        notify,
        ..recipient.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealgate_mail::Address;

    #[test]
    fn success_on_encrypted_mail_is_told_by_us_alone() {
        let recipient = EnvelopeRecipient {
            address: Address::parse("us@we.example").unwrap(),
            notify: Notify {
                success: true,
                ..Notify::default()
            },
            orcpt: None,
        };
        assert_eq!(passed_on(&recipient, false), recipient);
        let passed = passed_on(&recipient, true);
        assert!(!passed.notify.success && passed.notify.failure);
    }
}
