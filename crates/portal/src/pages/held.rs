//! Mail that is held or waits: what it is, as text only (row W13), and what is done with it.

use std::io::{self, Read as _};
use std::sync::Arc;

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sealgate_mail::Content;
use serde::Deserialize;

use super::mails::{MailPath, Words};
use crate::Portal;
use crate::auth::{Operate, Permitted, Posted, Read, Write};
use crate::lang::key;
use crate::limits::{DOWNLOAD_AHEAD, DOWNLOAD_OCTETS};
use crate::office::held::{
    QueueFilter, QueueVerb, QueuedCopy, QueuedDetail, QueuedMail, QueuedRecipient,
};
use crate::office::mails::Delivery;
use crate::office::{Page, Paging};
use crate::problem::{Problem, Titles};
use crate::routes::{PageRoute, get, post};
use crate::streaming::{File, Outlet, Piece};
use crate::view::{Notice, View, Visit, done, next_page, page};

/// The routes.
pub fn routes() -> Vec<PageRoute> {
    vec![
        get::<Read, _, _>("/o/{organisation}/held", list),
        post::<Write, _, _>("/o/{organisation}/held/retry", retry),
        post::<Write, _, _>("/o/{organisation}/held/hold", hold),
        post::<Write, _, _>("/o/{organisation}/held/release", release),
        post::<Write, _, _>("/o/{organisation}/held/delete", delete),
        get::<Write, _, _>("/o/{organisation}/held/{mail}", show),
        get::<Write, _, _>("/o/{organisation}/held/{mail}/raw", raw),
        get::<Operate, _, _>("/system/queue", whole),
    ]
}

/// Why a mail is held, or what went wrong last.
pub(super) fn note(view: &View, note: Option<&str>, told: Option<&Titles>) -> Option<String> {
    let words = match note? {
        "sender-not-proven" => view.t("held-sender-not-proven"),
        "null-sender" => view.t("held-null-sender"),
        "repeated-key" => view.t("held-repeated-key"),
        "could-not-process" => view.t("held-could-not-process"),
        "administrator" => view.t("held-administrator"),
        said => told
            .map_or(said, |told| told.in_language(view.language))
            .to_owned(),
    };
    Some(words)
}

#[derive(Template)]
#[template(path = "held/list.html")]
struct List {
    words: Words,
    /// Whether it is what is held; else what waits.
    held: bool,
    /// Whether it is the queue of the whole installation.
    whole: bool,
    mails: Page<QueuedMail>,
    first: Option<String>,
    next: Option<String>,
    view: View,
}

impl List {
    fn note(&self, recipient: &QueuedRecipient) -> Option<String> {
        note(
            &self.view,
            recipient.note.as_deref(),
            recipient.notes.as_ref(),
        )
    }

    /// Where the rules' answer for the mail is told.
    fn mail(&self, mail: &QueuedMail) -> String {
        let organisation = mail.organisation.as_deref();
        let own = self.view.organisation.as_deref();
        let organisation = organisation.or(own).unwrap_or_default();
        format!("/o/{organisation}/mails/{}", mail.mail)
    }

    fn here(&self, held: bool) -> String {
        match held {
            true => self.view.path.clone() + "?held=true",
            false => self.view.path.clone() + "?held=false",
        }
    }
}

/// An organisation's page begins with what is held.
async fn list(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Query(filter): Query<QueueFilter>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let filter = QueueFilter {
        held: Some(filter.held.unwrap_or(true)),
    };
    let mails = portal.office.queue(&visit.permitted, &filter, &paging);
    let mails = mails.await?;
    listed(visit.view, filter, &paging, (mails, false))
}

async fn whole(
    State(portal): State<Portal>,
    visit: Visit<Operate>,
    Query(filter): Query<QueueFilter>,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let filter = QueueFilter {
        held: Some(filter.held.unwrap_or(false)),
    };
    let mails = portal
        .office
        .whole_queue(&visit.permitted, &filter, &paging);
    let mails = mails.await?;
    listed(visit.view, filter, &paging, (mails, true))
}

fn listed(
    view: View,
    filter: QueueFilter,
    paging: &Paging,
    (mails, whole): (Page<QueuedMail>, bool),
) -> Result<Response, Problem> {
    let (first, next) = next_page(&view, &filter, paging, &mails);
    page(&List {
        words: Words(view.language),
        held: filter.held == Some(true),
        whole,
        mails,
        first,
        next,
        view,
    })
}

/// What the table's form and the buttons of a mail send.
#[derive(Deserialize)]
struct Ticked {
    #[serde(default)]
    mail: Vec<String>,
    /// The only one: the button of its own line.
    only: Option<String>,
    /// Whether the list of what waits is shown afterwards.
    #[serde(default)]
    waiting: bool,
}

async fn retry(
    State(portal): State<Portal>,
    Posted(permitted, ticked): Posted<Write, Ticked>,
) -> Result<Response, Problem> {
    act(
        &portal,
        &permitted,
        (QueueVerb::Retry, key("held-retried")),
        ticked,
    )
    .await
}

async fn hold(
    State(portal): State<Portal>,
    Posted(permitted, ticked): Posted<Write, Ticked>,
) -> Result<Response, Problem> {
    act(
        &portal,
        &permitted,
        (QueueVerb::Hold, key("held-held")),
        ticked,
    )
    .await
}

async fn release(
    State(portal): State<Portal>,
    Posted(permitted, ticked): Posted<Write, Ticked>,
) -> Result<Response, Problem> {
    let verb = (QueueVerb::Release, key("held-released"));
    act(&portal, &permitted, verb, ticked).await
}

async fn delete(
    State(portal): State<Portal>,
    Posted(permitted, ticked): Posted<Write, Ticked>,
) -> Result<Response, Problem> {
    act(
        &portal,
        &permitted,
        (QueueVerb::Delete, key("held-deleted")),
        ticked,
    )
    .await
}

async fn act(
    portal: &Portal,
    permitted: &Permitted<Write>,
    (verb, told): (QueueVerb, &'static str),
    ticked: Ticked,
) -> Result<Response, Problem> {
    let mails = ticked.only.map_or(ticked.mail, |only| vec![only]);
    let acted = portal.office.act_on_mails(permitted, verb, mails).await?;
    let count = usize::try_from(acted.mails).unwrap_or(usize::MAX);
    let notice = Notice::new(told)
        .number("count", count)
        .refused(&acted.refused);
    let part = match ticked.waiting {
        true => "?held=false",
        false => "",
    };
    let to = format!("/o/{}/held{part}", permitted.organisation_name());
    done(portal, permitted, notice, &to).await
}

#[derive(Template)]
#[template(path = "held/show.html")]
struct Show {
    words: Words,
    detail: QueuedDetail,
    view: View,
}

impl Show {
    fn note(&self, recipient: &QueuedRecipient) -> Option<String> {
        note(
            &self.view,
            recipient.note.as_deref(),
            recipient.notes.as_ref(),
        )
    }

    fn is_held(&self) -> bool {
        let mut recipients = self.detail.mail.recipients.iter();
        recipients.any(|recipient| recipient.state == Delivery::Held)
    }

    fn to(&self, copy: &QueuedCopy) -> String {
        let all: Vec<_> = copy.recipients.iter().map(ToString::to_string).collect();
        all.join(", ")
    }

    fn raw(&self, copy: &QueuedCopy) -> String {
        let own = self.view.here("held");
        let query = copy.copy.as_ref().map(|copy| format!("?copy={copy}"));
        format!(
            "{own}/{}/raw{}",
            self.detail.mail.mail,
            query.unwrap_or_default()
        )
    }
}

async fn show(
    State(portal): State<Portal>,
    visit: Visit<Write>,
    Path(path): Path<MailPath>,
) -> Result<Response, Problem> {
    let detail = portal
        .office
        .queued_mail(&visit.permitted, &path.mail)
        .await?;
    page(&Show {
        words: Words(visit.view.language),
        detail,
        view: visit.view,
    })
}

/// Which copy is downloaded.
#[derive(Deserialize)]
pub(crate) struct RawQuery {
    /// Its number; none of a mail that was not opened yet.
    pub copy: Option<String>,
}

async fn raw(
    State(portal): State<Portal>,
    permitted: Permitted<Write>,
    Path(path): Path<MailPath>,
    Query(query): Query<RawQuery>,
) -> Result<Response, Problem> {
    download(&portal, &permitted, &path.mail, query.copy.as_deref()).await
}

/// A mail as a file that no browser opens by itself. Its name is made of our own number, never of anything in the mail (row W13).
pub(crate) async fn download(
    portal: &Portal,
    permitted: &Permitted<Write>,
    mail: &str,
    copy: Option<&str>,
) -> Result<Response, Problem> {
    let place = portal.downloads.place(permitted)?;
    let raw = portal.office.raw_mail(permitted, mail, copy).await?;
    let octets = raw.content.len();
    let (outlet, receiver) = Outlet::open(portal, permitted, place, DOWNLOAD_AHEAD);
    tokio::spawn(send(raw.content, outlet));
    let name: String = mail.chars().filter(char::is_ascii_hexdigit).collect();
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"mail-{name}.eml\""),
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_LENGTH, octets.to_string()),
    ];
    Ok((headers, Body::from_stream(File(receiver))).into_response())
}

/// Reads block by block, each when there is room for it: no thread waits for the reader.
async fn send(content: Arc<dyn Content>, mut outlet: Outlet<Write, Piece>) {
    let mut from = 0;
    loop {
        let own = Arc::clone(&content);
        let read = tokio::task::spawn_blocking(move || block(&*own, from)).await;
        let piece = match read.map_err(io::Error::other).and_then(|read| read) {
            Ok(block) if block.is_empty() => Piece::End,
            Ok(block) => Piece::Octets(Bytes::from(block)),
            Err(error) => return tracing::warn!(%error, "a download was broken off"),
        };
        let octets = match &piece {
            Piece::Octets(octets) => octets.len() as u64,
            Piece::End => 0,
        };
        if !outlet.send(piece).await || octets == 0 {
            return;
        }
        from = from.saturating_add(octets);
    }
}

/// The octets from `from` on, as many as are sent at once.
fn block(content: &dyn Content, from: u64) -> io::Result<Vec<u8>> {
    let mut block = Vec::with_capacity(DOWNLOAD_OCTETS);
    let reader = content.reader(from)?;
    reader
        .take(DOWNLOAD_OCTETS as u64)
        .read_to_end(&mut block)?;
    Ok(block)
}
