//! The file that `apply` reads (docs/apply.md): its form, and how it is resolved into what the core compares.

use std::collections::HashSet;
use std::path::Path;

use ipnet::IpNet;
use sealgate_core::change::{Described, DescribedKeys, DescribedMailbox, ImportKeys, KeyOrigin};
use sealgate_core::queue::{Credentials, Destination, NextHop, Reach, TlsRequirement};
use sealgate_core::rules::{Entry, InboundMode, OutboundMode, Pattern, Rule, RuleId};
use sealgate_core::tenant::{InboundRoute, Partner, Proof, SendingClient, Settings};
use sealgate_mail::{Address, Domain};
use sealgate_smime::algorithms::DigestAlgorithm;
use sealgate_smime::aws::Digest;
use sealgate_smime::key::KeyKind;
use sealgate_smime::pkcs12;
use serde::{Deserialize, Serialize};

use crate::cmd::{Failure, read_input};
use crate::lifecycle::key_kind;
use crate::limits::CONNECTOR_SECRET;
use crate::passwords::password_hash;

mod trust;

pub use trust::{block_by_fingerprint, block_of, read_certificates};
use trust::{blocked, certificates, correspondents};

/// An organisation as a file describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Description {
    /// Short name.
    pub organisation: String,
    #[serde(default)]
    settings: Settings,
    #[serde(default)]
    routes: Vec<Route>,
    #[serde(default)]
    rules: Vec<RuleLine>,
    #[serde(default)]
    correspondents: Vec<CertificateFile>,
    #[serde(default)]
    trust_roots: Vec<CertificateFile>,
    #[serde(default)]
    blocked: Vec<BlockedLine>,
    #[serde(default)]
    partners: Vec<Partner>,
    #[serde(default)]
    destinations: Vec<DestinationLine>,
    smarthost: Option<Hop>,
    #[serde(default)]
    clients: Vec<Client>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Route {
    name: String,
    domains: Vec<Domain>,
    #[serde(default)]
    wildcard: bool,
    target: Hop,
    #[serde(default)]
    mailboxes: Vec<MailboxLine>,
}

/// A server to hand mail to, as files and arguments name it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hop {
    /// Name or address.
    pub host: String,
    /// TCP port.
    #[serde(default = "smtp_port")]
    pub port: u16,
    /// TLS asked for.
    #[serde(default)]
    pub tls: TlsRequirement,
    user: Option<String>,
    password: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct MailboxLine {
    address: Address,
    #[serde(default)]
    state: StateWord,
    key: Option<String>,
    authority: Option<String>,
    pkcs12: Option<String>,
    password: Option<String>,
    password_file: Option<String>,
    #[serde(default)]
    aliases: Vec<Address>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StateWord {
    Active,
    #[default]
    Inactive,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RuleLine {
    managed: Pattern,
    external: Pattern,
    #[serde(default)]
    inbound: ModeWord<InboundMode>,
    #[serde(default)]
    outbound: ModeWord<OutboundMode>,
}

/// A mode, or `not-defined`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ModeWord<M> {
    /// A mode.
    Mode(M),
    /// The word `not-defined`.
    #[default]
    #[serde(skip_serializing)]
    Absent,
    /// The same, written.
    Word(NotDefined),
}

/// The word `not-defined`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotDefined {
    /// S65, S70.
    NotDefined,
}

impl<M> ModeWord<M> {
    fn mode(self) -> Option<M> {
        match self {
            Self::Mode(mode) => Some(mode),
            Self::Absent | Self::Word(_) => None,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CertificateFile {
    certificate: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct BlockedLine {
    certificate: Option<String>,
    sha256: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct DestinationLine {
    domain: Domain,
    host: Option<String>,
    #[serde(default = "smtp_port")]
    port: u16,
    #[serde(default)]
    tls: TlsRequirement,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Client {
    name: String,
    user: Option<String>,
    password: Option<String>,
    certificate: Option<String>,
    connector_secret: Option<String>,
    #[serde(default)]
    networks: Vec<IpNet>,
    #[serde(default)]
    may_send_as: Vec<Entry>,
    #[serde(default)]
    mail_server: bool,
}

fn smtp_port() -> u16 {
    25
}

impl Description {
    /// Reads a TOML or JSON file, by its ending.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = read_input(path)?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Failure::new(format_args!("{} is not UTF-8 text", path.display())))?;
        let json = path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        let parsed = if json {
            serde_json::from_str(text).map_err(|error| error.to_string())
        } else {
            toml::from_str(text).map_err(|error| crate::config::one_line(&error, text))
        };
        parsed.map_err(|message| {
            Failure::new(format_args!(
                "{}: {message}; docs/apply.md describes the file",
                path.display()
            ))
        })
    }

    /// Reads the files it names (relative to `directory`) and parses everything. `current` is what the store holds:
    /// a password that is the same keeps its hash.
    pub fn resolve(&self, directory: &Path, current: &Described) -> Result<Described, Failure> {
        self.judge()?;
        Ok(Described {
            settings: self.settings,
            routes: self.routes.iter().map(Route::route).collect(),
            mailboxes: self
                .routes
                .iter()
                .flat_map(|route| &route.mailboxes)
                .map(|line| line.resolve(directory))
                .collect::<Result<_, _>>()?,
            rules: self.rules.iter().map(RuleLine::rule).collect(),
            correspondents: correspondents(&self.correspondents, directory)?,
            trust_roots: certificates(&self.trust_roots, directory)?,
            blocked: blocked(&self.blocked, directory)?,
            partners: self.partners.clone(),
            destinations: self
                .destinations
                .iter()
                .map(|line| (line.domain.clone(), line.destination()))
                .collect(),
            smarthost: self.smarthost.as_ref().map(Hop::next_hop),
            clients: self
                .clients
                .iter()
                .map(|client| client.resolve(directory, current))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Description {
    /// Refuses what contradicts itself.
    fn judge(&self) -> Result<(), Failure> {
        once("route", self.routes.iter().map(|route| route.name.clone()))?;
        once("client", self.clients.iter().map(|line| line.name.clone()))?;
        let domains = self.destinations.iter().map(|line| line.domain.to_string());
        once("destination", domains)?;
        let partners = self.partners.iter().map(|line| line.external.to_string());
        once("partner", partners)?;
        let mailboxes = self.routes.iter().flat_map(|route| &route.mailboxes);
        once("mailbox", mailboxes.map(|line| line.address.key()))?;
        for route in &self.routes {
            let stray = route
                .mailboxes
                .iter()
                .find(|line| !route.domains.contains(line.address.domain()));
            if let Some(stray) = stray {
                return Err(Failure::new(format_args!(
                    "mailbox {} is in no domain of route {}; name it under the route of its domain",
                    stray.address, route.name
                )));
            }
        }
        Ok(())
    }
}

fn once(what: &str, names: impl Iterator<Item = String>) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name.clone()) {
            return Err(Failure::new(format_args!(
                "{what} {name} is described twice; describe it once"
            )));
        }
    }
    Ok(())
}

impl Route {
    fn route(&self) -> InboundRoute {
        InboundRoute {
            name: self.name.clone(),
            domains: self.domains.clone(),
            target: self.target.next_hop(),
            wildcard: self.wildcard,
        }
    }
}

impl Hop {
    fn next_hop(&self) -> NextHop {
        let credentials = self.user.as_ref().map(|user| Credentials {
            user: user.clone(),
            password: self.password.clone().unwrap_or_default(),
        });
        NextHop::Host {
            host: self.host.clone(),
            port: self.port,
            tls: self.tls,
            credentials,
            reach: Reach::Everywhere,
        }
    }
}

impl RuleLine {
    fn rule(&self) -> Rule {
        Rule {
            id: RuleId(0),
            managed: self.managed.clone(),
            external: self.external.clone(),
            inbound: self.inbound.mode(),
            outbound: self.outbound.mode(),
        }
    }
}

impl DestinationLine {
    fn destination(&self) -> Destination {
        let hop = self.host.as_ref().map(|host| NextHop::Host {
            host: host.clone(),
            port: self.port,
            tls: self.tls,
            credentials: None,
            reach: Reach::Everywhere,
        });
        Destination { hop, tls: self.tls }
    }
}

impl MailboxLine {
    fn resolve(&self, directory: &Path) -> Result<DescribedMailbox, Failure> {
        let keys = match (self.state, &self.pkcs12) {
            (StateWord::Inactive, None) => DescribedKeys::Inactive,
            (StateWord::Active, None) => DescribedKeys::Issued {
                key: self
                    .key
                    .as_deref()
                    .map_or(Ok(KeyKind::Rsa3072), key_kind)
                    .map_err(Failure::new)?,
                authority: self.authority.clone(),
                pending: false,
            },
            (StateWord::Active, Some(_)) if self.authority.is_some() => {
                return Err(Failure::new(format_args!(
                    "mailbox {}: give one of pkcs12 and authority",
                    self.address
                )));
            }
            (StateWord::Active, Some(file)) => self.uploaded(directory, file)?,
            (StateWord::Inactive, Some(_)) => {
                return Err(Failure::new(format_args!(
                    "mailbox {}: pkcs12 is given but state is inactive; write state = \"active\"",
                    self.address
                )));
            }
        };
        Ok(DescribedMailbox {
            address: self.address.clone(),
            aliases: self.aliases.clone(),
            keys,
        })
    }

    fn uploaded(&self, directory: &Path, file: &str) -> Result<DescribedKeys, Failure> {
        let password = match (&self.password, &self.password_file) {
            (Some(password), _) => password.clone(),
            (None, Some(file)) => String::from_utf8_lossy(&read_input(&directory.join(file))?)
                .trim_end_matches(['\r', '\n'])
                .to_owned(),
            (None, None) => String::new(),
        };
        let import = read_pkcs12(&directory.join(file), &password, &self.address)?;
        let certificates = import
            .pairs
            .iter()
            .map(|(certificate, _)| certificate.clone())
            .collect();
        Ok(DescribedKeys::Uploaded {
            certificates,
            import: Some(import),
        })
    }
}

/// Reads key pairs for `mailbox` out of a PKCS#12 file.
pub fn read_pkcs12(path: &Path, password: &str, mailbox: &Address) -> Result<ImportKeys, Failure> {
    let bytes = read_input(path)?;
    let contents = pkcs12::import(&bytes, password)
        .map_err(|error| Failure::new(format_args!("{}: {error}", path.display())))?;
    let import = ImportKeys {
        mailbox: mailbox.clone(),
        pairs: contents.pairs,
        chain: contents.chain,
        origin: KeyOrigin::Uploaded,
    };
    for (certificate, _) in &import.pairs {
        if !certificate.addresses().contains(mailbox) {
            return Err(Failure::new(format_args!(
                "{}: the certificate {} is not for {mailbox}; upload it to the mailbox it names",
                path.display(),
                certificate.subject_name()
            )));
        }
    }
    Ok(import)
}

impl Client {
    fn resolve(&self, directory: &Path, current: &Described) -> Result<SendingClient, Failure> {
        let networks = (!self.networks.is_empty()).then_some(&self.networks);
        if networks.is_none() && self.connector_secret.is_some() {
            return Err(Failure::new(format_args!(
                "client {}: connector-secret needs networks",
                self.name
            )));
        }
        let proof = match (networks, &self.certificate, &self.user, &self.password) {
            (Some(networks), None, None, None) => self.network_proof(networks)?,
            (None, Some(file), None, None) => {
                Proof::Certificate(self.fingerprint(directory, file)?)
            }
            (None, None, Some(user), Some(password)) => {
                self.password_proof(user, password, current)?
            }
            _ => {
                return Err(Failure::new(format_args!(
                    "client {}: give one of networks, certificate, or user and password",
                    self.name
                )));
            }
        };
        Ok(SendingClient {
            name: self.name.clone(),
            proof,
            may_send_as: self.may_send_as.clone(),
            mail_server: self.mail_server,
        })
    }

    fn network_proof(&self, networks: &[IpNet]) -> Result<Proof, Failure> {
        let networks = networks.to_vec();
        let Some(secret) = &self.connector_secret else {
            return Ok(Proof::Network(networks));
        };
        if secret.len() < CONNECTOR_SECRET {
            return Err(Failure::new(format_args!(
                "client {}: connector-secret has {} characters; give at least {CONNECTOR_SECRET}, by chance",
                self.name,
                secret.len()
            )));
        }
        let digest = Digest::of(DigestAlgorithm::Sha256, secret.as_bytes());
        let secret = digest.try_into().map_err(|_| Failure::new("no SHA-256"))?;
        Ok(Proof::Connector { networks, secret })
    }

    fn fingerprint(&self, directory: &Path, file: &str) -> Result<[u8; 32], Failure> {
        match read_certificates(file, directory)?.as_slice() {
            [certificate] => Ok(certificate.fingerprint()),
            several => Err(Failure::new(format_args!(
                "client {}: {file} holds {} certificates; give a file with just one",
                self.name,
                several.len()
            ))),
        }
    }

    fn password_proof(
        &self,
        user: &str,
        password: &str,
        current: &Described,
    ) -> Result<Proof, Failure> {
        let known = current
            .clients
            .iter()
            .filter(|client| client.name == self.name)
            .find_map(|client| match &client.proof {
                Proof::Password { user: known, hash }
                    if known == user && crate::passwords::password_matches(hash, password) =>
                {
                    Some(hash.clone())
                }
                _ => None,
            });
        let hash = known.map_or_else(|| password_hash(password), Ok)?;
        Ok(Proof::Password {
            user: user.to_owned(),
            hash,
        })
    }
}
