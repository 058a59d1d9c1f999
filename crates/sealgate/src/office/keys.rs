//! The portal's questions about correspondents' public keys.

mod file;

use async_trait::async_trait;
use sealgate_core::change::Change;
use sealgate_core::harvest::{self, Usable};
use sealgate_core::saying::Inputs;
use sealgate_core::saying::{Refusals, Saying};
use sealgate_core::tenant::{CorrespondentKey, CorrespondentState, OrganisationId, Origin};
use sealgate_mail::{Address, Domain, Timestamp};
use sealgate_portal::auth::{Permitted, Read, Write};
use sealgate_portal::office::keys::{
    ChooseKeys, KeyAnnouncement, KeyCounts, KeyDetail, KeyEvent, KeyFilter, KeyIssuer, KeyMail,
    KeyState, Keys, KeysDone, OfferedKey, PublicKey,
};
use sealgate_portal::office::{Asked, At, Page, Paging, RefusedPart};
use sealgate_portal::problem::{Problem, Titles};
use sealgate_smime::algorithms::PublicKeyKind;
use sealgate_smime::certificate::Certificate;
use sealgate_smime::path::{PathFinder, Purpose};
use sealgate_store::limits::TOGETHER;
use sealgate_store::{
    ChainLink, CorrespondentDetail, CorrespondentQuery, LearnedFrom, ListedCorrespondent, queue_id,
};

use super::{PortalOffice, problem};
use crate::gateway::now;

#[async_trait]
impl Keys for PortalOffice {
    async fn keys(
        &self,
        who: &Permitted<Read>,
        filter: &KeyFilter,
        paging: &Paging,
    ) -> Asked<Page<PublicKey>> {
        let at = now();
        let query = CorrespondentQuery {
            after: paging.after.as_deref().map(read_after).transpose()?,
            limit: paging.rows().saturating_add(1),
            ..query(filter, at)
        };
        let rows = self
            .0
            .store
            .correspondent_page(who.organisation(), &query)
            .await;
        let mut rows = rows.map_err(problem)?;
        let most = usize::try_from(paging.rows()).unwrap_or(usize::MAX);
        let is_more = rows.len() > most;
        rows.truncate(most);
        Ok(Page {
            next: rows.last().filter(|_| is_more).map(after),
            items: rows.iter().map(|row| listed(row, at)).collect(),
        })
    }

    async fn key_counts(&self, who: &Permitted<Read>) -> Asked<KeyCounts> {
        let counts = self.0.store.correspondent_counts(who.organisation()).await;
        let counts = counts.map_err(problem)?;
        Ok(KeyCounts {
            all: counts.all,
            new: counts.new,
        })
    }

    async fn key(&self, who: &Permitted<Read>, id: i64) -> Asked<KeyDetail> {
        let (store, organisation) = (&self.0.store, who.organisation());
        let found = store.correspondent(organisation, id).await;
        let found = found.map_err(problem)?;
        let address = found.key.address.clone();
        let mut all = store
            .correspondents(organisation, std::slice::from_ref(&address))
            .await
            .map_err(problem)?;
        let all = all.remove(&address).unwrap_or_default();
        let sources = store.source_keys(organisation, &address).await;
        let source = sources.map_err(problem)?.into_iter();
        let mut source = source.filter(|key| key.key == id).map(|key| key.source);
        let events = store.key_events(organisation, &address).await;
        let used_now = self.is_used(organisation, &all, id);
        let at = now();
        let others = all.iter().filter(|key| key.id != id);
        let others = others.map(|key| shown(key, None, None, at)).collect();
        let event = |(at, said): (_, Saying)| KeyEvent {
            at: At(at),
            text: said.to_string(),
            texts: Titles::of(&said),
        };
        let events = events.map_err(problem)?.into_iter().map(event).collect();
        Ok(detail(found, (source.next(), used_now, at), others, events))
    }

    async fn offered_keys(&self, who: &Permitted<Write>, file: &[u8]) -> Asked<Vec<OfferedKey>> {
        let certificates = file::read(file)?;
        let installation = self.0.installation();
        let organisation = installation.organisation(who.organisation());
        let organisation = organisation.ok_or_else(Problem::not_found)?;
        let anchors = std::sync::Arc::clone(&organisation.anchors);
        let work = tokio::task::spawn_blocking(move || {
            let at = now();
            let paths = PathFinder::new(&certificates, &anchors, at);
            let offer = |certificate: &Certificate| {
                let trusted = paths.judge(certificate, Purpose::Encrypt).is_ok();
                file::offered(certificate, trusted, at)
            };
            certificates.iter().map(offer).collect()
        });
        work.await.map_err(Problem::internal)
    }

    async fn import_keys(&self, who: &Permitted<Write>, file: &[u8]) -> Asked<KeysDone> {
        let certificates = file::read(file)?;
        let mut done = KeysDone::default();
        let mut changes = Vec::with_capacity(certificates.len());
        for certificate in certificates {
            let what = certificate.subject_name();
            match certificate.import_refusal() {
                None => changes.push((what, Change::PutCorrespondent(certificate))),
                Some(refusal) => done
                    .refused
                    .push(RefusedPart::new(what, Refusals::from(refusal))),
            }
        }
        if !changes.is_empty() {
            let wanted = changes.len();
            let applied = self.change_many(who, changes).await?;
            done.done = wanted.saturating_sub(applied.refused.len());
            done.refused.extend(applied.refused);
        }
        match (done.done, done.refused.as_slice()) {
            (0, [only]) => Err(Problem {
                detail: Some(only.said.clone()),
                ..Problem::new("key-not-imported")
            }),
            _ => Ok(done),
        }
    }

    async fn choose_keys(&self, who: &Permitted<Write>, chosen: &ChooseKeys) -> Asked<KeysDone> {
        if chosen.keys.is_empty() {
            return Err(Problem::new("nothing-chosen"));
        }
        if chosen.keys.len() > TOGETHER {
            return Err(Problem::wrong("keys", Inputs::AtOnce { most: TOGETHER }));
        }
        let (store, which) = (&self.0.store, (who.organisation(), chosen.keys.as_slice()));
        let choice = store.choose_correspondents(which, chosen.choice, who.who(), now());
        let refused = choice.await.map_err(problem)?;
        let part = |(id, why): (i64, Saying)| RefusedPart::new(id.to_string(), why);
        Ok(KeysDone {
            done: chosen.keys.len().saturating_sub(refused.len()),
            refused: refused.into_iter().map(part).collect(),
        })
    }

    async fn remove_key(&self, who: &Permitted<Write>, id: i64) -> Asked<()> {
        let found = self.0.store.correspondent(who.organisation(), id).await;
        let key = found.map_err(problem)?.key;
        if key.origin != Origin::Manual {
            return Err(Problem::refused(Refusals::NotImported {}));
        }
        let change = Change::RemoveCorrespondent(key.certificate.fingerprint());
        self.change(who, vec![change]).await?;
        Ok(())
    }
}

impl PortalOffice {
    /// Whether the next mail to the address of `keys` is encrypted to the one numbered `id`.
    fn is_used(&self, organisation: OrganisationId, keys: &[CorrespondentKey], id: i64) -> bool {
        let installation = self.0.installation();
        let of = installation.organisation(organisation);
        let Some((of, first)) = of.zip(keys.first()) else {
            return false;
        };
        let usable = harvest::usable(keys, &of.anchors, of.profile(&first.address), now());
        matches!(usable, Usable::Keys(used) if used.iter().any(|one| one.id == id))
    }
}

/// What is looked for, as it stands in the store: domains in their ASCII form.
fn searched(text: &str) -> String {
    let text = text.trim();
    if let Ok(address) = Address::parse(text) {
        return address.key();
    }
    match (
        text.strip_prefix('@'),
        Domain::parse(text.trim_start_matches('@')),
    ) {
        (Some(_), Ok(domain)) => format!("@{}", domain.as_str()),
        (None, Ok(domain)) => domain.as_str().to_owned(),
        (_, Err(_)) => text.to_lowercase(),
    }
}

fn query(filter: &KeyFilter, at: Timestamp) -> CorrespondentQuery {
    let mut query = CorrespondentQuery {
        search: filter.search.as_deref().map(searched),
        origin: filter.origin,
        pinned: filter.pinned,
        ..CorrespondentQuery::default()
    };
    let state = match filter.state {
        None => return query,
        Some(KeyState::Expired) => {
            query.ends_before = Some(at);
            return query;
        }
        Some(KeyState::Blocked) => {
            query.state = Some(CorrespondentState::Blocked);
            return query;
        }
        Some(KeyState::Preferred) => CorrespondentState::Preferred,
        Some(KeyState::Additional) => CorrespondentState::Additional,
        Some(KeyState::New) => CorrespondentState::New,
        Some(KeyState::Pending) => CorrespondentState::Pending,
    };
    query.state = Some(state);
    query.ends_from = Some(at);
    query
}

/// Fingerprint and address of the last key of a page.
fn after(row: &ListedCorrespondent) -> String {
    format!(
        "{}-{}",
        row.key.certificate.fingerprint_hex(),
        row.key.address
    )
}

fn read_after(text: &str) -> Asked<(Address, [u8; 32])> {
    let wrong = || Problem::wrong("after", Inputs::After {});
    let (digits, address) = text.split_once('-').ok_or_else(wrong)?;
    let mut fingerprint = [0; 32];
    if digits.len() != 64 || !digits.is_ascii() {
        return Err(wrong());
    }
    for (place, octet) in fingerprint.iter_mut().enumerate() {
        let two = digits.get(place * 2..place * 2 + 2).unwrap_or_default();
        *octet = u8::from_str_radix(two, 16).map_err(|_| wrong())?;
    }
    Ok((Address::parse(address).map_err(|_| wrong())?, fingerprint))
}

fn listed(row: &ListedCorrespondent, at: Timestamp) -> PublicKey {
    shown(&row.key, row.mail.clone(), row.source.clone(), at)
}

fn shown(
    key: &CorrespondentKey,
    mail: Option<LearnedFrom>,
    source: Option<String>,
    at: Timestamp,
) -> PublicKey {
    let certificate = &key.certificate;
    PublicKey {
        id: key.id,
        address: key.address.to_string(),
        state: state(key, at),
        pinned: key.pinned,
        origin: key.origin,
        source,
        mail: mail.map(learned_from),
        subject: certificate.subject_name(),
        issuer: certificate.issuer_name(),
        from: At(certificate.not_before()),
        until: At(certificate.not_after()),
        added: At(key.added),
    }
}

fn state(key: &CorrespondentKey, at: Timestamp) -> KeyState {
    match key.state {
        CorrespondentState::Blocked => KeyState::Blocked,
        _ if key.certificate.not_after() < at => KeyState::Expired,
        CorrespondentState::Preferred => KeyState::Preferred,
        CorrespondentState::Additional => KeyState::Additional,
        CorrespondentState::New => KeyState::New,
        CorrespondentState::Pending => KeyState::Pending,
    }
}

fn learned_from(mail: LearnedFrom) -> KeyMail {
    KeyMail {
        mail: queue_id(mail.mail),
        at: mail.at.map(At),
        from: mail.header_from.map(|from| from.to_string()),
        message_id: mail.message_id,
    }
}

fn detail(
    found: CorrespondentDetail,
    (source, used_now, at): (Option<String>, bool, Timestamp),
    others: Vec<PublicKey>,
    events: Vec<KeyEvent>,
) -> KeyDetail {
    let certificate = &found.key.certificate;
    let policies = certificate.extensions().policies.iter().flatten();
    let announced = found.key.announced.as_ref().map(|announced| {
        let known = found.key.capabilities();
        let names = known.map(|known| known.names()).unwrap_or_default();
        KeyAnnouncement {
            at: At(announced.at),
            reads: names.into_iter().map(str::to_owned).collect(),
        }
    });
    let issuer = |link: ChainLink| KeyIssuer {
        subject: link.subject,
        sha256: link.sha256,
    };
    KeyDetail {
        key: shown(&found.key, found.mail, source, at),
        used_now,
        serial: certificate.serial_hex(),
        sha256: certificate.fingerprint_hex(),
        kind: kind(certificate),
        policies: policies.map(ToString::to_string).collect(),
        chain: found.chain.into_iter().map(issuer).collect(),
        announced,
        asked_again: found.ask_at.map(At),
        others,
        events,
    }
}

fn kind(certificate: &Certificate) -> String {
    match certificate.key_kind() {
        Some(PublicKeyKind::Rsa(bits)) => format!("RSA {bits}"),
        Some(PublicKeyKind::RsaPss(bits)) => format!("RSASSA-PSS {bits}"),
        Some(PublicKeyKind::Ec(curve)) => format!("{curve:?}"),
        Some(other) => format!("{other:?}"),
        None => "?".to_owned(),
    }
}
