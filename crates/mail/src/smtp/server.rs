//! The server's side of an SMTP session as a pure state machine (RFC 5321).
//!
//! The driver hands over what it read with [`Server::advance`], does what the returned [`Action`] says, and writes out
//! [`Server::take_output`]. After a question (`Authenticate`, `Mail`, `Rcpt`, `BeginData`, `EndOfData`, `StartTls`)
//! nothing of the input is looked at until it is answered, so pipelined commands (RFC 2920) are answered one by one and
//! in order. The `250` after the end of data can be said only with a [`Receipt`].

use std::mem;

use super::command::{self, Command, Grammar};
use super::data::{DataReader, Piece};
pub use super::received::{ReceivedFacts, received};
use super::reply::{self, Text};
use super::{Envelope, EnvelopeRecipient, MailParams, Receipt};
use crate::limits::{
    AUTH_LINE_OCTETS, COMMAND_ERRORS, IDLE_COMMANDS, RECIPIENTS, REFUSED_RECIPIENTS, REPLIES_OCTETS,
};
use crate::{EnhancedStatus, Reply, ReversePath};

mod action;
mod auth;

pub use action::{Action, Listener, Password, ServerConfig, TlsFacts};
use auth::Challenge;

/// What the machine waits for.
#[derive(Debug)]
enum State {
    Greeting,
    Command,
    /// The next line is the response to a challenge.
    Response(Challenge),
    /// The driver must answer first.
    Asked(Question),
    Data(DataReader),
    Closed,
}

#[derive(Debug)]
enum Question {
    Authenticate,
    Mail(ReversePath, MailParams),
    Rcpt(EnvelopeRecipient),
    BeginData,
    EndOfData,
    StartTls,
}

/// What is counted against the limits of a session.
#[derive(Debug, Default)]
struct Counters {
    errors: u32,
    idle: u32,
    tries: u32,
    refused: u32,
}

/// What the client said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Its name.
    pub name: String,
    /// Whether by EHLO.
    pub esmtp: bool,
}

/// One session.
pub struct Server {
    config: ServerConfig,
    state: State,
    /// The unfinished command line.
    line: Vec<u8>,
    output: Vec<u8>,
    hello: Option<Hello>,
    tls: bool,
    proven: bool,
    authenticated: bool,
    envelope: Option<Envelope>,
    counters: Counters,
}

/// What one line or piece of content leads to: nothing yet (`None`) or an action.
type Next<'i> = Option<Action<'i>>;

/// Without the unfinished line: it may hold a password.
impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// A session that begins with [`Server::greet`].
    pub fn new(config: ServerConfig) -> Self {
        Self {
            config,
            state: State::Greeting,
            line: Vec::new(),
            output: Vec::new(),
            hello: None,
            tls: false,
            proven: false,
            authenticated: false,
            envelope: None,
            counters: Counters::default(),
        }
    }

    /// Greets the client, or refuses the whole session (RFC 5321 section 3.1).
    pub fn greet(&mut self, welcome: Result<(), Reply>) {
        match welcome {
            Ok(()) => {
                let text = format!("{} ESMTP Sealgate", self.config.hostname);
                reply::write(
                    &Reply {
                        code: 220,
                        status: None,
                        text,
                    },
                    &mut self.output,
                );
                self.state = State::Command;
            }
            Err(reply) => self.close(failure(reply)),
        }
    }

    /// The client has proven who it is by other means than AUTH (network, client certificate).
    pub fn set_proven(&mut self) {
        self.proven = true;
    }

    /// The connection was TLS from its start (implicit TLS, RFC 8314 section 3.3).
    pub fn set_tls(&mut self) {
        self.tls = true;
    }

    /// What the client called itself, once it has.
    pub fn hello(&self) -> Option<&Hello> {
        self.hello.as_ref()
    }

    /// The mail so far, between MAIL and the end of data.
    pub fn envelope(&self) -> Option<&Envelope> {
        self.envelope.as_ref()
    }

    /// Whether a mail has begun and is not yet answered.
    pub fn in_transaction(&self) -> bool {
        self.envelope.is_some() || matches!(self.state, State::Asked(Question::EndOfData))
    }

    /// The replies to write out, leaving none.
    pub fn take_output(&mut self) -> Vec<u8> {
        mem::take(&mut self.output)
    }

    /// Ends the session with `reply`, whatever it was about.
    pub fn close(&mut self, reply: Reply) {
        reply::write(&reply, &mut self.output);
        self.state = State::Closed;
        self.envelope = None;
    }

    /// Ends the session because we stop (RFC 5321 section 3.8).
    pub fn shut_down(&mut self) {
        self.close(Text::ShuttingDown.into());
    }

    /// Ends the session because the client took too long (RFC 5321 section 4.5.3.2.7).
    pub fn timed_out(&mut self) {
        self.close(Text::TimedOut.into());
    }

    /// Interprets `input` up to the next action; gives how many of its octets are used up.
    pub fn advance<'i>(&mut self, input: &'i [u8]) -> (usize, Action<'i>) {
        let mut used = 0_usize;
        loop {
            let rest = input.get(used..).unwrap_or_default();
            let (octets, next) = match &mut self.state {
                State::Command | State::Response(_) => self.command_octets(rest),
                State::Data(_) => self.content_octets(rest),
                // An unanswered question is a fault of the driver; going on would answer out of order.
                State::Greeting | State::Asked(_) | State::Closed => {
                    (rest.len(), Some(Action::Close))
                }
            };
            used = used.saturating_add(octets);
            if let Some(action) = next {
                return (used, action);
            }
            if used >= input.len() || self.output.len() > REPLIES_OCTETS {
                return (used, Action::Continue);
            }
        }
    }

    /// Collects a line (RFC 5321 section 2.3.8: CRLF ends it, and neither CR nor LF stands alone).
    fn command_octets<'i>(&mut self, input: &'i [u8]) -> (usize, Next<'i>) {
        let end = memchr::memchr(b'\n', input);
        let octets = end.map_or(input.len(), |end| end.saturating_add(1));
        self.line
            .extend_from_slice(input.get(..octets).unwrap_or_default());
        if self.line.len() > AUTH_LINE_OCTETS {
            return (octets, self.shut(Text::LongCommand));
        }
        if end.is_none() {
            return (octets, None);
        }
        let line = mem::take(&mut self.line);
        let Some(line) = line
            .strip_suffix(b"\r\n")
            .filter(|line| !line.contains(&b'\r'))
        else {
            return (octets, self.shut(Text::LineEnds));
        };
        let behind = input.len().saturating_sub(octets);
        match self.line(line, behind) {
            // Nothing sent in the clear survives into TLS (RFC 3207 section 4.2).
            Some(action @ Action::StartTls { .. }) => (input.len(), Some(action)),
            next => (octets, next),
        }
    }

    fn line(&mut self, line: &[u8], behind: usize) -> Next<'static> {
        if let State::Response(challenge) = &mut self.state {
            let challenge = mem::replace(challenge, Challenge::Plain);
            self.state = State::Command;
            return self.response(challenge, line);
        }
        let grammar = Grammar {
            hostname: &self.config.hostname,
            smtputf8: self.config.smtputf8,
        };
        match command::parse(line, grammar) {
            Ok(command) => self.command(command, behind),
            Err(text) => self.error(text),
        }
    }

    fn command(&mut self, command: Command, behind: usize) -> Next<'static> {
        match command {
            Command::Helo(name) => self.hello_command(Hello { name, esmtp: false }),
            Command::Ehlo(name) => self.hello_command(Hello { name, esmtp: true }),
            Command::StartTls => self.starttls(behind),
            Command::Auth(mechanism, initial) => self.auth(mechanism, initial),
            Command::Mail(from, params) => self.mail(from, params),
            Command::Rcpt(recipient, utf8) => self.rcpt(recipient, utf8),
            Command::Data => self.data(),
            Command::Rset => {
                self.envelope = None;
                self.idle(Text::Noop)
            }
            Command::Noop => self.idle(Text::Noop),
            Command::Help => self.idle(Text::Help),
            // RFC 5321 section 7.3: we do not tell who exists.
            Command::Vrfy => self.idle(Text::Vrfy),
            Command::Expn => self.error(Text::NotOffered),
            Command::Quit => self.shut(Text::Quit),
            Command::Foreign => self.shut(Text::NotOffered),
        }
    }

    fn hello_command(&mut self, hello: Hello) -> Next<'static> {
        self.envelope = None;
        let lines = if hello.esmtp {
            self.keywords()
        } else {
            vec![self.config.hostname.to_string()]
        };
        self.hello = Some(hello);
        if self.count_idle() {
            return self.shut(Text::TooManyIdle);
        }
        reply::write_lines(250, &lines, &mut self.output);
        None
    }

    /// The EHLO reply (RFC 5321 section 4.1.1.1).
    fn keywords(&self) -> Vec<String> {
        let auth = self.config.auth && self.tls && !self.authenticated;
        let starttls = self.config.starttls && !self.tls;
        let optional = |offered: bool, keyword: &str| offered.then(|| keyword.to_owned());
        [
            Some(self.config.hostname.to_string()),
            optional(true, "PIPELINING"),
            Some(format!("SIZE {}", self.config.size_limit)),
            optional(starttls, "STARTTLS"),
            optional(auth, "AUTH PLAIN LOGIN"),
            optional(true, "ENHANCEDSTATUSCODES"),
            optional(true, "8BITMIME"),
            optional(true, "DSN"),
            optional(self.config.smtputf8, "SMTPUTF8"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn starttls(&mut self, discarded: usize) -> Next<'static> {
        if !self.config.starttls {
            return self.error(Text::NotOffered);
        }
        if self.tls || self.envelope.is_some() {
            return self.error(Text::Sequence);
        }
        self.say(Text::StartTls);
        self.state = State::Asked(Question::StartTls);
        Some(Action::StartTls { discarded })
    }

    /// The handshake is done: the session begins anew, without a greeting (RFC 3207 section 4.2).
    pub fn tls_started(&mut self) {
        if !matches!(self.state, State::Asked(Question::StartTls)) {
            return;
        }
        self.tls = true;
        self.hello = None;
        self.envelope = None;
        self.line.clear();
        self.state = State::Command;
    }

    fn mail(&mut self, from: ReversePath, params: MailParams) -> Next<'static> {
        if self.hello.is_none() {
            return self.error(Text::HelloFirst);
        }
        if self.envelope.is_some() {
            return self.error(Text::Twice);
        }
        if self.config.auth_required && !self.proven {
            return self.error(Text::ProofNeeded);
        }
        if params
            .size
            .is_some_and(|size| size > self.config.size_limit)
        {
            return self.idle(Text::TooLarge);
        }
        self.state = State::Asked(Question::Mail(from.clone(), params.clone()));
        Some(Action::Mail(from, params))
    }

    fn rcpt(&mut self, recipient: EnvelopeRecipient, utf8: bool) -> Next<'static> {
        let Some(envelope) = &self.envelope else {
            return self.error(Text::MailFirst);
        };
        if utf8 && !envelope.params.smtputf8 {
            return self.error(Text::RecipientUtf8);
        }
        if envelope.recipients.len() >= RECIPIENTS {
            return self.refused_recipient(Text::TooManyRecipients.into());
        }
        self.state = State::Asked(Question::Rcpt(recipient.clone()));
        Some(Action::Rcpt(recipient))
    }

    fn data(&mut self) -> Next<'static> {
        match &self.envelope {
            None => self.error(Text::MailFirst),
            Some(envelope) if envelope.recipients.is_empty() => self.error(Text::RcptFirst),
            Some(_) => {
                self.state = State::Asked(Question::BeginData);
                Some(Action::BeginData)
            }
        }
    }

    /// The answer to `Authenticate`, `Mail`, `Rcpt` or `BeginData`. An `Err` that is no failure code counts as `451`.
    /// For `EndOfData` even `Ok` is a `451`: only [`Server::accepted`] says yes.
    pub fn answer(&mut self, answer: Result<(), Reply>) {
        let question = match mem::replace(&mut self.state, State::Command) {
            State::Asked(question) => question,
            state => {
                self.state = state;
                return;
            }
        };
        match (question, answer.map_err(failure)) {
            (question @ Question::StartTls, Ok(())) => self.state = State::Asked(question),
            (Question::StartTls, Err(reply)) => self.close(reply),
            (Question::Authenticate, Ok(())) => {
                (self.proven, self.authenticated) = (true, true);
                self.say(Text::Authenticated);
            }
            (Question::Authenticate, Err(reply)) => drop(self.failed_try(reply)),
            (Question::Mail(from, params), Ok(())) => {
                self.envelope = Some(Envelope {
                    from,
                    params,
                    recipients: Vec::new(),
                });
                self.say(Text::SenderOk);
            }
            (Question::Rcpt(recipient), Ok(())) => self.add(recipient),
            (Question::Rcpt(_), Err(reply)) => drop(self.refused_recipient(reply)),
            (Question::BeginData, Ok(())) => self.begin_data(),
            (Question::BeginData, Err(reply)) => {
                self.envelope = None;
                self.refuse(reply);
            }
            (Question::Mail(..), Err(reply)) => self.refuse(reply),
            (Question::EndOfData, Ok(())) => self.refuse(Text::LocalError.into()),
            (Question::EndOfData, Err(reply)) => self.refuse(reply),
        }
    }

    /// A recipient named twice gets one copy.
    fn add(&mut self, recipient: EnvelopeRecipient) {
        let Some(envelope) = &mut self.envelope else {
            return;
        };
        let address = recipient.address.to_string();
        if envelope
            .recipients
            .iter()
            .any(|known| known.address.to_string() == address)
        {
            drop(self.idle(Text::RecipientOk));
        } else {
            envelope.recipients.push(recipient);
            self.say(Text::RecipientOk);
        }
    }

    fn begin_data(&mut self) {
        let text = "end data with <CR><LF>.<CR><LF>".to_owned();
        reply::write(
            &Reply {
                code: 354,
                status: None,
                text,
            },
            &mut self.output,
        );
        self.state = State::Data(DataReader::new(self.config.size_limit));
    }

    fn content_octets<'i>(&mut self, input: &'i [u8]) -> (usize, Next<'i>) {
        let State::Data(reader) = &mut self.state else {
            return (0, None);
        };
        let before = reader.fault();
        let (octets, piece) = reader.next(input);
        let (fault, eight_bit) = (reader.fault(), reader.eight_bit());
        let next = match (piece, fault) {
            (Piece::End, None) => self.end_of_data(eight_bit),
            // Where lines end is in doubt, so is where the mail ended: nothing behind it is a command.
            (Piece::End, Some(Text::BareLineEnd)) => self.shut(Text::BareLineEnd),
            (Piece::End, Some(text)) => {
                self.end_with(text);
                None
            }
            (Piece::Ambiguous | Piece::Endless, fault) => self.shut(fault.unwrap_or(Text::Syntax)),
            (Piece::Content([]), None) => None,
            (Piece::Content(content), None) => Some(Action::Content(content)),
            (Piece::Content(_), Some(_)) if before.is_none() => Some(Action::DropContent),
            (Piece::Content(_), Some(_)) => None,
        };
        (octets, next)
    }

    /// The content cannot be written; the rest of it is dropped, and its end is answered with a `452`.
    pub fn fail_content(&mut self) {
        if let State::Data(reader) = &mut self.state {
            reader.fail();
        }
    }

    fn end_of_data(&mut self, eight_bit: bool) -> Next<'static> {
        let Some(mut envelope) = self.envelope.take() else {
            return self.shut(Text::LocalError);
        };
        // Whatever BODY= said: what it is counts for the next hop (RFC 6152 section 3).
        envelope.params.eight_bit |= eight_bit;
        self.state = State::Asked(Question::EndOfData);
        Some(Action::EndOfData(envelope))
    }

    fn end_with(&mut self, text: Text) {
        self.envelope = None;
        self.state = State::Command;
        self.refuse(text.into());
    }

    /// The mail is stored: the only way to its `250`.
    pub fn accepted(&mut self, receipt: impl Receipt) {
        if matches!(self.state, State::Asked(Question::EndOfData)) {
            self.state = State::Command;
            self.counters.idle = 0;
            let text = format!("queued as {}", receipt.queue_id());
            reply::write(
                &Reply::new(250, EnhancedStatus(2, 0, 0), &text),
                &mut self.output,
            );
        }
    }

    /// The mail is not taken; a `reply` that is no failure code counts as `451`.
    pub fn refused(&mut self, reply: Reply) {
        self.answer(Err(reply));
    }

    /// A refusal of the driver; `421` ends the session (RFC 5321 section 3.8).
    fn refuse(&mut self, reply: Reply) {
        if reply.code == 421 {
            self.close(reply);
        } else if self.count_idle() {
            self.close(Text::TooManyIdle.into());
        } else {
            reply::write(&reply, &mut self.output);
        }
    }

    fn refused_recipient(&mut self, reply: Reply) -> Next<'static> {
        self.counters.refused = self.counters.refused.saturating_add(1);
        if self.counters.refused > REFUSED_RECIPIENTS {
            return self.shut(Text::TooManyRefused);
        }
        if reply.code == 421 {
            self.close(reply);
        } else {
            reply::write(&reply, &mut self.output);
        }
        None
    }

    /// Answers a command that is wrong or misplaced.
    fn error(&mut self, text: Text) -> Next<'static> {
        self.counters.errors = self.counters.errors.saturating_add(1);
        if self.counters.errors > COMMAND_ERRORS {
            return self.shut(Text::TooManyErrors);
        }
        self.say(text);
        None
    }

    /// Answers a command that brings no mail nearer.
    fn idle(&mut self, text: Text) -> Next<'static> {
        if self.count_idle() {
            return self.shut(Text::TooManyIdle);
        }
        self.say(text);
        None
    }

    fn count_idle(&mut self) -> bool {
        self.counters.idle = self.counters.idle.saturating_add(1);
        self.counters.idle > IDLE_COMMANDS
    }

    fn say(&mut self, text: Text) {
        reply::write(&text.into(), &mut self.output);
    }

    fn shut(&mut self, text: Text) -> Next<'static> {
        self.close(text.into());
        Some(Action::Close)
    }
}

/// A refusal must be one: anything else is our own mistake and temporary.
fn failure(reply: Reply) -> Reply {
    if reply.is_transient() || reply.is_permanent() {
        reply
    } else {
        Text::LocalError.into()
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::disallowed_methods)]
mod tests;
