//! Copies of an inbound mail: as it came, decrypted, or a notification cut to headers; always without fields that claim to
//! be ours and with what was found.

use std::sync::Arc;

use sealgate_mail::edit::{Edited, HeaderEdit};
use sealgate_mail::part::Part;
use sealgate_mail::report::cut_returned_content;
use sealgate_mail::smtp::{EnvelopeRecipient, MailParams, Notify, Ret};
use sealgate_mail::{Content, Field, HeaderBlock, Message, Timestamp};
use sealgate_smime::path::TrustAnchors;
use sealgate_smime::verdict::SignatureVerdict;
use sealgate_smime::verify::{VerifyInput, verify};

use super::open::Decrypted;
use super::{Opened, ProcessError, Received, head, original_body, shelve, without_size};
use crate::journal::{Exemption, MailStatus};
use crate::outcome::InboundOutcome;
use crate::own_header::{Own, Verdicts, is_forged, is_taken_off};
use crate::ports::Shelf;
use crate::queue::{Body, Outgoing};
use crate::settle::inbound_status;

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
pub fn inbound(work: &InboundWork<'_>, shelf: &dyn Shelf) -> Result<Vec<Outgoing>, ProcessError> {
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
    groups.iter().map(|group| maker.copy(group)).collect()
}

/// The parts of a multipart; none for any other mail, which has none to look into. What is too deep to look into is refused
/// rather than passed on unseen.
fn structure(message: &Message<'_>) -> Result<Option<Part>, ProcessError> {
    match message.content_type().boundary() {
        Some(_) => Ok(Some(message.structure()?)),
        None => Ok(None),
    }
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
    shelf: &dyn Shelf,
) -> Result<Outgoing, ProcessError> {
    let message = Message::read(received.content.as_ref())?;
    let work = InboundWork {
        received,
        recipients: &[],
        opened: &[],
        own,
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
    let (head, body) = maker.as_it_came("")?;
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
///
/// # Errors
/// Failures of our own, and what is beyond the limits.
pub fn partial_verdicts(content: &dyn Content) -> Result<Verdicts, ProcessError> {
    let message = Message::read(content)?;
    match structure(&message)? {
        Some(structure) => plain_verdicts(&message, &structure),
        None => Ok(Verdicts::default()),
    }
}

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
}

impl Maker<'_> {
    fn copy(&self, group: &Group<'_>) -> Result<Outgoing, ProcessError> {
        let opened = group.opened.and_then(|place| self.work.opened.get(place));
        let verdicts = opened.map_or(&self.plain, |opened| &opened.verdicts);
        let results = verdicts.fields(self.work.own.authserv_id);
        let received = self.work.received;
        let (mut eight_bit, mut ret) = (received.params.eight_bit, received.params.ret);
        let (head, body) = match (group.outcome, opened.and_then(|o| o.entity.as_ref())) {
            (InboundOutcome::DeliverDecrypted, Some(entity)) => {
                eight_bit |= entity.eight_bit;
                // Nobody further on returns what was decrypted (row M8).
                ret = Some(Ret::Headers);
                self.decrypted(&results, entity)?
            }
            (InboundOutcome::DeliverDecrypted, None) => {
                // The caller settles anew what did not open; nothing is delivered under a wrong name.
                let text = "settled as decrypted, but not decrypted";
                return Err(ProcessError::Io(std::io::Error::other(text)));
            }
            _ if group.exemption == Some(Exemption::Report) => self.cut_report()?,
            _ => self.as_it_came(&results)?,
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

    fn status(&self, group: &Group<'_>, opened: Option<&Opened>) -> MailStatus {
        let signed = opened.is_some_and(|o| o.verdicts.signature != SignatureVerdict::None);
        inbound_status(group.outcome, signed)
    }

    fn is_forged(&self, field: &Field<'_>, header: &HeaderBlock) -> bool {
        is_forged(field, header, self.work.own)
    }

    fn as_it_came(&self, results: &str) -> Result<(Vec<u8>, Body), ProcessError> {
        let header = self.message.header();
        let kept =
            HeaderEdit::new(header).remove(|field| is_taken_off(field, header, self.work.own));
        let prepend = self.work.received.prepend.as_bytes();
        let head = head(&[prepend, results.as_bytes(), &kept.finish()]);
        let body = match self.without_forged_parts(self.message, self.structure.as_ref())? {
            Some(body) => body,
            None => original_body(self.work.received, self.message),
        };
        Ok((head, body))
    }

    /// Outer fields without Content-*, and of the decrypted entity nothing but Content-* (rows G3 and G4).
    fn decrypted(
        &self,
        results: &str,
        entity: &Decrypted,
    ) -> Result<(Vec<u8>, Body), ProcessError> {
        let inner = Message::read(entity.content.as_ref())?;
        let header = self.message.header();
        let outer = HeaderBlock::parse(&self.message.outer_fields());
        let own = self.work.own;
        let kept = HeaderEdit::new(&outer)
            .remove(|field| is_taken_off(field, header, own) || field.is("MIME-Version"));
        let prepend = self.work.received.prepend.as_bytes();
        let inner_fields = content_fields(&inner);
        let head = head(&[
            prepend,
            results.as_bytes(),
            &kept.finish(),
            b"MIME-Version: 1.0\r\n",
            &inner_fields,
        ]);
        let parts = structure(&inner)?;
        let without_forged = self.without_forged_parts(&inner, parts.as_ref())?;
        let body = without_forged.unwrap_or(Body {
            content: Arc::clone(&entity.content),
            from: inner.body_start(),
        });
        Ok((head, body))
    }

    /// A notification about a mail we sent passes with headers only (spec.md section 2).
    fn cut_report(&self) -> Result<(Vec<u8>, Body), ProcessError> {
        let (head, body) = self.as_it_came("")?;
        let Some(cut) = cut_returned_content(self.message)? else {
            return Ok((head, body));
        };
        let content = shelve(self.shelf, &cut)?;
        let from = Message::read(content.as_ref())?.body_start();
        Ok((head, Body { content, from }))
    }

    /// The body of `message` with forged fields taken out of the headers of its parts (row M9); none if there are none, so
    /// that it stays where it is. The header of a mail that is attached is content and stays.
    fn without_forged_parts(
        &self,
        message: &Message<'_>,
        structure: Option<&Part>,
    ) -> Result<Option<Body>, ProcessError> {
        let Some(structure) = structure else {
            return Ok(None);
        };
        let mut forged = Vec::new();
        self.find_forged(structure, &mut forged);
        if forged.is_empty() {
            return Ok(None);
        }
        let mut edited = Edited::new(message.content());
        for (start, end) in forged {
            edited.replace(start, end, Vec::new());
        }
        // Only parts changed, which lie behind the header.
        Ok(Some(Body {
            content: shelve(self.shelf, &edited)?,
            from: message.body_start(),
        }))
    }

    /// Where forged fields lie in the headers of the parts below `part`, in order. As deep as the structure goes, which is
    /// limited.
    fn find_forged(&self, part: &Part, found: &mut Vec<(u64, u64)>) {
        for child in part.children.iter().filter(|_| !part.is_message()) {
            let fields = child.header.fields();
            for field in fields.filter(|field| self.is_forged(field, &child.header)) {
                let range = field.range();
                let offset = |at: usize| child.range.0.saturating_add(at as u64);
                found.push((offset(range.start), offset(range.end)));
            }
            self.find_forged(child, found);
        }
    }
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
