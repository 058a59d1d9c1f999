//! The portal's questions about certificates, orders and revocations.

mod reissue;

use async_trait::async_trait;
use sealgate_core::authority::{Connector, OrderId};
use sealgate_core::change::Change;
use sealgate_core::order::{self, Next};
use sealgate_core::saying::{Inputs, Saying};
use sealgate_core::tenant::OrganisationId;
use sealgate_mail::{Address, Timestamp};
use sealgate_portal::auth::{Permitted, Read, Write};
use sealgate_portal::office::certificates::{
    CertificateCounts, CertificateFilter, CertificateIssuer, CertificateOrder, Certificates,
    CurrentCertificate, OrderBatch, OrderFilter, OrderRequest, OrdersShown, Reissue, ReissueChoice,
    ReissuePreview, Reissued, Revocation, RevocationFilter,
};
use sealgate_portal::office::{Applied, Asked, At, Page, Paging};
use sealgate_portal::problem::{Problem, Titles};
use sealgate_smime::certificate::Certificate as Parsed;
use sealgate_smime::pem;
use sealgate_store::{
    BatchDetail, CertificateQuery, CertificateRow, LeasedOrder, OrderDetail, OrdersOf,
    RevocationDetail, RevocationsOf,
};

use super::{DAY, PortalOffice, number, one_page, problem};
use crate::gateway::now;

/// When `days` from now are over.
fn in_days(days: u32) -> Timestamp {
    now().plus(i64::from(days).saturating_mul(DAY))
}

#[async_trait]
impl Certificates for PortalOffice {
    async fn certificates(
        &self,
        who: &Permitted<Read>,
        filter: &CertificateFilter,
        paging: &Paging,
    ) -> Asked<Page<CurrentCertificate>> {
        let query = CertificateQuery {
            ends_before: filter.within.map(in_days),
            issuer: filter.issuer.clone(),
            search: filter.search.clone(),
            after: paging.after.as_deref().map(place).transpose()?,
            limit: paging.rows(),
            ..CertificateQuery::default()
        };
        let store = &self.0.store;
        let rows = store.certificate_page(who.organisation(), &query).await;
        let place = |row: &CertificateRow| format!("{}.{}", row.not_after.0, row.id.0);
        Ok(one_page(rows.map_err(problem)?, paging, (place, shown)))
    }

    async fn certificate_counts(&self, who: &Permitted<Read>) -> Asked<CertificateCounts> {
        let count = async |ends_before| {
            let query = CertificateQuery {
                ends_before,
                ..CertificateQuery::default()
            };
            let counted = self.0.store.certificate_count(who.organisation(), &query);
            counted.await.map_err(problem)
        };
        Ok(CertificateCounts {
            all: count(None).await?,
            over: count(Some(now())).await?,
            within_30: count(Some(in_days(30))).await?,
            within_60: count(Some(in_days(60))).await?,
            within_90: count(Some(in_days(90))).await?,
            issuers: self.issuers_of(who.organisation()).await?,
        })
    }

    async fn certificate_orders(
        &self,
        who: &Permitted<Read>,
        filter: &OrderFilter,
        paging: &Paging,
    ) -> Asked<Page<CertificateOrder>> {
        let which = match (filter.batch, filter.show) {
            (Some(batch), OrdersShown::Failed) => OrdersOf::FailedInBatch(batch),
            (Some(batch), _) => OrdersOf::Batch(batch),
            (None, OrdersShown::Open) => OrdersOf::Open,
            (None, OrdersShown::Failed) => OrdersOf::Failed,
            (None, OrdersShown::All) => OrdersOf::All,
        };
        let rows = (number(paging)?, paging.rows());
        let found = self.0.store.order_page(who.organisation(), which, rows);
        let place = |row: &OrderDetail| row.id.0.to_string();
        let found = found.await.map_err(problem)?;
        Ok(one_page(found, paging, (place, ordered)))
    }

    async fn certificate_order(&self, who: &Permitted<Read>, id: i64) -> Asked<CertificateOrder> {
        let found = self.0.store.order_detail(who.organisation(), OrderId(id));
        Ok(ordered(found.await.map_err(problem)?))
    }

    async fn withdraw_order(&self, who: &Permitted<Write>, id: i64) -> Asked<Applied> {
        let order = self.open_order_of(who, id).await?;
        self.change(who, vec![Change::Withdraw(order.address)])
            .await
    }

    async fn order_request(&self, who: &Permitted<Read>, id: i64) -> Asked<OrderRequest> {
        let order = self.carried_by_hand(who, id).await?;
        let text = |der: Vec<u8>| pem::write("CERTIFICATE REQUEST", &der);
        Ok(OrderRequest {
            order: id,
            csr: order.csr.map(text),
        })
    }

    async fn hand_in_chain(&self, who: &Permitted<Write>, id: i64, chain: &[u8]) -> Asked<Applied> {
        let order = self.carried_by_hand(who, id).await?;
        let chain = Parsed::read_all(chain).map_err(|error| Problem::wrong("chain", error))?;
        let wanted = self.0.store.wanted(&order, false, now()).await;
        let spki = wanted.map_err(problem)?.spki;
        order::judge(&chain, (&order.address, &spki), now())
            .map_err(|why| Problem::wrong("chain", why))?;
        if let Some(Next::Again { error, .. }) = order::early(&chain, 0, now()) {
            return Err(Problem::wrong("chain", error));
        }
        let store = &self.0.store;
        let issued = store.order_issued(&order, &chain, now()).await;
        issued.map_err(problem)?;
        let version = store.version().await.map_err(problem)?;
        self.applied(version, Vec::new()).await
    }

    async fn order_batches(
        &self,
        who: &Permitted<Read>,
        paging: &Paging,
    ) -> Asked<Page<OrderBatch>> {
        let rows = (number(paging)?, paging.rows());
        let found = self.0.store.batch_page(who.organisation(), rows).await;
        let place = |row: &BatchDetail| row.id.to_string();
        Ok(one_page(found.map_err(problem)?, paging, (place, batch)))
    }

    async fn order_batch(&self, who: &Permitted<Read>, id: i64) -> Asked<OrderBatch> {
        let found = self.0.store.batch(who.organisation(), id).await;
        Ok(batch(found.map_err(problem)?))
    }

    async fn reissue_authorities(&self, who: &Permitted<Write>) -> Asked<Vec<String>> {
        let found = self.0.store.authorities(who.organisation()).await;
        let mut found = found.map_err(problem)?;
        found.sort_by_key(|authority| !authority.standard);
        Ok(found.into_iter().map(|authority| authority.name).collect())
    }

    async fn reissue_issuers(&self, who: &Permitted<Write>) -> Asked<Vec<CertificateIssuer>> {
        self.issuers_of(who.organisation()).await
    }

    async fn reissue_preview(
        &self,
        who: &Permitted<Write>,
        choice: &ReissueChoice,
    ) -> Asked<ReissuePreview> {
        self.preview(who, choice).await
    }

    async fn reissue(&self, who: &Permitted<Write>, what: Reissue) -> Asked<Reissued> {
        self.order_again(who, what).await
    }

    async fn revocations(
        &self,
        who: &Permitted<Read>,
        filter: &RevocationFilter,
        paging: &Paging,
    ) -> Asked<Page<Revocation>> {
        let which = match filter.all {
            true => RevocationsOf::All,
            false => RevocationsOf::Open,
        };
        let rows = (number(paging)?, paging.rows());
        let found = self
            .0
            .store
            .revocation_page(who.organisation(), which, rows);
        let place = |row: &RevocationDetail| row.id.to_string();
        let found = found.await.map_err(problem)?;
        Ok(one_page(found, paging, (place, revocation)))
    }

    async fn confirm_revocation(&self, who: &Permitted<Write>, mailbox: Address) -> Asked<Applied> {
        self.change(who, vec![Change::ConfirmRevoked(mailbox)])
            .await
    }
}

impl PortalOffice {
    async fn issuers_of(&self, organisation: OrganisationId) -> Asked<Vec<CertificateIssuer>> {
        let issuers = self.0.store.certificate_issuers(organisation).await;
        let issuer = |(name, certificates)| CertificateIssuer { name, certificates };
        Ok(issuers.map_err(problem)?.into_iter().map(issuer).collect())
    }

    async fn open_order_of<P>(&self, who: &Permitted<P>, id: i64) -> Asked<LeasedOrder> {
        let found = self.0.store.open_order(who.organisation(), OrderId(id));
        found.await.map_err(problem)
    }

    /// An open order that somebody carries to its authority.
    async fn carried_by_hand<P>(&self, who: &Permitted<P>, id: i64) -> Asked<LeasedOrder> {
        let order = self.open_order_of(who, id).await?;
        let authority = self.0.store.authority(order.authority).await;
        let authority = authority.map_err(problem)?;
        match authority.connector {
            Connector::ByHand => Ok(order),
            _ => Err(Problem {
                detail: Some(Saying::words(authority.name)),
                ..Problem::new("not-by-hand")
            }),
        }
    }
}

/// `END.NUMBER`, as pages of certificates name their last row.
fn place(after: &str) -> Asked<(Timestamp, i64)> {
    let parts = after.split_once('.');
    let parts = parts.and_then(|(end, id)| Some((Timestamp(end.parse().ok()?), id.parse().ok()?)));
    parts.ok_or_else(|| Problem::wrong("after", Inputs::After {}))
}

fn shown(row: CertificateRow) -> CurrentCertificate {
    CurrentCertificate {
        id: row.id.0,
        mailbox: row.address,
        issuer: row.issuer,
        from: At(row.not_before),
        until: At(row.not_after),
        days_left: row.not_after.since(now()).div_euclid(DAY),
        origin: row.origin,
        authority: row.authority,
        key: row.kind,
        signing: row.signing,
        encryption: row.encryption,
        ordered: row.ordered,
    }
}

fn ordered(row: OrderDetail) -> CertificateOrder {
    CertificateOrder {
        id: row.id.0,
        mailbox: row.address,
        authority: row.authority,
        by_hand: row.by_hand,
        purpose: row.purpose,
        state: row.state,
        key: row.kind,
        batch: row.batch,
        since: At(row.created),
        next: row.due.map(At),
        ended: row.ended.map(At),
        errors: row.error.as_ref().map(Titles::of),
        error: row.error.as_ref().map(ToString::to_string),
    }
}

fn batch(row: BatchDetail) -> OrderBatch {
    OrderBatch {
        id: row.id,
        text: row.said.to_string(),
        texts: Titles::of(&row.said),
        who: row.who,
        since: At(row.created),
        per_minute: row.per_minute,
        total: row.total,
        issued: row.issued,
        failed: row.failed,
        withdrawn: row.withdrawn,
    }
}

fn revocation(row: RevocationDetail) -> Revocation {
    Revocation {
        id: row.id,
        mailbox: row.mailbox,
        certificate: row.key.0,
        issuer: row.issuer,
        serial: row.serial,
        authority: row.authority,
        reason: row.reason,
        since: At(row.asked),
        next: row.due.map(At),
        confirmed: row.confirmed.map(At),
        errors: row.error.as_ref().map(Titles::of),
        error: row.error.as_ref().map(ToString::to_string),
    }
}
