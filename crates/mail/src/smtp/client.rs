//! The client's side of SMTP: what is sent next, and what a peer's replies mean for each recipient (RFC 5321 section 3).
//!
//! A driver owns the connection. It asks [`Client::step`] what to do, does it, and reports back:
//!
//! | step | the driver | then |
//! |---|---|---|
//! | `Send` | writes the octets | `step` |
//! | `Read` | reads once, within the time the command allows | `feed`, or `lost` |
//! | `StartTls` | makes the TLS handshake | `tls_started`, or drops the connection |
//! | `Ready` | has a mail, or no more | `begin`, `probe` or `quit` |
//! | `SendContent` | writes the content through a [`DotStuffer`]; before its end, `end_of_data` | `step` |
//! | `Finished` | keeps the answers of one mail | `step` |
//! | `Over` | closes the connection | |
//!
//! Whatever a peer says without being asked ends the session: nothing sent before a TLS handshake or before a command
//! can be taken for the answer to it (RFC 3207 section 4.2, response injection).

use std::collections::VecDeque;

use crate::limits::PIPELINE_COMMANDS;
use crate::smtp::Envelope;
use crate::{Reply, ReversePath};

mod dot_stuffer;
mod reply_reader;
mod vocabulary;
mod wording;

pub use dot_stuffer::DotStuffer;
pub use vocabulary::{
    Answer, ClientConfig, Command, Credentials, Lost, MailFacts, SessionFailure, StartTls, Step,
    Unfit,
};
pub use wording::Capabilities;

use reply_reader::{PeerReply, ReplyReader};

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    /// Greeting to AUTH.
    Opening,
    /// The TLS handshake is to be made.
    Handshake,
    /// Nothing under way.
    Ready,
    /// Commands of a mail are under way.
    Mail,
    /// The peer waits for content.
    Content,
    /// QUIT is under way.
    Quitting,
    /// No more.
    Over(Option<SessionFailure>),
}

/// What is known of one recipient of the mail under way.
#[derive(Clone, Debug)]
enum Standing {
    /// RCPT TO not answered.
    Unanswered,
    /// RCPT TO accepted with this reply.
    Taken(Reply),
    /// RCPT TO refused with this reply.
    Refused { at: Command, reply: Reply },
}

/// A mail under way.
#[derive(Debug)]
struct Transaction {
    /// Commands not sent yet.
    unsent: VecDeque<(Command, Vec<u8>)>,
    standings: Vec<Standing>,
    mail_refused: Option<Reply>,
    /// The final dot may be with the peer.
    ended: bool,
}

impl Transaction {
    fn is_taken_by_any(&self) -> bool {
        self.mail_refused.is_none()
            && self
                .standings
                .iter()
                .any(|s| matches!(s, Standing::Taken(_)))
    }
}

/// One SMTP session as a client.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    peer: Capabilities,
    tls: bool,
    phase: Phase,
    reader: ReplyReader,
    /// Commands whose replies the peer owes, in order.
    owed: VecDeque<Command>,
    output: Vec<u8>,
    mail: Option<Transaction>,
    finished: Option<Vec<Answer>>,
    /// The peer may still hold a sender and recipients.
    needs_reset: bool,
}

impl Client {
    /// A session on a connection just made: the peer speaks first.
    pub fn new(config: ClientConfig) -> Self {
        Self {
            config,
            peer: Capabilities::default(),
            tls: false,
            phase: Phase::Opening,
            reader: ReplyReader::default(),
            owed: VecDeque::from([Command::Greeting]),
            output: Vec::new(),
            mail: None,
            finished: None,
            needs_reset: false,
        }
    }

    /// What to do next.
    pub fn step(&mut self) -> Step {
        if let Some(answers) = self.finished.take() {
            return Step::Finished(answers);
        }
        if let Phase::Over(failure) = &self.phase {
            return Step::Over(failure.clone());
        }
        if !self.output.is_empty() {
            return Step::Send(std::mem::take(&mut self.output));
        }
        if let Some(command) = self.owed.front() {
            return Step::Read(*command);
        }
        match self.phase {
            Phase::Handshake => Step::StartTls,
            Phase::Content => Step::SendContent,
            _ => Step::Ready,
        }
    }

    /// Takes octets the peer sent.
    pub fn feed(&mut self, octets: &[u8]) {
        self.reader.feed(octets);
        while !matches!(self.phase, Phase::Over(_)) {
            match self.reader.next_reply() {
                Err(what) => self.fail(SessionFailure::Protocol(what)),
                Ok(Some(reply)) => self.take_reply(reply),
                Ok(None) => break,
            }
            self.check_order();
        }
        self.check_order();
    }

    /// The session cannot go on: the connection broke, a wait ran out, or the content could not be read.
    pub fn lost(&mut self, failure: SessionFailure) {
        if !matches!(self.phase, Phase::Over(_)) {
            self.fail(failure);
        }
    }

    /// The TLS handshake succeeded: all the peer said before is forgotten (RFC 3207 section 4.2).
    pub fn tls_started(&mut self) {
        if self.phase == Phase::Handshake {
            self.tls = true;
            self.peer = Capabilities::default();
            self.phase = Phase::Opening;
            self.send(Command::Ehlo, &wording::hello("EHLO", &self.config.helo));
        }
    }

    /// What the peer offers.
    pub fn capabilities(&self) -> &Capabilities {
        &self.peer
    }

    /// Whether the content must be looked through before [`Client::begin`]: the peer lacks something it may need.
    pub fn must_know_content(&self, envelope: &Envelope) -> bool {
        !self.peer.eight_bit_mime || (envelope.params.smtputf8 && !self.peer.smtputf8)
    }

    /// Starts a mail when the session is ready. An `Unfit` mail can never be handed to this peer as it is.
    pub fn begin(&mut self, envelope: &Envelope, facts: &MailFacts) -> Result<(), Unfit> {
        self.start(envelope, facts, true)
    }

    /// Asks whether the peer would take mail from `<>` for the recipients of `envelope`; never sends DATA.
    pub fn probe(&mut self, envelope: &Envelope) -> Result<(), Unfit> {
        self.start(envelope, &MailFacts::default(), false)
    }

    /// The end of the content is about to be written: from here on only the peer knows whether it has the mail.
    pub fn end_of_data(&mut self) {
        if self.phase == Phase::Content {
            self.phase = Phase::Mail;
            self.owed.push_back(Command::EndOfData);
            if let Some(mail) = &mut self.mail {
                mail.ended = true;
            }
        }
    }

    /// Ends the session when it is ready.
    pub fn quit(&mut self) {
        if self.phase == Phase::Ready {
            self.phase = Phase::Quitting;
            self.send(Command::Quit, b"QUIT\r\n");
        }
    }

    /// Nothing may lie there that answers a command not sent, or no command.
    fn check_order(&mut self) {
        let unasked = !self.output.is_empty() || self.owed.is_empty();
        if unasked && self.reader.holds_octets() && !matches!(self.phase, Phase::Over(_)) {
            self.fail(SessionFailure::Protocol("a reply came without a command"));
        }
    }

    fn send(&mut self, command: Command, line: &[u8]) {
        self.output.extend_from_slice(line);
        self.owed.push_back(command);
    }

    fn take_reply(&mut self, reply: PeerReply) {
        let command = self.owed.pop_front();
        let class = reply.code / 100;
        // RFC 5321 section 3.8: 421 may answer anything, and comes unasked before a peer shuts down.
        if reply.code == 421 && command != Some(Command::Quit) {
            let failure = SessionFailure::Closing(reply.into_reply());
            return self.end(failure.clone(), Answer::Failed(failure));
        }
        match command {
            None => self.fail(SessionFailure::Protocol("a reply came without a command")),
            Some(Command::Quit) => self.phase = Phase::Over(None),
            Some(Command::Greeting) if class == 2 => {
                self.send(Command::Ehlo, &wording::hello("EHLO", &self.config.helo));
            }
            Some(Command::Ehlo) if class == 2 => {
                self.peer = Capabilities::parse(&reply.lines);
                self.greeted();
            }
            // RFC 5321 section 3.2: a peer that does not know EHLO is asked with HELO.
            Some(Command::Ehlo) if class == 5 => {
                self.send(Command::Helo, &wording::hello("HELO", &self.config.helo));
            }
            Some(Command::Helo) if class == 2 => self.greeted(),
            Some(Command::StartTls) if class == 2 => self.phase = Phase::Handshake,
            // RFC 3207 section 4: the client decides whether to go on without.
            Some(Command::StartTls) if self.config.starttls != StartTls::Required => {
                self.authenticate()
            }
            Some(Command::AuthUser) if reply.code == 334 => {
                self.auth_login_word(Command::AuthPassword)
            }
            Some(Command::AuthPassword) if reply.code == 334 => self.auth_login_word(Command::Auth),
            Some(Command::Auth) if class == 2 => self.phase = Phase::Ready,
            Some(
                command @ (Command::Mail | Command::Rcpt(_) | Command::Data | Command::EndOfData),
            ) => {
                self.take_mail_reply(command, reply.into_reply());
            }
            Some(Command::Reset) if class == 2 => self.advance(),
            Some(at) => self.fail(SessionFailure::Refused {
                at,
                reply: reply.into_reply(),
            }),
        }
    }

    /// EHLO or HELO was accepted.
    fn greeted(&mut self) {
        if self.tls || self.config.starttls == StartTls::Never {
            self.authenticate();
        } else if self.peer.starttls {
            self.send(Command::StartTls, b"STARTTLS\r\n");
        } else if self.config.starttls == StartTls::Required {
            self.fail(SessionFailure::NoTls);
        } else {
            self.authenticate();
        }
    }

    /// RFC 4954 section 4, only under TLS.
    fn authenticate(&mut self) {
        match &self.config.credentials {
            None => self.phase = Phase::Ready,
            Some(credentials) if self.tls && self.peer.auth_plain => {
                let line = wording::auth_plain(credentials);
                self.send(Command::Auth, &line);
            }
            Some(_) if self.tls && self.peer.auth_login => {
                self.send(Command::AuthUser, b"AUTH LOGIN\r\n");
            }
            Some(_) => self.fail(SessionFailure::NoAuth),
        }
    }

    /// Answers the peer's question for user name or password; `next` is what its reply answers.
    fn auth_login_word(&mut self, next: Command) {
        if let Some(credentials) = &self.config.credentials {
            let word = if next == Command::Auth {
                &credentials.password
            } else {
                &credentials.user
            };
            let line = wording::auth_login(word);
            self.send(next, &line);
        }
    }

    fn start(
        &mut self,
        envelope: &Envelope,
        facts: &MailFacts,
        with_data: bool,
    ) -> Result<(), Unfit> {
        if self.phase != Phase::Ready {
            return Ok(());
        }
        let facts = MailFacts {
            smtputf8: facts.smtputf8 || !is_ascii(envelope),
            ..*facts
        };
        fitness(envelope, &facts, &self.peer)?;
        let mut unsent = VecDeque::new();
        if std::mem::replace(&mut self.needs_reset, true) {
            unsent.push_back((Command::Reset, b"RSET\r\n".to_vec()));
        }
        unsent.push_back((Command::Mail, wording::mail(envelope, &facts, &self.peer)));
        for (index, recipient) in envelope.recipients.iter().enumerate() {
            unsent.push_back((Command::Rcpt(index), wording::rcpt(recipient, &self.peer)));
        }
        if with_data {
            unsent.push_back((Command::Data, b"DATA\r\n".to_vec()));
        }
        let standings = vec![Standing::Unanswered; envelope.recipients.len()];
        self.mail = Some(Transaction {
            unsent,
            standings,
            mail_refused: None,
            ended: false,
        });
        self.phase = Phase::Mail;
        self.advance();
        Ok(())
    }

    fn take_mail_reply(&mut self, command: Command, reply: Reply) {
        let Some(mail) = &mut self.mail else { return };
        let is_refusal = reply.is_transient() || reply.is_permanent();
        match command {
            Command::Mail if reply.is_success() => {}
            Command::Mail if is_refusal => mail.mail_refused = Some(reply),
            Command::Rcpt(index) if reply.is_success() || is_refusal => {
                if let Some(standing) = mail.standings.get_mut(index) {
                    *standing = match reply.is_success() {
                        true => Standing::Taken(reply),
                        false => Standing::Refused { at: command, reply },
                    };
                }
            }
            Command::Data if reply.code == 354 => return self.content_wanted(),
            Command::Data if is_refusal && mail.is_taken_by_any() => {
                return self.finish(&Answer::Refused { at: command, reply });
            }
            Command::Data if is_refusal => {}
            // The lone dot of `content_wanted`: no recipient depends on its reply.
            Command::EndOfData if !mail.ended => {}
            Command::EndOfData if reply.is_success() => {
                self.needs_reset = false;
                return self.finish(&Answer::Accepted(reply));
            }
            Command::EndOfData if is_refusal => {
                self.needs_reset = false;
                return self.finish(&Answer::Refused { at: command, reply });
            }
            _ => {
                return self.fail(SessionFailure::Protocol(
                    "a reply code does not fit its command",
                ));
            }
        }
        self.advance();
    }

    /// 354. With pipelining the peer may say it though it took no recipient: RFC 2920 section 3.1 wants a lone dot then.
    fn content_wanted(&mut self) {
        if self.mail.as_ref().is_some_and(Transaction::is_taken_by_any) {
            self.phase = Phase::Content;
        } else {
            self.send(Command::EndOfData, b".\r\n");
        }
    }

    /// Sends the next commands of the mail, or finishes it, once all replies are in.
    fn advance(&mut self) {
        let Some(mail) = &mut self.mail else { return };
        if !self.owed.is_empty() {
            return;
        }
        if let Some(reply) = mail.mail_refused.take() {
            return self.finish(&Answer::Refused {
                at: Command::Mail,
                reply,
            });
        }
        let only_data_left = matches!(mail.unsent.front(), None | Some((Command::Data, _)));
        if only_data_left && (mail.unsent.is_empty() || !mail.is_taken_by_any()) {
            return self.finish_probe();
        }
        let count = if self.peer.pipelining {
            PIPELINE_COMMANDS
        } else {
            1
        };
        for _ in 0..count {
            let Some((command, line)) = mail.unsent.pop_front() else {
                break;
            };
            self.output.extend_from_slice(&line);
            self.owed.push_back(command);
        }
    }

    /// The mail ends without content: each recipient has the answer to its RCPT TO.
    fn finish_probe(&mut self) {
        let unanswered = SessionFailure::Protocol("a recipient was not answered");
        let Some(mail) = self.mail.take() else { return };
        let answers = mail.standings.into_iter().map(|standing| match standing {
            Standing::Taken(reply) => Answer::Accepted(reply),
            Standing::Refused { at, reply } => Answer::Refused { at, reply },
            Standing::Unanswered => Answer::Failed(unanswered.clone()),
        });
        self.finished = Some(answers.collect());
        self.phase = Phase::Ready;
    }

    /// The mail ends; `rest` is the answer for everyone RCPT TO did not refuse.
    fn finish(&mut self, rest: &Answer) {
        let Some(mail) = self.mail.take() else { return };
        let mail_refused = matches!(
            rest,
            Answer::Refused {
                at: Command::Mail,
                ..
            }
        );
        let answers = mail.standings.into_iter().map(|standing| match standing {
            Standing::Refused { at, reply } if !mail_refused => Answer::Refused { at, reply },
            _ => rest.clone(),
        });
        self.finished = Some(answers.collect());
        self.phase = Phase::Ready;
    }

    /// The session ends without an answer to what is under way.
    fn fail(&mut self, failure: SessionFailure) {
        let ended = self.mail.as_ref().is_some_and(|mail| mail.ended);
        let rest = if ended {
            Answer::Unknown(failure.clone())
        } else {
            Answer::Failed(failure.clone())
        };
        self.end(failure, rest);
    }

    fn end(&mut self, failure: SessionFailure, rest: Answer) {
        self.finish(&rest);
        self.output.clear();
        self.owed.clear();
        self.phase = Phase::Over(Some(failure));
    }
}

/// Whether every address of the envelope can be sent without SMTPUTF8.
fn is_ascii(envelope: &Envelope) -> bool {
    let from = match &envelope.from {
        ReversePath::Null => true,
        ReversePath::Address(address) => address.is_ascii(),
    };
    from && envelope
        .recipients
        .iter()
        .all(|recipient| recipient.address.is_ascii())
}

/// Whether the mail can be handed to a peer that offers `peer`.
fn fitness(envelope: &Envelope, facts: &MailFacts, peer: &Capabilities) -> Result<(), Unfit> {
    let from = match &envelope.from {
        ReversePath::Null => None,
        ReversePath::Address(address) => Some(address),
    };
    let mut addresses = from
        .into_iter()
        .chain(envelope.recipients.iter().map(|r| &r.address));
    if addresses.any(|address| address.to_string().chars().any(char::is_control)) {
        return Err(Unfit::Address);
    }
    if facts.smtputf8 && !peer.smtputf8 {
        return Err(Unfit::Utf8);
    }
    if facts.eight_bit && !peer.eight_bit_mime {
        return Err(Unfit::EightBit);
    }
    match peer.size_limit {
        Some(limit) if facts.size > limit => Err(Unfit::TooLarge(limit)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
