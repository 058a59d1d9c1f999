//! A change in one plain sentence, for the audit log and for whoever asked for it.

use sealgate_mail::{Address, Domain};
use sealgate_smime::certificate::Certificate;

use super::{Activation, Change, ImportKeys, MoveRule, NewAuthority};
use crate::order::Purpose;
use crate::queue::{Destination, NextHop};
use crate::rules::Rule;
use crate::saying::{Changes as Said, Saying};
use crate::tenant::{Blocked, ClientEdit, InboundRoute, Partner};

/// The change in one plain sentence; never a password or a key.
pub fn describe(change: &Change) -> Saying {
    match change {
        Change::Settings { before, after } => Said::Switches {
            names: after.changed_since(before),
        },
        Change::PutRoute(route) | Change::EditRoute { becomes: route, .. } => inbound_route(route),
        Change::RemoveRoute(name) => Said::RouteRemoved { name: name.clone() },
        Change::AddMailbox(address) => Said::Mailbox {
            address: address.to_string(),
        },
        Change::RemoveMailbox(address) => Said::MailboxRemoved {
            address: address.to_string(),
        },
        Change::Aliases(address, aliases) => other_names(address, aliases),
        Change::Activate(order) => activated(order),
        Change::Renew(order, purpose) => renewed(order, *purpose),
        Change::Withdraw(address) => Said::Withdraw {
            address: address.to_string(),
        },
        Change::ConfirmRevoked(address) => Said::ConfirmRevoked {
            address: address.to_string(),
        },
        Change::PutAuthority(new) | Change::EditAuthority { becomes: new, .. } => authority(new),
        Change::RemoveAuthority(name) => Said::AuthorityRemoved { name: name.clone() },
        Change::ImportKeys(keys) => uploaded(keys),
        Change::Deactivate(address) => Said::Deactivate {
            address: address.to_string(),
        },
        Change::Rules(rules) => all_rules(rules),
        Change::AddRule(rule) => Said::AddRule {
            rule: one_rule(rule).into(),
        },
        Change::EditRule { was, becomes } => edited(was, becomes),
        Change::MoveRule(way) => moved(way),
        Change::RemoveRule(rule) => Said::RemoveRule {
            id: rule.id.0,
            rule: one_rule(rule).into(),
        },
        Change::RestoreRule(id) => Said::RestoreRule { id: id.0 },
        Change::PutCorrespondent(certificate) => Said::PublicKey {
            name: named(certificate),
        },
        Change::RemoveCorrespondent(print) => Said::PublicKeyRemoved { sha256: hex(print) },
        Change::PutTrustRoot(certificate) => Said::TrustRoot {
            name: named(certificate),
        },
        Change::RemoveTrustRoot(print) => Said::TrustRootRemoved { sha256: hex(print) },
        Change::Block(blocked) => never(blocked),
        Change::Unblock(print) => Said::Unblock { sha256: hex(print) },
        Change::PutPartner(new) => partner(new),
        Change::RemovePartner(external) => Said::PartnerRemoved {
            external: external.to_string(),
        },
        Change::PutDestination(domain, to) => destination(domain, to),
        Change::EditDestination {
            domain, becomes, ..
        } => destination(domain, becomes),
        Change::RemoveDestination(domain) => Said::DestinationRemoved {
            domain: domain.as_str().to_owned(),
        },
        Change::Smarthost(host) => smarthost(host.as_ref()),
        Change::EditSmarthost { becomes, .. } => smarthost(becomes.as_ref()),
        Change::PutClient(client) | Change::AddClient(client) => Said::Client {
            name: client.name.clone(),
        },
        Change::EditClient(name, edit) => client(name, edit),
        Change::RemoveClient(name) => Said::ClientRemoved { name: name.clone() },
    }
    .into()
}

fn client(name: &str, edit: &ClientEdit) -> Said {
    let name = name.to_owned();
    match edit.secret {
        None => Said::Client { name },
        Some(_) => Said::ClientSecret { name },
    }
}

fn activated(order: &Activation) -> Said {
    Said::Activate {
        mailbox: order.mailbox.to_string(),
        authority: named_authority(&order.authority).into(),
    }
}

fn uploaded(keys: &ImportKeys) -> Said {
    Said::Upload {
        mailbox: keys.mailbox.to_string(),
        certificates: list(&keys.pairs, |(certificate, _)| named(certificate)),
    }
}

fn all_rules(rules: &[Rule]) -> Said {
    match number(rules.len()) {
        1 => Said::OneRule {},
        count => Said::Rules { count },
    }
}

fn edited(was: &Rule, becomes: &Rule) -> Said {
    Said::EditRule {
        id: was.id.0,
        becomes: one_rule(becomes).into(),
        was: one_rule(was).into(),
    }
}

fn moved(way: &MoveRule) -> Said {
    Said::MoveRule {
        id: way.id.0,
        from: number(way.from),
        to: number(way.to),
    }
}

fn never(blocked: &Blocked) -> Said {
    let sha256 = hex(&blocked.sha256);
    match blocked.subject.clone() {
        Some(subject) => Said::BlockNamed { subject, sha256 },
        None => Said::Block { sha256 },
    }
}

fn partner(new: &Partner) -> Said {
    Said::Partner {
        external: new.external.to_string(),
        profile: new.profile.as_str().to_owned(),
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn other_names(address: &Address, aliases: &[Address]) -> Said {
    let address = address.to_string();
    match aliases {
        [] => Said::NoAliases { address },
        _ => Said::Aliases {
            address,
            aliases: list(aliases, Address::to_string),
        },
    }
}

fn inbound_route(route: &InboundRoute) -> Said {
    let name = route.name.clone();
    let domains = list(&route.domains, |domain| domain.as_str().to_owned());
    let to = hop(&route.target).into();
    match route.wildcard {
        true => Said::WildcardRoute { name, domains, to },
        false => Said::Route { name, domains, to },
    }
}

/// `example.com <-> partner.example, inbound enforce, outbound not defined`.
fn one_rule(rule: &Rule) -> Said {
    Said::Rule {
        managed: pattern(&rule.managed.to_string()),
        external: pattern(&rule.external.to_string()),
        inbound: rule.inbound,
        outbound: rule.outbound,
    }
}

fn pattern(written: &str) -> Box<Saying> {
    match written {
        "all" => Said::All {}.into(),
        _ => Box::new(Saying::words(written)),
    }
}

fn renewed(order: &Activation, purpose: Purpose) -> Said {
    let mailbox = order.mailbox.to_string();
    let authority = named_authority(&order.authority).into();
    match purpose {
        Purpose::Replacement => Said::Replace { mailbox, authority },
        Purpose::Activation | Purpose::Renewal => Said::Renew { mailbox, authority },
    }
}

fn authority(new: &NewAuthority) -> Said {
    let name = new.name.clone();
    let mut name: Box<Saying> = match &new.connector {
        Some(connector) => Said::OfKind {
            name,
            kind: connector.as_str().to_owned(),
        }
        .into(),
        None => Box::new(Saying::words(name)),
    };
    if new.standard {
        name = Said::Standard { name }.into();
    }
    Said::Authority { name }
}

fn destination(domain: &Domain, to: &Destination) -> Said {
    Said::Destination {
        domain: domain.as_str().to_owned(),
        to: to.hop.as_ref().map_or(Said::SmarthostOrMx {}, hop).into(),
        tls: to.tls.as_str().to_owned(),
    }
}

fn smarthost(host: Option<&NextHop>) -> Said {
    match host {
        Some(host) => Said::Smarthost {
            to: hop(host).into(),
        },
        None => Said::NoSmarthost {},
    }
}

fn named_authority(name: &Option<String>) -> Said {
    match name {
        Some(name) => Said::NamedAuthority { name: name.clone() },
        None => Said::StandardAuthority {},
    }
}

fn list<T>(items: &[T], name: impl Fn(&T) -> String) -> String {
    let names: Vec<String> = items.iter().map(name).collect();
    names.join(", ")
}

fn hop(hop: &NextHop) -> Said {
    match hop {
        NextHop::Host {
            host,
            port,
            tls,
            credentials,
            ..
        } => {
            let (host, port, tls) = (host.clone(), i64::from(*port), tls.as_str().to_owned());
            match credentials {
                Some(as_whom) => Said::HostAs {
                    host,
                    port,
                    tls,
                    user: as_whom.user.clone(),
                },
                None => Said::Host { host, port, tls },
            }
        }
        NextHop::Mx { domain, tls } => Said::Mx {
            domain: domain.as_str().to_owned(),
            tls: tls.as_str().to_owned(),
        },
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
