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

mod accounts;
mod ahead;
mod apply;
mod attention;
mod audit;
mod authorities;
mod bulk;
mod certificates;
mod challenges;
mod configuration;
mod content;
mod correspondents;
mod database;
mod desk;
mod directories;
mod directory;
mod dkim;
mod error;
mod events;
mod evidence;
mod ids;
mod journal;
mod keys;
mod licences;
mod life;
pub mod limits;
mod mailboxes;
mod orders;
mod organisations;
mod queue;
mod register;
mod retention;
mod revocations;
mod ring;
mod room;
mod rotation;
mod rows;
mod rules;
mod seal;
mod snapshot;
mod start;
mod statistics;
mod store;
mod system;
mod token;
mod tx;
mod upkeep;
mod webhooks;
mod writer;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use accounts::{
    Accepting, ApiToken, ApiTokenLine, ApiTokenScope, By, Invitation, InvitationScope, Invited,
    Member, NewApiToken, NewInvitation, OpenInvitation, Reseller, SecondFactor, Session,
    SessionEnds, SessionLine, User, UserChange, UserLine, UserQuery, WhoseOrganisation,
};
pub use apply::{CarriedOut, Instruction, Together};
pub use attention::Ending;
pub use audit::{AuditLine, AuditPage, AuditQuery, AuditStep, AuditWalk};
pub use bulk::{Begun, BulkAction, BulkEnding, BulkKind, BulkWork, Certificates, RouteChange};
pub use certificates::{
    BatchDetail, CertificateQuery, CertificateRow, OrderDetail, OrdersOf, RevocationDetail,
    RevocationsOf, Trust,
};
pub use challenges::{Answered, Answering};
pub use configuration::{OrganisationName, key_kind};
pub use content::{ContentWriter, CopyContent, StoreShelf};
pub use correspondents::{
    ChainLink, CorrespondentCounts, CorrespondentDetail, CorrespondentFilter, CorrespondentQuery,
    LearnedFrom, ListedCorrespondent,
};
pub use desk::{Look, QueueFilter, QueueRow, QueuedContent, Verb};
pub use directories::{SourceAnswer, SourceKey};
pub use dkim::NewDkimKey;
pub use error::StoreError;
pub use events::{Event, EventKind};
pub use evidence::{DueKey, Kept};
pub use journal::{Delivery, JournalLine, OverviewFilter, OverviewPage, OverviewRow, SearchedTo};
pub use keys::KeyPair;
pub use mailboxes::{
    MailboxCounts, MailboxDetail, MailboxOrder, MailboxPlace, MailboxQuery, MailboxRow, OpenOrder,
};
pub use orders::{BatchRow, LeasedOrder, OrderRow, Scope};
pub use organisations::{CustomerQuery, CustomerRow};
pub use queue::{
    Attempted, CopyLease, LeasedCopy, LeasedRecipient, LeasedToOpen, RecipientId, RecipientUpdate,
    ToOpenLease,
};
pub use register::{BuiltInCa, Issued, IssuedCounts};
pub use revocations::{LeasedRevocation, RevocationRow};
pub use ring::{Purge, Purged, RingKey};
pub use rotation::{Opening, Progress, Rotated, Rotation};
pub use rules::{RankedRule, RuleQuery};
pub use seal::{MasterKey, MasterKeySource};
pub use start::OrganisationQuery;
pub use statistics::{Expiring, LineCount, Stretch};
pub use store::{Serving, Store};
pub use system::{Node, QueueCounts};
pub use token::{TokenError, TokenPlace, TokenSettings, TokenState, Tokens};
pub use tx::{Acceptance, Durable, Held, Opened, ToOpen, queue_id, read_queue_id};
pub use upkeep::Liveness;
pub use webhooks::{DueEvent, NewWebhook, WebhookPlaces, WebhookRow};
pub use writer::Counters;
