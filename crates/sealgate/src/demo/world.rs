//! What the demo needs around it: directory, organisation, gateway, the two mail servers, and a client that hands mails in.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sealgate_core::change::{Activation, Change};
use sealgate_core::queue::{AttemptResult, NextHop, Reach, RecipientResult, TlsRequirement};
use sealgate_core::rules::{Rule, RuleId};
use sealgate_core::tenant::{InboundRoute, Installation, Proof, SendingClient, Settings};
use sealgate_mail::smtp::{Envelope, EnvelopeRecipient, MailParams, Notify};
use sealgate_mail::{Address, Domain, ReversePath};
use sealgate_net::smtp_out::{self, Delivery, SmtpOut};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::KeyKind;
use sealgate_store::{MasterKey, OverviewFilter, QueueFilter, Store};
use tokio::sync::mpsc;

use super::living::SignIn;
use super::partner::Partner;
use super::people::USERS;
use super::scenario::{ALICE, BOB, CAROL, DORA, Keys, RULES, TEXT, Way, damaged};
use super::sink::{Arrived, Sink};
use super::{ARRIVAL, arrives_at, tail};
use crate::cmd::admin::{rule_table, word};
use crate::cmd::explain;
use crate::cmd::{Done, Failure, Output};
use crate::config::Config;
use crate::gateway::{now, way_out};
use crate::serve::{Entrances, Listening, Running};
use crate::{lifecycle, serve};

/// The organisation of the demo.
pub const ORGANISATION: &str = "office";
/// Port of the portal, if it is free.
const PORTAL_PORT: u16 = 8443;

/// `Ok` if the gateway took the mail, else its reply.
pub type Answer = Result<(), String>;

/// Everything around the demo's mails.
pub struct World {
    /// The partner outside.
    pub partner: Partner,
    /// The root that certifies the organisation's mailboxes.
    pub office_root: Certificate,
    office: [Certificate; 2],
    guests: Vec<Partner>,
    directory: PathBuf,
    gateway: Running,
    /// Hands mail in, as servers outside do.
    sender: SmtpOut,
    internet: MailServer,
    mail_server: MailServer,
}

/// A mail server behind the gateway, with what arrived at it and nobody asked for yet.
struct MailServer {
    listening: Listening,
    arrivals: mpsc::UnboundedReceiver<Arrived>,
    waiting: Vec<Arrived>,
}

impl MailServer {
    async fn start(directory: &Path, name: &str) -> Result<Self, Failure> {
        let (sink, arrivals) = Sink::new(directory)?;
        Ok(Self {
            listening: serve::listen(sink, loopback(), name).await?,
            arrivals,
            waiting: Vec::new(),
        })
    }

    async fn arrival(&mut self, wanted: &Address) -> Option<Arrived> {
        loop {
            if let Some(place) = self
                .waiting
                .iter()
                .position(|arrived| arrived.recipients.contains(wanted))
            {
                return Some(self.waiting.remove(place));
            }
            self.waiting.push(self.arrivals.recv().await?);
        }
    }

    fn unexpected(&mut self) -> usize {
        while let Ok(arrived) = self.arrivals.try_recv() {
            self.waiting.push(arrived);
        }
        self.waiting.len()
    }
}

impl World {
    /// Makes everything and starts it on free loopback ports; with the portal if it is kept.
    pub async fn start(directory: Option<&Path>, keep: bool) -> Result<Self, Failure> {
        let directory = make_directory(directory)?;
        let internet =
            MailServer::start(&directory.join(arrives_at(Way::Out)), "internet.example").await?;
        let mail_server =
            MailServer::start(&directory.join(arrives_at(Way::In)), "mail.office.example").await?;
        let config = configuration(&directory, keep)?;
        MasterKey::create_file(&directory.join("master.key"))?;
        let store = crate::gateway::open_store(&config).await?;
        let partner = tokio::task::spawn_blocking(|| Partner::make("Partner", DORA, 0)).await??;
        configure(
            (&store, &config),
            internet.listening.address,
            mail_server.listening.address,
            &partner,
        )
        .await?;
        let (office_root, office) = certificates(&store).await?;
        let entrances = Entrances::open(&config).await?;
        let gateway = serve::start(config, store, entrances).await?;
        let sender = way_out(&gateway.gateway.config, gateway.gateway.dns.clone())?;
        Ok(Self {
            partner,
            office_root,
            office,
            guests: Vec::new(),
            directory,
            gateway,
            sender,
            internet,
            mail_server,
        })
    }

    /// The gateway's store.
    pub fn store(&self) -> &Store {
        &self.gateway.gateway.store
    }

    /// The gateway's configuration.
    pub fn config(&self) -> &Config {
        &self.gateway.gateway.config
    }

    /// What mails are decided by now.
    pub fn installation(&self) -> Arc<Installation> {
        self.gateway.gateway.installation()
    }

    /// Where browsers find the portal, without a slash at the end.
    pub fn portal(&self) -> String {
        let portal = self.config().portal.as_ref();
        portal.map_or_else(String::new, |portal| {
            portal.url.as_str().trim_end_matches('/').to_owned()
        })
    }

    /// People outside with certificates of their own, beside the partner.
    pub fn invite(&mut self, guests: Vec<Partner>) {
        self.guests = guests;
    }

    /// Whoever has that address outside and a certificate.
    pub fn outside(&self, address: &str) -> Option<&Partner> {
        let mut all = std::iter::once(&self.partner).chain(&self.guests);
        all.find(|one| one.address.to_string() == address)
    }

    /// A mail of the partner that cannot be decrypted.
    pub fn unreadable(&self, to: &str, subject: &str) -> Result<Vec<u8>, Failure> {
        let [_, carol] = &self.office;
        let mail = self.partner.sealed(to, subject, TEXT, carol)?;
        Ok(damaged(mail))
    }

    /// Nobody waits for what arrived so far.
    pub fn forget_arrivals(&mut self) {
        self.unexpected();
        self.internet.waiting.clear();
        self.mail_server.waiting.clear();
    }

    /// The certificates that the demo's messages are made with.
    pub fn keys(&self) -> Keys<'_> {
        Keys {
            partner: &self.partner,
            office: self.office.clone(),
        }
    }

    /// Hands one mail to the gateway over SMTP.
    pub async fn send(
        &self,
        way: Way,
        from: &str,
        to: &[&str],
        mail: Vec<u8>,
    ) -> Result<Answer, Failure> {
        let listener = match way {
            Way::Out => self.gateway.outbound.first(),
            Way::In => self.gateway.inbound.first(),
        };
        let port = listener
            .map(|listener| listener.address.port())
            .unwrap_or_default();
        let hop = NextHop::Host {
            host: "127.0.0.1".to_owned(),
            port,
            tls: TlsRequirement::Opportunistic,
            credentials: None,
            reach: Reach::Everywhere,
        };
        let delivery = Delivery {
            hop,
            way: smtp_out::Way::Out,
            mx_reach: Reach::Everywhere,
            envelope: envelope(from, to)?,
            content: Arc::new(mail),
        };
        Ok(answer(&self.sender.deliver(delivery).await))
    }

    /// Waits for the copy for `to`.
    pub async fn arrival(&mut self, way: Way, to: &str) -> Option<Arrived> {
        let server = match way {
            Way::Out => &mut self.internet,
            Way::In => &mut self.mail_server,
        };
        let wanted = Address::parse(to).ok()?;
        tokio::time::timeout(ARRIVAL, server.arrival(&wanted))
            .await
            .ok()
            .flatten()
    }

    /// How many mails arrived that nobody waited for.
    pub fn unexpected(&mut self) -> usize {
        self.internet
            .unexpected()
            .saturating_add(self.mail_server.unexpected())
    }

    /// Waits until one mail is held.
    pub async fn wait_until_held(&self) -> Result<bool, Failure> {
        let deadline = tokio::time::Instant::now() + ARRIVAL;
        while tokio::time::Instant::now() < deadline {
            let filter = QueueFilter {
                held: true,
                limit: 1,
                ..QueueFilter::default()
            };
            if !self.gateway.gateway.store.queue(filter).await?.is_empty() {
                return Ok(true);
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        Ok(false)
    }

    /// The rule that decided the copy for `to`, in words; out of the journal, for the reader only.
    pub async fn deciding_rule(&self, to: &str) -> Result<String, Failure> {
        let recipient = Address::parse(to)?;
        let store = &self.gateway.gateway.store;
        let page = store
            .overview(OverviewFilter {
                limit: 10,
                ..OverviewFilter::default()
            })
            .await?;
        let Some(row) = page.iter().find(|row| row.recipient == recipient) else {
            return Ok(String::new());
        };
        let lines = store
            .lines(row.mail)
            .await?
            .map(|(_, lines)| lines)
            .unwrap_or_default();
        let line = lines.iter().find(|line| line.line.recipient == recipient);
        Ok(line
            .map(|line| explain::decided_by(&line.line.trace))
            .unwrap_or_default())
    }

    /// The organisation's rules as a table.
    pub fn rules(&self) -> String {
        let installation = self.gateway.gateway.installation();
        installation
            .organisations()
            .iter()
            .map(|organisation| rule_table(&organisation.rules))
            .collect()
    }

    /// Where everything lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A path below the directory, without it.
    pub fn short(&self, file: &Path) -> String {
        file.strip_prefix(&self.directory)
            .unwrap_or(file)
            .display()
            .to_string()
    }

    /// Says where everything is and lets mails come and go until an interrupt.
    pub async fn keep(&mut self, sign_in: &SignIn, output: Output) -> Done {
        let first = |listeners: &[Listening]| {
            listeners
                .first()
                .map(|listener| listener.address.to_string())
                .unwrap_or_default()
        };
        let names: Vec<_> = USERS
            .iter()
            .map(|(name, job)| serde_json::json!({ "name": name, "may": job.words() }))
            .collect();
        let place = serde_json::json!({
            "portal": self.portal(),
            "link": sign_in.link,
            "users": names,
            "password": *sign_in.password,
            "inbound": first(&self.gateway.inbound),
            "outbound": first(&self.gateway.outbound),
            "internet": self.internet.listening.address.to_string(),
            "mail-server": self.mail_server.listening.address.to_string(),
            "configuration": self.directory.join("sealgate.toml"),
        });
        output.show(&place, kept)?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
            failed = tail::run(self) => failed,
        }
    }

    /// Stops everything.
    pub async fn stop(self) {
        self.gateway.stop().await;
        self.internet.listening.stop().await;
        self.mail_server.listening.stop().await;
    }
}

fn make_directory(wanted: Option<&Path>) -> Result<PathBuf, Failure> {
    let directory = wanted.map_or_else(
        || std::env::temp_dir().join(format!("sealgate-demo-{}", std::process::id())),
        Path::to_owned,
    );
    let occupied = directory
        .read_dir()
        .is_ok_and(|mut entries| entries.next().is_some());
    if occupied {
        return Err(Failure::new(format_args!(
            "{} is not empty; give the demo a new or empty directory",
            directory.display()
        )));
    }
    std::fs::create_dir_all(&directory).map_err(|error| {
        Failure::new(format_args!("cannot make {}: {error}", directory.display()))
    })?;
    Ok(directory.canonicalize()?)
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// The configuration, in memory and as a file beside, so that other commands can be tried on the demo's data.
fn configuration(directory: &Path, portal: bool) -> Result<Config, Failure> {
    let mut text = "data = \"data\"\nmaster-key = \"master.key\"\nhostname = \"gateway.office.example\"\n\n[listen]\ninbound = [\"127.0.0.1:0\"]\noutbound = [\"127.0.0.1:0\"]\n\n[dns]\nserver = \"off\"\n".to_owned();
    if portal {
        let port = portal_port()?;
        text += &format!(
            "\n[portal]\nlisten = [\"127.0.0.1:{port}\"]\nurl = \"http://127.0.0.1:{port}\"\n\n[portal.contact]\nname = \"Support of the demo\"\nmail = \"support@demo.example\"\nphone = \"+43 1 2345\"\nhours = \"Mon to Fri, 8:00 to 17:00\"\n"
        );
    }
    let file = directory.join("sealgate.toml");
    std::fs::write(&file, text)?;
    Ok(Config::read(&file)?)
}

/// A port of this machine that is free now.
fn portal_port() -> Result<u16, Failure> {
    let usual = SocketAddr::from(([127, 0, 0, 1], PORTAL_PORT));
    let free = std::net::TcpListener::bind(usual);
    let free = free.or_else(|_| std::net::TcpListener::bind(loopback()))?;
    Ok(free.local_addr()?.port())
}

/// What is printed of a demo that is kept.
fn kept(place: &serde_json::Value) -> String {
    let text = |name: &str| place[name].as_str().unwrap_or_default().to_owned();
    let users: String = USERS
        .iter()
        .map(|(name, job)| format!("  {name:<24} {}\n", job.words()))
        .collect();
    format!(
        "\nThe portal is at {}\n\nOpen this link to come in as an administrator with a password of your own; it works once:\n  {}\n\n\
         Or sign in as one of these; the password of all is {}\n{users}\n\
         Mails come and go, at first every few seconds. Stop everything with Ctrl-C.\n\
         \x20 inbound listener (mail for office.example):   {}\n\
         \x20 outbound listener (mail from office.example): {}\n\
         \x20 commands: sealgate --config {} mails\n",
        text("portal"),
        text("link"),
        text("password"),
        text("inbound"),
        text("outbound"),
        text("configuration"),
    )
}

async fn configure(
    (store, config): (&Store, &Config),
    internet: SocketAddr,
    mail_server: SocketAddr,
    partner: &Partner,
) -> Done {
    store
        .create_organisation(ORGANISATION, Settings::default(), "demo", now())
        .await?;
    let mut changes = vec![
        Change::PutRoute(InboundRoute {
            name: "office".to_owned(),
            domains: vec![Domain::parse("office.example")?],
            target: hop(mail_server),
            wildcard: false,
        }),
        Change::Smarthost(Some(hop(internet))),
        Change::PutTrustRoot(partner.root().clone()),
        Change::PutClient(SendingClient {
            name: "mail server".to_owned(),
            proof: Proof::Network(vec!["127.0.0.0/8".parse()?]),
            may_send_as: Vec::new(),
            mail_server: false,
        }),
        Change::Rules(RULES.iter().map(rule).collect::<Result<_, _>>()?),
    ];
    for mailbox in [ALICE, BOB, CAROL] {
        changes.push(Change::AddMailbox(Address::parse(mailbox)?));
    }
    changes.push(Change::Activate(Activation::new(
        Address::parse(ALICE)?,
        KeyKind::Rsa3072,
    )));
    changes.push(Change::Activate(Activation::new(
        Address::parse(CAROL)?,
        KeyKind::P256,
    )));
    store.apply(ORGANISATION, &changes, "demo", now()).await?;
    lifecycle::settle(store, config, ORGANISATION).await
}

/// A rule of a table.
pub fn rule(
    (managed, external, inbound, outbound): &(&str, &str, &str, &str),
) -> Result<Rule, Failure> {
    Ok(Rule {
        id: RuleId(0),
        managed: managed.parse()?,
        external: external.parse()?,
        inbound: word(inbound).ok(),
        outbound: word(outbound).ok(),
    })
}

fn hop(address: SocketAddr) -> NextHop {
    NextHop::Host {
        host: address.ip().to_string(),
        port: address.port(),
        tls: TlsRequirement::Opportunistic,
        credentials: None,
        reach: Reach::Everywhere,
    }
}

async fn certificates(store: &Store) -> Result<(Certificate, [Certificate; 2]), Failure> {
    let authority = store
        .built_in_ca()
        .await?
        .ok_or_else(|| Failure::new("the built-in CA was not made"))?;
    let installation = store.installation().await?;
    let mut found = Vec::new();
    for mailbox in [ALICE, CAROL] {
        let address = Address::parse(mailbox)?;
        let key = installation
            .organisations()
            .iter()
            .find_map(|organisation| organisation.mailbox(&address)?.signing);
        let key = key.ok_or_else(|| Failure::new(format_args!("{mailbox} has no certificate")))?;
        found.push(store.key_pair(key.key).await?.certificate.clone());
    }
    let office = found
        .try_into()
        .map_err(|_| Failure::new("two certificates were made"))?;
    Ok((authority.root, office))
}

fn envelope(from: &str, to: &[&str]) -> Result<Envelope, Failure> {
    let recipient = |to: &&str| {
        Ok::<_, Failure>(EnvelopeRecipient {
            address: Address::parse(to)?,
            notify: Notify::default(),
            orcpt: None,
        })
    };
    Ok(Envelope {
        from: ReversePath::Address(Address::parse(from)?),
        params: MailParams::default(),
        recipients: to.iter().map(recipient).collect::<Result<_, _>>()?,
    })
}

fn answer(result: &AttemptResult) -> Answer {
    for recipient in &result.recipients {
        match recipient {
            RecipientResult::Delivered(_) => {}
            RecipientResult::Temporary(problem) | RecipientResult::Permanent(problem) => {
                return Err(problem
                    .reply
                    .as_ref()
                    .map_or_else(|| problem.said.to_string(), ToString::to_string));
            }
        }
    }
    Ok(())
}
