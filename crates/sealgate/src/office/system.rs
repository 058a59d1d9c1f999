//! The portal's questions about the installation.

use async_trait::async_trait;
use sealgate_portal::auth::{Operate, Permitted};
use sealgate_portal::office::system::{Node, Queue, System, Systems, TokenState};
use sealgate_portal::office::{Asked, At};
use sealgate_portal::problem::Problem;

use super::{PortalOffice, problem};
use crate::gateway::now;

#[async_trait]
impl Systems for PortalOffice {
    async fn system(&self, _: &Permitted<Operate>) -> Asked<System> {
        let store = &self.0.store;
        let nodes = store.nodes(now()).await.map_err(problem)?;
        let queue = store.queue_counts().await.map_err(problem)?;
        let tokens = store.tokens().clone();
        let tokens = tokio::task::spawn_blocking(move || tokens.states()).await;
        Ok(System {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            configuration: store.version().await.map_err(problem)?,
            nodes: nodes.into_iter().map(node).collect(),
            queue: Queue {
                waiting: queue.waiting,
                held: queue.held,
                to_open: queue.to_open,
                oldest_due: queue.oldest_due.filter(|due| *due < now()).map(At),
            },
            database_octets: store.octets().await.map_err(problem)?,
            free_octets: store.free_octets().map_err(problem)?,
            tokens: tokens
                .map_err(Problem::internal)?
                .into_iter()
                .map(token)
                .collect(),
            built_in_ca: store.built_in_ca().await.map_err(problem)?.is_some(),
            issued: store.issued_counts().await.map_err(problem)?.issued,
            rotation: store.rotation_under_way().await.map_err(problem)?,
        })
    }

    async fn is_ready(&self) -> bool {
        self.0.store.version().await.is_ok()
    }
}

fn node(node: sealgate_store::Node) -> Node {
    Node {
        name: node.name,
        configuration: node.version,
        seen: At(node.seen),
        alive: node.alive,
    }
}

fn token(token: sealgate_store::TokenState) -> TokenState {
    TokenState {
        name: token.name,
        keys: token.keys.and_then(|keys| u64::try_from(keys).ok()),
        problem: token.problem,
    }
}
