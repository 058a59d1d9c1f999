//! The portal's questions about events and the audit log.

use async_trait::async_trait;
use sealgate_portal::auth::{Admin, Operate, Permitted, Read};
use sealgate_portal::office::records::{
    AuditChain, AuditFilter, AuditLine, AuditPage, Event, EventFilter, EventKind, Records,
};
use sealgate_portal::office::{Asked, At, Page, Paging};
use sealgate_portal::problem::Titles;
use sealgate_store::AuditQuery;

use super::mails::sentence;
use super::{PortalOffice, number, one_page, problem};
use crate::cmd::admin::{word, word_of};

#[async_trait]
impl Records for PortalOffice {
    async fn events(
        &self,
        who: &Permitted<Read>,
        filter: &EventFilter,
        paging: &Paging,
    ) -> Asked<Page<Event>> {
        let kind = filter.kind.as_deref().map(word).transpose();
        let kind = kind.map_err(|_| super::webhooks::no_kind("kind"))?;
        let narrowed = (kind, number(paging)?);
        let store = &self.0.store;
        let found = store.newest_events(who.organisation(), narrowed, paging.rows());
        let shown = |event: sealgate_store::Event| Event {
            id: event.id,
            at: At(event.at),
            kind: word_of(&event.kind),
            sentence: sentence(event.kind),
            text: event.text,
            texts: Titles::of(&event.said),
        };
        let place = |event: &sealgate_store::Event| event.id.to_string();
        Ok(one_page(
            found.await.map_err(problem)?,
            paging,
            (place, shown),
        ))
    }

    fn event_kinds(&self) -> Vec<EventKind> {
        let kinds = sealgate_store::EventKind::ALL.into_iter();
        let kind = |kind| EventKind {
            word: word_of(&kind),
            sentence: sentence(kind),
        };
        kinds.map(kind).collect()
    }

    async fn audit(
        &self,
        who: &Permitted<Admin>,
        filter: &AuditFilter,
        paging: &Paging,
    ) -> Asked<AuditPage> {
        let organisation = who.organisation_name().to_owned();
        self.audit_lines(Some(organisation), filter, paging).await
    }

    async fn audit_of_all(
        &self,
        _: &Permitted<Operate>,
        filter: &AuditFilter,
        paging: &Paging,
    ) -> Asked<AuditPage> {
        self.audit_lines(None, filter, paging).await
    }

    async fn audit_chain(&self, _: &Permitted<Operate>) -> Asked<AuditChain> {
        self.0.chain.check(&self.0.store).await
    }
}

impl PortalOffice {
    async fn audit_lines(
        &self,
        organisation: Option<String>,
        filter: &AuditFilter,
        paging: &Paging,
    ) -> Asked<AuditPage> {
        let query = AuditQuery {
            organisation,
            who: filter.who.clone(),
            search: filter.search.clone(),
            before: number(paging)?,
            limit: paging.rows(),
        };
        let found = self.0.store.audit_page(&query).await.map_err(problem)?;
        let shown = |line: sealgate_store::AuditLine| AuditLine {
            id: line.id,
            at: At(line.at),
            who: line.who,
            organisation: line.organisation,
            text: line.text,
            texts: Titles::of(&line.said),
        };
        let place = |line: &sealgate_store::AuditLine| line.id.to_string();
        let page = one_page(found.lines, paging, (place, shown));
        Ok(AuditPage {
            items: page.items,
            next: page.next.or(found.searched_to.map(|line| line.to_string())),
            searched_to: found.searched_to,
        })
    }
}
