//! Whether a signature covers what a message shows, and whose it is: clear-signed and opaque.
//!
//! One policy (security.md rows C4 to C9, C15, C16, C24): a multipart/signed has no content inside its CMS object; every
//! signer must verify; the signer whose certificate carries the From address must be among them; structure that breaks
//! the standard is `broken`, never guessed at. The path and the purpose of the certificate are judged at the time given.

mod attributes;
mod entity;
mod signer;

use crate::algorithms::{DigestAlgorithm, SignatureAlgorithm, Switches};
use crate::certificate::Certificate;
use crate::cms::{self, CertificateId, ContentType};
use crate::error::{Fault, LimitReached, Malformed, ReadError};
use crate::kind::{Entity, Kind, Media, kind, read_structure};
use crate::limits;
use crate::path::{Budget, TrustAnchors, VerifiedPath};
use crate::revocation::{self, Evidence, Question, Status};
use crate::verdict::SignatureVerdict;
use entity::clear_parts;
use sealgate_mail::{Address, Message, Part, Timestamp};
use signer::{Hashing, judge_signers, read_certificates};
use std::io;

pub use entity::{SignedEntity, kind_under_signatures, signed_content, signed_entity};

/// What a signature is judged against.
#[derive(Clone, Copy)]
pub struct VerifyInput<'a> {
    /// The trust anchors of the organisation.
    pub anchors: &'a TrustAnchors,
    /// The time of receipt; certificates must be valid then.
    pub at: Timestamp,
    /// The single address of the single From field; `None` if there is not exactly one.
    pub from: Option<&'a Address>,
    /// The Date field of the message, if it has one; only compared with the signing time.
    pub date: Option<Timestamp>,
    /// Certificates known from elsewhere, for signers that send none.
    pub known: &'a [Certificate],
    /// What is let in beyond the accepted algorithms.
    pub switches: Switches,
    /// Whether the local part of an address counts in its case (row X5).
    pub exact_local_parts: bool,
}

/// Something a reader of the verdict should know that does not change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// The claimed signing time and the Date field are further apart than [`crate::limits::SIGNING_TIME_WINDOW`] (row C9).
    SigningTimeFarFromDate,
    /// An algorithm of the legacy switch was let in, named here; never silently.
    Legacy(&'static str),
}

impl std::fmt::Display for Note {
    /// One word, for headers and journal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SigningTimeFarFromDate => f.write_str("signing-time-far-from-date"),
            Self::Legacy(name) => write!(f, "legacy-{name}"),
        }
    }
}

/// The judgement on a message's outermost signature.
#[derive(Clone, Debug)]
pub struct SignatureReport {
    /// The one verdict.
    pub verdict: SignatureVerdict,
    /// Each signer.
    pub signers: Vec<SignerReport>,
    /// The certificates sent along that could be read.
    pub certificates: Vec<Certificate>,
    /// Why the verdict is not about any signer, where that is so.
    pub fault: Option<Fault>,
    /// Remarks.
    pub notes: Vec<Note>,
}

/// The judgement on one signer.
#[derive(Clone, Debug)]
pub struct SignerReport {
    /// The verdict on this signer alone.
    pub verdict: SignatureVerdict,
    /// Why, in a few words, where the verdict is not `valid`.
    pub reason: &'static str,
    /// The verdict and its reason as they are where nothing is revoked.
    pub unrevoked: (SignatureVerdict, &'static str),
    /// Whether an answer about revocation is due on its path and missing, whatever the verdict.
    pub unanswered: bool,
    /// How the signer is named in the message.
    pub signer: CertificateId,
    /// The signer's certificate.
    pub certificate: Option<Certificate>,
    /// Its path to a trust anchor; only set if signature and path are good.
    pub path: Option<VerifiedPath>,
    /// The signing time the signer claims.
    pub signing_time: Option<Timestamp>,
    /// The smimeCapabilities attribute's value, DER (RFC 8551 section 2.5.2).
    pub capabilities: Option<Vec<u8>>,
    /// The certificate the signer wants mail encrypted to (RFC 8551 section 2.5.3).
    pub encryption_preference: Option<CertificateId>,
    /// The digest of the content.
    pub digest: Option<DigestAlgorithm>,
    /// The signature algorithm.
    pub algorithm: Option<SignatureAlgorithm>,
}

impl SignatureReport {
    fn without_signers(verdict: SignatureVerdict, fault: Option<Fault>) -> Self {
        Self {
            verdict,
            signers: Vec::new(),
            certificates: Vec::new(),
            fault,
            notes: Vec::new(),
        }
    }

    fn broken(what: &'static str) -> Self {
        Self::faulty(Fault::Malformed(Malformed(what)))
    }

    /// Of a signature that is not judged, because a limit of this name is reached.
    pub fn beyond_limit(limit: &'static str) -> Self {
        Self::faulty(Fault::Limit(LimitReached(limit)))
    }

    fn faulty(fault: Fault) -> Self {
        let verdict = match fault {
            Fault::Malformed(_) => SignatureVerdict::Broken,
            Fault::Limit(_) => SignatureVerdict::Unsupported,
        };
        Self::without_signers(verdict, Some(fault))
    }

    /// What is to be asked about the paths of its signers, each question once.
    pub fn questions(&self) -> Vec<Question> {
        let mut questions: Vec<Question> = Vec::new();
        let paths = self
            .signers
            .iter()
            .filter_map(|signer| signer.path.as_ref());
        for question in paths.flat_map(revocation::questions) {
            if !questions.contains(&question) {
                questions.push(question);
            }
        }
        questions
    }

    /// Judges the signers anew by what is known of revocation at `at`, the present. `hard` says that a missing
    /// answer counts as no trust; else it is `revocation-unknown`. Can be asked again when there is more evidence.
    pub fn judge_revocation(&mut self, evidence: &Evidence, at: Timestamp, hard: bool) {
        for signer in &mut self.signers {
            if let Some(path) = &signer.path {
                let status = revocation::judge(path, evidence, at);
                signer.unanswered = status == Status::Unknown;
                (signer.verdict, signer.reason) =
                    signer::with_revocation(signer.unrevoked, status, hard);
            }
        }
        if !self.signers.is_empty() {
            self.verdict = combine(&self.signers);
        }
    }

    /// Whether an answer about the revocation of a signer is due and missing, whatever the verdict.
    pub fn is_unanswered(&self) -> bool {
        self.signers.iter().any(|signer| signer.unanswered)
    }

    /// One verdict for the layers of a message, the outermost first: the outermost signer's word where all are good, for he
    /// vouches for all that lies in his signature; else the worst (row C24).
    pub fn combine(layers: &[Self]) -> SignatureVerdict {
        let mut verdicts = layers.iter().map(|layer| layer.verdict);
        let judged = |verdict: &SignatureVerdict| *verdict != SignatureVerdict::None;
        let outermost = verdicts.clone().find(judged);
        let verdict = match outermost {
            Some(outermost) if verdicts.all(|verdict| !judged(&verdict) || verdict.is_good()) => {
                outermost
            }
            _ => SignatureVerdict::combine(layers.iter().map(|layer| layer.verdict)),
        };
        verdict.answered(!layers.iter().any(Self::is_unanswered))
    }

    /// The signer whose address made the verdict `valid`, or whose path only lacks a revocation answer.
    pub fn sender(&self) -> Option<&SignerReport> {
        let wanted = [SignatureVerdict::Valid, SignatureVerdict::RevocationUnknown];
        self.signers
            .iter()
            .find(|signer| wanted.contains(&signer.verdict))
    }
}

/// The verdict of a signature by all these signers.
fn combine(signers: &[SignerReport]) -> SignatureVerdict {
    let verdict = SignatureVerdict::combine(signers.iter().map(|signer| signer.verdict));
    verdict.answered(!signers.iter().any(|signer| signer.unanswered))
}

/// Judges the outermost signature of `message`. A message that is not signed as a whole is `none`, or `partial` if a
/// part of it is signed; the report on a bag of certificates is `none` with the certificates.
///
/// # Errors
/// Only a failure to read the content.
pub fn verify(message: &Message<'_>, input: &VerifyInput<'_>) -> io::Result<SignatureReport> {
    verify_within(message, input, &Budget::default())
}

/// The same, at the cost of a budget that all layers of a message share.
///
/// # Errors
/// As of [`verify`].
pub fn verify_within(
    message: &Message<'_>,
    input: &VerifyInput<'_>,
    budget: &Budget,
) -> io::Result<SignatureReport> {
    let kind = kind(message)?;
    // Readers differ in which of two Content-Type fields they take (row M12).
    if kind.is_signed() && message.is_ambiguous() {
        return Ok(SignatureReport::broken("a header that reads in two ways"));
    }
    let outcome = match kind {
        Kind::ClearSigned => verify_clear(message, input, budget),
        Kind::Signed | Kind::CertsOnly => verify_opaque(message, input, budget),
        Kind::Plain => return verify_plain(message),
        Kind::Enveloped | Kind::AuthEnveloped | Kind::Compressed => {
            return Ok(SignatureReport::without_signers(
                SignatureVerdict::None,
                None,
            ));
        }
        Kind::Malformed(fault) => return Ok(SignatureReport::faulty(fault)),
    };
    outcome.or_else(|error| error.blame_sender().map(SignatureReport::faulty))
}

/// A message with a signature only inside, or with none.
fn verify_plain(message: &Message<'_>) -> io::Result<SignatureReport> {
    let verdict = match read_structure(message) {
        Ok(structure) if has_signed_part(message, &structure)? => SignatureVerdict::Partial,
        Ok(_) => SignatureVerdict::None,
        Err(error) => error.blame_sender().map(|_| SignatureVerdict::None)?,
    };
    Ok(SignatureReport::without_signers(verdict, None))
}

/// Row C7: the signature of a part says nothing about the message.
fn has_signed_part(message: &Message<'_>, structure: &Part) -> io::Result<bool> {
    let mut looked_into = 0usize;
    for part in structure.all() {
        let entity = Entity::of_part(message.content(), part);
        let signed = match entity.media() {
            Media::Signed => true,
            Media::Cms | Media::NamedCms => {
                looked_into = looked_into.saturating_add(1);
                looked_into > limits::PARTS_LOOKED_INTO || entity.cms_kind()? == Kind::Signed
            }
            Media::SignedSomehow | Media::Other => entity.is_signature(),
        };
        if signed {
            return Ok(true);
        }
    }
    Ok(false)
}

fn verify_clear(
    message: &Message<'_>,
    input: &VerifyInput<'_>,
    budget: &Budget,
) -> Result<SignatureReport, ReadError> {
    let (content, signature) = clear_parts(message)?;
    let ambiguous = signature.is_ambiguous();
    let signature = Entity::of_part(message.content(), &signature);
    if ambiguous || !signature.is_signature() {
        return Err(ReadError::malformed(
            "a multipart/signed whose second part is no signature",
        ));
    }
    let (mut reader, content_type) = cms::open(signature.cms()?)?;
    if content_type != ContentType::SignedData {
        return Err(ReadError::malformed("a signature that is no SignedData"));
    }
    let head = cms::signed_head(&mut reader)?;
    if head.has_content {
        // RFC 8551 section 3.5.3.1; row C4: what would be shown is not what was signed.
        return Err(ReadError::malformed(
            "a detached signature with content inside",
        ));
    }
    let tail = cms::signed_tail(&mut reader, false)?;
    let mut hashing = Hashing::new(&head);
    sealgate_mail::content::copy(&content, &mut hashing).map_err(ReadError::Io)?;
    Ok(judge_signers(tail, &hashing.finish(), input, budget))
}

fn verify_opaque(
    message: &Message<'_>,
    input: &VerifyInput<'_>,
    budget: &Budget,
) -> Result<SignatureReport, ReadError> {
    let entity = Entity::of_message(message);
    let (mut reader, _) = cms::open(entity.cms()?)?;
    let head = cms::signed_head(&mut reader)?;
    let mut hashing = Hashing::new(&head);
    reader.string_to(&mut |octets| {
        hashing.update(octets);
        Ok(())
    })?;
    let tail = cms::signed_tail(&mut reader, head.has_content)?;
    let covered = hashing.finish();
    match (head.has_content, tail.signers.is_empty()) {
        // RFC 8551 section 3.8: a bag of certificates.
        (_, true) if covered.is_empty() => Ok(SignatureReport {
            certificates: read_certificates(&tail.certificates),
            ..SignatureReport::without_signers(SignatureVerdict::None, None)
        }),
        (true, _) => Ok(judge_signers(tail, &covered, input, budget)),
        (false, _) => Err(ReadError::malformed("a SignedData without its content")),
    }
}
