//! An external command as an authority: one run of the operator's program for each verb; the exit code is the answer. The
//! contract stands in docs/authorities.md.
//!
//! The program is run without a shell, with an environment of its own, and never waited for beyond its time. Whether what it
//! gives fits the order is judged by whoever asked.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use sealgate_core::authority::{
    AuthorityFailure, CommandSettings, Progress, RevocationReason, Revoked, ToRevoke, Wanted,
};
use sealgate_core::saying::{Authorities as Said, Inputs};
use sealgate_smime::certificate::Certificate;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use super::{Answering, Authority};
use crate::limits::{
    COMMAND_AGAIN, COMMAND_AGAIN_RANGE, COMMAND_COMPLAINT, COMMAND_HANDLE_CHARS,
    COMMAND_LINE_CHARS, COMMAND_LINGER, COMMAND_LONGEST, COMMAND_OUTPUT,
};

/// Where the program finds others.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Exit code for "refused for good": EX_DATAERR of sysexits.h.
const REFUSED: i32 = 65;
/// Exit codes for "no such order": EX_NOINPUT and EX_NOUSER.
const UNKNOWN: [i32; 2] = [66, 67];
/// Exit code for "not yet": EX_TEMPFAIL.
const NOT_YET: i32 = 75;

/// The connector.
#[derive(Clone, Debug)]
pub struct ExternalCommand(CommandSettings);

impl ExternalCommand {
    /// Speaks to the program that `settings` name.
    pub fn new(settings: CommandSettings) -> Self {
        Self(settings)
    }

    /// Why these settings cannot be used, in words for whoever gave them; nothing if they can.
    pub fn problem(settings: &CommandSettings) -> Option<Inputs> {
        let program = &settings.program;
        if !program.starts_with('/') {
            return Some(Inputs::CommandPath {
                program: program.clone(),
            });
        }
        if !std::path::Path::new(program).is_file() {
            return Some(Inputs::NoProgram {
                program: program.clone(),
            });
        }
        (!(1..=COMMAND_LONGEST).contains(&settings.timeout)).then_some(Inputs::CommandTime {
            most: COMMAND_LONGEST,
        })
    }

    /// The longest that one verb takes.
    pub fn longest(&self) -> Duration {
        let seconds = self.0.timeout.clamp(1, COMMAND_LONGEST);
        Duration::from_secs(seconds.unsigned_abs())
    }

    async fn ordered(
        &self,
        verb: &'static str,
        wanted: &Wanted,
    ) -> Result<Progress, AuthorityFailure> {
        let ended = self.run(of_order(verb, wanted)).await?;
        let before = wanted.handle.as_deref().unwrap_or_default();
        match ended.code {
            Some(0) => issued(&ended.out),
            Some(NOT_YET) => Ok(not_yet(&ended.out, before)),
            Some(code) if verb == "collect" && UNKNOWN.contains(&code) => Ok(Progress::Unknown),
            _ => Err(ended.failure()),
        }
    }

    async fn run(&self, call: Call) -> Result<Ended, AuthorityFailure> {
        let program = &self.0.program;
        let mut child = Command::new(program)
            .args(&self.0.arguments)
            .arg(call.verb)
            .env_clear()
            .env("PATH", SEARCH_PATH)
            .envs(call.environment)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| {
                tracing::warn!(program, %error, "the command of an authority cannot be run");
                AuthorityFailure::passing(Said::ProgramNotRun {
                    why: error.to_string(),
                })
            })?;
        // Ends with this function, however it ends.
        let _group = Group::of(&child);
        match timeout(self.longest(), talk(&mut child, call.input)).await {
            Ok(ended) => ended,
            Err(_) => {
                let seconds = self.0.timeout.clamp(1, COMMAND_LONGEST);
                tracing::warn!(program, seconds, "the command of an authority was ended");
                Err(AuthorityFailure::passing(Said::ProgramTooLong {
                    verb: call.verb.to_owned(),
                    seconds,
                }))
            }
        }
    }
}

impl Authority for ExternalCommand {
    fn request<'a>(&'a self, wanted: &'a Wanted) -> Answering<'a, Progress> {
        Box::pin(self.ordered("request", wanted))
    }

    fn collect<'a>(&'a self, wanted: &'a Wanted) -> Answering<'a, Progress> {
        Box::pin(self.ordered("collect", wanted))
    }

    fn revoke<'a>(&'a self, what: &'a ToRevoke) -> Answering<'a, Revoked> {
        Box::pin(async move {
            let ended = self.run(of_revocation(what)).await?;
            match ended.code {
                Some(0) => Ok(Revoked::Confirmed),
                Some(NOT_YET) => Ok(Revoked::Waiting),
                _ => Err(ended.failure()),
            }
        })
    }
}

/// One run of the program.
struct Call {
    verb: &'static str,
    input: String,
    environment: Vec<(&'static str, String)>,
}

fn of_order(verb: &'static str, wanted: &Wanted) -> Call {
    let mut environment = vec![
        ("SEALGATE_ORDER", wanted.order.0.to_string()),
        ("SEALGATE_MAILBOX", wanted.address.to_string()),
    ];
    environment.extend(handle(wanted.handle.as_ref()));
    Call {
        verb,
        input: sealgate_smime::pem::write("CERTIFICATE REQUEST", &wanted.csr),
        environment,
    }
}

fn of_revocation(what: &ToRevoke) -> Call {
    let certificate = &what.certificate;
    let mut environment = vec![
        ("SEALGATE_SERIAL", certificate.serial_hex()),
        ("SEALGATE_REASON", reason(what.reason).to_owned()),
    ];
    let address = certificate.addresses().first();
    environment.extend(address.map(|address| ("SEALGATE_MAILBOX", address.to_string())));
    environment.extend(handle(what.handle.as_ref()));
    Call {
        verb: "revoke",
        input: certificate.pem(),
        environment,
    }
}

fn handle(handle: Option<&String>) -> Option<(&'static str, String)> {
    handle
        .filter(|handle| !handle.is_empty())
        .map(|handle| ("SEALGATE_HANDLE", handle.clone()))
}

/// The names of RFC 5280 section 5.3.1, which `openssl ca -crl_reason` takes too.
const fn reason(reason: RevocationReason) -> &'static str {
    match reason {
        RevocationReason::Unspecified => "unspecified",
        RevocationReason::KeyCompromise => "keyCompromise",
        RevocationReason::Superseded => "superseded",
        RevocationReason::CessationOfOperation => "cessationOfOperation",
    }
}

/// The certificates that a program wrote, its own first; roots that come along are left out.
fn issued(out: &[u8]) -> Result<Progress, AuthorityFailure> {
    let certificates = Certificate::read_all(out).map_err(|error| {
        let why = Inputs::from(error).into();
        AuthorityFailure::passing(Said::CommandNoChain { why })
    })?;
    let mut chain = certificates.into_iter();
    let own = chain.next();
    let issuers = chain.filter(|issuer| !issuer.self_issued());
    Ok(Progress::Issued(own.into_iter().chain(issuers).collect()))
}

/// What "not yet" says: optional lines `handle: TEXT` and `again-in: SECONDS`. Without a handle, the one before stays.
fn not_yet(out: &[u8], before: &str) -> Progress {
    let text = String::from_utf8_lossy(out);
    let value = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(word, _)| word.trim().eq_ignore_ascii_case(name));
        found.map(|(_, value)| clean(value, COMMAND_HANDLE_CHARS))
    };
    let (soonest, latest) = COMMAND_AGAIN_RANGE;
    let again_in = value("again-in").and_then(|seconds| seconds.parse().ok());
    Progress::Waiting {
        handle: value("handle").unwrap_or_else(|| before.to_owned()),
        again_in: again_in.unwrap_or(COMMAND_AGAIN).clamp(soonest, latest),
    }
}

/// What a run came to.
#[derive(Debug)]
struct Ended {
    /// The exit code; none if a signal ended it.
    code: Option<i32>,
    out: Vec<u8>,
    /// The last line of what it complained.
    complaint: String,
}

impl Ended {
    fn new(status: ExitStatus, out: Vec<u8>, complaint: &[u8]) -> Self {
        let text = String::from_utf8_lossy(complaint);
        let lines = text.lines().map(|line| clean(line, COMMAND_LINE_CHARS));
        Self {
            code: status.code(),
            out,
            complaint: lines
                .rev()
                .find(|line| !line.is_empty())
                .unwrap_or_default(),
        }
    }

    /// What it is where its code is no answer.
    fn failure(&self) -> AuthorityFailure {
        let how = match self.code {
            Some(REFUSED) => Said::CommandRefused {},
            Some(code) => Said::CommandEnded { code: code.into() },
            None => Said::CommandKilled {},
        };
        let said = match self.complaint.as_str() {
            "" => how,
            complaint => Said::CommandSays {
                how: how.into(),
                words: complaint.to_owned(),
            },
        };
        match self.code {
            Some(REFUSED) => AuthorityFailure::permanent(said),
            _ => AuthorityFailure::passing(said),
        }
    }
}

/// One line without control characters, at most so long.
fn clean(line: &str, chars: usize) -> String {
    let printable = line.trim().chars().filter(|c| !c.is_control());
    printable.take(chars).collect()
}

/// The process group of a run: ended with all that the program left behind.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let number = child.id().and_then(|id| i32::try_from(id).ok());
        Self(number.and_then(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // An error says that nobody is left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Hands in the input and takes the output until the program has ended.
async fn talk(child: &mut Child, input: String) -> Result<Ended, AuthorityFailure> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut out, mut complaint) = (Vec::new(), Vec::new());
    let status = {
        let pipes = async {
            tokio::join!(
                feed(stdin, input),
                read(stdout, &mut out),
                keep_last(stderr, &mut complaint)
            )
        };
        tokio::pin!(pipes);
        tokio::select! {
            _ = &mut pipes => child.wait().await,
            status = child.wait() => {
                // A process left behind may hold the output for ever.
                let _ = timeout(COMMAND_LINGER, &mut pipes).await;
                status
            }
        }
    };
    let status = status.map_err(super::ours)?;
    if out.len() > COMMAND_OUTPUT {
        return Err(AuthorityFailure::passing(Said::CommandOutput {
            most: COMMAND_OUTPUT,
        }));
    }
    Ok(Ended::new(status, out, &complaint))
}

/// A program that does not read all of its input ends the pipe: that is its business.
async fn feed(stdin: Option<ChildStdin>, input: String) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(input.as_bytes()).await;
    }
}

/// Reads at most one octet more than is allowed, and closes the pipe.
async fn read(from: Option<impl AsyncRead + Unpin>, out: &mut Vec<u8>) {
    if let Some(from) = from {
        // What came before an error is judged.
        let _ = from.take(COMMAND_OUTPUT as u64 + 1).read_to_end(out).await;
    }
}

/// Reads to the end and keeps the last octets.
async fn keep_last(from: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut from) = from else { return };
    let mut piece = vec![0; COMMAND_COMPLAINT / 8];
    while let Ok(length) = from.read(&mut piece).await {
        let Some(read) = piece.get(..length).filter(|read| !read.is_empty()) else {
            return;
        };
        kept.extend_from_slice(read);
        let excess = kept.len().saturating_sub(COMMAND_COMPLAINT);
        kept.drain(..excess);
    }
}

#[cfg(test)]
mod tests;
