//! What an attempt has come to so far: every failure's meaning for each recipient, in one place.

use std::sync::Arc;

use sealgate_core::queue::{AttemptResult, Problem, RecipientResult};
use sealgate_core::saying::{Saying, Servers as Said};
use sealgate_mail::smtp::Envelope;
use sealgate_mail::smtp::client::{Answer, Command, SessionFailure, Unfit};
use sealgate_mail::{Content, EnhancedStatus, Reply};

use crate::dns::DnsFailure;
use crate::limits::CONNECTIONS_PER_ATTEMPT;

/// One copy on its way, over all hosts tried.
pub(super) struct Attempt {
    pub(super) envelope: Envelope,
    pub(super) content: Arc<dyn Content>,
    pub(super) remote: Option<String>,
    pub(super) peer_knows_dsn: bool,
    connections: usize,
    answered: Vec<String>,
    standings: Vec<Standing>,
}

/// Where one recipient stands.
enum Standing {
    /// Another host may be tried; the problem met so far.
    Open(Problem),
    /// This attempt is over.
    Done(RecipientResult),
}

impl Attempt {
    pub(super) fn new(envelope: Envelope, content: Arc<dyn Content>) -> Self {
        let untried = || Standing::Open(problem(EnhancedStatus(4, 4, 0), Said::NoHost {}));
        let standings = envelope.recipients.iter().map(|_| untried()).collect();
        Self {
            envelope,
            content,
            remote: None,
            peer_knows_dsn: false,
            connections: 0,
            answered: Vec::new(),
            standings,
        }
    }

    /// Whether another host is to be tried for some recipient.
    pub(super) fn is_open(&self) -> bool {
        self.standings
            .iter()
            .any(|standing| matches!(standing, Standing::Open(_)))
    }

    /// Counts a connection; `false` if there were enough.
    pub(super) fn may_connect(&mut self) -> bool {
        self.connections = self.connections.saturating_add(1);
        self.connections <= CONNECTIONS_PER_ATTEMPT
    }

    /// This host gave its answers: asking it again in this attempt would be rude.
    pub(super) fn answered_by(&mut self, remote: &str) {
        self.answered.push(remote.to_owned());
    }

    pub(super) fn was_answered_by(&self, remote: &str) -> bool {
        self.answered.iter().any(|known| known == remote)
    }

    /// The envelope for the recipients still open.
    pub(super) fn open_envelope(&self) -> Envelope {
        let open = self.envelope.recipients.iter().zip(&self.standings);
        let open = open.filter(|(_, standing)| matches!(standing, Standing::Open(_)));
        Envelope {
            recipients: open.map(|(recipient, _)| recipient.clone()).collect(),
            ..self.envelope.clone()
        }
    }

    /// A host could not be used.
    pub(super) fn note(&mut self, problem: &Problem) {
        self.open()
            .for_each(|standing| *standing = Standing::Open(problem.clone()));
    }

    /// No host will do.
    pub(super) fn fail(&mut self, problem: &Problem) {
        self.open().for_each(|standing| {
            *standing = Standing::Done(RecipientResult::Permanent(problem.clone()))
        });
    }

    /// The answers of one host for the recipients that were open, in order.
    pub(super) fn record(&mut self, answers: Vec<Answer>) {
        for (standing, answer) in self.open().zip(answers) {
            *standing = settle(answer);
        }
    }

    pub(super) fn into_result(self) -> AttemptResult {
        let recipients = self.standings.into_iter().map(|standing| match standing {
            Standing::Open(problem) => RecipientResult::Temporary(problem),
            Standing::Done(result) => result,
        });
        AttemptResult {
            remote: self.remote,
            peer_knows_dsn: self.peer_knows_dsn,
            recipients: recipients.collect(),
        }
    }

    fn open(&mut self) -> impl Iterator<Item = &mut Standing> {
        self.standings
            .iter_mut()
            .filter(|standing| matches!(standing, Standing::Open(_)))
    }
}

/// What a host's answer means for one recipient.
fn settle(answer: Answer) -> Standing {
    match answer {
        Answer::Accepted(reply) => Standing::Done(RecipientResult::Delivered(reply)),
        // RFC 5321 section 4.5.3.1.10: 552 to RCPT may mean "too many recipients"; it counts as 452.
        Answer::Refused {
            at: Command::Rcpt(_),
            reply,
        } if reply.code == 552 => Standing::Open(for_now(&reply)),
        Answer::Refused { reply, .. } if reply.is_permanent() => {
            Standing::Done(RecipientResult::Permanent(refused(reply)))
        }
        Answer::Refused { reply, .. } => Standing::Open(refused(reply)),
        Answer::Failed(failure) => Standing::Open(session_problem(&failure)),
        // The host may have the mail: asking another host now would make a duplicate likely.
        Answer::Unknown(failure) => {
            let why = Said::from(&failure).into();
            Standing::Done(RecipientResult::Temporary(problem(
                EnhancedStatus(4, 4, 2),
                Said::MayHaveArrived { why },
            )))
        }
    }
}

pub(super) fn problem(status: EnhancedStatus, said: Said) -> Problem {
    Problem {
        status,
        reply: None,
        said: said.into(),
    }
}

fn refused(reply: Reply) -> Problem {
    Problem {
        status: reply.status_or_general(),
        said: answered(&reply),
        reply: Some(reply),
    }
}

/// A refusal that says nothing final about a recipient.
fn for_now(reply: &Reply) -> Problem {
    let EnhancedStatus(_, subject, detail) = reply.status_or_general();
    let status = EnhancedStatus(4, subject, detail);
    Problem {
        status,
        said: answered(reply),
        reply: Some(reply.clone()),
    }
}

fn answered(reply: &Reply) -> Box<Saying> {
    let reply = reply.to_string();
    Said::Answered { reply }.into()
}

/// Why a session failed (RFC 3463 section 3). Never final: it says nothing about a recipient.
pub(super) fn session_problem(failure: &SessionFailure) -> Problem {
    let said = Said::from(failure);
    match failure {
        SessionFailure::Refused { reply, .. } | SessionFailure::Closing(reply) => Problem {
            said: said.into(),
            ..for_now(reply)
        },
        SessionFailure::Protocol(_) => problem(EnhancedStatus(4, 5, 0), said),
        SessionFailure::NoTls => problem(EnhancedStatus(4, 7, 4), said),
        SessionFailure::NoAuth => problem(EnhancedStatus(4, 7, 0), said),
        SessionFailure::Connection(_) => problem(EnhancedStatus(4, 4, 2), said),
        SessionFailure::Content(_) => problem(EnhancedStatus(4, 3, 0), said),
    }
}

/// The mail cannot be handed to the peer as it is.
pub(super) fn unfit_problem(unfit: Unfit) -> Problem {
    problem(unfit.status(), unfit.into())
}

/// A name gave no server. `NoSuchDomain` is final here: the caller asks for the recipients' own domain.
pub(super) fn dns_problem(failure: &DnsFailure, name: &str) -> Problem {
    let status = match failure {
        DnsFailure::Temporary(_) => EnhancedStatus(4, 4, 3),
        DnsFailure::NoSuchDomain => EnhancedStatus(5, 1, 2),
        // RFC 7505 section 4.2.
        DnsFailure::NullMx => EnhancedStatus(5, 1, 10),
    };
    problem(status, of_name(failure, name))
}

/// What is wrong with a name.
pub(super) fn of_name(failure: &DnsFailure, name: &str) -> Said {
    Said::At {
        server: name.to_owned(),
        why: Said::from(failure).into(),
    }
}
