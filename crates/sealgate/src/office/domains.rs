//! The portal's questions about domains: prerequisites and DKIM keys. Judged by `core::prerequisite`, as the command line does;
//! here each finding gets its stable word and the record that is to be set.

use std::sync::Arc;

use async_trait::async_trait;
use sealgate_core::dkim::{
    DkimKey as Known, DkimKeyKind, DkimKeyState, Published as Seen, Selector,
};
use sealgate_core::licence::QuotaRefusal;
use sealgate_core::prerequisite::{
    self, Answer, Caa, DkimFact, Exchanger, Facts, MayIssue, MxAnswer, Prerequisite, State, Way,
};
use sealgate_core::saying::Saying;
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::Domain;
use sealgate_net::prerequisites as asked;
use sealgate_portal::auth::{Permitted, Read, Write};
use sealgate_portal::office::domains::{
    ActivateDkimKey, DkimKey, DomainDetail, DomainFinding, DomainState, Domains, Found, NewDkimKey,
    RecordState,
};
use sealgate_portal::office::{Asked, At, Page, Paging};
use sealgate_portal::problem::{Problem, Titles};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{PortalOffice, problem};
use crate::dkim::generate;
use crate::gateway::{Gateway, now};
use crate::limits::{DOMAIN_WAIT, DOMAINS_AT_ONCE, KEY_MAKING_WAIT};
use crate::prerequisites::Sources;

/// A domain and its inbound route.
type Routed = (Domain, String);

#[async_trait]
impl Domains for PortalOffice {
    async fn domain_states(
        &self,
        who: &Permitted<Read>,
        paging: &Paging,
    ) -> Asked<Page<DomainState>> {
        let after = paging.after.as_deref().unwrap_or_default();
        let mut routed = self.routed(who.organisation());
        routed.retain(|(domain, _)| domain.as_str() > after);
        let rows = usize::try_from(paging.rows()).unwrap_or(usize::MAX);
        let rows = rows.min(DOMAINS_AT_ONCE);
        let next = match routed.len() > rows {
            true => routed.get(rows.saturating_sub(1)),
            false => None,
        };
        let next = next.map(|(domain, _)| domain.as_str().to_owned());
        routed.truncate(rows);
        let asked: Vec<_> = routed
            .into_iter()
            .map(|one| tokio::spawn(state(Arc::clone(&self.0), who.organisation(), one)))
            .collect();
        let mut items = Vec::with_capacity(asked.len());
        for one in asked {
            items.push(one.await.map_err(Problem::internal)??);
        }
        Ok(Page { items, next })
    }

    async fn domain_detail(&self, who: &Permitted<Read>, domain: &Domain) -> Asked<DomainDetail> {
        let own = self.own_domain(who.organisation(), domain)?;
        let state = state(Arc::clone(&self.0), who.organisation(), own).await?;
        let mut keys = Vec::new();
        for key in self.dkim_keys_of(who.organisation(), domain).await? {
            let answer = timeout(DOMAIN_WAIT, asked::published(&self.0.dns, &key)).await;
            keys.push(shown(&key, answer.ok()));
        }
        Ok(DomainDetail { state, keys })
    }

    async fn create_dkim_key(
        &self,
        who: &Permitted<Write>,
        domain: &Domain,
        new: NewDkimKey,
    ) -> Asked<DkimKey> {
        self.own_domain(who.organisation(), domain)?;
        let selector = new.selector.as_deref().map(str::trim);
        let selector = selector.filter(|text| !text.is_empty()).map(selector_of);
        let selector = selector.transpose()?;
        let kind = new.kind.unwrap_or(DkimKeyKind::Rsa2048);
        for key in self.dkim_keys_of(who.organisation(), domain).await? {
            if selector.as_ref() == Some(&key.selector) {
                return Err(Problem::new("dkim-selector-taken"));
            }
            if key.kind == kind && key.state == DkimKeyState::New {
                return Err(Problem {
                    detail: Some(Saying::words(key.record_name())),
                    ..Problem::new("dkim-waits")
                });
            }
        }
        let key = made(&self.0.key_making, move || generate(kind)).await?;
        let new = sealgate_store::NewDkimKey {
            organisation: who.organisation(),
            domain: domain.clone(),
            selector,
            kind,
            key: key.map_err(Problem::internal)?,
        };
        let made = self.0.store.create_dkim_key(new, who.who(), now()).await;
        Ok(shown(&made.map_err(problem)?, None))
    }

    async fn activate_dkim_key(
        &self,
        who: &Permitted<Write>,
        (domain, selector): (&Domain, &str),
        how: ActivateDkimKey,
    ) -> Asked<()> {
        let key = self
            .dkim_key_of(who.organisation(), domain, selector)
            .await?;
        if key.state != DkimKeyState::New {
            return Err(Problem::new("dkim-not-new"));
        }
        if !how.unseen {
            let answer = timeout(DOMAIN_WAIT, asked::published(&self.0.dns, &key)).await;
            let (published, fault) = published(answer.ok());
            if published != Some(RecordState::Seen) {
                return Err(Problem {
                    detail: fault,
                    ..Problem::new("dkim-unseen")
                });
            }
        }
        let which = (who.organisation(), key.id);
        let done = self
            .0
            .store
            .activate_dkim_key(which, who.who(), now())
            .await;
        done.map_err(problem).map(drop)
    }

    async fn remove_dkim_key(
        &self,
        who: &Permitted<Write>,
        domain: &Domain,
        selector: &str,
    ) -> Asked<()> {
        let key = self
            .dkim_key_of(who.organisation(), domain, selector)
            .await?;
        let which = (who.organisation(), key.id);
        let done = self.0.store.remove_dkim_key(which, who.who(), now()).await;
        done.map_err(problem)
    }
}

/// What `make` makes, on a thread of its own and in a place among few. Whoever waits may go away; the place is taken until the
/// work ends.
async fn made<T: Send + 'static>(
    places: &Arc<Semaphore>,
    make: impl FnOnce() -> T + Send + 'static,
) -> Asked<T> {
    let place = timeout(KEY_MAKING_WAIT, Arc::clone(places).acquire_owned()).await;
    let place = place.map_err(|_| Problem::new("unavailable"))?;
    let place = place.map_err(Problem::internal)?;
    let work = tokio::task::spawn_blocking(move || {
        let _place = place;
        make()
    });
    work.await.map_err(Problem::internal)
}

impl PortalOffice {
    /// The domains of an organisation by name.
    fn routed(&self, organisation: OrganisationId) -> Vec<Routed> {
        let installation = self.0.installation();
        let routes = installation.organisation(organisation);
        let routes = routes.map(|own| own.routes.as_slice()).unwrap_or_default();
        let mut routed: Vec<Routed> = routes
            .iter()
            .flat_map(|route| {
                let domains = route.domains.iter();
                domains.map(|domain| (domain.clone(), route.name.clone()))
            })
            .collect();
        routed.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
        routed
    }

    fn own_domain(&self, organisation: OrganisationId, domain: &Domain) -> Asked<Routed> {
        let mut routed = self.routed(organisation).into_iter();
        let own = routed.find(|(one, _)| one == domain);
        own.ok_or_else(Problem::not_found)
    }

    async fn dkim_keys_of(
        &self,
        organisation: OrganisationId,
        domain: &Domain,
    ) -> Asked<Vec<Known>> {
        let keys = self.0.store.dkim_keys(organisation).await;
        let mut keys = keys.map_err(problem)?;
        keys.retain(|key| key.domain == *domain);
        Ok(keys)
    }

    async fn dkim_key_of(
        &self,
        organisation: OrganisationId,
        domain: &Domain,
        selector: &str,
    ) -> Asked<Known> {
        let keys = self.dkim_keys_of(organisation, domain).await?;
        let mut own = keys.into_iter();
        let own = own.find(|key| key.selector.as_str() == selector);
        own.ok_or_else(Problem::not_found)
    }
}

fn selector_of(text: &str) -> Asked<Selector> {
    Selector::parse(text).map_err(|error| Problem {
        field: Some("selector"),
        detail: Some(error.into()),
        ..Problem::new("dkim-selector")
    })
}

/// What is known of a domain now, within the time that somebody waits for it.
async fn state(
    gateway: Arc<Gateway>,
    organisation: OrganisationId,
    (domain, route): Routed,
) -> Asked<DomainState> {
    let installation = gateway.installation();
    let own = installation.organisation(organisation);
    let own = own.ok_or_else(Problem::not_found)?;
    let sources = Sources {
        config: &gateway.config,
        store: &gateway.store,
        dns: &gateway.dns,
    };
    let keys = gateway.store.dkim_keys(organisation).await;
    let keys = keys.map_err(problem)?.into_iter();
    let keys: Vec<Known> = keys.filter(|key| key.domain == domain).collect();
    let findings = match timeout(DOMAIN_WAIT, sources.facts(own, &domain, now())).await {
        Ok(facts) => findings(&facts.map_err(|why| Problem::internal(why.message))?, &keys),
        Err(_) => vec![
            finding(Prerequisite::InboundRoute, State::Met, Found::InRoute),
            finding(Prerequisite::Mx, State::Unknown, Found::DnsSilent),
        ],
    };
    Ok(DomainState {
        domain,
        route,
        findings,
    })
}

const fn finding(prerequisite: Prerequisite, state: State, found: Found) -> DomainFinding {
    DomainFinding {
        prerequisite,
        state,
        found,
        value: None,
        values: None,
        record: None,
    }
}

/// Each prerequisite as `core::prerequisite` judges it, with its word, its value and the record to set.
fn findings(facts: &Facts, keys: &[Known]) -> Vec<DomainFinding> {
    let judged = prerequisite::judge(facts).into_iter();
    judged
        .map(|one| {
            let (found, value) = match one.prerequisite {
                Prerequisite::InboundRoute if facts.way.in_route => (Found::InRoute, None),
                Prerequisite::InboundRoute => (Found::NoRoute, None),
                Prerequisite::Mx => mx(&facts.way),
                Prerequisite::Licence => licence(facts.licence),
                Prerequisite::Caa => caa(&facts.caa),
                Prerequisite::Dkim => dkim(&facts.dkim),
            };
            DomainFinding {
                values: value.as_ref().filter(|said| is_told(said)).map(Titles::of),
                value: value.map(|said| said.to_string()),
                record: record(found, &facts.way, keys),
                ..finding(one.prerequisite, one.state, found)
            }
        })
        .collect()
}

/// Whether it has words of its own in each language; names and numbers have not.
const fn is_told(said: &Saying) -> bool {
    !matches!(said, Saying::Words(_))
}

/// What is to be published so that the prerequisite holds.
fn record(found: Found, way: &Way, keys: &[Known]) -> Option<String> {
    use Found as F;
    match found {
        F::MxElsewhere | F::MxOtherName | F::MxNone | F::MxNull => {
            let name = way.names.first()?;
            Some(format!("{}. IN MX 10 {name}.", way.domain))
        }
        F::DkimWaits => line(keys, DkimKeyState::New),
        F::DkimMissing | F::DkimWrong => line(keys, DkimKeyState::Active),
        _ => None,
    }
}

fn line(keys: &[Known], state: DkimKeyState) -> Option<String> {
    let mut own = keys.iter().filter(|key| key.state == state);
    own.next().map(Known::zone_line)
}

/// What was found, and what is meant by it: names, a number, a sentence.
type Fact = (Found, Option<Saying>);

fn unknown<T>(answer: &Answer<T>) -> Fact {
    match answer {
        Answer::Missing(why) => (Found::DnsSilent, Some(why.clone())),
        Answer::Off | Answer::Known(_) => (Found::DnsOff, None),
    }
}

fn mx(way: &Way) -> Fact {
    match &way.mx {
        Answer::Known(MxAnswer::NoSuchDomain) => (Found::MxNoDomain, None),
        Answer::Known(MxAnswer::NoRecords) => (Found::MxNone, None),
        Answer::Known(MxAnswer::NullMx) => (Found::MxNull, None),
        Answer::Known(MxAnswer::Hosts(hosts)) => exchangers(way, hosts),
        none => unknown(none),
    }
}

fn exchangers(way: &Way, hosts: &[Exchanger]) -> Fact {
    let is_ours = |host: &&Exchanger| way.names.iter().any(|name| name.as_str() == host.host);
    let named = |hosts: &[&Exchanger]| {
        let names: Vec<&str> = hosts.iter().map(|host| host.host.as_str()).collect();
        Some(Saying::words(names.join(", ")))
    };
    let best = hosts.iter().map(|host| host.preference).min();
    let (ours, foreign): (Vec<_>, Vec<_>) = hosts.iter().partition(is_ours);
    let mut foreign_best = foreign.clone();
    foreign_best.retain(|host| Some(host.preference) == best);
    let has_twin = foreign_best
        .iter()
        .any(|host| host.same_address_as.is_some());
    match (foreign.is_empty(), foreign_best.is_empty()) {
        (true, _) => (Found::MxHere, named(&ours)),
        (false, true) => (Found::MxAlsoElsewhere, named(&foreign)),
        (false, false) if has_twin => (Found::MxOtherName, named(&foreign_best)),
        (false, false) => (Found::MxElsewhere, named(&foreign_best)),
    }
}

fn licence(licence: Result<Option<u32>, QuotaRefusal>) -> Fact {
    match licence {
        Ok(None) => (Found::LicencesUncounted, None),
        Ok(Some(free)) => (Found::LicencesFree, Some(Saying::words(free.to_string()))),
        Err(QuotaRefusal::Full(all)) => (Found::LicencesFull, Some(Saying::words(all.to_string()))),
        Err(QuotaRefusal::Over) => (Found::LicencesOver, None),
    }
}

fn caa(answer: &Answer<Option<Caa>>) -> Fact {
    let caa = match answer {
        Answer::Known(Some(caa)) => caa,
        Answer::Known(None) => return (Found::CaaAnyone, None),
        none => return unknown(none),
    };
    match caa.may_issue() {
        MayIssue::Anyone => (Found::CaaAnyone, None),
        MayIssue::Only(names) if names.is_empty() => {
            (Found::CaaNobody, Some(Saying::words(caa.at.clone())))
        }
        MayIssue::Only(names) => (Found::CaaOnly, Some(Saying::words(names.join(", ")))),
        MayIssue::NotWith(tag) => (Found::CaaCritical, Some(Saying::words(tag))),
    }
}

fn dkim(fact: &DkimFact) -> Fact {
    match fact {
        DkimFact::NoKey => (Found::DkimNone, None),
        DkimFact::NotActive => (Found::DkimWaits, None),
        DkimFact::Active(Answer::Known(Seen::Seen)) => (Found::DkimGood, None),
        DkimFact::Active(Answer::Known(Seen::Missing)) => (Found::DkimMissing, None),
        DkimFact::Active(Answer::Known(Seen::Wrong(fault))) => {
            (Found::DkimWrong, Some(fault.clone().into()))
        }
        DkimFact::Active(none) => unknown(none),
    }
}

fn published(answer: Option<Answer<Seen>>) -> (Option<RecordState>, Option<Saying>) {
    match answer {
        None => (None, None),
        Some(Answer::Known(Seen::Seen)) => (Some(RecordState::Seen), None),
        Some(Answer::Known(Seen::Missing)) => (Some(RecordState::Missing), None),
        Some(Answer::Known(Seen::Wrong(fault))) => (Some(RecordState::Wrong), Some(fault.into())),
        Some(Answer::Off) => (Some(RecordState::Unknown), None),
        Some(Answer::Missing(why)) => (Some(RecordState::Unknown), Some(why)),
    }
}

fn shown(key: &Known, answer: Option<Answer<Seen>>) -> DkimKey {
    let (published, fault) = published(answer);
    DkimKey {
        selector: key.selector.to_string(),
        kind: key.kind,
        state: key.state,
        since: At(key.since),
        gone_at: key.gone_at().map(At),
        record_name: key.record_name(),
        record: key.record(),
        zone_line: key.zone_line(),
        published,
        faults: fault.as_ref().map(Titles::of),
        fault: fault.map(|said| said.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealgate_core::prerequisite::DkimUse;

    fn host(preference: u16, name: &str, twin: bool) -> Exchanger {
        let ours = Domain::parse("gateway.example").unwrap();
        Exchanger {
            preference,
            host: name.into(),
            same_address_as: twin.then_some(ours),
        }
    }

    fn facts(mx: Answer<MxAnswer>) -> Facts {
        Facts {
            way: Way {
                domain: Domain::parse("we.example").unwrap(),
                in_route: true,
                names: vec![Domain::parse("gateway.example").unwrap()],
                mx,
            },
            licence: Ok(None),
            caa: Answer::Known(None),
            dkim: DkimFact::NoKey,
            dkim_use: DkimUse::Nothing,
        }
    }

    /// The word must always mean what the core judged.
    #[test]
    fn words_about_mx_agree_with_the_judgement() {
        let ours = || host(10, "gateway.example", false);
        let hosts = |hosts: Vec<Exchanger>| Answer::Known(MxAnswer::Hosts(hosts));
        let table = [
            (hosts(vec![ours()]), Found::MxHere, State::Met),
            (
                hosts(vec![ours(), host(20, "b.example", false)]),
                Found::MxAlsoElsewhere,
                State::Met,
            ),
            (
                hosts(vec![ours(), host(10, "b.example", false)]),
                Found::MxElsewhere,
                State::NotMet,
            ),
            (
                hosts(vec![host(10, "b.example", true)]),
                Found::MxOtherName,
                State::NotMet,
            ),
            (
                Answer::Known(MxAnswer::NoRecords),
                Found::MxNone,
                State::NotMet,
            ),
            (
                Answer::Known(MxAnswer::NullMx),
                Found::MxNull,
                State::NotMet,
            ),
            (
                Answer::Known(MxAnswer::NoSuchDomain),
                Found::MxNoDomain,
                State::NotMet,
            ),
            (Answer::Off, Found::DnsOff, State::Unknown),
            (
                Answer::Missing(Saying::words("x")),
                Found::DnsSilent,
                State::Unknown,
            ),
        ];
        for (mx, found, state) in table {
            let words = format!("{mx:?}");
            let all = findings(&facts(mx), &[]);
            let own = all.iter().find(|one| one.prerequisite == Prerequisite::Mx);
            let own = own.unwrap();
            assert_eq!((own.found, own.state), (found, state), "{words}");
            let to_do = matches!(state, State::NotMet) && found != Found::MxNoDomain;
            let record = to_do.then(|| "we.example. IN MX 10 gateway.example.".to_owned());
            assert_eq!(own.record, record, "{words}");
        }
    }
}
