//! Orders, batches of them, and revocations.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use sealgate_core::authority::RevocationReason;
use sealgate_core::order::{OrderState, Purpose};
use sealgate_mail::Address;
use serde::Deserialize;

use super::super::{Nothing, segment};
use super::key_words;
use crate::Portal;
use crate::auth::{Posted, Read, Uploaded, Write};
use crate::lang::key;
use crate::office::certificates::{
    CertificateOrder, OrderBatch, OrderFilter, OrdersShown, Revocation, RevocationFilter,
};
use crate::office::{Page, Paging};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::shapes;
use crate::view::{Notice, View, Visit, done, next_page, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Read, _, _>("/o/{organisation}/certificates/orders", orders),
        get::<Read, _, _>("/o/{organisation}/certificates/orders/{id}", order),
        post::<Write, _, _>(
            "/o/{organisation}/certificates/orders/{id}/withdraw",
            withdraw,
        ),
        post::<Write, _, _>("/o/{organisation}/certificates/orders/{id}/chain", chain),
        get::<Read, _, _>("/o/{organisation}/certificates/batches", batches),
        get::<Read, _, _>("/o/{organisation}/certificates/batches/{id}", batch),
        get::<Read, _, _>("/o/{organisation}/certificates/revocations", revocations),
        post::<Write, _, _>(
            "/o/{organisation}/certificates/revocations/confirm",
            confirm,
        ),
    ]
}

const fn state_words(state: OrderState) -> &'static str {
    match state {
        OrderState::New => key("orders-new"),
        OrderState::Asking => key("orders-asking"),
        OrderState::Waiting => key("orders-waiting"),
        OrderState::Issued => key("orders-issued"),
        OrderState::Failed => key("orders-failed"),
        OrderState::Withdrawn => key("orders-withdrawn"),
    }
}

const fn state_shape(state: OrderState) -> &'static str {
    match state {
        OrderState::New | OrderState::Asking | OrderState::Waiting => shapes::BUSY,
        OrderState::Issued => shapes::GOOD,
        OrderState::Failed => shapes::BAD,
        OrderState::Withdrawn => shapes::OFF,
    }
}

const fn purpose_words(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Activation => key("orders-activation"),
        Purpose::Renewal => key("orders-renewal"),
        Purpose::Replacement => key("orders-replacement"),
    }
}

const fn reason_words(reason: RevocationReason) -> &'static str {
    match reason {
        RevocationReason::Unspecified => key("revocations-unspecified"),
        RevocationReason::KeyCompromise => key("revocations-compromise"),
        RevocationReason::Superseded => key("revocations-superseded"),
        RevocationReason::CessationOfOperation => key("revocations-cessation"),
    }
}

/// What to do about an order that stands as it does, if anything.
const fn to_do(order: &CertificateOrder) -> Option<&'static str> {
    match (order.state, order.purpose) {
        (OrderState::Failed, Purpose::Activation) => Some(key("orders-activate-again")),
        (OrderState::Failed, _) => Some(key("orders-order-again")),
        (OrderState::Asking | OrderState::Waiting, _) if order.by_hand => Some(key("orders-carry")),
        (OrderState::New | OrderState::Asking | OrderState::Waiting, _)
            if order.error.is_some() =>
        {
            Some(key("orders-asked-again"))
        }
        _ => None,
    }
}

fn mailbox_page(view: &View, address: &str) -> String {
    view.here(&format!("smime/mailboxes/{}", segment(address)))
}

#[derive(Template)]
#[template(path = "certificates/orders.html")]
struct Orders {
    view: View,
    filter: OrderFilter,
    orders: Page<CertificateOrder>,
    first: Option<String>,
    next: Option<String>,
}

impl Orders {
    const SHOWN: [(OrdersShown, &'static str, &'static str); 3] = [
        (OrdersShown::Open, "open", key("orders-show-open")),
        (OrdersShown::Failed, "failed", key("orders-show-failed")),
        (OrdersShown::All, "all", key("orders-show-all")),
    ];
}

async fn orders(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Query(filter): Query<OrderFilter>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let office = &portal.office;
    let orders = office.certificate_orders(&visit.permitted, &filter, &paging);
    let orders = orders.await?;
    let (first, next) = next_page(&visit.view, &filter, &paging, &orders);
    page(&Orders {
        view: visit.view,
        filter,
        orders,
        first,
        next,
    })
}

#[derive(Template)]
#[template(path = "certificates/order.html")]
struct Order {
    view: View,
    order: CertificateOrder,
    csr: Option<String>,
    mailbox: String,
}

async fn order(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Path((_organisation, id)): Path<(String, i64)>,
) -> Result<Response, Problem> {
    let (office, permitted) = (&portal.office, &visit.permitted);
    let order = office.certificate_order(permitted, id).await?;
    let csr = match order.by_hand && order.ended.is_none() {
        true => office.order_request(permitted, id).await?.csr,
        false => None,
    };
    page(&Order {
        mailbox: mailbox_page(&visit.view, &order.mailbox.to_string()),
        view: visit.view,
        order,
        csr,
    })
}

async fn withdraw(
    State(portal): State<Portal>,
    Path((organisation, id)): Path<(String, i64)>,
    Posted(permitted, Nothing {}): Posted<Write, Nothing>,
) -> Result<Response, Problem> {
    portal.office.withdraw_order(&permitted, id).await?;
    let notice = Notice::new("orders-taken-back").number("order", usize::try_from(id).unwrap_or(0));
    let to = format!("/o/{organisation}/certificates/orders");
    done(&portal, &permitted, notice, &to).await
}

async fn chain(
    State(portal): State<Portal>,
    Path((organisation, id)): Path<(String, i64)>,
    given: Uploaded<Write>,
) -> Result<Response, Problem> {
    let file = given.octets("file").filter(|file| !file.is_empty());
    let text = given.octets("text").filter(|text| !text.is_empty());
    let chain = file.or(text).ok_or(Problem::new("no-certificate"))?;
    let permitted = &given.permitted;
    portal.office.hand_in_chain(permitted, id, chain).await?;
    let notice = Notice::new("orders-handed-in");
    let to = format!("/o/{organisation}/certificates/orders/{id}");
    done(&portal, permitted, notice, &to).await
}

#[derive(Template)]
#[template(path = "certificates/batches.html")]
struct Batches {
    view: View,
    batches: Page<OrderBatch>,
    first: Option<String>,
    next: Option<String>,
}

async fn batches(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let batches = portal.office.order_batches(&visit.permitted, &paging);
    let batches = batches.await?;
    let (first, next) = next_page(&visit.view, &(), &paging, &batches);
    page(&Batches {
        view: visit.view,
        batches,
        first,
        next,
    })
}

#[derive(Template)]
#[template(path = "certificates/batch.html")]
struct Batch {
    view: View,
    batch: OrderBatch,
    failed: Page<CertificateOrder>,
}

async fn batch(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Path((_organisation, id)): Path<(String, i64)>,
) -> Result<Response, Problem> {
    let (office, permitted) = (&portal.office, &visit.permitted);
    let batch = office.order_batch(permitted, id).await?;
    let filter = OrderFilter {
        show: OrdersShown::Failed,
        batch: Some(id),
    };
    let paging = Paging::default();
    let failed = office.certificate_orders(permitted, &filter, &paging);
    page(&Batch {
        failed: failed.await?,
        view: visit.view,
        batch,
    })
}

/// How far a batch is, in one line.
fn progress_words(view: &View, batch: &OrderBatch) -> String {
    view.t2(
        "batches-progress",
        ("ended", view.number(batch.ended())),
        ("total", view.number(batch.total)),
    )
}

#[derive(Template)]
#[template(path = "certificates/revocations.html")]
struct Revocations {
    view: View,
    filter: RevocationFilter,
    revocations: Page<Revocation>,
    first: Option<String>,
    next: Option<String>,
}

impl Revocations {
    fn shape(&self, one: &Revocation) -> &'static str {
        match (&one.confirmed, &one.authority, &one.error) {
            (Some(_), _, _) => shapes::GOOD,
            (None, None, _) => shapes::WARN,
            (None, Some(_), Some(_)) => shapes::WARN,
            (None, Some(_), None) => shapes::BUSY,
        }
    }

    /// Whether an administrator has to see to one of them (A12).
    fn some_by_hand(&self) -> bool {
        let mut all = self.revocations.items.iter();
        all.any(|one| one.confirmed.is_none() && one.authority.is_none())
    }

    fn words(&self, one: &Revocation) -> String {
        match (&one.confirmed, &one.authority) {
            (Some(_), _) => self.view.t("revocations-confirmed"),
            (None, None) => self.view.t("revocations-by-hand"),
            (None, Some(_)) => self.view.t("revocations-waiting"),
        }
    }
}

async fn revocations(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Query(filter): Query<RevocationFilter>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let office = &portal.office;
    let revocations = office.revocations(&visit.permitted, &filter, &paging);
    let revocations = revocations.await?;
    let (first, next) = next_page(&visit.view, &filter, &paging, &revocations);
    page(&Revocations {
        view: visit.view,
        filter,
        revocations,
        first,
        next,
    })
}

#[derive(Deserialize)]
struct Confirm {
    mailbox: Address,
}

async fn confirm(
    State(portal): State<Portal>,
    Path(organisation): Path<String>,
    Posted(permitted, whose): Posted<Write, Confirm>,
) -> Result<Response, Problem> {
    let mailbox = whose.mailbox.to_string();
    let office = &portal.office;
    office.confirm_revocation(&permitted, whose.mailbox).await?;
    let notice = Notice::new("revocations-noted").text("mailbox", mailbox);
    let to = format!("/o/{organisation}/certificates/revocations");
    done(&portal, &permitted, notice, &to).await
}
