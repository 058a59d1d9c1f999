//! AUTH: challenges, responses, and how often they may fail (RFC 4954, RFC 4616).

use base64_simd::STANDARD;

use super::{Action, Next, Password, Question, Server, State};
use crate::Reply;
use crate::limits::AUTH_TRIES;
use crate::smtp::command::Mechanism;
use crate::smtp::reply::{self, Text};

/// What the client was asked for.
#[derive(Debug)]
pub(super) enum Challenge {
    Plain,
    LoginUser,
    LoginPassword(String),
}

impl Server {
    pub(super) fn auth(
        &mut self,
        mechanism: Mechanism,
        initial: Option<Password>,
    ) -> Next<'static> {
        if !self.config.auth {
            return self.error(Text::NotOffered);
        }
        if !self.tls {
            return self.error(Text::TlsNeeded);
        }
        if self.hello.is_none() {
            return self.error(Text::HelloFirst);
        }
        if self.authenticated || self.envelope.is_some() {
            return self.error(Text::Sequence);
        }
        let challenge = match mechanism {
            Mechanism::Plain => Challenge::Plain,
            Mechanism::Login => Challenge::LoginUser,
        };
        match initial {
            // RFC 4954 section 4: "=" is the empty response.
            Some(initial) if initial.as_str() == "=" => self.response(challenge, b""),
            Some(initial) => self.response(challenge, initial.as_str().as_bytes()),
            None => self.challenge(challenge),
        }
    }

    /// Sends a `334` (RFC 4954 section 4) and waits for the response.
    fn challenge(&mut self, challenge: Challenge) -> Next<'static> {
        let text = match challenge {
            Challenge::Plain => "",
            Challenge::LoginUser => "VXNlcm5hbWU6",
            Challenge::LoginPassword(_) => "UGFzc3dvcmQ6",
        };
        let reply = Reply {
            code: 334,
            status: None,
            text: text.to_owned(),
        };
        reply::write(&reply, &mut self.output);
        self.state = State::Response(challenge);
        None
    }

    pub(super) fn response(&mut self, challenge: Challenge, line: &[u8]) -> Next<'static> {
        if line == b"*" {
            return self.failed_try(Text::Cancelled.into());
        }
        let decoded = STANDARD
            .decode_to_vec(line)
            .ok()
            .and_then(|octets| String::from_utf8(octets).ok());
        let Some(decoded) = decoded else {
            return self.failed_try(Text::Base64.into());
        };
        match challenge {
            Challenge::Plain => match plain(&decoded) {
                Some((user, password)) => self.ask_credentials(user, password),
                None => self.failed_try(Text::Base64.into()),
            },
            Challenge::LoginUser => self.challenge(Challenge::LoginPassword(decoded)),
            Challenge::LoginPassword(user) => self.ask_credentials(user, decoded),
        }
    }

    fn ask_credentials(&mut self, user: String, password: String) -> Next<'static> {
        self.state = State::Asked(Question::Authenticate);
        Some(Action::Authenticate {
            user,
            password: Password::new(password),
        })
    }

    pub(super) fn failed_try(&mut self, reply: Reply) -> Next<'static> {
        self.counters.tries = self.counters.tries.saturating_add(1);
        if self.counters.tries >= AUTH_TRIES {
            return self.shut(Text::TooManyTries);
        }
        reply::write(&reply, &mut self.output);
        None
    }
}

/// User and password of PLAIN; to act for another user is not offered.
///
/// ```text
/// message = [authzid] UTF8NUL authcid UTF8NUL passwd      ; RFC 4616 section 2
/// ```
fn plain(message: &str) -> Option<(String, String)> {
    let mut parts = message.split('\0');
    let (authzid, authcid, password) = (parts.next()?, parts.next()?, parts.next()?);
    let sound = parts.next().is_none() && (authzid.is_empty() || authzid == authcid);
    (sound && !authcid.is_empty()).then(|| (authcid.to_owned(), password.to_owned()))
}
