//! Challenge mails of ACME authorities (RFC 8823): which mail is the challenge of an order of ours, and the mail that
//! answers it.
//!
//! A mail is a challenge only if all of RFC 8823 section 3.1 holds and an order of that mailbox waits for it. Everything
//! else is ordinary mail, decided by the rules as if there were no ACME.

use std::io::Write;

use rand_core::CryptoRng;
use sealgate_mail::address_list::parse_mailboxes;
use sealgate_mail::id::new_message_id;
use sealgate_mail::smtp::{EnvelopeRecipient, MailParams, Notify};
use sealgate_mail::{Address, HeaderBlock, Message, ReversePath, Timestamp};
use sealgate_smime::algorithms::DigestAlgorithm;
use sealgate_smime::aws::Digest;
use serde::{Deserialize, Serialize};

use crate::authority::OrderId;
use crate::journal::MailStatus;
use crate::limits::{CHALLENGE_ANSWERS, CHALLENGE_MESSAGE_ID_OCTETS, CHALLENGE_TOKEN_CHARS};
use crate::ports::Shelf;
use crate::process::ProcessError;
use crate::queue::{Body, Outgoing};

/// What the subject begins with (RFC 8823 section 3.1).
const LABEL: &str = "ACME:";
/// Base64url characters of 128 bits, the least a part of the token may have (RFC 8823 section 3).
const TOKEN_LEAST_CHARS: usize = 22;
/// The fields that a DKIM signature must cover where a challenge mail has them (RFC 8823 section 3.1).
const COVERED: [&str; 13] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "In-Reply-To",
    "References",
    "Message-ID",
    "Auto-Submitted",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// What the authority said of the challenge of one order. The connector keeps it in its notes, under `expected`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// From whom the challenge mail comes: `from` of the challenge object.
    pub from: Address,
    /// The part of the token that came over HTTPS.
    pub token: String,
    /// Thumbprint of the account's key (RFC 7638), in base64url.
    pub thumbprint: String,
}

/// An order that waits for its challenge mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    /// Its number.
    pub order: OrderId,
    /// What the authority said; none while it is being asked.
    pub expected: Option<Expected>,
    /// Whether its authority's challenges count without a signature.
    pub unsigned: bool,
    /// The part of the token that came by mail and was answered last.
    pub answered: Option<String>,
    /// How many were answered so far.
    pub answers: u32,
}

/// What a mail that may be a challenge says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeMail {
    /// The part of the token in its subject, as written, without blanks.
    pub token: String,
    /// From.
    pub from: Address,
    /// To.
    pub to: Address,
    /// Reply-To.
    pub reply_to: Option<Address>,
    /// Message-ID with its brackets.
    pub message_id: Option<String>,
    /// Whether Auto-Submitted says that it was generated; none where there is no such field.
    pub generated: Option<bool>,
}

/// What a mail is to an open order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// Ordinary mail.
    Ordinary,
    /// It cannot be said yet: the authority is just being asked for the challenge. The client is to come again.
    NotYet,
    /// All but the proof is there; an S/MIME signature, which is judged after the 250, may bring it.
    Unproven,
    /// The challenge, to be answered.
    Challenge,
    /// The challenge, once more: it was the last to be answered.
    Again,
}

/// Whether the subject is that of a challenge; only then the store is asked for orders.
pub fn looks_like(header: &HeaderBlock) -> bool {
    token(header).is_some()
}

/// Reads what a mail for one envelope recipient says, if it has the form of a challenge (RFC 8823 section 3.1).
pub fn read(header: &HeaderBlock, recipients: &[EnvelopeRecipient]) -> Option<ChallengeMail> {
    let [recipient] = recipients else { return None };
    let mail = fields(header)?;
    (mail.to == recipient.address).then_some(mail)
}

/// The same from a header alone, as a signature protects it.
fn fields(header: &HeaderBlock) -> Option<ChallengeMail> {
    let token = token(header)?;
    // What some readers see and others do not must not decide whose mail it is.
    if header.has_malformed() || header.has_obsolete_name() {
        return None;
    }
    if COVERED.iter().any(|name| header.count(name) > 1) {
        return None;
    }
    let reply_to = match header.first("Reply-To") {
        Some(_) => Some(single(header, "Reply-To")?),
        None => None,
    };
    Some(ChallengeMail {
        token,
        from: single(header, "From")?,
        to: single(header, "To")?,
        reply_to,
        message_id: message_id(header),
        generated: header.first("Auto-Submitted").map(|field| {
            let value = String::from_utf8_lossy(&field.value()).into_owned();
            let word = value.split(';').next().unwrap_or_default();
            // RFC 3834 section 5; parameters such as type=acme may follow.
            word.trim().eq_ignore_ascii_case("auto-generated")
        }),
    })
}

/// The only address of the only field of that name.
fn single(header: &HeaderBlock, name: &str) -> Option<Address> {
    let mut fields = header.all(name);
    let (field, None) = (fields.next()?, fields.next()) else {
        return None;
    };
    let mut mailboxes = parse_mailboxes(&field.value()).ok()?;
    let only = mailboxes.pop()?;
    mailboxes.is_empty().then_some(only.address)
}

/// One msg-id, as an answer may name it (RFC 5322 section 3.6.4).
fn message_id(header: &HeaderBlock) -> Option<String> {
    let value = header.first("Message-ID")?.value().into_owned();
    let id = String::from_utf8(value).ok()?.trim().to_owned();
    let inner = id.strip_prefix('<')?.strip_suffix('>')?;
    let sound = inner
        .bytes()
        .all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>'));
    (sound && inner.contains('@') && id.len() <= CHALLENGE_MESSAGE_ID_OCTETS).then_some(id)
}

/// token-part1 of the only subject: `ACME: <token-part1>`, blanks within it ignored (RFC 8823 section 3.1).
fn token(header: &HeaderBlock) -> Option<String> {
    let mut subjects = header.all("Subject");
    let (subject, None) = (subjects.next()?, subjects.next()) else {
        return None;
    };
    let value = subject.value();
    let start = value.trim_ascii_start();
    // Most mail ends here.
    if !(start.starts_with(b"A") || start.starts_with(b"=?")) || !charsets_allowed(&value) {
        return None;
    }
    let text = subject.decoded();
    let rest = text.trim_start().strip_prefix(LABEL)?;
    let token: String = rest
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .take(CHALLENGE_TOKEN_CHARS.saturating_add(1))
        .collect();
    is_token(&token).then_some(token)
}

/// RFC 8823 section 3.1: encoded words of a challenge's subject are in UTF-8 or US-ASCII.
fn charsets_allowed(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    text.split("=?").skip(1).all(|word| {
        let charset = word.split(['?', '*']).next().unwrap_or_default();
        matches!(charset, "utf-8" | "us-ascii")
    })
}

/// Whether it is base64url, with or without padding, of 128 bits or more (RFC 8823 section 3).
pub fn is_token(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    let padding = text.len().saturating_sub(bare.len());
    (TOKEN_LEAST_CHARS..=CHALLENGE_TOKEN_CHARS).contains(&bare.len())
        && padding <= 2
        && bare
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Whether a good DKIM signature with these `d=` and `h=` proves a challenge mail (RFC 8823 section 3.1): the domain is
/// that of From or lies above it, as DMARC aligns it (RFC 7489 section 3.1.1), and every field named there that the mail
/// has is covered.
pub fn dkim_proves(header: &HeaderBlock, domain: &str, covered: &[String]) -> bool {
    let Some(from) = single(header, "From") else {
        return false;
    };
    let (from, domain) = (from.domain().as_str(), domain.trim_end_matches('.'));
    let above = from
        .strip_suffix(domain)
        .is_some_and(|rest| rest.ends_with('.'));
    let aligned = domain.contains('.') && (from.eq_ignore_ascii_case(domain) || above);
    let covers = |name: &&str| covered.iter().any(|one| one.eq_ignore_ascii_case(name));
    aligned
        && COVERED
            .iter()
            .filter(|name| header.count(name) > 0)
            .all(covers)
}

/// Whether what a valid S/MIME signature protects is what the outer header says (RFC 8823 section 3.1: S/MIME challenges
/// have their header protected).
pub fn smime_proves(mail: &ChallengeMail, protected: &HeaderBlock) -> bool {
    fields(protected).is_some_and(|inner| {
        (&inner.token, &inner.from, &inner.to, &inner.reply_to)
            == (&mail.token, &mail.from, &mail.to, &mail.reply_to)
    })
}

/// What a mail is to an open order of the mailbox in its To field. `proven`: a signature verified.
pub fn recognise(mail: &ChallengeMail, open: &OpenOrder, proven: bool) -> Recognition {
    let Some(expected) = &open.expected else {
        return Recognition::NotYet;
    };
    let generated = mail.generated.unwrap_or(open.unsigned);
    // RFC 8823 binds the part that comes by mail to no order: one of an order given up, or of somebody else's, looks the same.
    let again = open.answered.as_ref() == Some(&mail.token);
    let too_many = !again && open.answers >= CHALLENGE_ANSWERS;
    // Unsigned, anybody may have written it: then nothing is sent to where the authority does not write from.
    let elsewhere = mail
        .reply_to
        .as_ref()
        .is_some_and(|to| to.domain() != mail.from.domain());
    match () {
        () if mail.from != expected.from || !generated || too_many => Recognition::Ordinary,
        () if !proven && (!open.unsigned || elsewhere) => Recognition::Unproven,
        () if again => Recognition::Again,
        () => Recognition::Challenge,
    }
}

/// What an answer is made of.
#[derive(Clone, Copy, Debug)]
pub struct AnswerInput<'a> {
    /// The challenge.
    pub mail: &'a ChallengeMail,
    /// What the authority said of it.
    pub expected: &'a Expected,
    /// Now.
    pub now: Timestamp,
}

/// An answer: a whole mail, not sent yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// From: the mailbox that a certificate is ordered for.
    pub from: Address,
    /// To: Reply-To of the challenge, or its From.
    pub to: Address,
    /// Its Message-ID.
    pub message_id: String,
    /// Its header block without the blank line.
    pub head: Vec<u8>,
    /// Its body.
    pub body: Vec<u8>,
}

/// The answer to a challenge (RFC 8823 section 3.2), still without a DKIM signature.
pub fn answer(input: &AnswerInput<'_>, rng: &mut dyn CryptoRng) -> Answer {
    let AnswerInput {
        mail,
        expected,
        now,
    } = *input;
    let to = mail.reply_to.as_ref().unwrap_or(&mail.from);
    let message_id = new_message_id(mail.to.domain(), rng);
    let thread = mail.message_id.as_ref().map(|id| {
        // RFC 5322 section 3.6.4.
        format!("In-Reply-To: {id}\r\nReferences: {id}\r\n")
    });
    // The subject stays on one line: servers look for the token as it is.
    let head = format!(
        "From: {}\r\nTo: {to}\r\nSubject: Re: {LABEL} {}\r\nDate: {}\r\nMessage-ID: {message_id}\r\n{}\
         Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\
         Content-Transfer-Encoding: 7bit\r\n",
        mail.to,
        mail.token,
        now.rfc5322(),
        thread.unwrap_or_default(),
    );
    let body = format!(
        "This mail answers a request to prove that its sender's mailbox may have an\r\n\
         S/MIME certificate. It was written by a mail gateway.\r\n\r\n\
         -----BEGIN ACME RESPONSE-----\r\n{}\r\n-----END ACME RESPONSE-----\r\n",
        digest(&mail.token, expected)
    );
    Answer {
        from: mail.to.clone(),
        to: to.clone(),
        message_id,
        head: head.into_bytes(),
        body: body.into_bytes(),
    }
}

/// SHA-256 of the key authorization (RFC 8555 section 8.1) of both parts of the token, in base64url (RFC 8823 section 3).
fn digest(token: &str, expected: &Expected) -> String {
    let authorization = format!("{token}{}.{}", expected.token, expected.thumbprint);
    base64url(&Digest::of(
        DigestAlgorithm::Sha256,
        authorization.as_bytes(),
    ))
}

/// Base64url without padding (RFC 4648 section 5), as ACME writes all octets.
pub fn base64url(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(octets.len().div_ceil(3).saturating_mul(4));
    for chunk in octets.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = (at(0) << 16) | (at(1) << 8) | at(2);
        for digit in 0..=chunk.len() {
            let index = (bits >> (18usize.saturating_sub(digit.saturating_mul(6)))) & 63;
            let letter = usize::try_from(index).ok().and_then(|i| ALPHABET.get(i));
            text.extend(letter.map(|letter| char::from(*letter)));
        }
    }
    text
}

impl Answer {
    /// Makes it ready to be sent, still without a DKIM signature. Nobody is told of its fate but the order it belongs to.
    ///
    /// # Errors
    /// Failures of our own storage.
    pub fn outgoing(&self, shelf: &dyn Shelf) -> Result<Outgoing, ProcessError> {
        let head = [&self.head[..], b"\r\n"].concat();
        let mut draft = shelf.create()?;
        draft.write_all(&head)?;
        draft.write_all(&self.body)?;
        let content = draft.finish()?;
        let from = Message::read(content.as_ref())?.body_start();
        let smtputf8 = !(self.from.is_ascii() && self.to.is_ascii());
        Ok(Outgoing {
            from: ReversePath::Address(self.from.clone()),
            params: MailParams {
                smtputf8,
                eight_bit: smtputf8,
                ..MailParams::default()
            },
            recipients: vec![EnvelopeRecipient {
                address: self.to.clone(),
                notify: Notify {
                    success: false,
                    failure: false,
                    delay: false,
                    explicit: true,
                },
                orcpt: None,
            }],
            head,
            body: Body { content, from },
            status: MailStatus::Challenge,
        })
    }
}

#[cfg(test)]
mod tests;
