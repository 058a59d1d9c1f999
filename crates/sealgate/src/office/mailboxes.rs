//! The portal's questions about mailboxes.

use async_trait::async_trait;
use sealgate_core::change::Change;
use sealgate_core::limits::REVOKE_PENDING;
use sealgate_core::order::{OrderState, Purpose};
use sealgate_core::permission::{Permission, Role};
use sealgate_core::saying::{Inputs, Saying};
use sealgate_core::tenant::{KeyId, MailboxState, OrganisationId};
use sealgate_mail::Address;
use sealgate_portal::auth::{Permitted, Read, Write};
use sealgate_portal::office::mailboxes::{
    ActivateMailboxes, BulkDone, BulkWork, Chosen, Mailbox, MailboxCounts, MailboxDetail,
    MailboxEvent, MailboxFilter, MailboxKey, Mailboxes, OpenOrder, OrderOptions, OrderWith,
    PurgeKeys, PurgedKeys, Upload,
};
use sealgate_portal::office::{Applied, Asked, At, Page, Paging};
use sealgate_portal::problem::{Problem, Titles};
use sealgate_smime::key::KeyKind;
use sealgate_store::limits::PAGE_ROWS;
use sealgate_store::{
    BulkAction, Certificates, MailboxOrder, MailboxPlace, MailboxQuery, MailboxRow, OrderRow,
    Purge, RevocationRow, RingKey,
};

use super::{PortalOffice, few, one_page, problem, upload};
use crate::cmd::admin::{word, word_of};
use crate::gateway::now;
use crate::lifecycle::key_kind;
use crate::limits::{ALIASES, MAILBOX_HISTORY};

#[async_trait]
impl Mailboxes for PortalOffice {
    async fn mailboxes(
        &self,
        who: &Permitted<Read>,
        filter: &MailboxFilter,
        paging: &Paging,
    ) -> Asked<Page<Mailbox>> {
        let mut query = query(filter)?;
        query.after = paging.after.as_deref().map(place_of).transpose()?;
        query.limit = paging.rows();
        let rows = self.0.store.mailbox_page(who.organisation(), &query).await;
        let rows = rows.map_err(problem)?;
        let place = |row: &MailboxRow| written(&place(row));
        Ok(one_page(rows, paging, (place, shown)))
    }

    async fn mailboxes_found(&self, who: &Permitted<Read>, filter: &MailboxFilter) -> Asked<u64> {
        let (store, query) = (&self.0.store, query(filter)?);
        let found = store.mailboxes_found(who.organisation(), &query).await;
        found.map_err(problem)
    }

    async fn mailbox_counts(&self, who: &Permitted<Read>) -> Asked<MailboxCounts> {
        let store = &self.0.store;
        let counts = store.mailbox_counts(who.organisation()).await;
        let counts = counts.map_err(problem)?;
        let quota = store.quota(who.organisation()).await.map_err(problem)?;
        Ok(MailboxCounts {
            known: counts.known,
            active: counts.active,
            held: quota.held,
            booked: quota.licence.map(|licence| licence.smime),
            free: quota.free(),
            until: quota.licence.and_then(|licence| licence.until).map(At),
        })
    }

    async fn mailbox(&self, who: &Permitted<Read>, mailbox: &Address) -> Asked<MailboxDetail> {
        let (store, organisation) = (&self.0.store, who.organisation());
        let detail = store.mailbox_detail(organisation, mailbox, MAILBOX_HISTORY);
        let detail = detail.await.map_err(problem)?;
        let detail = detail.ok_or_else(Problem::not_found)?;
        let ring = store.key_ring(organisation, mailbox).await;
        let ring = ring.map_err(problem)?;
        Ok(MailboxDetail {
            mailbox: shown(detail.row),
            aliases: detail.aliases,
            history: history(&detail.orders, &detail.revocations, &ring),
            keys: ring.iter().map(key).collect(),
        })
    }

    async fn order_options(&self, who: &Permitted<Read>) -> Asked<OrderOptions> {
        let authorities = self.0.store.authorities(who.organisation()).await;
        let mut authorities = authorities.map_err(problem)?;
        authorities.sort_by_key(|authority| !authority.standard);
        // What the operator's tokens are called is for those who order on them.
        let may_order = who.may(Permission::Role(Role::Write));
        let tokens = self.0.config.tokens.iter().filter(|_| may_order);
        Ok(OrderOptions {
            authorities: authorities.into_iter().map(|one| one.name).collect(),
            keys: ["rsa-3072", "p-256", "p-384"].map(str::to_owned).into(),
            tokens: tokens.map(|token| token.name.clone()).collect(),
        })
    }

    async fn bulk_work_news(&self, who: &Permitted<Read>) -> Asked<Vec<BulkWork>> {
        self.bulk_news(who).await
    }

    async fn bulk_work(&self, who: &Permitted<Read>, paging: &Paging) -> Asked<Page<BulkWork>> {
        self.bulk_page(who, paging).await
    }

    async fn stop_bulk_work(&self, who: &Permitted<Write>, id: i64) -> Asked<BulkWork> {
        self.bulk_stopped(who, id).await
    }

    async fn to_deactivate(&self, who: &Permitted<Write>, chosen: &Chosen) -> Asked<u64> {
        let installation = self.0.installation();
        let organisation = installation.organisation(who.organisation());
        let is_active = |address: &&Address| {
            let mailbox = organisation.and_then(|own| own.mailbox(address));
            mailbox.is_some_and(|mailbox| mailbox.state == MailboxState::Active)
        };
        let filter = match chosen {
            Chosen::Mailboxes(named) => return Ok(named.iter().filter(is_active).count() as u64),
            Chosen::Filter(filter) => filter.clone(),
            Chosen::All => MailboxFilter::default(),
        };
        let Some(query) = in_state(&filter, MailboxState::Active)? else {
            return Ok(0);
        };
        let store = &self.0.store;
        let found = store.mailboxes_found(who.organisation(), &query).await;
        found.map_err(problem)
    }

    async fn activate(&self, who: &Permitted<Write>, order: ActivateMailboxes) -> Asked<BulkDone> {
        let with = self.activation(&order.with)?;
        let mailboxes = self
            .chosen(who, order.chosen, MailboxState::Inactive)
            .await?;
        self.bulk(who, BulkAction::Activation(with), mailboxes)
            .await
    }

    async fn deactivate(&self, who: &Permitted<Write>, chosen: Chosen) -> Asked<BulkDone> {
        let mailboxes = self.chosen(who, chosen, MailboxState::Active).await?;
        self.bulk(who, BulkAction::Deactivation, mailboxes).await
    }

    async fn withdraw_orders(
        &self,
        who: &Permitted<Write>,
        mailboxes: Vec<Address>,
    ) -> Asked<Applied> {
        self.one_by_one(who, mailboxes, Change::Withdraw).await
    }

    async fn confirm_revoked(
        &self,
        who: &Permitted<Write>,
        mailboxes: Vec<Address>,
    ) -> Asked<Applied> {
        self.one_by_one(who, mailboxes, Change::ConfirmRevoked)
            .await
    }

    async fn renew(
        &self,
        who: &Permitted<Write>,
        mailbox: &Address,
        (with, revoke): (OrderWith, bool),
    ) -> Asked<Applied> {
        self.must_be_known(who, mailbox).await?;
        let purpose = match revoke {
            true => Purpose::Replacement,
            false => Purpose::Renewal,
        };
        let order = self.activation(&with)?.of(mailbox.clone());
        self.change(who, vec![Change::Renew(order, purpose)]).await
    }

    async fn upload(
        &self,
        who: &Permitted<Write>,
        mailbox: &Address,
        upload: Upload,
    ) -> Asked<Applied> {
        self.must_be_known(who, mailbox).await?;
        let import = upload::read(&self.0.uploads, upload, mailbox).await?;
        self.change(who, vec![Change::ImportKeys(import)]).await
    }

    async fn set_aliases(
        &self,
        who: &Permitted<Write>,
        mailbox: &Address,
        aliases: Vec<Address>,
    ) -> Asked<Applied> {
        few("mailboxes", aliases.len(), ALIASES)?;
        self.must_be_known(who, mailbox).await?;
        let change = Change::Aliases(mailbox.clone(), aliases);
        self.change(who, vec![change]).await
    }

    async fn purge(
        &self,
        who: &Permitted<Write>,
        mailbox: &Address,
        which: PurgeKeys,
    ) -> Asked<PurgedKeys> {
        let which = match which {
            PurgeKeys::AllOld => Purge::AllOld,
            PurgeKeys::Keys(keys) => Purge::These(keys.into_iter().map(KeyId).collect()),
        };
        let whose = (who.organisation(), mailbox);
        let purged = self.0.store.purge_keys(whose, which, who.who(), now());
        let purged = purged.await.map_err(problem)?;
        self.applied(purged.version, Vec::new()).await?;
        Ok(PurgedKeys {
            keys: purged.keys.iter().map(|key| key.0).collect(),
            on_tokens: purged.on_tokens.iter().map(|(key, _)| key.0).collect(),
        })
    }
}

impl PortalOffice {
    /// The mailboxes that are named, each once, or all in a state, in the order of the table (A14).
    async fn chosen(
        &self,
        who: &Permitted<Write>,
        chosen: Chosen,
        state: MailboxState,
    ) -> Asked<Vec<Address>> {
        let filter = match chosen {
            Chosen::Mailboxes(mut named) => {
                named.sort();
                named.dedup();
                return Ok(named);
            }
            Chosen::Filter(filter) => filter,
            Chosen::All => MailboxFilter::default(),
        };
        match in_state(&filter, state)? {
            Some(query) => self.all_mailboxes(who.organisation(), query).await,
            None => Ok(Vec::new()),
        }
    }

    /// All mailboxes of a query, page by page.
    pub(super) async fn all_mailboxes(
        &self,
        organisation: OrganisationId,
        mut query: MailboxQuery,
    ) -> Asked<Vec<Address>> {
        query.limit = PAGE_ROWS;
        let mut found = Vec::new();
        loop {
            let rows = self.0.store.mailbox_page(organisation, &query).await;
            let rows = rows.map_err(problem)?;
            let Some(last) = rows.last() else {
                return Ok(found);
            };
            query.after = Some(place(last));
            found.extend(rows.into_iter().map(|row| row.address));
        }
    }

    /// The same change to each of these mailboxes; names those it is refused for.
    async fn one_by_one(
        &self,
        who: &Permitted<Write>,
        mailboxes: Vec<Address>,
        change: fn(Address) -> Change,
    ) -> Asked<Applied> {
        let one = |mailbox: Address| (mailbox.to_string(), change(mailbox));
        self.change_many(who, mailboxes.into_iter().map(one).collect())
            .await
    }

    async fn must_be_known(&self, who: &Permitted<Write>, mailbox: &Address) -> Asked<()> {
        let known = self.0.store.mailbox_detail(who.organisation(), mailbox, 0);
        let known = known.await.map_err(problem)?;
        known.map(|_| ()).ok_or_else(Problem::not_found)
    }

    /// An order as it was chosen, of no mailbox yet.
    fn activation(&self, with: &OrderWith) -> Asked<Certificates> {
        let key = with.key.as_deref().map_or(Ok(KeyKind::Rsa3072), key_kind);
        let key = key.map_err(|_| {
            let words = "rsa-3072, p-256, p-384".to_owned();
            Problem::wrong("key", Inputs::OneOf { words })
        })?;
        if let Some(token) = &with.token {
            let there = self.0.config.must_have_token(token);
            there.map_err(|_| {
                let name = token.clone();
                Problem::wrong("token", Inputs::NoToken { name })
            })?;
        }
        Ok(Certificates {
            authority: with.authority.clone(),
            key,
            token: with.token.clone(),
        })
    }
}

fn query(filter: &MailboxFilter) -> Asked<MailboxQuery> {
    let (order, descending) = match filter.sort.as_deref() {
        Some(sort) => {
            let word = sort.strip_prefix('-');
            (order(word.unwrap_or(sort))?, word.is_some())
        }
        None => (MailboxOrder::Domain, false),
    };
    Ok(MailboxQuery {
        state: filter.state,
        search: filter.search.clone(),
        route: filter.route.clone(),
        order,
        descending,
        ..MailboxQuery::default()
    })
}

fn order(word: &str) -> Asked<MailboxOrder> {
    match word {
        "domain" => Ok(MailboxOrder::Domain),
        "name" => Ok(MailboxOrder::Name),
        "state" => Ok(MailboxOrder::State),
        "certificate" => Ok(MailboxOrder::Certificate),
        _ => Err(Problem::wrong(
            "sort",
            Inputs::OneOf {
                words: "domain, name, state, certificate".to_owned(),
            },
        )),
    }
}

/// Those of the filter that are in `state`, in the order of the table; none if the filter excludes the state.
fn in_state(filter: &MailboxFilter, state: MailboxState) -> Asked<Option<MailboxQuery>> {
    if filter.state.is_some_and(|wanted| wanted != state) {
        return Ok(None);
    }
    let ordered = MailboxFilter {
        state: Some(state),
        sort: None,
        ..filter.clone()
    };
    query(&ordered).map(Some)
}

fn place(row: &MailboxRow) -> MailboxPlace {
    MailboxPlace {
        address: row.address.clone(),
        state: row.state,
        certificate: row.signing.map_or(0, |(id, _)| id),
    }
}

fn written(place: &MailboxPlace) -> String {
    let state = word_of(&place.state);
    format!("{state}:{}:{}", place.certificate, place.address)
}

fn place_of(text: &str) -> Asked<MailboxPlace> {
    let malformed = || Problem::wrong("after", Inputs::After {});
    let mut parts = text.splitn(3, ':');
    let mut part = || parts.next().ok_or_else(malformed);
    Ok(MailboxPlace {
        state: word(part()?).map_err(|_| malformed())?,
        certificate: part()?.parse().map_err(|_| malformed())?,
        address: Address::parse(part()?).map_err(|_| malformed())?,
    })
}

fn shown(row: MailboxRow) -> Mailbox {
    let active = row.signing.filter(|_| row.state == MailboxState::Active);
    let leaves = (row.state == MailboxState::RevokePending).then(|| row.since.plus(REVOKE_PENDING));
    Mailbox {
        name: row.address.local().to_owned(),
        domain: row.address.domain().to_unicode(),
        address: row.address,
        state: row.state,
        since: At(row.since),
        inactive_by: leaves.map(At),
        certificate: active.map(|(id, _)| id),
        expires: active.map(|(_, end)| At(end)),
        order: row.order.map(|order| OpenOrder {
            authority: order.authority,
            purpose: order.purpose,
            state: order.state,
            created: At(order.created),
            due: order.due.map(At),
            errors: order.error.as_ref().map(Titles::of),
            error: order.error.as_ref().map(ToString::to_string),
        }),
        by_hand: row.by_hand,
        errors: row.error.as_ref().map(Titles::of),
        error: row.error.as_ref().map(ToString::to_string),
    }
}

fn key(key: &RingKey) -> MailboxKey {
    let certificate = &key.certificate;
    MailboxKey {
        id: key.id.0,
        subject: certificate.subject_name(),
        issuer: certificate.issuer_name(),
        serial: certificate.serial_hex(),
        sha256: certificate.fingerprint_hex(),
        valid_from: At(certificate.not_before()),
        valid_until: At(certificate.not_after()),
        uploaded: key.authority.is_none(),
        authority: key.authority.clone(),
        token: key.token.clone(),
        signs: key.signing,
        encrypts: key.encryption,
        to_be_revoked: key.to_be_revoked,
    }
}

fn because(why: Option<&Saying>, event: MailboxEvent) -> MailboxEvent {
    MailboxEvent {
        why: why.map(ToString::to_string),
        whys: why.map(Titles::of),
        ..event
    }
}

/// What happened to a mailbox's certificates, the newest first.
fn history(
    orders: &[OrderRow],
    revocations: &[RevocationRow],
    ring: &[RingKey],
) -> Vec<MailboxEvent> {
    let uploaded = ring.iter().filter(|key| key.authority.is_none());
    let mut events: Vec<MailboxEvent> = uploaded
        .map(|key| event(At(key.added), "uploaded", Some(key.id)))
        .collect();
    for order in orders {
        let named = |event: MailboxEvent| MailboxEvent {
            authority: Some(order.authority.clone()),
            ..event
        };
        events.push(named(event(At(order.created), "ordered", None)));
        let what = match order.state {
            OrderState::Issued => "issued",
            OrderState::Failed => "failed",
            OrderState::Withdrawn => "withdrawn",
            OrderState::New | OrderState::Asking | OrderState::Waiting => continue,
        };
        let ended = event(At(order.ended.unwrap_or(order.created)), what, None);
        let why = order.error.as_ref().filter(|_| what == "failed");
        events.push(named(because(why, ended)));
    }
    for revocation in revocations {
        let asked = event(
            At(revocation.asked),
            "revocation-asked",
            Some(revocation.key),
        );
        events.push(because(revocation.error.as_ref(), asked));
        if let Some(confirmed) = revocation.confirmed {
            events.push(event(At(confirmed), "revoked", Some(revocation.key)));
        }
    }
    // Of what happened in one second, the later step is further down in its list.
    events.reverse();
    events.sort_by_key(|event| std::cmp::Reverse(event.at));
    events
}

fn event(at: At, what: &'static str, certificate: Option<KeyId>) -> MailboxEvent {
    MailboxEvent {
        at,
        what,
        authority: None,
        certificate: certificate.map(|key| key.0),
        why: None,
        whys: None,
    }
}
