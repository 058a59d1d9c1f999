//! Which list or answer is kept: only what somebody in charge has signed, and never an older one in place of a newer.

use std::cmp::Ordering;

use sealgate_mail::Timestamp;

use super::case::is_vouched_for;
use super::crl::Crl;
use super::ocsp::State;
use super::{Evidence, Freshness, Question, RevocationError, cases, questions};
use crate::certificate::Certificate;
use crate::limits;
use crate::path::VerifiedPath;

/// Whether `new`, which came as the answer to `question` about one of `paths`, may be kept in place of `kept`; gives how long it
/// counts. Whoever stands between us and the authority can hand out what is old or somebody else's, but can sign nothing: what
/// was known before stays then (row X8).
pub fn may_be_kept(
    paths: &[VerifiedPath],
    question: &Question,
    evidence: (&Evidence, &Evidence),
    at: Timestamp,
) -> Result<Freshness, RevocationError> {
    let mut asking = paths
        .iter()
        .filter(|path| questions(path).contains(question))
        .peekable();
    // Lists of responders are named by no certificate of a path.
    let responders = if asking.peek().is_none() { paths } else { &[] };
    let mut refusal = NO_ANSWER;
    for path in asking.chain(responders) {
        match judge_for(path, question, evidence, at) {
            Ok(freshness) => return Ok(freshness),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

fn judge_for(
    path: &VerifiedPath,
    question: &Question,
    (kept, new): (&Evidence, &Evidence),
    at: Timestamp,
) -> Result<Freshness, RevocationError> {
    let freshness = match question {
        Question::Crl { url, .. } => judge_list(path, url, (kept, new), at)?,
        Question::Ocsp { request, .. } => judge_answer(path, request, (kept, new), at)?,
    };
    if freshness.until <= at {
        return Err(RevocationError::Unsupported("it is out of date"));
    }
    if freshness.from.since(at) > limits::CLOCK_TOLERANCE {
        return Err(RevocationError::Unsupported("it is dated ahead"));
    }
    Ok(freshness)
}

const NO_ANSWER: RevocationError = RevocationError::Unsupported("it is about something else");
const NOT_IN_CHARGE: RevocationError =
    RevocationError::Unsupported("nobody who is in charge signed it");
const OLDER: RevocationError = RevocationError::Unsupported("it is older than what is known");

fn judge_list(
    path: &VerifiedPath,
    url: &str,
    (kept, new): (&Evidence, &Evidence),
    at: Timestamp,
) -> Result<Freshness, RevocationError> {
    let list = new.lists.first().ok_or(NO_ANSWER)?;
    let certificates = path.chain().iter().chain(path.list_signers());
    let mut asking = certificates.filter(|one| names(one, url)).peekable();
    if asking.peek().is_some() && !asking.any(|one| list.is_about(one)) {
        return Err(NO_ANSWER);
    }
    if !is_vouched_for(list, path, new, at) {
        return Err(NOT_IN_CHARGE);
    }
    // A list that nobody vouches for here, by a namesake or by a key that was replaced, holds no place.
    let known = kept
        .lists
        .first()
        .filter(|known| known.issuer() == list.issuer() && is_vouched_for(known, path, kept, at));
    if known.is_some_and(|known| takes_nothing(known, list)) {
        return Err(OLDER);
    }
    Ok(list.freshness())
}

/// Whether `new` is an earlier edition than `known`, or only a change to it.
fn takes_nothing(known: &Crl, new: &Crl) -> bool {
    known.edition(new) == Ordering::Greater || new.is_delta() && !known.is_delta()
}

fn names(certificate: &Certificate, url: &str) -> bool {
    let points = &certificate.extensions().distribution_points;
    points
        .iter()
        .any(|point| point.urls().any(|one| one == url))
}

fn judge_answer(
    path: &VerifiedPath,
    request: &[u8],
    (kept, new): (&Evidence, &Evidence),
    at: Timestamp,
) -> Result<Freshness, RevocationError> {
    let asking = |evidence| {
        let mut cases = cases(path, evidence, at);
        cases.find(|case| case.request().as_deref() == Some(request))
    };
    let (case, before) = (
        asking(new).ok_or(NO_ANSWER)?,
        asking(kept).ok_or(NO_ANSWER)?,
    );
    let (answer, single) = case.last_answer().ok_or(NO_ANSWER)?;
    if case.signer(answer, single).is_none() {
        return Err(NOT_IN_CHARGE);
    }
    if let Some((_, known)) = before.last_answer() {
        let forgets = matches!(known.state, State::Revoked(_)) && single.state == State::Unknown;
        if known.freshness.from > single.freshness.from || forgets {
            return Err(OLDER);
        }
    }
    Ok(single.freshness)
}
