//! Changes of an organisation's configuration: what `apply`, the command line and later the portal ask the store for.
//!
//! A list of changes is carried out whole or not at all, each with its line in the audit log.

use sealgate_mail::{Address, Domain};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::key::{KeyKind, PrivateKey};

use crate::queue::{Destination, NextHop};
use crate::rules::{Entry, Rule, RuleId};
use crate::tenant::{Blocked, InboundRoute, Partner, SendingClient, Settings};

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
    /// Removes the route; its domains and mailboxes with it.
    RemoveRoute(String),
    /// Adds a known mailbox, inactive, to the route of its domain.
    AddMailbox(Address),
    /// Removes a known mailbox; its key ring stays, for decryption, until purged.
    RemoveMailbox(Address),
    /// Whose key rings also open mail to this mailbox (A10).
    Aliases(Address, Vec<Address>),
    /// The mailbox becomes active with a certificate of the built-in CA. Whoever carries changes out makes key
    /// and certificate and hands the store [`Change::ImportKeys`] instead.
    Activate(Address, KeyKind),
    /// Makes the pairs current for their usage and the mailbox active.
    ImportKeys(ImportKeys),
    /// The mailbox signs no more; its keys stay for decryption (A9).
    Deactivate(Address),
    /// The whole ordered list of rules; `RuleId(0)` is a new rule that gets a number.
    Rules(Vec<Rule>),
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
    /// Removes it.
    RemoveDestination(Domain),
    /// Sets or removes the smarthost.
    Smarthost(Option<NextHop>),
    /// Adds the sending client, or replaces the one of that name.
    PutClient(SendingClient),
    /// Removes the sending client.
    RemoveClient(String),
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

/// Whether a described mailbox is active, and by which keys.
#[derive(Clone, Debug)]
pub enum DescribedKeys {
    /// Inactive.
    Inactive,
    /// Active by the built-in CA; the kind of key to make if it is not active yet.
    BuiltIn(KeyKind),
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
    /// Made here and certified by the built-in CA.
    BuiltIn,
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
    use DescribedKeys::{BuiltIn, Inactive, Uploaded};
    let address = mailbox.address.clone();
    match (current, &mailbox.keys) {
        (Inactive, Inactive) | (BuiltIn(_), BuiltIn(_)) => None,
        (BuiltIn(_) | Uploaded { .. }, Inactive) => Some(Change::Deactivate(address)),
        (_, BuiltIn(kind)) => Some(Change::Activate(address, *kind)),
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

/// The change in one plain line; never a password or a key.
pub fn describe(change: &Change) -> String {
    match change {
        Change::Settings { before, after } => {
            format!("set switches: {}", after.changed_since(before))
        }
        Change::PutRoute(route) => format!(
            "set inbound route {}: {} to {}{}",
            route.name,
            list(&route.domains, |domain| domain.as_str().to_owned()),
            hop(&route.target),
            if route.wildcard { ", wildcard" } else { "" }
        ),
        Change::RemoveRoute(name) => format!("remove inbound route {name} and its mailboxes"),
        Change::AddMailbox(address) => format!("add mailbox {address}"),
        Change::RemoveMailbox(address) => format!("remove mailbox {address}"),
        Change::Aliases(address, aliases) if aliases.is_empty() => {
            format!("mailbox {address} has no aliases")
        }
        Change::Aliases(address, aliases) => format!(
            "mail to {address} is also opened with the keys of {}",
            list(aliases, Address::to_string)
        ),
        Change::Activate(address, _) => {
            format!("activate mailbox {address} with the built-in CA")
        }
        Change::ImportKeys(keys) => format!(
            "activate mailbox {} with {}",
            keys.mailbox,
            list(&keys.pairs, |(certificate, _)| named(certificate))
        ),
        Change::Deactivate(address) => format!("deactivate mailbox {address}"),
        Change::Rules(rules) => match rules.len() {
            1 => "set the list of rules: 1 rule".to_owned(),
            n => format!("set the list of rules: {n} rules"),
        },
        Change::PutCorrespondent(certificate) => {
            format!("add public key {}", named(certificate))
        }
        Change::RemoveCorrespondent(print) => format!("remove public key sha256:{}", hex(print)),
        Change::PutTrustRoot(certificate) => format!("add trust root {}", named(certificate)),
        Change::RemoveTrustRoot(print) => format!("remove trust root sha256:{}", hex(print)),
        Change::Block(blocked) => match &blocked.subject {
            Some(subject) => format!("never trust {subject} (sha256:{})", hex(&blocked.sha256)),
            None => format!("never trust sha256:{}", hex(&blocked.sha256)),
        },
        Change::Unblock(print) => format!("no longer block sha256:{}", hex(print)),
        Change::PutPartner(partner) => format!(
            "set profile of partner {}: {}",
            partner.external,
            partner.profile.as_str()
        ),
        Change::RemovePartner(external) => format!("remove partner {external}"),
        Change::PutDestination(domain, destination) => format!(
            "send mail for {} to {}, TLS {}",
            domain.as_str(),
            destination
                .hop
                .as_ref()
                .map_or("smarthost or MX".to_owned(), hop),
            destination.tls.as_str()
        ),
        Change::RemoveDestination(domain) => {
            format!("send mail for {} like all other mail", domain.as_str())
        }
        Change::Smarthost(Some(host)) => format!("send mail through smarthost {}", hop(host)),
        Change::Smarthost(None) => "send mail to the servers of its domain (MX)".to_owned(),
        Change::PutClient(client) => format!("set sending client {}", client.name),
        Change::RemoveClient(name) => format!("remove sending client {name}"),
    }
}

fn list<T>(items: &[T], name: impl Fn(&T) -> String) -> String {
    let names: Vec<String> = items.iter().map(name).collect();
    names.join(", ")
}

fn hop(hop: &NextHop) -> String {
    match hop {
        NextHop::Host {
            host,
            port,
            tls,
            credentials,
        } => format!(
            "{host}:{port}, TLS {}{}",
            tls.as_str(),
            credentials
                .as_ref()
                .map_or(String::new(), |c| format!(", as {}", c.user))
        ),
        NextHop::Mx { domain, tls } => format!("MX of {}, TLS {}", domain.as_str(), tls.as_str()),
    }
}

fn named(certificate: &Certificate) -> String {
    let addresses = list(certificate.addresses(), Address::to_string);
    format!(
        "{} (sha256:{})",
        if addresses.is_empty() {
            certificate.subject_name()
        } else {
            addresses
        },
        hex(&certificate.fingerprint())
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
                mailbox("old@a.example", DescribedKeys::BuiltIn(KeyKind::P256)),
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
        diff(current, desired).iter().map(describe).collect()
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
        let print = |name| hex(&certificate(name).fingerprint());
        let current = described();
        let mut desired = described();
        desired.settings.all_or_nothing = true;
        desired.routes = vec![route("a", &["a.example"]), route("d", &["b.example"])];
        desired.mailboxes = vec![
            mailbox("us@a.example", uploaded("us@a.example", "alice", true)),
            mailbox("old@a.example", DescribedKeys::Inactive),
            mailbox("new@b.example", DescribedKeys::BuiltIn(KeyKind::P256)),
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
            "activate mailbox new@b.example with the built-in CA".to_owned(),
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
