//! Whether the certificates of a path were revoked: which questions a path leaves open, and what CRLs (RFC 5280 section 6.3) and
//! OCSP answers (RFC 6960) say to them at a given time. Nothing is fetched here.

use std::sync::Arc;

use sealgate_mail::Timestamp;

use crate::asn1::Asn1Error;
use crate::certificate::Certificate;
use crate::limits;
use crate::path::VerifiedPath;

mod case;
mod crl;
mod keep;
mod ocsp;
mod point;

#[cfg(test)]
mod tests;

pub use keep::may_be_kept;
pub(crate) use point::read_points;
pub use point::{DistributionPoint, PointName};

use case::{Case, Found};
use crl::Crl;
use ocsp::Answer;

/// One question that somebody else can answer. The same certificate always gives the same octets, so that a question can
/// be the key of a cache.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// The list at this address, asked for under this trust anchor.
    Crl {
        /// Where it lies; http or https.
        url: String,
        /// Fingerprint of the anchor of the path: another organisation's authorities may name the same address and the same
        /// issuer, and must keep no list away from this one's.
        anchor: [u8; 32],
    },
    /// This request, to the responder at this address.
    Ocsp {
        /// The responder; http or https.
        url: String,
        /// OCSPRequest, DER (RFC 6960 section 4.1.1).
        request: Vec<u8>,
    },
}

impl Question {
    /// Whom to ask.
    pub fn url(&self) -> &str {
        match self {
            Self::Crl { url, .. } | Self::Ocsp { url, .. } => url,
        }
    }
}

/// The state of a whole path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// No certificate of the path names a list or a responder: there is nothing to ask.
    NotNamed,
    /// Every certificate that names one is answered for, and none is revoked.
    Good,
    /// A certificate is revoked; the earliest date that is named.
    Revoked(Timestamp),
    /// At least one answer is missing.
    Unknown,
}

impl Status {
    /// Whether a certificate of the path is revoked. Whatever stands on a list is, from the moment it stands there: neither
    /// the date of revocation, which may lie ahead, nor an invalidityDate changes that (RFC 5280 sections 5.3.2 and 6.3.3 (i)).
    pub fn is_revoked(self) -> bool {
        matches!(self, Self::Revoked(_))
    }
}

/// When a list or an answer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// It is not used before this moment, less `limits::CLOCK_TOLERANCE`.
    pub from: Timestamp,
    /// It is not used after this moment; a cache may keep it until then.
    pub until: Timestamp,
}

/// Why octets are no evidence. Blame: whoever published them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevocationError {
    /// Neither DER nor PEM of the kind expected, or against RFC 5280 or RFC 6960.
    #[error("not a readable list or answer: {0}")]
    Malformed(&'static str),
    /// Larger than is read.
    #[error("the list or answer is larger than this gateway reads")]
    TooLarge,
    /// Readable, but of a kind that settles nothing here: an indirect list, a weak signature, an answer with a critical extension.
    #[error("the list or answer cannot be used: {0}")]
    Unsupported(&'static str),
    /// The responder gave no answer (RFC 6960 section 4.2.1).
    #[error("the responder answers: {0}")]
    NoAnswer(&'static str),
}

impl From<Asn1Error> for RevocationError {
    fn from(error: Asn1Error) -> Self {
        Self::Malformed(error.0)
    }
}

impl Freshness {
    /// Whether something of this freshness counts at `at`.
    pub fn includes(self, at: Timestamp) -> bool {
        self.from.since(at) <= limits::CLOCK_TOLERANCE && at <= self.until
    }
}

/// Lists and answers at hand, parsed. What cannot be read is no evidence. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    lists: Vec<Arc<Crl>>,
    answers: Vec<Arc<Answer>>,
}

impl Evidence {
    /// Takes in a CRL, DER or PEM. Signature and issuer are judged by [`judge`], with the path.
    pub fn add_crl(&mut self, octets: &[u8]) -> Result<Freshness, RevocationError> {
        self.has_room()?;
        let list = Crl::read(octets)?;
        let freshness = list.freshness();
        self.lists.push(Arc::new(list));
        Ok(freshness)
    }

    /// Takes in an OCSPResponse, DER. Signature and responder are judged by [`judge`], with the path.
    pub fn add_ocsp(&mut self, octets: &[u8]) -> Result<Freshness, RevocationError> {
        self.has_room()?;
        let answer = Answer::read(octets)?;
        let freshness = answer.freshness();
        self.answers.push(Arc::new(answer));
        Ok(freshness)
    }

    /// Takes in what another one holds, as far as there is room.
    pub fn join(&mut self, other: &Evidence) {
        for list in &other.lists {
            if self.has_room().is_ok() {
                self.lists.push(Arc::clone(list));
            }
        }
        for answer in &other.answers {
            if self.has_room().is_ok() {
                self.answers.push(Arc::clone(answer));
            }
        }
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty() && self.answers.is_empty()
    }

    fn has_room(&self) -> Result<(), RevocationError> {
        if self.lists.len().saturating_add(self.answers.len()) < limits::EVIDENCE {
            Ok(())
        } else {
            Err(RevocationError::TooLarge)
        }
    }
}

/// The questions of `path`: the leaf's first, then those of each authority up to the anchor, which is not asked about; for each
/// certificate OCSP before CRL; then about those who sign lists for the authorities. At most `limits::QUESTIONS`, http and https
/// only; whether an address may be asked at all is for the caller to say. They may be asked one after the other until [`judge`]
/// says other than [`Status::Unknown`].
pub fn questions(path: &VerifiedPath) -> Vec<Question> {
    let nothing = Evidence::default();
    let asked = cases(path, &nothing, Timestamp(0)).flat_map(|case| case.questions());
    let signers = path.list_signers().iter();
    let signers = signers.flat_map(|signer| lists_of(signer, path));
    first_of(asked.chain(signers))
}

/// The questions that are left where `evidence` does not settle the state of `path` at `at`: those of the path, and about the
/// responders whose answers are at hand (RFC 6960 section 4.2.2.2.1).
pub fn questions_left(path: &VerifiedPath, evidence: &Evidence, at: Timestamp) -> Vec<Question> {
    if judge(path, evidence, at) != Status::Unknown {
        return Vec::new();
    }
    let responders: Vec<Question> = cases(path, evidence, at)
        .flat_map(|case| case.doubtful_responders())
        .flat_map(|responder| lists_of(responder, path))
        .collect();
    first_of(questions(path).into_iter().chain(responders))
}

/// The first `limits::QUESTIONS`, each once.
fn first_of(questions: impl Iterator<Item = Question>) -> Vec<Question> {
    let mut found: Vec<Question> = Vec::new();
    for question in questions {
        if !found.contains(&question) && found.len() < limits::QUESTIONS {
            found.push(question);
        }
    }
    found
}

/// The names of one point are names of one list: the first that can be asked will do.
fn lists_of(
    certificate: &Certificate,
    path: &VerifiedPath,
) -> impl Iterator<Item = Question> + use<> {
    let anchor = path.chain().last().map(Certificate::fingerprint);
    let anchor = anchor.unwrap_or_default();
    let points = certificate.extensions().distribution_points.iter();
    let lists = points.filter_map(|point| point.urls().find(|url| is_askable(url)));
    let questions: Vec<Question> = lists
        .take(limits::QUESTIONS_OF_A_KIND)
        .map(|url| Question::Crl {
            url: url.into(),
            anchor,
        })
        .collect();
    questions.into_iter()
}

/// Row X7: http and https, and an address that is one.
fn is_askable(url: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|s| s.eq_ignore_ascii_case("http") || s.eq_ignore_ascii_case("https"))
        && url.len() <= limits::URL_OCTETS
        && url.bytes().all(|octet| octet.is_ascii_graphic())
}

/// What `evidence` says of `path`. Evidence must be current at `at`: pass the present, or the time of receipt if that was a
/// moment ago; what was issued more than `limits::CLOCK_TOLERANCE` after `at` does not count.
///
/// A certificate that any list or answer revokes is revoked, whether it names one or not. What came with the message and what is
/// out of date shows nothing else. A newer edition of the list takes a revocation back; so does, once it is out of date, whatever
/// shows later that the certificate is good. "On hold" is revoked.
pub fn judge(path: &VerifiedPath, evidence: &Evidence, at: Timestamp) -> Status {
    judge_where(path, evidence, at, Certificate::names_revocation)
}

/// As [`judge`]; an answer is due for the certificates that `due` says.
pub(crate) fn judge_where(
    path: &VerifiedPath,
    evidence: &Evidence,
    at: Timestamp,
    due: impl Fn(&Certificate) -> bool,
) -> Status {
    let (mut status, mut earliest) = (Status::NotNamed, None);
    for case in cases(path, evidence, at) {
        match (case.judge(), due(case.certificate)) {
            (Found::Revoked(when, _), _) => {
                earliest = Some(earliest.map_or(when, |other: Timestamp| other.min(when)));
            }
            (Found::Nothing, true) => status = Status::Unknown,
            (Found::Good(_), true) if status == Status::NotNamed => status = Status::Good,
            (Found::Good(_) | Found::Nothing, _) => {}
        }
    }
    earliest.map_or(status, Status::Revoked)
}

/// The certificates of a path below its anchor, each with the authority that made it.
fn cases<'a>(
    path: &'a VerifiedPath,
    evidence: &'a Evidence,
    at: Timestamp,
) -> impl Iterator<Item = Case<'a>> {
    path.chain().windows(2).filter_map(move |pair| match pair {
        [certificate, issuer] => Some(Case {
            certificate,
            issuer,
            path,
            evidence,
            at,
        }),
        _ => None,
    })
}
