//! Copies of an inbound mail: as it came, decrypted, or a notification cut to headers; always without fields that claim to
//! be ours and with what was found.

use std::sync::Arc;

use sealgate_mail::edit::{Edited, HeaderEdit};
use sealgate_mail::part::Part;
use sealgate_mail::report::cut_returned_content;
use sealgate_mail::smtp::{EnvelopeRecipient, MailParams, Notify, Ret};
use sealgate_mail::{Field, HeaderBlock, Message, Source, Timestamp};
use sealgate_smime::limits::LAYERS;
use sealgate_smime::path::TrustAnchors;
use sealgate_smime::verdict::SignatureVerdict;
use sealgate_smime::verify::{VerifyInput, verify};

use super::open::{Decrypted, shelve_entity};
use super::tags::{Finder, Unwrapped, closed_fields};
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
    };
    let groups = group(work.recipients);
    let copies: Result<_, _> = groups.iter().map(|group| maker.copy(group)).collect();
    Ok((copies?, maker.plain))
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
    };
    let made = maker.as_it_came(&maker.nothing_told())?;
    Ok(Outgoing {
        from: received.from.clone(),
        params: MailParams {
            eight_bit: received.params.eight_bit | made.eight_bit,
            ..without_size(received.params)
        },
        recipients: vec![recipient],
        head: made.head,
        body: made.body,
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
        exact_local_parts: false,
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
}

/// What is told to the recipients of a copy, and what the mail's header takes from inside.
struct Told<'o> {
    /// Fields with the results, with line ends.
    results: String,
    /// Takes forged tags out, where the organisation wants tags.
    cleaner: Option<Cleaner>,
    /// Tags for the Subject.
    tags: String,
    /// The fields that count from inside.
    protected: Option<&'o HeaderBlock>,
    /// Of the signatures that stay on what is delivered, which a change inside would break.
    kept: SignatureVerdict,
}

/// What a copy is made of, before it has recipients.
struct Made {
    head: Vec<u8>,
    body: Body,
    /// Whether what was taken out of an encryption or a signature has octets beyond 7-bit ASCII.
    eight_bit: bool,
}

/// Octets of a content and what takes their place.
pub(super) type Edit = (u64, u64, Vec<u8>);

impl Maker<'_> {
    fn copy(&self, group: &Group<'_>) -> Result<Outgoing, ProcessError> {
        let opened = group.opened.and_then(|place| self.work.opened.get(place));
        let told = self.told(group, opened);
        let received = self.work.received;
        let mut ret = received.params.ret;
        let made = match (group.outcome, opened.and_then(|o| o.entity.as_ref())) {
            (InboundOutcome::DeliverDecrypted, Some(entity)) => {
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
                eight_bit: received.params.eight_bit | made.eight_bit,
                ret,
                ..without_size(received.params)
            },
            recipients: members.map(|one| passed_on(one, encrypted)).collect(),
            head: made.head,
            body: made.body,
            status: self.status(group, opened),
        })
    }

    fn told<'o>(&self, group: &Group<'_>, opened: Option<&'o Opened>) -> Told<'o> {
        let verdicts = opened.map_or(&self.plain, |opened| &opened.verdicts);
        let language = self.work.settings.language;
        let cleaner = self.cleaner();
        let tags = cleaner.iter().map(|_| tags(verdicts, language)).collect();
        // What a signature covers, or what came encrypted: fields outside are worth less than that (RFC 9788 section 4).
        let counts = group.outcome == InboundOutcome::DeliverDecrypted
            || verdicts.signature == SignatureVerdict::Valid;
        Told {
            results: verdicts.fields(self.work.own.authserv_id),
            cleaner,
            tags,
            protected: opened.filter(|_| counts).and_then(|o| o.protected.as_ref()),
            kept: opened.map_or(SignatureVerdict::None, Opened::kept_signature),
        }
    }

    /// For a copy of which nothing is told.
    fn nothing_told(&self) -> Told<'static> {
        Told {
            results: String::new(),
            cleaner: self.cleaner(),
            tags: String::new(),
            protected: None,
            kept: SignatureVerdict::None,
        }
    }

    /// Where tags are written, forged ones are taken out: where they are not, nobody takes one for ours. One for each copy.
    fn cleaner(&self) -> Option<Cleaner> {
        self.work.settings.subject_tags.then(Cleaner::default)
    }

    fn status(&self, group: &Group<'_>, opened: Option<&Opened>) -> MailStatus {
        let signed = opened.is_some_and(|o| o.verdicts.signature != SignatureVerdict::None);
        inbound_status(group.outcome, signed)
    }

    fn is_forged(&self, field: &Field<'_>, header: &HeaderBlock) -> bool {
        is_forged(field, header, self.work.own)
    }

    fn as_it_came(&self, told: &Told<'_>) -> Result<Made, ProcessError> {
        match self.unwrap(self.message, told)? {
            Unwrapped::Harmless => {}
            Unwrapped::Inside(entity) => return self.decrypted(told, &entity),
            Unwrapped::Closed => {
                let whole = self.message.entity();
                let ((), entity) = shelve_entity(self.shelf, |out| whole.write_to(out))?;
                return self.decrypted(told, &entity);
            }
        }
        let prepend = self.work.received.prepend.as_bytes();
        let fields = self.fields(self.message.header(), told);
        let head = head(&[prepend, told.results.as_bytes(), &fields]);
        let edits = self.edits(self.message, self.structure.as_ref(), told)?;
        let body = match self.edited(self.message, edits)? {
            Some(body) => body,
            None => original_body(self.work.received, self.message),
        };
        Ok(Made {
            head,
            body,
            eight_bit: false,
        })
    }

    /// What looks for forged tags in what is delivered; none where they are nobody's business, or the signer's.
    fn finder<'t>(&'t self, told: &'t Told<'_>) -> Option<Finder<'t>> {
        let cleaner = told.cleaner.as_ref()?;
        (told.kept != SignatureVerdict::Valid).then_some(Finder {
            cleaner,
            shelf: self.shelf,
        })
    }

    /// What is to be done with an opaque signature that vouches for nothing.
    fn unwrap(&self, message: &Message<'_>, told: &Told<'_>) -> Result<Unwrapped, ProcessError> {
        self.finder(told)
            .map_or(Ok(Unwrapped::Harmless), |finder| finder.unwrap(message))
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
        match &told.cleaner {
            Some(cleaner) => cleaner.tagged(&HeaderBlock::parse(&fields), &told.tags),
            None => fields,
        }
    }

    /// Outer fields without Content-*, and of the decrypted entity nothing but Content-* and what is protected by RFC 9788
    /// (rows G3 and G4).
    fn decrypted(&self, told: &Told<'_>, entity: &Decrypted) -> Result<Made, ProcessError> {
        let (entity, closed) = self.innermost(told, entity)?;
        let inner = Message::read(entity.content.as_ref())?;
        let outer = HeaderBlock::parse(&self.message.outer_fields());
        let outer = HeaderEdit::new(&outer)
            .remove_named("MIME-Version")
            .finish();
        let mut content_fields = content_fields(&inner);
        if closed {
            content_fields = closed_fields(&HeaderBlock::parse(&content_fields));
        }
        let prepend = self.work.received.prepend.as_bytes();
        let head = head(&[
            prepend,
            told.results.as_bytes(),
            &self.fields(&HeaderBlock::parse(&outer), told),
            b"MIME-Version: 1.0\r\n",
            &content_fields,
        ]);
        let parts = structure(&inner)?;
        let mut edits = self.edits(&inner, parts.as_ref(), told)?;
        if !stays(told.kept) {
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
        Ok(Made {
            head,
            body,
            eight_bit: entity.eight_bit,
        })
    }

    /// The entity, taken out of opaque signatures that hide a forged tag; true if no reader is to open what is left.
    fn innermost(
        &self,
        told: &Told<'_>,
        entity: &Decrypted,
    ) -> Result<(Decrypted, bool), ProcessError> {
        let mut entity = entity.clone();
        for _ in 0..LAYERS {
            let message = Message::read(entity.content.as_ref())?;
            entity = match self.unwrap(&message, told)? {
                Unwrapped::Harmless => return Ok((entity, false)),
                Unwrapped::Inside(inside) => inside,
                Unwrapped::Closed => return Ok((entity, true)),
            };
        }
        let message = Message::read(entity.content.as_ref())?;
        let harmless = matches!(self.unwrap(&message, told)?, Unwrapped::Harmless);
        Ok((entity, !harmless))
    }

    /// A notification about a mail we sent passes with headers only (spec.md section 2).
    fn cut_report(&self) -> Result<Made, ProcessError> {
        let made = self.as_it_came(&self.nothing_told())?;
        let Some(cut) = cut_returned_content(self.message)? else {
            return Ok(made);
        };
        let content = shelve(self.shelf, &cut)?;
        let from = Message::read(content.as_ref())?.body_start();
        Ok(Made {
            body: Body { content, from },
            ..made
        })
    }

    /// What is changed in the headers of parts: forged fields are taken out (row M9), and forged tags where no valid signature
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
        if let Some(finder) = self.finder(told) {
            finder.edits(message.content(), structure, &mut edits)?;
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
pub(super) fn replaced(part: &Part, field: &Field<'_>, new: Vec<u8>) -> Edit {
    let range = field.range();
    let offset = |at: usize| part.range.0.saturating_add(at as u64);
    (offset(range.start), offset(range.end), new)
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
