//! What survives a crash: one database, sealed contents and keys, the journal.
//!
//! The tables and what each transaction touches are described in `docs/data-model.md`.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod apply;
mod audit;
mod configuration;
mod content;
mod correspondents;
mod database;
mod desk;
mod directory;
mod error;
mod events;
mod evidence;
mod ids;
mod journal;
mod keys;
pub mod limits;
mod queue;
mod rows;
mod seal;
mod store;
mod tx;
mod upkeep;
mod writer;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use apply::Order;
pub use audit::AuditLine;
pub use configuration::OrganisationName;
pub use content::{ContentWriter, CopyContent, StoreShelf};
pub use correspondents::CorrespondentFilter;
pub use desk::{QueueFilter, QueueRow, Verb};
pub use error::StoreError;
pub use events::{Event, EventKind};
pub use evidence::{DueKey, Kept};
pub use journal::{Delivery, JournalLine, OverviewFilter, OverviewRow};
pub use keys::{BuiltInCa, Issued, KeyPair};
pub use queue::{
    Attempted, CopyLease, LeasedCopy, LeasedRecipient, LeasedToOpen, RecipientId, RecipientUpdate,
    ToOpenLease,
};
pub use seal::MasterKey;
pub use store::{Serving, Store};
pub use tx::{Acceptance, Durable, Held, Opened, ToOpen, queue_id, read_queue_id};
pub use upkeep::Liveness;
pub use writer::Counters;
