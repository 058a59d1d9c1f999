//! New and changed lines of the mail overview, as events of a stream that stays open. It ends by itself, and as soon as whoever
//! reads it may no longer.

use std::collections::HashMap;
use std::convert::Infallible;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use sealgate_core::journal::MailStatus;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::{Instant, interval};

use super::Words;
use crate::Portal;
use crate::auth::{Permitted, Read};
use crate::limits::{LIVE_ALIVE, LIVE_CHECK, LIVE_LINES, LIVE_LONGEST, LIVE_POLL};
use crate::office::Paging;
use crate::office::mails::{Delivery, MailFilter, MailQuery, MailRow};
use crate::problem::Problem;
use crate::streaming::Pieces;
use crate::view::{View, Visit};

#[derive(Template)]
#[template(path = "mails/row.html")]
struct Line<'a> {
    view: &'a View,
    words: Words,
    row: &'a MailRow,
}

pub(super) async fn live(
    State(portal): State<Portal>,
    visit: Visit<Read>,
    Query(filter): Query<MailFilter>,
) -> Result<Response, Problem> {
    let query = filter.query(&portal.settings.time_zone)?;
    let place = portal.streams.place(visit.permitted.who());
    let place = place.ok_or(Problem::new("too-many-tries"))?;
    let (sender, receiver) = channel(LIVE_LINES as usize);
    let tail = Tail {
        portal,
        permitted: visit.permitted,
        view: visit.view,
        query,
        known: HashMap::new(),
        sender,
    };
    tokio::spawn(async move {
        let _place = place;
        tail.follow().await;
    });
    let alive = KeepAlive::new().interval(LIVE_ALIVE);
    Ok(Sse::new(Pieces(receiver)).keep_alive(alive).into_response())
}

struct Tail {
    portal: Portal,
    permitted: Permitted<Read>,
    view: View,
    query: MailQuery,
    /// How the newest lines stood when they were told.
    known: HashMap<String, (MailStatus, Delivery)>,
    sender: Sender<Result<Event, Infallible>>,
}

impl Tail {
    /// Tells until the reader is gone, may not read any more, or the longest time is over; a browser then asks again.
    async fn follow(mut self) {
        let end = Instant::now() + LIVE_LONGEST;
        let mut checked = Instant::now();
        let mut ticks = interval(LIVE_POLL);
        let mut is_first = true;
        while Instant::now() < end {
            tokio::select! {
                () = self.sender.closed() => return,
                _ = ticks.tick() => {}
            }
            if checked.elapsed() >= LIVE_CHECK {
                if !self.permitted.still(&self.portal).await {
                    return;
                }
                checked = Instant::now();
            }
            let Some(lines) = self.changed().await else {
                return;
            };
            // What stood there before is on the page already.
            let told = !std::mem::take(&mut is_first);
            for line in lines.into_iter().filter(|_| told) {
                let event = Event::default().data(line);
                if self.sender.send(Ok(event)).await.is_err() {
                    return;
                }
            }
        }
    }

    /// The lines that are new or stand otherwise, oldest first; none if they cannot be had.
    async fn changed(&mut self) -> Option<Vec<String>> {
        let newest = Paging {
            after: None,
            limit: Some(LIVE_LINES),
        };
        let found = self
            .portal
            .office
            .mails(&self.permitted, &self.query, &newest);
        let rows = found.await.ok()?.items;
        let stands = |row: &MailRow| (row.line.clone(), (row.status, row.delivery));
        let lines = rows.iter().rev().filter(|row| {
            let before = self.known.get(&row.line);
            before != Some(&(row.status, row.delivery))
        });
        let lines = lines.filter_map(|row| self.line(row)).collect();
        self.known = rows.iter().map(stands).collect();
        Some(lines)
    }

    /// One line, without line ends: an event is made of lines.
    fn line(&self, row: &MailRow) -> Option<String> {
        let line = Line {
            view: &self.view,
            words: Words(self.view.language),
            row,
        };
        let text = line.render().ok()?;
        Some(text.replace(['\r', '\n'], " ").trim().to_owned())
    }
}
