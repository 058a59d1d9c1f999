//! What all that is at hand says about one certificate, and who is believed.

use sealgate_mail::Timestamp;

use super::crl::{Crl, Listed};
use super::ocsp::{self, Answer, Single, State};
use super::{Evidence, Question, is_askable, lists_of, point};
use crate::certificate::Certificate;
use crate::limits;
use crate::path::{VerifiedPath, verify_signature};

/// What is found about one certificate.
#[derive(Clone, Copy)]
pub(super) enum Found {
    /// Revoked at this time; what is out of date says so, and was said then.
    Revoked(Timestamp, Option<Timestamp>),
    /// Good, as was said then.
    Good(Timestamp),
    Nothing,
}

impl Found {
    /// The worse of two, and the earlier revocation; but what is out of date gives way to what was said later.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Revoked(one, before), Self::Revoked(other, then)) => {
                let said = before.zip(then).map(|(before, then)| before.max(then));
                Self::Revoked(one.min(other), said)
            }
            (Self::Revoked(_, Some(said)), good @ Self::Good(later))
            | (good @ Self::Good(later), Self::Revoked(_, Some(said)))
                if said < later =>
            {
                good
            }
            (revoked @ Self::Revoked(..), _) | (_, revoked @ Self::Revoked(..)) => revoked,
            (Self::Good(one), Self::Good(other)) => Self::Good(one.max(other)),
            (Self::Nothing, found) | (found, Self::Nothing) => found,
        }
    }
}

/// One certificate, the authority that made it, and what is at hand.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) certificate: &'a Certificate,
    pub(super) issuer: &'a Certificate,
    pub(super) path: &'a VerifiedPath,
    pub(super) evidence: &'a Evidence,
    pub(super) at: Timestamp,
}

impl<'a> Case<'a> {
    /// Whom to ask, OCSP before lists.
    pub(super) fn questions(&self) -> Vec<Question> {
        let responders = self.certificate.extensions().responders.iter();
        let request = self.request();
        let ocsp = responders.filter(|url| is_askable(url)).filter_map(|url| {
            Some(Question::Ocsp {
                url: url.clone(),
                request: request.clone()?,
            })
        });
        ocsp.take(limits::QUESTIONS_OF_A_KIND)
            .chain(lists_of(self.certificate, self.path))
            .collect()
    }

    /// The OCSP request about the certificate.
    pub(super) fn request(&self) -> Option<Vec<u8>> {
        ocsp::request(self.certificate, self.issuer)
    }

    pub(super) fn judge(&self) -> Found {
        self.ask_answers()
            .and(self.ask_lists(|list| self.trusts(list)))
    }

    fn ask_answers(&self) -> Found {
        let said: Vec<&Single> = self
            .answers()
            .filter(|(answer, single)| self.believes(answer, single))
            .map(|(_, single)| single)
            .collect();
        let good = said.iter().filter(|single| single.state == State::Good);
        let last_good = good.map(|single| single.freshness.from).max();
        let found = said.iter().map(|single| {
            let (said, current) = (single.freshness.from, single.freshness.includes(self.at));
            let last_word = last_good.is_none_or(|good| good <= said);
            match single.state {
                State::Revoked(when) if current => Found::Revoked(when, None),
                State::Revoked(when) if last_word => Found::Revoked(when, Some(said)),
                State::Good if current => Found::Good(said),
                State::Revoked(_) | State::Good | State::Unknown => Found::Nothing,
            }
        });
        found.fold(Found::Nothing, Found::and)
    }

    /// What answers say about the certificate, whoever signed them.
    fn answers(&self) -> impl Iterator<Item = (&'a Answer, &'a Single)> + use<'a> {
        let (certificate, issuer, at) = (self.certificate, self.issuer, self.at);
        self.evidence.answers.iter().flat_map(move |answer| {
            let singles = answer.about(certificate, issuer, at).into_iter();
            singles.map(move |single| (answer.as_ref(), single))
        })
    }

    /// The newest of them; of two as new, the worse.
    pub(super) fn last_answer(&self) -> Option<(&'a Answer, &'a Single)> {
        let bad = |state: State| match state {
            State::Good => 0,
            State::Unknown => 1,
            State::Revoked(_) => 2,
        };
        self.answers()
            .max_by_key(|(_, single)| (single.freshness.from, bad(single.state)))
    }

    /// RFC 6960 section 4.2.2.2.1: a responder put in charge must not be revoked itself, unless its authority says not to ask.
    fn believes(&self, answer: &Answer, single: &Single) -> bool {
        let Some(signer) = self.signer(answer, single) else {
            return false;
        };
        if signer == self.issuer || signer.extensions().ocsp_no_check {
            return true;
        }
        match self.about(signer).ask_lists(|list| self.trusts(list)) {
            Found::Revoked(..) => false,
            Found::Good(_) => true,
            Found::Nothing => signer.extensions().distribution_points.is_empty(),
        }
    }

    /// Who signed an answer, if he is in charge. One that is out of date is judged as of its own time: it can only revoke.
    pub(super) fn signer(&self, answer: &'a Answer, single: &Single) -> Option<&'a Certificate> {
        let at = if single.freshness.includes(self.at) {
            self.at
        } else {
            answer.produced().min(self.at)
        };
        answer.signer(self.issuer, at, self.path.switches())
    }

    /// Responders that would be believed if a list that they name said that they are good.
    pub(super) fn doubtful_responders(&self) -> Vec<&'a Certificate> {
        let in_doubt = |(answer, single): (&'a Answer, &Single)| {
            let signer = self.signer(answer, single)?;
            (signer != self.issuer && !signer.extensions().ocsp_no_check).then_some(signer)
        };
        self.answers().filter_map(in_doubt).collect()
    }

    /// The same about another certificate by the same authority.
    fn about(&self, certificate: &'a Certificate) -> Self {
        Self {
            certificate,
            ..*self
        }
    }

    /// RFC 5280 section 6.3.3: good if current lists for all reasons are silent.
    fn ask_lists(&self, trusts: impl Fn(&Crl) -> bool) -> Found {
        let fetched = self.evidence.lists.iter().map(|list| (list, false));
        let sent = self.path.sent().lists.iter().map(|list| (list, true));
        let counts = |list: &Crl| {
            let ahead = list.freshness().from.since(self.at) > limits::CLOCK_TOLERANCE;
            !ahead && list.is_about(self.certificate) && trusts(list)
        };
        let lists: Vec<_> = fetched.chain(sent).filter(|(l, _)| counts(l)).collect();
        let current = |list: &Crl| list.freshness().includes(self.at);
        let shows_good = |list: &Crl, sent: bool| !sent && current(list);
        let (mut covered, mut since, mut found) = (0, self.at, Found::Nothing);
        for (list, sent) in &lists {
            let said = list.freshness().from;
            let silent = match list.entry(self.certificate) {
                Some(Listed::Revoked(when)) => {
                    let mut others = lists.iter();
                    let lifting = others.find(|(other, _)| other.lifts(list, self.certificate));
                    if lifting.is_none() {
                        let stale = (!current(list)).then_some(said);
                        found = found.and(Found::Revoked(when, stale));
                    }
                    // A delta list is read as part of the list it changes.
                    lifting
                        .is_some_and(|(other, sent)| other.is_delta() && shows_good(other, *sent))
                }
                Some(Listed::Removed) | None => true,
            };
            if silent && shows_good(list, *sent) {
                covered |= list.reasons_for(self.certificate);
                since = since.min(said);
            }
        }
        match found {
            Found::Nothing if covered == point::ALL_REASONS => Found::Good(since),
            found => found,
        }
    }

    fn trusts(&self, list: &Crl) -> bool {
        is_vouched_for(list, self.path, self.evidence, self.at)
    }
}

/// RFC 5280 section 6.3.3 (f): whether an authority of the path signed the list, or another certificate of the name the list bears,
/// which the same anchor vouches for. That one must not be revoked by a list of its own issuer; no further certificate is asked
/// about.
pub(super) fn is_vouched_for(
    list: &Crl,
    path: &VerifiedPath,
    evidence: &Evidence,
    at: Timestamp,
) -> bool {
    let signed = |one: &&Certificate| {
        one.subject().normal() == *list.issuer() && list.signed_by(one, path.switches())
    };
    let authorities = || path.chain().iter().skip(1);
    if authorities().any(|one| signed(&one)) {
        return true;
    }
    path.list_signers().iter().filter(signed).any(|signer| {
        let issuers =
            authorities().filter(|one| one.subject().normal() == signer.issuer().normal());
        let mut cases = issuers.map(|issuer| Case {
            certificate: signer,
            issuer,
            path,
            evidence,
            at,
        });
        !cases.any(|case| case.is_revoked_by_its_issuer())
    })
}

impl Case<'_> {
    fn is_revoked_by_its_issuer(&self) -> bool {
        let own = |list: &Crl| list.signed_by(self.issuer, self.path.switches());
        verify_signature(self.certificate, self.issuer)
            && matches!(self.ask_lists(own), Found::Revoked(..))
    }
}
