//! Opens an inbound mail: judges its signatures and decrypts it with one key ring, layer by layer.
//!
//! Only whole messages: an encrypted part beside others stays as it is (row C2). What was decrypted goes to the shelf and
//! counts only once it is whole and a MIME entity.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use sealgate_mail::{
    Address, Carriage, Carried, Content, HeaderBlock, Message, MessageError, Source, Timestamp,
};
use sealgate_smime::algorithms::Switches;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::compressed::decompress;
use sealgate_smime::decrypt::{Decryption, KeyPair, decrypt};
use sealgate_smime::error::Fault;
use sealgate_smime::kind::{Kind, kind};
use sealgate_smime::limits::{DECOMPRESSED_OCTETS, LAYERS};
use sealgate_smime::path::{Budget, TrustAnchors};
use sealgate_smime::revocation::{Evidence, Question};
use sealgate_smime::verdict::{EncryptionVerdict, SignatureVerdict};
use sealgate_smime::verify::{Note, SignatureReport, VerifyInput, signed_entity, verify_within};

use super::ProcessError;
use crate::header_protection::{protected_fields, protects_subject};
use crate::limits::UNFOLDED_TIMES;
use crate::outcome::InboundContent;
use crate::own_header::Verdicts;
use crate::ports::{Shelf, StoredContent};

/// What a mail is opened with.
#[derive(Clone, Copy)]
pub struct OpenInput<'a> {
    /// The mail as it came.
    pub content: &'a dyn Content,
    /// The key pairs of one recipient's ring; none for recipients whose mail is not to be decrypted.
    pub ring: &'a [&'a KeyPair],
    /// The organisation's trust roots.
    pub anchors: &'a TrustAnchors,
    /// Certificates known of the sender, for signers that send none.
    pub known: &'a [Certificate],
    /// The time of receipt.
    pub at: Timestamp,
    /// What the organisation lets in beyond the accepted algorithms.
    pub switches: Switches,
    /// Whether the local part of an address counts in its case (row X5).
    pub exact_local_parts: bool,
    /// The largest mail that is taken, in octets; ten times as much may be unfolded of compressed layers, and never more
    /// than [`DECOMPRESSED_OCTETS`] (row C17).
    pub size_limit: u64,
}

/// What was found.
#[derive(Debug)]
pub struct Opened {
    /// Of all layers together, and of each, for header and journal.
    pub verdicts: Verdicts,
    /// The judgement on each signature, the outermost first, for harvesting.
    pub signatures: Vec<SignatureReport>,
    /// The single header From that signatures were judged against.
    pub from: Option<Address>,
    /// SHA-256 of each encrypted content key that was used.
    pub encrypted_keys: Vec<[u8; 32]>,
    /// The decrypted entity, if a layer was decrypted.
    pub entity: Option<Decrypted>,
    /// The fields that the innermost entity protects, if it protects any (RFC 9788).
    pub protected: Option<HeaderBlock>,
    /// The layers as they were found, the outermost first.
    found: Vec<Found>,
    /// The decrypted entity that the last encryption lay in, if it lay in one.
    around: Option<Decrypted>,
}

/// One layer of S/MIME with its own verdict (row C24).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// A signature.
    Signed {
        /// Of this signature alone.
        verdict: SignatureVerdict,
        /// The signer's address as the certificate names it, for a signature that is good.
        signer: Option<String>,
    },
    /// Encryption.
    Encrypted {
        /// Of this encryption, with what lies in it.
        verdict: EncryptionVerdict,
    },
    /// Compression.
    Compressed(Compression),
}

/// What came of a compressed layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// It was looked into.
    Opened,
    /// It is not what the standard asks for, and stays closed.
    Unreadable,
    /// It holds more than the limits allow (row C17), and stays closed.
    Refused,
}

impl std::fmt::Display for Layer {
    /// Such as `signed=valid`, `encrypted=decrypted` or `compressed=opened`: for header, journal and log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Signed { verdict, .. } => write!(f, "signed={verdict}"),
            Self::Encrypted { verdict } => write!(f, "encrypted={verdict}"),
            Self::Compressed(Compression::Opened) => f.write_str("compressed=opened"),
            Self::Compressed(Compression::Unreadable) => f.write_str("compressed=unreadable"),
            Self::Compressed(Compression::Refused) => f.write_str("compressed=refused"),
        }
    }
}

/// A layer before it is judged together with what lies in it.
#[derive(Clone, Copy, Debug)]
enum Found {
    /// The next of the signatures.
    Signature,
    Encryption(EncryptionVerdict),
    Compression(Compression),
}

/// A decrypted MIME entity: header, blank line, body, with CRLF line ends.
#[derive(Clone, Debug)]
pub struct Decrypted {
    /// Its octets.
    pub content: Arc<dyn StoredContent>,
    /// Whether there are octets beyond 7-bit ASCII.
    pub eight_bit: bool,
}

impl Opened {
    /// What the mail has turned out to be for the recipient that `content` was said for before it was opened.
    pub fn content(&self, before: InboundContent) -> InboundContent {
        match (before, &self.entity) {
            (InboundContent::KeyPresent, None) => InboundContent::Unreadable,
            (before, _) => before,
        }
    }

    /// What is to be asked about the paths of all signers, the outermost signature first, each question once.
    pub fn questions(&self) -> Vec<Question> {
        let mut questions: Vec<Question> = Vec::new();
        for question in self.signatures.iter().flat_map(SignatureReport::questions) {
            if !questions.contains(&question) {
                questions.push(question);
            }
        }
        questions
    }

    /// Judges all layers anew by what is known of revocation at `at`, the present; see
    /// [`SignatureReport::judge_revocation`].
    pub fn judge_revocation(&mut self, evidence: &Evidence, at: Timestamp, hard: bool) {
        for report in &mut self.signatures {
            report.judge_revocation(evidence, at, hard);
        }
        self.judge();
    }

    /// The verdict on the signatures inside what was decrypted, or on all of them where nothing was: those that stay on what
    /// is delivered.
    pub fn kept_signature(&self) -> SignatureVerdict {
        let last = self.found.iter().rposition(is_opened);
        let inside = self
            .found
            .iter()
            .skip(last.map_or(0, |last| last.saturating_add(1)));
        let count = inside
            .filter(|found| matches!(found, Found::Signature))
            .count();
        let outside = self.signatures.len().saturating_sub(count);
        SignatureReport::combine(self.signatures.get(outside..).unwrap_or_default())
    }

    /// What was decrypted last is given up with all that was found in it: it counts as not decrypted, and nothing tells why
    /// (row C10).
    pub(super) fn give_up(&mut self) {
        self.entity = self.around.take();
        self.protected = None;
        take_back(&mut self.found);
        let signature = |found: &&Found| matches!(found, Found::Signature);
        let signatures = self.found.iter().filter(signature).count();
        self.signatures.truncate(signatures);
        self.verdicts.notes = notes(&self.signatures);
        self.verdicts.covers_subject = false;
        self.judge();
    }

    /// Makes the verdicts from what was found.
    fn judge(&mut self) {
        let layers = layers(&self.found, &self.signatures);
        let encryption = layers.iter().map(|layer| match layer {
            Layer::Encrypted { verdict } => *verdict,
            Layer::Compressed(Compression::Refused) => EncryptionVerdict::Refused,
            Layer::Signed { .. } | Layer::Compressed(_) => EncryptionVerdict::None,
        });
        self.verdicts.encryption = EncryptionVerdict::combine(encryption);
        self.verdicts.signature = SignatureReport::combine(&self.signatures);
        self.verdicts.signer = signer(&self.signatures, self.from.as_ref());
        self.verdicts.layers = layers;
    }
}

/// Whether it is an encryption that was opened.
const fn is_opened(found: &Found) -> bool {
    use EncryptionVerdict::{Decrypted, DecryptedAuthenticated};
    matches!(found, Found::Encryption(Decrypted | DecryptedAuthenticated))
}

/// Makes the last encryption that was opened one that was not.
fn take_back(found: &mut Vec<Found>) {
    found.truncate(found.iter().rposition(is_opened).unwrap_or_default());
    found.push(Found::Encryption(EncryptionVerdict::Failed));
}

/// Each layer with its verdict. That of an encryption depends on the signatures in it, so that the innermost comes first.
fn layers(found: &[Found], signatures: &[SignatureReport]) -> Vec<Layer> {
    let (mut around, mut inside) = (signatures, &[][..]);
    let mut layers: Vec<Layer> = Vec::with_capacity(found.len());
    for found in found.iter().rev() {
        layers.push(match found {
            Found::Signature => {
                let last = around.len().saturating_sub(1);
                let report = signatures.get(last);
                (around, inside) = signatures.split_at_checked(last).unwrap_or_default();
                Layer::Signed {
                    verdict: report.map_or(SignatureVerdict::None, |report| report.verdict),
                    signer: report.and_then(|report| signer(std::slice::from_ref(report), None)),
                }
            }
            Found::Encryption(verdict) => Layer::Encrypted {
                verdict: verdict.with_inner_signature(SignatureReport::combine(inside)),
            },
            Found::Compression(result) => Layer::Compressed(*result),
        });
    }
    layers.reverse();
    layers
}

/// Opens a mail with one ring: verifies what is signed, decrypts what is encrypted to the ring, up to eight layers deep.
///
/// # Errors
/// Failures of our own, and a header beyond the limits; what is wrong with the S/MIME of the mail is a verdict.
pub fn open(input: &OpenInput<'_>, shelf: &dyn Shelf) -> Result<Opened, ProcessError> {
    open_within(input, shelf, &Budget::default())
}

/// The same at the cost of this budget, which all its signatures share (row X2).
fn open_within(
    input: &OpenInput<'_>,
    shelf: &dyn Shelf,
    budget: &Budget,
) -> Result<Opened, ProcessError> {
    let message = Message::read(input.content)?;
    let from = message.single_from().map(|mailbox| mailbox.address);
    let mut layers = Layers {
        input,
        shelf,
        budget,
        verify: VerifyInput {
            anchors: input.anchors,
            at: input.at,
            from: from.as_ref(),
            date: message.date(),
            known: input.known,
            switches: input.switches,
            exact_local_parts: input.exact_local_parts,
        },
        signatures: Vec::new(),
        found: Vec::new(),
        notes: Vec::new(),
        encrypted_keys: Vec::new(),
        entity: None,
        around: None,
        protected: None,
        unfoldable: input
            .size_limit
            .saturating_mul(UNFOLDED_TIMES)
            .min(DECOMPRESSED_OCTETS),
    };
    layers.walk(&message, LAYERS)?;
    let mut opened = Opened {
        verdicts: Verdicts {
            notes: layers.notes,
            covers_subject: layers.protected.as_ref().is_some_and(protects_subject),
            ..Verdicts::default()
        },
        signatures: layers.signatures,
        found: layers.found,
        encrypted_keys: layers.encrypted_keys,
        entity: layers.entity,
        around: layers.around,
        protected: layers.protected,
        from,
    };
    opened.judge();
    Ok(opened)
}

/// The address of a good signer's certificate: the one in From if it is among them.
fn signer(signatures: &[SignatureReport], from: Option<&Address>) -> Option<String> {
    let certificates = signatures.iter().flat_map(|report| &report.signers);
    let good = certificates.filter(|signer| signer.verdict.is_good());
    let certificates = good.filter_map(|signer| signer.certificate.as_ref());
    let addresses: Vec<&Address> = certificates.flat_map(|c| c.addresses()).collect();
    let same = addresses.iter().find(|address| Some(**address) == from);
    same.or(addresses.first())
        .map(|address| address.to_string())
}

/// The remarks on these signatures, each once.
fn notes(signatures: &[SignatureReport]) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    for note in signatures.iter().flat_map(|report| &report.notes) {
        if !notes.contains(note) {
            notes.push(*note);
        }
    }
    notes
}

/// What is collected on the way inwards.
struct Layers<'a> {
    input: &'a OpenInput<'a>,
    shelf: &'a dyn Shelf,
    budget: &'a Budget,
    verify: VerifyInput<'a>,
    signatures: Vec<SignatureReport>,
    found: Vec<Found>,
    notes: Vec<Note>,
    encrypted_keys: Vec<[u8; 32]>,
    entity: Option<Decrypted>,
    around: Option<Decrypted>,
    protected: Option<HeaderBlock>,
    /// Octets that compressed layers may still unfold to.
    unfoldable: u64,
}

impl Layers<'_> {
    /// One layer; `left` more are looked into (row C18).
    fn walk(&mut self, message: &Message<'_>, left: usize) -> io::Result<()> {
        let kind = kind(message)?;
        let Some(left) = left.checked_sub(1) else {
            if kind.is_encrypted() {
                self.saw(EncryptionVerdict::Refused);
            } else if matches!(kind, Kind::ClearSigned | Kind::Signed) {
                // What is not judged does not count as good (row C24).
                self.saw_signature(SignatureReport::beyond_limit("S/MIME layers"));
            }
            return Ok(());
        };
        // Compression alone protects nothing.
        let protection = |found: &Found| !matches!(found, Found::Compression(_));
        if kind == Kind::Plain && self.found.iter().any(protection) {
            self.protected = protected_fields(message)?;
        }
        match kind {
            Kind::ClearSigned | Kind::Signed => self.signed(message, left),
            Kind::Enveloped | Kind::AuthEnveloped => self.encrypted(message, left),
            Kind::Compressed => self.compressed(message, left),
            // Under a signature, the parts of the content say nothing about the whole.
            Kind::Plain if !self.signatures.is_empty() => Ok(()),
            Kind::Plain | Kind::CertsOnly | Kind::Malformed(_) => {
                let report = self.verify(message)?;
                if report.verdict != SignatureVerdict::None {
                    self.saw_signature(report);
                }
                Ok(())
            }
        }
    }

    fn verify(&self, message: &Message<'_>) -> io::Result<SignatureReport> {
        verify_within(message, &self.verify, self.budget)
    }

    fn signed(&mut self, message: &Message<'_>, left: usize) -> io::Result<()> {
        let report = self.verify(message)?;
        self.saw_signature(report);
        match signed_entity(message)? {
            Ok(entity) => self.inside(&entity, left),
            Err(_) => Ok(()),
        }
    }

    fn encrypted(&mut self, message: &Message<'_>, left: usize) -> io::Result<()> {
        // A28: what is encrypted inside compression alone counts as plain.
        let compressed = |found: &Found| matches!(found, Found::Compression(_));
        if self.entity.is_none() && self.found.iter().any(compressed) {
            return Ok(());
        }
        if self.input.ring.is_empty() {
            self.saw(EncryptionVerdict::NoKey);
            return Ok(());
        }
        let OpenInput { ring, switches, .. } = *self.input;
        let (decryption, found) = self.shelve(|out| decrypt(message, ring, switches, out))?;
        let opened = match decryption {
            Decryption::Opened(opened) => opened,
            Decryption::NoKey => {
                self.saw(EncryptionVerdict::NoKey);
                return Ok(());
            }
            Decryption::Failed(hash) => {
                self.encrypted_keys.extend(hash);
                self.saw(EncryptionVerdict::Failed);
                return Ok(());
            }
            Decryption::Refused(_) => {
                self.saw(EncryptionVerdict::Refused);
                return Ok(());
            }
        };
        self.encrypted_keys.push(opened.encrypted_key_hash);
        if let Some(weak) = opened.weak {
            self.remark(Note::Legacy(weak));
        }
        let content = Arc::clone(&found.content);
        self.around = self.entity.replace(found);
        self.saw(match opened.authenticated {
            true => EncryptionVerdict::DecryptedAuthenticated,
            false => EncryptionVerdict::Decrypted,
        });
        self.inside(content.as_ref(), left)
    }

    /// RFC 8551 sections 3.6 and 3.7: what is compressed is looked into; it is delivered unfolded where it is all that was
    /// decrypted. What cannot be unfolded there is content that is not well-formed (rows C1, C10): a reader that unfolds
    /// it would show what was never looked into.
    fn compressed(&mut self, message: &Message<'_>, left: usize) -> io::Result<()> {
        let delivered = self.is_delivered();
        let most = self.unfoldable;
        let (result, unfolded) = self.shelve(|out| decompress(message, most, out))?;
        if result.is_err() && delivered {
            self.fail();
            return Ok(());
        }
        self.found.push(Found::Compression(match result {
            Ok(_) => Compression::Opened,
            Err(Fault::Malformed(_)) => Compression::Unreadable,
            Err(Fault::Limit(_)) => Compression::Refused,
        }));
        let Ok(octets) = result else {
            return Ok(());
        };
        self.unfoldable = self.unfoldable.saturating_sub(octets);
        let content = Arc::clone(&unfolded.content);
        if delivered {
            self.entity = Some(unfolded);
        }
        self.inside(content.as_ref(), left)
    }

    /// Takes back what was decrypted last, with all that was found in it, so that nothing tells why (row C10).
    fn fail(&mut self) {
        self.entity = self.around.take();
        take_back(&mut self.found);
        self.notes = notes(&self.signatures);
    }

    /// Whether the layer looked at is all that was decrypted, perhaps unfolded since.
    fn is_delivered(&self) -> bool {
        let last = self.found.last();
        self.entity.is_some() && matches!(last, Some(Found::Encryption(_) | Found::Compression(_)))
    }

    fn inside(&mut self, content: &dyn Content, left: usize) -> io::Result<()> {
        match Message::read(content) {
            Ok(message) => self.walk(&message, left),
            Err(MessageError::Io(error)) => Err(error),
            // A header beyond the limits: not looked into any further.
            Err(_) => Ok(()),
        }
    }

    fn saw(&mut self, verdict: EncryptionVerdict) {
        self.found.push(Found::Encryption(verdict));
    }

    fn saw_signature(&mut self, report: SignatureReport) {
        report.notes.iter().for_each(|note| self.remark(*note));
        self.found.push(Found::Signature);
        self.signatures.push(report);
    }

    fn remark(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn shelve<T>(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
    ) -> io::Result<(T, Decrypted)> {
        shelve_entity(self.shelf, write)
    }
}

/// What `write` writes, on the shelf, in a form that SMTP carries: what is sent on holds no bare CR or LF (row M2), and
/// binary parts (RFC 8551 section 3.1.2) keep their octets.
pub(super) fn shelve_entity<T>(
    shelf: &dyn Shelf,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> io::Result<(T, Decrypted)> {
    let (result, raw, is_carried) = shelve_raw(shelf, write)?;
    if is_carried {
        return Ok((result, raw));
    }
    let carried = Carried::new(raw.content.as_ref())?;
    let ((), entity, _) = shelve_raw(shelf, |out| carried.write_to(out))?;
    Ok((result, entity))
}

/// What `write` writes, on the shelf as it is, and whether SMTP carries it so.
fn shelve_raw<T>(
    shelf: &dyn Shelf,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> io::Result<(T, Decrypted, bool)> {
    let mut draft = shelf.create()?;
    let mut carriage = Carriage::default();
    let mut watched = Watched {
        out: BufWriter::new(&mut draft),
        carriage: &mut carriage,
    };
    let result = write(&mut watched)?;
    watched.out.flush()?;
    drop(watched);
    carriage.end();
    let content = draft.finish()?;
    let eight_bit = carriage.eight_bit();
    Ok((
        result,
        Decrypted { content, eight_bit },
        carriage.is_carried(),
    ))
}

/// Passes octets on and sees what they are like.
struct Watched<'c, W: Write> {
    out: W,
    carriage: &'c mut Carriage,
}

impl<W: Write> Write for Watched<'_, W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let count = self.out.write(data)?;
        self.carriage.feed(data.get(..count).unwrap_or_default());
        Ok(count)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests;
