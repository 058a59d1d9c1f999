//! Name constraints (RFC 5280 sections 4.2.1.10 and 6.1.4): every name of a certificate against those of all authorities above it.

use sealgate_mail::{Address, Domain};

use crate::certificate::Certificate;
use crate::extensions::{GeneralName, NameConstraints};
use crate::limits;
use crate::name::DistinguishedName;

/// The constraints gathered on the way down, and how many comparisons they have cost.
pub(super) struct Checker<'a> {
    gathered: Vec<&'a NameConstraints>,
    comparisons: &'a mut usize,
}

impl<'a> Checker<'a> {
    /// No constraints yet; `comparisons` goes on counting.
    pub(super) fn new(comparisons: &'a mut usize) -> Self {
        Self {
            gathered: Vec::new(),
            comparisons,
        }
    }

    pub(super) fn add(&mut self, constraints: &'a NameConstraints) {
        self.gathered.push(constraints);
    }

    /// Fails unless every name lies in a permitted subtree, where any is given for its kind, and in no excluded one.
    pub(super) fn check(&mut self, certificate: &Certificate) -> Result<(), &'static str> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        for name in names_of(certificate) {
            for constraints in &self.gathered {
                let trees = constraints
                    .permitted
                    .len()
                    .saturating_add(constraints.excluded.len());
                *self.comparisons = self.comparisons.saturating_add(trees);
                if *self.comparisons > limits::NAME_COMPARISONS {
                    return Err("too many name constraints");
                }
                check_name(&name, constraints)?;
            }
        }
        Ok(())
    }
}

/// The names that constraints speak about: subject, subjectAltName, and the subject's emailAddress where it stands for one.
fn names_of(certificate: &Certificate) -> Vec<GeneralName> {
    let alternative = certificate
        .extensions()
        .subject_alt_names
        .clone()
        .unwrap_or_default();
    let has_address = alternative
        .iter()
        .any(|n| matches!(n, GeneralName::Mailbox(_) | GeneralName::SmtpUtf8(_)));
    let mut names = alternative;
    if !certificate.subject().is_empty() {
        names.push(GeneralName::Directory(certificate.subject_der().to_vec()));
    }
    if !has_address {
        names.extend(
            certificate
                .subject()
                .email_addresses()
                .into_iter()
                .map(GeneralName::Mailbox),
        );
    }
    names
}

fn check_name(name: &GeneralName, constraints: &NameConstraints) -> Result<(), &'static str> {
    let of_kind = |tree: &&GeneralName| kind(tree) == kind(name);
    for tree in constraints.excluded.iter().filter(of_kind) {
        if lies_in(name, tree)? || reaches(name, tree)? {
            return Err("a name lies in an excluded subtree");
        }
    }
    let mut permitted = constraints.permitted.iter().filter(of_kind).peekable();
    if permitted.peek().is_none() {
        return Ok(());
    }
    for tree in permitted {
        if lies_in(name, tree)? {
            return Ok(());
        }
    }
    Err("a name lies in no permitted subtree")
}

/// The form of a name, so that the two mailbox forms count as one (RFC 9598 section 6).
fn kind(name: &GeneralName) -> u8 {
    match name {
        GeneralName::Mailbox(_) | GeneralName::SmtpUtf8(_) => 1,
        GeneralName::Dns(_) => 2,
        GeneralName::Directory(_) => 4,
        GeneralName::Uri(_) => 6,
        GeneralName::Ip(_) => 7,
        GeneralName::Other(tag) => *tag,
    }
}

fn lies_in(name: &GeneralName, tree: &GeneralName) -> Result<bool, &'static str> {
    match (name, tree) {
        (GeneralName::Mailbox(name) | GeneralName::SmtpUtf8(name), GeneralName::Mailbox(tree)) => {
            mailbox_in(name, tree)
        }
        (GeneralName::Dns(name), GeneralName::Dns(tree)) => host_below(name, tree),
        (GeneralName::Directory(name), GeneralName::Directory(tree)) => directory_in(name, tree),
        (GeneralName::Uri(name), GeneralName::Uri(tree)) => uri_in(name, tree),
        (GeneralName::Ip(name), GeneralName::Ip(tree)) => ip_in(name, tree),
        // RFC 5280 section 4.2.1.10: a constraint we cannot process on a name that occurs.
        _ => Err("a name constraint of this kind is not supported"),
    }
}

fn domain(text: &str) -> Result<String, &'static str> {
    Domain::parse(text)
        .map(|domain| domain.as_str().to_owned())
        .map_err(|_| "a name or constraint is malformed")
}

fn address(text: &str) -> Result<Address, &'static str> {
    Address::parse(text).map_err(|_| "an address or constraint is malformed")
}

/// `a@b`: that mailbox, the local part in its case (RFC 5280 section 7.5); `b`: mailboxes on that host; `.b`: mailboxes on
/// hosts below it.
fn mailbox_in(name: &str, tree: &str) -> Result<bool, &'static str> {
    let name = address(name)?;
    if tree.contains('@') {
        let tree = address(tree)?;
        return Ok(name.local() == tree.local() && name == tree);
    }
    let host = name.domain().as_str();
    match tree.strip_prefix('.') {
        Some(parent) => Ok(is_below(host, &domain(parent)?)),
        None if tree.is_empty() => Ok(true),
        None => Ok(host == domain(tree)?),
    }
}

/// The host itself and every host below it; an empty tree holds all.
fn host_below(name: &str, tree: &str) -> Result<bool, &'static str> {
    if tree.is_empty() {
        return Ok(true);
    }
    let tree = domain(tree)?;
    let name = domain(name.strip_prefix("*.").unwrap_or(name))?;
    Ok(name == tree || is_below(&name, &tree))
}

/// Whether a name stands for others inside the tree although it lies outside itself: a wildcard, or a mailbox whose local part
/// is another one by its case only, since a certificate binds its addresses in any case (row X5).
fn reaches(name: &GeneralName, tree: &GeneralName) -> Result<bool, &'static str> {
    match (name, tree) {
        (GeneralName::Dns(name), GeneralName::Dns(tree)) => match name.strip_prefix("*.") {
            Some(parent) => Ok(is_below(&domain(tree)?, &domain(parent)?)),
            None => Ok(false),
        },
        (GeneralName::Mailbox(name), GeneralName::Mailbox(tree)) if tree.contains('@') => {
            Ok(address(name)? == address(tree)?)
        }
        _ => Ok(false),
    }
}

fn is_below(host: &str, parent: &str) -> bool {
    host.strip_suffix(parent)
        .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

fn directory_in(name: &[u8], tree: &[u8]) -> Result<bool, &'static str> {
    let read =
        |der: &[u8]| DistinguishedName::from_der(der).map_err(|_| "a directory name is malformed");
    Ok(read(name)?.normal().starts_with(&read(tree)?.normal()))
}

fn uri_in(name: &str, tree: &str) -> Result<bool, &'static str> {
    let rest = name
        .split_once("://")
        .map(|(_, rest)| rest)
        .ok_or("a URI without host")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit('@')
        .next()
        .unwrap_or_default()
        .split(':')
        .next()
        .unwrap_or_default();
    let host = domain(host)?;
    match tree.strip_prefix('.') {
        Some(parent) => Ok(is_below(&host, &domain(parent)?)),
        None => Ok(host == domain(tree)?),
    }
}

/// Address and mask, both of the address's length.
fn ip_in(name: &[u8], tree: &[u8]) -> Result<bool, &'static str> {
    let (base, mask) = tree
        .split_at_checked(tree.len() / 2)
        .ok_or("an address range is malformed")?;
    if !matches!(tree.len(), 8 | 32) || !matches!(name.len(), 4 | 16) || !is_prefix(mask) {
        return Err("an address or address range is malformed");
    }
    let same = |((name, base), mask): ((&u8, &u8), &u8)| name & mask == base & mask;
    Ok(name.len() == base.len() && name.iter().zip(base).zip(mask).all(same))
}

/// Ones, then zeros.
fn is_prefix(mask: &[u8]) -> bool {
    let bits: Vec<bool> = mask
        .iter()
        .flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1 == 1))
        .collect();
    bits.is_sorted_by(|one, next| one >= next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subtrees() {
        use GeneralName::{Dns, Ip, Mailbox, SmtpUtf8, Uri};
        let s = |text: &str| text.to_owned();
        for (name, tree, inside) in [
            (Mailbox(s("a@x.example")), Mailbox(s("x.example")), Ok(true)),
            (Mailbox(s("a@X.Example")), Mailbox(s("x.example")), Ok(true)),
            (
                Mailbox(s("a@y.x.example")),
                Mailbox(s("x.example")),
                Ok(false),
            ),
            (
                Mailbox(s("a@y.x.example")),
                Mailbox(s(".x.example")),
                Ok(true),
            ),
            (
                Mailbox(s("a@x.example")),
                Mailbox(s(".x.example")),
                Ok(false),
            ),
            (
                Mailbox(s("a@yx.example")),
                Mailbox(s(".x.example")),
                Ok(false),
            ),
            (
                Mailbox(s("a@x.example")),
                Mailbox(s("a@x.example")),
                Ok(true),
            ),
            (
                Mailbox(s("A@x.example")),
                Mailbox(s("a@x.example")),
                Ok(false),
            ),
            (
                SmtpUtf8(s("\u{e4}@x.example")),
                Mailbox(s("x.example")),
                Ok(true),
            ),
            (Dns(s("a.x.example")), Dns(s("x.example")), Ok(true)),
            (Dns(s("ax.example")), Dns(s("x.example")), Ok(false)),
            (
                Uri(s("https://u@x.example:8/p")),
                Uri(s("x.example")),
                Ok(true),
            ),
            (
                Ip(vec![10, 1, 2, 3]),
                Ip(vec![10, 0, 0, 0, 255, 0, 0, 0]),
                Ok(true),
            ),
            (
                Ip(vec![11, 1, 2, 3]),
                Ip(vec![10, 0, 0, 0, 255, 0, 0, 0]),
                Ok(false),
            ),
        ] {
            assert_eq!(lies_in(&name, &tree), inside, "{name:?} in {tree:?}");
        }
        assert!(
            lies_in(
                &Ip(vec![10, 1, 2, 3]),
                &Ip(vec![10, 0, 0, 0, 255, 0, 255, 0])
            )
            .is_err()
        );
        assert!(lies_in(&GeneralName::Other(0x88), &GeneralName::Other(0x88)).is_err());
    }
}
