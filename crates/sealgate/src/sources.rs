//! Asks directories and DNS for keys of recipients that the store has no usable key of: all recipients of a mail together
//! within one time, each source in parallel. What a source has is judged in `core::directory` and kept in the store; only then
//! it is used.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sealgate_core::directory::{
    self, Candidate, Directory, Judged, Kept, Offered, Said, Terms, Word, dns_label,
};
use sealgate_core::tenant::{Organisation, OrganisationId, Origin, Smimea as Switch};
use sealgate_mail::Address;
use sealgate_net::dns::Dns;
use sealgate_net::fetch::Allowed;
use sealgate_net::ldap::Ldap;
use sealgate_net::smimea::Smimea;
use sealgate_net::source::{Found, NoAnswer, Source};
use sealgate_smime::certificate::Certificate;
use sealgate_smime::path::Revocation;
use sealgate_smime::revocation::Evidence;
use sealgate_store::SourceAnswer;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout_at};

use crate::cmd::Failure;
use crate::config::Config;
use crate::gateway::{Gateway, now};
use crate::limits::{
    SOURCE_AWAY, SOURCE_CERTIFICATES, SOURCES_AT_ONCE, SOURCES_OF_ONE, SOURCES_WAIT,
};
use crate::revocation;

/// What questions to sources share.
#[derive(Debug)]
pub struct Sources {
    dns: Dns,
    /// Where directories may be that organisations name.
    reachable: Vec<Allowed>,
    smimea: Smimea,
    places: Semaphore,
    /// What of them one organisation may take.
    shares: Mutex<HashMap<OrganisationId, Arc<Semaphore>>>,
    /// Places of directories that did not answer: why, and until when they are left alone.
    away: Mutex<HashMap<String, (String, Instant)>>,
}

impl Sources {
    /// Names of directories are asked of `dns`.
    pub fn new(config: &Config, dns: Dns) -> Result<Self, Failure> {
        Ok(Self {
            dns,
            reachable: config.reachable().map_err(Failure::new)?,
            smimea: smimea(config)?,
            places: Semaphore::new(SOURCES_AT_ONCE),
            shares: Mutex::default(),
            away: Mutex::default(),
        })
    }

    fn away(&self) -> MutexGuard<'_, HashMap<String, (String, Instant)>> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn share(&self, organisation: OrganisationId) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        let share = shares
            .entry(organisation)
            .or_insert_with(|| Arc::new(Semaphore::new(SOURCES_OF_ONE)));
        Arc::clone(share)
    }

    /// Why nobody answered there a moment ago.
    fn reason_away(&self, place: &str) -> Option<String> {
        let mut away = self.away();
        away.retain(|_, (_, until)| *until > Instant::now());
        away.get(place).map(|(reason, _)| reason.clone())
    }

    /// Asks one source; one that is away keeps no further mail waiting for a while.
    async fn find(&self, asked: &Asked, address: &Address) -> Result<Found, NoAnswer> {
        // The semaphores are never closed, so that acquiring them cannot fail.
        let share = self.share(asked.organisation);
        let _share = share.acquire().await.ok();
        let _place = self.places.acquire().await.ok();
        if let Some(reason) = self.reason_away(&asked.place) {
            return Err(NoAnswer::new(format_args!("{reason} (a moment ago)")));
        }
        let found = asked.source.find(address).await;
        if let Err(error) = found.as_ref()
            && error.is_away
        {
            let away = (error.reason.clone(), Instant::now() + SOURCE_AWAY);
            self.away().insert(asked.place.clone(), away);
        }
        found
    }
}

/// DNS as a source; fails if the DNSSEC keys of the configuration cannot be used.
pub fn smimea(config: &Config) -> Result<Smimea, Failure> {
    let dns = config.dns_config().map_err(Failure::new)?;
    Ok(Smimea::new(dns, config.dns.trust_anchor.as_deref())?)
}

/// One source, ready to be asked.
struct Asked {
    organisation: OrganisationId,
    label: String,
    /// Where it is, for whom: what one organisation set up wrongly is not away for another.
    place: String,
    origin: Origin,
    source: Arc<dyn Source>,
}

/// The sources of an organisation for one address, in the order in which they count.
fn sources_for(
    gateway: &Gateway,
    organisation: &Organisation,
    directories: &[Directory],
    address: &Address,
) -> Result<Vec<Asked>, Failure> {
    let mut sources = Vec::new();
    for directory in directories.iter().filter(|one| one.is_for(address)) {
        sources.push(Asked {
            organisation: organisation.id,
            label: directory.label(),
            place: format!(
                "{} {}:{}",
                organisation.id.0, directory.place.host, directory.place.port
            ),
            origin: Origin::Ldap,
            source: Arc::new(Ldap::new(
                directory.clone(),
                gateway.sources.dns.clone(),
                gateway.sources.reachable.clone(),
            )?),
        });
    }
    if let Some(label) = dns_label(organisation.settings.smimea) {
        sources.push(Asked {
            organisation: organisation.id,
            label: label.to_owned(),
            place: label.to_owned(),
            origin: Origin::Smimea,
            source: Arc::new(gateway.sources.smimea.clone()),
        });
    }
    Ok(sources)
}

/// What the sources say of each of `addresses`; what they have is in the store afterwards. An address that no source is for
/// is left out.
pub async fn ask(
    gateway: &Arc<Gateway>,
    organisation: &Arc<Organisation>,
    addresses: Vec<Address>,
) -> Result<HashMap<Address, Vec<Word>>, Failure> {
    ask_all(gateway, organisation, addresses, Purpose::Mail).await
}

/// What every source says of `address` now, whatever is remembered. Nothing is kept.
pub async fn try_all(
    gateway: &Arc<Gateway>,
    organisation: &Arc<Organisation>,
    address: Address,
) -> Result<Vec<Word>, Failure> {
    let asked = ask_all(gateway, organisation, vec![address], Purpose::Trial).await?;
    Ok(asked.into_values().next().unwrap_or_default())
}

/// What sources are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// A mail: what is remembered counts, the first key is enough, and what is said is kept.
    Mail,
    /// An administrator who wants to know.
    Trial,
}

async fn ask_all(
    gateway: &Arc<Gateway>,
    organisation: &Arc<Organisation>,
    addresses: Vec<Address>,
    purpose: Purpose,
) -> Result<HashMap<Address, Vec<Word>>, Failure> {
    let mut words = HashMap::new();
    // What this installation manages is nobody else's business.
    let installation = gateway.installation();
    let is_external = |address: &Address| installation.managing(address.domain()).is_none();
    let addresses: Vec<Address> = addresses.into_iter().filter(is_external).collect();
    if addresses.is_empty() {
        return Ok(words);
    }
    let deadline = Instant::now() + SOURCES_WAIT;
    let directories = Arc::new(gateway.store.directories(organisation.id).await?);
    if directories.is_empty() && dns_label(organisation.settings.smimea).is_none() {
        return Ok(words);
    }
    let mut asking = JoinSet::new();
    for address in addresses {
        let question = Question {
            gateway: Arc::clone(gateway),
            organisation: Arc::clone(organisation),
            address,
            deadline,
            purpose,
        };
        let directories = Arc::clone(&directories);
        asking.spawn(async move {
            let said = question.ask(&directories).await;
            said.map(|said| (question.address, said))
        });
    }
    while let Some(asked) = asking.join_next().await {
        let (address, said) = asked??;
        if !said.is_empty() {
            words.insert(address, said);
        }
    }
    Ok(words)
}

/// One address that sources are asked for.
struct Question {
    gateway: Arc<Gateway>,
    organisation: Arc<Organisation>,
    address: Address,
    deadline: Instant,
    purpose: Purpose,
}

impl Question {
    /// Asks all sources that are due at the same time, then takes their answers in order, until one has a key.
    async fn ask(&self, directories: &[Directory]) -> Result<Vec<Word>, Failure> {
        let store = &self.gateway.store;
        let sources = sources_for(
            &self.gateway,
            &self.organisation,
            directories,
            &self.address,
        )?;
        let id = self.organisation.id;
        let kept = store.source_answers(id, &self.address).await?;
        let keys = store.source_keys(id, &self.address).await?;
        let mut under_way = Vec::new();
        for asked in sources.into_iter().map(Arc::new) {
            let has_key = keys.iter().any(|key| key.source == asked.label);
            let stands = |kept: &&Kept| {
                // Another source may have claimed its key since, and lost it.
                let is_there = kept.word.said != Said::Key || has_key;
                self.purpose == Purpose::Mail && is_there && kept.stands(now())
            };
            let before = kept.iter().find(|kept| kept.word.source == asked.label);
            let answer = match before.filter(stands) {
                Some(kept) => Err(kept.word.clone()),
                None => Ok(self.start(Arc::clone(&asked))),
            };
            under_way.push((asked, answer));
        }
        let mut words: Vec<Word> = Vec::new();
        for (asked, answer) in under_way {
            let word = match answer {
                Err(remembered) => remembered,
                Ok(flight) => self.take(&asked, flight.await?).await?,
            };
            let is_found = word.said == Said::Key;
            words.push(word);
            if is_found && self.purpose == Purpose::Mail {
                break;
            }
        }
        Ok(words)
    }

    /// Asks one source in a task of its own, which ends with the time.
    fn start(&self, asked: Arc<Asked>) -> JoinHandle<Result<Found, NoAnswer>> {
        let (gateway, address) = (Arc::clone(&self.gateway), self.address.clone());
        let (deadline, purpose) = (self.deadline, self.purpose);
        tokio::spawn(async move {
            let sources = &gateway.sources;
            let question = async {
                match purpose {
                    Purpose::Mail => sources.find(&asked, &address).await,
                    Purpose::Trial => asked.source.find(&address).await,
                }
            };
            timeout_at(deadline, question).await.unwrap_or_else(|_| {
                let seconds = SOURCES_WAIT.as_secs();
                Err(NoAnswer::new(format_args!("no answer within {seconds} s")))
            })
        })
    }

    /// Judges and keeps what one source says.
    async fn take(&self, asked: &Asked, answer: Result<Found, NoAnswer>) -> Result<Word, Failure> {
        let (judged, keep) = match answer {
            Ok(found) => {
                let keep = found.keep;
                (Ok(self.judge(asked, found).await?), keep)
            }
            Err(error) => (Err(Said::no_answer(&error.reason)), None),
        };
        let at = now();
        let said = match &judged {
            Ok(judged) => judged.said.clone(),
            Err(said) => said.clone(),
        };
        let word = Word {
            source: asked.label.clone(),
            said,
        };
        tracing::info!(
            address = self.address.to_string(),
            word = word.to_string(),
            "a source of keys was asked"
        );
        if self.purpose == Purpose::Trial {
            return Ok(word);
        }
        let answer = SourceAnswer {
            kept: Kept {
                ask_at: directory::ask_at(&word.said, keep, at),
                heard: judged.is_ok().then_some(at),
                word: word.clone(),
            },
            judged: judged.ok(),
            origin: asked.origin,
        };
        self.gateway
            .store
            .keep_source_answer(self.organisation.id, &self.address, answer, at)
            .await?;
        Ok(word)
    }

    async fn judge(&self, asked: &Asked, found: Found) -> Result<Judged, Failure> {
        if found.certificates.is_empty() {
            return Ok(Judged::empty(Said::Nothing));
        }
        let candidates = match self.candidates(found).await? {
            Ok(candidates) => candidates,
            Err(why) => return Ok(Judged::empty(Said::Unusable(why.to_owned()))),
        };
        let evidence = self.evidence(&candidates).await?;
        if self.purpose == Purpose::Mail {
            self.remember_issuers(&candidates).await?;
        }
        let (store, id) = (&self.gateway.store, self.organisation.id);
        let mut known = store
            .correspondents(id, std::slice::from_ref(&self.address))
            .await?;
        let existing = known.remove(&self.address).unwrap_or_default();
        let from_here = store.source_keys(id, &self.address).await?.into_iter();
        let from_here: Vec<i64> = from_here
            .filter(|key| key.source == asked.label)
            .map(|key| key.key)
            .collect();
        let address = self.address.clone();
        let judged = tokio::task::spawn_blocking(move || {
            let keys = (existing.as_slice(), from_here.as_slice());
            directory::judge(&candidates, &address, keys, (&evidence, now()))
        });
        Ok(judged.await?)
    }

    /// The certificates that count but for what revocation says.
    async fn candidates(
        &self,
        found: Found,
    ) -> Result<Result<Vec<Candidate>, &'static str>, Failure> {
        let alone = self.organisation.settings.smimea == Switch::DnssecAlone;
        let offered: Vec<Offered> = found
            .certificates
            .iter()
            .take(SOURCE_CERTIFICATES)
            .filter_map(|found| {
                Some(Offered {
                    certificate: Certificate::from_der(&found.der).ok()?,
                    is_vouched_for: alone && found.is_vouched_for,
                })
            })
            .collect();
        if offered.is_empty() {
            return Ok(Err("what it has is no certificate"));
        }
        let exact = self.organisation.settings.exact_local_parts;
        let mut issuers: Vec<Certificate> = Vec::new();
        for offered in &offered {
            if offered.certificate.names(&self.address, exact)
                && issuers.len() < SOURCE_CERTIFICATES
            {
                let store = &self.gateway.store;
                let known = store.issuers(self.organisation.id, &offered.certificate);
                issuers.extend(known.await?);
            }
        }
        let (organisation, address) = (Arc::clone(&self.organisation), self.address.clone());
        let judged = tokio::task::spawn_blocking(move || {
            let terms = Terms {
                address: &address,
                exact,
                anchors: &organisation.anchors,
                issuers: &issuers,
                now: now(),
            };
            directory::candidates(&offered, terms)
        });
        Ok(judged.await?)
    }

    /// What is known of their revocation, or comes while there is time. Only certificates that lead to a trust root are asked
    /// about (row X7); the client that waits is one of ours.
    async fn evidence(&self, candidates: &[Candidate]) -> Result<Evidence, Failure> {
        let paths = candidates
            .iter()
            .filter_map(|candidate| candidate.path.clone());
        let paths: Vec<_> = paths
            .filter(|path| path.revocation() == Revocation::Unknown)
            .collect();
        if paths.is_empty() {
            return Ok(Evidence::default());
        }
        let wait = self.deadline.saturating_duration_since(Instant::now());
        revocation::ask(&self.gateway, paths, wait).await
    }

    /// Keeps the issuers: the keys are asked about again without the source.
    async fn remember_issuers(&self, candidates: &[Candidate]) -> Result<(), Failure> {
        let mut issuers: Vec<Certificate> = Vec::new();
        for path in candidates.iter().filter_map(|one| one.path.as_ref()) {
            if let [_leaf, between @ .., _anchor] = path.chain() {
                issuers.extend_from_slice(between);
            }
        }
        let store = &self.gateway.store;
        Ok(store
            .remember_issuers(self.organisation.id, &issuers, now())
            .await?)
    }
}
