//! Certificates and their ends, orders, batches, new certificates for many mailboxes, revocations.

mod orders;
mod reissue;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use sealgate_core::change::KeyOrigin;
use sealgate_mail::Timestamp;
use sealgate_smime::key::KeyKind;

use super::segment;
use crate::Portal;
use crate::auth::Read;
use crate::export::{self, Lines, Sheet};
use crate::lang::key;
use crate::office::certificates::{CertificateCounts, CertificateFilter, CurrentCertificate};
use crate::office::{Page, Paging};
use crate::problem::Problem;
use crate::routes::{PageRoute, get};
use crate::shapes;
use crate::view::{Fetch, View, Visit, next_page, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    let own = vec![
        get::<Read, _, _>("/o/{organisation}/certificates", list),
        get::<Read, _, _>("/o/{organisation}/certificates/export", export),
    ];
    [own, orders::routes(), reissue::routes()]
        .into_iter()
        .flatten()
        .collect()
}

/// A kind of key as people write it.
pub(crate) const fn key_words(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Rsa2048 => "RSA 2048",
        KeyKind::Rsa3072 => "RSA 3072",
        KeyKind::Rsa4096 => "RSA 4096",
        KeyKind::P256 => "P-256",
        KeyKind::P384 => "P-384",
    }
}

const fn origin_words(origin: KeyOrigin) -> &'static str {
    match origin {
        KeyOrigin::Issued => key("certificates-issued"),
        KeyOrigin::Uploaded => key("certificates-uploaded"),
    }
}

/// The shape beside what is left of a certificate: one that is followed by another needs nobody's eye.
const fn shape(certificate: &CurrentCertificate) -> &'static str {
    match (certificate.days_left, certificate.ordered) {
        (..0, _) => shapes::BAD,
        (0..30, false) => shapes::WARN,
        (0..30, true) => shapes::BUSY,
        _ => shapes::GOOD,
    }
}

#[derive(Template)]
#[template(path = "certificates/list.html")]
struct List {
    view: View,
    filter: CertificateFilter,
    counts: CertificateCounts,
    certificates: Page<CurrentCertificate>,
    query: String,
    first: Option<String>,
    next: Option<String>,
}

/// What the list can be narrowed to: days, its text, how many.
type Ends = (u32, &'static str, u64);

impl List {
    fn ends(&self) -> [Ends; 4] {
        let counts = &self.counts;
        [
            (0, key("certificates-over"), counts.over),
            (30, key("certificates-within-30"), counts.within_30),
            (60, key("certificates-within-60"), counts.within_60),
            (90, key("certificates-within-90"), counts.within_90),
        ]
    }

    fn is_narrowed(&self) -> bool {
        !self.query.is_empty()
    }

    /// Whether the choice can be taken along to order new certificates.
    fn may_reissue(&self) -> bool {
        self.is_narrowed() && self.filter.search.is_none()
    }

    fn left(&self, certificate: &CurrentCertificate) -> String {
        left(&self.view, certificate.days_left)
    }

    fn mailbox(&self, certificate: &CurrentCertificate) -> String {
        let address = segment(&certificate.mailbox.to_string());
        self.view.here(&format!("smime/mailboxes/{address}"))
    }
}

fn left(view: &View, days: i64) -> String {
    match days {
        ..0 => view.t1("certificates-days-over", "count", days.saturating_neg()),
        _ => view.t1("certificates-days-left", "count", days),
    }
}

async fn list(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Query(filter): Query<CertificateFilter>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let (office, permitted) = (&portal.office, &visit.permitted);
    let certificates = office.certificates(permitted, &filter, &paging).await?;
    let counts = office.certificate_counts(permitted).await?;
    let (first, next) = next_page(&visit.view, &filter, &paging, &certificates);
    page(&List {
        query: serde_html_form::to_string(&filter).unwrap_or_default(),
        view: visit.view,
        filter,
        counts,
        certificates,
        first,
        next,
    })
}

/// The same list as a table for spreadsheets (row W6).
async fn export(
    State(portal): State<Portal>,
    fetch: Fetch<Read>,
    Query(filter): Query<CertificateFilter>,
) -> Result<Response, Problem> {
    let (permitted, view) = (fetch.permitted, fetch.view);
    let heads = [
        view.t("certificates-id"),
        view.t("certificates-mailbox"),
        view.t("certificates-issuer"),
        view.t("certificates-from"),
        view.t("certificates-until"),
        view.t("certificates-days"),
        view.t("certificates-origin"),
        view.t("certificates-key"),
    ];
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let sheet = Sheet {
        name: "certificates.csv",
        columns: &heads,
    };
    let (own, who) = (portal.clone(), permitted.clone());
    export::answer(&portal, &permitted, sheet, move |paging| {
        let (own, who) = (own.clone(), who.clone());
        let (view, filter) = (view.clone(), filter.clone());
        async move {
            let page = own.office.certificates(&who, &filter, &paging).await?;
            Ok(Lines::of(page, |one| cells(&view, &one).to_vec()))
        }
    })
    .await
}

fn cells(view: &View, one: &CurrentCertificate) -> [String; 8] {
    let day = |at: Timestamp| at.rfc3339();
    [
        one.id.to_string(),
        one.mailbox.to_string(),
        one.issuer.clone(),
        day(one.from.0),
        day(one.until.0),
        one.days_left.to_string(),
        view.t(origin_words(one.origin)),
        key_words(one.key).to_owned(),
    ]
}
