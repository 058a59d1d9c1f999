//! Answers that come piece by piece: who may have how many, and when they end.
//!
//! What is sent waits in a channel of a few pieces, so that a slow reader costs little memory and no thread. Whoever reads is asked
//! about again while they read, however slowly; a reader that is gone or may no longer ends the work.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Bytes;
use futures_core::Stream;
use sealgate_core::tenant::OrganisationId;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, timeout_at};

use crate::Portal;
use crate::auth::{Authenticated, Needs, Permitted, Signed};
use crate::limits::STREAM_CHECK;
use crate::problem::Problem;

/// What comes through a channel, until its other end is dropped.
#[derive(Debug)]
pub struct Pieces<T>(pub Receiver<T>);

impl<T> Stream for Pieces<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.poll_recv(context)
    }
}

/// A piece of a file, or its end.
#[derive(Debug)]
pub enum Piece {
    /// Octets.
    Octets(Bytes),
    /// The file is whole.
    End,
}

/// A file that comes through a channel. If the other end is dropped before [`Piece::End`], whoever reads is told that it is not
/// whole.
#[derive(Debug)]
pub struct File(pub Receiver<Piece>);

impl Stream for File {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|piece| match piece {
            Some(Piece::Octets(octets)) => Some(Ok(octets)),
            Some(Piece::End) => None,
            None => Some(Err(io::ErrorKind::UnexpectedEof.into())),
        })
    }
}

/// Where pieces go in, for a reader who may read.
#[derive(Debug)]
pub struct Outlet<P, T> {
    portal: Portal,
    permitted: Permitted<P>,
    sender: Sender<T>,
    checked: Instant,
    _place: Place,
}

impl<P: Needs, T> Outlet<P, T> {
    /// With room for `ahead` pieces that are not yet read.
    pub fn open(
        portal: &Portal,
        permitted: &Permitted<P>,
        place: Place,
        ahead: usize,
    ) -> (Self, Receiver<T>) {
        let (sender, receiver) = channel(ahead);
        let outlet = Self {
            portal: portal.clone(),
            permitted: permitted.clone(),
            sender,
            checked: Instant::now(),
            _place: place,
        };
        (outlet, receiver)
    }

    /// Whether the reader is there, and still may read.
    pub async fn is_open(&mut self) -> bool {
        if self.sender.is_closed() {
            return false;
        }
        if self.checked.elapsed() < STREAM_CHECK {
            return true;
        }
        self.checked = Instant::now();
        self.permitted.still(&self.portal).await
    }

    /// Sends a piece as soon as there is room; `false` if the reader is gone or may no longer.
    pub async fn send(&mut self, piece: T) -> bool {
        loop {
            if !self.is_open().await {
                return false;
            }
            let again = self.checked + STREAM_CHECK;
            match timeout_at(again, self.sender.reserve()).await {
                Ok(Ok(room)) => {
                    room.send(piece);
                    return true;
                }
                Ok(Err(_)) => return false,
                Err(_) => {}
            }
        }
    }

    /// Waits until the reader is gone.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }
}

/// How many streams are open, of which organisation and of whom.
#[derive(Debug)]
pub struct Streams {
    open: Mutex<HashMap<(OrganisationId, String), usize>>,
    most: Most,
}

/// Most streams at the same time.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    /// Of all.
    pub of_all: usize,
    /// Of one organisation, so that none takes the places of the others.
    pub of_organisation: usize,
    /// Of one user or token.
    pub of_one: usize,
}

/// A place among the streams; given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    streams: Arc<Streams>,
    whose: (OrganisationId, String),
}

impl Streams {
    /// At most so many.
    pub fn new(most: Most) -> Self {
        Self {
            open: Mutex::default(),
            most,
        }
    }

    /// A place for whoever is permitted; refused if they, their organisation, or all together have too many.
    pub fn place<P>(self: &Arc<Self>, permitted: &Permitted<P>) -> Result<Place, Problem> {
        let place = self.of(permitted.organisation(), &one(permitted.authenticated()));
        place.ok_or(Problem::new("too-many-tries"))
    }

    fn of(self: &Arc<Self>, organisation: OrganisationId, who: &str) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |is_meant: &dyn Fn(&(OrganisationId, String)) -> bool| -> usize {
            let meant = open.iter().filter(|(whose, _)| is_meant(whose));
            meant.map(|(_, count)| count).sum()
        };
        let is_full = count(&|_| true) >= self.most.of_all
            || count(&|(own, _)| *own == organisation) >= self.most.of_organisation
            || count(&|(_, own)| own == who) >= self.most.of_one;
        if is_full {
            return None;
        }
        let whose = (organisation, who.to_owned());
        let own = open.entry(whose.clone()).or_insert(0);
        *own = own.saturating_add(1);
        Some(Place {
            streams: Arc::clone(self),
            whose,
        })
    }
}

/// Whose streams are counted together. A token is itself: one of another organisation may have the same name.
fn one(who: &Authenticated) -> String {
    match &who.signed {
        Signed::Session { user, .. } => format!("user {}", user.0),
        Signed::Token { sha256 } => sha256.iter().map(|octet| format!("{octet:02x}")).collect(),
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let open = &self.streams.open;
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.whose) {
            *own = own.saturating_sub(1);
        }
        open.retain(|_, own| *own > 0);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use sealgate_core::permission::Grants;

    use super::*;
    use crate::limits::LIVE_STREAMS;

    async fn read(pieces: Vec<Piece>) -> Vec<Result<Bytes, io::ErrorKind>> {
        let (sender, receiver) = channel(pieces.len().max(1));
        for piece in pieces {
            sender.try_send(piece).unwrap();
        }
        drop(sender);
        let (mut file, mut read) = (File(receiver), Vec::new());
        while let Some(piece) = poll_fn(|cx| Pin::new(&mut file).poll_next(cx)).await {
            let is_end = piece.is_err();
            read.push(piece.map_err(|error| error.kind()));
            if is_end {
                break;
            }
        }
        read
    }

    /// A file whose sender went away in the middle does not look like a whole one.
    #[tokio::test]
    async fn a_file_that_is_not_whole_is_broken_off() {
        let octets = Bytes::from_static(b"a,b\n");
        let piece = || Piece::Octets(octets.clone());
        assert_eq!(read(vec![piece(), Piece::End]).await, [Ok(octets.clone())]);
        let broken = Err(io::ErrorKind::UnexpectedEof);
        assert_eq!(
            read(vec![piece()]).await,
            [Ok(octets.clone()), broken.clone()]
        );
        assert_eq!(read(Vec::new()).await, [broken]);
    }

    #[test]
    fn tokens_of_one_name_are_two() {
        let token = |octet| Authenticated {
            name: "token backup".to_owned(),
            grants: Grants::default(),
            signed: Signed::Token {
                sha256: [octet; 32],
            },
        };
        assert_eq!(one(&token(1)), one(&token(1)));
        assert_ne!(one(&token(1)), one(&token(2)));
    }

    #[test]
    fn nobody_takes_the_streams_of_others() {
        let streams = Arc::new(Streams::new(LIVE_STREAMS));
        let organisation = OrganisationId;
        let own: Vec<_> = (0..LIVE_STREAMS.of_one)
            .map(|_| streams.of(organisation(1), "reader").unwrap())
            .collect();
        assert!(streams.of(organisation(1), "reader").is_none());
        assert!(streams.of(organisation(2), "reader").is_none());
        assert!(streams.of(organisation(1), "another").is_some());
        drop(own);
        assert!(streams.of(organisation(1), "reader").is_some());
        let all: Vec<_> = (0..LIVE_STREAMS.of_organisation)
            .map(|number| streams.of(organisation(1), &number.to_string()).unwrap())
            .collect();
        assert!(streams.of(organisation(1), "reader").is_none());
        assert!(streams.of(organisation(2), "reader").is_some());
        drop(all);
        let many: Vec<_> = (0..LIVE_STREAMS.of_all)
            .map(|number| {
                let own = organisation(number as i64);
                streams.of(own, &number.to_string()).unwrap()
            })
            .collect();
        assert!(streams.of(organisation(1000), "reader").is_none());
        drop(many);
        assert!(streams.open.lock().unwrap().is_empty());
    }
}
