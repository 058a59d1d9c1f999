//! Changes of an organisation's configuration: what `apply`, the command line and later the portal ask the store for.
//!
//! A list of changes is carried out whole or not at all, each with its line in the audit log.

use sealgate_mail::{Address, Domain};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::{KeyKind, PrivateKey};

use crate::authority::{AuthorityId, Connector};
use crate::order::Purpose;
use crate::queue::{Destination, NextHop};
use crate::rules::{Entry, Rule, RuleId};
use crate::tenant::{Blocked, ClientEdit, InboundRoute, Partner, SendingClient, Settings};

mod words;

pub use words::describe;

/// One change. Those that remove something absent, or put what is there already, do nothing.
#[derive(Clone, Debug)]
pub enum Change {
    /// New switches.
    Settings {
        /// As they were: the audit log names only those that change.
        before: Settings,
        /// As they will be.
        after: Settings,
    },
    /// Adds the route, or replaces the one of that name.
    PutRoute(InboundRoute),
    /// Makes of a route what is different between `was` and `becomes`, and leaves the rest as others made it meanwhile.
    EditRoute {
        /// As it was when whoever asks looked at it.
        was: InboundRoute,
        /// As it will be.
        becomes: InboundRoute,
    },
    /// Removes the route; its domains and mailboxes with it.
    RemoveRoute(String),
    /// Adds a known mailbox, inactive, to the route of its domain.
    AddMailbox(Address),
    /// Removes a known mailbox; its key ring stays, for decryption, until purged.
    RemoveMailbox(Address),
    /// Whose key rings also open mail to this mailbox (A10).
    Aliases(Address, Vec<Address>),
    /// Orders a certificate, with which the mailbox becomes active.
    Activate(Activation),
    /// Orders the next certificate of an active mailbox.
    Renew(Activation, Purpose),
    /// Takes the open order of a mailbox back.
    Withdraw(Address),
    /// Makes the uploaded pairs current for their usage and the mailbox active (S47).
    ImportKeys(ImportKeys),
    /// The mailbox signs no more, its certificates are to be revoked; its keys stay for decryption (A9, A12).
    Deactivate(Address),
    /// An administrator says that the issuers of the mailbox's uploaded certificates have revoked them (A12).
    ConfirmRevoked(Address),
    /// Adds the authority, or replaces the one of that name; what the former one issued it can still revoke.
    PutAuthority(NewAuthority),
    /// The same, refused if it is not the one that `was` any more: what is secret in it may have been kept from that one.
    EditAuthority {
        /// As it was when whoever asks looked at it; none if there was none.
        was: Option<AuthorityId>,
        /// As it will be.
        becomes: NewAuthority,
    },
    /// Orders nothing from it any more; what it issued it can still revoke.
    RemoveAuthority(String),
    /// The whole ordered list of rules; `RuleId(0)` is a new rule that gets a number.
    Rules(Vec<Rule>),
    /// Adds the rule with the highest priority; the others move down (S55). Its number is 0.
    AddRule(Rule),
    /// Gives a rule other fields or modes; refused if it is not as it `was` any more.
    EditRule {
        /// As it was when whoever asks looked at it.
        was: Rule,
        /// As it will be.
        becomes: Rule,
    },
    /// Gives a rule another priority; refused if the rules do not stand as they were looked at any more.
    MoveRule(MoveRule),
    /// Deletes a rule, which can be taken back for a while; refused if it is not as it was any more.
    RemoveRule(Rule),
    /// Takes the deletion of a rule back: it stands at its former priority.
    RestoreRule(RuleId),
    /// Adds a manual correspondent key for each address of the certificate.
    PutCorrespondent(Certificate),
    /// Removes manual correspondent keys with this certificate fingerprint (SHA-256).
    RemoveCorrespondent([u8; 32]),
    /// Adds a trust root.
    PutTrustRoot(Certificate),
    /// Removes the trust root with this fingerprint (SHA-256).
    RemoveTrustRoot([u8; 32]),
    /// Never trusts the certificate.
    Block(Blocked),
    /// No longer blocks the certificate with this fingerprint (SHA-256).
    Unblock([u8; 32]),
    /// Adds the partner, or replaces the one of that external address or domain.
    PutPartner(Partner),
    /// Removes the partner.
    RemovePartner(Entry),
    /// Sets how mail to a domain leaves.
    PutDestination(Domain, Destination),
    /// The same, refused if it is not as it `was` any more: its password may have been kept from there.
    EditDestination {
        /// The domain.
        domain: Domain,
        /// As it was when whoever asks looked at it.
        was: Option<Destination>,
        /// As it will be.
        becomes: Destination,
    },
    /// Removes it.
    RemoveDestination(Domain),
    /// Sets or removes the smarthost.
    Smarthost(Option<NextHop>),
    /// The same, refused if it is not as it `was` any more: its password may have been kept from there.
    EditSmarthost {
        /// As it was when whoever asks looked at it.
        was: Option<NextHop>,
        /// As it will be.
        becomes: Option<NextHop>,
    },
    /// Adds the sending client, or replaces the one of that name.
    PutClient(SendingClient),
    /// Adds the sending client; refused if there is one of that name.
    AddClient(SendingClient),
    /// Makes something different about the sending client of that name, and leaves the rest as others made it.
    EditClient(String, ClientEdit),
    /// Removes the sending client.
    RemoveClient(String),
}

/// A rule and its way in the order of priorities, 1 first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoveRule {
    /// The rule.
    pub id: RuleId,
    /// Its present priority.
    pub from: usize,
    /// Its new priority.
    pub to: usize,
    /// The rule that has that priority now; not asked if none.
    pub passes: Option<RuleId>,
}

/// Everything `apply` describes of an organisation, with files read and certificates parsed: what the file asks for,
/// or what the store holds.
#[derive(Clone, Debug, Default)]
pub struct Described {
    /// Switches.
    pub settings: Settings,
    /// Inbound routes.
    pub routes: Vec<InboundRoute>,
    /// Known mailboxes.
    pub mailboxes: Vec<DescribedMailbox>,
    /// Rules in order; numbers are 0 in what a file asks for.
    pub rules: Vec<Rule>,
    /// Manual correspondent keys.
    pub correspondents: Vec<Certificate>,
    /// Trust roots.
    pub trust_roots: Vec<Certificate>,
    /// Certificates that are never trusted.
    pub blocked: Vec<Blocked>,
    /// Algorithms agreed with partners.
    pub partners: Vec<Partner>,
    /// How mail to single domains leaves.
    pub destinations: Vec<(Domain, Destination)>,
    /// Next hop for all other domains.
    pub smarthost: Option<NextHop>,
    /// Sending clients.
    pub clients: Vec<SendingClient>,
}

/// A known mailbox as described.
#[derive(Clone, Debug)]
pub struct DescribedMailbox {
    /// Its address.
    pub address: Address,
    /// Whose key rings also open its mail.
    pub aliases: Vec<Address>,
    /// Whether it is active, and by which keys.
    pub keys: DescribedKeys,
}

/// An order for a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// The mailbox.
    pub mailbox: Address,
    /// Name of the authority; the standard one of the organisation if none.
    pub authority: Option<String>,
    /// The kind of key to make.
    pub key: KeyKind,
    /// The token to make it on; sealed in the store if none.
    pub token: Option<String>,
}

impl Activation {
    /// With a key in the store and a certificate of the standard authority.
    pub fn new(mailbox: Address, key: KeyKind) -> Self {
        Self {
            mailbox,
            authority: None,
            key,
            token: None,
        }
    }
}

/// An authority as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAuthority {
    /// Its name.
    pub name: String,
    /// Whether orders go there unless another is named.
    pub standard: bool,
    /// Days before the end of a certificate when the next one is ordered; as before if none.
    pub renew_days: Option<u32>,
    /// How it is spoken to; as before if none.
    pub connector: Option<Connector>,
}

/// Whether a described mailbox is active, and by which keys.
#[derive(Clone, Debug)]
pub enum DescribedKeys {
    /// Inactive.
    Inactive,
    /// Its certificates are being revoked.
    RevokePending,
    /// Active, or to become so, by an authority.
    Issued {
        /// The kind of key to make if there is none yet.
        key: KeyKind,
        /// Name of the authority; none in what a file asks for if any will do.
        authority: Option<String>,
        /// Whether its certificate is still on order.
        pending: bool,
    },
    /// Active by uploaded pairs. In what a file asks for, the private keys are there; in what the store holds, not.
    Uploaded {
        /// Certificates of the current pairs.
        certificates: Vec<Certificate>,
        /// The pairs themselves, to import if the store has not these certificates as current.
        import: Option<ImportKeys>,
    },
}

/// Key pairs for a mailbox: one, or two where signing and encryption are separate (A26).
#[derive(Clone, Debug)]
pub struct ImportKeys {
    /// The mailbox.
    pub mailbox: Address,
    /// Certificates with their private keys.
    pub pairs: Vec<(Certificate, PrivateKey)>,
    /// Issuers' certificates to send along, without the root.
    pub chain: Vec<Certificate>,
    /// Where they come from.
    pub origin: KeyOrigin,
}

/// Where a mailbox's key pair came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyOrigin {
    /// Made here and certified by an authority.
    Issued,
    /// Uploaded (S47).
    Uploaded,
}

/// What has to be done so that `current` becomes `desired`; nothing if it is so already.
///
/// What goes comes first, so that a domain can move from one route to another.
pub fn diff(current: &Described, desired: &Described) -> Vec<Change> {
    let mut changes = Vec::new();
    if current.settings != desired.settings {
        let (before, after) = (current.settings, desired.settings);
        changes.push(Change::Settings { before, after });
    }
    diff_routes(current, desired, &mut changes);
    diff_mailboxes(current, desired, &mut changes);
    diff_rules(current, desired, &mut changes);
    diff_certificates(current, desired, &mut changes);
    diff_blocked(current, desired, &mut changes);
    diff_partners(current, desired, &mut changes);
    diff_ways_out(current, desired, &mut changes);
    diff_clients(current, desired, &mut changes);
    changes
}

/// Mailboxes that go, routes that go, routes that change: those that only lose domains before the others.
fn diff_routes(current: &Described, desired: &Described, changes: &mut Vec<Change>) {
    let stays = |address: &Address| desired.mailboxes.iter().any(|m| m.address == *address);
    let gone = current.mailboxes.iter().filter(|m| !stays(&m.address));
    changes.extend(gone.map(|mailbox| Change::RemoveMailbox(mailbox.address.clone())));
    let named = |name: &String| desired.routes.iter().any(|route| route.name == *name);
    let gone = current.routes.iter().filter(|route| !named(&route.name));
    changes.extend(gone.map(|route| Change::RemoveRoute(route.name.clone())));

    let grows = |route: &InboundRoute| {
        let before = current.routes.iter().find(|old| old.name == route.name);
        let had = |domain| before.is_some_and(|old| old.domains.contains(domain));
        !route.domains.iter().all(had)
    };
    let changed = desired
        .routes
        .iter()
        .filter(|new| !current.routes.iter().any(|old| same_route(old, new)));
    let (growing, shrinking): (Vec<_>, Vec<_>) = changed.partition(|route| grows(route));
    let put = shrinking.into_iter().chain(growing);
    changes.extend(put.map(|route| Change::PutRoute(route.clone())));
}

/// The order of a route's domains says nothing.
fn same_route(a: &InboundRoute, b: &InboundRoute) -> bool {
    let domains = b.domains.clone();
    let a_as_b = InboundRoute {
        domains,
        ..a.clone()
    };
    a_as_b == *b && same_members(&a.domains, &b.domains)
}

/// Mailboxes that come, and keys and aliases of all that stay.
fn diff_mailboxes(current: &Described, desired: &Described, changes: &mut Vec<Change>) {
    for mailbox in &desired.mailboxes {
        let before = kept(&mailbox.address, current, desired);
        if before.is_none() {
            changes.push(Change::AddMailbox(mailbox.address.clone()));
        }
        let keys = before.map_or(&DescribedKeys::Inactive, |old| &old.keys);
        changes.extend(diff_keys(keys, mailbox));
    }
    // An alias may be a mailbox that comes later in the list.
    for mailbox in &desired.mailboxes {
        let before = kept(&mailbox.address, current, desired);
        let aliases = before.map(|old| old.aliases.as_slice()).unwrap_or_default();
        if !same_members(aliases, &mailbox.aliases) {
            let (address, aliases) = (mailbox.address.clone(), mailbox.aliases.clone());
            changes.push(Change::Aliases(address, aliases));
        }
    }
}

/// The mailbox as it is now; none if it is new, or goes with its route and comes anew under another one.
fn kept<'a>(
    address: &Address,
    current: &'a Described,
    desired: &Described,
) -> Option<&'a DescribedMailbox> {
    let holds = |route: &&InboundRoute| route.domains.contains(address.domain());
    let route = current.routes.iter().find(holds)?;
    let stays = desired.routes.iter().any(|new| new.name == route.name);
    let mut mailboxes = current.mailboxes.iter();
    mailboxes.find(|old| stays && old.address == *address)
}

fn diff_keys(current: &DescribedKeys, mailbox: &DescribedMailbox) -> Option<Change> {
    use DescribedKeys::{Inactive, Issued, RevokePending, Uploaded};
    let address = mailbox.address.clone();
    match (current, &mailbox.keys) {
        (Inactive | RevokePending, Inactive | RevokePending) => None,
        (
            Issued { .. },
            Issued {
                authority: None, ..
            },
        ) => None,
        (
            Issued { authority: old, .. },
            Issued {
                authority: Some(new),
                ..
            },
        ) if old.as_ref() == Some(new) => None,
        (Issued { pending: true, .. }, Inactive | RevokePending) => Some(Change::Withdraw(address)),
        (Issued { .. } | Uploaded { .. }, Inactive | RevokePending) => {
            Some(Change::Deactivate(address))
        }
        (Inactive | RevokePending, Issued { key, authority, .. }) => {
            Some(Change::Activate(activation(address, *key, authority)))
        }
        (Issued { .. } | Uploaded { .. }, Issued { key, authority, .. }) => {
            let next = activation(address, *key, authority);
            Some(Change::Renew(next, Purpose::Renewal))
        }
        (
            Uploaded {
                certificates: old, ..
            },
            Uploaded {
                certificates: new, ..
            },
        ) if same_members(old, new) => None,
        (_, Uploaded { import, .. }) => import.clone().map(Change::ImportKeys),
    }
}

fn activation(mailbox: Address, key: KeyKind, authority: &Option<String>) -> Activation {
    Activation {
        authority: authority.clone(),
        ..Activation::new(mailbox, key)
    }
}

/// Rules of equal body keep their identity, so that the journal goes on naming them.
fn diff_rules(current: &Described, desired: &Described, changes: &mut Vec<Change>) {
    let mut unused: Vec<&Rule> = current.rules.iter().collect();
    let mut wanted = Vec::with_capacity(desired.rules.len());
    for rule in &desired.rules {
        let same = |old: &&Rule| {
            Rule {
                id: old.id,
                ..rule.clone()
            } == **old
        };
        let id = match unused.iter().position(same) {
            Some(at) => unused.remove(at).id,
            None => RuleId(0),
        };
        wanted.push(Rule { id, ..rule.clone() });
    }
    if wanted != current.rules {
        changes.push(Change::Rules(wanted));
    }
}

fn diff_certificates(current: &Described, desired: &Described, changes: &mut Vec<Change>) {
    let (gone, new) = come_and_go(&current.trust_roots, &desired.trust_roots);
    changes.extend(gone.map(|c| Change::RemoveTrustRoot(c.fingerprint())));
    changes.extend(new.map(|c| Change::PutTrustRoot(c.clone())));
    let (gone, new) = come_and_go(&current.correspondents, &desired.correspondents);
    changes.extend(gone.map(|c| Change::RemoveCorrespondent(c.fingerprint())));
    changes.extend(new.map(|c| Change::PutCorrespondent(c.clone())));
}

/// A block by fingerprint and one by certificate are the same.
fn diff_blocked(current: &Described, desired: &Described, changes: &mut Vec<Change>) {
    let within =
        |one: &Blocked, all: &[Blocked]| all.iter().any(|other| other.sha256 == one.sha256);
    let gone = current
        .blocked
        .iter()
        .filter(|one| !within(one, &desired.blocked));
    changes.extend(gone.map(|one| Change::Unblock(one.sha256)));
    let new = desired
        .blocked
        .iter()
        .filter(|one| !within(one, &current.blocked));
    changes.extend(new.map(|one| Change::Block(one.clone())));
}

fn diff_partners(current: &Described, desired: &Described, changes: &mut Vec<Change>) {
    let named = |external: &Entry| desired.partners.iter().any(|one| one.external == *external);
    let gone = current.partners.iter().filter(|one| !named(&one.external));
    changes.extend(gone.map(|one| Change::RemovePartner(one.external.clone())));
    let (_, new) = come_and_go(&current.partners, &desired.partners);
    changes.extend(new.map(|one| Change::PutPartner(one.clone())));
}

fn diff_ways_out(current: &Described, desired: &Described, changes: &mut Vec<Change>) {
    let named = |domain: &Domain| desired.destinations.iter().any(|(name, _)| name == domain);
    let gone = current
        .destinations
        .iter()
        .filter(|(domain, _)| !named(domain));
    changes.extend(gone.map(|(domain, _)| Change::RemoveDestination(domain.clone())));
    let (_, new) = come_and_go(&current.destinations, &desired.destinations);
    changes.extend(new.map(|(domain, to)| Change::PutDestination(domain.clone(), to.clone())));
    if current.smarthost != desired.smarthost {
        changes.push(Change::Smarthost(desired.smarthost.clone()));
    }
}

fn diff_clients(current: &Described, desired: &Described, changes: &mut Vec<Change>) {
    let named = |name: &String| desired.clients.iter().any(|client| client.name == *name);
    let gone = current.clients.iter().filter(|client| !named(&client.name));
    changes.extend(gone.map(|client| Change::RemoveClient(client.name.clone())));
    let (_, new) = come_and_go(&current.clients, &desired.clients);
    changes.extend(new.map(|client| Change::PutClient(client.clone())));
}

/// What is only in `current`, and what is only in `desired`.
fn come_and_go<'a, T: PartialEq>(
    current: &'a [T],
    desired: &'a [T],
) -> (impl Iterator<Item = &'a T>, impl Iterator<Item = &'a T>) {
    let gone = current.iter().filter(|item| !desired.contains(item));
    let new = desired.iter().filter(|item| !current.contains(item));
    (gone, new)
}

fn same_members<T: PartialEq>(a: &[T], b: &[T]) -> bool {
    a.iter().all(|item| b.contains(item)) && b.iter().all(|item| a.contains(item))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{Credentials, TlsRequirement};
    use crate::tenant::Proof;
    use crate::testdata::{certificate, key};
    use sealgate_smime::profile::Profile;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn host(name: &str) -> NextHop {
        let credentials = Credentials {
            user: "us".into(),
            password: "marker-password".into(),
        };
        NextHop::Host {
            host: name.into(),
            port: 25,
            tls: TlsRequirement::Required,
            credentials: Some(credentials),
            reach: Default::default(),
        }
    }

    fn route(name: &str, domains: &[&str]) -> InboundRoute {
        let domains = domains.iter().map(|d| Domain::parse(d).unwrap());
        InboundRoute {
            name: name.into(),
            domains: domains.collect(),
            target: host("mail.we.example"),
            wildcard: false,
        }
    }

    fn rule(id: i64, external: &str) -> Rule {
        Rule {
            id: RuleId(id),
            managed: "all".parse().unwrap(),
            external: external.parse().unwrap(),
            inbound: None,
            outbound: None,
        }
    }

    fn mailbox(text: &str, keys: DescribedKeys) -> DescribedMailbox {
        DescribedMailbox {
            address: address(text),
            aliases: vec![],
            keys,
        }
    }

    fn issued(pending: bool) -> DescribedKeys {
        DescribedKeys::Issued {
            key: KeyKind::P256,
            authority: None,
            pending,
        }
    }

    fn uploaded(mailbox: &str, name: &str, import: bool) -> DescribedKeys {
        let import = import.then(|| ImportKeys {
            mailbox: address(mailbox),
            pairs: vec![(certificate(name), key(name))],
            chain: vec![],
            origin: KeyOrigin::Uploaded,
        });
        DescribedKeys::Uploaded {
            certificates: vec![certificate(name)],
            import,
        }
    }

    fn client(name: &str, mail_server: bool) -> SendingClient {
        SendingClient {
            name: name.into(),
            proof: Proof::Network(vec!["127.0.0.0/8".parse().unwrap()]),
            may_send_as: vec![],
            mail_server,
        }
    }

    fn blocked(octet: u8, subject: Option<&str>) -> Blocked {
        Blocked {
            sha256: [octet; 32],
            subject: subject.map(str::to_owned),
            reason: None,
        }
    }

    fn partner(external: &str, profile: Profile) -> Partner {
        Partner {
            external: external.parse().unwrap(),
            profile,
        }
    }

    fn described() -> Described {
        Described {
            settings: Settings::default(),
            routes: vec![
                route("a", &["a.example", "b.example"]),
                route("c", &["c.example"]),
            ],
            mailboxes: vec![
                mailbox("us@a.example", uploaded("us@a.example", "us", true)),
                mailbox("old@a.example", issued(false)),
                mailbox("x@c.example", DescribedKeys::Inactive),
            ],
            rules: vec![
                rule(5, "x.example"),
                rule(3, "y.example"),
                rule(9, "x.example"),
            ],
            correspondents: vec![certificate("alice")],
            trust_roots: vec![certificate("root-one")],
            blocked: vec![blocked(1, None), blocked(2, Some("CN=two"))],
            partners: vec![
                partner("p.example", Profile::EdiEnergy),
                partner("q.example", Profile::Modern),
            ],
            destinations: vec![(Domain::parse("p.example").unwrap(), Destination::default())],
            smarthost: Some(host("smart.example")),
            clients: vec![client("printer", false)],
        }
    }

    fn lines(current: &Described, desired: &Described) -> Vec<String> {
        diff(current, desired)
            .iter()
            .map(|change| describe(change).to_string())
            .collect()
    }

    #[test]
    fn the_same_needs_no_change() {
        let current = described();
        assert_eq!(lines(&current, &current), [] as [&str; 0]);
        // A file knows no rule numbers, and orders nothing but rules.
        let mut desired = described();
        desired
            .rules
            .iter_mut()
            .for_each(|rule| rule.id = RuleId(0));
        desired.mailboxes.reverse();
        desired.routes.reverse();
        desired.routes[1].domains.reverse();
        assert_eq!(lines(&current, &desired), [] as [&str; 0]);
        let nothing = Described::default();
        assert_eq!(lines(&nothing, &nothing), [] as [&str; 0]);
    }

    #[test]
    fn rules_of_equal_body_keep_their_identity() {
        let current = described();
        let mut desired = described();
        desired.rules = vec![
            rule(0, "z.example"),
            rule(0, "x.example"),
            rule(0, "y.example"),
        ];
        let changes = diff(&current, &desired);
        let [Change::Rules(rules)] = changes.as_slice() else {
            panic!("{changes:?}");
        };
        let ids: Vec<i64> = rules.iter().map(|rule| rule.id.0).collect();
        assert_eq!(ids, [0, 5, 3]);
    }

    #[test]
    fn each_difference_is_one_plain_line() {
        let print = |name| certificate(name).fingerprint_hex();
        let current = described();
        let mut desired = described();
        desired.settings.all_or_nothing = true;
        desired.routes = vec![route("a", &["a.example"]), route("d", &["b.example"])];
        desired.mailboxes = vec![
            mailbox("us@a.example", uploaded("us@a.example", "alice", true)),
            mailbox("old@a.example", DescribedKeys::Inactive),
            mailbox("new@b.example", issued(false)),
        ];
        desired.mailboxes[0].aliases = vec![address("new@b.example")];
        desired.rules.pop();
        desired.correspondents = vec![certificate("bob")];
        desired.trust_roots = vec![certificate("root-two")];
        desired.blocked = vec![blocked(2, None), blocked(3, Some("CN=three"))];
        desired.partners = vec![
            partner("q.example", Profile::Legacy),
            partner("r@r.example", Profile::Default),
        ];
        desired.destinations = vec![];
        desired.smarthost = None;
        desired.clients = vec![client("scanner", true)];
        let expected = [
            "set switches: all-or-nothing on".to_owned(),
            "remove mailbox x@c.example".to_owned(),
            "remove inbound route c and its mailboxes".to_owned(),
            "set inbound route a: a.example to mail.we.example:25, TLS required, as us".to_owned(),
            "set inbound route d: b.example to mail.we.example:25, TLS required, as us".to_owned(),
            format!(
                "activate mailbox us@a.example with alice@partner.example (sha256:{})",
                print("alice")
            ),
            "deactivate mailbox old@a.example".to_owned(),
            "add mailbox new@b.example".to_owned(),
            "activate mailbox new@b.example with the standard authority".to_owned(),
            "mail to us@a.example is also opened with the keys of new@b.example".to_owned(),
            "set the list of rules: 2 rules".to_owned(),
            format!("remove trust root sha256:{}", print("root-one")),
            format!("add trust root root-two (sha256:{})", print("root-two")),
            format!("remove public key sha256:{}", print("alice")),
            format!(
                "add public key bob@partner.example (sha256:{})",
                print("bob")
            ),
            format!("no longer block sha256:{}", "01".repeat(32)),
            format!("never trust three (sha256:{})", "03".repeat(32)),
            "remove partner p.example".to_owned(),
            "set profile of partner q.example: legacy".to_owned(),
            "set profile of partner r@r.example: default".to_owned(),
            "send mail for p.example like all other mail".to_owned(),
            "send mail to the servers of its domain (MX)".to_owned(),
            "remove sending client printer".to_owned(),
            "set sending client scanner".to_owned(),
        ];
        let found = lines(&current, &desired);
        let normal = |line: &String| line.replace("CN=", "");
        assert_eq!(found.iter().map(normal).collect::<Vec<_>>(), expected);
        assert!(!found.concat().contains("marker"));
    }

    /// What a file asks for, against each place a mailbox can stand.
    #[test]
    fn the_life_of_a_mailbox_as_described() {
        let from = |name: &str| DescribedKeys::Issued {
            key: KeyKind::P256,
            authority: Some(name.to_owned()),
            pending: false,
        };
        let upload = || uploaded("us@a.example", "us", true);
        let table = [
            (DescribedKeys::Inactive, DescribedKeys::Inactive, ""),
            (
                DescribedKeys::Inactive,
                issued(false),
                "activate mailbox us@a.example with the standard authority",
            ),
            (
                DescribedKeys::Inactive,
                from("x"),
                "activate mailbox us@a.example with authority x",
            ),
            (issued(true), issued(false), ""),
            (
                issued(true),
                DescribedKeys::Inactive,
                "withdraw the order for mailbox us@a.example",
            ),
            (
                issued(false),
                DescribedKeys::Inactive,
                "deactivate mailbox us@a.example",
            ),
            (from("x"), issued(false), ""),
            (from("x"), from("x"), ""),
            (
                from("x"),
                from("y"),
                "order the next certificate of mailbox us@a.example from authority y",
            ),
            (
                upload(),
                issued(false),
                "order the next certificate of mailbox us@a.example from the standard authority",
            ),
            (upload(), upload(), ""),
            (DescribedKeys::RevokePending, DescribedKeys::Inactive, ""),
            (
                DescribedKeys::RevokePending,
                issued(false),
                "activate mailbox us@a.example with the standard authority",
            ),
        ];
        for (before, after, expected) in table {
            let words = format!("{before:?} {after:?}");
            let found = diff_keys(&before, &mailbox("us@a.example", after));
            assert_eq!(
                found
                    .as_ref()
                    .map_or(String::new(), |change| describe(change).to_string()),
                expected,
                "{words}"
            );
        }
    }

    #[test]
    fn a_mailbox_whose_route_goes_comes_anew() {
        let current = described();
        let mut desired = described();
        desired.routes = vec![route("e", &["a.example", "c.example"])];
        desired.mailboxes = vec![mailbox(
            "us@a.example",
            uploaded("us@a.example", "us", true),
        )];
        let found = lines(&current, &desired);
        let words = [
            "remove mailbox",
            "remove mailbox",
            "remove inbound route a",
            "remove inbound route c",
            "set inbound route e",
            "add mailbox us@a.example",
            "activate mailbox us@a.example",
        ];
        assert_eq!(found.len(), words.len(), "{found:?}");
        for (line, word) in found.iter().zip(words) {
            assert!(line.starts_with(word), "{line}");
        }
    }
}
