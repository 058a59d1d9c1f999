//! mail.security > S/MIME > S/MIME: the table of mailboxes, activation and deactivation (S25 to S42).

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use sealgate_core::tenant::MailboxState;
use sealgate_mail::Address;
use serde::Deserialize;

use crate::Portal;
use crate::auth::{Posted, Read, Write};
use crate::office::mailboxes::{Chosen, Counts, Mailbox, MailboxFilter};
use crate::office::{Page, Paging};
use crate::problem::Problem;
use crate::routes::{PageRoute, get, post};
use crate::terms::mailbox_state;
use crate::view::{Notice, View, Visit, done, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Read, _, _>("/o/{organisation}/smime/mailboxes", list),
        post::<Write, _, _>("/o/{organisation}/smime/mailboxes/activate", activate),
        post::<Write, _, _>("/o/{organisation}/smime/mailboxes/deactivate", deactivate),
    ]
}

#[derive(Template)]
#[template(path = "mailboxes/list.html")]
struct List {
    view: View,
    filter: MailboxFilter,
    counts: Counts,
    mailboxes: Page<Mailbox>,
}

impl List {
    fn state(&self, state: MailboxState) -> &'static str {
        mailbox_state(state, self.view.language)
    }
}

async fn list(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Query(filter): Query<MailboxFilter>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let counts = portal.office.mailbox_counts(&visit.permitted).await?;
    let mailboxes = portal
        .office
        .mailboxes(&visit.permitted, &filter, &paging)
        .await?;
    page(&List {
        view: visit.view,
        filter,
        counts,
        mailboxes,
    })
}

/// What the table's form sends: the ticked mailboxes, or all.
#[derive(Deserialize)]
struct Ticked {
    #[serde(default)]
    mailbox: Vec<Address>,
    #[serde(default)]
    all: bool,
}

impl Ticked {
    fn chosen(self) -> Result<Chosen, Problem> {
        match (self.all, self.mailbox.is_empty()) {
            (true, _) => Ok(Chosen::All),
            (false, false) => Ok(Chosen::Mailboxes(self.mailbox)),
            (false, true) => Err(Problem::new("nothing-chosen")),
        }
    }
}

async fn activate(
    State(portal): State<Portal>,
    Posted(permitted, ticked): Posted<Write, Ticked>,
) -> Result<Response, Problem> {
    let applied = portal.office.activate(&permitted, ticked.chosen()?).await?;
    let notice = Notice::new("mailboxes-activated").refused(&applied.refused);
    done(
        &portal,
        &permitted,
        notice,
        &table(permitted.organisation_name()),
    )
    .await
}

async fn deactivate(
    State(portal): State<Portal>,
    Posted(permitted, ticked): Posted<Write, Ticked>,
) -> Result<Response, Problem> {
    let applied = portal
        .office
        .deactivate(&permitted, ticked.chosen()?)
        .await?;
    let notice = Notice::new("mailboxes-deactivated").refused(&applied.refused);
    done(
        &portal,
        &permitted,
        notice,
        &table(permitted.organisation_name()),
    )
    .await
}

fn table(organisation: &str) -> String {
    format!("/o/{organisation}/smime/mailboxes")
}
