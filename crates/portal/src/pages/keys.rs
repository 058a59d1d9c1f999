//! mail.security > S/MIME > Public Keys: the list of correspondents' keys, what is done with them, and one with all that is
//! known of it (S83 to S88).

mod import;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use sealgate_core::harvest::Choice;
use sealgate_core::tenant::Origin;
use serde::Deserialize;

use super::Nothing;
use crate::Portal;
use crate::auth::{Permitted, Posted, Read, Write};
use crate::export::{self, Lines, Sheet};
use crate::lang::key;
use crate::office::keys::{
    ChooseKeys, KeyCounts, KeyDetail, KeyFilter, KeyState, KeysDone, PublicKey,
};
use crate::office::{Page, Paging};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::shapes;
use crate::view::{Notice, View, Visit, done, next_page, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Read, _, _>("/o/{organisation}/smime/keys", list),
        get::<Read, _, _>("/o/{organisation}/smime/keys.csv", export),
        post::<Write, _, _>("/o/{organisation}/smime/keys/choose", choose),
        get::<Write, _, _>("/o/{organisation}/smime/keys/import", import::ask),
        post::<Write, _, _>("/o/{organisation}/smime/keys/import", import::look),
        post::<Write, _, _>(
            "/o/{organisation}/smime/keys/import/confirm",
            import::confirm,
        ),
        get::<Read, _, _>("/o/{organisation}/smime/keys/{id}", detail),
        post::<Write, _, _>("/o/{organisation}/smime/keys/{id}/remove", remove),
    ]
}

/// The word for a key's state, as a key of the catalogues.
pub const fn state_word(state: KeyState) -> &'static str {
    match state {
        KeyState::Preferred => key("key-preferred"),
        KeyState::Additional => key("key-additional"),
        KeyState::New => key("key-new"),
        KeyState::Pending => key("key-pending"),
        KeyState::Blocked => key("key-blocked"),
        KeyState::Expired => key("key-expired"),
    }
}

/// The shape beside it.
pub const fn state_shape(state: KeyState) -> &'static str {
    match state {
        KeyState::Preferred => shapes::GOOD,
        KeyState::Additional => shapes::OFF,
        KeyState::New => shapes::INFO,
        KeyState::Pending => shapes::BUSY,
        KeyState::Blocked => shapes::BAD,
        KeyState::Expired => shapes::LEAVING,
    }
}

/// What a key's state means, as a key of the catalogues.
pub(crate) const fn state_meaning(state: KeyState) -> &'static str {
    match state {
        KeyState::Preferred => key("key-preferred-means"),
        KeyState::Additional => key("key-additional-means"),
        KeyState::New => key("key-new-means"),
        KeyState::Pending => key("key-pending-means"),
        KeyState::Blocked => key("key-blocked-means"),
        KeyState::Expired => key("key-expired-means"),
    }
}

/// Where keys come from.
const ORIGINS: [Origin; 4] = [
    Origin::Harvested,
    Origin::Manual,
    Origin::Ldap,
    Origin::Smimea,
];

pub(crate) const fn origin_word(origin: Origin) -> &'static str {
    match origin {
        Origin::Manual => key("key-origin-manual"),
        Origin::Harvested => key("key-origin-harvested"),
        Origin::Ldap => key("key-origin-ldap"),
        Origin::Smimea => key("key-origin-smimea"),
    }
}

/// The word of an origin in filters.
pub(crate) const fn origin_value(origin: Origin) -> &'static str {
    match origin {
        Origin::Manual => "manual",
        Origin::Harvested => "harvested",
        Origin::Ldap => "ldap",
        Origin::Smimea => "smimea",
    }
}

/// What may be done with a key as it stands; the text of its button, and the word that is sent.
pub(crate) fn choices(state: KeyState, pinned: bool) -> Vec<(&'static str, &'static str)> {
    let approve = (key("key-approve"), "approve");
    let prefer = (key("key-prefer"), "prefer");
    let pin = (key("key-pin"), "pin");
    let block = (key("key-block"), "block");
    match state {
        KeyState::Blocked => vec![(key("key-unblock"), "unblock")],
        _ if pinned => vec![(key("key-unpin"), "unpin")],
        KeyState::New => vec![approve, pin, block],
        KeyState::Preferred => vec![pin, block],
        KeyState::Additional => vec![prefer, pin, block],
        KeyState::Pending | KeyState::Expired => vec![block],
    }
}

#[derive(Template)]
#[template(path = "keys/list.html")]
struct List {
    view: View,
    filter: KeyFilter,
    counts: KeyCounts,
    keys: Page<PublicKey>,
    first: Option<String>,
    next: Option<String>,
}

impl List {
    fn states(&self) -> [KeyState; 6] {
        KeyState::ALL
    }

    fn origins(&self) -> [Origin; 4] {
        ORIGINS
    }

    /// Whether the list is one to go through: new keys, each to be approved or blocked.
    fn is_review(&self) -> bool {
        self.view.may.write && self.filter.state == Some(KeyState::New)
    }

    /// The same list as a file.
    fn file(&self) -> String {
        let query = serde_html_form::to_string(&self.filter).unwrap_or_default();
        self.view.here(&format!("smime/keys.csv?{query}"))
    }
}

async fn list(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Query(filter): Query<KeyFilter>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let keys = portal
        .office
        .keys(&visit.permitted, &filter, &paging)
        .await?;
    let (first, next) = next_page(&visit.view, &filter, &paging, &keys);
    page(&List {
        counts: portal.office.key_counts(&visit.permitted).await?,
        view: visit.view,
        filter,
        keys,
        first,
        next,
    })
}

/// The list as a file, as far as a spreadsheet is of use (row W6).
async fn export(
    State(portal): State<Portal>,
    permitted: Permitted<Read>,
    Query(filter): Query<KeyFilter>,
) -> Result<Response, Problem> {
    let sheet = Sheet {
        name: "public-keys.csv",
        columns: &[
            "address",
            "state",
            "pinned",
            "origin",
            "source",
            "valid-from",
            "valid-until",
            "issuer",
            "subject",
        ],
    };
    let (own, who) = (portal.clone(), permitted.clone());
    export::answer(&portal, &permitted, sheet, move |paging| {
        let (own, who, filter) = (own.clone(), who.clone(), filter.clone());
        async move {
            let page = own.office.keys(&who, &filter, &paging).await?;
            Ok(Lines::of(page, cells))
        }
    })
    .await
}

fn cells(key: PublicKey) -> Vec<String> {
    vec![
        key.address,
        key.state.as_str().to_owned(),
        if key.pinned { "yes" } else { "no" }.to_owned(),
        origin_value(key.origin).to_owned(),
        key.source.unwrap_or_default(),
        key.from.0.rfc3339(),
        key.until.0.rfc3339(),
        key.issuer,
        key.subject,
    ]
}

#[derive(Template)]
#[template(path = "keys/detail.html")]
struct Detail {
    view: View,
    detail: KeyDetail,
}

async fn detail(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Path((_, id)): Path<(String, i64)>,
) -> Result<Response, Problem> {
    let detail = portal.office.key(&visit.permitted, id).await?;
    page(&Detail {
        view: visit.view,
        detail,
    })
}

/// Which keys, and what is done with them.
#[derive(Deserialize)]
struct Chosen {
    #[serde(default)]
    key: Vec<i64>,
    choice: Choice,
    /// Whether it was sent from the page of one key.
    #[serde(default)]
    one: bool,
}

async fn choose(
    State(portal): State<Portal>,
    Posted(permitted, chosen): Posted<Write, Chosen>,
) -> Result<Response, Problem> {
    let table = table(permitted.organisation_name());
    let back = match (chosen.one, chosen.key.as_slice()) {
        (true, [only]) => format!("{table}/{only}"),
        _ if chosen.choice == Choice::Approve => format!("{table}?state=new"),
        _ => table,
    };
    let order = ChooseKeys {
        keys: chosen.key,
        choice: chosen.choice,
    };
    let result = portal.office.choose_keys(&permitted, &order).await?;
    let notice = told(chosen.choice, &result);
    done(&portal, &permitted, notice, &back).await
}

fn told(choice: Choice, result: &KeysDone) -> Notice {
    let notice = match choice {
        Choice::Approve => Notice::new("keys-approved"),
        Choice::Prefer => Notice::new("keys-preferred"),
        Choice::Pin => Notice::new("keys-pinned-done"),
        Choice::Unpin => Notice::new("keys-unpinned"),
        Choice::Block => Notice::new("keys-blocked"),
        Choice::Unblock => Notice::new("keys-unblocked"),
    };
    notice.number("count", result.done).refused(&result.refused)
}

async fn remove(
    State(portal): State<Portal>,
    Path((_, id)): Path<(String, i64)>,
    Posted(permitted, Nothing {}): Posted<Write, Nothing>,
) -> Result<Response, Problem> {
    portal.office.remove_key(&permitted, id).await?;
    let back = table(permitted.organisation_name());
    done(&portal, &permitted, Notice::new("key-removed"), &back).await
}

fn table(organisation: &str) -> String {
    format!("/o/{organisation}/smime/keys")
}

fn told_imported(result: &KeysDone) -> Notice {
    Notice::new("keys-imported")
        .number("count", result.done)
        .refused(&result.refused)
}
