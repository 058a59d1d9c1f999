//! Opens an inbound mail: judges its signatures and decrypts it with one key ring, layer by layer.
//!
//! Only whole messages: an encrypted part beside others stays as it is (row C2). What was decrypted goes to the shelf and
//! counts only once it is whole and a MIME entity.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use sealgate_mail::encoding::CrlfWriter;
use sealgate_mail::{Address, Content, Message, MessageError, Timestamp};
use sealgate_smime::algorithms::Switches;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::decrypt::{Decryption, KeyPair, decrypt};
use sealgate_smime::kind::{Kind, kind};
use sealgate_smime::limits::LAYERS;
use sealgate_smime::path::TrustAnchors;
use sealgate_smime::verdict::{EncryptionVerdict, SignatureVerdict};
use sealgate_smime::verify::{SignatureReport, VerifyInput, signed_entity, verify};

use super::ProcessError;
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
    /// Of all layers together, for header and journal.
    pub verdicts: Verdicts,
    /// The judgement on each signature, the outermost first, for harvesting.
    pub signatures: Vec<SignatureReport>,
    /// The single header From that signatures were judged against.
    pub from: Option<Address>,
    /// SHA-256 of each encrypted content key that was used.
    pub encrypted_keys: Vec<[u8; 32]>,
    /// The decrypted entity, if a layer was decrypted.
    pub entity: Option<Decrypted>,
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
        encryption: EncryptionVerdict::None,
        encrypted_keys: Vec::new(),
        entity: None,
    };
    layers.walk(&message, LAYERS)?;
    let signatures = layers.signatures;
    let verdicts = Verdicts {
        signature: SignatureVerdict::combine(signatures.iter().map(|report| report.verdict)),
        encryption: layers.encryption,
        signer: signer(&signatures, from.as_ref()),
    };
    Ok(Opened {
        verdicts,
        signatures,
        encrypted_keys: layers.encrypted_keys,
        entity: layers.entity,
        from,
    })
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

/// What is collected on the way inwards.
struct Layers<'a> {
    input: &'a OpenInput<'a>,
    shelf: &'a dyn Shelf,
    verify: VerifyInput<'a>,
    signatures: Vec<SignatureReport>,
    encryption: EncryptionVerdict,
    encrypted_keys: Vec<[u8; 32]>,
    entity: Option<Decrypted>,
}

impl Layers<'_> {
    /// One layer; `left` more are looked into (row C18).
    fn walk(&mut self, message: &Message<'_>, left: usize) -> io::Result<()> {
        let kind = kind(message)?;
        let Some(left) = left.checked_sub(1) else {
            if kind.is_encrypted() {
                self.saw(EncryptionVerdict::Refused);
            }
            return Ok(());
        };
        match kind {
            Kind::ClearSigned | Kind::Signed => self.signed(message, left),
            Kind::Enveloped | Kind::AuthEnveloped => self.encrypted(message, left),
            // Under a signature, the parts of the content say nothing about the whole.
            Kind::Plain if !self.signatures.is_empty() => Ok(()),
            Kind::Plain | Kind::CertsOnly | Kind::Compressed | Kind::Malformed(_) => {
                let report = verify(message, &self.verify)?;
                if report.verdict != SignatureVerdict::None {
                    self.signatures.push(report);
                }
                Ok(())
            }
        }
    }

    fn signed(&mut self, message: &Message<'_>, left: usize) -> io::Result<()> {
        self.signatures.push(verify(message, &self.verify)?);
        match signed_entity(message)? {
            Ok(entity) => self.inside(&entity, left),
            Err(_) => Ok(()),
        }
    }

    fn encrypted(&mut self, message: &Message<'_>, left: usize) -> io::Result<()> {
        if self.input.ring.is_empty() {
            self.saw(EncryptionVerdict::NoKey);
            return Ok(());
        }
        let (decryption, found) = self.decrypt(message)?;
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
        let content = Arc::clone(&found.content);
        self.entity = Some(found);
        let outside = self.signatures.len();
        self.inside(content.as_ref(), left)?;
        let inside = self.signatures.get(outside..).unwrap_or_default();
        let inside = SignatureVerdict::combine(inside.iter().map(|report| report.verdict));
        let verdict = match opened.authenticated {
            true => EncryptionVerdict::DecryptedAuthenticated,
            false => EncryptionVerdict::Decrypted,
        };
        self.saw(verdict.with_inner_signature(inside));
        Ok(())
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
        self.encryption = EncryptionVerdict::combine([self.encryption, verdict]);
    }

    /// Decrypts to the shelf, with CRLF line ends: what is sent on holds no bare CR or LF (row M2).
    fn decrypt(&self, message: &Message<'_>) -> io::Result<(Decryption, Decrypted)> {
        let mut draft = self.shelf.create()?;
        let mut seven_bit = SevenBit {
            out: BufWriter::new(&mut draft),
            so_far: true,
        };
        let mut lines = CrlfWriter::new(&mut seven_bit);
        let decryption = decrypt(message, self.input.ring, self.input.switches, &mut lines)?;
        lines.finish()?;
        let eight_bit = !seven_bit.so_far;
        seven_bit.out.flush()?;
        drop(seven_bit);
        let content = draft.finish()?;
        Ok((decryption, Decrypted { content, eight_bit }))
    }
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
