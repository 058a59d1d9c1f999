//! What the gateway knows of its organisations when it decides: one immutable snapshot, indexed for lookup.
//!
//! A mail is decided wholly under one snapshot; its version stands in the journal.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use sealgate_mail::{Address, Domain, Timestamp};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::path::TrustAnchors;
use sealgate_smime::profile::{Capabilities, Profile};
use serde::{Deserialize, Serialize};

use crate::queue::{Destination, NextHop};
use crate::rules::{Entry, Rule};

mod settings;

pub use crate::mailbox::MailboxState;
pub use settings::{JournalDays, Language, RevocationMode, Settings, Smimea, Special};

/// Number of an organisation in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrganisationId(pub i64);

/// Number of a sealed private key with its certificate in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub i64);

/// One organisation.
#[derive(Debug)]
pub struct Organisation {
    /// Its number.
    pub id: OrganisationId,
    /// Its unique short name, as the command line uses it.
    pub name: String,
    /// Its switches.
    pub settings: Settings,
    /// Its inbound routes.
    pub routes: Vec<InboundRoute>,
    /// Its known mailboxes.
    pub mailboxes: HashMap<Address, Mailbox>,
    /// Its rules, priority 1 first.
    pub rules: Vec<Rule>,
    /// Its sending clients.
    pub clients: Vec<SendingClient>,
    /// How mail leaves: per domain, else the smarthost, else by MX.
    pub destinations: HashMap<Domain, Destination>,
    /// Next hop for all domains without a destination of their own.
    pub smarthost: Option<NextHop>,
    /// Its trust roots, with the public ones if it trusts them, without what it blocks.
    pub anchors: Arc<TrustAnchors>,
    /// Algorithms agreed with partners, each external address or domain once.
    pub partners: Vec<Partner>,
}

/// Algorithms agreed with a partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partner {
    /// Whom: an external address or a domain.
    pub external: Entry,
    /// The algorithms.
    pub profile: Profile,
}

/// A certificate, of an authority or of anybody, that an organisation never trusts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blocked {
    /// SHA-256 of its DER.
    #[serde(serialize_with = "as_hex")]
    pub sha256: [u8; 32],
    /// Its subject, if the certificate itself was at hand.
    pub subject: Option<String>,
    /// Why, in the words of whoever blocked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Blocked {
    /// The fingerprint in hexadecimal digits.
    pub fn hex(&self) -> String {
        hex(&self.sha256)
    }
}

fn hex(sha256: &[u8; 32]) -> String {
    sha256.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn as_hex<S: serde::Serializer>(sha256: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&hex(sha256))
}

/// Domains, the server mail for them is delivered to, and the known mailboxes or a wildcard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundRoute {
    /// Its name, unique in the organisation.
    pub name: String,
    /// Its domains; a domain belongs to one route of the installation only.
    pub domains: Vec<Domain>,
    /// The organisation's mail server.
    pub target: NextHop,
    /// Whether any address of the domains is accepted that the target accepts.
    pub wildcard: bool,
}

impl InboundRoute {
    /// This route with what is different between `was` and `becomes`: what somebody else changed since `was` stays.
    #[must_use]
    pub fn with_difference(mut self, was: &Self, becomes: &Self) -> Self {
        if self.domains == was.domains {
            self.domains.clone_from(&becomes.domains);
        } else {
            let is_lost =
                |one: &Domain| was.domains.contains(one) && !becomes.domains.contains(one);
            self.domains.retain(|one| !is_lost(one));
            let is_new = |one: &&Domain| !was.domains.contains(one) && !self.domains.contains(one);
            let new: Vec<Domain> = becomes.domains.iter().filter(is_new).cloned().collect();
            self.domains.extend(new);
        }
        if was.target != becomes.target {
            self.target.clone_from(&becomes.target);
        }
        if was.wildcard != becomes.wildcard {
            self.wildcard = becomes.wildcard;
        }
        self
    }
}

/// A known mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// Its address.
    pub address: Address,
    /// Its state.
    pub state: MailboxState,
    /// The current signing key of an active mailbox.
    pub signing: Option<CurrentKey>,
    /// The current encryption key; the same as `signing` unless two pairs were uploaded (A26).
    pub encryption: Option<CurrentKey>,
    /// Whose key rings also open mail to this mailbox (A10).
    pub aliases: Vec<Address>,
}

/// A current key, with what must be known before it is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentKey {
    /// Its number.
    pub key: KeyId,
    /// Start of the certificate's validity.
    pub not_before: Timestamp,
    /// End of the certificate's validity.
    pub not_after: Timestamp,
}

impl Mailbox {
    /// The key to sign with at `now`: only of an active mailbox, only within the certificate's validity (S76, S77).
    pub fn signing_key(&self, now: Timestamp) -> Option<KeyId> {
        self.usable(self.signing, now)
    }

    /// The current encryption key at `now`, under the same terms: our own copies are readable with it.
    pub fn encryption_key(&self, now: Timestamp) -> Option<KeyId> {
        self.usable(self.encryption, now)
    }

    fn usable(&self, key: Option<CurrentKey>, now: Timestamp) -> Option<KeyId> {
        let current = key.filter(|_| self.state == MailboxState::Active)?;
        (current.not_before <= now && now < current.not_after).then_some(current.key)
    }
}

/// A machine or account that may hand in outbound mail, and as whom (spec.md section 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendingClient {
    /// Its name, unique in its organisation.
    pub name: String,
    /// How it proves itself.
    pub proof: Proof,
    /// The addresses and domains it may send as; all domains of the organisation if empty.
    pub may_send_as: Vec<Entry>,
    /// Whether it is a mail server, from which a foreign From passes (forwards, lists), never signed (A4).
    pub mail_server: bool,
}

/// How a sending client proves itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// SMTP AUTH; the user name, unique in the installation, and the Argon2id hash of the password in PHC form.
    Password {
        /// User name.
        user: String,
        /// PHC string.
        hash: String,
    },
    /// A TLS client certificate, by the SHA-256 of its DER; the client shows that it holds the key.
    Certificate([u8; 32]),
    /// Any connection from these networks.
    Network(Vec<IpNet>),
    /// A network that others send from too, as those of the large mail providers: each mail says in its
    /// X-Sealgate-Connector field whose it is.
    Connector {
        /// The shared networks.
        networks: Vec<IpNet>,
        /// SHA-256 of the secret that the field carries; long enough not to be guessed.
        secret: [u8; 32],
    },
}

/// What is to be different about a sending client; what is none stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientEdit {
    /// What it may send as.
    pub may_send_as: Option<Vec<Entry>>,
    /// Whether it is a mail server.
    pub mail_server: Option<bool>,
    /// Its secret.
    pub secret: Option<ClientSecret>,
}

/// A secret as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientSecret {
    /// Of [`Proof::Password`]: the hash.
    Password(String),
    /// Of [`Proof::Connector`]: the SHA-256.
    Connector([u8; 32]),
}

impl Proof {
    /// The same with another secret; none if it has no secret of that kind.
    #[must_use]
    pub fn with_secret(self, new: ClientSecret) -> Option<Self> {
        match (self, new) {
            (Self::Password { user, .. }, ClientSecret::Password(hash)) => {
                Some(Self::Password { user, hash })
            }
            (Self::Connector { networks, .. }, ClientSecret::Connector(secret)) => {
                Some(Self::Connector { networks, secret })
            }
            _ => None,
        }
    }

    fn shares(&self, peer: IpAddr) -> bool {
        match self {
            Self::Connector { networks, .. } => holds(networks, peer),
            Self::Password { .. } | Self::Certificate(_) | Self::Network(_) => false,
        }
    }
}

fn holds(networks: &[IpNet], peer: IpAddr) -> bool {
    networks
        .iter()
        .any(|network| network.contains(&peer.to_canonical()))
}

impl SendingClient {
    /// The hash its password is judged by, if it proves itself by one.
    pub fn password_hash(&self) -> Option<&str> {
        match &self.proof {
            Proof::Password { hash, .. } => Some(hash),
            Proof::Network(_) | Proof::Certificate(_) | Proof::Connector { .. } => None,
        }
    }

    /// Whether it may hand in mail from `from`: an address of its `organisation` that it was given, or, for a mail
    /// server, anything that is no address of the organisation (spec.md section 2).
    pub fn may_send_as(&self, organisation: &Organisation, from: Option<&Address>) -> bool {
        match from.filter(|address| organisation.manages(address)) {
            Some(_) if self.may_send_as.is_empty() => true,
            Some(own) => self.may_send_as.iter().any(|entry| entry.covers(own)),
            None => self.mail_server,
        }
    }
}

impl Organisation {
    /// The route whose domains hold `domain`.
    pub fn route(&self, domain: &Domain) -> Option<&InboundRoute> {
        self.routes
            .iter()
            .find(|route| route.domains.contains(domain))
    }

    /// Whether `address` is a managed address: in a domain of one of the inbound routes.
    pub fn manages(&self, address: &Address) -> bool {
        self.route(address.domain()).is_some()
    }

    /// The known mailbox of that address.
    pub fn mailbox(&self, address: &Address) -> Option<&Mailbox> {
        self.mailboxes.get(address)
    }

    /// The partner that `external` belongs to: an agreement with the address itself counts before one with its domain.
    pub fn partner(&self, external: &Address) -> Option<&Partner> {
        let of = |partner: &&Partner| partner.external.covers(external);
        let by_name = |partner: &&Partner| matches!(partner.external, Entry::Mailbox(_));
        let mut own = self.partners.iter().filter(by_name).filter(of);
        own.next().or_else(|| self.partners.iter().find(of))
    }

    /// The profile agreed for `external`.
    pub fn profile(&self, external: &Address) -> Profile {
        self.partner(external)
            .map_or(Profile::Default, |partner| partner.profile)
    }

    /// Where mail to `domain` goes: its inbound route, its destination, the smarthost, or its MX.
    pub fn next_hop(&self, domain: &Domain) -> NextHop {
        if let Some(route) = self.route(domain) {
            return route.target.clone();
        }
        let destination = self.destinations.get(domain);
        let tls = destination.map(|d| d.tls).unwrap_or_default();
        destination
            .and_then(|d| d.hop.clone())
            .or_else(|| self.smarthost.clone().map(|hop| hop.at_least(tls)))
            .unwrap_or_else(|| NextHop::Mx {
                domain: domain.clone(),
                tls,
            })
    }
}

/// All organisations of this installation.
#[derive(Debug, Default)]
pub struct Installation {
    /// Grows with every change of configuration.
    pub version: u64,
    organisations: Vec<Arc<Organisation>>,
    domains: HashMap<Domain, usize>,
}

impl Installation {
    /// Indexes `organisations`; where two claim one domain, the first keeps it (the store refuses the second).
    pub fn new(version: u64, organisations: Vec<Organisation>) -> Self {
        Self::of(version, organisations.into_iter().map(Arc::new).collect())
    }

    /// The same of organisations that others hold too.
    pub fn of(version: u64, organisations: Vec<Arc<Organisation>>) -> Self {
        let mut domains = HashMap::new();
        for (index, organisation) in organisations.iter().enumerate() {
            for domain in organisation.routes.iter().flat_map(|route| &route.domains) {
                domains.entry(domain.clone()).or_insert(index);
            }
        }
        Self {
            version,
            organisations,
            domains,
        }
    }

    /// All organisations.
    pub fn organisations(&self) -> &[Arc<Organisation>] {
        &self.organisations
    }

    /// The organisation with an inbound route for `domain`.
    pub fn managing(&self, domain: &Domain) -> Option<&Arc<Organisation>> {
        self.organisations.get(*self.domains.get(domain)?)
    }

    /// The organisation of that number.
    pub fn organisation(&self, id: OrganisationId) -> Option<&Arc<Organisation>> {
        self.organisations
            .iter()
            .find(|organisation| organisation.id == id)
    }

    /// The sending client that a connection from `peer` proves to be by its network alone.
    pub fn client_by_network(&self, peer: IpAddr) -> Option<(&Arc<Organisation>, &SendingClient)> {
        self.clients().find(|(_, client)| match &client.proof {
            Proof::Network(networks) => holds(networks, peer),
            Proof::Password { .. } | Proof::Certificate(_) | Proof::Connector { .. } => false,
        })
    }

    /// The sending clients that share the network of `peer`: which of them hands a mail in, the mail says.
    pub fn clients_sharing(
        &self,
        peer: IpAddr,
    ) -> impl Iterator<Item = (&Arc<Organisation>, &SendingClient)> {
        self.clients()
            .filter(move |(_, client)| client.proof.shares(peer))
    }

    /// The sending client of a shared network whose secret has this SHA-256.
    pub fn client_by_connector(
        &self,
        peer: IpAddr,
        digest: &[u8],
    ) -> Option<(&Arc<Organisation>, &SendingClient)> {
        self.clients_sharing(peer).find(
            |(_, client)| matches!(&client.proof, Proof::Connector { secret, .. } if secret == digest),
        )
    }

    /// The sending client whose TLS certificate has this SHA-256.
    pub fn client_by_certificate(
        &self,
        fingerprint: &[u8; 32],
    ) -> Option<(&Arc<Organisation>, &SendingClient)> {
        self.clients().find(
            |(_, client)| matches!(&client.proof, Proof::Certificate(own) if own == fingerprint),
        )
    }

    /// The sending client with that SMTP AUTH user name.
    pub fn client_by_user(&self, name: &str) -> Option<(&Arc<Organisation>, &SendingClient)> {
        self.clients().find(
            |(_, client)| matches!(&client.proof, Proof::Password { user, .. } if user == name),
        )
    }

    /// The sending client of that name in an organisation; another one may have its namesake.
    pub fn client_by_name(
        &self,
        organisation: OrganisationId,
        name: &str,
    ) -> Option<(&Arc<Organisation>, &SendingClient)> {
        self.clients()
            .find(|(of, client)| of.id == organisation && client.name == name)
    }

    fn clients(&self) -> impl Iterator<Item = (&Arc<Organisation>, &SendingClient)> {
        self.organisations.iter().flat_map(|organisation| {
            organisation
                .clients
                .iter()
                .map(move |client| (organisation, client))
        })
    }
}

/// A private key's certificate, as the store gives it to a ring; the key itself is unsealed only when needed.
#[derive(Clone, Debug)]
pub struct RingEntry {
    /// Its number.
    pub key: KeyId,
    /// Its certificate.
    pub certificate: Certificate,
}

/// An external address's certificate, with where it came from (spec.md section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrespondentKey {
    /// Number in the store.
    pub id: i64,
    /// The address it is bound to.
    pub address: Address,
    /// The certificate.
    pub certificate: Certificate,
    /// Where it came from.
    pub origin: Origin,
    /// Whether it is used.
    pub state: CorrespondentState,
    /// Whether an administrator wants this key and no other for the address, until he takes that back.
    pub pinned: bool,
    /// When it was stored.
    pub added: Timestamp,
    /// What its owner announced that it reads, in the newest valid mail.
    pub announced: Option<Announced>,
}

impl CorrespondentKey {
    /// What its owner announced, read; none where nothing readable was announced.
    pub fn capabilities(&self) -> Option<Capabilities> {
        let announced = self.announced.as_ref()?;
        Capabilities::from_der(&announced.capabilities).ok()
    }
}

/// What the owner of a key announced that it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// The smimeCapabilities attribute's value, DER (RFC 8551 section 2.5.2).
    pub capabilities: Vec<u8>,
    /// The signing time of the mail: only a later announcement counts instead (RFC 8551 section 2.7.1).
    pub at: Timestamp,
}

/// Where a correspondent key came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Imported by an administrator; never changes by itself.
    Manual,
    /// Harvested from a valid signed mail.
    Harvested,
    /// Found in a directory of the organisation (RFC 4523).
    Ldap,
    /// Found in DNS (RFC 8162).
    Smimea,
}

impl Origin {
    /// Whether it was asked for when a mail needed it; the source is asked again and again whether it still has it.
    pub const fn is_asked_for(self) -> bool {
        match self {
            Self::Ldap | Self::Smimea => true,
            Self::Manual | Self::Harvested => false,
        }
    }
}

/// Whether a correspondent key is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CorrespondentState {
    /// Encrypted to.
    Preferred,
    /// Valid, but another is preferred.
    Additional,
    /// From another issuer than the preferred one; waits for an administrator or the end of the preferred one.
    New,
    /// Revocation could not be asked yet; unused.
    Pending,
    /// Never used.
    Blocked,
}
