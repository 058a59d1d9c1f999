//! New and changed lines of the mail overview, as events of a stream that stays open. It ends by itself, and as soon as whoever
//! reads it may no longer.

use std::collections::HashMap;
use std::convert::Infallible;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use sealgate_core::journal::MailStatus;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Words;
use crate::Portal;
use crate::auth::{Permitted, Read};
use crate::limits::{LIVE_ALIVE, LIVE_BACK_SECONDS, LIVE_LINES, LIVE_LONGEST, LIVE_POLL};
use crate::office::Paging;
use crate::office::mails::{Delivery, MailFilter, MailQuery, MailRow};
use crate::problem::Problem;
use crate::streaming::{Outlet, Pieces};
use crate::view::{Fetch, View};

#[derive(Template)]
#[template(path = "mails/row.html")]
struct Line<'a> {
    view: &'a View,
    words: Words,
    row: &'a MailRow,
}

pub(super) async fn live(
    State(portal): State<Portal>,
    fetch: Fetch<Read>,
    Query(filter): Query<MailFilter>,
) -> Result<Response, Problem> {
    let query = filter.query(&portal.settings.time_zone)?;
    let place = portal.streams.place(&fetch.permitted)?;
    let (outlet, receiver) = Outlet::open(&portal, &fetch.permitted, place, LIVE_LINES as usize);
    let tail = Tail {
        portal,
        permitted: fetch.permitted,
        view: fetch.view,
        query,
        known: HashMap::new(),
        outlet,
    };
    tokio::spawn(tail.follow());
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
    outlet: Outlet<Read, Result<Event, Infallible>>,
}

impl Tail {
    /// Tells until the reader is gone, may not read any more, or the longest time is over; a browser then asks again. It begins
    /// with the newest lines, of which the page has most: what came between the page and the stream, or two streams, is not lost.
    async fn follow(mut self) {
        let end = Instant::now() + LIVE_LONGEST;
        let mut ticks = interval(LIVE_POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while Instant::now() < end {
            tokio::select! {
                () = self.outlet.closed() => return,
                _ = ticks.tick() => {}
            }
            if !self.outlet.is_open().await {
                return;
            }
            let Some(lines) = self.changed().await else {
                return;
            };
            for line in lines {
                let event = Event::default().data(line);
                if !self.outlet.send(Ok(event)).await {
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
        // Only what is young is watched: a search through all of the journal each second is for nobody.
        let young = self.portal.now().plus(-LIVE_BACK_SECONDS);
        let query = MailQuery {
            since: Some(self.query.since.map_or(young, |since| since.max(young))),
            ..self.query.clone()
        };
        let found = self.portal.office.mails(&self.permitted, &query, &newest);
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
