//! Domains: what must hold before certificates are requested (S18, S19), the records to set, and DKIM keys.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use sealgate_core::dkim::{DkimKeyKind, DkimKeyState};
use sealgate_core::prerequisite::{Prerequisite, State as Stands};
use sealgate_mail::Domain;
use serde::Deserialize;

use crate::Portal;
use crate::auth::{Posted, Read, Write};
use crate::lang::key;
use crate::office::domains::{
    ActivateDkimKey, DkimKey, DomainDetail, DomainFinding, DomainState, Found, NewDkimKey,
    RecordState,
};
use crate::office::{Page, Paging};
use crate::pages::{Nothing, segment};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::shapes;
use crate::view::{Notice, View, Visit, done, next_page, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Read, _, _>("/o/{organisation}/domains", list),
        get::<Read, _, _>("/o/{organisation}/domains/{domain}", show),
        post::<Write, _, _>("/o/{organisation}/domains/{domain}/dkim", create),
        post::<Write, _, _>(
            "/o/{organisation}/domains/{domain}/dkim/{selector}/activate",
            activate,
        ),
        post::<Write, _, _>(
            "/o/{organisation}/domains/{domain}/dkim/{selector}/remove",
            remove,
        ),
    ]
}

const fn prerequisite_words(prerequisite: Prerequisite) -> &'static str {
    match prerequisite {
        Prerequisite::InboundRoute => key("domains-route"),
        Prerequisite::Mx => key("domains-mx"),
        Prerequisite::Licence => key("domains-licence"),
        Prerequisite::Caa => key("domains-caa"),
        Prerequisite::Dkim => key("domains-dkim"),
    }
}

const fn state_words(state: Stands) -> &'static str {
    match state {
        Stands::Met => key("domains-met"),
        Stands::NotMet => key("domains-not-met"),
        Stands::Unknown => key("domains-unknown"),
        Stands::Hint => key("domains-hint"),
    }
}

const fn state_shape(state: Stands) -> &'static str {
    match state {
        Stands::Met => shapes::GOOD,
        Stands::NotMet => shapes::BAD,
        Stands::Unknown => shapes::OFF,
        Stands::Hint => shapes::INFO,
    }
}

/// What was found, in a sentence.
const fn found_words(found: Found) -> &'static str {
    match found {
        Found::InRoute => key("domains-in-route"),
        Found::NoRoute => key("domains-no-route"),
        Found::MxHere => key("domains-mx-here"),
        Found::MxAlsoElsewhere => key("domains-mx-also-elsewhere"),
        Found::MxElsewhere => key("domains-mx-elsewhere"),
        Found::MxOtherName => key("domains-mx-other-name"),
        Found::MxNone => key("domains-mx-none"),
        Found::MxNull => key("domains-mx-null"),
        Found::MxNoDomain => key("domains-mx-no-domain"),
        Found::LicencesUncounted => key("domains-licences-uncounted"),
        Found::LicencesFree => key("domains-licences-free"),
        Found::LicencesFull => key("domains-licences-full"),
        Found::LicencesOver => key("domains-licences-over"),
        Found::CaaAnyone => key("domains-caa-anyone"),
        Found::CaaNobody => key("domains-caa-nobody"),
        Found::CaaOnly => key("domains-caa-only"),
        Found::CaaCritical => key("domains-caa-critical"),
        Found::DkimNone => key("domains-dkim-none"),
        Found::DkimWaits => key("domains-dkim-waits"),
        Found::DkimGood => key("domains-dkim-good"),
        Found::DkimMissing => key("domains-dkim-missing"),
        Found::DkimWrong => key("domains-dkim-wrong"),
        Found::DnsOff => key("domains-dns-off"),
        Found::DnsSilent => key("domains-dns-silent"),
    }
}

/// What to do about it, if anything.
const fn to_do(found: Found) -> Option<&'static str> {
    match found {
        Found::NoRoute => Some(key("domains-do-route")),
        Found::MxElsewhere | Found::MxNone | Found::MxNull => Some(key("domains-do-mx")),
        Found::MxOtherName => Some(key("domains-do-mx-name")),
        Found::MxAlsoElsewhere => Some(key("domains-do-mx-pass-on")),
        Found::MxNoDomain => Some(key("domains-do-domain")),
        Found::LicencesFull => Some(key("domains-do-licences")),
        Found::LicencesOver => Some(key("domains-do-term")),
        Found::CaaNobody | Found::CaaOnly => Some(key("domains-do-caa")),
        Found::CaaCritical => Some(key("domains-do-caa-critical")),
        Found::DkimNone => Some(key("domains-do-dkim")),
        Found::DkimWaits | Found::DkimMissing | Found::DkimWrong => {
            Some(key("domains-do-dkim-record"))
        }
        _ => None,
    }
}

fn sentence(view: &View, finding: &DomainFinding) -> String {
    let told = finding.values.as_ref();
    let told = told.map(|values| values.in_language(view.language));
    let value = told.or(finding.value.as_deref()).unwrap_or_default();
    view.t1(found_words(finding.found), "value", value)
}

/// The worst of all, for one glance.
fn worst(state: &DomainState) -> Stands {
    let rank = |state: Stands| match state {
        Stands::NotMet => 0,
        Stands::Unknown => 1,
        Stands::Hint => 2,
        Stands::Met => 3,
    };
    let all = state.findings.iter().map(|finding| finding.state);
    all.min_by_key(|state| rank(*state))
        .unwrap_or(Stands::Unknown)
}

const fn key_state_words(state: DkimKeyState) -> &'static str {
    match state {
        DkimKeyState::New => key("dkim-new"),
        DkimKeyState::Active => key("dkim-active"),
        DkimKeyState::Retired => key("dkim-retired"),
    }
}

const fn key_state_shape(state: DkimKeyState) -> &'static str {
    match state {
        DkimKeyState::New => shapes::BUSY,
        DkimKeyState::Active => shapes::GOOD,
        DkimKeyState::Retired => shapes::LEAVING,
    }
}

const fn record_words(state: &RecordState) -> &'static str {
    match state {
        RecordState::Seen => key("dkim-record-seen"),
        RecordState::Missing => key("dkim-record-missing"),
        RecordState::Wrong => key("dkim-record-wrong"),
        RecordState::Unknown => key("dkim-record-unknown"),
    }
}

const fn record_shape(state: &RecordState) -> &'static str {
    match state {
        RecordState::Seen => shapes::GOOD,
        RecordState::Missing => shapes::WARN,
        RecordState::Wrong => shapes::BAD,
        RecordState::Unknown => shapes::OFF,
    }
}

#[derive(Template)]
#[template(path = "domains/list.html")]
struct List {
    view: View,
    domains: Page<DomainState>,
    first: Option<String>,
    next: Option<String>,
}

impl List {
    /// Those that hold something up, or that an administrator should know.
    fn open<'a>(&self, state: &'a DomainState) -> Vec<&'a DomainFinding> {
        let findings = state.findings.iter();
        findings.filter(|one| one.state != Stands::Met).collect()
    }
}

async fn list(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let domains = portal.office.domain_states(&visit.permitted, &paging);
    let domains = domains.await?;
    let (first, next) = next_page(&visit.view, &(), &paging, &domains);
    page(&List {
        view: visit.view,
        domains,
        first,
        next,
    })
}

#[derive(Template)]
#[template(path = "domains/show.html")]
struct Show {
    view: View,
    own: DomainDetail,
    at: String,
}

impl Show {
    /// A key that signs for nobody yet.
    fn waits(&self, key: &DkimKey) -> bool {
        key.state == DkimKeyState::New
    }

    fn kinds(&self) -> [&'static str; 2] {
        [DkimKeyKind::Rsa2048.as_str(), DkimKeyKind::Ed25519.as_str()]
    }

    fn wants_dkim(&self, finding: &DomainFinding) -> bool {
        finding.prerequisite == Prerequisite::Dkim && finding.state == Stands::NotMet
    }
}

fn place(organisation: &str, domain: &Domain) -> String {
    format!("/o/{organisation}/domains/{}", segment(domain.as_str()))
}

async fn show(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Path((organisation, domain)): Path<(String, Domain)>,
) -> Result<Response, Problem> {
    page(&Show {
        own: portal
            .office
            .domain_detail(&visit.permitted, &domain)
            .await?,
        view: visit.view,
        at: place(&organisation, &domain),
    })
}

/// The form as it is sent.
#[derive(Deserialize)]
struct New {
    #[serde(default)]
    selector: String,
    kind: DkimKeyKind,
}

async fn create(
    State(portal): State<Portal>,
    Path((organisation, domain)): Path<(String, Domain)>,
    Posted(permitted, form): Posted<Write, New>,
) -> Result<Response, Problem> {
    let new = NewDkimKey {
        selector: Some(form.selector),
        kind: Some(form.kind),
    };
    let office = &portal.office;
    let made = office.create_dkim_key(&permitted, &domain, new).await?;
    let notice = Notice::new("dkim-made").text("record", made.record_name);
    done(&portal, &permitted, notice, &place(&organisation, &domain)).await
}

#[derive(Deserialize)]
struct Activate {
    #[serde(default)]
    unseen: bool,
}

async fn activate(
    State(portal): State<Portal>,
    Path((organisation, domain, selector)): Path<(String, Domain, String)>,
    Posted(permitted, form): Posted<Write, Activate>,
) -> Result<Response, Problem> {
    let how = ActivateDkimKey {
        unseen: form.unseen,
    };
    let which = (&domain, selector.as_str());
    let office = &portal.office;
    office.activate_dkim_key(&permitted, which, how).await?;
    let notice = Notice::new("dkim-signs").text("selector", &selector);
    done(&portal, &permitted, notice, &place(&organisation, &domain)).await
}

async fn remove(
    State(portal): State<Portal>,
    Path((organisation, domain, selector)): Path<(String, Domain, String)>,
    Posted(permitted, Nothing {}): Posted<Write, Nothing>,
) -> Result<Response, Problem> {
    let office = &portal.office;
    office
        .remove_dkim_key(&permitted, &domain, &selector)
        .await?;
    let notice = Notice::new("dkim-removed").text("selector", &selector);
    done(&portal, &permitted, notice, &place(&organisation, &domain)).await
}
