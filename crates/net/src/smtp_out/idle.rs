//! Connections kept open for the next mail to the same next hop.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use sealgate_core::queue::NextHop;

use super::connection::Connection;
use crate::limits::{IDLE_CONNECTIONS, IDLE_CONNECTIONS_PER_HOP, IDLE_TIME, MAILS_PER_CONNECTION};

/// Since when each connection has no mail, by next hop.
type ByHop = HashMap<NextHop, Vec<(Instant, Connection)>>;

/// Sessions that are open and have no mail under way.
#[derive(Clone, Default)]
pub(super) struct Idle(Arc<Mutex<ByHop>>);

impl Idle {
    /// A connection for `hop`, the one used last.
    pub(super) fn take(&self, hop: &NextHop) -> Option<Connection> {
        let mut map = self.lock();
        let connections = map.get_mut(hop)?;
        let (since, connection) = connections.pop()?;
        if connections.is_empty() {
            map.remove(hop);
        }
        // The task that ends it may be late.
        (since.elapsed() < IDLE_TIME).then_some(connection)
    }

    /// Keeps `connection` for a while, or ends it.
    pub(super) fn keep(&self, hop: &NextHop, mut connection: Connection) {
        if !connection.is_ready() || connection.mails >= MAILS_PER_CONNECTION {
            tokio::spawn(connection.close());
            return;
        }
        let refused = self.insert(hop, connection);
        if let Some(connection) = refused {
            tokio::spawn(connection.close());
            return;
        }
        let idle = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(IDLE_TIME).await;
            for connection in idle.expired() {
                connection.close().await;
            }
        });
    }

    /// Gives the connection back where there are enough.
    fn insert(&self, hop: &NextHop, connection: Connection) -> Option<Connection> {
        let mut map = self.lock();
        let all: usize = map.values().map(Vec::len).sum();
        let of_hop = map.get(hop).map_or(0, Vec::len);
        if all >= IDLE_CONNECTIONS || of_hop >= IDLE_CONNECTIONS_PER_HOP {
            return Some(connection);
        }
        map.entry(hop.clone())
            .or_default()
            .push((Instant::now(), connection));
        None
    }

    fn expired(&self) -> Vec<Connection> {
        let mut map = self.lock();
        let mut expired = Vec::new();
        for connections in map.values_mut() {
            let old = connections.extract_if(.., |(since, _)| since.elapsed() >= IDLE_TIME);
            expired.extend(old.map(|(_, connection)| connection));
        }
        map.retain(|_, connections| !connections.is_empty());
        expired
    }

    /// Ends all of them.
    pub(super) async fn close(&self) {
        let all: Vec<_> = self
            .lock()
            .drain()
            .flat_map(|(_, connections)| connections)
            .collect();
        for (_, connection) in all {
            connection.close().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, ByHop> {
        // A panic elsewhere leaves a map that is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
