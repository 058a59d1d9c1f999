//! The installation: who serves, what waits, whether all is well.

use async_trait::async_trait;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Asked, At};
use crate::auth::{Operate, Permitted};

/// How the installation is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct System {
    /// Version of the program.
    pub version: String,
    /// Version of the configuration in the store.
    pub configuration: u64,
    /// The processes that serve.
    pub nodes: Vec<Node>,
    /// The queue.
    pub queue: Queue,
    /// Octets of the database.
    pub database_octets: u64,
    /// Octets that are free on its disk.
    pub free_octets: u64,
    /// The tokens that hold keys.
    pub tokens: Vec<TokenState>,
    /// Whether the built-in CA has been made.
    pub built_in_ca: bool,
    /// Certificates it has issued.
    pub issued: u64,
    /// A rotation of the master key that was begun and not finished: the source of the new one.
    pub rotation: Option<String>,
}

/// A process that serves.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// The version of the configuration by which it decides.
    pub configuration: u64,
    /// Its last sign of life.
    pub seen: At,
    /// Whether that is a few seconds ago at most.
    pub alive: bool,
}

/// What waits, of all organisations.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Queue {
    /// Recipients that wait for delivery.
    pub waiting: u64,
    /// Held ones.
    pub held: u64,
    /// Mails to be opened.
    pub to_open: u64,
    /// Since when the one that is due longest is due; none if nothing is late.
    pub oldest_due: Option<At>,
}

/// A token that holds keys.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TokenState {
    /// Its name.
    pub name: String,
    /// Private keys on it; none if it is away.
    pub keys: Option<u64>,
    /// Why it is away.
    pub problem: Option<String>,
}

/// Questions about the installation.
#[async_trait]
pub trait Systems {
    /// How the installation is.
    async fn system(&self, who: &Permitted<Operate>) -> Asked<System>;

    /// Whether the database answers; nothing else is told to whoever asks.
    async fn is_ready(&self) -> bool;
}
