//! The portal's questions about mailboxes.

use async_trait::async_trait;
use sealgate_core::change::{Activation, Change};
use sealgate_core::tenant::MailboxState;
use sealgate_mail::Address;
use sealgate_portal::auth::{Permitted, Read, Write};
use sealgate_portal::office::mailboxes::{Chosen, Counts, Mailbox, MailboxFilter, Mailboxes};
use sealgate_portal::office::{Applied, Asked, At, Page, Paging};
use sealgate_portal::problem::Problem;
use sealgate_smime::key::KeyKind;
use sealgate_store::{MailboxQuery, MailboxRow};

use super::{PortalOffice, problem};

#[async_trait]
impl Mailboxes for PortalOffice {
    async fn mailboxes(
        &self,
        who: &Permitted<Read>,
        filter: &MailboxFilter,
        paging: &Paging,
    ) -> Asked<Page<Mailbox>> {
        let after = paging.after.as_deref().map(Address::parse).transpose();
        let query = MailboxQuery {
            state: filter.state,
            search: filter.search.clone().filter(|text| !text.is_empty()),
            after: after.map_err(|error| Problem::invalid("after", error))?,
            limit: paging.rows(),
        };
        let rows = self.0.store.mailbox_page(who.organisation(), &query).await;
        let rows = rows.map_err(problem)?;
        let is_full = rows.len() >= usize::try_from(paging.rows()).unwrap_or(usize::MAX);
        let next = rows.last().filter(|_| is_full);
        Ok(Page {
            next: next.map(|row| row.address.to_string()),
            items: rows.into_iter().map(shown).collect(),
        })
    }

    async fn mailbox_counts(&self, who: &Permitted<Read>) -> Asked<Counts> {
        let store = &self.0.store;
        let counts = store.mailbox_counts(who.organisation()).await;
        let counts = counts.map_err(problem)?;
        let quota = store.quota(who.organisation()).await.map_err(problem)?;
        Ok(Counts {
            known: counts.known,
            active: counts.active,
            held: quota.held,
            booked: quota.licence.map(|licence| licence.smime),
            free: quota.free(),
            until: quota.licence.and_then(|licence| licence.until).map(At),
        })
    }

    async fn activate(&self, who: &Permitted<Write>, chosen: Chosen) -> Asked<Applied> {
        let mailboxes = self.chosen(who, chosen, MailboxState::Inactive).await?;
        let order = |mailbox: Address| {
            let activation = Activation::new(mailbox.clone(), KeyKind::Rsa3072);
            (mailbox.to_string(), Change::Activate(activation))
        };
        self.change_many(who, mailboxes.into_iter().map(order).collect())
            .await
    }

    async fn deactivate(&self, who: &Permitted<Write>, chosen: Chosen) -> Asked<Applied> {
        let mailboxes = self.chosen(who, chosen, MailboxState::Active).await?;
        let stop = |mailbox: Address| (mailbox.to_string(), Change::Deactivate(mailbox));
        self.change_many(who, mailboxes.into_iter().map(stop).collect())
            .await
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
        let mut named = match chosen {
            Chosen::Mailboxes(named) => named,
            Chosen::All => return self.all_in(who, state).await,
        };
        named.sort();
        named.dedup();
        Ok(named)
    }

    async fn all_in(&self, who: &Permitted<Write>, state: MailboxState) -> Asked<Vec<Address>> {
        let mut found = Vec::new();
        loop {
            let query = MailboxQuery {
                state: Some(state),
                after: found.last().cloned(),
                limit: sealgate_store::limits::PAGE_ROWS,
                ..MailboxQuery::default()
            };
            let rows = self.0.store.mailbox_page(who.organisation(), &query).await;
            let rows = rows.map_err(problem)?;
            if rows.is_empty() {
                return Ok(found);
            }
            found.extend(rows.into_iter().map(|row| row.address));
        }
    }
}

fn shown(row: MailboxRow) -> Mailbox {
    let active = row.signing.filter(|_| row.state == MailboxState::Active);
    Mailbox {
        name: row.address.local().to_owned(),
        domain: row.address.domain().to_unicode(),
        address: row.address,
        state: row.state,
        since: At(row.since),
        certificate: active.map(|(id, _)| id),
        expires: active.map(|(_, end)| At(end)),
    }
}
