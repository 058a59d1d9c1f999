//! Which known mailboxes a rule shuts out: under enforced encryption those without a valid certificate (S77), where encrypted
//! mail must be decrypted those without any key (A25).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use sealgate_core::rules::{Entry, OutboundMode, Pattern, Rule};
use sealgate_core::tenant::{Organisation, OrganisationId};
use sealgate_mail::{Address, Domain, Timestamp};
use sealgate_portal::office::rules::{Lacking, RuleWarnings};

use crate::limits::{LACKING_SECONDS, LACKING_SHOWN};

/// Whether a mailbox without a valid certificate cannot send under the rule.
pub fn enforces(rule: &Rule) -> bool {
    rule.outbound == Some(OutboundMode::Enforce)
}

/// Whether a mailbox without a key cannot receive encrypted mail under the rule.
pub fn insists(rule: &Rule) -> bool {
    rule.inbound.is_some_and(|mode| mode.needs_key())
}

/// The known mailboxes of an organisation that lack something, by their domains: so a rule is judged without looking at all.
#[derive(Debug, Default)]
pub struct Shortages {
    certificates: Group,
    keys: Group,
}

#[derive(Debug, Default)]
struct Group(HashMap<Domain, HashSet<Address>>);

/// What was found last of each organisation: it stays true until the organisation changes or a certificate ends, and looking at
/// all mailboxes for each page would take too long.
#[derive(Default)]
pub struct Found(Mutex<HashMap<OrganisationId, Finding>>);

struct Finding {
    of: Weak<Organisation>,
    at: Timestamp,
    shortages: Arc<Shortages>,
}

impl Found {
    /// What was found of `organisation` as it is now.
    pub fn get(&self, organisation: &Arc<Organisation>, now: Timestamp) -> Option<Arc<Shortages>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(&organisation.id)?;
        let same = std::ptr::eq(found.of.as_ptr(), Arc::as_ptr(organisation));
        let fresh = now.since(found.at) < LACKING_SECONDS;
        (same && fresh).then(|| Arc::clone(&found.shortages))
    }

    /// Keeps what was found.
    pub fn keep(&self, organisation: &Arc<Organisation>, now: Timestamp, found: &Arc<Shortages>) {
        let finding = Finding {
            of: Arc::downgrade(organisation),
            at: now,
            shortages: Arc::clone(found),
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(organisation.id, finding);
    }
}

impl Shortages {
    /// Finds the mailboxes without a valid certificate.
    pub fn find_certificates(&mut self, organisation: &Organisation, now: Timestamp) {
        let mailboxes = organisation.mailboxes.values();
        let without = mailboxes.filter(|mailbox| mailbox.signing_key(now).is_none());
        self.certificates = Group::of(without.map(|mailbox| &mailbox.address));
    }

    /// Finds the mailboxes that no key opens mail for, neither of their own ring nor of those of their aliases (A10).
    /// `with_old_keys` are the comparison forms of those that have keys for decryption only.
    pub fn find_keys(&mut self, organisation: &Organisation, with_old_keys: &HashSet<String>) {
        let mailboxes = organisation.mailboxes.values();
        let has = |address: &Address| {
            let mailbox = organisation.mailbox(address);
            mailbox.is_some_and(|mailbox| mailbox.encryption.is_some())
                || with_old_keys.contains(&address.key())
        };
        let without =
            mailboxes.filter(|mailbox| !has(&mailbox.address) && !mailbox.aliases.iter().any(has));
        self.keys = Group::of(without.map(|mailbox| &mailbox.address));
    }

    /// How many mailboxes cannot send under `rule`.
    pub fn without_certificate(&self, rule: &Rule) -> u64 {
        if enforces(rule) {
            self.certificates.count(&rule.managed)
        } else {
            0
        }
    }

    /// How many mailboxes cannot receive encrypted mail under `rule`.
    pub fn without_key(&self, rule: &Rule) -> u64 {
        if insists(rule) {
            self.keys.count(&rule.managed)
        } else {
            0
        }
    }

    /// The same, with the first ones by name.
    pub fn warnings(&self, rule: &Rule) -> RuleWarnings {
        let lacking = |group: &Group, count: u64| match count {
            0 => Lacking::default(),
            count => Lacking {
                count,
                first: group.first(&rule.managed),
            },
        };
        RuleWarnings {
            without_certificate: lacking(&self.certificates, self.without_certificate(rule)),
            without_key: lacking(&self.keys, self.without_key(rule)),
        }
    }
}

impl Group {
    fn of<'a>(addresses: impl Iterator<Item = &'a Address>) -> Self {
        let mut by_domain: HashMap<Domain, HashSet<Address>> = HashMap::new();
        for address in addresses {
            match by_domain.get_mut(address.domain()) {
                Some(own) => {
                    own.insert(address.clone());
                }
                None => {
                    let own = HashSet::from([address.clone()]);
                    by_domain.insert(address.domain().clone(), own);
                }
            }
        }
        Self(by_domain)
    }

    fn domain(&self, domain: &Domain) -> usize {
        self.0.get(domain).map_or(0, HashSet::len)
    }

    fn count(&self, managed: &Pattern) -> u64 {
        let count = match managed {
            Pattern::All => self.0.values().map(HashSet::len).sum(),
            Pattern::Entries(entries) => {
                let (domains, single) = apart(entries);
                let whole: usize = domains.iter().map(|domain| self.domain(domain)).sum();
                let single = single.iter().filter(|address| self.holds(address));
                whole + single.count()
            }
        };
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    fn holds(&self, address: &Address) -> bool {
        let own = self.0.get(address.domain());
        own.is_some_and(|own| own.contains(address))
    }

    /// The first ones in the order of the table of mailboxes.
    fn first(&self, managed: &Pattern) -> Vec<String> {
        let all = self.0.values().flatten();
        let mut meant: Vec<&Address> = all
            .filter(|address| managed.covers(Some(address)))
            .collect();
        let order = |address: &&Address| (address.domain().as_str().to_owned(), address.key());
        if meant.len() > LACKING_SHOWN {
            meant.select_nth_unstable_by_key(LACKING_SHOWN, order);
            meant.truncate(LACKING_SHOWN);
        }
        meant.sort_by_key(order);
        meant.into_iter().map(Address::to_string).collect()
    }
}

/// The domains of a field, and the mailboxes that are in none of them, each once.
fn apart(entries: &[Entry]) -> (HashSet<&Domain>, HashSet<&Address>) {
    let domains: HashSet<&Domain> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Domain(domain) => Some(domain),
            Entry::Mailbox(_) => None,
        })
        .collect();
    let single = entries.iter().filter_map(|entry| match entry {
        Entry::Mailbox(address) if !domains.contains(address.domain()) => Some(address),
        Entry::Mailbox(_) | Entry::Domain(_) => None,
    });
    let single = single.collect();
    (domains, single)
}
