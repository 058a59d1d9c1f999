//! Prerequisites of domains, put together from the store and DNS; judged in `core::prerequisite`.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use sealgate_core::authority::Connector;
use sealgate_core::dkim::{DkimKey, DkimKeyState, Published};
use sealgate_core::prerequisite::{self, Answer, DkimFact, DkimUse, Facts, MxAnswer, Refusal, Way};
use sealgate_core::tenant::Organisation;
use sealgate_mail::{Domain, Timestamp};
use sealgate_net::dns::Dns;
use sealgate_net::prerequisites as asked;
use sealgate_store::Store;

use crate::cmd::Failure;
use crate::config::Config;
use crate::gateway::Gateway;
use crate::limits::{WAY_MEMORY, WAYS};

/// Answers about MX records, for some minutes.
#[derive(Default)]
pub struct Ways(Mutex<HashMap<Domain, (Instant, Answer<MxAnswer>)>>);

impl fmt::Debug for Ways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ways(...)")
    }
}

impl Ways {
    /// What was found lately about the MX records of `domain`, without asking anybody.
    pub fn known(&self, domain: &Domain) -> Option<Answer<MxAnswer>> {
        self.get(domain)
    }

    fn get(&self, domain: &Domain) -> Option<Answer<MxAnswer>> {
        let ways = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, answer) = ways.get(domain)?;
        (at.elapsed() < WAY_MEMORY).then(|| answer.clone())
    }

    /// What is not known now is not remembered: it is asked again.
    fn put(&self, domain: &Domain, answer: &Answer<MxAnswer>) {
        if matches!(answer, Answer::Missing(_)) {
            return;
        }
        let mut ways = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ways.len() >= WAYS {
            ways.clear();
        }
        ways.insert(domain.clone(), (Instant::now(), answer.clone()));
    }
}

/// Whether certificates may be requested for mailboxes of `domain` now (S18, S19). The refusal says what to do, and whether
/// the same question may have another answer soon.
pub async fn may_request(
    gateway: &Gateway,
    organisation: &Organisation,
    domain: &Domain,
) -> Result<(), Refusal> {
    let names = gateway.config.gateway_names();
    let mx = match gateway.ways.get(domain) {
        Some(known) => known,
        None => {
            let answer = asked::exchangers(&gateway.dns, domain, &names).await;
            gateway.ways.put(domain, &answer);
            answer
        }
    };
    prerequisite::may_request(&Way {
        domain: domain.clone(),
        in_route: organisation.route(domain).is_some(),
        names,
        mx,
    })
}

/// Whom facts are asked of.
pub struct Sources<'s> {
    /// The process's configuration.
    pub config: &'s Config,
    /// The database.
    pub store: &'s Store,
    /// Names.
    pub dns: &'s Dns,
}

impl Sources<'_> {
    /// Everything that is shown about `domain`.
    pub async fn facts(
        &self,
        organisation: &Organisation,
        domain: &Domain,
        now: Timestamp,
    ) -> Result<Facts, Failure> {
        let names = self.config.gateway_names();
        let keys = self.store.dkim_keys(organisation.id).await?;
        let own = keys.iter().filter(|key| key.domain == *domain);
        let own: Vec<&DkimKey> = own.collect();
        let (mx, caa, dkim) = tokio::join!(
            asked::exchangers(self.dns, domain, &names),
            asked::caa(self.dns, domain),
            self.dkim(&own),
        );
        let quota = self.store.quota(organisation.id).await?;
        let authorities = self.store.authorities(organisation.id).await?;
        let is_acme = |authority: &sealgate_core::authority::Authority| {
            matches!(authority.connector, Connector::Acme(_))
        };
        let dkim_use = match organisation.settings.dkim {
            _ if authorities.iter().any(is_acme) => DkimUse::Authority,
            true => DkimUse::Mail,
            false => DkimUse::Nothing,
        };
        Ok(Facts {
            way: Way {
                domain: domain.clone(),
                in_route: organisation.route(domain).is_some(),
                names,
                mx,
            },
            licence: quota.may_activate(now).map(|()| quota.free()),
            caa,
            dkim,
            dkim_use,
        })
    }

    /// How the keys of a domain stand; of several that sign, one whose record is not right is told first.
    async fn dkim(&self, keys: &[&DkimKey]) -> DkimFact {
        let mut fact = match keys.is_empty() {
            true => DkimFact::NoKey,
            false => DkimFact::NotActive,
        };
        let active = keys.iter().filter(|key| key.state == DkimKeyState::Active);
        for key in active {
            fact = DkimFact::Active(asked::published(self.dns, key).await);
            if fact != DkimFact::Active(Answer::Known(Published::Seen)) {
                break;
            }
        }
        fact
    }
}
