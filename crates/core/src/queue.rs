//! The queue: what an outgoing copy is, the states it goes through, and when it is tried again.
//!
//! One operation leads out of each state; a crash before its commit leaves the state as it was:
//!
//! | state of a mail | operation | next | crash before the commit |
//! |---|---|---|---|
//! | `to-open` | open: verify, decrypt, settle, make copies | copies `waiting`, refused ones reported or `held` | opened again |
//! | `done` | none: all its copies are made | | |
//!
//! | state of one recipient of a copy | operation | next | crash before the commit |
//! |---|---|---|---|
//! | `waiting` | lease and attempt at `next_attempt` | `delivered`, `waiting`, `failed` with its report | attempted again; the peer may have it twice |
//! | `delivered` | none | | |
//! | `failed` | none: the report is a mail of its own, made in the same transaction | | |
//! | `held` | release, retry, delete by an administrator; expiry | `waiting` or `deleted` | still held |
//! | `deleted` | none | | |

use std::fmt;
use std::sync::Arc;

use sealgate_mail::smtp::{EnvelopeRecipient, MailParams};
use sealgate_mail::{Domain, EnhancedStatus, Reply, ReversePath, Timestamp};
use serde::{Deserialize, Serialize};

use crate::journal::MailStatus;
use crate::limits::RETRY_LONGEST;
use crate::ports::StoredContent;
use crate::saying::{Saying, Servers};

/// Number of an accepted mail in the store; shown as the queue id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MailId(pub i64);

/// Number of an outgoing copy in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CopyId(pub i64);

/// An outgoing copy: the recipients of one outcome, the envelope, and the bytes they all get.
/// Only `core` makes one, from settled outcomes or as a report; only such a copy is ever sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub(crate) from: ReversePath,
    pub(crate) params: MailParams,
    pub(crate) recipients: Vec<EnvelopeRecipient>,
    pub(crate) head: Vec<u8>,
    pub(crate) body: Body,
    pub(crate) status: MailStatus,
}

/// The part of a copy that lies in the store: a content from an offset on.
#[derive(Clone, Debug)]
pub struct Body {
    /// The content.
    pub content: Arc<dyn StoredContent>,
    /// First octet that belongs to the copy.
    pub from: u64,
}

impl Outgoing {
    /// MAIL FROM.
    pub fn from(&self) -> &ReversePath {
        &self.from
    }
    /// Parameters of MAIL FROM.
    pub fn params(&self) -> &MailParams {
        &self.params
    }
    /// RCPT TO.
    pub fn recipients(&self) -> &[EnvelopeRecipient] {
        &self.recipients
    }
    /// The header block with its blank line, sent before the body.
    pub fn head(&self) -> &[u8] {
        &self.head
    }
    /// What is sent after the head.
    pub fn body(&self) -> &Body {
        &self.body
    }
    /// What was done to it, for the mail overview.
    pub fn status(&self) -> MailStatus {
        self.status
    }

    /// Puts whole fields, each ended by CRLF, on top of its header block.
    pub fn put_first(&mut self, fields: &str) {
        self.head.splice(..0, fields.bytes());
    }
}

/// How much TLS a delivery asks for.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum TlsRequirement {
    /// STARTTLS if offered, plain otherwise.
    #[default]
    Opportunistic,
    /// Never without TLS; the certificate is not judged.
    Required,
    /// Never without TLS, and the certificate is valid for the host's name.
    Verified,
}

impl TlsRequirement {
    /// The word of configuration and lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opportunistic => "opportunistic",
            Self::Required => "required",
            Self::Verified => "verified",
        }
    }
}

/// Which addresses a named server may have.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// All: the operator named it, or an organisation that has the installation to itself.
    #[default]
    Everywhere,
    /// Public ones, and those that the operator lets organisations name: the administrator of one of several organisations
    /// named it.
    Public,
}

/// Where a copy is handed over.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NextHop {
    /// A named server: an inbound route's target, a destination or a smarthost.
    Host {
        /// Name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// TLS asked for.
        #[serde(default)]
        tls: TlsRequirement,
        /// SMTP AUTH, only ever sent under TLS.
        #[serde(default)]
        credentials: Option<Credentials>,
        /// Which addresses it may have; judged each time a connection is made.
        #[serde(default)]
        reach: Reach,
    },
    /// The servers that the domain's MX records name (RFC 5321 section 5.1).
    Mx {
        /// The domain.
        domain: Domain,
        /// TLS asked for.
        #[serde(default)]
        tls: TlsRequirement,
    },
}

/// User name and password for a smarthost.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Credentials {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, ...)", self.user)
    }
}

/// How mail to one external domain leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// Its own next hop; else smarthost or MX.
    pub hop: Option<NextHop>,
    /// TLS asked for.
    pub tls: TlsRequirement,
}

impl NextHop {
    /// The servers of `domain`'s MX records, TLS if they offer it.
    pub fn by_mx(domain: &Domain) -> Self {
        Self::Mx {
            domain: domain.clone(),
            tls: TlsRequirement::default(),
        }
    }

    /// The same next hop, with at least `tls` asked for.
    #[must_use]
    pub fn at_least(self, wanted: TlsRequirement) -> Self {
        match self {
            Self::Host {
                host,
                port,
                tls,
                credentials,
                reach,
            } => Self::Host {
                host,
                port,
                tls: tls.max(wanted),
                credentials,
                reach,
            },
            Self::Mx { domain, tls } => Self::Mx {
                domain,
                tls: tls.max(wanted),
            },
        }
    }
}

/// What an attempt to hand over a copy came to, one result for each recipient, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptResult {
    /// Host and address that were spoken to last, for the report.
    pub remote: Option<String>,
    /// Whether the peer offered DSN (RFC 3461): if not, we report success ourselves as "relayed".
    pub peer_knows_dsn: bool,
    /// Per recipient.
    pub recipients: Vec<RecipientResult>,
}

/// What an attempt came to for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecipientResult {
    /// The peer took responsibility.
    Delivered(Reply),
    /// Not now: a 4xx, no connection, no DNS answer, a lost connection, no reply to the final dot.
    Temporary(Problem),
    /// Never: a 5xx, no such domain, null MX, the peer lacks what the mail needs.
    Permanent(Problem),
}

/// Why an attempt failed: what the peer said, or what we saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The status for the report (RFC 3463).
    pub status: EnhancedStatus,
    /// The peer's reply, if it is the peer's.
    pub reply: Option<Reply>,
    /// What we saw.
    pub said: Box<Saying>,
}

/// How often and how long a copy is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Seconds from acceptance after which a copy fails.
    pub lifetime: i64,
    /// Seconds from acceptance after which the sender is told of a delay.
    pub delay_notice: i64,
    /// Seconds before the first retry; each further wait doubles.
    pub first: i64,
}

/// Where one recipient of a copy stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientState {
    /// When the mail was accepted.
    pub accepted: Timestamp,
    /// Attempts so far, the one just made not counted.
    pub attempts: u32,
    /// Whether the sender was told of a delay.
    pub delay_told: bool,
}

/// What becomes of one recipient after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// Done.
    Delivered,
    /// Tried again.
    Retry {
        /// When.
        at: Timestamp,
        /// Whether the sender is told of a delay now.
        tell_delay: bool,
        /// What went wrong.
        problem: Problem,
    },
    /// Given up; the sender gets a report if the failure module says so.
    Failed(Problem),
}

/// What becomes of one recipient after an attempt that ended at `now` with `result`.
///
/// `jitter` is chance from the caller, 0 to 1000, so that copies that failed together do not come back together.
/// The last try is made at the end of the lifetime, never later and never left out.
pub fn after_attempt(
    state: &RecipientState,
    result: &RecipientResult,
    now: Timestamp,
    policy: RetryPolicy,
    jitter: u32,
) -> After {
    let problem = match result {
        RecipientResult::Delivered(_) => return After::Delivered,
        RecipientResult::Permanent(problem) => return After::Failed(problem.clone()),
        RecipientResult::Temporary(problem) => problem.clone(),
    };
    let expiry = state.accepted.plus(policy.lifetime);
    if now >= expiry {
        return After::Failed(expired(problem));
    }
    let overdue = now.since(state.accepted) >= policy.delay_notice;
    After::Retry {
        at: now
            .plus(wait(policy.first, state.attempts, jitter))
            .min(expiry),
        tell_delay: overdue && !state.delay_told,
        problem,
    }
}

/// Seconds until the next attempt: doubles from `first`, plus up to a quarter by chance, at most [`RETRY_LONGEST`].
fn wait(first: i64, attempts: u32, jitter: u32) -> i64 {
    let doubled = 1i64
        .checked_shl(attempts.min(32))
        .unwrap_or(i64::MAX)
        .saturating_mul(first.max(1));
    let base = doubled.min(RETRY_LONGEST.saturating_mul(4) / 5);
    let chance = i64::from(jitter.min(1000));
    base.saturating_add(base.saturating_mul(chance) / 4000)
}

/// RFC 3463 section 3.5: X.4.7, delivery time expired; what the peer said stays.
fn expired(problem: Problem) -> Problem {
    Problem {
        status: EnhancedStatus(5, 4, 7),
        reply: problem.reply,
        said: Servers::GivenUp { why: problem.said }.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::RETRY_FIRST;

    const POLICY: RetryPolicy = RetryPolicy {
        first: RETRY_FIRST,
        lifetime: 5 * 86_400,
        delay_notice: 4 * 3_600,
    };
    const DAY: i64 = 86_400;

    fn problem(class: u8) -> Problem {
        Problem {
            status: EnhancedStatus(class, 2, 0),
            reply: Some(Reply::received(u16::from(class) * 100 + 50, "no")),
            said: Servers::NoHost {}.into(),
        }
    }

    fn state(attempts: u32, delay_told: bool) -> RecipientState {
        RecipientState {
            accepted: Timestamp(0),
            attempts,
            delay_told,
        }
    }

    #[test]
    fn retries_until_the_lifetime_ends() {
        // attempts so far, delay told, now, jitter -> next attempt, whether the delay is told now
        let table = [
            (0, false, 0, 0, 60, false),
            (0, false, 0, 1000, 75, false),
            (1, false, 100, 0, 220, false),
            (3, false, 1000, 500, 1000 + 480 + 60, false),
            (5, false, 14_399, 0, 14_399 + 1920, false),
            (6, false, 14_400, 0, 14_400 + 2880, true),
            (6, true, 14_400, 0, 14_400 + 2880, false),
            (6, true, 14_400, 1000, 14_400 + 3600, false),
            (4_000_000_000, true, DAY, 4_000_000_000, DAY + 3600, false),
            // The last try is at the end of the lifetime.
            (99, true, 5 * DAY - 10, 0, 5 * DAY, false),
            (99, false, 5 * DAY - 1, 0, 5 * DAY, true),
            // A clock that went back does not make a wait longer.
            (0, false, -100, 0, -40, false),
        ];
        for (attempts, told, now, jitter, next, tell) in table {
            let temporary = RecipientResult::Temporary(problem(4));
            let found = after_attempt(
                &state(attempts, told),
                &temporary,
                Timestamp(now),
                POLICY,
                jitter,
            );
            let expected = After::Retry {
                at: Timestamp(next),
                tell_delay: tell,
                problem: problem(4),
            };
            assert_eq!(found, expected, "{attempts} {now}");
        }
    }

    #[test]
    fn ends() {
        let temporary = RecipientResult::Temporary(problem(4));
        let permanent = RecipientResult::Permanent(problem(5));
        let delivered = RecipientResult::Delivered(Reply::received(250, "ok"));
        let at = |now| Timestamp(now);
        let after = |result, now| after_attempt(&state(3, true), result, at(now), POLICY, 0);
        assert_eq!(after(&delivered, 6 * DAY), After::Delivered);
        assert_eq!(after(&permanent, 0), After::Failed(problem(5)));
        for now in [5 * DAY, 40 * DAY] {
            let After::Failed(found) = after(&temporary, now) else {
                panic!("not given up at {now}");
            };
            assert_eq!(found.status, EnhancedStatus(5, 4, 7));
            assert_eq!(found.reply, problem(4).reply);
        }
    }

    #[test]
    fn waits_stay_in_their_limits() {
        for attempts in 0..100 {
            for jitter in [0, 1, 500, 999, 1000, u32::MAX] {
                let wait = wait(RETRY_FIRST, attempts, jitter);
                assert!(
                    (RETRY_FIRST..=RETRY_LONGEST).contains(&wait),
                    "{attempts} {jitter} {wait}"
                );
            }
        }
    }
}
