//! Whether the certificates of a path were revoked: which questions a path leaves open, and what CRLs (RFC 5280 section 6.3) and
//! OCSP answers (RFC 6960) say to them at a given time. Nothing is fetched here.

use std::sync::Arc;

use sealgate_mail::Timestamp;

use crate::asn1::Asn1Error;
use crate::certificate::Certificate;
use crate::limits;
use crate::path::VerifiedPath;

mod crl;
mod ocsp;
mod point;

#[cfg(test)]
mod tests;

pub(crate) use point::read_points;
pub use point::{DistributionPoint, PointName};

use crl::Crl;
use ocsp::{Answer, State};

/// One question that somebody else can answer. The same certificate always gives the same octets, so that a question can
/// be the key of a cache.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// The list at this address.
    Crl {
        /// Where it lies; http or https.
        url: String,
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
            Self::Crl { url } | Self::Ocsp { url, .. } => url,
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
    /// A certificate was revoked at this time.
    Revoked(Timestamp),
    /// At least one answer is missing.
    Unknown,
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
/// certificate OCSP before CRL. At most `limits::QUESTIONS`, http and https only; whether an address may be asked at all is for
/// the caller to say. They may be asked one after the other until [`judge`] says other than [`Status::Unknown`].
pub fn questions(path: &VerifiedPath) -> Vec<Question> {
    let mut found: Vec<Question> = Vec::new();
    for pair in path.chain().windows(2) {
        if let [certificate, issuer] = pair {
            for question in questions_about(certificate, issuer) {
                if !found.contains(&question) && found.len() < limits::QUESTIONS {
                    found.push(question);
                }
            }
        }
    }
    found
}

fn questions_about(certificate: &Certificate, issuer: &Certificate) -> Vec<Question> {
    let extensions = certificate.extensions();
    let responders = extensions.responders.iter().filter(|url| is_askable(url));
    let request = ocsp::request(certificate, issuer);
    let ocsp = responders.filter_map(|url| {
        Some(Question::Ocsp {
            url: url.clone(),
            request: request.clone()?,
        })
    });
    // The names of one point are names of one list: the first that can be asked will do.
    let points = extensions.distribution_points.iter();
    let lists = points
        .filter(|point| !point.indirect)
        .filter_map(|point| point.urls().find(|url| is_askable(url)))
        .map(|url| Question::Crl { url: url.into() });
    ocsp.take(limits::QUESTIONS_OF_A_KIND)
        .chain(lists.take(limits::QUESTIONS_OF_A_KIND))
        .collect()
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
/// A certificate that is revoked by any list or answer is revoked, at the earliest time that is named, whether it names one or not, and by lists that came with the
/// message too (those show nothing else). "On hold" is revoked.
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
    for pair in path.chain().windows(2) {
        let [certificate, issuer] = pair else {
            continue;
        };
        let case = Case {
            certificate,
            issuer,
            path,
            at,
        };
        let (sent, found) = (case.judge(path.sent()), case.judge(evidence));
        let known = [earliest, sent.revoked(), found.revoked()];
        earliest = known.into_iter().flatten().min();
        match (found, due(certificate)) {
            (Found::Nothing, true) => status = Status::Unknown,
            (Found::Good, true) if status == Status::NotNamed => status = Status::Good,
            _ => {}
        }
    }
    match earliest {
        // One that lies ahead does not stand in for the answers that are missing.
        Some(when) if when <= at || status != Status::Unknown => Status::Revoked(when),
        _ => status,
    }
}

/// What is found about one certificate.
enum Found {
    Revoked(Timestamp),
    Good,
    Nothing,
}

impl Found {
    fn revoked(&self) -> Option<Timestamp> {
        match self {
            Self::Revoked(when) => Some(*when),
            Self::Good | Self::Nothing => None,
        }
    }

    /// The worse of two; of two revocations the earlier.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Revoked(one), Self::Revoked(other)) => Self::Revoked(one.min(other)),
            (Self::Revoked(when), _) | (_, Self::Revoked(when)) => Self::Revoked(when),
            (Self::Nothing, Self::Nothing) => Self::Nothing,
            _ => Self::Good,
        }
    }
}

/// One certificate of a path, and the authority that made it.
struct Case<'a> {
    certificate: &'a Certificate,
    issuer: &'a Certificate,
    path: &'a VerifiedPath,
    at: Timestamp,
}

impl Case<'_> {
    fn judge(&self, evidence: &Evidence) -> Found {
        self.ask_answers(evidence).and(self.ask_lists(evidence))
    }

    fn ask_answers(&self, evidence: &Evidence) -> Found {
        let mut found = Found::Nothing;
        for answer in &evidence.answers {
            let state = answer.state(self.certificate, self.issuer, self.at);
            let trusted = |_: &State| self.trusts_signer(answer, evidence);
            found = found.and(match state.filter(trusted) {
                Some(State::Revoked(when)) => Found::Revoked(when),
                Some(State::Good) => Found::Good,
                Some(State::Unknown) | None => Found::Nothing,
            });
        }
        found
    }

    /// RFC 6960 section 4.2.2.2.1: a responder put in charge must not be revoked itself, unless its authority says not to ask.
    fn trusts_signer(&self, answer: &Answer, evidence: &Evidence) -> bool {
        let Some(signer) = answer.signer(self.issuer, self.at) else {
            return false;
        };
        if signer == self.issuer || signer.extensions().ocsp_no_check {
            return true;
        }
        let about_signer = Case {
            certificate: signer,
            ..*self
        };
        !matches!(about_signer.ask_lists(evidence), Found::Revoked(_))
    }

    /// RFC 5280 section 6.3.3: good if lists for all reasons are silent.
    fn ask_lists(&self, evidence: &Evidence) -> Found {
        let (mut covered, mut found) = (0, Found::Nothing);
        for list in &evidence.lists {
            if !list.is_about(self.certificate, self.at) || !self.trusts_list(list) {
                continue;
            }
            if let Some(when) = list.revoked(self.certificate.serial()) {
                found = found.and(Found::Revoked(when));
            }
            covered |= list.reasons_for(self.certificate);
        }
        if covered == point::ALL_REASONS {
            found.and(Found::Good)
        } else {
            found
        }
    }

    /// Signed by the key that made the certificate, or by another certificate of the same name that the same anchor vouches for.
    fn trusts_list(&self, list: &Crl) -> bool {
        if list.signed_by(self.issuer) {
            return true;
        }
        let mut signers = self.path.list_signers().iter();
        signers.any(|signer| {
            signer.subject().normal() == self.issuer.subject().normal() && list.signed_by(signer)
        })
    }
}
