//! mail.security > S/MIME > S/MIME: the table of mailboxes, activation and deactivation (S25 to S42).

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::request::Parts;
use axum::response::Response;
use sealgate_core::order::Purpose;
use sealgate_core::tenant::MailboxState;
use sealgate_mail::Address;
use serde::{Deserialize, Serialize};

use super::{Nothing, segment};
use crate::Portal;
use crate::auth::{Posted, Read, Write};
use crate::lang::key;
use crate::office::mailboxes::{
    ActivateMailboxes, BulkDone, BulkKind, BulkWork, Chosen, Mailbox, MailboxCounts, MailboxFilter,
    OpenOrder, OrderOptions, OrderWith,
};
use crate::office::{Applied, Page, Paging};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::shapes;
use crate::terms::mailbox_state;
use crate::view::{Notice, View, Visit, done, next_page, page};

mod detail;

pub(crate) use detail::addresses;

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    let of_table = vec![
        get::<Read, _, _>("/o/{organisation}/smime/mailboxes", list),
        post::<Write, _, _>("/o/{organisation}/smime/mailboxes/activate", activate),
        post::<Write, _, _>("/o/{organisation}/smime/mailboxes/deactivate", deactivate),
        post::<Write, _, _>("/o/{organisation}/smime/mailboxes/withdraw", withdraw),
        post::<Write, _, _>(
            "/o/{organisation}/smime/mailboxes/bulk-work/{id}/stop",
            stop,
        ),
        post::<Write, _, _>(
            "/o/{organisation}/smime/mailboxes/confirm-revoked",
            confirm_revoked,
        ),
    ];
    of_table.into_iter().chain(detail::routes()).collect()
}

/// The words and shape of a mailbox's state, and why it waits.
pub(crate) struct StateLine;

impl StateLine {
    pub(crate) fn word(view: &View, mailbox: &Mailbox) -> &'static str {
        mailbox_state(mailbox.state, view.language)
    }

    pub(crate) fn shape(mailbox: &Mailbox) -> &'static str {
        shapes::mailbox_state(mailbox.state)
    }

    /// What it waits for, in one line; nothing where it waits for nothing.
    pub(crate) fn waits(view: &View, mailbox: &Mailbox) -> Option<String> {
        match (mailbox.state, &mailbox.order) {
            (MailboxState::ActivationPending | MailboxState::Active, Some(order)) => {
                Some(ordered(view, order))
            }
            (MailboxState::RevokePending, _) if mailbox.by_hand => {
                Some(view.t("mailboxes-waits-by-hand"))
            }
            (MailboxState::RevokePending, _) => {
                let by = mailbox.inactive_by.map(|at| view.date(&at.0));
                Some(view.t1("mailboxes-waits-revocation", "by", by.unwrap_or_default()))
            }
            (MailboxState::Inactive, _) if mailbox.error.is_some() => {
                Some(view.t("mailboxes-order-failed"))
            }
            _ => None,
        }
    }

    /// What went wrong the last time.
    pub(crate) fn error<'m>(view: &View, mailbox: &'m Mailbox) -> Option<&'m str> {
        let of_order = mailbox.order.as_ref();
        let of_order = of_order.and_then(|order| order.errors.as_ref());
        let told = of_order.or(mailbox.errors.as_ref());
        told.map(|told| told.in_language(view.language))
    }
}

fn ordered(view: &View, order: &OpenOrder) -> String {
    let key = match order.purpose {
        Purpose::Activation => key("mailboxes-waits-order"),
        Purpose::Renewal | Purpose::Replacement => key("mailboxes-waits-next"),
    };
    let since = view.relative(&order.created.0);
    view.t2(
        key,
        ("authority", order.authority.as_str()),
        ("since", since),
    )
}

#[derive(Template)]
#[template(path = "mailboxes/list.html")]
struct List {
    view: View,
    filter: MailboxFilter,
    counts: MailboxCounts,
    found: u64,
    mailboxes: Page<Mailbox>,
    options: Option<OrderOptions>,
    bulk_work: Vec<BulkWork>,
    batch: Option<i64>,
    first: Option<String>,
    next: Option<String>,
}

impl List {
    fn word(&self, mailbox: &Mailbox) -> &'static str {
        StateLine::word(&self.view, mailbox)
    }

    fn shape(&self, mailbox: &Mailbox) -> &'static str {
        StateLine::shape(mailbox)
    }

    fn waits(&self, mailbox: &Mailbox) -> Option<String> {
        StateLine::waits(&self.view, mailbox)
    }

    fn error<'m>(&self, mailbox: &'m Mailbox) -> Option<&'m str> {
        StateLine::error(&self.view, mailbox)
    }

    fn state_word(&self, state: &MailboxState) -> &'static str {
        mailbox_state(*state, self.view.language)
    }

    fn state_code(&self, state: &MailboxState) -> String {
        code(*state)
    }

    fn at(&self, mailbox: &Mailbox) -> String {
        let mailbox = segment(&mailbox.address.to_string());
        self.view.here(&format!("smime/mailboxes/{mailbox}"))
    }

    fn is_narrowed(&self) -> bool {
        let MailboxFilter {
            state,
            search,
            route,
            sort: _,
        } = &self.filter;
        state.is_some() || search.is_some() || route.is_some()
    }

    /// The word of the order that a click on the head of a column asks for.
    fn sorted_by(&self, word: &str) -> String {
        let now = self.filter.sort.as_deref().unwrap_or("domain");
        let sort = match now == word {
            true => format!("-{word}"),
            false => word.to_owned(),
        };
        let filter = MailboxFilter {
            sort: Some(sort),
            ..self.filter.clone()
        };
        let query = serde_html_form::to_string(&filter).unwrap_or_default();
        format!("{}?{query}", self.view.path)
    }

    /// `aria-sort` of a column.
    fn direction(&self, word: &str) -> &'static str {
        let now = self.filter.sort.as_deref().unwrap_or("domain");
        match now.strip_prefix('-') {
            Some(now) if now == word => "descending",
            None if now == word => "ascending",
            _ => "none",
        }
    }

    fn goes_on(&self) -> bool {
        self.bulk_work.iter().any(|work| work.ended.is_none())
    }

    fn told(&self, work: &BulkWork) -> String {
        let key = match (work.kind, work.ended.is_some()) {
            (BulkKind::Activation, false) => key("mailboxes-bulk-activates"),
            (BulkKind::Activation, true) => key("mailboxes-bulk-activated"),
            (BulkKind::Deactivation, false) => key("mailboxes-bulk-deactivates"),
            (BulkKind::Deactivation, true) => key("mailboxes-bulk-deactivated"),
            (BulkKind::Removal, false) => key("mailboxes-bulk-removes"),
            (BulkKind::Removal, true) => key("mailboxes-bulk-removed"),
            (BulkKind::Renewal, false) => key("mailboxes-bulk-renews"),
            (BulkKind::Renewal, true) => key("mailboxes-bulk-renewed"),
        };
        let number = |number: u64| self.view.number(number);
        self.view
            .t2(key, ("done", number(work.done)), ("all", number(work.all)))
    }
}

/// The word of a state in addresses.
fn code(state: MailboxState) -> String {
    match serde_json::to_value(state) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// What the address tells beside the filter: the batch that was just ordered.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Ordered {
    batch: Option<i64>,
}

async fn list(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Query(filter): Query<MailboxFilter>,
    Query(paging): Query<Paging>,
    Query(ordered): Query<Ordered>,
) -> Result<Response, Problem> {
    let (office, permitted, view) = (&portal.office, &visit.permitted, visit.view);
    let mailboxes = office.mailboxes(permitted, &filter, &paging).await?;
    let (first, next) = next_page(&view, &filter, &paging, &mailboxes);
    let options = match view.may.write {
        true => Some(office.order_options(permitted).await?),
        false => None,
    };
    page(&List {
        counts: office.mailbox_counts(permitted).await?,
        found: office.mailboxes_found(permitted, &filter).await?,
        bulk_work: office.bulk_work_news(permitted).await?,
        batch: ordered.batch,
        view,
        filter,
        mailboxes,
        options,
        first,
        next,
    })
}

/// What the table's form sends: the ticked mailboxes, or one whose own button was used, or all of the filter.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Ticked {
    mailbox: Vec<Address>,
    only: Option<Address>,
    all: bool,
    confirmed: bool,
    #[serde(deserialize_with = "crate::office::empty_is_none")]
    state: Option<MailboxState>,
    #[serde(deserialize_with = "crate::office::empty_is_none")]
    search: Option<String>,
    #[serde(deserialize_with = "crate::office::empty_is_none")]
    route: Option<String>,
    #[serde(deserialize_with = "crate::office::empty_is_none")]
    sort: Option<String>,
    #[serde(deserialize_with = "crate::office::empty_is_none")]
    after: Option<String>,
    #[serde(deserialize_with = "crate::office::empty_is_none")]
    authority: Option<String>,
    #[serde(deserialize_with = "crate::office::empty_is_none")]
    key: Option<String>,
    #[serde(deserialize_with = "crate::office::empty_is_none")]
    token: Option<String>,
}

impl Ticked {
    fn filter(&self) -> MailboxFilter {
        MailboxFilter {
            state: self.state,
            search: self.search.clone(),
            route: self.route.clone(),
            sort: self.sort.clone(),
        }
    }

    fn chosen(&self) -> Result<Chosen, Problem> {
        match (&self.only, self.all, self.mailbox.as_slice()) {
            (Some(only), _, _) => Ok(Chosen::Mailboxes(vec![only.clone()])),
            (None, true, _) => Ok(Chosen::Filter(self.filter())),
            (None, false, []) => Err(Problem::new("nothing-chosen")),
            (None, false, some) => Ok(Chosen::Mailboxes(some.to_vec())),
        }
    }

    /// The mailboxes that are meant one by one.
    fn named(&self) -> Result<Vec<Address>, Problem> {
        match (&self.only, self.mailbox.as_slice()) {
            (Some(only), _) => Ok(vec![only.clone()]),
            (None, []) => Err(Problem::new("nothing-chosen")),
            (None, some) => Ok(some.to_vec()),
        }
    }

    /// The page of the table that the form was on, told of a batch.
    fn back(&self, organisation: &str, batch: Option<i64>) -> String {
        #[derive(Serialize)]
        struct Back {
            #[serde(skip_serializing_if = "Option::is_none")]
            after: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            batch: Option<i64>,
        }
        let after = self.after.clone();
        let filter = serde_html_form::to_string(self.filter()).unwrap_or_default();
        let rest = serde_html_form::to_string(Back { after, batch }).unwrap_or_default();
        let parts: Vec<String> = [filter, rest]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        let table = format!("/o/{organisation}/smime/mailboxes");
        match parts.is_empty() {
            true => table,
            false => format!("{table}?{}", parts.join("&")),
        }
    }
}

async fn activate(
    State(portal): State<Portal>,
    Posted(permitted, ticked): Posted<Write, Ticked>,
) -> Result<Response, Problem> {
    let order = ActivateMailboxes {
        chosen: ticked.chosen()?,
        with: OrderWith {
            authority: ticked.authority.clone(),
            key: ticked.key.clone(),
            token: ticked.token.clone(),
        },
    };
    let bulk = portal.office.activate(&permitted, order).await?;
    let notice = told(&bulk, Notice::new("mailboxes-activated"));
    let back = ticked.back(permitted.organisation_name(), bulk.batch);
    done(&portal, &permitted, notice, &back).await
}

/// How many were done, and which were refused; or that it goes on.
fn told(done: &BulkDone, notice: Notice) -> Notice {
    match &done.goes_on {
        Some(work) => {
            let all = usize::try_from(work.all).unwrap_or(usize::MAX);
            Notice::new("mailboxes-bulk-goes-on").number("count", all)
        }
        None => {
            let count = usize::try_from(done.done).unwrap_or(usize::MAX);
            notice.number("count", count).refused(&done.applied.refused)
        }
    }
}

#[derive(Template)]
#[template(path = "mailboxes/deactivate.html")]
struct Deactivate {
    view: View,
    ticked: Ticked,
    count: u64,
    back: String,
}

impl Deactivate {
    /// How many of those that were ticked are not active, and stay as they are.
    fn rest(&self) -> u64 {
        let ticked = u64::try_from(self.ticked.mailbox.len()).unwrap_or(u64::MAX);
        ticked.saturating_sub(self.count)
    }

    fn state_code(&self, state: &MailboxState) -> String {
        code(*state)
    }
}

async fn deactivate(
    State(portal): State<Portal>,
    parts: Parts,
    Posted(permitted, ticked): Posted<Write, Ticked>,
) -> Result<Response, Problem> {
    let (office, chosen) = (&portal.office, ticked.chosen()?);
    let organisation = permitted.organisation_name();
    if !ticked.confirmed {
        let count = office.to_deactivate(&permitted, &chosen).await?;
        if count == 0 {
            return Err(Problem::new("none-active"));
        }
        return page(&Deactivate {
            view: View::of(&portal, &permitted, &parts).await?,
            back: ticked.back(organisation, None),
            ticked,
            count,
        });
    }
    let bulk = office.deactivate(&permitted, chosen).await?;
    let notice = told(&bulk, Notice::new("mailboxes-deactivated"));
    let back = ticked.back(organisation, None);
    done(&portal, &permitted, notice, &back).await
}

async fn withdraw(
    State(portal): State<Portal>,
    Posted(permitted, ticked): Posted<Write, Ticked>,
) -> Result<Response, Problem> {
    let named = ticked.named()?;
    let count = named.len();
    let applied = portal.office.withdraw_orders(&permitted, named).await?;
    let notice = one_by_one(Notice::new("mailboxes-withdrawn"), count, &applied);
    let back = ticked.back(permitted.organisation_name(), None);
    done(&portal, &permitted, notice, &back).await
}

async fn stop(
    State(portal): State<Portal>,
    Path((organisation, id)): Path<(String, i64)>,
    Posted(permitted, Nothing {}): Posted<Write, Nothing>,
) -> Result<Response, Problem> {
    portal.office.stop_bulk_work(&permitted, id).await?;
    let back = format!("/o/{organisation}/smime/mailboxes");
    done(
        &portal,
        &permitted,
        Notice::new("mailboxes-bulk-ended"),
        &back,
    )
    .await
}

async fn confirm_revoked(
    State(portal): State<Portal>,
    Posted(permitted, ticked): Posted<Write, Ticked>,
) -> Result<Response, Problem> {
    let named = ticked.named()?;
    let count = named.len();
    let applied = portal.office.confirm_revoked(&permitted, named).await?;
    let notice = one_by_one(Notice::new("mailboxes-revoked"), count, &applied);
    let back = ticked.back(permitted.organisation_name(), None);
    done(&portal, &permitted, notice, &back).await
}

/// A notice about `count` mailboxes, less those that were refused.
pub(crate) fn one_by_one(notice: Notice, count: usize, applied: &Applied) -> Notice {
    notice
        .number("count", count.saturating_sub(applied.refused.len()))
        .refused(&applied.refused)
}
