//! Opens an inbound mail: judges its signatures and decrypts it with one key ring, layer by layer.
//!
//! Only whole messages: an encrypted part beside others stays as it is (row C2). What was decrypted goes to the shelf and
//! counts only once it is whole and a MIME entity.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use sealgate_mail::encoding::CrlfWriter;
use sealgate_mail::{Address, Content, HeaderBlock, Message, MessageError, Timestamp};
use sealgate_smime::algorithms::Switches;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::compressed::decompress;
use sealgate_smime::decrypt::{Decryption, KeyPair, decrypt};
use sealgate_smime::error::Fault;
use sealgate_smime::kind::{Kind, kind};
use sealgate_smime::limits::{DECOMPRESSED_OCTETS, LAYERS};
use sealgate_smime::path::TrustAnchors;
use sealgate_smime::revocation::{Evidence, Question};
use sealgate_smime::verdict::{EncryptionVerdict, SignatureVerdict};
use sealgate_smime::verify::{Note, SignatureReport, VerifyInput, signed_entity, verify};

use super::ProcessError;
use crate::header_protection::{protected_fields, protects_subject};
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

    /// The verdict on the signatures inside the encryption, or on all of them where nothing is encrypted: those that stay on
    /// what is delivered.
    pub fn kept_signature(&self) -> SignatureVerdict {
        let is_encryption = |found: &Found| matches!(found, Found::Encryption(_));
        let last = self.found.iter().rposition(is_encryption);
        let inside = self
            .found
            .iter()
            .skip(last.map_or(0, |last| last.saturating_add(1)));
        let count = inside
            .filter(|found| matches!(found, Found::Signature))
            .count();
        let outside = self.signatures.len().saturating_sub(count);
        let kept = self.signatures.iter().skip(outside);
        SignatureVerdict::combine(kept.map(|report| report.verdict))
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
        let signatures = self.signatures.iter().map(|report| report.verdict);
        self.verdicts.signature = SignatureVerdict::combine(signatures);
        self.verdicts.signer = signer(&self.signatures, self.from.as_ref());
        self.verdicts.layers = layers;
    }
}

/// Makes the last encryption that was opened one that was not.
fn take_back(found: &mut Vec<Found>) {
    use EncryptionVerdict::{Decrypted, DecryptedAuthenticated};
    let opened =
        |found: &Found| matches!(found, Found::Encryption(Decrypted | DecryptedAuthenticated));
    found.truncate(found.iter().rposition(opened).unwrap_or_default());
    found.push(Found::Encryption(EncryptionVerdict::Failed));
}

/// Each layer with its verdict. That of an encryption depends on the signatures in it, so that the innermost comes first.
fn layers(found: &[Found], signatures: &[SignatureReport]) -> Vec<Layer> {
    let mut signatures = signatures.iter().rev();
    let mut inside = SignatureVerdict::None;
    let mut layers: Vec<Layer> = Vec::with_capacity(found.len());
    for found in found.iter().rev() {
        layers.push(match found {
            Found::Signature => {
                let report = signatures.next();
                let verdict = report.map_or(SignatureVerdict::None, |report| report.verdict);
                inside = SignatureVerdict::combine([inside, verdict]);
                Layer::Signed {
                    verdict,
                    signer: report.and_then(|report| signer(std::slice::from_ref(report), None)),
                }
            }
            Found::Encryption(verdict) => Layer::Encrypted {
                verdict: verdict.with_inner_signature(inside),
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
    let message = Message::read(input.content)?;
    let from = message.single_from().map(|mailbox| mailbox.address);
    let mut layers = Layers {
        input,
        shelf,
        verify: VerifyInput {
            anchors: input.anchors,
            at: input.at,
            from: from.as_ref(),
            date: message.date(),
            known: input.known,
            switches: input.switches,
        },
        signatures: Vec::new(),
        found: Vec::new(),
        notes: Vec::new(),
        encrypted_keys: Vec::new(),
        entity: None,
        around: None,
        protected: None,
        unfolded: 0,
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
    verify: VerifyInput<'a>,
    signatures: Vec<SignatureReport>,
    found: Vec<Found>,
    notes: Vec<Note>,
    encrypted_keys: Vec<[u8; 32]>,
    entity: Option<Decrypted>,
    around: Option<Decrypted>,
    protected: Option<HeaderBlock>,
    /// Octets that compressed layers unfolded to.
    unfolded: u64,
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
                let report = verify(message, &self.verify)?;
                if report.verdict != SignatureVerdict::None {
                    self.saw_signature(report);
                }
                Ok(())
            }
        }
    }

    fn signed(&mut self, message: &Message<'_>, left: usize) -> io::Result<()> {
        self.saw_signature(verify(message, &self.verify)?);
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
        let most = DECOMPRESSED_OCTETS.saturating_sub(self.unfolded);
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
        self.unfolded = self.unfolded.saturating_add(octets);
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

/// What `write` writes, on the shelf, with CRLF line ends: what is sent on holds no bare CR or LF (row M2).
pub(super) fn shelve_entity<T>(
    shelf: &dyn Shelf,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> io::Result<(T, Decrypted)> {
    let mut draft = shelf.create()?;
    let mut seven_bit = SevenBit {
        out: BufWriter::new(&mut draft),
        so_far: true,
    };
    let mut lines = CrlfWriter::new(&mut seven_bit);
    let result = write(&mut lines)?;
    lines.finish()?;
    let eight_bit = !seven_bit.so_far;
    seven_bit.out.flush()?;
    drop(seven_bit);
    let content = draft.finish()?;
    Ok((result, Decrypted { content, eight_bit }))
}

/// Passes octets on and sees whether all are 7-bit ASCII.
struct SevenBit<W: Write> {
    out: W,
    so_far: bool,
}

impl<W: Write> Write for SevenBit<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.so_far &= data.is_ascii();
        self.out.write(data)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests;
