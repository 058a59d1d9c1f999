//! Publishing of the built-in CA: its web server is part of `serve` where the configuration asks for it.

use std::sync::Arc;

use sealgate_net::ca::builtin::Publisher;
use sealgate_net::ca::publish::{self, Site};
use sealgate_store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::built_in;
use crate::cmd::Failure;
use crate::config::Config;
use crate::gateway::now;
use crate::serve::Listening;

/// Starts a server on each of `sockets`. Whoever publishes wants a CA: it is made now if there is none.
pub async fn start(
    store: &Store,
    config: &Config,
    sockets: Vec<TcpListener>,
) -> Result<Vec<Listening>, Failure> {
    let addresses = config.published_at().map_err(Failure::new)?;
    let Some(addresses) = addresses.filter(|_| !sockets.is_empty()) else {
        return Ok(Vec::new());
    };
    let ca = built_in::find_or_make(store, config).await?;
    let publisher = Publisher::new(ca, Arc::new(store.clone()), now);
    let site = Arc::new(Site::new(publisher, addresses));
    let listening = |socket: TcpListener| {
        let address = socket.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(publish::serve(socket, Arc::clone(&site), stopped));
        Ok(Listening::new(address, stop, task))
    };
    sockets.into_iter().map(listening).collect()
}
