//! Handing mail over: which servers are tried for a next hop, in which order, and when to stop (RFC 5321 section 5.1).
//!
//! For each copy: a connection kept open for the same next hop, else the hosts of the next hop in order, each at its
//! addresses until one opens a session. What a host refuses for now, or loses, goes to the next host; what it refuses
//! for good, takes, or may have taken (no reply to the final dot) is settled for this attempt.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sealgate_core::queue::{AttemptResult, NextHop, Problem, Reach, TlsRequirement};
use sealgate_core::saying::Servers as Said;
use sealgate_mail::smtp::client::{Answer, Command, Credentials};
use sealgate_mail::smtp::{Envelope, EnvelopeRecipient, MailParams, Notify};
use sealgate_mail::{Address, Content, Domain, EnhancedStatus, Reply, ReversePath};

use crate::dns::{Dns, DnsFailure};
use crate::fetch::{Allowed, in_reach};
use crate::limits;
use crate::tls::ClientTls;

mod attempt;
mod connection;
mod content;
mod idle;
mod places;

use attempt::{Attempt, dns_problem, of_name, problem, session_problem, unfit_problem};
use connection::{Connection, Peer};
use idle::Idle;
use places::{NamedBy, Rules};
pub use places::{OwnListeners, Way};

/// How mail is handed over.
#[derive(Clone)]
pub struct OutConfig {
    /// Our name in EHLO.
    pub helo: Domain,
    /// Whom names are asked of.
    pub dns: Dns,
    /// The port of servers found by MX; 25 outside tests.
    pub mx_port: u16,
    /// Networks where servers may be that organisations name, beside public addresses.
    pub reachable: Vec<Allowed>,
    /// Whether MX records may lead to this machine; only in tests.
    pub mx_loopback: bool,
    /// TLS as a client.
    pub tls: ClientTls,
    /// How long is waited.
    pub waits: Waits,
}

/// How long is waited for a peer; the default is RFC 5321 section 4.5.3.2, see [`limits`].
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// For a TCP connection.
    pub connect: Duration,
    /// For the greeting.
    pub greeting: Duration,
    /// For a TLS handshake, and replies to EHLO, STARTTLS, AUTH, RSET.
    pub hello: Duration,
    /// For the reply to MAIL.
    pub mail: Duration,
    /// For the reply to RCPT.
    pub rcpt: Duration,
    /// For the reply to DATA.
    pub data: Duration,
    /// For the peer to take one block.
    pub block: Duration,
    /// For the reply to the final dot.
    pub end_of_data: Duration,
    /// For the reply to QUIT.
    pub quit: Duration,
    /// For one mail as a whole.
    pub hand_over: Duration,
    /// For one question about a recipient as a whole.
    pub probe: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            connect: limits::CONNECT_WAIT,
            greeting: limits::GREETING_WAIT,
            hello: limits::HELLO_WAIT,
            mail: limits::MAIL_WAIT,
            rcpt: limits::RCPT_WAIT,
            data: limits::DATA_WAIT,
            block: limits::BLOCK_WAIT,
            end_of_data: limits::END_OF_DATA_WAIT,
            quit: limits::QUIT_WAIT,
            hand_over: limits::HAND_OVER_WAIT,
            probe: limits::PROBE_WAIT,
        }
    }
}

impl Waits {
    fn of(&self, command: Command) -> Duration {
        match command {
            Command::Greeting => self.greeting,
            Command::Mail => self.mail,
            Command::Rcpt(_) => self.rcpt,
            Command::Data => self.data,
            Command::EndOfData => self.end_of_data,
            Command::Quit => self.quit,
            _ => self.hello,
        }
    }
}

/// One copy to hand over.
#[derive(Clone)]
pub struct Delivery {
    /// Where to.
    pub hop: NextHop,
    /// Whether that is the organisation's own server.
    pub way: Way,
    /// Which addresses servers may have that MX records name.
    pub mx_reach: Reach,
    /// Sender and recipients.
    pub envelope: Envelope,
    /// Header and body.
    pub content: Arc<dyn Content>,
}

/// Hands mail over to other servers.
pub struct SmtpOut {
    config: OutConfig,
    idle: Idle,
    rules: Rules,
}

/// A host of a next hop.
struct Host {
    name: String,
    port: u16,
    tls: TlsRequirement,
    credentials: Option<Credentials>,
    named_by: NamedBy,
    way: Way,
    /// The recipients' domain itself, for want of MX records: no address means no such domain.
    is_domain: bool,
}

impl SmtpOut {
    /// Connects to nobody yet.
    pub fn new(mut config: OutConfig) -> Self {
        let rules = Rules {
            reachable: std::mem::take(&mut config.reachable),
            mx_loopback: config.mx_loopback,
            ..Rules::default()
        };
        Self {
            config,
            idle: Idle::default(),
            rules,
        }
    }

    /// Tells it the listeners of this gateway, once: mail is not handed over to ourselves.
    pub fn has_listeners(&self, own: OwnListeners) {
        let _ = self.rules.own.set(own);
    }

    /// Whether the server `host` may be where its name leads now, if the one who names it may reach public addresses only; also
    /// if that cannot be found out now.
    pub async fn may_be_named(&self, host: &str, port: u16) -> bool {
        let Ok(addresses) = self.config.dns.addresses(host).await else {
            return true;
        };
        let places: Vec<_> = addresses
            .into_iter()
            .map(|ip| SocketAddr::new(ip, port))
            .collect();
        in_reach(Reach::Public, &places, &self.rules.reachable).is_ok()
    }

    /// Makes one attempt: a result for each recipient, in the envelope's order. Must run in a Tokio runtime; takes no
    /// longer than the waits allow. Dropping it before its end may leave a mail handed over and not recorded.
    pub async fn deliver(&self, delivery: Delivery) -> AttemptResult {
        let Delivery {
            hop,
            way,
            mx_reach,
            envelope,
            content,
        } = delivery;
        let mut attempt = Attempt::new(envelope, content);
        if let Some(connection) = self.idle.take(&hop) {
            // What an old connection loses, a new one may yet hand over.
            self.hand_over(&hop, connection, &mut attempt).await;
        }
        if attempt.is_open() {
            match self.hosts(&hop, way, mx_reach).await {
                Ok(hosts) => self.try_hosts(&hop, &hosts, &mut attempt).await,
                Err(problem) if problem.status.0 == 5 => attempt.fail(&problem),
                Err(problem) => attempt.note(&problem),
            }
        }
        attempt.into_result()
    }

    /// Ends the sessions that are kept open for the next mail.
    pub async fn close_idle(&self) {
        self.idle.close().await;
    }

    /// Asks the organisation's own server whether it would take mail from `<>` for `address`: its reply to RCPT TO, whatever it is.
    /// `Err`: there was no such reply. Never sends DATA.
    pub async fn probe_recipient(
        &self,
        hop: &NextHop,
        address: &Address,
    ) -> Result<Reply, Problem> {
        match tokio::time::timeout(self.config.waits.probe, self.probe(hop, address)).await {
            Ok(answer) => answer,
            Err(_) => Err(problem(EnhancedStatus(4, 4, 1), Said::HopTooLong {})),
        }
    }

    async fn probe(&self, hop: &NextHop, address: &Address) -> Result<Reply, Problem> {
        let recipient = EnvelopeRecipient {
            address: address.clone(),
            notify: Notify::default(),
            orcpt: None,
        };
        let envelope = Envelope {
            from: ReversePath::Null,
            params: MailParams::default(),
            recipients: vec![recipient],
        };
        if let Some(connection) = self.idle.take(hop) {
            let answer = self.ask(hop, connection, &envelope).await?;
            // What an old connection loses, a new one may yet answer.
            if !matches!(answer, Answer::Failed(_)) {
                return verdict(answer);
            }
        }
        let connection = self.any_connection(hop).await?;
        verdict(self.ask(hop, connection, &envelope).await?)
    }

    async fn ask(
        &self,
        hop: &NextHop,
        mut connection: Connection,
        envelope: &Envelope,
    ) -> Result<Answer, Problem> {
        let answers = connection.probe(envelope).await.map_err(unfit_problem)?;
        self.idle.keep(hop, connection);
        answers
            .into_iter()
            .next()
            .ok_or_else(|| problem(EnhancedStatus(4, 4, 0), Said::HopSilent {}))
    }

    /// The first host that opens a session.
    async fn any_connection(&self, hop: &NextHop) -> Result<Connection, Problem> {
        let mut met = problem(EnhancedStatus(4, 4, 1), Said::NoHost {});
        for host in self.hosts(hop, Way::In, Reach::Everywhere).await? {
            match self.addresses(&host).await {
                Err(problem) => met = problem,
                Ok(addresses) => {
                    for address in addresses {
                        match Connection::open(&self.config, &host.at(address)).await {
                            Ok(connection) => return Ok(connection),
                            Err(problem) => met = problem,
                        }
                    }
                }
            }
        }
        Err(met)
    }

    async fn try_hosts(&self, hop: &NextHop, hosts: &[Host], attempt: &mut Attempt) {
        for host in hosts {
            match self.addresses(host).await {
                Err(problem) if problem.status.0 == 5 => attempt.fail(&problem),
                Err(problem) => attempt.note(&problem),
                Ok(addresses) => self.try_addresses(hop, host, &addresses, attempt).await,
            }
            if !attempt.is_open() {
                return;
            }
        }
    }

    /// Uses the first address of `host` that opens a session; its other addresses would answer the same.
    async fn try_addresses(
        &self,
        hop: &NextHop,
        host: &Host,
        addresses: &[SocketAddr],
        attempt: &mut Attempt,
    ) {
        let peers: Vec<Peer> = addresses.iter().map(|address| host.at(*address)).collect();
        if peers
            .iter()
            .any(|peer| attempt.was_answered_by(&peer.name()))
        {
            return;
        }
        for peer in peers {
            if !attempt.may_connect() {
                return;
            }
            attempt.remote = Some(peer.name());
            match Connection::open(&self.config, &peer).await {
                Ok(connection) => return self.hand_over(hop, connection, attempt).await,
                Err(problem) => attempt.note(&problem),
            }
        }
    }

    /// Sends the mail to the recipients still open.
    async fn hand_over(&self, hop: &NextHop, mut connection: Connection, attempt: &mut Attempt) {
        let envelope = attempt.open_envelope();
        attempt.remote = Some(connection.remote.clone());
        attempt.peer_knows_dsn = connection.peer_knows_dsn();
        match connection.send_mail(&envelope, &attempt.content).await {
            Ok(answers) => attempt.record(answers),
            Err(unfit) => attempt.fail(&unfit_problem(unfit)),
        }
        if connection.is_ready() {
            attempt.answered_by(&connection.remote);
        }
        self.idle.keep(hop, connection);
    }

    /// The hosts of a next hop in the order they are tried.
    async fn hosts(&self, hop: &NextHop, way: Way, mx_reach: Reach) -> Result<Vec<Host>, Problem> {
        match hop {
            NextHop::Host {
                host,
                port,
                tls,
                credentials,
                reach,
            } => Ok(vec![Host {
                name: host
                    .trim_start_matches('[')
                    .trim_end_matches(']')
                    .to_owned(),
                port: *port,
                tls: *tls,
                credentials: credentials.as_ref().map(|c| Credentials {
                    user: c.user.clone(),
                    password: c.password.clone(),
                }),
                named_by: NamedBy::Hand(*reach),
                way,
                is_domain: false,
            }]),
            NextHop::Mx { domain, tls } => {
                let hosts = self.config.dns.mx(domain).await;
                let hosts = hosts.map_err(|failure| dns_problem(&failure, domain.as_str()))?;
                let hosts = hosts.into_iter().map(|host| Host {
                    is_domain: host.host == domain.as_str(),
                    named_by: NamedBy::Mx(mx_reach),
                    way,
                    name: host.host,
                    port: self.config.mx_port,
                    tls: *tls,
                    credentials: None,
                });
                Ok(hosts.collect())
            }
        }
    }

    /// The addresses of a host, if it may be called at all of them. Only the recipients' own domain can be known not to exist: a
    /// host someone else named may come back.
    async fn addresses(&self, host: &Host) -> Result<Vec<SocketAddr>, Problem> {
        match self.config.dns.addresses(&host.name).await {
            Ok(addresses) => {
                let places: Vec<_> = addresses
                    .into_iter()
                    .map(|ip| SocketAddr::new(ip, host.port))
                    .collect();
                let named = (host.name.as_str(), host.named_by);
                self.rules.judge(named, host.way, &places)?;
                Ok(places)
            }
            Err(failure @ DnsFailure::NoSuchDomain) if !host.is_domain => Err(problem(
                EnhancedStatus(4, 4, 4),
                of_name(&failure, &host.name),
            )),
            Err(failure) => Err(dns_problem(&failure, &host.name)),
        }
    }
}

/// Only a reply to RCPT TO says something about the recipient.
fn verdict(answer: Answer) -> Result<Reply, Problem> {
    match answer {
        Answer::Accepted(reply)
        | Answer::Refused {
            at: Command::Rcpt(_),
            reply,
        } => Ok(reply),
        Answer::Refused { at, reply } => {
            let said = Said::answered(&at, &reply).into();
            Err(Problem {
                status: EnhancedStatus(4, 4, 0),
                reply: Some(reply),
                said,
            })
        }
        Answer::Failed(failure) | Answer::Unknown(failure) => Err(session_problem(&failure)),
    }
}

impl Host {
    fn at(&self, address: SocketAddr) -> Peer {
        Peer {
            host: self.name.clone(),
            address,
            tls: self.tls,
            credentials: self.credentials.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
