//! The queue: mail that is held, and mail that waits. What is held can be looked at as text (row W13).

use std::sync::Arc;

use async_trait::async_trait;
use sealgate_mail::preview::Preview;
use sealgate_mail::{Address, Content};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::mails::Delivery;
use super::{Asked, At, Page, Paging, RefusedPart};
use crate::auth::{Operate, Permitted, Read, Write};
use crate::problem::Titles;

/// A mail in the queue.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QueuedMail {
    /// Its number.
    pub mail: String,
    /// Whose; only in the queue of the whole installation.
    pub organisation: Option<String>,
    /// Whether it is a report of the gateway.
    pub report: bool,
    /// Envelope sender; none for the null sender.
    #[schema(value_type = Option<String>)]
    pub from: Option<Address>,
    /// When it was accepted.
    pub since: At,
    /// Octets as received.
    pub size: u64,
    /// Who is to get it.
    pub recipients: Vec<QueuedRecipient>,
}

/// A recipient of a mail in the queue.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QueuedRecipient {
    /// Envelope recipient.
    #[schema(value_type = String)]
    pub address: Address,
    /// `to-open`, `waiting` or `held`.
    pub state: Delivery,
    /// Attempts so far.
    pub attempts: u32,
    /// When it is tried next, if it waits.
    pub next_attempt: Option<At>,
    /// Until when it is held; then it is deleted.
    pub held_until: Option<At>,
    /// Why it is held, as a word: `sender-not-proven`, `null-sender`, `repeated-key`, `could-not-process`, `administrator`; or what
    /// went wrong last.
    pub note: Option<String>,
    /// The same in all languages.
    pub notes: Option<Titles>,
}

/// Which part of the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct QueueFilter {
    /// Only mail that is held; else all that is in the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<bool>,
}

/// What is done with mails in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueVerb {
    /// Try what waits now; decide held mail again where that is possible, else send it.
    Retry,
    /// Hold what waits.
    Hold,
    /// Send what is held, as it is.
    Release,
    /// Take it out of the queue; nobody is told.
    Delete,
}

/// With which mails something is done.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct ChosenMails {
    /// Their numbers, up to 500.
    pub mails: Vec<String>,
}

/// What was done with mails.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MailsDone {
    /// With how many mails.
    pub mails: u64,
    /// Those with which it could not be done, each with the reason.
    pub refused: Vec<RefusedPart>,
}

/// A mail in the queue, with what may be shown of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QueuedDetail {
    /// Its place in the queue.
    pub mail: QueuedMail,
    /// What each different copy of it says.
    pub copies: Vec<QueuedCopy>,
}

/// A copy of a mail in the queue.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QueuedCopy {
    /// Its number; none if the mail was not opened yet.
    pub copy: Option<String>,
    /// Who is to get it.
    #[schema(value_type = Vec<String>)]
    pub recipients: Vec<Address>,
    /// Whether it was decrypted here. Then its text is for the recipients only: neither shown nor downloaded.
    pub decrypted: bool,
    /// Its fields, texts and files; none if it cannot be read.
    #[schema(value_type = Option<Object>)]
    pub preview: Option<Preview>,
}

/// A mail to be downloaded.
#[derive(Clone)]
pub struct RawMail {
    /// Its octets, to be read block by block.
    pub content: Arc<dyn Content>,
}

/// Questions and orders about the queue.
#[async_trait]
pub trait Held {
    /// One page of an organisation's queue, oldest first.
    async fn queue(
        &self,
        who: &Permitted<Read>,
        filter: &QueueFilter,
        paging: &Paging,
    ) -> Asked<Page<QueuedMail>>;

    /// One mail of it with what may be shown of its content. That it was looked at stands in the audit log.
    async fn queued_mail(&self, who: &Permitted<Write>, mail: &str) -> Asked<QueuedDetail>;

    /// One copy as it would be sent; the mail as it came if it was not opened yet. That it was downloaded stands in the audit log.
    async fn raw_mail(
        &self,
        who: &Permitted<Write>,
        mail: &str,
        copy: Option<&str>,
    ) -> Asked<RawMail>;

    /// Does something with mails of the organisation.
    async fn act_on_mails(
        &self,
        who: &Permitted<Write>,
        verb: QueueVerb,
        mails: Vec<String>,
    ) -> Asked<MailsDone>;

    /// One page of the queue of the whole installation, oldest first; nothing of any content.
    async fn whole_queue(
        &self,
        who: &Permitted<Operate>,
        filter: &QueueFilter,
        paging: &Paging,
    ) -> Asked<Page<QueuedMail>>;
}
