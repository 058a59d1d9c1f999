//! A change in one plain line, for the audit log and for whoever asked for it.

use sealgate_mail::{Address, Domain};
use sealgate_smime::certificate::Certificate;

use super::{Activation, Change, NewAuthority};
use crate::order::Purpose;
use crate::queue::{Destination, NextHop};
use crate::rules::{InboundMode, OutboundMode, Rule};
use crate::tenant::InboundRoute;

/// The change in one plain line; never a password or a key.
pub fn describe(change: &Change) -> String {
    match change {
        Change::Settings { before, after } => {
            format!("set switches: {}", after.changed_since(before))
        }
        Change::PutRoute(route) => inbound_route(route),
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
        Change::Activate(order) => format!(
            "activate mailbox {} with {}",
            order.mailbox,
            named_authority(&order.authority)
        ),
        Change::Renew(order, purpose) => renewed(order, *purpose),
        Change::Withdraw(address) => format!("withdraw the order for mailbox {address}"),
        Change::ConfirmRevoked(address) => {
            format!("the uploaded certificates of mailbox {address} are revoked by their issuers")
        }
        Change::PutAuthority(new) => authority(new),
        Change::RemoveAuthority(name) => format!("order nothing from authority {name} any more"),
        Change::ImportKeys(keys) => format!(
            "activate mailbox {} with {}",
            keys.mailbox,
            list(&keys.pairs, |(certificate, _)| named(certificate))
        ),
        Change::Deactivate(address) => format!("deactivate mailbox {address}"),
        Change::Rules(_)
        | Change::AddRule(_)
        | Change::EditRule { .. }
        | Change::MoveRule(_)
        | Change::RemoveRule(_)
        | Change::RestoreRule(_) => of_rules(change),
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
        Change::PutDestination(domain, to) => destination(domain, to),
        Change::RemoveDestination(domain) => {
            format!("send mail for {} like all other mail", domain.as_str())
        }
        Change::Smarthost(Some(host)) => format!("send mail through smarthost {}", hop(host)),
        Change::Smarthost(None) => "send mail to the servers of its domain (MX)".to_owned(),
        Change::PutClient(client) => format!("set sending client {}", client.name),
        Change::RemoveClient(name) => format!("remove sending client {name}"),
    }
}

/// A change of rules.
fn of_rules(change: &Change) -> String {
    match change {
        Change::Rules(rules) => match rules.len() {
            1 => "set the list of rules: 1 rule".to_owned(),
            n => format!("set the list of rules: {n} rules"),
        },
        Change::AddRule(rule) => format!("add rule with priority 1: {}", one_rule(rule)),
        Change::EditRule { was, becomes } => format!(
            "change rule {}: {}; before: {}",
            was.id.0,
            one_rule(becomes),
            one_rule(was)
        ),
        Change::MoveRule(way) => format!(
            "move rule {} from priority {} to {}",
            way.id.0, way.from, way.to
        ),
        Change::RemoveRule(rule) => format!("delete rule {}: {}", rule.id.0, one_rule(rule)),
        Change::RestoreRule(id) => format!("take the deletion of rule {} back", id.0),
        _ => String::new(),
    }
}

fn inbound_route(route: &InboundRoute) -> String {
    format!(
        "set inbound route {}: {} to {}{}",
        route.name,
        list(&route.domains, |domain| domain.as_str().to_owned()),
        hop(&route.target),
        if route.wildcard { ", wildcard" } else { "" }
    )
}

/// `example.com <-> partner.example, inbound enforce, outbound not defined`.
fn one_rule(rule: &Rule) -> String {
    format!(
        "{} <-> {}, inbound {}, outbound {}",
        rule.managed,
        rule.external,
        rule.inbound.map_or("not defined", InboundMode::as_str),
        rule.outbound.map_or("not defined", OutboundMode::as_str)
    )
}

fn renewed(order: &Activation, purpose: Purpose) -> String {
    let then = match purpose {
        Purpose::Replacement => "; the present ones are revoked then",
        Purpose::Activation | Purpose::Renewal => "",
    };
    format!(
        "order the next certificate of mailbox {} from {}{then}",
        order.mailbox,
        named_authority(&order.authority)
    )
}

fn authority(new: &NewAuthority) -> String {
    let kind = new.connector.as_ref().map(|c| format!(" ({})", c.as_str()));
    let standard = if new.standard { ", standard" } else { "" };
    format!(
        "set authority {}{}{standard}",
        new.name,
        kind.unwrap_or_default()
    )
}

fn destination(domain: &Domain, to: &Destination) -> String {
    let hop = to.hop.as_ref().map_or("smarthost or MX".to_owned(), hop);
    let tls = to.tls.as_str();
    format!("send mail for {} to {hop}, TLS {tls}", domain.as_str())
}

fn named_authority(name: &Option<String>) -> String {
    name.as_ref()
        .map_or("the standard authority".to_owned(), |name| {
            format!("authority {name}")
        })
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
