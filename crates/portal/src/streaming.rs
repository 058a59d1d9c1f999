//! Answers that come piece by piece.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::sync::mpsc::Receiver;

/// What comes through a channel, until its other end is dropped.
#[derive(Debug)]
pub struct Pieces<T>(pub Receiver<T>);

impl<T> Stream for Pieces<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.poll_recv(context)
    }
}

/// How many streams each one reads that stay open.
#[derive(Debug)]
pub struct Streams {
    open: Mutex<HashMap<String, usize>>,
    most: usize,
    most_of_one: usize,
}

/// A place among the streams; given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    streams: Arc<Streams>,
    who: String,
}

impl Streams {
    /// At most so many in all, and of one reader.
    pub fn new(most: usize, most_of_one: usize) -> Self {
        Self {
            open: Mutex::default(),
            most,
            most_of_one,
        }
    }

    /// A place for `who`, if they or all together do not have too many.
    pub fn place(self: &Arc<Self>, who: &str) -> Option<Place> {
        let mut streams = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = streams.values().sum();
        let own = streams.get(who).copied().unwrap_or(0);
        if all >= self.most || own >= self.most_of_one {
            return None;
        }
        streams.insert(who.to_owned(), own.saturating_add(1));
        Some(Place {
            streams: Arc::clone(self),
            who: who.to_owned(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let streams = &self.streams.open;
        let mut streams = streams.lock().unwrap_or_else(PoisonError::into_inner);
        let own = streams.get(&self.who).copied().unwrap_or(0);
        match own.saturating_sub(1) {
            0 => streams.remove(&self.who),
            left => streams.insert(self.who.clone(), left),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{LIVE_STREAMS, LIVE_STREAMS_OF_ONE};

    #[test]
    fn one_reader_has_few_streams() {
        let streams = Arc::new(Streams::new(LIVE_STREAMS, LIVE_STREAMS_OF_ONE));
        let places: Vec<_> = (0..LIVE_STREAMS_OF_ONE)
            .map(|_| streams.place("reader").unwrap())
            .collect();
        assert!(streams.place("reader").is_none());
        assert!(streams.place("another").is_some());
        drop(places);
        assert!(streams.place("reader").is_some());
        let many: Vec<_> = (0..LIVE_STREAMS)
            .map(|number| streams.place(&number.to_string()).unwrap())
            .collect();
        assert!(streams.place("reader").is_none());
        drop(many);
        assert!(streams.open.lock().unwrap().is_empty());
    }
}
