//! What the demo needs around it: directory, organisation, gateway, the two mail servers, and a client that hands mails in.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sealgate_core::change::{Activation, Change};
use sealgate_core::queue::{AttemptResult, NextHop, RecipientResult, TlsRequirement};
use sealgate_core::rules::{Rule, RuleId};
use sealgate_core::tenant::{InboundRoute, Proof, SendingClient, Settings};
use sealgate_mail::smtp::{Envelope, EnvelopeRecipient, MailParams, Notify};
use sealgate_mail::{Address, Domain, ReversePath};
use sealgate_net::smtp_out::Delivery;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::KeyKind;
use sealgate_store::{MasterKey, OverviewFilter, QueueFilter, Store};
use tokio::sync::mpsc;

use super::partner::Partner;
use super::scenario::{ALICE, BOB, CAROL, DORA, Keys, RULES, Way};
use super::sink::{Arrived, Sink};
use super::{ARRIVAL, arrives_at};
use crate::cmd::admin::{rule_table, word};
use crate::cmd::explain;
use crate::cmd::{Done, Failure, Output};
use crate::config::Config;
use crate::gateway::now;
use crate::serve::{Entrances, Listening, Running};
use crate::{lifecycle, serve};

const ORGANISATION: &str = "office";

/// `Ok` if the gateway took the mail, else its reply.
pub type Answer = Result<(), String>;

/// Everything around the demo's mails.
pub struct World {
    /// The partner outside.
    pub partner: Partner,
    /// The root that certifies the organisation's mailboxes.
    pub office_root: Certificate,
    office: [Certificate; 2],
    directory: PathBuf,
    gateway: Running,
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
    /// Makes everything and starts it on free loopback ports.
    pub async fn start(directory: Option<&Path>) -> Result<Self, Failure> {
        let directory = make_directory(directory)?;
        let internet =
            MailServer::start(&directory.join(arrives_at(Way::Out)), "internet.example").await?;
        let mail_server =
            MailServer::start(&directory.join(arrives_at(Way::In)), "mail.office.example").await?;
        let config = configuration(&directory)?;
        MasterKey::create_file(&directory.join("master.key"))?;
        let store = crate::gateway::open_store(&config).await?;
        let partner = tokio::task::spawn_blocking(|| Partner::make("Partner", DORA)).await??;
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
        Ok(Self {
            partner,
            office_root,
            office,
            directory,
            gateway,
            internet,
            mail_server,
        })
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
        };
        let delivery = Delivery {
            hop,
            envelope: envelope(from, to)?,
            content: Arc::new(mail),
        };
        Ok(answer(
            &self.gateway.gateway.smtp_out.deliver(delivery).await,
        ))
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

    /// Prints the ports and waits for an interrupt.
    pub async fn keep(&self, output: Output) -> Done {
        let first = |listeners: &[Listening]| {
            listeners
                .first()
                .map(|listener| listener.address.to_string())
                .unwrap_or_default()
        };
        let ports = serde_json::json!({
            "inbound": first(&self.gateway.inbound),
            "outbound": first(&self.gateway.outbound),
            "internet": self.internet.listening.address.to_string(),
            "mail-server": self.mail_server.listening.address.to_string(),
            "configuration": self.directory.join("sealgate.toml"),
        });
        output.show(&ports, |ports| {
            format!(
                "\nThe gateway keeps running; stop it with Ctrl-C.\n  inbound listener (mail for office.example):  {}\n  outbound listener (mail from office.example): {}\n  commands: sealgate --config {} mails\n",
                ports["inbound"].as_str().unwrap_or_default(),
                ports["outbound"].as_str().unwrap_or_default(),
                self.directory.join("sealgate.toml").display()
            )
        })?;
        tokio::signal::ctrl_c().await?;
        Ok(())
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
fn configuration(directory: &Path) -> Result<Config, Failure> {
    let text = "data = \"data\"\nmaster-key = \"master.key\"\nhostname = \"gateway.office.example\"\n\n[listen]\ninbound = [\"127.0.0.1:0\"]\noutbound = [\"127.0.0.1:0\"]\n\n[dns]\nserver = \"off\"\n";
    let file = directory.join("sealgate.toml");
    std::fs::write(&file, text)?;
    Ok(Config::read(&file)?)
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

fn rule(
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
                    .map_or_else(|| problem.text.clone(), ToString::to_string));
            }
        }
    }
    Ok(())
}
