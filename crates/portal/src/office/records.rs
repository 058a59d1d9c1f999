//! Events and the audit log: what administrators are told of, and who changed what. The audit log is kept apart from the journal.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Asked, At, Page, Paging, empty_is_none};
use crate::auth::{Admin, Operate, Permitted, Read};
use crate::problem::Titles;

/// Something that happened.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Event {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: At,
    /// What kind of event, one word.
    pub kind: String,
    /// The kind in a sentence.
    pub sentence: Titles,
    /// What exactly, in English.
    pub text: String,
    /// The same in all languages.
    pub texts: Titles,
}

/// A kind of event.
#[derive(Clone, Debug)]
pub struct EventKind {
    /// Its word.
    pub word: String,
    /// The kind in a sentence.
    pub sentence: Titles,
}

/// Which events.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct EventFilter {
    /// Of this kind.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "empty_is_none"
    )]
    pub kind: Option<String>,
}

/// A line of the audit log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditLine {
    /// Its number, without gaps in the installation.
    pub id: i64,
    /// When.
    pub at: At,
    /// By whom.
    pub who: String,
    /// Name of the organisation; empty if it is about the installation.
    pub organisation: String,
    /// What, in English.
    pub text: String,
    /// The same in all languages.
    pub texts: Titles,
}

/// Which lines of the audit log.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct AuditFilter {
    /// By whom: the name as it stands there.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "empty_is_none"
    )]
    pub who: Option<String>,
    /// Whose text holds this.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "empty_is_none"
    )]
    pub search: Option<String>,
}

/// One page of the audit log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditPage {
    /// The lines, newest first.
    pub items: Vec<AuditLine>,
    /// What to give as `after` for the next page; none on the last one.
    pub next: Option<String>,
    /// Number of the line back to which was searched for this page, if it is not full and there is more to search.
    pub searched_to: Option<i64>,
}

/// Whether the audit log is whole. A long one is followed in the background; asked again, it is told how far that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditChain {
    /// Whether the check has ended.
    pub done: bool,
    /// Whether every line that was checked is there and as it was written.
    pub whole: bool,
    /// Number of the first line that is missing or was changed.
    pub broken_at: Option<i64>,
    /// Lines checked so far.
    pub checked: i64,
    /// Lines in the log when the check began.
    pub lines: i64,
}

/// Questions about events and the audit log.
#[async_trait]
pub trait Records {
    /// One page of the events, newest first.
    async fn events(
        &self,
        who: &Permitted<Read>,
        filter: &EventFilter,
        paging: &Paging,
    ) -> Asked<Page<Event>>;

    /// Every kind of event there is.
    fn event_kinds(&self) -> Vec<EventKind>;

    /// One page of the organisation's audit log, newest first.
    async fn audit(
        &self,
        who: &Permitted<Admin>,
        filter: &AuditFilter,
        paging: &Paging,
    ) -> Asked<AuditPage>;

    /// One page of the whole audit log, newest first.
    async fn audit_of_all(
        &self,
        who: &Permitted<Operate>,
        filter: &AuditFilter,
        paging: &Paging,
    ) -> Asked<AuditPage>;

    /// Follows the whole chain (row W11), and answers how far that is if it takes longer than somebody waits.
    async fn audit_chain(&self, who: &Permitted<Operate>) -> Asked<AuditChain>;
}
