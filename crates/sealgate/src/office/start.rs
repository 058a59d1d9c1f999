//! The portal's question about the organisations that somebody may enter.

use async_trait::async_trait;
use sealgate_portal::auth::{Oneself, Permitted};
use sealgate_portal::office::start::{Entry, EntryFilter, Start};
use sealgate_portal::office::{Asked, Page, Paging};
use sealgate_store::OrganisationQuery;

use super::{PortalOffice, last_of_full, problem};

#[async_trait]
impl Start for PortalOffice {
    async fn organisations_of(
        &self,
        who: &Permitted<Oneself>,
        filter: &EntryFilter,
        paging: &Paging,
    ) -> Asked<Page<Entry>> {
        let grants = &who.authenticated().grants;
        let own = grants.roles.iter().map(|(id, _)| *id).collect();
        let query = OrganisationQuery {
            only: (!grants.operator).then_some(own),
            search: filter.search.clone(),
            after: paging.after.clone(),
            limit: paging.rows(),
        };
        let rows = self.0.store.organisation_page(&query).await;
        let rows = rows.map_err(problem)?;
        let next = last_of_full(&rows, paging);
        let entry = |(id, name)| {
            Some(Entry {
                role: grants.role(id)?,
                name,
            })
        };
        Ok(Page {
            next: next.map(|(_, name)| name.clone()),
            items: rows.into_iter().filter_map(entry).collect(),
        })
    }
}
